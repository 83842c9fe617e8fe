//! The tables and the chart of the benchmark say what its data say: nobody writes a figure by hand.

use crate::bench::{FILE, is_current, pages};
use crate::tidy::Finding;
use crate::tidy::tree::Tree;

const HINT: &str = "cargo xtask bench --render writes it anew";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let data = tree.get(FILE).unwrap_or_default();
    let finding = |path: &str, what: String| Finding {
        path: path.to_owned(),
        line: 1,
        what,
        hint: HINT,
    };
    let mut findings = Vec::new();
    for page in pages() {
        let text = tree.get(page.path).unwrap_or_default();
        match is_current(&page, text, data) {
            Ok(true) => {}
            Ok(false) => findings.push(finding(
                page.path,
                format!("differs from what {FILE} makes"),
            )),
            Err(failure) => return vec![finding(FILE, failure.to_string())],
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str =
        "topic\tcase\tserver\tmeasure\tround\tvalue\nrelay\t10KiB-20\tfacteur\tmessages/s\t1\t3\n";

    #[test]
    fn a_page_that_was_changed_by_hand_is_found() {
        let data = crate::bench::parsed(DATA);
        let written: Vec<(&str, String)> = pages()
            .iter()
            .map(|page| {
                let markers = "<!-- bench -->\n<!-- /bench -->\n";
                (page.path, page.written(markers, &data).unwrap())
            })
            .collect();
        let mut files: Vec<(&str, &str)> = vec![(FILE, DATA)];
        files.extend(written.iter().map(|(path, text)| (*path, text.as_str())));
        assert!(check(&Tree::of(&files)).is_empty());
        let forged = written[1]
            .1
            .replace("<!-- bench -->", "<!-- bench -->\n9.9 ×");
        files[2].1 = &forged;
        let found = check(&Tree::of(&files));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "README.md");
    }

    #[test]
    fn broken_data_are_found() {
        let found = check(&Tree::of(&[(FILE, "head\nnonsense\n")]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, FILE);
    }
}
