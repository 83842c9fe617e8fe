//! Who wants to hear of what.

use facteur_replies::Language;

/// One program that is told.
#[derive(Clone)]
pub struct Hook {
    /// What it is called in the log, and under which its notices are kept.
    pub name: String,
    /// Where it is: `https`, or `http` for a program on this machine or network.
    pub url: String,
    /// What its requests are signed with. Never logged, never shown.
    pub secret: Vec<u8>,
    /// What it hears of.
    pub topics: Vec<Topic>,
    /// The language of the explanations.
    pub language: Language,
}

/// What a program can hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A message was accepted.
    Accepted,
    /// A recipient was delivered to.
    Delivered,
    /// A recipient will be tried again.
    Deferred,
    /// A recipient was given up: the words were final.
    Bounced,
    /// A recipient was given up: it took too long.
    Expired,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 5] = [
        Self::Accepted,
        Self::Delivered,
        Self::Deferred,
        Self::Bounced,
        Self::Expired,
    ];

    /// The stable name, in the configuration and, behind `message.`, in the notice.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Deferred => "deferred",
            Self::Bounced => "bounced",
            Self::Expired => "expired",
        }
    }

    /// The topic of a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hook")
            .field("name", &self.name)
            .field("topics", &self.topics)
            .finish_non_exhaustive()
    }
}
