//! How a host behaves at the moment.

use std::time::Duration;

use crate::chance::Chance;

/// Whether connections to it are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Answers,
    Refuses,
    /// Nothing comes back.
    Deaf,
}

/// What a host does wrong at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A 4yz.
    Later,
    /// A 5yz.
    Never,
    /// 421, and it closes.
    Closes,
    /// It says nothing any more.
    Silence,
    /// It closes without a word.
    Hangs,
    /// The connection is reset.
    Resets,
    /// It does what it was asked for, and closes without a word.
    Forgets,
    /// "Too many recipients", with a code of its choice.
    TooMany,
    /// A reply that makes no sense here.
    Nonsense,
}

use Trouble::{Closes, Forgets, Hangs, Later, Never, Nonsense, Resets, Silence, TooMany};

/// A host's mood.
#[derive(Debug, Clone)]
pub(crate) struct Mood {
    pub(crate) reach: Reach,
    /// How many of a thousand steps go wrong.
    trouble: u64,
    kinds: &'static [Trouble],
    /// How long a reply takes at most, in milliseconds.
    slow: u64,
    pub(crate) pipelining: bool,
    pub(crate) chunking: bool,
    pub(crate) dsn: bool,
    /// The most recipients of a transaction.
    pub(crate) recipients: usize,
}

const ALL: &[Trouble] = &[
    Later, Never, Closes, Silence, Hangs, Resets, Forgets, TooMany, Nonsense,
];

impl Mood {
    /// A mood by chance: most hosts are well.
    pub(crate) fn any(chance: &Chance) -> Self {
        let (reach, trouble, kinds, slow): (_, _, &'static [Trouble], _) = match chance.below(20) {
            0..=4 => (Reach::Answers, 0, ALL, 50),
            5..=7 => (Reach::Answers, 30, ALL, 500),
            8 => (Reach::Answers, 250, ALL, 100),
            9 => (Reach::Answers, 600, &[Later], 100),
            10 => (Reach::Answers, 300, &[Later, Closes], 5_000),
            11 => (Reach::Answers, 250, &[Never], 10),
            12 => (Reach::Answers, 300, &[Silence], 10),
            13 => (Reach::Answers, 300, &[Hangs, Resets], 10),
            14 => (Reach::Answers, 150, &[Forgets], 10),
            15 => (Reach::Answers, 20, ALL, 60_000),
            16 => (Reach::Answers, 400, &[Nonsense, TooMany], 10),
            17 => (Reach::Refuses, 0, ALL, 0),
            18 => (Reach::Deaf, 0, ALL, 0),
            _ => (Reach::Answers, 1_000, &[Later], 10),
        };
        Self {
            reach,
            trouble,
            kinds,
            slow,
            pipelining: chance.per_mille(700),
            chunking: chance.per_mille(300),
            dsn: chance.per_mille(300),
            recipients: if chance.per_mille(200) { 1 } else { 100 },
        }
    }

    /// What goes wrong at this step, if anything.
    pub(crate) fn trouble(&self, chance: &Chance) -> Option<Trouble> {
        if !chance.per_mille(self.trouble) {
            return None;
        }
        chance.pick(self.kinds).copied()
    }

    pub(crate) fn pause(&self, chance: &Chance) -> Duration {
        chance.millis(0, self.slow)
    }
}
