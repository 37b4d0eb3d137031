//! From the start of the process until it is registered, and its memory then.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use crate::figure::{Figure, Limit, millis};
use crate::phone::{Kind, Phone, socket};
use crate::{RUNS, middle};

/// Measures each phone with a registrar that asks for a digest first, as registrars do.
pub fn start_and_size(peers: &[Kind]) -> Vec<Figure> {
    let measured: Vec<_> = peers.iter().map(|kind| of(*kind)).collect();
    let ours = measured[0];
    let theirs = measured.get(1);
    vec![
        Figure {
            name: "process start to registered",
            unit: "ms",
            ours: millis(ours.0),
            baresip: theirs.map(|theirs| millis(theirs.0)),
            limit: Limit::AtMost(15.0),
        },
        Figure {
            name: "resident when registered",
            unit: "MB",
            ours: megabytes(ours.1),
            baresip: theirs.map(|theirs| megabytes(theirs.1)),
            limit: Limit::AtMost(12.0),
        },
    ]
}

fn of(kind: Kind) -> (Duration, u64) {
    let (times, sizes): (Vec<_>, Vec<_>) = (0..RUNS)
        .map(|_| {
            let registrar = socket();
            let begun = Instant::now();
            let phone = Phone::start(kind, Some(registrar.local_addr().unwrap().port()));
            register(&registrar);
            let took = begun.elapsed();
            std::thread::sleep(Duration::from_millis(500));
            if kind == Kind::Ringdesk {
                assert!(phone.log().contains("\"registered\""), "{}", phone.log());
            }
            (took, phone.resident())
        })
        .unzip();
    println!("{kind:?}: starts to registered {times:.1?}, resident {sizes:?} KiB");
    (middle(times), middle(sizes))
}

/// Asks the first REGISTER for credentials and accepts the first one that has some.
fn register(registrar: &UdpSocket) {
    loop {
        let mut buffer = [0; 4096];
        let (length, from) = registrar.recv_from(&mut buffer).unwrap();
        let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let knows = request
            .lines()
            .any(|line| line.starts_with("Authorization:"));
        let (status, more) = if knows {
            ("200 OK", "Expires: 3600\r\n")
        } else {
            (
                "401 Unauthorized",
                "WWW-Authenticate: Digest realm=\"bench\",nonce=\"b7c9036dbf357f76\",algorithm=MD5,qop=\"auth\"\r\n",
            )
        };
        let answer = answer(&request, status, more);
        registrar.send_to(answer.as_bytes(), from).unwrap();
        if knows {
            return;
        }
    }
}

fn answer(request: &str, status: &str, more: &str) -> String {
    let copied: String = ["Via", "From", "To", "Call-ID", "CSeq", "Contact"]
        .iter()
        .filter_map(|name| {
            let line = request
                .lines()
                .find(|line| line.starts_with(&format!("{name}:")))?;
            let tag = if *name == "To" { ";tag=bench" } else { "" };
            Some(format!("{line}{tag}\r\n"))
        })
        .collect();
    format!("SIP/2.0 {status}\r\n{copied}{more}Content-Length: 0\r\n\r\n")
}

fn megabytes(kibibytes: u64) -> f64 {
    (kibibytes * 1024) as f64 / 1e6
}
