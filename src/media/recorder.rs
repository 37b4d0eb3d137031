//! A call as a stereo WAV, left the agent, right the far end: 16-bit PCM at 48 kHz (hound).
//!
//! ```text
//! media thread --- ring of 10 ms blocks (rtrb), never waits ---> recorder thread --- WAV
//! ```
//!
//! The header is on disk before the recording counts as started, and header and data are written
//! and synced (fdatasync) each half second, so that a kill or a power loss at any moment leaves a
//! playable file that lacks less than a second. A recording that was paused gets chunks behind its
//! sound that mark the gaps, once it is closed. When the disk does not keep up for ten seconds, what
//! follows is lost until half of what waits is written: one hole rather than a thousand small ones. It
//! becomes silence of the same length in its own place, and is marked as a gap, too.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use hound::{SampleFormat, WavSpec, WavWriter};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::base::id::CallId;
use crate::base::priority::behave_as_usual;
use crate::media::command::MediaEvent;
use crate::media::frame::{FRAME_SAMPLES, FRAME_TIME, Frame, SAMPLE_RATE, to_pcm16};
use crate::media::gap::{self, Gap};

/// Blocks that may wait for the disk: 10 s.
pub(super) const RING_BLOCKS: usize = 1_000;
/// Blocks between two syncs: half a second.
const SYNC_BLOCKS: usize = 50;
/// What a WAV can hold, less the header: its lengths have 32 bits.
const MAX_BLOCKS: u64 = (u32::MAX as u64 - 128) / BLOCK_BYTES;
const BLOCK_BYTES: u64 = FRAME_SAMPLES as u64 * 4;
/// What the length at the top of a file does not count, in octets.
const RIFF_HEAD: u64 = 8;
/// How many names are tried: that many recordings a call may have.
const MOST_NAMES: u32 = 1_000;
/// What is written at once: all between two syncs.
const BUFFER_BYTES: usize = SYNC_BLOCKS * FRAME_SAMPLES * 4;
/// How long the thread sleeps when nothing waits.
const NAP: Duration = Duration::from_millis(100);

/// 10 ms of both sides as the file has them: left, right, left, …
type Stereo = [i16; 2 * FRAME_SAMPLES];

const SILENT: Stereo = [0; 2 * FRAME_SAMPLES];

/// What waits for the disk.
struct Block {
    samples: Stereo,
    /// Blocks that were lost before this one.
    lost: u32,
}

/// What is known at the end.
#[derive(Debug)]
struct End {
    gaps: Vec<Gap>,
    /// Blocks that were lost behind the last one.
    lost: u32,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    ended: AtomicBool,
    /// Told before the stop.
    end: OnceLock<End>,
}

/// A recording that is under way.
pub struct Recording {
    blocks: Producer<Block>,
    /// Blocks that were lost since the last one that was not.
    lost: u32,
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

impl Recording {
    /// Starts the thread of a recording, which opens the file and tells by `report` how it goes. `number`
    /// is its own among those of the call.
    ///
    /// # Errors
    ///
    /// Fails when no thread can be started.
    pub fn start(
        call: CallId,
        number: u32,
        path: PathBuf,
        report: impl Fn(MediaEvent) + Send + 'static,
    ) -> io::Result<Self> {
        let (blocks, consumer) = RingBuffer::new(RING_BLOCKS);
        let shared = Arc::new(Shared::default());
        let writer = Writer {
            call,
            number,
            path,
            blocks: consumer,
            shared: Arc::clone(&shared),
        };
        let thread = Builder::new()
            .name("ringdesk-record".to_owned())
            .spawn(move || {
                behave_as_usual();
                writer.run(&report);
            })?;
        Ok(Self {
            blocks,
            lost: 0,
            shared,
            thread,
        })
    }

    /// Adds 10 ms; never waits. Whether they will be written: they are lost where the disk does not
    /// keep up.
    pub fn write(&mut self, agent: &Frame, far_end: &Frame) -> bool {
        let block = Block {
            samples: interleaved(agent, far_end),
            lost: self.lost,
        };
        let catching_up = self.lost > 0 && self.blocks.slots() < RING_BLOCKS / 2;
        let kept = !catching_up && self.blocks.push(block).is_ok();
        self.lost = if kept { 0 } else { self.lost.saturating_add(1) };
        kept
    }

    /// Whether it has ended by itself, because of an error.
    pub fn ended(&self) -> bool {
        self.shared.ended.load(Ordering::Acquire)
    }

