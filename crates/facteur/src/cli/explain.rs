//! `facteur explain`: what a code, a reply or a pasted line means, who must act, and whether retrying helps.

use std::io::{self, Read as _};

use facteur_console::view;
use facteur_replies::{
    Basis, EnhancedCode, Explanation, Language, ReplyCode, Topic, entry, explain,
};

use crate::error::{CliError, Kind};
use crate::ui::{Screen, Tone, shown};

/// The most that is read from standard input, in octets.
const MAX_INPUT: u64 = 1 << 20;

/// The most different replies explained in one go.
const MAX_REPLIES: usize = 50;

/// Explains what was typed, or each reply found on standard input for `-`.
pub(crate) fn run(what: &[String], screen: &mut Screen) -> Result<(), CliError> {
    let found = match what {
        [dash] if dash == "-" => from_stdin()?,
        words => from_words(&words.join(" ")).into_iter().collect(),
    };
    if found.is_empty() {
        let asked = shown(&what.join(" "));
        let error = CliError::new(
            Kind::NotFound,
            screen.text("explain-nothing-found", &[("asked", (&asked).into())]),
        );
        return Err(error.hint(screen.text("explain-nothing-found-hint", &[])));
    }
    for (i, question) in found.iter().enumerate() {
        let explanation = question.explain(screen.language);
        if screen.json {
            screen.json(&view::explanation(&explanation, question.line()))?;
        } else {
            if i > 0 {
                screen.blank()?;
            }
            show(&explanation, question.line(), screen)?;
        }
    }
    Ok(())
}

/// What is to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Question {
    /// A code or a key, as typed.
    Topic(Topic),
    /// The codes found in a line, and the line.
    Line {
        code: Option<ReplyCode>,
        enhanced: Option<EnhancedCode>,
        line: String,
    },
}

impl Question {
    fn explain(&self, language: Language) -> Explanation {
        match self {
            Self::Topic(topic) => topic.explain(language),
            Self::Line { code, enhanced, .. } => explain(*code, *enhanced, language),
        }
    }

    /// The line to quote above the explanation.
    fn line(&self) -> Option<&str> {
        match self {
            Self::Topic(_) => None,
            Self::Line { line, .. } => Some(line),
        }
    }
}

fn from_words(words: &str) -> Option<Question> {
    Topic::parse(words)
        .map(Question::Topic)
        .or_else(|| from_line(words))
}

fn from_stdin() -> Result<Vec<Question>, CliError> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(MAX_INPUT).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut found: Vec<Question> = Vec::new();
    for question in text.lines().filter_map(from_line) {
        if !found.iter().any(|known| same_codes(known, &question)) {
            found.push(question);
        }
        if found.len() == MAX_REPLIES {
            break;
        }
    }
    Ok(found)
}

fn same_codes(a: &Question, b: &Question) -> bool {
    match (a, b) {
        (
            Question::Line {
                code: c1,
                enhanced: e1,
                ..
            },
            Question::Line {
                code: c2,
                enhanced: e2,
                ..
            },
        ) => (c1, e1) == (c2, e2),
        (Question::Topic(_), _) | (_, Question::Topic(_)) => a == b,
    }
}

/// The first reply in a line: a basic code at a word's start with an optional enhanced code behind it, else an
/// enhanced code alone (`dsn=5.1.10`, `(#5.7.1)`).
fn from_line(line: &str) -> Option<Question> {
    let words: Vec<&str> = line
        .split([
            ' ', '\t', '-', '(', ')', '[', ']', '=', ',', ';', ':', '#', '"', '<', '>',
        ])
        .collect();
    let mut basic = None;
    let mut enhanced = None;
    for (i, word) in words.iter().enumerate() {
        if basic.is_none() && word.len() == 3 {
            let code = word
                .parse()
                .ok()
                .and_then(ReplyCode::new)
                .filter(|code| (200..600).contains(&code.number()));
            if code.is_some() {
                basic = code;
                enhanced = words
                    .get(i + 1)
                    .and_then(|next| EnhancedCode::parse(next))
                    .or(enhanced);
                break;
            }
        }
        if enhanced.is_none() {
            enhanced = EnhancedCode::parse(word);
        }
    }
    (basic.is_some() || enhanced.is_some()).then(|| Question::Line {
        code: basic,
        enhanced,
        line: shown(line),
    })
}

