//! The INVITE client transaction (RFC 3261 section 17.1.1, RFC 6026 section 7.2).

use std::time::Duration;

use super::TransactionTimer::{A, B, D, M};
use super::{ClientInput, Steps};
use crate::sip::timer::{T1, TIMEOUT};

/// Where it stands.
#[derive(Debug)]
pub(super) enum ClientInvite {
    /// The INVITE is on its way.
    Calling {
        /// The INVITE.
        request: Vec<u8>,
        /// Timer A's last value.
        interval: Duration,
    },
    /// A provisional answer came; from now on only the user's patience ends it.
    Proceeding,
    /// It failed; each repeated answer gets the ACK again.
    Completed {
        /// The ACK.
        ack: Vec<u8>,
    },
    /// A 2xx came; further ones, of other branches too, go to the user agent.
    Accepted,
    /// It is over.
    Terminated,
}

impl ClientInvite {
    pub(super) fn start(request: &[u8], reliable: bool, steps: &mut Steps) -> Self {
        steps.send(request);
        if !reliable {
            steps.start(A, T1);
        }
        steps.start(B, TIMEOUT);
        Self::Calling {
            request: request.to_vec(),
            interval: T1,
        }
    }

    pub(super) fn handle(self, input: ClientInput<'_>, reliable: bool, steps: &mut Steps) -> Self {
        match self {
            Self::Calling { request, interval } => {
                Self::calling(request, interval, input, reliable, steps)
            }
            Self::Proceeding => Self::proceeding(input, reliable, steps),
            Self::Completed { ack } => Self::completed(ack, input, steps),
            Self::Accepted => Self::accepted(input, steps),
            Self::Terminated => Self::Terminated,
        }
    }

    fn calling(
        request: Vec<u8>,
        interval: Duration,
        input: ClientInput<'_>,
        reliable: bool,
        steps: &mut Steps,
    ) -> Self {
        match input {
            ClientInput::Response { .. } => {
                steps.stop(A);
                steps.stop(B);
                Self::proceeding(input, reliable, steps)
            }
            ClientInput::Timer(A) => {
                steps.send(&request);
                let interval = interval * 2;
                steps.start(A, interval);
                Self::Calling { request, interval }
            }
            ClientInput::Timer(B) => {
                steps.timed_out();
                Self::Terminated
            }
            ClientInput::Timer(_) => Self::Calling { request, interval },
        }
    }

    fn proceeding(input: ClientInput<'_>, reliable: bool, steps: &mut Steps) -> Self {
        match input {
            ClientInput::Response { code: ..200, .. } => {
                steps.pass();
                Self::Proceeding
            }
            ClientInput::Response { code: ..300, .. } => {
                steps.start(M, TIMEOUT);
                steps.pass();
                Self::Accepted
            }
            ClientInput::Response { ack, .. } => {
                steps.send(ack);
                if reliable {
                    steps.pass();
                    return Self::Terminated;
                }
                steps.start(D, TIMEOUT);
                steps.pass();
                Self::Completed { ack: ack.to_vec() }
            }
            ClientInput::Timer(_) => Self::Proceeding,
        }
    }

    fn completed(ack: Vec<u8>, input: ClientInput<'_>, steps: &mut Steps) -> Self {
        match input {
            ClientInput::Response { code: 300.., .. } => {
                steps.send(&ack);
                Self::Completed { ack }
            }
            ClientInput::Timer(D) => Self::Terminated,
            ClientInput::Response { .. } | ClientInput::Timer(_) => Self::Completed { ack },
        }
    }

