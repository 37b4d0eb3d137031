//! Tones, focus, and what the sound threads tell.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::app::engine::{Engine, Internal};
use crate::app::live_call::LiveCall;
use crate::app::microphone;
use crate::app::silence::{self, Silence};
use crate::app::sound_check;
use crate::app::tones;
use crate::base::id::CallId;
use crate::config::voice::NoiseChoice;
use crate::config::{RedundancyChoice, Settings};
use crate::control::{CallStage, Event};
use crate::crm::row::{CallDirection, CallState};
use crate::media::call_recording::LONGEST_ANNOUNCEMENT_SECONDS;
use crate::media::device::file;
use crate::media::hold_music as music;
use crate::media::{
    DeviceChoice, Devices, MediaCommand, MediaEvent, MicrophoneState, NoiseSuppression, Processing,
    Redundancy, Tone,
};

/// How long the busy tone is heard after a busy call.
const BUSY_TONE: Duration = Duration::from_secs(3);

/// The devices that the settings name.
pub fn devices(settings: &Settings) -> Devices {
    let choice = |name: &str| match name {
        "" | "default" => DeviceChoice::Default,
        "null" => DeviceChoice::Null,
        name => DeviceChoice::Named(name.to_owned()),
    };
    Devices {
        microphone: choice(&settings.microphone),
        speaker: choice(&settings.speaker),
        ringer: choice(&settings.ringer),
    }
}

/// What the settings say is done to the microphone's sound.
pub(super) fn processing(settings: &Settings) -> Processing {
    let parts = settings.voice.parts();
    Processing {
        echo_cancellation: parts.echo_cancellation,
        noise_suppression: match parts.noise_suppression {
            NoiseChoice::Off => NoiseSuppression::Off,
            NoiseChoice::Light => NoiseSuppression::Light,
            NoiseChoice::Full => NoiseSuppression::Full,
        },
        gain_control: parts.gain_control,
        high_pass: parts.high_pass,
    }
}

/// When the settings want sound to be sent twice.
pub(super) fn redundancy(settings: &Settings) -> Redundancy {
    match settings.redundancy {
        RedundancyChoice::Off => Redundancy::Off,
        RedundancyChoice::Bursts => Redundancy::OnBursts,
        RedundancyChoice::Always => Redundancy::Always,
    }
}

/// The names of the microphones and of the speakers that the system has; may take seconds.
pub fn sound_cards() -> (Vec<String>, Vec<String>) {
    crate::media::engine::devices()
}

/// The hold music that the settings name.
pub fn hold_music(settings: &Settings) -> Option<PathBuf> {
    let path = settings.hold_music.trim();
    (!path.is_empty()).then(|| PathBuf::from(path))
}

/// Reads a WAV file as `--play` will, to say at once what is wrong with it.
///
/// # Errors
///
/// Fails when it cannot be read, is no PCM WAV, is empty or too long.
pub fn check_source(path: &Path) -> Result<(), file::FileError> {
    file::load(path, file::LONGEST_SECONDS).map(drop)
}

/// Reads a WAV file as `--hold-music` will, to say at once what is wrong with it.
///
/// # Errors
///
/// Fails when it cannot be read, is no PCM WAV, is empty or too long.
pub fn check_hold_music(path: &Path) -> Result<(), file::FileError> {
    file::load(path, music::LONGEST_SECONDS).map(drop)
}

/// Reads a WAV file as the announcement of a recording will be, to say at once what is wrong with it.
///
/// # Errors
///
/// Fails when it cannot be read, is no PCM WAV, is empty or too long.
pub fn check_announcement(path: &Path) -> Result<(), file::FileError> {
    file::load(path, LONGEST_ANNOUNCEMENT_SECONDS).map(drop)
}

impl Engine {
    /// Tells the sound thread what the settings say.
    pub(super) fn set_up_sound(&mut self) {
        let settings = &self.options.settings;
        let (processing, redundancy) = (processing(settings), redundancy(settings));
        let volumes = sound_check::volumes(settings);
        let hint = settings.voice.parts().muted_hint;
        self.sound(MediaCommand::Processing(processing));
        self.sound(MediaCommand::MutedHint(hint));
        self.sound(MediaCommand::Volumes(volumes));
        self.sound(MediaCommand::Redundancy(redundancy));
        if self.options.attended {
            self.sound(MediaCommand::Meter(true));
        }
        if let Some(path) = self.options.hold_music.clone() {
            self.sound(MediaCommand::HoldMusic(Some(path)));
        }
    }

