//! What the window remembers between frames and the engine need not know.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use jiff::Timestamp;

use crate::base::id::{
    AccountId, CallId, ContactId, HintId, NoteId, OrganizationId, TicketId, UndoId,
};
use crate::config::Account;
use crate::config::settings::Colleague;
use crate::control::{Command, FiguresTable};
use crate::crm::row::{
    CallCursor, CallFilter, ContactRow, LeadStage, NameCursor, OrganizationRow, Subject,
    TicketFilter, TimelineCursor,
};
use crate::ui::focus::Followed;
use crate::ui::routing_state::{RoutingState, SettingsTab};
use crate::ui::spans::Spans;

/// The screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// Search and dial.
    #[default]
    Dialer,
    /// The call log.
    Calls,
    /// People.
    Contacts,
    /// People who may become customers.
    Leads,
    /// Their organizations.
    Organizations,
    /// What is worked on for customers.
    Tickets,
    /// What is to be done.
    Tasks,
    /// How many calls, when, and what became of them.
    Statistics,
    /// Accounts, sound, appearance.
    Settings,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct ViewState {
    pub(crate) view: View,
    pub(crate) dialer: DialerState,
    pub(crate) calls: CallsState,
    pub(crate) contacts: ContactsState,
    pub(crate) leads: ContactsState,
    pub(crate) organizations: OrganizationsState,
    pub(crate) tickets: TicketsState,
    pub(crate) tasks: TasksState,
    /// The days that the statistics count.
    pub(crate) period: Period,
    /// What of them is plotted.
    pub(crate) plotted: Plotted,
    pub(crate) figures: FiguresExport,
    /// The step that was taken back, or not wanted back, last.
    pub(crate) undone: Option<UndoId>,
    pub(crate) settings: SettingsState,
    pub(crate) first_run: FirstRunState,
    pub(crate) card: CardState,
    pub(crate) notes: Notes,
    /// The menu of what the agent does.
    pub(crate) agent: AgentMenu,
    /// What is said of guesses of whose a number is.
    pub(crate) guesses: GuessesState,
    /// Who is looked for, to say that a call is with them.
    pub(crate) caller: Option<CallerState>,
    /// The logged call that the right pane shows.
    pub(crate) detail: Option<CallId>,
    /// Its recording.
    pub(crate) player: PlayerState,
    /// Its SIP messages, in place of the view.
    pub(crate) ladder: Option<LadderState>,
    /// The dial question that got its focus, by the moment it was asked.
    pub(crate) dial_focused: Option<Instant>,
    /// Banners without an id that the agent took away, by their text.
    pub(crate) dismissed: Vec<String>,
    /// What had the keyboard when it was last brought into sight.
    pub(crate) focused: Followed,
    /// Whether a field had the keyboard at the end of the last frame.
    pub(crate) typing: bool,
    /// Whether the engine refused a command.
    pub(crate) refused: bool,
}

impl ViewState {
    /// Shows a logged call, and plays its recording.
    pub(crate) fn play(&mut self, call: CallId) {
        self.detail = Some(call);
        self.player.play = Some(call);
    }

    /// Shows what works and what does not.
    pub(crate) fn open_diagnostics(&mut self) {
        self.view = View::Settings;
        self.settings.tab = SettingsTab::Diagnostics;
        self.detail = None;
    }

    /// Shows the settings of accounts, sound and calls.
    pub(crate) fn open_phone_settings(&mut self) {
        self.view = View::Settings;
        self.settings.tab = SettingsTab::Phone;
        self.detail = None;
    }
}

/// The player of recordings.
#[derive(Debug, Default)]
pub(crate) struct PlayerState {
    /// The call whose recording the engine was asked for.
    pub(crate) asked: Option<CallId>,
    /// The call whose recording shall be played as soon as it is shown.
    pub(crate) play: Option<CallId>,
    /// Where the pointer drags the time, in parts of the whole.
    pub(crate) dragged: Option<f32>,
    /// The volume while it is dragged, in percent.
    pub(crate) volume: Option<u32>,
    /// Whether it is seen in this frame.
    pub(crate) drawn: bool,
}

/// The dialer.
#[derive(Debug, Default)]
pub(crate) struct DialerState {
    pub(crate) text: String,
    pub(crate) account: Option<AccountId>,
    /// What Enter dials.
    pub(crate) choice: Choice,
    /// The text that the choice belongs to.
    pub(crate) choice_for: String,
    /// How many suggestions there were in the last frame.
    pub(crate) found: usize,
    /// Whether the natural choice was the first of them.
    pub(crate) natural: bool,
    /// Whether the field takes the keyboard in the next frame.
    pub(crate) focus: bool,
}

