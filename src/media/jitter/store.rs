//! Where packets wait: fixed slots, keyed by extended sequence number.

use crate::media::codec::MAX_PAYLOAD_BYTES;
use crate::sdp::Codec;

/// Packets that can wait: 1.28 s of the shortest, more than the longest target.
const SLOTS: usize = 128;

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Sound of so many samples.
    Sound(Codec, usize),
    /// The sender is silent from here on.
    Rest(Codec),
    /// No sound: a digit.
    Nothing,
}

/// A waiting packet.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// Its extended sequence number; none when the slot is free.
    sequence: Option<i64>,
    /// Its extended timestamp in samples at 48 kHz.
    pub(super) timestamp: i64,
    pub(super) kind: Kind,
    length: usize,
    bytes: [u8; MAX_PAYLOAD_BYTES],
}

impl Slot {
    /// The codec's bytes.
    pub(super) fn payload(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inserted {
    /// It waits.
    Stored,
    /// It waits already.
    Duplicate,
    /// It cannot wait: its slot holds another, or it is too large.
    NoRoom,
}

/// The waiting packets.
#[derive(Debug)]
pub(super) struct PacketStore {
    slots: Box<[Slot]>,
    waiting: usize,
}

impl PacketStore {
    /// Makes all slots.
    pub(super) fn new() -> Self {
        let free = Slot {
            sequence: None,
            timestamp: 0,
            kind: Kind::Nothing,
            length: 0,
            bytes: [0; MAX_PAYLOAD_BYTES],
        };
        Self {
            slots: vec![free; SLOTS].into_boxed_slice(),
            waiting: 0,
        }
    }

    /// How far ahead of the next packet one may be.
    pub(super) fn reach(&self) -> i64 {
        i64::try_from(self.slots.len()).unwrap_or(i64::MAX)
    }

    /// Keeps a copy of a packet.
    pub(super) fn insert(
        &mut self,
        sequence: i64,
        timestamp: i64,
        kind: Kind,
        payload: &[u8],
    ) -> Inserted {
        let Some(slot) = self.slot_mut(sequence) else {
            return Inserted::NoRoom;
        };
        if slot.sequence.is_some() {
            return if slot.sequence == Some(sequence) {
                Inserted::Duplicate
            } else {
                Inserted::NoRoom
            };
        }
        let Some(bytes) = slot.bytes.get_mut(..payload.len()) else {
            return Inserted::NoRoom;
        };
        bytes.copy_from_slice(payload);
        slot.length = payload.len();
        slot.timestamp = timestamp;
        slot.kind = kind;
        slot.sequence = Some(sequence);
        self.waiting += 1;
        Inserted::Stored
    }

    /// The earliest packet from that sequence number on.
    pub(super) fn first_from(&self, sequence: i64) -> Option<(i64, &Slot)> {
        if self.waiting == 0 {
            return None;
        }
        (sequence..sequence.saturating_add(self.reach())).find_map(|sequence| {
            let slot = self.slot(sequence)?;
            (slot.sequence == Some(sequence)).then_some((sequence, slot))
        })
    }

    /// The earliest packet of all.
    pub(super) fn earliest(&self) -> Option<i64> {
        self.slots.iter().filter_map(|slot| slot.sequence).min()
    }

    /// Frees a packet's slot.
    pub(super) fn remove(&mut self, sequence: i64) {
        if let Some(slot) = self.slot_mut(sequence)
            && slot.sequence == Some(sequence)
        {
            slot.sequence = None;
            self.waiting -= 1;
        }
    }

    /// Frees all slots.
    pub(super) fn clear(&mut self) {
        for slot in &mut self.slots {
            slot.sequence = None;
        }
        self.waiting = 0;
    }

    fn slot(&self, sequence: i64) -> Option<&Slot> {
        let index = sequence.rem_euclid(self.reach());
        self.slots.get(usize::try_from(index).ok()?)
    }

    fn slot_mut(&mut self, sequence: i64) -> Option<&mut Slot> {
        let index = sequence.rem_euclid(self.reach());
        self.slots.get_mut(usize::try_from(index).ok()?)
    }
}
