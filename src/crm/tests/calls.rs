//! A call's life in the log, paging, search, and whom to call back.

use super::*;
use crate::crm::calls::INTERRUPTED;
use crate::crm::row::{
    CallCursor, CallFilter, CallPage, InterruptedCall, MatchLevel, RecordingGap, RecordingGapCause,
};

fn page(desk: &Desk, filter: CallFilter, search: &str) -> CallPage {
    wait(desk.store.calls(filter, search, None, 100)).unwrap()
}

fn ids(page: &CallPage) -> Vec<CallId> {
    page.rows.iter().map(|row| row.id).collect()
}

#[test]
fn a_call_is_written_answered_held_and_ended() {
    let desk = Desk::open();
    let id = desk.insert(&CallRow {
        remote_name: Some("Some Body".to_owned()),
        sip_call_id: Some("a@b".to_owned()),
        ..inbound(1, "sip:+49301234567@example.com")
    });
    let ringing = desk.call(id);
    assert_eq!(ringing.state, CallState::Ringing);
    assert_eq!(ringing.e164.as_deref(), Some("+49301234567"));
    assert_eq!(ringing.started_at, second(1));

    desk.change(id, answered(5));
    desk.change(id, CallChange::Held(true));
    assert_eq!(desk.call(id).state, CallState::Held);
    desk.change(id, CallChange::Held(false));
    let talking = desk.call(id);
    assert_eq!(talking.state, CallState::InProgress);
    assert_eq!(talking.answered_at, Some(second(5)));
    assert_eq!(talking.waiting_millis, Some(4000));

    desk.change(id, ended(CallState::Completed, 65));
    let over = desk.call(id);
    assert_eq!(over.state, CallState::Completed);
    assert_eq!(over.ended_at, Some(second(65)));
    assert_eq!(over.talking_millis, Some(60_000));
    assert_eq!(over.sip_status, Some(200));
    assert_eq!(over.end_reason.as_deref(), Some("the far end hung up"));
    assert!(over.done);
}

#[test]
fn notes_recording_and_choice_are_taken_after_the_end() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0171 2345678");
    let id = desk.insert(&missed(1, "0301234567"));
    desk.change(id, CallChange::Notes("call again".to_owned()));
    desk.change(id, CallChange::Recording("/tmp/a.wav".to_owned()));
    desk.change(id, CallChange::Subject(Some(Subject::Contact(anna))));
    desk.change(id, CallChange::Done(true));
    let call = desk.call(id);
    assert_eq!(call.notes, "call again");
    assert_eq!(call.recording.as_deref(), Some("/tmp/a.wav"));
    assert_eq!(call.contact, Some(anna));
    assert!(call.done);
}

#[test]
fn late_and_repeated_events_change_nothing() {
    let desk = Desk::open();
    let id = desk.insert(&inbound(1, "0301234567"));
    desk.end(id, CallState::NoAnswer, 9);
    let before = desk.call(id);
    desk.change(id, answered(10));
    desk.change(id, CallChange::Held(true));
    desk.end(id, CallState::Completed, 99);
    desk.insert(&CallRow {
        remote: "other".to_owned(),
        ..inbound(1, "0301234567")
    });
    assert_eq!(desk.call(id), before);
}

#[test]
fn what_a_peer_names_itself_is_kept_within_limits() {
    let desk = Desk::open();
    let id = desk.insert(&CallRow {
        remote_name: Some("ü".repeat(60_000)),
        sip_call_id: Some("\0\n'\";--".to_owned()),
        ..inbound(1, &format!("sip:{}@example.com", "a".repeat(60_000)))
    });
    let call = desk.call(id);
    assert_eq!(call.remote.len(), 512);
    assert_eq!(call.remote_name, Some("ü".repeat(512)));
    assert_eq!(call.sip_call_id.as_deref(), Some("\0\n'\";--"));
    let found = desk.identify(&format!("sip:{}@example.com", "a".repeat(60_000)));
    assert!(found.display_number.len() <= 512);
    assert!(found.no_match.unwrap().len() < 1024);
}