/// One explanation on the screen.
pub(crate) fn show(
    explanation: &Explanation,
    line: Option<&str>,
    screen: &mut Screen,
) -> Result<(), CliError> {
    let title = screen.text(
        "explain-title",
        &[
            ("code", (&codes(explanation)).into()),
            ("title", explanation.title.into()),
        ],
    );
    screen.line(Tone::Strong, &title)?;
    if let Some(line) = line {
        screen.paragraph(Tone::Quiet, 2, line)?;
    }
    if matches!(
        explanation.basis,
        Basis::Class | Basis::Subject | Basis::Unknown
    ) {
        screen.paragraph(Tone::Warning, 0, &explanation.basis_note())?;
    }
    for (label, words) in [
        ("label-meaning", explanation.meaning),
        ("label-when", explanation.when),
        ("label-fix", explanation.fix),
    ] {
        screen.blank()?;
        let label = screen.text(label, &[]);
        screen.line(Tone::Strong, &label)?;
        screen.markdown(2, words)?;
    }
    screen.blank()?;
    for (label, value) in [
        ("label-retry", explanation.retry_text()),
        ("label-who-acts", explanation.actors_text()),
        ("label-stages", explanation.stages_text()),
        ("label-speakers", explanation.speakers_text()),
        ("label-see", see(explanation)),
        ("label-rfc", explanation.rfc.to_owned()),
    ] {
        if !value.is_empty() {
            let label = screen.text(label, &[]);
            screen.field(&label, &value)?;
        }
    }
    Ok(())
}

/// The codes asked about, or the entry's key when there are none.
pub(crate) fn codes(explanation: &Explanation) -> String {
    match (explanation.code, explanation.enhanced) {
        (Some(code), Some(enhanced)) => format!("{code} {enhanced}"),
        (Some(code), None) => code.to_string(),
        (None, Some(enhanced)) => enhanced.to_string(),
        (None, None) => explanation.key.to_owned(),
    }
}

/// The look-alikes with their titles.
fn see(explanation: &Explanation) -> String {
    let alike = explanation
        .see
        .iter()
        .filter_map(|key| entry(key, explanation.language));
    alike
        .map(|alike| format!("{} ({})", alike.key, alike.title))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> String {
        match from_line(line) {
            Some(Question::Line { code, enhanced, .. }) => format!(
                "{} {}",
                code.map_or_else(|| "-".to_owned(), |code| code.to_string()),
                enhanced.map_or_else(|| "-".to_owned(), |enhanced| enhanced.to_string())
            ),
            Some(Question::Topic(_)) | None => "nothing".to_owned(),
        }
    }

    #[test]
    fn a_reply_is_found_in_what_people_paste() {
        for (line, codes) in [
            ("550 5.1.1 <a@b.test> no such user", "550 5.1.1"),
            ("550-5.7.26 Unauthenticated", "550 5.7.26"),
            ("354 go ahead, make my day", "354 -"),
            ("<** 556 5.1.10 null MX", "556 5.1.10"),
            (
                "status=bounced (host mx.test[192.0.2.1] said: 554 5.7.1 no (in reply to RCPT))",
                "554 5.7.1",
            ),
            ("to=<a@b.test>, dsn=4.4.3, status=deferred", "- 4.4.3"),
            ("sorry (#5.7.1)", "- 5.7.1"),
            ("hello world", "nothing"),
            ("600 what", "nothing"),
        ] {
            assert_eq!(found(line), codes, "{line}");
        }
    }
}
