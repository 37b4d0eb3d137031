//! One watched colleague, one mailbox: what their notifiers told, and what that means.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::id::AccountId;
use crate::base::uri::{SipUri, Uri};
use crate::config::settings::{Colleague, WatchKind};
use crate::control::{ColleagueState, ColleagueView, MailboxView, MessageCount, PickupTarget};
use crate::presence::dialog_info::{self, DialogEntry, DialogState, Direction};
use crate::presence::line::{self, Applied, Line, LineState};
use crate::presence::message_summary::{self, MessageClass, MessageSummary};
use crate::presence::pidf::{self, Presence};
use crate::sip::{Body, NotifierId, SubscriptionId, SubscriptionSetup, SubscriptionState};

/// The lifetime that is asked for.
const LIFETIME: Duration = Duration::from_secs(3600);

/// What came of news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// They were taken, or there was nothing to take.
    Taken,
    /// Something before them is missing: everything must be asked for again.
    Gap,
}

/// A watched colleague.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) colleague: Colleague,
    /// The account that watches; none for a phone without accounts.
    pub(super) account: Option<AccountId>,
    pub(super) subscription: Option<SubscriptionId>,
    /// What was last told as an event.
    pub(super) told: Option<ColleagueView>,
    lines: BTreeMap<NotifierId, Line>,
    /// Notifiers that are gone, whose state stays until somebody tells another.
    gone: Vec<NotifierId>,
    presence: Option<Presence>,
    problem: Option<String>,
}

impl Watched {
    pub(super) fn new(colleague: Colleague, account: Option<AccountId>) -> Self {
        Self {
            colleague,
            account,
            subscription: None,
            told: None,
            lines: BTreeMap::new(),
            gone: Vec::new(),
            presence: None,
            problem: None,
        }
    }

    /// What to subscribe to; none where the colleague's address cannot be reached.
    pub(super) fn setup(&self, own: Option<&Uri>) -> Option<SubscriptionSetup> {
        let target = target(&self.colleague.address, own)?;
        Some(match self.colleague.watch {
            WatchKind::Blf => SubscriptionSetup {
                target,
                event: "dialog",
                accept: "application/dialog-info+xml",
                expires: LIFETIME,
                forks: true,
            },
            WatchKind::Presence => SubscriptionSetup {
                target,
                event: "presence",
                accept: "application/pidf+xml",
                expires: LIFETIME,
                forks: false,
            },
        })
    }

    /// Forgets everything that was told.
    pub(super) fn forget(&mut self) {
        self.subscription = None;
        self.gone.clear();
        self.lines.clear();
        self.presence = None;
        self.problem = None;
    }

    pub(super) fn handle_state(&mut self, state: &SubscriptionState) {
        match state {
            // What is known stays while a subscription is begun again.
            SubscriptionState::Subscribing => {}
            SubscriptionState::Active { .. } => self.problem = None,
            SubscriptionState::Pending => {
                self.problem = Some("the colleague has not allowed it yet".to_owned());
            }
            SubscriptionState::Waiting {
                reason, retry_in, ..
            } => {
                // At once means that the server only wants it anew.
                if *retry_in > Duration::from_secs(1) {
                    let seconds = retry_in.as_secs();
                    self.problem = Some(format!("{reason}; tried again in {seconds} s"));
                    self.lines.clear();
                    self.presence = None;
                }
            }
            SubscriptionState::Ended { reason, .. } => {
                self.problem = Some(reason.clone());
                self.lines.clear();
                self.presence = None;
            }
        }
    }

    pub(super) fn handle_news(&mut self, notifier: NotifierId, body: &Body) -> Heard {
        for gone in self.gone.drain(..) {
            self.lines.remove(&gone);
        }
        match self.colleague.watch {
            WatchKind::Blf => match dialog_info::read(&body.bytes) {
                Ok(info) => match self.lines.entry(notifier).or_default().apply(info) {
                    Applied::Taken | Applied::Old => Heard::Taken,
                    Applied::Gap => Heard::Gap,
                },
                Err(error) => self.unreadable(&error.to_string()),
            },
            WatchKind::Presence => match pidf::read(&body.bytes) {
                Ok(presence) => {
                    self.presence = Some(presence);
                    Heard::Taken
                }
                Err(error) => self.unreadable(&error.to_string()),
            },
        }
    }

