//! Values of options that are more than a word: checked where clap can say which option is wrong.

use std::time::Duration;

use clap::builder::PossibleValuesParser;
use facteur_mail::MAX_REASON;
use facteur_replies::Category;

use crate::config::values;

/// `90s`, `5m`, `4h`, `5d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    values::duration(text).ok_or_else(|| text.to_owned())
}

/// `52428800`, `512KiB`, `50MiB`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    values::size(text).ok_or_else(|| text.to_owned())
}

/// A reason that can be kept.
pub(super) fn reason(text: &str) -> Result<String, String> {
    if text.len() > MAX_REASON {
        return Err(text.to_owned());
    }
    Ok(text.to_owned())
}

/// What a reply can be about.
pub(super) fn categories() -> PossibleValuesParser {
    Category::ALL
        .iter()
        .map(|category| category.name())
        .collect::<Vec<_>>()
        .into()
}
