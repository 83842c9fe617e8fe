//! Reports as programs, people and other servers meet them.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use facteur_replies::{RemoteReply, ReplyCode};
use proptest::prelude::*;

use super::*;
use crate::attempt::{RemoteHost, Stage};
use crate::envelope::{BodyType, Client, EnvId, Notify, Orcpt, Protocol, ReversePath};

const MINUTE: Duration = Duration::from_secs(60);

fn at(minutes: u64) -> Timestamp {
    Timestamp::from_millis(1_795_518_621_000).after(MINUTE * u32::try_from(minutes).unwrap())
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn recipient(text: &str) -> Recipient {
    Recipient {
        address: address(text),
        orcpt: None,
        notify: Notify::Default,
    }
}

fn envelope(recipients: Vec<Recipient>) -> Envelope {
    Envelope {
        sender: ReversePath::Address(address("anne@example.org")),
        recipients,
        body: BodyType::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
        arrived: at(0),
        client: Client {
            ip: None,
            helo: "client.example.org".into(),
            protocol: Protocol::Esmtp,
        },
    }
}

fn by_us(stage: Stage, reply: Reply) -> Attempt {
    Attempt {
        at: at(1),
        took: Duration::from_millis(80),
        host: None,
        stage,
        said: Said::ByUs(reply),
    }
}

fn by_peer(stage: Stage, code: u16, lines: &[&str]) -> Attempt {
    let code = ReplyCode::new(code).unwrap();
    let lines = lines.iter().map(|line| (*line).to_owned()).collect();
    Attempt {
        at: at(1),
        took: Duration::from_millis(80),
        host: Some(RemoteHost {
            name: "mx.far.test".into(),
            address: Some(SocketAddr::from((Ipv4Addr::new(192, 0, 2, 25), 25))),
        }),
        stage,
        said: Said::ByPeer(RemoteReply::new(code, lines)),
    }
}

const HEADERS: &[u8] =
    b"From: Anne <anne@example.org>\r\nMessage-ID: <lettre-1@example.org>\r\nSubject: Hello\r\n\r\nBody.\r\n";

fn report<'a>(
    envelope: &'a Envelope,
    to: &'a Address,
    language: Language,
    told: Vec<(&'a Attempt, News)>,
) -> Report<'a> {
    Report {
        to,
        hostname: "mail.example.org",
        language,
        id: QueueId::next(at(2), None),
        now: at(2),
        about: QueueId::next(at(0), None),
        octets: 12_345,
        envelope,
        recipients: envelope
            .recipients
            .iter()
            .zip(told)
            .map(|(recipient, (attempt, news))| Told {
                recipient,
                attempt,
                news,
            })
            .collect(),
    }
}

fn written(report: &Report<'_>, original: &Original) -> String {
    let mut out = Vec::new();
    let Ok(()) = report.write(original, |piece| {
        assert!(piece.len() < 256 * 1024);
        out.extend_from_slice(piece);
        Ok::<_, Infallible>(())
    });
    assert_sound(&out);
    String::from_utf8(out).unwrap()
}

/// Only CRLF, no line too long, and 7-bit unless the envelope said otherwise.
fn assert_sound(message: &[u8]) {
    assert!(message.ends_with(b"\r\n"));
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r\n").expect("every LF follows a CR");
        assert!(line.len() <= 998);
        assert!(!line.contains(&b'\r') && !line.contains(&0) && !line.contains(&0x1b));
    }
}

fn headers_only() -> Original {
    Original::new(HEADERS.to_vec(), true, false)
}

fn null_mx() -> Attempt {
    by_us(Stage::Route, Reply::null_mx("nullmx.test"))
}

fn fields(text: &str) -> String {
    let start = text.find("Content-Type: message/").unwrap();
    let fields = &text[start..];
    fields[..fields.find("\r\n--").unwrap()].to_owned()
}

