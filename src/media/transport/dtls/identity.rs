//! The certificate by which this phone is known in handshakes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rtc::crypto::providers::{RingCrypto, RingProvider};
use rtc::dtls::cipher_suite::CipherSuiteId;
use rtc::dtls::config::{ClientAuthType, ConfigBuilder, HandshakeConfig};
use rtc::dtls::crypto::Certificate;
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;

use crate::sdp::{Fingerprint, FingerprintHash};

/// Between two tries of a flight. RFC 6347 section 4.2.4.1 has a second, and less where time matters:
/// until the keys are there nothing is heard.
pub(super) const FLIGHT_INTERVAL: Duration = Duration::from_millis(500);

/// Ciphers of the handshake itself, each with forward secrecy and authenticated encryption.
const CIPHERS: [CipherSuiteId; 4] = [
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_ChaCha20_Poly1305_Sha256,
];

/// How SRTP may be protected (RFC 5764 section 4.1.2, RFC 7714 section 14.2), the best first.
const PROFILES: [SrtpProtectionProfile; 4] = [
    SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
    SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
    SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
    SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32,
];

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
#[error("a certificate for encrypted sound (DTLS-SRTP) cannot be made: {0}")]
pub struct IdentityError(String);

/// A certificate of our own with its key, and how handshakes are done with it. It says nothing of its
/// owner, lives in memory alone and is made anew by each run of the phone, so that nobody is known
/// again by it for longer (RFC 8827 section 6.5 has such reasons).
#[derive(Clone)]
pub struct Identity {
    fingerprint: Fingerprint,
    pub(super) client: Arc<HandshakeConfig>,
    pub(super) server: Arc<HandshakeConfig>,
}

impl Identity {
    /// Makes one, with a key on the curve P-256 that is drawn from the system's random source.
    ///
    /// # Errors
    ///
    /// Fails when the system gives no random numbers.
    pub fn make() -> Result<Self, IdentityError> {
        let failed = |error: rtc::shared::error::Error| IdentityError(error.to_string());
        let certificate =
            Certificate::generate_self_signed(Vec::new(), &RingCrypto).map_err(failed)?;
        let encoded = certificate.certificate.first();
        let encoded = encoded.ok_or_else(|| IdentityError("it is empty".to_owned()))?;
        let fingerprint = Fingerprint::of(FingerprintHash::Sha256, encoded);
        let config = |is_client| {
            ConfigBuilder::default()
                .with_crypto_provider(Arc::new(RingProvider::new()))
                .with_certificates(vec![certificate.clone()])
                .with_cipher_suites(CIPHERS.to_vec())
                .with_srtp_protection_profiles(PROFILES.to_vec())
                .with_client_auth(ClientAuthType::RequireAnyClientCert)
                // No authority signs these certificates: they are known by their fingerprints, which
                // the owner of the association checks before it takes keys.
                .with_insecure_skip_verify(true)
                .with_flight_interval(FLIGHT_INTERVAL)
                .with_server_name("phone.invalid".to_owned())
                .build(is_client, None)
                .map(Arc::new)
                .map_err(failed)
        };
        Ok(Self {
            client: config(true)?,
            server: config(false)?,
            fingerprint,
        })
    }

    /// The certificate's fingerprint, which descriptions carry.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({}, ..)", self.fingerprint)
    }
}
