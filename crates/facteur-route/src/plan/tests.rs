//! Tests of the plan: every form of null MX, loops, failures, and properties over any answer.

use std::time::Duration;

use facteur_testkit::SeededRandom;

use super::*;

const TTL: Duration = Duration::from_secs(300);

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn mx(records: &[(u16, &str)]) -> Answer<MxRecord> {
    let records = records.iter().map(|(preference, exchange)| MxRecord {
        preference: *preference,
        exchange: Exchange::parse(exchange),
    });
    Answer::found(records.collect(), None, TTL)
}

fn ips(texts: &[&str]) -> Answer<IpAddr> {
    let records = texts.iter().map(|text| text.parse().unwrap());
    Answer::found(records.collect(), None, TTL)
}

/// A server called `us.test` at 192.0.2.99.
fn policy() -> Policy {
    Policy {
        own_names: [domain("us.test")].into(),
        own_addresses: ["192.0.2.99".parse().unwrap()].into(),
        allow_loopback_mx: false,
    }
}

/// The plan for `example.test`. The hosts `a.test` to `f.test` have the addresses 192.0.2.1 to 6.
fn plan_with(mx: Answer<MxRecord>, more: Vec<(&str, Answer<IpAddr>)>, policy: &Policy) -> Plan {
    let mut addresses: BTreeMap<Domain, Answer<IpAddr>> = ('a'..='f')
        .zip(1..)
        .map(|(letter, n)| {
            (
                domain(&format!("{letter}.test")),
                ips(&[&format!("192.0.2.{n}")]),
            )
        })
        .collect();
    addresses.extend(
        more.into_iter()
            .map(|(name, answer)| (domain(name), answer)),
    );
    let answers = Answers { mx, addresses };
    decide(
        &domain("example.test"),
        &answers,
        policy,
        &SeededRandom::new(1),
    )
}

/// The hosts' names in order, then the findings' names; or the plan's name and the findings.
fn shown(plan: &Plan) -> String {
    let mut words = if let Plan::Hosts { hosts, .. } = plan {
        hosts.iter().map(|host| host.name.to_string()).collect()
    } else {
        vec![plan.name().to_owned()]
    };
    let findings: Vec<&str> = plan.findings().iter().map(Finding::name).collect();
    if !findings.is_empty() {
        words.push(format!("({})", findings.join(" ")));
    }
    words.join(" ")
}

fn outcome(records: &[(u16, &str)], more: Vec<(&str, Answer<IpAddr>)>) -> String {
    shown(&plan_with(mx(records), more, &policy()))
}

#[test]
fn every_form_of_null_mx_has_one_verdict() {
    for (records, verdict) in [
        (&[(0, ".")][..], "null-mx"),
        (&[(10, ".")], "null-mx (null-mx-preference)"),
        (&[(65535, ".")], "null-mx (null-mx-preference)"),
        (&[(0, "."), (10, "a.test")], "a.test (malformed-null-mx)"),
        (&[(5, "a.test"), (10, ".")], "a.test (malformed-null-mx)"),
        (
            &[(0, "."), (0, "a.test"), (0, ".")],
            "a.test (malformed-null-mx)",
        ),
        (&[(0, "."), (0, ".")], "null-mx (malformed-null-mx)"),
        (
            &[(0, "."), (0, "192.0.2.1")],
            "null-mx (mx-is-address malformed-null-mx)",
        ),
        (
            &[(0, "."), (10, "gone.test")],
            "unroutable (malformed-null-mx mx-does-not-exist)",
        ),
        (&[(0, "localhost")], "routes-to-us (mx-name-refused)"),
    ] {
        // The domain has an address of its own, which must not matter.
        let more = vec![
            ("example.test", ips(&["192.0.2.80"])),
            ("gone.test", Answer::NoSuchDomain),
        ];
        assert_eq!(outcome(records, more), verdict, "{records:?}");
    }
}

