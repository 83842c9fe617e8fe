//! The catalogue is whole.

use facteur_replies::{Actor, Basis, Category, Language, Retry, Speaker, Stage};
use facteur_replies::{ReplyId, entry, explain, has_text, keys};

#[test]
fn every_reply_of_ours_is_explained_by_more_than_its_class() {
    for id in ReplyId::ALL {
        let row = id.row();
        for language in Language::ALL {
            let explanation = explain(Some(row.code), row.enhanced(), language);
            assert!(
                matches!(
                    explanation.basis,
                    Basis::Pair | Basis::Enhanced | Basis::Code
                ),
                "{id:?}: {:?}",
                explanation.basis
            );
        }
    }
}

#[test]
fn every_entry_is_written_anew_in_each_language() {
    for key in keys() {
        let [english, french] = Language::ALL.map(|language| entry(key, language).unwrap());
        assert_ne!(english.title, french.title, "{key}");
        assert_ne!(english.meaning, french.meaning, "{key}");
        assert_ne!(english.when, french.when, "{key}");
        assert_ne!(english.fix, french.fix, "{key}");
        assert_eq!(english.retry, french.retry, "{key}");
    }
}

#[test]
fn every_entry_leads_only_to_entries() {
    for key in keys() {
        for see in entry(key, Language::English).unwrap().see {
            assert!(entry(see, Language::English).is_some(), "{key} → {see}");
            assert_ne!(*see, key);
        }
    }
}

#[test]
fn every_standardised_basic_code_has_an_entry() {
    for code in [
        211, 214, 220, 221, 235, 250, 251, 252, 253, 334, 354, 421, 432, 450, 451, 452, 453, 454,
        455, 458, 459, 500, 501, 502, 503, 504, 521, 523, 525, 530, 534, 535, 538, 550, 551, 552,
        553, 554, 555, 556,
    ] {
        let entry = entry(&code.to_string(), Language::English);
        assert_eq!(entry.map(|entry| entry.basis), Some(Basis::Code), "{code}");
    }
}

#[test]
fn every_value_of_the_vocabularies_has_a_text() {
    let named = |vocabulary: &str, names: Vec<&'static str>| {
        for name in names {
            assert!(
                has_text(&format!("{vocabulary}-{name}")),
                "{vocabulary}-{name}"
            );
        }
    };
    named("actor", Actor::ALL.iter().map(|v| v.name()).collect());
    named("retry", Retry::ALL.iter().map(|v| v.name()).collect());
    named("stage", Stage::ALL.iter().map(|v| v.name()).collect());
    named("speaker", Speaker::ALL.iter().map(|v| v.name()).collect());
    named("category", Category::ALL.iter().map(|v| v.name()).collect());
    named("basis", Basis::ALL.iter().map(|v| v.name()).collect());
}

#[test]
fn nobody_acts_alone_or_not_at_all() {
    for key in keys() {
        let actors = entry(key, Language::English).unwrap().who_acts;
        assert!(
            actors == [Actor::Nobody] || !actors.contains(&Actor::Nobody),
            "{key}: {actors:?}"
        );
    }
}
