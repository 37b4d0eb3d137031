//! Whether the certificate of a server is believed: the chain is verified by webpki, the names by
//! ourselves after RFC 5922, against what the account names and never against what DNS answered.
//!
//! A pinned certificate is trusted for itself: neither its chain, its names nor its dates count,
//! only that the server has its key. A certificate that stands in the account's own `ca_file` may
//! be the server's own, as long as its names and dates are right.
//!
//! Not done: lists of revoked certificates are not fetched.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use x509_parser::certificate::X509Certificate;

use crate::base::uri::Host;
use crate::net::certificate_fault::{CertificateFault, Fingerprint, shown};
use crate::net::certificate_names::CertificateNames;

/// Who is believed.
#[derive(Debug, Clone)]
pub(crate) enum Trust {
    /// Authorities, and single certificates that may be a server's own.
    Authorities {
        roots: Arc<RootCertStore>,
        own: Vec<CertificateDer<'static>>,
    },
    /// One certificate and nothing else.
    Pinned(Fingerprint),
}

/// What is wrong, for a person and for the TLS library.
type Refusal = Box<(CertificateFault, Error)>;

fn refusal(fault: CertificateFault, error: Error) -> Refusal {
    Box::new((fault, error))
}

/// Verifies the server of one connection, and keeps what was wrong in words.
#[derive(Debug)]
pub(crate) struct Verifier {
    trust: Trust,
    /// One of them must be named.
    domains: Vec<Host>,
    algorithms: WebPkiSupportedAlgorithms,
    fault: OnceLock<CertificateFault>,
}

impl Verifier {
    /// Demands a certificate for one of the domains; the first is the one that sentences name.
    pub(crate) fn new(
        trust: Trust,
        domains: Vec<Host>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self {
            trust,
            domains,
            algorithms,
            fault: OnceLock::new(),
        }
    }

    /// What was wrong with the certificate, if that ended the handshake.
    pub(crate) fn fault(&self) -> Option<&CertificateFault> {
        self.fault.get()
    }

    fn domain(&self) -> Host {
        let first = self.domains.first().cloned();
        first.unwrap_or_else(|| Host::Name("the server".to_owned()))
    }

    fn check(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let domain = self.domain();
        let (roots, own) = match &self.trust {
            Trust::Authorities { roots, own } => (roots, own),
            Trust::Pinned(pinned) => {
                let shown = Fingerprint::of(certificate);
                return if shown == *pinned {
                    Ok(())
                } else {
                    let error = CertificateError::ApplicationVerificationFailure;
                    Err(refusal(
                        CertificateFault::NotPinned { domain, shown },
                        error.into(),
                    ))
                };
            }
        };
        let parsed = match x509_parser::parse_x509_certificate(certificate) {
            Ok((_, parsed)) => parsed,
            Err(error) => {
                let reason = error.to_string();
                let fault = CertificateFault::Unreadable { domain, reason };
                return Err(refusal(fault, CertificateError::BadEncoding.into()));
            }
        };
        let vouched = if own.contains(certificate) {
            check_dates(&parsed, now)
        } else {
            self.check_chain(certificate, intermediates, roots, now)
        };
        if let Err(error) = vouched {
            let fault = self.explain(&error, certificate, &parsed, now);
            return Err(refusal(fault, error));
        }
        let names = CertificateNames::of(&parsed);
        if self.domains.iter().any(|domain| names.fit(domain)) {
            return Ok(());
        }
        let names = shown(&names.listed());
        let fault = CertificateFault::WrongName { domain, names };
        Err(refusal(fault, CertificateError::NotValidForName.into()))
    }

