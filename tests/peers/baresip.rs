//! baresip with file audio, driven over its control port (netstrings of JSON).

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::audio::{self, Sound};
use crate::place::{self, PATIENCE};

/// A running baresip that answers each call.
#[derive(Debug)]
pub(crate) struct Baresip {
    child: Child,
    /// None where it is out of reach.
    control: Option<TcpStream>,
    buffer: Vec<u8>,
    address: String,
    port: u16,
    folder: TempDir,
}

impl Baresip {
    /// Starts it with one codec, such as `opus/48000/2`, `g722/16000/1` or `pcma`, saying `speech`.
    pub(crate) fn start(codec: &str, speech: &Sound) -> Self {
        Self::with(codec, speech, None, None)
    }

    /// The same with SRTP, by a name of its own for how much it insists and where the keys come from:
    /// `srtp`, `srtp-mand` or `srtp-mandf`; `dtls_srtp`, always under UDP/TLS/RTP/SAVPF.
    pub(crate) fn encrypted(codec: &str, speech: &Sound, insists: &str) -> Self {
        Self::with(codec, speech, None, Some(insists))
    }

    /// The same with G.711, and a second account that sends on what the first one plays to its user:
    /// its own dump of that ends when a call is held.
    pub(crate) fn overheard(speech: &Sound) -> Self {
        let codec = "PCMA/8000/1";
        let listener =
            ";audio_codecs=PCMA/8000/1;audio_source=aubridge,heard;audio_player=aubridge,nowhere";
        Self::with(codec, speech, Some(listener), None)
    }

    /// The same with G.711 and ICE, in a namespace at that address: it offers nothing on loopback. It
    /// calls somebody or waits, and cannot be driven otherwise.
    pub(crate) fn with_ice(
        (prefix, address): (&[OsString], &str),
        speech: &Sound,
        more: &str,
        dials: Option<&str>,
    ) -> Self {
        let there = There {
            prefix,
            address,
            more,
            dials,
        };
        Self::at("PCMA/8000/1", speech, None, None, &there)
    }

    fn with(codec: &str, speech: &Sound, listener: Option<&str>, srtp: Option<&str>) -> Self {
        let here = There {
            prefix: &[],
            address: "127.0.0.1",
            more: "",
            dials: None,
        };
        Self::at(codec, speech, listener, srtp, &here)
    }

    fn at(
        codec: &str,
        speech: &Sound,
        listener: Option<&str>,
        srtp: Option<&str>,
        there: &There<'_>,
    ) -> Self {
        place::need("baresip");
        let address = there.address;
        let folder = TempDir::new().unwrap();
        // SIP, one for TLS that it takes by itself, and the control port.
        let port = place::ports(3);
        let control_port = port + 2;
        // Its file source wants the codec's own rate, and Opus is stereo to it.
        let rate = if codec.starts_with("opus") {
            48_000
        } else if codec.starts_with("g722") {
            16_000
        } else {
            8_000
        };
        let source = folder.path().join("source.wav");
        // It hangs up at the end of the file.
        let mut speech = speech.at_rate(rate);
        let seconds = if listener.is_some() { 60 } else { 20 };
        let silence = usize::try_from(rate * seconds).unwrap();
        speech.samples.extend(std::iter::repeat_n(0.0, silence));
        if codec.starts_with("opus") {
            speech.write_stereo(&source);
        } else {
            speech.write(&source);
        }
        let modules = modules();
        let at = folder.path().display();
        // Without its own player a call would take any that is there.
        let bridge = listener.map_or("", |_| "module aubridge.so");
        let encryption = match srtp {
            Some("dtls_srtp") => "module dtls_srtp.so\nrtcp_mux yes",
            Some(_) => "module srtp.so",
            None => "",
        };
        let ice = if there.more.contains("medianat=ice") {
            "module stun.so\nmodule turn.so\nmodule ice.so"
        } else {
            ""
        };
        let config = format!(
            "sip_listen {address}:{port}\n\
             net_interface {address}\n\
             audio_source aufile,{at}/source.wav\n\
             audio_player aufile,{at}/player.wav\n\
             audio_alert aufile,{at}/none.wav\n\
             module_path {}\n\
             module g711.so\n\
             module g722.so\n\
             module opus.so\n\
             module aufile.so\n\
             module sndfile.so\n\
             {bridge}\n\
             {encryption}\n\
             {ice}\n\
             module_tmp account.so\n\
             module_app menu.so\n\
             module_app ctrl_tcp.so\n\
             ctrl_tcp_listen 127.0.0.1:{control_port}\n\
             snd_path {at}\n",
            modules.display()
        );
        std::fs::write(folder.path().join("config"), config).unwrap();
        let account = |user, more: &str| {
            format!("<sip:{user}@{address}:{port}>;regint=0;answermode=auto{more}\n")
        };
        let mut own = format!(";audio_codecs={codec}{}", there.more);
        if let Some(insists) = srtp {
            own.push_str(&format!(";mediaenc={insists}"));
        }
        let mut accounts = String::new();
        if let Some(listener) = listener {
            own.push_str(";audio_player=aubridge,heard");
            accounts = account("listener", listener);
        }
        accounts.insert_str(0, &account("baresip", &own));
        std::fs::write(folder.path().join("accounts"), accounts).unwrap();
        std::fs::write(folder.path().join("contacts"), "").unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = place::command(there.prefix, "baresip");
        if let Some(target) = there.dials {
            command.arg("-e").arg(format!("/dial {target}"));
        }
        let child = command
            .arg("-f")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        place::until_udp_bound_by(child.id(), port);
        let control = there.prefix.is_empty().then(|| {
            place::until("baresip's control port is closed", || {
                TcpStream::connect((Ipv4Addr::LOCALHOST, control_port)).ok()
            })
        });
        Self {
            child,
            control,
            buffer: Vec::new(),
            address: address.to_owned(),
            port,
            folder,
        }
    }

