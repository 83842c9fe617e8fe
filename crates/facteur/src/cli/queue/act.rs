//! `facteur queue hold`, `release`, `retry`, `bounce`, `delete`: through the server that runs, or on the spool itself
//! where none does.

use std::sync::Arc;

use facteur_mail::text::size;
use facteur_mail::{Clock, IsoDate, MachineDate, Observer, Observers, QueueId, Timestamp};
use facteur_replies::Value;
use facteur_spool::Spool as _;
use facteur_spool_local::LocalSpool;
use serde_json::json;

use crate::args::Instance;
use crate::cli::{message, server, spool};
use crate::config::Config;
use crate::control::protocol::{Answer, Request};
use crate::control::{Answers, Peer, Stop};
use crate::error::{CliError, Kind};
use crate::queue::{
    Act, Acted, ActedRecipient, MAX_IDS, Operator, Outcome, QueueRequest, RecipientDeed,
};
use crate::system::SystemClock;
use crate::ui::{Screen, Tone, shown};
use crate::{failure, wiring, witnesses};

/// Does it, and shows what was done to each message.
pub(crate) fn act(
    request: QueueRequest,
    instance: &Instance,
    screen: &mut Screen,
) -> Result<(), CliError> {
    check(&request, screen)?;
    let mut tally = Tally::new(&request);
    let asked = Request::Queue(Box::new(request.clone()));
    let mut hear = |answer: Answer, screen: &mut Screen| {
        let Answer::Message(acted) = answer else {
            return Err(server::foreign(screen));
        };
        tally.hear(&acted, screen)
    };
    let served = server::ask_if_there(asked, instance, screen, &mut hear)?;
    if !served {
        directly(request, instance, screen, &mut hear)?;
    }
    tally.end(screen)
}

/// What the server would refuse without a word.
fn check(request: &QueueRequest, screen: &Screen) -> Result<(), CliError> {
    let usage = |text| Err(CliError::new(Kind::Usage, text));
    if request.ids.is_empty() && request.filter.is_empty() && !request.all {
        let nothing = CliError::new(Kind::Usage, screen.text("queue-act-which", &[]));
        return Err(nothing.hint(screen.text("queue-act-which-hint", &[])));
    }
    if request.ids.len() > MAX_IDS {
        let limit = u64::try_from(MAX_IDS).unwrap_or(u64::MAX);
        return usage(screen.text("queue-act-too-many", &[("limit", limit.into())]));
    }
    if let Some(id) = request.ids.iter().find(|id| QueueId::parse(id).is_none()) {
        return Err(super::bad_id(id, screen));
    }
    super::filter(&request.filter, screen).map(drop)
}

