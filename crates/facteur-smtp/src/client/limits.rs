//! How long and how much: every limit of the client session, by name.

use std::time::Duration;

/// The most commands sent before their replies are read. Their replies fit any socket buffer, so that a
/// remote that answers at once never waits for us while we wait for it. (RFC 2920 §3.1)
pub const MAX_GROUP: usize = 64;

/// The most octets of commands sent before their replies are read, unless one command alone is longer.
pub const MAX_GROUP_OCTETS: usize = 16 * 1024;

/// The most octets of replies that one transaction may cost, besides [`MAX_HEARD_PER_RECIPIENT`].
pub const MAX_HEARD: usize = 64 * 1024;

/// What each recipient adds to [`MAX_HEARD`]: two lines of the longest kind.
pub const MAX_HEARD_PER_RECIPIENT: usize = 1024;

/// What the driver waits for: a reply, or room to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// The greeting.
    Greeting,
    /// The reply to EHLO, HELO or LHLO.
    Hello,
    /// The reply to MAIL.
    Mail,
    /// The reply to RCPT.
    Rcpt,
    /// The 354 to DATA.
    Data,
    /// That the remote takes a block of content.
    Block,
    /// The reply to the end of the content.
    EndOfData,
    /// The reply to RSET.
    Reset,
    /// The reply to QUIT.
    Quit,
}

/// How patient the driver is, for a whole reply each time and not for its next octet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// For the greeting.
    pub greeting: Duration,
    /// For EHLO, HELO, LHLO.
    pub hello: Duration,
    /// For MAIL.
    pub mail: Duration,
    /// For RCPT.
    pub rcpt: Duration,
    /// For the 354.
    pub data: Duration,
    /// For each block of content that is written.
    pub block: Duration,
    /// For the reply to the final dot.
    pub end_of_data: Duration,
    /// For RSET.
    pub reset: Duration,
    /// For the 221. Nothing depends on it.
    pub quit: Duration,
}

impl Default for Timeouts {
    /// The minima of RFC 5321 §4.5.3.2, and ours for what it does not name.
    fn default() -> Self {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        Self {
            greeting: minutes(5),
            hello: minutes(5),
            mail: minutes(5),
            rcpt: minutes(5),
            data: minutes(2),
            block: minutes(3),
            end_of_data: minutes(10),
            reset: minutes(1),
            quit: Duration::from_secs(5),
        }
    }
}

impl Timeouts {
    /// How long to wait.
    #[must_use]
    pub const fn of(&self, waiting: Waiting) -> Duration {
        match waiting {
            Waiting::Greeting => self.greeting,
            Waiting::Hello => self.hello,
            Waiting::Mail => self.mail,
            Waiting::Rcpt => self.rcpt,
            Waiting::Data => self.data,
            Waiting::Block => self.block,
            Waiting::EndOfData => self.end_of_data,
            Waiting::Reset => self.reset,
            Waiting::Quit => self.quit,
        }
    }
}

impl Waiting {
    /// What did not come, as the reason of a lost connection names it.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Greeting => "no greeting",
            Self::Hello => "no reply to EHLO",
            Self::Mail => "no reply to MAIL",
            Self::Rcpt => "no reply to RCPT",
            Self::Data => "no reply to DATA",
            Self::Block => "content was not taken",
            Self::EndOfData => "no reply to the end of the content",
            Self::Reset => "no reply to RSET",
            Self::Quit => "no reply to QUIT",
        }
    }
}
