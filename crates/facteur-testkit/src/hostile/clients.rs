//! Clients that misbehave at every step of a session.

/// One thing that a client does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Write these octets, whether or not anybody reads.
    Write(Vec<u8>),
    /// Read replies until one with this code has come to its end.
    Expect(u16),
    /// Write these octets again and again, so many times at most, until the server closes.
    Flood(Vec<u8>, usize),
    /// Write these octets one at a time, slowly, again and again, until the server closes.
    Drip(Vec<u8>),
    /// Write these octets so many times and read nothing, ever.
    FloodDeaf(Vec<u8>, usize),
    /// Say no more to the server, which still may answer.
    CloseWriting,
}

/// How it must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The last reply has this code; then the client goes.
    Reply(u16),
    /// The server says this code and closes.
    Closed(u16),
    /// The server closes, whatever it says.
    Gone,
}

/// A client that misbehaves.
#[derive(Debug, Clone)]
pub struct HostileClient {
    /// What it does, in words.
    pub name: &'static str,
    /// How.
    pub steps: Vec<Step>,
    /// How it ends.
    pub end: End,
}

/// Every one of them. `to` is a recipient that the server knows; a message is at most `limit` octets there.
#[must_use]
pub fn clients(to: &str, limit: u64) -> Vec<HostileClient> {
    let mut all = silent(to);
    all.extend(flooding());
    all.extend(out_of_order(to));
    all.extend(foreign());
    all.extend(malformed(to));
    all.extend(smuggling(to));
    all.extend(too_much(to, limit));
    all
}

fn client(name: &'static str, steps: Vec<Step>, end: End) -> HostileClient {
    HostileClient { name, steps, end }
}

fn write(octets: impl AsRef<[u8]>) -> Step {
    Step::Write(octets.as_ref().to_vec())
}

/// EHLO and its answer, then more steps.
fn after_hello(more: Vec<Step>) -> Vec<Step> {
    let mut steps = vec![
        Step::Expect(220),
        write("EHLO client.test\r\n"),
        Step::Expect(250),
    ];
    steps.extend(more);
    steps
}

/// One command in a session, and its answer.
fn says(name: &'static str, line: &str, code: u16) -> HostileClient {
    let steps = after_hello(vec![write(format!("{line}\r\n"))]);
    client(name, steps, End::Reply(code))
}

/// Up to the 354.
fn data(to: &str) -> Vec<Step> {
    after_hello(vec![
        write(format!(
            "MAIL FROM:<x@client.test>\r\nRCPT TO:<{to}>\r\nDATA\r\n"
        )),
        Step::Expect(354),
    ])
}

fn content(name: &'static str, to: &str, content: impl AsRef<[u8]>, code: u16) -> HostileClient {
    let mut steps = data(to);
    steps.push(write(content));
    client(name, steps, End::Reply(code))
}

fn silent(to: &str) -> Vec<HostileClient> {
    let mut stops_in_data = data(to);
    stops_in_data.push(write("Subject: x\r\n\r\nand then"));
    let mut drips_content = data(to);
    drips_content.push(Step::Drip(b"x".to_vec()));
    let mut goes_in_data = data(to);
    goes_in_data.extend([write("Subject: x\r\n\r\nbye"), Step::CloseWriting]);
    let stops_in_bdat = after_hello(vec![write(format!(
        "MAIL FROM:<x@client.test>\r\nRCPT TO:<{to}>\r\nBDAT 1000 LAST\r\nfew"
    ))]);
    vec![
        client("says nothing", vec![Step::Expect(220)], End::Closed(421)),
        client(
            "stops after EHLO",
            after_hello(Vec::new()),
            End::Closed(421),
        ),
        client(
            "never ends its line",
            vec![Step::Expect(220), write("EHLO cli")],
            End::Closed(421),
        ),
        client(
            "says its command an octet at a time",
            vec![Step::Expect(220), Step::Drip(b"NOOP".to_vec())],
            End::Gone,
        ),
        client("stops in the content", stops_in_data, End::Closed(421)),
        client(
            "says its content an octet at a time",
            drips_content,
            End::Closed(421),
        ),
        client("stops in a chunk", stops_in_bdat, End::Closed(421)),
        client("goes in the content", goes_in_data, End::Gone),
        client(
            "closes its side at once",
            vec![Step::CloseWriting],
            End::Gone,
        ),
    ]
}