/// What Enter dials in the dialer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Choice {
    /// A name means the first contact that fits; anything else means itself.
    #[default]
    Natural,
    /// What was typed.
    Typed,
    /// A suggestion, counted from the first.
    Suggestion(usize),
}

/// The call log.
#[derive(Debug)]
pub(crate) struct CallsState {
    pub(crate) filter: CallFilter,
    pub(crate) search: String,
    /// The pages that are known, newest first.
    pub(crate) spans: Spans<(CallFilter, String), CallCursor>,
    /// How many rows there are in all.
    pub(crate) total: Option<u64>,
    /// The pages of the numbers to call back, newest first.
    pub(crate) callbacks: Spans<String, CallCursor>,
    /// Whether all were to be marked as done, which waits for a second click.
    pub(crate) all_done: bool,
}

impl Default for CallsState {
    fn default() -> Self {
        Self {
            filter: CallFilter::ToCallBack,
            search: String::new(),
            spans: Spans::of((CallFilter::ToCallBack, String::new())),
            total: None,
            callbacks: Spans::default(),
            all_done: false,
        }
    }
}

/// The contacts, or the leads.
#[derive(Debug, Default)]
pub(crate) struct ContactsState {
    pub(crate) search: String,
    /// Only leads of this stage; of contacts never.
    pub(crate) stage: Option<LeadStage>,
    /// The pages that are known, by name.
    pub(crate) spans: Spans<(Option<LeadStage>, String), NameCursor>,
    pub(crate) shown: Option<ContactId>,
    pub(crate) form: Option<ContactForm>,
    /// Whether deletion was asked for and waits for a second click.
    pub(crate) deleting: bool,
    /// Who is looked for, to be one with the one that is shown.
    pub(crate) merging: Option<Merging>,
    pub(crate) timeline: TimelineState,
}

impl ContactsState {
    /// Shows one of them, and nothing that was begun with another one.
    pub(crate) fn show(&mut self, contact: Option<ContactId>) {
        self.shown = contact;
        self.form = None;
        self.deleting = false;
        self.merging = None;
    }
}

/// Two people who become one.
#[derive(Debug, Default)]
pub(crate) struct Merging {
    pub(crate) picker: Picker,
    /// Who goes into the one that is shown, once found; it waits for a second click.
    pub(crate) other: Option<(ContactId, String)>,
}

/// A record that is looked for.
#[derive(Debug, Default)]
pub(crate) struct Picker {
    pub(crate) text: String,
    /// Whether the field has had the keyboard.
    pub(crate) focused: bool,
}

/// Who is looked for, to say that a call is with them.
#[derive(Debug)]
pub(crate) struct CallerState {
    pub(crate) call: CallId,
    pub(crate) picker: Picker,
    /// Whether the number becomes one of theirs.
    pub(crate) keep_number: bool,
}

/// The menu of what the agent does.
#[derive(Debug, Default)]
pub(crate) struct AgentMenu {
    pub(crate) open: bool,
    /// Whether its first line takes the keyboard in the next frame.
    pub(crate) focus: bool,
    /// A reason for a break that is being typed.
    pub(crate) reason: String,
}

/// What is said of guesses.
#[derive(Debug, Default)]
pub(crate) struct GuessesState {
    /// The guess that is somebody else's, while they are looked for.
    pub(crate) assigning: Option<(HintId, Picker)>,
}

/// A contact being written.
#[derive(Debug, Clone)]
pub(crate) struct ContactForm {
    pub(crate) row: ContactRow,
    pub(crate) organization: String,
    pub(crate) role: String,
    pub(crate) email: String,
    pub(crate) problem: Option<&'static str>,
    /// Whether the name takes the keyboard in the next frame.
    pub(crate) focus: bool,
}

/// The organizations.
#[derive(Debug, Default)]
pub(crate) struct OrganizationsState {
    pub(crate) search: String,
    /// The pages that are known, by name.
    pub(crate) spans: Spans<String, NameCursor>,
    pub(crate) name: String,
    pub(crate) renaming: Option<(OrganizationId, String)>,
    pub(crate) shown: Option<OrganizationId>,
    pub(crate) form: Option<OrganizationForm>,
    /// Whether deletion was asked for and waits for a second click.
    pub(crate) deleting: bool,
    pub(crate) timeline: TimelineState,
}

