//! Paths: what stands in angle brackets after FROM: and TO:. (RFC 5321 §4.1.2)

use facteur_mail::Address;

/// A path as it was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// `<>`.
    Null,
    /// `<postmaster>`, in any case.
    Postmaster,
    /// An address; a source route before it has been dropped.
    Address(Address),
}

/// A path and what follows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split<'a> {
    pub(super) path: Path,
    /// Whether every octet of the path was ASCII, also those of a domain that has been converted.
    pub(super) ascii: bool,
    /// The parameters.
    pub(super) rest: &'a str,
}

/// Reads `FROM:<path> rest` or `TO:<path> rest`; a space after the colon is tolerated. `None` if it is no path.
pub(super) fn split<'a>(prefix: &str, arguments: &'a str) -> Option<Split<'a>> {
    let (given, after) = arguments.split_at_checked(prefix.len())?;
    if !given.eq_ignore_ascii_case(prefix) {
        return None;
    }
    let inside = after.trim_start_matches(' ').strip_prefix('<')?;
    let end = closing_bracket(inside)?;
    let (path, rest) = inside.split_at_checked(end)?;
    let rest = rest.strip_prefix('>')?;
    if !rest.is_empty() && !rest.starts_with(' ') {
        return None;
    }
    Some(Split {
        path: parse(path)?,
        ascii: path.is_ascii(),
        rest,
    })
}

/// Where the `>` that is outside quotes stands.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

fn parse(path: &str) -> Option<Path> {
    if path.is_empty() {
        return Some(Path::Null);
    }
    if path.eq_ignore_ascii_case("postmaster") {
        return Some(Path::Postmaster);
    }
    Address::parse(without_route(path)?).ok().map(Path::Address)
}

/// Drops a source route, `@a,@b:`, as RFC 5321 §4.1.1.3 asks. The hosts it names are not used for anything.
fn without_route(path: &str) -> Option<&str> {
    if !path.starts_with('@') {
        return Some(path);
    }
    let (route, address) = path.split_once(':')?;
    let hosts = route.split(',').all(|host| {
        host.strip_prefix('@')
            .is_some_and(|host| facteur_mail::Host::parse(host).is_ok())
    });
    hosts.then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(arguments: &str) -> String {
        match split("TO:", arguments) {
            None => "no path".to_owned(),
            Some(Split { path, rest, .. }) => {
                let path = match path {
                    Path::Null => "null".to_owned(),
                    Path::Postmaster => "postmaster".to_owned(),
                    Path::Address(address) => address.to_string(),
                };
                format!("{path}|{rest}")
            }
        }
    }

    #[test]
    fn a_path_is_read_in_every_legal_form() {
        for (arguments, expected) in [
            ("TO:<a@b.test>", "a@b.test|"),
            ("to: <a@b.test> SIZE=1", "a@b.test| SIZE=1"),
            ("TO:<>", "null|"),
            ("TO:<PostMaster>", "postmaster|"),
            ("TO:<@x.test,@[192.0.2.1]:a@b.test>", "a@b.test|"),
            (r#"TO:<"a>b"@c.test>"#, r#""a>b"@c.test|"#),
            (r#"TO:<"a\"> b"@c.test> X"#, r#""a\"> b"@c.test| X"#),
            ("TO:<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]|"),
        ] {
            assert_eq!(shown(arguments), expected, "{arguments}");
        }
    }

    #[test]
    fn what_is_no_path_is_not_guessed_at() {
        for arguments in [
            "",
            "TO",
            "TO:",
            "TO:a@b.test",
            "TO:<a@b.test",
            "TO:<a@b.test>X",
            "FROM:<a@b.test>",
            "TO:<a b@c.test>",
            "TO:<@x.test>",
            "TO:<@x y:a@b.test>",
            "TO:<user>",
            r#"TO:<"a@b.test>"#,
            "T\u{e9}:<a@b.test>",
        ] {
            assert_eq!(shown(arguments), "no path", "{arguments}");
        }
    }

    #[test]
    fn a_domain_that_was_converted_still_counts_as_not_ascii() {
        assert!(!split("TO:", "TO:<a@ex\u{e4}mple.test>").unwrap().ascii);
    }
}
