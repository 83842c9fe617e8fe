//! What happens, and when: hosts and DNS change, the disk fails and runs full, the machine stops and crashes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use facteur_testkit::DiskFault;

use crate::chance::Chance;
use crate::client::Client;
use crate::letter::Letter;
use crate::mood::Mood;
use crate::settings::Dns;
use crate::storage::Readable;
use crate::world::{Sentence, Step, World, lock};

/// A disk that is not full.
const PLENTY: u64 = 100 << 30;

/// The weather.
pub(crate) struct Weather {
    world: Arc<World>,
    chance: Chance,
    readable: Readable,
}

impl Weather {
    pub(crate) fn new(world: &Arc<World>, readable: Readable) -> Self {
        Self {
            world: Arc::clone(world),
            chance: world.chance(2),
            readable,
        }
    }

    /// Everything that happens, at moments that are spread over the whole time.
    pub(crate) async fn run(self) {
        let lasts = u64::try_from(self.world.settings.lasts.as_millis()).unwrap_or_default();
        let changes = self.world.settings.changes;
        for _ in 0..changes {
            let mean = lasts / changes.max(1);
            self.world
                .pass(Duration::from_millis(self.chance.below(2 * mean + 1)))
                .await;
            if self.chance.per_mille(self.world.settings.crashes) {
                self.crash();
            } else {
                self.change().await;
            }
        }
    }

    async fn change(&self) {
        match self.chance.below(20) {
            0..=8 => self.host(),
            9..=12 => self.dns(),
            13 | 14 => {
                let steps = self.chance.between(1, 60);
                self.world
                    .note(format_args!("weather: step {steps} of the disk fails"));
                self.world.disk.fail(steps, DiskFault::Io);
                self.world.tally().disk_faults += 1;
            }
            15 => {
                self.spell("the disk fails", 1, 1_800, |on| {
                    self.world.disk.break_all(on);
                })
                .await;
            }
            16 | 17 => {
                let free = *self.chance.pick(&[0, 1_000, 10_000, 50_000]).unwrap_or(&0);
                let what = format!("{free} octets are free");
                self.spell(&what, 10, 7_200, |on| {
                    self.world.disk.set_free(if on { free } else { PLENTY });
                })
                .await;
            }
            18 => {
                let read = |on: bool| self.readable.store(!on, Ordering::SeqCst);
                self.spell("the disk cannot be read", 1, 600, read).await;
            }
            _ => {
                self.world.note(format_args!("weather: an orderly stop"));
                self.world.ask_to_stop();
            }
        }
    }

    /// Something is so for some time.
    async fn spell(&self, what: &str, low: u64, high: u64, set: impl Fn(bool)) {
        self.world.note(format_args!("weather: {what}"));
        self.world.tally().disk_faults += 1;
        self.world.books().hindered(true, self.world.now());
        set(true);
        self.world.pass(self.chance.seconds(low, high)).await;
        set(false);
        self.world.books().hindered(false, self.world.now());
        self.world.note(format_args!("weather: no longer: {what}"));
    }

    fn host(&self) {
        let hosts = self.world.hosts.all();
        if let Some(host) = self.chance.pick(&hosts) {
            let mood = Mood::any(&self.chance);
            self.world
                .note(format_args!("weather: {} is {mood:?}", host.name));
            *lock(&host.mood) = mood;
        }
    }

    fn dns(&self) {
        let domains: Vec<_> = self.world.settings.domains().collect();
        let Some((domain, number)) = self.chance.pick(&domains) else {
            return;
        };
        let dns = if self.chance.per_mille(400) {
            Dns::Two
        } else {
            *self.chance.pick(&Dns::ALL).unwrap_or(&Dns::Two)
        };
        self.world
            .note(format_args!("weather: DNS of {domain} is {dns:?}"));
        self.world.zone.remove(domain);
        self.world.zone.add(&dns.lines(domain, *number));
        let now = self.world.now();
        self.world.books().null_mx(domain, dns == Dns::Null, now);
    }

    fn crash(&self) {
        let at = *self
            .chance
            .pick(&[Step::Poll, Step::Disk, Step::Socket])
            .unwrap_or(&Step::Poll);
        let left = match at {
            Step::Poll => self.chance.below(200),
            Step::Disk => self.chance.below(25),
            Step::Socket => self.chance.below(100),
        };
        let power = self.chance.per_mille(500);
        self.world.note(format_args!(
            "weather: a crash comes after {left} steps of kind {at:?}"
        ));
        self.world.sentence(Sentence { at, left, power });
    }
}

/// Sends the clients in: in bursts, some at one moment.
pub(crate) fn send_clients(world: &Arc<World>) {
    let chance = world.chance(3);
    let lasts = world.settings.lasts.as_millis();
    let lasts = u64::try_from(lasts).unwrap_or_default();
    let (mut number, mut client) = (0, 0);
    while number < world.settings.letters {
        let moment = Duration::from_millis(chance.below(lasts));
        for _ in 0..chance.between(1, 5) {
            let stranger = chance.per_mille(200);
            let letters: Vec<Letter> = (0..chance.between(1, 4))
                .map(|_| {
                    number += 1;
                    let number = u32::try_from(number).unwrap_or_default();
                    Letter::any(number, stranger, &world.settings, &chance)
                })
                .collect();
            client += 1;
            let sends = Client::new(world, client, stranger, letters);
            let later = chance.millis(0, 2_000);
            let world_of_it = Arc::clone(world);
            world.cast.enter(async move {
                world_of_it.pass(moment + later).await;
                sends.run().await;
            });
        }
    }
}
