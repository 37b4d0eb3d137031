//! When somebody is scheduled: weekdays and times of a wall clock, also over midnight and over a
//! change of the clocks. Pure: the zone and the moment are arguments.
//!
//! A time of day becomes a moment by one rule: it is the first moment at which the wall clock shows
//! that time or a later one. So a time that is skipped in spring is the moment of the change, one that
//! comes twice in autumn is the first of the two, and slots that touch neither leave a minute out nor
//! share one, in whatever night.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday, time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::{Deserialize, Serialize};

/// The minutes of a day on the wall clock.
const DAY: u16 = 24 * 60;
/// The minutes of a week.
const WEEK: u32 = 7 * DAY as u32;
/// So many days ahead the next slot is looked for: past a fortnight of holidays.
const LOOK_AHEAD: usize = 22;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// All of them, from Monday as in ISO 8601.
    pub const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    /// The word in the store and on the command line, such as `mon`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }

    /// The name that a person reads.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mon => "Monday",
            Self::Tue => "Tuesday",
            Self::Wed => "Wednesday",
            Self::Thu => "Thursday",
            Self::Fri => "Friday",
            Self::Sat => "Saturday",
            Self::Sun => "Sunday",
        }
    }

    /// Reads the word of [`Self::as_str`] or of [`Self::name`].
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|day| day.as_str() == word || day.name().eq_ignore_ascii_case(&word))
    }

    /// The day of a date.
    pub fn of(date: Date) -> Self {
        match date.weekday() {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// A time of a wall clock, to the minute: 00:00 to 24:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct WallTime(u16);

impl WallTime {
    /// Midnight at the end of the day.
    pub const END: Self = Self(DAY);

    /// So many minutes after midnight, 1440 at most.
    pub fn of_minutes(minutes: u16) -> Option<Self> {
        (minutes <= DAY).then_some(Self(minutes))
    }

    /// Minutes since midnight, 0 to 1440.
    pub fn minutes(self) -> u16 {
        self.0
    }

    /// Reads `8:00`, `17:30` or `24:00`.
    ///
    /// # Errors
    ///
    /// A sentence when it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = |text: &str| {
            let sound = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            sound.then(|| text.parse::<u16>().ok()).flatten()
        };
        text.trim()
            .split_once(':')
            .and_then(|(hour, minute)| {
                let minute = digits(minute).filter(|it| *it < 60 && minute.len() == 2)?;
                Self::of_minutes(digits(hour)? * 60 + minute)
            })
            .ok_or_else(|| format!("\"{text}\" is no time of day; write 08:00 to 24:00"))
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl From<WallTime> for String {
    fn from(time: WallTime) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for WallTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

/// A part of a week: from a time of one day, to a time of that day or of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot {
    /// The day on which it begins.
    pub day: Day,
    /// When it begins; that minute is in it.
    pub from: WallTime,
    /// When it ends, on the next day when that is before `from`; that minute is not in it.
    pub to: WallTime,
}

/// A slot on a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// The date on which it begins by the wall clock.
    pub date: Date,
    /// When it begins.
    pub begins: Timestamp,
    /// When it ends; no longer in it.
    pub ends: Timestamp,
}

impl Slot {
    /// A slot of one day.
    ///
    /// # Errors
    ///
    /// A sentence when it holds no minute.
    pub fn new(day: Day, from: WallTime, to: WallTime) -> Result<Self, String> {
        // 00:00 as an end is the midnight that follows, however it is written.
        let to = if to.0 == 0 { WallTime::END } else { to };
        if from == to {
            return Err(format!(
                "a slot from {from} to {to} is empty; write 00:00-24:00 for a whole day"
            ));
        }
        if from == WallTime::END {
            return Err(
                "a slot cannot begin at 24:00; let it begin at 00:00 of the next day".into(),
            );
        }
        Ok(Self { day, from, to })
    }

    /// Reads `mon-fri 08:00-17:00`, `sat,sun 22:00-06:00` or `daily 00:00-24:00`: one slot for each
    /// day.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Vec<Self>, String> {
        let shape = || format!("\"{text}\" is no slot; write for example mon-fri 08:00-17:00");
        let (days, times) = text
            .trim()
            .split_once(char::is_whitespace)
            .ok_or_else(shape)?;
        let (from, to) = times.trim().split_once('-').ok_or_else(shape)?;
        let (from, to) = (WallTime::parse(from)?, WallTime::parse(to)?);
        days_of(days)?
            .into_iter()
            .map(|day| Self::new(day, from, to))
            .collect()
    }

    /// The shift in which a moment lies.
    pub fn shift_at(&self, zone: &TimeZone, now: Timestamp) -> Option<Shift> {
        let today = zone.to_datetime(now).date();
        // Yesterday's may last; and where clocks are set back over midnight, tomorrow's began already.
        [today.yesterday().ok(), Some(today), today.tomorrow().ok()]
            .into_iter()
            .flatten()
            .filter_map(|date| self.shift_of(zone, date))
            .find(|shift| (shift.begins..shift.ends).contains(&now))
    }

    /// Whether a moment lies in it.
    pub fn holds(&self, zone: &TimeZone, now: Timestamp) -> bool {
        self.shift_at(zone, now).is_some()
    }

    /// The slot on a date, where it is of that day and a minute of it is left by the clocks.
    fn shift_of(&self, zone: &TimeZone, date: Date) -> Option<Shift> {
        if Day::of(date) != self.day {
            return None;
        }
        let last = if self.to > self.from {
            date
        } else {
            date.tomorrow().ok()?
        };
        let begins = reached(zone, date, self.from)?;
        let ends = reached(zone, last, self.to)?;
        (begins < ends).then_some(Shift { date, begins, ends })
    }

    /// Its minutes in a week that goes round, first and length.
    fn in_week(self) -> (u32, u32) {
        let place = Day::ALL.into_iter().position(|day| day == self.day);
        let place = place.and_then(|place| u32::try_from(place).ok());
        let (from, to) = (u32::from(self.from.0), u32::from(self.to.0));
        let length = if to > from {
            to - from
        } else {
            to + u32::from(DAY) - from
        };
        (place.unwrap_or_default() * u32::from(DAY) + from, length)
    }

    fn overlaps(self, other: Self) -> bool {
        let ((one, length), (two, other_length)) = (self.in_week(), other.in_week());
        (two + WEEK - one) % WEEK < length || (one + WEEK - two) % WEEK < other_length
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}-{}", self.day.as_str(), self.from, self.to)
    }
}

