//! Which messages and recipients a filter means.

use std::time::Duration;

use facteur_spool::battery::NOON;
use serde_json::{Value, json};

use super::{HOUR, Lab};
use crate::queue::{BadFilter, Filter, FilterSpec};

/// A filter as it comes over the socket.
fn spec(filter: &Value) -> FilterSpec {
    serde_json::from_value(filter.clone()).unwrap()
}

#[test]
fn all_filters_that_are_given_must_fit() {
    let lab = Lab::new();
    let id = lab.queue(&["bob@one.test", "Carol@two.test"]);
    lab.tried(id, 0, "mx1.one.test", 450, "4.7.28 too fast");
    let queued = lab.shown(id);
    let now = NOON.after(Duration::from_secs(2 * HOUR));
    for (filter, places) in [
        (json!({}), &[0, 1][..]),
        (json!({"sender": "ALICE@"}), &[0, 1]),
        (json!({"sender": "bob"}), &[]),
        (json!({"recipient": "carol"}), &[1]),
        (json!({"domain": "One.Test"}), &[0]),
        (json!({"domain": "test"}), &[]),
        (json!({"host": "one.test"}), &[0]),
        (json!({"host": "MX1.one.test."}), &[0]),
        (json!({"host": "1.one.test"}), &[]),
        (json!({"host": "192.0.2.7"}), &[0]),
        (json!({"host": "[192.0.2.8]"}), &[]),
        (json!({"older": 2 * HOUR}), &[0, 1]),
        (json!({"older": 2 * HOUR + 1}), &[]),
        (json!({"younger": 2 * HOUR}), &[]),
        (json!({"younger": 2 * HOUR + 1}), &[0, 1]),
        (json!({"larger": 13}), &[0, 1]),
        (json!({"larger": 14}), &[]),
        (json!({"smaller": 14}), &[]),
        (json!({"reply": "450"}), &[0]),
        (json!({"reply": "4.7.28"}), &[0]),
        (json!({"reply": "451"}), &[]),
        (json!({"category": "rate-limit"}), &[0]),
        (json!({"category": "mailbox-full"}), &[]),
        (json!({"held": true}), &[]),
        (json!({"domain": "one.test", "recipient": "carol"}), &[]),
        (json!({"domain": "one.test", "reply": "450"}), &[0]),
    ] {
        let ready = Filter::of(&spec(&filter)).unwrap();
        assert_eq!(ready.select(&queued, now), places, "{filter}");
        assert_eq!(ready.fits(&queued, now), !places.is_empty(), "{filter}");
    }
}

#[test]
fn a_filter_that_means_nothing_is_named() {
    let text = "no such".to_owned();
    for (filter, bad) in [
        (json!({"domain": text}), BadFilter::Domain(text.clone())),
        (json!({"reply": text}), BadFilter::Reply(text.clone())),
        (json!({"category": text}), BadFilter::Category(text.clone())),
    ] {
        assert_eq!(Filter::of(&spec(&filter)).unwrap_err(), bad);
    }
}
