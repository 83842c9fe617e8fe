//! What can be asked about destinations, and what an order is outside of delivery: the values that cross the control socket
//! and lie in the file of orders.

use facteur_delivery::{Order, Target, What};
use facteur_mail::{MAX_REASON, Timestamp};
use facteur_replies::Language;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config::{limits_json, read_limits};

/// The most octets of a name in an order.
const MAX_NAME: usize = 300;

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DestinationsRequest {
    /// What.
    pub(crate) act: DestinationsAct,
    /// Which destinations; `None` for all.
    pub(crate) target: Option<String>,
    /// How many are shown at most.
    pub(crate) most: u64,
    /// Why.
    pub(crate) reason: Option<String>,
    /// How long an order lasts, in seconds.
    pub(crate) for_seconds: Option<u64>,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DestinationsAct {
    /// Look.
    Look,
    /// Look at where mail for these hosts goes.
    LookFor(Vec<String>),
    /// Send nothing.
    Pause,
    /// End a pause.
    Resume,
    /// Keep to other limits than the configuration's.
    Limit(Map<String, Value>),
    /// Keep to the configuration's limits again.
    Reset,
}

/// What there is besides the destinations that are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Overview {
    /// How many destinations fit.
    pub(crate) total: u64,
    /// Every order in force.
    pub(crate) orders: Vec<OrderSpec>,
}

/// An order of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderSpec {
    /// Whom it is for.
    pub(crate) r#match: String,
    /// The limits, key by key; `None` for a pause.
    pub(crate) limits: Option<Map<String, Value>>,
    /// Why; empty if nobody said.
    pub(crate) reason: String,
    /// Who gave it.
    pub(crate) by: String,
    /// When, in milliseconds since 1970.
    pub(crate) since: u64,
    /// When it ends by itself, in milliseconds since 1970.
    pub(crate) until: Option<u64>,
}

/// Why an order is not given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub(crate) enum OrderFault {
    /// That names no destination.
    BadTarget { target: String },
    /// The limits make no sense.
    BadLimits { words: Vec<String> },
    /// There is no such order to end.
    NoneThere { target: String },
    /// There are as many as may be.
    TooMany { limit: u64 },
    /// It could not be kept on disk, and is not given.
    NotKept { path: String, words: String },
}

impl OrderSpec {
    /// An order as it is kept and shown.
    pub(crate) fn of(order: &Order) -> Self {
        Self {
            r#match: order.target.to_string(),
            limits: match &order.what {
                What::Pause => None,
                What::Limit(limits) => Some(limits_json(limits)),
            },
            reason: order.reason.clone(),
            by: order.by.clone(),
            since: order.since.as_millis(),
            until: order.until.map(Timestamp::as_millis),
        }
    }

    /// The order, if all of it makes sense.
    pub(crate) fn order(&self) -> Result<Order, OrderFault> {
        let bad_target = || OrderFault::BadTarget {
            target: self.r#match.clone(),
        };
        let target = Target::parse(&self.r#match).ok_or_else(bad_target)?;
        if self.reason.len() > MAX_REASON || self.by.len() > MAX_NAME {
            return Err(bad_target());
        }
        let what = match &self.limits {
            None => What::Pause,
            Some(keys) => {
                let limits = read_limits(&self.r#match, keys, Language::English);
                What::Limit(limits.map_err(|words| OrderFault::BadLimits { words })?)
            }
        };
        Ok(Order {
            target,
            what,
            reason: self.reason.clone(),
            by: self.by.clone(),
            since: Timestamp::from_millis(self.since),
            until: self.until.map(Timestamp::from_millis),
        })
    }
}
