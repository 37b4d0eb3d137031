//! The registrar and proxy of the lab, fed by hand.

use super::*;
use crate::base::clock::monotonic_now;
use crate::base::random::SeededRandom;
use crate::sip::digest::{Challenge, Subject};
use crate::sip::parse::challenges;

const PHONE: &str = "127.0.0.1:40000";

/// A server with the users alice and bob, a peer called echo, and phones that talk to it.
struct Lab {
    server: Server,
    now: Instant,
    from: Flow,
    cseq: u32,
    /// How many requests used the last nonce.
    nonce_count: u32,
}

fn flow(transport: Transport, remote: &str) -> Flow {
    let remote = remote.parse().unwrap();
    Flow { transport, remote }
}

fn udp(remote: &str) -> Flow {
    flow(Transport::Udp, remote)
}

impl Lab {
    fn new() -> Self {
        Self::with(ServerOptions::default())
    }

    fn with(options: ServerOptions) -> Self {
        let users = ["alice", "bob"].map(|user| (user.to_owned(), Secret::new("open sesame")));
        let mut server = Server::new(
            options,
            "127.0.0.1:5060".parse().unwrap(),
            users.into(),
            Box::new(SeededRandom::new(1)),
        );
        server.add_peer("echo", "127.0.0.1:5099".parse().unwrap());
        Self {
            server,
            now: monotonic_now(),
            from: udp(PHONE),
            cseq: 0,
            nonce_count: 0,
        }
    }

    fn request(&mut self, method: Method, uri: &str, from: &str, to: &str) -> Message {
        self.cseq += 1;
        let number = self.cseq;
        let transport = self.from.transport;
        let mut request = Message::request(method.clone(), Uri::parse(uri).unwrap());
        let fields = [
            (
                "Via",
                format!("SIP/2.0/{transport} {PHONE};branch=z9hG4bK{number};rport"),
            ),
            ("Max-Forwards", "70".to_owned()),
            ("From", format!("<sip:{from}@127.0.0.1:5060>;tag=ours")),
            ("To", format!("<sip:{to}@127.0.0.1:5060>")),
            ("Call-ID", "one call".to_owned()),
            ("CSeq", format!("{number} {method}")),
        ];
        for (name, value) in fields {
            request.headers.push(name, value);
        }
        request
    }

    fn register(&mut self, contact: &str, expires: Option<u32>) -> Message {
        let mut request = self.request(Method::Register, "sip:127.0.0.1:5060", "alice", "alice");
        request.headers.push("Contact", contact);
        if let Some(expires) = expires {
            request.headers.push("Expires", expires.to_string());
        }
        request
    }

    fn invite(&mut self, to: &str) -> Message {
        let uri = format!("sip:{to}@127.0.0.1:5060");
        self.request(Method::Invite, &uri, "alice", to)
    }

    fn send(&mut self, message: Message) -> Option<(Flow, Message)> {
        self.server.handle(self.now, self.from, message)
    }

    fn answer(&mut self, message: Message) -> Message {
        let (back, answer) = self.send(message).expect("an answer");
        assert_eq!(back, self.from);
        answer
    }

    /// Answers the challenge of that place in `refusal`.
    fn authorized(
        &mut self,
        request: &Message,
        refusal: &Message,
        which: usize,
        password: &str,
    ) -> Message {
        let (asks, answers) = match refusal.code() {
            Some(401) => ("WWW-Authenticate", "Authorization"),
            _ => ("Proxy-Authenticate", "Proxy-Authorization"),
        };
        let asked: Vec<Challenge> = refusal
            .headers
            .values(asks)
            .flat_map(|value| challenges(value).unwrap())
            .map(|fields| Challenge::from_fields(&fields).unwrap())
            .collect();
        self.cseq += 1;
        self.nonce_count += 1;
        let mut again = request.clone();
        let method = again.method().unwrap().clone();
        let uri = again.uri().unwrap().to_string();
        let subject = Subject {
            method: &method,
            uri: &uri,
            body: &[],
        };
        let password = Secret::new(password);
        let value = asked[which].authorize("alice", &password, subject, "c", self.nonce_count);
        again.headers.set(answers, value);
        again.headers.set("CSeq", format!("{} {method}", self.cseq));
        let via = format!(
            "SIP/2.0/{} {PHONE};branch=z9hG4bK{};rport",
            self.from.transport, self.cseq
        );
        again.headers.set("Via", via);
        again
    }

