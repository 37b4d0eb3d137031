//! Which way a redirected call of an account goes, and that nobody but the account's own server gets
//! its digest (RFC 3261 sections 22 and 26.2).

use super::{follow, is_invite, next_invite, uri, why_not};
use crate::base::id::AccountId;
use crate::sip::message::{Message, Method};
use crate::sip::simulator::bench::{Bench, peer, server};
use crate::sip::simulator::scenarios::account;
use crate::sip::{AccountSetup, EndedBy, SessionId};

const ANNA: AccountId = AccountId(7);

/// Calls somebody; the INVITE.
fn call(bench: &mut Bench, target: &str) -> (SessionId, Message) {
    let session = bench.call(Some(ANNA), target);
    let invite = bench.sent().into_iter().find(is_invite);
    (session, invite.unwrap())
}

/// A registered phone whose server has challenged a call, and that call as it was sent then.
fn challenged(setup: AccountSetup, target: &str) -> (Bench, SessionId, Message) {
    const CHALLENGE: &str = "Digest realm=\"sim.example\", nonce=\"n\", qop=\"auth\"";
    let mut bench = Bench::for_accounts(None);
    bench.endpoint.add_account(bench.now, ANNA, setup);
    let register = bench.sent().remove(0);
    bench.reply(server(), "t", &register, 200, &[]);
    let (session, invite) = call(&mut bench, target);
    let challenge = [("Proxy-Authenticate", CHALLENGE)];
    let sent = bench.reply(server(), "t", &invite, 407, &challenge);
    let again = sent.into_iter().find(is_invite).unwrap();
    assert!(again.header("Proxy-Authorization").is_some());
    (bench, session, again)
}

#[test]
fn a_foreign_host_never_gets_the_digest_that_the_own_server_asked_for() {
    let (mut bench, session, invite) = challenged(account("anna"), "sip:bob@sim.example");
    let foreign = [("Contact", "<sip:bob@10.0.0.200:5070>")];
    bench.reply(server(), "t", &invite, 302, &foreign);
    let sent = follow(&mut bench, session).unwrap();
    let credentials = |message: &Message| {
        message.header("Authorization").is_some() || message.header("Proxy-Authorization").is_some()
    };
    assert_eq!(sent.cseq(), Some((3, Method::Invite)));
    assert!(!credentials(&sent), "{}", sent.to_bytes().escape_ascii());
    // Nor when it asks, by whatever name.
    for header in ["WWW-Authenticate", "Proxy-Authenticate"] {
        let code = if header.starts_with('W') { 401 } else { 407 };
        let ask = [(header, "Digest realm=\"sim.example\", nonce=\"x\"")];
        let later = bench.reply(peer(), "t", &sent, code, &ask);
        assert!(!later.iter().any(credentials));
    }
    assert_eq!(bench.ended(), Some((EndedBy::Remote, 401)));
    // A call that is dialled to a foreign host gets none either.
    let (other, direct) = call(&mut bench, "sip:x@10.0.0.200:5070");
    assert!(!credentials(&direct));
    // Nor what follows in that call.
    let accepted = [("Contact", "<sip:x@10.0.0.200:5070>")];
    let acks = bench.reply(peer(), "t", &direct, 200, &accepted);
    assert!(acks.iter().any(|ack| ack.method() == Some(&Method::Ack)));
    bench.endpoint.hang_up(bench.now, other).unwrap();
    let bye = bench.sent().remove(0);
    assert_eq!(bye.method(), Some(&Method::Bye));
    assert!(!acks.iter().chain([&bye]).any(credentials));
    // The own server gets them at once.
    let (_, home) = call(&mut bench, "sip:carol@sim.example");
    assert!(credentials(&home));
}

#[test]
fn a_redirected_call_takes_the_way_of_any_call_of_its_account() {
    let proxied = AccountSetup {
        outbound_proxy: Some(uri("sip:proxy.sim.example")),
        ..account("anna")
    };
    let (mut bench, session, invite) = challenged(proxied, "sip:bob@sim.example");
    let both = [
        ("Contact", "<sip:carol@sim.example>"),
        ("Contact", "<sip:carol@elsewhere.example>;q=0.5"),
    ];
    bench.reply(server(), "t", &invite, 302, &both);
    let home = follow(&mut bench, session).unwrap();
    bench.reply(server(), "t", &home, 480, &[]);
    let abroad = next_invite(&mut bench, session).unwrap();
    for (sent, target) in [
        (home, "sip:carol@sim.example"),
        (abroad, "sip:carol@elsewhere.example"),
    ] {
        let routes: Vec<&str> = sent.headers.values("Route").collect();
        assert_eq!(routes, ["<sip:proxy.sim.example;lr>"], "{target}");
        assert_eq!(sent.uri().unwrap().to_string(), target);
        // The proxy asked for them, whatever lies behind it.
        assert!(sent.header("Proxy-Authorization").is_some(), "{target}");
    }
}

#[test]
fn a_target_that_demands_encryption_is_not_called_by_a_plain_way() {
    // That no Contact of `sip:` is offered after `sips:` is tested with the list itself; here the
    // account's own way is too weak for what is asked.
    let plain = AccountSetup {
        transport: Some(crate::base::flow::Transport::Udp),
        ..account("anna")
    };
    let (mut bench, session, invite) = challenged(plain, "sip:bob@sim.example");
    let secure = [("Contact", "<sips:carol@sim.example>")];
    bench.reply(server(), "t", &invite, 302, &secure);
    assert_eq!(follow(&mut bench, session), None);
    assert_eq!(bench.ended(), Some((EndedBy::Remote, 302)));
    let why = why_not(&bench);
    assert!(why.contains("demands an encrypted way"), "{why}");
}
