//! The window: a function of the engine's snapshot, of pages of rows and of what the agent has open,
//! which gives back commands.
//!
//! ```text
//!  control::Handle ──snapshot, pages──▶ shell ──Scene──▶ view/* ──▶ Scene's commands
//!        ▲                               │                                │
//!        └──────────── send ─────────────┴──────────── after the frame ◀──┘
//! ```
//!
//! * [`run`] opens the window on the calling (main) thread and returns when it is closed.
//! * Views read no clock, no socket and no database: the shell makes one time for each frame.
//! * The pop-up is a viewport of its own (see `popup.rs`); it is drawn from the same snapshot.

mod announce;
mod display_text;
mod failure;
mod focus;
mod fonts;
mod format;
mod keys;
mod locale;
mod outcome;
pub(crate) mod person;
mod popup;
mod readiness;
mod routing_state;
mod scene;
mod shell;
mod spans;
mod state;
#[cfg(not(feature = "pseudo-locale"))]
pub(crate) mod text;
/// The texts as a translation would have them: longer, accented, in brackets (build/pseudo_locale.rs).
#[cfg(feature = "pseudo-locale")]
pub(crate) mod text {
    include!(concat!(env!("OUT_DIR"), "/pseudo_text.rs"));
}
mod theme;
mod view;
mod waker;
mod widget;

#[cfg(test)]
mod tests;

pub use failure::show_failure;
pub use shell::{Options, UiError, run};
#[cfg(target_os = "linux")]
pub(crate) use shell::{icon_picture, on_wayland};
pub use state::View;
pub use waker::{Appearance, Waker};
