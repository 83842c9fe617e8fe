//! `facteur send`: one test message, the dialogue as it goes, each reply explained as it comes.
//!
//! The flags and the marks (`===`, ` ->`, `<- `, `<**`) are those of swaks.

mod dialogue;
mod message;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use facteur_mail::{Address, Host, ReversePath};
use facteur_replies::{Class, RemoteReply};
use facteur_route::{DnsConfig, NextHop, Plan};
use facteur_smtp::client::{Extensions, Stuffing};

use crate::args::SendArgs;
use crate::cli::check;
use crate::cli::send::dialogue::Dialogue;
use crate::config::system_hostname;
use crate::error::{CliError, Kind};
use crate::ui::{Screen, shown};

/// Sends the message that `args` describe.
pub(crate) fn run(args: &SendArgs, screen: &mut Screen) -> Result<(), CliError> {
    let plan = Sending::of(args, screen)?;
    let places = plan.places(args, screen)?;
    let mut dialogue = Dialogue::connect(
        &places,
        Duration::from_secs(args.timeout),
        args.brief,
        screen,
    )?;
    let verdict = plan.talk(args, &mut dialogue);
    dialogue.finish(verdict)
}

/// Where a connection may be tried.
pub(crate) enum Place {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// What is to be sent, read from the command line.
struct Sending {
    sender: ReversePath,
    recipients: Vec<Address>,
    content: Vec<u8>,
    ehlo: String,
}

impl Sending {
    fn of(args: &SendArgs, screen: &Screen) -> Result<Self, CliError> {
        let ehlo = args
            .ehlo
            .clone()
            .or_else(|| system_hostname().map(|name| name.to_string()))
            .unwrap_or_else(|| "localhost".to_owned());
        let sender = match args.from.as_deref() {
            Some("" | "<>") => ReversePath::Null,
            Some(from) => ReversePath::Address(address(from, screen)?),
            None => ReversePath::Address(address(&format!("facteur@{ehlo}"), screen)?),
        };
        let recipients = args
            .to
            .iter()
            .map(|to| address(to, screen))
            .collect::<Result<Vec<_>, _>>()?;
        let content = message::content(args, &sender, &recipients, &ehlo)?;
        Ok(Self {
            sender,
            recipients,
            content,
            ehlo,
        })
    }

    /// The addresses to try: the server given, or the MX hosts of the first recipient's domain.
    fn places(&self, args: &SendArgs, screen: &mut Screen) -> Result<Vec<Place>, CliError> {
        let default_port = args.port.unwrap_or(25);
        let planner = check::Lookups::new(&DnsConfig::default(), screen)?;
        let (plan, port) = match &args.server {
            Some(server) => match NextHop::parse(server, default_port) {
                Ok(NextHop::Unix(path)) => return Ok(vec![Place::Unix(path)]),
                Ok(NextHop::Tcp { host, port }) => (planner.host(&host), port),
                Err(_) => {
                    let server = shown(server);
                    return Err(CliError::new(
                        Kind::Usage,
                        screen.text("send-bad-server", &[("server", (&server).into())]),
                    ));
                }
            },
            None => match self.recipients.first().map(Address::host) {
                Some(Host::Domain(domain)) => (planner.domain(domain), default_port),
                Some(Host::Literal(ip)) => {
                    return Ok(vec![Place::Tcp(SocketAddr::new(*ip, default_port))]);
                }
                None => return Ok(Vec::new()),
            },
        };
        let host = args
            .server
            .clone()
            .or_else(|| self.recipients.first().map(|to| to.host().to_string()));
        let host = shown(&host.unwrap_or_default());
        if let Plan::Hosts { hosts, .. } = &plan {
            let addresses = hosts.iter().flat_map(|host| &host.addresses);
            return Ok(addresses
                .map(|ip| Place::Tcp(SocketAddr::new(*ip, port)))
                .collect());
        }
        check::refuse(&host, &plan, screen)
    }

    /// The whole dialogue; the verdict on each recipient is in the return.
    fn talk(&self, args: &SendArgs, dialogue: &mut Dialogue<'_>) -> Result<Verdict, CliError> {
        let greeting = dialogue.hear("connect")?;
        let Some(extensions) = self.greet(args, greeting, dialogue)? else {
            return Ok(Verdict::Refused);
        };
        if stops(args, &["connect", "ehlo", "helo"]) {
            return Ok(Verdict::Stopped);
        }
        let mut commands = vec![("mail", self.mail_command(&extensions))];
        if !stops(args, &["mail"]) {
            commands.extend(
                self.recipients
                    .iter()
                    .map(|to| ("rcpt", format!("RCPT TO:<{to}>"))),
            );
        }
        let whole = !stops(args, &["mail", "rcpt"]);
        let accepted = if args.pipeline && extensions.pipelining {
            self.pipelined(&commands, whole, dialogue)?
        } else {
            self.one_by_one(&commands, whole, dialogue)?
        };
        let Some(recipients) = accepted else {
            return Ok(Verdict::Refused);
        };
        if !whole || stops(args, &["data"]) {
            return Ok(Verdict::Stopped);
        }
        self.body(args, recipients, dialogue)
    }

