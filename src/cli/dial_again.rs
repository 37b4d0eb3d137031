//! `ringdesk calls callback` and `ringdesk calls again`: a logged call is dialled, from the same own line.

use anyhow::bail;

use crate::app::Records;
use crate::base::id::CallId;
use crate::base::printable::printable;
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
    let account = snapshot.account_of(&row.local);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::AccountId;
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
        let wrong = target(&row, again, &both).unwrap_err();
        assert!(wrong.contains("calls callback"), "{wrong}");
        row.direction = CallDirection::Outbound;
        assert!(target(&row, again, &both).is_ok());
        row.remote = String::new();
        assert!(target(&row, again, &both).is_err());
    }
}
