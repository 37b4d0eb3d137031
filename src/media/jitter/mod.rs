//! The jitter buffer: packets in at any time and in any order, 10 ms of sound out at each tick.
//!
//! ```text
//!  packet -> PacketStore -> decode | DRED | FEC | concealment -> SampleQueue -> 10 ms
//!               |                                            ^
//!          DelayEstimate: target ---- time stretch ----------+
//! ```
//!
//! It is sans-IO: the time of each arrival and of each tick is an argument. Nothing is allocated
//! after it was made.
//!
//! - The store has fixed slots keyed by the extended sequence number.
//! - The estimate is a histogram, with forgetting, of how much later than the fastest packet each
//!   one came; the target is its 96th percentile, at least one packet. A second one of a longer memory
//!   holds it up by a little: what comes unevenly would else move the target up and down.
//! - A stream begins with two packets of delay, which fall when it has shown what it is, in half a second where
//!   it is even and in a second where it is not.
//! - Where packets are lost and others bring them back, the target is higher by the gaps that are
//!   usual, two packets at the least: what is to be repaired must wait for what repairs it.
//! - The playout delay follows the target by leaving out or repeating whole pitch periods. Where it is only
//!   longer than it must be, that waits for the end of a sentence, and after some seconds for any pause; where
//!   it is too short for what repairs a loss, for a pause; where packets come too late, for nothing.
//! - A packet that is merely late is still played: the concealment that bridged it has already made
//!   the delay that it needed. Only a packet behind one already played is dropped.
//! - Loss is filled by the redundancy of the packet behind it: by FEC the packet just before, by DRED many
//!   packets; else by the codec's concealment. A gap in time without one in sequence is the sender's silence (DTX), no loss;
//!   behind a packet that announces it nothing is a loss, and comfort noise lasts until sound comes.
//! - The codec may change with each packet. A clock that leaps while packets come on as before is
//!   not believed: the sound goes on without a gap.
//! - Where sound ends without a word, it fades.

mod delay;
mod figures;
mod gaps;
mod histogram;
mod playout;
mod queue;
mod skew;
mod store;
pub(super) mod stretch;

pub use figures::JitterFigures;
pub use playout::{JitterBuffer, SoundPacket};

use crate::media::codec::Repair;
use crate::sdp::Codec;

/// What the buffer asks of the codecs; all lengths are samples at 48 kHz.
pub trait Decode {
    /// Decodes a payload into exactly its samples; false when it is damaged.
    fn decode(&mut self, codec: Codec, payload: &[u8], output: &mut [f32]) -> bool;
    /// Fills what begins `before` samples before `next` from the redundancy in it, and tells from which;
    /// none when there is none that reaches so far.
    fn recover(
        &mut self,
        codec: Codec,
        next: &[u8],
        before: usize,
        output: &mut [f32],
    ) -> Option<Repair>;
    /// How far before a packet its redundancy reaches.
    fn reach(&mut self, codec: Codec, payload: &[u8]) -> usize;
    /// Makes up sound that continues what was decoded last; comfort noise while the sender rests.
    fn conceal(&mut self, output: &mut [f32]);
    /// The sender is silent until the next payload is decoded; what its background sounds like.
    fn rest(&mut self, codec: Codec, payload: &[u8]);
    /// Whether the sender is silent behind a payload.
    fn rests(&self, codec: Codec, payload: &[u8]) -> bool;
}

#[cfg(test)]
mod tests;
