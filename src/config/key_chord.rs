//! Keys that are pressed together, as a person writes them: `Ctrl+Shift+F9`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A key and what is held with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyChord {
    /// Whether Ctrl is held.
    pub ctrl: bool,
    /// Whether Alt is held.
    pub alt: bool,
    /// Whether Shift is held.
    pub shift: bool,
    /// The key.
    pub key: ChordKey,
}

/// The keys that a chord may end in. Space and Enter are none of them: who types in another program
/// would answer calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChordKey {
    /// F1 to F24.
    Function(u8),
    /// A to Z, or 0 to 9.
    Letter(char),
}

/// What was written is no chord.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the keys \"{0}\" cannot be used; write Ctrl, Alt or Shift and a letter, a digit or F1 to F24, such as Ctrl+Shift+F9"
)]
pub struct NoKeyChord(String);

impl KeyChord {
    /// Ctrl, Shift and a function key.
    pub const fn ctrl_shift_function(number: u8) -> Self {
        Self {
            ctrl: true,
            alt: false,
            shift: true,
            key: ChordKey::Function(number),
        }
    }
}

impl FromStr for KeyChord {
    type Err = NoKeyChord;

    fn from_str(text: &str) -> Result<Self, NoKeyChord> {
        let refused = || NoKeyChord(text.chars().take(40).collect());
        let mut parts = text.split('+').map(str::trim).rev();
        let key = parts.next().and_then(ChordKey::read).ok_or_else(refused)?;
        let mut chord = Self {
            ctrl: false,
            alt: false,
            shift: false,
            key,
        };
        for part in parts {
            let held = match part.to_ascii_lowercase().as_str() {
                "ctrl" | "control" => &mut chord.ctrl,
                "alt" => &mut chord.alt,
                "shift" => &mut chord.shift,
                _ => return Err(refused()),
            };
            if std::mem::replace(held, true) {
                return Err(refused());
            }
        }
        // What is typed as text must stay text.
        let types = matches!(key, ChordKey::Letter(_)) && !chord.ctrl && !chord.alt;
        if types { Err(refused()) } else { Ok(chord) }
    }
}

impl ChordKey {
    fn read(text: &str) -> Option<Self> {
        let mut letters = text.chars();
        let first = letters.next()?.to_ascii_uppercase();
        let rest = letters.as_str();
        if rest.is_empty() {
            return first.is_ascii_alphanumeric().then_some(Self::Letter(first));
        }
        let number: u8 = (first == 'F').then(|| rest.parse().ok()).flatten()?;
        (1..=24).contains(&number).then_some(Self::Function(number))
    }
}

impl fmt::Display for ChordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(number) => write!(f, "F{number}"),
            Self::Letter(letter) => write!(f, "{letter}"),
        }
    }
}

impl fmt::Display for KeyChord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in [
            (self.ctrl, "Ctrl+"),
            (self.alt, "Alt+"),
            (self.shift, "Shift+"),
        ] {
            if held {
                f.write_str(name)?;
            }
        }
        self.key.fmt(f)
    }
}

impl TryFrom<String> for KeyChord {
    type Error = NoKeyChord;

    fn try_from(text: String) -> Result<Self, NoKeyChord> {
        text.parse()
    }
}

impl From<KeyChord> for String {
    fn from(chord: KeyChord) -> Self {
        chord.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chord_is_read_as_people_write_it() {
        let usual = KeyChord::ctrl_shift_function(9);
        for text in ["Ctrl+Shift+F9", "shift + control+f9"] {
            assert_eq!(text.parse(), Ok(usual), "{text}");
        }
        assert_eq!(usual.to_string(), "Ctrl+Shift+F9");
        let alt: KeyChord = "Alt+a".parse().unwrap();
        assert_eq!(alt.to_string(), "Alt+A");
        assert!("F12".parse::<KeyChord>().is_ok());
    }

    #[test]
    fn what_would_be_typed_as_text_is_no_chord() {
        for text in [
            "",
            "A",
            "Shift+a",
            "Ctrl",
            "Ctrl+",
            "Ctrl+Space",
            "Ctrl+Enter",
            "Ctrl+F25",
            "Ctrl+F0",
            "Ctrl+Ctrl+A",
            "Super+A",
            "Ctrl+ä",
        ] {
            assert!(text.parse::<KeyChord>().is_err(), "{text}");
        }
    }
}
