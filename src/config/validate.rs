//! What a configuration must satisfy beyond its form, in sentences for the person who wrote it.

use std::net::SocketAddr;

use crate::base::uri::{SipUri, Uri};
use crate::base::zone::without_zones;
use crate::config::account::{Account, TransportChoice};
use crate::config::dialling_rules::CALLS_PER_HOUR;
use crate::config::settings::{Colleague, Config, Settings};
use crate::config::tls::TlsOptions;

/// Every codec that an account may name, by encoding name in lower case.
pub const CODECS: [&str; 3] = ["opus", "pcmu", "pcma"];

/// The lifetimes, in seconds, that a registration may ask for.
pub const EXPIRES_SECONDS: std::ops::RangeInclusive<u32> = 1..=86_400;

/// How long, in seconds, a call may ring.
pub const RING_LIMIT_SECONDS: std::ops::RangeInclusive<u32> = 1..=3_600;

/// How long, in seconds, a call may ring before it is sent elsewhere.
pub const FORWARD_AFTER_SECONDS: std::ops::RangeInclusive<u32> = 1..=600;

/// For how many days the SIP messages of calls may be kept.
pub const LADDER_DAYS: std::ops::RangeInclusive<u32> = 0..=3_650;

/// After how many seconds without sound a call may end by itself; 0 is never.
pub const SILENCE_LIMIT_SECONDS: std::ops::RangeInclusive<u32> = 10..=3_600;

/// How many calls may live at once.
pub const MAX_CALLS: std::ops::RangeInclusive<u32> = 1..=1_000;

/// How many colleagues may be watched.
pub const MAX_COLLEAGUES: usize = 100;

/// How many name servers are asked at most.
pub const MAX_NAME_SERVERS: usize = 8;

/// The port of the DNS (RFC 1035 section 4.2).
const DNS_PORT: u16 = 53;

