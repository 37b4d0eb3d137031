//! What becomes of a far end's wish to send a call elsewhere, as pure decisions.

use crate::app::outbound_rules::Verdict;
use crate::config::TransferPolicy;

/// What is known of an INVITE that wants the place of a call (RFC 3891).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Replacing {
    /// What the rules of the call say whose place is wanted.
    pub(super) policy: TransferPolicy,
    /// Whether it came for the same account as that call.
    pub(super) same_account: bool,
    /// Whether anybody is there to be asked.
    pub(super) can_ask: bool,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replacement {
    /// It is refused with this status.
    Refuse(u16),
    /// It rings, and whoever answers it gives the other call up.
    Ask,
    /// It takes the place at once.
    Take,
}

/// Decides on an INVITE that wants the place of a call. Who may take a call over is the word of that
/// call's account alone (RFC 3891 section 3).
pub(super) fn replacement(wish: Replacing) -> Replacement {
    match wish.policy {
        TransferPolicy::Ask | TransferPolicy::Always if !wish.same_account => {
            Replacement::Refuse(403)
        }
        TransferPolicy::Never => Replacement::Refuse(403),
        TransferPolicy::Always => Replacement::Take,
        TransferPolicy::Ask if wish.can_ask => Replacement::Ask,
        TransferPolicy::Ask => Replacement::Refuse(603),
    }
}

/// What becomes of a REFER (RFC 3515).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Referral {
    /// It is declined.
    Decline,
    /// Somebody is asked; why they should look twice.
    Ask(Option<String>),
    /// It is followed.
    Follow,
}

/// Decides on a REFER to a target that may be dialled as the verdict says.
pub(super) fn referral(policy: TransferPolicy, verdict: Verdict, can_ask: bool) -> Referral {
    match (policy, verdict) {
        (TransferPolicy::Never, _) | (_, Verdict::Refuse(_)) => Referral::Decline,
        (TransferPolicy::Always, Verdict::Dial) => Referral::Follow,
        (TransferPolicy::Ask, Verdict::Dial) if can_ask => Referral::Ask(None),
        (TransferPolicy::Ask | TransferPolicy::Always, Verdict::Ask(why)) if can_ask => {
            Referral::Ask(Some(why))
        }
        (TransferPolicy::Ask | TransferPolicy::Always, Verdict::Dial | Verdict::Ask(_)) => {
            Referral::Decline
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TransferPolicy::{Always, Ask, Never};

    fn replaced(policy: TransferPolicy, same_account: bool, can_ask: bool) -> Replacement {
        replacement(Replacing {
            policy,
            same_account,
            can_ask,
        })
    }

    /// Where the rule is to ask, a call was taken over without a question.
    #[test]
    fn a_calls_place_is_given_as_its_own_rule_says() {
        assert_eq!(replaced(Always, true, false), Replacement::Take);
        assert_eq!(replaced(Ask, true, true), Replacement::Ask);
        assert_eq!(replaced(Ask, true, false), Replacement::Refuse(603));
        assert_eq!(replaced(Never, true, true), Replacement::Refuse(403));
    }

    #[test]
    fn nobody_takes_a_call_over_by_way_of_another_account() {
        for policy in [Never, Ask, Always] {
            assert_eq!(replaced(policy, false, true), Replacement::Refuse(403));
        }
    }

    #[test]
    fn a_wish_to_be_called_elsewhere_is_followed_asked_about_or_declined() {
        let costly = || Verdict::Ask("premium".to_owned());
        let refused = || Verdict::Refuse("too many".to_owned());
        for can_ask in [false, true] {
            let decided = |policy, verdict| referral(policy, verdict, can_ask);
            let asked = |why| {
                if can_ask {
                    Referral::Ask(why)
                } else {
                    Referral::Decline
                }
            };
            assert_eq!(decided(Always, Verdict::Dial), Referral::Follow);
            assert_eq!(decided(Ask, Verdict::Dial), asked(None));
            for policy in [Ask, Always] {
                assert_eq!(decided(policy, costly()), asked(Some("premium".to_owned())));
                assert_eq!(decided(policy, refused()), Referral::Decline);
            }
            for verdict in [Verdict::Dial, costly(), refused()] {
                assert_eq!(decided(Never, verdict), Referral::Decline);
            }
        }
    }
}
