//! The window with made-up data and no engine behind it, for looking at it and for screenshots.
//!
//! `cargo run --example gallery -- VIEW THEME [SCENE …]`
//!
//! * VIEW: `dialer`, `calls`, `contacts`, `leads`, `organizations`, `tickets`, `tasks`, `statistics`, `settings`
//! * THEME: `light`, `dark`
//! * SCENE: `incoming`, `unknown`, `maybe`, `shared`, `talking`, `ended`, `link`, `odd-link`,
//!   `problems`, `empty`, `first-run`, `lab`, `long`, `colleagues`, `asked`, `consult`, `together`, `paused`, `transfer-failed`, `stranger`, `break`; several may be given; `later` lets the calls
//!   come after three seconds

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a demonstration over fixed tables, which shows the commands it does not act on"
)]

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{Timestamp, ToSpan as _};
use ringdesk::base::clock;
use ringdesk::base::dial_class::DialClass;
use ringdesk::base::dial_plan::{DialPlan, DialPreview};
use ringdesk::base::id::{
    AccountId, AgentId, ArticleId, BlockId, CallId, CallTypeId, ContactId, HintId, NoteId,
    OrganizationId, QueueId, TaskId, TicketId,
};
use ringdesk::config::settings::{ThemeChoice, WatchKind};
use ringdesk::config::{Account, Settings};
use ringdesk::control::handle::PageSource;
use ringdesk::control::{
    AccountView, Asker, CallStage, CallView, ColleagueState, ColleagueView, Command, DevicesView,
    DialRequest, ExportView, ExportedWhat, Handle, LevelView, LevelsView, MailboxView,
    MediaSecurity, MessageCount, MosView, Notice, Page, PageRequest, PickupTarget, PlayerStage,
    PlayerView, PlayerWish, PopupQuestion, QualityView, RecordingView, ReferralView, Registration,
    Snapshot, SoundCheckView, WaveformView, WorkPage, WorkRequest,
};
use ringdesk::crm::row::{
    AgentRow, AgentState, ArticleKind, ArticleRow, ArticleSender, BlockedRow, CallCursor,
    CallDirection, CallFilter, CallLadder, CallNote, CallPage, CallRow, CallState, CallTypeRow,
    CallbackPage, CallbackRow, ContactNumber, ContactPage, ContactRow, Found, HintFilter, HintRow,
    HintSource, HintState, HolidayRow, HourFigures, Identification, LadderMessage, LeadStage,
    Match, MatchLevel, Millis, Mos, NoteRow, NumberProof, OrganizationPage, OrganizationRow,
    PopupDecision, Presence, QualitySeries, QualitySpan, QueueFigures, QueueRow, RecordingGap,
    RecordingGapCause, RoutingTables, Share, Slot, Subject, TaskFilter, TaskRow, TicketRow,
    TicketState, TimeSlot, TimelineEntry,
};
use ringdesk::ui::{self, Options, View};
use tokio::sync::{mpsc, watch};

/// Name, organization, number.
const PEOPLE: [(&str, &str, &str); 11] = [
    ("Amelia Hart", "Northwind Traders", "+1 415 555 0134"),
    ("Jürgen Weiß", "Müller & Söhne GmbH", "+49 30 901820"),
    ("王小明", "上海国际贸易", "+86 21 6010 1234"),
    ("محمد العلي", "شركة الخليج", "+971 4 555 0101"),
    ("Σοφία Παππά", "Aegean Lines", "+30 21 0555 0199"),
    ("田中 さくら", "株式会社あおぞら", "+81 3 5550 1234"),
    ("Priya Nair", "Zenith Pharma", "+91 22 5550 1188"),
    ("김민준", "한빛소프트", "+82 2 555 0123"),
    ("नेहा शर्मा", "Himalaya Foods", "+91 11 5550 7777"),
    ("דוד לוי", "Carmel Tech", "+972 3 555 0142"),
    ("Daniela Moreno", "Contoso Logistics", "+34 91 555 0172"),
];

const LONG: &str =
    "Maria-Magdalena Wolfeschlegelsteinhausenbergerdorff von und zu Hohenlohe-Langenburg";

const NOTES: [&str; 4] = [
    "Asked for the Q4 renewal quote; call back after 15:00.",
    "Pricing question",
    "",
    "Onboarding, wants the invoice as PDF\nand a second seat",
];

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| words.iter().any(|given| given == word);
    let view = if has("calls") {
        View::Calls
    } else if has("contacts") {
        View::Contacts
    } else if has("leads") {
        View::Leads
    } else if has("organizations") {
        View::Organizations
    } else if has("tickets") {
        View::Tickets
    } else if has("tasks") {
        View::Tasks
    } else if has("statistics") {
        View::Statistics
    } else if has("settings") {
        View::Settings
    } else {
        View::Dialer
    };
    let now = (clock::wall_now(), clock::monotonic_now());
    let mut snapshot = snapshot(&has, now);
    let later = has("later").then(|| std::mem::take(&mut snapshot.calls));
    let (commands, mut inbox) = mpsc::channel(64);
    let (publish, watch) = watch::channel(Arc::new(snapshot));
    let demo = Demo {
        rows: if has("empty") { 0 } else { 100_000 },
        long: has("long"),
        now: now.0,
    };
    let handle = Handle::new(commands, watch, Arc::new(demo));
    let options = Options {
        view,
        on_ready: Box::new(move |waker| {
            let publish = Arc::new(publish);
            if let Some(calls) = later {
                let (publish, waker) = (Arc::clone(&publish), waker.clone());
                spawn("demo caller", move || {
                    std::thread::sleep(Duration::from_secs(3));
                    publish.send_modify(|snapshot| Arc::make_mut(snapshot).calls = calls);
                    waker.wake();
                });
            }
            spawn("demo engine", move || {
                while let Some(command) = inbox.blocking_recv() {
                    publish.send_modify(|snapshot| obey(Arc::make_mut(snapshot), &command));
                    waker.wake();
                }
            });
        }),
    };
    ui::run(handle, options)?;
    Ok(())
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    let started = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work);
    drop(started);
}

