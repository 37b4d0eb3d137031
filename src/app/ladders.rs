//! The SIP ladders of calls and registrations, collected in memory and handed to the store in
//! batches after a call's end.
//!
//! Messages are kept as they went over the wire; whoever writes or shows them gets them redacted.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::app::engine::{Engine, Internal};
use crate::base::clock;
use crate::base::flow::Transport;
use crate::base::id::CallId;
use crate::base::redact::WireMessage;
use crate::crm::call_ladders::{LadderBatch, WireRung};
use crate::crm::row::LadderMessage;
use crate::crm::store::{Ack, Write};
use crate::sip::SipEvent;

/// Ladders in memory: open calls, and ended ones whose late messages are awaited.
const LADDERS: usize = 4_096;
/// Octets of all ladders in memory.
const OCTETS: usize = 32 << 20;
/// Octets of one ladder: a hundred messages of a usual call.
const OCTETS_EACH: usize = 96 << 10;
/// Messages of one ladder: the first and the last half are kept.
const RUNGS: usize = 200;
/// Ladders that are written together.
const BATCH: usize = 64;
/// So long after the end of a call its ladder is written: the last answers and ACKs are in by then.
const LINGER: Duration = Duration::from_millis(500);
/// So long messages of an ended call, or of one that never came to be, are awaited: a little more
/// than 64*T1 (RFC 3261 section 17).
const FORGET: Duration = Duration::from_secs(34);
/// Registrations whose last messages are kept.
const REGISTRATIONS: usize = 64;
/// Messages of each registration.
const REGISTRATION_RUNGS: usize = 16;

/// A message as the SIP core saw it.
pub(super) struct Traced {
    pub(super) sent: bool,
    pub(super) transport: Transport,
    pub(super) local: Option<SocketAddr>,
    pub(super) remote: SocketAddr,
    pub(super) message: WireMessage,
}

/// The ladders, shared with whoever reads records.
#[derive(Clone, Default)]
pub(super) struct SharedLadders(Arc<Mutex<Ladders>>);

impl SharedLadders {
    /// Each change leaves the table whole, so a panic elsewhere does not spoil it.
    pub(super) fn lock(&self) -> MutexGuard<'_, Ladders> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All ladders in memory.
#[derive(Default)]
pub(super) struct Ladders {
    by_sip_call_id: HashMap<Arc<str>, Ladder>,
    /// SIP Call-IDs of each call that has unwritten messages or may get some.
    by_call: HashMap<CallId, Vec<Arc<str>>>,
    octets: usize,
    /// Which ladders are written when, in order.
    due: VecDeque<(Instant, Arc<str>)>,
    /// Which ladders are forgotten when, in order, unless their call lives.
    forget: VecDeque<(Instant, Arc<str>)>,
    /// What the store is writing now.
    in_flight: Vec<(CallId, Vec<WireRung>)>,
    /// The newest at the end.
    registrations: VecDeque<(Arc<str>, VecDeque<WireRung>)>,
}

#[derive(Default)]
struct Ladder {
    call: Option<CallId>,
    over: bool,
    first: Vec<WireRung>,
    last: VecDeque<WireRung>,
    /// Messages left out between the two.
    omitted: u64,
    octets: usize,
    local: Option<SocketAddr>,
    /// Whether it stands in `due`.
    is_due: bool,
}

impl Engine {
    /// Takes a message for the ladder of its call.
    pub(super) fn trace(&self, now: Instant, event: SipEvent) {
        let SipEvent::Trace {
            at: _,
            sent,
            transport,
            local,
            remote,
            message,
        } = event
        else {
            return;
        };
        let traced = Traced {
            sent,
            transport,
            local,
            remote,
            message,
        };
        if tracing::enabled!(tracing::Level::DEBUG) {
            let (remote, sent) = (traced.remote, traced.sent);
            tracing::debug!(%remote, sent, "{}", traced.message.redacted_head());
        }
        self.ladders.lock().trace(now, clock::wall_now(), traced);
        self.pages.invalidate_ladders();
    }

    /// When ladders are to be written; rows of calls go first.
    pub(super) fn ladders_due(&self) -> Option<Instant> {
        if self.journal.is_empty() {
            self.ladders.lock().next_due()
        } else {
            None
        }
    }

