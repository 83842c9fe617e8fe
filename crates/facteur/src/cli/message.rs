//! A queued message as people and programs see it: shared by `queue` and `trace`.

use std::time::Duration;

use facteur_mail::text::size;
use facteur_mail::{
    Attempt, Clock as _, Delivery, Envelope, Hold, IsoDate, MachineDate, Recipient, RecipientState,
    RemoteHost, Report, RetryReason, Said, Timestamp,
};
use facteur_replies::{Explanation, Value};
use facteur_spool::Queued;
use serde_json::json;

use crate::error::CliError;
use crate::system::SystemClock;
use crate::ui::{Screen, Tone, shown};

/// A duration in words, in its largest unit: "4 minutes".
pub(crate) fn in_words(duration: Duration, screen: &Screen) -> String {
    let seconds = duration.as_secs();
    let (id, count) = match seconds {
        0..60 => ("duration-seconds", seconds),
        60..3_600 => ("duration-minutes", seconds / 60),
        3_600..172_800 => ("duration-hours", seconds / 3_600),
        _ => ("duration-days", seconds / 86_400),
    };
    screen.text(id, &[("count", count.into())])
}

/// The sender as shown: `<>` for the null sender.
pub(crate) fn sender(queued: &Queued) -> String {
    let sender = queued.envelope.sender.to_string();
    if sender.is_empty() {
        "<>".to_owned()
    } else {
        shown(&sender)
    }
}

/// Everything about one message.
pub(crate) fn show(queued: &Queued, screen: &mut Screen) -> Result<(), CliError> {
    let now = SystemClock.now();
    screen.line(Tone::Strong, &queued.id.to_string())?;
    let arrived = queued.envelope.arrived;
    let age = in_words(now.since(arrived), screen);
    let date = IsoDate(arrived).to_string();
    let arrived = screen.text(
        "message-arrived",
        &[("date", (&date).into()), ("age", (&age).into())],
    );
    let client = client(&queued.envelope, screen);
    for (label, value) in [
        ("message-sender", sender(queued)),
        ("message-size", size(queued.octets, screen.language)),
        ("message-arrival", arrived),
        ("message-client", client),
    ] {
        let label = screen.text(label, &[]);
        screen.field(&label, &value)?;
    }
    for (recipient, state) in queued.envelope.recipients.iter().zip(&queued.progress) {
        screen.blank()?;
        show_recipient(recipient, state, now, screen)?;
    }
    Ok(())
}

/// Who gave us a message.
pub(crate) fn client(envelope: &Envelope, screen: &Screen) -> String {
    let client = &envelope.client;
    let helo = shown(&client.helo);
    match client.ip {
        Some(ip) => format!("{helo} [{ip}]"),
        None if helo.is_empty() => screen.text("message-client-self", &[]),
        None => helo,
    }
}

/// Where a recipient stands, why, and the last try.
pub(crate) fn show_recipient(
    recipient: &Recipient,
    state: &RecipientState,
    now: Timestamp,
    screen: &mut Screen,
) -> Result<(), CliError> {
    show_standing(recipient, state, now, screen)?;
    match state.last_attempt() {
        Some(attempt) => show_attempt(attempt, now, screen),
        None => Ok(()),
    }
}

/// Where a recipient stands, and why.
pub(crate) fn show_standing(
    recipient: &Recipient,
    state: &RecipientState,
    now: Timestamp,
    screen: &mut Screen,
) -> Result<(), CliError> {
    let address = shown(&recipient.address.to_string());
    screen.line(Tone::Strong, &address)?;
    let (tone, line) = state_line(state, now, screen);
    screen.paragraph(tone, 2, &line)?;
    if let RecipientState::Waiting {
        reason, attempts, ..
    } = state
    {
        let count = u64::from(*attempts);
        let why = screen.text(reason_id(*reason), &[("count", count.into())]);
        screen.paragraph(Tone::Plain, 2, &why)?;
    }
    if let RecipientState::Held { hold, .. } = state {
        screen.paragraph(Tone::Plain, 2, &hold_line(hold, screen))?;
    }
    Ok(())
}

/// One line about a recipient: where it stands, and until when.
pub(crate) fn state_line(
    state: &RecipientState,
    now: Timestamp,
    screen: &Screen,
) -> (Tone, String) {
    match state {
        RecipientState::Waiting {
            next_at,
            attempts: 0,
            ..
        } if *next_at <= now => (Tone::Plain, screen.text("state-new", &[])),
        RecipientState::Waiting {
            next_at, attempts, ..
        } => {
            let wait = in_words(next_at.since(now), screen);
            let date = IsoDate(*next_at).to_string();
            let tries = u64::from(*attempts);
            let args = [
                ("wait", (&wait).into()),
                ("date", (&date).into()),
                ("count", tries.into()),
            ];
            let id = if *next_at <= now {
                "state-due"
            } else {
                "state-waiting"
            };
            (Tone::Warning, screen.text(id, &args))
        }
        RecipientState::Held { hold, attempts, .. } => {
            let until = hold.until.map(|until| IsoDate(until).to_string());
            let args = [
                ("date", until.as_deref().unwrap_or_default().into()),
                ("count", u64::from(*attempts).into()),
            ];
            let id = match hold.until {
                Some(until) if until <= now => "state-hold-over",
                Some(_) => "state-held-until",
                None => "state-held",
            };
            (Tone::Warning, screen.text(id, &args))
        }
        RecipientState::Delivered { report, .. } => {
            let id = if *report == Report::Owed {
                "state-delivered-report-owed"
            } else {
                "state-delivered"
            };
            (Tone::Good, screen.text(id, &[]))
        }
        RecipientState::Failed { report, .. } => {
            let id = if *report == Report::Owed {
                "state-failed-report-owed"
            } else {
                "state-failed"
            };
            (Tone::Bad, screen.text(id, &[]))
        }
    }
}

