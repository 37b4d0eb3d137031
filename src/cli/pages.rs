//! `ringdesk man` and `ringdesk completions`: the command line described for packages and shells.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Command, CommandFactory as _, ValueEnum};
use clap_complete::aot::{Bash, Fish, Generator, Zsh};
use clap_mangen::Man;

use crate::cli::args::Cli;
use crate::cli::run::Exit;

/// The program's name, by which shells know it.
const NAME: &str = "ringdesk";

/// Options of `ringdesk completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// For which shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// A shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
}

/// Options of `ringdesk man`.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write the pages of all commands into this folder, instead of the first one to stdout.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the completions of a shell.
pub(super) fn completions(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    let script = match args.shell {
        Shell::Bash => script(Bash),
        Shell::Zsh => script(Zsh),
        Shell::Fish => script(Fish),
    };
    io::stdout().write_all(&script)?;
    Ok(Exit::Done)
}

/// Prints the manual page, or writes all of them.
pub(super) fn man(args: &ManArgs) -> anyhow::Result<Exit> {
    let command = whole();
    match &args.dir {
        None => io::stdout().write_all(&page(&command)?)?,
        Some(dir) => {
            std::fs::create_dir_all(dir)
                .with_context(|| format!("the folder {} cannot be made", dir.display()))?;
            write_pages(&command, dir)?;
        }
    }
    Ok(Exit::Done)
}

/// The command line with all that is put together only when it is asked for.
fn whole() -> Command {
    let mut command = Cli::command();
    command.build();
    command
}

fn script(shell: impl Generator) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut whole(), NAME, &mut script);
    script
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone())
        .source(concat!("Ringdesk ", env!("CARGO_PKG_VERSION")))
        .manual("Ringdesk")
        .render(&mut page)?;
    Ok(page)
}

/// One page for the command and for each below it: `ringdesk.1`, `ringdesk-calls.1`, …
fn write_pages(command: &Command, dir: &Path) -> anyhow::Result<()> {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name());
    let file = dir.join(format!("{name}.1"));
    std::fs::write(&file, page(command)?)
        .with_context(|| format!("the page {} cannot be written", file.display()))?;
    for below in command.get_subcommands() {
        if below.get_name() != "help" && !below.is_hide_set() {
            write_pages(below, dir)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_completes_commands_and_their_options() {
        for (shell, text) in [
            ("bash", script(Bash)),
            ("zsh", script(Zsh)),
            ("fish", script(Fish)),
        ] {
            let text = String::from_utf8(text).unwrap();
            for word in ["headless", "auto-answer", "contacts", "completions"] {
                assert!(text.contains(word), "{shell} does not complete {word}");
            }
        }
    }

    #[test]
    fn each_command_has_a_page_with_its_options() {
        let dir = tempfile::tempdir().unwrap();
        write_pages(&whole(), dir.path()).unwrap();
        let page = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        let first = page("ringdesk.1");
        assert!(first.contains(".TH ringdesk 1"), "{first}");
        assert!(
            page("ringdesk-calls-callback.1").contains("\"Ringdesk 0."),
            "whose page it is"
        );
        assert!(first.contains("headless"), "{first}");
        // The hyphens of options are escaped for roff.
        assert!(page("ringdesk-headless.1").contains(r"\-\-auto\-answer"));
        assert!(page("ringdesk-contacts-import.1").contains("import"));
    }
}
