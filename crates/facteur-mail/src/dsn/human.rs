//! The part of a report for people: what happened to which message, whose words they are, what they mean, what can
//! be done, and whether sending again helps. Plain text, wrapped; explanations come from the catalogue.

use facteur_replies::{Explanation, Language, RemoteReply, Retry, Value, explain, text};

use super::{MAX_DESCRIBED, News, Original, Report, Told};
use crate::attempt::{RemoteHost, Said};
use crate::date::IsoDate;
use crate::text::{MAX_SHOWN, escaped, size};

/// Where lines are wrapped, in characters.
const WIDTH: usize = 74;

/// The most lines of one reply that are quoted.
const MAX_QUOTED_LINES: usize = 20;

/// The subject, in one language: the worst news decides.
pub(super) fn subject(report: &Report<'_>, language: Language) -> String {
    let has = |wanted: fn(&News) -> bool| report.recipients.iter().any(|told| wanted(&told.news));
    let id = if has(|news| matches!(news, News::Refused | News::Expired(_))) {
        "dsn-subject-failed"
    } else if has(|news| matches!(news, News::Delayed { .. })) {
        "dsn-subject-delayed"
    } else {
        "dsn-subject-done"
    };
    text(language, id, &[])
}

/// The text in the report's language, then in English, lines ended by LF.
pub(super) fn body(report: &Report<'_>, original: &Original) -> String {
    let mut page = Page::new();
    if report.language != Language::English {
        page.paragraph(&text(report.language, "dsn-english-below", &[]));
        write_in(&mut page, report, original, report.language);
        page.line("* * *");
        page.blank();
    }
    write_in(&mut page, report, original, Language::English);
    page.out
}

fn write_in(page: &mut Page, report: &Report<'_>, original: &Original, language: Language) {
    let date = IsoDate(report.envelope.arrived).to_string();
    let id = report.about.to_string();
    let size = size(report.octets, language);
    let args = [
        ("host", report.hostname.into()),
        ("size", (&size).into()),
        ("date", (&date).into()),
        ("id", (&id).into()),
    ];
    page.paragraph(&text(language, "dsn-about", &args));
    if let Some(message_id) = original.message_id() {
        let args = [("message-id", (&message_id).into())];
        page.paragraph(&text(language, "dsn-message-id", &args));
    }
    for group in groups(report, language) {
        write_group(page, report, &group, language);
    }
    let left = report.recipients.len().saturating_sub(MAX_DESCRIBED);
    if left > 0 {
        let args = [(
            "count",
            Value::Number(u64::try_from(left).unwrap_or(u64::MAX)),
        )];
        page.paragraph(&text(language, "dsn-more", &args));
    }
    let rest = if original.is_whole() {
        "dsn-rest-whole"
    } else {
        "dsn-rest-headers"
    };
    page.paragraph(&text(language, rest, &[]));
}

/// Recipients whose news and its explanation are the same.
struct Group<'a> {
    /// The opening sentence: `dsn-failed`, `dsn-delayed` …
    opening: &'static str,
    /// What explains it; none for good news.
    explanation: Option<Explanation>,
    told: Vec<&'a Told<'a>>,
}

/// The first [`MAX_DESCRIBED`] recipients, failures first, those with the same explanation together.
fn groups<'a>(report: &'a Report<'_>, language: Language) -> Vec<Group<'a>> {
    let mut ordered: Vec<&Told<'_>> = report.recipients.iter().collect();
    ordered.sort_by_key(|told| rank(&told.news));
    let mut groups: Vec<Group<'a>> = Vec::new();
    for told in ordered.into_iter().take(MAX_DESCRIBED) {
        let opening = opening(&told.news);
        let explanation = explanation(told, language);
        let key = explanation.as_ref().map(|explanation| explanation.key);
        let same = groups.iter_mut().find(|group| {
            group.opening == opening
                && group
                    .explanation
                    .as_ref()
                    .map(|explanation| explanation.key)
                    == key
        });
        match same {
            Some(group) => group.told.push(told),
            None => groups.push(Group {
                opening,
                explanation,
                told: vec![told],
            }),
        }
    }
    groups
}

const fn rank(news: &News) -> u8 {
    match news {
        News::Refused => 0,
        News::Expired(_) => 1,
        News::Delayed { .. } => 2,
        News::Done(_) | News::Expanded => 3,
    }
}

const fn opening(news: &News) -> &'static str {
    use crate::progress::Delivery;
    match news {
        News::Refused => "dsn-failed",
        News::Expired(_) => "dsn-expired",
        News::Delayed { .. } => "dsn-delayed",
        News::Done(Delivery::Mailbox) => "dsn-delivered",
        News::Done(Delivery::HandedOn | Delivery::Relayed) => "dsn-relayed",
        News::Expanded => "dsn-expanded",
    }
}

/// What the words mean; of an expired message, those that kept it from being delivered.
fn explanation(told: &Told<'_>, language: Language) -> Option<Explanation> {
    let said = &told.attempt.said;
    match &told.news {
        News::Refused | News::Expired(_) | News::Delayed { .. } => {
            Some(explain(Some(said.code()), said.enhanced(), language))
        }
        News::Done(_) | News::Expanded => None,
    }
}

