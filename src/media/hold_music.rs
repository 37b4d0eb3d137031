//! What a far end hears while we hold it: music from a file, one copy of it for all calls.
//!
//! ```text
//! file -> thread: mono, 48 kHz, seam blended, loudness measured -> shelf (one Arc)
//!   at each tick: held call -> its own place in it -> gain, fade -> session
//! ```
//!
//! The file is read when it is chosen, not when somebody is held. A place is kept from one hold of
//! a call to its next, so that nobody hears the same first bars each time.

use std::f32::consts::FRAC_PI_2;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::media::device::file::{self, FileError, Player, Sound};
use crate::media::feed::read_aside;
use crate::media::frame::{
    FRAME_SAMPLES, Frame, SAMPLES_PER_MILLI, SILENCE, from_pcm16, mix, to_pcm16,
};
use crate::media::glide::Glide;

/// The longest music, in minutes: 58 MB in memory.
pub const LONGEST_SECONDS: u32 = 10 * 60;
/// Over so many samples the end is blended into the beginning.
const SEAM: usize = 20 * SAMPLES_PER_MILLI;
/// The root mean square that music gets, of full scale: −24 dB, a little above speech
/// (−26 dB, ITU-T P.56 and G.191).
const COMFORTABLE: f32 = 0.063;
/// What no sample exceeds, of full scale: −3 dB.
const LOUDEST: f32 = 0.707;
/// How much quiet music is raised at most: 12 dB.
const MOST_GAIN: f32 = 4.0;
/// Pieces whose mean square is less (−50 dB) are pauses, which do not count for the loudness.
const PAUSE: f32 = 1e-5;
/// Files that may wait, read, for the media thread.
const MAX_LOADED: usize = 4;

/// Music in memory, ready to be played.
#[derive(Debug, Clone)]
pub(super) struct Music {
    sound: Sound,
    /// The sample that follows the last one.
    again: usize,
    gain: f32,
}

impl Music {
    /// Reads a file of at most [`LONGEST_SECONDS`].
    fn load(path: &std::path::Path) -> Result<Self, FileError> {
        file::load(path, LONGEST_SECONDS).map(Self::of)
    }

    fn of(mut sound: Sound) -> Self {
        let again = blend_seam(&mut sound);
        let gain = comfortable_gain(&sound);
        Self { sound, again, gain }
    }
}

/// Blends the beginning into the end, so that the sample after the last one is where it goes on;
/// gives that sample's place. Both keep their power: they have nothing to do with each other.
fn blend_seam(sound: &mut Sound) -> usize {
    let length = SEAM.min(sound.len() / 4);
    let (start, rest) = Arc::make_mut(sound).split_at_mut(length);
    let end = rest.len().saturating_sub(length);
    let end = rest.get_mut(end..).unwrap_or_default();
    for (n, (last, first)) in end.iter_mut().zip(start).enumerate() {
        let (rises, falls) = (FRAC_PI_2 * (n as f32 + 0.5) / length as f32).sin_cos();
        *last = to_pcm16(from_pcm16(*last) * falls + from_pcm16(*first) * rises);
    }
    length
}

