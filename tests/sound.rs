//! Real sound: PulseAudio with null sinks, and calls through them.
//!
//! The test starts a sound server of its own in a private folder and then itself again as a child
//! with that server in its environment, which is read by the sound library.
#![cfg(all(feature = "audio", target_os = "linux"))]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop anywhere"
)]

use std::f32::consts::PI;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ringdesk::base::clock::monotonic_now;
use ringdesk::media::one_way::Cause;
use ringdesk::media::sound_test::LONGEST_LATENCY;
use ringdesk::media::{
    DeviceChoice, Devices, MediaCommand, MediaEvent, MicrophoneState, Processing, RecordingNotice,
    SoundTest, SoundTestNews, Source, Volumes, devices,
};

use crate::sound_world::{Side, SoundServer, connect, device, null_devices};

mod sound_world;

/// Set in the child.
const CHILD: &str = "RINGDESK_SOUND_TEST_CHILD";
const TONE_HERTZ: f32 = 700.0;
/// So soon a device that is back is used again: at most one look around passes before, and it is opened.
const SOON: Duration = Duration::from_secs(6);

#[test]
fn a_call_is_heard_through_a_real_speaker_and_microphone_and_survives_their_loss() {
    beside_a_sound_server(
        "a_call_is_heard_through_a_real_speaker_and_microphone_and_survives_their_loss",
        talk_through_the_sound_server,
    );
}

#[test]
fn a_headset_is_taken_again_when_it_is_plugged_in_or_its_server_starts_again() {
    beside_a_sound_server(
        "a_headset_is_taken_again_when_it_is_plugged_in_or_its_server_starts_again",
        come_back_in_the_call,
    );
}

#[test]
fn a_speaker_that_is_lost_alone_is_replaced_until_it_is_back() {
    beside_a_sound_server(
        "a_speaker_that_is_lost_alone_is_replaced_until_it_is_back",
        lose_the_speaker_alone,
    );
}

#[test]
fn an_echo_is_taken_out_and_a_muted_microphone_is_told() {
    beside_a_sound_server(
        "an_echo_is_taken_out_and_a_muted_microphone_is_told",
        hear_no_echo,
    );
}

#[test]
fn the_devices_are_tested_and_their_delay_is_measured() {
    beside_a_sound_server(
        "the_devices_are_tested_and_their_delay_is_measured",
        test_the_devices,
    );
}

#[test]
fn who_asks_for_the_cards_for_hours_keeps_one_connection() {
    beside_a_sound_server(
        "who_asks_for_the_cards_for_hours_keeps_one_connection",
        ask_for_the_cards,
    );
}

/// Sound is measured: what runs beside it would take its time away.
static ALONE: Mutex<()> = Mutex::new(());

/// Starts a sound server and in its environment this test once more, which then does its work.
fn beside_a_sound_server(test: &str, work: fn()) {
    if std::env::var_os(CHILD).is_some() {
        work();
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // A headset, a loudspeaker, and a capsule that hears the headset.
    let server = SoundServer::start(&MODULES);
    let child = server
        .command(std::env::current_exe().unwrap().to_str().unwrap())
        .env(CHILD, "1")
        .args(["--exact", "--nocapture"])
        .arg(test)
        .output()
        .unwrap();
    assert!(
        child.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&child.stdout),
        String::from_utf8_lossy(&child.stderr)
    );
}

const HEADSET: &str = "module-null-sink sink_name=headset rate=48000 channels=2 \
     sink_properties=device.description=headset";
const LOUDSPEAKER: &str = "module-null-sink sink_name=loudspeaker rate=44100 channels=1 \
     sink_properties=device.description=loudspeaker";
const CAPSULE: &str = "module-remap-source master=headset.monitor source_name=capsule \
     source_properties=device.description=capsule";
const MODULES: [&str; 3] = [HEADSET, LOUDSPEAKER, CAPSULE];

/// Plugs something in.
fn load(module: &str) {
    let loaded = Command::new("pactl")
        .arg("load-module")
        .args(module.split(' '))
        .output()
        .unwrap();
    assert!(loaded.status.success(), "{module}: {loaded:?}");
}

