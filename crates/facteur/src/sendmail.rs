//! Called as `sendmail`, `mailq` or `newaliases`: what programs that hand mail to the local server expect, in the words
//! and the numbers that they expect.
//!
//! Whoever calls has no right to the spool: a message goes by SMTP to a listener of the configured server. What it refuses,
//! nobody gets: the message is taken for every recipient or for none.

mod flags;
mod letter;
mod mailq;
mod recipients;
mod submit;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use facteur_mail::Domain;
use facteur_replies::{Language, text};

use crate::args::{self, ColorChoice, Instance, Manner};
use crate::cli;
use crate::config::Config;
use crate::control::protocol::Request;
use crate::error::{CliError, Kind};
use crate::queue::{Act, FilterSpec, QueueRequest};
use crate::sendmail::flags::{Flags, Mode};
use crate::ui::{self, Screen, shown};

/// The variable that names the configuration file.
const CONFIG: &str = "FACTEUR_CONFIG";

/// The configuration file where the variable names none.
const DEFAULT_CONFIG: &str = "/etc/facteur/facteur.toml";

/// A name by which others know a program that takes mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// `sendmail`.
    Sendmail,
    /// `mailq`, which is `sendmail -bp`.
    Mailq,
    /// `newaliases`, which is `sendmail -bi`.
    Newaliases,
}

/// Exit codes of `sysexits.h`, which callers of sendmail know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command line is wrong.
    Usage = 64,
    /// The message cannot be sent as it is.
    Data = 65,
    /// There is no such mailbox.
    NoUser = 67,
    /// There is no such domain, or it takes no mail.
    NoHost = 68,
    /// It is refused.
    Unavailable = 69,
    /// A bug.
    System = 71,
    /// Something cannot be read or written.
    Io = 74,
    /// Later perhaps.
    Temporary = 75,
    /// It is not allowed.
    Permission = 77,
    /// The configuration cannot be used.
    Config = 78,
}

/// Why nothing was sent.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    error: CliError,
}

impl Failure {
    fn new(exit: Exit, message: String) -> Self {
        // The exit code is ours: the kind is of no account.
        let error = CliError::new(Kind::System, message);
        Self { exit, error }
    }

    fn hint(mut self, hint: String) -> Self {
        self.error = self.error.hint(hint);
        self
    }
}

impl From<CliError> for Failure {
    fn from(error: CliError) -> Self {
        let exit = match error.kind {
            Kind::Usage => Exit::Usage,
            Kind::Config => Exit::Config,
            Kind::System | Kind::Spool => Exit::Unavailable,
            Kind::NotRunning => Exit::Temporary,
            Kind::Negative | Kind::NotFound | Kind::ReaderGone => Exit::System,
        };
        Self { exit, error }
    }
}

impl Face {
    /// The face that a program's own name shows.
    pub(crate) fn of(program: Option<&OsString>) -> Option<Self> {
        match Path::new(program?).file_name().and_then(OsStr::to_str)? {
            "sendmail" => Some(Self::Sendmail),
            "mailq" => Some(Self::Mailq),
            "newaliases" => Some(Self::Newaliases),
            _ => None,
        }
    }

    /// Does what it was called for.
    pub(crate) fn run(self, typed: &[OsString]) -> ExitCode {
        let language = args::language(typed, |name| std::env::var(name).ok());
        let done = Flags::parse(self, typed.get(1..).unwrap_or_default(), language)
            .and_then(|flags| perform(flags, language));
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                ui::complain(&failure.error, language);
                ExitCode::from(failure.exit as u8)
            }
        }
    }
}

fn perform(flags: Flags, language: Language) -> Result<(), Failure> {
    let instance = instance();
    match flags.mode {
        Mode::Deliver => deliver(&flags, &instance, language),
        Mode::Speak => submit::speak(&configuration(&instance, language)?, language),
        Mode::List => {
            let mut screen = screen(&flags, language);
            if flags.json || flags.language_given {
                let all = FilterSpec::default();
                return Ok(cli::queue::list(&all, None, &instance, &mut screen)?);
            }
            mailq::list(&instance, &mut screen)
        }
        Mode::Flush => {
            let request = QueueRequest {
                act: Act::Retry,
                ids: flags.flush.ids.clone(),
                all: flags.flush.is_all(),
                filter: flags.flush.filter.clone(),
                dry_run: false,
                reason: None,
                for_seconds: None,
            };
            let asked = Request::Queue(Box::new(request));
            let mut screen = screen(&flags, language);
            // As a sendmail does it: without a word.
            Ok(cli::server::ask(asked, &instance, &mut screen, |_, _| {
                Ok(())
            })?)
        }
        // Aliases stand in the configuration, which is read again by `facteur config reload`.
        Mode::Aliases => Ok(()),
    }
}

fn deliver(flags: &Flags, instance: &Instance, language: Language) -> Result<(), Failure> {
    let config = configuration(instance, language)?;
    let origin = origin(&config);
    let user = User::who_calls();
    let letter = letter::read(&mut io::stdin().lock(), flags, language)?;
    let mut to = recipients::parsed(&flags.recipients, &origin, language)?;
    if flags.read_recipients {
        to.extend(recipients::of_header(&letter.fields, &origin, language)?);
    }
    to.sort();
    to.dedup();
    if to.is_empty() {
        let id = if flags.read_recipients {
            "sendmail-no-recipients-in-header"
        } else {
            "sendmail-no-recipients"
        };
        return Err(Failure::new(Exit::Usage, text(language, id, &[])));
    }
    let from = recipients::sender(flags.from.as_deref(), &user.name, &origin, language)?;
    let name = flags.full_name.as_deref().unwrap_or(&user.full_name);
    let content = letter.completed(&from, &user.name, name, &origin);
    submit::submit(
        &config,
        &submit::Submission {
            from,
            to,
            content,
            flags,
        },
        language,
    )
}

/// The server that is meant. A file that nobody may read is one that its server goes by.
fn instance() -> Instance {
    let named = std::env::var_os(CONFIG).filter(|path| !path.is_empty());
    let default = || PathBuf::from(DEFAULT_CONFIG);
    let config = match named {
        Some(path) => Some(PathBuf::from(path)),
        None => Some(default()).filter(|path| path.exists()),
    };
    Instance {
        config,
        data_dir: None,
    }
}

fn configuration(instance: &Instance, language: Language) -> Result<Config, Failure> {
    Ok(Config::of(instance, language, false)?)
}

/// The domain of names without one: the hostname where it is a local domain, else the first local domain.
fn origin(config: &Config) -> Domain {
    if config.domains.contains_key(&config.hostname) {
        return config.hostname.clone();
    }
    let first = config.domains.keys().next();
    first.unwrap_or(&config.hostname).clone()
}

fn screen(flags: &Flags, language: Language) -> Screen {
    Screen::stdout(&Manner {
        language,
        json: flags.json,
        color: ColorChoice::Never,
    })
}

/// Who calls.
struct User {
    name: String,
    full_name: String,
}

impl User {
    fn who_calls() -> Self {
        let uid = nix::unistd::Uid::current();
        let found = nix::unistd::User::from_uid(uid).ok().flatten();
        let Some(user) = found else {
            return Self {
                name: uid.to_string(),
                full_name: String::new(),
            };
        };
        // What stands before the first comma; `&` is the name with a capital.
        let gecos = user.gecos.to_string_lossy();
        let full_name = gecos.split(',').next().unwrap_or_default().trim();
        Self {
            full_name: full_name.replace('&', &user.name),
            name: user.name,
        }
    }
}

/// A stranger's text for an error.
fn quoted(text: &str) -> String {
    shown(text)
}
