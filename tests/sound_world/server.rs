//! A sound server in a private folder.

use std::process::{Command, Stdio};

/// A PulseAudio of our own.
pub(crate) struct SoundServer {
    folder: tempfile::TempDir,
}

impl SoundServer {
    /// Starts it with those modules, each with its arguments.
    pub(crate) fn start(modules: &[&str]) -> Self {
        let server = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let started = server
            .command("pulseaudio")
            .args(["-n", "--daemonize=yes", "--exit-idle-time=-1"])
            .arg("-L")
            .arg("module-native-protocol-unix")
            .args(modules.iter().flat_map(|module| ["-L", module]))
            .stdout(Stdio::null())
            .status();
        match started {
            Ok(status) => assert!(status.success(), "pulseaudio does not start: {status}"),
            Err(error) => panic!("pulseaudio is needed; `make test` installs it: {error}"),
        }
        server
    }

    /// A command in the environment of this server.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("HOME", self.folder.path())
            .env_remove("PULSE_SERVER")
            .env_remove("PULSE_RUNTIME_PATH")
            .env_remove("PULSE_COOKIE");
        command
    }
}

impl Drop for SoundServer {
    fn drop(&mut self) {
        // By the process id that it left in its folder; it may be gone already.
        let ended = self
            .command("pulseaudio")
            .arg("--kill")
            .stderr(Stdio::null())
            .status();
        drop(ended);
    }
}
