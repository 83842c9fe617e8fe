//! What a scripted server does at each command.

/// What to do at a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Reply; several lines are separated by `\n` and written as they are, with CRLF.
    Reply(String),
    /// Reply, then close: what 421 does.
    ReplyThenClose(String),
    /// Close without a word.
    Close,
    /// Say nothing, until the client closes.
    Silence,
    /// Write these octets as they are, and go on.
    Raw(Vec<u8>),
    /// Write this line for ever: `250-more` never ends a reply.
    Endless(String),
    /// Write this octet for ever: a line that never ends.
    Flood(u8),
    /// Write this text for ever, an octet at a time, slowly.
    Drip(String),
    /// Read nothing more, and say nothing.
    Deaf,
}

impl Act {
    /// The reply, if it is one.
    #[must_use]
    pub fn reply(&self) -> &str {
        match self {
            Self::Reply(text) | Self::ReplyThenClose(text) => text,
            Self::Close
            | Self::Silence
            | Self::Raw(_)
            | Self::Endless(_)
            | Self::Flood(_)
            | Self::Drip(_)
            | Self::Deaf => "",
        }
    }
}

impl From<&str> for Act {
    fn from(text: &str) -> Self {
        Self::Reply(text.to_owned())
    }
}

/// The acts of a server. A rule is for the commands that start with its prefix, whatever their case; the
/// latest rule that fits is taken, those that hold only once before the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    rules: Vec<Rule>,
    lmtp: bool,
    knows_bdat: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    prefix: String,
    act: Act,
    once: bool,
}

impl Script {
    /// The prefix that stands for a new connection.
    pub const GREETING: &str = "<greeting>";

    /// The prefix that stands for the beginning of content, behind a 354 or a BDAT: nothing is done unless a rule says so.
    pub const CONTENT: &str = "<content>";

    /// The prefix that stands for the end of a message: the final dot, or the last chunk.
    pub const END: &str = "<end>";

    /// A server that accepts everything, with PIPELINING, 8BITMIME, SMTPUTF8, SIZE, DSN, CHUNKING and
    /// enhanced codes.
    #[must_use]
    pub fn accept_all() -> Self {
        let script = Self {
            rules: Vec::new(),
            lmtp: false,
            knows_bdat: true,
        };
        script
            .on("", "500 5.5.1 what?")
            .on(Self::GREETING, "220 peer.test ESMTP")
            .on("HELO", "250 peer.test")
            .on_ehlo(&[
                "PIPELINING",
                "8BITMIME",
                "SMTPUTF8",
                "SIZE 10485760",
                "DSN",
                "CHUNKING",
                "ENHANCEDSTATUSCODES",
            ])
            .on("MAIL", "250 2.1.0 sender ok")
            .on("RCPT", "250 2.1.5 recipient ok")
            .on("DATA", "354 go ahead")
            .on("BDAT", "250 2.0.0 chunk ok")
            .on(Self::END, "250 2.0.0 message accepted")
            .on("RSET", "250 2.0.0 ok")
            .on("NOOP", "250 2.0.0 ok")
            .on("QUIT", "221 2.0.0 bye")
    }

    /// An LMTP server that accepts everything: LHLO, and a reply for each recipient at the end. (RFC 2033)
    #[must_use]
    pub fn lmtp() -> Self {
        let mut script = Self::accept_all()
            .on(Self::GREETING, "220 peer.test LMTP")
            .on("EHLO", "500 5.5.1 say LHLO here")
            .on("HELO", "500 5.5.1 say LHLO here")
            .on(
                "LHLO",
                "250-peer.test\n250-PIPELINING\n250 ENHANCEDSTATUSCODES",
            );
        script.lmtp = true;
        script
    }

    /// Goes on to offer CHUNKING, but takes BDAT and the content behind it for commands.
    #[must_use]
    pub fn without_bdat(mut self) -> Self {
        self.knows_bdat = false;
        self.on("BDAT", "500 5.5.1 what?")
    }

