//! The whole phone without a window against SIPp, side by side with baresip: `make bench`.
//!
//! Each figure is the median of five runs. The calibration loop is printed first: compare it before
//! comparing machines. SIPp's own processor time is printed beside the phone's.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_precision_loss,
    reason = "a measurement, not the product"
)]

use std::fs;
use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const RUNS: usize = 5;
/// Calls of the latency figure in each run.
const CALLS: u32 = 200;
const PATIENCE: Duration = Duration::from_secs(20);

fn main() {
    // A busy machine measures its own scheduler.
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load before: {}", load.trim());
    println!("calibration: {:.2?}", median(calibrate));
    let peers = [Kind::Ringdesk, Kind::Baresip];
    let peers: Vec<Kind> = peers.into_iter().filter(|kind| kind.is_here()).collect();
    start_and_size(&peers);
    latency(&peers);
    // baresip is measured at a rate that it bears.
    load_test(Kind::Ringdesk, 1_000, 10_000);
    if peers.contains(&Kind::Baresip) {
        load_test(Kind::Baresip, 50, 500);
    }
}

fn calibrate() -> Duration {
    let begun = Instant::now();
    let mut x = 1_u64;
    for i in 0..10_000_000_u64 {
        x = black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(i));
    }
    black_box(x);
    begun.elapsed()
}

fn median<T: Ord + Copy>(run: impl FnMut() -> T) -> T {
    let mut results: Vec<T> = std::iter::repeat_with(run).take(RUNS).collect();
    results.sort();
    results[RUNS / 2]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ringdesk,
    Baresip,
}

impl Kind {
    fn is_here(self) -> bool {
        let here = match self {
            Self::Ringdesk => true,
            Self::Baresip => Command::new("baresip").arg("-h").output().is_ok(),
        };
        if !here {
            println!("{self:?} is not installed: no comparison");
        }
        here
    }
}

