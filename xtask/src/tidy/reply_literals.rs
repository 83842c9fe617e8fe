//! No reply is written as a literal: what we say comes from the table in `facteur-replies`.

use crate::tidy::Finding;
use crate::tidy::rust::{Source, is_test_path};
use crate::tidy::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.select("crates/", ".rs")
        .filter(|(path, _)| !path.starts_with("crates/facteur-replies/") && !is_test_path(path))
        .flat_map(|(path, text)| {
            let source = Source::parse(text);
            let replies = source.shipped_literals().filter(|literal| is_reply(&literal.text));
            let findings: Vec<_> = replies
                .map(|literal| Finding {
                    path: path.to_owned(),
                    line: literal.line,
                    what: format!("a reply as a literal: \"{}\"", literal.text),
                    hint: "add a row to crates/facteur-replies/src/replies.rs and use its constructor",
                })
                .collect();
            findings
        })
        .collect()
}

/// `550 5.1.1 …`, `550-5.1.1 …`, `250 ok`.
fn is_reply(text: &str) -> bool {
    let Some((code, rest)) = text.split_at_checked(3) else {
        return false;
    };
    if !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let mut rest = rest.bytes();
    match (rest.next(), rest.next(), rest.next(), rest.next()) {
        (Some(b' ' | b'-'), Some(class), Some(b'.'), Some(subject)) => {
            class.is_ascii_digit() && subject.is_ascii_digit()
        }
        (Some(b' '), Some(first), _, _) => {
            first.is_ascii_alphabetic() && code.starts_with(['2', '3', '4', '5'])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_told_from_other_texts() {
        for reply in [
            "550 5.1.1 no such user",
            "250-2.0.0 x",
            "250 ok",
            "354 go ahead",
            "421 4.3.2",
        ] {
            assert!(is_reply(reply), "{reply}");
        }
        for other in [
            "",
            "25",
            "550",
            "5.1.1",
            "100 messages",
            "1000 x",
            "550 5",
            "250-SIZE",
            "éé0 a",
        ] {
            assert!(!is_reply(other), "{other}");
        }
    }

    #[test]
    fn a_literal_in_shipped_code_is_found_with_its_line() {
        let text = "//! x\nfn f() { g(\"250 ok\") }\n#[cfg(test)]\nmod tests { const A: &str = \"250 ok\"; }";
        let found = check(&Tree::of(&[("crates/facteur-smtp/src/a.rs", text)]));
        assert_eq!(
            found.iter().map(|finding| finding.line).collect::<Vec<_>>(),
            [2]
        );
    }

    #[test]
    fn the_table_and_the_tests_may_write_replies() {
        let text = "const A: &str = \"250 ok\";";
        let tree = Tree::of(&[
            ("crates/facteur-replies/src/replies.rs", text),
            ("crates/facteur-smtp/tests/it/main.rs", text),
            ("crates/facteur-smtp/src/server/tests.rs", text),
            ("crates/facteur-testkit/src/lib.rs", text),
        ]);
        assert!(check(&tree).is_empty());
    }
}