/// What is wrong with an account or a setting, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The address is no SIP URI with a user and a domain.
    #[error("the address \"{0}\" is not a SIP address; write it as sip:name@example.com")]
    Address(String),
    /// `sips:` demands encryption on each hop.
    #[error(
        "the address \"{0}\" demands encryption; set transport to tls, wss or auto, or write sip:"
    )]
    Secure(String),
    /// The path of the WebSocket is none.
    #[error("websocket_path is \"{0}\"; write a path that begins with /, such as /ws")]
    WebsocketPath(String),
    /// The fingerprint is none.
    #[error(
        "pinned_certificate is not the SHA-256 of a certificate; write 64 hexadecimal digits, as `openssl x509 -noout -fingerprint -sha256 -in FILE` prints them"
    )]
    PinnedCertificate,
    /// A certificate without key, or a key without certificate.
    #[error("client_certificate and client_key belong together; name both files or none")]
    ClientCertificate,
    /// Two accounts have the same address.
    #[error("the address \"{0}\" is used by two accounts; remove one of them")]
    SameAddress(String),
    /// The registrar is no host.
    #[error("the registrar \"{0}\" is not a host; write it as example.com or example.com:5060")]
    Registrar(String),
    /// The outbound proxy is no SIP URI.
    #[error("the outbound proxy \"{0}\" is not a SIP address; write it as sip:proxy.example.com")]
    OutboundProxy(String),
    /// A text that goes into a header field holds control characters.
    #[error("the {0} holds a line break or another control character; remove it")]
    ControlCharacter(&'static str),
    /// The lifetime is out of range.
    #[error("expires_seconds is {0}; write a number from 1 to 86400 (3600 is usual)")]
    Expires(u32),
    /// The ring limit is out of range.
    #[error("ring_limit_seconds is {0}; write a number from 1 to 3600 (120 is usual)")]
    RingLimit(u32),
    /// The interval of the session timer is out of range.
    #[error(
        "session_expires is {0}; write 0 for none, or a number from 90 to 86400 (1800 is usual)"
    )]
    SessionExpires(u32),
    /// No codec is left to talk with.
    #[error("codecs is empty; name at least one of opus, pcmu, pcma")]
    NoCodec,
    /// A codec that this phone does not have.
    #[error("the codec \"{0}\" is unknown; this phone speaks opus, pcmu and pcma")]
    UnknownCodec(String),
    /// A codec is named twice.
    #[error("the codec \"{0}\" is named twice; remove one")]
    SameCodec(String),
    /// The region is no country code.
    #[error("the region \"{0}\" is not a country code of two capital letters, such as US or DE")]
    Region(String),
    /// The prefix cannot be dialled.
    #[error("the outside prefix \"{0}\" holds more than the digits 0-9, * and #")]
    OutsidePrefix(String),
    /// An emergency number that cannot be dialled.
    #[error("the emergency number \"{0}\" holds more than the digits 0-9, * and #")]
    EmergencyNumber(String),
    /// A do-not-disturb status that says something else.
    #[error("do_not_disturb_status is {0}; write 480 (not available) or 486 (busy)")]
    DisturbStatus(u16),
    /// The forwarding time is out of range.
    #[error("forward_no_answer_seconds is {0}; write a number from 1 to 600 (20 is usual)")]
    ForwardAfter(u32),
    /// A forwarding target that cannot be called.
    #[error("calls cannot be forwarded to \"{0}\": write a number, a name or a SIP address")]
    ForwardTarget(String),
    /// A forwarding target that leads back.
    #[error("calls to {0} cannot be forwarded to itself; name another target")]
    ForwardLoop(String),
    /// The hourly number of calls is out of range.
    #[error("calls_per_hour is {0}; write a number from 1 to 100000 (120 is usual)")]
    CallsPerHour(u32),
    /// The voice mail cannot be called.
    #[error(
        "the voice mail \"{0}\" is neither a number nor a SIP address; write it as 8000 or sip:vm@example.com"
    )]
    Voicemail(String),
    /// A colleague cannot be watched.
    #[error(
        "the colleague \"{0}\" is neither an extension nor a SIP address; write it as 201 or sip:name@example.com"
    )]
    Colleague(String),
    /// A colleague is named twice.
    #[error("the colleague \"{0}\" is named twice; remove one")]
    SameColleague(String),
    /// More colleagues than can be watched.
    #[error("{0} colleagues are named; at most 100 can be watched")]
    TooManyColleagues(usize),
    /// A name server is no address.
    #[error("the name server \"{0}\" is not an address; write it as 192.0.2.1 or 192.0.2.1:5353")]
    NameServer(String),
    /// Too many name servers.
    #[error("there are {0} name servers; {MAX_NAME_SERVERS} are enough")]
    NameServers(usize),
    /// The number of calls is out of range.
    #[error("max_calls is {0}; write a number from 1 to 1000 (4 is usual)")]
    MaxCalls(u32),
    /// The number of days is out of range.
    #[error(
        "ladder_days is {0}; write a number of days from 0 (keep nothing) to 3650 (30 is usual)"
    )]
    LadderDays(u32),
    /// The time without sound is out of range.
    #[error(
        "silence_limit_seconds is {0}; write a number of seconds from 10 to 3600 (30 is usual), or 0 for never"
    )]
    SilenceLimit(u32),
}

impl Config {
    /// Finds the first thing that the phone could not work with.
    ///
    /// # Errors
    ///
    /// Fails with that thing.
    pub fn validate(&self) -> Result<(), Problem> {
        self.settings.validate()?;
        for (place, account) in self.accounts.iter().enumerate() {
            account.validate()?;
            let earlier = self.accounts.iter().take(place);
            if earlier.into_iter().any(|it| it.address == account.address) {
                return Err(Problem::SameAddress(account.address.clone()));
            }
        }
        Ok(())
    }
}

