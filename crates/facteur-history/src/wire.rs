//! The octets of entries: numbers of variable length, texts with their length in front, nothing that ends a field.
//!
//! What is read back is untrusted: reading never panics, never allocates more than its input allows, and passes every
//! name and address through the check of one that comes over the network.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The most octets of one text. Longer ones are cut when they are written.
pub(crate) const MAX_TEXT: usize = 4_096;

/// The most elements of one list.
pub(crate) const MAX_LIST: usize = 65_536;

/// What was read is not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// The octets end in the middle of a field.
    Truncated,
    /// A length or a number is larger than its limit.
    TooLarge(u64),
    /// A text is not UTF-8, or not what it should be: an address, a domain, a name of ours.
    BadText,
    /// A variant that this version does not know; its number.
    Unknown(u64),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("it ends in the middle of a field"),
            Self::TooLarge(length) => write!(f, "a length of {length} is too large"),
            Self::BadText => f.write_str("a text is not what it should be"),
            Self::Unknown(number) => write!(f, "variant {number} is unknown"),
        }
    }
}

impl std::error::Error for Malformed {}

/// Appends fields.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) octets: Vec<u8>,
}

impl Writer {
    pub(crate) fn number(&mut self, number: u64) {
        let mut rest = number;
        while rest >= 0x80 {
            self.octets.push(low(rest) | 0x80);
            rest >>= 7;
        }
        self.octets.push(low(rest));
    }

    pub(crate) fn count(&mut self, count: usize) {
        self.number(u64::try_from(count).unwrap_or(u64::MAX));
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.octets.push(u8::from(flag));
    }

    /// A text, cut at [`MAX_TEXT`].
    pub(crate) fn text(&mut self, text: &str) {
        let text = text
            .get(..text.floor_char_boundary(MAX_TEXT))
            .unwrap_or(text);
        self.count(text.len());
        self.octets.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(crate) fn ip(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(ip) => {
                self.octets.push(4);
                self.octets.extend_from_slice(&ip.octets());
            }
            IpAddr::V6(ip) => {
                self.octets.push(6);
                self.octets.extend_from_slice(&ip.octets());
            }
        }
    }

    pub(crate) fn socket(&mut self, address: SocketAddr) {
        self.ip(address.ip());
        self.number(u64::from(address.port()));
    }
}

/// The seven low bits, or all eight of what has no more.
fn low(number: u64) -> u8 {
    u8::try_from(number & 0x7f).unwrap_or_default()
}

/// Takes fields from the front.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, octets: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self
            .rest
            .split_at_checked(octets)
            .ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn octet(&mut self) -> Result<u8, Malformed> {
        let (octet, rest) = self.rest.split_first().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*octet)
    }

    pub(crate) fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let octet = self.octet()?;
            let bits = u64::from(octet & 0x7f);
            let moved = bits << shift;
            if moved >> shift != bits {
                return Err(Malformed::TooLarge(u64::MAX));
            }
            number |= moved;
            if octet < 0x80 {
                return Ok(number);
            }
        }
        Err(Malformed::TooLarge(u64::MAX))
    }

    pub(crate) fn count(&mut self, limit: usize) -> Result<usize, Malformed> {
        let number = self.number()?;
        usize::try_from(number)
            .ok()
            .filter(|count| *count <= limit)
            .ok_or(Malformed::TooLarge(number))
    }

    pub(crate) fn small<T: TryFrom<u64>>(&mut self) -> Result<T, Malformed> {
        let number = self.number()?;
        T::try_from(number).map_err(|_| Malformed::TooLarge(number))
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Malformed> {
        match self.octet()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Malformed::Unknown(other.into())),
        }
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        let octets = self.count(MAX_TEXT)?;
        std::str::from_utf8(self.take(octets)?).map_err(|_| Malformed::BadText)
    }

    pub(crate) fn boxed(&mut self) -> Result<Box<str>, Malformed> {
        Ok(self.text()?.into())
    }

    pub(crate) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        if self.flag()? {
            read(self).map(Some)
        } else {
            Ok(None)
        }
    }

    /// A list, allocated as its elements come and not by the length that it claims.
    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let count = self.count(MAX_LIST)?;
        let mut list = Vec::with_capacity(count.min(8));
        for _ in 0..count {
            list.push(read(self)?);
        }
        Ok(list)
    }

    pub(crate) fn ip(&mut self) -> Result<IpAddr, Malformed> {
        match self.octet()? {
            4 => Ok(Ipv4Addr::from(self.array::<4>()?).into()),
            6 => Ok(Ipv6Addr::from(self.array::<16>()?).into()),
            other => Err(Malformed::Unknown(other.into())),
        }
    }

    pub(crate) fn socket(&mut self) -> Result<SocketAddr, Malformed> {
        let ip = self.ip()?;
        Ok(SocketAddr::new(ip, self.small()?))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| Malformed::Truncated)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let mut writer = Writer::default();
        writer.text(&"é".repeat(MAX_TEXT));
        let mut fields = Fields::new(&writer.octets);
        assert_eq!(fields.text(), Ok(&*"é".repeat(MAX_TEXT / 2)));
        assert!(fields.is_empty());
    }

    #[test]
    fn a_number_that_is_too_long_is_an_error() {
        for octets in [
            &[0xff; 11][..],
            &[0x80; 10],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ] {
            assert!(Fields::new(octets).number().is_err(), "{octets:?}");
        }
    }

    proptest! {
        #[test]
        fn prop_a_number_is_read_back(number: u64) {
            let mut writer = Writer::default();
            writer.number(number);
            let mut fields = Fields::new(&writer.octets);
            prop_assert_eq!(fields.number(), Ok(number));
            prop_assert!(fields.is_empty());
        }
    }
}
