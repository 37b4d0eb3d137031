//! What the engine knows of a call's sound: the measured seconds, and why one side is not heard.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::app::engine::{Engine, Internal};
use crate::app::sound_fault;
use crate::base::id::CallId;
use crate::control::{CallStage, Event, MosView, QualityView, SoundFaultView};
use crate::crm::row::{CallQuality, Millis, Mos, QualitySeries, QualitySpan, Share};
use crate::crm::store::{CallChange, Write};
use crate::media::emodel::{Scale, Score};
use crate::media::one_way::Cause;
use crate::media::quality::Second;
use crate::media::{MediaEvent, Quality};

/// The far end gets so long after the answer, or another plan, before anything is said.
const GRACE: Duration = Duration::from_secs(2);
/// Seconds after which the figures of a call that goes on are written again.
const SAVE_AFTER: u32 = 60;
/// What waits is written together, so long after the first of it came.
const GATHER: Duration = Duration::from_millis(500);

/// One cause while it lasts.
#[derive(Debug, Clone, Copy)]
struct Found {
    cause: Cause,
    since: Instant,
    told: bool,
}

/// What is known of the sound of one call.
#[derive(Debug, Default)]
pub(super) struct CallSound {
    series: QualitySeries,
    /// Seconds until the figures are written.
    unsaved: u32,
    /// Why we do not hear, and why we are not heard.
    found: [Option<Found>; 2],
    /// What was told and lasted longest.
    longest: Option<(Cause, Duration)>,
    /// Where we send to.
    pub(super) remote: Option<SocketAddr>,
    /// Whether the far end was asked for a new way.
    renewed: bool,
}

/// Figures that wait to be written.
#[derive(Debug, Default)]
pub(super) struct UnsavedQuality {
    waiting: Vec<(CallId, Vec<QualitySpan>)>,
    due: Option<Instant>,
}

impl UnsavedQuality {
    /// When they are due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    fn push(&mut self, now: Instant, call: CallId, spans: Vec<QualitySpan>) {
        self.waiting.retain(|(known, _)| *known != call);
        self.waiting.push((call, spans));
        self.due.get_or_insert(now + GATHER);
    }

    fn take(&mut self, now: Instant) -> Vec<(CallId, Vec<QualitySpan>)> {
        if self.due.take_if(|due| *due <= now).is_none() {
            return Vec::new();
        }
        std::mem::take(&mut self.waiting)
    }
}

impl CallSound {
    /// Takes a second's figures; true when the figures shall be written.
    fn push(&mut self, second: &Second) -> bool {
        self.series.push(span(second));
        self.unsaved += 1;
        if self.unsaved < SAVE_AFTER {
            return false;
        }
        self.unsaved = 0;
        true
    }

    /// A cause was found, or is over; gives it when its end is to be told.
    fn take(&mut self, now: Instant, cause: Cause, over: bool) -> Option<Cause> {
        let [incoming, outgoing] = &mut self.found;
        let slot = if cause.is_incoming() {
            incoming
        } else {
            outgoing
        };
        let ended = slot.take();
        if !over {
            *slot = Some(Found {
                cause,
                since: now,
                told: false,
            });
        }
        let ended = ended.filter(|found| found.told)?;
        self.remember(now, ended);
        Some(ended.cause)
    }

    /// What is to be told by now in a call that is talked since then.
    fn tell_by(&mut self, now: Instant, talked_since: Instant) -> Vec<Cause> {
        if now.saturating_duration_since(talked_since) < GRACE {
            return Vec::new();
        }
        let found = self.found.iter_mut().flatten();
        let untold = found.filter_map(|found| {
            let told = std::mem::replace(&mut found.told, true);
            (!told).then_some(found.cause)
        });
        untold.collect()
    }

    /// Counts what lasts as over: the call has ended.
    fn close(&mut self, now: Instant) {
        for found in std::mem::take(&mut self.found).into_iter().flatten() {
            if found.told {
                self.remember(now, found);
            }
        }
    }

    fn remember(&mut self, now: Instant, found: Found) {
        let lasted = now.saturating_duration_since(found.since);
        if self.longest.is_none_or(|(_, longest)| lasted > longest) {
            self.longest = Some((found.cause, lasted));
        }
    }

