//! What a program is told: an event as JSON with stable keys.

use facteur_mail::event::{Accepted, Decision, Event, Tried, TriedRecipient};
use facteur_mail::{Attempt, MachineDate, RetryReason, ReversePath, Said, Timestamp};
use facteur_replies::{Language, explain};
use serde_json::{Value, json};

use crate::config::{Hook, Topic};

/// The longest reply that is quoted, in characters.
const MAX_QUOTED: usize = 1_000;

/// A notice on its way to the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// For whom.
    pub(crate) hook: String,
    /// When it happened.
    pub(crate) at: Timestamp,
    /// The JSON.
    pub(crate) body: String,
}

/// The notices that an event means for a hook.
pub(crate) fn of(event: &Event<'_>, hook: &Hook) -> Vec<Notice> {
    let notice = |topic: Topic, at: Timestamp, data: Value| Notice {
        hook: hook.name.clone(),
        at,
        body: json!({
            "type": format!("message.{}", topic.name()),
            "timestamp": MachineDate(at).to_string(),
            "data": data,
        })
        .to_string(),
    };
    match event {
        Event::Accepted(accepted) if hook.topics.contains(&Topic::Accepted) => {
            vec![notice(Topic::Accepted, accepted.at, of_accepted(accepted))]
        }
        Event::Tried(tried) => tried
            .recipients
            .iter()
            .filter_map(|recipient| {
                let topic = topic(recipient.decision);
                let wanted = hook.topics.contains(&topic);
                wanted.then(|| {
                    notice(
                        topic,
                        tried.at,
                        of_recipient(tried, recipient, hook.language),
                    )
                })
            })
            .collect(),
        Event::Accepted(_)
        | Event::Refused(_)
        | Event::Reported(_)
        | Event::NotReported(_)
        | Event::Operated(_)
        | Event::Ended { .. }
        | _ => Vec::new(),
    }
}

const fn topic(decision: Decision) -> Topic {
    match decision {
        Decision::Delivered(_) => Topic::Delivered,
        Decision::RetryAt { .. } => Topic::Deferred,
        Decision::Bounced => Topic::Bounced,
        Decision::Expired => Topic::Expired,
    }
}

fn of_accepted(accepted: &Accepted<'_>) -> Value {
    let envelope = accepted.envelope;
    let recipients = envelope.recipients.iter();
    json!({
        "queue_id": accepted.id.to_string(),
        "message_id": accepted.message_id,
        "sender": sender(&envelope.sender),
        "recipients": recipients.map(|to| to.address.to_string()).collect::<Vec<_>>(),
        "message_size": accepted.octets,
        "client": envelope.client.ip.map(|ip| ip.to_string()),
    })
}

fn of_recipient(tried: &Tried<'_>, recipient: &TriedRecipient<'_>, language: Language) -> Value {
    let next = match recipient.decision {
        Decision::RetryAt { when, why } => Some((MachineDate(when).to_string(), reason(why))),
        Decision::Delivered(_) | Decision::Bounced | Decision::Expired => None,
    };
    json!({
        "queue_id": tried.id.to_string(),
        "sender": sender(&tried.envelope.sender),
        "recipient": recipient.recipient.address.to_string(),
        "original_recipient": recipient.recipient.orcpt.as_ref().map(|orcpt| orcpt.address.to_string()),
        "envelope_id": tried.envelope.envid.as_ref().map(|envid| envid.0.to_string()),
        "arrival_time": MachineDate(tried.envelope.arrived).to_string(),
        "attempts": recipient.attempts,
        "next_try": next.as_ref().map(|(when, _)| when),
        "reason": next.as_ref().map(|(_, why)| why),
        "last_attempt": of_attempt(recipient.attempt, language),
    })
}

fn of_attempt(attempt: &Attempt, language: Language) -> Value {
    let (code, enhanced) = (attempt.said.code(), attempt.said.enhanced());
    let explanation = explain(Some(code), enhanced, language);
    let line = attempt.said.to_line();
    json!({
        "time": MachineDate(attempt.at).to_string(),
        "seconds": attempt.took.as_secs_f64(),
        "host": attempt.host.as_ref().map(|host| host.name.to_string()),
        "host_address": attempt.host.as_ref().and_then(|host| host.address).map(|address| address.to_string()),
        "stage": attempt.stage.name(),
        "speaker": match &attempt.said { Said::ByUs(_) => "us", Said::ByPeer(_) => "peer" },
        "reply": line.chars().take(MAX_QUOTED).collect::<String>(),
        "code": code.number(),
        "enhanced": enhanced.map(|enhanced| enhanced.to_string()),
        "explain": {
            "key": explanation.key,
            "language": language.tag(),
            "title": explanation.title,
            "meaning": explanation.meaning,
            "fix": explanation.fix,
            "retry": explanation.retry.name(),
            "who_acts": explanation.who_acts.iter().map(|actor| actor.name()).collect::<Vec<_>>(),
            "category": explanation.category.name(),
        },
    })
}

fn sender(path: &ReversePath) -> String {
    path.to_string()
}

const fn reason(why: RetryReason) -> &'static str {
    match why {
        RetryReason::New => "new",
        RetryReason::Backoff => "backoff",
        RetryReason::DestinationDown => "destination-down",
        RetryReason::Interrupted => "interrupted",
        RetryReason::Operator => "operator",
    }
}
