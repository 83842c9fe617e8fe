//! The catalogue as `build.rs` embeds it: one static entry per key, sorted, in every language.

use crate::lang::Language;
use crate::vocabulary::{Actor, Category, Retry, Speaker, Stage};

/// What is known about one code, enhanced code, pair, subject or class.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: &'static str,
    pub(crate) retry: Retry,
    pub(crate) actors: &'static [Actor],
    pub(crate) stages: &'static [Stage],
    pub(crate) speakers: &'static [Speaker],
    pub(crate) category: Category,
    pub(crate) see: &'static [&'static str],
    pub(crate) rfc: &'static str,
    /// An enhanced code that adds nothing to any basic code it comes with.
    pub(crate) generic: bool,
    /// The basic codes whose meaning an enhanced code only repeats.
    pub(crate) repeats: &'static [&'static str],
    texts: [EntryText; Language::ALL.len()],
}

/// The text of an entry in one language.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EntryText {
    pub(crate) title: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) when: &'static str,
    pub(crate) fix: &'static str,
}

/// A comparison written by hand; the keys are in the order of the table.
#[derive(Debug)]
pub(crate) struct Pair {
    keys: (&'static str, &'static str),
    texts: [PairText; Language::ALL.len()],
}

/// The text of a comparison written by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairText {
    /// What the page is called.
    pub title: &'static str,
    /// The differences that matter.
    pub differences: &'static str,
    /// When one meets which.
    pub which: &'static str,
    /// What people confuse.
    pub confusion: &'static str,
}

impl Entry {
    pub(crate) const fn text(&self, language: Language) -> &EntryText {
        in_language(&self.texts, language)
    }
}

/// The entry with exactly this key.
pub(crate) fn find(key: &str) -> Option<&'static Entry> {
    ENTRIES
        .binary_search_by_key(&key, |entry| entry.key)
        .ok()
        .and_then(|i| ENTRIES.get(i).copied())
}

/// The comparison of two keys that somebody wrote, whichever way round.
pub(crate) fn find_pair(a: &str, b: &str, language: Language) -> Option<&'static PairText> {
    let keys = (a.min(b), a.max(b));
    PAIRS
        .binary_search_by_key(&keys, |pair| pair.keys)
        .ok()
        .and_then(|i| PAIRS.get(i))
        .map(|pair| in_language(&pair.texts, language))
}

/// The languages stand in the order of [`Language::ALL`].
pub(crate) const fn in_language<T>(texts: &[T; Language::ALL.len()], language: Language) -> &T {
    let [english, french] = texts;
    match language {
        Language::English => english,
        Language::French => french,
    }
}

include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_found_by_its_key() {
        for entry in ENTRIES {
            assert_eq!(find(entry.key), Some(*entry));
        }
        assert_eq!(find("no-such-key"), None);
    }

    #[test]
    fn every_written_comparison_is_found_both_ways_round() {
        for pair in PAIRS {
            let (a, b) = pair.keys;
            for language in Language::ALL {
                let there = find_pair(a, b, language);
                assert!(there.is_some());
                assert_eq!(there, find_pair(b, a, language));
            }
        }
    }
}
