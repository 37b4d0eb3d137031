//! Calls with linphone, both ways; the sound that arrived is compared with the sound that was sent.

use crate::conversation::Conversation;
use crate::linphone::Linphone;

/// What we offer and take.
const OURS: &str = "opus,pcmu,pcma";

fn linphone_calls_us(codec: &str) {
    let call = Conversation::prepare(OURS);
    let mut linphone = Linphone::start(codec, &call.theirs);
    let mut phone = call.phone(&["--auto-answer=100"]);
    linphone.command(&format!("call sip:phone@{}", phone.address()));
    let media = phone.wait("media");
    let named = media["codec"].as_str().unwrap().to_lowercase();
    assert!(codec.to_lowercase().starts_with(&named), "{media}");
    let ended = phone.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.only_call()["state"], "completed");
    linphone.wait("ended (No error)");
    call.assert_heard(&linphone.quit().recording("first"));
}

fn we_call_linphone(codec: &str) {
    let call = Conversation::prepare(OURS);
    let mut linphone = Linphone::start(codec, &call.theirs);
    let ended = call.phone(&["--call", &linphone.uri()]).ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let row = ended.only_call();
    assert_eq!(row["state"], "completed");
    assert_eq!(row["direction"], "outbound");
    linphone.wait("ended (No error)");
    call.assert_heard(&linphone.quit().recording("first"));
}

#[test]
fn linphone_calls_us_with_opus() {
    linphone_calls_us("opus/48000/2");
}

#[test]
fn linphone_which_knows_only_g711_calls_us() {
    linphone_calls_us("PCMU/8000/1");
}

#[test]
fn we_call_linphone_with_opus() {
    we_call_linphone("opus/48000/2");
}

#[test]
fn we_call_linphone_which_knows_only_g711() {
    we_call_linphone("PCMA/8000/1");
}
