//! Evidence of a hand: nonces bound to a link and the moment of rendering, and a question for pages without scripts.
//!
//! Nonces are made under a key of this process. A restart makes them stale, and a stale nonce shows the page again.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ring::hmac;
use tokio::time::Instant;

use crate::secret::{self, NoRandom};

/// Faster than this after rendering nobody has read the page.
const READING: Duration = Duration::from_secs(2);
/// A page this old is shown again before an answer counts: what it said may be over.
const LASTS: Duration = Duration::from_hours(1);
/// How many used nonces are remembered; beyond it the oldest is forgotten, which is also the first to go stale.
const SPENT_MAX: usize = 16_384;
/// How many buttons the question has.
const BUTTONS: usize = 6;
/// Words that are hard to mistake for each other, in any order.
const WORDS: [&str; 16] = [
    "APPLE", "BRIDGE", "CANDLE", "DOLPHIN", "EAGLE", "FOREST", "GUITAR", "HAMMER", "ISLAND", "KETTLE", "LEMON", "MOUNTAIN", "PENCIL",
    "RIVER", "TIGER", "WINDOW",
];

/// Makes nonces and knows them again.
pub(crate) struct Proof {
    key: hmac::Key,
    epoch: Instant,
    spent: Mutex<VecDeque<String>>,
}

/// What a nonce turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Ours, of this page, old enough to have been read.
    Good,
    /// Ours, but nobody reads that fast.
    TooFast,
    /// Not ours, not of this page, too old, or used.
    Stale,
}

/// What a nonce was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The page with the choices.
    Page,
    /// The question after this choice.
    Question(&'static str),
}

impl Stage {
    fn label(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Question(choice) => choice,
        }
    }
}

/// The question of the page without scripts.
pub(crate) struct Question {
    /// The word to press.
    pub(crate) word: &'static str,
    /// The buttons in order. The first, which Enter and form fillers press, is never right.
    pub(crate) buttons: Vec<&'static str>,
}

impl Proof {
    pub(crate) fn new() -> Result<Self, NoRandom> {
        Ok(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret::random::<32>()?),
            epoch: Instant::now(),
            spent: Mutex::new(VecDeque::new()),
        })
    }

    /// A nonce for a page rendered now.
    pub(crate) fn nonce(&self, link: &str, stage: Stage) -> Result<String, NoRandom> {
        let at = self.epoch.elapsed().as_millis();
        let salt = secret::text(&secret::random::<6>()?);
        let body = format!("{at}.{salt}");
        let seal = self.seal(link, stage, &body);
        Ok(format!("{body}.{}", secret::text(seal.as_ref())))
    }

    /// What a nonce is worth that came back.
    pub(crate) fn judge(&self, link: &str, stage: Stage, nonce: &str) -> Freshness {
        let Some(age) = self.age(link, stage, nonce) else {
            return Freshness::Stale;
        };
        let spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if age > LASTS || spent.iter().any(|used| used == nonce) {
            Freshness::Stale
        } else if age < READING {
            Freshness::TooFast
        } else {
            Freshness::Good
        }
    }

    /// Makes a nonce stale: it was used, or the wrong button was pressed.
    pub(crate) fn spend(&self, nonce: &str) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        while spent.len() >= SPENT_MAX {
            spent.pop_front();
        }
        spent.push_back(nonce.to_owned());
    }

    /// The question that goes with a nonce: always the same for it, and nobody can compute it without the key.
    pub(crate) fn question(&self, link: &str, nonce: &str) -> Question {
        let seal = self.seal(link, Stage::Question("words"), nonce);
        let mut dice = seal.as_ref().iter().map(|byte| usize::from(*byte));
        let mut left = WORDS.to_vec();
        let mut buttons = Vec::with_capacity(BUTTONS);
        while buttons.len() < BUTTONS && !left.is_empty() {
            let chosen = dice.next().unwrap_or(0) % left.len();
            buttons.push(left.swap_remove(chosen));
        }
        let right = 1 + dice.next().unwrap_or(0) % (BUTTONS - 1);
        Question { word: buttons.get(right).copied().unwrap_or_default(), buttons }
    }

    fn age(&self, link: &str, stage: Stage, nonce: &str) -> Option<Duration> {
        let (body, seal) = nonce.rsplit_once('.')?;
        let expected = secret::text(self.seal(link, stage, body).as_ref());
        if !secret::same(expected.as_bytes(), seal.as_bytes()) {
            return None;
        }
        let at = body.split_once('.')?.0.parse().ok()?;
        self.epoch.elapsed().checked_sub(Duration::from_millis(at))
    }

    fn seal(&self, link: &str, stage: Stage, body: &str) -> hmac::Tag {
        // Links and labels hold no spaces, so that no two triples read alike.
        let text = format!("{} {link} {body}", stage.label());
        hmac::sign(&self.key, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_nonce_is_good_for_its_page_after_a_reading_time_and_once() {
        let proof = Proof::new().unwrap();
        let nonce = proof.nonce("link", Stage::Page).unwrap();
        assert_eq!(proof.judge("link", Stage::Page, &nonce), Freshness::TooFast);
        tokio::time::advance(READING).await;
        assert_eq!(proof.judge("link", Stage::Page, &nonce), Freshness::Good);
        assert_eq!(proof.judge("other", Stage::Page, &nonce), Freshness::Stale);
        assert_eq!(proof.judge("link", Stage::Question("going"), &nonce), Freshness::Stale);
        assert_eq!(proof.judge("link", Stage::Page, &format!("1{nonce}")), Freshness::Stale);
        for bad in ["", ".", "..", "1.2.3", "-1.x.y"] {
            assert_eq!(proof.judge("link", Stage::Page, bad), Freshness::Stale);
        }
        proof.spend(&nonce);
        assert_eq!(proof.judge("link", Stage::Page, &nonce), Freshness::Stale);
        let other = proof.nonce("link", Stage::Page).unwrap();
        tokio::time::advance(LASTS + Duration::from_secs(1)).await;
        assert_eq!(proof.judge("link", Stage::Page, &other), Freshness::Stale);
    }

    #[tokio::test]
    async fn the_first_button_is_never_right_and_the_word_is_there_once() {
        let proof = Proof::new().unwrap();
        for _ in 0..500 {
            let nonce = proof.nonce("link", Stage::Question("going")).unwrap();
            let question = proof.question("link", &nonce);
            assert_eq!(question.buttons.len(), BUTTONS);
            assert_ne!(question.buttons[0], question.word);
            assert_eq!(question.buttons.iter().filter(|b| **b == question.word).count(), 1);
            assert_eq!(proof.question("link", &nonce).word, question.word);
        }
    }
}
