//! `POST /api/v1/messages`: a message by HTTP, under the policy of SMTP submission.
//!
//! The message is JSON, composed here, or ready (`message/rfc822`). The answer comes when the message is on disk. With an
//! `Idempotency-Key` the same request, sent again, gets the same answer and sends nothing.

mod compose;
mod envelope;
mod newlines;
mod once;
mod request;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State as From};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use facteur_mail::{QueueId, Recipient};
use facteur_replies::{Class, Language, Reply};
use http_body_util::BodyExt as _;
use ring::digest::{Context, SHA256};
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;

use crate::State;
use crate::config::Token;
use crate::http::Peer;
use crate::problem::{Problem, json as answer, language};
use crate::server::{Letter, NewEnvelope};
use crate::submission::envelope::Wishes;
use crate::submission::newlines::Newlines;
use crate::submission::once::{Claim, Digest};
use crate::view;

pub use once::{Once, OnceError};

/// The largest request in JSON, in octets: composing holds it in memory, twice for a moment.
const MAX_JSON: u64 = 32 * 1024 * 1024;

/// The longest idempotency key, in octets.
const MAX_KEY: usize = 255;

/// The field that makes a request safe to repeat.
const KEY: &str = "idempotency-key";

/// Takes a message.
pub(crate) async fn submit(
    From(state): From<State>,
    Extension(Peer(ip)): Extension<Peer>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let language = language(&parts.headers);
    let visit = Visit {
        state: &state,
        headers: &parts.headers,
        language,
    };
    let done = match visit.authorised() {
        Ok(token) => visit.take(ip, token, body).await,
        Err(problem) => Err(problem),
    };
    done.unwrap_or_else(|problem| problem.into_response())
}

/// One request.
struct Visit<'a> {
    state: &'a State,
    headers: &'a HeaderMap,
    language: Language,
}

/// A message that waits for its content to be handed over.
struct Ready {
    wishes: Wishes,
    content: Content,
    message_id: Option<String>,
}

/// Where the content comes from.
enum Content {
    /// Composed from JSON.
    Composed {
        octets: Vec<u8>,
        /// The permit for that much memory.
        _memory: OwnedSemaphorePermit,
    },
    /// Ready, still to be read.
    Raw(Body),
}

