//! How a message is worded: a template per purpose and medium, the words of one order, and a text message that always fits.
//!
//! The built-in texts are the files under `templates/`; an operator's folder may replace any of them by name. Nothing here
//! knows numbers, providers or time.

mod words;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use escalation::dispatch::{Purpose, Words};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use crate::gsm7::{SEGMENT, normalise, septets};
use crate::message::words::{OF_THE_PAGE, SMS_WORDS, bounded, complete, give_way, longest_words, usual_words};
use crate::settings::SettingsError;

/// Septets that must be left for site and place when every other word has its usual length (interfaces, "Messages to people").
const ROOM_FOR_PLACE: usize = 40;
/// Steps of the template engine for one text; the largest built-in one takes some hundreds.
const FUEL: u64 = 20_000;
/// Longest e-mail subject kept, characters.
const SUBJECT_MAX: usize = 180;

macro_rules! built_in {
    ($($purpose:literal),* $(,)?) => {
        &[
            $(
                (concat!($purpose, ".sms.txt"), include_str!(concat!("../templates/", $purpose, ".sms.txt"))),
                (concat!($purpose, ".email.subject.txt"), include_str!(concat!("../templates/", $purpose, ".email.subject.txt"))),
                (concat!($purpose, ".email.txt"), include_str!(concat!("../templates/", $purpose, ".email.txt"))),
            )*
            (PROMPT, include_str!("../templates/prompt.voice.txt")),
            ("alarm.voice.txt", include_str!("../templates/alarm.voice.txt")),
            ("alarm_again.voice.txt", include_str!("../templates/alarm_again.voice.txt")),
            ("ask_first.voice.txt", include_str!("../templates/ask_first.voice.txt")),
            (PAGE, include_str!("../templates/email.html")),
        ]
    };
}

/// The page around an e-mail's words, one for all purposes, so that its words are always the plain text's.
const PAGE: &str = "email.html";
/// The first words of every call, one for all purposes: a machine that takes the call keeps them.
const PROMPT: &str = "prompt.voice.txt";
/// What calls are about.
const SPOKEN: [Purpose; 3] = [Purpose::Alarm, Purpose::AlarmAgain, Purpose::AskFirst];
/// Longest words of a call, characters: about half a minute.
const SPOKEN_MAX: usize = 500;
/// What a text's branches ask for: each is proved with one of them set so, and every other word at its longest.
const VARIANTS: [(&str, &str); 7] = [
    ("drill", "888"),
    ("kind_id", "duress"),
    ("kind_id", "assist"),
    ("unregistered", ""),
    ("about", ""),
    ("still_open", ""),
    ("unclear", ""),
];
/// What stands before every text message of a drill that does not begin so by itself; no template can leave it out.
const DRILL: &str = "DRILL: ";
/// The same before the subject of a mail,
const DRILL_SUBJECT: &str = "[DRILL] ";
/// before its words,
const DRILL_MAIL: &str = "DRILL. This is practice: nobody is in danger, nobody is to go there, and no police are to be rung.\nAnswer as you would if it were real.\n\n";
/// and before and after what a call says.
const DRILL_SPOKEN: &str = "This is a drill.";
const BUILT_IN: &[(&str, &str)] = built_in![
    "alarm",
    "alarm_again",
    "ask_first",
    "ask_keeper",
    "ask_tester",
    "not_a_test",
    "pressed_again",
    "confirmed",
    "declined",
    "someone_going",
    "still_going",
    "are_you_safe",
    "colleague_silent",
    "ring_police",
    "has_anyone_rung",
    "stand_down",
    "nothing_acknowledged",
    "which_alarm",
    "already_closed",
    "trouble",
    "trouble_again",
    "trouble_taken",
    "trouble_over",
];

/// A text message, ready to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    /// The words.
    pub body: String,
    /// Which template made it, `alarm.sms@3f2a91c0`.
    pub template: String,
}

/// An e-mail's parts, ready to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// One line.
    pub subject: String,
    /// The first-class plain text.
    pub text: String,
    /// The same words as a page.
    pub html: String,
    /// Which templates made it, `alarm.email@3f2a91c0`.
    pub template: String,
}

