use clap::CommandFactory as _;

use super::*;

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn a_link_is_no_command() {
    let cli = Cli::parse_from(["ringdesk", "tel:+4930901820"]);
    assert_eq!(cli.uri.as_deref(), Some("tel:+4930901820"));
    assert!(cli.command.is_none());
}

#[test]
fn auto_answer_takes_a_delay_or_none() {
    for (argument, millis) in [("--auto-answer", 0), ("--auto-answer=250", 250)] {
        let cli = Cli::parse_from(["ringdesk", "headless", argument]);
        let Some(Task::Headless(args)) = cli.command else {
            panic!("not headless")
        };
        assert_eq!(args.0.auto_answer, Some(millis));
    }
}
