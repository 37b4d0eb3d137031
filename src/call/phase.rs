//! Where a call stands.

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Outgoing: the target is being resolved.
    Dialling,
    /// Outgoing: the INVITE is out.
    Offered,
    /// Incoming: its record is being written; nothing but 100 was sent.
    Arriving,
    /// Incoming: it rings here.
    Ringing,
    /// Incoming: 200 is sent, the ACK is awaited.
    Answering,
    /// Both sides have agreed.
    Established,
    /// Our side hung up; the far end has not confirmed it.
    Ending,
    /// Over.
    Ended,
}

impl Phase {
    /// The word for an error text.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Dialling | Self::Offered => "being placed",
            Self::Arriving => "arriving",
            Self::Ringing => "ringing",
            Self::Answering => "being answered",
            Self::Established => "connected",
            Self::Ending => "ending",
            Self::Ended => "over",
        }
    }
}
