//! Crowds for `cargo xtask bench`: many clients of one network that say nothing or next to nothing, and visitors that
//! want service beside them. Each client has an address of its own below 127.0.0.0/8.
//!
//! ```text
//! crowd SERVER idle COUNT NETWORK     COUNT clients of NETWORK (as 127.10.0) that stay after EHLO
//! crowd SERVER slow COUNT NETWORK     the same, an octet of a command every two seconds
//! crowd SERVER visit SECONDS SOURCE   one message after the other; a line each: milliseconds, or `failed`
//! ```
//!
//! A crowd says `ready` when each of its clients has met the server, comes again when it is sent away, and ends with its
//! standard input.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks on its standard streams"
)]

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// The most clients of a crowd.
const MAX_COUNT: usize = 20_000;

/// The longest that visits go on, in seconds.
const MAX_SECONDS: u64 = 600;

/// A client that was sent away comes again after this.
const AGAIN: Duration = Duration::from_secs(1);

/// How often a slow client says an octet.
const DRIP: Duration = Duration::from_secs(2);

/// How long a visit may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The pause between two visits.
const BETWEEN: Duration = Duration::from_millis(10);

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(task) = Task::parse(&words) else {
        eprintln!(
            "usage: crowd SERVER idle|slow COUNT NETWORK, or crowd SERVER visit SECONDS SOURCE"
        );
        return ExitCode::from(2);
    };
    match task.what {
        What::Crowd {
            count,
            octets,
            slow,
        } => crowd(task.server, count, octets, slow).await,
        What::Visits { length, source } => visits(task.server, length, source).await,
    }
    ExitCode::SUCCESS
}

struct Task {
    server: SocketAddr,
    what: What,
}

enum What {
    Crowd {
        count: usize,
        /// The network: the first three octets of its addresses.
        octets: [u8; 3],
        slow: bool,
    },
    Visits {
        length: Duration,
        source: Ipv4Addr,
    },
}

impl Task {
    fn parse(words: &[String]) -> Option<Self> {
        let [server, manner, number, place] = words else {
            return None;
        };
        let what = match manner.as_str() {
            "idle" | "slow" => {
                let first: Ipv4Addr = format!("{place}.0").parse().ok()?;
                let [a, b, c, _] = first.octets();
                What::Crowd {
                    count: number.parse::<usize>().ok()?.min(MAX_COUNT),
                    octets: [a, b, c],
                    slow: manner == "slow",
                }
            }
            "visit" => What::Visits {
                length: Duration::from_secs(number.parse::<u64>().ok()?.min(MAX_SECONDS)),
                source: place.parse().ok()?,
            },
            _ => return None,
        };
        Some(Self {
            server: server.parse().ok()?,
            what,
        })
    }
}

/// Keeps a crowd at the server's door until our input ends.
async fn crowd(server: SocketAddr, count: usize, [a, b, c]: [u8; 3], slow: bool) {
    let met = Arc::new(AtomicUsize::new(0));
    let hosts = (1..=254_u8).cycle();
    for host in hosts.take(count) {
        let met = Arc::clone(&met);
        let source = Ipv4Addr::new(a, b, c, host);
        tokio::spawn(async move {
            let mut first = true;
            loop {
                let met = first.then_some(&*met);
                // Whether it was sent away or lost makes no difference: it comes again.
                drop(stay(server, source, slow, met).await);
                first = false;
                sleep(AGAIN).await;
            }
        });
    }
    let deadline = Instant::now() + PATIENCE;
    while met.load(Ordering::Relaxed) < count && Instant::now() < deadline {
        sleep(BETWEEN).await;
    }
    println!("ready {}", met.load(Ordering::Relaxed));
    end_of_input().await;
}

/// One client: greets and stays, as long as the server lets it.
async fn stay(
    server: SocketAddr,
    source: Ipv4Addr,
    slow: bool,
    met: Option<&AtomicUsize>,
) -> io::Result<()> {
    let connected = connect(server, source).await;
    if let Some(met) = met {
        met.fetch_add(1, Ordering::Relaxed);
    }
    let mut stream = connected?;
    stream.write_all(b"EHLO crowd.test\r\n").await?;
    let (mut reader, mut writer) = stream.split();
    let talk = async {
        for octet in b"MAIL FROM:<".iter().chain([b'x'; 1_000].iter()).cycle() {
            sleep(DRIP).await;
            if slow {
                writer.write_all(&[*octet]).await?;
            }
        }
        Ok(())
    };
    let listen = async {
        let mut octets = [0; 256];
        while reader.read(&mut octets).await? > 0 {}
        Ok(())
    };
    tokio::select! {
        ended = talk => ended,
        ended = listen => ended,
    }
}

async fn connect(server: SocketAddr, source: Ipv4Addr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // The port is chosen when the connection is made: a source has as many as there are servers.
    socket.set_reuseaddr(true)?;
    socket.bind((source, 0).into())?;
    socket.connect(server).await
}

/// Delivers one message after the other, and says how long each took.
async fn visits(server: SocketAddr, length: Duration, source: Ipv4Addr) {
    let began = Instant::now();
    while began.elapsed() < length {
        let came = Instant::now();
        let visit = timeout(PATIENCE, visit(server, source)).await;
        let took = came.elapsed().as_secs_f64() * 1_000.0;
        match visit {
            Ok(Ok(())) => println!("{took:.3}"),
            Ok(Err(_)) | Err(_) => println!("failed"),
        }
        sleep(BETWEEN).await;
    }
    // A reader that has gone does not want to know.
    drop(io::stdout().flush());
}

async fn visit(server: SocketAddr, source: Ipv4Addr) -> io::Result<()> {
    let mut stream = BufReader::new(connect(server, source).await?);
    expect(&mut stream, "220").await?;
    let commands = [
        ("EHLO visitor.test\r\n", "250"),
        ("MAIL FROM:<visitor@localhost>\r\n", "250"),
        ("RCPT TO:<someone@localhost>\r\n", "250"),
        ("DATA\r\n", "354"),
        ("Subject: a visit\r\n\r\nhello\r\n.\r\n", "250"),
        ("QUIT\r\n", "221"),
    ];
    for (command, code) in commands {
        stream.write_all(command.as_bytes()).await?;
        expect(&mut stream, code).await?;
    }
    Ok(())
}

/// Reads a reply with this code.
async fn expect(stream: &mut BufReader<TcpStream>, code: &str) -> io::Result<()> {
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if !line.starts_with(code) {
            return Err(io::Error::other(line));
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}

/// Whoever started us has gone, or wants us to go.
async fn end_of_input() {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        // An input that cannot be read has ended.
        drop(io::stdin().read_to_end(&mut rest));
        sender.send(())
    });
    drop(receiver.await);
}
