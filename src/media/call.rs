//! One call on the media thread: its sockets, its session, and where its sound comes from.

use std::time::Instant;

use crate::base::id::CallId;
use crate::media::call_recording::CallRecording;
use crate::media::feed::Feed;
use crate::media::frame::Frame;
use crate::media::hold_music::OnHold;
use crate::media::microphone::Listener;
use crate::media::session::Session;
use crate::media::sockets::Sockets;

/// A call that has sockets.
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) sockets: Sockets,
    pub(super) session: Session,
    pub(super) feed: Feed,
    pub(super) on_hold: OnHold,
    pub(super) muted: bool,
    pub(super) recording: CallRecording,
    /// What both sides hear of the recording in this tick.
    pub(super) notice: Option<Frame>,
    pub(super) applied: bool,
    pub(super) sends: bool,
    pub(super) next_quality: Instant,
    /// What the far end says in this tick.
    pub(super) heard: Frame,
}

impl Call {
    /// Mute is for the voice: the music is heard.
    pub(super) fn apply_mute(&mut self) {
        self.session.mute(self.muted && !self.on_hold.plays());
    }

    /// Whether it wants the microphone, once it has the focus.
    pub(super) fn listener(&self) -> Listener {
        if !self.sends || !self.feed.listens() || self.on_hold.plays() {
            Listener::Nobody
        } else if self.muted {
            Listener::Muted(self.id)
        } else {
            Listener::Call
        }
    }
}
