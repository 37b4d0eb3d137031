//! Whether a call may be placed: who asks, what it costs, how many there were.
//!
//! The agent's own typing and the tester's command line are never asked or counted; links, scripts,
//! transfers and redirections are, so that a page, a program or a far end cannot run up a bill. An
//! emergency number passes everything.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::base::dial_class::DialClass;
use crate::config::call_rules::CallRules;
use crate::config::caller_id::CallerId;
use crate::config::dialling_rules::DiallingRules;
use crate::control::Asker;

/// The span over which calls are counted.
const HOUR: Duration = Duration::from_secs(3600);

/// What comes of a wish to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is dialled.
    Dial,
    /// It is dialled once a person has said yes; why.
    Ask(String),
    /// It is not dialled; why, and what to do.
    Refuse(String),
}

/// What was placed by others within the last hour; at most as many as are allowed, so it is
/// bounded by the setting.
#[derive(Debug, Default)]
pub(super) struct OutboundRules {
    placed: VecDeque<Instant>,
}

impl OutboundRules {
    /// Judges a wish; `confirmed` says that a person has said yes to exactly this.
    pub(super) fn judge(
        &mut self,
        now: Instant,
        rules: &DiallingRules,
        asker: Asker,
        class: DialClass,
        confirmed: bool,
    ) -> Verdict {
        if class == DialClass::Emergency {
            return Verdict::Dial;
        }
        let others = is_other(asker);
        while self
            .placed
            .front()
            .is_some_and(|at| now.saturating_duration_since(*at) >= HOUR)
        {
            self.placed.pop_front();
        }
        let placed = self.placed.len();
        let limit = usize::try_from(rules.calls_per_hour).unwrap_or(usize::MAX);
        if others && placed >= limit {
            let minutes = self.placed.front().map_or(0, |at| {
                let left = HOUR.saturating_sub(now.saturating_duration_since(*at));
                left.as_secs().div_ceil(60)
            });
            return Verdict::Refuse(format!(
                "{} placed {placed} calls within the last hour, which is the limit of {limit}; the next is possible in {minutes} min, or raise calls_per_hour in the settings",
                asker.words()
            ));
        }
        let asked = others || (rules.ask_agent && asker == Asker::Agent);
        match class.costly() {
            Some(costly) if asked && !confirmed && !rules.allow.contains(&costly) => {
                Verdict::Ask(format!("{} asks for {}", asker.words(), costly.words()))
            }
            Some(_) | None => Verdict::Dial,
        }
    }

    /// Counts a call that is placed.
    pub(super) fn placed(&mut self, now: Instant, asker: Asker, class: DialClass) {
        if is_other(asker) && class != DialClass::Emergency {
            self.placed.push_back(now);
        }
    }
}

/// The header fields of an outgoing call that withholds the number (RFC 3323 section 4.2, RFC 3325
/// section 9.3). Who is called for help must be able to call back, whatever the rules say.
pub(super) fn privacy_headers(rules: &CallRules, urgent: bool) -> Vec<(String, String)> {
    if rules.hide_number && !urgent {
        vec![("Privacy".to_owned(), "id".to_owned())]
    } else {
        Vec::new()
    }
}

/// The header field that asks the account's server to show another of the own numbers (RFC 3325 section
/// 9.2), by where the call goes. Who is called for help sees the account itself: it is where the phone is.
pub(super) fn identity_header(
    rules: &CallRules,
    address: Option<&str>,
    called: &[&str],
    urgent: bool,
) -> Option<(String, String)> {
    let rule = CallerId::of(&rules.caller_ids, called).filter(|_| !urgent)?;
    let domain = address.and_then(|address| Some(address.split_once('@')?.1));
    let uri = rule.uri(domain)?;
    Some(("P-Preferred-Identity".to_owned(), format!("<{uri}>")))
}

