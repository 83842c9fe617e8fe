//! Just enough of TOML to list the dependencies of a Cargo.toml: tables, keys, lines.

/// What a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `[dependencies]` and `[build-dependencies]`, also below `[target.…]`.
    Normal,
    /// `[dev-dependencies]`, also below `[target.…]`.
    Dev,
}

/// One dependency as written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dependency<'a> {
    /// The key, which is the crate's name here.
    pub(crate) name: &'a str,
    /// What it is for.
    pub(crate) kind: Kind,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// Every dependency of a manifest, in its order.
pub(crate) fn dependencies(text: &str) -> Vec<Dependency<'_>> {
    let mut table = None;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            table = kind_of(header);
            // `[dependencies.name]` is itself the dependency, and its keys are not.
            if let Some((parent, name)) = header.rsplit_once('.')
                && let Some(kind) = kind_of(parent)
            {
                found.push(Dependency {
                    name,
                    kind,
                    line: number + 1,
                });
                table = None;
            }
        } else if let Some(kind) = table
            && let Some((key, _)) = line.split_once('=')
            && !line.starts_with('#')
        {
            let name = key
                .trim()
                .split('.')
                .next()
                .unwrap_or(key)
                .trim_matches('"');
            found.push(Dependency {
                name,
                kind,
                line: number + 1,
            });
        }
    }
    found
}

fn kind_of(table: &str) -> Option<Kind> {
    match table.rsplit('.').next()? {
        "dependencies" | "build-dependencies" if !table.starts_with("workspace") => {
            Some(Kind::Normal)
        }
        "dev-dependencies" => Some(Kind::Dev),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_dependency_is_read() {
        let text = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb = { version = \"1\" }\n\
                    # c = \"1\"\n[dependencies.d]\nversion = \"1\"\n[target.'cfg(unix)'.dependencies]\ne = \"1\"\n\
                    [dev-dependencies]\nf = \"1\"\n[lints]\nworkspace = true\n";
        let found: Vec<_> = dependencies(text)
            .into_iter()
            .map(|d| (d.name, d.kind, d.line))
            .collect();
        assert_eq!(
            found,
            [
                ("a", Kind::Normal, 4),
                ("b", Kind::Normal, 5),
                ("d", Kind::Normal, 7),
                ("e", Kind::Normal, 10),
                ("f", Kind::Dev, 12),
            ]
        );
    }

    #[test]
    fn the_workspace_table_of_versions_is_not_a_dependency() {
        assert_eq!(dependencies("[workspace.dependencies]\na = \"1\"\n"), []);
    }
}
