//! Dialogue files: an SMTP session as one reads it, played against any server.
//!
//! ```text
//! # A relay refuses a recipient whose domain has a null MX.
//! # refuse-rcpt user@nullmx.test null_mx nullmx.test
//! S: 220 mx.example.org ESMTP Facteur
//! C: HELO client.test
//! S: 250 mx.example.org
//! ```
//!
//! The file opens with `#` lines: the first says what it shows, each further one is an option, a word and its
//! values, for whoever sets the server up. Then, in order:
//!
//! | line | meaning |
//! |---|---|
//! | `C: text` | the client sends the line and CRLF |
//! | `C< octets` | the client sends octets, with escapes, and no CRLF |
//! | `S: text` | the server says this line; `*` stands for any run of characters |
//! | `M: octets` | the server has taken a message with this content, with escapes |
//! | `I: reply arguments` | something outside ends the session with this reply |
//! | `X: server` | the server has closed the connection |
//! | `X: client` | the client closes the connection |
//!
//! `C` lines that follow each other are sent at once: a pipelined group. Escapes are `\r`, `\n`, `\t`, `\0`,
//! `\\`, `\xNN`, and `\(N*text)` for a text N times. Empty lines are skipped.

use std::fmt;

/// The most octets that one line of a file may stand for.
const MAX_OCTETS: usize = 16 * 1024 * 1024;

/// A dialogue as its file tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialogue {
    /// What it shows.
    pub title: String,
    /// The options: a word and its values.
    pub options: Vec<DialogueOption>,
    steps: Vec<(usize, Step)>,
}

/// An option of a dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialogueOption {
    /// Its word.
    pub name: String,
    /// What follows it.
    pub values: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Send(Vec<u8>),
    Hear(String),
    Message(Vec<u8>),
    Interrupt(Vec<String>),
    ServerCloses,
    ClientCloses,
}

/// The server that a dialogue is played against, as its client sees it.
pub trait Conversation {
    /// Sends octets.
    fn send(&mut self, octets: &[u8]);

    /// The next line that the server says, without its CRLF; `None` if none comes.
    fn hear(&mut self) -> Option<String>;

    /// Closes the connection.
    fn hang_up(&mut self);

    /// Whether the server has closed the connection.
    fn is_closed(&mut self) -> bool;

    /// A line that was said although the client has something to send first. A server behind a socket cannot
    /// be asked.
    fn unheard(&mut self) -> Option<String> {
        None
    }

    /// The next message that the server has taken; whoever cannot know agrees with the file.
    fn message(&mut self, expected: &[u8]) -> Option<Vec<u8>> {
        Some(expected.to_vec())
    }

    /// Ends the session from outside, with a reply by its name and arguments.
    fn interrupt(&mut self, reply: &[String]);
}

/// A file is no dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DialogueError {
    /// It says nowhere what it shows.
    NoTitle,
    /// A line that means nothing.
    UnknownLine {
        /// Its number, from 1.
        line: usize,
    },
    /// An escape that cannot be read, or that stands for too much.
    BadEscape {
        /// The number of its line, from 1.
        line: usize,
    },
}

/// The server did otherwise than the dialogue says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The line of the file, from 1.
    pub line: usize,
    /// What stands there.
    pub expected: String,
    /// What happened.
    pub found: String,
}

impl Dialogue {
    /// Reads a file.
    ///
    /// # Errors
    /// [`DialogueError`] names the line.
    pub fn parse(text: &str) -> Result<Self, DialogueError> {
        let mut comments = Vec::new();
        let mut steps: Vec<(usize, Step)> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let number = at + 1;
            if let Some(comment) = line.strip_prefix('#') {
                comments.push(comment.trim());
            } else if !line.is_empty() {
                let step = Step::parse(line, number)?;
                match (steps.last_mut(), step) {
                    (Some((_, Step::Send(group))), Step::Send(more)) => group.extend(more),
                    (_, step) => steps.push((number, step)),
                }
            }
        }
        let (title, options) = comments.split_first().ok_or(DialogueError::NoTitle)?;
        Ok(Self {
            title: (*title).to_owned(),
            options: options
                .iter()
                .filter_map(|o| DialogueOption::parse(o))
                .collect(),
            steps,
        })
    }

    /// The values of the first option of this name.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&[String]> {
        let option = self.options.iter().find(|option| option.name == name)?;
        Some(&option.values)
    }

    /// Plays the dialogue to its end, after which the server must have nothing more to say.
    ///
    /// # Errors
    /// The first [`Difference`].
    pub fn play(&self, server: &mut impl Conversation) -> Result<(), Difference> {
        let mut last = 0;
        for (line, step) in &self.steps {
            step.play(server).map_err(|(expected, found)| Difference {
                line: *line,
                expected,
                found,
            })?;
            last = *line;
        }
        match server.unheard() {
            None => Ok(()),
            Some(found) => Err(Difference {
                line: last,
                expected: "nothing more".to_owned(),
                found,
            }),
        }
    }
}

impl DialogueOption {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace().map(str::to_owned);
        Some(Self {
            name: words.next()?,
            values: words.collect(),
        })
    }
}

