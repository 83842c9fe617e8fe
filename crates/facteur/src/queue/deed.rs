//! What an act makes of a recipient. Pure: the state before, the state after, and what is said of it.

use std::time::Duration;

use facteur_mail::{
    Attempt, Hold, Recipient, RecipientState, Report, RetryReason, ReversePath, Said, Stage,
    Timestamp,
};
use facteur_replies::Reply;
use facteur_spool::{Change, Queued};

use super::request::{Act, RecipientDeed};

/// What stands for a reason that nobody gave.
const NO_REASON: &str = "no reason given";

/// An act with everything that it needs to know.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    pub(super) act: Act,
    /// When it is done.
    pub(super) now: Timestamp,
    /// When a hold ends by itself.
    pub(super) until: Option<Timestamp>,
    /// Who does it.
    pub(super) by: String,
    /// Why.
    pub(super) reason: Option<String>,
}

/// What a deed comes to for some recipients of a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// The new states.
    pub(super) changes: Vec<Change>,
    /// What is said of each recipient that was meant, by its place.
    pub(super) said: Vec<(usize, RecipientDeed)>,
}

impl Plan {
    /// Whether there is a recipient that the act cannot touch as it is.
    pub(super) fn meets_a_hold(&self) -> bool {
        self.said
            .iter()
            .any(|(_, deed)| *deed == RecipientDeed::StillHeld)
    }
}

impl Deed {
    /// What becomes of the recipients at these places.
    pub(super) fn plan(&self, queued: &Queued, places: &[usize]) -> Plan {
        let mut plan = Plan::default();
        for place in places {
            let recipient = queued.envelope.recipients.get(*place);
            let state = queued.progress.get(*place);
            let (Some(recipient), Some(state)) = (recipient, state) else {
                continue;
            };
            let has_sender = queued.envelope.sender != ReversePath::Null;
            let (deed, new) = self.apply(recipient, state, has_sender);
            plan.said.push((*place, deed));
            plan.changes.extend(new.map(|state| Change {
                recipient: *place,
                state,
            }));
        }
        plan
    }

    fn apply(
        &self,
        recipient: &Recipient,
        state: &RecipientState,
        has_sender: bool,
    ) -> (RecipientDeed, Option<RecipientState>) {
        let held = matches!(state, RecipientState::Held { .. });
        match self.act {
            Act::Hold => {
                let deed =
                    self.until
                        .map_or(RecipientDeed::Held, |until| RecipientDeed::HeldUntil {
                            until: until.as_millis(),
                        });
                (deed, Some(self.held(state)))
            }
            Act::Release if held => (RecipientDeed::Released, Some(self.due(state))),
            Act::Release => (RecipientDeed::NotHeld, None),
            Act::Retry if held => (RecipientDeed::StillHeld, None),
            Act::Retry => (RecipientDeed::Due, Some(self.due(state))),
            Act::Bounce => {
                let told = has_sender && recipient.notify.wants_failure();
                let (deed, report) = if told {
                    (RecipientDeed::Bounced, Report::Owed)
                } else {
                    (RecipientDeed::BouncedUnreported, Report::NotWanted)
                };
                let words = Reply::bounced_by_operator(self.reason());
                (deed, Some(self.failed(words, report)))
            }
            Act::Delete => {
                let words = Reply::deleted_by_operator(self.reason());
                let state = self.failed(words, Report::NotWanted);
                (RecipientDeed::Deleted, Some(state))
            }
        }
    }

    fn held(&self, state: &RecipientState) -> RecipientState {
        RecipientState::Held {
            hold: Box::new(Hold {
                since: self.now,
                until: self.until,
                by: self.by.as_str().into(),
                reason: self.reason.as_deref().unwrap_or_default().into(),
            }),
            attempts: state.attempts(),
            last: state.last_attempt().cloned().map(Box::new),
            delay_reported: state.delay_reported(),
        }
    }

    fn due(&self, state: &RecipientState) -> RecipientState {
        RecipientState::Waiting {
            next_at: self.now,
            attempts: state.attempts(),
            reason: RetryReason::Operator,
            last: state.last_attempt().cloned().map(Box::new),
            delay_reported: state.delay_reported(),
        }
    }

    fn failed(&self, words: Reply, report: Report) -> RecipientState {
        let attempt = Attempt {
            at: self.now,
            took: Duration::ZERO,
            host: None,
            stage: Stage::Queue,
            said: Said::ByUs(words),
        };
        RecipientState::Failed {
            attempt: Box::new(attempt),
            report,
        }
    }

    fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or(NO_REASON)
    }
}
