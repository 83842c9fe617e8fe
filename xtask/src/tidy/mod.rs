//! What the compiler cannot check. One module a check; each is a function from the tree to its findings.
//!
//! Two things are not here, since what reads them refuses them: the build script of `facteur-replies` embeds no
//! incomplete catalogue, and the testkit plays no dialogue file that it cannot read.

mod arrows;
mod bench;
mod callers;
mod citations;
mod clippy_files;
mod emitted;
mod headers;
mod levels;
mod manifest;
mod pure;
mod reply_literals;
mod rust;
mod test_files;
mod tree;

use std::fmt;
use std::path::Path;

use crate::failure::Failure;
use crate::tidy::tree::Tree;

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    what: String,
    hint: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            what,
            hint,
        } = self;
        write!(f, "{path}:{line}: {what}\n  hint: {hint}")
    }
}

type Check = fn(&Tree) -> Vec<Finding>;

const CHECKS: &[(&str, Check)] = &[
    ("dependencies point to lower levels only", arrows::check),
    ("pure crates depend on no I/O", pure::check),
    (
        "L0 to L2 ban the clock, sockets and files",
        clippy_files::check,
    ),
    ("receipts and programs have few callers", callers::check),
    ("replies come from the table", reply_literals::check),
    ("every reply of the table is emitted", emitted::check),
    ("every Rust file says what it is for", headers::check),
    ("every RFC citation names a real section", citations::check),
    ("no test file is forgotten", test_files::check),
    ("the benchmark's pages say what its data say", bench::check),
];

/// Runs every check, prints what to mend, and fails if there is anything.
pub(crate) fn check(root: &Path) -> Result<(), Failure> {
    let tree = Tree::load(root)?;
    let mut findings = 0;
    for (title, check) in CHECKS {
        let mut found = check(&tree);
        found.sort();
        let count = found.len();
        let word = if count == 0 {
            "ok".to_owned()
        } else {
            format!("{count} to mend")
        };
        println!("tidy: {title}: {word}");
        for finding in found {
            println!("{finding}");
        }
        findings += count;
    }
    match findings {
        0 => Ok(()),
        findings => Err(Failure::Untidy { findings }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_place_a_fact_and_a_hint() {
        let finding = Finding {
            path: "a.rs".to_owned(),
            line: 3,
            what: "wrong".to_owned(),
            hint: "right it",
        };
        assert_eq!(finding.to_string(), "a.rs:3: wrong\n  hint: right it");
    }
}
