//! Calls whose sound finds its way by ICE: with baresip, and with a phone of our own through coturn,
//! in network namespaces.

use std::path::Path;

use serde_json::Value;

use crate::audio::Sound;
use crate::baresip::Baresip;
use crate::conversation::Conversation;
use crate::coturn::{Coturn, PASSWORD, PORT, USER};
use crate::namespace::{Namespaces, SERVICE};
use crate::phone::Phone;

/// The address of the phone's cable.
pub(crate) const PHONE: &str = "10.71.1.2";
/// The ports of sound of both phones, where a firewall is to know them.
const SOUND: &str = "20000-29999";

/// Namespaces with one cable.
pub(crate) fn plugged() -> Namespaces {
    let spaces = Namespaces::new();
    spaces.plug(1, 100);
    spaces
}

/// The options by which a phone uses coturn.
pub(crate) fn by_coturn(folder: &Path) -> Vec<String> {
    let password = folder.join("turn-password");
    std::fs::write(&password, PASSWORD).unwrap();
    [
        "--ice",
        "--turn",
        &format!("turn:{SERVICE}:{PORT}"),
        "--turn-user",
        USER,
        "--turn-password-file",
        &password.display().to_string(),
        "--rtp-ports",
        SOUND,
    ]
    .map(str::to_owned)
    .to_vec()
}

fn text<'a>(event: &'a Value, key: &str) -> &'a str {
    event[key].as_str().unwrap()
}

#[test]
fn baresip_with_ice_calls_us() {
    let spaces = plugged();
    let call = Conversation::prepare("pcma");
    let mut phone = call.phone_in(
        &spaces.in_phone(),
        &[
            "--bind",
            &format!("{PHONE}:5062"),
            "--ice",
            "--auto-answer=100",
        ],
    );
    let target = format!("sip:phone@{PHONE}:5062");
    let far = spaces.in_far();
    let there = (&far[..], SERVICE);
    let baresip = Baresip::with_ice(there, &call.theirs, ";medianat=ice", Some(&target));
    let path = phone.wait("path");
    assert!(text(&path, "local").starts_with(PHONE), "{path}");
    let ended = phone.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    call.assert_heard(&baresip.heard());
}

#[test]
fn we_call_baresip_with_ice() {
    let spaces = plugged();
    let call = Conversation::prepare("pcma");
    let far = spaces.in_far();
    let there = (&far[..], SERVICE);
    let baresip = Baresip::with_ice(there, &call.theirs, ";medianat=ice", None);
    let uri = baresip.uri();
    let mut phone = call.phone_in(
        &spaces.in_phone(),
        &["--bind", &format!("{PHONE}:5062"), "--ice", "--call", &uri],
    );
    let path = phone.wait("path");
    assert!(text(&path, "local").starts_with(PHONE), "{path}");
    let ended = phone.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    call.assert_heard(&baresip.heard());
}

#[test]
fn baresip_without_ice_is_called_as_ever() {
    let spaces = plugged();
    let call = Conversation::prepare("pcma");
    let far = spaces.in_far();
    let baresip = Baresip::with_ice((&far[..], SERVICE), &call.theirs, "", None);
    let uri = baresip.uri();
    let phone = call.phone_in(
        &spaces.in_phone(),
        &["--bind", &format!("{PHONE}:5062"), "--ice", "--call", &uri],
    );
    let ended = phone.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    call.assert_heard(&baresip.heard());
}

/// Bob, in the far namespace, echoes what he hears.
fn bob(spaces: &Namespaces, folder: &Path, more: &[String]) -> Phone {
    let bind = format!("{SERVICE}:5064");
    let own = [
        "--no-register",
        "--auto-answer",
        "--echo",
        "--codecs",
        "pcma",
        "--bind",
        &bind,
    ];
    let more = more.iter().map(String::as_str);
    let all: Vec<&str> = own.into_iter().chain(more).collect();
    Phone::behind(&spaces.in_far(), folder, &all)
}

