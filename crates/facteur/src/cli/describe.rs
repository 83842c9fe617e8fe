//! `facteur completions` and `facteur man`: the command line described to shells and to `man`, from its one definition;
//! the configuration's keys, from theirs.

use std::fs;
use std::io;
use std::path::Path;

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use facteur_replies::{Language, text};

use crate::args;
use crate::config::words::{self, KeyWords};
use crate::error::{CliError, Kind};
use crate::ui::{Screen, Tone, shown};

/// Headings that are English whatever the language of the command, and the texts in their place.
const HEADINGS: [(&str, &str); 6] = [
    ("NAME", "man-name"),
    ("SYNOPSIS", "man-synopsis"),
    ("DESCRIPTION", "man-description"),
    ("OPTIONS", "man-options"),
    ("SUBCOMMANDS", "man-subcommands"),
    ("VERSION", "man-version"),
];

/// Prints what a shell needs to complete the command line.
pub(crate) fn completions(shell: &str, screen: &mut Screen) -> Result<(), CliError> {
    let shell = match shell {
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        _ => Shell::Bash,
    };
    let mut script = Vec::new();
    let mut command = args::definition(screen.language);
    clap_complete::generate(shell, &mut command, "facteur", &mut script);
    Ok(screen.raw(&String::from_utf8_lossy(&script))?)
}

/// Prints the page of the whole program, or writes a page for each command, and one for the configuration file.
pub(crate) fn man(out: Option<&Path>, screen: &mut Screen) -> Result<(), CliError> {
    let command = args::definition(screen.language);
    let Some(folder) = out else {
        return Ok(screen.raw(&page(command, screen.language)?)?);
    };
    let mut pages = Vec::new();
    collect("facteur", command, screen.language, &mut pages)?;
    pages.push(("facteur.toml.5".to_owned(), keys_page(screen.language)));
    for (name, page) in &pages {
        let path = folder.join(name);
        fs::write(&path, page).map_err(|error| cannot_write(&path, &error, screen))?;
    }
    let count = u64::try_from(pages.len()).unwrap_or(u64::MAX);
    let folder = shown(&folder.display().to_string());
    let args = [("count", count.into()), ("path", (&folder).into())];
    let words = screen.text("man-written", &args);
    Ok(screen.line(Tone::Good, &words)?)
}

/// The pages of a command and of those below it, each with its file name.
fn collect(
    name: &str,
    command: Command,
    language: Language,
    pages: &mut Vec<(String, String)>,
) -> Result<(), CliError> {
    for sub in command.get_subcommands() {
        let name = format!("{name}-{}", sub.get_name());
        collect(&name, sub.clone(), language, pages)?;
    }
    // The page has one word for a name; what is typed has spaces.
    let typed = name.replace('-', " ");
    let whole = command.name(name.to_owned()).bin_name(typed);
    pages.push((format!("{name}.1"), page(whole, language)?));
    Ok(())
}

fn page(command: Command, language: Language) -> Result<String, CliError> {
    let mut page = Vec::new();
    let man = Man::new(command).manual("Facteur").source(version());
    man.render(&mut page)?;
    let page = String::from_utf8_lossy(&page);
    let heading = |line: &str| {
        let heading = line.strip_prefix(".SH ")?;
        let known = HEADINGS.iter().find(|(english, _)| *english == heading);
        known.map(|(_, id)| format!(".SH {}", text(language, id, &[])))
    };
    let lines = page
        .lines()
        .map(|line| heading(line).unwrap_or_else(|| line.to_owned()) + "\n");
    Ok(lines.collect())
}

fn version() -> String {
    format!("facteur {}", env!("CARGO_PKG_VERSION"))
}

/// facteur.toml(5): every key.
fn keys_page(language: Language) -> String {
    let say = |id: &str| text(language, id, &[]);
    let mut page = format!(".TH facteur.toml 5 \"\" \"{}\" Facteur\n", version());
    let mut section = |heading: &str, body: &str| {
        page.push_str(&format!(".SH \"{}\"\n{body}", heading.replace('"', "\"\"")));
    };
    let title = format!("facteur.toml \\- {}\n", roff(&say("config-file")));
    section(&say("man-name"), &title);
    section(
        &say("man-description"),
        &format!("{}\n", roff(&say("man-toml-description"))),
    );
    for table in words::tables(language) {
        let mut body = String::new();
        if !table.heading.is_empty() {
            body.push_str(&format!("{}\n", roff(&table.about)));
        }
        for key in &table.keys {
            body.push_str(&key_entry(key, language));
        }
        let heading = if table.heading.is_empty() {
            say("man-toml-top")
        } else {
            table.heading
        };
        section(&heading, &body);
    }
    section(&say("man-see-also"), ".BR facteur (1)\n");
    page
}

fn key_entry(key: &KeyWords, language: Language) -> String {
    let (id, mut args) = (
        "config-explain-default",
        vec![("default", (&key.default).into())],
    );
    let id = if key.bounds.is_empty() {
        id
    } else {
        args.push(("bounds", (&key.bounds).into()));
        "config-explain-default-bounds"
    };
    let default = text(language, id, &args);
    format!(
        ".TP\n.B {}\n{}\n.br\n{}\n",
        roff(key.name),
        roff(&key.meaning),
        roff(&default)
    )
}

/// Markdown of one paragraph as roff: what stands in backquotes is bold; what roff would read as its own is escaped.
fn roff(markdown: &str) -> String {
    let escaped = markdown.replace('\\', "\\e").replace('-', "\\-");
    let mut bold = false;
    let mut page = String::with_capacity(escaped.len());
    for c in escaped.chars() {
        if c == '`' {
            bold = !bold;
            page.push_str(if bold { "\\fB" } else { "\\fR" });
        } else {
            page.push(c);
        }
    }
    // A line that begins with one of these is a request.
    if page.starts_with(['.', '\'']) {
        page.insert_str(0, "\\&");
    }
    page
}

fn cannot_write(path: &Path, error: &io::Error, screen: &Screen) -> CliError {
    let path = shown(&path.display().to_string());
    let words = shown(&error.to_string());
    let args = [("path", (&path).into()), ("words", (&words).into())];
    CliError::new(Kind::System, screen.text("man-cannot-write", &args))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_heading_of_a_page_is_in_the_readers_language() {
        let mut pages = Vec::new();
        let french = Language::French;
        collect("facteur", args::definition(french), french, &mut pages).unwrap();
        assert!(pages.len() > 15, "{}", pages.len());
        for (name, page) in &pages {
            for (english, id) in HEADINGS {
                let ours = text(french, id, &[]);
                let left = page.lines().any(|line| line == format!(".SH {english}"));
                assert!(!left || ours == english, "{name}: {english}");
            }
        }
    }

    #[test]
    fn the_page_of_the_file_has_every_key_and_no_request_by_accident() {
        for language in Language::ALL {
            let page = keys_page(language);
            for table in words::tables(language) {
                for key in &table.keys {
                    assert!(
                        page.contains(&format!(".B {}\n", roff(key.name))),
                        "{}",
                        key.name
                    );
                }
            }
            let known = [".TH ", ".SH ", ".TP", ".B ", ".BR ", ".br"];
            for line in page.lines().filter(|line| line.starts_with(['.', '\''])) {
                assert!(
                    known.iter().any(|request| line.starts_with(request)),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn markdown_becomes_roff() {
        assert_eq!(roff("`a-b`: \\ c"), "\\fBa\\-b\\fR: \\e c");
        assert_eq!(roff(".x"), "\\&.x");
    }
}
