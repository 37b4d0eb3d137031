//! Reads `spellings.tsv`: numbers as people write them, and what the numbering plans make of them.

/// A row of the table.
pub(crate) struct Spelling {
    /// The region in which it is read.
    pub(crate) region: &'static str,
    /// As written.
    pub(crate) written: String,
    /// What it is.
    pub(crate) expected: Expected,
    /// The extension beside it.
    pub(crate) extension: Option<&'static str>,
    /// What that rests on.
    pub(crate) rests_on: &'static str,
}

/// What a spelling is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// This public number.
    Public(&'static str),
    /// A short number.
    Internal,
    /// A code for the exchange.
    Service,
    /// A caller who hides the number.
    Withheld,
    /// A name, or no whole public number.
    None,
}

impl Spelling {
    /// Reads all rows in their order.
    pub(crate) fn all() -> Vec<Self> {
        include_str!("spellings.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(Self::read)
            .collect()
    }

    fn read(line: &'static str) -> Self {
        let columns: Vec<&str> = line.split('\t').collect();
        let [region, written, expected, extension, rests_on] = columns[..] else {
            panic!("not five columns: {line}");
        };
        let expected = match expected {
            "internal" => Expected::Internal,
            "service" => Expected::Service,
            "withheld" => Expected::Withheld,
            "none" => Expected::None,
            number => {
                assert!(number.starts_with('+'), "{line}");
                Expected::Public(number)
            }
        };
        Self {
            region,
            written: unescaped(written),
            expected,
            extension: Some(extension).filter(|extension| !extension.is_empty()),
            rests_on,
        }
    }

    /// Its number, when it is a public one.
    pub(crate) fn e164(&self) -> Option<&'static str> {
        match self.expected {
            Expected::Public(number) => Some(number),
            _ => None,
        }
    }
}

/// `\u{a0}` stands for a character that does not show.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u{");
    let mut read = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('}').unwrap();
        read.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        read.push_str(rest);
    }
    read
}
