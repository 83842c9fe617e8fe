//! Hands a message to the configured server by SMTP: to everybody or to nobody, with the refusal explained.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use facteur_mail::{Address, ReversePath};
use facteur_replies::{Class, Language, RemoteReply, text};
use facteur_smtp::client::{Extensions, Stuffing};
use facteur_smtp::syntax::reply::ReplyReader;

use super::flags::Flags;
use super::{Exit, Failure, quoted};
use crate::config::{Config, Endpoint, Role};

/// How long the server may take for a step. It is on this machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// What is to be sent.
pub(super) struct Submission<'a> {
    pub(super) from: ReversePath,
    pub(super) to: Vec<Address>,
    pub(super) content: Vec<u8>,
    pub(super) flags: &'a Flags,
}

/// A connection to the server, in both directions at once.
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(stream) => stream.try_clone().map(Self::Tcp),
            Self::Unix(stream) => stream.try_clone().map(Self::Unix),
        }
    }

    fn no_more(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
        }
    }

    fn patience(&self, patience: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => {
                stream.set_read_timeout(Some(patience))?;
                stream.set_write_timeout(Some(patience))
            }
            Self::Unix(stream) => {
                stream.set_read_timeout(Some(patience))?;
                stream.set_write_timeout(Some(patience))
            }
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(octets),
            Self::Unix(stream) => stream.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.flush(),
            Self::Unix(stream) => stream.flush(),
        }
    }
}

/// Where the server listens.
enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// The listeners that take mail by SMTP: those with an address first, as their clients may be in a relay network.
fn places(config: &Config) -> Vec<Place> {
    let listeners = config.listen.iter().filter(|it| it.role == Role::Mx);
    let (mut tcp, mut unix) = (Vec::new(), Vec::new());
    for listener in listeners {
        match &listener.address {
            Endpoint::Tcp(address) => {
                let mut address = *address;
                if address.ip().is_unspecified() {
                    let loopback = if address.is_ipv4() {
                        Ipv4Addr::LOCALHOST.into()
                    } else {
                        Ipv6Addr::LOCALHOST.into()
                    };
                    address.set_ip(loopback);
                }
                tcp.push(Place::Tcp(address));
            }
            Endpoint::Unix(path) => unix.push(Place::Unix(path.clone())),
        }
    }
    tcp.append(&mut unix);
    tcp
}

fn connect(config: &Config, language: Language) -> Result<Stream, Failure> {
    let mut refused = Vec::new();
    for place in places(config) {
        let (name, connected) = match &place {
            Place::Tcp(address) => {
                let stream = TcpStream::connect_timeout(address, CONNECT);
                (address.to_string(), stream.map(Stream::Tcp))
            }
            Place::Unix(path) => {
                let stream = UnixStream::connect(path);
                (path.display().to_string(), stream.map(Stream::Unix))
            }
        };
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) => refused.push(format!("{name}: {error}")),
        }
    }
    if refused.is_empty() {
        let words = text(language, "sendmail-no-listener", &[]);
        return Err(Failure::new(Exit::Config, words));
    }
    let words = quoted(&refused.join("; "));
    let message = text(
        language,
        "sendmail-no-server",
        &[("words", (&words).into())],
    );
    let hint = text(language, "sendmail-no-server-hint", &[]);
    Err(Failure::new(Exit::Temporary, message).hint(hint))
}

/// Lets the caller speak SMTP with the server over standard input and output.
pub(super) fn speak(config: &Config, language: Language) -> Result<(), Failure> {
    let mut server = connect(config, language)?;
    let lost = |error: io::Error| lost(&error, language);
    let mut to_server = server.try_clone().map_err(lost)?;
    std::thread::spawn(move || {
        // The caller's end is the server's to notice.
        let copied = io::copy(&mut io::stdin().lock(), &mut to_server);
        copied.and_then(|_| to_server.no_more()).unwrap_or_default();
    });
    let mut out = io::stdout().lock();
    let mut buffer = [0; 4_096];
    loop {
        match server.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                let said = buffer.get(..count).unwrap_or_default();
                out.write_all(said)
                    .and_then(|()| out.flush())
                    .map_err(lost)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(lost(error)),
        }
    }
}