impl Settings {
    /// Finds the first setting that the phone could not work with.
    ///
    /// # Errors
    ///
    /// Fails with that setting.
    pub fn validate(&self) -> Result<(), Problem> {
        if !LADDER_DAYS.contains(&self.ladder_days) {
            return Err(Problem::LadderDays(self.ladder_days));
        }
        let silence = self.silence_limit_seconds;
        if silence != 0 && !SILENCE_LIMIT_SECONDS.contains(&silence) {
            return Err(Problem::SilenceLimit(silence));
        }
        if !MAX_CALLS.contains(&self.max_calls) {
            return Err(Problem::MaxCalls(self.max_calls));
        }
        let hourly = self.dialling.calls_per_hour;
        if !CALLS_PER_HOUR.contains(&hourly) {
            return Err(Problem::CallsPerHour(hourly));
        }
        if self.name_servers.len() > MAX_NAME_SERVERS {
            return Err(Problem::NameServers(self.name_servers.len()));
        }
        let bad = |text: &&String| name_server(text).is_none();
        if let Some(text) = self.name_servers.iter().find(bad) {
            return Err(Problem::NameServer(text.clone()));
        }
        if self.colleagues.len() > MAX_COLLEAGUES {
            return Err(Problem::TooManyColleagues(self.colleagues.len()));
        }
        for (place, colleague) in self.colleagues.iter().enumerate() {
            colleague.validate()?;
            let mut earlier = self.colleagues.iter().take(place);
            if earlier.any(|it| (&it.address, it.watch) == (&colleague.address, colleague.watch)) {
                return Err(Problem::SameColleague(colleague.address.clone()));
            }
        }
        region(&self.region)
    }

    /// The name servers as addresses; what is none is left out.
    pub fn name_server_addresses(&self) -> Vec<SocketAddr> {
        self.name_servers
            .iter()
            .filter_map(|text| name_server(text))
            .collect()
    }
}

/// Reads `192.0.2.1`, `192.0.2.1:53`, `2001:db8::1` or `[2001:db8::1]:53`.
pub fn name_server(text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let ip = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    Some(SocketAddr::new(ip.parse().ok()?, DNS_PORT))
}

impl Colleague {
    /// Finds what makes a colleague impossible to watch.
    ///
    /// # Errors
    ///
    /// Fails with that.
    pub fn validate(&self) -> Result<(), Problem> {
        if self.name.chars().any(char::is_control) {
            return Err(Problem::ControlCharacter("name of a colleague"));
        }
        if is_reachable(&self.address) {
            Ok(())
        } else {
            Err(Problem::Colleague(self.address.clone()))
        }
    }
}

/// Whether a text is a SIP address with a user, or what may stand as one's user: an extension.
fn is_reachable(text: &str) -> bool {
    let with_user = |uri: SipUri| uri.user.is_some_and(|user| !user.is_empty());
    let extension = |c: char| c.is_ascii_alphanumeric() || "*#+-_.".contains(c);
    sip_uri(text).is_some_and(with_user) || (!text.is_empty() && text.chars().all(extension))
}

