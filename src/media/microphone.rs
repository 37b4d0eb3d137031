//! The microphone's way from the sound card to the calls: what is noticed in it and done to it.

use crate::base::id::CallId;
use crate::media::command::MediaEvent;
use crate::media::frame::{Frame, peak};
use crate::media::one_way::Captured;
use crate::media::processing::{
    Echo, MicrophoneState, MicrophoneWatch, MutedTalk, Processing, VoiceProcessor,
};

/// What the sound card gave in a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    /// It is the null device, which gives silence: nothing is to be said of that.
    NoCard,
    /// No frame; what it gives in place of one is silence.
    Nothing,
    /// A frame.
    Frame,
}

/// Who wants the microphone in this tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listener {
    /// Nobody: no call has it, or that call sends something else.
    Nobody,
    /// A call has it, but the agent is muted.
    Muted(CallId),
    /// A call gets it.
    Call,
}

impl Listener {
    /// Of several calls: one that gets it counts more than one that is muted.
    pub(super) fn among(calls: impl Iterator<Item = Self>) -> Self {
        calls.fold(Self::Nobody, |found, next| match (found, next) {
            (Self::Call, _) | (_, Self::Call) => Self::Call,
            (Self::Muted(call), _) | (_, Self::Muted(call)) => Self::Muted(call),
            (Self::Nobody, Self::Nobody) => Self::Nobody,
        })
    }
}

/// What was noticed in one tick.
#[derive(Debug)]
pub(super) struct Noticed {
    /// What the microphone gave, for calls that send it.
    pub(super) captured: Captured,
    /// What became of the microphone.
    pub(super) state: Option<MicrophoneState>,
    /// The agent talks into this call and is muted.
    pub(super) muted_talk: Option<CallId>,
}

impl Noticed {
    /// What is to be told.
    pub(super) fn news(self) -> impl Iterator<Item = MediaEvent> {
        let talk = self.muted_talk.map(|call| MediaEvent::MutedTalk { call });
        self.state
            .map(MediaEvent::Microphone)
            .into_iter()
            .chain(talk)
    }
}

/// The microphone as calls get it. What is not needed yet costs no memory.
pub(super) struct Microphone {
    /// What is to be done once somebody listens.
    wanted: Processing,
    voice: VoiceProcessor,
    watch: MicrophoneWatch,
    /// Whether an agent who talks while muted is told.
    hint: bool,
    /// There since the agent was muted for the first time.
    muted_talk: Option<MutedTalk>,
    /// Whether what it hears may be what the speaker plays.
    echo: Echo,
}

impl Default for Microphone {
    fn default() -> Self {
        Self {
            wanted: Processing::default(),
            voice: VoiceProcessor::default(),
            watch: MicrophoneWatch::default(),
            hint: true,
            muted_talk: None,
            echo: Echo::default(),
        }
    }
}

impl Microphone {
    /// Chooses whether an agent who talks while muted is told; else nobody listens for it.
    pub(super) fn hint(&mut self, on: bool) {
        self.hint = on;
        if !on {
            self.muted_talk = None;
        }
    }

    /// Chooses what is done to its sound.
    pub(super) fn choose(&mut self, processing: Processing) {
        self.wanted = processing;
    }

    /// Another one is used, of which nothing is known yet.
    pub(super) fn replaced(&mut self) {
        self.watch = MicrophoneWatch::default();
    }

    /// Works on what the card gave in this tick; `played` is what the speaker plays meanwhile.
    pub(super) fn tick(
        &mut self,
        given: Given,
        frame: &mut Frame,
        played: &Frame,
        listener: Listener,
    ) -> Noticed {
        if given == Given::NoCard || listener == Listener::Nobody {
            return Noticed {
                captured: Captured::Other,
                state: None,
                muted_talk: None,
            };
        }
        let muted = matches!(listener, Listener::Muted(_));
        let came = given == Given::Frame;
        let state = self.watch.tick(came.then_some(&*frame), muted);
        let raw = peak(frame);
        self.voice.choose(self.wanted);
        // In silence that stands for a frame which did not come there is no echo: to learn that would be wrong.
        if came && !self.voice.is_off() {
            self.voice.play(played);
            self.voice.capture(frame);
        }
        let unheard = (!self.voice.cancels_echo()).then_some(played);
        let voice = if self.echo.is_possible(unheard) {
            0.0
        } else {
            peak(frame)
        };
        Noticed {
            captured: if came {
                Captured::Frame { peak: raw, voice }
            } else {
                Captured::Nothing
            },
            state,
            muted_talk: self.listen(frame, played, listener),
        }
    }

    /// Listens for an agent who talks into a call while muted, if that is to be told; gives the call at the
    /// moment to tell it.
    fn listen(&mut self, frame: &Frame, played: &Frame, listener: Listener) -> Option<CallId> {
        let muted_call = match listener {
            Listener::Muted(call) if self.hint => Some(call),
            Listener::Muted(_) | Listener::Nobody | Listener::Call => None,
        };
        let unheard = (!self.voice.cancels_echo()).then_some(played);
        if muted_call.is_some() && self.muted_talk.is_none() {
            self.muted_talk = MutedTalk::new().ok();
        }
        let talk = self.muted_talk.as_mut()?;
        let talks = talk.tick(frame, unheard, muted_call.is_some());
        muted_call.filter(|_| talks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::frame::{FRAME_SAMPLES, SILENCE};
    use crate::media::processing::acoustics::speech;

    /// How often it is told in three seconds that somebody talks while muted.
    fn told(microphone: &mut Microphone) -> usize {
        let call = CallId::new(1, [7; 10]);
        let voice = speech(5, 3, 0.05);
        let frames = voice.as_chunks::<FRAME_SAMPLES>().0.iter();
        let hints =
            frames.filter_map(|frame| microphone.listen(frame, &SILENCE, Listener::Muted(call)));
        let hints: Vec<CallId> = hints.collect();
        assert!(hints.iter().all(|hinted| *hinted == call));
        hints.len()
    }

    #[test]
    fn who_talks_while_muted_is_told_unless_that_is_switched_off() {
        assert_eq!(told(&mut Microphone::default()), 1);
        let mut silent = Microphone::default();
        silent.hint(false);
        assert_eq!(told(&mut silent), 0);
        assert!(silent.muted_talk.is_none(), "nobody listens");
        silent.hint(true);
        assert_eq!(told(&mut silent), 1);
        // Switched off in the middle of a word.
        silent.hint(false);
        assert_eq!(told(&mut silent), 0);
    }
}
