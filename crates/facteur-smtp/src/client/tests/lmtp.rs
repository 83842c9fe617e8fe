//! Where LMTP differs.

use super::*;

#[test]
fn lmtp_has_a_verdict_for_each_accepted_recipient() {
    let script = "S: 220 lmtp
         C: LHLO us.test
         S: 250-mx.test
         S: 250 PIPELINING
         * idle
         C: MAIL FROM:<a@us.test>
         C: RCPT TO:<x@t.test>
         C: RCPT TO:<y@t.test>
         C: RCPT TO:<z@t.test>
         C: DATA
         S: 250 ok
         S: 250 ok
         S: 550 5.1.1 no
         S: 250 ok
         S: 354 go on
         = 1 Recipient rcpt 550 5.1.1 no
         C: <content>
         S: 250 stored
         S: 452 4.2.2 full
         = 0 Recipient end-of-data 250 stored
         = 2 Recipient end-of-data 452 4.2.2 full
         <quit>";
    let mails = [mail(&["x@t.test", "y@t.test", "z@t.test"])];
    check_as(Dialect::Lmtp, &mails, script);
}

#[test]
fn lmtp_lost_between_two_verdicts_leaves_only_the_rest_in_doubt() {
    let script = "S: 220 lmtp
         C: LHLO us.test
         S: 250-mx.test
         S: 250 PIPELINING
         * idle
         C: MAIL FROM:<a@us.test>
         C: RCPT TO:<x@t.test>
         C: RCPT TO:<y@t.test>
         C: DATA
         S: 250 ok
         S: 250 ok
         S: 250 ok
         S: 354 go on
         C: <content>
         S: 250 stored
         = 0 Recipient end-of-data 250 stored
         S! lost
         = 1 Connection end-of-data 451 4.4.2 connection to mx.test lost: closed by the remote
         * close";
    let mails = [mail(&["x@t.test", "y@t.test"])];
    check_as(Dialect::Lmtp, &mails, script);
}

#[test]
fn lmtp_354_for_nobody_closes_the_connection() {
    check_as(
        Dialect::Lmtp,
        &[mail(&["x@t.test"])],
        "S: 220 lmtp
         C: LHLO us.test
         S: 250-mx.test
         S: 250 PIPELINING
         * idle
         C: MAIL FROM:<a@us.test>
         C: RCPT TO:<x@t.test>
         C: DATA
         S: 250 ok
         S: 550 no
         S: 354 go on
         = 0 Recipient rcpt 550 no
         * close",
    );
}

#[test]
fn a_server_without_lhlo_is_not_asked_with_helo() {
    check_as(
        Dialect::Lmtp,
        &[],
        "S: 220 smtp
         C: LHLO us.test
         S: 500 what
         * failed hello 500 what
         C: QUIT
         S: 221 bye
         * close",
    );
}