    /// Ends it: what waits is still written, and its gaps are marked. The handle ends when the file is
    /// closed.
    pub fn stop(self, gaps: Vec<Gap>) -> JoinHandle<()> {
        let lost = self.lost;
        // It is stopped once, so there is no other.
        drop(self.shared.end.set(End { gaps, lost }));
        self.shared.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        self.thread
    }
}

/// The thread's side.
struct Writer {
    call: CallId,
    number: u32,
    path: PathBuf,
    blocks: Consumer<Block>,
    shared: Arc<Shared>,
}

impl Writer {
    fn run(mut self, report: &impl Fn(MediaEvent)) {
        let outcome = self.record(report);
        let (call, number, path) = (self.call, self.number, self.path);
        self.shared.ended.store(true, Ordering::Release);
        report(match outcome {
            Ok(duration) => MediaEvent::RecordingStopped {
                call,
                number,
                path,
                duration,
            },
            Err(message) => MediaEvent::RecordingFailed {
                call,
                number,
                path,
                message,
            },
        });
    }

    /// Creates the file, under a free name: a folder on a network may take its time to say so.
    fn create(&mut self) -> io::Result<WavFile> {
        let wanted = self.path.clone();
        let mut number = 1;
        loop {
            match WavFile::create(&self.path, MAX_BLOCKS) {
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && number < MOST_NAMES =>
                {
                    number += 1;
                    self.path = numbered(&wanted, number);
                }
                created => return created,
            }
        }
    }

    fn record(&mut self, report: &impl Fn(MediaEvent)) -> Result<Duration, String> {
        let mut file = self
            .create()
            .map_err(|error| describe("the recording cannot be started", &self.path, &error))?;
        report(MediaEvent::RecordingStarted {
            call: self.call,
            number: self.number,
            path: self.path.clone(),
        });
        let failed = |path: &Path, error| describe("the recording has ended early", path, &error);
        loop {
            // Read before the ring, so that what was written before the stop is seen below.
            let stop = self.shared.stop.load(Ordering::Acquire);
            while let Ok(block) = self.blocks.pop() {
                file.write_silence(block.lost)
                    .and_then(|()| file.write(&block.samples))
                    .map_err(|error| failed(&self.path, error))?;
            }
            if stop {
                let (gaps, lost) = match self.shared.end.get() {
                    Some(end) => (end.gaps.as_slice(), end.lost),
                    None => (&[][..], 0),
                };
                return file
                    .write_silence(lost)
                    .and_then(|()| file.finish(gaps))
                    .map_err(|error| failed(&self.path, error));
            }
            std::thread::park_timeout(NAP);
        }
    }
}

fn interleaved(agent: &Frame, far_end: &Frame) -> Stereo {
    let mut samples = [0; 2 * FRAME_SAMPLES];
    let (pairs, _) = samples.as_chunks_mut();
    for ([left, right], (agent, far_end)) in pairs.iter_mut().zip(agent.iter().zip(far_end)) {
        *left = to_pcm16(*agent);
        *right = to_pcm16(*far_end);
    }
    samples
}

/// The name of the second and further recordings beside the first.
pub fn numbered(first: &Path, number: u32) -> PathBuf {
    let stem = first.file_stem().unwrap_or_default().to_string_lossy();
    let mut name = format!("{stem}-{number}");
    if let Some(extension) = first.extension() {
        name = format!("{name}.{}", extension.to_string_lossy());
    }
    first.with_file_name(name)
}

/// The file: what is on disk is always a whole WAV.
struct WavFile {
    writer: WavWriter<BufWriter<File>>,
    disk: File,
    blocks: u64,
    max_blocks: u64,
}

impl WavFile {
    /// Creates a file that does not exist yet, with its folder, and puts the header on disk.
    fn create(path: &Path, max_blocks: u64) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        let disk = file.try_clone()?;
        let spec = WavSpec {
            channels: 2,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let writer =
            WavWriter::new(BufWriter::with_capacity(BUFFER_BYTES, file), spec).map_err(io_error)?;
        let mut wav = Self {
            writer,
            disk,
            blocks: 0,
            max_blocks,
        };
        wav.sync()?;
        sync_folder(path);
        Ok(wav)
    }

