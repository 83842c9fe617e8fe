//! Attempts against scripted servers, with a clock that moves only when nobody else does.

use std::io::Cursor;

use facteur_mail::{
    Address, BodyType, Client, Domain, Envelope, Host, Notify, Protocol, QueueId, Recipient,
    ReversePath,
};
use facteur_route::MailHost;
use facteur_spool::Queued;
use facteur_testkit::ManualClock;

use super::*;

mod chunking;
mod net;
mod transcript;

use net::{Net, Wires, deaf, server};

/// A sender in a network of scripted servers.
struct World {
    net: Net,
    clock: ManualClock,
    sender: Arc<Sender>,
}

impl World {
    fn new(servers: &[(&str, net::Script)]) -> Self {
        Self::with(servers, |_| {})
    }

    fn with(servers: &[(&str, net::Script)], change: impl FnOnce(&mut SenderConfig)) -> Self {
        let (net, clock) = (Net::default(), ManualClock::new());
        for (address, script) in servers {
            net.serve(address, script.clone());
        }
        let mut config = SenderConfig::new("us.test");
        change(&mut config);
        let wires = Arc::new(Wires(net.clone(), clock.clone()));
        let sender = Arc::new(Sender::new(config, wires, Arc::new(clock.clone())));
        Self { net, clock, sender }
    }

    /// Delivers to every recipient; the connection is held as long as the caller keeps what comes back.
    async fn carry(&self, way: Way, message: Leased) -> Carried {
        self.carry_under(way, message, None).await
    }

    /// As [`World::carry`], with so many messages on a connection at most.
    async fn carry_under(&self, way: Way, message: Leased, most: Option<usize>) -> Carried {
        let sender = Arc::clone(&self.sender);
        let delivery = tokio::spawn(async move {
            let recipients: Vec<usize> = (0..message.message.envelope.recipients.len()).collect();
            let load = Load {
                message: &message,
                recipients: &recipients,
                way: &way,
                messages_per_connection: most,
            };
            sender.deliver(load).await
        });
        while !delivery.is_finished() {
            self.settle_down().await;
            if !delivery.is_finished() {
                self.clock
                    .advance_to_next()
                    .expect("somebody waits for something");
            }
        }
        delivery.await.unwrap()
    }

    /// As [`World::carry`], in words: `recipient: taken|not stage reply`.
    async fn words(&self, way: Way, message: Leased) -> Vec<String> {
        let carried = self.carry(way, message).await;
        carried.outcomes.iter().map(words).collect()
    }

    /// Lets every task go on until all of them wait.
    async fn settle_down(&self) {
        for _ in 0..300 {
            tokio::task::yield_now().await;
        }
    }
}

fn words(outcome: &Outcome) -> String {
    let attempt = outcome.attempt();
    let kind = match outcome {
        Outcome::Taken { delivery, .. } => format!("{delivery:?}"),
        Outcome::NotTaken { .. } => "not".to_owned(),
        Outcome::Waits { .. } => panic!("an attempt is an attempt"),
    };
    format!("{kind} {} {}", attempt.stage.name(), attempt.said.to_line())
}

/// Hosts `mxN.test` with one address each, as equal as their order allows.
fn hosts(addresses: &[&str]) -> Way {
    let host = |(i, address): (usize, &&str)| MailHost {
        name: Host::Domain(Domain::parse(&format!("mx{}.test", i + 1)).unwrap()),
        preference: u16::try_from(i).unwrap(),
        addresses: vec![address.parse().unwrap()],
        implicit: false,
    };
    Way::Hosts {
        hosts: addresses.iter().enumerate().map(host).collect(),
        port: 25,
        dialect: Dialect::Smtp,
    }
}

fn message(recipients: usize) -> Leased {
    message_of(recipients, b"A: b\r\n\r\ntext\r\n".to_vec(), None)
}

