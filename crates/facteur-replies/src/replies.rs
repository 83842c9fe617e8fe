//! The table of every reply that Facteur can give: on the wire, and as its own verdict on a delivery.
//!
//! A row is a name, a basic code, an enhanced code without its class, the English wire text and the RFC.
//! Each row makes a variant of [`ReplyId`] and a constructor on [`Reply`] that takes the row's placeholders.
//! The texts are US-ASCII because RFC 5321 §4.2 says so; what people read in their language comes from the
//! catalogue (`catalogue/`), found by the same codes.

use std::fmt::Display;

use crate::code::{Detail, EnhancedCode, ReplyCode};
use crate::reply::Reply;

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// The stable name, as stored in the spool and printed in JSON.
    pub name: &'static str,
    /// The basic code.
    pub code: ReplyCode,
    /// The enhanced code without its class; `None` for greetings, EHLO and 3yz. (RFC 2034 §4)
    pub detail: Option<Detail>,
    /// The wire text with `{placeholder}`s.
    pub text: &'static str,
    /// The placeholders, in the constructor's order.
    pub params: &'static [&'static str],
    /// Where the reply is defined.
    pub rfc: &'static str,
}

impl Row {
    /// The enhanced code with the class of the basic code.
    #[must_use]
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        self.detail
            .and_then(|detail| detail.within(self.code.class()))
    }
}

macro_rules! detail {
    (-) => {
        None
    };
    (($subject:literal, $detail:literal)) => {
        Some(Detail {
            subject: $subject,
            detail: $detail,
        })
    };
}

macro_rules! replies {
    ($(
        $(#[doc = $doc:literal])+
        $id:ident $name:ident ( $($param:ident),* ) = $code:literal $detail:tt $text:literal, $rfc:literal;
    )+) => {
        /// The identity of a reply: one variant per row of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ReplyId {
            $( $(#[doc = $doc])+ $id, )+
        }

        impl ReplyId {
            /// Every row's identity, in the table's order.
            pub const ALL: &'static [Self] = &[ $( Self::$id, )+ ];

            /// The row.
            #[must_use]
            pub const fn row(self) -> &'static Row {
                match self {
                    $( Self::$id => {
                        const ROW: &Row = &Row {
                            name: stringify!($name),
                            code: ReplyCode::literal($code),
                            detail: detail!($detail),
                            text: $text,
                            params: &[ $( stringify!($param) ),* ],
                            rfc: $rfc,
                        };
                        ROW
                    } )+
                }
            }

            /// The identity whose row has this stable name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $( stringify!($name) => Some(Self::$id), )+
                    _ => None,
                }
            }
        }

        impl Reply {
            $(
                $(#[doc = $doc])+
                #[must_use]
                pub fn $name($( $param: impl Display ),*) -> Self {
                    Self::from_row(ReplyId::$id, vec![ $( $param.to_string() ),* ])
                }
            )+
        }
    };
}

