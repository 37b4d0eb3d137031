//! What we call ourselves towards a place: Via and Contact, and the flow that leads there.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::base::flow::{ConnectionId, Resolved, Transport};
use crate::base::id::AccountId;
use crate::base::uri::{Host, SipUri, Uri};
use crate::sip::connection::Flow;
use crate::sip::deadline::Timer;
use crate::sip::endpoint::{CONNECT_LIMIT, Endpoint};
use crate::sip::message::{Message, Method};

/// How long a far end that refused a stream is not asked again because of a request's size.
const STREAMLESS_FOR: Duration = Duration::from_secs(600);
/// How many such far ends are remembered.
const MAX_STREAMLESS: usize = 64;

impl Endpoint {
    /// The flow to a place: datagrams, or a stream that is open or will be.
    pub(crate) fn flow_to(
        &mut self,
        now: Instant,
        place: &Resolved,
        stream: Option<(ConnectionId, SocketAddr)>,
    ) -> Flow {
        match place.transport {
            Transport::Udp => Flow::Datagram {
                remote: place.remote,
            },
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                let usable = stream.filter(|(connection, remote)| {
                    remote.ip() == place.remote.ip() && self.border.is_open(*connection)
                });
                if let Some((connection, remote)) = usable {
                    return Flow::Stream {
                        connection,
                        remote,
                        fallback: Some(place.remote),
                    };
                }
                let (connection, opened) = self.border.connect(place.remote);
                if opened {
                    self.timers
                        .set(Timer::Connect(connection), now + CONNECT_LIMIT);
                }
                Flow::Stream {
                    connection,
                    remote: place.remote,
                    fallback: None,
                }
            }
        }
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
        let host = Host::from(place.local_ip);
        let port = self.local_port(place.transport);
        let transport = place.transport;
        format!("SIP/2.0/{transport} {host}:{port};rport;branch={branch}")
    }

    /// Our Contact towards a place.
    pub(crate) fn contact_uri(&self, account: Option<AccountId>, place: &Resolved) -> SipUri {
        let known = account.and_then(|id| self.accounts.get(&id));
        let user = known.map_or(self.direct_user.as_str(), |known| &known.contact_user);
        let public = known.and_then(|known| known.public_address(place));
        let (ip, port) = match public {
            Some(public) => (public.ip(), public.port()),
            None => (place.local_ip, self.local_port(place.transport)),
        };
        let uri = SipUri::new(Some(user), Host::from(ip), Some(port));
        match place.transport {
            Transport::Udp => uri,
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                let name = place.transport.to_string().to_ascii_lowercase();
                uri.with_param("transport", Some(&name))
            }
        }
    }

    fn local_port(&self, transport: Transport) -> u16 {
        match transport {
            Transport::Udp => self.config.udp_port,
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                self.config.tcp_port.unwrap_or(self.config.udp_port)
            }
        }
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
            Some(Method::Invite | Method::Update) => {
                let uri = Uri::Sip(self.contact_uri(account, place));
                request.headers.set("Contact", format!("<{uri}>"));
            }
            Some(_) | None => {}
        }
    }
}
