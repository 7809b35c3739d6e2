//! What holds for a ladder at the worst moment of a span: with everything up, and with each carrier down in turn.

use std::collections::BTreeSet;

use super::{Case, Interval, Outlook, Walk};
use crate::dispatch::Recipient;
use crate::event::{Party, RungSkip};
use crate::id::{CentreId, ContactKey, LadderId};
use crate::ladder::{Ladder, Medium, RungIndex, Who};
use crate::outage::{Carrier, desks, outages};
use crate::time::Timestamp;

/// From when until when.
pub type Span = (Timestamp, Timestamp);

/// What holds for a ladder over a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// Which ladder.
    pub ladder: LadderId,
    /// For which calls.
    pub case: Case,
    /// With everything up, one for each time during which every press would do the same.
    pub intervals: Vec<Interval>,
    /// The worst of them.
    pub worst: Worst,
    /// Rung by rung, what there is at the least.
    pub rungs: Vec<RungCover>,
    /// With each carrier down by itself that the ladder uses.
    pub without: Vec<Without>,
    /// What stands alone at some time, in the order of the rungs.
    pub only: Vec<Only>,
}

/// The worst that happens at any moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worst {
    /// The longest that a press would wait for the first party to be told, in seconds; `None`: sometimes nobody is.
    pub first_told_after_s: Option<u64>,
    /// The longest until the ladder is exhausted, in seconds.
    pub exhausted_after_s: u64,
    /// The fewest parties that are told and share no address.
    pub independent: usize,
}

/// What a rung has at the least, over every moment at which it applies. Where it is passed over at one of them, that is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RungCover {
    /// Which.
    pub rung: RungIndex,
    /// People and centres.
    pub parties: usize,
    /// Phones, mailboxes and centres: two people with one number are one.
    pub addresses: usize,
    /// Carriers by which any of them can be reached.
    pub carriers: usize,
    /// Kinds of network: that of phones (texts and calls), mail, webhooks, a desk.
    pub transports: usize,
}

/// What holds with one carrier down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Without {
    /// Its name in the settings.
    pub carrier: String,
    /// By which channel it carries.
    pub medium: Medium,
    /// The worst that would happen.
    pub worst: Worst,
    /// When nobody would be told, though somebody is while everything is up.
    pub silent: Vec<Span>,
}

/// Something without which nobody is told at some time, or nobody else ever asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Only {
    /// One party of this rung, or several that share an address.
    Party(RungIndex, Who),
    /// A carrier, by its name in the settings.
    Carrier(String),
}

/// How well a press at a moment would be looked after, from the worst to the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nobody would be told.
    Nobody,
    /// One party would be told, and nobody else ever.
    OneParty,
    /// With one carrier down nobody would be told.
    OneCarrier,
    /// Neither.
    Sound,
}

/// What addresses end at.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Ends<'a> {
    Contact(ContactKey),
    Centre(&'a CentreId),
}

/// Kinds of network.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Transport {
    Phones,
    Mail,
    Web,
    Desk,
}

impl Outlook<'_> {
    /// What holds for presses from `from` to `until` where messages leave by `carriers`. The outlook's own outages are not asked:
    /// what is out follows from the carriers.
    pub fn cover(&self, ladder: &Ladder, case: &Case, (from, until): Span, carriers: &[Carrier]) -> Cover {
        // Whoever is at the desk can have left it, as any account can be down.
        let all: Vec<Carrier> = carriers.iter().cloned().chain([desks()]).collect();
        let with = |is_up: &dyn Fn(&Carrier) -> bool| {
            let outages = outages(&all, self.directory, is_up);
            Outlook { outages: &outages, ..*self }.intervals(ladder, case, from, until)
        };
        let intervals = with(&|_| true);
        let silent_anyway = spans(&intervals, &|interval| interval.walk.told.is_empty());
        let used = all.iter().filter(|carrier| intervals.iter().flat_map(|i| i.walk.parties()).any(|party| carrier.reaches(party)));
        let without: Vec<Without> = used
            .map(|down| {
                let intervals = with(&|carrier| carrier != down);
                let silent = spans(&intervals, &|interval| interval.walk.told.is_empty());
                let silent = silent.into_iter().flat_map(|span| outside(span, &silent_anyway)).collect();
                Without { carrier: down.name.clone(), medium: down.of.medium(), worst: Worst::of(&intervals), silent }
            })
            .collect();
        let mut only: BTreeSet<Only> = BTreeSet::new();
        for walk in intervals.iter().map(|interval| &interval.walk).filter(|walk| walk.independent() == 1) {
            only.extend(walk.told.first().map(|told| Only::Party(told.rung, told.who.clone())));
        }
        only.extend(without.iter().filter(|without| !without.silent.is_empty()).map(|without| Only::Carrier(without.carrier.clone())));
        let rungs = (0_u16..).map(RungIndex).zip(&ladder.rungs).map(|(rung, _)| RungCover::least(rung, &intervals, carriers));
        Cover {
            ladder: ladder.id.clone(),
            case: case.clone(),
            worst: Worst::of(&intervals),
            rungs: rungs.collect(),
            without,
            only: only.into_iter().collect(),
            intervals,
        }
    }
}

