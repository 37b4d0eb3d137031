//! The agent's states: how long each lasted, and what a crash leaves.

use super::*;

fn totals(desk: &Desk, from: i64, to: i64, now: i64) -> Vec<(AgentState, String, u64, i64)> {
    let totals = desk
        .store
        .state_totals(second(from), second(to), second(now));
    let row = |it: StateTotal| (it.state, it.reason, it.times, it.millis / 1000);
    wait(totals).unwrap().into_iter().map(row).collect()
}

#[test]
fn the_time_in_each_state_is_summed_for_a_day() {
    let desk = Desk::open();
    let begin = |at, state, reason: &str| {
        desk.write(Write::AgentState(
            second(at),
            Some((state, reason.to_owned())),
        ));
    };
    begin(0, AgentState::Available, "");
    begin(100, AgentState::Break, "lunch");
    begin(160, AgentState::Available, "");
    begin(200, AgentState::Break, "lunch");
    begin(210, AgentState::Break, "training");
    desk.write(Write::AgentState(second(300), None));
    begin(1000, AgentState::Available, "");
    let owned = str::to_owned;
    assert_eq!(
        totals(&desk, 0, 2000, 1500),
        [
            (AgentState::Available, owned(""), 3, 100 + 40 + 500),
            (AgentState::Break, owned("lunch"), 2, 70),
            (AgentState::Break, owned("training"), 1, 90),
        ]
    );
    // What crosses the borders of the day counts for its part, and began on another one.
    assert_eq!(
        totals(&desk, 150, 205, 1500),
        [
            (AgentState::Available, owned(""), 1, 40),
            (AgentState::Break, owned("lunch"), 1, 15),
        ]
    );
    assert_eq!(totals(&desk, 400, 900, 1500), []);
}

/// The night from a crash to the next start would else count as work.
#[test]
fn a_state_that_a_crash_left_open_ends_with_the_last_thing_known() {
    let desk = Desk::open();
    let available = Some((AgentState::Available, String::new()));
    desk.write(Write::AgentState(second(0), available.clone()));
    desk.insert(&missed(40, "101"));
    let desk = desk.again();
    assert_eq!(totals(&desk, 0, 100_000, 100_000)[0].3, 50);
    // Without any call since, nothing is known but its beginning.
    desk.write(Write::AgentState(second(500), available));
    let desk = desk.again();
    assert_eq!(totals(&desk, 0, 100_000, 100_000)[0].3, 50);
}
