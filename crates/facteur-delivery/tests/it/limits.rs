//! What limits keep back: it waits without a try, for as long as it must and no longer.

use std::num::NonZeroU32;

use facteur_delivery::{
    DestinationView, Limits, OnRateLimit, Order, Rule, Target, Wanted, What, Why,
};
use facteur_mail::{Clock as _, RecipientState, Timestamp};
use facteur_spool::Spool as _;

use crate::office::{Answer, HOUR, MINUTE, Office};

const FAR: &str = "far.test MX 10 mx.far.test\nmx.far.test A 192.0.2.25\n";

fn many(number: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(number)
}

fn rule(target: &str, limits: Limits) -> Rule {
    let target = Target::parse(target).unwrap();
    Rule { target, limits }
}

fn messages(number: u32) -> Limits {
    Limits {
        messages_per_minute: many(number),
        ..Limits::default()
    }
}

fn office(zone: &str, rules: Vec<Rule>) -> Office {
    let mut office = Office::closed(zone);
    office.config.rules = rules;
    office.start();
    office
}

fn pause(target: &str, since: Timestamp, until: Option<Timestamp>) -> Order {
    Order {
        target: Target::parse(target).unwrap(),
        what: What::Pause,
        reason: "their network is down".to_owned(),
        by: "root".to_owned(),
        since,
        until,
    }
}

async fn view(office: &Office, target: &str) -> DestinationView {
    let steering = office.handle.as_ref().unwrap().steering();
    let target = Target::parse(target).unwrap();
    let survey = steering.survey(Wanted::Target(target), 10).await;
    survey.destinations.into_iter().next().unwrap()
}

async fn order(office: &Office, orders: Vec<Order>) {
    office
        .handle
        .as_ref()
        .unwrap()
        .steering()
        .obey(orders)
        .await;
    office.quiet().await;
}

