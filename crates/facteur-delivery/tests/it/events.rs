//! Who is told what happens.

use facteur_spool::Spool as _;

use crate::office::{Answer, MINUTE, Office};

const ZONE: &str = "far.test MX 10 mx.far.test\nmx.far.test A 192.0.2.25\n\
    sender.test MX 10 mx.sender.test\nmx.sender.test A 192.0.2.26\n\
    null.test MX 0 .\n";

/// What was told so far.
fn told(office: &Office) -> Vec<String> {
    std::mem::take(&mut *office.witness.0.lock().unwrap())
}

#[tokio::test]
async fn a_delivery_is_told_and_then_the_end() {
    let mut office = Office::open(ZONE);
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.quiet().await;
    assert_eq!(
        told(&office),
        ["tried hosts: u@far.test delivered", "ended"]
    );
    office.accept("a@sender.test", &["u@here.test"]).await;
    // A mailbox is written by another thread.
    for _ in 0..100_000 {
        if office.spool.is_empty() {
            break;
        }
        tokio::task::yield_now().await;
    }
    office.quiet().await;
    let expected = ["tried mailbox: u@here.test delivered", "ended"];
    assert_eq!(told(&office), expected);
    office.shutdown().await;
}

#[tokio::test]
async fn a_bounce_is_told_with_its_report_and_the_reports_own_way() {
    let mut office = Office::open(ZONE);
    office.accept("a@sender.test", &["u@null.test"]).await;
    office.quiet().await;
    let expected = [
        "tried null-mx: u@null.test bounced",
        "accepted for a@sender.test",
        "reported to a@sender.test",
        "ended",
        "tried hosts: a@sender.test delivered",
        "ended",
    ];
    let mut told = told(&office);
    // The report may be on its way before its message has ended.
    told.sort_unstable();
    let mut expected = expected.map(str::to_owned);
    expected.sort_unstable();
    assert_eq!(told, expected);
    office.shutdown().await;
}

#[tokio::test]
async fn a_report_that_nobody_takes_is_told_as_none() {
    let mut office = Office::open(ZONE);
    office.accept("a@null.test", &["u@null.test"]).await;
    office.quiet().await;
    let expected = [
        "tried null-mx: u@null.test bounced",
        "not reported: null-mx",
        "ended",
    ];
    assert_eq!(told(&office), expected);
    office.shutdown().await;
}

#[tokio::test]
async fn a_message_that_waits_with_others_is_told_as_not_tried() {
    let mut office = Office::open(ZONE);
    office
        .remote
        .answer("mx.far.test", Answer::Greeting(421, "4.3.2 busy"));
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.quiet().await;
    assert_eq!(told(&office), ["tried hosts: u@far.test retry"]);
    office.accept("a@sender.test", &["v@far.test"]).await;
    office.pass(MINUTE).await;
    assert_eq!(told(&office), ["tried untried: v@far.test retry"]);
    office.shutdown().await;
}
