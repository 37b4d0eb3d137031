//! The way to the media thread: it never blocks, keeps order, and loses no command.

use std::collections::VecDeque;
use std::sync::mpsc::{SyncSender, TrySendError};

use crate::base::id::CallId;
use crate::media::command::{MediaCommand, MediaError};
use crate::media::transport::PortPair;
use crate::media::worker::Message;

/// Commands that wait here while the thread does not keep up; past it only calls are closed, and
/// these are no more than the calls that there are.
const MAX_KEPT: usize = 4_096;

/// The sending side. What the queue does not take waits here, in order, for the next `flush`.
pub(super) struct Outlet {
    queue: SyncSender<Message>,
    kept: VecDeque<MediaCommand>,
}

impl Outlet {
    pub(super) fn new(queue: SyncSender<Message>) -> Self {
        Self {
            queue,
            kept: VecDeque::new(),
        }
    }

    /// Hands over the sockets of a call.
    ///
    /// # Errors
    ///
    /// Fails when the thread does not keep up: a call that has no sound yet can be refused.
    pub(super) fn open(&mut self, call: CallId, ports: PortPair) -> Result<(), MediaError> {
        self.flush();
        if !self.kept.is_empty() {
            return Err(MediaError::Overloaded);
        }
        self.queue
            .try_send(Message::Open { call, ports })
            .map_err(|_full| MediaError::Overloaded)
    }

    /// Hands over a command, now or with a later `flush`.
    ///
    /// # Errors
    ///
    /// Fails when the thread has ended, or when thousands wait; an end of a call never fails for it.
    pub(super) fn send(&mut self, command: MediaCommand) -> Result<(), MediaError> {
        self.flush();
        if let MediaCommand::Close { call } = &command {
            // What was wanted of the call before matters no longer.
            self.kept.retain(|kept| kept.call() != Some(*call));
        } else if self.kept.len() >= MAX_KEPT {
            return Err(MediaError::Overloaded);
        }
        self.kept.push_back(command);
        if self.flush() {
            Ok(())
        } else {
            Err(MediaError::Overloaded)
        }
    }

    /// Hands over what waits; false when nobody takes it any more.
    pub(super) fn flush(&mut self) -> bool {
        while let Some(command) = self.kept.pop_front() {
            match self.queue.try_send(Message::Command(command)) {
                Ok(()) => {}
                Err(TrySendError::Full(Message::Command(command))) => {
                    self.kept.push_front(command);
                    return true;
                }
                Err(TrySendError::Full(Message::Open { .. }) | TrySendError::Disconnected(_)) => {
                    self.kept.clear();
                    return false;
                }
            }
        }
        true
    }

    /// Whether something waits for the next `flush`.
    pub(super) fn waits(&self) -> bool {
        !self.kept.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::*;
    use crate::media::transport::bind_pair;

    const CALL: fn(u8) -> CallId = |n| CallId::new(1, [n; 10]);

    fn close(n: u8) -> MediaCommand {
        MediaCommand::Close { call: CALL(n) }
    }

    fn mute(n: u8, muted: bool) -> MediaCommand {
        MediaCommand::Mute {
            call: CALL(n),
            muted,
        }
    }

    fn taken(inbox: &Receiver<Message>) -> Vec<MediaCommand> {
        let commands = inbox.try_iter().map(|message| match message {
            Message::Command(command) => command,
            Message::Open { .. } => panic!("a call was opened"),
        });
        commands.collect()
    }

    /// The end of a call that met a full queue was dropped: its sound went on after the BYE.
    #[test]
    fn an_end_that_the_thread_cannot_take_now_is_taken_later_and_in_order() {
        let (queue, inbox) = sync_channel(2);
        let mut outlet = Outlet::new(queue);
        for command in [mute(1, true), mute(2, true), mute(1, false), mute(2, false)] {
            outlet.send(command).unwrap();
        }
        outlet.send(close(1)).unwrap();
        assert!(outlet.waits());
        assert_eq!(taken(&inbox), [mute(1, true), mute(2, true)]);
        assert!(outlet.flush());
        assert!(!outlet.waits());
        // What was wanted of the closed call in between is not carried out any more.
        assert_eq!(taken(&inbox), [mute(2, false), close(1)]);
    }

    #[test]
    fn what_waits_is_bounded_but_every_call_can_be_ended() {
        let (queue, inbox) = sync_channel(1);
        let mut outlet = Outlet::new(queue);
        let mut sent = 0;
        while outlet.send(mute(0, true)).is_ok() {
            sent += 1;
        }
        assert_eq!(sent, MAX_KEPT + 1);
        for n in 1..=200 {
            outlet.send(close(n)).unwrap();
            outlet.send(close(n)).unwrap();
        }
        let ports = bind_pair([127, 0, 0, 1].into()).unwrap().0;
        assert!(outlet.open(CALL(201), ports).is_err(), "order is kept");
        let mut closed = 0;
        while outlet.waits() {
            let commands = taken(&inbox);
            closed += commands.iter().filter(|c| **c != mute(0, true)).count();
            assert!(outlet.flush());
        }
        closed += taken(&inbox).len();
        assert_eq!(closed, 200);
    }

    #[test]
    fn a_thread_that_has_ended_is_told() {
        let (queue, inbox) = sync_channel(1);
        let mut outlet = Outlet::new(queue);
        drop(inbox);
        assert!(outlet.send(close(1)).is_err());
        assert!(!outlet.waits(), "nobody will ever take it");
    }
}
