//! `facteur destinations`: how each destination is and why it is slow, and the orders of an operator.

use std::collections::BTreeSet;

use facteur_mail::{Clock as _, IsoDate, MachineDate, Timestamp};
use facteur_replies::Value;
use facteur_spool::Queued;
use serde_json::json;

use crate::args::Instance;
use crate::cli::{message, server};
use crate::control::protocol::{Answer, Request};
use crate::destinations::{
    DestinationsAct, DestinationsRequest, LimitsSeen, OrderFault, OrderSpec, Overview, Seen,
    SlowedSeen,
};
use crate::error::{CliError, Kind};
use crate::system::SystemClock;
use crate::ui::{Screen, Tone, shown};

/// Asks the server and shows what it says; `whole` shows everything about each destination.
pub(crate) fn run(
    request: DestinationsRequest,
    whole: bool,
    instance: &Instance,
    screen: &mut Screen,
) -> Result<(), CliError> {
    let lists = matches!(request.act, DestinationsAct::Look) && !whole;
    let named = request.target.clone().filter(|_| whole);
    let asked = Request::Destinations(Box::new(request));
    server::ask(asked, instance, screen, |answer, screen| {
        if let Answer::Destination(seen) = answer {
            return if screen.json {
                Ok(screen.json(&to_json(&seen, screen))?)
            } else if whole {
                show(&seen, screen)
            } else {
                show_line(&seen, screen)
            };
        }
        let Answer::Destinations(overview) = answer else {
            return Err(server::foreign(screen));
        };
        if let Some(name) = named.as_ref().filter(|_| overview.total == 0) {
            return Err(nobody(name, screen));
        }
        if whole {
            return Ok(());
        }
        show_overview(&overview, lists, screen)
    })
}

/// Shows what keeps back those recipients of a message that are due: a limit, a pause, a destination that does not
/// answer. Without a server nothing does.
pub(crate) fn show_what_keeps_back(
    queued: &Queued,
    instance: &Instance,
    screen: &mut Screen,
) -> Result<(), CliError> {
    let recipients = queued.envelope.recipients.iter().zip(&queued.progress);
    let due = recipients.filter(|(_, state)| state.may_be_tried(now()));
    let hosts: BTreeSet<String> = due
        .map(|(recipient, _)| recipient.address.host().to_string())
        .collect();
    if hosts.is_empty() {
        return Ok(());
    }
    let most = u64::try_from(hosts.len()).unwrap_or(u64::MAX);
    let request = Request::Destinations(Box::new(DestinationsRequest {
        act: DestinationsAct::LookFor(hosts.into_iter().collect()),
        target: None,
        most,
        reason: None,
        for_seconds: None,
    }));
    let mut hear = |answer: Answer, screen: &mut Screen| {
        if let Answer::Destination(seen) = answer
            && (seen.paused.is_some() || seen.held.is_some() || seen.down.is_some())
        {
            screen.blank()?;
            show_line(&seen, screen)?;
        }
        Ok(())
    };
    server::ask_if_there(request, instance, screen, &mut hear).map(drop)
}

