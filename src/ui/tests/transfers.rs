//! Transfers on the call card.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;

use super::call_card::{known, with};
use super::fixture::{Rows, call_id, desk, ringing, start, talking};
use crate::control::{CallStage, CallView, Command, RedirectionView, ReferralView, TransferTo};
use crate::crm::row::CallDirection;

#[test]
fn a_wish_of_the_far_end_is_a_question_with_the_exact_address() {
    let mut call = talking(1, known());
    call.referral = Some(ReferralView {
        to: "Carol".to_owned(),
        uri: "sip:carol@example.com".to_owned(),
        by: "bob".to_owned(),
        attended: false,
        caution: Some("a transfer asks for an international number".to_owned()),
        asked: start() - std::time::Duration::from_secs(5),
    });
    let mut shown = desk(with(call), Rows::default(), |_| {});
    shown.get_by_label("bob wants you to talk with Carol instead");
    shown.get_by_label("sip:carol@example.com");
    shown.get_by_label_contains("international");
    shown.get_by_label("Stay here").click();
    shown.run_steps(2);
    let sent = shown.state_mut().sent();
    assert!(
        matches!(sent.as_slice(), [Command::AnswerReferral(_, false)]),
        "{sent:?}"
    );
}

/// Who asks and hangs up at once still waits where the agent is to call.
#[test]
fn a_wish_to_be_transferred_stays_when_its_call_ends() {
    let mut call = talking(1, known());
    call.stage = CallStage::Ended;
    call.referral = Some(ReferralView {
        to: "Carol".to_owned(),
        uri: "sip:carol@example.com".to_owned(),
        by: "bob".to_owned(),
        attended: false,
        caution: None,
        asked: start() - std::time::Duration::from_secs(5),
    });
    let mut shown = desk(with(call), Rows::default(), |_| {});
    shown.get_by_label("bob wants you to talk with Carol instead");
    shown.get_by_label("Call them").click();
    shown.run_steps(2);
    let sent = shown.state_mut().sent();
    assert!(
        matches!(sent.as_slice(), [Command::AnswerReferral(_, true)]),
        "{sent:?}"
    );
}

#[test]
fn a_call_that_is_sent_elsewhere_asks_first_and_then_says_where_it_goes() {
    let call = CallView {
        direction: CallDirection::Outbound,
        stage: CallStage::Calling,
        answered: None,
        redirection: Some(RedirectionView {
            status: 302,
            to: "Carol".to_owned(),
            uris: vec![
                "sip:carol@example.com".to_owned(),
                "sip:dave@example.com".to_owned(),
            ],
            caution: Some("a redirection asks for an international number".to_owned()),
            asked: start() - std::time::Duration::from_secs(5),
        }),
        ..talking(1, known())
    };
    for (label, wanted) in [("Call there", true), ("Do not call", false)] {
        let mut shown = desk(with(call.clone()), Rows::default(), |_| {});
        shown.get_by_label_contains("asks to call Carol instead (302)");
        shown.get_by_label("sip:carol@example.com");
        shown.get_by_label("sip:dave@example.com");
        shown.get_by_label_contains("international");
        shown.get_by_label(label).click();
        shown.run_steps(2);
        let sent = shown.state_mut().sent();
        let [Command::AnswerRedirection(_, yes)] = sent.as_slice() else {
            panic!("{sent:?}")
        };
        assert_eq!(*yes, wanted);
    }
    let gone = CallView {
        redirection: None,
        redirected_to: Some("sip:carol@example.com".to_owned()),
        ..call
    };
    let shown = desk(with(gone), Rows::default(), |_| {});
    shown.get_by_label("redirected to sip:carol@example.com");
}

#[test]
fn a_click_that_was_meant_for_something_else_sends_no_call_elsewhere() {
    let mut call = talking(1, known());
    call.stage = CallStage::Calling;
    call.redirection = Some(RedirectionView {
        status: 302,
        to: "Carol".to_owned(),
        uris: vec!["sip:carol@example.com".to_owned()],
        caution: None,
        asked: start(),
    });
    let mut shown = desk(with(call), Rows::default(), |_| {});
    shown.get_by_label("Do not call").click();
    shown.run_steps(2);
    let sent = shown.state_mut().sent();
    assert!(sent.is_empty(), "{sent:?}");
}

#[test]
fn who_answered_in_place_of_the_one_that_was_called_stands_on_the_card() {
    let mut call = talking(1, known());
    call.answered_by = Some("Carol (+14155550199)".to_owned());
    let shown = desk(with(call), Rows::default(), |_| {});
    shown.get_by_label("answered by Carol (+14155550199)");
}

#[test]
fn a_call_that_wants_the_place_of_another_says_whose() {
    let first = talking(1, known());
    let mut claimant = ringing(2, Vec::new());
    claimant.takes_place_of = Some(first.id);
    let claimant_id = claimant.id;
    let mut snapshot = with(first);
    snapshot.calls.push(claimant);
    let claimed = claimant_id;
    let shown = desk(snapshot, Rows::default(), move |state| {
        state.card.shown = Some(claimed);
    });
    shown.get_by_label("Answering ends the call with Amelia Hart: this caller takes its place");
}

#[test]
fn a_call_is_transferred_by_key_number_and_button() {
    let mut shown = desk(with(talking(1, known())), Rows::default(), |_| {});
    shown.key_press_modifiers(Modifiers::COMMAND, Key::T);
    shown.run_steps(2);
    shown.get_by_label("Transfer to").focus();
    shown.run_steps(2);
    shown.get_by_label("Transfer to").type_text("+14155550199");
    shown.run_steps(2);
    shown.get_by_label("Transfer now").click();
    shown.run_steps(2);
    let sent = shown.state_mut().sent();
    let [
        Command::Transfer {
            to: TransferTo::Address(to),
            ..
        },
    ] = sent.as_slice()
    else {
        panic!("{sent:?}")
    };
    assert_eq!(to, "+14155550199");
}

#[test]
fn a_consult_call_is_completed_or_taken_back() {
    let mut first = talking(1, known());
    first.stage = CallStage::Held;
    let mut consult = talking(2, Vec::new());
    consult.consult_for = Some(call_id(1));
    let mut snapshot = with(first);
    snapshot.calls.push(consult);
    let mut shown = desk(snapshot, Rows::default(), |state| {
        state.card.shown = Some(call_id(2));
        state.card.known = vec![call_id(1), call_id(2)];
    });
    shown.get_by_label("Back to caller");
    shown.get_by_label("Complete transfer").click();
    shown.run_steps(2);
    let sent = shown.state_mut().sent();
    let [
        Command::Transfer {
            call,
            to: TransferTo::Call(other),
            ..
        },
    ] = sent.as_slice()
    else {
        panic!("{sent:?}")
    };
    assert_eq!((*call, *other), (call_id(1), call_id(2)));
}
