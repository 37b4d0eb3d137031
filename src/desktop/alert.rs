//! What a notification says of a call: pure. Names and numbers come from strangers, so nothing in them
//! may act as markup or turn the reading direction.

use crate::base::clean_text::clean_line;
use crate::control::CallView;
use crate::ui::{person, text};

/// So many characters of a line are shown.
const LONGEST: usize = 120;

/// How many missed calls are named in one notification.
const NAMED: usize = 4;

/// The text of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alert {
    /// One line, never markup.
    pub(super) summary: String,
    /// Further lines, not escaped yet.
    pub(super) body: Vec<String>,
}

impl Alert {
    /// Of a call that rings. A locked screen is anybody's: then nobody is named.
    pub(super) fn ringing(call: &CallView, locked: bool) -> Self {
        if locked {
            return Self {
                summary: text::INCOMING.to_owned(),
                body: Vec::new(),
            };
        }
        let who = person::of_call(call);
        let via = call.diverted_from.as_deref().map(text::via);
        let lines = [who.second, who.third, via];
        Self {
            summary: text::incoming_from(&line(&who.title)),
            body: lines
                .into_iter()
                .flatten()
                .map(|words| line(&words))
                .filter(|words| !words.is_empty())
                .collect(),
        }
    }

    /// Of missed calls, the last one last.
    pub(super) fn missed(callers: &[String], locked: bool) -> Self {
        let summary = match callers {
            [_one] if locked => text::MISSED_CALL.to_owned(),
            [one] => text::missed_from(one),
            several => text::missed_calls(several.len()),
        };
        let body = if locked || callers.len() < 2 {
            Vec::new()
        } else {
            callers.iter().rev().take(NAMED).cloned().collect()
        };
        Self { summary, body }
    }

    /// The body for a daemon that reads markup in it, or not.
    pub(super) fn body_text(&self, markup: bool) -> String {
        let body = self.body.join("\n");
        if markup { escaped(&body) } else { body }
    }
}

/// Who called in vain: the name where it is sure, else the number.
pub(super) fn caller(call: &CallView) -> String {
    line(&person::of_call(call).title)
}

/// One line as it may be shown.
fn line(words: &str) -> String {
    let clean = clean_line(words);
    if clean.chars().count() <= LONGEST {
        return clean;
    }
    let mut short: String = clean.chars().take(LONGEST - 1).collect();
    short.push('…');
    short
}

/// What the body's markup would take for itself (Desktop Notifications 1.2, Markup).
fn escaped(words: &str) -> String {
    let mut escaped = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desktop::tests::call;

    #[test]
    fn markup_overrides_and_controls_of_a_name_do_nothing() {
        let mut ringing = call();
        ringing.remote_name = Some("<b>\u{202e}knaB\u{202c}</b> & Co\u{7}\n<a href=x>".to_owned());
        let alert = Alert::ringing(&ringing, false);
        assert_eq!(alert.summary, "Incoming call: +49 30 12345678");
        let claim = alert.body.last().unwrap();
        assert_eq!(claim, "calls itself “<b>knaB</b> & Co <a href=x>”");
        let escaped = "calls itself “&lt;b&gt;knaB&lt;/b&gt; &amp; Co &lt;a href=x&gt;”";
        assert!(alert.body_text(true).ends_with(escaped), "{alert:?}");
        assert!(alert.body_text(false).ends_with(claim), "{alert:?}");
    }

    #[test]
    fn a_locked_screen_names_nobody() {
        let alert = Alert::ringing(&call(), true);
        assert_eq!(alert.summary, "Incoming call");
        assert_eq!(alert.body, [] as [String; 0]);
        let callers = ["Erika".to_owned(), "+49 30 1".to_owned()];
        assert_eq!(Alert::missed(&callers[..1], true).summary, "Missed call");
        let both = Alert::missed(&callers, true);
        assert_eq!(
            (both.summary.as_str(), both.body.len()),
            ("2 missed calls", 0)
        );
        assert_eq!(Alert::missed(&callers, false).body, ["+49 30 1", "Erika"]);
    }

    #[test]
    fn a_long_name_is_cut() {
        let mut ringing = call();
        ringing.remote_name = Some("x".repeat(5_000));
        let alert = Alert::ringing(&ringing, false);
        assert_eq!(alert.body.last().unwrap().chars().count(), LONGEST);
    }
}
