//! What is shown of the data, in which unit, and what it is to reach.

use crate::bench::data::{Data, Spread};
use crate::bench::house::Server;
use crate::bench::options::Topic;

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Messages a second.
    Rate,
    /// MiB a second.
    Mebibytes,
    Seconds,
    Octets,
    /// A part of one.
    Share,
    /// A quotient of two values of one server.
    Quotient,
    /// A small number of things.
    Number,
}

/// What a value is to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// Facteur's value is so many times Postfix's, or more.
    TimesAtLeast(f64),
    /// … or less.
    TimesAtMost(f64),
    AtLeast(f64),
    AtMost(f64),
}

/// One line of the tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) topic: Topic,
    pub(crate) case: &'static str,
    pub(crate) measure: &'static str,
    pub(crate) unit: Unit,
    pub(crate) goal: Option<Goal>,
    /// Whether it stands in the README as well.
    pub(crate) brief: bool,
    pub(crate) english: &'static str,
    pub(crate) french: &'static str,
}

/// A figure with its values.
pub(crate) struct Shown<'a> {
    pub(crate) figure: &'a Figure,
    pub(crate) ours: Option<Spread>,
    pub(crate) theirs: Option<Spread>,
    pub(crate) ratio: Option<Spread>,
}

impl Figure {
    /// The values, if there is any.
    pub(crate) fn look_up<'a>(&'a self, data: &Data) -> Option<Shown<'a>> {
        let spread = |server| data.spread(self.topic, self.case, self.measure, server);
        let (ours, theirs) = (spread(Server::Facteur), spread(Server::Postfix));
        (ours.is_some() || theirs.is_some()).then(|| Shown {
            figure: self,
            ours,
            theirs,
            ratio: data.ratio(self.topic, self.case, self.measure),
        })
    }
}

impl Shown<'_> {
    /// Whether the median is what it was to be; nothing where nothing was to be reached, or it was not measured.
    pub(crate) fn is_reached(&self) -> Option<bool> {
        let ratio = self.ratio.map(|ratio| ratio.median);
        let ours = self.ours.map(|ours| ours.median);
        match self.figure.goal? {
            Goal::TimesAtLeast(least) => ratio.map(|ratio| ratio >= least),
            Goal::TimesAtMost(most) => ratio.map(|ratio| ratio <= most),
            Goal::AtLeast(least) => ours.map(|ours| ours >= least),
            Goal::AtMost(most) => ours.map(|ours| ours <= most),
        }
    }
}

const KIB: f64 = 1_024.0;
const MIB: f64 = 1_048_576.0;

const fn figure(
    topic: Topic,
    case: &'static str,
    measure: &'static str,
    unit: Unit,
    texts: [&'static str; 2],
) -> Figure {
    let [english, french] = texts;
    Figure {
        topic,
        case,
        measure,
        unit,
        goal: None,
        brief: false,
        english,
        french,
    }
}

impl Figure {
    const fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    const fn brief(mut self) -> Self {
        self.brief = true;
        self
    }
}

/// Messages a second into the queue.
const fn reception(case: &'static str, least: f64, texts: [&'static str; 2]) -> Figure {
    figure(Topic::Reception, case, "messages/s", Unit::Rate, texts).goal(Goal::TimesAtLeast(least))
}

