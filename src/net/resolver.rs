//! From a host to the places to send to (RFC 3263, without NAPTR and SRV), with a deadline.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::base::clock::monotonic_now;
use crate::base::flow::{Resolved, Transport};
use crate::net::route::Routes;

/// How long one question may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// How many addresses of one name are tried.
const MAX_PLACES: usize = 16;

/// One question.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) transport: Option<Transport>,
    /// The address that the sockets are bound to.
    pub(crate) bound: IpAddr,
}

/// Answers the question, or says in a sentence what is wrong.
pub(crate) async fn resolve(question: Question) -> Result<Vec<Resolved>, String> {
    let Question {
        host,
        port,
        transport,
        bound,
    } = question;
    let port = port.unwrap_or_else(|| transport.unwrap_or(Transport::Udp).default_port());
    let addresses = match host.parse::<IpAddr>() {
        Ok(ip) => vec![ip],
        Err(_) => look_up(&host).await?,
    };
    let mut routes = Routes::new(bound);
    let mut places = Vec::new();
    let mut problem = None;
    for ip in addresses {
        if !reachable(bound, ip) {
            let family = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
            problem = Some(format!(
                "{host} has only {family} addresses, which the phone's address {bound} cannot reach"
            ));
            continue;
        }
        match routes.local_ip(monotonic_now(), ip) {
            Ok(local_ip) => places.push(Resolved {
                transport: transport.unwrap_or(Transport::Udp),
                remote: SocketAddr::new(ip, port),
                local_ip,
            }),
            Err(error) => {
                problem = Some(format!(
                    "there is no route to {ip} ({error}); check the network connection"
                ));
            }
        }
    }
    if places.is_empty() {
        return Err(problem.unwrap_or_else(|| format!("the server name {host:?} has no address")));
    }
    places.truncate(MAX_PLACES);
    Ok(places)
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

async fn look_up(host: &str) -> Result<Vec<IpAddr>, String> {
    let asked = tokio::time::timeout(DEADLINE, tokio::net::lookup_host((host, 0))).await;
    let found = match asked {
        Ok(found) => found.map_err(|error| unknown(host, &error))?,
        Err(_) => {
            return Err(format!(
                "no name server answered for {host:?} within {} s; check the network connection",
                DEADLINE.as_secs()
            ));
        }
    };
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in found {
        let ip = address.ip().to_canonical();
        if !addresses.contains(&ip) {
            addresses.push(ip);
        }
    }
    Ok(addresses)
}

fn unknown(host: &str, error: &io::Error) -> String {
    format!(
        "the server name {host:?} cannot be found ({error}); check its spelling and the network connection"
    )
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn question(host: &str, bound: impl Into<IpAddr>) -> Question {
        Question {
            host: host.to_owned(),
            port: None,
            transport: None,
            bound: bound.into(),
        }
    }

    #[tokio::test]
    async fn an_address_needs_no_name_server_and_gets_the_defaults() {
        let places = resolve(question("127.0.0.1", Ipv4Addr::UNSPECIFIED)).await;
        let place = Resolved {
            transport: Transport::Udp,
            remote: SocketAddr::from(([127, 0, 0, 1], 5060)),
            local_ip: Ipv4Addr::LOCALHOST.into(),
        };
        assert_eq!(places, Ok(vec![place]));
    }

    #[tokio::test]
    async fn port_and_transport_are_taken_as_asked() {
        let places = resolve(Question {
            port: Some(5080),
            transport: Some(Transport::Tcp),
            ..question("127.0.0.2", Ipv4Addr::LOCALHOST)
        })
        .await
        .unwrap();
        assert_eq!(places.len(), 1);
        assert_eq!(places[0].transport, Transport::Tcp);
        assert_eq!(places[0].remote, SocketAddr::from(([127, 0, 0, 2], 5080)));
        assert_eq!(places[0].local_ip, IpAddr::from(Ipv4Addr::LOCALHOST));
    }

    #[tokio::test]
    async fn localhost_is_found() {
        let places = resolve(question("localhost", Ipv4Addr::LOCALHOST)).await;
        let remote = SocketAddr::from(([127, 0, 0, 1], 5060));
        assert_eq!(places.unwrap()[0].remote, remote);
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_is_told_in_a_sentence() {
        let sentence = resolve(question("no such host.invalid", Ipv4Addr::LOCALHOST))
            .await
            .unwrap_err();
        assert!(sentence.contains("check its spelling"), "{sentence}");
    }

    #[tokio::test]
    async fn the_wrong_family_is_told_in_a_sentence() {
        let sentence = resolve(question("::1", Ipv4Addr::LOCALHOST)).await;
        assert!(sentence.unwrap_err().contains("IPv6"));
    }

    #[test]
    fn a_socket_bound_to_everything_reaches_both_families() {
        let (v4, v6) = (Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
        let all = Ipv6Addr::UNSPECIFIED.into();
        assert!(reachable(all, v4) && reachable(all, v6));
        assert!(!reachable(v6, v4) && !reachable(Ipv4Addr::UNSPECIFIED.into(), v6));
    }
}
