//! Tests of the router: local domains, aliases, postmaster, next hops.

use super::*;
use crate::hop::DEFAULT_SMTP_PORT;

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn hop(text: &str) -> NextHop {
    NextHop::parse(text, DEFAULT_SMTP_PORT).unwrap()
}

fn maildirs() -> Deliver {
    Deliver::Maildir(MaildirTemplate::parse("/var/mail/{domain}/{user}").unwrap())
}

fn aliases(pairs: &[(&str, &[&str])]) -> BTreeMap<String, Vec<Address>> {
    let alias = |(name, to): &(&str, &[&str])| {
        (
            (*name).to_owned(),
            to.iter().map(|to| address(to)).collect(),
        )
    };
    pairs.iter().map(alias).collect()
}

/// `example.org` has the mailboxes ann, bob and c+d, some aliases and a catch-all; `open.test` takes every
/// name; `lmtp.test` is another server's.
fn config() -> Config {
    let example = LocalDomain {
        users: Some(["ann", "bob", "c+d"].map(str::to_owned).into()),
        aliases: aliases(&[
            (
                "info",
                &["ann@example.org", "bob@example.org", "far@away.test"],
            ),
            (
                "all",
                &["info@example.org", "bob@example.org", "x@open.test"],
            ),
            ("bob", &["bob@example.org", "bob@away.test"]),
            ("ring", &["round@example.org"]),
            ("round", &["ring@example.org"]),
            ("self", &["self@example.org"]),
            ("dead", &["nobody@lmtp.test", "a/b@open.test"]),
        ]),
        ..LocalDomain::new(maildirs())
    };
    Config {
        addresses: ["192.0.2.99".parse().unwrap()].into(),
        domains: [
            (domain("example.org"), example),
            (domain("open.test"), LocalDomain::new(maildirs())),
            (
                domain("lmtp.test"),
                LocalDomain {
                    tag_delimiter: None,
                    ..LocalDomain::new(Deliver::Lmtp(hop("/run/lmtp")))
                },
            ),
        ]
        .into(),
        relay_domains: vec![Pattern::parse("good.test").unwrap()],
        relay_networks: vec![Network::parse("127.0.0.0/8").unwrap()],
        ..Config::new(domain("mx.example.org"))
    }
}

fn shown(route: &Route) -> String {
    match route {
        Route::Mailbox { domain, user, .. } => format!("{user}@{domain}"),
        Route::Alias(to) => {
            let to: Vec<String> = to.iter().map(ToString::to_string).collect();
            format!("alias {}", to.join(" "))
        }
        Route::UnknownMailbox => "unknown".to_owned(),
        Route::NextHop(hop) => format!("hop {hop}"),
        Route::ByMx(domain) => format!("mx {domain}"),
        Route::Literal(ip) => format!("literal {ip}"),
    }
}

fn expanded(router: &Router, text: &str) -> Vec<String> {
    let targets = router.expand(&address(text)).unwrap();
    targets
        .iter()
        .map(|target| format!("{} {}", target.address, shown(&target.route)))
        .collect()
}

#[test]
fn a_local_name_is_a_mailbox_an_alias_or_unknown() {
    let router = Router::new(config());
    for (to, route) in [
        ("ann@example.org", "ann@example.org"),
        ("ANN@Example.org", "ann@example.org"),
        ("ann+news@example.org", "ann@example.org"),
        ("c+d@example.org", "c+d@example.org"),
        ("c@example.org", "unknown"),
        ("+ann@example.org", "unknown"),
        ("self+tag@example.org", "alias self@example.org"),
        ("nobody@example.org", "unknown"),
        ("anybody@open.test", "anybody@open.test"),
        ("anybody+tag@open.test", "anybody@open.test"),
        ("\"a/b\"@open.test", "unknown"),
        ("..x@lmtp.test", "unparsed"),
        ("\"a/b\"@lmtp.test", "a/b@lmtp.test"),
        ("any+tag@lmtp.test", "any+tag@lmtp.test"),
        ("somebody@away.test", "mx away.test"),
        ("somebody@[192.0.2.1]", "literal 192.0.2.1"),
    ] {
        let Ok(to) = Address::parse(to) else {
            assert_eq!(route, "unparsed", "{to}");
            continue;
        };
        assert_eq!(shown(&router.route(&to)), route, "{to}");
    }
}