    /// What keeps one side from hearing now, as far as it was told.
    pub(super) fn faults(&self) -> Vec<SoundFaultView> {
        let told = self.found.iter().flatten().filter(|found| found.told);
        told.map(|found| sound_fault::view(found.cause)).collect()
    }

    /// How many seconds there were by now.
    pub(super) fn seconds(&self) -> u32 {
        self.series.seconds()
    }

    /// The sum of the figures.
    pub(super) fn summary(&self) -> Option<CallQuality> {
        self.series.summary()
    }

    /// Why one side was not heard, and for how long.
    fn problem(&self) -> Option<String> {
        let (cause, lasted) = self.longest?;
        let seconds = lasted.as_secs().max(1);
        Some(format!("{}, for {seconds} s", sound_fault::text(cause)))
    }
}

impl Engine {
    /// Takes a second's figures.
    pub(super) fn handle_quality(
        &mut self,
        now: Instant,
        id: CallId,
        quality: &Quality,
        second: &Second,
    ) {
        let Some(live) = self.calls.get_mut(&id) else {
            return;
        };
        let save = live.sound.push(second);
        let view = view(quality, second);
        live.quality = Some(view);
        let event = Event::Quality {
            call: live.context(),
            figures: view,
            received: quality.received,
            sent: quality.sent,
            dropped: (quality.dropped.counts())
                .filter(|(_, count)| *count > 0)
                .map(|(reason, count)| (reason.word(), count))
                .collect(),
        };
        if save {
            let spans = live.sound.series.spans().to_vec();
            self.unsaved_quality.push(now, id, spans);
        }
        self.tell(event);
        self.tell_faults(now, id);
    }

    /// Takes news of why one side is not heard.
    pub(super) fn handle_one_way(&mut self, now: Instant, event: &MediaEvent) {
        let MediaEvent::OneWay { call, cause, over } = event else {
            return;
        };
        let parts = self.options.settings.voice.parts();
        if !*over && !sound_fault::is_wanted(*cause, parts) {
            return;
        }
        let Some(live) = self.calls.get_mut(call) else {
            return;
        };
        if let Some(ended) = live.sound.take(now, *cause, *over) {
            let event = Event::SoundFault {
                call: live.context(),
                fault: sound_fault::view(ended),
                over: true,
            };
            self.tell(event);
        }
        self.tell_faults(now, *call);
    }

    /// Tells why one side is not heard, once the call is talked long enough; and does what helps.
    fn tell_faults(&mut self, now: Instant, id: CallId) {
        let Some(live) = self.calls.get_mut(&id) else {
            return;
        };
        // Who rings or holds need not be heard.
        let Some(since) = live
            .heard_since
            .filter(|_| live.stage() == CallStage::Talking)
        else {
            return;
        };
        for cause in live.sound.tell_by(now, since) {
            tracing::info!(call = %id, "{}", sound_fault::text(cause));
            let Some(live) = self.calls.get(&id) else {
                return;
            };
            let event = Event::SoundFault {
                call: live.context(),
                fault: sound_fault::view(cause),
                over: false,
            };
            self.tell(event);
            self.renew_way(now, id, cause);
        }
    }

    /// Asks the far end once for a new way of the sound, where ours may be wrong: our address is
    /// another by now, it gave none, or it says that it receives nothing. A call for help is left as
    /// it is.
    fn renew_way(&mut self, now: Instant, id: CallId, cause: Cause) {
        let Some(live) = self.calls.get_mut(&id) else {
            return;
        };
        if live.emergency || live.sound.renewed {
            return;
        }
        let asks = match cause {
            Cause::NoAddress | Cause::FarEndHearsNothing => true,
            Cause::NothingReceived(_) => false,
            Cause::WrongSource(_)
            | Cause::WrongPayload(_)
            | Cause::Undecodable
            | Cause::Unauthentic
            | Cause::NoFrames
            | Cause::SilentMicrophone
            | Cause::SpeaksMuted => return,
        };
        let told = live.local_rtp().map(|rtp| rtp.ip());
        let remote = live.sound.remote;
        // An address that is still ours may be the one that the call's own server needs.
        let gone = told.is_some_and(|told| !self.net.has_address(told));
        let moved = remote
            .filter(|_| gone)
            .and_then(|remote| self.net.local_ip_towards(remote))
            .filter(|ip| told.is_some_and(|told| told.to_canonical() != ip.to_canonical()));
        if moved.is_none() && !asks {
            return;
        }
        live.sound.renewed = true;
        self.with_call(now, id, |live| match moved {
            Some(local_ip) => live.call.handle_moved(local_ip),
            None => live.call.renew(),
        });
    }

