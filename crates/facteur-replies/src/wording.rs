//! Words by which servers say that mail comes too fast, where their codes say less: `421 RP-001`, `550 Ip frequency
//! limited`.
//!
//! A client acts on the code alone (RFC 5321 §4.2). Who acts on these words follows a policy of its own, which must be
//! configured, named, and shown wherever it acts; nothing in this crate does.

use crate::code::{Class, EnhancedCode};
use crate::reply::RemoteReply;

/// Words that a provider uses for a limit on how much we send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wording {
    /// Whose words they are: a provider, or a program that many run.
    pub provider: &'static str,
    /// The words, matched without regard to case.
    pub fragment: &'static str,
}

/// A provider: the names of its mail servers end in one of these domains; of any server, where there is none.
struct Provider {
    name: &'static str,
    hosts: &'static [&'static str],
    fragments: &'static [&'static str],
}

/// What a remote's words say of a limit on how much we send; `None` where they say nothing of it.
///
/// `host` is the name of the server that spoke: words count only from those who are known to use them so. Only failures
/// are read, 4yz and 5yz.
#[must_use]
pub fn rate_limit_in_words(reply: &RemoteReply, host: &str) -> Option<Wording> {
    if !matches!(reply.class(), Class::Transient | Class::Permanent) {
        return None;
    }
    let said = unfolded(reply);
    PROVIDERS
        .iter()
        .filter(|provider| provider.speaks_at(host))
        .find_map(|provider| {
            let said_so = |it: &&&str| said.contains(&it.to_ascii_lowercase());
            let fragment = provider.fragments.iter().find(said_so)?;
            Some(Wording {
                provider: provider.name,
                fragment,
            })
        })
}

