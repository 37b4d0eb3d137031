use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;

use super::*;

/// A server that answers each connection with the next of these, and tells what was asked.
struct Server {
    address: SocketAddr,
    asked: mpsc::Receiver<String>,
}

impl Server {
    fn answering(answers: Vec<Vec<u8>>) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let (told, asked) = mpsc::sync_channel(16);
        std::thread::Builder::new()
            .spawn(move || {
                for answer in answers {
                    let (mut peer, _) = socket.accept().unwrap();
                    let mut request = Vec::new();
                    let mut byte = [0];
                    while !request.ends_with(b"\r\n\r\n") && peer.read(&mut byte).unwrap() > 0 {
                        request.push(byte[0]);
                    }
                    told.send(String::from_utf8(request).unwrap()).unwrap();
                    // Who has seen enough hangs up.
                    drop(peer.write_all(&answer));
                }
            })
            .unwrap();
        Self { address, asked }
    }

    fn address(&self, rest: &str) -> WebAddress {
        WebAddress::parse(&format!("http://{}/{rest}", self.address)).unwrap()
    }
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut answer =
        format!("HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")
            .into_bytes();
    answer.extend(body);
    answer
}

fn elsewhere(place: &str) -> Vec<u8> {
    answer(&format!("302 Found\r\nLocation: {place}"), b"")
}

/// How much there was, and of how much, each time that it was told.
type Seen = Vec<(u64, Option<u64>)>;

/// What the phone obeys comes so.
fn protected() -> FetchLimits {
    FetchLimits {
        protected: true,
        ..FetchLimits::default()
    }
}

/// Fetches within these limits; gives what came and what was seen on the way.
fn fetched(from: &WebAddress, limits: FetchLimits) -> (Result<Vec<u8>, FetchError>, Seen) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut came = Vec::new();
    let mut seen = Vec::new();
    let look = |got, whole| seen.push((got, whole));
    let done = runtime.block_on(fetch(from, limits, &mut came, look));
    (done.map(|_| came), seen)
}

fn failed(from: &WebAddress, limits: FetchLimits) -> String {
    fetched(from, limits).0.unwrap_err().to_string()
}

