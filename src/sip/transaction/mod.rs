//! The four transaction machines of RFC 3261 section 17 with the Accepted states of RFC 6026.
//!
//! A machine holds one message exchange. It is moved by messages and timers and writes down what
//! it wants done; [`Transactions`] keeps them all, finds the one that a message belongs to and
//! tells the endpoint what to do.
//!
//! ```text
//!             client                                  server
//! INVITE      Calling > Proceeding > Completed        Proceeding > Completed > Confirmed
//!                                  > Accepted                    > Accepted
//! others      Trying  > Proceeding > Completed        Trying > Proceeding > Completed
//! ```

mod client_invite;
mod client_non_invite;
mod server_invite;
mod server_key;
mod server_non_invite;
mod shares;
mod table;

use std::time::Duration;

pub(crate) use server_key::ServerKey;
pub(crate) use shares::Standing;
pub(crate) use table::{ClientOwner, Incoming, Outcome, Transactions, ack_of};

/// Names one transaction while it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TransactionId(pub(crate) u64);

/// The timers of RFC 3261 table 4 and RFC 6026 section 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TransactionTimer {
    /// A: the pause before an INVITE is sent again, from T1, doubling.
    A,
    /// B: how long an INVITE waits for any answer.
    B,
    /// D: how long answers to an INVITE that failed are absorbed.
    D,
    /// E: the pause before another request is sent again, from T1 to T2.
    E,
    /// F: how long another request waits for its final answer.
    F,
    /// G: the pause before a refusal of an INVITE is sent again, from T1 to T2.
    G,
    /// H: how long a refusal waits for its ACK.
    H,
    /// I: how long ACKs are absorbed.
    I,
    /// J: how long a request that was answered is absorbed.
    J,
    /// K: how long answers to another request are absorbed.
    K,
    /// L: how long an accepted INVITE is absorbed.
    L,
    /// M: how long 2xx of other branches are waited for.
    M,
}

impl TransactionTimer {
    const ALL: [Self; 12] = [
        Self::A,
        Self::B,
        Self::D,
        Self::E,
        Self::F,
        Self::G,
        Self::H,
        Self::I,
        Self::J,
        Self::K,
        Self::L,
        Self::M,
    ];
}

/// One thing that a machine wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Send(Vec<u8>),
    Start(TransactionTimer, Duration),
    Stop(TransactionTimer),
    /// Give the message to the user agent.
    Pass,
    /// Tell the user agent that the far end is silent.
    TimedOut,
}

/// What a machine wants done, in order.
#[derive(Debug, Default)]
struct Steps(Vec<Step>);

impl Steps {
    fn send(&mut self, bytes: &[u8]) {
        self.0.push(Step::Send(bytes.to_vec()));
    }

    fn start(&mut self, timer: TransactionTimer, after: Duration) {
        self.0.push(Step::Start(timer, after));
    }

    fn stop(&mut self, timer: TransactionTimer) {
        self.0.push(Step::Stop(timer));
    }

    fn pass(&mut self) {
        self.0.push(Step::Pass);
    }

    fn timed_out(&mut self) {
        self.0.push(Step::TimedOut);
    }
}

/// What a server machine learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ServerInput<'b> {
    /// The request came again.
    Again,
    /// An ACK came.
    Ack,
    /// The user agent answers.
    Respond {
        /// The status code.
        code: u16,
        /// The whole message.
        bytes: &'b [u8],
    },
    /// A timer ran.
    Timer(TransactionTimer),
}

/// What a client machine learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientInput<'b> {
    /// A response came.
    Response {
        /// The status code.
        code: u16,
        /// The ACK that belongs to it, for an INVITE that failed.
        ack: &'b [u8],
    },
    /// A timer ran.
    Timer(TransactionTimer),
}