replies! {
    // --- The session -----------------------------------------------------------------------------------
    /// The greeting of an SMTP listener.
    Greeting greeting(hostname) = 220 - "{hostname} ESMTP Facteur", "RFC 5321 §4.2.3";
    /// The greeting of an LMTP listener.
    LmtpGreeting lmtp_greeting(hostname) = 220 - "{hostname} LMTP Facteur", "RFC 2033 §4";
    /// QUIT.
    Bye bye(hostname) = 221 (0, 0) "{hostname} closing connection", "RFC 5321 §4.2.3";
    /// HELO.
    Hello hello(hostname) = 250 - "{hostname}", "RFC 5321 §4.1.1.1";
    /// EHLO and LHLO; the keywords follow as lines of their own.
    ExtendedHello extended_hello(hostname) = 250 - "{hostname}", "RFC 5321 §4.1.1.1";
    /// MAIL accepted.
    SenderOk sender_ok(sender) = 250 (1, 0) "<{sender}> sender ok", "RFC 5321 §4.2.3";
    /// RCPT accepted.
    RecipientOk recipient_ok(recipient) = 250 (1, 5) "<{recipient}> recipient ok", "RFC 5321 §4.2.3";
    /// DATA accepted: send the message now.
    StartMailInput start_mail_input() = 354 - "Start mail input; end with <CRLF>.<CRLF>", "RFC 5321 §4.2.3";
    /// The message is on disk, and ours to deliver.
    Queued queued(id) = 250 (0, 0) "message queued as {id}", "RFC 5321 §4.2.5";
    /// LMTP: the message is on disk for this recipient.
    QueuedFor queued_for(recipient, id) = 250 (0, 0) "<{recipient}> message queued as {id}", "RFC 2033 §4.2";
    /// A BDAT chunk that is not the last one.
    ChunkOk chunk_ok(octets) = 250 (0, 0) "BDAT {octets} octets received", "RFC 3030 §2";
    /// RSET.
    ResetOk reset_ok() = 250 (0, 0) "RSET transaction cleared", "RFC 5321 §4.1.1.5";
    /// NOOP.
    NoopOk noop_ok() = 250 (0, 0) "NOOP still here", "RFC 5321 §4.1.1.9";
    /// VRFY: we neither confirm nor deny.
    CannotVerify cannot_verify() = 252 (5, 0) "VRFY cannot verify the user; send the message and its delivery will be attempted", "RFC 5321 §3.5.3";
    /// HELP; the lines follow.
    Help help() = 214 (0, 0) "Facteur: each reply is explained by `facteur explain`", "RFC 5321 §4.1.1.8";

    // --- 421: the channel closes ------------------------------------------------------------------------
    /// The server stops.
    ShuttingDown shutting_down(hostname) = 421 (3, 2) "{hostname} is shutting down, closing connection; try again soon", "RFC 5321 §3.8";
    /// No command, or no data, for too long.
    IdleTooLong idle_too_long(hostname, seconds) = 421 (4, 2) "{hostname} nothing received for {seconds} seconds, closing connection", "RFC 5321 §4.5.3.2.7";
    /// The session, or one message in it, took longer than allowed in all.
    SessionTooLong session_too_long(hostname) = 421 (4, 2) "{hostname} session takes too long, closing connection", "RFC 5321 §3.8";
    /// The server holds as many connections as it may.
    TooManyConnections too_many_connections(hostname) = 421 (3, 2) "{hostname} too many connections, try again later", "RFC 5321 §3.8";
    /// This client holds as many connections as one network may.
    TooManyConnectionsFromYou too_many_connections_from_you(hostname, client) = 421 (7, 0) "{hostname} too many connections from {client}, try again later", "RFC 5321 §3.8";
    /// More failed commands than allowed in one session.
    TooManyErrors too_many_errors(hostname) = 421 (7, 0) "{hostname} too many errors, closing connection", "RFC 5321 §3.8";
    /// A request of HTTP in place of a command.
    NotHttp not_http(hostname) = 421 (7, 0) "{hostname} speaks SMTP, not HTTP, closing connection", "RFC 5321 §3.8";
    /// More commands than any message takes, and no message.
    TooManyCommands too_many_commands(hostname) = 421 (7, 0) "{hostname} too many commands without a message, closing connection", "RFC 5321 §3.8";
    /// More messages than allowed in one session.
    TooManyMessages too_many_messages(hostname) = 421 (7, 0) "{hostname} too many messages in one session, open a new one", "RFC 5321 §3.8";

    // --- 4yz: not now ------------------------------------------------------------------------------------
    /// Our own fault: the disk, the spool, a bug.
    LocalError local_error() = 451 (3, 0) "local error, the message was not accepted; try again later", "RFC 5321 §4.2.3";
    /// DNS gave no usable answer for now.
    DnsFailure dns_failure(domain) = 451 (4, 3) "DNS lookup for {domain} failed for now; try again later", "RFC 5321 §5.1";
    /// This client has sent as many messages as it may in a minute.
    TooManyMessagesAMinute too_many_messages_a_minute(client, limit) = 451 (7, 28) "too many messages from {client}, at most {limit} a minute; try again later", "RFC 5321 §4.2.3";
    /// This client has named as many recipients as it may in a minute.
    TooManyRecipientsAMinute too_many_recipients_a_minute(client, limit) = 451 (7, 28) "too many recipients from {client}, at most {limit} a minute; try again later", "RFC 5321 §4.2.3";
    /// The disk is short of room.
    StorageFull storage_full() = 452 (3, 1) "insufficient storage, try again later", "RFC 5321 §4.2.3";
    /// More recipients than one message may have here.
    TooManyRecipients too_many_recipients(limit) = 452 (5, 3) "too many recipients, at most {limit} a message; send this one again for the rest", "RFC 5321 §4.5.3.1.10";

    // --- 5yz: syntax and sequence ------------------------------------------------------------------------
    /// Not a command we know.
    UnknownCommand unknown_command() = 500 (5, 1) "command not recognized", "RFC 5321 §4.2.4";
    /// The command line is longer than allowed.
    LineTooLong line_too_long(limit) = 500 (5, 2) "line longer than {limit} octets", "RFC 5321 §4.5.3.1.4";
    /// A command line holds NUL, a bare CR or LF, or bytes that are not UTF-8.
    BadCharacter bad_character() = 500 (5, 2) "command line holds a character that SMTP does not allow", "RFC 5321 §2.3.8";
    /// The arguments of a command cannot be read.
    BadArguments bad_arguments(expected) = 501 (5, 4) "syntax error, expected: {expected}", "RFC 5321 §4.2.3";
    /// The recipient's address cannot be read.
    BadRecipientSyntax bad_recipient_syntax() = 501 (1, 3) "recipient address cannot be read, expected: RCPT TO:<user@domain>", "RFC 5321 §4.1.2";
    /// The sender's address cannot be read.
    BadSenderSyntax bad_sender_syntax() = 501 (1, 7) "sender address cannot be read, expected: MAIL FROM:<user@domain>", "RFC 5321 §4.1.2";
    /// A command of SMTP that we know and do not offer.
    NotImplemented not_implemented(command) = 502 (5, 1) "{command} is not offered here", "RFC 5321 §4.2.4";
    /// MAIL before EHLO or HELO.
    HelloFirst hello_first() = 503 (5, 1) "send EHLO or HELO first", "RFC 5321 §4.1.4";
    /// MAIL before LHLO on an LMTP listener.
    LhloFirst lhlo_first() = 503 (5, 1) "send LHLO first", "RFC 2033 §4.1";
    /// RCPT, DATA or BDAT before MAIL.
    MailFirst mail_first() = 503 (5, 1) "send MAIL first", "RFC 5321 §4.1.4";
    /// A second MAIL in a transaction.
    NestedMail nested_mail() = 503 (5, 1) "a transaction is already open, send RSET first", "RFC 5321 §4.1.4";
    /// DATA or BDAT with no RCPT at all.
    RecipientFirst recipient_first() = 503 (5, 1) "send RCPT first", "RFC 5321 §3.3";
    /// RCPT, DATA or MAIL after the first BDAT of a message.
    ChunksUnderWay chunks_under_way() = 503 (5, 1) "a message is under way with BDAT, finish it with BDAT LAST or send RSET", "RFC 3030 §2";
    /// BDAT after one of its chunks was refused.
    ChunkRefusedBefore chunk_refused_before() = 503 (5, 1) "an earlier BDAT of this message was refused, send RSET", "RFC 3030 §2";
    /// DATA for a message declared BINARYMIME.
    BinaryNeedsChunks binary_needs_chunks() = 503 (5, 1) "BODY=BINARYMIME needs BDAT, not DATA", "RFC 3030 §3";
    /// HELO on an LMTP listener, or LHLO on an SMTP one.
    WrongHello wrong_hello(expected) = 500 (5, 1) "say {expected} here", "RFC 2033 §4.1";
    /// A known parameter with a value we do not have.
    ParameterValueNotImplemented parameter_value_not_implemented(parameter) = 504 (5, 4) "value of {parameter} is not implemented", "RFC 5321 §4.2.3";
    /// A parameter of MAIL or RCPT that we do not have.
    ParameterUnknown parameter_unknown(parameter) = 555 (5, 4) "parameter {parameter} is not recognized", "RFC 5321 §4.1.1.11";
    /// A non-ASCII address without SMTPUTF8 on MAIL.
    NeedsSmtpUtf8 needs_smtputf8() = 553 (6, 7) "address is not ASCII, say SMTPUTF8 on MAIL first", "RFC 6531 §3.5";

    // --- 5yz: the recipient and the sender -----------------------------------------------------------------
    /// A local domain without this mailbox.
    MailboxUnknown mailbox_unknown(recipient) = 550 (1, 1) "<{recipient}> no such mailbox here", "RFC 5321 §4.2.3";
    /// The recipient's domain does not exist in DNS.
    DomainUnknown domain_unknown(domain) = 550 (1, 2) "domain {domain} does not exist", "RFC 5321 §5.1";
    /// Not a domain of ours, and not a client we relay for.
    RelayDenied relay_denied(recipient) = 550 (7, 1) "<{recipient}> relaying denied: {recipient} is not delivered here and this client may not relay", "RFC 5321 §3.6.2";
    /// The recipient's domain publishes a null MX.
    NullMx null_mx(domain) = 556 (1, 10) "domain {domain} does not accept mail (null MX)", "RFC 7505 §4.1";
    /// The sender's domain publishes a null MX: an answer could never arrive.
    SenderNullMx sender_null_mx(domain) = 550 (7, 27) "sender domain {domain} does not accept mail (null MX)", "RFC 7505 §4.1";

    // --- 5yz: the message ---------------------------------------------------------------------------------
    /// The size declared at MAIL, or read, is over the limit.
    MessageTooBig message_too_big(limit) = 552 (3, 4) "message is larger than {limit} octets", "RFC 1870 §6";
    /// CR or LF on its own in the message.
    BareNewline bare_newline(which) = 550 (6, 11) "message holds a bare {which}; lines must end with CRLF", "RFC 5321 §2.3.8";
    /// DATA or BDAT after every RCPT was refused.
    NoValidRecipients no_valid_recipients() = 554 (5, 1) "no valid recipients", "RFC 5321 §3.3";
    /// More `Received:` fields than hops allowed.
    TooManyHops too_many_hops(limit) = 554 (4, 6) "message has passed more than {limit} servers, it loops", "RFC 5321 §6.3";

    // --- Verdicts on a delivery: never on the wire of a session, always in the queue and the DSN --------------
    /// The message is in the mailbox.
    DeliveredToMailbox delivered_to_mailbox(mailbox) = 250 (1, 5) "delivered to mailbox {mailbox}", "RFC 3463 §3.2";
    /// Nothing answered at any address of any host.
    NoAnswer no_answer(host, cause) = 451 (4, 1) "no answer from {host}: {cause}", "RFC 3463 §3.5";
    /// The connection was lost, or a command got no answer in time.
    ConnectionLost connection_lost(host, cause) = 451 (4, 2) "connection to {host} lost: {cause}", "RFC 5321 §3.8";
    /// The remote broke the protocol.
    RemoteMisbehaved remote_misbehaved(host, cause) = 451 (5, 0) "{host} broke the protocol: {cause}", "RFC 5321 §4.2";
    /// The mail exchanger is ourselves, or an address that is nobody's.
    RoutesToUs routes_to_us(domain) = 554 (4, 6) "mail for {domain} loops back to this server", "RFC 5321 §5.1";
    /// There are MX records, and none leads to an address that may be used.
    Unroutable unroutable(domain) = 550 (4, 4) "no usable mail exchanger for {domain}", "RFC 5321 §5.1";
    /// Tried for as long as configured.
    Expired expired(period) = 550 (4, 7) "not delivered within {period}, given up", "RFC 5321 §4.5.4.1";
    /// The next server takes no non-ASCII addresses or headers.
    NextHopWithoutSmtpUtf8 next_hop_without_smtputf8(host) = 550 (6, 7) "{host} does not offer SMTPUTF8, which this message needs", "RFC 6531 §3.5";
    /// The message needs a conversion that would change its content.
    ConversionNotSupported conversion_not_supported(host, needs) = 554 (6, 3) "{host} does not offer {needs}, which this message needs", "RFC 6152 §3";
    /// The next server announced a smaller SIZE.
    TooBigForNextHop too_big_for_next_hop(host, limit) = 552 (3, 4) "{host} accepts at most {limit} octets", "RFC 1870 §6";
    /// The mailbox could not be written.
    MailboxUnavailable mailbox_unavailable(mailbox, cause) = 451 (3, 0) "mailbox {mailbox} cannot be written: {cause}", "RFC 3463 §3.4";
    /// The mailbox's disk or quota is full.
    MailboxFull mailbox_full(mailbox) = 452 (2, 2) "mailbox {mailbox} is full", "RFC 3463 §3.3";
    /// An alias leads back to itself.
    AliasLoop alias_loop(recipient) = 554 (4, 6) "<{recipient}> alias leads back to itself", "RFC 5321 §3.9";
    /// An earlier hop was tried and this server waits before the next try.
    DestinationBusy destination_busy(host) = 451 (4, 5) "{host} asked for a pause, waiting", "RFC 3463 §3.5";
    /// An operator gave the message up, and its sender is told why.
    BouncedByOperator bounced_by_operator(reason) = 550 (3, 0) "given up by an operator of this server: {reason}", "RFC 3463 §3.4";
    /// An operator gave the message up, and nobody is told.
    DeletedByOperator deleted_by_operator(reason) = 550 (3, 0) "deleted by an operator of this server: {reason}", "RFC 3463 §3.4";
    /// The spooled copy is damaged: its checksum does not match.
    SpoolDamaged spool_damaged(id) = 554 (3, 0) "stored copy of message {id} is damaged and was set aside", "RFC 3463 §3.4";
    /// A success that another version of this server wrote down, in words that this version does not have.
    RecordedSuccess recorded_success(said) = 250 (0, 0) "recorded by another version of this server: {said}", "RFC 3463 §3.1";
    /// A temporary failure that another version of this server wrote down, in words that this version does not have.
    RecordedDelay recorded_delay(said) = 451 (3, 0) "recorded by another version of this server: {said}", "RFC 3463 §3.4";
    /// A permanent failure that another version of this server wrote down, in words that this version does not have.
    RecordedFailure recorded_failure(said) = 554 (3, 0) "recorded by another version of this server: {said}", "RFC 3463 §3.4";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::code::Class;
    use crate::reply::MAX_REPLY_LINE;

    #[test]
    fn every_row_has_a_legal_code_and_text() {
        for id in ReplyId::ALL {
            let row = id.row();
            let number = row.code.number();
            assert!(
                (200..=559).contains(&number),
                "{id:?}: RFC 5321 §4.2 grammar"
            );
            assert!(
                row.code.class() != Class::Intermediate || row.detail.is_none(),
                "{id:?}: 3yz has no enhanced code"
            );
            assert!(row.text.bytes().all(|b| matches!(b, b' '..=b'~')), "{id:?}");
            assert!(row.rfc.starts_with("RFC "), "{id:?}");
        }
    }

    #[test]
    fn names_are_unique_and_found_again() {
        let names: HashSet<_> = ReplyId::ALL.iter().map(|id| id.row().name).collect();
        assert_eq!(names.len(), ReplyId::ALL.len());
        for id in ReplyId::ALL {
            assert_eq!(ReplyId::from_name(id.row().name), Some(*id));
        }
    }

    #[test]
    fn every_placeholder_is_a_parameter_and_the_other_way_round() {
        for id in ReplyId::ALL {
            let row = id.row();
            let used: HashSet<_> = row
                .text
                .split('{')
                .skip(1)
                .map(|part| part.split('}').next().unwrap())
                .collect();
            let declared: HashSet<_> = row.params.iter().copied().collect();
            assert_eq!(used, declared, "{id:?}");
        }
    }

    #[test]
    fn hostile_arguments_stay_on_one_harmless_line() {
        let mut out = Vec::new();
        let long = "\u{1b}[31m\r\n250 ok\0é".repeat(100);
        Reply::relay_denied(&long).write_to(&mut out);
        assert!(out.len() <= MAX_REPLY_LINE);
        assert!(out.ends_with(b"\r\n"));
        assert!(
            out[..out.len() - 2]
                .iter()
                .all(|b| matches!(b, b' '..=b'~'))
        );
        assert!(out.starts_with(b"550 5.7.1 <\\x1B[31m\\x0D\\x0A250 ok"));
    }

    #[test]
    fn several_lines_carry_the_code_on_each() {
        let mut out = Vec::new();
        let lines = ["SIZE 10".to_owned(), "PIPELINING".to_owned()];
        Reply::extended_hello("mx.example.org")
            .with_lines(lines)
            .write_to(&mut out);
        assert_eq!(
            out,
            b"250-mx.example.org\r\n250-SIZE 10\r\n250 PIPELINING\r\n"
        );
    }

    #[test]
    fn a_stored_reply_is_restored_or_refused() {
        let reply = Reply::null_mx("nullmx.test");
        let name = reply.id().row().name;
        assert_eq!(Reply::restore(name, reply.args().to_vec()), Some(reply));
        assert_eq!(Reply::restore(name, Vec::new()), None);
        assert_eq!(Reply::restore("no_such_row", Vec::new()), None);
    }
}
