//! A tiny notifier (RFC 6665 section 4.2) that also writes messages (RFC 3428). By chance it grants,
//! refuses, ends and forgets subscriptions, or says nothing.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::base::random::{Random as _, SeededRandom};
use crate::base::uri::Uri;
use crate::sip::SubscriptionSetup;
use crate::sip::message::{Message, Method};
use crate::sip::parse;

/// What can be subscribed to: package, type of the news, and whether several may tell.
const PACKAGES: [(&str, &str, bool); 2] = [
    (
        "message-summary",
        "application/simple-message-summary",
        false,
    ),
    ("dialog", "application/dialog-info+xml", true),
];

/// The ends that a notifier may give a subscription.
const ENDS: [&str; 6] = [
    "deactivated",
    "timeout",
    "probation;retry-after=7",
    "giveup",
    "rejected",
    "noresource",
];

/// One subscription, as the notifier knows it.
#[derive(Debug)]
struct Watcher {
    call_id: String,
    /// Its From.
    from: String,
    from_tag: String,
    /// Our tag.
    tag: String,
    event: String,
    contact: String,
    source: SocketAddr,
    cseq: u32,
    until: Instant,
}

/// The notifier at 10.0.0.101.
#[derive(Debug, Default)]
pub(super) struct Notifier {
    watchers: Vec<Watcher>,
    /// What each SUBSCRIBE was answered, by its branch: a repetition is answered alike.
    answers: HashMap<String, Option<Vec<u8>>>,
    /// Numbers branches, tags and Call-IDs.
    number: u32,
}

type Sent = (SocketAddr, Vec<u8>);

fn below(random: &mut SeededRandom, limit: u32) -> u32 {
    random.next_u32() % limit
}

impl Notifier {
    pub(super) fn ip() -> IpAddr {
        IpAddr::from([10, 0, 0, 101])
    }

    pub(super) fn address() -> SocketAddr {
        (Self::ip(), 5060).into()
    }

    /// A subscription to one of its packages, counted round.
    pub(super) fn setup(package: u32, expires: Duration) -> SubscriptionSetup {
        let (event, accept, forks) = PACKAGES[package as usize % PACKAGES.len()];
        SubscriptionSetup {
            target: Uri::parse(&format!("sip:desk@{}", Self::ip())).unwrap(),
            event,
            accept,
            expires,
            forks,
        }
    }

    pub(super) fn handle(
        &mut self,
        now: Instant,
        source: SocketAddr,
        bytes: &[u8],
        random: &mut SeededRandom,
    ) -> Vec<Sent> {
        let Ok(message) = parse::message(bytes) else {
            panic!("{}", String::from_utf8_lossy(bytes));
        };
        if message.method() == Some(&Method::Subscribe) {
            return self.subscribed(now, source, &message, random);
        }
        // Who refuses the news is gone (RFC 6665 section 4.2.2).
        if message.code().is_some_and(|code| code >= 400) {
            let call_id = message.call_id();
            self.watchers.retain(|watcher| watcher.call_id != call_id);
        }
        Vec::new()
    }

    /// Tells one of the watchers something new, or ends its subscription.
    pub(super) fn tell(&mut self, now: Instant, random: &mut SeededRandom) -> Option<Sent> {
        self.watchers.retain(|watcher| watcher.until > now);
        let count = u32::try_from(self.watchers.len()).unwrap();
        let chosen = below(random, count.max(1)) as usize;
        let watcher = self.watchers.get(chosen)?;
        let (source, call_id) = (watcher.source, watcher.call_id.clone());
        if below(random, 4) > 0 {
            return Some((source, self.notify(now, chosen, None)));
        }
        let end = ENDS[below(random, 6) as usize];
        let last = self.notify(now, chosen, Some(end));
        self.watchers.retain(|watcher| watcher.call_id != call_id);
        Some((source, last))
    }

