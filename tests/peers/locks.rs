//! What the phone says of encrypted sound between two phones at Kamailio: the keys of SDES go in the
//! signalling, and the lock says whether they were hidden on the way to the server.

use serde_json::Value;

use crate::certificates::Authority;
use crate::kamailio::{Kamailio, Secured};
use crate::phone::Phone;
use crate::tones::{Tones, until_heard};

/// The security of a call's sound, and by which suite.
fn lock(phone: &mut Phone) -> (Value, Value) {
    let media = phone.wait("media");
    (media["security"].clone(), media["suite"].clone())
}

/// Alice calls Bob; gives what both phones say of the call that both hear.
fn locks(alices_transport: &str, bobs_transport: &str, srtp: &str) -> [(Value, Value); 2] {
    let authority = Authority::new("lab authority");
    let secured = Secured::by(&authority.issue("lab.example"));
    let kamailio = Kamailio::start_secured(&[], &secured);
    let [alices, bobs] = [("alice", alices_transport), ("bob", bobs_transport)]
        .map(|(user, by)| kamailio.secured_options(user, by, &authority.file()));
    let [ours, theirs] = Tones::pair("opus");
    let mut bob = theirs.phone_of(&bobs, &["--auto-answer=100"]);
    let sdes = ["--srtp", srtp, "--keying", "sdes"];
    let dials = [&sdes[..], &["--call", "sip:bob@lab.example"]].concat();
    let mut alice = ours.phone_of(&alices, &dials);
    let locks = [lock(&mut alice), lock(&mut bob)];
    until_heard(&mut alice);
    alice.command("hangup");
    for phone in [alice, bob] {
        let ended = phone.ended();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    ours.assert_recorded();
    theirs.assert_recorded();
    locks
}

/// What stands there in each of the two.
fn assert_locks(found: &[(Value, Value); 2], words: [&str; 2], suite: &str) {
    for ((security, by), word) in found.iter().zip(words) {
        assert_eq!((security, by), (&word.into(), &suite.into()), "{found:?}");
    }
}

#[test]
fn over_tls_the_keys_are_hidden_and_the_lock_is_closed() {
    let locks = locks("tls", "tls", "optional");
    assert_locks(&locks, ["encrypted"; 2], "AEAD_AES_256_GCM");
}

#[test]
fn over_udp_the_same_keys_are_visible_and_the_lock_says_so() {
    let locks = locks("udp", "udp", "required");
    assert_locks(&locks, ["key-visible"; 2], "AEAD_AES_256_GCM");
}

/// Each phone knows the way to its server alone.
#[test]
fn the_lock_is_about_the_way_to_the_server_of_each_side() {
    let locks = locks("tls", "udp", "optional");
    assert_locks(&locks, ["encrypted", "key-visible"], "AEAD_AES_256_GCM");
}
