//! The reader of remote replies: any cut gives the same replies, and a clean reply reads the same when it is written
//! again. The first octet says how it is cut.

#![no_main]

use facteur_replies::{Language, Topic};
use facteur_smtp::client::Extensions;
use facteur_smtp::syntax::reply::{Heard, MAX_REPLY_KEPT, ReplyError, ReplyReader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((piece, wire)) = data.split_first() else {
        return;
    };
    let (whole, fault) = read(wire, usize::MAX);
    assert_eq!(
        (&whole, &fault),
        as_refs(&read(wire, usize::from(*piece) + 1))
    );
    assert_eq!((&whole, &fault), as_refs(&read(wire, 1)));
    for heard in &whole {
        check(heard);
    }
});

type Read = (Vec<Heard>, Option<ReplyError>);

fn as_refs(read: &Read) -> (&Vec<Heard>, &Option<ReplyError>) {
    (&read.0, &read.1)
}

fn read(wire: &[u8], piece: usize) -> Read {
    let mut reader = ReplyReader::default();
    let mut all = Vec::new();
    for mut piece in wire.chunks(piece) {
        while !piece.is_empty() {
            match reader.read(piece) {
                Ok((taken, heard)) => {
                    assert!(taken > 0, "it goes on");
                    piece = &piece[taken..];
                    all.extend(heard);
                }
                Err(error) => return (all, Some(error)),
            }
        }
    }
    (all, None)
}

fn check(heard: &Heard) {
    let reply = &heard.reply;
    // A byte that is not UTF-8 takes four octets as `\xNN`.
    let kept: usize = reply.lines.iter().map(String::len).sum();
    assert!(kept <= 4 * MAX_REPLY_KEPT);
    let _ = Extensions::of(reply);
    let _ = Topic::reply(reply.code, reply.enhanced).explain(Language::French);
    if heard.findings.is_empty() {
        let wire: String = reply.wire_lines().map(|line| line + "\r\n").collect();
        assert_eq!(
            read(wire.as_bytes(), usize::MAX),
            (vec![heard.clone()], None)
        );
    }
}
