//! What a buffer did, in figures.

/// What happened so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JitterFigures {
    /// Samples at 48 kHz that concealment made up for lost or late packets.
    pub concealed_samples: u64,
    /// Packets brought back by DRED or FEC, whole or in part.
    pub recovered: u64,
    /// Those of them that DRED brought back.
    pub recovered_by_dred: u64,
    /// Packets that came after a later one was played.
    pub late: u64,
    /// Packets that came twice.
    pub duplicate: u64,
    /// Packets that the codec could not read.
    pub damaged: u64,
    /// Samples left out to lower the delay.
    pub left_out_samples: u64,
    /// Samples repeated to raise the delay.
    pub repeated_samples: u64,
}
