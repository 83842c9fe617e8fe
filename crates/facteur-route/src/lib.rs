//! Where a recipient goes: local domains, aliases, routes, and the MX plan with null MX.
//!
//! [`Router`] answers from the configuration alone; [`Planner`] asks DNS through a [`Resolver`] and decides by
//! [`decide`], a pure function over the answers. No clock and no socket but in [`HickoryResolver`].

mod error;
mod hickory;
mod hop;
mod network;
mod plan;
mod planner;
mod policy;
mod resolver;
mod router;
mod taken;

pub use error::{RouteError, SystemResolverError};
pub use hickory::{DnsConfig, HickoryResolver};
pub use hop::{
    DEFAULT_LMTP_PORT, DEFAULT_SMTP_PORT, Destination, MAX_USER, MaildirTemplate, NextHop, Pattern,
};
pub use network::Network;
pub use plan::{
    Answers, Finding, MAX_ADDRESSES_PER_HOST, MAX_HOSTS, MAX_LOOKUPS, MailHost, Plan, decide,
};
pub use planner::Planner;
pub use policy::{Policy, Refused};
pub use resolver::{Answer, DnsFailure, Exchange, Found, Lookup, MAX_RECORDS, MxRecord, Resolver};
pub use router::{
    AliasLoop, Config, Deliver, LocalDomain, MAX_ALIAS_DEPTH, MAX_EXPANSION, Route, RouteRule,
    Router, Target,
};
pub use taken::route_taken;