    /// Hands ladders that are due to the store, one batch at a time.
    pub(super) fn write_ladders(&self, now: Instant) {
        if !self.journal.is_empty() {
            return;
        }
        let ladders = self.ladders.lock().take_due(now);
        if ladders.is_empty() {
            return;
        }
        let written = self.save_ladders(ladders);
        let internal = self.internal.clone();
        tokio::spawn(async move {
            if let Ok(Err(error)) = written.await {
                tracing::warn!("the SIP messages of some calls are lost: {error}");
            }
            drop(internal.send(Internal::LaddersWritten).await);
        });
    }

    /// Hands everything to the store, which writes what is queued before it closes.
    pub(super) fn write_all_ladders(&self) {
        let ladders = self.ladders.lock().take_all();
        if !ladders.is_empty() {
            drop(self.save_ladders(ladders));
        }
    }

    /// Queues a batch as the settings want it.
    fn save_ladders(&self, ladders: Vec<(CallId, Vec<WireRung>)>) -> Ack {
        let days = self.options.settings.ladder_days;
        let saved_at = clock::wall_now();
        let kept = SignedDuration::from_hours(i64::from(days) * 24);
        let kept_since = saved_at.checked_sub(kept).unwrap_or(Timestamp::UNIX_EPOCH);
        let ladders = if days == 0 { Vec::new() } else { ladders };
        // Without days nothing is kept, and what was kept before goes.
        self.store.write(Write::SaveLadders(LadderBatch {
            ladders,
            saved_at,
            kept_since,
        }))
    }
}

impl Ladders {
    /// Takes one message.
    pub(super) fn trace(&mut self, now: Instant, at: Timestamp, traced: Traced) {
        let (Some(id), method) = traced.message.call_id_and_method() else {
            return;
        };
        if method.as_deref() == Some("REGISTER") {
            self.trace_registration(&id, at, traced);
            return;
        }
        let known = self.by_sip_call_id.get_key_value(id.as_str());
        let key = match known {
            Some((key, _)) => Arc::clone(key),
            None if method.as_deref() == Some("INVITE") => {
                if !self.make_room(now) {
                    return;
                }
                let key: Arc<str> = id.into();
                self.forget.push_back((now + FORGET, Arc::clone(&key)));
                key
            }
            // Requests outside of calls have no ladder.
            None => return,
        };
        let ladder = self.by_sip_call_id.entry(Arc::clone(&key)).or_default();
        let before = ladder.octets;
        ladder.push(at, traced);
        self.octets = self.octets.saturating_sub(before) + ladder.octets;
        if ladder.over && !ladder.is_due {
            ladder.is_due = true;
            self.due.push_back((now + LINGER, key));
        }
    }

    /// Learns which call a SIP Call-ID belongs to, before or after its first message.
    pub(super) fn belongs(&mut self, sip_call_id: &str, call: CallId) {
        let key: Arc<str> = match self.by_sip_call_id.get_key_value(sip_call_id) {
            Some((key, _)) => Arc::clone(key),
            None => sip_call_id.into(),
        };
        let ladder = self.by_sip_call_id.entry(Arc::clone(&key)).or_default();
        ladder.call = Some(call);
        let keys = self.by_call.entry(call).or_default();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }

    /// Learns that a call is over: its ladder will be written.
    pub(super) fn ended(&mut self, now: Instant, call: CallId) {
        for key in self.by_call.get(&call).into_iter().flatten() {
            let Some(ladder) = self.by_sip_call_id.get_mut(key) else {
                continue;
            };
            ladder.over = true;
            self.forget.push_back((now + FORGET, Arc::clone(key)));
            if !ladder.is_due {
                ladder.is_due = true;
                self.due.push_back((now + LINGER, Arc::clone(key)));
            }
        }
    }

    /// When `take_due` has something to give.
    pub(super) fn next_due(&self) -> Option<Instant> {
        if !self.in_flight.is_empty() {
            return None;
        }
        self.due.front().map(|(at, _)| *at)
    }

    /// Takes what is to be written by now; `written` must follow before anything else is taken.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<(CallId, Vec<WireRung>)> {
        self.forget_old(now);
        if !self.in_flight.is_empty() {
            return Vec::new();
        }
        while self.in_flight.len() < BATCH
            && self.due.front().is_some_and(|(at, _)| *at <= now)
            && let Some((_, key)) = self.due.pop_front()
        {
            self.take(&key);
        }
        self.in_flight.clone()
    }

