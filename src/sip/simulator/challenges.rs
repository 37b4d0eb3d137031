//! Who gets the account's digest, and why a registration does not come about.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::bench::{Bench, OURS, peer, server};
use super::scenarios::account;
use crate::base::id::AccountId;
use crate::base::uri::Uri;
use crate::sip::message::{Message, Method};
use crate::sip::{AccountSetup, Credentials, DigestRules, RegistrationState, SessionId, SipEvent};

const BOB: AccountId = AccountId(3);
const MD5: &str = "Digest realm=\"sim.example\", nonce=\"n\", qop=\"auth\"";
const SHA256: &str = "Digest realm=\"sim.example\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";

fn setup() -> AccountSetup {
    AccountSetup {
        registrar: Some(Uri::parse("sip:sim.example").unwrap()),
        ..account("bob")
    }
}

/// A phone with one account; the REGISTER that it sent.
fn phone(setup: AccountSetup) -> (Bench, Message) {
    let mut bench = Bench::for_accounts(None);
    bench.endpoint.add_account(bench.now, BOB, setup);
    let register = bench.sent().remove(0);
    (bench, register)
}

fn failure(bench: &Bench) -> Option<(Option<u16>, String)> {
    bench.events.iter().rev().find_map(|event| match event {
        SipEvent::Registration {
            state: RegistrationState::Failed { status, reason, .. },
            ..
        } => Some((status.as_ref().map(|status| status.code), reason.clone())),
        _ => None,
    })
}

fn strong_realms(bench: &Bench) -> usize {
    bench
        .events
        .iter()
        .filter(|event| matches!(event, SipEvent::StrongRealm { .. }))
        .count()
}

/// Calls somebody; the INVITE.
fn call(bench: &mut Bench, target: &str) -> (SessionId, Message) {
    let session = bench.call(Some(BOB), target);
    (session, bench.sent().remove(0))
}

/// The credentials that a challenged INVITE is sent again with, or why they were kept.
fn answered_invite(
    bench: &mut Bench,
    from: SocketAddr,
    invite: &Message,
    challenge: &str,
) -> Result<Message, String> {
    let sent = bench.reply(from, "t", invite, 407, &[("Proxy-Authenticate", challenge)]);
    let again = sent
        .into_iter()
        .find(|message| message.header("Proxy-Authorization").is_some());
    again.ok_or_else(|| {
        bench
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                SipEvent::CredentialsKept { why, .. } => Some(why.clone()),
                _ => None,
            })
            .unwrap_or_default()
    })
}

/// The nonce and the count that a request's credentials carry.
fn counts(sent: &[Message]) -> Vec<(String, u32)> {
    let fields = ["Authorization", "Proxy-Authorization"];
    sent.iter()
        .flat_map(|message| fields.map(|name| message.headers.values(name)))
        .flatten()
        .map(|value| {
            let credentials = crate::sip::parse::credentials(value).unwrap();
            let count = credentials.value("nc").unwrap();
            let nonce = credentials.value("nonce").unwrap().to_owned();
            (nonce, u32::from_str_radix(count, 16).unwrap())
        })
        .collect()
}

/// A server that challenged again with a nonce that was in use, or REGISTER and INVITE with the
/// same one, once saw a count twice, took it for a replay and refused the call.
#[test]
fn the_count_of_a_nonce_goes_on_whatever_it_is_used_for() {
    let (mut bench, register) = phone(setup());
    let mut seen = Vec::new();
    let asked = [("WWW-Authenticate", SHA256)];
    let sent = bench.reply(server(), "t", &register, 401, &asked);
    seen.extend(counts(&sent));
    let ok = [("Contact", "<sip:bob@10.0.0.1>;expires=3600")];
    bench.reply(server(), "t", &sent[0], 200, &ok);
    // The proxy has the same nonce, and asks once more with it, for another algorithm.
    let (_, invite) = call(&mut bench, "sip:carol@sim.example");
    let asked = [("Proxy-Authenticate", SHA256)];
    let sent = bench.reply(server(), "t", &invite, 407, &asked);
    seen.extend(counts(&sent));
    let again = sent.iter().find(|it| it.method() == Some(&Method::Invite));
    let sent = bench.reply(server(), "t", again.unwrap(), 407, &asked);
    seen.extend(counts(&sent));
    // The account is set up anew with the same address.
    bench.endpoint.add_account(bench.now, BOB, setup());
    let sent = bench.sent();
    let register = sent
        .iter()
        .find(|it| it.method() == Some(&Method::Register));
    let asked = [("WWW-Authenticate", SHA256)];
    let sent = bench.reply(server(), "t", register.unwrap(), 401, &asked);
    seen.extend(counts(&sent));
    let numbers: Vec<u32> = seen.iter().map(|(_, count)| *count).collect();
    assert!(seen.iter().all(|(nonce, _)| nonce == "n"), "{seen:?}");
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
    assert!(numbers.len() >= 4, "{seen:?}");
}

