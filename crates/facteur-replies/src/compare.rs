//! Two replies side by side: the differences that matter.
//!
//! What is known as facts (class, stage, speaker, retry, who acts, subject) is put into whole sentences of
//! the reader's language; the definitions of the two are never pasted together. Where people really
//! confuse two replies, somebody has written a page about them, and that comes first.

use crate::catalogue::{self, PairText};
use crate::code::Class;
use crate::explain::Explanation;
use crate::lang::Language;
use crate::text::{Value, text};
use crate::topic::Topic;
use crate::vocabulary::{Actor, Retry, Speaker, Stage};

/// Two explanations and what tells them apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// What the comparison is called.
    pub title: String,
    /// The first reply.
    pub left: Explanation,
    /// The second reply.
    pub right: Explanation,
    /// Whether there is a point of the dialogue at which either may be the answer.
    pub same_command: bool,
    /// The page somebody wrote about the two, if there is one.
    pub written: Option<&'static PairText>,
    /// One sentence for each fact, the most telling first.
    pub lines: Vec<String>,
}

/// Compares two topics in the reader's language.
#[must_use]
pub fn compare(left: &Topic, right: &Topic, language: Language) -> Comparison {
    let sides = Sides {
        language,
        a: left.to_string(),
        b: right.to_string(),
        left: left.explain(language),
        right: right.explain(language),
    };
    let shared = shared_stages(sides.left.stages, sides.right.stages);
    let written = catalogue::find_pair(sides.left.key, sides.right.key, language);
    let mut lines = if sides.left.key == sides.right.key {
        vec![sides.same_entry_line()]
    } else {
        vec![
            sides.stage_line(&shared),
            sides.speaker_line(),
            sides.category_line(),
        ]
    };
    lines.extend(sides.class_line(left.class(), right.class()));
    lines.push(sides.retry_line());
    lines.push(sides.actor_line());
    Comparison {
        title: written.map_or_else(
            || sides.say("compare-title", &[]),
            |written| written.title.to_owned(),
        ),
        same_command: shared.iter().any(|stage| *stage != Stage::Queue),
        left: sides.left,
        right: sides.right,
        written,
        lines,
    }
}

struct Sides {
    language: Language,
    a: String,
    b: String,
    left: Explanation,
    right: Explanation,
}

