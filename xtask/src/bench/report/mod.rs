//! The pages that show the data: the README, the manual's page in each language, and the chart. What stands between their
//! markers is made here and nowhere else; tidy compares.

mod chart;
mod numbers;
mod table;

use crate::bench::data::Data;
use crate::bench::figures::FIGURES;
use crate::bench::report::table::{Language, Size};

/// What is made stands between these lines.
const BEGIN: &str = "<!-- bench -->\n";
const END: &str = "<!-- /bench -->";

/// Where the chart lies.
const CHART: &str = "docs/bench.svg";

/// A file that shows the data.
pub(crate) struct Page {
    /// Its place in the repository.
    pub(crate) path: &'static str,
    shows: Shows,
}

enum Shows {
    Chart,
    Table(Language, Size),
}

/// All of them.
pub(crate) const fn pages() -> [Page; 4] {
    [
        Page {
            path: CHART,
            shows: Shows::Chart,
        },
        Page {
            path: "README.md",
            shows: Shows::Table(Language::English, Size::Brief),
        },
        Page {
            path: "docs/manual/en/performance.md",
            shows: Shows::Table(Language::English, Size::Whole),
        },
        Page {
            path: "docs/manual/fr/performance.md",
            shows: Shows::Table(Language::French, Size::Whole),
        },
    ]
}

impl Page {
    /// The file with what the data say in it; nothing if it has no markers.
    pub(crate) fn written(&self, before: &str, data: &Data) -> Option<String> {
        match self.shows {
            Shows::Chart => Some(chart::draw(data)),
            Shows::Table(language, size) => {
                let (head, rest) = before.split_once(BEGIN)?;
                let (_, tail) = rest.split_once(END)?;
                let made = table::section(data, language, size);
                Some(format!("{head}{BEGIN}\n{made}\n{END}{tail}"))
            }
        }
    }
}

/// What was found, for the terminal: one line for each figure, and whether it is reached.
pub(crate) fn summary(data: &Data) -> String {
    FIGURES
        .iter()
        .filter_map(|figure| figure.look_up(data))
        .map(|shown| table::line(&shown))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::options::Topic;

    /// Something for every figure.
    pub(super) fn data() -> Data {
        let mut text = "head\n".to_owned();
        for topic in Topic::ALL {
            for (key, words) in [
                ("date", "2026-11-29 16:00 UTC"),
                ("machine", "2 cores"),
                ("facteur", "0.1.0 (abc)"),
                ("postfix", "3.7.11"),
                ("rounds", "3"),
            ] {
                text.push_str(&format!("{}\t\tabout\t{key}\t\t{words}\n", topic.name()));
            }
        }
        for figure in FIGURES {
            for (server, value) in [("facteur", 5_432.1), ("postfix", 1_000.0)] {
                text.push_str(&format!(
                    "{}\t{}\t{server}\t{}\t1\t{value}\n",
                    figure.topic.name(),
                    figure.case,
                    figure.measure
                ));
            }
        }
        Data::parse(&text).unwrap()
    }

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let page = &pages()[1];
        let before = "a\n<!-- bench -->\nold\n<!-- /bench -->\nb\n";
        let after = page.written(before, &data()).unwrap();
        assert!(after.starts_with("a\n<!-- bench -->\n"));
        assert!(after.ends_with("<!-- /bench -->\nb\n"));
        assert!(after.contains("5.4 ×") && !after.contains("old"));
        assert_eq!(page.written(&after, &data()).unwrap(), after);
        assert_eq!(page.written("no markers", &data()), None);
    }

    #[test]
    fn the_summary_says_what_is_reached() {
        let summary = summary(&data());
        assert_eq!(summary.lines().count(), FIGURES.len() * 2);
        assert!(summary.contains("reached") && summary.contains("NOT reached"));
    }
}
