//! HTTP and HTTPS: files that a server keeps, fetched within bounds.
//!
//! Of the web nothing else is believed than of SIP: the system's authorities vouch for a server, by TLS of ring.
//! Redirections are followed a few times, never to anything but `http` and `https`, and never from the one that
//! is protected to the other; a name and password in an address go to its own server alone. What the phone obeys,
//! such as settings, is fetched only where nobody on the way can change it.

use std::error::Error as _;
use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::{Action, Attempt, Policy};
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
    /// Whether it comes by HTTPS alone, or from this machine.
    pub protected: bool,
    /// Whether a web page is a file as well: a script may call so what it writes.
    pub pages: bool,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            size: 1 << 30,
            whole: Duration::from_secs(15 * 60),
            pause: Duration::from_secs(20),
            redirections: 5,
            protected: false,
            pages: false,
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
    /// It is one in the clear.
    #[error(
        "an address with http:// is refused, since anybody on the way could change what it sends; ask for one with https://"
    )]
    InTheClear,
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
    #[error("{0} lets nobody fetch it without signing in")]
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
    #[error("{0} sends a web page in place of a file, as for signing in")]
    WebPage(String),
    /// It is too large.
    #[error("the file is larger than {} MB", .0 >> 20)]
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

impl FetchError {
    /// Whether a person who opens the address in a browser may get the file still.
    pub fn may_be_browsed(&self) -> bool {
        matches!(
            self,
            Self::Forbidden(_) | Self::WebPage(_) | Self::TooLarge(_)
        )
    }
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

/// Whether nobody on the way can change what comes from there.
fn is_protected(url: &Url) -> bool {
    let here = url.host_str().is_some_and(|host| {
        let literal = host.trim_matches(['[', ']']);
        host == "localhost" || literal.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    });
    url.scheme() == "https" || (url.scheme() == "http" && here)
}

/// Fetches a file into `to`, piece by piece. `look` gets how much there is by now and, where the server says so, of
/// how much. Gives how many octets came.
///
/// # Errors
///
/// Fails as [`FetchError`] says; what was fetched by then is in `to`.
pub async fn fetch(
    from: &WebAddress,
    limits: FetchLimits,
    to: &mut impl Write,
    mut look: impl FnMut(u64, Option<u64>),
) -> Result<u64, FetchError> {
    if limits.protected && !is_protected(&from.0) {
        return Err(FetchError::InTheClear);
    }
    // Whom the system trusts is read from many files the first time.
    let client = tokio::task::spawn_blocking(move || client(limits))
        .await
        .map_err(|error| FetchError::Trust(error.to_string()))??;
    let asked = from.host();
    let sent = client.get(from.0.clone()).send().await;
    let mut answer = sent.map_err(|error| fault(&error, &asked))?;
    let host = answer.url().host_str().unwrap_or(&asked).to_owned();
    let page = answer
        .headers()
        .get(reqwest::header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    match answer.status() {
        StatusCode::OK if page && !limits.pages => return Err(FetchError::WebPage(host)),
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
    if whole.is_some_and(|whole| whole > limits.size) {
        return Err(FetchError::TooLarge(limits.size));
    }
    let mut got = 0;
    look(got, whole);
    while let Some(piece) = answer.chunk().await.map_err(|error| fault(&error, &host))? {
        got += piece.len() as u64;
        if got > limits.size {
            return Err(FetchError::TooLarge(limits.size));
        }
        to.write_all(&piece).map_err(FetchError::Disk)?;
        look(got, whole);
    }
    Ok(got)
}

/// Reads whom the system trusts, and makes a client that knows the limits.
fn client(limits: FetchLimits) -> Result<Client, FetchError> {
    let trust = |why: String| FetchError::Trust(why);
    let roots = match system_store() {
        Ok(roots) => roots,
        // Where the system trusts nobody, http works still.
        Err(_nobody) if !limits.protected => Arc::new(RootCertStore::empty()),
        Err(error) => return Err(trust(error.to_string())),
    };
    let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| trust(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("Ringdesk/", env!("CARGO_PKG_VERSION")))
        .referer(false)
        .connect_timeout(limits.pause)
        .read_timeout(limits.pause)
        .timeout(limits.whole)
        .redirect(Policy::custom(move |attempt| follow(attempt, limits)))
        .build()
        .map_err(|error| trust(error.to_string()))
}

/// Whether we go where a server sends us.
fn follow(attempt: Attempt<'_>, limits: FetchLimits) -> Action {
    let previous = attempt.previous();
    let was_protected = previous.iter().any(|url| url.scheme() == "https");
    let falls = was_protected && attempt.url().scheme() != "https";
    let open = limits.protected && !is_protected(attempt.url());
    if previous.len() > limits.redirections || falls || open || !is_web(attempt.url()) {
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
