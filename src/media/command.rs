//! The media room's face: commands in, events out.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::id::CallId;
use crate::base::port_range::PortRange;
use crate::media::dropped::{Dropped, DroppedOf};
use crate::media::gap::Gap;
use crate::media::level::Levels;
use crate::media::one_way::Cause;
pub use crate::media::playback::{PlayerNews, PlayerOrder};
pub use crate::media::processing::{MicrophoneState, NoiseSuppression, Processing};
use crate::media::quality::{Breaks, Second};
pub use crate::media::sound_test::{SoundTest, SoundTestNews};
pub use crate::media::steering::Redundancy;
use crate::media::transport::DtlsFailure;
pub use crate::media::transport::ice::{IceFault, IceServers, TurnFault, TurnServer};
pub use crate::media::volume::Volumes;
use crate::sdp::ice::Settled;
use crate::sdp::{Candidate, IceCredentials, MediaPlan, SrtpSuite};

/// Which sound device to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The timer-driven device: silence in, nothing out.
    Null,
    /// The system's default.
    Default,
    /// By the name that `devices()` lists.
    Named(String),
}

/// The chosen devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Devices {
    /// The microphone.
    pub microphone: DeviceChoice,
    /// The speaker for calls.
    pub speaker: DeviceChoice,
    /// The speaker for the ring tone.
    pub ringer: DeviceChoice,
}

impl Devices {
    /// Whether any role is a real device.
    pub fn any(&self) -> bool {
        [&self.microphone, &self.speaker, &self.ringer]
            .iter()
            .any(|choice| **choice != DeviceChoice::Null)
    }
}

/// Where a call's outgoing sound comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The microphone, when the call has the focus; else silence.
    Microphone,
    /// A WAV file, resampled and mixed to mono.
    File {
        /// The file.
        path: PathBuf,
        /// Whether it starts again at its end; else silence follows.
        repeat: bool,
    },
    /// What is heard, sent back.
    Echo,
}

/// A tone that the agent hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Somebody calls: on the ringer.
    Ring,
    /// A second call while one is talked: softly, in the speaker.
    CallWaiting,
    /// The far end rings and sends no sound of its own.
    Ringback,
    /// The far end is busy.
    Busy,
    /// The call failed.
    Congestion,
    /// Both sides are recorded.
    Recorded,
    /// A recording's gap begins or ends here.
    Gap,
}

/// How both sides of a call learn that it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordingNotice {
    /// Whether they hear a short tone now and then.
    pub tone: bool,
    /// A WAV file that they hear before the recording begins, of at most 30 s. When it cannot be
    /// played, nothing is recorded.
    pub announcement: Option<PathBuf>,
}

/// What the engine asks of the media threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaCommand {
    /// Start a call's media or change it.
    Apply {
        /// The call.
        call: CallId,
        /// What offer and answer agreed on.
        plan: Box<MediaPlan>,
    },
    /// Take a handshake for keys before the plan is there: our offer invites to it.
    ExpectHandshake {
        /// The call.
        call: CallId,
    },
    /// Find out where a call's sockets may be reached (ICE); answered by [`MediaEvent::Gathered`].
    Gather {
        /// The call.
        call: CallId,
        /// By what our checks are known.
        credentials: IceCredentials,
        /// Who is asked.
        servers: Box<IceServers>,
    },
    /// Where the outgoing sound comes from.
    Source {
        /// The call.
        call: CallId,
        /// The source.
        source: Source,
    },
    /// Which calls the devices belong to; several hear each other, too. The others hear and are heard
    /// by nobody.
    Focus(Vec<CallId>),
    /// What far ends hear while we hold them: music from a WAV file, which is read at once; or what
    /// the source gives.
    HoldMusic(Option<PathBuf>),
    /// We hold the call, or no longer do.
    Hold {
        /// The call.
        call: CallId,
        /// Whether it is held.
        held: bool,
    },
    /// Send silence instead of the microphone.
    Mute {
        /// The call.
        call: CallId,
        /// Whether it is muted.
        muted: bool,
    },
    /// Send digits by RFC 4733, one after the other.
    Dtmf {
        /// The call.
        call: CallId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        digits: String,
    },
    /// Start a stereo WAV, left the agent, right the far end.
    StartRecording {
        /// The call.
        call: CallId,
        /// Its number among those of the call: what is told of it names that.
        number: u32,
        /// The file; beside one that exists already, it gets a number.
        path: PathBuf,
        /// How both sides learn of it.
        notice: RecordingNotice,
    },
    /// Keep what is said out of the recording, or go on.
    PauseRecording {
        /// The call.
        call: CallId,
        /// Whether it is paused.
        paused: bool,
    },
    /// End the recording.
    StopRecording {
        /// The call.
        call: CallId,
    },
    /// Play a tone until another or none is asked for.
    Tone(Option<Tone>),
    /// Change devices, in a call too.
    Devices(Devices),
    /// Change what is done to the microphone's sound, in a call too; at the start nothing is.
    Processing(Processing),
    /// Tell who talks while muted, or not; at the start it is told.
    MutedHint(bool),
    /// How loud the devices are made.
    Volumes(Volumes),
    /// Tell levels while a call is talked, or not.
    Meter(bool),
    /// Test the devices; none ends a test. A call ends it, too.
    SoundTest(Option<SoundTest>),
    /// Play a recording, outside of calls.
    Player(PlayerOrder),
    /// Choose when Opus sends sound twice, for the codecs that are made from here on.
    Redundancy(Redundancy),
    /// End a call's media and close its sockets and its recording.
    Close {
        /// The call.
        call: CallId,
    },
}

