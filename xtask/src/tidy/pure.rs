//! The pure crates depend on nothing that waits, connects or touches a disk.

use crate::tidy::Finding;
use crate::tidy::levels::PURE;
use crate::tidy::manifest::{Kind, dependencies};
use crate::tidy::tree::Tree;

/// Runtimes, sockets, resolvers, system calls, randomness.
const IO: &[&str] = &[
    "async-std",
    "getrandom",
    "hickory-resolver",
    "hickory-server",
    "hyper",
    "mio",
    "rand",
    "reqwest",
    "rustix",
    "smol",
    "socket2",
    "tokio",
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in PURE {
        let path = format!("crates/{name}/Cargo.toml");
        let text = tree.get(&path).unwrap_or_default();
        for dependency in dependencies(text) {
            if dependency.kind == Kind::Normal && IO.contains(&dependency.name) {
                findings.push(Finding {
                    path: path.clone(),
                    line: dependency.line,
                    what: format!("{name} is pure and depends on {}", dependency.name),
                    hint: "take time, bytes and answers as parameters; the driver on level 3 does the I/O",
                });
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, manifest: &str) -> usize {
        check(&Tree::of(&[(path, manifest)])).len()
    }

    #[test]
    fn a_runtime_in_a_pure_crate_is_found() {
        let manifest = "[dependencies]\ntokio.workspace = true\n";
        assert_eq!(count("crates/facteur-smtp/Cargo.toml", manifest), 1);
        assert_eq!(count("crates/facteur-server/Cargo.toml", manifest), 0);
    }

    #[test]
    fn its_tests_may_use_one() {
        let manifest = "[dev-dependencies]\ntokio.workspace = true\n";
        assert_eq!(count("crates/facteur-smtp/Cargo.toml", manifest), 0);
    }
}
