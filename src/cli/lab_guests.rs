//! The lab beside the phone.

use crate::control::Handle;
use crate::control::command::LabCaller;

/// The running lab.
pub(super) struct LabGuests {}

impl LabGuests {
    /// Starts it.
    pub(super) async fn start(_handle: &Handle) -> anyhow::Result<Self> {
        anyhow::bail!("later")
    }

    /// Lets somebody call.
    pub(super) fn call(&self, _caller: LabCaller, _handle: &Handle) {}
}
