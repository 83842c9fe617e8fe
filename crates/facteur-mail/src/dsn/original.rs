//! What a report returns of the message it is about. (RFC 3461 §4.3, RFC 6522 §4)

/// The most octets of a message that a report returns.
pub const MAX_RETURNED: usize = 64 * 1024;

/// The longest `Message-ID` that is referred to, in octets.
const MAX_MESSAGE_ID: usize = 512;

/// The longest line that may travel unencoded, in octets, without CRLF. (RFC 5321 §4.5.3.1.6)
const MAX_LINE: usize = 998;

/// What is returned of a message: its header section, or all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    content: Vec<u8>,
    whole: bool,
}

impl Original {
    /// Takes the first octets of a message: at most [`MAX_RETURNED`] are kept, and nothing but the header section
    /// unless `whole` is wanted, `start` is the `complete` message, and it can travel as it is.
    #[must_use]
    pub fn new(mut start: Vec<u8>, complete: bool, whole: bool) -> Self {
        let fits = complete && start.len() <= MAX_RETURNED;
        if whole && fits && !start.contains(&0) && lines_are_short(&start) {
            return Self {
                content: start,
                whole: true,
            };
        }
        let end = header_end(&start);
        start.truncate(end.unwrap_or(start.len()));
        if start.len() > MAX_RETURNED || (end.is_none() && !complete) {
            start.truncate(MAX_RETURNED);
            let last_line = start.iter().rposition(|byte| *byte == b'\n');
            start.truncate(last_line.map_or(0, |at| at + 1));
        }
        Self {
            content: start,
            whole: false,
        }
    }

    /// The octets that are returned; the header section without the empty line that ends it.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Whether it is the whole message.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.whole
    }

    /// The message's own `Message-ID`, angle brackets included, if it has one that can be repeated.
    #[must_use]
    pub fn message_id(&self) -> Option<String> {
        let header = self
            .content
            .get(..header_end(&self.content)?)
            .unwrap_or(&self.content);
        let value = header_value(header, "message-id")?;
        let id = value.trim();
        let inner = id.strip_prefix('<')?.strip_suffix('>')?;
        let sound = inner.len() <= MAX_MESSAGE_ID
            && inner.contains('@')
            && inner
                .bytes()
                .all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>'));
        sound.then(|| id.to_owned())
    }

    pub(super) fn is_ascii(&self) -> bool {
        self.content.is_ascii()
    }

    pub(super) fn is_utf8(&self) -> bool {
        std::str::from_utf8(&self.content).is_ok()
    }

    /// Whether it can travel as 7bit or 8bit.
    pub(super) fn travels_unencoded(&self) -> bool {
        !self.content.contains(&0) && lines_are_short(&self.content)
    }
}

fn lines_are_short(content: &[u8]) -> bool {
    content
        .split(|byte| *byte == b'\n')
        .all(|line| line.len() <= MAX_LINE)
}

/// Where the header section ends: before the empty line, `Some(len)` if the text ends with a header line.
fn header_end(content: &[u8]) -> Option<usize> {
    if content.starts_with(b"\r\n") {
        return Some(0);
    }
    content
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map(|at| at + 2)
        .or_else(|| content.ends_with(b"\r\n").then_some(content.len()))
}

/// The first field of this name, unfolded; octets that are not UTF-8 are replaced.
pub(super) fn header_value(header: &[u8], name: &str) -> Option<String> {
    let mut lines = header.split(|byte| *byte == b'\n');
    let mut value = loop {
        let line = lines.next()?;
        let colon = line.iter().position(|byte| *byte == b':');
        let (found, rest) = line.split_at_checked(colon.unwrap_or(line.len()))?;
        if colon.is_some() && found.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes()) {
            break rest.get(1..).unwrap_or_default().to_vec();
        }
    };
    for line in lines.take_while(|line| line.starts_with(b" ") || line.starts_with(b"\t")) {
        if value.ends_with(b"\r") {
            value.pop();
        }
        value.extend_from_slice(line);
    }
    Some(String::from_utf8_lossy(&value).trim().to_owned())
}
