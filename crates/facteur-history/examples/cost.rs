//! What the history costs: `cargo run --release -p facteur-history --example cost -- [MESSAGES] [A_SECOND]`.
//!
//! Each message is accepted, tried over a connection that is in use already, delivered and ended, as a relay under load
//! does it. Without `A_SECOND` as many are told as can be written.

#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a tool for developers"
)]

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use facteur_history::{Config, History};
use facteur_mail::environment::Sleep;
use facteur_mail::event::{
    Accepted, Decision, MxAnswer, RouteHost, RouteRule, RouteTaken, Tried, TriedRecipient,
};
use facteur_mail::{
    Address, Attempt, BodyType, Client, Clock, Delivery, Envelope, Event, Notify, Observer as _,
    Protocol, QueueId, Recipient, RemoteHost, ReversePath, Said, Stage, Timestamp, Transcript,
};
use facteur_replies::{RemoteReply, ReplyCode};

type Failed = Box<dyn std::error::Error>;

struct SystemTimeNow;

impl Clock for SystemTimeNow {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = since.unwrap_or_default().as_millis();
        Timestamp::from_millis(u64::try_from(millis).unwrap_or_default())
    }

    fn sleep_until(&self, _: Timestamp) -> Sleep {
        Box::pin(std::future::pending())
    }
}

fn main() -> Result<(), Failed> {
    let mut args = std::env::args().skip(1);
    let messages: u64 = args.next().map_or(Ok(100_000), |it| it.parse())?;
    let rate: u64 = args.next().map_or(Ok(0), |it| it.parse())?;
    let directory = tempfile::tempdir()?;
    let config = Config::new(directory.path().join("history"));
    let history = History::start(config.clone(), Arc::new(SystemTimeNow))?;
    let (began, cpu) = (Instant::now(), cpu());
    let mut telling = Duration::ZERO;
    let mut last = None;
    for number in 0..messages {
        if let Some(due) = number.saturating_mul(1_000_000).checked_div(rate) {
            let due = Duration::from_micros(due);
            std::thread::sleep(due.saturating_sub(began.elapsed()));
        } else {
            while waiting(&history, number) > 8_000 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        let id = QueueId::next(SystemTimeNow.now(), last);
        last = Some(id);
        telling += tell(&history, id, number)?;
    }
    let all = history.close(Duration::from_secs(600));
    let (wall, cpu) = (began.elapsed(), self::cpu().saturating_sub(cpu));
    let health = history.health();
    let size = std::fs::metadata(config.file())?.len();
    let each = |time: Duration| time.as_secs_f64() * 1e6 / messages as f64;
    println!(
        "messages {messages}, events written {}, missing {}, all {all}",
        health.written, health.missing
    );
    println!(
        "{:.0} messages/s, {:.0} events/s",
        messages as f64 / wall.as_secs_f64(),
        health.written as f64 / wall.as_secs_f64()
    );
    println!(
        "{:.1} µs CPU a message in all, {:.1} µs where it happens",
        each(cpu),
        each(telling)
    );
    println!("{} octets of file a message", size / messages.max(1));
    Ok(())
}

/// How many messages have been told and are not written.
fn waiting(history: &History, told: u64) -> u64 {
    let health = history.health();
    (told * 3).saturating_sub(health.written + health.missing)
}

/// Tells one life; how long the observer took.
fn tell(history: &History, id: QueueId, number: u64) -> Result<Duration, Failed> {
    let at = SystemTimeNow.now();
    let envelope = envelope(at, number)?;
    let host = RemoteHost {
        name: "mx.far.test".into(),
        address: Some(([192, 0, 2, 25], 25).into()),
    };
    let taken = reply(250, "2.0.0 Ok: queued as 4F1Zb30hXpz2xKq")?;
    let (route, transcript) = (route(), transcript(&host, &taken)?);
    let attempt = Attempt {
        at,
        took: Duration::from_millis(3),
        host: Some(host),
        stage: Stage::EndOfData,
        said: Said::ByPeer(taken),
    };
    let message_id = format!("{id}.{number}@client.test");
    let recipients = [TriedRecipient {
        place: 0,
        recipient: envelope.recipients.first().ok_or("no recipient")?,
        attempts: 1,
        attempt: &attempt,
        decision: Decision::Delivered(Delivery::Relayed),
    }];
    let began = Instant::now();
    history.observe(&Event::Accepted(Accepted {
        id,
        at,
        octets: 10_240,
        envelope: &envelope,
        message_id: Some(&message_id),
        session: Some(1),
    }));
    history.observe(&Event::Tried(Tried {
        id,
        at,
        envelope: &envelope,
        octets: 10_240,
        destination: "far.test",
        route: Some(&route),
        transcript: &transcript,
        recipients: &recipients,
    }));
    history.observe(&Event::Ended { id, at });
    Ok(began.elapsed())
}

fn envelope(at: Timestamp, number: u64) -> Result<Envelope, Failed> {
    let sender = format!("sender{}@client.test", number % 1_000);
    let recipient = format!("user{}@far.test", number % 50_000);
    Ok(Envelope {
        sender: ReversePath::Address(Address::parse(&sender)?),
        recipients: vec![Recipient {
            address: Address::parse(&recipient)?,
            orcpt: None,
            notify: Notify::Default,
        }],
        body: BodyType::EightBitMime,
        smtputf8: false,
        ret: None,
        envid: None,
        arrived: at,
        client: Client {
            ip: Some([192, 0, 2, 1].into()),
            helo: "client.test".into(),
            protocol: Protocol::Esmtp,
        },
    })
}

fn route() -> RouteTaken {
    RouteTaken {
        by: RouteRule::Mx("far.test".into()),
        mx: Some(MxAnswer::Found {
            records: vec![(10, "mx.far.test".into())],
            ttl: Duration::from_secs(300),
        }),
        plan: Cow::Borrowed("hosts"),
        hosts: vec![RouteHost {
            name: "mx.far.test".into(),
            preference: 10,
            implicit: false,
            addresses: vec![[192, 0, 2, 25].into()],
        }],
        findings: Vec::new(),
    }
}

fn transcript(host: &RemoteHost, taken: &RemoteReply) -> Result<Transcript, Failed> {
    let mut transcript = Transcript::default();
    transcript.server(host.clone(), true);
    let mail = b"MAIL FROM:<sender@client.test> SIZE=10240 BODY=8BITMIME\r\n";
    transcript.sent(Stage::Mail, mail);
    transcript.sent(Stage::Rcpt, b"RCPT TO:<user@far.test>\r\n");
    transcript.sent(Stage::Data, b"DATA\r\n");
    transcript.heard(Stage::Mail, &reply(250, "2.1.0 Ok")?);
    transcript.heard(Stage::Rcpt, &reply(250, "2.1.5 Ok")?);
    let go = reply(354, "End data with <CR><LF>.<CR><LF>")?;
    transcript.heard(Stage::Data, &go);
    transcript.content(10_240);
    transcript.heard(Stage::EndOfData, taken);
    Ok(transcript)
}

fn reply(code: u16, text: &str) -> Result<RemoteReply, Failed> {
    let code = ReplyCode::new(code).ok_or("no code")?;
    Ok(RemoteReply::new(code, vec![text.to_owned()]))
}

/// The processor time of this process.
fn cpu() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        used.tv_sec.unsigned_abs(),
        u32::try_from(used.tv_nsec).unwrap_or_default(),
    )
}
