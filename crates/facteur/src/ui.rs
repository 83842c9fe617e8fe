//! The terminal: wrapping, colour, and the catalogue's Markdown as plain text. Reads well without colour.

use std::io::{self, IsTerminal, Write};

use facteur_mail::text::{escaped, is_harmless};
use facteur_replies::{Language, Value, text};

use crate::args::{ColorChoice, Manner};
use crate::error::CliError;

/// The widest text we write, in columns, however wide the terminal is.
const MAX_WIDTH: usize = 100;

/// The width when it is not known.
const DEFAULT_WIDTH: usize = 80;

/// How something is said; shown as colour where there is colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it is.
    Plain,
    /// A heading.
    Strong,
    /// Success.
    Good,
    /// Wait, or attention.
    Warning,
    /// Failure.
    Bad,
    /// Beside the point.
    Quiet,
}

impl Tone {
    const fn sequence(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\x1b[1m",
            Self::Good => "\x1b[32m",
            Self::Warning => "\x1b[33m",
            Self::Bad => "\x1b[31m",
            Self::Quiet => "\x1b[2m",
        }
    }
}

/// Where the answer goes.
pub(crate) struct Screen {
    out: Box<dyn Write>,
    /// The reader's language.
    pub(crate) language: Language,
    /// Machine-readable answers are wanted.
    pub(crate) json: bool,
    /// Colour sequences may be written.
    pub(crate) color: bool,
    /// `--color`, for what is written elsewhere.
    pub(crate) color_choice: ColorChoice,
    width: usize,
}

impl Screen {
    /// Standard output, with what the terminal and the user say about it.
    pub(crate) fn stdout(manner: &Manner) -> Self {
        let out = io::stdout();
        let columns = std::env::var("COLUMNS")
            .ok()
            .and_then(|columns| columns.parse::<usize>().ok());
        let terminal = rustix::termios::tcgetwinsize(&out)
            .ok()
            .map(|size| usize::from(size.ws_col));
        Self {
            color: wants_color(manner.color, out.is_terminal()),
            color_choice: manner.color,
            width: columns
                .or(terminal)
                .filter(|width| *width >= 20)
                .unwrap_or(DEFAULT_WIDTH)
                .min(MAX_WIDTH),
            out: Box::new(out),
            language: manner.language,
            json: manner.json,
        }
    }

    /// An interface text.
    pub(crate) fn text(&self, id: &str, args: &[(&str, Value<'_>)]) -> String {
        text(self.language, id, args)
    }

    /// A line as it is, not wrapped; the caller has escaped what strangers said.
    pub(crate) fn line(&mut self, tone: Tone, line: &str) -> io::Result<()> {
        let line = self.painted(tone, line);
        writeln!(self.out, "{line}")
    }

    /// An empty line.
    pub(crate) fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// A paragraph, wrapped, each line with `indent` spaces in front.
    pub(crate) fn paragraph(
        &mut self,
        tone: Tone,
        indent: usize,
        paragraph: &str,
    ) -> io::Result<()> {
        for line in wrap(paragraph, self.width.saturating_sub(indent)) {
            let line = self.painted(tone, &line);
            writeln!(self.out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }

    /// Text of the catalogue: paragraphs, lists and `code`.
    pub(crate) fn markdown(&mut self, indent: usize, markdown: &str) -> io::Result<()> {
        for line in markdown.lines() {
            match line.strip_prefix("- ") {
                Some(item) => {
                    let width = self.width.saturating_sub(indent + 2);
                    for (i, line) in wrap(item, width).iter().enumerate() {
                        let mark = if i == 0 { "- " } else { "  " };
                        writeln!(self.out, "{:indent$}{mark}{line}", "")?;
                    }
                }
                None if line.trim().is_empty() => self.blank()?,
                None => self.paragraph(Tone::Plain, indent, line)?,
            }
        }
        Ok(())
    }

    /// A label and its value on one line, or the value wrapped below.
    pub(crate) fn field(&mut self, label: &str, value: &str) -> io::Result<()> {
        // A question needs no colon.
        let label = if label.ends_with('?') {
            label.to_owned()
        } else {
            self.text("cli-field", &[("label", label.into())])
        };
        let columns = width_of(&label) + 1 + width_of(value);
        if columns <= self.width {
            let label = self.painted(Tone::Strong, &label);
            return writeln!(self.out, "{label} {value}");
        }
        self.line(Tone::Strong, &label)?;
        self.paragraph(Tone::Plain, 2, value)
    }

    /// A JSON value on one line.
    pub(crate) fn json(&mut self, value: &serde_json::Value) -> io::Result<()> {
        writeln!(self.out, "{value}")
    }

    /// Text as it is, line breaks included.
    pub(crate) fn raw(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    fn painted(&self, tone: Tone, text: &str) -> String {
        if self.color && tone != Tone::Plain {
            format!("{}{text}\x1b[0m", tone.sequence())
        } else {
            text.to_owned()
        }
    }
}

/// Says on standard error what went wrong and what to do.
pub(crate) fn complain(error: &CliError, language: Language) {
    if error.message.is_empty() {
        return;
    }
    let mut out = io::stderr().lock();
    out.write_all(error.details.as_bytes()).unwrap_or_default();
    let mut say = |label: &str, words: &str| {
        let label = text(language, label, &[]);
        // Nobody is left to be told when standard error is closed.
        writeln!(
            out,
            "{}",
            text(
                language,
                "cli-labelled",
                &[("label", (&label).into()), ("words", words.into())]
            )
        )
        .unwrap_or_default();
    };
    say("cli-error", &error.message);
    for hint in &error.hints {
        say("cli-hint", hint);
    }
}

/// Whether colour is written.
pub(crate) fn wants_color(choice: ColorChoice, terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    }
}

/// Whether the log, on standard error, is coloured: as the screen, but by its own terminal.
pub(crate) fn log_color(choice: ColorChoice) -> bool {
    wants_color(choice, io::stderr().is_terminal())
}

/// A stranger's text, harmless and on one line.
pub(crate) fn shown(text: &str) -> String {
    escaped(text).to_string()
}

/// Breaks a paragraph at spaces into lines of at most `width` columns; a longer word stands alone. A no-break
/// space never breaks.
fn wrap(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in paragraph
        .split([' ', '\t', '\n'])
        .filter(|word| !word.is_empty())
    {
        if !line.is_empty() && width_of(&line) + 1 + width_of(word) > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Columns of a text in the shipped languages' scripts: one per visible character.
fn width_of(text: &str) -> usize {
    text.chars().filter(|c| is_harmless(*c)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_breaks_at_spaces_but_not_at_no_break_spaces() {
        assert_eq!(
            wrap("un deux\u{a0}: trois", 8),
            ["un", "deux\u{a0}:", "trois"]
        );
        assert_eq!(wrap("a verylongword b", 4), ["a", "verylongword", "b"]);
        assert_eq!(wrap("", 10), Vec::<String>::new());
    }
}