impl Cover {
    /// How well every moment is looked after, one entry for each time during which that is the same.
    pub fn levels(&self) -> Vec<(Span, Level)> {
        let silent = || self.without.iter().flat_map(|without| &without.silent);
        let mut levels: Vec<(Span, Level)> = Vec::new();
        for Interval { from, until, walk } in &self.intervals {
            // Outages have edges of their own: an interval is cut where one of them makes it silent.
            let mut cuts: BTreeSet<Timestamp> =
                silent().flat_map(|(begin, end)| [*begin, *end]).filter(|at| from < at && at < until).collect();
            cuts.insert(*until);
            let mut begin = *from;
            for end in cuts {
                let level = match walk.independent() {
                    0 => Level::Nobody,
                    1 => Level::OneParty,
                    _more if silent().any(|(from, until)| *from <= begin && begin < *until) => Level::OneCarrier,
                    _more => Level::Sound,
                };
                match levels.last_mut() {
                    Some((span, last)) if *last == level => span.1 = end,
                    Some(_) | None => levels.push(((begin, end), level)),
                }
                begin = end;
            }
        }
        levels
    }
}

impl Worst {
    fn of(intervals: &[Interval]) -> Self {
        let walks = || intervals.iter().map(|interval| &interval.walk);
        let firsts: Option<Vec<u64>> = walks().map(Walk::first_told_after_s).collect();
        Self {
            first_told_after_s: firsts.and_then(|firsts| firsts.into_iter().max()),
            exhausted_after_s: walks().map(|walk| walk.exhausted_after_s).max().unwrap_or(0),
            independent: walks().map(Walk::independent).min().unwrap_or(0),
        }
    }

    /// The worse of both, each figure by itself.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            first_told_after_s: self.first_told_after_s.zip(other.first_told_after_s).map(|(own, other)| own.max(other)),
            exhausted_after_s: self.exhausted_after_s.max(other.exhausted_after_s),
            independent: self.independent.min(other.independent),
        }
    }
}

impl RungCover {
    fn least(rung: RungIndex, intervals: &[Interval], carriers: &[Carrier]) -> Self {
        let applying = intervals.iter().filter(|interval| interval.walk.asks(rung));
        let each = applying.map(|interval| Self::at(rung, &interval.walk, carriers));
        let least = each.reduce(|least, one| Self {
            rung,
            parties: least.parties.min(one.parties),
            addresses: least.addresses.min(one.addresses),
            carriers: least.carriers.min(one.carriers),
            transports: least.transports.min(one.transports),
        });
        least.unwrap_or(Self { rung, parties: 0, addresses: 0, carriers: 0, transports: 0 })
    }

    fn at(rung: RungIndex, walk: &Walk, carriers: &[Carrier]) -> Self {
        let parties: Vec<&Party> = walk.parties().filter(|party| party.rung == rung).collect();
        let channels = || parties.iter().flat_map(|party| party.steps.iter().flatten());
        let addresses: BTreeSet<Ends<'_>> = channels().filter_map(|channel| ends(&channel.to)).collect();
        let transports: BTreeSet<Transport> = channels().map(|channel| transport(channel.medium)).collect();
        let carriers = carriers.iter().filter(|carrier| parties.iter().any(|party| carrier.reaches(party)));
        Self { rung, parties: parties.len(), addresses: addresses.len(), carriers: carriers.count(), transports: transports.len() }
    }
}

impl Walk {
    /// Whether a rung applies, with or without anybody on it.
    fn asks(&self, rung: RungIndex) -> bool {
        self.skipped.iter().filter(|skipped| skipped.rung == rung).all(|skipped| match skipped.why {
            RungSkip::Nobody | RungSkip::CentreHasClaimed => true,
            RungSkip::OutsideItsHours | RungSkip::NotForThisKind => false,
        })
    }

    /// Everybody who is tried.
    fn parties(&self) -> impl Iterator<Item = &Party> {
        self.entered.iter().flat_map(|entered| &entered.parties)
    }
}

impl Carrier {
    fn reaches(&self, party: &Party) -> bool {
        party.steps.iter().flatten().any(|channel| self.of.leads_to(channel.medium, &channel.to))
    }
}

/// The times of those intervals that are so, joined.
pub(crate) fn spans(intervals: &[Interval], is: &dyn Fn(&Interval) -> bool) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for interval in intervals.iter().filter(|interval| is(interval)) {
        match spans.last_mut() {
            Some(last) if last.1 == interval.from => last.1 = interval.until,
            Some(_) | None => spans.push((interval.from, interval.until)),
        }
    }
    spans
}

/// What is left of a span outside of others, which follow each other.
fn outside((from, until): Span, others: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    let mut at = from;
    for (begin, end) in others.iter().filter(|(begin, end)| *begin < until && from < *end) {
        if at < *begin {
            left.push((at, *begin));
        }
        at = at.max(*end);
    }
    if at < until {
        left.push((at, until));
    }
    left
}

fn ends(to: &Recipient) -> Option<Ends<'_>> {
    match to {
        Recipient::Person { contact, .. } => Some(Ends::Contact(*contact)),
        Recipient::Centre { centre, .. } => Some(Ends::Centre(centre)),
        Recipient::Stranger { .. } => None,
    }
}

/// Texts and calls go through the same network, and fail together with it.
fn transport(medium: Medium) -> Transport {
    match medium {
        Medium::Sms | Medium::Voice => Transport::Phones,
        Medium::Email => Transport::Mail,
        Medium::Webhook => Transport::Web,
        Medium::Desk => Transport::Desk,
    }
}