/// Alice calls Bob and hears herself; gives the path of her sound.
fn alice_calls_bob(spaces: &Namespaces, folder: &Path, more: &[String]) -> Value {
    let play = folder.join("tone.wav");
    Sound::tone(440.0, 8, 48_000).write(&play);
    let records = folder.join("recordings");
    std::fs::create_dir(&records).unwrap();
    let (bind, uri) = (format!("{PHONE}:5062"), format!("sip:bob@{SERVICE}:5064"));
    let (play, records) = (play.display().to_string(), records.display().to_string());
    let own = [
        "--no-register",
        "--codecs",
        "pcma",
        "--bind",
        &bind,
        "--play",
        &play,
        "--record-dir",
        &records,
        "--hangup-after",
        "5",
        "--exit-after-calls",
        "1",
        "--call",
        &uri,
    ];
    let more = more.iter().map(String::as_str);
    let all: Vec<&str> = own.into_iter().chain(more).collect();
    let mut alice = Phone::behind(&spaces.in_phone(), folder, &all);
    let path = alice.wait("path");
    let ended = alice.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let (_, heard) =
        crate::audio::read_recording(&crate::phone::only_recording(Path::new(&records)));
    let share = heard.from(heard.seconds() - 2.0).share_of_tone(440.0);
    assert!(share > 0.8, "what came back is the tone: {share}");
    path
}

#[test]
fn where_a_firewall_blocks_the_sound_the_turn_server_carries_it() {
    let (spaces, folders) = (plugged(), [0; 2].map(|_| tempfile::TempDir::new().unwrap()));
    let coturn = Coturn::start(&spaces.in_far(), SERVICE);
    // Each host candidate of the other side is out of reach; the relayed ones are not.
    let blocked = format!("rule add ipproto udp sport {SOUND} dport {SOUND} prohibit");
    spaces.phone(&blocked);
    spaces.far(&blocked);
    let _bob = bob(&spaces, folders[1].path(), &by_coturn(folders[1].path()));
    let path = alice_calls_bob(&spaces, folders[0].path(), &by_coturn(folders[0].path()));
    let relayed = Coturn::relays(text(&path, "local")) || Coturn::relays(text(&path, "remote"));
    assert!(relayed, "{path}\n{}", coturn.log());
}

#[test]
fn with_the_relay_alone_nothing_goes_directly_and_the_far_end_learns_no_other_address() {
    let (spaces, folders) = (plugged(), [0; 2].map(|_| tempfile::TempDir::new().unwrap()));
    let coturn = Coturn::start(&spaces.in_far(), SERVICE);
    let mut options = by_coturn(folders[0].path());
    options.push("--ice-relay-only".to_owned());
    let wire = spaces.listen();
    let _bob = bob(&spaces, folders[1].path(), &["--ice".to_owned()]);
    let path = alice_calls_bob(&spaces, folders[0].path(), &options);
    assert!(
        Coturn::relays(text(&path, "local")),
        "{path}\n{}",
        coturn.log()
    );
    // Whatever left the phone for the far end's sound went by the server's port.
    let direct = wire.first_sound(0.0, &format!("{PHONE}.2"), &format!("{SERVICE}.2"));
    assert_eq!(direct, None);
    let log = coturn.log();
    assert!(log.contains("ALLOCATE processed, success"), "{log}");
}

#[test]
fn a_wrong_password_at_the_turn_server_is_told_and_the_call_goes_on_without_it() {
    let (spaces, folders) = (plugged(), [0; 2].map(|_| tempfile::TempDir::new().unwrap()));
    let _coturn = Coturn::start(&spaces.in_far(), SERVICE);
    let options = by_coturn(folders[0].path());
    std::fs::write(folders[0].path().join("turn-password"), "wrong").unwrap();
    let _bob = bob(&spaces, folders[1].path(), &["--ice".to_owned()]);
    let path = alice_calls_bob(&spaces, folders[0].path(), &options);
    assert!(text(&path, "local").starts_with(PHONE), "{path}");
}