fn message_of(recipients: usize, content: Vec<u8>, octets: Option<u64>) -> Leased {
    let recipient = |i| Recipient {
        address: Address::parse(&format!("r{i}@t.test")).unwrap(),
        orcpt: None,
        notify: Notify::Default,
    };
    let queued = Queued {
        id: QueueId::next(Timestamp::default(), None),
        octets: octets.unwrap_or(content.len() as u64),
        envelope: Envelope {
            sender: ReversePath::Null,
            recipients: (0..recipients).map(recipient).collect(),
            body: BodyType::SevenBit,
            smtputf8: false,
            ret: None,
            envid: None,
            arrived: Timestamp::default(),
            client: Client {
                ip: None,
                helo: "".into(),
                protocol: Protocol::Local,
            },
        },
        progress: Vec::new(),
    };
    let open = move || -> Result<Body, SpoolError> { Ok(Box::new(Cursor::new(content.clone()))) };
    Leased::new(queued, Box::new(open), Box::new(|| {}))
}

const ONE: &str = "192.0.2.1:25";
const TWO: &str = "192.0.2.2:25";
const BOTH: [&str; 2] = ["192.0.2.1", "192.0.2.2"];

#[tokio::test]
async fn a_message_is_relayed_or_handed_on_as_the_server_offers_dsn() {
    let with_dsn = server().on("EHLO", &["250-mx.test\r\n250 DSN"]);
    for (script, kind) in [(server(), "Relayed"), (with_dsn, "HandedOn")] {
        let world = World::new(&[(ONE, script)]);
        let carried = world.carry(hosts(&["192.0.2.1"]), message(1)).await;
        assert_eq!(
            words(&carried.outcomes[0]),
            format!("{kind} end-of-data 250 taken")
        );
        let host = carried.outcomes[0].attempt().host.clone().unwrap();
        assert_eq!(
            (&*host.name, host.address),
            ("mx1.test", Some(ONE.parse().unwrap()))
        );
        assert_eq!(world.net.contents(), ["A: b\r\n\r\ntext\r\n"]);
    }
}

#[tokio::test]
async fn the_next_host_is_tried_when_nothing_was_said_about_the_recipient() {
    for (script, trace) in [
        (None, "refused"),
        (Some(deaf()), "deaf"),
        (
            Some(server().on("<greeting>", &["421 busy"])),
            "421 at once",
        ),
        (
            Some(server().on("<greeting>", &["450 busy"])),
            "450 at once",
        ),
        (
            Some(server().on("<greeting>", &["554 go away"])),
            "554 at once",
        ),
        (
            Some(server().on("<greeting>", &["!close"])),
            "closed at once",
        ),
        (
            Some(server().on("<greeting>", &["!silent"])),
            "silent at once",
        ),
        (
            Some(server().on("<greeting>", &["HTTP/1.1 400"])),
            "no SMTP",
        ),
        (Some(server().on("EHLO", &["550 go away"])), "550 at EHLO"),
        (Some(server().on("EHLO", &["!endless"])), "endless at EHLO"),
        (
            Some(server().on("EHLO", &["250 mx.test\r\n250 again"])),
            "two replies at EHLO",
        ),
        (
            Some(server().on("EHLO", &["250 mx.test\r\n421 busy"])),
            "421 behind EHLO",
        ),
        (Some(server().on("MAIL", &["!close"])), "closed at MAIL"),
        (Some(server().on("MAIL", &["354 go"])), "354 at MAIL"),
        (Some(server().on("RCPT", &["999 what"])), "999 at RCPT"),
        (Some(server().on("MAIL", &["421 busy"])), "421 at MAIL"),
        (Some(server().on("RCPT", &["421 busy"])), "421 at RCPT"),
        (Some(server().on("DATA", &["!silent"])), "silent at DATA"),
        (Some(server().on("DATA", &["250 what"])), "250 at DATA"),
    ] {
        let world = World::new(&[(TWO, server())]);
        if let Some(script) = script {
            world.net.serve(ONE, script);
        }
        let outcome = world.words(hosts(&BOTH), message(1)).await;
        assert_eq!(outcome, ["Relayed end-of-data 250 taken"], "{trace}");
        assert_eq!(world.net.connections(), 2, "{trace}");
    }
}