#[test]
fn a_change_to_a_call_that_is_not_there_says_so() {
    let desk = Desk::open();
    let refused = wait(desk.store.write(Write::ChangeCall(call_id(9), answered(1))));
    assert_eq!(refused, Err(StoreError::Missing("call")));
    assert_eq!(wait(desk.store.call(call_id(9))), Ok(None));
}

#[test]
fn calls_that_a_crash_left_open_are_interrupted_at_the_next_start() {
    let desk = Desk::open();
    let ringing = desk.insert(&inbound(1, "0301234567"));
    let talking = desk.insert(&outbound(2, "0307654321"));
    desk.change(talking, answered(7));
    let over = desk.insert(&missed(3, "0301234567"));
    let desk = desk.again();
    let ringing = desk.call(ringing);
    assert_eq!(ringing.state, CallState::Interrupted);
    assert_eq!(ringing.ended_at, Some(second(1)));
    assert_eq!(ringing.end_reason.as_deref(), Some(INTERRUPTED));
    assert!(!ringing.done, "nobody answered it");
    let talking = desk.call(talking);
    assert_eq!(talking.state, CallState::Interrupted);
    assert_eq!(talking.ended_at, Some(second(7)));
    assert!(talking.done);
    assert_eq!(desk.call(over).state, CallState::NoAnswer);
}

#[test]
fn the_log_is_read_page_by_page_newest_first() {
    let desk = Desk::open();
    for number in 1..=25 {
        // Five calls begin in each second.
        desk.insert(&CallRow {
            started_at: second(i64::try_from(number / 5).unwrap()),
            ..missed(number, &format!("030 12345{number:02}"))
        });
    }
    let mut after: Option<CallCursor> = None;
    let mut seen = Vec::new();
    loop {
        let page = wait(desk.store.calls(CallFilter::All, "", after, 10)).unwrap();
        assert_eq!(page.total, 25);
        seen.extend(ids(&page));
        after = page.next;
        if after.is_none() {
            break;
        }
        // A call that comes while one turns the pages moves nothing.
        let new = 100 + u64::try_from(seen.len()).unwrap();
        if seen.len() == 10 {
            desk.insert(&missed(new, "0309999999"));
            let again = wait(desk.store.calls(CallFilter::All, "", after, 10)).unwrap();
            assert_eq!(again.total, 26);
            seen.extend(ids(&again));
            after = again.next;
            let last = wait(desk.store.calls(CallFilter::All, "", after, 10)).unwrap();
            seen.extend(ids(&last));
            assert_eq!(last.next, None);
            break;
        }
    }
    let expected: Vec<CallId> = (1..=25).rev().map(call_id).collect();
    assert_eq!(seen, expected);
}

/// A search lost everything behind a row that was gone when the next page was asked for.
#[test]
fn a_page_goes_on_behind_a_call_that_is_gone() {
    let desk = Desk::open();
    for number in 1..=4 {
        desk.insert(&missed(number, "030 1234567"));
    }
    for search in ["", "1234567"] {
        let first = wait(desk.store.calls(CallFilter::All, search, None, 1)).unwrap();
        let gone = first.rows[0].id.to_string();
        rusqlite::Connection::open(desk.folder.path().join(crate::crm::open::DATABASE))
            .unwrap()
            .execute("DELETE FROM calls WHERE id = ?1", [gone])
            .unwrap();
        let next = wait(desk.store.calls(CallFilter::All, search, first.next, 9)).unwrap();
        assert_eq!(
            u64::try_from(next.rows.len()).unwrap(),
            next.total,
            "{search:?}"
        );
    }
}

