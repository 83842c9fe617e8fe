//! Records are read back as they were, and nothing else is read as a record.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use facteur_mail::{
    Address, Attempt, BodyType, Client, Delivery, Domain, EnvId, Envelope, Hold, Host, LocalPart,
    MAX_REASON, Notify, Orcpt, Protocol, Recipient, RecipientState, RemoteHost, Report, Ret,
    RetryReason, ReversePath, Said, Stage, Timestamp,
};
use facteur_replies::{EnhancedCode, RemoteReply, Reply, ReplyCode};
use proptest::prelude::*;

use super::*;
use crate::error::SpoolError;

fn text(limit: usize) -> impl Strategy<Value = Box<str>> {
    prop_oneof![
        Just(String::new()),
        proptest::collection::vec(any::<char>(), 0..limit).prop_map(String::from_iter),
        Just("550 5.1.1\r\nINJECTED: yes\0".to_owned()),
    ]
    .prop_map(String::into_boxed_str)
}

fn host() -> impl Strategy<Value = Host> {
    prop_oneof![
        "[a-z][a-z0-9]{0,20}(\\.[a-z]{2,8}){0,3}"
            .prop_map(|name| Host::Domain(Domain::parse(&name).unwrap())),
        any::<Ipv4Addr>().prop_map(|ip| Host::Literal(ip.into())),
        any::<Ipv6Addr>().prop_map(|ip| Host::Literal(ip.into())),
    ]
}

fn address() -> impl Strategy<Value = Address> {
    ("[a-zé \"@.]{1,40}", host())
        .prop_map(|(local, host)| Address::new(LocalPart::new(&local).unwrap(), host))
}

fn moment() -> impl Strategy<Value = Timestamp> {
    any::<u64>().prop_map(Timestamp::from_millis)
}

fn recipient() -> impl Strategy<Value = Recipient> {
    let notify = prop_oneof![
        Just(Notify::Default),
        Just(Notify::Never),
        any::<(bool, bool, bool)>().prop_map(|(success, failure, delay)| Notify::On {
            success,
            failure,
            delay
        }),
    ];
    let orcpt = proptest::option::of(
        (text(9), text(40)).prop_map(|(kind, address)| Orcpt { kind, address }),
    );
    (address(), orcpt, notify).prop_map(|(address, orcpt, notify)| Recipient {
        address,
        orcpt,
        notify,
    })
}

fn envelope() -> impl Strategy<Value = Envelope> {
    let client = (
        proptest::option::of(any::<std::net::IpAddr>()),
        text(60),
        prop::sample::select(vec![
            Protocol::Smtp,
            Protocol::Esmtp,
            Protocol::Lmtp,
            Protocol::Utf8Smtp,
            Protocol::Utf8Lmtp,
            Protocol::Local,
            Protocol::Http,
        ]),
    );
    let options = (
        prop::sample::select(vec![
            BodyType::SevenBit,
            BodyType::EightBitMime,
            BodyType::BinaryMime,
        ]),
        any::<bool>(),
        proptest::option::of(prop::sample::select(vec![Ret::Full, Ret::Headers])),
        proptest::option::of(text(50).prop_map(EnvId)),
        moment(),
    );
    (
        proptest::option::of(address()),
        proptest::collection::vec(recipient(), 0..6),
        options,
        client,
    )
        .prop_map(
            |(sender, recipients, (body, smtputf8, ret, envid, arrived), (ip, helo, protocol))| {
                Envelope {
                    sender: sender.map_or(ReversePath::Null, ReversePath::Address),
                    recipients,
                    body,
                    smtputf8,
                    ret,
                    envid,
                    arrived,
                    client: Client { ip, helo, protocol },
                }
            },
        )
}

fn said() -> impl Strategy<Value = Said> {
    let peer = (
        100..=999_u16,
        proptest::option::of((
            prop::sample::select(vec![2, 4, 5_u8]),
            0..=999_u16,
            0..=999_u16,
        )),
        proptest::collection::vec(text(200), 0..6),
    )
        .prop_map(|(code, enhanced, lines)| {
            Said::ByPeer(RemoteReply {
                code: ReplyCode::new(code).unwrap(),
                enhanced: enhanced.map(|(class, s, d)| EnhancedCode::new(class, s, d).unwrap()),
                lines: lines.into_iter().map(String::from).collect(),
            })
        });
    prop_oneof![
        peer,
        text(80).prop_map(|domain| Said::ByUs(Reply::null_mx(domain))),
        (text(80), text(80)).prop_map(|(host, cause)| Said::ByUs(Reply::no_answer(host, cause))),
    ]
}

