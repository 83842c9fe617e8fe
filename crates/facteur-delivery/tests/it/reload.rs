//! Another configuration while messages wait and are delivered.

use std::sync::Arc;

use facteur_spool::Spool as _;
use tokio::sync::Notify;

use crate::office::{Answer, MINUTE, Office};

const ZONE: &str = "far.test MX 10 mx.far.test\nmx.far.test A 192.0.2.25\n\
    near.test MX 10 mx.near.test\nmx.near.test A 192.0.2.26\n\
    old.test A 192.0.2.27\nnew.test A 192.0.2.28\n";

fn hosts(office: &Office) -> Vec<String> {
    let calls = office.remote.calls.lock().unwrap();
    calls.iter().map(|(host, ..)| host.clone()).collect()
}

#[tokio::test]
async fn a_message_that_waits_goes_where_the_new_routes_say() {
    let office = Office::open(ZONE);
    let later = Answer::Rcpt(450, "4.2.1 later");
    office.remote.answer("mx.far.test", later);
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.quiet().await;
    office.reroute(&[("far.test", "new.test")]);
    office
        .until("the message is taken", || {
            office.clock.advance(MINUTE);
            office.spool.is_empty()
        })
        .await;
    assert_eq!(hosts(&office), ["mx.far.test", "new.test"]);
}

#[tokio::test]
async fn the_next_message_goes_there_at_once() {
    let office = Office::open(ZONE);
    office.reroute(&[("*", "new.test")]);
    office.quiet().await;
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.quiet().await;
    assert_eq!(hosts(&office), ["new.test"]);
}

#[tokio::test]
async fn recipients_who_went_together_part_where_the_new_routes_part_them() {
    let office = Office::open(ZONE);
    office.reroute(&[("*", "old.test")]);
    office.quiet().await;
    let later = Answer::Rcpt(450, "4.2.1 later");
    office.remote.answer("old.test", later);
    office
        .accept("a@sender.test", &["u@far.test", "v@near.test"])
        .await;
    office.quiet().await;
    office.reroute(&[("far.test", "new.test")]);
    office
        .until("both are taken", || {
            office.clock.advance(MINUTE);
            office.spool.is_empty()
        })
        .await;
    let mut taken = office.remote.taken();
    taken.sort();
    assert_eq!(taken.len(), 2, "each once: {taken:?}");
    let mut hosts = hosts(&office);
    hosts.sort();
    assert_eq!(hosts, ["mx.near.test", "new.test", "old.test", "old.test"]);
}

#[tokio::test]
async fn a_delivery_under_way_ends_as_it_began_and_its_next_try_sees_the_new_routes() {
    let office = Office::open(ZONE);
    office.reroute(&[("*", "old.test")]);
    office.quiet().await;
    let told = Arc::new(Notify::new());
    let late = Answer::Late(Arc::clone(&told));
    office.remote.answer("old.test", late);
    office
        .accept("a@sender.test", &["u@far.test", "v@near.test"])
        .await;
    office.quiet().await;
    office.reroute(&[("near.test", "new.test")]);
    office.quiet().await;
    assert_eq!(hosts(&office), ["old.test", "old.test"]);
    told.notify_one();
    office.quiet().await;
    office.pass(MINUTE * 6).await;
    let mut hosts = hosts(&office);
    hosts.sort();
    assert_eq!(hosts, ["mx.far.test", "new.test", "old.test", "old.test"]);
    assert!(office.spool.is_empty());
}
