//! Who would see a call now, and why: decided as a real call is.

use egui::Ui;
use egui_material_icons::icons::{ICON_CAMPAIGN, ICON_VOICE_OVER_OFF};
use jiff::Timestamp;

use crate::control::{Page, PageRequest, PopupQuestion, WorkPage, WorkRequest};
use crate::crm::row::{PopupDecision, QueueRow, RoutingTables};
use crate::ui::routing_state::PreviewForm;
use crate::ui::scene::Scene;
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::view::call_detail::fact_ui;
use crate::ui::widget::{FORM, Field, choice_ui, line_ui, paragraph_ui, pill_ui};
use crate::ui::{format, text};

/// Draws the question and its answer.
pub(super) fn preview_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    form: &mut PreviewForm,
    tables: &RoutingTables,
) {
    let theme = Theme::of(ui);
    line_ui(
        ui,
        text::PREVIEW,
        font(15.0, Weight::SemiBold),
        theme.colours.text,
    );
    ui.add_space(4.0);
    ui.scope(|ui| {
        ui.set_max_width(FORM.min(ui.available_width()));
        let mut lines = vec![(None, text::PREVIEW_OWN_LINE.to_owned())];
        let queues = tables.queues.iter();
        lines.extend(queues.map(|queue| (Some(queue.id), queue.name.clone())));
        if let Some(queue) = choice_ui(ui, text::PREVIEW_CALLED, &form.queue, &lines) {
            form.queue = queue;
        }
        Field::labelled(text::PREVIEW_CALLER, &mut form.caller)
            .hint(text::PREVIEW_CALLER_HINT)
            .show(ui);
    });
    let mut queues = tables.queues.iter();
    let queue = queues.find(|queue| Some(queue.id) == form.queue);
    // Nobody's number, so that an empty field is no withheld one.
    let caller = match form.caller.trim() {
        "" => NOBODYS,
        typed => typed,
    };
    match decided(scene, queue, caller) {
        Ok(Some(decision)) => decision_ui(ui, &decision),
        Ok(None) => {
            line_ui(ui, text::LOADING, SMALL, theme.colours.muted);
        }
        Err(why) => {
            let why = format::sentence(&why);
            paragraph_ui(ui, &why, SMALL, theme.colours.bad.text);
        }
    }
}

/// A caller whom no entry of the block list means: a name that no number and no beginning fits.
const NOBODYS: &str = "sip:somebody@preview.invalid";

/// Who is scheduled for a queue now; none while that is read.
pub(super) fn scheduled_now(scene: &Scene<'_>, queue: &QueueRow) -> Option<Vec<String>> {
    let decision = decided(scene, Some(queue), NOBODYS).ok().flatten()?;
    Some(decision.scheduled)
}

fn decided(
    scene: &Scene<'_>,
    queue: Option<&QueueRow>,
    caller: &str,
) -> Result<Option<PopupDecision>, String> {
    let snapshot = &scene.snapshot;
    let accounts = snapshot.accounts.first();
    let line = accounts.map(|view| view.account.address.clone());
    let line = line.unwrap_or_default();
    let number = queue.and_then(|queue| queue.numbers.first());
    // A star may stand for nothing.
    let called = number.map_or_else(|| line.clone(), |number| number.replace('*', ""));
    let second = scene.now.wall.as_second();
    let question = PopupQuestion {
        caller: caller.to_owned(),
        line,
        called,
        // The same all through a minute, so that it is decided once.
        at: Timestamp::from_second(second - second.rem_euclid(60)).unwrap_or(scene.now.wall),
        popups: snapshot.settings.popups,
        presence: snapshot.agent.clone(),
    };
    let request = WorkRequest::Preview(Box::new(question));
    match scene.page(&PageRequest::Work(request)).as_deref() {
        Some(Page::Work(WorkPage::Preview(decision))) => Ok(Some(decision.as_ref().clone())),
        Some(Page::Failed(why)) => Err(why.clone()),
        Some(_) | None => Ok(None),
    }
}

fn decision_ui(ui: &mut Ui, decision: &PopupDecision) {
    let theme = Theme::of(ui);
    if decision.shown {
        pill_ui(ui, text::WOULD_POP_UP, Some(ICON_CAMPAIGN), |theme| {
            theme.colours.good
        });
    } else {
        let icon = Some(ICON_VOICE_OVER_OFF);
        pill_ui(ui, text::WOULD_NOT_POP_UP, icon, |theme| theme.colours.warn);
    }
    ui.add_space(4.0);
    let names = |names: &[String]| match names {
        [] => text::NOBODY.to_owned(),
        names => names.join(", "),
    };
    let shown = if decision.shown && decision.to.is_empty() {
        text::THIS_PHONE_ITSELF.to_owned()
    } else {
        names(&decision.to)
    };
    fact_ui(ui, text::SHOWN_TO, &shown, false);
    if decision.queue.is_some() {
        let scheduled = names(&decision.scheduled);
        fact_ui(ui, text::SCHEDULED, &scheduled, false);
    }
    fact_ui(ui, text::WITH_THIS_LINE, &names(&decision.matching), false);
    for reason in &decision.reasons {
        let reason = format!("• {}", format::sentence(reason));
        paragraph_ui(ui, &reason, BODY, theme.colours.muted);
    }
}
