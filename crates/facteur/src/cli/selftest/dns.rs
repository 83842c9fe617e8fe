//! What DNS answers, and what follows: a null MX in all its forms, a loop, and the replies at MAIL and RCPT.

use std::io;

use facteur_mail::Domain;
use facteur_replies::ReplyId;
use facteur_route::{Exchange, Finding, Plan};
use facteur_smtp::server::BareNewlines;

use crate::cli::selftest::house::{Clients, House, planner};
use crate::cli::selftest::report::{Found, Report};
use crate::cli::selftest::scratch::Scratch;
use crate::cli::selftest::talk::Talk;
use crate::config::Config;
use crate::error::CliError;

/// What follows from the records of a domain.
enum Follows {
    /// The domain takes no mail.
    NullMx,
    /// The root is passed over, said to be malformed, and the host gets the mail.
    Host,
    /// No mail goes there, or only as the configuration wants it.
    Loopback,
}

/// A domain of the checks, its records as they are shown, and what follows.
const MATRIX: &[(&str, &str, Follows)] = &[
    ("null.invalid", "0 .", Follows::NullMx),
    ("null-with-address.invalid", "0 . + A", Follows::NullMx),
    ("null-ten.invalid", "10 .", Follows::NullMx),
    ("null-before.invalid", "0 . + 10 mx", Follows::Host),
    ("null-behind.invalid", "5 mx + 10 .", Follows::Host),
    ("loopback.invalid", "0 localhost", Follows::Loopback),
];

pub(super) fn check(
    config: &Config,
    scratch: &Scratch,
    report: &mut Report<'_>,
) -> Result<(), CliError> {
    let planner = planner(config);
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for (domain, records, follows) in MATRIX {
        let plan = match Domain::parse(domain) {
            Ok(domain) => runtime.block_on(planner.domain(&domain)),
            Err(_) => Plan::NoSuchDomain,
        };
        let id = match follows {
            Follows::NullMx => "selftest-mx-null",
            Follows::Host => "selftest-mx-host",
            Follows::Loopback if config.delivery.allow_loopback_mx => {
                "selftest-mx-loopback-allowed"
            }
            Follows::Loopback => "selftest-mx-loopback",
        };
        let found = if fits(&plan, follows, config) {
            Ok(())
        } else {
            Err(format!("{plan:?}"))
        };
        report.note(
            &format!("mx:{records}"),
            id,
            &[("records", (*records).into())],
            found,
        )?;
    }
    let house = House::open(
        "dns",
        config,
        Clients::Trusted,
        BareNewlines::Normalise,
        scratch,
        report.screen(),
    )?;
    let codes = codes(ReplyId::NullMx);
    let args = [("reply", (&codes).into())];
    let found = starts(recipient(&house), &codes);
    report.note("null-mx-at-rcpt", "selftest-null-mx-at-rcpt", &args, found)?;
    let codes = self::codes(ReplyId::SenderNullMx);
    let args = [("reply", (&codes).into())];
    let found = starts(sender(&house), &codes);
    report.note("null-mx-at-mail", "selftest-null-mx-at-mail", &args, found)
}

fn fits(plan: &Plan, follows: &Follows, config: &Config) -> bool {
    match (follows, plan) {
        (Follows::NullMx, Plan::NullMx { .. }) => true,
        (Follows::Host, Plan::Hosts { hosts, findings }) => {
            let mx = Exchange::parse("mx.invalid");
            hosts.len() == 1
                && hosts
                    .iter()
                    .all(|host| mx == Exchange::parse(&host.name.to_string()))
                && findings.contains(&Finding::MalformedNullMx)
        }
        (Follows::Loopback, plan) => {
            matches!(plan, Plan::Hosts { .. }) == config.delivery.allow_loopback_mx
        }
        (Follows::NullMx | Follows::Host, _) => false,
    }
}

/// Refused before the content is sent; the other recipients go on.
fn recipient(house: &House) -> io::Result<String> {
    let mut talk = Talk::open(house.address())?;
    talk.expect(&["MAIL FROM:<a@selftest.invalid>"])?;
    let reply = talk.say("RCPT TO:<x@null.invalid>")?;
    talk.expect(&["RCPT TO:<x@elsewhere.invalid>"])?;
    talk.say("QUIT")?;
    Ok(reply)
}

/// Who takes no mail cannot be answered; a report, from nobody, is never affected.
fn sender(house: &House) -> io::Result<String> {
    let mut talk = Talk::open(house.address())?;
    let reply = talk.say("MAIL FROM:<x@null.invalid>")?;
    talk.expect(&["MAIL FROM:<>"])?;
    talk.say("QUIT")?;
    Ok(reply)
}

/// Both codes of a reply, as they go over the wire.
fn codes(id: ReplyId) -> String {
    let row = id.row();
    match row.enhanced() {
        Some(enhanced) => format!("{} {enhanced}", row.code),
        None => row.code.to_string(),
    }
}

fn starts(said: io::Result<String>, codes: &str) -> Found {
    match said {
        Ok(reply) if reply.starts_with(&format!("{codes} ")) => Ok(()),
        Ok(reply) => Err(reply),
        Err(error) => Err(error.to_string()),
    }
}
