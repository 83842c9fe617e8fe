//! No relaying for strangers, whatever the form of the address.

use facteur_testkit::Script;

use crate::instance::{Instance, Lab, Setup, accepted, arrive};

/// What a stranger may try as recipient; `OURS` is the server's own address.
const FORMS: [&str; 36] = [
    "<x@else.test>",
    "<x@ELSE.test>",
    "<x@else.test.>",
    "<@here.test:x@else.test>",
    "<@here.test,@mx.here.test:x@else.test>",
    "<@else.test:x@else.test>",
    "<x%else.test@here.test>",
    "<x%else.test@mx.here.test>",
    "<x%else.test@good.test>",
    "<x%else.test%here.test@here.test>",
    "<\"x%else.test\"@here.test>",
    "<\"x@else.test\"@here.test>",
    "<\"x@else.test\"@good.test>",
    "<\"x@else.test\">",
    "<\"anne@here.test\"@else.test>",
    "<else.test!x@here.test>",
    "<else.test!x@good.test>",
    "<here.test!else.test!x>",
    "<\"else.test!x\"@here.test>",
    "<x@else.test@here.test>",
    "<x@here.test@else.test>",
    "<x@here.test.else.test>",
    "<anne@else-here.test>",
    "<x@evilgood.test>",
    "<x@good.test.else.test>",
    "<x@sub.good.test>",
    "<x@[192.0.2.9]>",
    "<x@[IPv6:2001:db8::9]>",
    "<x@[IPv6:::ffff:192.0.2.9]>",
    "<x%else.test@[OURS]>",
    "<x@192.0.2.9>",
    "<x@localhost>",
    "<x@else>",
    "<postmaster@else.test>",
    "<anne@here.test,x@else.test>",
    "x@else.test",
];

/// Ways of a stranger to look like one of us.
const MASKS: [(&str, &str); 5] = [
    ("EHLO client.test", "MAIL FROM:<a@client.test>"),
    ("EHLO here.test", "MAIL FROM:<anne@here.test>"),
    ("EHLO localhost", "MAIL FROM:<>"),
    ("HELO [127.0.0.1]", "MAIL FROM:<anne@good.test>"),
    ("EHLO mx.here.test", "MAIL FROM:<x@else.test>"),
];

const STRICT: Setup = Setup {
    top: "hostname = \"mx.here.test\"",
    listen: "",
    listener: "",
    relay: "networks = [\"192.0.2.0/24\"]\ndomains = [\"good.test\"]",
    tables: "[domains.\"here.test\"]\ndeliver = \"maildir:MAIL/{user}\"\nusers = [\"anne\"]",
    dns: "",
    delivery: "retry = [\"1s\"]",
    limits: "errors = 1000",
};

const ZONE: &str = "else.test MX 10 mx.else.test\nmx.else.test A @2\nelse A @2
sub.good.test A @2\ngood.test MX 10 mx.good.test\nmx.good.test A @3
evilgood.test A @2\nelse-here.test A @2\nclient.test A @9";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stranger_reaches_ours_and_nobody_else_in_whatever_form() {
    let lab = Lab::new(ZONE).await;
    let elsewhere = lab.peer(2, Script::accept_all()).await;
    let good = lab.peer(3, Script::accept_all()).await;
    let server = Instance::start(&lab, &STRICT).await;
    let ours = server.address().ip().to_string();
    let mut relayed = Vec::new();
    for (hello, mail) in MASKS {
        let mut talk = crate::talk::Talk::open(server.address()).await;
        talk.expect(hello, "250").await;
        talk.expect(mail, "250 ").await;
        for form in FORMS {
            let reply = talk
                .say(&format!("RCPT TO:{}", form.replace("OURS", &ours)))
                .await;
            if !reply.starts_with('5') {
                relayed.push(format!("{mail}, {form}: {reply}"));
            }
        }
        talk.expect("DATA", "554 5.5.1 ").await;
        talk.expect("RCPT TO:<anne@here.test>", "250 ").await;
        talk.expect("RCPT TO:<x@good.test>", "250 ").await;
        talk.expect("DATA", "354 ").await;
        talk.expect("Subject: x\r\n\r\n.", "250 ").await;
    }
    assert!(relayed.is_empty(), "{relayed:#?}");
    arrive(&good, MASKS.len());
    server.queue_is_empty();
    assert_eq!(elsewhere.connections(), 0);
    assert_eq!(server.letters("anne", MASKS.len()).len(), MASKS.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stranger_learns_what_to_do_from_the_refusal() {
    let lab = Lab::new(ZONE).await;
    let server = Instance::start(&lab, &STRICT).await;
    let mut talk = server.talk().await;
    talk.expect("MAIL FROM:<a@client.test>", "250 ").await;
    talk.expect("RCPT TO:<x@else.test>", "550 5.7.1 ").await;
    talk.expect("RCPT TO:<nobody@here.test>", "550 5.1.1 ")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_route_leads_around_mx() {
    let lab = Lab::new("").await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let setup = Setup {
        tables: "[domains.\"here.test\"]\ndeliver = \"relay:@2:2526\"
[[route]]\nmatch = \"*.internal\"\nnext_hop = \"@2:2526\"",
        ..Setup::default()
    };
    let server = Instance::start(&lab, &setup).await;
    let to = ["x@deep.down.internal", "anne@here.test"];
    server.send("a@client.test", &to, "Subject: x\n\n").await;
    server.queue_is_empty();
    let rcpts: Vec<_> = accepted(&peer).into_iter().flat_map(|m| m.rcpts).collect();
    assert_eq!(rcpts.len(), 2, "{rcpts:?}");
}
