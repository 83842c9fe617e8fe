//! What a seed decides before anything happens: how patient the server is, how much mail there is, who takes part.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use facteur_spool_local::Config as SpoolConfig;

use crate::chance::Chance;

/// The domain whose mailboxes are here.
pub(crate) const LOCAL: &str = "here.test";

/// A domain that says it takes no mail, and all the same has a host that would.
pub(crate) const NULL: &str = "null.test";

/// A domain that does not exist.
pub(crate) const GONE: &str = "gone.test";

/// The server.
pub(crate) const HOSTNAME: &str = "mx.here.test";

/// Where the spool lies.
pub(crate) const SPOOL: &str = "/spool";

/// What a seed decides.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The waits between tries.
    pub(crate) waits: Vec<Duration>,
    pub(crate) give_up_after: Duration,
    pub(crate) destination_pause: Duration,
    pub(crate) delay_notice_after: Option<Duration>,
    /// For how long mail is sent and things happen.
    pub(crate) lasts: Duration,
    /// How many letters are sent.
    pub(crate) letters: u64,
    /// How many domains take them.
    pub(crate) domains: u64,
    /// How many domains send them.
    pub(crate) senders: u64,
    /// How much happens: changes of weather in all.
    pub(crate) changes: u64,
    /// In how many of a thousand such changes the server crashes.
    pub(crate) crashes: u64,
    pub(crate) segment: u64,
    pub(crate) inline: usize,
    pub(crate) idle_connections: usize,
}

const HOUR: Duration = Duration::from_secs(3_600);

impl Settings {
    pub(crate) fn of(seed: u64) -> Self {
        let chance = Chance::new(seed, 1);
        let minutes = |list: &[u64]| -> Vec<Duration> {
            list.iter()
                .map(|minutes| Duration::from_secs(minutes * 60))
                .collect()
        };
        let waits = match chance.below(4) {
            0 => minutes(&[5, 15, 30, 60, 120, 240]),
            1 => minutes(&[1, 10, 60, 360]),
            2 => minutes(&[15]),
            _ => minutes(&[2, 4, 240]),
        };
        let first = waits.first().copied().unwrap_or(HOUR);
        let days = |hours: u64| HOUR * u32::try_from(hours).unwrap_or(1);
        let give_up_after = days(*chance.pick(&[4, 24, 48, 96, 120]).unwrap_or(&24));
        let segment = *chance
            .pick(&[8 << 10, 16 << 10, 64 << 10])
            .unwrap_or(&(16 << 10));
        Self {
            give_up_after: if waits.len() == 1 {
                give_up_after.min(24 * HOUR)
            } else {
                give_up_after
            },
            waits,
            destination_pause: first / 5 * 4,
            delay_notice_after: chance.per_mille(700).then_some(4 * HOUR),
            lasts: days(*chance.pick(&[6, 24, 72, 120]).unwrap_or(&24)),
            letters: chance.between(8, 28),
            domains: chance.between(2, 6),
            senders: chance.between(1, 3),
            changes: chance.between(5, 60),
            crashes: *chance.pick(&[0, 100, 250, 500]).unwrap_or(&100),
            segment,
            inline: *chance.pick(&[600, 3_000, 20_000]).unwrap_or(&3_000),
            idle_connections: *chance.pick(&[0, 1, 50]).unwrap_or(&50),
        }
    }

    /// The names of all domains that have servers: those of recipients, then those of senders.
    pub(crate) fn domains(&self) -> impl Iterator<Item = (String, u64)> {
        let recipients = (0..self.domains).map(|number| (recipients(number), number));
        let senders = (0..self.senders).map(|number| (senders(number), 100 + number));
        recipients.chain(senders)
    }

    pub(crate) fn zone(&self) -> String {
        let mut zone = format!("{NULL} MX 0 .\n{NULL} A {}\n", address(200, 1));
        for (domain, number) in self.domains() {
            zone.push_str(&Dns::Two.lines(&domain, number));
            for host in [1, 2] {
                let name = host_name(number, host);
                zone.push_str(&format!("{name} A {}\n", address(number, host)));
            }
        }
        zone
    }

    pub(crate) fn spool(&self) -> SpoolConfig {
        SpoolConfig {
            segment_size: self.segment,
            segment_step: self.segment / 2,
            inline_limit: self.inline,
            inline_budget: 60_000,
            message_limit: 100_000,
            reserve_percent: 0,
            reserve_most: 0,
            ..SpoolConfig::new(SPOOL)
        }
    }

    /// The wait after this many tries, without its jitter.
    pub(crate) fn wait(&self, attempts: u32) -> Duration {
        let place = usize::try_from(attempts.saturating_sub(1)).unwrap_or_default();
        let wait = self.waits.get(place).or_else(|| self.waits.last());
        wait.copied().unwrap_or_default()
    }

    pub(crate) fn longest_wait(&self) -> Duration {
        self.waits.iter().max().copied().unwrap_or_default()
    }
}

pub(crate) fn recipients(number: u64) -> String {
    format!("d{number}.test")
}

pub(crate) fn senders(number: u64) -> String {
    format!("s{number}.test")
}

/// A host of a domain.
pub(crate) fn host_name(domain: u64, host: u8) -> String {
    format!("h{host}-{domain}.hosts.test")
}

/// Its address.
pub(crate) fn address(domain: u64, host: u8) -> IpAddr {
    let domain = u8::try_from(domain).unwrap_or(u8::MAX);
    Ipv4Addr::new(198, 18, domain, host).into()
}

/// What DNS says of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dns {
    /// Two hosts, one preferred.
    Two,
    /// Two equal hosts.
    Equal,
    /// One host.
    One,
    /// A preferred host without an address, and a real one.
    HalfGone,
    /// No MX: the domain itself is the host.
    Implicit,
    /// A null MX.
    Null,
    ServFail,
    TimeOut,
    NoSuchDomain,
}

impl Dns {
    pub(crate) const ALL: [Self; 9] = [
        Self::Two,
        Self::Equal,
        Self::One,
        Self::HalfGone,
        Self::Implicit,
        Self::Null,
        Self::ServFail,
        Self::TimeOut,
        Self::NoSuchDomain,
    ];

    /// The domain's lines of the zone; none if it does not exist.
    pub(crate) fn lines(self, domain: &str, number: u64) -> String {
        let (first, second) = (host_name(number, 1), host_name(number, 2));
        match self {
            Self::Two => format!("{domain} MX 10 {first}\n{domain} MX 20 {second}\n"),
            Self::Equal => format!("{domain} MX 10 {first}\n{domain} MX 10 {second}\n"),
            Self::One => format!("{domain} MX 10 {first}\n"),
            Self::HalfGone => {
                format!("{domain} MX 10 nobody.hosts.test\n{domain} MX 20 {second}\n")
            }
            Self::Implicit => format!("{domain} A {}\n", address(number, 1)),
            Self::Null => format!("{domain} MX 0 .\n"),
            Self::ServFail => format!("{domain} SERVFAIL\n"),
            Self::TimeOut => format!("{domain} TIMEOUT\n"),
            Self::NoSuchDomain => String::new(),
        }
    }
}
