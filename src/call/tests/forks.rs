//! Phones that ring at once for a call that we make, each with keys of its own (RFC 3261 section 4,
//! RFC 4568 section 7.3, RFC 5763 section 6.2).

use super::secured::{offered, plan, preferences, with, with_certificate};
use super::{IP, drain, sip};
use crate::call::{Action, Call, MediaPreferences, SipAction};
use crate::sdp::MediaPlan;
use crate::sip::{Body, EarlyMedia, Status};

/// A phone that rings: its answer to an offer, and its plan.
struct Phone {
    answer: Body,
    plan: MediaPlan,
}

impl Phone {
    fn new(preferences: MediaPreferences, offer: &Body, port: u16) -> Self {
        let mut call = Call::incoming(preferences, IP, Some(offer.clone()));
        call.ring().unwrap();
        call.answer().unwrap();
        let actions = drain(&mut call, port);
        let Some(SipAction::Answer(answer)) = sip(&actions).last().copied() else {
            panic!("{actions:?}")
        };
        Self {
            answer: answer.clone(),
            plan: plan(&actions).unwrap().clone(),
        }
    }

    /// Whether a plan of ours is what this phone takes part in: its address, and the keys of both.
    fn is_party_to(&self, ours: &MediaPlan) -> bool {
        let keys = |plan: &MediaPlan| {
            let keys = plan.srtp.clone();
            keys.map(|keys| (keys.send, keys.receive))
        };
        let theirs = keys(&self.plan).map(|(send, receive)| (receive, send));
        ours.remote_rtp.map(|remote| remote.port()) == Some(self.port()) && keys(ours) == theirs
    }

    fn port(&self) -> u16 {
        let text = String::from_utf8(self.answer.bytes.clone()).unwrap();
        let media = text.lines().find(|line| line.starts_with("m=")).unwrap();
        media.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

/// What the caller's sound follows behind a provisional answer of a phone.
fn early(caller: &mut Call, tag: &str, phone: &Phone, said: EarlyMedia) -> Option<MediaPlan> {
    let status = Status::new(183, "Session Progress");
    caller.handle_progress(tag, &status, Some(&phone.answer), said);
    plan(&drain(caller, 0)).cloned()
}

#[test]
fn the_phone_that_is_heard_has_its_own_keys_and_the_one_that_answers_brings_its_own_back() {
    // With the answer said again in the 200, and without (RFC 3261 section 13.2.1).
    for again in [true, false] {
        let mut caller = Call::outgoing(preferences(true, true, 1));
        let offer = offered(&mut caller);
        let first = Phone::new(preferences(true, true, 2), &offer, 5_000);
        // Of another make: it takes the last of the suites that are offered.
        let last = |text: &str| {
            let lines = text.split_inclusive("\r\n");
            let kept = lines.filter(|l| !l.starts_with("a=crypto") || l.starts_with("a=crypto:5"));
            kept.collect()
        };
        let second = Phone::new(preferences(true, true, 3), &with(&offer, last), 6_000);
        let suites = [&first, &second].map(|it| it.plan.srtp.as_ref().unwrap().send.suite());
        assert_ne!(suites[0], suites[1]);

        let ours = early(&mut caller, "first", &first, EarlyMedia::Unsaid).unwrap();
        assert!(first.is_party_to(&ours) && !second.is_party_to(&ours));
        let ours = early(&mut caller, "second", &second, EarlyMedia::Unsaid).unwrap();
        assert!(second.is_party_to(&ours) && !first.is_party_to(&ours));
        // A plain 180 of the first one moves nobody to the front.
        let ringing = Status::new(180, "Ringing");
        caller.handle_progress("first", &ringing, None, EarlyMedia::Unsaid);
        assert_eq!(plan(&drain(&mut caller, 0)), None);

        caller.handle_answered("first", again.then_some(&first.answer));
        let actions = drain(&mut caller, 0);
        let ours = plan(&actions).unwrap();
        assert!(first.is_party_to(ours), "{again}");
        assert!(!actions.contains(&Action::Sip(SipAction::HangUp)));
    }
}

#[test]
fn the_keys_of_a_phone_that_is_held_back_or_stopped_ringing_are_not_used() {
    let mut caller = Call::outgoing(preferences(true, true, 1));
    let offer = offered(&mut caller);
    let phones = [(2, 5_000), (3, 6_000)];
    let [first, second] =
        phones.map(|(number, port)| Phone::new(preferences(true, true, number), &offer, port));
    let ours = early(&mut caller, "first", &first, EarlyMedia::Unsaid).unwrap();
    assert!(first.is_party_to(&ours));
    // P-Early-Media (RFC 5009) forbids the second one's sound, then lets it through.
    let ours = early(&mut caller, "second", &second, EarlyMedia::Withheld);
    assert!(ours.is_none_or(|ours| first.is_party_to(&ours)));
    let ours = early(&mut caller, "second", &second, EarlyMedia::Allowed).unwrap();
    assert!(second.is_party_to(&ours));
    // It gives up (199, RFC 6228).
    let gone = Status::new(199, "Early Dialog Terminated");
    caller.handle_progress("second", &gone, None, EarlyMedia::Unsaid);
    let actions = drain(&mut caller, 0);
    assert!(first.is_party_to(plan(&actions).unwrap()));
}

#[test]
fn each_phone_is_known_by_the_fingerprint_of_its_own_certificate() {
    let mut caller = Call::outgoing(with_certificate(true, false, 1));
    let offer = offered(&mut caller);
    let phones = [(2, 5_000), (3, 6_000)];
    let [first, second] = phones
        .map(|(number, port)| Phone::new(with_certificate(true, false, number), &offer, port));
    // The certificate of the preferences is the octet of its number.
    let trusted = |ours: &MediaPlan| {
        let dtls = ours.dtls.as_ref().unwrap();
        assert_eq!(ours.srtp, None);
        [1_u8, 2, 3].map(|number| dtls.trusts(&[number]))
    };
    let ours = early(&mut caller, "first", &first, EarlyMedia::Unsaid).unwrap();
    assert_eq!(trusted(&ours), [false, true, false]);
    let ours = early(&mut caller, "second", &second, EarlyMedia::Unsaid).unwrap();
    assert_eq!(trusted(&ours), [false, false, true]);
    caller.handle_answered("first", Some(&first.answer));
    let actions = drain(&mut caller, 0);
    let ours = plan(&actions).unwrap();
    assert_eq!(trusted(ours), [false, true, false]);
    assert_eq!(ours.remote_rtp.map(|remote| remote.port()), Some(5_000));
}
