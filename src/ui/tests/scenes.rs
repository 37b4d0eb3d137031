//! Every view of the window in every state that it can be in: one table for all tests that look at
//! pictures.

use std::time::Duration;

use super::call_card::known;
use super::colleagues::{colleague, mailbox};
use super::fixture::*;
use super::people::{hint, lead};
use super::work::{figures, hours, task, ticket, types};
use crate::base::id::{ContactId, NoteId, OrganizationId, TicketId, UndoId};
use crate::control::{
    Asker, CallStage, CallView, ColleagueState, DialRequest, Notice, RecordingView, Registration,
    Snapshot, TextMessage,
};
use crate::crm::row::{
    MatchLevel, NoteRow, QualitySpan, Subject, TicketState, TimelineEntry, UndoRow,
};
use crate::ui::routing_state::SettingsTab;
use crate::ui::state::{Plotted, View, ViewState};
use crate::ui::view::test_forms;

/// What there is to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stock {
    /// Records with usual names.
    Full,
    /// Names that are much too long.
    Long,
    /// Names that are read from right to left.
    RightToLeft,
    /// Nothing yet.
    Empty,
    /// Everything is still being read.
    Loading,
    /// Nothing can be read.
    Failing,
}

impl Stock {
    pub(super) const ALL: [Self; 6] = [
        Self::Full,
        Self::Long,
        Self::RightToLeft,
        Self::Empty,
        Self::Loading,
        Self::Failing,
    ];
    /// Those with records.
    pub(super) const NAMED: [Self; 3] = [Self::Full, Self::Long, Self::RightToLeft];

    pub(super) fn names(self) -> [&'static str; 2] {
        match self {
            Self::Full | Self::Empty | Self::Loading | Self::Failing => {
                ["Amelia Hart", "Jürgen Weiß"]
            }
            Self::Long => [
                "Maria-Magdalena Wolfeschlegelsteinhausenbergerdorff von und zu Hohenlohe-Langenburg",
                "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
            ],
            Self::RightToLeft => ["محمد بن عبد الله العلي (شركة الخليج 2025)", "דוד לוי"],
        }
    }

    /// What the phone knows, without a call.
    pub(super) fn snapshot(self) -> Snapshot {
        let mut snapshot = registered();
        if self == Self::Empty {
            return snapshot;
        }
        let [one, other] = self.names();
        snapshot.settings.agent = one.to_owned();
        snapshot.to_call_back = 12;
        snapshot.mailboxes = mailbox(true, 2, Some("*97")).mailboxes;
        snapshot.colleagues = vec![
            colleague(one, ColleagueState::Free),
            colleague(other, ColleagueState::Talking),
        ];
        snapshot
    }

    /// What the store has.
    pub(super) fn rows(self) -> Rows {
        if self == Self::Empty {
            return Rows::default();
        }
        let names = self.names();
        let [one, other] = names;
        let named = |n: usize| names[n % 2];
        let (number, id) = (0..10, 1..10);
        let of = |id: i64| named(usize::try_from(id).unwrap());
        Rows {
            calls: number
                .map(|n| {
                    let level = if n % 2 == 0 {
                        MatchLevel::Known
                    } else {
                        MatchLevel::Weak
                    };
                    row(n, (n % 3 != 0).then_some((named(n.into()), level)))
                })
                .collect(),
            contacts: id.clone().map(|id| contact(id, of(id))).collect(),
            leads: id.clone().map(|id| lead(id, of(id))).collect(),
            hints: vec![hint(1, Some(1), one), hint(2, None, other)],
            routing: super::routing::tables(one),
            messages: exchange(one),
            spans: (0..90)
                .map(|at| QualitySpan {
                    at,
                    seconds: 1,
                    ..QualitySpan::default()
                })
                .collect(),
            failing: self == Self::Failing,
            reading: self == Self::Loading,
            tickets: id
                .clone()
                .map(|id| ticket(id, of(id), TicketState::Open))
                .collect(),
            tasks: id
                .map(|id| task(id, of(id), Some("2025-11-21T18:00:00Z")))
                .collect(),
            timeline: vec![
                TimelineEntry::Call(Box::new(row(4, Some((one, MatchLevel::Known))))),
                TimelineEntry::Note(NoteRow {
                    id: NoteId(1),
                    about: Subject::Contact(ContactId(1)),
                    at: "2025-11-20T09:00:00Z".parse().unwrap(),
                    author: other.to_owned(),
                    text: one.to_owned(),
                }),
                TimelineEntry::Ticket(ticket(1, one, TicketState::Pending)),
                TimelineEntry::Task(task(1, one, None)),
            ],
            call_types: types(),
            figures: figures(one),
            hours: hours(),
            ..Rows::default()
        }
    }