/// Does to the state what the engine would do.
fn obey(state: &mut Snapshot, command: &Command) {
    state.revision += 1;
    match command {
        Command::Quit => state.ending = true,
        Command::CloseDialRequest => state.dial_request = None,
        Command::SaveSettings(settings) => state.settings = settings.as_ref().clone(),
        Command::Dismiss(id) => state.calls.retain(|call| call.id != *id),
        Command::DismissNotice(id) => state.notices.retain(|notice| notice.id != *id),
        Command::StartLab => state.lab = true,
        Command::ExportLadder(call, file) => {
            state.exported = Some(ExportView {
                what: ExportedWhat::Ladder(*call),
                outcome: Ok(file.clone()),
            });
        }
        Command::ExportFigures(table, file) => {
            state.exported = Some(ExportView {
                what: ExportedWhat::Figures(*table),
                outcome: Ok(file.clone()),
            });
        }
        Command::Decline(id) | Command::HangUp(id) => {
            with_call(state, *id, |call| {
                call.stage = CallStage::Ended;
                call.ended = Some(clock::monotonic_now());
                call.status = "you ended the call".to_owned();
            });
        }
        Command::Answer(id) => with_call(state, *id, |call| {
            call.stage = CallStage::Talking;
            call.answered = Some(clock::monotonic_now());
            call.codec = Some("opus".to_owned());
        }),
        Command::Mute(id, muted) => with_call(state, *id, |call| call.muted = *muted),
        Command::Hold(id) => with_call(state, *id, |call| call.stage = CallStage::Held),
        Command::Resume(id) => with_call(state, *id, |call| call.stage = CallStage::Talking),
        Command::Notes(id, text) => with_call(state, *id, |call| call.notes.clone_from(text)),
        Command::Record(id, on) => with_call(state, *id, |call| {
            call.recording = if *on {
                RecordingView::On("recordings/demo.wav".to_owned())
            } else {
                RecordingView::Done("recordings/demo.wav".to_owned())
            };
        }),
        Command::ChooseCaller(id, subject) => with_call(state, *id, |call| {
            call.nobody = subject.is_none();
            call.chosen = call.identification.as_ref().and_then(|found| {
                found
                    .matches
                    .iter()
                    .position(|m| Some(m.subject) == *subject)
            });
        }),
        Command::SetAgentState(agent, reason) => {
            state.agent.set(clock::wall_now(), *agent, reason);
        }
        Command::SetPopups(on) => state.settings.popups = *on,
        Command::Player(wish) => obey_player(state, *wish),
        other => println!("{other:?}"),
    }
}

fn obey_player(state: &mut Snapshot, wish: PlayerWish) {
    if let PlayerWish::Open { call, play } = wish {
        state.player = Some(recording(call, play));
        return;
    }
    let Some(player) = &mut state.player else {
        return;
    };
    match wish {
        PlayerWish::Play => player.stage = PlayerStage::Playing,
        PlayerWish::Pause => player.stage = PlayerStage::Paused,
        PlayerWish::Seek(to) => player.at = to,
        PlayerWish::Speed(percent) => player.speed = percent,
        PlayerWish::Volume(percent) => player.volume = percent,
        PlayerWish::Close => state.player = None,
        PlayerWish::Open { .. } => {}
    }
}

/// A recording of some minutes in which the two take turns.
fn recording(call: CallId, play: bool) -> PlayerView {
    let side = |near: bool| -> Vec<u8> {
        let level = |n: u32| {
            let turn = (n / 37 + n / 91).is_multiple_of(2) == near;
            let voice = 40 + n.wrapping_mul(2_654_435_761).rotate_left(9) % 120;
            if turn { voice } else { voice / 20 }
        };
        let levels = (0..1_200).map(level);
        levels
            .map(|level| u8::try_from(level).unwrap_or(0))
            .collect()
    };
    PlayerView {
        call,
        stage: if play {
            PlayerStage::Playing
        } else {
            PlayerStage::Paused
        },
        at: Duration::from_secs(if play { 71 } else { 0 }),
        length: Duration::from_secs(214),
        speed: 100,
        volume: 100,
        waveform: Some(WaveformView {
            parts: 1_200,
            near: side(true).into(),
            far: side(false).into(),
        }),
        gaps: Vec::new(),
        note: None,
    }
}

fn with_call(state: &mut Snapshot, id: CallId, change: impl FnOnce(&mut CallView)) {
    if let Some(call) = state.calls.iter_mut().find(|call| call.id == id) {
        change(call);
    }
}

fn ago(at: Instant, seconds: u64) -> Instant {
    at.checked_sub(Duration::from_secs(seconds)).unwrap_or(at)
}

fn snapshot(has: &dyn Fn(&str) -> bool, (wall, mono): (Timestamp, Instant)) -> Snapshot {
    let theme = if has("light") {
        ThemeChoice::Light
    } else {
        ThemeChoice::Dark
    };
    let bare = has("first-run") || has("empty");
    let mut state = Snapshot {
        revision: 1,
        settings: Settings {
            theme,
            ..Settings::default()
        },
        to_call_back: if bare { 0 } else { 3 },
        lab: has("lab"),
        export_dir: "/home/sam/Downloads".to_owned(),
        devices: DevicesView {
            microphone: "Jabra Evolve2 65".to_owned(),
            speaker: "Jabra Evolve2 65".to_owned(),
            problem: None,
            microphone_problem: None,
            hold_music_problem: None,
            announcement_problem: None,
            microphones: vec!["Jabra Evolve2 65".to_owned(), "Built-in".to_owned()],
            speakers: vec!["Jabra Evolve2 65".to_owned(), "Built-in".to_owned()],
        },
        sound_check: SoundCheckView {
            levels: Some(LevelsView {
                microphone: LevelView {
                    peak: -9,
                    mean: -18,
                },
                speaker: LevelView {
                    peak: -14,
                    mean: -24,
                },
            }),
            ..SoundCheckView::default()
        },
        ..Snapshot::default()
    };
    if !has("first-run") {
        state.accounts = accounts(has("problems"), mono);
    }
    if has("problems") {
        state.devices.problem = Some(
            "The microphone \"Jabra Evolve2 65\" was unplugged: the built-in one is used. Plug it \
             in again, or choose another in Settings."
                .to_owned(),
        );
        state.notices = vec![
            Notice {
                id: 1,
                at: wall,
                text: "The recording stopped: the disk is full. Free some space, then start it \
                       again."
                    .to_owned(),
            },
            Notice {
                id: 2,
                at: wall,
                text: "A call from +1 415 555 0134 had no sound from the other side: check that \
                       the firewall lets UDP through."
                    .to_owned(),
            },
        ];
    }
    state.agent = Presence::available(wall);
    if has("break") {
        let since = wall.checked_sub(4.minutes()).unwrap_or(wall);
        state.agent.set(since, AgentState::Break, "Lunch");
    }
    if has("colleagues") {
        colleagues(&mut state);
    }
    calls(&mut state, has, wall, mono);
    links(&mut state, has, mono);
    state
}

