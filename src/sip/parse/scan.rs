//! Lists, parameters, tokens and quoted strings (RFC 3261 section 25.1).

use crate::base::uri::Param;

/// Says why a header field cannot be read; the peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the peer sent a malformed {0}")]
pub struct Malformed(pub &'static str);

/// Whether a text is a token.
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Writes a quoted string.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            '\r' | '\n' => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Splits at a separator that stands outside quoted strings and angle brackets; the parts are
/// trimmed. Fails where a quote or bracket is not closed.
pub(super) fn split_outside(text: &str, separator: char) -> Result<Vec<&str>, Malformed> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut in_quotes = false;
    let mut escaped = false;
    let mut in_brackets = false;
    for (at, c) in text.char_indices() {
        if in_quotes {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_quotes = false,
                _ => {}
            }
            continue;
        }
        match c {
            '"' if !in_brackets => in_quotes = true,
            '<' => in_brackets = true,
            '>' => in_brackets = false,
            c if c == separator && !in_brackets => {
                parts.push(text.get(start..at).unwrap_or_default().trim());
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    if in_quotes || in_brackets {
        return Err(Malformed("quoted string or bracket"));
    }
    parts.push(text.get(start..).unwrap_or_default().trim());
    Ok(parts)
}

/// Reads `name=value;name;name="value"`; an empty text has no parameters.
pub(super) fn params(text: &str) -> Result<Vec<Param>, Malformed> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    split_outside(text, ';')?.into_iter().map(param).collect()
}

/// Reads one parameter; its value loses its quotes.
pub(super) fn param(text: &str) -> Result<Param, Malformed> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name.trim_end(), Some(value.trim_start())),
        None => (text, None),
    };
    if !is_token(name) {
        return Err(Malformed("parameter name"));
    }
    let value = match value {
        Some(value) if value.starts_with('"') => Some(unquote(value)?),
        // A value is a token or a host; in the field it holds slashes, at signs and more.
        Some(value) if value.is_empty() || value.contains(['"', ' ', '\t']) => {
            return Err(Malformed("parameter value"));
        }
        Some(value) => Some(value.to_owned()),
        None => None,
    };
    Ok(Param {
        name: name.to_owned(),
        value,
    })
}

/// Reads a text that is one quoted string and nothing more.
pub(super) fn unquote(text: &str) -> Result<String, Malformed> {
    let (value, rest) = take_quoted(text)?;
    if rest.trim().is_empty() {
        Ok(value)
    } else {
        Err(Malformed("quoted string"))
    }
}

/// Reads the quoted string at the beginning; gives its value and what follows.
pub(super) fn take_quoted(text: &str) -> Result<(String, &str), Malformed> {
    let inner = text.strip_prefix('"').ok_or(Malformed("quoted string"))?;
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            c if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Ok((value, inner.get(at + 1..).unwrap_or_default())),
            c => value.push(c),
        }
    }
    Err(Malformed("quoted string"))
}

/// Writes parameters, quoting each value that is neither token nor host.
pub(super) fn write_params(f: &mut std::fmt::Formatter<'_>, params: &[Param]) -> std::fmt::Result {
    for param in params {
        write!(f, ";{}", param.name)?;
        if let Some(value) = &param.value {
            let plain = !value.is_empty()
                && value
                    .bytes()
                    .all(|byte| is_token_byte(byte) || b"[]:/@".contains(&byte));
            if plain {
                write!(f, "={value}")?;
            } else {
                write!(f, "={}", quote(value))?;
            }
        }
    }
    Ok(())
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_split_outside_quotes_and_brackets_only() {
        assert_eq!(
            split_outside(r#""a, \" b" <sip:x,y@h>;p="1,2" , <sip:z>"#, ',').unwrap(),
            [r#""a, \" b" <sip:x,y@h>;p="1,2""#, "<sip:z>"]
        );
        assert!(split_outside(r#""a, b"#, ',').is_err());
        assert!(split_outside("<sip:a", ',').is_err());
    }

    #[test]
    fn parameters_are_read_with_white_space_and_quotes() {
        let read = params(r#"a ; b = c;d="e;\"f""#).unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(read[1].value.as_deref(), Some("c"));
        assert_eq!(read[2].value.as_deref(), Some("e;\"f"));
        for broken in [";a", "a;;b", "a=", "=b", "a=\"b", "a=b c"] {
            assert!(params(broken).is_err(), "{broken}");
        }
    }
}
