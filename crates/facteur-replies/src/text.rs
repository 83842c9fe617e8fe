//! The texts of the interface, in the reader's language: Fluent messages from `catalogue/*/interface.ftl`.
//!
//! `build.rs` proves that every language has the same messages.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

use crate::catalogue;
use crate::lang::Language;

/// A value for a placeable of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A text, shown as it is: the caller has escaped it for where it is shown.
    Text(&'a str),
    /// A number, which also chooses the plural form.
    Number(u64),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

/// The message `id` in `language`, for terminals, logs and mail: nothing but what is seen.
///
/// An id that no language has is a bug: a debug build panics, a release build shows the id.
#[must_use]
pub fn text(language: Language, id: &str, args: &[(&str, Value<'_>)]) -> String {
    format(bundle(language), id, args)
}

/// Whether there is a message `id`; every language has the same ones.
#[must_use]
pub fn has_text(id: &str) -> bool {
    bundle(Language::English).has_message(id)
}

type Bundle = FluentBundle<FluentResource>;

static BUNDLES: LazyLock<[Bundle; Language::ALL.len()]> = LazyLock::new(|| Language::ALL.map(load));

fn bundle(language: Language) -> &'static Bundle {
    catalogue::in_language(&BUNDLES, language)
}

fn load(language: Language) -> Bundle {
    let source = *catalogue::in_language(&catalogue::INTERFACE, language);
    // The tags are constants; should one not parse, only the plural rules become English ones.
    let locale: LanguageIdentifier = language.tag().parse().unwrap_or_default();
    // A broken message is reported by a test; the others stay usable.
    let resource =
        FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
    let mut bundle = Bundle::new_concurrent(vec![locale]);
    // Fluent would wrap each value in invisible marks, which end up in shells and files.
    bundle.set_use_isolating(false);
    let twice = bundle.add_resource(resource);
    debug_assert!(twice.is_ok(), "{language}: {twice:?}");
    bundle
}

fn format(bundle: &Bundle, id: &str, args: &[(&str, Value<'_>)]) -> String {
    let pattern = bundle.get_message(id).and_then(|message| message.value());
    debug_assert!(pattern.is_some(), "no message {id:?} in interface.ftl");
    let Some(pattern) = pattern else {
        return id.to_owned();
    };
    let mut fluent = FluentArgs::with_capacity(args.len());
    for (name, value) in args {
        fluent.set(
            (*name).to_owned(),
            match value {
                Value::Text(text) => FluentValue::from(*text),
                Value::Number(number) => FluentValue::from(*number),
            },
        );
    }
    let mut faults = Vec::new();
    let text = bundle.format_pattern(pattern, Some(&fluent), &mut faults);
    debug_assert!(faults.is_empty(), "message {id:?}: {faults:?}");
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_message_of_every_language_can_be_read() {
        for source in catalogue::INTERFACE {
            if let Err((_, faults)) = FluentResource::try_new(source.to_owned()) {
                panic!("{faults:?}");
            }
        }
    }

    #[test]
    fn a_message_takes_the_same_values_in_every_language() {
        let [english, french] = catalogue::INTERFACE.map(placeables);
        assert_eq!(english, french);
    }

    /// `(message, value)` for each `$value` in each message.
    fn placeables(source: &str) -> BTreeSet<(String, String)> {
        let mut message = "";
        let mut found = BTreeSet::new();
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
                message = line.split_once('=').map_or(line, |(id, _)| id.trim());
            }
            for part in line.split('$').skip(1) {
                let name: String = part
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
                    .collect();
                found.insert((message.to_owned(), name));
            }
        }
        found
    }

    #[test]
    fn a_text_carries_no_isolation_marks() {
        let args = [("head", "a".into()), ("last", "b".into())];
        assert_eq!(text(Language::English, "list-and", &args), "a and b");
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "no message")]
    fn a_missing_message_fails_a_test() {
        drop(text(Language::English, "there-is-no-such-message", &[]));
    }
}
