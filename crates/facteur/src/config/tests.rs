//! What configurations mean, and what is said about wrong ones.

use std::path::Path;

use super::*;

fn faults(source: &str) -> Vec<Fault> {
    Config::read(source)
        .1
        .into_iter()
        .map(|problem| problem.fault)
        .collect()
}

#[test]
fn without_a_file_the_server_is_local_and_works() {
    let config = Config::of(&Instance::default(), Language::English, false).unwrap();
    assert_eq!(config.listeners.len(), 1);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 2525));
    assert_eq!(config.listeners[0].endpoint, Endpoint::Tcp(address));
    assert!(config.domains.contains_key(&localhost()));
    assert_eq!(config.data_dir, Path::new("facteur-data"));
    assert!(
        config
            .relay_networks
            .iter()
            .any(|network| network.contains(address.ip()))
    );
    assert!(!config.delivery.allow_loopback_mx);
}

#[test]
fn a_file_over_the_limit_is_refused_and_not_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facteur.toml");
    for (over, refused) in [(0, false), (1, true)] {
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(MAX_FILE + over).unwrap();
        assert_eq!(read_file(&path).is_err(), refused, "{over}");
    }
}

#[test]
fn the_empty_file_has_no_problem() {
    assert_eq!(faults(""), []);
}

#[test]
fn the_example_of_the_manual_is_read_whole() {
    let source = include_str!("../../../../docs/facteur.example.toml");
    let (config, problems) = Config::read(source);
    assert_eq!(problems, []);
    assert_eq!(config.hostname.as_str(), "mx.example.org");
    assert_eq!(config.delivery.retry.len(), 6);
    assert_eq!(config.routes.len(), 1);
}

#[test]
fn an_unknown_key_is_refused_with_the_key_probably_meant() {
    let found = faults("hostnme = \"mx.example.org\"\n");
    assert!(
        matches!(&found[..], [Fault::UnknownKey { key, nearest: Some(nearest), .. }]
            if key == "hostnme" && nearest == "hostname"),
        "{found:?}"
    );
}

#[test]
fn an_open_relay_is_refused_whatever_it_is_called() {
    for network in ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "2000::/3"] {
        let found = faults(&format!("[relay]\nnetworks = [\"{network}\"]\n"));
        assert!(
            matches!(&found[..], [Fault::OpenRelay { .. }]),
            "{network}: {found:?}"
        );
    }
    assert_eq!(
        faults("[relay]\nnetworks = [\"10.0.0.0/8\", \"2001:db8::/32\"]\n"),
        []
    );
    let found = faults("[relay]\ndomains = [\"*\"]\n");
    assert!(
        matches!(&found[..], [Fault::OpenRelayDomain { .. }]),
        "{found:?}"
    );
}

#[test]
fn every_problem_is_shown_at_once_with_its_line() {
    let source = "hostname = 5\n[delivery]\nretry = [\"5w\"]\nport = 70000\n[[listen]]\nrole = \"submission\"\n";
    let (_, problems) = Config::read(source);
    let shown = problem::render(
        Path::new("facteur.toml"),
        source,
        &problems,
        Language::English,
        false,
    );
    for line in [
        "facteur.toml:1:",
        "facteur.toml:3:",
        "facteur.toml:4:",
        "facteur.toml:6:",
    ] {
        assert!(shown.contains(line), "{line} in\n{shown}");
    }
    let french = problem::render(
        Path::new("facteur.toml"),
        source,
        &problems,
        Language::French,
        false,
    );
    assert_ne!(shown, french);
}

#[test]
fn a_syntax_error_is_the_only_thing_said() {
    let found = faults("hostname = \"a\nfoo = 1\n");
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|fault| matches!(fault, Fault::Syntax { .. })),
        "{found:?}"
    );
}

#[test]
fn a_missing_address_is_asked_for() {
    let found = faults("[[listen]]\nrole = \"mx\"\n");
    assert!(
        matches!(&found[..], [Fault::Missing { key }] if key == "address"),
        "{found:?}"
    );
}

#[test]
fn what_ehlo_announces_has_six_digits_at_most() {
    assert!(faults("[limits]\nmessages_per_session = 999999").is_empty());
    let found = faults("[limits]\nmessages_per_session = 1000000");
    assert!(
        matches!(found.as_slice(), [Fault::OutOfRange { .. }]),
        "{found:?}"
    );
}