#[tokio::test]
async fn a_verdict_is_never_taken_to_another_host() {
    for (script, verdict) in [
        (server().on("MAIL", &["550 no"]), "not mail 550 no"),
        (server().on("MAIL", &["451 later"]), "not mail 451 later"),
        (server().on("RCPT", &["550 no"]), "not rcpt 550 no"),
        (
            server().on("RCPT", &["450 greylisted"]),
            "not rcpt 450 greylisted",
        ),
        (server().on("DATA", &["554 no"]), "not data 554 no"),
        (server().on(".", &["554 no"]), "not end-of-data 554 no"),
        (
            server().on(".", &["421 later"]),
            "not end-of-data 421 later",
        ),
        (
            server().on(".", &["!close"]),
            "not end-of-data 451 4.4.2 connection to mx1.test lost: closed by the remote",
        ),
        (
            server().on(".", &["!silent"]),
            "not end-of-data 451 4.4.2 connection to mx1.test lost: no reply to the end of the content within 600 seconds",
        ),
    ] {
        let world = World::new(&[(ONE, script), (TWO, server())]);
        assert_eq!(world.words(hosts(&BOTH), message(1)).await, [verdict]);
        assert_eq!(world.net.connections(), 1, "{verdict}");
    }
}

#[tokio::test]
async fn a_421_takes_only_those_without_a_verdict_to_the_next_host() {
    let first = server().on("RCPT", &["550 no", "450 later", "421 busy"]);
    let world = World::new(&[(ONE, first), (TWO, server())]);
    let outcomes = world.words(hosts(&BOTH), message(4)).await;
    assert_eq!(
        outcomes,
        [
            "not rcpt 550 no",
            "not rcpt 450 later",
            "Relayed end-of-data 250 taken",
            "Relayed end-of-data 250 taken",
        ]
    );
    let heard = world.net.log();
    let second: Vec<_> = heard
        .iter()
        .filter(|line| line.starts_with("2 RCPT"))
        .collect();
    assert_eq!(second, ["2 RCPT TO:<r2@t.test>", "2 RCPT TO:<r3@t.test>"]);
}

#[tokio::test]
async fn a_refusal_of_one_host_is_not_final_while_another_could_not_be_asked() {
    let refuses = server().on("<greeting>", &["554 go away"]);
    let no_answer = "not connect 451 4.4.1 no answer from mx1.test: connection refused";
    let world = World::new(&[(TWO, refuses.clone())]);
    assert_eq!(world.words(hosts(&BOTH), message(1)).await, [no_answer]);

    let world = World::new(&[(ONE, refuses.clone())]);
    let no_answer = no_answer.replace("mx1", "mx2");
    assert_eq!(world.words(hosts(&BOTH), message(1)).await, [no_answer]);

    let world = World::new(&[(ONE, refuses.clone()), (TWO, refuses)]);
    assert_eq!(
        world.words(hosts(&BOTH), message(1)).await,
        ["not greeting 554 go away"]
    );
}

#[tokio::test]
async fn hosts_and_addresses_are_bounded() {
    let address = |host: usize, i: usize| format!("192.0.2.{}", host * 10 + i).parse().unwrap();
    let host = |number: usize, addresses: usize| MailHost {
        name: Host::Domain(Domain::parse(&format!("mx{number}.test")).unwrap()),
        preference: 0,
        addresses: (0..addresses).map(|i| address(number, i)).collect(),
        implicit: false,
    };
    for (hosts, addresses, tried) in [(9, 1, MAX_HOSTS), (3, 8, MAX_ADDRESSES), (2, 3, 6)] {
        let world = World::new(&[]);
        let way = Way::Hosts {
            hosts: (0..hosts).map(|i| host(i, addresses)).collect(),
            port: 25,
            dialect: Dialect::Smtp,
        };
        let outcome = world.words(way, message(1)).await;
        assert!(
            outcome[0].starts_with("not connect 451 4.4.1"),
            "{outcome:?}"
        );
        assert_eq!(world.net.connections(), tried);
    }
}

