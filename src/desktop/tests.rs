use std::sync::Arc;

use crate::base::clock;
use crate::base::id::CallId;
use crate::control::{CallStage, CallView, MediaSecurity, RecordingView, Registration, Snapshot};
use crate::crm::row::{AgentState, CallDirection, Identification};
use crate::desktop::picture::{Picture, Standing};

/// A call that rings here, from a number that nobody has.
pub(super) fn call() -> CallView {
    CallView {
        id: CallId::new(1_700_000_000_000, [7; 10]),
        account: None,
        direction: CallDirection::Inbound,
        stage: CallStage::Ringing,
        remote: "+493012345678".to_owned(),
        remote_name: None,
        local: "sip:sam@pbx.example".to_owned(),
        diverted_from: None,
        queue: None,
        number_proof: None,
        identification: Some(Identification {
            no_match: None,
            matches: Vec::new(),
            strangers: Vec::new(),
            e164: Some("+493012345678".to_owned()),
            display_number: "+49 30 12345678".to_owned(),
            country: None,
            last_calls: Vec::new(),
            tickets: Vec::new(),
        }),
        chosen: None,
        nobody: false,
        opens: None,
        script: None,
        started: clock::monotonic_now(),
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
        answered_by: None,
        takes_place_of: None,
        referral: None,
        redirected_to: None,
        redirection: None,
    }
}

/// What the desktop sees of these calls.
pub(super) fn picture(calls: Vec<CallView>) -> Arc<Picture> {
    let snapshot = Snapshot {
        calls,
        ..Snapshot::default()
    };
    Arc::new(Picture::of(&snapshot, false))
}

#[test]
fn only_a_call_that_was_placed_or_answered_makes_the_agent_busy() {
    let of = |direction, stage| {
        let call = CallView {
            direction,
            stage,
            ..call()
        };
        picture(vec![call]).busy
    };
    use CallDirection::{Inbound, Outbound};
    assert!(!of(Inbound, CallStage::Ringing), "it only rings here");
    assert!(of(Outbound, CallStage::Calling) && of(Outbound, CallStage::Ringing));
    for stage in [CallStage::Talking, CallStage::Held, CallStage::HeldByRemote] {
        assert!(of(Inbound, stage), "{stage:?}");
    }
    for stage in [CallStage::Ending, CallStage::Ended] {
        assert!(!of(Outbound, stage), "{stage:?}");
    }
}

#[test]
fn a_call_that_does_not_pop_up_is_not_told_either() {
    let quiet = CallView {
        no_popup: Some("on a break".to_owned()),
        ..call()
    };
    assert_eq!(picture(vec![quiet]).ringing.len(), 0);
    let picture = picture(vec![call()]);
    assert_eq!(picture.ringing.len(), 1);
    assert_eq!(picture.standing, Standing::Rings);
}

#[test]
fn the_standing_is_the_most_urgent_thing() {
    let mut snapshot = Snapshot::default();
    let standing = |snapshot: &Snapshot| Picture::of(snapshot, false).standing;
    assert_eq!(
        standing(&snapshot),
        Standing::Ready,
        "direct calls reach it"
    );
    snapshot.agent.state = AgentState::Break;
    assert_eq!(standing(&snapshot), Standing::Away);
    snapshot.accounts = vec![crate::control::AccountView {
        id: crate::base::id::AccountId(0),
        account: crate::config::Account::default(),
        has_password: true,
        has_turn_password: false,
        registration: Registration::Registering { why: None },
    }];
    assert_eq!(standing(&snapshot), Standing::NoConnection);
    snapshot.accounts[0].registration = Registration::Registered;
    snapshot.agent.state = AgentState::DoNotDisturb;
    assert_eq!(standing(&snapshot), Standing::DoNotDisturb);
    snapshot.calls = vec![CallView {
        stage: CallStage::Talking,
        ..call()
    }];
    assert_eq!(standing(&snapshot), Standing::InCall);
}