    /// Hands a command to the sound thread.
    pub(super) fn sound(&mut self, command: MediaCommand) {
        if let Err(error) = self.media.send(command) {
            self.problem(None, error.to_string());
        }
    }

    /// Gives the devices to the call that is talked, and plays the tone that fits.
    pub(super) fn route_sound(&mut self, now: Instant) {
        self.make_way_for_calls();
        let talking = self
            .calls
            .values()
            .filter(|call| call.stage() == CallStage::Talking)
            .max_by_key(|call| call.answered)
            .map(|call| call.id);
        // Before the answer the caller hears the far end's own tones.
        let early = self
            .calls
            .values()
            .find(|call| call.ended.is_none() && call.early_media && call.answered.is_none())
            .map(|call| call.id);
        let focus: Vec<CallId> = match talking.or(early) {
            Some(call) => self.heard_with(call),
            None => Vec::new(),
        };
        if focus != self.focus {
            self.focus.clone_from(&focus);
            self.pause_together(now, &focus);
            if focus.is_empty() {
                self.sound_check.levels = None;
            }
            self.sound(MediaCommand::Focus(focus));
        }
        let changed: Vec<MediaCommand> = self
            .calls
            .values_mut()
            .filter_map(|call| {
                let held = call.connected() && call.call.held();
                let known = std::mem::replace(&mut call.music, held);
                (held != known).then_some(MediaCommand::Hold {
                    call: call.id,
                    held,
                })
            })
            .collect();
        for command in changed {
            self.sound(command);
        }
        let tone = self.fitting_tone(now);
        if tone != self.tone {
            self.tone = tone;
            self.sound(MediaCommand::Tone(tone));
        }
    }

    fn fitting_tone(&self, now: Instant) -> Option<Tone> {
        tones::fitting(self.calls.values().map(LiveCall::sounding)).or_else(|| {
            self.tone_until
                .filter(|(_, until)| *until > now)
                .map(|(tone, _)| tone)
        })
    }

    /// Lets the busy tone be heard for a moment.
    pub(super) fn busy_tone(&mut self, now: Instant) {
        self.tone_until = Some((Tone::Busy, now + BUSY_TONE));
    }

    /// Asks for the names of the devices that there are.
    pub(super) fn look_for_devices(&self) {
        let internal = self.internal.clone();
        tokio::spawn(async move {
            let names = tokio::task::spawn_blocking(crate::media::engine::devices).await;
            if let Ok((microphones, speakers)) = names {
                drop(
                    internal
                        .send(Internal::DeviceNames(microphones, speakers))
                        .await,
                );
            }
        });
    }