/// Who holds it, since when, and why.
fn hold_line(hold: &Hold, screen: &Screen) -> String {
    let by = shown(&hold.by);
    let date = IsoDate(hold.since).to_string();
    let reason = shown(&hold.reason);
    let args = [
        ("by", (&by).into()),
        ("date", (&date).into()),
        ("reason", Value::from(&reason)),
    ];
    let id = if reason.is_empty() {
        "hold-by"
    } else {
        "hold-by-because"
    };
    screen.text(id, &args)
}

const fn reason_id(reason: RetryReason) -> &'static str {
    match reason {
        RetryReason::New => "reason-new",
        RetryReason::Backoff => "reason-backoff",
        RetryReason::DestinationDown => "reason-destination-down",
        RetryReason::Interrupted => "reason-interrupted",
        RetryReason::Operator => "reason-operator",
    }
}

/// The stable name of a reason, for JSON.
pub(crate) fn reason_name(reason: RetryReason) -> &'static str {
    reason_id(reason).trim_start_matches("reason-")
}

/// What was said at the end of a try, and what that means.
pub(crate) fn show_attempt(
    attempt: &Attempt,
    now: Timestamp,
    screen: &mut Screen,
) -> Result<(), CliError> {
    let explanation = explained(&attempt.said, screen);
    let ago = in_words(now.since(attempt.at), screen);
    let date = IsoDate(attempt.at).to_string();
    let stage = screen.text(&format!("attempt-stage-{}", attempt.stage.name()), &[]);
    let host = attempt.host.as_ref().map(host).unwrap_or_default();
    let args = [
        ("ago", (&ago).into()),
        ("date", (&date).into()),
        ("host", Value::from(&host)),
        ("stage", (&stage).into()),
    ];
    let id = match (&attempt.said, &attempt.host) {
        (Said::ByPeer(_), _) => "attempt-peer-said",
        (Said::ByUs(_), Some(_)) => "attempt-we-said-at-host",
        (Said::ByUs(_), None) => "attempt-we-said",
    };
    let title = screen.text(id, &args);
    screen.paragraph(Tone::Plain, 2, &title)?;
    screen.paragraph(Tone::Quiet, 4, &shown(&attempt.said.to_line()))?;
    screen.paragraph(Tone::Strong, 4, explanation.title)?;
    screen.markdown(4, explanation.meaning)?;
    screen.markdown(4, explanation.fix)?;
    Ok(())
}

/// A server, with the address that was tried.
pub(crate) fn host(host: &RemoteHost) -> String {
    let name = shown(&host.name);
    match host.address {
        Some(address) if host.is_literal() => address.to_string(),
        Some(address) => format!("{name} [{address}]"),
        None => name,
    }
}

/// What words mean.
pub(crate) fn explained(said: &Said, screen: &Screen) -> Explanation {
    match said {
        Said::ByUs(reply) => reply.explain(screen.language),
        Said::ByPeer(reply) => reply.explain(screen.language),
    }
}

/// The message with stable keys: those of Postfix's `postqueue -j`, and ours.
pub(crate) fn to_json(queued: &Queued, screen: &Screen) -> serde_json::Value {
    let envelope = &queued.envelope;
    let now = SystemClock.now();
    json!({
        "queue_name": queue_name(&queued.progress, now),
        "queue_id": queued.id.to_string(),
        "message_size": queued.octets,
        "arrival_time": envelope.arrived.as_millis() / 1_000,
        // Postfix's word for a bounce that an operator has asked for: ours is done at once.
        "forced_expire": false,
        "sender": envelope.sender.to_string(),
        "client": {
            "address": envelope.client.ip.map(|ip| ip.to_string()),
            "helo": envelope.client.helo,
        },
        "recipients": envelope.recipients.iter().zip(&queued.progress).map(|(recipient, state)| {
            recipient_json(recipient, state, screen)
        }).collect::<Vec<_>>(),
    })
}

/// Where Postfix would keep it: due and never tried, due otherwise, waiting for its time, or held.
fn queue_name(progress: &[RecipientState], now: Timestamp) -> &'static str {
    let unsettled = || progress.iter().filter(|state| !state.is_settled());
    let is_due = |state: &RecipientState| state.due().is_some_and(|due| due <= now);
    let is_held = |state: &RecipientState| matches!(state, RecipientState::Held { .. });
    let is_new = |state: &RecipientState| state.attempts() == 0 && state.last_attempt().is_none();
    if unsettled().any(|state| is_due(state) && !is_new(state)) {
        "active"
    } else if unsettled().any(is_due) {
        "incoming"
    } else if unsettled().all(is_held) {
        "hold"
    } else {
        "deferred"
    }
}