impl MediaCommand {
    /// The call that it is about, when it is about one.
    pub fn call(&self) -> Option<CallId> {
        match self {
            Self::Apply { call, .. }
            | Self::ExpectHandshake { call }
            | Self::Gather { call, .. }
            | Self::Source { call, .. }
            | Self::Mute { call, .. }
            | Self::Hold { call, .. }
            | Self::Dtmf { call, .. }
            | Self::StartRecording { call, .. }
            | Self::PauseRecording { call, .. }
            | Self::StopRecording { call }
            | Self::Close { call } => Some(*call),
            Self::Focus(_)
            | Self::Tone(_)
            | Self::Devices(_)
            | Self::Processing(_)
            | Self::MutedHint(_)
            | Self::Volumes(_)
            | Self::Meter(_)
            | Self::SoundTest(_)
            | Self::Player(_)
            | Self::Redundancy(_)
            | Self::HoldMusic(_) => None,
        }
    }
}

/// What was measured in one call, both directions; `None` means unknown, never a guess.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quality {
    /// RTP packets sent.
    pub sent: u64,
    /// RTP packets received.
    pub received: u64,
    /// Packets that never came, from sequence numbers.
    pub lost: u64,
    /// Interarrival jitter (RFC 3550 section 6.4.1).
    pub jitter: Duration,
    /// Loss that the far end reports, 0.0 to 1.0 (RTCP).
    pub remote_loss: Option<f32>,
    /// Jitter that the far end reports (RTCP).
    pub remote_jitter: Option<Duration>,
    /// Round-trip time (RTCP).
    pub round_trip: Option<Duration>,
    /// Playout delay of the jitter buffer.
    pub playout_delay: Duration,
    /// Packets that came too late to be played.
    pub late: u64,
    /// Datagrams that came and were of no use, by reason.
    pub dropped: Dropped,
    /// Lost packets that redundancy brought back.
    pub recovered: u64,
    /// Those of them that DRED brought back, and not the packet behind alone (in-band FEC).
    pub recovered_by_dred: u64,
    /// Sound that concealment made up.
    pub concealed: Duration,
    /// Sound left out or repeated so that the playout delay follows the network's.
    pub stretched: Duration,
    /// What this machine broke.
    pub breaks: Breaks,
    /// The microphone's level, 0.0 to 1.0 of full scale.
    pub level_out: f32,
    /// The far end's level, 0.0 to 1.0 of full scale.
    pub level_in: f32,
}