    pub(super) fn handle_gone(&mut self, notifier: NotifierId) {
        // The last one's state stays until the subscription itself says what becomes of it.
        if self.lines.len() > 1 {
            self.lines.remove(&notifier);
        } else {
            self.gone.push(notifier);
        }
    }

    pub(super) fn view(&self, own: Option<&Uri>) -> ColleagueView {
        let (state, dialog) = self.state();
        let address = target(&self.colleague.address, own)
            .map_or_else(|| self.colleague.address.clone(), |uri| uri.to_string());
        let detail = match (dialog, &self.presence) {
            (Some(dialog), _) => other_side(dialog),
            (None, Some(presence)) => presence.note.clone(),
            (None, None) => None,
        };
        ColleagueView {
            name: if self.colleague.name.is_empty() {
                self.colleague.address.clone()
            } else {
                self.colleague.name.clone()
            },
            address,
            watch: self.colleague.watch,
            state,
            detail,
            pickup: dialog.and_then(pickup),
            problem: self.problem.clone(),
        }
    }

    fn state(&self) -> (ColleagueState, Option<&DialogEntry>) {
        if !self.lines.is_empty() {
            let (state, dialog) = line::state(self.lines.values());
            let state = match state {
                LineState::Free => ColleagueState::Free,
                LineState::Calling => ColleagueState::Calling,
                LineState::Ringing => ColleagueState::Ringing,
                LineState::Held => ColleagueState::Held,
                LineState::Talking => ColleagueState::Talking,
            };
            return (state, dialog);
        }
        (
            self.presence.as_ref().map_or(ColleagueState::Unknown, mood),
            None,
        )
    }

    fn unreadable(&mut self, why: &str) -> Heard {
        self.problem = Some(format!("what the server tells cannot be read: {why}"));
        Heard::Taken
    }
}

/// What a presence document means in one word.
fn mood(presence: &Presence) -> ColleagueState {
    if presence.open == Some(false) {
        return ColleagueState::Offline;
    }
    for activity in &presence.activities {
        match activity.as_str() {
            "on-the-phone" => return ColleagueState::Talking,
            "busy" | "meeting" | "appointment" | "presentation" | "performance" | "in-transit"
            | "steering" | "do-not-disturb" | "dnd" => return ColleagueState::Busy,
            "away" | "breakfast" | "lunch" | "dinner" | "meal" | "holiday" | "vacation"
            | "travel" | "sleeping" | "permanent-absence" | "shopping" => {
                return ColleagueState::Away;
            }
            _ => {}
        }
    }
    match presence.open {
        Some(true) => ColleagueState::Available,
        Some(false) | None => ColleagueState::Unknown,
    }
}

/// Who is at the other end of a colleague's call.
fn other_side(dialog: &DialogEntry) -> Option<String> {
    let remote = &dialog.remote;
    let identity = remote.identity.as_deref().or(remote.target.as_deref())?;
    let plain = identity
        .strip_prefix("sip:")
        .or_else(|| identity.strip_prefix("sips:"))
        .unwrap_or(identity);
    Some(match &remote.display {
        Some(display) => format!("{display} ({plain})"),
        None => plain.to_owned(),
    })
}

/// What picks a ringing call up: the caller is asked to let us take the place of the phone that
/// rings (RFC 5359 section 2.16).
fn pickup(dialog: &DialogEntry) -> Option<PickupTarget> {
    let rings = matches!(dialog.state, DialogState::Early | DialogState::Proceeding)
        && dialog.direction == Some(Direction::Recipient);
    if !rings {
        return None;
    }
    let target = dialog
        .remote
        .target
        .as_ref()
        .or(dialog.remote.identity.as_ref())?;
    Uri::parse(target).ok()?.as_sip()?;
    Some(PickupTarget {
        call_id: dialog.call_id.clone()?,
        local_tag: dialog.local_tag.clone()?,
        remote_tag: dialog.remote_tag.clone()?,
        target: target.clone(),
    })
}

/// A SIP address, or an extension of the account's domain.
pub(super) fn target(address: &str, own: Option<&Uri>) -> Option<Uri> {
    if address.contains(':') {
        let uri = Uri::parse(address).ok()?;
        uri.as_sip()?;
        return Some(uri);
    }
    let own = own?.as_sip()?;
    Some(Uri::Sip(SipUri::new(
        Some(&address.replace('#', "%23")),
        own.host.clone(),
        own.port,
    )))
}