/// Acts on the spool of an instance that has no server, and says so.
fn directly(
    request: QueueRequest,
    instance: &Instance,
    screen: &mut Screen,
    hear: &mut impl FnMut(Answer, &mut Screen) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let config = Config::of(instance, screen.language, screen.color)?;
    let directory = spool::directory(&config, screen)?;
    let path = shown(&directory.display().to_string());
    if !screen.json {
        let note = screen.text("queue-act-directly", &[("path", (&path).into())]);
        screen.paragraph(Tone::Quiet, 0, &note)?;
        screen.blank()?;
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let opened = LocalSpool::open(wiring::spool(&config), Arc::clone(&clock));
    let (local, _) = opened.map_err(|error| spool::cannot_read(&path, &error, screen))?;
    let history = witnesses::history(&config, Arc::clone(&clock));
    let observer: Arc<dyn Observer> = match &history {
        Some(history) => Arc::clone(history) as _,
        None => Observers::nobody(),
    };
    let operator = Operator {
        spool: local.clone(),
        clock,
        observer,
        dispatch: None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let language = screen.language;
    let done = runtime.block_on(async {
        let (answers, mut given) = Answers::new();
        let work = tokio::spawn(async move {
            let peer = Peer::ourselves();
            operator.act(request, &peer, language, &answers).await
        });
        while let Some(answer) = given.recv().await {
            hear(answer, screen)?;
        }
        Ok::<_, CliError>(work.await)
    });
    // What was begun is finished: the runtime waits for the spool, whatever became of the screen.
    let closed = runtime.block_on(local.close());
    if let Some(history) = history {
        // What it cannot keep, it says in the log of a server; here nobody reads one.
        history.close(witnesses::PATIENCE);
    }
    match done? {
        Ok(Err(Stop::Refused(refusal))) => return Err(server::refused(&refusal, screen)),
        Ok(Ok(()) | Err(Stop::Deaf)) | Err(_) => {}
    }
    closed.map_err(|error| {
        let words = failure::spool(&error, screen.language);
        let args = [("path", (&path).into()), ("words", (&words).into())];
        CliError::new(Kind::Spool, screen.text("spool-cannot-read", &args))
    })
}

/// What was done so far.
struct Tally {
    act: Act,
    dry_run: bool,
    messages: u64,
    recipients: u64,
    busy: u64,
    gone: u64,
    failed: u64,
}

impl Tally {
    const fn new(request: &QueueRequest) -> Self {
        Self {
            act: request.act,
            dry_run: request.dry_run,
            messages: 0,
            recipients: 0,
            busy: 0,
            gone: 0,
            failed: 0,
        }
    }

    fn hear(&mut self, acted: &Acted, screen: &mut Screen) -> Result<(), CliError> {
        match acted.outcome {
            Outcome::Done | Outcome::Would => self.messages += 1,
            Outcome::Unchanged => {}
            Outcome::Busy => self.busy += 1,
            Outcome::Gone => self.gone += 1,
            Outcome::Failed { .. } => self.failed += 1,
        }
        self.recipients += acted.changed;
        if screen.json {
            return Ok(screen.json(&to_json(self.act, acted))?);
        }
        show(acted, screen)
    }

    fn end(&self, screen: &mut Screen) -> Result<(), CliError> {
        if screen.json {
            screen.json(&json!({
                "total": {
                    "verb": self.act.verb().name(),
                    "dry_run": self.dry_run,
                    "messages": self.messages,
                    "recipients": self.recipients,
                    "busy": self.busy,
                    "not_found": self.gone,
                    "failed": self.failed,
                },
            }))?;
        } else {
            let id = if self.dry_run {
                "queue-total-would"
            } else {
                "queue-total-done"
            };
            let total = screen.text(id, &[("count", self.messages.into())]);
            screen.line(Tone::Strong, &total)?;
            if self.recipients > self.messages {
                let count = [("count", self.recipients.into())];
                let total = screen.text("queue-total-recipients", &count);
                screen.line(Tone::Plain, &total)?;
            }
            if self.busy > 0 {
                let busy = screen.text("queue-total-busy", &[("count", self.busy.into())]);
                screen.paragraph(Tone::Warning, 0, &busy)?;
            }
        }
        let kind = match self {
            Self { failed: 1.., .. } => Kind::Spool,
            Self { gone: 1.., .. } => Kind::NotFound,
            Self { busy: 1.., .. } => Kind::Negative,
            Self { .. } => return Ok(()),
        };
        Err(CliError::said(kind))
    }
}

fn show(acted: &Acted, screen: &mut Screen) -> Result<(), CliError> {
    let id = shown(&acted.id);
    let (tone, line) = match &acted.outcome {
        Outcome::Busy => (
            Tone::Warning,
            screen.text("queue-act-busy", &[("id", (&id).into())]),
        ),
        Outcome::Gone => (
            Tone::Warning,
            screen.text("queue-act-gone", &[("id", (&id).into())]),
        ),
        Outcome::Failed { words } => {
            let words = shown(words);
            let args = [("id", (&id).into()), ("words", Value::from(&words))];
            (Tone::Bad, screen.text("queue-act-failed", &args))
        }
        Outcome::Unchanged if acted.recipients.is_empty() => (
            Tone::Plain,
            screen.text("queue-act-unchanged", &[("id", (&id).into())]),
        ),
        Outcome::Done | Outcome::Would | Outcome::Unchanged => {
            (Tone::Strong, title(acted, &id, screen))
        }
    };
    screen.line(tone, &line)?;
    let mode = if acted.outcome == Outcome::Would {
        "would"
    } else {
        "done"
    };
    for recipient in &acted.recipients {
        show_recipient(recipient, mode, screen)?;
    }
    if acted.more > 0 {
        let more = screen.text("queue-act-more", &[("count", acted.more.into())]);
        screen.paragraph(Tone::Quiet, 2, &more)?;
    }
    Ok(screen.blank()?)
}

fn title(acted: &Acted, id: &str, screen: &Screen) -> String {
    let arrived = Timestamp::from_millis(acted.arrived);
    let age = message::in_words(SystemClock.now().since(arrived), screen);
    let size = size(acted.octets, screen.language);
    let sender = if acted.sender.is_empty() {
        "<>".to_owned()
    } else {
        shown(&acted.sender)
    };
    let args = [
        ("id", id.into()),
        ("age", (&age).into()),
        ("size", (&size).into()),
        ("sender", (&sender).into()),
    ];
    screen.text("queue-line", &args)
}

fn show_recipient(
    recipient: &ActedRecipient,
    mode: &str,
    screen: &mut Screen,
) -> Result<(), CliError> {
    let date = until(recipient.deed).map(|until| IsoDate(until).to_string());
    let deed = format!("deed-{}", recipient.deed.name());
    let args = [
        ("mode", mode.into()),
        ("date", date.as_deref().unwrap_or_default().into()),
    ];
    let deed_line = screen.text(&deed, &args);
    let address = shown(&recipient.address);
    let args = [
        ("recipient", (&address).into()),
        ("state", (&deed_line).into()),
    ];
    let line = screen.text("queue-recipient", &args);
    let tone = if recipient.deed.changes() {
        Tone::Plain
    } else {
        Tone::Warning
    };
    Ok(screen.paragraph(tone, 2, &line)?)
}

const fn until(deed: RecipientDeed) -> Option<Timestamp> {
    match deed {
        RecipientDeed::HeldUntil { until } => Some(Timestamp::from_millis(until)),
        RecipientDeed::Held
        | RecipientDeed::Released
        | RecipientDeed::Due
        | RecipientDeed::Bounced
        | RecipientDeed::BouncedUnreported
        | RecipientDeed::Deleted
        | RecipientDeed::NotHeld
        | RecipientDeed::StillHeld => None,
    }
}

fn to_json(act: Act, acted: &Acted) -> serde_json::Value {
    let words = match &acted.outcome {
        Outcome::Failed { words } => Some(words),
        Outcome::Done | Outcome::Would | Outcome::Unchanged | Outcome::Busy | Outcome::Gone => None,
    };
    json!({
        "queue_id": acted.id,
        "verb": act.verb().name(),
        "outcome": acted.outcome.name(),
        "error": words,
        "message_size": acted.octets,
        "arrival_time": acted.arrived / 1_000,
        "sender": acted.sender,
        "recipients": acted.recipients.iter().map(|recipient| json!({
            "address": recipient.address,
            "deed": recipient.deed.name(),
            "until": until(recipient.deed).map(|until| MachineDate(until).to_string()),
        })).collect::<Vec<_>>(),
        "changed_recipients": acted.changed,
        "more_recipients": acted.more,
    })
}
