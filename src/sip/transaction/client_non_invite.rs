//! The client transaction of all requests but INVITE and ACK (RFC 3261 section 17.1.2).

use std::time::Duration;

use super::TransactionTimer::{E, F, K};
use super::{ClientInput, Steps};
use crate::sip::timer::{T1, T2, T4, TIMEOUT};

/// Where it stands.
#[derive(Debug)]
pub(super) enum ClientNonInvite {
    /// The request is on its way.
    Trying {
        /// The request.
        request: Vec<u8>,
        /// Timer E's last value.
        interval: Duration,
    },
    /// A provisional answer came; the request is repeated every T2.
    Proceeding {
        /// The request.
        request: Vec<u8>,
    },
    /// The final answer came; repeated ones are absorbed.
    Completed,
    /// It is over.
    Terminated,
}

impl ClientNonInvite {
    pub(super) fn start(request: &[u8], reliable: bool, steps: &mut Steps) -> Self {
        steps.send(request);
        if !reliable {
            steps.start(E, T1);
        }
        steps.start(F, TIMEOUT);
        Self::Trying {
            request: request.to_vec(),
            interval: T1,
        }
    }

    pub(super) fn handle(self, input: ClientInput<'_>, reliable: bool, steps: &mut Steps) -> Self {
        match self {
            Self::Trying { request, interval } => {
                Self::trying(request, interval, input, reliable, steps)
            }
            Self::Proceeding { request } => Self::proceeding(request, input, reliable, steps),
            Self::Completed => Self::completed(input),
            Self::Terminated => Self::Terminated,
        }
    }

    fn trying(
        request: Vec<u8>,
        interval: Duration,
        input: ClientInput<'_>,
        reliable: bool,
        steps: &mut Steps,
    ) -> Self {
        match input {
            ClientInput::Timer(E) => {
                steps.send(&request);
                let interval = (interval * 2).min(T2);
                steps.start(E, interval);
                Self::Trying { request, interval }
            }
            ClientInput::Timer(F) => {
                steps.timed_out();
                Self::Terminated
            }
            ClientInput::Timer(_) => Self::Trying { request, interval },
            ClientInput::Response { code, .. } => Self::answered(request, code, reliable, steps),
        }
    }

    fn proceeding(
        request: Vec<u8>,
        input: ClientInput<'_>,
        reliable: bool,
        steps: &mut Steps,
    ) -> Self {
        match input {
            ClientInput::Timer(E) => {
                steps.send(&request);
                steps.start(E, T2);
                Self::Proceeding { request }
            }
            ClientInput::Timer(F) => {
                steps.timed_out();
                Self::Terminated
            }
            ClientInput::Timer(_) => Self::Proceeding { request },
            ClientInput::Response { code, .. } => Self::answered(request, code, reliable, steps),
        }
    }

    fn answered(request: Vec<u8>, code: u16, reliable: bool, steps: &mut Steps) -> Self {
        if code < 200 {
            steps.pass();
            return Self::Proceeding { request };
        }
        steps.stop(E);
        steps.stop(F);
        if reliable {
            steps.pass();
            return Self::Terminated;
        }
        steps.start(K, T4);
        steps.pass();
        Self::Completed
    }

    fn completed(input: ClientInput<'_>) -> Self {
        match input {
            ClientInput::Timer(K) => Self::Terminated,
            ClientInput::Timer(_) | ClientInput::Response { .. } => Self::Completed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::*;

    fn step(
        machine: ClientNonInvite,
        input: ClientInput<'_>,
        reliable: bool,
    ) -> (ClientNonInvite, Vec<Step>) {
        let mut steps = Steps::default();
        let machine = machine.handle(input, reliable, &mut steps);
        (machine, steps.0)
    }

    fn started(reliable: bool) -> ClientNonInvite {
        ClientNonInvite::start(b"BYE", reliable, &mut Steps::default())
    }

    fn response(code: u16) -> ClientInput<'static> {
        ClientInput::Response { code, ack: b"" }
    }

    #[test]
    fn timer_e_doubles_up_to_t2_and_timer_f_ends_it() {
        let mut machine = started(false);
        for pause in [1000, 2000, 4000, 4000] {
            let (next, steps) = step(machine, ClientInput::Timer(E), false);
            assert_eq!(
                steps,
                [
                    Step::Send(b"BYE".to_vec()),
                    Step::Start(E, Duration::from_millis(pause))
                ]
            );
            machine = next;
        }
        let (machine, steps) = step(machine, ClientInput::Timer(F), false);
        assert!(matches!(machine, ClientNonInvite::Terminated));
        assert_eq!(steps, [Step::TimedOut]);
    }

    #[test]
    fn a_provisional_answer_slows_the_retransmission_and_does_not_stop_timer_f() {
        let (machine, steps) = step(started(false), response(100), false);
        assert_eq!(steps, [Step::Pass]);
        let (machine, steps) = step(machine, ClientInput::Timer(E), false);
        assert_eq!(steps, [Step::Send(b"BYE".to_vec()), Step::Start(E, T2)]);
        let (_, steps) = step(machine, ClientInput::Timer(F), false);
        assert_eq!(steps, [Step::TimedOut]);
    }

    #[test]
    fn the_final_answer_is_passed_once_and_absorbed_until_timer_k() {
        let (machine, steps) = step(started(false), response(200), false);
        assert_eq!(
            steps,
            [Step::Stop(E), Step::Stop(F), Step::Start(K, T4), Step::Pass]
        );
        let (machine, steps) = step(machine, response(200), false);
        assert_eq!(steps, []);
        let (machine, _) = step(machine, ClientInput::Timer(K), false);
        assert!(matches!(machine, ClientNonInvite::Terminated));
        let (machine, _) = step(started(true), response(200), true);
        assert!(matches!(machine, ClientNonInvite::Terminated));
    }
}
