//! What somebody asks the catalogue about: every topic has its words, in every language, and its written form asks for
//! the same. A line break stands between two topics to compare.

#![no_main]

use facteur_replies::{Language, Topic, compare};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (one, other) = text.split_once('\n').unwrap_or((text, "556 5.1.10"));
    let topics = [one, other].map(|text| Topic::parse(text).inspect(check));
    if let [Some(one), Some(other)] = topics {
        for language in Language::ALL {
            let _ = compare(&one, &other, language);
        }
    }
});

fn check(topic: &Topic) {
    assert_eq!(Topic::parse(&topic.to_string()).as_ref(), Some(topic));
    let _ = topic.class();
    for language in Language::ALL {
        let explanation = topic.explain(language);
        assert!(!explanation.title.is_empty());
    }
}
