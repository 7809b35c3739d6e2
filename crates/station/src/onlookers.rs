//! Onlookers: who is reading, counted in memory for a moment until the watch writes it down.
//!
//! One window for each reader and thing that they read. The first look is due a second after it; what follows is counted, and written at
//! most once an hour. Noting waits for nothing and fails at nothing: what one reader reads of too many things is counted together, and so
//! are readers whom there is no room to keep apart. It decides nothing, and nothing that is decided asks it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use escalation::event::{ViewOf, Viewer, Way};
use escalation::id::{CustomerId, PersonId, SiteId};
use escalation::input::View;
use escalation::time::Timestamp;
use tokio::sync::Notify;

use crate::clock::later;

/// How long after a first look it is written, in microseconds: what a kill takes with it is not older.
pub(crate) const FIRST_US: i64 = 1_000_000;
/// How long after an entry the next one of the same reader and thing is written at the earliest, in microseconds.
pub(crate) const WINDOW_US: i64 = 3_600_000_000;
/// How many windows are kept: readers times things within an hour. Each takes about half a kilobyte.
pub(crate) const WINDOWS_MAX: usize = 4_096;
/// How many entries one reader is given within an hour. What they read beyond it is one entry more for each customer: so many others.
pub(crate) const ENTRIES_MAX: u32 = 500;

/// Who reads, and how. It is the key or the session, which was checked, and never a name, which nobody could check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Onlooker {
    /// The key or session, by its name; `os:root` through the control socket.
    pub principal: String,
    /// By which way.
    pub way: Way,
}

/// What is read, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sight {
    /// What.
    pub(crate) of: ViewOf,
    /// Whose, where it is one customer's.
    pub(crate) customer: Option<CustomerId>,
    /// Where, where it is one site's.
    pub(crate) site: Option<SiteId>,
}

/// Everybody who is reading.
pub(crate) struct Onlookers {
    state: Mutex<State>,
    /// Wakes the watch, which may sleep.
    wake: Arc<Notify>,
}

struct State {
    bounds: Bounds,
    windows: BTreeMap<Arc<Key>, Window>,
    /// Those with something to write, by when.
    due: BTreeSet<(Timestamp, Arc<Key>)>,
    /// Those without, by when they are forgotten.
    quiet: BTreeSet<(Timestamp, Arc<Key>)>,
    /// How much each reader has had written within the hour: as many as there are keys and people with links.
    spent: BTreeMap<Viewer, Spent>,
    /// When the latest window that is forgotten was written. What took long to be read is not noted as read before that.
    forgotten: Timestamp,
}

/// How much is kept.
#[derive(Clone, Copy)]
struct Bounds {
    windows: usize,
    entries: u32,
}

/// How many entries a reader asked for since when.
struct Spent {
    since: Timestamp,
    entries: u32,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// Who reads; `None` for more than could be kept apart.
    who: Option<Viewer>,
    sight: Sight,
}

/// What one reader read of one thing.
struct Window {
    /// When it is written, or forgotten.
    at: Timestamp,
    /// What came before is written.
    since: Timestamp,
    /// What is to be written.
    tally: Option<Tally>,
}

struct Tally {
    how: BTreeSet<Way>,
    count: u32,
    first: Timestamp,
    last: Timestamp,
}

impl Onlookers {
    /// Nobody yet; `wake` is rung when there is something to write within a second.
    pub(crate) fn new(wake: Arc<Notify>) -> Self {
        Self::within(Bounds { windows: WINDOWS_MAX, entries: ENTRIES_MAX }, wake)
    }

    fn within(bounds: Bounds, wake: Arc<Notify>) -> Self {
        let state = State {
            bounds,
            windows: BTreeMap::new(),
            due: BTreeSet::new(),
            quiet: BTreeSet::new(),
            spent: BTreeMap::new(),
            forgotten: Timestamp::MIN,
        };
        Self { state: Mutex::new(state), wake }
    }

    /// Somebody with a key was shown this.
    pub(crate) fn note(&self, at: Timestamp, onlooker: Onlooker, sight: Sight) {
        let Onlooker { principal, way } = onlooker;
        self.take_down(at, Key { who: Some(Viewer::Principal(principal)), sight }, way);
    }

