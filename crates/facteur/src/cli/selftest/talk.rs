//! A client that says what no good client would, and reads what it is answered.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A session with the server.
pub(super) struct Talk(BufReader<TcpStream>);

impl Talk {
    /// Connects, reads the greeting and says EHLO.
    pub(super) fn open(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&server, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut talk = Self(BufReader::new(stream));
        talk.reply()?;
        talk.say("EHLO selftest.invalid")?;
        Ok(talk)
    }

    /// Says a line and returns the last line of the reply.
    pub(super) fn say(&mut self, line: &str) -> io::Result<String> {
        self.send(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    /// Says lines of which each must be answered with 2yz or 3yz.
    pub(super) fn expect(&mut self, lines: &[&str]) -> io::Result<()> {
        for line in lines {
            let reply = self.say(line)?;
            if !reply.starts_with(['2', '3']) {
                return Err(io::Error::other(format!("{line}: {reply}")));
            }
        }
        Ok(())
    }

    /// Sends octets.
    pub(super) fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(octets)
    }

    /// Every reply until the server closes, each by its last line.
    pub(super) fn rest(&mut self) -> io::Result<Vec<String>> {
        let mut replies = Vec::new();
        while !self.0.fill_buf()?.is_empty() {
            replies.push(self.reply()?);
        }
        Ok(replies)
    }

    /// The last line of the next reply.
    fn reply(&mut self) -> io::Result<String> {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(line.trim_end().to_owned());
            }
        }
    }
}
