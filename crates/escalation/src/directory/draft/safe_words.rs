//! `[[words]]`: the safe word of a site and its duress twin, in a secret file of their own.
//!
//! A slip of a finger must never turn one word into another that counts: all words of one customer lie further apart than that, and
//! none can be taken for a reply by text. No finding shows a word, and nothing of this file is recorded.

use std::collections::BTreeMap;
use std::fmt;

use super::Draft;
use super::index::Index;
use super::nearest::nearest;
use super::reader::{At, Reader, Section, Wrong};
use crate::acknowledgement::Reply;
use crate::directory::finding::{Finding, Severity};
use crate::id::{CustomerId, SiteId};
use crate::word::Word;

/// How long a word is, in characters: what a keypad takes at least, and what can be said in one breath.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=20;
/// The words of carriers and of our own replies that a safe word must not resemble.
const OF_REPLIES: [&str; 12] =
    ["yes", "stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke", "start", "unstop", "help"];

/// The words of every site that has them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SafeWords {
    pairs: BTreeMap<SiteId, Pair>,
}

/// What reading a file of words gave.
#[derive(Clone, Debug)]
pub struct ParsedWords {
    /// The words; `None` exactly where a finding is an error.
    pub words: Option<SafeWords>,
    /// Everything a reader of the file should know, by line.
    pub findings: Vec<Finding>,
}

/// A word and its twin, as they are compared.
#[derive(Clone, PartialEq, Eq)]
struct Pair {
    safe: String,
    duress: String,
}

/// One `[[words]]`.
struct Entry {
    site: At<SiteId>,
    safe: At<String>,
    duress: At<String>,
}

impl SafeWords {
    /// Reads a file of words for the sites of a directory. `file` is its name as findings show it.
    pub fn parse(file: &str, text: &str, draft: &Draft) -> ParsedWords {
        let (root, broken) = toml::de::DeTable::parse_recoverable(text);
        let mut reader = Reader::new(file, text, broken.is_empty());
        for error in &broken {
            let line = reader.line_of(error.span().map_or(0, |span| span.start));
            // What the library says of it may show what stands there.
            reader.error(line, "this is not TOML".to_owned(), "no safe word would be known", "mend this line");
        }
        let mut whole = Section::whole_file(&mut reader, root.get_ref());
        let entries = whole.each("words", Entry::read);
        whole.close();
        let index = Index::of(draft);
        known_once(&mut reader, draft, &index, &entries);
        far_apart(&mut reader, &index, &entries);
        let findings = reader.into_findings();
        let sound = findings.iter().all(|finding| finding.severity != Severity::Error);
        let pairs = entries.into_iter().map(|entry| (entry.site.value, Pair { safe: entry.safe.value, duress: entry.duress.value }));
        ParsedWords { words: sound.then(|| Self { pairs: pairs.collect() }), findings }
    }

    /// What a word is at a site. Takes as long whatever it is.
    pub fn judge(&self, site: &SiteId, entered: &str) -> Word {
        let Some(pair) = self.pairs.get(site) else { return Word::Unknown };
        let entered = plain(entered);
        let (safe, duress) = (is_same(&pair.safe, &entered), is_same(&pair.duress, &entered));
        match (safe, duress) {
            (_, true) => Word::Duress,
            (true, false) => Word::Safe,
            (false, false) => Word::Wrong,
        }
    }

    /// How many sites have words.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether no site has any.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

impl Entry {
    fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let site = section.id("site");
        section.missing("site", "", "add  site = \"...\"  with the id of the directory");
        let safe = section.read("safe", word);
        section.missing("safe", "", "add  safe = \"...\"");
        let duress = section.read("duress", word);
        section.missing("duress", "whoever is forced could give the safe word alone", "add  duress = \"...\"");
        section.close();
        Some(Self { site: site?, safe: safe?, duress: duress? })
    }
}

/// A word as it is compared, or why it can be none. Nothing of it is shown.
fn word(text: &str) -> Result<String, Wrong> {
    let plain = plain(text);
    let remedy = "write 4 to 20 digits, or 4 to 20 letters from a to z";
    if !LENGTHS.contains(&plain.chars().count()) {
        return Err(Wrong::new("is too short or too long", remedy));
    }
    let digits = plain.bytes().all(|byte| byte.is_ascii_digit());
    // A letter and digits is what people reply to an alarm.
    if !digits && !plain.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Err(Wrong::new("is neither digits alone nor letters alone", remedy));
    }
    if OF_REPLIES.iter().any(|reply| is_near(reply, &plain)) || Reply::parse(&plain) != Reply::NotAnAnswer {
        return Err(Wrong::new("could be taken for a reply by text", "choose another word"));
    }
    let mut first = plain.chars();
    let start = first.next();
    if first.all(|next| Some(next) == start) {
        return Err(Wrong::new("is one character over and over", "choose one that nobody guesses"));
    }
    Ok(plain)
}

