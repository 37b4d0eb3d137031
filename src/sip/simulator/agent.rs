//! The agents of the virtual network: an endpoint each, with a user who acts by a script.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::notifier::Notifier;
use super::world::{Delivery, World};
use crate::base::id::AccountId;
use crate::base::random::SeededRandom;
use crate::base::uri::Uri;
use crate::sip::{
    Body, Endpoint, EndpointConfig, IncomingCall, OutgoingCall, ReferTarget, ReferralAnswer,
    SessionId, SipError, SipEvent, Status, SubscriptionId, SubscriptionSetup,
};

/// Something that an agent's user does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Offer,
    Ring,
    Early,
    Answer,
    Reject(u16),
    HangUp,
    Reinvite,
    AnswerChange(u16),
    /// Presses so many digits, each of which goes out by INFO.
    Digits(u32),
    /// Sends the far end to the agent of that number, counted round (a blind transfer).
    Transfer(usize),
    /// Sends the far end to the one of another call, where there is one (an attended transfer).
    Join,
    /// Follows the far end's wish to go elsewhere.
    Follow,
    /// Does not follow it; with or without a question to the user before.
    Refuse(bool),
}

/// How long a call lasts at most that was made for somebody else.
const REFERRED: Duration = Duration::from_secs(90);

/// Something that an agent's user does with a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WatchAct {
    /// Asks for the whole state.
    Refresh,
    /// Begins again where it is over.
    Again,
    /// Gives it up.
    Leave,
}

/// What a user does, and when, after an event.
pub(super) type Script = fn(&mut SeededRandom, &SipEvent) -> Vec<(Duration, Act)>;

/// What became of one call, as one side saw it.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// The label that both sides share.
    pub(super) label: String,
    pub(super) outgoing: bool,
    /// Whether the call was established here, and when.
    pub(super) established: Option<Instant>,
    /// When we accepted it.
    pub(super) accepted: Option<Instant>,
    /// How it ended.
    pub(super) ended: Vec<(Instant, SipEvent)>,
    /// The digits that were pressed here.
    pub(super) pressed: String,
    /// The digits of the far end.
    pub(super) heard: String,
}

impl Record {
    pub(super) fn outgoing(label: &str) -> Self {
        Self {
            outgoing: true,
            ..Self::incoming(label.to_owned())
        }
    }

    fn incoming(label: String) -> Self {
        Self {
            label,
            outgoing: false,
            established: None,
            accepted: None,
            ended: Vec::new(),
            pressed: String::new(),
            heard: String::new(),
        }
    }
}

/// One endpoint with its user.
pub(super) struct Agent {
    pub(super) endpoint: Endpoint,
    pub(super) ip: IpAddr,
    pub(super) records: BTreeMap<SessionId, Record>,
    /// What was told of each subscription.
    pub(super) watched: BTreeMap<SubscriptionId, Vec<SipEvent>>,
    /// The labels of calls that a restart forgot, when, and whether they were talked.
    pub(super) lost: Vec<(String, Instant, bool)>,
    pub(super) config: EndpointConfig,
    /// All events but traces.
    pub(super) events: Vec<(Instant, SipEvent)>,
    /// All messages: when, whether sent, the far end, the text.
    pub(super) ladder: Vec<(Instant, bool, SocketAddr, String)>,
    /// What the user does on each event; none leaves it to the test.
    pub(super) script: Option<Script>,
    /// Whether its host answers with ICMP only.
    pub(super) down: bool,
    /// Whether streams to it are refused.
    pub(super) refuses_streams: bool,
    /// The address that others see instead of its own, for datagrams.
    pub(super) nat: Option<SocketAddr>,
}

impl World {
    /// Starts a call that both sides will know by its label.
    pub(super) fn call(
        &mut self,
        agent: usize,
        account: Option<AccountId>,
        target: &Uri,
        label: &str,
    ) -> SessionId {
        let headers = [("X-Label".to_owned(), label.to_owned())];
        let now = self.now;
        let caller = &mut self.agents[agent];
        let session = caller
            .endpoint
            .invite(now, account, target, &headers)
            .unwrap();
        caller.records.insert(session, Record::outgoing(label));
        self.drain(agent);
        session
    }

    pub(super) fn act_in(&mut self, after: Duration, agent: usize, session: SessionId, act: Act) {
        self.schedule(
            after,
            Delivery::Act {
                agent,
                session,
                act,
            },
        );
    }

