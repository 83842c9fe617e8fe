//! A spool's log with damage anywhere: opening it neither fails in a way that it should not nor invents anything.
//!
//! The input is a list of changes, eight octets each, to the disk of a spool that was cut off at work. Whatever they
//! are, looking and opening do not panic; what can be read of a message is what was written, unless its checksum was
//! forged; and a second opening finds the messages that the first one found.

#![no_main]

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use facteur_mail::{
    Address, Attempt, BodyType, Client, Delivery, Envelope, Notify, Protocol, QueueId, Recipient,
    RecipientState, Report, ReversePath, Said, Stage, Timestamp,
};
use facteur_replies::Reply;
use facteur_spool::battery::wait;
use facteur_spool::{Change, Spool as _, SpoolError};
use facteur_spool_local::{Config, LocalSpool, Reader};
use facteur_testkit::SimDisk;
use libfuzzer_sys::fuzz_target;

#[expect(
    dead_code,
    reason = "shared with the spool's own tests, which use more of it"
)]
#[path = "../../crates/facteur-spool-local/tests/it/support.rs"]
mod support;

use support::TestClock;

/// Octets of a record's header.
const HEADER: usize = 64;

/// Where the records of a segment begin.
const FIRST_RECORD: usize = 4_096;

type Contents = BTreeMap<QueueId, Vec<u8>>;

static WORK: LazyLock<(SimDisk, Contents)> = LazyLock::new(work);

fuzz_target!(|data: &[u8]| {
    let (template, contents) = &*WORK;
    let disk = template.copy();
    let mut forged = false;
    for change in data.chunks_exact(8).take(64) {
        forged |= damage(&disk, change);
    }
    look(&disk, contents, forged);
    let Some(first) = open(&disk, contents, forged, false) else {
        return;
    };
    let second = open(&disk, contents, forged, true).expect("what opened once opens again");
    assert_eq!(first, second, "a second opening finds the same");
    open(&disk, contents, forged, false)
        .expect("and once more, after what was damaged is set aside");
});

fn config() -> Config {
    Config {
        segment_size: 16 << 10,
        segment_step: 4 << 10,
        inline_limit: 1_000,
        message_limit: 1 << 20,
        ..Config::new("/spool")
    }
}

/// A disk with some segments of a spool, cut off while it was at work, and what its messages hold.
fn work() -> (SimDisk, Contents) {
    let disk = SimDisk::new();
    let clock = Arc::new(TestClock::new());
    let (spool, _) = LocalSpool::open_on(Arc::new(disk.clone()), config(), clock).unwrap();
    let mut contents = Contents::new();
    for octets in [10, 900, 2_000, 300, 0, 999, 1_001, 500, 700, 100, 800, 60] {
        let mut draft = spool
            .begin(Timestamp::from_millis(1_795_000_000_000))
            .unwrap();
        let id = draft.id();
        let content: Vec<u8> = (0..octets).map(|at: usize| (at % 251) as u8).collect();
        draft.write(&content).unwrap();
        wait(draft.commit(envelope(), Timestamp::from_millis(0))).unwrap();
        contents.insert(id, content);
    }
    for (place, id) in contents.keys().enumerate() {
        if place % 3 == 0 {
            spool.attempt_begins(*id, &[0]).unwrap();
        }
        if place % 4 < 2 {
            wait(spool.settle(*id, vec![delivered(place % 2)])).unwrap();
        }
        if place % 4 == 0 {
            wait(spool.settle(*id, vec![delivered(1)])).unwrap();
        }
    }
    drop(spool);
    disk.kill();
    (disk, contents)
}

fn envelope() -> Envelope {
    let recipient = |text| Recipient {
        address: Address::parse(text).unwrap(),
        orcpt: None,
        notify: Notify::Default,
    };
    Envelope {
        sender: ReversePath::Null,
        recipients: vec![recipient("a@b.test"), recipient("\"c d\"@[192.0.2.1]")],
        body: BodyType::EightBitMime,
        smtputf8: false,
        ret: None,
        envid: None,
        arrived: Timestamp::from_millis(0),
        client: Client {
            ip: None,
            helo: "c.test".into(),
            protocol: Protocol::Esmtp,
        },
    }
}

fn delivered(recipient: usize) -> Change {
    Change {
        recipient,
        state: RecipientState::Delivered {
            attempt: Box::new(Attempt {
                at: Timestamp::from_millis(1),
                took: std::time::Duration::from_millis(3),
                stage: Stage::EndOfData,
                host: None,
                said: Said::ByUs(Reply::local_error()),
            }),
            delivery: Delivery::Relayed,
            report: Report::NotWanted,
        },
    }
}

