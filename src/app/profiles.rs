//! The settings by which connections are opened, numbered for the sockets.

use crate::base::flow::ProfileId;
use crate::net::Profile;

/// How many different settings the connections of one run may have; beyond it (somebody changed TLS
/// settings hundreds of times) an account is refused, as nobody else's trust may stand in for its own.
const MAX_PROFILES: usize = 256;

/// There are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "its TLS settings are the {}th different ones of this run, and whom it trusts would not be kept; start Ringdesk anew",
    MAX_PROFILES + 1
)]
pub(super) struct TooManyProfiles;

/// What has a number so far; the place is the number.
#[derive(Debug, Default)]
pub(super) struct Profiles(Vec<Profile>);

impl Profiles {
    /// The number of these settings, and whether it is new.
    ///
    /// # Errors
    ///
    /// Fails when there are too many.
    pub(super) fn number(
        &mut self,
        profile: &Profile,
    ) -> Result<(ProfileId, bool), TooManyProfiles> {
        let known = self.0.iter().position(|known| known == profile);
        let place = known.unwrap_or(self.0.len());
        let id = ProfileId(u64::try_from(place).unwrap_or(u64::MAX));
        if known.is_some() {
            return Ok((id, false));
        }
        if place >= MAX_PROFILES {
            return Err(TooManyProfiles);
        }
        self.0.push(profile.clone());
        Ok((id, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Fingerprint, TlsSettings};

    fn pinned(number: u8) -> Profile {
        Profile {
            tls: TlsSettings {
                pinned: Some(Fingerprint([number; 32])),
                ..TlsSettings::default()
            },
            websocket_path: "/".to_owned(),
        }
    }

    /// Past the limit an account with a pinned certificate trusted whom the system trusts.
    #[test]
    fn past_the_limit_settings_are_refused_and_never_replaced_by_others() {
        let mut profiles = Profiles::default();
        for number in 0..=u8::MAX {
            let id = ProfileId(number.into());
            assert_eq!(profiles.number(&pinned(number)), Ok((id, true)));
        }
        let further = Profile {
            websocket_path: "/ws".to_owned(),
            ..pinned(0)
        };
        let refused = profiles.number(&further).unwrap_err();
        assert!(refused.to_string().contains("the 257th"), "{refused}");
        assert_eq!(profiles.number(&pinned(7)), Ok((ProfileId(7), false)));
    }
}
