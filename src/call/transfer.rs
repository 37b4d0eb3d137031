//! A transfer that our side asked for, from the hold before it to its end.

use crate::call::action::{CallError, Edge, SipAction};
use crate::call::phase::Phase;
use crate::call::session::Call;
use crate::sip::{ReferTarget, Status};

/// Where a transfer stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Transfer {
    /// There is none.
    #[default]
    None,
    /// A change comes first: the hold before the transfer, or whatever else is under way.
    Waiting {
        /// Who is to be called.
        target: ReferTarget,
        /// As below.
        comes_back: bool,
    },
    /// The far end was asked.
    Asked {
        /// Whether the call comes back to the agent when it fails.
        comes_back: bool,
        /// Whether the far end took it up.
        accepted: bool,
    },
}

impl Call {
    /// Asks the far end to call somebody else instead. Where a person waits to get the call back
    /// (`comes_back`), it is held before and resumed when the transfer fails. While a change of ours
    /// is under way, the far end is asked after it: linphone refuses a REFER with 491 until then.
    ///
    /// # Errors
    ///
    /// Fails unless the call is connected and no transfer is under way.
    pub fn transfer(&mut self, target: ReferTarget, comes_back: bool) -> Result<(), CallError> {
        self.expect(&[Phase::Established])?;
        if self.transfer != Transfer::None {
            return Err(CallError::Transferring);
        }
        self.transfer = Transfer::Waiting { target, comes_back };
        if comes_back {
            self.want_hold(true);
        }
        if !self.changing() {
            self.go_on_with_transfer();
        }
        Ok(())
    }

    /// Whether a transfer is under way.
    pub fn transferring(&self) -> bool {
        self.transfer != Transfer::None
    }

    /// Leaves the call on hold when its transfer fails: the agent talks with somebody else by now.
    pub fn stay_held(&mut self) {
        if let Transfer::Asked { comes_back, .. } = &mut self.transfer {
            *comes_back = false;
        }
    }

    /// Learns how the transfer goes.
    pub fn handle_transfer(&mut self, status: &Status, done: bool) {
        let Transfer::Asked {
            comes_back,
            accepted,
        } = &mut self.transfer
        else {
            return;
        };
        if !done {
            *accepted = true;
            self.tell(Edge::Transferring {
                status: status.code,
            });
            return;
        }
        let comes_back = *comes_back;
        self.transfer = Transfer::None;
        self.tell(Edge::Transferred {
            status: status.clone(),
        });
        if status.code < 300 {
            // Who is talked with now is not our call any more (RFC 5589 section 5).
            self.leave();
        } else if comes_back {
            self.want_hold(false);
        }
    }

    /// The change before a transfer is settled, well or badly: the transfer does not wait for more.
    pub(super) fn go_on_with_transfer(&mut self) {
        if let Transfer::Waiting { target, comes_back } = &self.transfer {
            let asked = Transfer::Asked {
                comes_back: *comes_back,
                accepted: false,
            };
            self.sip(SipAction::Refer(target.clone()));
            self.transfer = asked;
        }
    }

    /// A far end that took a transfer up and hangs up has done what it was asked for.
    pub(super) fn end_transfer(&mut self, by_remote: bool) {
        if let Transfer::Asked { accepted: true, .. } = self.transfer
            && by_remote
        {
            let status = Status::new(202, "Accepted");
            self.tell(Edge::Transferred { status });
        }
        self.transfer = Transfer::None;
    }
}

#[cfg(test)]
mod tests {
    use crate::base::uri::Uri;
    use crate::call::tests::{connected, drain, edges, sip};
    use crate::call::{Action, Call, Edge, Phase, SipAction};
    use crate::sip::{EndedBy, ReferTarget, Status};

    fn carol() -> ReferTarget {
        ReferTarget::Uri(Uri::parse("sip:carol@example.com").unwrap())
    }

    /// Carries a hold or its end from one side to the other.
    fn carry_change(from: &mut Call, to: &mut Call, actions: &[Action]) -> Vec<Action> {
        let Some(SipAction::Reinvite(offer)) = sip(actions).first().copied() else {
            panic!("{actions:?}")
        };
        to.handle_reinvite("", Some(offer));
        let answers = drain(to, 0);
        let Some(SipAction::AnswerReinvite(status, answer)) = sip(&answers).first().copied() else {
            panic!("{answers:?}")
        };
        from.handle_reinvite_answered(status, answer.as_ref());
        drain(from, 0)
    }