    /// What was taken is on disk, or could not be written.
    pub(super) fn written(&mut self) {
        self.in_flight.clear();
    }

    /// Takes the ladders of all calls, open ones too: the phone ends. Who reads records meanwhile
    /// still finds them here, until they are on disk.
    pub(super) fn take_all(&mut self) -> Vec<(CallId, Vec<WireRung>)> {
        let mut keys: Vec<_> = self.by_call.values().flatten().cloned().collect();
        keys.sort();
        let begun = self.in_flight.len();
        for key in keys {
            self.take(&key);
        }
        self.in_flight.iter().skip(begun).cloned().collect()
    }

    /// The messages of a call that may not be in the store yet, in order and redacted.
    pub(super) fn of(&self, call: CallId) -> Vec<LadderMessage> {
        let in_flight = self.in_flight.iter().filter(|(of, _)| *of == call);
        let keys = self.by_call.get(&call).into_iter().flatten();
        let open = keys.filter_map(|key| self.by_sip_call_id.get(key));
        let mut messages: Vec<LadderMessage> = in_flight
            .flat_map(|(_, rungs)| rungs)
            .chain(open.flat_map(Ladder::rungs))
            .map(WireRung::redacted)
            .collect();
        messages.sort_by_key(|message| message.at);
        messages
    }

    /// The last messages of the registration of an address such as `sip:alice@example.com`, in
    /// order and redacted.
    pub(super) fn of_registration(&self, address: &str) -> Vec<LadderMessage> {
        self.registrations
            .iter()
            .rev()
            .map(|(_, rungs)| rungs.iter().map(WireRung::redacted).collect::<Vec<_>>())
            .find(|messages| messages.iter().any(|message| is_to(&message.text, address)))
            .unwrap_or_default()
    }

    fn trace_registration(&mut self, id: &str, at: Timestamp, traced: Traced) {
        let known = self.registrations.iter().position(|(key, _)| **key == *id);
        let (key, mut rungs) = known
            .and_then(|place| self.registrations.remove(place))
            .unwrap_or_else(|| (id.into(), VecDeque::new()));
        let local = rungs.back().map(|rung| rung.local);
        rungs.push_back(rung(at, traced, local));
        if rungs.len() > REGISTRATION_RUNGS {
            rungs.pop_front();
        }
        self.registrations.push_back((key, rungs));
        if self.registrations.len() > REGISTRATIONS {
            self.registrations.pop_front();
        }
    }

    /// Moves the messages of a ladder to what is being written.
    fn take(&mut self, key: &Arc<str>) {
        let Some(ladder) = self.by_sip_call_id.get_mut(key) else {
            return;
        };
        ladder.is_due = false;
        let Some(call) = ladder.call else {
            return;
        };
        self.octets = self.octets.saturating_sub(ladder.octets);
        let rungs = ladder.take_rungs();
        if !rungs.is_empty() {
            self.in_flight.push((call, rungs));
        }
    }

    /// Forgets ladders whose time is over.
    fn forget_old(&mut self, now: Instant) {
        while self.forget.front().is_some_and(|(at, _)| *at <= now) {
            self.forget_first();
        }
    }

    /// Whether one more ladder may be made; if need be the oldest go that nobody waits for.
    fn make_room(&mut self, now: Instant) -> bool {
        self.forget_old(now);
        while self.by_sip_call_id.len() >= LADDERS || self.octets >= OCTETS {
            if !self.forget_first() {
                return false;
            }
        }
        true
    }

    /// Forgets the ladder whose turn is next, unless its call lives; false when there is none.
    fn forget_first(&mut self) -> bool {
        let Some((_, key)) = self.forget.pop_front() else {
            return false;
        };
        let lives = self
            .by_sip_call_id
            .get(&key)
            .is_some_and(|ladder| ladder.call.is_some() && !ladder.over);
        if !lives && let Some(ladder) = self.by_sip_call_id.remove(&key) {
            self.octets = self.octets.saturating_sub(ladder.octets);
            if let Some(call) = ladder.call
                && let Some(keys) = self.by_call.get_mut(&call)
            {
                keys.retain(|other| *other != key);
                if keys.is_empty() {
                    self.by_call.remove(&call);
                }
            }
        }
        true
    }
}

