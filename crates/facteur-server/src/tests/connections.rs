//! Messages on their way in.

use facteur_mail::{Protocol, ReversePath};
use facteur_smtp::server::Role;
use facteur_spool::{Refusal, Spool as _};

use super::house::{CLIENT, House, STRANGER, address};

#[tokio::test]
async fn a_message_is_spooled_behind_our_received_before_its_250() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest.open_data().await;
    guest.send("Subject: hi\r\n\r\n..dot\r\n.\r\n").await;
    let reply = guest.reply().await;
    let (queued, content) = house.message();
    assert_eq!(reply, format!("250 2.0.0 message queued as {}", queued.id));
    assert_eq!(
        content,
        format!(
            "Received: from client.test ([198.51.100.1])\r\n\tby mx.example.org (Facteur) with ESMTP\r\n\t\
             id {}\r\n\tfor <user@example.org>;\r\n\tMon, 5 Jan 2026 00:00:00 +0000\r\n\
             Subject: hi\r\n\r\n.dot\r\n",
            queued.id
        )
    );
    let envelope = queued.envelope;
    assert_eq!(
        envelope.sender,
        ReversePath::Address(address("a@open.test"))
    );
    assert_eq!(envelope.client.protocol, Protocol::Esmtp);
    assert_eq!(
        guest.say("QUIT").await,
        "221 2.0.0 mx.example.org closing connection"
    );
    assert_eq!(guest.line().await, "closed");
}

#[tokio::test]
async fn a_whole_session_at_once_is_answered_in_order() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest
        .send("HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<user@example.org>\r\nRCPT TO:<no@example.org>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n")
        .await;
    for code in ["220", "250", "250", "250", "550", "354", "250", "221"] {
        let reply = guest.reply().await;
        assert!(reply.starts_with(code), "{code}: {reply}");
    }
    guest.leave().await;
}

#[tokio::test]
async fn with_several_recipients_received_names_none() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest.open().await;
    guest.say("RCPT TO:<user@example.org>").await;
    guest.say("RCPT TO:<other@example.org>").await;
    guest.say("RCPT TO:<user@example.org>").await;
    guest.say("DATA").await;
    assert!(guest.say(".").await.starts_with("250 "));
    let (queued, content) = house.message();
    assert!(!content.contains("for <"), "{content}");
    assert_eq!(queued.envelope.recipients.len(), 2, "each recipient once");
}

#[tokio::test]
async fn an_alias_stands_for_its_members_in_the_envelope() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest.open().await;
    let reply = guest.say("RCPT TO:<team@example.org> NOTIFY=NEVER").await;
    assert_eq!(reply, "250 2.1.5 <team@example.org> recipient ok");
    guest.say("DATA").await;
    guest.say(".").await;
    let (queued, content) = house.message();
    let recipients = queued.envelope.recipients;
    let members: Vec<_> = recipients.iter().map(|r| r.address.to_string()).collect();
    assert_eq!(
        members,
        ["user@example.org", "other@example.org", "far@open.test"]
    );
    for recipient in &recipients {
        assert_eq!(
            &*recipient.orcpt.as_ref().unwrap().address,
            "team@example.org"
        );
        assert!(!recipient.notify.wants_failure());
    }
    assert!(content.contains("for <team@example.org>"));
}

#[tokio::test]
async fn a_loop_is_seen_in_the_header_and_leaves_nothing() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest.open_data().await;
    guest.send(&"Received: by x\r\n".repeat(51)).await;
    guest.send("\r\nbody\r\n.\r\n").await;
    let reply = guest.reply().await;
    assert_eq!(
        reply,
        "554 5.4.6 message has passed more than 50 servers, it loops"
    );
    assert!(house.spool.is_empty());
    guest.say("MAIL FROM:<a@open.test>").await;
    guest.say("RCPT TO:<user@example.org>").await;
    guest.say("DATA").await;
    guest.send(&"Received: by x\r\n".repeat(50)).await;
    guest.send("\r\nReceived: in the body\r\n.\r\n").await;
    assert!(guest.reply().await.starts_with("250 "));
}

#[tokio::test]
async fn nothing_that_runs_short_refuses_for_good() {
    let mut house = House::new();
    for (refusal, expected) in [
        (Refusal::Full, "452 4.3.1 "),
        (Refusal::Broken, "451 4.3.0 "),
        (Refusal::Closed, "451 4.3.0 "),
    ] {
        let mut guest = house.connect(STRANGER);
        guest.reply().await;
        guest.say("HELO c").await;
        house.spool.refuse(Some(refusal));
        let reply = guest.say("MAIL FROM:<a@open.test>").await;
        assert!(reply.starts_with(expected), "at MAIL: {reply}");
        house.spool.refuse(None);
        guest.say("MAIL FROM:<a@open.test>").await;
        guest.say("RCPT TO:<user@example.org>").await;
        house.spool.refuse(Some(refusal));
        let reply = guest.say("DATA").await;
        assert!(reply.starts_with(expected), "at DATA: {reply}");
        house.spool.refuse(None);
    }
    let mut guest = house.connect(STRANGER);
    guest.open_data().await;
    house.spool.refuse(Some(Refusal::Broken));
    guest.send("text\r\n.\r\n").await;
    let reply = guest.reply().await;
    assert!(reply.starts_with("451 4.3.0 "), "at the dot: {reply}");
    house.spool.refuse(None);
    assert!(house.spool.is_empty());
}

#[tokio::test]
async fn a_client_that_leaves_within_a_message_leaves_none_behind() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest.open_data().await;
    guest.send("half a message\r\n").await;
    guest.leave().await;
    assert!(house.spool.is_empty());
}

#[tokio::test]
async fn lmtp_answers_for_each_recipient() {
    let mut house = House::new();
    house.session.role = Role::Lmtp;
    let mut guest = house.connect("a socket");
    assert_eq!(guest.reply().await, "220 mx.example.org LMTP Facteur");
    guest.say("LHLO c").await;
    guest.say("MAIL FROM:<>").await;
    guest.say("RCPT TO:<user@example.org>").await;
    guest.say("RCPT TO:<team@example.org>").await;
    guest.say("DATA").await;
    let first = guest.say(".").await;
    assert!(
        first.starts_with("250 2.0.0 <user@example.org> message queued"),
        "{first}"
    );
    let second = guest.reply().await;
    assert!(
        second.starts_with("250 2.0.0 <team@example.org> message queued"),
        "{second}"
    );
    let (queued, content) = house.message();
    assert!(
        content.starts_with("Received: from c (local socket)\r\n"),
        "{content}"
    );
    assert_eq!(queued.envelope.client.protocol, Protocol::Lmtp);
}

#[tokio::test]
async fn a_large_message_streams_through() {
    let mut house = House::new();
    let mut guest = house.connect(CLIENT);
    guest.open_data().await;
    let line = format!("{}\r\n", "x".repeat(998));
    for _ in 0..3_000 {
        guest.send(&line).await;
    }
    assert!(guest.say(".").await.starts_with("250 "));
    assert_eq!(
        house.message().1.matches('x').count(),
        998 * 3_000 + "mx.example.org".matches('x').count() + 1
    );
}

#[tokio::test]
async fn a_session_is_small() {
    let octets = House::new().size_of_a_session();
    assert!(octets <= 3 * 1024, "{octets} octets while it waits");
}
