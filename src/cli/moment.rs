//! Moments as a person types them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads a moment: in UTC or with an offset as it is written, else a date, with or without a time of day, in the
/// system's time zone. A date alone is the beginning of its day.
///
/// # Errors
///
/// A sentence with examples.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    in_zone(text.trim(), TimeZone::system())
}

fn in_zone(text: &str, zone: TimeZone) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    // An hour that a change of the clocks takes out or repeats is the one that was meant before it.
    let local = text.parse::<DateTime>();
    let local = local.and_then(|local| local.to_zoned(zone));
    local.map(|local| local.timestamp()).map_err(|_unreadable| {
        "write a date such as 2026-12-24, a time of a day such as 2026-12-24T18:00, or a moment such as \
         2026-12-24T18:00:00Z"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_and_a_time_of_day_are_those_of_the_wall_and_a_moment_is_itself() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        for (text, moment) in [
            ("2026-12-24", "2026-12-23T23:00:00Z"),
            ("2026-07-24", "2026-07-23T22:00:00Z"),
            ("2026-12-24T18:00", "2026-12-24T17:00:00Z"),
            ("2026-12-24 18:00:30", "2026-12-24T17:00:30Z"),
            ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"),
            ("2026-12-24T18:00:00+05:00", "2026-12-24T13:00:00Z"),
            // The clocks go from two to three.
            ("2026-03-29T02:30", "2026-03-29T01:30:00Z"),
        ] {
            let read = in_zone(text, berlin.clone()).unwrap();
            assert_eq!(read, moment.parse::<Timestamp>().unwrap(), "{text}");
        }
        for text in ["", "yesterday", "24.12.2026", "18:00", "2026-13-01"] {
            let error = in_zone(text, berlin.clone()).unwrap_err();
            assert!(error.contains("such as 2026-12-24"), "{text}: {error}");
        }
    }
}
