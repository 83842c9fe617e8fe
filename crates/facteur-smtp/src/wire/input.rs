//! The input buffer: what was received and not yet understood.

use std::ops::Range;

/// Received octets, taken from the front. Taken octets stay readable until the next [`Input::receive`].
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    start: usize,
}

impl Input {
    /// Adds octets at the end; those taken are gone.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// What has not been taken.
    #[must_use]
    pub(crate) fn pending(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Takes up to `octets` from the front; [`Input::taken`] shows them.
    pub(crate) fn take(&mut self, octets: usize) -> Range<usize> {
        let from = self.start;
        self.start = from.saturating_add(octets).min(self.bytes.len());
        from..self.start
    }

    /// The octets of a range that [`Input::take`] returned, until the next [`Input::receive`].
    #[must_use]
    pub(crate) fn taken(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// Gives memory back beyond `keep` octets, as far as what is pending allows.
    pub(crate) fn release(&mut self, keep: usize) {
        if self.bytes.capacity() > keep.max(self.pending().len()) {
            self.bytes = self.pending().to_vec();
            self.start = 0;
        }
    }

    /// The memory held, in octets.
    #[must_use]
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_octets_stay_readable_until_more_arrive() {
        let mut input = Input::default();
        input.receive(b"abcdef");
        let range = input.take(4);
        assert_eq!(input.taken(range), b"abcd");
        assert_eq!(input.pending(), b"ef");
        input.receive(b"gh");
        assert_eq!(input.pending(), b"efgh");
    }

    #[test]
    fn memory_is_given_back_but_nothing_is_lost() {
        let mut input = Input::default();
        input.receive(&[b'x'; 60_000]);
        let _ = input.take(59_998);
        input.release(512);
        assert_eq!(input.pending(), b"xx");
        assert!(input.capacity() <= 512);
    }
}
