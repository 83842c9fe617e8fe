//! Everything that happens, in its order: always as one number, and as lines where somebody wants to read it.

use std::fmt::{self, Write as _};
use std::path::Path;

use facteur_mail::IsoDate;
use facteur_mail::Timestamp;
use facteur_mail::text::escaped;

/// How many octets of a long piece a line shows.
const SHOWN: usize = 400;

/// Something that happens often: it becomes text only where somebody reads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event<'a> {
    /// Octets that our side of a connection wrote or read.
    Octets {
        connection: u64,
        ours: bool,
        octets: &'a [u8],
    },
    /// A step of the disk.
    Disk {
        what: &'static str,
        path: &'a Path,
        octets: usize,
    },
}

/// The events so far.
#[derive(Debug)]
pub(crate) struct Trace {
    /// FNV-1a over all of them.
    hash: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// A trace; `telling` keeps the lines.
    pub(crate) fn new(telling: bool) -> Self {
        Self {
            hash: 0xcbf2_9ce4_8422_2325,
            lines: telling.then(Vec::new),
        }
    }

    /// The same for two runs in which the same happened.
    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn is_telling(&self) -> bool {
        self.lines.is_some()
    }

    /// The lines, if they were kept.
    pub(crate) fn take_lines(&mut self) -> Vec<String> {
        self.lines.take().unwrap_or_default()
    }

    pub(crate) fn event(&mut self, now: Timestamp, step: u64, event: Event<'_>) {
        self.mix(&now.as_millis().to_le_bytes());
        self.mix(&step.to_le_bytes());
        match event {
            Event::Octets {
                connection,
                ours,
                octets,
            } => {
                self.mix(&connection.to_le_bytes());
                self.mix(&[u8::from(ours)]);
                self.mix(octets);
            }
            Event::Disk { what, path, octets } => {
                self.mix(what.as_bytes());
                self.mix(path.as_os_str().as_encoded_bytes());
                self.mix(&octets.to_le_bytes());
            }
        }
        if self.is_telling() {
            self.keep(now, step, &event);
        }
    }

    /// Something that happens seldom.
    pub(crate) fn note(&mut self, now: Timestamp, step: u64, what: fmt::Arguments<'_>) {
        let what = what.to_string();
        self.mix(&now.as_millis().to_le_bytes());
        self.mix(&step.to_le_bytes());
        self.mix(what.as_bytes());
        if self.is_telling() {
            self.keep(now, step, &what);
        }
    }

    /// A line of the server's own log: read, and no part of the number.
    pub(crate) fn log(&mut self, now: Timestamp, step: u64, line: &str) {
        if self.is_telling() {
            self.keep(now, step, &line);
        }
    }

    fn keep(&mut self, now: Timestamp, step: u64, what: &dyn fmt::Display) {
        let mut line = String::new();
        // A text takes whatever is written to it.
        write!(
            line,
            "{} {:03} {step:>7}  {what}",
            IsoDate(now),
            now.as_millis() % 1_000
        )
        .unwrap_or_default();
        self.lines.get_or_insert_default().push(line);
    }

    fn mix(&mut self, octets: &[u8]) {
        for octet in octets {
            self.hash = (self.hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Octets {
                connection,
                ours,
                octets,
            } => {
                let shown = octets.get(..SHOWN).unwrap_or(octets);
                let text = String::from_utf8_lossy(shown);
                let arrow = if *ours { ">" } else { "<" };
                write!(f, "#{connection} {arrow} {}", escaped(&text))?;
                match octets.len().saturating_sub(shown.len()) {
                    0 => Ok(()),
                    more => write!(f, " … {more} octets more"),
                }
            }
            Self::Disk { what, path, octets } => {
                write!(f, "disk: {what} {}", path.display())?;
                if *octets > 0 {
                    write!(f, ", {octets} octets")?;
                }
                Ok(())
            }
        }
    }
}
