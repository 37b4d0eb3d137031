//! One ticket: its title, state and customer, its articles, and what happened around it.

use egui::{ScrollArea, Ui};
use egui_material_icons::icons::{
    ICON_ARROW_BACK, ICON_CONFIRMATION_NUMBER, ICON_DELETE, ICON_STICKY_NOTE_2,
};

use super::call_detail::fact_ui;
use super::goto::Goto;
use super::timeline::timeline_ui;
use super::waiting::waiting_ui;
use crate::base::id::{ArticleId, TicketId};
use crate::control::{Command, Page, PageRequest, RecordChange, WorkPage, WorkRequest};
use crate::crm::row::{ArticleKind, ArticleRow, ArticleSender, Subject, TicketRow, TicketState};
use crate::ui::display_text::clean_line;
use crate::ui::scene::Scene;
use crate::ui::state::{TicketsState, ViewState};
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, Field, Look, choice_ui, line_ui, paragraph_ui, pill_ui};
use crate::ui::{format, text};

/// A ticket that is not stored yet.
pub(crate) fn fresh(scene: &Scene<'_>) -> TicketRow {
    let agent = &scene.snapshot.settings.agent;
    TicketRow {
        id: TicketId(0),
        title: text::NEW_TICKET.to_owned(),
        state: TicketState::New,
        contact: None,
        contact_name: None,
        organization: None,
        organization_name: None,
        agent: (!agent.is_empty()).then(|| agent.clone()),
        created_at: scene.now.wall,
        updated_at: scene.now.wall,
        closed_at: None,
        articles: Vec::new(),
    }
}

/// Draws the ticket that is open, where it stands `alone` with a way back to the list.
pub(crate) fn ticket_detail_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    alone: bool,
) {
    let Some(id) = state.tickets.shown else {
        return;
    };
    if alone {
        let back = Button::new(text::BACK)
            .icon(ICON_ARROW_BACK)
            .look(Look::Bare);
        if back.show(ui).clicked() {
            state.tickets.shown = None;
            return;
        }
    }
    let page = scene.page(&PageRequest::Work(WorkRequest::Ticket(id)));
    let Some(Page::Work(WorkPage::Ticket(ticket))) = page.as_deref() else {
        waiting_ui(ui, page.as_deref(), ICON_CONFIRMATION_NUMBER);
        return;
    };
    let Some(ticket) = ticket else {
        state.tickets.shown = None;
        return;
    };
    let mut clicked = head_ui(ui, scene, &mut state.tickets, ticket);
    ui.separator();
    ScrollArea::vertical()
        .id_salt(ticket.id)
        .auto_shrink(false)
        .show(ui, |ui| {
            for article in &ticket.articles {
                let went = ui.push_id(article.id, |ui| article_ui(ui, scene, article));
                clicked = went.inner.or(clicked);
            }
            new_article_ui(ui, scene, &mut state.tickets, ticket.id);
            ui.add_space(8.0);
            let about = Subject::Ticket(ticket.id);
            let went = timeline_ui(ui, scene, &mut state.tickets.timeline, about);
            clicked = went.or(clicked);
        });
    if let Some(clicked) = clicked {
        clicked.open(state);
    }
}

fn head_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut TicketsState,
    ticket: &TicketRow,
) -> Option<Goto> {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        let number = text::ticket_number(ticket.id.0);
        line_ui(
            ui,
            &number,
            font(15.0, Weight::SemiBold),
            theme.colours.text,
        );
        let (word, _) = super::tickets::state_pill(ticket.state, theme);
        pill_ui(ui, word, None, |theme| {
            super::tickets::state_pill(ticket.state, theme).1
        });
    });
    title_field_ui(ui, scene, state, ticket);
    let states: Vec<_> = TicketState::ALL
        .iter()
        .map(|state| (*state, text::ticket_state(*state).to_owned()))
        .collect();
    if let Some(wanted) = choice_ui(ui, text::STATE, &ticket.state, &states) {
        save(
            scene,
            TicketRow {
                state: wanted,
                ..ticket.clone()
            },
        );
    }
    let mut clicked = None;
    match (ticket.contact, ticket.organization) {
        (Some(contact), _) => {
            let name = ticket.contact_name.clone().unwrap_or_default();
            if customer_ui(ui, &name) {
                clicked = Some(Goto::Record(Subject::Contact(contact)));
            }
        }
        (None, Some(organization)) => {
            let name = ticket.organization_name.clone().unwrap_or_default();
            if customer_ui(ui, &name) {
                clicked = Some(Goto::Record(Subject::Organization(organization)));
            }
        }
        (None, None) => fact_ui(ui, text::CUSTOMER, text::NO_CUSTOMER, false),
    }
    if let Some(agent) = &ticket.agent {
        fact_ui(ui, text::AGENT, agent, false);
    }
    let changed = format::when(ticket.updated_at, scene.now.wall, &scene.now.zone);
    fact_ui(ui, text::CHANGED, &changed, false);
    delete_ui(ui, scene, state, ticket.id);
    clicked
}