#[test]
fn a_null_mx_that_we_found_names_no_remote_mta() {
    let envelope = envelope(vec![recipient("user@nullmx.test")]);
    let (to, attempt) = (address("anne@example.org"), null_mx());
    let report = report(
        &envelope,
        &to,
        Language::English,
        vec![(&attempt, News::Refused)],
    );
    let text = written(&report, &headers_only());
    let fields = fields(&text);
    assert!(fields.contains("\r\nFinal-Recipient: rfc822; user@nullmx.test\r\n"));
    assert!(fields.contains("\r\nAction: failed\r\nStatus: 5.1.10\r\n"));
    assert!(fields.contains(
        "\r\nDiagnostic-Code: smtp; 556 5.1.10 domain nullmx.test does not accept mail\r\n (null MX)\r\n"
    ));
    assert!(!fields.contains("Remote-MTA"));
    assert!(text.contains("\r\nAuto-Submitted: auto-replied\r\n"));
    assert!(text.contains("\r\nIn-Reply-To: <lettre-1@example.org>\r\n"));
}

#[test]
fn the_words_of_a_remote_come_back_line_by_line() {
    let lines = ["5.1.1 no such user;", "", "5.1.1 see https://far.test/help"];
    let envelope = Envelope {
        envid: Some(EnvId("QQ314159".into())),
        ..envelope(vec![Recipient {
            orcpt: Some(Orcpt {
                kind: "rfc822".into(),
                address: "list@example.org".into(),
            }),
            ..recipient("user@far.test")
        }])
    };
    let (to, attempt) = (
        address("anne@example.org"),
        by_peer(Stage::Rcpt, 550, &lines),
    );
    let report = report(
        &envelope,
        &to,
        Language::French,
        vec![(&attempt, News::Refused)],
    );
    let text = written(&report, &headers_only());
    let parsed = parse(text.as_bytes()).unwrap();
    assert_eq!(parsed.reporting_mta.as_deref(), Some("mail.example.org"));
    assert_eq!(parsed.envelope_id.as_deref(), Some("QQ314159"));
    assert_eq!(parsed.message_id.as_deref(), Some("<lettre-1@example.org>"));
    let [told] = parsed.recipients.as_slice() else {
        panic!("one recipient: {parsed:?}");
    };
    assert_eq!(told.original.as_deref(), Some("list@example.org"));
    assert_eq!(told.recipient.as_deref(), Some("user@far.test"));
    assert_eq!(told.action, Some(Action::Failed));
    assert_eq!(told.status, EnhancedCode::new(5, 1, 1));
    assert_eq!(told.remote_mta.as_deref(), Some("mx.far.test"));
    assert_eq!(
        told.reply.as_ref().map(|reply| reply.lines.clone()),
        Some(lines.map(str::to_owned).to_vec())
    );
    assert_eq!(told.log_id, Some(report.about.to_string()));
}

#[test]
fn a_status_is_made_up_only_when_none_was_said() {
    let envelope = envelope(vec![recipient("a@far.test")]);
    let to = address("anne@example.org");
    for (code, line, status) in [
        (550, "no", "5.0.0"),
        (550, "2.1.5 contradictory", "5.0.0"),
        (550, "5.7.1 policy", "5.7.1"),
        (552, "4.2.2 contradictory, but a failure", "4.2.2"),
    ] {
        let attempt = by_peer(Stage::Rcpt, code, &[line]);
        let report = report(
            &envelope,
            &to,
            Language::English,
            vec![(&attempt, News::Refused)],
        );
        let text = written(&report, &headers_only());
        assert!(
            text.contains(&format!("\r\nStatus: {status}\r\n")),
            "{line}"
        );
    }
}

#[test]
fn an_expired_message_keeps_the_last_answer() {
    let envelope = envelope(vec![recipient("a@far.test")]);
    let to = address("anne@example.org");
    let attempt = by_peer(Stage::Rcpt, 450, &["4.2.1 mailbox busy"]);
    let expired = News::Expired(Reply::expired("5 days"));
    let report = report(&envelope, &to, Language::English, vec![(&attempt, expired)]);
    let text = written(&report, &headers_only());
    let fields = fields(&text);
    assert!(
        fields.contains("\r\nAction: failed\r\nStatus: 5.4.7\r\nRemote-MTA: dns; mx.far.test\r\n")
    );
    assert!(fields.contains("\r\nDiagnostic-Code: smtp; 450 4.2.1 mailbox busy\r\n"));
    assert!(text.contains("not delivered within 5 days, given up"));
}

