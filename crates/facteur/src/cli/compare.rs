//! `facteur compare`: two codes side by side, the differences that matter.

use facteur_replies::{Comparison, Topic, compare};
use serde_json::json;

use crate::cli::explain;
use crate::error::{CliError, Kind};
use crate::ui::{Screen, Tone, shown};

/// Compares `a` with `b`.
pub(crate) fn run(a: &str, b: &str, screen: &mut Screen) -> Result<(), CliError> {
    let left = topic(a, screen)?;
    let right = topic(b, screen)?;
    let comparison = compare(&left, &right, screen.language);
    if screen.json {
        return Ok(screen.json(&to_json(&comparison))?);
    }
    screen.line(Tone::Strong, &comparison.title)?;
    screen.blank()?;
    for side in [&comparison.left, &comparison.right] {
        let codes = explain::codes(side);
        let title = screen.text(
            "explain-title",
            &[("code", (&codes).into()), ("title", side.title.into())],
        );
        screen.paragraph(Tone::Plain, 2, &title)?;
    }
    if let Some(written) = comparison.written {
        for (label, words) in [
            ("label-differences", written.differences),
            ("label-which", written.which),
            ("label-confusion", written.confusion),
        ] {
            heading(label, screen)?;
            screen.markdown(2, words)?;
        }
    }
    heading("label-at-a-glance", screen)?;
    for line in &comparison.lines {
        screen.markdown(2, &format!("- {line}"))?;
    }
    Ok(())
}

fn heading(label: &str, screen: &mut Screen) -> Result<(), CliError> {
    screen.blank()?;
    let label = screen.text(label, &[]);
    Ok(screen.line(Tone::Strong, &label)?)
}

fn topic(text: &str, screen: &Screen) -> Result<Topic, CliError> {
    Topic::parse(text).ok_or_else(|| {
        let asked = shown(text);
        CliError::new(
            Kind::NotFound,
            screen.text("compare-not-a-code", &[("asked", (&asked).into())]),
        )
        .hint(screen.text("explain-nothing-found-hint", &[]))
    })
}

fn to_json(comparison: &Comparison) -> serde_json::Value {
    json!({
        "title": comparison.title,
        "left": facteur_console::view::explanation(&comparison.left, None),
        "right": facteur_console::view::explanation(&comparison.right, None),
        "same_command": comparison.same_command,
        "differences": comparison.written.map(|written| written.differences),
        "which": comparison.written.map(|written| written.which),
        "confusion": comparison.written.map(|written| written.confusion),
        "at_a_glance": comparison.lines,
    })
}
