//! One small file from an administrator's web server, by HTTPS; by HTTP only where it lies on this machine, for
//! whoever stands in between could write what he wants.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, Url};
use rustls::ClientConfig;
use rustls::crypto::ring::default_provider;

use crate::net::tls::system_store;

/// How long it may take as a whole.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the server may take to be reached.
const CONNECT: Duration = Duration::from_secs(10);
/// How often it may be elsewhere.
const REDIRECTIONS: usize = 3;

/// Why a file could not be fetched. No address is in it: one may hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// It is no address of the web.
    #[error("the address is none; it must begin with https://")]
    Address,
    /// It is one in the clear.
    #[error(
        "an address with http:// is refused, since anybody on the way could change what it sends; ask for one with https://"
    )]
    InTheClear,
    /// Nobody is trusted.
    #[error("no server can be trusted: {0}")]
    Trust(String),
    /// The server or the way to it.
    #[error("{host}: {why}")]
    Server {
        /// Whose it is.
        host: String,
        /// What is wrong.
        why: String,
    },
    /// It is too large.
    #[error("it is larger than {} KiB", .0 >> 10)]
    TooLarge(usize),
}

/// Fetches a file of at most so many octets.
///
/// # Errors
///
/// See [`FetchError`].
pub async fn fetch(address: &str, most: usize) -> Result<Vec<u8>, FetchError> {
    let url = Url::parse(address.trim()).or(Err(FetchError::Address))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(FetchError::Address);
    }
    if !may(&url) {
        return Err(FetchError::InTheClear);
    }
    let host = url.host_str().unwrap_or_default().to_owned();
    let fault = |error: &reqwest::Error| FetchError::Server {
        host: host.clone(),
        why: why(error),
    };
    let sent = client()?.get(url).send().await;
    let mut answer = sent.map_err(|error| fault(&error))?;
    if !answer.status().is_success() {
        return Err(FetchError::Server {
            why: format!("it answers {}", answer.status().as_u16()),
            host,
        });
    }
    let mut octets = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| fault(&error))? {
        if octets.len().saturating_add(piece.len()) > most {
            return Err(FetchError::TooLarge(most));
        }
        octets.extend_from_slice(&piece);
    }
    Ok(octets)
}

/// Whether nobody on the way can change what comes.
fn may(url: &Url) -> bool {
    let here = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse()
            .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && here)
}

fn client() -> Result<Client, FetchError> {
    let trust = |why: String| FetchError::Trust(why);
    let roots = system_store().map_err(|error| trust(error.to_string()))?;
    let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| trust(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("Ringdesk/", env!("CARGO_PKG_VERSION")))
        .referer(false)
        .connect_timeout(CONNECT)
        .timeout(PATIENCE)
        .redirect(Policy::custom(follow));
    client.build().map_err(|error| trust(error.to_string()))
}

fn follow(attempt: Attempt<'_>) -> Action {
    if attempt.previous().len() > REDIRECTIONS || !may(attempt.url()) {
        return attempt.error("it sends to another place that is not followed");
    }
    attempt.follow()
}

/// The last cause says most, and names no address.
fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer in time".to_owned();
    }
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    cause.map_or_else(|| "the connection failed".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that gives each of these answers once, in order.
    async fn server(answers: Vec<String>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/p.toml", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 2048];
                assert!(stream.read(&mut request).await.unwrap() > 0);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        address
    }

    fn ok(body: &str) -> String {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    #[tokio::test]
    async fn a_file_comes_within_its_bound_and_not_beyond() {
        let address = server(vec![ok("twelve bytes"), ok("twelve bytes")]).await;
        assert_eq!(fetch(&address, 12).await.unwrap(), b"twelve bytes");
        assert!(matches!(
            fetch(&address, 11).await,
            Err(FetchError::TooLarge(11))
        ));
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_without_the_address() {
        let refuse = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let address = server(vec![refuse.to_owned()]).await;
        let error = fetch(&address, 9).await.unwrap_err().to_string();
        assert_eq!(error, "127.0.0.1: it answers 404");
        let away = "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let address = server(vec![away.to_owned()]).await;
        let error = fetch(&address, 9).await.unwrap_err().to_string();
        assert!(error.contains("not followed"), "{error}");
        for (address, words) in [
            ("http://example.com/p.toml", "https://"),
            ("ftp://example.com/p.toml", "begin with https"),
            ("p.toml", "begin with https"),
        ] {
            let error = fetch(address, 9).await.unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        let gone = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let address = format!("http://user:secret@{gone}/p.toml");
        let error = fetch(&address, 9).await.unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