#[test]
fn a_delay_says_until_when_it_is_tried() {
    let envelope = envelope(vec![recipient("a@far.test")]);
    let to = address("anne@example.org");
    let attempt = by_us(
        Stage::Connect,
        Reply::no_answer("mx.far.test", "connection refused"),
    );
    let news = News::Delayed {
        next_at: at(60),
        until: at(7_200),
    };
    let report = report(&envelope, &to, Language::French, vec![(&attempt, news)]);
    let text = written(&report, &headers_only());
    let fields = fields(&text);
    assert!(fields.contains("\r\nAction: delayed\r\nStatus: 4.4.1\r\n"));
    assert!(fields.contains("\r\nWill-Retry-Until: Sun, 29 Nov 2026 11:10:21 +0000\r\n"));
    assert!(!fields.contains("Remote-MTA"));
}

#[test]
fn non_ascii_addresses_stay_ascii_unless_the_message_asked_for_smtputf8() {
    let plain = envelope(vec![recipient("jérôme@far.test")]);
    let global = Envelope {
        smtputf8: true,
        ..plain.clone()
    };
    let attempt = by_peer(Stage::Rcpt, 550, &["5.1.1 unbekannt: jérôme"]);
    let (ascii, utf8) = (address("anne@example.org"), address("andré@example.org"));
    for (envelope, to, content_type, recipient, eight_bit) in [
        (
            &plain,
            &ascii,
            "message/delivery-status",
            "utf-8; j\\x{E9}r\\x{F4}me@far.test",
            false,
        ),
        (
            &global,
            &ascii,
            "message/global-delivery-status",
            "utf-8; j=C3=A9r=C3=B4me@far.test",
            false,
        ),
        (
            &global,
            &utf8,
            "message/global-delivery-status",
            "utf-8; jérôme@far.test",
            true,
        ),
    ] {
        let report = report(
            envelope,
            to,
            Language::French,
            vec![(&attempt, News::Refused)],
        );
        let text = written(&report, &headers_only());
        assert!(text.contains(&format!("\r\nContent-Type: {content_type}\r\n")));
        assert!(
            text.contains(&format!("\r\nFinal-Recipient: {recipient}\r\n")),
            "{text}"
        );
        assert!(
            text.contains("unbekannt: j\\x{E9}r\\x{F4}me")
                || !text.is_ascii()
                || content_type != "message/delivery-status"
        );
        assert_eq!(text.is_ascii(), !eight_bit);
        let travels = report.envelope(&headers_only());
        assert_eq!(travels.smtputf8, eight_bit);
        assert_eq!(travels.body == BodyType::EightBitMime, eight_bit);
        assert_eq!(travels.sender, ReversePath::Null);
        let parsed = parse(text.as_bytes()).unwrap();
        let expected = if content_type == "message/delivery-status" {
            "j\\x{E9}r\\x{F4}me@far.test"
        } else {
            "jérôme@far.test"
        };
        assert_eq!(parsed.recipients[0].recipient.as_deref(), Some(expected));
    }
}

#[test]
fn hostile_words_are_escaped_in_both_parts() {
    let envelope = envelope(vec![recipient("a@far.test")]);
    let to = address("anne@example.org");
    let lines = [
        "5.0.0 \u{1b}[2J\u{202e}\r\nStatus: 2.0.0\r\n\r\n--report",
        "\0\u{2028}é",
    ];
    let attempt = by_peer(Stage::EndOfData, 554, &lines);
    let report = report(
        &envelope,
        &to,
        Language::English,
        vec![(&attempt, News::Refused)],
    );
    let text = written(&report, &headers_only());
    assert!(text.is_ascii());
    assert!(fields(&text).contains("\\x{1B}[2J\\x{202E}\\x{D}\\x{A}Status:"));
    assert!(!text.contains("\nStatus: 2.0.0"));
    assert_eq!(parse(text.as_bytes()).unwrap().recipients.len(), 1);
}

