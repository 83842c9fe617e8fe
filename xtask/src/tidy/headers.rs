//! Each Rust file opens with `//!` and a sentence that says what it is for.

use crate::tidy::Finding;
use crate::tidy::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.select("", ".rs")
        .filter(|(_, text)| {
            let first = text.lines().next().unwrap_or_default();
            first
                .strip_prefix("//!")
                .is_none_or(|said| said.trim().is_empty())
        })
        .map(|(path, _)| Finding {
            path: path.to_owned(),
            line: 1,
            what: "does not say what it is for".to_owned(),
            hint: "open the file with `//! ` and one sentence",
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_first_line_that_says_something_counts() {
        let tree = Tree::of(&[
            ("a.rs", "//! Does a.\n"),
            ("b.rs", "//!\n"),
            ("c.rs", "use x;\n//! late\n"),
            ("d.rs", ""),
        ]);
        let found: Vec<_> = check(&tree)
            .into_iter()
            .map(|finding| finding.path)
            .collect();
        assert_eq!(found, ["b.rs", "c.rs", "d.rs"]);
    }
}
