//! From a name to the servers to try, as a machine that is told the DNS's answers.

use std::net::IpAddr;

use crate::base::flow::Transport;
use crate::base::random::Random;
use crate::net::locate::weigh;
use crate::net::locate::{Answer, Naptr, Query, Refusal, Srv};

/// How many rules of a domain are looked at.
const MAX_RULES: usize = 8;

/// How many hosts of one name are asked for their addresses.
const MAX_HOSTS: usize = 8;

/// How many targets one name gives.
const MAX_TARGETS: usize = 16;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// A domain name, or an address (IPv6 without brackets).
    pub(crate) host: String,
    /// The port, where one is named.
    pub(crate) port: Option<u16>,
    /// The transport, where one is named.
    pub(crate) transport: Option<Transport>,
    /// Whether only secure transports may be used (`sips:`).
    pub(crate) secure: bool,
}

/// One server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    /// The transport to use.
    pub(crate) transport: Transport,
    /// The address.
    pub(crate) ip: IpAddr,
    /// The port.
    pub(crate) port: u16,
}

/// A host that may lead to targets.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    transport: Transport,
    host: String,
    port: u16,
}

/// Where the search stands.
#[derive(Debug)]
enum Stage {
    /// Which transports does the domain offer?
    Transports,
    /// Which hosts offer these services? Each transport with its SRV name, best first.
    Services(Vec<(Transport, String)>),
    /// Which addresses do these hosts have? Best first.
    Hosts(Vec<Candidate>),
    /// The search is over.
    Done(Result<Vec<Target>, String>),
}

/// The search for the servers of one name; see the module's picture.
///
/// Ask [`Self::queries`] until there are none, each time handing all answers to
/// [`Self::handle_answers`]; then take [`Self::finish`].
#[derive(Debug)]
pub(crate) struct Location {
    wanted: Wanted,
    stage: Stage,
}

impl Location {
    /// Begins the search.
    pub(crate) fn new(wanted: Wanted) -> Self {
        let stage = first_stage(&wanted);
        Self { wanted, stage }
    }

    /// Begins the search for a host that this machine knows by itself: nobody offers services for it.
    pub(crate) fn of_host(wanted: Wanted) -> Self {
        let stage = match first_stage(&wanted) {
            Stage::Done(outcome) => Stage::Done(outcome),
            Stage::Transports | Stage::Services(_) | Stage::Hosts(_) => {
                Stage::Hosts(vec![the_host_itself(&wanted)])
            }
        };
        Self { wanted, stage }
    }

    /// What must be asked now, all at once; nothing when the search is over.
    pub(crate) fn queries(&self) -> Vec<Query> {
        match &self.stage {
            Stage::Transports => vec![Query::Naptr(self.wanted.host.clone())],
            Stage::Services(services) => services
                .iter()
                .map(|(_, name)| Query::Srv(name.clone()))
                .collect(),
            Stage::Hosts(candidates) => {
                let mut queries: Vec<Query> = Vec::new();
                for candidate in candidates {
                    let query = Query::Addresses(candidate.host.clone());
                    if !queries.contains(&query) {
                        queries.push(query);
                    }
                }
                queries
            }
            Stage::Done(_) => Vec::new(),
        }
    }

    /// Takes the answers to all queries, each beside its query.
    pub(crate) fn handle_answers(&mut self, answers: &[(Query, Answer)], random: &mut dyn Random) {
        let next = match &self.stage {
            Stage::Transports => self.choose_services(answers),
            Stage::Services(services) => self.choose_hosts(services, answers, random),
            Stage::Hosts(candidates) => Stage::Done(targets(candidates, answers)),
            Stage::Done(_) => return,
        };
        self.stage = next;
    }

    /// The targets, best first, at least one; or what is wrong, for a person.
    pub(crate) fn finish(self) -> Result<Vec<Target>, String> {
        match self.stage {
            Stage::Done(outcome) => outcome,
            Stage::Transports | Stage::Services(_) | Stage::Hosts(_) => Err(format!(
                "the look-up of {:?} was given up half-way",
                self.wanted.host
            )),
        }
    }

