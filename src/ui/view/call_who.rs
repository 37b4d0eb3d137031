//! Why we think who it is, and the choice where it is not sure.

use egui::Ui;
use egui_material_icons::icons::{
    ICON_APARTMENT, ICON_LINK, ICON_PERSON_ADD, ICON_PERSON_SEARCH, ICON_TRENDING_UP,
};

use super::call_controls::reach;
use super::contacts::{self, People};
use super::goto::Goto;
use super::guesses::guesses_ui;
use super::organization_form;
use super::picker::{Found, Picked, picker_ui};
use crate::base::id::CallId;
use crate::control::{CallView, Command, RecordChange};
use crate::crm::row::{
    ContactEdit, ContactNumber, HintFilter, HintState, Match, MatchLevel, NumbersEdit,
    OrganizationEdit, Subject,
};
use crate::ui::display_text::shown_line;
use crate::ui::person::{self, Certainty, Person};
use crate::ui::scene::Scene;
use crate::ui::state::{CallerState, Picker, ViewState};
use crate::ui::theme::{SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, Look, choose_ui, line_ui, paragraph_ui, switch_ui};
use crate::ui::{format, keys, text};

/// So many candidates have a key.
const KEYED: usize = 9;

/// A call of which it is asked who it is with.
pub(crate) struct Asked<'a> {
    pub(crate) call: CallId,
    /// The number to keep with somebody.
    pub(crate) number: &'a str,
    /// The name that the far end gives itself.
    pub(crate) claim: Option<&'a str>,
    /// Everybody it may be, best first.
    pub(crate) candidates: &'a [Match],
    /// Whether Alt and a digit choose one.
    pub(crate) keyed: bool,
}

/// Draws the reason, the candidates, and the way to the record or to a new one.
pub(crate) fn who_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    call: &CallView,
    person: &Person<'_>,
) {
    let theme = Theme::of(ui);
    let why = if person.candidates.is_empty() {
        format::sentence(&person.why)
    } else {
        text::matched_by(&person.why)
    };
    paragraph_ui(ui, &why, SMALL, theme.colours.muted);
    if person.certainty == Certainty::LookingUp {
        return;
    }
    let number = reach(call);
    let asked = Asked {
        call: call.id,
        number: &number,
        claim: call.remote_name.as_deref(),
        candidates: person::open_question(call),
        keyed: true,
    };
    if !asked.candidates.is_empty() {
        candidates_ui(ui, scene, &asked);
    }
    match person.sure.map(|sure| sure.subject) {
        Some(subject) => {
            ui.horizontal(|ui| sure_ui(ui, state, &asked, subject));
        }
        None => stranger_ui(ui, state, &asked),
    }
    search_ui(ui, scene, state, &asked);
    ui.add_space(8.0);
}

/// The guesses for a number of which nobody said yet what they come to.
pub(crate) fn open_guesses_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    number: &str,
) {
    let of = HintFilter {
        state: Some(HintState::Open),
        number: Some(number.to_owned()),
        contact: None,
    };
    guesses_ui(ui, scene, &mut state.guesses, of);
}

/// Everybody it may be, numbered, each with why.
pub(crate) fn candidates_ui(ui: &mut Ui, scene: &mut Scene<'_>, asked: &Asked<'_>) {
    let theme = Theme::of(ui);
    line_ui(
        ui,
        text::WHO_IS_IT,
        font(12.0, Weight::Medium),
        theme.colours.text,
    );
    for (place, candidate) in asked.candidates.iter().enumerate() {
        let name = match &candidate.organization {
            Some(organization) => format!("{} · {organization}", candidate.name),
            None => candidate.name.clone(),
        };
        let number = place + 1;
        let keyed = asked.keyed && number <= KEYED;
        let key = keyed.then(|| keys::alt(number));
        let label = text::choose_nth(number, &shown_line(&name));
        let unsure = match candidate.level {
            MatchLevel::Manual | MatchLevel::Known => None,
            MatchLevel::Weak | MatchLevel::Maybe => Some(text::MAYBE),
        };
        let why = format::sentence(&candidate.reason);
        let choose = ui.push_id(place, |ui| {
            choose_ui(ui, &label, &why, unsure, key.as_deref())
        });
        if choose.inner.clicked() {
            scene.send(Command::ChooseCaller(asked.call, Some(candidate.subject)));
        }
    }
    let nobody = Button::new(text::NOBODY_OF_THESE)
        .look(Look::Bare)
        .width(ui.available_width());
    let zero = keys::alt(0);
    let nobody = if asked.keyed {
        nobody.key(&zero)
    } else {
        nobody
    };
    if nobody.show(ui).clicked() {
        scene.send(Command::ChooseCaller(asked.call, None));
    }
}

