//! The command line as clap knows it, every word of the help in the reader's language.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, value_parser};
use facteur_replies::{Language, text};

use crate::args::typed;

/// The whole command line.
pub(super) fn command(language: Language) -> Command {
    let words = Words(language);
    words
        .styled(Command::new("facteur"))
        .about(words.say("cli-about"))
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_version_flag(true)
        .args(words.common())
        .subcommand(words.instance(words.sub("serve", "cli-help-serve")))
        .subcommand(words.instance(words.sub("status", "cli-help-status")))
        .subcommand(words.send())
        .subcommand(
            words
                .instance(words.sub("check", "cli-help-check"))
                .arg(words.required("subject", "DOMAIN|ADDRESS", "cli-help-check-subject")),
        )
        .subcommand(
            words.sub("explain", "cli-help-explain").arg(
                words
                    .required("what", "REPLY|CODE|-", "cli-help-explain-what")
                    .num_args(1..),
            ),
        )
        .subcommand(
            words
                .sub("compare", "cli-help-compare")
                .arg(words.required("a", "A", "cli-help-compare-code"))
                .arg(words.required("b", "B", "cli-help-compare-code")),
        )
        .subcommand(words.queue())
        .subcommand(words.destinations())
        .subcommand(
            words
                .instance(words.sub("trace", "cli-help-trace"))
                .arg(words.required(
                    "subject",
                    "QUEUE-ID|MESSAGE-ID|ADDRESS",
                    "cli-help-trace-subject",
                ))
                .arg(words.flag("brief", "cli-help-trace-brief")),
        )
        .subcommand(words.config())
        .subcommand(
            words.instance(
                words.sub("selftest", "cli-help-selftest").arg(
                    words
                        .flag("program-was-started", "cli-help-selftest")
                        .hide(true),
                ),
            ),
        )
        .subcommand(words.spool())
        .subcommand(
            words.sub("completions", "cli-help-completions").arg(
                words
                    .required("shell", "SHELL", "cli-help-completions-shell")
                    .value_parser(["bash", "zsh", "fish"])
                    .hide_possible_values(true),
            ),
        )
        .subcommand(
            words.sub("man", "cli-help-man").arg(
                words
                    .option("out", "DIR", "cli-help-man-out")
                    .value_parser(value_parser!(PathBuf)),
            ),
        )
}

/// Where the options that every command takes stand in its help: behind its own.
const LAST: usize = 900;

/// Builds commands and arguments in one language.
#[derive(Clone, Copy)]
struct Words(Language);

impl Words {
    fn say(self, id: &str) -> String {
        text(self.0, id, &[])
    }

    /// A command whose help has no English word of clap's.
    fn styled(self, command: Command) -> Command {
        let usage = self.say("cli-usage");
        command
            .help_template(format!("{{about}}\n\n{usage} {{usage}}\n\n{{all-args}}\n"))
            .subcommand_help_heading(self.say("cli-heading-commands"))
            .subcommand_value_name(self.say("cli-placeholder-command"))
            .next_help_heading(self.say("cli-heading-options"))
            .disable_help_subcommand(true)
            .disable_help_flag(true)
            .arg(
                Arg::new("help")
                    .long("help")
                    .short('h')
                    .action(ArgAction::Help)
                    .display_order(LAST)
                    .help(self.say("cli-help-help")),
            )
    }

    fn sub(self, name: &'static str, help: &str) -> Command {
        self.styled(Command::new(name).about(self.say(help)))
    }

    /// A command that only has subcommands.
    fn group(self, name: &'static str, help: &str) -> Command {
        self.sub(name, help)
            .subcommand_required(true)
            .arg_required_else_help(true)
    }

    fn required(self, name: &'static str, placeholder: &'static str, help: &str) -> Arg {
        Arg::new(name)
            .value_name(placeholder)
            .help(self.say(help))
            .help_heading(self.say("cli-heading-arguments"))
            .required(true)
    }

    fn option(self, name: &'static str, placeholder: &'static str, help: &str) -> Arg {
        Arg::new(name)
            .long(name)
            .value_name(placeholder)
            .help(self.say(help))
            .hide_default_value(true)
            .hide_possible_values(true)
    }

    fn flag(self, name: &'static str, help: &str) -> Arg {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .help(self.say(help))
    }

