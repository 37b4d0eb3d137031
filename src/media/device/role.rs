//! What a microphone, a speaker or a ringer is: what was chosen, or what is used in its place.
//!
//! What was chosen and could not be opened is tried again beside what is used in its place, whose sound
//! goes on meanwhile: at once where it is plugged in, and less and less often where it is there and cannot
//! be opened, as one that another program holds.

use std::time::{Duration, Instant};

use crate::media::command::DeviceChoice;

/// Between two looks at which cards are there.
pub(super) const RETRY: Duration = Duration::from_secs(3);
/// What is there and cannot be opened is tried again after twice as long each time, at last after this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// What the null device is called.
pub(super) const NULL_DEVICE: &str = "null device";

/// One of microphone, speaker and ringer; `S` is an open stream.
pub(super) struct Role<S> {
    /// What it is to a person.
    what: &'static str,
    /// What is open, with the choice that led to it.
    stream: Option<S>,
    choice: Option<DeviceChoice>,
    name: String,
    problem: Option<String>,
    /// Whether what was chosen was not there at the last look.
    missing: bool,
    /// How long it rests after the next try that fails, and when that is.
    pause: Duration,
    try_at: Instant,
}

impl<S> Role<S> {
    /// One that is closed.
    pub(super) fn new(what: &'static str, now: Instant) -> Self {
        Self {
            what,
            stream: None,
            choice: None,
            name: String::new(),
            problem: None,
            missing: false,
            pause: RETRY,
            try_at: now,
        }
    }

    /// Opens the choice, else the default; gives the media thread's end, none for the null device.
    pub(super) fn open<E>(
        &mut self,
        now: Instant,
        choice: &DeviceChoice,
        open: impl Fn(&DeviceChoice) -> Result<(S, E, String), String>,
    ) -> Option<E> {
        // The old stream goes first: some cards cannot be opened twice.
        self.stream = None;
        self.choice = Some(choice.clone());
        self.problem = None;
        self.name = NULL_DEVICE.to_owned();
        self.missing = false;
        (self.pause, self.try_at) = (RETRY * 2, now + RETRY);
        let what = self.what;
        let mut reason = match choice {
            DeviceChoice::Null => return None,
            DeviceChoice::Default => String::new(),
            DeviceChoice::Named(name) => match open(choice) {
                Ok(opened) => return Some(self.keep(opened)),
                Err(reason) => format!("the {what} “{name}” cannot be used ({reason})"),
            },
        };
        match open(&DeviceChoice::Default) {
            Ok(opened) => {
                let end = self.keep(opened);
                if !reason.is_empty() {
                    let name = &self.name;
                    self.problem = Some(format!(
                        "{reason}; “{name}” is used instead. Connect it, or choose another one in \
                         the settings"
                    ));
                }
                Some(end)
            }
            Err(why) => {
                if reason.is_empty() {
                    reason = format!("no {what} can be used ({why})");
                }
                self.problem = Some(format!(
                    "{reason}; the null device is used, which is silent. Connect a sound card, \
                     check that the sound system runs, or choose another one in the settings"
                ));
                None
            }
        }
    }

    /// Tries what was chosen beside what is used in its place; gives the media thread's end of it.
    pub(super) fn take_back<E>(
        &mut self,
        now: Instant,
        open: impl Fn(&DeviceChoice) -> Result<(S, E, String), String>,
    ) -> Option<E> {
        match open(self.choice.as_ref()?) {
            Ok(opened) => {
                self.problem = None;
                Some(self.keep(opened))
            }
            Err(reason) => {
                tracing::debug!(role = self.what, %reason, "what was chosen cannot be opened yet");
                self.try_at = now + self.pause;
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                None
            }
        }
    }

    /// Takes note of which cards are there: what was chosen and is gone is closed. True when what was
    /// chosen is to be tried again.
    pub(super) fn compare(&mut self, now: Instant, listed: &[String]) -> bool {
        let Some(DeviceChoice::Named(name)) = &self.choice else {
            return false;
        };
        let is_back = self.missing;
        self.missing = !listed.contains(name);
        if self.missing {
            if self.problem.is_none() {
                self.stream = None;
            }
            return false;
        }
        // Where nothing is open in its place it is opened anew anyway.
        if self.problem.is_none() || self.stream.is_none() {
            return false;
        }
        if is_back {
            self.pause = RETRY;
        }
        is_back || now >= self.try_at
    }

    /// Closes it where its stream has ended by an error, which is then forgotten; whether it has.
    pub(super) fn lose_if(&mut self, failure: impl Fn(&S) -> Option<String>) -> bool {
        let Some(reason) = self.stream.as_ref().and_then(failure) else {
            return false;
        };
        tracing::warn!(device = %self.name, %reason, "a sound card is lost");
        self.stream = None;
        true
    }

    /// Lets it be opened anew where nothing is open that should be.
    pub(super) fn reopen_if_closed(&mut self) {
        if self.stream.is_none() {
            self.choice = self.choice.take().filter(|c| *c == DeviceChoice::Null);
        }
    }

