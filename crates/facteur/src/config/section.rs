//! Reading one table of the file: each key is taken with what it expects; what is wrong is collected, so that
//! one look shows every problem; what nobody took is unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::problem::{Expected, Fault, Problem};
use crate::config::values;
use crate::config::written::Written;

/// A table under reading.
pub(crate) struct Section<'a, 'p> {
    table: Option<&'a DeTable<'a>>,
    span: Range<usize>,
    taken: BTreeSet<&'static str>,
    problems: &'p mut Vec<Problem>,
}

/// The value of a key that is the operator's own: a domain, an alias.
pub(crate) struct Entry<'a, 'p> {
    item: Taken<'a>,
    problems: &'p mut Vec<Problem>,
}

/// The name of an [`Entry`] with its place.
pub(crate) struct Name<'a> {
    text: &'a str,
    span: Range<usize>,
}

type Taken<'a> = &'a Spanned<DeValue<'a>>;

impl<'a, 'p> Section<'a, 'p> {
    /// The table of a whole file.
    pub(crate) fn root(table: &'a Spanned<DeTable<'a>>, problems: &'p mut Vec<Problem>) -> Self {
        Self::new(Some(table.get_ref()), table.span(), problems)
    }

    const fn new(
        table: Option<&'a DeTable<'a>>,
        span: Range<usize>,
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        Self {
            table,
            span,
            taken: BTreeSet::new(),
            problems,
        }
    }

    /// Reports what nobody took.
    pub(crate) fn finish(self) {
        let Some(table) = self.table else { return };
        for key in table.keys() {
            let name: &str = key.get_ref();
            if !self.taken.contains(name) {
                let known = self.taken.iter().copied().collect::<Vec<_>>().join(", ");
                let nearest = nearest(name, &self.taken);
                let fault = Fault::UnknownKey {
                    key: name.to_owned(),
                    nearest,
                    known,
                };
                self.problems.push(Problem {
                    span: key.span(),
                    fault,
                });
            }
        }
    }

    /// Whether a key is written.
    pub(crate) fn has(&mut self, key: &'static str) -> bool {
        self.get(key).is_some()
    }

    /// Notes that the table cannot do without a key.
    pub(crate) fn missing(&mut self, key: &'static str) {
        let fault = Fault::Missing {
            key: key.to_owned(),
        };
        self.problems.push(Problem {
            span: self.span.clone(),
            fault,
        });
    }

    /// Notes what is wrong with the value of a key, beyond what the key itself shows.
    pub(crate) fn problem_at(&mut self, key: &'static str, fault: Fault) {
        let span = self
            .get(key)
            .map_or_else(|| self.span.clone(), Spanned::span);
        self.problems.push(Problem { span, fault });
    }

