//! The command line of sendmail, as programs have written it for forty years: letters in a row, values beside them or
//! behind them, and much that is of no account any more.

use std::ffi::OsString;

use facteur_replies::{Language, text};

use crate::queue::FilterSpec;

use super::{Exit, Face, Failure, quoted};

/// Letters that take a value, beside them or as the next word.
const WITH_VALUE: &str = "ABCFLNORVXbfhopr";

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Send the message on standard input.
    Deliver,
    /// Speak SMTP.
    Speak,
    /// Show the queue.
    List,
    /// Try queued messages now.
    Flush,
    /// Make the list of aliases anew.
    Aliases,
}

/// Which queued messages to try.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Flush {
    /// `-qI`: with these names.
    pub(super) ids: Vec<String>,
    /// `-qR`, `-qS`: with these recipients or senders.
    pub(super) filter: FilterSpec,
}

impl Flush {
    /// Whether it is every message.
    pub(super) fn is_all(&self) -> bool {
        self.ids.is_empty() && self.filter.is_empty()
    }
}

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) mode: Mode,
    /// `-t`: recipients stand in the header section.
    pub(super) read_recipients: bool,
    /// Whether a line with only a dot ends the message; `-i` says no.
    pub(super) dot_ends: bool,
    /// `-f`, `-r`.
    pub(super) from: Option<String>,
    /// `-F`.
    pub(super) full_name: Option<String>,
    /// `-N`: when to report.
    pub(super) notify: Option<String>,
    /// `-R`: how much to return.
    pub(super) ret: Option<String>,
    /// `-V`: the envelope's name.
    pub(super) envid: Option<String>,
    /// `--json`.
    pub(super) json: bool,
    /// Whether `--lang` was given.
    pub(super) language_given: bool,
    /// `-q`.
    pub(super) flush: Flush,
    pub(super) recipients: Vec<String>,
}

impl Flags {
    /// Reads the words behind the program's name.
    pub(super) fn parse(
        face: Face,
        typed: &[OsString],
        language: Language,
    ) -> Result<Self, Failure> {
        let mut flags = Self {
            mode: match face {
                Face::Sendmail => Mode::Deliver,
                Face::Mailq => Mode::List,
                Face::Newaliases => Mode::Aliases,
            },
            read_recipients: false,
            dot_ends: true,
            from: None,
            full_name: None,
            notify: None,
            ret: None,
            envid: None,
            json: false,
            language_given: false,
            flush: Flush::default(),
            recipients: Vec::new(),
        };
        let mut words = Vec::with_capacity(typed.len());
        for word in typed {
            let word = word
                .to_str()
                .ok_or_else(|| Failure::new(Exit::Usage, text(language, "cli-usage-utf8", &[])))?;
            words.push(word);
        }
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.strip_prefix('-') {
                Some("-") => {
                    flags.recipients.extend(words.by_ref().map(str::to_owned));
                }
                Some("-json") => flags.json = true,
                Some("-lang") => {
                    flags.language_given = true;
                    words.next();
                }
                Some(long) if long.starts_with("-lang=") => flags.language_given = true,
                Some(letters) if !letters.is_empty() => {
                    flags.letters(letters, &mut words, language)?;
                }
                Some(_) | None => flags.recipients.push(word.to_owned()),
            }
        }
        Ok(flags)
    }

    /// Letters in a row, up to one with a value.
    fn letters<'a>(
        &mut self,
        letters: &'a str,
        words: &mut impl Iterator<Item = &'a str>,
        language: Language,
    ) -> Result<(), Failure> {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            let beside = rest.as_str();
            if WITH_VALUE.contains(letter) {
                let value = if beside.is_empty() {
                    words.next()
                } else {
                    Some(beside)
                };
                let value = value.ok_or_else(|| wrong("sendmail-no-value", letter, language))?;
                return self.with_value(letter, value, language);
            }
            match letter {
                't' => self.read_recipients = true,
                'i' => self.dot_ends = false,
                'I' => self.mode = Mode::Aliases,
                'q' => return self.flush(beside, language),
                // A level of tracing, which belongs to the letter.
                'd' => return Ok(()),
                // Verbose, no aliases, from a mailing list, me too, and others of old.
                'v' | 'n' | 'm' | 'U' | 'G' | 'E' | 'x' | 's' | 'e' | 'J' => {}
                _ => return Err(wrong("sendmail-unknown-letter", letter, language)),
            }
        }
        Ok(())
    }

    /// What stands beside `-q`: nothing, or which messages. An interval would make a queue runner of us.
    fn flush(&mut self, which: &str, language: Language) -> Result<(), Failure> {
        self.mode = Mode::Flush;
        let mut letters = which.chars();
        let letter = letters.next();
        let value = letters.as_str().to_owned();
        match letter {
            None => {}
            Some('I') => self.flush.ids.push(value),
            Some('R') => self.flush.filter.recipient = Some(value),
            Some('S') => self.flush.filter.sender = Some(value),
            Some(_) => {
                return Err(wrong("sendmail-no-runner", 'q', language).hint(text(
                    language,
                    "sendmail-no-runner-hint",
                    &[],
                )));
            }
        }
        Ok(())
    }

    fn with_value(&mut self, letter: char, value: &str, language: Language) -> Result<(), Failure> {
        let kept = || Some(value.to_owned());
        match letter {
            'f' | 'r' => self.from = kept(),
            'F' => self.full_name = kept(),
            'N' => self.notify = kept(),
            'R' => self.ret = kept(),
            'V' => self.envid = kept(),
            'o' if value == "i" => self.dot_ends = false,
            'O' if value.eq_ignore_ascii_case("IgnoreDots") => self.dot_ends = false,
            'b' => {
                self.mode = match value {
                    "m" => Mode::Deliver,
                    "s" => Mode::Speak,
                    "p" => Mode::List,
                    "i" => Mode::Aliases,
                    _ => {
                        let value = quoted(value);
                        let args = [("value", (&value).into())];
                        let words = text(language, "sendmail-unknown-mode", &args);
                        return Err(Failure::new(Exit::Usage, words));
                    }
                };
            }
            // Options of sendmail.cf, its file, the log, the count of hops: not ours.
            _ => {}
        }
        Ok(())
    }
}

