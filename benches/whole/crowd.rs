//! Many calls at once: whether each packet of each call leaves in time.
//!
//! One peer talks in all calls, with packets of real speech that were encoded before, 20 ms each and one
//! call's after the other's; the phone sends back what it hears, through jitter buffer, decoder and encoder.
//! What comes back is stamped by the kernel (`arrivals`).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use audio_codec_algorithms::encode_ulaw;
use opus::{Application, Bitrate, Channels, Encoder};
use ringdesk::media::frame::to_pcm16;
use ringdesk::media::rate::RateConverter;
use ringdesk::sdp::Codec;

use crate::arrivals::{Clock, Stamped, Stream};
use crate::caller::{Caller, Talk};
use crate::figure::{Figure, Limit};
use crate::phone::{Kind, PATIENCE, Phone};
use crate::speech::announcement;

/// Samples of a packet at 48 kHz.
const PACKET: usize = 960;
const PACKET_TIME: Duration = Duration::from_millis(20);
/// How exactly the peer sends: it wakes so often.
const STEP: Duration = Duration::from_millis(1);
/// Before anything counts: jitter buffers settle, and the phone finds out how much it can compute.
const SETTLED: Duration = Duration::from_secs(8);
/// How long is measured.
const MEASURED: Duration = Duration::from_secs(30);
/// Bits a second of the peer's Opus.
const BITRATE: i32 = 32_000;

/// One crowd.
struct Crowd {
    codec: Codec,
    calls: usize,
    late: &'static str,
    cost: &'static str,
}

const CROWDS: [Crowd; 2] = [
    Crowd {
        codec: Codec::Pcmu,
        calls: 100,
        late: "packets later than 5 ms in 100 PCMU calls at once",
        cost: "processor time of these PCMU calls for each second",
    },
    Crowd {
        codec: Codec::Opus,
        calls: 40,
        late: "packets later than 5 ms in 40 Opus calls at once",
        cost: "processor time of these Opus calls for each second",
    },
];

/// Measures both crowds.
pub fn crowd() -> Vec<Figure> {
    let speech = announcement(30);
    let figures = CROWDS.iter().flat_map(|crowd| measure(crowd, &speech));
    figures.collect()
}

fn measure(crowd: &Crowd, speech: &[f32]) -> [Figure; 2] {
    let (codec, count) = (crowd.codec, crowd.calls);
    let mut caller = Caller::of(Phone::echoing(Kind::Ringdesk, codec));
    let clock = Clock::of(&caller.socket);
    let (payload_type, attributes) = match codec {
        Codec::Opus => (
            96,
            "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=ptime:20\r\na=rtcp-mux\r\n",
        ),
        _ => (0, "a=ptime:20\r\na=rtcp-mux\r\n"),
    };
    let packets = encoded(codec, speech);
    let talks: Vec<Talk> = (0..count)
        .map(|_| caller.call(&payload_type.to_string(), attributes))
        .collect();
    let peer = Peer {
        caller: &caller,
        clock,
        payload_type,
        packet_clock: clock_rate(codec) / 50,
        packets,
    };
    let (streams, worked) = peer.talk(&talks);
    caller.socket.set_read_timeout(Some(PATIENCE)).unwrap();
    for talk in &talks {
        caller.hang_up(talk);
    }
    let due = usize::try_from(MEASURED.as_millis() / PACKET_TIME.as_millis()).unwrap();
    let (mut late, mut missing, mut worst) = (0, 0, Duration::ZERO);
    for stream in &streams {
        let seen = stream.lateness(clock_rate(codec));
        assert!(
            seen.loud * 4 >= seen.packets,
            "of {} packets of a call {} have a voice",
            seen.packets,
            seen.loud
        );
        late += seen.late;
        // One may fall out at the edge of what is measured.
        missing += (due - 1).saturating_sub(seen.packets);
        worst = worst.max(seen.worst);
    }
    let all = due * count;
    let percent = (late + missing) as f64 * 100.0 / all as f64;
    let share = worked.as_secs_f64() / MEASURED.as_secs_f64();
    println!(
        "{count} {codec} calls at once: of {all} packets {late} more than 5 ms late, the latest by {worst:.1?}, {missing} not sent ({percent:.3} %); {share:.2} s of processor time a second"
    );
    [
        Figure::alone(crowd.late, "%", percent, Limit::AtMost(0.1)),
        Figure::alone(crowd.cost, "s", share, Limit::None),
    ]
}

