//! Tells the sender: a report goes into the spool as a new message from `<>`, and only then it counts as sent.
//!
//! What it reports is on disk before. A crash between the two sends the report once more, never not at all.

use std::io::Read as _;
use std::time::Duration;

use facteur_mail::dsn::{self, MAX_RETURNED, News as Fate, Original, Told};
use facteur_mail::event::{Accepted, NoReport, NotReported, Reported};
use facteur_mail::text::escaped;
use facteur_mail::{
    Address, Attempt, Delivery, Event, MessageIdFinder, RecipientState, Report, Ret, ReversePath,
};
use facteur_replies::{Class, Reply};
use facteur_route::{Destination, Plan};
use facteur_spool::{Change, Leased, Settled, SpoolError};

use crate::message::{Message, News};
use crate::work::{Done, Shared};

/// Writes one report with all the news, and settles that it is sent; or that none may be sent.
pub(crate) async fn tell(
    shared: &Shared,
    message: &Message,
    leased: &Leased,
    news: &News,
    done: &mut Done,
) -> Result<(), SpoolError> {
    let report = match &leased.message.envelope.sender {
        ReversePath::Address(sender) if !takes_no_mail(shared, sender).await => {
            send(shared, leased, sender, news).await?;
            Report::Sent
        }
        ReversePath::Address(sender) => {
            let sender = escaped(&sender.to_string()).to_string();
            tracing::info!(id = %message.id, sender, "no report: the sender's domain has a null MX");
            shared.observer.observe(&Event::NotReported(NotReported {
                about: message.id,
                at: shared.clock.now(),
                why: NoReport::NullMx,
            }));
            Report::NotWanted
        }
        ReversePath::Null => Report::NotWanted,
    };
    let changes: Vec<Change> = news
        .settled
        .iter()
        .map(|(place, state)| Change {
            recipient: *place,
            state: reported(state.clone(), report),
        })
        .collect();
    if !changes.is_empty() && shared.settle(message, &changes, done).await? == Settled::Gone {
        shared.ended(message.id);
    }
    Ok(())
}

/// No report goes to a domain that says it takes no mail. (RFC 7505 §4.1)
async fn takes_no_mail(shared: &Shared, sender: &Address) -> bool {
    match shared.router.destination(sender.host()) {
        Destination::Mx(domain) => {
            matches!(shared.planner.domain(&domain).await, Plan::NullMx { .. })
        }
        Destination::Literal(_)
        | Destination::Relay(_)
        | Destination::Lmtp(_)
        | Destination::Maildir(_) => false,
    }
}

fn reported(state: RecipientState, report: Report) -> RecipientState {
    match state {
        RecipientState::Delivered {
            attempt, delivery, ..
        } => RecipientState::Delivered {
            attempt,
            delivery,
            report,
        },
        RecipientState::Failed { attempt, .. } => RecipientState::Failed { attempt, report },
        unsettled @ (RecipientState::Waiting { .. } | RecipientState::Held { .. }) => unsettled,
    }
}

async fn send(
    shared: &Shared,
    leased: &Leased,
    sender: &Address,
    news: &News,
) -> Result<(), SpoolError> {
    let now = shared.clock.now();
    let told = told(shared, leased, news);
    if told.is_empty() {
        return Ok(());
    }
    let has_failed = told
        .iter()
        .any(|told| matches!(told.news, Fate::Refused | Fate::Expired(_)));
    let mut draft = shared.spool.begin(now)?;
    let report = dsn::Report {
        to: sender,
        hostname: &shared.config.hostname,
        language: shared.config.language_of(sender),
        id: draft.id(),
        now,
        about: leased.message.id,
        octets: leased.message.octets,
        envelope: &leased.message.envelope,
        recipients: told,
    };
    let original = original(leased, has_failed);
    let mut message_id = MessageIdFinder::new();
    report.write(&original, |piece| {
        message_id.read(piece);
        draft.write(piece)
    })?;
    let octets = draft.octets();
    let envelope = report.envelope(&original);
    let receipt = draft.commit(envelope.clone(), now).await?;
    tracing::info!(
        id = %receipt.id(),
        about = %leased.message.id,
        recipient = %escaped(&sender.to_string()),
        "report queued"
    );
    shared.observer.observe(&Event::Accepted(Accepted {
        id: receipt.id(),
        at: now,
        octets,
        envelope: &envelope,
        message_id: message_id.found(),
        session: None,
    }));
    shared.observer.observe(&Event::Reported(Reported {
        id: receipt.id(),
        about: leased.message.id,
        at: now,
        to: sender,
        told: &report.recipients,
    }));
    Ok(())
}

fn told<'a>(shared: &Shared, leased: &'a Leased, news: &'a News) -> Vec<Told<'a>> {
    let recipients = &leased.message.envelope.recipients;
    let until = leased
        .message
        .envelope
        .arrived
        .after(shared.policy.give_up_after);
    let settled = news.settled.iter().filter_map(|(place, state)| {
        let (attempt, fate) = final_fate(shared, state)?;
        Some(Told {
            recipient: recipients.get(*place)?,
            attempt,
            news: fate,
        })
    });
    let late = news.late.iter().filter_map(|(place, (state, next_at))| {
        Some(Told {
            recipient: recipients.get(*place)?,
            attempt: state.last_attempt()?,
            news: Fate::Delayed {
                next_at: *next_at,
                until,
            },
        })
    });
    settled.chain(late).collect()
}

fn final_fate<'a>(shared: &Shared, state: &'a RecipientState) -> Option<(&'a Attempt, Fate)> {
    match state {
        RecipientState::Waiting { .. } | RecipientState::Held { .. } => None,
        RecipientState::Delivered {
            attempt, delivery, ..
        } => Some((attempt, Fate::Done(Delivery::clone(delivery)))),
        RecipientState::Failed { attempt, .. } => {
            let fate = match attempt.said.class() {
                Class::Permanent => Fate::Refused,
                Class::Transient | Class::Success | Class::Intermediate | Class::Unknown => {
                    Fate::Expired(Reply::expired(period(shared.policy.give_up_after)))
                }
            };
            Some((attempt, fate))
        }
    }
}

/// A time in the largest unit that needs no fraction.
fn period(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let (count, unit) = units
        .into_iter()
        .find(|(length, _)| seconds >= *length && seconds.is_multiple_of(*length))
        .map_or((seconds, "second"), |(length, unit)| {
            (seconds / length, unit)
        });
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// What is returned: all of a short message if the sender asked for it and something failed, else its header section.
/// (RFC 3461 §4.3)
fn original(leased: &Leased, has_failed: bool) -> Original {
    let mut start = Vec::new();
    let limit = u64::try_from(MAX_RETURNED).unwrap_or(u64::MAX) + 1;
    let read = match leased.body() {
        Ok(body) => body.take(limit).read_to_end(&mut start).is_ok(),
        Err(_) => false,
    };
    if !read {
        // A copy that cannot be read cannot be returned; the news is worth sending all the same.
        start.clear();
    }
    let complete = start.len() <= MAX_RETURNED;
    let whole = has_failed && leased.message.envelope.ret == Some(Ret::Full);
    Original::new(start, complete, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_said_in_its_largest_whole_unit() {
        for (seconds, said) in [
            (432_000, "5 days"),
            (86_400, "1 day"),
            (90_000, "25 hours"),
            (5_400, "90 minutes"),
            (61, "61 seconds"),
        ] {
            assert_eq!(period(Duration::from_secs(seconds)), said);
        }
    }
}