    fn registered(&mut self, contact: &str, expires: Option<u32>) -> Message {
        let request = self.register(contact, expires);
        let refusal = self.answer(request.clone());
        assert_eq!(refusal.code(), Some(401));
        self.nonce_count = 0;
        let again = self.authorized(&request, &refusal, 0, "open sesame");
        self.answer(again)
    }

    fn admitted(&mut self, request: &Message) -> Option<(Flow, Message)> {
        let refusal = self.answer(request.clone());
        assert_eq!(refusal.code(), Some(407));
        self.nonce_count = 0;
        let again = self.authorized(request, &refusal, 0, "open sesame");
        self.send(again)
    }

    fn change(&mut self) -> Option<(String, Option<String>)> {
        let change = self.server.poll_change()?;
        Some((change.user, change.contact))
    }
}

#[test]
fn a_phone_that_knows_the_password_is_bound_with_all_its_parameters() {
    for which in [0, 1] {
        let mut lab = Lab::new();
        let contact = "<sip:x@127.0.0.1:40000>;+sip.instance=\"<urn:uuid:7>\";reg-id=1;expires=60";
        let request = lab.register(contact, Some(600));
        let refusal = lab.answer(request.clone());
        let again = lab.authorized(&request, &refusal, which, "open sesame");
        let answer = lab.answer(again);
        assert_eq!(answer.code(), Some(200));
        assert_eq!(answer.header("Contact"), Some(contact));
        let bound = Some(("alice".to_owned(), Some("sip:x@127.0.0.1:40000".to_owned())));
        assert_eq!(lab.change(), bound);
    }
}

#[test]
fn a_wrong_password_is_challenged_again_and_not_as_stale() {
    let mut lab = Lab::new();
    let request = lab.register("<sip:x@127.0.0.1:40000>", None);
    let refusal = lab.answer(request.clone());
    let again = lab.authorized(&request, &refusal, 0, "guess");
    let refusal = lab.answer(again);
    assert_eq!(refusal.code(), Some(401));
    assert!(
        !refusal
            .header("WWW-Authenticate")
            .unwrap()
            .contains("stale")
    );
    assert_eq!(lab.change(), None);
}

#[test]
fn another_users_address_is_forbidden() {
    let mut lab = Lab::new();
    let mut request = lab.register("<sip:x@127.0.0.1:40000>", None);
    request.headers.set("To", "<sip:bob@127.0.0.1:5060>");
    let refusal = lab.answer(request.clone());
    let again = lab.authorized(&request, &refusal, 0, "open sesame");
    assert_eq!(lab.answer(again).code(), Some(403));
}

#[test]
fn an_old_nonce_and_a_replay_are_stale() {
    let mut lab = Lab::new();
    let request = lab.register("<sip:x@127.0.0.1:40000>", None);
    let refusal = lab.answer(request.clone());
    let first = lab.authorized(&request, &refusal, 0, "open sesame");
    assert_eq!(lab.answer(first.clone()).code(), Some(200));

    // The same count on another request.
    lab.nonce_count = 0;
    let replay = lab.authorized(&request, &refusal, 0, "open sesame");
    let answer = lab.answer(replay);
    assert_eq!(answer.code(), Some(401));
    assert!(
        answer
            .header("WWW-Authenticate")
            .unwrap()
            .ends_with("stale=true")
    );

    // The next count is good, until the nonce is too old.
    lab.now += Duration::from_secs(299);
    let next = lab.authorized(&request, &refusal, 0, "open sesame");
    assert_eq!(lab.answer(next).code(), Some(200));
    lab.now += Duration::from_secs(1);
    let late = lab.authorized(&request, &refusal, 0, "open sesame");
    let answer = lab.answer(late);
    assert!(
        answer
            .header("WWW-Authenticate")
            .unwrap()
            .ends_with("stale=true")
    );
}

