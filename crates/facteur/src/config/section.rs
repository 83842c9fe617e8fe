//! Reading one table of the file: each key is taken with what it expects; what is wrong is collected, so that
//! one look shows every problem; what nobody took is unknown.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use facteur_mail::{Address, Domain};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::problem::{Expected, Fault, Problem};
use crate::config::secret::SecretFile;
use crate::config::values;

/// A table under reading.
pub(crate) struct Section<'a, 'p> {
    table: Option<&'a DeTable<'a>>,
    span: Range<usize>,
    taken: BTreeSet<&'static str>,
    problems: &'p mut Vec<Problem>,
}

/// A value with its place in the file, for problems found later.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it stands.
    pub(crate) span: Range<usize>,
}

type Taken<'a> = &'a Spanned<DeValue<'a>>;

impl<'a, 'p> Section<'a, 'p> {
    /// The table of a whole file.
    pub(crate) fn root(table: &'a Spanned<DeTable<'a>>, problems: &'p mut Vec<Problem>) -> Self {
        Self {
            table: Some(table.get_ref()),
            span: table.span(),
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

    /// Notes a problem found by the caller.
    pub(crate) fn problem(&mut self, span: Range<usize>, fault: Fault) {
        self.problems.push(Problem { span, fault });
    }

    fn get(&mut self, key: &'static str) -> Option<Taken<'a>> {
        self.taken.insert(key);
        self.table?.get(key)
    }

    fn wrong_kind(&mut self, span: Range<usize>, key: &str, expected: Expected) {
        let fault = Fault::WrongKind {
            key: key.to_owned(),
            expected,
        };
        self.problems.push(Problem { span, fault });
    }

    /// A table below this one; absent, it reads as empty.
    pub(crate) fn table(&mut self, key: &'static str, read: impl FnOnce(&mut Section<'a, '_>)) {
        let found = self.get(key);
        let table = found.and_then(|value| value.get_ref().as_table());
        if let (Some(value), None) = (found, table) {
            self.wrong_kind(value.span(), key, Expected::Table);
        }
        let span = found.map_or_else(|| self.span.clone(), Spanned::span);
        let mut section = Section {
            table,
            span,
            taken: BTreeSet::new(),
            problems: &mut *self.problems,
        };
        read(&mut section);
        section.finish();
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
                    let mut section = Section {
                        table: Some(table),
                        span: item.span(),
                        taken: BTreeSet::new(),
                        problems: &mut *self.problems,
                    };
                    read(&mut section);
                    section.finish();
                }
                None => self.wrong_kind(item.span(), key, Expected::Tables),
            }
        }
    }

    /// Every entry of a table whose keys are the operator's own: domains, aliases.
    pub(crate) fn entries(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(At<&'a str>, Taken<'a>, &mut Vec<Problem>),
    ) {
        let Some(value) = self.get(key) else { return };
        let Some(table) = value.get_ref().as_table() else {
            return self.wrong_kind(value.span(), key, Expected::Table);
        };
        for (name, item) in table {
            read(
                At {
                    value: name.get_ref(),
                    span: name.span(),
                },
                item,
                self.problems,
            );
        }
    }

    /// Reads an entry of [`Section::entries`] as a table.
    pub(crate) fn entry(
        name: &At<&'a str>,
        item: Taken<'a>,
        problems: &mut Vec<Problem>,
        read: impl FnOnce(&mut Section<'a, '_>),
    ) {
        match item.get_ref().as_table() {
            Some(table) => {
                let mut section = Section {
                    table: Some(table),
                    span: name.span.clone(),
                    taken: BTreeSet::new(),
                    problems,
                };
                read(&mut section);
                section.finish();
            }
            None => problems.push(Problem {
                span: item.span(),
                fault: Fault::WrongKind {
                    key: name.value.to_owned(),
                    expected: Expected::Table,
                },
            }),
        }
    }

    /// A text that `parse` understands.
    pub(crate) fn parsed<T>(
        &mut self,
        key: &'static str,
        expected: Expected,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<At<T>> {
        let value = self.get(key)?;
        parse_text(value, key, expected, parse, self.problems)
    }

    /// A text that the table cannot do without.
    pub(crate) fn required<T>(
        &mut self,
        key: &'static str,
        expected: Expected,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<At<T>> {
        if self.get(key).is_none() {
            let fault = Fault::Missing {
                key: key.to_owned(),
            };
            self.problems.push(Problem {
                span: self.span.clone(),
                fault,
            });
        }
        self.parsed(key, expected, parse)
    }

    /// A list of texts that `parse` understands; a single text is a list of one.
    pub(crate) fn list<T>(
        &mut self,
        key: &'static str,
        expected: Expected,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<At<T>>> {
        let value = self.get(key)?;
        Some(parse_list(value, key, expected, parse, self.problems))
    }

    /// The file of a secret: `secret_file = "/etc/facteur/token"`.
    #[expect(dead_code, reason = "for the tokens and keys of the console")]
    pub(crate) fn secret_file(&mut self, key: &'static str) -> Option<At<SecretFile>> {
        self.parsed(key, Expected::SecretFile, SecretFile::parse)
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
            .and_then(|at| self.within(at.value, at.span, &bounds, u64::to_string))
            .unwrap_or(default)
    }

    /// A duration within bounds.
    pub(crate) fn duration(
        &mut self,
        key: &'static str,
        default: Duration,
        bounds: RangeInclusive<Duration>,
    ) -> Duration {
        self.parsed(key, Expected::Duration, values::duration)
            .and_then(|at| self.within(at.value, at.span, &bounds, |d| values::show_duration(*d)))
            .unwrap_or(default)
    }

    /// A value within bounds, or a problem.
    pub(crate) fn within<T: PartialOrd>(
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

/// Reads a text value.
pub(crate) fn parse_text<T>(
    value: Taken<'_>,
    key: &str,
    expected: Expected,
    parse: impl FnOnce(&str) -> Option<T>,
    problems: &mut Vec<Problem>,
) -> Option<At<T>> {
    let span = value.span();
    let Some(text) = value.get_ref().as_str() else {
        problems.push(Problem {
            span,
            fault: Fault::WrongKind {
                key: key.to_owned(),
                expected,
            },
        });
        return None;
    };
    match parse(text) {
        Some(value) => Some(At { value, span }),
        None => {
            problems.push(Problem {
                span,
                fault: Fault::BadValue {
                    value: text.to_owned(),
                    expected,
                },
            });
            None
        }
    }
}

/// Reads a list of texts, or one text.
pub(crate) fn parse_list<T>(
    value: Taken<'_>,
    key: &str,
    expected: Expected,
    parse: impl Fn(&str) -> Option<T>,
    problems: &mut Vec<Problem>,
) -> Vec<At<T>> {
    match value.get_ref().as_array() {
        Some(array) => array
            .iter()
            .filter_map(|item| parse_text(item, key, expected, &parse, problems))
            .collect(),
        None => parse_text(value, key, expected, &parse, problems)
            .into_iter()
            .collect(),
    }
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

/// For [`Section::parsed`]: an address of a mailbox.
pub(crate) fn address(text: &str) -> Option<Address> {
    Address::parse(text).ok()
}

/// For [`Section::parsed`]: a domain name.
pub(crate) fn domain(text: &str) -> Option<Domain> {
    Domain::parse(text).ok()
}

/// For [`Section::parsed`]: an address and a port.
pub(crate) fn socket_address(text: &str) -> Option<SocketAddr> {
    text.parse().ok()
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
