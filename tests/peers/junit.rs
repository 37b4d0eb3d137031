//! `target/junit/sipp.xml`: the scenarios that ran, for continuous integration.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::place;

struct Case {
    took: Duration,
    failure: Option<String>,
}

static CASES: Mutex<BTreeMap<String, Case>> = Mutex::new(BTreeMap::new());

/// Runs one scenario and notes how it went; the file is complete after each.
pub(crate) fn scenario(name: &str, body: impl FnOnce()) {
    let start = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(body));
    let failure = result.as_ref().err().map(|panic| {
        panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "failed".to_owned())
    });
    let mut cases = CASES
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    cases.insert(
        name.to_owned(),
        Case {
            took: start.elapsed(),
            failure,
        },
    );
    let folder = place::root().join("target/junit");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("sipp.xml"), document(&cases)).unwrap();
    drop(cases);
    if let Err(panic) = result {
        resume_unwind(panic);
    }
}

fn document(cases: &BTreeMap<String, Case>) -> String {
    let failures = cases.values().filter(|case| case.failure.is_some()).count();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuite name=\"sipp-scenarios\" tests=\"{}\" failures=\"{failures}\">\n",
        cases.len()
    );
    for (name, case) in cases {
        let seconds = case.took.as_secs_f64();
        text.push_str(&format!(
            "  <testcase classname=\"sipp\" name=\"{}\" time=\"{seconds:.3}\"",
            escape(name)
        ));
        match &case.failure {
            None => text.push_str("/>\n"),
            Some(failure) => {
                let first = failure.lines().next().unwrap_or_default();
                text.push_str(&format!(
                    ">\n    <failure message=\"{}\">{}</failure>\n  </testcase>\n",
                    escape(first),
                    escape(failure)
                ));
            }
        }
    }
    text.push_str("</testsuite>\n");
    text
}

/// XML 1.0 has no way to write most control characters.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}

#[test]
fn a_failure_is_written_as_well_formed_xml() {
    let mut cases = BTreeMap::new();
    let failure = Some("expected <200> & \"OK\"\r\nsecond\u{1b} line".to_owned());
    cases.insert(
        "call-in".to_owned(),
        Case {
            took: Duration::from_millis(1500),
            failure,
        },
    );
    cases.insert(
        "busy".to_owned(),
        Case {
            took: Duration::from_millis(20),
            failure: None,
        },
    );
    assert_eq!(
        document(&cases),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuite name=\"sipp-scenarios\" tests=\"2\" failures=\"1\">\n  \
         <testcase classname=\"sipp\" name=\"busy\" time=\"0.020\"/>\n  \
         <testcase classname=\"sipp\" name=\"call-in\" time=\"1.500\">\n    \
         <failure message=\"expected &lt;200&gt; &amp; &quot;OK&quot;\">expected &lt;200&gt; &amp; \
         &quot;OK&quot;\nsecond line</failure>\n  </testcase>\n</testsuite>\n"
    );
}
