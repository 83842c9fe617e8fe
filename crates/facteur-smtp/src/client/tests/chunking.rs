//! Text by BDAT, where the server offers CHUNKING. (RFC 3030 §2)

use super::*;

const CHUNK: &str = "C: BDAT 15 LAST\nC: A: b\nC: \nC: .text\n";

fn chunked(recipients: &[&str]) -> Mail {
    Mail {
        chunking: true,
        ..mail(recipients)
    }
}

/// [`check_after`] with `<chunk>` for the content by BDAT.
#[track_caller]
fn check_chunks(keywords: &[&str], mails: &[Mail], script: &str) {
    check_after(keywords, mails, &script.replace("C: <chunk>\n", CHUNK));
}

#[test]
fn clean_text_goes_by_bdat_as_it_is() {
    check_chunks(
        &["PIPELINING", "CHUNKING"],
        &[chunked(&["x@t.test", "y@t.test"]), chunked(&["z@t.test"])],
        "C: MAIL FROM:<a@us.test>
         C: RCPT TO:<x@t.test>
         C: RCPT TO:<y@t.test>
         S: 250 ok
         S: 550 no
         S: 250 ok
         = 0 Recipient rcpt 550 no
         C: <chunk>
         S: 250 taken
         = 1 Message end-of-data 250 taken
         * idle
         C: MAIL FROM:<a@us.test>
         C: RCPT TO:<z@t.test>
         S: 250 ok
         S: 250 ok
         C: <chunk>
         S: 450 later
         = 0 Message end-of-data 450 later
         <quit>",
    );
}

#[test]
fn without_pipelining_a_chunk_needs_no_354() {
    check_chunks(
        &["CHUNKING"],
        &[chunked(&["x@t.test"])],
        "C: MAIL FROM:<a@us.test>
         S: 250 ok
         C: RCPT TO:<x@t.test>
         S: 250 ok
         C: <chunk>
         S: 550 no
         = 0 Message end-of-data 550 no
         <quit>",
    );
}

#[test]
fn the_command_and_its_content_leave_in_one_write() {
    let mut session = asking_for_content();
    session.content(b"A: b\r\n\r\n.text\r\n");
    session.content_ends();
    let waiting = Waiting::Block;
    let bytes = b"BDAT 15 LAST\r\nA: b\r\n\r\n.text\r\n";
    assert_eq!(session.next_action(), Action::Write { bytes, waiting });
}

