//! What limits let through, and when.

use facteur_mail::{Said, Stage};
use facteur_replies::{RemoteReply, ReplyCode};

use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_767_571_200_000 + seconds * 1_000)
}

fn too_fast() -> RateLimited {
    let code = ReplyCode::new(421).unwrap();
    RateLimited {
        attempt: Arc::new(Attempt {
            at: at(0),
            took: Duration::ZERO,
            host: None,
            stage: Stage::Greeting,
            said: Said::ByPeer(RemoteReply::new(code, vec!["4.7.28 too fast".to_owned()])),
        }),
        wording: None,
    }
}

fn limits() -> Limits {
    Limits {
        connections: NonZeroU32::new(4),
        ..Limits::default()
    }
}

/// How many jobs may start at once, each of them for one recipient.
fn start_all(throttle: &mut Throttle, now: Timestamp) -> u32 {
    let charge = Charge {
        recipients: 1,
        connection: true,
    };
    let mut started = 0;
    while throttle.check(now).is_ok() {
        throttle.start(charge, now);
        started += 1;
    }
    started
}

fn end_all(throttle: &mut Throttle, now: Timestamp) {
    while throttle.active > 0 {
        throttle.end(Charge::default(), Some(Traffic::default()), now);
    }
}

#[test]
fn a_remote_that_asks_for_less_gets_half_after_a_pause_and_all_in_the_end() {
    let mut throttle = Throttle::new(limits());
    for _ in 0..10 {
        assert_eq!(start_all(&mut throttle, at(0)), 4);
        end_all(&mut throttle, at(0));
    }
    assert!(throttle.slow_down(too_fast(), 4, at(1)));
    assert!(
        !throttle.slow_down(too_fast(), 4, at(1)),
        "once for each pause"
    );
    let held = throttle.check(at(60)).unwrap_err();
    assert_eq!((held.why, held.until), (Why::RateLimitPause, Some(at(61))));
    assert_eq!(
        start_all(&mut throttle, at(61)),
        1,
        "twenty a minute, evenly"
    );
    let held = throttle.check(at(62)).unwrap_err();
    assert_eq!(held.why, Why::SlowedMessages(NonZeroU32::new(20).unwrap()));
    assert_eq!(start_all(&mut throttle, at(64)), 1);
    let held = throttle.check(at(70)).unwrap_err();
    assert_eq!(
        held.why,
        Why::SlowedConnections(NonZeroU32::new(2).unwrap())
    );
    end_all(&mut throttle, at(70));

    assert!(throttle.slow_down(too_fast(), 4, at(70)));
    let held = throttle.check(at(71)).unwrap_err();
    assert_eq!(held.until, Some(at(70 + 120)), "the pause is twice as long");
    assert_eq!(start_all(&mut throttle, at(190)), 1);
    end_all(&mut throttle, at(190));
    assert_eq!(throttle.slowed.as_ref().map(|it| it.level), Some(2));
    assert!(throttle.check(at(190 + 300)).is_ok());
    assert_eq!(throttle.slowed.as_ref().map(|it| it.level), Some(1));
    assert_eq!(
        start_all(&mut throttle, at(190 + 600)),
        4,
        "as if nothing had been"
    );
}

#[test]
fn a_message_that_was_not_sent_costs_nothing() {
    let mut throttle = Throttle::new(Limits {
        messages_per_minute: NonZeroU32::new(1),
        recipients_per_minute: NonZeroU32::new(10),
        connections_per_minute: NonZeroU32::new(1),
        ..Limits::default()
    });
    let charge = Charge {
        recipients: 10,
        connection: true,
    };
    throttle.start(charge, at(0));
    assert!(throttle.check(at(1)).is_err());
    throttle.end(charge, None, at(1));
    assert!(throttle.check(at(1)).is_ok());
    assert_eq!(throttle.used.messages.in_last_minute(at(1)), 0);
    assert_eq!(throttle.remembered_until(at(1)), None);
}

#[test]
fn an_idle_connection_needs_no_new_one() {
    let mut throttle = Throttle::new(Limits {
        connections_per_minute: NonZeroU32::new(1),
        ..Limits::default()
    });
    let new = Charge {
        recipients: 1,
        connection: true,
    };
    throttle.start(new, at(0));
    assert!(throttle.check(at(0)).is_err());
    let kept = Traffic {
        connections: 1,
        kept: true,
    };
    throttle.end(new, Some(kept), at(1));
    assert!(throttle.check(at(1)).is_ok() && !throttle.may_connect(at(1)));
    throttle.start(
        Charge {
            recipients: 1,
            connection: false,
        },
        at(1),
    );
    let held = throttle.check(at(1)).unwrap_err();
    assert_eq!(held.until, Some(at(60)));
}

#[test]
fn a_large_message_goes_in_parts_of_a_minutes_worth() {
    let throttle = Throttle::new(Limits {
        recipients_per_minute: NonZeroU32::new(50),
        ..Limits::default()
    });
    assert_eq!(throttle.most_recipients(), 50);
    assert_eq!(Throttle::new(limits()).most_recipients(), u32::MAX);
}
