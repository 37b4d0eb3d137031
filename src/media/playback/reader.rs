//! The thread that reads a recording for the media thread: from any place on, at any speed, ahead by a
//! third of a second and no more.
//!
//! ```text
//! file -> both sides in one -> 48 kHz -> speed -> ring -> media thread
//! ```

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::Builder;
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use crate::base::priority::behave_as_usual;
use crate::media::frame::{FRAME_SAMPLES, Frame, SAMPLE_RATE, SILENCE, duration_of};
use crate::media::playback::speed::Stretcher;
use crate::media::rate::RateConverter;
use crate::media::wav::{WavError, WavFile};

/// Frames that lie ready: what a disk or a network may take for a piece.
const AHEAD: usize = 32;
/// Wishes that may wait; the newest counts.
const MOST_WISHES: usize = 8;
/// Between two looks at a full ring.
const NAP: Duration = Duration::from_millis(20);

/// From where on it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// Counts the wishes; what was read for an older one is not played.
    pub(super) number: u32,
    /// From the beginning of the recording.
    pub(super) from: Duration,
    /// In percent.
    pub(super) speed: u32,
}

/// 10 ms that are ready.
pub(super) struct Block {
    /// For which wish.
    pub(super) wish: u32,
    /// Where in the recording it lies.
    pub(super) at: Duration,
    pub(super) sound: Frame,
    /// Whether nothing follows.
    pub(super) last: bool,
}

/// The media thread's end of one recording.
pub(super) struct Reader {
    path: PathBuf,
    wishes: SyncSender<Wish>,
    blocks: Consumer<Block>,
    failure: Receiver<WavError>,
}

impl Reader {
    /// Starts the thread; it ends when this is dropped.
    ///
    /// # Errors
    ///
    /// Fails with a sentence for the agent when no thread can be started.
    pub(super) fn start(path: &Path) -> Result<Self, String> {
        let (wishes, inbox) = sync_channel(MOST_WISHES);
        let (ring, blocks) = RingBuffer::new(AHEAD);
        let (outbox, failure) = sync_channel(1);
        let file = path.to_path_buf();
        let read = move || {
            behave_as_usual();
            if let Err(error) = read(&file, &inbox, ring) {
                // Nobody may be there any more to hear it.
                drop(outbox.try_send(error));
            }
        };
        Builder::new()
            .name("ringdesk-play".to_owned())
            .spawn(read)
            .map_err(|error| format!("no thread can be started to play a recording: {error}"))?;
        Ok(Self {
            path: path.to_path_buf(),
            wishes,
            blocks,
            failure,
        })
    }

    /// Whether it reads that file.
    pub(super) fn reads(&self, path: &Path) -> bool {
        self.path == path
    }

    /// Asks for another place or speed; false when the thread takes none, as it has ended.
    pub(super) fn ask(&self, wish: Wish) -> bool {
        self.wishes.try_send(wish).is_ok()
    }

    /// The next 10 ms for that wish, if they are ready.
    pub(super) fn next(&mut self, wish: u32) -> Option<Block> {
        loop {
            let block = self.blocks.pop().ok()?;
            if block.wish == wish {
                return Some(block);
            }
        }
    }

    /// Whether something for that wish lies ready, or nothing more will.
    #[cfg(test)]
    pub(super) fn is_ready(&mut self, wish: u32) -> bool {
        while let Ok(block) = self.blocks.peek() {
            if block.wish == wish {
                return true;
            }
            drop(self.blocks.pop());
        }
        self.blocks.is_abandoned()
    }

    /// Why it ended, once.
    pub(super) fn failed(&self) -> Option<WavError> {
        self.failure.try_recv().ok()
    }
}

/// Carries out wishes until nobody is there any more.
fn read(path: &Path, wishes: &Receiver<Wish>, mut ring: Producer<Block>) -> Result<(), WavError> {
    let mut file = WavFile::open(path)?;
    let Ok(mut wish) = wishes.recv() else {
        return Ok(());
    };
    loop {
        let mut line = Line::begin(&mut file, wish)?;
        loop {
            match newest(wishes, line.ended || ring.is_full()) {
                Newest::Same => {}
                Newest::Other(other) => {
                    wish = other;
                    break;
                }
                Newest::Gone => return Ok(()),
            }
            if !line.ended && !ring.is_full() {
                let block = line.next()?;
                // It has room: nobody else writes into it.
                drop(ring.push(block));
            }
        }
    }
}

