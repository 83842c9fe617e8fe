//! An answer that says no: "problem details" (RFC 9457) in the reader's language, with the reply that SMTP would have
//! given and its explanation where there is one.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use facteur_replies::{Class, Language, Reply, Value, text};
use serde_json::{Map, json};

use crate::view;

/// An answer that says no.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    /// The stable name; the interface's text for it is `console-problem-NAME`.
    name: &'static str,
    language: Language,
    values: Vec<(&'static str, String)>,
    more: Map<String, serde_json::Value>,
    retry_after: Option<u32>,
}

impl Problem {
    /// A problem with its stable name.
    pub(crate) fn new(status: StatusCode, name: &'static str, language: Language) -> Self {
        Self {
            status,
            name,
            language,
            values: Vec::new(),
            more: Map::new(),
            retry_after: None,
        }
    }

    /// Sets a value of the text.
    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.values.push((name, value.to_string()));
        self
    }

    /// Adds a member.
    pub(crate) fn member(mut self, name: &str, value: serde_json::Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// Says when to try again, in seconds.
    pub(crate) const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// What SMTP would have answered.
    pub(crate) fn refused(reply: &Reply, language: Language) -> Self {
        let problem = match reply.code().class() {
            // The server's own trouble: later.
            Class::Transient => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "refused-for-now", language)
                    .retry_after(RETRY_AFTER)
            }
            Class::Success | Class::Intermediate | Class::Permanent | Class::Unknown => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", language)
            }
        };
        problem
            .member("reply", json!(reply.to_line()))
            .member("explain", view::explanation(&reply.explain(language), None))
    }
}

/// After how long a client may try again what was refused for now, in seconds.
const RETRY_AFTER: u32 = 60;

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let values: Vec<(&str, Value<'_>)> = self
            .values
            .iter()
            .map(|(name, value)| (*name, value.into()))
            .collect();
        let mut body = self.more;
        body.insert(
            "type".to_owned(),
            json!(format!("urn:facteur:problem:{}", self.name)),
        );
        body.insert("status".to_owned(), json!(self.status.as_u16()));
        let title = text(
            self.language,
            &format!("console-problem-{}", self.name),
            &values,
        );
        body.insert("title".to_owned(), json!(title));
        let mut response = json(self.status, &serde_json::Value::Object(body));
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(
            header::CONTENT_LANGUAGE,
            HeaderValue::from_static(self.language.tag()),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"facteur\""),
            );
        }
        response
    }
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, value: &serde_json::Value) -> Response {
    let mut body = value.to_string();
    body.push('\n');
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], body).into_response()
}

/// The language that a client reads, the first of those it names that we have; English otherwise. The client's order
/// counts, not its weights. (RFC 9110 §12.5.4)
pub(crate) fn language(headers: &HeaderMap) -> Language {
    let wanted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    wanted
        .split(',')
        .filter_map(|part| Language::negotiate(part.split(';').next()?.trim()))
        .next()
        .unwrap_or_default()
}
