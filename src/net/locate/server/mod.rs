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
mod tests;
