//! What is asked of a name server over real sockets, and what it answers.

use std::collections::BTreeMap;

use super::*;
use crate::base::random::SeededRandom;

/// What a scripted DNS holds: a line for each record.
///
/// `naptr NAME ORDER PREFERENCE SERVICE REPLACEMENT`, `srv NAME PRIORITY WEIGHT PORT TARGET`,
/// `ip NAME ADDRESS`, `refuse NAME silent|failed|nxdomain`.
struct Zone(Vec<Vec<&'static str>>);

impl Zone {
    fn new(text: &'static str) -> Self {
        let lines = text.lines().map(|line| line.split_whitespace().collect());
        Self(lines.filter(|words: &Vec<_>| !words.is_empty()).collect())
    }

    fn rows(&self, kind: &str, name: &str) -> Vec<&[&'static str]> {
        let of_kind = self.0.iter().filter(|words| words[0] == kind);
        of_kind
            .filter(|words| words[1] == name)
            .map(|words| &words[2..])
            .collect()
    }

    fn answer(&self, query: &Query) -> Answer {
        if let Some(refused) = self.rows("refuse", query.name()).first() {
            return Answer::Refused(match refused[0] {
                "silent" => Refusal::Silent,
                "failed" => Refusal::Failed("SERVFAIL".to_owned()),
                _ => Refusal::NoSuchName,
            });
        }
        let none = Answer::Refused(Refusal::NoSuchRecord);
        match query {
            Query::Naptr(name) => {
                let rules = self.rows("naptr", name);
                let rules = rules.iter().map(|words| Naptr {
                    order: words[0].parse().unwrap(),
                    preference: words[1].parse().unwrap(),
                    flags: "s".to_owned(),
                    service: words[2].to_owned(),
                    replacement: words[3].to_owned(),
                });
                let rules: Vec<_> = rules.collect();
                if rules.is_empty() {
                    none
                } else {
                    Answer::Naptr(rules)
                }
            }
            Query::Srv(name) => {
                let hosts = self.rows("srv", name);
                let hosts = hosts.iter().map(|words| Srv {
                    priority: words[0].parse().unwrap(),
                    weight: words[1].parse().unwrap(),
                    port: words[2].parse().unwrap(),
                    target: words[3].to_owned(),
                });
                let hosts: Vec<_> = hosts.collect();
                if hosts.is_empty() {
                    none
                } else {
                    Answer::Srv(hosts)
                }
            }
            Query::Addresses(name) => {
                let ips = self.rows("ip", name);
                let ips: Vec<_> = ips.iter().map(|words| words[0].parse().unwrap()).collect();
                if ips.is_empty() {
                    none
                } else {
                    Answer::Addresses(ips)
                }
            }
        }
    }
}

/// Reads `sips:host:port;transport=x` as far as it matters here.
fn wanted(text: &str) -> Wanted {
    let (scheme, rest) = text.split_once(':').unwrap();
    let (rest, transport) = match rest.split_once(';') {
        Some((rest, name)) => (rest, Some(name)),
        None => (rest, None),
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, port.parse().ok()),
        Some(_) | None => (rest, None),
    };
    Wanted {
        host: host.to_owned(),
        port,
        transport: transport.map(|name| match name {
            "udp" => Transport::Udp,
            "tcp" => Transport::Tcp,
            "tls" => Transport::Tls,
            "ws" => Transport::Ws,
            "wss" => Transport::Wss,
            other => panic!("{other}"),
        }),
        secure: scheme == "sips",
    }
}

/// Gives the questions that were asked and the targets, or the sentence.
fn locate(zone: &Zone, text: &str) -> (Vec<String>, String) {
    let mut location = Location::new(wanted(text));
    let mut random = SeededRandom::new(1);
    let mut asked = Vec::new();
    loop {
        let queries = location.queries();
        if queries.is_empty() {
            break;
        }
        asked.extend(queries.iter().map(ToString::to_string));
        let answers: Vec<_> = queries
            .into_iter()
            .map(|query| {
                let answer = zone.answer(&query);
                (query, answer)
            })
            .collect();
        location.handle_answers(&answers, &mut random);
    }
    let outcome = match location.finish() {
        Ok(targets) => targets
            .iter()
            .map(|t| format!("{} {}:{}", t.transport, t.ip, t.port))
            .collect::<Vec<_>>()
            .join(", "),
        Err(sentence) => sentence,
    };
    (asked, outcome)
}