#[test]
fn the_four_answers_for_mx_are_four_plans() {
    let own = || vec![("example.test", ips(&["192.0.2.80"]))];
    for (answer, more, verdict) in [
        (Answer::NoRecords, own(), "example.test"),
        (
            Answer::NoRecords,
            vec![("example.test", Answer::NoRecords)],
            "unroutable (mx-without-address)",
        ),
        (
            Answer::NoRecords,
            vec![("example.test", Answer::NoSuchDomain)],
            "no-such-domain",
        ),
        (
            Answer::NoRecords,
            vec![("example.test", Answer::Failed(DnsFailure::Timeout))],
            "try-later",
        ),
        (Answer::NoSuchDomain, own(), "no-such-domain"),
        (Answer::Failed(DnsFailure::ServFail), own(), "try-later"),
        (Answer::Failed(DnsFailure::Bogus), own(), "try-later"),
    ] {
        let plan = plan_with(answer.clone(), more, &policy());
        assert_eq!(shown(&plan), verdict, "{answer:?}");
    }
}

#[test]
fn a_domain_without_mx_is_its_own_host() {
    let more = vec![("example.test", ips(&["192.0.2.80"]))];
    let plan = plan_with(Answer::NoRecords, more, &policy());
    let host = MailHost {
        name: Host::Domain(domain("example.test")),
        preference: 0,
        addresses: vec!["192.0.2.80".parse().unwrap()],
        implicit: true,
    };
    let hosts = vec![host];
    let findings = Vec::new();
    assert_eq!(plan, Plan::Hosts { hosts, findings });
}

#[test]
fn with_mx_records_the_domains_own_address_is_never_used() {
    let more = vec![
        ("gone.test", Answer::NoSuchDomain),
        ("example.test", ips(&["192.0.2.80"])),
    ];
    assert_eq!(
        outcome(&[(0, "gone.test")], more),
        "unroutable (mx-does-not-exist)"
    );
}

#[test]
fn hosts_come_by_preference_and_equal_ones_in_random_order() {
    let records = [
        (20, "a.test"),
        (10, "b.test"),
        (10, "c.test"),
        (5, "d.test"),
    ];
    let mut orders = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let answers = Answers {
            mx: mx(&records),
            addresses: ["a.test", "b.test", "c.test", "d.test"]
                .map(|name| (domain(name), ips(&["192.0.2.1"])))
                .into(),
        };
        let random = SeededRandom::new(seed);
        orders.insert(shown(&decide(
            &domain("example.test"),
            &answers,
            &policy(),
            &random,
        )));
    }
    let expected = ["d.test b.test c.test a.test", "d.test c.test b.test a.test"];
    assert_eq!(orders, expected.map(str::to_owned).into());
}

#[test]
fn our_own_host_cuts_itself_and_everything_as_far_or_farther() {
    let us_by_address = || vec![("f.test", ips(&["192.0.2.6", "192.0.2.99"]))];
    for (records, verdict) in [
        (
            &[
                (10, "a.test"),
                (20, "us.test"),
                (20, "b.test"),
                (30, "c.test"),
            ][..],
            "a.test (mx-name-refused)",
        ),
        (
            &[
                (10, "a.test"),
                (20, "f.test"),
                (20, "b.test"),
                (30, "c.test"),
            ],
            "a.test (mx-address-refused)",
        ),
        (
            &[(10, "us.test"), (20, "b.test")],
            "routes-to-us (mx-name-refused)",
        ),
        (
            &[(10, "f.test"), (10, "b.test")],
            "routes-to-us (mx-address-refused)",
        ),
        (
            &[(10, "f.test"), (10, "gone.test"), (10, "slow.test")],
            "routes-to-us (mx-address-refused)",
        ),
        (
            &[(10, "gone.test"), (20, "us.test")],
            "unroutable (mx-name-refused mx-does-not-exist)",
        ),
        (&[(10, "slow.test"), (20, "us.test")], "try-later"),
    ] {
        for seed in 0..8 {
            let mut more = us_by_address();
            more.push(("gone.test", Answer::NoSuchDomain));
            more.push(("slow.test", Answer::Failed(DnsFailure::Timeout)));
            more.push(("a.test", ips(&["192.0.2.1"])));
            more.push(("b.test", ips(&["192.0.2.2"])));
            more.push(("c.test", ips(&["192.0.2.3"])));
            let addresses = more
                .into_iter()
                .map(|(name, answer)| (domain(name), answer));
            let answers = Answers {
                mx: mx(records),
                addresses: addresses.collect(),
            };
            let random = SeededRandom::new(seed);
            let plan = decide(&domain("example.test"), &answers, &policy(), &random);
            assert_eq!(shown(&plan), verdict, "{records:?} seed {seed}");
        }
    }
}