fn colleagues(state: &mut Snapshot) {
    let states = [
        (ColleagueState::Free, None),
        (ColleagueState::Ringing, Some("Anna Beck (204@pbx)")),
        (ColleagueState::Talking, Some("+49 30 901820")),
        (ColleagueState::Away, Some("Lunch, back at two")),
        (ColleagueState::Held, None),
        (ColleagueState::Calling, Some("110")),
        (ColleagueState::Offline, None),
        (ColleagueState::Busy, Some("In a meeting")),
        (ColleagueState::Unknown, None),
        (ColleagueState::Available, None),
    ];
    for (extension, ((name, _, _), (word, detail))) in (201..).zip(PEOPLE.iter().zip(states)) {
        let rings = word == ColleagueState::Ringing;
        state.colleagues.push(ColleagueView {
            name: (*name).to_owned(),
            address: format!("sip:{extension}@pbx.northwind.example"),
            watch: WatchKind::Blf,
            state: word,
            detail: detail.map(str::to_owned),
            pickup: rings.then(|| PickupTarget {
                call_id: "c".to_owned(),
                local_tag: "l".to_owned(),
                remote_tag: "r".to_owned(),
                target: "sip:204@pbx.northwind.example".to_owned(),
            }),
            problem: (word == ColleagueState::Unknown)
                .then(|| "nobody answers; tried again in 30 s".to_owned()),
        });
    }
    state.mailboxes.push(MailboxView {
        account: Some(AccountId(0)),
        address: "sip:sam@pbx.northwind.example".to_owned(),
        waiting: true,
        counts: vec![MessageCount {
            class: "voice",
            new: 2,
            old: 5,
            new_urgent: 0,
            old_urgent: 0,
        }],
        voicemail: Some("*97".to_owned()),
    });
}

fn accounts(broken: bool, mono: Instant) -> Vec<AccountView> {
    let account = |address: &str, name: &str| Account {
        address: address.to_owned(),
        display_name: name.to_owned(),
        dial_plan: DialPlan {
            domain: "pbx.northwind.example".to_owned(),
            ..DialPlan::default()
        },
        ..Account::default()
    };
    vec![
        AccountView {
            id: AccountId(0),
            account: account("sip:sam@pbx.northwind.example", "Sales"),
            has_password: true,
            has_turn_password: false,
            registration: Registration::Registered,
        },
        AccountView {
            id: AccountId(1),
            account: account("sip:sam@support.example", "Support"),
            has_password: true,
            has_turn_password: false,
            registration: if broken {
                Registration::Failed {
                    reason: "the registrar refuses the password; correct it in Settings."
                        .to_owned(),
                    retry_at: Some(mono + Duration::from_secs(28)),
                }
            } else {
                Registration::Registered
            },
        },
    ]
}

fn person(index: usize, level: MatchLevel, reason: &str) -> Match {
    let (name, organization, _) = PEOPLE[index % PEOPLE.len()];
    Match {
        subject: Subject::Contact(ContactId(i64::try_from(index).unwrap_or(0) + 1)),
        name: name.to_owned(),
        organization: Some(organization.to_owned()),
        role: (index % 3 == 1).then(|| "Head of purchasing".to_owned()),
        level,
        reason: reason.to_owned(),
    }
}

#[expect(clippy::too_many_lines, reason = "a table: one call for each state")]
fn calls(state: &mut Snapshot, has: &dyn Fn(&str) -> bool, wall: Timestamp, mono: Instant) {
    let mut add = |number: &str, direction, stage, matches: Vec<Match>, no_match: Option<&str>| {
        let n = u8::try_from(state.calls.len()).unwrap_or(0);
        let last = if matches.is_empty() { 1 } else { 3 };
        state.calls.push(CallView {
            id: CallId::new(1_700_000_000_000, [n; 10]),
            account: Some(AccountId(0)),
            direction,
            stage,
            remote: number.to_owned(),
            remote_name: matches.is_empty().then(|| "Best Offers Ltd".to_owned()),
            local: "sip:sam@pbx.northwind.example".to_owned(),
            diverted_from: has("long").then(|| "sip:frontdesk@pbx.northwind.example".to_owned()),
            queue: has("long").then(|| "Northwind customer service, English".to_owned()),
            number_proof: None,
            identification: Some(Identification {
                no_match: no_match.map(str::to_owned),
                e164: Some(number.replace(' ', "")),
                display_number: number.to_owned(),
                country: Some("United Kingdom".to_owned()),
                last_calls: (0..last)
                    .map(|index| row(index * 7 + 3, wall, has("long")))
                    .collect(),
                matches,
                tickets: Vec::new(),
                strangers: Vec::new(),
            }),
            chosen: None,
            nobody: false,
            no_popup: None,
            opens: None,
            script: None,
            started: ago(mono, 12),
            started_at: wall,
            answered: None,
            ended: None,
            status: String::new(),
            muted: false,
            muted_talk: None,
            recording: RecordingView::Off,
            recording_loss: None,
            codec: None,
            security: MediaSecurity::None,
            quality: None,
            sound_faults: Vec::new(),
            notes: String::new(),
            durable: true,
            joined: false,
            transferring_to: None,
            transfer_problem: None,
            consult_for: None,
            transferred_by: None,
            redirected_to: None,
            answered_by: None,
            takes_place_of: None,
            referral: None,
            redirection: None,
        });
    };
    let known = "same number in international form, \"Mobile\"";
    if has("talking") || has("ended") {
        add(
            PEOPLE[0].2,
            CallDirection::Outbound,
            CallStage::Talking,
            vec![person(0, MatchLevel::Known, known)],
            None,
        );
    }
    let ringing = (CallDirection::Inbound, CallStage::Ringing);
    if has("incoming") {
        let who = if has("long") { 3 } else { 10 };
        let found = vec![person(who, MatchLevel::Known, known)];
        add(PEOPLE[who].2, ringing.0, ringing.1, found, None);
    }
    if has("unknown") {
        let why = "no contact has this number, and no last seven digits agree";
        add("+44 20 7946 0991", ringing.0, ringing.1, vec![], Some(why));
    }
    if has("maybe") {
        let found = vec![person(
            1,
            MatchLevel::Weak,
            "only the last seven digits agree",
        )];
        add("030 901820", ringing.0, ringing.1, found, None);
    }
    if has("stranger") {
        let why = "no contact has this number";
        let (direction, stage) = (CallDirection::Inbound, CallStage::Talking);
        add("+49 30 5550 177", direction, stage, vec![], Some(why));
    }
    if has("shared") {
        let found = vec![
            person(0, MatchLevel::Known, known),
            person(6, MatchLevel::Known, known),
        ];
        add("+1 415 555 0134", ringing.0, ringing.1, found, None);
    }
    if has("talking") || has("ended") {
        talk(&mut state.calls, has("ended"), mono);
    }
    transfers(&mut state.calls, has, mono);
    if has("long") {
        for call in &mut state.calls {
            if let Some(found) = &mut call.identification {
                for candidate in found.matches.iter_mut().filter(|m| m.subject.id() != 4) {
                    candidate.name = LONG.to_owned();
                    candidate.organization = Some(LONG.to_owned());
                }
            }
        }
    }
}

