//! The phone on the move, in network namespaces: another cable, no cable, two cables at once.

use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::certificates::Authority;
use crate::kamailio::{Kamailio, Secured};
use crate::namespace::{Namespaces, SERVICE, Wire, unix_now};
use crate::phone::{Phone, find};
use crate::place;
use crate::sipp::Sipp;

/// How long a repair may take.
const LIMIT: f64 = 2.0;

/// Alice in the phone's namespace talks with Bob, who echoes, through Kamailio.
struct Scene {
    alice: Phone,
    bob: Phone,
    wire: Wire,
    _kamailio: Kamailio,
    /// Whose file is read for each new stream.
    _authority: Authority,
    /// What they write.
    _folders: [TempDir; 2],
    spaces: Namespaces,
}

impl Scene {
    fn new(transport: &str) -> Self {
        let spaces = Namespaces::new();
        spaces.plug(1, 100);
        let authority = Authority::new("lab authority");
        let secured = ["tls", "wss"].contains(&transport);
        let kamailio = if secured {
            let shown = Secured::by(&authority.issue("lab.example"));
            Kamailio::start_secured_at(&spaces.in_far(), SERVICE, 5060, &shown)
        } else {
            Kamailio::start_at(&spaces.in_far(), SERVICE, 5060, &[])
        };
        let wire = spaces.listen();
        let options = |user: &str| {
            let own = if secured {
                kamailio.secured_options(user, transport, &authority.file())
            } else {
                kamailio.options(user, transport)
            };
            [own, vec!["--bind".to_owned(), "0.0.0.0".to_owned()]].concat()
        };
        let start = |prefix: &[std::ffi::OsString], user: &str, more: &[&str]| {
            let mut all = options(user);
            all.extend(more.iter().map(|&option| option.to_owned()));
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            let folder = TempDir::new().unwrap();
            let mut phone = Phone::behind(prefix, folder.path(), &all);
            phone.wait("registered");
            (phone, folder)
        };
        let (bob, bobs) = start(&spaces.in_far(), "bob", &["--auto-answer", "--echo"]);
        let call = ["--call", "sip:bob@lab.example"];
        let (mut alice, alices) = start(&spaces.in_phone(), "alice", &call);
        alice.wait("answered");
        Self {
            alice,
            bob,
            wire,
            _kamailio: kamailio,
            _authority: authority,
            _folders: [alices, bobs],
            spaces,
        }
    }

    /// Waits until sound has passed both ways between an address of Alice and Bob since a time;
    /// gives when it first had.
    fn sound_between(&self, since: f64, alice: &str) -> f64 {
        let what = format!("no sound between {alice} and Bob");
        place::until(&what, || {
            let out = self.sound(since, alice, SERVICE)?;
            let back = self.sound(since, SERVICE, alice)?;
            Some(out.max(back))
        })
    }

    fn sound(&self, since: f64, from: &str, to: &str) -> Option<f64> {
        self.wire
            .first_sound(since, &format!("{from}."), &format!("{to}."))
    }
}

fn at(event: &Value) -> f64 {
    let text = event["at"].as_str().unwrap();
    let at: jiff::Timestamp = text.parse().unwrap();
    at.as_microsecond() as f64 / 1e6
}

fn moves_to_another_cable(transport: &str) {
    let mut scene = Scene::new(transport);
    scene.sound_between(0.0, "10.71.1.2");
    // The second cable is worse, so nothing happens yet.
    scene.spaces.plug(2, 200);
    let before = unix_now();
    scene.spaces.pull(1);
    let pulled = unix_now();
    let moved = scene.alice.wait("moved");
    let local = moved["local"].as_str().unwrap();
    assert!(local.starts_with("10.71.2.2:"), "{moved}");
    let registered = scene.alice.wait("registered");
    let registering = find(scene.alice.drain(), "registering").clone();
    assert_eq!(registering["reason"], "the network changed");
    let sound = scene.sound_between(before, "10.71.2.2") - pulled;
    let [registering, moved, registered] =
        [&registering, &moved, &registered].map(|event| at(event) - pulled);
    println!(
        "over {transport}: after the cable was pulled: noticed {registering:.3} s, call moved \
         {moved:.3} s, registered {registered:.3} s, sound both ways {sound:.3} s"
    );
    assert!(registered < LIMIT && sound < LIMIT, "{registered} {sound}");
    // The far end was told: its next request reaches the new Contact.
    scene.bob.command("hold");
    let held = |event: &Value| event["event"] == "held" && event["by"] == "remote";
    scene
        .alice
        .wait_for("held by Bob", Duration::from_secs(10), held);
    scene.bob.command("hangup");
    let ended = scene.alice.wait("ended");
    assert_eq!(ended["state"], "completed", "{ended}");
    assert_eq!(scene.alice.stop().code, Some(0));
}

