//! The options of `ringdesk headless` about encrypted and WebSocket connections.

use std::path::PathBuf;

use clap::Args;

use crate::config::Account;
use crate::config::tls::TlsOptions;

/// Whom connections trust and as whom they are opened, for each account and for direct calls.
#[derive(Debug, Args)]
pub(super) struct TlsArgs {
    /// PEM file with the authorities to trust in place of the system's.
    #[arg(long, value_name = "FILE")]
    pub(super) tls_ca: Option<PathBuf>,
    /// PEM file with the own certificate; with it calls are also taken by TLS, on the port after
    /// that of --bind.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_certificate: Option<PathBuf>,
    /// PEM file with its private key.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(super) tls_key: Option<PathBuf>,
    /// SHA-256 of the only certificate to believe, in hexadecimal digits.
    #[arg(long, value_name = "SHA256")]
    pub(super) tls_pin: Option<String>,
    /// Path of the WebSocket on the server, such as /ws.
    #[arg(long, value_name = "PATH")]
    pub(super) websocket_path: Option<String>,
}

impl TlsArgs {
    /// Overrides what the file says of an account.
    pub(super) fn apply(&self, account: &mut Account) {
        if let Some(path) = &self.websocket_path {
            account.websocket_path.clone_from(path);
        }
        self.apply_to_tls(&mut account.tls);
    }

    /// What holds for calls of no account.
    pub(super) fn direct(&self) -> TlsOptions {
        let mut options = TlsOptions::default();
        self.apply_to_tls(&mut options);
        options
    }

    fn apply_to_tls(&self, tls: &mut TlsOptions) {
        for (given, option) in [
            (&self.tls_ca, &mut tls.ca_file),
            (&self.tls_certificate, &mut tls.client_certificate),
            (&self.tls_key, &mut tls.client_key),
        ] {
            if let Some(path) = given {
                *option = path.to_string_lossy().into_owned();
            }
        }
        if let Some(pin) = &self.tls_pin {
            tls.pinned_certificate.clone_from(pin);
        }
    }
}