fn flooding() -> Vec<HostileClient> {
    let floods = |name, line: &str| {
        let flood = Step::Flood(format!("{line}\r\n").into_bytes(), 100_000);
        client(name, after_hello(vec![flood]), End::Closed(421))
    };
    let line = Step::Flood(vec![b'x'; 4_096], 10_000);
    vec![
        floods("floods NOOP", "NOOP"),
        floods("floods RSET", "RSET"),
        floods("floods VRFY", "VRFY anne"),
        floods("floods HELP", "HELP"),
        floods("floods EHLO", "EHLO again.test"),
        floods("floods unknown commands", "WHAT"),
        floods("floods empty lines", ""),
        floods("floods MAIL and RSET", "MAIL FROM:<x@client.test>\r\nRSET"),
        floods(
            "floods strange recipients",
            "MAIL FROM:<x@client.test>\r\nRCPT TO:<y@elsewhere.test>\r\nRSET",
        ),
        client(
            "sends 40 MiB without an end of line",
            vec![Step::Expect(220), line],
            End::Gone,
        ),
        client(
            "asks and never reads",
            vec![Step::FloodDeaf(b"HELP\r\n".to_vec(), 2_000_000)],
            End::Gone,
        ),
    ]
}

fn out_of_order(to: &str) -> Vec<HostileClient> {
    vec![
        client(
            "says MAIL first",
            vec![Step::Expect(220), write("MAIL FROM:<x@client.test>\r\n")],
            End::Reply(503),
        ),
        says("says RCPT without MAIL", &format!("RCPT TO:<{to}>"), 503),
        says("says DATA without RCPT", "DATA", 503),
        says("says BDAT without RCPT", "BDAT 0 LAST", 503),
        client(
            "nests MAIL",
            after_hello(vec![
                write("MAIL FROM:<x@client.test>\r\n"),
                Step::Expect(250),
                write("MAIL FROM:<y@client.test>\r\n"),
            ]),
            End::Reply(503),
        ),
        says(
            "asks for AUTH that is not offered",
            "AUTH PLAIN AHgAeQ==",
            502,
        ),
        client(
            "injects behind STARTTLS",
            after_hello(vec![
                write("STARTTLS\r\nNOOP injected\r\n"),
                Step::Expect(502),
            ]),
            End::Reply(250),
        ),
        says("speaks LMTP to SMTP", "LHLO client.test", 500),
    ]
}

fn foreign() -> Vec<HostileClient> {
    let hello = [
        0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03,
    ];
    let mut tls = hello.to_vec();
    tls.extend([0xa5; 500]);
    tls.extend(b"\r\n");
    let http = "POST / HTTP/1.1\r\nHost: mail\r\nContent-Length: 99\r\n\r\n\
                EHLO x\r\nMAIL FROM:<x@client.test>\r\nRCPT TO:<y@elsewhere.test>\r\nDATA\r\n";
    vec![
        client(
            "speaks TLS",
            vec![Step::Expect(220), write(tls)],
            End::Reply(500),
        ),
        client(
            "speaks HTTP",
            vec![Step::Expect(220), write(http)],
            End::Closed(421),
        ),
        client(
            "talks before the greeting",
            vec![write("EHLO early.test\r\n"), Step::Expect(220)],
            End::Reply(250),
        ),
        client(
            "sends NULs",
            vec![
                Step::Expect(220),
                write([b"\0\0\0\0\0\0\0\0".as_slice(), b"\r\n"].concat()),
            ],
            End::Reply(500),
        ),
        client(
            "sends invalid UTF-8",
            vec![Step::Expect(220), write(b"EHLO \xff\xfe\r\n")],
            End::Reply(500),
        ),
        client(
            "ends its lines with LF",
            after_hello(vec![write("NOOP\nQUIT\n\r\n")]),
            End::Reply(500),
        ),
        client(
            "ends its lines with CR",
            after_hello(vec![write("NOOP\rQUIT\r\r\n")]),
            End::Reply(500),
        ),
        client(
            "names itself in escapes and bidi marks",
            vec![Step::Expect(220), write("HELO \u{1b}[2J\u{202e}x\r\n")],
            End::Reply(500),
        ),
    ]
}