/// The first two slots that share a minute; slots that touch do not.
pub fn first_overlap(slots: &[Slot]) -> Option<(Slot, Slot)> {
    slots.iter().enumerate().find_map(|(place, one)| {
        let later = slots.iter().skip(place + 1);
        let other = later.copied().find(|other| one.overlaps(*other))?;
        Some((*one, other))
    })
}

/// When the next of some slots begins, past a moment, on a date that is not closed.
pub fn next_shift(
    slots: &[Slot],
    zone: &TimeZone,
    now: Timestamp,
    closed: &dyn Fn(Date) -> bool,
) -> Option<Shift> {
    let today = zone.to_datetime(now).date();
    let dates = std::iter::successors(Some(today), |date| date.tomorrow().ok());
    dates
        .take(LOOK_AHEAD)
        .filter(|date| !closed(*date))
        .flat_map(|date| {
            slots
                .iter()
                .filter_map(move |slot| slot.shift_of(zone, date))
        })
        .filter(|shift| shift.begins > now)
        .min_by_key(|shift| shift.begins)
}

/// The first moment at which the wall clock shows that time of that date or a later one.
fn reached(zone: &TimeZone, date: Date, at: WallTime) -> Option<Timestamp> {
    let (date, minutes) = if at == WallTime::END {
        (date.tomorrow().ok()?, 0)
    } else {
        (date, at.0)
    };
    let (hour, minute) = (
        i8::try_from(minutes / 60).ok()?,
        i8::try_from(minutes % 60).ok()?,
    );
    let wall = zone.to_ambiguous_timestamp(date.to_datetime(time(hour, minute, 0, 0)));
    match wall.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
            wall.compatible().ok()
        }
        AmbiguousOffset::Gap { after, .. } => {
            // By the new offset it lies before the change, so that is the next one.
            let before = wall.earlier().ok()?;
            zone.following(before)
                .find(|change| change.offset() == after)
                .map(|change| change.timestamp())
        }
    }
}

/// Reads `mon`, `mon-fri`, `fri-mon`, `sat,sun` or `daily`.
fn days_of(text: &str) -> Result<Vec<Day>, String> {
    let day = |word: &str| {
        Day::parse(word).ok_or_else(|| {
            format!("\"{word}\" is no day; write mon, tue, wed, thu, fri, sat, sun or daily")
        })
    };
    if text.eq_ignore_ascii_case("daily") {
        return Ok(Day::ALL.to_vec());
    }
    let mut days = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            None => days.push(day(part)?),
            Some((first, last)) => {
                let (first, last) = (day(first)?, day(last)?);
                let round = Day::ALL.into_iter().cycle();
                let from_first = round.skip_while(|day| *day != first);
                for day in from_first.take(Day::ALL.len()) {
                    days.push(day);
                    if day == last {
                        break;
                    }
                }
            }
        }
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
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
                let minute = u16::try_from(wall.hour()).unwrap() * 60
                    + u16::try_from(wall.minute()).unwrap();
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
}
