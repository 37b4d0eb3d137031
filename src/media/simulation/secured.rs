//! Two sessions under SRTP, packet by packet: what passes, what does not, and under which keys.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::world::with_report_ports;
use crate::base::clock::monotonic_now;
use crate::base::random::{Random as _, SeededRandom};
use crate::media::dropped::DropReason;
use crate::media::frame::{FRAME_TIME, Frame, SILENCE, peak};
use crate::media::outgoing::StreamSeed;
use crate::media::session::{Session, SessionSeed, Transmit};
use crate::media::transport::Unprotector;
use crate::sdp::{
    Codec, Direction, LocalMedia, LocalSrtp, MediaPlan, SrtpKey, SrtpKeys, SrtpSeed, SrtpSuite,
    accept, answer, offer,
};

fn address(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], 4_000))
}

fn session(now: Instant, number: u8) -> Session {
    // It wraps soon, and with it the part of the index that no packet carries.
    session_from(now, number, 65_500)
}

fn session_from(now: Instant, number: u8, sequence: u16) -> Session {
    let seed = SessionSeed {
        stream: StreamSeed {
            ssrc: u32::from(number) * 1_000,
            sequence,
            timestamp: 0,
        },
        ntp_time: 0,
        spread: u64::from(number),
    };
    Session::new(now, &seed)
}

/// The plans of two sides that encrypt.
fn plans() -> [MediaPlan; 2] {
    let local = |number: u8| LocalMedia {
        session_id: 1,
        version: 1,
        address: address(number).ip(),
        rtp_port: address(number).port(),
        codecs: vec![Codec::Pcmu],
        ptime_millis: 20,
        direction: Direction::SendRecv,
        silence_suppression: false,
        ice: None,
        srtp: LocalSrtp {
            offers: true,
            accepts: true,
            requires: true,
            keys: vec![key(SrtpSuite::Aes128CmHmacSha1_80, number)],
            ..LocalSrtp::default()
        },
    };
    let locals = [1, 2].map(local);
    let (answered, theirs) = answer(&locals[1], &offer(&locals[0])).unwrap();
    [accept(&locals[0], &answered).unwrap(), theirs]
}

fn key(suite: SrtpSuite, number: u8) -> SrtpKey {
    SrtpSeed::new([number; 32]).draw(suite)
}

struct Pair {
    now: Instant,
    sides: [Session; 2],
    /// Where the first one is seen to send from.
    from: SocketAddr,
    /// How loud each 10 ms were that the second one heard.
    heard: Vec<f32>,
    /// Where each datagram of the second one went, and whether it was a report.
    answers: Vec<(SocketAddr, bool)>,
}