/// A session whose server has accepted a recipient of a message of 15 octets.
fn asking_for_content() -> Session {
    let mail = chunked(&["x@t.test"]);
    let recipients: Vec<&Recipient> = mail.recipients.iter().collect();
    let mut message = mail.with(&recipients);
    message.facts = Some(Facts {
        clean: true,
        ..Facts::default()
    });
    let mut session = Session::new(Config {
        dialect: Dialect::Smtp,
        our_name: "us.test".into(),
        host: "mx.test".into(),
    });
    session.receive(b"220 hi\r\n");
    session.next_action();
    session.next_action();
    session.receive(b"250-mx.test\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
    session.send(&message);
    session.next_action();
    session.next_action();
    session.receive(b"250 ok\r\n250 ok\r\n");
    assert_eq!(session.next_action(), Action::NeedContent);
    session
}

#[test]
fn no_content_leaves_before_a_recipient_is_accepted() {
    check_chunks(
        &["PIPELINING", "CHUNKING"],
        &[chunked(&["x@t.test"]), chunked(&["y@t.test"])],
        "C: MAIL FROM:<a@us.test>
         C: RCPT TO:<x@t.test>
         S: 250 ok
         S: 550 no
         = 0 Recipient rcpt 550 no
         C: RSET
         S: 250 ok
         * idle
         C: MAIL FROM:<a@us.test>
         C: RCPT TO:<y@t.test>
         S: 450 later
         S: 503 what
         = 0 Message mail 450 later
         <quit>",
    );
}

#[test]
fn what_would_not_arrive_octet_for_octet_goes_by_data() {
    for (content, wire) in [
        (
            &b"A: b\r\n\r\na\nb\r\n"[..],
            "C: A: b\nC: \nC: a\nC: b\nC: .\n",
        ),
        (b"A: b\r\n\r\na\rb\r\n", "C: A: b\nC: \nC: a\nC: b\nC: .\n"),
        (b"A: b\r\n\r\na", "C: A: b\nC: \nC: a\nC: .\n"),
        (b"", "C: .\n"),
    ] {
        let mut mail = chunked(&["x@t.test"]);
        mail.content = content.to_vec();
        let script = format!(
            "C: MAIL FROM:<a@us.test>\nC: RCPT TO:<x@t.test>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\n\
             {wire}S: 250 taken\n= 0 Message end-of-data 250 taken\n<quit>"
        );
        check_after(&["PIPELINING", "CHUNKING"], &[mail], &script);
    }
}

#[test]
fn without_the_offer_or_the_wish_content_goes_by_data() {
    let mut unwanted = chunked(&["x@t.test"]);
    unwanted.chunking = false;
    for (keywords, mail) in [
        (&["PIPELINING"][..], chunked(&["x@t.test"])),
        (&["PIPELINING", "BINARYMIME"], chunked(&["x@t.test"])),
        (&["PIPELINING", "CHUNKING"], unwanted),
    ] {
        check_after(
            keywords,
            &[mail],
            "C: MAIL FROM:<a@us.test>
             C: RCPT TO:<x@t.test>
             C: DATA
             S: 250 ok
             S: 250 ok
             S: 354 go
             C: <content>
             S: 250 taken
             = 0 Message end-of-data 250 taken
             <quit>",
        );
    }
}

#[test]
fn a_server_that_offers_chunking_and_does_not_know_bdat_is_left_for_another_try() {
    for code in [500, 501, 502, 503, 504] {
        // It answers each line of the content as well; nothing of that is of interest.
        let script = format!(
            "C: MAIL FROM:<a@us.test>
             C: RCPT TO:<x@t.test>
             C: RCPT TO:<y@t.test>
             S: 250 ok
             S: 250 ok
             S: 550 no
             = 1 Recipient rcpt 550 no
             C: <chunk>
             S: {code} what?
             S: 500 what?
             S: 500 what?
             = 0 Chunking end-of-data {code} what?
             * close"
        );
        let mails = [chunked(&["x@t.test", "y@t.test"])];
        check_chunks(&["PIPELINING", "CHUNKING"], &mails, &script);
    }
}

#[test]
fn other_answers_to_a_chunk_are_about_the_message_or_the_connection() {
    for (said, outcome) in [
        ("S: 554 5.6.0 no", "Message end-of-data 554 5.6.0 no"),
        ("S: 552 5.5.1 no", "Message end-of-data 552 5.5.1 no"),
        ("S: 452 later", "Message end-of-data 452 later"),
        (
            "S: 354 go",
            "Connection end-of-data 451 4.5.0 mx.test broke the protocol: 354 is no reply to this step (end-of-data)",
        ),
        (
            "S! lost",
            "Connection end-of-data 451 4.4.2 connection to mx.test lost: closed by the remote",
        ),
        ("S: 421 bye", "Connection end-of-data 421 bye"),
    ] {
        let end = if outcome.starts_with("Message") {
            QUIT
        } else {
            "* close"
        };
        let script = format!(
            "C: MAIL FROM:<a@us.test>\nC: RCPT TO:<x@t.test>\nS: 250 ok\nS: 250 ok\nC: <chunk>\n{said}\n= 0 {outcome}\n{end}"
        );
        check_chunks(
            &["PIPELINING", "CHUNKING"],
            &[chunked(&["x@t.test"])],
            &script,
        );
    }
}

#[test]
fn binary_content_has_no_other_way_than_bdat() {
    let mut binary = chunked(&["x@t.test"]);
    binary.body = BodyType::BinaryMime;
    check_chunks(
        &["PIPELINING", "CHUNKING", "BINARYMIME"],
        &[binary],
        "C: MAIL FROM:<a@us.test> BODY=BINARYMIME
         C: RCPT TO:<x@t.test>
         S: 250 ok
         S: 250 ok
         C: <chunk>
         S: 502 no
         = 0 Message end-of-data 502 no
         <quit>",
    );
}

#[test]
fn a_refusal_in_the_middle_of_a_chunk_tells_the_message_from_bdat() {
    for (said, about) in [
        ("500 what?", About::Chunking),
        ("552 too big", About::Message),
    ] {
        let mut session = asking_for_content();
        session.content(b"A: b\r\n\r\n.text\r\n");
        session.content_ends();
        assert!(matches!(session.next_action(), Action::Write { .. }));
        session.write_failed();
        session.receive(format!("{said}\r\n").as_bytes());
        let Action::Outcome(outcome) = session.next_action() else {
            panic!("a verdict");
        };
        assert_eq!(
            (outcome.about, outcome.said.to_line().as_str()),
            (about, said)
        );
    }
}

#[test]
fn only_the_first_verdict_of_an_lmtp_server_can_be_about_bdat() {
    let lhlo = "S: 220 mx.test\nC: LHLO us.test\nS: 250-mx.test\nS: 250-PIPELINING\nS: 250 CHUNKING\n* idle\n\
        C: MAIL FROM:<a@us.test>\nC: RCPT TO:<x@t.test>\nC: RCPT TO:<y@t.test>\nS: 250 ok\nS: 250 ok\nS: 250 ok\n";
    for end in [
        "S: 250 stored\nS: 500 no\n= 0 Recipient end-of-data 250 stored\n= 1 Recipient end-of-data 500 no\n<quit>",
        "S: 500 what?\nS: 500 what?\n= 0 Chunking end-of-data 500 what?\n= 1 Chunking end-of-data 500 what?\n* close",
    ] {
        let mails = [chunked(&["x@t.test", "y@t.test"])];
        check_as(Dialect::Lmtp, &mails, &format!("{lhlo}{CHUNK}{end}"));
    }
}
