//! What is left of speech in an Opus call over a bad network, by wideband PESQ: us to us, baresip to baresip
//! through the same relay with the same seeds, and libopus decoding the packets that passed, each at its
//! time.

use ringdesk::media::codec::Decoder;
use ringdesk::sdp::Codec;

use crate::figure::{Figure, Limit};
use crate::phone::Kind;
use crate::relay::{Passed, Relay, Weather};
use crate::speech::{announcement, pesq_aligned};
use crate::talk::Talker;

const SECONDS: usize = 28;
const SECOND: usize = 48_000;
const PACKET: usize = 960;
const LOSSES: [f64; 4] = [0.0, 0.05, 0.1, 0.2];
/// Milliseconds; the second reorders.
const JITTERS: [u64; 2] = [0, 40];
const SEEDS: [u64; 3] = [1, 2, 3];
/// Packets behind a loss in which its redundancy is looked for.
const REACH: usize = 6;

/// What one call came to.
struct Heard {
    weather: Weather,
    score: f64,
    /// Of libopus decoding the same packets.
    perfect: f64,
    /// Kilobits a second of what was sent.
    bitrate: f64,
    /// Late packets, concealed and stretched milliseconds, packets that DRED brought back.
    figures: [f64; 4],
}

/// Measures the phones in turn, a seed at a time.
pub fn lossy(peers: &[Kind]) -> Vec<Figure> {
    let speech = announcement(SECONDS);
    let mut results: Vec<(Kind, Vec<Heard>)> = Vec::new();
    for kind in peers {
        let mut calls = Vec::new();
        for seed in SEEDS {
            calls.extend(at_once(*kind, seed, &speech));
        }
        results.push((*kind, calls));
    }
    for (kind, calls) in &results {
        tell(*kind, calls);
    }
    compare(&results)
}

/// A call for each cell of the table, all at once: they are a small part of a processor.
fn at_once(kind: Kind, seed: u64, speech: &[f32]) -> Vec<Heard> {
    let cells = JITTERS
        .into_iter()
        .flat_map(|jitter| LOSSES.map(|loss| Weather { loss, jitter, seed }));
    let threads: Vec<_> = cells
        .map(|weather| {
            let speech = speech.to_vec();
            std::thread::spawn(move || (weather, call(kind, weather, &speech)))
        })
        .collect();
    let calls: Vec<_> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    // Scored only now, because that takes a whole processor.
    let score = |(weather, (heard, passed, figures)): (Weather, (Vec<f32>, Passed, [f64; 4]))| {
        let heard = Heard {
            weather,
            score: pesq_aligned(speech, &heard),
            perfect: pesq_aligned(speech, &decode(&passed)),
            bitrate: bitrate(&passed),
            figures,
        };
        println!(
            "{kind:?}, {weather:?}: {:.2}, at best {:.2}, {:.1} kbit/s",
            heard.score, heard.perfect, heard.bitrate
        );
        heard
    };
    calls.into_iter().map(score).collect()
}

fn call(kind: Kind, weather: Weather, speech: &[f32]) -> (Vec<f32>, Passed, [f64; 4]) {
    // The path is open before somebody speaks, and silent behind; baresip hangs up at the end of its file.
    let hush = |seconds: usize| std::iter::repeat_n(0.0, seconds * SECOND);
    let said: Vec<f32> = hush(1)
        .chain(speech.iter().copied())
        .chain(hush(5))
        .collect();
    let silence: Vec<f32> = hush(SECONDS + 6).collect();
    let called = Talker::answering(kind, &silence);
    let relay = Relay::start(called.port, weather);
    let mut caller = Talker::calling(kind, &said, relay.port);
    std::thread::sleep(std::time::Duration::from_millis(
        1_000 * SECONDS as u64 + 3_500,
    ));
    caller.end();
    let (heard, quality) = called.heard();
    let figure = |name: &str| quality[name].as_f64().unwrap_or(0.0);
    let figures = ["late", "concealed_ms", "stretched_ms", "recovered_by_dred"].map(figure);
    (heard, relay.end(), figures)
}