fn hold_json(state: &RecipientState) -> Option<serde_json::Value> {
    match state {
        RecipientState::Held { hold, .. } => Some(json!({
            "since": MachineDate(hold.since).to_string(),
            "until": hold.until.map(|until| MachineDate(until).to_string()),
            "by": hold.by,
            "reason": hold.reason,
        })),
        RecipientState::Waiting { .. }
        | RecipientState::Delivered { .. }
        | RecipientState::Failed { .. } => None,
    }
}

fn recipient_json(
    recipient: &Recipient,
    state: &RecipientState,
    screen: &Screen,
) -> serde_json::Value {
    let (name, next_try, attempts, reason) = match state {
        RecipientState::Waiting {
            next_at,
            attempts,
            reason,
            ..
        } => (
            "waiting",
            Some(MachineDate(*next_at).to_string()),
            Some(*attempts),
            Some(reason_name(*reason)),
        ),
        RecipientState::Held { hold, attempts, .. } => (
            "held",
            hold.until.map(|until| MachineDate(until).to_string()),
            Some(*attempts),
            Some("held"),
        ),
        RecipientState::Delivered { .. } => ("delivered", None, None, None),
        RecipientState::Failed { .. } => ("failed", None, None, None),
    };
    let delivery = match state {
        RecipientState::Delivered { delivery, .. } => Some(match delivery {
            Delivery::Mailbox => "mailbox",
            Delivery::HandedOn => "handed-on",
            Delivery::Relayed => "relayed",
        }),
        RecipientState::Waiting { .. }
        | RecipientState::Held { .. }
        | RecipientState::Failed { .. } => None,
    };
    let mut json = json!({
        "address": recipient.address.to_string(),
        "state": name,
        "delivery": delivery,
        "next_try": next_try,
        "attempts": attempts,
        "reason": reason,
        "hold": hold_json(state),
        "last_attempt": state.last_attempt().map(|attempt| attempt_json(attempt, screen)),
    });
    // As with Postfix, these are only there if there is something to say.
    let original = recipient.orcpt.as_ref().map(|orcpt| &orcpt.address);
    let reason = state.last_attempt().map(|attempt| attempt.said.to_line());
    if let Some(keys) = json.as_object_mut() {
        keys.extend(original.map(|it| ("orig_address".to_owned(), json!(it))));
        keys.extend(reason.map(|it| ("delay_reason".to_owned(), json!(it))));
    }
    json
}

/// A try with stable keys.
pub(crate) fn attempt_json(attempt: &Attempt, screen: &Screen) -> serde_json::Value {
    json!({
        "time": MachineDate(attempt.at).to_string(),
        "host": attempt.host.as_ref().map(|host| host.name.to_string()),
        "host_address": attempt.host.as_ref().and_then(|host| host.address).map(|address| address.to_string()),
        "stage": attempt.stage.name(),
        "speaker": match &attempt.said { Said::ByUs(_) => "us", Said::ByPeer(_) => "peer" },
        "reply": attempt.said.to_line(),
        "explain": facteur_console::view::explanation(&explained(&attempt.said, screen), None),
    })
}

#[cfg(test)]
mod tests {
    use facteur_mail::{Report, Stage};
    use facteur_replies::Reply;

    use super::*;

    #[test]
    fn a_message_is_where_postfix_would_keep_it() {
        let at = Timestamp::from_millis;
        let new = RecipientState::new(at(10));
        let attempt = || {
            Box::new(Attempt {
                at: at(10),
                took: Duration::ZERO,
                host: None,
                stage: Stage::Route,
                said: Said::ByUs(Reply::dns_failure("far.test")),
            })
        };
        let tried = |next_at| RecipientState::Waiting {
            next_at,
            attempts: 1,
            reason: RetryReason::Backoff,
            last: Some(attempt()),
            delay_reported: false,
        };
        let held = |until| RecipientState::Held {
            hold: Box::new(Hold {
                since: at(10),
                until,
                by: "root".into(),
                reason: "".into(),
            }),
            attempts: 1,
            last: Some(attempt()),
            delay_reported: false,
        };
        let failed = |report| RecipientState::Failed {
            attempt: attempt(),
            report,
        };
        for (progress, name) in [
            (vec![new.clone()], "incoming"),
            (vec![tried(at(20))], "active"),
            (vec![tried(at(21))], "deferred"),
            (vec![held(None)], "hold"),
            (vec![held(Some(at(21)))], "hold"),
            (vec![held(Some(at(20)))], "active"),
            (vec![held(None), tried(at(21))], "deferred"),
            (vec![held(None), failed(Report::Sent)], "hold"),
            (vec![held(None), failed(Report::Owed)], "active"),
            (vec![new, tried(at(21))], "incoming"),
        ] {
            assert_eq!(queue_name(&progress, at(20)), name, "{progress:?}");
        }
    }
}