/// What a call says, ready to be spoken.
#[derive(Clone, PartialEq, Eq)]
pub struct Spoken {
    /// To whoever or whatever takes the call: nothing of what it is about.
    pub prompt: String,
    /// To a human who asked for it.
    pub content: String,
    /// Said in place of the digits that answer, where no answer could be kept: whom to ring.
    pub instead: Option<String>,
    /// Which templates made it, `alarm.voice@3f2a91c0`.
    pub template: String,
}

/// A text could not be made from its template, neither from the operator's nor from the built-in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text of {purpose} could not be made from its template; run `cooee check`")]
pub struct Unworded {
    purpose: &'static str,
}

/// All templates in force.
#[derive(Debug)]
pub struct Book {
    /// What is in force: the operator's where there is one.
    edited: Texts,
    /// What we fall back to where an edited text fails on words it was not checked with.
    built_in: Texts,
    /// Which words the text message of a purpose may need; most need few.
    sms_words: BTreeMap<Purpose, Vec<&'static str>>,
}

/// The texts of one origin, with their shown names per purpose: what was sent is recorded by the name of what it was made from.
#[derive(Debug)]
struct Texts {
    env: Environment<'static>,
    /// Which words each template uses, by its file: found out once, since every message asks.
    uses: BTreeMap<&'static str, BTreeSet<String>>,
    sms_names: BTreeMap<Purpose, String>,
    email_names: BTreeMap<Purpose, String>,
    voice_names: BTreeMap<Purpose, String>,
}

impl Texts {
    fn new(sources: &BTreeMap<&'static str, String>, shown: &str) -> Result<Self, SettingsError> {
        let mut env = environment();
        let uses = add_all(&mut env, sources, shown)?;
        Ok(Self {
            env,
            uses,
            sms_names: names(sources, "sms", &[".sms.txt"], ""),
            email_names: names(sources, "email", &[".email.subject.txt", ".email.txt"], PAGE),
            voice_names: names(sources, "voice", &[".voice.txt"], PROMPT),
        })
    }

    /// Whether a template can say a word.
    fn knows(&self, name: &str, word: &str) -> bool {
        self.uses.get(name).is_some_and(|words| words.contains(word))
    }

    fn sms(&self, purpose: Purpose, name: &str, words: &Words, drill: bool) -> Result<Text, minijinja::Error> {
        let body = fit(&self.env, name, words, drill)?;
        Ok(Text { body, template: self.sms_names.get(&purpose).cloned().unwrap_or_default() })
    }

    fn email(&self, purpose: Purpose, words: &Words) -> Result<Mail, minijinja::Error> {
        let mail = mail(&self.env, purpose, words)?;
        Ok(Mail { template: self.email_names.get(&purpose).cloned().unwrap_or_default(), ..mail })
    }

    /// What is said first, what is said to a human, and what they are made from.
    fn spoken(&self, purpose: Purpose, name: &str, words: &Words) -> Result<(String, String, String), minijinja::Error> {
        let say = |name: &str| render(&self.env, name, words).map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        Ok((say(PROMPT)?, say(name)?, self.voice_names.get(&purpose).cloned().unwrap_or_default()))
    }
}

impl Book {
    /// Loads the built-in texts and, over them, those of the operator's folder.
    ///
    /// Refuses a file whose name is no template's, that does not parse, that uses an unknown word, or whose text message
    /// can exceed one segment; the error says file, line, reason and remedy.
    pub fn load(dir: Option<&Path>) -> Result<Self, SettingsError> {
        let mut sources: BTreeMap<&'static str, String> = BTreeMap::new();
        for (name, source) in BUILT_IN {
            sources.insert(name, (*source).to_owned());
        }
        let built_in = Texts::new(&sources, "built in")?;
        if let Some(dir) = dir {
            read_folder(dir, &mut sources)?;
        }
        let shown = dir.map_or_else(|| "built in".to_owned(), |dir| dir.display().to_string());
        let edited = Texts::new(&sources, &shown)?;
        let book = Self { sms_words: needs(&[&edited, &built_in]), edited, built_in };
        for purpose in Purpose::ALL {
            book.prove(purpose, &shown)?;
        }
        book.prove_calls(&shown)?;
        Ok(book)
    }

