//! Retention: for how long what a call holds of people is kept, by which right, and when that is over.
//!
//! Works out what is due from the entries of the record alone, whatever is in memory, and erases nothing: somebody reads the list and
//! erases under the basis that the term names. Times are those that the record gives; a clock that was wrong made them wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Span;
use jiff::civil::DateTime;
use jiff::fmt::friendly::SpanParser;
use jiff::tz::TimeZone;

use crate::acknowledgement::Disposition;
use crate::event::{Erasable, Event, Raised};
use crate::id::{ActivationId, CustomerId};
use crate::private::Private;
use crate::time::Timestamp;

/// The shortest term: a call is opened again for a day, and a complaint about it comes within some (ours).
const DAYS_MIN: u32 = 7;
/// The longest: beyond it nobody who wrote it is there to be asked.
const YEARS_MAX: u16 = 100;
/// With more entries an activation is not erased by itself; see `docs/src/operate/erasure.md`.
pub const ENTRIES_MAX: usize = 20_000;
/// The longest basis of an erasure, in bytes.
pub const BASIS_MAX: usize = 400;

/// What a call turned out to be, as far as it matters for how long it is kept: by the disposition it was closed with last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Practice.
    Drill,
    /// A press that tested a button, or was closed as a test.
    Test,
    /// Nobody needed help: unintended, or the equipment's fault.
    Unfounded,
    /// Everything else, also what nobody could verify and what was pressed in good faith.
    Genuine,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Drill, Self::Test, Self::Unfounded, Self::Genuine];

    /// As the directory writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drill => "drill",
            Self::Test => "test",
            Self::Unfounded => "unfounded",
            Self::Genuine => "genuine",
        }
    }

    fn of(is_drill: bool, disposition: Disposition) -> Self {
        if is_drill {
            return Self::Drill;
        }
        match disposition {
            Disposition::Test => Self::Test,
            Disposition::Unintended | Disposition::Fault => Self::Unfounded,
            Disposition::Attended
            | Disposition::PoliceAttended
            | Disposition::ResolvedByStaff
            | Disposition::PressedInGoodFaith
            | Disposition::Medical
            | Disposition::CouldNotVerify => Self::Genuine,
        }
    }
}

/// How long something is kept: by the calendar, since that is how disposal authorities count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    years: u16,
    months: u16,
    days: u32,
}

/// What is no such span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKeep {
    /// It could not be read.
    #[error("is no span of years, months, weeks and days, like \"7y\" or \"90d\"")]
    Unreadable,
    /// It is over before anybody could complain.
    #[error("is shorter than 7 days")]
    TooShort,
    /// Nobody will be there.
    #[error("is longer than 100 years")]
    TooLong,
}

impl Keep {
    /// Reads `7y`, `90d`, `1y 6mo`.
    ///
    /// # Errors
    /// It is no such span, or outside of 7 days to 100 years.
    pub fn parse(text: &str) -> Result<Self, NotAKeep> {
        let span: Span = SpanParser::new().parse_span(text.trim()).map_err(|_| NotAKeep::Unreadable)?;
        if span.is_negative() || !is_whole_days(&span) {
            return Err(NotAKeep::Unreadable);
        }
        let years = u16::try_from(span.get_years()).map_err(|_| NotAKeep::TooLong)?;
        let months = u16::try_from(span.get_months()).map_err(|_| NotAKeep::TooLong)?;
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        let days = u32::try_from(days).map_err(|_| NotAKeep::TooLong)?;
        let keep = Self { years, months, days };
        if years == 0 && months == 0 && days < DAYS_MIN {
            return Err(NotAKeep::TooShort);
        }
        let in_days = u64::from(years) * 366 + u64::from(months) * 31 + u64::from(days);
        if in_days > u64::from(YEARS_MAX) * 366 { Err(NotAKeep::TooLong) } else { Ok(keep) }
    }

    /// When it is over that began then; never a day early: what began on the last day of a month ends no sooner than its last day.
    pub fn after(self, at: Timestamp) -> Timestamp {
        let began = at.to_zoned(TimeZone::UTC).datetime();
        self.counted(began).and_then(|over| over.to_zoned(TimeZone::UTC).ok()).map_or(Timestamp::MAX, |over| over.timestamp())
    }

    fn counted(self, began: DateTime) -> Option<DateTime> {
        let whole = Span::new().try_years(self.years).ok()?.try_months(self.months).ok()?;
        let later = began.checked_add(whole).ok()?;
        // The 29th of February is a day earlier in most years: one day more makes good for it.
        let made_good = u32::from(later.day() != began.day());
        later.checked_add(Span::new().try_days(self.days.checked_add(made_good)?).ok()?).ok()
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [(u32::from(self.years), "y"), (u32::from(self.months), "mo"), (self.days, "d")];
        let parts: Vec<String> = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
        f.write_str(&parts.join(" "))
    }
}

/// For how long one class is kept, and by which right it is erased then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// How long after it was closed.
    pub keep: Keep,
    /// The disposal authority or law.
    pub basis: String,
}

/// Every term: customers' own, and those of everybody else whom the directory knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    terms: BTreeMap<(Class, Option<CustomerId>), Term>,
    customers: BTreeSet<CustomerId>,
}

impl Terms {
    /// These terms, of which those without a customer are for the customers that there are.
    pub fn new(terms: impl IntoIterator<Item = (Class, Option<CustomerId>, Term)>, customers: BTreeSet<CustomerId>) -> Self {
        Self { terms: terms.into_iter().map(|(class, customer, term)| ((class, customer), term)).collect(), customers }
    }

