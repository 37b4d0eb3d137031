//! The buffer itself: what to do at each arrival and at each tick.

use std::time::{Duration, Instant};

use crate::media::frame::{FRAME_SAMPLES, Frame, duration_of};
use crate::media::jitter::Decode;
use crate::media::jitter::delay::DelayEstimate;
use crate::media::jitter::queue::{Care, SampleQueue};
use crate::media::jitter::store::{Inserted, PacketStore};
use crate::media::jitter::stretch;

/// A timestamp that leaps so far from where it should be starts the stream anew, in microseconds.
const LEAP_MICROS: i64 = 2_000_000;
/// After so much made-up sound the stream counts as paused, in samples: 1 s.
const PAUSE_SAMPLES: i64 = 48_000;
/// Delay above the target from which on it is worked off, in microseconds.
const SLACK_MICROS: i64 = 10_000;
/// Delay above the target at which working it off ends.
const CLOSE_MICROS: i64 = 5_000;
/// Delay above the target at which a seam may be heard.
const HASTE_MICROS: i64 = 150_000;
/// One step of concealment, in samples: 10 ms.
const STEP_SAMPLES: i64 = 480;
/// A packet's length before the first one came, in samples: 20 ms.
const USUAL_LENGTH: usize = 960;

/// What happened so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JitterFigures {
    /// Samples at 48 kHz that concealment made up for lost or late packets.
    pub concealed_samples: u64,
    /// Packets brought back by FEC.
    pub recovered: u64,
    /// Packets that came after a later one was played.
    pub late: u64,
    /// Packets that came twice.
    pub duplicate: u64,
    /// Packets that the codec could not read.
    pub damaged: u64,
    /// Samples left out to lower the delay.
    pub left_out_samples: u64,
    /// Samples repeated to raise the delay.
    pub repeated_samples: u64,
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
    /// The length of the packet decoded last, in samples.
    length: usize,
    shrinking: bool,
    /// Samples to be played before the next stretch, so that no sound is stretched twice.
    rest: usize,
    figures: JitterFigures,
    playout_delay: i64,
}

#[derive(Debug, Clone, Copy)]
struct Newest {
    sequence: i64,
    raw_timestamp: u32,
    /// In the codec's clock.
    timestamp: i64,
}

impl JitterBuffer {
    /// Makes an empty buffer.
    pub fn new(now: Instant) -> Self {
        Self {
            started: now,
            store: PacketStore::new(),
            delay: DelayEstimate::new(),
            queue: SampleQueue::new(),
            phase: Phase::Paused,
            newest: None,
            next_sequence: 0,
            next_timestamp: 0,
            made_up: 0,
            length: USUAL_LENGTH,
            shrinking: false,
            rest: 0,
            figures: JitterFigures::default(),
            playout_delay: 0,
        }
    }

    /// Forgets the stream; what is decoded already is still played.
    pub fn restart(&mut self) {
        self.store.clear();
        self.delay.restart();
        self.newest = None;
        self.phase = Phase::Paused;
        self.made_up = 0;
        self.shrinking = false;
    }

    /// Takes a packet; `samples` is its length at 48 kHz, and `scale` how many of those make one
    /// tick of its clock.
    pub fn push(
        &mut self,
        now: Instant,
        sequence: u16,
        timestamp: u32,
        scale: u32,
        (payload, samples): (&[u8], usize),
    ) {
        let arrival = self.micros(now);
        let mut numbers = self.extend(sequence, timestamp);
        let scaled = |numbers: Newest| numbers.timestamp * i64::from(scale);
        if self.leaps(arrival, numbers.sequence, scaled(numbers)) {
            self.restart();
            numbers = self.extend(sequence, timestamp);
        }
        if self.phase == Phase::Playing && numbers.sequence < self.next_sequence {
            self.figures.late += 1;
            self.delay
                .add(arrival, micros_of(scaled(numbers)), micros_of_len(samples));
            return;
        }
        match self
            .store
            .insert(numbers.sequence, scaled(numbers), payload)
        {
            Inserted::Stored => {}
            Inserted::Duplicate => {
                self.figures.duplicate += 1;
                return;
            }
            Inserted::NoRoom => return,
        }
        if self
            .newest
            .is_none_or(|newest| numbers.sequence > newest.sequence)
        {
            self.newest = Some(numbers);
        }
        self.length = samples;
        self.delay
            .add(arrival, micros_of(scaled(numbers)), micros_of_len(samples));
        if self.phase == Phase::Paused {
            self.phase = Phase::Gathering { since: arrival };
        }
    }

    /// Takes note of a packet that holds no sound, lest its sequence number counts as lost.
    pub fn skip(&mut self, sequence: u16) {
        let Some(newest) = self.newest else {
            return;
        };
        let numbers = self.extend(sequence, newest.raw_timestamp);
        let ahead = numbers.sequence - self.next_sequence;
        if self.phase == Phase::Playing && !(0..self.store.reach()).contains(&ahead) {
            return;
        }
        if self.store.insert(numbers.sequence, 0, &[]) == Inserted::Stored
            && numbers.sequence > newest.sequence
        {
            self.newest = Some(numbers);
        }
    }

