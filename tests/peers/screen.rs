//! A display of its own: Xvfb, the window manager openbox, and what xdotool and `ImageMagick` do on
//! it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::place;

/// A display with nothing on it but what the test starts.
#[derive(Debug)]
pub(crate) struct Screen {
    display: String,
    /// The address of its message bus.
    bus: String,
    folder: TempDir,
    processes: Vec<Child>,
}

/// A program on it that is watched: what it says on stderr, and how it ends.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    stderr: PathBuf,
}

/// A window on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    id: String,
}

/// Where a window is, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Screen {
    /// Starts the display and the window manager. There is no message bus: no keyring, and no portal,
    /// of the person who runs the tests.
    pub(crate) fn start() -> Self {
        Self::start_on("unix:path=/nonexistent")
    }

    /// The same with a message bus, which is that of the session and that of the system.
    pub(crate) fn start_on(bus: &str) -> Self {
        for program in ["Xvfb", "openbox", "xdotool", "xterm", "import", "identify"] {
            place::need(program);
        }
        let mut xvfb = Command::new("Xvfb")
            // It chooses a free number and tells it on its standard output; without -noreset it
            // starts anew whenever its last client leaves, under the feet of the next.
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1600x1000x24",
                "-nolisten",
                "tcp",
                "-noreset",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(xvfb.stdout.take().unwrap())
            .read_line(&mut number)
            .unwrap();
        let display = format!(":{}", number.trim());
        let folder = TempDir::new().unwrap();
        let mut screen = Self {
            display,
            bus: bus.to_owned(),
            folder,
            processes: vec![xvfb],
        };
        screen.run(Command::new("openbox").arg("--sm-disable"));
        // It owns a property of the root window as soon as it manages windows.
        place::until("openbox does not manage the display", || {
            let text = screen.output(Command::new("xprop").args(["-root", "_NET_SUPPORTED"]));
            if let Some(status) = screen.processes.last_mut().unwrap().try_wait().unwrap() {
                panic!("openbox on {}: {status}: {}", screen.display, screen.log());
            }
            text.contains("_NET_WM_STATE").then_some(())
        });
        screen
    }

    /// Starts a program on it, which ends with it.
    pub(crate) fn run(&mut self, command: &mut Command) {
        self.on_it(command).stdin(Stdio::null());
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.processes.push(child);
    }

    /// Starts a program on it that is watched.
    pub(crate) fn watch(&self, command: &mut Command) -> Program {
        let stderr = self.folder.path().join("stderr");
        let child = self
            .on_it(command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        Program { child, stderr }
    }

    /// What the programs on it complained of.
    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Lets a program that is about to start see this display and no other.
    pub(crate) fn on_it<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("DISPLAY", &self.display)
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("HOME", self.folder.path())
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.bus)
            .env_remove("BROWSER")
            .env_remove("DESKTOP_SESSION")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_CURRENT_DESKTOP")
            .env_remove("XDG_DATA_HOME")
    }

    /// Its name, as in `DISPLAY`.
    pub(crate) fn display(&self) -> &str {
        &self.display
    }

    /// The home of the programs on it.
    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }

    /// What a program prints that ends by itself.
    pub(crate) fn output(&self, command: &mut Command) -> String {
        let output = self.on_it(command).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn xdotool(&self, arguments: &[&str]) -> String {
        self.output(Command::new("xdotool").args(arguments))
            .trim()
            .to_owned()
    }

    /// Waits until a window with this name is visible.
    pub(crate) fn window(&self, name: &str) -> Window {
        let pattern = format!("^{name}");
        place::until(&format!("no window {name}"), || {
            let ids = self.xdotool(&["search", "--onlyvisible", "--name", &pattern]);
            let id = ids.lines().next_back()?.to_owned();
            Some(Window { id })
        })
    }

    /// Whether a window with this name is visible now.
    pub(crate) fn shows(&self, name: &str) -> bool {
        let pattern = format!("^{name}");
        !self
            .xdotool(&["search", "--onlyvisible", "--name", &pattern])
            .is_empty()
    }

    /// Gives a window the keyboard.
    pub(crate) fn focus(&self, window: &Window) {
        // A window manager that is just starting loses what it is asked for.
        place::until("the window does not take the keyboard", || {
            self.xdotool(&["windowactivate", &window.id]);
            (self.focused() == *window).then_some(())
        });
    }

    /// The window that has the keyboard.
    pub(crate) fn focused(&self) -> Window {
        Window {
            id: self.xdotool(&["getactivewindow"]),
        }
    }

    /// Types into whatever has the keyboard, as a person does.
    pub(crate) fn type_text(&self, text: &str) {
        self.xdotool(&["type", "--delay", "60", "--clearmodifiers", text]);
    }

    /// Presses keys together, such as `alt+F4`, for whatever has the keyboard.
    pub(crate) fn press(&self, keys: &str) {
        self.xdotool(&["key", "--clearmodifiers", keys]);
    }

    /// Where a window is.
    pub(crate) fn place(&self, window: &Window) -> Place {
        let text = self.xdotool(&["getwindowgeometry", "--shell", &window.id]);
        let value = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                .and_then(|value| value.parse().ok())
                .unwrap_or_else(|| panic!("no {name} in {text}"))
        };
        Place {
            x: value("X"),
            y: value("Y"),
            width: value("WIDTH"),
            height: value("HEIGHT"),
        }
    }

    /// Clicks at a point of the screen.
    pub(crate) fn click(&self, x: u32, y: u32) {
        self.xdotool(&[
            "mousemove",
            "--sync",
            &x.to_string(),
            &y.to_string(),
            "click",
            "1",
        ]);
    }

    /// Shows a window, or takes it from the screen, for good or into the list of windows.
    pub(crate) fn show(&self, window: &Window, shown: bool, minimized: bool) {
        let action = match (shown, minimized) {
            (true, _) => "windowmap",
            (false, true) => "windowminimize",
            (false, false) => "windowunmap",
        };
        self.xdotool(&[action, "--sync", &window.id]);
    }

    /// Gives a window another size.
    pub(crate) fn resize(&self, window: &Window, width: u32, height: u32) {
        let size = [width.to_string(), height.to_string()];
        self.xdotool(&["windowsize", "--sync", &window.id, &size[0], &size[1]]);
    }

    /// Turns the wheel down at a point for a while, a hundred times a second.
    pub(crate) fn turn_wheel(&self, x: u32, y: u32, during: std::time::Duration) {
        let times = (during.as_millis() / 10).to_string();
        self.xdotool(&["mousemove", "--sync", &x.to_string(), &y.to_string()]);
        self.xdotool(&["click", "--repeat", &times, "--delay", "10", "5"]);
    }

    /// Keeps a picture of the whole screen.
    pub(crate) fn picture(&self, file: &Path) {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        self.output(Command::new("import").args(["-window", "root"]).arg(file));
        assert!(file.exists(), "no picture {}", file.display());
    }

    /// How bright a part of the screen is on average, from 0 to 1.
    pub(crate) fn brightness(&self, place: Place) -> f64 {
        let file = self.folder.path().join("part.png");
        let part = format!("{}x{}+{}+{}", place.width, place.height, place.x, place.y);
        self.output(
            Command::new("import")
                .args(["-window", "root", "-crop", &part])
                .arg(&file),
        );
        let mean = ["-format", "%[fx:mean]"];
        let text = self.output(Command::new("identify").args(mean).arg(&file));
        text.trim().parse().unwrap_or(0.5)
    }

    /// How many colours a part of the screen shows: one while nothing is painted there.
    pub(crate) fn colours(&self, place: Place) -> u32 {
        let file = self.folder.path().join("part.png");
        let part = format!("{}x{}+{}+{}", place.width, place.height, place.x, place.y);
        self.output(
            Command::new("import")
                .args(["-window", "root", "-crop", &part])
                .arg(&file),
        );
        let text = self.output(Command::new("identify").args(["-format", "%k"]).arg(&file));
        text.trim().parse().unwrap_or(0)
    }
}

