//! The command line: the request that was typed, and what is said of a wrong one.

mod command;
mod typed;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ArgMatches;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use facteur_replies::{Language, text};
use serde_json::Value;

use crate::args::command::command;
use crate::destinations::{DestinationsAct, DestinationsRequest};
use crate::error::{CliError, Kind};
use crate::queue::{Act, FilterSpec, QueueRequest};

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    /// Run the server.
    Serve(Instance),
    /// How is the server that runs?
    Status(Instance),
    /// Send a test message.
    Send(Box<SendArgs>),
    /// Can mail reach it?
    Check { subject: String, instance: Instance },
    /// What does it mean?
    Explain { what: Vec<String> },
    /// How do they differ?
    Compare { a: String, b: String },
    /// What waits?
    QueueList {
        filter: Box<FilterSpec>,
        limit: Option<u64>,
        instance: Instance,
    },
    /// How much waits, for where and why?
    QueueSummary {
        filter: Box<FilterSpec>,
        limit: Option<u64>,
        instance: Instance,
    },
    /// How are destinations, and what is ordered of them?
    Destinations {
        request: Box<DestinationsRequest>,
        whole: bool,
        instance: Instance,
    },
    /// Something to do to queued messages.
    QueueAct {
        request: Box<QueueRequest>,
        instance: Instance,
    },
    /// One queued message.
    QueueShow { id: String, instance: Instance },
    /// The story of a message.
    Trace {
        subject: String,
        brief: bool,
        instance: Instance,
    },
    /// Is the configuration right?
    ConfigCheck(Instance),
    /// The configuration in force, defaults included.
    ConfigShow(Instance),
    /// The JSON Schema of the configuration file.
    ConfigSchema,
    /// What keys are for.
    ConfigExplain { key: Option<String> },
    /// Read the configuration again.
    ConfigReload(Instance),
    /// What would change?
    ConfigDiff {
        against: Against,
        instance: Instance,
    },
    /// Does this machine keep the promises?
    SelfTest(Instance),
    /// Typed by the self-test itself, should it succeed in starting a program.
    SelfTestStarted,
    /// What a shell needs to complete the command line.
    Completions { shell: String },
    /// The pages of the system's manual.
    Man { out: Option<PathBuf> },
    /// Is the spool whole?
    SpoolCheck(Instance),
    /// Every queued message as a file.
    SpoolExport { to: PathBuf, instance: Instance },
}

/// What a configuration is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Against {
    /// What the running server goes by.
    Running,
    /// Another file.
    File(PathBuf),
}

/// Which server is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Instance {
    /// `--config`.
    pub(crate) config: Option<PathBuf>,
    /// `--data-dir`.
    pub(crate) data_dir: Option<PathBuf>,
}

/// What `send` was given; the flags are those of swaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SendArgs {
    /// MAIL FROM; `<>` for the null sender.
    pub(crate) from: Option<String>,
    /// RCPT TO, each.
    pub(crate) to: Vec<String>,
    /// Host, `host:port`, or a path of a Unix socket.
    pub(crate) server: Option<String>,
    /// Port, unless the server has one.
    pub(crate) port: Option<u16>,
    /// What EHLO says.
    pub(crate) ehlo: Option<String>,
    /// SMTP, ESMTP or LMTP.
    pub(crate) protocol: String,
    /// Header fields added or replaced, `Name: value`.
    pub(crate) headers: Vec<String>,
    /// The body's text, `@file`, or `-` for stdin.
    pub(crate) body: Option<String>,
    /// The whole message, `@file`, or `-` for stdin.
    pub(crate) data: Option<String>,
    /// Stop after this stage.
    pub(crate) quit_after: Option<String>,
    /// Use PIPELINING where offered.
    pub(crate) pipeline: bool,
    /// Seconds to wait for each reply.
    pub(crate) timeout: u64,
    /// Do not explain the replies.
    pub(crate) brief: bool,
}