    /// Does something at once; errors are those of a user who was too late.
    pub(super) fn act(&mut self, agent: usize, session: SessionId, act: Act) {
        let now = self.now;
        let body = Body::sdp(format!("v=0 {act:?}"));
        let done = match act {
            Act::Transfer(number) => {
                let target = self.uri(number % self.agents.len());
                self.agents[agent]
                    .endpoint
                    .transfer(now, session, &ReferTarget::Uri(target))
            }
            Act::Join => match self.other_call(agent, session) {
                Some(other) => {
                    self.agents[agent]
                        .endpoint
                        .transfer(now, session, &ReferTarget::Call(other))
                }
                None => Ok(()),
            },
            Act::Follow => self.follow(agent, session),
            Act::Refuse(asked) => {
                let refusal = ReferralAnswer::Refuse(Status::new(603, "Decline"));
                let endpoint = self.endpoint(agent);
                let asked = if asked {
                    endpoint.answer_referral(now, session, &ReferralAnswer::Ask)
                } else {
                    Ok(())
                };
                asked.and_then(|()| endpoint.answer_referral(now, session, &refusal))
            }
            Act::Offer => self.endpoint(agent).offer(now, session, body),
            Act::Ring => self.endpoint(agent).ring(now, session, None),
            Act::Early => self.endpoint(agent).ring(now, session, Some(body)),
            Act::Answer => self.endpoint(agent).answer(now, session, body),
            Act::Reject(code) => {
                self.endpoint(agent)
                    .reject(now, session, Status::new(code, "No"), &[])
            }
            Act::HangUp => self.endpoint(agent).hang_up(now, session),
            Act::Digits(count) => {
                for _ in 0..count {
                    self.press(agent, session);
                }
                Ok(())
            }
            Act::Reinvite => self.endpoint(agent).reinvite(now, session, body),
            Act::AnswerChange(code) => self.endpoint(agent).answer_reinvite(
                now,
                session,
                Status::new(code, ""),
                (code < 300).then_some(body),
            ),
        };
        if done.is_ok()
            && act == Act::Answer
            && let Some(record) = self.agents[agent].records.get_mut(&session)
        {
            record.accepted = Some(now);
        }
        self.drain(agent);
    }