/// Decodes each packet at its time, with all that the later ones have of those that are lost.
fn decode(passed: &Passed) -> Vec<f32> {
    let Some((&first, _)) = passed.first_key_value() else {
        return Vec::new();
    };
    let mut decoder = Decoder::new(Codec::Opus).unwrap();
    let packet = |sequence: i64| {
        let sent = passed.get(&sequence).filter(|sent| !sent.lost);
        sent.map(|sent| sent.payload.as_slice())
    };
    let mut sound = Vec::new();
    for sequence in first..first + i64::try_from(passed.len()).unwrap() {
        let mut output = [0.0; PACKET];
        let decoded = packet(sequence).is_some_and(|p| decoder.decode(p, &mut output));
        let recovered = !decoded && {
            let later = (1..=REACH).find_map(|far| {
                let at = sequence + i64::try_from(far).unwrap();
                packet(at).map(|packet| (far, packet))
            });
            later.is_some_and(|(far, next)| {
                let repair = decoder.recover(next, far * PACKET, &mut output);
                repair.is_some()
            })
        };
        if !decoded && !recovered {
            decoder.conceal(&mut output);
        }
        sound.extend(output);
    }
    sound
}

/// Kilobits of payload a second, redundancy included and lost packets counted, while somebody speaks.
fn bitrate(passed: &Passed) -> f64 {
    const HUSH: usize = 75;
    const SPEECH: usize = (SECONDS - 1) * 50;
    let speech = passed.values().skip(HUSH).take(SPEECH);
    let (bytes, packets) = speech.fold((0, 0), |(bytes, packets), sent| {
        (bytes + sent.payload.len(), packets + 1)
    });
    bytes as f64 * 8.0 / (f64::from(packets) * 20.0)
}

/// The calls of a cell, over all seeds.
fn cell(calls: &[Heard], loss: f64, jitter: u64) -> Vec<&Heard> {
    let within = |heard: &&Heard| heard.weather.loss == loss && heard.weather.jitter == jitter;
    calls.iter().filter(within).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
    sum / count
}

fn tell(kind: Kind, calls: &[Heard]) {
    println!(
        "\n{kind:?} to {kind:?}, Opus at 64 kbit/s, {SECONDS} s of speech, PESQ-WB of {} seeds",
        SEEDS.len()
    );
    println!(
        "| loss | jitter | heard | each | libopus, packets in time | kbit/s | late | concealed | stretched | by DRED |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for jitter in JITTERS {
        for loss in LOSSES {
            let cell = cell(calls, loss, jitter);
            let score = mean(cell.iter().map(|heard| heard.score));
            let each: Vec<String> = cell.iter().map(|h| format!("{:.2}", h.score)).collect();
            let perfect = mean(cell.iter().map(|heard| heard.perfect));
            let bitrate = mean(cell.iter().map(|heard| heard.bitrate));
            let [late, concealed, stretched, dred] =
                [0, 1, 2, 3].map(|at| mean(cell.iter().map(|heard| heard.figures[at])));
            let figures = if kind == Kind::Ringdesk {
                format!("{late:.1} | {concealed:.0} ms | {stretched:.0} ms | {dred:.0}")
            } else {
                " | | | ".to_owned()
            };
            println!(
                "| {:.0} % | {jitter} ms | {score:.2} | {} | {perfect:.2} | {bitrate:.1} | {figures} |",
                loss * 100.0,
                each.join(" ")
            );
        }
    }
}

/// The table's figures with their limits.
fn compare(results: &[(Kind, Vec<Heard>)]) -> Vec<Figure> {
    const NAMES: [[&str; 4]; 2] = [
        [
            "PESQ-WB, Opus, no loss",
            "PESQ-WB, 5 % lost",
            "PESQ-WB, 10 % lost",
            "PESQ-WB, 20 % lost",
        ],
        [
            "PESQ-WB, no loss, 0 to 40 ms late",
            "PESQ-WB, 5 % lost, 0 to 40 ms late",
            "PESQ-WB, 10 % lost, 0 to 40 ms late",
            "PESQ-WB, 20 % lost, 0 to 40 ms late",
        ],
    ];
    let Some((_, ours)) = results.first() else {
        return Vec::new();
    };
    let theirs = results.get(1).map(|(_, theirs)| theirs);
    let scores = |calls: &[Heard], loss, jitter| {
        mean(cell(calls, loss, jitter).iter().map(|heard| heard.score))
    };
    let mut figures = Vec::new();
    for (jitter, names) in JITTERS.into_iter().zip(NAMES) {
        for (loss, name) in LOSSES.into_iter().zip(names) {
            let own = cell(ours, loss, jitter);
            if own.is_empty() {
                continue;
            }
            let limit = if jitter == 0 {
                mean(own.iter().map(|heard| heard.perfect)) - 0.1
            } else {
                scores(ours, loss, 0) - 0.2
            };
            let baresip = theirs.map(|theirs| scores(theirs, loss, jitter));
            figures.push(Figure {
                name,
                unit: "",
                ours: scores(ours, loss, jitter),
                baresip,
                limit: Limit::AtLeast(limit.max(baresip.unwrap_or(0.0))),
            });
        }
    }
    figures
}
