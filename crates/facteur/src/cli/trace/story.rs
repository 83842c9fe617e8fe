//! A story in words.

use std::collections::BTreeSet;

use facteur_history::{Accepted, Deed, Entry, Gap, Refusal, Reported, Tried, TriedRecipient};
use facteur_mail::event::Decision;
use facteur_mail::text::size;
use facteur_mail::{
    Attempt, Clock as _, Delivery, IsoDate, RetryReason, ReversePath, Said, Timestamp,
};
use facteur_replies::{Class, Explanation, Value};
use facteur_spool::Queued;

use crate::cli::message;
use crate::cli::trace::sources::Sources;
use crate::cli::trace::{Known, dialogue, route};
use crate::error::CliError;
use crate::system::SystemClock;
use crate::ui::{Screen, Tone, shown};

/// The most recipients listed where a message was accepted.
const MAX_LISTED: usize = 20;

/// Tells stories on a screen.
pub(crate) struct Teller<'s> {
    screen: &'s mut Screen,
    /// Without the dialogues.
    brief: bool,
    /// The explanations that stand above already, by their keys.
    explained: BTreeSet<&'static str>,
}

impl<'s> Teller<'s> {
    pub(crate) const fn new(screen: &'s mut Screen, brief: bool) -> Self {
        Self {
            screen,
            brief,
            explained: BTreeSet::new(),
        }
    }

    /// Everything that is known of one message.
    pub(crate) fn tell(&mut self, known: &Known, sources: &Sources) -> Result<(), CliError> {
        let now = SystemClock.now();
        self.screen.line(Tone::Strong, &known.id.to_string())?;
        self.head(known, now)?;
        self.what_is_missing(known, sources, now)?;
        let entries = known.story.iter().flat_map(|story| &story.entries);
        for entry in entries {
            self.screen.blank()?;
            self.entry(entry)?;
        }
        if known.story.as_ref().is_some_and(|story| story.cut) {
            self.paragraph(Tone::Warning, 0, "trace-cut", &[])?;
        }
        let ended = known.story.as_ref().and_then(facteur_history::Story::ended);
        match &known.queued {
            Some(queued) => self.standing(known, queued, now),
            None if ended.is_none() => {
                self.screen.blank()?;
                self.paragraph(Tone::Plain, 0, "trace-gone", &[])
            }
            None => Ok(()),
        }
    }

    /// Who sent it, what it is called, how it came in.
    fn head(&mut self, known: &Known, now: Timestamp) -> Result<(), CliError> {
        let accepted = known.story.as_ref().and_then(|story| story.accepted());
        let message_id = accepted.and_then(|accepted| accepted.message_id.as_deref());
        let (envelope, octets) = match (&known.queued, accepted) {
            (Some(queued), _) => (&queued.envelope, queued.octets),
            (None, Some(accepted)) => (&accepted.envelope, accepted.octets),
            (None, None) => return Ok(()),
        };
        let date = IsoDate(envelope.arrived).to_string();
        let age = message::in_words(now.since(envelope.arrived), self.screen);
        let args = [("date", (&date).into()), ("age", (&age).into())];
        let arrived = self.screen.text("message-arrived", &args);
        let mut fields = vec![("message-sender", sender(&envelope.sender))];
        if let Some(message_id) = message_id {
            fields.push(("trace-message-id", format!("<{}>", shown(message_id))));
        }
        fields.push(("message-size", size(octets, self.screen.language)));
        fields.push(("message-arrival", arrived));
        fields.push(("message-client", message::client(envelope, self.screen)));
        for (label, value) in fields {
            let label = self.screen.text(label, &[]);
            self.screen.field(&label, &value)?;
        }
        Ok(())
    }

