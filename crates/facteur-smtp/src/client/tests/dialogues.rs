//! The ways of an SMTP dialogue, from the greeting to QUIT or to its early end.

use super::*;

#[test]
fn a_message_goes_command_by_command_without_pipelining() {
    check(
        &[mail(&["x@t.test", "y@t.test"])],
        "S: 220 mx.test
         C: EHLO us.test
         S: 250 mx.test
         * idle
         C: MAIL FROM:<a@us.test>
         S: 250 ok
         C: RCPT TO:<x@t.test>
         S: 250 ok
         C: RCPT TO:<y@t.test>
         S: 251 will forward
         C: DATA
         S: 354 go on
         C: <content>
         S: 250 2.0.0 taken
         = 0 Message end-of-data 250 2.0.0 taken
         = 1 Message end-of-data 250 2.0.0 taken
         <quit>",
    );
}

#[test]
fn with_pipelining_the_envelope_is_one_write_and_the_content_waits_for_354() {
    check_after(
        &["PIPELINING"],
        &[mail(&["x@t.test", "y@t.test"])],
        "C: MAIL FROM:<a@us.test>
         C: RCPT TO:<x@t.test>
         C: RCPT TO:<y@t.test>
         C: DATA
         S: 250 ok
         S: 250 ok
         S: 550 5.1.1 no such user
         S: 354 go on
         = 1 Recipient rcpt 550 5.1.1 no such user
         C: <content>
         S: 250 taken
         = 0 Message end-of-data 250 taken
         <quit>",
    );
}

#[test]
fn several_messages_share_a_connection() {
    check_after(
        &["PIPELINING"],
        &[mail(&["x@t.test"]), mail(&["y@t.test"])],
        "C: MAIL FROM:<a@us.test>
         C: RCPT TO:<x@t.test>
         C: DATA
         S: 250 ok
         S: 250 ok
         S: 354 go on
         C: <content>
         S: 250 taken
         = 0 Message end-of-data 250 taken
         * idle
         C: MAIL FROM:<a@us.test>
         C: RCPT TO:<y@t.test>
         C: DATA
         S: 250 ok
         S: 250 ok
         S: 354 go on
         C: <content>
         S: 451 try later
         = 0 Message end-of-data 451 try later
         <quit>",
    );
}

#[test]
fn helo_follows_where_ehlo_is_unknown() {
    for code in ["500", "501", "502", "504"] {
        let mut mail = mail(&["x@t.test"]);
        mail.ret = Some(Ret::Full);
        let script = format!(
            "S: 220 old
             C: EHLO us.test
             S: {code} what
             C: HELO us.test
             S: 250 PIPELINING is no keyword here
             * idle
             C: MAIL FROM:<a@us.test>
             S: 550 no
             = 0 Message mail 550 no
             {QUIT}"
        );
        check(&[mail], &script);
    }
}

#[test]
fn a_refused_hello_is_a_failure_and_not_a_verdict() {
    check(
        &[mail(&["x@t.test"])],
        "S: 220 mx.test
         C: EHLO us.test
         S: 550 5.7.1 go away
         * failed hello 550 5.7.1 go away
         C: QUIT
         S: 221 bye
         * close",
    );
}

#[test]
fn a_refusing_greeting_is_answered_with_quit_but_421_is_not() {
    for greeting in [
        "521 5.3.2 no mail here",
        "554-no\nS: 554 service",
        "450 busy",
    ] {
        let words = greeting.replace("-no\nS: 554", " no");
        let script = format!("S: {greeting}\n* failed greeting {words}\n{QUIT}");
        check(&[mail(&["x@t.test"])], &script);
    }
    check(
        &[],
        "S: 421 4.3.2 busy\n* failed greeting 421 4.3.2 busy\n* close",
    );
}

#[test]
fn what_is_no_greeting_is_told_as_misbehaviour() {
    check(
        &[],
        "S: HTTP/1.1 400 Bad Request
         * failed greeting 451 4.5.0 mx.test broke the protocol: a line does not start with a reply code
         * close",
    );
    check(
        &[],
        "S: 354 what
         * failed greeting 451 4.5.0 mx.test broke the protocol: 354 is no reply to this step (greeting)
         * close",
    );
}

#[test]
fn a_server_that_says_nothing_is_lost() {
    check(
        &[],
        "S! silent
         * failed greeting 451 4.4.2 connection to mx.test lost: no greeting within 300 seconds
         * close",
    );
    check_after(
        &[],
        &[mail(&["x@t.test"])],
        "C: MAIL FROM:<a@us.test>
         S! lost
         = 0 Connection mail 451 4.4.2 connection to mx.test lost: closed by the remote
         * close",
    );
}