#[tokio::test]
async fn no_minute_sees_more_messages_than_the_limit_and_none_waits_longer_than_it_must() {
    let office = office(FAR, vec![rule("far.test", messages(20))]);
    let start = office.clock.now();
    let mut ids = Vec::new();
    for _ in 0..100 {
        ids.push(office.accept("a@here.test", &["u@far.test"]).await);
    }
    office.quiet().await;
    let queued = office.spool.show(ids[99]).unwrap();
    assert!(
        matches!(
            &queued.progress[0],
            RecipientState::Waiting {
                attempts: 0,
                last: None,
                ..
            }
        ),
        "it was not tried: {:?}",
        queued.progress
    );
    let view = view(&office, "far.test").await;
    let held = view.held.unwrap();
    assert_eq!(held.why, Why::MessagesPerMinute(many(20).unwrap()));
    assert_eq!(held.until, Some(start.after(MINUTE / 20)));
    office.pass(MINUTE * 5).await;
    let moments = office.remote.moments("mx.far.test", start);
    let expected: Vec<u128> = (0..100).map(|number| number * 3_000).collect();
    assert_eq!(moments, expected);
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn a_limited_destination_delays_none_of_a_hundred() {
    let mut zone = String::new();
    for number in 0..100 {
        zone.push_str(&format!(
            "d{number}.test MX 10 mx{number}.test\nmx{number}.test A 192.0.2.{number}\n"
        ));
    }
    let mut office = Office::closed(&zone);
    office.config.max_running = 4;
    office.config.rules = vec![rule("d0.test", messages(1))];
    office.start();
    for _ in 0..200 {
        office.accept("a@here.test", &["u@d0.test"]).await;
    }
    for number in 1..100 {
        let to = format!("u@d{number}.test");
        office.accept("a@here.test", &[&to]).await;
    }
    for _ in 0..20 {
        office.quiet().await;
    }
    assert_eq!(office.spool.len(), 199, "all but what is limited");
}

#[tokio::test]
async fn mail_for_domains_with_one_server_shares_its_limit() {
    let zone = "a.test MX 10 mx.big.test\nb.test MX 10 mx.big.test\nmx.big.test A 192.0.2.9\n";
    let office = office(zone, vec![rule("mx:*.big.test", messages(60))]);
    let start = office.clock.now();
    for _ in 0..5 {
        office.accept("a@here.test", &["u@a.test"]).await;
        office.accept("a@here.test", &["u@b.test"]).await;
    }
    office.pass(MINUTE).await;
    let moments = office.remote.moments("mx.big.test", start);
    let expected: Vec<u128> = (0..10).map(|number| number * 1_000).collect();
    assert_eq!(moments, expected);
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn many_recipients_go_in_parts_of_a_minutes_worth() {
    let limits = Limits {
        recipients_per_minute: many(2),
        ..Limits::default()
    };
    let office = office(FAR, vec![rule("far.test", limits)]);
    let to: Vec<String> = (0..5).map(|number| format!("u{number}@far.test")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    office.accept("a@here.test", &to).await;
    office.quiet().await;
    assert_eq!(office.remote.calls(), 2);
    office.pass(MINUTE).await;
    assert_eq!(office.remote.calls(), 4);
    office.pass(MINUTE).await;
    assert_eq!(office.remote.calls(), 5);
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn a_server_that_asks_for_less_is_left_in_peace_and_gets_everything_in_the_end() {
    let office = office(FAR, Vec::new());
    let slow = Answer::Greeting(421, "4.7.28 unusual rate of mail");
    office.remote.answer("mx.far.test", slow);
    let start = office.clock.now();
    let mut ids = Vec::new();
    for _ in 0..30 {
        ids.push(office.accept("a@here.test", &["u@far.test"]).await);
    }
    office.quiet().await;
    assert_eq!(
        office.remote.calls(),
        1,
        "one has heard it, the others wait"
    );
    let queued = office.spool.show(ids[29]).unwrap();
    assert!(matches!(
        &queued.progress[0],
        RecipientState::Waiting { attempts: 0, .. }
    ));
    let seen = view(&office, "far.test").await;
    let slowed = seen.own.slowed.unwrap();
    assert_eq!(
        (slowed.policy(), slowed.until),
        (OnRateLimit::SlowDown, start.after(MINUTE))
    );
    assert_eq!(
        slowed.attempt.said.to_line(),
        "421 4.7.28 unusual rate of mail"
    );
    assert!(seen.down.is_none(), "it answers");

    office
        .remote
        .answer("mx.far.test", Answer::Taken("2.0.0 ok"));
    office.pass(MINUTE * 59 / 60).await;
    assert_eq!(office.remote.calls(), 1);
    office.pass(MINUTE).await;
    let calls = office.remote.calls();
    assert!((2..10).contains(&calls), "slowly at first: {calls}");
    office.pass(HOUR).await;
    assert!(office.spool.is_empty());
    assert!(view(&office, "far.test").await.own.slowed.is_none());
}

#[tokio::test]
async fn by_codes_alone_a_providers_words_slow_nothing_down() {
    for (policy, slows) in [
        (OnRateLimit::SlowDown, false),
        (OnRateLimit::SlowDownByWords, true),
        (OnRateLimit::Ignore, false),
    ] {
        let zone = "far.test MX 10 mx3.qq.com\nmx3.qq.com A 192.0.2.25\n";
        let limits = Limits {
            on_rate_limit: Some(policy),
            ..Limits::default()
        };
        let office = office(zone, vec![rule("*", limits)]);
        office
            .remote
            .answer("mx3.qq.com", Answer::Rcpt(450, "Ip frequency limited."));
        office.accept("a@here.test", &["u@far.test"]).await;
        office.quiet().await;
        let slowed = view(&office, "far.test").await.own.slowed;
        assert_eq!(slowed.is_some(), slows, "{policy:?}");
        let provider = slowed.and_then(|it| it.wording).map(|it| it.provider);
        assert_eq!(provider, slows.then_some("Tencent QQ"));
    }
}

#[tokio::test]
async fn a_paused_destinations_mail_waits_for_days_without_a_try_and_does_not_go_back() {
    let office = office(FAR, Vec::new());
    let now = office.clock.now();
    order(&office, vec![pause("far.test", now, None)]).await;
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.pass(HOUR * 24 * 7).await;
    assert_eq!((office.remote.calls(), office.spool.len()), (0, 1));
    let seen = view(&office, "far.test").await;
    assert_eq!((seen.due, seen.running), (1, 0));
    assert_eq!(seen.paused.unwrap().reason, "their network is down");
    order(&office, Vec::new()).await;
    assert_eq!(office.remote.calls(), 1);
    assert!(office.spool.is_empty(), "delivered, as old as it is");
}

#[tokio::test]
async fn a_message_that_grew_old_in_a_pause_has_one_more_try_before_it_goes_back() {
    let office = office(
        &format!("{FAR}sender.test MX 10 mx.sender.test\nmx.sender.test A 192.0.2.26\n"),
        Vec::new(),
    );
    let now = office.clock.now();
    let until = now.after(HOUR * 24 * 6);
    office
        .remote
        .answer("mx.far.test", Answer::Rcpt(450, "4.2.1 later"));
    order(&office, vec![pause("far.test", now, Some(until))]).await;
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.pass(HOUR * 24 * 6 - MINUTE).await;
    assert_eq!(office.remote.calls(), 0);
    office.pass(MINUTE * 2).await;
    let taken = office.remote.taken();
    assert_eq!(taken.len(), 1, "the report");
    assert!(
        taken[0]
            .1
            .contains("Diagnostic-Code: smtp; 450 4.2.1 later")
    );
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn orders_hold_after_a_restart() {
    let mut office = Office::closed(FAR);
    let now = office.clock.now();
    office.config.orders = vec![pause("far.test", now, Some(now.after(HOUR)))];
    office.accept("a@here.test", &["u@far.test"]).await;
    office.start();
    office.pass(MINUTE * 59).await;
    assert_eq!(office.remote.calls(), 0);
    office.pass(MINUTE).await;
    assert_eq!(office.remote.calls(), 1);
}

#[tokio::test]
async fn a_pause_that_is_lifted_tries_a_silent_destination_at_once_where_it_is_forgiven() {
    let office = office(FAR, Vec::new());
    office.remote.answer("mx.far.test", Answer::Silence);
    office.accept("a@here.test", &["u@far.test"]).await;
    office.quiet().await;
    office
        .remote
        .answer("mx.far.test", Answer::Taken("2.0.0 ok"));
    let steering = office.handle.as_ref().unwrap().steering();
    let host = facteur_mail::Address::parse("u@far.test").unwrap();
    steering.forgive(vec![host.host().clone()]).await;
    office.accept("a@here.test", &["v@far.test"]).await;
    office.quiet().await;
    assert_eq!(office.remote.taken().len(), 1);
}

#[tokio::test]
async fn another_configuration_holds_for_what_waits() {
    let mut office = office(FAR, vec![rule("far.test", messages(1))]);
    for _ in 0..10 {
        office.accept("a@here.test", &["u@far.test"]).await;
    }
    office.quiet().await;
    assert_eq!(office.remote.calls(), 1);
    office.config.rules = Vec::new();
    office.reroute(&[]);
    office.quiet().await;
    assert!(office.spool.is_empty());
}
