//! From the configuration to the sockets: by which settings connections are opened, and as whom TLS
//! is accepted.

use tokio::sync::mpsc;

use crate::app::engine::Engine;
use crate::app::options::EngineOptions;
use crate::app::profiles::TooManyProfiles;
use crate::base::flow::{Input, ProfileId, Transport};
use crate::config::Account;
use crate::config::account::TransportChoice;
use crate::config::tls::TlsOptions;
use crate::net::{Fingerprint, Net, NetError, NetOptions, Profile, TlsIdentity, TlsSettings};

/// Binds the sockets, with TLS where there is a certificate; what hinders only TLS is told and
/// leaves the rest as it is.
pub(super) async fn bind(
    options: &EngineOptions,
    inputs: mpsc::Sender<Input>,
) -> Result<(Net, Option<String>), NetError> {
    let plain = NetOptions {
        name_servers: options.settings.name_server_addresses(),
        ..NetOptions::at(options.bind)
    };
    let Some(identity) = own_identity(options) else {
        return Ok((Net::bind(plain, inputs).await?, None));
    };
    let secured = NetOptions {
        tls: Some(identity),
        ..plain.clone()
    };
    match Net::bind(secured, inputs.clone()).await {
        Ok(net) => Ok((net, None)),
        Err(
            problem @ (NetError::Certificate(_)
            | NetError::Bind {
                transport: Transport::Tls,
                ..
            }),
        ) => {
            let text = format!("calls by TLS cannot come in: {problem}");
            Ok((Net::bind(plain, inputs).await?, Some(text)))
        }
        Err(problem) => Err(problem),
    }
}

/// The certificate that others see: that of direct calls, else the first account's that has one.
fn own_identity(options: &EngineOptions) -> Option<TlsIdentity> {
    let accounts = options.accounts.iter().map(|it| &it.account.tls);
    std::iter::once(&options.direct_tls)
        .chain(accounts)
        .find_map(identity)
}

fn identity(tls: &TlsOptions) -> Option<TlsIdentity> {
    let (certificate, key) = tls.identity()?;
    Some(TlsIdentity { certificate, key })
}

pub(super) fn profile(tls: &TlsOptions, websocket_path: &str) -> Profile {
    let settings = TlsSettings {
        ca_file: (!tls.ca_file.is_empty()).then(|| (&tls.ca_file).into()),
        pinned: tls.pinned().map(Fingerprint),
        identity: identity(tls),
    };
    Profile {
        tls: settings,
        websocket_path: websocket_path.to_owned(),
    }
}

/// The transport as the SIP core has it.
pub(super) fn transport(choice: TransportChoice) -> Option<Transport> {
    match choice {
        TransportChoice::Auto => None,
        TransportChoice::Udp => Some(Transport::Udp),
        TransportChoice::Tcp => Some(Transport::Tcp),
        TransportChoice::Tls => Some(Transport::Tls),
        TransportChoice::Ws => Some(Transport::Ws),
        TransportChoice::Wss => Some(Transport::Wss),
    }
}

impl Engine {
    /// Sets by which settings connections of no account are opened.
    pub(super) fn set_direct_profile(&mut self) {
        let direct = self.options.direct_tls.clone();
        if let Some(text) = direct.exposed_key() {
            self.problem(None, text);
        }
        let id = self.profile_of(profile(&direct, "/"));
        debug_assert_eq!(id, Ok(ProfileId::default()), "it is the first");
    }

    /// The settings of an account; accounts of the same settings share their connections.
    ///
    /// # Errors
    ///
    /// Fails when there are too many different ones.
    pub(super) fn profile_id(&mut self, account: &Account) -> Result<ProfileId, TooManyProfiles> {
        if let Some(text) = account.tls.exposed_key() {
            self.problem(None, text);
        }
        self.profile_of(profile(&account.tls, &account.websocket_path))
    }

    fn profile_of(&mut self, profile: Profile) -> Result<ProfileId, TooManyProfiles> {
        let (id, new) = self.profiles.number(&profile)?;
        if new {
            self.net.set_profile(id, profile);
        }
        Ok(id)
    }
}