/// The mailbox of one account.
#[derive(Debug)]
pub(super) struct Mailbox {
    /// Whose; none for what came without an account.
    pub(super) account: Option<AccountId>,
    pub(super) subscription: Option<SubscriptionId>,
    /// What was last told as an event.
    pub(super) told: Option<MailboxView>,
    summary: Option<MessageSummary>,
}

impl Mailbox {
    pub(super) fn new(account: Option<AccountId>) -> Self {
        Self {
            account,
            subscription: None,
            told: None,
            summary: None,
        }
    }

    /// What to subscribe to for the account with this address.
    pub(super) fn setup(own: &Uri) -> SubscriptionSetup {
        SubscriptionSetup {
            target: own.clone(),
            event: "message-summary",
            accept: "application/simple-message-summary",
            expires: LIFETIME,
            forks: true,
        }
    }

    pub(super) fn handle_news(&mut self, body: &Body) {
        if let Some(summary) = message_summary::read(&body.bytes) {
            self.summary = Some(summary);
        }
    }

    /// What waits; none before anything was told. `voicemail` is the account's own choice.
    pub(super) fn view(&self, address: String, voicemail: &str) -> Option<MailboxView> {
        let summary = self.summary.as_ref()?;
        let named = summary.account.as_deref().filter(|named| {
            let uri = Uri::parse(named).ok();
            let user = uri.as_ref().and_then(|uri| uri.as_sip()?.user.as_ref());
            user.is_some()
        });
        let counts = summary.counts.iter().map(|(class, count)| MessageCount {
            class: match class {
                MessageClass::Voice => "voice",
                MessageClass::Fax => "fax",
                MessageClass::Pager => "pager",
                MessageClass::Multimedia => "multimedia",
                MessageClass::Text => "text",
                MessageClass::None => "none",
            },
            new: count.new,
            old: count.old,
            new_urgent: count.new_urgent,
            old_urgent: count.old_urgent,
        });
        Some(MailboxView {
            account: self.account,
            address,
            waiting: summary.waiting,
            counts: counts.collect(),
            voicemail: if voicemail.is_empty() {
                named.map(str::to_owned)
            } else {
                Some(voicemail.to_owned())
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(watch: WatchKind) -> Watched {
        let colleague = Colleague {
            name: "Bob".to_owned(),
            address: "201".to_owned(),
            watch,
        };
        Watched::new(colleague, Some(AccountId(0)))
    }

    fn own() -> Uri {
        Uri::parse("sip:alice@example.com:5070").unwrap()
    }

    fn body(text: &str) -> Body {
        Body {
            content_type: String::new(),
            bytes: text.as_bytes().to_vec(),
        }
    }

    fn ringing(version: u32, kind: &str) -> Body {
        body(&format!(
            "<dialog-info version='{version}' state='{kind}'><dialog id='d' call-id='c' \
             local-tag='l' remote-tag='r' direction='recipient'><state>early</state>\
             <remote><identity display='Anna'>sip:anna@example.com</identity>\
             <target uri='sip:anna@10.0.0.1'/></remote></dialog></dialog-info>"
        ))
    }

    #[test]
    fn an_extension_is_watched_in_the_domain_of_the_account() {
        let own = own();
        let setup = watched(WatchKind::Blf).setup(Some(&own)).unwrap();
        assert_eq!(setup.target.to_string(), "sip:201@example.com:5070");
        assert_eq!(setup.event, "dialog");
        assert!(watched(WatchKind::Blf).setup(None).is_none());
        let setup = watched(WatchKind::Presence).setup(Some(&own)).unwrap();
        assert_eq!((setup.event, setup.forks), ("presence", false));
    }

    #[test]
    fn a_ringing_colleague_shows_who_calls_and_can_be_picked_up() {
        let mut bob = watched(WatchKind::Blf);
        assert_eq!(
            bob.handle_news(NotifierId(1), &ringing(0, "full")),
            Heard::Taken
        );
        let view = bob.view(Some(&own()));
        assert_eq!(view.state, ColleagueState::Ringing);
        assert_eq!(view.detail.as_deref(), Some("Anna (anna@example.com)"));
        let pickup = view.pickup.unwrap();
        assert_eq!(
            (
                pickup.call_id.as_str(),
                pickup.local_tag.as_str(),
                pickup.remote_tag.as_str()
            ),
            ("c", "l", "r")
        );
        assert_eq!(pickup.target, "sip:anna@10.0.0.1");
    }

    #[test]
    fn without_the_ids_of_the_dialog_nothing_can_be_picked_up() {
        let mut bob = watched(WatchKind::Blf);
        let anonymous = String::from_utf8(ringing(0, "full").bytes).unwrap();
        bob.handle_news(
            NotifierId(1),
            &body(&anonymous.replace("remote-tag='r'", "")),
        );
        assert_eq!(bob.view(None).state, ColleagueState::Ringing);
        assert_eq!(bob.view(None).pickup, None);
    }

    #[test]
    fn a_gap_asks_for_everything_and_leaves_what_is_known() {
        let mut bob = watched(WatchKind::Blf);
        bob.handle_news(NotifierId(1), &ringing(3, "full"));
        assert_eq!(
            bob.handle_news(NotifierId(1), &ringing(5, "partial")),
            Heard::Gap
        );
        assert_eq!(bob.view(None).state, ColleagueState::Ringing);
    }

    #[test]
    fn a_lost_subscription_shows_nothing_and_why() {
        let mut bob = watched(WatchKind::Blf);
        bob.handle_news(NotifierId(1), &ringing(0, "full"));
        let waiting = |seconds| SubscriptionState::Waiting {
            status: None,
            reason: "nobody answers".to_owned(),
            retry_in: Duration::from_secs(seconds),
        };
        // Begun again at once: no flicker.
        bob.handle_state(&waiting(0));
        bob.handle_gone(NotifierId(1));
        assert_eq!(bob.view(None).state, ColleagueState::Ringing);
        bob.handle_news(
            NotifierId(2),
            &body("<dialog-info version='0' state='full'/>"),
        );
        assert_eq!(bob.view(None).state, ColleagueState::Free);
        bob.handle_state(&waiting(30));
        let view = bob.view(None);
        assert_eq!(view.state, ColleagueState::Unknown);
        assert_eq!(
            view.problem.as_deref(),
            Some("nobody answers; tried again in 30 s")
        );
        bob.handle_state(&SubscriptionState::Active { expires: LIFETIME });
        assert_eq!(bob.view(None).problem, None);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let mut bob = watched(WatchKind::Blf);
        bob.handle_news(NotifierId(1), &body("<html/>"));
        let problem = bob.view(None).problem.unwrap();
        assert!(problem.contains("dialog-info"), "{problem}");
    }

    #[test]
    fn presence_is_a_word_and_a_note() {
        let state = |inner: &str| {
            let mut bob = watched(WatchKind::Presence);
            bob.handle_news(
                NotifierId(1),
                &body(&format!("<presence>{inner}</presence>")),
            );
            bob.view(None)
        };
        let open = "<tuple><status><basic>open</basic></status></tuple>";
        assert_eq!(state(open).state, ColleagueState::Available);
        assert_eq!(state("").state, ColleagueState::Unknown);
        let closed = open.replace("open", "closed");
        assert_eq!(state(&closed).state, ColleagueState::Offline);
        let away =
            format!("{open}<person><activities><away/></activities><note>Lunch</note></person>");
        let view = state(&away);
        assert_eq!(
            (view.state, view.detail.as_deref()),
            (ColleagueState::Away, Some("Lunch"))
        );
    }

    #[test]
    fn the_voice_mail_is_the_setting_or_what_the_server_names() {
        let mut mailbox = Mailbox::new(Some(AccountId(0)));
        assert_eq!(mailbox.view(String::new(), ""), None);
        mailbox.handle_news(&body(
            "Messages-Waiting: yes\r\nMessage-Account: sip:*97@example.com\r\nVoice-Message: 3/1\r\n",
        ));
        let view = mailbox.view("sip:a@b".to_owned(), "").unwrap();
        assert!(view.waiting);
        assert_eq!(view.new_voice(), 3);
        assert_eq!(view.voicemail.as_deref(), Some("sip:*97@example.com"));
        let chosen = mailbox.view("sip:a@b".to_owned(), "8000").unwrap();
        assert_eq!(chosen.voicemail.as_deref(), Some("8000"));
        // A domain alone cannot be called.
        mailbox.handle_news(&body(
            "Messages-Waiting: no\r\nMessage-Account: sip:example.com\r\n",
        ));
        assert_eq!(mailbox.view(String::new(), "").unwrap().voicemail, None);
    }
}
