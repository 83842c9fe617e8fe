//! Embeds the catalogue: reads `catalogue/`, refuses anything missing, malformed or half translated, and
//! writes a sorted static table for `src/catalogue.rs`.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads and writes files; the crate does not"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[expect(
    unreachable_pub,
    reason = "the module is part of the library, where it is public"
)]
#[path = "src/vocabulary.rs"]
mod vocabulary;

use vocabulary::{Actor, Category, Retry, Speaker, Stage};

/// The languages, in the order of `Language::ALL`.
const LANGUAGES: [&str; 2] = ["en", "fr"];

const HEADER: &str = "key\tretry\tactors\tstages\tspeakers\tcategory\tsee\trfc\tgeneric";

/// The headings of an entry's file, in order.
const ENTRY_HEADINGS: [&str; 3] = ["meaning", "when", "fix"];

/// The headings of a comparison's file, in order.
const PAIR_HEADINGS: [&str; 3] = ["differences", "which", "confusion"];

fn main() -> Result<(), Faults> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("catalogue");
    rerun_if_changed(&root);
    let mut faults = Faults(Vec::new());

    let entries = entries(&root, &mut faults)?;
    let texts = texts(&root, &entries, &mut faults)?;
    let pairs = pairs(&root, &entries, &mut faults)?;
    check_references(&entries, &mut faults);
    if !entries.contains_key("unknown") {
        faults.add(format_args!(
            "entries.tsv has no row for the last resort, unknown"
        ));
    }
    let interface = interface(&root, &mut faults)?;
    if !faults.0.is_empty() {
        return Err(faults);
    }

    let mut source = generate(&entries, &texts, &pairs)?;
    writeln!(
        source,
        "pub(crate) static INTERFACE: [&str; {}] = {interface:?};",
        LANGUAGES.len()
    )?;
    let out = PathBuf::from(env::var("OUT_DIR")?).join("catalogue.rs");
    fs::write(out, source)?;
    Ok(())
}

/// One row of `entries.tsv`.
struct Entry {
    line: usize,
    key: String,
    retry: Retry,
    actors: Vec<Actor>,
    stages: Vec<Stage>,
    speakers: Vec<Speaker>,
    category: Category,
    see: Vec<String>,
    rfc: String,
    generic: Generic,
}

/// Whether an enhanced code says more than the basic code that it comes with.
enum Generic {
    /// It does.
    No,
    /// It never does.
    Always,
    /// Not after these basic codes, whose meaning it repeats.
    After(Vec<String>),
}

/// A file in each language: the title and the text under each of three headings.
type Texts = Vec<Page>;

struct Page {
    title: String,
    sections: Vec<String>,
}

fn entries(root: &Path, faults: &mut Faults) -> Result<BTreeMap<String, Entry>, Faults> {
    let table = fs::read_to_string(root.join("entries.tsv"))?;
    let mut lines = table.lines().enumerate();
    if lines.next().map(|(_, line)| line) != Some(HEADER) {
        faults.add(format_args!("entries.tsv: the header is not {HEADER:?}"));
    }
    let mut entries = BTreeMap::new();
    for (i, line) in lines {
        match entry(i + 1, line) {
            Ok(entry) => {
                if let Some(twice) = entries.insert(entry.key.clone(), entry) {
                    faults.add(format_args!("entries.tsv: {} stands twice", twice.key));
                }
            }
            Err(why) => faults.add(format_args!("entries.tsv:{}: {why}", i + 1)),
        }
    }
    Ok(entries)
}

