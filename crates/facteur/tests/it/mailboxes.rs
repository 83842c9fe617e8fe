//! Mail that ends here: Maildirs, aliases, catch-all, tags.

use std::fs;

use crate::instance::{Instance, Lab, Setup, queue_id};

const USERS: Setup = Setup {
    top: "hostname = \"mx.here.test\"\npostmaster = \"anne@here.test\"",
    listen: "",
    listener: "",
    relay: "networks = [\"127.0.0.0/8\"]",
    tables: "[domains.\"here.test\"]
deliver = \"maildir:MAIL/{user}\"
users = [\"anne\", \"jean\"]
[domains.\"here.test\".aliases]
sales = [\"anne\", \"jean@here.test\"]
[domains.\"all.test\"]
deliver = \"maildir:MAIL/all-{user}\"
users = [\"anne\"]
catch_all = \"anne\"
",
    dns: "",
    delivery: "retry = [\"1s\"]",
    limits: "",
};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_message_arrives_in_the_maildir_under_its_queue_id() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let text = "Subject: hello\n\nfirst line\nlast line\n";
    let id = server
        .send("a@client.test", &["anne@here.test"], text)
        .await;

    let letter = server.letter("anne");
    assert_eq!(letter.content(), text.as_bytes());
    assert_eq!(letter.id(), id);
    assert_eq!(letter.field("return-path").unwrap(), "<a@client.test>");
    let received = letter.field("received").unwrap();
    assert!(received.contains("client.test"), "{received}");
    assert!(received.contains("by mx.here.test"), "{received}");
    server.queue_is_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_command_send_delivers_into_a_maildir_and_explains_each_reply() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let place = server.address().to_string();
    let folder = tempfile::tempdir().unwrap();
    let words = ["send", "--server", &place, "--from", "a@client.test"];
    let more = ["--to", "anne@here.test", "--body", "from the command line"];
    let answer = crate::instance::run_in(folder.path(), &[&words[..], &more[..]].concat());
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.out.contains("354 "), "{}", answer.out);
    assert!(answer.out.contains("message queued as"), "{}", answer.out);
    let letter = server.letter("anne");
    assert!(letter.text().contains("from the command line"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_session_delivers_one_message_after_the_other() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut talk = server.talk().await;
    for number in 1..=3 {
        let text = format!("Subject: {number}\r\n\r\n");
        let to = ["anne@here.test"];
        let reply = talk.deliver("a@client.test", &to, text.as_bytes()).await;
        queue_id(&reply);
    }
    talk.expect("QUIT", "221 2.0.0 ").await;
    assert_eq!(talk.rest().await, "");
    assert_eq!(server.letters("anne", 3).len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn aliases_tags_catch_all_and_postmaster_lead_to_mailboxes() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &USERS).await;
    for (to, boxes) in [
        ("sales@here.test", &["anne", "jean"][..]),
        ("anne+shop@here.test", &["anne"]),
        ("ANNE@HERE.TEST", &["anne"]),
        ("\"anne\"@here.test", &["anne"]),
        ("postmaster@here.test", &["anne"]),
        ("postmaster", &["anne"]),
        ("nobody@all.test", &["all-anne"]),
        ("any.one+tag@all.test", &["all-anne"]),
    ] {
        let id = server.send("a@client.test", &[to], "Subject: x\n\n").await;
        for user in boxes {
            let letters = server.letters(user, 1);
            let found = || server.mailbox(user).iter().any(|letter| letter.id() == id);
            crate::instance::until(to, || found().then_some(()));
            assert!(!letters.is_empty());
        }
    }
    assert_eq!(server.mailboxes(), ["all-anne", "anne", "jean"]);
    assert_eq!(server.mailbox("jean").len(), 1, "only sales@ reaches jean");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_mailbox_that_is_not_there_is_refused_at_rcpt() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &USERS).await;
    let mut talk = server.talk().await;
    talk.expect("MAIL FROM:<a@client.test>", "250 ").await;
    talk.expect("RCPT TO:<nobody@here.test>", "550 5.1.1 ")
        .await;
    talk.expect("RCPT TO:<anne@here.test>", "250 ").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_mailbox_name_leads_out_of_the_folder() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut talk = server.talk().await;
    for to in [
        "\"../../out\"",
        "\"..\"",
        "\"/etc/x\"",
        "\"a/../../b\"",
        "\"../data/out\"",
    ] {
        talk.expect("MAIL FROM:<a@client.test>", "250 ").await;
        let reply = talk.say(&format!("RCPT TO:<{to}@here.test>")).await;
        if reply.starts_with("250 ") {
            talk.expect("DATA", "354 ").await;
            talk.expect("Subject: out\r\n\r\n.", "250 ").await;
        } else {
            assert!(reply.starts_with("550 5.1.1 "), "{reply}");
            talk.expect("RSET", "250 ").await;
        }
    }
    server
        .send("a@client.test", &["anne@here.test"], "Subject: in\n\n")
        .await;
    server.queue_is_empty();
    server.letter("anne");
    let folder = server.path("mail");
    let folder = folder.parent().unwrap();
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["data", "facteur.toml", "log", "mail"]);
}