#[tokio::test]
async fn a_connection_that_is_not_answered_has_its_time() {
    let world = World::new(&[(ONE, deaf())]);
    let before = world.clock.now();
    let carried = world.carry(hosts(&["192.0.2.1"]), message(1)).await;
    assert_eq!(
        words(&carried.outcomes[0]),
        "not connect 451 4.4.1 no answer from mx1.test: no connection within 30 seconds"
    );
    assert_eq!(carried.outcomes[0].attempt().at, before);
    assert_eq!(carried.outcomes[0].attempt().took, Duration::from_secs(30));
}

#[tokio::test]
async fn a_reply_that_drips_has_the_time_of_one_reply() {
    let world = World::new(&[(ONE, server().on("MAIL", &["!drip"]))]);
    let before = world.clock.now();
    let outcome = world.words(hosts(&["192.0.2.1"]), message(1)).await;
    assert_eq!(
        outcome,
        ["not mail 451 4.4.2 connection to mx1.test lost: no reply to MAIL within 300 seconds"]
    );
    assert_eq!(world.clock.now().since(before), Duration::from_secs(300));
}

#[tokio::test]
async fn a_whole_transaction_has_its_time_too() {
    let slow = |config: &mut SenderConfig| config.transaction = Duration::from_secs(100);
    let world = World::with(&[(ONE, server().on(".", &["!silent"]))], slow);
    let outcome = world.words(hosts(&["192.0.2.1"]), message(1)).await;
    assert!(outcome[0].ends_with("no reply to the end of the content within 100 seconds"));
}

#[tokio::test]
async fn an_endless_reply_is_cut_off() {
    let world = World::new(&[(ONE, server().on("MAIL", &["!endless"]))]);
    let outcome = world.words(hosts(&["192.0.2.1"]), message(1)).await;
    assert_eq!(
        outcome,
        ["not mail 451 4.5.0 mx1.test broke the protocol: a reply has more than 512 lines"]
    );
}

#[tokio::test]
async fn what_the_server_says_while_it_stops_taking_content_is_the_verdict() {
    let world = World::new(&[(ONE, server().on("DATA", &["!stop"]))]);
    let content = b"A: b\r\n\r\n"
        .iter()
        .copied()
        .chain(std::iter::repeat_n(b'x', 200_000));
    let outcome = world
        .words(
            hosts(&["192.0.2.1"]),
            message_of(1, content.collect(), None),
        )
        .await;
    assert_eq!(outcome, ["not end-of-data 552 5.3.4 too big"]);
    assert_eq!(world.net.contents(), [""; 0]);
}

#[tokio::test]
async fn long_content_goes_in_blocks_and_arrives_whole() {
    for octets in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7] {
        let world = World::new(&[(ONE, server())]);
        let line = b".dots and text\r\n".iter().copied().cycle();
        let content: Vec<u8> = line.take(octets).collect();
        let text = String::from_utf8(content.clone()).unwrap();
        let outcome = world
            .words(hosts(&["192.0.2.1"]), message_of(1, content, None))
            .await;
        assert_eq!(outcome, ["Relayed end-of-data 250 taken"], "{octets}");
        let wire = world.net.contents().remove(0);
        let lines = wire
            .lines()
            .map(|line| line.strip_prefix('.').unwrap_or(line));
        // Where it was cut within a CRLF, the end was completed.
        let sent = text.trim_end_matches('\r').lines();
        assert!(lines.eq(sent), "{octets}");
    }
}

#[tokio::test]
async fn content_that_is_not_as_long_as_it_was_is_never_sent_to_its_end() {
    let length = 200_000;
    for claimed in [length - 1, length + 1, 1, 0] {
        let world = World::new(&[(ONE, server())]);
        let message = message_of(1, vec![b'x'; length], Some(claimed as u64));
        let outcome = world.words(hosts(&["192.0.2.1"]), message).await;
        assert!(
            outcome[0].starts_with("not end-of-data 451 4.3.0"),
            "{outcome:?}"
        );
        world.settle_down().await;
        assert_eq!(world.net.contents(), [""; 0]);
    }
}

