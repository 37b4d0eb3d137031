//! `ringdesk calls callback` and `ringdesk calls again`: a logged call is dialled, from the same own line.

use anyhow::bail;

use crate::app::Records;
use crate::base::id::{AccountId, CallId};
use crate::base::printable::printable;
use crate::base::uri::Uri;
use crate::cli::desk_args::DialAgainArgs;
use crate::cli::headless::print_line;
use crate::cli::records::ask;
use crate::cli::run::Exit;
use crate::cli::setup;
use crate::cli::single_instance::{Reply, Request};
use crate::control::{Asker, CallTarget, Command, Handle, Snapshot};
use crate::crm::row::{CallDirection, CallRow};

/// Asks the running phone to dial.
pub(super) async fn run(args: DialAgainArgs, direction: CallDirection) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let request = Request::DialAgain {
        call: args.call_id,
        direction,
        confirmed: args.confirm,
    };
    match ask(&paths, request).await? {
        Reply::Dialling { to, from } if args.json => {
            print_line(&serde_json::json!({"to": to, "from": from}).to_string());
        }
        Reply::Dialling { to, from } => {
            let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
            print_line(&printable(&format!("dialling {to}{from}")));
        }
        other => bail!("unexpected answer: {other:?}"),
    }
    Ok(Exit::Done)
}

/// Dials in the running phone; what stands in the way of the call itself is told as an event there.
pub(super) async fn carry_out(
    call: CallId,
    direction: CallDirection,
    confirmed: bool,
    handle: &Handle,
    records: &Records,
) -> Reply {
    let row = match records.call(call).await {
        Ok(Some(row)) => row,
        Ok(None) => return Reply::Impossible(format!("there is no call {call}")),
        Err(error) => return Reply::Impossible(error.to_string()),
    };
    let target = match target(&row, direction, &handle.snapshot()) {
        Ok(target) => target,
        Err(why) => return Reply::Impossible(why),
    };
    let to = target.text.clone();
    let from = target.account.map(|_| row.local);
    let command = Command::CallFor {
        target,
        asker: Asker::Script,
        confirmed,
    };
    if handle.send(command) {
        Reply::Dialling { to, from }
    } else {
        Reply::Impossible("the running Ringdesk is busy; try again".to_owned())
    }
}

/// Whom to dial from which account, or why not.
fn target(row: &CallRow, wanted: CallDirection, snapshot: &Snapshot) -> Result<CallTarget, String> {
    if row.direction != wanted {
        return Err(match wanted {
            CallDirection::Inbound => {
                "that call went out; dial it again with: ringdesk calls again".to_owned()
            }
            CallDirection::Outbound => {
                "that call came in; call back with: ringdesk calls callback".to_owned()
            }
        });
    }
    if row.remote.is_empty() {
        return Err("that call showed no number to dial".to_owned());
    }
    let account = snapshot
        .account_of(&row.local)
        .or_else(|| serving(row, snapshot));
    // A phone without any account dials straight to addresses.
    if account.is_none() && !snapshot.accounts.is_empty() {
        return Err(format!(
            "there is no account {} any more, which that call used; add it, or dial {} yourself",
            row.local, row.remote
        ));
    }
    Ok(CallTarget {
        text: row.e164.clone().unwrap_or_else(|| row.remote.clone()),
        account,
    })
}

/// The account that an inbound call may have come by when another number of it was called than its own
/// address, as trunks do: that of the same server, else the only one.
fn serving(row: &CallRow, snapshot: &Snapshot) -> Option<AccountId> {
    let called = Uri::parse(&row.local).ok()?;
    let user = called.user_decoded()?;
    let is_number = !user.chars().any(|c| c.is_ascii_alphabetic());
    if row.direction != CallDirection::Inbound || !is_number {
        return None;
    }
    let called = called.as_sip()?;
    let at_server = |port_too: bool| {
        let mut accounts = snapshot.accounts.iter();
        accounts.find(|view| {
            let own = Uri::parse(&view.account.address).ok();
            let own = own.as_ref().and_then(Uri::as_sip);
            own.is_some_and(|own| own.host == called.host && (own.port == called.port || !port_too))
        })
    };
    match (
        at_server(true).or_else(|| at_server(false)),
        snapshot.accounts.as_slice(),
    ) {
        (Some(view), _) | (None, [view]) => Some(view.id),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Account;
    use crate::control::{AccountView, Registration};

    fn snapshot(addresses: &[&str]) -> Snapshot {
        let accounts = addresses.iter().zip(1..).map(|(address, id)| AccountView {
            id: AccountId(id),
            account: Account {
                address: (*address).to_owned(),
                ..Account::default()
            },
            has_password: false,
            has_turn_password: false,
            registration: Registration::Registered,
        });
        Snapshot {
            accounts: accounts.collect(),
            ..Snapshot::default()
        }
    }

    #[test]
    fn a_call_is_dialled_from_the_line_that_it_used_or_not_at_all() {
        let at = jiff::Timestamp::UNIX_EPOCH;
        let mut row = CallRow::ringing(CallId::new(1, [1; 10]), "030 1234567", at);
        let (back, again) = (CallDirection::Inbound, CallDirection::Outbound);
        let both = snapshot(&["sip:bob@example.com", "sip:alice@example.com"]);
        let dialled = target(&row, back, &both).unwrap();
        assert_eq!(dialled.account, Some(AccountId(2)));
        assert_eq!(dialled.text, "030 1234567");
        row.e164 = Some("+49301234567".to_owned());
        assert_eq!(target(&row, back, &both).unwrap().text, "+49301234567");
        let gone = target(&row, back, &snapshot(&["sip:bob@example.com"]));
        assert!(
            gone.unwrap_err()
                .contains("no account sip:alice@example.com")
        );
        assert_eq!(target(&row, back, &snapshot(&[])).unwrap().account, None);
        // Trunks call numbers of their own, which are no account's address.
        row.local = "sip:+493012345600@example.com".to_owned();
        let desks = snapshot(&["sip:bob@example.net", "sip:alice@example.com"]);
        let dialled = target(&row, back, &desks).unwrap();
        assert_eq!(dialled.account, Some(AccountId(2)));
        row.local = "sip:+493012345600@192.0.2.7".to_owned();
        assert!(target(&row, back, &desks).is_err());
        let only = snapshot(&["sip:bob@example.net"]);
        let dialled = target(&row, back, &only).unwrap();
        assert_eq!(dialled.account, Some(AccountId(1)));
        let wrong = target(&row, again, &both).unwrap_err();
        assert!(wrong.contains("calls callback"), "{wrong}");
        // What was dialled came from an account, which is there or not.
        row.direction = CallDirection::Outbound;
        assert!(target(&row, again, &desks).is_err());
        row.local = "sip:alice@example.com".to_owned();
        assert!(target(&row, again, &both).is_ok());
        row.remote = String::new();
        assert!(target(&row, again, &both).is_err());
    }
}
