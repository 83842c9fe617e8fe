//! What a reply is about, by its codes alone, and whether it is about how fast we send.
//!
//! The vocabulary is [`Category`]; each entry of the catalogue has one. What a server says in words beside its codes is
//! another matter: see [`rate_limit_in_words`](crate::rate_limit_in_words).

use crate::code::{Class, EnhancedCode, ReplyCode};
use crate::explain::explain;
use crate::lang::Language;
use crate::reply::{RemoteReply, Reply};
use crate::text::text;
use crate::vocabulary::Category;

impl Category {
    /// What a reply with these codes is about: the category of the entry that explains it.
    #[must_use]
    pub fn of(code: ReplyCode, enhanced: Option<EnhancedCode>) -> Self {
        // The language changes no fact.
        explain(Some(code), enhanced, Language::English).category
    }

    /// What a reader calls it: "sending rate".
    #[must_use]
    pub fn label(self, language: Language) -> String {
        text(language, &format!("category-{}", self.name()), &[])
    }
}

impl Reply {
    /// What it is about.
    #[must_use]
    pub fn category(&self) -> Category {
        Category::of(self.code(), self.enhanced())
    }
}

impl RemoteReply {
    /// What it is about, by its codes alone.
    #[must_use]
    pub fn category(&self) -> Category {
        Category::of(self.code, self.enhanced)
    }

    /// Whether its codes ask us, for now, to send less to that server: [`Category::RateLimit`] with a 4yz, unless it is
    /// one mailbox that gets too much, or one message that has too many recipients.
    #[must_use]
    pub fn asks_to_slow_down(&self) -> bool {
        self.class() == Class::Transient
            && self.category() == Category::RateLimit
            && !self.concerns_one_recipient()
    }

    /// `X.2.Z` is about one mailbox, `X.5.3` about the recipients of one message (RFC 3463 §3.3, §3.6); 432 is
    /// Exchange's word for a mailbox that takes no more at a time.
    fn concerns_one_recipient(&self) -> bool {
        let detail = self.enhanced.map(EnhancedCode::detail);
        self.code.number() == 432
            || detail.is_some_and(|it| it.subject == 2 || (it.subject, it.detail) == (5, 3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: u16, text: &str) -> RemoteReply {
        RemoteReply::new(ReplyCode::new(code).unwrap(), vec![text.to_owned()])
    }

    #[test]
    fn the_codes_say_what_a_reply_is_about() {
        for (code, text, category) in [
            (421, "4.7.28 unusual rate", Category::RateLimit),
            (421, "4.7.0 later", Category::RateLimit),
            (451, "4.7.652 too many", Category::RateLimit),
            (450, "4.7.1 later", Category::Greylisting),
            (452, "4.2.2 full", Category::MailboxFull),
            (550, "5.1.1 who?", Category::UnknownUser),
            (556, "5.1.10 null MX", Category::NullMx),
            (552, "5.3.4 too big", Category::Size),
            (250, "2.0.0 ok", Category::Ok),
            (421, "rate limited", Category::SystemTemporary),
        ] {
            assert_eq!(reply(code, text).category(), category, "{code} {text}");
        }
        assert_eq!(Reply::null_mx("a.test").category(), Category::NullMx);
    }

    #[test]
    fn a_server_asks_to_slow_down_for_itself_and_not_for_one_mailbox() {
        for (code, text, slows) in [
            (421, "4.7.28 unusual rate", true),
            (421, "4.7.0 later", true),
            (451, "4.7.652 too many", true),
            (450, "4.2.1 that user gets mail too quickly", false),
            (452, "4.5.3 too many recipients", false),
            (432, "4.3.2 recipient thread limit", false),
            (550, "5.7.28 unusual rate", false),
            (421, "busy", false),
            (450, "4.7.1 greylisted", false),
        ] {
            assert_eq!(
                reply(code, text).asks_to_slow_down(),
                slows,
                "{code} {text}"
            );
        }
    }

    #[test]
    fn a_category_has_a_label_in_every_language() {
        assert_eq!(Category::RateLimit.label(Language::English), "sending rate");
        assert_eq!(Category::RateLimit.label(Language::French), "débit d’envoi");
    }
}