impl Visit<'_> {
    /// Whose token was shown. Digests are compared, so that the time tells nothing about the secret.
    fn authorised(&self) -> Result<&Token, Problem> {
        let shown = self
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        let Some(shown) = shown else {
            return Err(self.problem(StatusCode::UNAUTHORIZED, "no-token"));
        };
        let shown = once::digest(shown);
        self.state
            .config
            .tokens
            .iter()
            .find(|token| once::digest(&token.secret) == shown)
            .ok_or_else(|| self.problem(StatusCode::UNAUTHORIZED, "wrong-token"))
    }

    async fn take(
        &self,
        ip: std::net::IpAddr,
        token: &Token,
        body: Body,
    ) -> Result<Response, Problem> {
        let key = self.key()?;
        let mut hash = Context::new(&SHA256);
        let ready = self.ready(body, &mut hash).await?;
        let octets = match &ready.content {
            Content::Composed { octets, .. } => u64::try_from(octets.len()).ok(),
            Content::Raw(_) => self.length(),
        };
        if octets.is_some_and(|octets| octets > self.state.config.max_message_octets) {
            return Err(self.too_large(self.state.config.max_message_octets));
        }
        let wishes = ready.wishes;
        let envelope = NewEnvelope {
            smtputf8: wishes.smtputf8(),
            sender: wishes.sender,
            recipients: wishes.recipients.clone(),
            octets,
            ip,
            token: token.name.clone(),
        };
        let opened = self.state.parts.mailroom.open(envelope).await;
        let opened = opened.map_err(|reply| Problem::refused(&reply, self.language))?;
        let verdicts = recipients_json(&wishes.recipients, &opened.verdicts, self.language);
        let Some(mut letter) = opened.letter else {
            return Err(self.nobody(&opened.verdicts, verdicts));
        };
        self.hand_over(&mut *letter, ready.content, &mut hash)
            .await?;
        let claim = match key {
            None => None,
            Some(key) => match self.claim(token, key, hash, letter.id()).await? {
                Ok(claim) => Some(claim),
                Err(known) => return Ok(known),
            },
        };
        let committed = letter.commit().await;
        let id = committed.map_err(|reply| Problem::refused(&reply, self.language))?;
        let answer_body = json!({
            "queue_id": id.to_string(),
            "message_id": ready.message_id,
            "recipients": verdicts,
        });
        if let Some(claim) = claim {
            let kept = answer_body.to_string();
            // The message is on disk: an answer that cannot be kept is found again by its queue id.
            if let Err(error) = self.state.parts.once.done(claim, kept).await {
                tracing::warn!(%error, "the answer to a request with an idempotency key was not kept");
            }
        }
        Ok(answer(StatusCode::ACCEPTED, &answer_body))
    }

    fn key(&self) -> Result<Option<String>, Problem> {
        let Some(key) = self.headers.get(KEY) else {
            return Ok(None);
        };
        let key = key.to_str().unwrap_or_default();
        if key.is_empty() || key.len() > MAX_KEY {
            let problem = self.problem(StatusCode::BAD_REQUEST, "bad-key");
            return Err(problem.with("limit", MAX_KEY));
        }
        Ok(Some(key.to_owned()))
    }

    /// Reads what kind of message it is, and who it is from and for.
    async fn ready(&self, body: Body, hash: &mut Context) -> Result<Ready, Problem> {
        let kind = self
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("message/rfc822") {
            let wishes =
                envelope::of_headers(self.headers).map_err(|fault| fault.problem(self.language))?;
            wishes.digest(hash);
            return Ok(Ready {
                wishes,
                content: Content::Raw(body),
                message_id: None,
            });
        }
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(self.problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-type"));
        }
        let (bytes, permit) = self.whole(body).await?;
        hash.update(&bytes);
        let clock = &self.state.parts.clock;
        let composed = request::parse(&bytes)
            .and_then(|message| compose::compose(message, &self.state.parts.hostname, clock.now()));
        let composed = composed.map_err(|fault| fault.problem(self.language))?;
        Ok(Ready {
            wishes: composed.wishes,
            content: Content::Composed {
                octets: composed.content,
                _memory: permit,
            },
            message_id: Some(composed.message_id),
        })
    }

    fn length(&self) -> Option<u64> {
        self.headers
            .get(header::CONTENT_LENGTH)?
            .to_str()
            .ok()?
            .parse()
            .ok()
    }

    /// A whole body in memory, with the permit for it.
    async fn whole(&self, mut body: Body) -> Result<(Vec<u8>, OwnedSemaphorePermit), Problem> {
        // A request that does not say how long it is may become as long as any.
        let length = self.length().unwrap_or(MAX_JSON);
        if length > MAX_JSON {
            return Err(self.too_large(MAX_JSON));
        }
        let permits = u32::try_from(length / 1024 * 3 + 1).unwrap_or(u32::MAX);
        let permit = std::sync::Arc::clone(&self.state.memory)
            .try_acquire_many_owned(permits)
            .map_err(|_| {
                self.problem(StatusCode::SERVICE_UNAVAILABLE, "busy")
                    .retry_after(1)
            })?;
        let mut bytes = Vec::with_capacity(usize::try_from(length.min(1 << 20)).unwrap_or(0));
        while let Some(chunk) = self.chunk(&mut body).await? {
            if bytes.len() + chunk.len() > usize::try_from(length).unwrap_or(usize::MAX) {
                return Err(self.too_large(MAX_JSON));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((bytes, permit))
    }

    async fn chunk(&self, body: &mut Body) -> Result<Option<Bytes>, Problem> {
        loop {
            match body.frame().await {
                None => return Ok(None),
                Some(Err(_)) => return Err(self.problem(StatusCode::BAD_REQUEST, "cut-off")),
                Some(Ok(frame)) => {
                    // Trailers say nothing to us.
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// Hands the content to the spool as it comes.
    async fn hand_over(
        &self,
        letter: &mut dyn Letter,
        content: Content,
        hash: &mut Context,
    ) -> Result<(), Problem> {
        let refused = |reply: Reply| Problem::refused(&reply, self.language);
        let mut body = match content {
            Content::Composed { octets, .. } => return letter.write(&octets).map_err(refused),
            Content::Raw(body) => body,
        };
        let limit = self.state.config.max_message_octets;
        let mut newlines = Newlines::default();
        let mut octets = 0_u64;
        while let Some(chunk) = self.chunk(&mut body).await? {
            hash.update(&chunk);
            octets = octets.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            if octets > limit {
                return Err(self.too_large(limit));
            }
            letter.write(&newlines.crlf(&chunk)).map_err(refused)?;
        }
        letter.write(newlines.end()).map_err(refused)
    }

    /// Takes a key for this request; `Err` is the answer that was given to it before.
    async fn claim(
        &self,
        token: &Token,
        key: String,
        hash: Context,
        id: QueueId,
    ) -> Result<Result<Claim, Response>, Problem> {
        let digest = Digest::of(hash);
        let now = self.state.parts.clock.now();
        let once = &self.state.parts.once;
        let mailroom = std::sync::Arc::clone(&self.state.parts.mailroom);
        let known = move |id| mailroom.was_accepted(id);
        let claimed = once
            .claim(token.name.clone(), key, digest, id, now, known)
            .await;
        match claimed {
            Ok(once::Claimed::New(claim)) => Ok(Ok(claim)),
            Ok(once::Claimed::Answered(kept)) => {
                let kept = serde_json::from_str(&kept).unwrap_or_default();
                Ok(Err(answer(StatusCode::ACCEPTED, &kept)))
            }
            Ok(once::Claimed::Accepted(id)) => {
                let body =
                    json!({"queue_id": id.to_string(), "message_id": null, "recipients": null});
                Ok(Err(answer(StatusCode::ACCEPTED, &body)))
            }
            Ok(once::Claimed::AnotherRequest) => {
                Err(self.problem(StatusCode::UNPROCESSABLE_ENTITY, "key-reused"))
            }
            Ok(once::Claimed::UnderWay) => Err(self
                .problem(StatusCode::CONFLICT, "under-way")
                .retry_after(1)),
            Err(error) => {
                tracing::error!(%error, "idempotency keys cannot be kept; a request with one is refused");
                let problem = self.problem(StatusCode::SERVICE_UNAVAILABLE, "no-keys");
                Err(problem.retry_after(60))
            }
        }
    }

    /// Nobody was taken: the answer is as permanent as the least permanent refusal.
    fn nobody(&self, verdicts: &[Result<(), Reply>], recipients: serde_json::Value) -> Problem {
        let later = |verdict: &Result<(), Reply>| matches!(verdict, Err(reply) if reply.code().class() == Class::Transient);
        let problem = if verdicts.iter().any(later) {
            self.problem(StatusCode::SERVICE_UNAVAILABLE, "no-recipient-for-now")
                .retry_after(60)
        } else {
            self.problem(StatusCode::UNPROCESSABLE_ENTITY, "no-recipient")
        };
        problem.member("recipients", recipients)
    }

    fn too_large(&self, limit: u64) -> Problem {
        let limit = facteur_mail::text::size(limit, self.language);
        self.problem(StatusCode::PAYLOAD_TOO_LARGE, "too-large")
            .with("limit", limit)
    }

    fn problem(&self, status: StatusCode, name: &'static str) -> Problem {
        Problem::new(status, name, self.language)
    }
}

fn recipients_json(
    recipients: &[Recipient],
    verdicts: &[Result<(), Reply>],
    language: Language,
) -> serde_json::Value {
    let each = recipients.iter().zip(verdicts).map(|(recipient, verdict)| {
        let address = recipient.address.to_string();
        match verdict {
            Ok(()) => json!({"address": address, "accepted": true}),
            Err(reply) => json!({
                "address": address,
                "accepted": false,
                "reply": reply.to_line(),
                "explain": view::explanation(&reply.explain(language), None),
            }),
        }
    });
    each.collect()
}
