//! What a call's media begins with, drawn at random and from the clock: `session` knows neither.

use crate::base::clock::wall_now;
use crate::base::random::{OsRandom, Random as _};
use crate::media::outgoing::StreamSeed;
use crate::media::session::SessionSeed;

/// Seconds from the NTP epoch (1900) to that of Unix (1970).
const NTP_EPOCH: u64 = 2_208_988_800;

/// Draws one.
pub(super) fn draw_seed() -> SessionSeed {
    let mut random = OsRandom;
    let [s0, s1, ..] = random.next_u32().to_le_bytes();
    let wall = wall_now();
    let seconds = u64::try_from(wall.as_second()).unwrap_or(0);
    let nanos = u64::try_from(wall.subsec_nanosecond()).unwrap_or(0);
    SessionSeed {
        stream: StreamSeed {
            ssrc: random.next_u32(),
            // RFC 3711 section 3.3.1: in the lower half, so that a far end that gets its keys late, and
            // misses the first packets, does not miss a wrap among them, which no packet tells.
            sequence: u16::from_le_bytes([s0, s1]) >> 1,
            timestamp: random.next_u32(),
        },
        ntp_time: ((seconds + NTP_EPOCH) << 32) | ((nanos << 32) / 1_000_000_000),
        spread: random.next_u64(),
    }
}
