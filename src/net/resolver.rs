//! From a host to the places to send to: asks what `locate` wants to know, with a deadline, and
//! finds the routes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::base::clock::monotonic_now;
use crate::base::flow::Resolved;
use crate::base::random::Random;
use crate::net::locate::{Answer, Location, Query, Refusal, Wanted, happy_order};
use crate::net::names::Names;
use crate::net::route::{ANY_PORT, Routes};
use crate::net::zones::Zones;

/// How long one question may take, all steps included.
const DEADLINE: Duration = Duration::from_secs(8);

/// One question.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) wanted: Wanted,
    /// The address that the sockets are bound to.
    pub(crate) bound: IpAddr,
    /// On which networks link-local addresses are.
    pub(crate) zones: Arc<Zones>,
}

/// Answers the question, or says in a sentence what is wrong.
pub(crate) async fn resolve(
    names: &Arc<Names>,
    question: Question,
) -> Result<Vec<Resolved>, String> {
    let host = question.wanted.host.clone();
    let asked = tokio::time::timeout(DEADLINE, locate(names, question)).await;
    asked.unwrap_or_else(|_| {
        Err(format!(
            "no name server answered for {host:?} within {} s; check the network connection",
            DEADLINE.as_secs()
        ))
    })
}

async fn locate(names: &Arc<Names>, question: Question) -> Result<Vec<Resolved>, String> {
    let Question {
        wanted,
        bound,
        zones,
    } = question;
    let mut lots = Lots {
        names,
        name: wanted.host.clone(),
        drawn: 0,
    };
    let mut routes = Routes::new(bound);
    let is_name = wanted.host.parse::<IpAddr>().is_err();
    let mut location = if is_name && names.is_local(&wanted.host) {
        Location::of_host(wanted)
    } else {
        Location::new(wanted)
    };
    loop {
        let queries = location.queries();
        if queries.is_empty() {
            break;
        }
        let mut answers = Vec::new();
        for (query, answer) in ask(names, queries).await {
            let answer = match answer {
                Answer::Addresses(found) => reached(&query, found, &zones, &mut routes),
                Answer::Naptr(_) | Answer::Srv(_) | Answer::Refused(_) => answer,
            };
            tracing::debug!(%query, ?answer, "looked up");
            answers.push((query, answer));
        }
        location.handle_answers(&answers, &mut lots);
    }
    let mut places = Vec::new();
    let mut problem = None;
    for target in location.finish()? {
        match way(target.ip, &zones, &mut routes) {
            Ok(local_ip) => places.push(Resolved {
                transport: target.transport,
                remote: SocketAddr::new(target.ip, target.port),
                local_ip,
            }),
            Err(why) => problem = Some(why),
        }
    }
    match problem {
        Some(why) if places.is_empty() => Err(why),
        Some(_) | None => Ok(places),
    }
}

/// Asks all at once.
async fn ask(names: &Arc<Names>, queries: Vec<Query>) -> Vec<(Query, Answer)> {
    let mut asked = JoinSet::new();
    for query in queries {
        let names = Arc::clone(names);
        asked.spawn(async move {
            let answer = names.answer(&query).await;
            (query, answer)
        });
    }
    let mut answers = Vec::new();
    while let Some(answer) = asked.join_next().await {
        answers.extend(answer.inspect_err(|error| tracing::error!(%error, "a look-up failed")));
    }
    answers
}

/// The addresses that a route leads to, best first.
fn reached(query: &Query, found: Vec<IpAddr>, zones: &Zones, routes: &mut Routes) -> Answer {
    let mut ways = Vec::new();
    let mut problem = None;
    for ip in found {
        match way(ip, zones, routes) {
            Ok(near) => ways.push((ip, near)),
            Err(why) => {
                problem.get_or_insert_with(|| format!("{} cannot be reached: {why}", query.name()));
            }
        }
    }
    match problem {
        Some(why) if ways.is_empty() => Answer::Refused(Refusal::NoWay(why)),
        Some(_) | None => {
            Answer::Addresses(happy_order(ways).into_iter().map(|(far, _)| far).collect())
        }
    }
}

/// The local address towards a far one, or why there is no way.
fn way(far: IpAddr, zones: &Zones, routes: &mut Routes) -> Result<IpAddr, String> {
    let bound = routes.bound();
    if !reachable(bound, far) {
        let family = if far.is_ipv4() { "IPv4" } else { "IPv6" };
        return Err(format!(
            "{far} is an {family} address, and the phone is bound to {bound}; bind it to another address"
        ));
    }
    let Some(towards) = zones.known(SocketAddr::new(far, ANY_PORT)) else {
        return Err(format!(
            "{far} is a link-local address, which each network has for itself; write it with its network, such as [{far}%eth0]"
        ));
    };
    routes.local_ip(monotonic_now(), towards).map_err(|error| {
        format!("there is no route to {far} ({error}); check the network connection")
    })
}