/// Case, spaces and hyphens do not count: a word is said, or keyed in by a hand that shakes.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_lowercase()).collect()
}

fn known_once(reader: &mut Reader<'_>, draft: &Draft, index: &Index<'_>, entries: &[Entry]) {
    let mut seen: BTreeMap<&SiteId, usize> = BTreeMap::new();
    for entry in entries {
        let site = &entry.site;
        if let Some(first) = seen.insert(&site.value, site.line) {
            let what = format!("site \"{}\" has words twice; the first are on line {first}", site.value);
            reader.error(site.line, what, "", "keep one of them");
        }
        if index.site(&site.value).is_none() {
            let remedy = match nearest(site.value.as_str(), draft.sites.iter().map(|known| known.id.as_str())) {
                Some(known) => format!("did you mean \"{known}\"?"),
                None => "write the id of a [[site]] of the directory".to_owned(),
            };
            reader.error(site.line, format!("there is no site \"{}\"", site.value), "its words would count nowhere", &remedy);
        }
    }
}

/// No word of a customer is within one slip of another: a digit too many, too few, mistyped, or two that changed places.
fn far_apart(reader: &mut Reader<'_>, index: &Index<'_>, entries: &[Entry]) {
    let mut of_customers: BTreeMap<Option<&CustomerId>, Vec<&At<String>>> = BTreeMap::new();
    for entry in entries {
        let customer = index.site(&entry.site.value).and_then(|site| index.customer_of(site)).map(|customer| &customer.id);
        of_customers.entry(customer).or_default().extend([&entry.safe, &entry.duress]);
    }
    for words in of_customers.values() {
        for (index, word) in words.iter().enumerate() {
            let near = words.iter().take(index).find(|other| is_near(&word.value, &other.value));
            if let Some(other) = near {
                reader.error(
                    word.line,
                    format!("this word is within one slip of the one on line {}", other.line),
                    "a slip of the hand could turn safe into duress, or duress into safe",
                    "choose words that differ in two places at least",
                );
            }
        }
    }
}

/// Whether one slip makes one of the other: equal, or one character changed, added, left out, or changed places with the next.
fn is_near(one: &str, other: &str) -> bool {
    one.len().abs_diff(other.len()) <= 1 && strsim::osa_distance(one, other) <= 1
}

fn is_same(known: &str, entered: &str) -> bool {
    let differs = known.len() ^ entered.len();
    let bytes = known.bytes().zip(entered.bytes().chain(std::iter::repeat(0)));
    bytes.fold(differs, |differs, (a, b)| differs | usize::from(a ^ b)) == 0
}