/// What the far end of the first call wants, what came of our wish, or whom it waits for.
fn transfers(calls: &mut Vec<CallView>, has: &dyn Fn(&str) -> bool, mono: Instant) {
    let Some(first) = calls.first_mut() else {
        return;
    };
    if has("asked") {
        first.referral = Some(ReferralView {
            to: "+44 20 7946 0991".to_owned(),
            uri: "sip:+442079460991@pbx.northwind.example".to_owned(),
            by: "Amelia Hart".to_owned(),
            attended: false,
            caution: Some("this is an international number; calling it costs money".to_owned()),
            asked: ago(mono, 5),
        });
    }
    if has("transfer-failed") {
        first.transferred_by = Some("Priya Nair".to_owned());
        first.transfer_problem =
            Some("+49 30 901820 did not answer (480); the caller is still here".to_owned());
    }
    if has("paused") {
        first.recording = RecordingView::Paused("/home/anna/recordings/a.wav".to_owned());
        first.security = MediaSecurity::Encrypted;
    }
    if has("consult") || has("together") {
        first.security = MediaSecurity::KeyVisible;
        let (_, _, number) = PEOPLE[6];
        let mut consult = CallView {
            id: CallId::new(1_700_000_000_000, [77; 10]),
            direction: CallDirection::Outbound,
            stage: CallStage::Talking,
            remote: number.to_owned(),
            consult_for: Some(first.id),
            answered: Some(ago(mono, 12)),
            started: ago(mono, 20),
            notes: String::new(),
            ..first.clone()
        };
        if let Some(found) = &mut consult.identification {
            found.matches = vec![person(6, MatchLevel::Known, "same number")];
            number.clone_into(&mut found.display_number);
        }
        if has("together") {
            (first.joined, consult.joined, consult.consult_for) = (true, true, None);
        } else {
            first.stage = CallStage::Held;
        }
        calls.push(consult);
    }
}

/// Lets the first call be talked in, or over.
fn talk(calls: &mut [CallView], over: bool, mono: Instant) {
    let Some(call) = calls.first_mut() else {
        return;
    };
    call.answered = Some(ago(mono, 227));
    call.started = ago(mono, 240);
    call.notes = "Asked for the Q4 renewal quote; call back after 15:00.".to_owned();
    call.codec = Some("opus".to_owned());
    call.recording = RecordingView::On("/home/sam/recordings/0191.wav".to_owned());
    call.quality = Some(QualityView {
        loss: Some(0.004),
        jitter_millis: Some(3.2),
        playout_millis: Some(40.0),
        round_trip_millis: Some(21.0),
        mos: Some(MosView {
            mos: 4.41,
            wideband: true,
            estimate: true,
        }),
        remote_loss: Some(0.0),
        remote_jitter_millis: Some(2.4),
        level_out: 0.4,
        level_in: 0.3,
        ..QualityView::default()
    });
    if over {
        call.stage = CallStage::Ended;
        call.ended = Some(mono);
        call.status = "the other side hung up".to_owned();
        call.recording = RecordingView::Done("/home/sam/recordings/0191.wav".to_owned());
    }
}

fn links(state: &mut Snapshot, has: &dyn Fn(&str) -> bool, mono: Instant) {
    let preview = DialPreview {
        original: "tel:+1-415-555-0134".to_owned(),
        uri: "sip:+14155550134@pbx.northwind.example".to_owned(),
        rule: "international number, sent as it is".to_owned(),
        called: "+14155550134".to_owned(),
        display: "+1 415 555 0134".to_owned(),
        caution: has("odd-link").then(|| {
            "The link carries SIP headers (Replaces), which are not sent. Dial only if you trust \
             the page."
                .to_owned()
        }),
        class: DialClass::Ordinary,
    };
    if has("link") || has("odd-link") {
        state.dial_request = Some(DialRequest {
            asker: Asker::Link,
            link: preview.original.clone(),
            preview: Ok(preview),
            identification: Some(Identification {
                matches: vec![person(0, MatchLevel::Known, "same number")],
                display_number: "+1 415 555 0134".to_owned(),
                ..Identification::default()
            }),
            asked: mono,
        });
    }
}

