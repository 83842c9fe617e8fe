//! Two replies side by side.

use facteur_replies::{Comparison, Language, Topic, compare, keys};

fn set(a: &str, b: &str, language: Language) -> Comparison {
    compare(
        &Topic::parse(a).unwrap(),
        &Topic::parse(b).unwrap(),
        language,
    )
}

#[test]
fn an_invitation_and_a_verdict_never_answer_the_same_command() {
    for (a, b) in [("354", "556"), ("556", "354"), ("354", "556 5.1.10")] {
        let english = set(a, b, Language::English);
        assert!(!english.same_command);
        assert!(english.written.is_some());
        assert!(
            english.lines[0].starts_with(&format!("{a} and {b} can never answer the same command")),
            "{:?}",
            english.lines
        );
        let french = set(a, b, Language::French);
        assert!(
            french.lines[0].contains("ne peuvent jamais répondre à la même commande"),
            "{:?}",
            french.lines
        );
    }
}

#[test]
fn what_nobody_wrote_about_is_composed_in_whole_sentences() {
    let found = set("450", "221", Language::English);
    assert!(found.written.is_none());
    assert!(
        found
            .lines
            .contains(&"450 is a refusal for now; 221 reports a success.".to_owned()),
        "{:?}",
        found.lines
    );
    assert!(found.lines.contains(
        &"After 450 the sending server tries again by itself; after 221 there is nothing to repeat."
            .to_owned()
    ), "{:?}", found.lines);
    let found = set("450", "221", Language::French);
    assert!(
        found
            .lines
            .contains(&"450 est un refus temporaire\u{a0}; 221 annonce une réussite.".to_owned()),
        "{:?}",
        found.lines
    );
}

#[test]
fn the_same_meaning_under_two_numbers_is_said_to_be_the_same() {
    let found = set("553 5.1.1", "551 5.1.1", Language::English);
    assert!(
        found.lines[0].contains("have the same meaning"),
        "{:?}",
        found.lines
    );
}

#[test]
fn any_two_entries_can_be_compared_in_any_language() {
    let topics: Vec<_> = keys().map(|key| Topic::parse(key).unwrap()).collect();
    for (i, a) in topics.iter().enumerate() {
        for b in topics.iter().skip(i) {
            for language in Language::ALL {
                let [there, back] = [compare(a, b, language), compare(b, a, language)];
                for found in [&there, &back] {
                    assert!(!found.title.is_empty());
                    assert!(found.lines.len() >= 3, "{a} {b}: {:?}", found.lines);
                    for line in &found.lines {
                        assert!(line.ends_with('.'), "{line}");
                        assert!(!line.contains('{'), "{line}");
                    }
                }
                assert_eq!(there.written, back.written);
                assert_eq!(there.same_command, back.same_command);
            }
        }
    }
}
