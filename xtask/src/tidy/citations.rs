//! Every `RFC NNNN §x.y` names a section that exists: `docs/rfcs.tsv` lists them with their titles.

use std::collections::BTreeSet;

use crate::tidy::Finding;
use crate::tidy::tree::Tree;

const LIST: &str = "docs/rfcs.tsv";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let list = tree.get(LIST).unwrap_or_default();
    let mut findings = malformed(list);
    let known: BTreeSet<(&str, &str)> = rows(list)
        .map(|(_, rfc, section, _)| (rfc, section))
        .collect();
    for suffix in [".rs", ".md", ".tsv"] {
        for (path, text) in tree.select("", suffix) {
            // This check's own examples are no citations.
            if path == LIST || path.starts_with("xtask/src/tidy/") {
                continue;
            }
            for (line, citation) in citations(text) {
                if !known.contains(&(citation.rfc, citation.section)) {
                    findings.push(Finding {
                        path: path.to_owned(),
                        line,
                        what: format!(
                            "RFC {} has no section {} that we know",
                            citation.rfc, citation.section
                        ),
                        hint: "look it up; if it is right, add it with its title to docs/rfcs.tsv",
                    });
                }
            }
        }
    }
    findings
}

/// Line, RFC, section, title.
fn rows(list: &str) -> impl Iterator<Item = (usize, &str, &str, &str)> {
    (1..).zip(list.lines()).skip(1).filter_map(|(line, row)| {
        let mut cells = row.split('\t');
        match (cells.next(), cells.next(), cells.next(), cells.next()) {
            (Some(rfc), Some(section), Some(title), None) => Some((line, rfc, section, title)),
            _ => None,
        }
    })
}

fn malformed(list: &str) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let good: BTreeSet<usize> = rows(list)
        .filter(|(_, rfc, section, title)| {
            rfc.parse::<u16>().is_ok() && !title.trim().is_empty() && seen.insert((*rfc, *section))
        })
        .map(|(line, ..)| line)
        .collect();
    let rows = 2..=list.lines().count();
    rows.filter(|line| !good.contains(line))
        .map(|line| Finding {
            path: LIST.to_owned(),
            line,
            what: "not a row, or twice".to_owned(),
            hint: "number, tab, section, tab, title; each section once",
        })
        .collect()
}

#[derive(Debug, PartialEq, Eq)]
struct Citation<'a> {
    rfc: &'a str,
    section: &'a str,
}

/// Every `RFC 5321 §4.2`, also the second one of `RFC 5321 §4.2, §4.3` and `§4.2 and §4.3`.
fn citations(text: &str) -> Vec<(usize, Citation<'_>)> {
    let mut found = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        for after in content.split("RFC ").skip(1) {
            let rfc = leading(after, |c| c.is_ascii_digit());
            let mut rest = after.get(rfc.len()..).unwrap_or_default();
            while let Some(section) = next_section(rest) {
                found.push((line, Citation { rfc, section }));
                let end = rest
                    .find('§')
                    .map_or(rest.len(), |at| at + '§'.len_utf8() + section.len());
                rest = rest
                    .get(end..)
                    .unwrap_or_default()
                    .trim_start_matches(['.', ' ']);
            }
        }
    }
    found.retain(|(_, citation)| !citation.rfc.is_empty());
    found
}

/// The section after the first `§` if only a separator stands before it.
fn next_section(text: &str) -> Option<&str> {
    let (before, after) = text.split_once('§')?;
    if !matches!(before.trim(), "" | "," | ";" | "and" | "et" | "&") {
        return None;
    }
    let section = leading(after, |c| c == '.' || c.is_ascii_alphanumeric()).trim_end_matches('.');
    (!section.is_empty()).then_some(section)
}

fn leading(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections(text: &str) -> Vec<(&str, &str)> {
        citations(text)
            .into_iter()
            .map(|(_, c)| (c.rfc, c.section))
            .collect()
    }

    #[test]
    fn citations_are_found_alone_and_in_rows() {
        assert_eq!(
            sections("see RFC 5321 §4.5.3.2.7."),
            [("5321", "4.5.3.2.7")]
        );
        assert_eq!(
            sections("RFC 7505 §4.1; RFC 7504 §4"),
            [("7505", "4.1"), ("7504", "4")]
        );
        assert_eq!(
            sections("(RFC 5321 §3.3, §4.1.4 and §4.2)"),
            [("5321", "3.3"), ("5321", "4.1.4"), ("5321", "4.2")]
        );
        assert_eq!(sections("RFC 5321 §D.1"), [("5321", "D.1")]);
        assert_eq!(sections("RFC 5321 has none, unlike DESIGN §4"), []);
    }

    #[test]
    fn a_section_that_is_not_listed_is_found() {
        let tree = Tree::of(&[
            (LIST, "rfc\tsection\ttitle\n5321\t4.2\tSMTP Replies\n"),
            ("a.rs", "//! RFC 5321 §4.2\n// RFC 5321 §44.2\n"),
        ]);
        let found = check(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(found.first().map(|finding| finding.line), Some(2));
    }

    #[test]
    fn a_row_that_is_broken_or_doubled_is_found() {
        let list = "rfc\tsection\ttitle\n5321\t4.2\tSMTP Replies\n5321 4.3\tx\n5321\t4.2\tSMTP Replies\n5321\t5\t\n";
        let lines: Vec<_> = check(&Tree::of(&[(LIST, list)]))
            .iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(lines, [3, 4, 5]);
    }
}
