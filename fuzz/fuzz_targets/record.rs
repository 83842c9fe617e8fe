//! The spool's records, which may hold anything: what is read can be written, and then reads and writes the same for
//! ever. The first octet says for how many recipients a progress is meant.

#![no_main]

use facteur_mail::Timestamp;
use facteur_spool::Standing;
use facteur_spool::record::{
    ProgressRecord, decode_envelope, decode_progress, encode_envelope, encode_progress,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((recipients, record)) = data.split_first() else {
        return;
    };
    if let Ok((envelope, first_try)) = decode_envelope(record) {
        let mut written = Vec::new();
        encode_envelope(&envelope, first_try, &mut written).unwrap();
        assert_eq!(decode_envelope(&written), Ok((envelope, first_try)));
    }
    if let Ok(progress) = decode_progress(record) {
        let written = write(&progress);
        let again = decode_progress(&written).unwrap();
        assert_eq!(write(&again), written);
        stands_for_all_before_it(again, usize::from(*recipients));
    }
});

fn write(progress: &ProgressRecord) -> Vec<u8> {
    let mut out = Vec::new();
    encode_progress(progress, &mut out).unwrap();
    out
}

fn stands_for_all_before_it(progress: ProgressRecord, recipients: usize) {
    let first_try = Timestamp::from_millis(1);
    let mut standing = Standing::new(recipients, first_try);
    standing.apply(progress);
    let whole = decode_progress(&write(&standing.whole())).unwrap();
    let mut again = Standing::new(recipients, first_try);
    again.apply(whole);
    assert_eq!(again, standing);
}
