//! `[[destination]]`: what a destination is sent at most.

use std::num::NonZeroU32;
use std::time::Duration;

use facteur_delivery::{Limits, OnRateLimit, Rule, Target};
use facteur_replies::Language;
use facteur_route::Pattern;
use serde_json::{Map, Value};
use toml::de::DeTable;

use crate::config::problem::Expected;
use crate::config::section::Section;
use crate::config::takes::{
    Keys as _, keys, optional, optional_count, optional_duration, optional_flag, required,
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

/// Limits as the file would have them, those that are set.
pub(crate) fn limits_json(limits: &Limits) -> Map<String, Value> {
    let keys = DestinationKeys {
        r#match: Target::Domain(Pattern::Any),
        connections: limits.connections,
        messages_per_minute: limits.messages_per_minute,
        connections_per_minute: limits.connections_per_minute,
        recipients_per_minute: limits.recipients_per_minute,
        messages_per_connection: limits.messages_per_connection,
        slow_start: limits.slow_start,
        on_rate_limit: limits.on_rate_limit,
        rate_limit_pause: limits.rate_limit_pause,
    };
    let mut shown = keys.show();
    shown.retain(|key, value| key != "match" && !value.is_null());
    shown
}

/// Reads limits with the keys of the file: what is wrong with them is said in the same words. At least one must be set.
pub(crate) fn read_limits(
    target: &str,
    keys: &Map<String, Value>,
    language: Language,
) -> Result<Limits, Vec<String>> {
    let mut source = format!("match = {}\n", Value::from(target));
    for (key, value) in keys {
        // Strings, numbers and booleans of JSON are those of TOML; a key is written as a string, so that it is only a key.
        source.push_str(&format!("{} = {value}\n", Value::from(key.as_str())));
    }
    let mut problems = Vec::new();
    let (table, errors) = DeTable::parse_recoverable(&source);
    if let Some(error) = errors.first() {
        return Err(vec![error.message().to_owned()]);
    }
    let mut section = Section::root(&table, &mut problems);
    let read = DestinationKeys::read(&mut section);
    section.finish();
    if !problems.is_empty() || keys.is_empty() {
        return Err(problems.iter().map(|it| it.title(language)).collect());
    }
    Ok(read.map(|keys| keys.rule().limits).unwrap_or_default())
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
    use serde_json::json;

    use super::*;

    fn read(keys: Value) -> Result<Limits, Vec<String>> {
        read_limits("far.test", keys.as_object().unwrap(), Language::English)
    }

    #[test]
    fn limits_are_read_with_the_keys_of_the_file() {
        let keys = json!({"messages_per_minute": 20, "slow_start": false, "on_rate_limit": "ignore", "rate_limit_pause": "2m"});
        let limits = read(keys.clone()).unwrap();
        assert_eq!(limits.messages_per_minute, NonZeroU32::new(20));
        assert_eq!(Value::Object(limits_json(&limits)), keys);
        for wrong in [
            json!({}),
            json!({"messages_per_minute": 0}),
            json!({"messages_per_minute": "many"}),
            json!({"messages": 1}),
            json!({"match": "other.test"}),
            json!({"a = 1\nconnections": 1}),
            json!({"connections": {"a": 1}}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_choices_are_the_policies_there_are() {
        let names: Vec<&str> = OnRateLimit::ALL
            .iter()
            .map(|policy| policy.name())
            .collect();
        assert_eq!(OnRateLimit::CHOICES, names);
    }
}