fn write_group(page: &mut Page, report: &Report<'_>, group: &Group<'_>, language: Language) {
    let since = IsoDate(report.envelope.arrived).to_string();
    let args: &[(&str, Value<'_>)] = match group.opening {
        "dsn-expired" => &[("since", (&since).into())],
        _ => &[],
    };
    page.paragraph(&text(language, group.opening, args));
    for (place, told) in group.told.iter().enumerate() {
        page.quote(&format!("<{}>", told.recipient.address));
        let repeated = group
            .told
            .get(place + 1)
            .is_some_and(|next| next.attempt == told.attempt);
        if !repeated {
            page.blank();
            write_words(page, told, language);
        }
    }
    if let Some(explanation) = &group.explanation {
        write_explanation(page, explanation, language);
    }
    if let Some(told) = group.told.first() {
        write_again(page, told, group.explanation.as_ref(), language);
    }
}

/// Who said what, and at which step.
fn write_words(page: &mut Page, told: &Told<'_>, language: Language) {
    let stage = told.attempt.stage.name();
    match &told.attempt.said {
        Said::ByUs(reply) => {
            let args = [("stage", stage.into())];
            page.paragraph(&text(language, "dsn-said-by-us", &args));
            page.quote(&escaped(&reply.to_line()).to_string());
        }
        Said::ByPeer(reply) => {
            let host = told.attempt.host.as_ref().map(host).unwrap_or_default();
            let args = [("stage", stage.into()), ("host", (&host).into())];
            page.paragraph(&text(language, "dsn-said-by-peer", &args));
            quote_remote(page, reply);
        }
    }
    page.blank();
    if let News::Expired(reply) = &told.news {
        let args = [("stage", "queue".into())];
        page.paragraph(&text(language, "dsn-said-by-us", &args));
        page.quote(&reply.to_line());
        page.blank();
    }
}

fn host(host: &RemoteHost) -> String {
    let name = escaped(&host.name);
    match host.address {
        Some(address) if !host.is_literal() => format!("{name} ({})", address.ip()),
        Some(_) | None => name.to_string(),
    }
}

fn quote_remote(page: &mut Page, reply: &RemoteReply) {
    let mut room = MAX_SHOWN;
    for line in reply.wire_lines().take(MAX_QUOTED_LINES) {
        let cut: String = line.chars().take(room).collect();
        room -= cut.chars().count();
        page.quote(&escaped(&cut).to_string());
        if room == 0 {
            break;
        }
    }
    if reply.lines.is_empty() {
        page.quote(&reply.to_line());
    }
    if room == 0 || reply.lines.len() > MAX_QUOTED_LINES {
        page.quote("[...]");
    }
}

fn write_explanation(page: &mut Page, explanation: &Explanation, language: Language) {
    let args = [("title", explanation.title.into())];
    page.paragraph(&text(language, "dsn-meaning", &args));
    page.markdown(explanation.meaning);
    page.paragraph(&text(language, "dsn-fix", &[]));
    page.markdown(explanation.fix);
}

/// Whether sending the message again helps.
fn write_again(
    page: &mut Page,
    told: &Told<'_>,
    explanation: Option<&Explanation>,
    language: Language,
) {
    let sentence = match &told.news {
        News::Done(_) | News::Expanded => return,
        News::Expired(_) => text(language, "dsn-again-expired", &[]),
        News::Delayed { next_at, until } => {
            let (next, until) = (IsoDate(*next_at).to_string(), IsoDate(*until).to_string());
            let args = [("next", (&next).into()), ("until", (&until).into())];
            text(language, "dsn-again-delayed", &args)
        }
        News::Refused => match explanation.map(|explanation| explanation.retry) {
            Some(Retry::No) => text(language, "dsn-again-no", &[]),
            Some(Retry::Yes | Retry::AfterChange | Retry::NoneNeeded | Retry::Continue) | None => {
                text(language, "dsn-again-after-change", &[])
            }
        },
    };
    page.paragraph(&sentence);
}

/// A plain text that grows line by line.
struct Page {
    out: String,
}

impl Page {
    const fn new() -> Self {
        Self { out: String::new() }
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn blank(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A wrapped paragraph and an empty line.
    fn paragraph(&mut self, text: &str) {
        self.wrap("", "", text);
        self.blank();
    }

    /// Somebody's words: indented, never wrapped.
    fn quote(&mut self, words: &str) {
        self.out.push_str("    ");
        self.line(words);
    }

    /// The catalogue's paragraphs and lists, indented and wrapped.
    fn markdown(&mut self, text: &str) {
        for line in text.lines() {
            if let Some(item) = line.strip_prefix("- ") {
                self.wrap("  - ", "    ", item);
            } else if line.is_empty() {
                self.blank();
            } else {
                self.wrap("  ", "  ", line);
            }
        }
        self.blank();
    }

    /// One paragraph: `first` in front of its first line, `next` in front of the others. A no-break space does not
    /// break.
    fn wrap(&mut self, first: &str, next: &str, text: &str) {
        self.out.push_str(first);
        let mut column = first.len();
        let mut at_start = true;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let width = word.chars().count();
            if !at_start && column + 1 + width > WIDTH {
                self.out.push('\n');
                self.out.push_str(next);
                column = next.len();
            } else if !at_start {
                self.out.push(' ');
                column += 1;
            }
            self.out.push_str(word);
            column += width;
            at_start = false;
        }
        self.out.push('\n');
    }
}