const RULES: &str = "
        naptr example.com 50 10 SIPS+D2T _sips._tcp.example.com
        naptr example.com 90 20 SIP+D2U _sip._udp.example.com
        naptr example.com 90 10 SIP+D2T _sip._tcp.example.com
        naptr example.com 90 30 E2U+sip enum.example.com
        srv _sips._tcp.example.com 1 0 5061 one.example.com
        srv _sip._tcp.example.com 1 0 5060 one.example.com
        srv _sip._udp.example.com 2 0 5060 two.example.com
        srv _sip._udp.example.com 1 0 5070 one.example.com
        ip one.example.com 192.0.2.1
        ip one.example.com 2001:db8::1
        ip two.example.com 192.0.2.2
        ip example.com 192.0.2.9
        naptr plain.example 10 10 SIP+D2T _sip._tcp.plain.example
        naptr plain.example 10 20 SIP+D2U _sip._udp.plain.example
        srv _sip._tcp.plain.example 0 0 5060 pbx.plain.example
        srv _sip._udp.plain.example 0 0 5060 pbx.plain.example
        ip pbx.plain.example 192.0.2.20
        naptr web.example 10 10 SIPS+D2W _sips._ws.web.example
        srv _sips._ws.web.example 0 0 8443 gate.web.example
        ip gate.web.example 192.0.2.30
        srv _sip._udp.srvonly.example 0 0 5080 pbx.plain.example
        srv _sip._tcp.srvonly.example 0 0 5082 pbx.plain.example
        srv _sip._udp.never.example 0 0 0 .
        ip never.example 192.0.2.40
        ip bare.example 192.0.2.50
        srv _sip._udp.half.example 1 0 5060 gone.half.example
        srv _sip._udp.half.example 2 0 5060 pbx.plain.example
        refuse gone.half.example silent
        refuse nowhere.example nxdomain
        refuse _sip._udp.nowhere.example nxdomain
        refuse broken.example failed
        refuse dead.example silent";

#[test]
fn each_name_leads_where_rfc_3263_says() {
    let zone = Zone::new(RULES);
    let rows = [
        // The first order that has something for us decides, with all of its records.
        (
            "sip:example.com",
            "TLS 192.0.2.1:5061, TLS 2001:db8::1:5061",
        ),
        (
            "sips:example.com",
            "TLS 192.0.2.1:5061, TLS 2001:db8::1:5061",
        ),
        (
            "sip:plain.example",
            "TCP 192.0.2.20:5060, UDP 192.0.2.20:5060",
        ),
        ("sip:web.example", "WSS 192.0.2.30:8443"),
        // A transport that is named skips NAPTR; priorities rule.
        (
            "sip:example.com;udp",
            "UDP 192.0.2.1:5070, UDP 2001:db8::1:5070, UDP 192.0.2.2:5060",
        ),
        // A port that is named skips SRV too.
        ("sip:example.com:5090", "UDP 192.0.2.9:5090"),
        ("sip:example.com:5090;tcp", "TCP 192.0.2.9:5090"),
        ("sips:example.com:5090", "TLS 192.0.2.9:5090"),
        // Without rules each usual transport is asked for, UDP first.
        (
            "sip:srvonly.example",
            "UDP 192.0.2.20:5080, TCP 192.0.2.20:5082",
        ),
        // Without anything the host itself serves, at the default port.
        ("sip:bare.example", "UDP 192.0.2.50:5060"),
        ("sips:bare.example", "TLS 192.0.2.50:5061"),
        ("sip:bare.example;tls", "TLS 192.0.2.50:5061"),
        ("sip:bare.example;ws", "WS 192.0.2.50:80"),
        ("sip:bare.example;wss", "WSS 192.0.2.50:443"),
        // Addresses need no DNS.
        ("sip:192.0.2.7", "UDP 192.0.2.7:5060"),
        ("sip:192.0.2.7:5070;tcp", "TCP 192.0.2.7:5070"),
        ("sips:192.0.2.7", "TLS 192.0.2.7:5061"),
        ("sip:2001:db8::7", "UDP 2001:db8::7:5060"),
        // One host without an address is passed over.
        ("sip:half.example", "UDP 192.0.2.20:5060"),
    ];
    for (text, targets) in rows {
        assert_eq!(locate(&zone, text).1, targets, "{text}");
    }
}