#[test]
fn a_server_named_by_its_address_is_named_once() {
    let envelope = envelope(vec![recipient("a@far.test")]);
    let to = address("anne@example.org");
    for (name, ip, shown) in [
        ("mx.far.test", "192.0.2.25", "mx.far.test (192.0.2.25)"),
        ("[192.0.2.25]", "192.0.2.25", "[192.0.2.25]"),
        ("[IPv6:2001:db8::1]", "2001:db8::1", "[IPv6:2001:db8::1]"),
        (
            "a192.0.2.25.test",
            "192.0.2.25",
            "a192.0.2.25.test (192.0.2.25)",
        ),
        ("[192.0.2.2]", "192.0.2.25", "[192.0.2.2] (192.0.2.25)"),
    ] {
        let mut attempt = by_peer(Stage::Rcpt, 550, &["no"]);
        attempt.host = Some(RemoteHost {
            name: name.into(),
            address: Some(SocketAddr::new(ip.parse().unwrap(), 25)),
        });
        let told = vec![(&attempt, News::Refused)];
        let text = written(
            &report(&envelope, &to, Language::English, told),
            &headers_only(),
        );
        assert!(
            text.contains(&format!("The server {shown} answered")),
            "{text}"
        );
    }
}

#[test]
fn the_fields_have_one_group_for_each_recipient_and_no_empty_one() {
    let recipients: Vec<Recipient> = ["a@far.test", "b@far.test"].map(recipient).to_vec();
    let envelope = envelope(recipients);
    let to = address("anne@example.org");
    let attempt = by_peer(Stage::Rcpt, 550, &["no"]);
    let told = vec![(&attempt, News::Refused), (&attempt, News::Refused)];
    let text = written(
        &report(&envelope, &to, Language::English, told),
        &headers_only(),
    );
    let fields = fields(&text);
    let groups: Vec<_> = fields.split("\r\n\r\n").skip(1).collect();
    let firsts: Vec<_> = groups
        .iter()
        .filter_map(|group| group.lines().next())
        .collect();
    assert_eq!(
        firsts,
        [
            "Reporting-MTA: dns; mail.example.org",
            "Final-Recipient: rfc822; a@far.test",
            "Final-Recipient: rfc822; b@far.test",
        ]
    );
    assert_eq!(groups.len(), 3);
    assert!(!fields.ends_with("\r\n\r\n"));
}

#[test]
fn an_endless_reply_is_cut() {
    let envelope = envelope(vec![recipient("a@far.test")]);
    let to = address("anne@example.org");
    let long = "x".repeat(3_000);
    let attempt = by_peer(Stage::EndOfData, 554, &[&long, &long]);
    let report = report(
        &envelope,
        &to,
        Language::English,
        vec![(&attempt, News::Refused)],
    );
    let text = written(&report, &headers_only());
    assert!(text.contains("[...]"));
    assert!(text.matches('x').count() < 2_500);
}

#[test]
fn many_recipients_are_all_named_for_programs_and_some_for_people() {
    let recipients: Vec<Recipient> = (0..1_000)
        .map(|i| recipient(&format!("user{i}@far.test")))
        .collect();
    let envelope = envelope(recipients);
    let to = address("anne@example.org");
    let attempt = by_peer(Stage::Rcpt, 550, &["5.1.1 no such user"]);
    let told = (0..1_000).map(|_| (&attempt, News::Refused)).collect();
    let report = report(&envelope, &to, Language::English, told);
    let text = written(&report, &headers_only());
    assert_eq!(parse(text.as_bytes()).unwrap().recipients.len(), 1_000);
    assert!(text.contains("980 more recipients"));
    assert_eq!(text.matches("What it means:").count(), 1);
}

#[test]
fn no_more_than_64_kib_of_the_message_are_returned() {
    let envelope = envelope(vec![recipient("a@far.test")]);
    let (to, attempt) = (address("anne@example.org"), null_mx());
    let mut long = b"Subject: x\r\n".to_vec();
    while long.len() <= MAX_RETURNED {
        long.extend_from_slice(b"X-Filler: 0123456789012345678901234567890123456789\r\n");
    }
    let original = Original::new(long, false, true);
    assert!(!original.is_whole() && original.content().len() <= MAX_RETURNED);
    assert!(original.content().ends_with(b"\r\n"));
    let report = report(
        &envelope,
        &to,
        Language::English,
        vec![(&attempt, News::Refused)],
    );
    assert!(written(&report, &original).len() < MAX_RETURNED + 16 * 1024);
}

