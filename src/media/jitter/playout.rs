//! The buffer itself: what to do at each arrival and at each tick.

use std::time::{Duration, Instant};

use crate::media::codec::Repair;
use crate::media::frame::{FRAME_SAMPLES, Frame, duration_of};
use crate::media::jitter::Decode;
use crate::media::jitter::delay::DelayEstimate;
use crate::media::jitter::figures::JitterFigures;
use crate::media::jitter::gaps::GapEstimate;
use crate::media::jitter::queue::{Care, SampleQueue};
use crate::media::jitter::store::{Inserted, Kind, PacketStore};
use crate::media::jitter::stretch;
use crate::sdp::Codec;

/// A timestamp that leaps so far from where it should be starts the stream anew, in microseconds.
const LEAP_MICROS: i64 = 2_000_000;
/// After so much made-up sound the stream counts as paused, in samples: 1 s.
const PAUSE_SAMPLES: i64 = 48_000;
/// Delay above the target from which on it is worked off, in microseconds.
const SLACK_MICROS: i64 = 10_000;
/// Delay above the target at which working it off ends.
const CLOSE_MICROS: i64 = 5_000;
/// Of an even stream, so much more than the tick asks for is worked off.
const LEAST_SPARE_MICROS: i64 = 2_500;
/// Between two ticks.
const TICK_MICROS: i64 = 10_000;
/// So long a pause is waited for: people breathe.
const PATIENCE_MICROS: i64 = 4_000_000;
/// The same where the delay is only longer than it must be: nobody hears that, but each seam within a word.
const LEISURE_MICROS: i64 = 20_000_000;
/// Delay above the target that is only longer than it must be. A call begins with two packets, a tick and what
/// its first packets are held up by, and an even network asks for a few milliseconds.
const LEISURELY_MICROS: i64 = 100_000;
/// Delay above the target at which a seam may be heard.
const HASTE_MICROS: i64 = 150_000;
/// One step of concealment, in samples: 10 ms.
const STEP_SAMPLES: i64 = 480;
/// A packet's length before the first one came, in samples: 20 ms.
const USUAL_LENGTH: usize = 960;
/// No packet is so much faster than the fastest of the last seconds, in microseconds: the sender's
/// clock has leapt.
const EARLY_MICROS: i64 = 200_000;
/// So many packets in a row that are too late are a new stream, not late.
const LATE_ROW: u32 = 5;
/// Sound that ends without a word fades in so many samples: 100 ms, what concealment takes.
const FADING_SAMPLES: usize = 4_800;

/// A packet with sound, or one that says that none follows.
#[derive(Debug, Clone, Copy)]
pub struct SoundPacket<'a> {
    /// Its sequence number.
    pub sequence: u16,
    /// Its timestamp, in the codec's clock.
    pub timestamp: u32,
    /// How many samples at 48 kHz make one tick of that clock.
    pub scale: u32,
    /// Which codec it is of.
    pub codec: Codec,
    /// Its length in samples at 48 kHz; 0 says that the sender is silent from here on, and the
    /// payload what its background sounds like.
    pub samples: usize,
    /// The codec's bytes.
    pub payload: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No packet waits and none is expected.
    Paused,
    /// Packets gather until the delay is reached.
    Gathering {
        /// When the first came, in microseconds.
        since: i64,
    },
    /// Sound comes out.
    Playing,
}

/// The buffer of one stream.
#[derive(Debug)]
pub struct JitterBuffer {
    started: Instant,
    store: PacketStore,
    delay: DelayEstimate,
    gaps: GapEstimate,
    queue: SampleQueue,
    phase: Phase,
    /// The newest packet, as the reference for extending the 16 and 32-bit numbers.
    newest: Option<Newest>,
    /// The sequence number behind the one decoded last.
    next_sequence: i64,
    /// The timestamp behind the last sample decoded, in samples at 48 kHz.
    next_timestamp: i64,
    /// Samples made up since then.
    made_up: i64,
    /// Whether the sender has said that it is silent.
    resting: bool,
    /// Samples made up since sound was decoded, as far as they may be heard.
    fading: usize,
    /// The packet behind the gap that was seen last.
    gap_before: Option<i64>,
    /// Packets in a row that came too late.
    late_row: u32,
    /// The length of the packet decoded last, in samples.
    length: usize,
    shrinking: bool,
    /// Whether the delay is to grow or else to fall, and since when, in microseconds.
    off_target: Option<(bool, i64)>,
    /// Samples to be played before the next stretch, so that no sound is stretched twice.
    rest: usize,
    figures: JitterFigures,
    playout_delay: i64,
}

