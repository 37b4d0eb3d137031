//! Which address is the voice mail of an account: a call that is sent there waits for a call back.

use crate::app::engine::Engine;
use crate::base::id::AccountId;
use crate::base::uri::Uri;
use crate::crm::row::CallState;

impl Engine {
    /// How a call is remembered that is sent from an account to an address.
    pub(super) fn sent_to(&self, account: Option<AccountId>, target: &str) -> CallState {
        let chosen = account.and_then(|id| {
            let account = &self.account(id)?.account;
            let voicemail = Some(&account.voicemail).filter(|chosen| !chosen.is_empty());
            account.forward_uri(voicemail?).ok()
        });
        let named = || {
            let of_account = self.mailboxes.iter().find(|it| it.account == account);
            self.mailbox_view(of_account?)?.voicemail
        };
        match chosen.or_else(named) {
            Some(voicemail) if is_same(&voicemail, target) => CallState::Voicemail,
            Some(_) | None => CallState::Forwarded,
        }
    }
}

/// Whether two addresses mean the same user of the same host.
fn is_same(one: &str, other: &str) -> bool {
    let (Ok(one), Ok(other)) = (Uri::parse(one), Uri::parse(other)) else {
        return false;
    };
    let host = |uri: &Uri| uri.as_sip().map(|sip| sip.host.clone());
    match (host(&one), host(&other)) {
        (Some(host), Some(theirs)) => {
            host.equivalent(&theirs) && one.user_decoded() == other.user_decoded()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_mail_is_a_user_of_a_host_however_it_is_written() {
        let voicemail = "sip:8000@example.com";
        for same in [
            "sip:8000@EXAMPLE.com",
            "sip:8000@example.com:5060;transport=tcp",
            "sip:%38000@example.com",
        ] {
            assert!(is_same(voicemail, same), "{same}");
        }
        for other in [
            "sip:8001@example.com",
            "sip:8000@example.org",
            "tel:8000",
            "",
        ] {
            assert!(!is_same(voicemail, other), "{other}");
        }
    }
}
