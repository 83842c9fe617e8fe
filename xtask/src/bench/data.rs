//! What was measured, in `docs/bench.tsv`: every single value, so that whoever doubts a median can look.
//!
//! A row is a value: topic, case, server, measure, round, value. A row whose server is `about` says something in
//! words about its topic: when it was measured, where, and with what.

use std::fs;
use std::path::Path;

use crate::bench::house::Server;
use crate::bench::options::Topic;
use crate::failure::Failure;

/// Where the data lie.
pub(crate) const FILE: &str = "docs/bench.tsv";

const HEAD: &str = "topic\tcase\tserver\tmeasure\tround\tvalue\n";

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) topic: Topic,
    pub(crate) case: String,
    pub(crate) server: Server,
    pub(crate) measure: String,
    pub(crate) round: u32,
    pub(crate) value: f64,
}

/// Something in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) topic: Topic,
    pub(crate) key: String,
    pub(crate) words: String,
}

/// Everything that was measured.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Data {
    pub(crate) notes: Vec<Note>,
    pub(crate) samples: Vec<Sample>,
}

/// Middle, least and most of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// None of no values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let upper = *values.get(values.len() / 2)?;
        let lower = *values.get((values.len() - 1) / 2)?;
        Some(Self {
            median: f64::midpoint(lower, upper),
            least,
            most,
        })
    }
}

impl Data {
    /// Reads what is in the repository; nothing if there is nothing yet.
    pub(crate) fn load(root: &Path) -> Result<Self, Failure> {
        let path = root.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(Failure::File { path, source }),
        }
    }

    /// Reads the rows; a row that is none is named by its line.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let mut data = Self::default();
        for (line, row) in (1..).zip(text.lines()).skip(1) {
            data.add(row).ok_or(Failure::Row { file: FILE, line })?;
        }
        Ok(data)
    }

    fn add(&mut self, row: &str) -> Option<()> {
        let cells: Vec<&str> = row.split('\t').collect();
        let [topic, case, server, measure, round, value] = cells.as_slice() else {
            return None;
        };
        let topic = Topic::named(topic)?;
        if *server == "about" {
            self.notes.push(Note {
                topic,
                key: (*measure).to_owned(),
                words: (*value).to_owned(),
            });
        } else {
            self.samples.push(Sample {
                topic,
                case: (*case).to_owned(),
                server: Server::named(server)?,
                measure: (*measure).to_owned(),
                round: round.parse().ok()?,
                value: value.parse().ok().filter(|value: &f64| value.is_finite())?,
            });
        }
        Some(())
    }

    /// The file's text.
    pub(crate) fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for topic in Topic::ALL {
            for note in self.notes.iter().filter(|note| note.topic == topic) {
                let Note { key, words, .. } = note;
                text.push_str(&format!("{}\t\tabout\t{key}\t\t{words}\n", topic.name()));
            }
            for sample in self.samples.iter().filter(|sample| sample.topic == topic) {
                let Sample {
                    case,
                    server,
                    measure,
                    round,
                    value,
                    ..
                } = sample;
                let (topic, server) = (topic.name(), server.name());
                text.push_str(&format!(
                    "{topic}\t{case}\t{server}\t{measure}\t{round}\t{value:.4}\n"
                ));
            }
        }
        text
    }

    /// Replaces what was known about the topics that were measured anew.
    pub(crate) fn replace(&mut self, new: Self) {
        let again = |topic: Topic| new.notes.iter().any(|note| note.topic == topic);
        self.notes.retain(|note| !again(note.topic));
        self.samples.retain(|sample| !again(sample.topic));
        self.notes.extend(new.notes);
        self.samples.extend(new.samples);
    }

    /// What is said about a topic.
    pub(crate) fn note(&self, topic: Topic, key: &str) -> Option<&str> {
        let note = self
            .notes
            .iter()
            .find(|note| note.topic == topic && note.key == key);
        note.map(|note| note.words.as_str())
    }

    /// A server's values, by round.
    fn values(
        &self,
        topic: Topic,
        case: &str,
        measure: &str,
        server: Server,
    ) -> impl Iterator<Item = (u32, f64)> {
        self.samples
            .iter()
            .filter(move |sample| {
                sample.topic == topic
                    && sample.case == case
                    && sample.measure == measure
                    && sample.server == server
            })
            .map(|sample| (sample.round, sample.value))
    }

    /// A server's values, as a spread.
    pub(crate) fn spread(
        &self,
        topic: Topic,
        case: &str,
        measure: &str,
        server: Server,
    ) -> Option<Spread> {
        Spread::of(
            self.values(topic, case, measure, server)
                .map(|(_, value)| value),
        )
    }

    /// Facteur's values divided by Postfix's of the same round.
    pub(crate) fn ratio(&self, topic: Topic, case: &str, measure: &str) -> Option<Spread> {
        let ours = self.values(topic, case, measure, Server::Facteur);
        let ratios = ours.filter_map(|(round, value)| {
            let theirs = self
                .values(topic, case, measure, Server::Postfix)
                .find(|(other, _)| *other == round);
            theirs.map(|(_, other)| value / other)
        });
        Spread::of(ratios.filter(|ratio| ratio.is_finite()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "topic\tcase\tserver\tmeasure\tround\tvalue
relay\t\tabout\tdate\t\t2026-11-29
relay\t20\tfacteur\tmessages/s\t1\t300.0000
relay\t20\tpostfix\tmessages/s\t1\t100.0000
relay\t20\tfacteur\tmessages/s\t2\t800.0000
relay\t20\tpostfix\tmessages/s\t2\t200.0000
";

    #[test]
    fn what_is_written_is_read_again() {
        let data = Data::parse(TEXT).unwrap();
        assert_eq!(data.text(), TEXT);
        assert_eq!(data.note(Topic::Relay, "date"), Some("2026-11-29"));
        assert_eq!(data.note(Topic::Flood, "date"), None);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let data = Data::parse(TEXT).unwrap();
        let ratio = data.ratio(Topic::Relay, "20", "messages/s").unwrap();
        assert_eq!((ratio.median, ratio.least, ratio.most), (3.5, 3.0, 4.0));
        assert_eq!(data.ratio(Topic::Relay, "100", "messages/s"), None);
    }

    #[test]
    fn a_topic_that_is_measured_again_replaces_itself_only() {
        let mut data = Data::parse(TEXT).unwrap();
        let new = TEXT
            .replace("relay", "large")
            .replace("2026-11-29", "2026-11-30");
        data.replace(Data::parse(&new).unwrap());
        assert_eq!(data.note(Topic::Relay, "date"), Some("2026-11-29"));
        let again = TEXT.replace("2026-11-29", "2026-12-01");
        data.replace(Data::parse(&again).unwrap());
        assert_eq!(data.note(Topic::Relay, "date"), Some("2026-12-01"));
        assert_eq!(data.samples.len(), 8);
    }

    #[test]
    fn a_broken_row_is_named_by_its_line() {
        let broken = TEXT.replace("800.0000", "NaN");
        let failure = Data::parse(&broken).unwrap_err();
        assert_eq!(failure.to_string(), "docs/bench.tsv:5: not a row");
    }

    #[test]
    fn the_middle_of_an_even_number_lies_between_two() {
        let spread = Spread::of([4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!((spread.least, spread.median, spread.most), (1.0, 2.5, 4.0));
        assert_eq!(Spread::of([]), None);
    }
}