fn wrong(id: &str, letter: char, language: Language) -> Failure {
    let letter = quoted(&format!("-{letter}"));
    let words = text(language, id, &[("letter", (&letter).into())]);
    Failure::new(Exit::Usage, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Flags {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        Flags::parse(Face::Sendmail, &words, Language::English).unwrap()
    }

    #[test]
    fn cron_git_and_php_are_understood() {
        let cron = parse("-FCronDaemon -i -odi -oem -oi -t -f root");
        assert_eq!(cron.full_name.as_deref(), Some("CronDaemon"));
        assert_eq!(cron.from.as_deref(), Some("root"));
        assert!(cron.read_recipients && !cron.dot_ends);
        let git = parse("-i -f anne@example.org bob@example.net eve@example.net");
        assert_eq!(git.recipients, ["bob@example.net", "eve@example.net"]);
        let php = parse("-ti -fwww@example.org");
        assert!(php.read_recipients && !php.dot_ends);
        assert_eq!(php.from.as_deref(), Some("www@example.org"));
    }

    #[test]
    fn options_may_stand_behind_recipients_until_two_dashes() {
        let flags = parse("bob -oi eve -- -t");
        assert_eq!(flags.recipients, ["bob", "eve", "-t"]);
        assert!(!flags.dot_ends && !flags.read_recipients);
    }

    #[test]
    fn modes_and_notifications_are_known() {
        assert_eq!(parse("-bs").mode, Mode::Speak);
        assert_eq!(parse("-bp").mode, Mode::List);
        assert_eq!(parse("-bi").mode, Mode::Aliases);
        assert!(parse("-q").flush.is_all());
        assert_eq!(parse("-qI1M8K").flush.ids, ["1M8K"]);
        let dsn = parse("-N success,delay -R hdrs -V abc bob");
        assert_eq!(dsn.notify.as_deref(), Some("success,delay"));
        assert_eq!(
            (dsn.ret.as_deref(), dsn.envid.as_deref()),
            (Some("hdrs"), Some("abc"))
        );
    }

    #[test]
    fn what_nobody_knows_is_an_error_of_usage() {
        for line in ["-bd", "-Z", "-f", "-q15m"] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let failure = Flags::parse(Face::Sendmail, &words, Language::English).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage, "{line}");
        }
    }
}