impl Ladder {
    fn push(&mut self, at: Timestamp, traced: Traced) {
        self.local = traced.local.or(self.local);
        let rung = rung(at, traced, self.local);
        self.octets += rung.message.len();
        if self.first.len() < RUNGS / 2 && self.octets <= OCTETS_EACH / 2 {
            self.first.push(rung);
            return;
        }
        self.last.push_back(rung);
        while self.last.len() > 1 && (self.last.len() > RUNGS / 2 || self.octets > OCTETS_EACH) {
            if let Some(left_out) = self.last.pop_front() {
                self.octets = self.octets.saturating_sub(left_out.message.len());
                self.omitted += 1;
            }
        }
    }

    fn rungs(&self) -> impl Iterator<Item = &WireRung> {
        self.first.iter().chain(&self.last)
    }

    fn take_rungs(&mut self) -> Vec<WireRung> {
        let mut rungs = std::mem::take(&mut self.first);
        if let Some(after_gap) = self.last.front_mut() {
            after_gap.omitted = self.omitted;
        }
        rungs.extend(self.last.drain(..));
        self.omitted = 0;
        self.octets = 0;
        rungs
    }
}

/// Our end of a datagram that we send stands in its Via (a request), or is where the request came.
fn rung(at: Timestamp, traced: Traced, before: Option<SocketAddr>) -> WireRung {
    let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let local = traced
        .local
        .or(before)
        .or_else(|| traced.message.sent_by())
        .unwrap_or(nowhere);
    WireRung {
        at,
        sent: traced.sent,
        transport: traced.transport,
        local,
        remote: traced.remote,
        omitted: 0,
        message: traced.message,
    }
}

