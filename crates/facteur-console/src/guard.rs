//! What every request passes: is it meant for us, and does the answer forbid a browser everything it need not do.

use axum::extract::{Request, State as From};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use facteur_mail::text::escaped;

use crate::State;
use crate::problem::{Problem, language};

/// Sent with every answer: no page of ours runs scripts, and no other page may use ours.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Turns away what a foreign page sends, bounds the time, and adds the headers.
pub(crate) async fn check(From(state): From<State>, request: Request, next: Next) -> Response {
    let mut response = match stranger(&state, request.headers()) {
        Some(problem) => problem.into_response(),
        None => {
            let language = language(request.headers());
            let answered =
                tokio::time::timeout(state.config.request_timeout, next.run(request)).await;
            answered.unwrap_or_else(|_| {
                Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", language).into_response()
            })
        }
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// What is wrong with where a request comes from: a name that is not ours, or a page of another origin.
fn stranger(state: &State, headers: &HeaderMap) -> Option<Problem> {
    let language = language(headers);
    let host = text_of(headers, &header::HOST);
    if !state.config.serves(host) {
        let problem = Problem::new(StatusCode::MISDIRECTED_REQUEST, "wrong-host", language);
        return Some(problem.with("host", escaped(host)));
    }
    let origin = headers.get(header::ORIGIN)?;
    let origin = origin.to_str().unwrap_or_default();
    let name = origin.split_once("://").map_or("", |(_, name)| name);
    if name.eq_ignore_ascii_case(host) {
        return None;
    }
    let problem = Problem::new(StatusCode::FORBIDDEN, "foreign-origin", language);
    Some(problem.with("origin", escaped(origin)))
}

fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// For every path that is not there.
pub(crate) async fn nothing_here(headers: HeaderMap) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-found", language(&headers))
}

/// For every method that a path does not have.
pub(crate) async fn not_this_way(headers: HeaderMap) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong-method",
        language(&headers),
    )
}
