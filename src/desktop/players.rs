//! Music and videos rest while the agent talks (MPRIS D-Bus Interface Specification 2.2).

use std::collections::BTreeSet;

use futures_util::future::join_all;
use futures_util::{FutureExt as _, StreamExt as _};
use zbus::fdo::DBusProxy;
use zbus::names::OwnedUniqueName;
use zbus::{Connection, MatchRule, MessageStream, message, proxy};

use super::Part;
use super::bus::{Bus, answer};

/// Every player's name on the bus begins so.
const NAMES: &str = "org.mpris.MediaPlayer2.";
const PATH: &str = "/org/mpris/MediaPlayer2";
const PLAYING: &str = "Playing";
const PAUSED: &str = "Paused";

/// A player.
#[proxy(
    interface = "org.mpris.MediaPlayer2.Player",
    default_path = "/org/mpris/MediaPlayer2",
    gen_blocking = false
)]
trait Player {
    fn pause(&self) -> zbus::Result<()>;
    fn play(&self) -> zbus::Result<()>;
    #[zbus(property)]
    fn playback_status(&self) -> zbus::Result<String>;
}

/// The players that rest for our sake: pure. A player is known by the unique name of its connection,
/// so one that was started anew is another.
#[derive(Debug, Default)]
struct Resting(BTreeSet<OwnedUniqueName>);

impl Resting {
    /// One was paused by us.
    fn paused(&mut self, player: OwnedUniqueName) {
        let _news = self.0.insert(player);
    }

    /// A player does something else. Who plays again was started by somebody, and is theirs.
    fn heard(&mut self, player: &str, status: &str) {
        if status != PAUSED {
            self.0.retain(|resting| resting.as_str() != player);
        }
    }

    /// Those that may go on.
    fn take(&mut self) -> BTreeSet<OwnedUniqueName> {
        std::mem::take(&mut self.0)
    }
}

/// Pauses players that play when the agent begins to talk, and lets those go on after the last call.
pub(super) async fn quiet(mut part: Part, buses: Bus) {
    loop {
        let picture = part.look();
        if picture.busy && picture.settings.pause_players {
            let Some(connection) = buses.session().await else {
                return;
            };
            if let Err(error) = during_talk(&mut part, &connection).await {
                tracing::warn!("players are not paused: {error}");
                // This talk is over before the next one is looked at.
                while part.look().busy {
                    if !part.changed().await {
                        return;
                    }
                }
            }
        }
        if !part.changed().await {
            return;
        }
    }
}

/// From the first call to the end of the last one.
async fn during_talk(part: &mut Part, connection: &Connection) -> zbus::Result<()> {
    let rule = MatchRule::builder()
        .msg_type(message::Type::Signal)
        .interface("org.freedesktop.DBus.Properties")?
        .member("PropertiesChanged")?
        .path(PATH)?
        .build();
    let mut changes = answer(MessageStream::for_match_rule(rule, connection, None)).await?;
    let mut resting = Resting::default();
    for player in pause_all(connection).await? {
        resting.paused(player);
    }
    loop {
        let picture = part.look();
        if !picture.busy || !picture.settings.pause_players {
            break;
        }
        tokio::select! {
            // At the phone's end the calls are over too.
            goes_on = part.changed() => if !goes_on { break },
            Some(Ok(change)) = changes.next() => {
                if let Some((player, status)) = status_of(&change) {
                    resting.heard(&player, &status);
                }
            }
        }
    }
    // What a person did just before is on its way: the bus answers behind it.
    let behind = async {
        let bus = DBusProxy::new(connection).await?;
        Ok(bus.get_id().await?)
    };
    if let Err(error) = answer(behind).await {
        tracing::debug!("what players did last is not known: {error}");
    }
    while let Some(Some(Ok(change))) = changes.next().now_or_never() {
        if let Some((player, status)) = status_of(&change) {
            resting.heard(&player, &status);
        }
    }
    let going_on = resting
        .take()
        .into_iter()
        .map(|player| go_on(connection, player));
    drop(join_all(going_on).await);
    Ok(())
}

/// Pauses each player that plays; those that now rest.
async fn pause_all(connection: &Connection) -> zbus::Result<Vec<OwnedUniqueName>> {
    let bus = DBusProxy::new(connection).await?;
    let names = answer(async { Ok(bus.list_names().await?) }).await?;
    let players = names
        .into_iter()
        .filter(|name| name.starts_with(NAMES))
        .map(|name| {
            let bus = bus.clone();
            async move {
                let paused = async {
                    let owner = bus.get_name_owner(name.inner().clone()).await?;
                    let player = player(connection, owner.clone()).await?;
                    if player.playback_status().await? != PLAYING {
                        return Ok(None);
                    }
                    player.pause().await?;
                    Ok(Some(owner))
                };
                // One that hangs, or that cannot pause, keeps no other from resting.
                answer(paused)
                    .await
                    .inspect_err(|error| tracing::debug!("a player does not pause: {error}"))
                    .ok()
                    .flatten()
            }
        });
    Ok(join_all(players).await.into_iter().flatten().collect())
}

/// Lets a player go on that still rests.
async fn go_on(connection: &Connection, owner: OwnedUniqueName) {
    let playing = async {
        let player = player(connection, owner).await?;
        if player.playback_status().await? == PAUSED {
            player.play().await?;
        }
        Ok(())
    };
    if let Err(error) = answer(playing).await {
        tracing::debug!("a player does not go on: {error}");
    }
}

async fn player(connection: &Connection, owner: OwnedUniqueName) -> zbus::Result<PlayerProxy<'_>> {
    PlayerProxy::builder(connection)
        .destination(owner)?
        .cache_properties(proxy::CacheProperties::No)
        .build()
        .await
}

/// Which player said that it now plays, rests or stopped.
fn status_of(change: &message::Message) -> Option<(String, String)> {
    type Changed = (
        String,
        std::collections::HashMap<String, zbus::zvariant::OwnedValue>,
        Vec<String>,
    );
    let (_interface, values, _invalidated): Changed = change.body().deserialize().ok()?;
    let status = values
        .get("PlaybackStatus")?
        .downcast_ref::<String>()
        .ok()?;
    let sender = change.header().sender()?.to_string();
    Some((sender, status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> OwnedUniqueName {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn who_was_started_again_by_somebody_is_no_longer_ours() {
        let mut resting = Resting::default();
        resting.paused(name(":1.7"));
        resting.paused(name(":1.8"));
        // Our own pause is told too.
        resting.heard(":1.7", "Paused");
        resting.heard(":1.8", "Playing");
        resting.heard(":1.8", "Paused");
        resting.heard(":1.9", "Stopped");
        assert_eq!(resting.take(), BTreeSet::from([name(":1.7")]));
        assert_eq!(resting.take().len(), 0);
    }
}
