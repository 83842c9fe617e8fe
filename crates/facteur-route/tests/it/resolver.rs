//! What DNS says arrives as a variant, and lives as long as its TTL.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use facteur_mail::Domain;
use facteur_route::{
    Answer, DnsConfig, DnsFailure, Exchange, Found, HickoryResolver, MxRecord, Resolver, RouteError,
};
use facteur_testkit::{DnsServer, Kind, Zone};

/// For questions that are answered, on a busy machine too.
const PATIENT: Duration = Duration::from_secs(10);

/// For questions that are not: these tests wait for it.
const HASTY: Duration = Duration::from_millis(100);

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn resolver(server: SocketAddr, try_timeout: Duration) -> HickoryResolver {
    HickoryResolver::new(&DnsConfig {
        servers: vec![server],
        try_timeout,
        retries: 0,
        question_timeout: 3 * PATIENT,
        ..DnsConfig::default()
    })
    .unwrap()
}

async fn serve(zone: &str) -> (Zone, DnsServer, HickoryResolver) {
    let zone = Zone::new(zone);
    let server = DnsServer::start(&zone).await.unwrap();
    let resolver = resolver(server.address(), PATIENT);
    (zone, server, resolver)
}

fn found<T>(answer: Answer<T>) -> Found<T> {
    match answer {
        Answer::Found(found) => found,
        Answer::NoRecords => panic!("no records"),
        Answer::NoSuchDomain => panic!("no such domain"),
        Answer::Failed(failure) => panic!("{failure}"),
    }
}

fn host(preference: u16, name: &str) -> MxRecord {
    MxRecord {
        preference,
        exchange: Exchange::Host(domain(name)),
    }
}

#[tokio::test]
async fn records_are_read_with_their_time_to_live() {
    let (_zone, _server, resolver) = serve(
        "good.test 60     MX 10 MX1.good.test
         good.test 60     MX 20 192.0.2.7
         good.test 60     MX 30 bad\\032name.test
         mx1.good.test 60 A 192.0.2.1
         mx1.good.test 60 AAAA 2001:db8::1",
    )
    .await;
    let mx = found(resolver.mx(&domain("good.test")).await);
    let unusable = MxRecord {
        preference: 30,
        exchange: Exchange::Unusable("bad\\032name.test".into()),
    };
    let address = MxRecord {
        preference: 20,
        exchange: Exchange::Address(Ipv4Addr::new(192, 0, 2, 7)),
    };
    assert_eq!(mx.records, [host(10, "mx1.good.test"), address, unusable]);
    assert_eq!(mx.alias_of, None);
    assert!((1..=60).contains(&mx.ttl.as_secs()), "{:?}", mx.ttl);

    let addresses = found(resolver.addresses(&domain("mx1.good.test")).await);
    let expected: [IpAddr; 2] = ["192.0.2.1", "2001:db8::1"].map(|ip| ip.parse().unwrap());
    assert_eq!(addresses.records, expected);
}

#[tokio::test]
async fn each_negative_answer_is_its_own_variant() {
    let (_zone, _server, resolver) = serve(
        "null.test      MX 0 .
         bare.test      EXISTS
         www.above.test A 192.0.2.1
         broken.test    SERVFAIL
         closed.test    REFUSED
         mad.test       GARBAGE
         lame.test      REFERRAL",
    )
    .await;
    let null = found(resolver.mx(&domain("null.test")).await);
    let root = MxRecord {
        preference: 0,
        exchange: Exchange::Root,
    };
    assert_eq!(null.records, [root]);

    for (name, answer) in [
        ("bare.test", "no-records"),
        ("above.test", "no-records"),
        ("gone.test", "no-such-domain"),
        ("broken.test", "servfail"),
        ("closed.test", "refused"),
        ("lame.test", "not-recursive"),
    ] {
        assert_eq!(shown(&resolver.mx(&domain(name)).await), answer);
        assert_eq!(shown(&resolver.addresses(&domain(name)).await), answer);
    }
    let mad = resolver.mx(&domain("mad.test")).await;
    assert!(matches!(mad, Answer::Failed(_)), "{mad:?}");
}

fn shown<T>(answer: &Answer<T>) -> &'static str {
    match answer {
        Answer::Found(_) => "found",
        Answer::NoRecords => "no-records",
        Answer::NoSuchDomain => "no-such-domain",
        Answer::Failed(failure) => failure.name(),
    }
}

#[tokio::test]
async fn one_family_is_enough_and_a_failure_is_not_absence() {
    let (_zone, _server, resolver) = serve(
        "half.test A 192.0.2.1
         half.test SERVFAIL AAAA
         lost.test SERVFAIL AAAA",
    )
    .await;
    let half = found(resolver.addresses(&domain("half.test")).await);
    assert_eq!(half.records, [Ipv4Addr::new(192, 0, 2, 1)]);
    assert_eq!(
        resolver.addresses(&domain("lost.test")).await,
        Answer::Failed(DnsFailure::ServFail)
    );
}

