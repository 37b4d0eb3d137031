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

/// Reads `RSeq` (RFC 3262 section 7.1): a number from 1 to 2^32-1.
///
/// # Errors
///
/// Fails when it is no such number.
pub fn rseq(text: &str) -> Result<u32, Malformed> {
    let text = text.trim();
    match text.parse::<u32>() {
        Ok(number) if number > 0 && text.starts_with(|c: char| c.is_ascii_digit()) => Ok(number),
        Ok(_) | Err(_) => Err(Malformed("RSeq")),
    }
}

/// Reads `RAck` (RFC 3262 section 7.2): the `RSeq` and the `CSeq` of what it acknowledges.
///
/// # Errors
///
/// Fails when one of the two is missing or out of range.
pub fn rack(text: &str) -> Result<(u32, u32, Method), Malformed> {
    let malformed = |_| Malformed("RAck");
    let (first, rest) = text
        .trim()
        .split_once([' ', '\t'])
        .ok_or(Malformed("RAck"))?;
    let (number, method) = cseq(rest).map_err(malformed)?;
    Ok((rseq(first).map_err(malformed)?, number, method))
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
    fn an_acknowledgement_names_the_answer_and_the_request() {
        assert_eq!(rack("776656 1 INVITE"), Ok((776_656, 1, Method::Invite)));
        assert_eq!(rack(" 1 \t2  INVITE "), Ok((1, 2, Method::Invite)));
        for broken in [
            "0 1 INVITE",
            "4294967296 1 INVITE",
            "1 INVITE",
            "+1 1 INVITE",
            "1 1",
            "",
        ] {
            assert!(rack(broken).is_err(), "{broken}");
        }
        assert_eq!(rseq("4294967295"), Ok(u32::MAX));
        assert!(rseq("-1").is_err() && rseq("").is_err());
    }

    #[test]
    fn media_types_compare_without_case_and_parameters() {
        assert_eq!(
            media_type("Application / SDP ; charset=x"),
            "application/sdp"
        );
    }
}
