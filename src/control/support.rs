//! What somebody who helps from afar needs to know of a phone, as files without secrets.

/// A support bundle as it is shown before it is saved: texts, and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SupportBundle {
    /// Its files, in the order in which they are shown.
    pub files: Vec<SupportFile>,
    /// Whether names and numbers of people are in it at full length, as the agent wished.
    pub people: bool,
}

/// One file of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportFile {
    /// Its name in the archive, such as `log/ringdesk.log`.
    pub name: String,
    /// All of it.
    pub text: String,
}

impl SupportBundle {
    /// How much text it is, in octets.
    pub fn octets(&self) -> usize {
        self.files.iter().map(|file| file.text.len()).sum()
    }
}