    /// The text message of a purpose: GSM-7 and one segment, whatever the words are.
    pub fn sms(&self, purpose: Purpose, words: &Words) -> Result<Text, Unworded> {
        let drill = is_drill(words);
        let words = bounded(words, self.sms_words.get(&purpose).map(Vec::as_slice).unwrap_or_default());
        let name = format!("{}.sms.txt", purpose.as_str());
        // An edited text was proved without the words that make it a drill's, and may have no room for them.
        let is_too_long = |text: &Text| drill && septets(&text.body).is_none_or(|cost| cost > SEGMENT);
        let text = match self.chosen(purpose, &[&name], &words).sms(purpose, &name, &words, drill) {
            Ok(text) if !is_too_long(&text) => Ok(text),
            Ok(_) | Err(_) => self.built_in.sms(purpose, &name, &words, drill),
        };
        text.map_err(|_| Unworded { purpose: purpose.as_str() })
    }

    /// The e-mail of a purpose.
    pub fn email(&self, purpose: Purpose, words: &Words) -> Result<Mail, Unworded> {
        let words = complete(words);
        let (subject, text) = (format!("{}.email.subject.txt", purpose.as_str()), format!("{}.email.txt", purpose.as_str()));
        let names: &[&str] = if purpose == Purpose::StandDown { &[&subject, &text] } else { &[&text] };
        let mail = self.chosen(purpose, names, &words).email(purpose, &words);
        mail.or_else(|_| self.built_in.email(purpose, &words)).map_err(|_| Unworded { purpose: purpose.as_str() })
    }

    /// The texts in force; the built-in ones where an operator's would say that nobody is needed, or that one may go over calmly, and
    /// another call is open there.
    fn chosen(&self, purpose: Purpose, names: &[&str], words: &Words) -> &Texts {
        let sends_home = matches!(purpose, Purpose::StandDown | Purpose::AlreadyClosed | Purpose::SomeoneGoing);
        let is_support = words.get("kind_id").is_some_and(|kind| kind == "assist");
        let calms = is_support && matches!(purpose, Purpose::Alarm | Purpose::AlarmAgain | Purpose::AskKeeper | Purpose::PressedAgain);
        let is_said = |word: &str| words.get(word).is_some_and(|said| !said.is_empty());
        let is_hidden = |word: &str| !names.iter().all(|name| self.edited.knows(name, word));
        let hides = ["still_open", "unclear"].into_iter().any(|word| is_said(word) && is_hidden(word));
        if (sends_home || calms) && hides { &self.built_in } else { &self.edited }
    }

    /// What a call of a purpose says. Only calls for help are made by voice; what is said about them is written.
    pub fn spoken(&self, purpose: Purpose, words: &Words) -> Result<Spoken, Unworded> {
        let words = complete(words);
        let file = format!("{}.voice.txt", purpose.as_str());
        let said = self.chosen(purpose, &[&file], &words).spoken(purpose, &file, &words);
        let said = said.or_else(|_| self.built_in.spoken(purpose, &file, &words));
        let (prompt, content, template) = said.map_err(|_| Unworded { purpose: purpose.as_str() })?;
        let (prompt, content) = if is_drill(&words) {
            (format!("{DRILL_SPOKEN} {prompt}"), format!("{DRILL_SPOKEN} Nobody is in danger. {content} {DRILL_SPOKEN}"))
        } else {
            (prompt, content)
        };
        Ok(Spoken { prompt, content, instead: instead(&words), template })
    }

