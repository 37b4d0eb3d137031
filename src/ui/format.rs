//! Times, lengths and figures as a person reads them.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use crate::base::phone_number::PhoneNumber;
use crate::config::validate::Problem;
use crate::control::{QualityView, Snapshot};
use crate::crm::row::NumberProof;

use super::{locale, text};

/// When a call was: minutes for the last hour, the time for today and yesterday, else the date.
pub(crate) fn when(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let seconds = now.duration_since(at).as_secs();
    if (0..60).contains(&seconds) {
        return text::JUST_NOW.to_owned();
    }
    if (60..3600).contains(&seconds) {
        return text::minutes_ago(seconds / 60);
    }
    let locale = locale::current();
    let (then, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    if then.date() == today.date() {
        return text::today_at(&locale.time(&then));
    }
    if today.date().yesterday().is_ok_and(|day| day == then.date()) {
        return text::yesterday_at(&locale.time(&then));
    }
    if then.year() == today.year() {
        locale.weekday(&then)
    } else {
        locale.date(then.date())
    }
}

/// The same inside of a sentence.
pub(crate) fn when_inside(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let told = when(at, now, zone);
    for word in [text::TODAY, text::YESTERDAY] {
        if let Some(rest) = told.strip_prefix(word) {
            return format!("{}{rest}", word.to_lowercase());
        }
    }
    told
}

/// The same in one word: minutes, the time, or the date.
pub(crate) fn when_briefly(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let seconds = now.duration_since(at).as_secs();
    if (0..3600).contains(&seconds) {
        return text::minutes(seconds / 60);
    }
    let locale = locale::current();
    let (then, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    if then.date() == today.date() {
        return locale.time(&then);
    }
    if today.date().yesterday().is_ok_and(|day| day == then.date()) {
        return text::YESTERDAY.to_owned();
    }
    if then.year() == today.year() {
        locale.day(&then)
    } else {
        locale.month(&then)
    }
}

/// The exact moment: date, time and zone.
pub(crate) fn exactly(at: Timestamp, zone: &TimeZone) -> String {
    locale::current().exactly(&at.to_zoned(zone.clone()))
}

/// `03:47`, from an hour on `1:02:33`.
pub(crate) fn clock(length: Duration) -> String {
    let seconds = length.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// The same from the store's milliseconds; a dash for none.
pub(crate) fn length(millis: Option<i64>) -> String {
    match millis.and_then(|millis| u64::try_from(millis).ok()) {
        Some(millis) => clock(Duration::from_millis(millis)),
        None => text::NONE.to_owned(),
    }
}

/// Codec and measured figures, or that they are unknown.
pub(crate) fn quality(codec: Option<&str>, quality: Option<QualityView>) -> String {
    let codec = match codec {
        Some("opus") => "Opus".to_owned(),
        Some(name) => name.to_ascii_uppercase(),
        None => return text::NO_MEDIA.to_owned(),
    };
    match quality {
        Some(QualityView {
            loss: Some(loss),
            jitter_millis: Some(jitter),
            ..
        }) => text::measured(&codec, loss.clamp(0.0, 1.0) * 100.0, jitter.max(0.0)),
        Some(_) | None => text::unmeasured(&codec),
    }
}

/// A number as a person reads it; an address without its scheme.
pub(crate) fn number(signalled: &str, snapshot: &Snapshot) -> String {
    if signalled.contains('@') {
        return bare_address(signalled).to_owned();
    }
    let region = snapshot
        .accounts
        .first()
        .map_or(snapshot.settings.region.as_str(), |view| {
            view.account.dial_plan.region.as_str()
        });
    PhoneNumber::parse(signalled, region).display()
}

/// An address without its scheme, as a person reads it.
pub(crate) fn bare_address(address: &str) -> &str {
    ["sips:", "sip:", "tel:"]
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme))
        .unwrap_or(address)
}

/// A message of the engine as a sentence: with a capital letter, unless it begins with an address or
/// another word that has its own spelling.
pub(crate) fn sentence(message: &str) -> String {
    let word = message.split_whitespace().next().unwrap_or_default();
    let plain = word.trim_end_matches([',', ':', ';']);
    let mut letters = message.chars();
    match letters.next() {
        Some(first) if first.is_lowercase() && plain.chars().all(char::is_lowercase) => {
            first.to_uppercase().chain(letters).collect()
        }
        Some(_) | None => message.to_owned(),
    }
}

/// What is wrong with a setting, with the names that the window has for settings.
pub(crate) fn problem(problem: &Problem) -> String {
    let words = problem.to_string();
    let named = text::SETTING_NAMES
        .iter()
        .find_map(|(key, name)| Some(format!("{name}{}", words.strip_prefix(key)?)));
    sentence(&named.unwrap_or(words)) + "."
}

/// Up to two letters for an avatar; none when the name begins with no letter.
pub(crate) fn initials(name: &str) -> Option<String> {
    let mut words = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()));
    let first = words.next().filter(|letter| letter.is_alphabetic())?;
    let ideograph =
        ('\u{2e80}'..='\u{9fff}').contains(&first) || ('\u{ac00}'..='\u{d7a3}').contains(&first);
    let last = words
        .next_back()
        .filter(|letter| letter.is_alphabetic() && !ideograph);
    let mut letters: String = first.to_uppercase().collect();
    if let Some(last) = last {
        letters.extend(last.to_uppercase());
    }
    Some(letters)
}

