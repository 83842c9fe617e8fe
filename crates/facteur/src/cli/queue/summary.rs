//! `facteur queue summary`: the waiting recipients counted by domain and by last reply, and how old they are.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use facteur_mail::{Clock as _, RecipientState};
use facteur_replies::{EnhancedCode, ReplyCode, explain};
use facteur_spool::Queued;
use serde_json::{Value, json};

use crate::args::Instance;
use crate::cli::spool;
use crate::error::CliError;
use crate::queue::{Filter, FilterSpec};
use crate::system::SystemClock;
use crate::ui::{Screen, Tone, shown};

/// How many names are told apart; what comes after counts among the others.
const MAX_NAMES: usize = 100_000;

/// How many rows are shown if nobody says otherwise.
const ROWS: u64 = 20;

/// Younger than this, in minutes; the last column has what is older.
const AGES: [u64; 4] = [5, 60, 360, 1_440];

/// Where the names begin, in columns.
const NAMES: usize = 51;

/// Counts every waiting recipient that fits, and shows the rows with the most.
pub(crate) fn summary(
    spec: &FilterSpec,
    limit: Option<u64>,
    instance: &Instance,
    screen: &mut Screen,
) -> Result<(), CliError> {
    let filter = super::filter(spec, screen)?;
    let reader = spool::open(instance, screen)?;
    let mut counted = Counted::default();
    for queued in reader.queued() {
        let queued = queued.map_err(|error| spool::cannot_read("", &error, screen))?;
        counted.add(&queued, &filter);
    }
    let limit = usize::try_from(limit.unwrap_or(ROWS)).unwrap_or(usize::MAX);
    let domains = counted.domains.rows(limit);
    let replies = counted.replies.rows(limit);
    if screen.json {
        for (name, row) in &domains.0 {
            screen.json(&to_json("domain", json!(name), row))?;
        }
        for (reply, row) in &replies.0 {
            screen.json(&to_json("reply", reply_json(*reply, screen), row))?;
        }
        return Ok(());
    }
    head("summary-domain", screen)?;
    for (name, row) in &domains.0 {
        line(row, &shown(name), screen)?;
    }
    others(&domains.1, screen)?;
    screen.blank()?;
    head("summary-reply", screen)?;
    for (reply, row) in &replies.0 {
        show_reply(*reply, row, screen)?;
    }
    others(&replies.1, screen)
}

/// A last reply by its codes; `None` for what has not been tried.
type Codes = Option<(ReplyCode, Option<EnhancedCode>)>;

#[derive(Default)]
struct Counted {
    domains: Table<String>,
    replies: Table<Codes>,
}

struct Table<K> {
    rows: HashMap<K, Row>,
    others: Row,
}

/// How many recipients, by age; and how many of them are held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Row {
    total: u64,
    ages: [u64; AGES.len() + 1],
    held: u64,
}

impl Counted {
    fn add(&mut self, queued: &Queued, filter: &Filter) {
        let now = SystemClock.now();
        let age = now.since(queued.envelope.arrived);
        for place in filter.select(queued, now) {
            let recipient = queued.envelope.recipients.get(place);
            let state = queued.progress.get(place);
            let (Some(recipient), Some(state)) = (recipient, state) else {
                continue;
            };
            let held = matches!(state, RecipientState::Held { .. });
            let reply = state
                .last_attempt()
                .map(|attempt| (attempt.said.code(), attempt.said.enhanced()));
            let host = recipient.address.host().to_string();
            self.domains.row(host).add(age, held);
            self.replies.row(reply).add(age, held);
        }
    }
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self {
            rows: HashMap::new(),
            others: Row::default(),
        }
    }
}

impl<K: Eq + Hash + Ord> Table<K> {
    fn row(&mut self, name: K) -> &mut Row {
        if self.rows.len() >= MAX_NAMES && !self.rows.contains_key(&name) {
            return &mut self.others;
        }
        self.rows.entry(name).or_default()
    }

