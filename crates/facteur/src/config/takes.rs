//! What a key takes: how it is read, how it is shown, and what the schema says of it, all from one row.
//!
//! [`keys!`] makes a table of the file from rows: a field, its type, and one of the makers below. The row is the only
//! place where a key's name, default and bounds stand; its words are the interface texts `config-key-…`.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::config::problem::{Expected, Fault};
use crate::config::section::Section;
use crate::config::values::{show_duration, show_size};
use crate::config::written::Written;

/// A table of the file.
pub(crate) trait Keys: Sized {
    /// Reads it; `None` once a problem has been noted that leaves no value.
    fn read(section: &mut Section<'_, '_>) -> Option<Self>;

    /// Every key with its value; null for what is not set.
    fn show(&self) -> Map<String, Value>;

    /// Every key, in the order in which it is documented.
    fn keys() -> Vec<Key>;

    /// Takes from the configuration of a running server what cannot change before it starts again.
    fn keep(&mut self, running: &Self);
}

/// What a key takes, for a value of type `V`.
pub(crate) trait Takes<V> {
    /// Reads `key`; `None` once a problem has been noted.
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<V>;

    /// The value as the file would have it; null for what is not set.
    fn show(&self, value: &V) -> Value;

    /// What can be said about it.
    fn form(&self) -> Form;

    /// Takes from the value of a running server what cannot change before it starts again.
    fn keep(&self, _value: &mut V, _running: &V) {}
}

/// A key as the schema, the manual and `config diff` know it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    /// Its name in its table.
    pub(crate) name: &'static str,
    /// What it takes.
    pub(crate) form: Form,
}

/// What can be said about what a key takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Form {
    /// Its kind, with bounds.
    pub(crate) shape: Shape,
    /// What holds where it is not written.
    pub(crate) default: Absent,
    /// When a change of it takes effect.
    pub(crate) effect: Effect,
}

/// What holds where a key is not written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Absent {
    /// This value.
    Is(Value),
    /// What the interface text `config-default-…` says.
    InWords,
    /// It must be written.
    Refused,
}

/// When a change takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Effect {
    /// When the configuration is read again.
    Reload,
    /// When the server starts again.
    Restart,
}

impl Effect {
    /// When a part changes of what changes then: what waits as a whole waits in every part.
    pub(crate) const fn of_part(self, part: Self) -> Self {
        match self {
            Self::Reload => part,
            Self::Restart => self,
        }
    }
}

/// The kinds of values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// A text.
    Text {
        /// What it must be.
        expected: Expected,
        /// The only texts that are taken; empty for any that fits.
        choices: &'static [&'static str],
    },
    /// A whole number.
    Count { least: u64, most: u64 },
    /// Octets: a number, or a text with a unit.
    Size { least: u64, most: u64 },
    /// A number and a unit.
    Duration { least: Duration, most: Duration },
    /// True or false.
    Boolean,
    /// A list, or a text alone.
    List(Box<Self>),
    /// A table.
    Table(Vec<Key>),
    /// An array of tables, told from each other by the key `unique`.
    Tables {
        unique: &'static str,
        keys: Vec<Key>,
    },
    /// A table whose keys are the operator's own.
    Entries { names: Expected, entry: Box<Self> },
}

