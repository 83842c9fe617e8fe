//! No input costs more than its length: each parser reads a long repetition of anything within [`LIMIT`].
//!
//! The first octet chooses the parser, the second and third how the rest is divided into a beginning, what is repeated,
//! and an end. What is quadratic takes many times as long, so that the limit need not be sharp; it is wide because of
//! the sanitiser and of other work on the machine.

#![no_main]

use std::sync::Arc;
use std::time::{Duration, Instant};

use facteur_mail::{Address, Domain, QueueId, Receipt, dsn};
use facteur_replies::Topic;
use facteur_route::{Exchange, MaildirTemplate, NextHop};
use facteur_smtp::client::{Inspection, Stuffing};
use facteur_smtp::server::{Action, Config, Question, Role, Session};
use facteur_smtp::syntax::Command;
use facteur_smtp::syntax::reply::ReplyReader;
use facteur_spool::record::{decode_envelope, decode_progress};
use libfuzzer_sys::fuzz_target;

/// How long an input is, in octets, at least.
const LENGTH: usize = 256 << 10;

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(1);

fuzz_target!(|data: &[u8]| {
    let Some(([parser, begin, end], rest)) = data.split_first_chunk() else {
        return;
    };
    let (begin, rest) = rest.split_at(rest.len().min((*begin).into()));
    let (repeated, end) = rest.split_at(rest.len() - rest.len().min((*end).into()));
    if repeated.is_empty() {
        return;
    }
    let mut input = begin.to_vec();
    while input.len() < LENGTH {
        input.extend_from_slice(repeated);
    }
    input.extend_from_slice(end);
    // Another process may have had the processor: only what is slow each time is slow.
    let slow = (0..3).all(|_| {
        let start = Instant::now();
        read(*parser, &input);
        start.elapsed() > LIMIT
    });
    assert!(!slow, "parser {} takes more than {LIMIT:?}", parser % 8);
});

fn read(parser: u8, input: &[u8]) {
    match parser % 8 {
        0 => converse(input, usize::MAX),
        1 => converse(input, 1_460),
        2 => drop(dsn::parse(input)),
        3 => replies(input),
        4 => names(&String::from_utf8_lossy(input)),
        5 => drop((decode_envelope(input), decode_progress(input))),
        6 => content(input),
        _ => drop(Command::parse(input)),
    }
}

fn converse(input: &[u8], piece: usize) {
    let mut config = Config::new(Domain::parse("mx.example.org").unwrap(), Role::Smtp);
    config.max_errors = u32::MAX;
    config.max_messages = u32::MAX;
    config.max_recipients = u32::MAX;
    let mut session = Session::new(Arc::new(config), None);
    let mut out = Vec::new();
    for piece in input.chunks(piece) {
        session.receive(piece);
        loop {
            match session.next_action() {
                Action::Reply(reply) => {
                    out.clear();
                    reply.write_to(&mut out);
                }
                Action::Ask(Question::Commit) => {
                    session.committed(Ok(Receipt::mint(QueueId::from_number(1))));
                }
                Action::Ask(_) => session.answer(Ok(())),
                Action::Content(_) | Action::Abandon => {}
                Action::Read(_) => break,
                Action::Close => return,
            }
        }
    }
}

fn replies(input: &[u8]) {
    let mut reader = ReplyReader::default();
    let mut rest = input;
    while let Ok((taken, _)) = reader.read(rest)
        && taken > 0
    {
        rest = &rest[taken..];
    }
}

fn names(text: &str) {
    drop((Address::parse(text), Domain::parse(text)));
    drop((NextHop::parse(text, 25), Exchange::parse(text)));
    drop((MaildirTemplate::parse(text), Topic::parse(text)));
}

fn content(input: &[u8]) {
    let mut inspection = Inspection::default();
    let mut stuffing = Stuffing::default();
    let mut out = Vec::new();
    for piece in input.chunks(64 * 1024) {
        inspection.push(piece);
        out.clear();
        stuffing.push(piece, &mut out);
    }
    let _ = inspection.finish();
    stuffing.finish(&mut out);
}
