//! What the phone's inner loops cost: `make bench`.
//!
//! The calibration loop is the same work in each run on each machine: compare its time before
//! comparing anything else.
#![expect(clippy::unwrap_used, reason = "a measurement, not the product")]

#[path = "../src/media/processing/acoustics.rs"]
#[expect(dead_code, reason = "the tests of the processing measure more")]
mod acoustics;

use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ringdesk::base::id::CallId;
use ringdesk::base::phone_number::PhoneNumber;
use ringdesk::base::redact;
use ringdesk::crm::Store;
use ringdesk::crm::import::{self, ImportBatch};
use ringdesk::crm::mining::numbers::find;
use ringdesk::crm::row::{
    CallDirection, CallRow, ContactNumber, ContactRow, Existing, ImportOptions,
};
use ringdesk::crm::store::Write;
use ringdesk::media::processing::{MutedTalk, NoiseSuppression, Processing, VoiceProcessor};
use ringdesk::sdp::{Codec, Direction, LocalMedia, LocalSrtp, SessionDescription, answer, offer};
use ringdesk::sip::parse;

criterion_group! {
    name = parts;
    config = Criterion::default().sample_size(20);
    targets = calibration, messages, numbers, mining, descriptions, voice, store, imports
}
criterion_main!(parts);

fn calibration(bench: &mut Criterion) {
    bench.bench_function("calibration: 10 million multiplications", |bench| {
        bench.iter(|| {
            let mut x = 1_u64;
            for i in 0..10_000_000_u64 {
                x = black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(i));
            }
            x
        });
    });
}

