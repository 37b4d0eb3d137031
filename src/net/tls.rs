//! TLS 1.2 and 1.3 for any stream: whom we trust, as whom we appear, and what went
//! wrong, in sentences.
//!
//! Files are read for each connection, so that a renewed certificate counts at once; the system's
//! trust store is read once. Sessions are not resumed: a resumed one would not be verified again.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, ClientConfig, Error, PeerIncompatible, RootCertStore, ServerConfig,
    SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::base::flow::Peer;
use crate::base::uri::Host;
use crate::net::certificate_fault::Fingerprint;
use crate::net::trust::{Trust, Verifier};

/// How many certificates a file may hold; the whole system store has some 150.
const MAX_CERTIFICATES: usize = 1000;

/// Whom the connections of an account trust, and as whom they are opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsSettings {
    /// Authorities in PEM, in place of the system's; none means the system's.
    pub ca_file: Option<PathBuf>,
    /// The only certificate that is believed, whoever issued it.
    pub pinned: Option<Fingerprint>,
    /// What a server that asks for a certificate is shown.
    pub identity: Option<TlsIdentity>,
}

/// A certificate and its private key, in PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsIdentity {
    /// The certificate, followed by those of its intermediate authorities.
    pub certificate: PathBuf,
    /// The key, not encrypted.
    pub key: PathBuf,
}

/// Why a certificate, a key or an authority could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFileError {
    /// The file is not there, or may not be read.
    #[error("the {what} {} cannot be read ({source}); name a file that exists and that you may read", path.display())]
    Read {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("the {what} {} holds none in PEM (a text with -----BEGIN); convert it with openssl, a key without a passphrase", path.display())]
    Empty {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Key and certificate are strangers.
    #[error("the private key {} cannot be used with the certificate {} ({reason}); name the pair that belongs together", key.display(), certificate.display())]
    Pair {
        /// The file with the certificate.
        certificate: PathBuf,
        /// The file with the key.
        key: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// The system trusts nobody.
    #[error(
        "this system has no list of trusted authorities; install it (the package ca-certificates), or name your server's authority as ca_file"
    )]
    NoSystemStore,
}

/// Opens TLS on a fresh stream, or says in a sentence what is wrong.
pub(crate) async fn connect(
    stream: TcpStream,
    remote: SocketAddr,
    peer: &Peer,
    settings: TlsSettings,
) -> Result<TlsStream<TcpStream>, String> {
    // Files may lie on a slow disk.
    let domains = peer.domains.clone();
    let prepared = tokio::task::spawn_blocking(move || client(&settings, domains)).await;
    let (config, verifier, identity) = prepared
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())?;
    let domain = shown_domain(peer);
    let name = server_name(peer, remote)
        .ok_or_else(|| format!("{domain} is no name that a certificate could have; check it"))?;
    let opened = TlsConnector::from(Arc::new(config)).connect(name, stream);
    match opened.await {
        Ok(stream) => Ok(stream.into()),
        Err(error) => Err(match verifier.fault() {
            Some(fault) => fault.to_string(),
            None => handshake_problem(&domain, remote, &error, &identity),
        }),
    }
}

/// What accepts TLS as that identity.
///
/// # Errors
///
/// Fails when a file cannot be used.
pub(crate) fn acceptor(identity: &TlsIdentity) -> Result<TlsAcceptor, TlsFileError> {
    let key = certified(identity)?;
    let versions = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions();
    let unusable = |error: Error| TlsFileError::Pair {
        certificate: identity.certificate.clone(),
        key: identity.key.clone(),
        reason: error.to_string(),
    };
    let resolver = Arc::new(rustls::sign::SingleCertAndKey::from(key));
    let config = versions
        .map_err(unusable)?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What ended a stream under TLS after its handshake, in words; none for an end that may be.
pub(crate) fn stream_problem(error: &io::Error) -> Option<String> {
    match reason(error) {
        Some(Error::AlertReceived(AlertDescription::CertificateRequired)) => {
            Some(CERTIFICATE_DEMANDED.to_owned())
        }
        Some(Error::AlertReceived(alert))
            if refuses_certificate(*alert) || *alert == AlertDescription::DecryptError =>
        {
            Some(certificate_refused(*alert))
        }
        Some(error) => Some(format!("the TLS connection broke: {error}")),
        // Many peers end the stream without the farewell of TLS; messages have lengths of their own.
        None if error.kind() == io::ErrorKind::UnexpectedEof => None,
        None => Some(error.to_string()),
    }
}

const CERTIFICATE_DEMANDED: &str = "the server demands a certificate of this phone; get one from its operator and name it as client_certificate and client_key";

fn certificate_refused(alert: AlertDescription) -> String {
    format!(
        "the server refuses the certificate of this phone ({alert:?}); ask its operator, and check client_certificate"
    )
}

fn refuses_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

fn handshake_problem(
    domain: &Host,
    remote: SocketAddr,
    error: &io::Error,
    identity: &Identity,
) -> String {
    use AlertDescription as Alert;
    let Some(reason) = reason(error) else {
        return format!(
            "{domain} ({remote}) ended the connection while TLS was negotiated ({error}); check that this port speaks TLS (5061 is usual)"
        );
    };
    let asked = identity.asked.load(Ordering::Relaxed);
    let anonymous = asked && identity.key.is_none();
    match reason {
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | Error::AlertReceived(Alert::ProtocolVersion) => format!(
            "{domain} speaks only TLS 1.0 or 1.1, which can be broken and are refused (RFC 8996); update it, or switch TLS 1.2 on there"
        ),
        Error::AlertReceived(Alert::CertificateRequired) => CERTIFICATE_DEMANDED.to_owned(),
        Error::AlertReceived(Alert::HandshakeFailure | Alert::BadCertificate) if anonymous => {
            CERTIFICATE_DEMANDED.to_owned()
        }
        Error::AlertReceived(alert) if refuses_certificate(*alert) => certificate_refused(*alert),
        // Its authority has the name, and not the key, of one that the server trusts.
        Error::AlertReceived(Alert::DecryptError) if asked => {
            certificate_refused(Alert::DecryptError)
        }
        Error::AlertReceived(Alert::HandshakeFailure | Alert::InsufficientSecurity)
        | Error::PeerIncompatible(_) => format!(
            "{domain} has no encryption in common with this phone, so it offers only outdated ones; update it, or switch TLS 1.2 on there"
        ),
        Error::AlertReceived(Alert::UnrecognisedName) => format!(
            "the server at {remote} does not know the name {domain}; check the account's domain"
        ),
        Error::InvalidMessage(_) => format!(
            "{domain} ({remote}) does not speak TLS at this port; check the port (5061 is usual) and the transport"
        ),
        other => format!("TLS with {domain} ({remote}) failed: {other}; ask its operator"),
    }
}

fn reason(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref::<Error>()
}

/// As whom the phone appears, and whether it was asked.
#[derive(Debug)]
struct Identity {
    key: Option<Arc<CertifiedKey>>,
    asked: AtomicBool,
}

impl ResolvesClientCert for Identity {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        self.key.is_some()
    }
}