#[tokio::test]
async fn an_alias_is_followed_to_its_end_and_named() {
    let (_zone, _server, resolver) = serve(
        "alias.test  CNAME middle.test
         middle.test CNAME real.test
         real.test   MX 0 mx.real.test
         dangling.test CNAME gone.test
         ring.test   CNAME round.test
         round.test  CNAME ring.test",
    )
    .await;
    let alias = found(resolver.mx(&domain("alias.test")).await);
    assert_eq!(alias.records, [host(0, "mx.real.test")]);
    assert_eq!(alias.alias_of, Some(domain("real.test")));
    assert_eq!(
        resolver.mx(&domain("dangling.test")).await,
        Answer::NoSuchDomain
    );
    let ring = resolver.mx(&domain("ring.test")).await;
    assert!(matches!(ring, Answer::Failed(_)), "{ring:?}");
}

#[tokio::test]
async fn a_truncated_answer_is_asked_for_again_over_tcp() {
    let (zone, _server, resolver) = serve(
        "cut.test TRUNCATED
         cut.test MX 0 mx.test",
    )
    .await;
    let cut = found(resolver.mx(&domain("cut.test")).await);
    assert_eq!(cut.records, [host(0, "mx.test")]);
    assert!(zone.questions().len() > 1, "{:?}", zone.questions());
}

#[tokio::test]
async fn an_answer_is_kept_while_its_ttl_lasts_and_no_longer() {
    let (zone, _server, resolver) = serve(
        "kept.test      MX 0 mx.test
         fleeting.test 0 MX 0 mx.test
         broken.test    SERVFAIL",
    )
    .await;
    let ask = async |name: &Domain| resolver.mx(name).await;
    let (kept, fleeting, broken, gone) = (
        domain("kept.test"),
        domain("fleeting.test"),
        domain("broken.test"),
        domain("gone.test"),
    );
    for name in [&kept, &fleeting, &broken, &gone] {
        let _first = ask(name).await;
    }
    zone.forget_questions();
    zone.replace(
        "kept.test     MX 0 other.test
         fleeting.test MX 0 other.test
         broken.test   MX 0 other.test
         gone.test     MX 0 other.test",
    );
    // The TTLs of the first and the last have not run out.
    assert_eq!(found(ask(&kept).await).records, [host(0, "mx.test")]);
    assert_eq!(ask(&gone).await, Answer::NoSuchDomain);
    assert!(zone.questions().is_empty());
    // No TTL, and failures, are not kept.
    assert_eq!(found(ask(&fleeting).await).records, [host(0, "other.test")]);
    assert_eq!(found(ask(&broken).await).records, [host(0, "other.test")]);
}

#[tokio::test]
async fn names_are_whole_and_special_ones_stay_here() {
    let (zone, _server, resolver) = serve("single MX 0 mx.test").await;
    let single = found(resolver.mx(&domain("single")).await);
    assert_eq!(single.records, [host(0, "mx.test")]);
    assert_eq!(zone.questions(), [("single".to_owned(), Kind::Mx)]);

    zone.forget_questions();
    let local = found(resolver.addresses(&domain("localhost")).await);
    assert!(local.records.iter().all(IpAddr::is_loopback));
    let label = "a".repeat(62);
    let long = format!("{label}.{label}.{label}.{label}.ab");
    let long = domain(&long);
    assert_eq!(
        resolver.mx(&long).await,
        Answer::NoSuchDomain,
        "256 octets on the wire"
    );
    assert!(zone.questions().is_empty());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_failure() {
    // tcpmux: nobody listens there.
    let dead = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let answer = resolver(dead, HASTY).mx(&domain("good.test")).await;
    assert!(matches!(answer, Answer::Failed(_)), "{answer:?}");
}

#[tokio::test]
async fn a_second_server_answers_for_a_dead_one() {
    let zone = Zone::new("good.test MX 0 mx.test");
    let server = DnsServer::start(&zone).await.unwrap();
    let dead = Zone::new("good.test TIMEOUT");
    let dead = DnsServer::start(&dead).await.unwrap();
    let resolver = HickoryResolver::new(&DnsConfig {
        servers: vec![dead.address(), server.address()],
        try_timeout: HASTY,
        ..DnsConfig::default()
    })
    .unwrap();
    let answer = found(resolver.mx(&domain("good.test")).await);
    assert_eq!(answer.records, [host(0, "mx.test")]);
}

#[tokio::test]
async fn silence_is_a_time_out() {
    let zone = Zone::new("slow.test TIMEOUT");
    let server = DnsServer::start(&zone).await.unwrap();
    let resolver = resolver(server.address(), HASTY);
    assert_eq!(shown(&resolver.mx(&domain("slow.test")).await), "timeout");
    assert_eq!(
        shown(&resolver.addresses(&domain("slow.test")).await),
        "timeout"
    );
}

#[tokio::test]
async fn a_question_ends_in_time_whatever_the_servers_do() {
    let zone = Zone::new("slow.test TIMEOUT");
    let server = DnsServer::start(&zone).await.unwrap();
    let resolver = HickoryResolver::new(&DnsConfig {
        servers: vec![server.address()],
        try_timeout: Duration::from_secs(3600),
        question_timeout: HASTY,
        ..DnsConfig::default()
    })
    .unwrap();
    let answer = resolver.mx(&domain("slow.test")).await;
    assert_eq!(answer, Answer::Failed(DnsFailure::Timeout));
}

#[test]
fn a_resolver_without_servers_reads_the_systems_or_says_what_is_wrong() {
    match HickoryResolver::new(&DnsConfig::default()) {
        Ok(_) => {}
        Err(RouteError::SystemResolver { path, .. }) => assert_eq!(path, "/etc/resolv.conf"),
        Err(other) => panic!("{other}"),
    }
}