/// Unplugs what was plugged in so.
fn unload(module: &str) {
    let listed = Command::new("pactl")
        .args(["list", "short", "modules"])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let named = |word: &&str| word.starts_with("sink_name") || word.starts_with("source_name");
    let name = module.split(' ').find(named).unwrap();
    let line = listed.lines().find(|line| line.contains(name));
    let line = line.unwrap_or_else(|| panic!("{module} is not loaded: {listed}"));
    let (index, _) = line.split_once('\t').unwrap();
    let unloaded = Command::new("pactl")
        .args(["unload-module", index])
        .status()
        .unwrap();
    assert!(unloaded.success());
}

/// PulseAudio has 64 places for all programs: a call lost its headset when they were taken.
fn ask_for_the_cards() {
    let missing = DeviceChoice::Named("unplugged".to_owned());
    let devices_of = |speaker| Devices {
        microphone: DeviceChoice::Named("capsule".to_owned()),
        speaker,
        ringer: DeviceChoice::Null,
    };
    for _ in 0..200 {
        let (_, speakers) = devices();
        assert!(
            speakers.iter().any(|name| name == "headset"),
            "{speakers:?}"
        );
    }
    let mut side = Side::new(1, devices_of(missing));
    assert_eq!(side.wait(device).0, "capsule");
    let listed = Command::new("pactl")
        .args(["list", "short", "clients"])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    // Ours that asks, one for each of the two streams, and that of `pactl`; a connection that was
    // just closed may still be listed.
    assert!(listed.lines().count() <= 6, "{listed}");
}

fn talk_through_the_sound_server() {
    let (microphones, speakers) = devices();
    assert!(
        speakers.iter().any(|name| name == "headset"),
        "{speakers:?}"
    );
    assert!(
        microphones.iter().any(|name| name == "capsule"),
        "{microphones:?}"
    );

    let folder = tempfile::tempdir().unwrap();
    let tone = folder.path().join("tone.wav");
    write_tone(&tone);
    // The far end plays a tone and records what comes back; ours plays it on the speaker, whose
    // monitor is our microphone.
    let (mut far, mut ours) = call_to_the_headset();
    far.play(tone);
    // It is there when the far end hears its own tone, once round.
    far.wait(|event| match event {
        MediaEvent::Quality { quality, .. } if quality.level_in > 0.05 => Some(()),
        _ => None,
    });
    let path = folder.path().join("round.wav");
    far.engine
        .send(MediaCommand::StartRecording {
            call: far.call,
            number: 1,
            path: path.clone(),
            notice: RecordingNotice::default(),
        })
        .unwrap();
    for _ in 0..3 {
        far.wait(|event| matches!(event, MediaEvent::Quality { .. }).then_some(()));
    }
    far.engine
        .send(MediaCommand::StopRecording { call: far.call })
        .unwrap();
    far.wait(|event| matches!(event, MediaEvent::RecordingStopped { .. }).then_some(()));
    let heard = right_channel(&path);
    let share = usual_share(&heard);
    assert!(share > 0.5, "the tone is {share} of what came back");

    // The microphone goes: it is told, another takes its place, and the call goes on.
    unload(CAPSULE);
    let problem = ours.wait(|event| device(event).and_then(|(_, _, problem)| problem));
    assert!(
        problem.contains("capsule") && problem.contains("settings"),
        "{problem}"
    );
    goes_on(&mut far);

    // The sound server goes: the null device (or a card that this machine really has) takes over,
    // and packets still flow. Each loss is told when it is seen, so one may still have its name at
    // first.
    assert!(
        Command::new("pactl")
            .arg("exit")
            .status()
            .unwrap()
            .success()
    );
    ours.wait(|event| {
        let (microphone, speaker, problem) = device(event)?;
        let gone = !microphone.contains("headset") && speaker != "headset";
        (gone && problem.is_some()).then_some(())
    });
    let sent = |event: &MediaEvent| match event {
        MediaEvent::Quality { quality, .. } => Some(quality.sent),
        _ => None,
    };
    let before = ours.wait(sent);
    let after = ours.wait(sent);
    assert!(after >= before + 40, "{before} {after}");
}

/// The far end still receives a second's packets in each second.
fn goes_on(far: &mut Side) {
    let received = |event: &MediaEvent| match event {
        MediaEvent::Quality { quality, .. } => Some(quality.received),
        _ => None,
    };
    let before = far.wait(received);
    let after = far.wait(received);
    assert!(after >= before + 40, "{before} {after}");
}

