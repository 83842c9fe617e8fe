//! What stands in a segment: its header, and the header of each record.
//!
//! A record begins with the spool's mark, sixty-four random bits that no sender can know, so that nothing in
//! a message can pass for a record when the reader looks for the next one behind damage. It carries the
//! serial number of its segment, so that what an earlier use of a recycled file left behind is never taken
//! for live. Numbers are little-endian; records begin at multiples of [`ALIGN`].

use facteur_mail::QueueId;

/// Octets before the first record: the segment's header twice, in different sectors.
pub(crate) const FIRST_RECORD: u64 = 4_096;

/// Where the second copy of the segment's header stands.
const SECOND_COPY: usize = 2_048;

/// The length of a segment's header.
const SEGMENT_HEADER: usize = 64;

/// The length of a record's header.
pub(crate) const RECORD_HEADER: usize = 64;

/// Records begin at multiples of this.
pub(crate) const ALIGN: usize = 8;

/// The longest payload of a record: a body in the log and its envelope, or a progress record, and some.
pub(crate) const MAX_PAYLOAD: u32 = 64 << 20;

/// The version of the log's format.
pub(crate) const VERSION: u8 = 1;

const MAGIC: [u8; 8] = *b"FACTEURS";

/// What a segment says of itself, and of the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// The spool's mark.
    pub(crate) mark: u64,
    /// The segment's number; grows by use, never repeats.
    pub(crate) serial: u64,
    /// The segment before this one.
    pub(crate) previous: u64,
    /// All of it before this offset was flushed: what cannot be read there is damaged.
    pub(crate) previous_durable: u64,
    /// It counts up to this offset, as far as it is sound; nothing behind it was acknowledged.
    pub(crate) previous_end: u64,
    /// The last queue id given when this segment began.
    pub(crate) last_id: u64,
}

/// What a segment's first octets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SegmentStart {
    /// A header.
    Sound(SegmentHeader),
    /// A header of a version that this one cannot read.
    Version(u32),
    /// None: never written, or damaged.
    Unreadable,
}

impl SegmentHeader {
    /// The octets before the first record.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut one = Vec::with_capacity(SEGMENT_HEADER);
        one.extend_from_slice(&MAGIC);
        one.extend_from_slice(&u32::from(VERSION).to_le_bytes());
        one.extend_from_slice(&[0; 4]);
        for number in [
            self.mark,
            self.serial,
            self.previous,
            self.previous_durable,
            self.previous_end,
            self.last_id,
        ] {
            one.extend_from_slice(&number.to_le_bytes());
        }
        one.resize(SEGMENT_HEADER, 0);
        let crc = crc32c::crc32c(&one);
        if let Some(place) = one.get_mut(12..16) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
        let mut all = one.clone();
        all.resize(SECOND_COPY, 0);
        all.extend_from_slice(&one);
        all.resize(usize::try_from(FIRST_RECORD).unwrap_or_default(), 0);
        all
    }

    /// Reads the first sound copy.
    pub(crate) fn decode(start: &[u8]) -> SegmentStart {
        let copies = [0, SECOND_COPY].map(|at| Self::decode_copy(start.get(at..).unwrap_or(&[])));
        match copies {
            [SegmentStart::Unreadable, second] => second,
            [first, _] => first,
        }
    }

    fn decode_copy(copy: &[u8]) -> SegmentStart {
        let Some(copy) = copy.first_chunk::<SEGMENT_HEADER>() else {
            return SegmentStart::Unreadable;
        };
        let mut zeroed = *copy;
        if let Some(place) = zeroed.get_mut(12..16) {
            place.fill(0);
        }
        if copy.first_chunk() != Some(&MAGIC) || crc32c::crc32c(&zeroed) != u32_at(copy, 12) {
            return SegmentStart::Unreadable;
        }
        let version = u32_at(copy, 8);
        if version != u32::from(VERSION) {
            return SegmentStart::Version(version);
        }
        SegmentStart::Sound(Self {
            mark: u64_at(copy, 16),
            serial: u64_at(copy, 24),
            previous: u64_at(copy, 32),
            previous_durable: u64_at(copy, 40),
            previous_end: u64_at(copy, 48),
            last_id: u64_at(copy, 56),
        })
    }
}

/// What a record is. The numbers are stored: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A message: its content, then its envelope. Also the copy of one that is still queued.
    Message = 1,
    /// A message whose content is in a file: the checksum of it, then the envelope.
    Large = 2,
    /// News of some recipients.
    Progress = 3,
    /// The message has reached its end.
    Gone = 4,
    /// The message was found damaged and set aside.
    Aside = 5,
    /// The spool was closed; all before this record was flushed.
    Closed = 6,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Message,
        Self::Large,
        Self::Progress,
        Self::Gone,
        Self::Aside,
        Self::Closed,
    ];

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// The header of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) kind: Kind,
    /// Octets behind the header, without padding.
    pub(crate) payload: u32,
    /// Octets of the envelope and its checksum, at the payload's end.
    pub(crate) meta: u32,
    /// The segment this was written into.
    pub(crate) serial: u64,
    /// Grows with every record of the spool.
    pub(crate) sequence: u64,
    pub(crate) id: QueueId,
    /// Everything before this offset had been flushed when the record was written.
    pub(crate) durable: u32,
    /// The checksum of the payload.
    pub(crate) crc: u32,
    /// Octets of the message's content.
    pub(crate) octets: u64,
}

