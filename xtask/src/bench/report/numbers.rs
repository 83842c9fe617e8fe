//! Numbers as each language writes them.

use crate::bench::figures::{Goal, Unit};
use crate::bench::report::table::Language;

/// A value with its unit.
pub(super) fn value(value: f64, unit: Unit, language: Language) -> String {
    let binary = |value: f64, name: char| match language {
        Language::English => format!("{} {name}iB", number(value, 1, language)),
        Language::French => format!("{}\u{a0}{name}io", number(value, 1, language)),
    };
    match unit {
        Unit::Rate => format!("{}/s", number(value, 0, language)),
        Unit::Mebibytes => match language {
            Language::English => format!("{} MiB/s", number(value, 0, language)),
            Language::French => format!("{}\u{a0}Mio/s", number(value, 0, language)),
        },
        Unit::Seconds => seconds(value, language),
        Unit::Octets => {
            let kib = value / 1_024.0;
            if kib >= 1_048_576.0 {
                binary(kib / 1_048_576.0, 'G')
            } else if kib >= 1_024.0 {
                binary(kib / 1_024.0, 'M')
            } else {
                binary(kib, 'K')
            }
        }
        Unit::Share => match language {
            Language::English => format!("{} %", number(value * 100.0, 1, language)),
            Language::French => format!("{}\u{a0}%", number(value * 100.0, 1, language)),
        },
        Unit::Quotient => times(value, language),
        Unit::Number if value < 10.0 => number(value, 2, language),
        Unit::Number => number(value, 0, language),
    }
}

fn seconds(value: f64, language: Language) -> String {
    let space = match language {
        Language::English => ' ',
        Language::French => '\u{a0}',
    };
    if value.abs() >= 1.0 {
        format!("{}{space}s", number(value, 1, language))
    } else {
        let places = if value.abs() >= 0.01 { 0 } else { 1 };
        format!("{}{space}ms", number(value * 1_000.0, places, language))
    }
}

/// How many times something is another thing.
pub(super) fn times(value: f64, language: Language) -> String {
    let places = if value < 1.0 { 2 } else { 1 };
    match language {
        Language::English => format!("{} ×", number(value, places, language)),
        Language::French => format!("{}\u{a0}×", number(value, places, language)),
    }
}

/// What is to be reached.
pub(super) fn goal(goal: Goal, unit: Unit, language: Language) -> String {
    let space = match language {
        Language::English => ' ',
        Language::French => '\u{a0}',
    };
    match goal {
        Goal::TimesAtLeast(least) => format!("≥{space}{}", times(least, language)),
        Goal::TimesAtMost(most) => format!("≤{space}{}", times(most, language)),
        Goal::AtLeast(least) => format!("≥{space}{}", value(least, unit, language)),
        Goal::AtMost(most) => format!("≤{space}{}", value(most, unit, language)),
    }
}

/// A number with so many decimal places, its thousands apart.
fn number(value: f64, places: usize, language: Language) -> String {
    let text = format!("{value:.places$}");
    let (whole, rest) = text
        .split_once('.')
        .map_or((text.as_str(), ""), |parts| parts);
    let (comma, point) = match language {
        Language::English => (',', '.'),
        Language::French => ('\u{a0}', ','),
    };
    let digits = whole.trim_start_matches('-').len();
    let mut written = String::new();
    for (place, digit) in whole.chars().filter(|c| *c != '-').enumerate() {
        if place > 0 && (digits - place).is_multiple_of(3) {
            written.push(comma);
        }
        written.push(digit);
    }
    if whole.starts_with('-') {
        written.insert(0, '−');
    }
    if rest.is_empty() {
        written
    } else {
        format!("{written}{point}{rest}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_each_language_does() {
        let both = |number: f64, unit| {
            [Language::English, Language::French].map(|language| value(number, unit, language))
        };
        assert_eq!(both(12_345.6, Unit::Rate), ["12,346/s", "12\u{a0}346/s"]);
        assert_eq!(both(0.0234, Unit::Seconds), ["23 ms", "23\u{a0}ms"]);
        assert_eq!(both(1.26, Unit::Seconds), ["1.3 s", "1,3\u{a0}s"]);
        assert_eq!(both(9_000.0, Unit::Octets), ["8.8 KiB", "8,8\u{a0}Kio"]);
        assert_eq!(both(80e6, Unit::Octets), ["76.3 MiB", "76,3\u{a0}Mio"]);
        assert_eq!(both(0.998, Unit::Share), ["99.8 %", "99,8\u{a0}%"]);
        assert_eq!(both(0.031, Unit::Number), ["0.03", "0,03"]);
        assert_eq!(both(5_000.0, Unit::Number), ["5,000", "5\u{a0}000"]);
        assert_eq!(both(-0.012, Unit::Seconds), ["−12 ms", "−12\u{a0}ms"]);
    }

    #[test]
    fn a_goal_says_its_direction() {
        let english = Language::English;
        assert_eq!(
            goal(Goal::TimesAtLeast(4.5), Unit::Rate, english),
            "≥ 4.5 ×"
        );
        assert_eq!(
            goal(Goal::TimesAtMost(0.2), Unit::Rate, english),
            "≤ 0.20 ×"
        );
        assert_eq!(goal(Goal::AtMost(0.05), Unit::Seconds, english), "≤ 50 ms");
    }
}
