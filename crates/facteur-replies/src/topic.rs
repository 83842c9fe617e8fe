//! What somebody asks about: a code, an enhanced code, both, or a key of the catalogue.

use std::fmt;

use crate::code::{Class, Detail, EnhancedCode, ReplyCode};
use crate::explain::{self, Explanation, explain};
use crate::lang::Language;

/// A question to the catalogue, as [`Topic::parse`] reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    kind: Kind,
    shown: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Codes(Option<ReplyCode>, Option<EnhancedCode>),
    Key(&'static str),
}

impl Topic {
    /// The topic of a reply.
    #[must_use]
    pub fn reply(code: ReplyCode, enhanced: Option<EnhancedCode>) -> Self {
        Self::codes(Some(code), enhanced)
    }

    /// Reads `354`, `5.1.10`, `550 5.1.10`, `550-5.1.10`, `550-x.1.10`, and any key of the catalogue
    /// (`x.1.10`, `x.1`, `4yz`, `unknown`). `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let mut parts = text.splitn(2, [' ', '-', '\t']);
        let first = parts.next().unwrap_or_default();
        let second = parts.next().map(str::trim);
        match (code(first), EnhancedCode::parse(first), second) {
            (Some(code), _, None) => Some(Self::codes(Some(code), None)),
            (None, Some(enhanced), None) => Some(Self::codes(None, Some(enhanced))),
            (Some(code), _, Some(second)) => {
                let enhanced = EnhancedCode::parse(second)
                    .or_else(|| detail(second).and_then(|d| d.within(code.class())))?;
                Some(Self::codes(Some(code), Some(enhanced)))
            }
            (None, _, _) => explain::entry(&text, Language::English).map(|entry| Self {
                kind: Kind::Key(entry.key),
                shown: entry.key.to_owned(),
            }),
        }
    }

    /// What the catalogue says about it.
    #[must_use]
    pub fn explain(&self, language: Language) -> Explanation {
        match &self.kind {
            Kind::Codes(code, enhanced) => explain(*code, *enhanced, language),
            Kind::Key(key) => {
                explain::entry(key, language).unwrap_or_else(|| explain(None, None, language))
            }
        }
    }

    /// What the first digit says, if the question has one.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        match &self.kind {
            Kind::Codes(Some(code), _) => Some(code.class()),
            Kind::Codes(None, Some(enhanced)) => Some(enhanced.reply_class()),
            Kind::Codes(None, None) => None,
            Kind::Key(key) => match *key {
                "2yz" => Some(Class::Success),
                "3yz" => Some(Class::Intermediate),
                "4yz" => Some(Class::Transient),
                "5yz" => Some(Class::Permanent),
                "unknown" => Some(Class::Unknown),
                _ => None,
            },
        }
    }

    fn codes(code: Option<ReplyCode>, enhanced: Option<EnhancedCode>) -> Self {
        let shown = match (code, enhanced) {
            (Some(code), Some(enhanced)) => format!("{code} {enhanced}"),
            (Some(code), None) => code.to_string(),
            (None, Some(enhanced)) => enhanced.to_string(),
            (None, None) => String::new(),
        };
        Self {
            kind: Kind::Codes(code, enhanced),
            shown,
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

fn code(text: &str) -> Option<ReplyCode> {
    let digits = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
    digits
        .then(|| text.parse().ok())
        .flatten()
        .and_then(ReplyCode::new)
}

/// Reads `x.1.10`.
fn detail(text: &str) -> Option<Detail> {
    let numbers = text.strip_prefix("x.")?;
    EnhancedCode::parse(&format!("5.{numbers}")).map(EnhancedCode::detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_read_as_people_write_it() {
        for (written, shown) in [
            ("354", "354"),
            (" 5.1.10 ", "5.1.10"),
            ("550 5.1.10", "550 5.1.10"),
            ("550-5.1.10", "550 5.1.10"),
            ("550-x.1.10", "550 5.1.10"),
            ("450 X.1.10", "450 4.1.10"),
            ("X.1.10", "x.1.10"),
            ("4YZ", "4yz"),
        ] {
            let topic = Topic::parse(written).map(|topic| topic.to_string());
            assert_eq!(topic.as_deref(), Some(shown), "{written}");
        }
    }

    #[test]
    fn what_is_no_code_is_no_topic() {
        for wrong in [
            "",
            "35",
            "3544",
            "099",
            "550 hello",
            "354 x.1.1",
            "x.1.1.1",
            "é",
        ] {
            assert_eq!(Topic::parse(wrong), None, "{wrong:?}");
        }
    }
}
