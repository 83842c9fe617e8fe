//! `/healthz`: the process answers. `/readyz`: it takes and sends mail, or why not.

use axum::extract::State as From;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use facteur_replies::text;
use serde_json::json;

use crate::State;
use crate::problem::{json as answer, language};

/// Says that the process lives: that it can say so is the proof.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// Says whether the server is ready, with every reason against it.
pub(crate) async fn ready(From(state): From<State>, headers: HeaderMap) -> Response {
    let language = language(&headers);
    let troubles = state.parts.pulse.troubles();
    let status = if troubles.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let reasons: Vec<_> = troubles
        .iter()
        .map(|trouble| {
            let name = trouble.name();
            json!({"name": name, "text": text(language, &format!("trouble-{name}"), &[])})
        })
        .collect();
    answer(
        status,
        &json!({"ready": troubles.is_empty(), "reasons": reasons}),
    )
}
