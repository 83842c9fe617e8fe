//! What the sender is told.

use facteur_mail::dsn::{self, Action};
use facteur_mail::{Domain, Notify, Ret};
use facteur_replies::{EnhancedCode, Language};
use facteur_spool::Spool as _;

use crate::office::{Answer, HOUR, MINUTE, Office};

const ZONE: &str = "far.test MX 10 mx.far.test\nmx.far.test A 192.0.2.25\n\
    sender.test MX 10 mx.sender.test\nmx.sender.test A 192.0.2.26\n\
    null.test MX 0 .\n";

/// The reports that `a@sender.test` got.
fn reports(office: &Office) -> Vec<String> {
    let taken = office.remote.taken();
    let mine = taken.into_iter().filter(|(to, _)| to == "a@sender.test");
    mine.map(|(_, content)| content).collect()
}

#[tokio::test]
async fn a_550_becomes_a_report_with_the_remotes_words() {
    let mut office = Office::closed(ZONE);
    office.config.language = Language::French;
    office.start();
    office
        .remote
        .answer("mx.far.test", Answer::Rcpt(550, "5.1.1 no such user"));
    let id = office.accept("a@sender.test", &["u@far.test"]).await;
    office.quiet().await;
    let reports = reports(&office);
    let [report] = reports.as_slice() else {
        panic!("one report: {reports:?}");
    };
    let parsed = dsn::parse(report.as_bytes()).unwrap();
    assert_eq!(parsed.reporting_mta.as_deref(), Some("mail.here.test"));
    assert_eq!(parsed.message_id.as_deref(), Some("<1@here.test>"));
    let told = &parsed.recipients[0];
    assert_eq!(told.action, Some(Action::Failed));
    assert_eq!(told.status, EnhancedCode::new(5, 1, 1));
    assert_eq!(told.remote_mta.as_deref(), Some("mx.far.test"));
    assert_eq!(told.diagnostic.as_deref(), Some("550 5.1.1 no such user"));
    assert_eq!(told.log_id, Some(id.to_string()));
    assert!(report.contains("Subject: =?utf-8?Q?Votre_message"));
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn a_message_that_expires_in_a_pause_comes_back_with_what_was_said_to_it() {
    let mut office = Office::closed(ZONE);
    office.config.give_up_after = MINUTE * 7;
    office.start();
    office
        .remote
        .answer("mx.far.test", Answer::Greeting(421, "4.3.2 busy"));
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.pass(MINUTE * 8).await;
    let far = office.remote.calls() - reports(&office).len();
    assert_eq!(far, 2, "the last time is in the pause after the second");
    let report = dsn::parse(reports(&office)[0].as_bytes()).unwrap();
    let told = &report.recipients[0];
    assert_eq!(told.diagnostic.as_deref(), Some("421 4.3.2 busy"));
    assert_eq!(told.remote_mta.as_deref(), Some("mx.far.test"));
    assert_eq!(told.status, EnhancedCode::new(5, 4, 7));
}

#[tokio::test]
async fn a_null_mx_that_appears_in_the_queue_bounces_at_once_without_a_connection() {
    let office = Office::open(ZONE);
    office
        .remote
        .answer("mx.far.test", Answer::Rcpt(450, "4.2.1 later"));
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.quiet().await;
    office.zone.replace("far.test MX 0 .");
    office.pass(MINUTE * 6).await;
    let calls = office.remote.calls.lock().unwrap().clone();
    assert_eq!(
        calls
            .iter()
            .filter(|(host, ..)| host == "mx.far.test")
            .count(),
        1
    );
    let reports = reports(&office);
    let parsed = dsn::parse(reports[0].as_bytes()).unwrap();
    let told = &parsed.recipients[0];
    assert_eq!(told.status, EnhancedCode::new(5, 1, 10));
    assert_eq!(told.remote_mta, None);
    assert!(
        told.diagnostic
            .as_deref()
            .unwrap()
            .starts_with("556 5.1.10 ")
    );
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn one_report_names_every_recipient_of_a_pass() {
    let office = Office::open(ZONE);
    office
        .remote
        .answer("mx.far.test", Answer::Rcpt(550, "5.7.1 no"));
    let to = ["u@far.test", "v@far.test", "w@null.test", "x@nowhere.test"];
    office.accept("a@sender.test", &to).await;
    office.pass(MINUTE).await;
    let reports = reports(&office);
    let told: usize = reports
        .iter()
        .map(|report| dsn::parse(report.as_bytes()).unwrap().recipients.len())
        .sum();
    assert_eq!(told, to.len(), "each recipient once");
    assert_eq!(reports.len(), 1);
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn a_report_that_fails_makes_no_report() {
    let office = Office::open(ZONE);
    office
        .remote
        .answer("mx.far.test", Answer::Rcpt(550, "5.1.1 no such user"));
    office
        .remote
        .answer("mx.sender.test", Answer::Rcpt(550, "5.1.1 nor here"));
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.accept("", &["u@far.test"]).await;
    office.pass(HOUR).await;
    assert!(office.remote.taken().is_empty());
    assert_eq!(office.remote.calls(), 3);
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn no_report_goes_to_a_domain_that_takes_no_mail() {
    let office = Office::open(ZONE);
    office
        .remote
        .answer("mx.far.test", Answer::Rcpt(550, "5.1.1 no such user"));
    office.accept("a@null.test", &["u@far.test"]).await;
    office.pass(HOUR).await;
    assert_eq!(office.remote.calls(), 1);
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn the_sender_is_told_once_that_a_message_is_late() {
    let office = Office::open(ZONE);
    office
        .remote
        .answer("mx.far.test", Answer::Rcpt(451, "4.7.1 greylisted"));
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.pass(HOUR * 3).await;
    assert!(reports(&office).is_empty());
    office.pass(HOUR * 40).await;
    let reports = reports(&office);
    assert_eq!(reports.len(), 1);
    let parsed = dsn::parse(reports[0].as_bytes()).unwrap();
    assert_eq!(parsed.recipients[0].action, Some(Action::Delayed));
    assert_eq!(parsed.recipients[0].status, EnhancedCode::new(4, 7, 1));
    assert!(parsed.recipients[0].will_retry_until.is_some());
    assert_eq!(office.spool.len(), 1);
}

#[tokio::test]
async fn notify_decides_what_is_told() {
    let success = Notify::On {
        success: true,
        failure: false,
        delay: false,
    };
    for (notify, answer, told) in [
        (Notify::Never, Answer::Rcpt(550, "5.1.1 no"), None),
        (success, Answer::Rcpt(550, "5.1.1 no"), None),
        (success, Answer::Taken("2.0.0 ok"), Some(Action::Relayed)),
        (Notify::Default, Answer::Taken("2.0.0 ok"), None),
        (
            Notify::Default,
            Answer::Rcpt(550, "5.1.1 no"),
            Some(Action::Failed),
        ),
    ] {
        let office = Office::open(ZONE);
        office.remote.answer("mx.far.test", answer);
        office
            .accept_with("a@sender.test", &["u@far.test"], |envelope| {
                envelope.recipients[0].notify = notify;
            })
            .await;
        office.pass(MINUTE).await;
        let actions: Vec<_> = reports(&office)
            .iter()
            .map(|report| dsn::parse(report.as_bytes()).unwrap().recipients[0].action)
            .collect();
        assert_eq!(
            actions,
            told.map(Some).into_iter().collect::<Vec<_>>(),
            "{notify:?}"
        );
        assert!(office.spool.is_empty());
    }
}

#[tokio::test]
async fn the_whole_message_comes_back_if_that_was_asked_for() {
    for (ret, whole) in [
        (None, false),
        (Some(Ret::Headers), false),
        (Some(Ret::Full), true),
    ] {
        let office = Office::open(ZONE);
        office
            .accept_with("a@sender.test", &["u@null.test"], |envelope| {
                envelope.ret = ret;
            })
            .await;
        office.quiet().await;
        let report = &reports(&office)[0];
        assert_eq!(report.contains("\r\n\r\nBody\r\n"), whole, "{ret:?}");
        assert_eq!(report.contains("Content-Type: message/rfc822\r\n"), whole);
    }
}

#[tokio::test]
async fn the_language_of_a_report_is_the_one_of_the_senders_domain() {
    for (domain, french) in [("sender.test", true), ("other.test", false)] {
        let mut office = Office::closed(ZONE);
        let domain = Domain::parse(domain).unwrap();
        office.config.languages.insert(domain, Language::French);
        office.start();
        office.accept("a@sender.test", &["u@null.test"]).await;
        office.quiet().await;
        let report = &reports(&office)[0];
        assert_eq!(report.contains("n=E2=80=99a pas pu"), french);
        assert!(
            report.contains("could not be delivered"),
            "English is always there"
        );
    }
}