#[derive(Debug, Clone, Copy)]
struct Newest {
    sequence: i64,
    raw_timestamp: u32,
    /// In samples at 48 kHz.
    timestamp: i64,
    scale: u32,
    /// Its length in samples.
    samples: usize,
}

impl JitterBuffer {
    /// Makes an empty buffer.
    pub fn new(now: Instant) -> Self {
        Self {
            started: now,
            store: PacketStore::new(),
            delay: DelayEstimate::new(),
            gaps: GapEstimate::default(),
            queue: SampleQueue::new(),
            phase: Phase::Paused,
            newest: None,
            next_sequence: 0,
            next_timestamp: 0,
            made_up: 0,
            resting: false,
            fading: FADING_SAMPLES,
            gap_before: None,
            late_row: 0,
            length: USUAL_LENGTH,
            shrinking: false,
            off_target: None,
            rest: 0,
            figures: JitterFigures::default(),
            playout_delay: 0,
        }
    }

    /// Forgets the stream; what is decoded already is still played, and fades.
    pub fn restart(&mut self) {
        self.store.clear();
        self.delay.restart();
        self.newest = None;
        self.phase = Phase::Paused;
        self.made_up = 0;
        self.late_row = 0;
        self.shrinking = false;
    }

    /// Forgets the stream and what was heard, because nobody listened for a while.
    pub fn silence(&mut self) {
        self.restart();
        self.queue.clear();
        self.resting = false;
        self.fading = FADING_SAMPLES;
    }

    /// Takes a packet.
    pub fn push(&mut self, now: Instant, packet: &SoundPacket<'_>) {
        let arrival = self.micros(now);
        let mut numbers = self.extend(arrival, packet);
        if self.leaps(arrival, &numbers) {
            self.restart();
            numbers = self.extend(arrival, packet);
        }
        let kind = if packet.samples > 0 {
            Kind::Sound(packet.codec, packet.samples)
        } else {
            Kind::Rest(packet.codec)
        };
        if self.phase == Phase::Playing && numbers.sequence < self.next_sequence {
            self.figures.late += 1;
            self.late_row += 1;
            self.note_delay(arrival, &numbers);
            return;
        }
        self.late_row = 0;
        match self
            .store
            .insert(numbers.sequence, numbers.timestamp, kind, packet.payload)
        {
            Inserted::Stored => {}
            Inserted::Duplicate => {
                self.figures.duplicate += 1;
                return;
            }
            Inserted::NoRoom => return,
        }
        self.note_delay(arrival, &numbers);
        if self
            .newest
            .is_none_or(|newest| numbers.sequence > newest.sequence)
        {
            self.newest = Some(numbers);
        }
        if packet.samples > 0 {
            self.length = packet.samples;
        }
        if self.phase == Phase::Paused {
            self.phase = Phase::Gathering { since: arrival };
        }
    }

    /// Takes note of a packet that holds no sound, lest its sequence number counts as lost.
    pub fn skip(&mut self, sequence: u16) {
        let Some(newest) = self.newest else {
            return;
        };
        let extended = self.extend_sequence(sequence, &newest);
        let ahead = extended - self.next_sequence;
        if self.phase == Phase::Playing && !(0..self.store.reach()).contains(&ahead) {
            return;
        }
        let inserted = self.store.insert(extended, 0, Kind::Nothing, &[]);
        if inserted == Inserted::Stored && extended > newest.sequence {
            self.newest = Some(Newest {
                sequence: extended,
                ..newest
            });
        }
    }

    /// Gives the next 10 ms.
    pub fn pull(&mut self, now: Instant, decoder: &mut impl Decode, output: &mut Frame) {
        let micros = self.micros(now);
        if let Phase::Gathering { since } = self.phase
            && let Some((sequence, slot)) = self
                .store
                .earliest()
                .and_then(|earliest| self.store.first_from(earliest))
            && micros - self.would_wait_since(since, slot.timestamp) >= self.target()
        {
            self.next_timestamp = slot.timestamp;
            self.next_sequence = sequence;
            self.made_up = 0;
            self.phase = Phase::Playing;
        }
        // A packet is needed at the tick in which its first sample falls, so by this much before
        // it is heard.
        let early = micros_of_len(self.queue.waiting() % FRAME_SAMPLES);
        while self.phase == Phase::Playing && self.queue.waiting() < FRAME_SAMPLES {
            self.produce(decoder);
        }
        if self.phase == Phase::Playing {
            self.follow_target(micros, early, decoder);
        } else {
            self.bridge(decoder);
        }
        self.queue.pop(output);
        self.rest = self.rest.saturating_sub(FRAME_SAMPLES);
    }

