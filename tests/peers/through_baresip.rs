//! Calls with baresip, both ways; the sound that arrived is compared with the sound that was sent.

use crate::audio::Sound;
use crate::baresip::Baresip;
use crate::between::Between;
use crate::conversation::Conversation;
use crate::phone::Phone;

/// What baresip says through G.722 is measured as its file holds it: what a telephone band would
/// leave out is part of it.
fn conversation(codec: &str, ours: &str) -> Conversation {
    let mut call = Conversation::prepare(ours);
    if codec.starts_with("g722") {
        call.theirs = call.theirs.at_rate(16_000);
    }
    call
}

/// Gives what was said, and what baresip heard.
fn baresip_calls_us(codec: &str, ours: &str) -> (Conversation, Sound) {
    let call = conversation(codec, ours);
    let mut baresip = Baresip::start(codec, &call.theirs);
    let mut phone = call.phone(&["--auto-answer=100"]);
    baresip.command("dial", &phone.uri());
    let media = phone.wait("media");
    assert!(
        codec.starts_with(&media["codec"].as_str().unwrap().to_lowercase()),
        "{media}"
    );
    let ended = phone.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.only_call()["state"], "completed");
    baresip.wait("CALL_CLOSED");
    let heard = baresip.heard();
    call.assert_heard(&heard);
    (call, heard)
}

fn we_call_baresip(codec: &str, ours: &str) -> (Conversation, Sound) {
    let call = conversation(codec, ours);
    let mut baresip = Baresip::start(codec, &call.theirs);
    let uri = baresip.uri();
    let ended = call.phone(&["--call", &uri]).ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let row = ended.only_call();
    assert_eq!(row["state"], "completed");
    assert_eq!(row["direction"], "outbound");
    baresip.wait("CALL_CLOSED");
    let heard = baresip.heard();
    call.assert_heard(&heard);
    (call, heard)
}

#[test]
fn baresip_calls_us_with_g722_and_both_hear_the_upper_band() {
    let heard = baresip_calls_us("g722/16000/1", "g722,pcma");
    heard.0.assert_wide(&heard.1);
}

#[test]
fn we_call_baresip_with_g722_and_both_hear_the_upper_band() {
    let heard = we_call_baresip("g722/16000/1", "opus,g722,pcma");
    heard.0.assert_wide(&heard.1);
}

#[test]
fn baresip_calls_us_with_opus() {
    baresip_calls_us("opus/48000/2", "opus,pcmu,pcma");
}

#[test]
fn we_call_baresip_with_opus() {
    we_call_baresip("opus/48000/2", "opus,pcmu,pcma");
}

#[test]
fn we_call_baresip_which_knows_only_g711() {
    we_call_baresip("pcma", "opus,pcmu,pcma");
}

#[test]
fn baresip_is_transferred_to_another_phone_and_they_hear_each_other() {
    let call = Conversation::prepare("pcma");
    let baresip = Baresip::start("PCMA/8000/1", &call.theirs);
    let carol = call.phone(&["--auto-answer"]);
    let to_carol = format!("sip:carol@{}", carol.address());
    let target = baresip.uri();
    let options = ["--no-register", "--codecs", "pcma", "--call", &target];
    let transfer = ["--transfer", &to_carol, "--exit-after-calls", "1"];
    let alice = Phone::start(&[&options[..], &transfer[..]].concat()).ended();
    assert_eq!(alice.code, Some(0), "{}", alice.stderr);
    let told = alice.event("transferred");
    assert!(told["status"].as_u64().unwrap() < 300, "{told:#}");
    let carol = carol.ended();
    assert_eq!(carol.code, Some(0), "{}", carol.stderr);
    let answered = carol.event("answered");
    assert!(
        answered["from"].as_str().unwrap().contains("baresip"),
        "{answered:#}"
    );
    call.assert_recorded();
}

#[test]
fn baresip_transfers_us_to_another_phone() {
    let speech = Sound::tone(440.0, 20, 48_000);
    let mut baresip = Baresip::start("PCMA/8000/1", &speech);
    let mut carol = Phone::start(&["--no-register", "--auto-answer", "--codecs", "pcma"]);
    let target = baresip.uri();
    let mut alice = Phone::start(&[
        "--no-register",
        "--codecs",
        "pcma",
        "--transfers",
        "always",
        "--call",
        &target,
    ]);
    alice.wait("answered");
    baresip.wait("CALL_ESTABLISHED");
    baresip.command("transfer", &format!("sip:carol@{}", carol.address()));
    let wish = alice.wait("transfer_requested");
    assert_eq!(wish["decision"], "followed", "{wish:#}");
    carol.wait("answered");
    // baresip leaves once it hears that it worked.
    let left = alice.wait("ended");
    assert_eq!(left["reason"], "the far end hung up", "{left:#}");
    alice.command("hangup");
    carol.wait("ended");
}

