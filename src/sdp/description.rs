//! A session description: lenient to read, strict to write.

use std::fmt;

/// A media direction, seen from the side that wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Sends and receives.
    SendRecv,
    /// Only sends.
    SendOnly,
    /// Only receives.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// Whether that side sends.
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }
    /// Whether that side receives.
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }
}

/// Why bytes are no session description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdpError {
    /// It is not text in lines of `x=value`.
    #[error("the far end's session description is damaged: {0}")]
    Damaged(&'static str),
}

/// A session description. (contract: fields are the media room's to define)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDescription {}

#[expect(unused_variables, clippy::todo, reason = "contract")]
impl SessionDescription {
    /// Reads one from a message body.
    ///
    /// # Errors
    ///
    /// Fails when no media can be understood from it.
    pub fn parse(bytes: &[u8]) -> Result<Self, SdpError> {
        todo!()
    }
}

impl fmt::Display for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = f;
        Ok(())
    }
}
