//! Snapshots and a stage to draw them on, with rows behind it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::Vec2;
use egui_kittest::Harness;
use jiff::tz::TimeZone;
use tokio::sync::{mpsc, watch};

pub(super) use super::rows::{LiveRows, Rows};
use crate::base::clock;
use crate::base::dial_plan::DialPlan;
use crate::base::id::{AccountId, CallId, ContactId, OrganizationId};
use crate::config::Account;
use crate::control::handle::PageSource;
use crate::control::{
    AccountView, CallStage, CallView, Command, Handle, MediaSecurity, RecordingView, Registration,
    Snapshot,
};
use crate::crm::row::{
    CallDirection, CallRow, CallState, ContactNumber, ContactRow, Identification, LadderMessage,
    Match, MatchLevel, Subject,
};
use crate::ui::popup::{PopupState, popup_ui};
use crate::ui::scene::{Now, Scene};
use crate::ui::state::ViewState;
use crate::ui::theme;
use crate::ui::view::desk_ui;

/// The window or the pop-up with everything around it.
pub(super) struct Stage {
    handle: Handle,
    publish: watch::Sender<Arc<Snapshot>>,
    inbox: mpsc::Receiver<Command>,
    pub(super) state: ViewState,
    popup: PopupState,
    pub(super) now: Now,
}

impl Stage {
    fn new(snapshot: Snapshot, rows: impl PageSource + 'static) -> Self {
        let (commands, inbox) = mpsc::channel(64);
        let (publish, watch) = watch::channel(Arc::new(snapshot));
        Self {
            handle: Handle::new(commands, watch, Arc::new(rows)),
            publish,
            inbox,
            state: ViewState::default(),
            popup: PopupState::default(),
            now: Now {
                wall: "2025-11-21T15:00:00Z".parse().unwrap(),
                mono: start(),
                zone: TimeZone::UTC,
            },
        }
    }

    /// The commands that were sent since the last time.
    pub(super) fn sent(&mut self) -> Vec<Command> {
        std::iter::from_fn(|| self.inbox.try_recv().ok()).collect()
    }

    /// The same as one line of debug text each.
    pub(super) fn told(&mut self) -> Vec<String> {
        self.sent()
            .iter()
            .map(|command| format!("{command:?}"))
            .collect()
    }

    /// What the engine would publish next.
    pub(super) fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        self.publish
            .send_modify(|snapshot| change(Arc::make_mut(snapshot)));
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now.mono += time;
    }
}

/// The moment at which every stage begins, with room before it.
pub(super) fn start() -> Instant {
    clock::monotonic_now() + Duration::from_secs(3600)
}

fn harness_at(
    size: Vec2,
    scale: f32,
    dark: bool,
    stage: Stage,
    draw: fn(&mut egui::Ui, &mut Stage),
) -> Harness<'static, Stage> {
    Harness::builder()
        .with_size(size)
        .with_pixels_per_point(scale)
        .with_theme(if dark {
            egui::Theme::Dark
        } else {
            egui::Theme::Light
        })
        .allow_missing_glyphs()
        .with_max_steps(16)
        .with_context_setup(theme::install)
        .build_ui_state(draw, stage)
}

/// The main window; `prepare` says what is open.
pub(super) fn window(
    size: Vec2,
    dark: bool,
    snapshot: Snapshot,
    rows: impl PageSource + 'static,
    prepare: impl FnOnce(&mut ViewState),
) -> Harness<'static, Stage> {
    window_at(1.0, size, dark, snapshot, rows, prepare)
}

/// The main window on a screen with so many pixels to a point.
pub(super) fn window_at(
    scale: f32,
    size: Vec2,
    dark: bool,
    snapshot: Snapshot,
    rows: impl PageSource + 'static,
    prepare: impl FnOnce(&mut ViewState),
) -> Harness<'static, Stage> {
    let mut stage = Stage::new(snapshot, rows);
    prepare(&mut stage.state);
    harness_at(size, scale, dark, stage, |ui, stage| {
        let mut scene = Scene::new(&stage.handle, stage.now.clone());
        desk_ui(ui, &mut scene, &mut stage.state);
        assert!(scene.finish());
    })
}