#[test]
fn filters_show_what_they_name() {
    let desk = Desk::open();
    let missed_one = desk.insert(&missed(1, "0301234567"));
    let out = desk.insert(&outbound(2, "0307654321"));
    let elsewhere = desk.insert(&CallRow {
        state: CallState::AnsweredElsewhere,
        ..missed(3, "0303333333")
    });
    let blocked = desk.insert(&CallRow {
        state: CallState::Blocked,
        ..missed(4, "0304444444")
    });
    let declined = desk.insert(&CallRow {
        state: CallState::Rejected,
        done: true,
        ..missed(5, "0305555555")
    });
    let ringing = desk.insert(&inbound(6, "0306666666"));
    let shown = |filter| {
        let page = page(&desk, filter, "");
        assert_eq!(page.total, u64::try_from(page.rows.len()).unwrap());
        ids(&page)
    };
    assert_eq!(
        shown(CallFilter::All),
        [ringing, declined, blocked, elsewhere, out, missed_one]
    );
    assert_eq!(
        shown(CallFilter::Inbound),
        [ringing, declined, blocked, elsewhere, missed_one]
    );
    assert_eq!(shown(CallFilter::Outbound), [out]);
    assert_eq!(shown(CallFilter::Missed), [declined, missed_one]);
    assert_eq!(shown(CallFilter::ToCallBack), [missed_one]);
}

#[test]
fn a_search_finds_names_organizations_and_numbers_by_beginning_or_end() {
    let desk = Desk::open();
    let mut anna = contact("Anna Müller-Lüdenscheidt", &[("Mobile", "0171 2345678")]);
    anna.organization_name = Some("Example Werke".to_owned());
    desk.save(&anna);
    let known = desk.insert(&inbound(1, "+491712345678"));
    let unknown = desk.insert(&CallRow {
        remote_name: Some("Front Desk".to_owned()),
        ..outbound(2, "sip:bob.jones@pbx.example.org")
    });
    let found = |search| ids(&page(&desk, CallFilter::All, search));
    for search in [
        "ann",
        "muller",
        "MÜLL",
        "lüden",
        "anna müller",
        "exam werke",
        "0171",
        "+49 171",
        "0049171",
        "345678",
        "171 234",
    ] {
        assert!(found(search).contains(&known), "{search}");
    }
    for search in [
        "anna schmidt",
        "0172",
        "xy",
        "a* OR b",
        "NEAR(a b)",
        "name:anna",
    ] {
        assert!(!found(search).contains(&known), "{search}");
    }
    for search in ["front", "bob", "jones", "pbx.example"] {
        assert_eq!(found(search), [unknown], "{search}");
    }
    assert_eq!(page(&desk, CallFilter::Outbound, "anna").total, 0);
    assert_eq!(page(&desk, CallFilter::Inbound, "anna").total, 1);
}

#[test]
fn a_search_turns_pages_too() {
    let desk = Desk::open();
    desk.contact("Anna", "0171 2345678");
    for number in 1..=30 {
        let remote = if number % 2 == 0 {
            "01712345678"
        } else {
            "0301234567"
        };
        desk.insert(&missed(number, remote));
    }
    let first = wait(desk.store.calls(CallFilter::All, "anna", None, 10)).unwrap();
    let second = wait(desk.store.calls(CallFilter::All, "anna", first.next, 10)).unwrap();
    let mut seen = ids(&first);
    seen.extend(ids(&second));
    let expected: Vec<CallId> = (1..=15).rev().map(|half| call_id(half * 2)).collect();
    assert_eq!(seen, expected);
    assert_eq!((first.total, second.next), (15, None));
}