    /// The services that the domain's rules name; without usable rules, those that we know of.
    fn choose_services(&self, answers: &[(Query, Answer)]) -> Stage {
        let rules = answers.iter().find_map(|(_, answer)| match answer {
            Answer::Naptr(rules) => Some(rules.as_slice()),
            Answer::Srv(_) | Answer::Addresses(_) | Answer::Refused(_) => None,
        });
        let named = self.services_of(rules.unwrap_or_default());
        Stage::Services(if named.is_empty() {
            self.customary_services()
        } else {
            named
        })
    }

    /// Only rules of the lowest order that has something for us count (RFC 3403 section 4.1), so
    /// that nobody who suppresses answers can lead us from TLS to something less.
    fn services_of(&self, rules: &[Naptr]) -> Vec<(Transport, String)> {
        let mut usable: Vec<(&Naptr, Transport)> = rules
            .iter()
            .filter(|rule| rule.flags.eq_ignore_ascii_case("s"))
            .filter(|rule| !is_root(&rule.replacement))
            .filter_map(|rule| Some((rule, transport_of(&rule.service)?)))
            .filter(|(_, transport)| !self.wanted.secure || transport.secure())
            .collect();
        usable.sort_by_key(|(rule, _)| (rule.order, rule.preference));
        let lowest = usable.first().map(|(rule, _)| rule.order);
        usable
            .into_iter()
            .filter(|(rule, _)| Some(rule.order) == lowest)
            .take(MAX_RULES)
            .map(|(rule, transport)| (transport, rule.replacement.clone()))
            .collect()
    }

    /// Without rules, each transport that is usual is asked for (RFC 3263 section 4.1).
    fn customary_services(&self) -> Vec<(Transport, String)> {
        let transports: &[Transport] = match (self.wanted.transport, self.wanted.secure) {
            (Some(transport), _) => return vec![(transport, self.service_name(transport))],
            (None, true) => &[Transport::Tls],
            (None, false) => &[Transport::Udp, Transport::Tcp, Transport::Tls],
        };
        transports
            .iter()
            .map(|transport| (*transport, self.service_name(*transport)))
            .collect()
    }

    fn service_name(&self, transport: Transport) -> String {
        let service = match transport {
            Transport::Udp => "_sip._udp",
            Transport::Tcp => "_sip._tcp",
            Transport::Tls => "_sips._tcp",
            Transport::Ws => "_sip._ws",
            Transport::Wss => "_sips._ws",
        };
        format!("{service}.{}", self.wanted.host)
    }

    /// The hosts that offer the services; without any, the domain itself.
    fn choose_hosts(
        &self,
        services: &[(Transport, String)],
        answers: &[(Query, Answer)],
        random: &mut dyn Random,
    ) -> Stage {
        let mut candidates = Vec::new();
        let mut denied = false;
        for (transport, name) in services {
            let records = answers.iter().find_map(|(query, answer)| match answer {
                Answer::Srv(records) if query.name() == name => Some(records.clone()),
                Answer::Srv(_) | Answer::Naptr(_) | Answer::Addresses(_) | Answer::Refused(_) => {
                    None
                }
            });
            for Srv { port, target, .. } in weigh::in_order(records.unwrap_or_default(), random) {
                if is_root(&target) {
                    denied = true;
                } else if candidates.len() < MAX_HOSTS {
                    candidates.push(Candidate {
                        transport: *transport,
                        host: target,
                        port,
                    });
                }
            }
        }
        if !candidates.is_empty() {
            Stage::Hosts(candidates)
        } else if denied {
            // RFC 2782: a target of "." says that the service is decidedly not available.
            Stage::Done(Err(format!(
                "the domain {} says that it offers no such SIP service; check the address",
                self.wanted.host
            )))
        } else {
            Stage::Hosts(vec![the_host_itself(&self.wanted)])
        }
    }
}

