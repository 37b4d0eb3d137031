//! What a configuration must satisfy beyond its form, in sentences for the person who wrote it.

use std::net::SocketAddr;

use crate::base::page_template::{self, NoPage};
use crate::base::port_range::NoPortRange;
use crate::base::uri::{SipUri, Uri};
use crate::base::zone::without_zones;
use crate::config::account::{Account, TransportChoice};
use crate::config::caller_id::NoCallerId;
use crate::config::dialling_rules::CALLS_PER_HOUR;
use crate::config::settings::{Colleague, Config, MICROPHONE_VOLUMES, Settings, VOLUMES};
use crate::config::tls::TlsOptions;

/// Every codec that an account may name, by encoding name in lower case, in the order of a new
/// account.
pub const CODECS: [&str; 4] = ["opus", "g722", "pcmu", "pcma"];

/// How much sound may be in a packet, in milliseconds.
pub const PACKET_MILLIS: [u32; 4] = [10, 20, 40, 60];

/// The lifetimes, in seconds, that a registration may ask for.
pub const EXPIRES_SECONDS: std::ops::RangeInclusive<u32> = 1..=86_400;

/// How long, in seconds, a call may ring.
pub const RING_LIMIT_SECONDS: std::ops::RangeInclusive<u32> = 1..=3_600;

/// How long, in seconds, a call may ring before it is sent elsewhere.
pub const FORWARD_AFTER_SECONDS: std::ops::RangeInclusive<u32> = 1..=600;

/// For how many days the SIP messages of calls may be kept.
pub const LADDER_DAYS: std::ops::RangeInclusive<u32> = 0..=3_650;

/// How many rows the lists of commands may show.
const LIST_LENGTHS: std::ops::RangeInclusive<u32> = 1..=100_000;

/// The longest time for what belongs to a call after it.
const MOST_WRAP_UP_SECONDS: u32 = 3_600;
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
    /// The packets are of no usual length.
    #[error("packet_millis is {0}; write 10, 20, 40 or 60 (20 is usual)")]
    PacketMillis(u32),
    /// The interval of the session timer is out of range.
    #[error(
        "session_expires is {0}; write 0 for none, or a number from 90 to 86400 (1800 is usual)"
    )]
    SessionExpires(u32),
    /// The STUN server is no host.
    #[error(
        "the STUN server \"{0}\" is not a host; write it as stun.example.com or stun.example.com:3478"
    )]
    StunServer(String),
    /// The TURN server is no host, or not over UDP.
    #[error(
        "the TURN server \"{0}\" cannot be used; write it as turn:relay.example.com or turn:relay.example.com:3478 (over UDP)"
    )]
    TurnServer(String),
    /// Only a relay is allowed, and there is none.
    #[error("relay_only sends sound by a TURN server alone; name one (turn), or set it to false")]
    RelayWithoutServer,
    /// Only a relay is allowed, and what would use it is off.
    #[error(
        "relay_only hides this computer's address by ICE, which is off; set enabled to true, or relay_only to false"
    )]
    RelayWithoutIce,
    /// No codec is left to talk with.
    #[error("codecs is empty; name at least one of opus, g722, pcmu, pcma")]
    NoCodec,
    /// A codec that this phone does not have.
    #[error("the codec \"{0}\" is unknown; this phone speaks opus, g722, pcmu and pcma")]
    UnknownCodec(String),
    /// A codec is named twice.
    #[error("the codec \"{0}\" is named twice; remove one")]
    SameCodec(String),
    /// Two actions have the same keys.
    #[error("answer_key and decline_key are both \"{0}\"; write another one for one of them")]
    SameKeys(String),
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
    /// The web page that belongs to its calls is none.
    #[error("{0}")]
    Page(#[from] NoPage),
    /// A caller id cannot be shown.
    #[error("{0}")]
    CallerId(#[from] NoCallerId),
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
    /// The time for wrap-up is out of range.
    #[error(
        "wrap_up_seconds is {0}; write a number of seconds from 1 to 3600 (30 is usual), or 0 for none"
    )]
    WrapUp(u32),
    /// The length of lists is out of range.
    #[error("list_length is {0}; write a number of rows from 1 to 100000 (100 is usual)")]
    ListLength(u32),
    /// A volume is out of range.
    #[error("{0}_volume is {1}; write a percentage from {2} to 150 (100 is usual)")]
    Volume(&'static str, u32, u32),
    /// The ports of sound are no range.
    #[error("rtp_ports is \"{0}\"; {1}")]
    RtpPorts(String, NoPortRange),
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
        for (name, volume, range) in [
            ("microphone", self.microphone_volume, MICROPHONE_VOLUMES),
            ("speaker", self.speaker_volume, VOLUMES),
            ("ringer", self.ringer_volume, VOLUMES),
        ] {
            if !range.contains(&volume) {
                let least = *range.start();
                return Err(Problem::Volume(name, volume, least));
            }
        }
        let silence = self.silence_limit_seconds;
        if silence != 0 && !SILENCE_LIMIT_SECONDS.contains(&silence) {
            return Err(Problem::SilenceLimit(silence));
        }
        if self.wrap_up_seconds > MOST_WRAP_UP_SECONDS {
            return Err(Problem::WrapUp(self.wrap_up_seconds));
        }
        if !LIST_LENGTHS.contains(&self.list_length) {
            return Err(Problem::ListLength(self.list_length));
        }
        let desktop = &self.desktop;
        if desktop.answer_key == desktop.decline_key {
            return Err(Problem::SameKeys(desktop.answer_key.to_string()));
        }
        if let Err(wrong) = self.port_range() {
            return Err(Problem::RtpPorts(self.rtp_ports.clone(), wrong));
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
        if !PACKET_MILLIS.contains(&self.packet_millis) {
            return Err(Problem::PacketMillis(self.packet_millis));
        }
        if !self.voicemail.is_empty() && !is_reachable(&self.voicemail) {
            return Err(Problem::Voicemail(self.voicemail.clone()));
        }
        if !self.page.is_empty() {
            page_template::check(&self.page)?;
        }
        self.extensions.validate()?;
        self.ice.validate()?;
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
        for rule in &rules.caller_ids {
            rule.validate()?;
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

/// Finds the first thing in a list of codecs that the phone could not work with.
///
/// # Errors
///
/// Fails with that thing.
pub fn codecs(names: &[String]) -> Result<(), Problem> {
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
mod tests;