/// The factor that makes music as loud as a voice, and never clips.
fn comfortable_gain(sound: &[i16]) -> f32 {
    let (mut power, mut pieces, mut loudest) = (0.0_f64, 0_u32, 0.0_f32);
    for piece in sound.chunks(FRAME_SAMPLES) {
        let squares: f32 = piece.iter().map(|s| from_pcm16(*s).powi(2)).sum();
        let mean = squares / piece.len() as f32;
        if mean > PAUSE {
            power += f64::from(mean);
            pieces += 1;
        }
        for sample in piece {
            loudest = loudest.max(from_pcm16(*sample).abs());
        }
    }
    if pieces == 0 {
        return 1.0;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a level needs no 53 bits")]
    let level = (power / f64::from(pieces)).sqrt() as f32;
    (COMFORTABLE / level).min(LOUDEST / loudest).min(MOST_GAIN)
}

/// What a thread has read.
struct Loaded {
    request: u64,
    music: Result<Music, FileError>,
}

/// The music of the settings.
pub(super) struct Shelf {
    inbox: Receiver<Loaded>,
    outbox: SyncSender<Loaded>,
    requests: u64,
    music: Option<Music>,
}

impl Shelf {
    /// Holds none.
    pub(super) fn new() -> Self {
        let (outbox, inbox) = sync_channel(MAX_LOADED);
        Self {
            inbox,
            outbox,
            requests: 0,
            music: None,
        }
    }

    /// Chooses another file, or none. The former one is no longer begun with.
    ///
    /// # Errors
    ///
    /// Fails with a sentence for the agent when no thread can be started.
    pub(super) fn choose(&mut self, path: Option<PathBuf>) -> Result<(), String> {
        self.requests += 1;
        self.music = None;
        let Some(path) = path else {
            return Ok(());
        };
        let request = self.requests;
        let read = move || Loaded {
            request,
            music: Music::load(&path),
        };
        read_aside(&self.outbox, read)
    }

    /// Whether the chosen file was read meanwhile, or what is wrong with it.
    pub(super) fn poll(&mut self) -> Option<Result<(), FileError>> {
        loop {
            let loaded = self.inbox.try_recv().ok()?;
            // Another file was chosen while this one was read.
            if loaded.request == self.requests {
                return Some(loaded.music.map(|music| self.music = Some(music)));
            }
        }
    }

    /// The music, once it is read.
    pub(super) fn music(&self) -> Option<&Music> {
        self.music.as_ref()
    }
}

/// What is sent of a call in 10 ms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    /// The voice, which is silent under the music.
    pub(super) voice: Frame,
    /// The music.
    pub(super) music: Option<Frame>,
}

impl Said {
    /// Both.
    pub(super) fn together(&self) -> Frame {
        let mut sum = self.voice;
        if let Some(music) = &self.music {
            mix(&mut sum, music);
        }
        sum
    }
}

/// One call's place in the music.
#[derive(Debug)]
pub(super) struct OnHold {
    held: bool,
    place: Option<(Player, f32)>,
    /// To or from the music, at either end of a hold.
    music: Glide,
    /// To or from the voice.
    voice: Glide,
}

impl Default for OnHold {
    fn default() -> Self {
        Self {
            held: false,
            place: None,
            music: Glide::CLOSED,
            voice: Glide::CLOSED,
        }
    }
}

impl OnHold {
    /// Begins or ends a hold; the music goes on where this call heard it last.
    pub(super) fn set(&mut self, held: bool, music: Option<&Music>) {
        self.held = held;
        if !held {
            return;
        }
        match (music, &self.place) {
            (Some(music), Some((player, _))) if player.plays(&music.sound) => {}
            (Some(music), _) => self.begin(music),
            (None, _) => self.place = None,
        }
    }

    /// Takes music that was read while the call was held already.
    pub(super) fn take(&mut self, music: &Music) {
        if self.held && self.place.is_none() {
            self.begin(music);
        }
    }

    /// Whether music stands in the place of the voice.
    pub(super) fn plays(&self) -> bool {
        self.held && self.place.is_some()
    }

    /// The next 10 ms that are sent: the voice, which is asked for while it is heard, or the music in its
    /// place. The one glides into the other.
    pub(super) fn say(&mut self, sends: bool, voice: impl FnOnce() -> Frame) -> Said {
        let open = sends && !self.plays();
        let mut said = SILENCE;
        if self.voice.passes(open) {
            said = voice();
            self.voice.apply(open, &mut said);
        }
        Said {
            voice: said,
            music: self.next(sends),
        }
    }

    /// Whether anything of the voice was heard in the last 10 ms.
    pub(super) fn speaks(&self) -> bool {
        self.voice.passes(false)
    }

