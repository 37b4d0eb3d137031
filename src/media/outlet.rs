//! The way to the media thread: it never blocks, keeps order, and loses no command.

use std::collections::VecDeque;
use std::sync::mpsc::{SyncSender, TrySendError};

use crate::base::id::CallId;
use crate::media::command::{MediaCommand, MediaError};
use crate::media::transport::{Identity, PortPair};

/// Commands that wait here while the thread does not keep up; past it only calls are closed, and
/// these are no more than the calls that there are.
const MAX_KEPT: usize = 4_096;

/// Calls whose sockets wait here; past it a call is refused while it can be.
const MAX_KEPT_OPEN: usize = 64;

/// What is sent to the thread.
pub(super) enum Message {
    /// Sockets for a new call.
    Open {
        /// The call.
        call: CallId,
        /// Its sockets.
        ports: PortPair,
        /// Our certificate, where a handshake may be needed.
        identity: Option<Identity>,
    },
    /// A command.
    Command(MediaCommand),
}

/// The sending side. What the queue does not take waits here, in order, for the next `flush`.
pub(super) struct Outlet {
    queue: SyncSender<Message>,
    kept: VecDeque<Message>,
}

impl Outlet {
    pub(super) fn new(queue: SyncSender<Message>) -> Self {
        Self {
            queue,
            kept: VecDeque::new(),
        }
    }

    /// Hands over the sockets of a call, now or with a later `flush`: behind the end of a call whose
    /// place it takes, and before all that is wanted of this one.
    ///
    /// # Errors
    ///
    /// Fails when the thread has ended, or keeps up so badly that dozens of calls wait for it: a call
    /// that has no sound yet can be refused.
    pub(super) fn open(
        &mut self,
        call: CallId,
        ports: PortPair,
        identity: Option<Identity>,
    ) -> Result<(), MediaError> {
        self.flush();
        let opens = |kept: &&Message| matches!(kept, Message::Open { .. });
        let opening = self.kept.iter().filter(opens).count();
        if self.kept.len() >= MAX_KEPT || opening >= MAX_KEPT_OPEN {
            return Err(MediaError::Overloaded);
        }
        self.keep(Message::Open {
            call,
            ports,
            identity,
        })
    }

    /// Hands over a command, now or with a later `flush`.
    ///
    /// # Errors
    ///
    /// Fails when the thread has ended, or when thousands wait; an end of a call never fails for it.
    pub(super) fn send(&mut self, command: MediaCommand) -> Result<(), MediaError> {
        self.flush();
        if let MediaCommand::Close { call } = &command {
            // What was wanted of the call before matters no longer, nor do its sockets.
            self.kept.retain(|kept| about(kept) != Some(*call));
        } else if self.kept.len() >= MAX_KEPT {
            return Err(MediaError::Overloaded);
        }
        self.keep(Message::Command(command))
    }

    /// Hands over what waits; false when nobody takes it any more.
    pub(super) fn flush(&mut self) -> bool {
        while let Some(message) = self.kept.pop_front() {
            match self.queue.try_send(message) {
                Ok(()) => {}
                Err(TrySendError::Full(message)) => {
                    self.kept.push_front(message);
                    return true;
                }
                Err(TrySendError::Disconnected(_)) => {
                    self.kept.clear();
                    return false;
                }
            }
        }
        true
    }

    fn keep(&mut self, message: Message) -> Result<(), MediaError> {
        self.kept.push_back(message);
        if self.flush() {
            Ok(())
        } else {
            Err(MediaError::Overloaded)
        }
    }

    /// Whether something waits for the next `flush`.
    pub(super) fn waits(&self) -> bool {
        !self.kept.is_empty()
    }
}

/// The call that a message is about, if it is about one.
fn about(message: &Message) -> Option<CallId> {
    match message {
        Message::Open { call, .. } => Some(*call),
        Message::Command(command) => command.call(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::*;
    use crate::base::clock::monotonic_now;
    use crate::media::transport::SparePair;

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

    fn bound_pair() -> (PortPair, SocketAddr) {
        let mut spare = SparePair::default();
        spare.take(monotonic_now(), [127, 0, 0, 1].into()).unwrap()
    }

    fn ports() -> PortPair {
        bound_pair().0
    }

    fn taken(inbox: &Receiver<Message>) -> Vec<MediaCommand> {
        let commands = inbox.try_iter().map(|message| match message {
            Message::Command(command) => command,
            Message::Open { .. } => panic!("a call was opened"),
        });
        commands.collect()
    }

    /// What the thread was told, as a word for each; takes and flushes until nothing waits.
    fn told(outlet: &mut Outlet, inbox: &Receiver<Message>) -> Vec<String> {
        let mut words = Vec::new();
        while let Ok(message) = inbox.try_recv() {
            words.push(match message {
                Message::Open { call, .. } => format!("open {call}"),
                Message::Command(MediaCommand::Close { call }) => format!("close {call}"),
                Message::Command(other) => format!("{other:?}"),
            });
            assert!(outlet.flush());
        }
        assert!(!outlet.waits());
        words
    }

    /// A redirected call gets new sockets behind the end of its old ones; where the thread did not
    /// keep up it was left without any.
    #[test]
    fn sockets_that_come_behind_an_end_which_waits_are_taken_after_it() {
        let (queue, inbox) = sync_channel(1);
        let mut outlet = Outlet::new(queue);
        outlet.send(mute(2, true)).unwrap();
        outlet.send(close(1)).unwrap();
        outlet.open(CALL(1), ports(), None).unwrap();
        outlet.send(mute(1, true)).unwrap();
        outlet.open(CALL(3), ports(), None).unwrap();
        let [one, three] = [CALL(1), CALL(3)];
        assert_eq!(
            told(&mut outlet, &inbox),
            [
                format!("{:?}", mute(2, true)),
                format!("close {one}"),
                format!("open {one}"),
                format!("{:?}", mute(1, true)),
                format!("open {three}"),
            ]
        );
    }

    #[test]
    fn the_end_of_a_call_whose_sockets_wait_gives_them_back() {
        let (queue, inbox) = sync_channel(1);
        let mut outlet = Outlet::new(queue);
        outlet.send(mute(2, true)).unwrap();
        let (ports, rtp) = bound_pair();
        outlet.open(CALL(1), ports, None).unwrap();
        assert!(std::net::UdpSocket::bind(rtp).is_err(), "they wait");
        outlet.send(close(1)).unwrap();
        std::net::UdpSocket::bind(rtp).unwrap();
        assert_eq!(taken(&inbox), [mute(2, true)]);
        assert!(outlet.flush());
        assert_eq!(taken(&inbox), [close(1)]);
    }

    #[test]
    fn the_sockets_that_wait_are_few() {
        let (queue, inbox) = sync_channel(1);
        let mut outlet = Outlet::new(queue);
        outlet.send(mute(0, true)).unwrap();
        for n in 1..=64 {
            outlet.open(CALL(n), ports(), None).unwrap();
        }
        assert!(matches!(
            outlet.open(CALL(65), ports(), None),
            Err(MediaError::Overloaded)
        ));
        outlet.send(close(1)).unwrap();
        outlet.open(CALL(65), ports(), None).unwrap();
        assert_eq!(told(&mut outlet, &inbox).len(), 66);
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
        assert!(
            outlet.open(CALL(201), ports(), None).is_err(),
            "it is bounded"
        );
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
        assert!(outlet.open(CALL(1), ports(), None).is_err());
        assert!(outlet.send(close(1)).is_err());
        assert!(!outlet.waits(), "nobody will ever take it");
    }
}
