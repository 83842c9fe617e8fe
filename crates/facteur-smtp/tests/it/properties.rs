//! What holds for whatever a client sends.

use facteur_smtp::server::Role;
use facteur_testkit::dialogue::Conversation as _;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::driver::Driver;

/// Pieces of dialogues, whole and broken.
const FRAGMENTS: [&str; 36] = [
    "HELO c\r\n",
    "EHLO c\r\n",
    "LHLO c\r\n",
    "MAIL FROM:<a@b.test>\r\n",
    "MAIL FROM:<> BODY=BINARYMIME\r\n",
    "MAIL FROM:<\u{e9}@b.test> SMTPUTF8\r\n",
    "RCPT TO:<c@d.test>\r\n",
    "RCPT TO:<postmaster>\r\n",
    "RCPT TO:<\"x y\"@[192.0.2.1]>\r\n",
    "DATA\r\n",
    "Subject: x\r\n\r\nbody\r\n",
    ".\r\n",
    "..\r\n",
    "\r\n.\r\n",
    "\n.\r\n",
    "\r.\r",
    ".",
    "\r",
    "\n",
    "\r\n",
    "BDAT 5\r\n",
    "BDAT 3 LAST\r\n",
    "BDAT 0 LAST\r\n",
    "BDAT 99999999999999999999\r\n",
    "ab\r\n",
    "RSET\r\n",
    "NOOP\r\n",
    "VRFY x\r\n",
    "EXPN x\r\n",
    "HELP\r\n",
    "STARTTLS\r\n",
    "XYZZY\r\n",
    "\0",
    "\u{ff}",
    "MAIL FROM:<a@b.test> SIZE=1 SIZE=2\r\n",
    "RCPT TO:<c@d.test> NOTIFY=NEVER ORCPT=rfc822;a+40b\r\n",
];

/// Commands that do not lead into content and do not close.
const COMMANDS: [&str; 18] = [
    "HELO c",
    "EHLO c",
    "MAIL FROM:<a@b.test>",
    "MAIL FROM:<a@b.test> BODY=X",
    "MAIL",
    "RCPT TO:<c@d.test>",
    "RCPT TO:<>",
    "RSET",
    "RSET x",
    "NOOP x",
    "VRFY",
    "VRFY x",
    "EXPN x",
    "HELP",
    "AUTH PLAIN",
    "",
    "XYZZY",
    "NOOP \u{7}",
];

fn input() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        9 => select(&FRAGMENTS[..]).prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..40),
    ];
    vec(fragment, 0..40).prop_map(|fragments| fragments.concat())
}

fn log(role: Role, input: &[u8], piece: usize) -> Vec<String> {
    let mut driver = Driver::plain(role, piece);
    driver.send(input);
    driver.log
}

proptest! {
    #[test]
    fn prop_any_chunking_gives_the_same_actions(
        input in input(),
        piece in 1_usize..20,
        lmtp in any::<bool>(),
    ) {
        let role = if lmtp { Role::Lmtp } else { Role::Smtp };
        prop_assert_eq!(log(role, &input, usize::MAX), log(role, &input, piece));
    }

    #[test]
    fn prop_no_octets_make_it_panic(input in vec(any::<u8>(), 0..2_000), piece in 1_usize..50) {
        drop(log(Role::Smtp, &input, piece));
    }

    #[test]
    fn prop_each_command_gets_one_reply(commands in vec(select(&COMMANDS[..]), 0..40)) {
        let group: String = commands.iter().map(|command| format!("{command}\r\n")).collect();
        let log = log(Role::Smtp, group.as_bytes(), usize::MAX);
        let replies = log.iter().filter(|action| action.starts_with("reply ")).count();
        prop_assert_eq!(replies, commands.len() + 1, "the greeting comes first");
    }

    #[test]
    fn prop_content_comes_out_as_it_was_before_it_was_stuffed(
        lines in vec("[.a-z]{0,6}", 0..20),
        piece in 1_usize..20,
    ) {
        let content: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let stuffed: String = lines
            .iter()
            .map(|line| format!("{}{line}\r\n", if line.starts_with('.') { "." } else { "" }))
            .collect();
        let mut driver = Driver::plain(Role::Smtp, piece);
        driver.send(b"HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n");
        driver.send(stuffed.as_bytes());
        driver.send(b".\r\n");
        prop_assert_eq!(driver.message(b""), Some(content.into_bytes()));
    }
}
