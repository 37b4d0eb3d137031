//! How times and numbers are written where the person is, by `LC_ALL`, `LC_TIME`, `LC_NUMERIC` and
//! `LANG` (POSIX.1-2017, 8.2). What each country does is from the Unicode CLDR, version 46.

use std::sync::OnceLock;

use jiff::Zoned;

/// The order of day, month and year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    DayMonthYear,
    MonthDayYear,
    YearMonthDay,
}

/// How times and numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Locale {
    /// Whether the day has twice twelve hours.
    twelve_hours: bool,
    order: Order,
    /// Before the fraction.
    decimal: char,
    /// Between the thousands.
    thousands: char,
}

/// As in international English: 24 hours, day before month, 1,234.5.
const PLAIN: Locale = Locale {
    twelve_hours: false,
    order: Order::DayMonthYear,
    decimal: '.',
    thousands: ',',
};

static CURRENT: OnceLock<Locale> = OnceLock::new();

/// That of this process, once [`Locale::adopt`] was called.
pub(crate) fn current() -> Locale {
    CURRENT.get().copied().unwrap_or(PLAIN)
}

/// Countries with twelve hours on the clock, whatever is spoken.
const TWELVE_HOURS: [&str; 18] = [
    "US", "AU", "NZ", "IN", "PH", "PK", "BD", "MY", "SG", "EG", "SA", "AE", "KW", "QA", "JO", "KR",
    "CO", "PR",
];
/// Languages that write the year first.
const YEAR_FIRST: [&str; 7] = ["sv", "hu", "lt", "ja", "zh", "ko", "eu"];
/// Languages with a comma before the fraction and a point between thousands.
const COMMA_AND_POINT: [&str; 21] = [
    "de", "es", "it", "nl", "pt", "tr", "da", "id", "vi", "el", "hr", "sr", "sl", "ro", "ca", "gl",
    "eu", "is", "mk", "bs", "az",
];
/// Languages with a comma before the fraction and a space between thousands.
const COMMA_AND_SPACE: [&str; 21] = [
    "fr", "ru", "uk", "pl", "cs", "sk", "bg", "hu", "fi", "sv", "nb", "nn", "no", "et", "lv", "lt",
    "be", "ka", "kk", "af", "sq",
];
/// Where Spanish is written with a point before the fraction.
const SPANISH_WITH_POINT: [&str; 9] = ["MX", "US", "PR", "GT", "HN", "NI", "PA", "SV", "DO"];

/// Language and country of a name such as `de_CH.UTF-8@euro`; none for `C` and `POSIX`.
fn parts(name: &str) -> Option<(&str, &str)> {
    let name = name.split(['.', '@']).next()?;
    if matches!(name, "" | "C" | "POSIX") {
        return None;
    }
    Some(name.split_once('_').unwrap_or((name, "")))
}

impl Locale {
    /// The locale of these names, for times and for numbers.
    pub(crate) fn of(time: &str, numeric: &str) -> Self {
        let mut locale = PLAIN;
        if let Some((language, country)) = parts(time) {
            let canadian = language == "en" && country == "CA";
            locale.twelve_hours = canadian || TWELVE_HOURS.contains(&country);
            locale.order = if canadian || matches!(country, "US" | "PH" | "PR") {
                Order::MonthDayYear
            } else if YEAR_FIRST.contains(&language) || (language == "fr" && country == "CA") {
                Order::YearMonthDay
            } else {
                Order::DayMonthYear
            };
        }
        if let Some((language, country)) = parts(numeric) {
            (locale.decimal, locale.thousands) = match (language, country) {
                ("de" | "it", "CH" | "LI") => ('.', '’'),
                ("es", country) if SPANISH_WITH_POINT.contains(&country) => ('.', ','),
                ("de", "AT") | ("pt", "PT") => (',', '\u{a0}'),
                (language, _) if COMMA_AND_POINT.contains(&language) => (',', '.'),
                (language, _) if COMMA_AND_SPACE.contains(&language) => (',', '\u{a0}'),
                _ => ('.', ','),
            };
        }
        locale
    }

    /// What the process was started with: of each kind the first that is set and not empty.
    fn started_with(variable: impl Fn(&str) -> Option<String>) -> Self {
        let name = |kind: &str| {
            let mut values = ["LC_ALL", kind, "LANG"].into_iter().filter_map(&variable);
            values.find(|value| !value.is_empty()).unwrap_or_default()
        };
        Self::of(&name("LC_TIME"), &name("LC_NUMERIC"))
    }

    /// Makes that of the environment the one of this process; before the first frame.
    pub(crate) fn adopt() {
        CURRENT.get_or_init(|| Self::started_with(|name| std::env::var(name).ok()));
    }

    /// Hours and minutes.
    pub(crate) fn time(self, at: &Zoned) -> String {
        let form = if self.twelve_hours {
            "%-I:%M %p"
        } else {
            "%H:%M"
        };
        at.strftime(form).to_string()
    }

    /// A full hour, on an axis.
    pub(crate) fn hour(self, hour: u8) -> String {
        match (self.twelve_hours, hour % 24) {
            (false, hour) => format!("{hour:02}:00"),
            (true, 0) => "12 AM".to_owned(),
            (true, 12) => "12 PM".to_owned(),
            (true, hour) if hour < 12 => format!("{hour} AM"),
            (true, hour) => format!("{} PM", hour - 12),
        }
    }