impl RecordHeader {
    /// The header as stored.
    pub(crate) fn encode(&self, mark: u64) -> [u8; RECORD_HEADER] {
        let mut out = [0; RECORD_HEADER];
        let mut put = |at: usize, octets: &[u8]| {
            if let Some(place) = out.get_mut(at..at + octets.len()) {
                place.copy_from_slice(octets);
            }
        };
        put(0, &mark.to_le_bytes());
        put(12, &[VERSION, self.kind as u8]);
        put(16, &self.payload.to_le_bytes());
        put(20, &self.meta.to_le_bytes());
        put(24, &self.serial.to_le_bytes());
        put(32, &self.sequence.to_le_bytes());
        put(40, &self.id.number().to_le_bytes());
        put(48, &self.durable.to_le_bytes());
        put(52, &self.crc.to_le_bytes());
        put(56, &self.octets.to_le_bytes());
        let crc = crc32c::crc32c(out.get(12..).unwrap_or_default());
        if let Some(place) = out.get_mut(8..12) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
        out
    }

    /// Reads a header; `None` for anything that is not a sound one of this spool and segment.
    pub(crate) fn decode(octets: &[u8], mark: u64, serial: u64) -> Option<Self> {
        let octets = octets.first_chunk::<RECORD_HEADER>()?;
        if !Self::is_sound(octets, mark) {
            return None;
        }
        let header = Self {
            kind: Kind::from_number(*octets.get(13)?)?,
            payload: u32_at(octets, 16),
            meta: u32_at(octets, 20),
            serial: u64_at(octets, 24),
            sequence: u64_at(octets, 32),
            id: QueueId::from_number(u64_at(octets, 40)),
            durable: u32_at(octets, 48),
            crc: u32_at(octets, 52),
            octets: u64_at(octets, 56),
        };
        let bounded = header.payload <= MAX_PAYLOAD && header.meta <= header.payload;
        (bounded && header.serial == serial).then_some(header)
    }

    /// Whether a header of this spool stands here, of whatever segment.
    pub(crate) fn is_sound(octets: &[u8], mark: u64) -> bool {
        let Some(octets) = octets.first_chunk::<RECORD_HEADER>() else {
            return false;
        };
        let checked = octets.get(12..).unwrap_or_default();
        u64_at(octets, 0) == mark
            && crc32c::crc32c(checked) == u32_at(octets, 8)
            && checked.first() == Some(&VERSION)
    }

    /// The octets the whole record takes, padding included.
    pub(crate) fn whole(&self) -> u32 {
        let payload = usize::try_from(self.payload).unwrap_or(usize::MAX);
        u32::try_from(padded(RECORD_HEADER.saturating_add(payload))).unwrap_or(u32::MAX)
    }
}

/// The next multiple of [`ALIGN`].
pub(crate) const fn padded(octets: usize) -> usize {
    octets.next_multiple_of(ALIGN)
}

/// A number at an offset; zero where there is none.
pub(crate) fn u32_at(octets: &[u8], at: usize) -> u32 {
    let found = octets.get(at..).and_then(<[u8]>::first_chunk);
    found.copied().map_or(0, u32::from_le_bytes)
}

/// A number at an offset; zero where there is none.
pub(crate) fn u64_at(octets: &[u8], at: usize) -> u64 {
    let found = octets.get(at..).and_then(<[u8]>::first_chunk);
    found.copied().map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> RecordHeader {
        RecordHeader {
            kind: Kind::Message,
            payload: 1_234,
            meta: 200,
            serial: 7,
            sequence: 99,
            id: QueueId::from_number(42),
            durable: 4_096,
            crc: 0xdead_beef,
            octets: 1_034,
        }
    }

    #[test]
    fn a_record_header_is_read_back_and_no_flipped_bit_passes() {
        let stored = record().encode(0x1122_3344_5566_7788);
        let read = |octets: &[u8]| RecordHeader::decode(octets, 0x1122_3344_5566_7788, 7);
        assert_eq!(read(&stored), Some(record()));
        for bit in 0..RECORD_HEADER * 8 {
            let mut damaged = stored;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn a_record_of_another_use_of_the_file_or_another_spool_is_not_ours() {
        let stored = record().encode(5);
        assert_eq!(RecordHeader::decode(&stored, 5, 8), None);
        assert_eq!(RecordHeader::decode(&stored, 6, 7), None);
    }

    #[test]
    fn a_segment_header_survives_the_loss_of_either_copy() {
        let header = SegmentHeader {
            mark: 1,
            serial: 2,
            previous: 1,
            previous_durable: 8_888,
            previous_end: 9_999,
            last_id: 77,
        };
        let stored = header.encode();
        for lost in [0..512, 2_048..2_560] {
            let mut damaged = stored.clone();
            damaged[lost].fill(0xff);
            assert_eq!(SegmentHeader::decode(&damaged), SegmentStart::Sound(header));
        }
        assert_eq!(SegmentHeader::decode(&[0; 4_096]), SegmentStart::Unreadable);
        assert_eq!(SegmentHeader::decode(b"FACTEURS"), SegmentStart::Unreadable);
    }
}
