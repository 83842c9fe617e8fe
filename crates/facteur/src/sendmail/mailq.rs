//! The queue in the form of Postfix's `mailq`, which scripts read: English whatever the reader's language.

use facteur_mail::{MailDate, RecipientState, Timestamp};
use facteur_spool::Queued;

use super::Failure;
use crate::args::Instance;
use crate::cli::{message, spool};
use crate::error::CliError;
use crate::ui::{Screen, shown};

/// The column at which reasons end.
const REASON: usize = 76;

const HEAD: &str = "-Queue ID-        --Size-- ----Arrival Time---- -Sender/Recipient-------\n";

/// Shows every queued message, oldest first.
pub(super) fn list(instance: &Instance, screen: &mut Screen) -> Result<(), Failure> {
    let reader = spool::open(instance, screen)?;
    let mut unread = None;
    let (mut count, mut octets) = (0_u64, 0_u64);
    for queued in reader.queued() {
        let queued = match queued {
            Ok(queued) => queued,
            Err(error) => {
                unread = Some(error);
                continue;
            }
        };
        if count == 0 {
            raw(screen, HEAD)?;
        }
        count += 1;
        octets = octets.saturating_add(queued.octets);
        raw(screen, &entry(&queued))?;
    }
    let end = if count == 0 {
        "Mail queue is empty\n".to_owned()
    } else {
        let plural = if count == 1 { "" } else { "s" };
        let kbytes = octets.div_ceil(1_024);
        format!("-- {kbytes} Kbytes in {count} Request{plural}.\n")
    };
    raw(screen, &end)?;
    match unread {
        None => Ok(()),
        Some(error) => Err(spool::cannot_read("", &error, screen).into()),
    }
}

fn raw(screen: &mut Screen, text: &str) -> Result<(), CliError> {
    Ok(screen.raw(text)?)
}

/// A message with its recipients, each group behind the reason for which it waits, and an empty line.
fn entry(queued: &Queued) -> String {
    let held = |state: &RecipientState| matches!(state, RecipientState::Held { .. });
    let all_held = queued.progress.iter().all(held);
    let mark = if all_held { "!" } else { "" };
    let sender = match message::sender(queued).as_str() {
        "<>" => "MAILER-DAEMON".to_owned(),
        sender => sender.trim_matches(['<', '>']).to_owned(),
    };
    let mut text = format!(
        "{:<17} {:>8} {:>20} {sender}\n",
        format!("{}{mark}", queued.id),
        queued.octets,
        arrival(queued.envelope.arrived)
    );
    let waiting = queued.envelope.recipients.iter().zip(&queued.progress);
    let mut last_reason = None;
    for (recipient, state) in waiting.filter(|(_, state)| !state.is_settled()) {
        let reason = state.last_attempt().map(|attempt| {
            let host = attempt.host.as_ref();
            let host = host.map(|host| format!("host {} said: ", shown(&host.name)));
            format!(
                "({}{})",
                host.unwrap_or_default(),
                shown(&attempt.said.to_line())
            )
        });
        if reason != last_reason {
            let line = reason.clone().unwrap_or_default();
            if !line.is_empty() {
                text.push_str(&format!("{line:>REASON$}\n"));
            }
            last_reason = reason;
        }
        let address = shown(&recipient.address.to_string());
        text.push_str(&format!("{:48}{address}\n", ""));
    }
    text.push('\n');
    text
}

/// `Sun Nov 29 14:02:08`, UTC.
fn arrival(moment: Timestamp) -> String {
    let date = MailDate(moment).to_string();
    let mut words = date.split([' ', ',']).filter(|word| !word.is_empty());
    let mut next = || words.next().unwrap_or_default();
    let (weekday, day, month, _, time) = (next(), next(), next(), next(), next());
    format!("{weekday} {month} {day:>2} {time}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrival_is_as_scripts_know_it() {
        let moment = Timestamp::from_millis(1_795_960_928_000);
        assert_eq!(arrival(moment), "Sun Nov 29 14:02:08");
        assert_eq!(arrival(Timestamp::from_millis(0)), "Thu Jan  1 00:00:00");
    }
}