/// Waits until the far end hears its own tone come back, or nothing any more.
fn wait_for_tone(far: &mut Side, there: bool) {
    far.wait(|event| match event {
        MediaEvent::Quality { quality, .. } => {
            let level = quality.level_in;
            let reached = if there { level > 0.05 } else { level < 0.01 };
            reached.then_some(())
        }
        _ => None,
    });
}

/// The same within the time in which a headset must be back.
fn wait_for_tone_soon(far: &mut Side) {
    let begun = monotonic_now();
    wait_for_tone(far, true);
    let waited = begun.elapsed();
    assert!(waited < SOON, "the tone is back after {waited:?}");
}

/// Waits until devices of these names are used and nothing is wrong with them.
fn wait_for_devices(ours: &mut Side, names: [&str; 2]) {
    ours.wait(|event| {
        let (microphone, speaker, problem) = device(event)?;
        ([microphone.as_str(), &speaker] == names && problem.is_none()).then_some(())
    });
}

fn come_back_in_the_call() {
    let folder = tempfile::tempdir().unwrap();
    let tone = folder.path().join("tone.wav");
    write_tone(&tone);
    let (mut far, mut ours) = call_to_the_headset();
    far.play(tone);
    wait_for_tone(&mut far, true);

    // The microphone alone.
    unload(CAPSULE);
    let problem = ours.wait(|event| device(event).and_then(|(_, _, problem)| problem));
    assert!(problem.contains("capsule"), "{problem}");
    goes_on(&mut far);
    load(CAPSULE);
    wait_for_devices(&mut ours, ["capsule", "headset"]);
    wait_for_tone_soon(&mut far);

    // A Bluetooth headset that changes its profile: both its ends go, and others with the same names
    // come, at another rate.
    unload(CAPSULE);
    unload(HEADSET);
    ours.wait(|event| device(event).filter(|(_, speaker, _)| speaker != "headset"));
    load(&HEADSET.replace("48000 channels=2", "16000 channels=1"));
    load(CAPSULE);
    wait_for_devices(&mut ours, ["capsule", "headset"]);
    wait_for_tone_soon(&mut far);
    goes_on(&mut far);

    // The sound server, and with it everything.
    let ended = Command::new("pactl").arg("exit").status().unwrap();
    assert!(ended.success());
    wait_for_tone(&mut far, false);
    goes_on(&mut far);
    let begun = monotonic_now();
    while !start_again() {
        assert!(begun.elapsed() < SOON, "the sound server does not start");
    }
    wait_for_tone_soon(&mut far);
    goes_on(&mut far);
}

/// Starts the sound server of the environment with all its devices; not while the old one still ends.
fn start_again() -> bool {
    Command::new("pulseaudio")
        .args(["-n", "--daemonize=yes", "--exit-idle-time=-1"])
        .args(["-L", "module-native-protocol-unix"])
        .args(MODULES.iter().flat_map(|module| ["-L", module]))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}

/// The microphone hears the loudspeaker: a tone comes back while the call is played there.
fn lose_the_speaker_alone() {
    load(
        "module-remap-source master=loudspeaker.monitor source_name=ear \
         source_properties=device.description=ear",
    );
    let folder = tempfile::tempdir().unwrap();
    let tone = folder.path().join("tone.wav");
    write_tone(&tone);
    let (mut far, mut ours) = call_with("ear", "headset");
    far.play(tone);
    goes_on(&mut far);
    wait_for_tone(&mut far, false);

    unload(CAPSULE);
    unload(HEADSET);
    let (microphone, speaker, problem) = ours.wait(|event| {
        device(event).filter(|(_, speaker, problem)| speaker != "headset" && problem.is_some())
    });
    assert_eq!([microphone, speaker], ["ear", "loudspeaker"]);
    let problem = problem.unwrap();
    assert!(
        problem.contains("the speaker “headset”") && problem.contains("“loudspeaker” is used"),
        "{problem}"
    );
    wait_for_tone_soon(&mut far);
    goes_on(&mut far);

    load(HEADSET);
    wait_for_devices(&mut ours, ["ear", "headset"]);
    wait_for_tone(&mut far, false);
    goes_on(&mut far);
}

