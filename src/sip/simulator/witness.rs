//! What a test asks the virtual network after a run, and what a failure shows.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::agent::label_of;
use super::world::World;
use crate::sip::{IncomingCall, SipEvent};

impl World {
    /// Whether an event of an agent fits.
    pub(super) fn saw(&self, agent: usize, fits: impl Fn(&SipEvent) -> bool) -> bool {
        self.agents[agent].events.iter().any(|(_, e)| fits(e))
    }

    /// How many messages an agent sent or received whose first line begins so.
    pub(super) fn count(&self, agent: usize, sent: bool, start: &str) -> usize {
        self.agents[agent]
            .ladder
            .iter()
            .filter(|(_, was_sent, _, text)| *was_sent == sent && text.starts_with(start))
            .count()
    }

    /// The calls of an agent that are not over, with their messages, for reading a failure.
    pub(super) fn show(&self, agent: usize) -> String {
        let host = &self.agents[agent];
        let mut all = format!("{:?}\n", host.endpoint.census());
        let open = host
            .records
            .values()
            .filter(|record| record.ended.len() != 1);
        for record in open {
            all += &self.show_call(agent, &record.label);
        }
        if all.lines().count() == 1 {
            all += &lines(&host.ladder, self.now, |_| true);
        }
        all
    }

    /// The session interval that a call's last 2xx at an agent names (RFC 4028).
    pub(super) fn interval(&self, agent: usize, label: &str) -> Option<Duration> {
        let ladder = &self.agents[agent].ladder;
        let mark = format!("X-Label: {label}\r");
        let (_, _, _, invite) = ladder.iter().find(|(_, _, _, text)| text.contains(&mark))?;
        let call = field(invite, "Call-ID");
        let agreed = ladder.iter().rev().find(|(_, _, _, text)| {
            let cseq = field(text, "CSeq");
            text.starts_with("SIP/2.0 2")
                && field(text, "Call-ID") == call
                && (cseq.ends_with("INVITE") || cseq.ends_with("UPDATE"))
        });
        let (_, _, _, agreed) = agreed?;
        let seconds = field(agreed, "Session-Expires").split(';').next()?;
        seconds.parse().ok().map(Duration::from_secs)
    }

    /// The first lines of a call's messages at an agent.
    pub(super) fn show_call(&self, agent: usize, label: &str) -> String {
        let host = &self.agents[agent];
        let mark = format!("X-Label: {label}\r");
        let calls: Vec<&str> = host
            .ladder
            .iter()
            .filter(|(_, _, _, text)| text.contains(&mark))
            .map(|(_, _, _, text)| field(text, "Call-ID"))
            .collect();
        let shown = lines(&host.ladder, self.now, |text| {
            calls.contains(&field(text, "Call-ID"))
        });
        format!("agent {agent}, call {label}:\n{shown}")
    }

    /// The first lines of the messages of a Call-ID at an agent.
    pub(super) fn show_call_id(&self, agent: usize, call_id: &str) -> String {
        let ladder = &self.agents[agent].ladder;
        lines(ladder, self.now, |text| field(text, "Call-ID") == call_id)
    }

    /// The incoming call of an agent that has a label.
    pub(super) fn incoming(&self, agent: usize, label: &str) -> Option<IncomingCall> {
        self.agents[agent].events.iter().find_map(|(_, e)| match e {
            SipEvent::Incoming(call) if label_of(call) == label => Some((**call).clone()),
            _ => None,
        })
    }
}

/// The value of the first header field of that name.
pub(super) fn field<'t>(text: &'t str, name: &str) -> &'t str {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap_or_default()
}

fn lines(
    ladder: &[(Instant, bool, SocketAddr, String)],
    now: Instant,
    shown: impl Fn(&str) -> bool,
) -> String {
    let mut all = String::new();
    for (at, sent, remote, text) in ladder.iter().filter(|(_, _, _, text)| shown(text)) {
        let arrow = if *sent { "->" } else { "<-" };
        let first = text.lines().next().unwrap_or_default();
        let ago = (now - *at).as_secs_f64();
        all += &format!(
            "-{ago:.3} {arrow} {remote} {first} | {}\n",
            field(text, "CSeq")
        );
    }
    all
}
