//! Words that do not belong in what is kept. They are written apart here, so that this file too is looked at.

use std::path::Path;

use crate::house;

/// A word, whether it counts inside a longer one too, and what to do instead.
struct Banned {
    word: &'static str,
    anywhere: bool,
    instead: &'static str,
}

const fn anywhere(word: &'static str, instead: &'static str) -> Banned {
    Banned { word, anywhere: true, instead }
}

const fn whole(word: &'static str, instead: &'static str) -> Banned {
    Banned { word, anywhere: false, instead }
}

const LATER: &str = "do it, or open an issue and say in the docs what is not there";
const REASON: &str = "expect the lint, with its reason, where it fires";
const MACHINE: &str = "a path of one machine: use one from the root of the repository";
const HOST: &str = "a registry's host: whoever builds this has set up their own";

const BANNED: [Banned; 22] = [
    whole(concat!("TO", "DO"), LATER),
    whole(concat!("FIX", "ME"), LATER),
    whole(concat!("HA", "CK"), LATER),
    whole(concat!("XX", "X"), LATER),
    anywhere(concat!("unimplemented", "!"), LATER),
    anywhere(concat!("todo", "!("), LATER),
    anywhere(concat!("#[ig", "nore"), "a test that does not run proves nothing: mend it or delete it"),
    anywhere(concat!("#[al", "low("), REASON),
    anywhere(concat!("#![al", "low("), REASON),
    anywhere(concat!("/wo", "rk/"), MACHINE),
    anywhere(concat!("/ro", "ot/"), MACHINE),
    anywhere(concat!("/home", "/"), MACHINE),
    anywhere(concat!("/Use", "rs/"), MACHINE),
    anywhere(concat!("shared/", "design"), "the docs say it themselves: link into docs/"),
    anywhere(concat!("shared/", "reference"), "the docs say it themselves: link into docs/"),
    anywhere(concat!("index.", "crates.io"), HOST),
    anywhere(concat!("static.", "crates.io"), HOST),
    anywhere(concat!("proxy.", "golang.org"), HOST),
    anywhere(concat!("pypi", ".org"), HOST),
    anywhere(concat!("registry.", "npmjs"), HOST),
    anywhere(concat!("deb.", "debian.org"), HOST),
    anywhere(concat!("arti", "factory"), HOST),
];

fn findings(path: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for banned in BANNED.iter().filter(|banned| banned.is_in(line)) {
            found.push(format!("{}:{number}: `{}`: {}", path.display(), banned.word, banned.instead));
        }
    }
    found
}

impl Banned {
    fn is_in(&self, line: &str) -> bool {
        line.match_indices(self.word).any(|(at, word)| {
            let before = line.get(..at).and_then(|text| text.chars().next_back());
            let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
            self.anywhere || ![before, after].into_iter().flatten().any(char::is_alphanumeric)
        })
    }
}

#[test]
fn no_banned_words() {
    let mut found = Vec::new();
    for path in house::files() {
        if let Some(text) = house::text(&path) {
            found.extend(findings(&path, &text));
        }
    }
    house::must_be_tidy("words", &found);
}

#[test]
fn a_banned_word_is_found() {
    for banned in &BANNED {
        let found = findings(Path::new("a.rs"), &format!("fine\n// {} here", banned.word));
        assert!(found.iter().any(|f| f.starts_with(&format!("a.rs:2: `{}`", banned.word))), "{}", banned.word);
    }
    let part_of_a_word = concat!("MASTO", "DON, SHACKLE, AC", "XX", "XX");
    assert!(findings(Path::new("a.md"), part_of_a_word).is_empty());
}
