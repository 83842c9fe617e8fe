//! The languages Facteur ships, and how one is chosen from what the reader's machine says.

use std::fmt;

/// A shipped language. Every catalogue entry and every text of the interface exists in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English, the language of the wire and the last fallback.
    #[default]
    English,
    /// French.
    French,
}

impl Language {
    /// Every shipped language, English first.
    pub const ALL: [Self; 2] = [Self::English, Self::French];

    /// The BCP 47 tag: `en`, `fr`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// The shipped language for a tag or a locale's name: `fr`, `fr-CA`, `fr_FR.UTF-8`. `C` and `POSIX` are
    /// English; a language we do not ship is `None`.
    #[must_use]
    pub fn negotiate(wanted: &str) -> Option<Self> {
        let name = wanted.split(['.', '@']).next().unwrap_or(wanted);
        if matches!(name, "C" | "POSIX") {
            return Some(Self::English);
        }
        let primary = name.split(['-', '_']).next().unwrap_or(name);
        Self::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(primary))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_is_reduced_to_a_shipped_language() {
        for (wanted, language) in [
            ("fr_FR.UTF-8", Some(Language::French)),
            ("fr-CA", Some(Language::French)),
            ("C.UTF-8", Some(Language::English)),
            ("POSIX", Some(Language::English)),
            ("de_DE", None),
            ("", None),
        ] {
            assert_eq!(Language::negotiate(wanted), language, "{wanted}");
        }
    }
}
