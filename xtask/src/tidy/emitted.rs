//! Every reply of the table is really given somewhere, or listed as kept for reference.

use std::collections::BTreeSet;

use crate::tidy::Finding;
use crate::tidy::rust::{Source, is_test_path};
use crate::tidy::tree::Tree;

const TABLE: &str = "crates/facteur-replies/src/replies.rs";
const REFERENCE_ONLY: &str = "crates/facteur-replies/catalogue/reference-only.txt";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let rows = rows(tree.get(TABLE).unwrap_or_default());
    let emitted = emitted(tree);
    let reference = tree.get(REFERENCE_ONLY).unwrap_or_default();
    let kept: BTreeSet<&str> = reference.lines().map(str::trim).collect();

    let silent = rows
        .iter()
        .filter(|(_, name)| !emitted.contains(*name) && !kept.contains(name))
        .map(|(line, name)| Finding {
            path: TABLE.to_owned(),
            line: *line,
            what: format!("nobody says `{name}`"),
            hint: "emit Reply::NAME outside facteur-replies, or list it in catalogue/reference-only.txt with why",
        });
    let stale = (1..)
        .zip(reference.lines())
        .map(|(line, name)| (line, name.trim()))
        .filter(|(_, name)| !name.is_empty() && !name.starts_with('#'))
        .filter(|(_, name)| emitted.contains(*name) || !rows.iter().any(|(_, row)| row == name))
        .map(|(line, name)| Finding {
            path: REFERENCE_ONLY.to_owned(),
            line,
            what: format!("`{name}` is emitted, or is no row of the table"),
            hint: "delete this line",
        });
    silent.chain(stale).collect()
}

/// Line and name of each row: `Id name(params) = code detail "text", "rfc";` inside `replies! { … }`.
fn rows(table: &str) -> Vec<(usize, &str)> {
    let lines = (1..).zip(table.lines());
    let body = lines
        .skip_while(|(_, line)| !line.starts_with("replies! {"))
        .skip(1);
    body.take_while(|(_, line)| !line.starts_with('}'))
        .filter_map(|(number, line)| {
            let (id, rest) = line.trim().split_once(' ')?;
            let (name, _) = rest.split_once('(').filter(|_| !id.starts_with('/'))?;
            Some((number, name))
        })
        .collect()
}

/// Every `Reply::NAME` in shipped code, also as `replies::Reply::NAME`.
fn emitted(tree: &Tree) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let ours = tree
        .select("crates/", ".rs")
        .filter(|(path, _)| !path.starts_with("crates/facteur-replies/") && !is_test_path(path));
    for (_, text) in ours {
        for (_, line) in Source::parse(text).shipped_lines() {
            for after in line.split("Reply::").skip(1) {
                names.insert(
                    after
                        .chars()
                        .take_while(|c| *c == '_' || c.is_ascii_alphanumeric())
                        .collect(),
                );
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "macro_rules! replies {}\nreplies! {\n    // --- x\n    /// Says (a) b.\n    \
                        NullMx null_mx(domain) = 556 (1, 10) \"x\", \"RFC 7505 §4.1\";\n}\nfn other() {}\n";

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let mut all = vec![(TABLE, ROWS)];
        all.extend(files);
        check(&Tree::of(&all))
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn rows_are_read_with_their_lines() {
        assert_eq!(rows(ROWS), [(5, "null_mx")]);
    }

    #[test]
    fn a_reply_that_nobody_gives_is_found() {
        assert_eq!(findings(&[]), ["nobody says `null_mx`"]);
    }

    #[test]
    fn a_reply_given_only_by_a_test_or_a_comment_is_found() {
        let text = "// Reply::null_mx\n#[cfg(test)]\nmod tests { fn f() { Reply::null_mx(1); } }";
        assert_eq!(
            findings(&[("crates/facteur-server/src/policy.rs", text)]).len(),
            1
        );
    }

    #[test]
    fn a_reply_that_is_given_is_fine() {
        let file = (
            "crates/facteur-server/src/policy.rs",
            "fn f() { Reply::null_mx(domain) }",
        );
        assert!(findings(&[file]).is_empty());
        let stale = findings(&[file, (REFERENCE_ONLY, "null_mx\n")]);
        assert_eq!(stale, ["`null_mx` is emitted, or is no row of the table"]);
    }

    #[test]
    fn a_reply_kept_for_reference_is_fine_and_an_unknown_one_is_not() {
        assert!(findings(&[(REFERENCE_ONLY, "# why\nnull_mx\n")]).is_empty());
        assert_eq!(findings(&[(REFERENCE_ONLY, "null_mx\ngone\n")]).len(), 1);
    }
}
