//! The other servers, and how the server reaches them.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use facteur_delivery::{Connecting, Endpoint, Stream, Transport};

use crate::chance::Chance;
use crate::host::Visit;
use crate::mood::{Mood, Reach};
use crate::settings::{NULL, Settings, address, host_name};
use crate::wire::{Line, Wire};
use crate::world::{Life, World, lock};

/// A host that takes mail, or not.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) name: String,
    /// Whose mail it takes.
    pub(crate) domain: String,
    pub(crate) mood: Mutex<Mood>,
    pub(crate) chance: Chance,
}

/// All hosts by their addresses.
#[derive(Debug)]
pub(crate) struct Hosts(BTreeMap<IpAddr, Arc<Host>>);

impl Hosts {
    pub(crate) fn new(seed: u64, settings: &Settings) -> Self {
        let mut hosts = BTreeMap::new();
        let mut add = |domain: &str, number: u64, place: u8| {
            let chance = Chance::new(seed, 10_000 + number * 10 + u64::from(place));
            let host = Host {
                name: host_name(number, place),
                domain: domain.to_owned(),
                mood: Mutex::new(Mood::any(&chance)),
                chance,
            };
            hosts.insert(address(number, place), Arc::new(host));
        };
        for (domain, number) in settings.domains() {
            add(&domain, number, 1);
            add(&domain, number, 2);
        }
        add(NULL, 200, 1);
        Self(hosts)
    }

    pub(crate) fn all(&self) -> Vec<Arc<Host>> {
        self.0.values().cloned().collect()
    }
}

/// The network as one life of the server sees it.
pub(crate) struct Net(pub(crate) Life);

impl Transport for Net {
    fn connect<'a>(&'a self, to: &'a Endpoint) -> Connecting<'a> {
        Box::pin(self.open(to))
    }
}

impl Net {
    async fn open(&self, to: &Endpoint) -> io::Result<Stream> {
        let world: &Arc<World> = &self.0.world;
        let host = match to {
            Endpoint::Tcp(address) => world.hosts.0.get(&address.ip()),
            Endpoint::Unix(_) => None,
        };
        let Some(host) = host else {
            return Err(io::ErrorKind::HostUnreachable.into());
        };
        world.books().connects(world, &host.domain);
        let reach = lock(&host.mood).reach;
        world.pass(host.chance.millis(0, 100)).await;
        match reach {
            Reach::Answers => {}
            Reach::Refuses => return Err(io::ErrorKind::ConnectionRefused.into()),
            Reach::Deaf => std::future::pending().await,
        }
        let line = Line::new(world.next_connection());
        let (ours, theirs) = tokio::io::duplex(host.chance.size(64, 65_536));
        let wire = Wire::new(
            ours,
            Arc::clone(&line),
            self.0.clone(),
            host.chance.number(),
            None,
        );
        world.note(format_args!("#{} to {}", line.number, host.name));
        let visit = Visit::new(Arc::clone(world), Arc::clone(host), line, theirs);
        world.cast.enter(visit.run());
        Ok(Box::new(wire))
    }
}