    /// A MESSAGE, or news of waiting messages that nobody subscribed to, for a user.
    pub(super) fn write(&mut self, user: &Uri, random: &mut SeededRandom) -> Vec<u8> {
        let (method, fields, body) = match below(random, 3) {
            0 => (
                "NOTIFY",
                "Event: message-summary\r\nSubscription-State: active\r\n\
                 Content-Type: application/simple-message-summary\r\n",
                "Messages-Waiting: yes\r\n",
            ),
            1 => ("MESSAGE", "Content-Type: image/png\r\n", "no text"),
            _ => ("MESSAGE", "Content-Type: text/plain\r\n", "Hello"),
        };
        self.number += 1;
        let (ip, number) = (Self::ip(), self.number);
        let text = format!(
            "{method} {user} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {ip}:5060;rport;branch=z9hG4bKw{number}\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:desk@{ip}>;tag=w{number}\r\n\
             To: <{user}>\r\n\
             Call-ID: written-{number}\r\n\
             CSeq: 1 {method}\r\n\
             Contact: <sip:desk@{ip}>\r\n\
             {fields}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        text.into_bytes()
    }

    fn subscribed(
        &mut self,
        now: Instant,
        source: SocketAddr,
        request: &Message,
        random: &mut SeededRandom,
    ) -> Vec<Sent> {
        let branch = request.branch();
        if let Some(known) = self.answers.get(&branch) {
            return known.iter().map(|it| (source, it.clone())).collect();
        }
        let asked = request.seconds("Expires").unwrap_or_default();
        let (call_id, from_tag) = (request.call_id().to_owned(), request.from_tag());
        let known = (self.watchers.iter()).position(|watcher| {
            (&watcher.call_id, &watcher.from_tag, &watcher.tag)
                == (&call_id, &from_tag, &request.to_tag())
        });
        let refuse = |code: u16| Message::response(request, code, "No", Some("refused"));
        let refusal = match (below(random, 16), known) {
            (0, _) => {
                self.answers.insert(branch, None);
                return Vec::new();
            }
            (_, None) if !request.to_tag().is_empty() => Some(refuse(481)),
            // It restarted.
            (1, Some(place)) => {
                self.watchers.remove(place);
                Some(refuse(481))
            }
            (2, _) => Some(refuse(500)),
            (3, None) => Some(refuse(403)),
            (4, None) if asked < 700 => {
                let mut brief = refuse(423);
                brief.headers.push("Min-Expires", "700");
                Some(brief)
            }
            (5, None) => {
                let mut busy = refuse(503);
                busy.headers.push("Retry-After", "3");
                Some(busy)
            }
            (_, _) => None,
        };
        if let Some(refusal) = refusal {
            let bytes = refusal.to_bytes();
            self.answers.insert(branch, Some(bytes.clone()));
            return vec![(source, bytes)];
        }
        let granted = asked.min(60 + below(random, 600));
        let until = now + Duration::from_secs(granted.into());
        let place = match known {
            Some(place) => {
                self.watchers[place].until = until;
                place
            }
            None => {
                self.number += 1;
                self.watchers.push(Watcher {
                    call_id,
                    from: request.header("From").unwrap().to_owned(),
                    from_tag,
                    tag: format!("n{}", self.number),
                    event: request.header("Event").unwrap().to_owned(),
                    contact: request.contact().unwrap().uri.to_string(),
                    source,
                    cseq: 0,
                    until,
                });
                self.watchers.len() - 1
            }
        };
        let tag = self.watchers[place].tag.clone();
        let mut accepted = Message::response(request, 200, "OK", Some(&tag));
        accepted.headers.push("Expires", granted.to_string());
        let contact = format!("<sip:desk@{}>", Self::ip());
        accepted.headers.push("Contact", contact);
        let bytes = accepted.to_bytes();
        self.answers.insert(branch, Some(bytes.clone()));
        let news = self.notify(now, place, (granted == 0).then_some("timeout"));
        if granted == 0 {
            self.watchers.remove(place);
        }
        vec![(source, bytes), (source, news)]
    }

    fn notify(&mut self, now: Instant, place: usize, end: Option<&str>) -> Vec<u8> {
        self.number += 1;
        let (ip, number) = (Self::ip(), self.number);
        let watcher = &mut self.watchers[place];
        watcher.cseq += 1;
        let left = watcher.until.saturating_duration_since(now).as_secs();
        let state = match end {
            Some(reason) => format!("terminated;reason={reason}"),
            None if number.is_multiple_of(9) => format!("pending;expires={left}"),
            None => format!("active;expires={left}"),
        };
        let package = PACKAGES.iter().find(|(event, ..)| *event == watcher.event);
        let (_, kind, _) = package.unwrap();
        let Watcher {
            call_id,
            from,
            tag,
            event,
            contact,
            cseq,
            ..
        } = watcher;
        let body = format!("news {number}");
        let text = format!(
            "NOTIFY {contact} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {ip}:5060;rport;branch=z9hG4bKn{number}\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:desk@{ip}>;tag={tag}\r\n\
             To: {from}\r\n\
             Call-ID: {call_id}\r\n\
             CSeq: {cseq} NOTIFY\r\n\
             Contact: <sip:desk@{ip}>\r\n\
             Event: {event}\r\n\
             Subscription-State: {state}\r\n\
             Content-Type: {kind}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        text.into_bytes()
    }
}
