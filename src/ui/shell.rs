//! The thin layer between eframe and the views: clock, theme, windows, closing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use egui::{Context, Pos2, UserAttentionType, Vec2, ViewportBuilder, ViewportCommand, ViewportId};
use jiff::tz::TimeZone;

use super::locale::Locale;
use super::popup::{PopupState, popup_size, popup_ui, ringing};
use super::scene::{Now, Scene};
use super::state::{View, ViewState};
use super::view::desk_ui;
use super::waker::{Waker, popup_id};
use super::{text, theme};
use crate::base::clock;
use crate::config::settings::ThemeChoice;
use crate::control::{Command, Handle, Snapshot};

/// How long closing waits for the engine to hang up and un-register.
const CLOSING: Duration = Duration::from_secs(2);

/// The gap between the pop-up and the screen's edge.
const POPUP_GAP: Vec2 = Vec2::new(16.0, 48.0);

/// How the window starts.
pub struct Options {
    /// The screen that is open at first.
    pub view: View,
    /// Gets the waker once the window exists, before the first frame. Whoever publishes snapshots
    /// and pages calls [`Waker::wake`] after each.
    pub on_ready: Box<dyn FnOnce(Waker)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            view: View::default(),
            on_ready: Box::new(|_waker| {}),
        }
    }
}

/// Why there is no window; for a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UiError {
    /// Neither X11 nor Wayland is there.
    #[error(
        "there is no display to open a window on: start Ringdesk in a desktop session, or use \
         \"ringdesk headless\""
    )]
    NoDisplay,
    /// The display is named but does not answer.
    #[error(
        "the display does not let a window open ({0}): check DISPLAY or WAYLAND_DISPLAY, and that \
         libX11, libxkbcommon and libxkbcommon-x11 are installed, or use \"ringdesk headless\""
    )]
    Display(String),
    /// No driver can draw.
    #[error(
        "there is no OpenGL driver to draw the window with ({0}): install the Mesa drivers \
         (Debian and Ubuntu: libgl1-mesa-dri and libegl1, Fedora: mesa-dri-drivers, Arch: mesa), or use \"ringdesk headless\""
    )]
    Graphics(String),
}

impl From<eframe::Error> for UiError {
    fn from(error: eframe::Error) -> Self {
        match error {
            eframe::Error::Winit(why) => Self::Display(cause(&why.to_string())),
            eframe::Error::WinitEventLoop(why) => Self::Display(cause(&why.to_string())),
            other => Self::Graphics(cause(&other.to_string())),
        }
    }
}

/// The cause without the place in a library's source that stands before it.
fn cause(words: &str) -> String {
    if words.contains(".rs:") {
        words.rsplit(": ").next().unwrap_or(words).to_owned()
    } else {
        words.to_owned()
    }
}

/// Whether the window is on Wayland, by the rule of winit: there a client cannot place a window,
/// and a new one may take the keyboard.
pub(crate) fn on_wayland() -> bool {
    ["WAYLAND_DISPLAY", "WAYLAND_SOCKET"]
        .iter()
        .any(|name| set(name))
}

fn set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// Opens the window and runs it on this thread, which must be the main thread, until it is closed.
/// Closing it sends [`Command::Quit`] and waits for [`Snapshot::ending`], at most two seconds.
///
/// # Errors
///
/// Fails when there is no display or no driver to draw with; the sentence says what to do.
pub fn run(handle: Handle, options: Options) -> Result<(), UiError> {
    if cfg!(target_os = "linux") && !on_wayland() && !set("DISPLAY") {
        return Err(UiError::NoDisplay);
    }
    Locale::adopt();
    let native = native_options([1180.0, 760.0], [720.0, 520.0]);
    eframe::run_native(
        "ringdesk",
        native,
        Box::new(move |creation| {
            let ctx = creation.egui_ctx.clone();
            theme::install(&ctx);
            let waker = Waker::new(ctx);
            (options.on_ready)(waker.clone());
            Ok(Box::new(Shell::new(handle, options.view, waker)))
        }),
    )?;
    Ok(())
}

