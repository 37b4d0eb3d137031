//! Why one side of a call is not heard, in words: what is so, and what to do about it.

use crate::config::voice::VoiceParts;
use crate::control::SoundFaultView;
use crate::media::one_way::{Cause, FarSending};

/// The cause for a person and for scripts.
pub(super) fn view(cause: Cause) -> SoundFaultView {
    SoundFaultView {
        cause: word(cause),
        incoming: cause.is_incoming(),
        text: text(cause),
        advice: advice(cause).to_owned(),
    }
}

/// Whether the agent wants to be told of it: who talks while muted may know it.
pub(super) fn is_wanted(cause: Cause, parts: VoiceParts) -> bool {
    cause != Cause::SpeaksMuted || parts.muted_hint
}

/// A cause's word in events: a contract with scripts.
pub(super) fn word(cause: Cause) -> &'static str {
    match cause {
        Cause::NothingReceived(FarSending::Sends) => "sound-blocked",
        Cause::NothingReceived(FarSending::SendsNothing) => "far-end-sends-nothing",
        Cause::NothingReceived(FarSending::Unknown) => "nothing-received",
        Cause::WrongSource(_) => "wrong-source",
        Cause::WrongPayload(_) => "wrong-payload-type",
        Cause::Undecodable => "undecodable",
        Cause::Unauthentic => "srtp-failure",
        Cause::NoAddress => "no-address",
        Cause::NoFrames => "no-microphone-frames",
        Cause::FarEndHearsNothing => "far-end-hears-nothing",
        Cause::SilentMicrophone => "microphone-silent",
        Cause::SpeaksMuted => "muted",
    }
}

/// What is so.
pub(super) fn text(cause: Cause) -> String {
    match cause {
        Cause::NothingReceived(FarSending::Sends) => {
            "the far end sends sound, and none of it arrives here".to_owned()
        }
        Cause::NothingReceived(FarSending::SendsNothing) => {
            "the far end is there, and sends no sound".to_owned()
        }
        Cause::NothingReceived(FarSending::Unknown) => {
            "nothing at all arrives from the far end".to_owned()
        }
        Cause::WrongSource(from) => {
            format!("sound comes from {from}, which is not the address that was agreed on")
        }
        Cause::WrongPayload(number) => match codec_of(number) {
            Some(codec) => format!(
                "the far end sends {codec} (payload type {number}), which was not agreed on"
            ),
            None => format!("the far end sends payload type {number}, which was not agreed on"),
        },
        Cause::Undecodable => "the far end's sound cannot be decoded".to_owned(),
        Cause::Unauthentic => {
            "the far end's encrypted sound fails its check, so it is not played".to_owned()
        }
        Cause::NoAddress => "the far end gave no address to send your voice to".to_owned(),
        Cause::NoFrames => "the microphone gives nothing, so nothing is sent".to_owned(),
        Cause::FarEndHearsNothing => {
            "the far end reports that nothing of your voice arrives".to_owned()
        }
        Cause::SilentMicrophone => "the microphone gives complete silence".to_owned(),
        Cause::SpeaksMuted => "you speak, and you are muted".to_owned(),
    }
}

fn advice(cause: Cause) -> &'static str {
    match cause {
        Cause::NothingReceived(FarSending::Sends | FarSending::Unknown) => {
            "a firewall, a VPN or a router between the two keeps it away: allow UDP to this computer, or try \
             without the VPN"
        }
        Cause::NothingReceived(FarSending::SendsNothing) => {
            "ask the other side to unmute and to check the microphone"
        }
        Cause::WrongSource(_) => {
            "it is heard as soon as it is steady; else the other side's router or server changes its address"
        }
        Cause::WrongPayload(_) => {
            "the codecs of the other side or of the server between are set up wrongly: tell their administrator"
        }
        Cause::Undecodable => {
            "the other side or the server between damages it: call again, or choose another codec first"
        }
        Cause::Unauthentic => {
            "the two sides use different keys: call again; if it stays, the server between does not pass them on"
        }
        Cause::NoAddress => "the far end is asked once more; call again if that does not help",
        Cause::NoFrames => "choose another microphone in the settings, or plug it in again",
        Cause::FarEndHearsNothing => {
            "a new way is asked for; if that does not help, a firewall, a VPN or a router here keeps it from leaving"
        }
        Cause::SilentMicrophone => {
            "check the headset's mute switch and whether this program may use the microphone"
        }
        Cause::SpeaksMuted => "unmute to be heard",
    }
}

/// The codec of a static payload type (RFC 3551 table 4) that far ends send unasked.
fn codec_of(payload_type: u8) -> Option<&'static str> {
    Some(match payload_type {
        0 => "PCMU",
        3 => "GSM",
        4 => "G.723",
        8 => "PCMA",
        9 => "G.722",
        15 => "G.728",
        18 => "G.729",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::voice::VoiceProfile;

    #[test]
    fn only_the_hint_to_who_talks_while_muted_may_be_unwanted() {
        let parts = VoiceProfile::Headset.parts();
        let silent = VoiceParts {
            muted_hint: false,
            ..parts
        };
        assert!(is_wanted(Cause::SpeaksMuted, parts));
        assert!(!is_wanted(Cause::SpeaksMuted, silent));
        assert!(is_wanted(Cause::SilentMicrophone, silent));
    }

    #[test]
    fn each_cause_has_a_word_of_its_own_says_what_is_so_and_what_to_do() {
        let from = "203.0.113.7:9999".parse().unwrap();
        let mut words = Vec::new();
        for cause in [
            Cause::NothingReceived(FarSending::Sends),
            Cause::NothingReceived(FarSending::SendsNothing),
            Cause::NothingReceived(FarSending::Unknown),
            Cause::WrongSource(from),
            Cause::WrongPayload(18),
            Cause::Undecodable,
            Cause::Unauthentic,
            Cause::NoAddress,
            Cause::NoFrames,
            Cause::FarEndHearsNothing,
            Cause::SilentMicrophone,
            Cause::SpeaksMuted,
        ] {
            let view = view(cause);
            assert!(!view.text.is_empty() && !view.advice.is_empty());
            assert!(!view.text.ends_with('.') && !view.advice.ends_with('.'));
            assert!(!words.contains(&view.cause), "{}", view.cause);
            words.push(view.cause);
        }
        assert!(text(Cause::WrongPayload(18)).contains("G.729 (payload type 18)"));
        assert!(text(Cause::WrongPayload(97)).contains("payload type 97"));
        assert!(text(Cause::WrongSource(from)).contains("203.0.113.7:9999"));
    }
}
