//! Bits that flip at rest: each is found and named, costs at most one message, and nothing damaged goes out.

use std::fs;
use std::path::{Path, PathBuf};

use facteur_mail::Random as _;
use facteur_testkit::{Script, SeededRandom};

use crate::instance::{Instance, Lab, Setup, until};
use crate::load::{Books, Load, Sent, ZONE, drained, rounds};

/// How many bits flip in a round.
const BITS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_costs_at_most_one_message_and_none_goes_out_damaged() {
    let rounds = rounds(3);
    let (mut sent, mut missing, mut named) = (Sent::default(), 0, 0);
    for round in 0..rounds {
        let lab = Lab::new(ZONE).await;
        let script = Script::accept_all().on_rcpt("450 4.2.1 not now");
        let peer = lab.peer(2, script).await;
        let mut server = Instance::start(&lab, &Setup::default()).await;
        let load = Load::start(server.address(), "x", 2);
        until("mail", || (load.taken() >= 100).then_some(()));
        let acknowledged = load.end().await;
        server.terminate();
        assert!(server.ended().success());
        flip(&server.path("data/spool"), round.into());
        peer.set_script(Script::accept_all());
        server.launch().await;
        drained(&server);
        let books = Books::of(&server, &peer, &acknowledged.acknowledged);
        assert_eq!(books.damaged, [""; 0], "damaged and delivered");
        assert!(books.lost.len() <= BITS, "round {round}: {:?}", books.lost);
        let log = server.log();
        let told = log.matches("damaged").count();
        assert!(told >= books.lost.len(), "round {round}: not named");
        missing += books.lost.len();
        named += told;
        sent.add(acknowledged);
    }
    println!(
        "flipped bits: {rounds} rounds of {BITS} among {} messages, {missing} messages missing, {named} findings named, 0 damaged and delivered",
        sent.acknowledged.len()
    );
}

/// Flips bits in what the spool's files hold, the zero-filled room apart.
fn flip(spool: &Path, seed: u64) {
    let random = SeededRandom::new(seed);
    let mut files = Vec::new();
    collect(&spool.join("log"), &mut files);
    collect(&spool.join("bodies"), &mut files);
    let used: Vec<(PathBuf, usize)> = files
        .into_iter()
        .map(|path| {
            let octets = fs::read(&path).unwrap();
            let used = octets.iter().rposition(|octet| *octet != 0).unwrap_or(0);
            (path, used)
        })
        .collect();
    let all: usize = used.iter().map(|(_, used)| used).sum();
    for _ in 0..BITS {
        let mut at = usize::try_from(random.next() % u64::try_from(all).unwrap()).unwrap();
        let (path, _) = used
            .iter()
            .find(|(_, used)| {
                let here = at < *used;
                at -= if here { 0 } else { *used };
                here
            })
            .unwrap();
        let mut octets = fs::read(path).unwrap();
        octets[at] ^= 1 << (random.next() % 8);
        fs::write(path, octets).unwrap();
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
