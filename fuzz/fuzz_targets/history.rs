//! The entries of the history, which may hold anything: they are read or refused, whole entries as they stand alone.

#![no_main]

use facteur_history::{decode_entries, decode_refusal};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    drop(decode_refusal(data));
    let Ok(entries) = decode_entries(data) else {
        return;
    };
    let twice = decode_entries(&[data, data].concat());
    let both: Vec<_> = entries.iter().chain(&entries).cloned().collect();
    assert_eq!(twice, Ok(both));
});