    /// What the history does not know of this message.
    fn what_is_missing(
        &mut self,
        known: &Known,
        sources: &Sources,
        now: Timestamp,
    ) -> Result<(), CliError> {
        let arrived = known.id.moment();
        if let Some(since) = sources.since()
            && !sources.has_history_since(arrived)
        {
            let date = IsoDate(since).to_string();
            self.screen.blank()?;
            self.paragraph(Tone::Warning, 0, "trace-older", &[("date", (&date).into())])?;
        }
        let story = known.story.as_ref();
        let ended = story.and_then(facteur_history::Story::ended).unwrap_or(now);
        for gap in sources.gaps_around(arrived, ended) {
            self.screen.blank()?;
            let gap = gap_words(gap, self.screen);
            self.screen.paragraph(Tone::Warning, 0, &gap)?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &Entry) -> Result<(), CliError> {
        let date = IsoDate(entry.at()).to_string();
        match entry {
            Entry::Accepted(accepted) => self.accepted(accepted, &date),
            Entry::Tried(tried) => self.tried(tried, &date),
            Entry::Reported(reported) => self.reported(reported, &date),
            Entry::ReportAbout { about, .. } => {
                let about = about.to_string();
                let args = [("date", (&date).into()), ("id", Value::from(&about))];
                self.paragraph(Tone::Strong, 0, "trace-report-about", &args)
            }
            Entry::NotReported { why, .. } => {
                let id = format!("trace-not-reported-{}", why.name());
                self.paragraph(Tone::Strong, 0, &id, &[("date", (&date).into())])
            }
            Entry::Operated(deed) => self.operated(deed, &date),
            Entry::Ended { .. } => {
                self.paragraph(Tone::Strong, 0, "trace-ended", &[("date", (&date).into())])
            }
            _ => Ok(()),
        }
    }

    fn accepted(&mut self, accepted: &Accepted, date: &str) -> Result<(), CliError> {
        let recipients = &accepted.envelope.recipients;
        let count = u64::try_from(recipients.len()).unwrap_or(u64::MAX);
        let args = [("date", date.into()), ("count", count.into())];
        self.paragraph(Tone::Strong, 0, "trace-accepted", &args)?;
        for recipient in recipients.iter().take(MAX_LISTED) {
            let address = shown(&recipient.address.to_string());
            let line = match &recipient.orcpt {
                Some(orcpt) if *orcpt.address != *recipient.address.to_string() => {
                    let alias = shown(&orcpt.address);
                    let args = [("address", (&address).into()), ("alias", (&alias).into())];
                    self.screen.text("trace-recipient-alias", &args)
                }
                Some(_) | None => address,
            };
            self.screen.paragraph(Tone::Plain, 4, &line)?;
        }
        let more = u64::try_from(recipients.len().saturating_sub(MAX_LISTED)).unwrap_or(u64::MAX);
        if more > 0 {
            self.paragraph(
                Tone::Quiet,
                4,
                "trace-more-recipients",
                &[("count", more.into())],
            )?;
        }
        Ok(())
    }

    fn tried(&mut self, tried: &Tried, date: &str) -> Result<(), CliError> {
        let destination = shown(&tried.destination);
        let args = [
            ("date", date.into()),
            ("destination", (&destination).into()),
        ];
        let Some(route) = &tried.route else {
            self.paragraph(Tone::Strong, 0, "trace-waited", &args)?;
            return self.outcomes(tried);
        };
        self.paragraph(Tone::Strong, 0, "trace-tried", &args)?;
        route::show(route, self.screen)?;
        if !self.brief && !tried.transcript.is_empty() {
            dialogue::show(&tried.transcript, self.screen)?;
        }
        self.outcomes(tried)
    }

    /// What the try came to: recipients with the same words and the same decision together.
    fn outcomes(&mut self, tried: &Tried) -> Result<(), CliError> {
        let mut rest: Vec<&TriedRecipient> = tried.recipients.iter().collect();
        while let Some(first) = rest.first().copied() {
            let (same, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|it| {
                it.decision == first.decision
                    && it.attempts == first.attempts
                    && it.attempt.said == first.attempt.said
            });
            rest = others;
            for it in same.iter().take(MAX_LISTED) {
                let (tone, line) = decided(it, self.screen);
                self.screen.paragraph(tone, 2, &line)?;
            }
            let more = u64::try_from(same.len().saturating_sub(MAX_LISTED)).unwrap_or(u64::MAX);
            if more > 0 {
                let args = [("count", more.into())];
                self.paragraph(Tone::Quiet, 2, "trace-more-recipients", &args)?;
            }
            self.said(&first.attempt)?;
        }
        Ok(())
    }

    /// Who said what, and what it means; in full where it was not explained above.
    fn said(&mut self, attempt: &Attempt) -> Result<(), CliError> {
        let stage = self
            .screen
            .text(&format!("attempt-stage-{}", attempt.stage.name()), &[]);
        let host = attempt.host.as_ref().map(message::host).unwrap_or_default();
        let args = [("host", (&host).into()), ("stage", Value::from(&stage))];
        let id = match (&attempt.said, &attempt.host) {
            (Said::ByPeer(_), _) => "trace-peer-said",
            (Said::ByUs(_), Some(_)) => "trace-we-said-at-host",
            (Said::ByUs(_), None) => "trace-we-said",
        };
        self.paragraph(Tone::Plain, 4, id, &args)?;
        let line = shown(&attempt.said.to_line());
        self.screen.paragraph(Tone::Quiet, 6, &line)?;
        let explanation = message::explained(&attempt.said, self.screen);
        self.explain(&explanation, attempt.said.class())
    }

    fn explain(&mut self, explanation: &Explanation, class: Class) -> Result<(), CliError> {
        self.screen.paragraph(Tone::Strong, 6, explanation.title)?;
        let is_new = self.explained.insert(explanation.key);
        if !is_new || matches!(class, Class::Success | Class::Intermediate) {
            return Ok(());
        }
        self.screen.markdown(6, explanation.meaning)?;
        self.screen.markdown(6, explanation.fix)?;
        let question = self.screen.text("label-retry", &[]);
        let answer = format!("{question} {}", explanation.retry_text());
        Ok(self.screen.paragraph(Tone::Strong, 6, &answer)?)
    }

    fn reported(&mut self, reported: &Reported, date: &str) -> Result<(), CliError> {
        let (id, to) = (reported.id.to_string(), shown(&reported.to.to_string()));
        let args = [
            ("date", date.into()),
            ("id", (&id).into()),
            ("to", Value::from(&to)),
        ];
        self.paragraph(Tone::Strong, 0, "trace-reported", &args)?;
        for (address, action) in reported.told.iter().take(MAX_LISTED) {
            let address = shown(&address.to_string());
            let id = format!("trace-told-{action}");
            let line = if facteur_replies::has_text(&id) {
                self.screen.text(&id, &[("recipient", (&address).into())])
            } else {
                address
            };
            self.screen.paragraph(Tone::Plain, 4, &line)?;
        }
        Ok(())
    }

    fn operated(&mut self, deed: &Deed, date: &str) -> Result<(), CliError> {
        let who = shown(&deed.who);
        let args = [("date", date.into()), ("who", (&who).into())];
        let id = format!("trace-deed-{}", deed.verb.name());
        self.paragraph(Tone::Strong, 0, &id, &args)?;
        if let Some(why) = deed.why.as_ref().filter(|why| !why.is_empty()) {
            let words = shown(why);
            self.paragraph(
                Tone::Plain,
                4,
                "trace-deed-why",
                &[("words", (&words).into())],
            )?;
        }
        if let Some(until) = deed.until {
            let until = IsoDate(until).to_string();
            self.paragraph(
                Tone::Plain,
                4,
                "trace-deed-until",
                &[("date", (&until).into())],
            )?;
        }
        Ok(())
    }

    /// Where each recipient stands in the queue; with the last try, where the history has none.
    fn standing(&mut self, known: &Known, queued: &Queued, now: Timestamp) -> Result<(), CliError> {
        let entries = known.story.iter().flat_map(|story| &story.entries);
        let tried: BTreeSet<usize> = entries
            .flat_map(|entry| match entry {
                Entry::Tried(tried) => tried.recipients.as_slice(),
                Entry::Accepted(_)
                | Entry::Reported(_)
                | Entry::ReportAbout { .. }
                | Entry::NotReported { .. }
                | Entry::Operated(_)
                | Entry::Ended { .. }
                | _ => &[],
            })
            .map(|recipient| recipient.place)
            .collect();
        self.screen.blank()?;
        self.paragraph(Tone::Strong, 0, "trace-standing", &[])?;
        let recipients = queued.envelope.recipients.iter().zip(&queued.progress);
        for (place, (recipient, state)) in recipients.enumerate() {
            if tried.contains(&place) {
                message::show_standing(recipient, state, now, self.screen)?;
            } else {
                message::show_recipient(recipient, state, now, self.screen)?;
            }
        }
        Ok(())
    }

    /// What was refused, to whom, and why.
    pub(crate) fn refusals(&mut self, refusals: &[Refusal]) -> Result<(), CliError> {
        for (number, refusal) in refusals.iter().enumerate() {
            if number > 0 {
                self.screen.blank()?;
            }
            self.refusal(refusal)?;
        }
        Ok(())
    }

    fn refusal(&mut self, refusal: &Refusal) -> Result<(), CliError> {
        let date = IsoDate(refusal.at).to_string();
        let client = match (refusal.client, &refusal.helo) {
            (Some(ip), Some(helo)) => format!("{} [{ip}]", shown(helo)),
            (Some(ip), None) => format!("[{ip}]"),
            (None, Some(helo)) => shown(helo),
            (None, None) => "–".to_owned(),
        };
        let stage = refusal.stage.map_or_else(
            || "–".to_owned(),
            |stage| {
                let id = format!("attempt-stage-{}", stage.name());
                self.screen.text(&id, &[])
            },
        );
        let args = [
            ("date", (&date).into()),
            ("client", (&client).into()),
            ("stage", Value::from(&stage)),
        ];
        self.paragraph(Tone::Strong, 0, "trace-refused", &args)?;
        let from = refusal.sender.as_ref().map(sender);
        let to = refusal.recipient.as_ref();
        let to = to.map(|recipient| shown(&recipient.to_string()));
        for (label, value) in [("message-sender", from), ("trace-recipient", to)] {
            if let Some(value) = value {
                let label = self.screen.text(label, &[]);
                self.screen.field(&label, &value)?;
            }
        }
        let line = shown(&refusal.reply.to_line());
        self.screen.paragraph(Tone::Quiet, 6, &line)?;
        let explanation = refusal.reply.explain(self.screen.language);
        self.explain(&explanation, refusal.reply.code().class())
    }

    fn paragraph(
        &mut self,
        tone: Tone,
        indent: usize,
        id: &str,
        args: &[(&str, Value<'_>)],
    ) -> Result<(), CliError> {
        let words = self.screen.text(id, args);
        Ok(self.screen.paragraph(tone, indent, &words)?)
    }
}

/// The sender as shown: `<>` for the null sender.
fn sender(path: &ReversePath) -> String {
    match path {
        ReversePath::Null => "<>".to_owned(),
        ReversePath::Address(address) => shown(&address.to_string()),
    }
}

/// What follows for a recipient, and why.
fn decided(it: &TriedRecipient, screen: &Screen) -> (Tone, String) {
    let recipient = shown(&it.address.to_string());
    let host = it.attempt.host.as_ref().map(message::host);
    let host = host.unwrap_or_default();
    let mut when = String::new();
    let (tone, id) = match it.decision {
        Decision::Delivered(Delivery::Mailbox) => (Tone::Good, "trace-delivered-mailbox"),
        Decision::Delivered(Delivery::HandedOn) => (Tone::Good, "trace-delivered-handed-on"),
        Decision::Delivered(Delivery::Relayed) => (Tone::Good, "trace-delivered-relayed"),
        Decision::RetryAt { when: moment, why } => {
            when = IsoDate(moment).to_string();
            let id = match why {
                RetryReason::DestinationDown => "trace-retry-destination-down",
                RetryReason::Operator => "trace-retry-operator",
                RetryReason::New | RetryReason::Backoff | RetryReason::Interrupted => "trace-retry",
            };
            (Tone::Warning, id)
        }
        Decision::Bounced => (Tone::Bad, "trace-bounced"),
        Decision::Expired => (Tone::Bad, "trace-expired"),
    };
    let args = [
        ("recipient", (&recipient).into()),
        ("host", (&host).into()),
        ("when", Value::from(&when)),
        ("count", u64::from(it.attempts).into()),
    ];
    (tone, screen.text(id, &args))
}

fn gap_words(gap: &Gap, screen: &Screen) -> String {
    let (from, to) = (IsoDate(gap.from).to_string(), IsoDate(gap.to).to_string());
    let args = [
        ("from", (&from).into()),
        ("to", Value::from(&to)),
        ("count", gap.events.into()),
    ];
    screen.text(&format!("trace-gap-{}", gap.why.name()), &args)
}