    fn write(&mut self, samples: &Stereo) -> io::Result<()> {
        if self.blocks >= self.max_blocks {
            self.sync()?;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let count = u32::try_from(samples.len()).unwrap_or(0);
        let mut block = self.writer.get_i16_writer(count);
        for sample in samples {
            block.write_sample(*sample);
        }
        block.flush().map_err(io_error)?;
        self.blocks += 1;
        if self.blocks.is_multiple_of(SYNC_BLOCKS as u64) {
            self.sync()?;
        }
        Ok(())
    }

    fn write_silence(&mut self, blocks: u32) -> io::Result<()> {
        (0..blocks).try_for_each(|_| self.write(&SILENT))
    }

    /// Brings header and data to the disk.
    fn sync(&mut self) -> io::Result<()> {
        self.writer.flush().map_err(io_error)?;
        self.disk.sync_data()
    }

    fn finish(mut self, gaps: &[Gap]) -> io::Result<Duration> {
        self.sync()?;
        let blocks = u32::try_from(self.blocks).unwrap_or(u32::MAX);
        self.writer.finalize().map_err(io_error)?;
        if let Err(error) = mark_gaps(&mut self.disk, gaps) {
            // They are with the call, too; what was said is safe.
            tracing::warn!(%error, "the gaps of a recording are not marked in its file");
        }
        Ok(FRAME_TIME * blocks)
    }
}

/// Adds the marks of gaps behind the sound. Until the length at the top counts them, the file is the
/// one without.
fn mark_gaps(file: &mut File, gaps: &[Gap]) -> io::Result<()> {
    let chunks = gap::chunks(gaps);
    if chunks.is_empty() {
        return Ok(());
    }
    let end = file.seek(SeekFrom::End(0))?;
    let length = end + chunks.len() as u64 - RIFF_HEAD;
    let length = u32::try_from(length).map_err(|_too_long| io::ErrorKind::FileTooLarge)?;
    file.write_all(&chunks)?;
    file.sync_data()?;
    file.seek(SeekFrom::Start(4))?;
    file.write_all(&length.to_le_bytes())?;
    file.sync_data()
}

fn io_error(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    }
}

/// Makes the name of a new file survive a power loss; where folders cannot be synced, it does not.
fn sync_folder(path: &Path) {
    let synced = path
        .parent()
        .map(File::open)
        .map(|folder| folder?.sync_all());
    if let Some(Err(error)) = synced {
        tracing::debug!(%error, "the recordings folder cannot be synced");
    }
}

/// A sentence for the agent: what failed, why, and what to do.
fn describe(what: &str, path: &Path, error: &io::Error) -> String {
    let (why, remedy) = match error.kind() {
        io::ErrorKind::AlreadyExists => (
            "the file exists already".to_owned(),
            "it was left as it is; choose another folder in the settings",
        ),
        io::ErrorKind::StorageFull => (
            "the disk is full".to_owned(),
            "free some space and start again",
        ),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => (
            "writing there is not allowed".to_owned(),
            "choose another folder in the settings",
        ),
        io::ErrorKind::FileTooLarge => (
            "a WAV file holds no more than six hours".to_owned(),
            "start a new one",
        ),
        _ => (error.to_string(), "choose another folder in the settings"),
    };
    format!("{what}: {why} ({}); {remedy}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::frame::SILENCE;
    use std::sync::mpsc;

    fn call() -> CallId {
        CallId::new(1, [7; 10])
    }

    fn start(path: &Path) -> (Recording, mpsc::Receiver<MediaEvent>) {
        let (sender, events) = mpsc::sync_channel(16);
        let recording = Recording::start(call(), 1, path.to_path_buf(), move |event| {
            sender.send(event).unwrap();
        })
        .unwrap();
        (recording, events)
    }

    fn next(events: &mpsc::Receiver<MediaEvent>) -> MediaEvent {
        events.recv_timeout(Duration::from_secs(10)).unwrap()
    }

    #[test]
    fn left_is_the_agent_and_right_the_far_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder/call.wav");
        let (mut recording, events) = start(&path);
        assert!(matches!(next(&events), MediaEvent::RecordingStarted { .. }));
        for _ in 0..25 {
            recording.write(&[0.5; FRAME_SAMPLES], &[-0.25; FRAME_SAMPLES]);
        }
        recording.stop(Vec::new()).join().unwrap();
        let expected = MediaEvent::RecordingStopped {
            call: call(),
            number: 1,
            path: path.clone(),
            duration: Duration::from_millis(250),
        };
        assert_eq!(next(&events), expected);
        let mut reader = hound::WavReader::open(&path).unwrap();
        assert_eq!(reader.spec().sample_rate, 48_000);
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        assert_eq!(samples.len(), 25 * 480 * 2);
        assert!(samples.chunks(2).all(|pair| pair == [16_384, -8_192]));
    }

    #[test]
    fn what_a_stalled_disk_loses_is_one_hole_of_silence_in_its_own_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        // The thread stands still before its first block, as it would in a write.
        let (go_on, stalled) = mpsc::sync_channel::<()>(1);
        let mut recording = Recording::start(call(), 1, path.clone(), move |event| {
            if matches!(event, MediaEvent::RecordingStarted { .. }) {
                stalled.recv().unwrap();
            }
        })
        .unwrap();
        let ring = u32::try_from(RING_BLOCKS).unwrap();
        let mut write = |blocks: u32| {
            let kept = |_: &u32| recording.write(&[0.5; FRAME_SAMPLES], &[0.5; FRAME_SAMPLES]);
            (0..blocks).filter(kept).count()
        };
        assert_eq!(write(ring + 250), RING_BLOCKS);
        go_on.send(()).unwrap();
        let mut missed = 250;
        while write(1) == 0 {
            missed += 1;
            std::thread::yield_now();
        }
        assert_eq!(write(49), 49);
        recording.stop(Vec::new()).join().unwrap();
        let mut reader = hound::WavReader::open(&path).unwrap();
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        let loud: Vec<bool> = samples
            .chunks(FRAME_SAMPLES * 2)
            .map(|block| block.iter().all(|sample| *sample != 0))
            .collect();
        let pieces = loud.chunk_by(|a, b| a == b);
        let pieces: Vec<(bool, usize)> = pieces.map(|piece| (piece[0], piece.len())).collect();
        assert_eq!(pieces, [(true, RING_BLOCKS), (false, missed), (true, 50)]);
    }

