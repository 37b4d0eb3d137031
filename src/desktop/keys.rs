//! Keys that answer and decline in every program, while it rings and only then.
//!
//! On X11 the keys are grabbed from the server for as long as a call rings. On Wayland no program may
//! take keys from others; there the notification answers.

use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc;
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{ConnectionExt as _, GrabMode, Keycode, ModMask, Window};
use x11rb::rust_connection::RustConnection;

use super::Part;
use super::picture::Picture;
use crate::config::desktop::DesktopSettings;
use crate::config::key_chord::{ChordKey, KeyChord};
use crate::control::Command;

/// Keysyms of X (keysymdef.h): F1, from which the others follow.
const F1: u32 = 0xffbe;

/// Locks that may be on while keys are pressed: none, Caps Lock, Num Lock (by custom Mod2), both.
const LOCKS: [u16; 4] = [0, 2, 16, 18];

/// Why the keys do not work.
#[derive(Debug, thiserror::Error)]
enum KeysError {
    #[error(transparent)]
    Connect(#[from] x11rb::errors::ConnectError),
    #[error(transparent)]
    Connection(#[from] x11rb::errors::ConnectionError),
    #[error(transparent)]
    Reply(#[from] x11rb::errors::ReplyError),
    #[error(transparent)]
    Wait(#[from] std::io::Error),
    #[error("the server shows no screen")]
    NoScreen,
    #[error("the keyboard has no key for {0}")]
    NoKey(KeyChord),
    #[error("another program has {0}")]
    Taken(KeyChord),
}

/// What the keys do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Answer,
    Decline,
}

/// Listens while it rings, until the end.
pub(super) async fn listen(mut part: Part) {
    if crate::ui::on_wayland() {
        tracing::info!(
            "keys work in the window alone: Wayland gives no program the keys of others"
        );
        return;
    }
    let mut complained = false;
    loop {
        let picture = part.look();
        if wants_keys(&picture)
            && let Err(error) = while_it_rings(&mut part, &picture.settings).await
        {
            if !std::mem::replace(&mut complained, true) {
                tracing::warn!("keys work in the window alone: {error}");
            }
            // The next call may find them free.
            while wants_keys(&part.look()) {
                if !part.changed().await {
                    return;
                }
            }
        }
        if !part.changed().await {
            return;
        }
    }
}

/// Keys are taken from no locked screen: who stands before it need not be the agent.
fn wants_keys(picture: &Picture) -> bool {
    picture.settings.global_keys && !picture.ringing.is_empty() && !picture.locked
}

/// So many presses may wait; each ends the ringing of a call.
const PRESSES: usize = 4;

/// Holds the keys until nothing rings.
async fn while_it_rings(part: &mut Part, settings: &DesktopSettings) -> Result<(), KeysError> {
    let chords = [
        (settings.answer_key, Action::Answer),
        (settings.decline_key, Action::Decline),
    ];
    // Its other end hears when this one goes.
    let (_until, over) = UnixStream::pair()?;
    let (pressed, mut presses) = mpsc::channel(PRESSES);
    // The server may be slow, or far away.
    let mut holding = tokio::task::spawn_blocking(move || hold(&chords, &over, &pressed));
    loop {
        tokio::select! {
            held = &mut holding => return held.unwrap_or(Ok(())),
            goes_on = part.changed() => {
                if !goes_on || !wants_keys(&part.look()) {
                    return Ok(());
                }
            }
            Some(action) = presses.recv() => {
                let picture = part.look();
                if let Some((call, _)) = picture.ringing.first() {
                    match action {
                        Action::Answer => {
                            part.send(Command::Answer(*call));
                            part.send(Command::Raise);
                        }
                        Action::Decline => part.send(Command::Decline(*call)),
                    }
                }
            }
        }
    }
}

/// Takes the keys and tells of each press, on a thread of its own, until the other end of `over` goes.
/// The end of the connection gives the keys back, whatever happens.
fn hold(
    chords: &[(KeyChord, Action)],
    over: &UnixStream,
    pressed: &mpsc::Sender<Action>,
) -> Result<(), KeysError> {
    let grab = Grab::of(chords)?;
    loop {
        while let Some(event) = grab.connection.poll_for_event()? {
            if let Some(action) = grab.action(&event)
                && pressed.blocking_send(action).is_err()
            {
                return Ok(());
            }
        }
        let mut both = [
            PollFd::new(grab.connection.stream(), PollFlags::IN),
            PollFd::new(over, PollFlags::IN),
        ];
        match poll(&mut both, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(KeysError::Wait(error.into())),
        }
        let [_server, end] = &both;
        if !end.revents().is_empty() {
            return Ok(());
        }
    }
}

/// Keys that are ours for a while.
struct Grab {
    connection: RustConnection,
    keys: Vec<(Keycode, u16, Action)>,
}

impl Grab {
    fn of(chords: &[(KeyChord, Action)]) -> Result<Self, KeysError> {
        let (connection, screen) = RustConnection::connect(None)?;
        let screen = connection.setup().roots.get(screen);
        let root = screen.ok_or(KeysError::NoScreen)?.root;
        let mut keys = Vec::new();
        for (chord, action) in chords {
            let code = key_code(&connection, chord.key)?.ok_or(KeysError::NoKey(*chord))?;
            let held = held(*chord);
            grab(&connection, root, code, held, *chord)?;
            keys.push((code, held, *action));
        }
        Ok(Self { connection, keys })
    }

    fn action(&self, event: &Event) -> Option<Action> {
        let Event::KeyPress(press) = event else {
            return None;
        };
        let state = u16::from(press.state) & held_mask();
        let mut keys = self.keys.iter();
        let found = keys.find(|(code, held, _)| *code == press.detail && *held == state);
        found.map(|(_, _, action)| *action)
    }
}

fn grab(
    connection: &RustConnection,
    root: Window,
    code: Keycode,
    held: u16,
    chord: KeyChord,
) -> Result<(), KeysError> {
    for lock in LOCKS {
        let modifiers = ModMask::from(held | lock);
        let asked = connection.grab_key(
            false,
            root,
            modifiers,
            code,
            GrabMode::ASYNC,
            GrabMode::ASYNC,
        )?;
        // Only one program may have them.
        asked.check().map_err(|error| match error {
            x11rb::errors::ReplyError::X11Error(_) => KeysError::Taken(chord),
            broken @ x11rb::errors::ReplyError::ConnectionError(_) => KeysError::Reply(broken),
        })?;
    }
    Ok(())
}

fn held(chord: KeyChord) -> u16 {
    let mut held = 0;
    for (wanted, mask) in [
        (chord.shift, ModMask::SHIFT),
        (chord.ctrl, ModMask::CONTROL),
        (chord.alt, ModMask::M1),
    ] {
        if wanted {
            held |= u16::from(mask);
        }
    }
    held
}

fn held_mask() -> u16 {
    u16::from(ModMask::SHIFT | ModMask::CONTROL | ModMask::M1 | ModMask::M4)
}

/// Where the key is on this keyboard.
fn key_code(connection: &RustConnection, key: ChordKey) -> Result<Option<Keycode>, KeysError> {
    let wanted = key_sym(key);
    let (first, last) = {
        let setup = connection.setup();
        (setup.min_keycode, setup.max_keycode)
    };
    let count = last.saturating_sub(first).saturating_add(1);
    let mapping = connection.get_keyboard_mapping(first, count)?.reply()?;
    let per_key = usize::from(mapping.keysyms_per_keycode.max(1));
    let mut keys = mapping.keysyms.chunks(per_key);
    // What a key gives without anything held stands first.
    let place = keys.position(|symbols| symbols.first() == Some(&wanted));
    Ok(place.and_then(|place| u8::try_from(place + usize::from(first)).ok()))
}

fn key_sym(key: ChordKey) -> u32 {
    match key {
        ChordKey::Function(number) => F1 + u32::from(number) - 1,
        // Of Latin-1 the keysym is the character, small as it is typed.
        ChordKey::Letter(letter) => u32::from(letter.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_symbols_of_the_server() {
        // XK_F9, XK_F10, XK_a, XK_7.
        assert_eq!(key_sym(ChordKey::Function(9)), 0xffc6);
        assert_eq!(key_sym(ChordKey::Function(10)), 0xffc7);
        assert_eq!(key_sym(ChordKey::Letter('A')), 0x61);
        assert_eq!(key_sym(ChordKey::Letter('7')), 0x37);
        // ShiftMask and ControlMask.
        assert_eq!(held(KeyChord::ctrl_shift_function(9)), 0b101);
    }
}
