//! Consoles: who says that they are at a desk, and until when that counts.
//!
//! A word holds for seconds and is kept in memory alone. The watch is told of two moments only, when the first comes to a desk and when
//! nobody is left there, so that a page which is away for a moment makes no entry. What nobody says any more lapses by itself: of the two
//! mistakes that can be made about a desk, that somebody is there is the one that costs a person in danger their time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use escalation::engine::Engine;
use escalation::id::CentreId;
use escalation::input::{DeskArmed, DeskUnarmed, Input};
use escalation::rejection::Rejection;
use escalation::time::Timestamp;
use escalation::trouble::Cause;

use crate::duty;
use crate::floor::Floor;
use crate::look::attribution;
use crate::view::Scope;

/// How long a word holds: three of those that a page says, so that one may be lost.
pub const WORD_HOLDS: Duration = Duration::from_secs(15);
/// For how long nobody has to be at a desk until that is a trouble (ours): whoever hands a shift over has that minute.
const EMPTY_FOR: Duration = Duration::from_mins(1);
/// How long between two looks at which desks the hours of ladders ask.
const COUNTED_EVERY: Duration = Duration::from_mins(1);
/// How many consoles are kept apart at one desk; the one that lapses first gives way. It is armed by any of them.
const CONSOLES_MAX: usize = 256;
/// When nothing is to be looked at.
const NEVER: Duration = Duration::MAX;

/// Somebody says that they are at a desk, or that they leave it.
#[derive(Clone, Debug)]
pub struct SeatRequest {
    /// The key or session.
    pub principal: String,
    /// Whose things the key may touch.
    pub scope: Scope,
    /// At the desk of which centre.
    pub centre: CentreId,
    /// What they say.
    pub word: Word,
}

/// What somebody says of a desk. A console is named by whoever sits there, and is one of their key's own.
#[derive(Clone, Debug)]
pub enum Word {
    /// They are at it.
    Here(String),
    /// They leave it; `None`: all of their key do.
    Gone(Option<String>),
}

/// A desk, and whether anybody is at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskView {
    /// Of which centre.
    pub centre: CentreId,
    /// That centre's name, or its id where nobody named it.
    pub name: String,
    /// Since when it is armed; `None`: it is not.
    pub armed_since: Option<Timestamp>,
    /// How many consoles say so. None yet where a start has only the record's word for it.
    pub consoles: usize,
    /// Whether this reader's key sees all calls that come to it, so that it may arm it.
    pub may_arm: bool,
}

/// Everybody who is at a desk.
#[derive(Debug, Default)]
pub(crate) struct Consoles {
    /// Until when each word holds, by the monotonic clock.
    words: BTreeMap<CentreId, BTreeMap<Console, Duration>>,
    /// By which version of the directory it is known which desks count.
    version: u32,
    /// Of those that count and that nobody is at: since when.
    empty_since: BTreeMap<CentreId, Duration>,
    /// Those that the watch has been told of as a trouble.
    told: BTreeSet<CentreId>,
    /// The desks that a press would wait for now.
    counted: BTreeSet<CentreId>,
    /// When that is found out anew: hours begin and end.
    count_at: Duration,
    /// Until when nobody can have said anew after a start what the record does not say: calls from before desks were armed wait for them.
    unsaid_until: Option<Duration>,
    /// When there is something to look at.
    look_at: Duration,
}

/// Whose word it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Console {
    /// The record's: somebody was there before this start.
    Recorded,
    /// A key's, by the console's own name.
    Of(String, String),
}

impl SeatRequest {
    /// Whether somebody says that they are there.
    pub(crate) fn is_here(&self) -> bool {
        match self.word {
            Word::Here(_) => true,
            Word::Gone(_) => false,
        }
    }
}

