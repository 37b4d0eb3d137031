//! The phones that are measured, each a process on a port of its own that answers each call at once.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ringdesk::sdp::Codec;
use tempfile::TempDir;

/// How long anything may take before the measurement is given up.
pub const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ringdesk,
    Baresip,
}

/// A phone that answers each call at once.
pub struct Phone {
    child: Child,
    pub port: u16,
    folder: TempDir,
}

impl Phone {
    /// Starts it; with the port of a registrar it registers there, else it takes direct calls.
    pub fn start(kind: Kind, registrar: Option<u16>) -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let command = match kind {
            Kind::Ringdesk => {
                let mut command = ringdesk(folder.path(), port, registrar);
                command.args(["--codecs", "pcmu"]);
                command
            }
            Kind::Baresip => {
                // Without a source of sound it would end each call.
                let silence = folder.path().join("silence.wav");
                write_silence(&silence);
                let sound = format!(
                    "audio_source aufile,{}\naudio_player aufile,{}\nmodule g711.so\nmodule aufile.so\n",
                    silence.display(),
                    folder.path().join("out.wav").display()
                );
                baresip(folder.path(), port, registrar, &sound, "pcmu")
            }
        };
        Self::run(command, port, folder)
    }

    /// Starts it so that it returns what it hears, with Opus or PCMU.
    pub fn echoing(kind: Kind, codec: Codec) -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let (name, module) = match codec {
            Codec::Opus => ("opus", "opus.so"),
            _ => ("pcmu", "g711.so"),
        };
        let command = match kind {
            Kind::Ringdesk => {
                let mut command = ringdesk(folder.path(), port, None);
                command.args(["--codecs", name, "--echo"]);
                command
            }
            Kind::Baresip => {
                let sound = format!(
                    "audio_source aubridge,loop\naudio_player aubridge,loop\nmodule {module}\nmodule aubridge.so\n"
                );
                baresip(folder.path(), port, None, &sound, name)
            }
        };
        Self::run(command, port, folder)
    }

    fn run(mut command: Command, port: u16, folder: TempDir) -> Self {
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self {
            child,
            port,
            folder,
        }
    }

    pub fn until_bound(&self) {
        let begun = Instant::now();
        while UdpSocket::bind((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
            assert!(begun.elapsed() < PATIENCE, "the phone does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(300));
    }

    /// What it printed so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// User and system time so far.
    pub fn processor_time(&self) -> Duration {
        processor_time(&format!("/proc/{}/stat", self.child.id()), 13)
    }

    /// Resident memory in KiB, shared pages of files included.
    pub fn resident(&self) -> u64 {
        resident(self.child.id())
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn ringdesk(folder: &Path, port: u16, registrar: Option<u16>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringdesk"));
    command
        .args(["headless", "--max-calls", "100000", "--rate-limit", "off"])
        .args(["--auto-answer", "--bind", &format!("127.0.0.1:{port}")])
        .arg("--data-dir")
        .arg(folder);
    match registrar {
        Some(registrar) => command
            .args(["--account", "sip:alice@127.0.0.1", "--password-env", "PW"])
            .args(["--registrar", &format!("127.0.0.1:{registrar}")])
            .env("PW", "secret"),
        None => command.arg("--no-register"),
    };
    command
}

fn baresip(folder: &Path, port: u16, registrar: Option<u16>, sound: &str, codec: &str) -> Command {
    let modules = baresip_modules();
    let config = format!(
        "sip_listen 127.0.0.1:{port}\nnet_interface 127.0.0.1\ncall_max_calls 100000\nmodule_path {}\n{sound}module_tmp account.so\nmodule_app menu.so\n",
        modules.display()
    );
    let target = registrar.unwrap_or(port);
    let interval = if registrar.is_some() { 3_600 } else { 0 };
    let account = format!(
        "<sip:alice@127.0.0.1:{target}>;auth_pass=secret;regint={interval};answermode=auto;audio_codecs={codec}\n"
    );
    fs::write(folder.join("config"), config).unwrap();
    fs::write(folder.join("accounts"), account).unwrap();
    fs::write(folder.join("contacts"), "").unwrap();
    let mut command = Command::new("baresip");
    command.arg("-f").arg(folder);
    command
}

/// Where the distribution keeps baresip's modules.
pub fn baresip_modules() -> PathBuf {
    ["/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules"]
        .into_iter()
        .map(PathBuf::from)
        .chain(
            fs::read_dir("/usr/lib")
                .unwrap()
                .map(|entry| entry.unwrap().path().join("baresip/modules")),
        )
        .find(|path| path.join("g711.so").exists())
        .expect("baresip has no g711 module")
}

/// Writes ten seconds of silence.
fn write_silence(path: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).unwrap();
    for _ in 0..80_000 {
        file.write_sample(0_i16).unwrap();
    }
    file.finalize().unwrap();
}

/// Two neighbouring fields of a `stat` file of proc(5), in ticks of 10 ms; the first is `field`,
/// counted from zero.
pub fn processor_time(path: &str, field: usize) -> Duration {
    let stat = fs::read_to_string(path).unwrap();
    let after_name = &stat[stat.rfind(')').unwrap() + 2..];
    let ticks: u64 = after_name
        .split(' ')
        .skip(field - 2)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 10)
}

/// Resident memory of a process in KiB, shared pages of files included.
pub fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

pub fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// A port that is free over UDP and TCP now.
pub fn free_port() -> u16 {
    loop {
        let port = socket().local_addr().unwrap().port();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
