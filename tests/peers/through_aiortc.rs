//! Calls with aiortc, a WebRTC stack that shares no code with ours, in network namespaces: ICE and
//! DTLS-SRTP together, on one port with RTCP.

use serde_json::Value;

use crate::aiortc::Aiortc;
use crate::coturn::{Coturn, PASSWORD, PORT, USER};
use crate::namespace::{Namespaces, SERVICE};
use crate::phone::Phone;
use crate::through_ice::{PHONE, by_coturn, plugged};
use crate::tones::{Tones, until_heard};

/// Who is where, and what both play.
struct World {
    spaces: Namespaces,
    call: Tones,
    bind: String,
}

impl World {
    /// A phone of ours with these codecs.
    fn with(codecs: &str) -> Self {
        Self {
            spaces: plugged(),
            call: Tones::prepare(codecs),
            bind: format!("{PHONE}:5062"),
        }
    }

    fn phone(&self, options: &[&str]) -> Phone {
        let own = ["--bind", &self.bind, "--ice"];
        let all = [&own[..], options].concat();
        self.call.phone(&self.spaces.in_phone(), &all)
    }

    fn aiortc(&self, options: &[&str]) -> Aiortc {
        let far = self.spaces.in_far();
        Aiortc::start((&far, SERVICE), &self.call.theirs, options)
    }

    /// aiortc calls our phone.
    fn called(&self, ours: &[&str], theirs: &[&str]) -> (Phone, Aiortc) {
        let phone = self.phone(&[&["--auto-answer"], ours].concat());
        let uri = format!("sip:phone@{}", self.bind);
        let aiortc = self.aiortc(&[&["--call", &uri], theirs].concat());
        (phone, aiortc)
    }

    /// Our phone calls aiortc, and has the keys by a handshake or not at all.
    fn calls(&self, ours: &[&str], theirs: &[&str]) -> (Phone, Aiortc) {
        let aiortc = self.aiortc(theirs);
        let uri = aiortc.uri();
        let handshake = ["--srtp", "required", "--keying", "dtls", "--call", &uri];
        (self.phone(&[&handshake, ours].concat()), aiortc)
    }

    /// Both sides have heard the other; our phone hangs up, and what both have heard is looked at.
    fn end(&self, mut phone: Phone, aiortc: Aiortc) {
        until_heard(&mut phone);
        phone.command("hangup");
        let ended = phone.ended();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let (heard, _) = aiortc.heard();
        self.call.assert_heard(&heard);
        // It reports apart what it sends and what it hears.
        let misread = |event: &&Value| event["cause"] == "far-end-hears-nothing";
        assert_eq!(ended.events.iter().find(misread), None);
    }
}

/// The keys are there, by the best suite that both have. They were never visible; but who each side is
/// went in the clear, which the phone says.
fn secured(phone: &mut Phone, aiortc: &mut Aiortc) -> Value {
    let secured = phone.wait("secured");
    assert_eq!(secured["suite"], "AEAD_AES_256_GCM", "{secured}");
    assert_eq!(secured["security"], "unverified", "{secured}");
    let connected = aiortc.wait("connected");
    assert_eq!(connected["suite"], "SRTP_AEAD_AES_256_GCM", "{connected}");
    connected
}

/// aiortc offers; who begins the handshake is for its word to say, or for us.
#[test]
fn aiortc_calls_us_and_either_side_begins_the_handshake() {
    for (says, codec, role) in [
        ("actpass", "opus", "server"),
        ("passive", "g722", "server"),
        ("active", "pcmu", "client"),
    ] {
        let world = World::with("opus,g722,pcmu");
        let theirs = ["--setup", says, "--codec", codec];
        let (mut phone, mut aiortc) = world.called(&[], &theirs);
        let media = phone.wait("media");
        let named = media["codec"].as_str().unwrap().to_lowercase();
        assert_eq!(named, codec, "{media}");
        let connected = secured(&mut phone, &mut aiortc);
        assert_eq!(connected["dtls"], role, "{says}: {connected}");
        assert_eq!(connected["ice"], "controlling");
        world.end(phone, aiortc);
    }
}

/// We offer, and leave it to aiortc who begins.
#[test]
fn we_call_aiortc_and_either_side_begins_the_handshake() {
    for (says, codec, role) in [("active", "opus", "client"), ("passive", "pcma", "server")] {
        let world = World::with("opus,pcma");
        let theirs = ["--setup", says, "--codec", codec];
        let (mut phone, mut aiortc) = world.calls(&[], &theirs);
        let connected = secured(&mut phone, &mut aiortc);
        assert_eq!(connected["dtls"], role, "{connected}");
        assert_eq!(connected["ice"], "controlled");
        world.end(phone, aiortc);
    }
}

/// One digit of each fingerprint is another one: nothing is said to whoever that is, nothing of them is
/// heard, and the call ends with the cause.
#[test]
fn a_wrong_fingerprint_of_aiortc_ends_the_call_before_a_word_is_said_or_heard() {
    for we_call in [true, false] {
        let world = World::with("opus");
        let (mut phone, aiortc) = if we_call {
            world.calls(&[], &["--wrong-fingerprint"])
        } else {
            world.called(&[], &["--wrong-fingerprint"])
        };
        let ended = phone.wait("ended");
        let reason = ended["reason"].as_str().unwrap();
        assert!(reason.contains("somebody may sit in between"), "{ended:#}");
        let seconds = ended["talking"].as_f64().unwrap();
        assert!(seconds < 10.0, "no need to wait: {ended:#}");
        let (heard, packets) = aiortc.heard();
        assert_eq!((heard.samples.len(), packets), (0, 0));
        world.call.assert_unheard();
    }
}

/// A change of the call by either side keeps the way and the keys.
#[test]
fn aiortc_and_we_hold_and_resume_over_the_same_keys() {
    let world = World::with("opus");
    let (mut phone, mut aiortc) = world.calls(&[], &[]);
    secured(&mut phone, &mut aiortc);
    phone.command("hold");
    phone.wait("held");
    phone.command("resume");
    phone.wait("resumed");
    aiortc.command("hold");
    phone.wait("held");
    aiortc.command("resume");
    phone.wait("resumed");
    until_heard(&mut phone);
    aiortc.command("hangup");
    let ended = phone.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let is = |event: &&Value, name: &str| event["event"] == name;
    for name in ["secured", "path"] {
        let told = ended.events.iter().filter(|event| is(event, name));
        assert_eq!(told.count(), 1, "one handshake, one way: {name}");
    }
    let (heard, _) = aiortc.heard();
    world.call.assert_heard(&heard);
}

/// Both sides have nothing but relayed addresses.
#[test]
fn aiortc_and_we_hear_each_other_by_the_turn_server_alone() {
    let world = World::with("opus");
    let _coturn = Coturn::start(&world.spaces.in_far(), SERVICE);
    let mut ours = by_coturn(world.call.folder());
    ours.push("--ice-relay-only".to_owned());
    let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    let turn = format!("turn:{SERVICE}:{PORT}");
    let theirs = ["--turn", &turn, USER, PASSWORD];
    let (mut phone, mut aiortc) = world.calls(&ours, &theirs);
    let path = phone.wait("path");
    for side in ["local", "remote"] {
        assert!(Coturn::relays(path[side].as_str().unwrap()), "{path}");
    }
    secured(&mut phone, &mut aiortc);
    world.end(phone, aiortc);
}