/// Sends a message to all of its recipients.
pub(super) fn submit(
    config: &Config,
    submission: &Submission<'_>,
    language: Language,
) -> Result<(), Failure> {
    let stream = connect(config, language)?;
    stream
        .patience(PATIENCE)
        .map_err(|error| lost(&error, language))?;
    let mut dialogue = Dialogue {
        stream,
        reader: ReplyReader::default(),
        pending: Vec::new(),
        language,
    };
    dialogue.hear(None)?;
    let hello = format!("EHLO {}", config.hostname);
    let extensions = Extensions::of(&dialogue.say(&hello, None)?);
    dialogue.say(&mail(submission, &extensions), None)?;
    for to in &submission.to {
        let rcpt = rcpt(to, submission.flags, &extensions);
        dialogue.say(&rcpt, Some(to))?;
    }
    dialogue.say("DATA", None)?;
    let mut wire = Vec::with_capacity(submission.content.len() + 1_024);
    let mut stuffing = Stuffing::default();
    stuffing.push(&submission.content, &mut wire);
    stuffing.finish(&mut wire);
    dialogue.write(&wire)?;
    dialogue.hear(None)?;
    // The message is taken: how the conversation ends is of no account.
    dialogue.write(b"QUIT\r\n").unwrap_or_default();
    Ok(())
}

fn mail(submission: &Submission<'_>, extensions: &Extensions) -> String {
    let mut command = format!("MAIL FROM:<{}>", submission.from);
    if extensions.size {
        command.push_str(&format!(" SIZE={}", submission.content.len()));
    }
    if extensions.eight_bit_mime && !submission.content.is_ascii() {
        command.push_str(" BODY=8BITMIME");
    }
    let mut addresses = submission.to.iter().chain(submission.from.address());
    if extensions.smtputf8 && !addresses.all(Address::is_ascii) {
        command.push_str(" SMTPUTF8");
    }
    if extensions.dsn {
        if let Some(ret) = &submission.flags.ret {
            command.push_str(&format!(" RET={}", word(&ret.to_uppercase())));
        }
        if let Some(envid) = &submission.flags.envid {
            command.push_str(&format!(" ENVID={}", xtext(envid)));
        }
    }
    command
}

fn rcpt(to: &Address, flags: &Flags, extensions: &Extensions) -> String {
    let mut command = format!("RCPT TO:<{to}>");
    if let (true, Some(notify)) = (extensions.dsn, &flags.notify) {
        command.push_str(&format!(" NOTIFY={}", word(&notify.to_uppercase())));
    }
    command
}

/// One word: what would end it, or the command, is left out.
fn word(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).collect()
}

/// Text for ENVID. (RFC 3461 §4)
fn xtext(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_graphic() && octet != b'+' && octet != b'=' {
            encoded.push(char::from(octet));
        } else {
            encoded.push_str(&format!("+{octet:02X}"));
        }
    }
    encoded
}

struct Dialogue {
    stream: Stream,
    reader: ReplyReader,
    pending: Vec<u8>,
    language: Language,
}

impl Dialogue {
    /// Says a command; a reply that refuses it ends everything.
    fn say(&mut self, command: &str, about: Option<&Address>) -> Result<RemoteReply, Failure> {
        self.write(format!("{command}\r\n").as_bytes())?;
        self.hear(about)
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let written = self.stream.write_all(octets);
        written.map_err(|error| lost(&error, self.language))
    }