/// The main window at a usual size.
pub(super) fn desk(
    snapshot: Snapshot,
    rows: impl PageSource + 'static,
    prepare: impl FnOnce(&mut ViewState),
) -> Harness<'static, Stage> {
    window(Vec2::new(1440.0, 900.0), true, snapshot, rows, prepare)
}

/// The pop-up.
pub(super) fn pop_up(snapshot: Snapshot, dark: bool) -> Harness<'static, Stage> {
    pop_up_at(1.0, snapshot, dark)
}

/// The pop-up on a screen with so many pixels to a point.
pub(super) fn pop_up_at(scale: f32, snapshot: Snapshot, dark: bool) -> Harness<'static, Stage> {
    let size = crate::ui::popup::popup_size(&snapshot);
    let stage = Stage::new(snapshot, Rows::default());
    harness_at(size, scale, dark, stage, |ui, stage| {
        let mut scene = Scene::new(&stage.handle, stage.now.clone());
        popup_ui(ui, &mut scene, &mut stage.popup);
        assert!(scene.finish());
    })
}

/// A phone with one registered account.
pub(super) fn registered() -> Snapshot {
    Snapshot {
        accounts: vec![AccountView {
            id: AccountId(0),
            account: Account {
                address: "sip:sam@pbx.example".to_owned(),
                display_name: "Sales".to_owned(),
                dial_plan: DialPlan {
                    domain: "pbx.example".to_owned(),
                    ..DialPlan::default()
                },
                ..Account::default()
            },
            has_password: true,
            has_turn_password: false,
            registration: Registration::Registered,
        }],
        ..Snapshot::default()
    }
}

pub(super) fn call_id(number: u8) -> CallId {
    CallId::new(1_700_000_000_000, [number; 10])
}

pub(super) fn candidate(id: i64, name: &str, level: MatchLevel) -> Match {
    Match {
        subject: Subject::Contact(ContactId(id)),
        name: name.to_owned(),
        organization: Some("Northwind Traders".to_owned()),
        role: None,
        level,
        reason: format!("rule {id} found it"),
    }
}

/// A call that rings here from a number with these candidates.
pub(super) fn ringing(number: u8, matches: Vec<Match>) -> CallView {
    CallView {
        id: call_id(number),
        account: Some(AccountId(0)),
        direction: CallDirection::Inbound,
        stage: CallStage::Ringing,
        remote: "+14155550134".to_owned(),
        remote_name: None,
        local: "sip:sam@pbx.example".to_owned(),
        diverted_from: None,
        queue: None,
        number_proof: None,
        identification: Some(Identification {
            no_match: matches.is_empty().then(|| "nobody has it".to_owned()),
            matches,
            strangers: Vec::new(),
            e164: Some("+14155550134".to_owned()),
            display_number: "+1 415-555-0134".to_owned(),
            country: Some("US".to_owned()),
            last_calls: Vec::new(),
            tickets: Vec::new(),
        }),
        chosen: None,
        nobody: false,
        opens: None,
        script: None,
        started: start(),
        started_at: "2025-11-21T14:59:50Z".parse().unwrap(),
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
        no_popup: None,
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
    }
}

/// The same call, talked in.
pub(super) fn talking(number: u8, matches: Vec<Match>) -> CallView {
    CallView {
        stage: CallStage::Talking,
        answered: Some(start() - Duration::from_secs(1)),
        codec: Some("opus".to_owned()),
        security: MediaSecurity::None,
        ..ringing(number, matches)
    }
}