    /// Whoever has this person's link was shown this.
    pub(crate) fn note_holder(&self, at: Timestamp, person: PersonId, sight: Sight) {
        self.take_down(at, Key { who: Some(Viewer::Link(person)), sight }, Way::Link);
    }

    fn take_down(&self, at: Timestamp, key: Key, way: Way) {
        let soon = self.lock().count(at, key, way);
        if soon {
            self.wake.notify_one();
        }
    }

    /// When there is something to write; `None` where there is nothing.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.lock().due.first().map(|(at, _)| *at)
    }

    /// At most `most` of what was due by then, the longest due first. It is written at `now`.
    pub(crate) fn take(&self, now: Timestamp, due_by: Timestamp, most: usize) -> Vec<View> {
        let mut state = self.lock();
        let mut views = Vec::new();
        while views.len() < most
            && let Some(view) = state.next(now, due_by)
        {
            views.push(view);
        }
        state.forget(now);
        views
    }

    /// A panic elsewhere leaves the state whole: it is changed only by code that does not panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many windows are kept.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> usize {
        self.lock().windows.len()
    }
}

impl State {
    /// Counts one look. Says whether it is the first of a window that is written soon.
    fn count(&mut self, at: Timestamp, key: Key, way: Way) -> bool {
        let key = self.affordable(at, key);
        let key = if self.windows.contains_key(&key) || self.make_room(at) { key } else { Key { who: None, ..key.among_others() } };
        let kept = self.windows.get(&key);
        // What took long to be read may be noted after the window that it was in was written: windows do not overlap.
        let since = kept.map_or(self.forgotten, |window| window.since);
        let at = at.max(since);
        let due = later(at, FIRST_US);
        let soon = kept.is_none_or(|window| window.tally.is_none() && window.at <= due);
        let until = kept.map_or(due, |window| if soon { due } else { window.at });
        let tally = Tally { how: BTreeSet::from([way]), count: 1, first: at, last: at };
        self.put(key, Window { at: until, since, tally: Some(tally) });
        soon
    }

    /// The window that a look is counted in: its own, unless that would be an entry more than this reader is given within the hour.
    fn affordable(&mut self, at: Timestamp, key: Key) -> Key {
        let waits = self.windows.get(&key).is_some_and(|window| window.tally.is_some());
        let Some(who) = key.who.as_ref().filter(|_| !waits) else { return key };
        let spent = self.spent.entry(who.clone()).or_insert(Spent { since: at, entries: 0 });
        if later(spent.since, WINDOW_US) <= at {
            *spent = Spent { since: at, entries: 0 };
        }
        if spent.entries >= self.bounds.entries {
            return key.among_others();
        }
        spent.entries += 1;
        key
    }

    /// Puts a window in its place, together with what is there of the same reader and thing.
    fn put(&mut self, key: Key, window: Window) {
        let key = Arc::new(key);
        let Some(before) = self.windows.remove(&key) else {
            self.line_up(&key, &window);
            self.windows.insert(key, window);
            return;
        };
        self.due.remove(&(before.at, Arc::clone(&key)));
        self.quiet.remove(&(before.at, Arc::clone(&key)));
        let tally = match (before.tally, window.tally) {
            (Some(one), Some(other)) => Some(one.with(other)),
            (one, other) => one.or(other),
        };
        let both = Window { at: before.at.max(window.at), since: before.since.max(window.since), tally };
        self.line_up(&key, &both);
        self.windows.insert(key, both);
    }

    fn line_up(&mut self, key: &Arc<Key>, window: &Window) {
        let line = if window.tally.is_some() { &mut self.due } else { &mut self.quiet };
        line.insert((window.at, Arc::clone(key)));
    }

    /// The next window that was due by then.
    fn next(&mut self, now: Timestamp, due_by: Timestamp) -> Option<View> {
        let (_, key) = self.due.first().filter(|(at, _)| *at <= due_by)?;
        let key = Arc::clone(key);
        let window = self.windows.get_mut(&key)?;
        self.due.remove(&(window.at, Arc::clone(&key)));
        window.since = now;
        window.at = later(now, WINDOW_US);
        let tally = window.tally.take()?;
        self.quiet.insert((window.at, Arc::clone(&key)));
        Some(tally.of(&key))
    }