/// What a named address, port or transport leaves to be asked (RFC 3263 sections 4.1 and 4.2).
fn first_stage(wanted: &Wanted) -> Stage {
    if wanted.secure
        && let Some(transport) = wanted.transport.filter(|transport| !transport.secure())
    {
        return Stage::Done(Err(format!(
            "{} is to be reached securely (sips:), and {transport} is not secure; choose TLS",
            wanted.host
        )));
    }
    let itself = the_host_itself(wanted);
    if let Ok(ip) = wanted.host.parse::<IpAddr>() {
        return Stage::Done(Ok(vec![Target {
            transport: itself.transport,
            ip,
            port: itself.port,
        }]));
    }
    match (wanted.port, wanted.transport) {
        (Some(_), _) => Stage::Hosts(vec![itself]),
        (None, None) => Stage::Transports,
        (None, Some(transport)) => {
            let location = Location {
                wanted: wanted.clone(),
                stage: Stage::Transports,
            };
            Stage::Services(vec![(transport, location.service_name(transport))])
        }
    }
}

/// The host with the default transport and port where none is named.
fn the_host_itself(wanted: &Wanted) -> Candidate {
    let usual = if wanted.secure {
        Transport::Tls
    } else {
        Transport::Udp
    };
    let transport = wanted.transport.unwrap_or(usual);
    Candidate {
        transport,
        host: wanted.host.clone(),
        port: wanted.port.unwrap_or_else(|| transport.default_port()),
    }
}

/// The transport of a NAPTR service (RFC 3263 section 4.1, RFC 7118 section 6).
fn transport_of(service: &str) -> Option<Transport> {
    let rows = [
        ("SIP+D2U", Transport::Udp),
        ("SIP+D2T", Transport::Tcp),
        ("SIPS+D2T", Transport::Tls),
        ("SIP+D2W", Transport::Ws),
        ("SIPS+D2W", Transport::Wss),
    ];
    rows.into_iter()
        .find(|(name, _)| service.eq_ignore_ascii_case(name))
        .map(|(_, transport)| transport)
}

fn is_root(name: &str) -> bool {
    name.is_empty() || name == "."
}

/// The addresses of the hosts in their order; the first host's trouble is told when there is none.
fn targets(candidates: &[Candidate], answers: &[(Query, Answer)]) -> Result<Vec<Target>, String> {
    let mut found: Vec<Target> = Vec::new();
    let mut trouble = None;
    for candidate in candidates {
        let answer = answers
            .iter()
            .find(|(query, _)| query.name() == candidate.host)
            .map(|(_, answer)| answer);
        let none = Refusal::NoSuchRecord;
        let refusal = match answer {
            Some(Answer::Addresses(addresses)) if !addresses.is_empty() => {
                for ip in addresses {
                    let target = Target {
                        transport: candidate.transport,
                        ip: *ip,
                        port: candidate.port,
                    };
                    if found.len() < MAX_TARGETS && !found.contains(&target) {
                        found.push(target);
                    }
                }
                continue;
            }
            Some(Answer::Refused(refusal)) => refusal,
            Some(Answer::Addresses(_) | Answer::Naptr(_) | Answer::Srv(_)) | None => &none,
        };
        trouble.get_or_insert_with(|| sentence(&candidate.host, refusal));
    }
    if found.is_empty() {
        Err(trouble.unwrap_or_else(|| "no server was found".to_owned()))
    } else {
        Ok(found)
    }
}

/// What is wrong with a name, and what to do.
fn sentence(host: &str, refusal: &Refusal) -> String {
    let host = host.trim_end_matches('.');
    match refusal {
        Refusal::NoSuchName => {
            format!("the server name {host:?} does not exist; check its spelling")
        }
        Refusal::NoSuchRecord => {
            format!("the server name {host:?} has no address; check its spelling")
        }
        Refusal::Silent => format!(
            "no name server answered for {host:?}; check the network connection and the name servers"
        ),
        Refusal::Failed(why) => {
            format!("the name server could not answer for {host:?} ({why}); try again later")
        }
        Refusal::NoName => format!("{host:?} is not a server name; check its spelling"),
        Refusal::NoWay(why) => why.clone(),
    }
}

#[cfg(test)]
mod tests {
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
}
