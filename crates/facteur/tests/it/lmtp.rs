//! LMTP, as server and as client. (RFC 2033)

use facteur_testkit::Script;

use crate::instance::{Instance, LMTP_PORT, Lab, Setup, arrive, run_in};
use crate::letter::field;
use crate::talk::Talk;

const LISTENER: Setup = Setup {
    top: "hostname = \"mx.here.test\"",
    listen: "[[listen]]\naddress = \"@1:2524\"\nrole = \"lmtp\"",
    listener: "",
    relay: "networks = [\"127.0.0.0/8\"]",
    tables: "[domains.\"here.test\"]\ndeliver = \"maildir:MAIL/{user}\"\nusers = [\"anne\", \"jean\"]",
    dns: "",
    delivery: "retry = [\"1s\"]",
    limits: "",
};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_lmtp_listener_answers_the_dot_once_for_each_recipient() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &LISTENER).await;
    let mut talk = Talk::open((lab.ip(1), LMTP_PORT).into()).await;
    talk.expect("EHLO client.test", "500 5.5.1 ").await;
    talk.expect("LHLO client.test", "250-").await;
    talk.expect("MAIL FROM:<a@client.test>", "250 ").await;
    talk.expect("RCPT TO:<anne@here.test>", "250 ").await;
    talk.expect("RCPT TO:<nobody@here.test>", "550 5.1.1 ")
        .await;
    talk.expect("RCPT TO:<jean@here.test>", "250 ").await;
    talk.expect("DATA", "354 ").await;
    talk.send(b"Subject: x\r\n\r\n.\r\n").await;
    for name in ["anne", "jean"] {
        let reply = talk.reply().await;
        let start = format!("250 2.0.0 <{name}@here.test> message queued as ");
        assert!(reply.starts_with(&start), "{reply}");
    }
    talk.expect("QUIT", "221 ").await;
    for name in ["anne", "jean"] {
        let received = server.letter(name).field("received").unwrap();
        assert!(received.contains("with LMTP"), "{received}");
    }
    let mut smtp = server.talk().await;
    smtp.expect("LHLO client.test", "500 5.5.1 ").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_domain_behind_lmtp_gets_its_mail_and_each_recipient_its_outcome() {
    let lab = Lab::new("").await;
    let script = Script::lmtp()
        .once(Script::END, "250 2.1.5 stored")
        .once(Script::END, "552 5.2.2 mailbox full")
        .once(Script::END, "451 4.2.0 locked");
    let peer = lab.peer(2, script).await;
    let setup = Setup {
        tables: "[domains.\"here.test\"]\ndeliver = \"maildir:MAIL/{user}\"
[domains.\"boxes.test\"]\ndeliver = \"lmtp:@2:2526\"",
        ..Setup::default()
    };
    let server = Instance::start(&lab, &setup).await;
    let to = ["one@boxes.test", "two@boxes.test", "three@boxes.test"];
    server.send("anne@here.test", &to, "Subject: x\n\n").await;
    let received = arrive(&peer, 2);
    server.queue_is_empty();
    assert_eq!(received[0].rcpts.len(), 3);
    assert_eq!(received[1].rcpts, ["RCPT TO:<three@boxes.test>"]);
    let machine = server.letter("anne").machine();
    assert_eq!(
        field(&machine, "final-recipient").unwrap(),
        "rfc822; two@boxes.test"
    );
    assert_eq!(field(&machine, "status").unwrap(), "5.2.2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_listener_on_a_unix_socket_takes_mail_and_the_socket_is_made_anew_after_a_kill() {
    let lab = Lab::new("").await;
    let setup = Setup {
        listen: "[[listen]]\naddress = \"MAIL.sock\"\nrole = \"lmtp\"",
        ..Setup::default()
    };
    let mut server = Instance::start(&lab, &setup).await;
    for count in 1..=2 {
        let socket = server.path("mail.sock").display().to_string();
        let words = ["send", "--protocol", "LMTP", "--server", &socket];
        let more = ["--from", "a@client.test", "--to", "anne@here.test"];
        let answer = run_in(&server.path("data"), &[&words[..], &more[..]].concat());
        assert_eq!(answer.code, 0, "{answer:?}");
        server.letters("anne", count);
        server.kill();
        server.launch().await;
    }
}
