//! Servers that misbehave at every step, all at once, in simulated time: each gets the verdict it deserves, and none
//! keeps mail from a good one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use facteur_delivery::{Connecting, Endpoint, Remote, Sender, SenderConfig, Stream, Transport};
use facteur_mail::event::Decision;
use facteur_mail::{Event, Observer};
use facteur_testkit::hostile::{Fate, HostileRemote, remotes};
use facteur_testkit::{ManualClock, Peer, Script};

use crate::office::{HOUR, MINUTE, Office};

/// A network in memory: the peer of each address.
#[derive(Default)]
struct Network(BTreeMap<String, Peer>);

impl Transport for Network {
    fn connect<'a>(&'a self, to: &'a Endpoint) -> Connecting<'a> {
        let ip = match to {
            Endpoint::Tcp(address) => address.ip().to_string(),
            Endpoint::Unix(path) => panic!("no socket {}", path.display()),
        };
        let stream = self.0[&ip].connect();
        Box::pin(async move { Ok(Box::new(stream) as Stream) })
    }
}

/// The first decision on each recipient, and when it came.
#[derive(Default)]
struct Verdicts(Mutex<BTreeMap<String, (Decision, Duration, String)>>);

impl Observer for Verdicts {
    fn observe(&self, event: &Event<'_>) {
        let Event::Tried(tried) = event else { return };
        for it in tried.recipients {
            let after = tried.at.since(tried.envelope.arrived);
            let said = it.attempt.said.to_line();
            let mut verdicts = self.0.lock().unwrap();
            verdicts
                .entry(it.recipient.address.to_string())
                .or_insert((it.decision, after, said));
        }
    }
}

fn fate(decision: Decision) -> Fate {
    match decision {
        Decision::Delivered(_) => Fate::Delivered,
        Decision::RetryAt { .. } => Fate::Deferred,
        Decision::Bounced | Decision::Expired => Fate::Bounced,
    }
}

fn ip(number: usize) -> String {
    format!("10.0.{}.{}", number / 200, number % 200 + 1)
}

fn zone(servers: usize) -> String {
    (0..servers)
        .map(|number| {
            format!(
                "d{number}.test MX 10 mx.d{number}.test\nmx.d{number}.test A {}\n",
                ip(number)
            )
        })
        .collect()
}

fn sender(network: Network, clock: &ManualClock) -> Arc<dyn Remote> {
    let config = SenderConfig::new("mail.here.test");
    Arc::new(Sender::new(
        config,
        Arc::new(network),
        Arc::new(clock.clone()),
    ))
}

#[tokio::test]
async fn every_hostile_server_gets_the_verdict_it_deserves() {
    let all = remotes();
    let mut office = Office::closed(&zone(all.len()));
    let peer =
        |remote: &HostileRemote| Peer::in_memory(remote.script.clone(), office.clock.clone());
    let peers = all
        .iter()
        .enumerate()
        .map(|(number, remote)| (ip(number), peer(remote)));
    let network = Network(peers.collect());
    let verdicts = Arc::new(Verdicts::default());
    let remote = sender(network, &office.clock);
    office.start_with(remote, verdicts.clone());
    for number in 0..all.len() {
        let to = format!("x@d{number}.test");
        office.accept("a@client.test", &[&to]).await;
    }
    // The slowest patience is that for the final dot, ten minutes; no host may take longer than an hour in all.
    office.pass(2 * HOUR).await;

    let verdicts = verdicts.0.lock().unwrap();
    let mut wrong = Vec::new();
    for (number, remote) in all.iter().enumerate() {
        match verdicts.get(&format!("x@d{number}.test")) {
            None => wrong.push(format!("{}: no verdict", remote.name)),
            Some((decision, _, said)) if fate(*decision) != remote.fate => {
                wrong.push(format!(
                    "{}: {decision:?}, not {:?}: {said}",
                    remote.name, remote.fate
                ));
            }
            Some((_, after, _)) if *after > HOUR => {
                wrong.push(format!("{}: only after {after:?}", remote.name));
            }
            Some(_) => {}
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        all.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn hostile_servers_do_not_hold_up_a_good_one() {
    let all = remotes();
    let good = all.len();
    let mut office = Office::closed(&zone(all.len() + 1));
    let mut network = Network::default();
    for (number, remote) in all.iter().enumerate() {
        let peer = Peer::in_memory(remote.script.clone(), office.clock.clone());
        network.0.insert(ip(number), peer);
    }
    let peer = Peer::in_memory(Script::accept_all(), office.clock.clone());
    network.0.insert(ip(good), peer);
    let verdicts = Arc::new(Verdicts::default());
    let remote = sender(network, &office.clock);
    office.start_with(remote, verdicts.clone());
    for round in 0..10 {
        for number in 0..all.len() {
            office
                .accept("a@client.test", &[&format!("x{round}@d{number}.test")])
                .await;
        }
        office
            .accept("a@client.test", &[&format!("y{round}@d{good}.test")])
            .await;
        office.pass(MINUTE).await;
    }
    let verdicts = verdicts.0.lock().unwrap();
    for round in 0..10 {
        let (decision, after, _) = &verdicts[&format!("y{round}@d{good}.test")];
        assert_eq!(fate(*decision), Fate::Delivered);
        assert!(*after < Duration::from_secs(1), "round {round}: {after:?}");
    }
}
