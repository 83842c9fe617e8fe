//! How a destination is, as it crosses the control socket.

use facteur_delivery::{DestinationView, HeldView, LimitsView, SlowedView, Why};
use facteur_mail::{Attempt, RemoteHost, Said, Stage, Timestamp};
use facteur_replies::{RemoteReply, Reply, ReplyCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::request::OrderSpec;
use crate::config::limits_json;

/// How one destination is. Moments are in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Its name.
    pub(crate) name: String,
    /// Jobs that are not due yet.
    pub(crate) later: u64,
    /// Jobs that are due and have not started.
    pub(crate) due: u64,
    /// Jobs under way.
    pub(crate) running: u64,
    /// How many may be under way at once.
    pub(crate) window: u64,
    /// How many that may become.
    pub(crate) most: u64,
    /// Until when it is left alone, and the try that found no answer.
    pub(crate) down: Option<DownSeen>,
    /// The order that pauses it.
    pub(crate) paused: Option<OrderSpec>,
    /// The limit that keeps it back.
    pub(crate) held: Option<HeldSeen>,
    /// Its own limits.
    pub(crate) own: LimitsSeen,
    /// The limits that it shares, by the rule that says so.
    pub(crate) shared: Option<(String, LimitsSeen)>,
    /// Its mail servers, where rules ask for them.
    pub(crate) hosts: Vec<String>,
    /// The last try that failed.
    pub(crate) failed: Option<AttemptSeen>,
    /// When a message was taken.
    pub(crate) taken: Option<u64>,
}

/// A destination that is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DownSeen {
    /// Until then.
    pub(crate) until: u64,
    /// Because of this.
    pub(crate) attempt: AttemptSeen,
}

/// A limit that keeps something back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldSeen {
    /// Which limit: the last part of a text's name.
    pub(crate) limit: String,
    /// How much it allows; 0 for a pause.
    pub(crate) number: u64,
    /// When it lets something through; `None`: when something under way ends.
    pub(crate) until: Option<u64>,
    /// The rule, if it is shared.
    pub(crate) shared: Option<String>,
}

/// Limits and their use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LimitsSeen {
    /// The limits, as they are configured.
    pub(crate) limits: Map<String, Value>,
    /// Messages in the last minute.
    pub(crate) messages: u64,
    /// New connections in the last minute.
    pub(crate) connections: u64,
    /// Recipients in the last minute.
    pub(crate) recipients: u64,
    /// What a reply that asks for less has made of them.
    pub(crate) slowed: Option<SlowedSeen>,
}

/// What a reply that asks for less has come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SlowedSeen {
    /// The policy that acts.
    pub(crate) policy: String,
    /// The provider whose words were recognised.
    pub(crate) provider: Option<String>,
    /// How often what is sent was halved.
    pub(crate) halved: u64,
    /// Messages a minute.
    pub(crate) messages: u64,
    /// Connections at a time.
    pub(crate) connections: u64,
    /// Nothing is sent before.
    pub(crate) until: u64,
    /// When twice as much is sent again.
    pub(crate) eases_at: u64,
    /// The try that got the reply.
    pub(crate) attempt: AttemptSeen,
}

/// One try, for [`Attempt`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AttemptSeen {
    at: u64,
    took: u64,
    host: Option<(String, Option<std::net::SocketAddr>)>,
    stage: String,
    said: SaidSeen,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SaidSeen {
    Us { name: String, args: Vec<String> },
    Peer { code: u16, lines: Vec<String> },
}