/// An organization being written.
#[derive(Debug, Clone)]
pub(crate) struct OrganizationForm {
    pub(crate) row: OrganizationRow,
    pub(crate) problem: Option<&'static str>,
    /// Whether the name takes the keyboard in the next frame.
    pub(crate) focus: bool,
}

/// The tickets.
#[derive(Debug, Default)]
pub(crate) struct TicketsState {
    pub(crate) filter: TicketFilter,
    pub(crate) search: String,
    /// Where the pages after the first one begin.
    pub(crate) pages: Vec<(Timestamp, TicketId)>,
    /// What the pages belong to.
    pub(crate) pages_of: (TicketFilter, String),
    pub(crate) shown: Option<TicketId>,
    /// The title while it is typed.
    pub(crate) title: Option<String>,
    /// A note that is being typed.
    pub(crate) article: String,
    /// Whether deletion was asked for and waits for a second click.
    pub(crate) deleting: bool,
    pub(crate) timeline: TimelineState,
}

impl TicketsState {
    /// Shows one of them.
    pub(crate) fn open(&mut self, ticket: TicketId) {
        self.shown = Some(ticket);
        self.title = None;
        self.deleting = false;
        self.article.clear();
    }
}

/// The tasks.
#[derive(Debug, Default)]
pub(crate) struct TasksState {
    pub(crate) done: bool,
    /// A task that is being typed, and when it is due.
    pub(crate) title: String,
    pub(crate) due: Due,
}

/// The days that the statistics count, up to today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Period {
    /// Today alone.
    Today,
    /// Seven days.
    #[default]
    Week,
    /// Thirty days.
    Month,
}

/// What the statistics plot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Plotted {
    /// Calls by the hour of the day.
    #[default]
    Calls,
    /// How many of them were answered.
    AnswerRate,
    /// How long was talked and written, by queue.
    Times,
}

/// Figures that go to a file.
#[derive(Debug, Default)]
pub(crate) struct FiguresExport {
    /// The file, while it is being asked for.
    pub(crate) file: Option<String>,
    /// Whether it gets a line for each hour, not for each queue.
    pub(crate) hours: bool,
    /// What was asked for last, so that what became of it is told.
    pub(crate) asked: Option<FiguresTable>,
}

/// When something is due, as it is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Due {
    /// Some day.
    #[default]
    Never,
    /// This evening.
    Today,
    /// Tomorrow morning.
    Tomorrow,
    /// On Monday morning.
    NextWeek,
}

/// What happened around a record.
#[derive(Debug, Default)]
pub(crate) struct TimelineState {
    /// Around which.
    pub(crate) about: Option<Subject>,
    /// A note that is being typed.
    pub(crate) note: String,
    /// The note of which deletion was asked for.
    pub(crate) deleting: Option<NoteId>,
    /// Where the earlier pages that are shown begin.
    pub(crate) earlier: Vec<TimelineCursor>,
}

/// The settings.
#[derive(Debug, Default)]
pub(crate) struct SettingsState {
    pub(crate) tab: SettingsTab,
    pub(crate) routing: RoutingState,
    pub(crate) form: Option<AccountForm>,
    pub(crate) support: SupportState,
    /// Where settings of an administrator are, as it is typed.
    pub(crate) provisioning: String,
    pub(crate) removing: Option<AccountId>,
    /// Texts that are being typed and not saved yet.
    pub(crate) region: Option<Unsaved>,
    pub(crate) record_dir: Option<Unsaved>,
    pub(crate) hold_music: Option<Unsaved>,
    /// Volumes of microphone, speaker and ringer whose sliders are being dragged.
    pub(crate) volumes: [Option<u32>; 3],
    pub(crate) recording_announcement: Option<Unsaved>,
    pub(crate) silence_limit: Option<Unsaved>,
    pub(crate) ladder_days: Option<Unsaved>,
    pub(crate) name_servers: Option<Unsaved>,
    pub(crate) rtp_ports: Option<Unsaved>,
    pub(crate) answer_key: Option<Unsaved>,
    pub(crate) decline_key: Option<Unsaved>,
    /// A colleague being written, and why the last try was refused.
    pub(crate) colleague: Colleague,
    pub(crate) colleague_problem: Option<String>,
}