#[test]
fn after_sha_256_md5_alone_is_not_answered_without_consent() {
    let (mut bench, register) = phone(setup());
    let both = [("WWW-Authenticate", SHA256), ("WWW-Authenticate", MD5)];
    let again = bench.reply(server(), "t", &register, 401, &both).remove(0);
    assert!(again.header("Authorization").unwrap().contains("SHA-256"));
    assert_eq!(strong_realms(&bench), 1);
    bench.reply(server(), "t", &again, 200, &[]);
    bench.endpoint.register_now(bench.now, BOB);
    let register = bench.sent().remove(0);
    let stale = [("WWW-Authenticate", MD5)];
    assert_eq!(bench.reply(server(), "t", &register, 401, &stale), []);
    let (status, reason) = failure(&bench).unwrap();
    assert_eq!(status, Some(401));
    assert!(
        reason.contains("MD5 alone") && reason.contains("allow MD5"),
        "{reason}"
    );
    assert_eq!(strong_realms(&bench), 1, "it is told once");
}

#[test]
fn what_was_seen_before_a_restart_counts_and_consent_is_kept() {
    for (allow_md5, answered) in [(false, false), (true, true)] {
        let digest = DigestRules {
            allow_md5,
            strong_realms: vec!["sim.example".to_owned()],
        };
        let (mut bench, register) = phone(AccountSetup { digest, ..setup() });
        let weak = [("WWW-Authenticate", MD5)];
        let sent = bench.reply(server(), "t", &register, 401, &weak);
        assert_eq!(!sent.is_empty(), answered, "consent: {allow_md5}");
    }
    // Who never offered more is answered by MD5.
    let (mut bench, register) = phone(setup());
    let weak = [("WWW-Authenticate", MD5)];
    assert_eq!(bench.reply(server(), "t", &register, 401, &weak).len(), 1);
}

#[test]
fn the_password_is_for_the_own_server_alone() {
    let (mut bench, _) = phone(setup());
    // Straight to a stranger's host: the own realm's name does not help.
    for (realm, target) in [
        ("sim.example", "sip:x@10.0.0.200:5070"),
        ("evil.example", "sip:x@10.0.0.200:5070"),
    ] {
        let (_, invite) = call(&mut bench, target);
        let challenge = format!("Digest realm=\"{realm}\", nonce=\"n\"");
        let why = answered_invite(&mut bench, peer(), &invite, &challenge).unwrap_err();
        assert!(
            why.contains("not this account's own server"),
            "{realm}: {why}"
        );
        assert!(why.contains(realm), "{why}");
    }
}

#[test]
fn a_challenge_from_behind_the_own_proxy_is_answered_only_for_the_own_realm() {
    let proxied = AccountSetup {
        outbound_proxy: Some(Uri::parse("sip:proxy.sim.example").unwrap()),
        ..setup()
    };
    for (realm, target, answered) in [
        ("evil.example", "sip:x@evil.example", false),
        ("example", "sip:x@evil.example", false),
        ("sim.example", "sip:x@evil.example", true),
        ("voip.sim.example", "sip:x@evil.example", true),
        // Within the own domain whatever the realm is called.
        ("asterisk", "sip:x@sim.example", true),
    ] {
        let (mut bench, _) = phone(proxied.clone());
        let (_, invite) = call(&mut bench, target);
        let challenge = format!("Digest realm=\"{realm}\", nonce=\"n\"");
        let result = answered_invite(&mut bench, server(), &invite, &challenge);
        assert_eq!(result.is_ok(), answered, "{realm} {target}: {result:?}");
    }
    // A realm that the registrar asked for is the own one from then on.
    let (mut bench, register) = phone(proxied);
    let odd = [("WWW-Authenticate", "Digest realm=\"asterisk\", nonce=\"n\"")];
    assert_eq!(bench.reply(server(), "t", &register, 401, &odd).len(), 1);
    let (_, invite) = call(&mut bench, "sip:x@evil.example");
    let challenge = "Digest realm=\"asterisk\", nonce=\"m\"";
    assert!(answered_invite(&mut bench, server(), &invite, challenge).is_ok());
}

