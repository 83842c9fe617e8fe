//! Moments as people and mail headers write them. Always UTC: a server's time zone says nothing to the reader.

use std::fmt;

use crate::environment::Timestamp;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A moment as `Date:` and `Received:` carry it: `Tue, 24 Nov 2026 11:10:21 +0000`. (RFC 5322 §3.3)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailDate(pub Timestamp);

/// A moment for people of every language: `2026-11-24 11:10 UTC`. (ISO 8601, with a space)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IsoDate(pub Timestamp);

/// A moment for programs: `2026-11-24T11:10:21.042Z`. (RFC 3339 §5.6)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineDate(pub Timestamp);

/// The fields of a moment, UTC.
struct Civil {
    year: u64,
    month: u64,
    day: u64,
    weekday: usize,
    hour: u64,
    minute: u64,
    second: u64,
}

impl Civil {
    /// The calendar of a moment; days are counted from 1 March of the year 0, so that a leap day ends a year.
    fn of(moment: Timestamp) -> Self {
        let seconds = moment.as_millis() / 1_000;
        let days = seconds / 86_400;
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let day_of_era = shifted % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        Self {
            year: year_of_era + era * 400 + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            weekday: usize::try_from(days % 7).unwrap_or_default(),
            hour: seconds / 3_600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
        }
    }

    fn month_name(&self) -> &'static str {
        usize::try_from(self.month - 1)
            .ok()
            .and_then(|at| MONTHS.get(at))
            .copied()
            .unwrap_or("Jan")
    }
}

impl fmt::Display for MachineDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = Civil::of(self.0);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            civil.year,
            civil.month,
            civil.day,
            civil.hour,
            civil.minute,
            civil.second,
            self.0.as_millis() % 1_000
        )
    }
}

impl fmt::Display for MailDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = Civil::of(self.0);
        write!(
            f,
            "{}, {} {} {:04} {:02}:{:02}:{:02} +0000",
            DAYS.get(civil.weekday).copied().unwrap_or("Thu"),
            civil.day,
            civil.month_name(),
            civil.year,
            civil.hour,
            civil.minute,
            civil.second
        )
    }
}

impl fmt::Display for IsoDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = Civil::of(self.0);
        write!(
            f,
            "{:04}-{:02}-{:02} {:02}:{:02} UTC",
            civil.year, civil.month, civil.day, civil.hour, civil.minute
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_its_calendar_date() {
        for (seconds, mail, iso) in [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000", "1970-01-01 00:00 UTC"),
            (
                951_782_400,
                "Tue, 29 Feb 2000 00:00:00 +0000",
                "2000-02-29 00:00 UTC",
            ),
            (
                1_709_251_199,
                "Thu, 29 Feb 2024 23:59:59 +0000",
                "2024-02-29 23:59 UTC",
            ),
            (
                1_795_518_621,
                "Tue, 24 Nov 2026 11:10:21 +0000",
                "2026-11-24 11:10 UTC",
            ),
            (
                4_107_542_400,
                "Mon, 1 Mar 2100 00:00:00 +0000",
                "2100-03-01 00:00 UTC",
            ),
        ] {
            let moment = Timestamp::from_millis(seconds * 1_000);
            assert_eq!(MailDate(moment).to_string(), mail);
            assert_eq!(IsoDate(moment).to_string(), iso);
        }
    }

    #[test]
    fn a_program_reads_the_moment_to_the_millisecond() {
        let moment = Timestamp::from_millis(1_795_518_621_042);
        assert_eq!(MachineDate(moment).to_string(), "2026-11-24T11:10:21.042Z");
    }
}
