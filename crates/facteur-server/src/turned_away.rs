//! Refused connections in the log: the first of a network has a line at once, those that follow are counted and
//! have one together, so that a flood does not fill the disk.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use facteur_mail::Clock;
use facteur_replies::{Language, Reply};
use tracing::field::display;
use tracing::info;

use crate::census::{NETWORK_V4, NETWORK_V6, network_of};

/// How long refusals of a network are counted before they have a line.
const TOGETHER: Duration = Duration::from_secs(10);

/// The most networks that are counted each on its own; the others are counted together.
const MAX_NETWORKS: usize = 100;

/// What was refused lately.
#[derive(Default)]
pub(crate) struct TurnedAway {
    /// By network, how many have had no line; by `None` those of all other networks, and of Unix sockets.
    counts: Mutex<HashMap<Option<IpAddr>, u64>>,
}

impl TurnedAway {
    /// Logs a refusal, now or soon. To be called within a tokio runtime.
    pub(crate) fn log(self: &Arc<Self>, ip: Option<IpAddr>, reply: &Reply, clock: &Arc<dyn Clock>) {
        let Some(network) = self.is_first(ip) else {
            return;
        };
        info!(
            client = ip.map(display),
            reply = reply.id().row().name,
            explain = reply.explain(Language::English).key,
            "connection refused"
        );
        let turned_away = Arc::clone(self);
        let wait = clock.sleep_until(clock.now().after(TOGETHER));
        tokio::spawn(async move {
            wait.await;
            let more = turned_away.counts().remove(&network).unwrap_or_default();
            if more > 0 {
                let network = network.map(|ip| display(Network(ip)));
                let seconds = TOGETHER.as_secs();
                info!(network, more, seconds, "more connections refused");
            }
        });
    }

    /// The network whose first refusal for a while this is; none if it is only counted.
    fn is_first(&self, ip: Option<IpAddr>) -> Option<Option<IpAddr>> {
        let mut counts = self.counts();
        let own = ip.map(|ip| network_of(ip.to_canonical()));
        let full = counts.len() >= MAX_NETWORKS && !counts.contains_key(&own);
        let network = own.filter(|_| !full);
        if let Some(count) = counts.get_mut(&network) {
            *count += 1;
            return None;
        }
        counts.insert(network, 0);
        Some(network)
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Option<IpAddr>, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A network by its first address, with its prefix.
struct Network(IpAddr);

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.0.is_ipv4() {
            NETWORK_V4
        } else {
            NETWORK_V6
        };
        write!(f, "{}/{prefix}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use facteur_testkit::ManualClock;

    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_flood_from_one_network_is_counted() {
        let turned_away = TurnedAway::default();
        assert_eq!(turned_away.is_first(ip("192.0.2.1")), Some(ip("192.0.2.0")));
        for last in 0..=255 {
            let client = format!("192.0.2.{last}");
            assert_eq!(turned_away.is_first(ip(&client)), None, "{client}");
        }
        assert!(turned_away.is_first(ip("198.51.100.1")).is_some());
        assert_eq!(turned_away.counts()[&ip("192.0.2.0")], 256);
    }

    #[test]
    fn a_flood_from_everywhere_is_counted_in_bounded_memory() {
        let turned_away = TurnedAway::default();
        let lines = (0..100_000_u32)
            .filter(|n| {
                let client = IpAddr::V4((n << 8).into());
                turned_away.is_first(Some(client)).is_some()
            })
            .count();
        assert_eq!(lines, MAX_NETWORKS + 1);
        assert_eq!(turned_away.counts().len(), MAX_NETWORKS + 1);
        let others = 100_000 - u64::try_from(lines).unwrap();
        assert_eq!(turned_away.counts()[&None], others);
    }

    #[tokio::test]
    async fn after_ten_seconds_the_count_is_said_and_begins_anew() {
        let clock = ManualClock::new();
        let dynamic: Arc<dyn Clock> = Arc::new(clock.clone());
        let turned_away = Arc::new(TurnedAway::default());
        let hostname = facteur_mail::Domain::parse("mx.example.org").unwrap();
        let reply = Reply::too_many_connections(&hostname);
        turned_away.log(ip("192.0.2.1"), &reply, &dynamic);
        turned_away.log(ip("192.0.2.2"), &reply, &dynamic);
        assert_eq!(turned_away.counts().len(), 1);
        clock.until_sleeping(1).await;
        clock.advance(TOGETHER);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert!(turned_away.counts().is_empty());
    }

    #[test]
    fn a_network_shows_its_prefix() {
        let shown = |text| Network(ip(text).unwrap()).to_string();
        assert_eq!(shown("192.0.2.0"), "192.0.2.0/24");
        assert_eq!(shown("2001:db8::"), "2001:db8::/48");
    }
}