#[tokio::test]
async fn damaged_content_is_found_before_mail() {
    let world = World::new(&[(ONE, server())]);
    let mut damaged = message(1);
    let id = damaged.message.id;
    let open = move || -> Result<Body, SpoolError> {
        Err(SpoolError::Damaged {
            id,
            path: "spool".into(),
            offset: 0,
        })
    };
    damaged = Leased::new(damaged.message.clone(), Box::new(open), Box::new(|| {}));
    let outcome = world.words(hosts(&["192.0.2.1"]), damaged).await;
    assert!(outcome[0].starts_with("not queue 554 5.3.0"), "{outcome:?}");
    assert_eq!(world.net.count("MAIL"), 0);
}

#[tokio::test]
async fn eight_bit_content_is_read_before_it_is_refused() {
    for (text, outcome) in [
        ("text", "Relayed end-of-data 250 taken"),
        (
            "tëxt",
            "not mail 554 5.6.3 mx1.test does not offer 8BITMIME, which this message needs",
        ),
    ] {
        let world = World::new(&[(ONE, server())]);
        let content = format!("A: b\r\n\r\n{text}\r\n").into_bytes();
        let mut message = message_of(1, content, None);
        message.message.envelope.body = BodyType::EightBitMime;
        assert_eq!(world.words(hosts(&["192.0.2.1"]), message).await, [outcome]);
    }
}

#[tokio::test]
async fn lmtp_gives_each_recipient_its_verdict() {
    let script = server()
        .lmtp()
        .on(".", &["250 stored", "452 4.2.2 full", "550 no"]);
    let world = World::new(&[(ONE, script)]);
    let Way::Hosts { hosts, port, .. } = hosts(&["192.0.2.1"]) else {
        panic!("hosts");
    };
    let dialect = Dialect::Lmtp;
    let way = Way::Hosts {
        hosts,
        port,
        dialect,
    };
    let outcomes = world.words(way, message(3)).await;
    assert_eq!(
        outcomes,
        [
            "Mailbox end-of-data 250 stored",
            "not end-of-data 452 4.2.2 full",
            "not end-of-data 550 no",
        ]
    );
}

#[tokio::test]
async fn too_many_recipients_go_in_several_transactions_over_one_connection() {
    for refusal in ["452 4.5.3 too many", "552 too many"] {
        let two = ["250 ok", "250 ok", refusal];
        let answers: Vec<&str> = two.iter().copied().chain(two).chain(["250 ok"]).collect();
        let world = World::new(&[(
            ONE,
            server().on("RCPT", &answers).on("EHLO", &["250 mx.test"]),
        )]);
        let outcomes = world.words(hosts(&["192.0.2.1"]), message(5)).await;
        assert_eq!(outcomes, ["Relayed end-of-data 250 taken"; 5], "{refusal}");
        assert_eq!((world.net.connections(), world.net.count("MAIL")), (1, 3));
    }
}

#[tokio::test]
async fn too_many_recipients_never_fails_a_message() {
    for (refusal, outcome) in [
        ("452 4.5.3 too many", "not rcpt 452 4.5.3 too many"),
        (
            "552 5.5.3 too many",
            "not rcpt 452 4.5.3 too many recipients, at most 0 a message; send this one again for the rest",
        ),
    ] {
        let world = World::new(&[(ONE, server().on("RCPT", &[refusal])), (TWO, server())]);
        assert_eq!(world.words(hosts(&BOTH), message(1)).await, [outcome]);
        assert_eq!((world.net.connections(), world.net.count("MAIL")), (1, 1));
    }
}

#[tokio::test]
async fn a_connection_takes_its_next_message_only_when_the_last_one_is_settled() {
    let world = World::new(&[(ONE, server())]);
    let way = hosts(&["192.0.2.1"]);
    let first = world.carry(way.clone(), message(1)).await;
    assert!(first.hold.is_some());
    let second = world.carry(way.clone(), message(1)).await;
    assert_eq!(world.net.connections(), 2, "the first one is held");
    drop((first, second));
    let outcome = world.words(way, message(1)).await;
    assert_eq!(outcome, ["Relayed end-of-data 250 taken"]);
    assert_eq!((world.net.connections(), world.net.count("EHLO")), (2, 2));
}