    fn accepted(input: ClientInput<'_>, steps: &mut Steps) -> Self {
        match input {
            ClientInput::Response { code: 200..300, .. } => {
                steps.pass();
                Self::Accepted
            }
            ClientInput::Timer(M) => Self::Terminated,
            ClientInput::Response { .. } | ClientInput::Timer(_) => Self::Accepted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::*;
    use crate::sip::transaction::TransactionTimer;

    fn response(code: u16) -> ClientInput<'static> {
        ClientInput::Response { code, ack: b"ACK" }
    }

    fn step(
        machine: ClientInvite,
        input: ClientInput<'_>,
        reliable: bool,
    ) -> (ClientInvite, Vec<Step>) {
        let mut steps = Steps::default();
        let machine = machine.handle(input, reliable, &mut steps);
        (machine, steps.0)
    }

    fn started(reliable: bool) -> (ClientInvite, Vec<Step>) {
        let mut steps = Steps::default();
        let machine = ClientInvite::start(b"INVITE", reliable, &mut steps);
        (machine, steps.0)
    }

    #[test]
    fn timer_a_doubles_until_timer_b_ends_it() {
        let (mut machine, steps) = started(false);
        assert_eq!(
            steps,
            [
                Step::Send(b"INVITE".to_vec()),
                Step::Start(A, T1),
                Step::Start(B, TIMEOUT)
            ]
        );
        let mut pause = T1;
        for _ in 0..6 {
            let (next, steps) = step(machine, ClientInput::Timer(A), false);
            pause *= 2;
            assert_eq!(
                steps,
                [Step::Send(b"INVITE".to_vec()), Step::Start(A, pause)]
            );
            machine = next;
        }
        let (machine, steps) = step(machine, ClientInput::Timer(B), false);
        assert!(matches!(machine, ClientInvite::Terminated));
        assert_eq!(steps, [Step::TimedOut]);
    }

    #[test]
    fn a_stream_needs_no_retransmission() {
        let (_, steps) = started(true);
        assert!(!steps.iter().any(|s| matches!(s, Step::Start(A, _))));
    }

    #[test]
    fn a_provisional_answer_stops_both_timers_so_that_ringing_has_no_limit_of_ours() {
        let (machine, _) = started(false);
        let (machine, steps) = step(machine, response(180), false);
        assert_eq!(steps, [Step::Stop(A), Step::Stop(B), Step::Pass]);
        for timer in TransactionTimer::ALL {
            let (still, steps) = step(ClientInvite::Proceeding, ClientInput::Timer(timer), false);
            assert!(matches!(still, ClientInvite::Proceeding));
            assert_eq!(steps, []);
        }
        let (_, steps) = step(machine, response(183), false);
        assert_eq!(steps, [Step::Pass]);
    }

    #[test]
    fn a_refusal_is_acknowledged_each_time_and_passed_once() {
        let (machine, _) = started(false);
        let (machine, steps) = step(machine, response(486), false);
        assert!(steps.contains(&Step::Send(b"ACK".to_vec())));
        assert!(steps.contains(&Step::Pass) && steps.contains(&Step::Start(D, TIMEOUT)));
        let (machine, steps) = step(machine, response(486), false);
        assert_eq!(steps, [Step::Send(b"ACK".to_vec())]);
        let (machine, steps) = step(machine, response(180), false);
        assert_eq!(steps, []);
        let (machine, _) = step(machine, ClientInput::Timer(D), false);
        assert!(matches!(machine, ClientInvite::Terminated));
        let (machine, _) = step(started(true).0, response(486), true);
        assert!(matches!(machine, ClientInvite::Terminated));
    }

    #[test]
    fn every_2xx_is_passed_until_timer_m() {
        let (machine, _) = started(false);
        let (machine, steps) = step(machine, response(200), false);
        assert!(steps.contains(&Step::Start(M, TIMEOUT)) && steps.contains(&Step::Pass));
        let (machine, steps) = step(machine, response(200), false);
        assert_eq!(steps, [Step::Pass]);
        let (machine, steps) = step(machine, response(486), false);
        assert_eq!(steps, []);
        let (machine, _) = step(machine, ClientInput::Timer(M), false);
        assert!(matches!(machine, ClientInvite::Terminated));
    }
}
