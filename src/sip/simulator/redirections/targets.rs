//! Whom a redirected call goes to: the order of the targets, what is not followed, and the limits
//! against circles and endless chains.

use std::time::Duration;

use super::{CAROL, DAVE, answer, follow, next_invite, offered, settles, uri, why_not};
use crate::sip::EndedBy;
use crate::sip::message::Method;
use crate::sip::simulator::bench::Caller;

#[test]
fn targets_are_called_in_order_until_one_refuses_for_all() {
    let contacts = [
        "<sip:last@10.0.0.209>;q=0.1",
        "<sip:carol@10.0.0.203:5060>",
        "<sip:gone@name.invalid>;q=0.7",
        "<sip:dave@10.0.0.204:5060>;q=0.5",
    ];
    for (code, end) in [(486, None), (603, Some((EndedBy::Remote, 603)))] {
        let mut caller = Caller::new();
        let bench = &mut caller.bench;
        answer(bench, &caller.invite, 302, &contacts);
        let first = follow(bench, caller.session).unwrap();
        assert_eq!(first.uri().unwrap().to_string(), CAROL);
        answer(bench, &first, code, &[]);
        assert_eq!(bench.ended(), end, "{code}");
        let Some(second) = next_invite(bench, caller.session) else {
            assert!(end.is_some());
            settles(bench);
            continue;
        };
        // A name that leads nowhere was passed over on the way.
        assert_eq!(second.uri().unwrap().to_string(), DAVE);
        assert_eq!(second.cseq(), Some((4, Method::Invite)));
        // No answer at all is a failure too.
        bench.wait(Duration::from_secs(33));
        let third = next_invite(bench, caller.session).unwrap();
        assert_eq!(third.uri().unwrap().to_string(), "sip:last@10.0.0.209");
        answer(bench, &third, 480, &[]);
        assert_eq!(bench.ended(), Some((EndedBy::Remote, 480)), "the last word");
        settles(bench);
    }
}

#[test]
fn nobody_is_called_twice_and_no_more_than_ten_in_all() {
    // Two that send to each other.
    let mut caller = Caller::new();
    let bench = &mut caller.bench;
    answer(bench, &caller.invite, 302, &["<sip:carol@10.0.0.203:5060>"]);
    let second = follow(bench, caller.session).unwrap();
    answer(bench, &second, 302, &["<sip:x@10.0.0.200:5070>"]);
    assert_eq!(bench.ended(), Some((EndedBy::Remote, 302)));
    assert!(why_not(bench).contains("circle"), "{}", why_not(bench));
    settles(bench);
    // A chain without an end.
    let mut caller = Caller::new();
    let bench = &mut caller.bench;
    let mut invite = caller.invite.clone();
    let mut hops = 0;
    loop {
        let next = format!("<sip:hop{hops}@10.0.0.203:5060>");
        answer(bench, &invite, 302, &[&next]);
        if bench.ended().is_some() {
            break;
        }
        invite = follow(bench, caller.session).unwrap();
        hops += 1;
    }
    assert_eq!(hops, 10);
    assert!(
        why_not(bench).contains("more than 10"),
        "{}",
        why_not(bench)
    );
    settles(bench);
    // More than that at once.
    let mut caller = Caller::new();
    let bench = &mut caller.bench;
    let many: Vec<String> = (0..30).map(|n| format!("<sip:{n}@10.0.0.203>")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    answer(bench, &caller.invite, 302, &many);
    assert_eq!(offered(bench)[0].len(), 10);
    // What an owner adds of its own is held to the same.
    let twice = vec![uri(CAROL); 40];
    let now = bench.now;
    bench
        .endpoint
        .follow_redirection(now, caller.session, &twice)
        .unwrap();
    let only = next_invite(bench, caller.session).unwrap();
    answer(bench, &only, 486, &[]);
    assert_eq!(bench.ended(), Some((EndedBy::Remote, 486)));
    settles(bench);
}

#[test]
fn a_second_redirection_goes_before_the_targets_that_wait() {
    let mut caller = Caller::new();
    let bench = &mut caller.bench;
    let both = [
        "<sip:carol@10.0.0.203:5060>",
        "<sip:dave@10.0.0.204:5060>;q=0.5",
    ];
    answer(bench, &caller.invite, 302, &both);
    let first = follow(bench, caller.session).unwrap();
    answer(
        bench,
        &first,
        302,
        &["<sip:eve@10.0.0.205>", "<sip:dave@10.0.0.204:5060>"],
    );
    assert_eq!(
        offered(bench)[1],
        ["sip:eve@10.0.0.205"],
        "Dave waits already"
    );
    let second = follow(bench, caller.session).unwrap();
    assert_eq!(second.uri().unwrap().to_string(), "sip:eve@10.0.0.205");
    // 305 is not followed; who waits is called all the same.
    answer(bench, &second, 305, &["<sip:proxy@10.0.0.66>"]);
    assert!(why_not(bench).contains("outbound proxy"));
    let third = next_invite(bench, caller.session).unwrap();
    assert_eq!(third.uri().unwrap().to_string(), DAVE);
}

#[test]
fn what_is_not_followed_ends_the_call_and_says_why() {
    for (code, contacts, why) in [
        (305, &["<sip:proxy@10.0.0.66>"][..], "outbound proxy"),
        (380, &["<sip:other@10.0.0.66>"], "another service"),
        (302, &[], "names no address"),
        (302, &["<mailto:carol@example.com>"], "names no address"),
    ] {
        let mut caller = Caller::new();
        let bench = &mut caller.bench;
        answer(bench, &caller.invite, code, contacts);
        assert_eq!(bench.ended(), Some((EndedBy::Remote, code)));
        assert!(offered(bench).is_empty());
        assert!(why_not(bench).contains(why), "{code}: {}", why_not(bench));
        settles(bench);
    }
}