    /// Gives the next 10 ms.
    pub fn pull(&mut self, now: Instant, decoder: &mut impl Decode, output: &mut Frame) {
        let micros = self.micros(now);
        if let Phase::Gathering { since } = self.phase
            && micros - since >= self.target()
            && let Some((sequence, slot)) = self
                .store
                .earliest()
                .and_then(|earliest| self.store.first_from(earliest))
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
        self.delay.target(micros_of_len(self.length))
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
        if slot.payload().is_empty() {
            // No sound: it was a digit or comfort noise.
            self.store.remove(sequence);
            if sequence == self.next_sequence {
                self.next_sequence += 1;
            }
            return;
        }
        let gap = slot.timestamp - self.next_timestamp;
        if gap - self.made_up > PAUSE_SAMPLES {
            // No delay is ever that long: the sender's clock has leapt, or nobody pulled meanwhile.
            self.next_timestamp = slot.timestamp;
            self.next_sequence = sequence;
            self.made_up = 0;
            return;
        }
        let missing = gap - self.made_up;
        let lost = sequence > self.next_sequence;
        let samples = decoder.samples_in(slot.payload()).unwrap_or(0);
        if missing > 0 {
            if lost && usize::try_from(missing) == Ok(samples) {
                let room = self.queue.grow(samples);
                if decoder.recover(slot.payload(), room) {
                    self.figures.recovered += 1;
                } else {
                    decoder.conceal(room);
                    self.figures.concealed_samples += len(samples);
                }
                self.next_timestamp = slot.timestamp;
                self.next_sequence = sequence;
                self.figures.concealed_samples += u64::try_from(self.made_up).unwrap_or(0);
                self.made_up = 0;
            } else {
                self.make_up(decoder);
            }
            return;
        }
        // A gap in time alone is the sender's silence, which conceals nothing.
        let silence = if lost { 0 } else { gap.max(0) };
        self.figures.concealed_samples += u64::try_from(self.made_up - silence).unwrap_or(0);
        self.made_up = 0;
        let room = self.queue.grow(samples);
        if samples == 0 || !decoder.decode(slot.payload(), room) {
            self.figures.damaged += 1;
            decoder.conceal(room);
        }
        self.next_timestamp = slot.timestamp + i64::try_from(samples).unwrap_or(0);
        self.next_sequence = sequence + 1;
        self.store.remove(sequence);
    }

    fn make_up(&mut self, decoder: &mut impl Decode) {
        decoder.conceal(self.queue.grow(FRAME_SAMPLES));
        self.made_up += STEP_SAMPLES;
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
        self.shrinking = excess > SLACK_MICROS || (self.shrinking && excess > CLOSE_MICROS);
        if self.rest > 0 {
            return;
        }
        if self.shrinking {
            self.decode_ahead(decoder);
            let care = if excess > HASTE_MICROS {
                Care::Hasty
            } else {
                Care::Inaudible
            };
            if let Some(count) = self.queue.shrink(samples_in(excess), care) {
                self.figures.left_out_samples += len(count);
                self.rest = count;
            }
        } else if excess < 0
            && let Some(count) = self
                .queue
                .extend(samples_in(-excess).max(stretch::SHORTEST * 2))
        {
            self.figures.repeated_samples += len(count);
            self.rest = 2 * count;
        }
    }

    /// Decodes what is there without a gap, until a stretch has enough to look at.
    fn decode_ahead(&mut self, decoder: &mut impl Decode) {
        while self.queue.waiting() < 2 * stretch::LONGEST {
            match self.store.first_from(self.next_sequence) {
                Some((sequence, slot))
                    if sequence == self.next_sequence
                        && slot.timestamp == self.next_timestamp
                        && decoder.samples_in(slot.payload()).is_some() =>
                {
                    self.produce(decoder);
                }
                Some(_) | None => return,
            }
        }
    }

    /// Extends the numbers of a packet by its distance from the newest one.
    fn extend(&self, sequence: u16, timestamp: u32) -> Newest {
        match self.newest {
            None => Newest {
                sequence: i64::from(sequence) + (1 << 20),
                raw_timestamp: timestamp,
                timestamp: i64::from(timestamp) + (1 << 40),
            },
            Some(newest) => {
                let from = newest.sequence;
                let low = u16::try_from(from.rem_euclid(1 << 16)).unwrap_or(0);
                let step = sequence.wrapping_sub(low).cast_signed();
                let time = timestamp.wrapping_sub(newest.raw_timestamp).cast_signed();
                Newest {
                    sequence: from + i64::from(step),
                    raw_timestamp: timestamp,
                    timestamp: newest.timestamp + i64::from(time),
                }
            }
        }
    }

    /// Whether a packet cannot belong to the stream as it was.
    fn leaps(&self, arrival: i64, sequence: i64, timestamp: i64) -> bool {
        if self.newest.is_none() {
            return false;
        }
        let far = self.phase == Phase::Playing
            && (sequence - self.next_sequence).abs() >= self.store.reach();
        let off_time = self
            .delay
            .base()
            .is_some_and(|base| (arrival - micros_of(timestamp) - base).abs() > LEAP_MICROS);
        far || off_time || self.phase == Phase::Paused
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