/// A window of this size at first, and never smaller than the least.
pub(super) fn native_options(size: [f32; 2], least: [f32; 2]) -> eframe::NativeOptions {
    eframe::NativeOptions {
        viewport: ViewportBuilder::default()
            .with_title(text::PRODUCT)
            .with_app_id("ringdesk")
            .with_icon(icon())
            .with_inner_size(size)
            .with_min_inner_size(least),
        renderer: eframe::Renderer::Glow,
        // It is for gradients, of which there are none, and costs each pixel some arithmetic.
        dithering: false,
        ..eframe::NativeOptions::default()
    }
}

/// The product's icon; an empty one when the file were damaged.
fn icon() -> egui::IconData {
    let png = include_bytes!("../../assets/icons/256.png");
    eframe::icon_data::from_png_bytes(png).unwrap_or_default()
}

/// The product's icon: its edge in pixels, and red, green, blue and alpha of each.
#[cfg(target_os = "linux")]
pub(crate) fn icon_picture() -> (usize, Vec<u8>) {
    let icon = icon();
    (usize::try_from(icon.width).unwrap_or(0), icon.rgba)
}

/// The window's state.
struct Shell {
    handle: Handle,
    waker: Waker,
    state: ViewState,
    popup: Arc<Mutex<PopupState>>,
    /// Whether a call rang in the last frame.
    ringing: bool,
    /// When the agent closed the window.
    closing: Option<Instant>,
    closed: bool,
    wayland: bool,
    /// The screen's size, as far as it was ever told.
    screen: Vec2,
}

impl Shell {
    fn new(handle: Handle, view: View, waker: Waker) -> Self {
        let mut state = ViewState {
            view,
            ..ViewState::default()
        };
        state.dialer.focus = view == View::Dialer;
        Self {
            handle,
            waker,
            state,
            popup: Arc::default(),
            ringing: false,
            closing: None,
            closed: false,
            wayland: on_wayland(),
            screen: Vec2::new(1280.0, 720.0),
        }
    }

    /// Closes in two steps: the engine ends first.
    fn close(&mut self, ctx: &Context, snapshot: &Snapshot) {
        let asked = ctx.input(|input| input.viewport().close_requested());
        let now = clock::monotonic_now();
        if asked && !self.closed {
            ctx.send_viewport_cmd_to(ViewportId::ROOT, ViewportCommand::CancelClose);
            if self.closing.is_none() {
                self.closing = Some(now);
                for notes in self.state.notes.take_unsent() {
                    if !self.handle.send(notes) {
                        tracing::warn!("the engine did not take the last notes");
                    }
                }
                if !self.handle.send(Command::Quit) {
                    self.closed = true;
                }
            }
        }
        let late = self
            .closing
            .is_some_and(|since| now.saturating_duration_since(since) >= CLOSING);
        if snapshot.ending || late || self.closed {
            if !self.closed || asked {
                ctx.send_viewport_cmd_to(ViewportId::ROOT, ViewportCommand::Close);
            }
            self.closed = true;
        } else if self.closing.is_some() {
            ctx.request_repaint_after(Duration::from_millis(50));
        }
    }