/// The far end says a sentence again and again; ours plays it on the speaker, whose monitor is our
/// microphone: the worst of all echoes.
fn hear_no_echo() {
    let folder = tempfile::tempdir().unwrap();
    let speech = folder.path().join("speech.wav");
    let spoken = Command::new("espeak-ng")
        .args(["-v", "en", "-w", speech.to_str().unwrap()])
        .arg("The quick brown fox jumps over the lazy dog, and nobody in the room minds it at all.")
        .status()
        .unwrap();
    assert!(spoken.success());
    let (mut far, mut ours) = call_to_the_headset();
    far.play(speech);
    let second = |far: &mut Side| {
        far.wait(|event| match event {
            MediaEvent::Quality { quality, .. } => Some(quality.level_in),
            _ => None,
        })
    };
    far.wait(|event| match event {
        MediaEvent::Quality { quality, .. } if quality.level_in > 0.05 => Some(()),
        _ => None,
    });
    let echo = (0..6).map(|_| second(&mut far)).fold(0.0, f32::max);
    // Switched on in the call.
    ours.engine
        .send(MediaCommand::Processing(Processing {
            gain_control: false,
            ..Processing::SPEAKER
        }))
        .unwrap();
    // Found within 12 seconds. A machine that holds the sound server up lets some of it through for a moment,
    // and may do so in most of them.
    let seconds: Vec<f32> = (0..12).map(|_| second(&mut far)).collect();
    let gone = seconds.iter().filter(|left| **left < echo * 0.03).count();
    assert!(gone >= 6, "of {echo} are left {seconds:?}");

    // Muted by the system: zeros are told, and then that it is back.
    let mute = |on: &str| {
        let set = Command::new("pactl")
            .args(["set-source-mute", "capsule", on])
            .status()
            .unwrap();
        assert!(set.success());
    };
    let state = |event: &MediaEvent| match event {
        MediaEvent::Microphone(state) => Some(*state),
        _ => None,
    };
    mute("1");
    assert_eq!(ours.wait(state), MicrophoneState::Silent);
    mute("0");
    assert_eq!(ours.wait(state), MicrophoneState::Back);

    // The agent's own mute is no trouble, and talk meanwhile is noticed. Without cancellation the
    // microphone would hear the far end, which is not believed; so there is cancellation, and what
    // talks is another program on the speaker.
    ours.engine
        .send(MediaCommand::Mute {
            call: ours.call,
            muted: true,
        })
        .unwrap();
    far.engine
        .send(MediaCommand::Source {
            call: far.call,
            source: Source::Microphone,
        })
        .unwrap();
    // Nor is it told as a microphone that gives silence, though that is what is sent.
    let cause = |event: &MediaEvent| match event {
        MediaEvent::OneWay {
            cause, over: false, ..
        } if !cause.is_incoming() => Some(*cause),
        _ => None,
    };
    for _ in 0..5 {
        ours.wait(|event| {
            assert_eq!(cause(event), None);
            matches!(event, MediaEvent::Quality { .. }).then_some(())
        });
    }
    let mut talker = Command::new("paplay")
        .args(["--device", "headset"])
        .arg(folder.path().join("speech.wav"))
        .spawn()
        .unwrap();
    let call = ours.wait(|event| match event {
        MediaEvent::MutedTalk { call } => Some(*call),
        _ => None,
    });
    assert_eq!(call, ours.call);
    assert_eq!(ours.wait(cause), Cause::SpeaksMuted);
    assert!(talker.wait().unwrap().success());
}