    /// What every command takes.
    fn common(self) -> [Arg; 4] {
        [
            Arg::new("version")
                .long("version")
                .short('V')
                .action(ArgAction::Version)
                .display_order(LAST)
                .help(self.say("cli-help-version")),
            self.option("lang", "LANG", "cli-help-lang")
                .global(true)
                .display_order(LAST),
            self.flag("json", "cli-help-json")
                .global(true)
                .display_order(LAST),
            self.option("color", "WHEN", "cli-help-color")
                .global(true)
                .display_order(LAST)
                .default_value("auto")
                .value_parser(["auto", "always", "never"]),
        ]
    }

    /// Adds which server is meant.
    fn instance(self, command: Command) -> Command {
        let path = value_parser!(PathBuf);
        command
            .arg(
                self.option("config", "FILE", "cli-help-config")
                    .value_parser(path.clone()),
            )
            .arg(
                self.option("data-dir", "DIR", "cli-help-data-dir")
                    .value_parser(path),
            )
    }

    fn config(self) -> Command {
        let on_instance = |name, help| self.instance(self.sub(name, help));
        let against = self
            .option("against", "FILE|running", "cli-help-config-diff-against")
            .value_parser(value_parser!(PathBuf));
        let key = self
            .required("key", "KEY", "cli-help-config-explain-key")
            .required(false);
        self.group("config", "cli-help-config-command")
            .subcommand(on_instance("check", "cli-help-config-check"))
            .subcommand(on_instance("show", "cli-help-config-show"))
            .subcommand(on_instance("diff", "cli-help-config-diff").arg(against))
            .subcommand(on_instance("reload", "cli-help-config-reload"))
            .subcommand(self.sub("explain", "cli-help-config-explain").arg(key))
            .subcommand(self.sub("schema", "cli-help-config-schema"))
    }

    fn queue(self) -> Command {
        let count = value_parser!(u64).range(1..);
        let limit = self.option("limit", "COUNT", "cli-help-queue-limit");
        let list = self
            .instance(self.sub("list", "cli-help-queue-list"))
            .args(self.filters())
            .arg(limit.clone().value_parser(count));
        let summary = self
            .instance(self.sub("summary", "cli-help-queue-summary"))
            .args(self.filters())
            .arg(
                limit
                    .value_parser(count)
                    .help(self.say("cli-help-queue-rows")),
            );
        let held_for = self
            .option("for", "DURATION", "cli-help-queue-for")
            .value_parser(typed::duration);
        let show = self
            .instance(self.sub("show", "cli-help-queue-show"))
            .arg(self.required("id", "QUEUE-ID", "cli-help-queue-id"));
        self.group("queue", "cli-help-queue")
            .subcommand(list)
            .subcommand(show)
            .subcommand(summary)
            .subcommand(self.act("hold", "cli-help-queue-hold").arg(held_for))
            .subcommand(self.act("release", "cli-help-queue-release"))
            .subcommand(self.act("retry", "cli-help-queue-retry"))
            .subcommand(self.act("bounce", "cli-help-queue-bounce"))
            .subcommand(self.act("delete", "cli-help-queue-delete"))
    }

    /// Without a verb, it lists.
    fn destinations(self) -> Command {
        let count = value_parser!(u64).range(1..);
        let most = self.option("limit", "COUNT", "cli-help-destinations-most");
        let target = || self.required("target", "DESTINATION", "cli-help-destinations-target");
        let list = self.instance(self.sub("list", "cli-help-destinations-list"));
        let limits = Arg::new("limits")
            .value_name("KEY=VALUE")
            .help(self.say("cli-help-destinations-limits"))
            .help_heading(self.say("cli-heading-arguments"))
            .num_args(1..)
            .required_unless_present("reset");
        let reset = self.flag("reset", "cli-help-destinations-reset");
        let show = self.sub("show", "cli-help-destinations-show");
        let resume = self.sub("resume", "cli-help-destinations-resume");
        self.instance(self.sub("destinations", "cli-help-destinations"))
            .subcommand(
                list.arg(target().required(false))
                    .arg(most.value_parser(count)),
            )
            .subcommand(self.instance(show).arg(target()))
            .subcommand(self.order("pause", "cli-help-destinations-pause"))
            .subcommand(self.instance(resume).arg(target()))
            .subcommand(
                self.order("limit", "cli-help-destinations-limit")
                    .arg(limits)
                    .arg(reset.conflicts_with("limits")),
            )
    }