impl Pair {
    fn new() -> Self {
        let now = monotonic_now();
        let mut sides = [1, 2].map(|number| session(now, number));
        for (side, plan) in sides.iter_mut().zip(plans()) {
            side.apply(now, &plan).unwrap();
        }
        Self {
            now,
            sides,
            from: address(1),
            heard: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// The first one speaks; all that it sends.
    fn speak(&mut self) -> Vec<Transmit> {
        let mut frame: Frame = SILENCE;
        for (at, sample) in frame.iter_mut().enumerate() {
            *sample = if at % 48 < 24 { 0.3 } else { -0.3 };
        }
        self.sides[0].capture(self.now, &mut frame, None);
        self.sides[0].tick(self.now);
        std::iter::from_fn(|| self.sides[0].poll_transmit()).collect()
    }

    fn hear(&mut self) {
        let mut frame = SILENCE;
        self.sides[1].playout(self.now, &mut frame);
        self.heard.push(peak(&frame));
        self.sides[1].capture(self.now, &mut SILENCE.clone(), None);
        self.sides[1].tick(self.now);
        let sent = std::iter::from_fn(|| self.sides[1].poll_transmit());
        let answers = sent.map(|transmit| (transmit.to, transmit.from_rtcp_port));
        self.answers.extend(answers);
        self.now += FRAME_TIME;
    }

    fn deliver(&mut self, from: SocketAddr, transmit: &Transmit) {
        if transmit.from_rtcp_port {
            let from = SocketAddr::new(from.ip(), from.port() + 1);
            self.sides[1].handle_rtcp(self.now, from, &transmit.bytes);
        } else {
            self.sides[1].handle_rtp(self.now, from, &transmit.bytes);
        }
    }

    fn loudest(&self) -> f32 {
        self.heard.iter().fold(0.0, |most, peak| most.max(*peak))
    }

    /// So long both ways, one speaking.
    fn run(&mut self, span: Duration) {
        for _ in 0..span.as_millis() / FRAME_TIME.as_millis() {
            for transmit in self.speak() {
                self.deliver(self.from, &transmit);
            }
            self.hear();
        }
    }

    /// Goes on after the first one has changed something: it is heard again within 60 ms, and sound goes
    /// where it is now, from its first packet on.
    fn follow(&mut self) {
        let (heard, answered) = (self.heard.len(), self.answers.len());
        self.run(Duration::from_secs(20));
        let mut quiet = self.heard[heard..].split(|peak| *peak > 0.2);
        let longest = quiet.by_ref().map(<[f32]>::len).max().unwrap();
        assert!(longest < 6, "{longest} times 10 ms of silence");
        let report = SocketAddr::new(self.from.ip(), self.from.port() + 1);
        let answers = &self.answers[answered..];
        let sound = answers.iter().filter(|(_, report)| !report);
        assert!(sound.clone().count() > 990);
        // The one packet at most that left before a packet came.
        let before = sound.filter(|(to, _)| *to != self.from).count();
        assert!(before <= 1, "{before}");
        let last = answers.iter().rfind(|(_, report)| *report);
        assert_eq!(last, Some(&(report, true)));
    }
}

#[test]
fn nothing_leaves_in_the_clear_and_all_of_it_is_heard() {
    let mut pair = Pair::new();
    let mut opener = Unprotector::new(&plans()[0].srtp.as_ref().unwrap().send).unwrap();
    let mut sent = 0;
    for _ in 0..1_500 {
        for transmit in pair.speak() {
            let opened = if crate::media::rtp::is_rtcp(&transmit.bytes) {
                opener.rtcp(&transmit.bytes)
            } else {
                opener.rtp(&transmit.bytes)
            };
            assert!(opened.is_some(), "{transmit:?}");
            sent += 1;
            pair.deliver(address(1), &transmit);
        }
        pair.hear();
    }
    assert!(sent > 750, "{sent}");
    let quality = pair.sides[1].quality();
    assert!(quality.received >= 740, "{quality:?}");
    assert_eq!(
        (
            quality.lost,
            pair.sides[1].dropped().of(DropReason::Unauthentic)
        ),
        (0, 0)
    );
    assert!(pair.loudest() > 0.2);
}

#[test]
fn what_comes_in_the_clear_is_not_heard() {
    let mut pair = Pair::new();
    let mut plain = plans();
    plain[0].srtp = None;
    pair.sides[0].apply(pair.now, &plain[0]).unwrap();
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.sides[1].quality().received, 0);
    assert!(pair.sides[1].dropped().of(DropReason::Unauthentic) >= 50);
    assert!(pair.loudest() < 0.001);
}

/// Nothing that others send changes what is heard, or where we send.
#[test]
fn a_hundred_thousand_forged_packets_change_nothing() {
    let mut pair = Pair::new();
    let mut random = SeededRandom::new(1);
    let before = pair.speak();
    for transmit in &before {
        pair.deliver(address(1), transmit);
    }
    let mut forged = vec![0; 182];
    for number in 0..100_000_u32 {
        random.fill(&mut forged);
        forged[..2].copy_from_slice(&[0x80, 0]);
        if number % 2 == 0 {
            // The true source's number, so that only the tag tells.
            forged[8..12].copy_from_slice(&1_000_u32.to_be_bytes());
        }
        pair.sides[1].handle_rtp(pair.now, address(9), &forged);
    }
    assert_eq!(pair.sides[1].dropped().of(DropReason::Unauthentic), 100_000);
    pair.run(Duration::from_secs(2));
    let quality = pair.sides[1].quality();
    assert!(quality.received >= 99 && quality.lost == 0, "{quality:?}");
    // A true packet that somebody else sends again is a repeated one.
    let again = pair.speak();
    for transmit in again.iter().chain(&again) {
        pair.deliver(address(1), transmit);
        pair.deliver(address(9), transmit);
    }
    pair.sides[1].capture(pair.now, &mut SILENCE.clone(), None);
    pair.sides[1].capture(pair.now, &mut SILENCE.clone(), None);
    while let Some(transmit) = pair.sides[1].poll_transmit() {
        assert_eq!(transmit.to, address(1));
    }
}

/// Its packets prove who it is, so nothing has to be waited for: each move cost two seconds of silence.
#[test]
fn a_far_end_that_moves_is_followed_at_once_and_a_replay_moves_nothing() {
    let mut pair = Pair::new();
    let plans = with_report_ports(plans());
    for (side, plan) in pair.sides.iter_mut().zip(&plans) {
        side.apply(pair.now, plan).unwrap();
    }
    pair.run(Duration::from_secs(5));
    pair.from = address(7);
    pair.follow();
    // It begins anew there: another SSRC.
    pair.sides[0] = session(pair.now, 3);
    pair.sides[0].apply(pair.now, &plans[0]).unwrap();
    pair.follow();
    // Both at once.
    pair.from = address(8);
    pair.sides[0] = session(pair.now, 4);
    pair.sides[0].apply(pair.now, &plans[0]).unwrap();
    pair.follow();

    let mut seen = Vec::new();
    for _ in 0..100 {
        let sent = pair.speak();
        for transmit in &sent {
            pair.deliver(pair.from, transmit);
        }
        seen.extend(sent);
        pair.hear();
    }
    let forged = pair.sides[1].dropped().of(DropReason::Unauthentic);
    for transmit in &seen {
        pair.deliver(address(9), transmit);
    }
    let replayed = u64::try_from(seen.len()).unwrap();
    assert_eq!(
        pair.sides[1].dropped().of(DropReason::Unauthentic),
        forged + replayed
    );
    let answered = pair.answers.len();
    pair.run(Duration::from_secs(10));
    for (to, report) in &pair.answers[answered..] {
        assert_eq!(to.ip(), pair.from.ip(), "{report}");
    }
}

/// The far end begins with its new key once it has our answer; what it sent before is still on its way.
#[test]
fn a_new_key_of_the_far_end_is_taken_while_packets_of_the_old_one_still_come() {
    let mut pair = Pair::new();
    pair.run(Duration::from_secs(1));
    let [mut ours, mut theirs] = plans();
    let fresh = key(SrtpSuite::AeadAes128Gcm, 9);
    ours.srtp.as_mut().unwrap().send = fresh.clone();
    theirs.srtp.as_mut().unwrap().receive = fresh;
    pair.sides[1].apply(pair.now, &theirs).unwrap();
    pair.run(Duration::from_millis(100));
    pair.sides[0].apply(pair.now, &ours).unwrap();
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.sides[1].quality().lost, 0);
    assert_eq!(pair.sides[1].dropped().of(DropReason::Unauthentic), 0);
    // After a while the old key is of no use any more.
    pair.run(Duration::from_secs(2));
    pair.sides[0].apply(pair.now, &plans()[0]).unwrap();
    pair.run(Duration::from_secs(1));
    assert!(pair.sides[1].dropped().of(DropReason::Unauthentic) >= 49);
}

