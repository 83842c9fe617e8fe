//! Showing hostile text: addresses, replies and DNS answers come from strangers.

use std::fmt;

use facteur_replies::{self as replies, Language};

/// The most characters of a stranger's text shown in one place.
pub const MAX_SHOWN: usize = 1_000;

/// Shows a stranger's text on one line: control characters, line breaks, bidirectional and invisible
/// formatting characters as `\u{…}`, at most [`MAX_SHOWN`] characters.
#[must_use]
pub const fn escaped(text: &str) -> Escaped<'_> {
    Escaped(text)
}

/// What [`escaped`] returns.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, c) in self.0.chars().enumerate() {
            if count == MAX_SHOWN {
                return f.write_str("…");
            }
            if is_harmless(c) {
                write!(f, "{c}")?;
            } else {
                write!(f, "{}", c.escape_unicode())?;
            }
        }
        Ok(())
    }
}

/// A size for people: octets up to 9,999, then a binary unit with one decimal, as the language writes numbers.
#[must_use]
pub fn size(octets: u64, language: Language) -> String {
    let (id, unit) = match octets {
        0..10_000 => ("size-octets", 1),
        10_000..1_048_576 => ("size-kib", 1 << 10),
        1_048_576..1_073_741_824 => ("size-mib", 1 << 20),
        _ => ("size-gib", 1 << 30),
    };
    let number = if unit == 1 {
        octets.to_string()
    } else {
        let mark = replies::text(language, "decimal-mark", &[]);
        format!("{}{mark}{}", octets / unit, octets % unit * 10 / unit)
    };
    replies::text(language, id, &[("number", (&number).into())])
}

/// Whether a character shows as itself and moves nothing around it.
#[must_use]
pub fn is_harmless(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_text_stays_on_its_line() {
        let shown = escaped("a\u{1b}[2J\r\nb\u{202e}c\u{2028}d é").to_string();
        assert_eq!(shown, "a\\u{1b}[2J\\u{d}\\u{a}b\\u{202e}c\\u{2028}d é");
        assert_eq!(
            escaped(&"x".repeat(5_000)).to_string().chars().count(),
            MAX_SHOWN + 1
        );
    }

    #[test]
    fn a_size_has_the_unit_that_people_read() {
        for (octets, english, french) in [
            (0, "0 octets", "0 octets"),
            (9_999, "9999 octets", "9999 octets"),
            (10_240, "10.0 KiB", "10,0 Kio"),
            (2_621_440, "2.5 MiB", "2,5 Mio"),
            (u64::MAX, "17179869183.9 GiB", "17179869183,9 Gio"),
        ] {
            let plain = |language| size(octets, language).replace('\u{a0}', " ");
            assert_eq!(plain(Language::English), english);
            assert_eq!(plain(Language::French), french);
        }
    }
}