/// What is said when an order is not given.
pub(crate) fn not_ordered(fault: &OrderFault, screen: &Screen) -> CliError {
    let say =
        |kind, id: &str, args: &[(&str, Value<'_>)]| CliError::new(kind, screen.text(id, args));
    match fault {
        OrderFault::BadTarget { target } => {
            let target = shown(target);
            say(
                Kind::Usage,
                "destinations-bad-target",
                &[("target", (&target).into())],
            )
            .hint(screen.text("destinations-bad-target-hint", &[]))
        }
        OrderFault::BadLimits { words } => {
            let error = say(Kind::Usage, "destinations-bad-limits", &[]);
            let error = words
                .iter()
                .fold(error, |error, words| error.hint(shown(words)));
            error.hint(screen.text("destinations-bad-limits-hint", &[]))
        }
        OrderFault::NoneThere { target } => {
            let target = shown(target);
            say(
                Kind::NotFound,
                "destinations-no-order",
                &[("target", (&target).into())],
            )
            .hint(screen.text("destinations-no-order-hint", &[]))
        }
        OrderFault::TooMany { limit } => say(
            Kind::Negative,
            "destinations-too-many-orders",
            &[("limit", (*limit).into())],
        ),
        OrderFault::NotKept { path, words } => {
            let (path, words) = (shown(path), shown(words));
            let args = [("path", (&path).into()), ("words", (&words).into())];
            say(Kind::System, "destinations-not-kept", &args)
        }
    }
}

fn nobody(name: &str, screen: &Screen) -> CliError {
    let name = shown(name);
    let text = screen.text("destinations-nobody", &[("target", (&name).into())]);
    CliError::new(Kind::NotFound, text).hint(screen.text("destinations-nobody-hint", &[]))
}

/// One destination in a few lines.
fn show_line(seen: &Seen, screen: &mut Screen) -> Result<(), CliError> {
    let title = title(seen, screen);
    screen.line(Tone::Strong, &title)?;
    for (tone, line) in state(seen, screen) {
        screen.paragraph(tone, 2, &line)?;
    }
    let failed = seen.failed.as_ref().and_then(|failed| failed.attempt());
    if let Some(attempt) = failed {
        let ago = message::in_words(now().since(attempt.at), screen);
        let line = screen.text("destinations-failed", &[("ago", (&ago).into())]);
        screen.paragraph(Tone::Plain, 2, &line)?;
        screen.paragraph(Tone::Quiet, 4, &shown(&attempt.said.to_line()))?;
        let explanation = message::explained(&attempt.said, screen);
        screen.paragraph(Tone::Plain, 4, explanation.title)?;
    }
    Ok(screen.blank()?)
}

/// Everything about one destination.
fn show(seen: &Seen, screen: &mut Screen) -> Result<(), CliError> {
    let title = title(seen, screen);
    screen.line(Tone::Strong, &title)?;
    for (tone, line) in state(seen, screen) {
        screen.paragraph(tone, 2, &line)?;
    }
    screen.blank()?;
    let window = screen.text(
        "destinations-window",
        &[
            ("running", seen.running.into()),
            ("window", seen.window.into()),
            ("most", seen.most.into()),
        ],
    );
    let label = screen.text("destinations-field-window", &[]);
    screen.field(&label, &window)?;
    show_limits(&seen.own, screen)?;
    if let Some(taken) = seen.taken {
        let ago = message::in_words(now().since(Timestamp::from_millis(taken)), screen);
        let value = screen.text("destinations-taken", &[("ago", (&ago).into())]);
        let label = screen.text("destinations-field-taken", &[]);
        screen.field(&label, &value)?;
    }
    if !seen.hosts.is_empty() {
        let label = screen.text("destinations-field-hosts", &[]);
        screen.field(&label, &shown(&seen.hosts.join(", ")))?;
    }
    if let Some((rule, limits)) = &seen.shared {
        let rule = shown(rule);
        let title = screen.text("destinations-shared", &[("rule", (&rule).into())]);
        screen.blank()?;
        screen.paragraph(Tone::Strong, 0, &title)?;
        show_limits(limits, screen)?;
    }
    let asked = seen.slowed().map(|slowed| &slowed.attempt);
    let down = seen.down.as_ref().map(|down| &down.attempt);
    for (id, attempt) in [
        ("destinations-why-slowed", asked),
        ("destinations-why-down", down),
        (
            "destinations-why-failed",
            seen.failed.as_ref().filter(|it| Some(*it) != asked),
        ),
    ] {
        if let Some(attempt) = attempt.and_then(|it| it.attempt()) {
            screen.blank()?;
            let title = screen.text(id, &[]);
            screen.paragraph(Tone::Strong, 0, &title)?;
            message::show_attempt(&attempt, now(), screen)?;
        }
    }
    Ok(screen.blank()?)
}

fn title(seen: &Seen, screen: &Screen) -> String {
    let name = shown(&seen.name);
    let args = [
        ("name", Value::from(&name)),
        ("running", seen.running.into()),
        ("due", seen.due.into()),
        ("later", seen.later.into()),
    ];
    screen.text("destinations-line", &args)
}

/// Limits that are set, each with its use.
fn show_limits(limits: &LimitsSeen, screen: &mut Screen) -> Result<(), CliError> {
    let used = |key: &str| match key {
        "messages_per_minute" => Some(limits.messages),
        "connections_per_minute" => Some(limits.connections),
        "recipients_per_minute" => Some(limits.recipients),
        _ => None,
    };
    for (key, value) in &limits.limits {
        let value = value.as_str().map_or_else(|| value.to_string(), shown);
        let text = match used(key) {
            Some(used) => {
                let args = [("used", used.into()), ("limit", (&value).into())];
                screen.text("destinations-used", &args)
            }
            None => value,
        };
        screen.field(key, &text)?;
    }
    Ok(())
}

/// What is in the way of a destination's mail, the strongest first; or that nothing is.
pub(crate) fn state(seen: &Seen, screen: &Screen) -> Vec<(Tone, String)> {
    let mut lines = Vec::new();
    if let Some(order) = &seen.paused {
        lines.push((Tone::Warning, order_line(order, screen)));
    }
    if let Some(down) = &seen.down {
        let wait = wait_until(down.until, screen);
        lines.push((
            Tone::Bad,
            screen.text("destinations-down", &[("wait", (&wait).into())]),
        ));
    }
    if let Some(slowed) = seen.slowed() {
        lines.push((Tone::Warning, slowed_line(slowed, screen)));
    }
    if let Some(held) = seen.held.as_ref().filter(|_| seen.due > 0) {
        let wait = held.until.map(|until| wait_until(until, screen));
        let rule = held.shared.as_deref().map(shown);
        let args = [
            ("number", held.number.into()),
            ("wait", wait.as_deref().unwrap_or("none").into()),
            ("rule", rule.as_deref().unwrap_or("none").into()),
        ];
        let id = format!("destinations-held-{}", held.limit);
        lines.push((Tone::Warning, screen.text(&id, &args)));
    }
    if lines.is_empty() {
        let idle = seen.running + seen.due + seen.later == 0;
        let id = if idle {
            "destinations-idle"
        } else {
            "destinations-well"
        };
        lines.push((Tone::Good, screen.text(id, &[])));
    }
    lines
}

fn slowed_line(slowed: &SlowedSeen, screen: &Screen) -> String {
    let wait = wait_until(slowed.eases_at, screen);
    let provider = slowed.provider.as_deref().map(shown);
    let args = [
        ("policy", Value::from(&slowed.policy)),
        ("provider", provider.as_deref().unwrap_or("none").into()),
        ("messages", slowed.messages.into()),
        ("connections", slowed.connections.into()),
        ("wait", (&wait).into()),
    ];
    screen.text("destinations-slowed", &args)
}

/// An order in one sentence.
fn order_line(order: &OrderSpec, screen: &Screen) -> String {
    let date = |millis| IsoDate(Timestamp::from_millis(millis)).to_string();
    let (by, reason) = (shown(&order.by), shown(&order.reason));
    let (since, until) = (date(order.since), order.until.map(date));
    let limits = order.limits.as_ref().map(|limits| {
        let each = limits.iter().map(|(key, value)| format!("{key} = {value}"));
        shown(&each.collect::<Vec<_>>().join(", "))
    });
    let args = [
        ("by", Value::from(&by)),
        ("since", (&since).into()),
        ("until", until.as_deref().unwrap_or("none").into()),
        (
            "reason",
            if reason.is_empty() { "none" } else { &reason }.into(),
        ),
        ("limits", limits.as_deref().unwrap_or("none").into()),
    ];
    let id = if limits.is_some() {
        "destinations-limited"
    } else {
        "destinations-paused"
    };
    screen.text(id, &args)
}

fn show_overview(overview: &Overview, lists: bool, screen: &mut Screen) -> Result<(), CliError> {
    if screen.json {
        return Ok(screen.json(&json!({
            "total": overview.total,
            "orders": overview.orders.iter().map(order_json).collect::<Vec<_>>(),
        }))?);
    }
    if !overview.orders.is_empty() {
        let title = screen.text("destinations-orders", &[]);
        screen.line(Tone::Strong, &title)?;
        for order in &overview.orders {
            screen.paragraph(Tone::Plain, 2, &shown(&order.r#match))?;
            let line = order_line(order, screen);
            screen.paragraph(Tone::Plain, 4, &line)?;
        }
        screen.blank()?;
    }
    if lists {
        let total = screen.text("destinations-count", &[("count", overview.total.into())]);
        screen.line(Tone::Strong, &total)?;
    }
    Ok(())
}

fn wait_until(millis: u64, screen: &Screen) -> String {
    message::in_words(Timestamp::from_millis(millis).since(now()), screen)
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn to_json(seen: &Seen, screen: &Screen) -> serde_json::Value {
    let date = |millis: u64| MachineDate(Timestamp::from_millis(millis)).to_string();
    let attempt = |attempt: Option<facteur_mail::Attempt>| {
        attempt.map(|attempt| message::attempt_json(&attempt, screen))
    };
    json!({
        "destination": seen.name,
        "state": state_name(seen),
        "running": seen.running,
        "due": seen.due,
        "later": seen.later,
        "window": seen.window,
        "most": seen.most,
        "paused": seen.paused.as_ref().map(order_json),
        "down": seen.down.as_ref().map(|down| json!({
            "until": date(down.until),
            "attempt": attempt(down.attempt.attempt()),
        })),
        "held": seen.held.as_ref().map(|held| json!({
            "limit": held.limit,
            "number": held.number,
            "until": held.until.map(date),
            "rule": held.shared,
        })),
        "own": limits_json(&seen.own, screen),
        "shared": seen.shared.as_ref().map(|(rule, limits)| json!({
            "rule": rule,
            "limits": limits_json(limits, screen),
        })),
        "hosts": seen.hosts,
        "last_failure": attempt(seen.failed.as_ref().and_then(|it| it.attempt())),
        "last_taken": seen.taken.map(date),
    })
}

const fn state_name(seen: &Seen) -> &'static str {
    if seen.paused.is_some() {
        "paused"
    } else if seen.down.is_some() {
        "down"
    } else if seen.held.is_some() {
        "held"
    } else {
        "well"
    }
}

fn limits_json(limits: &LimitsSeen, screen: &Screen) -> serde_json::Value {
    let date = |millis: u64| MachineDate(Timestamp::from_millis(millis)).to_string();
    json!({
        "limits": limits.limits,
        "last_minute": {
            "messages": limits.messages,
            "connections": limits.connections,
            "recipients": limits.recipients,
        },
        "slowed": limits.slowed.as_ref().map(|slowed| json!({
            "policy": slowed.policy,
            "provider": slowed.provider,
            "halved": slowed.halved,
            "messages_per_minute": slowed.messages,
            "connections": slowed.connections,
            "until": date(slowed.until),
            "eases_at": date(slowed.eases_at),
            "attempt": slowed.attempt.attempt().map(|attempt| message::attempt_json(&attempt, screen)),
        })),
    })
}

fn order_json(order: &OrderSpec) -> serde_json::Value {
    let date = |millis: u64| MachineDate(Timestamp::from_millis(millis)).to_string();
    json!({
        "match": order.r#match,
        "order": if order.limits.is_some() { "limit" } else { "pause" },
        "limits": order.limits,
        "reason": order.reason,
        "by": order.by,
        "since": date(order.since),
        "until": order.until.map(date),
    })
}
