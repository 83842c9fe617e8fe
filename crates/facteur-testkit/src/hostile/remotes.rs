//! Servers that misbehave at every step of a delivery.

use crate::script::{Act, Script};

/// What a delivery to a server must come to, once every patience has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The server took the message.
    Delivered,
    /// It is tried again later.
    Deferred,
    /// It goes back.
    Bounced,
}

/// A server that misbehaves.
#[derive(Debug, Clone)]
pub struct HostileRemote {
    /// What it does, in words.
    pub name: &'static str,
    /// How.
    pub script: Script,
    /// What a delivery of one small message to one recipient must come to.
    pub fate: Fate,
}

/// Every one of them.
#[must_use]
pub fn remotes() -> Vec<HostileRemote> {
    let mut all = at_the_greeting();
    all.extend(at_hello());
    all.extend(at_mail());
    all.extend(at_rcpt());
    all.extend(at_data());
    all.extend(at_the_end());
    all
}

fn remote(name: &'static str, fate: Fate, script: Script) -> HostileRemote {
    HostileRemote { name, script, fate }
}

fn good() -> Script {
    Script::accept_all()
}

fn raw(octets: &[u8]) -> Act {
    Act::Raw(octets.to_vec())
}

fn at_the_greeting() -> Vec<HostileRemote> {
    use Fate::{Bounced, Deferred, Delivered};
    let greets = |name, fate, act: Act| remote(name, fate, good().on_greeting(act));
    vec![
        greets("closes at once", Deferred, Act::Close),
        greets("never greets", Deferred, Act::Silence),
        greets("reads nothing and says nothing", Deferred, Act::Deaf),
        greets(
            "is busy",
            Deferred,
            Act::ReplyThenClose("421 4.3.2 busy".to_owned()),
        ),
        greets("refuses with 554", Bounced, "554 5.7.1 go away".into()),
        greets(
            "is no mail server (521)",
            Bounced,
            "521 no mail here".into(),
        ),
        greets(
            "greets without end",
            Deferred,
            Act::Endless("220-and so on".to_owned()),
        ),
        greets("greets in a line without end", Deferred, Act::Flood(b'2')),
        greets(
            "greets an octet a minute",
            Deferred,
            Act::Drip("220-slow ".to_owned()),
        ),
        greets(
            "speaks HTTP",
            Deferred,
            raw(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        ),
        greets("speaks SSH", Deferred, raw(b"SSH-2.0-OpenSSH_9.2\r\n")),
        greets("speaks TLS", Deferred, raw(b"\x15\x03\x03\x00\x02\x02\x46")),
        greets("greets with NULs", Deferred, raw(&[0; 600])),
        // Any 2yz is a yes, as everywhere.
        greets("greets with 250", Delivered, "250 hello".into()),
        greets("greets with 354", Deferred, "354 go ahead".into()),
        // The last line counts.
        greets(
            "changes its code within a greeting",
            Bounced,
            raw(b"220-one\r\n554 two\r\n"),
        ),
        greets(
            "greets with terminal escapes",
            Delivered,
            raw(b"220 \x1b[2J\x1b]0;owned\x07 mx\r\n"),
        ),
        greets(
            "greets in invalid UTF-8 and bidi marks",
            Delivered,
            raw(b"220 \xff\xfe \xe2\x80\xae mx\r\n"),
        ),
    ]
}

fn at_hello() -> Vec<HostileRemote> {
    use Fate::{Bounced, Deferred, Delivered};
    let answers = |name, fate, act: Act| remote(name, fate, good().on("EHLO", act));
    let many = (0..400).map(|n| format!("250-X{n}\n")).collect::<String>();
    vec![
        answers("knows HELO alone", Delivered, "500 5.5.1 what?".into()),
        remote(
            "knows neither EHLO nor HELO",
            Bounced,
            good().on("EHLO", "502 5.5.1 no").on("HELO", "502 5.5.1 no"),
        ),
        answers(
            "offers without end",
            Deferred,
            Act::Endless("250-MORE".to_owned()),
        ),
        answers(
            "offers 400 things",
            Delivered,
            Act::Reply(format!("{many}250 HELP")),
        ),
        answers("says nothing to EHLO", Deferred, Act::Silence),
        answers("closes at EHLO", Deferred, Act::Close),
        answers(
            "is busy at EHLO",
            Deferred,
            Act::ReplyThenClose("421 4.7.0 slow down".to_owned()),
        ),
        answers(
            "offers sizes beyond all numbers",
            Delivered,
            "250-mx\n250-SIZE 99999999999999999999999999\n250 LIMITS RCPTMAX=-1 MAILMAX=0".into(),
        ),
        answers(
            "takes one octet at most",
            Bounced,
            "250-mx\n250 SIZE 1".into(),
        ),
        answers(
            "offers with NULs and escapes",
            Delivered,
            raw(b"250-mx\r\n250-\x00\x1b[31mX\r\n250 HELP\r\n"),
        ),
    ]
}

fn at_mail() -> Vec<HostileRemote> {
    use Fate::{Bounced, Deferred};
    let answers = |name, fate, act: Act| remote(name, fate, good().on_mail(act));
    vec![
        answers("closes at MAIL", Deferred, Act::Close),
        answers("says nothing to MAIL", Deferred, Act::Silence),
        answers(
            "says 421 at MAIL",
            Deferred,
            Act::ReplyThenClose("421 4.7.0 enough".to_owned()),
        ),
        answers("puts the sender off", Deferred, "451 4.3.0 later".into()),
        answers("refuses the sender", Bounced, "550 5.7.1 not you".into()),
        answers(
            "answers MAIL without end",
            Deferred,
            Act::Endless("250-ok".to_owned()),
        ),
        answers("answers MAIL with 354", Deferred, "354 already?".into()),
        answers("answers MAIL with 999", Deferred, "999 beyond".into()),
        answers(
            "answers MAIL with words alone",
            Deferred,
            raw(b"sure, why not\r\n"),
        ),
    ]
}

fn at_rcpt() -> Vec<HostileRemote> {
    use Fate::{Bounced, Deferred, Delivered};
    let answers = |name, fate, act: Act| remote(name, fate, good().on_rcpt(act));
    let many = (0..500)
        .map(|n| format!("550-5.1.1 line {n}\n"))
        .collect::<String>();
    vec![
        answers("closes at RCPT", Deferred, Act::Close),
        answers("says nothing to RCPT", Deferred, Act::Silence),
        answers(
            "says 421 at RCPT",
            Deferred,
            Act::ReplyThenClose("421 4.7.0 enough".to_owned()),
        ),
        answers("knows nobody", Bounced, "550 5.1.1 no such user".into()),
        answers("greylists", Deferred, "450 4.7.1 greylisted".into()),
        answers("forwards (251)", Delivered, "251 2.1.5 will forward".into()),
        answers(
            "refuses in 501 lines",
            Bounced,
            Act::Reply(format!("{many}550 5.1.1 end")),
        ),
        answers(
            "refuses in HTML",
            Bounced,
            "550 5.1.1 <script>alert(1)</script><img src=x onerror=alert(1)>".into(),
        ),
        answers(
            "refuses in escapes",
            Bounced,
            raw(b"550 5.1.1 \x1b[2J\x1b[31m\x07 \xe2\x80\xaeno\r\n"),
        ),
        answers(
            "refuses in templates",
            Bounced,
            "550 5.1.1 ${jndi:ldap://x} {{7*7}} %s%n {host}".into(),
        ),
        answers(
            "refuses by a 4yz that calls itself 5.1.1",
            Deferred,
            "450 5.1.1 which is it?".into(),
        ),
        answers(
            "refuses by a 5yz that calls itself 4.2.1",
            Bounced,
            "550 4.2.1 which is it?".into(),
        ),
        answers(
            "answers RCPT twice",
            Bounced,
            raw(b"550 5.1.1 no\r\n250 2.1.5 yes\r\n"),
        ),
        answers(
            "answers RCPT in a line of 2,000 octets",
            Bounced,
            Act::Reply(format!("550 5.1.1 {}", "x".repeat(2_000))),
        ),
    ]
}

fn at_data() -> Vec<HostileRemote> {
    use Fate::{Bounced, Deferred};
    // Content goes by DATA: this one knows no BDAT.
    let script = || good().on_ehlo(&["8BITMIME", "SIZE 10485760", "ENHANCEDSTATUSCODES"]);
    let answers = |name, fate, act: Act| remote(name, fate, script().on_data(act));
    let content = |name, fate, act: Act| remote(name, fate, script().on(Script::CONTENT, act));
    vec![
        answers("closes at DATA", Deferred, Act::Close),
        answers("says nothing to DATA", Deferred, Act::Silence),
        answers("takes DATA with 250", Deferred, "250 2.0.0 done".into()),
        answers("refuses at DATA", Bounced, "554 5.7.1 no".into()),
        answers("puts off at DATA", Deferred, "451 4.3.0 later".into()),
        answers(
            "says 354 and goes",
            Deferred,
            Act::ReplyThenClose("354 go ahead".to_owned()),
        ),
        content("closes in the content", Deferred, Act::Close),
        content(
            "refuses in the content and goes",
            Bounced,
            Act::ReplyThenClose("552 5.3.4 too big".to_owned()),
        ),
        content("reads no content", Deferred, Act::Deaf),
    ]
}

fn at_the_end() -> Vec<HostileRemote> {
    use Fate::{Bounced, Deferred, Delivered};
    let answers = |name, fate, act: Act| remote(name, fate, good().on_end(act));
    vec![
        answers("closes at the dot", Deferred, Act::Close),
        answers("says nothing to the dot", Deferred, Act::Silence),
        answers("puts off at the dot", Deferred, "451 4.3.0 later".into()),
        answers("refuses at the dot", Bounced, "554 5.7.1 spam".into()),
        answers("answers the dot with 354", Deferred, "354 more?".into()),
        answers(
            "answers the dot without end",
            Deferred,
            Act::Endless("250-almost".to_owned()),
        ),
        answers(
            "answers the dot an octet a minute",
            Deferred,
            Act::Drip("250-".to_owned()),
        ),
        answers(
            "takes and closes",
            Delivered,
            Act::ReplyThenClose("250 2.0.0 taken".to_owned()),
        ),
        answers(
            "takes and babbles",
            Delivered,
            raw(b"250 2.0.0 taken\r\n250 again\r\n550 no\r\n"),
        ),
        answers(
            "is busy at the dot",
            Deferred,
            Act::ReplyThenClose("421 4.3.2 stopping".to_owned()),
        ),
        remote(
            "offers BDAT and does not know it",
            Delivered,
            good().without_bdat(),
        ),
        remote(
            "never says goodbye",
            Delivered,
            good().on("QUIT", Act::Silence),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_forty_and_more_each_with_a_name_of_its_own() {
        let mut names: Vec<_> = remotes().iter().map(|remote| remote.name).collect();
        assert!(names.len() >= 40, "{}", names.len());
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
