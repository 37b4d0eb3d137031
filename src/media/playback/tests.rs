use std::path::Path;

use super::*;
use crate::media::frame::{FRAME_SAMPLES, SILENCE, peak, to_pcm16};

/// A recording in which each second of both sides has a level of its own.
fn record(path: &Path, rate: u32, channels: u16, seconds: u32) {
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for second in 0..seconds {
        for n in 0..rate {
            let tone = (2.0 * std::f32::consts::PI * 300.0 * n as f32 / rate as f32).sin();
            for _ in 0..channels {
                let level = (second + 1) as f32 * 0.1 / f32::from(channels);
                writer.write_sample(to_pcm16(level * tone)).unwrap();
            }
        }
    }
    writer.finalize().unwrap();
}

/// A player whose speaker is this.
struct Room {
    playback: Playback,
    heard: Vec<f32>,
    news: Vec<PlayerNews>,
}

impl Room {
    fn new() -> Self {
        Self {
            playback: Playback::default(),
            heard: Vec::new(),
            news: Vec::new(),
        }
    }

    fn play(&mut self, path: &Path, from: u64, speed: u32) {
        self.wait();
        self.playback.order(PlayerOrder::Play {
            path: path.to_path_buf(),
            from: Duration::from_millis(from),
            speed,
        });
    }

    /// Waits for the reading thread, so that no step is empty because it is behind.
    fn wait(&mut self) {
        let wish = self.playback.wish;
        while let Some(reader) = &mut self.playback.reader
            && self.playback.glide.is_some() | !matches!(self.playback.state, State::Silent)
            && !reader.is_ready(wish)
        {
            std::thread::yield_now();
        }
    }

    fn step(&mut self) -> bool {
        self.wait();
        let mut speaker = SILENCE;
        self.playback.play(false, &mut speaker);
        self.heard.extend(speaker);
        while let Some(event) = self.playback.poll_news() {
            match event {
                MediaEvent::Player(news) => self.news.push(news),
                other => panic!("{other:?}"),
            }
        }
        self.playback.is_on()
    }

    fn steps(&mut self, count: usize) {
        for _ in 0..count {
            assert!(self.step());
        }
    }

    fn hear_all(&mut self) {
        while self.step() {}
    }
}

fn largest_step(samples: &[f32]) -> f32 {
    let steps = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    steps.fold(0.0, f32::max)
}

#[test]
fn a_recording_of_any_rate_is_played_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    for (rate, channels) in [(8_000, 1), (16_000, 2), (44_100, 2), (48_000, 2)] {
        let path = folder.path().join(format!("{rate}.wav"));
        record(&path, rate, channels, 2);
        let mut room = Room::new();
        room.play(&path, 0, 100);
        room.hear_all();
        assert_eq!(room.news.last(), Some(&PlayerNews::Ended), "{rate}");
        let length = room.heard.len() as f32 / 48_000.0;
        assert!((length - 2.0).abs() < 0.1, "{rate}: {length}");
        for (second, level) in [(0, 0.1), (1, 0.2)] {
            let middle = second * 48_000 + 12_000;
            let found = peak(&room.heard[middle..middle + 24_000]);
            assert!((found - level).abs() < 0.01, "{rate}: {found}");
        }
        let PlayerNews::At(told) = room.news[4] else {
            panic!("{:?}", room.news);
        };
        assert_eq!(told, Duration::from_millis(490));
    }
}

#[test]
fn it_jumps_stops_and_goes_on_without_a_click() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call.wav");
    record(&path, 48_000, 2, 6);
    let mut room = Room::new();
    room.play(&path, 0, 100);
    room.steps(30);
    room.play(&path, 4_500, 100);
    room.steps(20);
    assert_eq!(
        room.news.last(),
        Some(&PlayerNews::At(Duration::from_millis(4_690)))
    );
    let found = peak(&room.heard[32 * FRAME_SAMPLES..]);
    assert!((found - 0.5).abs() < 0.01, "{found}");
    room.wait();
    room.playback.order(PlayerOrder::Stop);
    assert!(room.playback.is_on(), "it fades");
    assert!(!room.step());
    let heard = room.heard.len();
    assert!(!room.step());
    assert_eq!(peak(&room.heard[heard..]), 0.0);
    // A tone of 300 Hz at 0.6 rises by 0.024 from one sample to the next.
    assert!(
        largest_step(&room.heard) < 0.03,
        "{}",
        largest_step(&room.heard)
    );
    room.play(&path, 4_700, 100);
    room.steps(10);
    assert_eq!(
        room.news.last(),
        Some(&PlayerNews::At(Duration::from_millis(4_790)))
    );
}

#[test]
fn twice_as_fast_it_takes_half_the_time_and_tells_true_places() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call.wav");
    record(&path, 16_000, 2, 4);
    for (speed, steps) in [(75, 533), (125, 320), (200, 200_usize)] {
        let mut room = Room::new();
        room.play(&path, 0, speed);
        room.hear_all();
        let taken = room.heard.len() / FRAME_SAMPLES;
        assert!(taken.abs_diff(steps) < 8, "{speed} %: {taken}");
        let PlayerNews::At(told) = room.news[9] else {
            panic!("{:?}", room.news);
        };
        assert_eq!(told, Duration::from_millis(990) * speed / 100);
    }
}

#[test]
fn the_volume_changes_while_it_plays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call.wav");
    record(&path, 8_000, 1, 2);
    let mut room = Room::new();
    room.playback.order(PlayerOrder::Volume(50));
    room.play(&path, 0, 100);
    room.steps(60);
    let found = peak(&room.heard[24_000..]);
    assert!((found - 0.025).abs() < 0.003, "{found}");
    room.playback.order(PlayerOrder::Volume(0));
    room.steps(20);
    assert_eq!(peak(&room.heard[70 * FRAME_SAMPLES..]), 0.0);
}

#[test]
fn what_is_played_waits_for_the_speaker_but_not_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call.wav");
    record(&path, 8_000, 1, 1);
    let mut room = Room::new();
    room.play(&path, 0, 100);
    let mut speaker = SILENCE;
    for _ in 0..OPENING {
        room.playback.play(true, &mut speaker);
    }
    assert_eq!(peak(&speaker), 0.0);
    room.steps(50);
    assert!(peak(&room.heard) > 0.05);
}

#[test]
fn a_file_that_cannot_be_played_is_told_and_another_one_still_can() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call.wav");
    record(&path, 8_000, 1, 1);
    let mut room = Room::new();
    room.play(&folder.path().join("none.wav"), 0, 100);
    room.hear_all();
    let [PlayerNews::Failed(why)] = &room.news[..] else {
        panic!("{:?}", room.news);
    };
    assert!(why.contains("moved or deleted"), "{why}");
    room.news.clear();
    room.play(&path, 900, 100);
    room.hear_all();
    assert_eq!(room.news.last(), Some(&PlayerNews::Ended));
    room.playback.order(PlayerOrder::Close);
    assert!(!room.playback.is_on() && room.playback.reader.is_none());
}
