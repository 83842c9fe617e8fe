//! Command lines as a client writes them. (RFC 5321 §4.1.1)

use facteur_mail::{Address, BodyType, EnvId, Notify, Orcpt, Ret, ReversePath};
use facteur_replies::Reply;

use super::params;
use super::path::{self, Path};
use crate::limits::MAX_HELLO;

/// A command. Where arguments can be wrong, the reply that says so stands in their place: the session may have
/// another one to give first, as for a command out of order.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// HELO, EHLO or LHLO, and the name that the client gives itself.
    Hello(Greeting, Result<Box<str>, Reply>),
    /// MAIL.
    Mail(Result<MailFrom, Reply>),
    /// RCPT.
    Rcpt(Result<RcptTo, Reply>),
    /// DATA.
    Data(Result<(), Reply>),
    /// BDAT. (RFC 3030 §2)
    Bdat(Result<Chunk, Reply>),
    /// RSET.
    Rset(Result<(), Reply>),
    /// NOOP.
    Noop,
    /// VRFY.
    Vrfy(Result<(), Reply>),
    /// HELP.
    Help,
    /// QUIT.
    Quit(Result<(), Reply>),
    /// A command of SMTP that we know and do not offer.
    NotOffered(&'static str),
    /// A request of HTTP: a web page makes a browser speak to us.
    Http,
    /// No command.
    Unknown,
    /// A line with octets that no command may hold.
    BadCharacter,
}

/// Which greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greeting {
    /// HELO.
    Helo,
    /// EHLO.
    Ehlo,
    /// LHLO. (RFC 2033 §4.1)
    Lhlo,
}

/// What MAIL says.
#[derive(Debug, PartialEq, Eq)]
pub struct MailFrom {
    /// The reverse-path.
    pub sender: ReversePath,
    /// SIZE. (RFC 1870 §6)
    pub size: Option<u64>,
    /// BODY. (RFC 6152 §2)
    pub body: BodyType,
    /// SMTPUTF8. (RFC 6531 §3.4)
    pub smtputf8: bool,
    /// RET. (RFC 3461 §4.3)
    pub ret: Option<Ret>,
    /// ENVID. (RFC 3461 §4.4)
    pub envid: Option<EnvId>,
    /// Whether the path was written in ASCII.
    pub ascii: bool,
}

/// What RCPT says.
#[derive(Debug, PartialEq, Eq)]
pub struct RcptTo {
    /// The forward-path.
    pub to: Forward,
    /// NOTIFY. (RFC 3461 §4.1)
    pub notify: Notify,
    /// ORCPT. (RFC 3461 §4.2)
    pub orcpt: Option<Orcpt>,
    /// Whether the path and ORCPT were written in ASCII.
    pub ascii: bool,
}

/// A forward-path.
#[derive(Debug, PartialEq, Eq)]
pub enum Forward {
    /// `<postmaster>`, which every server has. (RFC 5321 §4.5.1)
    Postmaster,
    /// An address.
    Address(Address),
}

/// What BDAT says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// How many octets follow.
    pub octets: u64,
    /// Whether they end the message.
    pub last: bool,
}

impl Command {
    /// Reads a command line, without its CRLF.
    #[must_use]
    pub fn parse(line: &[u8]) -> Self {
        let Some(line) = readable(line) else {
            return Self::BadCharacter;
        };
        let (verb, arguments) = line.split_once(' ').unwrap_or((line, ""));
        let bare = |usage: &str| {
            if arguments.trim_matches(' ').is_empty() {
                Ok(())
            } else {
                Err(Reply::bad_arguments(usage))
            }
        };
        match verb.to_ascii_uppercase().as_str() {
            "HELO" => Self::Hello(Greeting::Helo, hello(arguments, "HELO hostname")),
            "EHLO" => Self::Hello(Greeting::Ehlo, hello(arguments, "EHLO hostname")),
            "LHLO" => Self::Hello(Greeting::Lhlo, hello(arguments, "LHLO hostname")),
            "MAIL" => Self::Mail(mail(arguments)),
            "RCPT" => Self::Rcpt(rcpt(arguments)),
            "DATA" => Self::Data(bare("DATA")),
            "BDAT" => Self::Bdat(bdat(arguments)),
            "RSET" => Self::Rset(bare("RSET")),
            "NOOP" => Self::Noop,
            "VRFY" if arguments.is_empty() => Self::Vrfy(Err(Reply::bad_arguments("VRFY user"))),
            "VRFY" => Self::Vrfy(Ok(())),
            "HELP" => Self::Help,
            "QUIT" => Self::Quit(bare("QUIT")),
            verb if HTTP_METHODS.contains(&verb) => Self::Http,
            verb => NOT_OFFERED
                .iter()
                .find(|known| **known == verb)
                .map_or(Self::Unknown, |known| Self::NotOffered(known)),
        }
    }
}

/// Commands of RFC 5321, RFC 821, RFC 1985, RFC 2645, RFC 3207, RFC 4468 and RFC 4954 that are answered with 502.
const NOT_OFFERED: &[&str] = &[
    "ATRN", "AUTH", "BURL", "ETRN", "EXPN", "SAML", "SEND", "SOML", "STARTTLS", "TURN",
];

/// The methods of HTTP. What follows such a line is a stranger's, with the rights of the browser's machine: no command in it
/// is read. (RFC 9110 §9.1)
const HTTP_METHODS: &[&str] = &[
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];