#[tokio::test]
async fn among_equal_hosts_the_one_with_an_idle_connection_is_taken() {
    let world = World::new(&[(ONE, server()), (TWO, server())]);
    let Way::Hosts {
        mut hosts,
        port,
        dialect,
    } = hosts(&BOTH)
    else {
        panic!("hosts");
    };
    let way = |hosts: &[MailHost]| Way::Hosts {
        hosts: hosts.to_vec(),
        port,
        dialect,
    };
    hosts[1].preference = hosts[0].preference;
    drop(world.carry(way(&hosts), message(1)).await);
    hosts.reverse();
    drop(world.carry(way(&hosts), message(1)).await);
    assert_eq!(world.net.connections(), 1);
    hosts[0].preference = 0;
    hosts[1].preference = 10;
    drop(world.carry(way(&hosts), message(1)).await);
    assert_eq!(world.net.connections(), 2, "preference comes first");
}

#[tokio::test]
async fn an_idle_connection_that_is_dead_is_replaced() {
    // The first closes while it is idle, the second when it hears MAIL again, the third says it had enough.
    for script in [
        server().on(".", &["250 taken\r\n421 bye", "250 taken"]),
        server().on("MAIL", &["250 ok", "!close", "250 ok"]),
        server().on("MAIL", &["250 ok", "421 enough", "250 ok"]),
        server()
            .on("MAIL", &["250 ok", "452 4.4.5 enough", "250 ok"])
            .on("EHLO", &["250 mx.test"]),
        server().on("DATA", &["354 go", "452 4.4.5 enough", "354 go"]),
    ] {
        let world = World::new(&[(ONE, script)]);
        for _ in 0..2 {
            let outcome = world.words(hosts(&["192.0.2.1"]), message(1)).await;
            assert!(
                outcome[0].starts_with("Relayed end-of-data 250 taken"),
                "{outcome:?}"
            );
            world.settle_down().await;
        }
        assert_eq!(world.net.connections(), 2, "{:?}", world.net.log());
    }
}

#[tokio::test]
async fn a_fresh_connection_that_dies_is_not_tried_twice() {
    let world = World::new(&[(ONE, server().on("MAIL", &["!close"]))]);
    let outcome = world.words(hosts(&["192.0.2.1"]), message(1)).await;
    assert!(outcome[0].starts_with("not mail 451 4.4.2"), "{outcome:?}");
    assert_eq!(world.net.connections(), 1);
}

#[tokio::test]
async fn a_connection_carries_so_many_messages_and_no_more() {
    let announced = server().on("EHLO", &["250-mx.test\r\n250 LIMITS MAILMAX=2"]);
    for (script, limit) in [(server(), 2), (announced, 100)] {
        let world = World::with(&[(ONE, script)], |config| config.cache.messages = limit);
        for _ in 0..4 {
            drop(world.carry(hosts(&["192.0.2.1"]), message(1)).await);
        }
        world.settle_down().await;
        assert_eq!((world.net.connections(), world.net.count("QUIT")), (2, 2));
    }
}

#[tokio::test]
async fn a_sender_under_another_configuration_has_the_connections_of_the_first() {
    let mut world = World::new(&[(ONE, server())]);
    drop(world.carry(hosts(&["192.0.2.1"]), message(1)).await);
    let renamed = world.sender.under(SenderConfig::new("renamed.test"));
    world.sender = Arc::new(renamed);
    drop(world.carry(hosts(&["192.0.2.1"]), message(1)).await);
    assert_eq!(world.net.connections(), 1);
    world.sender.close().await;
    world.sender = Arc::new(world.sender.under(SenderConfig::new("again.test")));
    drop(world.carry(hosts(&["192.0.2.1"]), message(1)).await);
    assert_eq!(world.net.count("EHLO again.test"), 1);
}

