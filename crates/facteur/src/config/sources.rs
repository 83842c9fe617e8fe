//! `[[source]]`: how much the clients of a network may send.

use std::num::NonZeroU32;

use facteur_route::Network;
use facteur_server::Rates;

use crate::config::problem::Expected;
use crate::config::takes::{keys, optional_count, required};
use crate::config::written::Written;

keys! {
    /// One `[[source]]`.
    pub(crate) struct SourceKeys {
        /// Whose clients.
        r#match: Network = required();
        /// Messages of each a minute.
        messages_per_minute: Option<NonZeroU32> = optional_count(1..=1_000_000);
        /// Recipients of each a minute.
        recipients_per_minute: Option<NonZeroU32> = optional_count(1..=1_000_000);
    }
}

impl SourceKeys {
    /// What the server knows of it.
    pub(crate) const fn rates(&self) -> (Network, Rates) {
        let rates = Rates {
            messages_per_minute: self.messages_per_minute,
            recipients_per_minute: self.recipients_per_minute,
        };
        (self.r#match, rates)
    }
}

impl Written for Network {
    const EXPECTED: Expected = Expected::Network;

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}
