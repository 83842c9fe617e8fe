//! Where stories come from: the history, and the spool for what the history does not know.

use std::cell::RefCell;
use std::io::Read as _;
use std::time::Duration;

use facteur_history::{Found, Gap, GapReason, HistoryError, Reader as History, Story};
use facteur_mail::{Clock as _, IsoDate, MessageIdFinder, QueueId, Timestamp};
use facteur_replies::Language;
use facteur_spool::{Body, Queued};
use facteur_spool_local::Reader as Spool;

use crate::args::Instance;
use crate::cli::spool;
use crate::config::Config;
use crate::error::CliError;
use crate::system::SystemClock;
use crate::ui::Screen;
use crate::{failure, wiring};

/// The most of a message's header section that is searched for its Message-ID, in octets.
const MAX_HEADER: u64 = 64 << 10;

/// How late the history may be.
const LATE: Duration = Duration::from_secs(10);

/// How late the history's file may be begun after the spool's, at the same start.
const SAME_START: Duration = Duration::from_secs(5);

/// What can be read.
pub(crate) struct Sources {
    history: Result<History, Silence>,
    spool: Option<Spool>,
    /// Since when the history is kept.
    since: Timestamp,
    /// Of which times the history has not everything.
    gaps: Vec<Gap>,
    language: Language,
    /// What of the history could not be read.
    troubles: RefCell<Vec<String>>,
}

/// Why the history says nothing.
enum Silence {
    /// The configuration wants none, and there is none.
    Off,
    /// Nothing was ever kept.
    Missing,
    /// It cannot be read.
    Unreadable(HistoryError),
}

impl Sources {
    /// Opens what is there. Without a history the spool must be there.
    pub(crate) fn open(instance: &Instance, screen: &Screen) -> Result<Self, CliError> {
        let config = Config::of(instance, screen.language, screen.color)?;
        let opened = History::open(&wiring::history_directory(&config)).and_then(|history| {
            let since = history.since()?;
            let gaps = history.gaps(Timestamp::default(), SystemClock.now())?;
            Ok((history, since, gaps))
        });
        let spool = spool::open(instance, screen);
        Ok(match opened {
            Ok((history, since, gaps)) => Self {
                history: Ok(history),
                spool: spool.ok(),
                since,
                gaps,
                language: screen.language,
                troubles: RefCell::default(),
            },
            Err(error) => Self {
                history: Err(Silence::of(error, config.history.enabled)),
                spool: Some(spool?),
                since: Timestamp::from_millis(u64::MAX),
                gaps: Vec::new(),
                language: screen.language,
                troubles: RefCell::default(),
            },
        })
    }

    /// What the history knows of a message; what it cannot read is a [trouble](Sources::troubles).
    pub(crate) fn story(&self, id: QueueId) -> Option<Story> {
        self.readable(self.history.as_ref().ok()?.story(id))?
    }

    /// What the history knows by a name.
    pub(crate) fn find(&self, name: &str, limit: usize) -> Found {
        let history = self.history.as_ref().ok();
        let found = history.map(|history| history.find(name, limit));
        let found = found.and_then(|found| self.readable(found));
        found.unwrap_or_default()
    }

    fn readable<T>(&self, read: Result<T, HistoryError>) -> Option<T> {
        read.inspect_err(|error| {
            let words = failure::history(error, self.language);
            self.troubles.borrow_mut().push(words);
        })
        .ok()
    }

    /// What of the history could not be read so far.
    pub(crate) fn troubles(&self) -> Vec<String> {
        self.troubles.borrow().clone()
    }

    /// The message as it stands in the queue.
    pub(crate) fn queued(&self, id: QueueId, screen: &Screen) -> Result<Option<Queued>, CliError> {
        match &self.spool {
            Some(reader) => spool::message(reader, id, screen),
            None => Ok(None),
        }
    }

    /// Queued messages with this Message-ID, sender or recipient that the history may not know: the latest `room` of
    /// them, and whether there are more.
    pub(crate) fn search_queue(
        &self,
        name: &str,
        known: &[QueueId],
        room: usize,
        screen: &Screen,
    ) -> Result<(Vec<Queued>, bool), CliError> {
        let mut found = Vec::new();
        let Some(reader) = &self.spool else {
            return Ok((found, false));
        };
        let wanted = name.to_lowercase();
        let now = SystemClock.now();
        for id in reader.ids().into_iter().rev() {
            if known.contains(&id) || !self.may_not_know(id, now) {
                continue;
            }
            let Some(queued) = spool::message(reader, id, screen)? else {
                continue;
            };
            if is_called(&queued, &wanted, reader) {
                if found.len() == room {
                    return Ok((found, true));
                }
                found.push(queued);
            }
        }
        Ok((found, false))
    }

