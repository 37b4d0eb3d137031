//! The media thread: sockets, the tick of 10 ms, devices.

use std::net::{IpAddr, SocketAddr};

use tokio::sync::mpsc;

use crate::base::id::CallId;
use crate::media::command::{Devices, MediaCommand, MediaError, MediaEvent};

/// The handle to the media threads; they end when it is dropped.
pub struct MediaEngine {}

#[expect(unused_variables, clippy::todo, reason = "contract")]
impl MediaEngine {
    /// Starts the media thread and opens the devices; a device that cannot be opened is told by
    /// `MediaEvent::Device` and replaced by the null device.
    ///
    /// # Errors
    ///
    /// Fails when no thread can be started.
    pub fn start(devices: Devices, events: mpsc::Sender<MediaEvent>) -> Result<Self, MediaError> {
        todo!()
    }
    /// Binds an RTP/RTCP pair for a call (even and next port) and gives the RTP address. Never
    /// blocks.
    ///
    /// # Errors
    ///
    /// Fails when no port is free or the thread does not take the sockets.
    pub fn open(&self, call: CallId, local_ip: IpAddr) -> Result<SocketAddr, MediaError> {
        todo!()
    }
    /// Hands a command to the media thread; never blocks.
    ///
    /// # Errors
    ///
    /// Fails when the queue is full.
    pub fn send(&self, command: MediaCommand) -> Result<(), MediaError> {
        todo!()
    }
}

/// Names of the microphones and speakers that exist now, for the settings; may take 100 ms and
/// more, so never on the engine.
#[expect(clippy::todo, reason = "contract")]
pub fn devices() -> (Vec<String>, Vec<String>) {
    todo!()
}
