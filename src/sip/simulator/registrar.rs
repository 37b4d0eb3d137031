//! A tiny registrar and stateless, record-routing, forking proxy (RFC 3261 sections 10.3 and
//! 16.11) for the simulation.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::base::random::{Random as _, SeededRandom};
use crate::base::redact::Secret;
use crate::base::uri::{Host, Uri};
use crate::sip::digest::{self, Algorithm};
use crate::sip::message::{Message, Method, StartLine};
use crate::sip::parse::{self, ContactField};

#[derive(Debug, Clone)]
struct Binding {
    uri: Uri,
    /// Where the REGISTER came from: the way back through a NAT.
    source: SocketAddr,
    expires: Instant,
}

/// The registrar at 10.0.0.100.
#[derive(Debug)]
pub(super) struct Registrar {
    bindings: BTreeMap<String, Vec<Binding>>,
    /// The nonces given out, and the last count of each.
    nonces: HashMap<String, u32>,
    /// Whether the request of a branch was let through: what repeats it shares its fate.
    judged: HashMap<String, bool>,
    /// Every user's password.
    pub(super) password: String,
    /// The algorithm of its challenges.
    pub(super) algorithm: &'static str,
    /// The shortest registration, in seconds.
    pub(super) min_expires: u32,
    /// The longest registration that it grants, in seconds.
    pub(super) max_expires: u32,
    /// Whether it puts itself into the route set.
    pub(super) record_route: bool,
    /// Whether INVITEs are challenged with 407.
    pub(super) challenge_calls: bool,
    /// Answers every REGISTER so, when set.
    pub(super) refuse_with: Option<u16>,
    /// Answers nothing, when set.
    pub(super) silent: bool,
    /// Service-Route of each answer, when set.
    pub(super) service_route: Option<String>,
    /// How many REGISTERs were accepted.
    pub(super) accepted: u32,
}

const REALM: &str = "sim.example";

impl Registrar {
    pub(super) fn new() -> Self {
        Self {
            bindings: BTreeMap::new(),
            nonces: HashMap::new(),
            judged: HashMap::new(),
            password: "secret".to_owned(),
            algorithm: "SHA-256",
            min_expires: 60,
            max_expires: u32::MAX,
            record_route: true,
            challenge_calls: false,
            refuse_with: None,
            silent: false,
            service_route: None,
            accepted: 0,
        }
    }

    pub(super) fn ip() -> IpAddr {
        IpAddr::from([10, 0, 0, 100])
    }

    pub(super) fn address() -> SocketAddr {
        (Self::ip(), 5060).into()
    }

    /// The URIs bound to a user.
    pub(super) fn bound(&self, user: &str, now: Instant) -> Vec<String> {
        self.bindings
            .get(user)
            .into_iter()
            .flatten()
            .filter(|binding| binding.expires > now)
            .map(|binding| binding.uri.to_string())
            .collect()
    }

    /// Forgets all bindings and nonces, as a restart would.
    pub(super) fn restart(&mut self) {
        self.bindings.clear();
        self.nonces.clear();
        self.judged.clear();
    }

    pub(super) fn handle(
        &mut self,
        now: Instant,
        from: SocketAddr,
        bytes: &[u8],
        random: &mut SeededRandom,
    ) -> Vec<(SocketAddr, Vec<u8>)> {
        if self.silent || crate::sip::wire::datagram(bytes) == crate::sip::wire::Datagram::KeepAlive
        {
            return Vec::new();
        }
        // A proxy sees responses with several Vias, which a user agent's reader refuses.
        let text = String::from_utf8_lossy(bytes).into_owned();
        if text.starts_with("SIP/2.0") {
            return forward_response(&text);
        }
        let mut request = parse::message(bytes).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
        if let Some(mut via) = request.top_via() {
            via.set("rport", from.port().to_string());
            via.set("received", from.ip().to_string());
            request.headers.set_first("Via", via.to_string());
        }
        if request.method() == Some(&Method::Register) {
            let response = self.register(now, from, &request, random);
            return vec![(from, response.to_bytes())];
        }
        if request.method() == Some(&Method::Invite)
            && self.challenge_calls
            && request.to_tag().is_empty()
            && !self.authorized(&request, "Proxy-Authorization")
        {
            // As a proxy that looks the caller up first.
            let trying = Message::response(&request, 100, "Trying", None);
            let response = self.challenge(&request, 407, random);
            return vec![(from, trying.to_bytes()), (from, response.to_bytes())];
        }
        self.forward(now, request)
    }

    fn register(
        &mut self,
        now: Instant,
        from: SocketAddr,
        request: &Message,
        random: &mut SeededRandom,
    ) -> Message {
        let tag = random.hex(4);
        let refuse = |code: u16| Message::response(request, code, "No", Some(&tag));
        if let Some(code) = self.refuse_with {
            return refuse(code);
        }
        if !self.authorized(request, "Authorization") {
            return self.challenge(request, 401, random);
        }
        let user = request.to().unwrap().uri.user_decoded().unwrap();
        self.bindings
            .entry(user.clone())
            .or_default()
            .retain(|old| old.expires > now);
        let default = request.seconds("Expires").unwrap_or(3600);
        for contact in request.contacts() {
            let ContactField::Address(contact) = contact else {
                continue;
            };
            let expires = contact.expires().unwrap_or(default);
            if expires > 0 && expires < self.min_expires {
                let mut response = refuse(423);
                let min = self.min_expires.to_string();
                response.headers.push("Min-Expires", min);
                return response;
            }
            let expires = expires.min(self.max_expires);
            let all = self.bindings.entry(user.clone()).or_default();
            all.retain(|old| old.uri != contact.uri);
            if expires > 0 {
                all.push(Binding {
                    uri: contact.uri,
                    source: from,
                    expires: now + Duration::from_secs(expires.into()),
                });
            }
        }
        self.accepted += 1;
        let mut response = Message::response(request, 200, "OK", Some(&tag));
        if let Some(route) = &self.service_route {
            response.headers.push("Service-Route", route.clone());
        }
        for binding in self.bindings.get(&user).into_iter().flatten() {
            let left = binding.expires.saturating_duration_since(now).as_secs();
            response
                .headers
                .push("Contact", format!("<{}>;expires={left}", binding.uri));
        }
        response
    }