/// Whether a key may arm a desk, or say that it leaves it. One that sees no call of it is told of none; whoever arms it arms it for
/// everybody whose calls come to it, and has to see all of them.
pub(crate) fn may(floor: &Floor, request: &SeatRequest) -> Result<(), Rejection> {
    let directory = floor.engine.directory();
    // Said every few seconds by every console: of a key that sees everything nothing has to be worked out.
    if directory.is_desk(&request.centre) && request.scope.is_everything() {
        return Ok(());
    }
    let reach = directory.reach_of_desk(&request.centre);
    if !directory.is_desk(&request.centre) || !duty::is_seen(&request.scope, &reach) {
        return Err(Rejection::UnknownDesk);
    }
    if duty::may_change(&request.scope, &reach) { Ok(()) } else { Err(Rejection::NotAllOfTheDesk) }
}

impl Consoles {
    /// What the record says is believed for as long as a word holds: whoever is there says so again by then.
    pub(crate) fn after_start(now: Duration, engine: &Engine) -> Self {
        let words = engine.armed().keys().map(|centre| (centre.clone(), BTreeMap::from([(Console::Recorded, now + WORD_HOLDS)])));
        Self { words: words.collect(), unsaid_until: Some(now + WORD_HOLDS), ..Self::default() }
    }

    /// What the watch is to write of a word; `None`: it changes nothing that is written.
    pub(crate) fn hear(&mut self, now: Duration, engine: &Engine, request: SeatRequest) -> Option<Input> {
        let SeatRequest { principal, centre, word, scope: _ } = request;
        self.look_at = now;
        let words = self.words.entry(centre.clone()).or_default();
        match word {
            Word::Here(console) => {
                words.insert(Console::Of(principal.clone(), console), now + WORD_HOLDS);
                // Somebody who is there says so themselves from here on.
                words.remove(&Console::Recorded);
                if words.len() > CONSOLES_MAX
                    && let Some(first) = words.iter().min_by_key(|(_, until)| **until).map(|(console, _)| console.clone())
                {
                    words.remove(&first);
                }
                (!engine.is_armed(&centre)).then(|| Input::DeskArmed(DeskArmed { centre, by: attribution(principal, None, None) }))
            }
            Word::Gone(console) => {
                let recorded = engine.armed().get(&centre).is_some_and(|armed| armed.principal == principal);
                words.retain(|known, _| match known {
                    // Whoever leaves says so of the desk that they were at before a start as well, and for nobody else.
                    Console::Recorded => !recorded,
                    Console::Of(of, name) => *of != principal || console.as_ref().is_some_and(|console| console != name),
                });
                let is_left = !words.values().any(|until| *until > now) && engine.is_armed(&centre);
                is_left.then(|| Input::DeskUnarmed(DeskUnarmed { centre, by: Some(attribution(principal, None, None)) }))
            }
        }
    }

    /// When there is something to look at, by the monotonic clock.
    pub(crate) fn next_look(&self, engine: &Engine) -> Duration {
        if self.differs(engine) { Duration::ZERO } else { self.look_at }
    }

    /// Whether the rules know another thing than what is said here: of several words within one turn each was judged by what stood before it.
    fn differs(&self, engine: &Engine) -> bool {
        self.unheard(engine).next().is_some() || engine.armed().keys().any(|centre| !self.words.contains_key(centre))
    }

