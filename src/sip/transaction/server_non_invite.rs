//! The server transaction of all requests but INVITE and ACK (RFC 3261 section 17.2.2).

use super::TransactionTimer::J;
use super::{ServerInput, Steps};
use crate::sip::timer::TIMEOUT;

/// Where it stands.
#[derive(Debug)]
pub(super) enum ServerNonInvite {
    /// No answer yet.
    Trying,
    /// A provisional answer was sent.
    Proceeding {
        /// The last one.
        provisional: Vec<u8>,
    },
    /// The final answer was sent; a repeated request gets it again.
    Completed {
        /// The final answer.
        response: Vec<u8>,
    },
    /// It is over.
    Terminated,
}

impl ServerNonInvite {
    pub(super) fn start() -> Self {
        Self::Trying
    }

    pub(super) fn handle(self, input: ServerInput<'_>, reliable: bool, steps: &mut Steps) -> Self {
        match self {
            Self::Trying => Self::trying(input, reliable, steps),
            Self::Proceeding { provisional } => {
                Self::proceeding(provisional, input, reliable, steps)
            }
            Self::Completed { response } => Self::completed(response, input, steps),
            Self::Terminated => Self::Terminated,
        }
    }

    fn trying(input: ServerInput<'_>, reliable: bool, steps: &mut Steps) -> Self {
        match input {
            ServerInput::Respond { code, bytes } => Self::respond(code, bytes, reliable, steps),
            ServerInput::Again | ServerInput::Ack | ServerInput::Timer(_) => Self::Trying,
        }
    }

    fn proceeding(
        provisional: Vec<u8>,
        input: ServerInput<'_>,
        reliable: bool,
        steps: &mut Steps,
    ) -> Self {
        match input {
            ServerInput::Again => {
                steps.send(&provisional);
                Self::Proceeding { provisional }
            }
            ServerInput::Respond { code, bytes } => Self::respond(code, bytes, reliable, steps),
            ServerInput::Ack | ServerInput::Timer(_) => Self::Proceeding { provisional },
        }
    }

    fn respond(code: u16, bytes: &[u8], reliable: bool, steps: &mut Steps) -> Self {
        steps.send(bytes);
        if code < 200 {
            return Self::Proceeding {
                provisional: bytes.to_vec(),
            };
        }
        if reliable {
            return Self::Terminated;
        }
        steps.start(J, TIMEOUT);
        Self::Completed {
            response: bytes.to_vec(),
        }
    }

    fn completed(response: Vec<u8>, input: ServerInput<'_>, steps: &mut Steps) -> Self {
        match input {
            ServerInput::Again => {
                steps.send(&response);
                Self::Completed { response }
            }
            ServerInput::Timer(J) => Self::Terminated,
            ServerInput::Respond { .. } | ServerInput::Ack | ServerInput::Timer(_) => {
                Self::Completed { response }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::*;

    fn step(
        machine: ServerNonInvite,
        input: ServerInput<'_>,
        reliable: bool,
    ) -> (ServerNonInvite, Vec<Step>) {
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

    #[test]
    fn a_repeated_request_gets_the_same_answer_until_timer_j() {
        let sent = Step::Send(b"answer".to_vec());
        let (machine, steps) = step(ServerNonInvite::start(), ServerInput::Again, false);
        assert_eq!(steps, []);
        let (machine, steps) = step(machine, respond(200), false);
        assert_eq!(steps, [sent.clone(), Step::Start(J, TIMEOUT)]);
        let (machine, steps) = step(machine, ServerInput::Again, false);
        assert_eq!(steps, [sent]);
        let (machine, steps) = step(machine, respond(500), false);
        assert_eq!(steps, []);
        let (machine, _) = step(machine, ServerInput::Timer(J), false);
        assert!(matches!(machine, ServerNonInvite::Terminated));
    }

    #[test]
    fn on_a_stream_the_answer_ends_it() {
        let (machine, _) = step(ServerNonInvite::start(), respond(200), true);
        assert!(matches!(machine, ServerNonInvite::Terminated));
    }
}
