//! Tones, focus, and what the sound threads tell.

use std::time::{Duration, Instant};

use crate::app::engine::Engine;
use crate::base::id::CallId;
use crate::config::Settings;
use crate::control::{CallStage, Event, QualityView, RecordingView};
use crate::crm::row::CallDirection;
use crate::crm::store::{CallChange, Write};
use crate::media::{DeviceChoice, Devices, MediaCommand, MediaEvent, Quality, Tone};

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

/// The names of the microphones and of the speakers that the system has; may take seconds.
pub fn sound_cards() -> (Vec<String>, Vec<String>) {
    crate::media::engine::devices()
}

/// Reads a WAV file as `--play` will, to say at once what is wrong with it.
///
/// # Errors
///
/// Fails when it cannot be read, is no PCM WAV, is empty or too long.
pub fn check_source(path: &std::path::Path) -> Result<(), crate::media::device::file::FileError> {
    crate::media::device::file::load(path).map(drop)
}

impl Engine {
    /// Hands a command to the sound thread.
    pub(super) fn sound(&mut self, command: MediaCommand) {
        if let Err(error) = self.media.send(command) {
            self.problem(None, error.to_string());
        }
    }

    /// Gives the devices to the call that is talked, and plays the tone that fits.
    pub(super) fn route_sound(&mut self, now: Instant) {
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
        let focus = talking.or(early);
        if focus != self.focus {
            self.focus = focus;
            self.sound(MediaCommand::Focus(focus));
        }
        let tone = self.fitting_tone(now);
        if tone != self.tone {
            self.tone = tone;
            self.sound(MediaCommand::Tone(tone));
        }
    }

    fn fitting_tone(&self, now: Instant) -> Option<Tone> {
        let connected = self.calls.values().any(|call| call.connected());
        if self.calls.values().any(|call| call.rings_here()) {
            return Some(if connected {
                Tone::CallWaiting
            } else {
                Tone::Ring
            });
        }
        let ringback = self.calls.values().any(|call| {
            call.direction == CallDirection::Outbound
                && call.stage() == CallStage::Ringing
                // Some gateways promise sound and send none (RFC 3960 section 3.2).
                && !(call.early_media && call.flowing)
        });
        if ringback && !connected {
            return Some(Tone::Ringback);
        }
        self.tone_until
            .filter(|(_, until)| *until > now)
            .map(|(tone, _)| tone)
    }

    /// Lets the busy tone be heard for a moment.
    pub(super) fn busy_tone(&mut self, now: Instant) {
        self.tone_until = Some((Tone::Busy, now + BUSY_TONE));
    }

    /// Takes tidings from the sound threads.
    pub(super) fn handle_media(&mut self, _now: Instant, event: MediaEvent) {
        self.dirty = true;
        match event {
            MediaEvent::Flowing { call, remote } => {
                tracing::debug!(%call, %remote, "sound arrives");
                if let Some(call) = self.calls.get_mut(&call) {
                    call.flowing = true;
                }
            }
            MediaEvent::Silent { call, lasting } => {
                let seconds = lasting.as_secs();
                let text = format!(
                    "nothing was heard from the far end for {seconds} s; a firewall or VPN may keep its sound away"
                );
                self.problem(Some(call), text);
            }
            MediaEvent::Dtmf {
                call,
                digit,
                duration: _,
            } => {
                if let Some(live) = self.calls.get(&call) {
                    let call = live.context();
                    self.tell(Event::Dtmf { call, digit });
                }
            }
            MediaEvent::Quality { call, quality } => self.handle_quality(call, &quality),
            MediaEvent::RecordingStarted { call, path } => {
                let text = path.display().to_string();
                self.record(Write::ChangeCall(call, CallChange::Recording(text.clone())));
                self.tell_recording(call, RecordingView::On(text), "started", path, None);
            }
            MediaEvent::RecordingStopped {
                call,
                path,
                duration: _,
            } => {
                let text = path.display().to_string();
                self.tell_recording(call, RecordingView::Done(text), "stopped", path, None);
            }
            MediaEvent::RecordingFailed {
                call,
                path,
                message,
            } => {
                let view = RecordingView::Failed(message.clone());
                self.tell_recording(call, view, "failed", path, Some(message.clone()));
                self.notice(message);
            }
            MediaEvent::SourceFailed { call, message } => self.problem(Some(call), message),
            MediaEvent::Device {
                microphone,
                speaker,
                problem,
            } => {
                self.devices.microphone = microphone;
                self.devices.speaker = speaker;
                self.devices.problem.clone_from(&problem);
                if let Some(problem) = problem {
                    tracing::warn!("{problem}");
                }
            }
        }
    }

    fn tell_recording(
        &mut self,
        call: CallId,
        view: RecordingView,
        state: &'static str,
        path: std::path::PathBuf,
        problem: Option<String>,
    ) {
        let Some(live) = self.calls.get_mut(&call) else {
            return;
        };
        live.recording = view;
        live.record_wanted = false;
        let call = live.context();
        self.tell(Event::Recording {
            call,
            state,
            path,
            problem,
        });
    }

    fn handle_quality(&mut self, id: CallId, quality: &Quality) {
        let Some(live) = self.calls.get_mut(&id) else {
            return;
        };
        let view = view(quality);
        live.quality = Some(view);
        let event = Event::Quality {
            call: live.context(),
            figures: view,
            received: quality.received,
            sent: quality.sent,
        };
        self.tell(event);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio of counts needs no 53 bits"
)]
fn view(quality: &Quality) -> QualityView {
    let expected = quality.received + quality.lost;
    let loss = if expected == 0 {
        0.0
    } else {
        quality.lost as f32 / expected as f32
    };
    QualityView {
        loss,
        jitter_millis: quality.jitter.as_secs_f32() * 1e3,
        round_trip_millis: quality.round_trip.map(|time| time.as_secs_f32() * 1e3),
        level_out: quality.level_out,
        level_in: quality.level_in,
    }
}
