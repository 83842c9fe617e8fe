//! `[[destination]]`: what a destination is sent at most.

use std::num::NonZeroU32;
use std::time::Duration;

use facteur_delivery::{Limits, OnRateLimit, Rule, Target};

use crate::config::problem::Expected;
use crate::config::takes::{
    keys, optional, optional_count, optional_duration, optional_flag, required,
};
use crate::config::written::Written;

/// The longest pause that a reply about the sending rate may cause at first.
const MAX_PAUSE: Duration = Duration::from_secs(24 * 3_600);

keys! {
    /// One `[[destination]]`.
    pub(crate) struct DestinationKeys {
        /// Whom it is for.
        r#match: Target = required();
        /// Connections at a time.
        connections: Option<NonZeroU32> = optional_count(1..=1_000);
        /// Messages a minute.
        messages_per_minute: Option<NonZeroU32> = optional_count(1..=1_000_000);
        /// New connections a minute.
        connections_per_minute: Option<NonZeroU32> = optional_count(1..=1_000_000);
        /// Recipients a minute.
        recipients_per_minute: Option<NonZeroU32> = optional_count(1..=1_000_000);
        /// Messages that one connection carries.
        messages_per_connection: Option<NonZeroU32> = optional_count(1..=100_000);
        /// Whether it starts with one connection.
        slow_start: Option<bool> = optional_flag();
        /// What follows from a reply that asks for less mail.
        on_rate_limit: Option<OnRateLimit> = optional();
        /// How long nothing is sent after it.
        rate_limit_pause: Option<Duration> =
            optional_duration(Duration::from_secs(1)..=MAX_PAUSE);
    }
}

impl DestinationKeys {
    /// What delivery knows of it.
    pub(crate) fn rule(&self) -> Rule {
        Rule {
            target: self.r#match.clone(),
            limits: Limits {
                connections: self.connections,
                messages_per_minute: self.messages_per_minute,
                connections_per_minute: self.connections_per_minute,
                recipients_per_minute: self.recipients_per_minute,
                messages_per_connection: self.messages_per_connection,
                slow_start: self.slow_start,
                on_rate_limit: self.on_rate_limit,
                rate_limit_pause: self.rate_limit_pause,
            },
        }
    }
}

impl Written for Target {
    const EXPECTED: Expected = Expected::Destination;

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Written for OnRateLimit {
    const EXPECTED: Expected = Expected::OnRateLimit;
    const CHOICES: &'static [&'static str] = &["slow-down", "slow-down-by-words", "ignore"];

    fn parse(text: &str) -> Option<Self> {
        Self::from_name(text)
    }

    fn show(&self) -> String {
        self.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choices_are_the_policies_there_are() {
        let names: Vec<&str> = OnRateLimit::ALL
            .iter()
            .map(|policy| policy.name())
            .collect();
        assert_eq!(OnRateLimit::CHOICES, names);
    }
}
