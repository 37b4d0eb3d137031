//! One account as the user configures it.

use serde::{Deserialize, Serialize};

use crate::base::dial_plan::DialPlan;
use crate::base::zone::{Zoned, without_zones};
use crate::config::call_extensions::CallExtensions;
use crate::config::call_rules::CallRules;
use crate::config::ice::IceOptions;
use crate::config::tls::TlsOptions;
use crate::config::validate::{CODECS, Problem};

/// A SIP account. The password is not part of it: see [`crate::config::secret`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// The address of record, such as `sip:alice@example.com`.
    pub address: String,
    /// The name shown to the far end.
    pub display_name: String,
    /// The registrar as `host[:port]`; empty means the address's domain.
    pub registrar: String,
    /// Whether it registers at all.
    pub register: bool,
    /// The authentication user name; empty means the address's user part.
    pub auth_user: String,
    /// A loose route in front of all requests, as a SIP URI; empty for none.
    pub outbound_proxy: String,
    /// The transport for requests that it starts.
    pub transport: TransportChoice,
    /// The path of the WebSocket on the server, beginning with `/`.
    pub websocket_path: String,
    /// The registration's lifetime that is asked for, in seconds.
    pub expires_seconds: u32,
    /// How long a call rings, in seconds.
    pub ring_limit_seconds: u32,
    /// Codecs in order of preference, by encoding name.
    pub codecs: Vec<String>,
    /// Whether little or nothing is sent while the agent is silent: comfort noise with G.711 and
    /// G.722 (RFC 3389), DTX with Opus.
    pub silence_suppression: bool,
    /// How much sound is in each packet where the other side has no wish of its own, and what it is asked
    /// for (`a=ptime`), in milliseconds: 10, 20, 40 or 60.
    pub packet_millis: u32,
    /// Whether waiting messages are asked for.
    pub message_waiting: MessageWaiting,
    /// The number or address of the voice mail; empty means the one that the server names.
    pub voicemail: String,
    /// What the agent says in its calls, unless the queue has its own; a name in braces stands for what is
    /// known of the call (see [`page_template`](crate::base::page_template)).
    pub script: String,
    /// The web page that belongs to its calls, unless the queue has its own, such as
    /// `https://crm.example/search?q={number}`; empty for none.
    pub page: String,
    /// How it dials.
    pub dial_plan: DialPlan,
    /// Whom TLS and WSS trust.
    pub tls: TlsOptions,
    /// What happens to its calls by rule.
    pub rules: CallRules,
    /// Which extensions its calls use.
    pub extensions: CallExtensions,
    /// How the sound of its calls finds its way.
    pub ice: IceOptions,
}

/// Whether the server is asked for waiting messages (RFC 3842).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageWaiting {
    /// It is asked; a server that offers none is left alone.
    #[default]
    Auto,
    /// It is not asked; what it tells unasked is still shown.
    Off,
}

/// A transport as the user chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransportChoice {
    /// As the target's URI says (`sips:` by TLS), else UDP.
    #[default]
    Auto,
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS.
    Tls,
    /// WebSocket, in the clear.
    Ws,
    /// WebSocket under TLS.
    Wss,
}

impl Account {
    /// The account of an address as people write it, such as `alice@example.com`, with everything else as usual.
    ///
    /// # Errors
    ///
    /// Fails when it is no address of a user.
    pub fn at(typed: &str) -> Result<Self, Problem> {
        let typed = typed.trim();
        let user = typed.split('@').next().unwrap_or_default();
        let address = match user.split_once(':') {
            Some(("sip" | "sips", _)) => typed.to_owned(),
            None if typed.contains('@') => format!("sip:{typed}"),
            Some(_) | None => return Err(Problem::Address(typed.to_owned())),
        };
        let account = Self {
            address,
            ..Self::default()
        };
        account.validate()?;
        Ok(account)
    }

    /// Whether what it sends to its server is encrypted.
    pub fn is_encrypted(&self) -> bool {
        match self.transport {
            TransportChoice::Tls | TransportChoice::Wss => true,
            TransportChoice::Auto => self.address.starts_with("sips:"),
            TransportChoice::Udp | TransportChoice::Tcp | TransportChoice::Ws => false,
        }
    }

    /// The account as the SIP core may know it, and on which networks its servers with link-local
    /// addresses are.
    #[must_use]
    pub fn without_zones(&self) -> (Self, Vec<Zoned>) {
        let mut account = self.clone();
        let mut zones = Vec::new();
        for text in [
            &mut account.address,
            &mut account.registrar,
            &mut account.outbound_proxy,
        ] {
            let (bare, found) = without_zones(text);
            *text = bare;
            zones.extend(found);
        }
        (account, zones)
    }
}

impl Default for Account {
    fn default() -> Self {
        Self {
            address: String::new(),
            display_name: String::new(),
            registrar: String::new(),
            register: true,
            auth_user: String::new(),
            outbound_proxy: String::new(),
            transport: TransportChoice::Auto,
            websocket_path: "/".to_owned(),
            expires_seconds: 3600,
            ring_limit_seconds: 120,
            codecs: CODECS.map(str::to_owned).to_vec(),
            silence_suppression: false,
            packet_millis: 20,
            message_waiting: MessageWaiting::Auto,
            voicemail: String::new(),
            script: String::new(),
            page: String::new(),
            dial_plan: DialPlan::default(),
            tls: TlsOptions::default(),
            rules: CallRules::default(),
            extensions: CallExtensions::default(),
            ice: IceOptions::default(),
        }
    }
}
