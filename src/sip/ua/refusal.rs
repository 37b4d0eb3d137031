//! Why a registration does not come about, in sentences with a remedy.

use crate::sip::event::Status;

/// What a registrar's refusal means.
pub(crate) fn reason(status: &Status) -> String {
    let meaning = match status.code {
        300..=399 => {
            "the registrar asks to register elsewhere, which is not followed; set the server that it means as the registrar"
        }
        403 => {
            "the registrar forbids this account to register; ask its administrator whether the account is active and may register from here"
        }
        404 | 604 => {
            "the registrar does not know this account; check the user part and the domain of the address"
        }
        405 | 501 => "that server takes no registrations; check the registrar's address",
        408 => "the registrar's side does not answer in time; it is tried again",
        416 => {
            "the registrar does not take this kind of address; check whether it must begin with sip: or sips:"
        }
        420 => "the registrar demands an extension that this phone does not have",
        480 | 486 => "the registrar is not available now; it is tried again",
        482 | 483 => {
            "the registration goes round in a circle; check that registrar and outbound proxy do not lead back to each other or to this phone"
        }
        503 => "the registrar is overloaded or being serviced; it is tried again",
        500..=599 => "the registrar has a fault; it is tried again",
        600 | 603 => "the registrar declines the registration; ask its administrator",
        _ => "the registrar refuses the registration",
    };
    format!("{meaning} ({} {})", status.code, status.phrase)
}

/// What it means that no answer came at all.
pub(crate) fn unreachable(status: &Status) -> String {
    if status.code == 408 {
        "the registrar does not answer; check its address and the network".to_owned()
    } else if status.phrase.contains(';') {
        // The sockets and the resolver say what to do where they know it.
        format!("the registrar cannot be reached: {}", status.phrase)
    } else {
        format!(
            "the registrar cannot be reached ({}); check its address and the network",
            status.phrase
        )
    }
}

/// The registrar said yes and kept nothing.
pub(crate) const NOT_KEPT: &str = "the registrar accepted the registration and let it expire at once; ask its administrator how long registrations may last";

/// The registrar said yes and lists other bindings than ours.
pub(crate) const NOT_LISTED: &str = "the registrar accepted the registration and lists other phones, but not this one; ask its administrator how many phones may register under this address";

/// Each lifetime is answered by 423, however long it is.
pub(crate) const NEVER_LONG_ENOUGH: &str = "the registrar refuses every lifetime as too brief, also the one that it demanded; ask its administrator for a lifetime that it takes, and set it as expires";

/// The REGISTER came back to the phone that sent it.
pub(crate) const LOOPED: &str = "the registration came back to this phone itself: the registrar's address leads here; set the address of the real registrar";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_remedy_and_its_status() {
        for (code, words) in [
            (301, "elsewhere"),
            (403, "administrator"),
            (404, "check the user part"),
            (405, "takes no registrations"),
            (482, "circle"),
            (483, "circle"),
            (500, "fault"),
            (503, "overloaded"),
            (603, "declines"),
            (699, "refuses"),
        ] {
            let sentence = reason(&Status::new(code, "Phrase"));
            assert!(sentence.contains(words), "{sentence}");
            assert!(
                sentence.ends_with(&format!("({code} Phrase)")),
                "{sentence}"
            );
        }
    }
}