/// A line as text: UTF-8 without control characters; spaces at its end do not count.
fn readable(line: &[u8]) -> Option<&str> {
    if line.iter().any(u8::is_ascii_control) {
        return None;
    }
    let line = std::str::from_utf8(line).ok()?;
    Some(line.trim_end_matches(' '))
}

/// The client's name for itself. Anything printable goes: it is proof of nothing, and clients that misname
/// themselves are many. (RFC 5321 §4.1.4)
fn hello(arguments: &str, usage: &str) -> Result<Box<str>, Reply> {
    let name = arguments.trim_start_matches(' ');
    let legal = name.bytes().all(|b| matches!(b, b'!'..=b'~'));
    if name.is_empty() || name.len() > MAX_HELLO || !legal {
        return Err(Reply::bad_arguments(usage));
    }
    Ok(name.into())
}

fn mail(arguments: &str) -> Result<MailFrom, Reply> {
    let split = path::split("FROM:", arguments).ok_or_else(Reply::bad_sender_syntax)?;
    let sender = match split.path {
        Path::Null => ReversePath::Null,
        Path::Address(address) => ReversePath::Address(address),
        Path::Postmaster => return Err(Reply::bad_sender_syntax()),
    };
    let all = params::mail(split.rest)?;
    Ok(MailFrom {
        sender,
        size: all.size,
        body: all.body,
        smtputf8: all.smtputf8,
        ret: all.ret,
        envid: all.envid,
        ascii: split.ascii,
    })
}

fn rcpt(arguments: &str) -> Result<RcptTo, Reply> {
    let split = path::split("TO:", arguments).ok_or_else(Reply::bad_recipient_syntax)?;
    let to = match split.path {
        Path::Null => return Err(Reply::bad_recipient_syntax()),
        Path::Postmaster => Forward::Postmaster,
        Path::Address(address) => Forward::Address(address),
    };
    let all = params::rcpt(split.rest)?;
    Ok(RcptTo {
        to,
        notify: all.notify,
        orcpt: all.orcpt,
        ascii: split.ascii && all.ascii,
    })
}

fn bdat(arguments: &str) -> Result<Chunk, Reply> {
    let mut words = arguments.split(' ').filter(|word| !word.is_empty());
    let octets = words
        .next()
        .filter(|word| word.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|word| word.parse().ok());
    let last = match words.next() {
        None => Some(false),
        Some(word) => word.eq_ignore_ascii_case("LAST").then_some(true),
    };
    match (octets, last, words.next()) {
        (Some(octets), Some(last), None) => Ok(Chunk { octets, last }),
        _ => Err(Reply::bad_arguments("BDAT octets or BDAT octets LAST")),
    }
}

#[cfg(test)]
mod tests {
    use facteur_replies::ReplyId;

    use super::*;

    #[test]
    fn a_verb_is_known_in_any_case() {
        assert_eq!(Command::parse(b"nOOp"), Command::Noop);
        assert_eq!(Command::parse(b"noop whatever"), Command::Noop);
        assert_eq!(Command::parse(b"data "), Command::Data(Ok(())));
        assert_eq!(Command::parse(b"starttls"), Command::NotOffered("STARTTLS"));
        assert_eq!(Command::parse(b"XYZZY"), Command::Unknown);
        assert_eq!(Command::parse(b""), Command::Unknown);
    }

    #[test]
    fn a_line_with_characters_that_smtp_does_not_have_is_no_command() {
        for line in [
            &b"NOOP\0"[..],
            b"NO\rOP",
            b"NOOP \x1b[2J",
            b"NOOP \xff",
            b"\x7f",
        ] {
            assert_eq!(Command::parse(line), Command::BadCharacter, "{line:?}");
        }
    }

    #[test]
    fn wrong_arguments_carry_the_reply_to_them() {
        let id = |line: &[u8]| {
            let command = Command::parse(line);
            let (Command::Hello(_, Err(reply))
            | Command::Mail(Err(reply))
            | Command::Rcpt(Err(reply))
            | Command::Bdat(Err(reply))
            | Command::Data(Err(reply))
            | Command::Rset(Err(reply))
            | Command::Vrfy(Err(reply))
            | Command::Quit(Err(reply))) = command
            else {
                panic!("{command:?}");
            };
            reply.id()
        };
        for line in [
            &b"EHLO"[..],
            b"HELO two words",
            "LHLO é".as_bytes(),
            b"DATA now",
            b"RSET x",
            b"QUIT x",
            b"VRFY",
            b"BDAT",
            b"BDAT x",
            b"BDAT -1",
            b"BDAT 1 2",
            b"BDAT 1 LAST x",
            b"BDAT 99999999999999999999",
        ] {
            assert_eq!(id(line), ReplyId::BadArguments, "{line:?}");
        }
        assert_eq!(id(b"MAIL FROM:<postmaster>"), ReplyId::BadSenderSyntax);
        assert_eq!(id(b"MAIL"), ReplyId::BadSenderSyntax);
        assert_eq!(id(b"RCPT TO:<>"), ReplyId::BadRecipientSyntax);
    }

    #[test]
    fn bdat_counts_octets() {
        let chunk = |octets, last| Command::Bdat(Ok(Chunk { octets, last }));
        assert_eq!(Command::parse(b"BDAT 86 last"), chunk(86, true));
        assert_eq!(Command::parse(b"bdat 0"), chunk(0, false));
    }
}