/// A search lists calls as they were written: one that was entered for last year stood before all others.
#[test]
fn a_search_has_calls_that_were_entered_later_where_they_began() {
    let desk = Desk::open();
    desk.contact("Anna", "0171 2345678");
    for number in 10..=20 {
        desk.insert(&missed(number, "01712345678"));
    }
    for (number, began) in [(30, 15), (31, 1)] {
        desk.insert(&CallRow {
            started_at: second(began),
            by_hand: true,
            ..missed(number, "01712345678")
        });
    }
    let expected = [20, 19, 18, 17, 16, 30, 15, 14, 13, 12, 11, 10, 31].map(call_id);
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = wait(desk.store.calls(CallFilter::All, "anna", after, 3)).unwrap();
        assert_eq!(page.total, 13);
        seen.extend(ids(&page));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, expected);
    for few in [1, 5, 6, 7, 12, 13, 20] {
        let found = desk.read(move |reader| reader.search("anna", few)).calls;
        let found: Vec<CallId> = found.into_iter().map(|call| call.id).collect();
        assert_eq!(found, expected[..few.min(expected.len())]);
    }
}

/// It read all calls that the search found, for seconds.
#[test]
fn a_search_among_those_to_call_back_has_the_newest_of_each_number() {
    let desk = Desk::open();
    desk.contact("Anna", "0171 2345678");
    desk.contact("Anna Bauer", "030 7654321");
    desk.insert(&outbound(1, "01712345678"));
    for number in 2..=4 {
        desk.insert(&missed(number, "01712345678"));
    }
    desk.insert(&missed(5, "0307654321"));
    desk.insert(&missed(6, "0301111111"));
    let found = |search| {
        let page = page(&desk, CallFilter::ToCallBack, search);
        (ids(&page), page.total)
    };
    assert_eq!(found("anna"), (vec![call_id(5), call_id(4)], 2));
    assert_eq!(found("anna bauer"), (vec![call_id(5)], 1));
    assert_eq!(found("0171"), (vec![call_id(4)], 1));
    desk.change(call_id(4), CallChange::Done(true));
    assert_eq!(found("anna"), (vec![call_id(5)], 1));
    for number in [5, 6] {
        desk.change(call_id(number), CallChange::Done(true));
    }
    assert_eq!(found("anna"), (Vec::new(), 0));
}

#[test]
fn each_number_waits_for_one_call_back() {
    let desk = Desk::open();
    for number in 1..=3 {
        desk.insert(&missed(number, "0301234567"));
    }
    desk.insert(&missed(4, "+49 30 7654321"));
    desk.insert(&missed(5, "anonymous"));
    assert_eq!(desk.to_call_back(), 2);
    let entries = page(&desk, CallFilter::ToCallBack, "");
    assert_eq!(ids(&entries), [call_id(4), call_id(3)]);
    assert_eq!((entries.total, entries.waiting), (2, vec![1, 3]));
    // What is marked done in the list does not come back with an older call.
    desk.change(call_id(3), CallChange::Done(true));
    assert_eq!(ids(&page(&desk, CallFilter::ToCallBack, "")), [call_id(4)]);
    desk.change(call_id(3), CallChange::Done(false));
    assert_eq!(desk.to_call_back(), 2);
}