type Prepared = (ClientConfig, Arc<Verifier>, Arc<Identity>);

fn client(settings: &TlsSettings, domains: Vec<Host>) -> Result<Prepared, TlsFileError> {
    let provider = Arc::new(default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let verifier = Arc::new(Verifier::new(trust(settings)?, domains, algorithms));
    let key = settings.identity.as_ref().map(certified).transpose()?;
    let identity = Arc::new(Identity {
        key: key.map(Arc::new),
        asked: AtomicBool::new(false),
    });
    // The provider has both versions, so this does not fail; if it did, nothing would be trusted.
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_no_version| TlsFileError::NoSystemStore)?;
    let mut config = versions
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier) as _)
        .with_client_cert_resolver(Arc::clone(&identity) as _);
    config.resumption = Resumption::disabled();
    Ok((config, verifier, identity))
}

fn trust(settings: &TlsSettings) -> Result<Trust, TlsFileError> {
    if let Some(pinned) = settings.pinned {
        return Ok(Trust::Pinned(pinned));
    }
    match &settings.ca_file {
        None => Ok(Trust::Authorities {
            roots: system_store()?,
            own: Vec::new(),
        }),
        Some(path) => {
            let own = certificates("file of authorities", path)?;
            let mut roots = RootCertStore::empty();
            let (_, refused) = roots.add_parsable_certificates(own.iter().cloned());
            if refused > 0 {
                tracing::warn!(path = %path.display(), refused, "some authorities cannot be used");
            }
            Ok(Trust::Authorities {
                roots: Arc::new(roots),
                own,
            })
        }
    }
}

/// The authorities that the system trusts, read once.
pub(super) fn system_store() -> Result<Arc<RootCertStore>, TlsFileError> {
    static STORE: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let store = STORE.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "a part of the system's trust store cannot be read");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        Arc::new(roots)
    });
    if store.is_empty() {
        return Err(TlsFileError::NoSystemStore);
    }
    Ok(Arc::clone(store))
}

fn certified(identity: &TlsIdentity) -> Result<CertifiedKey, TlsFileError> {
    let chain = certificates("certificate", &identity.certificate)?;
    let key = private_key(&identity.key)?;
    CertifiedKey::from_der(chain, key, &default_provider()).map_err(|error| TlsFileError::Pair {
        certificate: identity.certificate.clone(),
        key: identity.key.clone(),
        reason: error.to_string(),
    })
}

fn certificates(
    what: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let pem = read(what, path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem)
        .take(MAX_CERTIFICATES)
        .collect();
    let path = path.to_owned();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(TlsFileError::Empty { what, path }),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsFileError> {
    let what = "private key";
    let pem = read(what, path)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_damaged| TlsFileError::Empty {
        what,
        path: path.to_owned(),
    })
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsFileError> {
    /// Thirty times the system's whole store.
    const MAX_BYTES: u64 = 8 << 20;
    let unreadable = |source| TlsFileError::Read {
        what,
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    io::Read::read_to_end(&mut io::Read::take(file, MAX_BYTES), &mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// The name in the handshake (SNI): the first domain; where all are addresses, none is sent.
fn server_name(peer: &Peer, remote: SocketAddr) -> Option<ServerName<'static>> {
    let name = peer.domains.iter().find_map(|domain| match domain {
        Host::Name(name) => Some(name.trim_end_matches('.').to_owned()),
        Host::V4(_) | Host::V6(_) => None,
    });
    match name {
        Some(name) => ServerName::try_from(name).ok(),
        None => Some(ServerName::from(remote.ip())),
    }
}

fn shown_domain(peer: &Peer) -> Host {
    let first = peer.domains.first().cloned();
    first.unwrap_or_else(|| Host::Name("the server".to_owned()))
}