    /// The desks that somebody says to be at and that the rules hold for empty, with the key that says so.
    fn unheard<'a>(&'a self, engine: &'a Engine) -> impl Iterator<Item = (&'a CentreId, &'a str)> {
        let empty = self.words.iter().filter(|(centre, _)| !engine.is_armed(centre) && engine.directory().is_desk(centre));
        empty.filter_map(|(centre, words)| {
            let said = words.keys().find_map(|console| match console {
                Console::Of(principal, _) => Some(principal.as_str()),
                Console::Recorded => None,
            });
            Some((centre, said?))
        })
    }

    /// What came to be with time: desks that nobody says to be at any more, and those that have been empty for too long.
    pub(crate) fn look(&mut self, now: Duration, at: Timestamp, engine: &Engine) -> Vec<Input> {
        let is_new = self.version != engine.directory_version();
        if now < self.look_at && !is_new && !self.differs(engine) {
            return Vec::new();
        }
        if is_new {
            self.version = engine.directory_version();
            // Under another directory the rules may have dropped what they were told.
            self.told.clear();
        }
        if is_new || now >= self.count_at {
            self.count_at = now + COUNTED_EVERY;
            self.counted = engine.directory().desks_asked(at).into_iter().cloned().collect();
            self.empty_since.retain(|centre, _| self.counted.contains(centre));
        }
        self.words.values_mut().for_each(|words| words.retain(|_, until| *until > now));
        self.words.retain(|_, words| !words.is_empty());
        let left: Vec<CentreId> = engine.armed().keys().filter(|centre| !self.words.contains_key(*centre)).cloned().collect();
        for centre in &left {
            // Whoever came and left between two looks has cleared its trouble, and it is empty from now on.
            self.told.remove(centre);
            self.empty_since.remove(centre);
        }
        let unsaid = self.unsaid_until.take_if(|until| *until <= now).map(|_| engine.directory().desks());
        let unsaid = unsaid.into_iter().flatten().filter(|centre| !self.words.contains_key(*centre) && !engine.is_armed(centre)).cloned();
        let left = left.into_iter().chain(unsaid);
        let mut news: Vec<Input> = left.map(|centre| Input::DeskUnarmed(DeskUnarmed { centre, by: None })).collect();
        let said = |(centre, by): (&CentreId, &str)| DeskArmed { centre: centre.clone(), by: attribution(by.to_owned(), None, None) };
        news.extend(self.unheard(engine).map(said).map(Input::DeskArmed));
        news.extend(self.look_at_empty(now, engine));
        let lapses = self.words.values().flat_map(BTreeMap::values).min().copied();
        let troubles = self.empty_since.iter().filter(|(centre, _)| !self.told.contains(*centre)).map(|(_, since)| *since + EMPTY_FOR);
        let counts = engine.directory().desks().next().map(|_| self.count_at);
        self.look_at = lapses.into_iter().chain(troubles.min()).chain(counts).chain(self.unsaid_until).min().unwrap_or(NEVER);
        news
    }

    fn look_at_empty(&mut self, now: Duration, engine: &Engine) -> Vec<Input> {
        self.told.retain(|centre| self.counted.contains(centre));
        // Outside of the hours at which it is asked a desk may be empty.
        let is_over = |cause: &Cause| matches!(cause, Cause::DeskUnarmed { centre } if !self.counted.contains(centre));
        let over = engine.troubles().map(|(cause, _)| cause).filter(|cause| is_over(cause)).cloned();
        let mut news: Vec<Input> = over.map(Input::TroubleCleared).collect();
        for centre in &self.counted {
            if self.words.contains_key(centre) {
                self.empty_since.remove(centre);
                self.told.remove(centre);
                continue;
            }
            let since = *self.empty_since.entry(centre.clone()).or_insert(now);
            if now.saturating_sub(since) >= EMPTY_FOR && self.told.insert(centre.clone()) {
                news.push(Input::TroubleNoticed(Cause::DeskUnarmed { centre: centre.clone() }));
            }
        }
        news
    }

    /// The desks within a scope, and whether anybody is at them.
    pub(crate) fn view(&self, floor: &Floor, scope: &Scope) -> Vec<DeskView> {
        let directory = floor.engine.directory();
        let seen = directory.desks().filter_map(|centre| {
            // Asked every few seconds by every console: for a key that sees everything nothing has to be worked out.
            let reach = (!scope.is_everything()).then(|| directory.reach_of_desk(centre));
            reach.as_ref().is_none_or(|reach| duty::is_seen(scope, reach)).then(|| DeskView {
                centre: centre.clone(),
                name: floor.vault.centre(floor.engine.directory_version(), centre).unwrap_or(centre.as_str()).to_owned(),
                armed_since: floor.engine.armed().get(centre).map(|armed| armed.since),
                consoles: self.words.get(centre).map_or(0, |words| words.keys().filter(|console| **console != Console::Recorded).count()),
                may_arm: reach.as_ref().is_none_or(|reach| duty::may_change(scope, reach)),
            })
        });
        seen.collect()
    }
}
