//! Two accounts of different countries: what a number without a country code means is said by the account at
//! which its call came, or from which it is dialled.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::phone::{Phone, ringdesk};
use crate::place::PATIENCE;

/// An exchange: it takes registrations, calls the phone that registered, and refuses what that one dials.
struct Exchange {
    socket: UdpSocket,
    /// Where the phone is, and the address under which it wants to be called.
    phone: Option<(SocketAddr, String)>,
    calls: u32,
}

impl Exchange {
    fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            socket,
            phone: None,
            calls: 0,
        }
    }

    fn domain(&self) -> String {
        self.socket.local_addr().unwrap().to_string()
    }

    /// The address of the account there.
    fn account(&self) -> String {
        format!("sip:desk@{}", self.domain())
    }

    /// The next request of a method.
    fn request(&self, method: &str) -> (SocketAddr, String) {
        let mut datagram = [0; 8192];
        loop {
            let (length, from) = self.socket.recv_from(&mut datagram).unwrap();
            let text = String::from_utf8_lossy(&datagram[..length]).into_owned();
            if text.starts_with(&format!("{method} ")) {
                return (from, text);
            }
        }
    }

    fn respond(&self, to: SocketAddr, request: &str, status: &str) {
        let copied = ["Via:", "From:", "Call-ID:", "CSeq:", "Contact:"];
        let copied = request
            .lines()
            .filter(|line| copied.iter().any(|name| line.starts_with(name)));
        let copied: String = copied.map(|line| format!("{line}\r\n")).collect();
        let callee = request.lines().find(|line| line.starts_with("To:"));
        let response = format!(
            "SIP/2.0 {status}\r\n{copied}{};tag=x\r\nContent-Length: 0\r\n\r\n",
            callee.unwrap()
        );
        self.socket.send_to(response.as_bytes(), to).unwrap();
    }

    fn takes_registration(&mut self) {
        let (from, register) = self.request("REGISTER");
        self.respond(from, &register, "200 OK");
        let contact = register.split_once("\r\nContact: <").unwrap().1;
        let contact = contact.split_once('>').unwrap().0.to_owned();
        self.phone = Some((from, contact));
    }

    /// Calls the phone as its own subscribers write numbers, and gives up once its row is there; the row.
    fn rings(&mut self, phone: &mut Phone, caller: &str, called: &str) -> Value {
        self.calls += 1;
        let (to, contact) = self.phone.clone().unwrap();
        let (domain, call) = (self.domain(), self.calls);
        let request = |method: &str| {
            format!(
                "{method} {contact} SIP/2.0\r\n\
                 Via: SIP/2.0/UDP {domain};rport;branch=z9hG4bK-{call}\r\n\
                 Max-Forwards: 70\r\n\
                 From: <sip:{caller}@{domain}>;tag=f{call}\r\n\
                 To: <sip:{called}@{domain}>\r\n\
                 Call-ID: {call}-of-{domain}\r\n\
                 CSeq: 1 {method}\r\n\
                 Contact: <sip:{caller}@{domain}>\r\n\
                 Content-Length: 0\r\n\r\n"
            )
        };
        self.socket
            .send_to(request("INVITE").as_bytes(), to)
            .unwrap();
        phone.wait("incoming");
        self.socket
            .send_to(request("CANCEL").as_bytes(), to)
            .unwrap();
        phone.wait("ended");
        phone.calls().remove(0)
    }

    /// Says that a number that the phone dials here is busy; what was dialled, and the row.
    fn is_busy(&self, phone: &mut Phone) -> (String, Value) {
        let (from, invite) = self.request("INVITE");
        self.respond(from, &invite, "486 Busy Here");
        phone.wait("ended");
        let dialled = invite.split_whitespace().nth(1).unwrap().to_owned();
        (dialled, phone.calls().remove(0))
    }
}

/// A phone that is registered in Germany, the first account, and in the United States.
fn registered(german: &mut Exchange, american: &mut Exchange) -> Phone {
    let folder = TempDir::new().unwrap();
    let account = |exchange: &Exchange, region: &str| {
        format!(
            "[[accounts]]\naddress = \"{}\"\nmessage_waiting = \"off\"\ndial_plan = {{ region = \"{region}\" }}\n\n",
            exchange.account()
        )
    };
    let config = [
        "[settings]\nregion = \"DE\"\n\n".to_owned(),
        account(german, "DE"),
        account(american, "US"),
    ];
    std::fs::write(folder.path().join("config.toml"), config.concat()).unwrap();
    let mut phone = Phone::spawn(folder, &[]);
    phone.wait("started");
    german.takes_registration();
    american.takes_registration();
    for _ in 0..2 {
        phone.wait("registered");
    }
    phone
}

