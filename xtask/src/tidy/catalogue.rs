//! The catalogue is complete: each row of `entries.tsv` has its text in each language, each text has a row,
//! and each text answers the same questions under the same headings.

use std::collections::BTreeSet;

use crate::tidy::Finding;
use crate::tidy::tree::{Tree, stem};

const FOLDER: &str = "crates/facteur-replies/catalogue/";
const ENTRIES: &str = "crates/facteur-replies/catalogue/entries.tsv";
const HEADER: &str = "key\tretry\tactors\tstages\tspeakers\tcategory\tsee\trfc";
const LANGUAGES: &[&str] = &["en", "fr"];
const ENTRY_HEADINGS: &[&str] = &["meaning", "when", "fix"];
const PAIR_HEADINGS: &[&str] = &["differences", "which", "confusion"];

struct Row<'a> {
    line: usize,
    key: &'a str,
    see: &'a str,
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let table = tree.get(ENTRIES).unwrap_or_default();
    let (rows, mut findings) = rows(table);
    let keys: BTreeSet<&str> = rows.iter().map(|row| row.key).collect();
    for row in &rows {
        findings.extend(unwritten(tree, row));
        findings.extend(strangers(row, &keys));
    }
    for language in LANGUAGES {
        let entries = format!("{FOLDER}{language}/");
        let pairs = format!("{entries}pairs/");
        for (path, text) in tree.select(&entries, ".md") {
            if path.starts_with(&pairs) {
                findings.extend(pair(tree, path, &keys));
                findings.extend(headings(path, text, PAIR_HEADINGS));
            } else {
                if !keys.contains(stem(path)) {
                    findings.push(at(
                        path,
                        1,
                        "has no row".to_owned(),
                        "add it to catalogue/entries.tsv",
                    ));
                }
                findings.extend(headings(path, text, ENTRY_HEADINGS));
            }
        }
    }
    findings
}

fn at(path: &str, line: usize, what: String, hint: &'static str) -> Finding {
    Finding {
        path: path.to_owned(),
        line,
        what,
        hint,
    }
}

fn rows(table: &str) -> (Vec<Row<'_>>, Vec<Finding>) {
    let mut rows = Vec::new();
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    if table.lines().next() != Some(HEADER) {
        findings.push(at(
            ENTRIES,
            1,
            "not the header we know".to_owned(),
            "key, retry, actors, stages, speakers, category, see, rfc",
        ));
    }
    for (line, row) in (1..).zip(table.lines()).skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let [key, retry, actors, stages, speakers, category, see, _rfc] = cells.as_slice() else {
            findings.push(at(
                ENTRIES,
                line,
                format!("{} cells", cells.len()),
                "eight cells, between tabs",
            ));
            continue;
        };
        if [key, retry, actors, stages, speakers, category]
            .iter()
            .any(|cell| cell.is_empty())
        {
            findings.push(at(
                ENTRIES,
                line,
                "an empty cell".to_owned(),
                "only `see` and `rfc` may be empty",
            ));
        }
        if !seen.insert(*key) {
            findings.push(at(
                ENTRIES,
                line,
                format!("{key} twice"),
                "keep one row per key",
            ));
        }
        rows.push(Row { line, key, see });
    }
    (rows, findings)
}

/// Languages that a row has no text in.
fn unwritten(tree: &Tree, row: &Row<'_>) -> Vec<Finding> {
    LANGUAGES
        .iter()
        .map(|language| format!("{FOLDER}{language}/{}.md", row.key))
        .filter(|path| tree.get(path).is_none())
        .map(|path| {
            at(
                ENTRIES,
                row.line,
                format!("{path} is not written"),
                "write it, in every language",
            )
        })
        .collect()
}

/// Look-alikes that are no keys.
fn strangers(row: &Row<'_>, keys: &BTreeSet<&str>) -> Vec<Finding> {
    let seen = row
        .see
        .split(',')
        .map(str::trim)
        .filter(|key| !key.is_empty());
    seen.filter(|key| !keys.contains(key))
        .map(|key| {
            at(
                ENTRIES,
                row.line,
                format!("{} refers to {key}, which has no row", row.key),
                "name a key of this file",
            )
        })
        .collect()
}

