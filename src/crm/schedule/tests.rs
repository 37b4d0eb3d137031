use jiff::ToSpan as _;
use jiff::civil::date;

use super::*;

fn slot(text: &str) -> Slot {
    let slots = Slot::parse(text).unwrap();
    assert_eq!(slots.len(), 1, "{text}");
    slots[0]
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn at(zone: &TimeZone, text: &str) -> Timestamp {
    let wall: jiff::civil::DateTime = text.parse().unwrap();
    wall.to_zoned(zone.clone()).unwrap().timestamp()
}

#[test]
fn slots_are_read_as_people_write_them() {
    for (text, expected) in [
        ("mon 08:00-17:00", vec!["mon 08:00-17:00"]),
        ("Monday 8:00-17:00", vec!["mon 08:00-17:00"]),
        (
            "sat,sun 22:00-6:00",
            vec!["sat 22:00-06:00", "sun 22:00-06:00"],
        ),
        (
            "fri-mon 00:00-24:00",
            vec![
                "fri 00:00-24:00",
                "sat 00:00-24:00",
                "sun 00:00-24:00",
                "mon 00:00-24:00",
            ],
        ),
        ("sun 20:00-00:00", vec!["sun 20:00-24:00"]),
        ("sun 00:00-00:00", vec!["sun 00:00-24:00"]),
    ] {
        let slots = Slot::parse(text).unwrap();
        let shown: Vec<String> = slots.iter().map(Slot::to_string).collect();
        assert_eq!(shown, expected, "{text}");
    }
    assert_eq!(Slot::parse("daily 0:00-24:00").unwrap().len(), 7);
}

#[test]
fn what_is_no_slot_is_said() {
    for (text, says) in [
        ("mon", "is no slot"),
        ("mon 08:00", "is no slot"),
        ("someday 08:00-09:00", "is no day"),
        ("mon 08:00-08:00", "is empty"),
        ("mon 24:00-08:00", "cannot begin"),
        ("mon 25:00-26:00", "no time of day"),
        ("mon 8-17", "no time of day"),
        ("mon 08:60-09:00", "no time of day"),
        ("mon +8:00-09:00", "no time of day"),
        ("mon 08:0-09:00", "no time of day"),
    ] {
        let error = Slot::parse(text).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn a_slot_survives_its_json() {
    let night = slot("fri 22:00-06:00");
    let json = serde_json::to_string(&night).unwrap();
    assert_eq!(json, r#"{"day":"fri","from":"22:00","to":"06:00"}"#);
    assert_eq!(serde_json::from_str::<Slot>(&json).unwrap(), night);
    assert!(serde_json::from_str::<Slot>(&json.replace("22", "99")).is_err());
}

#[test]
fn overlapping_slots_are_found_and_touching_ones_are_not() {
    for (one, other, overlap) in [
        ("mon 08:00-12:00", "mon 12:00-17:00", false),
        ("mon 08:00-12:01", "mon 12:00-17:00", true),
        ("mon 08:00-12:00", "tue 08:00-12:00", false),
        ("mon 22:00-06:00", "tue 06:00-08:00", false),
        ("mon 22:00-06:00", "tue 05:59-08:00", true),
        ("mon 22:00-06:00", "mon 21:00-22:01", true),
        ("sun 22:00-06:00", "mon 06:00-07:00", false),
        ("sun 22:00-06:00", "mon 00:00-01:00", true),
        ("mon 00:00-24:00", "sun 22:00-24:00", false),
        ("mon 00:00-24:00", "mon 12:00-12:01", true),
        ("mon 10:00-09:00", "tue 08:00-10:00", true),
        ("mon 08:00-12:00", "mon 08:00-12:00", true),
    ] {
        let (one, other) = (slot(one), slot(other));
        for pair in [[one, other], [other, one]] {
            assert_eq!(first_overlap(&pair).is_some(), overlap, "{pair:?}");
        }
    }
    let many: Vec<Slot> = ["mon-fri 08:00-17:00", "sat 10:00-12:00", "fri 16:00-18:00"]
        .iter()
        .flat_map(|text| Slot::parse(text).unwrap())
        .collect();
    assert_eq!(
        first_overlap(&many),
        Some((slot("fri 08:00-17:00"), slot("fri 16:00-18:00")))
    );
}

#[test]
fn a_slot_begins_with_its_first_minute_and_ends_before_its_last() {
    let berlin = zone("Europe/Berlin");
    // 2026-11-30 is a Monday.
    for (text, moment, inside) in [
        ("mon 08:00-17:00", "2026-11-30T07:59:59", false),
        ("mon 08:00-17:00", "2026-11-30T08:00:00", true),
        ("mon 08:00-17:00", "2026-11-30T16:59:59", true),
        ("mon 08:00-17:00", "2026-11-30T17:00:00", false),
        ("mon 08:00-17:00", "2026-12-01T08:00:00", false),
        ("mon 22:00-06:00", "2026-11-30T05:00:00", false),
        ("mon 22:00-06:00", "2026-11-30T22:00:00", true),
        ("mon 22:00-06:00", "2026-12-01T05:59:59", true),
        ("mon 22:00-06:00", "2026-12-01T06:00:00", false),
        ("mon 00:00-24:00", "2026-11-30T23:59:59", true),
        ("mon 00:00-24:00", "2026-12-01T00:00:00", false),
    ] {
        let holds = slot(text).holds(&berlin, at(&berlin, moment));
        assert_eq!(holds, inside, "{text} {moment}");
    }
}

#[test]
fn the_zone_says_which_day_it_is() {
    let slot = slot("mon 08:00-17:00");
    let moment: Timestamp = "2026-11-30T07:30:00Z".parse().unwrap();
    for (name, inside) in [
        ("Europe/Berlin", true),
        ("Europe/London", false),
        ("Asia/Kathmandu", true),
        ("Pacific/Auckland", false),
        ("America/New_York", false),
    ] {
        assert_eq!(slot.holds(&zone(name), moment), inside, "{name}");
    }
}

/// The nights in which clocks were changed, by half an hour, an hour, two hours and a whole day,
/// forward and back, at two, at midnight and before it: (zone, date on which the change shows).
const CHANGES: [(&str, Date); 17] = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("Europe/London", date(2026, 3, 29)),
    ("Europe/London", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2019, 2, 17)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Cairo", date(2026, 10, 30)),
    ("Antarctica/Troll", date(2024, 3, 31)),
    ("Antarctica/Troll", date(2024, 10, 27)),
    ("Pacific/Apia", date(2011, 12, 31)),
    ("America/Havana", date(2026, 3, 8)),
    ("America/Havana", date(2026, 11, 1)),
];

/// Each minute of two days before a change to two days after, with what the wall clock shows.
fn walk(zone: &TimeZone, day: Date) -> Vec<(Timestamp, Date, u16)> {
    let noon = day.at(12, 0, 0, 0);
    let middle = noon.to_zoned(zone.clone()).unwrap().timestamp();
    let begin = middle - (60 * 60).minutes();
    (0..2 * 60 * 60)
        .map(|minute| {
            let moment = begin + minute.minutes();
            let wall = zone.to_datetime(moment);
            let minute =
                u16::try_from(wall.hour()).unwrap() * 60 + u16::try_from(wall.minute()).unwrap();
            (moment, wall.date(), minute)
        })
        .collect()
}

/// The minutes of a walk that are looked at, with their places: each one of the night of the change,
/// from 18:00 to noon, and some of the other days.
fn looked_at<T>(walk: &[T]) -> impl Iterator<Item = (usize, &T)> {
    let night = 42 * 60..60 * 60;
    walk.iter()
        .enumerate()
        .filter(move |(place, _)| night.contains(place) || place % 17 == 0)
}

/// Where in a walk a time of a date is reached: found by looking at the clock each minute.
fn first_reached(walk: &[(Timestamp, Date, u16)], date: Date, minute: u16) -> usize {
    let (date, minute) = if minute == DAY {
        (date.tomorrow().unwrap(), 0)
    } else {
        (date, minute)
    };
    walk.iter()
        .position(|(_, today, shows)| (*today, *shows) >= (date, minute))
        .unwrap_or(walk.len())
}

#[test]
fn each_minute_of_the_nights_of_a_change_is_in_the_slots_that_a_watch_says() {
    let mut changed = 0;
    for (name, middle) in CHANGES {
        let zone = zone(name);
        let walk = walk(&zone, middle);
        let changes = zone
            .following(walk[0].0)
            .take_while(|it| it.timestamp() < walk.last().unwrap().0);
        changed += changes.count().min(1);
        let dates = [
            middle.yesterday().unwrap(),
            middle,
            middle.tomorrow().unwrap(),
        ];
        for date in dates {
            for (from, to) in [
                (0, DAY),
                (0, 30),
                (60, 150),
                (105, 135),
                (120, 180),
                (150, 240),
                (1410, DAY),
                (1320, 150),
                (360, 359),
            ] {
                let slot = Slot {
                    day: Day::of(date),
                    from: WallTime(from),
                    to: WallTime(to),
                };
                let last = if to > from {
                    date
                } else {
                    date.tomorrow().unwrap()
                };
                let begins = first_reached(&walk, date, from);
                let ends = first_reached(&walk, last, to);
                for (place, (moment, _, _)) in looked_at(&walk) {
                    // The walk is shorter than a week, so the slot comes once.
                    assert_eq!(
                        slot.holds(&zone, *moment),
                        (begins..ends).contains(&place),
                        "{name}: {slot} of {date} at {}",
                        moment.to_zoned(zone.clone())
                    );
                }
            }
        }
    }
    assert_eq!(changed, CHANGES.len(), "each walk crosses a change");
}

#[test]
fn slots_that_touch_share_no_minute_and_leave_none_out_in_any_night() {
    for cuts in [
        vec![0, 120, 150, 180, 360, 1320],
        vec![
            0, 30, 60, 90, 120, 121, 122, 149, 179, 180, 1380, 1410, 1439,
        ],
        vec![375, 1335],
    ] {
        let mut slots = Vec::new();
        for day in Day::ALL {
            let mut froms = cuts.clone();
            froms.sort_unstable();
            for (place, from) in froms.iter().enumerate() {
                let to = froms.get(place + 1).or_else(|| froms.first()).unwrap();
                let to = if *to == 0 { DAY } else { *to };
                slots.push(Slot {
                    day,
                    from: WallTime(*from),
                    to: WallTime(to),
                });
            }
        }
        assert_eq!(first_overlap(&slots), None);
        for (name, day) in CHANGES {
            let zone = zone(name);
            for (_, (moment, _, _)) in looked_at(&walk(&zone, day)).step_by(7) {
                let holding: Vec<String> = slots
                    .iter()
                    .filter(|slot| slot.holds(&zone, *moment))
                    .map(Slot::to_string)
                    .collect();
                assert_eq!(holding.len(), 1, "{name} {moment}: {holding:?}");
            }
        }
    }
}

#[test]
fn a_night_shift_lasts_as_long_as_the_night() {
    let berlin = zone("Europe/Berlin");
    for (moment, hours) in [
        ("2026-03-28T23:00:00", 7),
        ("2026-10-24T23:00:00", 9),
        ("2026-11-28T23:00:00", 8),
    ] {
        let shift = slot("sat 22:00-06:00").shift_at(&berlin, at(&berlin, moment));
        let shift = shift.unwrap();
        let lasts = shift.ends.duration_since(shift.begins);
        assert_eq!(lasts.as_hours(), hours, "{moment}");
    }
}

#[test]
fn the_next_shift_is_told_past_days_that_are_closed() {
    let berlin = zone("Europe/Berlin");
    let slots = Slot::parse("mon-fri 08:00-17:00").unwrap();
    let next = |moment: &str, closed: &dyn Fn(Date) -> bool| {
        next_shift(&slots, &berlin, at(&berlin, moment), closed)
            .map(|shift| shift.begins.to_zoned(berlin.clone()).datetime().to_string())
    };
    let open = |_: Date| false;
    for (moment, expected) in [
        ("2026-11-30T07:59:00", "2026-11-30T08:00:00"),
        ("2026-11-30T08:00:00", "2026-12-01T08:00:00"),
        ("2026-11-28T12:00:00", "2026-11-30T08:00:00"),
    ] {
        assert_eq!(next(moment, &open).as_deref(), Some(expected), "{moment}");
    }
    let christmas = |day: Date| day == date(2026, 12, 24) || day == date(2026, 12, 25);
    assert_eq!(
        next("2026-12-23T18:00:00", &christmas).as_deref(),
        Some("2026-12-28T08:00:00")
    );
    assert_eq!(next("2026-12-23T18:00:00", &|_| true), None);
}