fn entry(line: usize, row: &str) -> Result<Entry, String> {
    let fields: Vec<&str> = row.split('\t').collect();
    let &[
        key,
        retry,
        actors,
        stages,
        speakers,
        category,
        see,
        rfc,
        generic,
    ] = fields.as_slice()
    else {
        return Err(format!("{} fields, not 9", fields.len()));
    };
    if !is_key(key) {
        return Err(format!("{key:?} is not a key"));
    }
    if !rfc.starts_with("RFC ") {
        return Err(format!("{rfc:?} names no RFC"));
    }
    Ok(Entry {
        line,
        key: key.to_owned(),
        retry: word(retry, Retry::from_name)?,
        actors: words(actors, Actor::from_name)?,
        stages: words(stages, Stage::from_name)?,
        speakers: words(speakers, Speaker::from_name)?,
        category: word(category, Category::from_name)?,
        see: see
            .split(',')
            .filter(|key| !key.is_empty())
            .map(str::to_owned)
            .collect(),
        rfc: rfc.to_owned(),
        generic: match generic {
            "no" => Generic::No,
            "yes" => Generic::Always,
            codes => Generic::After(codes.split(',').map(str::to_owned).collect()),
        },
    })
}

/// `354`, `4yz`, `x.1`, `x.1.10`, `550-x.1.10`, `unknown`.
fn is_key(key: &str) -> bool {
    let (code, detail) = match key.split_once('-') {
        Some((code, detail)) => (Some(code), Some(detail)),
        None if key.starts_with('x') => (None, Some(key)),
        None => (Some(key), None),
    };
    let numeric =
        |text: &str| matches!(text.len(), 1..=3) && text.bytes().all(|b| b.is_ascii_digit());
    let code_fits = code.is_none_or(|code| {
        (code.len() == 3 && numeric(code))
            || matches!(code, "2yz" | "3yz" | "4yz" | "5yz" | "unknown")
    });
    let detail_fits = detail.is_none_or(|detail| {
        let parts: Vec<&str> = detail.split('.').collect();
        let (first, numbers) = parts.split_first().unwrap_or((&"", &[]));
        *first == "x" && matches!(numbers.len(), 1 | 2) && numbers.iter().all(|n| numeric(n))
    });
    code_fits && detail_fits
}

fn word<T>(name: &str, from_name: fn(&str) -> Option<T>) -> Result<T, String> {
    from_name(name).ok_or_else(|| format!("{name:?} is not in the vocabulary"))
}

fn words<T>(names: &str, from_name: fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    names
        .split(',')
        .map(|name| word(name.trim(), from_name))
        .collect()
}

/// The texts of every entry; a file without a row is a fault.
fn texts(
    root: &Path,
    entries: &BTreeMap<String, Entry>,
    faults: &mut Faults,
) -> Result<BTreeMap<String, Texts>, Faults> {
    for language in LANGUAGES {
        for name in stems(&root.join(language))? {
            if !entries.contains_key(&name) {
                faults.add(format_args!(
                    "{language}/{name}.md has no row in entries.tsv"
                ));
            }
        }
    }
    let mut texts = BTreeMap::new();
    for key in entries.keys() {
        let file = format!("{key}.md");
        texts.insert(key.clone(), pages(root, &file, &ENTRY_HEADINGS, faults));
    }
    Ok(texts)
}

/// The hand-written comparisons, by their two keys.
fn pairs(
    root: &Path,
    entries: &BTreeMap<String, Entry>,
    faults: &mut Faults,
) -> Result<BTreeMap<(String, String), Texts>, Faults> {
    let mut names = BTreeSet::new();
    for language in LANGUAGES {
        names.extend(stems(&root.join(language).join("pairs"))?);
    }
    let mut pairs = BTreeMap::new();
    for name in names {
        let keys = name
            .split_once("-vs-")
            .filter(|(a, b)| a != b && entries.contains_key(*a) && entries.contains_key(*b));
        let Some((a, b)) = keys else {
            faults.add(format_args!("pairs/{name}.md does not name two entries"));
            continue;
        };
        let file = format!("pairs/{name}.md");
        let pages = pages(root, &file, &PAIR_HEADINGS, faults);
        let keys = (a.min(b).to_owned(), a.max(b).to_owned());
        if pairs.insert(keys, pages).is_some() {
            faults.add(format_args!(
                "pairs/{name}.md stands twice, both ways round"
            ));
        }
    }
    Ok(pairs)
}

