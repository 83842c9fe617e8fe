//! How the way of a message was found, in words.

use std::time::Duration;

use facteur_mail::event::{MxAnswer, RouteFinding, RouteRule, RouteTaken};

use crate::cli::message;
use crate::error::CliError;
use crate::ui::{Screen, Tone, shown};

/// How far it is indented.
const INDENT: usize = 4;

/// Shows what of the configuration decided, what DNS answered, and which hosts came of it.
pub(crate) fn show(route: &RouteTaken, screen: &mut Screen) -> Result<(), CliError> {
    let rule = rule(&route.by, screen);
    screen.paragraph(Tone::Plain, INDENT, &rule)?;
    if let Some(mx) = &route.mx {
        show_mx(mx, screen)?;
    }
    if !route.hosts.is_empty() {
        show_hosts(route, screen)?;
    } else if !matches!(&*route.plan, "mailbox" | "socket") {
        let host = shown(subject(&route.by));
        let id = format!("check-{}", route.plan);
        if facteur_replies::has_text(&id) {
            let words = screen.text(&id, &[("host", (&host).into())]);
            screen.paragraph(Tone::Bad, INDENT, &words)?;
        }
    }
    for finding in &route.findings {
        show_finding(finding, screen)?;
    }
    Ok(())
}

fn rule(by: &RouteRule, screen: &Screen) -> String {
    let (id, name, hop) = match by {
        RouteRule::Mx(domain) => ("trace-route-mx", domain, None),
        RouteRule::Literal(literal) => ("trace-route-literal", literal, None),
        RouteRule::Route { pattern, hop } => ("trace-route-rule", pattern, Some(hop)),
        RouteRule::Deliver { domain, hop } => ("trace-route-deliver", domain, Some(hop)),
        RouteRule::Maildir(domain) => ("trace-route-maildir", domain, None),
    };
    let name = shown(name);
    let hop = hop.map(|hop| shown(hop)).unwrap_or_default();
    screen.text(id, &[("name", (&name).into()), ("hop", (&hop).into())])
}

/// What the conclusion is about: the next hop where one is configured.
pub(crate) const fn subject(by: &RouteRule) -> &str {
    match by {
        RouteRule::Mx(name) | RouteRule::Literal(name) | RouteRule::Maildir(name) => name,
        RouteRule::Route { hop, .. } | RouteRule::Deliver { hop, .. } => hop,
    }
}

fn show_mx(mx: &MxAnswer, screen: &mut Screen) -> Result<(), CliError> {
    let records = match mx {
        MxAnswer::Found { records, ttl } => {
            let ttl = message::in_words(Duration::max(*ttl, Duration::from_secs(1)), screen);
            let words = screen.text("trace-mx-found", &[("ttl", (&ttl).into())]);
            screen.paragraph(Tone::Plain, INDENT, &words)?;
            records.as_slice()
        }
        MxAnswer::NoRecords => {
            let words = screen.text("trace-mx-none", &[]);
            return Ok(screen.paragraph(Tone::Plain, INDENT, &words)?);
        }
        MxAnswer::NoSuchDomain => {
            let words = screen.text("trace-mx-no-domain", &[]);
            return Ok(screen.paragraph(Tone::Plain, INDENT, &words)?);
        }
        MxAnswer::Failed(name) => {
            let name = shown(name);
            let words = screen.text("trace-mx-failed", &[("failure", (&name).into())]);
            return Ok(screen.paragraph(Tone::Warning, INDENT, &words)?);
        }
    };
    for (preference, exchange) in records {
        let line = format!("{:INDENT$}  MX {preference:>5}  {}", "", shown(exchange));
        screen.line(Tone::Plain, &line)?;
    }
    Ok(())
}

fn show_hosts(route: &RouteTaken, screen: &mut Screen) -> Result<(), CliError> {
    let implicit = route.hosts.first().is_some_and(|host| host.implicit);
    let id = if implicit {
        "trace-hosts-implicit"
    } else {
        "trace-hosts"
    };
    let count = u64::try_from(route.hosts.len()).unwrap_or(u64::MAX);
    let words = screen.text(id, &[("count", count.into())]);
    screen.paragraph(Tone::Plain, INDENT, &words)?;
    for host in &route.hosts {
        let addresses: Vec<String> = host.addresses.iter().map(ToString::to_string).collect();
        let line = format!(
            "{:INDENT$}  {}  {}",
            "",
            shown(&host.name),
            addresses.join(" ")
        );
        screen.line(Tone::Plain, &line)?;
    }
    Ok(())
}

fn show_finding(finding: &RouteFinding, screen: &mut Screen) -> Result<(), CliError> {
    let id = format!("finding-{}", finding.name);
    let words = if facteur_replies::has_text(&id) {
        let (name, value) = (shown(&finding.host), shown(&finding.value));
        let args = [("name", (&name).into()), ("value", (&value).into())];
        screen.text(&id, &args)
    } else {
        // A version that knows it has a sentence for it.
        shown(&finding.name)
    };
    Ok(screen.paragraph(Tone::Warning, INDENT, &words)?)
}