impl Account {
    /// Finds the first thing in the account that the phone could not work with.
    ///
    /// # Errors
    ///
    /// Fails with that thing.
    pub fn validate(&self) -> Result<(), Problem> {
        let address = sip_uri(&self.address)
            .filter(|uri| uri.user.as_ref().is_some_and(|user| !user.is_empty()))
            .ok_or_else(|| Problem::Address(self.address.clone()))?;
        let in_the_clear = match self.transport {
            TransportChoice::Udp | TransportChoice::Tcp | TransportChoice::Ws => true,
            TransportChoice::Auto | TransportChoice::Tls | TransportChoice::Wss => false,
        };
        if address.secure && in_the_clear {
            return Err(Problem::Secure(self.address.clone()));
        }
        let path = &self.websocket_path;
        let printable = path.bytes().all(|it| it.is_ascii_graphic());
        if !path.starts_with('/') || path.contains('#') || !printable {
            return Err(Problem::WebsocketPath(path.clone()));
        }
        tls(&self.tls)?;
        let bare_host = |uri: &SipUri| uri.user.is_none() && uri.headers.is_empty();
        if !self.registrar.is_empty()
            && !sip_uri(&format!("sip:{}", self.registrar)).is_some_and(|uri| bare_host(&uri))
        {
            return Err(Problem::Registrar(self.registrar.clone()));
        }
        if !self.outbound_proxy.is_empty() && sip_uri(&self.outbound_proxy).is_none() {
            return Err(Problem::OutboundProxy(self.outbound_proxy.clone()));
        }
        for (what, text) in [
            ("display name", &self.display_name),
            ("authentication user name", &self.auth_user),
        ] {
            if text.chars().any(char::is_control) {
                return Err(Problem::ControlCharacter(what));
            }
        }
        if !EXPIRES_SECONDS.contains(&self.expires_seconds) {
            return Err(Problem::Expires(self.expires_seconds));
        }
        if !RING_LIMIT_SECONDS.contains(&self.ring_limit_seconds) {
            return Err(Problem::RingLimit(self.ring_limit_seconds));
        }
        if !self.voicemail.is_empty() && !is_reachable(&self.voicemail) {
            return Err(Problem::Voicemail(self.voicemail.clone()));
        }
        self.extensions.validate()?;
        codecs(&self.codecs)?;
        region(&self.dial_plan.region)?;
        let prefix = &self.dial_plan.outside_prefix;
        if !prefix.chars().all(|it| matches!(it, '0'..='9' | '*' | '#')) {
            return Err(Problem::OutsidePrefix(prefix.clone()));
        }
        let dialled = |number: &&String| {
            number.is_empty() || !number.chars().all(|it| matches!(it, '0'..='9' | '*' | '#'))
        };
        if let Some(number) = self.dial_plan.emergency_numbers.iter().find(dialled) {
            return Err(Problem::EmergencyNumber(number.clone()));
        }
        self.check_rules()
    }

    fn check_rules(&self) -> Result<(), Problem> {
        let rules = &self.rules;
        if !matches!(rules.do_not_disturb_status, 480 | 486) {
            return Err(Problem::DisturbStatus(rules.do_not_disturb_status));
        }
        if !FORWARD_AFTER_SECONDS.contains(&rules.forward_no_answer_seconds) {
            return Err(Problem::ForwardAfter(rules.forward_no_answer_seconds));
        }
        for target in [
            &rules.forward_always,
            &rules.forward_busy,
            &rules.forward_no_answer,
        ] {
            if !target.is_empty() {
                self.forward_uri(target)?;
            }
        }
        Ok(())
    }

    /// The exact URI that a forwarding target means, by the account's dial plan.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be called or is the account itself.
    pub fn forward_uri(&self, target: &str) -> Result<String, Problem> {
        let mut plan = self.dial_plan.clone();
        let own = sip_uri(&self.address);
        if plan.domain.is_empty() {
            let domain = self
                .address
                .split_once('@')
                .map_or("", |(_, domain)| domain);
            domain.clone_into(&mut plan.domain);
        }
        let preview = plan
            .preview(target)
            .map_err(|_undialable| Problem::ForwardTarget(target.to_owned()))?;
        let same = |it: &SipUri| {
            own.as_ref()
                .is_some_and(|own| own.user == it.user && own.host.equivalent(&it.host))
        };
        match sip_uri(&preview.uri) {
            Some(uri) if same(&uri) => Err(Problem::ForwardLoop(self.address.clone())),
            Some(_) => Ok(preview.uri),
            None => Err(Problem::ForwardTarget(target.to_owned())),
        }
    }
}

/// Finds the first thing in the TLS settings that the phone could not work with; the files are
/// looked into when a connection is opened.
///
/// # Errors
///
/// Fails with that thing.
pub fn tls(options: &TlsOptions) -> Result<(), Problem> {
    if !options.pinned_certificate.is_empty() && options.pinned().is_none() {
        return Err(Problem::PinnedCertificate);
    }
    if options.client_certificate.is_empty() != options.client_key.is_empty() {
        return Err(Problem::ClientCertificate);
    }
    for (what, text) in [
        ("ca_file", &options.ca_file),
        ("client_certificate", &options.client_certificate),
        ("client_key", &options.client_key),
    ] {
        if text.chars().any(char::is_control) {
            return Err(Problem::ControlCharacter(what));
        }
    }
    Ok(())
}