#[test]
fn a_short_message_is_returned_whole_if_that_is_wanted() {
    let envelope = envelope(vec![recipient("a@far.test")]);
    let (to, attempt) = (address("anne@example.org"), null_mx());
    let report = report(
        &envelope,
        &to,
        Language::English,
        vec![(&attempt, News::Refused)],
    );
    let whole = Original::new(HEADERS.to_vec(), true, true);
    let text = written(&report, &whole);
    assert!(text.contains("\r\nContent-Type: message/rfc822\r\n"));
    assert!(text.contains("Subject: Hello\r\n\r\nBody.\r\n\r\n--report-"));
    let text = written(&report, &headers_only());
    assert!(text.contains("\r\nContent-Type: text/rfc822-headers\r\n"));
    assert!(!text.contains("Body."));
}

#[test]
fn the_boundary_is_never_in_what_is_returned() {
    let envelope = envelope(vec![recipient("a@far.test")]);
    let (to, attempt) = (address("anne@example.org"), null_mx());
    let report = report(
        &envelope,
        &to,
        Language::English,
        vec![(&attempt, News::Refused)],
    );
    let forged = format!(
        "Subject: x\r\n\r\n--report-{}\r\nContent-Type: message/delivery-status\r\n",
        report.id
    );
    let text = written(&report, &Original::new(forged.into_bytes(), true, true));
    assert!(text.contains(&format!("boundary=\"report-{}=\"", report.id)));
}

#[test]
fn an_8bit_header_section_is_encoded_for_a_7bit_way() {
    let envelope = envelope(vec![recipient("a@far.test")]);
    let (to, attempt) = (address("anne@example.org"), null_mx());
    let report = report(
        &envelope,
        &to,
        Language::French,
        vec![(&attempt, News::Refused)],
    );
    let original = Original::new(b"Subject: \xe9t\xe9\r\n\r\n".to_vec(), true, false);
    let text = written(&report, &original);
    assert!(text.is_ascii() && text.contains("Subject: =E9t=E9\r\n"));
    assert_eq!(report.envelope(&original).body, BodyType::SevenBit);
}

#[test]
fn a_message_id_is_repeated_only_if_it_is_one() {
    for (header, id) in [
        ("Message-ID: <a@b>\r\n\r\n", Some("<a@b>")),
        ("message-id:\r\n <a@b>\r\nX: y\r\n\r\n", Some("<a@b>")),
        ("Message-ID: <a@b> <c@d>\r\n\r\n", None),
        ("Message-ID: a@b\r\n\r\n", None),
        ("Subject: x\r\n\r\nMessage-ID: <a@b>\r\n", None),
        ("", None),
    ] {
        let original = Original::new(header.as_bytes().to_vec(), true, true);
        assert_eq!(original.message_id().as_deref(), id, "{header:?}");
    }
}

#[test]
fn reports_of_other_servers_are_read() {
    let text = "Content-Type: multipart/report;\n\treport-type=delivery-status; boundary=abc\n\n--abc\nContent-Type: text/plain\n\nHi\n--abc\nContent-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\nUmVwb3J0aW5nLU1UQTogZG5zOyBhLnRlc3QKCkZpbmFsLVJlY2lwaWVudDogUkZDODIyOyB4QHkudGVzdApBY3Rpb246IEZhaWxlZApTdGF0dXM6IDUuMS4xIChiYWQpCkRpYWdub3N0aWMtQ29kZTogeC11bml4OyA1NTAgbm8K\n--abc--\n";
    let parsed = parse(text.as_bytes()).unwrap();
    assert_eq!(parsed.reporting_mta.as_deref(), Some("a.test"));
    assert_eq!(
        parsed.recipients,
        [ParsedRecipient {
            recipient: Some("x@y.test".to_owned()),
            action: Some(Action::Failed),
            status: EnhancedCode::new(5, 1, 1),
            diagnostic: Some("550 no".to_owned()),
            ..ParsedRecipient::default()
        }]
    );
    assert_eq!(parse(b"Subject: hi\n\nhello\n"), Err(NotAReport));
}

