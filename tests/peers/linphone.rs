//! linphonec with files instead of a sound card, driven by its prompt.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use tempfile::TempDir;

use crate::audio::{self, Sound};
use crate::place::{self, PATIENCE};

/// The bytes before the samples of its recordings.
const HEADER: usize = 44;

/// Where it runs, and how its sound goes.
pub(crate) struct There<'a> {
    /// What starts a program there.
    pub(crate) prefix: &'a [OsString],
    pub(crate) address: &'a str,
    /// Without which it has no calls: `srtp` (SDES) or `dtls`; empty for none.
    pub(crate) encryption: &'a str,
    /// Whether by ICE; it offers none on loopback.
    pub(crate) ice: bool,
}

/// On loopback, in the clear.
pub(crate) const HERE: There<'_> = There {
    prefix: &[],
    address: "127.0.0.1",
    encryption: "",
    ice: false,
};

/// A running linphonec, with a home of its own.
#[derive(Debug)]
pub(crate) struct Linphone {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    seen: Vec<String>,
    address: String,
    port: u16,
    folder: TempDir,
}

impl Linphone {
    /// Starts it with one codec, such as `opus/48000/2` or `PCMA/8000/1`; it answers each call, says
    /// `speech` and records what it hears as `first`.
    pub(crate) fn start(codec: &str, speech: &Sound) -> Self {
        Self::start_with(codec, speech, "", &HERE)
    }

    /// The same elsewhere, or with another way of its sound.
    pub(crate) fn start_at(codec: &str, speech: &Sound, there: &There<'_>) -> Self {
        Self::start_with(codec, speech, "", there)
    }

    /// The same as `sip:linphone@lab.example`, whose calls go to the proxy at that address.
    pub(crate) fn start_behind(proxy: &str, codec: &str, speech: &Sound) -> Self {
        let account = format!(
            "[proxy_0]\n\
             reg_proxy=sip:{proxy}\n\
             reg_route=sip:{proxy};lr\n\
             reg_identity=sip:linphone@lab.example\n\
             reg_sendregister=0\n"
        );
        Self::start_with(codec, speech, &account, &HERE)
    }

    fn start_with(codec: &str, speech: &Sound, account: &str, there: &There<'_>) -> Self {
        place::need("linphonec");
        let folder = TempDir::new().unwrap();
        let at = folder.path();
        // SIP, then RTP (on an even one) and RTCP of up to three calls.
        let port = place::ports(9);
        // Its database is not made where its folder is missing.
        std::fs::create_dir_all(at.join(".local/share/linphone")).unwrap();
        let settings = at.join("settings");
        std::fs::write(&settings, configuration(port, codec, there) + account).unwrap();
        let mut child = place::command(there.prefix, "linphonec")
            .arg("-c")
            .arg(&settings)
            .env("HOME", at)
            .env("XDG_CONFIG_HOME", at.join(".config"))
            .env("XDG_DATA_HOME", at.join(".local/share"))
            .env("XDG_RUNTIME_DIR", at)
            // No sound server is there, and none is to be started.
            .env("PULSE_SERVER", at.join("no-pulseaudio"))
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env_remove("DISPLAY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let lines = place::lines_of("linphone", child.stdout.take().unwrap());
        let mut linphone = Self {
            child,
            stdin,
            lines,
            seen: Vec::new(),
            address: there.address.to_owned(),
            port,
            folder,
        };
        linphone.command("soundcard use files");
        linphone.play(speech);
        linphone.record("first");
        linphone.command("autoanswer enable");
        linphone.wait("Auto answer enabled");
        place::until_udp_bound_by(linphone.child.id(), port);
        linphone
    }

    /// Its address, to be called.
    pub(crate) fn uri(&self) -> String {
        format!("sip:linphone@{}:{}", self.address, self.port)
    }

    /// Writes a command at its prompt, such as `call` with an address.
    pub(crate) fn command(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").unwrap();
        self.stdin.flush().unwrap();
    }

    /// Says something else from now on, also in a running call.
    pub(crate) fn play(&mut self, speech: &Sound) {
        let file = self.wav(&format!("say-{}", self.seen.len()));
        speech.write(&file);
        self.command(&format!("play {}", file.display()));
    }

    /// Writes what it hears from now on into another recording, also in a running call.
    pub(crate) fn record(&mut self, name: &str) {
        let file = self.wav(name);
        self.command(&format!("record {}", file.display()));
    }

    /// Waits until a recording is so long; it must be an Opus call.
    pub(crate) fn until_recorded(&self, name: &str, millis: usize) {
        let file = self.wav(name);
        let wanted = HEADER + millis * 96;
        place::until(&format!("linphone records no `{name}`"), || {
            let length = std::fs::metadata(&file).ok()?.len();
            (usize::try_from(length).unwrap() >= wanted).then_some(())
        });
    }

    /// Waits until it writes a line with these words.
    pub(crate) fn wait(&mut self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("linphone says no `{words}`, but:\n{}", self.seen.join("\n"));
            };
            self.seen.push(line.clone());
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Ends it and gives its folder, from which [`Heard`] reads.
    pub(crate) fn quit(mut self) -> Heard {
        self.command("quit");
        let _status = self.child.wait().unwrap();
        Heard(std::mem::replace(&mut self.folder, TempDir::new().unwrap()))
    }

    fn wav(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.wav"))
    }
}

impl Drop for Linphone {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The recordings of a linphone that ended.
#[derive(Debug)]
pub(crate) struct Heard(TempDir);

impl Heard {
    /// What it heard while it recorded under that name.
    pub(crate) fn recording(&self, name: &str) -> Sound {
        let file = self.0.path().join(format!("{name}.wav"));
        // linphone counts the header into the length of what follows it.
        let mut bytes = std::fs::read(&file).unwrap();
        let length = u32::try_from(bytes.len() - HEADER).unwrap();
        bytes[HEADER - 4..HEADER].copy_from_slice(&length.to_le_bytes());
        std::fs::write(&file, bytes).unwrap();
        audio::read(&file).remove(0)
    }
}

/// One address alone: no name is looked up and no server is asked.
fn configuration(port: u16, codec: &str, there: &There<'_>) -> String {
    let [mime, rate, channels] = codec.split('/').collect::<Vec<_>>().try_into().unwrap();
    let first = (port + 2) & !1;
    let last = first + 6;
    let address = there.address;
    let encryption = match there.encryption {
        "" => String::new(),
        kind => format!("media_encryption={kind}\nmedia_encryption_mandatory=1\n"),
    };
    let ice = if there.ice {
        "firewall_policy=ice\n"
    } else {
        ""
    };
    format!(
        "[sip]\n\
         sip_port={port}\n\
         sip_tcp_port=0\n\
         sip_tls_port=0\n\
         bind_address={address}\n\
         use_ipv6=0\n\
         default_proxy=0\n\
         guess_hostname=0\n\
         contact=sip:linphone@{address}:{port}\n\
         {encryption}\
         [net]\n\
         dns_srv_enabled=0\n\
         {ice}\
         [rtp]\n\
         bind_address={address}\n\
         audio_rtp_port={first}-{last}\n\
         [sound]\n\
         echocancellation=0\n\
         [misc]\n\
         add_missing_audio_codecs=0\n\
         [audio_codec_0]\n\
         mime={mime}\n\
         rate={rate}\n\
         channels={channels}\n\
         enabled=1\n"
    )
}