pub(super) fn row(number: u8, name: Option<(&str, MatchLevel)>) -> CallRow {
    let started_at = "2025-11-21T14:50:00Z".parse().unwrap();
    CallRow {
        state: CallState::NoAnswer,
        e164: Some("+14155550134".to_owned()),
        local: "sip:sam@pbx.example".to_owned(),
        contact: name.map(|_| ContactId(1)),
        contact_name: name.map(|(name, _)| name.to_owned()),
        organization: name.map(|_| "Northwind Traders".to_owned()),
        level: name.map(|(_, level)| level),
        match_reason: name.map(|_| "same number".to_owned()),
        ended_at: Some("2025-11-21T14:50:30Z".parse().unwrap()),
        waiting_millis: Some(30_000),
        sip_status: Some(487),
        end_reason: Some("the caller gave up".to_owned()),
        sip_call_id: Some("abc@example".to_owned()),
        ..CallRow::ringing(call_id(number), "+14155550134", started_at)
    }
}

pub(super) fn contact(id: i64, name: &str) -> ContactRow {
    ContactRow {
        id: ContactId(id),
        organization: Some(OrganizationId(1)),
        organization_name: Some("Northwind Traders".to_owned()),
        role: Some("Buyer".to_owned()),
        email: Some("amelia@example.com".to_owned()),
        notes: "Prefers mornings".to_owned(),
        numbers: vec![ContactNumber {
            label: "Mobile".to_owned(),
            raw: "+1 415 555 0134".to_owned(),
            e164: Some("+14155550134".to_owned()),
        }],
        ..ContactRow::named(name)
    }
}

/// A SIP message so many milliseconds after the first one.
pub(super) fn message(millis: i64, sent: bool, text: &str) -> LadderMessage {
    LadderMessage {
        at: jiff::Timestamp::from_millisecond(1_763_736_600_000 + millis).unwrap(),
        sent,
        transport: "UDP".to_owned(),
        local: "192.0.2.17:5060".parse().unwrap(),
        remote: "198.51.100.2:5060".parse().unwrap(),
        omitted: 0,
        text: text.to_owned(),
    }
}

/// The messages of a call that was taken, from somebody of that name.
pub(super) fn exchange(name: &str) -> Vec<LadderMessage> {
    let head = format!("From: \"{name}\" <sip:201@pbx.example>;tag=1\r\nCSeq: 1");
    let sdp = "Content-Type: application/sdp\r\n\r\nv=0\r\n";
    let mut messages = vec![
        message(
            0,
            false,
            &format!("INVITE sip:sam@192.0.2.17 SIP/2.0\r\n{head} INVITE\r\n{sdp}"),
        ),
        message(
            12,
            true,
            &format!("SIP/2.0 180 Ringing\r\n{head} INVITE\r\n\r\n"),
        ),
        message(
            4_200,
            true,
            &format!("SIP/2.0 200 OK\r\n{head} INVITE\r\n{sdp}"),
        ),
        message(
            4_231,
            false,
            &format!("ACK sip:sam@192.0.2.17 SIP/2.0\r\n{head} ACK\r\n\r\n"),
        ),
        message(
            9_000,
            false,
            &format!("BYE sip:sam@192.0.2.17 SIP/2.0\r\n{head} BYE\r\n\r\n"),
        ),
    ];
    messages[3].omitted = 7;
    messages[4].remote = "[2001:db8::2]:5060".parse().unwrap();
    messages
}

/// The texts that are painted, with where they are and what is seen of it.
pub(super) fn texts(shown: &Harness<'_, Stage>) -> Vec<(String, egui::Rect, egui::Rect)> {
    let text = |clipped: &egui::epaint::ClippedShape| match &clipped.shape {
        egui::Shape::Text(text) => {
            let rows = text.galley.rows.iter();
            let letters = rows.flat_map(|row| row.glyphs.iter().map(|glyph| glyph.chr));
            let place = text.galley.rect.translate(text.pos.to_vec2());
            Some((letters.collect(), place, clipped.clip_rect))
        }
        _ => None,
    };
    shown.output().shapes.iter().filter_map(text).collect()
}
