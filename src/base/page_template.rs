//! Addresses of web pages with places for what is known of a call, such as
//! `https://crm.example/search?q={number}`.
//!
//! A name in braces stands for a fact. It is percent-encoded but for the unreserved characters of RFC 3986
//! section 2.3, so whatever a caller is called, it stays one part of the address. Host and port are written out:
//! no caller may choose whose page opens.

use std::fmt::Write as _;

/// An address that is longer, in bytes, no browser takes.
const LONGEST: usize = 2_000;

/// The names that may stand in braces.
pub const NAMES: [&str; 5] = ["number", "name", "contact", "call_id", "queue"];

/// What is known of a call; what is not is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallFacts {
    /// The far end's number in international form, else as it came.
    pub number: String,
    /// Who that is.
    pub name: String,
    /// The number of their record among the contacts.
    pub contact: String,
    /// The call.
    pub call_id: String,
    /// The queue that it is for.
    pub queue: String,
}

impl CallFacts {
    fn of(&self, name: &str) -> Option<&str> {
        Some(match name {
            "number" => &self.number,
            "name" => &self.name,
            "contact" => &self.contact,
            "call_id" => &self.call_id,
            "queue" => &self.queue,
            _ => return None,
        })
    }
}

/// Why an address cannot be used, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPage {
    /// It is no web page.
    #[error("the page {0} is none of the web: it must begin with https:// or http://")]
    Scheme(String),
    /// It has no host, or one with a place for a fact.
    #[error("the page {0} needs its host written out, such as https://crm.example/{{number}}")]
    Host(String),
    /// It has a name in braces that there is not.
    #[error(
        "the page {page} has {{{name}}}; there are {{number}}, {{name}}, {{contact}}, {{call_id}} and {{queue}}"
    )]
    Name {
        /// The page.
        page: String,
        /// The name.
        name: String,
    },
    /// It has a brace without its other half.
    #[error("the page {0} has a brace too many; write one as %7B or %7D")]
    Brace(String),
    /// It has a blank or a control character.
    #[error("the page {0:?} has a character that no address has; write a blank as %20")]
    Character(String),
    /// It is too long.
    #[error("the page is longer than {LONGEST} bytes")]
    TooLong,
}

/// Looks at the address of a page.
///
/// # Errors
///
/// Fails when it cannot be used.
pub fn check(page: &str) -> Result<(), NoPage> {
    if page.len() > LONGEST {
        return Err(NoPage::TooLong);
    }
    if page.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(NoPage::Character(page.to_owned()));
    }
    let (scheme, rest) = page
        .split_once("://")
        .ok_or_else(|| NoPage::Scheme(page.to_owned()))?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return Err(NoPage::Scheme(page.to_owned()));
    }
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if host.is_empty() || host.contains(['{', '}', '@']) {
        return Err(NoPage::Host(page.to_owned()));
    }
    for part in parts(rest) {
        match part {
            Part::Text(text) if text.contains(['{', '}']) => {
                return Err(NoPage::Brace(page.to_owned()));
            }
            Part::Name(name) if !NAMES.contains(&name) => {
                return Err(NoPage::Name {
                    page: page.to_owned(),
                    name: name.to_owned(),
                });
            }
            Part::Text(_) | Part::Name(_) => {}
        }
    }
    Ok(())
}

/// The address of a page for a call; none where it cannot be used.
pub fn page(template: &str, facts: &CallFacts) -> Option<String> {
    check(template).ok()?;
    Some(filled(template, facts, encoded))
}

/// A text for a call. Names that there are not stay as they are.
pub fn text(template: &str, facts: &CallFacts) -> String {
    filled(template, facts, str::to_owned)
}

fn filled(template: &str, facts: &CallFacts, write: fn(&str) -> String) -> String {
    let mut whole = String::new();
    for part in parts(template) {
        match part {
            Part::Text(text) => whole.push_str(text),
            Part::Name(name) => match facts.of(name) {
                Some(fact) => whole.push_str(&write(fact)),
                None => {
                    whole.push('{');
                    whole.push_str(name);
                    whole.push('}');
                }
            },
        }
    }
    whole
}

fn encoded(fact: &str) -> String {
    let mut whole = String::with_capacity(fact.len());
    for byte in fact.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                whole.push(byte.into());
            }
            // Writing to a string cannot fail.
            _ => drop(write!(whole, "%{byte:02X}")),
        }
    }
    whole
}

enum Part<'t> {
    Text(&'t str),
    Name(&'t str),
}

/// The parts of a template in their order; a brace that stands alone is text.
fn parts(template: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(behind) = rest.strip_prefix('{')
            && let Some((name, behind)) = behind.split_once('}')
        {
            rest = behind;
            return Some(Part::Name(name));
        }
        // Behind a brace that is none of a name.
        let begun = usize::from(rest.starts_with('{'));
        let (_, search) = rest.split_at_checked(begun)?;
        let end = search.find('{').map_or(rest.len(), |at| at + begun);
        let (text, behind) = rest.split_at_checked(end)?;
        rest = behind;
        Some(Part::Text(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> CallFacts {
        CallFacts {
            number: "+49301234567".to_owned(),
            name: "Jörg & \"Söhne\" <a/b?c#d>".to_owned(),
            contact: "12".to_owned(),
            call_id: "0192".to_owned(),
            queue: String::new(),
        }
    }

    #[test]
    fn each_fact_stays_one_part_of_the_address() {
        for (template, expected) in [
            (
                "https://crm.example/search?q={number}&id={call_id}",
                "https://crm.example/search?q=%2B49301234567&id=0192",
            ),
            (
                "http://crm.example:8080/{name}#{contact}{queue}",
                "http://crm.example:8080/J%C3%B6rg%20%26%20%22S%C3%B6hne%22%20%3Ca%2Fb%3Fc%23d%3E#12",
            ),
            ("HTTPS://crm.example", "HTTPS://crm.example"),
        ] {
            assert_eq!(check(template), Ok(()));
            assert_eq!(page(template, &facts()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn no_other_program_and_no_page_of_the_callers_choice_is_opened() {
        let says = |template: &str| {
            assert_eq!(page(template, &facts()), None, "{template}");
            check(template).unwrap_err().to_string()
        };
        for template in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "ftp://example.com/",
            "crm.example/{number}",
            "--help",
            "",
        ] {
            assert!(says(template).contains("must begin with"), "{template}");
        }
        for template in [
            "https://{name}/",
            "https://crm.{queue}.example/",
            "https:///{number}",
            "https://crm.example@evil.example/",
            "https://a{b\\@c",
        ] {
            assert!(says(template).contains("host written out"), "{template}");
        }
        assert!(says("https://crm.example/{phone}").contains("has {phone}"));
        assert!(says("https://crm.example/{number").contains("brace too many"));
        assert!(says("https://crm.example/number}").contains("brace too many"));
        assert!(says("https://crm.example/a b").contains("as %20"));
        assert!(says("https://crm.example/\r\nx").contains("no address has"));
        let long = format!("https://crm.example/{}", "a".repeat(LONGEST));
        assert!(says(&long).contains("longer than"));
    }

    #[test]
    fn a_text_names_the_caller_and_keeps_what_it_does_not_know() {
        let template = "Hello {name}, {greeting} {{number}} {";
        assert_eq!(
            text(template, &facts()),
            "Hello Jörg & \"Söhne\" <a/b?c#d>, {greeting} {{number}} {"
        );
        assert_eq!(text("", &facts()), "");
    }
}
