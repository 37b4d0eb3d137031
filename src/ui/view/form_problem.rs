//! Which field of the account form a problem is about.

use crate::config::Account;
use crate::config::validate::Problem;
use crate::ui::state::FormProblem;
use crate::ui::{format, text};

/// The problem as the form tells it: at its field, where it has one.
pub(crate) fn of_account(problem: &Problem, account: &Account) -> FormProblem {
    FormProblem {
        field: field(problem, account),
        sentence: match problem {
            Problem::RelayWithoutServer => text::RELAY_WITHOUT_SERVER.to_owned(),
            _ => format::problem(problem),
        },
        fresh: true,
    }
}

fn field(problem: &Problem, account: &Account) -> Option<&'static str> {
    Some(match problem {
        Problem::Address(_) | Problem::SameAddress(_) => text::ADDRESS,
        Problem::WebsocketPath(_) => text::WEBSOCKET_PATH,
        Problem::PinnedCertificate => text::PINNED,
        Problem::ClientCertificate if account.tls.client_key.is_empty() => text::CLIENT_KEY,
        Problem::ClientCertificate => text::CLIENT_CERTIFICATE,
        Problem::Registrar(_) => text::REGISTRAR,
        Problem::OutboundProxy(_) => text::PROXY,
        Problem::StunServer(_) => text::STUN,
        Problem::TurnServer(_) | Problem::RelayWithoutServer => text::TURN,
        Problem::SessionExpires(_) => text::SESSION_TIMER,
        Problem::Region(_) => text::DIAL_REGION,
        Problem::OutsidePrefix(_) => text::OUTSIDE_PREFIX,
        Problem::Voicemail(_) => text::VOICEMAIL_NUMBER,
        Problem::Page(_) => text::PAGE,
        Problem::ForwardTarget(_) | Problem::ForwardLoop(_) => return forwarding(account),
        // A choice, or what the form does not show.
        _ => return None,
    })
}

/// The first target that cannot be called.
fn forwarding(account: &Account) -> Option<&'static str> {
    let rules = &account.rules;
    [
        (text::FORWARD_ALWAYS, &rules.forward_always),
        (text::FORWARD_BUSY, &rules.forward_busy),
        (text::FORWARD_NO_ANSWER, &rules.forward_no_answer),
    ]
    .into_iter()
    .find(|(_, target)| !target.is_empty() && account.forward_uri(target).is_err())
    .map(|(name, _)| name)
}
