//! A queued message as JSON: all but its content. The keys are stable.

use facteur_mail::{
    Attempt, BodyType, Delivery, Notify, Protocol, Recipient, RecipientState, Report, Ret,
    RetryReason, Said, Timestamp,
};
use facteur_spool::Queued;
use serde_json::{Value, json};

/// Everything known of a message. Moments are milliseconds since 1970-01-01 00:00 UTC.
pub(crate) fn describe(queued: &Queued) -> Value {
    let envelope = &queued.envelope;
    let recipients = envelope.recipients.iter().zip(&queued.progress);
    json!({
        "id": queued.id.to_string(),
        "octets": queued.octets,
        "arrived": envelope.arrived.as_millis(),
        "sender": envelope.sender.to_string(),
        "body": match envelope.body {
            BodyType::SevenBit => "7bit",
            BodyType::EightBitMime => "8bitmime",
            BodyType::BinaryMime => "binarymime",
        },
        "smtputf8": envelope.smtputf8,
        "ret": envelope.ret.map(|ret| match ret {
            Ret::Full => "full",
            Ret::Headers => "hdrs",
        }),
        "envid": envelope.envid.as_ref().map(|envid| &*envid.0),
        "client": {
            "ip": envelope.client.ip.map(|ip| ip.to_string()),
            "helo": &*envelope.client.helo,
            "protocol": match envelope.client.protocol {
                Protocol::Smtp => "smtp",
                Protocol::Esmtp => "esmtp",
                Protocol::Lmtp => "lmtp",
                Protocol::Utf8Smtp => "utf8smtp",
                Protocol::Utf8Lmtp => "utf8lmtp",
                Protocol::Local => "local",
                Protocol::Http => "http",
            },
        },
        "recipients": recipients.map(|(recipient, state)| person(recipient, state)).collect::<Vec<_>>(),
    })
}

fn person(recipient: &Recipient, state: &RecipientState) -> Value {
    let orcpt = recipient
        .orcpt
        .as_ref()
        .map(|orcpt| json!({ "type": &*orcpt.kind, "address": &*orcpt.address }));
    json!({
        "address": recipient.address.to_string(),
        "orcpt": orcpt,
        "notify": match recipient.notify {
            Notify::Default => json!(null),
            Notify::Never => json!(["never"]),
            Notify::On { success, failure, delay } => {
                let asked = [("success", success), ("failure", failure), ("delay", delay)];
                asked.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect()
            }
        },
        "state": standing(state),
    })
}

fn standing(state: &RecipientState) -> Value {
    match state {
        RecipientState::Waiting {
            next_at,
            attempts,
            reason,
            last,
            delay_reported,
        } => json!({
            "is": "waiting",
            "next_at": next_at.as_millis(),
            "attempts": attempts,
            "reason": match reason {
                RetryReason::New => "new",
                RetryReason::Backoff => "backoff",
                RetryReason::DestinationDown => "destination-down",
                RetryReason::Interrupted => "interrupted",
                RetryReason::Operator => "operator",
            },
            "delay_reported": delay_reported,
            "last": last.as_deref().map(tried),
        }),
        RecipientState::Held {
            hold,
            attempts,
            last,
            delay_reported,
        } => json!({
            "is": "held",
            "since": hold.since.as_millis(),
            "until": hold.until.map(Timestamp::as_millis),
            "by": hold.by,
            "reason": hold.reason,
            "attempts": attempts,
            "delay_reported": delay_reported,
            "last": last.as_deref().map(tried),
        }),
        RecipientState::Delivered {
            attempt,
            delivery,
            report,
        } => json!({
            "is": "delivered",
            "delivery": match delivery {
                Delivery::Mailbox => "mailbox",
                Delivery::HandedOn => "handed-on",
                Delivery::Relayed => "relayed",
            },
            "report": told(*report),
            "last": tried(attempt),
        }),
        RecipientState::Failed { attempt, report } => json!({
            "is": "failed",
            "report": told(*report),
            "last": tried(attempt),
        }),
    }
}

const fn told(report: Report) -> &'static str {
    match report {
        Report::NotWanted => "not-wanted",
        Report::Owed => "owed",
        Report::Sent => "sent",
    }
}

fn tried(attempt: &Attempt) -> Value {
    let host = attempt.host.as_ref().map(|host| {
        json!({ "name": &*host.name, "address": host.address.map(|address| address.to_string()) })
    });
    json!({
        "at": attempt.at.as_millis(),
        "took_ms": u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
        "stage": attempt.stage.name(),
        "host": host,
        "by": match attempt.said {
            Said::ByUs(_) => "us",
            Said::ByPeer(_) => "peer",
        },
        "code": attempt.said.code().number(),
        "enhanced": attempt.said.enhanced().map(|code| code.to_string()),
        "reply": attempt.said.to_line(),
    })
}
