//! The words of one order: which there are, how long each may be in a text message, and which gives way first.
//!
//! Knows no template and counts no septets.

use escalation::dispatch::Words;

use crate::gsm7::{normalise, septets_of};

/// Every word a template may use and the most characters it may take in a text message (see [`Words`] for what each says).
/// Code, time and reference get what their own forms can take at most and are never cut.
pub(crate) const SMS_WORDS: [(&str, usize); 47] = [
    ("kind", 8),
    ("kind_id", 10),
    ("site", 60),
    ("site_sms", 20),
    ("place", 60),
    ("place_sms", 20),
    ("time", 11),
    ("date", 16),
    ("code", 4),
    ("ref", 14),
    ("link", 48),
    ("url", 56),
    ("presses", 4),
    ("age", 17),
    ("late", 8),
    ("unregistered", 3),
    ("unrecorded", 3),
    ("drill", 3),
    ("responder", 20),
    ("wanted", 2),
    ("about", 20),
    ("brief", 70),
    ("address", 60),
    ("mounting", 8),
    ("customer", 40),
    ("entry", 40),
    ("hazards", 40),
    ("rendezvous", 40),
    ("recipient", 16),
    ("disposition", 26),
    ("opened_at", 32),
    ("now", 32),
    ("phone", 16),
    ("site_id", 64),
    ("device_id", 64),
    ("customer_id", 64),
    ("trouble", 16),
    ("trouble_id", 24),
    ("wrong", 56),
    ("remedy", 34),
    ("ended", 8),
    ("ending", 48),
    ("beside", 18),
    ("still_open", 18),
    ("unclear", 3),
    ("subject", 0),
    ("paragraphs", 0),
];
/// What only the page of an e-mail gets besides: made here, from the plain text.
pub(crate) const OF_THE_PAGE: [&str; 2] = ["subject", "paragraphs"];
/// Words that are never shortened: a cut code or time would be a false one.
const WHOLE: [&str; 8] = ["code", "time", "ref", "link", "url", "phone", "beside", "still_open"];
/// Every known word, empty where the order lacks it; nothing else.
pub(crate) fn complete(words: &Words) -> Words {
    let word = |(name, _): (&'static str, usize)| (name, words.get(name).cloned().unwrap_or_default());
    SMS_WORDS.into_iter().filter(|(name, _)| !OF_THE_PAGE.contains(name)).map(word).collect()
}

/// The same for a text message, of those words that it `needs`: in the alphabet, on one line, within each word's bound.
pub(crate) fn bounded(words: &Words, needs: &[&'static str]) -> Words {
    let needed = SMS_WORDS.into_iter().filter(|(name, _)| needs.contains(name));
    needed.map(|(name, most)| (name, words.get(name).map(|word| bound(name, word, most)).unwrap_or_default())).collect()
}

fn bound(name: &str, word: &str, most: usize) -> String {
    let mut bound = if is_plain(word) { word.to_owned() } else { normalise(&word.replace(['\n', '\r'], " ")).trim().to_owned() };
    if !WHOLE.contains(&name) {
        shorten(&mut bound, most);
    }
    bound
}

/// Whether a word is already as a text message has it: nearly every one is, and need not be written anew.
fn is_plain(word: &str) -> bool {
    word.trim().len() == word.len() && word.chars().all(|c| c != '\n' && c != '\r' && septets_of(c) == Some(1))
}

/// Cuts whole words from the end until `most` characters are left; a single longer word is cut, so that something remains.
fn shorten(word: &mut String, most: usize) {
    while word.chars().count() > most {
        if !drop_last_word(word) {
            *word = word.chars().take(most).collect();
        }
    }
}

/// Drops the last word; false where it is the only one.
fn drop_last_word(text: &mut String) -> bool {
    let Some(at) = text.rfind(' ') else {
        return false;
    };
    text.truncate(at);
    let kept = text.trim_end_matches([' ', ',', '-', '/']).len();
    text.truncate(kept);
    !text.is_empty()
}

/// Gives up the least of what may be given up; false where nothing is left.
pub(crate) fn give_way(words: &mut Words) -> bool {
    let empty = |words: &mut Words, name: &str| {
        let word = words.get_mut(name);
        word.is_some_and(|word| !std::mem::take(word).is_empty())
    };
    if empty(words, "beside") || empty(words, "link") {
        return true;
    }
    if let Some(place) = words.get_mut("place_sms").filter(|place| !place.is_empty()) {
        if !drop_last_word(place) {
            place.clear();
        }
        return true;
    }
    if words.get_mut("site_sms").is_some_and(drop_last_word) {
        return true;
    }
    empty(words, "late") || empty(words, "age") || empty(words, "disposition") || empty(words, "recipient")
}

/// The longest words there can be, site and place each without a space to cut at.
pub(crate) fn longest_words() -> Words {
    SMS_WORDS.into_iter().filter(|(name, _)| !OF_THE_PAGE.contains(name)).map(|(name, most)| (name, "8".repeat(most))).collect()
}

/// Words of the usual length around an empty site and place.
pub(crate) fn usual_words() -> Words {
    let mut words = complete(&Words::new());
    for (name, word) in [
        ("kind", "DURESS"),
        ("kind_id", "duress"),
        ("time", "14:03 AWST"),
        ("code", "47"),
        ("ref", "KAL-4711"),
        ("presses", "4"),
        ("recipient", "Priya"),
        ("responder", "Priya N"),
        ("phone", "08 9555 0100"),
        ("disposition", "attended"),
        ("trouble", "broker away"),
    ] {
        words.insert(name, word.to_owned());
    }
    words
}