/// Changes something behind the spool's back; whether a checksum was made to fit.
fn damage(disk: &SimDisk, change: &[u8]) -> bool {
    let [kind, file, high, low, value, length, field, more] = *change else {
        return false;
    };
    let files: Vec<PathBuf> = disk.files("");
    let Some(path) = files.get(usize::from(file) % files.len().max(1)) else {
        return false;
    };
    let at = usize::from(high) << 8 | usize::from(low);
    let mut forged = false;
    disk.alter(path, |content| {
        let at = at % content.len().max(1);
        let end = (at + usize::from(length)).min(content.len());
        match kind % 7 {
            0 => content[at..end].fill(value),
            1 => {
                let end = (at + 512 * usize::from(length)).min(content.len());
                content[at..end].fill(value);
            }
            2 => content.truncate(at),
            3 => content.extend(std::iter::repeat_n(value, usize::from(length) * 16)),
            4 => {
                let from = at / 8 * 8;
                let octets = (usize::from(length) * 8).min(content.len() - from);
                let to = usize::from(field) << 8 | usize::from(more);
                let to = to % (content.len() - octets + 1) / 8 * 8;
                content.copy_within(from..from + octets, to);
            }
            5 => forged = forge_record(content, at, field, value, more),
            _ => forged = forge_segment(content, field, value),
        }
    });
    forged
}

/// Changes an octet of a record, of its header or of its payload, and makes the checksums fit.
fn forge_record(content: &mut [u8], at: usize, field: u8, value: u8, times: u8) -> bool {
    let Some(mark) = content.get(16..24).map(<[u8]>::to_vec) else {
        return false;
    };
    let records: Vec<usize> = (FIRST_RECORD..content.len().saturating_sub(HEADER))
        .step_by(8)
        .filter(|at| content[*at..].starts_with(&mark))
        .collect();
    let Some(start) = records.get(at % records.len().max(1)).copied() else {
        return false;
    };
    let payload = u32::from_le_bytes(content[start + 16..start + 20].try_into().unwrap());
    let end = start + HEADER + payload as usize;
    if field < 64 {
        let field = start + 12 + usize::from(field) % (HEADER - 12);
        let run = (field + 1 + usize::from(times % 8)).min(start + HEADER);
        content[field..run].fill(value);
    } else if end <= content.len() && payload > 0 {
        let back = 1 + (usize::from(field - 64) | usize::from(times) << 6) % payload as usize;
        content[end - back] = value;
        let crc = crc32c::crc32c(&content[start + HEADER..end]);
        content[start + 52..start + 56].copy_from_slice(&crc.to_le_bytes());
    }
    let crc = crc32c::crc32c(&content[start + 12..start + HEADER]);
    content[start + 8..start + 12].copy_from_slice(&crc.to_le_bytes());
    true
}

/// Changes an octet of a segment's header, and makes its checksum fit.
fn forge_segment(content: &mut [u8], field: u8, value: u8) -> bool {
    let Some(header) = content.get_mut(..HEADER) else {
        return false;
    };
    header[8 + usize::from(field) % 56] = value;
    header[12..16].fill(0);
    let crc = crc32c::crc32c(header);
    header[12..16].copy_from_slice(&crc.to_le_bytes());
    true
}

fn look(disk: &SimDisk, contents: &Contents, forged: bool) {
    let clock = Arc::new(TestClock::new());
    let Ok(reader) = Reader::open_on(Arc::new(disk.clone()), "/spool".into(), clock) else {
        return;
    };
    assert_eq!(reader.report().messages, reader.ids().len());
    for id in reader.ids() {
        let _ = reader.show(id);
        if let Ok(mut body) = reader.body(id) {
            compare(id, &mut body, contents, forged);
        }
    }
}

/// Opens the spool, lets go of it, and says which messages it had.
fn open(disk: &SimDisk, contents: &Contents, forged: bool, lease: bool) -> Option<Vec<QueueId>> {
    let clock = Arc::new(TestClock::new());
    let opened = LocalSpool::open_on(Arc::new(disk.clone()), config(), clock);
    let (spool, report) = match opened {
        Ok(opened) => opened,
        Err(SpoolError::Version { .. }) if forged => return None,
        Err(error) => panic!("{error:?}"),
    };
    let mut ids = Vec::new();
    spool.waiting(&mut |waiting| ids.push(waiting.id));
    let listed = ids.len();
    assert!(listed <= report.messages, "{listed} of {report:?}");
    ids.sort_unstable();
    if lease {
        for id in &ids {
            if let Ok(leased) = wait(spool.lease(*id))
                && let Ok(mut body) = leased.body()
            {
                compare(*id, &mut body, contents, forged);
            }
        }
    }
    drop(spool);
    disk.kill();
    Some(ids)
}

fn compare(id: QueueId, body: &mut facteur_spool::Body, contents: &Contents, forged: bool) {
    let mut found = Vec::new();
    let read = body.read_to_end(&mut found);
    if read.is_ok() && !forged {
        assert_eq!(contents.get(&id), Some(&found), "{id}");
    }
}