/// Without a call: the capsule hears the headset, so that the test finds its own chirps, and its ring
/// only where the ringer is that headset.
fn test_the_devices() {
    let named = |name: &str| DeviceChoice::Named(name.to_owned());
    let mut desk = Side::new(
        1,
        Devices {
            microphone: named("capsule"),
            speaker: named("headset"),
            ringer: named("loudspeaker"),
        },
    );
    let call = desk.call;
    desk.engine.send(MediaCommand::Close { call }).unwrap();
    let (_, _, problem) = desk.wait(device);
    assert_eq!(problem, None);

    begin(&mut desk, SoundTest::Latency);
    let latency = desk.wait(|event| match event {
        MediaEvent::SoundTest(SoundTestNews::Latency(latency)) => Some(*latency),
        _ => None,
    });
    let latency = latency.unwrap();
    assert!(
        (Duration::from_millis(5)..=LONGEST_LATENCY).contains(&latency),
        "{latency:?}"
    );

    // What is recorded comes back: three seconds with a tone of another program in them.
    let folder = tempfile::tempdir().unwrap();
    let tone = folder.path().join("tone.wav");
    write_tone(&tone);
    let mut player = Command::new("paplay")
        .args(["--device", "headset"])
        .arg(&tone)
        .spawn()
        .unwrap();
    begin(&mut desk, SoundTest::Record);
    let loud = |event: &MediaEvent| match event {
        MediaEvent::Levels(levels) if levels.microphone.rms > 0.1 => Some(*levels),
        _ => None,
    };
    desk.wait(loud);
    assert!(player.wait().unwrap().success());
    let stage = |wanted: SoundTestNews| {
        move |event: &MediaEvent| (*event == MediaEvent::SoundTest(wanted)).then_some(())
    };
    desk.wait(stage(SoundTestNews::Playing));
    let played = desk.wait(|event| match event {
        MediaEvent::Levels(levels) if levels.speaker.rms > 0.1 => Some(*levels),
        _ => None,
    });
    assert!(played.speaker.peak <= 1.0);
    desk.wait(stage(SoundTestNews::Done));

    // The volume is the card's, whatever plays.
    desk.engine
        .send(MediaCommand::Volumes(Volumes {
            speaker: 0,
            ..Volumes::default()
        }))
        .unwrap();
    begin(&mut desk, SoundTest::Latency);
    let latency = desk.wait(|event| match event {
        MediaEvent::SoundTest(SoundTestNews::Latency(latency)) => Some(*latency),
        _ => None,
    });
    assert_eq!(latency, None, "a silent speaker is not heard");

    // The ringer is another sink, which the capsule does not hear.
    begin(&mut desk, SoundTest::Ring);
    desk.wait(stage(SoundTestNews::Ringing));
    desk.wait(|event| match event {
        MediaEvent::Levels(levels) => {
            assert!(levels.microphone.peak < 0.01, "{levels:?}");
            None
        }
        MediaEvent::SoundTest(news) => (*news == SoundTestNews::Done).then_some(()),
        _ => None,
    });
    desk.engine.send(MediaCommand::SoundTest(None)).unwrap();
    desk.wait(stage(SoundTestNews::Ended));
}

fn begin(desk: &mut Side, test: SoundTest) {
    let test = Some(test);
    desk.engine.send(MediaCommand::SoundTest(test)).unwrap();
}

/// A call between a far end without devices and ours with the headset.
fn call_to_the_headset() -> (Side, Side) {
    call_with("capsule", "headset")
}

/// The same with others.
fn call_with(microphone: &str, speaker: &str) -> (Side, Side) {
    let mut far = Side::new(1, null_devices());
    let mut ours = Side::new(
        2,
        Devices {
            microphone: DeviceChoice::Named(microphone.to_owned()),
            speaker: DeviceChoice::Named(speaker.to_owned()),
            ringer: DeviceChoice::Named("loudspeaker".to_owned()),
        },
    );
    let found = ours.wait(device);
    assert_eq!(
        (found.0.as_str(), found.1.as_str(), found.2),
        (microphone, speaker, None)
    );
    connect(&mut far, &mut ours);
    (far, ours)
}

fn write_tone(path: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..48_000 {
        let phase = 2.0 * PI * TONE_HERTZ * n as f32 / 48_000.0;
        writer.write_sample(phase.sin() * 0.3).unwrap();
    }
    writer.finalize().unwrap();
}

fn right_channel(path: &Path) -> Vec<f32> {
    let mut reader = hound::WavReader::open(path).unwrap();
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    samples.chunks(2).map(|pair| f32::from(pair[1])).collect()
}

/// The share of the power that is the tone, in the median of all pieces of 100 ms: near 1 on a
/// machine at rest, less where it stops the threads of sound for a while, near 0 for anything else.
fn usual_share(samples: &[f32]) -> f32 {
    let mut shares: Vec<f32> = samples
        .chunks_exact(4_800)
        .map(|piece| {
            let (mut a, mut b, mut power) = (0.0, 0.0, 1.0);
            for (n, s) in piece.iter().enumerate() {
                let phase = 2.0 * PI * TONE_HERTZ * n as f32 / 48_000.0;
                a += s * phase.cos();
                b += s * phase.sin();
                power += s * s;
            }
            2.0 * (a * a + b * b) / (piece.len() as f32 * power)
        })
        .collect();
    shares.sort_by(f32::total_cmp);
    shares[shares.len() / 2]
}