    fn hear(&mut self, about: Option<&Address>) -> Result<RemoteReply, Failure> {
        loop {
            let read = self.reader.read(&self.pending);
            let (taken, heard) = read.map_err(|error| {
                lost(
                    &io::Error::new(io::ErrorKind::InvalidData, error.to_string()),
                    self.language,
                )
            })?;
            self.pending.drain(..taken);
            if let Some(heard) = heard {
                return match heard.reply.class() {
                    Class::Success | Class::Intermediate => Ok(heard.reply),
                    Class::Transient | Class::Permanent | Class::Unknown => {
                        Err(refused(&heard.reply, about, self.language))
                    }
                };
            }
            let mut buffer = [0; 4_096];
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(lost(&io::ErrorKind::UnexpectedEof.into(), self.language)),
                Ok(count) => self
                    .pending
                    .extend_from_slice(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(lost(&error, self.language)),
            }
        }
    }
}

fn lost(error: &io::Error, language: Language) -> Failure {
    let words = quoted(&error.to_string());
    let message = text(language, "sendmail-lost", &[("words", (&words).into())]);
    Failure::new(Exit::Temporary, message).hint(text(language, "sendmail-lost-hint", &[]))
}

/// The server's words, what they mean, and what to do.
fn refused(reply: &RemoteReply, about: Option<&Address>, language: Language) -> Failure {
    let explanation = reply.explain(language);
    let said = quoted(&reply.to_line());
    let message = match about {
        Some(address) => {
            let address = quoted(&address.to_string());
            let args = [("address", (&address).into()), ("said", (&said).into())];
            text(language, "sendmail-refused-recipient", &args)
        }
        None => text(language, "sendmail-refused", &[("said", (&said).into())]),
    };
    let plain = |markdown: &str| markdown.split_whitespace().collect::<Vec<_>>().join(" ");
    Failure::new(exit_of(reply, about.is_some()), message)
        .hint(explanation.title.to_owned())
        .hint(plain(explanation.fix))
        .hint(text(language, "sendmail-nobody-got-it", &[]))
}

/// The number for a refusal: the basic code decides whether later may help, the enhanced code what for.
fn exit_of(reply: &RemoteReply, recipient: bool) -> Exit {
    if reply.class() != Class::Permanent {
        return Exit::Temporary;
    }
    let enhanced = reply.enhanced.map(|enhanced| enhanced.to_string());
    let detail = enhanced.as_deref().and_then(|code| code.split_once('.'));
    match detail.map(|(_, detail)| detail) {
        Some("1.1" | "1.6" | "2.1") => Exit::NoUser,
        Some("1.2" | "1.10" | "4.4") => Exit::NoHost,
        Some("1.3" | "1.7" | "5.4" | "6.7" | "6.11") => Exit::Data,
        Some(detail) if detail.starts_with("7.") => Exit::Permission,
        None if recipient => Exit::NoUser,
        Some(_) | None => Exit::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use facteur_replies::ReplyCode;

    use super::*;

    #[test]
    fn the_exit_code_says_what_the_reply_said() {
        for (code, said, exit) in [
            (550, "5.1.1 <a@b> no such mailbox here", Exit::NoUser),
            (556, "5.1.10 <a@b> takes no mail", Exit::NoHost),
            (550, "5.7.1 relaying denied", Exit::Permission),
            (552, "5.3.4 too large", Exit::Unavailable),
            (450, "4.2.1 later", Exit::Temporary),
            (421, "4.3.2 stopping", Exit::Temporary),
        ] {
            let (enhanced, _) = said.split_once(' ').unwrap();
            let mut reply = RemoteReply::new(ReplyCode::new(code).unwrap(), vec![said.to_owned()]);
            reply.enhanced = facteur_replies::EnhancedCode::parse(enhanced);
            assert_eq!(exit_of(&reply, true), exit, "{said}");
        }
    }

    #[test]
    fn what_is_typed_ends_no_command() {
        assert_eq!(word("NEVER\r\nRCPT TO:<x>"), "NEVERRCPTTO:<x>");
        assert_eq!(xtext("a b+c=\r\n"), "a+20b+2Bc+3D+0D+0A");
    }
}