#[test]
fn talking_with_a_number_settles_its_earlier_missed_calls() {
    // What happens after two missed calls, and whether they are settled by it.
    type After = fn(&Desk);
    let cases: [(&str, After, bool); 6] = [
        (
            "we call back and talk",
            |desk| {
                let id = desk.insert(&outbound(10, "+49 30 1234567"));
                desk.change(id, answered(12));
                desk.end(id, CallState::Completed, 70);
            },
            true,
        ),
        (
            "they call again and talk",
            |desk| {
                let id = desk.insert(&inbound(10, "sip:0301234567@pbx"));
                desk.change(id, answered(12));
                desk.end(id, CallState::Completed, 70);
            },
            true,
        ),
        (
            "we call back in vain",
            |desk| {
                let id = desk.insert(&outbound(10, "0301234567"));
                desk.end(id, CallState::NoAnswer, 70);
            },
            false,
        ),
        (
            "we talk with somebody else",
            |desk| {
                let id = desk.insert(&outbound(10, "0301234568"));
                desk.change(id, answered(12));
                desk.end(id, CallState::Completed, 70);
            },
            false,
        ),
        (
            "they are still talking",
            |desk| {
                let id = desk.insert(&inbound(10, "0301234567"));
                desk.change(id, answered(12));
            },
            false,
        ),
        (
            "the row of a talk comes late and whole",
            |desk| {
                desk.insert(&CallRow {
                    state: CallState::Completed,
                    answered_at: Some(second(12)),
                    ended_at: Some(second(70)),
                    ..outbound(10, "0301234567")
                });
            },
            true,
        ),
    ];
    for (case, after, settled) in cases {
        let desk = Desk::open();
        for number in 1..=2 {
            let id = desk.insert(&inbound(number, "0301234567"));
            desk.end(id, CallState::NoAnswer, 9);
        }
        // A call of later is none of their business.
        desk.insert(&missed(20, "0301234567"));
        after(&desk);
        for number in 1..=2 {
            assert_eq!(desk.call(call_id(number)).done, settled, "{case}");
        }
        assert!(!desk.call(call_id(20)).done, "{case}");
    }
}

#[test]
fn a_call_links_to_everybody_who_shares_its_number() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    let bert = desk.contact("Bert", "+49 30 1234567");
    desk.contact("Carl", "0891234567");
    let id = desk.insert(&inbound(1, "0301234567"));
    let links = wait(desk.store.links(id)).unwrap();
    let linked: Vec<_> = links
        .iter()
        .map(|link| (link.subject.contact().unwrap(), link.level))
        .collect();
    assert_eq!(
        linked,
        [(anna, MatchLevel::Known), (bert, MatchLevel::Known)]
    );
    assert_eq!(desk.call(id).contact, None, "nobody chose yet");
    assert_eq!(page(&desk, CallFilter::All, "").total, 1);
    desk.change(id, CallChange::Subject(Some(Subject::Contact(bert))));
    let links = wait(desk.store.links(id)).unwrap();
    assert_eq!(
        (links[0].subject.contact().unwrap(), links[0].level),
        (bert, MatchLevel::Manual)
    );
    let call = desk.call(id);
    assert_eq!(call.contact_name.as_deref(), Some("Bert"));
    assert_eq!(call.level, Some(MatchLevel::Manual));
}

#[test]
fn a_call_that_was_not_identified_in_time_shows_its_only_contact() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    desk.contact("Weak", "0891234567");
    let id = desk.insert(&inbound(1, "0301234567"));
    let call = desk.call(id);
    assert_eq!(call.contact, Some(anna));
    assert_eq!(call.contact_name.as_deref(), Some("Anna"));
    assert_eq!(
        call.match_reason.as_deref(),
        Some("same number in international form, \"Mobile\"")
    );
}

#[test]
fn who_answered_for_somebody_else_is_kept() {
    let desk = Desk::open();
    let id = desk.insert(&inbound(1, "0301234567"));
    for who in ["Bea (201)", &"x".repeat(5000)] {
        desk.change(id, CallChange::AnsweredBy(who.to_owned()));
        let kept = desk.call(id).answered_by.unwrap();
        assert!(who.starts_with(&kept) && kept.len() < 1000, "{kept}");
    }
}

#[test]
fn a_redirected_call_stays_the_one_of_the_dialled_number_and_says_where_it_went() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    let id = desk.insert(&inbound(1, "0301234567"));
    assert_eq!(desk.call(id).redirected_to, None);
    for to in ["+4989123456", &"x".repeat(5000)] {
        desk.change(id, CallChange::RedirectedTo(to.to_owned()));
        let call = desk.call(id);
        let kept = call.redirected_to.unwrap();
        assert!(to.starts_with(&kept) && kept.len() < 1000, "{kept}");
        assert_eq!(
            (call.contact, call.remote.as_str()),
            (Some(anna), "0301234567")
        );
    }
    let whole = CallRow {
        redirected_to: Some("sip:carol@example.com".to_owned()),
        ..inbound(2, "0301234567")
    };
    let second = desk.insert(&whole);
    let kept = desk.call(second).redirected_to;
    assert_eq!(kept.as_deref(), Some("sip:carol@example.com"));
}