fn malformed(to: &str) -> Vec<HostileClient> {
    let long_local = "l".repeat(256);
    let long_domain = "d.".repeat(150);
    let many = (0..100).map(|n| format!(" X{n}=1")).collect::<String>();
    vec![
        says("gives MAIL no path", "MAIL FROM:", 501),
        says(
            "gives MAIL unknown parameters",
            &format!("MAIL FROM:<x@client.test>{many}"),
            555,
        ),
        says(
            "gives MAIL a size beyond all numbers",
            "MAIL FROM:<x@client.test> SIZE=99999999999999999999999",
            501,
        ),
        says(
            "gives MAIL a size beyond the limit",
            "MAIL FROM:<x@client.test> SIZE=999999999999",
            552,
        ),
        says(
            "has a local part of 256 octets",
            &format!("MAIL FROM:<{long_local}@client.test>"),
            501,
        ),
        says(
            "has a domain of 300 octets",
            &format!("MAIL FROM:<x@{long_domain}test>"),
            501,
        ),
        client(
            "relays by every trick",
            after_hello(vec![
                write("MAIL FROM:<x@client.test>\r\n"),
                Step::Expect(250),
                write("RCPT TO:<@mx.here.test:y@elsewhere.test>\r\n"),
            ]),
            End::Reply(550),
        ),
        client(
            "opens a chunk beyond all numbers",
            after_hello(vec![
                write(format!("MAIL FROM:<x@client.test>\r\nRCPT TO:<{to}>\r\n")),
                Step::Expect(250),
                Step::Expect(250),
                write("BDAT 99999999999999999999999\r\n"),
            ]),
            End::Reply(501),
        ),
        client(
            "opens a chunk of minus one",
            after_hello(vec![
                write(format!("MAIL FROM:<x@client.test>\r\nRCPT TO:<{to}>\r\n")),
                Step::Expect(250),
                Step::Expect(250),
                write("BDAT -1 LAST\r\n"),
            ]),
            End::Reply(501),
        ),
    ]
}

fn smuggling(to: &str) -> Vec<HostileClient> {
    let inner = "MAIL FROM:<smuggler@client.test>\r\nRCPT TO:<anne@here.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n";
    let smuggles = |name, end: &str| {
        let text = format!("Subject: x\r\n\r\nbody{end}{inner}");
        content(name, to, text, 550)
    };
    vec![
        smuggles("smuggles behind LF.LF", "\n.\n"),
        smuggles("smuggles behind LF.CRLF", "\n.\r\n"),
        smuggles("smuggles behind CRLF.LF", "\r\n.\n"),
        smuggles("smuggles behind CR.CR", "\r.\r"),
        smuggles("smuggles behind CRLF.CR CRLF", "\r\n.\r\r\n"),
        smuggles(
            "smuggles behind CRLF.NUL CRLF and LF.LF",
            "\r\n.\0\r\n\n.\n",
        ),
    ]
}

fn too_much(to: &str, limit: u64) -> Vec<HostileClient> {
    let received = "Received: from a by b; Mon, 5 Jan 2026 00:00:00 +0000\r\n".repeat(60);
    let hops = format!("{received}Subject: x\r\n\r\nx\r\n.\r\n");
    let rcpts = format!("RCPT TO:<{to}>\r\n").repeat(1_001);
    let mut large = data(to);
    let block = [vec![b'x'; 998], b"\r\n".to_vec()].concat();
    let blocks = usize::try_from(limit / 1_000 + 2).unwrap_or(usize::MAX);
    large.extend([write(block.repeat(blocks)), write("\r\n.\r\n")]);
    let nonsense = (0..2_000)
        .map(|n| format!("NONSENSE {n}\r\n"))
        .collect::<String>();
    vec![
        client("sends more than the limit", large, End::Reply(552)),
        content("has been through 60 servers", to, hops, 554),
        client(
            "names 1,001 recipients",
            after_hello(vec![
                write("MAIL FROM:<x@client.test>\r\n"),
                Step::Expect(250),
                write(rcpts),
                Step::Expect(452),
            ]),
            End::Closed(421),
        ),
        client(
            "pipelines 2,000 lines of nonsense",
            vec![Step::Expect(220), write(nonsense)],
            End::Closed(421),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_forty_and_more_each_with_a_name_of_its_own() {
        let all = clients("anne@here.test", 1 << 20);
        let mut names: Vec<_> = all.iter().map(|client| client.name).collect();
        assert!(names.len() >= 40, "{}", names.len());
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
