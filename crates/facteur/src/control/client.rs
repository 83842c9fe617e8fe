//! The client's end: asks, and hears the answers one by one. Blocks, as the command line may.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use facteur_replies::Language;

use super::protocol::{Answer, Frame, MAX_ANSWER, Refusal, Request, VERSION};

/// How long the server may be silent: it says at least every ten seconds that it works.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a request has no, or no more, answer.
#[derive(Debug)]
pub(crate) enum Unheard {
    /// No server listens.
    NobodyThere,
    /// The system does not let us connect.
    Forbidden,
    /// The server refused, or could not do all of it.
    Refused(Refusal),
    /// The server ended in the middle.
    Lost,
    /// It says something that this version does not understand.
    Foreign,
    /// It does not answer.
    Silent,
    /// The system's words for anything else.
    System(io::Error),
}

/// The answers to one request, up to the last one, which is not shown: a refusal is an error.
#[derive(Debug)]
pub(crate) struct Heard {
    stream: BufReader<UnixStream>,
    over: bool,
}

/// Asks the server whose socket this is.
pub(crate) fn ask(path: &Path, request: Request, language: Language) -> Result<Heard, Unheard> {
    let stream = UnixStream::connect(path).map_err(unconnected)?;
    let timeouts = stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
    timeouts.map_err(Unheard::System)?;
    let frame = Frame {
        version: VERSION,
        language: language.tag().to_owned(),
        request,
    };
    match (&stream).write_all(&frame.to_line()) {
        // It was refused before it was read: the refusal is still to be heard.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        other => other.map_err(broken)?,
    }
    Ok(Heard {
        stream: BufReader::new(stream),
        over: false,
    })
}

fn unconnected(error: io::Error) -> Unheard {
    use io::ErrorKind as Kind;
    let kind = error.kind();
    if [Kind::NotFound, Kind::ConnectionRefused].contains(&kind) {
        Unheard::NobodyThere
    } else if kind == Kind::PermissionDenied {
        Unheard::Forbidden
    } else {
        Unheard::System(error)
    }
}

fn broken(error: io::Error) -> Unheard {
    use io::ErrorKind as Kind;
    let kind = error.kind();
    if [Kind::WouldBlock, Kind::TimedOut].contains(&kind) {
        Unheard::Silent
    } else if [Kind::ConnectionReset, Kind::BrokenPipe].contains(&kind) {
        Unheard::Lost
    } else {
        Unheard::System(error)
    }
}

impl Heard {
    fn hear(&mut self) -> Result<Answer, Unheard> {
        let mut line = Vec::new();
        let mut limited = (&mut self.stream).take(MAX_ANSWER);
        limited.read_until(b'\n', &mut line).map_err(broken)?;
        match line.pop() {
            Some(b'\n') => serde_json::from_slice(&line).map_err(|_| Unheard::Foreign),
            Some(_) if limited.limit() == 0 => Err(Unheard::Foreign),
            Some(_) | None => Err(Unheard::Lost),
        }
    }
}

impl Iterator for Heard {
    type Item = Result<Answer, Unheard>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.over {
            let answer = self.hear();
            self.over = answer.as_ref().map_or(true, Answer::is_last);
            match answer {
                Ok(Answer::Working) => {}
                Ok(Answer::Done) => return None,
                Ok(Answer::Refused(refusal)) => return Some(Err(Unheard::Refused(refusal))),
                other => return Some(other),
            }
        }
        None
    }
}