#[test]
fn a_file_comes_in_pieces_and_is_counted() {
    let body = vec![7; 300_000];
    let server = Server::answering(vec![answer("200 OK", &body)]);
    let (came, seen) = fetched(&server.address("call.wav"), FetchLimits::default());
    assert_eq!(came.unwrap(), body);
    assert_eq!(seen.first(), Some(&(0, Some(300_000))));
    assert_eq!(seen.last(), Some(&(300_000, Some(300_000))));
    assert!(seen.len() > 2);
    let asked = server.asked.recv().unwrap();
    assert!(asked.starts_with("GET /call.wav HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("user-agent: Ringdesk/"), "{asked}");
}

#[test]
fn only_so_much_is_taken_whatever_the_server_says() {
    let limits = FetchLimits {
        size: 1 << 20,
        ..FetchLimits::default()
    };
    let fits = vec![7; 1 << 20];
    let server = Server::answering(vec![answer("200 OK", &fits)]);
    let (came, _) = fetched(&server.address("call.wav"), limits);
    assert_eq!(came.unwrap(), fits);
    let body = vec![7; (1 << 20) + 1];
    let mut unsaid = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    unsaid.extend(&body);
    let server = Server::answering(vec![answer("200 OK", &body), unsaid]);
    for _ in 0..2 {
        let why = failed(&server.address("call.wav"), limits);
        assert!(why.contains("larger than 1 MB"), "{why}");
    }
}

#[test]
fn a_slow_server_is_not_waited_for() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = WebAddress::parse(&format!("http://{}/a", socket.local_addr().unwrap())).unwrap();
    let limits = FetchLimits {
        pause: Duration::from_millis(200),
        ..FetchLimits::default()
    };
    let why = failed(&silent, limits);
    assert!(why.contains("took too long"), "{why}");
}

#[test]
fn redirections_are_followed_a_few_times_and_only_within_the_web() {
    let server = Server::answering(vec![elsewhere("/there"), answer("200 OK", b"sound")]);
    let (came, _) = fetched(&server.address("here"), FetchLimits::default());
    assert_eq!(came.unwrap(), b"sound");
    let round = Server::answering(vec![elsewhere("/"); 6]);
    let why = failed(&round.address(""), FetchLimits::default());
    assert!(why.contains("too often"), "{why}");
    for place in ["file:///etc/passwd", "ftp://pbx.example/a", "data:,a"] {
        let server = Server::answering(vec![elsewhere(place)]);
        let why = failed(&server.address(""), FetchLimits::default());
        assert!(why.contains("not trusted"), "{place}: {why}");
    }
}

#[test]
fn a_password_goes_to_its_own_server_and_to_no_other() {
    let other = Server::answering(vec![answer("200 OK", b"sound")]);
    let place = format!("http://{}/there", other.address);
    let own = Server::answering(vec![elsewhere(&place)]);
    let address = format!("http://sam:secret@{}/here", own.address);
    let (came, _) = fetched(
        &WebAddress::parse(&address).unwrap(),
        FetchLimits::default(),
    );
    assert_eq!(came.unwrap(), b"sound");
    let asked = own.asked.recv().unwrap().to_lowercase();
    assert!(asked.contains("authorization: basic"), "{asked}");
    let asked = other.asked.recv().unwrap().to_lowercase();
    for secret in ["authorization", "cookie", "referer", "secret"] {
        assert!(!asked.contains(secret), "{asked}");
    }
}

#[test]
fn each_refusal_is_a_sentence_without_the_address() {
    for (head, words) in [
        ("401 Unauthorized", "without signing in"),
        ("403 Forbidden", "without signing in"),
        ("404 Not Found", "no such file any more"),
        ("500 Oops", "answers 500"),
        (
            "200 OK\r\nContent-Type: text/html; charset=utf-8",
            "a web page",
        ),
    ] {
        let server = Server::answering(vec![answer(head, b"<html>")]);
        let why = failed(&server.address("a?token=secret"), FetchLimits::default());
        assert!(why.contains(words) && !why.contains("secret"), "{why}");
    }
    let mut half = answer("200 OK", &[7; 100]);
    half.truncate(120);
    let server = Server::answering(vec![half]);
    let why = failed(&server.address("a?token=secret"), FetchLimits::default());
    assert!(
        why.contains("broke off") && !why.contains("secret"),
        "{why}"
    );
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let nobody = format!("http://sam:secret@{gone}/a?token=secret");
    let nobody = WebAddress::parse(&nobody).unwrap();
    let why = failed(&nobody, FetchLimits::default());
    assert!(
        why.contains("cannot be reached") && !why.contains("secret"),
        "{why}"
    );
}

#[test]
fn what_is_no_address_of_the_web_is_none() {
    for text in [
        "file:///etc/passwd",
        "/tmp/call.wav",
        "ftp://a/b",
        "http://",
        "javascript:a",
    ] {
        assert!(WebAddress::parse(text).is_err(), "{text}");
    }
    assert!(WebAddress::is_meant("HTTPS://pbx.example/a"));
    for text in ["/tmp/http://a.wav", "C:\\call.wav", "http.wav", "ftp://a/b"] {
        assert!(!WebAddress::is_meant(text), "{text}");
    }
    let address = WebAddress::parse(" https://sam:secret@pbx.example:8443/a ").unwrap();
    assert_eq!(address.host(), "pbx.example");
}

#[test]
fn what_must_be_protected_comes_by_https_or_from_this_machine() {
    let server = Server::answering(vec![elsewhere("/there"), answer("200 OK", b"settings")]);
    let (came, _) = fetched(&server.address("here"), protected());
    assert_eq!(came.unwrap(), b"settings");
    for open in ["http://192.0.2.1/p.toml", "http://localhost.example/p.toml"] {
        let why = failed(&WebAddress::parse(open).unwrap(), protected());
        assert!(why.contains("ask for one with https://"), "{open}: {why}");
        let server = Server::answering(vec![elsewhere(open)]);
        let why = failed(&server.address(""), protected());
        assert!(why.contains("not trusted"), "{open}: {why}");
    }
    for own in ["https://pbx.example/", "http://localhost/", "http://[::1]/"] {
        assert!(is_protected(&Url::parse(own).unwrap()), "{own}");
    }
}

#[test]
fn a_page_is_a_file_where_it_may_be_one() {
    let limits = FetchLimits {
        pages: true,
        ..FetchLimits::default()
    };
    let page = answer("200 OK\r\nContent-Type: text/html", b"settings");
    let server = Server::answering(vec![page]);
    let (came, _) = fetched(&server.address("settings.php"), limits);
    assert_eq!(came.unwrap(), b"settings");
}
