//! `/metrics`: what has happened since the start, counted from the same events as the history, and the levels of the
//! moment, in OpenMetrics.
//!
//! Every label has a bounded set of values: no address, no domain, no text of a stranger.

use axum::extract::State as From;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use facteur_mail::event::{Decision, Event, Observer, Tried};
use facteur_mail::{Protocol, Said, Stage};
use facteur_replies::{Language, explain};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::State;
use crate::process;
use crate::server::Levels;

/// From tenths of a second to the five days after which a message is given up.
const WAITS: [f64; 14] = [
    0.1, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0, 259_200.0,
    432_000.0,
];

/// From a quick server to one that uses up all patience.
const TRIES: [f64; 12] = [
    0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0, 60.0, 300.0, 1_200.0,
];

/// The type that scrapers know the format by.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct How {
    protocol: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    stage: &'static str,
    reply: &'static str,
    code: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    decision: &'static str,
    stage: &'static str,
    speaker: &'static str,
    code: u32,
    category: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct What {
    verb: &'static str,
}

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    accepted: Family<How, Counter>,
    accepted_recipients: Counter,
    accepted_octets: Counter,
    refused: Family<Refusal, Counter>,
    tried: Family<Outcome, Counter>,
    try_seconds: Histogram,
    delivery_seconds: Histogram,
    reports: Counter,
    not_reported: Counter,
    deeds: Family<What, Counter>,
    ended: Counter,
    queued: Gauge,
    connections: Gauge,
    free: Gauge,
    ready: Gauge,
    process: process::Gauges,
}

impl Metrics {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(version: &'static str) -> Self {
        let mut registry = Registry::default();
        let metrics = Self {
            accepted: Family::default(),
            accepted_recipients: Counter::default(),
            accepted_octets: Counter::default(),
            refused: Family::default(),
            tried: Family::default(),
            try_seconds: Histogram::new(TRIES),
            delivery_seconds: Histogram::new(WAITS),
            reports: Counter::default(),
            not_reported: Counter::default(),
            deeds: Family::default(),
            ended: Counter::default(),
            queued: Gauge::default(),
            connections: Gauge::default(),
            free: Gauge::default(),
            ready: Gauge::default(),
            process: process::Gauges::default(),
            registry: Registry::default(),
        };
        let ours = registry.sub_registry_with_prefix("facteur");
        metrics.register_counts(ours);
        metrics.register_levels(ours, version);
        metrics.process.register(&mut registry);
        Self {
            registry,
            ..metrics
        }
    }

    fn register_counts(&self, registry: &mut Registry) {
        registry.register(
            "messages_accepted",
            "Messages answered with 250 after the dot",
            self.accepted.clone(),
        );
        registry.register(
            "recipients_accepted",
            "Recipients of accepted messages",
            self.accepted_recipients.clone(),
        );
        registry.register_with_unit(
            "accepted",
            "Content of accepted messages",
            Unit::Bytes,
            self.accepted_octets.clone(),
        );
        registry.register(
            "refused",
            "4yz and 5yz given to clients, by the reply's name",
            self.refused.clone(),
        );
        registry.register(
            "tries",
            "What tries came to, once for each recipient, by who decided it at which stage with which code",
            self.tried.clone(),
        );
        registry.register_with_unit(
            "try",
            "How long tries took",
            Unit::Seconds,
            self.try_seconds.clone(),
        );
        registry.register_with_unit(
            "delivery",
            "From acceptance to delivery, once for each recipient",
            Unit::Seconds,
            self.delivery_seconds.clone(),
        );
        registry.register("reports", "Reports (DSN) queued", self.reports.clone());
        registry.register(
            "not_reported",
            "Reports that nobody could be sent",
            self.not_reported.clone(),
        );
        registry.register(
            "deeds",
            "What operators did to messages",
            self.deeds.clone(),
        );
        registry.register(
            "messages_ended",
            "Messages that left the queue",
            self.ended.clone(),
        );
    }