    fn get(&mut self, key: &'static str) -> Option<Taken<'a>> {
        self.taken.insert(key);
        self.table?.get(key)
    }

    fn wrong_kind(&mut self, span: Range<usize>, key: &str, expected: Expected) {
        self.problems.push(wrong_kind(span, key, expected));
    }

    /// A table below this one; absent, it reads as empty.
    pub(crate) fn table<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'a, '_>) -> T,
    ) -> T {
        let found = self.get(key);
        let table = found.and_then(|value| value.get_ref().as_table());
        if let (Some(value), None) = (found, table) {
            self.wrong_kind(value.span(), key, Expected::Table);
        }
        let span = found.map_or_else(|| self.span.clone(), Spanned::span);
        let mut section = Section::new(table, span, &mut *self.problems);
        let value = read(&mut section);
        section.finish();
        value
    }

    /// Every table of an array of tables.
    pub(crate) fn tables(&mut self, key: &'static str, mut read: impl FnMut(&mut Section<'a, '_>)) {
        let Some(value) = self.get(key) else { return };
        let Some(array) = value.get_ref().as_array() else {
            return self.wrong_kind(value.span(), key, Expected::Tables);
        };
        for item in array {
            match item.get_ref().as_table() {
                Some(table) => {
                    let mut section = Section::new(Some(table), item.span(), &mut *self.problems);
                    read(&mut section);
                    section.finish();
                }
                None => self.wrong_kind(item.span(), key, Expected::Tables),
            }
        }
    }

    /// Every entry of a table whose keys are the operator's own, by name.
    pub(crate) fn entries<N: Written + Ord, T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&Name<'a>, Entry<'a, '_>) -> Option<T>,
    ) -> BTreeMap<N, T> {
        let mut entries = BTreeMap::new();
        let Some(value) = self.get(key) else {
            return entries;
        };
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_kind(value.span(), key, Expected::Table);
            return entries;
        };
        for (key, item) in table {
            let name = Name {
                text: key.get_ref(),
                span: key.span(),
            };
            let problems = &mut *self.problems;
            let value = read(&name, Entry { item, problems });
            let fault = match N::parse(name.text) {
                None => N::fault(name.text),
                Some(parsed) if entries.contains_key(&parsed) => Fault::Twice {
                    what: parsed.show(),
                },
                Some(parsed) => {
                    entries.extend(value.map(|value| (parsed, value)));
                    continue;
                }
            };
            self.problems.push(Problem {
                span: name.span,
                fault,
            });
        }
        entries
    }

    /// A text of this type; the outer `None` if there is none, the inner one if it cannot be read.
    pub(crate) fn text<T: Written>(&mut self, key: &'static str) -> Option<Option<T>> {
        let value = self.get(key)?;
        Some(read_text(value, key, self.problems))
    }

    /// A list of texts of this type; a single text is a list of one.
    pub(crate) fn list<T: Written>(&mut self, key: &'static str) -> Option<Vec<T>> {
        let value = self.get(key)?;
        Some(read_list(value, key, self.problems))
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, key: &'static str, default: bool) -> bool {
        let Some(value) = self.get(key) else {
            return default;
        };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong_kind(value.span(), key, Expected::Boolean);
            default
        })
    }

    /// A whole number within bounds.
    pub(crate) fn count(
        &mut self,
        key: &'static str,
        default: u64,
        bounds: RangeInclusive<u64>,
    ) -> u64 {
        let Some(value) = self.get(key) else {
            return default;
        };
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|n| n.to_string().parse::<u64>().ok());
        let Some(number) = number else {
            self.wrong_kind(value.span(), key, Expected::Count);
            return default;
        };
        self.within(number, value.span(), &bounds, u64::to_string)
            .unwrap_or(default)
    }

    /// Octets, as a number or with a binary unit, within bounds.
    pub(crate) fn size(
        &mut self,
        key: &'static str,
        default: u64,
        bounds: RangeInclusive<u64>,
    ) -> u64 {
        let Some(value) = self.get(key) else {
            return default;
        };
        if value.get_ref().is_integer() {
            return self.count(key, default, bounds);
        }
        let parsed = parse_text(value, key, Expected::Size, values::size, self.problems);
        parsed
            .and_then(|size| self.within(size, value.span(), &bounds, u64::to_string))
            .unwrap_or(default)
    }

    /// A duration within bounds.
    pub(crate) fn duration(
        &mut self,
        key: &'static str,
        default: Duration,
        bounds: RangeInclusive<Duration>,
    ) -> Duration {
        let Some(value) = self.get(key) else {
            return default;
        };
        self.duration_of(value, key, &bounds).unwrap_or(default)
    }

    /// A list of durations, each within bounds; a single one is a list of one.
    pub(crate) fn durations(
        &mut self,
        key: &'static str,
        bounds: &RangeInclusive<Duration>,
    ) -> Option<Vec<Duration>> {
        let value = self.get(key)?;
        let items = value
            .get_ref()
            .as_array()
            .map_or_else(|| vec![value], |array| array.iter().collect());
        let each = |item| self.duration_of(item, key, bounds);
        Some(items.into_iter().filter_map(each).collect())
    }

    fn duration_of(
        &mut self,
        value: Taken<'a>,
        key: &'static str,
        bounds: &RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let parse = values::duration;
        let duration = parse_text(value, key, Expected::Duration, parse, self.problems)?;
        self.within(duration, value.span(), bounds, |duration| {
            values::show_duration(*duration)
        })
    }

    /// A value within bounds, or a problem.
    fn within<T: PartialOrd>(
        &mut self,
        value: T,
        span: Range<usize>,
        bounds: &RangeInclusive<T>,
        show: impl Fn(&T) -> String,
    ) -> Option<T> {
        if bounds.contains(&value) {
            return Some(value);
        }
        let fault = Fault::OutOfRange {
            value: show(&value),
            least: show(bounds.start()),
            most: show(bounds.end()),
        };
        self.problems.push(Problem { span, fault });
        None
    }
}

