//! Plans over real DNS, and what they cost in questions.

use std::sync::Arc;

use facteur_mail::{Domain, Host};
use facteur_route::{
    DnsConfig, Finding, HickoryResolver, MAX_LOOKUPS, Plan, Planner, Policy, Resolver,
};
use facteur_testkit::{DnsServer, SeededRandom, Zone};

const ZONE: &str = "
    good.test       MX 20 mx2.good.test
    good.test       MX 10 mx1.good.test
    mx1.good.test   A 192.0.2.1
    mx2.good.test   A 192.0.2.2
    mx2.good.test   AAAA 2001:db8::2
    null.test       MX 0 .
    null.test       A 192.0.2.3
    odd.test        MX 10 .
    beside.test     MX 0 .
    beside.test     MX 10 mx1.good.test
    behind.test     MX 5 mx1.good.test
    behind.test     MX 10 .
    local.test      MX 0 localhost
    implicit.test   A 192.0.2.4
    bare.test       EXISTS
    broken.test     SERVFAIL
    aliased.test    MX 0 alias.good.test
    alias.good.test CNAME mx1.good.test
    back.test       MX 0 us.test
    us.test         A 192.0.2.99
";

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn planner(resolver: Arc<dyn Resolver>) -> Planner {
    let policy = Policy {
        own_names: [domain("us.test")].into(),
        own_addresses: ["192.0.2.99".parse().unwrap()].into(),
        allow_loopback_mx: false,
    };
    Planner::new(resolver, Arc::new(SeededRandom::new(1)), policy)
}

fn shown(plan: &Plan) -> String {
    let mut words = if let Plan::Hosts { hosts, .. } = plan {
        hosts.iter().map(|host| host.name.to_string()).collect()
    } else {
        vec![plan.name().to_owned()]
    };
    words.extend(
        plan.findings()
            .iter()
            .map(|finding| format!("({})", finding.name())),
    );
    words.join(" ")
}

async fn every_plan_is_right(planner: &Planner) {
    for (name, verdict) in [
        ("good.test", "mx1.good.test mx2.good.test"),
        ("null.test", "null-mx"),
        ("odd.test", "null-mx (null-mx-preference)"),
        ("beside.test", "mx1.good.test (malformed-null-mx)"),
        ("behind.test", "mx1.good.test (malformed-null-mx)"),
        ("local.test", "routes-to-us (mx-name-refused)"),
        ("implicit.test", "implicit.test"),
        ("bare.test", "unroutable (mx-without-address)"),
        ("gone.test", "no-such-domain"),
        ("broken.test", "try-later"),
        ("aliased.test", "alias.good.test (mx-is-alias)"),
        ("back.test", "routes-to-us (mx-name-refused)"),
    ] {
        assert_eq!(
            shown(&planner.domain(&domain(name)).await),
            verdict,
            "{name}"
        );
    }
}

#[tokio::test]
async fn plans_over_the_wire_and_in_memory_are_equal() {
    let zone = Zone::new(ZONE);
    every_plan_is_right(&planner(Arc::new(zone.clone()))).await;
    let server = DnsServer::start(&zone).await.unwrap();
    let resolver = HickoryResolver::new(&DnsConfig {
        servers: vec![server.address()],
        ..DnsConfig::default()
    });
    every_plan_is_right(&planner(Arc::new(resolver.unwrap()))).await;
}

#[tokio::test]
async fn a_null_mx_costs_one_question() {
    let zone = Zone::new(ZONE);
    let plan = planner(Arc::new(zone.clone()))
        .domain(&domain("null.test"))
        .await;
    assert_eq!(plan, Plan::NullMx { findings: vec![] });
    assert_eq!(zone.questions().len(), 1);
}

#[tokio::test]
async fn a_domain_with_a_hundred_hosts_costs_nineteen_questions() {
    let lines = (0..100).map(|n| format!("many.test MX {n} h{n}.test\nh{n}.test A 192.0.2.1\n"));
    let zone = Zone::new(&lines.collect::<String>());
    let plan = planner(Arc::new(zone.clone()))
        .domain(&domain("many.test"))
        .await;
    assert_eq!(zone.questions().len(), 1 + 2 * MAX_LOOKUPS);
    assert_eq!(plan.findings().len(), 2);
    assert!(matches!(
        plan.findings(),
        [Finding::TooManyMx(91), Finding::TooManyMx(4)]
    ));
}

#[tokio::test]
async fn a_configured_next_hop_may_be_anywhere() {
    let zone = Zone::new("relay.test A 127.0.0.1");
    let planner = planner(Arc::new(zone));
    for (host, verdict) in [
        ("relay.test", "relay.test"),
        ("[127.0.0.1]", "[127.0.0.1]"),
        ("gone.test", "try-later"),
    ] {
        let plan = planner.next_hop(&Host::parse(host).unwrap()).await;
        assert_eq!(shown(&plan), verdict, "{host}");
    }
    let literal = planner.literal("127.0.0.1".parse().unwrap());
    assert_eq!(literal.name(), "routes-to-us");
}