#[test]
fn a_national_number_is_one_of_the_country_of_the_account_that_it_calls() {
    let (mut german, mut american) = (Exchange::start(), Exchange::start());
    let mut phone = registered(&mut german, &mut american);
    for (name, number) in [
        ("Anna", "030 12345678"),
        ("Bob", "+1 212 555 0123"),
        // The same digits as Bob's, by another plan.
        ("Carl", "0212 5550123"),
    ] {
        ringdesk(&phone, &["contacts", "--add", name, "--number", number]);
    }
    for (caller, e164, contact) in [
        ("03012345678", "+493012345678", "Anna"),
        ("02125550123", "+492125550123", "Carl"),
    ] {
        let row = german.rings(&mut phone, caller, "desk");
        assert_eq!(row["e164"], e164, "{row:#}");
        assert_eq!(row["contact_name"], contact, "{row:#}");
    }
    for caller in ["2125550123", "12125550123", "+12125550123"] {
        let row = american.rings(&mut phone, caller, "desk");
        assert_eq!(row["e164"], "+12125550123", "{row:#}");
        assert_eq!(row["contact_name"], "Bob", "{row:#}");
        assert_eq!(row["local"], american.account(), "{row:#}");
    }
    // One number, one entry of whom to call back.
    let waiting = ringdesk(&phone, &["calls", "callbacks"]);
    let numbers: Vec<_> = waiting.iter().map(|row| &row["call"]["e164"]).collect();
    let wanted = ["+12125550123", "+492125550123", "+493012345678"];
    assert_eq!(numbers, wanted, "{waiting:#?}");
    assert_eq!(waiting[0]["missed"], 3, "{waiting:#?}");
    // Somebody who is saved later takes the calls along, however they are written.
    american.rings(&mut phone, "4155550199", "desk");
    let dora = ["contacts", "--add", "Dora", "--number", "+1 (415) 555-0199"];
    assert_eq!(ringdesk(&phone, &dora)[0]["linked_calls"], 1);
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn what_is_blocked_and_which_queue_is_called_are_read_as_that_account_writes_numbers() {
    let (mut german, mut american) = (Exchange::start(), Exchange::start());
    let mut phone = registered(&mut german, &mut american);
    ringdesk(&phone, &["blocked", "add", "+1 212 555 0177"]);
    // In Germany, these are digits of somebody else.
    ringdesk(&phone, &["blocked", "add", "0212 5550178"]);
    for (caller, state) in [("2125550177", "blocked"), ("2125550178", "no-answer")] {
        let row = american.rings(&mut phone, caller, "desk");
        assert_eq!(row["state"], state, "{row:#}");
    }
    let row = german.rings(&mut phone, "02125550178", "desk");
    assert_eq!(row["state"], "blocked", "{row:#}");
    for (queue, number) in [("New York", "+1 212 555 0100"), ("Berlin", "030 5550100")] {
        ringdesk(&phone, &["queues", "add", queue, "--number", number]);
    }
    let row = american.rings(&mut phone, "2125550123", "2125550100");
    assert_eq!(row["queue"], "New York", "{row:#}");
    let row = german.rings(&mut phone, "03012345678", "0305550100");
    assert_eq!(row["queue"], "Berlin", "{row:#}");
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn a_number_is_dialled_as_the_account_writes_it_that_dials() {
    let (mut german, mut american) = (Exchange::start(), Exchange::start());
    let mut phone = registered(&mut german, &mut american);
    ringdesk(
        &phone,
        &["contacts", "--add", "Bob", "--number", "+1 212 555 0123"],
    );
    // The last seven digits are Bob's in both countries, and he is known in one of them.
    for (exchange, typed, e164, level) in [
        (&american, "(212) 555-0123", "+12125550123", "known"),
        (&german, "0212 5550123", "+492125550123", "weak"),
    ] {
        let account = exchange.account();
        phone.send(&json!({"command": "call", "uri": typed, "account": account}));
        let (uri, row) = exchange.is_busy(&mut phone);
        let wanted = format!("sip:{e164}@{}", exchange.domain());
        assert!(uri.starts_with(&wanted), "{wanted}: {uri}");
        assert_eq!(row["e164"], e164, "{row:#}");
        assert_eq!(row["level"], level, "{row:#}");
        assert_eq!(row["local"], account, "{row:#}");
    }
    // A call back goes out by the account at which the call came, also where a trunk called another number
    // than its address.
    let missed = american.rings(&mut phone, "2125550123", "2125550100");
    ringdesk(
        &phone,
        &["calls", "callback", missed["id"].as_str().unwrap()],
    );
    let (uri, row) = american.is_busy(&mut phone);
    assert!(uri.starts_with("sip:+12125550123@"), "{uri}");
    assert_eq!(row["contact_name"], "Bob", "{row:#}");
    assert_eq!(row["local"], american.account(), "{row:#}");
    // An account that is not there dials nothing.
    phone.send(&json!({"command": "call", "uri": "101", "account": "sip:desk@example.com"}));
    let told = phone.wait("error")["message"].as_str().unwrap().to_owned();
    assert!(
        told.contains("there is no account sip:desk@example.com"),
        "{told}"
    );
    assert_eq!(phone.stop().code, Some(0));
}