    /// Its address, to be called.
    pub(crate) fn uri(&self) -> String {
        format!("sip:baresip@{}:{}", self.address, self.port)
    }

    /// Its port for SIP.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Who is called here hears what its user hears.
    pub(crate) fn listener(&self) -> String {
        format!("sip:listener@127.0.0.1:{}", self.port)
    }

    /// Sends a command of its menu, such as `dial`.
    pub(crate) fn command(&mut self, name: &str, parameters: &str) {
        let message = json!({ "command": name, "params": parameters }).to_string();
        let control = self.control.as_mut().unwrap();
        write!(control, "{}:{message},", message.len()).unwrap();
    }

    /// Waits for an event, such as `CALL_ESTABLISHED`.
    pub(crate) fn wait(&mut self, kind: &str) -> Value {
        self.wait_any(&[kind])
    }

    fn wait_any(&mut self, kinds: &[&str]) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Some(message) = self.next_message() {
                if kinds.iter().any(|kind| message["type"] == *kind) {
                    return message;
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "baresip says no {kinds:?}");
            let control = self.control.as_mut().unwrap();
            control.set_read_timeout(Some(left)).unwrap();
            let mut bytes = [0; 4096];
            let count = control.read(&mut bytes).unwrap_or(0);
            self.buffer.extend_from_slice(&bytes[..count]);
        }
    }

    /// Waits for one event of each of two kinds, whichever comes first.
    pub(crate) fn wait_both(&mut self, kinds: [&str; 2]) -> [Value; 2] {
        let first = self.wait_any(&kinds);
        if first["type"] == kinds[0] {
            let second = self.wait(kinds[1]);
            [first, second]
        } else {
            let second = self.wait(kinds[0]);
            [second, first]
        }
    }

    fn next_message(&mut self) -> Option<Value> {
        let colon = self.buffer.iter().position(|byte| *byte == b':')?;
        let length: usize = std::str::from_utf8(&self.buffer[..colon])
            .unwrap()
            .parse()
            .unwrap();
        let end = colon + 1 + length;
        if self.buffer.len() <= end {
            return None;
        }
        let message = serde_json::from_slice(&self.buffer[colon + 1..end]).unwrap();
        self.buffer.drain(..=end);
        Some(message)
    }

    /// Ends it and gives what it heard, decoded.
    pub(crate) fn heard(mut self) -> Sound {
        if self.control.is_some() {
            self.command("quit", "");
        } else {
            place::terminate(self.child.id());
        }
        let _status = self.child.wait().unwrap();
        let heard = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.to_string_lossy().ends_with("-dec.wav"))
            .unwrap();
        audio::read(&heard).remove(0)
    }
}

/// Where it runs, and how.
struct There<'a> {
    /// What starts a program there.
    prefix: &'a [OsString],
    address: &'a str,
    /// More parameters of its account.
    more: &'a str,
    /// Whom it calls.
    dials: Option<&'a str>,
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Where the distribution keeps its modules.
fn modules() -> PathBuf {
    [
        "/usr/lib/baresip/modules",
        "/usr/local/lib/baresip/modules",
        "/usr/lib64/baresip/modules",
    ]
    .into_iter()
    .map(PathBuf::from)
    .chain(
        std::fs::read_dir("/usr/lib")
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path().join("baresip/modules"))),
    )
    .find(|path| path.join("opus.so").exists())
    .unwrap_or_else(|| panic!("baresip has no opus module"))
}
