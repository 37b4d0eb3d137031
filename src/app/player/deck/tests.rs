use super::*;

fn call(number: u8) -> CallId {
    CallId::new(1, [number; 10])
}

fn head() -> Head {
    Head {
        path: "/r/call.wav".into(),
        length: Duration::from_secs(60),
        gaps: Vec::new(),
        cut: false,
    }
}

fn stage(deck: &Deck) -> PlayerStage {
    deck.view().unwrap().stage
}

fn played(from: u64, speed: u32) -> Vec<Step> {
    vec![Step::Sound(PlayerOrder::Play {
        path: "/r/call.wav".into(),
        from: Duration::from_secs(from),
        speed,
    })]
}

/// A player that shows a recording of a minute.
fn loaded() -> Deck {
    let mut deck = Deck::default();
    let open = PlayerWish::Open {
        call: call(1),
        play: false,
    };
    assert_eq!(deck.wish(open, None), [Step::Find(1, call(1))]);
    let found = Found::File("/r/call.wav".into());
    let steps = deck.handle_found(1, Ok(found));
    assert_eq!(steps, [Step::Read(1, "/r/call.wav".into())]);
    assert_eq!(stage(&deck), PlayerStage::Loading);
    assert_eq!(deck.handle_head(1, Ok(head()), None), []);
    assert_eq!(stage(&deck), PlayerStage::Paused);
    deck
}

#[test]
fn it_plays_jumps_changes_its_speed_and_begins_again_at_the_end() {
    let mut deck = loaded();
    assert_eq!(deck.wish(PlayerWish::Play, None), played(0, 100));
    assert!(!deck.handle_news(PlayerNews::At(Duration::from_secs(3))));
    assert_eq!(deck.view().unwrap().at, Duration::from_secs(3));
    assert_eq!(deck.wish(PlayerWish::Speed(150), None), played(3, 150));
    let seek = PlayerWish::Seek(Duration::from_secs(20));
    assert_eq!(deck.wish(seek, None), played(20, 150));
    let stop = [Step::Sound(PlayerOrder::Stop)];
    assert_eq!(deck.wish(PlayerWish::Pause, None), stop);
    // It was on its way.
    deck.handle_news(PlayerNews::At(Duration::from_secs(21)));
    assert_eq!(deck.view().unwrap().at, Duration::from_secs(20));
    let far = PlayerWish::Seek(Duration::from_secs(900));
    assert_eq!(deck.wish(far, None), []);
    assert_eq!(deck.view().unwrap().at, Duration::from_secs(60));
    assert_eq!(deck.wish(PlayerWish::Play, None), played(0, 150));
    assert!(deck.handle_news(PlayerNews::Ended));
    assert_eq!(stage(&deck), PlayerStage::Paused);
    assert_eq!(deck.wish(PlayerWish::Speed(170), None), []);
    assert_eq!(deck.view().unwrap().speed, 150);
    let volume = [Step::Sound(PlayerOrder::Volume(100))];
    assert_eq!(deck.wish(PlayerWish::Volume(900), None), volume);
}

#[test]
fn a_call_stops_it_and_it_waits_for_the_agent_afterwards() {
    let mut deck = loaded();
    assert_eq!(deck.silence("a call rings"), []);
    deck.wish(PlayerWish::Play, None);
    deck.handle_news(PlayerNews::At(Duration::from_secs(9)));
    let stop = [Step::Sound(PlayerOrder::Stop)];
    assert_eq!(deck.silence("a call rings"), stop);
    let view = deck.view().unwrap();
    assert_eq!(view.stage, PlayerStage::Paused);
    assert_eq!(view.note.as_deref(), Some("a call rings"));
    assert_eq!(deck.wish(PlayerWish::Play, Some("in a call")), []);
    assert_eq!(deck.view().unwrap().note.as_deref(), Some("in a call"));
    assert_eq!(deck.wish(PlayerWish::Play, None), played(9, 100));
    assert_eq!(deck.view().unwrap().note, None);
}

