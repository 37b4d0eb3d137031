//! When a call ends because nothing is heard of its far end, as a pure decision.

use std::time::Duration;

/// So long nothing may be heard before the agent is told.
const WORTH_TELLING: Duration = Duration::from_secs(10);

/// What is known of a call in which nothing is heard. Only a call that should hear something is told
/// as silent: one on hold is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Silence {
    /// For how long neither sound nor a report came, since the call should hear something: who saves on
    /// silence still reports by RTCP.
    pub(super) lasting: Duration,
    /// Whether it is a call for help, or one back from there.
    pub(super) urgent: bool,
    /// After how long the settings end a call; zero for never.
    pub(super) limit: Duration,
}

impl Silence {
    /// Whether it lasts long enough to be told: the far end may need a moment after its answer.
    pub(super) fn tells(self) -> bool {
        self.lasting >= WORTH_TELLING
    }

    /// The time that is left until the call ends, if it does.
    pub(super) fn ends_in(self) -> Option<Duration> {
        let ends = !self.limit.is_zero() && !self.urgent;
        ends.then(|| self.limit.saturating_sub(self.lasting))
    }

    /// What the agent is told.
    pub(super) fn warning(self) -> String {
        let seconds = self.lasting.as_secs();
        let heard = format!(
            "nothing was heard from the far end for {seconds} s; a firewall or VPN may keep its sound away"
        );
        match self.ends_in() {
            Some(left) if !left.is_zero() => {
                format!("{heard}; the call ends in {} s", left.as_secs())
            }
            Some(_) | None => heard,
        }
    }
}

/// Why the call has ended, for its row.
pub(super) fn words(limit: Duration) -> String {
    format!(
        "ended by itself: nothing was heard from the far end for {} s",
        limit.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn silence(seconds: u32) -> Silence {
        Silence {
            lasting: SECOND * seconds,
            urgent: false,
            limit: SECOND * 30,
        }
    }

    #[test]
    fn a_call_without_sound_is_warned_of_and_ends_at_the_limit() {
        let first = silence(10);
        assert_eq!(first.ends_in(), Some(SECOND * 20));
        assert!(first.warning().contains("for 10 s"), "{}", first.warning());
        assert!(first.warning().ends_with("the call ends in 20 s"));
        assert_eq!(silence(31).ends_in(), Some(Duration::ZERO));
        assert!(!silence(31).warning().contains("ends in"));
    }

    #[test]
    fn a_moment_of_silence_is_not_worth_telling() {
        assert!(!silence(9).tells());
        assert!(silence(10).tells());
    }

    #[test]
    fn it_goes_on_where_the_limit_is_off_or_help_is_called() {
        let limit = Duration::ZERO;
        for goes_on in [
            Silence {
                limit,
                ..silence(60)
            },
            Silence {
                urgent: true,
                ..silence(60)
            },
        ] {
            assert_eq!(goes_on.ends_in(), None, "{goes_on:?}");
            assert!(goes_on.warning().contains("nothing was heard"));
        }
    }
}