    /// Closes it.
    pub(super) fn rest(&mut self) {
        self.stream = None;
        self.choice = None;
    }

    /// Whether it must be opened for that choice.
    pub(super) fn differs(&self, choice: &DeviceChoice) -> bool {
        self.choice.as_ref() != Some(choice)
    }

    /// Whether one with a name was chosen.
    pub(super) fn is_named(&self) -> bool {
        matches!(self.choice, Some(DeviceChoice::Named(_)))
    }

    /// What is used.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What is wrong with it, and what to do.
    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    fn keep<E>(&mut self, (stream, end, name): (S, E, String)) -> E {
        self.stream = Some(stream);
        self.name = name;
        end
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;
    use crate::base::clock::monotonic_now;

    const HEADSET: &str = "headset";
    const BUILT_IN: &str = "built-in";

    /// Cards of which the headset can be opened or not.
    #[derive(Default)]
    struct Cards {
        usable: Cell<bool>,
        /// When each was opened, in seconds, and which.
        opened: RefCell<Vec<(u64, &'static str)>>,
        /// When the headset was tried in vain, in seconds.
        tried: RefCell<Vec<u64>>,
        second: Cell<u64>,
    }

    impl Cards {
        fn open(&self, choice: &DeviceChoice) -> Result<(&'static str, (), String), String> {
            let card = match choice {
                DeviceChoice::Named(_) => HEADSET,
                DeviceChoice::Default | DeviceChoice::Null => BUILT_IN,
            };
            if card == HEADSET && !self.usable.get() {
                self.tried.borrow_mut().push(self.second.get());
                return Err("it is busy".to_owned());
            }
            self.opened.borrow_mut().push((self.second.get(), card));
            Ok((card, (), card.to_owned()))
        }

        /// What the opener does at each look, for so many seconds.
        fn watch(
            &self,
            role: &mut Role<&'static str>,
            start: Instant,
            seconds: u64,
            listed: &[&str],
        ) {
            let listed: Vec<String> = listed.iter().map(|name| (*name).to_owned()).collect();
            for _ in 0..seconds / RETRY.as_secs() {
                self.second.set(self.second.get() + RETRY.as_secs());
                let now = start + Duration::from_secs(self.second.get());
                if role.compare(now, &listed) {
                    role.take_back(now, |choice| self.open(choice));
                }
                role.reopen_if_closed();
                let chosen = DeviceChoice::Named(HEADSET.to_owned());
                if role.differs(&chosen) {
                    role.open(now, &chosen, |choice| self.open(choice));
                }
            }
        }
    }

    /// It was dropped each three seconds for another try.
    #[test]
    fn what_is_used_in_place_of_a_busy_card_goes_on_while_that_is_tried_less_and_less() {
        let start = monotonic_now();
        let (cards, mut role) = (Cards::default(), Role::new("speaker", start));
        let chosen = DeviceChoice::Named(HEADSET.to_owned());
        role.open(start, &chosen, |choice| cards.open(choice));
        let problem = role.problem().unwrap().to_owned();
        assert!(problem.contains("“built-in” is used instead"), "{problem}");
        cards.watch(&mut role, start, 240, &[HEADSET, BUILT_IN]);
        assert_eq!(*cards.opened.borrow(), [(0, BUILT_IN)]);
        assert_eq!(*cards.tried.borrow(), [0, 3, 9, 21, 45, 93, 153, 213]);
        assert_eq!(role.problem(), Some(problem.as_str()));
        cards.usable.set(true);
        cards.watch(&mut role, start, 60, &[HEADSET, BUILT_IN]);
        assert_eq!(*cards.opened.borrow(), [(0, BUILT_IN), (273, HEADSET)]);
        assert_eq!((role.name(), role.problem()), (HEADSET, None));
    }

    #[test]
    fn one_that_is_plugged_in_again_is_taken_at_the_next_look() {
        let start = monotonic_now();
        let (cards, mut role) = (Cards::default(), Role::new("speaker", start));
        cards.usable.set(true);
        let chosen = DeviceChoice::Named(HEADSET.to_owned());
        role.open(start, &chosen, |choice| cards.open(choice));
        cards.watch(&mut role, start, 30, &[HEADSET, BUILT_IN]);
        assert_eq!(*cards.opened.borrow(), [(0, HEADSET)]);
        cards.usable.set(false);
        cards.watch(&mut role, start, 300, &[BUILT_IN]);
        assert_eq!(*cards.opened.borrow(), [(0, HEADSET), (33, BUILT_IN)]);
        assert_eq!(*cards.tried.borrow(), [33], "it is not there");
        // At its first moment it cannot be opened yet.
        cards.watch(&mut role, start, 3, &[HEADSET, BUILT_IN]);
        cards.usable.set(true);
        cards.watch(&mut role, start, 3, &[HEADSET, BUILT_IN]);
        assert_eq!(cards.opened.borrow().last(), Some(&(336, HEADSET)));
    }
}
