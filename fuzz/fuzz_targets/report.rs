//! Delivery reports of strangers: whatever they hold, and whichever line ends they have.

#![no_main]

use facteur_mail::dsn;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = dsn::parse(data);
    let unix: Vec<u8> = data.iter().copied().filter(|byte| *byte != b'\r').collect();
    let mut wire = Vec::with_capacity(2 * unix.len());
    for byte in &unix {
        if *byte == b'\n' {
            wire.push(b'\r');
        }
        wire.push(*byte);
    }
    assert_eq!(dsn::parse(&unix), dsn::parse(&wire));
});