    /// An order for destinations.
    fn order(self, name: &'static str, help: &str) -> Command {
        let lasts = self.option("for", "DURATION", "cli-help-destinations-for");
        let reason = self.option("reason", "TEXT", "cli-help-destinations-reason");
        self.instance(self.sub(name, help))
            .arg(self.required("target", "DESTINATION", "cli-help-destinations-target"))
            .arg(lasts.value_parser(typed::duration))
            .arg(reason.value_parser(typed::reason))
    }

    /// Something to do to queued messages.
    fn act(self, name: &'static str, help: &str) -> Command {
        let reason = self.option("reason", "TEXT", "cli-help-queue-reason");
        self.instance(self.sub(name, help))
            .arg(
                Arg::new("ids")
                    .value_name("QUEUE-ID")
                    .help(self.say("cli-help-queue-ids"))
                    .help_heading(self.say("cli-heading-arguments"))
                    .num_args(0..),
            )
            .args(self.filters())
            .arg(self.flag("all", "cli-help-queue-all").conflicts_with("ids"))
            .arg(self.flag("dry-run", "cli-help-queue-dry-run"))
            .arg(reason.value_parser(typed::reason))
    }

    /// Which messages are meant.
    fn filters(self) -> [Arg; 11] {
        let age = |name, help| {
            let option = self.option(name, "DURATION", help);
            option.value_parser(typed::duration)
        };
        let size = |name, help| self.option(name, "SIZE", help).value_parser(typed::size);
        let category = self.option("category", "CATEGORY", "cli-help-filter-category");
        [
            self.option("sender", "TEXT", "cli-help-filter-sender"),
            self.option("recipient", "TEXT", "cli-help-filter-recipient"),
            self.option("domain", "DOMAIN", "cli-help-filter-domain"),
            self.option("host", "HOST", "cli-help-filter-host"),
            age("older", "cli-help-filter-older"),
            age("younger", "cli-help-filter-younger"),
            size("larger", "cli-help-filter-larger"),
            size("smaller", "cli-help-filter-smaller"),
            self.option("reply", "CODE", "cli-help-filter-reply"),
            category.value_parser(typed::categories()),
            self.flag("held", "cli-help-filter-held"),
        ]
    }

    fn spool(self) -> Command {
        let to = self.required("to", "DIR", "cli-help-spool-export-to");
        let export = self
            .instance(self.sub("export", "cli-help-spool-export"))
            .arg(to.value_parser(value_parser!(PathBuf)));
        self.group("spool", "cli-help-spool")
            .subcommand(self.instance(self.sub("check", "cli-help-spool-check")))
            .subcommand(export)
    }

    /// The flags of swaks, those that make sense here.
    fn send(self) -> Command {
        let seconds = value_parser!(u64).range(1..=3_600);
        let to = self.option("to", "ADDRESS", "cli-help-send-to").short('t');
        let protocol = self.option("protocol", "PROTOCOL", "cli-help-send-protocol");
        let data = self
            .option("data", "TEXT|@FILE|-", "cli-help-send-data")
            .short('d');
        let quit_after = self
            .option("quit-after", "STAGE", "cli-help-send-quit-after")
            .short('q');
        self.sub("send", "cli-help-send").args([
            self.option("from", "ADDRESS", "cli-help-send-from")
                .short('f'),
            to.required(true)
                .action(ArgAction::Append)
                .value_delimiter(','),
            self.option("server", "HOST[:PORT]", "cli-help-send-server")
                .short('s'),
            self.option("port", "PORT", "cli-help-send-port")
                .short('p')
                .value_parser(value_parser!(u16)),
            self.option("ehlo", "NAME", "cli-help-send-ehlo")
                .alias("helo"),
            protocol
                .default_value("ESMTP")
                .ignore_case(true)
                .value_parser(["SMTP", "ESMTP", "LMTP"]),
            self.option("header", "FIELD", "cli-help-send-header")
                .action(ArgAction::Append),
            self.option("body", "TEXT|@FILE|-", "cli-help-send-body")
                .allow_hyphen_values(true),
            data.allow_hyphen_values(true).conflicts_with("body"),
            quit_after
                .ignore_case(true)
                .value_parser(["connect", "ehlo", "helo", "mail", "rcpt", "data"]),
            self.flag("pipeline", "cli-help-send-pipeline"),
            self.option("timeout", "SECONDS", "cli-help-send-timeout")
                .value_parser(seconds)
                .default_value("30"),
            self.flag("brief", "cli-help-send-brief"),
        ])
    }
}
