//! What was typed behind `cargo xtask bench`.

use crate::failure::Failure;

/// How often each measurement is taken, if not told otherwise.
const ROUNDS: u32 = 3;

/// More would not end within a working day.
const MOST_ROUNDS: u32 = 100;

/// What is measured, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// Messages a second into the queue, delivery held; flushes.
    Reception,
    /// From the first octet in to the last message at the next server.
    Relay,
    /// Connections that say nothing.
    Idle,
    /// One message of 50 MiB.
    Large,
    /// From the start to the first banner.
    Start,
    /// 50,000 and a million messages that wait.
    Backlog,
    /// Crowds of strangers.
    Flood,
    /// One bad destination of a hundred.
    BadDestination,
}

impl Topic {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Reception,
        Self::Relay,
        Self::Idle,
        Self::Large,
        Self::Start,
        Self::Backlog,
        Self::Flood,
        Self::BadDestination,
    ];

    /// Its name at the command line and in the data.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Reception => "reception",
            Self::Relay => "relay",
            Self::Idle => "idle",
            Self::Large => "large",
            Self::Start => "start",
            Self::Backlog => "backlog",
            Self::Flood => "flood",
            Self::BadDestination => "bad-destination",
        }
    }

    /// The topic of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}

/// What was typed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Short measurements whose results are printed and not kept.
    pub(crate) quick: bool,
    pub(crate) rounds: u32,
    pub(crate) topics: Vec<Topic>,
    /// Measure nothing: write the tables again from the data.
    pub(crate) render: bool,
}

impl Options {
    /// Reads the words behind `bench`.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, Failure> {
        let mut options = Self {
            quick: false,
            rounds: ROUNDS,
            topics: Vec::new(),
            render: false,
        };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut value = |of: &str| words.next().ok_or_else(|| unknown(of));
            match word.as_str() {
                "--quick" => options.quick = true,
                "--render" => options.render = true,
                "--rounds" => {
                    let rounds = value("--rounds")?;
                    let count = rounds.parse().ok();
                    options.rounds = count
                        .filter(|count| (1..=MOST_ROUNDS).contains(count))
                        .ok_or_else(|| unknown(&rounds))?;
                }
                "--only" => {
                    let names = value("--only")?;
                    for name in names.split(',') {
                        let topic = Topic::named(name).ok_or_else(|| unknown(name))?;
                        options.topics.push(topic);
                    }
                }
                _ => return Err(unknown(&word)),
            }
        }
        if options.topics.is_empty() {
            options.topics = Topic::ALL.to_vec();
        }
        options.topics.sort_unstable();
        options.topics.dedup();
        Ok(options)
    }
}

fn unknown(word: &str) -> Failure {
    Failure::Argument {
        word: word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Failure> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn without_words_everything_is_measured_three_times() {
        let options = parse("").unwrap();
        assert_eq!(options.topics, Topic::ALL);
        assert_eq!((options.quick, options.rounds), (false, 3));
    }

    #[test]
    fn topics_are_chosen_by_name_once_and_in_order() {
        let options = parse("--quick --only relay,reception --only relay --rounds 5").unwrap();
        assert_eq!(options.topics, [Topic::Reception, Topic::Relay]);
        assert_eq!((options.quick, options.rounds), (true, 5));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for line in [
            "--fast",
            "--only mail",
            "--rounds",
            "--rounds 0",
            "--rounds x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
