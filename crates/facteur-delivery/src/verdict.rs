//! What becomes of a recipient after a try: the only place that decides a retry. Pure.

use std::time::Duration;

use facteur_mail::{Attempt, Delivery, RetryReason, Said, Stage, Timestamp};
use facteur_replies::{Class, EnhancedCode, ReplyCode};

use crate::backoff::Backoff;

/// What one try came to for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The message was taken: by a 250 after the dot, or by a mailbox.
    Taken {
        /// The try, with the words that took it.
        attempt: Attempt,
        /// What the delivery was.
        delivery: Delivery,
    },
    /// It was not taken; the words say why.
    NotTaken {
        /// The try, with the words that decided.
        attempt: Attempt,
    },
    /// Nothing was tried: the destination did not answer when another message was sent there.
    Waits {
        /// That other try, as far as it concerns this message.
        attempt: Attempt,
    },
}

/// What came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// How many tries there were, this one included.
    pub attempts: u32,
    /// When the message was accepted.
    pub arrived: Timestamp,
    /// Any number, for the jitter of the next wait.
    pub dice: u64,
}

/// How long and how often mail is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The waits between tries.
    pub backoff: Backoff,
    /// How long after its acceptance a message is given up.
    pub give_up_after: Duration,
}

/// What becomes of a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Done.
    Delivered(Delivery),
    /// Tried again.
    RetryAt {
        /// When.
        when: Timestamp,
        /// Why then.
        why: RetryReason,
    },
    /// Given up.
    Bounce(Grounds),
}

/// Why mail is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grounds {
    /// The words were final: a 5yz.
    Refused,
    /// It was tried for as long as the policy says; the words were not final.
    Expired,
}

/// Judges one outcome, by its code alone: 5yz is final, everything else is tried again until the message expires.
/// (RFC 5321 §4.2.1, §4.5.4.1)
///
/// The next try is never later than the expiry, so that the last one is made just then.
#[must_use]
pub fn judge(outcome: &Outcome, past: &Past, policy: &Policy, now: Timestamp) -> Verdict {
    let (attempt, why) = match outcome {
        Outcome::Taken { delivery, .. } => return Verdict::Delivered(*delivery),
        Outcome::NotTaken { attempt } => (attempt, RetryReason::Backoff),
        Outcome::Waits { attempt } => (attempt, RetryReason::DestinationDown),
    };
    if is_final(attempt) {
        return Verdict::Bounce(Grounds::Refused);
    }
    let expires = past.arrived.after(policy.give_up_after);
    if now >= expires {
        return Verdict::Bounce(Grounds::Expired);
    }
    let next = now.after(policy.backoff.wait(past.attempts, past.dice));
    Verdict::RetryAt {
        when: next.min(expires),
        why,
    }
}

impl Outcome {
    /// The try.
    #[must_use]
    pub const fn attempt(&self) -> &Attempt {
        match self {
            Self::Taken { attempt, .. } | Self::NotTaken { attempt } | Self::Waits { attempt } => {
                attempt
            }
        }
    }

    /// The try, for keeping.
    #[must_use]
    pub fn into_attempt(self) -> Attempt {
        match self {
            Self::Taken { attempt, .. } | Self::NotTaken { attempt } | Self::Waits { attempt } => {
                attempt
            }
        }
    }
}

/// Whether trying again is useless.
fn is_final(attempt: &Attempt) -> bool {
    match attempt.said.class() {
        Class::Permanent => !is_too_many_recipients(attempt),
        Class::Transient | Class::Success | Class::Intermediate | Class::Unknown => false,
    }
}

/// `552` with `X.5.3` to RCPT: too many recipients, the one 5yz that means "not now". (RFC 5321 §4.5.3.1.10)
fn is_too_many_recipients(attempt: &Attempt) -> bool {
    let detail = attempt.said.enhanced().map(EnhancedCode::detail);
    matches!(attempt.said, Said::ByPeer(_))
        && attempt.stage == Stage::Rcpt
        && attempt.said.code().number() == ReplyCode::number(TOO_MANY)
        && detail.is_some_and(|detail| (detail.subject, detail.detail) == (5, 3))
}

/// The code that older servers give for too many recipients.
const TOO_MANY: ReplyCode = match ReplyCode::new(552) {
    Some(code) => code,
    None => unreachable!(),
};

#[cfg(test)]
mod tests {
    use facteur_mail::RemoteHost;
    use facteur_replies::{RemoteReply, Reply};
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn policy() -> Policy {
        Policy {
            backoff: Backoff::default(),
            give_up_after: 5 * 24 * HOUR,
        }
    }

    fn past(attempts: u32) -> Past {
        Past {
            attempts,
            arrived: Timestamp::from_millis(0),
            dice: 0,
        }
    }

    fn at(hours: u32) -> Timestamp {
        Timestamp::default().after(HOUR * hours)
    }

    fn said(stage: Stage, said: Said) -> Outcome {
        Outcome::NotTaken {
            attempt: Attempt {
                at: at(0),
                took: Duration::ZERO,
                host: Some(RemoteHost {
                    name: "mx.test".into(),
                    address: None,
                }),
                stage,
                said,
            },
        }
    }

