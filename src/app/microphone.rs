//! What the agent is told of a microphone that gives nothing, as a pure decision.

use crate::media::MicrophoneState;

/// The word for scripts, and what is wrong and what to do.
pub(super) fn words(state: MicrophoneState, name: &str) -> (&'static str, Option<String>) {
    match state {
        MicrophoneState::Silent => (
            "silent",
            Some(format!(
                "the microphone “{name}” gives only silence: is it muted, or may this program not \
                 use it? Look at its switch and at the privacy settings of the system"
            )),
        ),
        MicrophoneState::Stopped => (
            "stopped",
            Some(format!(
                "the microphone “{name}” gives no sound any more: plug it in again, or choose \
                 another one in the settings"
            )),
        ),
        MicrophoneState::Back => ("back", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_the_name_and_a_remedy_until_it_is_over() {
        for (state, word, remedy) in [
            (MicrophoneState::Silent, "silent", "is it muted"),
            (MicrophoneState::Stopped, "stopped", "plug it in again"),
        ] {
            let (told, problem) = words(state, "Desk mic");
            let problem = problem.unwrap();
            assert_eq!(told, word);
            assert!(
                problem.contains("“Desk mic”") && problem.contains(remedy),
                "{problem}"
            );
        }
        assert_eq!(words(MicrophoneState::Back, "Desk mic"), ("back", None));
    }
}
