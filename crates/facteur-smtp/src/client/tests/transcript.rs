//! What a session remembers of what was said.

use facteur_mail::transcript::Words;

use super::*;

/// A line for each thing that was said.
fn said(mut session: Session) -> Vec<String> {
    let transcript = session.take_transcript();
    let lines = transcript.first().iter();
    lines
        .map(|line| match &line.words {
            Words::Sent(command) => format!("{} -> {command}", line.stage.name()),
            Words::Heard(reply) => format!("{} <- {}", line.stage.name(), reply.to_line()),
            Words::Content(octets) => format!("{} -> {octets} octets", line.stage.name()),
            Words::Noted(reply) => format!("{} ** {}", line.stage.name(), reply.to_line()),
            Words::Connecting(_) | Words::Reusing(_) => panic!("a session has no address"),
        })
        .collect()
}

fn transcript(mails: &[Mail], script: &str) -> Vec<String> {
    let mut run = Run::new(Dialect::Smtp, mails, script, usize::MAX);
    while run.step() {}
    said(run.session)
}

#[test]
fn a_dialogue_is_remembered_without_a_word_of_the_content() {
    let script = open(&["PIPELINING"])
        + "C: x\nS: 250 2.1.0 ok\nS: 250 2.1.5 ok\nS: 354 go\nC: x\nS: 250 2.0.0 taken\nC: x\nS: 221 bye\n";
    let expected = [
        "greeting <- 220 mx.test",
        "hello -> EHLO us.test",
        "hello <- 250 mx.test PIPELINING",
        "mail -> MAIL FROM:<a@us.test>",
        "rcpt -> RCPT TO:<u@them.test>",
        "data -> DATA",
        "mail <- 250 2.1.0 ok",
        "rcpt <- 250 2.1.5 ok",
        "data <- 354 go",
        "end-of-data -> 15 octets",
        "end-of-data <- 250 2.0.0 taken",
        "mail -> QUIT",
        "mail <- 221 bye",
    ];
    assert_eq!(transcript(&[mail(&["u@them.test"])], &script), expected);
}

#[test]
fn a_chunk_is_remembered_as_its_command_and_its_size() {
    let mut mail = mail(&["u@them.test"]);
    mail.chunking = true;
    let script = open(&["CHUNKING"])
        + "C: x\nS: 250 ok\nC: x\nS: 250 ok\nC: x\nS: 250 taken\nC: x\nS: 221 bye\n";
    let said = transcript(&[mail], &script);
    let end = [
        "end-of-data -> BDAT 15 LAST",
        "end-of-data -> 15 octets",
        "end-of-data <- 250 taken",
    ];
    assert!(said.windows(3).any(|lines| lines == end), "{said:?}");
}

#[test]
fn how_a_connection_ended_is_remembered_in_our_words() {
    let script = open(&[]) + "C: x\nS! lost\n";
    let said = transcript(&[mail(&["u@them.test"])], &script);
    let last = said.last().unwrap();
    assert!(last.starts_with("mail ** 451 4.4.2 "), "{last}");
}
