//! What is told is read back, found by its names, and goes when it is old.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use facteur_history::{Entry, GapReason, HistoryError, Reader};
use facteur_mail::dsn::{News, Told};
use facteur_mail::event::{Decision, Deed, NoReport, NotReported, Reported, Verb};
use facteur_mail::{Clock as _, Event, Observer as _, RetryReason, ReversePath};
use facteur_replies::Reply;

use crate::support::{Archive, PATIENCE, Post, address, id, refused, route, transcript};

const DAY: Duration = Duration::from_secs(24 * 3_600);

#[test]
fn a_life_is_read_back_as_it_was_told() {
    let archive = Archive::open();
    let post = Post::new(
        id(archive.clock.now(), 1),
        archive.clock.now(),
        "u@far.test",
    );
    archive.live(&post);
    let story = archive.story(post.id).unwrap();
    let [
        Entry::Accepted(accepted),
        Entry::Tried(tried),
        Entry::Ended { at },
    ] = story.entries.as_slice()
    else {
        panic!("{story:?}");
    };
    assert_eq!(accepted.envelope, post.envelope);
    assert_eq!(accepted.message_id.as_deref(), Some(&*post.message_id));
    assert_eq!(accepted.octets, 10_240);
    assert_eq!(&*tried.destination, "far.test");
    assert_eq!(tried.route, Some(route()));
    assert_eq!(tried.transcript, transcript());
    assert_eq!(tried.recipients[0].attempt, post.attempt());
    assert_eq!(tried.recipients[0].decision.name(), "delivered");
    assert_eq!(*at, post.at);
    assert_eq!(story.ended(), Some(post.at));
    assert!(!story.cut);
}

#[test]
fn everything_that_can_happen_is_read_back() {
    let archive = Archive::open();
    let now = archive.clock.now();
    let post = Post::new(id(now, 1), now, "u@far.test");
    let report = id(now, 2);
    let attempt = post.attempt();
    archive.history.observe(&Event::Operated(Deed {
        id: post.id,
        at: now,
        verb: Verb::Hold,
        who: "root",
        why: Some("ask first"),
        until: Some(now.after(DAY)),
    }));
    let when = now.after(DAY);
    let why = RetryReason::Backoff;
    for decision in [
        Decision::RetryAt { when, why },
        Decision::Expired,
        Decision::Bounced,
    ] {
        let recipients = post.tried_recipients(&attempt, decision);
        let mut tried = post.tried_without(&recipients);
        tried.at = now;
        archive.history.observe(&Event::Tried(tried));
    }
    let told = [Told {
        recipient: &post.envelope.recipients[0],
        attempt: &attempt,
        news: News::Refused,
    }];
    archive.history.observe(&Event::Reported(Reported {
        id: report,
        about: post.id,
        at: now,
        to: &address("ann@client.test"),
        told: &told,
    }));
    archive.history.observe(&Event::NotReported(NotReported {
        about: post.id,
        at: now,
        why: NoReport::NullMx,
    }));
    let reader = archive.read();
    let story = reader.story(post.id).unwrap().unwrap();
    let kinds: Vec<String> = story
        .entries
        .iter()
        .map(|entry| match entry {
            Entry::Operated(deed) => format!("{} by {}", deed.verb.name(), deed.who),
            Entry::Tried(tried) => format!("{:?}", tried.recipients[0].decision),
            Entry::Reported(it) => format!("{} {}", it.told[0].0, it.told[0].1),
            Entry::Accepted(_)
            | Entry::ReportAbout { .. }
            | Entry::NotReported { .. }
            | Entry::Ended { .. }
            | _ => format!("{entry:?}"),
        })
        .collect();
    assert_eq!(kinds[0], "hold by root");
    assert!(kinds[1].starts_with("RetryAt"), "{kinds:?}");
    assert_eq!(kinds[2..4], ["Expired", "Bounced"]);
    assert_eq!(kinds[4], "u@far.test failed");
    assert!(kinds[5].starts_with("NotReported"), "{kinds:?}");
    let story = reader.story(report).unwrap().unwrap();
    let about = post.id;
    assert_eq!(story.entries, [Entry::ReportAbout { about, at: now }]);
}

#[test]
fn what_was_told_late_stands_where_it_happened() {
    let archive = Archive::open();
    let now = archive.clock.now();
    let post = Post::new(id(now, 1), now, "u@far.test");
    archive.history.observe(&Event::Ended {
        id: post.id,
        at: now,
    });
    archive.deliver(&post);
    archive.history.observe(&Event::Accepted(post.accepted()));
    let story = archive.story(post.id).unwrap();
    assert!(matches!(
        story.entries.as_slice(),
        [Entry::Accepted(_), Entry::Tried(_), Entry::Ended { .. }]
    ));
}

#[test]
fn a_message_is_found_by_each_of_its_names() {
    let archive = Archive::open();
    let mut posts = Vec::new();
    for number in 0..5 {
        let now = archive.clock.now();
        let post = Post::new(id(now, number), now, &format!("u{number}@far.test"));
        archive.live(&post);
        posts.push(post);
        archive.clock.advance(DAY);
    }
    let reader = archive.read();
    for name in [
        "U3@FAR.test",
        &posts[3].message_id,
        &posts[3].message_id.to_lowercase(),
    ] {
        let found = reader.find(name, 10).unwrap();
        let ids: Vec<_> = found.stories.iter().map(|story| story.id).collect();
        assert_eq!(ids, [posts[3].id], "{name}");
        assert!(!found.more);
    }
    for name in ["ann@client.test", "alias@client.test"] {
        let found = reader.find(name, 3).unwrap();
        let ids: Vec<_> = found.stories.iter().map(|story| story.id).collect();
        assert_eq!(ids, [posts[4].id, posts[3].id, posts[2].id], "{name}");
        assert!(found.more, "{name}");
    }
    assert!(
        reader
            .find("nobody@far.test", 10)
            .unwrap()
            .stories
            .is_empty()
    );
}

