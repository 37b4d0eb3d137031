//! SIP (RFC 3261 and its extensions) as a sans-IO state machine.
//!
//! # Layers
//!
//! ```text
//! bytes   wire (framing) > parse (our reader) > message           write (rsip) < message
//!                              |                                          ^
//!         transaction (four machines, one deadline table)  ---------------+
//!                              |                                          |
//!         dialog, route        |                                          |
//!                              v                                          |
//! owner   endpoint: events  <- ua (registration, calls, refusals) <- endpoint: commands
//! ```
//!
//! [`Endpoint`] is fed by `handle_*` and by commands, and drained by `poll_output` and
//! `poll_event`; only then is `poll_timeout` asked. It reads no clock, no socket and no random
//! source of its own, and sees bodies as opaque octets.
//!
//! # What a registrar or proxy may use
//!
//! [`parse::message`] reads a datagram or a framed message, [`parse::message_in_transit`] also a
//! response on its way to somebody else; [`wire::StreamFramer`] cuts a stream;
//! [`message::Message::response`] begins an answer, [`message::Message::to_bytes`] writes it;
//! [`digest::challenge`] asks for credentials, [`parse::credentials`] with [`digest::verify`] checks
//! them.
//!
//! # Covered
//!
//! | RFC | what |
//! |---|---|
//! | 3261 | user agent client and server: sections 7 to 15, 17 to 22, 25; no proxy, no S/MIME; the handshake of TLS and the names of certificates (RFC 5922) are the sockets' |
//! | 3262 | reliable provisional answers in both roles, offers and answers in PRACK; as caller no offer in PRACK |
//! | 3263 | section 4.3: the next target after a failure, Retry-After; the look-up (sections 4.1, 4.2) is in `net` |
//! | 3264 | who offers and who answers; the descriptions themselves are the owner's |
//! | 3311 | UPDATE received: target refresh, offers before and after the answer; sent: offers before the answer, refreshes |
//! | 3323, 3325 | P-Asserted-Identity and Remote-Party-ID from the account's own server alone; `Privacy: id` both ways |
//! | 3326 | Reason of CANCEL, BYE and final answers is shown; "answered elsewhere" in all its spellings; sent with the BYE of a call that nobody refreshed |
//! | 5373 | Answer-Mode; beside it Call-Info `answer-after` and Alert-Info; the owner's rules decide |
//! | 5806, 7044 | Diversion, else History-Info: the way of a call before it came here |
//! | 7090 | `Priority: psap-callback` from the own server |
//! | 3327, 3608 | `Supported: path`; Service-Route becomes the route of later requests |
//! | 3428 | MESSAGE received |
//! | 3515, 3420, 4488, 5589 | REFER inside a call, both roles, with its news; outside of calls 403 |
//! | 3842 | message waiting: subscribed to, and taken unsolicited from the registrar; the summary itself is the owner's |
//! | 3856, 4235 | presence and dialog state of others: subscribed to; the documents themselves are the owner's |
//! | 3581 | `rport` in both roles |
//! | 3891 | Replaces, both roles; 3892: Referred-By is sent, passed on and shown |
//! | 4475 | each case has its reaction in the simulator's tests |
//! | 5407 | section 3.1.4: a re-INVITE proves that the ACK was lost |
//! | 4028 | session timers in both roles, refreshed by UPDATE or re-INVITE; nobody is refreshed who knows no timers, unless a proxy asks |
//! | 5009 | P-Early-Media of provisional answers decides whose sound is heard |
//! | 5626 | sections 3.5.1, 4.4.1 and 4.5: keep-alives and back-off; no flows, no `reg-id` |
//! | 5630 | `sips:`: only by TLS and WSS, our Contact says so too, no way back to `sip:` |
//! | 6026 | the Accepted states, timers L and M |
//! | 6228 | 199: one of several phones stopped ringing |
//! | 6337 | offers and answers in provisional answers, PRACK and UPDATE |
//! | 6086 | INFO both ways: DTMF, one digit at a time |
//! | 6665 | the subscriber: NOTIFY before 200, forks, refresh, every reason of an end, fetching once |
//! | 7616, 8760 | digest: MD5, SHA-256, SHA-512-256, `-sess`, `auth` and `auth-int`; for the own server alone, and no step back to MD5 without consent |
//! | 7118 | WebSocket as client: Via and Contact of `.invalid`, one message in each frame |
//! | 7989 | Session-ID in calls: drawn, sent, kept and seen in the ladder; not in CANCEL and the ACK of a refusal |
//! | 8224 | no Identity header is verified; what the own server found out (`verstat`, 3GPP TS 24.229) is told |
//!
//! # Deviations
//!
//! - A request for nobody here is answered 404 without a transaction, not sent again, and after a few times not
//!   answered at all: see `ua::acceptance`.
//! - A request is moved from UDP to TCP for its size (RFC 3261 section 18.1.1) only where neither
//!   the account nor the URI asks for UDP: many providers have no TCP.
//! - `maddr` of a Via is not followed, so that nobody can aim our responses.
//! - Header fields that are no UTF-8 are read as Latin-1 and written back as UTF-8.
//! - A request inside a call that came by a stream goes by that stream where it leads to the same
//!   machine, whatever port the Contact names: the peer may be behind a NAT.
//! - The Contact follows the address that the registrar saw, as most phones do and no RFC says.
//! - Where an account's hop is an address, a certificate for the account's own domain counts as well
//!   as one for that address.
//! - `transport=tls` is written in a Contact of `sip:`, which RFC 3261 deprecates and everybody reads;
//!   a request of an account with TLS, WS or WSS goes that way even where a Record-Route or Contact
//!   names a lesser one.
//! - Of several NAPTR orders only the lowest that is usable counts, so that nobody can lead us from
//!   TLS to less; WebSocket is found by NAPTR, or by `_sip._ws` and `_sips._ws`.
//! - A registration that went to a second server returns to the first when that may be well again; a
//!   call asks the server that has the binding first.
//! - A re-INVITE tells the far end our new address after a change of the network; a call whose way
//!   did not change is left alone.
//! - The targets of a 3xx are called one after another, also those of the same `q`; 305 and 380 are
//!   never followed, since both let a far end choose what only the account's owner may.
//! - Header fields that a Contact's URI carries are dropped, not taken (RFC 3261 section 19.1.5 leaves
//!   that to the client).
//! - A NOTIFY without Subscription-State counts as active, as phones before RFC 3265 send it.
//! - Nothing of ours can be subscribed to: SUBSCRIBE gets 405.
//! - News of a transfer end with its call: the subscription of a REFER does not outlive the dialog's
//!   INVITE usage (RFC 5057 lets it), since no asker that hung up was seen to listen.

pub mod account;
pub mod caller;
pub mod digest;
pub mod endpoint;
pub mod event;
pub mod message;
pub mod parse;
pub mod reason;
pub mod refusals;
pub mod subscription;
pub mod wire;

mod connection;
mod deadline;
mod dialog;
mod rate_limit;
mod route;
#[cfg(test)]
mod simulator;
mod timer;
mod transaction;
mod ua;
mod write;

pub use account::{AccountSetup, CallExtensions, Credentials, DigestRules, Reliability};
pub use caller::Caller;
pub use deadline::Census;
pub use endpoint::{Endpoint, EndpointConfig};
pub use event::*;
pub use subscription::*;
pub use ua::ReferralAnswer;
