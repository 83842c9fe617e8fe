//! The French is French: no English left in it, and set as French is.

use facteur_replies::{Explanation, Language, Topic, compare, entry, keys};

/// Words that English needs and French does not have.
const ENGLISH: [&str; 20] = [
    "the", "you", "your", "and", "with", "which", "this", "that", "when", "where", "for", "from",
    "has", "have", "will", "should", "must", "their", "does", "an",
];

#[test]
fn no_english_words_stand_in_french_texts() {
    for (name, text) in french_texts() {
        let text = prose(&text);
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            assert!(!ENGLISH.contains(&word), "{name}: {word:?} in {text}");
        }
    }
}

#[test]
fn french_punctuation_is_never_cut_off_its_word() {
    for (name, text) in french_texts() {
        let text = prose(&text);
        for wrong in [" :", " ;", " !", " ?", " »", "« "] {
            assert!(!text.contains(wrong), "{name}: {wrong:?} in {text}");
        }
        assert!(
            !text.contains('\''),
            "{name}: a straight apostrophe in {text}"
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

/// Every French text of the catalogue, each with its name.
fn french_texts() -> Vec<(String, String)> {
    let mut texts = Vec::new();
    let all: Vec<&str> = keys().collect();
    for key in &all {
        let found: Explanation = entry(key, Language::French).unwrap();
        for text in [found.title, found.meaning, found.when, found.fix] {
            texts.push(((*key).to_owned(), text.to_owned()));
        }
    }
    for a in &all {
        for b in &all {
            let [left, right] = [a, b].map(|key| Topic::parse(key).unwrap());
            if let Some(written) = compare(&left, &right, Language::French).written {
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
    texts.push((
        "interface.ftl".to_owned(),
        ftl_patterns(include_str!("../../catalogue/fr/interface.ftl")),
    ));
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
