//! One end of data: whatever stands in a message, only CRLF.CRLF ends it, and nothing in it is run as a command.

use std::io;

use facteur_smtp::server::BareNewlines;

use crate::cli::selftest::house::{Clients, House};
use crate::cli::selftest::report::{Found, Report};
use crate::cli::selftest::scratch::Scratch;
use crate::cli::selftest::talk::Talk;
use crate::config::Config;
use crate::error::CliError;

/// What other servers have taken for the end of a message: its name and its octets, behind a line of text.
const SEQUENCES: &[(&str, &str)] = &[
    ("LF . CRLF", "\n.\r\n"),
    ("CRLF . LF", "\r\n.\n"),
    ("LF . LF", "\n.\n"),
    ("CRLF . CR CRLF", "\r\n.\r\r\n"),
    ("CRLF . CR", "\r\n.\r"),
    ("CR . CRLF", "\r.\r\n"),
    ("CR . CR", "\r.\r"),
    ("CR . LF", "\r.\n"),
    ("LF . CR", "\n.\r"),
    ("LF CRLF . LF", "\n\r\n.\n"),
    ("CRLF SP . CRLF", "\r\n .\r\n"),
    ("CRLF . SP CRLF", "\r\n. \r\n"),
    ("CRLF NUL . CRLF", "\r\n\0.\r\n"),
    ("CRLF . NUL CRLF", "\r\n.\0\r\n"),
];

/// What would be a second message, if the first had ended.
const SECOND: &str = "MAIL FROM:<admin@selftest.invalid>\r\nRCPT TO:<anne@selftest.invalid>\r\n\
    DATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n";

pub(super) fn check(
    config: &Config,
    scratch: &Scratch,
    report: &mut Report<'_>,
) -> Result<(), CliError> {
    let mut kinds = vec![BareNewlines::Refuse];
    if config
        .listen
        .iter()
        .any(|listener| listener.normalise_newlines)
    {
        kinds.push(BareNewlines::Normalise);
    }
    for newlines in kinds {
        let (kind, id) = match newlines {
            BareNewlines::Refuse => ("smuggling", "selftest-smuggling"),
            BareNewlines::Normalise => ("smuggling-normalised", "selftest-smuggling-normalised"),
        };
        let house = House::open(
            kind,
            config,
            Clients::Trusted,
            newlines,
            scratch,
            report.screen(),
        )?;
        for (name, octets) in SEQUENCES {
            let key = format!("{kind}:{name}");
            let found = ends_nothing(&house, octets);
            report.note(&key, id, &[("sequence", (*name).into())], found)?;
        }
        let key = format!("{kind}:first line");
        report.note(&key, "selftest-empty-message", &[], empty_message(&house))?;
    }
    Ok(())
}

/// After 354, everything in one go: there must be one reply to the whole of it, and then one to QUIT.
fn ends_nothing(house: &House, sequence: &str) -> Found {
    let replies = transfer(house, &format!("Subject: x\r\n\r\nfirst{sequence}{SECOND}"));
    match replies {
        Ok(replies) => match replies.as_slice() {
            [data, quit] if data.starts_with(['2', '5']) && quit.starts_with("221 ") => Ok(()),
            other => Err(other.join(" / ")),
        },
        Err(error) => Err(error.to_string()),
    }
}

/// A lone dot behind 354 is the end of a message without a line.
fn empty_message(house: &House) -> Found {
    match transfer(house, ".\r\n") {
        Ok(replies) => match replies.as_slice() {
            [data, quit] if data.starts_with("250 ") && quit.starts_with("221 ") => Ok(()),
            other => Err(other.join(" / ")),
        },
        Err(error) => Err(error.to_string()),
    }
}

/// Sends what follows 354, and QUIT, and returns every reply.
fn transfer(house: &House, content: &str) -> io::Result<Vec<String>> {
    let mut talk = Talk::open(house.address())?;
    talk.expect(&[
        "MAIL FROM:<a@selftest.invalid>",
        "RCPT TO:<anne@selftest.invalid>",
        "DATA",
    ])?;
    talk.send(content.as_bytes())?;
    talk.send(b"QUIT\r\n")?;
    talk.rest()
}