    /// Presses the next digit, which is sent by INFO.
    fn press(&mut self, agent: usize, session: SessionId) {
        const KEYS: [char; 12] = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];
        let now = self.now;
        let host = &mut self.agents[agent];
        let Some(record) = host.records.get_mut(&session) else {
            return;
        };
        let digit = KEYS[record.pressed.len() % KEYS.len()];
        let body = Body {
            content_type: "application/dtmf-relay".to_owned(),
            bytes: format!("Signal={digit}\r\nDuration=160\r\n").into_bytes(),
        };
        if host.endpoint.inform(now, session, body).is_ok() {
            record.pressed.push(digit);
        }
    }

    /// Subscribes to news, and plans what the user does with the subscription.
    pub(super) fn watch(
        &mut self,
        agent: usize,
        account: Option<AccountId>,
        setup: SubscriptionSetup,
        acts: &[(Duration, WatchAct)],
    ) {
        let now = self.now;
        let subscription = self.endpoint(agent).subscribe(now, account, setup).unwrap();
        for (after, act) in acts {
            self.schedule(
                *after,
                Delivery::Watch {
                    agent,
                    subscription,
                    act: *act,
                },
            );
        }
        self.drain(agent);
    }

    pub(super) fn act_on_watch(
        &mut self,
        agent: usize,
        subscription: SubscriptionId,
        act: WatchAct,
    ) {
        let now = self.now;
        let endpoint = self.endpoint(agent);
        match act {
            WatchAct::Refresh => endpoint.refresh_subscription(now, subscription),
            WatchAct::Again => endpoint.subscribe_again(now, subscription),
            WatchAct::Leave => endpoint.unsubscribe(now, subscription),
        }
    }

    /// The notifier tells one of its watchers something.
    pub(super) fn tell_watcher(&mut self) {
        if let Some((to, bytes)) = self.notifier.tell(self.now, &mut self.random) {
            self.transmit(Notifier::address(), to, bytes);
        }
    }

    /// The notifier writes to an agent that did not ask for it.
    pub(super) fn write_to(&mut self, agent: usize) {
        let user = self.uri(agent);
        let bytes = self.notifier.write(&user, &mut self.random);
        self.transmit(Notifier::address(), self.address(agent), bytes);
    }

    fn endpoint(&mut self, agent: usize) -> &mut Endpoint {
        &mut self.agents[agent].endpoint
    }

    /// Another established call of an agent.
    fn other_call(&self, agent: usize, session: SessionId) -> Option<SessionId> {
        let mut records = self.agents[agent].records.iter();
        let open = |record: &Record| record.established.is_some() && record.ended.is_empty();
        records.find_map(|(id, record)| (*id != session && open(record)).then_some(*id))
    }

    /// Calls whom the far end names; the call has a label and an end of its own.
    fn follow(&mut self, agent: usize, session: SessionId) -> Result<(), SipError> {
        let now = self.now;
        self.referred += 1;
        let label = format!("referred-{}", self.referred);
        let headers = [("X-Label".to_owned(), label.clone())];
        let host = &mut self.agents[agent];
        let wish = host.events.iter().rev().find_map(|(_, event)| match event {
            SipEvent::Referral(wish) if wish.session == session => Some(wish.target.clone()),
            _ => None,
        });
        let target = wish.expect("the far end named somebody");
        let wanted = OutgoingCall {
            account: None,
            target: &target,
            headers: &headers,
            urgent: false,
        };
        host.endpoint
            .answer_referral(now, session, &ReferralAnswer::Follow)?;
        let call = host.endpoint.invite_referred(now, session, &wanted)?;
        host.records.insert(call, Record::outgoing(&label));
        self.act_in(REFERRED, agent, call, Act::HangUp);
        Ok(())
    }

    pub(super) fn note(&mut self, agent: usize, event: SipEvent) {
        let now = self.now;
        let host = &mut self.agents[agent];
        match &event {
            SipEvent::Trace {
                sent,
                remote,
                message,
                ..
            } => {
                host.ladder.push((now, *sent, *remote, message.redacted()));
                return;
            }
            SipEvent::Incoming(call) => {
                let record = Record::incoming(label_of(call));
                host.records.insert(call.session, record);
            }
            SipEvent::Answered { session, .. } | SipEvent::Confirmed { session, .. } => {
                let record = host.records.get_mut(session).unwrap();
                assert!(record.established.is_none(), "{} twice", record.label);
                record.established = Some(now);
            }
            SipEvent::Ended { session, .. } => {
                let record = host.records.get_mut(session).unwrap();
                record.ended.push((now, event.clone()));
            }
            SipEvent::InfoDigit { session, digit } => {
                let record = host.records.get_mut(session).unwrap();
                record.heard.push(*digit);
            }
            SipEvent::Subscription { subscription, .. }
            | SipEvent::News { subscription, .. }
            | SipEvent::NotifierGone { subscription, .. } => {
                let told = host.watched.entry(*subscription).or_default();
                told.push(event.clone());
            }
            _ => {}
        }
        host.events.push((now, event.clone()));
        let Some(script) = host.script else {
            return;
        };
        if let Some(session) = session_of(&event) {
            for (after, act) in script(&mut self.random, &event) {
                self.act_in(after, agent, session, act);
            }
        }
    }
}

fn session_of(event: &SipEvent) -> Option<SessionId> {
    match event {
        SipEvent::Incoming(call) => Some(call.session),
        SipEvent::Referral(referral) => Some(referral.session),
        SipEvent::OfferNeeded { session, .. }
        | SipEvent::Progress { session, .. }
        | SipEvent::Answered { session, .. }
        | SipEvent::Confirmed { session, .. }
        | SipEvent::Reinvite { session, .. }
        | SipEvent::ReinviteConfirmed { session, .. }
        | SipEvent::ReinviteAnswered { session, .. }
        | SipEvent::ChangeDeferred { session }
        | SipEvent::ChangePossible { session }
        | SipEvent::InfoDigit { session, .. }
        | SipEvent::Transfer { session, .. }
        | SipEvent::ReferralOver { session }
        | SipEvent::Moved { session, .. }
        | SipEvent::Redirected { session, .. }
        | SipEvent::Redirecting { session, .. }
        | SipEvent::NotFollowed { session, .. }
        | SipEvent::Ended { session, .. } => Some(*session),
        SipEvent::Registration { .. }
        | SipEvent::StrongRealm { .. }
        | SipEvent::InformationRefused { .. }
        | SipEvent::CredentialsKept { .. }
        | SipEvent::Subscription { .. }
        | SipEvent::News { .. }
        | SipEvent::NotifierGone { .. }
        | SipEvent::UnsolicitedNews(_)
        | SipEvent::Message { .. }
        | SipEvent::Trace { .. } => None,
    }
}

pub(super) fn label_of(call: &IncomingCall) -> String {
    call.headers
        .iter()
        .find(|(name, _)| name == "X-Label")
        .map(|(_, value)| value.clone())
        .unwrap_or_default()
}
