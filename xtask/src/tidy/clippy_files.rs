//! The crates of L0 to L2 have a `clippy.toml` of their own that bans the clock, sockets and files. Clippy reads one
//! file and merges none, so each must repeat the lines of the root's: compared here.

use crate::tidy::Finding;
use crate::tidy::levels::BANNING;
use crate::tidy::tree::Tree;

const BANNED: &[&str] = &[
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "std::thread::sleep",
    "std::thread::spawn",
    "std::env::var",
    "std::process::Command",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
    "std::fs::File",
    "std::fs::read",
    "std::fs::read_to_string",
    "std::fs::write",
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let shared = tree.get("clippy.toml").unwrap_or_default();
    BANNING
        .iter()
        .filter(|name| tree.get(&format!("crates/{name}/Cargo.toml")).is_some())
        .flat_map(|name| of_crate(tree, name, shared))
        .collect()
}

fn of_crate(tree: &Tree, name: &str, shared: &str) -> Vec<Finding> {
    let path = format!("crates/{name}/clippy.toml");
    let finding = |what: String, hint| Finding {
        path: path.clone(),
        line: 1,
        what,
        hint,
    };
    let Some(own) = tree.get(&path) else {
        return vec![finding(
            "missing".to_owned(),
            "copy the clippy.toml of another pure crate",
        )];
    };
    let lines: Vec<&str> = own.lines().map(str::trim).collect();
    let unshared = shared
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !lines.contains(line))
        .map(|line| {
            finding(
                format!("lacks `{line}`"),
                "repeat every line of the root's clippy.toml",
            )
        });
    let unbanned = BANNED
        .iter()
        .filter(|ban| !own.contains(&format!("\"{ban}\"")))
        .map(|ban| {
            finding(
                format!("does not ban {ban}"),
                "add it to disallowed-methods or disallowed-types",
            )
        });
    unshared.chain(unbanned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: (&str, &str) = ("crates/facteur-mail/Cargo.toml", "");

    fn findings(own: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("clippy.toml", "too-many-lines-threshold = 80\n"),
            MANIFEST,
            ("crates/facteur-mail/clippy.toml", own),
        ]);
        check(&tree)
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    fn all_bans() -> String {
        BANNED.iter().map(|ban| format!("\"{ban}\",\n")).collect()
    }

    #[test]
    fn a_complete_file_is_fine() {
        assert!(findings(&format!("too-many-lines-threshold = 80\n{}", all_bans())).is_empty());
    }

    #[test]
    fn a_line_that_drifted_from_the_root_is_found() {
        let found = findings(&format!("too-many-lines-threshold = 90\n{}", all_bans()));
        assert_eq!(found, ["lacks `too-many-lines-threshold = 80`"]);
    }

    #[test]
    fn a_ban_that_is_missing_is_found() {
        let bans = all_bans().replace("\"std::fs::File\",", "");
        let found = findings(&format!("too-many-lines-threshold = 80\n{bans}"));
        assert_eq!(found, ["does not ban std::fs::File"]);
    }

    #[test]
    fn a_missing_file_is_found() {
        let found = check(&Tree::of(&[MANIFEST]));
        assert_eq!(found.len(), 1);
    }
}