fn customer_ui(ui: &mut Ui, name: &str) -> bool {
    let name = clean_line(name);
    let label = format!("{}: {name}", text::CUSTOMER);
    let customer = Button::new(&label).look(Look::Outlined);
    customer.show(ui).clicked()
}

/// Saved when the keyboard leaves it.
fn title_field_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut TicketsState,
    ticket: &TicketRow,
) {
    let typed = state.title.get_or_insert_with(|| ticket.title.clone());
    let response = Field::labelled(text::TICKET_TITLE, typed).show(ui);
    if response.has_focus() {
        return;
    }
    let typed = typed.trim().to_owned();
    if response.lost_focus() && !typed.is_empty() && typed != ticket.title {
        save(
            scene,
            TicketRow {
                title: typed,
                ..ticket.clone()
            },
        );
    } else {
        // What somebody else wrote meanwhile is shown.
        state.title = None;
    }
}

fn save(scene: &mut Scene<'_>, row: TicketRow) {
    let row = TicketRow {
        updated_at: scene.now.wall,
        ..row
    };
    scene.send(Command::ChangeRecords(RecordChange::SaveTicket(Box::new(
        row,
    ))));
}

fn delete_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut TicketsState, ticket: TicketId) {
    ui.horizontal(|ui| {
        if state.deleting {
            let sure = Button::new(text::DELETE_SURE).look(Look::Danger);
            if sure.tooltip(text::DELETE_TICKET_WHY).show(ui).clicked() {
                let change = RecordChange::DeleteTicket(ticket);
                scene.send(Command::ChangeRecords(change));
                state.shown = None;
                state.deleting = false;
            }
            if Button::new(text::CANCEL).show(ui).clicked() {
                state.deleting = false;
            }
        } else if Button::new(text::DELETE)
            .icon(ICON_DELETE)
            .look(Look::Outlined)
            .show(ui)
            .clicked()
        {
            state.deleting = true;
        }
    });
    if state.deleting {
        let muted = Theme::of(ui).colours.muted;
        paragraph_ui(ui, text::DELETE_TICKET_WHY, SMALL, muted);
    }
}

fn article_ui(ui: &mut Ui, scene: &Scene<'_>, article: &ArticleRow) -> Option<Goto> {
    let theme = Theme::of(ui);
    let mut clicked = None;
    ui.horizontal(|ui| {
        let when = format::when(article.at, scene.now.wall, &scene.now.zone);
        let head = [
            text::article_kind(article.kind).to_owned(),
            clean_line(&article.author),
            when,
        ];
        let head: Vec<_> = head.into_iter().filter(|part| !part.is_empty()).collect();
        line_ui(ui, &head.join(" · "), SMALL, theme.colours.muted);
        if let Some(call) = article.call {
            let open = Button::new(text::OPEN_CALL).look(Look::Bare).height(24.0);
            if open.show(ui).clicked() {
                clicked = Some(Goto::Call(call));
            }
        }
    });
    paragraph_ui(ui, &article.body, BODY, theme.colours.text);
    ui.add_space(8.0);
    clicked
}

fn new_article_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut TicketsState, ticket: TicketId) {
    Field::named(text::ADD_NOTE, &mut state.article)
        .hint(text::NEW_NOTE_HINT)
        .rows(3)
        .show(ui);
    let typed = !state.article.trim().is_empty();
    let add = Button::new(text::ADD_NOTE)
        .icon(ICON_STICKY_NOTE_2)
        .enabled(typed)
        .show(ui);
    if add.clicked() && typed {
        let row = ArticleRow {
            id: ArticleId(0),
            at: scene.now.wall,
            kind: ArticleKind::Note,
            sender: ArticleSender::Agent,
            internal: true,
            author: scene.snapshot.settings.agent.clone(),
            body: std::mem::take(&mut state.article).trim().to_owned(),
            call: None,
        };
        let change = RecordChange::AddArticle(ticket, Box::new(row));
        scene.send(Command::ChangeRecords(change));
    }
}