    /// The next 10 ms of music; none without it. It stands still while the far end does not hear us.
    fn next(&mut self, sends: bool) -> Option<Frame> {
        let heard = self.held && sends;
        if !self.music.passes(heard) {
            return self.plays().then_some(SILENCE);
        }
        let (player, loudness) = self.place.as_mut()?;
        let mut frame = player.play();
        for sample in &mut frame {
            *sample *= *loudness;
        }
        self.music.apply(heard, &mut frame);
        Some(frame)
    }

    fn begin(&mut self, music: &Music) {
        let player = Player::looping(Arc::clone(&music.sound), music.again);
        self.place = Some((player, music.gain));
        self.music = Glide::CLOSED;
    }
}

/// Music of a tone, for simulated calls.
#[cfg(test)]
pub(super) fn tone_music(hertz: f32, samples: usize) -> Music {
    Music::of(tests::tone(hertz, samples, 0.9))
}

#[cfg(test)]
mod tests {
    use std::f32::consts::PI;

    use assert_no_alloc::assert_no_alloc;

    use super::*;
    use crate::media::frame::peak;

    pub(super) fn tone(hertz: f32, samples: usize, level: f32) -> Sound {
        (0..samples)
            .map(|n| to_pcm16(level * (2.0 * PI * hertz * n as f32 / 48_000.0).sin()))
            .collect()
    }

    fn play(on_hold: &mut OnHold, frames: usize) -> Vec<f32> {
        (0..frames)
            .flat_map(|_| on_hold.next(true).unwrap())
            .collect()
    }

