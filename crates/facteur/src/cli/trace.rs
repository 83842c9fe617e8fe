//! `facteur trace`: the story of a message, from the history and the spool together, also after it has gone.

mod dialogue;
mod json;
mod route;
mod sources;
mod story;

use facteur_history::{Refusal, Story};
use facteur_mail::QueueId;
use facteur_spool::Queued;

use crate::args::Instance;
use crate::cli::trace::sources::Sources;
use crate::cli::trace::story::Teller;
use crate::error::{CliError, Kind};
use crate::ui::{Screen, Tone, shown};

/// The most messages and refusals that one name tells of: the latest.
const MAX_TOLD: usize = 50;

/// What is known of one message.
struct Known {
    id: QueueId,
    /// By the history.
    story: Option<Story>,
    /// By the spool, as long as it is queued.
    queued: Option<Queued>,
}

/// Everything that a name stands for.
#[derive(Default)]
struct Answer {
    /// The earliest first.
    messages: Vec<Known>,
    /// The earliest first.
    refusals: Vec<Refusal>,
    /// Whether there are more than [`MAX_TOLD`].
    more: bool,
}

/// Tells the story of each message that `subject` means: a queue id, a Message-ID or an address.
pub(crate) fn run(
    subject: &str,
    brief: bool,
    instance: &Instance,
    screen: &mut Screen,
) -> Result<(), CliError> {
    let sources = Sources::open(instance, screen)?;
    let answer = match QueueId::parse(subject) {
        Some(id) => by_id(id, &sources, screen)?,
        None => by_name(subject, &sources, screen)?,
    };
    if answer.messages.is_empty() && answer.refusals.is_empty() {
        return Err(not_known(subject, &sources, screen));
    }
    if screen.json {
        return json::tell(&answer, &sources, screen);
    }
    for note in sources.notes(screen) {
        screen.paragraph(Tone::Warning, 0, &note)?;
        screen.blank()?;
    }
    for (number, known) in answer.messages.iter().enumerate() {
        if number > 0 {
            screen.blank()?;
        }
        Teller::new(screen, brief).tell(known, &sources)?;
    }
    if !answer.messages.is_empty() && !answer.refusals.is_empty() {
        screen.blank()?;
    }
    Teller::new(screen, brief).refusals(&answer.refusals)?;
    if answer.more {
        screen.blank()?;
        let count = u64::try_from(MAX_TOLD).unwrap_or(u64::MAX);
        let more = screen.text("trace-more", &[("count", count.into())]);
        screen.paragraph(Tone::Warning, 0, &more)?;
    }
    Ok(())
}

fn by_id(id: QueueId, sources: &Sources, screen: &Screen) -> Result<Answer, CliError> {
    let known = Known {
        id,
        story: sources.story(id),
        queued: sources.queued(id, screen)?,
    };
    let mut answer = Answer::default();
    if known.story.is_some() || known.queued.is_some() {
        answer.messages.push(known);
    }
    Ok(answer)
}

/// The latest messages from or to an address, or with a Message-ID: by the index of the history, and what the history
/// may not know by looking through the queue.
fn by_name(subject: &str, sources: &Sources, screen: &Screen) -> Result<Answer, CliError> {
    let name = subject.trim_start_matches('<').trim_end_matches('>');
    let found = sources.find(name, MAX_TOLD);
    let mut answer = Answer {
        more: found.more,
        refusals: found.refusals,
        ..Answer::default()
    };
    for story in found.stories {
        answer.messages.push(Known {
            id: story.id,
            queued: sources.queued(story.id, screen)?,
            story: Some(story),
        });
    }
    let room = MAX_TOLD.saturating_sub(answer.messages.len() + answer.refusals.len());
    let known: Vec<QueueId> = answer.messages.iter().map(|known| known.id).collect();
    let (queued, more) = sources.search_queue(name, &known, room, screen)?;
    answer.more |= more;
    for queued in queued {
        answer.messages.push(Known {
            id: queued.id,
            story: sources.story(queued.id),
            queued: Some(queued),
        });
    }
    answer.messages.sort_by_key(|known| known.id);
    answer.refusals.reverse();
    Ok(answer)
}

/// The error for what neither the history nor the queue knows.
fn not_known(subject: &str, sources: &Sources, screen: &Screen) -> CliError {
    let what = shown(subject);
    let error = CliError::new(
        Kind::NotFound,
        screen.text("trace-not-known", &[("what", (&what).into())]),
    );
    let hints = sources.hints(screen).into_iter();
    hints.fold(error, CliError::hint)
}