#[test]
fn all_refused_and_still_354_gets_a_lone_dot_that_delivers_nothing() {
    check_after(
        &["PIPELINING"],
        &[mail(&["x@t.test"])],
        "C: MAIL FROM:<a@us.test>
         C: RCPT TO:<x@t.test>
         C: DATA
         S: 250 ok
         S: 550 no
         S: 354 go on
         = 0 Recipient rcpt 550 no
         C: .
         S: 250 taken, whatever that means
         <quit>",
    );
}

#[test]
fn all_refused_and_data_refused_is_reset() {
    check_after(
        &["PIPELINING"],
        &[mail(&["x@t.test", "y@t.test"])],
        "C: MAIL FROM:<a@us.test>
         C: RCPT TO:<x@t.test>
         C: RCPT TO:<y@t.test>
         C: DATA
         S: 250 ok
         S: 550 no
         S: 450 greylisted
         S: 554 no valid recipients
         = 0 Recipient rcpt 550 no
         = 1 Recipient rcpt 450 greylisted
         C: RSET
         S: 250 ok
         <quit>",
    );
}

#[test]
fn all_refused_without_pipelining_never_says_data() {
    check_after(
        &[],
        &[mail(&["x@t.test"])],
        "C: MAIL FROM:<a@us.test>
         S: 250 ok
         C: RCPT TO:<x@t.test>
         S: 550 no
         = 0 Recipient rcpt 550 no
         C: RSET
         S: 250 ok
         <quit>",
    );
}

#[test]
fn a_refused_sender_is_the_verdict_on_everybody() {
    check_after(
        &["PIPELINING"],
        &[mail(&["x@t.test", "y@t.test"])],
        "C: MAIL FROM:<a@us.test>
         C: RCPT TO:<x@t.test>
         C: RCPT TO:<y@t.test>
         C: DATA
         S: 550 5.7.27 your domain takes no mail
         S: 503 MAIL first
         S: 503 MAIL first
         S: 503 MAIL first
         = 0 Message mail 550 5.7.27 your domain takes no mail
         = 1 Message mail 550 5.7.27 your domain takes no mail
         <quit>",
    );
}

#[test]
fn a_refused_sender_and_354_all_the_same_sends_no_content() {
    check_after(
        &["PIPELINING"],
        &[mail(&["x@t.test"])],
        "C: MAIL FROM:<a@us.test>
         C: RCPT TO:<x@t.test>
         C: DATA
         S: 451 later
         S: 250 ok
         S: 354 go on
         = 0 Message mail 451 later
         C: .
         S: 554 nothing to deliver
         <quit>",
    );
}

#[test]
fn data_refused_is_the_verdict_on_the_accepted_only() {
    check_after(
        &["PIPELINING"],
        &[mail(&["x@t.test", "y@t.test"])],
        "C: MAIL FROM:<a@us.test>
         C: RCPT TO:<x@t.test>
         C: RCPT TO:<y@t.test>
         C: DATA
         S: 250 ok
         S: 550 no
         S: 250 ok
         S: 452 4.4.5 too many messages
         = 0 Recipient rcpt 550 no
         = 1 Message data 452 4.4.5 too many messages
         C: RSET
         S: 500 what
         <quit>",
    );
}

#[test]
fn too_many_recipients_wait_for_another_transaction() {
    for (refusal, about) in [
        ("452 4.5.3 too many", "Transaction"),
        ("552 too many", "Transaction"),
        ("452 too many", "Transaction"),
        ("452 4.2.2 mailbox full", "Recipient"),
        ("552 5.2.2 mailbox full", "Recipient"),
    ] {
        let script = format!(
            "C: MAIL FROM:<a@us.test>
             C: RCPT TO:<x@t.test>
             C: RCPT TO:<y@t.test>
             C: DATA
             S: 250 ok
             S: 250 ok
             S: {refusal}
             S: 354 go on
             = 1 {about} rcpt {refusal}
             C: <content>
             S: 250 taken
             = 0 Message end-of-data 250 taken
             <quit>"
        );
        check_after(&["PIPELINING"], &[mail(&["x@t.test", "y@t.test"])], &script);
    }
}