impl fmt::Debug for SafeWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SafeWords({} sites, redacted)", self.pairs.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use expect_test::expect;

    const DIRECTORY: &str = r#"
        [[customer]]
        id = "kalamunda"
        name = "City of Kalamunda"
        prefix = "KAL"
        ladder = "counters"
        [[customer]]
        id = "mundaring"
        name = "Shire of Mundaring"
        prefix = "MUN"
        ladder = "hall"
        [[person]]
        id = "j-smith"
        mobile = "+61491570006"
        [[site]]
        id = "library"
        customer = "kalamunda"
        name = "Kalamunda Library"
        timezone = "Australia/Perth"
        [[site]]
        id = "depot"
        customer = "kalamunda"
        name = "Depot"
        timezone = "Australia/Perth"
        [[site]]
        id = "hall"
        customer = "mundaring"
        name = "Hall"
        timezone = "Australia/Perth"
        [[ladder]]
        id = "counters"
        [[ladder.rung]]
        notify = [{ person = "j-smith", by = ["sms"] }]
        wait = "30s"
        [[person]]
        id = "k-lim"
        mobile = "+61491570156"
        [[ladder]]
        id = "hall"
        [[ladder.rung]]
        notify = [{ person = "k-lim", by = ["sms"] }]
        wait = "30s"
    "#;

    fn draft() -> Draft {
        let parsed = Draft::parse("directory.toml", DIRECTORY);
        let findings: Vec<_> = parsed.findings.iter().map(ToString::to_string).collect();
        parsed.draft.unwrap_or_else(|| panic!("the directory does not hold:\n{}", findings.join("\n")))
    }

    fn parse(text: &str) -> ParsedWords {
        SafeWords::parse("words.toml", text, &draft())
    }

    fn findings(text: &str) -> String {
        parse(text).findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    fn site(id: &str) -> SiteId {
        SiteId::parse(id).unwrap()
    }

    #[test]
    fn a_word_is_known_however_it_is_keyed_in() {
        let words = parse("[[words]]\nsite = \"library\"\nsafe = \"Blue Heron\"\nduress = \"8263\"").words.unwrap();
        for said in ["blue heron", "BLUE-HERON", " blueheron "] {
            assert_eq!(words.judge(&site("library"), said), Word::Safe);
        }
        assert_eq!(words.judge(&site("library"), "82 63"), Word::Duress);
        for said in ["", "8264", "826", "82630", "blue", "blueheronx"] {
            assert_eq!(words.judge(&site("library"), said), Word::Wrong);
        }
        assert_eq!(words.judge(&site("depot"), "8263"), Word::Unknown);
    }

    #[test]
    fn what_could_be_mistaken_is_refused_and_never_shown() {
        let said = findings(
            r#"
[[words]]
site = "library"
safe = "4719"
duress = "4729"
[[words]]
site = "depot"
safe = "47190"
duress = "N4711"
[[words]]
site = "libary"
safe = "stops"
duress = "777777"
[[words]]
site = "library"
safe = "12"
[[words]]
site = "hall"
safe = "4719"
duress = "7491"
hint = "as ever"
"#,
        );
        expect![[r#"
            words.toml:5: this word is within one slip of the one on line 4
              a slip of the hand could turn safe into duress, or duress into safe
              choose words that differ in two places at least
            words.toml:9: words 2: duress is neither digits alone nor letters alone
              write 4 to 20 digits, or 4 to 20 letters from a to z
            words.toml:12: words 3: safe could be taken for a reply by text
              choose another word
            words.toml:13: words 3: duress is one character over and over
              choose one that nobody guesses
            words.toml:14: words 4: duress is missing
              whoever is forced could give the safe word alone
              add  duress = "..."
            words.toml:16: words 4: safe is too short or too long
              write 4 to 20 digits, or 4 to 20 letters from a to z
            words.toml:21: words 5: "hint" is not a known key
              the keys here are site, safe, duress"#]]
        .assert_eq(&said);
        for word in ["4719", "4729", "47190", "4711", "stops", "777777", "7491"] {
            assert!(!said.contains(word), "{word} is shown");
        }
    }

    #[test]
    fn words_are_of_sites_that_are_there_and_once_each() {
        let words =
            |site: &str, safe: &str, duress: &str| format!("[[words]]\nsite = \"{site}\"\nsafe = \"{safe}\"\nduress = \"{duress}\"\n");
        let said = findings(&(words("library", "4719", "8263") + &words("libary", "5028", "6194") + &words("library", "9350", "1047")));
        assert!(said.contains("there is no site \"libary\"") && said.contains("did you mean \"library\"?"), "{said}");
        assert!(said.contains("site \"library\" has words twice; the first are on line 2"), "{said}");
    }

    #[test]
    fn customers_do_not_learn_of_each_others_words() {
        let words = "[[words]]\nsite = \"library\"\nsafe = \"4719\"\nduress = \"8263\"\n[[words]]\nsite = \"hall\"\nsafe = \"4718\"\nduress = \"8263\"";
        assert_eq!(findings(words), "");
    }

    fn one_slip(word: &str) -> Vec<String> {
        let chars: Vec<char> = word.chars().collect();
        let mut slips = vec![word.to_owned()];
        for index in 0..=chars.len() {
            for digit in '0'..='9' {
                let mut longer = chars.clone();
                longer.insert(index, digit);
                slips.push(longer.iter().collect());
                let mut changed = chars.clone();
                if let Some(place) = changed.get_mut(index) {
                    *place = digit;
                }
                slips.push(changed.iter().collect());
            }
            let mut shorter = chars.clone();
            if index < shorter.len() {
                shorter.remove(index);
                slips.push(shorter.iter().collect());
            }
            let mut swapped = chars.clone();
            if index + 1 < swapped.len() {
                swapped.swap(index, index + 1);
                slips.push(swapped.iter().collect());
            }
        }
        slips
    }

    proptest! {
        /// Whatever pair is taken up, no single slip turns one of them into the other.
        #[test]
        fn no_slip_turns_safe_into_duress(safe in "[0-9]{4,8}", duress in "[0-9]{4,8}") {
            let text = format!("[[words]]\nsite = \"library\"\nsafe = \"{safe}\"\nduress = \"{duress}\"");
            if let Some(words) = parse(&text).words {
                for slip in one_slip(&safe).into_iter().skip(1).filter(|slip| *slip != safe) {
                    prop_assert_eq!(words.judge(&site("library"), &slip), Word::Wrong);
                }
                for slip in one_slip(&duress).into_iter().skip(1).filter(|slip| *slip != duress) {
                    prop_assert_eq!(words.judge(&site("library"), &slip), Word::Wrong);
                }
            }
        }

        /// Two words are near exactly where one slip leads from one to the other.
        #[test]
        fn nearness_is_one_slip(one in "[0-2]{4,5}", other in "[0-2]{4,6}") {
            prop_assert_eq!(is_near(&one, &other), one_slip(&one).contains(&other));
            prop_assert_eq!(is_near(&one, &other), is_near(&other, &one));
        }
    }
}
