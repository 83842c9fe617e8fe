//! Content by BDAT, and servers that only say they take it.

use super::*;

const TAKEN: &str = "Relayed end-of-data 250 taken";

#[tokio::test]
async fn text_goes_by_bdat_where_it_is_offered_and_wanted() {
    for (script, wanted, bdat) in [
        (server().chunking(), true, 1),
        (server().chunking(), false, 0),
        (server(), true, 0),
    ] {
        let world = World::with(&[(ONE, script)], |config| config.chunking = wanted);
        assert_eq!(world.words(hosts(&BOTH), message(2)).await, [TAKEN; 2]);
        assert_eq!(world.net.contents(), ["A: b\r\n\r\ntext\r\n"]);
        let counts = (world.net.count("BDAT 14 LAST"), world.net.count("DATA"));
        assert_eq!(counts, (bdat, 1 - bdat));
    }
}

#[tokio::test]
async fn long_text_goes_in_one_chunk_whatever_its_length() {
    for octets in [BLOCK - 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7] {
        let world = World::new(&[(ONE, server().chunking())]);
        let line = b".dots and text\r\n".iter().copied().cycle();
        let mut content: Vec<u8> = line.take(octets - 2).collect();
        // Where it was cut within a CRLF.
        if content.ends_with(b"\r") {
            content.pop();
            content.push(b'x');
        }
        content.extend_from_slice(b"\r\n");
        let text = String::from_utf8(content.clone()).unwrap();
        let outcome = world
            .words(hosts(&["192.0.2.1"]), message_of(1, content, None))
            .await;
        assert_eq!(outcome, [TAKEN], "{octets}");
        assert_eq!(world.net.count(&format!("BDAT {octets} LAST")), 1);
        assert!(world.net.contents() == [text], "{octets}");
    }
}

#[tokio::test]
async fn content_that_is_not_as_long_as_it_was_is_found_before_mail() {
    let length = 200_000;
    for claimed in [length - 1, length + 1, 1, 0] {
        let world = World::new(&[(ONE, server().chunking())]);
        let content = b"0123456789abcd\r\n".repeat(length / 16);
        let message = message_of(1, content, Some(claimed as u64));
        let outcome = world.words(hosts(&["192.0.2.1"]), message).await;
        assert!(outcome[0].starts_with("not queue 451 4.3.0"), "{outcome:?}");
        assert_eq!(world.net.count("MAIL"), 0);
    }
}

#[tokio::test]
async fn a_server_that_does_not_know_the_bdat_it_offers_gets_the_message_by_data() {
    for answer in ["500 what?", "502 5.5.1 not implemented", "503 5.5.1 no"] {
        let liar = server().offers_chunking().on("BDAT", &[answer]);
        let world = World::new(&[(ONE, liar), (TWO, server())]);
        assert_eq!(world.words(hosts(&BOTH), message(2)).await, [TAKEN; 2]);
        assert_eq!(world.net.contents(), ["A: b\r\n\r\ntext\r\n"], "{answer}");
        // The next message is not sent to find it out again.
        assert_eq!(world.words(hosts(&BOTH), message(1)).await, [TAKEN]);
        let counts = (world.net.count("BDAT"), world.net.count("DATA"));
        assert_eq!(counts, (1, 2), "{answer}");
        let heard = world.net.log();
        assert!(!heard.iter().any(|line| line.starts_with("1 QUIT")));
    }
}

#[tokio::test]
async fn a_server_that_refuses_bdat_and_then_everything_has_the_last_word() {
    let liar = |then| {
        server()
            .offers_chunking()
            .on("BDAT", &["500 what?"])
            .on("DATA", &[then])
    };
    for then in ["554 no", "500 what?", "451 later"] {
        let world = World::new(&[(ONE, liar(then)), (TWO, server())]);
        let outcome = world.words(hosts(&BOTH), message(1)).await;
        assert_eq!(outcome, [format!("not data {then}")]);
        assert_eq!(world.net.connections(), 2);
    }
}

#[tokio::test]
async fn only_those_accepted_get_a_message_again_that_bdat_could_not_bring() {
    let liar = server()
        .offers_chunking()
        .on("RCPT", &["250 ok", "550 no", "250 ok"])
        .on("BDAT", &["500 what?"]);
    let world = World::new(&[(ONE, liar)]);
    let outcomes = world.words(hosts(&["192.0.2.1"]), message(3)).await;
    assert_eq!(outcomes, [TAKEN, "not rcpt 550 no", TAKEN]);
    assert_eq!(world.net.count("RCPT TO:<r1@"), 1);
}

#[tokio::test]
async fn a_connection_that_ends_in_a_chunk_is_not_tried_twice_but_by_data_the_next_time() {
    for script in [
        server().offers_chunking().on("BDAT", &["!close"]),
        server().offers_chunking().on("BDAT", &["!silent"]),
        server().offers_chunking().on("BDAT", &["!endless"]),
    ] {
        let world = World::new(&[(ONE, script), (TWO, server())]);
        let outcome = world.words(hosts(&BOTH), message(1)).await;
        assert!(outcome[0].starts_with("not end-of-data 451 4."));
        assert_eq!(world.net.connections(), 1);
        assert_eq!(world.words(hosts(&BOTH), message(1)).await, [TAKEN]);
        assert_eq!((world.net.count("BDAT"), world.net.count("DATA")), (1, 1));
    }
}

#[tokio::test]
async fn a_verdict_on_a_chunk_is_the_verdict_on_the_message() {
    for said in ["554 5.6.0 no", "421 busy"] {
        let script = server().chunking().on(".", &[said, "250 taken"]);
        let world = World::new(&[(ONE, script), (TWO, server())]);
        let outcome = world.words(hosts(&BOTH), message(1)).await;
        assert_eq!(outcome, [format!("not end-of-data {said}")]);
        assert_eq!(world.words(hosts(&BOTH), message(1)).await, [TAKEN]);
        assert_eq!(world.net.count("BDAT"), 2, "{said}");
    }
}

#[tokio::test]
async fn damage_found_while_content_is_read_ends_the_message_before_mail() {
    struct Rotten;
    impl std::io::Read for Rotten {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("bad sector"))
        }
    }
    let world = World::new(&[(ONE, server().chunking())]);
    let open = || -> Result<Body, SpoolError> { Ok(Box::new(Rotten)) };
    let rotten = Leased::new(message(1).message.clone(), Box::new(open), Box::new(|| {}));
    let outcome = world.words(hosts(&["192.0.2.1"]), rotten).await;
    assert!(outcome[0].starts_with("not queue 451 4.3.0"), "{outcome:?}");
    assert_eq!(world.net.count("MAIL"), 0);
}
