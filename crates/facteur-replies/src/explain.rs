//! What a reply means: who has to act, whether trying again helps, and how far that knowledge goes.
//!
//! The text of a reply is never consulted: a client acts on the code alone (RFC 5321 §4.2), and so does
//! what is shown about it.

use std::fmt;

use crate::catalogue::{self, Entry};
use crate::code::{Class, Detail, EnhancedCode, ReplyCode};
use crate::lang::Language;
use crate::reply::{RemoteReply, Reply};
use crate::text::text;
use crate::vocabulary::{Actor, Category, Retry, Speaker, Stage};

/// The meaning of a reply in one language.
///
/// The texts are plain Markdown: paragraphs and list items, each on one line, with `code` spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The basic code that was asked about.
    pub code: Option<ReplyCode>,
    /// The enhanced code that was asked about.
    pub enhanced: Option<EnhancedCode>,
    /// The language of the texts.
    pub language: Language,
    /// The catalogue's entry: `354`, `x.1.10`, `550-x.1.10`, `4yz`, `unknown`.
    pub key: &'static str,
    /// What the entry is called.
    pub title: &'static str,
    /// What the reply means.
    pub meaning: &'static str,
    /// At which stage it comes, from whom, and why.
    pub when: &'static str,
    /// What each of those concerned can do.
    pub fix: &'static str,
    /// Who has to act.
    pub who_acts: &'static [Actor],
    /// Whether trying again helps; the class of the basic code governs.
    pub retry: Retry,
    /// What the reply answers.
    pub stages: &'static [Stage],
    /// Whose voice it is.
    pub speakers: &'static [Speaker],
    /// What it is about.
    pub category: Category,
    /// The keys of the entries it is confused with.
    pub see: &'static [&'static str],
    /// Where the entry is defined: `RFC 7505 §4.1; RFC 7504 §4`.
    pub rfc: &'static str,
    /// By which rule this entry was chosen.
    pub basis: Basis,
}

/// By which rule an explanation was chosen, from the most to the least specific.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The basic and the enhanced code together have an entry of their own.
    Pair,
    /// The enhanced code.
    Enhanced,
    /// The basic code.
    Code,
    /// The subject of an enhanced code whose detail is not known. (RFC 3463 §2)
    Subject,
    /// The first digit of a code that no RFC gives a meaning. (RFC 5321 §4.2.1)
    Class,
    /// Nothing: the first digit is not one of SMTP's.
    Unknown,
}

impl Basis {
    /// Every rule, the most specific first.
    pub const ALL: &'static [Self] = &[
        Self::Pair,
        Self::Enhanced,
        Self::Code,
        Self::Subject,
        Self::Class,
        Self::Unknown,
    ];

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pair => "pair",
            Self::Enhanced => "enhanced",
            Self::Code => "code",
            Self::Subject => "subject",
            Self::Class => "class",
            Self::Unknown => "unknown",
        }
    }
}

/// Explains a reply by its codes, in the order of [`Basis`].
///
/// The basic code governs (RFC 5321 §4.2): an enhanced code that adds nothing to it, or that calls a
/// failure what the basic code calls a success, is passed over, and whether trying again helps follows the
/// first digit. The one exception is RFC 5321 §4.5.3.1.10, a 552 for too many recipients.
#[must_use]
pub fn explain(
    code: Option<ReplyCode>,
    enhanced: Option<EnhancedCode>,
    language: Language,
) -> Explanation {
    let (basis, entry) = choose(code, enhanced);
    let class = class_of(code, enhanced);
    let mut explanation = from_entry(entry, basis, language);
    explanation.code = code;
    explanation.enhanced = enhanced;
    if matches!(basis, Basis::Enhanced | Basis::Subject) {
        let governing = class_entry(class);
        explanation.retry = governed(entry.retry, class, governing.retry);
        let nobody = entry.actors == [Actor::Nobody];
        if explanation.retry == Retry::NoneNeeded || nobody && explanation.retry != entry.retry {
            explanation.who_acts = governing.actors;
        }
    }
    explanation
}

/// The entry with exactly this key, as it stands: no class governs it.
#[must_use]
pub fn entry(key: &str, language: Language) -> Option<Explanation> {
    let entry = catalogue::find(key)?;
    Some(from_entry(entry, basis_of(entry.key), language))
}

/// The key of every entry, sorted.
pub fn keys() -> impl Iterator<Item = &'static str> {
    catalogue::ENTRIES.iter().map(|entry| entry.key)
}

impl Reply {
    /// What this reply of ours means.
    #[must_use]
    pub fn explain(&self, language: Language) -> Explanation {
        explain(Some(self.code()), self.enhanced(), language)
    }
}

impl RemoteReply {
    /// What this reply means, by its codes alone.
    #[must_use]
    pub fn explain(&self, language: Language) -> Explanation {
        explain(Some(self.code), self.enhanced, language)
    }
}