#[test]
fn the_reports_are_as_recorded() {
    let to = address("anne@example.org");
    let refused = by_peer(
        Stage::Rcpt,
        550,
        &[
            "5.1.1 <nobody@far.test>: Recipient address rejected:",
            "5.1.1 User unknown",
        ],
    );
    let silent = by_us(
        Stage::Connect,
        Reply::no_answer("mx.far.test", "connection refused"),
    );
    let busy = by_peer(Stage::Rcpt, 450, &["4.2.1 mailbox busy"]);
    let taken = by_peer(Stage::EndOfData, 250, &["2.0.0 Ok: queued as 4B2"]);
    let null_mx = null_mx();
    let late = News::Delayed {
        next_at: at(300),
        until: at(7_200),
    };
    let cases = [
        (
            "failed",
            vec![(&null_mx, News::Refused), (&refused, News::Refused)],
        ),
        ("delayed", vec![(&silent, late)]),
        (
            "expired",
            vec![(&busy, News::Expired(Reply::expired("5 days")))],
        ),
        ("delivered", vec![(&taken, News::Done(Delivery::Relayed))]),
    ];
    for (kind, told) in cases {
        let recipients = ["user@nullmx.test", "nobody@far.test"];
        let recipients = recipients.into_iter().take(told.len()).map(recipient);
        let envelope = envelope(recipients.collect());
        for language in Language::ALL {
            let report = report(&envelope, &to, language, told.clone());
            let text = human_readable(&written(&report, &headers_only()));
            insta::assert_snapshot!(format!("{kind}-{language}"), text);
        }
    }
}

/// The report with LF and its quoted-printable decoded, so that a person can read the record. What the catalogue
/// explains is left to the catalogue's own tests: indented lines are cut to their first words.
fn human_readable(message: &str) -> String {
    let joined = message
        .replace("?=\r\n", "?=\n")
        .replace("=\r\n", "")
        .replace("\r\n", "\n");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = std::str::from_utf8(rest.get(1..3).unwrap_or_default())
            .ok()
            .filter(|digits| *digits == digits.to_uppercase())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, escape) {
            (b'=', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    let text = String::from_utf8(bytes).unwrap();
    let is_quote = |line: &str| {
        let words = line.strip_prefix("    ").unwrap_or_default();
        let code = words.get(..3).unwrap_or_default();
        words.starts_with('<') || (code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit()))
    };
    let is_catalogue = |line: &str| {
        line.starts_with("  ") && !is_quote(line)
            || line.starts_with("What it means")
            || line.starts_with("Ce que cela signifie")
    };
    let mut out = String::new();
    let mut skipping = false;
    for line in text.lines() {
        if is_catalogue(line) || (skipping && line.is_empty()) {
            if !skipping {
                out.push_str("  (from the catalogue)\n\n");
            }
            skipping = true;
        } else {
            skipping = false;
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

proptest! {
    #[test]
    fn prop_any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        drop(parse(&bytes));
    }

    #[test]
    fn prop_any_structure_is_read_without_a_panic(pieces in proptest::collection::vec(prop_oneof![
        Just("Content-Type: multipart/report; boundary=\"b\"\r\n"), Just("\r\n"), Just("--b\r\n"), Just("--b--\r\n"),
        Just("Content-Type: message/delivery-status\n"), Just("Content-Transfer-Encoding: quoted-printable\r\n"),
        Just("Diagnostic-Code: smtp; 550-a 550"), Just(" 550 b\n"), Just("Final-Recipient: rfc822"), Just(";é"), Just("=C"), Just("\n"),
    ], 0..40)) {
        drop(parse(pieces.concat().as_bytes()));
    }

    #[test]
    fn prop_what_a_remote_says_comes_back(code in 400_u16..600, words in "[!-~]{1,30}( [!-~]{1,30}){0,60}") {
        let envelope = envelope(vec![recipient("a@far.test")]);
        let to = address("anne@example.org");
        let attempt = by_peer(Stage::Rcpt, code, &[&words]);
        let report = report(&envelope, &to, Language::English, vec![(&attempt, News::Refused)]);
        let parsed = parse(written(&report, &headers_only()).as_bytes()).unwrap();
        let shown: String = format!("{code} {words}").chars().take(crate::text::MAX_SHOWN).collect();
        let diagnostic = parsed.recipients[0].diagnostic.clone().unwrap();
        prop_assert!(diagnostic == shown || diagnostic.starts_with(shown.trim_end()));
    }
}
