//! A scripted SMTP client: sends what a test says, reads what the server answers.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A client over a stream: TCP, or one end of [`tokio::io::duplex`].
#[derive(Debug)]
pub struct Client<S> {
    stream: BufReader<S>,
}

/// A reply as the client read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientReply {
    /// The code of its last line.
    pub code: u16,
    /// Its lines as they came, without CRLF.
    pub lines: Vec<String>,
}

impl Client<TcpStream> {
    /// Connects. Nothing is read yet, the greeting included.
    ///
    /// # Errors
    /// As [`TcpStream::connect`].
    pub async fn connect(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// A client over an open stream.
    pub fn over(stream: S) -> Self {
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Sends a line, CRLF added.
    ///
    /// # Errors
    /// As the stream's.
    pub async fn send(&mut self, line: &str) -> io::Result<()> {
        self.send_raw(format!("{line}\r\n").as_bytes()).await
    }

    /// Sends octets as they are, in one write.
    ///
    /// # Errors
    /// As the stream's.
    pub async fn send_raw(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets).await?;
        self.stream.flush().await
    }

    /// Reads one reply, all its lines.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if the server closed, [`io::ErrorKind::InvalidData`] if a line is no
    /// reply line of RFC 5321 §4.2 ending with CRLF, or carries another code than the one before.
    pub async fn reply(&mut self) -> io::Result<ClientReply> {
        let mut lines: Vec<String> = Vec::new();
        loop {
            let line = self.line().await?;
            let (code, last) = parse(&line).ok_or_else(|| bad(&line))?;
            let same = lines
                .first()
                .is_none_or(|first| first.starts_with(&line[..3]));
            if !same {
                return Err(bad(&line));
            }
            lines.push(line);
            if last {
                return Ok(ClientReply { code, lines });
            }
        }
    }

    /// Sends a line and reads the reply.
    ///
    /// # Errors
    /// As [`Client::send`] and [`Client::reply`].
    pub async fn say(&mut self, line: &str) -> io::Result<ClientReply> {
        self.send(line).await?;
        self.reply().await
    }

    /// Sends a whole message by EHLO, MAIL, RCPT, DATA, dots stuffed, and returns the reply to its end, or
    /// the first one that is not 2yz or 3yz. Reads the greeting first.
    ///
    /// # Errors
    /// As [`Client::say`].
    pub async fn deliver(
        &mut self,
        from: &str,
        to: &[&str],
        message: &str,
    ) -> io::Result<ClientReply> {
        let mut reply = self.reply().await?;
        let mut commands = vec!["EHLO client.test".to_owned(), format!("MAIL FROM:<{from}>")];
        commands.extend(to.iter().map(|to| format!("RCPT TO:<{to}>")));
        commands.push("DATA".to_owned());
        for command in commands {
            if reply.code >= 400 {
                return Ok(reply);
            }
            reply = self.say(&command).await?;
        }
        if reply.code != 354 {
            return Ok(reply);
        }
        for line in message.lines() {
            let stuffing = if line.starts_with('.') { "." } else { "" };
            self.send(&format!("{stuffing}{line}")).await?;
        }
        self.say(".").await
    }

    /// Reads until the server closes, and returns what came.
    ///
    /// # Errors
    /// As the stream's; a reset counts as the end.
    pub async fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest).await {
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
            Ok(_) | Err(_) => Ok(rest),
        }
    }

    /// Ends what the client sends; replies can still be read.
    ///
    /// # Errors
    /// As the stream's.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// The stream; what was read from it and not yet taken is lost.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.stream.into_inner()
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = line
            .strip_suffix(b"\r\n")
            .and_then(|line| str::from_utf8(line).ok());
        text.map(str::to_owned)
            .ok_or_else(|| bad(&String::from_utf8_lossy(&line)))
    }
}

impl ClientReply {
    /// The text of each line, without the code.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        let text = |line: &'_ String| line.len().min(4);
        self.lines
            .iter()
            .map(|line| line.split_at(text(line)).1)
            .collect()
    }

    /// Whether a line says this keyword, as EHLO lists them.
    #[must_use]
    pub fn offers(&self, keyword: &str) -> bool {
        self.texts().iter().any(|text| {
            let word = text.split(' ').next().unwrap_or_default();
            word.eq_ignore_ascii_case(keyword)
        })
    }
}

impl fmt::Display for ClientReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

/// The code of a reply line and whether it is the last one.
fn parse(line: &str) -> Option<(u16, bool)> {
    let (code, rest) = line.split_at_checked(3)?;
    if !code.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let last = match rest.bytes().next() {
        None | Some(b' ') => true,
        Some(b'-') => false,
        Some(_) => return None,
    };
    Some((code.parse().ok()?, last))
}

fn bad(line: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("no reply line: {line:?}"),
    )
}