#[test]
fn the_third_challenge_ends_a_call() {
    let (mut bench, _) = phone(setup());
    let (_, mut invite) = call(&mut bench, "sip:x@sim.example");
    for number in 0..2 {
        let challenge = format!("Digest realm=\"sim.example\", nonce=\"{number}\"");
        invite = answered_invite(&mut bench, server(), &invite, &challenge).unwrap();
    }
    let last = "Digest realm=\"sim.example\", nonce=\"9\"";
    let why = answered_invite(&mut bench, server(), &invite, last).unwrap_err();
    assert!(
        why.contains("refuses the user name or the password"),
        "{why}"
    );
}

#[test]
fn a_registration_that_cannot_be_says_why() {
    let no_password = AccountSetup {
        credentials: None,
        ..setup()
    };
    type Fields = &'static [(&'static str, &'static str)];
    let rows: [(AccountSetup, u16, Fields, &str); 6] = [
        (
            no_password,
            401,
            &[("WWW-Authenticate", MD5)],
            "none is set",
        ),
        (
            setup(),
            401,
            &[(
                "WWW-Authenticate",
                "Digest realm=\"r\", nonce=\"n\", algorithm=AKAv1-MD5",
            )],
            "AKAv1-MD5, which is not supported",
        ),
        (
            setup(),
            401,
            &[("WWW-Authenticate", "Bearer authz_server=\"https://x\"")],
            "Bearer, which is not supported",
        ),
        (setup(), 401, &[], "cannot be read, which is not supported"),
        (setup(), 403, &[], "forbids this account"),
        (setup(), 483, &[], "goes round in a circle"),
    ];
    for (setup, code, fields, words) in rows {
        let (mut bench, register) = phone(setup);
        bench.reply(server(), "t", &register, code, fields);
        let (status, reason) = failure(&bench).unwrap();
        assert_eq!(status, Some(code), "{reason}");
        assert!(reason.contains(words), "{reason}");
    }
}

#[test]
fn a_binding_that_expires_at_once_is_no_registration() {
    let (mut bench, register) = phone(setup());
    let contact = format!("<{}>;expires=0", register.contact().unwrap().uri);
    bench.reply(server(), "t", &register, 200, &[("Contact", &contact)]);
    let (status, reason) = failure(&bench).unwrap();
    assert_eq!(status, Some(200));
    assert!(reason.contains("expire at once"), "{reason}");
    assert!(
        !bench.wait(Duration::from_secs(60)).is_empty(),
        "it is tried again"
    );
}

/// Such a registrar keeps other phones, and the calls would go to them alone.
#[test]
fn a_yes_that_lists_other_phones_alone_is_no_registration() {
    let (mut bench, register) = phone(setup());
    let others = "<sip:desk@10.0.0.7:5060>;expires=3600";
    let fields = [("Contact", others), ("Expires", "3600")];
    bench.reply(server(), "t", &register, 200, &fields);
    let (status, reason) = failure(&bench).unwrap();
    assert_eq!(status, Some(200));
    assert!(
        reason.contains("lists other phones, but not this one"),
        "{reason}"
    );
    let mut sent = Vec::new();
    while sent.is_empty() {
        sent = bench.wait(Duration::from_secs(1));
    }
    let again = sent.remove(0);
    let ours = format!("<{}>", register.contact().unwrap().uri);
    let fields = [("Contact", others), ("Contact", ours.as_str())];
    bench.reply(server(), "t", &again, 200, &fields);
    let last = bench.events.last();
    assert!(
        matches!(
            last,
            Some(SipEvent::Registration {
                state: RegistrationState::Registered { .. },
                ..
            })
        ),
        "{last:?}"
    );
}

