//! A crate depends on lower levels only, siblings never import each other, and what is for tests nobody ships.

use crate::tidy::Finding;
use crate::tidy::levels::{FORBIDDEN, is_test_only, level};
use crate::tidy::manifest::{Dependency, Kind, dependencies};
use crate::tidy::tree::{Tree, crate_of};

const HINT: &str =
    "move what both need to a lower level, or pass it in as a trait (ARCHITECTURE.md, The map)";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.select("crates/", "/Cargo.toml") {
        let Some(name) = crate_of(path) else { continue };
        if level(name).is_none() {
            findings.push(Finding {
                path: path.to_owned(),
                line: 1,
                what: format!("{name} has no level"),
                hint: "add it to xtask/src/tidy/levels.rs and to the map",
            });
        }
        findings.extend(
            dependencies(text)
                .iter()
                .filter(|dependency| is_ours(dependency.name))
                .filter_map(|dependency| {
                    Some(Finding {
                        path: path.to_owned(),
                        line: dependency.line,
                        what: wrong(name, dependency)?,
                        hint: HINT,
                    })
                }),
        );
    }
    findings
}

fn is_ours(name: &str) -> bool {
    name == "xtask" || name == "facteur" || name.starts_with("facteur-")
}

/// What is wrong with an arrow between two crates of ours, if anything.
fn wrong(from: &str, to: &Dependency<'_>) -> Option<String> {
    let name = to.name;
    if is_test_only(name) {
        return (to.kind == Kind::Normal && !is_test_only(from))
            .then(|| format!("{from} ships {name}, which is for tests only"));
    }
    if FORBIDDEN.contains(&(from, name)) {
        return Some(format!("{from} must not know {name}"));
    }
    match (level(from)?, level(name)) {
        (_, None) => Some(format!("{from} depends on {name}, which has no level")),
        (above, Some(below)) if below < above => None,
        (above, Some(below)) => Some(format!("{from} (L{above}) depends on {name} (L{below})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(name: &str, manifest: &str) -> Vec<String> {
        let path = format!("crates/{name}/Cargo.toml");
        let tree = Tree::of(&[(&path, manifest)]);
        check(&tree)
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn what_is_for_tests_may_use_what_is_for_tests() {
        let manifest = "[dependencies]\nfacteur-testkit.workspace = true\n";
        assert_eq!(findings("facteur-simulation", manifest), [""; 0]);
        assert_eq!(findings("facteur-server", manifest).len(), 1);
    }

    #[test]
    fn an_arrow_down_is_fine() {
        assert!(
            findings(
                "facteur-smtp",
                "[dependencies]\nfacteur-mail.workspace = true\n"
            )
            .is_empty()
        );
    }

    #[test]
    fn an_arrow_up_is_found() {
        let found = findings(
            "facteur-mail",
            "[dependencies]\nfacteur-smtp.workspace = true\n",
        );
        assert_eq!(found, ["facteur-mail (L1) depends on facteur-smtp (L2)"]);
    }

    #[test]
    fn siblings_are_found_also_in_tests() {
        let found = findings(
            "facteur-smtp",
            "[dev-dependencies]\nfacteur-route.workspace = true\n",
        );
        assert_eq!(found, ["facteur-smtp (L2) depends on facteur-route (L2)"]);
    }

    #[test]
    fn a_spool_may_know_the_trait_and_not_the_other_spool() {
        let manifest = "[dependencies]\nfacteur-spool.workspace = true\n";
        assert!(findings("facteur-spool-local", manifest).is_empty());
        let manifest = "[dependencies]\nfacteur-spool-postgres.workspace = true\n";
        assert_eq!(findings("facteur-spool-local", manifest).len(), 1);
    }

    #[test]
    fn what_is_for_tests_is_a_dev_dependency_only() {
        let manifest = "[dev-dependencies]\nfacteur-testkit.workspace = true\n";
        assert!(findings("facteur-smtp", manifest).is_empty());
        for name in ["facteur-testkit", "facteur-faultdisk"] {
            let manifest = format!("[dependencies]\n{name}.workspace = true\n");
            assert_eq!(findings("facteur", &manifest).len(), 1);
        }
    }

    #[test]
    fn the_console_never_touches_the_spool() {
        let found = findings(
            "facteur-console",
            "[dependencies]\nfacteur-spool.workspace = true\n",
        );
        assert_eq!(found, ["facteur-console must not know facteur-spool"]);
    }

    #[test]
    fn a_crate_without_a_level_is_found() {
        assert_eq!(
            findings("facteur-common", ""),
            ["facteur-common has no level"]
        );
    }
}