/// Makes a table of the file from its rows.
macro_rules! keys {
    (
        $(#[$meta:meta])*
        $vis:vis struct $Name:ident {
            $( $(#[$doc:meta])* $field:ident: $Value:ty = $takes:expr; )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        $vis struct $Name {
            $( $(#[$doc])* pub(crate) $field: $Value, )*
        }

        impl $crate::config::takes::Keys for $Name {
            fn read(section: &mut $crate::config::section::Section<'_, '_>) -> Option<Self> {
                use $crate::config::takes::{Takes, name};
                // Each is read before any is missed: one look shows every problem.
                $( let $field = Takes::<$Value>::read(&$takes, name(stringify!($field)), section); )*
                Some(Self { $( $field: $field?, )* })
            }

            fn show(&self) -> serde_json::Map<String, serde_json::Value> {
                use $crate::config::takes::{Takes, name};
                let mut shown = serde_json::Map::new();
                $( shown.insert(
                    name(stringify!($field)).to_owned(),
                    Takes::<$Value>::show(&$takes, &self.$field),
                ); )*
                shown
            }

            fn keep(&mut self, running: &Self) {
                use $crate::config::takes::Takes;
                $( Takes::<$Value>::keep(&$takes, &mut self.$field, &running.$field); )*
            }

            fn keys() -> Vec<$crate::config::takes::Key> {
                use $crate::config::takes::{Key, Takes, name};
                vec![ $( Key {
                    name: name(stringify!($field)),
                    form: Takes::<$Value>::form(&$takes),
                }, )* ]
            }
        }
    };
}

pub(crate) use keys;

/// A key whose name is a word of Rust is written `r#match`.
pub(crate) fn name(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}

impl Form {
    const fn new(shape: Shape, default: Absent) -> Self {
        Self {
            shape,
            default,
            effect: Effect::Reload,
        }
    }
}

fn text_shape<T: Written>() -> Shape {
    Shape::Text {
        expected: T::EXPECTED,
        choices: T::CHOICES,
    }
}

fn list_shape<T: Written>() -> Shape {
    Shape::List(Box::new(text_shape::<T>()))
}

fn show_list<T: Written>(values: &[T]) -> Value {
    values.iter().map(|value| json!(value.show())).collect()
}

/// A text that must be there.
pub(crate) struct Required;

/// A text that must be there.
pub(crate) const fn required() -> Required {
    Required
}

impl<T: Written> Takes<T> for Required {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<T> {
        if !section.has(key) {
            section.missing(key);
        }
        section.text(key)?
    }

    fn show(&self, value: &T) -> Value {
        json!(value.show())
    }

    fn form(&self) -> Form {
        Form::new(text_shape::<T>(), Absent::Refused)
    }
}

/// A text that may be left out; `config-default-…` says what then holds.
pub(crate) struct Optional;

/// A text that may be left out; `config-default-…` says what then holds.
pub(crate) const fn optional() -> Optional {
    Optional
}

impl<T: Written> Takes<Option<T>> for Optional {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<Option<T>> {
        if section.has(key) {
            section.text(key)?.map(Some)
        } else {
            Some(None)
        }
    }

    fn show(&self, value: &Option<T>) -> Value {
        value
            .as_ref()
            .map_or(Value::Null, |value| json!(value.show()))
    }

    fn form(&self) -> Form {
        Form::new(text_shape::<T>(), Absent::InWords)
    }
}

/// A text with a default.
pub(crate) struct Text<T> {
    default: fn() -> T,
    in_words: bool,
}

/// A text with this default.
pub(crate) const fn text<T>(default: fn() -> T) -> Text<T> {
    Text {
        default,
        in_words: false,
    }
}

/// A text whose default depends on the machine: `config-default-…` says how.
pub(crate) const fn text_or<T>(default: fn() -> T) -> Text<T> {
    Text {
        default,
        in_words: true,
    }
}

impl<T: Written> Takes<T> for Text<T> {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<T> {
        if section.has(key) {
            section.text(key)?
        } else {
            Some((self.default)())
        }
    }

    fn show(&self, value: &T) -> Value {
        json!(value.show())
    }

    fn form(&self) -> Form {
        let default = if self.in_words {
            Absent::InWords
        } else {
            Absent::Is(json!((self.default)().show()))
        };
        Form::new(text_shape::<T>(), default)
    }
}

/// A list of texts with a default.
pub(crate) struct List<T>(fn() -> Vec<T>);

/// A list of texts with this default.
pub(crate) const fn list<T>(default: fn() -> Vec<T>) -> List<T> {
    List(default)
}

impl<T: Written> Takes<Vec<T>> for List<T> {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<Vec<T>> {
        Some(section.list(key).unwrap_or_else(self.0))
    }

    fn show(&self, value: &Vec<T>) -> Value {
        show_list(value)
    }

    fn form(&self) -> Form {
        Form::new(list_shape::<T>(), Absent::Is(show_list(&(self.0)())))
    }
}

/// A list of texts; left out it is another thing than empty, and `config-default-…` says which.
pub(crate) struct OptionalList;

/// A list of texts; left out it is another thing than empty, and `config-default-…` says which.
pub(crate) const fn optional_list() -> OptionalList {
    OptionalList
}

impl<T: Written> Takes<Option<Vec<T>>> for OptionalList {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<Option<Vec<T>>> {
        Some(section.list(key))
    }

    fn show(&self, value: &Option<Vec<T>>) -> Value {
        value.as_deref().map_or(Value::Null, show_list)
    }

    fn form(&self) -> Form {
        Form::new(list_shape::<T>(), Absent::InWords)
    }
}

/// True or false.
pub(crate) struct Flag(bool);

/// True or false, with this default.
pub(crate) const fn flag(default: bool) -> Flag {
    Flag(default)
}

impl Takes<bool> for Flag {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<bool> {
        Some(section.boolean(key, self.0))
    }

    fn show(&self, value: &bool) -> Value {
        json!(value)
    }

    fn form(&self) -> Form {
        Form::new(Shape::Boolean, Absent::Is(json!(self.0)))
    }
}

/// A whole number.
pub(crate) struct Count<N> {
    default: N,
    bounds: RangeInclusive<N>,
}

/// A whole number with this default, within these bounds.
pub(crate) const fn count<N>(default: N, bounds: RangeInclusive<N>) -> Count<N> {
    Count { default, bounds }
}

impl<N: Copy + Into<u64> + TryFrom<u64>> Takes<N> for Count<N> {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<N> {
        let bounds = (*self.bounds.start()).into()..=(*self.bounds.end()).into();
        N::try_from(section.count(key, self.default.into(), bounds)).ok()
    }

    fn show(&self, value: &N) -> Value {
        json!((*value).into())
    }

    fn form(&self) -> Form {
        let shape = Shape::Count {
            least: (*self.bounds.start()).into(),
            most: (*self.bounds.end()).into(),
        };
        Form::new(shape, Absent::Is(json!(self.default.into())))
    }
}

/// A whole number that may be left out; `config-default-…` says what then holds.
pub(crate) struct OptionalCount(RangeInclusive<u32>);

/// A whole number within these bounds, never zero, that may be left out.
pub(crate) const fn optional_count(bounds: RangeInclusive<u32>) -> OptionalCount {
    OptionalCount(bounds)
}

impl Takes<Option<NonZeroU32>> for OptionalCount {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<Option<NonZeroU32>> {
        if !section.has(key) {
            return Some(None);
        }
        let (least, most) = ((*self.0.start()).into(), (*self.0.end()).into());
        let count = section.count(key, least, least..=most);
        Some(NonZeroU32::new(u32::try_from(count).ok()?))
    }

    fn show(&self, value: &Option<NonZeroU32>) -> Value {
        json!(value.map(NonZeroU32::get))
    }

    fn form(&self) -> Form {
        let shape = Shape::Count {
            least: (*self.0.start()).into(),
            most: (*self.0.end()).into(),
        };
        Form::new(shape, Absent::InWords)
    }
}

/// True or false, or left out; `config-default-…` says what then holds.
pub(crate) struct OptionalFlag;

/// True or false, or left out; `config-default-…` says what then holds.
pub(crate) const fn optional_flag() -> OptionalFlag {
    OptionalFlag
}

impl Takes<Option<bool>> for OptionalFlag {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<Option<bool>> {
        let written = section.has(key);
        Some(written.then(|| section.boolean(key, false)))
    }

    fn show(&self, value: &Option<bool>) -> Value {
        json!(value)
    }

    fn form(&self) -> Form {
        Form::new(Shape::Boolean, Absent::InWords)
    }
}

/// A duration that may be left out; `config-default-…` says what then holds.
pub(crate) struct OptionalSpan(RangeInclusive<Duration>);

/// A duration within these bounds that may be left out.
pub(crate) const fn optional_duration(bounds: RangeInclusive<Duration>) -> OptionalSpan {
    OptionalSpan(bounds)
}

impl Takes<Option<Duration>> for OptionalSpan {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<Option<Duration>> {
        let written = section.has(key);
        let bounds = self.0.clone();
        Some(written.then(|| section.duration(key, *self.0.start(), bounds)))
    }

    fn show(&self, value: &Option<Duration>) -> Value {
        json!(value.map(show_duration))
    }

    fn form(&self) -> Form {
        let shape = Shape::Duration {
            least: *self.0.start(),
            most: *self.0.end(),
        };
        Form::new(shape, Absent::InWords)
    }
}

/// Octets.
pub(crate) struct Size {
    default: u64,
    bounds: RangeInclusive<u64>,
}

/// Octets with this default, within these bounds.
pub(crate) const fn size(default: u64, bounds: RangeInclusive<u64>) -> Size {
    Size { default, bounds }
}

impl Takes<u64> for Size {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<u64> {
        Some(section.size(key, self.default, self.bounds.clone()))
    }

    fn show(&self, value: &u64) -> Value {
        json!(value)
    }

    fn form(&self) -> Form {
        let shape = Shape::Size {
            least: *self.bounds.start(),
            most: *self.bounds.end(),
        };
        Form::new(shape, Absent::Is(json!(show_size(self.default))))
    }
}

/// A duration.
pub(crate) struct Span {
    default: Duration,
    bounds: RangeInclusive<Duration>,
}

/// A duration with this default, within these bounds.
pub(crate) const fn duration(default: Duration, bounds: RangeInclusive<Duration>) -> Span {
    Span { default, bounds }
}

impl Span {
    fn shape(&self) -> Shape {
        Shape::Duration {
            least: *self.bounds.start(),
            most: *self.bounds.end(),
        }
    }
}

impl Takes<Duration> for Span {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<Duration> {
        Some(section.duration(key, self.default, self.bounds.clone()))
    }

    fn show(&self, value: &Duration) -> Value {
        json!(show_duration(*value))
    }

    fn form(&self) -> Form {
        Form::new(self.shape(), Absent::Is(self.show(&self.default)))
    }
}

/// A duration for which zero means never.
impl Takes<Option<Duration>> for Span {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<Option<Duration>> {
        let duration = section.duration(key, self.default, self.bounds.clone());
        Some((!duration.is_zero()).then_some(duration))
    }

    fn show(&self, value: &Option<Duration>) -> Value {
        json!(show_duration(value.unwrap_or_default()))
    }

    fn form(&self) -> Form {
        Takes::<Duration>::form(self)
    }
}

/// A list of durations, never empty.
pub(crate) struct Spans {
    default: &'static [Duration],
    bounds: RangeInclusive<Duration>,
}

/// A list of durations with this default, each within these bounds. An empty list is the default.
pub(crate) const fn durations(
    default: &'static [Duration],
    bounds: RangeInclusive<Duration>,
) -> Spans {
    Spans { default, bounds }
}

impl Takes<Vec<Duration>> for Spans {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<Vec<Duration>> {
        let read = section.durations(key, &self.bounds);
        Some(
            read.filter(|list| !list.is_empty())
                .unwrap_or_else(|| self.default.to_vec()),
        )
    }

    fn show(&self, value: &Vec<Duration>) -> Value {
        value
            .iter()
            .map(|wait| json!(show_duration(*wait)))
            .collect()
    }

    fn form(&self) -> Form {
        let each = Shape::Duration {
            least: *self.bounds.start(),
            most: *self.bounds.end(),
        };
        let default = self.show(&self.default.to_vec());
        Form::new(Shape::List(Box::new(each)), Absent::Is(default))
    }
}

/// A table of its own keys.
pub(crate) struct Table;

/// A table of its own keys; absent, it reads as empty.
pub(crate) const fn table() -> Table {
    Table
}

impl<T: Keys> Takes<T> for Table {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<T> {
        section.table(key, T::read)
    }

    fn show(&self, value: &T) -> Value {
        Value::Object(value.show())
    }

    fn form(&self) -> Form {
        Form::new(Shape::Table(T::keys()), Absent::InWords)
    }

    fn keep(&self, value: &mut T, running: &T) {
        value.keep(running);
    }
}

/// An array of tables.
pub(crate) struct Tables(&'static str);

/// An array of tables, no two of which have the same value of the key `unique`.
pub(crate) const fn tables(unique: &'static str) -> Tables {
    Tables(unique)
}

impl<T: Keys> Takes<Vec<T>> for Tables {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<Vec<T>> {
        let mut tables: Vec<(Value, T)> = Vec::new();
        section.tables(key, |table| {
            let Some(value) = T::read(table) else { return };
            let unique = value.show().remove(self.0).unwrap_or_default();
            if tables.iter().any(|(known, _)| *known == unique) {
                let what = unique
                    .as_str()
                    .map_or_else(|| unique.to_string(), str::to_owned);
                return table.problem_at(self.0, Fault::Twice { what });
            }
            tables.push((unique, value));
        });
        Some(tables.into_iter().map(|(_, value)| value).collect())
    }

    fn show(&self, value: &Vec<T>) -> Value {
        value
            .iter()
            .map(|value| Value::Object(value.show()))
            .collect()
    }

    fn form(&self) -> Form {
        let shape = Shape::Tables {
            unique: self.0,
            keys: T::keys(),
        };
        Form::new(shape, Absent::InWords)
    }
}

/// A table whose keys are the operator's own, each a table.
pub(crate) struct Entries;

/// A table whose keys are the operator's own, each a table.
pub(crate) const fn entries() -> Entries {
    Entries
}

impl<N: Written + Ord, T: Keys> Takes<BTreeMap<N, T>> for Entries {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<BTreeMap<N, T>> {
        Some(section.entries(key, |name, entry| entry.table(name, T::read)))
    }

    fn show(&self, value: &BTreeMap<N, T>) -> Value {
        let entries = value
            .iter()
            .map(|(name, value)| (name.show(), Value::Object(value.show())));
        Value::Object(entries.collect())
    }

    fn form(&self) -> Form {
        let shape = Shape::Entries {
            names: N::EXPECTED,
            entry: Box::new(Shape::Table(T::keys())),
        };
        Form::new(shape, Absent::InWords)
    }
}

/// A table whose keys are the operator's own, each a list of texts.
pub(crate) struct Lists;

/// A table whose keys are the operator's own, each a list of texts.
pub(crate) const fn lists() -> Lists {
    Lists
}

impl<N: Written + Ord, T: Written> Takes<BTreeMap<N, Vec<T>>> for Lists {
    fn read(
        &self,
        key: &'static str,
        section: &mut Section<'_, '_>,
    ) -> Option<BTreeMap<N, Vec<T>>> {
        let mut lists = section.entries(key, |name, entry| Some(entry.list(name)));
        lists.retain(|_, list: &mut Vec<T>| !list.is_empty());
        Some(lists)
    }

    fn show(&self, value: &BTreeMap<N, Vec<T>>) -> Value {
        let entries = value
            .iter()
            .map(|(name, list)| (name.show(), show_list(list)));
        Value::Object(entries.collect())
    }

    fn form(&self) -> Form {
        let shape = Shape::Entries {
            names: N::EXPECTED,
            entry: Box::new(list_shape::<T>()),
        };
        Form::new(shape, Absent::InWords)
    }
}

/// What takes effect only when the server starts again.
pub(crate) struct Restart<K>(K);

/// As `takes`, but a change takes effect only when the server starts again.
pub(crate) const fn restart<K>(takes: K) -> Restart<K> {
    Restart(takes)
}

impl<V: Clone, K: Takes<V>> Takes<V> for Restart<K> {
    fn read(&self, key: &'static str, section: &mut Section<'_, '_>) -> Option<V> {
        self.0.read(key, section)
    }

    fn show(&self, value: &V) -> Value {
        self.0.show(value)
    }

    fn form(&self) -> Form {
        Form {
            effect: Effect::Restart,
            ..self.0.form()
        }
    }

    fn keep(&self, value: &mut V, running: &V) {
        value.clone_from(running);
    }
}
