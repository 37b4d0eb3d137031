//! The buffer under scripts and under simulated networks.

mod networks;
mod scripts;

use super::*;

/// A packet of 20 ms at 8 kHz.
fn packet(sequence: u16, timestamp: u32, payload: &[u8]) -> SoundPacket<'_> {
    SoundPacket {
        sequence,
        timestamp,
        scale: 6,
        codec: Codec::Pcmu,
        samples: 960,
        payload,
    }
}
