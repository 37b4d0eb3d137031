//! The DNS, the hosts file and the system's own look-up, as one who answers.

use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts, ServerOrderingStrategy,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Hosts, TokioResolver, system_conf};

use crate::net::locate::{Answer, Naptr, Query, Refusal, Srv};

/// How long one question may take, repetitions included.
const LIMIT: Duration = Duration::from_millis(2500);

/// How long a name server is waited for before it, or the next one, is asked again.
const PATIENCE: Duration = Duration::from_millis(1100);

/// How long the other family's addresses are waited for when one family's are there (RFC 8305
/// section 3 has 50 ms; name servers of small offices need more).
const OTHER_FAMILY: Duration = Duration::from_millis(300);

/// How many answers are remembered, each for its lifetime.
const MAX_REMEMBERED: u64 = 256;

/// The longest that an answer is believed, and that a name is believed not to exist.
const LONGEST: Duration = Duration::from_secs(3600);
const LONGEST_NONE: Duration = Duration::from_secs(60);

/// How many addresses of one host are kept.
const MAX_ADDRESSES: usize = 16;

/// How many records of one name are kept.
const MAX_RECORDS: usize = 64;

/// The files that say how names are looked up; a newer one is read again.
const FILES: [&str; 2] = ["/etc/resolv.conf", "/etc/hosts"];

/// Answers questions about names.
#[derive(Debug)]
pub(crate) struct Names {
    /// The name servers to ask; none means the system's.
    servers: Vec<SocketAddr>,
    known: Mutex<Option<Arc<Known>>>,
    /// So that each phone spreads over equal addresses in its own way, and stays with it.
    taste: RandomState,
}

/// What was read of the system, with the remembered answers.
struct Known {
    /// None where the system names no server.
    client: Option<TokioResolver>,
    hosts: Hosts,
    /// When the files were changed last.
    stamps: [Option<SystemTime>; 2],
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

impl Names {
    /// Asks these name servers, or the system's where none is given. Reads nothing yet.
    pub(crate) fn new(servers: Vec<SocketAddr>) -> Self {
        Self {
            servers,
            known: Mutex::default(),
            taste: RandomState::new(),
        }
    }

