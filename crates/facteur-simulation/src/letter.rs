//! What clients send: letters whose content tells which they are.

use std::fmt::Write as _;

use crate::books::Name;
use crate::chance::Chance;
use crate::settings::{GONE, LOCAL, NULL, Settings, recipients, senders};

/// A letter to be sent until it is acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) number: u32,
    /// The sender's domain; none for a letter from `<>`.
    from: Option<String>,
    /// The domains of its recipients.
    to: Vec<String>,
    octets: usize,
    /// What NOTIFY says, for each recipient.
    notify: &'static str,
    full: bool,
    pub(crate) attempt: u32,
}

impl Letter {
    /// A letter by chance. Strangers write to the local domain alone.
    pub(crate) fn any(number: u32, stranger: bool, settings: &Settings, chance: &Chance) -> Self {
        let place = || match chance.below(20) {
            _ if stranger => LOCAL.to_owned(),
            0 => NULL.to_owned(),
            1 => GONE.to_owned(),
            2..=4 => LOCAL.to_owned(),
            _ => recipients(chance.below(settings.domains)),
        };
        let count = if chance.per_mille(500) {
            1
        } else {
            chance.between(2, 6)
        };
        let from = match chance.below(12) {
            0 => None,
            1 => Some(LOCAL.to_owned()),
            _ => Some(senders(chance.below(settings.senders))),
        };
        let notify = *chance
            .pick(&[
                "",
                "",
                "",
                " NOTIFY=NEVER",
                " NOTIFY=SUCCESS,FAILURE",
                " NOTIFY=SUCCESS",
                " NOTIFY=FAILURE,DELAY",
            ])
            .unwrap_or(&"");
        Self {
            number,
            from,
            to: (0..count).map(|_| place()).collect(),
            octets: chance.size(50, 30_000),
            notify,
            full: chance.per_mille(300),
            attempt: 0,
        }
    }

    pub(crate) fn name(&self) -> Name {
        Name {
            letter: self.number,
            attempt: self.attempt,
        }
    }

    /// The MAIL command.
    pub(crate) fn mail(&self) -> String {
        let full = if self.full { " RET=FULL" } else { "" };
        match &self.from {
            Some(domain) => format!("MAIL FROM:<{}@{domain}>{full}", self.name().text()),
            None => "MAIL FROM:<>".to_owned(),
        }
    }

    /// Each recipient's address and RCPT command.
    pub(crate) fn rcpts(&self) -> Vec<(String, String)> {
        let name = self.name().text();
        let all = self.to.iter().enumerate();
        all.map(|(place, domain)| {
            let address = format!("r{place}{name}@{domain}");
            let command = format!("RCPT TO:<{address}>{}", self.notify);
            (address, command)
        })
        .collect()
    }

    /// The content: lines of every kind that is allowed.
    pub(crate) fn content(&self, seed: u64) -> Vec<u8> {
        let name = self.name().text();
        let chance = Chance::new(
            seed,
            3_000_000 + u64::from(self.number) * 100 + u64::from(self.attempt),
        );
        let mut text = format!("Message-ID: <{name}@client.test>\r\nSubject: {name}\r\n\r\n");
        while text.len() < self.octets {
            match chance.below(8) {
                0 => text.push_str("\r\n"),
                1 => text.push_str(".\r\n"),
                2 => text.push_str("..and more\r\n"),
                _ => {
                    for _ in 0..chance.size(1, 50) {
                        // A text takes whatever is written to it.
                        write!(text, "{:x} ", chance.number()).unwrap_or_default();
                    }
                    text.push_str("\r\n");
                }
            }
        }
        write!(text, "-- the end of {name}, {:x}\r\n", chance.number()).unwrap_or_default();
        text.into_bytes()
    }
}

/// A content as DATA sends it: dots stuffed, the final one behind it.
pub(crate) fn stuffed(content: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(content.len() + 100);
    for line in content.split_inclusive(|octet| *octet == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    wire.extend_from_slice(b".\r\n");
    wire
}
