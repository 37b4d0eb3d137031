//! Calls that were made elsewhere, and entered by hand afterwards.

use super::*;
use crate::crm::row::{CallCriteria, CallCursor, CallFilter};

impl Desk {
    /// What a search finds in the order of its pages.
    fn searched(
        &self,
        filter: CallFilter,
        criteria: &CallCriteria,
        search: &'static str,
    ) -> Vec<CallId> {
        let (mut seen, mut after) = (Vec::new(), None::<CallCursor>);
        loop {
            let criteria = criteria.clone();
            let read = self.store.read(move |reader| {
                if criteria.is_empty() {
                    reader.call_rows(filter, search, after, 3)
                } else {
                    reader.calls_where(filter, &criteria, search, after, 3)
                }
            });
            let (rows, next) = wait(read).unwrap();
            seen.extend(rows.iter().map(|row| row.id));
            after = next;
            if after.is_none() {
                return seen;
            }
        }
    }
}

/// Only a search of the whole log had them where they began; one that a filter or criteria narrow had them
/// where they were written: a call of last year stood before all others.
#[test]
fn a_search_that_is_narrowed_has_them_where_they_began_too() {
    let desk = Desk::open();
    desk.contact("Anna", "0171 2345678");
    for number in 10..=20 {
        desk.insert(&CallRow {
            queue: (number % 2 == 0).then(|| "Sales".to_owned()),
            ..missed(number, "01712345678")
        });
        desk.insert(&outbound(100 + number, "030 1234567"));
    }
    for (number, began) in [(30, 15), (31, 1), (32, 14), (33, 14)] {
        desk.insert(&CallRow {
            started_at: second(began),
            by_hand: true,
            done: number == 31,
            queue: Some("Sales".to_owned()),
            ..missed(number, "01712345678")
        });
    }
    let all = [20, 19, 18, 17, 16, 30, 15, 33, 32, 14, 13, 12, 11, 10, 31].map(call_id);
    let none = CallCriteria::default();
    for filter in [CallFilter::All, CallFilter::Inbound, CallFilter::Missed] {
        assert_eq!(desk.searched(filter, &none, "anna"), all, "{filter:?}");
    }
    // One entry for the number: its newest call.
    assert_eq!(
        desk.searched(CallFilter::ToCallBack, &none, "anna"),
        [call_id(20)]
    );
    assert_eq!(desk.searched(CallFilter::Outbound, &none, "anna"), []);
    let sales = CallCriteria {
        queue: Some("Sales".to_owned()),
        ..CallCriteria::default()
    };
    let of_sales = [20, 18, 16, 30, 33, 32, 14, 12, 10, 31].map(call_id);
    for search in ["anna", "0171234", "5678"] {
        for filter in [CallFilter::All, CallFilter::Missed] {
            assert_eq!(desk.searched(filter, &sales, search), of_sales, "{search}");
        }
    }
    let open_since = CallCriteria {
        done: Some(false),
        since: Some(second(14)),
        until: Some(second(16)),
        ..CallCriteria::default()
    };
    let open = [30, 15, 33, 32, 14].map(call_id);
    assert_eq!(desk.searched(CallFilter::All, &open_since, "anna"), open);
}
