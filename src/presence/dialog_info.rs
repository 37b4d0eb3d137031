//! Dialog state documents (RFC 4235 section 4.1).

use super::xml::{self, Element, Unreadable};

/// How many dialogs of one document are read.
const MAX_DIALOGS: usize = 64;

/// Who started a dialog, as the watched phone sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The watched phone calls.
    Initiator,
    /// The watched phone is called.
    Recipient,
}

/// Where a dialog stands (RFC 4235 section 3.7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DialogState {
    /// It is over.
    Terminated,
    /// The INVITE was sent or received.
    Trying,
    /// It was answered provisionally, without a tag.
    Proceeding,
    /// It rings.
    Early,
    /// They talk.
    Confirmed,
}

/// One side of a dialog.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// The address of record.
    pub identity: Option<String>,
    /// The display name.
    pub display: Option<String>,
    /// The Contact.
    pub target: Option<String>,
    /// Whether it renders media; `Some(false)` is a call on hold (RFC 4235 section 4.1.6.2).
    pub rendering: Option<bool>,
}

/// One dialog of the watched phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialogEntry {
    /// Its name in this document and the later ones.
    pub id: String,
    /// Its Call-ID.
    pub call_id: Option<String>,
    /// The watched phone's tag.
    pub local_tag: Option<String>,
    /// The other side's tag.
    pub remote_tag: Option<String>,
    /// Who started it.
    pub direction: Option<Direction>,
    /// Where it stands.
    pub state: DialogState,
    /// The watched phone.
    pub local: Party,
    /// The other side.
    pub remote: Party,
}

/// One document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialogInfo {
    /// Its number; the next one has the next number.
    pub version: u32,
    /// Whether it names all dialogs, or only those that changed.
    pub full: bool,
    /// Whose dialogs these are.
    pub entity: Option<String>,
    /// The dialogs.
    pub dialogs: Vec<DialogEntry>,
}

/// Reads a document.
///
/// # Errors
///
/// Fails on anything that is no dialog-info, and past the limits.
pub fn read(bytes: &[u8]) -> Result<DialogInfo, Unreadable> {
    let root = xml::read(bytes, "dialog-info")?;
    let is_dialog = |child: &&Element| child.name == "dialog";
    if root.children.iter().filter(is_dialog).count() > MAX_DIALOGS {
        return Err(Unreadable::Limit("64 dialogs"));
    }
    Ok(DialogInfo {
        version: root
            .attribute("version")
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0),
        full: !root
            .attribute("state")
            .is_some_and(|state| state.eq_ignore_ascii_case("partial")),
        entity: root.attribute("entity").map(str::to_owned),
        dialogs: root
            .children
            .iter()
            .filter(is_dialog)
            .enumerate()
            .map(|(place, dialog)| entry(dialog, place))
            .collect(),
    })
}

fn entry(dialog: &Element, place: usize) -> DialogEntry {
    let text = |name: &str| dialog.attribute(name).map(str::to_owned);
    let call_id = text("call-id");
    DialogEntry {
        // The id is mandatory and yet sometimes missing.
        id: text("id")
            .or_else(|| call_id.clone())
            .unwrap_or_else(|| format!("#{place}")),
        call_id,
        local_tag: text("local-tag"),
        remote_tag: text("remote-tag"),
        direction: match dialog.attribute("direction") {
            Some(it) if it.eq_ignore_ascii_case("initiator") => Some(Direction::Initiator),
            Some(it) if it.eq_ignore_ascii_case("recipient") => Some(Direction::Recipient),
            Some(_) | None => None,
        },
        state: state(&dialog.child_text("state").unwrap_or_default()),
        local: party(dialog.child("local")),
        remote: party(dialog.child("remote")),
    }
}

/// A state's word; what is unknown counts as an established dialog, since something is there.
fn state(word: &str) -> DialogState {
    match word.to_ascii_lowercase().as_str() {
        "terminated" => DialogState::Terminated,
        "trying" => DialogState::Trying,
        "proceeding" => DialogState::Proceeding,
        "early" => DialogState::Early,
        _ => DialogState::Confirmed,
    }
}

fn party(element: Option<&Element>) -> Party {
    let Some(element) = element else {
        return Party::default();
    };
    let identity = element.child("identity");
    let target = element.child("target");
    let rendering = target.and_then(|target| {
        let param = target.children.iter().find(|child| {
            child.name == "param"
                && child.attribute("pname").is_some_and(|name| {
                    let name = name.trim_start_matches('+');
                    name.eq_ignore_ascii_case("sip.rendering")
                })
        })?;
        match param.attribute("pval")? {
            "no" => Some(false),
            "yes" => Some(true),
            _ => None,
        }
    });
    Party {
        identity: element.child_text("identity"),
        display: identity
            .and_then(|identity| identity.attribute("display"))
            .map(str::to_owned),
        target: target
            .and_then(|target| target.attribute("uri"))
            .map(str::to_owned),
        rendering,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As RFC 4235 section 6.2 shows a ringing phone.
    const RINGING: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="sip:bob@example.com">
  <dialog id="as7d900as8" call-id="a84b4c76e66710" local-tag="1928301774" remote-tag="456887766" direction="recipient">
    <state>early</state>
    <local><identity>sip:bob@example.com</identity><target uri="sip:bob@10.0.0.2"/></local>
    <remote><identity display="Anna &amp; Co">sip:anna@example.com</identity><target uri="sip:anna@10.0.0.1"><param pname="+sip.rendering" pval="no"/></target></remote>
  </dialog>
</dialog-info>"#;

    #[test]
    fn a_ringing_phone_is_read_whole() {
        let info = read(RINGING.as_bytes()).unwrap();
        assert!(info.full);
        assert_eq!(info.entity.as_deref(), Some("sip:bob@example.com"));
        let dialog = &info.dialogs[0];
        assert_eq!(dialog.state, DialogState::Early);
        assert_eq!(dialog.direction, Some(Direction::Recipient));
        assert_eq!(dialog.call_id.as_deref(), Some("a84b4c76e66710"));
        assert_eq!(dialog.remote.display.as_deref(), Some("Anna & Co"));
        assert_eq!(dialog.remote.target.as_deref(), Some("sip:anna@10.0.0.1"));
        assert_eq!(dialog.remote.rendering, Some(false));
        assert_eq!(dialog.local.rendering, None);
    }

    #[test]
    fn missing_attributes_are_borne() {
        let info = read(b"<dialog-info><dialog><state>Confirmed</state></dialog></dialog-info>");
        let info = info.unwrap();
        assert_eq!((info.version, info.full), (0, true));
        assert_eq!(info.dialogs[0].state, DialogState::Confirmed);
        assert_eq!(info.dialogs[0].direction, None);
        let named =
            read(b"<dialog-info state='partial' version='7'><dialog call-id='c'/></dialog-info>");
        let named = named.unwrap();
        assert!(!named.full);
        assert_eq!(named.dialogs[0].id, "c");
    }

    #[test]
    fn too_many_dialogs_are_refused() {
        let many = format!("<dialog-info>{}</dialog-info>", "<dialog/>".repeat(65));
        assert_eq!(read(many.as_bytes()), Err(Unreadable::Limit("64 dialogs")));
    }
}