/// How the answer is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manner {
    /// `--lang`, or what the environment says.
    pub(crate) language: Language,
    /// `--json`.
    pub(crate) json: bool,
    /// `--color`.
    pub(crate) color: ColorChoice,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColorChoice {
    /// Colour on a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What parsing comes to.
pub(crate) enum Parsed {
    /// Do this.
    Request(Request, Manner),
    /// Show this text (help, version) and stop.
    Show(String),
}

/// The language before anything is parsed: `--lang` if it stands there, else the locale.
pub(crate) fn language(
    args: &[OsString],
    environment: impl Fn(&str) -> Option<String>,
) -> Language {
    let mut words = args.iter().filter_map(|arg| arg.to_str());
    while let Some(word) = words.next() {
        let given = match word.strip_prefix("--lang") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        if let Some(language) = given.and_then(Language::negotiate) {
            return language;
        }
    }
    // An empty variable counts as unset; the first one that is set decides. (POSIX, "Environment Variables")
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| environment(name).filter(|value| !value.is_empty()))
        .and_then(|value| Language::negotiate(&value))
        .unwrap_or_default()
}

/// The whole command line, for what describes it to others.
pub(crate) fn definition(language: Language) -> clap::Command {
    command(language)
}

/// Parses the command line.
pub(crate) fn parse(args: Vec<OsString>, language: Language) -> Result<Parsed, CliError> {
    match command(language).try_get_matches_from(args) {
        Ok(matches) => Ok(Parsed::Request(
            request(&matches),
            manner(&matches, language),
        )),
        Err(error) if error.use_stderr() => Err(usage_error(&error, language)),
        // Help and version are what was asked for.
        Err(error) => Ok(Parsed::Show(error.render().to_string())),
    }
}

fn request(matches: &ArgMatches) -> Request {
    let (name, sub) = descend(matches);
    let instance = || Instance {
        config: path(sub, "config"),
        data_dir: path(sub, "data-dir"),
    };
    let word = |name: &str| given(sub, name).unwrap_or_default();
    match name.as_str() {
        "send" => Request::Send(Box::new(send_args(sub))),
        "status" => Request::Status(instance()),
        "check" => Request::Check {
            subject: word("subject"),
            instance: instance(),
        },
        "explain" => Request::Explain {
            what: all(sub, "what"),
        },
        "compare" => Request::Compare {
            a: word("a"),
            b: word("b"),
        },
        name if name.starts_with("queue") => queue(name, sub, instance()),
        name if name.starts_with("destinations") => destinations(name, sub, instance()),
        "trace" => Request::Trace {
            subject: word("subject"),
            brief: sub.get_flag("brief"),
            instance: instance(),
        },
        name if name.starts_with("config ") => config(name, sub, instance),
        "selftest" if sub.get_flag("program-was-started") => Request::SelfTestStarted,
        "selftest" => Request::SelfTest(instance()),
        "completions" => Request::Completions {
            shell: word("shell"),
        },
        "man" => Request::Man {
            out: path(sub, "out"),
        },
        "spool check" => Request::SpoolCheck(instance()),
        "spool export" => Request::SpoolExport {
            to: path(sub, "to").unwrap_or_default(),
            instance: instance(),
        },
        // `subcommand_required` leaves "serve" alone.
        _ => Request::Serve(instance()),
    }
}

/// Something about the configuration; not all of it is about a server.
fn config(name: &str, matches: &ArgMatches, instance: impl Fn() -> Instance) -> Request {
    match name {
        "config check" => Request::ConfigCheck(instance()),
        "config schema" => Request::ConfigSchema,
        "config reload" => Request::ConfigReload(instance()),
        "config diff" => Request::ConfigDiff {
            against: match path(matches, "against") {
                Some(path) if path != Path::new("running") => Against::File(path),
                Some(_) | None => Against::Running,
            },
            instance: instance(),
        },
        "config explain" => Request::ConfigExplain {
            key: given(matches, "key"),
        },
        _ => Request::ConfigShow(instance()),
    }
}

/// Something about destinations.
fn destinations(name: &str, matches: &ArgMatches, instance: Instance) -> Request {
    let act = match name {
        "destinations pause" => DestinationsAct::Pause,
        "destinations resume" => DestinationsAct::Resume,
        "destinations limit" => limit(matches),
        _ => DestinationsAct::Look,
    };
    let lasts = matches.try_get_one::<Duration>("for").ok().flatten();
    let most = matches.try_get_one::<u64>("limit").ok().flatten();
    let text = |name: &str| matches.try_get_one::<String>(name).ok().flatten().cloned();
    Request::Destinations {
        request: Box::new(DestinationsRequest {
            act,
            target: text("target"),
            most: most.copied().unwrap_or(100),
            reason: text("reason"),
            for_seconds: lasts.map(Duration::as_secs),
        }),
        whole: name.ends_with("show"),
        instance,
    }
}

