//! Which jobs start, and which wait for what.

use std::num::NonZeroU32;
use std::time::Duration;

use facteur_mail::{Domain, Said, Stage};
use facteur_replies::{RemoteReply, Reply, ReplyCode};
use proptest::prelude::*;

use super::destinations::MAX_REMEMBERED;
use super::state::SLOW;
use super::*;
use crate::limits::{Order, Rule, Target, What};

const CAPACITY: Capacity = Capacity {
    running: 10,
    per_destination: 2,
    pause: Duration::from_secs(60),
};

const QUICK: Duration = Duration::from_millis(50);

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

fn to(name: &str) -> Destination {
    Destination::Mx(domain(name))
}

fn id(number: u64) -> QueueId {
    QueueId::from_number(number)
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn attempt(said: Said) -> Arc<Attempt> {
    Arc::new(Attempt {
        at: at(0),
        took: Duration::ZERO,
        host: None,
        stage: Stage::Connect,
        said,
    })
}

fn silence() -> Health {
    Health::Silent(attempt(Said::ByUs(Reply::no_answer("mx", "refused"))))
}

fn too_fast() -> RateLimited {
    let code = ReplyCode::new(421).unwrap();
    let reply = RemoteReply::new(code, vec!["4.7.28 too fast".to_owned()]);
    RateLimited {
        attempt: attempt(Said::ByPeer(reply)),
        wording: None,
    }
}

fn limits() -> Limits {
    Limits::default()
}

fn many(number: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(number)
}

fn rule(target: &str, limits: Limits) -> Rule {
    let target = Target::parse(target).unwrap();
    Rule { target, limits }
}

fn pause(target: &str, until: Option<u64>) -> Order {
    Order {
        target: Target::parse(target).unwrap(),
        what: What::Pause,
        reason: "their network is down".to_owned(),
        by: "root".to_owned(),
        since: at(0),
        until: until.map(at),
    }
}

/// An index, and what it has started.
struct Desk {
    index: Index,
    next: u64,
}

impl Desk {
    fn new(rules: &[Rule]) -> Self {
        Self::with(CAPACITY, rules)
    }

    fn with(capacity: Capacity, rules: &[Rule]) -> Self {
        let rules = Rules::new(rules.into(), Arc::default(), at(0));
        Self {
            index: Index::new(capacity, rules),
            next: 0,
        }
    }

    /// Adds so many jobs, numbered on.
    fn insert(&mut self, jobs: u64, destination: &str, due: u64) {
        for _ in 0..jobs {
            self.next += 1;
            self.index
                .insert(id(self.next), to(destination), 1, at(due));
        }
    }

    /// Starts as much as may start.
    fn taken(&mut self, now: Timestamp) -> Vec<(Job, Receipt)> {
        std::iter::from_fn(|| self.index.take(now)).collect()
    }

    /// Ends a job that has sent its message.
    fn end(&mut self, job: &(Job, Receipt), health: Health, took: Duration, now: Timestamp) {
        let ended = Ended {
            traffic: Some(Traffic::default()),
            ..ended(health, took)
        };
        self.index.finished(job.0.message, &job.1, ended, now);
    }

    fn order(&mut self, orders: Vec<Order>, now: Timestamp) {
        let rules = self.index.rules().ordered(orders, now);
        self.index.obey(rules, now);
    }

    fn view(&mut self, name: &str, now: Timestamp) -> DestinationView {
        let survey = self.index.survey(|it, _| *it == to(name), 1, now);
        survey.destinations.into_iter().next().unwrap()
    }

    /// The seconds at which messages are sent when each takes no time, as the events of the index alone wake it.
    fn seconds_of(&mut self, messages: usize) -> Vec<u64> {
        let (mut now, mut sent) = (at(0), Vec::new());
        while sent.len() < messages {
            let jobs = self.taken(now);
            for job in &jobs {
                sent.push(now.as_millis() / 1_000);
                self.end(job, Health::Answers, QUICK, now);
            }
            if jobs.is_empty() {
                let next = self.index.next_event().expect("something will happen");
                assert!(next > now, "nobody is woken for nothing");
                now = next;
            }
        }
        sent
    }
}

fn ended(health: Health, took: Duration) -> Ended {
    Ended {
        health,
        took,
        traffic: None,
        seen: None,
        rate_limited: None,
        hosts: None,
        left: 0,
    }
}

fn numbers(jobs: &[(Job, Receipt)]) -> Vec<u64> {
    jobs.iter().map(|(job, _)| job.message.number()).collect()
}

fn is_try(job: &(Job, Receipt)) -> bool {
    matches!(job.0.kind, Kind::Try(_))
}

#[test]
fn destinations_take_turns_and_none_takes_more_than_it_has_earned() {
    let mut desk = Desk::new(&[]);
    desk.insert(9, "busy.test", 0);
    desk.insert(1, "quiet.test", 0);
    let jobs = desk.taken(at(0));
    assert_eq!(numbers(&jobs), [1, 10]);
    desk.end(&jobs[0], Health::Answers, QUICK, at(0));
    let jobs = desk.taken(at(0));
    assert_eq!(numbers(&jobs), [2, 3]);
    desk.end(&jobs[0], Health::Answers, QUICK, at(0));
    let more = desk.taken(at(0));
    assert_eq!(numbers(&more), [4], "two is the limit");
    desk.end(&more[0], Health::Answers, SLOW, at(20));
    let none = desk.taken(at(20));
    assert!(none.is_empty(), "it was slow: one at a time");
    desk.end(&jobs[1], Health::Answers, QUICK, at(20));
    assert_eq!(numbers(&desk.taken(at(20))), [5, 6]);
}

#[test]
fn without_slow_start_a_destination_begins_with_all_that_it_may_have() {
    let quick = Limits {
        slow_start: Some(false),
        connections: many(5),
        ..limits()
    };
    let mut desk = Desk::new(&[rule("a.test", quick)]);
    desk.insert(9, "a.test", 0);
    assert_eq!(desk.taken(at(0)).len(), 5);
}

#[test]
fn no_more_jobs_run_than_allowed_in_all() {
    let mut desk = Desk::new(&[]);
    for number in 0..50 {
        desk.insert(1, &format!("d{number}.test"), 0);
    }
    assert_eq!(desk.taken(at(0)).len(), CAPACITY.running);
    assert_eq!(desk.index.running(), CAPACITY.running);
}

#[test]
fn another_capacity_holds_for_what_starts_next() {
    let mut desk = Desk::new(&[]);
    desk.insert(9, "a.test", 0);
    let [first] = desk.taken(at(0)).try_into().unwrap();
    desk.end(&first, Health::Answers, QUICK, at(0));
    let two = desk.taken(at(0));
    assert_eq!(two.len(), 2);
    let narrow = Capacity {
        per_destination: 1,
        ..CAPACITY
    };
    let rules = desk.index.rules().without_ended(at(0));
    desk.index.go_on_under(narrow, rules, at(0));
    desk.end(&two[0], Health::Answers, QUICK, at(0));
    assert!(desk.taken(at(0)).is_empty(), "one still runs");
    desk.end(&two[1], Health::Answers, QUICK, at(0));
    let one = desk.taken(at(0));
    assert_eq!(one.len(), 1);
    let rules = desk.index.rules().without_ended(at(0));
    desk.index.go_on_under(CAPACITY, rules, at(0));
    desk.end(&one[0], Health::Answers, QUICK, at(0));
    assert_eq!(desk.taken(at(0)).len(), 2);
}

#[test]
fn a_job_waits_until_it_is_due() {
    let mut desk = Desk::new(&[]);
    desk.insert(1, "a.test", 20);
    desk.insert(1, "a.test", 10);
    assert_eq!(desk.index.next_event(), Some(at(10)));
    assert!(desk.taken(at(9)).is_empty());
    assert_eq!(numbers(&desk.taken(at(10))), [2]);
    assert_eq!(desk.index.next_event(), Some(at(20)));
}

#[test]
fn a_silent_destination_is_left_alone_and_then_tried_by_one() {
    let mut desk = Desk::new(&[]);
    desk.insert(1, "dead.test", 0);
    let [first] = desk.taken(at(0)).try_into().unwrap();
    desk.end(&first, silence(), QUICK, at(0));
    desk.insert(7, "dead.test", 1);
    let mut told = 0;
    while let Some(job) = desk.index.take(at(1)) {
        assert!(!is_try(&job));
        desk.end(&job, Health::Unknown, QUICK, at(1));
        told += 1;
    }
    assert_eq!(told, 7);
    desk.insert(3, "dead.test", 60);
    let probe = desk.taken(at(60));
    assert_eq!(
        probe.len(),
        1,
        "one tries, the others wait for what it finds"
    );
    assert!(is_try(&probe[0]));
    desk.end(&probe[0], Health::Answers, QUICK, at(61));
    let open = desk.taken(at(61));
    assert_eq!(open.len(), 2);
    assert!(open.iter().all(is_try));
}

#[test]
fn a_silent_destination_is_tried_at_once_when_an_operator_says_so() {
    let mut desk = Desk::new(&[]);
    desk.insert(1, "dead.test", 0);
    let [first] = desk.taken(at(0)).try_into().unwrap();
    desk.end(&first, silence(), QUICK, at(0));
    desk.index.forgive(&to("dead.test"));
    desk.insert(1, "dead.test", 1);
    let again = desk.taken(at(1));
    assert!(again.len() == 1 && is_try(&again[0]));
}

#[test]
fn one_silence_among_answers_is_not_a_silent_destination() {
    let mut desk = Desk::new(&[]);
    desk.insert(5, "a.test", 0);
    let [first] = desk.taken(at(0)).try_into().unwrap();
    desk.end(&first, Health::Answers, QUICK, at(0));
    let two = desk.taken(at(0));
    assert_eq!(two.len(), 2);
    desk.end(&two[0], silence(), QUICK, at(0));
    desk.end(&two[1], Health::Answers, QUICK, at(0));
    let next = desk.taken(at(0));
    assert!(next.iter().all(is_try));
    assert_eq!(next.len(), 2);
}

#[test]
fn a_destination_without_jobs_is_forgotten_in_the_end() {
    let mut desk = Desk::new(&[rule(
        "d3.test",
        Limits {
            messages_per_minute: many(1),
            ..limits()
        },
    )]);
    for number in 0..100 {
        desk.insert(1, &format!("d{number}.test"), 0);
        let [job] = desk.taken(at(0)).try_into().unwrap();
        let health = if number % 2 == 0 {
            silence()
        } else {
            Health::Answers
        };
        desk.end(&job, health, QUICK, at(0));
    }
    assert_eq!(desk.index.keys.len(), 100, "remembered, to be shown");
    assert!(desk.index.take(at(601)).is_none());
    assert_eq!((desk.index.keys.len(), desk.index.resting.len()), (0, 0));
    assert_eq!(desk.index.free.len(), desk.index.states.len());
}

#[test]
fn what_is_remembered_only_to_be_shown_is_bounded() {
    let mut desk = Desk::new(&[]);
    for number in 0..MAX_REMEMBERED + 50 {
        desk.insert(1, &format!("d{number}.test"), 0);
        let [job] = desk.taken(at(0)).try_into().unwrap();
        desk.end(&job, Health::Answers, QUICK, at(0));
    }
    assert_eq!(desk.index.keys.len(), MAX_REMEMBERED);
}

#[test]
fn a_rate_lets_one_message_through_at_its_moment_and_wakes_nobody_between() {
    let limits = Limits {
        messages_per_minute: many(20),
        ..limits()
    };
    let mut desk = Desk::new(&[rule("far.test", limits)]);
    desk.insert(5, "far.test", 0);
    assert_eq!(desk.seconds_of(5), [0, 3, 6, 9, 12]);
}

#[test]
fn a_job_that_a_limit_keeps_back_says_which_one_and_until_when() {
    let limits = Limits {
        messages_per_minute: many(20),
        ..limits()
    };
    let mut desk = Desk::new(&[rule("far.test", limits)]);
    desk.insert(5, "far.test", 0);
    let [job] = desk.taken(at(0)).try_into().unwrap();
    desk.end(&job, Health::Answers, QUICK, at(0));
    assert!(desk.taken(at(0)).is_empty());
    let view = desk.view("far.test", at(1));
    let held = view.held.unwrap();
    assert_eq!(held.why, Why::MessagesPerMinute(many(20).unwrap()));
    assert_eq!((held.until, held.shared), (Some(at(3)), None));
    assert_eq!((view.due, view.running, view.own.messages), (4, 0, 1));
}

#[test]
fn recipients_count_and_a_large_message_goes_in_parts() {
    let limits = Limits {
        recipients_per_minute: many(10),
        ..limits()
    };
    let mut desk = Desk::new(&[rule("far.test", limits)]);
    desk.index.insert(id(1), to("far.test"), 25, at(0));
    let mut parts = Vec::new();
    let mut now = at(0);
    while parts.len() < 3 {
        for job in desk.taken(now) {
            let Kind::Try(allowed) = &job.0.kind else {
                panic!("it is tried")
            };
            parts.push((now, allowed.recipients));
            desk.end(&job, Health::Answers, QUICK, now);
        }
        now = desk.index.next_event().unwrap_or(now);
    }
    assert_eq!(parts, [(at(0), 10), (at(60), 10), (at(120), usize::MAX)]);
}

#[test]
fn destinations_that_share_a_mail_server_share_its_limit_fairly() {
    let limits = Limits {
        messages_per_minute: many(60),
        ..limits()
    };
    let mut desk = Desk::new(&[rule("mx:*.big.test", limits)]);
    let hosts: Arc<[Domain]> = [domain("mx.big.test")].into();
    for name in ["a.test", "b.test", "c.test"] {
        desk.insert(10, name, 0);
    }
    // The first of each finds out where its mail goes, and starts again.
    for job in desk.taken(at(0)) {
        let Kind::Try(allowed) = &job.0.kind else {
            panic!("it is tried")
        };
        assert!(allowed.unsited.is_some());
        let ended = Ended {
            hosts: Some(Arc::clone(&hosts)),
            left: 1,
            ..ended(Health::Unknown, QUICK)
        };
        desk.index.finished(job.0.message, &job.1, ended, at(0));
    }
    let mut served = HashMap::new();
    for second in 0..9 {
        let jobs = desk.taken(at(second));
        assert_eq!(jobs.len(), 1, "one a second");
        *served.entry(jobs[0].0.destination.to_string()).or_insert(0) += 1;
        desk.end(&jobs[0], Health::Answers, QUICK, at(second));
        assert_eq!(desk.index.next_event(), Some(at(second + 1)));
    }
    assert!(served.values().all(|count| *count == 3), "{served:?}");
    let view = desk.view("a.test", at(8));
    let (target, used) = view.shared.unwrap();
    assert_eq!(
        (target.to_string().as_str(), used.messages),
        ("mx:*.big.test", 9)
    );
}

#[test]
fn connections_at_a_time_are_counted_over_all_that_share_them() {
    let limits = Limits {
        connections: many(1),
        ..limits()
    };
    let mut desk = Desk::new(&[rule("mx:mx.big.test", limits)]);
    let hosts: Arc<[Domain]> = [domain("mx.big.test")].into();
    for name in ["a.test", "b.test"] {
        desk.insert(2, name, 0);
    }
    for job in desk.taken(at(0)) {
        let ended = Ended {
            hosts: Some(Arc::clone(&hosts)),
            left: 1,
            ..ended(Health::Unknown, QUICK)
        };
        desk.index.finished(job.0.message, &job.1, ended, at(0));
    }
    for _ in 0..4 {
        let jobs = desk.taken(at(0));
        assert_eq!(jobs.len(), 1);
        desk.end(&jobs[0], Health::Answers, QUICK, at(0));
    }
    assert!(desk.taken(at(0)).is_empty());
}

#[test]
fn a_destination_that_asks_for_less_waits_and_is_not_taken_for_silent() {
    let mut desk = Desk::new(&[]);
    desk.insert(4, "far.test", 0);
    let [job] = desk.taken(at(0)).try_into().unwrap();
    let ended = Ended {
        traffic: Some(Traffic::default()),
        rate_limited: Some(too_fast()),
        ..ended(Health::AsksForLess, QUICK)
    };
    let slowed = desk
        .index
        .finished(job.0.message, &job.1, ended, at(0))
        .unwrap();
    assert_eq!((slowed.level, slowed.until), (1, at(60)));
    assert!(desk.taken(at(59)).is_empty());
    assert_eq!(
        desk.view("far.test", at(59)).held.unwrap().why,
        Why::RateLimitPause
    );
    assert_eq!(desk.index.next_event(), Some(at(60)));
    let jobs = desk.taken(at(60));
    assert!(jobs.len() == 1 && is_try(&jobs[0]));
}

#[test]
fn a_paused_destination_starts_nothing_until_it_is_resumed() {
    let mut desk = Desk::new(&[]);
    desk.order(vec![pause("*.test", None)], at(0));
    desk.insert(3, "far.test", 0);
    desk.insert(1, "far.example", 0);
    assert_eq!(numbers(&desk.taken(at(0))), [4]);
    let view = desk.view("far.test", at(0));
    assert_eq!(view.paused.unwrap().reason, "their network is down");
    assert_eq!(desk.index.next_event(), None);
    desk.order(Vec::new(), at(100));
    assert_eq!(numbers(&desk.taken(at(100))), [1]);
}

#[test]
fn a_destination_that_is_resumed_is_tried_at_once_though_it_did_not_answer() {
    let mut desk = Desk::new(&[]);
    desk.insert(1, "far.test", 0);
    let [job] = desk.taken(at(0)).try_into().unwrap();
    desk.end(&job, silence(), QUICK, at(0));
    desk.order(vec![pause("far.test", None)], at(1));
    desk.insert(1, "far.test", 1);
    assert!(
        desk.taken(at(1)).is_empty(),
        "nobody is told to wait either"
    );
    desk.order(Vec::new(), at(2));
    let jobs = desk.taken(at(2));
    assert!(jobs.len() == 1 && is_try(&jobs[0]));
}

#[test]
fn a_pause_ends_by_itself_at_its_time() {
    let mut desk = Desk::new(&[]);
    desk.insert(1, "far.test", 0);
    desk.order(vec![pause("far.test", Some(60))], at(0));
    assert!(desk.taken(at(59)).is_empty());
    assert_eq!(desk.index.next_event(), Some(at(60)));
    assert_eq!(numbers(&desk.taken(at(60))), [1]);
}

#[test]
fn other_limits_hold_for_those_that_wait_already() {
    let limits = |number| Limits {
        messages_per_minute: many(number),
        ..Limits::default()
    };
    let mut desk = Desk::new(&[rule("far.test", limits(1))]);
    desk.insert(5, "far.test", 0);
    let [job] = desk.taken(at(0)).try_into().unwrap();
    desk.end(&job, Health::Answers, QUICK, at(0));
    assert!(desk.taken(at(0)).is_empty());
    let order = Order {
        what: What::Limit(limits(60)),
        ..pause("far.test", None)
    };
    desk.order(vec![order], at(0));
    assert!(desk.taken(at(0)).is_empty());
    assert_eq!(desk.index.next_event(), Some(at(1)));
    assert_eq!(desk.taken(at(1)).len(), 1);
}

#[test]
fn a_waiting_job_costs_a_few_octets() {
    assert!(size_of::<Entry>() <= 24);
    assert!(size_of::<Due>() <= 16);
    assert!(size_of::<State>() <= 152, "{}", size_of::<State>());
}

proptest! {
    /// Whatever the limits and whatever ends how: all jobs are started, each once, nothing is left running or held, and the
    /// index is never woken for nothing twice in a row.
    #[test]
    fn prop_every_job_is_started_once_under_any_limits(
        rates in prop::collection::vec(prop::option::of(1_u32..600), 4),
        caps in prop::collection::vec(prop::option::of(1_u32..4), 4),
        jobs in prop::collection::vec((0_u64..4, 0_u64..30), 1..60),
        outcomes in prop::collection::vec(0_u8..5, 60),
    ) {
        let rules: Vec<Rule> = (0..4).map(|at: usize| {
            let limits = Limits {
                messages_per_minute: rates[at].and_then(NonZeroU32::new),
                connections: caps[at].and_then(NonZeroU32::new),
                ..Limits::default()
            };
            let target = if at == 3 { "mx:mx.big.test".to_owned() } else { format!("d{at}.test") };
            rule(&target, limits)
        }).collect();
        let hosts: Arc<[Domain]> = [domain("mx.big.test")].into();
        let mut desk = Desk::new(&rules);
        for (destination, due) in &jobs {
            desk.insert(1, &format!("d{destination}.test"), *due);
        }
        let (mut now, mut started, mut rounds) = (at(0), Vec::new(), 0);
        let mut outcomes = outcomes.into_iter().cycle();
        while started.len() < jobs.len() {
            rounds += 1;
            prop_assert!(rounds < 10_000, "it gets on");
            let taken = desk.taken(now);
            prop_assert!(taken.len() <= CAPACITY.running);
            for job in &taken {
                let unsited = matches!(&job.0.kind, Kind::Try(allowed) if allowed.unsited.is_some());
                let (ended, sent) = match outcomes.next() {
                    _ if unsited => {
                        (Ended { hosts: Some(Arc::clone(&hosts)), left: 1, ..ended(Health::Unknown, QUICK) }, false)
                    }
                    Some(0) if is_try(job) => (ended(silence(), QUICK), true),
                    Some(1) if is_try(job) => {
                        (Ended { rate_limited: Some(too_fast()), ..ended(Health::AsksForLess, QUICK) }, true)
                    }
                    _ if is_try(job) => (ended(Health::Answers, QUICK), true),
                    _ => (ended(Health::Unknown, QUICK), true),
                };
                let traffic = (sent && is_try(job)).then(Traffic::default);
                desk.index.finished(job.0.message, &job.1, Ended { traffic, ..ended }, now);
                if sent {
                    started.push(job.0.message);
                }
            }
            if taken.is_empty() {
                let next = desk.index.next_event();
                prop_assert!(next.is_some_and(|next| next > now), "{next:?} at {now:?}");
                now = next.unwrap();
            }
        }
        started.sort();
        started.dedup();
        prop_assert_eq!(started.len(), jobs.len());
        prop_assert_eq!(desk.index.running(), 0);
    }
}
