//! A far end's wish to send a call elsewhere, which the agent grants or not.

use std::time::{Duration, Instant};

use egui::Ui;

use crate::control::{CallView, Command, RedirectionView, ReferralView};
use crate::ui::scene::Scene;
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, Look, framed_ui, half_width, paragraph_ui};
use crate::ui::{format, person, text};

/// A question that has just appeared is not answered by a click that was meant for something else.
const TOO_SOON: Duration = Duration::from_millis(500);

/// A question with two answers.
struct Question<'q> {
    words: String,
    /// The exact addresses.
    uris: &'q [String],
    caution: Option<&'q str>,
    asked: Instant,
    yes: (&'static str, Command),
    no: (&'static str, Command),
}

/// Draws the wish to be transferred, in a call.
pub(crate) fn referral_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    call: &CallView,
    wish: &ReferralView,
) {
    let question = Question {
        words: text::transfer_question(&wish.by, &wish.to),
        uris: std::slice::from_ref(&wish.uri),
        caution: wish.caution.as_deref(),
        asked: wish.asked,
        yes: (text::ALLOW_TRANSFER, Command::AnswerReferral(call.id, true)),
        no: (
            text::REFUSE_TRANSFER,
            Command::AnswerReferral(call.id, false),
        ),
    };
    question_ui(ui, scene, question);
}

/// Draws the wish to be called elsewhere, and where a call was sent.
pub(crate) fn redirection_ui(ui: &mut Ui, scene: &mut Scene<'_>, call: &CallView) {
    if let Some(to) = &call.redirected_to {
        let muted = Theme::of(ui).colours.muted;
        paragraph_ui(ui, &text::redirected_to(to), SMALL, muted);
    }
    let Some(wish) = &call.redirection else {
        return;
    };
    let RedirectionView {
        status,
        to,
        uris,
        caution,
        asked,
    } = wish;
    let question = Question {
        words: text::redirection_question(*status, &person::of_call(call).title, to),
        uris,
        caution: caution.as_deref(),
        asked: *asked,
        yes: (
            text::ALLOW_REDIRECTION,
            Command::AnswerRedirection(call.id, true),
        ),
        no: (
            text::REFUSE_REDIRECTION,
            Command::AnswerRedirection(call.id, false),
        ),
    };
    question_ui(ui, scene, question);
}

fn question_ui(ui: &mut Ui, scene: &mut Scene<'_>, question: Question<'_>) {
    let theme = Theme::of(ui);
    let soon = scene.now.mono.saturating_duration_since(question.asked) < TOO_SOON;
    framed_ui(ui, |ui| {
        let ink = theme.colours.text;
        paragraph_ui(ui, &question.words, font(13.0, Weight::Medium), ink);
        for uri in question.uris {
            paragraph_ui(ui, uri, SMALL, theme.colours.muted);
        }
        if let Some(caution) = question.caution {
            let caution = format::sentence(caution);
            paragraph_ui(ui, &caution, BODY, theme.colours.warn.text);
        }
        ui.horizontal(|ui| {
            let half = half_width(ui);
            for ((words, command), look) in
                [(question.yes, Look::Primary), (question.no, Look::Outlined)]
            {
                let button = Button::new(words).look(look).width(half).enabled(!soon);
                if button.show(ui).clicked() {
                    scene.send(command);
                }
            }
        });
    });
    if soon {
        ui.ctx().request_repaint_after(TOO_SOON);
    }
}
