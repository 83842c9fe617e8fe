//! The tables of keys in the manual are made from the keys: a test compares, and writes them where
//! `FACTEUR_WRITE_MANUAL` is set.

use std::fs;
use std::path::PathBuf;

use facteur_replies::{Language, text};

use crate::config::words::{self, TableWords};

#[test]
fn the_manual_has_the_keys_as_they_are() {
    let write = std::env::var_os("FACTEUR_WRITE_MANUAL").is_some();
    for language in Language::ALL {
        let path = page(language);
        let mut page = fs::read_to_string(&path).unwrap();
        for table in words::tables(language) {
            let made = markdown(&table, language);
            let mark = mark(&table);
            let (_, rest) = page
                .split_once(&mark)
                .unwrap_or_else(|| panic!("{} has no line {mark:?}", path.display()));
            let found = rest.split("\n\n").next().unwrap_or_default().to_owned();
            if write {
                page = page.replace(&format!("{mark}{found}"), &format!("{mark}{made}"));
            } else {
                assert!(
                    found == made,
                    "{}: write the table with FACTEUR_WRITE_MANUAL=1 cargo test -p facteur the_manual_has\n{made}",
                    path.display()
                );
            }
        }
        if write {
            fs::write(&path, page).unwrap();
        }
    }
}

fn page(language: Language) -> PathBuf {
    let manual = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/manual");
    PathBuf::from(manual)
        .join(language.tag())
        .join("configuration.md")
}

/// The line before the table.
fn mark(table: &TableWords) -> String {
    format!("<!-- {} -->\n", format!("keys {}", table.name).trim_end())
}

/// The table, with a column for bounds where a key has some.
fn markdown(table: &TableWords, language: Language) -> String {
    let bounded = table.keys.iter().any(|key| !key.bounds.is_empty());
    let head = if bounded {
        "config-table-head-bounds"
    } else {
        "config-table-head"
    };
    let mut lines = vec![text(language, head, &[])];
    lines.push(format!(
        "|---|---|---|{}",
        if bounded { "---|" } else { "" }
    ));
    for key in &table.keys {
        let bounds = match (bounded, key.bounds.as_str()) {
            (true, "") => " |".to_owned(),
            (true, bounds) => format!(" {bounds} |"),
            (false, _) => String::new(),
        };
        lines.push(format!(
            "| `{}` | {} | {} |{bounds}",
            key.name, key.meaning, key.default
        ));
    }
    lines.join("\n")
}
