//! The options of `ringdesk headless` that say how the sound of its calls finds its way.

use std::path::PathBuf;

use clap::Args;

use crate::base::redact::Secret;
use crate::config::ice::IceOptions;
use crate::config::secret;

/// ICE, for each account and for direct calls.
#[derive(Debug, Args)]
pub(super) struct IceArgs {
    /// Find the way of the sound by ICE, where the far end can.
    #[arg(long)]
    ice: bool,
    /// STUN server, which says how this phone is seen from outside; with --ice.
    #[arg(long, value_name = "HOST[:PORT]", requires = "ice")]
    stun: Option<String>,
    /// TURN server over UDP, which relays sound where nothing else gets through; with --ice.
    #[arg(long, value_name = "turn:HOST[:PORT]", requires = "ice")]
    turn: Option<String>,
    /// User name at the TURN server.
    #[arg(long, value_name = "NAME", requires = "turn")]
    turn_user: Option<String>,
    /// Environment variable with the password of the TURN server.
    #[arg(long, value_name = "VAR", requires = "turn")]
    turn_password_env: Option<String>,
    /// File with the password of the TURN server.
    #[arg(
        long,
        value_name = "FILE",
        requires = "turn",
        conflicts_with = "turn_password_env"
    )]
    turn_password_file: Option<PathBuf>,
    /// Send sound by the TURN server alone, and tell the far end no other address.
    #[arg(long, requires = "ice")]
    ice_relay_only: bool,
}

impl IceArgs {
    /// Writes what was said over what stands there.
    pub(super) fn apply(&self, options: &mut IceOptions) {
        options.enabled |= self.ice;
        options.relay_only |= self.ice_relay_only;
        for (said, option) in [
            (&self.stun, &mut options.stun),
            (&self.turn, &mut options.turn),
            (&self.turn_user, &mut options.turn_user),
        ] {
            if let Some(said) = said {
                option.clone_from(said);
            }
        }
    }

    /// The password of the TURN server, where one was named.
    pub(super) fn password(&self) -> anyhow::Result<Option<Secret>> {
        if let Some(name) = &self.turn_password_env {
            return Ok(Some(secret::from_variable(name)?));
        }
        if let Some(path) = &self.turn_password_file {
            return Ok(Some(secret::from_file(path)?));
        }
        Ok(None)
    }
}