    #[test]
    fn what_is_lost_at_the_end_is_there_as_silence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        let (go_on, stalled) = mpsc::sync_channel::<()>(1);
        let mut recording = Recording::start(call(), 1, path.clone(), move |event| {
            if matches!(event, MediaEvent::RecordingStarted { .. }) {
                stalled.recv().unwrap();
            }
        })
        .unwrap();
        for _ in 0..RING_BLOCKS + 30 {
            recording.write(&[0.5; FRAME_SAMPLES], &SILENCE);
        }
        let thread = recording.stop(Vec::new());
        go_on.send(()).unwrap();
        thread.join().unwrap();
        let reader = hound::WavReader::open(&path).unwrap();
        assert_eq!(reader.duration(), 1_030 * 480);
    }

    #[test]
    fn a_file_that_is_still_open_plays_and_lacks_less_than_a_second() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        let mut file = WavFile::create(&path, MAX_BLOCKS).unwrap();
        assert_eq!(hound::WavReader::open(&path).unwrap().duration(), 0);
        for written in 1..=173_u32 {
            let block = interleaved(&[0.1; FRAME_SAMPLES], &SILENCE);
            file.write(&block).unwrap();
            // As a kill would leave it: nothing is closed.
            let reader = hound::WavReader::open(&path).unwrap();
            let missing = written * 480 - reader.duration();
            assert!(missing < 48_000, "{missing} samples are missing");
            assert_eq!(
                reader.into_samples::<i16>().filter(Result::is_err).count(),
                0
            );
        }
        std::mem::forget(file);
    }

    #[test]
    fn an_existing_file_is_never_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        fs::write(&path, "precious").unwrap();
        for number in [2, 3] {
            let (recording, events) = start(&path);
            let beside = folder.path().join(format!("call-{number}.wav"));
            let started = MediaEvent::RecordingStarted {
                call: call(),
                number: 1,
                path: beside.clone(),
            };
            assert_eq!(next(&events), started);
            recording.stop(Vec::new()).join().unwrap();
            assert!(hound::WavReader::open(&beside).is_ok());
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_folder_full_of_recordings_of_one_call_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        fs::write(&path, "precious").unwrap();
        for number in 2..=MOST_NAMES {
            fs::write(numbered(&path, number), "precious").unwrap();
        }
        let (recording, events) = start(&path);
        let MediaEvent::RecordingFailed { message, .. } = next(&events) else {
            panic!("it started");
        };
        assert!(message.contains("exists already"), "{message}");
        assert!(recording.ended());
    }

    #[test]
    fn a_full_wav_ends_with_a_sentence_and_stays_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        let mut file = WavFile::create(&path, 3).unwrap();
        for _ in 0..3 {
            file.write(&SILENT).unwrap();
        }
        let error = file.write(&SILENT).unwrap_err();
        assert!(describe("x", &path, &error).contains("six hours"));
        assert_eq!(hound::WavReader::open(&path).unwrap().duration(), 1_440);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_and_the_recording_ends() {
        // /dev/full takes no byte; it is opened through a fresh name in a folder of ours.
        let error = File::options()
            .write(true)
            .open("/dev/full")
            .and_then(|mut full| io::Write::write_all(&mut full, b"x"))
            .unwrap_err();
        let message = describe("the recording has ended early", Path::new("a.wav"), &error);
        assert!(message.contains("the disk is full") && message.contains("free some space"));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        let file = WavFile::create(&path, 1).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(file);
    }
}