    fn peer(stage: Stage, code: u16, text: &str) -> Outcome {
        let code = ReplyCode::new(code).unwrap();
        said(
            stage,
            Said::ByPeer(RemoteReply::new(code, vec![text.to_owned()])),
        )
    }

    fn is_retry(verdict: Verdict) -> bool {
        matches!(
            verdict,
            Verdict::RetryAt {
                why: RetryReason::Backoff,
                ..
            }
        )
    }

    #[test]
    fn a_4yz_is_tried_again_with_its_reason_and_a_5yz_never() {
        let bounce = Verdict::Bounce(Grounds::Refused);
        for (outcome, retried) in [
            (peer(Stage::Rcpt, 450, "4.2.1 later"), true),
            (peer(Stage::Rcpt, 450, "5.1.1 contradictory"), true),
            (
                peer(Stage::Rcpt, 550, "4.7.1 greylisted, try again later"),
                false,
            ),
            (peer(Stage::EndOfData, 554, "no"), false),
            (peer(Stage::Rcpt, 556, "5.1.10 null MX"), false),
            (peer(Stage::Greeting, 421, "busy"), true),
            (peer(Stage::Rcpt, 354, "what?"), true),
            (peer(Stage::Data, 250, "what?"), true),
            (peer(Stage::Rcpt, 600, "what?"), true),
            (peer(Stage::Rcpt, 199, "what?"), true),
            (
                said(Stage::Route, Said::ByUs(Reply::null_mx("a.test"))),
                false,
            ),
            (
                said(Stage::Route, Said::ByUs(Reply::domain_unknown("a.test"))),
                false,
            ),
            (
                said(Stage::Route, Said::ByUs(Reply::dns_failure("a.test"))),
                true,
            ),
            (
                said(Stage::Connect, Said::ByUs(Reply::no_answer("a", "refused"))),
                true,
            ),
        ] {
            let verdict = judge(&outcome, &past(1), &policy(), at(0));
            assert_eq!(is_retry(verdict), retried, "{outcome:?}");
            assert_eq!(verdict == bounce, !retried, "{outcome:?}");
        }
    }

    #[test]
    fn too_many_recipients_is_the_one_5yz_that_is_tried_again() {
        for (outcome, retried) in [
            (peer(Stage::Rcpt, 552, "5.5.3 too many recipients"), true),
            (peer(Stage::Rcpt, 552, "too many recipients"), false),
            (peer(Stage::Rcpt, 552, "5.2.2 mailbox full"), false),
            (peer(Stage::EndOfData, 552, "5.5.3 too many"), false),
        ] {
            let verdict = judge(&outcome, &past(1), &policy(), at(0));
            assert_eq!(is_retry(verdict), retried, "{outcome:?}");
        }
    }

    #[test]
    fn the_last_try_is_at_the_expiry_and_then_it_is_given_up() {
        let outcome = peer(Stage::Rcpt, 450, "4.2.1 later");
        let verdict = judge(&outcome, &past(40), &policy(), at(119));
        let when = at(120);
        let why = RetryReason::Backoff;
        assert_eq!(verdict, Verdict::RetryAt { when, why });
        let verdict = judge(&outcome, &past(41), &policy(), when);
        assert_eq!(verdict, Verdict::Bounce(Grounds::Expired));
    }

    #[test]
    fn a_message_that_waits_with_its_destination_says_so() {
        let Outcome::NotTaken { attempt } = peer(Stage::Greeting, 421, "busy") else {
            panic!("it was not taken");
        };
        let verdict = judge(&Outcome::Waits { attempt }, &past(1), &policy(), at(0));
        assert!(matches!(
            verdict,
            Verdict::RetryAt {
                why: RetryReason::DestinationDown,
                ..
            }
        ));
    }

    proptest! {
        #[test]
        fn prop_a_5yz_to_the_dot_is_never_retried(code in 500_u16..600, text in ".{0,40}", attempts in 1_u32..100, hours in 0_u32..200) {
            let verdict = judge(&peer(Stage::EndOfData, code, &text), &past(attempts), &policy(), at(hours));
            prop_assert_eq!(verdict, Verdict::Bounce(Grounds::Refused));
        }

        #[test]
        fn prop_the_text_never_changes_the_action(code in 200_u16..700, text in "[a-z ]{0,40}") {
            let with = judge(&peer(Stage::Rcpt, code, &text), &past(1), &policy(), at(0));
            let without = judge(&peer(Stage::Rcpt, code, ""), &past(1), &policy(), at(0));
            prop_assert_eq!(with, without);
        }

        #[test]
        fn prop_no_retry_is_in_the_past_or_behind_the_expiry(attempts in 1_u32..100, hours in 0_u32..119, dice: u64) {
            let past = Past { dice, ..past(attempts) };
            if let Verdict::RetryAt { when, .. } = judge(&peer(Stage::Rcpt, 450, ""), &past, &policy(), at(hours)) {
                prop_assert!(when > at(hours) && when <= at(120));
            }
        }
    }
}
