//! What lies on the disk is not trusted: whatever it is, reading it is an answer or an error.

use std::sync::LazyLock;

use facteur_history::{decode_entries, decode_refusal};
use facteur_mail::Clock as _;
use proptest::prelude::*;

use crate::support::{Archive, Post, id};

/// The octets of a whole life.
static LIFE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let archive = Archive::open();
    let now = archive.clock.now();
    let post = Post::new(id(now, 1), now, "u@far.test");
    archive.live(&post);
    drop(archive.read());
    let connection = rusqlite::Connection::open(archive.config.file()).unwrap();
    connection
        .query_row("SELECT entries FROM story", [], |row| row.get(0))
        .unwrap()
});

#[test]
fn a_blob_that_ends_early_is_an_error_or_fewer_entries() {
    assert_eq!(decode_entries(&LIFE).unwrap().len(), 3);
    for end in 0..LIFE.len() {
        if let Ok(entries) = decode_entries(&LIFE[..end]) {
            assert!(entries.len() < 3, "cut at {end}");
        }
    }
}

#[test]
fn an_entry_of_a_later_version_is_passed_over() {
    let mut octets = vec![200, 3, 0, 0, 0, 1, 2, 3];
    octets.extend_from_slice(&LIFE);
    assert_eq!(decode_entries(&octets).unwrap().len(), 3);
}

proptest! {
    #[test]
    fn prop_any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        drop(decode_entries(&octets));
        drop(decode_refusal(&octets));
    }

    #[test]
    fn prop_a_damaged_life_is_read_or_refused(place in 0_usize..10_000, octet: u8, kind in 0_u8..10) {
        let mut octets = LIFE.clone();
        let place = place % octets.len();
        octets[place] = octet;
        drop(decode_entries(&octets));
        octets[0] = kind;
        drop(decode_entries(&octets));
        drop(decode_refusal(&octets));
    }
}
