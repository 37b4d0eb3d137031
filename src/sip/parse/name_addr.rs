//! From, To, Contact, Route and their like: an address with a display name and parameters
//! (RFC 3261 sections 20.10 and 25.1).

use std::fmt;

use super::scan::{self, Malformed};
use crate::base::uri::{Param, Uri};
use crate::sip::event::NameAddr;

/// An address as a header field carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressField {
    /// The display name, unquoted.
    pub display_name: Option<String>,
    /// The URI.
    pub uri: Uri,
    /// The header field's parameters in order.
    pub params: Vec<Param>,
}

/// One value of Contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactField {
    /// `*`: all bindings.
    All,
    /// An address.
    Address(AddressField),
}

/// Reads one address.
///
/// # Errors
///
/// Fails on unbalanced quotes or brackets, a broken URI, or a URI with headers outside brackets.
pub fn address(text: &str) -> Result<AddressField, Malformed> {
    const BROKEN: Malformed = Malformed("address");
    let text = text.trim();
    let (display_name, rest) = if text.starts_with('"') {
        let (name, rest) = scan::take_quoted(text)?;
        (Some(name), rest.trim_start())
    } else {
        match text.split_once('<') {
            Some((name, _)) => {
                let rest = text.get(name.len()..).ok_or(BROKEN)?;
                let name = name.trim();
                ((!name.is_empty()).then(|| name.to_owned()), rest)
            }
            None => (None, text),
        }
    };
    let (uri, params) = if let Some(inner) = rest.strip_prefix('<') {
        let (uri, after) = inner.split_once('>').ok_or(BROKEN)?;
        let after = after.trim();
        let params = match after.strip_prefix(';') {
            Some(params) if params.trim().is_empty() => return Err(BROKEN),
            Some(params) => scan::params(params)?,
            None if after.is_empty() => Vec::new(),
            None => return Err(BROKEN),
        };
        (uri, params)
    } else if display_name.is_some() {
        return Err(BROKEN);
    } else {
        // Without brackets each parameter belongs to the header field, and a `?` or `,` in the
        // URI would be ambiguous (RFC 3261 section 20).
        let (uri, params) = match rest.split_once(';') {
            Some((uri, params)) if !params.trim().is_empty() => (uri, scan::params(params)?),
            Some(_) => return Err(BROKEN),
            None => (rest, Vec::new()),
        };
        let uri = uri.trim_end();
        if uri.contains(['?', ',']) {
            return Err(BROKEN);
        }
        (uri, params)
    };
    let Ok(uri) = Uri::parse(uri) else {
        return Err(BROKEN);
    };
    Ok(AddressField {
        display_name: display_name.filter(|name| !name.is_empty()),
        uri,
        params,
    })
}

/// Reads one value of Contact.
///
/// # Errors
///
/// Fails like [`address`], and when `expires` is no number of 32 bits.
pub fn contact(text: &str) -> Result<ContactField, Malformed> {
    if text.trim() == "*" {
        return Ok(ContactField::All);
    }
    let field = address(text)?;
    match field.param("expires") {
        Some(value) if value.parse::<u32>().is_err() => Err(Malformed("Contact expires")),
        Some(_) | None => Ok(ContactField::Address(field)),
    }
}

impl AddressField {
    /// The value of a parameter that has one.
    pub fn param(&self, name: &str) -> Option<&str> {
        Param::find(&self.params, name)?.value.as_deref()
    }

    /// The tag, where there is one.
    pub fn tag(&self) -> Option<&str> {
        self.param("tag")
    }

    /// The `expires` of a Contact, in seconds.
    pub fn expires(&self) -> Option<u32> {
        self.param("expires")?.parse().ok()
    }

    /// The address without its parameters.
    pub fn name_addr(&self) -> NameAddr {
        NameAddr {
            display_name: self.display_name.clone(),
            uri: self.uri.clone(),
        }
    }
}

impl fmt::Display for AddressField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.display_name {
            write!(f, "{} ", scan::quote(name))?;
        }
        write!(f, "<{}>", self.uri)?;
        scan::write_params(f, &self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_read() {
        let read = address("\"A. \\\"B\\\" C\"<sip:a@h;lr>;tag=x;q=0.5").unwrap();
        assert_eq!(read.display_name.as_deref(), Some("A. \"B\" C"));
        assert_eq!(read.uri.to_string(), "sip:a@h;lr");
        assert_eq!(read.tag(), Some("x"));
        let read = address("caller<sip:caller@example.com>;tag=323").unwrap();
        assert_eq!(read.display_name.as_deref(), Some("caller"));
        let read = address("sip:vivekg@chair-dnrc.example.com ; tag = 1918181833n").unwrap();
        assert_eq!(read.uri.to_string(), "sip:vivekg@chair-dnrc.example.com");
        assert_eq!(read.tag(), Some("1918181833n"));
        let read = address("<tel:+15551234>").unwrap();
        assert_eq!(read.uri.to_string(), "tel:+15551234");
        let read = contact("<sip:a@h>;+sip.instance=\"<urn:uuid:0>\";expires=60").unwrap();
        let ContactField::Address(read) = read else {
            panic!("{read:?}")
        };
        assert_eq!(read.param("+sip.instance"), Some("<urn:uuid:0>"));
        assert_eq!(read.expires(), Some(60));
        assert_eq!(contact(" * "), Ok(ContactField::All));
        assert_eq!(address("\"\" <sip:a@h>").unwrap().to_string(), "<sip:a@h>");
    }

    #[test]
    fn broken_addresses_are_refused() {
        for text in [
            "",
            "\"Mr. J. User <sip:j.user@example.com>",
            "\"Watson, Thomas\" < sip:t.watson@example.org >",
            "<sip:a@h",
            "<sip:a@h>x",
            "<sip:a@h>;",
            "<sip:a@h>;;tag=1",
            "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
            "\"name\" sip:a@h",
            "alice",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
        assert!(contact("<sip:a@h>;expires=280297596632815").is_err());
    }

    #[test]
    fn written_addresses_read_back_the_same() {
        for text in [
            "\"x \\\\ y\" <sip:a%20b@h;lr?x=y>;tag=1;lr",
            "<sip:a@[::1]:5060>;received=[::1]",
        ] {
            let read = address(text).unwrap();
            assert_eq!(address(&read.to_string()).unwrap(), read);
        }
    }
}