#[test]
fn a_registrar_that_calls_every_proof_outdated_is_not_asked_without_end() {
    let (mut bench, register) = phone(setup());
    let mut sent = vec![register];
    for number in 1..=3 {
        assert_eq!(sent.len(), 1, "REGISTER {number}");
        let stale =
            format!("Digest realm=\"sim.example\", nonce=\"{number}\", qop=\"auth\", stale=true");
        let register = sent.remove(0);
        let fields = [("WWW-Authenticate", stale.as_str())];
        sent = bench.reply(server(), "t", &register, 401, &fields);
    }
    assert!(sent.is_empty(), "{sent:?}");
    let (status, reason) = failure(&bench).unwrap();
    assert_eq!(status, Some(401));
    assert!(reason.contains("outdated"), "{reason}");
    assert!(!reason.contains("check both"), "the password is right");
    assert!(
        !bench.wait(Duration::from_secs(60)).is_empty(),
        "it is tried again later"
    );
}

#[test]
fn a_registrar_that_finds_each_lifetime_too_brief_is_not_asked_without_end() {
    let (mut bench, register) = phone(setup());
    let mut sent = vec![register];
    let mut least = 4000;
    while let Some(register) = sent.pop() {
        assert!(least < 10_000, "it asks again and again");
        let demanded = least.to_string();
        let fields = [("Min-Expires", demanded.as_str())];
        sent = bench.reply(server(), "t", &register, 423, &fields);
        least += 1000;
    }
    let (status, reason) = failure(&bench).unwrap();
    assert_eq!(status, Some(423));
    assert!(reason.contains("ask its administrator"), "{reason}");
}

#[test]
fn a_registration_that_comes_back_to_the_phone_is_a_loop() {
    let (mut bench, register) = phone(setup());
    let now = bench.now;
    bench
        .endpoint
        .handle_datagram(now, server(), OURS, &register.to_bytes());
    let loop_detected = bench.sent().remove(0);
    assert_eq!(loop_detected.code(), Some(482));
    let bytes = loop_detected.to_bytes();
    bench.endpoint.handle_datagram(now, server(), OURS, &bytes);
    bench.sent();
    let (status, reason) = failure(&bench).unwrap();
    assert_eq!(status, Some(482));
    assert!(
        reason.contains("came back to this phone itself"),
        "{reason}"
    );
}

#[test]
fn the_password_is_given_to_whom_it_belongs() {
    let credentials = Credentials {
        username: "robert".to_owned(),
        password: crate::base::redact::Secret::new("secret"),
    };
    let (mut bench, register) = phone(AccountSetup {
        credentials: Some(credentials),
        ..setup()
    });
    let again = bench.reply(server(), "t", &register, 401, &[("WWW-Authenticate", MD5)]);
    let value = again[0].header("Authorization").unwrap();
    assert!(value.contains("username=\"robert\""), "{value}");
}

/// Who answered is the word of the account's own server; anybody may write the header field.
#[test]
fn who_answered_is_believed_of_the_own_server_alone() {
    let told = |from: SocketAddr, target: &str, privacy: &str| {
        let (mut bench, _) = phone(setup());
        let (_, invite) = call(&mut bench, target);
        let fields = [
            ("Contact", "<sip:carol@10.0.0.201>"),
            ("P-Asserted-Identity", "\"Carol\" <sip:carol@sim.example>"),
            ("Privacy", privacy),
        ];
        bench.reply(from, "t", &invite, 200, &fields);
        let answered = bench.events.iter().find_map(|event| match event {
            SipEvent::Answered { answered_by, .. } => Some(answered_by.clone()),
            _ => None,
        });
        answered.expect("it was answered")
    };
    let who = told(server(), "sip:dave@sim.example", "none").unwrap();
    assert_eq!(who.display_name.as_deref(), Some("Carol"));
    assert_eq!(who.uri.to_string(), "sip:carol@sim.example");
    assert_eq!(told(server(), "sip:dave@sim.example", "id"), None);
    let elsewhere = format!("sip:dave@{}", peer().ip());
    assert_eq!(told(peer(), &elsewhere, "none"), None);
}

