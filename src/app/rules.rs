//! What the phone does with a call by rule, as pure decisions: do not disturb, forwarding, calls
//! that answer themselves.

use std::time::Duration;

use crate::config::call_rules::{AutoAnswer, CallRules};
use crate::crm::row::{BlockedRow, CallState};
use crate::sip::caller::{AutoAnswerWish, Caller};

/// How long after a call for help calls ring whatever the rules say: the emergency service may call
/// back (RFC 7090 section 2).
pub(super) const CALL_BACK: Duration = Duration::from_secs(3600);

/// What is known when a call arrives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation<'a> {
    /// The account's rules.
    pub(super) rules: &'a CallRules,
    /// What is said of the caller.
    pub(super) caller: &'a Caller,
    /// The entry of the block list that the caller falls under.
    pub(super) blocked: Option<&'a BlockedRow>,
    /// The account's own address, to see a forwarded call come back.
    pub(super) own_address: &'a str,
    /// Whether another call is open.
    pub(super) engaged: bool,
    /// Whether the phone has as many calls as it may.
    pub(super) full: bool,
    /// Whether a call for help was made lately.
    pub(super) helped: bool,
}

/// What happens to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// It rings.
    Ring {
        /// Where it goes when nobody answers in time.
        forward: Option<(Forward, Duration)>,
        /// When it is answered without a person, and which header field asked for it.
        answer: Option<(Duration, &'static str)>,
    },
    /// It is refused unheard.
    Refuse(Refusal),
    /// The block list refuses it unheard and unseen.
    Block(BlockedRow),
    /// It is sent elsewhere unheard.
    Forward(Forward),
}

/// A refusal and how it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The SIP status.
    pub(super) status: u16,
    /// The call's final state.
    pub(super) state: CallState,
    /// Why, in plain words.
    pub(super) words: &'static str,
}

/// Where a call is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Forward {
    /// The target as configured.
    pub(super) target: String,
    /// Why, as Diversion writes it (RFC 5806 section 4).
    pub(super) reason: &'static str,
}

impl Forward {
    /// How the call's end is remembered.
    pub(super) fn words(&self) -> String {
        let why = match self.reason {
            "user-busy" => "busy",
            "no-answer" => "no answer",
            _ => "always",
        };
        format!("forwarded to {} ({why})", self.target)
    }
}

/// Decides on an incoming call.
pub(super) fn decide(situation: &Situation<'_>) -> Decision {
    let Situation {
        rules,
        caller,
        blocked,
        own_address,
        engaged,
        full,
        helped,
    } = *situation;
    let help = helped || (caller.emergency_callback && caller.trusted);
    if help {
        return Decision::Ring {
            forward: None,
            answer: None,
        };
    }
    if let Some(entry) = blocked {
        return Decision::Block(entry.clone());
    }
    // Sent away by us and back again: another round would never end.
    let looped = caller
        .via
        .iter()
        .any(|step| same_user(&step.by.uri.to_string(), own_address));
    let forward = |target: &str, reason| {
        (!target.is_empty() && !looped).then(|| Forward {
            target: target.to_owned(),
            reason,
        })
    };
    if let Some(always) = forward(&rules.forward_always, "unconditional") {
        return Decision::Forward(always);
    }
    if rules.do_not_disturb {
        return Decision::Refuse(Refusal {
            status: rules.do_not_disturb_status,
            state: CallState::Rejected,
            words: "rejected by do not disturb",
        });
    }
    if full || (engaged && !rules.call_waiting) {
        return match forward(&rules.forward_busy, "user-busy") {
            Some(busy) => Decision::Forward(busy),
            None => Decision::Refuse(Refusal {
                status: 486,
                state: CallState::Busy,
                words: if full {
                    "refused as busy"
                } else {
                    "refused as busy: call waiting is off"
                },
            }),
        };
    }
    let answer = match caller.auto_answer {
        Some(wish) if follows(rules, caller) && !engaged => Some((wish.after, wish.header)),
        // The caller wants a refusal rather than a person (RFC 5373 section 4.1).
        Some(AutoAnswerWish { required: true, .. }) => {
            return Decision::Refuse(Refusal {
                status: 403,
                state: CallState::Rejected,
                words: "refused: the caller demanded an automatic answer",
            });
        }
        Some(_) | None => None,
    };
    let patience = Duration::from_secs(rules.forward_no_answer_seconds.into());
    Decision::Ring {
        forward: forward(&rules.forward_no_answer, "no-answer").map(|to| (to, patience)),
        answer,
    }
}

