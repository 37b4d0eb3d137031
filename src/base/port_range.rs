//! A range of UDP ports, as firewalls are told of it.

use std::fmt;
use std::str::FromStr;

/// Ports from the first to the last, both among them, which hold at least one pair of an even port and
/// the next (RFC 3550 section 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortRange {
    first: u16,
    last: u16,
}

/// Why a text is no range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write two ports from 1024 to 65535 with a hyphen, such as 40000-40100")]
pub struct NoPortRange;

impl PortRange {
    /// The even ports whose next one belongs to it, too.
    pub fn pairs(self) -> impl ExactSizeIterator<Item = u16> + Clone {
        let first = self.first.next_multiple_of(2);
        let count = self.last.saturating_sub(first).div_ceil(2);
        (0..count).map(move |pair| first + pair * 2)
    }
}

impl FromStr for PortRange {
    type Err = NoPortRange;

    fn from_str(text: &str) -> Result<Self, NoPortRange> {
        let (first, last) = text.split_once('-').ok_or(NoPortRange)?;
        let port = |text: &str| {
            let port = text.trim().parse().ok();
            port.filter(|port| *port >= 1024).ok_or(NoPortRange)
        };
        let range = Self {
            first: port(first)?,
            last: port(last)?,
        };
        if range.first < range.last && range.pairs().len() > 0 {
            Ok(range)
        } else {
            Err(NoPortRange)
        }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_pairs_and_says_how_it_is_written() {
        let pairs = |text: &str| {
            text.parse::<PortRange>()
                .unwrap()
                .pairs()
                .collect::<Vec<_>>()
        };
        assert_eq!(pairs("40000-40005"), [40_000, 40_002, 40_004]);
        assert_eq!(pairs(" 40001 - 40004 "), [40_002]);
        assert_eq!(pairs("65534-65535"), [65_534]);
        assert_eq!(
            "40000-40005".parse::<PortRange>().unwrap().to_string(),
            "40000-40005"
        );
        for wrong in [
            "",
            "40000",
            "40000-",
            "80-90",
            "40001-40002",
            "40010-40000",
            "1-70000",
        ] {
            assert_eq!(wrong.parse::<PortRange>(), Err(NoPortRange), "{wrong}");
        }
    }
}