    /// Writes down what became of the sound of a call that has ended.
    pub(super) fn close_sound(&mut self, now: Instant, id: CallId) {
        let Some(live) = self.calls.get_mut(&id) else {
            return;
        };
        live.sound.close(now);
        let quality = live.sound.summary().map(Box::new);
        let problem = live.sound.problem();
        let spans = live.sound.series.spans().to_vec();
        if !spans.is_empty() {
            self.unsaved_quality.push(now, id, spans);
        }
        if quality.is_some() || problem.is_some() {
            let change = CallChange::Sound { quality, problem };
            self.record(Write::ChangeCall(id, change));
        }
    }

    /// Hands figures that are due to the store; rows of calls go first.
    pub(super) fn write_quality(&mut self, now: Instant) {
        if !self.journal.is_empty() {
            return;
        }
        let batch = self.unsaved_quality.take(now);
        if batch.is_empty() {
            return;
        }
        let written = self.store.write(Write::SaveQuality(batch));
        let internal = self.internal.clone();
        tokio::spawn(async move {
            if let Ok(Err(error)) = written.await {
                tracing::warn!("the figures of some calls are lost: {error}");
            }
            drop(internal.send(Internal::QualityWritten).await);
        });
    }

    /// Hands all figures to the store, which writes what is queued before it closes.
    pub(super) fn write_all_quality(&mut self) {
        let batch = std::mem::take(&mut self.unsaved_quality.waiting);
        if !batch.is_empty() {
            drop(self.store.write(Write::SaveQuality(batch)));
        }
    }
}

/// A second as it is kept.
fn span(second: &Second) -> QualitySpan {
    let millis = |time: Option<Duration>| time.map(|time| Millis::of(time.as_secs_f64() * 1e3));
    let whole = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    let score = |score: Option<Score>| score.map(|score| Mos::of(score.mos.into()));
    let (incoming, outgoing) = (&second.incoming, &second.outgoing);
    QualitySpan {
        at: 0,
        seconds: 1,
        received: incoming.received,
        lost: incoming.lost,
        late: incoming.late,
        jitter_ms: millis(incoming.jitter),
        playout_ms: millis(incoming.playout_delay),
        concealed_ms: whole(incoming.concealed),
        left_out_ms: whole(incoming.left_out),
        repeated_ms: whole(incoming.repeated),
        level_in: Share::of(incoming.level.into()),
        mos: score(incoming.score),
        wideband: incoming.score.is_some_and(is_wideband),
        mos_estimate: incoming.score.is_some_and(|score| score.estimate),
        sent: outgoing.sent,
        remote_loss: outgoing.loss.map(|loss| Share::of(loss.into())),
        remote_jitter_ms: millis(outgoing.jitter),
        remote_delay_ms: millis(outgoing.far_delay),
        level_out: Share::of(outgoing.level.into()),
        remote_mos: score(outgoing.score),
        round_trip_ms: millis(second.round_trip),
        speaker_dry: second.breaks.speaker_dry,
        held_up_ms: whole(second.breaks.held_up),
    }
}

