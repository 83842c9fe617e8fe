//! What a session makes of clients that never come to an end.

use facteur_smtp::limits::MAX_SPARE_COMMANDS;
use facteur_smtp::server::{Config, Role};
use facteur_testkit::dialogue::Conversation as _;

use crate::driver::Driver;

/// A client that has greeted.
fn greeted() -> Driver {
    let mut driver = Driver::plain(Role::Smtp, 1_000);
    driver.send(b"HELO c\r\n");
    driver
}

/// How many commands from one message to the next a session with the defaults allows.
fn allowed() -> usize {
    let config = Config::new(facteur_mail::Domain::parse("c").unwrap(), Role::Smtp);
    usize::try_from(2 * config.max_recipients + MAX_SPARE_COMMANDS).unwrap()
}

/// What is heard, the last line first.
fn last_heard(driver: &mut Driver) -> String {
    std::iter::from_fn(|| driver.hear()).last().unwrap()
}

#[test]
fn commands_that_lead_to_no_message_end_with_421() {
    let commands = "too many commands without a message, closing connection";
    let messages = "too many messages in one session, open a new one";
    for (command, why) in [
        ("NOOP\r\n", commands),
        ("RSET\r\n", commands),
        ("HELO c\r\n", commands),
        ("MAIL FROM:<>\r\nRSET\r\n", messages),
    ] {
        let mut driver = greeted();
        driver.send(command.repeat(allowed() + 1).as_bytes());
        assert_eq!(
            last_heard(&mut driver),
            format!("421 4.7.0 mx.example.org {why}"),
            "{command}"
        );
    }
}

#[test]
fn recipients_that_are_refused_for_now_end_with_421_long_after_the_limit() {
    let mut driver = greeted();
    driver.send(b"MAIL FROM:<>\r\n");
    driver.send("RCPT TO:<a@b.test>\r\n".repeat(2_000).as_bytes());
    assert!(last_heard(&mut driver).starts_with("452 4.5.3 "));
    driver.send("RCPT TO:<a@b.test>\r\n".repeat(2_000).as_bytes());
    assert!(last_heard(&mut driver).starts_with("421 4.7.0 "));
}

#[test]
fn a_message_that_is_taken_begins_the_count_anew() {
    let mut driver = greeted();
    for _ in 0..3 {
        driver.send("NOOP\r\n".repeat(allowed() - 10).as_bytes());
        driver.send(b"MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n.\r\n");
        let heard = last_heard(&mut driver);
        assert!(heard.starts_with("250 2.0.0 message queued"), "{heard}");
    }
}