/// What the media threads tell.
#[derive(Debug, Clone, PartialEq)]
pub enum MediaEvent {
    /// The first packet of a source was accepted.
    Flowing {
        /// The call.
        call: CallId,
        /// Where it comes from.
        remote: SocketAddr,
    },
    /// Where a call's sockets may be reached is known.
    Gathered {
        /// The call.
        call: CallId,
        /// The candidates, the default one of each component first; none where only a relay is
        /// allowed and there is none.
        candidates: Vec<Candidate>,
        /// Why there is no relay, where there should be one.
        problem: Option<TurnFault>,
    },
    /// Where a call's sockets may be reached cannot be found out.
    GatheringFailed {
        /// The call.
        call: CallId,
        /// What is wrong and what to do.
        message: String,
    },
    /// The pairs of addresses that a call's sound takes were chosen (ICE).
    Settled {
        /// The call.
        call: CallId,
        /// One for each component.
        pairs: Vec<Settled>,
    },
    /// A call's sound has no way to its far end (ICE).
    NoPath {
        /// The call.
        call: CallId,
        /// Why.
        fault: IceFault,
    },
    /// Neither sound nor a report (RTCP) was received for so long, though the far end should send.
    Silent {
        /// The call.
        call: CallId,
        /// For how long.
        lasting: Duration,
    },
    /// One of them comes again after a silence that was told.
    Heard {
        /// The call.
        call: CallId,
    },
    /// A handshake gave the keys of a call's sound, which flows from now on.
    Secured {
        /// The call.
        call: CallId,
        /// How it is protected.
        suite: SrtpSuite,
    },
    /// A handshake gave no keys: nothing can be sent or heard.
    KeysFailed {
        /// The call.
        call: CallId,
        /// Why.
        failure: DtlsFailure,
    },
    /// What was agreed on cannot be carried out: nothing new can be sent or heard.
    PlanFailed {
        /// The call.
        call: CallId,
        /// What is wrong and what to do.
        message: String,
    },
    /// A digit came by RFC 4733.
    Dtmf {
        /// The call.
        call: CallId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        digit: char,
        /// How long the key was pressed.
        duration: Duration,
    },
    /// The figures of a call, about once a second.
    Quality {
        /// The call.
        call: CallId,
        /// The figures since its beginning.
        quality: Box<Quality>,
        /// Those of the second.
        second: Box<Second>,
    },
    /// Datagrams that came to a call and were of no use, since the last time; about once a minute,
    /// and at the end of the call.
    Dropped {
        /// The call.
        call: CallId,
        /// By source and reason.
        by_source: Vec<DroppedOf>,
    },
    /// Why one side of a call is not heard, or no longer.
    OneWay {
        /// The call.
        call: CallId,
        /// Why.
        cause: Cause,
        /// Whether it is over.
        over: bool,
    },
    /// The microphone gives nothing, or something again.
    Microphone(MicrophoneState),
    /// How loud the devices are, ten times a second, to who asked for it.
    Levels(Levels),
    /// How the test of the devices goes.
    SoundTest(SoundTestNews),
    /// How playing a recording goes.
    Player(PlayerNews),
    /// The agent talks into this call and is muted; at most once in ten seconds.
    MutedTalk {
        /// The call.
        call: CallId,
    },
    /// Both sides are being told that the call will be recorded.
    RecordingAnnounced {
        /// The call.
        call: CallId,
        /// Its number among those of the call, from `StartRecording`.
        number: u32,
        /// The file that it is to be.
        path: PathBuf,
    },
    /// A gap of a recording began, or is over: the newest one with that beginning counts.
    RecordingGap {
        /// The call.
        call: CallId,
        /// Its number among those of the call, from `StartRecording`.
        number: u32,
        /// The gap.
        gap: Gap,
    },
    /// A recording is open and its header is on disk.
    RecordingStarted {
        /// The call.
        call: CallId,
        /// Its number among those of the call, from `StartRecording`.
        number: u32,
        /// The file.
        path: PathBuf,
    },
    /// A recording was closed.
    RecordingStopped {
        /// The call.
        call: CallId,
        /// Its number among those of the call, from `StartRecording`.
        number: u32,
        /// The file.
        path: PathBuf,
        /// Its length.
        duration: Duration,
    },
    /// A recording could not be begun or went on no longer; the call goes on.
    RecordingFailed {
        /// The call.
        call: CallId,
        /// Its number among those of the call, from `StartRecording`.
        number: u32,
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
    /// A source file could not be read; silence is sent.
    SourceFailed {
        /// The call.
        call: CallId,
        /// What is wrong and what to do.
        message: String,
    },
    /// The hold music is ready, or `problem` says what is wrong with it and what to do; then held
    /// far ends hear silence.
    HoldMusic {
        /// Why it cannot be played.
        problem: Option<String>,
    },
    /// The sound devices changed; `problem` says what is wrong and what to do.
    Device {
        /// What is in use, such as `Headset` or `null device`.
        microphone: String,
        /// What is in use.
        speaker: String,
        /// Why it is not what was chosen.
        problem: Option<String>,
    },
}

/// Why the media room refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// No port could be bound.
    #[error("no free port for RTP on {address}: {source}")]
    NoPort {
        /// The local address.
        address: std::net::IpAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// No pair of the range is free.
    #[error(
        "no free pair of ports for RTP in {range} on {address} ({source}); widen it in the settings (rtp_ports), two ports for each call"
    )]
    NoPortInRange {
        /// The local address.
        address: std::net::IpAddr,
        /// The range.
        range: PortRange,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The command queue is full or the thread has ended.
    #[error("the sound thread does not keep up; the last command was dropped, repeat it")]
    Overloaded,
    /// A thread could not be started.
    #[error("the sound thread could not be started: {0}")]
    Thread(std::io::Error),
}
