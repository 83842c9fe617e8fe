//! How long the server waits, and what it says when it waits no longer.

use std::time::Duration;

use facteur_spool::Spool as _;

use super::house::{CLIENT, House, STRANGER, domain};
use crate::Limits;
use crate::census::Census;
use crate::connection::Stopping;

/// Moves the clock once the server has done what it can and waits.
async fn pass(house: &House, time: Duration) {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    house.clock.until_sleeping(1).await;
    house.clock.advance(time);
}

#[tokio::test]
async fn a_client_that_says_nothing_gets_421_after_five_minutes() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest.reply().await;
    pass(&house, Duration::from_secs(300)).await;
    assert_eq!(
        guest.reply().await,
        "421 4.4.2 mx.example.org nothing received for 300 seconds, closing connection"
    );
    assert_eq!(guest.line().await, "closed");
}

#[tokio::test]
async fn a_stranger_in_a_crowd_gets_ten_seconds_and_a_client_its_five_minutes() {
    let mut house = House::new();
    let limits = Limits {
        connections: 2,
        reserved: 1,
        ..Limits::default()
    };
    house.census = Census::new(limits, domain("mx.example.org"));
    let _crowd = house.census.admit(STRANGER.parse().ok()).ok().unwrap();
    let mut stranger = house.connect(STRANGER);
    let mut client = house.connect(CLIENT);
    stranger.reply().await;
    client.reply().await;
    pass(&house, Duration::from_secs(10)).await;
    assert_eq!(
        stranger.reply().await,
        "421 4.4.2 mx.example.org nothing received for 10 seconds, closing connection"
    );
    assert!(client.say("NOOP").await.starts_with("250 "));
}

#[tokio::test]
async fn a_stranger_that_was_there_before_the_crowd_has_ten_seconds_as_well() {
    let mut house = House::new();
    let limits = Limits {
        connections: 1,
        reserved: 0,
        ..Limits::default()
    };
    house.census = Census::new(limits, domain("mx.example.org"));
    let mut early = house.connect(STRANGER);
    early.reply().await;
    pass(&house, Duration::from_secs(60)).await;
    assert!(!early.is_given_up().await);
    let _crowd = house.census.admit(STRANGER.parse().ok()).ok().unwrap();
    pass(&house, Duration::from_secs(10)).await;
    assert_eq!(
        early.reply().await,
        "421 4.4.2 mx.example.org nothing received for 10 seconds, closing connection"
    );
}

#[tokio::test]
async fn a_command_that_drips_in_does_not_move_its_deadline() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest.reply().await;
    for _ in 0..3 {
        guest.send("N").await;
        pass(&house, Duration::from_secs(90)).await;
    }
    pass(&house, Duration::from_secs(30)).await;
    assert!(guest.reply().await.starts_with("421 4.4.2 "));
}

#[tokio::test]
async fn a_command_that_is_answered_gives_another_five_minutes() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest.reply().await;
    for _ in 0..5 {
        pass(&house, Duration::from_secs(200)).await;
        assert!(guest.say("NOOP").await.starts_with("250 "));
    }
}

#[tokio::test]
async fn content_that_comes_too_slowly_gets_421() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest.open_data().await;
    pass(&house, Duration::from_secs(60)).await;
    assert_eq!(
        guest.reply().await,
        "421 4.4.2 mx.example.org session takes too long, closing connection"
    );
    assert!(house.spool.is_empty());
}

#[tokio::test]
async fn a_refused_chunk_that_comes_too_slowly_gets_421() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest.reply().await;
    guest.send("BDAT 1000000\r\nx").await;
    pass(&house, Duration::from_secs(60)).await;
    assert_eq!(
        guest.reply().await,
        "421 4.4.2 mx.example.org session takes too long, closing connection"
    );
}

