//! Whom a certificate names, in the sense of SIP (RFC 5922 section 7).
//!
//! SIP URIs among the subject's alternative names count before DNS names; the common name counts
//! only where there are no alternative names at all (section 7.1).
//!
//! Deviation from section 7.2: a DNS name may begin with the label `*`, which stands for exactly
//! one label, as RFC 6125 section 6.4.3 has it: most hosted PBXs show such a certificate. In a
//! SIP URI a wildcard never counts.

use std::net::IpAddr;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

use crate::base::uri::{Host, Uri};

/// How many names a sentence lists.
const SHOWN_NAMES: usize = 8;

/// How many labels must follow a wildcard: `*.com` would be half the world.
const LABELS_AFTER_WILDCARD: usize = 2;

/// The names of one certificate that count for SIP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CertificateNames {
    domains: Vec<Domain>,
    addresses: Vec<IpAddr>,
}

/// A domain that a certificate names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Domain {
    name: String,
    /// Whether its first label may be `*`.
    wildcard: bool,
}

impl CertificateNames {
    /// Gathers the names.
    pub(crate) fn of(certificate: &X509Certificate<'_>) -> Self {
        // A certificate that repeats the extension, or in which it cannot be read, names nobody.
        let alternative = match certificate.subject_alternative_name() {
            Ok(alternative) => alternative.map(|extension| &extension.value.general_names),
            Err(_) => return Self::default(),
        };
        match alternative {
            Some(names) => Self::of_alternative_names(names),
            None => {
                let common = certificate.subject().iter_common_name().last();
                let name = common.and_then(|name| name.as_str().ok());
                Self {
                    domains: name
                        .map(|name| Domain::new(name, true))
                        .into_iter()
                        .collect(),
                    addresses: Vec::new(),
                }
            }
        }
    }

