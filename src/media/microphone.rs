//! The microphone's way from the sound card to the calls: what is noticed in it and done to it.

use crate::base::id::CallId;
use crate::media::command::MediaEvent;
use crate::media::device::SoundCards;
use crate::media::frame::Frame;
use crate::media::processing::{
    MicrophoneState, MicrophoneWatch, MutedTalk, Processing, VoiceProcessor,
};

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
#[derive(Debug, Default)]
pub(super) struct Noticed {
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
#[derive(Default)]
pub(super) struct Microphone {
    /// What is to be done once somebody listens.
    wanted: Processing,
    voice: VoiceProcessor,
    watch: MicrophoneWatch,
    /// There since the agent was muted for the first time.
    muted_talk: Option<MutedTalk>,
}

impl Microphone {
    /// Chooses what is done to its sound.
    pub(super) fn choose(&mut self, processing: Processing) {
        self.wanted = processing;
    }

    /// Another one is used, of which nothing is known yet.
    pub(super) fn replaced(&mut self) {
        self.watch = MicrophoneWatch::default();
    }

    /// Works on what the card gave in this tick; `came` says that it gave a frame, and `played` is
    /// what the speaker plays meanwhile. The null device gives silence, of which nothing is to be said.
    pub(super) fn tick(
        &mut self,
        cards: &SoundCards,
        came: bool,
        frame: &mut Frame,
        played: &Frame,
        listener: Listener,
    ) -> Noticed {
        if !cards.has_clock() || listener == Listener::Nobody {
            return Noticed::default();
        }
        let muted_call = match listener {
            Listener::Muted(call) => Some(call),
            Listener::Nobody | Listener::Call => None,
        };
        let muted = muted_call.is_some();
        let state = self.watch.tick(came.then_some(&*frame), muted);
        self.voice.choose(self.wanted);
        if !self.voice.is_off() {
            self.voice.play(played);
            self.voice.capture(frame);
        }
        let unheard = (!self.voice.cancels_echo()).then_some(played);
        if muted && self.muted_talk.is_none() {
            self.muted_talk = MutedTalk::new().ok();
        }
        let talk = self.muted_talk.as_mut();
        let talks = talk.is_some_and(|talk| talk.tick(frame, unheard, muted));
        Noticed {
            state,
            muted_talk: muted_call.filter(|_| talks),
        }
    }
}