impl Sides {
    fn say(&self, id: &str, more: &[(&str, Value<'_>)]) -> String {
        let mut args = vec![("a", Value::from(&self.a)), ("b", Value::from(&self.b))];
        args.extend_from_slice(more);
        text(self.language, id, &args)
    }

    fn same_entry_line(&self) -> String {
        self.say("compare-same-entry", &[("title", self.left.title.into())])
    }

    fn stage_line(&self, shared: &[Stage]) -> String {
        let left = stages(self.language, self.left.stages);
        let right = stages(self.language, self.right.stages);
        if shared.is_empty() {
            let args = [("left", (&left).into()), ("right", (&right).into())];
            self.say("compare-stages-apart", &args)
        } else {
            let shared = stages(self.language, shared);
            self.say("compare-stages-shared", &[("shared", (&shared).into())])
        }
    }

    /// Nothing where one of the two is a key without a class.
    fn class_line(&self, left: Option<Class>, right: Option<Class>) -> Option<String> {
        let (left, right) = left.zip(right)?;
        let args = [
            ("class", left.name().into()),
            ("left", left.name().into()),
            ("right", right.name().into()),
        ];
        let id = if left == right {
            "compare-class-same"
        } else {
            "compare-class-apart"
        };
        Some(self.say(id, &args))
    }

    fn speaker_line(&self) -> String {
        let left = speakers(self.language, self.left.speakers);
        let right = speakers(self.language, self.right.speakers);
        self.same_or_apart("compare-speakers", &left, &right)
    }

    fn retry_line(&self) -> String {
        self.same_or_apart(
            "compare-retry",
            self.left.retry.name(),
            self.right.retry.name(),
        )
    }

    fn actor_line(&self) -> String {
        let left = actors(self.language, self.left.who_acts);
        let right = actors(self.language, self.right.who_acts);
        self.same_or_apart("compare-actors", &left, &right)
    }

    fn category_line(&self) -> String {
        let name = |explanation: &Explanation| {
            text(
                self.language,
                &format!("category-{}", explanation.category.name()),
                &[],
            )
        };
        self.same_or_apart("compare-category", &name(&self.left), &name(&self.right))
    }

    /// The message `{id}-same` with the one value, or `{id}-apart` with both.
    fn same_or_apart(&self, id: &str, left: &str, right: &str) -> String {
        if left == right {
            self.say(&format!("{id}-same"), &[("both", left.into())])
        } else {
            let args = [("left", left.into()), ("right", right.into())];
            self.say(&format!("{id}-apart"), &args)
        }
    }
}

impl Explanation {
    /// Who has to act, in the reader's language.
    #[must_use]
    pub fn actors_text(&self) -> String {
        actors(self.language, self.who_acts)
    }

    /// What the reply answers, in the reader's language.
    #[must_use]
    pub fn stages_text(&self) -> String {
        stages(self.language, self.stages)
    }

    /// Whose voice it is, in the reader's language.
    #[must_use]
    pub fn speakers_text(&self) -> String {
        speakers(self.language, self.speakers)
    }

    /// Whether trying again helps, as a sentence in the reader's language.
    #[must_use]
    pub fn retry_text(&self) -> String {
        text(self.language, retry_id(self.retry), &[])
    }
}

const fn retry_id(retry: Retry) -> &'static str {
    match retry {
        Retry::Yes => "retry-yes",
        Retry::No => "retry-no",
        Retry::AfterChange => "retry-after-change",
        Retry::NoneNeeded => "retry-none-needed",
        Retry::Continue => "retry-continue",
    }
}

/// The points at which both may be met: `any` stands for every command, which the opening of a connection
/// is not.
fn shared_stages(left: &[Stage], right: &[Stage]) -> Vec<Stage> {
    let met = |at: &[Stage], stage: Stage| {
        let command = !matches!(stage, Stage::Connect | Stage::Queue);
        at.contains(&stage) || command && at.contains(&Stage::Any)
    };
    let mut shared: Vec<Stage> = Stage::ALL
        .iter()
        .copied()
        .filter(|stage| left.contains(stage) || right.contains(stage))
        .filter(|stage| met(left, *stage) && met(right, *stage))
        .collect();
    if shared.contains(&Stage::Any) {
        shared.retain(|stage| matches!(stage, Stage::Connect | Stage::Any | Stage::Queue));
    }
    shared
}

fn stages(language: Language, stages: &[Stage]) -> String {
    let names = stages.iter().map(|stage| stage.name());
    enumeration(language, "list-or", "stage", names)
}

fn speakers(language: Language, speakers: &[Speaker]) -> String {
    let names = speakers.iter().map(|speaker| speaker.name());
    enumeration(language, "list-or", "speaker", names)
}

fn actors(language: Language, actors: &[Actor]) -> String {
    let names = actors.iter().map(|actor| actor.name());
    enumeration(language, "list-and", "actor", names)
}

/// `a, b and c`, each name shown by the message `{vocabulary}-{name}`.
fn enumeration(
    language: Language,
    last_join: &str,
    vocabulary: &str,
    names: impl Iterator<Item = &'static str>,
) -> String {
    let mut shown: Vec<String> = names
        .map(|name| text(language, &format!("{vocabulary}-{name}"), &[]))
        .collect();
    let last = shown.pop().unwrap_or_default();
    let mut shown = shown.into_iter();
    let Some(first) = shown.next() else {
        return last;
    };
    let head = shown.fold(first, |head, next| {
        let args = [("head", (&head).into()), ("next", (&next).into())];
        text(language, "list-comma", &args)
    });
    text(
        language,
        last_join,
        &[("head", (&head).into()), ("last", (&last).into())],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_command_meets_every_command_but_not_the_greeting() {
        assert_eq!(shared_stages(&[Stage::Any], &[Stage::Rcpt]), [Stage::Rcpt]);
        assert_eq!(
            shared_stages(&[Stage::Connect, Stage::Any], &[Stage::Any, Stage::Mail]),
            [Stage::Any]
        );
        assert_eq!(shared_stages(&[Stage::Any], &[Stage::Connect]), []);
        assert_eq!(shared_stages(&[Stage::Any], &[Stage::Queue]), []);
        assert_eq!(shared_stages(&[Stage::Data], &[Stage::EndOfData]), []);
    }

    #[test]
    fn an_enumeration_reads_as_its_language_does() {
        let all = [Actor::Sender, Actor::Recipient, Actor::SendingOperator];
        assert_eq!(
            actors(Language::English, &all),
            "the sender, the recipient and the sending server’s operator"
        );
        assert_eq!(
            actors(Language::French, &all),
            "l’expéditeur, le destinataire et l’administrateur du serveur d’envoi"
        );
        assert_eq!(actors(Language::French, &[Actor::Nobody]), "personne");
    }
}