/// A phone that answers each call at once, on a port of its own.
struct Phone {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Phone {
    fn start(kind: Kind, registrar: Option<u16>) -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let mut command = match kind {
            Kind::Ringdesk => ringdesk(folder.path(), port, registrar),
            Kind::Baresip => baresip(folder.path(), port, registrar),
        };
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
            _folder: folder,
        }
    }

    fn until_bound(&self) {
        let begun = Instant::now();
        while UdpSocket::bind((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
            assert!(begun.elapsed() < PATIENCE, "the phone does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(300));
    }

    /// User and system time so far.
    fn processor_time(&self) -> Duration {
        processor_time(&format!("/proc/{}/stat", self.child.id()), 13)
    }

    /// Resident memory in KiB.
    fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
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
        .args(["--codecs", "pcmu"])
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

fn baresip(folder: &Path, port: u16, registrar: Option<u16>) -> Command {
    let modules = ["/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules"]
        .into_iter()
        .map(PathBuf::from)
        .chain(
            fs::read_dir("/usr/lib")
                .unwrap()
                .map(|entry| entry.unwrap().path().join("baresip/modules")),
        )
        .find(|path| path.join("g711.so").exists())
        .expect("baresip has no g711 module");
    let at = folder.display();
    let config = format!(
        "sip_listen 127.0.0.1:{port}\nnet_interface 127.0.0.1\naudio_source aufile,{at}/none.wav\naudio_player aufile,{at}/out.wav\ncall_max_calls 100000\nmodule_path {}\nmodule g711.so\nmodule aufile.so\nmodule_tmp account.so\nmodule_app menu.so\n",
        modules.display()
    );
    let target = registrar.unwrap_or(port);
    let interval = if registrar.is_some() { 3_600 } else { 0 };
    let account = format!(
        "<sip:alice@127.0.0.1:{target}>;auth_pass=secret;regint={interval};answermode=auto;audio_codecs=pcmu\n"
    );
    fs::write(folder.join("config"), config).unwrap();
    fs::write(folder.join("accounts"), account).unwrap();
    fs::write(folder.join("contacts"), "").unwrap();
    let mut command = Command::new("baresip");
    command.arg("-f").arg(folder);
    command
}

/// From the start of the process to its REGISTER, which is answered at once, and its memory then.
fn start_and_size(peers: &[Kind]) {
    for kind in peers {
        let mut sizes = Vec::new();
        let time = median(|| {
            let registrar = socket();
            let begun = Instant::now();
            let phone = Phone::start(*kind, Some(registrar.local_addr().unwrap().port()));
            let mut buffer = [0; 4096];
            let (length, from) = registrar.recv_from(&mut buffer).unwrap();
            let took = begun.elapsed();
            let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
            registrar
                .send_to(registered(&request).as_bytes(), from)
                .unwrap();
            std::thread::sleep(Duration::from_millis(500));
            sizes.push(phone.resident());
            took
        });
        sizes.sort_unstable();
        let size = sizes[RUNS / 2] as f64 / 1024.0;
        println!("{kind:?}: start to REGISTER {time:.2?}, resident when registered {size:.1} MiB");
    }
}

fn registered(request: &str) -> String {
    let copied: String = ["Via", "From", "To", "Call-ID", "CSeq", "Contact"]
        .iter()
        .filter_map(|name| {
            let line = request
                .lines()
                .find(|line| line.starts_with(&format!("{name}:")))?;
            Some(format!("{line}\r\n"))
        })
        .collect();
    format!("SIP/2.0 200 OK\r\n{copied}Expires: 3600\r\nContent-Length: 0\r\n\r\n")
}

/// INVITE to 180 and to 200, one call after the other.
fn latency(peers: &[Kind]) {
    let mut all = Vec::new();
    for kind in peers {
        let phone = Phone::start(*kind, None);
        phone.until_bound();
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, phone.port));
        let caller = Caller {
            socket: socket(),
            to,
        };
        let mut number = 0;
        let mut ringing = Vec::new();
        let mut answered = Vec::new();
        for _ in 0..RUNS {
            let times: Vec<_> = (0..CALLS)
                .map(|_| {
                    number += 1;
                    caller.call(number)
                })
                .collect();
            let middle = |pick: fn(&(Duration, Duration)) -> Duration| {
                let mut times: Vec<_> = times.iter().map(pick).collect();
                times.sort_unstable();
                times[times.len() / 2]
            };
            ringing.push(middle(|it| it.0));
            answered.push(middle(|it| it.1));
        }
        ringing.sort_unstable();
        answered.sort_unstable();
        let (to_180, to_200) = (ringing[RUNS / 2], answered[RUNS / 2]);
        println!("{kind:?}: INVITE to 180 {to_180:.2?}, to 200 {to_200:.2?} (medians)");
        all.push((to_180, to_200));
    }
    if let [ours, theirs] = all.as_slice() {
        let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
        println!(
            "ratio to baresip: 180 {:.2}, 200 {:.2}",
            ratio(ours.0, theirs.0),
            ratio(ours.1, theirs.1)
        );
    }
}

/// A caller by hand: SIPp's clock is too coarse for this.
struct Caller {
    socket: UdpSocket,
    to: SocketAddr,
}

impl Caller {
    fn call(&self, number: u32) -> (Duration, Duration) {
        let own = self.socket.local_addr().unwrap();
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
            own.port()
        );
        let request = |method: &str, cseq: u32, to_tag: &str, body: &str| {
            format!(
                "{method} sip:alice@{} SIP/2.0\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bK{number}{method}\r\nMax-Forwards: 70\r\nFrom: <sip:bench@{own}>;tag=b{number}\r\nTo: <sip:alice@{}>{to_tag}\r\nCall-ID: {number}@{own}\r\nCSeq: {cseq} {method}\r\nContact: <sip:bench@{own}>\r\n{}Content-Length: {}\r\n\r\n{body}",
                self.to,
                self.to,
                if body.is_empty() {
                    ""
                } else {
                    "Content-Type: application/sdp\r\n"
                },
                body.len()
            )
        };
        let begun = Instant::now();
        self.send(&request("INVITE", 1, "", &sdp));
        let mut ringing = None;
        let tag = loop {
            let answer = self.receive();
            if answer.starts_with("SIP/2.0 180") {
                ringing.get_or_insert_with(|| begun.elapsed());
            } else if answer.starts_with("SIP/2.0 200") {
                let to = answer.lines().find(|line| line.starts_with("To:")).unwrap();
                break to[to.find(";tag").unwrap()..].to_owned();
            }
        };
        let answered = begun.elapsed();
        self.send(&request("ACK", 1, &tag, ""));
        self.send(&request("BYE", 2, &tag, ""));
        while !self.receive().contains("CSeq: 2 BYE") {}
        // The far end puts the call away before the next one.
        std::thread::sleep(Duration::from_millis(5));
        (ringing.unwrap_or(answered), answered)
    }

    fn send(&self, text: &str) {
        self.socket.send_to(text.as_bytes(), self.to).unwrap();
    }

    /// The next SIP message; RTP to the same port is passed over.
    fn receive(&self) -> String {
        let mut buffer = [0; 4096];
        loop {
            let length = self.socket.recv(&mut buffer).unwrap();
            if buffer.starts_with(b"SIP/2.0") {
                return String::from_utf8_lossy(&buffer[..length]).into_owned();
            }
        }
    }
}

