//! Whether an account works, tried before it is kept: by which transport its server is reached, and whether it
//! takes the password.
//!
//! Servers are found as for calls (RFC 3263: NAPTR, SRV, then the address of the domain). Encrypted ways come
//! first. Who answers at all is the server: what it says counts, and no further way is tried. Neither is one
//! where a certificate is not believed: somebody who stands in between would only have to show a bad one to
//! get the digest of the password in the clear.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::app::{accounts, transports};
use crate::base::clock;
use crate::base::flow::{Input, ProfileId, Transport};
use crate::base::id::AccountId;
use crate::base::random::OsRandom;
use crate::base::redact::Secret;
use crate::config::Account;
use crate::config::account::TransportChoice;
use crate::control::{Reached, TrialOutcome, TrialStep};
use crate::net::{Net, NetOptions};
use crate::sip::{Endpoint, EndpointConfig, RegistrationState, SipEvent};

/// How long one way may take: the handshakes of TLS, two challenges, and a lost datagram or two.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long taking the registration back may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// Packets that may wait.
const INPUTS: usize = 256;

/// The ways in the order in which they are tried. By `Auto` the server's own records say which one it wants.
const WAYS: [TransportChoice; 3] = [
    TransportChoice::Tls,
    TransportChoice::Auto,
    TransportChoice::Tcp,
];

/// Tries an account. Where its transport is chosen already, by that alone. The account of the outcome has the
/// transport that worked; a registration that succeeded was taken back.
pub async fn try_account(
    mut account: Account,
    password: Option<&Secret>,
    name_servers: &[SocketAddr],
) -> TrialOutcome {
    let chosen = [account.transport];
    let ways = match account.transport {
        TransportChoice::Auto => &WAYS[..],
        _ => &chosen[..],
    };
    let mut steps = Vec::new();
    for way in ways {
        account.transport = *way;
        let tried = Attempt::start(&account, password, name_servers).await;
        let tried = match tried {
            Ok(attempt) => attempt.run().await,
            Err(reason) => Tried {
                result: Err(reason),
                is_final: true,
            },
        };
        if let Ok(reached) = &tried.result {
            account.transport = kept(*way, reached);
        }
        let over = tried.is_final;
        steps.push(TrialStep {
            transport: *way,
            result: tried.result,
        });
        if over {
            break;
        }
    }
    if steps.last().is_some_and(|step| step.result.is_err()) {
        account.transport = *chosen.first().unwrap_or(&TransportChoice::Auto);
    }
    TrialOutcome { account, steps }
}

/// What is written down: encryption is never left to a record of the DNS; the rest may follow it.
fn kept(way: TransportChoice, reached: &Reached) -> TransportChoice {
    if reached.transport == Transport::Tls {
        TransportChoice::Tls
    } else {
        way
    }
}

struct Tried {
    result: Result<Reached, String>,
    /// Whether no other way is to be tried.
    is_final: bool,
}

/// A registration by one transport, on sockets of its own.
struct Attempt {
    net: Net,
    inputs: mpsc::Receiver<Input>,
    endpoint: Endpoint,
    /// From where the last answer came.
    answered: Option<(Transport, SocketAddr)>,
    /// Why a stream was refused.
    untrusted: Option<String>,
    state: Option<RegistrationState>,
}

impl Attempt {
    async fn start(
        account: &Account,
        password: Option<&Secret>,
        name_servers: &[SocketAddr],
    ) -> Result<Self, String> {
        account.validate().map_err(|problem| problem.to_string())?;
        let options = NetOptions {
            name_servers: name_servers.to_vec(),
            ..NetOptions::at(SocketAddr::from(([0, 0, 0, 0], 0)))
        };
        let (events, inputs) = mpsc::channel(INPUTS);
        let net = Net::bind(options, events).await;
        let mut net = net.map_err(|error| error.to_string())?;
        let (account, zones) = account.without_zones();
        net.write_zones(zones);
        let profile = ProfileId::default();
        net.set_profile(
            profile,
            transports::profile(&account.tls, &account.websocket_path),
        );
        let port = net.local().port();
        let mut endpoint = Endpoint::new(
            EndpointConfig {
                udp_port: port,
                tcp_port: Some(port),
                tls_port: None,
                accept_direct_calls: false,
                user_agent: concat!("Ringdesk/", env!("CARGO_PKG_VERSION")).to_owned(),
                max_sessions: 0,
                direct_ring_limit: PATIENCE,
                requests_per_second: None,
                direct_extensions: accounts::extensions(account.extensions),
            },
            Box::new(OsRandom),
        );
        let setup = accounts::setup(&account, password.cloned(), profile)?;
        endpoint.add_account(clock::monotonic_now(), AccountId(0), setup);
        Ok(Self {
            net,
            inputs,
            endpoint,
            answered: None,
            untrusted: None,
            state: None,
        })
    }

