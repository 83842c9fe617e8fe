//! Which entry explains a reply, and what its class makes of it.

use proptest::prelude::*;

use facteur_replies::{Actor, Basis, Category, Class, Language, RemoteReply, Reply, Retry};
use facteur_replies::{EnhancedCode, Explanation, ReplyCode, ReplyId, Topic, explain};

fn ask(code: u16, enhanced: &str) -> Explanation {
    explain(
        ReplyCode::new(code),
        EnhancedCode::parse(enhanced),
        Language::English,
    )
}

#[test]
fn the_most_telling_entry_is_chosen() {
    for (code, enhanced, key, basis) in [
        (556, "5.1.10", "556", Basis::Code),
        (556, "", "556", Basis::Code),
        (554, "5.1.10", "x.1.10", Basis::Enhanced),
        (550, "5.1.10", "550-x.1.10", Basis::Pair),
        (550, "5.1.1", "x.1.1", Basis::Enhanced),
        (250, "2.0.0", "250", Basis::Code),
        (250, "2.1.5", "x.1.5", Basis::Enhanced),
        (503, "5.5.1", "503", Basis::Code),
        (354, "", "354", Basis::Code),
        (550, "5.7.333", "550", Basis::Code),
        (571, "5.1.999", "x.1", Basis::Subject),
        (471, "", "4yz", Basis::Class),
        (299, "2.9.9", "2yz", Basis::Class),
        (199, "", "unknown", Basis::Unknown),
        (999, "5.1.1", "unknown", Basis::Unknown),
    ] {
        let found = ask(code, enhanced);
        assert_eq!((found.key, found.basis), (key, basis), "{code} {enhanced}");
    }
}

#[test]
fn an_enhanced_code_alone_is_explained() {
    for (enhanced, key, retry) in [
        ("5.1.10", "x.1.10", Retry::No),
        ("4.7.1", "x.7.1", Retry::Yes),
        ("5.7.1", "x.7.1", Retry::AfterChange),
        ("5.0.0", "5yz", Retry::AfterChange),
        ("2.0.0", "x.0.0", Retry::NoneNeeded),
        ("5.9.9", "5yz", Retry::AfterChange),
    ] {
        let found = explain(None, EnhancedCode::parse(enhanced), Language::French);
        assert_eq!((found.key, found.retry), (key, retry), "{enhanced}");
    }
    let nothing = explain(None, None, Language::French);
    assert_eq!(nothing.basis, Basis::Unknown);
}

#[test]
fn the_first_digit_of_the_basic_code_governs_trying_again() {
    assert_eq!(ask(450, "5.7.1").retry, Retry::Yes);
    assert_eq!(ask(471, "5.1.1").retry, Retry::Yes);
    assert_eq!(ask(550, "4.4.1").retry, Retry::No);
    assert_eq!(ask(554, "4.4.2").retry, Retry::AfterChange);
    for code in (200..600).filter_map(ReplyCode::new) {
        for key in facteur_replies::keys().filter_map(|key| key.strip_prefix("x.")) {
            for class in [2, 4, 5] {
                let enhanced = EnhancedCode::parse(&format!("{class}.{key}"));
                let found = explain(Some(code), enhanced, Language::English);
                assert!(allowed(code, &found), "{code} {class}.{key}: {found:?}");
            }
        }
    }
}

/// What a client may do after a reply of this class. (RFC 5321 §4.2.1, §4.5.3.1.10)
fn allowed(code: ReplyCode, found: &Explanation) -> bool {
    match code.class() {
        Class::Success => found.retry == Retry::NoneNeeded,
        Class::Intermediate => found.retry == Retry::Continue,
        Class::Transient => {
            found.retry == Retry::Yes || matches!(found.key, "432" | "453" | "459" | "454-x.7.1")
        }
        Class::Permanent => {
            matches!(found.retry, Retry::No | Retry::AfterChange) || found.key == "552-x.5.3"
        }
        Class::Unknown => found.key == "unknown",
    }
}

#[test]
fn a_reply_is_never_explained_by_an_enhanced_code_of_the_opposite_outcome() {
    assert_eq!(ask(250, "5.1.1").key, "250");
    assert_eq!(ask(550, "2.1.5").key, "550");
    assert_eq!(ask(250, "2.1.1").key, "250");
    assert_eq!(ask(354, "5.1.1").key, "354");
}

#[test]
fn a_success_asks_nobody_to_act() {
    for id in ReplyId::ALL {
        let row = id.row();
        if row.code.class() == Class::Success {
            let found = explain(Some(row.code), row.enhanced(), Language::English);
            assert_eq!(found.who_acts, [Actor::Nobody], "{id:?}");
            assert_eq!(found.retry, Retry::NoneNeeded, "{id:?}");
        }
    }
}

#[test]
fn ours_and_theirs_are_explained_alike() {
    let ours = Reply::null_mx("nullmx.test");
    let theirs = RemoteReply::new(ours.code(), vec!["5.1.10 null MX".to_owned()]);
    for language in Language::ALL {
        assert_eq!(ours.explain(language), theirs.explain(language));
    }
    let found = ours.explain(Language::French);
    assert_eq!(found.category, Category::NullMx);
    assert_eq!(found.retry, Retry::No);
    assert_eq!(found.title, "Le domaine n’accepte pas de courrier");
}

#[test]
fn the_note_says_how_far_the_knowledge_goes() {
    let english = ask(471, "").basis_note();
    assert!(english.contains("No RFC gives 471 a meaning"), "{english}");
    let french = explain(ReplyCode::new(471), None, Language::French).basis_note();
    assert!(
        french.contains("Aucune RFC ne donne de sens à 471"),
        "{french}"
    );
    let unknown = ask(101, "").basis_note();
    assert!(unknown.contains("101 is not an SMTP reply"), "{unknown}");
}

#[test]
fn no_pair_of_codes_is_left_without_an_explanation() {
    let enhanced: Vec<_> = ["", "2.0.0", "4.7.1", "5.1.10", "5.7.333", "5.999.999"]
        .map(EnhancedCode::parse)
        .into();
    for code in (100..=999).filter_map(ReplyCode::new) {
        for enhanced in &enhanced {
            for language in Language::ALL {
                let found = explain(Some(code), *enhanced, language);
                assert!(!found.meaning.is_empty());
                assert!(
                    found.basis_note().contains(&code.to_string()) || found.basis == Basis::Subject
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn prop_a_topic_is_read_back_from_how_it_is_shown(text in "\\PC{0,12}|[2-5][0-9]{2}[ -](x|[245])[.][0-9]{1,3}[.][0-9]{1,3}") {
        if let Some(topic) = Topic::parse(&text) {
            prop_assert_eq!(Topic::parse(&topic.to_string()), Some(topic));
        }
    }

    #[test]
    fn prop_any_remote_reply_is_explained(code in 100_u16..=999, lines in prop::collection::vec(".{0,40}", 0..3)) {
        let reply = RemoteReply::new(ReplyCode::new(code).unwrap(), lines);
        for language in Language::ALL {
            let found = reply.explain(language);
            prop_assert!(!found.basis_note().is_empty());
            prop_assert!(!found.retry_text().is_empty());
        }
    }
}