#[test]
fn a_retransmission_gets_the_same_answer() {
    let mut lab = Lab::new();
    let request = lab.register("<sip:x@127.0.0.1:40000>", None);
    let refusal = lab.answer(request.clone());
    assert_eq!(lab.answer(request.clone()), refusal);
    let again = lab.authorized(&request, &refusal, 0, "open sesame");
    let answer = lab.answer(again.clone());
    assert_eq!(answer.code(), Some(200));
    assert_eq!(lab.answer(again.clone()), answer);
    lab.now += REPLY_LIFETIME;
    assert_eq!(lab.answer(again).code(), Some(500), "its CSeq is old now");
}

#[test]
fn a_lifetime_below_the_limit_is_too_brief_and_one_above_is_cut() {
    let mut lab = Lab::new();
    let answer = lab.registered("<sip:x@127.0.0.1:40000>", Some(9));
    assert_eq!(answer.code(), Some(423));
    assert_eq!(answer.header("Min-Expires"), Some("10"));
    let answer = lab.registered("<sip:x@127.0.0.1:40000>", Some(1_000_000));
    assert_eq!(answer.contact().unwrap().expires(), Some(7200));
    let answer = lab.registered("<sip:x@127.0.0.1:40000>", None);
    assert_eq!(answer.contact().unwrap().expires(), Some(3600));
}

#[test]
fn a_binding_runs_out_at_its_time_and_is_told_once() {
    let mut lab = Lab::new();
    lab.registered("<sip:x@127.0.0.1:40000>", Some(60));
    assert!(lab.change().is_some());
    let due = lab.server.poll_timeout().unwrap();
    assert_eq!(due, lab.now + Duration::from_secs(60));
    lab.now += Duration::from_millis(59_500);
    let answer = lab.registered("<sip:y@127.0.0.1:40000>", Some(60));
    let left: Vec<Option<u32>> = answer
        .contacts()
        .iter()
        .map(|contact| match contact {
            crate::sip::parse::ContactField::Address(address) => address.expires(),
            crate::sip::parse::ContactField::All => None,
        })
        .collect();
    assert_eq!(left, [Some(60), Some(1)]);
    assert!(lab.change().is_some());
    lab.server.handle_timeout(due);
    assert_eq!(lab.change(), None, "one is left");
    lab.server.handle_timeout(due + Duration::from_secs(60));
    assert_eq!(lab.change(), Some(("alice".to_owned(), None)));
    assert_eq!(lab.server.poll_timeout(), None);
}

#[test]
fn a_binding_is_removed_by_expires_0_and_all_by_a_star() {
    let mut lab = Lab::new();
    lab.registered("<sip:x@127.0.0.1:40000>", None);
    let answer = lab.registered("<sip:y@127.0.0.1:40000>", None);
    assert_eq!(answer.contacts().len(), 2);
    let answer = lab.registered("<sip:x@127.0.0.1:40000>", Some(0));
    assert_eq!(answer.contacts().len(), 1);
    assert_eq!(lab.registered("*", Some(60)).code(), Some(400));
    let answer = lab.registered("*", Some(0));
    assert_eq!((answer.code(), answer.contacts().len()), (Some(200), 0));
    while let Some((_, contact)) = lab.change() {
        if contact.is_none() {
            return;
        }
    }
    panic!("the end was not told");
}

