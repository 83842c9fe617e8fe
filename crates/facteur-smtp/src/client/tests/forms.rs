//! What the commands carry, and what a server must offer for it.

use super::*;

/// A message that asks for everything.
fn demanding() -> Mail {
    let mut mail = mail(&["x@t.test"]);
    mail.ret = Some(Ret::Headers);
    mail.envid = Some(EnvId("a+b=c d".into()));
    mail.recipients[0].notify = Notify::On {
        success: true,
        failure: false,
        delay: true,
    };
    mail.recipients[0].orcpt = Some(Orcpt {
        kind: "rfc822".into(),
        address: "o+p@t.test".into(),
    });
    mail
}

#[test]
fn parameters_go_to_servers_that_offer_them_and_to_no_others() {
    let refused = "S: 550 no\n= 0 Message mail 550 no\n<quit>";
    check_after(
        &[],
        &[demanding()],
        &format!("C: MAIL FROM:<a@us.test>\n{refused}"),
    );
    check_after(
        &["SIZE 0", "DSN"],
        &[demanding()],
        "C: MAIL FROM:<a@us.test> SIZE=15 RET=HDRS ENVID=a+2Bb+3Dc+20d
         S: 250 ok
         C: RCPT TO:<x@t.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o+2Bp@t.test
         S: 550 no
         = 0 Recipient rcpt 550 no
         C: RSET
         S: 250 ok
         <quit>",
    );
}

#[test]
fn an_original_recipient_in_utf8_travels_as_ascii() {
    let mut mail = mail(&["x@t.test"]);
    mail.recipients[0].notify = Notify::Never;
    mail.recipients[0].orcpt = Some(Orcpt {
        kind: "utf-8".into(),
        address: "é+x@t.test".into(),
    });
    check_after(
        &["DSN"],
        &[mail],
        "C: MAIL FROM:<a@us.test>
         S: 250 ok
         C: RCPT TO:<x@t.test> NOTIFY=NEVER ORCPT=utf-8;\\x{E9}\\x{2B}x@t.test
         S: 550 no
         = 0 Recipient rcpt 550 no
         C: RSET
         S: 250 ok
         <quit>",
    );
}

#[test]
fn the_null_sender_has_empty_brackets() {
    let mut mail = mail(&["x@t.test"]);
    mail.sender = ReversePath::Null;
    check_after(
        &[],
        &[mail],
        "C: MAIL FROM:<>\nS: 550 no\n= 0 Message mail 550 no\n<quit>",
    );
}

#[test]
fn a_message_over_the_announced_size_is_refused_before_mail() {
    check_after(
        &["SIZE 14"],
        &[mail(&["x@t.test"])],
        "= 0 Message mail 552 5.3.4 mx.test accepts at most 14 octets\n<quit>",
    );
}

#[test]
fn eight_bit_content_needs_8bitmime_only_where_it_really_is() {
    let mut declared = mail(&["x@t.test"]);
    declared.body = BodyType::EightBitMime;
    let refused = "S: 550 no\n= 0 Message mail 550 no\n<quit>";
    let plain = format!("C: MAIL FROM:<a@us.test>\n{refused}");
    check_after(&[], &[declared], &plain);

    let mut real = mail(&["x@t.test"]);
    real.body = BodyType::EightBitMime;
    real.content = "A: b\r\n\r\né\r\n".as_bytes().to_vec();
    let local = "= 0 Message mail 554 5.6.3 mx.test does not offer 8BITMIME, which this message needs\n<quit>";
    check_after(&[], std::slice::from_ref(&real), local);
    let offered = format!("C: MAIL FROM:<a@us.test> BODY=8BITMIME\n{refused}");
    check_after(&["8BITMIME"], &[real], &offered);
}

#[test]
fn smtputf8_is_needed_by_addresses_and_header_only() {
    let refused = "S: 550 no\n= 0 Message mail 550 no\n<quit>";
    let local = "550 5.6.7 mx.test does not offer SMTPUTF8, which this message needs";
    let mut declared = mail(&["x@t.test"]);
    declared.smtputf8 = true;
    let plain = format!("C: MAIL FROM:<a@us.test>\n{refused}");
    check_after(&[], std::slice::from_ref(&declared), &plain);
    declared.content = "A: é\r\n\r\n\r\n".as_bytes().to_vec();
    let verdict = format!("= 0 Message mail {local}\n<quit>");
    check_after(&[], &[declared], &verdict);

    let mut from = mail(&["x@t.test"]);
    from.sender = ReversePath::Address(Address::parse("é@us.test").unwrap());
    from.smtputf8 = true;
    check_after(&[], std::slice::from_ref(&from), &verdict);
    let offered = format!("C: MAIL FROM:<é@us.test> SMTPUTF8\n{refused}");
    check_after(&["SMTPUTF8"], &[from], &offered);
}

#[test]
fn only_the_recipients_that_need_smtputf8_fail_without_it() {
    let mut mail = mail(&["é@t.test", "x@t.test"]);
    mail.smtputf8 = true;
    check_after(
        &[],
        &[mail],
        "= 0 Recipient rcpt 550 5.6.7 mx.test does not offer SMTPUTF8, which this message needs
         C: MAIL FROM:<a@us.test>
         S: 250 ok
         C: RCPT TO:<x@t.test>
         S: 550 no
         = 1 Recipient rcpt 550 no
         C: RSET
         S: 250 ok
         <quit>",
    );
}

#[test]
fn binary_content_goes_by_bdat_as_it_is() {
    let mut binary = mail(&["x@t.test"]);
    binary.body = BodyType::BinaryMime;
    binary.content = b"A: b\r\n\r\n.\0\r\n".to_vec();
    check_after(
        &["PIPELINING", "CHUNKING", "BINARYMIME"],
        std::slice::from_ref(&binary),
        "C: MAIL FROM:<a@us.test> BODY=BINARYMIME
         C: RCPT TO:<x@t.test>
         S: 250 ok
         S: 250 ok
         C: BDAT 12 LAST
         C: A: b
         C: 
         C: .\0
         S: 250 taken
         = 0 Message end-of-data 250 taken
         <quit>",
    );
    check_after(
        &["CHUNKING", "8BITMIME"],
        &[binary],
        "= 0 Message mail 554 5.6.3 mx.test does not offer BINARYMIME, which this message needs\n<quit>",
    );
}

#[test]
fn text_declared_binary_goes_by_data_where_it_must() {
    let mut text = mail(&["x@t.test"]);
    text.body = BodyType::BinaryMime;
    check_after(
        &["8BITMIME"],
        &[text],
        "C: MAIL FROM:<a@us.test> BODY=8BITMIME\nS: 550 no\n= 0 Message mail 550 no\n<quit>",
    );
}

#[test]
fn content_that_is_not_as_long_as_its_chunk_is_our_error_and_never_completed() {
    for octets in [11, 13] {
        let mut binary = mail(&["x@t.test"]);
        binary.body = BodyType::BinaryMime;
        binary.content = b"A: b\r\n\r\n.\0\r\n".to_vec();
        binary.octets = Some(octets);
        check_after(
            &["PIPELINING", "CHUNKING", "BINARYMIME"],
            &[binary],
            "C: MAIL FROM:<a@us.test> BODY=BINARYMIME
             C: RCPT TO:<x@t.test>
             S: 250 ok
             S: 250 ok
             = 0 Message end-of-data 451 4.3.0 local error, the message was not accepted; try again later
             * close",
        );
    }
}