#[test]
fn a_refusal_is_found_by_whom_it_concerned() {
    let archive = Archive::open();
    let now = archive.clock.now();
    let sender = ReversePath::Address(address("spam@stranger.test"));
    let recipient = address("nobody@here.test");
    let reply = Reply::mailbox_unknown(&recipient);
    refused(&reply, &sender, &recipient, now, |event| {
        archive.history.observe(event);
    });
    let reader = archive.read();
    for name in ["spam@stranger.test", "Nobody@here.test"] {
        let found = reader.find(name, 10).unwrap();
        assert_eq!(found.refusals.len(), 1, "{name}");
        assert_eq!(found.refusals[0].reply, reply);
        assert_eq!(found.refusals[0].helo.as_deref(), Some("stranger\u{1b}[2J"));
    }
}

#[test]
fn a_flood_of_refusals_is_counted_and_not_kept() {
    let archive = Archive::open();
    let now = archive.clock.now();
    let recipient = address("nobody@here.test");
    let reply = Reply::mailbox_unknown(&recipient);
    for _ in 0..1_000 {
        refused(&reply, &ReversePath::Null, &recipient, now, |event| {
            archive.history.observe(event);
        });
    }
    let reader = archive.read();
    let found = reader.find("nobody@here.test", 10_000).unwrap();
    assert_eq!(found.refusals.len(), 100);
    let gaps = reader.gaps(now, now).unwrap();
    assert_eq!((gaps[0].events, gaps[0].why), (900, GapReason::Refusals));
}

#[test]
fn a_restart_forgets_nothing() {
    let archive = Archive::open();
    let now = archive.clock.now();
    let post = Post::new(id(now, 1), now, "u@far.test");
    archive.history.observe(&Event::Accepted(post.accepted()));
    let archive = archive.again();
    archive.deliver(&post);
    assert_eq!(archive.story(post.id).unwrap().entries.len(), 2);
    assert_eq!(archive.read().since().unwrap(), now);
}

#[test]
fn what_is_old_goes_with_its_names() {
    let archive = Archive::with(|config| config.keep = DAY * 3);
    let first = archive.clock.now();
    let old = Post::new(id(first, 1), first, "old@far.test");
    archive.live(&old);
    archive.settle(3);
    archive.clock.advance(DAY * 4);
    let now = archive.clock.now();
    let new = Post::new(id(now, 1), now, "new@far.test");
    archive.live(&new);
    let reader = archive.read();
    assert_eq!(reader.story(old.id).unwrap(), None);
    assert!(reader.story(new.id).unwrap().is_some());
    assert!(reader.find("old@far.test", 10).unwrap().stories.is_empty());
    assert_eq!(reader.find("new@far.test", 10).unwrap().stories.len(), 1);
    assert_eq!(reader.since().unwrap(), now);
}

#[test]
fn what_is_too_much_goes_oldest_first_and_the_file_does_not_grow() {
    let archive = Archive::with(|config| config.max_octets = 1 << 20);
    let mut told = 0;
    for round in 0..20 {
        let now = archive.clock.now();
        for number in 0..200 {
            let post = Post::new(id(now, number), now, &format!("u{round}@far.test"));
            archive.live(&post);
            told += 3;
        }
        archive.settle(told);
        archive.clock.advance(Duration::from_secs(3_600));
    }
    let reader = archive.read();
    assert!(reader.find("u0@far.test", 1).unwrap().stories.is_empty());
    assert_eq!(reader.find("u19@far.test", 1).unwrap().stories.len(), 1);
    let size = std::fs::metadata(archive.config.file()).unwrap().len();
    assert!(size < 16 << 20, "{size}");
}

#[test]
fn the_files_are_ours_alone() {
    let archive = Archive::open();
    let now = archive.clock.now();
    archive.live(&Post::new(id(now, 1), now, "u@far.test"));
    archive.settle(3);
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(archive.config.directory.clone()), 0o700);
    for name in crate::support::files(&archive.config.directory) {
        let path = archive.config.directory.join(&name);
        assert_eq!(mode(path), 0o600, "{name}");
    }
}

#[test]
fn a_reader_reads_beside_the_writer_and_after_it() {
    let archive = Archive::open();
    let now = archive.clock.now();
    let post = Post::new(id(now, 1), now, "u@far.test");
    archive.live(&post);
    archive.settle(3);
    let beside = Reader::open(&archive.config.directory).unwrap();
    assert!(beside.story(post.id).unwrap().is_some());
    let other = Post::new(id(now, 2), now, "u@far.test");
    archive.live(&other);
    archive.settle(6);
    assert!(
        beside.story(other.id).unwrap().is_some(),
        "it sees what comes"
    );
    assert!(archive.history.close(PATIENCE));
    drop(beside);
    let after = Reader::open(&archive.config.directory).unwrap();
    assert!(after.story(other.id).unwrap().is_some());
}

#[test]
fn where_there_is_no_history_the_reader_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let missing = Reader::open(directory.path());
    assert!(matches!(missing, Err(HistoryError::Missing { .. })));
    assert!(crate::support::files(directory.path()).is_empty());
}
