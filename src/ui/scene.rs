//! What each view gets: the engine's state, the time, and a place for commands.

use std::sync::Arc;
use std::time::Instant;

use jiff::{Timestamp, tz::TimeZone};

use crate::control::{Command, Handle, Page, PageRequest, Snapshot};

/// The time of one frame.
#[derive(Debug, Clone)]
pub(crate) struct Now {
    /// By the wall clock.
    pub(crate) wall: Timestamp,
    /// By the monotonic clock.
    pub(crate) mono: Instant,
    /// Where the person is.
    pub(crate) zone: TimeZone,
}

/// One frame's view of the engine. Views read it and leave commands behind.
pub(crate) struct Scene<'a> {
    handle: &'a Handle,
    /// The engine's state, the same for the whole frame.
    pub(crate) snapshot: Arc<Snapshot>,
    /// The time, the same for the whole frame.
    pub(crate) now: Now,
    commands: Vec<Command>,
}

impl<'a> Scene<'a> {
    /// Looks at the engine.
    pub(crate) fn new(handle: &'a Handle, now: Now) -> Self {
        Self {
            handle,
            snapshot: handle.snapshot(),
            now,
            commands: Vec::new(),
        }
    }

    /// Leaves a command for the end of the frame.
    pub(crate) fn send(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// The newest rows that are there.
    pub(crate) fn page(&self, request: &PageRequest) -> Option<Arc<Page>> {
        self.handle.page(request)
    }

    /// The engine's handle, for the dial preview.
    pub(crate) fn handle(&self) -> &Handle {
        self.handle
    }

    /// Hands the commands over; false when the engine did not take them all.
    #[must_use]
    pub(crate) fn finish(self) -> bool {
        let mut taken = true;
        for command in self.commands {
            taken &= self.handle.send(command);
        }
        taken
    }
}