/// A challenge with SHA-256 below one with MD5 does not make the MD5 one strong.
#[test]
fn where_sha_256_is_offered_it_is_what_is_answered_whatever_stands_above() {
    let (mut bench, register) = phone(setup());
    let both = [("WWW-Authenticate", SHA256)];
    let again = bench.reply(server(), "t", &register, 401, &both).remove(0);
    bench.reply(server(), "t", &again, 200, &[]);
    bench.endpoint.register_now(bench.now, BOB);
    let register = bench.sent().remove(0);
    let both = [("WWW-Authenticate", MD5), ("WWW-Authenticate", SHA256)];
    let again = bench.reply(server(), "t", &register, 401, &both).remove(0);
    assert!(again.header("Authorization").unwrap().contains("SHA-256"));
    // Where MD5 is allowed the topmost counts (RFC 8760 section 2.4).
    let digest = DigestRules {
        allow_md5: true,
        ..DigestRules::default()
    };
    let (mut bench, register) = phone(AccountSetup { digest, ..setup() });
    let again = bench.reply(server(), "t", &register, 401, &both).remove(0);
    assert!(!again.header("Authorization").unwrap().contains("SHA-256"));
}

/// A call that went by the own server goes on by another machine of the provider's, which asks too.
#[test]
fn a_challenge_inside_a_call_is_answered_on_the_way_that_the_own_server_chose() {
    let (mut bench, register) = phone(setup());
    bench.reply(server(), "t", &register, 200, &[]);
    let (session, invite) = call(&mut bench, "sip:carol@sim.example");
    let fields = [
        ("Contact", "<sip:carol@10.0.0.9>"),
        ("Record-Route", "<sip:10.0.0.202;lr>"),
    ];
    bench.reply(server(), "t", &invite, 200, &fields);
    bench.endpoint.hang_up(bench.now, session).unwrap();
    let bye = bench.sent().remove(0);
    assert_eq!(bye.method(), Some(&Method::Bye));
    let other = (IpAddr::from([10, 0, 0, 202]), 5060).into();
    let challenge = [("Proxy-Authenticate", SHA256)];
    let again = bench.reply(other, "t", &bye, 407, &challenge).remove(0);
    assert!(again.header("Proxy-Authorization").is_some());
    // One that no server of the account leads to gets nothing.
    let (session, invite) = call(&mut bench, "sip:carol@sim.example");
    bench.reply(server(), "t", &invite, 200, &fields);
    bench.endpoint.hang_up(bench.now, session).unwrap();
    let bye = bench.sent().remove(0);
    let foreign = "Digest realm=\"elsewhere.example\", nonce=\"n\", algorithm=SHA-256";
    let sent = bench.reply(other, "t", &bye, 407, &[("Proxy-Authenticate", foreign)]);
    let credentials = |it: &Message| it.header("Proxy-Authorization").is_some();
    assert!(!sent.iter().any(credentials));
}

/// The number that a challenged request went out with again is the dialog's; the next one is higher.
#[test]
fn a_challenge_inside_a_call_costs_a_number_of_its_dialog() {
    let (mut bench, register) = phone(setup());
    bench.reply(server(), "t", &register, 200, &[]);
    let (session, invite) = call(&mut bench, "sip:carol@sim.example");
    let fields = [("Contact", "<sip:carol@10.0.0.201>")];
    bench.reply(server(), "t", &invite, 200, &fields);
    bench
        .endpoint
        .reinvite(bench.now, session, crate::sip::Body::sdp("v=0"))
        .unwrap();
    let first = bench.sent().remove(0);
    let challenge = [("Proxy-Authenticate", SHA256)];
    let sent = bench.reply(server(), "t", &first, 407, &challenge);
    let is_invite = |it: &&Message| it.method() == Some(&Method::Invite);
    let again = sent.iter().find(is_invite).unwrap();
    bench.reply(server(), "t", again, 200, &fields);
    bench.endpoint.hang_up(bench.now, session).unwrap();
    let bye = bench
        .sent()
        .into_iter()
        .find(|it| it.method() == Some(&Method::Bye));
    let numbers = [&first, again, &bye.unwrap()].map(|it| it.cseq().unwrap().0);
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}
