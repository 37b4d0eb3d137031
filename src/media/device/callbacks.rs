//! What the sound system calls on its own threads, against a deadline: samples move between its buffer
//! and a lock-free ring, without a lock, an allocation or a system call.

use std::sync::Arc;

use cpal::{FromSample, SizedSample};
use rtrb::{Consumer, Producer};

use crate::base::clock::monotonic_now;
use crate::media::device::Asked;

/// The microphone's: mixes the channels and moves them into the ring; what does not fit is dropped. Any
/// number of samples may come.
pub(super) fn capture<T: SizedSample>(
    channels: u16,
    mut ring: Producer<f32>,
) -> impl FnMut(&[T]) + Send + 'static
where
    f32: FromSample<T>,
{
    let channels = usize::from(channels.max(1));
    move |samples| {
        let frames = (samples.len() / channels).min(ring.slots());
        if let Ok(chunk) = ring.write_chunk_uninit(frames) {
            let share = 1.0 / channels as f32;
            chunk.fill_from_iter(samples.chunks_exact(channels).map(|frame| {
                let sum: f32 = frame.iter().map(|s| s.to_sample::<f32>()).sum();
                sum * share
            }));
        }
    }
}

/// The speaker's: marks that it asked, and gives the same sample on each channel, silence where the ring
/// is empty.
pub(super) fn play<T>(
    channels: u16,
    mut ring: Consumer<f32>,
    asked: Arc<Asked>,
) -> impl FnMut(&mut [T]) + Send + 'static
where
    T: SizedSample + FromSample<f32>,
{
    let channels = usize::from(channels.max(1));
    move |samples| {
        let wanted = samples.len() / channels;
        asked.mark(monotonic_now(), wanted);
        let frames = wanted.min(ring.slots());
        let (played, silent) = samples.split_at_mut((frames * channels).min(samples.len()));
        if let Ok(chunk) = ring.read_chunk(frames) {
            for (frame, sample) in played.chunks_exact_mut(channels).zip(chunk) {
                frame.fill(T::from_sample(sample));
            }
        }
        silent.fill(T::EQUILIBRIUM);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assert_no_alloc::assert_no_alloc;
    use rtrb::RingBuffer;

    fn asked() -> Arc<Asked> {
        Arc::new(Asked::new(monotonic_now()))
    }

    #[test]
    fn samples_of_any_kind_are_moved_without_allocating() {
        let (producer, consumer) = RingBuffer::new(100);
        let mut capture = capture::<i16>(2, producer);
        let mut play = play::<u8>(4, consumer, asked());
        let mut played = [1_u8; 12];
        assert_no_alloc(|| {
            capture(&[16_384, 0, -16_384, -16_384, 8_192, 8_192]);
            play(&mut played);
        });
        assert_eq!(
            played,
            [160, 160, 160, 160, 64, 64, 64, 64, 160, 160, 160, 160]
        );
        let (producer, consumer) = RingBuffer::new(100);
        let mut capture = self::capture::<f32>(1, producer);
        let mut play = self::play::<f32>(1, consumer, asked());
        let mut played = [1.0; 4];
        assert_no_alloc(|| {
            capture(&[0.5, 0.0]);
            play(&mut played);
        });
        assert_eq!(played, [0.5, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_full_ring_drops_and_an_empty_one_gives_silence() {
        let (producer, consumer) = RingBuffer::new(3);
        capture::<f32>(1, producer)(&[0.1; 10]);
        assert_eq!(consumer.slots(), 3);
        let mut played = [0.9_f32; 7];
        play(2, consumer, asked())(&mut played);
        assert_eq!(played, [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.0]);
    }

    #[cfg(target_os = "linux")]
    mod system_calls {
        use super::*;
        use std::fs;
        use std::process::Command;
        use std::sync::atomic::{AtomicBool, Ordering};
        use std::thread;

        /// Set in the child, which runs behind strace.
        const CHILD: &str = "RINGDESK_CALLBACKS_CHILD";
        const TEST: &str = "media::device::callbacks::tests::system_calls::\
                            the_callbacks_ask_the_system_for_nothing_while_others_use_their_rings";

        /// A system call that the trace shows.
        fn mark(what: &str) {
            assert!(fs::metadata(format!("/no such file/{what}")).is_err());
        }

        /// Both callbacks, while another thread is at the other ends of their rings: a lock would have to
        /// wait for it now and then, which is a call.
        fn call_back() {
            let (to_microphone, mut captured) = RingBuffer::new(4_800);
            let (mut to_speaker, from_speaker) = RingBuffer::new(4_800);
            let asked = asked();
            let mut capture = capture::<i16>(2, to_microphone);
            let mut play = play::<f32>(2, from_speaker, Arc::clone(&asked));
            let (samples, mut buffer) = ([1_000_i16; 960], [0.0_f32; 960]);
            let over = AtomicBool::new(false);
            thread::scope(|scope| {
                scope.spawn(|| {
                    let mut last = None;
                    while !over.load(Ordering::Relaxed) {
                        captured.pop().ok();
                        to_speaker.push(0.5).ok();
                        last = asked.last();
                    }
                    assert!(last.is_some());
                });
                capture(&samples);
                play(&mut buffer);
                mark("begin");
                for _ in 0..20_000 {
                    capture(&samples);
                    play(&mut buffer);
                }
                mark("end");
                // What the trace would show.
                mark("begin");
                thread::yield_now();
                mark("end");
                over.store(true, Ordering::Relaxed);
            });
        }

        #[test]
        fn the_callbacks_ask_the_system_for_nothing_while_others_use_their_rings() {
            if std::env::var_os(CHILD).is_some() {
                return call_back();
            }
            let folder = tempfile::tempdir().unwrap();
            let trace = folder.path().join("trace");
            let ran = Command::new("strace")
                .args(["-f", "-o"])
                .arg(&trace)
                .arg(std::env::current_exe().unwrap())
                .args(["--exact", TEST])
                .env(CHILD, "1")
                .output()
                .expect("strace is needed");
            assert!(ran.status.success(), "{ran:?}");
            let trace = fs::read_to_string(trace).unwrap();
            let thread = trace
                .lines()
                .find(|line| line.contains("/no such file/begin"))
                .and_then(|line| line.split(' ').next())
                .unwrap();
            let own = trace.lines().filter(|line| line.starts_with(thread));
            let mut spans: Vec<Vec<&str>> = Vec::new();
            let mut within = false;
            for line in own {
                if line.contains("/no such file/begin") {
                    spans.push(Vec::new());
                    within = true;
                } else if line.contains("/no such file/end") {
                    within = false;
                } else if let Some(span) = spans.last_mut().filter(|_| within) {
                    // Where strace was interrupted by the other thread, this is the end of the mark.
                    if !line.contains("statx resumed") {
                        span.push(line);
                    }
                }
            }
            let [callbacks, yielded] = spans.as_slice() else {
                panic!("{spans:?}");
            };
            assert!(yielded[0].contains("sched_yield"), "{yielded:?}");
            assert_eq!(callbacks.as_slice(), <[&str; 0]>::default());
        }
    }
}
