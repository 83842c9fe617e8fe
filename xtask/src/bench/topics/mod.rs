//! What is measured, a file for each topic; each takes its measurements in rounds, the two servers in turn.

mod backlog;
mod destination;
mod flood;
mod flushes;
mod idle;
mod large;
mod reception;
mod relay;
mod start;

use std::time::Duration;

use crate::bench::data::{Data, Note, Sample};
use crate::bench::house::Server;
use crate::bench::lab::Lab;
use crate::bench::options::Topic;
use crate::failure::Failure;

/// What a topic has found so far.
pub(super) struct Findings {
    topic: Topic,
    pub(super) data: Data,
}

impl Findings {
    /// Nothing yet.
    pub(super) fn of(topic: Topic) -> Self {
        Self {
            topic,
            data: Data::default(),
        }
    }

    /// Keeps a value, and shows it.
    fn put(&mut self, case: &str, server: Server, measure: &str, round: u32, value: f64) {
        println!(
            "{:8} {case:24} {measure:24} {round:3} {value:14.3}",
            server.name()
        );
        self.data.samples.push(Sample {
            topic: self.topic,
            case: case.to_owned(),
            server,
            measure: measure.to_owned(),
            round,
            value,
        });
    }

    /// Keeps words.
    pub(super) fn note(&mut self, key: &str, words: String) {
        println!("{key}: {words}");
        self.data.notes.push(Note {
            topic: self.topic,
            key: key.to_owned(),
            words,
        });
    }
}

/// Measures a topic.
pub(super) fn measure(lab: &Lab, found: &mut Findings) -> Result<(), Failure> {
    match found.topic {
        Topic::Reception => {
            reception::measure(lab, found)?;
            flushes::measure(lab, found)
        }
        Topic::Relay => relay::measure(lab, found),
        Topic::Idle => idle::measure(lab, found),
        Topic::Large => large::measure(lab, found),
        Topic::Start => start::measure(lab, found),
        Topic::Backlog => backlog::measure(lab, found),
        Topic::Flood => flood::measure(lab, found),
        Topic::BadDestination => destination::measure(lab, found),
    }
}

/// Things a second.
fn rate(count: u32, took: Duration) -> f64 {
    f64::from(count) / took.as_secs_f64()
}

/// As many things as happen in so many seconds at this rate, within bounds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded before it is cast"
)]
fn enough(rate: f64, seconds: f64, least: u32, most: u32) -> u32 {
    (rate * seconds).clamp(f64::from(least), f64::from(most)) as u32
}

/// The value below which this share of some values lies.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a length"
)]
fn percentile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() as f64 * share).ceil() as usize;
    values.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_bounded() {
        assert_eq!(enough(1_000.0, 2.5, 10, 60_000), 2_500);
        assert_eq!(enough(1.0, 2.5, 10, 60_000), 10);
        assert_eq!(enough(f64::INFINITY, 2.5, 10, 60_000), 60_000);
    }

    #[test]
    fn the_ninety_ninth_of_a_hundred_is_not_the_worst() {
        let mut values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&mut values, 0.99), Some(99.0));
        assert_eq!(percentile(&mut values, 1.0), Some(100.0));
        assert_eq!(percentile(&mut [], 0.99), None);
    }
}
