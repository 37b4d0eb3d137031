//! What the user agent must know of an account.

use std::time::Duration;

use crate::base::flow::{ProfileId, Transport};
use crate::base::redact::Secret;
use crate::base::uri::Uri;

/// A name and a password for digest authentication (RFC 7616).
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The authentication user name, which may differ from the address.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// Whether MD5 is good enough where SHA-256 was offered before: somebody between may have taken the
/// better challenge away (RFC 8760 section 2.4, bidding down).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DigestRules {
    /// Whether the user consented to MD5 for such realms.
    pub allow_md5: bool,
    /// The realms that offered SHA-256 or better so far.
    pub strong_realms: Vec<String>,
}

/// One account, as the user agent sees it.
#[derive(Debug, Clone)]
pub struct AccountSetup {
    /// The address of record: To and From of its registration, From of its calls.
    pub address: Uri,
    /// The name shown to the far end.
    pub display_name: Option<String>,
    /// The registrar as `sip:host[:port][;transport=]`; none means no registration.
    pub registrar: Option<Uri>,
    /// A loose route in front of all requests.
    pub outbound_proxy: Option<Uri>,
    /// The transport for requests that it starts; none leaves it to RFC 3263. UDP also keeps requests
    /// of more than 1300 octets on UDP.
    pub transport: Option<Transport>,
    /// By which settings its secured and WebSocket connections are opened.
    pub profile: ProfileId,
    /// For challenges; none means that a challenge ends the request.
    pub credentials: Option<Credentials>,
    /// What weakens its digests.
    pub digest: DigestRules,
    /// The registration's lifetime that is asked for; 3600 s is the usual value.
    pub expires: Duration,
    /// How long an incoming call rings before it is refused with 480, and an outgoing one before
    /// it is cancelled.
    pub ring_limit: Duration,
    /// Which extensions its calls use.
    pub extensions: CallExtensions,
}

/// Which extensions of a call are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallExtensions {
    /// Reliable provisional answers.
    pub reliable: Reliability,
    /// The interval after which a call that nobody refreshes ends (RFC 4028), 90 s to a day; zero
    /// for no such timer.
    pub session_expires: Duration,
}

impl Default for CallExtensions {
    fn default() -> Self {
        Self {
            reliable: Reliability::Supported,
            session_expires: Duration::from_secs(1800),
        }
    }
}

/// Whether provisional answers are acknowledged (100rel, RFC 3262).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reliability {
    /// Never; a far end that demands it is refused with 420.
    Off,
    /// Where the far end demands it, and for answers with a session description where it can.
    #[default]
    Supported,
    /// Always; a far end that cannot is refused with 421.
    Required,
}
