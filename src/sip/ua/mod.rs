//! The user agent core: registrations, calls, and the answers to everything else.
//!
//! Each file extends [`crate::sip::Endpoint`] by one concern:
//!
//! | file | concern |
//! |---|---|
//! | `acceptance` | whose requests are taken at all |
//! | `outgoing` | a request on its way: targets, challenges, failover (RFC 3263 section 4.3) |
//! | `lookup` | questions to the resolver |
//! | `failover` | servers that failed lately stand last |
//! | `account` | one account and what is known of its binding |
//! | `ack` | the ACK of a 2xx, and its repetitions |
//! | `addressing` | Via, Contact and flow towards a place |
//! | `authentication` | challenges answered, nonces counted |
//! | `refusal` | why a registration does not come about |
//! | `registration` | bindings: made, refreshed, removed |
//! | `session` | what is known of one call |
//! | `session_ident` | the name of a session over all its hops |
//! | `invite_client` | calls we make |
//! | `cancel` | calls we give up before they are answered |
//! | `invite_server` | calls we get |
//! | `reliable` | provisional answers that are acknowledged (RFC 3262) |
//! | `reinvite` | changes inside a call that we make: re-INVITE, UPDATE |
//! | `far_change` | changes inside a call that the far end makes |
//! | `session_timer` | calls that nobody refreshes (RFC 4028) |
//! | `information` | INFO that we send |
//! | `redirection` | calls we make that the far end sends elsewhere |
//! | `refer` | transfers that we ask for |
//! | `referral` | transfers that the far end asks for |
//! | `replacing` | calls that take the place of another |
//! | `network` | another network: streams, bindings and calls that follow |
//! | `in_dialog` | BYE, INFO, UPDATE and their like inside a call |
//! | `subscription` | what is known of one subscription |
//! | `subscribe` | SUBSCRIBE and its answers |
//! | `notify` | NOTIFY: news of subscriptions, of calls, and unasked |
//! | `incoming` | the checks of RFC 3261 section 8.2, requests outside of calls |

mod acceptance;
mod account;
mod ack;
mod addressing;
mod authentication;
mod cancel;
mod failover;
mod far_change;
mod far_end;
mod in_dialog;
mod incoming;
mod information;
mod invite_client;
mod invite_server;
mod lookup;
mod network;
mod notify;
mod outgoing;
mod redirection;
mod refer;
mod referral;
mod refusal;
mod registration;
mod reinvite;
mod reliable;
mod replacing;
mod session;
mod session_ident;
mod session_timer;
mod subscribe;
mod subscription;

pub(crate) use account::Account;
pub(crate) use failover::Penalties;
pub(crate) use incoming::{Arrival, phrase};
pub use referral::ReferralAnswer;
pub(crate) use referral::Unfollowed;

pub(crate) use lookup::Asked;
pub(crate) use outgoing::{Outgoing, OutgoingId, Owner};

pub(crate) use session::Session;
pub(crate) use subscription::Subscription;

/// The methods that we handle, as Allow lists them.
pub(crate) const ALLOW: &str =
    "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK, INFO, MESSAGE, NOTIFY, REFER";

/// The option tags that we support (RFC 3262, 3327, 3891, 4028, 4488).
pub(crate) const OPTION_TAGS: [&str; 5] = [
    reliable::TAG,
    "path",
    session_timer::TAG,
    "replaces",
    "norefersub",
];

/// The same, as Supported lists them.
pub(crate) const SUPPORTED: &str = "100rel, path, timer, replaces, norefersub";
