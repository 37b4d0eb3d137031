//! Finds out why only one side of a call is heard, or none, sans-IO.
//!
//! ```text
//! what came: accepted | refused by the latch | unknown payload type | undecodable | SRTP failed
//! what went: frames of the microphone, packets, somewhere to send        -> at each look: a cause
//! what the far end reports (RTCP): what it sent, what it received of us     for each direction
//! ```
//!
//! A cause is named two and a half seconds after the last sound, or sooner where packets come that
//! show it; one that only the far end can know, at most two seconds after its report. A call that shall not be heard, on
//! hold for example, has no cause.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Without an accepted packet for so long, nothing is received.
const NOTHING_AFTER: Duration = Duration::from_millis(2_500);
/// The same where packets come that cannot be used.
const UNUSABLE_AFTER: Duration = Duration::from_secs(1);
/// So many of them in a row are no accident.
const UNUSABLE_PACKETS: u32 = 10;
/// Unusable packets that come apart by more do not belong together.
const APART: Duration = Duration::from_secs(1);
/// What the far end reported so long ago says nothing of now.
const REPORT_AGE: Duration = Duration::from_secs(12);
/// Some report what they send and what they receive one after the other (aiortc): a report without one
/// of the two says so only when no other came for so long.
const APART_REPORTS: Duration = Duration::from_secs(2);
/// The microphone gives exact zeros for so long: none in a quiet room does.
const ZEROS: Duration = Duration::from_millis(2_500);
/// No frame of the microphone for so long.
const FRAMES_MISSING: Duration = Duration::from_secs(1);
/// Packets that we sent between two reports, for these to say anything of them: a second.
const TELLING_PACKETS: u64 = 50;
/// What the far end lost of them so that it heard nothing, in 1/256.
const ALL_LOST: u8 = 250;
/// From that peak on a frame is speech, and no noise: -30 dB of full scale.
const SPEECH: f32 = 0.03;
/// So much more speech than silence, in frames, is meant for the far end: a second and a half.
const SPOKEN_FRAMES: u32 = 150;

/// What the far end says of its own sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FarSending {
    /// It reports that it sends.
    Sends,
    /// It reports, and sends nothing.
    SendsNothing,
    /// It does not report.
    Unknown,
}

/// Why one side is not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Nothing comes to our port.
    NothingReceived(FarSending),
    /// Packets come from an address that is not believed.
    WrongSource(SocketAddr),
    /// Packets come with a payload type that was not agreed.
    WrongPayload(u8),
    /// Packets come in the agreed codec, and it cannot read them.
    Undecodable,
    /// Packets come that fail authentication (SRTP).
    Unauthentic,
    /// We send nothing: the far end gave no address.
    NoAddress,
    /// We send nothing: the microphone gives no frames.
    NoFrames,
    /// The far end reports that nothing of us arrives.
    FarEndHearsNothing,
    /// The microphone gives digital silence.
    SilentMicrophone,
    /// The agent speaks and is muted.
    SpeaksMuted,
}

impl Cause {
    /// Whether it keeps us from hearing, and not the far end.
    pub fn is_incoming(self) -> bool {
        match self {
            Self::NothingReceived(_)
            | Self::WrongSource(_)
            | Self::WrongPayload(_)
            | Self::Undecodable
            | Self::Unauthentic => true,
            Self::NoAddress
            | Self::NoFrames
            | Self::FarEndHearsNothing
            | Self::SilentMicrophone
            | Self::SpeaksMuted => false,
        }
    }
}

/// What the microphone gave in a tick of 10 ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Captured {
    /// Nothing is to be said of it: what is sent is a file, music or the null device's silence.
    Other,
    /// The card gave no frame.
    Nothing,
    /// It gave one.
    Frame {
        /// The largest sample, before anything was done to it: a canceller fills silence with noise.
        peak: f32,
        /// The largest sample of what is left of it for the far end, whether muted or not.
        voice: f32,
    },
}

/// Something that happens again and again.
#[derive(Debug, Clone, Copy)]
struct Repeated<T> {
    what: T,
    times: u32,
    last: Instant,
}

/// Counts one more of the same, or begins anew.
fn count<T: PartialEq>(slot: &mut Option<Repeated<T>>, now: Instant, what: T) {
    match slot {
        Some(seen) if seen.what == what && now.saturating_duration_since(seen.last) < APART => {
            seen.times = seen.times.saturating_add(1);
            seen.last = now;
        }
        Some(_) | None => {
            *slot = Some(Repeated {
                what,
                times: 1,
                last: now,
            });
        }
    }
}

/// What is seen so often, and was a moment ago.
fn seen<T: Copy>(slot: Option<&Repeated<T>>, now: Instant) -> Option<T> {
    slot.filter(|seen| {
        seen.times >= UNUSABLE_PACKETS && now.saturating_duration_since(seen.last) < APART
    })
    .map(|seen| seen.what)
}