impl Step {
    fn parse(line: &str, number: usize) -> Result<Self, DialogueError> {
        let unknown = DialogueError::UnknownLine { line: number };
        let (mark, text) = line.split_at_checked(2).ok_or_else(|| unknown.clone())?;
        let text = text.strip_prefix(' ').unwrap_or(text);
        let octets = || unescape(text).ok_or(DialogueError::BadEscape { line: number });
        match (mark, text) {
            ("C:", _) => Ok(Self::Send(format!("{text}\r\n").into_bytes())),
            ("C<", _) => octets().map(Self::Send),
            ("S:", _) => Ok(Self::Hear(text.to_owned())),
            ("M:", _) => octets().map(Self::Message),
            ("I:", _) => Ok(Self::Interrupt(
                text.split_whitespace().map(str::to_owned).collect(),
            )),
            ("X:", "server") => Ok(Self::ServerCloses),
            ("X:", "client") => Ok(Self::ClientCloses),
            _ => Err(unknown),
        }
    }

    /// Plays one step; an error is what was expected and what was found.
    fn play(&self, server: &mut impl Conversation) -> Result<(), (String, String)> {
        match self {
            Self::Send(octets) => {
                if let Some(found) = server.unheard() {
                    return Err(("silence before the client speaks".to_owned(), found));
                }
                server.send(octets);
                Ok(())
            }
            Self::Hear(expected) => match server.hear() {
                Some(line) if matches(expected, &line) => Ok(()),
                Some(line) => Err((expected.clone(), line)),
                None => Err((expected.clone(), "silence".to_owned())),
            },
            Self::Message(expected) => match server.message(expected) {
                Some(found) if found == *expected => Ok(()),
                Some(found) => Err((shown(expected), shown(&found))),
                None => Err((shown(expected), "no message".to_owned())),
            },
            Self::Interrupt(reply) => {
                server.interrupt(reply);
                Ok(())
            }
            Self::ServerCloses if server.is_closed() => Ok(()),
            Self::ServerCloses => Err((
                "the server closes".to_owned(),
                "the connection is open".to_owned(),
            )),
            Self::ClientCloses => {
                server.hang_up();
                Ok(())
            }
        }
    }
}

/// Whether a line is the expected one, in which `*` stands for any run of characters.
#[must_use]
pub fn matches(expected: &str, line: &str) -> bool {
    let Some((head, rest)) = expected.split_once('*') else {
        return expected == line;
    };
    let Some(line) = line.strip_prefix(head) else {
        return false;
    };
    let mut tails = line.char_indices().map(|(at, _)| at).chain([line.len()]);
    tails.any(|at| line.get(at..).is_some_and(|tail| matches(rest, tail)))
}

fn shown(octets: &[u8]) -> String {
    octets.escape_ascii().to_string()
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at_checked(at)?;
        out.extend_from_slice(plain.as_bytes());
        let escape = escape.strip_prefix('\\')?;
        let mut chars = escape.chars();
        let simple = match chars.next()? {
            'r' => Some(b'\r'),
            'n' => Some(b'\n'),
            't' => Some(b'\t'),
            '0' => Some(0),
            '\\' => Some(b'\\'),
            _ => None,
        };
        rest = if let Some(octet) = simple {
            out.push(octet);
            chars.as_str()
        } else if let Some(hex) = escape.strip_prefix('x') {
            let (digits, rest) = hex.split_at_checked(2)?;
            out.push(u8::from_str_radix(digits, 16).ok()?);
            rest
        } else {
            let (repeat, rest) = escape.strip_prefix('(')?.split_once(')')?;
            let (times, text) = repeat.split_once('*')?;
            let times: usize = times.parse().ok()?;
            let octets = unescape(text)?;
            if octets.len().checked_mul(times)? > MAX_OCTETS {
                return None;
            }
            out.extend(octets.repeat(times));
            rest
        };
    }
    out.extend_from_slice(rest.as_bytes());
    Some(out)
}

impl fmt::Display for DialogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTitle => f.write_str("the file has no `#` line that says what it shows"),
            Self::UnknownLine { line } => write!(f, "line {line} is neither C, S, M, I nor X"),
            Self::BadEscape { line } => write!(f, "line {line} holds an escape that is none"),
        }
    }
}

impl std::error::Error for DialogueError {}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}: expected `{}`, found `{}`",
            self.line, self.expected, self.found
        )
    }
}

impl std::error::Error for Difference {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_client_that_follow_each_other_are_one_group() {
        let dialogue = Dialogue::parse("# t\n# role lmtp\nC: A\nC< b\\r\\n\nS: 250 x\n").unwrap();
        assert_eq!(dialogue.title, "t");
        assert_eq!(dialogue.option("role"), Some(&["lmtp".to_owned()][..]));
        assert_eq!(
            dialogue.steps,
            [
                (3, Step::Send(b"A\r\nb\r\n".to_vec())),
                (5, Step::Hear("250 x".to_owned())),
            ]
        );
    }

    #[test]
    fn a_broken_file_is_named_by_its_line() {
        assert_eq!(Dialogue::parse("C: A"), Err(DialogueError::NoTitle));
        assert_eq!(
            Dialogue::parse("# t\nQ: A"),
            Err(DialogueError::UnknownLine { line: 2 })
        );
        assert_eq!(
            Dialogue::parse("# t\n\nC< \\q"),
            Err(DialogueError::BadEscape { line: 3 })
        );
    }

    #[test]
    fn escapes_stand_for_octets() {
        let octets = unescape(r"a\r\n\0\\\xff\(3*b\n)c").unwrap();
        assert_eq!(octets, b"a\r\n\0\\\xffb\nb\nb\nc");
        assert_eq!(unescape(r"\(99999999*ab)"), None);
    }

    #[test]
    fn a_star_stands_for_any_run() {
        assert!(matches("250 * as *", "250 queued as 0A"));
        assert!(matches("250*", "250"));
        assert!(!matches("250 * x", "250 y"));
        assert!(!matches("250", "250 "));
    }
}
