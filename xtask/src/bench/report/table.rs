//! The tables: the brief one of the README, the whole one of the manual, and the lines at the terminal.

use crate::bench::data::{Data, Spread};
use crate::bench::figures::{FIGURES, Figure, Shown};
use crate::bench::options::Topic;
use crate::bench::report::numbers;

/// In which language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    French,
}

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Brief,
    Whole,
}

impl Language {
    const fn of(self, texts: [&'static str; 2]) -> &'static str {
        let [english, french] = texts;
        match self {
            Self::English => english,
            Self::French => french,
        }
    }

    const fn title(self, figure: &Figure) -> &'static str {
        match self {
            Self::English => figure.english,
            Self::French => figure.french,
        }
    }
}

/// What stands between the markers.
pub(super) fn section(data: &Data, language: Language, size: Size) -> String {
    if data.notes.is_empty() {
        return language
            .of(["Not measured yet.\n", "Pas encore mesuré.\n"])
            .to_owned();
    }
    match size {
        Size::Brief => brief(data, language),
        Size::Whole => whole(data, language),
    }
}

fn brief(data: &Data, language: Language) -> String {
    let mut text = String::from(
        "| median (least to most) | Facteur | Postfix | Facteur ÷ Postfix |\n|---|--:|--:|--:|\n",
    );
    for shown in rows(data, None).filter(|shown| shown.figure.brief) {
        let [ours, theirs, ratio] = cells(&shown, language);
        let title = language.title(shown.figure);
        text.push_str(&format!("| {title} | {ours} | {theirs} | {ratio} |\n"));
    }
    text.push_str(&format!("\n{}", measured(data, language)));
    text
}

fn whole(data: &Data, language: Language) -> String {
    let mut text = String::new();
    for topic in Topic::ALL {
        let shown: Vec<_> = rows(data, Some(topic)).collect();
        if shown.is_empty() {
            continue;
        }
        let head = language.of([
            "| median (least to most) | Facteur | Postfix | Facteur ÷ Postfix | to reach | reached |\n",
            "| médiane (minimum à maximum) | Facteur | Postfix | Facteur ÷ Postfix | à atteindre | atteint |\n",
        ]);
        text.push_str(&format!(
            "### {}\n\n{head}|---|--:|--:|--:|--:|---|\n",
            heading(topic, language)
        ));
        for shown in shown {
            let [ours, theirs, ratio] = cells(&shown, language);
            let title = language.title(shown.figure);
            let goal = shown.figure.goal.map_or_else(String::new, |goal| {
                numbers::goal(goal, shown.figure.unit, language)
            });
            let reached = match shown.is_reached() {
                None => "",
                Some(true) => language.of(["yes", "oui"]),
                Some(false) => language.of(["**no**", "**non**"]),
            };
            text.push_str(&format!(
                "| {title} | {ours} | {theirs} | {ratio} | {goal} | {reached} |\n"
            ));
        }
        let date = data.note(topic, "date").unwrap_or_default();
        let rounds = data.note(topic, "rounds").unwrap_or_default();
        let load = data.note(topic, "load before").unwrap_or_default();
        let build = data.note(topic, "facteur").unwrap_or_default();
        text.push_str(&match language {
            Language::English => {
                format!("\n{date}, Facteur {build}, {rounds} rounds; load average before: {load}.\n\n")
            }
            Language::French => {
                let load = load.replace('.', ",");
                format!("\n{date}, Facteur {build}, {rounds} tours\u{a0}; charge moyenne avant\u{a0}: {load}.\n\n")
            }
        });
    }
    text.push_str(&measured(data, language));
    text
}

fn rows<'a>(data: &'a Data, topic: Option<Topic>) -> impl Iterator<Item = Shown<'static>> + 'a {
    FIGURES
        .iter()
        .filter(move |figure| topic.is_none_or(|topic| figure.topic == topic))
        .filter_map(|figure| figure.look_up(data))
}