    fn check_chain(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        roots: &RootCertStore,
        now: UnixTime,
    ) -> Result<(), Error> {
        rustls::client::verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(certificate)?,
            roots,
            intermediates,
            now,
            self.algorithms.all,
        )
    }

    /// Puts an error of the chain into words.
    fn explain(
        &self,
        error: &Error,
        certificate: &CertificateDer<'_>,
        parsed: &X509Certificate<'_>,
        now: UnixTime,
    ) -> CertificateFault {
        let domain = self.domain();
        let fingerprint = Fingerprint::of(certificate);
        let now = seconds(now);
        let (from, until) = (
            parsed.validity().not_before.timestamp(),
            parsed.validity().not_after.timestamp(),
        );
        let self_signed = parsed.issuer().as_raw() == parsed.subject().as_raw();
        let Error::InvalidCertificate(problem) = error else {
            let reason = shown(&error.to_string());
            return CertificateFault::Unreadable { domain, reason };
        };
        match problem {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } if until < now => {
                CertificateFault::Expired { domain, until, now }
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }
                if from > now =>
            {
                CertificateFault::NotYetValid { domain, from, now }
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                CertificateFault::AuthorityDates { domain, now }
            }
            CertificateError::Revoked => CertificateFault::Revoked { domain },
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                CertificateFault::WrongPurpose { domain }
            }
            CertificateError::BadSignature => CertificateFault::BadSignature {
                domain,
                issuer: shown(&parsed.issuer().to_string()),
            },
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                CertificateFault::WeakSignature { domain }
            }
            // webpki refuses an authority's certificate as a server's without a kind of its own;
            // in practice it is a certificate that was made by hand.
            _ if self_signed => CertificateFault::SelfSigned {
                domain,
                fingerprint,
            },
            CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer {
                domain,
                issuer: shown(&parsed.issuer().to_string()),
                fingerprint,
            },
            other => CertificateFault::Unreadable {
                domain,
                reason: shown(&other.to_string()),
            },
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.check(end_entity, intermediates, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(refusal) => {
                let (fault, error) = *refusal;
                // One connection verifies once.
                drop(self.fault.set(fault));
                Err(error)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn check_dates(certificate: &X509Certificate<'_>, now: UnixTime) -> Result<(), Error> {
    let validity = certificate.validity();
    if validity.not_after.timestamp() < seconds(now) {
        Err(CertificateError::Expired.into())
    } else if validity.not_before.timestamp() > seconds(now) {
        Err(CertificateError::NotValidYet.into())
    } else {
        Ok(())
    }
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType,
        ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
    };
    use rustls::crypto::ring::default_provider;

    use super::*;

    /// 2026-01-01.
    const NOW: u64 = 1_767_225_600;

    fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    fn server(name: &str) -> CertificateParams {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2025, 6, 1);
        params.not_after = date_time_ymd(2026, 6, 1);
        params
    }

    fn issued(params: &CertificateParams, by: &CertifiedIssuer<'static, KeyPair>) -> Certificate {
        params.signed_by(&KeyPair::generate().unwrap(), by).unwrap()
    }

    fn trusting(authorities: &[&Certificate], own: &[&Certificate]) -> Trust {
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots.add(authority.der().clone()).unwrap();
        }
        Trust::Authorities {
            roots: Arc::new(roots),
            own: own.iter().map(|it| it.der().clone()).collect(),
        }
    }

    fn verify_chain(
        trust: Trust,
        domains: &[&str],
        shown: &Certificate,
        intermediates: &[&Certificate],
    ) -> Result<(), String> {
        let domains = domains.iter().map(|it| Host::parse(it).unwrap()).collect();
        let algorithms = default_provider().signature_verification_algorithms;
        let verifier = Verifier::new(trust, domains, algorithms);
        let intermediates: Vec<_> = intermediates.iter().map(|it| it.der().clone()).collect();
        let name = ServerName::try_from("unused.example").unwrap();
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(NOW));
        match verifier.verify_server_cert(shown.der(), &intermediates, &name, &[], now) {
            Ok(_) => {
                assert_eq!(verifier.fault(), None);
                Ok(())
            }
            Err(_) => Err(verifier.fault().unwrap().to_string()),
        }
    }

    fn verify(trust: Trust, domain: &str, shown: &Certificate) -> Result<(), String> {
        verify_chain(trust, &[domain], shown, &[])
    }

    #[test]
    fn a_certificate_of_a_trusted_authority_for_the_domain_is_believed() {
        let root = authority("root");
        let shown = issued(&server("pbx.example.com"), &root);
        assert_eq!(
            verify(trusting(&[root.as_ref()], &[]), "pbx.example.com", &shown),
            Ok(())
        );
        let either = ["192.0.2.1", "pbx.example.com"];
        assert_eq!(
            verify_chain(trusting(&[root.as_ref()], &[]), &either, &shown, &[]),
            Ok(())
        );
    }

    #[test]
    fn an_intermediate_authority_links_the_chain() {
        let root = authority("root");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params
            .distinguished_name
            .push(DnType::CommonName, "between");
        let between =
            CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &root).unwrap();
        let shown = issued(&server("example.com"), &between);
        let trust = trusting(&[root.as_ref()], &[]);
        assert_eq!(
            verify_chain(trust.clone(), &["example.com"], &shown, &[between.as_ref()]),
            Ok(())
        );
        let alone = verify(trust, "example.com", &shown).unwrap_err();
        assert!(
            alone.contains("between") && alone.contains("not trusted"),
            "{alone}"
        );
    }

    #[test]
    fn each_fault_has_its_own_sentence() {
        let root = authority("root");
        let trust = trusting(&[root.as_ref()], &[]);
        let fault = |change: fn(&mut CertificateParams)| {
            let mut params = server("example.com");
            change(&mut params);
            verify(trust.clone(), "example.com", &issued(&params, &root)).unwrap_err()
        };
        let expired = fault(|it| it.not_after = date_time_ymd(2025, 12, 24));
        assert!(expired.contains("expired on 2025-12-24"), "{expired}");
        assert!(
            expired.contains("clock is wrong: it says 2026-01-01"),
            "{expired}"
        );
        let early = fault(|it| it.not_before = date_time_ymd(2026, 2, 3));
        assert!(early.contains("not valid before 2026-02-03"), "{early}");
        let purpose = fault(|it| {
            it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        });
        assert!(purpose.contains("may not be used by a server"), "{purpose}");
        let stranger = issued(&server("example.com"), &authority("stranger"));
        let unknown = verify(trust.clone(), "example.com", &stranger).unwrap_err();
        let fingerprint = Fingerprint::of(stranger.der()).to_string();
        assert!(
            unknown.contains("stranger") && unknown.contains("ca_file"),
            "{unknown}"
        );
        assert!(unknown.contains(&fingerprint), "{unknown}");
        let mut names = server("a.example.net");
        names
            .subject_alt_names
            .extend(server("b.example.net").subject_alt_names);
        let wrong = verify(trust, "example.com", &issued(&names, &root)).unwrap_err();
        assert!(
            wrong.contains("for a.example.net, b.example.net, not for example.com"),
            "{wrong}"
        );
    }

    #[test]
    fn an_impostor_with_the_name_of_a_trusted_authority_is_told_apart() {
        let (root, impostor) = (authority("root"), authority("root"));
        let shown = issued(&server("example.com"), &impostor);
        let trust = trusting(&[root.as_ref()], &[]);
        let refused = verify(trust, "example.com", &shown).unwrap_err();
        assert!(refused.contains("although it says so"), "{refused}");
    }

    #[test]
    fn a_server_that_vouches_for_itself_is_believed_only_when_it_was_named() {
        for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
            let mut params = server("example.com");
            params.is_ca = is_ca;
            let key = KeyPair::generate().unwrap();
            let shown = params.self_signed(&key).unwrap();
            let foreign = verify(
                trusting(&[authority("root").as_ref()], &[]),
                "example.com",
                &shown,
            );
            let foreign = foreign.unwrap_err();
            assert!(foreign.contains("signed by itself"), "{foreign}");
            let named = trusting(&[], &[&shown]);
            assert_eq!(verify(named.clone(), "example.com", &shown), Ok(()));
            assert!(
                verify(named, "example.net", &shown).is_err(),
                "its name counts"
            );
            params.not_after = date_time_ymd(2025, 12, 24);
            let late = params.self_signed(&key).unwrap();
            let late = verify(trusting(&[], &[&late]), "example.com", &late).unwrap_err();
            assert!(late.contains("expired on 2025-12-24"), "{late}");
        }
    }

    #[test]
    fn a_pinned_certificate_is_trusted_for_itself_and_no_other_is() {
        let mut params = server("anything.example");
        params.not_after = date_time_ymd(2025, 12, 24);
        let shown = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let pinned = Trust::Pinned(Fingerprint::of(shown.der()));
        assert_eq!(verify(pinned.clone(), "example.com", &shown), Ok(()));
        let root = authority("root");
        let other = issued(&server("example.com"), &root);
        let refused = verify(pinned, "example.com", &other).unwrap_err();
        assert!(refused.contains("another certificate"), "{refused}");
    }

    #[test]
    fn what_is_no_certificate_is_told_as_broken() {
        let algorithms = default_provider().signature_verification_algorithms;
        let domains = vec![Host::parse("example.com").unwrap()];
        let verifier = Verifier::new(trusting(&[], &[]), domains, algorithms);
        let name = ServerName::try_from("unused.example").unwrap();
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(NOW));
        for octets in [&b""[..], b"\x30\x80", &[0xff; 300]] {
            let shown = CertificateDer::from(octets);
            assert!(
                verifier
                    .verify_server_cert(&shown, &[], &name, &[], now)
                    .is_err()
            );
            assert!(verifier.fault().unwrap().to_string().contains("broken"));
        }
    }
}
