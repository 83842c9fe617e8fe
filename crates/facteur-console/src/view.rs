//! An explanation with stable keys: the same at the command line and over HTTP.

use facteur_replies::{Explanation, ReplyCode};
use serde_json::{Value, json};

/// An explanation, of `line` if there was one.
#[must_use]
pub fn explanation(explanation: &Explanation, line: Option<&str>) -> Value {
    json!({
        "reply": line,
        "code": explanation.code.map(ReplyCode::number),
        "enhanced": explanation.enhanced.map(|enhanced| enhanced.to_string()),
        "key": explanation.key,
        "basis": explanation.basis.name(),
        "language": explanation.language.tag(),
        "title": explanation.title,
        "meaning": explanation.meaning,
        "when": explanation.when,
        "fix": explanation.fix,
        "retry": explanation.retry.name(),
        "who_acts": explanation.who_acts.iter().map(|actor| actor.name()).collect::<Vec<_>>(),
        "stages": explanation.stages.iter().map(|stage| stage.name()).collect::<Vec<_>>(),
        "speakers": explanation.speakers.iter().map(|speaker| speaker.name()).collect::<Vec<_>>(),
        "category": explanation.category.name(),
        "see": explanation.see,
        "rfc": explanation.rfc,
    })
}