/// A Wayland compositor without a screen: weston, with nothing on it but what the test starts.
#[derive(Debug)]
pub(crate) struct Compositor {
    bus: String,
    folder: TempDir,
    weston: Child,
}

/// The name of its socket.
const WAYLAND: &str = "wayland-test";

impl Compositor {
    /// Starts it; the programs on it have this message bus.
    pub(crate) fn start(bus: &str) -> Self {
        place::need("weston");
        let folder = TempDir::new().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let weston = Command::new("weston")
            .args([
                "--backend=headless-backend.so",
                "--no-config",
                "--idle-time=0",
            ])
            .args(["--width=1280", "--height=800"])
            .arg(format!("--socket={WAYLAND}"))
            .env("XDG_RUNTIME_DIR", folder.path())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let compositor = Self {
            bus: bus.to_owned(),
            folder,
            weston,
        };
        place::until("weston does not listen", || {
            let socket = compositor.folder.path().join(WAYLAND);
            socket.exists().then_some(())
        });
        compositor
    }

    /// Starts a program on it that is watched.
    pub(crate) fn watch(&self, command: &mut Command) -> Program {
        let stderr = self.folder.path().join("stderr");
        let child = command
            .env("WAYLAND_DISPLAY", WAYLAND)
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("HOME", self.folder.path())
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.bus)
            .env_remove("DISPLAY")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        Program { child, stderr }
    }

    /// What it says of itself and of its clients.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Compositor {
    fn drop(&mut self) {
        place::terminate(self.weston.id());
        let _reaped = self.weston.wait();
    }
}

impl Program {
    /// What it said on stderr so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap()
    }

    /// Whether it has not ended.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it ends by itself; its exit code.
    pub(crate) fn ended(mut self) -> Option<i32> {
        place::until("the program does not end", || {
            self.child.try_wait().unwrap()
        })
        .code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        for child in self.processes.iter_mut().rev() {
            // In order, or the display leaves its lock and its socket behind.
            place::terminate(child.id());
            let _reaped = child.wait();
        }
    }
}