    /// Forgets all answers and reads the system's files again before the next question.
    pub(crate) fn forget(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What this phone likes in this matter; the same each time.
    pub(crate) fn taste(&self, matter: impl std::hash::Hash) -> u64 {
        self.taste.hash_one(matter)
    }

    /// Whether this machine itself knows the name, so that no service is to be asked for.
    pub(crate) fn is_local(&self, name: &str) -> bool {
        is_localhost(name) || !self.known().hosts_named(name).is_empty()
    }

    /// Answers one question; takes a few seconds at most.
    pub(crate) async fn answer(&self, query: &Query) -> Answer {
        match query {
            Query::Addresses(name) => self.addresses(name).await,
            Query::Naptr(name) => match self.look_up(name, RecordType::NAPTR).await {
                Ok(found) => Answer::Naptr(rules(&found)),
                Err(refusal) => Answer::Refused(refusal),
            },
            Query::Srv(name) => match self.look_up(name, RecordType::SRV).await {
                Ok(found) => Answer::Srv(hosts(&found)),
                Err(refusal) => Answer::Refused(refusal),
            },
        }
    }

    async fn addresses(&self, name: &str) -> Answer {
        if is_localhost(name) {
            return Answer::Addresses(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let from_hosts = self.known().hosts_named(name);
        if !from_hosts.is_empty() {
            return Answer::Addresses(from_hosts);
        }
        match self.addresses_of_dns(name).await {
            Ok(addresses) => Answer::Addresses(addresses),
            // What the DNS does not know may be known to mDNS or to a directory.
            Err(refusal @ (Refusal::NoSuchName | Refusal::NoSuchRecord))
                if self.servers.is_empty() =>
            {
                match from_system(name).await {
                    Some(addresses) => Answer::Addresses(addresses),
                    None => Answer::Refused(refusal),
                }
            }
            Err(refusal) => Answer::Refused(refusal),
        }
    }

    /// Both families at once; one that is slow does not hold up the other.
    async fn addresses_of_dns(&self, name: &str) -> Result<Vec<IpAddr>, Refusal> {
        let (v4, v6) = (
            self.look_up(name, RecordType::A),
            self.look_up(name, RecordType::AAAA),
        );
        tokio::pin!(v4, v6);
        let (first, second) = tokio::select! {
            found = &mut v4 => {
                let patience = if found.is_ok() { OTHER_FAMILY } else { LIMIT };
                (found, tokio::time::timeout(patience, v6).await)
            }
            found = &mut v6 => {
                let patience = if found.is_ok() { OTHER_FAMILY } else { LIMIT };
                (found, tokio::time::timeout(patience, v4).await)
            }
        };
        let both = [first, second.unwrap_or(Err(Refusal::Silent))];
        let mut found: Vec<IpAddr> = Vec::new();
        let mut refusals = Vec::new();
        for answer in both {
            match answer {
                Ok(answer) => found.extend(
                    answer
                        .answers()
                        .iter()
                        .filter_map(|record| record.data.ip_addr())
                        .map(|ip| ip.to_canonical()),
                ),
                Err(refusal) => refusals.push(refusal),
            }
        }
        // Equal addresses share the load: each phone has its own order, and keeps it.
        found.sort_by_key(|ip| self.taste(ip));
        found.dedup();
        found.truncate(MAX_ADDRESSES);
        if found.is_empty() {
            Err(graver(refusals))
        } else {
            Ok(found)
        }
    }

    async fn look_up(&self, name: &str, kind: RecordType) -> Result<Lookup, Refusal> {
        let mut name = Name::from_utf8(name).map_err(|error| {
            tracing::debug!(%error, "not a domain name");
            Refusal::NoName
        })?;
        // A name with a dot is whole; others are completed by the system's search list.
        if name.num_labels() > 1 {
            name.set_fqdn(true);
        }
        let known = self.known();
        let Some(client) = &known.client else {
            return Err(Refusal::NoSuchRecord);
        };
        match tokio::time::timeout(LIMIT, client.lookup(name, kind)).await {
            Ok(found) => found.map_err(|error| refusal(&error)),
            Err(_) => Err(Refusal::Silent),
        }
    }

    fn known(&self) -> Arc<Known> {
        let stamps = FILES.map(|file| Path::new(file).metadata().and_then(|m| m.modified()).ok());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(known) if known.stamps == stamps => Arc::clone(known),
            Some(_) | None => {
                let read = Arc::new(Known {
                    client: client(&self.servers),
                    hosts: Hosts::from_system().unwrap_or_default(),
                    stamps,
                });
                *known = Some(Arc::clone(&read));
                read
            }
        }
    }
}

impl Known {
    /// The addresses of the hosts file, in its order.
    fn hosts_named(&self, name: &str) -> Vec<IpAddr> {
        use hickory_resolver::proto::op::Query;
        let Ok(name) = Name::from_utf8(name) else {
            return Vec::new();
        };
        [RecordType::A, RecordType::AAAA]
            .into_iter()
            .filter_map(|kind| {
                self.hosts
                    .lookup_static_host(&Query::query(name.clone(), kind))
            })
            .flat_map(|found| {
                let ips = found.answers().iter().filter_map(|r| r.data.ip_addr());
                ips.collect::<Vec<_>>()
            })
            .take(MAX_ADDRESSES)
            .collect()
    }
}

/// The client of the DNS; none where no name server is known or it cannot be made.
fn client(servers: &[SocketAddr]) -> Option<TokioResolver> {
    let (config, mut options) = if servers.is_empty() {
        match system_conf::read_system_conf() {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!(%error, "the system names no name server");
                return None;
            }
        }
    } else {
        let servers = servers.iter().map(|server| {
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut way| {
                way.port = server.port();
                way
            });
            NameServerConfig::new(server.ip(), true, connections.into())
        });
        let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
        (config, ResolverOpts::default())
    };
    options.timeout = PATIENCE;
    options.attempts = 1;
    options.cache_size = MAX_REMEMBERED;
    options.positive_max_ttl = Some(LONGEST);
    options.negative_max_ttl = Some(LONGEST_NONE);
    options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options;
    builder
        .build()
        .inspect_err(|error| tracing::warn!(%error, "names cannot be looked up"))
        .ok()
}

/// What the system's own look-up finds.
async fn from_system(name: &str) -> Option<Vec<IpAddr>> {
    let asked = tokio::time::timeout(LIMIT, tokio::net::lookup_host((name, 0))).await;
    let mut found: Vec<IpAddr> = Vec::new();
    for address in asked.ok()?.ok()?.take(MAX_ADDRESSES) {
        let ip = address.ip().to_canonical();
        if !found.contains(&ip) {
            found.push(ip);
        }
    }
    (!found.is_empty()).then_some(found)
}

/// RFC 6761 section 6.3: never asked of the DNS.
fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

fn rules(found: &Lookup) -> Vec<Naptr> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    found
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            RData::NAPTR(rule) => Some(Naptr {
                order: rule.order,
                preference: rule.preference,
                flags: text(&rule.flags),
                service: text(&rule.services),
                replacement: rule.replacement.to_utf8(),
            }),
            _ => None,
        })
        .take(MAX_RECORDS)
        .collect()
}

fn hosts(found: &Lookup) -> Vec<Srv> {
    found
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            RData::SRV(host) => Some(Srv {
                priority: host.priority,
                weight: host.weight,
                port: host.port,
                target: host.target.to_utf8(),
            }),
            _ => None,
        })
        .take(MAX_RECORDS)
        .collect()
}

fn refusal(error: &NetError) -> Refusal {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => Refusal::NoSuchName,
            ResponseCode::NoError => Refusal::NoSuchRecord,
            code => Refusal::Failed(code.to_string()),
        },
        NetError::Timeout => Refusal::Silent,
        other => Refusal::Failed(other.to_string()),
    }
}

/// What is told when neither family has an address.
fn graver(refusals: Vec<Refusal>) -> Refusal {
    let rank = |refusal: &Refusal| match refusal {
        Refusal::NoSuchRecord => 0,
        Refusal::Silent => 1,
        Refusal::Failed(_) => 2,
        Refusal::NoSuchName => 3,
        Refusal::NoName | Refusal::NoWay(_) => 4,
    };
    refusals
        .into_iter()
        .max_by_key(rank)
        .unwrap_or(Refusal::NoSuchRecord)
}
