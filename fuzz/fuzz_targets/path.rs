//! Addresses, paths, and every other name that somebody writes: what is read and written reads the same again.

#![no_main]

use std::fmt::Display;
use std::path::Component;

use facteur_mail::{Address, Domain, Host, LocalPart, QueueId, ReversePath};
use facteur_replies::EnhancedCode;
use facteur_route::{Exchange, MaildirTemplate, Network, NextHop, Pattern};
use facteur_smtp::syntax::{Command, Forward};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = Command::parse(data);
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    agrees(text, |text| Domain::parse(text).ok());
    agrees(text, |text| Host::parse(text).ok());
    agrees(text, |text| Address::parse(text).ok());
    agrees(text, |text| NextHop::parse(text, 25).ok());
    agrees(text, |text| Pattern::parse(text).ok());
    agrees(text, |text| Network::parse(text).ok());
    agrees(text, |text| MaildirTemplate::parse(text).ok());
    agrees(text, QueueId::parse);
    agrees(text, EnhancedCode::parse);
    agrees(text, |text| match Exchange::parse(text) {
        Exchange::Unusable(_) => None,
        usable => Some(usable),
    });
    a_local_part_is_quoted_as_it_must_be(text);
    a_path_is_read_as_an_address_is(text);
    a_maildir_is_where_the_template_says(text);
});

#[track_caller]
fn agrees<T: Display + PartialEq + std::fmt::Debug>(text: &str, read: impl Fn(&str) -> Option<T>) {
    if let Some(value) = read(text) {
        let written = value.to_string();
        assert_eq!(
            read(&written),
            Some(value),
            "{text:?} is written {written:?}"
        );
    }
}

fn a_local_part_is_quoted_as_it_must_be(text: &str) {
    if let Ok(local) = LocalPart::new(text) {
        let host = Host::parse("b.test").unwrap();
        let written = format!("{local}@{host}");
        // Escapes may make it longer than an address may be.
        if written.len() <= facteur_mail::MAX_PATH {
            assert_eq!(Address::parse(&written), Ok(Address::new(local, host)));
        }
    }
}

fn a_path_is_read_as_an_address_is(text: &str) {
    if let Command::Mail(Ok(mail)) = Command::parse(format!("MAIL FROM:{text}").as_bytes()) {
        let again = Command::parse(format!("MAIL FROM:<{}> SMTPUTF8", mail.sender).as_bytes());
        let Command::Mail(Ok(again)) = again else {
            panic!("{} is no sender", mail.sender);
        };
        assert_eq!(again.sender, mail.sender);
    }
    if let Command::Rcpt(Ok(rcpt)) = Command::parse(format!("RCPT TO:{text}").as_bytes())
        && let Forward::Address(address) = rcpt.to
    {
        agrees(&address.to_string(), |text| Address::parse(text).ok());
    }
    if let Ok(address) = Address::parse(text) {
        let mail = Command::parse(format!("MAIL FROM:<{address}>").as_bytes());
        let Command::Mail(Ok(mail)) = mail else {
            panic!("{address} is no sender");
        };
        assert_eq!(mail.sender, ReversePath::Address(address));
    }
}

fn a_maildir_is_where_the_template_says(text: &str) {
    let (template, user) = text
        .split_once('\n')
        .unwrap_or(("/m/{domain}/{user}", text));
    let domain = Domain::parse("b.test").unwrap();
    if let Ok(template) = MaildirTemplate::parse(template)
        && let Some(path) = template.path(&domain, user)
    {
        let plain = template.path(&domain, "u").unwrap();
        assert!(path.components().all(|part| part != Component::ParentDir));
        assert_eq!(path.components().count(), plain.components().count());
    }
}
