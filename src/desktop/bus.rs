//! The message buses of the session and of the system.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use zbus::Connection;

/// How long a bus, or a program on it, may take to answer; nobody waits for it but a task of its own.
pub(super) const DEADLINE: Duration = Duration::from_secs(2);

/// Which bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Session,
    System,
}

/// One bus: connected when somebody needs it first.
struct Line {
    which: Which,
    connection: OnceCell<Option<Connection>>,
}

/// Both buses.
#[derive(Clone)]
pub(super) struct Bus {
    session: Arc<Line>,
    system: Arc<Line>,
}

impl Bus {
    /// Both, not connected yet.
    pub(super) fn connect_all() -> Self {
        let line = |which| {
            Arc::new(Line {
                which,
                connection: OnceCell::new(),
            })
        };
        Self {
            session: line(Which::Session),
            system: line(Which::System),
        }
    }

    /// That of the session; none where there is none, which is told once.
    pub(super) async fn session(&self) -> Option<Connection> {
        self.session.connected().await
    }

    /// That of the system.
    pub(super) async fn system(&self) -> Option<Connection> {
        self.system.connected().await
    }
}

impl Line {
    async fn connected(&self) -> Option<Connection> {
        let connect = async {
            let connecting = async {
                match self.which {
                    Which::Session => Connection::session().await,
                    Which::System => Connection::system().await,
                }
            };
            let (name, without) = match self.which {
                Which::Session => ("session", "notifications, tray and players"),
                Which::System => ("system", "word of sleep"),
            };
            match tokio::time::timeout(DEADLINE, connecting).await {
                Ok(Ok(connection)) => Some(connection),
                Ok(Err(error)) => {
                    tracing::warn!("no {name} bus, so no {without}: {error}");
                    None
                }
                Err(_late) => {
                    tracing::warn!("the {name} bus does not answer, so no {without}");
                    None
                }
            }
        };
        self.connection.get_or_init(|| connect).await.clone()
    }
}

/// What another program answers, or none when it is gone, says no or is late.
pub(super) async fn answer<T>(
    asked: impl Future<Output = zbus::Result<T>>,
) -> Result<T, zbus::Error> {
    match tokio::time::timeout(DEADLINE, asked).await {
        Ok(answer) => answer,
        Err(_late) => Err(zbus::Error::Failure("no answer in time".to_owned())),
    }
}