#[test]
fn the_implicit_host_may_be_us() {
    let more = vec![("example.test", ips(&["192.0.2.99"]))];
    let plan = plan_with(Answer::NoRecords, more, &policy());
    assert_eq!(shown(&plan), "routes-to-us (mx-address-refused)");
    let policy = Policy {
        own_names: [domain("example.test")].into(),
        ..policy()
    };
    let plan = plan_with(Answer::NoRecords, Vec::new(), &policy);
    assert_eq!(shown(&plan), "routes-to-us (mx-name-refused)");
}

#[test]
fn addresses_that_are_nobodys_are_left_out() {
    for (addresses, verdict) in [
        (
            &["127.0.0.1", "192.0.2.5"][..],
            "x.test (mx-address-refused)",
        ),
        (&["127.0.0.1"], "routes-to-us (mx-address-refused)"),
        (
            &["0.0.0.0", "::"],
            "routes-to-us (mx-address-refused mx-address-refused)",
        ),
        (&["169.254.0.1"], "unroutable (mx-address-refused)"),
        (&["224.0.0.1"], "unroutable (mx-address-refused)"),
        (&["10.0.0.1"], "x.test"),
    ] {
        let more = vec![("x.test", ips(addresses))];
        assert_eq!(outcome(&[(0, "x.test")], more), verdict, "{addresses:?}");
    }
}

#[test]
fn loopback_is_a_host_where_a_lab_allows_it() {
    let lab = Policy {
        own_addresses: ["127.0.0.1".parse().unwrap()].into(),
        allow_loopback_mx: true,
        ..Policy::default()
    };
    let more = || {
        vec![
            ("localhost", ips(&["127.0.0.1"])),
            ("x.test", ips(&["127.0.0.2"])),
        ]
    };
    let plan = plan_with(mx(&[(0, "localhost"), (5, "x.test")]), more(), &lab);
    assert_eq!(shown(&plan), "localhost x.test");
}

#[test]
fn what_is_wrong_with_a_host_is_a_finding_and_the_next_one_serves() {
    for (exchange, finding) in [
        ("192.0.2.1", "mx-is-address"),
        ("bad name", "unusable-mx"),
        ("gone.test", "mx-does-not-exist"),
        ("bare.test", "mx-without-address"),
        ("slow.test", "mx-lookup-failed"),
        ("localhost", "mx-name-refused"),
    ] {
        let more = vec![
            ("gone.test", Answer::NoSuchDomain),
            ("bare.test", Answer::NoRecords),
            ("slow.test", Answer::Failed(DnsFailure::Timeout)),
        ];
        let records = [(1, exchange), (2, "a.test")];
        assert_eq!(outcome(&records, more), format!("a.test ({finding})"));
    }
}

#[test]
fn an_alias_as_mx_is_used_and_told() {
    let alias = Answer::found(
        vec!["192.0.2.7".parse().unwrap()],
        Some(domain("real.test")),
        TTL,
    );
    let plan = plan_with(
        mx(&[(0, "alias.test")]),
        vec![("alias.test", alias)],
        &policy(),
    );
    assert_eq!(shown(&plan), "alias.test (mx-is-alias)");
}

#[test]
fn a_host_named_twice_is_tried_once_at_its_best_preference() {
    let plan = plan_with(
        mx(&[(20, "a.test"), (10, "a.test"), (15, "b.test")]),
        vec![],
        &policy(),
    );
    assert_eq!(shown(&plan), "a.test b.test");
}