/// What a phone reads all day: a request with a description, its answers, and short requests.
fn typical() -> Vec<Vec<u8>> {
    let via = "Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK74bf9d1c2a30\r\n";
    let ends = "From: \"Anna Berg\" <sip:+4930123456@example.com>;tag=9fxced76sl\r\nTo: <sip:200@example.com>;tag=314159\r\nCall-ID: 3848276298220188511@example.com\r\n";
    let contact = "Contact: <sip:anna@192.0.2.1:5060;transport=udp>\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO\r\nSupported: path, timer\r\nUser-Agent: Example/1.0\r\n";
    let sdp = "v=0\r\no=- 2890844526 2890844526 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 49172 RTP/AVP 111 0 8 101\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n";
    let request = |method: &str, number: u32, more: &str, body: &str| {
        format!(
            "{method} sip:200@198.51.100.7:5062 SIP/2.0\r\n{via}Max-Forwards: 70\r\n{ends}CSeq: {number} {method}\r\n{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let response = |status: &str, method: &str, more: &str, body: &str| {
        format!(
            "SIP/2.0 {status}\r\n{via}{ends}CSeq: 1 {method}\r\n{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let with_sdp = format!("{contact}Content-Type: application/sdp\r\n");
    [
        request("INVITE", 1, &with_sdp, sdp),
        response("100 Trying", "INVITE", "", ""),
        response("180 Ringing", "INVITE", contact, ""),
        response("200 OK", "INVITE", &with_sdp, sdp),
        request("ACK", 1, "", ""),
        request("BYE", 2, "", ""),
        response("200 OK", "BYE", "", ""),
        request("REGISTER", 1, contact, ""),
    ]
    .map(String::into_bytes)
    .to_vec()
}

fn messages(bench: &mut Criterion) {
    let typical = typical();
    let mut group = bench.benchmark_group("typical messages");
    group.throughput(Throughput::Elements(typical.len().try_into().unwrap()));
    group.bench_function("parsed and written", |bench| {
        bench.iter(|| {
            for bytes in &typical {
                black_box(parse::message(black_box(bytes)).unwrap().to_bytes());
            }
        });
    });
    group.bench_function("parsed", |bench| {
        bench.iter(|| {
            for bytes in &typical {
                black_box(parse::message(black_box(bytes)).unwrap());
            }
        });
    });
    group.bench_function("redacted for a ladder", |bench| {
        bench.iter(|| {
            for bytes in &typical {
                black_box(redact::sip_message(black_box(bytes)));
            }
        });
    });
    group.finish();
}

fn numbers(bench: &mut Criterion) {
    bench.bench_function("phone number parsed", |bench| {
        bench.iter(|| PhoneNumber::parse(black_box("(030) 901-820"), "DE"));
    });
}

/// What a note of a page costs beside its own write, each time that it is saved.
fn mining(bench: &mut Criterion) {
    let signature = "Anna Schmidt, Muster GmbH, Hauptstr. 12, 10115 Berlin\n\
        Tel. +49 (0) 30 / 123 45 67-0 | Mobil 0171 / 234 56 78\nFax: 030/1234568\n\
        Rechnung 2026-0512345 vom 12.05.2026, 1.234.567,89 EUR, IBAN DE89 3704 0044 0532 0130 00\n";
    let words = "Wants to hear of the new printers before the end of the month.\n".repeat(12);
    let page = format!("{words}{signature}");
    bench.bench_function("a page with three numbers mined", |bench| {
        bench.iter(|| find(black_box(&page), "DE"));
    });
}

fn descriptions(bench: &mut Criterion) {
    let local = LocalMedia {
        session_id: 1,
        version: 1,
        address: "127.0.0.1".parse().unwrap(),
        rtp_port: 4000,
        codecs: Codec::ALL.to_vec(),
        ptime_millis: 20,
        direction: Direction::SendRecv,
        srtp: LocalSrtp::default(),
        silence_suppression: false,
        ice: None,
    };
    let text = offer(&local).to_string();
    bench.bench_function("offer parsed and answered", |bench| {
        bench.iter(|| {
            let offered = SessionDescription::parse(black_box(text.as_bytes())).unwrap();
            answer(&local, &offered).unwrap().0.to_string()
        });
    });
}

/// A second of sound through each part of the microphone's processing: the time is what it takes of
/// a processor, so 5 ms are 0.5 %.
fn voice(bench: &mut Criterion) {
    const SECOND: usize = 48_000;
    const FRAME: usize = 480;
    let mut noise = acoustics::Noise::new(7);
    let far = acoustics::speech(1, 4, 0.1);
    let near = acoustics::speech(3, 4, 0.1);
    let mut captured = acoustics::Room::new(&mut noise, 90, 40).echo(&far);
    for (sum, sample) in captured.iter_mut().zip(&near) {
        *sum += sample;
    }
    let frames = || {
        far.as_chunks::<FRAME>()
            .0
            .iter()
            .zip(captured.as_chunks::<FRAME>().0)
            .cycle()
    };
    let mut group = bench.benchmark_group("a second of the microphone");
    for (name, choice) in [
        ("off", Processing::OFF),
        (
            "high-pass alone",
            Processing {
                high_pass: true,
                ..Processing::OFF
            },
        ),
        (
            "echo cancellation alone",
            Processing {
                echo_cancellation: true,
                ..Processing::OFF
            },
        ),
        (
            "noise suppression alone",
            Processing {
                noise_suppression: NoiseSuppression::Full,
                ..Processing::OFF
            },
        ),
        (
            "gain control alone",
            Processing {
                gain_control: true,
                ..Processing::OFF
            },
        ),
        ("headset", Processing::HEADSET),
        ("speaker: everything", Processing::SPEAKER),
    ] {
        let mut processor = VoiceProcessor::default();
        processor.choose(choice);
        let mut frames = frames();
        group.bench_function(name, |bench| {
            bench.iter(|| {
                for (played, captured) in frames.by_ref().take(SECOND / FRAME) {
                    let mut frame = *captured;
                    processor.play(played);
                    processor.capture(&mut frame);
                    black_box(frame);
                }
            });
        });
    }
    let mut talk = MutedTalk::new().unwrap();
    let mut frames = frames();
    group.bench_function("voice activity while muted", |bench| {
        bench.iter(|| {
            for (_, captured) in frames.by_ref().take(SECOND / FRAME) {
                black_box(talk.tick(captured, None, true));
            }
        });
    });
}

fn store(bench: &mut Criterion) {
    const CONTACTS: i64 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), "US").unwrap();
    fill(&store, 0, CONTACTS);
    look_up(bench, &store, CONTACTS);
    let mut next = 0_u64;
    let mut row = move || {
        next += 1;
        Write::InsertCall(Box::new(call(next)))
    };
    bench.bench_function("call row on disk, one by one", |bench| {
        bench.iter_batched(
            &mut row,
            |row| store.write(row).blocking_recv().unwrap().unwrap(),
            BatchSize::PerIteration,
        );
    });
    bench.bench_function("call rows on disk, 200 at once", |bench| {
        bench.iter_batched(
            || (0..200).map(|_| row()).collect::<Vec<_>>(),
            |rows| {
                let waiting: Vec<_> = rows.into_iter().map(|row| store.write(row)).collect();
                for written in waiting {
                    written.blocking_recv().unwrap().unwrap();
                }
            },
            BatchSize::PerIteration,
        );
    });
    drop(store);
    million(bench);
}

/// A million contacts, made once: it takes minutes, so only where somebody asks for it.
fn million(bench: &mut Criterion) {
    const CONTACTS: i64 = 1_000_000;
    if std::env::var_os("RINGDESK_BENCH_MILLION").is_none() {
        return;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("million-contacts");
    let done = folder.join("done");
    let store = Store::open(&folder, "US").unwrap();
    if !Path::new(&done).exists() {
        fill(&store, 0, CONTACTS);
        std::fs::write(done, "").unwrap();
    }
    look_up(bench, &store, CONTACTS);
}

fn fill(store: &Store, from: i64, to: i64) {
    // As many at once as the store's queue surely takes.
    for begin in (from..to).step_by(500) {
        let waiting: Vec<_> = (begin..begin + 500)
            .map(|number| store.write(Write::SaveContact(Box::new(contact(number)))))
            .collect();
        for written in waiting {
            written.blocking_recv().unwrap().unwrap();
        }
    }
}

/// A file of people until all of them are on disk; alone: `cargo bench --bench parts -- people`.
fn imports(bench: &mut Criterion) {
    const PEOPLE: u64 = 50_000;
    let mut table = "Name,Company,Phone,E-mail,Notes\r\n".to_owned();
    let mut cards = String::new();
    for number in 0..PEOPLE {
        let (name, company) = (format!("Person {number}"), number % 5_000);
        // Spread over the index, as the numbers of real people are.
        let phone = 2_000_000 + number * 7_919 % 7_000_000;
        let email = format!("person{number}@example.com");
        table.push_str(&format!(
            "{name},Company {company},(415) {:03}-{:04},{email},\r\n",
            phone / 10_000,
            phone % 10_000
        ));
        cards.push_str(&format!("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nORG:Company {company}\r\nTEL;TYPE=WORK:+1415{phone}\r\nEMAIL:{email}\r\nUID:urn:x:{number}\r\nEND:VCARD\r\n"));
    }
    let mut group = bench.benchmark_group("people imported");
    group.sample_size(10);
    group.throughput(Throughput::Elements(PEOPLE));
    for (name, file) in [("from a table", table), ("from cards", cards)] {
        group.bench_function(name, |bench| {
            bench.iter_batched(
                || {
                    let folder = tempfile::tempdir().unwrap();
                    let store = Store::open(folder.path(), "US").unwrap();
                    (store, folder)
                },
                |(store, folder)| {
                    let reading = import::read(file.as_bytes(), &ImportOptions::default()).unwrap();
                    let batch = ImportBatch {
                        label: "import".to_owned(),
                        existing: Existing::Skip,
                        reading,
                    };
                    let written = store.write(Write::Import(Box::new(batch)));
                    written.blocking_recv().unwrap().unwrap();
                    (store, folder)
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn look_up(bench: &mut Criterion, store: &Store, contacts: i64) {
    let mut number = 0;
    bench.bench_function(
        &format!("caller looked up among {contacts} contacts"),
        |bench| {
            bench.iter(|| {
                number = (number + 7_919) % contacts;
                let text = format!("+1415{:07}", 2_000_000 + number);
                store.identify(&text).blocking_recv().unwrap().unwrap()
            });
        },
    );
}

fn contact(number: i64) -> ContactRow {
    ContactRow {
        numbers: vec![ContactNumber {
            label: "Work".to_owned(),
            raw: format!("+1415{:07}", 2_000_000 + number),
            e164: None,
        }],
        ..ContactRow::named(&format!("Contact {number}"))
    }
}

fn call(number: u64) -> CallRow {
    let mut random = [0; 10];
    let (start, _) = random.split_at_mut(8);
    start.copy_from_slice(&number.to_be_bytes());
    let (id, at) = (CallId::new(number, random), "2026-01-01T00:00:00Z");
    CallRow {
        remote: "+14152000001".to_owned(),
        e164: Some("+14152000001".to_owned()),
        local: "sip:alice@example.com".to_owned(),
        ..CallRow::begun(id, CallDirection::Inbound, at.parse().unwrap())
    }
}
