//! What must hold for whatever a network sends and a file holds: one oracle for each fuzz target.
//!
//! An oracle takes any bytes and panics where the phone does wrong with them. `make fuzz` feeds it
//! what libFuzzer finds; tests/corpora.rs feeds it the files in `fuzz/seeds`.

mod challenge;
mod dialog_info;
mod dtls;
mod dtmf;
mod endpoint;
mod mail;
mod message;
mod name_addr;
mod numbers;
mod people;
mod rtcp;
mod rtp;
mod sdp;
mod sound;
mod srtp;
mod stun;
mod uri;
mod via;
mod wire;

/// Feeds bytes to the phone and panics where it does wrong with them.
pub type Oracle = fn(&[u8]);

/// Each target with its oracle; its seeds lie in `fuzz/seeds/` under the same name.
pub const TARGETS: [(&str, Oracle); 19] = [
    ("challenge", challenge::check),
    ("dialog_info", dialog_info::check),
    ("dtls", dtls::check),
    ("dtmf", dtmf::check),
    ("endpoint", endpoint::check),
    ("mail", mail::check),
    ("message", message::check),
    ("name_addr", name_addr::check),
    ("numbers", numbers::check),
    ("people", people::check),
    ("rtcp", rtcp::check),
    ("rtp", rtp::check),
    ("sdp", sdp::check),
    ("sound", sound::check),
    ("srtp", srtp::check),
    ("stun", stun::check),
    ("uri", uri::check),
    ("via", via::check),
    ("wire", wire::check),
];

/// Feeds one target.
pub fn check(target: &str, bytes: &[u8]) {
    let (_, oracle) = TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .unwrap_or_else(|| panic!("there is no target {target}"));
    oracle(bytes);
}