/// `KEY=VALUE` as the file of the configuration would have it; the server says what is wrong with it.
fn limit(matches: &ArgMatches) -> DestinationsAct {
    if matches.get_flag("reset") {
        return DestinationsAct::Reset;
    }
    let limits = all(matches, "limits").into_iter().map(|word| {
        let (key, value) = word.split_once('=').unwrap_or((&word, ""));
        let value = serde_json::from_str(value)
            .ok()
            .filter(|value: &Value| value.is_u64() || value.is_boolean())
            .unwrap_or_else(|| Value::from(value));
        (key.to_owned(), value)
    });
    DestinationsAct::Limit(limits.collect())
}

/// The names of the subcommands down to the last one, joined by a space, and its matches.
fn descend(matches: &ArgMatches) -> (String, &ArgMatches) {
    let mut names = Vec::new();
    let mut current = matches;
    while let Some((name, sub)) = current.subcommand() {
        names.push(name);
        current = sub;
    }
    (names.join(" "), current)
}

fn queue(name: &str, matches: &ArgMatches, instance: Instance) -> Request {
    let limit = || matches.get_one("limit").copied();
    match name {
        "queue list" => Request::QueueList {
            filter: Box::new(filter(matches)),
            limit: limit(),
            instance,
        },
        "queue summary" => Request::QueueSummary {
            filter: Box::new(filter(matches)),
            limit: limit(),
            instance,
        },
        "queue hold" => queue_act(Act::Hold, matches, instance),
        "queue release" => queue_act(Act::Release, matches, instance),
        "queue retry" => queue_act(Act::Retry, matches, instance),
        "queue bounce" => queue_act(Act::Bounce, matches, instance),
        "queue delete" => queue_act(Act::Delete, matches, instance),
        // `subcommand_required` leaves "queue show" alone.
        _ => Request::QueueShow {
            id: given(matches, "id").unwrap_or_default(),
            instance,
        },
    }
}

fn queue_act(act: Act, matches: &ArgMatches, instance: Instance) -> Request {
    let seconds = |duration: &Duration| duration.as_secs();
    // Only `hold` has an end.
    let held_for = matches.try_get_one("for").ok().flatten();
    let request = QueueRequest {
        act,
        ids: all(matches, "ids"),
        filter: filter(matches),
        all: matches.get_flag("all"),
        dry_run: matches.get_flag("dry-run"),
        reason: given(matches, "reason"),
        for_seconds: held_for.map(seconds),
    };
    Request::QueueAct {
        request: Box::new(request),
        instance,
    }
}

fn filter(matches: &ArgMatches) -> FilterSpec {
    let seconds = |name| matches.get_one(name).map(Duration::as_secs);
    FilterSpec {
        sender: given(matches, "sender"),
        recipient: given(matches, "recipient"),
        domain: given(matches, "domain"),
        host: given(matches, "host"),
        older: seconds("older"),
        younger: seconds("younger"),
        larger: matches.get_one("larger").copied(),
        smaller: matches.get_one("smaller").copied(),
        reply: given(matches, "reply"),
        category: given(matches, "category"),
        held: matches.get_flag("held"),
    }
}

fn send_args(matches: &ArgMatches) -> SendArgs {
    SendArgs {
        from: given(matches, "from"),
        to: all(matches, "to"),
        server: given(matches, "server"),
        port: matches.get_one("port").copied(),
        ehlo: given(matches, "ehlo"),
        protocol: given(matches, "protocol")
            .unwrap_or_default()
            .to_ascii_uppercase(),
        headers: all(matches, "header"),
        body: given(matches, "body"),
        data: given(matches, "data"),
        quit_after: given(matches, "quit-after").map(|stage| stage.to_ascii_lowercase()),
        pipeline: matches.get_flag("pipeline"),
        timeout: matches.get_one("timeout").copied().unwrap_or(30),
        brief: matches.get_flag("brief"),
    }
}

fn manner(matches: &ArgMatches, language: Language) -> Manner {
    let (_, last) = descend(matches);
    Manner {
        language,
        json: last.get_flag("json"),
        color: match given(last, "color").as_deref() {
            Some("always") => ColorChoice::Always,
            Some("never") => ColorChoice::Never,
            _ => ColorChoice::Auto,
        },
    }
}