#[test]
fn a_long_list_is_cut_and_the_cut_is_told() {
    let names: Vec<String> = (0..30).map(|n| format!("h{n}.test")).collect();
    let records: Vec<(u16, &str)> = (0..).zip(names.iter().map(String::as_str)).collect();
    let more = names
        .iter()
        .map(|name| (name.as_str(), ips(&["192.0.2.1"])));
    let plan = plan_with(mx(&records), more.collect(), &policy());
    assert_eq!(
        shown(&plan),
        "h0.test h1.test h2.test h3.test h4.test (too-many-mx too-many-mx)"
    );
    let [Finding::TooManyMx(unasked), Finding::TooManyMx(untried)] = plan.findings() else {
        panic!("{plan:?}");
    };
    assert_eq!(
        (*unasked, *untried),
        (30 - MAX_LOOKUPS, MAX_LOOKUPS - MAX_HOSTS)
    );
}

#[test]
fn the_families_take_turns_and_an_address_comes_once() {
    let more = vec![(
        "x.test",
        ips(&[
            "192.0.2.1",
            "192.0.2.2",
            "192.0.2.1",
            "2001:db8::1",
            "::ffff:192.0.2.2",
        ]),
    )];
    let Plan::Hosts { hosts, .. } = plan_with(mx(&[(0, "x.test")]), more, &policy()) else {
        panic!("there is a host");
    };
    let order: Vec<String> = hosts[0].addresses.iter().map(ToString::to_string).collect();
    assert_eq!(order, ["192.0.2.1", "2001:db8::1", "192.0.2.2"]);

    let many: Vec<String> = (1..=100).map(|n| format!("192.0.2.{n}")).collect();
    let many: Vec<&str> = many
        .iter()
        .map(String::as_str)
        .filter(|ip| *ip != "192.0.2.99")
        .collect();
    let Plan::Hosts { hosts, .. } = plan_with(
        mx(&[(0, "x.test")]),
        vec![("x.test", ips(&many))],
        &policy(),
    ) else {
        panic!("there is a host");
    };
    assert_eq!(hosts[0].addresses.len(), MAX_ADDRESSES_PER_HOST);
}

#[test]
fn each_plan_without_hosts_has_its_reply() {
    let to = domain("example.test");
    for (plan, line) in [
        (Plan::NullMx { findings: vec![] }, "556 5.1.10"),
        (Plan::NoSuchDomain, "550 5.1.2"),
        (Plan::Unroutable { findings: vec![] }, "550 5.4.4"),
        (Plan::RoutesToUs { findings: vec![] }, "554 5.4.6"),
        (Plan::TryLater(DnsFailure::ServFail), "451 4.4.3"),
    ] {
        let reply = plan.refusal(&to).unwrap().to_line();
        assert!(
            reply.starts_with(line) && reply.contains("example.test"),
            "{reply}"
        );
    }
    let hosts = plan_with(mx(&[(0, "a.test")]), vec![], &policy());
    assert_eq!(hosts.refusal(&to), None);
}

#[test]
fn an_address_literal_is_a_host_unless_it_is_refused() {
    for (ip, name) in [
        ("192.0.2.1", "hosts"),
        ("2001:db8::1", "hosts"),
        ("192.0.2.99", "routes-to-us"),
        ("127.0.0.1", "routes-to-us"),
        ("0.0.0.0", "routes-to-us"),
        ("169.254.169.254", "unroutable"),
    ] {
        assert_eq!(
            Plan::of_literal(ip.parse().unwrap(), &policy()).name(),
            name,
            "{ip}"
        );
    }
}

