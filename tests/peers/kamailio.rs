//! Kamailio as registrar and record-routing proxy for `lab.example`, with the users alice and bob.

use std::ffi::OsString;
use std::fs::File;
use std::process::{Child, Stdio};

use tempfile::TempDir;

use crate::certificates::Pair;
use crate::place;

/// The password of both users.
pub(crate) const PASSWORD: &str = "open sesame";

/// A running Kamailio.
#[derive(Debug)]
pub(crate) struct Kamailio {
    child: Child,
    ip: String,
    port: u16,
    /// TLS and WSS, where it has a certificate.
    tls_port: Option<u16>,
    _folder: TempDir,
}

/// As whom it accepts TLS, and whom it lets in.
#[derive(Debug, Clone)]
pub(crate) struct Secured {
    /// What it shows.
    pub(crate) pair: Pair,
    /// The authorities of clients, when they must show a certificate.
    pub(crate) clients: Option<String>,
}

impl Secured {
    /// With that certificate, for everybody.
    pub(crate) fn by(pair: &Pair) -> Self {
        Self {
            pair: pair.clone(),
            clients: None,
        }
    }

    /// As Kamailio's tls module reads it.
    fn text(&self) -> String {
        let demand = if self.clients.is_some() { "yes" } else { "no" };
        let authorities = self
            .clients
            .as_ref()
            .map(|file| format!("ca_list = {file}\n"))
            .unwrap_or_default();
        let (certificate, key) = (self.pair.certificate.display(), self.pair.key.display());
        format!(
            "[server:default]\nmethod = TLSv1.2+\nverify_certificate = {demand}\n\
             require_certificate = {demand}\nprivate_key = {key}\ncertificate = {certificate}\n\
             {authorities}\n[client:default]\nverify_certificate = no\nrequire_certificate = no\n"
        )
    }
}

impl Kamailio {
    /// Starts it on a port of 127.0.0.1 over UDP and TCP; it is ready when this returns.
    ///
    /// `defines` are switches of kamailio.cfg.
    pub(crate) fn start(defines: &[&str]) -> Self {
        Self::start_with(&[], "127.0.0.1", place::ports(1), defines, None)
    }

    /// The same at another address, behind a program that starts it elsewhere.
    pub(crate) fn start_at(prefix: &[OsString], ip: &str, port: u16, defines: &[&str]) -> Self {
        Self::start_with(prefix, ip, port, defines, None)
    }

    /// The same, and on a second port over TLS and WSS; the first one then also takes WS.
    pub(crate) fn start_secured(defines: &[&str], secured: &Secured) -> Self {
        Self::start_with(&[], "127.0.0.1", place::ports(1), defines, Some(secured))
    }

    /// Both: at another address, and over TLS and WSS.
    pub(crate) fn start_secured_at(
        prefix: &[OsString],
        ip: &str,
        port: u16,
        secured: &Secured,
    ) -> Self {
        Self::start_with(prefix, ip, port, &[], Some(secured))
    }

    fn start_with(
        prefix: &[OsString],
        ip: &str,
        port: u16,
        defines: &[&str],
        secured: Option<&Secured>,
    ) -> Self {
        place::need("kamailio");
        let folder = TempDir::new().unwrap();
        let tls_port = secured.map(|_| place::ports(1));
        let log = File::create(folder.path().join("log")).unwrap();
        let program = ["/usr/sbin/kamailio", "/sbin/kamailio"]
            .into_iter()
            .find(|path| std::path::Path::new(path).exists())
            .unwrap_or("kamailio");
        let mut command = place::command(prefix, program);
        command
            .arg("-f")
            .arg(place::root().join("tests/peers/kamailio.cfg"))
            // Stay in the foreground, log to stderr, use little memory and a private folder.
            .args(["-DD", "-E", "-m", "64", "-M", "8", "-Y"])
            .arg(folder.path())
            .arg("-w")
            .arg(folder.path())
            .arg("-P")
            .arg(folder.path().join("pid"))
            .args(["-l", &format!("udp:{ip}:{port}")])
            .args(["-l", &format!("tcp:{ip}:{port}")]);
        for define in defines {
            command.args(["-A", define]);
        }
        if let (Some(secured), Some(tls_port)) = (secured, tls_port) {
            let settings = folder.path().join("tls.cfg");
            std::fs::write(&settings, secured.text()).unwrap();
            command
                .args(["-l", &format!("tls:{ip}:{tls_port}")])
                .args(["-A", "WITH_TLS"])
                .args(["-A", &format!("TLS_SETTINGS=\"{}\"", settings.display())]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        place::until_udp_bound_by(child.id(), port);
        place::until_tcp_listens_by(child.id(), port);
        if let Some(tls_port) = tls_port {
            place::until_tcp_listens_by(child.id(), tls_port);
        }
        Self {
            child,
            ip: ip.to_owned(),
            port,
            tls_port,
            _folder: folder,
        }
    }

    /// Its port, of UDP and TCP.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Its port of TLS and WSS, where it has a certificate.
    pub(crate) fn tls_port(&self) -> Option<u16> {
        self.tls_port
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.ip, self.port)
    }
}

impl Kamailio {
    /// Where it listens by that transport.
    pub(crate) fn address_of(&self, transport: &str) -> String {
        match (transport, self.tls_port) {
            ("tls" | "wss", Some(port)) => format!("{}:{port}", self.ip),
            _ => self.address(),
        }
    }
}

impl Kamailio {
    /// The options of a user's phone.
    pub(crate) fn options(&self, user: &str, transport: &str) -> Vec<String> {
        let address = self.address_of(transport);
        [
            "--account",
            &format!("sip:{user}@lab.example"),
            "--registrar",
            &address,
            "--outbound-proxy",
            &format!("sip:{address};transport={transport};lr"),
            "--transport",
            transport,
            "--password-env",
            "RINGDESK_TEST_PASSWORD",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// The same for a phone that trusts the authorities in a file.
    pub(crate) fn secured_options(&self, user: &str, transport: &str, ca: &str) -> Vec<String> {
        let more = ["--websocket-path", "/ws", "--tls-ca", ca].map(str::to_owned);
        [self.options(user, transport), more.to_vec()].concat()
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Its main process ends the others.
        place::terminate(self.child.id());
        let _reaped = self.child.wait();
    }
}
