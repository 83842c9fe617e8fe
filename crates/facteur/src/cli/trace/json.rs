//! Stories as JSON, a line each, with stable keys.

use facteur_console::view;
use facteur_history::{Entry, Gap, Refusal, Tried, TriedRecipient};
use facteur_mail::event::{Decision, MxAnswer, RouteRule, RouteTaken};
use facteur_mail::transcript::{Line, Words};
use facteur_mail::{
    Clock as _, Delivery, Envelope, MachineDate, RemoteHost, Said, Timestamp, Transcript,
};
use serde_json::{Value, json};

use crate::cli::message;
use crate::cli::trace::sources::Sources;
use crate::cli::trace::{Answer, Known, MAX_TOLD, route};
use crate::error::CliError;
use crate::system::SystemClock;
use crate::ui::Screen;

/// A line for each message, for each refusal, and one that says so if there are more.
pub(crate) fn tell(
    answer: &Answer,
    sources: &Sources,
    screen: &mut Screen,
) -> Result<(), CliError> {
    for known in &answer.messages {
        let line = message(known, sources, screen);
        screen.json(&line)?;
    }
    for refusal in &answer.refusals {
        let line = refused(refusal, screen);
        screen.json(&line)?;
    }
    if answer.more {
        screen.json(&json!({"more": true, "limit": MAX_TOLD}))?;
    }
    Ok(())
}

/// The keys of `queue show`, as far as the message is queued, with what the history adds.
fn message(known: &Known, sources: &Sources, screen: &Screen) -> Value {
    let story = known.story.as_ref();
    let accepted = story.and_then(|story| story.accepted());
    let mut value = match (&known.queued, accepted) {
        (Some(queued), _) => message::to_json(queued, screen),
        (None, Some(accepted)) => gone(&accepted.envelope, accepted.octets),
        (None, None) => json!({}),
    };
    let ended = story.and_then(facteur_history::Story::ended);
    let until = ended.unwrap_or_else(|| SystemClock.now());
    let gaps = sources.gaps_around(known.id.moment(), until).map(gap);
    let events = story.iter().flat_map(|story| &story.entries);
    let more = json!({
        "queue_id": known.id.to_string(),
        "message_id": accepted.and_then(|accepted| accepted.message_id.as_deref()),
        "queued": known.queued.is_some(),
        "ended": ended.map(time),
        "history": {
            "state": sources.state(),
            "since": sources.since().map(time),
            "covers": sources.has_history_since(known.id.moment()),
            "gaps": gaps.collect::<Vec<_>>(),
            "cut": story.is_some_and(|story| story.cut),
            "troubles": sources.troubles(),
        },
        "events": events.filter_map(|entry| event(entry, screen)).collect::<Vec<_>>(),
    });
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}

/// A message that has left the queue.
fn gone(envelope: &Envelope, octets: u64) -> Value {
    json!({
        "message_size": octets,
        "arrival_time": time(envelope.arrived),
        "sender": envelope.sender.to_string(),
        "client": {
            "address": envelope.client.ip.map(|ip| ip.to_string()),
            "helo": envelope.client.helo,
        },
        "recipients": envelope.recipients.iter().map(|recipient| json!({
            "address": recipient.address.to_string(),
            "orig_address": recipient.orcpt.as_ref().map(|orcpt| orcpt.address.to_string()),
        })).collect::<Vec<_>>(),
    })
}

fn time(at: Timestamp) -> String {
    MachineDate(at).to_string()
}

fn gap(gap: &Gap) -> Value {
    json!({"from": time(gap.from), "to": time(gap.to), "events": gap.events, "why": gap.why.name()})
}

fn event(entry: &Entry, screen: &Screen) -> Option<Value> {
    let at = time(entry.at());
    Some(match entry {
        Entry::Accepted(accepted) => json!({
            "event": "accepted",
            "time": at,
            "recipients": accepted.envelope.recipients.iter().map(|it| it.address.to_string()).collect::<Vec<_>>(),
        }),
        Entry::Tried(it) => tried(it, screen),
        Entry::Reported(it) => json!({
            "event": "reported",
            "time": at,
            "report": it.id.to_string(),
            "to": it.to.to_string(),
            "recipients": it.told.iter().map(|(address, action)| json!({
                "address": address.to_string(),
                "action": action,
            })).collect::<Vec<_>>(),
        }),
        Entry::ReportAbout { about, .. } => {
            json!({"event": "report-about", "time": at, "about": about.to_string()})
        }
        Entry::NotReported { why, .. } => {
            json!({"event": "not-reported", "time": at, "why": why.name()})
        }
        Entry::Operated(deed) => json!({
            "event": "operated",
            "time": at,
            "verb": deed.verb.name(),
            "who": deed.who,
            "why": deed.why,
            "until": deed.until.map(time),
        }),
        Entry::Ended { .. } => json!({"event": "ended", "time": at}),
        _ => return None,
    })
}

fn tried(tried: &Tried, screen: &Screen) -> Value {
    json!({
        "event": "tried",
        "time": time(tried.at),
        "destination": tried.destination,
        "route": tried.route.as_ref().map(taken),
        "dialogue": said(&tried.transcript, screen),
        "recipients": tried.recipients.iter().map(|it| recipient(it, screen)).collect::<Vec<_>>(),
    })
}