/// The call of that number, the newest being 0; always the same.
fn row(index: usize, now: Timestamp, long: bool) -> CallRow {
    let (name, organization, number) = PEOPLE[index % PEOPLE.len()];
    let minutes = i64::try_from(index).unwrap_or(0) * 7 + 2;
    let started_at = now.checked_sub(minutes.minutes()).unwrap_or(now);
    let unknown = index % 10 == 9;
    let maybe = index % 13 == 6;
    let (direction, state) = match index % 8 {
        0 | 6 => (CallDirection::Outbound, CallState::Completed),
        1 => (CallDirection::Inbound, CallState::NoAnswer),
        4 => (CallDirection::Outbound, CallState::Busy),
        5 => (CallDirection::Inbound, CallState::Rejected),
        7 => (CallDirection::Inbound, CallState::AnsweredElsewhere),
        _ => (CallDirection::Inbound, CallState::Completed),
    };
    let talked = state == CallState::Completed;
    let seconds = i64::try_from(index).unwrap_or(0) * 97 % 1300 + 34;
    let name = if long && index.is_multiple_of(3) {
        LONG
    } else {
        name
    };
    let millis = u64::try_from(started_at.as_millisecond()).unwrap_or(0);
    let random = [u8::try_from(index % 256).unwrap_or(0); 10];
    CallRow {
        state,
        remote: number.to_owned(),
        e164: Some(number.to_owned()),
        remote_name: unknown.then(|| "Best Offers Ltd".to_owned()),
        local: "sip:sam@pbx.northwind.example".to_owned(),
        via: (index == 2).then(|| "sip:sales@pbx.northwind.example".to_owned()),
        number_proof: (index % 3 == 2).then_some(NumberProof::Passed),
        contact: (!unknown).then_some(ContactId(i64::try_from(index % 11).unwrap_or(0) + 1)),
        contact_name: (!unknown).then(|| name.to_owned()),
        organization: (!unknown).then(|| organization.to_owned()),
        level: (!unknown).then_some(if maybe {
            MatchLevel::Weak
        } else {
            MatchLevel::Known
        }),
        match_reason: (!unknown).then(|| "same number in international form".to_owned()),
        answered_at: talked.then_some(started_at),
        ended_at: Some(started_at),
        waiting_millis: Some(8_200),
        talking_millis: talked.then_some(seconds * 1000),
        sip_status: Some(if talked { 200 } else { 487 }),
        end_reason: Some("the other side hung up".to_owned()),
        sip_call_id: Some("a84b4c76e66710@pc33.northwind.example".to_owned()),
        recording: talked.then(|| "/home/sam/recordings/0191-amelia.wav".to_owned()),
        recording_gaps: Vec::from_iter((talked && index.is_multiple_of(4)).then_some(
            RecordingGap {
                cause: RecordingGapCause::Paused,
                start_millis: 21_000,
                length_millis: Some(12_400),
            },
        )),
        recording_start_seconds: talked.then_some(0),
        notes: NOTES[index % NOTES.len()].to_owned(),
        done: talked || direction == CallDirection::Outbound || index > 20,
        transferred_to: (index == 2).then(|| "+49 30 901820".to_owned()),
        transferred_by: (index == 2).then(|| "sip:desk@pbx.northwind.example".to_owned()),
        quality: talked.then(|| series(seconds).summary().unwrap_or_default()),
        sound_problem: (index % 7 == 4)
            .then(|| "nothing at all arrives from the far end, for 6 s".to_owned()),
        ..CallRow::begun(CallId::new(millis, random), direction, started_at)
    }
}

/// A call's sound over an office network that has a bad minute.
fn series(seconds: i64) -> QualitySeries {
    let mut series = QualitySeries::default();
    for second in 0..seconds.clamp(0, 3_600) {
        let phase = second as f64;
        let bad = (20..40).contains(&(second % 120));
        let wave = (phase / 7.0).sin().abs();
        let reported = second > 5;
        series.push(QualitySpan {
            received: 50,
            lost: u32::from(bad && second % 3 == 0) * 3,
            jitter_ms: Some(Millis::of(if bad { 18.0 } else { 3.0 } + 4.0 * wave)),
            playout_ms: Some(Millis::of(40.0)),
            round_trip_ms: reported.then(|| Millis::of(if bad { 90.0 } else { 24.0 } + wave)),
            mos: reported.then(|| Mos::of(if bad { 3.4 } else { 4.3 } + 0.1 * wave)),
            wideband: true,
            mos_estimate: true,
            sent: 50,
            remote_loss: reported.then(|| Share::of(0.002)),
            ..QualitySpan::default()
        });
    }
    series
}

/// What went over the wire for a call, with so many refreshes in it; none for the calls that
/// another phone took.
fn messages(call: &CallRow, refreshes: usize) -> Vec<LadderMessage> {
    if call.state == CallState::AnsweredElsewhere {
        return Vec::new();
    }
    let rung = |millis: i64, sent, first: &str, method: &str, body: &str| LadderMessage {
        at: call
            .started_at
            .checked_add(millis.milliseconds())
            .unwrap_or(call.started_at),
        sent,
        transport: "TLS".to_owned(),
        local: SocketAddr::from(([192, 168, 20, 117], 5061)),
        remote: SocketAddr::from(([203, 0, 113, 40], 5061)),
        omitted: 0,
        text: format!(
            "{first}\r\nVia: SIP/2.0/TLS 203.0.113.40:5061;branch=z9hG4bK776asdhds;rport\r\n\
             Max-Forwards: 69\r\nFrom: \"{}\" <sip:201@pbx.northwind.example>;tag=1928301774\r\n\
             To: <sip:sam@pbx.northwind.example>;tag=a6c85cf\r\n\
             Call-ID: a84b4c76e66710@pc33.northwind.example\r\nCSeq: 314159 {method}\r\n\
             Contact: <sip:201@203.0.113.40:5061;transport=tls>\r\n{body}",
            call.contact_name.as_deref().unwrap_or("Best Offers Ltd"),
        ),
    };
    let sdp = "Content-Type: application/sdp\r\nContent-Length: 142\r\n\r\nv=0\r\n\
               o=- 2890844526 2890844526 IN IP4 203.0.113.40\r\ns=-\r\nc=IN IP4 203.0.113.40\r\n\
               t=0 0\r\nm=audio 49172 RTP/AVP 111 0 101\r\na=rtpmap:111 opus/48000/2\r\n";
    let uri = "sip:sam@192.168.20.117:5061;transport=tls";
    let mut found = vec![
        rung(0, false, &format!("INVITE {uri} SIP/2.0"), "INVITE", sdp),
        rung(2, true, "SIP/2.0 100 Trying", "INVITE", "\r\n"),
        rung(41, true, "SIP/2.0 180 Ringing", "INVITE", "\r\n"),
        rung(4_207, true, "SIP/2.0 200 OK", "INVITE", sdp),
        rung(4_239, false, &format!("ACK {uri} SIP/2.0"), "ACK", "\r\n"),
    ];
    for refresh in (0..refreshes).filter_map(|it| i64::try_from(it).ok()) {
        let millis = 20_000 + refresh * 9_000;
        let request = format!("UPDATE {uri} SIP/2.0");
        found.push(rung(millis, false, &request, "UPDATE", "\r\n"));
        let refused = "SIP/2.0 491 Request Pending";
        found.push(rung(millis + 3, true, refused, "UPDATE", "\r\n"));
    }
    let mut bye = rung(38_416, false, &format!("BYE {uri} SIP/2.0"), "BYE", "\r\n");
    bye.omitted = 7;
    bye.remote = SocketAddr::from(([203, 0, 113, 41], 5061));
    found.push(bye);
    found.push(rung(38_417, true, "SIP/2.0 200 OK", "BYE", "\r\n"));
    found
}