    fn call(self) -> CallView {
        let [one, other] = self.names();
        let mut call = talking(1, vec![candidate(1, one, MatchLevel::Known)]);
        call.notes = format!("{other}\n{one}");
        if let Some(found) = &mut call.identification {
            found.last_calls = (0..3)
                .map(|n| row(n, Some((one, MatchLevel::Known))))
                .collect();
            found.tickets = vec![ticket(4812, other, TicketState::Open)];
        }
        call
    }
}

/// One picture: what is there and what is open.
pub(super) struct Scene {
    pub(super) name: String,
    pub(super) stock: Stock,
    pub(super) snapshot: Snapshot,
    pub(super) prepare: Box<dyn Fn(&mut ViewState)>,
}

impl Scene {
    fn new(
        name: &str,
        stock: Stock,
        change: impl FnOnce(&mut Snapshot),
        prepare: impl Fn(&mut ViewState) + 'static,
    ) -> Self {
        let mut snapshot = stock.snapshot();
        change(&mut snapshot);
        Self {
            name: format!("{name}, {stock:?}"),
            stock,
            snapshot,
            prepare: Box::new(prepare),
        }
    }
}

const VIEWS: [View; 9] = [
    View::Dialer,
    View::Calls,
    View::Contacts,
    View::Leads,
    View::Organizations,
    View::Tickets,
    View::Tasks,
    View::Statistics,
    View::Settings,
];

/// The lists, the pages of the settings, and what is open in them.
pub(super) fn views() -> Vec<Scene> {
    let mut scenes = Vec::new();
    for stock in Stock::ALL {
        for view in VIEWS {
            let open = move |state: &mut ViewState| state.view = view;
            scenes.push(Scene::new(&format!("{view:?}"), stock, |_| {}, open));
        }
        let filtered = |state: &mut ViewState| {
            state.view = View::Calls;
            state.calls.filter = crate::crm::row::CallFilter::All;
        };
        scenes.push(Scene::new("all calls", stock, |_| {}, filtered));
        for plotted in [Plotted::AnswerRate, Plotted::Times] {
            let open = move |state: &mut ViewState| {
                state.view = View::Statistics;
                state.plotted = plotted;
            };
            scenes.push(Scene::new(&format!("{plotted:?}"), stock, |_| {}, open));
        }
        for tab in [
            SettingsTab::Agents,
            SettingsTab::Queues,
            SettingsTab::Holidays,
            SettingsTab::CallTypes,
            SettingsTab::Blocked,
            SettingsTab::Diagnostics,
        ] {
            let open = move |state: &mut ViewState| {
                state.view = View::Settings;
                state.settings.tab = tab;
            };
            scenes.push(Scene::new(&format!("{tab:?}"), stock, |_| {}, open));
        }
    }
    scenes
}

/// Records and forms that are open, questions, menus, and what comes first.
pub(super) fn details() -> Vec<Scene> {
    let mut scenes = Vec::new();
    for stock in Stock::NAMED {
        for (number, form) in test_forms().into_iter().enumerate() {
            scenes.push(Scene::new(&format!("form {number}"), stock, |_| {}, form));
        }
        scenes.push(Scene::new(
            "ticket",
            stock,
            |_| {},
            |state| {
                state.view = View::Tickets;
                state.tickets.open(TicketId(1));
            },
        ));
        scenes.push(Scene::new(
            "organization",
            stock,
            |_| {},
            |state| {
                state.view = View::Organizations;
                state.organizations.shown = Some(OrganizationId(1));
            },
        ));
        scenes.push(Scene::new(
            "agent menu",
            stock,
            |_| {},
            |state| state.agent.open = true,
        ));
        let name = stock.names()[0];
        scenes.push(Scene::new(
            "problems",
            stock,
            |snapshot| problems(snapshot, name),
            |state| state.view = View::Calls,
        ));
        scenes.push(Scene::new(
            "dial question",
            stock,
            |snapshot| {
                snapshot.dial_request = Some(DialRequest {
                    asker: Asker::Link,
                    link: format!("tel:+14155550134;{name}"),
                    preview: Err(name.repeat(2)),
                    identification: None,
                    asked: start(),
                });
            },
            |_| {},
        ));
    }
    scenes.push(Scene::new(
        "first run",
        Stock::Empty,
        |snapshot| snapshot.accounts.clear(),
        |_| {},
    ));
    scenes.push(Scene::new(
        "lab",
        Stock::Empty,
        |snapshot| {
            snapshot.lab = true;
            snapshot.accounts[0].account.address = "sip:lab@127.0.0.1:5070".to_owned();
        },
        |_| {},
    ));
    scenes
}

