//! The attributes of ICE, as a session or one stream has them (RFC 8839 section 5).

use std::fmt;
use std::net::SocketAddr;

use crate::base::redact::Secret;
use crate::sdp::ice::{Candidate, IceCredentials};

/// Candidates of one stream that are kept; who has five addresses of each family, a STUN and a TURN
/// server has forty.
pub(super) const MAX_CANDIDATES: usize = 48;
/// Components of one stream, and so the chosen candidates.
const MAX_CHOSEN: usize = 4;

/// What is said of ICE for a session or for one stream.
#[derive(Clone, Default)]
pub struct IceAttributes {
    /// `a=ice-ufrag`.
    pub fragment: Option<String>,
    /// `a=ice-pwd`.
    pub password: Option<Secret>,
    /// `a=ice-lite`: its writer answers checks and makes none.
    pub lite: bool,
    /// `a=ice-mismatch`: the default address of the offer was none of its candidates.
    pub mismatch: bool,
    /// `a=ice-options`, as written.
    pub options: Option<String>,
    /// `a=candidate`, those that are of use.
    pub candidates: Vec<Candidate>,
    /// `a=remote-candidates`: by component, the address of the reader that the writer has chosen.
    pub remote_candidates: Vec<(u8, SocketAddr)>,
    /// Whether candidates were left out because there were too many.
    pub cut: bool,
}

impl IceAttributes {
    /// Reads an attribute; says whether it is one of ICE.
    pub(crate) fn read(&mut self, name: &str, value: &str) -> bool {
        match name {
            "candidate" => match Candidate::parse(value) {
                Some(candidate) if self.candidates.len() < MAX_CANDIDATES => {
                    self.candidates.push(candidate);
                }
                Some(_) => self.cut = true,
                None => {}
            },
            "ice-ufrag" => self.fragment = Some(value.to_owned()),
            "ice-pwd" => self.password = Some(Secret::new(value)),
            "ice-lite" => self.lite = true,
            "ice-mismatch" => self.mismatch = true,
            "ice-options" => self.options = Some(value.to_owned()),
            "remote-candidates" => self.remote_candidates = chosen(value),
            // Nothing follows: all candidates are in the description anyway.
            "end-of-candidates" => {}
            _ => return false,
        }
        true
    }

    /// The credentials of a stream, with the session's as the default.
    pub(crate) fn credentials_or(&self, session: &Self) -> Option<IceCredentials> {
        let fragment = self.fragment.as_ref().or(session.fragment.as_ref())?;
        let password = self.password.as_ref().or(session.password.as_ref())?;
        IceCredentials::new(fragment, password.expose())
    }
}

/// Reads `1 192.0.2.3 45664 2 192.0.2.3 45665`.
fn chosen(value: &str) -> Vec<(u8, SocketAddr)> {
    let mut words = value.split_ascii_whitespace();
    let mut read = || {
        let component = words.next()?.parse().ok()?;
        let ip: std::net::IpAddr = words.next()?.parse().ok()?;
        Some((
            component,
            SocketAddr::new(ip.to_canonical(), words.next()?.parse().ok()?),
        ))
    };
    std::iter::from_fn(&mut read).take(MAX_CHOSEN).collect()
}

impl PartialEq for IceAttributes {
    fn eq(&self, other: &Self) -> bool {
        let told = |it: &Self| it.password.as_ref().map(|it| it.expose().to_owned());
        let flags = |it: &Self| (it.lite, it.mismatch, it.cut);
        flags(self) == flags(other)
            && (&self.fragment, &self.options) == (&other.fragment, &other.options)
            && told(self) == told(other)
            && self.candidates == other.candidates
            && self.remote_candidates == other.remote_candidates
    }
}

impl Eq for IceAttributes {}

impl fmt::Debug for IceAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceAttributes")
            .field("fragment", &self.fragment)
            .field("lite", &self.lite)
            .field("mismatch", &self.mismatch)
            .field("candidates", &self.candidates)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for IceAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lite {
            f.write_str("a=ice-lite\r\n")?;
        }
        if let Some(options) = &self.options {
            write!(f, "a=ice-options:{options}\r\n")?;
        }
        if let Some(fragment) = &self.fragment {
            write!(f, "a=ice-ufrag:{fragment}\r\n")?;
        }
        if let Some(password) = &self.password {
            write!(f, "a=ice-pwd:{}\r\n", password.expose())?;
        }
        if self.mismatch {
            f.write_str("a=ice-mismatch\r\n")?;
        }
        for candidate in &self.candidates {
            write!(f, "a=candidate:{candidate}\r\n")?;
        }
        for (place, (component, address)) in self.remote_candidates.iter().enumerate() {
            f.write_str(if place == 0 {
                "a=remote-candidates:"
            } else {
                " "
            })?;
            write!(f, "{component} {} {}", address.ip(), address.port())?;
        }
        if self.remote_candidates.is_empty() {
            Ok(())
        } else {
            f.write_str("\r\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::SessionDescription;

    const BROWSERLIKE: &str = "v=0\r\no=- 1 1 IN IP4 203.0.113.9\r\ns=-\r\nt=0 0\r\n\
        a=ice-options:trickle ice2\r\na=ice-ufrag:sess\r\na=ice-pwd:passwordofthesession00\r\n\
        m=audio 5000 RTP/AVP 0\r\nc=IN IP4 203.0.113.9\r\n\
        a=candidate:1 1 udp 2130706431 203.0.113.9 5000 typ host\r\n\
        a=candidate:1 2 udp 2130706430 203.0.113.9 5001 typ host\r\n\
        a=candidate:2 1 tcp 1518280447 203.0.113.9 9 typ host tcptype active\r\n\
        a=candidate:3 1 udp 2122260223 5d0a.local 5000 typ host\r\n\
        a=remote-candidates:1 192.0.2.3 45664 2 192.0.2.3 45665\r\n\
        a=end-of-candidates\r\n\
        m=audio 6000 RTP/AVP 0\r\na=ice-ufrag:mine\r\na=ice-pwd:passwordofthestream000\r\na=ice-mismatch\r\n";

    #[test]
    fn attributes_of_session_and_stream_are_read_and_written_alike() {
        let session = SessionDescription::parse(BROWSERLIKE.as_bytes()).unwrap();
        let [first, second] = &session.media[..] else {
            panic!("two streams");
        };
        let credentials = first.ice.credentials_or(&session.ice).unwrap();
        assert_eq!(credentials.fragment(), "sess");
        assert_eq!(first.ice.candidates.len(), 2, "UDP with addresses alone");
        assert_eq!(first.ice.remote_candidates.len(), 2);
        let credentials = second.ice.credentials_or(&session.ice).unwrap();
        assert_eq!(credentials.fragment(), "mine");
        assert!(second.ice.mismatch && !first.ice.mismatch);
        let again = SessionDescription::parse(session.to_string().as_bytes()).unwrap();
        assert_eq!(again, session);
        assert!(!format!("{session:?}").contains("passwordofthe"));
    }

    #[test]
    fn a_flood_of_candidates_is_cut() {
        let mut ice = IceAttributes::default();
        for port in 1..=500 {
            ice.read("candidate", &format!("1 1 UDP 7 192.0.2.1 {port} typ host"));
        }
        assert_eq!(ice.candidates.len(), MAX_CANDIDATES);
        assert!(ice.cut);
        ice.read("remote-candidates", &"1 192.0.2.3 9 ".repeat(500));
        assert_eq!(ice.remote_candidates.len(), MAX_CHOSEN);
    }
}
