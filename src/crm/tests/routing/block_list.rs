//! Who is blocked, in which spellings, and what becomes of the calls.

use super::*;

#[test]
fn a_blocked_number_is_known_in_all_its_spellings() {
    let desk = Desk::open();
    for text in ["030 1234567", "101", "sip:spam@example.org", "anonymous"] {
        desk.routed(RoutingChange::Block(entry(text)));
    }
    for (caller, blocked) in [
        ("+49301234567", Some("030 1234567")),
        ("0049 (0)30 / 1234567", Some("030 1234567")),
        ("sip:0301234567@trunk.example.net", Some("030 1234567")),
        ("0301234568", None),
        ("sip:101@pbx", Some("101")),
        ("1011", None),
        ("sip:SPAM@example.org:5070", Some("sip:spam@example.org")),
        ("sip:spam@example.com", None),
        ("anonymous", Some("")),
        ("sip:anonymous@anonymous.invalid", Some("")),
    ] {
        assert_eq!(desk.blocks(caller).as_deref(), blocked, "{caller}");
    }
}

#[test]
fn a_beginning_blocks_what_begins_so_and_nothing_else() {
    let desk = Desk::open();
    for text in [
        "+33 9*",
        "0900*",
        "+49 30 1234*",
        "0049 30 12345*",
        "sip:bot-*",
    ] {
        desk.routed(RoutingChange::Block(entry(text)));
    }
    for (caller, blocked) in [
        ("+33912345678", Some("+33 9")),
        ("+33123456789", None),
        ("0900 3123456", Some("0900")),
        ("+49 900 3123456", Some("0900")),
        // Written at home it begins with 0900 as well; but it is another country's.
        ("+33 900 12 34 56", Some("+33 9")),
        ("+49301234067", Some("+49 30 1234")),
        ("+49301234567", Some("0049 30 12345")),
        ("sip:bot-17@example.org", Some("sip:bot-")),
        ("sip:robot-17@example.org", None),
    ] {
        assert_eq!(desk.blocks(caller).as_deref(), blocked, "{caller}");
    }
    // The number itself goes before every beginning.
    desk.routed(RoutingChange::Block(entry("030 1234567")));
    assert_eq!(desk.blocks("+49301234567").as_deref(), Some("030 1234567"));
}

#[test]
fn what_cannot_be_blocked_is_said() {
    let desk = Desk::open();
    desk.store.set_own_numbers(&["030 1234500".to_owned()]);
    for (row, says) in [
        (entry("+4*"), "would block too many"),
        (entry("0*"), "would block too many"),
        (entry("*"), "would block too many"),
        (entry(&format!("{}*", "1".repeat(100))), "too long"),
        (entry(""), "is no number"),
        (entry("+49 30 1234500"), "is a line of this phone"),
        (BlockedRow::typed("101", 404, "", second(0)), "486 or 603"),
    ] {
        let why = desk.refused(RoutingChange::Block(row));
        assert!(why.contains(says), "{why}");
    }
    assert_eq!(desk.tables().blocked, []);
    // Nor does a beginning shut out the own lines.
    desk.routed(RoutingChange::Block(entry("+4930*")));
    assert_eq!(desk.blocks("0301234500"), None);
    assert!(desk.blocks("0301234501").is_some());
}

#[test]
fn an_entry_counts_its_hits_and_keeps_them_when_it_changes() {
    let desk = Desk::open();
    let first = BlockedRow::typed("030 1234567", 603, "sells windows", second(1));
    let id = BlockId(desk.routed(RoutingChange::Block(first.clone())));
    for at in [10, 20] {
        desk.write(Write::CountBlocked(id, second(at)));
    }
    let counted = BlockedRow {
        id,
        hits: 2,
        last_hit: Some(second(20)),
        ..first
    };
    assert_eq!(desk.tables().blocked, std::slice::from_ref(&counted));
    let again = BlockedRow::typed("+49301234567", 486, "still does", second(30));
    assert_eq!(desk.routed(RoutingChange::Block(again)), id.0);
    let changed = BlockedRow {
        number: "+49301234567".to_owned(),
        status: 486,
        note: "still does".to_owned(),
        ..counted
    };
    assert_eq!(desk.tables().blocked, [changed]);
    desk.routed(RoutingChange::Unblock(id));
    // A call that it refused a moment ago.
    desk.write(Write::CountBlocked(id, second(40)));
    assert_eq!(desk.blocks("+49301234567"), None);
    assert_eq!(
        desk.try_change(RoutingChange::Unblock(id)),
        Err(StoreError::Missing("entry of the block list"))
    );
}

#[test]
fn a_blocked_call_is_in_the_log_and_nobody_calls_it_back() {
    let desk = Desk::open();
    let id = desk.insert(&inbound(1, "030 1234567"));
    desk.change(
        id,
        CallChange::Ended {
            state: CallState::Blocked,
            at: second(2),
            waiting_millis: 10,
            talking_millis: None,
            sip_status: Some(603),
            end_reason: "refused by the block list (030 1234567)".to_owned(),
            done: true,
        },
    );
    assert_eq!(desk.call(id).state, CallState::Blocked);
    assert_eq!(desk.to_call_back(), 0);
}
