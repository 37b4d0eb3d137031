//! The second media thread, which takes its share of the calls that are each for themselves.
//!
//! ```text
//! media thread:   lend --> mixer --> turns ... --> all back
//!                   |                 ^ |            ^
//!                   v                 | v            |
//!                 pile: waiting, in order; done, in any
//!                                     ^ |
//! second thread:  asleep ----------> turns ... --> asleep
//! ```
//!
//! Both take from the same pile, so that both are done at the same time however much each call costs.
//! Between two ticks everything is with the media thread, which obeys commands and closes calls as if it
//! were alone. It never waits for a thread that has not woken yet, only for the one turn that the other
//! is in.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

/// The thread, as long as this is kept.
pub(super) struct SecondThread<T, A> {
    shared: Arc<Shared<T, A>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared<T, A> {
    pile: Mutex<Pile<T, A>>,
    /// Something waits, or the end has come.
    lent: Condvar,
    /// The second thread has nothing in its hands.
    returned: Condvar,
    turn: fn(&mut T, A),
}

struct Pile<T, A> {
    /// What they wait for.
    waiting: VecDeque<(T, A)>,
    done: Vec<T>,
    /// Whether the second thread is in a turn.
    engaged: bool,
    ended: bool,
}

impl<T: Send + 'static, A: Send + Copy + 'static> SecondThread<T, A> {
    /// Starts it; `turn` is what is done with each that is lent.
    ///
    /// # Errors
    ///
    /// Fails when no thread can be started.
    pub(super) fn start(turn: fn(&mut T, A)) -> io::Result<Self> {
        let pile = Pile {
            waiting: VecDeque::new(),
            done: Vec::new(),
            engaged: false,
            ended: false,
        };
        let shared = Arc::new(Shared {
            pile: Mutex::new(pile),
            lent: Condvar::new(),
            returned: Condvar::new(),
            turn,
        });
        let its_own = Arc::clone(&shared);
        let thread = Builder::new()
            .name("ringdesk-media2".to_owned())
            .spawn(move || its_own.run())?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Lends them, for one turn each.
    pub(super) fn lend(&self, them: Vec<T>, argument: A) {
        let waiting = them.into_iter().map(|one| (one, argument));
        self.shared.lock().waiting.extend(waiting);
        self.shared.lent.notify_one();
    }

    /// Takes part until all had their turn, and takes them back, in any order. One that made the second
    /// thread panic is lost, and from then on this thread does all.
    pub(super) fn finish(&self) -> Vec<T> {
        let mut own = Vec::new();
        let mut pile = self.shared.lock();
        while let Some((mut one, argument)) = pile.waiting.pop_front() {
            drop(pile);
            (self.shared.turn)(&mut one, argument);
            own.push(one);
            pile = self.shared.lock();
        }
        let returned = &self.shared.returned;
        let mut pile = returned
            .wait_while(pile, |pile| pile.engaged)
            .unwrap_or_else(PoisonError::into_inner);
        own.append(&mut pile.done);
        own
    }
}

impl<T, A> Drop for SecondThread<T, A> {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.lent.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the second media thread had panicked");
        }
    }
}

impl<T, A> Shared<T, A> {
    fn lock(&self) -> MutexGuard<'_, Pile<T, A>> {
        // No turn is made under the lock, so nothing is left half done in it.
        self.pile.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let nothing = |pile: &mut Pile<T, A>| pile.waiting.is_empty() && !pile.ended;
        loop {
            let mut pile = self
                .lent
                .wait_while(self.lock(), nothing)
                .unwrap_or_else(PoisonError::into_inner);
            if pile.ended {
                return;
            }
            let Some((mut one, argument)) = pile.waiting.pop_front() else {
                continue;
            };
            pile.engaged = true;
            drop(pile);
            let engaged = Engaged(self);
            (self.turn)(&mut one, argument);
            self.lock().done.push(one);
            drop(engaged);
        }
    }
}

/// While the second thread is in a turn; a panic ends it, too.
struct Engaged<'s, T, A>(&'s Shared<T, A>);

impl<T, A> Drop for Engaged<'_, T, A> {
    fn drop(&mut self) {
        self.0.lock().engaged = false;
        self.0.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    const SECOND: &str = "ringdesk-media2";

    /// Something whose turn may need two threads at once.
    struct Item {
        number: u32,
        /// Where each turn was, and with what.
        turns: Vec<(String, u32)>,
        meets: Option<Arc<Barrier>>,
        breaks: bool,
    }

    fn turn(item: &mut Item, argument: u32) {
        let name = std::thread::current().name().unwrap_or("").to_owned();
        if let Some(other) = item.meets.take() {
            other.wait();
        }
        assert!(!(item.breaks && name == SECOND), "this turn is to break");
        item.turns.push((name, argument));
    }

    fn items(count: u32) -> Vec<Item> {
        let item = |number| Item {
            number,
            turns: Vec::new(),
            meets: None,
            breaks: false,
        };
        (0..count).map(item).collect()
    }

    fn round(second: &SecondThread<Item, u32>, them: Vec<Item>, argument: u32) -> Vec<Item> {
        second.lend(them, argument);
        let mut back = second.finish();
        back.sort_by_key(|item| item.number);
        back
    }

    #[test]
    fn both_threads_take_turns_and_each_item_has_one_a_round() {
        let second = SecondThread::start(turn).unwrap();
        let mut them = items(7);
        for argument in 0..500 {
            // These two can only be done by two threads, one each.
            let barrier = Arc::new(Barrier::new(2));
            for item in &mut them[2..4] {
                item.meets = Some(Arc::clone(&barrier));
            }
            them = round(&second, them, argument);
        }
        assert_eq!(them.len(), 7);
        for item in &them {
            let arguments = item.turns.iter().map(|(_, argument)| *argument);
            assert!(arguments.eq(0..500), "{}", item.number);
        }
        let met = them[2].turns.iter().zip(&them[3].turns);
        assert!(met.clone().all(|((one, _), (other, _))| one != other));
        let seconds =
            met.filter(|((one, _), (other, _))| [one, other].contains(&&SECOND.to_owned()));
        assert_eq!(seconds.count(), 500);
    }

    #[test]
    fn nothing_is_waited_for_where_nothing_is_lent() {
        let second = SecondThread::start(turn).unwrap();
        assert!(second.finish().is_empty());
        assert!(round(&second, Vec::new(), 1).is_empty());
        second.lend(items(3), 1);
        drop(second);
    }

    #[test]
    fn a_turn_that_panics_on_the_second_thread_costs_its_item_alone() {
        let second = SecondThread::start(turn).unwrap();
        let mut them = items(6);
        let barrier = Arc::new(Barrier::new(2));
        for item in &mut them[..2] {
            item.meets = Some(Arc::clone(&barrier));
            item.breaks = true;
        }
        them = round(&second, them, 1);
        assert_eq!(them.len(), 5);
        them = round(&second, them, 2);
        assert_eq!(them.len(), 5);
        let all_here = |item: &Item| item.turns.iter().all(|(name, _)| name != SECOND);
        assert!(them.iter().all(|item| item.turns.len() == 2));
        assert!(them.iter().filter(|item| item.number < 2).all(all_here));
    }
}