/// The same file in every language, in the order of `LANGUAGES`.
fn pages(root: &Path, file: &str, headings: &[&str], faults: &mut Faults) -> Texts {
    let mut pages = Vec::new();
    for language in LANGUAGES {
        let read = fs::read_to_string(root.join(language).join(file));
        match read
            .map_err(|why| why.to_string())
            .and_then(|text| page(&text, headings))
        {
            Ok(page) => pages.push(page),
            Err(why) => faults.add(format_args!("{language}/{file}: {why}")),
        }
    }
    pages
}

/// Reads a page; its wrapped lines are joined, so that a reader's terminal can wrap them anew.
fn page(text: &str, headings: &[&str]) -> Result<Page, String> {
    let mut lines = text.lines();
    let title = lines
        .next()
        .and_then(|line| line.strip_prefix("# "))
        .ok_or("the first line is not `# Title`")?;
    let mut found = Vec::new();
    let mut sections: Vec<Vec<&str>> = Vec::new();
    for line in lines {
        if let Some(heading) = line.strip_prefix("## ") {
            found.push(heading);
            sections.push(Vec::new());
        } else if let Some(section) = sections.last_mut() {
            section.push(line);
        } else if !line.trim().is_empty() {
            return Err("text before the first heading".to_owned());
        }
    }
    if found != headings {
        return Err(format!("the headings are {found:?}, not {headings:?}"));
    }
    let sections: Vec<String> = sections.iter().map(|lines| unwrapped(lines)).collect();
    if title.trim().is_empty() || sections.iter().any(String::is_empty) {
        return Err("the title or a section is empty".to_owned());
    }
    Ok(Page {
        title: title.trim().to_owned(),
        sections,
    })
}

/// One line for each paragraph and each list item, blank lines kept between blocks.
fn unwrapped(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        let line = line.trim();
        let starts_block = line.is_empty() || line.starts_with("- ");
        if !text.is_empty() {
            let at_line_start = text.ends_with('\n');
            text.push_str(match (starts_block, at_line_start) {
                (true, _) => "\n",
                (false, true) => "",
                (false, false) => " ",
            });
        }
        if line.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
    }
    while text.contains("\n\n\n") {
        text = text.replace("\n\n\n", "\n\n");
    }
    text.trim().to_owned()
}

/// Every key that a row names has a row.
fn check_references(entries: &BTreeMap<String, Entry>, faults: &mut Faults) {
    for entry in entries.values() {
        let repeated: &[String] = match &entry.generic {
            Generic::No | Generic::Always => &[],
            Generic::After(codes) => codes,
        };
        for key in entry.see.iter().chain(repeated) {
            if !entries.contains_key(key) || *key == entry.key {
                let line = entry.line;
                faults.add(format_args!("entries.tsv:{line}: {key:?} leads nowhere"));
            }
        }
    }
}

/// The texts of the interface in every language; each has the same messages.
fn interface(root: &Path, faults: &mut Faults) -> Result<Vec<String>, Faults> {
    let mut sources = Vec::new();
    let mut all = Vec::new();
    for language in LANGUAGES {
        let source = fs::read_to_string(root.join(language).join("interface.ftl"))?;
        let ids: BTreeSet<String> = source
            .lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))
            .filter_map(|line| line.split_once('='))
            .map(|(id, _)| id.trim().to_owned())
            .collect();
        all.push((language, ids));
        sources.push(source);
    }
    for (language, ids) in &all {
        for (other, other_ids) in &all {
            for id in ids.difference(other_ids) {
                faults.add(format_args!(
                    "{id} is in {language}/interface.ftl, not in {other}"
                ));
            }
        }
    }
    Ok(sources)
}

