//! What was measured in a call.

use std::time::{Duration, Instant};

use super::Session;
use crate::media::command::Quality;
use crate::media::frame::duration_of;
use crate::media::quality::{Breaks, Second, State, Totals};

impl Session {
    /// The figures so far.
    pub fn quality(&self) -> Quality {
        let (received, lost) = self.incoming.counts();
        let figures = self.incoming.figures();
        Quality {
            sent: self.outgoing.packets(),
            received,
            lost,
            jitter: self.incoming.jitter(),
            remote_loss: self.reports.loss.map(|(_, loss)| loss),
            remote_jitter: self.reports.jitter.map(|(_, jitter)| jitter),
            round_trip: self.reports.round_trip.map(|(_, time)| time),
            playout_delay: self.incoming.playout_delay(),
            late: figures.late,
            dropped: self.dropped.all(),
            recovered: figures.recovered,
            recovered_by_dred: figures.recovered_by_dred,
            concealed: duration_of(figures.concealed_samples),
            stretched: duration_of(figures.left_out_samples + figures.repeated_samples),
            // The session knows nothing of the devices.
            breaks: Breaks::default(),
            level_out: self.outgoing.level(),
            level_in: self.level_in.level(),
        }
    }

    /// What was measured since the last time: to be called once a second.
    pub fn second(&mut self, now: Instant) -> Second {
        let (received, _) = self.incoming.counts();
        let totals = Totals {
            received,
            sent: self.outgoing.packets(),
            jitter: self.incoming.figures(),
        };
        let theirs = self.incoming.codec();
        let ours = self.plan.as_ref().map(|plan| {
            let packet = Duration::from_millis(u64::from(plan.ptime_millis));
            (plan.codec, packet)
        });
        let state = State {
            codecs: theirs.zip(ours).map(|(theirs, ours)| (theirs.0, ours.0)),
            jitter: self.incoming.measured_jitter(),
            playout_delay: self.incoming.measured_delay(),
            packets: (
                theirs.map(|(_, packet)| packet).unwrap_or_default(),
                ours.map(|(_, packet)| packet).unwrap_or_default(),
            ),
            levels: (self.level_in.level(), self.outgoing.level()),
        };
        let record = self.incoming.record();
        self.meter
            .second(now, totals, record, &state, &self.reports)
    }
}