#[test]
fn the_gaps_of_a_recording_stay_with_the_call() {
    let desk = Desk::open();
    let id = desk.insert(&inbound(1, "0301234567"));
    assert_eq!(desk.call(id).recording_gaps, []);
    let gap = |start_millis, length_millis| RecordingGap {
        cause: RecordingGapCause::Paused,
        start_millis,
        length_millis,
    };
    let lost = RecordingGap {
        cause: RecordingGapCause::DiskBehind,
        ..gap(9_000, Some(1))
    };
    for gaps in [
        vec![gap(1_500, None)],
        vec![gap(1_500, Some(20)), lost],
        vec![],
    ] {
        desk.change(id, CallChange::RecordingGaps(gaps.clone()));
        assert_eq!(desk.call(id).recording_gaps, gaps);
    }
    // Before other causes were known all were pauses.
    let before = r#"{"start_millis": 1500, "length_millis": 20}"#;
    let before: RecordingGap = serde_json::from_str(before).unwrap();
    assert_eq!(before, gap(1_500, Some(20)));
}

#[test]
fn interrupted_calls_are_found_among_the_newest_with_their_recordings() {
    let desk = Desk::open();
    let [cut_off, recorded, over] =
        [1, 2, 3].map(|number| desk.insert(&inbound(number, "0301234567")));
    desk.change(recorded, CallChange::Recording("2.wav".to_owned()));
    desk.change(over, ended(CallState::Completed, 9));
    let found = |desk: &Desk| wait(desk.store.lately_interrupted()).unwrap();
    assert_eq!(found(&desk), [], "it lives still");
    let desk = desk.again();
    let expected = [(recorded, Some("2.wav")), (cut_off, None)].map(|(id, file)| InterruptedCall {
        id,
        recording: file.map(str::to_owned),
    });
    assert_eq!(found(&desk), expected);
}

/// Few matches are read at once, and many from their newest end: what is found is the same.
#[test]
fn a_search_is_paged_alike_whether_it_finds_few_or_many() {
    let desk = Desk::open();
    let mut expected = Vec::new();
    for number in 1..=45 {
        let mut row = inbound(number, &format!("0301234{number:03}"));
        let name = if number % 5 == 0 {
            "Schneiderling"
        } else {
            "Anna Schneider"
        };
        row.remote_name = Some(name.to_owned());
        expected.push((desk.insert(&row), number % 5 == 0));
    }
    expected.reverse();
    for (search, both) in [
        ("schneider", true),
        ("Schneiderl", false),
        ("0301 schneiderl", false),
        ("0301234", true),
        ("493012340", true),
    ] {
        let expected: Vec<CallId> = (expected.iter())
            .filter(|(_, rare)| both || *rare)
            .map(|(id, _)| *id)
            .collect();
        let (mut counted, mut plain, mut after) = (Vec::new(), Vec::new(), None);
        loop {
            let page = wait(desk.store.calls(CallFilter::All, search, after, 4)).unwrap();
            let search = search.to_owned();
            let (rows, next) =
                desk.read(move |reader| reader.call_rows(CallFilter::All, &search, after, 4));
            // So many are counted in a test.
            assert_eq!(page.total, u64::try_from(expected.len().min(20)).unwrap());
            assert_eq!(page.next, next);
            counted.extend(page.rows.iter().map(|row| row.id));
            plain.extend(rows.iter().map(|row| row.id));
            after = next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(counted, expected, "{search}");
        assert_eq!(plain, expected, "{search}");
    }
}
