//! One call's recording on the media thread: the announcement before it, its pauses, its file.
//!
//! Where both sides must be told first, the announcement is read on a thread of its own and played to
//! both while the far end can hear it; the recording begins behind its last sound. An announcement
//! that cannot be played is told, and nothing is recorded: silence is no consent.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use crate::base::id::CallId;
use crate::media::command::{MediaEvent, Source};
use crate::media::device::file::{Player, Sound};
use crate::media::feed::{Feed, Loaded, Loader};
use crate::media::frame::Frame;
use crate::media::news::report_patiently;
use crate::media::recorded::Recorded;
use crate::media::recorder::Recording;

/// The longest announcement, in seconds.
pub const LONGEST_ANNOUNCEMENT_SECONDS: u32 = 30;

/// What is to be recorded, and who hears how it goes.
pub(super) struct Wanted {
    number: u32,
    path: PathBuf,
    tone: bool,
    events: mpsc::Sender<MediaEvent>,
    /// Whether it begins with a pause.
    paused: bool,
}

impl Wanted {
    /// A recording with that number among those of its call; with the tone if both sides are to hear that.
    pub(super) fn new(
        number: u32,
        path: PathBuf,
        tone: bool,
        events: mpsc::Sender<MediaEvent>,
    ) -> Self {
        Self {
            number,
            path,
            tone,
            events,
            paused: false,
        }
    }
}

/// How far it is.
#[derive(Default)]
enum Stage {
    #[default]
    Off,
    /// Both sides are told first.
    Announced(Feed, Wanted),
    On(Recording),
}

/// The recording of one call.
pub(super) struct CallRecording {
    call: CallId,
    /// The number of the one whose gaps are told.
    number: u32,
    stage: Stage,
    /// What both sides heard before it, while it goes on.
    announcement: Option<Sound>,
    /// Whether the far end has heard that it is recorded: in this call's recording, or in another one's of
    /// a conference.
    told: bool,
    /// What it hears of another call's recording.
    telling: Option<Player>,
    recorded: Recorded,
    news: VecDeque<MediaEvent>,
}

impl CallRecording {
    /// Of a call that is not recorded.
    pub(super) fn of(call: CallId) -> Self {
        Self {
            call,
            number: 0,
            stage: Stage::Off,
            announcement: None,
            told: false,
            telling: None,
            recorded: Recorded::default(),
            news: VecDeque::new(),
        }
    }

    /// Starts it, behind the announcement if there is one.
    pub(super) fn start(
        &mut self,
        wanted: Wanted,
        announcement: Option<PathBuf>,
        loader: &mut Loader,
    ) {
        let busy = match &self.stage {
            Stage::Off => false,
            Stage::Announced(..) => true,
            Stage::On(recording) => !recording.ended(),
        };
        if busy {
            let message = "this call is being recorded already; stop that recording first";
            return self.refuse(wanted.number, wanted.path, message.to_owned());
        }
        let Some(announcement) = announcement else {
            return self.begin(wanted);
        };
        let source = Source::File {
            path: announcement,
            repeat: false,
        };
        match loader.begin(self.call, source, LONGEST_ANNOUNCEMENT_SECONDS) {
            Ok(feed) => self.stage = Stage::Announced(feed, wanted),
            Err(why) => self.refuse(wanted.number, wanted.path, unannounced(&why)),
        }
    }

    /// Takes the announcement that was read; gives back what is something else.
    pub(super) fn take(&mut self, loaded: Loaded) -> Option<Loaded> {
        let Stage::Announced(feed, wanted) = &mut self.stage else {
            return Some(loaded);
        };
        if !feed.awaits(&loaded) {
            return Some(loaded);
        }
        match feed.take(loaded) {
            None => self.news.push_back(MediaEvent::RecordingAnnounced {
                call: self.call,
                number: wanted.number,
                path: wanted.path.clone(),
            }),
            Some(error) => {
                if let Stage::Announced(_, wanted) = std::mem::take(&mut self.stage) {
                    let why = unannounced(&error.to_string());
                    self.refuse(wanted.number, wanted.path, why);
                }
            }
        }
        None
    }

