//! `facteur queue`: what waits, why, and until when. `list` and `show` read the spool beside a running server.

mod act;
mod summary;

use facteur_mail::text::size;
use facteur_mail::{Clock as _, QueueId};
use facteur_spool::Queued;
use serde_json::json;

use crate::args::Instance;
use crate::cli::{destinations, message, spool};
use crate::config::Config;
use crate::error::{CliError, Kind};
use crate::queue::{BadFilter, Filter, FilterSpec};
use crate::system::SystemClock;
use crate::ui::{Screen, Tone, shown};
use crate::wiring;

pub(crate) use act::act;
pub(crate) use summary::summary;

/// Lists the queued messages that fit the filter, oldest first.
pub(crate) fn list(
    spec: &FilterSpec,
    limit: Option<u64>,
    instance: &Instance,
    screen: &mut Screen,
) -> Result<(), CliError> {
    let filter = filter(spec, screen)?;
    let reader = spool::open(instance, screen)?;
    let now = SystemClock.now();
    let mut count = 0_u64;
    let mut unread = None;
    let mut has_more = false;
    for queued in reader.queued() {
        let queued = match queued {
            Ok(queued) => queued,
            Err(error) => {
                unread = Some(error);
                continue;
            }
        };
        if !filter.fits(&queued, now) {
            continue;
        }
        if limit == Some(count) {
            has_more = true;
            break;
        }
        count += 1;
        if screen.json {
            screen.json(&message::to_json(&queued, screen))?;
        } else {
            show_line(&queued, screen)?;
        }
    }
    if !screen.json {
        let id = match (has_more, spec.is_empty()) {
            (true, _) => "queue-count-first",
            (false, true) => "queue-count",
            (false, false) => "queue-count-fit",
        };
        let total = screen.text(id, &[("count", count.into())]);
        screen.line(Tone::Strong, &total)?;
    }
    match unread {
        None => Ok(()),
        Some(error) => {
            let config = Config::of(instance, screen.language, screen.color)?;
            let directory = wiring::spool_directory(&config).display().to_string();
            Err(spool::cannot_read(&shown(&directory), &error, screen))
        }
    }
}

/// Shows one message whole.
pub(crate) fn show(id: &str, instance: &Instance, screen: &mut Screen) -> Result<(), CliError> {
    let wanted = QueueId::parse(id).ok_or_else(|| bad_id(id, screen))?;
    let reader = spool::open(instance, screen)?;
    let queued = spool::message(&reader, wanted, screen)?.ok_or_else(|| not_queued(id, screen))?;
    if screen.json {
        return Ok(screen.json(&json!(message::to_json(&queued, screen)))?);
    }
    message::show(&queued, screen)?;
    destinations::show_what_keeps_back(&queued, instance, screen)
}

/// The error for a message that is not, or no longer, in the queue.
pub(crate) fn not_queued(what: &str, screen: &Screen) -> CliError {
    let what = shown(what);
    CliError::new(
        Kind::NotFound,
        screen.text("queue-not-there", &[("what", (&what).into())]),
    )
    .hint(screen.text("queue-not-there-hint", &[]))
}

fn show_line(queued: &Queued, screen: &mut Screen) -> Result<(), CliError> {
    let now = SystemClock.now();
    let id = queued.id.to_string();
    let age = message::in_words(now.since(queued.envelope.arrived), screen);
    let size = size(queued.octets, screen.language);
    let sender = message::sender(queued);
    let args = [
        ("id", (&id).into()),
        ("age", (&age).into()),
        ("size", (&size).into()),
        ("sender", (&sender).into()),
    ];
    let title = screen.text("queue-line", &args);
    screen.line(Tone::Strong, &title)?;
    for (recipient, state) in queued.envelope.recipients.iter().zip(&queued.progress) {
        let (tone, state_line) = message::state_line(state, now, screen);
        let address = shown(&recipient.address.to_string());
        let args = [
            ("recipient", (&address).into()),
            ("state", (&state_line).into()),
        ];
        let line = screen.text("queue-recipient", &args);
        screen.paragraph(tone, 2, &line)?;
        if let Some(attempt) = state.last_attempt() {
            screen.paragraph(Tone::Quiet, 6, &shown(&attempt.said.to_line()))?;
        }
    }
    Ok(screen.blank()?)
}

/// A filter ready to be applied.
fn filter(spec: &FilterSpec, screen: &Screen) -> Result<Filter, CliError> {
    Filter::of(spec).map_err(|bad| {
        let (id, text) = match &bad {
            BadFilter::Domain(text) => ("queue-bad-domain", text),
            BadFilter::Reply(text) => ("queue-bad-reply", text),
            BadFilter::Category(text) => ("queue-bad-category", text),
        };
        let text = shown(text);
        CliError::new(Kind::Usage, screen.text(id, &[("text", (&text).into())]))
    })
}

fn bad_id(id: &str, screen: &Screen) -> CliError {
    let asked = shown(id);
    CliError::new(
        Kind::Usage,
        screen.text("queue-bad-id", &[("id", (&asked).into())]),
    )
}
