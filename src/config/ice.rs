//! Whether the calls of an account find the way of their sound by ICE, and by which servers.

use serde::{Deserialize, Serialize};

use crate::config::validate::Problem;

/// The port of STUN and TURN over UDP (RFC 8489 section 18.6).
const PORT: u16 = 3478;

/// ICE of an account's calls.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IceOptions {
    /// Whether it is offered, and taken where the far end offers it (RFC 8445).
    pub enabled: bool,
    /// The STUN server as `host[:port]`; empty for none.
    pub stun: String,
    /// The TURN server as `turn:host[:port]`, over UDP; empty for none. Its password is kept with the
    /// others: see [`crate::config::secret`].
    pub turn: String,
    /// The user name there.
    pub turn_user: String,
    /// Whether sound goes by the TURN server alone, and the far end learns no other address.
    pub relay_only: bool,
}

impl IceOptions {
    /// Host and port of the STUN server.
    pub fn stun_server(&self) -> Option<(String, u16)> {
        host_and_port(self.stun.strip_prefix("stun:").unwrap_or(&self.stun))
    }

    /// Host and port of the TURN server.
    pub fn turn_server(&self) -> Option<(String, u16)> {
        let bare = self.turn.strip_prefix("turn:").unwrap_or(&self.turn);
        let bare = bare.strip_suffix("?transport=udp").unwrap_or(bare);
        host_and_port(bare)
    }

    /// Under which name the password of the TURN server is kept.
    pub fn secret_name(&self) -> Option<String> {
        let (host, port) = self.turn_server()?;
        Some(format!("turn:{}@{host}:{port}", self.turn_user))
    }

    /// Finds the first thing that the phone could not work with.
    ///
    /// # Errors
    ///
    /// Fails with that thing.
    pub fn validate(&self) -> Result<(), Problem> {
        if !self.stun.is_empty() && self.stun_server().is_none() {
            return Err(Problem::StunServer(self.stun.clone()));
        }
        if !self.turn.is_empty() && self.turn_server().is_none() {
            return Err(Problem::TurnServer(self.turn.clone()));
        }
        if self.relay_only && self.turn.is_empty() {
            return Err(Problem::RelayWithoutServer);
        }
        if self.relay_only && !self.enabled {
            return Err(Problem::RelayWithoutIce);
        }
        Ok(())
    }
}

/// Reads `host`, `host:port`, `[v6]:port` or a bare IPv6 address.
fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':')?)),
        None if text.parse::<std::net::Ipv6Addr>().is_ok() => (text, None),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let known =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
    let port = port.map_or(Ok(PORT), str::parse).ok()?;
    let sound = !host.is_empty() && host.len() <= 253 && host.bytes().all(known) && port != 0;
    sound.then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_as_people_and_the_rfc_write_them() {
        let with = |stun: &str, turn: &str| IceOptions {
            stun: stun.to_owned(),
            turn: turn.to_owned(),
            turn_user: "agent".to_owned(),
            ..IceOptions::default()
        };
        for (text, host, port) in [
            ("relay.example.com", "relay.example.com", 3478),
            ("relay.example.com:5349", "relay.example.com", 5349),
            ("192.0.2.1:80", "192.0.2.1", 80),
            ("[2001:db8::1]:3479", "2001:db8::1", 3479),
            ("[2001:db8::1]", "2001:db8::1", 3478),
            ("2001:db8::1", "2001:db8::1", 3478),
        ] {
            let expected = Some((host.to_owned(), port));
            let turn = format!("turn:{text}?transport=udp");
            for options in [with(text, &turn), with(&format!("stun:{text}"), text)] {
                assert_eq!(options.stun_server(), expected, "{text}");
                assert_eq!(options.turn_server(), expected, "{text}");
                assert_eq!(options.validate(), Ok(()));
            }
        }
        let name = with("", "turn:relay.example.com").secret_name();
        assert_eq!(name.as_deref(), Some("turn:agent@relay.example.com:3478"));
    }

    #[test]
    fn what_is_no_server_is_told_in_a_sentence() {
        for wrong in [
            "",
            ":",
            "a b",
            "host:0",
            "host:port",
            "[::1",
            "turns:host",
            "host:1:2",
        ] {
            assert_eq!(host_and_port(wrong), None, "{wrong}");
        }
        let tcp = IceOptions {
            turn: "turn:relay.example.com?transport=tcp".to_owned(),
            ..IceOptions::default()
        };
        let sentence = tcp.validate().unwrap_err().to_string();
        assert!(sentence.contains("turn:relay.example.com"), "{sentence}");
        let alone = IceOptions {
            relay_only: true,
            ..IceOptions::default()
        };
        assert_eq!(alone.validate(), Err(Problem::RelayWithoutServer));
        // It would show the address that it is meant to hide.
        let direct = IceOptions {
            relay_only: true,
            turn: "turn:relay.example.com".to_owned(),
            ..IceOptions::default()
        };
        assert_eq!(direct.validate(), Err(Problem::RelayWithoutIce));
        let relayed = IceOptions {
            enabled: true,
            ..direct
        };
        assert_eq!(relayed.validate(), Ok(()));
    }
}
