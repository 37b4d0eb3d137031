//! Event and Subscription-State (RFC 6665 sections 8.2.1, 8.2.3 and 8.4).

use super::scan;
use crate::base::uri::Param;

/// What an Event header field names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPackage {
    /// The package with its templates, lower-case, such as `dialog` or `presence.winfo`.
    pub name: String,
    /// The `id`, which tells subscriptions of one dialog apart.
    pub id: Option<String>,
}

/// What a Subscription-State header field says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionStateField {
    /// `active`, `pending`, `terminated` or an extension, lower-case.
    pub state: String,
    /// Why it ended, lower-case.
    pub reason: Option<String>,
    /// How many seconds are left.
    pub expires: Option<u32>,
    /// After how many seconds it may be tried again.
    pub retry_after: Option<u32>,
}

/// Reads Event; none where it names no package.
pub fn event_package(text: &str) -> Option<EventPackage> {
    let (name, params) = split(text)?;
    let id = Param::find(&params, "id").and_then(|param| param.value.clone());
    Some(EventPackage { name, id })
}

/// Reads Subscription-State; none where it names no state. Numbers that cannot be read are left
/// out.
pub fn subscription_state(text: &str) -> Option<SubscriptionStateField> {
    let (state, params) = split(text)?;
    let value = |name: &str| Param::find(&params, name).and_then(|param| param.value.clone());
    let seconds = |name: &str| value(name).and_then(|text| text.trim().parse().ok());
    Some(SubscriptionStateField {
        state,
        reason: value("reason").map(|text| text.to_ascii_lowercase()),
        expires: seconds("expires"),
        retry_after: seconds("retry-after"),
    })
}

/// A token and the parameters behind it; broken parameters count as none.
fn split(text: &str) -> Option<(String, Vec<Param>)> {
    let (name, params) = text.split_once(';').unwrap_or((text, ""));
    let name = name.trim();
    if !scan::is_token(name) {
        return None;
    }
    let params = if params.trim().is_empty() {
        Vec::new()
    } else {
        scan::params(params).unwrap_or_default()
    };
    Some((name.to_ascii_lowercase(), params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_package_and_perhaps_an_id() {
        let plain = event_package(" Dialog ").unwrap();
        assert_eq!((plain.name.as_str(), plain.id), ("dialog", None));
        let refer = event_package("refer;id=93809824").unwrap();
        assert_eq!(refer.id.as_deref(), Some("93809824"));
        for broken in ["", ";id=1", "a b", "d\"x"] {
            assert_eq!(event_package(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_state_has_a_reason_and_times() {
        let active = subscription_state("active;expires=3599").unwrap();
        assert_eq!(
            (active.state.as_str(), active.expires),
            ("active", Some(3599))
        );
        let ended = subscription_state("Terminated; reason=Probation ;retry-after=60").unwrap();
        assert_eq!(ended.state, "terminated");
        assert_eq!(ended.reason.as_deref(), Some("probation"));
        assert_eq!(ended.retry_after, Some(60));
        let odd = subscription_state("active;expires=99999999999").unwrap();
        assert_eq!(odd.expires, None);
        assert_eq!(subscription_state(";reason=x"), None);
    }
}