fn clock_rate(codec: Codec) -> u32 {
    match codec {
        Codec::Opus => 48_000,
        _ => 8_000,
    }
}

/// The speech as payloads of 20 ms.
fn encoded(codec: Codec, speech: &[f32]) -> Vec<Vec<u8>> {
    if codec == Codec::Opus {
        let mut encoder = Encoder::new(48_000, Channels::Mono, Application::Voip).unwrap();
        encoder.set_bitrate(Bitrate::Bits(BITRATE)).unwrap();
        encoder.set_inband_fec(true).unwrap();
        encoder.set_packet_loss_perc(5).unwrap();
        let packets = speech.chunks_exact(PACKET);
        return packets
            .map(|samples| encoder.encode_vec_float(samples, 1_200).unwrap())
            .collect();
    }
    let mut narrow = Vec::new();
    let mut converter = RateConverter::new(48_000, 8_000).unwrap();
    converter.process(speech, |samples| {
        narrow.extend(samples.iter().map(|sample| encode_ulaw(to_pcm16(*sample))));
    });
    narrow
        .chunks_exact(PACKET / 6)
        .map(<[u8]>::to_vec)
        .collect()
}

/// Who talks in all calls.
struct Peer<'c> {
    caller: &'c Caller,
    clock: Clock,
    payload_type: u8,
    /// What the RTP timestamp grows by with each packet.
    packet_clock: u32,
    packets: Vec<Vec<u8>>,
}

impl Peer<'_> {
    /// Talks until enough was measured; gives what came back in each call, and how long the phone worked
    /// meanwhile.
    fn talk(&self, talks: &[Talk]) -> (Vec<Stream>, Duration) {
        let places: HashMap<SocketAddr, usize> = talks
            .iter()
            .enumerate()
            .map(|(place, talk)| (talk.sound_to, place))
            .collect();
        let mut streams: Vec<Stream> = talks.iter().map(|_| Stream::default()).collect();
        let begun = Instant::now();
        let (settled, end) = (begun + SETTLED, begun + SETTLED + MEASURED);
        let between = PACKET_TIME / u32::try_from(talks.len()).unwrap();
        let mut before = None;
        let mut sent = 0;
        loop {
            let now = Instant::now();
            while begun + between * sent <= now {
                let place = usize::try_from(sent).unwrap() % talks.len();
                let number = sent / u32::try_from(talks.len()).unwrap();
                self.send(&talks[place], place, number);
                sent += 1;
            }
            let measured = (settled..end).contains(&now);
            if measured && before.is_none() {
                before = Some(self.caller.phone.processor_time());
            }
            while let Some(Stamped { from, at, packet }) = self.clock.receive(&self.caller.socket) {
                let sound = packet.len() > 12 && packet[1] & 0x7f == self.payload_type;
                if let Some(place) = places.get(&from).filter(|_| sound && measured) {
                    streams[*place].take(at, &packet);
                }
            }
            if now >= end {
                let worked = self.caller.phone.processor_time() - before.unwrap();
                return (streams, worked);
            }
            std::thread::sleep(STEP.saturating_sub(now.elapsed()));
        }
    }

    /// Sends a call's next packet. Each call is at another place of the speech.
    fn send(&self, talk: &Talk, place: usize, number: u32) {
        let at = (place * 41 + usize::try_from(number).unwrap()) % self.packets.len();
        let mut packet = vec![0x80, self.payload_type];
        packet.extend(u16::try_from(number & 0xffff).unwrap().to_be_bytes());
        packet.extend(number.wrapping_mul(self.packet_clock).to_be_bytes());
        packet.extend(u32::try_from(place + 1).unwrap().to_be_bytes());
        packet.extend(&self.packets[at]);
        self.caller.socket.send_to(&packet, talk.sound_to).unwrap();
    }
}
