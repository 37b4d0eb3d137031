//! An account that is tried before it is kept.

use std::net::SocketAddr;
use std::time::Duration;

use crate::base::flow::Transport;
use crate::config::Account;
use crate::config::account::TransportChoice;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialOutcome {
    /// The account, with the transport that worked.
    pub account: Account,
    /// Each way that was tried, in order; the last one decided.
    pub steps: Vec<TrialStep>,
}

/// One way to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialStep {
    /// By which transport.
    pub transport: TransportChoice,
    /// Whom it reached, or what is wrong and what to do.
    pub result: Result<Reached, String>,
}

/// A registrar that took the registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// By which transport.
    pub transport: Transport,
    /// Its address and port.
    pub server: SocketAddr,
    /// For how long it would have kept it.
    pub expires: Duration,
}

/// Where a trial stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrialView {
    /// It goes on, for this address.
    Trying(String),
    /// It is over.
    Over(Box<TrialOutcome>),
}

impl TrialOutcome {
    /// The registrar, when the account works.
    pub fn reached(&self) -> Option<&Reached> {
        self.steps.last()?.result.as_ref().ok()
    }

    /// What is wrong, when it does not: what the last way told.
    pub fn problem(&self) -> Option<&str> {
        self.steps.last()?.result.as_ref().err().map(String::as_str)
    }
}
