//! xtext, the encoding of ENVID and ORCPT (RFC 3461 §4), and the forms of UTF-8 addresses (RFC 6533 §3).

use std::fmt::Write as _;

/// Decodes xtext. `None` unless each octet is legal and what comes out is printable US-ASCII: it will stand in a
/// header field.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '+' => {
                let digits = [rest.next()?, rest.next()?];
                let octet = digits.iter().try_fold(0, |value, digit| {
                    let digit = digit.to_digit(16).filter(|_| !digit.is_ascii_lowercase())?;
                    Some(value * 16 + digit)
                })?;
                out.push(char::from_u32(octet).filter(|c| matches!(c, ' '..='~'))?);
            }
            '!'..='~' if c != '=' => out.push(c),
            _ => return None,
        }
    }
    Some(out)
}

/// Decodes an address of type `utf-8`, in its ASCII form (`\x{E9}`) and, where SMTPUTF8 allows it, as it is.
pub(super) fn decode_utf8(text: &str, raw: bool) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("\\x{") {
            let (digits, after) = after.split_once('}')?;
            let hex = |b: u8| matches!(b, b'0'..=b'9' | b'A'..=b'F');
            if !(2..=6).contains(&digits.len()) || !digits.bytes().all(hex) {
                return None;
            }
            let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
            out.push(Some(c).filter(|c| !c.is_control())?);
            rest = after;
            continue;
        }
        let legal = match c {
            '+' | '=' | '\\' => false,
            '!'..='~' => true,
            _ => raw && !c.is_ascii() && !c.is_control(),
        };
        if !legal {
            return None;
        }
        out.push(c);
        rest = rest.get(c.len_utf8()..)?;
    }
    Some(out)
}

/// Encodes printable US-ASCII as xtext.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if matches!(byte, b'!'..=b'~') && !matches!(byte, b'+' | b'=') {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            write!(out, "+{byte:02X}").unwrap_or_default();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn xtext_is_decoded_strictly() {
        assert_eq!(decode("a+2Bb+20c").as_deref(), Some("a+b c"));
        for wrong in [
            "a=b", "a+2", "a+", "a+2b", "a+0D+0Ab", "a+E9", "a b", "é", "+00",
        ] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn utf8_addresses_are_decoded_in_both_forms() {
        assert_eq!(
            decode_utf8(r"j\x{E9}r\x{F4}me@example.org", false).as_deref(),
            Some("jérôme@example.org")
        );
        assert_eq!(decode_utf8(r"a\x{2B}b", false).as_deref(), Some("a+b"));
        assert_eq!(decode_utf8("é@a", true).as_deref(), Some("é@a"));
        for wrong in [
            "é@a",
            r"\x{0D}",
            r"\x{D800}",
            r"\x{}",
            r"\x{E9",
            r"\xE9",
            "a+b",
            "a=b",
            r"\x{e9}",
            r"\x{85}",
        ] {
            assert_eq!(decode_utf8(wrong, false), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn prop_what_is_encoded_is_decoded_again(text in "[ -~]{0,60}") {
            prop_assert_eq!(decode(&encode(&text)), Some(text));
        }

        #[test]
        fn prop_nothing_that_ends_a_line_is_ever_decoded(text in "\\PC{0,40}") {
            for decoded in [decode(&text), decode_utf8(&text, true)].into_iter().flatten() {
                prop_assert!(!decoded.contains(char::is_control));
            }
        }
    }
}
