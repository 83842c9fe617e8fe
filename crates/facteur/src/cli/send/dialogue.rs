//! The connection of `facteur send`: what is said and heard, shown and explained as it happens.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use facteur_replies::{Class, RemoteReply};
use facteur_smtp::syntax::reply::{ReplyError, ReplyReader};
use serde_json::{Value, json};

use crate::cli::send::{Place, Verdict};
use crate::error::{CliError, Kind};
use crate::ui::{Screen, Tone, shown};

/// The most lines of content shown; the rest is counted.
const MAX_CONTENT_LINES: usize = 20;

trait Stream: Read + Write {
    fn patience(&self, patience: Duration) -> io::Result<()>;
}

impl Stream for TcpStream {
    fn patience(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))?;
        self.set_write_timeout(Some(patience))
    }
}

impl Stream for UnixStream {
    fn patience(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))?;
        self.set_write_timeout(Some(patience))
    }
}

/// A connection and its record.
pub(crate) struct Dialogue<'s> {
    stream: Box<dyn Stream>,
    reader: ReplyReader,
    pending: Vec<u8>,
    timeout: Duration,
    brief: bool,
    screen: &'s mut Screen,
    record: Vec<Value>,
}

impl<'s> Dialogue<'s> {
    /// Connects to the first place that answers.
    pub(crate) fn connect(
        places: &[Place],
        timeout: Duration,
        brief: bool,
        screen: &'s mut Screen,
    ) -> Result<Self, CliError> {
        let mut refused = Vec::new();
        for place in places {
            let name = match place {
                Place::Tcp(address) => address.to_string(),
                Place::Unix(path) => path.display().to_string(),
            };
            info(screen, "send-trying", &name)?;
            let connected: io::Result<Box<dyn Stream>> = match place {
                Place::Tcp(address) => {
                    TcpStream::connect_timeout(address, timeout).map(|stream| Box::new(stream) as _)
                }
                Place::Unix(path) => UnixStream::connect(path).map(|stream| Box::new(stream) as _),
            };
            match connected.and_then(|stream| stream.patience(timeout).map(|()| stream)) {
                Ok(stream) => {
                    info(screen, "send-connected", &name)?;
                    let record = vec![json!({"event": "connected", "to": name})];
                    return Ok(Self {
                        stream,
                        reader: ReplyReader::default(),
                        pending: Vec::new(),
                        timeout,
                        brief,
                        screen,
                        record,
                    });
                }
                Err(error) => refused.push(format!("{name}: {error}")),
            }
        }
        let refused = refused.join("; ");
        let error = CliError::new(
            Kind::System,
            screen.text("send-no-connection", &[("words", (&refused).into())]),
        );
        Err(error.hint(screen.text("send-no-connection-hint", &[])))
    }

    /// Says one command and hears its reply.
    pub(crate) fn say(&mut self, stage: &str, command: &str) -> Result<RemoteReply, CliError> {
        self.show_sent(command)?;
        self.write(format!("{command}\r\n").as_bytes())?;
        self.hear(stage)
    }