impl<'a> Entry<'a, '_> {
    /// Reads it as a table.
    pub(crate) fn table<T>(
        self,
        name: &Name<'a>,
        read: impl FnOnce(&mut Section<'a, '_>) -> Option<T>,
    ) -> Option<T> {
        let Some(table) = self.item.get_ref().as_table() else {
            let fault = wrong_kind(self.item.span(), name.text, Expected::Table);
            self.problems.push(fault);
            return None;
        };
        let mut section = Section::new(Some(table), name.span.clone(), self.problems);
        let value = read(&mut section);
        section.finish();
        value
    }

    /// Reads it as a list of texts.
    pub(crate) fn list<T: Written>(self, name: &Name<'a>) -> Vec<T> {
        read_list(self.item, name.text, self.problems)
    }
}

fn wrong_kind(span: Range<usize>, key: &str, expected: Expected) -> Problem {
    let fault = Fault::WrongKind {
        key: key.to_owned(),
        expected,
    };
    Problem { span, fault }
}

fn read_text<T: Written>(value: Taken<'_>, key: &str, problems: &mut Vec<Problem>) -> Option<T> {
    let span = value.span();
    let Some(text) = value.get_ref().as_str() else {
        problems.push(wrong_kind(span, key, T::EXPECTED));
        return None;
    };
    let parsed = T::parse(text);
    if parsed.is_none() {
        let fault = T::fault(text);
        problems.push(Problem { span, fault });
    }
    parsed
}

fn read_list<T: Written>(value: Taken<'_>, key: &str, problems: &mut Vec<Problem>) -> Vec<T> {
    match value.get_ref().as_array() {
        Some(array) => array
            .iter()
            .filter_map(|item| read_text(item, key, problems))
            .collect(),
        None => read_text(value, key, problems).into_iter().collect(),
    }
}

/// Reads a number that is written as a text with a unit.
fn parse_text<T>(
    value: Taken<'_>,
    key: &str,
    expected: Expected,
    parse: fn(&str) -> Option<T>,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let span = value.span();
    let Some(text) = value.get_ref().as_str() else {
        problems.push(wrong_kind(span, key, expected));
        return None;
    };
    let parsed = parse(text);
    if parsed.is_none() {
        let value = text.to_owned();
        let fault = Fault::BadValue { value, expected };
        problems.push(Problem { span, fault });
    }
    parsed
}

/// The known key that was probably meant: at most two edits away.
fn nearest(key: &str, known: &BTreeSet<&'static str>) -> Option<String> {
    known
        .iter()
        .map(|candidate| (edits(key, candidate), *candidate))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// The number of insertions, deletions and replacements between two short words (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (to, above) in b.iter().zip(row.iter().skip(1)) {
            let cost = diagonal + usize::from(from != *to);
            diagonal = *above;
            left = cost.min(left + 1).min(*above + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_at_most_two_edits_away() {
        let known = BTreeSet::from(["hostname", "data_dir", "listen"]);
        assert_eq!(nearest("hostnme", &known).as_deref(), Some("hostname"));
        assert_eq!(nearest("listten", &known).as_deref(), Some("listen"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
    }
}