/// What was measured beside reception.
const fn received(
    case: &'static str,
    measure: &'static str,
    unit: Unit,
    texts: [&'static str; 2],
) -> Figure {
    figure(Topic::Reception, case, measure, unit, texts)
}

/// Every line, in the order in which they are shown.
pub(crate) const FIGURES: &[Figure] = &[
    reception(
        "1KiB-1",
        1.5,
        [
            "reception of 1 KiB, 1 session",
            "réception de 1 Kio, 1 session",
        ],
    ),
    reception(
        "1KiB-20",
        4.0,
        [
            "reception of 1 KiB, 20 sessions",
            "réception de 1 Kio, 20 sessions",
        ],
    ),
    reception(
        "1KiB-100",
        4.5,
        [
            "reception of 1 KiB, 100 sessions",
            "réception de 1 Kio, 100 sessions",
        ],
    ),
    reception(
        "1KiB-500",
        4.5,
        [
            "reception of 1 KiB, 500 sessions",
            "réception de 1 Kio, 500 sessions",
        ],
    ),
    reception(
        "10KiB-1",
        1.5,
        [
            "reception of 10 KiB, 1 session",
            "réception de 10 Kio, 1 session",
        ],
    )
    .brief(),
    reception(
        "10KiB-20",
        4.0,
        [
            "reception of 10 KiB, 20 sessions",
            "réception de 10 Kio, 20 sessions",
        ],
    )
    .brief(),
    reception(
        "10KiB-100",
        4.5,
        [
            "reception of 10 KiB, 100 sessions",
            "réception de 10 Kio, 100 sessions",
        ],
    )
    .brief(),
    reception(
        "10KiB-500",
        4.5,
        [
            "reception of 10 KiB, 500 sessions",
            "réception de 10 Kio, 500 sessions",
        ],
    )
    .brief(),
    reception(
        "1MiB-20",
        1.5,
        [
            "reception of 1 MiB, 20 sessions",
            "réception de 1 Mio, 20 sessions",
        ],
    )
    .brief(),
    reception(
        "1MiB-100",
        1.5,
        [
            "reception of 1 MiB, 100 sessions",
            "réception de 1 Mio, 100 sessions",
        ],
    ),
    received(
        "10KiB-20",
        "cpu",
        Unit::Seconds,
        [
            "CPU time for 1,000 messages of 10 KiB, 20 sessions",
            "temps processeur pour 1 000 messages de 10 Kio, 20 sessions",
        ],
    )
    .goal(Goal::TimesAtMost(0.2)),
    received(
        "10KiB-100",
        "cpu",
        Unit::Seconds,
        [
            "CPU time for 1,000 messages of 10 KiB, 100 sessions",
            "temps processeur pour 1 000 messages de 10 Kio, 100 sessions",
        ],
    )
    .goal(Goal::TimesAtMost(0.2)),
    received(
        "10KiB-1",
        "flushes",
        Unit::Number,
        [
            "flushes for a message, 1 session",
            "écritures forcées par message, 1 session",
        ],
    ),
    received(
        "10KiB-20",
        "flushes",
        Unit::Number,
        [
            "flushes for a message, 20 sessions",
            "écritures forcées par message, 20 sessions",
        ],
    ),
    received(
        "10KiB-100",
        "flushes",
        Unit::Number,
        [
            "flushes for a message, 100 sessions",
            "écritures forcées par message, 100 sessions",
        ],
    )
    .goal(Goal::AtMost(0.1))
    .brief(),
    figure(
        Topic::Large,
        "50MiB",
        "MiB/s",
        Unit::Mebibytes,
        ["one message of 50 MiB", "un message de 50 Mio"],
    )
    .goal(Goal::TimesAtLeast(1.5))
    .brief(),
    figure(
        Topic::Large,
        "50MiB",
        "growth",
        Unit::Octets,
        ["memory that it takes", "mémoire qu’il prend"],
    )
    .goal(Goal::AtMost(2.0 * MIB)),
    figure(
        Topic::Relay,
        "10KiB-20",
        "messages/s",
        Unit::Rate,
        [
            "relay of 10 KiB, 20 sessions",
            "relais de 10 Kio, 20 sessions",
        ],
    )
    .goal(Goal::TimesAtLeast(4.0))
    .brief(),
    figure(
        Topic::Relay,
        "10KiB-100",
        "messages/s",
        Unit::Rate,
        [
            "relay of 10 KiB, 100 sessions",
            "relais de 10 Kio, 100 sessions",
        ],
    )
    .goal(Goal::TimesAtLeast(5.0))
    .brief(),
    figure(
        Topic::Relay,
        "10KiB-20",
        "cpu",
        Unit::Seconds,
        [
            "CPU time for 1,000 messages relayed, 20 sessions",
            "temps processeur pour 1 000 messages relayés, 20 sessions",
        ],
    )
    .goal(Goal::TimesAtMost(0.2)),
    figure(
        Topic::Relay,
        "10KiB-100",
        "cpu",
        Unit::Seconds,
        [
            "CPU time for 1,000 messages relayed, 100 sessions",
            "temps processeur pour 1 000 messages relayés, 100 sessions",
        ],
    )
    .goal(Goal::TimesAtMost(0.2))
    .brief(),
    figure(
        Topic::Idle,
        "default",
        "served",
        Unit::Number,
        [
            "idle connections served at default settings",
            "connexions muettes servies sans rien régler",
        ],
    )
    .goal(Goal::AtLeast(5_000.0))
    .brief(),
    figure(
        Topic::Idle,
        "default",
        "memory",
        Unit::Octets,
        [
            "memory of the server with these",
            "mémoire du serveur avec celles-ci",
        ],
    )
    .goal(Goal::AtMost(80.0 * MIB))
    .brief(),
    figure(
        Topic::Idle,
        "default",
        "memory each",
        Unit::Octets,
        ["memory for one of these", "mémoire pour une de celles-ci"],
    )
    .goal(Goal::AtMost(10.0 * KIB)),
    figure(
        Topic::Idle,
        "400",
        "memory each",
        Unit::Octets,
        [
            "memory for one of 400 idle connections",
            "mémoire pour une de 400 connexions muettes",
        ],
    ),
    figure(
        Topic::Start,
        "empty",
        "seconds",
        Unit::Seconds,
        [
            "start to first banner, empty queue",
            "démarrage jusqu’à l’accueil, file vide",
        ],
    )
    .goal(Goal::AtMost(0.05))
    .brief(),
    figure(
        Topic::Backlog,
        "50000",
        "seconds",
        Unit::Seconds,
        [
            "start with 50,000 messages queued",
            "démarrage avec 50 000 messages en file",
        ],
    )
    .goal(Goal::AtMost(0.3))
    .brief(),
    figure(
        Topic::Backlog,
        "50000",
        "memory after",
        Unit::Octets,
        ["memory after it", "mémoire après celui-ci"],
    ),
    figure(
        Topic::Backlog,
        "50000",
        "ratio beside",
        Unit::Quotient,
        [
            "reception beside these, against an empty queue",
            "réception à côté de ceux-ci, contre une file vide",
        ],
    ),
    figure(
        Topic::Backlog,
        "1000000",
        "queued",
        Unit::Number,
        ["messages queued", "messages en file"],
    ),
    figure(
        Topic::Backlog,
        "1000000",
        "seconds",
        Unit::Seconds,
        ["start with all of them", "démarrage avec tous ceux-ci"],
    )
    .goal(Goal::AtMost(30.0))
    .brief(),
    figure(
        Topic::Backlog,
        "1000000",
        "memory each",
        Unit::Octets,
        ["memory for one of them", "mémoire pour un de ceux-ci"],
    )
    .goal(Goal::AtMost(0.5 * KIB)),
    figure(
        Topic::Backlog,
        "1000000",
        "ratio beside",
        Unit::Quotient,
        [
            "reception beside them, against an empty queue",
            "réception à côté de ceux-ci, contre une file vide",
        ],
    )
    .goal(Goal::AtLeast(0.95)),
    crowded(
        "idle",
        "share stranger",
        Unit::Share,
        [
            "10,000 idle strangers: visits of another stranger that are served",
            "10 000 inconnus muets : visites d’un autre inconnu qui sont servies",
        ],
    )
    .goal(Goal::AtLeast(0.99)),
    crowded(
        "idle",
        "p99 stranger",
        Unit::Seconds,
        ["99 of 100 within", "99 sur 100 en moins de"],
    )
    .goal(Goal::AtMost(2.0)),
    crowded(
        "idle",
        "share client",
        Unit::Share,
        [
            "the same for a client that may relay: served",
            "de même pour un client qui peut relayer : servies",
        ],
    )
    .goal(Goal::AtLeast(0.99)),
    crowded(
        "idle",
        "p99 client",
        Unit::Seconds,
        ["99 of 100 within", "99 sur 100 en moins de"],
    )
    .goal(Goal::AtMost(2.0)),
    crowded(
        "slow",
        "share stranger",
        Unit::Share,
        [
            "2,000 slow strangers: visits of another stranger that are served",
            "2 000 inconnus lents : visites d’un autre inconnu qui sont servies",
        ],
    )
    .goal(Goal::AtLeast(0.99)),
    crowded(
        "slow",
        "p99 stranger",
        Unit::Seconds,
        ["99 of 100 within", "99 sur 100 en moins de"],
    )
    .goal(Goal::AtMost(2.0)),
    apart(
        "silent",
        [
            "one silent destination of 100: it delays the others’ p99 by",
            "une destination muette sur 100 : elle retarde le 99e centile des autres de",
        ],
    ),
    apart(
        "endless",
        [
            "one whose greeting never ends",
            "une dont l’accueil ne finit jamais",
        ],
    ),
    apart(
        "resetting",
        [
            "one that resets each connection",
            "une qui coupe chaque connexion",
        ],
    ),
];

const fn crowded(
    case: &'static str,
    measure: &'static str,
    unit: Unit,
    texts: [&'static str; 2],
) -> Figure {
    figure(Topic::Flood, case, measure, unit, texts)
}

const fn apart(case: &'static str, texts: [&'static str; 2]) -> Figure {
    figure(Topic::BadDestination, case, "moved", Unit::Seconds, texts).goal(Goal::AtMost(0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(goal: Goal, ours: f64, theirs: f64) -> Option<bool> {
        let text =
            format!("head\nrelay\t1\tfacteur\tx\t1\t{ours}\nrelay\t1\tpostfix\tx\t1\t{theirs}\n");
        let figure = figure(Topic::Relay, "1", "x", Unit::Rate, ["", ""]).goal(goal);
        figure.look_up(&Data::parse(&text).unwrap())?.is_reached()
    }

    #[test]
    fn a_goal_is_reached_or_not() {
        assert_eq!(shown(Goal::TimesAtLeast(4.0), 40.0, 10.0), Some(true));
        assert_eq!(shown(Goal::TimesAtLeast(4.0), 39.0, 10.0), Some(false));
        assert_eq!(shown(Goal::TimesAtMost(0.2), 3.0, 10.0), Some(false));
        assert_eq!(shown(Goal::AtMost(3.0), 3.0, 10.0), Some(true));
        assert_eq!(shown(Goal::AtLeast(4.0), 3.0, 10.0), Some(false));
    }

    #[test]
    fn what_was_not_measured_is_not_shown() {
        let data = Data::default();
        assert!(FIGURES.iter().all(|figure| figure.look_up(&data).is_none()));
    }
}
