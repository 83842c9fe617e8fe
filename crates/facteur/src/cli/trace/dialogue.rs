//! The dialogue of a try, with the marks of `facteur send`.

use facteur_mail::Transcript;
use facteur_mail::transcript::{Line, Words};
use facteur_replies::{Class, RemoteReply};

use crate::cli::message;
use crate::error::CliError;
use crate::ui::{Screen, Tone, shown};

/// How far a dialogue is indented.
const INDENT: &str = "    ";

/// Shows what was said.
pub(crate) fn show(transcript: &Transcript, screen: &mut Screen) -> Result<(), CliError> {
    for line in transcript.first() {
        show_line(line, screen)?;
    }
    if transcript.left_out() > 0 {
        let count = u64::from(transcript.left_out());
        let words = screen.text("send-more-lines", &[("count", count.into())]);
        screen.line(Tone::Quiet, &format!("{INDENT}    {words}"))?;
    }
    for line in transcript.last() {
        show_line(line, screen)?;
    }
    Ok(())
}

fn show_line(line: &Line, screen: &mut Screen) -> Result<(), CliError> {
    match &line.words {
        Words::Connecting(host) => {
            let place = message::host(host);
            let words = screen.text("trace-connecting", &[("place", (&place).into())]);
            screen.line(Tone::Plain, &format!("{INDENT}=== {words}"))?;
        }
        Words::Reusing(host) => {
            let place = message::host(host);
            let words = screen.text("trace-reusing", &[("place", (&place).into())]);
            screen.line(Tone::Plain, &format!("{INDENT}=== {words}"))?;
        }
        Words::Sent(command) => {
            screen.line(Tone::Plain, &format!("{INDENT} -> {}", shown(command)))?;
        }
        Words::Content(octets) => {
            let words = screen.text("trace-content", &[("count", (*octets).into())]);
            screen.line(Tone::Quiet, &format!("{INDENT} -> {words}"))?;
        }
        Words::Heard(reply) => show_heard(reply, screen)?,
        Words::Noted(reply) => {
            let words = shown(&reply.to_line());
            screen.line(Tone::Bad, &format!("{INDENT}*** {words}"))?;
        }
    }
    Ok(())
}

fn show_heard(reply: &RemoteReply, screen: &mut Screen) -> Result<(), CliError> {
    let (mark, tone) = match reply.class() {
        Class::Success | Class::Intermediate => ("<- ", Tone::Good),
        Class::Transient => ("<**", Tone::Warning),
        Class::Permanent | Class::Unknown => ("<**", Tone::Bad),
    };
    for line in reply.wire_lines() {
        screen.line(tone, &format!("{INDENT}{mark} {}", shown(&line)))?;
    }
    Ok(())
}