#[test]
fn after_too_many_recipients_no_more_are_tried() {
    check_after(
        &[],
        &[mail(&["x@t.test", "y@t.test", "z@t.test"])],
        "C: MAIL FROM:<a@us.test>
         S: 250 ok
         C: RCPT TO:<x@t.test>
         S: 250 ok
         C: RCPT TO:<y@t.test>
         S: 452 4.5.3 too many
         = 1 Transaction rcpt 452 4.5.3 too many
         = 2 Transaction rcpt 452 4.5.3 too many
         C: DATA
         S: 354 go on
         C: <content>
         S: 250 taken
         = 0 Message end-of-data 250 taken
         <quit>",
    );
}

#[test]
fn a_552_to_the_first_recipient_is_not_about_their_number() {
    check_after(
        &[],
        &[mail(&["x@t.test"])],
        "C: MAIL FROM:<a@us.test>
         S: 250 ok
         C: RCPT TO:<x@t.test>
         S: 552 over quota
         = 0 Recipient rcpt 552 over quota
         C: RSET
         S: 250 ok
         <quit>",
    );
}

#[test]
fn an_announced_limit_of_recipients_is_kept() {
    check_after(
        &["PIPELINING", "LIMITS RCPTMAX=1"],
        &[mail(&["x@t.test", "y@t.test"])],
        "= 1 Transaction rcpt 452 4.5.3 too many recipients, at most 1 a message; send this one again for the rest
         C: MAIL FROM:<a@us.test>
         C: RCPT TO:<x@t.test>
         C: DATA
         S: 250 ok
         S: 250 ok
         S: 354 go on
         C: <content>
         S: 250 taken
         = 0 Message end-of-data 250 taken
         <quit>",
    );
}

#[test]
fn a_421_concerns_the_connection_at_any_point() {
    check_after(
        &[],
        &[mail(&["x@t.test", "y@t.test", "z@t.test"])],
        "C: MAIL FROM:<a@us.test>
         S: 250 ok
         C: RCPT TO:<x@t.test>
         S: 550 no
         = 0 Recipient rcpt 550 no
         C: RCPT TO:<y@t.test>
         S: 421 4.3.2 closing
         = 1 Connection rcpt 421 4.3.2 closing
         = 2 Connection rcpt 421 4.3.2 closing
         * close",
    );
    check_after(
        &["PIPELINING"],
        &[mail(&["x@t.test"])],
        "C: MAIL FROM:<a@us.test>
         C: RCPT TO:<x@t.test>
         C: DATA
         S: 250 ok
         S: 250 ok
         S: 354 go on
         C: <content>
         S: 421 closing
         = 0 Connection end-of-data 421 closing
         * close",
    );
}

#[test]
fn a_connection_lost_after_354_counts_as_451() {
    check_after(
        &["PIPELINING"],
        &[mail(&["x@t.test", "y@t.test"])],
        "C: MAIL FROM:<a@us.test>
         C: RCPT TO:<x@t.test>
         C: RCPT TO:<y@t.test>
         C: DATA
         S: 250 ok
         S: 250 ok
         S: 550 no
         S: 354 go on
         = 1 Recipient rcpt 550 no
         C: <content>
         S! lost
         = 0 Connection end-of-data 451 4.4.2 connection to mx.test lost: closed by the remote
         * close",
    );
}

#[test]
fn a_reply_out_of_order_ends_the_connection_and_delivers_nothing() {
    for (replies, stage, why) in [
        ("S: 354 go", "mail", "354 is no reply to this step (mail)"),
        (
            "S: 250 ok\nS: 354 go",
            "rcpt",
            "354 is no reply to this step (rcpt)",
        ),
        (
            "S: 250 ok\nS: 250 ok\nS: 250 taken",
            "data",
            "250 is no reply to this step (data)",
        ),
        ("S: 199 hm", "mail", "199 is no reply to this step (mail)"),
        (
            "S: 250 ok\nS: 250ok",
            "rcpt",
            "a line does not start with a reply code",
        ),
    ] {
        let script = format!(
            "C: MAIL FROM:<a@us.test>
             C: RCPT TO:<x@t.test>
             C: DATA
             {replies}
             = 0 Connection {stage} 451 4.5.0 mx.test broke the protocol: {why}
             * close"
        );
        check_after(&["PIPELINING"], &[mail(&["x@t.test"])], &script);
    }
}

#[test]
fn mixed_codes_are_found_and_the_last_one_counts() {
    check_after(
        &[],
        &[mail(&["x@t.test"])],
        "C: MAIL FROM:<a@us.test>
         S: 250-ok
         S: 550 or not
         * unusual mail MixedCodes
         = 0 Message mail 550 ok or not
         <quit>",
    );
}
