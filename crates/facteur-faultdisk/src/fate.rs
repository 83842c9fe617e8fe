//! What a loss of power leaves of what was not flushed.

/// What is left of what was not flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// As a seed decides: nothing, all, some sectors or pages, or everything up to a moment; and some of the names.
    BySeed(u64),
}

/// How the unflushed writes of one cut end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Nothing of them was written.
    Nothing,
    /// All of them were.
    Everything,
    /// Any sector may have been.
    Sectors,
    /// Any page may have been.
    Pages,
    /// Everything up to a moment was, in the order of the writes.
    Until(u64),
}

/// The outcome of one cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fate {
    seed: u64,
    manner: Manner,
}

/// Sectors of a page.
const PAGE: u64 = 8;

impl Fate {
    /// A fate, where `moments` bounds the moments of the writes that were not flushed.
    pub(crate) fn new(left: Left, moments: std::ops::Range<u64>) -> Self {
        let seed = match left {
            Left::Nothing => {
                let manner = Manner::Nothing;
                return Self { seed: 0, manner };
            }
            Left::BySeed(seed) => seed,
        };
        let within = moments.end.saturating_sub(moments.start).max(1);
        let manner = match mix(seed, 0, 0) % 8 {
            0 => Manner::Nothing,
            1 => Manner::Everything,
            2 | 3 => Manner::Pages,
            4 | 5 => Manner::Until(moments.start + mix(seed, 1, 1) % within),
            _ => Manner::Sectors,
        };
        Self { seed, manner }
    }

    /// Whether a sector that was written at a moment is on the disk.
    pub(crate) fn keeps_sector(&self, node: u64, sector: u64, moment: u64) -> bool {
        match self.manner {
            Manner::Nothing => false,
            Manner::Everything => true,
            Manner::Sectors => self.lucky(node, sector),
            Manner::Pages => self.lucky(node, sector / PAGE),
            Manner::Until(last) => moment <= last,
        }
    }

    /// Whether a new length or a change of a name is on the disk.
    pub(crate) fn keeps_entry(&self, node: u64, name: &[u8]) -> bool {
        let hash = name
            .iter()
            .fold(7, |hash: u64, octet| mix(hash, u64::from(*octet), 3));
        match self.manner {
            Manner::Nothing => false,
            Manner::Everything => true,
            Manner::Sectors | Manner::Pages | Manner::Until(_) => self.lucky(node, hash),
        }
    }

    fn lucky(&self, node: u64, what: u64) -> bool {
        mix(self.seed, node, what) & 1 == 0
    }
}

/// Well-mixed bits of three numbers. (After SplitMix64.)
fn mix(a: u64, b: u64, c: u64) -> u64 {
    let mut bits = a
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(b.wrapping_mul(0xd1b5_4a32_d192_ed03))
        .wrapping_add(c.wrapping_mul(0x2545_f491_4f6c_dd1d));
    for shift in [30, 27, 31] {
        bits = (bits ^ (bits >> shift)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_everything_and_seeds_differ() {
        let fates = |seed| {
            let fate = Fate::new(Left::BySeed(seed), 0..100);
            let kept: Vec<_> = (0..64).map(|at| fate.keeps_sector(5, at, at)).collect();
            kept
        };
        assert_eq!(fates(11), fates(11));
        let different: std::collections::BTreeSet<_> = (0..40).map(fates).collect();
        assert!(different.len() > 20, "{}", different.len());
        assert!(different.contains(&vec![false; 64]));
        assert!(different.contains(&vec![true; 64]));
    }
}