#[test]
fn a_call_goes_to_the_phone_by_the_way_it_registered() {
    let mut lab = Lab::new();
    lab.from = flow(Transport::Tcp, PHONE);
    lab.registered("<sip:x@127.0.0.1:40000;transport=tcp>", None);
    lab.from = udp("127.0.0.1:5099");
    let invite = lab.invite("alice");
    let (to, forwarded) = lab.send(invite.clone()).unwrap();
    assert_eq!(to, flow(Transport::Tcp, PHONE));
    assert_eq!(
        forwarded.uri().unwrap().to_string(),
        "sip:x@127.0.0.1:40000;transport=tcp"
    );
    assert_eq!(forwarded.header("Max-Forwards"), Some("69"));
    let vias: Vec<&str> = forwarded.headers.values("Via").collect();
    assert_eq!(vias.len(), 2);
    assert!(vias[0].starts_with("SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK"));
    assert!(vias[1].contains("received=127.0.0.1") && vias[1].contains("rport=5099"));

    let ringing = Message::response(&forwarded, 180, "Ringing", Some("theirs"));
    lab.from = flow(Transport::Tcp, PHONE);
    let (back, ringing) = lab.send(ringing).unwrap();
    assert_eq!(back, udp("127.0.0.1:5099"));
    assert_eq!(ringing.headers.values("Via").count(), 1);
    assert_eq!(ringing.branch(), invite.branch());
}

#[test]
fn a_phone_whose_stream_is_gone_is_reached_at_its_contact() {
    let mut lab = Lab::new();
    lab.from = flow(Transport::Tcp, PHONE);
    lab.registered("<sip:x@127.0.0.1:5070;transport=tcp>", None);
    lab.server.forget_stream(PHONE.parse().unwrap());
    lab.from = udp("127.0.0.1:5099");
    let invite = lab.invite("alice");
    let (to, _) = lab.send(invite).unwrap();
    assert_eq!(to, flow(Transport::Tcp, "127.0.0.1:5070"));
}

#[test]
fn cancel_ack_and_retransmission_follow_their_invite() {
    let mut lab = Lab::new();
    lab.from = udp("127.0.0.1:5099");
    let invite = lab.invite("echo");
    let (to, forwarded) = lab.send(invite.clone()).unwrap();
    assert_eq!(to, udp("127.0.0.1:5099"));
    assert_eq!(lab.send(invite.clone()), Some((to, forwarded.clone())));
    for method in [Method::Cancel, Method::Ack] {
        let mut other = lab.invite("echo");
        other.start = StartLine::Request {
            method: method.clone(),
            uri: invite.uri().unwrap().clone(),
        };
        other.headers.set("Via", invite.header("Via").unwrap());
        let (number, _) = invite.cseq().unwrap();
        other.headers.set("CSeq", format!("{number} {method}"));
        let (way, other) = lab.send(other).unwrap();
        assert_eq!((way, other.branch()), (to, forwarded.branch()), "{method}");
    }
}

#[test]
fn a_caller_proves_who_it_is_and_its_proof_stays_here() {
    let mut lab = Lab::new();
    let invite = lab.invite("echo");
    let refusal = lab.answer(invite.clone());
    assert_eq!(refusal.code(), Some(407));
    let mut ack = invite.clone();
    ack.start = StartLine::Request {
        method: Method::Ack,
        uri: invite.uri().unwrap().clone(),
    };
    ack.headers.set("To", refusal.header("To").unwrap());
    assert_eq!(lab.send(ack), None, "the ACK to our own answer ends here");
    let again = lab.authorized(&invite, &refusal, 0, "open sesame");
    let (to, forwarded) = lab.send(again.clone()).unwrap();
    assert_eq!(to, udp("127.0.0.1:5099"));
    assert_eq!(forwarded.header("Proxy-Authorization"), None);
    assert_eq!(
        lab.send(again).unwrap().1,
        forwarded,
        "a retransmission is no replay"
    );

    let mut forged = lab.invite("echo");
    forged
        .headers
        .set("From", "<sip:bob@127.0.0.1:5060>;tag=ours");
    assert_eq!(lab.admitted(&forged).unwrap().1.code(), Some(403));
}