/// Whoever comes back to a key (another phone of a fork answers) goes on counting where it was left: the
/// same count with other sound would give both away.
#[test]
fn a_key_of_ours_that_comes_back_counts_on() {
    let mut pair = Pair::new();
    let first = plans()[0].clone();
    let mut second = first.clone();
    second.srtp = Some(SrtpKeys {
        send: key(SrtpSuite::Aes128CmHmacSha1_80, 8),
        ..first.srtp.clone().unwrap()
    });
    let mut opener = Unprotector::new(&first.srtp.as_ref().unwrap().send).unwrap();
    let mut speak = |pair: &mut Pair, opened: bool| {
        for _ in 0..200 {
            for transmit in pair.speak() {
                if !crate::media::rtp::is_rtcp(&transmit.bytes) {
                    assert_eq!(opener.rtp(&transmit.bytes).is_some(), opened);
                }
            }
            pair.now += FRAME_TIME;
        }
    };
    // The wrap comes within the first part, so a count begun anew would show.
    speak(&mut pair, true);
    pair.sides[0].apply(pair.now, &second).unwrap();
    speak(&mut pair, false);
    pair.sides[0].apply(pair.now, &first).unwrap();
    speak(&mut pair, true);
}

/// Two phones ring and are heard before one answers, each under a key of its own. The count of the first
/// one's packets wraps meanwhile, which no packet tells: its key was begun anew when it came back, and
/// nothing of it could be read.
#[test]
fn of_two_phones_that_ring_the_chosen_one_is_heard_and_its_key_comes_back_where_it_stood() {
    let mut pair = Pair::new();
    let [_, first] = plans();
    let fork = key(SrtpSuite::Aes128CmHmacSha1_80, 3);
    let mut second = first.clone();
    second.remote_rtp = Some(address(3));
    second.remote_rtcp = Some(SocketAddr::new(address(3).ip(), 4_001));
    let keys = first.srtp.clone().unwrap();
    second.srtp = Some(SrtpKeys {
        receive: fork.clone(),
        ..keys.clone()
    });
    let mut plan = plans()[0].clone();
    plan.srtp = Some(SrtpKeys {
        send: fork,
        receive: keys.send,
    });
    // It has sent little so far.
    let mut phone = session_from(pair.now, 3, 100);
    phone.apply(pair.now, &plan).unwrap();
    for (chosen, from, loud) in [
        (&first, address(1), 0.25..0.45),
        (&second, address(3), 0.05..0.15),
        (&first, address(1), 0.25..0.45),
        (&second, address(3), 0.05..0.15),
    ] {
        pair.sides[1].apply(pair.now, chosen).unwrap();
        let (heard, answered) = (pair.heard.len() + 50, pair.answers.len() + 25);
        for _ in 0..200 {
            let mut frame: Frame = SILENCE;
            for (at, sample) in frame.iter_mut().enumerate() {
                *sample = if at % 48 < 24 { 0.1 } else { -0.1 };
            }
            phone.capture(pair.now, &mut frame, None);
            while let Some(transmit) = phone.poll_transmit() {
                pair.deliver(address(3), &transmit);
            }
            for transmit in pair.speak() {
                pair.deliver(address(1), &transmit);
            }
            pair.hear();
        }
        // Behind the first half second nothing of the other one is heard, and nothing sent to it.
        for peak in &pair.heard[heard..] {
            assert!(loud.contains(peak), "{peak} of {from}");
        }
        for (to, _) in &pair.answers[answered..] {
            assert_eq!(to.ip(), from.ip());
        }
    }
    // What the first one sent before is not heard again.
    let dropped = pair.sides[1].dropped().of(DropReason::Unauthentic);
    let mut old = pair.speak();
    old.extend(pair.speak());
    pair.sides[1].apply(pair.now, &first).unwrap();
    for _ in 0..2 {
        for transmit in &old {
            pair.deliver(address(1), transmit);
        }
        pair.sides[1].apply(pair.now, &second).unwrap();
        pair.sides[1].apply(pair.now, &first).unwrap();
    }
    let replayed = u64::try_from(old.len()).unwrap();
    assert!(replayed > 0);
    assert_eq!(
        pair.sides[1].dropped().of(DropReason::Unauthentic),
        dropped + replayed
    );
}