fn follows(rules: &CallRules, caller: &Caller) -> bool {
    match rules.auto_answer {
        AutoAnswer::Never => false,
        AutoAnswer::Trusted => caller.trusted,
        AutoAnswer::Always => true,
    }
}

fn same_user(uri: &str, own: &str) -> bool {
    let bare = |text: &str| {
        let text = text.split([';', '?']).next().unwrap_or_default();
        text.strip_prefix("sips:")
            .or_else(|| text.strip_prefix("sip:"))
            .unwrap_or(text)
            .to_ascii_lowercase()
    };
    !own.is_empty() && bare(uri) == bare(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::uri::Uri;
    use crate::sip::NameAddr;
    use crate::sip::caller::Diverted;

    struct Case {
        rules: CallRules,
        caller: Caller,
        blocked: Option<BlockedRow>,
        engaged: bool,
        full: bool,
        helped: bool,
    }

    fn case() -> Case {
        Case {
            rules: CallRules::default(),
            caller: Caller::default(),
            blocked: None,
            engaged: false,
            full: false,
            helped: false,
        }
    }

    impl Case {
        fn decision(&self) -> Decision {
            decide(&Situation {
                rules: &self.rules,
                caller: &self.caller,
                blocked: self.blocked.as_ref(),
                own_address: "sip:alice@example.com",
                engaged: self.engaged,
                full: self.full,
                helped: self.helped,
            })
        }

        fn status(&self) -> Option<u16> {
            match self.decision() {
                Decision::Refuse(refusal) => Some(refusal.status),
                Decision::Ring { .. } | Decision::Forward(_) | Decision::Block(_) => None,
            }
        }

        fn forwarded_to(&self) -> Option<(String, &'static str)> {
            match self.decision() {
                Decision::Forward(to) => Some((to.target, to.reason)),
                Decision::Ring { .. } | Decision::Refuse(_) | Decision::Block(_) => None,
            }
        }
    }

    const RINGS: Decision = Decision::Ring {
        forward: None,
        answer: None,
    };

    fn wish(required: bool) -> AutoAnswerWish {
        AutoAnswerWish {
            after: Duration::from_secs(1),
            header: "Call-Info",
            required,
        }
    }

    #[test]
    fn without_rules_a_call_rings() {
        assert_eq!(case().decision(), RINGS);
    }

    #[test]
    fn do_not_disturb_refuses_by_its_status() {
        for status in [480, 486] {
            let mut it = case();
            it.rules.do_not_disturb = true;
            it.rules.do_not_disturb_status = status;
            let Decision::Refuse(refusal) = it.decision() else {
                panic!("it rings");
            };
            assert_eq!(refusal.status, status);
            assert_eq!(refusal.state, CallState::Rejected);
            assert_eq!(refusal.words, "rejected by do not disturb");
        }
    }

    #[test]
    fn the_block_list_comes_before_every_other_rule() {
        let entry = BlockedRow::typed("030 1234567", 603, "", jiff::Timestamp::UNIX_EPOCH);
        let mut it = case();
        it.blocked = Some(entry.clone());
        it.rules.forward_always = "bob".into();
        it.rules.do_not_disturb = true;
        it.full = true;
        assert_eq!(it.decision(), Decision::Block(entry));
        it.helped = true;
        assert_eq!(it.decision(), RINGS, "but a call back from who helps rings");
    }

    #[test]
    fn an_emergency_service_that_calls_back_always_rings() {
        let mut it = case();
        it.rules.do_not_disturb = true;
        it.rules.forward_always = "bob".into();
        it.full = true;
        it.caller.emergency_callback = true;
        assert_ne!(it.decision(), RINGS, "anybody can write that header field");
        it.caller.trusted = true;
        assert_eq!(it.decision(), RINGS);
        it.caller = Caller::default();
        it.helped = true;
        assert_eq!(it.decision(), RINGS);
    }

    #[test]
    fn calls_are_forwarded_always_when_busy_and_when_nobody_answers() {
        let mut it = case();
        it.rules.forward_always = "bob".into();
        it.rules.do_not_disturb = true;
        assert_eq!(it.forwarded_to(), Some(("bob".into(), "unconditional")));

        let mut it = case();
        it.rules.forward_busy = "carol".into();
        assert_eq!(it.decision(), RINGS);
        it.engaged = true;
        assert_eq!(it.decision(), RINGS, "call waiting is on");
        it.rules.call_waiting = false;
        assert_eq!(it.forwarded_to(), Some(("carol".into(), "user-busy")));
        it.rules.call_waiting = true;
        it.full = true;
        assert_eq!(it.forwarded_to(), Some(("carol".into(), "user-busy")));

        let mut it = case();
        it.rules.forward_no_answer = "+4930123456".into();
        it.rules.forward_no_answer_seconds = 7;
        let Decision::Ring {
            forward: Some((to, after)),
            answer: None,
        } = it.decision()
        else {
            panic!("{:?}", it.decision());
        };
        assert_eq!((to.reason, after), ("no-answer", Duration::from_secs(7)));
        assert_eq!(to.words(), "forwarded to +4930123456 (no answer)");
    }

    #[test]
    fn a_full_phone_is_busy_and_so_is_one_without_call_waiting() {
        let mut it = case();
        it.full = true;
        assert_eq!(it.status(), Some(486));
        let mut it = case();
        it.rules.call_waiting = false;
        it.engaged = true;
        assert_eq!(it.status(), Some(486));
    }

    #[test]
    fn a_call_that_was_forwarded_by_us_is_not_forwarded_again() {
        let mut it = case();
        it.rules.forward_always = "bob".into();
        let by = NameAddr {
            display_name: None,
            uri: Uri::parse("sip:Alice@example.com;user=phone").unwrap(),
        };
        it.caller.via = vec![Diverted { by, reason: None }];
        assert_eq!(it.decision(), RINGS);
    }

    #[test]
    fn a_call_answers_itself_only_where_the_account_allows_it() {
        for (policy, trusted, answered) in [
            (AutoAnswer::Never, true, false),
            (AutoAnswer::Never, false, false),
            (AutoAnswer::Trusted, true, true),
            (AutoAnswer::Trusted, false, false),
            (AutoAnswer::Always, true, true),
            (AutoAnswer::Always, false, true),
        ] {
            let mut it = case();
            it.rules.auto_answer = policy;
            it.caller.trusted = trusted;
            it.caller.auto_answer = Some(wish(false));
            let expected = answered.then_some((Duration::from_secs(1), "Call-Info"));
            let Decision::Ring { answer, .. } = it.decision() else {
                panic!("{policy:?} {trusted}");
            };
            assert_eq!(answer, expected, "{policy:?} {trusted}");
            it.engaged = true;
            assert_eq!(it.decision(), RINGS, "nobody is put on hold by a caller");
            it.engaged = false;
            it.caller.auto_answer = Some(wish(true));
            let expected = if answered { None } else { Some(403) };
            assert_eq!(it.status(), expected, "{policy:?} {trusted}");
        }
    }
}