#[test]
fn what_comes_for_another_recording_comes_too_late() {
    let mut deck = loaded();
    deck.wish(PlayerWish::Play, None);
    let open = PlayerWish::Open {
        call: call(2),
        play: true,
    };
    let close = Step::Sound(PlayerOrder::Close);
    assert_eq!(
        deck.wish(open, None),
        [close.clone(), Step::Find(2, call(2))]
    );
    assert_eq!(deck.request(), 2);
    assert_eq!(deck.handle_head(1, Ok(head()), None), []);
    let waveform = WaveformView {
        parts: 1,
        near: [1].into(),
        far: [1].into(),
    };
    deck.handle_waveform(1, waveform.clone());
    assert_eq!(deck.view().unwrap().waveform, None);
    assert!(!deck.handle_news(PlayerNews::Ended));
    // The one that is wanted plays as soon as it can.
    deck.handle_found(2, Ok(Found::File("/r/call.wav".into())));
    assert_eq!(deck.handle_head(2, Ok(head()), None), played(0, 100));
    deck.handle_waveform(2, waveform.clone());
    assert_eq!(deck.view().unwrap().waveform, Some(waveform));
    assert_eq!(deck.wish(PlayerWish::Close, None), [close]);
    assert_eq!(deck.wish(PlayerWish::Close, None), []);
    assert_eq!(deck.view(), None);
}

#[test]
fn what_is_wrong_with_a_recording_is_told_and_tried_again() {
    let mut deck = loaded();
    deck.wish(PlayerWish::Play, None);
    assert!(deck.handle_news(PlayerNews::Failed("it went away".to_owned())));
    assert_eq!(stage(&deck), PlayerStage::Failed("it went away".to_owned()));
    assert_eq!(deck.wish(PlayerWish::Play, None), [Step::Find(2, call(1))]);
    deck.handle_found(2, Err("the call log is closed".to_owned()));
    assert!(matches!(stage(&deck), PlayerStage::Failed(_)));
    deck.wish(PlayerWish::Play, None);
    deck.handle_found(3, Ok(Found::None));
    assert_eq!(stage(&deck), PlayerStage::None);
    assert_eq!(deck.wish(PlayerWish::Play, None), []);
    let mut deck = loaded();
    let cut = Head {
        cut: true,
        ..head()
    };
    deck.handle_head(1, Ok(cut), None);
    assert!(
        deck.view()
            .unwrap()
            .note
            .unwrap()
            .contains("the end is missing")
    );
}

#[test]
fn one_that_a_server_keeps_is_fetched_when_it_is_wanted_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let web = || Found::Web {
        address: "https://pbx.example/a.wav".to_owned(),
        host: "pbx.example".to_owned(),
    };
    let mut deck = Deck::default();
    let open = PlayerWish::Open {
        call: call(1),
        play: false,
    };
    deck.wish(open, None);
    assert_eq!(deck.handle_found(1, Ok(web())), []);
    let fetch = Step::Fetch(1, "https://pbx.example/a.wav".to_owned());
    assert_eq!(
        deck.wish(PlayerWish::Play, None),
        std::slice::from_ref(&fetch)
    );
    assert_eq!(deck.wish(PlayerWish::Play, None), [], "once");
    deck.handle_fetching(1, 500, Some(1_000));
    let fetching = PlayerStage::Fetching {
        host: "pbx.example".to_owned(),
        got: 500,
        whole: Some(1_000),
    };
    assert_eq!(stage(&deck), fetching);
    assert_eq!(deck.handle_fetched(1, Err("it broke off".to_owned())), []);
    let PlayerStage::Remote { problem, .. } = stage(&deck) else {
        panic!("{deck:?}");
    };
    assert_eq!(problem.as_deref(), Some("it broke off"));
    assert_eq!(deck.wish(PlayerWish::Play, None), [fetch]);
    let (file, _) = FetchedFile::create(folder.path(), call(1)).unwrap();
    let path = file.path().to_owned();
    assert!(path.exists());
    let steps = deck.handle_fetched(1, Ok(file));
    assert_eq!(steps, [Step::Read(1, path.clone())]);
    assert_eq!(deck.handle_head(1, Ok(head()), None), played(0, 100));
    deck.wish(PlayerWish::Close, None);
    assert!(!path.exists(), "it goes with the player");
    // Nobody waits any more for what is on its way.
    let open = PlayerWish::Open {
        call: call(1),
        play: true,
    };
    deck.wish(open, None);
    assert_eq!(deck.handle_found(2, Ok(web())).len(), 1);
    deck.wish(PlayerWish::Close, None);
    let (file, _) = FetchedFile::create(folder.path(), call(1)).unwrap();
    let path = file.path().to_owned();
    assert_eq!(deck.handle_fetched(2, Ok(file)), []);
    assert!(!path.exists());
}