    /// Takes tidings from the sound threads.
    pub(super) fn handle_media(&mut self, now: Instant, event: MediaEvent) {
        self.dirty |= !matches!(event, MediaEvent::Levels(_) | MediaEvent::Player(_));
        match event {
            MediaEvent::Flowing { call, remote } => {
                tracing::debug!(%call, %remote, "sound arrives");
                if let Some(call) = self.calls.get_mut(&call) {
                    call.flowing = true;
                }
            }
            MediaEvent::Silent { call, lasting } => self.handle_silence(now, call, lasting),
            MediaEvent::Heard { call } => {
                if let Some(call) = self.calls.get_mut(&call) {
                    call.silence_ends = None;
                }
            }
            MediaEvent::Dtmf {
                call,
                digit,
                duration,
            } => {
                let unheard = self.is_unheard(now, call, duration);
                if let Some(live) = self.calls.get(&call).filter(|_| !unheard) {
                    let call = live.context();
                    self.tell(Event::Dtmf { call, digit });
                }
            }
            MediaEvent::Quality {
                call,
                quality,
                second,
            } => self.handle_quality(now, call, &quality, &second),
            MediaEvent::Secured { call, suite } => {
                if let Some(live) = self.calls.get(&call) {
                    let event = Event::Secured {
                        call: live.context(),
                        security: live.security,
                        suite: suite.name(),
                    };
                    self.tell(event);
                }
            }
            MediaEvent::KeysFailed { call, .. } | MediaEvent::PlanFailed { call, .. } => {
                self.with_call(now, call, |live| live.lose_sound(&event));
            }
            MediaEvent::Gathered {
                call,
                candidates,
                problem,
            } => self.handle_gathered(now, call, candidates, problem),
            MediaEvent::GatheringFailed { call, message } => {
                self.handle_gathering_failed(now, call, &message);
            }
            MediaEvent::Settled { call, pairs } => self.handle_settled(now, call, pairs),
            MediaEvent::NoPath { call, fault } => self.handle_no_path(now, call, fault),
            MediaEvent::OneWay { .. } => self.handle_one_way(now, &event),
            MediaEvent::Dropped { by_source, .. } => self.write_dropped(&by_source),
            MediaEvent::RecordingAnnounced { .. }
            | MediaEvent::RecordingGap { .. }
            | MediaEvent::RecordingStarted { .. }
            | MediaEvent::RecordingStopped { .. }
            | MediaEvent::RecordingFailed { .. } => self.handle_recording(event),
            MediaEvent::Levels(levels) => self.handle_levels(levels),
            MediaEvent::Player(news) => self.handle_played(news),
            MediaEvent::SoundTest(news) => self.handle_sound_test(news),
            MediaEvent::Microphone(state) => self.handle_microphone(state),
            MediaEvent::MutedTalk { call } => self.handle_muted_talk(now, call),
            MediaEvent::SourceFailed { call, message } => self.problem(Some(call), message),
            MediaEvent::HoldMusic { problem } => self.handle_hold_music(problem),
            MediaEvent::Device {
                microphone,
                speaker,
                problem,
            } => {
                self.devices.microphone = microphone;
                self.devices.speaker = speaker;
                self.devices.problem.clone_from(&problem);
                // Of another one nothing is known yet.
                self.devices.microphone_problem = None;
                if let Some(problem) = problem {
                    tracing::warn!("{problem}");
                }
            }
        }
    }

    /// Chooses other hold music, unless it is what is chosen already and can be played.
    pub(super) fn change_hold_music(&mut self, chosen: Option<PathBuf>) {
        if chosen == self.options.hold_music && self.devices.hold_music_problem.is_none() {
            return;
        }
        self.options.hold_music.clone_from(&chosen);
        self.devices.hold_music_problem = None;
        self.sound(MediaCommand::HoldMusic(chosen));
    }

    fn handle_hold_music(&mut self, problem: Option<String>) {
        let problem = problem.map(|why| format!("held callers hear silence: {why}"));
        self.devices.hold_music_problem.clone_from(&problem);
        if let Some(problem) = problem {
            self.problem(None, problem);
        }
    }

    fn handle_microphone(&mut self, state: MicrophoneState) {
        let (state, problem) = microphone::words(state, &self.devices.microphone);
        self.devices.microphone_problem.clone_from(&problem);
        if let Some(problem) = &problem {
            tracing::warn!("{problem}");
        }
        self.tell(Event::Microphone { state, problem });
    }

    fn handle_muted_talk(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.muted) else {
            return;
        };
        call.muted_talk = Some(now);
        let call = call.context();
        self.tell(Event::MutedTalk { call });
    }

    fn handle_silence(&mut self, now: Instant, id: CallId, lasting: Duration) {
        let limit = self.silence_limit();
        let helped = self.helped_until.is_some_and(|until| until > now);
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        // Who rings or holds need not be heard, and the time before the answer or resume does not count.
        let Some(since) = call
            .heard_since
            .filter(|_| call.stage() == CallStage::Talking)
        else {
            return;
        };
        let back = helped && call.direction == CallDirection::Inbound;
        let silence = Silence {
            lasting: lasting.min(now.saturating_duration_since(since)),
            urgent: call.emergency || back,
            limit,
        };
        if !silence.tells() {
            return;
        }
        call.silence_ends = silence.ends_in().map(|left| now + left);
        self.problem(Some(id), silence.warning());
    }

    /// Ends a call in which nothing was heard for too long.
    pub(super) fn end_of_silence(&mut self, now: Instant, id: CallId) {
        let words = silence::words(self.silence_limit());
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.silence_ends = None;
        if call.stage() == CallStage::Talking {
            call.ended_by_rule = Some((CallState::Completed, words));
            self.hang_up(now, id);
        }
    }

    fn silence_limit(&self) -> Duration {
        Duration::from_secs(self.options.settings.silence_limit_seconds.into())
    }
}