#[test]
fn a_catch_all_gets_what_is_neither_a_mailbox_nor_an_alias() {
    let mut config = config();
    let local = config.domains.get_mut(&domain("example.org")).unwrap();
    local.catch_all = Some(address("ann@example.org"));
    let router = Router::new(config);
    assert_eq!(expanded(&router, "bob@example.org").len(), 2);
    assert_eq!(
        expanded(&router, "nobody@example.org"),
        ["ann@example.org ann@example.org"]
    );
}

#[test]
fn a_postmaster_always_exists() {
    let router = Router::new(config());
    for (to, target) in [
        ("postmaster@example.org", "postmaster@example.org"),
        ("POSTMASTER@open.test", "postmaster@open.test"),
        ("postmaster@mx.example.org", "postmaster@example.org"),
        ("postmaster@[192.0.2.99]", "postmaster@example.org"),
    ] {
        let targets = router.expand(&address(to)).unwrap();
        assert_eq!(shown(&targets[0].route), target, "{to}");
    }
    assert!(router.has_postmaster());
    assert_eq!(
        router.route(&address("ann@mx.example.org")),
        Route::UnknownMailbox
    );

    let configured = Router::new(Config {
        postmaster: Some(address("ann@example.org")),
        ..config()
    });
    for to in [
        "postmaster@example.org",
        "postmaster@open.test",
        "postmaster@mx.example.org",
    ] {
        assert_eq!(
            expanded(&configured, to),
            ["ann@example.org ann@example.org"],
            "{to}"
        );
    }
}

#[test]
fn a_postmaster_of_its_own_goes_before_the_configured_one() {
    let mut config = config();
    config.postmaster = Some(address("postmaster@example.org"));
    let local = config.domains.get_mut(&domain("open.test")).unwrap();
    local.aliases = aliases(&[("postmaster", &["ann@example.org"])]);
    let router = Router::new(config);
    assert_eq!(
        expanded(&router, "postmaster@open.test"),
        ["ann@example.org ann@example.org"]
    );
    assert_eq!(
        expanded(&router, "postmaster@example.org"),
        ["postmaster@example.org postmaster@example.org"]
    );
}

#[test]
fn a_relay_without_mailboxes_lacks_a_postmaster_until_one_is_configured() {
    let mut config = Config::new(domain("relay.test"));
    assert!(!Router::new(config.clone()).has_postmaster());
    config.postmaster = Some(address("postmaster@relay.test"));
    assert!(
        !Router::new(config.clone()).has_postmaster(),
        "itself is nobody"
    );
    config.postmaster = Some(address("ann@away.test"));
    assert!(Router::new(config).has_postmaster());
}

#[test]
fn aliases_are_followed_to_their_end_each_address_once() {
    let router = Router::new(config());
    assert_eq!(
        expanded(&router, "all@example.org"),
        [
            "ann@example.org ann@example.org",
            "bob@example.org bob@example.org",
            "bob@away.test mx away.test",
            "far@away.test mx away.test",
            "x@open.test x@open.test",
        ]
    );
    assert_eq!(
        expanded(&router, "ann+tag@example.org"),
        ["ann+tag@example.org ann@example.org"]
    );
    assert_eq!(
        expanded(&router, "x@away.test"),
        ["x@away.test mx away.test"]
    );
}

#[test]
fn an_alias_that_leads_back_is_a_loop_and_a_dead_end_is_told() {
    let router = Router::new(config());
    for to in ["ring@example.org", "Round@example.org", "self@example.org"] {
        assert!(
            matches!(router.expand(&address(to)), Err(AliasLoop::Circle { .. })),
            "{to}"
        );
    }
    let dead = expanded(&router, "dead@example.org");
    assert_eq!(dead.len(), 2);
    assert_eq!(router.aliases().count(), 7);
}

