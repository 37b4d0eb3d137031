//! Reliable provisional answers, offers by UPDATE, session timers and the name of a session, against
//! SIPp.

use crate::junit::scenario;
use crate::phone::Phone;
use crate::sipp::Sipp;

/// SIPp calls a phone that answers; the call is completed.
fn called(name: &str, phone_options: &[&str], sipp_options: &[&str]) {
    scenario(name, || {
        let options = [&["--no-register"], phone_options].concat();
        let mut phone = Phone::start(&options);
        Sipp::to(phone.address(), name, sipp_options).passes();
        phone.wait("ended");
        let row = phone.only_call();
        assert_eq!(row["state"], "completed", "{row:#}");
        assert_eq!(phone.stop().code, Some(0));
    });
}

/// The phone calls SIPp, which answers; the call is completed.
fn placed(name: &str, uri: &str, phone_options: &[&str]) {
    scenario(name, || {
        let sipp = Sipp::called(name, &["-nr"]);
        let proxy = format!("sip:127.0.0.1:{};lr", sipp.port());
        let own = sipp.uri();
        let through = ["--outbound-proxy", &proxy, "--call", uri];
        let straight = ["--call", own.as_str()];
        let call = if uri.is_empty() {
            straight.as_slice()
        } else {
            through.as_slice()
        };
        let common = ["--no-register", "--exit-after-calls", "1"];
        let options = [common.as_slice(), call, phone_options].concat();
        let ended = Phone::start(&options).ended();
        sipp.passes();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(ended.only_call()["state"], "completed");
    });
}

#[test]
fn reliable_ringing() {
    called("reliable-ringing", &["--auto-answer=500"], &[]);
}

#[test]
fn early_update() {
    scenario("early-update", || {
        let mut phone = Phone::start(&["--no-register", "--early-media"]);
        Sipp::to(phone.address(), "early-update", &["-nr"]).passes();
        phone.wait("ended");
        let row = phone.only_call();
        assert_eq!(row["state"], "no-answer", "{row:#}");
    });
}

#[test]
fn interval_too_brief() {
    called("interval-too-brief", &["--auto-answer"], &[]);
}

#[test]
fn session_refresh() {
    called("session-refresh", &["--auto-answer"], &[]);
}

#[test]
fn prack_by_route() {
    placed(
        "prack-by-route",
        "sip:sipp@192.0.2.7",
        &["--hangup-after", "1"],
    );
}

#[test]
fn a_200_before_the_prack_is_answered() {
    placed("200-before-prack-is-answered", "", &["--hangup-after", "2"]);
}

#[test]
fn interval_raised() {
    placed("interval-raised", "", &["--hangup-after", "1"]);
}

#[test]
fn invitation_expires() {
    scenario("invitation-expires", || {
        let mut phone = Phone::start(&["--no-register"]);
        Sipp::to(phone.address(), "invitation-expires", &[]).passes();
        phone.wait("ended");
        let row = phone.only_call();
        assert_eq!(row["state"], "no-answer", "a missed call: {row:#}");
        assert_eq!(row["done"], false, "to be called back: {row:#}");
        assert_eq!(phone.stop().code, Some(0));
    });
}

#[test]
fn update_in() {
    scenario("update-in", || {
        let mut phone = Phone::start(&["--no-register", "--auto-answer=100"]);
        let sipp = Sipp::to(phone.address(), "update-in", &[]);
        for event in ["answered", "held", "resumed", "ended"] {
            phone.wait(event);
        }
        sipp.passes();
        assert_eq!(phone.only_call()["state"], "completed");
        assert_eq!(phone.stop().code, Some(0));
    });
}

#[test]
fn session_id_in() {
    let options = ["--auto-answer=100", "--hangup-after", "1"];
    called("session-id-in", &options, &[]);
}

#[test]
fn session_id_out() {
    placed("session-id-out", "", &["--hangup-after", "1"]);
}