fn is_wideband(score: Score) -> bool {
    score.scale == Scale::Wideband
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio of counts needs no 53 bits"
)]
fn view(quality: &Quality, second: &Second) -> QualityView {
    let expected = quality.received + quality.lost;
    let millis = |time: Option<Duration>| time.map(|time| time.as_secs_f32() * 1e3);
    let score = |score: Score| MosView {
        mos: score.mos,
        wideband: is_wideband(score),
        estimate: score.estimate,
    };
    QualityView {
        loss: (expected > 0).then(|| quality.lost as f32 / expected as f32),
        jitter_millis: millis(second.incoming.jitter),
        playout_millis: millis(second.incoming.playout_delay),
        late: quality.late,
        recovered: quality.recovered,
        recovered_by_dred: quality.recovered_by_dred,
        concealed_millis: quality.concealed.as_secs_f32() * 1e3,
        stretched_millis: quality.stretched.as_secs_f32() * 1e3,
        speaker_dry: quality.breaks.speaker_dry,
        held_up_millis: quality.breaks.held_up.as_secs_f32() * 1e3,
        mos: second.incoming.score.map(score),
        remote_loss: second.outgoing.loss,
        remote_jitter_millis: millis(second.outgoing.jitter),
        remote_mos: second.outgoing.score.map(score),
        round_trip_millis: millis(second.round_trip),
        level_out: quality.level_out,
        level_in: quality.level_in,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;
    use crate::media::one_way::FarSending;
    use crate::media::quality::Breaks;

    const SECOND: Duration = Duration::from_secs(1);
    const NOTHING: Cause = Cause::NothingReceived(FarSending::Unknown);

    #[test]
    fn a_cause_is_told_once_and_not_before_the_far_end_had_its_time() {
        let start = monotonic_now();
        let mut sound = CallSound::default();
        assert_eq!(sound.take(start, NOTHING, false), None);
        assert!(sound.tell_by(start + SECOND, start).is_empty());
        assert!(sound.faults().is_empty());
        assert_eq!(sound.tell_by(start + SECOND * 2, start), [NOTHING]);
        assert!(sound.tell_by(start + SECOND * 3, start).is_empty());
        assert_eq!(sound.faults().len(), 1);
        assert_eq!(sound.take(start + SECOND * 9, NOTHING, true), Some(NOTHING));
        assert!(sound.faults().is_empty());
        assert_eq!(
            sound.problem().as_deref(),
            Some("nothing at all arrives from the far end, for 9 s")
        );
    }

    #[test]
    fn what_was_over_before_it_was_told_leaves_no_trace() {
        let start = monotonic_now();
        let mut sound = CallSound::default();
        sound.take(start, NOTHING, false);
        assert_eq!(sound.take(start + SECOND, NOTHING, true), None);
        sound.close(start + SECOND * 5);
        assert_eq!(sound.problem(), None);
    }

    #[test]
    fn the_longest_cause_stays_with_the_call_also_when_it_ends_in_it() {
        let start = monotonic_now();
        let mut sound = CallSound::default();
        sound.take(start, Cause::SpeaksMuted, false);
        sound.tell_by(start + SECOND * 2, start);
        sound.take(start + SECOND * 3, Cause::SpeaksMuted, true);
        sound.take(start + SECOND * 4, NOTHING, false);
        sound.tell_by(start + SECOND * 5, start);
        assert_eq!(sound.faults()[0].cause, "nothing-received");
        sound.close(start + SECOND * 24);
        let problem = sound.problem().unwrap();
        assert!(problem.ends_with("for 20 s"), "{problem}");
    }

    #[test]
    fn what_the_machine_broke_is_kept_by_the_second_and_in_sum() {
        let mut sound = CallSound::default();
        let second = |speaker_dry, millis| Second {
            breaks: Breaks {
                speaker_dry,
                held_up: Duration::from_millis(millis),
            },
            ..Second::default()
        };
        sound.push(&second(2, 0));
        sound.push(&second(1, 130));
        let kept = sound.series.spans().iter();
        let kept: Vec<(u32, u32)> = kept.map(|s| (s.speaker_dry, s.held_up_ms)).collect();
        assert_eq!(kept, [(2, 0), (1, 130)]);
        let sum = sound.summary().unwrap();
        assert_eq!((sum.speaker_dry, sum.held_up_ms), (3, 130));
    }

    #[test]
    fn figures_are_written_each_minute_and_the_newest_of_a_call_count() {
        let start = monotonic_now();
        let mut sound = CallSound::default();
        let due: Vec<bool> = (0..120).map(|_| sound.push(&Second::default())).collect();
        assert_eq!(due.iter().filter(|due| **due).count(), 2);
        assert!(due[59] && due[119]);
        let mut unsaved = UnsavedQuality::default();
        let call = CallId::new(1, [1; 10]);
        unsaved.push(start, call, sound.series.spans()[..60].to_vec());
        unsaved.push(start, call, sound.series.spans().to_vec());
        assert!(unsaved.take(start).is_empty());
        let written = unsaved.take(start + GATHER);
        assert_eq!(written.len(), 1);
        assert_eq!(written[0].1.len(), 120);
        assert_eq!(unsaved.due(), None);
    }
}