    /// Proves that calls can be worded, are short enough to be listened to, and begin with words that a machine may keep.
    fn prove_calls(&self, shown: &str) -> Result<(), SettingsError> {
        let told = self.edited.uses.get(PROMPT).and_then(|words| words.iter().find(|word| *word != "recipient"));
        if let Some(word) = told {
            return Err(SettingsError::new(
                format!("{shown}/{PROMPT}"),
                format!("uses \"{word}\", and a voicemail would keep it"),
                "use no word but recipient: what it is about is said after a digit",
            ));
        }
        for purpose in SPOKEN {
            let file = format!("{}.voice.txt", purpose.as_str());
            for name in [PROMPT, &file] {
                let said = render(&self.edited.env, name, &usual_words()).map_err(|error| describe(shown, name, &error))?;
                let length = said.trim().chars().count();
                if length == 0 || length > SPOKEN_MAX {
                    return Err(SettingsError::new(
                        format!("{shown}/{name}"),
                        format!("says {length} characters before site and place; 1 to {SPOKEN_MAX} can be listened to"),
                        "shorten it, or remove the file to use the built-in words",
                    ));
                }
            }
        }
        Ok(())
    }

    /// Proves that a purpose's texts can be made and that its text message cannot exceed a segment.
    fn prove(&self, purpose: Purpose, shown: &str) -> Result<(), SettingsError> {
        let file = format!("{}.sms.txt", purpose.as_str());
        let failed = |error: &minijinja::Error| describe(shown, &file, error);
        let longest = longest_words();
        let mut worst = String::new();
        for (word, value) in VARIANTS {
            let mut words = longest.clone();
            words.insert("drill", String::new());
            words.insert(word, value.to_owned());
            let text = fit(&self.edited.env, &file, &words, false).map_err(|e| failed(&e))?;
            if text.len() > worst.len() {
                worst = text;
            }
        }
        let usual = render(&self.edited.env, &file, &usual_words()).map_err(|e| failed(&e))?;
        let remedy = "shorten the words around site and place, and keep to plain letters";
        let cost = septets(&worst).unwrap_or(usize::MAX);
        let usual = septets(&normalise(&usual)).unwrap_or(SEGMENT);
        if cost > SEGMENT || usual + ROOM_FOR_PLACE > SEGMENT {
            return Err(SettingsError::new(
                format!("{shown}/{file}"),
                format!(
                    "takes {usual} septets before site and place, {cost} at worst; {SEGMENT} is one segment and {ROOM_FOR_PLACE} are for site and place"
                ),
                remedy,
            ));
        }
        let words = complete(&longest);
        mail(&self.edited.env, purpose, &words)
            .map(drop)
            .map_err(|error| describe(shown, &format!("{}.email.txt", purpose.as_str()), &error))
    }
}

/// What a call says in place of the digits that answer, where an answer could be kept no more than the alarm itself.
fn instead(words: &Words) -> Option<String> {
    let word = |name: &str| words.get(name).map(String::as_str).unwrap_or_default();
    let whom = match word("phone") {
        "" => "phone the centre",
        phone => &format!("ring {phone}"),
    };
    (!word("unrecorded").is_empty()).then(|| format!("No answer can be taken here. To answer, {whom}."))
}

/// Subject and words of a mail about a drill.
fn drill_note(env: &Environment<'_>, purpose: Purpose, words: &Words) -> Result<(String, String), minijinja::Error> {
    let word = |name: &str| words.get(name).map(String::as_str).unwrap_or_default();
    let brief: Words = words.iter().map(|(name, word)| (*name, if *name == "link" { String::new() } else { word.clone() })).collect();
    let said = marked(render(env, &format!("{}.sms.txt", purpose.as_str()), &brief)?, DRILL);
    let over = matches!(purpose, Purpose::StandDown | Purpose::AlreadyClosed);
    let subject = format!("[DRILL{}] {} - {}", if over { " OVER" } else { "" }, word("site"), word("ref"));
    let url = match word("url") {
        "" => String::new(),
        url => format!("\n\n{url}"),
    };
    Ok((subject, format!("{said}{url}\n")))
}

/// Whether the words are a drill's.
fn is_drill(words: &Words) -> bool {
    words.get("drill").is_some_and(|drill| !drill.is_empty())
}

/// A drill says so before anything else, whatever its template says.
fn marked(text: String, mark: &str) -> String {
    let is_said =
        ["DRILL: ", "DRILL, not real", "DRILL OVER: ", "[DRILL] ", "[DRILL STILL OPEN] "].iter().any(|said| text.starts_with(said));
    if is_said { text } else { format!("{mark}{text}") }
}

fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    env.set_auto_escape_callback(|name| if name == PAGE { AutoEscape::Html } else { AutoEscape::None });
    env
}

/// Reads the operator's folder over the built-in sources.
fn read_folder(dir: &Path, sources: &mut BTreeMap<&'static str, String>) -> Result<(), SettingsError> {
    let shown = dir.display();
    let unreadable = |error: std::io::Error| {
        SettingsError::new(
            "[templates] dir",
            format!("cannot read {shown}: {error}"),
            "create the folder, or remove the setting to use the built-in texts",
        )
    };
    for file in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = file.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || name.ends_with('~') {
            continue; // An editor's leavings.
        }
        let Some((known, _)) = BUILT_IN.iter().find(|(known, _)| *known == name) else {
            return Err(SettingsError::new(
                format!("{shown}/{name}"),
                "no message is made from a file of this name",
                "name it like a built-in one: <purpose>.sms.txt, <purpose>.email.subject.txt, <purpose>.email.txt, email.html, <purpose>.voice.txt or prompt.voice.txt",
            ));
        };
        let source = std::fs::read_to_string(&path).map_err(|error| {
            SettingsError::new(
                format!("{shown}/{name}"),
                format!("cannot be read: {error}"),
                "save it as UTF-8 text that the service's user may read",
            )
        })?;
        sources.insert(known, source);
    }
    Ok(())
}

/// Adds them, and says which words each of them uses.
fn add_all(
    env: &mut Environment<'static>,
    sources: &BTreeMap<&'static str, String>,
    shown: &str,
) -> Result<BTreeMap<&'static str, BTreeSet<String>>, SettingsError> {
    let mut uses = BTreeMap::new();
    for (name, source) in sources {
        let kept = if *name == PAGE || name.ends_with(".email.txt") { source.clone() } else { source.trim_end().to_owned() };
        env.add_template_owned(*name, kept).map_err(|error| describe(shown, name, &error))?;
        let template = env.get_template(name).map_err(|error| describe(shown, name, &error))?;
        let words: BTreeSet<String> = template.undeclared_variables(false).into_iter().collect();
        let is_unknown = |word: &&String| {
            let page_only = OF_THE_PAGE.contains(&word.as_str());
            (page_only && *name != PAGE) || !SMS_WORDS.iter().any(|(known, _)| known == word)
        };
        if name.ends_with(".sms.txt") {
            plain_letters(shown, name, source)?;
        }
        if let Some(word) = words.iter().find(is_unknown) {
            let line = source.lines().position(|l| l.contains(word.as_str())).map_or(1, |l| l + 1);
            return Err(SettingsError::new(
                format!("{shown}/{name}:{line}"),
                format!("there is no word \"{word}\""),
                format!("use one of: {}", word_list(*name == PAGE)),
            ));
        }
        uses.insert(*name, words);
    }
    Ok(uses)
}

/// Refuses what would reach a phone as a question mark.
fn plain_letters(shown: &str, name: &str, source: &str) -> Result<(), SettingsError> {
    let strange = |line: &str| line.chars().find(|c| *c != '?' && normalise(&c.to_string()) == "?");
    let found = source.lines().enumerate().find_map(|(index, line)| Some((index + 1, strange(line)?)));
    let Some((line, c)) = found else { return Ok(()) };
    Err(SettingsError::new(
        format!("{shown}/{name}:{line}"),
        format!("\"{c}\" is not in the alphabet of text messages"),
        "write it with plain letters: one such character would cut every message into pieces of 70",
    ))
}

fn word_list(of_the_page: bool) -> String {
    let known = SMS_WORDS.iter().map(|(word, _)| *word);
    let listed: Vec<_> = known.filter(|word| of_the_page || !OF_THE_PAGE.contains(word)).collect();
    listed.join(", ")
}