    /// Whether the history may lack the acceptance of a message: it is older than the history, or newer than the last
    /// that was written, or of a time of which something is missing.
    fn may_not_know(&self, id: QueueId, now: Timestamp) -> bool {
        let at = id.moment();
        at <= self.since.after(SAME_START)
            || now.since(at) < LATE
            || self.gaps_around(at, at).next().is_some()
    }

    /// The times between these two of which not everything is known.
    pub(crate) fn gaps_around(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = &Gap> {
        self.gaps.iter().filter(move |gap| {
            gap.why != GapReason::Refusals && gap.from <= to.after(LATE) && from <= gap.to
        })
    }

    /// Whether the history is older than a message.
    pub(crate) fn has_history_since(&self, arrived: Timestamp) -> bool {
        self.history.is_ok() && self.since <= arrived.after(SAME_START)
    }

    /// Since when there is a history.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.history.is_ok().then_some(self.since)
    }

    /// The stable name of what the history is, for JSON.
    pub(crate) const fn state(&self) -> &'static str {
        match &self.history {
            Ok(_) => "kept",
            Err(Silence::Off) => "off",
            Err(Silence::Missing) => "missing",
            Err(Silence::Unreadable(_)) => "unreadable",
        }
    }

    /// What must be said of the history before anything is told.
    pub(crate) fn notes(&self, screen: &Screen) -> Vec<String> {
        let mut notes: Vec<String> = self.silence(screen).into_iter().collect();
        for words in self.troubles() {
            let args = [("words", (&words).into())];
            notes.push(screen.text("trace-history-trouble", &args));
        }
        notes
    }

    /// Why the history says nothing.
    fn silence(&self, screen: &Screen) -> Option<String> {
        let id = match &self.history {
            Ok(_) => return None,
            Err(Silence::Off) => "trace-history-off",
            Err(Silence::Missing) => "trace-history-missing",
            Err(Silence::Unreadable(error)) => {
                let words = failure::history(error, screen.language);
                let args = [("words", (&words).into())];
                return Some(screen.text("trace-history-unreadable", &args));
            }
        };
        Some(screen.text(id, &[]))
    }

    /// What to say where nothing was found.
    pub(crate) fn hints(&self, screen: &Screen) -> Vec<String> {
        let mut hints = self.notes(screen);
        if self.history.is_ok() {
            let date = IsoDate(self.since).to_string();
            hints.push(screen.text("trace-not-known-hint", &[("date", (&date).into())]));
        }
        hints
    }
}

impl Silence {
    fn of(error: HistoryError, enabled: bool) -> Self {
        let missing = matches!(error, HistoryError::Missing { .. });
        match (missing, enabled) {
            (true, true) => Self::Missing,
            (true, false) => Self::Off,
            (false, _) => Self::Unreadable(error),
        }
    }
}

/// Whether a message is from or to this address, or has this Message-ID; `wanted` is in lower case.
fn is_called(queued: &Queued, wanted: &str, reader: &Spool) -> bool {
    let is = |text: &str| text.to_lowercase() == wanted;
    let envelope = &queued.envelope;
    let has_id = || {
        reader
            .body(queued.id)
            .is_ok_and(|body| message_id(body).is_some_and(|id| is(&id)))
    };
    is(&envelope.sender.to_string())
        || envelope.recipients.iter().any(|to| {
            let known_as = to.orcpt.as_ref();
            is(&to.address.to_string()) || known_as.is_some_and(|orcpt| is(&orcpt.address))
        })
        || has_id()
}

/// The Message-ID of a message, without its angle brackets.
fn message_id(body: Body) -> Option<String> {
    let mut head = Vec::new();
    body.take(MAX_HEADER).read_to_end(&mut head).ok()?;
    let mut finder = MessageIdFinder::new();
    finder.read(&head);
    finder.found().map(str::to_owned)
}
