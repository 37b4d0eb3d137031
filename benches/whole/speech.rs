//! Real speech, and what it scores.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ringdesk::media::codec::{Decoder, samples_in};
use ringdesk::media::rate::RateConverter;
use ringdesk::sdp::Codec;

/// Where Debian's asterisk-core-sounds-en-g722 has a person read 30 s of announcements.
const ANNOUNCEMENT: &str = "/usr/share/asterisk/sounds/en_US_f_Allison/demo-congrats.g722";
/// Bytes of G.722 in 20 ms.
const G722_PACKET: usize = 160;

/// So many seconds of it at 48 kHz.
pub fn announcement(seconds: usize) -> Vec<f32> {
    let bytes = fs::read(ANNOUNCEMENT)
        .unwrap_or_else(|error| panic!("{ANNOUNCEMENT}: {error}; `.ci/setup bench` installs it"));
    let mut decoder = Decoder::new(Codec::G722).unwrap();
    let mut speech = Vec::new();
    for packet in bytes.chunks_exact(G722_PACKET).take(seconds * 50) {
        let mut output = vec![0.0; samples_in(Codec::G722, packet).unwrap()];
        assert!(decoder.decode(packet, &mut output), "{ANNOUNCEMENT}");
        speech.extend(output);
    }
    speech
}

/// Wideband PESQ (ITU-T P.862.2) of speech that begins with the reference, both at 48 kHz.
pub fn pesq(reference: &[f32], degraded: &[f32]) -> f64 {
    score("", reference, degraded)
}

/// The same of speech that begins up to two seconds later.
pub fn pesq_aligned(reference: &[f32], degraded: &[f32]) -> f64 {
    const ALIGN: &str = "size = 1 << 20\n\
        likeness = numpy.fft.irfft(numpy.fft.rfft(heard, size) * numpy.conj(numpy.fft.rfft(said, size)))\n\
        heard = heard[int(numpy.argmax(likeness[:32000])):][:len(said)]\n\
        heard = numpy.pad(heard, (0, len(said) - len(heard)))\n";
    score(ALIGN, reference, degraded)
}

/// Scores by the Python package `pesq`, in an environment of its own.
fn score(align: &str, reference: &[f32], degraded: &[f32]) -> f64 {
    let script = format!(
        "import sys, numpy\nfrom pesq import pesq\n\
         said, heard = [numpy.fromfile(name, dtype='<f4') for name in sys.argv[1:]]\n\
         {align}\
         print(pesq(16000, said, heard, 'wb'))"
    );
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pesq/bin/python");
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, samples: &[f32]| -> PathBuf {
        let path = folder.path().join(name);
        let mut bytes = Vec::new();
        let mut converter = RateConverter::new(48_000, 16_000).unwrap();
        converter.process(samples, |samples| {
            bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        });
        fs::write(&path, bytes).unwrap();
        path
    };
    let scored = Command::new(&python)
        .arg("-c")
        .arg(script)
        .arg(write("reference", reference))
        .arg(write("degraded", degraded))
        .output();
    let scored = scored.unwrap_or_else(|error| {
        panic!("{}: {error}; `.ci/setup bench` makes it", python.display())
    });
    assert!(
        scored.status.success(),
        "{}",
        String::from_utf8_lossy(&scored.stderr)
    );
    String::from_utf8_lossy(&scored.stdout)
        .trim()
        .parse()
        .unwrap()
}
