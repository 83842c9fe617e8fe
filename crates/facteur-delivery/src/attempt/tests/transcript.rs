//! What an attempt remembers of what was said, over all its connections.

use facteur_mail::transcript::Words;

use super::*;

fn told(transcript: &Transcript) -> Vec<String> {
    let lines = transcript.first().iter();
    lines
        .map(|line| match &line.words {
            Words::Connecting(host) => format!("connect {}", host.name),
            Words::Reusing(host) => format!("reuse {}", host.name),
            Words::Sent(command) => format!("-> {command}"),
            Words::Content(octets) => format!("-> {octets} octets"),
            Words::Heard(reply) => format!("<- {}", reply.to_line()),
            Words::Noted(reply) => format!("** {}", reply.code()),
        })
        .collect()
}

#[tokio::test]
async fn both_hosts_of_an_attempt_are_in_its_transcript() {
    let world = World::new(&[(TWO, server())]);
    let carried = world.carry(hosts(&BOTH), message(1)).await;
    let said = told(&carried.transcript);
    assert_eq!(
        &said[..3],
        ["connect mx1.test", "** 451", "connect mx2.test"]
    );
    assert_eq!(&said[said.len() - 2..], ["-> 14 octets", "<- 250 taken"]);
    drop(carried);
    let carried = world.carry(hosts(&BOTH), message(1)).await;
    let said = told(&carried.transcript);
    assert_eq!(
        &said[..4],
        [
            "connect mx1.test",
            "** 451",
            "reuse mx2.test",
            "-> MAIL FROM:<>"
        ],
        "what was said to the first message is not told again"
    );
}