    fn largest_step(samples: &[f32]) -> f32 {
        samples
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).abs())
            .fold(0.0, f32::max)
    }

    #[test]
    fn the_seam_does_not_click_wherever_the_file_was_cut() {
        // 437 Hz over an odd length: the file's end and beginning do not fit.
        let sound = tone(437.0, 30_007, 0.5);
        let mut cut = Player::new(sound.clone(), true);
        let cut: Vec<f32> = (0..200).flat_map(|_| cut.play()).collect();
        let inside = 0.5 * 2.0 * PI * 437.0 / 48_000.0;
        assert!(largest_step(&cut) > 4.0 * inside, "the raw loop clicks");
        let music = Music::of(sound);
        let mut on_hold = OnHold::default();
        on_hold.set(true, Some(&music));
        let heard = play(&mut on_hold, 200);
        let step = largest_step(&heard) / music.gain;
        assert!(step < 1.5 * inside, "{step} where {inside} is the tone's");
    }

    #[test]
    fn any_music_is_as_loud_as_a_voice_and_never_clips() {
        for level in [0.02, 0.1, 0.5, 1.0] {
            let music = Music::of(tone(400.0, 96_000, level));
            let mut on_hold = OnHold::default();
            on_hold.set(true, Some(&music));
            let heard = play(&mut on_hold, 300);
            let power = heard.iter().map(|s| s * s).sum::<f32>() / heard.len() as f32;
            let decibels = 10.0 * power.log10();
            assert!(
                (-28.0..=-23.0).contains(&decibels),
                "{level}: {decibels} dB"
            );
        }
        // A click in quiet music sets the bound.
        let mut sound: Vec<i16> = tone(400.0, 96_000, 0.02).to_vec();
        sound[50_000] = i16::MAX;
        let music = Music::of(sound.into());
        let mut on_hold = OnHold::default();
        on_hold.set(true, Some(&music));
        assert!(peak(&play(&mut on_hold, 200)) <= LOUDEST + 1e-3);
        assert_eq!(Music::of(vec![0; 9_000].into()).gain, 1.0);
        // However short.
        for samples in [0, 1, 3, 5, 481] {
            let music = Music::of(tone(400.0, samples, 0.5));
            let mut on_hold = OnHold::default();
            on_hold.set(true, Some(&music));
            assert!(peak(&play(&mut on_hold, 3)) <= LOUDEST);
        }
    }

    #[test]
    fn calls_share_the_sound_and_each_has_its_own_place() {
        let music = Music::of(tone(400.0, 96_000, 0.5));
        let mut calls = [OnHold::default(), OnHold::default()];
        calls[0].set(true, Some(&music));
        let first = play(&mut calls[0], 10);
        calls[1].set(true, Some(&music));
        assert_eq!(
            play(&mut calls[1], 10),
            first,
            "each begins at the beginning"
        );
        // The sound itself, and the two places in it.
        assert_eq!(Arc::strong_count(&music.sound), 3);
        // The second hold goes on where the first ended, and fades at both ends.
        calls[0].set(false, None);
        let fading = calls[0].next(true).unwrap();
        assert!(fading[479].abs() < 1e-3);
        assert!(calls[0].next(true).is_none());
        calls[0].set(true, Some(&music));
        let again = calls[0].next(true).unwrap();
        let whole = play(&mut calls[1], 2);
        assert!((again[479] - whole[480 + 479]).abs() < 1e-3);
        assert!(again[0].abs() < 1e-3);
    }

    #[test]
    fn music_waits_while_nobody_hears_it_and_other_music_begins_with_the_next_hold() {
        let (old, new) = (
            Music::of(tone(400.0, 96_000, 0.5)),
            Music::of(tone(900.0, 96_000, 0.5)),
        );
        let mut on_hold = OnHold::default();
        on_hold.set(true, None);
        assert!(on_hold.next(true).is_none() && !on_hold.plays());
        on_hold.take(&old);
        assert!(on_hold.plays());
        let first = on_hold.next(true).unwrap();
        assert!(on_hold.next(false).is_some_and(|ends| ends[479] == 0.0));
        assert_eq!(on_hold.next(false), Some(SILENCE));
        on_hold.take(&new);
        let second = on_hold.next(true).unwrap();
        assert_ne!(first, second);
        assert!(on_hold.place.as_ref().unwrap().0.plays(&old.sound));
        on_hold.set(false, Some(&new));
        on_hold.set(true, Some(&new));
        assert!(on_hold.place.as_ref().unwrap().0.plays(&new.sound));
        on_hold.set(true, None);
        assert!(!on_hold.plays(), "no music is chosen any more");
    }

    #[test]
    fn playing_never_allocates() {
        let music = Music::of(tone(400.0, 5_000, 0.5));
        let mut on_hold = OnHold::default();
        on_hold.set(true, Some(&music));
        assert_no_alloc(|| {
            for n in 0..100 {
                std::hint::black_box(on_hold.next(n % 7 != 0));
            }
            on_hold.set(false, Some(&music));
            std::hint::black_box(on_hold.next(true));
            on_hold.set(true, Some(&music));
            std::hint::black_box(on_hold.next(true));
        });
    }

    #[test]
    fn the_file_chosen_last_counts_and_what_is_wrong_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("music.wav");
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 44_100,
            bits_per_sample: 24,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        for n in 0..88_200_i32 {
            writer.write_sample((n % 100) * 20_000).unwrap();
        }
        writer.finalize().unwrap();
        let mut shelf = Shelf::new();
        let wait = |shelf: &mut Shelf| loop {
            if let Some(told) = shelf.poll() {
                return told;
            }
            std::thread::yield_now();
        };
        shelf.choose(Some(folder.path().join("none.wav"))).unwrap();
        shelf.choose(Some(path.clone())).unwrap();
        wait(&mut shelf).unwrap();
        let samples = shelf.music().unwrap().sound.len();
        assert_eq!(samples, 48_000);
        shelf.choose(Some(folder.path().join("none.wav"))).unwrap();
        let told = wait(&mut shelf).unwrap_err().to_string();
        assert!(
            told.contains("none.wav") && told.contains("choose"),
            "{told}"
        );
        assert!(shelf.music().is_none());
        shelf.choose(Some(path)).unwrap();
        shelf.choose(None).unwrap();
        assert!(shelf.music().is_none());
    }
}
