//! No relaying for strangers, whatever the form of the address.

use std::io;

use facteur_smtp::server::BareNewlines;

use crate::cli::selftest::house::{Clients, House};
use crate::cli::selftest::report::Report;
use crate::cli::selftest::scratch::Scratch;
use crate::cli::selftest::talk::Talk;
use crate::config::Config;
use crate::error::CliError;

/// Recipients elsewhere, plain and in disguise.
const FORMS: &[&str] = &[
    "<x@elsewhere.invalid>",
    "<X@ELSEWHERE.INVALID>",
    "<x@elsewhere.invalid.>",
    "<@selftest.invalid:x@elsewhere.invalid>",
    "<@selftest.invalid,@localhost:x@elsewhere.invalid>",
    "<x%elsewhere.invalid@selftest.invalid>",
    "<x%elsewhere.invalid%selftest.invalid@selftest.invalid>",
    "<\"x%elsewhere.invalid\"@selftest.invalid>",
    "<\"x@elsewhere.invalid\"@selftest.invalid>",
    "<\"x@elsewhere.invalid\">",
    "<\"anne@selftest.invalid\"@elsewhere.invalid>",
    "<elsewhere.invalid!x@selftest.invalid>",
    "<selftest.invalid!elsewhere.invalid!x>",
    "<x@elsewhere.invalid@selftest.invalid>",
    "<x@selftest.invalid@elsewhere.invalid>",
    "<x@selftest.invalid.elsewhere.invalid>",
    "<anne@elsewhere-selftest.invalid>",
    "<x@[192.0.2.25]>",
    "<x@[IPv6:2001:db8::25]>",
    "<x@[IPv6:::ffff:192.0.2.25]>",
    "<x%elsewhere.invalid@[127.0.0.1]>",
    "<postmaster@elsewhere.invalid>",
    "<anne@selftest.invalid,x@elsewhere.invalid>",
    "x@elsewhere.invalid",
];

/// Ways of a stranger to look like one of us.
const MASKS: &[(&str, &str)] = &[
    ("EHLO client.invalid", "MAIL FROM:<a@client.invalid>"),
    ("EHLO selftest.invalid", "MAIL FROM:<anne@selftest.invalid>"),
    ("HELO [127.0.0.1]", "MAIL FROM:<>"),
];

pub(super) fn check(
    config: &Config,
    scratch: &Scratch,
    report: &mut Report<'_>,
) -> Result<(), CliError> {
    let house = House::open(
        "relaying",
        config,
        Clients::Strangers,
        BareNewlines::Refuse,
        scratch,
        report.screen(),
    )?;
    let found = match taken(&house) {
        Ok(taken) if taken.is_empty() => Ok(()),
        Ok(taken) => Err(taken.join(" / ")),
        Err(error) => Err(error.to_string()),
    };
    let forms = u64::try_from(FORMS.len() * MASKS.len()).unwrap_or(u64::MAX);
    report.note(
        "relaying",
        "selftest-relaying",
        &[("forms", forms.into())],
        found,
    )
}

/// What was not refused for good. Each form has a session of its own: a few refusals are all that one may cost.
fn taken(house: &House) -> io::Result<Vec<String>> {
    let mut taken = Vec::new();
    for (hello, mail) in MASKS {
        for form in FORMS {
            let mut talk = Talk::open(house.address())?;
            // Who refuses everything shows nothing.
            talk.expect(&[hello, mail, "RCPT TO:<anne@selftest.invalid>"])?;
            let reply = talk.say(&format!("RCPT TO:{form}"))?;
            if !reply.starts_with('5') {
                taken.push(format!("{form}: {reply}"));
            }
            talk.say("QUIT")?;
        }
    }
    Ok(taken)
}
