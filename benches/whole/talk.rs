//! An Opus call from file to file between two phones of a kind, each a process of its own.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ringdesk::media::frame::to_pcm16;
use tempfile::TempDir;

use crate::phone::{Kind, PATIENCE, baresip_modules, free_port, processor_time, resident};

/// Bits a second of both.
const BITRATE: u32 = 64_000;

/// One phone of such a call.
pub struct Talker {
    kind: Kind,
    child: Child,
    pub port: u16,
    control: u16,
    folder: TempDir,
}

impl Talker {
    /// One that answers each call, says `speech` (48 kHz) and keeps what it hears.
    pub fn answering(kind: Kind, speech: &[f32]) -> Self {
        let talker = Self::start(kind, speech, None);
        let begun = Instant::now();
        while std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, talker.port)).is_ok() {
            assert!(begun.elapsed() < PATIENCE, "the phone does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        talker
    }

    /// One that calls a port of this machine, and keeps nothing where that can be helped.
    pub fn calling(kind: Kind, speech: &[f32], to: u16) -> Self {
        let talker = Self::start(kind, speech, Some(to));
        if kind == Kind::Baresip {
            let parameters = format!("sip:talker@127.0.0.1:{to}");
            talker.command("dial", &parameters);
        }
        talker
    }

    fn start(kind: Kind, speech: &[f32], to: Option<u16>) -> Self {
        let folder = TempDir::new().unwrap();
        let (port, control) = (free_port(), free_port());
        let said = folder.path().join("said.wav");
        write(&said, speech);
        let mut command = match kind {
            Kind::Ringdesk => ringdesk(folder.path(), port, to),
            Kind::Baresip => baresip(folder.path(), port, control),
        };
        let log = |name: &str| fs::File::create(folder.path().join(name)).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(log("log"))
            .stderr(log("errors"))
            .spawn()
            .unwrap();
        Self {
            kind,
            child,
            port,
            control,
            folder,
        }
    }

    /// Sends a command of baresip's menu.
    fn command(&self, name: &str, parameters: &str) {
        let begun = Instant::now();
        let mut stream = loop {
            if let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.control)) {
                break stream;
            }
            assert!(begun.elapsed() < PATIENCE, "baresip takes no commands");
            std::thread::sleep(Duration::from_millis(20));
        };
        let message = serde_json::json!({ "command": name, "params": parameters }).to_string();
        write!(stream, "{}:{message},", message.len()).unwrap();
        // What it answers is not read; it is done with the command then.
        let mut first = [0];
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let _count = std::io::Read::read(&mut stream, &mut first);
    }

    /// User and system time so far.
    pub fn processor_time(&self) -> Duration {
        processor_time(&format!("/proc/{}/stat", self.child.id()), 13)
    }

    /// Resident memory in KiB.
    pub fn resident(&self) -> u64 {
        resident(self.child.id())
    }

    /// Ends its calls and itself.
    pub fn end(&mut self) {
        match self.kind {
            Kind::Ringdesk => {
                let _status = Command::new("kill")
                    .args(["-TERM", &self.child.id().to_string()])
                    .status();
            }
            Kind::Baresip => self.command("quit", ""),
        }
        let _status = self.child.wait().unwrap();
    }

    /// The same; gives what it heard, and of ours the last event `quality`.
    pub fn heard(mut self) -> (Vec<f32>, serde_json::Value) {
        self.end();
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
        let quality = log
            .lines()
            .rev()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .find(|event| event["event"] == "quality");
        (
            heard(self.kind, self.folder.path()),
            quality.unwrap_or_default(),
        )
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn ringdesk(folder: &Path, port: u16, to: Option<u16>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringdesk"));
    command
        .args(["headless", "--no-register", "--codecs", "opus"])
        .args(["--voice", "off"])
        .args(["--bind", &format!("127.0.0.1:{port}")])
        .arg("--play")
        .arg(folder.join("said.wav"))
        .arg("--loop")
        .arg("--data-dir")
        .arg(folder);
    match to {
        Some(to) => command.args(["--call", &format!("sip:talker@127.0.0.1:{to}")]),
        None => command
            .arg("--auto-answer")
            .arg("--record-dir")
            .arg(folder.join("heard")),
    };
    command
}

fn baresip(folder: &Path, port: u16, control: u16) -> Command {
    let at = folder.display();
    let modules = baresip_modules();
    let config = format!(
        "sip_listen 127.0.0.1:{port}\n\
         net_interface 127.0.0.1\n\
         audio_source aufile,{at}/said.wav\n\
         audio_player aufile,{at}/player.wav\n\
         audio_alert aufile,{at}/none.wav\n\
         opus_bitrate {BITRATE}\n\
         opus_stereo no\n\
         opus_sprop_stereo no\n\
         opus_inbandfec yes\n\
         opus_packet_loss 10\n\
         module_path {}\n\
         module opus.so\n\
         module aufile.so\n\
         module sndfile.so\n\
         module_tmp account.so\n\
         module_app menu.so\n\
         module_app ctrl_tcp.so\n\
         ctrl_tcp_listen 127.0.0.1:{control}\n\
         snd_path {at}\n",
        modules.display()
    );
    fs::write(folder.join("config"), config).unwrap();
    let account = format!(
        "<sip:talker@127.0.0.1:{port}>;regint=0;answermode=auto;audio_codecs=opus/48000/1\n"
    );
    fs::write(folder.join("accounts"), account).unwrap();
    fs::write(folder.join("contacts"), "").unwrap();
    let mut command = Command::new("baresip");
    command.arg("-f").arg(folder);
    command
}

/// What a phone has kept: of ours the right side of its recording, of baresip what it decoded.
fn heard(kind: Kind, folder: &Path) -> Vec<f32> {
    let (folder, ending) = match kind {
        Kind::Ringdesk => (folder.join("heard"), ".wav"),
        Kind::Baresip => (folder.to_owned(), "-dec.wav"),
    };
    let path: PathBuf = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().ends_with(ending))
        .expect("a phone kept nothing of what it heard");
    let mut reader = hound::WavReader::open(path).unwrap();
    assert_eq!(reader.spec().sample_rate, 48_000);
    let channels = usize::from(reader.spec().channels);
    let samples = reader.samples::<i16>().map(Result::unwrap);
    samples
        .skip(channels - 1)
        .step_by(channels)
        .map(|sample| f32::from(sample) / 32_768.0)
        .collect()
}

fn write(path: &Path, samples: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).unwrap();
    for sample in samples {
        file.write_sample(to_pcm16(*sample)).unwrap();
    }
    file.finalize().unwrap();
}