    fn challenge(&mut self, request: &Message, code: u16, random: &mut SeededRandom) -> Message {
        let nonce = random.hex(8);
        self.nonces.insert(nonce.clone(), 0);
        let mut response = Message::response(request, code, "Who are you", Some("r"));
        let header = if code == 407 {
            "Proxy-Authenticate"
        } else {
            "WWW-Authenticate"
        };
        let algorithm = Algorithm::parse(self.algorithm).unwrap();
        response
            .headers
            .push(header, "Digest realm=\"other\", nonce=\"n\", algorithm=X");
        let value = digest::challenge(REALM, &nonce, algorithm, false);
        response.headers.push(header, value);
        response
    }

    fn authorized(&mut self, request: &Message, header: &str) -> bool {
        let branch = request.branch();
        if let Some(judged) = self.judged.get(&branch) {
            return *judged;
        }
        let nonces = &mut self.nonces;
        let authorized = request.headers.values(header).any(|value| {
            let credentials = parse::credentials(value).unwrap();
            let count = credentials
                .value("nc")
                .map_or(0, |nc| u32::from_str_radix(nc, 16).unwrap());
            // A count that came before would be a replay.
            let known = credentials
                .value("nonce")
                .and_then(|nonce| nonces.get_mut(nonce))
                .is_some_and(|last| count > std::mem::replace(last, count.max(*last)));
            known
                && digest::verify(
                    &credentials,
                    REALM,
                    &Secret::new(self.password.clone()),
                    request.method().unwrap(),
                    &request.body,
                )
                .is_ok()
        });
        self.judged.insert(branch, authorized);
        authorized
    }

    fn forward(&self, now: Instant, mut request: Message) -> Vec<(SocketAddr, Vec<u8>)> {
        let routes = request.addresses("Route");
        let mine = routes
            .first()
            .and_then(|route| route.uri.as_sip()?.host.ip())
            == Some(Self::ip());
        if mine {
            request.headers.remove("Route");
            for route in routes.iter().skip(1) {
                request.headers.push("Route", route.to_string());
            }
        }
        let uri = request.uri().unwrap().clone();
        let sip = uri.as_sip().unwrap().clone();
        let for_me =
            sip.host.ip() == Some(Self::ip()) || sip.host == Host::Name("sim.example".into());
        let mut targets: Vec<(Uri, SocketAddr)> = Vec::new();
        if for_me {
            let user = uri.user_decoded().unwrap_or_default();
            for binding in self.bindings.get(&user).into_iter().flatten() {
                // Nobody is there any more whose place another binding took. A stateless proxy
                // that asked him too would pass his refusal on before the other's answer.
                targets.retain(|(_, source)| *source != binding.source);
                if binding.expires > now {
                    targets.push((binding.uri.clone(), binding.source));
                }
            }
            if targets.is_empty() && request.method() != Some(&Method::Ack) {
                let response = Message::response(&request, 404, "Not Found", Some("p"));
                let via = request.top_via().unwrap();
                let to = SocketAddr::new(via.received().unwrap(), via.rport().unwrap());
                return vec![(to, response.to_bytes())];
            }
        } else {
            let to = SocketAddr::new(sip.host.ip().unwrap(), sip.port.unwrap_or(5060));
            targets.push((uri, to));
        }
        let branch = request.branch();
        targets
            .into_iter()
            .enumerate()
            .map(|(fork, (uri, to))| {
                let mut copy = request.clone();
                if let StartLine::Request { uri: old, .. } = &mut copy.start {
                    *old = uri;
                }
                // Stateless: the branch follows from the incoming one (section 16.11).
                let via = format!("SIP/2.0/UDP {};branch={branch}f{fork}", Self::address());
                copy.headers.prepend("Via", via);
                if self.record_route && copy.method() == Some(&Method::Invite) {
                    let route = format!("<sip:{};lr>", Self::address());
                    copy.headers.prepend("Record-Route", route);
                }
                (to, copy.to_bytes())
            })
            .collect()
    }
}

/// Removes the topmost Via and follows the next one.
fn forward_response(text: &str) -> Vec<(SocketAddr, Vec<u8>)> {
    let Some((before, after)) = text.split_once("Via:") else {
        return Vec::new();
    };
    let (_, after) = after.split_once("\r\n").unwrap();
    let rest = format!("{before}{after}");
    let Some(next) = rest.lines().find_map(|line| line.strip_prefix("Via: ")) else {
        return Vec::new();
    };
    let via = parse::via(next).unwrap();
    let to = SocketAddr::new(via.received().unwrap(), via.rport().unwrap());
    vec![(to, rest.into_bytes())]
}
