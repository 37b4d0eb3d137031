//! Which tone fits the calls that there are, as a pure decision.

use crate::control::CallStage;
use crate::crm::row::CallDirection;
use crate::media::Tone;

/// What is heard of one open call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sounding {
    /// Who made it.
    pub(super) direction: CallDirection,
    /// Where it stands.
    pub(super) stage: CallStage,
    /// Whether it rings here and may be answered.
    pub(super) rings_here: bool,
    /// Whether both sides have agreed, also while one of them holds.
    pub(super) connected: bool,
    /// Whether the far end's own sound arrives before the answer.
    pub(super) heard_early: bool,
}

/// The tone to play, if any.
pub(super) fn fitting(calls: impl IntoIterator<Item = Sounding>) -> Option<Tone> {
    let [mut rings_here, mut rings_there] = [false; 2];
    let [mut connected, mut talks] = [false; 2];
    for call in calls {
        rings_here |= call.rings_here;
        connected |= call.connected;
        talks |= call.stage == CallStage::Talking;
        rings_there |= call.direction == CallDirection::Outbound
            && call.stage == CallStage::Ringing
            // Some gateways promise sound and send none (RFC 3960 section 3.2).
            && !call.heard_early;
    }
    match (rings_here, connected) {
        (true, true) => Some(Tone::CallWaiting),
        (true, false) => Some(Tone::Ring),
        // Who waits on hold is not heard: a second call is dialled with an ear for it. Over a
        // conversation no tone is laid.
        (false, _) => (rings_there && !talks).then_some(Tone::Ringback),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CallDirection::{Inbound, Outbound};
    use CallStage::{Calling, Ended, Ending, Held, HeldByRemote, Ringing, Talking};

    fn call(direction: CallDirection, stage: CallStage) -> Sounding {
        Sounding {
            direction,
            stage,
            rings_here: direction == Inbound && stage == Ringing,
            connected: matches!(stage, Talking | Held | HeldByRemote),
            heard_early: false,
        }
    }

    #[test]
    fn a_call_that_rings_there_is_heard_to_ring_unless_it_sends_sound_itself() {
        assert_eq!(fitting([]), None);
        assert_eq!(fitting([call(Outbound, Calling)]), None);
        let rings = call(Outbound, Ringing);
        assert_eq!(fitting([rings]), Some(Tone::Ringback));
        let heard = Sounding {
            heard_early: true,
            ..rings
        };
        assert_eq!(fitting([heard]), None);
        for over in [Ending, Ended, Talking] {
            assert_eq!(fitting([call(Outbound, over)]), None);
        }
    }

    /// Whoever announced a call heard nothing while it rang there.
    #[test]
    fn a_second_call_is_heard_to_ring_while_the_first_waits_on_hold() {
        for first in [Inbound, Outbound] {
            for held in [Held, HeldByRemote] {
                let calls = [call(first, held), call(Outbound, Ringing)];
                assert_eq!(fitting(calls), Some(Tone::Ringback), "{held:?}");
            }
        }
    }

    #[test]
    fn no_ringback_is_laid_over_a_conversation() {
        let calls = [call(Inbound, Talking), call(Outbound, Ringing)];
        assert_eq!(fitting(calls), None);
    }

    #[test]
    fn a_call_that_comes_in_rings_aloud_or_knocks() {
        let rings = call(Inbound, Ringing);
        assert_eq!(fitting([rings]), Some(Tone::Ring));
        for other in [Talking, Held, HeldByRemote] {
            let calls = [rings, call(Outbound, other)];
            assert_eq!(fitting(calls), Some(Tone::CallWaiting), "{other:?}");
        }
        let calls = [rings, call(Outbound, Ringing)];
        assert_eq!(fitting(calls), Some(Tone::Ring));
    }
}