    /// EHLO, or LHLO, or HELO where the server knows nothing better. `None` if it refuses us.
    fn greet(
        &self,
        args: &SendArgs,
        greeting: RemoteReply,
        dialogue: &mut Dialogue<'_>,
    ) -> Result<Option<Extensions>, CliError> {
        if greeting.class() != Class::Success || stops(args, &["connect"]) {
            return Ok((greeting.class() == Class::Success).then(Extensions::default));
        }
        let verb = match args.protocol.as_str() {
            "LMTP" => "LHLO",
            "SMTP" => "HELO",
            _ => "EHLO",
        };
        let reply = dialogue.say("hello", &format!("{verb} {}", self.ehlo))?;
        if reply.class() == Class::Success {
            return Ok(Some(Extensions::of(&reply)));
        }
        if verb == "EHLO" && reply.class() == Class::Permanent {
            let reply = dialogue.say("hello", &format!("HELO {}", self.ehlo))?;
            return Ok((reply.class() == Class::Success).then(Extensions::default));
        }
        Ok(None)
    }

    /// MAIL with what the server offers and the message needs.
    fn mail_command(&self, extensions: &Extensions) -> String {
        let mut command = format!("MAIL FROM:<{}>", self.sender);
        if extensions.size {
            command.push_str(&format!(" SIZE={}", self.content.len()));
        }
        if extensions.eight_bit_mime && !self.content.is_ascii() {
            command.push_str(" BODY=8BITMIME");
        }
        let ascii = self
            .recipients
            .iter()
            .chain(self.sender.address())
            .all(Address::is_ascii);
        if extensions.smtputf8 && !ascii {
            command.push_str(" SMTPUTF8");
        }
        command
    }

    /// Each command after the reply to the one before it. How many recipients were accepted and, if DATA was
    /// sent, that 354 came; `None` if there is nothing to go on with.
    fn one_by_one(
        &self,
        commands: &[(&'static str, String)],
        data: bool,
        dialogue: &mut Dialogue<'_>,
    ) -> Result<Option<usize>, CliError> {
        let mut accepted = 0;
        for (stage, command) in commands {
            let good = dialogue.say(stage, command)?.class() == Class::Success;
            match (*stage, good) {
                ("mail", false) => return Ok(None),
                ("rcpt", true) => accepted += 1,
                (_, _) => {}
            }
        }
        if !data {
            return Ok(Some(accepted));
        }
        if accepted == 0 {
            return Ok(None);
        }
        let go = dialogue.say("data", "DATA")?.class() == Class::Intermediate;
        Ok(go.then_some(accepted))
    }

    /// All commands in one group, then all replies. (RFC 2920 §3.1)
    fn pipelined(
        &self,
        commands: &[(&'static str, String)],
        data: bool,
        dialogue: &mut Dialogue<'_>,
    ) -> Result<Option<usize>, CliError> {
        let mut group: Vec<(&'static str, &str)> = commands
            .iter()
            .map(|(stage, command)| (*stage, command.as_str()))
            .collect();
        if data {
            group.push(("data", "DATA"));
        }
        let replies = dialogue.say_all(&group)?;
        let mut accepted = 0;
        let mut go = !data;
        let mut sender = false;
        for ((stage, _), reply) in group.iter().zip(&replies) {
            match *stage {
                "mail" => sender = reply.class() == Class::Success,
                "rcpt" => accepted += usize::from(reply.class() == Class::Success),
                _ => go = reply.class() == Class::Intermediate,
            }
        }
        if data && go && accepted == 0 {
            // 354 although nobody was accepted: a lone dot, and no message. (RFC 2920 §3.1)
            dialogue.say("end-of-data", ".")?;
        }
        Ok((sender && go && (accepted > 0 || !data)).then_some(accepted))
    }

    /// The content, and the reply to its end: one, or one a recipient with LMTP.
    fn body(
        &self,
        args: &SendArgs,
        recipients: usize,
        dialogue: &mut Dialogue<'_>,
    ) -> Result<Verdict, CliError> {
        let mut wire = Vec::with_capacity(self.content.len() + 1_024);
        let mut stuffing = Stuffing::default();
        stuffing.push(&self.content, &mut wire);
        stuffing.finish(&mut wire);
        dialogue.send_content(&wire)?;
        let replies = if args.protocol == "LMTP" {
            recipients
        } else {
            1
        };
        let mut all = recipients == self.recipients.len();
        for _ in 0..replies {
            all &= dialogue.hear("end-of-data")?.class() == Class::Success;
        }
        Ok(if all { Verdict::Sent } else { Verdict::Refused })
    }
}

/// How the dialogue ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every recipient was accepted, and the message.
    Sent,
    /// Somebody or something was refused.
    Refused,
    /// Ended where `--quit-after` said.
    Stopped,
}

fn stops(args: &SendArgs, stages: &[&str]) -> bool {
    args.quit_after
        .as_deref()
        .is_some_and(|stage| stages.contains(&stage))
}

fn address(text: &str, screen: &Screen) -> Result<Address, CliError> {
    let bare = text
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .unwrap_or(text);
    Address::parse(bare).map_err(|_| {
        let asked = shown(text);
        CliError::new(
            Kind::Usage,
            screen.text("send-bad-address", &[("address", (&asked).into())]),
        )
    })
}
