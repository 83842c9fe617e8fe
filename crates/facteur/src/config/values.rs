//! Values that a configuration writes as text: durations, sizes, and how they are shown again.

use std::time::Duration;

/// Reads `90s`, `5m`, `4h`, `5d`; a whole number and one unit.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: u64 = text
        .get(..text.len() - unit.len_utf8())?
        .trim()
        .parse()
        .ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// Shows a duration as [`duration`] reads it, in the largest unit that fits.
pub(crate) fn show_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
        if seconds >= length && seconds.is_multiple_of(length) {
            return format!("{}{unit}", seconds / length);
        }
    }
    format!("{seconds}s")
}

/// Reads `52428800`, `512 KiB`, `50MiB`, `1 GiB`.
pub(crate) fn size(text: &str) -> Option<u64> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// Shows octets as [`size`] reads them, in the largest unit that fits.
pub(crate) fn show_size(octets: u64) -> String {
    for (unit, length) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if octets >= length && octets.is_multiple_of(length) {
            return format!("{} {unit}", octets / length);
        }
    }
    octets.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("4 h", 14_400), ("5d", 432_000)] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in [
            "",
            "5",
            "m",
            "5w",
            "-5m",
            "1.5h",
            "5é",
            "99999999999999999999d",
        ] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_duration_is_shown_in_its_largest_unit() {
        for text in ["90s", "5m", "4h", "5d", "0s"] {
            assert_eq!(show_duration(duration(text).unwrap()), text);
        }
    }

    #[test]
    fn a_size_is_shown_in_its_largest_unit() {
        for text in ["10", "2 KiB", "50 MiB", "2 GiB"] {
            assert_eq!(show_size(size(text).unwrap()), text);
        }
    }

    #[test]
    fn a_size_is_octets_or_a_binary_unit() {
        for (text, octets) in [("10", 10), ("2KiB", 2048), ("50 MiB", 52_428_800)] {
            assert_eq!(size(text), Some(octets), "{text}");
        }
        for wrong in ["", "MiB", "5 MB", "5 kib", "99999999999 GiB", "-1"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
    }
}