/// What the network claims of the number; that nobody proved it is no news.
pub(crate) fn number_proof(claim: Option<NumberProof>) -> Option<&'static str> {
    match claim? {
        NumberProof::Passed => Some(text::NUMBER_PROVEN),
        NumberProof::Failed => Some(text::NUMBER_FORGED),
        NumberProof::None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_is_told_as_a_person_would() {
        let now = at("2025-11-21T15:00:00Z");
        for (then, told) in [
            ("2025-11-21T14:59:30Z", "just now"),
            ("2025-11-21T14:58:00Z", "2 min ago"),
            ("2025-11-21T13:00:00Z", "Today 13:00"),
            ("2025-11-20T23:59:00Z", "Yesterday 23:59"),
            ("2025-11-17T10:00:00Z", "Mon 17 Nov"),
            ("2024-11-03T10:00:00Z", "3 Nov 2024"),
            ("2025-11-21T15:20:00Z", "Today 15:20"),
        ] {
            assert_eq!(when(at(then), now, &TimeZone::UTC), told);
        }
        for (then, told) in [
            ("2025-11-21T13:00:00Z", "today 13:00"),
            ("2025-11-20T23:59:00Z", "yesterday 23:59"),
            ("2025-11-17T10:00:00Z", "Mon 17 Nov"),
        ] {
            assert_eq!(when_inside(at(then), now, &TimeZone::UTC), told);
        }
    }

    #[test]
    fn lengths_have_hours_only_when_needed() {
        assert_eq!(clock(Duration::from_secs(227)), "03:47");
        assert_eq!(clock(Duration::from_secs(3753)), "1:02:33");
        assert_eq!(length(Some(34_999)), "00:34");
        assert_eq!(length(None), "–");
        assert_eq!(length(Some(-1)), "–");
    }

    #[test]
    fn quality_is_measured_or_unknown_and_never_invented() {
        assert_eq!(quality(None, None), "no sound yet");
        assert_eq!(quality(Some("pcmu"), None), "PCMU · quality unknown");
        let measured = QualityView {
            loss: Some(0.012),
            jitter_millis: Some(3.6),
            ..QualityView::default()
        };
        let unmeasured = quality(Some("opus"), Some(QualityView::default()));
        assert_eq!(unmeasured, "Opus · quality unknown");
        assert_eq!(
            quality(Some("opus"), Some(measured)),
            "Opus · loss 1.2 % · jitter 4 ms"
        );
    }

    #[test]
    fn a_message_becomes_a_sentence_but_an_address_keeps_its_spelling() {
        for (message, told) in [
            ("you hung up", "You hung up"),
            ("sip:a@b is no number", "sip:a@b is no number"),
            ("e164 is missing", "e164 is missing"),
            ("Busy", "Busy"),
            ("", ""),
        ] {
            assert_eq!(sentence(message), told);
        }
    }

    #[test]
    fn initials_are_letters_of_the_first_and_the_last_word() {
        for (name, letters) in [
            ("Amelia Hart", Some("AH")),
            ("jürgen von der Weiß", Some("JW")),
            ("王小明", Some("王")),
            ("Σοφία Παππά", Some("ΣΠ")),
            ("+49 30 901820", None),
            ("", None),
        ] {
            assert_eq!(initials(name).as_deref(), letters, "{name}");
        }
    }
}