    /// The rows with the most, and all others together.
    fn rows(self, limit: usize) -> (Vec<(K, Row)>, Row) {
        let mut rows: Vec<_> = self.rows.into_iter().collect();
        rows.sort_unstable_by(|(a, x), (b, y)| y.total.cmp(&x.total).then_with(|| a.cmp(b)));
        let mut others = self.others;
        for (_, row) in rows.drain(limit.min(rows.len())..) {
            others.merge(&row);
        }
        (rows, others)
    }
}

impl Row {
    fn add(&mut self, age: Duration, held: bool) {
        let minutes = age.as_secs() / 60;
        let column = AGES.iter().filter(|limit| minutes >= **limit).count();
        self.total += 1;
        self.held += u64::from(held);
        if let Some(count) = self.ages.get_mut(column) {
            *count += 1;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.total += other.total;
        self.held += other.held;
        for (count, more) in self.ages.iter_mut().zip(other.ages) {
            *count += more;
        }
    }

    fn columns(&self) -> impl Iterator<Item = u64> + '_ {
        let first = std::iter::once(self.total);
        first.chain(self.ages).chain(std::iter::once(self.held))
    }
}

fn head(name: &str, screen: &mut Screen) -> Result<(), CliError> {
    let labels = [
        "summary-total",
        "summary-age-0",
        "summary-age-1",
        "summary-age-2",
        "summary-age-3",
        "summary-age-4",
        "summary-held",
    ];
    let columns: String = labels
        .iter()
        .map(|label| format!("{:>7}", screen.text(label, &[])))
        .collect();
    let name = screen.text(name, &[]);
    Ok(screen.line(Tone::Strong, &format!("{columns}  {name}"))?)
}

fn line(row: &Row, name: &str, screen: &mut Screen) -> Result<(), CliError> {
    let columns: String = row.columns().map(|count| format!("{count:>7}")).collect();
    Ok(screen.line(Tone::Plain, &format!("{columns}  {name}"))?)
}

fn others(row: &Row, screen: &mut Screen) -> Result<(), CliError> {
    if row.total == 0 {
        return Ok(());
    }
    let name = screen.text("summary-others", &[]);
    line(row, &name, screen)
}

fn show_reply(reply: Codes, row: &Row, screen: &mut Screen) -> Result<(), CliError> {
    let Some((code, enhanced)) = reply else {
        let name = screen.text("summary-not-tried", &[]);
        return line(row, &name, screen);
    };
    line(row, &codes(code, enhanced), screen)?;
    let explanation = explain(Some(code), enhanced, screen.language);
    Ok(screen.paragraph(Tone::Quiet, NAMES, explanation.title)?)
}

fn codes(code: ReplyCode, enhanced: Option<EnhancedCode>) -> String {
    match enhanced {
        Some(enhanced) => format!("{code} {enhanced}"),
        None => code.to_string(),
    }
}

fn reply_json(reply: Codes, screen: &Screen) -> Value {
    reply.map_or(Value::Null, |(code, enhanced)| {
        let explanation = explain(Some(code), enhanced, screen.language);
        json!({
            "code": code.number(),
            "enhanced": enhanced.map(|enhanced| enhanced.to_string()),
            "category": explanation.category.name(),
            "title": explanation.title,
        })
    })
}

fn to_json(by: &str, name: Value, row: &Row) -> Value {
    let [first, second, third, fourth, older] = row.ages;
    json!({
        "by": by,
        by: name,
        "recipients": row.total,
        "held": row.held,
        "younger_than_5_minutes": first,
        "younger_than_1_hour": second,
        "younger_than_6_hours": third,
        "younger_than_1_day": fourth,
        "older": older,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_counts_by_age_and_the_smallest_rows_go_together() {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        let mut table = Table::default();
        for (name, age) in [
            ("a", 0),
            ("b", 4),
            ("b", 5),
            ("b", 59),
            ("b", 60),
            ("c", 1_439),
            ("c", 1_440),
        ] {
            table.row(name).add(minutes(age), name == "c");
        }
        let (rows, others) = table.rows(1);
        let b = Row {
            total: 4,
            ages: [1, 2, 1, 0, 0],
            held: 0,
        };
        assert_eq!(rows, [("b", b)]);
        let rest = Row {
            total: 3,
            ages: [1, 0, 0, 1, 1],
            held: 2,
        };
        assert_eq!(others, rest);
    }
}