fn problems(snapshot: &mut Snapshot, name: &str) {
    snapshot.store_problem = Some(format!("the disk is full: {name}"));
    snapshot.devices.problem = Some(format!("the headset {name} is gone"));
    snapshot.accounts[0].registration = Registration::Failed {
        reason: format!("the registrar of {name} refuses the password"),
        retry_at: Some(start() + Duration::from_secs(30)),
    };
    let at = "2025-11-21T14:59:50Z".parse().unwrap();
    snapshot.notices.push(Notice {
        id: 1,
        at,
        text: name.to_owned(),
    });
    snapshot.messages.push(TextMessage {
        id: 9,
        at,
        account: None,
        from: "+14155550199".to_owned(),
        from_name: Some(name.to_owned()),
        text: name.to_owned(),
    });
}

/// The card of a call, in each of its states.
pub(super) fn cards() -> Vec<Scene> {
    let mut scenes = Vec::new();
    for stock in Stock::NAMED {
        let [one, other] = stock.names();
        let mut add = |name: &str, calls: Vec<CallView>, open: fn(&mut ViewState)| {
            let prepare = move |state: &mut ViewState| {
                state.view = View::Calls;
                open(state);
            };
            let with = |snapshot: &mut Snapshot| snapshot.calls = calls;
            scenes.push(Scene::new(name, stock, with, prepare));
        };
        let call = || stock.call();
        let rings = |matches| {
            let mut call = ringing(2, matches);
            call.queue = Some(other.to_owned());
            call
        };
        let both = vec![
            candidate(1, one, MatchLevel::Known),
            candidate(2, other, MatchLevel::Known),
        ];
        add("talking", vec![call()], |_| {});
        add("keypad", vec![call()], |state| state.card.keypad = true);
        add("transfer", vec![call()], |state| state.card.transfer = true);
        let quiet = CallView {
            muted: true,
            stage: CallStage::Held,
            recording: RecordingView::Paused("call.wav".to_owned()),
            ..call()
        };
        add("held", vec![quiet], |_| {});
        let recorded = CallView {
            recording: RecordingView::On("call.wav".to_owned()),
            ..call()
        };
        add("two calls", vec![recorded, rings(both.clone())], |_| {});
        add("rings", vec![rings(vec![both[0].clone()])], |_| {});
        add("rings, unknown", vec![rings(Vec::new())], |_| {});
        add("rings, several", vec![rings(both)], |_| {});
        let ended = CallView {
            stage: CallStage::Ended,
            ended: Some(start()),
            status: "you ended the call".to_owned(),
            ..call()
        };
        add("wrap-up", vec![ended], |_| {});
        let refused = CallView {
            stage: CallStage::Ended,
            ended: Some(start()),
            answered: None,
            status: format!("busy, says {other}"),
            ..call()
        };
        add("not answered", vec![refused], |_| {});
    }
    scenes
}

/// What pops up when a call rings.
pub(super) fn popups() -> Vec<(String, Snapshot)> {
    let mut scenes = Vec::new();
    for stock in Stock::NAMED {
        let [one, other] = stock.names();
        let mut add = |name: &str, calls: Vec<CallView>| {
            let snapshot = Snapshot {
                calls,
                ..stock.snapshot()
            };
            scenes.push((format!("pop-up: {name}, {stock:?}"), snapshot));
        };
        let rings = |number, matches| {
            let mut call = ringing(number, matches);
            call.queue = Some(other.to_owned());
            call.remote_name = Some(one.to_owned());
            if let (Some(found), Some(spoken)) =
                (&mut call.identification, stock.call().identification)
            {
                found.last_calls = spoken.last_calls;
                found.tickets = spoken.tickets;
            }
            call
        };
        let sure = || vec![candidate(1, one, MatchLevel::Known)];
        let both = vec![
            candidate(1, one, MatchLevel::Known),
            candidate(2, other, MatchLevel::Known),
        ];
        add("known", vec![rings(1, sure())]);
        add(
            "maybe",
            vec![rings(1, vec![candidate(1, one, MatchLevel::Weak)])],
        );
        add("several", vec![rings(1, both)]);
        add("unknown", vec![rings(1, Vec::new())]);
        add("two", vec![rings(1, sure()), rings(2, known())]);
    }
    scenes
}

/// A step that can be taken back lies over the window for a while.
pub(super) fn undo(rows: &mut Rows) {
    rows.undo = vec![UndoRow {
        id: UndoId(5),
        at: "2025-11-21T14:59:55Z".parse().unwrap(),
        label: "deleted Amelia Hart".to_owned(),
    }];
}
