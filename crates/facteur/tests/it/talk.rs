//! A client's session with the server, with a deadline for every step.

use std::future::Future;
use std::net::SocketAddr;

use facteur_testkit::Client;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::instance::PATIENCE;

/// A session. Whatever goes wrong with the connection ends the test.
pub(crate) struct Talk(Client<TcpStream>);

impl Talk {
    /// Connects and reads the banner.
    pub(crate) async fn open(server: SocketAddr) -> Self {
        let mut talk = Self::connect(server).await;
        let banner = talk.reply().await;
        assert!(banner.starts_with("220 "), "{banner}");
        talk
    }

    /// Connects; the banner is not read.
    pub(crate) async fn connect(server: SocketAddr) -> Self {
        Self(in_time(Client::connect(server)).await.unwrap())
    }

    /// Says a line and returns the reply.
    pub(crate) async fn say(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes()).await;
        self.reply().await
    }

    /// Says a line, whose reply must start like this.
    pub(crate) async fn expect(&mut self, line: &str, start: &str) -> String {
        let reply = self.say(line).await;
        assert!(reply.starts_with(start), "{line} got {reply}, not {start}");
        reply
    }

    /// Sends octets.
    pub(crate) async fn send(&mut self, octets: &[u8]) {
        in_time(self.0.send_raw(octets)).await.unwrap();
    }

    /// The next reply, its lines joined by LF.
    pub(crate) async fn reply(&mut self) -> String {
        in_time(self.0.reply()).await.unwrap().to_string()
    }

    /// The next reply, or none if the connection is lost.
    pub(crate) async fn reply_or_end(&mut self) -> Option<String> {
        let reply = in_time(self.0.reply()).await.ok()?;
        Some(reply.to_string())
    }

    /// Everything until the server closes.
    pub(crate) async fn rest(&mut self) -> String {
        String::from_utf8(in_time(self.0.rest()).await.unwrap()).unwrap()
    }

    /// Opens a transaction up to the 354.
    pub(crate) async fn open_data(&mut self, from: &str, to: &[&str]) {
        self.expect(&format!("MAIL FROM:<{from}>"), "250 ").await;
        self.rcpts(to).await;
        self.expect("DATA", "354 ").await;
    }

    /// Names recipients, all of which must be accepted.
    pub(crate) async fn rcpts(&mut self, to: &[&str]) {
        for to in to {
            self.expect(&format!("RCPT TO:<{to}>"), "250 ").await;
        }
    }

    /// Sends a message whose lines end with CRLF, and returns the reply to its end.
    pub(crate) async fn deliver(&mut self, from: &str, to: &[&str], message: &[u8]) -> String {
        self.open_data(from, to).await;
        self.send(&stuffed(message)).await;
        self.reply().await
    }
}

/// Whether a server at this address says its banner.
pub(crate) async fn greets(server: SocketAddr) -> bool {
    let Ok(mut client) = Client::connect(server).await else {
        return false;
    };
    matches!(timeout(PATIENCE, client.reply()).await, Ok(Ok(reply)) if reply.code == 220)
}

/// Waits for something that must come.
pub(crate) async fn in_time<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it takes too long")
}

/// A message on its way: dots doubled where a line starts with one, the final dot behind it.
pub(crate) fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(message.len() + 5);
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    wire.extend_from_slice(b".\r\n");
    wire
}