/// Answered calls by SIPp: how many failed, and the processor time of each.
fn load_test(kind: Kind, rate: u32, count: u32) {
    let mut failed = 0;
    let mut seconds = 0.0;
    let mut sipp_time = Duration::ZERO;
    let cost = median(|| {
        let phone = Phone::start(kind, None);
        phone.until_bound();
        let before = phone.processor_time();
        let sipp_before = processor_time("/proc/self/stat", 15);
        let begun = Instant::now();
        let sipp = Command::new("sipp")
            .arg("-sf")
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/benches/whole/call.xml"
            ))
            .args(["-i", "127.0.0.1", "-p", &free_port().to_string()])
            .args(["-s", "alice", &format!("127.0.0.1:{}", phone.port)])
            .args(["-r", &rate.to_string(), "-m", &count.to_string()])
            .args(["-nostdin", "-timeout", "120"])
            .env("TERM", "dumb")
            .output()
            .expect("sipp is not installed");
        seconds = begun.elapsed().as_secs_f64();
        let screen = String::from_utf8_lossy(&sipp.stdout).into_owned();
        failed += failures(&screen);
        sipp_time = processor_time("/proc/self/stat", 15) - sipp_before;
        // The ladders and the ends of the last calls are still being written.
        std::thread::sleep(Duration::from_millis(1_500));
        (phone.processor_time() - before) / count
    });
    println!(
        "{kind:?}: {rate} calls a second asked for, {:.0} done, {failed} of {} failed, {cost:.2?} of processor time a call (SIPp itself {:.2?})",
        f64::from(count) / seconds,
        count * u32::try_from(RUNS).unwrap(),
        sipp_time / count,
    );
}

/// The failed calls on SIPp's last screen.
fn failures(screen: &str) -> u32 {
    screen
        .lines()
        .rev()
        .find(|line| line.contains("Failed call"))
        .and_then(|line| line.split('|').nth(2)?.trim().parse().ok())
        .expect("SIPp printed no statistics")
}

/// Two neighbouring fields of a `stat` file of proc(5), in ticks of 10 ms; the first is `field`,
/// counted from zero.
fn processor_time(path: &str, field: usize) -> Duration {
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

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// A port that is free over UDP and TCP now.
fn free_port() -> u16 {
    loop {
        let port = socket().local_addr().unwrap().port();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