/// Whether a socket bound to `bound` can send to `ip`; one bound to all IPv6 addresses reaches both
/// families.
fn reachable(bound: IpAddr, ip: IpAddr) -> bool {
    match (bound, ip) {
        (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => true,
        (IpAddr::V6(bound), IpAddr::V4(_)) => bound.is_unspecified(),
        (IpAddr::V4(_), IpAddr::V6(_)) => false,
    }
}

/// Lots that fall the same way each time in one run of the phone, so that it stays with the server
/// that it drew; different phones draw differently, as RFC 2782 wants.
struct Lots<'n> {
    names: &'n Names,
    name: String,
    drawn: u64,
}

impl Random for Lots<'_> {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.drawn += 1;
            let lot = self.names.taste((&self.name, self.drawn));
            for (to, from) in chunk.iter_mut().zip(lot.to_le_bytes()) {
                *to = from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;
    use crate::base::flow::Transport;

    fn wanted(host: &str) -> Wanted {
        Wanted {
            host: host.to_owned(),
            port: None,
            transport: None,
            secure: false,
        }
    }

    async fn resolve(wanted: Wanted, bound: impl Into<IpAddr>) -> Result<Vec<Resolved>, String> {
        let bound = bound.into();
        super::resolve(
            &Arc::new(Names::new(Vec::new())),
            Question {
                wanted,
                bound,
                zones: Arc::default(),
            },
        )
        .await
    }

    #[tokio::test]
    async fn an_address_needs_no_name_server_and_gets_the_defaults() {
        let places = resolve(wanted("127.0.0.1"), Ipv4Addr::UNSPECIFIED).await;
        let place = Resolved {
            transport: Transport::Udp,
            remote: SocketAddr::from(([127, 0, 0, 1], 5060)),
            local_ip: Ipv4Addr::LOCALHOST.into(),
        };
        assert_eq!(places, Ok(vec![place]));
    }

    #[tokio::test]
    async fn port_and_transport_are_taken_as_asked() {
        let wanted = Wanted {
            port: Some(5080),
            transport: Some(Transport::Tcp),
            ..wanted("127.0.0.2")
        };
        let places = resolve(wanted, Ipv4Addr::LOCALHOST).await.unwrap();
        assert_eq!(places.len(), 1);
        assert_eq!(places[0].transport, Transport::Tcp);
        assert_eq!(places[0].remote, SocketAddr::from(([127, 0, 0, 2], 5080)));
        assert_eq!(places[0].local_ip, IpAddr::from(Ipv4Addr::LOCALHOST));
    }

    #[tokio::test]
    async fn localhost_is_found() {
        let places = resolve(wanted("localhost"), Ipv4Addr::LOCALHOST).await;
        let remote = SocketAddr::from(([127, 0, 0, 1], 5060));
        assert_eq!(places.unwrap()[0].remote, remote);
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_is_told_in_a_sentence() {
        let sentence = resolve(wanted("no such host.invalid"), Ipv4Addr::LOCALHOST)
            .await
            .unwrap_err();
        assert!(sentence.contains("check its spelling"), "{sentence}");
    }

    #[tokio::test]
    async fn the_wrong_family_is_told_in_a_sentence() {
        let sentence = resolve(wanted("::1"), Ipv4Addr::LOCALHOST).await;
        assert!(sentence.unwrap_err().contains("IPv6"));
    }

    #[tokio::test]
    async fn the_hosts_file_and_localhost_are_asked_before_any_name_server() {
        // Nobody answers there: whoever asked it would wait.
        let names = Arc::new(Names::new(vec![SocketAddr::from(([127, 0, 0, 1], 9))]));
        let question = Question {
            wanted: wanted("phone.localhost"),
            bound: Ipv4Addr::LOCALHOST.into(),
            zones: Arc::default(),
        };
        let places = super::resolve(&names, question).await.unwrap();
        assert_eq!(places[0].remote, SocketAddr::from(([127, 0, 0, 1], 5060)));
    }

    #[test]
    fn a_phone_draws_the_same_lots_again_and_another_phone_others() {
        let draw = |names: &Names| {
            let name = "example.com".to_owned();
            let mut lots = Lots {
                names,
                name,
                drawn: 0,
            };
            [lots.next_u64(), lots.next_u64()]
        };
        let (one, other) = (Names::new(Vec::new()), Names::new(Vec::new()));
        assert_eq!(draw(&one), draw(&one));
        assert_ne!(draw(&one), draw(&other));
        assert_ne!(draw(&one)[0], draw(&one)[1]);
    }

    #[test]
    fn a_socket_bound_to_everything_reaches_both_families() {
        let (v4, v6) = (Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
        let all = Ipv6Addr::UNSPECIFIED.into();
        assert!(reachable(all, v4) && reachable(all, v6));
        assert!(!reachable(v6, v4) && !reachable(Ipv4Addr::UNSPECIFIED.into(), v6));
    }
}
