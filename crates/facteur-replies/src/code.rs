//! The numbers of a reply: the basic code of RFC 5321 §4.2 and the enhanced status code of RFC 3463,
//! with what their digits alone say.

use std::fmt;

/// A basic reply code: three digits.
///
/// Anything a remote may send is representable (`100..=999`); what we send comes from the table in
/// [`crate::ReplyId`] only. (RFC 5321 §4.2)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReplyCode(u16);

impl ReplyCode {
    /// A code from its number, `None` unless it has three digits and does not start with zero.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number >= 100 && number <= 999 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// For the table of replies: the number is a literal that a test checks.
    pub(crate) const fn literal(number: u16) -> Self {
        Self(number)
    }

    /// The number, `100..=999`.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// What the first digit says: the only thing a client may act on. (RFC 5321 §4.2.1)
    #[must_use]
    pub const fn class(self) -> Class {
        match self.0 / 100 {
            2 => Class::Success,
            3 => Class::Intermediate,
            4 => Class::Transient,
            5 => Class::Permanent,
            _ => Class::Unknown,
        }
    }
}

impl Class {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Intermediate => "intermediate",
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for ReplyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The meaning of a reply code's first digit. (RFC 5321 §4.2.1)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// 2yz: done.
    Success,
    /// 3yz: go on, the verdict comes later.
    Intermediate,
    /// 4yz: not now; the same command may succeed later.
    Transient,
    /// 5yz: no; the same command will not succeed.
    Permanent,
    /// A first digit that SMTP does not have.
    Unknown,
}

impl Class {
    /// The class digit of an enhanced code in a reply of this class; 3yz and unknown classes have none.
    /// (RFC 2034 §4)
    #[must_use]
    pub const fn enhanced_digit(self) -> Option<u8> {
        match self {
            Self::Success => Some(2),
            Self::Transient => Some(4),
            Self::Permanent => Some(5),
            Self::Intermediate | Self::Unknown => None,
        }
    }
}

/// An enhanced status code such as `5.1.10`. (RFC 3463 §2)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnhancedCode {
    class: u8,
    detail: Detail,
}

/// An enhanced code without its class: `X.subject.detail`. The table of replies holds these, so that the
/// class can only be the one of the basic code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Detail {
    /// The second number: address, mailbox, system, network, protocol, content, policy. (RFC 3463 §3)
    pub subject: u16,
    /// The third number.
    pub detail: u16,
}

impl EnhancedCode {
    /// A code from its three numbers; `None` unless the class is 2, 4 or 5 and the others have at most
    /// three digits.
    #[must_use]
    pub const fn new(class: u8, subject: u16, detail: u16) -> Option<Self> {
        if matches!(class, 2 | 4 | 5) && subject <= 999 && detail <= 999 {
            Some(Self {
                class,
                detail: Detail { subject, detail },
            })
        } else {
            None
        }
    }

    /// Reads `5.1.10`; `None` for anything else, surrounding text included.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let class = number(parts.next()?, 1)?;
        let subject = number(parts.next()?, 3)?;
        let detail = number(parts.next()?, 3)?;
        if parts.next().is_some() {
            return None;
        }
        Self::new(u8::try_from(class).ok()?, subject, detail)
    }

    /// The class digit: 2, 4 or 5.
    #[must_use]
    pub const fn class(self) -> u8 {
        self.class
    }

    /// The class as a reply's first digit has it.
    #[must_use]
    pub const fn reply_class(self) -> Class {
        match self.class {
            2 => Class::Success,
            4 => Class::Transient,
            _ => Class::Permanent,
        }
    }

    /// The code without its class.
    #[must_use]
    pub const fn detail(self) -> Detail {
        self.detail
    }
}

impl Detail {
    /// This detail in a reply of `class`; `None` where the class has no enhanced codes.
    #[must_use]
    pub const fn within(self, class: Class) -> Option<EnhancedCode> {
        match class.enhanced_digit() {
            Some(digit) => Some(EnhancedCode {
                class: digit,
                detail: self,
            }),
            None => None,
        }
    }
}

fn number(text: &str, digits: usize) -> Option<u16> {
    if text.is_empty() || text.len() > digits || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}",
            self.class, self.detail.subject, self.detail.detail
        )
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "X.{}.{}", self.subject, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_an_enhanced_code_comes_from_the_basic_code() {
        let null_mx = Detail {
            subject: 1,
            detail: 10,
        };
        let code = ReplyCode::new(556).unwrap();
        assert_eq!(null_mx.within(code.class()).unwrap().to_string(), "5.1.10");
        assert_eq!(null_mx.within(Class::Intermediate), None);
    }

    #[test]
    fn an_enhanced_code_is_read_exactly_or_not_at_all() {
        assert_eq!(EnhancedCode::parse("5.1.10"), EnhancedCode::new(5, 1, 10));
        for wrong in [
            "", "5", "5.1", "3.1.1", "5.1.1.1", "5.1.1000", "5. 1.1", "5.+1.1", "50.1.1",
        ] {
            assert_eq!(EnhancedCode::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_reply_code_has_three_digits() {
        assert_eq!(ReplyCode::new(99), None);
        assert_eq!(ReplyCode::new(1000), None);
        assert_eq!(
            ReplyCode::new(199).map(ReplyCode::class),
            Some(Class::Unknown)
        );
    }
}