fn describe(shown: &str, file: &str, error: &minijinja::Error) -> SettingsError {
    SettingsError::new(
        format!("{shown}/{file}:{}", error.line().unwrap_or(1)),
        error,
        "correct the template, or remove the file to use the built-in text",
    )
}

/// The words of each purpose's text message, in texts of any of these origins.
fn needs(origins: &[&Texts]) -> BTreeMap<Purpose, Vec<&'static str>> {
    let of = |purpose: Purpose| {
        let file = format!("{}.sms.txt", purpose.as_str());
        let is_used = |word: &&str| origins.iter().any(|texts| texts.knows(&file, word));
        (purpose, SMS_WORDS.into_iter().map(|(name, _)| name).filter(is_used).collect())
    };
    Purpose::ALL.into_iter().map(of).collect()
}

/// Names with the first eight hex digits of the SHA-256 of what they are made from; `beside` is a file that all purposes share.
fn names(sources: &BTreeMap<&'static str, String>, medium: &str, suffixes: &[&str], beside: &str) -> BTreeMap<Purpose, String> {
    let named = |purpose: Purpose| {
        let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
        for suffix in suffixes {
            let file = format!("{}{suffix}", purpose.as_str());
            digest.update(sources.get(file.as_str()).map_or(&[], |s| s.as_bytes()));
            digest.update(&[0]);
        }
        digest.update(sources.get(beside).map_or(&[], |s| s.as_bytes()));
        let digest = digest.finish();
        let first = digest.as_ref().first_chunk().copied().unwrap_or_default();
        let hash8 = format!("{:08x}", u32::from_be_bytes(first));
        (purpose, format!("{}.{medium}@{hash8}", purpose.as_str()))
    };
    Purpose::ALL.into_iter().map(named).collect()
}

fn render(env: &Environment<'_>, name: &str, words: &Words) -> Result<String, minijinja::Error> {
    env.get_template(name)?.render(words)
}

/// Renders a text message into one segment: the link goes first, then words of the place from its end, then of the site
/// down to one, then remarks on age and lateness. Code, time and verb are never touched.
fn fit(env: &Environment<'_>, name: &str, words: &Words, drill: bool) -> Result<String, minijinja::Error> {
    let template = env.get_template(name)?;
    let mut words = Cow::Borrowed(words);
    loop {
        let text = normalise(template.render(&*words)?.trim());
        let text = if drill { marked(text, DRILL) } else { text };
        let fits = septets(&text).is_some_and(|cost| cost <= SEGMENT);
        if fits || !give_way(words.to_mut()) {
            // What still does not fit goes out as two segments: better than an alarm that nobody gets.
            return Ok(text);
        }
    }
}

fn mail(env: &Environment<'_>, purpose: Purpose, words: &Words) -> Result<Mail, minijinja::Error> {
    let name = purpose.as_str();
    let subject = render(env, &format!("{name}.email.subject.txt"), words)?;
    let subject: String = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SUBJECT_MAX).collect();
    let text = render(env, &format!("{name}.email.txt"), words)?;
    let (subject, text) = match (is_drill(words), purpose.is_alarm()) {
        (false, _) => (subject, text),
        (true, true) => (marked(subject, DRILL_SUBJECT), format!("{DRILL_MAIL}{text}")),
        // What is said about a drill is said as briefly as in a text: no address, no all clear, and nobody is told that they may rest.
        (true, false) => drill_note(env, purpose, words)?,
    };
    let paragraphs: Vec<Value> = text
        .split("\n\n")
        .map(|paragraph| paragraph.lines().filter(|line| !line.is_empty()).map(Value::from))
        .map(|lines| lines.collect::<Vec<Value>>())
        .filter(|paragraph| !paragraph.is_empty())
        .map(Value::from)
        .collect();
    let mut page: BTreeMap<&str, Value> = words.iter().map(|(name, word)| (*name, Value::from(word.as_str()))).collect();
    page.insert("subject", Value::from(subject.as_str()));
    page.insert("paragraphs", Value::from(paragraphs));
    let html = env.get_template(PAGE)?.render(&page)?;
    Ok(Mail { subject, text, html, template: String::new() })
}

#[cfg(test)]
mod tests;
