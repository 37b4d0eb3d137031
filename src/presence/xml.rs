//! XML from a network, as a small tree: no document type, no entities but the five, and limits.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

/// The largest document, in octets.
const MAX_BYTES: usize = 256 * 1024;
/// How deep elements may stand in each other.
const MAX_DEPTH: usize = 16;
/// How many elements a document may have.
const MAX_ELEMENTS: usize = 4096;
/// How many attributes an element may have.
const MAX_ATTRIBUTES: usize = 32;

/// Why a document cannot be read; always the fault of the one who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// It is too large, too deep or has too many parts.
    #[error("the document passes the limit of {0}")]
    Limit(&'static str),
    /// It has a document type, which could name entities without end.
    #[error("the document has a document type, which is not read")]
    DocumentType,
    /// It is no well-formed XML in UTF-8.
    #[error("the document is no well-formed XML")]
    Malformed,
    /// It is about something else.
    #[error("the document is no {0}")]
    Other(&'static str),
}

/// One element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Element {
    /// The name without its prefix.
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    /// The text that stands in it directly, without the blanks around it.
    pub(super) text: String,
    /// The elements in it.
    pub(super) children: Vec<Self>,
}

impl Element {
    /// The value of an attribute, unless it is empty.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let (_, value) = self.attributes.iter().find(|(known, _)| known == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// The first child of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of that name, unless it is empty.
    pub(super) fn child_text(&self, name: &str) -> Option<String> {
        let text = &self.child(name)?.text;
        (!text.is_empty()).then(|| text.clone())
    }
}

/// Reads a document whose root has that name.
pub(super) fn read(bytes: &[u8], root: &'static str) -> Result<Element, Unreadable> {
    if bytes.len() > MAX_BYTES {
        return Err(Unreadable::Limit("256 KiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_not_utf8| Unreadable::Malformed)?;
    // Some notifiers begin with blanks, others with a byte order mark.
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut count = 0_usize;
    loop {
        let event = reader
            .read_event()
            .map_err(|_ill_formed| Unreadable::Malformed)?;
        let closed = match event {
            Event::Start(start) => {
                count += 1;
                if open.len() >= MAX_DEPTH {
                    return Err(Unreadable::Limit("16 levels"));
                }
                open.push(element(&start)?);
                None
            }
            Event::Empty(start) => {
                count += 1;
                Some(element(&start)?)
            }
            Event::End(_) => open.pop(),
            Event::Text(text) => {
                let text = text.decode().map_err(|_not_utf8| Unreadable::Malformed)?;
                add_text(&mut open, &text);
                None
            }
            Event::CData(data) => {
                let text = data.decode().map_err(|_not_utf8| Unreadable::Malformed)?;
                add_text(&mut open, &text);
                None
            }
            Event::GeneralRef(reference) => {
                let name = reference
                    .decode()
                    .map_err(|_not_utf8| Unreadable::Malformed)?;
                let text = unescaped(&format!("&{name};"))?;
                add_text(&mut open, &text);
                None
            }
            Event::DocType(_) => return Err(Unreadable::DocumentType),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => None,
            Event::Eof => return Err(Unreadable::Malformed),
        };
        if count > MAX_ELEMENTS {
            return Err(Unreadable::Limit("4096 elements"));
        }
        if let Some(mut closed) = closed {
            closed.text = closed.text.trim().to_owned();
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                None if closed.name == root => return Ok(closed),
                None => return Err(Unreadable::Other(root)),
            }
        }
    }
}

fn add_text(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, Unreadable> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_ill_formed| Unreadable::Malformed)?;
        if attributes.len() >= MAX_ATTRIBUTES {
            return Err(Unreadable::Limit("32 attributes"));
        }
        let value = utf8(&attribute.value)?;
        let name = utf8(attribute.key.local_name().into_inner())?;
        attributes.push((name.to_owned(), unescaped(value)?));
    }
    Ok(Element {
        name: utf8(start.local_name().into_inner())?.to_owned(),
        attributes,
        text: String::new(),
        children: Vec::new(),
    })
}

fn utf8(bytes: &[u8]) -> Result<&str, Unreadable> {
    std::str::from_utf8(bytes).map_err(|_not_utf8| Unreadable::Malformed)
}

/// Resolves the five entities and numbered characters; any other entity is refused.
fn unescaped(text: &str) -> Result<String, Unreadable> {
    let text = unescape(text).map_err(|_unknown_entity| Unreadable::Malformed)?;
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Result<Element, Unreadable> {
        read(text.as_bytes(), "a")
    }

    #[test]
    fn a_tree_is_read_without_prefixes() {
        let root = tree(
            "\u{feff}<?xml version=\"1.0\"?>\n<!-- x --><p:a xmlns:p='urn:x' p:k='1 &lt; 2'>\
             <b/> <c> t&amp;<![CDATA[<u>]]>&#65; </c></p:a>",
        )
        .unwrap();
        assert_eq!(root.attribute("k"), Some("1 < 2"));
        assert_eq!(root.children.len(), 2);
        assert_eq!(root.child_text("c").unwrap(), "t&<u>A");
        assert_eq!(root.child_text("b"), None);
    }

    #[test]
    fn entities_and_document_types_are_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>";
        assert_eq!(tree(bomb), Err(Unreadable::DocumentType));
        assert_eq!(tree("<a>&x;</a>"), Err(Unreadable::Malformed));
        assert_eq!(tree("<a k='&x;'/>"), Err(Unreadable::Malformed));
    }

    #[test]
    fn what_passes_a_limit_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(17), "</a>".repeat(17));
        assert_eq!(tree(&deep), Err(Unreadable::Limit("16 levels")));
        let wide = format!("<a>{}</a>", "<b/>".repeat(5000));
        assert_eq!(tree(&wide), Err(Unreadable::Limit("4096 elements")));
        let attributes: String = (0..40).map(|n| format!(" k{n}='1'")).collect();
        let many = format!("<a{attributes}/>");
        assert_eq!(tree(&many), Err(Unreadable::Limit("32 attributes")));
        let long = format!("<a>{}</a>", "x".repeat(MAX_BYTES));
        assert_eq!(tree(&long), Err(Unreadable::Limit("256 KiB")));
    }

    #[test]
    fn what_is_no_such_document_is_refused() {
        for broken in [
            "",
            "hello",
            "<a>",
            "<a></b>",
            "<a",
            "<a k></a>",
            "<a k='1' k='2'/>",
        ] {
            assert_eq!(tree(broken), Err(Unreadable::Malformed), "{broken}");
        }
        assert_eq!(tree("<b/>"), Err(Unreadable::Other("a")));
        assert_eq!(read(b"<a>\xff</a>", "a"), Err(Unreadable::Malformed));
    }
}
