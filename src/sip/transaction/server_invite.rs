//! The INVITE server transaction (RFC 3261 section 17.2.1, RFC 6026 section 7.1).

use std::time::Duration;

use super::TransactionTimer::{G, H, I, L};
use super::{ServerInput, Steps};
use crate::sip::timer::{T1, T2, T4, TIMEOUT};

/// Where it stands.
#[derive(Debug)]
pub(super) enum ServerInvite {
    /// No final answer yet.
    Proceeding {
        /// The last provisional answer.
        provisional: Option<Vec<u8>>,
    },
    /// Refused; the refusal is repeated until the ACK.
    Completed {
        /// The refusal.
        response: Vec<u8>,
        /// Timer G's last value.
        interval: Duration,
    },
    /// The ACK of the refusal came; further ones are absorbed.
    Confirmed,
    /// A 2xx was sent; the user agent repeats it, INVITEs are absorbed.
    Accepted,
    /// It is over.
    Terminated,
}

impl ServerInvite {
    pub(super) fn start() -> Self {
        Self::Proceeding { provisional: None }
    }

    pub(super) fn handle(self, input: ServerInput<'_>, reliable: bool, steps: &mut Steps) -> Self {
        match self {
            Self::Proceeding { provisional } => {
                Self::proceeding(provisional, input, reliable, steps)
            }
            Self::Completed { response, interval } => {
                Self::completed(response, interval, input, reliable, steps)
            }
            Self::Confirmed => Self::confirmed(input),
            Self::Accepted => Self::accepted(input, steps),
            Self::Terminated => Self::Terminated,
        }
    }

    fn proceeding(
        provisional: Option<Vec<u8>>,
        input: ServerInput<'_>,
        reliable: bool,
        steps: &mut Steps,
    ) -> Self {
        match input {
            ServerInput::Again => {
                if let Some(response) = &provisional {
                    steps.send(response);
                }
                Self::Proceeding { provisional }
            }
            ServerInput::Respond { code, bytes } => {
                steps.send(bytes);
                match code {
                    ..200 => Self::Proceeding {
                        provisional: Some(bytes.to_vec()),
                    },
                    200..300 => {
                        steps.start(L, TIMEOUT);
                        Self::Accepted
                    }
                    300.. => {
                        if !reliable {
                            steps.start(G, T1);
                        }
                        steps.start(H, TIMEOUT);
                        Self::Completed {
                            response: bytes.to_vec(),
                            interval: T1,
                        }
                    }
                }
            }
            ServerInput::Ack | ServerInput::Timer(_) => Self::Proceeding { provisional },
        }
    }

    fn completed(
        response: Vec<u8>,
        interval: Duration,
        input: ServerInput<'_>,
        reliable: bool,
        steps: &mut Steps,
    ) -> Self {
        match input {
            ServerInput::Again => {
                steps.send(&response);
                Self::Completed { response, interval }
            }
            ServerInput::Timer(G) => {
                steps.send(&response);
                let interval = (interval * 2).min(T2);
                steps.start(G, interval);
                Self::Completed { response, interval }
            }
            ServerInput::Timer(H) => {
                steps.timed_out();
                Self::Terminated
            }
            ServerInput::Ack => {
                steps.stop(G);
                steps.stop(H);
                if reliable {
                    return Self::Terminated;
                }
                steps.start(I, T4);
                Self::Confirmed
            }
            ServerInput::Respond { .. } | ServerInput::Timer(_) => {
                Self::Completed { response, interval }
            }
        }
    }

    fn confirmed(input: ServerInput<'_>) -> Self {
        match input {
            ServerInput::Timer(I) => Self::Terminated,
            ServerInput::Again
            | ServerInput::Ack
            | ServerInput::Respond { .. }
            | ServerInput::Timer(_) => Self::Confirmed,
        }
    }

    fn accepted(input: ServerInput<'_>, steps: &mut Steps) -> Self {
        match input {
            ServerInput::Timer(L) => Self::Terminated,
            ServerInput::Respond {
                code: 200..300,
                bytes,
            } => {
                steps.send(bytes);
                Self::Accepted
            }
            ServerInput::Ack => {
                steps.pass();
                Self::Accepted
            }
            ServerInput::Again | ServerInput::Respond { .. } | ServerInput::Timer(_) => {
                Self::Accepted
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::*;

    fn step(
        machine: ServerInvite,
        input: ServerInput<'_>,
        reliable: bool,
    ) -> (ServerInvite, Vec<Step>) {
        let mut steps = Steps::default();
        let machine = machine.handle(input, reliable, &mut steps);
        (machine, steps.0)
    }

    fn respond(code: u16) -> ServerInput<'static> {
        ServerInput::Respond {
            code,
            bytes: b"answer",
        }
    }

    fn sent() -> Step {
        Step::Send(b"answer".to_vec())
    }

    #[test]
    fn a_repeated_invite_gets_the_last_provisional_answer() {
        let (machine, steps) = step(ServerInvite::start(), ServerInput::Again, false);
        assert_eq!(steps, []);
        let (machine, _) = step(machine, respond(180), false);
        let (_, steps) = step(machine, ServerInput::Again, false);
        assert_eq!(steps, [sent()]);
    }

    #[test]
    fn a_refusal_is_repeated_up_to_t2_until_the_ack() {
        let (mut machine, steps) = step(ServerInvite::start(), respond(486), false);
        assert_eq!(steps, [sent(), Step::Start(G, T1), Step::Start(H, TIMEOUT)]);
        for pause in [1, 2, 4, 4] {
            let (next, steps) = step(machine, ServerInput::Timer(G), false);
            assert_eq!(steps, [sent(), Step::Start(G, Duration::from_secs(pause))]);
            machine = next;
        }
        let (machine, steps) = step(machine, ServerInput::Ack, false);
        assert_eq!(steps, [Step::Stop(G), Step::Stop(H), Step::Start(I, T4)]);
        let (machine, steps) = step(machine, ServerInput::Ack, false);
        assert_eq!(steps, []);
        let (machine, _) = step(machine, ServerInput::Timer(I), false);
        assert!(matches!(machine, ServerInvite::Terminated));
    }

    #[test]
    fn a_refusal_without_ack_ends_with_timer_h_on_a_stream_too() {
        let (machine, steps) = step(ServerInvite::start(), respond(486), true);
        assert_eq!(steps, [sent(), Step::Start(H, TIMEOUT)]);
        let (machine, steps) = step(machine, ServerInput::Timer(H), true);
        assert_eq!(steps, [Step::TimedOut]);
        assert!(matches!(machine, ServerInvite::Terminated));
    }

    #[test]
    fn an_accepted_invite_is_absorbed_while_the_2xx_is_repeated() {
        let (machine, steps) = step(ServerInvite::start(), respond(200), false);
        assert_eq!(steps, [sent(), Step::Start(L, TIMEOUT)]);
        let (machine, steps) = step(machine, ServerInput::Again, false);
        assert_eq!(steps, []);
        let (machine, steps) = step(machine, respond(200), false);
        assert_eq!(steps, [sent()]);
        let (machine, steps) = step(machine, respond(486), false);
        assert_eq!(steps, []);
        let (machine, _) = step(machine, ServerInput::Timer(L), false);
        assert!(matches!(machine, ServerInvite::Terminated));
    }
}
