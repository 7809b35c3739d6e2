//! Safe words: what somebody says or keys in to prove that it is over, and the twin that says the opposite.
//!
//! Whoever is made to say that all is well gives the twin. It must look the same to whoever watches: what a word was is decided
//! beside what was said, and acted on a little later. The words themselves never come this far: the watch judges them, and only
//! what they were is known here.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::course::Course;
use crate::event::{Entry, Event};
use crate::time::{Seconds, Timestamp};

/// What a word does is done this long after it was given, whichever it was (ours): an answer that came back with the next rung
/// entered would tell the twin apart.
const HEEDED_AFTER: Seconds = Seconds(5);

/// What a word was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// The safe word of its site.
    Safe,
    /// Its duress twin: whoever gave it is not safe.
    Duress,
    /// Neither.
    Wrong,
    /// The site has no words, or they could not be read.
    Unknown,
}

/// A word as it came in. It is judged before the rules see it; one that was not is known to be nothing.
#[derive(Clone, PartialEq, Eq)]
pub enum Entered {
    /// As it was entered.
    Open(String),
    /// What it was.
    Judged(Word),
}

impl Entered {
    /// What it was, as far as anybody knows.
    pub fn word(&self) -> Word {
        match self {
            Self::Open(_) => Word::Unknown,
            Self::Judged(word) => *word,
        }
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entered(redacted)")
    }
}

/// What was given on one activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// The latest; a twin stays, whatever is said after it.
    pub word: Word,
    /// It was pressed again since: whoever said that it is over did not know of that.
    pub outdated: bool,
    /// When it is acted on, until it was.
    pub heed_at: Option<Timestamp>,
}

impl Given {
    /// Whether somebody who gave it may be believed that it is over.
    pub fn is_safe(&self) -> bool {
        self.word == Word::Safe && !self.outdated
    }
}

impl Course<'_> {
    /// Writes down what a word was, apart from what was said with it.
    pub(crate) fn judge(&mut self, word: Word) {
        let event = Event::WordJudged { act: self.id(), word, heed_at: HEEDED_AFTER.after(self.now) };
        self.push(event);
    }

    /// A twin sends more people, and nobody's commitment or hold keeps them back: whoever gave it may be who has committed.
    pub(crate) fn heed_word(&mut self) {
        let event = Event::WordHeeded { act: self.id() };
        self.push(event);
        if !self.act.word.as_ref().is_some_and(|given| given.word == Word::Duress) {
            return;
        }
        self.inform_centres();
        self.resume(Entry::Resumed);
    }
}
