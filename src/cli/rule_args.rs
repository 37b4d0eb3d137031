//! The options of `ringdesk headless` that set rules: what happens to calls by themselves, and what
//! may be dialled.

use clap::{Args, ValueEnum};

use crate::base::dial_class::CostlyClass;
use crate::config::call_rules::{AutoAnswer, CallRules, SendDigits};
use crate::config::caller_id::CallerId;
use crate::config::validate::SILENCE_LIMIT_SECONDS;
use crate::config::{Settings, TransferPolicy};

/// Rules, for each account and for direct calls.
#[derive(Debug, Args)]
pub(super) struct RuleArgs {
    /// Refuse calls unheard with this status (480 lets a PBX try others, 486 is busy).
    #[arg(long, value_name = "480|486", num_args = 0..=1, default_missing_value = "480", require_equals = true, value_parser = disturb_status)]
    pub(super) dnd: Option<u16>,
    /// Send each call elsewhere at once (302 with Diversion).
    #[arg(long, value_name = "URI")]
    pub(super) forward_always: Option<String>,
    /// Send calls elsewhere while the line is busy.
    #[arg(long, value_name = "URI")]
    pub(super) forward_busy: Option<String>,
    /// Send calls elsewhere that nobody answers.
    #[arg(long, value_name = "URI")]
    pub(super) forward_no_answer: Option<String>,
    /// After so many seconds of ringing (20).
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(super) forward_after: Option<u32>,
    /// No second call while one is open: it is busy.
    #[arg(long)]
    pub(super) no_call_waiting: bool,
    /// Whose wish to be answered automatically is followed (Call-Info, Alert-Info, Answer-Mode).
    #[arg(long, value_enum, value_name = "WHOSE")]
    pub(super) answer_by_header: Option<AutoAnswerArg>,
    /// Whether far ends may send our calls elsewhere (REFER, Replaces); who is asked answers by
    /// --control.
    #[arg(long, value_enum, value_name = "WHEN")]
    pub(super) transfers: Option<TransfersArg>,
    /// Whether calls that are placed go elsewhere when the far end asks so (300, 301, 302); who is
    /// asked answers by --control.
    #[arg(long, value_enum, value_name = "WHEN")]
    pub(super) redirects: Option<TransfersArg>,
    /// Ask for the own number to be withheld.
    #[arg(long)]
    pub(super) hide_number: bool,
    /// Ask the server to show this own number or SIP address to far ends (P-Preferred-Identity); with
    /// PATTERN= in front to those whose number fits, such as +43*=+4312345. May be repeated; the first that
    /// fits counts.
    #[arg(long, value_name = "[PATTERN=]NUMBER")]
    pub(super) caller_id: Vec<CallerId>,
    /// How digits are sent.
    #[arg(long, value_enum, value_name = "WAY")]
    pub(super) dtmf_by: Option<DigitsArg>,
    /// Answer MD5 even where the server offered SHA-256 before.
    #[arg(long)]
    pub(super) allow_md5: bool,
    /// What --control, transfers and redirections may dial without being asked: premium,
    /// international, codes.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = costly_class)]
    pub(super) allow: Vec<CostlyClass>,
    /// How many calls an hour they may place (120); --call is not counted.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) calls_per_hour: Option<u32>,
    /// End a call in which no sound of the far end comes for so long, at least 10; 0 is never
    /// (the default without a configuration file).
    #[arg(long, value_name = "SECONDS", value_parser = silence_limit)]
    pub(super) silence_limit: Option<u32>,
    /// How long the agent wraps up after a talk (0, for not at all, to 3600).
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub(super) wrap_up: Option<u32>,
    /// Incoming requests from one source and second (200); more are refused.
    #[arg(long, value_name = "off|N", value_parser = rate_limit)]
    pub(super) rate_limit: Option<u32>,
}

/// Whose wish for an automatic answer is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AutoAnswerArg {
    /// Nobody's.
    Never,
    /// That of the account's own server.
    Trusted,
    /// Everybody's.
    Always,
}

/// When a far end's wish is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TransfersArg {
    /// Never.
    Never,
    /// When --control says so.
    Ask,
    /// Always.
    Always,
}

impl TransfersArg {
    /// As the configuration knows it.
    pub(super) fn policy(self) -> TransferPolicy {
        match self {
            Self::Never => TransferPolicy::Never,
            Self::Ask => TransferPolicy::Ask,
            Self::Always => TransferPolicy::Always,
        }
    }
}

/// How digits are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DigitsArg {
    /// In the sound stream.
    Sound,
    /// By INFO, application/dtmf-relay.
    Info,
    /// By INFO, application/dtmf.
    InfoPlain,
}