fn taken(taken: &RouteTaken) -> Value {
    let (by, name) = match &taken.by {
        RouteRule::Mx(name) => ("mx", name),
        RouteRule::Literal(name) => ("literal", name),
        RouteRule::Route { pattern, .. } => ("route", pattern),
        RouteRule::Deliver { domain, .. } => ("deliver", domain),
        RouteRule::Maildir(name) => ("maildir", name),
    };
    json!({
        "by": by,
        "rule": name,
        "to": route::subject(&taken.by),
        "mx": taken.mx.as_ref().map(mx),
        "plan": taken.plan,
        "hosts": taken.hosts.iter().map(|host| json!({
            "name": host.name,
            "preference": host.preference,
            "implicit": host.implicit,
            "addresses": host.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "findings": taken.findings.iter().map(|finding| json!({
            "finding": finding.name,
            "host": finding.host,
            "value": finding.value,
        })).collect::<Vec<_>>(),
    })
}

fn mx(mx: &MxAnswer) -> Value {
    let (answer, records, ttl, failure) = match mx {
        MxAnswer::Found { records, ttl } => ("records", records.as_slice(), Some(ttl), None),
        MxAnswer::NoRecords => ("no-records", &[][..], None, None),
        MxAnswer::NoSuchDomain => ("no-such-domain", &[][..], None, None),
        MxAnswer::Failed(name) => ("failed", &[][..], None, Some(name)),
    };
    json!({
        "answer": answer,
        "records": records.iter().map(|(preference, exchange)| json!({
            "preference": preference,
            "exchange": exchange,
        })).collect::<Vec<_>>(),
        "ttl": ttl.map(std::time::Duration::as_secs),
        "failure": failure,
    })
}

fn recipient(it: &TriedRecipient, screen: &Screen) -> Value {
    let (delivery, next_try, reason) = match it.decision {
        Decision::Delivered(delivery) => (
            Some(match delivery {
                Delivery::Mailbox => "mailbox",
                Delivery::HandedOn => "handed-on",
                Delivery::Relayed => "relayed",
            }),
            None,
            None,
        ),
        Decision::RetryAt { when, why } => {
            (None, Some(time(when)), Some(message::reason_name(why)))
        }
        Decision::Bounced | Decision::Expired => (None, None, None),
    };
    json!({
        "address": it.address.to_string(),
        "attempts": it.attempts,
        "decision": it.decision.name(),
        "delivery": delivery,
        "next_try": next_try,
        "reason": reason,
        "began": time(it.attempt.at),
        "took_ms": u64::try_from(it.attempt.took.as_millis()).unwrap_or(u64::MAX),
        "host": it.attempt.host.as_ref().map(host),
        "stage": it.attempt.stage.name(),
        "speaker": match &it.attempt.said { Said::ByUs(_) => "us", Said::ByPeer(_) => "peer" },
        "reply": it.attempt.said.to_line(),
        "explain": view::explanation(&message::explained(&it.attempt.said, screen), None),
    })
}

fn host(host: &RemoteHost) -> Value {
    json!({"name": host.name, "address": host.address.map(|address| address.to_string())})
}

/// The dialogue with the keys of `facteur send --json`.
fn said(transcript: &Transcript, screen: &Screen) -> Vec<Value> {
    let left_out = transcript.left_out();
    let gap = (left_out > 0).then(|| json!({"event": "left-out", "lines": left_out}));
    let first = transcript.first().iter().map(|it| line(it, screen));
    let last = transcript.last().map(|it| line(it, screen));
    first.chain(gap).chain(last).collect()
}

fn line(line: &Line, screen: &Screen) -> Value {
    let stage = line.stage.name();
    match &line.words {
        Words::Connecting(it) => json!({"event": "connecting", "to": host(it)}),
        Words::Reusing(it) => json!({"event": "reusing", "to": host(it)}),
        Words::Sent(command) => json!({"event": "sent", "stage": stage, "command": command}),
        Words::Content(octets) => json!({"event": "content", "octets": octets}),
        Words::Heard(reply) => json!({
            "event": "heard",
            "stage": stage,
            "lines": reply.wire_lines().collect::<Vec<_>>(),
            "key": reply.explain(screen.language).key,
        }),
        Words::Noted(reply) => json!({"event": "noted", "stage": stage, "reply": reply.to_line()}),
    }
}

fn refused(refusal: &Refusal, screen: &Screen) -> Value {
    json!({
        "event": "refused",
        "time": time(refusal.at),
        "stage": refusal.stage.map(facteur_mail::Stage::name),
        "client": {
            "address": refusal.client.map(|ip| ip.to_string()),
            "helo": refusal.helo,
        },
        "sender": refusal.sender.as_ref().map(ToString::to_string),
        "recipient": refusal.recipient.as_ref().map(ToString::to_string),
        "reply": refusal.reply.to_line(),
        "explain": view::explanation(&refusal.reply.explain(screen.language), None),
    })
}
