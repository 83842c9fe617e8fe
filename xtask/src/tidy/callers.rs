//! Calls that only some crates may make: what an invariant hangs on has a short list of callers.

use crate::tidy::Finding;
use crate::tidy::rust::{Source, is_test_path};
use crate::tidy::tree::{Tree, crate_of};

struct Rule {
    call: &'static str,
    /// Crates, or files by their path.
    callers: &'static [&'static str],
    hint: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        call: "Receipt::mint",
        callers: &[
            "facteur-spool",
            "facteur-spool-local",
            "facteur-spool-postgres",
        ],
        hint: "only a spool knows that a message is durable: get the receipt from Draft::commit",
    },
    Rule {
        call: "process::Command",
        callers: &[],
        hint: "Facteur never starts a program: hostile text must find no shell",
    },
    Rule {
        call: "unistd::exec",
        // It shows that the kernel refuses it.
        callers: &["crates/facteur/src/process/trial.rs"],
        hint: "Facteur never starts a program: hostile text must find no shell",
    },
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let shipped = tree
        .select("crates/", ".rs")
        .filter(|(path, _)| !is_test_path(path));
    shipped
        .flat_map(|(path, text)| of_file(path, text))
        .collect()
}

fn of_file(path: &str, text: &str) -> Vec<Finding> {
    let caller = crate_of(path).unwrap_or_default();
    let source = Source::parse(text);
    let may = |rule: &&Rule| rule.callers.contains(&caller) || rule.callers.contains(&path);
    let forbidden = || RULES.iter().filter(move |rule| !may(rule));
    source
        .shipped_lines()
        .flat_map(|(line, code)| {
            forbidden()
                .filter(move |rule| code.contains(rule.call))
                .map(move |rule| Finding {
                    path: path.to_owned(),
                    line,
                    what: format!("{caller} calls {}", rule.call),
                    hint: rule.hint,
                })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let tree = Tree::of(&[(path, text)]);
        check(&tree)
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn only_a_spool_mints_receipts() {
        let text = "fn f() { Receipt::mint(id) }";
        assert!(found("crates/facteur-spool-local/src/store.rs", text).is_empty());
        let found = found("crates/facteur-server/src/intake.rs", text);
        assert_eq!(found, ["facteur-server calls Receipt::mint"]);
    }

    #[test]
    fn nobody_starts_a_program() {
        let text = "use std::process::Command;";
        assert_eq!(
            found("crates/facteur/src/main.rs", text),
            ["facteur calls process::Command"]
        );
    }

    #[test]
    fn only_the_self_test_tries_to() {
        let text = "use nix::unistd::execve;";
        assert!(found("crates/facteur/src/process/trial.rs", text).is_empty());
        assert_eq!(
            found("crates/facteur/src/process/mod.rs", text),
            ["facteur calls unistd::exec"]
        );
    }

    #[test]
    fn comments_and_tests_may_name_them() {
        let text = "// Receipt::mint\n#[cfg(test)]\nmod tests { fn f() { Receipt::mint(id); } }";
        assert!(found("crates/facteur-server/src/intake.rs", text).is_empty());
    }
}