/// Facteur, Postfix, and the quotient; a dash where there is none.
fn cells(shown: &Shown<'_>, language: Language) -> [String; 3] {
    let unit = shown.figure.unit;
    let value = |spread: Option<Spread>| {
        spread.map_or_else(
            || "–".to_owned(),
            |spread| numbers::value(spread.median, unit, language),
        )
    };
    // Where Postfix was asked for less, a quotient would say nothing.
    let comparable = !(shown.figure.topic == Topic::Idle && shown.figure.case == "default");
    let ratio = shown
        .ratio
        .filter(|_| comparable)
        .map_or_else(|| "–".to_owned(), |ratio| spread(ratio, language));
    [value(shown.ours), value(shown.theirs), ratio]
}

/// `5.2 × (4.9 to 5.6)`.
fn spread(ratio: Spread, language: Language) -> String {
    let median = numbers::times(ratio.median, language);
    let strip = |value| {
        numbers::times(value, language)
            .trim_end_matches(['×', ' ', '\u{a0}'])
            .to_owned()
    };
    let (least, most) = (strip(ratio.least), strip(ratio.most));
    let to = language.of(["to", "à"]);
    format!("{median} ({least} {to} {most})")
}

fn heading(topic: Topic, language: Language) -> &'static str {
    language.of(match topic {
        Topic::Reception => ["Reception", "Réception"],
        Topic::Relay => ["Relay", "Relais"],
        Topic::Idle => ["Idle connections", "Connexions muettes"],
        Topic::Large => ["A large message", "Un grand message"],
        Topic::Start => ["Start", "Démarrage"],
        Topic::Backlog => ["Many messages that wait", "Beaucoup de messages en attente"],
        Topic::Flood => ["Crowds of strangers", "Foules d’inconnus"],
        Topic::BadDestination => ["A bad destination", "Une mauvaise destination"],
    })
}

/// When, where, with what; and whether both flush before they answer.
fn measured(data: &Data, language: Language) -> String {
    let note = |key| data.note(Topic::Reception, key).unwrap_or("–");
    let (machine, facteur, postfix) = (note("machine"), note("facteur"), note("postfix"));
    let (date, rounds) = (note("date"), note("rounds"));
    let (order, load) = (order(data, language), note("load before"));
    match language {
        Language::English => format!(
            "Measured by `cargo xtask bench` on {date} in {rounds} rounds, the two servers in turn, on one machine that also makes the\n\
             load (load average before: {load}): {machine}.\n\
             Facteur {facteur}, Postfix {postfix}. {order}\n"
        ),
        Language::French => {
            let load = load.replace('.', ",");
            format!(
                "Mesuré par `cargo xtask bench` le {date}, en {rounds} tours, les deux serveurs à tour de rôle, sur une seule machine qui\n\
                 produit aussi la charge (charge moyenne avant\u{a0}: {load})\u{a0}: {machine}.\n\
                 Facteur {facteur}, Postfix {postfix}. {order}\n"
            )
        }
    }
}

/// The check of `strace`, in a sentence.
fn order(data: &Data, language: Language) -> String {
    use crate::bench::house::Server::{Facteur, Postfix};
    let count = |server, measure| {
        let spread = data.spread(Topic::Reception, "order", measure, server);
        spread.map(|spread| spread.median)
    };
    let of = |server| {
        (
            count(server, "flushed before"),
            count(server, "acknowledged"),
        )
    };
    match (of(Facteur), of(Postfix)) {
        ((Some(ours), Some(of_ours)), (Some(theirs), Some(of_theirs))) => match language {
            Language::English => format!(
                "`strace` saw a flush end before the 250 of {ours} of {of_ours} messages of Facteur and of {theirs} of {of_theirs} of Postfix."
            ),
            Language::French => format!(
                "`strace` a vu une écriture forcée se terminer avant le 250 de {ours} messages de Facteur sur {of_ours} et de {theirs} de Postfix sur {of_theirs}."
            ),
        },
        _ => String::new(),
    }
}

/// A line at the terminal.
pub(super) fn line(shown: &Shown<'_>) -> String {
    let language = Language::English;
    let [ours, theirs, ratio] = cells(shown, language);
    let verdict = match (shown.figure.goal, shown.is_reached()) {
        (Some(goal), Some(reached)) => {
            let goal = numbers::goal(goal, shown.figure.unit, language);
            let word = if reached { "reached" } else { "NOT reached" };
            format!("{goal} {word}")
        }
        _ => String::new(),
    };
    let title = language.title(shown.figure);
    format!("{title}\n    {ours:>12} {theirs:>12} {ratio:>22}  {verdict}\n")
}
