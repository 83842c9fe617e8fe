//! The name of a message on this server, from reception to its end.

use std::fmt;

use crate::environment::Timestamp;

/// The digits of a queue id's text: Crockford's base 32, no letter that could be taken for a digit.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// How many low bits count the messages of one millisecond.
const COUNTER_BITS: u32 = 20;

/// The length of a queue id's text.
const TEXT: usize = 13;

/// A message's name: unique on this server for ever, ordered by the time of reception, 13 characters as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueId(u64);

impl QueueId {
    /// The next id at `now` after `previous`: later than both, also when the clock went back.
    #[must_use]
    pub fn next(now: Timestamp, previous: Option<Self>) -> Self {
        let by_clock = now.as_millis() << COUNTER_BITS;
        Self(previous.map_or(by_clock, |id| by_clock.max(id.0 + 1)))
    }

    /// The id from its number, as stored.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number, for storage.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// When it was given, by the clock of this server; later if there were many at once.
    #[must_use]
    pub const fn moment(self) -> Timestamp {
        Timestamp::from_millis(self.0 >> COUNTER_BITS)
    }

    /// Reads the text form; case does not matter.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != TEXT {
            return None;
        }
        let mut number: u64 = 0;
        for byte in text.bytes() {
            let digit = DIGITS
                .iter()
                .position(|d| *d == byte.to_ascii_uppercase())?;
            number = number
                .checked_mul(32)?
                .checked_add(u64::try_from(digit).ok()?)?;
        }
        Some(Self(number))
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'0'; TEXT];
        let mut rest = self.0;
        for place in text.iter_mut().rev() {
            let digit = usize::try_from(rest % 32).unwrap_or_default();
            *place = DIGITS.get(digit).copied().unwrap_or(b'0');
            rest /= 32;
        }
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_read_back() {
        for number in [0, 1, 31, 32, u64::MAX, 1_795_000_000_000 << 20] {
            let id = QueueId::from_number(number);
            assert_eq!(QueueId::parse(&id.to_string()), Some(id));
            assert_eq!(QueueId::parse(&id.to_string().to_lowercase()), Some(id));
        }
        for wrong in ["", "0", "00000000000000", "000000000000U", "ZZZZZZZZZZZZZ"] {
            assert_eq!(QueueId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ids_grow_when_the_clock_stands_or_goes_back() {
        let first = QueueId::next(Timestamp::from_millis(1000), None);
        let second = QueueId::next(Timestamp::from_millis(1000), Some(first));
        let third = QueueId::next(Timestamp::from_millis(10), Some(second));
        assert!(first < second && second < third);
        assert_eq!(third.moment(), Timestamp::from_millis(1000));
    }
}