#[test]
fn mail_for_a_configured_host_waits_for_its_address() {
    let hop = domain("relay.test");
    for (answer, name) in [
        (ips(&["127.0.0.1"]), "hosts"),
        (Answer::NoSuchDomain, "try-later"),
        (Answer::NoRecords, "try-later"),
        (Answer::Failed(DnsFailure::Refused), "try-later"),
    ] {
        assert_eq!(
            Plan::of_configured_host(&hop, &answer).name(),
            name,
            "{answer:?}"
        );
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    const EXCHANGES: [&str; 20] = [
        ".",
        "us.test",
        "localhost",
        "192.0.2.1",
        "a b",
        "h0.test",
        "h1.test",
        "h2.test",
        "h3.test",
        "h4.test",
        "h5.test",
        "h6.test",
        "h7.test",
        "h8.test",
        "h9.test",
        "h10.test",
        "h11.test",
        "h12.test",
        "h13.test",
        "example.test",
    ];

    const ADDRESSES: [&str; 14] = [
        "192.0.2.1",
        "192.0.2.2",
        "192.0.2.99",
        "10.0.0.1",
        "127.0.0.1",
        "0.0.0.0",
        "169.254.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "fe80::1",
        "2001:db8::1",
    ];

    fn answer<T: Clone + std::fmt::Debug + 'static>(
        record: impl Strategy<Value = T> + 'static,
        most: usize,
    ) -> impl Strategy<Value = Answer<T>> {
        prop_oneof![
            8 => prop::collection::vec(record, 1..most).prop_map(|records| Answer::found(records, None, TTL)),
            1 => Just(Answer::NoRecords),
            1 => Just(Answer::NoSuchDomain),
            1 => Just(Answer::Failed(DnsFailure::ServFail)),
        ]
    }

    fn answers() -> impl Strategy<Value = Answers> {
        let record =
            (0u16..6, prop::sample::select(&EXCHANGES[..])).prop_map(|(preference, text)| {
                let exchange = Exchange::parse(text);
                MxRecord {
                    preference,
                    exchange,
                }
            });
        let address = prop::sample::select(&ADDRESSES[..]).prop_map(|ip| ip.parse().unwrap());
        let hosts = EXCHANGES.len() - 5;
        (
            answer(record, 20),
            prop::collection::vec(answer(address, 12), hosts),
        )
            .prop_map(|(mx, answers)| Answers {
                mx,
                addresses: EXCHANGES[5..]
                    .iter()
                    .map(|name| domain(name))
                    .zip(answers)
                    .collect(),
            })
    }

    proptest! {
        #[test]
        fn any_answer_gives_a_plan_that_keeps_the_rules(
            answers in answers(),
            seed: u64,
            allow_loopback_mx: bool,
        ) {
            let policy = Policy { allow_loopback_mx, ..policy() };
            let name = domain("example.test");
            let plan = decide(&name, &answers, &policy, &SeededRandom::new(seed));
            prop_assert_eq!(&plan, &decide(&name, &answers, &policy, &SeededRandom::new(seed)));

            let Plan::Hosts { hosts, .. } = &plan else {
                prop_assert!(plan.refusal(&name).is_some());
                return Ok(());
            };
            prop_assert!(plan.refusal(&name).is_none());
            prop_assert!((1..=MAX_HOSTS).contains(&hosts.len()));
            prop_assert!(hosts.is_sorted_by_key(|host| host.preference));
            let mx = match &answers.mx {
                Answer::Found(found) => found.records.as_slice(),
                Answer::NoRecords | Answer::NoSuchDomain | Answer::Failed(_) => &[],
            };
            let own = Exchange::parse("us.test");
            let own = mx.iter().filter(|record| record.exchange == own);
            let limit = own.map(|record| record.preference).min();
            for (place, host) in hosts.iter().enumerate() {
                prop_assert!((1..=MAX_ADDRESSES_PER_HOST).contains(&host.addresses.len()));
                prop_assert!(host.addresses.iter().all(|ip| policy.refuses(*ip).is_none()));
                prop_assert!(hosts[..place].iter().all(|other| other.name != host.name));
                prop_assert!(limit.is_none_or(|limit| host.preference < limit));
                prop_assert_eq!(host.implicit, mx.is_empty());
                let Host::Domain(name) = &host.name else {
                    return Err(TestCaseError::fail("a literal in an MX plan"));
                };
                let exchange = Exchange::Host(name.clone());
                let named = mx.iter().any(|record| record.exchange == exchange);
                prop_assert!(named != host.implicit);
            }
        }

        #[test]
        fn no_answer_costs_more_questions_than_allowed(answers in answers(), seed: u64) {
            let random = SeededRandom::new(seed);
            let read = Candidates::read(&domain("example.test"), &answers.mx, &policy(), &random);
            let asked = read.map_or(0, |candidates| candidates.hosts().count());
            prop_assert!(asked <= MAX_LOOKUPS);
        }
    }
}
