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
mod tests;