    /// The term of a class at a customer: its own before everybody's; `None` where nobody says. Whoever has left the directory has none but
    /// its own: that everybody else's records are kept for less is nothing that was agreed with them.
    pub fn of(&self, class: Class, customer: &CustomerId) -> Option<&Term> {
        let everybodys = || self.terms.get(&(class, None)).filter(|_| self.customers.contains(customer));
        self.terms.get(&(class, Some(customer.clone()))).or_else(everybodys)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

/// What the record holds of every call, read entry by entry.
#[derive(Clone, Debug, Default)]
pub struct Holdings(BTreeMap<ActivationId, Call>);

#[derive(Clone, Debug)]
struct Call {
    customer: CustomerId,
    /// The call that this one is about, where it was raised for a responder.
    about: Option<ActivationId>,
    is_drill: bool,
    closed: Option<(Timestamp, Disposition)>,
    is_held: bool,
    entries: usize,
    /// Private values that were not erased.
    private: usize,
}

/// How it stands with one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding<'t> {
    /// Which.
    pub activation: ActivationId,
    /// Whose.
    pub customer: CustomerId,
    /// What it was; `None` while it is open.
    pub class: Option<Class>,
    /// When it was closed last.
    pub closed_at: Option<Timestamp>,
    /// For how long it is kept, where anybody says.
    pub term: Option<&'t Term>,
    /// And now.
    pub standing: Standing,
}

/// What is to be done about what a call holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing private is left of it.
    Erased,
    /// It is not over.
    Open,
    /// It is under legal hold.
    Held,
    /// No term says how long it is kept.
    NoTerm,
    /// It is kept until then.
    KeptUntil(Timestamp),
    /// It may be erased since then.
    DueSince(Timestamp),
    /// The same, and it has too many entries to be erased by itself.
    TooLong(Timestamp),
}

impl Holdings {
    /// Takes the next entry.
    pub fn take(&mut self, at: Timestamp, mut event: Event) {
        if let Event::Raised(raised) = &event {
            self.0.insert(raised.act.clone(), Call::begin(raised));
        }
        if let Event::Closed { act, disposition, .. } = &event {
            self.change(act, |call| call.closed = Some((at, *disposition)));
        }
        if let Event::Reopened { act, .. } = &event {
            self.change(act, |call| call.closed = None);
        }
        if let Event::LegalHoldSet { of, on, .. } = &event {
            self.change(of, |call| call.is_held = *on);
        }
        if let Event::Erased { from: Erasable::Activation(id), values, .. } = &event {
            self.change(id, |call| call.private = call.private.saturating_sub(values.len()));
        }
        let Some(id) = event.activation().cloned() else { return };
        let mut private = 0_usize;
        event.seal_with(&mut |field| private += usize::from(matches!(field.text, Private::Sealed(_))));
        self.change(&id, |call| {
            call.entries = call.entries.saturating_add(1);
            call.private = call.private.saturating_add(private);
        });
    }

    /// How it stands with every call, by reference.
    pub fn look<'t>(&self, terms: &'t Terms, now: Timestamp) -> Vec<Holding<'t>> {
        let held = self.held();
        self.0.iter().map(|(id, call)| call.look(id, held.contains(self.root(id)), terms, now)).collect()
    }

    /// What a court wants of a call it wants of the calls for its responders, and for theirs, as well, and the other way round.
    fn held(&self) -> BTreeSet<&ActivationId> {
        self.0.iter().filter(|(_, call)| call.is_held).map(|(id, _)| self.root(id)).collect()
    }

    /// The call that it all began with. Each was raised after the one it is about: the way ends.
    fn root<'c>(&'c self, id: &'c ActivationId) -> &'c ActivationId {
        let mut root = id;
        while let Some(about) = self.0.get(root).and_then(|call| call.about.as_ref()).filter(|about| self.0.contains_key(about)) {
            root = about;
        }
        root
    }

    fn change(&mut self, id: &ActivationId, change: impl FnOnce(&mut Call)) {
        if let Some(call) = self.0.get_mut(id) {
            change(call);
        }
    }
}

impl Call {
    fn begin(raised: &Raised) -> Self {
        Self {
            customer: raised.cust.clone(),
            about: raised.about.as_ref().map(|about| about.of.clone()),
            is_drill: raised.drill_until.is_some(),
            closed: None,
            is_held: false,
            entries: 0,
            private: 0,
        }
    }

    fn look<'t>(&self, id: &ActivationId, is_held: bool, terms: &'t Terms, now: Timestamp) -> Holding<'t> {
        let class = self.closed.map(|(_, disposition)| Class::of(self.is_drill, disposition));
        let term = class.and_then(|class| terms.of(class, &self.customer));
        Holding {
            activation: id.clone(),
            customer: self.customer.clone(),
            class,
            closed_at: self.closed.map(|(at, _)| at),
            term,
            standing: self.standing(is_held, term, now),
        }
    }

    fn standing(&self, is_held: bool, term: Option<&Term>, now: Timestamp) -> Standing {
        if self.private == 0 && self.closed.is_some() {
            return Standing::Erased;
        }
        let Some((closed_at, _)) = self.closed else { return Standing::Open };
        if is_held {
            return Standing::Held;
        }
        let Some(term) = term else { return Standing::NoTerm };
        let over = term.keep.after(closed_at);
        if now < over {
            Standing::KeptUntil(over)
        } else if self.entries > ENTRIES_MAX {
            Standing::TooLong(over)
        } else {
            Standing::DueSince(over)
        }
    }
}

/// Whether nothing of it is smaller than a day.
fn is_whole_days(span: &Span) -> bool {
    let smaller = [i64::from(span.get_hours()), span.get_minutes(), span.get_seconds(), span.get_milliseconds(), span.get_microseconds()];
    smaller.into_iter().chain([span.get_nanoseconds()]).all(|n| n == 0)
}