    fn register_levels(&self, registry: &mut Registry, version: &'static str) {
        registry.register(
            "queue_messages",
            "Messages in the queue",
            self.queued.clone(),
        );
        registry.register(
            "connections",
            "Connections of SMTP and LMTP clients",
            self.connections.clone(),
        );
        registry.register_with_unit(
            "spool_free",
            "Room for the spool",
            Unit::Bytes,
            self.free.clone(),
        );
        registry.register(
            "ready",
            "Whether the server takes and sends mail",
            self.ready.clone(),
        );
        registry.register(
            "build",
            "This version",
            Info::new(vec![("version", version)]),
        );
    }

    /// All of it as text, the levels brought up to date.
    fn text(&self, levels: &Levels, ready: bool) -> Result<String, std::fmt::Error> {
        let level = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.queued.set(level(levels.queued));
        self.connections.set(level(levels.connections));
        if let Some(free) = levels.free_octets {
            self.free.set(level(free));
        }
        self.ready.set(i64::from(ready));
        self.process.update();
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    fn tried(&self, tried: &Tried<'_>) {
        if let Some(first) = tried.recipients.first() {
            self.try_seconds.observe(first.attempt.took.as_secs_f64());
        }
        for recipient in tried.recipients {
            let said = &recipient.attempt.said;
            let (code, enhanced) = (said.code(), said.enhanced());
            let explanation = explain(Some(code), enhanced, Language::English);
            self.tried
                .get_or_create(&Outcome {
                    decision: decision(recipient.decision),
                    stage: recipient.attempt.stage.name(),
                    speaker: match said {
                        Said::ByUs(_) => "us",
                        Said::ByPeer(_) => "peer",
                    },
                    code: bounded(code.number()),
                    category: explanation.category.name(),
                })
                .inc();
            if matches!(recipient.decision, Decision::Delivered(_)) {
                let waited = tried.at.since(tried.envelope.arrived);
                self.delivery_seconds.observe(waited.as_secs_f64());
            }
        }
    }
}

impl Observer for Metrics {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Accepted(accepted) => {
                let client = &accepted.envelope.client;
                let how = How {
                    protocol: protocol(client.protocol),
                };
                self.accepted.get_or_create(&how).inc();
                let recipients = accepted.envelope.recipients.len();
                self.accepted_recipients
                    .inc_by(u64::try_from(recipients).unwrap_or_default());
                self.accepted_octets.inc_by(accepted.octets);
            }
            Event::Refused(refused) => {
                let row = refused.reply.id().row();
                self.refused
                    .get_or_create(&Refusal {
                        stage: refused.stage.map_or("session", Stage::name),
                        reply: row.name,
                        code: row.code.number().into(),
                    })
                    .inc();
            }
            Event::Tried(tried) => self.tried(tried),
            Event::Reported(_) => drop(self.reports.inc()),
            Event::NotReported(_) => drop(self.not_reported.inc()),
            Event::Operated(deed) => {
                let what = What {
                    verb: deed.verb.name(),
                };
                self.deeds.get_or_create(&what).inc();
            }
            Event::Ended { .. } => drop(self.ended.inc()),
            _ => {}
        }
    }
}

/// A basic code of SMTP; a stranger's other numbers are one value.
fn bounded(code: u16) -> u32 {
    if (200..600).contains(&code) {
        code.into()
    } else {
        0
    }
}

const fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Delivered(_) => "delivered",
        Decision::RetryAt { .. } => "deferred",
        Decision::Bounced => "bounced",
        Decision::Expired => "expired",
    }
}

const fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Smtp => "smtp",
        Protocol::Esmtp => "esmtp",
        Protocol::Lmtp => "lmtp",
        Protocol::Utf8Smtp => "utf8smtp",
        Protocol::Utf8Lmtp => "utf8lmtp",
        Protocol::Local => "local",
        Protocol::Http => "http",
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// Answers a scraper.
pub(crate) async fn scrape(From(state): From<State>) -> Response {
    let pulse = &state.parts.pulse;
    let ready = pulse.troubles().is_empty();
    match state.parts.metrics.text(&pulse.levels(), ready) {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
