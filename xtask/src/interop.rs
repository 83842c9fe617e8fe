//! The conversations with real mail programs: each `interop/*.sh` is one, and names the tools that it needs
//! in a line `# needs: swaks python3`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::provision::Tools;
use crate::steps::{run, target};

/// What the scenarios share; it plays nothing itself.
const LIBRARY: &str = "lib.sh";

/// One file in `interop/`.
pub(crate) struct Scenario {
    root: PathBuf,
    path: PathBuf,
    needs: Vec<String>,
}

/// Every scenario, by name.
pub(crate) fn scenarios(root: &Path) -> Result<Vec<Scenario>, Failure> {
    let folder = root.join("interop");
    let failed = |path: &Path, source| Failure::File {
        path: path.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|source| failed(&folder, source))? {
        let path = entry.map_err(|source| failed(&folder, source))?.path();
        let is_script = path.extension().is_some_and(|extension| extension == "sh");
        if is_script && path.file_name().is_some_and(|name| name != LIBRARY) {
            let text = fs::read_to_string(&path).map_err(|source| failed(&path, source))?;
            let needs = needs(&text);
            found.push(Scenario {
                root: root.to_owned(),
                path,
                needs,
            });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

impl Scenario {
    /// `interop: swaks-dots`.
    pub(crate) fn title(&self) -> String {
        let stem = self.path.file_stem().unwrap_or_default();
        format!("interop: {}", stem.to_string_lossy())
    }

    /// Plays it with the binary of the dev profile. Skips, loudly, only where that is allowed.
    pub(crate) fn play(&self, tools: &Tools, strict: bool) -> Result<(), Failure> {
        if let Some(tool) = tools.lacks(&self.needs) {
            if strict {
                return Err(Failure::Missing {
                    tools: vec![tool.to_owned()],
                });
            }
            println!("SKIPPED: {tool} is missing; this conversation was NOT checked");
            return Ok(());
        }
        run(Command::new("sh")
            .arg(&self.path)
            .env("FACTEUR", target(&self.root).join("debug/facteur"))
            .env("INTEROP_TOOLS", tools.folder())
            .current_dir(&self.root))
    }
}

fn needs(script: &str) -> Vec<String> {
    let line = script
        .lines()
        .find_map(|line| line.strip_prefix("# needs:"));
    line.unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_says_what_it_needs() {
        assert_eq!(
            needs("#!/bin/sh\n# needs: swaks python3\nset -eu\n"),
            ["swaks", "python3"]
        );
        assert!(needs("#!/bin/sh\n").is_empty());
    }
}
