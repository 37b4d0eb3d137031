//! What the desktop asks of each window: dark or light, and whether anything may move
//! (org.freedesktop.portal.Settings, version 2). X11 itself says nothing of it.

use futures_util::StreamExt as _;
use tokio::sync::watch;
use zbus::zvariant::{OwnedValue, Value};
use zbus::{Connection, Proxy};

use super::Part;
use super::bus::{Bus, answer};
use crate::ui::Appearance;

const PORTAL: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const SETTINGS: &str = "org.freedesktop.portal.Settings";

/// The settings that are looked at: group and key.
const COLOUR_SCHEME: (&str, &str) = ("org.freedesktop.appearance", "color-scheme");
const REDUCED_MOTION: (&str, &str) = ("org.freedesktop.appearance", "reduced-motion");
/// What GNOME had before there was one for all desktops.
const ANIMATIONS: (&str, &str) = ("org.gnome.desktop.interface", "enable-animations");

/// Follows it until the end.
pub(super) async fn follow(mut part: Part, buses: Bus, tell: watch::Sender<Appearance>) {
    let follows = async {
        let Some(session) = buses.session().await else {
            return;
        };
        if let Err(error) = listen(&session, &tell).await {
            tracing::debug!("the desktop does not say how windows are to look: {error}");
        }
    };
    tokio::select! {
        () = follows => {}
        () = part.over() => {}
    }
}

async fn listen(session: &Connection, tell: &watch::Sender<Appearance>) -> zbus::Result<()> {
    let portal = Proxy::new(session, PORTAL, PATH, SETTINGS).await?;
    let mut changes = answer(portal.receive_signal("SettingChanged")).await?;
    for (group, key) in [COLOUR_SCHEME, REDUCED_MOTION, ANIMATIONS] {
        // Each may be missing.
        if let Ok(value) = answer(read(&portal, group, key)).await {
            tell.send_if_modified(|appearance| learn(appearance, group, key, &value));
        }
    }
    while let Some(change) = changes.next().await {
        let body = change.body();
        if let Ok((group, key, value)) = body.deserialize::<(String, String, Value<'_>)>() {
            tell.send_if_modified(|appearance| learn(appearance, &group, &key, &value));
        }
    }
    Ok(())
}

/// One setting; portals before version 2 wrap it twice.
async fn read(portal: &Proxy<'_>, group: &str, key: &str) -> zbus::Result<OwnedValue> {
    match portal.call("ReadOne", &(group, key)).await {
        Ok(value) => Ok(value),
        Err(_older) => portal.call("Read", &(group, key)).await,
    }
}

/// Takes a setting up; true when that changes anything.
fn learn(appearance: &mut Appearance, group: &str, key: &str, value: &Value<'_>) -> bool {
    let before = *appearance;
    let mut value = value;
    while let Value::Value(inner) = value {
        value = inner;
    }
    match ((group, key), value) {
        (COLOUR_SCHEME, Value::U32(scheme)) => {
            appearance.dark = match scheme {
                1 => Some(true),
                2 => Some(false),
                _ => None,
            };
        }
        (REDUCED_MOTION, Value::U32(wish)) => appearance.still = *wish == 1,
        (ANIMATIONS, Value::Bool(move_them)) => appearance.still = !move_them,
        _ => {}
    }
    *appearance != before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_motion_are_taken_up_and_other_settings_are_not() {
        let mut appearance = Appearance::default();
        let mut learns = |(group, key): (&str, &str), value: Value<'_>| {
            let changed = learn(&mut appearance, group, key, &value);
            (changed, appearance.dark, appearance.still)
        };
        assert_eq!(
            learns(COLOUR_SCHEME, 1_u32.into()),
            (true, Some(true), false)
        );
        let wrapped = Value::Value(Box::new(2_u32.into()));
        assert_eq!(learns(COLOUR_SCHEME, wrapped), (true, Some(false), false));
        assert_eq!(
            learns(COLOUR_SCHEME, "dark".into()),
            (false, Some(false), false)
        );
        assert_eq!(
            learns(REDUCED_MOTION, 1_u32.into()),
            (true, Some(false), true)
        );
        assert_eq!(learns(ANIMATIONS, true.into()), (true, Some(false), false));
        assert_eq!(
            learns(("org.other", "color-scheme"), 1_u32.into()),
            (false, Some(false), false)
        );
        assert_eq!(learns(COLOUR_SCHEME, 0_u32.into()), (true, None, false));
    }
}