    /// Day and month.
    pub(crate) fn day(self, at: &Zoned) -> String {
        let form = match self.order {
            Order::DayMonthYear => "%-d %b",
            Order::MonthDayYear | Order::YearMonthDay => "%b %-d",
        };
        at.strftime(form).to_string()
    }

    /// Day of the week, day and month.
    pub(crate) fn weekday(self, at: &Zoned) -> String {
        format!("{} {}", at.strftime("%a"), self.day(at))
    }

    /// Month and year.
    pub(crate) fn month(self, at: &Zoned) -> String {
        let form = match self.order {
            Order::YearMonthDay => "%Y-%m",
            Order::DayMonthYear | Order::MonthDayYear => "%b %Y",
        };
        at.strftime(form).to_string()
    }

    /// Day, month and year.
    pub(crate) fn date(self, at: jiff::civil::Date) -> String {
        let form = match self.order {
            Order::DayMonthYear => "%-d %b %Y",
            Order::MonthDayYear => "%b %-d, %Y",
            Order::YearMonthDay => "%Y-%m-%d",
        };
        at.strftime(form).to_string()
    }

    /// Day of the week, day, month and year.
    pub(crate) fn full_date(self, at: jiff::civil::Date) -> String {
        format!("{} {}", at.strftime("%a"), self.date(at))
    }

    /// Everything, to the second.
    pub(crate) fn exactly(self, at: &Zoned) -> String {
        let time = if self.twelve_hours {
            "%-I:%M:%S %p"
        } else {
            "%H:%M:%S"
        };
        format!("{}, {}", self.full_date(at.date()), at.strftime(time))
    }

    /// A number with so many digits behind the point.
    pub(crate) fn decimal(self, value: f64, places: usize) -> String {
        format!("{value:.places$}").replace('.', self.decimal.encode_utf8(&mut [0; 4]))
    }

    /// A count with its thousands apart.
    pub(crate) fn count(self, count: u64) -> String {
        let digits = count.to_string();
        let mut grouped = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                grouped.push(self.thousands);
            }
            grouped.push(digit);
        }
        grouped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str) -> [String; 5] {
        let at = "2025-11-17T15:04:05+00:00[UTC]".parse().unwrap();
        let locale = Locale::of(name, name);
        [
            locale.time(&at),
            locale.weekday(&at),
            locale.exactly(&at),
            locale.decimal(1234.56, 1),
            locale.count(1_234_567),
        ]
    }

    #[test]
    fn each_country_writes_times_and_numbers_in_its_way() {
        for (name, expected) in [
            (
                "",
                [
                    "15:04",
                    "Mon 17 Nov",
                    "Mon 17 Nov 2025, 15:04:05",
                    "1234.6",
                    "1,234,567",
                ],
            ),
            (
                "en_US.UTF-8",
                [
                    "3:04 PM",
                    "Mon Nov 17",
                    "Mon Nov 17, 2025, 3:04:05 PM",
                    "1234.6",
                    "1,234,567",
                ],
            ),
            (
                "en_GB.UTF-8",
                [
                    "15:04",
                    "Mon 17 Nov",
                    "Mon 17 Nov 2025, 15:04:05",
                    "1234.6",
                    "1,234,567",
                ],
            ),
            (
                "de_DE.UTF-8@euro",
                [
                    "15:04",
                    "Mon 17 Nov",
                    "Mon 17 Nov 2025, 15:04:05",
                    "1234,6",
                    "1.234.567",
                ],
            ),
            (
                "sv_SE",
                [
                    "15:04",
                    "Mon Nov 17",
                    "Mon 2025-11-17, 15:04:05",
                    "1234,6",
                    "1\u{a0}234\u{a0}567",
                ],
            ),
            (
                "de_CH.utf8",
                [
                    "15:04",
                    "Mon 17 Nov",
                    "Mon 17 Nov 2025, 15:04:05",
                    "1234.6",
                    "1’234’567",
                ],
            ),
        ] {
            assert_eq!(told(name), expected, "{name}");
        }
    }

    #[test]
    fn the_variable_for_all_goes_before_that_of_the_kind_and_that_before_the_language() {
        let with = |set: &[(&str, &str)]| {
            let set = set.to_vec();
            Locale::started_with(|name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let mixed = with(&[("LANG", "de_DE"), ("LC_TIME", "en_US"), ("LC_ALL", "")]);
        assert_eq!(mixed, Locale::of("en_US", "de_DE"));
        let all = with(&[
            ("LC_ALL", "C.UTF-8"),
            ("LC_TIME", "en_US"),
            ("LANG", "de_DE"),
        ]);
        assert_eq!(all, PLAIN);
        assert_eq!(with(&[]), PLAIN);
    }

    #[test]
    fn noon_and_midnight_are_twelve_on_a_clock_of_twelve_hours() {
        let american = Locale::of("en_US", "");
        assert_eq!(
            [0, 9, 12, 23].map(|hour| american.hour(hour)),
            ["12 AM", "9 AM", "12 PM", "11 PM"]
        );
        assert_eq!(PLAIN.hour(9), "09:00");
    }
}
