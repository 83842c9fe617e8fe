//! The scripted peer and the scripted client hold conversations with each other.

use facteur_testkit::{Act, Client, Peer, Script};
use tokio::net::TcpStream;

async fn start(script: Script) -> (Peer, Client<TcpStream>) {
    let peer = Peer::start(script).await.unwrap();
    let client = Client::connect(peer.address()).await.unwrap();
    (peer, client)
}

async fn open(script: Script) -> (Peer, Client<TcpStream>) {
    let (peer, mut client) = start(script).await;
    assert_eq!(client.reply().await.unwrap().code, 220);
    assert_eq!(client.say("EHLO client.test").await.unwrap().code, 250);
    (peer, client)
}

#[tokio::test]
async fn a_message_is_recorded_as_it_came() {
    let (peer, mut client) = start(Script::accept_all()).await;
    let message = "Subject: x\n\n.dot\n..two\nend";
    let reply = client.deliver("a@client.test", &["b@peer.test", "c@peer.test"], message);
    assert_eq!(reply.await.unwrap().lines, ["250 2.0.0 message accepted"]);
    let received = peer.wait_for(1).await;
    let [message] = received.as_slice() else {
        panic!("{received:?}");
    };
    assert_eq!(message.helo, "client.test");
    assert_eq!(message.mail, "MAIL FROM:<a@client.test>");
    assert_eq!(
        message.rcpts,
        ["RCPT TO:<b@peer.test>", "RCPT TO:<c@peer.test>"]
    );
    assert_eq!(
        message.wire,
        b"Subject: x\r\n\r\n..dot\r\n...two\r\nend\r\n"
    );
    assert_eq!(
        message.content,
        b"Subject: x\r\n\r\n.dot\r\n..two\r\nend\r\n"
    );
    assert_eq!(peer.accepted(), received);
    assert_eq!(peer.sessions()[0].last().unwrap(), "DATA");
}

#[tokio::test]
async fn only_crlf_dot_crlf_ends_a_message() {
    let (peer, mut client) = open(Script::accept_all()).await;
    for line in ["MAIL FROM:<>", "RCPT TO:<b@peer.test>", "DATA"] {
        client.say(line).await.unwrap();
    }
    client
        .send_raw(b"a\n.\r\nb\r\n.\nc\r\n.\r\n")
        .await
        .unwrap();
    assert_eq!(client.reply().await.unwrap().code, 250);
    assert_eq!(peer.received()[0].wire, b"a\n.\r\nb\r\n.\nc\r\n");
    assert_eq!(peer.received()[0].content, b"a\n.\r\nb\r\n\nc\r\n");
}

#[tokio::test]
async fn a_pipelined_group_is_answered_in_order() {
    let script = Script::accept_all()
        .on("RCPT TO:<b@peer.test>", "550 5.1.1 no")
        .once("RCPT", "450 4.2.1 not now");
    let (peer, mut client) = open(script).await;
    let group = "MAIL FROM:<>\r\nRCPT TO:<a@peer.test>\r\nRCPT TO:<a@peer.test>\r\nRCPT TO:<b@peer.test>\r\nDATA\r\n";
    client.send_raw(group.as_bytes()).await.unwrap();
    for code in [250, 450, 250, 550, 354] {
        assert_eq!(client.reply().await.unwrap().code, code);
    }
    client.send_raw(b".\r\n").await.unwrap();
    assert_eq!(client.reply().await.unwrap().code, 250);
    assert_eq!(peer.received()[0].wire, b"");
    assert_eq!(peer.received()[0].rcpts, ["RCPT TO:<a@peer.test>"]);
}

#[tokio::test]
async fn a_refused_message_is_recorded_and_not_accepted() {
    let (peer, mut client) = start(Script::accept_all().on_end("554 5.7.1 no")).await;
    let reply = client.deliver("", &["b@peer.test"], "x").await.unwrap();
    assert_eq!(reply.code, 554);
    assert_eq!(peer.received().len(), 1);
    assert!(peer.accepted().is_empty());
}

