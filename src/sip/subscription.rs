//! What is subscribed to, and where a subscription stands (RFC 6665), as the owner sees it.

use std::time::Duration;

use crate::base::id::AccountId;
use crate::base::uri::Uri;
use crate::sip::event::{Body, NameAddr, Status};

/// Names one subscription, with all dialogs that it makes, until it is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionId(pub u64);

/// Names one notifier of a subscription: a forked SUBSCRIBE reaches several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NotifierId(pub u64);

/// What to subscribe to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionSetup {
    /// Whose news.
    pub target: Uri,
    /// The event package with its parameters, such as `dialog` or `message-summary`.
    pub event: &'static str,
    /// The body types that can be read, as Accept lists them.
    pub accept: &'static str,
    /// The lifetime that is asked for; zero fetches the state once (RFC 6665 section 4.4.3).
    pub expires: Duration,
    /// Whether several notifiers may answer, as the package says (RFC 6665 section 5.4.9).
    pub forks: bool,
}

/// Where a subscription stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionState {
    /// A SUBSCRIBE is on its way, or its first NOTIFY.
    Subscribing,
    /// The notifier knows us, and waits until somebody allows it.
    Pending,
    /// News come.
    Active {
        /// How long it lives without a refresh.
        expires: Duration,
    },
    /// It failed or was ended, and is tried again.
    Waiting {
        /// The answer, when there was one.
        status: Option<Status>,
        /// What is wrong, for a person.
        reason: String,
        /// After how long it is tried again.
        retry_in: Duration,
    },
    /// It is over and not tried again of its own accord.
    Ended {
        /// The answer, when there was one.
        status: Option<Status>,
        /// Why, for a person.
        reason: String,
    },
}

/// News that nobody subscribed to (message waiting, as RFC 3842 is used in the field).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsolicitedNews {
    /// The account that it is for; none for a direct one.
    pub account: Option<AccountId>,
    /// The event package.
    pub event: String,
    /// Who tells.
    pub from: NameAddr,
    /// The news.
    pub body: Body,
}