    /// Says a group of commands in one write and hears all the replies.
    pub(crate) fn say_all(
        &mut self,
        group: &[(&'static str, &str)],
    ) -> Result<Vec<RemoteReply>, CliError> {
        let mut wire = String::new();
        for (_, command) in group {
            self.show_sent(command)?;
            wire.push_str(command);
            wire.push_str("\r\n");
        }
        self.write(wire.as_bytes())?;
        group.iter().map(|(stage, _)| self.hear(stage)).collect()
    }

    /// Sends content that is ready for the wire.
    pub(crate) fn send_content(&mut self, wire: &[u8]) -> Result<(), CliError> {
        if !self.screen.json {
            let text = String::from_utf8_lossy(wire);
            let lines: Vec<&str> = text.split_terminator("\r\n").collect();
            let head = lines.len().saturating_sub(1).min(MAX_CONTENT_LINES);
            for line in lines.iter().take(head) {
                self.screen
                    .line(Tone::Quiet, format!(" -> {}", shown(line)).trim_end())?;
            }
            let left_out = u64::try_from(lines.len() - head)
                .unwrap_or(u64::MAX)
                .saturating_sub(1);
            if left_out > 0 {
                let words = self
                    .screen
                    .text("send-more-lines", &[("count", left_out.into())]);
                self.screen.line(Tone::Quiet, &format!(" -> {words}"))?;
            }
            self.screen.line(Tone::Plain, " -> .")?;
        }
        self.record
            .push(json!({"event": "content", "octets": wire.len()}));
        self.write(wire)
    }

    /// Hears one reply, whole, within the time given, and shows it.
    pub(crate) fn hear(&mut self, stage: &str) -> Result<RemoteReply, CliError> {
        let deadline = Instant::now() + self.timeout;
        loop {
            let (taken, heard) = self
                .reader
                .read(&self.pending)
                .map_err(|error| self.not_a_reply(error))?;
            self.pending.drain(..taken);
            if let Some(heard) = heard {
                self.show_heard(stage, &heard.reply)?;
                return Ok(heard.reply);
            }
            let mut buffer = [0; 4_096];
            let left = deadline.saturating_duration_since(Instant::now());
            let read = if left.is_zero() {
                Err(io::ErrorKind::TimedOut.into())
            } else {
                self.stream.read(&mut buffer)
            };
            match read {
                Ok(0) => return Err(self.failed("send-closed", stage, String::new())),
                Ok(count) => self
                    .pending
                    .extend_from_slice(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) =>
                {
                    let seconds = self.timeout.as_secs().to_string();
                    return Err(self.failed("send-timed-out", stage, seconds));
                }
                Err(error) => return Err(self.failed("send-lost", stage, error.to_string())),
            }
        }
    }

    /// Says QUIT, shows the verdict.
    pub(crate) fn finish(mut self, verdict: Result<Verdict, CliError>) -> Result<(), CliError> {
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(error) => {
                self.print_record("failed")?;
                return Err(error);
            }
        };
        // Its reply changes nothing any more, and neither does its absence.
        if let Err(error) = self.say("quit", "QUIT")
            && error.kind == Kind::ReaderGone
        {
            return Err(error);
        }
        let (name, id) = match verdict {
            Verdict::Sent => ("sent", "send-verdict-sent"),
            Verdict::Refused => ("refused", "send-verdict-refused"),
            Verdict::Stopped => ("stopped", "send-verdict-stopped"),
        };
        if self.screen.json {
            self.print_record(name)?;
        } else {
            let words = self.screen.text(id, &[]);
            self.screen.line(Tone::Strong, &format!("=== {words}"))?;
        }
        match verdict {
            Verdict::Sent | Verdict::Stopped => Ok(()),
            Verdict::Refused => Err(CliError::said(Kind::Negative)),
        }
    }

    fn print_record(&mut self, verdict: &str) -> Result<(), CliError> {
        if self.screen.json {
            let record = std::mem::take(&mut self.record);
            self.screen
                .json(&json!({"verdict": verdict, "dialogue": record}))?;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        let written = self
            .stream
            .write_all(bytes)
            .and_then(|()| self.stream.flush());
        written.map_err(|error| self.failed("send-lost", "write", error.to_string()))
    }

    fn show_sent(&mut self, command: &str) -> Result<(), CliError> {
        self.record
            .push(json!({"event": "sent", "command": command}));
        if !self.screen.json {
            self.screen
                .line(Tone::Plain, &format!(" -> {}", shown(command)))?;
        }
        Ok(())
    }

    fn show_heard(&mut self, stage: &str, reply: &RemoteReply) -> Result<(), CliError> {
        let explanation = reply.explain(self.screen.language);
        let lines: Vec<String> = reply.wire_lines().collect();
        self.record.push(json!({
            "event": "heard",
            "stage": stage,
            "lines": lines,
            "explanation": facteur_console::view::explanation(&explanation, None),
        }));
        if self.screen.json {
            return Ok(());
        }
        let (mark, tone) = match reply.class() {
            Class::Success | Class::Intermediate => ("<- ", Tone::Good),
            Class::Transient => ("<**", Tone::Warning),
            Class::Permanent | Class::Unknown => ("<**", Tone::Bad),
        };
        for line in lines {
            self.screen
                .line(tone, &format!("{mark} {}", shown(&line)))?;
        }
        if self.brief {
            return Ok(());
        }
        self.screen.paragraph(Tone::Quiet, 6, explanation.title)?;
        if !matches!(reply.class(), Class::Success | Class::Intermediate) {
            self.screen.markdown(6, explanation.meaning)?;
            self.screen.markdown(6, explanation.fix)?;
            let question = self.screen.text("label-retry", &[]);
            let answer = explanation.retry_text();
            self.screen
                .paragraph(Tone::Strong, 6, &format!("{question} {answer}"))?;
        }
        Ok(())
    }

    fn not_a_reply(&mut self, error: ReplyError) -> CliError {
        self.failed("send-not-a-reply", "reply", error.to_string())
    }

    fn failed(&mut self, id: &str, stage: &str, words: String) -> CliError {
        self.record
            .push(json!({"event": "failed", "stage": stage, "why": id, "words": words}));
        let words = shown(&words);
        let args = [("stage", stage.into()), ("words", (&words).into())];
        CliError::new(Kind::System, self.screen.text(id, &args))
    }
}

fn info(screen: &mut Screen, id: &str, place: &str) -> Result<(), CliError> {
    if screen.json {
        return Ok(());
    }
    let words = screen.text(id, &[("place", place.into())]);
    Ok(screen.line(Tone::Plain, &format!("=== {words}"))?)
}
