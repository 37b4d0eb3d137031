//! Presence documents (PIDF, RFC 3863) with the activities of RFC 4480 (RPID).

use super::xml::{self, Element, Unreadable};

/// The longest note that is kept, in characters.
const MAX_NOTE: usize = 200;

/// What somebody tells of their presence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Presence {
    /// Whose presence this is.
    pub entity: Option<String>,
    /// Whether any of their devices can be reached; none when no device says.
    pub open: Option<bool>,
    /// What they do, as RFC 4480 names it, such as `on-the-phone` or `away`.
    pub activities: Vec<String>,
    /// What they wrote.
    pub note: Option<String>,
}

/// Reads a document.
///
/// # Errors
///
/// Fails on anything that is no PIDF, and past the limits.
pub fn read(bytes: &[u8]) -> Result<Presence, Unreadable> {
    const MAX_ACTIVITIES: usize = 16;
    let root = xml::read(bytes, "presence")?;
    let mut presence = Presence {
        entity: root.attribute("entity").map(str::to_owned),
        ..Presence::default()
    };
    let mut notes: Vec<&str> = Vec::new();
    for child in &root.children {
        match child.name.as_str() {
            "tuple" => {
                if let Some(open) = basic(child) {
                    presence.open = Some(presence.open.unwrap_or(false) || open);
                }
            }
            "note" => notes.push(&child.text),
            "person" | "device" => {}
            _ => continue,
        }
        // The activities stand in the person (RFC 4479), in old documents in the tuple.
        let places = [Some(child), child.child("status")];
        for place in places.into_iter().flatten() {
            let Some(activities) = place.child("activities") else {
                continue;
            };
            for activity in &activities.children {
                if presence.activities.len() < MAX_ACTIVITIES && activity.name != "note" {
                    presence.activities.push(activity.name.clone());
                }
            }
            notes.extend(activities.child("note").map(|note| note.text.as_str()));
        }
        notes.extend(child.child("note").map(|note| note.text.as_str()));
    }
    presence.note = notes
        .into_iter()
        .find(|note| !note.is_empty())
        .map(|note| note.chars().take(MAX_NOTE).collect());
    Ok(presence)
}

fn basic(tuple: &Element) -> Option<bool> {
    let word = tuple.child("status")?.child_text("basic")?;
    match word.to_ascii_lowercase().as_str() {
        "open" => Some(true),
        "closed" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tuple_with_activities_and_a_note_is_read() {
        let presence = read(
            br#"<?xml version="1.0"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"
  xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="pres:bob@example.com">
  <tuple id="t1"><status><basic>open</basic></status><contact priority="0.8">sip:bob@10.0.0.2</contact></tuple>
  <dm:person id="p1"><rpid:activities><rpid:on-the-phone/></rpid:activities><dm:note>On a call</dm:note></dm:person>
</presence>"#,
        )
        .unwrap();
        assert_eq!(presence.open, Some(true));
        assert_eq!(presence.activities, ["on-the-phone"]);
        assert_eq!(presence.note.as_deref(), Some("On a call"));
    }

    #[test]
    fn one_open_device_is_enough() {
        let with = |words: &[&str]| {
            let tuples: String = words
                .iter()
                .map(|word| format!("<tuple><status><basic>{word}</basic></status></tuple>"))
                .collect();
            read(format!("<presence>{tuples}</presence>").as_bytes())
                .unwrap()
                .open
        };
        assert_eq!(with(&["closed", "open"]), Some(true));
        assert_eq!(with(&["closed", "closed"]), Some(false));
        assert_eq!(with(&["perhaps"]), None);
        assert_eq!(with(&[]), None);
    }

    #[test]
    fn a_long_note_is_cut() {
        let text = format!("<presence><note>{}</note></presence>", "n".repeat(5000));
        let note = read(text.as_bytes()).unwrap().note.unwrap();
        assert_eq!(note.len(), MAX_NOTE);
    }
}
