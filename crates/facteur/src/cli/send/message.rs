//! The content of a test message: given, or made.

use std::io::{self, Read as _};

use facteur_mail::{Address, Clock as _, MailDate, ReversePath};

use crate::args::SendArgs;
use crate::error::{CliError, Kind};
use crate::system::SystemClock;

/// The largest content read from a file or standard input, in octets.
const MAX_CONTENT: u64 = 256 << 20;

/// The message with its header fields, lines as they came: the wire form is made later.
pub(crate) fn content(
    args: &SendArgs,
    sender: &ReversePath,
    recipients: &[Address],
    ehlo: &str,
) -> Result<Vec<u8>, CliError> {
    if let Some(data) = &args.data {
        return given(data);
    }
    let body = match &args.body {
        Some(body) => given(body)?,
        None => b"This is a test message from facteur send.\r\n".to_vec(),
    };
    let mut fields = made_fields(sender, recipients, ehlo);
    for field in &args.headers {
        let name = field.split(':').next().unwrap_or_default().trim();
        fields.retain(|made| {
            !made
                .split(':')
                .next()
                .unwrap_or_default()
                .eq_ignore_ascii_case(name)
        });
        fields.push(field.replace(['\r', '\n'], " "));
    }
    let mut content = fields.join("\r\n").into_bytes();
    content.extend_from_slice(b"\r\n\r\n");
    content.extend_from_slice(&body);
    Ok(content)
}

fn made_fields(sender: &ReversePath, recipients: &[Address], ehlo: &str) -> Vec<String> {
    let now = SystemClock.now();
    let to: Vec<String> = recipients.iter().map(Address::to_string).collect();
    let from = sender
        .address()
        .map_or_else(|| format!("postmaster@{ehlo}"), Address::to_string);
    let date = MailDate(now);
    let mut fields = vec![
        format!("Date: {date}"),
        format!("To: {}", to.join(",\r\n ")),
        format!("From: {from}"),
        format!("Subject: test {date}"),
        format!(
            "Message-ID: <{}.{}@{ehlo}>",
            now.as_millis(),
            std::process::id()
        ),
        format!("X-Mailer: facteur {}", env!("CARGO_PKG_VERSION")),
    ];
    if !fields.iter().all(|field| field.is_ascii()) {
        fields.push("MIME-Version: 1.0".to_owned());
    }
    fields
}

/// A text with `\n` for a line break, `@file`, or `-` for standard input.
fn given(what: &str) -> Result<Vec<u8>, CliError> {
    let mut content = Vec::new();
    match what.strip_prefix('@') {
        Some(path) => {
            let file = std::fs::File::open(path)
                .map_err(|error| CliError::new(Kind::System, format!("{path}: {error}")))?;
            file.take(MAX_CONTENT).read_to_end(&mut content)?;
        }
        None if what == "-" => {
            io::stdin()
                .lock()
                .take(MAX_CONTENT)
                .read_to_end(&mut content)?;
        }
        None => content = what.replace("\\n", "\r\n").into_bytes(),
    }
    Ok(content)
}