/// Whether somebody else than the person at the phone asks.
fn is_other(asker: Asker) -> bool {
    match asker {
        Asker::Agent | Asker::CommandLine => false,
        Asker::Link | Asker::Script | Asker::Transfer | Asker::Redirect => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::dial_class::CostlyClass;

    const OTHERS: [Asker; 4] = [Asker::Link, Asker::Script, Asker::Transfer, Asker::Redirect];

    #[test]
    fn a_number_is_withheld_where_that_is_wanted_but_never_from_those_who_help() {
        let hide_number = true;
        let hides = CallRules {
            hide_number,
            ..CallRules::default()
        };
        let shows = CallRules::default();
        let privacy = [("Privacy".to_owned(), "id".to_owned())];
        assert_eq!(privacy_headers(&hides, false), privacy);
        assert_eq!(privacy_headers(&hides, true), []);
        assert_eq!(privacy_headers(&shows, false), []);
    }

    #[test]
    fn another_of_the_own_numbers_is_shown_but_not_to_those_who_help() {
        let rules = CallRules {
            caller_ids: vec!["+43*=+4312345".parse().unwrap()],
            ..CallRules::default()
        };
        let shown = |called: &str, urgent| {
            identity_header(&rules, Some("sip:anna@pbx.example"), &[called], urgent)
        };
        let header = |uri: &str| ("P-Preferred-Identity".to_owned(), format!("<{uri}>"));
        let expected = header("sip:+4312345@pbx.example");
        assert_eq!(shown("+431999", false), Some(expected));
        assert_eq!(shown("+49301999", false), None);
        assert_eq!(shown("+431999", true), None);
    }

    fn judged(rules: &DiallingRules, asker: Asker, class: DialClass, confirmed: bool) -> Verdict {
        OutboundRules::default().judge(
            crate::base::clock::monotonic_now(),
            rules,
            asker,
            class,
            confirmed,
        )
    }

    #[test]
    fn only_others_are_asked_before_a_costly_call() {
        use DialClass::{Emergency, International, Ordinary, Premium, ServiceCode, Short};
        let rules = DiallingRules::default();
        for class in [Premium, International, ServiceCode] {
            for asker in OTHERS {
                let verdict = judged(&rules, asker, class, false);
                assert!(matches!(verdict, Verdict::Ask(_)), "{asker:?} {class:?}");
                assert_eq!(judged(&rules, asker, class, true), Verdict::Dial);
            }
            for asker in [Asker::Agent, Asker::CommandLine] {
                assert_eq!(judged(&rules, asker, class, false), Verdict::Dial);
            }
        }
        for class in [Emergency, Short, Ordinary] {
            for asker in OTHERS {
                assert_eq!(judged(&rules, asker, class, false), Verdict::Dial);
            }
        }
    }

    #[test]
    fn settings_ask_the_agent_too_and_allow_a_class() {
        let strict = DiallingRules {
            ask_agent: true,
            ..DiallingRules::default()
        };
        let verdict = judged(&strict, Asker::Agent, DialClass::Premium, false);
        assert!(matches!(verdict, Verdict::Ask(_)));
        let verdict = judged(&strict, Asker::CommandLine, DialClass::Premium, false);
        assert_eq!(verdict, Verdict::Dial);
        let open = DiallingRules {
            allow: vec![CostlyClass::International],
            ..DiallingRules::default()
        };
        let verdict = judged(&open, Asker::Script, DialClass::International, false);
        assert_eq!(verdict, Verdict::Dial);
        let verdict = judged(&open, Asker::Script, DialClass::Premium, false);
        assert!(matches!(verdict, Verdict::Ask(_)));
    }

    #[test]
    fn the_hourly_limit_counts_others_and_never_help() {
        let rules = DiallingRules {
            calls_per_hour: 2,
            ..DiallingRules::default()
        };
        let mut outbound = OutboundRules::default();
        let start = crate::base::clock::monotonic_now();
        let class = DialClass::Ordinary;
        outbound.placed(start, Asker::Agent, class);
        outbound.placed(start, Asker::Link, DialClass::Emergency);
        for (after, asker) in [(0, Asker::Link), (600, Asker::Redirect)] {
            let now = start + Duration::from_secs(after);
            let verdict = outbound.judge(now, &rules, asker, class, false);
            assert_eq!(verdict, Verdict::Dial);
            outbound.placed(now, asker, class);
        }
        let now = start + Duration::from_secs(1200);
        let verdict = outbound.judge(now, &rules, Asker::Script, class, true);
        let Verdict::Refuse(why) = verdict else {
            panic!("{verdict:?}")
        };
        assert!(why.contains("2 calls within the last hour"), "{why}");
        assert!(
            why.contains("limit of 2") && why.contains("40 min"),
            "{why}"
        );
        for (asker, class) in [
            (Asker::Agent, class),
            (Asker::CommandLine, class),
            (Asker::Script, DialClass::Emergency),
        ] {
            let verdict = outbound.judge(now, &rules, asker, class, false);
            assert_eq!(verdict, Verdict::Dial, "{asker:?}");
        }
        let later = start + HOUR;
        let verdict = outbound.judge(later, &rules, Asker::Script, class, false);
        assert_eq!(verdict, Verdict::Dial, "the first is an hour ago");
    }
}