/// The text of all lines on one, in lower case, without their enhanced codes.
fn unfolded(reply: &RemoteReply) -> String {
    let lines: Vec<&str> = reply
        .lines
        .iter()
        .map(|line| {
            let (first, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
            match EnhancedCode::parse(first) {
                Some(_) => rest,
                None => line,
            }
        })
        .collect();
    lines.join(" ").to_ascii_lowercase()
}

impl Provider {
    fn speaks_at(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let within = |domain: &&str| {
            host.strip_suffix(*domain)
                .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        self.hosts.is_empty() || self.hosts.iter().any(within)
    }
}

/// Limits on what one sender sends. Words about one mailbox that gets too much, or about the recipients of one message,
/// are left out: they are no reason to slow down the mail for others.
const PROVIDERS: &[Provider] = &[
    Provider {
        name: "Google",
        hosts: &["google.com", "googlemail.com"],
        fragments: &[
            "Try again later, closing connection",
            "detected an unusual rate of",
            "There is an unusual rate of unsolicited",
            "Peak SMTP relay limit exceeded",
            "Daily user sending limit exceeded",
            "Daily SMTP relay limit exceeded",
        ],
    },
    Provider {
        name: "Microsoft",
        hosts: &["outlook.com", "hotmail.com", "office365.com"],
        fragments: &[
            "maximum number of concurrent connections",
            "Server busy. Please try again later from",
            "has exceeded permitted limits within",
            "has exceeded the maximum number of connections",
            "Submission quota exceeded",
            "RP-001",
            "RP-002",
            "RP-003",
        ],
    },
    Provider {
        name: "Yahoo",
        hosts: &["yahoodns.net", "yahoo.com"],
        fragments: &["[TSS04]", "Max message per connection reached", "VS1-IP"],
    },
    Provider {
        name: "Apple",
        hosts: &["icloud.com", "me.com", "apple.com"],
        fragments: &["me.com Error: too many errors"],
    },
    Provider {
        name: "GMX, web.de, 1&1",
        hosts: &["gmx.net", "web.de", "kundenserver.de", "1and1.com"],
        fragments: &["Rate limit reached. Please try again later"],
    },
    Provider {
        name: "Orange",
        hosts: &["orange.fr", "wanadoo.fr"],
        fragments: &["OFR004_104", "OFR005_104", "OFR004_105"],
    },
    Provider {
        name: "La Poste",
        hosts: &["laposte.net"],
        fragments: &["LPN105_104", "LPN006_107", "LPN027_503"],
    },
    Provider {
        name: "SFR",
        hosts: &["sfr.fr", "neuf.fr"],
        fragments: &["sfr.fr Error: too many errors", "SFR_IN_105"],
    },
    Provider {
        name: "Comcast",
        hosts: &["comcast.net"],
        fragments: &["Too many sessions opened"],
    },
    Provider {
        name: "Mimecast",
        hosts: &["mimecast.com"],
        fragments: &[
            "Recipient temporarily unavailable",
            "IP temporarily blacklisted",
            "Account service is temporarily unavailable",
        ],
    },
    Provider {
        name: "Tencent QQ",
        hosts: &["qq.com"],
        fragments: &[
            "Ip frequency limited",
            "Connection frequency limited",
            "Domain frequency limited",
            "Sender frequency limited",
        ],
    },
    Provider {
        name: "NetEase",
        hosts: &["163.com", "126.com", "netease.com"],
        fragments: &["HL:ICC", "HL:IFC", "MI:DMC", "RP:DRC", "MI:SFQ"],
    },
    Provider {
        name: "SendGrid",
        hosts: &["sendgrid.net"],
        fragments: &[
            "Maximum credits exceeded",
            "Too many recipients received this hour",
        ],
    },
    Provider {
        name: "Postfix",
        hosts: &[],
        fragments: &[
            "Error: too many connections from",
            "Error: too much mail from",
            "Error: too many recipients from",
        ],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::code::ReplyCode;

    fn found(code: u16, lines: &[&str], host: &str) -> Option<&'static str> {
        let lines = lines.iter().map(|&line| line.to_owned()).collect();
        let reply = RemoteReply::new(ReplyCode::new(code).unwrap(), lines);
        rate_limit_in_words(&reply, host).map(|wording| wording.provider)
    }

    #[test]
    fn a_provider_is_understood_in_its_own_words() {
        let host = "mx3.qq.com";
        assert_eq!(
            found(550, &["Ip frequency limited"], host),
            Some("Tencent QQ")
        );
        assert_eq!(
            found(550, &["IP FREQUENCY LIMITED."], host),
            Some("Tencent QQ")
        );
        assert_eq!(
            found(421, &["RP-001 (SNT)"], "a.mail.protection.outlook.com"),
            Some("Microsoft")
        );
        assert_eq!(
            found(
                450,
                &["4.7.1 Error: too much mail from 192.0.2.1"],
                "mx.test"
            ),
            Some("Postfix")
        );
    }

    #[test]
    fn words_count_only_from_those_who_use_them_so() {
        for host in ["mx.test", "notqq.com", "qq.com.example", ""] {
            assert_eq!(found(550, &["Ip frequency limited"], host), None, "{host}");
        }
        assert_eq!(found(550, &["no such user"], "mx3.qq.com"), None);
        assert_eq!(found(250, &["Ip frequency limited"], "mx3.qq.com"), None);
    }

    #[test]
    fn words_that_are_folded_over_lines_are_read_as_one_text() {
        let lines = [
            "4.7.28 Gmail has detected an",
            "4.7.28 unusual rate of unsolicited mail",
        ];
        assert_eq!(
            found(421, &lines, "gmail-smtp-in.l.google.com."),
            Some("Google")
        );
    }

    #[test]
    fn no_words_stand_twice() {
        let mut seen = BTreeSet::new();
        for provider in PROVIDERS {
            for fragment in provider.fragments {
                assert!(
                    seen.insert((provider.name, fragment.to_ascii_lowercase())),
                    "{fragment}"
                );
            }
        }
    }
}