impl Explanation {
    /// A sentence in the reader's language that says by which rule the explanation was found, and so how
    /// far it can be trusted.
    #[must_use]
    pub fn basis_note(&self) -> String {
        let code = self.code.map(|code| code.to_string());
        let enhanced = self.enhanced.map(|enhanced| enhanced.to_string());
        let adds = match self.enhanced.map(|enhanced| by_detail(enhanced.detail())) {
            None => "none",
            Some(None) => "unknown",
            Some(Some(_)) => "nothing",
        };
        let args = [
            ("code", code.as_deref().unwrap_or("none").into()),
            ("enhanced", enhanced.as_deref().unwrap_or("none").into()),
            ("adds", adds.into()),
            ("key", self.key.into()),
        ];
        let id = format!("basis-{}", self.basis.name());
        text(self.language, &id, &args)
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn choose(code: Option<ReplyCode>, enhanced: Option<EnhancedCode>) -> (Basis, &'static Entry) {
    let class = class_of(code, enhanced);
    let detail = enhanced
        .filter(|enhanced| speaks_of(*enhanced, class))
        .map(EnhancedCode::detail);
    let pair = code.zip(detail).and_then(|(code, detail)| {
        catalogue::find(&format!("{code}-x.{}.{}", detail.subject, detail.detail))
    });
    let by_detail = detail
        .and_then(|detail| catalogue::find(&format!("x.{}.{}", detail.subject, detail.detail)));
    let fitting =
        by_detail.filter(|entry| (entry.retry == Retry::NoneNeeded) == (class == Class::Success));
    let by_code = code.and_then(|code| catalogue::find(&code.to_string()));
    let telling = fitting.filter(|entry| {
        let repeated = by_code.is_some_and(|basic| entry.repeats.contains(&basic.key));
        !entry.generic && !repeated
    });
    let by_subject = detail.and_then(|detail| catalogue::find(&format!("x.{}", detail.subject)));
    let candidates = [
        (Basis::Pair, pair),
        (Basis::Enhanced, telling),
        (Basis::Code, by_code),
        (Basis::Enhanced, fitting),
        (Basis::Subject, by_subject),
    ];
    candidates
        .into_iter()
        .find_map(|(basis, entry)| Some((basis, entry?)))
        .unwrap_or_else(|| {
            let entry = class_entry(class);
            (basis_of(entry.key), entry)
        })
}

/// The entry of an enhanced code, whatever its class.
fn by_detail(detail: Detail) -> Option<&'static Entry> {
    catalogue::find(&format!("x.{}.{}", detail.subject, detail.detail))
}

/// An enhanced code belongs to 2yz, 4yz and 5yz only (RFC 2034 §4), and one that turns success into failure
/// or failure into success is not believed.
fn speaks_of(enhanced: EnhancedCode, class: Class) -> bool {
    class
        .enhanced_digit()
        .is_some_and(|digit| (digit == 2) == (enhanced.class() == 2))
}

fn class_of(code: Option<ReplyCode>, enhanced: Option<EnhancedCode>) -> Class {
    code.map(ReplyCode::class)
        .or_else(|| enhanced.map(EnhancedCode::reply_class))
        .unwrap_or(Class::Unknown)
}

/// The entry of the first digit.
fn class_entry(class: Class) -> &'static Entry {
    let key = match class {
        Class::Success => "2yz",
        Class::Intermediate => "3yz",
        Class::Transient => "4yz",
        Class::Permanent => "5yz",
        Class::Unknown => "unknown",
    };
    catalogue::find(key).unwrap_or(&catalogue::UNKNOWN)
}

/// What an enhanced code's entry says of trying again, where the class of the reply allows it; else what
/// the class says.
const fn governed(retry: Retry, class: Class, by_class: Retry) -> Retry {
    match (class, retry) {
        (Class::Transient, Retry::Yes)
        | (Class::Permanent, Retry::No | Retry::AfterChange)
        | (Class::Unknown, _) => retry,
        _ => by_class,
    }
}

/// What kind of key this is.
fn basis_of(key: &str) -> Basis {
    match key {
        "unknown" => Basis::Unknown,
        "2yz" | "3yz" | "4yz" | "5yz" => Basis::Class,
        _ if key.contains('-') => Basis::Pair,
        _ if key.matches('.').count() == 2 => Basis::Enhanced,
        _ if key.starts_with('x') => Basis::Subject,
        _ => Basis::Code,
    }
}

fn from_entry(entry: &'static Entry, basis: Basis, language: Language) -> Explanation {
    let text = entry.text(language);
    Explanation {
        code: None,
        enhanced: None,
        language,
        key: entry.key,
        title: text.title,
        meaning: text.meaning,
        when: text.when,
        fix: text.fix,
        who_acts: entry.actors,
        retry: entry.retry,
        stages: entry.stages,
        speakers: entry.speakers,
        category: entry.category,
        see: entry.see,
        rfc: entry.rfc,
        basis,
    }
}
