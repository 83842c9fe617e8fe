//! `cargo xtask bench`: Facteur beside Postfix on this machine, in turn, in the same minutes; what is told are
//! ratios with their spread. Nothing here decides whether a test passes.
//!
//! `options` is what was typed, `lab` the folder and the loads, `house` a server of a measurement, `process` and `procfs` its
//! processes, `smtp` our own clients and next servers, `topics/` the measurements. `data` keeps every value, `figures` says
//! what is shown of them and what they are to reach, `report/` writes the tables and the chart.

mod data;
mod figures;
mod house;
mod lab;
mod options;
mod process;
mod procfs;
mod report;
mod smtp;
mod topics;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::bench::data::Data;
use crate::bench::lab::Lab;
pub(crate) use crate::bench::options::Options;
use crate::bench::options::Topic;
use crate::bench::procfs::said;
pub(crate) use crate::bench::report::{Page, pages};
use crate::bench::topics::Findings;
use crate::failure::Failure;
use crate::provision::Tools;
use crate::steps::Run;

pub(crate) use crate::bench::data::FILE;

/// Measures, prints, and unless it was quick keeps what was found and writes the pages anew.
pub(crate) fn bench(run: &mut Run, options: &Options) -> Result<(), Failure> {
    let root = run.root().to_owned();
    if options.render {
        return write_pages(&root);
    }
    let mut tools = Tools::none(&root);
    run.section("tools", || tools.provide(true))?;
    run.cargo(
        "build the server",
        &["build", "--release", "--locked", "--bin", "facteur"],
    )?;
    if options.topics.contains(&Topic::Flood) {
        let crowd = ["-p", "facteur-testkit", "--example", "crowd"];
        let words = [&["build", "--release", "--locked"], crowd.as_slice()].concat();
        run.cargo("build the crowds", &words)?;
    }
    let lab = Lab::open(&root, tools.folder(), options.quick, options.rounds)?;
    let build = build(&root);
    let mut measured = Data::default();
    for topic in &options.topics {
        let mut found = Findings::of(*topic);
        run.section(topic.name(), || {
            describe(&lab, &build, &mut found);
            topics::measure(&lab, &mut found)
        })?;
        if !options.quick {
            let mut data = Data::load(&root)?;
            let again = Data::parse(&found.data.text())?;
            data.replace(again);
            write(&root, FILE, &data.text())?;
        }
        measured.replace(found.data);
    }
    print!("\n{}", report::summary(&measured));
    if options.quick {
        println!("quick: nothing was kept");
        return Ok(());
    }
    write_pages(&root)
}

/// The version that is measured: its number, its commit, and whether the sources differ from that.
fn build(root: &Path) -> String {
    let git = |words: &[&str]| said(Command::new("git").arg("-C").arg(root).args(words));
    let commit = git(&["rev-parse", "--short", "HEAD"]);
    let changed = git(&[
        "status",
        "--porcelain",
        "--",
        "crates",
        "Cargo.toml",
        "Cargo.lock",
    ]);
    let more = if changed.is_empty() {
        ""
    } else {
        " and changes"
    };
    format!("{} ({commit}{more})", env!("CARGO_PKG_VERSION"))
}

/// When, where and with what a topic is measured.
fn describe(lab: &Lab, build: &str, found: &mut Findings) {
    let date = said(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]));
    found.note("date", date);
    found.note("machine", procfs::machine(lab.folder()));
    found.note("facteur", build.to_owned());
    found.note("postfix", lab.postfix_version());
    found.note("rounds", lab.rounds.to_string());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    found.note("load before", load);
}

/// Writes every page that shows the data.
fn write_pages(root: &Path) -> Result<(), Failure> {
    let data = Data::load(root)?;
    for page in pages() {
        let path = root.join(page.path);
        let before = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(Failure::File { path, source }),
        };
        let after = page
            .written(&before, &data)
            .ok_or(Failure::NoMarkers { path: page.path })?;
        if after != before {
            write(root, page.path, &after)?;
        }
    }
    Ok(())
}

fn write(root: &Path, file: &str, text: &str) -> Result<(), Failure> {
    let path = root.join(file);
    fs::write(&path, text).map_err(|source| Failure::File { path, source })?;
    println!("written: {file}");
    Ok(())
}

/// Whether a page says what the data say.
pub(crate) fn is_current(page: &Page, text: &str, data: &str) -> Result<bool, Failure> {
    let data = Data::parse(data)?;
    Ok(page.written(text, &data).as_deref() == Some(text))
}

/// Data for a test of those who show them.
#[cfg(test)]
pub(crate) fn parsed(text: &str) -> Data {
    Data::parse(text).unwrap()
}