#[tokio::test]
async fn the_channel_closes_as_scripted() {
    let closing = Act::ReplyThenClose("421 4.3.2 going down".to_owned());
    let (_peer, mut client) = open(Script::accept_all().on_mail(closing)).await;
    client
        .send_raw(b"MAIL FROM:<>\r\nRCPT TO:<b@peer.test>\r\n")
        .await
        .unwrap();
    assert_eq!(client.reply().await.unwrap().code, 421);
    client.finish().await.unwrap();
    assert_eq!(client.rest().await.unwrap(), b"");

    let after_354 = Act::ReplyThenClose("354 go ahead".to_owned());
    let (peer, mut client) = open(Script::accept_all().on_data(after_354)).await;
    for line in ["MAIL FROM:<>", "RCPT TO:<b@peer.test>", "DATA"] {
        client.say(line).await.unwrap();
    }
    client.finish().await.unwrap();
    assert_eq!(client.rest().await.unwrap(), b"");
    assert!(peer.received().is_empty());

    let (_peer, mut client) = start(Script::accept_all().on_greeting(Act::Close)).await;
    assert_eq!(client.rest().await.unwrap(), b"");
}

#[tokio::test]
async fn garbage_and_endless_replies_come_as_scripted() {
    let garbage = Act::Raw(b"\xff\0 not a reply\r\n".to_vec());
    let (_peer, mut client) = start(Script::accept_all().on_greeting(garbage)).await;
    assert!(client.reply().await.is_err());

    let endless = Act::Endless("250-more".to_owned());
    let (_peer, client) = start(Script::accept_all().on_greeting(endless)).await;
    let mut octets = vec![0; 100_000];
    let mut stream = client.into_inner();
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut octets)
        .await
        .unwrap();
    assert!(octets.starts_with(b"250-more\r\n250-more\r\n"));
}

#[tokio::test]
async fn lmtp_answers_for_each_recipient() {
    let script = Script::lmtp().once(Script::END, "452 4.2.2 full");
    let (peer, mut client) = start(script).await;
    client.reply().await.unwrap();
    for line in [
        "LHLO client.test",
        "MAIL FROM:<>",
        "RCPT TO:<a@b>",
        "RCPT TO:<c@b>",
        "DATA",
    ] {
        client.say(line).await.unwrap();
    }
    assert_eq!(client.say(".").await.unwrap().code, 452);
    assert_eq!(client.reply().await.unwrap().code, 250);
    assert_eq!(peer.accepted()[0].answers.len(), 2);
}

#[tokio::test]
async fn chunks_make_a_message_without_354() {
    let (peer, mut client) = open(Script::accept_all()).await;
    client.say("MAIL FROM:<>").await.unwrap();
    client.say("RCPT TO:<b@peer.test>").await.unwrap();
    client
        .send_raw(b"BDAT 4\r\nab\n.BDAT 3 LAST\r\nc\r\n")
        .await
        .unwrap();
    assert_eq!(client.reply().await.unwrap().lines, ["250 2.0.0 chunk ok"]);
    assert_eq!(client.reply().await.unwrap().code, 250);
    assert_eq!(peer.received()[0].content, b"ab\n.c\r\n");
}

#[tokio::test]
async fn a_script_changes_while_the_peer_runs() {
    let (peer, mut client) = open(Script::accept_all().on_mail("451 4.3.0 not now")).await;
    assert_eq!(client.say("MAIL FROM:<>").await.unwrap().code, 451);
    peer.set_script(Script::accept_all());
    let reply = client.say("MAIL FROM:<>").await.unwrap();
    assert_eq!((reply.code, reply.texts()), (250, vec!["2.1.0 sender ok"]));
    let ehlo = client.say("EHLO client.test").await.unwrap();
    assert!(ehlo.offers("size") && ehlo.offers("PIPELINING") && !ehlo.offers("STARTTLS"));
}