/// A number that waits, with what was tried.
fn callback(index: usize, call: CallRow) -> CallbackRow {
    let attempts = u32::try_from(index % 3).unwrap_or(0);
    CallbackRow {
        missed: u32::try_from(index % 4).unwrap_or(0) + 1,
        attempts,
        last_attempt: (attempts > 0).then_some(call.started_at),
        last_agent: (attempts > 0).then(|| "Sam".to_owned()),
        last_note: (index % 3 != 2).then(|| CallNote {
            at: call.started_at,
            agent: Some("Priya".to_owned()),
            text: NOTES[index % 2].to_owned(),
        }),
        call,
    }
}

/// Who is told of calls.
fn routing(now: Timestamp) -> RoutingTables {
    let agent = |id, name: &str, active, number: &str, group: &str| AgentRow {
        id: AgentId(id),
        name: name.to_owned(),
        login: String::new(),
        active,
        panel: id != 3,
        numbers: vec![number.to_owned()],
        groups: vec![group.to_owned()],
    };
    let slots = |text: &str, group: &str| {
        let slots = Slot::parse(text).unwrap_or_default().into_iter();
        let group = group.to_owned();
        slots.map(move |slot| TimeSlot {
            slot,
            group: group.clone(),
        })
    };
    let queue = |id, name: &str, number: &str, zone: &str| QueueRow {
        id: QueueId(id),
        name: name.to_owned(),
        medium: String::new(),
        zone: zone.to_owned(),
        numbers: vec![number.to_owned()],
        slots: Vec::new(),
        pause_code: String::new(),
        unpause_code: String::new(),
        script: String::new(),
        page: String::new(),
    };
    let mut sales = queue(1, "Sales", "030 901820", "Europe/Berlin");
    sales.slots = slots("mon-fri 08:00-17:00", "Day")
        .chain(slots("sat 22:00-06:00", "Night"))
        .collect();
    let blocked = |id, text: &str, note: &str, hits| BlockedRow {
        id: BlockId(id),
        hits,
        last_hit: (hits > 0).then_some(now),
        ..BlockedRow::typed(text, if id == 2 { 486 } else { 603 }, note, now)
    };
    RoutingTables {
        agents: vec![
            agent(
                1,
                "Sam Okafor",
                true,
                "sip:sam@pbx.northwind.example",
                "Day",
            ),
            agent(2, "Jürgen Weiß", false, "202", "Day"),
            agent(3, "محمد العلي", true, "203", "Night"),
        ],
        queues: vec![sales, queue(2, "Support", "030 901821*", "")],
        holidays: vec![HolidayRow {
            date: jiff::civil::date(2026, 12, 25),
            queue: None,
            name: "Christmas".to_owned(),
        }],
        blocked: vec![
            blocked(1, "+44 20 7946 0991", "Sells lottery tickets", 12),
            blocked(2, "+4990*", "", 0),
            blocked(3, "anonymous", "Nobody withholds a number to a shop", 3),
        ],
    }
}

/// What would be decided for a call.
fn decision(question: &PopupQuestion) -> PopupDecision {
    PopupDecision {
        shown: true,
        queue: Some("Sales".to_owned()),
        scheduled: vec!["Sam Okafor".to_owned()],
        matching: vec!["Sam Okafor".to_owned()],
        to: vec!["Sam Okafor".to_owned()],
        reasons: vec![
            format!(
                "{} was called, which is a number of the queue Sales",
                question.called
            ),
            "scheduled for Sales now (Monday 09:12 in Europe/Berlin, mon 08:00-17:00): Sam Okafor \
             (group Day)"
                .to_owned(),
        ],
        ..PopupDecision::default()
    }
}

/// Made-up rows.
struct Demo {
    rows: usize,
    long: bool,
    now: Timestamp,
}

impl Demo {
    fn calls(&self, filter: CallFilter, search: &str, after: Option<CallCursor>) -> CallPage {
        let wanted = |row: &CallRow| {
            let fits = match filter {
                CallFilter::All => true,
                CallFilter::Inbound => row.direction == CallDirection::Inbound,
                CallFilter::Outbound => row.direction == CallDirection::Outbound,
                CallFilter::Missed => row.state == CallState::NoAnswer,
                CallFilter::ToCallBack => row.state == CallState::NoAnswer && !row.done,
            };
            let text = format!("{:?} {}", row.contact_name, row.remote).to_lowercase();
            fits && text.contains(&search.to_lowercase())
        };
        let first = after.map_or(0, |cursor| {
            let micros = self.now.as_microsecond() - cursor.started_micros;
            usize::try_from(micros / 60_000_000 / 7).unwrap_or(0) + 1
        });
        // Further back nobody waits any more.
        let looked_at = match filter {
            CallFilter::ToCallBack => 40,
            _ => 4_000,
        };
        let rows: Vec<CallRow> = (first..self.rows)
            .take(looked_at)
            .map(|index| row(index, self.now, self.long))
            .filter(wanted)
            .take(100)
            .collect();
        let next = rows
            .last()
            .filter(|_| rows.len() == 100)
            .map(|row| CallCursor {
                started_micros: row.started_at.as_microsecond(),
                // Their times tell them apart.
                seq: 0,
            });
        let total = match filter {
            CallFilter::All => self.rows,
            _ => self.rows.min(rows.len()),
        };
        CallPage {
            rows,
            next,
            total: u64::try_from(total).unwrap_or(0),
            waiting: Vec::new(),
        }
    }