/// A static for each entry, `UNKNOWN` by name because it is the last resort, then the two tables.
fn generate(
    entries: &BTreeMap<String, Entry>,
    texts: &BTreeMap<String, Texts>,
    pairs: &BTreeMap<(String, String), Texts>,
) -> Result<String, fmt::Error> {
    let mut out = String::new();
    let mut table = String::new();
    for (i, (key, entry)) in entries.iter().enumerate() {
        let name = if key == "unknown" {
            "UNKNOWN".to_owned()
        } else {
            format!("ENTRY_{i}")
        };
        writeln!(out, "pub(crate) static {name}: Entry = Entry {{")?;
        write_entry(&mut out, entry)?;
        out.push_str("    texts: [\n");
        for page in texts.get(key).into_iter().flatten() {
            write_page(&mut out, "EntryText", &ENTRY_HEADINGS, page)?;
        }
        out.push_str("    ],\n};\n");
        writeln!(table, "    &{name},")?;
    }
    write!(
        out,
        "pub(crate) static ENTRIES: &[&Entry] = &[\n{table}];\n"
    )?;
    out.push_str("pub(crate) static PAIRS: &[Pair] = &[\n");
    for ((a, b), pages) in pairs {
        writeln!(out, "    Pair {{ keys: ({a:?}, {b:?}), texts: [")?;
        for page in pages {
            write_page(&mut out, "PairText", &PAIR_HEADINGS, page)?;
        }
        out.push_str("    ] },\n");
    }
    out.push_str("];\n");
    Ok(out)
}

fn write_entry(out: &mut String, entry: &Entry) -> fmt::Result {
    writeln!(out, "    key: {:?},", entry.key)?;
    writeln!(out, "    retry: Retry::{:?},", entry.retry)?;
    writeln!(out, "    actors: &{},", paths("Actor", &entry.actors))?;
    writeln!(out, "    stages: &{},", paths("Stage", &entry.stages))?;
    writeln!(out, "    speakers: &{},", paths("Speaker", &entry.speakers))?;
    writeln!(out, "    category: Category::{:?},", entry.category)?;
    writeln!(out, "    see: &{:?},", entry.see)?;
    writeln!(out, "    rfc: {:?},", entry.rfc)?;
    let (generic, repeats): (_, &[String]) = match &entry.generic {
        Generic::No => (false, &[]),
        Generic::Always => (true, &[]),
        Generic::After(codes) => (false, codes),
    };
    writeln!(out, "    generic: {generic}, repeats: &{repeats:?},")
}

fn paths(name: &str, values: &[impl fmt::Debug]) -> String {
    let list: Vec<String> = values
        .iter()
        .map(|value| format!("{name}::{value:?}"))
        .collect();
    format!("[{}]", list.join(", "))
}

fn write_page(out: &mut String, name: &str, headings: &[&str], page: &Page) -> fmt::Result {
    write!(out, "            {name} {{ title: {:?}", page.title)?;
    for (heading, text) in headings.iter().zip(&page.sections) {
        write!(out, ", {heading}: {text:?}")?;
    }
    out.push_str(" },\n");
    Ok(())
}

/// The names of the `.md` files in `folder`, without their ending.
fn stems(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|ending| ending == "md") {
            names.extend(
                path.file_stem()
                    .map(|stem| stem.to_string_lossy().into_owned()),
            );
        }
    }
    Ok(names)
}

/// A folder is watched with everything in it.
fn rerun_if_changed(root: &Path) {
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed=src/vocabulary.rs");
}

/// Everything that is wrong with the catalogue, so that one build shows it all.
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, fault: fmt::Arguments<'_>) {
        self.0.push(fault.to_string());
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the catalogue is not complete:")?;
        self.0.iter().try_for_each(|fault| writeln!(f, "  {fault}"))
    }
}

impl<E: std::error::Error> From<E> for Faults {
    fn from(error: E) -> Self {
        Self(vec![error.to_string()])
    }
}
