//! The way to wake the window from another thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use egui::{Context, ViewportId};

/// What the desktop asks of each window, as far as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Appearance {
    /// Whether windows are to be dark; none where the person has no wish.
    pub dark: Option<bool>,
    /// Whether nothing is to move that need not.
    pub still: bool,
}

/// Wakes the window; cheap to clone, callable from any thread.
#[derive(Clone)]
pub struct Waker {
    ctx: Context,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    raise: AtomicBool,
    appearance: Mutex<Appearance>,
    popup: AtomicBool,
}

impl Waker {
    /// A waker for a window.
    pub(crate) fn new(ctx: Context) -> Self {
        Self {
            ctx,
            shared: Arc::default(),
        }
    }

    /// Only how loud the devices are has changed: draw once, where [`Waker::wake`] draws twice, so that
    /// what is laid out may settle. Without a graphics card a frame costs 10 ms of the processor.
    /// Returns at once.
    pub fn glance(&self) {
        let soon = Duration::from_nanos(1);
        self.ctx.request_repaint_after_for(soon, ViewportId::ROOT);
    }

    /// There is a new snapshot or a new page: draw again. Returns at once.
    pub fn wake(&self) {
        self.ctx.request_repaint_of(ViewportId::ROOT);
        if self.shared.popup.load(Ordering::Relaxed) {
            self.ctx.request_repaint_of(popup_id());
        }
    }

    /// Shows the window in front of the others, restored if it was minimized. Returns at once.
    pub fn raise(&self) {
        self.shared.raise.store(true, Ordering::Relaxed);
        self.ctx.request_repaint_of(ViewportId::ROOT);
    }

    /// Lets the window look as the desktop asks. Returns at once.
    pub fn set_appearance(&self, appearance: Appearance) {
        let mut asked = self.asked();
        if *asked != appearance {
            *asked = appearance;
            drop(asked);
            self.wake();
        }
    }

    /// What the desktop asks for.
    pub(crate) fn appearance(&self) -> Appearance {
        *self.asked()
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, Appearance> {
        let appearance = self.shared.appearance.lock();
        appearance.unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody asked for the window since the last call.
    pub(crate) fn take_raise(&self) -> bool {
        self.shared.raise.swap(false, Ordering::Relaxed)
    }

    /// Remembers whether the pop-up is there, so that it is woken too.
    pub(crate) fn set_popup(&self, there: bool) {
        self.shared.popup.store(there, Ordering::Relaxed);
    }
}

/// The pop-up's viewport.
pub(crate) fn popup_id() -> ViewportId {
    ViewportId::from_hash_of("incoming call")
}