    fn contact(&self, index: usize) -> ContactRow {
        let (name, organization, number) = PEOPLE[index % PEOPLE.len()];
        ContactRow {
            id: ContactId(i64::try_from(index).unwrap_or(0) + 1),
            organization: Some(OrganizationId(1)),
            organization_name: Some(organization.to_owned()),
            role: (index % 3 == 1).then(|| "Head of purchasing".to_owned()),
            email: Some("person@example.com".to_owned()),
            notes: NOTES[index % NOTES.len()].to_owned(),
            numbers: ["Mobile", "Work"]
                .into_iter()
                .map(|label| ContactNumber {
                    label: label.to_owned(),
                    raw: number.to_owned(),
                    e164: Some(number.replace(' ', "")),
                })
                .collect(),
            ..ContactRow::named(if self.long && index == 0 { LONG } else { name })
        }
    }
}

/// Tickets, tasks and what happened, as the store would give them.
impl Demo {
    fn work(&self, request: &WorkRequest) -> WorkPage {
        let people = if self.rows == 0 { 0 } else { PEOPLE.len() };
        let tickets = || (0..people * 3).map(|index| self.ticket(index));
        match request {
            WorkRequest::Leads { stage, search, .. } => self.leads(*stage, search),
            WorkRequest::Tickets { after, .. } => {
                WorkPage::Tickets(tickets().filter(|_| after.is_none()).collect())
            }
            WorkRequest::Ticket(id) => {
                WorkPage::Ticket(tickets().find(|ticket| ticket.id == *id).map(Box::new))
            }
            WorkRequest::Tasks(filter) => {
                let tasks = (0..people).map(|index| self.task(index, *filter == TaskFilter::Done));
                WorkPage::Tasks(tasks.collect())
            }
            WorkRequest::Timeline { .. } => WorkPage::Timeline {
                entries: (0..people.min(4))
                    .flat_map(|index| {
                        [
                            TimelineEntry::Call(Box::new(row(index * 11, self.now, self.long))),
                            TimelineEntry::Ticket(self.ticket(index)),
                            TimelineEntry::Task(self.task(index, index == 2)),
                            TimelineEntry::Note(NoteRow {
                                id: NoteId(i64::try_from(index).unwrap_or(0)),
                                about: Subject::Contact(ContactId(1)),
                                at: self.now,
                                author: "Sam".to_owned(),
                                text: NOTES[index % NOTES.len()].to_owned(),
                            }),
                        ]
                    })
                    .collect(),
                next: None,
            },
            WorkRequest::Organization(id) => {
                WorkPage::Organization(Some(Box::new(OrganizationRow {
                    id: *id,
                    name: "Northwind Traders".to_owned(),
                    contacts: 3,
                    numbers: self.contact(0).numbers,
                })))
            }
            WorkRequest::Find(text) => self.found(text),
            WorkRequest::Callbacks { search, after } => self.callbacks(search, *after),
            WorkRequest::Hints(filter) => WorkPage::Hints(self.hints(filter)),
            WorkRequest::Preview(question) => WorkPage::Preview(Box::new(decision(question))),
            WorkRequest::CallTypes => {
                let names = ["Interested", "Call back", "Not now", "Wrong number"];
                let types = (1..).zip(names).map(|(place, name)| CallTypeRow {
                    id: CallTypeId(i64::from(place)),
                    name: name.to_owned(),
                    active: true,
                    place,
                });
                WorkPage::CallTypes(types.collect())
            }
            WorkRequest::UndoSteps => WorkPage::UndoSteps(Vec::new()),
            WorkRequest::Figures { .. } => {
                let queue = |name: Option<&str>, inbound| QueueFigures {
                    queue: name.map(str::to_owned),
                    calls: inbound + 12,
                    inbound,
                    answered: inbound - inbound / 6,
                    missed: inbound / 6,
                    called_back: inbound / 8,
                    call_back_millis: Some(540_000),
                    waiting_millis: Some(11_000),
                    talking_millis: i64::from(inbound) * 154_000,
                    wrap_up_millis: Some(38_000),
                };
                let queues = [(Some("Sales"), 84), (Some("Support"), 131), (None, 22)];
                let queues = queues.into_iter().filter(|_| people > 0);
                WorkPage::Figures(queues.map(|(name, calls)| queue(name, calls)).collect())
            }
            WorkRequest::Hours { since, .. } => {
                let counts = [3, 11, 19, 24, 17, 8, 15, 22, 18, 9, 4];
                let hours = (7..).zip(counts).map(|(hour, count)| HourFigures {
                    hour: since.checked_add(hour.hours()).unwrap_or(*since),
                    answered: count,
                    missed: count / 5,
                    outbound: count / 3,
                });
                WorkPage::Hours(hours.collect())
            }
            WorkRequest::Routing if people == 0 => WorkPage::Routing(Box::default()),
            WorkRequest::Routing => WorkPage::Routing(Box::new(routing(self.now))),
        }
    }

    fn leads(&self, stage: Option<LeadStage>, search: &str) -> WorkPage {
        let people = if self.rows == 0 { 0 } else { PEOPLE.len() };
        let wanted = |row: &ContactRow| {
            let name = row.name.to_lowercase();
            (stage.is_none() || row.stage == stage) && name.contains(&search.to_lowercase())
        };
        let rows = (0..people).map(|index| self.lead(index)).filter(wanted);
        let rows: Vec<ContactRow> = rows.collect();
        WorkPage::Leads(ContactPage {
            total: u64::try_from(rows.len()).unwrap_or(0),
            rows,
            next: None,
        })
    }

    fn callbacks(&self, search: &str, after: Option<CallCursor>) -> WorkPage {
        let page = self.calls(CallFilter::ToCallBack, search, after);
        let rows = page.rows.into_iter().enumerate();
        WorkPage::Callbacks(CallbackPage {
            total: page.total,
            next: page.next,
            rows: rows.map(|(index, call)| callback(index, call)).collect(),
        })
    }