#[test]
fn who_is_not_there_and_who_is_not_known_are_told_apart() {
    let mut lab = Lab::new();
    for (user, code) in [("bob", 480), ("carol", 404)] {
        let invite = lab.invite(user);
        assert_eq!(lab.admitted(&invite).unwrap().1.code(), Some(code));
    }
}

#[test]
fn what_cannot_be_forwarded_is_refused() {
    type Spoil = fn(&mut Message);
    let rows: [(Spoil, u16); 6] = [
        (|it| it.headers.set("Max-Forwards", "0"), 483),
        (|it| it.headers.set("Max-Forwards", "many"), 400),
        (|it| it.headers.push("Proxy-Require", "flying"), 420),
        (|it| set_uri(it, "tel:+15550100"), 416),
        (|it| set_uri(it, "sip:127.0.0.1:5060"), 404),
        (
            |it| {
                it.start = StartLine::Request {
                    method: Method::Subscribe,
                    uri: it.uri().unwrap().clone(),
                }
            },
            489,
        ),
    ];
    for (spoil, code) in rows {
        let mut lab = Lab::new();
        let mut invite = lab.invite("echo");
        spoil(&mut invite);
        assert_eq!(lab.answer(invite).code(), Some(code));
    }
    let mut lab = Lab::new();
    let mut invite = lab.invite("echo");
    set_uri(&mut invite, "sip:bob@192.0.2.1");
    assert_eq!(lab.admitted(&invite).unwrap().1.code(), Some(403));
}

fn set_uri(request: &mut Message, uri: &str) {
    request.start = StartLine::Request {
        method: request.method().unwrap().clone(),
        uri: Uri::parse(uri).unwrap(),
    };
}

#[test]
fn options_to_the_server_are_answered() {
    let mut lab = Lab::new();
    let options = lab.request(Method::Options, "sip:127.0.0.1:5060", "alice", "alice");
    let answer = lab.answer(options);
    assert_eq!(answer.code(), Some(200));
    assert!(answer.header("Allow").unwrap().contains("INVITE"));
}

#[test]
fn record_routed_requests_come_back_through_the_server() {
    let mut lab = Lab::with(ServerOptions {
        record_route: true,
        ..ServerOptions::default()
    });
    lab.registered("<sip:x@127.0.0.1:40000>", None);
    lab.from = udp("127.0.0.1:5099");
    let invite = lab.invite("alice");
    let (_, forwarded) = lab.send(invite).unwrap();
    let route = forwarded.header("Record-Route").unwrap().to_owned();
    assert_eq!(route, "<sip:127.0.0.1:5060;lr>");
    let mut bye = lab.request(Method::Bye, "sip:x@127.0.0.1:40000", "echo", "alice");
    bye.headers
        .set("To", "<sip:alice@127.0.0.1:5060>;tag=theirs");
    bye.headers.push("Route", route);
    let (to, bye) = lab.send(bye).unwrap();
    assert_eq!(to, udp(PHONE));
    assert_eq!(bye.header("Route"), None);
}

#[test]
fn answers_that_are_not_ours_are_dropped() {
    let mut lab = Lab::new();
    let invite = lab.invite("echo");
    let foreign = Message::response(&invite, 200, "OK", Some("x"));
    assert_eq!(lab.send(foreign), None);
}

#[test]
fn nonces_and_answers_do_not_pile_up() {
    let mut lab = Lab::new();
    for _ in 0..3000 {
        let request = lab.register("<sip:x@127.0.0.1:40000>", None);
        lab.answer(request);
    }
    assert!(lab.server.replies.len() <= MAX_REPLIES);
}
