//! `facteur check`: can mail reach a domain or an address, and by which way.

use std::fmt::Display;
use std::sync::Arc;

use facteur_mail::event::RouteRule;
use facteur_mail::{Address, Clock as _, Domain, Host, Random};
use facteur_replies::Reply;
use facteur_route::{DnsConfig, Finding, HickoryResolver, MailHost, Plan, Planner, Policy, Router};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::args::Instance;
use crate::cli::config::route_words;
use crate::cli::explain;
use crate::config::takes::Keys as _;
use crate::config::{Config, RouteKeys};
use crate::error::{CliError, Kind};
use crate::failure;
use crate::system::SystemClock;
use crate::ui::{Screen, Tone, shown};
use crate::wiring;

/// Shows where mail for `subject` goes, and what is wrong with its DNS records.
pub(crate) fn run(subject: &str, instance: &Instance, screen: &mut Screen) -> Result<(), CliError> {
    let host = host(subject, screen)?;
    let config = Config::of(instance, screen.language, screen.color)?;
    let lookups = Lookups::new(&wiring::dns(&config), screen)?;
    let plan = match &host {
        Host::Domain(domain) => lookups.domain(domain),
        Host::Literal(_) => lookups.literal(&host),
    };
    let route = route(&config, &host);
    if screen.json {
        let mut answer = to_json(&host, &plan, screen);
        if let Some(answer) = answer.as_object_mut() {
            let route = route.map(|route| Value::Object(route.show()));
            answer.insert("route".to_owned(), json!(route));
        }
        screen.json(&answer)?;
        return if matches!(plan, Plan::Hosts { .. }) {
            Ok(())
        } else {
            Err(CliError::said(Kind::Negative))
        };
    }
    if let Some(route) = route {
        let words = route_words("check-route", route, screen);
        screen.paragraph(Tone::Strong, 0, &words)?;
    }
    match &plan {
        Plan::Hosts { hosts, .. } => {
            show_hosts(&host, hosts, screen)?;
            show_findings(plan.findings(), screen)
        }
        Plan::NullMx { .. }
        | Plan::NoSuchDomain
        | Plan::Unroutable { .. }
        | Plan::RoutesToUs { .. }
        | Plan::TryLater(_) => {
            show_findings(plan.findings(), screen)?;
            refuse(&host, &plan, screen)
        }
    }
}

/// The route of the configuration that mail takes instead of what DNS says.
fn route<'a>(config: &'a Config, host: &Host) -> Option<&'a RouteKeys> {
    let router = Router::new(wiring::route(config, SystemClock.now()));
    let RouteRule::Route { pattern, .. } = router.rule_of(host) else {
        return None;
    };
    config
        .route
        .iter()
        .find(|it| *it.r#match.to_string() == *pattern)
}

/// Says why mail has nowhere to go, in the catalogue's words. Never `Ok`.
pub(crate) fn refuse<T>(
    host: &impl Display,
    plan: &Plan,
    screen: &mut Screen,
) -> Result<T, CliError> {
    let name = host.to_string();
    let title = screen.text(
        &format!("check-{}", plan.name()),
        &[("host", (&name).into())],
    );
    if let Some(reply) = plan.refusal(host).filter(|_| !screen.json) {
        screen.line(Tone::Bad, &title)?;
        screen.blank()?;
        explain::show(
            &reply.explain(screen.language),
            Some(&reply.to_line()),
            screen,
        )?;
    }
    Err(CliError::said(Kind::Negative))
}

fn host(subject: &str, screen: &Screen) -> Result<Host, CliError> {
    let parsed = if subject.contains('@') {
        Address::parse(subject).map(|address| address.host().clone())
    } else {
        Host::parse(subject)
    };
    parsed.map_err(|_| {
        let asked = shown(subject);
        CliError::new(
            Kind::Usage,
            screen.text("check-bad-subject", &[("subject", (&asked).into())]),
        )
    })
}

fn show_hosts(host: &Host, hosts: &[MailHost], screen: &mut Screen) -> Result<(), CliError> {
    let name = host.to_string();
    let implicit = hosts.first().is_some_and(|host| host.implicit);
    let id = if implicit {
        "check-implicit-mx"
    } else {
        "check-hosts"
    };
    let count = u64::try_from(hosts.len()).unwrap_or(u64::MAX);
    let title = screen.text(id, &[("host", (&name).into()), ("count", count.into())]);
    screen.paragraph(Tone::Good, 0, &title)?;
    for host in hosts {
        let addresses: Vec<String> = host.addresses.iter().map(ToString::to_string).collect();
        let line = format!(
            "  {:>5}  {}  {}",
            host.preference,
            host.name,
            addresses.join(" ")
        );
        screen.line(Tone::Plain, &line)?;
    }
    Ok(())
}

fn show_findings(findings: &[Finding], screen: &mut Screen) -> Result<(), CliError> {
    for finding in findings {
        let (host, value) = finding.subject();
        let (host, value) = (shown(&host), shown(&value));
        let words = screen.text(
            &format!("finding-{}", finding.name()),
            &[("name", (&host).into()), ("value", (&value).into())],
        );
        screen.blank()?;
        screen.paragraph(Tone::Warning, 0, &words)?;
    }
    Ok(())
}

fn to_json(host: &Host, plan: &Plan, screen: &Screen) -> Value {
    let hosts = if let Plan::Hosts { hosts, .. } = plan {
        hosts.as_slice()
    } else {
        &[]
    };
    let reply = plan.refusal(host);
    json!({
        "subject": host.to_string(),
        "plan": plan.name(),
        "hosts": hosts.iter().map(|host| json!({
            "name": host.name.to_string(),
            "preference": host.preference,
            "implicit": host.implicit,
            "addresses": host.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "findings": plan.findings().iter().map(|finding| {
            let (host, value) = finding.subject();
            json!({"finding": finding.name(), "host": host, "value": value})
        }).collect::<Vec<_>>(),
        "reply": reply.as_ref().map(Reply::to_line),
        "explanation": reply.map(|reply| facteur_console::view::explanation(&reply.explain(screen.language), None)),
    })
}

/// DNS for a command: asks and waits.
pub(crate) struct Lookups {
    runtime: Runtime,
    planner: Planner,
}

impl Lookups {
    /// A resolver over what `dns` says.
    pub(crate) fn new(dns: &DnsConfig, screen: &Screen) -> Result<Self, CliError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| CliError::new(Kind::System, shown(&error.to_string())))?;
        let resolver = runtime
            .block_on(async { HickoryResolver::new(dns) })
            .map_err(|error| {
                CliError::new(Kind::System, failure::resolver(&error, screen.language))
            })?;
        // A command only looks: an MX on this machine is worth showing.
        let policy = Policy {
            allow_loopback_mx: true,
            ..Policy::default()
        };
        Ok(Self {
            runtime,
            planner: Planner::new(Arc::new(resolver), Arc::new(InOrder), policy),
        })
    }

    /// Where mail for a domain goes by MX.
    pub(crate) fn domain(&self, domain: &Domain) -> Plan {
        self.runtime.block_on(self.planner.domain(domain))
    }

    /// The addresses of a host that somebody named.
    pub(crate) fn host(&self, host: &Host) -> Plan {
        self.runtime.block_on(self.planner.next_hop(host))
    }

    fn literal(&self, host: &Host) -> Plan {
        match host {
            Host::Literal(ip) => self.planner.literal(*ip),
            Host::Domain(domain) => self.domain(domain),
        }
    }
}

/// No shuffling: what is shown twice is the same twice.
struct InOrder;

impl Random for InOrder {
    fn next(&self) -> u64 {
        0
    }
}
