//! What must be true, whatever happens.

use std::fmt;

use facteur_mail::{IsoDate, Timestamp};

/// A law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Law {
    /// A message that was acknowledged is queued until each of its recipients has it or its sender was told.
    AcknowledgedIsKept,
    /// When a client hears 250, the message is on the disk and would survive a loss of power.
    FlushedBeforeThe250,
    /// What arrives is what was sent, octet for octet.
    ContentIsIntact,
    /// A copy arrives twice only where a crash or a lost connection lay between the 250 and our record of it.
    TakenOnce,
    /// A connection takes its next message only when the last one's outcome is on the disk.
    RecordedBeforeTheNext,
    /// Nobody connects to a domain with a null MX.
    NullMxIsLeftAlone,
    /// After a 5yz to RCPT or to the end of the content there is no other try.
    RefusalIsFinal,
    /// There is no report about a message from `<>`.
    NoBounceOfABounce,
    /// No report goes to a domain with a null MX.
    NoReportToANullMx,
    /// A recipient's failure is reported once; twice only where a crash lay between the report and our record of it.
    ToldOnce,
    /// What is settled as reported was reported, and what is settled as not to be reported is not wanted.
    ToldAtAll,
    /// The waits between tries are the configured ones, with a tenth of jitter; nothing is tried before its time.
    WaitsAsConfigured,
    /// A message comes to its end within its time and one wait.
    EndsInTime,
    /// A destination that does not answer is left alone for its pause.
    PauseIsKept,
    /// What was written down stays so, over every crash; what has gone does not come back.
    RecordedIsKept,
    /// A recipient counts as served only when somebody took the message.
    DeliveredMeansTaken,
    /// What this server lacks refuses no mail for good.
    ShortageIsNotFinal,
    /// To other servers only commands are said, and content only after 354.
    NothingButCommands,
    /// A crash is no damage, and the spool opens again.
    OpensAgain,
    /// When all is done, the queue is empty, no task is left and nobody waits for the clock.
    NothingIsLeft,
    /// No bug panics.
    NoPanic,
}

/// A law that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub law: Law,
    /// In which history.
    pub seed: u64,
    /// At which step of the server.
    pub step: u64,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub what: String,
    /// Words by which the lines of the message's story are found: its queue id, its addresses.
    pub about: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {}, step {}, {}: {:?}: {}",
            self.seed,
            self.step,
            IsoDate(self.at),
            self.law,
            self.what
        )
    }
}
