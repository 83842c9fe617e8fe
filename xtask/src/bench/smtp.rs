//! A small SMTP client, for what `smtp-source` cannot do, and next servers that are good, or bad in one way.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The pause between two tries to connect.
const PAUSE: Duration = Duration::from_micros(300);

/// The longest line that is read.
const MAX_LINE: u64 = 4_096;

/// A port on 127.0.0.1 that nobody uses now.
pub(super) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// Waits until a server greets with 220; returns how long that took.
pub(super) fn wait_for_banner(port: u16, limit: Duration) -> Result<Duration, Failure> {
    let began = Instant::now();
    loop {
        if Client::connect(port).is_ok() {
            return Ok(began.elapsed());
        }
        if began.elapsed() > limit {
            return Err(Failure::NoBanner { port, limit });
        }
        thread::sleep(PAUSE);
    }
}

/// A connection to a server on 127.0.0.1 that has greeted.
pub(super) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects and reads the greeting.
    pub(super) fn connect(port: u16) -> io::Result<Self> {
        Self::connect_within(port, PATIENCE)
    }

    /// As [`Client::connect`], with so much patience for each reply.
    pub(super) fn connect_within(port: u16, patience: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        let mut client = Self {
            stream: BufReader::with_capacity(512, stream),
        };
        client.expect(b'2')?;
        Ok(client)
    }

    /// Says a command and reads a reply whose code begins with this digit.
    pub(super) fn say(&mut self, command: &str, digit: u8) -> io::Result<()> {
        self.stream
            .get_mut()
            .write_all(format!("{command}\r\n").as_bytes())?;
        self.expect(digit)
    }

    /// Sends a message to one recipient.
    pub(super) fn send(&mut self, recipient: &str, content: &str) -> io::Result<()> {
        self.say("MAIL FROM:<sender@localhost>", b'2')?;
        self.say(&format!("RCPT TO:<{recipient}>"), b'2')?;
        self.say("DATA", b'3')?;
        self.say(&format!("{content}\r\n."), b'2')
    }

    fn expect(&mut self, digit: u8) -> io::Result<()> {
        loop {
            let line = read_line(&mut self.stream)?;
            if line.as_bytes().get(3) == Some(&b'-') {
                continue;
            }
            return if line.as_bytes().first() == Some(&digit) {
                Ok(())
            } else {
                Err(io::Error::other(line))
            };
        }
    }
}

fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = Vec::new();
    stream.take(MAX_LINE).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// How a next server behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// It takes mail and says when.
    Good,
    /// It takes connections and says nothing.
    Silent,
    /// Its greeting never ends.
    Endless,
    /// It closes each connection at once, unread octets and all.
    Resetting,
}

/// When a message arrived, and the header line `X-Sent` of it.
pub(super) type Arrival = (Instant, u64);

/// Serves an address in a thread of its own, and each connection in another, until the process ends.
pub(super) fn serve(
    address: SocketAddr,
    manner: Manner,
    arrivals: Sender<Arrival>,
) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let arrivals = arrivals.clone();
            thread::spawn(move || {
                // Whoever hangs up has had enough.
                drop(match manner {
                    Manner::Good => take_mail(stream, &arrivals),
                    Manner::Silent => wait_for_end(stream),
                    Manner::Endless => greet_without_end(stream),
                    Manner::Resetting => Ok(()),
                });
            });
        }
    });
    Ok(())
}

fn take_mail(stream: TcpStream, arrivals: &Sender<Arrival>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(b"220 sink.test ESMTP\r\n")?;
    let mut sent = None;
    let mut content = false;
    loop {
        let line = read_line(&mut stream)?;
        if content {
            if let Some(mark) = line.strip_prefix("X-Sent: ") {
                sent = mark.trim_end().parse().ok();
            }
            if line != ".\r\n" {
                continue;
            }
            if let Some(mark) = sent.take()
                && arrivals.send((Instant::now(), mark)).is_err()
            {
                return Ok(());
            }
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        content = verb == "DATA";
        let reply = match verb.as_str() {
            "DATA" => "354 go on\r\n",
            "QUIT" => "221 bye\r\n",
            "EHLO" => "250-sink.test\r\n250 PIPELINING\r\n",
            _ => "250 ok\r\n",
        };
        stream.get_mut().write_all(reply.as_bytes())?;
    }
}

fn wait_for_end(mut stream: TcpStream) -> io::Result<()> {
    let mut octets = [0; 512];
    while stream.read(&mut octets)? > 0 {}
    Ok(())
}

fn greet_without_end(mut stream: TcpStream) -> io::Result<()> {
    loop {
        stream.write_all(b"220-and one more line\r\n")?;
        thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn start(manner: Manner) -> (u16, mpsc::Receiver<Arrival>) {
        let (sender, receiver) = mpsc::channel();
        let port = free_port().unwrap();
        serve((Ipv4Addr::LOCALHOST, port).into(), manner, sender).unwrap();
        (port, receiver)
    }

    #[test]
    fn a_good_server_says_when_a_message_arrived() {
        let (port, arrivals) = start(Manner::Good);
        wait_for_banner(port, PATIENCE).unwrap();
        let mut client = Client::connect(port).unwrap();
        client.say("EHLO localhost", b'2').unwrap();
        client
            .send("a@sink.test", "X-Sent: 17\r\n\r\nhello")
            .unwrap();
        client
            .send("a@sink.test", "X-Sent: 18\r\n\r\nhello")
            .unwrap();
        let marks: Vec<_> = arrivals.iter().take(2).map(|(_, mark)| mark).collect();
        assert_eq!(marks, [17, 18]);
    }

    #[test]
    fn a_server_that_resets_greets_nobody() {
        let (port, _) = start(Manner::Resetting);
        assert!(Client::connect(port).is_err());
    }

    #[test]
    fn a_silent_server_says_nothing_and_an_endless_one_never_ends_its_greeting() {
        let (port, _) = start(Manner::Silent);
        assert!(Client::connect_within(port, Duration::from_millis(50)).is_err());
        let (port, _) = start(Manner::Endless);
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let lines = BufReader::new(stream).lines().take(3);
        assert!(
            lines
                .map(Result::unwrap)
                .all(|line| line.starts_with("220-"))
        );
    }
}