    fn found(&self, text: &str) -> WorkPage {
        let people = if self.rows == 0 { 0 } else { PEOPLE.len() };
        let wanted = |row: &ContactRow| row.name.to_lowercase().contains(&text.to_lowercase());
        let rows = (0..people).map(|index| self.contact(index)).filter(wanted);
        WorkPage::Found(Box::new(Found {
            contacts: rows.collect(),
            ..Found::default()
        }))
    }

    fn lead(&self, index: usize) -> ContactRow {
        ContactRow {
            stage: LeadStage::ALL.get(index % LeadStage::ALL.len()).copied(),
            ..self.contact(index)
        }
    }

    /// What two mails say of a number, of somebody who is no contact and of one who is.
    fn hints(&self, filter: &HintFilter) -> Vec<HintRow> {
        if self.rows == 0 || filter.contact.is_some_and(|id| id.0 % 2 == 0) {
            return Vec::new();
        }
        let hint = |id, contact: Option<i64>, name: &str, days: i64| HintRow {
            id: HintId(id),
            number: "+49305550177".to_owned(),
            raw: "030 / 555 01 77".to_owned(),
            fax: false,
            contact: contact.map(ContactId),
            name: Some(if self.long { LONG } else { name }.to_owned()),
            email: contact.is_none().then(|| "anna@beck.example".to_owned()),
            source: HintSource::Mail,
            signature: contact.is_none(),
            source_text: "the mail of 2026-05-12, \"Offer for Madrid\"".to_owned(),
            said_at: self
                .now
                .checked_sub((days * 24).hours())
                .unwrap_or(self.now),
            found_at: self.now,
            state: HintState::Open,
            assigned: false,
        };
        let of = filter.contact.map(|id| id.0);
        let mut hints = vec![hint(1, of, "Anna Beck", 9), hint(2, of, "Anna Beck", 40)];
        if of.is_none() {
            hints.push(hint(3, Some(7), "Priya Nair", 120));
        }
        hints
    }

    fn ticket(&self, index: usize) -> TicketRow {
        let (name, organization, _) = PEOPLE[index % PEOPLE.len()];
        let titles = [
            "Delivery delayed to Madrid",
            "Invoice copy requested",
            "Second seat",
        ];
        let states = [TicketState::Open, TicketState::New, TicketState::Pending];
        let minutes = i64::try_from(index).unwrap_or(0) * 47;
        let at = self.now.checked_sub(minutes.minutes()).unwrap_or(self.now);
        TicketRow {
            id: TicketId(4_812 - i64::try_from(index).unwrap_or(0)),
            title: if self.long { LONG } else { titles[index % 3] }.to_owned(),
            state: states[index % 3],
            contact: Some(ContactId(1)),
            contact_name: Some(name.to_owned()),
            organization: None,
            organization_name: Some(organization.to_owned()),
            agent: Some("Sam".to_owned()),
            created_at: at,
            updated_at: at,
            closed_at: None,
            articles: vec![ArticleRow {
                id: ArticleId(1),
                at,
                kind: ArticleKind::Phone,
                sender: ArticleSender::Agent,
                internal: true,
                author: "Sam".to_owned(),
                body: NOTES[index % NOTES.len()].to_owned(),
                call: Some(row(0, self.now, self.long).id),
            }],
        }
    }

    fn task(&self, index: usize, done: bool) -> TaskRow {
        let titles = ["Send the quote", "Ask for the serial number", "Call back"];
        let hours = i64::try_from(index).unwrap_or(0) * 9 - 12;
        TaskRow {
            id: TaskId(i64::try_from(index).unwrap_or(0)),
            done_at: done.then_some(self.now),
            number: (index % 3 == 2).then(|| PEOPLE[index % PEOPLE.len()].2.to_owned()),
            ..TaskRow::new(
                if self.long { LONG } else { titles[index % 3] },
                (index % 4 != 3).then(|| self.now.checked_add(hours.hours()).unwrap_or(self.now)),
                self.now,
            )
        }
    }
}

impl PageSource for Demo {
    fn page(&self, request: &PageRequest) -> Option<Arc<Page>> {
        let people = if self.rows == 0 { 0 } else { PEOPLE.len() };
        Some(Arc::new(match request {
            PageRequest::Calls {
                filter,
                search,
                after,
            } => Page::Calls(self.calls(*filter, search, *after)),
            PageRequest::Call(id) => Page::Call(
                (0..500)
                    .map(|index| row(index, self.now, self.long))
                    .find(|row| row.id == *id)
                    .map(Box::new),
            ),
            PageRequest::Ladder(id) => Page::Ladder(
                (0..500)
                    .map(|index| row(index, self.now, self.long))
                    .find(|row| row.id == *id)
                    .map(|call| {
                        let messages = messages(&call, if self.long { 4_000 } else { 1 });
                        Box::new(CallLadder { call, messages })
                    }),
            ),
            PageRequest::Quality(id) => Page::Quality(
                (0..500)
                    .map(|index| row(index, self.now, self.long))
                    .find(|row| row.id == *id)
                    .and_then(|row| row.talking_millis)
                    .map(|millis| series(millis / 1000).spans().to_vec())
                    .unwrap_or_default(),
            ),
            PageRequest::Contacts { search, .. } => {
                let rows: Vec<ContactRow> = (0..people)
                    .map(|index| self.contact(index))
                    .filter(|contact| contact.name.to_lowercase().contains(&search.to_lowercase()))
                    .collect();
                Page::Contacts(ContactPage {
                    total: u64::try_from(rows.len()).unwrap_or(0),
                    next: None,
                    rows,
                })
            }
            PageRequest::Contact(id) => Page::Contact(
                usize::try_from(id.0 - 1)
                    .ok()
                    .map(|index| Box::new(self.lead(index))),
            ),
            PageRequest::Organizations { .. } => Page::Organizations(OrganizationPage {
                next: None,
                rows: PEOPLE
                    .iter()
                    .take(people)
                    .zip(1..)
                    .map(|((_, name, _), id)| OrganizationRow {
                        id: OrganizationId(id),
                        name: (*name).to_owned(),
                        contacts: 1,
                        numbers: Vec::new(),
                    })
                    .collect(),
            }),
            PageRequest::Identify(_) => Page::Identify(Box::default()),
            PageRequest::Work(request) => Page::Work(self.work(request)),
        }))
    }
}