    #[test]
    fn a_transfer_holds_first_and_hangs_up_when_it_succeeded() {
        let (mut caller, mut callee) = connected();
        caller.transfer(carol(), true).unwrap();
        let held = drain(&mut caller, 0);
        assert!(!sip(&held).contains(&&SipAction::Refer(carol())));
        let asked = carry_change(&mut caller, &mut callee, &held);
        assert!(sip(&asked).contains(&&SipAction::Refer(carol())));
        let again = caller.transfer(carol(), true).unwrap_err();
        assert!(again.to_string().contains("transferred"), "{again}");
        caller.handle_transfer(&Status::new(202, "Accepted"), false);
        caller.handle_transfer(&Status::new(180, "Ringing"), false);
        assert_eq!(
            edges(&drain(&mut caller, 0)),
            [
                &Edge::Transferring { status: 202 },
                &Edge::Transferring { status: 180 }
            ]
        );
        caller.handle_transfer(&Status::new(200, "OK"), true);
        let over = drain(&mut caller, 0);
        assert!(sip(&over).contains(&&SipAction::HangUp));
        assert_eq!(caller.phase(), Phase::Ending);
    }

    #[test]
    fn a_transfer_that_fails_leaves_the_call_on_hold_when_somebody_else_is_talked_with() {
        let (mut caller, mut callee) = connected();
        caller.transfer(carol(), true).unwrap();
        let held = drain(&mut caller, 0);
        carry_change(&mut caller, &mut callee, &held);
        caller.stay_held();
        caller.handle_transfer(&Status::new(486, "Busy Here"), true);
        let over = drain(&mut caller, 0);
        assert!(sip(&over).is_empty(), "{over:?}");
        assert!(caller.held() && caller.wants_hold() && !caller.transferring());
        caller.set_hold(false).unwrap();
        let back = drain(&mut caller, 0);
        carry_change(&mut caller, &mut callee, &back);
        assert!(!caller.held() && !callee.held_by_remote());
    }

    #[test]
    fn a_transfer_that_fails_brings_the_call_back() {
        let (mut caller, mut callee) = connected();
        caller.transfer(carol(), true).unwrap();
        let held = drain(&mut caller, 0);
        carry_change(&mut caller, &mut callee, &held);
        caller.handle_transfer(&Status::new(202, "Accepted"), false);
        caller.handle_transfer(&Status::new(486, "Busy Here"), true);
        let back = drain(&mut caller, 0);
        let told = Edge::Transferred {
            status: Status::new(486, "Busy Here"),
        };
        assert!(edges(&back).contains(&&told), "{back:?}");
        let resumed = carry_change(&mut caller, &mut callee, &back);
        assert!(edges(&resumed).contains(&&Edge::Resumed), "{resumed:?}");
        assert!(!caller.held() && !caller.transferring());
    }

    #[test]
    fn a_far_end_that_refuses_to_be_held_is_transferred_all_the_same() {
        let (mut caller, _) = connected();
        caller.transfer(carol(), true).unwrap();
        drain(&mut caller, 0);
        caller.handle_reinvite_answered(&Status::new(488, "Not Acceptable Here"), None);
        let asked = drain(&mut caller, 0);
        assert!(sip(&asked).contains(&&SipAction::Refer(carol())));
    }

    #[test]
    fn a_script_transfers_without_a_hold() {
        let (mut caller, _) = connected();
        caller.transfer(carol(), false).unwrap();
        let asked = drain(&mut caller, 0);
        assert_eq!(sip(&asked), [&SipAction::Refer(carol())]);
        caller.handle_transfer(&Status::new(603, "Decline"), true);
        assert!(sip(&drain(&mut caller, 0)).is_empty());
        assert_eq!(caller.phase(), Phase::Established);
    }

    #[test]
    fn a_transfer_waits_for_a_hold_that_is_under_way() {
        let (mut caller, mut callee) = connected();
        caller.set_hold(true).unwrap();
        let held = drain(&mut caller, 0);
        caller.transfer(carol(), false).unwrap();
        assert!(caller.transferring());
        assert!(sip(&drain(&mut caller, 0)).is_empty(), "not yet");
        // The hold gives way to a change by the far end, and is tried again.
        caller.handle_change_deferred();
        assert!(sip(&drain(&mut caller, 0)).is_empty(), "not yet");
        caller.handle_change_possible();
        let again = drain(&mut caller, 0);
        assert_eq!(sip(&again), sip(&held));
        let asked = carry_change(&mut caller, &mut callee, &again);
        assert_eq!(sip(&asked), [&SipAction::Refer(carol())]);
        // It was held before, and stays so when the transfer fails.
        caller.handle_transfer(&Status::new(603, "Decline"), true);
        assert!(sip(&drain(&mut caller, 0)).is_empty());
        assert!(caller.held());
    }

    #[test]
    fn a_far_end_that_leaves_after_it_took_it_up_was_transferred() {
        for (accepted, by, told) in [
            (true, EndedBy::Remote, true),
            (false, EndedBy::Remote, false),
            (true, EndedBy::Unreachable, false),
        ] {
            let (mut caller, _) = connected();
            caller.transfer(carol(), false).unwrap();
            if accepted {
                caller.handle_transfer(&Status::new(202, "Accepted"), false);
            }
            drain(&mut caller, 0);
            caller.handle_ended(by, Status::new(200, "OK"), None);
            let over = drain(&mut caller, 0);
            let transferred = edges(&over)
                .iter()
                .any(|edge| matches!(edge, Edge::Transferred { .. }));
            assert_eq!(transferred, told, "{over:?}");
        }
    }
}
