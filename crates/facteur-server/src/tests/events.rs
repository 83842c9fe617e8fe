//! Who is told what happens.

use super::house::{CLIENT, House, STRANGER};

/// What was told so far.
fn told(house: &House) -> Vec<String> {
    std::mem::take(&mut *house.witness.0.lock().unwrap())
}

#[tokio::test]
async fn an_accepted_message_is_told_with_its_message_id() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest.open_data().await;
    assert!(told(&house).is_empty());
    guest
        .send("Message-ID:\r\n <1@client.test>\r\nSubject: x\r\n\r\ntext\r\n.\r\n")
        .await;
    assert!(guest.reply().await.starts_with("250 "));
    assert_eq!(told(&house), ["accepted for 1: 1@client.test"]);
    guest.say("NONSENSE").await;
    let expected = "refused none 500 <> <>";
    assert_eq!(told(&house), [expected], "no transaction is open any more");
}

#[tokio::test]
async fn a_refusal_is_told_with_what_it_refused() {
    let mut house = House::new();
    let mut guest = house.connect(CLIENT);
    guest.open().await;
    guest.say("RCPT TO:<x@nullmx.test>").await;
    guest.say("RCPT TO:<nobody@example.org>").await;
    let expected = [
        "refused rcpt 556 <a@open.test> <x@nullmx.test>",
        "refused rcpt 550 <a@open.test> <nobody@example.org>",
    ];
    assert_eq!(told(&house), expected);
    guest.say("RCPT TO:<user@example.org>").await;
    guest.say("DATA").await;
    guest.send("a\nb\r\n.\r\n").await;
    assert!(guest.reply().await.starts_with("550 5.6.11"));
    assert_eq!(told(&house), ["refused end-of-data 550 <a@open.test> <>"]);
    guest.say("RSET").await;
    guest.say("MAIL FROM:<a@nullmx.test>").await;
    assert_eq!(told(&house), ["refused mail 550 <a@nullmx.test> <>"]);
}

#[tokio::test]
async fn what_is_accepted_is_not_told_as_refused() {
    let mut house = House::new();
    let mut guest = house.connect(STRANGER);
    guest.open_data().await;
    guest.say(".").await;
    guest.say("QUIT").await;
    assert_eq!(told(&house), ["accepted for 1: "]);
}