impl RuleArgs {
    /// Puts the options over an account's rules.
    pub(super) fn apply(&self, rules: &mut CallRules) {
        if let Some(status) = self.dnd {
            rules.do_not_disturb = true;
            rules.do_not_disturb_status = status;
        }
        for (target, rule) in [
            (&self.forward_always, &mut rules.forward_always),
            (&self.forward_busy, &mut rules.forward_busy),
            (&self.forward_no_answer, &mut rules.forward_no_answer),
        ] {
            if let Some(target) = target {
                rule.clone_from(target);
            }
        }
        if let Some(seconds) = self.forward_after {
            rules.forward_no_answer_seconds = seconds;
        }
        if self.no_call_waiting {
            rules.call_waiting = false;
        }
        match self.answer_by_header {
            Some(AutoAnswerArg::Never) => rules.auto_answer = AutoAnswer::Never,
            Some(AutoAnswerArg::Trusted) => rules.auto_answer = AutoAnswer::Trusted,
            Some(AutoAnswerArg::Always) => rules.auto_answer = AutoAnswer::Always,
            None => {}
        }
        match self.dtmf_by {
            Some(DigitsArg::Sound) => rules.send_digits = SendDigits::Sound,
            Some(DigitsArg::Info) => rules.send_digits = SendDigits::Info,
            Some(DigitsArg::InfoPlain) => rules.send_digits = SendDigits::InfoPlain,
            None => {}
        }
        if let Some(transfers) = self.transfers {
            rules.transfers = transfers.policy();
        }
        if let Some(redirects) = self.redirects {
            rules.redirects = redirects.policy();
        }
        rules.hide_number |= self.hide_number;
        if !self.caller_id.is_empty() {
            rules.caller_ids.clone_from(&self.caller_id);
        }
        rules.allow_md5 |= self.allow_md5;
    }

    /// Puts the options over the settings.
    pub(super) fn apply_to_settings(&self, settings: &mut Settings) {
        if !self.allow.is_empty() {
            settings.dialling.allow.clone_from(&self.allow);
        }
        if let Some(limit) = self.calls_per_hour {
            settings.dialling.calls_per_hour = limit;
        }
        if let Some(limit) = self.silence_limit {
            settings.silence_limit_seconds = limit;
        }
        if let Some(seconds) = self.wrap_up {
            settings.wrap_up_seconds = seconds;
        }
        if let Some(limit) = self.rate_limit {
            settings.requests_per_second = limit;
        }
    }
}

fn disturb_status(text: &str) -> Result<u16, String> {
    match text {
        "480" => Ok(480),
        "486" => Ok(486),
        _ => Err("480 (not available) or 486 (busy) is needed".to_owned()),
    }
}

fn costly_class(text: &str) -> Result<CostlyClass, String> {
    CostlyClass::parse(text).ok_or_else(|| "premium, international or codes is needed".to_owned())
}

/// No limit is 0, as in the settings.
fn silence_limit(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(seconds) if seconds == 0 || SILENCE_LIMIT_SECONDS.contains(&seconds) => Ok(seconds),
        Ok(_) | Err(_) => Err("0 or a number from 10 to 3600 is needed".to_owned()),
    }
}

fn rate_limit(text: &str) -> Result<u32, String> {
    if text == "off" {
        return Ok(0);
    }
    match text.parse::<u32>() {
        Ok(limit) if (1..=1_000_000).contains(&limit) => Ok(limit),
        Ok(_) | Err(_) => Err("off or a number from 1 to 1000000 is needed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        rules: RuleArgs,
    }

    fn rules(options: &[&str]) -> (CallRules, Settings) {
        let line = Line::parse_from(["phone"].iter().chain(options));
        let (mut rules, mut settings) = (CallRules::default(), Settings::default());
        line.rules.apply(&mut rules);
        line.rules.apply_to_settings(&mut settings);
        (rules, settings)
    }

    #[test]
    fn the_limit_of_silence_has_the_range_of_the_file() {
        for (text, read) in [("0", Some(0)), ("10", Some(10)), ("3600", Some(3_600))] {
            assert_eq!(silence_limit(text).ok(), read);
        }
        for text in ["9", "3601", "-1", "never", ""] {
            assert!(silence_limit(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_option_sets_its_rule() {
        assert_eq!(rules(&[]), (CallRules::default(), Settings::default()));
        let (set, settings) = rules(&[
            "--dnd=486",
            "--forward-always=sip:a@h",
            "--forward-busy=b",
            "--forward-no-answer=c",
            "--forward-after=7",
            "--no-call-waiting",
            "--answer-by-header=trusted",
            "--transfers=never",
            "--redirects=always",
            "--hide-number",
            "--dtmf-by=info-plain",
            "--allow-md5",
            "--allow=premium,codes",
            "--calls-per-hour=3",
            "--rate-limit=off",
        ]);
        let expected = CallRules {
            do_not_disturb: true,
            do_not_disturb_status: 486,
            call_waiting: false,
            forward_always: "sip:a@h".to_owned(),
            forward_busy: "b".to_owned(),
            forward_no_answer: "c".to_owned(),
            forward_no_answer_seconds: 7,
            auto_answer: AutoAnswer::Trusted,
            transfers: TransferPolicy::Never,
            redirects: TransferPolicy::Always,
            hide_number: true,
            send_digits: SendDigits::InfoPlain,
            allow_md5: true,
            ..CallRules::default()
        };
        assert_eq!(set, expected);
        let allowed = [CostlyClass::Premium, CostlyClass::Codes];
        assert_eq!(settings.dialling.allow, allowed);
        assert_eq!(settings.dialling.calls_per_hour, 3);
        assert_eq!(settings.requests_per_second, 0);
        assert_eq!(rules(&["--dnd"]).0.do_not_disturb_status, 480);
        for wrong in [
            "--dnd=200",
            "--allow=local",
            "--rate-limit=0",
            "--rate-limit=fast",
        ] {
            assert!(Line::try_parse_from(["phone", wrong]).is_err(), "{wrong}");
        }
    }
}