    /// Does this at every command that starts with `prefix`.
    #[must_use]
    pub fn on(self, prefix: &str, act: impl Into<Act>) -> Self {
        self.with(prefix, act.into(), false)
    }

    /// Does this at the next command that starts with `prefix`. Given several times, each holds for one
    /// command, in the order given.
    #[must_use]
    pub fn once(self, prefix: &str, act: impl Into<Act>) -> Self {
        self.with(prefix, act.into(), true)
    }

    /// What a new connection gets.
    #[must_use]
    pub fn on_greeting(self, act: impl Into<Act>) -> Self {
        self.on(Self::GREETING, act)
    }

    /// The extensions that EHLO offers.
    #[must_use]
    pub fn on_ehlo(self, keywords: &[&str]) -> Self {
        let mut lines = vec!["peer.test"];
        lines.extend(keywords);
        let last = lines.len() - 1;
        let reply: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(i, line)| format!("250{}{line}", if i == last { ' ' } else { '-' }))
            .collect();
        self.on("EHLO", reply.join("\n").as_str())
    }

    /// What MAIL gets.
    #[must_use]
    pub fn on_mail(self, act: impl Into<Act>) -> Self {
        self.on("MAIL", act)
    }

    /// What every RCPT gets; for one address, `on("RCPT TO:<a@b>", …)`.
    #[must_use]
    pub fn on_rcpt(self, act: impl Into<Act>) -> Self {
        self.on("RCPT", act)
    }

    /// What DATA gets.
    #[must_use]
    pub fn on_data(self, act: impl Into<Act>) -> Self {
        self.on("DATA", act)
    }

    /// What the end of a message gets; with LMTP, for each recipient.
    #[must_use]
    pub fn on_end(self, act: impl Into<Act>) -> Self {
        self.on(Self::END, act)
    }

    fn with(mut self, prefix: &str, act: Act, once: bool) -> Self {
        let prefix = prefix.to_ascii_uppercase();
        self.rules.push(Rule { prefix, act, once });
        self
    }

    pub(crate) const fn is_lmtp(&self) -> bool {
        self.lmtp
    }

    pub(crate) const fn knows_bdat(&self) -> bool {
        self.knows_bdat
    }

    /// The act at the beginning of content, if there is one.
    pub(crate) fn content_act(&self) -> Option<Act> {
        let rules = self.rules.iter().rev();
        let mut rules = rules.filter(|rule| rule.prefix.eq_ignore_ascii_case(Self::CONTENT));
        rules.next().map(|rule| rule.act.clone())
    }

    /// The act for a line; a rule that holds once is used up.
    pub(crate) fn act(&mut self, line: &str) -> Act {
        let line = line.to_ascii_uppercase();
        let fits = |rule: &Rule| line.starts_with(&rule.prefix);
        if let Some(at) = self.rules.iter().position(|rule| rule.once && fits(rule)) {
            return self.rules.remove(at).act;
        }
        let rule = self.rules.iter().rev().find(|rule| fits(rule));
        rule.map_or(Act::Close, |rule| rule.act.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_rule_that_fits_is_taken_and_once_is_once() {
        let mut script = Script::accept_all()
            .on_rcpt("450 4.2.1 not now")
            .on("rcpt to:<good@peer.test>", "250 2.1.5 you")
            .once("RCPT", Act::Silence)
            .once("RCPT", Act::Close);
        assert_eq!(script.act("RCPT TO:<good@peer.test>"), Act::Silence);
        assert_eq!(script.act("RCPT TO:<good@peer.test>"), Act::Close);
        assert_eq!(
            script.act("RCPT TO:<good@peer.test>").reply(),
            "250 2.1.5 you"
        );
        assert_eq!(
            script.act("Rcpt To:<bad@peer.test>").reply(),
            "450 4.2.1 not now"
        );
        assert_eq!(script.act("WHAT").reply(), "500 5.5.1 what?");
    }
}
