//! Each language is set as its readers expect, and no English is left in the French.

use facteur_replies::{Explanation, Language, Topic, compare, entry, keys};

/// The name of the interface's texts; some of them show what to type, quotes and all.
const INTERFACE: &str = "interface.ftl";

/// Words that English needs and French does not have.
const ENGLISH: [&str; 20] = [
    "the", "you", "your", "and", "with", "which", "this", "that", "when", "where", "for", "from",
    "has", "have", "will", "should", "must", "their", "does", "an",
];

#[test]
fn no_straight_quotes_stand_in_english_texts() {
    let entries = texts(Language::English).into_iter();
    for (name, text) in entries.filter(|(name, _)| name != INTERFACE) {
        let without_code: String = text.split('`').step_by(2).collect();
        assert!(
            !without_code.contains(['\'', '"']),
            "{name}: {without_code}"
        );
    }
}

#[test]
fn no_english_words_stand_in_french_texts() {
    for (name, text) in texts(Language::French) {
        let text = prose(&text);
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            assert!(!ENGLISH.contains(&word), "{name}: {word:?} in {text}");
        }
    }
}

#[test]
fn french_punctuation_is_never_cut_off_its_word() {
    for (name, text) in texts(Language::French) {
        let text = prose(&text);
        for wrong in [" :", " ;", " !", " ?", " »", "« "] {
            assert!(!text.contains(wrong), "{name}: {wrong:?} in {text}");
        }
        assert!(
            !text.contains('\''),
            "{name}: straight apostrophe in {text}"
        );
        let mut before = ' ';
        for c in text.chars() {
            let spaced = matches!(before, '\u{a0}' | '\u{202f}') || !before.is_alphanumeric();
            assert!(
                !matches!(c, ';' | '?' | '!') || spaced,
                "{name}: {before}{c} in {text}"
            );
            before = c;
        }
    }
}

/// Every text of the catalogue in one language, each with its name.
fn texts(language: Language) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    let all: Vec<&str> = keys().collect();
    for key in &all {
        let found: Explanation = entry(key, language).unwrap();
        for text in [found.title, found.meaning, found.when, found.fix] {
            texts.push(((*key).to_owned(), text.to_owned()));
        }
    }
    for (i, a) in all.iter().enumerate() {
        for b in all.iter().skip(i + 1) {
            let [left, right] = [a, b].map(|key| Topic::parse(key).unwrap());
            if let Some(written) = compare(&left, &right, language).written {
                for text in [
                    written.title,
                    written.differences,
                    written.which,
                    written.confusion,
                ] {
                    texts.push((format!("{a}-vs-{b}"), text.to_owned()));
                }
            }
        }
    }
    let interface = match language {
        Language::English => include_str!("../../catalogue/en/interface.ftl"),
        Language::French => include_str!("../../catalogue/fr/interface.ftl"),
    };
    texts.push((INTERFACE.to_owned(), ftl_patterns(interface)));
    texts
}

/// The text without `code` spans and without quotations, which stay in the language they were said in.
fn prose(text: &str) -> String {
    let without_code: String = text.split('`').step_by(2).collect();
    without_code
        .split('«')
        .enumerate()
        .map(|(i, part)| match part.split_once('»') {
            Some((_, after)) if i > 0 => format!("«\u{a0}»{after}"),
            _ => part.to_owned(),
        })
        .collect()
}

/// The patterns of a Fluent file without its identifiers, selectors and placeables.
fn ftl_patterns(source: &str) -> String {
    let mut out = String::new();
    for line in source.lines().filter(|line| !line.starts_with('#')) {
        let line = match line.trim_start().strip_prefix(['[', '*']) {
            Some(variant) => variant.split_once(']').map_or("", |(_, text)| text),
            None if line.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                line.split_once('=').map_or("", |(_, text)| text)
            }
            None => line,
        };
        let mut depth = 0_u32;
        for c in line.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ if depth == 0 => out.push(c),
                _ => {}
            }
        }
        out.push('\n');
    }
    out
}
