//! One integration-test binary per crate, `tests/it/main.rs`, which names every file beside it.

use crate::tidy::Finding;
use crate::tidy::tree::{Tree, crate_of};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let files = tree.select("crates/", ".rs");
    files.filter_map(|(path, _)| wrong(tree, path)).collect()
}

fn wrong(tree: &Tree, path: &str) -> Option<Finding> {
    let folder = format!("crates/{}/tests/", crate_of(path)?);
    let inside = path.strip_prefix(&folder)?;
    let Some(inside) = inside.strip_prefix("it/") else {
        return (!inside.contains('/')).then(|| Finding {
            path: path.to_owned(),
            line: 1,
            what: "a second test binary".to_owned(),
            hint: "move it to tests/it/ and name it in main.rs: one binary links in half the time",
        });
    };
    let module = match inside.split_once('/') {
        Some((module, _)) => module,
        None => inside.strip_suffix(".rs")?,
    };
    let main = tree.get(&format!("{folder}it/main.rs")).unwrap_or_default();
    let named = main.lines().any(|line| {
        let line = line.trim().trim_start_matches("pub(crate) ");
        line.strip_prefix("mod ")
            .is_some_and(|rest| rest.trim_end_matches(';').trim() == module)
    });
    (module != "main" && !named).then(|| Finding {
        path: path.to_owned(),
        line: 1,
        what: "never compiled".to_owned(),
        hint: "add `mod NAME;` to tests/it/main.rs",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forgotten_file_is_found() {
        let tree = Tree::of(&[
            ("crates/a/tests/it/main.rs", "mod kept;\nmod folder;\n"),
            ("crates/a/tests/it/kept.rs", ""),
            ("crates/a/tests/it/folder/deep.rs", ""),
            ("crates/a/tests/it/forgotten.rs", ""),
        ]);
        let found = check(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found.first().map(|f| f.path.as_str()),
            Some("crates/a/tests/it/forgotten.rs")
        );
    }

    #[test]
    fn a_second_binary_is_found() {
        let found = check(&Tree::of(&[("crates/a/tests/other.rs", "")]));
        assert_eq!(
            found.first().map(|f| f.what.as_str()),
            Some("a second test binary")
        );
    }
}
