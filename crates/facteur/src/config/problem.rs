//! What is wrong with a configuration: where, what, and what to do, shown with file, line and caret.

use std::ops::Range;
use std::path::Path;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use facteur_replies::{Language, Value, text};

/// One thing wrong in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where, in bytes of the file.
    pub(crate) span: Range<usize>,
    /// What.
    pub(crate) fault: Fault,
}

impl Problem {
    /// The first of its words.
    pub(crate) fn title(&self, language: Language) -> String {
        self.fault.words(language).0
    }
}

/// What can be wrong. The sentences are `config-<name>` and `config-<name>-hint` of the interface texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not TOML; the parser's own words.
    Syntax { words: String },
    /// A key that does not exist here, and the one that was probably meant.
    UnknownKey {
        key: String,
        nearest: Option<String>,
        known: String,
    },
    /// A value of another kind than the key takes.
    WrongKind { key: String, expected: Expected },
    /// A text that the key cannot take.
    BadValue { value: String, expected: Expected },
    /// A number or duration outside its bounds.
    OutOfRange {
        value: String,
        least: String,
        most: String,
    },
    /// A key that this table cannot do without.
    Missing { key: String },
    /// A network so wide that strangers could relay.
    OpenRelay { network: String },
    /// A relay domain that is everything.
    OpenRelayDomain { domain: String },
    /// A role that needs TLS or AUTH, which this version does not have.
    RoleNotAvailable { role: String },
    /// The same thing twice.
    Twice { what: String },
}

/// What a key takes; the name of an interface text `config-expects-<name>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Account,
    Address,
    Boolean,
    ConsoleAddress,
    Count,
    Deliver,
    Delimiter,
    Destination,
    Domain,
    Duration,
    Endpoint,
    Label,
    Language,
    LogFormat,
    LogLevel,
    Moment,
    Network,
    NextHop,
    OnRateLimit,
    Path,
    Pattern,
    Reason,
    Role,
    SecretFile,
    Size,
    Table,
    Tables,
    User,
    WebhookEvent,
    WebhookUrl,
}

impl Expected {
    const fn text_id(self) -> &'static str {
        match self {
            Self::Account => "config-expects-account",
            Self::Address => "config-expects-address",
            Self::Boolean => "config-expects-boolean",
            Self::ConsoleAddress => "config-expects-console-address",
            Self::Count => "config-expects-count",
            Self::Deliver => "config-expects-deliver",
            Self::Delimiter => "config-expects-delimiter",
            Self::Destination => "config-expects-destination",
            Self::Domain => "config-expects-domain",
            Self::Duration => "config-expects-duration",
            Self::Endpoint => "config-expects-endpoint",
            Self::Label => "config-expects-label",
            Self::Language => "config-expects-language",
            Self::LogFormat => "config-expects-log-format",
            Self::LogLevel => "config-expects-log-level",
            Self::Moment => "config-expects-moment",
            Self::Network => "config-expects-network",
            Self::NextHop => "config-expects-next-hop",
            Self::OnRateLimit => "config-expects-on-rate-limit",
            Self::Path => "config-expects-path",
            Self::Pattern => "config-expects-pattern",
            Self::Reason => "config-expects-reason",
            Self::Role => "config-expects-role",
            Self::SecretFile => "config-expects-secret-file",
            Self::Size => "config-expects-size",
            Self::Table => "config-expects-table",
            Self::Tables => "config-expects-tables",
            Self::User => "config-expects-user",
            Self::WebhookEvent => "config-expects-webhook-event",
            Self::WebhookUrl => "config-expects-webhook-url",
        }
    }

    /// The words for it.
    pub(crate) fn words(self, language: Language) -> String {
        text(language, self.text_id(), &[])
    }
}

impl Problem {
    /// Its line, from 1 on.
    pub(crate) fn line(&self, source: &str) -> usize {
        let before = source.as_bytes().iter().take(self.span.start);
        1 + before.filter(|octet| **octet == b'\n').count()
    }
}

impl Fault {
    /// The title and what to do.
    pub(crate) fn words(&self, language: Language) -> (String, String) {
        let say = |title: &str, hint: &str, args: &[(&str, Value<'_>)]| {
            (text(language, title, args), text(language, hint, args))
        };
        match self {
            Self::Syntax { words } => say(
                "config-syntax",
                "config-syntax-hint",
                &[("words", words.into())],
            ),
            Self::UnknownKey {
                key,
                nearest,
                known,
            } => {
                let (hint, name, value) = match nearest {
                    Some(nearest) => ("config-unknown-key-hint-nearest", "nearest", nearest),
                    None => ("config-unknown-key-hint-known", "known", known),
                };
                say(
                    "config-unknown-key",
                    hint,
                    &[("key", key.into()), (name, value.into())],
                )
            }
            Self::WrongKind { key, expected } => {
                let expected = expected.words(language);
                let args = [("key", key.into()), ("expected", (&expected).into())];
                say("config-wrong-kind", "config-wrong-kind-hint", &args)
            }
            Self::BadValue { value, expected } => {
                let expected = expected.words(language);
                let args = [("value", value.into()), ("expected", (&expected).into())];
                say("config-bad-value", "config-bad-value-hint", &args)
            }
            Self::OutOfRange { value, least, most } => {
                let args = [
                    ("value", value.into()),
                    ("least", least.into()),
                    ("most", most.into()),
                ];
                say("config-out-of-range", "config-out-of-range-hint", &args)
            }
            Self::Missing { key } => say(
                "config-missing",
                "config-missing-hint",
                &[("key", key.into())],
            ),
            Self::OpenRelay { network } => say(
                "config-open-relay",
                "config-open-relay-hint",
                &[("network", network.into())],
            ),
            Self::OpenRelayDomain { domain } => {
                let args = [("domain", domain.into())];
                say(
                    "config-open-relay-domain",
                    "config-open-relay-domain-hint",
                    &args,
                )
            }
            Self::RoleNotAvailable { role } => {
                let args = [("role", role.into())];
                say(
                    "config-role-not-available",
                    "config-role-not-available-hint",
                    &args,
                )
            }
            Self::Twice { what } => say(
                "config-twice",
                "config-twice-hint",
                &[("what", what.into())],
            ),
        }
    }
}

/// Shows every problem: the title, the file with line and caret, the hint.
pub(crate) fn render(
    path: &Path,
    source: &str,
    problems: &[Problem],
    language: Language,
    color: bool,
) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let path = path.display().to_string();
    let error = text(language, "config-label-error", &[]);
    let help = text(language, "config-label-hint", &[]);
    let mut out = String::new();
    for problem in problems {
        let (title, hint) = problem.fault.words(language);
        let start = problem.span.start.min(source.len());
        let end = problem.span.end.clamp(start, source.len());
        let snippet = Snippet::source(source)
            .path(path.as_str())
            .annotation(AnnotationKind::Primary.span(start..end));
        let report: &[Group<'_>] = &[Level::ERROR
            .with_name(error.as_str())
            .primary_title(title)
            .element(snippet)
            .element(Level::HELP.with_name(help.as_str()).message(hint))];
        out.push_str(&renderer.render(report));
        out.push_str("\n\n");
    }
    out
}
