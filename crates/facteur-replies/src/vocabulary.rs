//! The closed vocabularies of the catalogue's facts. Each value has a stable kebab-case name: it stands in
//! `catalogue/entries.tsv`, in JSON, and in the ids of the interface's texts (`actor-sender`).
//!
//! `build.rs` includes this file, so that a name that is not here fails the build.

macro_rules! vocabulary {
    ($(
        $(#[doc = $doc:literal])+
        $type:ident { $( $(#[doc = $value_doc:literal])+ $value:ident = $name:literal, )+ }
    )+) => { $(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $type {
            $( $(#[doc = $value_doc])+ $value, )+
        }

        impl $type {
            /// Every value, in the order of the vocabulary.
            pub const ALL: &'static [Self] = &[ $( Self::$value, )+ ];

            /// The stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$value => $name, )+
                }
            }

            /// The value with this stable name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }
    )+ };
}

vocabulary! {
    /// Who has to do something about a reply.
    Actor {
        /// Nobody: it is a success, or it passes by itself.
        Nobody = "nobody",
        /// The person who wrote the message.
        Sender = "sender",
        /// Whoever writes the sending program.
        Developer = "developer",
        /// Whoever runs the sending server.
        SendingOperator = "sending-operator",
        /// The person the message is for.
        Recipient = "recipient",
        /// Whoever runs the recipient's server.
        RecipientOperator = "recipient-operator",
    }

    /// Whether sending the same thing again helps.
    Retry {
        /// Yes, and the sending server does it by itself, later.
        Yes = "yes",
        /// No.
        No = "no",
        /// Only once somebody has changed something.
        AfterChange = "after-change",
        /// There is nothing to repeat: it succeeded.
        NoneNeeded = "none-needed",
        /// The exchange goes on; the verdict is still to come.
        Continue = "continue",
    }

    /// The point of a delivery at which a reply is met: what it answers.
    Stage {
        /// The opening of the connection: the reply stands where the greeting would.
        Connect = "connect",
        /// EHLO, HELO or LHLO.
        Hello = "hello",
        /// STARTTLS.
        StartTls = "starttls",
        /// AUTH, and each step of its exchange.
        Auth = "auth",
        /// MAIL.
        Mail = "mail",
        /// RCPT.
        Rcpt = "rcpt",
        /// The DATA command itself.
        Data = "data",
        /// The final dot.
        EndOfData = "end-of-data",
        /// A BDAT chunk.
        Bdat = "bdat",
        /// A command outside a transaction: QUIT, RSET, NOOP, VRFY, EXPN, HELP, ETRN, ATRN.
        Other = "other",
        /// Any command.
        Any = "any",
        /// No command: the sending server's own verdict.
        Queue = "queue",
    }

    /// Whose voice a reply is.
    Speaker {
        /// The server that takes mail for the recipient.
        ReceivingServer = "receiving-server",
        /// A submission server or a relay, on its own look-up, without asking the destination.
        Relay = "relay",
        /// The sending server itself.
        SendingServer = "sending-server",
    }

    /// What a reply is about.
    Category {
        /// The address does not exist.
        UnknownUser = "unknown-user",
        /// The mailbox exists and takes nothing.
        MailboxDisabled = "mailbox-disabled",
        /// The mailbox is full.
        MailboxFull = "mailbox-full",
        /// The domain declares that it takes no mail.
        NullMx = "null-mx",
        /// The standing of the sending address or domain.
        Reputation = "reputation",
        /// Too much, too fast.
        RateLimit = "rate-limit",
        /// A first refusal on purpose, to see who comes back.
        Greylisting = "greylisting",
        /// SPF, DKIM, DMARC, ARC.
        AuthMessage = "auth-message",
        /// SMTP AUTH: the account of the client.
        AuthLogin = "auth-login",
        /// A rule of the house.
        Policy = "policy",
        /// What the message holds.
        Content = "content",
        /// The size of the message.
        Size = "size",
        /// Encryption is missing.
        TlsRequired = "tls-required",
        /// The server does not pass mail on for this client.
        RelayDenied = "relay-denied",
        /// The sender's address or domain.
        SenderInvalid = "sender-invalid",
        /// The reverse DNS of the client.
        DnsRdns = "dns-rdns",
        /// The dialogue itself: commands, arguments, order.
        Protocol = "protocol",
        /// A passing trouble of a system.
        SystemTemporary = "system-temporary",
        /// The message turned in circles, or grew too old.
        LoopOrExpired = "loop-or-expired",
        /// No way leads to the destination.
        Routing = "routing",
        /// It went well.
        Ok = "ok",
    }
}