/// The keys go in the clear here, which the phone says.
#[test]
fn baresip_calls_us_encrypted() {
    for insists in ["srtp", "srtp-mand", "srtp-mandf"] {
        let call = Conversation::prepare("pcma");
        let mut baresip = Baresip::encrypted("PCMA/8000/1", &call.theirs, insists);
        let mut phone = call.phone(&["--auto-answer=100"]);
        baresip.command("dial", &format!("sip:phone@{}", phone.address()));
        let media = phone.wait("media");
        assert_eq!(media["security"], "key-visible", "{insists}: {media}");
        assert_eq!(media["suite"], "AES_CM_128_HMAC_SHA1_80", "{media}");
        let ended = phone.ended();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        baresip.wait("CALL_CLOSED");
        call.assert_heard(&baresip.heard());
    }
}

#[test]
fn we_call_baresip_encrypted() {
    let call = Conversation::prepare("opus,pcmu,pcma");
    let mut baresip = Baresip::encrypted("opus/48000/2", &call.theirs, "srtp-mand");
    let uri = baresip.uri();
    let mut phone = call.phone(&["--srtp", "required", "--call", &uri]);
    let media = phone.wait("media");
    assert_eq!(media["security"], "key-visible", "{media}");
    let ended = phone.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    baresip.wait("CALL_CLOSED");
    call.assert_heard(&baresip.heard());
}

#[test]
fn who_must_be_encrypted_talks_with_nobody_in_the_clear() {
    let speech = Sound::tone(440.0, 20, 48_000);
    let baresip = Baresip::start("PCMA/8000/1", &speech);
    let uri = baresip.uri();
    let mut phone = Phone::start(&["--no-register", "--srtp", "required", "--call", &uri]);
    let ended = phone.wait("ended");
    assert_ne!(ended["state"], "completed", "{ended:#}");
    assert_eq!(phone.stop().code, Some(0));
    let mut phone = Phone::start(&["--no-register", "--srtp", "required", "--auto-answer"]);
    let mut baresip = baresip;
    baresip.command("dial", &format!("sip:phone@{}", phone.address()));
    let ended = phone.wait("ended");
    let reason = ended["reason"].as_str().unwrap();
    assert!(reason.contains("demands encrypted sound"), "{ended:#}");
    assert_eq!(ended["status"], 488, "{ended:#}");
}

/// The keys never go over the network; but who each side is goes in the clear here, which the phone
/// says.
#[test]
fn baresip_calls_us_with_keys_by_handshake() {
    let call = Conversation::prepare("pcma");
    let mut baresip = Baresip::encrypted("PCMA/8000/1", &call.theirs, "dtls_srtp");
    let mut phone = call.phone(&["--auto-answer=100"]);
    baresip.command("dial", &format!("sip:phone@{}", phone.address()));
    let media = phone.wait("media");
    assert_eq!(media["security"], "unverified", "{media}");
    let secured = phone.wait("secured");
    assert_eq!(secured["security"], "unverified", "{secured}");
    let ended = phone.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    baresip.wait("CALL_CLOSED");
    call.assert_heard(&baresip.heard());
}

#[test]
fn we_call_baresip_with_keys_by_handshake() {
    let call = Conversation::prepare("opus,pcmu,pcma");
    let mut baresip = Baresip::encrypted("opus/48000/2", &call.theirs, "dtls_srtp");
    let uri = baresip.uri();
    let handshake = ["--srtp", "required", "--keying", "dtls", "--call", &uri];
    let mut phone = call.phone(&handshake);
    let media = phone.wait("media");
    assert_eq!(media["security"], "unverified", "{media}");
    phone.wait("secured");
    let ended = phone.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    baresip.wait("CALL_CLOSED");
    call.assert_heard(&baresip.heard());
}

/// One digit of the certificate's fingerprint is another one in the answer: nothing is said to whoever
/// that is, and the call ends with the cause.
#[test]
fn a_fingerprint_that_is_changed_on_the_way_ends_the_call() {
    let speech = Sound::tone(440.0, 20, 48_000);
    let baresip = Baresip::encrypted("PCMA/8000/1", &speech, "dtls_srtp");
    let between = Between::start(baresip.port(), |text| {
        // It stands there twice, for the session and for the stream.
        let (_, rest) = text.split_once("a=fingerprint:SHA-256 ")?;
        let (digits, _) = rest.split_once('\r')?;
        let (first, others) = digits.split_at(1);
        let other = if first == "0" { "1" } else { "0" };
        Some(text.replace(digits, &format!("{other}{others}")))
    });
    let uri = format!("sip:baresip@127.0.0.1:{}", between.port());
    let handshake = ["--srtp", "required", "--keying", "dtls", "--call", &uri];
    let mut phone = Phone::start(&[&["--no-register"], &handshake[..]].concat());
    phone.wait("media");
    let ended = phone.wait("ended");
    let reason = ended["reason"].as_str().unwrap();
    assert!(reason.contains("somebody may sit in between"), "{ended:#}");
    assert!(between.stop() >= 1, "an answer was changed");
}