    /// The next 10 ms of what both sides hear of it, if anything; `sends` says whether the far end can
    /// hear us.
    pub(super) fn notice(&mut self, sends: bool) -> Option<Frame> {
        if self.telling.take_if(|player| player.at_end()).is_some() {
            self.told = true;
        }
        if let Some(player) = &mut self.telling {
            return sends.then(|| player.play());
        }
        match &mut self.stage {
            Stage::Off => None,
            Stage::On(recording) if recording.ended() => None,
            Stage::On(_) => self.recorded.notice(),
            Stage::Announced(Feed::Playing(player), _) if player.at_end() => {
                self.announcement = Some(player.sound().clone());
                self.told = true;
                if let Stage::Announced(_, wanted) = std::mem::take(&mut self.stage) {
                    self.begin(wanted);
                }
                self.recorded.notice()
            }
            Stage::Announced(Feed::Playing(player), _) => sends.then(|| player.play()),
            Stage::Announced(..) => None,
        }
    }

    /// Records 10 ms of both sides.
    pub(super) fn write(&mut self, agent: &Frame, far_end: &Frame) {
        if let Stage::On(recording) = &mut self.stage {
            let [agent, far_end] = self.recorded.take(agent, far_end);
            // One that ended by itself takes nothing any more, and has said so.
            let kept = recording.write(&agent, &far_end) || recording.ended();
            self.recorded.note_written(kept);
            self.tell_gaps();
        }
    }

    /// Pauses it, or goes on; one that is still announced begins with the pause.
    pub(super) fn pause(&mut self, paused: bool) {
        match &mut self.stage {
            Stage::Off => {}
            Stage::Announced(_, wanted) => wanted.paused = paused,
            Stage::On(_) => {
                self.recorded.pause(paused);
                self.tell_gaps();
            }
        }
    }

    /// Lets the far end hear that another call's recording has its voice, unless it knows.
    pub(super) fn tell(&mut self, announcement: &Sound) {
        let announced = matches!(self.stage, Stage::Announced(..));
        if !self.told && !announced && self.telling.is_none() {
            self.telling = Some(Player::new(announcement.clone(), false));
        }
    }

    /// Whether the far end has heard that it is recorded.
    pub(super) fn is_told(&self) -> bool {
        self.told
    }

    /// What everybody in it must have heard, where that is so and it goes on.
    pub(super) fn announcement(&self) -> Option<&Sound> {
        self.announcement.as_ref()
    }

    /// Ends it. The handle ends when the file is closed.
    pub(super) fn stop(&mut self) -> Option<JoinHandle<()>> {
        self.announcement = None;
        let Stage::On(recording) = std::mem::take(&mut self.stage) else {
            return None;
        };
        self.recorded.end();
        self.tell_gaps();
        Some(recording.stop(self.recorded.take_gaps()))
    }

    /// What is to be told.
    pub(super) fn poll_news(&mut self) -> Option<MediaEvent> {
        self.news.pop_front()
    }

    fn begin(&mut self, wanted: Wanted) {
        let Wanted {
            number,
            path,
            tone,
            events,
            paused,
        } = wanted;
        let report = move |event| report_patiently(&events, event);
        match Recording::start(self.call, number, path.clone(), report) {
            Ok(recording) => {
                self.number = number;
                self.stage = Stage::On(recording);
                self.recorded = Recorded::begin(tone);
                self.pause(paused);
            }
            Err(error) => {
                let why = format!("the recording cannot be started: {error}; close programs");
                self.refuse(number, path, why);
            }
        }
    }

    fn tell_gaps(&mut self) {
        while let Some(gap) = self.recorded.changed_gap() {
            let (call, number) = (self.call, self.number);
            self.news
                .push_back(MediaEvent::RecordingGap { call, number, gap });
        }
    }

    fn refuse(&mut self, number: u32, path: PathBuf, message: String) {
        let call = self.call;
        self.news.push_back(MediaEvent::RecordingFailed {
            call,
            number,
            path,
            message,
        });
    }
}

