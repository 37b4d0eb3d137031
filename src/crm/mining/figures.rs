//! Figures that look like phone numbers and are none: dates, times, amounts, addresses of machines,
//! bank accounts, links.

use std::ops::Range;

use crate::crm::mining::numbers::Group;

/// Finds the parts of a line in which no phone number is looked for: links, e-mail addresses, paths
/// and bank account numbers.
pub(super) fn closed_parts(line: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut place = 0;
    for word in line.split(char::is_whitespace) {
        let start = place;
        // One separator is removed between two words, and may have several bytes.
        place += word.len();
        place += line
            .get(place..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8);
        if is_link(word) {
            parts.push(start..start + word.len());
        }
    }
    parts.extend(account_numbers(line));
    parts
}

/// Whether three groups at the beginning are a date (with `.`, `-` or `/`), whatever the order of its
/// parts; `before` is what stands between the group before and the first one.
pub(super) fn begins_with_date(groups: &[Group], before: &str) -> bool {
    let [first, second, third, rest @ ..] = groups else {
        return false;
    };
    let separator = second.gap.trim();
    let is_separator = matches!(separator, "." | "-" | "/" | "‐" | "‑" | "–" | "／");
    let goes_on = rest
        .first()
        .is_some_and(|next| next.gap.trim() == separator);
    if !is_separator || third.gap.trim() != separator || goes_on || before.trim() == separator {
        return false;
    }
    let value = |group: &Group| group.digits.parse::<u32>().unwrap_or(u32::MAX);
    let short = |group: &Group| group.digits.len() <= 2;
    let year = |group: &Group| {
        group.digits.len() == 2
            || (group.digits.len() == 4 && (1900..=2100).contains(&value(group)))
    };
    let day_and_month = |one: &Group, other: &Group| {
        let (one_value, other_value) = (value(one), value(other));
        short(one)
            && short(other)
            && one_value >= 1
            && other_value >= 1
            && one_value.min(other_value) <= 12
            && one_value.max(other_value) <= 31
    };
    (day_and_month(first, second) && year(third))
        || (first.digits.len() == 4 && year(first) && day_and_month(second, third))
}

/// Whether groups are no number to call, by their form alone.
pub(super) fn is_other_figure(groups: &[Group]) -> bool {
    is_machine_address(groups) || are_years(groups) || are_times(groups) || is_price(groups)
}

/// Whether groups have the form of an amount with dots between the thousands; some countries write
/// their numbers so too.
pub(super) fn has_thousands(groups: &[Group]) -> bool {
    let [first, rest @ ..] = groups else {
        return false;
    };
    !rest.is_empty()
        && (1..=3).contains(&first.digits.len())
        && !first.digits.starts_with('0')
        && rest
            .iter()
            .all(|group| group.gap == "." && group.digits.len() == 3)
}

/// Four groups up to 255 with dots between them (RFC 791).
fn is_machine_address(groups: &[Group]) -> bool {
    let [first, rest @ ..] = groups else {
        return false;
    };
    let octet = |group: &Group| {
        let plain = group.digits.len() == 1 || !group.digits.starts_with('0');
        plain && group.digits.len() <= 3 && group.digits.parse::<u8>().is_ok()
    };
    rest.len() == 3 && octet(first) && rest.iter().all(|group| group.gap == "." && octet(group))
}

/// `2019 - 2024`.
fn are_years(groups: &[Group]) -> bool {
    let year = |group: &Group| {
        group.digits.len() == 4
            && group
                .digits
                .parse::<u32>()
                .is_ok_and(|year| (1900..=2100).contains(&year))
    };
    groups.len() == 2 && groups.iter().all(year)
}

/// `8.00 - 17.30`.
fn are_times(groups: &[Group]) -> bool {
    let [one, two, three, four] = groups else {
        return false;
    };
    let time = |hour: &Group, minute: &Group| {
        minute.gap == "."
            && hour.digits.len() <= 2
            && minute.digits.len() == 2
            && hour.digits.parse::<u32>().is_ok_and(|hour| hour <= 24)
            && minute.digits.parse::<u32>().is_ok_and(|minute| minute < 60)
    };
    let dash = three.gap.trim();
    matches!(dash, "-" | "‐" | "‑" | "–" | "—") && time(one, two) && time(three, four)
}

/// `1234567.89`.
fn is_price(groups: &[Group]) -> bool {
    match groups {
        [whole, cents] => cents.gap == "." && cents.digits.len() <= 2 && whole.digits.len() > 3,
        _ => false,
    }
}

fn is_link(word: &str) -> bool {
    let bare = word.trim_start_matches(['<', '(', '[', '"', '\'']);
    // A link to a number is one.
    let to_number = ["tel:", "callto:"].iter().any(|scheme| {
        bare.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    if to_number {
        return false;
    }
    let lower = bare.to_ascii_lowercase();
    bare.contains("://")
        || bare.contains('@')
        || bare.contains('\\')
        || lower.starts_with("www.")
        || lower.starts_with("urn:")
        || domain_and_path(&lower)
}

/// `example.com/4930123456`.
fn domain_and_path(word: &str) -> bool {
    let Some((host, _)) = word.split_once('/') else {
        return false;
    };
    host.rsplit_once('.').is_some_and(|(name, top)| {
        top.len() >= 2
            && top.bytes().all(|byte| byte.is_ascii_alphabetic())
            && name.bytes().any(|byte| byte.is_ascii_alphabetic())
            // "Tel.Fax/0301234567" names no host.
            && !matches!(name, "tel" | "fon" | "mob" | "telefon")
    })
}

/// Bank account numbers (ISO 13616): two letters, two digits, then 11 to 30 letters and digits, in
/// groups of four or none.
fn account_numbers(line: &str) -> Vec<Range<usize>> {
    let bytes = line.as_bytes();
    let mut found = Vec::new();
    let mut place = 0;
    while let Some([one, two, three, four]) = bytes.get(place..).and_then(|rest| rest.first_chunk())
    {
        let begins = one.is_ascii_uppercase()
            && two.is_ascii_uppercase()
            && three.is_ascii_digit()
            && four.is_ascii_digit();
        let alone = place == 0
            || bytes
                .get(place - 1)
                .is_some_and(|before| !before.is_ascii_alphanumeric());
        if !begins || !alone {
            place += 1;
            continue;
        }
        let mut end = place + 4;
        let mut counted = 0;
        let mut ahead = end;
        while let Some(&byte) = bytes.get(ahead) {
            let blank = byte == b' ' && bytes.get(ahead + 1).is_some_and(u8::is_ascii_alphanumeric);
            if byte.is_ascii_uppercase() || byte.is_ascii_digit() {
                counted += 1;
                end = ahead + 1;
            } else if !blank || counted > 30 {
                break;
            }
            ahead += 1;
        }
        if counted >= 11 {
            found.push(place..end);
        }
        place = end;
    }
    found
}