    /// What happened so far.
    pub fn figures(&self) -> JitterFigures {
        self.figures
    }

    /// How much later than at once the sound is played.
    pub fn playout_delay(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.playout_delay).unwrap_or(0))
    }

    /// The playout delay that it aims for, in microseconds.
    pub fn target(&self) -> i64 {
        let length = micros_of_len(self.length);
        self.delay.target(length, self.gaps.wait(length))
    }

    /// Since when the sound of that timestamp, the first of which came at `since`, would wait if it had
    /// come as fast as the fastest: the target counts from there, and what the first packet was held up by
    /// is no delay that would have to be worked off.
    fn would_wait_since(&self, since: i64, timestamp: i64) -> i64 {
        let fastest = self.delay.base().map(|base| base + micros_of(timestamp));
        since.min(fastest.unwrap_or(since))
    }

    /// Decodes, recovers or makes up the next piece.
    fn produce(&mut self, decoder: &mut impl Decode) {
        let Some((sequence, slot)) = self.store.first_from(self.next_sequence) else {
            self.make_up(decoder);
            if self.made_up >= PAUSE_SAMPLES {
                self.phase = Phase::Paused;
                self.made_up = 0;
            }
            return;
        };
        let (codec, samples) = match slot.kind {
            Kind::Sound(codec, samples) => (codec, samples),
            Kind::Rest(codec) => (codec, 0),
            Kind::Nothing => {
                self.store.remove(sequence);
                if sequence == self.next_sequence {
                    self.next_sequence += 1;
                }
                return;
            }
        };
        let gap = slot.timestamp - self.next_timestamp;
        if gap - self.made_up > PAUSE_SAMPLES {
            // No delay is ever that long: the sender's clock has leapt, or nobody pulled meanwhile.
            self.next_timestamp = slot.timestamp;
            self.next_sequence = sequence;
            self.made_up = 0;
            return;
        }
        let missing = gap - self.made_up;
        let lost = sequence > self.next_sequence && !self.resting;
        if missing > 0 {
            let before = usize::try_from(missing).unwrap_or(0);
            if !lost || samples == 0 || !self.fill(decoder, sequence, before) {
                self.make_up(decoder);
            }
            return;
        }
        // A gap in time alone is the sender's silence, which conceals nothing.
        let silence = if lost { 0 } else { gap.max(0) };
        if samples == 0 {
            let late = self.made_up - gap.max(0);
            let concealed = gap.max(0) - silence;
            self.figures.concealed_samples += u64::try_from(concealed).unwrap_or(0);
            decoder.rest(codec, slot.payload());
            self.resting = true;
            self.next_timestamp = slot.timestamp;
            // What was made up behind the beginning of the silence belongs to it.
            self.made_up = late;
        } else {
            let late = if self.resting {
                0
            } else {
                self.made_up - silence
            };
            self.figures.concealed_samples += u64::try_from(late).unwrap_or(0);
            self.made_up = 0;
            let room = self.queue.grow(samples);
            if !decoder.decode(codec, slot.payload(), room) {
                self.figures.damaged += 1;
                decoder.conceal(room);
            }
            self.resting = decoder.rests(codec, slot.payload());
            self.gaps.played();
            self.fading = 0;
            self.next_timestamp = slot.timestamp + i64::try_from(samples).unwrap_or(0);
        }
        self.next_sequence = sequence + 1;
        self.store.remove(sequence);
    }

    /// Fills the first packet of a loss that ends `before` samples from here, in front of the packet
    /// `sequence`; false when that has nothing of it and more than one packet is lost.
    fn fill(&mut self, decoder: &mut impl Decode, sequence: i64, before: usize) -> bool {
        let Some((_, slot)) = self.store.first_from(sequence) else {
            return false;
        };
        let Kind::Sound(codec, samples) = slot.kind else {
            return false;
        };
        let made_up = usize::try_from(self.made_up).unwrap_or(0);
        let whole = before + made_up;
        let reach = decoder.reach(codec, slot.payload());
        if self.gap_before.replace(sequence) != Some(sequence) {
            self.gaps.lost(whole.div_ceil(samples), reach / samples);
        }
        // Where more delay is wanted, what bridged the gap so far becomes that, and nothing of what the
        // packet has is left out. A little too much is not worked off again.
        let grown = self.playout_delay + micros_of(self.made_up);
        let wanted = grown <= self.target() + SLACK_MICROS;
        let before = if wanted && reach >= whole {
            whole
        } else {
            before
        };
        // Concealment may have eaten into the first one already.
        let length = before.saturating_sub(1) % samples + 1;
        let last = before <= samples;
        let room = self.queue.grow(length);
        let length = room.len();
        if let Some(repair) = decoder.recover(codec, slot.payload(), before, room) {
            self.figures.recovered += 1;
            self.figures.recovered_by_dred += u64::from(repair == Repair::Dred);
        } else if last && length == samples {
            decoder.conceal(room);
            self.figures.concealed_samples += len(samples);
        } else {
            self.queue.give_back(length);
            return false;
        }
        let (begin, rest) = (slot.timestamp, before - length);
        self.next_timestamp = begin - i64::try_from(rest).unwrap_or(0);
        self.next_sequence = sequence - i64::try_from(rest / samples).unwrap_or(0);
        self.figures.concealed_samples += u64::try_from(self.made_up).unwrap_or(0);
        self.made_up = 0;
        true
    }

    fn make_up(&mut self, decoder: &mut impl Decode) {
        decoder.conceal(self.queue.grow(FRAME_SAMPLES));
        self.made_up += STEP_SAMPLES;
        self.fading = (self.fading + FRAME_SAMPLES).min(FADING_SAMPLES);
    }

    /// Fills the time in which nothing is played: with the sender's silence, or with what was heard
    /// last, which fades.
    fn bridge(&mut self, decoder: &mut impl Decode) {
        let missing = FRAME_SAMPLES.saturating_sub(self.queue.waiting());
        if missing > 0 && (self.resting || self.fading < FADING_SAMPLES) {
            decoder.conceal(self.queue.grow(missing));
            self.fading = (self.fading + missing).min(FADING_SAMPLES);
        }
    }

    /// Brings the playout delay nearer to its target by one period of the sound.
    fn follow_target(&mut self, now: i64, early: i64, decoder: &mut impl Decode) {
        let Some(base) = self.delay.base() else {
            return;
        };
        if self.made_up > 0 {
            return;
        }
        let ahead = micros_of_len(self.queue.waiting());
        self.playout_delay = now + ahead - base - micros_of(self.next_timestamp);
        let excess = self.playout_delay - early - self.target();
        // Where packets come too late a seam is the lesser evil.
        let short = self.playout_delay - early < self.delay.usual();
        self.shrinking = (excess > SLACK_MICROS || (self.shrinking && excess > CLOSE_MICROS))
            && !(self.delay.is_learning() && excess <= HASTE_MICROS);
        // What may go without a packet being needed before its time: whole ticks, and what is early.
        let spare = early + excess.div_euclid(TICK_MICROS) * TICK_MICROS;
        let falls = (self.shrinking || self.delay.is_calm()) && spare >= LEAST_SPARE_MICROS;
        if excess >= 0 && !falls {
            self.off_target = None;
            return;
        }
        let grows = excess < 0;
        let known = self.off_target.filter(|(grew, _)| *grew == grows);
        let (_, since) = *self.off_target.insert(known.unwrap_or((grows, now)));
        let waited = now - since;
        // Nothing is in hand: the next packet that is late at all is missing.
        let bare = self.playout_delay <= early;
        let patience = if excess > LEISURELY_MICROS || bare {
            PATIENCE_MICROS
        } else {
            LEISURE_MICROS
        };
        let care = if excess > HASTE_MICROS {
            Care::Hasty
        } else if short || waited > patience {
            Care::Inaudible
        } else if grows || waited > PATIENCE_MICROS {
            Care::Patient
        } else {
            Care::Leisurely
        };
        if self.rest > 0 {
            return;
        }
        if !grows {
            self.decode_ahead(decoder);
            if let Some(count) = self.queue.shrink(samples_in(spare), care) {
                self.figures.left_out_samples += len(count);
                self.rest = count;
            }
        } else {
            let most = samples_in(-excess).max(stretch::SHORTEST * 2);
            if let Some(count) = self.queue.extend(most, care) {
                self.figures.repeated_samples += len(count);
                self.rest = 2 * count;
            }
        }
    }

    /// Decodes what is there without a gap, until a stretch has enough to look at.
    fn decode_ahead(&mut self, decoder: &mut impl Decode) {
        while self.queue.waiting() < 2 * stretch::LONGEST {
            match self.store.first_from(self.next_sequence) {
                Some((sequence, slot))
                    if sequence == self.next_sequence
                        && slot.timestamp == self.next_timestamp
                        && matches!(slot.kind, Kind::Sound(..)) =>
                {
                    self.produce(decoder);
                }
                Some(_) | None => return,
            }
        }
    }

    /// Extends the numbers of a packet by its distance from the newest one.
    fn extend(&self, arrival: i64, packet: &SoundPacket<'_>) -> Newest {
        let numbers = Newest {
            sequence: i64::from(packet.sequence) + (1 << 20),
            raw_timestamp: packet.timestamp,
            timestamp: i64::from(packet.timestamp) * i64::from(packet.scale) + (1 << 40),
            scale: packet.scale,
            samples: packet.samples,
        };
        let Some(newest) = self.newest else {
            return numbers;
        };
        let sequence = self.extend_sequence(packet.sequence, &newest);
        let ticks = packet
            .timestamp
            .wrapping_sub(newest.raw_timestamp)
            .cast_signed();
        let told = newest.timestamp + i64::from(ticks) * i64::from(packet.scale);
        // Where it begins if no clock has leapt and nobody was silent.
        let length = i64::try_from(newest.samples).unwrap_or(0);
        let next = newest.timestamp + length * (sequence - newest.sequence);
        let stands = newest.samples > 0 && packet.samples > 0;
        let early = |base: i64| arrival - micros_of(told) < base - EARLY_MICROS;
        let leapt = packet.scale != newest.scale
            || told < newest.timestamp
            || (told == newest.timestamp && stands)
            || (micros_of(told - next) > EARLY_MICROS && self.delay.base().is_some_and(early));
        Newest {
            sequence,
            timestamp: if sequence > newest.sequence && leapt {
                next
            } else {
                told
            },
            ..numbers
        }
    }

    fn extend_sequence(&self, sequence: u16, newest: &Newest) -> i64 {
        let low = u16::try_from(newest.sequence.rem_euclid(1 << 16)).unwrap_or(0);
        newest.sequence + i64::from(sequence.wrapping_sub(low).cast_signed())
    }

    /// Whether a packet cannot belong to the stream as it was.
    fn leaps(&self, arrival: i64, numbers: &Newest) -> bool {
        let Some(newest) = self.newest else {
            return false;
        };
        let playing = self.phase == Phase::Playing;
        let far = (numbers.sequence - self.next_sequence).abs() >= self.store.reach();
        // An older number with newer sound: the sender counts anew.
        let recounted = numbers.sequence < self.next_sequence
            && numbers.samples > 0
            && numbers.timestamp > newest.timestamp;
        let off_time = self.delay.base().is_some_and(|base| {
            (arrival - micros_of(numbers.timestamp) - base).abs() > LEAP_MICROS
        });
        let other_clock = numbers.scale != newest.scale && newest.samples == 0;
        (playing && (far || recounted || self.late_row >= LATE_ROW))
            || off_time
            || other_clock
            || self.phase == Phase::Paused
    }

    fn note_delay(&mut self, arrival: i64, numbers: &Newest) {
        if numbers.samples > 0 {
            let sampled = micros_of(numbers.timestamp);
            self.delay
                .add(arrival, sampled, micros_of_len(numbers.samples));
        }
    }

    fn micros(&self, now: Instant) -> i64 {
        let since = now.saturating_duration_since(self.started);
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }
}

/// Samples at 48 kHz as microseconds.
fn micros_of(samples: i64) -> i64 {
    samples.saturating_mul(125) / 6
}

fn micros_of_len(samples: usize) -> i64 {
    i64::try_from(duration_of(len(samples)).as_micros()).unwrap_or(i64::MAX)
}

/// Microseconds as samples at 48 kHz.
fn samples_in(micros: i64) -> usize {
    usize::try_from(micros.saturating_mul(6) / 125).unwrap_or(0)
}

fn len(samples: usize) -> u64 {
    u64::try_from(samples).unwrap_or(u64::MAX)
}