#[tokio::test]
async fn an_idle_connection_says_quit_when_its_time_is_over() {
    let world = World::new(&[(ONE, server())]);
    drop(world.carry(hosts(&["192.0.2.1"]), message(1)).await);
    assert_eq!(world.sender.connections.idle(), 1);
    world.settle_down().await;
    world.clock.advance(CacheLimits::default().idle);
    world.settle_down().await;
    assert_eq!(
        (world.sender.connections.idle(), world.net.count("QUIT")),
        (0, 1)
    );
    assert_eq!(world.clock.sleepers(), 0, "nobody attends to nothing");
}

#[tokio::test]
async fn deliveries_that_end_together_leave_their_connections_to_the_next_ones() {
    let world = World::with(&[(ONE, server())], |config| config.cache.per_server = 2);
    for _ in 0..2 {
        let mut carried = Vec::new();
        for _ in 0..5 {
            carried.push(world.carry(hosts(&["192.0.2.1"]), message(1)).await);
        }
        drop(carried);
        world.settle_down().await;
    }
    assert_eq!((world.net.connections(), world.net.count("QUIT")), (5, 0));
}

#[tokio::test]
async fn so_many_connections_are_kept_and_the_others_for_a_second() {
    let world = World::with(&[(ONE, server())], |config| config.cache.per_server = 2);
    let mut carried = Vec::new();
    for _ in 0..3 {
        carried.push(world.carry(hosts(&["192.0.2.1"]), message(1)).await);
    }
    drop(carried);
    world.settle_down().await;
    assert_eq!(world.sender.connections.idle(), 3);
    world.clock.advance(Duration::from_secs(1));
    world.settle_down().await;
    assert_eq!(
        (world.sender.connections.idle(), world.net.count("QUIT")),
        (2, 1)
    );
    world.sender.close().await;
    assert_eq!(
        (world.sender.connections.idle(), world.net.count("QUIT")),
        (0, 3)
    );
    drop(world.carry(hosts(&["192.0.2.1"]), message(1)).await);
    assert_eq!(world.sender.connections.idle(), 0, "closed");
}

#[tokio::test]
async fn a_connection_carries_no_more_messages_than_its_destination_allows() {
    let world = World::new(&[(ONE, server())]);
    for _ in 0..4 {
        let carried = world
            .carry_under(hosts(&["192.0.2.1"]), message(1), Some(2))
            .await;
        drop(carried.hold);
        world.settle_down().await;
    }
    assert_eq!((world.net.connections(), world.net.count("MAIL")), (2, 4));
}

#[tokio::test]
async fn it_is_known_whether_a_connection_waits_and_what_was_opened() {
    let world = World::new(&[(ONE, server())]);
    let way = || hosts(&["192.0.2.1"]);
    assert!(!world.sender.is_warm(&way()));
    let first = world.carry(way(), message(1)).await;
    assert_eq!((first.opened, first.kept), (1, true));
    drop(first.hold);
    assert!(world.sender.is_warm(&way()));
    let second = world.carry_under(way(), message(1), Some(2)).await;
    assert_eq!((second.opened, second.kept), (0, false), "it is used up");
    let refused = World::new(&[]).carry(way(), message(1)).await;
    assert_eq!((refused.opened, refused.kept), (1, false), "it was tried");
}

#[tokio::test]
async fn servers_that_are_slow_one_after_the_other_do_not_hold_an_attempt_for_hours() {
    let slow = || server().on("<greeting>", &["!silent"]);
    let addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"];
    let ports = addresses.map(|address| format!("{address}:25"));
    let servers: Vec<_> = ports.iter().map(|port| (port.as_str(), slow())).collect();
    let world = World::new(&servers);
    let began = world.clock.now();
    let words = world.words(hosts(&addresses), message(1)).await;
    assert!(words[0].starts_with("not greeting"), "{words:?}");
    assert_eq!(world.net.connections(), 3, "five minutes each");
    assert_eq!(world.clock.now().since(began), Duration::from_secs(15 * 60));
}
