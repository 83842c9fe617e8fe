//! Six days of mail in a moment, with crashes: whatever happens, nobody is left without an answer.

use std::collections::HashMap;
use std::time::Duration;

use facteur_mail::dsn::{self, Action};
use facteur_mail::{QueueId, Random as _};
use facteur_spool::Spool as _;
use facteur_testkit::SeededRandom;

use crate::office::{Answer, HOUR, Office};

/// How many histories are played; the seed of one that fails is printed.
const SEEDS: u64 = 10;

const DOMAINS: u64 = 6;

fn zone() -> String {
    let domain = |number| {
        format!("d{number}.test MX 10 mx{number}.test\nmx{number}.test A 192.0.2.{number}\n")
    };
    let domains: String = (0..DOMAINS).map(domain).collect();
    domains + "sender.test MX 10 mx.sender.test\nmx.sender.test A 192.0.2.99\n"
}

/// Changes what one host answers; `mx.sender.test` always takes reports.
fn change_an_answer(office: &Office, random: &SeededRandom) {
    let host = format!("mx{}.test", random.below(DOMAINS));
    let answer = match random.below(6) {
        0 | 1 => Answer::Taken("2.0.0 ok"),
        2 | 3 => Answer::Rcpt(450, "4.2.1 later"),
        4 => Answer::Silence,
        _ => Answer::Rcpt(550, "5.1.1 no such user"),
    };
    office.remote.answer(&host, answer);
}

async fn play(seed: u64) -> (Office, Vec<(QueueId, Vec<String>)>, u64) {
    let random = SeededRandom::new(seed);
    let mut office = Office::closed(&zone());
    for number in 0..DOMAINS {
        office.remote.answer(
            &format!("mx{number}.test"),
            Answer::Rcpt(450, "4.2.1 later"),
        );
    }
    office.start();
    let (mut sent, mut crashes) = (Vec::new(), 0);
    for _ in 0..60 {
        match random.below(8) {
            0 => {
                office.crash();
                office.start();
                crashes += 1;
            }
            1 | 2 => change_an_answer(&office, &random),
            _ => {
                let to: Vec<String> = (0..=random.below(3))
                    .map(|place| format!("u{place}@d{}.test", random.below(DOMAINS)))
                    .collect();
                let names: Vec<&str> = to.iter().map(String::as_str).collect();
                sent.push((office.accept("a@sender.test", &names).await, to.clone()));
            }
        }
        // Sometimes not even time for a task to run: then a crash finds it half done.
        match random.below(3) {
            0 => tokio::task::yield_now().await,
            1 => office.quiet().await,
            _ => {
                let seconds = random.below(8 * 3_600);
                office.pass(Duration::from_secs(seconds)).await;
            }
        }
    }
    office.pass(HOUR * 24 * 6).await;
    (office, sent, crashes)
}

#[tokio::test]
async fn in_every_history_each_recipient_is_served_or_the_sender_is_told() {
    for seed in 0..SEEDS {
        let (office, sent, crashes) = play(seed).await;
        assert!(
            office.spool.is_empty(),
            "seed {seed}: {} left",
            office.spool.len()
        );
        let mut served: HashMap<(QueueId, String), u64> = HashMap::new();
        for (id, to) in office.remote.taken_by_id() {
            *served.entry((id, to)).or_default() += 1;
        }
        let mut told: HashMap<(String, String), u64> = HashMap::new();
        for (to, report) in office.remote.taken() {
            if to != "a@sender.test" {
                continue;
            }
            for recipient in dsn::parse(report.as_bytes()).unwrap().recipients {
                if recipient.action == Some(Action::Failed) {
                    let about = (recipient.log_id.unwrap(), recipient.recipient.unwrap());
                    *told.entry(about).or_default() += 1;
                }
            }
        }
        for (id, recipients) in sent {
            for to in recipients {
                let served = served.get(&(id, to.clone())).copied().unwrap_or_default();
                let told = told
                    .get(&(id.to_string(), to.clone()))
                    .copied()
                    .unwrap_or_default();
                assert!(served + told > 0, "seed {seed}: {id} {to} was lost");
                let most = (1 + crashes) * 4;
                assert!(
                    served <= most && told <= most,
                    "seed {seed}: {id} {to}: {served}, {told}"
                );
                if crashes == 0 {
                    assert!(served == 0 || told == 0, "seed {seed}: {id} {to} was both");
                }
            }
        }
    }
}
