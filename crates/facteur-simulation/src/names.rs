//! DNS as the server asks it: a zone that the weather changes, and answers that take their time.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use facteur_mail::Domain;
use facteur_route::{Answer, DnsFailure, Lookup, MxRecord, Resolver};

use crate::chance::Chance;
use crate::world::World;

/// How long a resolver waits for servers that do not answer.
const TIME_OUT: Duration = Duration::from_secs(10);

/// The resolver of one life of the server.
pub(crate) struct Names {
    world: Arc<World>,
    chance: Chance,
}

impl Names {
    pub(crate) fn new(world: &Arc<World>, life: u64) -> Self {
        Self {
            world: Arc::clone(world),
            chance: world.chance(1_000_000 + life),
        }
    }

    /// Most answers come at once, from a cache.
    async fn take_time(&self) {
        match self.chance.below(10) {
            0 => self.world.pass(self.chance.millis(1, 3_000)).await,
            1 | 2 => self.world.pass(self.chance.millis(1, 50)).await,
            _ => {}
        }
    }

    async fn say<T>(&self, answer: Answer<T>) -> Answer<T> {
        if matches!(answer, Answer::Failed(DnsFailure::Timeout)) {
            self.world.pass(TIME_OUT).await;
        }
        answer
    }
}

impl Resolver for Names {
    fn mx<'a>(&'a self, domain: &'a Domain) -> Lookup<'a, MxRecord> {
        Box::pin(async move {
            self.take_time().await;
            self.say(self.world.zone.mx(domain).await).await
        })
    }

    fn addresses<'a>(&'a self, host: &'a Domain) -> Lookup<'a, IpAddr> {
        Box::pin(async move {
            self.take_time().await;
            self.say(self.world.zone.addresses(host).await).await
        })
    }
}
