//! What we call ourselves towards a place: Via and Contact, and the flow that leads there.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::base::flow::{ConnectionId, Peer, Resolved, Transport};
use crate::base::id::AccountId;
use crate::base::uri::{Host, SipUri, Uri};
use crate::sip::connection::{Flow, connect_limit};
use crate::sip::deadline::Timer;
use crate::sip::endpoint::Endpoint;
use crate::sip::message::{Message, Method};
use crate::sip::route;

/// How long a far end that refused a stream is not asked again because of a request's size.
const STREAMLESS_FOR: Duration = Duration::from_secs(600);
/// How many such far ends are remembered.
const MAX_STREAMLESS: usize = 64;

impl Endpoint {
    /// The flow to a place: datagrams, or a stream that is open or will be. `host` is what the URI
    /// names, which a certificate must name too.
    pub(crate) fn flow_to(
        &mut self,
        now: Instant,
        place: &Resolved,
        stream: Option<(ConnectionId, SocketAddr)>,
        host: &Host,
        account: Option<AccountId>,
    ) -> Flow {
        let transport = place.transport;
        match transport {
            Transport::Udp => Flow::Datagram {
                remote: place.remote,
            },
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                let peer = self.peer(transport, host, account);
                let usable = stream.filter(|(connection, remote)| {
                    let open = self.border.transport(*connection);
                    remote.ip() == place.remote.ip()
                        && open.is_some_and(|open| open.secure() || !transport.secure())
                });
                if let Some((connection, remote)) = usable {
                    return Flow::Stream {
                        connection,
                        transport: self.border.transport(connection).unwrap_or(transport),
                        remote,
                        fallback: Some(place.remote),
                        peer,
                    };
                }
                let connect = self.border.connect(transport, place.remote, peer.as_ref());
                let (connection, opened) = connect;
                if opened {
                    let limit = connect_limit(transport);
                    self.timers.set(Timer::Connect(connection), now + limit);
                }
                Flow::Stream {
                    connection,
                    transport,
                    remote: place.remote,
                    fallback: None,
                    peer,
                }
            }
        }
    }

    /// Whom a connection must lead to. Where the hop is an address, the account's own domain may
    /// vouch for it too: the owner wrote both.
    fn peer(&self, transport: Transport, host: &Host, account: Option<AccountId>) -> Option<Peer> {
        if !transport.secure() && !transport.websocket() {
            return None;
        }
        let known = account.and_then(|id| self.accounts.get(&id));
        let own = known.and_then(|known| known.setup.address.as_sip());
        let mut domains = vec![host.clone()];
        if host.ip().is_some()
            && let Some(own) = own
            && !own.host.equivalent(host)
        {
            domains.push(own.host.clone());
        }
        let profile = known.map(|known| known.setup.profile).unwrap_or_default();
        Some(Peer { domains, profile })
    }

    /// Remembers that a far end takes no streams, so that the next large request does not wait.
    pub(crate) fn remember_streamless(&mut self, now: Instant, remote: SocketAddr) {
        self.streamless.retain(|_, until| *until > now);
        if self.streamless.len() < MAX_STREAMLESS {
            self.streamless.insert(remote, now + STREAMLESS_FOR);
        }
    }

    /// Whether a place refused a stream lately.
    pub(crate) fn refuses_streams(&self, now: Instant, place: &Resolved) -> bool {
        let until = self.streamless.get(&place.remote);
        until.is_some_and(|until| *until > now)
    }

    /// The Via of a request to a place.
    pub(crate) fn via(&self, place: &Resolved, branch: &str) -> String {
        let transport = place.transport;
        if transport.websocket() {
            let host = &self.nowhere;
            return format!("SIP/2.0/{transport} {host};rport;branch={branch}");
        }
        let host = Host::from(place.local_ip);
        let port = self.local_port(transport);
        format!("SIP/2.0/{transport} {host}:{port};rport;branch={branch}")
    }

    /// Our Contact towards a place; `secure` makes it one that demands encryption.
    pub(crate) fn contact_uri(
        &self,
        account: Option<AccountId>,
        place: &Resolved,
        secure: bool,
    ) -> SipUri {
        let known = account.and_then(|id| self.accounts.get(&id));
        let user = known.map_or(self.direct_user.as_str(), |known| &known.contact_user);
        let user = Some(user);
        let secure = secure && place.transport.secure();
        let with_scheme = |uri: SipUri| SipUri { secure, ..uri };
        if place.transport.websocket() {
            // The URI parameter is `ws` for both (RFC 7118 section 5.2.2).
            let uri = SipUri::new(user, self.nowhere.clone(), None);
            return with_scheme(uri.with_param("transport", Some("ws")));
        }
        let public = known.and_then(|known| known.public_address(place));
        let (ip, port) = match public {
            Some(public) => (public.ip(), public.port()),
            None => (place.local_ip, self.local_port(place.transport)),
        };
        let uri = with_scheme(SipUri::new(user, Host::from(ip), Some(port)));
        match place.transport {
            Transport::Tcp => uri.with_param("transport", Some("tcp")),
            // The scheme says it already (RFC 5630 section 3.1.4).
            Transport::Tls if !secure => uri.with_param("transport", Some("tls")),
            Transport::Udp | Transport::Tls | Transport::Ws | Transport::Wss => uri,
        }
    }

    /// Whether an account's address of record demands encryption.
    pub(crate) fn account_is_secure(&self, account: Option<AccountId>) -> bool {
        account
            .and_then(|id| self.accounts.get(&id))
            .is_some_and(|account| route::is_secure(&account.setup.address))
    }

    fn local_port(&self, transport: Transport) -> u16 {
        let port = match transport {
            Transport::Udp | Transport::Ws | Transport::Wss => None,
            Transport::Tcp => self.config.tcp_port,
            Transport::Tls => self.config.tls_port,
        };
        port.unwrap_or(self.config.udp_port)
    }

    /// Adds the Contact that a request needs.
    pub(crate) fn add_contact(
        &mut self,
        request: &mut Message,
        account: Option<AccountId>,
        place: &Resolved,
    ) {
        match request.method() {
            Some(Method::Register) => {
                if let Some(id) = account {
                    self.add_bindings(request, id, place);
                }
            }
            Some(
                Method::Invite
                | Method::Update
                | Method::Subscribe
                | Method::Refer
                | Method::Notify,
            ) => {
                let demanded = request.uri().is_some_and(route::is_secure);
                let secure = demanded || self.account_is_secure(account);
                let uri = Uri::Sip(self.contact_uri(account, place, secure));
                request.headers.set("Contact", format!("<{uri}>"));
            }
            Some(_) | None => {}
        }
    }
}