fn attempt() -> impl Strategy<Value = Box<Attempt>> {
    let host = (text(60), proptest::option::of(any::<SocketAddr>()))
        .prop_map(|(name, address)| RemoteHost { name, address });
    (
        moment(),
        any::<u64>(),
        prop::sample::select(Stage::ALL.to_vec()),
        proptest::option::of(host),
        said(),
    )
        .prop_map(|(at, took, stage, host, said)| {
            Box::new(Attempt {
                at,
                took: Duration::from_nanos(took),
                host,
                stage,
                said,
            })
        })
}

fn state() -> impl Strategy<Value = RecipientState> {
    let report = || prop::sample::select(vec![Report::NotWanted, Report::Owed, Report::Sent]);
    let reasons = vec![
        RetryReason::New,
        RetryReason::Backoff,
        RetryReason::DestinationDown,
        RetryReason::Interrupted,
        RetryReason::Operator,
    ];
    let kinds = vec![Delivery::Mailbox, Delivery::HandedOn, Delivery::Relayed];
    let hold = (moment(), proptest::option::of(moment()), text(40), text(40)).prop_map(
        |(since, until, by, reason)| {
            Box::new(Hold {
                since,
                until,
                by,
                reason,
            })
        },
    );
    prop_oneof![
        (
            hold,
            any::<u32>(),
            proptest::option::of(attempt()),
            any::<bool>()
        )
            .prop_map(|(hold, attempts, last, delay_reported)| {
                RecipientState::Held {
                    hold,
                    attempts,
                    last,
                    delay_reported,
                }
            }),
        (
            moment(),
            any::<u32>(),
            prop::sample::select(reasons),
            proptest::option::of(attempt()),
            any::<bool>()
        )
            .prop_map(|(next_at, attempts, reason, last, delay_reported)| {
                RecipientState::Waiting {
                    next_at,
                    attempts,
                    reason,
                    last,
                    delay_reported,
                }
            }),
        (attempt(), prop::sample::select(kinds), report()).prop_map(
            |(attempt, delivery, report)| RecipientState::Delivered {
                attempt,
                delivery,
                report,
            }
        ),
        (attempt(), report())
            .prop_map(|(attempt, report)| RecipientState::Failed { attempt, report }),
    ]
}

fn progress() -> impl Strategy<Value = ProgressRecord> {
    let change =
        (0..MAX_RECIPIENTS, state()).prop_map(|(recipient, state)| Change { recipient, state });
    (
        any::<bool>(),
        proptest::collection::vec(change, 0..5),
        proptest::collection::vec(0..MAX_RECIPIENTS, 0..5),
    )
        .prop_map(|(whole, changes, attempting)| ProgressRecord {
            whole,
            changes,
            attempting,
        })
}

fn encoded(envelope: &Envelope, first_try: Timestamp) -> Vec<u8> {
    let mut out = Vec::new();
    encode_envelope(envelope, first_try, &mut out).unwrap();
    out
}

proptest! {
    #[test]
    fn prop_an_envelope_is_read_back_as_it_was(envelope in envelope(), first in moment()) {
        let record = encoded(&envelope, first);
        prop_assert_eq!(decode_envelope(&record), Ok((envelope, first)));
        for end in 0..record.len() {
            prop_assert!(decode_envelope(&record[..end]).is_err());
        }
    }

    #[test]
    fn prop_progress_is_read_back_as_it_was(progress in progress()) {
        let mut record = Vec::new();
        encode_progress(&progress, &mut record).unwrap();
        prop_assert_eq!(decode_progress(&record), Ok(progress));
    }

    #[test]
    fn prop_no_octets_make_the_reader_panic(mut octets: Vec<u8>) {
        drop((decode_envelope(&octets), decode_progress(&octets)));
        octets.insert(0, VERSION);
        drop((decode_envelope(&octets), decode_progress(&octets)));
        octets[0] = FIRST_VERSION;
        drop((decode_envelope(&octets), decode_progress(&octets)));
    }

    #[test]
    fn prop_a_changed_octet_never_makes_the_reader_panic(
        envelope in envelope(), progress in progress(), at: prop::sample::Index, to: u8,
    ) {
        let mut record = encoded(&envelope, Timestamp::default());
        let place = at.index(record.len());
        record[place] = to;
        drop(decode_envelope(&record));
        let mut record = Vec::new();
        encode_progress(&progress, &mut record).unwrap();
        let place = at.index(record.len());
        record[place] = to;
        drop(decode_progress(&record));
    }
}

