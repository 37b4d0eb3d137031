//! The window.

use std::sync::Arc;

use crate::control::Handle;

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
#[error("there is no window yet")]
pub struct UiError;

/// Runs it.
///
/// # Errors
///
/// Always, for now.
pub fn run(
    handle: Handle,
    on_waker: impl FnOnce(Arc<dyn Fn() + Send + Sync>) + 'static,
) -> Result<(), UiError> {
    drop((handle, on_waker));
    Err(UiError)
}

/// Shows why it did not start.
///
/// # Errors
///
/// Always, for now.
pub fn show_failure(text: &str) -> Result<(), UiError> {
    let _ = text;
    Err(UiError)
}