#[test]
fn an_alias_for_a_crowd_or_through_a_long_chain_is_refused() {
    let mut config = config();
    let local = config.domains.get_mut(&domain("example.org")).unwrap();
    let crowd = (0..=MAX_EXPANSION).map(|n| address(&format!("u{n}@away.test")));
    local.aliases.insert("crowd".to_owned(), crowd.collect());
    for n in 0..=MAX_ALIAS_DEPTH {
        let next = address(&format!("chain{}@example.org", n + 1));
        local.aliases.insert(format!("chain{n}"), vec![next]);
    }
    local.users = None;
    let router = Router::new(config);
    for to in ["crowd@example.org", "chain0@example.org"] {
        assert!(
            matches!(router.expand(&address(to)), Err(AliasLoop::TooBig { .. })),
            "{to}"
        );
    }
    assert_eq!(expanded(&router, "chain1@example.org").len(), 1);
}

#[test]
fn a_web_of_aliases_is_walked_once() {
    let mut config = config();
    let local = config.domains.get_mut(&domain("example.org")).unwrap();
    // Each names the next twice: 2^40 ways, 40 aliases.
    for n in 0..40 {
        let next = address(&format!("web{}@example.org", n + 1));
        local
            .aliases
            .insert(format!("web{n}"), vec![next.clone(), next]);
    }
    local.users = None;
    let router = Router::new(config);
    assert_eq!(
        expanded(&router, "web0@example.org"),
        ["web40@example.org web40@example.org"]
    );
}

#[test]
fn the_most_exact_route_wins_whatever_its_place() {
    let rule = |pattern: &str, next_hop: &str| RouteRule {
        pattern: Pattern::parse(pattern).unwrap(),
        next_hop: hop(next_hop),
    };
    let router = Router::new(Config {
        routes: vec![
            rule("*", "smarthost.test:587"),
            rule("*.internal", "10.0.0.1"),
            rule("*.b.internal", "10.0.0.2"),
            rule("b.internal", "10.0.0.3"),
        ],
        ..config()
    });
    for (host, target) in [
        ("x@a.internal", "hop 10.0.0.1:25"),
        ("x@c.b.internal", "hop 10.0.0.2:25"),
        ("x@b.internal", "hop 10.0.0.3:25"),
        ("x@internal", "hop smarthost.test:587"),
        ("x@[192.0.2.1]", "hop smarthost.test:587"),
        ("ann@example.org", "ann@example.org"),
    ] {
        assert_eq!(shown(&router.route(&address(host))), target, "{host}");
    }
}

#[test]
fn a_destination_is_where_the_mail_of_a_host_waits() {
    let mut config = config();
    config.routes.push(RouteRule {
        pattern: Pattern::parse("*.internal").unwrap(),
        next_hop: hop("10.0.0.1"),
    });
    let router = Router::new(config);
    for (host, destination) in [
        ("away.test", "away.test"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("[192.0.2.99]", "maildir:mx.example.org"),
        ("example.org", "maildir:example.org"),
        ("lmtp.test", "lmtp:/run/lmtp"),
        ("x.internal", "relay:10.0.0.1:25"),
    ] {
        let host = Host::parse(host).unwrap();
        assert_eq!(router.destination(&host).to_string(), destination);
    }
}

#[test]
fn who_may_relay_and_for_whom_is_as_configured() {
    let router = Router::new(config());
    assert!(router.may_relay("127.0.0.1".parse().unwrap()));
    assert!(!router.may_relay("192.0.2.1".parse().unwrap()));
    assert!(router.is_relay_domain(&domain("good.test")));
    assert!(!router.is_relay_domain(&domain("sub.good.test")));
    for (host, local) in [
        ("example.org", true),
        ("mx.example.org", true),
        ("[192.0.2.99]", true),
        ("[IPv6:::ffff:192.0.2.99]", true),
        ("[192.0.2.1]", false),
        ("good.test", false),
        ("sub.example.org", false),
    ] {
        assert_eq!(
            router.is_local(&Host::parse(host).unwrap()),
            local,
            "{host}"
        );
    }
}
