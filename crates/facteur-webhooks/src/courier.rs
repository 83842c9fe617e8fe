//! How a notice gets to a program: one POST, without redirects, under a deadline. The trait is for tests.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use crate::error::WebhookError;

/// How long a program may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// How much of an answer is read, in octets: its status is all that counts.
const MAX_ANSWER: usize = 64 * 1024;

/// One request.
#[derive(Debug, Clone)]
pub struct Post {
    /// Where to.
    pub url: String,
    /// The notice's own name: the same at every try.
    pub id: String,
    /// When this try is made, in seconds since 1970.
    pub seconds: u64,
    /// What it is signed with.
    pub signature: String,
    /// The JSON.
    pub body: String,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// A 2xx.
    Yes,
    /// Another status.
    No(u16),
    /// No answer, and why, in the words of the system.
    Unanswered(String),
}

/// What [`Courier::post`] returns.
pub type CourierFuture<'a> = Pin<Box<dyn Future<Output = Taken> + Send + 'a>>;

/// Brings notices.
pub trait Courier: Send + Sync + 'static {
    /// Brings one.
    fn post(&self, post: Post) -> CourierFuture<'_>;
}

/// The real one: HTTP/1.1 over TCP or TLS, connections kept for the next notice.
#[derive(Debug, Clone)]
pub struct Web(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Web {
    /// For webhooks with `https`: with the certificate authorities of this machine.
    ///
    /// # Errors
    /// [`WebhookError::NoAuthorities`].
    pub fn new() -> Result<Self, WebhookError> {
        let provider = Arc::new(ring::default_provider());
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider)
            .map_err(|error| WebhookError::NoAuthorities { error })?;
        Ok(Self::over(connector.https_or_http().enable_http1().build()))
    }

    /// For webhooks with `http` alone: a machine without certificate authorities can have those.
    ///
    /// # Errors
    /// [`WebhookError::Tls`].
    pub fn without_tls() -> Result<Self, WebhookError> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| WebhookError::Tls { error })?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(config);
        Ok(Self::over(connector.https_or_http().enable_http1().build()))
    }

    fn over(connector: HttpsConnector<HttpConnector>) -> Self {
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }

    async fn try_post(&self, post: Post) -> Result<u16, String> {
        let uri: Uri = post.url.parse().map_err(|_| "not a URL".to_owned())?;
        let header = |text: &str| HeaderValue::from_str(text).map_err(|error| error.to_string());
        let request = Request::builder()
            .method(Method::POST)
            .uri(uri)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("Facteur/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", header(&post.id)?)
            .header("webhook-timestamp", HeaderValue::from(post.seconds))
            .header("webhook-signature", header(&post.signature)?)
            .body(Full::new(Bytes::from(post.body)))
            .map_err(|error| error.to_string())?;
        let answer = self
            .0
            .request(request)
            .await
            .map_err(|error| in_words(&error))?;
        let status = answer.status().as_u16();
        // Read to its end, so that the connection can be used again; its words are of no interest.
        drop(Limited::new(answer.into_body(), MAX_ANSWER).collect().await);
        Ok(status)
    }
}

/// An error with what caused it: the cause says more than "client error".
fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        words = format!("{words}: {deeper}");
        cause = deeper.source();
    }
    words
}

impl Courier for Web {
    fn post(&self, post: Post) -> CourierFuture<'_> {
        Box::pin(async move {
            match tokio::time::timeout(PATIENCE, self.try_post(post)).await {
                Ok(Ok(200..300)) => Taken::Yes,
                Ok(Ok(status)) => Taken::No(status),
                Ok(Err(words)) => Taken::Unanswered(words),
                Err(_) => Taken::Unanswered(format!("no answer in {} seconds", PATIENCE.as_secs())),
            }
        })
    }
}
