//! What can be seen on a display.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, ImageFormat, MapState, Window};
use x11rb::rust_connection::RustConnection;

/// How long anything may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// More colours than this, in a corner of a window, are text or a picture.
const COLOURS: usize = 8;
/// The corner that is looked at.
const CORNER: u16 = 160;

/// Looks at one display.
pub struct Eyes {
    connection: RustConnection,
    root: Window,
}

impl Eyes {
    pub fn open(display: &str) -> Self {
        let (connection, screen) = RustConnection::connect(Some(display)).unwrap();
        let root = connection.setup().roots[screen].root;
        Self { connection, root }
    }

    /// The window with this title, where it is mapped.
    fn window(&self, title: &str) -> Option<Window> {
        let mut waiting = vec![self.root];
        while let Some(window) = waiting.pop() {
            let tree = self.connection.query_tree(window).ok()?.reply();
            let Ok(tree) = tree else { continue };
            for child in tree.children {
                if self.is_titled(child, title) && self.is_mapped(child) {
                    return Some(child);
                }
                // A window manager puts each window into a frame, and no deeper.
                if window == self.root {
                    waiting.push(child);
                }
            }
        }
        None
    }

    fn is_titled(&self, window: Window, title: &str) -> bool {
        let asked =
            self.connection
                .get_property(false, window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 64);
        let name = asked.ok().and_then(|asked| asked.reply().ok());
        name.is_some_and(|name| name.value == title.as_bytes())
    }

    fn is_mapped(&self, window: Window) -> bool {
        let asked = self.connection.get_window_attributes(window).ok();
        let told = asked.and_then(|asked| asked.reply().ok());
        told.is_some_and(|told| told.map_state == MapState::VIEWABLE)
    }

    fn is_painted(&self, window: Window) -> bool {
        let asked = self.connection.get_image(
            ImageFormat::Z_PIXMAP,
            window,
            0,
            0,
            CORNER,
            CORNER,
            u32::MAX,
        );
        let Some(image) = asked.ok().and_then(|asked| asked.reply().ok()) else {
            return false;
        };
        let pixels = image
            .data
            .chunks_exact(4)
            .map(|pixel| [pixel[0], pixel[1], pixel[2]]);
        pixels.collect::<BTreeSet<_>>().len() > COLOURS
    }

    /// Waits until a window is painted.
    pub fn until_painted(&self, title: &str) -> Instant {
        self.until(title, || {
            self.window(title)
                .is_some_and(|window| self.is_painted(window))
        })
    }

    /// Waits until no window has this title.
    pub fn until_gone(&self, title: &str) -> Instant {
        self.until(title, || self.window(title).is_none())
    }

    fn until(&self, what: &str, seen: impl Fn() -> bool) -> Instant {
        let begun = Instant::now();
        while !seen() {
            assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
            std::thread::sleep(Duration::from_millis(1));
        }
        Instant::now()
    }
}
