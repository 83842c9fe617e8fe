//! Dialogue files are for anyone who knows SMTP: `C:` is the client, `S:` the server, `#` a remark.

use crate::tidy::Finding;
use crate::tidy::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.select("crates/", ".smtp")
        .flat_map(|(path, text)| of_file(path, text))
        .collect()
}

fn of_file(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |line, what: &str, hint| {
        findings.push(Finding {
            path: path.to_owned(),
            line,
            what: what.to_owned(),
            hint,
        });
    };
    let mut speakers = (false, false);
    for (line, content) in (1..).zip(text.lines()) {
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        match spoken(content) {
            Some(('C', _)) => speakers.0 = true,
            Some((_, reply)) => {
                speakers.1 = true;
                if !is_reply_line(reply) {
                    add(
                        line,
                        "no reply of a server",
                        "`S: ` and three digits, then a space or a hyphen",
                    );
                }
            }
            None => add(line, "neither `C: `, `S: ` nor `# `", "say who speaks"),
        }
    }
    if speakers != (true, true) {
        add(1, "not a dialogue", "both sides must speak");
    }
    findings
}

/// Who speaks, and what: `C: DATA`; a bare `C:` is an empty line.
fn spoken(line: &str) -> Option<(char, &str)> {
    let speaker = line.chars().next().filter(|c| matches!(c, 'C' | 'S'))?;
    let said = line.get(1..)?.strip_prefix(':')?;
    if said.is_empty() {
        return Some((speaker, said));
    }
    said.strip_prefix(' ').map(|said| (speaker, said))
}

fn is_reply_line(text: &str) -> bool {
    let (code, rest) = text.split_at_checked(3).unwrap_or((text, ""));
    code.len() == 3
        && code.bytes().all(|byte| byte.is_ascii_digit())
        && (rest.is_empty() || rest.starts_with([' ', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<usize> {
        let found = check(&Tree::of(&[(
            "crates/facteur-smtp/tests/dialogues/x.smtp",
            text,
        )]));
        found.into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_dialogue_is_fine() {
        assert!(
            findings("# why\n\nS: 220 x\nC: EHLO y\nS: 250-x\nS: 250 SIZE\nC:\nC: .\nS: 354\n")
                .is_empty()
        );
    }

    #[test]
    fn a_line_that_nobody_speaks_is_found() {
        assert_eq!(findings("S: 220 x\nC: QUIT\nD: x\n"), [3]);
        assert_eq!(findings("S: 220 x\nC:QUIT\nC: x\n"), [2]);
    }

    #[test]
    fn a_server_that_says_no_code_is_found() {
        assert_eq!(findings("S: ready\nC: QUIT\nS: 22 x\nS: 2200\n"), [1, 3, 4]);
    }

    #[test]
    fn a_monologue_is_found() {
        assert_eq!(findings("S: 220 x\n"), [1]);
        assert_eq!(findings(""), [1]);
    }
}