/// An account that is written down at the first start.
#[derive(Debug, Default)]
pub(crate) struct FirstRunState {
    pub(crate) address: String,
    pub(crate) password: PasswordField,
    /// Whether a file may hold the password where there is no keyring.
    pub(crate) consent: bool,
    pub(crate) problem: Option<FormProblem>,
}

/// The support bundle on its way to a file.
#[derive(Debug, Default)]
pub(crate) struct SupportState {
    /// Whether people's names and numbers stay in it.
    pub(crate) people: bool,
    /// Whether it was asked for and is not there yet.
    pub(crate) gathering: bool,
    /// Which of its files is shown.
    pub(crate) open: usize,
    /// Where it goes.
    pub(crate) file: Option<String>,
}

/// An account being written.
#[derive(Debug)]
pub(crate) struct AccountForm {
    pub(crate) id: Option<AccountId>,
    pub(crate) account: Account,
    pub(crate) password: PasswordField,
    pub(crate) turn_password: PasswordField,
    pub(crate) has_password: bool,
    /// Of which user at which TURN server a password is stored.
    pub(crate) turn_secret: Option<String>,
    pub(crate) consent: bool,
    /// The session timer as it is typed.
    pub(crate) session_timer: String,
    pub(crate) problem: Option<FormProblem>,
}

/// Why a form was not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FormProblem {
    /// The name of the field that it is about; none for several.
    pub(crate) field: Option<&'static str>,
    pub(crate) sentence: String,
    /// Whether the field has still to be brought into sight.
    pub(crate) fresh: bool,
}

/// A setting that was typed and is not saved.
#[derive(Debug, Default)]
pub(crate) struct Unsaved {
    pub(crate) text: String,
    /// Why it cannot be, once the keyboard has left it.
    pub(crate) refused: Option<FormProblem>,
}

/// The page with a call's SIP messages.
#[derive(Debug)]
pub(crate) struct LadderState {
    pub(crate) call: CallId,
    /// Which messages show their text, counted from the first.
    pub(crate) open: BTreeSet<usize>,
    /// The file to export to, while it is being asked for.
    pub(crate) file: Option<String>,
    /// Whether an export was asked for here, so that what became of it is told.
    pub(crate) exported: bool,
}

impl LadderState {
    /// The page of a call, with all messages closed.
    pub(crate) fn of(call: CallId) -> Self {
        Self {
            call,
            open: BTreeSet::new(),
            file: None,
            exported: false,
        }
    }
}

/// A password while it is typed: it never prints itself.
#[derive(Default)]
pub(crate) struct PasswordField(pub(crate) String);

impl std::fmt::Debug for PasswordField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordField(..)")
    }
}

/// The call card.
#[derive(Debug, Default)]
pub(crate) struct CardState {
    /// Which of several calls is shown.
    pub(crate) shown: Option<CallId>,
    pub(crate) keypad: bool,
    /// The digits sent so far.
    pub(crate) digits: String,
    /// Whether a target is asked for to transfer the call to, and what was typed.
    pub(crate) transfer: bool,
    pub(crate) transfer_to: String,
    /// Whether the target has had the keyboard since it is asked for.
    pub(crate) transfer_focused: bool,
    /// The live calls of the last frame, to notice new ones.
    pub(crate) known: Vec<CallId>,
    pub(crate) wrap_up: WrapUpState,
}

/// What is said of a call after its end, as it is typed.
#[derive(Debug, Default)]
pub(crate) struct WrapUpState {
    /// Of which call.
    pub(crate) call: Option<CallId>,
    pub(crate) call_type: Option<String>,
    pub(crate) follow_up: String,
    pub(crate) due: Due,
    pub(crate) keep_ticket: bool,
    /// Whether it was to be saved without a call type that is asked for.
    pub(crate) refused: bool,
}

/// Notes as they are typed.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) drafts: BTreeMap<CallId, Draft>,
}

impl Notes {
    /// What was typed and not sent yet; it counts as sent from now on.
    pub(crate) fn take_unsent(&mut self) -> Vec<Command> {
        let unsent = self.drafts.iter_mut();
        unsent
            .filter(|(_, draft)| draft.text != draft.sent)
            .map(|(call, draft)| {
                draft.sent.clone_from(&draft.text);
                Command::Notes(*call, draft.text.clone())
            })
            .collect()
    }
}

/// One call's notes.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) text: String,
    /// What the engine was told last.
    pub(crate) sent: String,
    /// What the engine showed last.
    pub(crate) seen: Option<String>,
    pub(crate) sent_at: Option<Instant>,
}