#[tokio::test]
async fn content_that_stops_gets_421_after_three_minutes() {
    let mut house = House::new();
    house.config.patience.rate_grace = Duration::from_secs(3_600);
    let mut guest = house.connect(STRANGER);
    guest.open_data().await;
    pass(&house, Duration::from_secs(180)).await;
    assert_eq!(
        guest.reply().await,
        "421 4.4.2 mx.example.org nothing received for 180 seconds, closing connection"
    );
}

#[tokio::test]
async fn a_session_ends_after_six_hours_however_busy_it_is() {
    let mut house = House::new();
    house.config.patience.command = Duration::from_secs(24 * 3_600);
    let mut guest = house.connect(STRANGER);
    guest.reply().await;
    pass(&house, Duration::from_secs(5 * 3_600)).await;
    assert!(guest.say("NOOP").await.starts_with("250 "));
    pass(&house, Duration::from_secs(3_600)).await;
    assert!(guest.reply().await.starts_with("421 4.4.2 "));
}

#[tokio::test]
async fn dns_that_never_answers_costs_five_seconds_once_and_then_half_a_second() {
    let mut house = House::new();
    let mut guest = house.connect(CLIENT);
    guest.open().await;
    let began = facteur_mail::Clock::now(&house.clock);
    guest.send("RCPT TO:<x@silent.test>\r\n").await;
    pass(&house, Duration::from_secs(5)).await;
    assert!(guest.reply().await.starts_with("250 "), "the queue decides");
    assert!(
        guest
            .say("RCPT TO:<y@silent.test>")
            .await
            .starts_with("250 "),
        "remembered"
    );
    guest.send("RCPT TO:<x@mute.test>\r\n").await;
    pass(&house, Duration::from_millis(500)).await;
    assert!(guest.reply().await.starts_with("250 "));
    let now = facteur_mail::Clock::now(&house.clock);
    assert_eq!(now.since(began), Duration::from_millis(5_500));
}

#[tokio::test]
async fn a_server_that_stops_tells_idle_sessions_and_lets_a_message_end() {
    let mut house = House::new();
    let mut idle = house.connect(STRANGER);
    idle.reply().await;
    let mut busy = house.connect(STRANGER);
    busy.open_data().await;
    house.stopping.send_replace(Stopping::Soon);
    let farewell = "421 4.3.2 mx.example.org is shutting down, closing connection; try again soon";
    assert_eq!(idle.reply().await, farewell);
    busy.send("text\r\n.\r\n").await;
    assert!(busy.reply().await.starts_with("250 2.0.0 message queued"));
    assert_eq!(busy.reply().await, farewell);
    assert_eq!(house.spool.len(), 1);
}

#[tokio::test]
async fn a_server_that_must_stop_now_ends_a_message_with_421() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest.open_data().await;
    house.stopping.send_replace(Stopping::Now);
    assert!(guest.reply().await.starts_with("421 4.3.2 "));
    assert!(house.spool.is_empty());
}

#[tokio::test]
async fn a_client_that_does_not_read_cannot_hold_up_a_server_that_must_stop_now() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest.send(&"HELP\r\n".repeat(5_000)).await;
    assert!(!guest.is_given_up().await);
    house.stopping.send_replace(Stopping::Soon);
    assert!(!guest.is_given_up().await, "it may still read");
    house.stopping.send_replace(Stopping::Now);
    assert!(guest.is_given_up().await);
}

#[tokio::test]
async fn a_stranger_in_a_crowd_that_does_not_read_is_given_up_after_ten_seconds() {
    let mut house = House::new();
    let limits = Limits {
        connections: 1,
        reserved: 0,
        ..Limits::default()
    };
    house.census = Census::new(limits, domain("mx.example.org"));
    let _crowd = house.census.admit(STRANGER.parse().ok()).ok().unwrap();
    let mut guest = house.connect(STRANGER);
    guest.send(&"HELP\r\n".repeat(5_000)).await;
    pass(&house, Duration::from_secs(10)).await;
    assert!(guest.is_given_up().await);
}