/// What the call shall do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Duties {
    /// Whether we are to hear the far end, and since when.
    pub(super) receives: Option<Instant>,
    /// Whether the far end is to hear us, and since when.
    pub(super) sends: Option<Instant>,
    /// Whether there is somewhere to send.
    pub(super) reachable: bool,
    /// When a packet was accepted.
    pub(super) heard: Option<Instant>,
}

/// What a report of the far end says of what we send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) fraction_lost: u8,
    pub(super) highest_sequence: u32,
}

/// The detector of one call.
#[derive(Debug)]
pub(super) struct OneWayDetector {
    refused: Option<Repeated<SocketAddr>>,
    unknown: Option<Repeated<u8>>,
    undecodable: Option<Repeated<()>>,
    unauthentic: Option<Repeated<()>>,
    /// The same from where the far end is not said to be.
    unauthentic_elsewhere: Option<Repeated<SocketAddr>>,
    decoded: Option<Instant>,
    /// When the far end reported, and what it had sent.
    far_sent: Option<(Instant, Option<u32>)>,
    far_sending: FarSending,
    /// Packets that we had sent at the last report of the far end, and what it says of them.
    far_received: (u64, Option<Received>),
    far_hears_nothing: bool,
    /// Since when its reports know nothing of what we send.
    unmentioned: Option<Instant>,
    /// When the microphone gave a frame, or began to be what is sent.
    captured: Option<Instant>,
    /// Since when the microphone gives zeros.
    zeros: Option<Instant>,
    speaks_muted: bool,
    spoken: u32,
    incoming: Option<Cause>,
    outgoing: Option<Cause>,
}

impl OneWayDetector {
    pub(super) fn new() -> Self {
        Self {
            refused: None,
            unknown: None,
            undecodable: None,
            unauthentic: None,
            unauthentic_elsewhere: None,
            decoded: None,
            far_sent: None,
            far_sending: FarSending::Unknown,
            far_received: (0, None),
            far_hears_nothing: false,
            unmentioned: None,
            captured: None,
            zeros: None,
            speaks_muted: false,
            spoken: 0,
            incoming: None,
            outgoing: None,
        }
    }

    /// Another plan: what came before says nothing of what comes now. So many packets were sent.
    pub(super) fn restart(&mut self, sent: u64) {
        self.refused = None;
        self.unknown = None;
        self.undecodable = None;
        self.unauthentic = None;
        self.unauthentic_elsewhere = None;
        self.far_received = (sent, None);
        self.far_hears_nothing = false;
        self.unmentioned = None;
    }

    /// The latch does not believe where a packet comes from.
    pub(super) fn refused(&mut self, now: Instant, from: SocketAddr) {
        count(&mut self.refused, now, from);
    }

    /// Nobody agreed on that payload type.
    pub(super) fn unknown_payload(&mut self, now: Instant, payload_type: u8) {
        count(&mut self.unknown, now, payload_type);
    }

    /// The codec can read a packet, or cannot.
    pub(super) fn decoded(&mut self, now: Instant, readable: bool) {
        if readable {
            self.decoded = Some(now);
            self.undecodable = None;
        } else {
            count(&mut self.undecodable, now, ());
        }
    }

    /// A packet failed authentication, or was replayed.
    pub(super) fn unauthentic(&mut self, now: Instant) {
        count(&mut self.unauthentic, now, ());
    }

    /// One did that came from elsewhere, while nothing was heard yet: those of one place that come
    /// again and again are the far end's.
    pub(super) fn unauthentic_elsewhere(&mut self, now: Instant, from: SocketAddr) {
        count(&mut self.unauthentic_elsewhere, now, from);
    }

    /// The far end reports: how many packets it has sent, with a sender report, and what it says of
    /// ours, of which we have sent so many.
    pub(super) fn reported(
        &mut self,
        now: Instant,
        far_sent: Option<u32>,
        received: Option<Received>,
        sent: u64,
    ) {
        let recent = |at: Instant| now.saturating_duration_since(at) < APART_REPORTS;
        let apart = matches!(self.far_sent, Some((at, Some(_))) if recent(at));
        if far_sent.is_some() || !apart {
            let before = self.far_sent.replace((now, far_sent));
            self.far_sending = match (before.and_then(|(_, sent)| sent), far_sent) {
                (Some(before), Some(now)) if now != before => FarSending::Sends,
                (None, Some(now)) if now > 0 => FarSending::Sends,
                (_, Some(_) | None) => FarSending::SendsNothing,
            };
        }
        if received.is_some() {
            self.unmentioned = None;
        }
        let (sent_before, before) = self.far_received;
        // Reports may come in a row; the sooner ones say too little.
        if sent.saturating_sub(sent_before) < TELLING_PACKETS {
            return;
        }
        let Some(received) = received else {
            // Who receives reports of it (RFC 3550 section 6.4).
            self.unmentioned.get_or_insert(now);
            return;
        };
        self.far_received = (sent, Some(received));
        // What was on its way when it broke off is none that arrives.
        let stands = before.is_some_and(|it| {
            let arrived = received.highest_sequence.wrapping_sub(it.highest_sequence);
            u64::from(arrived) * 256 <= (sent - sent_before) * u64::from(u8::MAX - ALL_LOST)
        });
        self.far_hears_nothing = stands || received.fraction_lost >= ALL_LOST;
    }