fn given(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.get_one::<String>(name).cloned()
}

fn path(matches: &ArgMatches, name: &str) -> Option<PathBuf> {
    matches.get_one::<PathBuf>(name).cloned()
}

fn all(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches
        .get_many::<String>(name)
        .unwrap_or_default()
        .cloned()
        .collect()
}

/// What is wrong with the command line, in the reader's language; clap's own words where we have none.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "clap may add kinds; its own words serve for those"
)]
fn usage_error(error: &clap::Error, language: Language) -> CliError {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(value)) => value.clone(),
        Some(ContextValue::Strings(values)) => values.join(", "),
        _ => String::new(),
    };
    let (id, value) = match error.kind() {
        ErrorKind::UnknownArgument => (
            "cli-usage-unknown-argument",
            context(ContextKind::InvalidArg),
        ),
        ErrorKind::InvalidSubcommand => (
            "cli-usage-unknown-command",
            context(ContextKind::InvalidSubcommand),
        ),
        ErrorKind::MissingRequiredArgument => {
            ("cli-usage-missing", context(ContextKind::InvalidArg))
        }
        ErrorKind::ArgumentConflict => ("cli-usage-conflict", context(ContextKind::InvalidArg)),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            ("cli-usage-bad-value", context(ContextKind::InvalidValue))
        }
        ErrorKind::InvalidUtf8 => ("cli-usage-utf8", String::new()),
        _ => return CliError::new(Kind::Usage, error.to_string()),
    };
    let argument = context(ContextKind::InvalidArg);
    let args = [("value", (&value).into()), ("argument", (&argument).into())];
    let mut usage = CliError::new(Kind::Usage, text(language, id, &args));
    let valid = context(ContextKind::ValidValue);
    if !valid.is_empty() {
        usage = usage.hint(text(
            language,
            "cli-usage-valid",
            &[("valid", (&valid).into())],
        ));
    }
    let suggested = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ]
    .into_iter()
    .map(context)
    .find(|value| !value.is_empty());
    if let Some(suggested) = suggested {
        usage = usage.hint(text(
            language,
            "cli-usage-suggested",
            &[("suggested", (&suggested).into())],
        ));
    }
    usage.hint(text(language, "cli-usage-help", &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_command_line_is_well_formed_in_every_language() {
        for language in Language::ALL {
            command(language).debug_assert();
        }
    }

    #[test]
    fn the_language_comes_from_the_flag_then_from_the_locale() {
        let none = |_: &str| None;
        let french = |name: &str| (name == "LANG").then(|| "fr_FR.UTF-8".to_owned());
        let c_first = |name: &str| match name {
            "LC_ALL" => Some(String::new()),
            "LC_MESSAGES" => Some("C".to_owned()),
            _ => Some("fr_FR".to_owned()),
        };
        assert_eq!(
            language(&words("facteur --lang fr explain 354"), none),
            Language::French
        );
        assert_eq!(
            language(&words("facteur explain 354 --lang=fr"), none),
            Language::French
        );
        assert_eq!(
            language(&words("facteur --lang en"), french),
            Language::English
        );
        assert_eq!(language(&words("facteur"), french), Language::French);
        assert_eq!(language(&words("facteur"), c_first), Language::English);
        assert_eq!(language(&words("facteur"), none), Language::English);
    }

    #[test]
    fn a_request_holds_what_was_typed() {
        let parsed = parse(
            words("facteur queue show 0ABC --data-dir /tmp/x --json"),
            Language::English,
        );
        let Ok(Parsed::Request(request, manner)) = parsed else {
            panic!("not parsed")
        };
        let instance = Instance {
            config: None,
            data_dir: Some("/tmp/x".into()),
        };
        assert_eq!(
            request,
            Request::QueueShow {
                id: "0ABC".to_owned(),
                instance
            }
        );
        assert!(manner.json);
    }

    #[test]
    fn a_wrong_word_is_explained_with_the_word_probably_meant() {
        let Err(error) = parse(words("facteur explian 354"), Language::French) else {
            panic!("parsed")
        };
        assert_eq!(error.kind, Kind::Usage);
        assert!(error.message.contains("explian"), "{error}");
        assert!(
            error.hints.iter().any(|hint| hint.contains("explain")),
            "{:?}",
            error.hints
        );
    }
}