    async fn run(mut self) -> Tried {
        let until = clock::monotonic_now() + PATIENCE;
        self.drive(until, |state| {
            matches!(
                state,
                RegistrationState::Registered { .. } | RegistrationState::Failed { .. }
            )
        })
        .await;
        match self.state.take() {
            Some(RegistrationState::Registered { expires }) => {
                let answered = self.answered;
                self.endpoint.unregister_all(clock::monotonic_now());
                let until = clock::monotonic_now() + FAREWELL;
                self.drive(until, |state| *state == RegistrationState::Unregistered)
                    .await;
                let result = answered.map(|(transport, server)| Reached {
                    transport,
                    server,
                    expires,
                });
                Tried {
                    result: result.ok_or_else(|| "nobody answered".to_owned()),
                    is_final: true,
                }
            }
            Some(RegistrationState::Failed { status, reason, .. }) => Tried {
                is_final: status.is_some() || self.untrusted.is_some(),
                result: Err(self.untrusted.unwrap_or(reason)),
            },
            Some(_) | None => Tried {
                is_final: self.untrusted.is_some(),
                result: Err(self
                    .untrusted
                    .unwrap_or_else(|| format!("no answer in {} seconds", PATIENCE.as_secs()))),
            },
        }
    }

    /// Lets the registration go on until it is where it shall be, or the time is over.
    async fn drive(&mut self, until: Instant, there: impl Fn(&RegistrationState) -> bool) {
        loop {
            self.settle();
            let now = clock::monotonic_now();
            if self.state.as_ref().is_some_and(&there) || now >= until {
                return;
            }
            let next = self
                .endpoint
                .poll_timeout()
                .map_or(until, |at| at.min(until));
            tokio::select! {
                input = self.inputs.recv() => match input {
                    Some(input) => {
                        if let Input::Closed { error: Some(why), .. } = &input
                            && why.contains("certificate")
                        {
                            self.untrusted = Some(why.clone());
                        }
                        self.endpoint.handle_input(clock::monotonic_now(), input);
                    }
                    None => return,
                },
                () = tokio::time::sleep_until(next.into()) => {
                    self.endpoint.handle_timeout(clock::monotonic_now());
                }
            }
        }
    }

    fn settle(&mut self) {
        loop {
            let mut moved = false;
            while let Some(event) = self.endpoint.poll_event() {
                moved = true;
                match event {
                    SipEvent::Trace {
                        sent: false,
                        transport,
                        remote,
                        ..
                    } => self.answered = Some((transport, remote)),
                    SipEvent::Registration { state, .. } => self.state = Some(state),
                    _ => {}
                }
            }
            while let Some(output) = self.endpoint.poll_output() {
                moved = true;
                self.net.perform(output);
            }
            if !moved {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_is_none_is_told_and_nothing_is_sent() {
        let account = Account {
            address: "alice".to_owned(),
            ..Account::default()
        };
        let outcome = try_account(account, None, &[]).await;
        assert_eq!(outcome.steps.len(), 1);
        assert!(outcome.reached().is_none());
    }

    #[tokio::test]
    async fn what_the_server_says_ends_the_trial_and_its_silence_does_not() {
        // Nobody listens there by TLS or TCP; by UDP a registrar refuses.
        let registrar = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = registrar.local_addr().unwrap();
        let refuse = tokio::spawn(async move {
            let mut bytes = [0; 4096];
            let (length, from) = registrar.recv_from(&mut bytes).await.unwrap();
            let request = String::from_utf8_lossy(&bytes[..length]).into_owned();
            let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
            let lines = request
                .lines()
                .filter(|line| kept.iter().any(|it| line.starts_with(it)));
            let lines: Vec<&str> = lines.collect();
            let answer = format!(
                "SIP/2.0 403 Forbidden\r\n{}\r\nContent-Length: 0\r\n\r\n",
                lines.join("\r\n")
            );
            registrar.send_to(answer.as_bytes(), from).await.unwrap();
        });
        let account = Account {
            address: format!("sip:alice@127.0.0.1:{}", server.port()),
            ..Account::default()
        };
        let outcome = try_account(account, Some(&Secret::new("x")), &[]).await;
        refuse.await.unwrap();
        let ways: Vec<_> = outcome.steps.iter().map(|step| step.transport).collect();
        assert_eq!(ways, [TransportChoice::Tls, TransportChoice::Auto]);
        let reason = outcome.steps[1].result.as_ref().unwrap_err();
        assert!(reason.contains("403"), "{reason}");
        assert_eq!(outcome.account.transport, TransportChoice::Auto);
    }
}
