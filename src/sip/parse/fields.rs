//! Small header fields.

use super::scan::{self, Malformed};
use crate::base::uri::Param;
use crate::sip::message::Method;

/// Reads `CSeq` (RFC 3261 section 20.16): a number below 2^31 and a method.
///
/// # Errors
///
/// Fails when either is missing or the number is out of range.
pub fn cseq(text: &str) -> Result<(u32, Method), Malformed> {
    let mut words = text.split_ascii_whitespace();
    let (Some(number), Some(method), None) = (words.next(), words.next(), words.next()) else {
        return Err(Malformed("CSeq"));
    };
    match number.parse::<u32>() {
        Ok(number)
            if number < 1 << 31
                && scan::is_token(method)
                && text.trim_start().starts_with(|c: char| c.is_ascii_digit()) =>
        {
            Ok((number, Method::parse(method)))
        }
        Ok(_) | Err(_) => Err(Malformed("CSeq")),
    }
}

/// The type of a Content-Type or Accept value, lower-case, without parameters or white space.
pub fn media_type(text: &str) -> String {
    text.split(';')
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase()
}

/// The elements of a list; none where a quote or bracket is not closed, so that a field of little
/// weight never costs the whole message.
pub fn comma_list(text: &str) -> Vec<&str> {
    scan::split_outside(text, ',').unwrap_or_default()
}

/// The parameters of a text such as `a=1;b`; none where they cannot be read.
pub fn parameters(text: &str) -> Vec<Param> {
    scan::params(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cseq_is_a_number_below_2_to_the_31_and_a_method() {
        assert_eq!(cseq("0009  INVITE"), Ok((9, Method::Invite)));
        for broken in [
            "36893488147419103232 REGISTER",
            "2147483648 INVITE",
            "-1 INVITE",
            "+1 INVITE",
            "1",
            "1 INVITE x",
            "1 IN(VITE",
        ] {
            assert!(cseq(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn media_types_compare_without_case_and_parameters() {
        assert_eq!(
            media_type("Application / SDP ; charset=x"),
            "application/sdp"
        );
    }
}