/// Whether a message's To names the address.
fn is_to(text: &str, address: &str) -> bool {
    text.lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| matches!(name.trim().to_ascii_lowercase().as_str(), "to" | "t"))
        .any(|(_, value)| {
            value.match_indices(address).any(|(at, found)| {
                let after = value
                    .get(at + found.len()..)
                    .and_then(|rest| rest.chars().next());
                after.is_none_or(|c| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-'))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: fn(u8) -> CallId = |n| CallId::new(1, [n; 10]);

    struct Desk {
        ladders: Ladders,
        start: Instant,
    }

    impl Desk {
        fn new() -> Self {
            Self {
                ladders: Ladders::default(),
                start: clock::monotonic_now(),
            }
        }

        fn at(&self, millis: u64) -> Instant {
            self.start + Duration::from_millis(millis)
        }

        fn message(&mut self, millis: u64, id: &str, first: &str, method: &str) {
            let text = format!(
                "{first}\r\nTo: <sip:a@h.example>\r\nCall-ID: {id}\r\nCSeq: 1 {method}\r\n\r\n"
            );
            let traced = Traced {
                sent: first.starts_with("SIP"),
                transport: Transport::Udp,
                local: None,
                remote: "10.0.0.2:5070".parse().unwrap(),
                message: WireMessage::new(text.as_bytes()),
            };
            let wall = Timestamp::from_millisecond(i64::try_from(millis).unwrap()).unwrap();
            self.ladders.trace(self.at(millis), wall, traced);
        }

        fn taken(&mut self, millis: u64) -> Vec<(CallId, usize)> {
            let taken = self.ladders.take_due(self.at(millis));
            self.ladders.written();
            taken
                .into_iter()
                .map(|(call, rungs)| (call, rungs.len()))
                .collect()
        }
    }

    #[test]
    fn a_ladder_is_written_once_a_moment_after_the_end_and_late_messages_follow() {
        let mut desk = Desk::new();
        desk.message(0, "a", "INVITE sip:x SIP/2.0", "INVITE");
        desk.ladders.belongs("a", CALL(1));
        desk.message(1, "a", "SIP/2.0 180 Ringing", "INVITE");
        assert_eq!(desk.ladders.next_due(), None);
        assert_eq!(desk.ladders.of(CALL(1)).len(), 2);
        desk.ladders.ended(desk.at(10), CALL(1));
        desk.message(11, "a", "SIP/2.0 486 Busy Here", "INVITE");
        assert_eq!(desk.ladders.next_due(), Some(desk.at(510)));
        assert_eq!(desk.taken(509), []);
        assert_eq!(desk.taken(510), [(CALL(1), 3)]);
        assert_eq!(desk.ladders.of(CALL(1)), []);
        desk.message(5_000, "a", "ACK sip:x SIP/2.0", "ACK");
        assert_eq!(desk.taken(5_500), [(CALL(1), 1)]);
        assert_eq!(desk.taken(35_000), []);
        assert!(desk.ladders.by_sip_call_id.is_empty() && desk.ladders.by_call.is_empty());
        assert_eq!(desk.ladders.octets, 0);
    }

    #[test]
    fn while_one_batch_is_written_the_next_waits_and_stays_readable() {
        let mut desk = Desk::new();
        desk.message(0, "a", "INVITE sip:x SIP/2.0", "INVITE");
        desk.ladders.belongs("a", CALL(1));
        desk.ladders.ended(desk.at(0), CALL(1));
        let taken = desk.ladders.take_due(desk.at(500));
        assert_eq!(taken.len(), 1);
        desk.message(600, "a", "ACK sip:x SIP/2.0", "ACK");
        assert!(desk.ladders.take_due(desk.at(2_000)).is_empty());
        assert_eq!(desk.ladders.of(CALL(1)).len(), 2);
        assert_eq!(desk.ladders.next_due(), None);
        desk.ladders.written();
        assert_eq!(desk.taken(2_000), [(CALL(1), 1)]);
    }

    /// A reader that came between the phone's end and the disk found neither.
    #[test]
    fn what_is_written_when_the_phone_ends_stays_readable_meanwhile() {
        let mut desk = Desk::new();
        desk.message(0, "a", "INVITE sip:x SIP/2.0", "INVITE");
        desk.ladders.belongs("a", CALL(1));
        assert_eq!(desk.ladders.take_all().len(), 1);
        assert_eq!(desk.ladders.of(CALL(1)).len(), 1);
    }

    #[test]
    fn the_middle_of_a_long_ladder_is_left_out_and_counted() {
        let mut desk = Desk::new();
        for n in 0..1_000 {
            desk.message(n, "a", "INVITE sip:x SIP/2.0", "INVITE");
        }
        desk.ladders.belongs("a", CALL(1));
        let taken = desk.ladders.take_all();
        let (_, rungs) = &taken[0];
        assert_eq!(rungs.len(), RUNGS);
        assert_eq!(rungs[RUNGS / 2].omitted, 800);
        assert_eq!(rungs.iter().map(|rung| rung.omitted).sum::<u64>(), 800);
        assert_eq!(rungs[199].at, Timestamp::from_millisecond(999).unwrap());
    }

    #[test]
    fn a_flood_of_calls_that_never_come_to_be_stays_bounded_and_spares_the_living() {
        let mut desk = Desk::new();
        desk.message(0, "living", "INVITE sip:x SIP/2.0", "INVITE");
        desk.ladders.belongs("living", CALL(1));
        for n in 0..20_000 {
            desk.message(1, &format!("flood{n}"), "INVITE sip:x SIP/2.0", "INVITE");
        }
        assert_eq!(desk.ladders.by_sip_call_id.len(), LADDERS);
        assert!(desk.ladders.forget.len() <= LADDERS);
        assert_eq!(desk.ladders.of(CALL(1)).len(), 1);
        desk.message(2, "options", "OPTIONS sip:x SIP/2.0", "OPTIONS");
        assert!(!desk.ladders.by_sip_call_id.contains_key("options"));
    }

    #[test]
    fn the_last_messages_of_each_registration_are_found_by_its_address() {
        let mut desk = Desk::new();
        for n in 0..40 {
            desk.message(n, "r", "REGISTER sip:h.example SIP/2.0", "REGISTER");
        }
        assert_eq!(
            desk.ladders.of_registration("sip:a@h.example").len(),
            REGISTRATION_RUNGS
        );
        assert_eq!(desk.ladders.of_registration("sip:a@h"), []);
        assert_eq!(desk.ladders.of_registration("sip:b@h.example"), []);
    }
}
