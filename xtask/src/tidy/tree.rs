//! The repository's text files in memory, so that every check is a pure function and can be tested.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::failure::Failure;

const EXTENSIONS: &[&str] = &["rs", "md", "tsv", "toml", "txt", "svg"];
const SKIPPED: &[&str] = &["target", "facteur-data", "node_modules"];

/// Paths from the root with `/`, and their text.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads every text file below `root`, except what is hidden or built.
    pub(crate) fn load(root: &Path) -> Result<Self, Failure> {
        let mut tree = Self::default();
        tree.read(root, "")?;
        Ok(tree)
    }

    fn read(&mut self, folder: &Path, prefix: &str) -> Result<(), Failure> {
        let failed = |source| Failure::File {
            path: folder.to_owned(),
            source,
        };
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            if name.starts_with('.') || SKIPPED.contains(&name.as_str()) {
                continue;
            }
            if kind.is_dir() {
                self.read(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file()
                && name
                    .rsplit('.')
                    .next()
                    .is_some_and(|e| EXTENSIONS.contains(&e))
            {
                let text = fs::read_to_string(entry.path()).map_err(|source| Failure::File {
                    path: entry.path(),
                    source,
                })?;
                self.files.insert(path, text);
            }
        }
        Ok(())
    }

    /// A tree for a test.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect();
        Self { files }
    }

    /// The text of one file.
    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Files whose path starts and ends so, in order.
    pub(crate) fn select<'a>(
        &'a self,
        prefix: &'a str,
        suffix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .iter()
            .filter(move |(path, _)| path.starts_with(prefix) && path.ends_with(suffix))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

/// The crate a path belongs to: `crates/NAME/…`.
pub(crate) fn crate_of(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_selected_by_both_ends_of_their_path() {
        let tree = Tree::of(&[
            ("crates/a/src/x.rs", ""),
            ("crates/a/x.md", ""),
            ("xtask/src/x.rs", ""),
        ]);
        let found: Vec<_> = tree
            .select("crates/", ".rs")
            .map(|(path, _)| path)
            .collect();
        assert_eq!(found, ["crates/a/src/x.rs"]);
    }

    #[test]
    fn a_path_knows_its_crate() {
        assert_eq!(
            crate_of("crates/facteur-mail/src/lib.rs"),
            Some("facteur-mail")
        );
        assert_eq!(crate_of("xtask/src/main.rs"), None);
    }
}
