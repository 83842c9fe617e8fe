//! The map of the workspace: which crate stands on which level (ARCHITECTURE.md, "The map").

/// Crates and their levels. A crate that is not here is a finding.
const LEVELS: &[(&str, u8)] = &[
    ("facteur-replies", 0),
    ("facteur-mail", 1),
    ("facteur-smtp", 2),
    ("facteur-route", 2),
    ("facteur-spool", 2),
    ("facteur-spool-local", 3),
    ("facteur-spool-postgres", 3),
    ("facteur-history", 3),
    ("facteur-server", 3),
    ("facteur-delivery", 3),
    ("facteur-webhooks", 3),
    ("facteur-console", 4),
    ("facteur", 5),
];

/// Arrows that point down and are forbidden all the same: the console reads the history and the catalogue.
pub(crate) const FORBIDDEN: &[(&str, &str)] = &[
    ("facteur-console", "facteur-server"),
    ("facteur-console", "facteur-delivery"),
    ("facteur-console", "facteur-spool"),
    ("facteur-console", "facteur-spool-local"),
    ("facteur-console", "facteur-spool-postgres"),
];

/// Crates without clock, socket, file or runtime.
pub(crate) const PURE: &[&str] = &[
    "facteur-replies",
    "facteur-mail",
    "facteur-smtp",
    "facteur-spool",
];

/// Crates with a `clippy.toml` of their own that bans the clock, sockets and files: the pure ones, and the one whose
/// resolver alone may ask outside.
pub(crate) const BANNING: &[&str] = &[
    "facteur-replies",
    "facteur-mail",
    "facteur-smtp",
    "facteur-spool",
    "facteur-route",
];

/// For tests only, and the levels that these are built at: the testkit may use everything below the console, the
/// fault disk nothing of ours, the simulation everything below the binary. Only dev-dependencies may use them, and each other.
pub(crate) const TEST_ONLY: &[(&str, u8)] = &[
    ("facteur-testkit", 4),
    ("facteur-faultdisk", 0),
    ("facteur-simulation", 5),
];

/// Whether nobody ships it.
pub(crate) fn is_test_only(name: &str) -> bool {
    TEST_ONLY.iter().any(|(known, _)| *known == name)
}

/// The level of a crate.
pub(crate) fn level(name: &str) -> Option<u8> {
    LEVELS
        .iter()
        .chain(TEST_ONLY)
        .find(|(known, _)| *known == name)
        .map(|(_, level)| *level)
}
