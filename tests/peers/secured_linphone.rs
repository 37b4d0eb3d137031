//! Calls with linphone that demands SRTP, and by ICE, both ways: keys by SDES and by a handshake. linphone
//! has no RTCP on the port of RTP, so that a handshake is done on each of two ports.

use std::ffi::OsString;

use crate::linphone::{HERE, Linphone, There};
use crate::namespace::Namespaces;
use crate::phone::Phone;
use crate::through_ice::{PHONE, plugged};
use crate::tones::{Tones, until_heard};

/// The far end of the phone's cable: linphone offers the address by which it sends.
const LINPHONE: &str = "10.71.1.1";
const CODEC: &str = "PCMU/8000/1";

/// How a call is secured, and what our phone says of it.
struct Way {
    encryption: &'static str,
    ice: bool,
    /// Our `--keying`.
    keying: &'static str,
    security: &'static str,
}

/// Who is where: on loopback, and with ICE in namespaces.
struct World {
    spaces: Option<Namespaces>,
    call: Tones,
    way: Way,
}

impl World {
    fn new(way: Way) -> Self {
        Self {
            spaces: way.ice.then(plugged),
            call: Tones::prepare("pcmu"),
            way,
        }
    }

    fn linphone(&self) -> Linphone {
        let prefix = self.spaces.as_ref().map(Namespaces::in_far);
        let there = There {
            prefix: prefix.as_deref().unwrap_or_default(),
            address: if self.way.ice { LINPHONE } else { HERE.address },
            encryption: self.way.encryption,
            ice: self.way.ice,
        };
        Linphone::start_at(CODEC, &self.call.theirs, &there)
    }

    fn phone(&self, options: &[&str]) -> Phone {
        let prefix: Option<Vec<OsString>> = self.spaces.as_ref().map(Namespaces::in_phone);
        let bind = format!("{PHONE}:5062");
        let by_ice = ["--ice", "--bind", &bind];
        let own: &[&str] = if self.way.ice { &by_ice } else { &[] };
        let srtp = if self.way.encryption.is_empty() {
            "optional"
        } else {
            "required"
        };
        let all = [own, &["--srtp", srtp], options].concat();
        self.call.phone(&prefix.unwrap_or_default(), &all)
    }

    /// What the phone says is true, both hear the other, and our phone hangs up.
    fn end(&self, mut phone: Phone, mut linphone: Linphone) {
        let media = phone.wait("media");
        assert_eq!(media["security"], self.way.security, "{media}");
        if self.way.encryption == "dtls" {
            phone.wait("secured");
        }
        until_heard(&mut phone);
        phone.command("hangup");
        let ended = phone.ended();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let by_ice = ended.events.iter().any(|it| it["event"] == "path");
        assert_eq!(by_ice, self.way.ice, "the checks have found the way");
        linphone.wait("ended (No error)");
        self.call.assert_heard(&linphone.quit().recording("first"));
    }
}

fn both_ways(way: fn() -> Way) {
    let world = World::new(way());
    let mut linphone = world.linphone();
    let phone = world.phone(&["--auto-answer=100"]);
    let at = if world.way.ice {
        format!("{PHONE}:5062")
    } else {
        phone.address().to_string()
    };
    linphone.command(&format!("call sip:phone@{at}"));
    world.end(phone, linphone);

    let world = World::new(way());
    let linphone = world.linphone();
    let uri = linphone.uri();
    let phone = world.phone(&["--keying", world.way.keying, "--call", &uri]);
    world.end(phone, linphone);
}

#[test]
fn linphone_and_we_call_each_other_with_keys_in_the_set_up() {
    both_ways(|| Way {
        encryption: "srtp",
        ice: false,
        keying: "sdes",
        security: "key-visible",
    });
}

#[test]
fn linphone_and_we_call_each_other_with_keys_by_handshake() {
    both_ways(|| Way {
        encryption: "dtls",
        ice: false,
        keying: "dtls",
        security: "unverified",
    });
}

#[test]
fn linphone_and_we_call_each_other_by_ice() {
    both_ways(|| Way {
        encryption: "",
        ice: true,
        keying: "both",
        security: "none",
    });
}

#[test]
fn linphone_and_we_call_each_other_by_ice_with_keys_by_handshake() {
    both_ways(|| Way {
        encryption: "dtls",
        ice: true,
        keying: "dtls",
        security: "unverified",
    });
}
