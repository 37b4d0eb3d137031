//! Where a call's outgoing sound comes from, and the threads that read files for it.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Builder;

use crate::base::id::CallId;
use crate::base::priority::behave_as_usual;
use crate::media::command::Source;
use crate::media::device::file::{self, FileError, Player, Sound};
use crate::media::frame::{Frame, SILENCE};

/// Files that may wait, read, for the media thread.
const MAX_LOADED: usize = 16;

/// Where the sound comes from now.
pub(super) enum Feed {
    /// The microphone.
    Microphone,
    /// A file that is still being read.
    Loading(u64),
    /// A file.
    Playing(Player),
    /// What is heard.
    Echo,
    /// Nothing, because a file could not be read.
    Silence,
}

impl Feed {
    /// Whether the microphone is what is sent.
    pub(super) fn listens(&self) -> bool {
        matches!(self, Self::Microphone)
    }

    /// The next 10 ms. It is asked for while the far end hears it, so that a file starts then.
    pub(super) fn next(&mut self, microphone: &Frame, heard: &Frame) -> Frame {
        match self {
            Self::Microphone => *microphone,
            Self::Playing(player) => player.play(),
            Self::Echo => *heard,
            Self::Loading(_) | Self::Silence => SILENCE,
        }
    }

    /// Whether it waits for that file.
    pub(super) fn awaits(&self, loaded: &Loaded) -> bool {
        matches!(self, Self::Loading(request) if *request == loaded.request)
    }

    /// Takes a file that was read, if it is the one that is waited for; gives what is wrong with it.
    pub(super) fn take(&mut self, loaded: Loaded) -> Option<FileError> {
        if !self.awaits(&loaded) {
            return None;
        }
        match loaded.sound {
            Ok(sound) => {
                *self = Self::Playing(Player::new(sound, loaded.repeat));
                None
            }
            Err(error) => {
                *self = Self::Silence;
                Some(error)
            }
        }
    }
}

/// A file that a thread has read.
pub(super) struct Loaded {
    /// For which call.
    pub(super) call: CallId,
    request: u64,
    repeat: bool,
    sound: Result<Sound, FileError>,
}

/// Starts the threads that read files, each for one file.
pub(super) struct Loader {
    inbox: Receiver<Loaded>,
    outbox: SyncSender<Loaded>,
    requests: u64,
}

impl Loader {
    /// Waits for requests.
    pub(super) fn new() -> Self {
        let (outbox, inbox) = sync_channel(MAX_LOADED);
        Self {
            inbox,
            outbox,
            requests: 0,
        }
    }

    /// Begins with a source; a file may last so many seconds.
    ///
    /// # Errors
    ///
    /// Fails with a sentence for the agent when no thread can be started.
    pub(super) fn begin(
        &mut self,
        call: CallId,
        source: Source,
        longest: u32,
    ) -> Result<Feed, String> {
        match source {
            Source::Microphone => Ok(Feed::Microphone),
            Source::Echo => Ok(Feed::Echo),
            Source::File { path, repeat } => self.load(call, path, repeat, longest),
        }
    }

    /// A file that has been read meanwhile.
    pub(super) fn poll(&self) -> Option<Loaded> {
        self.inbox.try_recv().ok()
    }

    fn load(
        &mut self,
        call: CallId,
        path: PathBuf,
        repeat: bool,
        longest: u32,
    ) -> Result<Feed, String> {
        self.requests += 1;
        let request = self.requests;
        let read = move || Loaded {
            call,
            request,
            repeat,
            sound: file::load(&path, longest),
        };
        read_aside(&self.outbox, read).map(|()| Feed::Loading(request))
    }
}

/// Reads a file on a thread of its own, which posts what it read.
///
/// # Errors
///
/// Fails with a sentence for the agent when no thread can be started.
pub(super) fn read_aside<T: Send + 'static>(
    outbox: &SyncSender<T>,
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<(), String> {
    let outbox = outbox.clone();
    let post = move || {
        if outbox.send(read()).is_err() {
            tracing::debug!("a file was read after the media thread had ended");
        }
    };
    Builder::new()
        .name("ringdesk-file".to_owned())
        .spawn(|| {
            behave_as_usual();
            post();
        })
        .map(drop)
        .map_err(|error| format!("the file cannot be read: {error}; close other programs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEARD: Frame = [0.25; 480];
    const SPOKEN: Frame = [0.5; 480];

    fn loaded(request: u64, sound: Result<Sound, FileError>) -> Loaded {
        Loaded {
            call: CallId::new(1, [1; 10]),
            request,
            repeat: true,
            sound,
        }
    }

    #[test]
    fn a_call_is_fed_by_what_it_was_told() {
        assert_eq!(Feed::Microphone.next(&SPOKEN, &HEARD), SPOKEN);
        assert_eq!(Feed::Echo.next(&SPOKEN, &HEARD), HEARD);
        assert_eq!(Feed::Silence.next(&SPOKEN, &HEARD), SILENCE);
        let mut file = Feed::Loading(7);
        assert_eq!(file.next(&SPOKEN, &HEARD), SILENCE);
        assert!(file.take(loaded(7, Ok(vec![16_384; 480].into()))).is_none());
        assert_eq!(file.next(&SILENCE, &HEARD), SPOKEN);
    }

    #[test]
    fn a_file_that_was_read_too_late_is_ignored() {
        let mut feed = Feed::Loading(8);
        let wrong = || {
            Err(FileError::TooLong {
                path: "a.wav".to_owned(),
                seconds: 1_800,
            })
        };
        assert!(feed.take(loaded(7, wrong())).is_none());
        assert!(matches!(feed, Feed::Loading(8)));
        assert!(feed.take(loaded(8, wrong())).is_some());
        assert!(matches!(feed, Feed::Silence));
    }
}