    /// A tick's sound, before mute. The agent's own mute is no fault of the microphone.
    pub(super) fn captured(&mut self, now: Instant, captured: Captured, muted: bool) {
        let (peak, voice) = match captured {
            Captured::Frame { peak, voice } => (peak, voice),
            Captured::Nothing => {
                self.captured.get_or_insert(now);
                self.zeros = None;
                return;
            }
            Captured::Other => {
                self.captured = None;
                self.zeros = None;
                self.spoken = 0;
                self.speaks_muted = false;
                return;
            }
        };
        self.captured = Some(now);
        if muted || peak > 0.0 {
            self.zeros = None;
        } else {
            self.zeros.get_or_insert(now);
        }
        if !muted {
            self.spoken = 0;
        } else if voice >= SPEECH {
            self.spoken = (self.spoken + 2).min(4 * SPOKEN_FRAMES);
        } else {
            self.spoken = self.spoken.saturating_sub(1);
        }
        self.speaks_muted =
            self.spoken >= 2 * SPOKEN_FRAMES || (self.speaks_muted && self.spoken > 0);
    }

    /// Looks at everything; gives what is over and what is found, for each direction.
    pub(super) fn look(
        &mut self,
        now: Instant,
        duties: &Duties,
    ) -> [(Option<Cause>, Option<Cause>); 2] {
        let incoming = self.incoming_cause(now, duties);
        let outgoing = self.outgoing_cause(now, duties);
        let changed = |before: Option<Cause>, found: Option<Cause>| {
            if before == found {
                (None, None)
            } else {
                (before, found)
            }
        };
        let changes = [
            changed(self.incoming, incoming),
            changed(self.outgoing, outgoing),
        ];
        self.incoming = incoming;
        self.outgoing = outgoing;
        changes
    }

    /// What keeps us from hearing.
    pub(super) fn incoming(&self) -> Option<Cause> {
        self.incoming
    }

    fn incoming_cause(&self, now: Instant, duties: &Duties) -> Option<Cause> {
        let since = duties.receives?;
        let ago = |at: Instant| now.saturating_duration_since(at.max(since));
        let unheard = duties.heard.map_or_else(|| ago(since), ago);
        if unheard >= UNUSABLE_AFTER {
            let elsewhere = seen(self.unauthentic_elsewhere.as_ref(), now);
            if seen(self.unauthentic.as_ref(), now).is_some() || elsewhere.is_some() {
                return Some(Cause::Unauthentic);
            }
            if let Some(payload_type) = seen(self.unknown.as_ref(), now) {
                return Some(Cause::WrongPayload(payload_type));
            }
            if let Some(from) = seen(self.refused.as_ref(), now) {
                return Some(Cause::WrongSource(from));
            }
        }
        let undecoded = self.decoded.map_or_else(|| ago(since), ago);
        if undecoded >= UNUSABLE_AFTER && seen(self.undecodable.as_ref(), now).is_some() {
            return Some(Cause::Undecodable);
        }
        (unheard >= NOTHING_AFTER).then(|| {
            let reports = self
                .far_sent
                .is_some_and(|(at, _)| now.saturating_duration_since(at) < REPORT_AGE);
            Cause::NothingReceived(if reports {
                self.far_sending
            } else {
                FarSending::Unknown
            })
        })
    }

    fn outgoing_cause(&self, now: Instant, duties: &Duties) -> Option<Cause> {
        let since = duties.sends?;
        let ago = |at: Instant| now.saturating_duration_since(at.max(since));
        if !duties.reachable {
            return (ago(since) >= UNUSABLE_AFTER).then_some(Cause::NoAddress);
        }
        if self.captured.is_some_and(|at| ago(at) >= FRAMES_MISSING) {
            return Some(Cause::NoFrames);
        }
        let unmentioned = self.unmentioned;
        if self.far_hears_nothing || unmentioned.is_some_and(|at| ago(at) >= APART_REPORTS) {
            return Some(Cause::FarEndHearsNothing);
        }
        if self.zeros.is_some_and(|since| ago(since) >= ZEROS) {
            return Some(Cause::SilentMicrophone);
        }
        self.speaks_muted.then_some(Cause::SpeaksMuted)
    }
}