impl Seen {
    /// What crosses the socket of what delivery knows.
    pub(super) fn of(view: &DestinationView) -> Self {
        Self {
            name: view.destination.to_string(),
            later: wide(view.waiting),
            due: wide(view.due),
            running: view.running.into(),
            window: view.window.into(),
            most: view.most.into(),
            down: view.down.as_ref().map(|(until, attempt)| DownSeen {
                until: until.as_millis(),
                attempt: AttemptSeen::of(attempt),
            }),
            paused: view.paused.as_deref().map(OrderSpec::of),
            held: view.held.as_ref().map(HeldSeen::of),
            own: LimitsSeen::of(&view.own),
            shared: view
                .shared
                .as_ref()
                .map(|(target, limits)| (target.to_string(), LimitsSeen::of(limits))),
            hosts: view.hosts.clone(),
            failed: view.failed.as_deref().map(AttemptSeen::of),
            taken: view.taken.map(Timestamp::as_millis),
        }
    }

    /// What a reply that asks for less has come to: of the limits that it shares, or of its own.
    pub(crate) fn slowed(&self) -> Option<&SlowedSeen> {
        let shared = self.shared.as_ref();
        let shared = shared.and_then(|(_, limits)| limits.slowed.as_ref());
        shared.or(self.own.slowed.as_ref())
    }
}

impl HeldSeen {
    fn of(held: &HeldView) -> Self {
        let (limit, number) = match held.why {
            Why::Connections(most) => ("connections", most.get()),
            Why::MessagesPerMinute(most) => ("messages-per-minute", most.get()),
            Why::ConnectionsPerMinute(most) => ("connections-per-minute", most.get()),
            Why::RecipientsPerMinute(most) => ("recipients-per-minute", most.get()),
            Why::RateLimitPause => ("rate-limit-pause", 0),
            Why::SlowedMessages(most) => ("slowed-messages", most.get()),
            Why::SlowedConnections(most) => ("slowed-connections", most.get()),
        };
        Self {
            limit: limit.to_owned(),
            number: number.into(),
            until: held.until.map(Timestamp::as_millis),
            shared: held.shared.as_ref().map(ToString::to_string),
        }
    }
}

impl LimitsSeen {
    fn of(view: &LimitsView) -> Self {
        Self {
            limits: limits_json(&view.limits),
            messages: view.messages.into(),
            connections: view.connections.into(),
            recipients: view.recipients.into(),
            slowed: view.slowed.as_ref().map(SlowedSeen::of),
        }
    }
}

impl SlowedSeen {
    fn of(view: &SlowedView) -> Self {
        Self {
            policy: view.policy().name().to_owned(),
            provider: view.wording.map(|wording| wording.provider.to_owned()),
            halved: view.level.into(),
            messages: view.messages.get().into(),
            connections: view.connections.get().into(),
            until: view.until.as_millis(),
            eases_at: view.eases_at.as_millis(),
            attempt: AttemptSeen::of(&view.attempt),
        }
    }
}

impl AttemptSeen {
    fn of(attempt: &Attempt) -> Self {
        Self {
            at: attempt.at.as_millis(),
            took: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
            host: attempt
                .host
                .as_ref()
                .map(|host| (host.name.to_string(), host.address)),
            stage: attempt.stage.name().to_owned(),
            said: match &attempt.said {
                Said::ByUs(reply) => SaidSeen::Us {
                    name: reply.id().row().name.to_owned(),
                    args: reply.args().to_vec(),
                },
                Said::ByPeer(reply) => SaidSeen::Peer {
                    code: reply.code.number(),
                    lines: reply.lines.clone(),
                },
            },
        }
    }

    /// The try; `None` if a server of another version has words that this one does not know.
    pub(crate) fn attempt(&self) -> Option<Attempt> {
        Some(Attempt {
            at: Timestamp::from_millis(self.at),
            took: std::time::Duration::from_millis(self.took),
            host: self.host.as_ref().map(|(name, address)| RemoteHost {
                name: name.as_str().into(),
                address: *address,
            }),
            stage: Stage::from_name(&self.stage)?,
            said: match &self.said {
                SaidSeen::Us { name, args } => Said::ByUs(Reply::restore(name, args.clone())?),
                SaidSeen::Peer { code, lines } => {
                    Said::ByPeer(RemoteReply::new(ReplyCode::new(*code)?, lines.clone()))
                }
            },
        })
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
