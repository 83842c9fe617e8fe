//! Addresses of the command line and of header fields. (RFC 5322 §3.4)

use facteur_mail::{Address, Domain, Host, LocalPart, ReversePath};
use facteur_replies::{Language, text};

use super::letter::Field;
use super::{Exit, Failure, quoted};

/// The most recipients that one message may name.
const MAX_RECIPIENTS: usize = 10_000;

/// The addresses of words of the command line; each may be a list.
pub(super) fn parsed(
    words: &[String],
    origin: &Domain,
    language: Language,
) -> Result<Vec<Address>, Failure> {
    let mut addresses = Vec::new();
    for word in words {
        add(word, origin, language, &mut addresses)?;
    }
    Ok(addresses)
}

/// The addresses that the header section names: those of a message sent again come in place of the others.
/// (RFC 5322 §3.6.6)
pub(super) fn of_header(
    fields: &[Field],
    origin: &Domain,
    language: Language,
) -> Result<Vec<Address>, Failure> {
    let again = ["Resent-To", "Resent-Cc", "Resent-Bcc"];
    let first = ["To", "Cc", "Bcc"];
    let is_sent_again = fields
        .iter()
        .any(|field| again.iter().any(|name| field.is(name)));
    let names = if is_sent_again { again } else { first };
    let mut addresses = Vec::new();
    for field in fields {
        if names.iter().any(|name| field.is(name)) {
            add(&field.value(), origin, language, &mut addresses)?;
        }
    }
    Ok(addresses)
}

/// The envelope's sender.
pub(super) fn sender(
    from: Option<&str>,
    user: &str,
    origin: &Domain,
    language: Language,
) -> Result<ReversePath, Failure> {
    let from = from.unwrap_or(user);
    if matches!(from.trim(), "" | "<>") {
        return Ok(ReversePath::Null);
    }
    let mut found = Vec::new();
    add(from, origin, language, &mut found)?;
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(address), None) => Ok(ReversePath::Address(address)),
        _ => Err(not_an_address(from, language)),
    }
}

fn add(
    list: &str,
    origin: &Domain,
    language: Language,
    addresses: &mut Vec<Address>,
) -> Result<(), Failure> {
    for text in split(list) {
        let address = Address::parse(&text).ok().or_else(|| {
            let local = (!text.contains('@')).then(|| LocalPart::new(&text).ok())??;
            Some(Address::new(local, Host::Domain(origin.clone())))
        });
        addresses.push(address.ok_or_else(|| not_an_address(&text, language))?);
        if addresses.len() > MAX_RECIPIENTS {
            let limit = u64::try_from(MAX_RECIPIENTS).unwrap_or(u64::MAX);
            let words = self::text(language, "sendmail-too-many", &[("limit", limit.into())]);
            return Err(Failure::new(Exit::Data, words));
        }
    }
    Ok(())
}

fn not_an_address(address: &str, language: Language) -> Failure {
    let address = quoted(address);
    let args = [("address", (&address).into())];
    Failure::new(Exit::Data, text(language, "send-bad-address", &args))
}

/// The addresses of a list, bare: names, comments and the names of groups are left out.
fn split(list: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut plain = String::new();
    let mut in_angles: Option<String> = None;
    let mut chars = list.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => in_angles
                .as_mut()
                .unwrap_or(&mut plain)
                .push_str(&quoted_string(&mut chars)),
            '(' => skip_comment(&mut chars),
            '<' => in_angles = Some(String::new()),
            '>' => {
                found.extend(in_angles.take());
                plain.clear();
                // Nothing but a separator follows; a name that does is none.
                for c in chars.by_ref() {
                    if matches!(c, ',' | ';') {
                        break;
                    }
                }
            }
            ':' if in_angles.is_none() => plain.clear(),
            ',' | ';' if in_angles.is_none() => found.push(std::mem::take(&mut plain)),
            _ => in_angles.as_mut().unwrap_or(&mut plain).push(c),
        }
    }
    found.extend(in_angles);
    found.push(plain);
    let trimmed = found.into_iter().map(|address| address.trim().to_owned());
    trimmed.filter(|address| !address.is_empty()).collect()
}

/// A quoted string with its quotes, to its end.
fn quoted_string(chars: &mut impl Iterator<Item = char>) -> String {
    let mut string = String::from('"');
    while let Some(c) = chars.next() {
        string.push(c);
        match c {
            '\\' => string.extend(chars.next()),
            '"' => break,
            _ => {}
        }
    }
    string
}

/// A comment may hold others.
fn skip_comment(chars: &mut impl Iterator<Item = char>) {
    let mut depth = 1_u32;
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '(' => depth = depth.saturating_add(1),
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_gives_its_addresses_whatever_stands_around_them() {
        let list = "anne, \"Doe, John\" <john@a.test>, eve@b.test (Eve (not Adam)), \
                    friends: x@c.test, <y@c.test>;, \"a, b\"@d.test, ";
        let expected = [
            "anne",
            "john@a.test",
            "eve@b.test",
            "x@c.test",
            "y@c.test",
            "\"a, b\"@d.test",
        ];
        assert_eq!(split(list), expected);
        assert_eq!(split(""), Vec::<String>::new());
        assert_eq!(split("undisclosed-recipients:;"), Vec::<String>::new());
    }

    #[test]
    fn a_name_alone_is_of_this_server() {
        let origin = Domain::parse("here.test").unwrap();
        let words = ["root".to_owned(), "bob@there.test".to_owned()];
        let found = parsed(&words, &origin, Language::English).unwrap();
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["root@here.test", "bob@there.test"]);
        let wrong = parsed(&["a@@b".to_owned()], &origin, Language::English).unwrap_err();
        assert_eq!(wrong.exit, Exit::Data);
        let null = sender(Some("<>"), "anne", &origin, Language::English).unwrap();
        assert_eq!(null, ReversePath::Null);
    }
}