/// The way to who it is, and to say that it is somebody else.
pub(crate) fn sure_ui(ui: &mut Ui, state: &mut ViewState, asked: &Asked<'_>, subject: Subject) {
    let word = match subject {
        Subject::Contact(_) => Some(text::OPEN_CONTACT),
        Subject::Organization(_) => Some(text::OPEN_ORGANIZATION),
        Subject::Ticket(_) => None,
    };
    if let Some(word) = word
        && Button::new(word).show(ui).clicked()
    {
        Goto::Record(subject).open(state);
    }
    let open = is_open(state, asked);
    let look = if open { Look::Chosen } else { Look::Bare };
    let other = Button::icon_only(ICON_PERSON_SEARCH, text::SOMEBODY_ELSE).look(look);
    if other.show(ui).clicked() {
        toggle(state, asked, false);
    }
}

/// A new contact, lead or organization with the number, or somebody who is there already.
pub(crate) fn stranger_ui(ui: &mut Ui, state: &mut ViewState, asked: &Asked<'_>) {
    ui.horizontal_wrapped(|ui| {
        let create = Button::new(text::CREATE_CONTACT).icon(ICON_PERSON_ADD);
        if create.show(ui).clicked() {
            contacts::create(state, People::Contacts, asked.number, asked.claim);
        }
        // What is rarer is smaller: the notes below need the room.
        let lead = Button::icon_only(ICON_TRENDING_UP, text::CREATE_LEAD);
        if lead.show(ui).clicked() {
            contacts::create(state, People::Leads, asked.number, asked.claim);
        }
        let organization = Button::icon_only(ICON_APARTMENT, text::CREATE_ORGANIZATION);
        if organization.show(ui).clicked() {
            organization_form::create(state, asked.number, asked.claim);
        }
        let open = is_open(state, asked);
        let look = if open { Look::Chosen } else { Look::Outlined };
        // Who else has the number is no reason to give it to one more.
        let shared = !asked.candidates.is_empty();
        let (word, icon) = if shared {
            (text::SOMEBODY_ELSE, ICON_PERSON_SEARCH)
        } else {
            (text::ADD_TO_EXISTING, ICON_LINK)
        };
        let existing = Button::new(word).icon(icon).look(look);
        if existing.show(ui).clicked() {
            toggle(state, asked, !shared);
        }
    });
}

fn is_open(state: &ViewState, asked: &Asked<'_>) -> bool {
    let caller = state.caller.as_ref();
    caller.is_some_and(|caller| caller.call == asked.call)
}

fn toggle(state: &mut ViewState, asked: &Asked<'_>, keep_number: bool) {
    state.caller = (!is_open(state, asked)).then(|| CallerState {
        call: asked.call,
        picker: Picker::default(),
        keep_number,
    });
}

/// Looks for who it is, where that was asked for.
pub(crate) fn search_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    asked: &Asked<'_>,
) {
    let Some(caller) = state.caller.as_mut().filter(|it| it.call == asked.call) else {
        return;
    };
    let (question, all) = (text::WHO_IS_WITH, Found::Everybody);
    let picked = picker_ui(ui, scene, &mut caller.picker, question, all);
    switch_ui(ui, &mut caller.keep_number, text::KEEP_NUMBER);
    let keep = caller.keep_number;
    let Some(picked) = picked else { return };
    state.caller = None;
    let numbers = NumbersEdit {
        add: vec![ContactNumber {
            // One that is there already keeps its own.
            label: String::new(),
            raw: asked.number.to_owned(),
            e164: None,
        }],
        remove: Vec::new(),
    };
    let (subject, change) = match picked {
        Picked::Nobody => return,
        Picked::Contact(id, _) => {
            let edit = ContactEdit {
                numbers,
                ..ContactEdit::default()
            };
            let change = RecordChange::EditContact(id, Box::new(edit));
            (Subject::Contact(id), change)
        }
        Picked::Organization(id, _) => {
            let edit = OrganizationEdit {
                name: None,
                numbers,
            };
            let change = RecordChange::EditOrganization(id, edit);
            (Subject::Organization(id), change)
        }
    };
    if keep {
        scene.send(Command::ChangeRecords(change));
    }
    scene.send(Command::ChooseCaller(asked.call, Some(subject)));
}