    /// Forgets whoever read nothing for an hour.
    fn forget(&mut self, now: Timestamp) {
        let mut forgot = false;
        while self.quiet.first().is_some_and(|(until, _)| *until <= now) {
            self.let_go();
            forgot = true;
        }
        if forgot {
            self.spent.retain(|_, spent| later(spent.since, WINDOW_US) > now);
        }
    }

    /// Whether there is room for another window: one that waits for nothing gives way, the oldest first. Its reader is named again when
    /// they read again, within the hour too: that is one entry more, and nobody less.
    fn make_room(&mut self, now: Timestamp) -> bool {
        if self.windows.len() < self.bounds.windows {
            return true;
        }
        self.forget(now);
        while self.windows.len() >= self.bounds.windows && !self.quiet.is_empty() {
            self.let_go();
        }
        self.windows.len() < self.bounds.windows
    }

    /// Forgets the window that has waited for nothing the longest.
    fn let_go(&mut self) {
        if let Some((_, key)) = self.quiet.pop_first()
            && let Some(window) = self.windows.remove(&key)
        {
            self.forgotten = self.forgotten.max(window.since);
        }
    }
}

impl Key {
    /// The same reader of the same customer, without what it was that they read.
    fn among_others(self) -> Self {
        let Self { who, sight } = self;
        Self { who, sight: Sight { of: ViewOf::Others, customer: sight.customer, site: None } }
    }
}

