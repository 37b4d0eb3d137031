//! Words of a subcommand that are put together only when it is asked for.

use clap::builder::Resettable;
use clap::error::Error;
use clap::{ArgMatches, Args, Command, FromArgMatches, Id};

/// A subcommand's arguments. Without it each start would describe the options of all subcommands.
#[derive(Debug)]
pub(super) struct Deferred<T>(pub(super) Box<T>);

impl<T: Args> Args for Deferred<T> {
    fn group_id() -> Option<Id> {
        T::group_id()
    }

    fn augment_args(command: Command) -> Command {
        command.defer(|command| described(command, T::augment_args))
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(|command| described(command, T::augment_args_for_update))
    }
}

impl<T: Args> FromArgMatches for Deferred<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(|args| Self(Box::new(args)))
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches_mut(matches).map(|args| Self(Box::new(args)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

/// Adds the arguments, and leaves the sentences that the list of subcommands shows.
fn described(command: Command, augment: fn(Command) -> Command) -> Command {
    let (about, long) = (
        command.get_about().cloned(),
        command.get_long_about().cloned(),
    );
    augment(command)
        .about(Resettable::from(about))
        .long_about(Resettable::from(long))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use crate::cli::args::Cli;

    #[test]
    fn help_of_a_subcommand_has_its_sentence_and_its_options() {
        Cli::command().debug_assert();
        let help = |name: &str| {
            let asked = Cli::command().try_get_matches_from(["ringdesk", name, "--help"]);
            asked.unwrap_err().to_string()
        };
        let headless = help("headless");
        assert!(
            headless.starts_with("The phone without a window"),
            "{headless}"
        );
        assert!(headless.contains("--account"), "{headless}");
        let calls = help("calls");
        assert!(calls.starts_with("List calls, newest first"), "{calls}");
        assert!(calls.contains("quality"), "{calls}");
    }
}
