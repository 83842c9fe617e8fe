//! Who may send what to whom.

use std::num::NonZeroU32;
use std::time::Duration;

use super::house::{CLIENT, House, STRANGER};
use crate::config::{Rates, SourceRates};

#[tokio::test]
async fn lists_of_recipients_that_take_too_much_memory_are_refused_for_now() {
    let mut house = House::new();
    house.config.max_envelope_octets = 16 * 1024;
    let mut stranger = house.connect(STRANGER);
    stranger.open().await;
    let long = |number: u32| format!("RCPT TO:<{number}{}@backup.test>", "x".repeat(240));
    let mut taken = 0;
    while stranger.say(&long(taken)).await.starts_with("250 ") {
        taken += 1;
    }
    assert!((10..20).contains(&taken), "{taken}");
    let reply = stranger.say(&long(taken)).await;
    assert!(reply.starts_with("452 4.3.1 "), "{reply}");
    let mut other = house.connect(STRANGER);
    other.open().await;
    assert!(other.say(&long(0)).await.starts_with("250 "), "a few go");
    let mut client = house.connect(CLIENT);
    client.open().await;
    for number in 0..4 {
        assert!(client.say(&long(number)).await.starts_with("250 "));
    }
    stranger.say("RSET").await;
    stranger.say("MAIL FROM:<>").await;
    for number in 0..4 {
        assert!(stranger.say(&long(number)).await.starts_with("250 "));
    }
}

async fn at_rcpt(client: &str, recipients: &[&str]) -> Vec<String> {
    let mut house = House::new();
    let mut guest = house.connect(client);
    guest.open().await;
    let mut replies = Vec::new();
    for recipient in recipients {
        let reply = guest.say(&format!("RCPT TO:<{recipient}>")).await;
        replies.push(reply.chars().take(10).collect::<String>().trim().to_owned());
    }
    replies
}

#[tokio::test]
async fn null_mx_recipient_is_refused_at_rcpt() {
    let mut house = House::new();
    let mut guest = house.connect(CLIENT);
    guest.open().await;
    assert_eq!(
        guest.say("RCPT TO:<x@nullmx.test>").await,
        "556 5.1.10 domain nullmx.test does not accept mail (null MX)"
    );
    assert_eq!(
        guest.say("RCPT TO:<x@gone.test>").await,
        "550 5.1.2 domain gone.test does not exist"
    );
}

#[tokio::test]
async fn null_mx_sender_is_refused_at_mail_and_the_null_sender_is_not() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest.reply().await;
    guest.say("HELO c").await;
    assert_eq!(
        guest.say("MAIL FROM:<x@nullmx.test>").await,
        "550 5.7.27 sender domain nullmx.test does not accept mail (null MX)"
    );
    for sender in ["x@gone.test", "x@servfail.test", "x@example.org", ""] {
        let reply = guest.say(&format!("MAIL FROM:<{sender}>")).await;
        assert!(reply.starts_with("250 "), "{sender}: {reply}");
        guest.say("RSET").await;
    }
}

#[tokio::test]
async fn what_dns_cannot_say_now_is_queued() {
    let replies = at_rcpt(
        CLIENT,
        &["x@servfail.test", "x@implicit.test", "x@open.test"],
    )
    .await;
    assert_eq!(replies, ["250 2.1.5", "250 2.1.5", "250 2.1.5"]);
}

#[tokio::test]
async fn no_form_of_an_address_makes_an_open_relay() {
    let forms = [
        "x@open.test",
        "x@[198.51.100.7]",
        "x@[IPv6:2001:db8::7]",
        "x%open.test@example.org",
        "x%open.test@mx.example.org",
        "x%open.test@[203.0.113.25]",
        "open.test!x@example.org",
        "open.test!x@[203.0.113.25]",
        "x%open.test@backup.test",
        "open.test!x@backup.test",
        "\"x@open.test\"@example.org",
        "\"x@open.test\"@backup.test",
        "\"x%open.test\"@example.org",
        "user%open.test@example.org",
        "@example.org:x@open.test",
        "@example.org,@mx.example.org:x@open.test",
        "x@example.org.open.test",
        "x@open.test.",
        "x@badexample.org",
        "x@sub.backup.test",
    ];
    for (form, reply) in forms.iter().zip(at_rcpt(STRANGER, &forms).await) {
        assert_eq!(reply, "550 5.7.1", "{form}");
    }
}

#[tokio::test]
async fn strangers_reach_local_mailboxes_and_relay_domains() {
    let recipients = [
        "user@example.org",
        "USER+tag@EXAMPLE.org",
        "@open.test:user@example.org",
        "x@backup.test",
        "nobody@example.org",
    ];
    assert_eq!(
        at_rcpt(STRANGER, &recipients).await,
        [
            "250 2.1.5",
            "250 2.1.5",
            "250 2.1.5",
            "250 2.1.5",
            "550 5.1.1"
        ]
    );
}

#[tokio::test]
async fn the_postmaster_is_always_reached() {
    let recipients = [
        "Postmaster",
        "postmaster@example.org",
        "POSTMASTER@mx.example.org",
        "postmaster@[203.0.113.25]",
    ];
    assert_eq!(at_rcpt(STRANGER, &recipients).await, ["250 2.1.5"; 4]);
}

#[tokio::test]
async fn a_client_that_relays_is_told_of_unknown_mailboxes_as_well() {
    let recipients = ["nobody@example.org", "loop@example.org"];
    assert_eq!(
        at_rcpt(CLIENT, &recipients).await,
        ["550 5.1.1", "554 5.4.6"]
    );
}

#[tokio::test]
async fn a_client_sends_as_much_in_a_minute_as_it_may_and_the_rest_later() {
    let mut house = House::new();
    house.config.sources = SourceRates {
        strangers: Rates {
            messages_per_minute: NonZeroU32::new(2),
            recipients_per_minute: NonZeroU32::new(3),
        },
        networks: Vec::new(),
    };
    let mut guest = house.connect(STRANGER);
    guest.open().await;
    for number in 0..3 {
        let reply = guest.say(&format!("RCPT TO:<{number}@backup.test>")).await;
        assert!(reply.starts_with("250 "), "{reply}");
    }
    let reply = guest.say("RCPT TO:<3@backup.test>").await;
    assert!(
        reply.starts_with("451 4.7.28 too many recipients from "),
        "{reply}"
    );
    guest.say("RSET").await;
    assert!(guest.say("MAIL FROM:<>").await.starts_with("250 "));
    guest.say("RSET").await;
    // Another connection is the same client.
    let mut again = house.connect(STRANGER);
    again.reply().await;
    again.say("EHLO c").await;
    let reply = again.say("MAIL FROM:<>").await;
    assert!(
        reply.starts_with("451 4.7.28 too many messages from "),
        "{reply}"
    );
    house.clock.advance(Duration::from_secs(30));
    assert!(again.say("MAIL FROM:<>").await.starts_with("250 "));
    let mut client = house.connect(CLIENT);
    client.open().await;
    for _ in 0..9 {
        client.say("RSET").await;
        assert!(client.say("MAIL FROM:<>").await.starts_with("250 "));
    }
}