    fn show_popup(&self, ctx: &Context, snapshot: &Snapshot) {
        let size = popup_size(snapshot);
        let place = self.screen - size - POPUP_GAP;
        let builder = ViewportBuilder::default()
            .with_title(text::INCOMING)
            .with_app_id("ringdesk")
            .with_override_redirect(true)
            .with_window_type(egui::X11WindowType::Notification)
            .with_always_on_top()
            .with_active(false)
            .with_decorations(false)
            .with_resizable(false)
            .with_taskbar(false)
            .with_inner_size(size)
            .with_position(Pos2::new(place.x.max(0.0), place.y.max(0.0)));
        let (handle, popup) = (self.handle.clone(), Arc::clone(&self.popup));
        ctx.show_viewport_deferred(popup_id(), builder, move |ui, _class| {
            let mut state = popup.lock().unwrap_or_else(PoisonError::into_inner);
            let mut scene = Scene::new(&handle, now());
            let answered = popup_ui(ui, &mut scene, &mut state);
            if !scene.finish() {
                tracing::warn!("the engine did not take the pop-up's command");
            }
            if answered {
                bring_forward(ui.ctx());
            }
        });
    }
}

/// The time of this frame.
fn now() -> Now {
    Now {
        wall: clock::wall_now(),
        mono: clock::monotonic_now(),
        zone: TimeZone::system(),
    }
}

/// Shows the main window in front.
fn bring_forward(ctx: &Context) {
    for command in [
        ViewportCommand::Visible(true),
        ViewportCommand::Minimized(false),
        ViewportCommand::Focus,
    ] {
        ctx.send_viewport_cmd_to(ViewportId::ROOT, command);
    }
}

/// Dark where neither the desktop nor the window system says anything.
fn follow_theme(ctx: &Context, choice: ThemeChoice, asked: Option<bool>) {
    let dark = match choice {
        ThemeChoice::Dark => true,
        ThemeChoice::Light => false,
        ThemeChoice::System => {
            asked.unwrap_or_else(|| ctx.system_theme() != Some(egui::Theme::Light))
        }
    };
    let wanted = if dark {
        egui::ThemePreference::Dark
    } else {
        egui::ThemePreference::Light
    };
    if ctx.options(|options| options.theme_preference) != wanted {
        ctx.set_theme(wanted);
        ctx.request_repaint();
    }
}

impl eframe::App for Shell {
    /// Runs even while the window is hidden or minimized.
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        let snapshot = self.handle.snapshot();
        let asked = self.waker.appearance();
        follow_theme(ctx, snapshot.settings.theme, asked.dark);
        theme::keep_still(ctx, asked.still);
        if let Some(screen) = ctx.input(|input| input.viewport().monitor_size) {
            self.screen = screen;
        }
        let rings = ringing(&snapshot).next().is_some();
        if rings != self.ringing {
            self.ringing = rings;
            self.waker.set_popup(rings && !self.wayland);
            // A hidden window draws nothing, and without drawing no pop-up comes or goes. Only at
            // these two edges: asked for in each pass it would never rest.
            ctx.send_viewport_cmd_to(ViewportId::ROOT, ViewportCommand::RequestPaintWhileHidden);
            if rings && self.wayland {
                ctx.send_viewport_cmd_to(
                    ViewportId::ROOT,
                    ViewportCommand::RequestUserAttention(UserAttentionType::Critical),
                );
            }
        }
        if self.waker.take_raise() {
            bring_forward(ctx);
        }
        self.close(ctx, &snapshot);
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        // What the last one took, with its painting; the measurements read it.
        if let Some(seconds) = frame.info().cpu_usage {
            tracing::trace!("a frame took {:.0} us", seconds * 1e6);
        }
        let mut scene = Scene::new(&self.handle, now());
        desk_ui(ui, &mut scene, &mut self.state);
        let snapshot = Arc::clone(&scene.snapshot);
        if !scene.finish() {
            self.state.refused = true;
        }
        if ringing(&snapshot).next().is_some() && !self.wayland {
            self.show_popup(ui.ctx(), &snapshot);
        }
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_its_cause_and_no_source_file() {
        let words = "os error at /some/where/mod.rs:788: Failed to open connection to X server";
        assert_eq!(cause(words), "Failed to open connection to X server");
        assert_eq!(cause("no config: none"), "no config: none");
        let told = UiError::Graphics("no config".to_owned()).to_string();
        assert!(told.contains("install"), "{told}");
    }
}