#[test]
fn a_call_and_its_registration_follow_to_another_cable_within_two_seconds_over_udp() {
    moves_to_another_cable("udp");
}

#[test]
fn a_call_and_its_registration_follow_to_another_cable_within_two_seconds_over_tcp() {
    moves_to_another_cable("tcp");
}

#[test]
fn a_call_and_its_registration_follow_to_another_cable_within_two_seconds_over_tls() {
    moves_to_another_cable("tls");
}

#[test]
fn a_call_and_its_registration_follow_to_another_cable_within_two_seconds_over_wss() {
    moves_to_another_cable("wss");
}

#[test]
fn a_call_outlives_ten_seconds_without_network() {
    let mut scene = Scene::new("udp");
    scene.sound_between(0.0, "10.71.1.2");
    scene.spaces.pull(1);
    let failed = scene.alice.wait("registration_failed");
    let reason = failed["reason"].as_str().unwrap();
    assert!(reason.contains("network"), "{failed}");
    // Quality is told each second.
    for _ in 0..10 {
        scene.alice.wait("quality");
    }
    let before = unix_now();
    scene.spaces.plug(1, 100);
    let back = unix_now();
    let registered = at(&scene.alice.wait("registered")) - back;
    let sound = scene.sound_between(before, "10.71.1.2") - back;
    println!("after ten seconds without network: registered {registered:.3} s, sound {sound:.3} s");
    assert!(registered < LIMIT && sound < LIMIT, "{registered} {sound}");
    scene.alice.command("hangup");
    assert_eq!(scene.alice.wait("ended")["state"], "completed");
}

#[test]
fn a_cable_more_disturbs_nobody() {
    let mut scene = Scene::new("udp");
    scene.sound_between(0.0, "10.71.1.2");
    scene.spaces.plug(2, 200);
    scene.spaces.phone("addr add 10.99.0.1/24 dev cable2");
    for _ in 0..4 {
        scene.alice.wait("quality");
    }
    let moved = ["registering", "moved", "registration_failed"];
    for event in scene.alice.drain() {
        assert!(
            !moved.contains(&event["event"].as_str().unwrap()),
            "{event}"
        );
    }
}

#[test]
fn contact_via_and_sound_follow_the_route_to_each_far_end() {
    let spaces = Namespaces::new();
    spaces.plug(1, 100);
    spaces.plug(2, 200);
    spaces.phone("addr add fd71:2::2/64 dev cable2 nodad");
    for (far, near) in [
        ("10.71.1.1", "10.71.1.2"),
        ("10.71.2.1", "10.71.2.2"),
        ("[fd71:2::1]", "[fd71:2::2]"),
    ] {
        let sipp = Sipp::called_at(&spaces.in_far(), far, "call-out", &[]);
        let folder = TempDir::new().unwrap();
        let call = format!("sip:sipp@{far}:{}", sipp.port());
        let options = ["--bind", "0.0.0.0", "--no-register", "--call", &call];
        let more = ["--hangup-after", "1", "--exit-after-calls", "1"];
        let all: Vec<&str> = options.into_iter().chain(more).collect();
        let ended = Phone::behind(&spaces.in_phone(), folder.path(), &all).ended();
        let messages = sipp.messages();
        let bare = near.trim_matches(['[', ']']);
        let family = if near == bare { "IP4" } else { "IP6" };
        for wanted in [
            format!("Via: SIP/2.0/UDP {near}:"),
            format!("@{near}:"),
            format!("c=IN {family} {bare}\r"),
        ] {
            assert!(messages.contains(&wanted), "{wanted}: {messages}");
        }
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        sipp.passes();
    }
}
