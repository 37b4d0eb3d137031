//! What help texts, messages and the documentation name as a command or an option is one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Command, CommandFactory as _, Parser as _};

use crate::cli::args::Cli;

/// What begins a command in a text.
const BEGIN: &str = "ringdesk ";

/// Options of cargo and of its tests.
const FOREIGN: [&str; 8] = [
    "--no-default-features",
    "--features",
    "--release",
    "--bench",
    "--test",
    "--lib",
    "--exact",
    "--nocapture",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with(file!()) {
            found.push(path);
        }
    }
}

/// The documentation, and the sources with their comments, which are the help texts too: each with its
/// name. Lines that belong together are one.
fn texts() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    sources(&root().join("src"), &mut paths);
    for folder in ["", "docs", "sipp-scenarios"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            paths.extend(
                path.extension()
                    .is_some_and(|it| it == "md")
                    .then_some(path),
            );
        }
    }
    let own = root().join("src/cli/named_commands.rs");
    paths.retain(|path| *path != own);
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let mut joined = String::new();
        for line in text.lines() {
            let line = line.trim();
            let line = ["///", "//!", "//"]
                .iter()
                .find_map(|comment| line.strip_prefix(comment))
                .unwrap_or(line);
            let whole = line.strip_suffix('\\').unwrap_or(line);
            joined.push_str(whole.trim_start());
            // A code block's line is a command of its own.
            joined.push(if line.starts_with(BEGIN) { '\n' } else { ' ' });
        }
        (path.display().to_string(), joined)
    };
    paths.into_iter().map(read).collect()
}

/// The commands that a text names: all between backticks, and in prose those that begin with the name of
/// one.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let known = Cli::command();
    for (before, after) in around(text, BEGIN) {
        let is_letter = |c: char| c.is_ascii_lowercase() || c == '-';
        let first = after.split(|c| !is_letter(c)).next();
        if before == '`' {
            found.extend(after.split('`').next().map(str::to_owned));
        } else if matches!(before, ' ' | '"' | '(' | '\n')
            && first.is_some_and(|word| known.find_subcommand(word).is_some())
        {
            let ends = ['`', '"', '\\', '(', ')', ',', ';', ':', '“', '\n'];
            let sentence = after.split(ends).next();
            let sentence = sentence.and_then(|text| text.split(". ").next());
            found.extend(sentence.map(|text| text.trim_end_matches('.').to_owned()));
        }
    }
    found
}

/// The character before each place where a text has these words, and what follows, up to the next.
fn around<'a>(text: &'a str, words: &'a str) -> impl Iterator<Item = (char, &'a str)> {
    let pieces = text.split(words);
    let before = pieces
        .clone()
        .map(|piece| piece.chars().next_back().unwrap_or(' '));
    before.zip(pieces.skip(1))
}

/// The words of a command, with something in each place that is to be filled in; several of them where it
/// names alternatives. Whether something was filled in, too.
fn spelled(command: &str) -> (Vec<Vec<String>>, bool) {
    let mut all: Vec<Vec<String>> = vec![vec!["ringdesk".to_owned()]];
    let mut filled = false;
    let command = command.replace("\\|", "|").replace('"', "");
    for word in command.split_whitespace() {
        let word = word.trim_matches(['[', ']', '…', '*']);
        let place =
            word.chars().any(|c| c.is_ascii_uppercase() || c == '{') && !word.starts_with("--");
        let words: Vec<String> = if place {
            filled = true;
            let word = match word.split('|').next().unwrap_or_default() {
                "CALL_ID" => "018bcfe5-6800-7000-8000-000000000001",
                "KIND:ID" => "contact:1",
                "URI" => "tel:+4930123456",
                _ => "1",
            };
            vec![word.to_owned()]
        } else {
            word.split('|').map(str::to_owned).collect()
        };
        all = all
            .iter()
            .flat_map(|begun| {
                words.iter().map(|word| {
                    let mut longer = begun.clone();
                    longer.push(word.clone());
                    longer
                })
            })
            .collect();
    }
    (all, filled)
}

/// Why a command is none. One that is only mentioned may lack what it needs.
fn fault(words: &[String], filled: bool) -> Option<String> {
    let error = match Cli::try_parse_from(words) {
        Ok(cli) => {
            let named = words
                .get(1)
                .is_some_and(|word| !word.contains(':') && !word.starts_with('-'));
            return (named && cli.command.is_none()).then(|| "no such command".to_owned());
        }
        Err(error) => error,
    };
    let unfit = filled || words.last().is_some_and(|word| word.starts_with("--"));
    let mention = match error.kind() {
        ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion => true,
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => unfit,
        _ => false,
    };
    (!mention).then(|| error.to_string())
}

#[test]
fn each_command_that_a_text_names_is_one() {
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for (file, text) in texts() {
        for command in commands(&text) {
            let (spelled, filled) = spelled(&command);
            for words in spelled {
                if let Some(why) = fault(&words, filled) {
                    wrong.push(format!("{file}: ringdesk {command}: {why}"));
                }
            }
            seen.insert(command);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen.len() > 60, "only {}: {seen:#?}", seen.len());
}

fn options(command: &Command, found: &mut BTreeSet<String>) {
    let named = command.get_arguments().filter_map(|it| it.get_long());
    found.extend(named.map(|name| format!("--{name}")));
    for below in command.get_subcommands() {
        options(below, found);
    }
}

#[test]
fn each_option_that_a_text_names_is_one() {
    let mut known: BTreeSet<String> = FOREIGN.map(str::to_owned).into();
    known.extend(["--help", "--version"].map(str::to_owned));
    let mut cli = Cli::command();
    cli.build();
    options(&cli, &mut known);
    let mut wrong = BTreeSet::new();
    for (file, text) in texts() {
        for (before, after) in around(&text, "--") {
            let name: String = after
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')
                .collect();
            let begins = matches!(before, ' ' | '`' | '"' | '(');
            let option = format!("--{}", name.trim_end_matches('-'));
            if begins
                && name.len() > 2
                && name.starts_with(|c: char| c.is_ascii_lowercase())
                && !known.contains(&option)
            {
                wrong.insert(format!("{file}: {option}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_command_that_there_is_not_is_found() {
    for (text, words) in [
        (
            "add it with: ringdesk calls types --add NAME",
            "calls types --add NAME",
        ),
        ("`ringdesk nothing`", "nothing"),
        ("see `ringdesk calls --nothing`.", "calls --nothing"),
    ] {
        assert_eq!(commands(text), [words]);
        let (spelled, filled) = spelled(words);
        assert!(fault(&spelled[0], filled).is_some(), "{text}");
    }
    assert_eq!(
        commands("the ringdesk and others, x-ringdesk calls"),
        [""; 0]
    );
    let (both, filled) = spelled("calls set|enter");
    assert_eq!((both.len(), filled), (2, false));
}