/// A sentence for the agent, who must know that nothing is recorded.
fn unannounced(why: &str) -> String {
    format!("nothing is recorded, because its announcement cannot be played: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;
    use crate::media::frame::{FRAME_SAMPLES, peak};
    use crate::media::gap::GapCause;
    use crate::media::recorder::RING_BLOCKS;
    use std::path::Path;
    use std::time::Duration;

    const AGENT: Frame = [0.5; FRAME_SAMPLES];
    const FAR_END: Frame = [-0.25; FRAME_SAMPLES];

    struct Desk {
        folder: tempfile::TempDir,
        recording: CallRecording,
        loader: Loader,
        outlet: mpsc::Sender<MediaEvent>,
        events: mpsc::Receiver<MediaEvent>,
    }

    impl Desk {
        fn new() -> Self {
            let (outlet, events) = mpsc::channel(16);
            Self {
                folder: tempfile::tempdir().unwrap(),
                recording: CallRecording::of(CallId::new(1, [7; 10])),
                loader: Loader::new(),
                outlet,
                events,
            }
        }

        fn file(&self) -> PathBuf {
            self.folder.path().join("call.wav")
        }

        fn start(&mut self, announcement: &Path) {
            let announcement = Some(announcement.to_owned());
            let wanted = self.wanted();
            self.recording.start(wanted, announcement, &mut self.loader);
        }

        fn wanted(&self) -> Wanted {
            Wanted::new(1, self.file(), false, self.outlet.clone())
        }

        /// Waits for the thread that reads the announcement.
        fn read(&mut self) {
            let deadline = monotonic_now() + Duration::from_secs(20);
            let loaded = loop {
                if let Some(loaded) = self.loader.poll() {
                    break loaded;
                }
                assert!(monotonic_now() < deadline);
                std::thread::yield_now();
            };
            assert!(self.recording.take(loaded).is_none());
        }

        /// A WAV of so many seconds.
        fn announcement(&self, seconds: u32) -> PathBuf {
            let path = self.folder.path().join("announcement.wav");
            let spec = hound::WavSpec {
                channels: 1,
                sample_rate: 8_000,
                bits_per_sample: 16,
                sample_format: hound::SampleFormat::Int,
            };
            let mut writer = hound::WavWriter::create(&path, spec).unwrap();
            for n in 0..8_000 * seconds {
                let wave = if n / 8 % 2 == 0 { 8_000_i16 } else { -8_000 };
                writer.write_sample(wave).unwrap();
            }
            writer.finalize().unwrap();
            path
        }
    }

    #[test]
    fn both_sides_hear_the_announcement_before_anything_is_recorded() {
        let mut desk = Desk::new();
        let announcement = desk.announcement(1);
        desk.start(&announcement);
        assert_eq!(desk.recording.notice(true), None, "it is being read");
        desk.read();
        let expected = MediaEvent::RecordingAnnounced {
            call: desk.recording.call,
            number: 1,
            path: desk.file(),
        };
        assert_eq!(desk.recording.poll_news(), Some(expected));
        let mut heard = 0;
        while let Some(notice) = desk.recording.notice(true) {
            heard += usize::from(peak(&notice) > 0.1);
            desk.recording.write(&AGENT, &FAR_END);
            assert!(!desk.file().exists());
            // A far end that holds us hears the rest of it later.
            if heard == 50 {
                assert_eq!(desk.recording.notice(false), None);
            }
        }
        assert_eq!(heard, 100);
        for _ in 0..30 {
            assert_eq!(desk.recording.notice(true), None);
            desk.recording.write(&AGENT, &FAR_END);
        }
        desk.recording.stop().unwrap().join().unwrap();
        let mut reader = hound::WavReader::open(desk.file()).unwrap();
        assert_eq!(reader.duration(), 30 * 480);
        assert!(reader.samples::<i16>().all(|sample| sample.unwrap() != 0));
    }

    /// A pause during the announcement was ignored, and what it was for was recorded.
    #[test]
    fn one_that_is_paused_while_it_is_announced_begins_with_the_pause() {
        let mut desk = Desk::new();
        let announcement = desk.announcement(1);
        desk.start(&announcement);
        desk.recording.pause(true);
        desk.recording.pause(false);
        desk.recording.pause(true);
        desk.read();
        while desk.recording.notice(true).is_some() {}
        for paused in [true, false] {
            desk.recording.pause(paused);
            for _ in 0..50 {
                desk.recording.write(&AGENT, &FAR_END);
            }
        }
        desk.recording.stop().unwrap().join().unwrap();
        let gaps: Vec<(Duration, Option<Duration>)> =
            std::iter::from_fn(|| desk.recording.poll_news())
                .filter_map(|news| match news {
                    MediaEvent::RecordingGap { gap, .. } => Some((gap.start, gap.length)),
                    _ => None,
                })
                .collect();
        let half = Duration::from_millis(500);
        assert_eq!(gaps, [(Duration::ZERO, None), (Duration::ZERO, Some(half))]);
        let mut reader = hound::WavReader::open(desk.file()).unwrap();
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        let loud = |samples: &[i16]| samples.iter().any(|sample| sample.unsigned_abs() > 8_000);
        let (pause, rest) = samples.split_at(2 * 480 * 50);
        assert!(!loud(pause) && loud(rest));
    }

    #[test]
    fn without_its_announcement_nothing_is_recorded_and_the_agent_is_told() {
        let mut desk = Desk::new();
        let long = desk.announcement(31);
        for (file, words) in [
            (desk.folder.path().join("none.wav"), "cannot read"),
            (long, "longer than 30 s"),
        ] {
            desk.start(&file);
            desk.read();
            let Some(MediaEvent::RecordingFailed { message, .. }) = desk.recording.poll_news()
            else {
                panic!("it was not told");
            };
            assert!(message.contains("nothing is recorded"), "{message}");
            assert!(message.contains(words), "{message}");
            assert_eq!(desk.recording.notice(true), None);
            desk.recording.write(&AGENT, &FAR_END);
            assert!(desk.recording.stop().is_none() && !desk.file().exists());
        }
        assert!(desk.events.try_recv().is_err());
    }

    #[test]
    fn who_stops_it_while_it_is_announced_records_nothing() {
        let mut desk = Desk::new();
        let announcement = desk.announcement(1);
        desk.start(&announcement);
        assert!(desk.recording.stop().is_none());
        desk.start(&announcement);
        desk.start(&announcement);
        let refused = desk.recording.poll_news();
        assert!(
            matches!(&refused, Some(MediaEvent::RecordingFailed { message, .. })
                if message.contains("already")),
            "{refused:?}"
        );
        assert!(!desk.file().exists());
    }

    #[test]
    fn what_a_stalled_disk_loses_is_told_and_marked_in_the_file() {
        let mut desk = Desk::new();
        // Nobody takes the events, so that the recorder waits before its first block.
        let (outlet, mut events) = mpsc::channel(1);
        let other = MediaEvent::MutedTalk {
            call: desk.recording.call,
        };
        outlet.try_send(other).unwrap();
        let wanted = Wanted::new(1, desk.file(), false, outlet);
        desk.recording.start(wanted, None, &mut desk.loader);
        for _ in 0..RING_BLOCKS + 40 {
            desk.recording.write(&AGENT, &FAR_END);
        }
        let gap = |news: Option<MediaEvent>| match news {
            Some(MediaEvent::RecordingGap { gap, .. }) => {
                (gap.cause, gap.start.as_millis(), gap.length)
            }
            other => panic!("{other:?}"),
        };
        let lost = GapCause::DiskBehind;
        let told = gap(desk.recording.poll_news());
        assert_eq!(told, (lost, 10_000, None));
        assert_eq!(desk.recording.poll_news(), None, "it is told once");
        let thread = desk.recording.stop().unwrap();
        while events.blocking_recv().is_some() {}
        thread.join().unwrap();
        let told = gap(desk.recording.poll_news());
        assert_eq!(told, (lost, 10_000, Some(Duration::from_millis(400))));
        let bytes = std::fs::read(desk.file()).unwrap();
        let cue = bytes.windows(4).position(|word| word == b"cue ").unwrap();
        assert_eq!(bytes[cue + 8..cue + 16], [1, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(bytes[cue + 16..cue + 20], 480_000_u32.to_le_bytes());
        assert!(bytes.windows(5).any(|word| word == b"Lost\0"));
        let reader = hound::WavReader::open(desk.file()).unwrap();
        assert_eq!(reader.duration(), 1_040 * 480);
    }

    #[test]
    fn the_gaps_of_a_recording_are_told_and_marked_in_its_file() {
        let mut desk = Desk::new();
        let wanted = desk.wanted();
        desk.recording.start(wanted, None, &mut desk.loader);
        let pieces = [(false, 40), (true, 60), (false, 20), (true, 30)];
        for (paused, frames) in pieces {
            desk.recording.pause(paused);
            for _ in 0..frames {
                desk.recording.write(&AGENT, &FAR_END);
            }
        }
        desk.recording.stop().unwrap().join().unwrap();
        let told: Vec<(u128, Option<u128>)> = std::iter::from_fn(|| desk.recording.poll_news())
            .map(|news| match news {
                MediaEvent::RecordingGap { gap, .. } => {
                    let length = gap.length.map(|length| length.as_millis());
                    (gap.start.as_millis(), length)
                }
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [
            (400, None),
            (400, Some(600)),
            (1_200, None),
            (1_200, Some(300)),
        ];
        assert_eq!(told, expected);
        let bytes = std::fs::read(desk.file()).unwrap();
        let length = u32::from_le_bytes(bytes[4..8].try_into().unwrap());
        assert_eq!(usize::try_from(length).unwrap() + 8, bytes.len());
        let cue = bytes.windows(4).position(|word| word == b"cue ").unwrap();
        assert_eq!(bytes[cue + 8..cue + 12], 2_u32.to_le_bytes());
        let reader = hound::WavReader::open(desk.file()).unwrap();
        assert_eq!(reader.duration(), 150 * 480);
    }
}