    fn of_alternative_names(names: &[GeneralName<'_>]) -> Self {
        let (mut from_uris, mut domains, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        for name in names {
            match name {
                GeneralName::URI(uri) => match sip_domain(uri) {
                    Some(Host::Name(name)) => from_uris.push(Domain::new(&name, false)),
                    Some(Host::V4(ip)) => addresses.push(ip.into()),
                    Some(Host::V6(ip)) => addresses.push(ip.into()),
                    None => {}
                },
                GeneralName::DNSName(name) => domains.push(Domain::new(name, true)),
                GeneralName::IPAddress(octets) => addresses.extend(ip_address(octets)),
                GeneralName::OtherName(..)
                | GeneralName::RFC822Name(_)
                | GeneralName::X400Address(_)
                | GeneralName::DirectoryName(_)
                | GeneralName::EDIPartyName(_)
                | GeneralName::RegisteredID(_)
                | GeneralName::Invalid(..) => {}
            }
        }
        Self {
            domains: if from_uris.is_empty() {
                domains
            } else {
                from_uris
            },
            addresses,
        }
    }

    /// Whether the certificate is one for this domain or address.
    pub(crate) fn fit(&self, wanted: &Host) -> bool {
        match wanted {
            Host::Name(name) => self.domains.iter().any(|domain| domain.fits(name)),
            Host::V4(_) | Host::V6(_) => wanted
                .ip()
                .is_some_and(|ip| self.addresses.iter().any(|it| it.to_canonical() == ip)),
        }
    }

    /// The names for a sentence: `a.example, b.example and 3 more`; "nobody" when there are none.
    pub(crate) fn listed(&self) -> String {
        let domains = self.domains.iter().map(|domain| domain.name.clone());
        let addresses = self.addresses.iter().map(ToString::to_string);
        let mut names: Vec<String> = domains.chain(addresses).collect();
        names.dedup();
        let more = names.len().saturating_sub(SHOWN_NAMES);
        names.truncate(SHOWN_NAMES);
        if names.is_empty() {
            return "nobody".to_owned();
        }
        let list = names.join(", ");
        match more {
            0 => list,
            more => format!("{list} and {more} more"),
        }
    }
}

impl Domain {
    fn new(name: &str, wildcard: bool) -> Self {
        Self {
            name: name.trim_end_matches('.').to_ascii_lowercase(),
            wildcard,
        }
    }

    fn fits(&self, wanted: &str) -> bool {
        let wanted = wanted.trim_end_matches('.').to_ascii_lowercase();
        if self.name == wanted {
            return !wanted.is_empty() && !wanted.contains('*');
        }
        let Some(suffix) = self.name.strip_prefix("*.").filter(|_| self.wildcard) else {
            return false;
        };
        let labels = suffix.split('.').filter(|label| !label.is_empty()).count();
        labels >= LABELS_AFTER_WILDCARD
            && wanted
                .split_once('.')
                .is_some_and(|(first, rest)| !first.is_empty() && rest == suffix)
    }
}

/// The domain of a URI that stands for a whole domain: the scheme is `sip`, and there is no user
/// (RFC 5922 section 7.1).
fn sip_domain(uri: &str) -> Option<Host> {
    match Uri::parse(uri) {
        Ok(Uri::Sip(uri)) if !uri.secure && uri.user.is_none() => Some(uri.host),
        Ok(Uri::Sip(_) | Uri::Tel(_) | Uri::Other { .. }) | Err(_) => None,
    }
}

fn ip_address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from))
        .ok()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    fn names(common: &str, alternative: &[SanType]) -> CertificateNames {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, common);
        params.subject_alt_names = alternative.to_vec();
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate.der()).unwrap();
        CertificateNames::of(&parsed)
    }

    fn dns(name: &str) -> SanType {
        SanType::DnsName(name.try_into().unwrap())
    }

    fn uri(uri: &str) -> SanType {
        SanType::URI(uri.try_into().unwrap())
    }

    fn host(text: &str) -> Host {
        Host::parse(text).unwrap()
    }

    #[test]
    fn a_name_fits_without_regard_to_case_and_nothing_beside_it_does() {
        let names = names("x", &[dns("Example.com"), dns("pbx.example.net")]);
        for wanted in [
            "example.com",
            "EXAMPLE.COM",
            "example.com.",
            "pbx.example.net",
        ] {
            assert!(names.fit(&host(wanted)), "{wanted}");
        }
        for wanted in [
            "sip.example.com",
            "ample.com",
            "example.net",
            "com",
            "192.0.2.1",
        ] {
            assert!(!names.fit(&host(wanted)), "{wanted}");
        }
    }

    #[test]
    fn sip_uris_count_before_dns_names() {
        let names = names("x", &[dns("host.example.com"), uri("sip:example.com")]);
        assert!(names.fit(&host("example.com")));
        assert!(!names.fit(&host("host.example.com")));
    }

    #[test]
    fn uris_with_a_user_or_another_scheme_name_no_domain() {
        let foreign = [
            uri("sip:alice@example.com"),
            uri("sips:example.com"),
            uri("https://example.com"),
            dns("pbx.example.com"),
        ];
        let names = names("x", &foreign);
        assert!(!names.fit(&host("example.com")));
        assert!(names.fit(&host("pbx.example.com")), "there is no SIP URI");
    }

    #[test]
    fn a_wildcard_stands_for_one_first_label_of_a_dns_name() {
        let names = names(
            "x",
            &[dns("*.example.com"), dns("*.com"), dns("a.*.example.org")],
        );
        assert!(names.fit(&host("pbx.example.com")));
        for wanted in [
            "example.com",
            "a.pbx.example.com",
            "evil.com",
            "a.b.example.org",
        ] {
            assert!(!names.fit(&host(wanted)), "{wanted}");
        }
        let names = self::names("x", &[uri("sip:*.example.com")]);
        assert!(!names.fit(&host("pbx.example.com")), "never in a SIP URI");
    }

    #[test]
    fn the_common_name_counts_only_without_alternative_names() {
        assert!(names("pbx.example.com", &[]).fit(&host("pbx.example.com")));
        let names = names("pbx.example.com", &[dns("other.example.com")]);
        assert!(!names.fit(&host("pbx.example.com")));
    }

    #[test]
    fn addresses_fit_only_addresses() {
        let ip = |text: &str| SanType::IpAddress(text.parse().unwrap());
        let names = names(
            "192.0.2.9",
            &[ip("192.0.2.7"), ip("2001:db8::7"), dns("192.0.2.8")],
        );
        assert!(names.fit(&host("192.0.2.7")));
        assert!(names.fit(&host("[2001:db8::7]")));
        assert!(!names.fit(&host("192.0.2.8")), "a DNS name is no address");
        let names = self::names("192.0.2.9", &[]);
        assert!(
            !names.fit(&host("192.0.2.9")),
            "a common name is no address"
        );
    }

    #[test]
    fn the_names_are_listed_and_many_are_counted() {
        assert_eq!(names("x", &[uri("urn:x")]).listed(), "nobody");
        assert_eq!(names("pbx.example.com", &[]).listed(), "pbx.example.com");
        let many: Vec<SanType> = (0..11).map(|n| dns(&format!("h{n}.example"))).collect();
        let listed = names("x", &many).listed();
        assert!(listed.starts_with("h0.example, h1.example, "), "{listed}");
        assert!(listed.ends_with("h7.example and 3 more"), "{listed}");
    }
}
