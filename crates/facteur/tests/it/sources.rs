//! How much a client may send.

use crate::instance::{Instance, Lab, Setup, run_in};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_client_over_its_limit_is_told_so_and_can_have_it_explained() {
    let lab = Lab::new("").await;
    let server = Instance::start(
        &lab,
        &Setup {
            tables: concat!(
                "[domains.\"here.test\"]\ndeliver = \"maildir:MAIL/{user}\"\n",
                "[[source]]\nmatch = \"127.0.0.0/8\"\nmessages_per_minute = 2\nrecipients_per_minute = 3\n"
            ),
            ..Setup::default()
        },
    )
    .await;
    let mut talk = server.talk().await;
    talk.expect("MAIL FROM:<a@client.test>", "250 ").await;
    for _ in 0..3 {
        talk.expect("RCPT TO:<anne@here.test>", "250 ").await;
    }
    let reply = talk.say("RCPT TO:<jean@here.test>").await;
    assert!(
        reply.starts_with("451 4.7.28 too many recipients from 127."),
        "{reply}"
    );
    assert!(
        reply.ends_with("at most 3 a minute; try again later"),
        "{reply}"
    );
    talk.expect("RSET", "250 ").await;
    talk.expect("MAIL FROM:<a@client.test>", "250 ").await;
    talk.expect("RSET", "250 ").await;
    let reply = talk
        .expect("MAIL FROM:<a@client.test>", "451 4.7.28 ")
        .await;
    for (language, part) in [("en", "Too much mail"), ("fr", "Trop de courrier")] {
        let folder = server.path("data");
        let explained = run_in(&folder, &["explain", &reply, "--lang", language]);
        assert!(explained.out.contains(part), "{explained:?}");
    }
}