fn sip_uri(text: &str) -> Option<SipUri> {
    match Uri::parse(&without_zones(text).0) {
        Ok(Uri::Sip(uri)) => Some(uri),
        Ok(Uri::Tel(_) | Uri::Other { .. }) | Err(_) => None,
    }
}

fn codecs(names: &[String]) -> Result<(), Problem> {
    if names.is_empty() {
        return Err(Problem::NoCodec);
    }
    for (place, name) in names.iter().enumerate() {
        if !CODECS.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(Problem::UnknownCodec(name.clone()));
        }
        let mut earlier = names.iter().take(place);
        if earlier.any(|it| it.eq_ignore_ascii_case(name)) {
            return Err(Problem::SameCodec(name.clone()));
        }
    }
    Ok(())
}

fn region(code: &str) -> Result<(), Problem> {
    if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Ok(())
    } else {
        Err(Problem::Region(code.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            address: "sip:alice@example.com".to_owned(),
            ..Account::default()
        }
    }

    #[test]
    fn a_plain_account_is_sound() {
        assert_eq!(account().validate(), Ok(()));
    }

    #[test]
    fn each_fault_has_its_own_sentence() {
        type Spoil = fn(&mut Account);
        let rows: [(Spoil, &str); 25] = [
            (
                |it| it.address = "alice@example.com".into(),
                "not a SIP address",
            ),
            (
                |it| it.address = "sip:example.com".into(),
                "not a SIP address",
            ),
            (
                |it| it.address = "tel:+4930123456".into(),
                "not a SIP address",
            ),
            (
                |it| {
                    it.address = "sips:alice@example.com".into();
                    it.transport = TransportChoice::Tcp;
                },
                "demands encryption",
            ),
            (|it| it.websocket_path = "ws".into(), "begins with /"),
            (|it| it.websocket_path = "/a b".into(), "begins with /"),
            (
                |it| it.tls.pinned_certificate = "12:34".into(),
                "64 hexadecimal digits",
            ),
            (
                |it| it.tls.client_certificate = "phone.pem".into(),
                "belong together",
            ),
            (|it| it.registrar = "alice@example.com".into(), "registrar"),
            (|it| it.registrar = "example.com:99999".into(), "registrar"),
            (|it| it.outbound_proxy = "proxy".into(), "outbound proxy"),
            (|it| it.display_name = "A\r\nVia: x".into(), "display name"),
            (|it| it.expires_seconds = 0, "from 1 to 86400"),
            (|it| it.voicemail = "my box".into(), "voice mail"),
            (|it| it.ring_limit_seconds = 0, "from 1 to 3600"),
            (|it| it.codecs.clear(), "codecs is empty"),
            (|it| it.codecs = vec!["mp3".into()], "\"mp3\" is unknown"),
            (|it| it.codecs = vec!["PCMU".into(), "pcmu".into()], "twice"),
            (|it| it.dial_plan.outside_prefix = "0w".into(), "prefix"),
            (
                |it| it.dial_plan.emergency_numbers = vec!["help".into()],
                "emergency number \"help\"",
            ),
            (|it| it.rules.do_not_disturb_status = 200, "480"),
            (|it| it.rules.forward_no_answer_seconds = 0, "from 1 to 600"),
            (
                |it| it.rules.forward_busy = "http://x".into(),
                "cannot be forwarded to \"http://x\"",
            ),
            (|it| it.rules.forward_always = "alice".into(), "to itself"),
            (
                |it| it.rules.forward_no_answer = "sip:alice@EXAMPLE.com:5060".into(),
                "to itself",
            ),
        ];
        for (spoil, sentence) in rows {
            let mut spoiled = account();
            spoil(&mut spoiled);
            let error = spoiled.validate().unwrap_err().to_string();
            assert!(error.contains(sentence), "{error}");
        }
    }

    #[test]
    fn registrar_and_proxy_may_be_addresses() {
        let account = Account {
            registrar: "[2001:db8::1]:5070".to_owned(),
            outbound_proxy: "sip:127.0.0.1:5060;lr;transport=tcp".to_owned(),
            ..account()
        };
        assert_eq!(account.validate(), Ok(()));
        let link_local = Account {
            registrar: "[fe80::1%eth0]:5070".to_owned(),
            outbound_proxy: "sip:[fe80::2%25eth1];lr".to_owned(),
            ..account
        };
        assert_eq!(link_local.validate(), Ok(()));
        let (bare, zones) = link_local.without_zones();
        assert_eq!(bare.registrar, "[fe80::1]:5070");
        assert_eq!(bare.outbound_proxy, "sip:[fe80::2];lr");
        let zones: Vec<_> = zones.into_iter().map(|(_, zone)| zone).collect();
        assert_eq!(zones, ["eth0", "eth1"]);
    }

    #[test]
    fn two_accounts_need_two_addresses() {
        let config = Config {
            accounts: vec![account(), account()],
            ..Config::default()
        };
        assert!(matches!(config.validate(), Err(Problem::SameAddress(_))));
    }

    #[test]
    fn colleagues_are_checked() {
        let with = |addresses: &[&str]| {
            let colleague = |address: &&str| Colleague {
                address: (*address).to_owned(),
                ..Colleague::default()
            };
            Settings {
                colleagues: addresses.iter().map(colleague).collect(),
                ..Settings::default()
            }
            .validate()
        };
        assert_eq!(with(&["201", "sip:bob@example.com", "*8"]), Ok(()));
        for wrong in ["", "my friend", "sip:example.com", "tel:+4930123", "a@b"] {
            assert!(
                matches!(with(&[wrong]), Err(Problem::Colleague(_))),
                "{wrong}"
            );
        }
        assert!(matches!(
            with(&["201", "201"]),
            Err(Problem::SameColleague(_))
        ));
        assert!(matches!(
            with(&["201"; 101]),
            Err(Problem::TooManyColleagues(101))
        ));
    }

    #[test]
    fn settings_are_checked_too() {
        let with = |change: fn(&mut Settings)| {
            let mut config = Config::default();
            change(&mut config.settings);
            config.validate()
        };
        assert_eq!(with(|_| ()), Ok(()));
        assert_eq!(
            with(|it| it.ladder_days = 3_651),
            Err(Problem::LadderDays(3_651))
        );
        assert_eq!(with(|it| it.silence_limit_seconds = 0), Ok(()));
        assert_eq!(with(|it| it.silence_limit_seconds = 10), Ok(()));
        assert_eq!(
            with(|it| it.silence_limit_seconds = 9),
            Err(Problem::SilenceLimit(9))
        );
        assert_eq!(
            with(|it| it.silence_limit_seconds = 3_601),
            Err(Problem::SilenceLimit(3_601))
        );
        assert_eq!(with(|it| it.max_calls = 0), Err(Problem::MaxCalls(0)));
        assert_eq!(
            with(|it| it.dialling.calls_per_hour = 0),
            Err(Problem::CallsPerHour(0))
        );
        assert_eq!(
            with(|it| it.region = "germany".into()),
            Err(Problem::Region("germany".to_owned()))
        );
    }

    #[test]
    fn name_servers_are_few_and_addresses() {
        let check = |servers: &[&str]| {
            let mut config = Config::default();
            config.settings.name_servers = servers.iter().map(|&it| it.to_owned()).collect();
            let addresses = config.settings.name_server_addresses();
            config.validate().map(|()| addresses[0].to_string())
        };
        for (text, address) in [
            ("192.0.2.1", "192.0.2.1:53"),
            ("192.0.2.1:5353", "192.0.2.1:5353"),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]", "[2001:db8::1]:53"),
            ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
        ] {
            assert_eq!(check(&[text]), Ok(address.to_owned()));
        }
        for bad in ["", "dns.example.com", "192.0.2.1:99999"] {
            assert_eq!(check(&[bad]), Err(Problem::NameServer(bad.to_owned())));
        }
        assert_eq!(check(&["192.0.2.1"; 9]), Err(Problem::NameServers(9)));
    }
}