#[test]
fn what_is_named_is_not_asked_for() {
    let zone = Zone::new(RULES);
    let rows: BTreeMap<&str, Vec<&str>> = [
        ("sip:192.0.2.7", vec![]),
        (
            "sip:example.com:5090",
            vec!["addresses (A, AAAA) of example.com"],
        ),
        (
            "sip:plain.example;udp",
            vec![
                "SRV of _sip._udp.plain.example",
                "addresses (A, AAAA) of pbx.plain.example",
            ],
        ),
        (
            "sip:bare.example",
            vec![
                "NAPTR of bare.example",
                "SRV of _sip._udp.bare.example",
                "SRV of _sip._tcp.bare.example",
                "SRV of _sips._tcp.bare.example",
                "addresses (A, AAAA) of bare.example",
            ],
        ),
        (
            "sips:bare.example",
            vec![
                "NAPTR of bare.example",
                "SRV of _sips._tcp.bare.example",
                "addresses (A, AAAA) of bare.example",
            ],
        ),
    ]
    .into();
    for (text, queries) in rows {
        assert_eq!(locate(&zone, text).0, queries, "{text}");
    }
}

#[test]
fn each_failure_has_its_sentence_with_the_name_and_the_remedy() {
    let zone = Zone::new(RULES);
    let rows = [
        (
            "sip:nowhere.example:5060",
            ["nowhere.example", "does not exist", "spelling"],
        ),
        (
            "sip:empty.example:5060",
            ["empty.example", "no address", "spelling"],
        ),
        (
            "sip:dead.example:5060",
            ["dead.example", "no name server", "connection"],
        ),
        (
            "sip:broken.example:5060",
            ["broken.example", "SERVFAIL", "later"],
        ),
        (
            "sip:never.example",
            ["never.example", "no such SIP service", "check"],
        ),
        ("sips:example.com;udp", ["example.com", "not secure", "TLS"]),
    ];
    for (text, words) in rows {
        let sentence = locate(&zone, text).1;
        for word in words {
            assert!(sentence.contains(word), "{text}: {sentence}");
        }
    }
}

#[test]
fn a_secure_target_never_falls_back_to_an_open_transport() {
    let zone = Zone::new(
        "naptr s.example 10 10 SIP+D2U _sip._udp.s.example
             srv _sip._udp.s.example 0 0 5060 pbx.s.example
             ip pbx.s.example 192.0.2.1
             ip s.example 192.0.2.2",
    );
    assert_eq!(locate(&zone, "sips:s.example").1, "TLS 192.0.2.2:5061");
}

#[test]
fn a_flood_of_records_gives_few_questions_and_few_targets() {
    let name = "flood.example".to_owned();
    let mut location = Location::new(wanted("sip:flood.example;udp"));
    let query = location.queries().remove(0);
    let records = (0..1000).map(|n| Srv {
        priority: 1,
        weight: 1,
        port: 5060,
        target: format!("h{n}.{name}"),
    });
    let answers = [(query, Answer::Srv(records.collect()))];
    location.handle_answers(&answers, &mut SeededRandom::new(1));
    let queries = location.queries();
    assert_eq!(queries.len(), MAX_HOSTS);
    let addresses: Vec<IpAddr> = (0..200).map(|n| IpAddr::from([10, 0, 0, n])).collect();
    let answers: Vec<_> = queries
        .into_iter()
        .map(|query| (query, Answer::Addresses(addresses.clone())))
        .collect();
    location.handle_answers(&answers, &mut SeededRandom::new(1));
    assert_eq!(location.finish().unwrap().len(), MAX_TARGETS);
}