/// A pair compares two keys and stands in every language.
fn pair(tree: &Tree, path: &str, keys: &BTreeSet<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = stem(path);
    let known = name
        .split_once("-vs-")
        .is_some_and(|(a, b)| keys.contains(a) && keys.contains(b));
    if !known {
        findings.push(at(
            path,
            1,
            "compares what has no row".to_owned(),
            "KEY-vs-KEY.md, with two keys of entries.tsv",
        ));
    }
    for language in LANGUAGES {
        let twin = format!("{FOLDER}{language}/pairs/{name}.md");
        if tree.get(&twin).is_none() {
            findings.push(at(
                path,
                1,
                format!("{twin} is not written"),
                "write it, in every language",
            ));
        }
    }
    findings
}

/// A title, then exactly these headings in this order, with something under each.
fn headings(path: &str, text: &str, wanted: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !text.lines().next().is_some_and(|line| {
        line.strip_prefix("# ")
            .is_some_and(|title| !title.trim().is_empty())
    }) {
        findings.push(at(
            path,
            1,
            "no title".to_owned(),
            "the first line is `# Title`",
        ));
    }
    let mut sections = text.split("\n## ");
    let found: Vec<&str> = sections
        .by_ref()
        .skip(1)
        .map(|part| part.lines().next().unwrap_or_default())
        .collect();
    if found != wanted {
        let what = format!(
            "headings are {}, not {}",
            found.join(", "),
            wanted.join(", ")
        );
        findings.push(at(
            path,
            1,
            what,
            "the same machine headings in every language, in this order",
        ));
    }
    for part in text.split("\n## ").skip(1) {
        let (heading, body) = part.split_once('\n').unwrap_or((part, ""));
        if body.trim().is_empty() {
            let what = format!("nothing under {heading}");
            findings.push(at(
                path,
                1,
                what,
                "say it, or say why there is nothing to do",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: &str = "crates/facteur-replies/catalogue/en/354.md";
    const FR: &str = "crates/facteur-replies/catalogue/fr/354.md";
    const TEXT: &str = "# Start mail input\n\n## meaning\na\n\n## when\nb\n\n## fix\nc\n";

    fn table(rows: &str) -> String {
        format!("{HEADER}\n{rows}")
    }

    fn findings(rows: &str, files: &[(&str, &str)]) -> Vec<String> {
        let table = table(rows);
        let mut all = vec![(ENTRIES, table.as_str())];
        all.extend(files);
        check(&Tree::of(&all))
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    const ROW: &str = "354\tcontinue\tnobody\tdata\treceiving-server\tok\t\tRFC 5321 §4.2.3\n";

    #[test]
    fn a_complete_catalogue_is_fine() {
        assert!(findings(ROW, &[(EN, TEXT), (FR, TEXT)]).is_empty());
    }

    #[test]
    fn a_language_that_lacks_a_text_is_found() {
        let found = findings(ROW, &[(EN, TEXT)]);
        assert_eq!(found, [format!("{FR} is not written")]);
    }

    #[test]
    fn a_text_without_a_row_is_found() {
        assert_eq!(findings("", &[(EN, TEXT)]), ["has no row"]);
    }

    #[test]
    fn headings_out_of_order_or_empty_are_found() {
        let swapped = "# Title\n\n## when\nb\n\n## meaning\na\n\n## fix\n\n";
        let found = findings(ROW, &[(EN, swapped), (FR, TEXT)]);
        assert_eq!(
            found,
            [
                "headings are when, meaning, fix, not meaning, when, fix",
                "nothing under fix"
            ]
        );
    }

    #[test]
    fn a_missing_title_is_found() {
        let found = findings(
            ROW,
            &[
                (EN, TEXT),
                (FR, &TEXT.replace("# Start mail input", "Start")),
            ],
        );
        assert_eq!(found, ["no title"]);
    }

    #[test]
    fn a_broken_or_doubled_row_is_found() {
        assert_eq!(findings("354\tcontinue\n", &[]), ["2 cells"]);
        let found = findings(&ROW.repeat(2), &[(EN, TEXT), (FR, TEXT)]);
        assert_eq!(found, ["354 twice"]);
    }

    #[test]
    fn a_look_alike_that_is_no_key_is_found() {
        let row = ROW.replace("ok\t\t", "ok\t999\t");
        let found = findings(&row, &[(EN, TEXT), (FR, TEXT)]);
        assert_eq!(found, ["354 refers to 999, which has no row"]);
    }

    #[test]
    fn a_pair_needs_two_keys_and_every_language() {
        let path = "crates/facteur-replies/catalogue/en/pairs/354-vs-999.md";
        let text = "# t\n\n## differences\na\n\n## which\nb\n\n## confusion\nc\n";
        let found = findings(ROW, &[(EN, TEXT), (FR, TEXT), (path, text)]);
        assert_eq!(found.len(), 2);
    }
}
