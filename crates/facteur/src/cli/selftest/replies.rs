//! The table of replies, as it was built into this program.

use facteur_replies::{Basis, Class, Language, ReplyId, explain};

use crate::cli::selftest::report::{Found, Report};
use crate::error::CliError;

pub(super) fn check(report: &mut Report<'_>) -> Result<(), CliError> {
    let count = u64::try_from(ReplyId::ALL.len()).unwrap_or(u64::MAX);
    let args = [("count", count.into())];
    report.note(
        "replies-registered",
        "selftest-replies-registered",
        &args,
        all(registered),
    )?;
    report.note(
        "replies-classes",
        "selftest-replies-classes",
        &args,
        all(classes),
    )?;
    for language in Language::ALL {
        let tag = language.tag();
        let args = [("count", count.into()), ("language", tag.into())];
        let found = all(|id| explained(id, language));
        let key = format!("replies-explained:{tag}");
        report.note(&key, "selftest-replies-explained", &args, found)?;
    }
    Ok(())
}

/// The names of those rows that do not pass.
fn all(passes: impl Fn(ReplyId) -> bool) -> Found {
    let failed: Vec<&str> = ReplyId::ALL
        .iter()
        .filter(|id| !passes(**id))
        .map(|id| id.row().name)
        .collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join(", "))
    }
}

/// Both codes have an entry in the catalogue, which has those of RFCs and registries.
fn registered(id: ReplyId) -> bool {
    let row = id.row();
    let known = |basis| matches!(basis, Basis::Pair | Basis::Enhanced | Basis::Code);
    known(explain(Some(row.code), None, Language::English).basis)
        && known(explain(Some(row.code), row.enhanced(), Language::English).basis)
}

/// An enhanced code has the class of its basic code, and a 3yz has none. (RFC 2034 §4)
fn classes(id: ReplyId) -> bool {
    let row = id.row();
    let class = row.code.class();
    match row.enhanced() {
        Some(enhanced) => class.enhanced_digit() == Some(enhanced.class()),
        None => row.detail.is_none() || class == Class::Intermediate,
    }
}

/// What it means, when it comes, and what to do.
fn explained(id: ReplyId, language: Language) -> bool {
    let row = id.row();
    let explanation = explain(Some(row.code), row.enhanced(), language);
    explanation.language == language
        && [
            explanation.title,
            explanation.meaning,
            explanation.when,
            explanation.fix,
        ]
        .iter()
        .all(|text| !text.trim().is_empty())
}