enum Newest {
    Same,
    Other(Wish),
    Gone,
}

/// Looks for other wishes, and rests a moment where nothing else is to be done.
fn newest(wishes: &Receiver<Wish>, idle: bool) -> Newest {
    let first = if idle {
        match wishes.recv_timeout(NAP) {
            Ok(wish) => wish,
            Err(RecvTimeoutError::Timeout) => return Newest::Same,
            Err(RecvTimeoutError::Disconnected) => return Newest::Gone,
        }
    } else {
        match wishes.try_recv() {
            Ok(wish) => wish,
            Err(TryRecvError::Empty) => return Newest::Same,
            Err(TryRecvError::Disconnected) => return Newest::Gone,
        }
    };
    Newest::Other(wishes.try_iter().last().unwrap_or(first))
}

/// The sound from one place on, at one speed.
struct Line<'a> {
    file: &'a mut WavFile,
    wish: Wish,
    sides: [Vec<f32>; 2],
    /// None where the file has our rate.
    converter: Option<RateConverter>,
    /// Samples of the converter that are not of the file.
    skip: usize,
    stretcher: Stretcher,
    made: Vec<f32>,
    /// Frames that were given.
    given: u64,
    /// Whether the file is at its end.
    drained: bool,
    ended: bool,
}

impl<'a> Line<'a> {
    fn begin(file: &'a mut WavFile, wish: Wish) -> Result<Self, WavError> {
        let head = file.head();
        let (rate, place) = (head.rate, head.samples_before(wish.from));
        file.seek(place)?;
        let converter = (rate != SAMPLE_RATE)
            .then(|| RateConverter::new(rate, SAMPLE_RATE))
            .transpose()
            .map_err(|error| WavError::Format(error.to_string()))?;
        Ok(Self {
            skip: converter.as_ref().map_or(0, RateConverter::delay),
            converter,
            file,
            wish,
            sides: [Vec::new(), Vec::new()],
            stretcher: Stretcher::new(wish.speed),
            made: Vec::new(),
            given: 0,
            drained: false,
            ended: false,
        })
    }

    /// The next 10 ms; what is short of that at the end is filled with silence.
    fn next(&mut self) -> Result<Block, WavError> {
        while self.made.len() < FRAME_SAMPLES && !self.drained {
            self.take_piece()?;
        }
        let mut sound = SILENCE;
        let count = self.made.len().min(FRAME_SAMPLES);
        for (to, from) in sound.iter_mut().zip(self.made.drain(..count)) {
            *to = from;
        }
        let said = duration_of(self.given * FRAME_SAMPLES as u64);
        self.given += 1;
        self.ended = self.drained && self.made.is_empty();
        Ok(Block {
            wish: self.wish.number,
            at: self.wish.from + said * self.wish.speed / 100,
            sound,
            last: self.ended,
        })
    }

    fn take_piece(&mut self) -> Result<(), WavError> {
        for side in &mut self.sides {
            side.clear();
        }
        let count = self.file.read(&mut self.sides)?;
        self.drained = count == 0;
        let [near, far] = &mut self.sides;
        if self.file.head().channels > 1 {
            for (sum, sample) in near.iter_mut().zip(far.iter()) {
                *sum += sample;
            }
        }
        let (stretcher, skip) = (&mut self.stretcher, &mut self.skip);
        match &mut self.converter {
            None => stretcher.push(near),
            Some(converter) => {
                let mut keep = |piece: &[f32]| {
                    let skipped = (*skip).min(piece.len());
                    *skip -= skipped;
                    stretcher.push(piece.get(skipped..).unwrap_or_default());
                };
                converter.process(near, &mut keep);
                if self.drained {
                    converter.finish(keep);
                }
            }
        }
        self.stretcher.pull(self.drained, &mut self.made);
        Ok(())
    }
}
