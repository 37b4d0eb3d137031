//! Reports of and to the far end: RTCP.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{REPORT_INTERVAL, Session};
use crate::media::dropped::DropReason;
use crate::media::one_way::Received;
use crate::media::rtcp::{self, ReportBlock};
use crate::media::rtcp_xr::VoipMetrics;
use crate::media::steering::PathReport;
use crate::media::transport::Reporter;

/// From here on a round trip is a negative one, in 1/65536 s.
const NEGATIVE_TRIP: u32 = 1 << 31;
/// By so much a round trip may seem shorter than it is, because two clocks differ: 10 ms, in 1/65536 s.
const CLOCKS_DIFFER: u32 = 655;

impl Session {
    pub(super) fn handle_reports(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let keys = if self.reports_apart() {
            &mut self.report_keys
        } else {
            &mut self.keys
        };
        let Some(opened) = keys.open_rtcp(now, datagram) else {
            if !keys.waits() {
                self.drop_from(from, DropReason::Unauthentic);
            }
            return;
        };
        let Some(reports) = rtcp::parse(&opened.bytes) else {
            return self.drop_from(from, DropReason::MalformedRtcp);
        };
        let reporter = Reporter {
            address: from,
            ssrc: reports.ssrc,
            proof: opened.proof,
        };
        let sound = self.incoming.sound();
        let believed = if self.plan.as_ref().is_some_and(|plan| plan.rtcp_mux) {
            sound.shares_with(reporter)
        } else {
            self.report_latch.accept(now, reporter, sound)
        };
        if !believed {
            return self.drop_from(from, DropReason::Stranger);
        }
        self.reported = Some(now);
        let way = Some((self.incoming.remote(), reports.ssrc));
        if std::mem::replace(&mut self.way, way) != way {
            self.outgoing.forget_way();
        }
        if let Some(sender) = reports.sender {
            self.last_sender_report = Some((rtcp::middle_of(sender.ntp_time), now));
        }
        let ours = self.outgoing.ssrc();
        let block = reports.blocks.iter().find(|block| block.ssrc == ours);
        let received = block.map(|block| Received {
            fraction_lost: block.fraction_lost,
            highest_sequence: block.highest_sequence,
        });
        let far_sent = reports.sender.map(|sender| sender.packets);
        let sent = self.outgoing.packets();
        self.detector.reported(now, far_sent, received, sent);
        let voip = reports.voip.iter().find(|voip| voip.ssrc == ours);
        if let Some(voip) = voip {
            self.reports.voip = Some((now, *voip));
        }
        if let Some(block) = block {
            self.take_report(now, block, voip);
        }
    }

    fn take_report(&mut self, now: Instant, block: &ReportBlock, voip: Option<&VoipMetrics>) {
        let loss = f32::from(block.fraction_lost) / 256.0;
        self.reports.loss = Some((now, loss));
        let clock_rate = self
            .plan
            .as_ref()
            .map_or(8_000, |plan| plan.codec.clock_rate());
        let jitter = seconds(u64::from(block.jitter), u64::from(clock_rate));
        self.reports.jitter = Some((now, jitter));
        if block.last_sender_report != 0 {
            // RFC 3550 section 6.4.1: A − LSR − DLSR, in 1/65536 s.
            let trip = rtcp::middle_of(self.ntp(now))
                .wrapping_sub(block.last_sender_report)
                .wrapping_sub(block.delay_since_last);
            // A far end whose clock runs a little fast makes it negative: then it is tiny. What is far below
            // nothing is no round trip at all.
            let below = trip.wrapping_neg();
            let trip = match trip {
                0..NEGATIVE_TRIP => Some(trip),
                _ if below <= CLOCKS_DIFFER => Some(0),
                _ => None,
            };
            if let Some(trip) = trip {
                self.reports.round_trip = Some((now, seconds(u64::from(trip), 65_536)));
            }
        }
        let trip = self.reports.round_trip.filter(|(at, _)| *at == now);
        let report = PathReport {
            loss,
            round_trip: trip.map(|(_, trip)| trip),
            // What it says of bursts is since the beginning; this one is about now.
            bursts: loss > 0.0 && voip.is_some_and(|voip| voip.burst_density > 0.0),
        };
        self.outgoing.report(now, report);
    }

    pub(super) fn send_report(&mut self, now: Instant, goodbye: bool) {
        let mux = self.plan.as_ref().is_some_and(|plan| plan.rtcp_mux);
        let to = if mux {
            self.incoming.remote()
        } else {
            self.report_latch.remote()
        };
        let Some(to) = to else {
            return;
        };
        let block = self.incoming.report().map(|block| {
            let Some((middle, came)) = self.last_sender_report else {
                return block;
            };
            let delay = now.saturating_duration_since(came).as_micros() * 65_536 / 1_000_000;
            ReportBlock {
                last_sender_report: middle,
                delay_since_last: u32::try_from(delay).unwrap_or(u32::MAX),
                ..block
            }
        });
        let sender = self.outgoing.sender_info(self.ntp(now));
        let bytes = rtcp::write(self.outgoing.ssrc(), &self.cname, sender, block, goodbye);
        let keys = if self.reports_apart() {
            &mut self.report_keys
        } else {
            &mut self.keys
        };
        if let Some(bytes) = keys.seal_rtcp(bytes) {
            self.transmit(to, !mux, bytes);
        }
    }

    /// Half to one and a half times the mean, so that many calls do not report in step.
    pub(super) fn report_interval(&mut self) -> Duration {
        // One step of a linear congruential generator (Knuth, MMIX).
        self.spread = self
            .spread
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let share = u32::try_from(self.spread >> 54).unwrap_or(0);
        REPORT_INTERVAL / 2 + REPORT_INTERVAL * share / 1_024
    }

    /// Whether reports have keys of their own.
    fn reports_apart(&self) -> bool {
        let plan = self.plan.as_ref();
        plan.is_some_and(|plan| plan.dtls.is_some() && !plan.rtcp_mux)
    }

    fn ntp(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.started);
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        self.ntp_start
            .wrapping_add(since.as_secs() << 32)
            .wrapping_add(fraction)
    }
}

fn seconds(ticks: u64, rate: u64) -> Duration {
    Duration::from_nanos(ticks.saturating_mul(1_000_000_000) / rate.max(1))
}
