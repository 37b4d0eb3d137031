//! `ringdesk calls quality`: what was measured of a call's sound, by time.

use anyhow::bail;

use crate::cli::args::CallQualityArgs;
use crate::cli::headless::print_line;
use crate::cli::run::Exit;
use crate::cli::single_instance::{Reply, Request};
use crate::cli::{records, setup};
use crate::crm::row::{MeasuredCall, Millis, Mos, QualitySpan, Share};

/// Prints the figures of a call.
pub(super) async fn run(args: CallQualityArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.answer.records.data_dir.as_deref())?;
    let found = match records::ask(&paths, Request::Quality(args.call_id.clone())).await? {
        Reply::Quality(found) => found,
        other => bail!("unexpected answer: {other:?}"),
    };
    let Some(found) = found else {
        bail!(
            "there is no call {} in the call log; `ringdesk calls --json` shows their ids",
            args.call_id
        );
    };
    if args.answer.json {
        for span in &found.spans {
            print_line(&serde_json::to_string(span)?);
        }
    } else {
        for line in table(&found) {
            print_line(&line);
        }
    }
    Ok(Exit::Done)
}

/// The figures for a person, below their names.
fn table(found: &MeasuredCall) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(problem) = &found.call.sound_problem {
        lines.push(format!("sound: {problem}"));
    }
    if found.spans.is_empty() {
        lines.push(
            "nothing is known of its sound: it had none, or its figures were too old to be kept"
                .to_owned(),
        );
        return lines;
    }
    lines.push(
        "  time   in  lost late  jitter  delay concealed dry held up    MOS | out loss  jitter |    trip"
            .to_owned(),
    );
    lines.extend(found.spans.iter().map(line));
    let any = |of: fn(&QualitySpan) -> bool| found.spans.iter().any(of);
    if any(|span| span.mos_estimate) {
        lines.push("~ an estimate: ITU-T has no figures for this codec".to_owned());
    }
    if any(|span| span.wideband && span.mos.is_some()) {
        lines.push("w on the wideband scale (ITU-T G.107.1)".to_owned());
    }
    lines
}

fn line(span: &QualitySpan) -> String {
    let millis = |value: Option<Millis>| {
        value.map_or_else(
            || "?".to_owned(),
            |value| format!("{:.1} ms", value.value()),
        )
    };
    let percent = |value: Option<Share>| {
        value.map_or_else(
            || "?".to_owned(),
            |value| format!("{:.1} %", value.value() * 100.0),
        )
    };
    let mark = match (span.mos_estimate, span.wideband) {
        (true, true) => "~w",
        (true, false) => "~",
        (false, true) => "w",
        (false, false) => "",
    };
    let mos = |value: Option<Mos>| {
        value.map_or_else(
            || "?".to_owned(),
            |value| format!("{mark}{:.2}", value.value()),
        )
    };
    format!(
        "{:>3}:{:02} {:>4} {:>5} {:>4} {:>7} {:>6} {:>6} ms {:>3} {:>4} ms {:>6} | {:>8} {:>7} | {:>7}",
        span.at / 60,
        span.at % 60,
        span.received,
        span.lost,
        span.late,
        millis(span.jitter_ms),
        millis(span.playout_ms),
        span.concealed_ms,
        span.speaker_dry,
        span.held_up_ms,
        mos(span.mos),
        percent(span.remote_loss),
        millis(span.remote_jitter_ms),
        millis(span.round_trip_ms),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::CallId;
    use crate::crm::row::CallRow;

    #[test]
    fn unknown_figures_are_question_marks_and_estimates_are_marked() {
        let id = CallId::new(1, [1; 10]);
        let mut found = MeasuredCall {
            call: CallRow::ringing(id, "0301", jiff::Timestamp::UNIX_EPOCH),
            spans: Vec::new(),
        };
        assert!(table(&found)[0].starts_with("nothing is known"));
        found.spans = vec![
            QualitySpan {
                received: 50,
                ..QualitySpan::default()
            },
            QualitySpan {
                at: 61,
                received: 49,
                lost: 1,
                speaker_dry: 3,
                held_up_ms: 120,
                jitter_ms: Some(Millis::of(3.2)),
                mos: Some(Mos::of(4.25)),
                mos_estimate: true,
                wideband: true,
                ..QualitySpan::default()
            },
        ];
        let lines = table(&found);
        assert!(lines[1].contains("  ? ") && lines[1].starts_with("  0:00   50"));
        assert!(lines[2].contains("~w4.25") && lines[2].contains("3.2 ms"));
        assert!(lines[2].starts_with("  1:01   49     1"), "{}", lines[2]);
        assert!(lines[2].contains("0 ms   3  120 ms"), "{}", lines[2]);
        assert!(lines.len() == 5);
    }
}