impl Tally {
    fn with(self, other: Self) -> Self {
        Self {
            how: self.how.into_iter().chain(other.how).collect(),
            count: self.count.saturating_add(other.count),
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }

    fn of(self, key: &Key) -> View {
        let Key { who, sight: Sight { of, customer, site } } = key.clone();
        let Self { how, count, first, last } = self;
        View { of, customer, site, by: who, how: how.into_iter().collect(), count, first, last }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START_US: i64 = 1_775_000_000_000_000;

    fn at(us: i64) -> Timestamp {
        Timestamp::from_microsecond(START_US + us).unwrap()
    }

    fn sight(number: u32) -> Sight {
        Sight { of: ViewOf::Activation(format!("KAL-{}", number + 1).parse().unwrap()), customer: None, site: None }
    }

    fn onlooker(number: u8) -> Onlooker {
        Onlooker { principal: format!("key {}", number / 2), way: if number.is_multiple_of(2) { Way::Page } else { Way::Api } }
    }

    fn principal(view: &View) -> Option<&str> {
        match view.by.as_ref()? {
            Viewer::Principal(principal) => Some(principal),
            Viewer::Link(_) => None,
        }
    }

    proptest! {
        /// Whoever reads whatever whenever, and is noted however late: nothing is counted twice or lost, no two windows of one reader and
        /// thing overlap, and what is kept is bounded.
        #[test]
        fn every_look_is_counted_once_in_windows_that_do_not_overlap(
            looks in proptest::collection::vec((0_u8..9, 0_u32..4, 0_i64..900_000_000, 0_i64..2_000_000_000, 0_usize..5), 1..200),
            windows in 1_usize..24,
            entries in 1_u32..9,
        ) {
            let onlookers = Onlookers::within(Bounds { windows, entries }, Arc::default());
            let (mut now, mut written, mut taken) = (0, Vec::new(), 0_u32);
            for (who, what, pause_us, late_us, most) in looks {
                onlookers.note(at(now - late_us), onlooker(who), sight(what));
                taken += 1;
                now += pause_us;
                let views = onlookers.take(at(now), at(now), most);
                prop_assert!(views.len() <= most);
                written.extend(views.into_iter().map(|view| (now, view)));
                // Beside the windows: what is read by more than can be kept apart.
                prop_assert!(onlookers.kept() <= windows + 1);
            }
            loop {
                let views = onlookers.take(at(now), Timestamp::MAX, 7);
                if views.is_empty() {
                    break;
                }
                written.extend(views.into_iter().map(|view| (now, view)));
            }
            prop_assert_eq!(written.iter().map(|(_, view)| view.count).sum::<u32>(), taken);
            prop_assert!(onlookers.next_due().is_none());
            let mut last: BTreeMap<_, Timestamp> = BTreeMap::new();
            for (at_us, view) in &written {
                prop_assert!(view.first <= view.last && view.last <= at(*at_us) && view.count > 0 && !view.how.is_empty());
                if let Some(until) = last.insert((view.of.clone(), view.by.clone()), view.last) {
                    prop_assert!(view.first >= until, "{:?} begins before {}", view, until);
                }
            }
            onlookers.take(at(now + WINDOW_US), at(now), 0);
            prop_assert_eq!(onlookers.kept(), 0, "whoever reads nothing for an hour is forgotten");
        }

        /// Where there is room: one reader and thing are written an hour apart.
        #[test]
        fn windows_are_an_hour_apart(
            looks in proptest::collection::vec((0_u8..9, 0_u32..4, 0_i64..900_000_000, 0_usize..5), 1..200),
        ) {
            let onlookers = Onlookers::new(Arc::default());
            let (mut now, mut last) = (0, BTreeMap::new());
            for (who, what, pause_us, most) in looks {
                onlookers.note(at(now), onlooker(who), sight(what));
                now += pause_us;
                for view in onlookers.take(at(now), at(now), most) {
                    if let Some(before) = last.insert((view.of, view.by), now) {
                        prop_assert!(now - before >= WINDOW_US);
                    }
                }
            }
        }
    }

    #[test]
    fn there_is_room_for_so_many_and_whoever_waits_for_nothing_gives_way() {
        let onlookers = Onlookers::new(Arc::default());
        let named = |n: usize| Onlooker { principal: format!("key {n}"), way: Way::Api };
        for n in 0..WINDOWS_MAX {
            onlookers.note(at(0), named(n), sight(0));
        }
        onlookers.note(at(1), named(WINDOWS_MAX), sight(0));
        assert_eq!(onlookers.kept(), WINDOWS_MAX + 1, "the others");
        let views = onlookers.take(at(FIRST_US + 1), at(FIRST_US + 1), WINDOWS_MAX);
        assert_eq!((views.len(), onlookers.kept()), (WINDOWS_MAX, WINDOWS_MAX + 1));
        // The rest of the flood is written, and has its hour: the one who reads now is named all the same.
        let [others] = onlookers.take(at(FIRST_US + 1), at(FIRST_US + 1), 9).try_into().unwrap();
        assert!(others.by.is_none() && others.of == ViewOf::Others && others.count == 1);
        for n in 0..10 {
            onlookers.note(at(2 * FIRST_US), named(WINDOWS_MAX + 1 + n), sight(0));
        }
        let views = onlookers.take(at(4 * FIRST_US), at(4 * FIRST_US), 99);
        assert!(views.len() == 10 && views.iter().all(|view| view.by.is_some()), "{views:?}");
        assert!(onlookers.kept() <= WINDOWS_MAX + 1);
    }

    /// A key that reads ten thousand calls is named for all of them, and costs no more entries for that.
    #[test]
    fn a_key_that_reads_everything_is_one_entry_more_and_still_named() {
        let onlookers = Onlookers::new(Arc::default());
        let mut written = Vec::new();
        for n in 0..10_000_u32 {
            let now = at(i64::from(n) * 100_000);
            onlookers.note(now, onlooker(0), sight(n));
            written.extend(onlookers.take(now, now, 64));
        }
        // Somebody else has a share of their own.
        onlookers.note(at(1_000_000_000), onlooker(4), sight(9_999));
        written.extend(onlookers.take(at(1_100_000_000), Timestamp::MAX, 999));
        assert_eq!(written.iter().map(|view| view.count).sum::<u32>(), 10_001);
        let (others, named): (Vec<_>, Vec<_>) = written.iter().partition(|view| view.of == ViewOf::Others);
        assert!(written.iter().all(|view| view.by.is_some()) && others.iter().all(|view| principal(view) == Some("key 0")));
        assert_eq!(named.len(), usize::try_from(ENTRIES_MAX).unwrap() + 1);
        assert!(others.len() <= 2, "{} entries", others.len());
        // An hour later it is told what of again.
        onlookers.note(at(2 * WINDOW_US), onlooker(0), sight(7));
        let [again] = onlookers.take(at(3 * WINDOW_US), at(3 * WINDOW_US), 9).try_into().unwrap();
        assert_eq!(again.of, sight(7).of);
    }
}
