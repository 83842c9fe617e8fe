//! `facteur`, the mail server that explains itself: reads the command line and does what it says.

mod args;
mod cli;
mod config;
mod console;
mod control;
mod destinations;
mod error;
mod failure;
mod log;
mod process;
mod queue;
mod reload;
mod sendmail;
mod serve;
mod signals;
mod system;
mod ui;
mod webhooks;
mod wiring;
mod witnesses;

use std::io::{self, Write as _};
use std::process::ExitCode;

use mimalloc::MiMalloc;

use crate::args::{Parsed, Request};
use crate::error::CliError;
use crate::sendmail::Face;
use crate::ui::Screen;

/// The system's own allocator takes a fifth of the time that a message costs, and with a long queue a third more: it looks
/// for room between what stays.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let typed: Vec<_> = std::env::args_os().collect();
    if let Some(face) = Face::of(typed.first()) {
        return face.run(&typed);
    }
    let language = args::language(&typed, |name| std::env::var(name).ok());
    let done = match args::parse(typed, language) {
        Ok(Parsed::Request(request, manner)) => {
            let mut screen = Screen::stdout(&manner);
            perform(request, &mut screen)
        }
        Ok(Parsed::Show(help)) => show(&help),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui::complain(&error, language);
            error.exit_code()
        }
    }
}

fn perform(request: Request, screen: &mut Screen) -> Result<(), CliError> {
    match request {
        Request::Serve(instance) => serve::run(&instance, screen),
        Request::Status(instance) => cli::status::run(&instance, screen),
        Request::Send(args) => cli::send::run(&args, screen),
        Request::Check { subject, instance } => cli::check::run(&subject, &instance, screen),
        Request::Explain { what } => cli::explain::run(&what, screen),
        Request::Compare { a, b } => cli::compare::run(&a, &b, screen),
        Request::QueueList {
            filter,
            limit,
            instance,
        } => cli::queue::list(&filter, limit, &instance, screen),
        Request::QueueSummary {
            filter,
            limit,
            instance,
        } => cli::queue::summary(&filter, limit, &instance, screen),
        Request::Destinations {
            request,
            whole,
            instance,
        } => cli::destinations::run(*request, whole, &instance, screen),
        Request::QueueAct { request, instance } => cli::queue::act(*request, &instance, screen),
        Request::QueueShow { id, instance } => cli::queue::show(&id, &instance, screen),
        Request::Trace {
            subject,
            brief,
            instance,
        } => cli::trace::run(&subject, brief, &instance, screen),
        Request::ConfigCheck(instance) => cli::config::check(&instance, screen),
        Request::ConfigShow(instance) => cli::config::show(&instance, screen),
        Request::ConfigSchema => cli::config::schema(screen),
        Request::ConfigReload(instance) => cli::reconfigure::reload(&instance, screen),
        Request::ConfigDiff { against, instance } => {
            cli::reconfigure::diff(&against, &instance, screen)
        }
        Request::ConfigExplain { key } => cli::config::explain(key.as_deref(), screen),
        Request::SelfTest(instance) => cli::selftest::run(&instance, screen),
        Request::SelfTestStarted => cli::selftest::started(screen),
        Request::Completions { shell } => cli::describe::completions(&shell, screen),
        Request::Man { out } => cli::describe::man(out.as_deref(), screen),
        Request::SpoolCheck(instance) => cli::spool::check(&instance, screen),
        Request::SpoolExport { to, instance } => cli::spool::export(&to, &instance, screen),
    }
}

fn show(help: &str) -> Result<(), CliError> {
    Ok(io::stdout().write_all(help.as_bytes())?)
}