#[test]
fn a_reply_of_an_unknown_version_keeps_its_class_and_its_words() {
    let rest = |said: Said| ProgressRecord {
        whole: false,
        changes: vec![Change {
            recipient: 0,
            state: RecipientState::Failed {
                attempt: Box::new(Attempt {
                    at: Timestamp::default(),
                    took: Duration::ZERO,
                    host: None,
                    stage: Stage::Route,
                    said,
                }),
                report: Report::Owed,
            },
        }],
        attempting: Vec::new(),
    };
    let reply = Reply::null_mx("nullmx.test");
    let line = reply.to_line();
    let mut record = Vec::new();
    encode_progress(&rest(Said::ByUs(reply)), &mut record).unwrap();
    let at = record.windows(7).position(|w| w == b"null_mx").unwrap();
    record[at..at + 7].copy_from_slice(b"nul1_mx");
    let expected = rest(Said::ByUs(Reply::recorded_failure(line)));
    assert_eq!(decode_progress(&record), Ok(expected));
}

#[test]
fn a_remotes_endless_reply_is_cut_and_the_record_stays_readable() {
    let reply = RemoteReply::new(ReplyCode::new(550).unwrap(), vec!["é".repeat(9_999); 900]);
    let progress = ProgressRecord {
        whole: true,
        changes: vec![Change {
            recipient: 0,
            state: RecipientState::Failed {
                attempt: Box::new(Attempt {
                    at: Timestamp::default(),
                    took: Duration::ZERO,
                    host: None,
                    stage: Stage::Rcpt,
                    said: Said::ByPeer(reply),
                }),
                report: Report::Owed,
            },
        }],
        attempting: vec![],
    };
    let mut record = Vec::new();
    encode_progress(&progress, &mut record).unwrap();
    assert!(record.len() < MAX_REPLY_TEXT + 100);
    decode_progress(&record).unwrap();
}

#[test]
fn an_envelope_beyond_its_bounds_is_refused() {
    let mut envelope = crate::battery::envelope(&["bob@example.net"]);
    envelope.client.helo = "x".repeat(MAX_TEXT + 1).into();
    let refused = encode_envelope(&envelope, Timestamp::default(), &mut Vec::new());
    assert!(
        matches!(refused, Err(SpoolError::TooLarge { .. })),
        "{refused:?}"
    );
}

#[test]
fn only_a_hold_needs_the_second_version_and_the_first_one_has_none() {
    let change = |state| ProgressRecord {
        changes: vec![Change {
            recipient: 0,
            state,
        }],
        ..ProgressRecord::default()
    };
    let written = |state| {
        let mut record = Vec::new();
        encode_progress(&change(state), &mut record).unwrap();
        record
    };
    let waiting = written(RecipientState::new(Timestamp::default()));
    assert_eq!(waiting[0], 1, "an older Facteur can read it");
    let hold = Hold {
        since: Timestamp::from_millis(5),
        until: None,
        by: "root".into(),
        reason: "x".repeat(9_999).into(),
    };
    let mut held = written(RecipientState::Held {
        hold: Box::new(hold),
        attempts: 3,
        last: None,
        delay_reported: true,
    });
    assert_eq!(held[0], 2);
    assert!(held.len() < MAX_REASON + 100, "the reason is cut");
    decode_progress(&held).unwrap();
    held[0] = 1;
    assert_eq!(decode_progress(&held), Err(RecordError::Unknown(3)));
    held[0] = 3;
    assert_eq!(decode_progress(&held), Err(RecordError::Version(3)));
}

#[test]
fn a_length_that_lies_allocates_nothing() {
    let mut record = vec![VERSION, 0];
    record.extend_from_slice(&65_536_u32.to_le_bytes());
    assert_eq!(decode_progress(&record), Err(RecordError::Truncated));
    record[2..6].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(decode_progress(&record), Err(RecordError::TooLong));
}
