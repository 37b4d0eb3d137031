//! HTTP and HTTPS: files that a server keeps, fetched within bounds.
//!
//! Of the web nothing else is believed than of SIP: the system's authorities vouch for a server, by TLS of ring.
//! Redirections are followed a few times, never to anything but `http` and `https`, and never from the one that
//! is protected to the other; a name and password in an address go to its own server alone.

use std::error::Error as _;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, StatusCode, Url};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};

use crate::net::tls::system_store;

/// Within what a file is fetched.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// The largest file, in octets.
    pub size: u64,
    /// How long it may take as a whole.
    pub whole: Duration,
    /// How long a server may take to be reached, and between two pieces.
    pub pause: Duration,
    /// How often it may be elsewhere.
    pub redirections: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            size: 1 << 30,
            whole: Duration::from_secs(15 * 60),
            pause: Duration::from_secs(20),
            redirections: 5,
        }
    }
}

/// Why a file could not be fetched. No address is in it: one may hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// It is no address of the web.
    #[error("the address is none that can be fetched: it must begin with http:// or https://")]
    Address,
    /// TLS cannot be set up.
    #[error("no server can be trusted: {0}")]
    Trust(String),
    /// No connection.
    #[error("{host} cannot be reached: {why}; check the network and the address")]
    Unreachable {
        /// Who.
        host: String,
        /// Why.
        why: String,
    },
    /// It took too long.
    #[error("{0} took too long; try again later")]
    TooSlow(String),
    /// The server sends us elsewhere, and we do not go.
    #[error("{0} sends to another place that is not trusted, or too often; check the address")]
    Redirected(String),
    /// The server wants to know who asks.
    #[error("{0} lets nobody fetch it without signing in; open it in a browser")]
    Forbidden(String),
    /// The server has it not, or not any more.
    #[error("{0} has no such file any more")]
    Gone(String),
    /// The server is in trouble.
    #[error("{host} answers {status}; try again later")]
    Refused {
        /// Who.
        host: String,
        /// What it said.
        status: u16,
    },
    /// It is a page.
    #[error("{0} sends a web page in place of a file, as for signing in; open it in a browser")]
    WebPage(String),
    /// It is too large.
    #[error("the file is larger than {} MB; open it in a browser", .0 >> 20)]
    TooLarge(u64),
    /// The connection broke off.
    #[error("{host} broke off: {why}; try again")]
    BrokeOff {
        /// Who.
        host: String,
        /// Why.
        why: String,
    },
    /// It cannot be kept.
    #[error("the file cannot be kept: {0}; free some space")]
    Disk(#[source] io::Error),
}

/// An address of the web. It does not print itself: it may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct WebAddress(Url);

impl WebAddress {
    /// Whether a text means to be one, so that it is no file's name.
    pub fn is_meant(text: &str) -> bool {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        scheme.is_some_and(|name| {
            ["http", "https"]
                .iter()
                .any(|it| name.eq_ignore_ascii_case(it))
        })
    }

    /// Reads one.
    ///
    /// # Errors
    ///
    /// Fails when it is none of `http` or `https` with a host.
    pub fn parse(text: &str) -> Result<Self, FetchError> {
        let url = Url::parse(text.trim()).map_err(|_wrong| FetchError::Address)?;
        if !is_web(&url) || url.host_str().is_none() {
            return Err(FetchError::Address);
        }
        Ok(Self(url))
    }

    /// Whose it is.
    pub fn host(&self) -> String {
        self.0.host_str().unwrap_or_default().to_owned()
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// A client of the web.
pub struct WebClient {
    client: Client,
    limits: FetchLimits,
}

impl WebClient {
    /// Reads whom the system trusts, which may take a moment the first time.
    ///
    /// # Errors
    ///
    /// Fails when there is nobody to trust.
    pub fn new(limits: FetchLimits) -> Result<Self, FetchError> {
        let trust = |why: String| FetchError::Trust(why);
        // Where the system trusts nobody, http works still.
        let roots = system_store().unwrap_or_else(|_nobody| Arc::new(RootCertStore::empty()));
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| trust(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let most = limits.redirections;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("Ringdesk/", env!("CARGO_PKG_VERSION")))
            .referer(false)
            .connect_timeout(limits.pause)
            .read_timeout(limits.pause)
            .timeout(limits.whole)
            .redirect(Policy::custom(move |attempt| follow(attempt, most)))
            .build()
            .map_err(|error| trust(error.to_string()))?;
        Ok(Self { client, limits })
    }

    /// Fetches a file into `to`, piece by piece. `look` gets how much there is by now and, where the server says
    /// so, of how much.
    ///
    /// # Errors
    ///
    /// Fails as [`FetchError`] says; what was fetched by then is in `to`.
    pub async fn fetch(
        &self,
        from: &WebAddress,
        to: &mut impl Write,
        mut look: impl FnMut(u64, Option<u64>),
    ) -> Result<u64, FetchError> {
        let asked = from.host();
        let sent = self.client.get(from.0.clone()).send().await;
        let mut answer = sent.map_err(|error| fault(&error, &asked))?;
        let host = answer.url().host_str().unwrap_or(&asked).to_owned();
        let page = answer
            .headers()
            .get(reqwest::header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        match answer.status() {
            StatusCode::OK if page => return Err(FetchError::WebPage(host)),
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(FetchError::Forbidden(host));
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => return Err(FetchError::Gone(host)),
            status if status.is_redirection() => return Err(FetchError::Redirected(host)),
            status => {
                let status = status.as_u16();
                return Err(FetchError::Refused { host, status });
            }
        }
        let whole = answer.content_length();
        if whole.is_some_and(|whole| whole > self.limits.size) {
            return Err(FetchError::TooLarge(self.limits.size));
        }
        let mut got = 0;
        look(got, whole);
        while let Some(piece) = answer.chunk().await.map_err(|error| fault(&error, &host))? {
            got += piece.len() as u64;
            if got > self.limits.size {
                return Err(FetchError::TooLarge(self.limits.size));
            }
            to.write_all(&piece).map_err(FetchError::Disk)?;
            look(got, whole);
        }
        Ok(got)
    }
}

/// Whether we go where a server sends us.
fn follow(attempt: Attempt<'_>, most: usize) -> reqwest::redirect::Action {
    let protected = attempt.previous().iter().any(|url| url.scheme() == "https");
    let falls = protected && attempt.url().scheme() != "https";
    if attempt.previous().len() > most || falls || !is_web(attempt.url()) {
        return attempt.error("not followed");
    }
    attempt.follow()
}

fn fault(error: &reqwest::Error, host: &str) -> FetchError {
    let host = host.to_owned();
    if error.is_redirect() {
        return FetchError::Redirected(host);
    }
    if error.is_timeout() {
        return FetchError::TooSlow(host);
    }
    // The last cause says most, and names no address.
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    let why = cause.map_or_else(|| "the connection failed".to_owned(), ToString::to_string);
    if error.is_connect() {
        FetchError::Unreachable { host, why }
    } else {
        FetchError::BrokeOff { host, why }
    }
}

#[cfg(test)]
mod tests;
