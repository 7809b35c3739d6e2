//! Whether every ladder reaches somebody at every moment of the days to come, with the file's lines.
//!
//! It walks the intervals that [`crate::coverage`] foretells, so that what is proved is what the climb would do. All that it
//! finds is a warning: a gap of next week must not keep today's correction from being adopted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::DateTime;

use super::index::Index;
use super::some_of::some_of;
use super::{AtHand, Draft, DraftLadder, DraftRoster, DraftRung, DraftSite, DraftTarget};
use crate::coverage::{Case, Cover, Interval, Outlook, Span, spans};
use crate::directory::finding::{Finding, Severity};
use crate::id::RosterId;
use crate::ladder::Medium;
use crate::outage::{Carrier, one_for_each_way};
use crate::roster::{Rosters, SHIPPED_YEARS, WallClock};
use crate::time::Timestamp;
use crate::zone::Zone;

/// What is wrong with a ladder: the line, what, what follows of it, and the remedy.
type Gap = (usize, String, String, String);

/// Most sites that a finding names.
const SITES_SHOWN: usize = 5;

/// What was proved of a directory for a span of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Gaps, by line.
    pub findings: Vec<Finding>,
    /// Each case of each ladder, in the file's order, with the clock by which its times are said.
    pub covers: Vec<(Cover, Zone)>,
}

impl Draft {
    /// Proves every ladder for the presses from `from` to `until`, where messages leave by `carriers`; by one for each way where the settings
    /// are not known. `file` is its name as findings show it.
    pub fn prove(&self, file: &str, from: Timestamp, until: Timestamp, carriers: Option<&[Carrier]>) -> Proof {
        let AtHand { directory, people, .. } = self.at_hand();
        let carriers = carriers.map_or_else(|| one_for_each_way(&directory), <[Carrier]>::to_vec);
        let outlook = Outlook { directory: &directory, people: &people, outages: &[] };
        let climbed = self.climbed_at();
        let index = Index::of(self);
        let covers = self.ladders.iter().filter_map(|ladder| Some((ladder, directory.ladders.get(&ladder.id)?)));
        let covers = covers.flat_map(|(ladder, rungs)| {
            let cases = Case::all(rungs, &self.clocks_of(ladder, climbed.get(&ladder.id)));
            let cover = |case: Case| (ladder, outlook.cover(rungs, &case, (from, until), &carriers));
            cases.into_iter().map(cover).collect::<Vec<_>>()
        });
        let covers: Vec<(&DraftLadder, Cover)> = covers.collect();
        let mut findings = Vec::new();
        let mut warn = |line: usize, what: String, consequence: String, remedy: &str| {
            let (file, remedy) = (file.to_owned(), remedy.to_owned());
            findings.push(Finding { severity: Severity::Warning, file, line, what, consequence, remedy });
        };
        let rungs_of = self.rungs_of_rosters();
        for (roster, rungs) in self.rosters.iter().filter_map(|roster| Some((roster, rungs_of.get(&roster.id)?))) {
            if let Some(when) = shown(&gaps(&directory.rosters, roster, from, until), (from, until), &roster.zone) {
                let what = format!("roster \"{}\" has nobody on duty {when}", roster.id);
                let consequence = format!("it is passed over in 0 s then: {}", few(rungs));
                warn(roster.line, what, consequence, "add a shift or an override for that time");
            }
            if roster.calendar.is_some() && roster.zone.wall(until).year() > *SHIPPED_YEARS.end() {
                let what = format!("roster \"{}\": the states' holidays are known up to {} only", roster.id, SHIPPED_YEARS.end());
                warn(roster.line, what, "a holiday after that would count as a working day".to_owned(), "add its days to a [[calendar]]");
            }
        }
        let asking = self.ladders.iter().filter(|ladder| ladder.rungs.iter().any(DraftRung::asks_about_holidays));
        for site in asking.filter_map(|ladder| climbed.get(&ladder.id)).flatten() {
            if site.clock().is_some_and(|clock| clock.zone.wall(until).year() > *SHIPPED_YEARS.end()) {
                let what = format!("site \"{}\": the states' holidays are known up to {} only", site.id, SHIPPED_YEARS.end());
                warn(site.line, what, "a holiday after that would count as a working day".to_owned(), "add its days to a [[calendar]]");
            }
        }
        // A ladder that asks for roles is there once for each of its sites: what is true of several is said once.
        // In the order in which it was found: the gravest of a line comes first.
        let mut found: Vec<(Gap, Vec<&DraftLadder>)> = Vec::new();
        let mut places: BTreeMap<Gap, usize> = BTreeMap::new();
        for (ladder, cover) in &covers {
            self.gaps_of(
                (ladder, cover, index.sends_nothing(ladder)),
                climbed.get(&ladder.id),
                (from, until),
                &mut |line, what, consequence, remedy: &str| {
                    let said = (line, what, consequence, remedy.to_owned());
                    let place = *places.entry(said.clone()).or_insert(found.len());
                    match found.get_mut(place) {
                        Some((_, ladders)) => ladders.push(ladder),
                        None => found.push((said, vec![ladder])),
                    }
                },
            );
        }
        for ((line, what, consequence, remedy), ladders) in found {
            warn(line, what, consequence + &filled_at(&ladders), &remedy);
        }
        findings.sort_by_key(|finding| finding.line);
        findings.dedup();
        let covers = covers.into_iter().map(|(ladder, cover)| {
            let zone = self.zone_of(&cover, climbed.get(&ladder.id));
            (cover, zone)
        });
        Proof { findings, covers: covers.collect() }
    }

    fn gaps_of(
        &self,
        (ladder, cover, sends_nothing): (&DraftLadder, &Cover, bool),
        climbing: Option<&Vec<&DraftSite>>,
        whole: Span,
        warn: &mut impl FnMut(usize, String, String, &str),
    ) {
        let zone = self.zone_of(cover, climbing);
        let kinds = kinds_of(&cover.case);
        let said = |spans: &[Span]| Some(format!("{kinds}{}", shown(spans, whole, &zone)?));
        let when = |is: &dyn Fn(&Interval) -> bool| said(&spans(&cover.intervals, is));
        if let Some(when) = when(&|i| i.walk.told.is_empty()) {
            let what = format!("ladder \"{}\" reaches nobody {when}", ladder.named);
            warn(ladder.line, what, "a press then would be told to nobody".to_owned(), "give it a rung that is always there");
        }
        if let Some(when) = when(&|i| i.walk.independent() == 1) {
            let what = format!("ladder \"{}\" has one party to tell {when}", ladder.named);
            let consequence = "if that one does not answer, nobody else is ever asked".to_owned();
            warn(ladder.line, what, consequence, "add someone with an address of their own");
        }
        let mut alone = Vec::new();
        for medium in [Medium::Sms, Medium::Email, Medium::Webhook] {
            if let Some(when) = when(&|i| all_by(i, medium)) {
                let what = format!("ladder \"{}\" tells everybody by {} alone {when}", ladder.named, medium.as_str());
                let consequence = format!("with {} down, nobody would be told", medium.as_str());
                warn(ladder.line, what, consequence, "add another channel, or a centre");
                alone.push(medium);
            }
        }
        // Of a ladder that sends nothing at all whoever reads its lines has said so already.
        if let Some(when) = when(&|i| !sends_nothing && all_by(i, Medium::Desk)) {
            let what = format!("ladder \"{}\" asks desks alone {when}", ladder.named);
            let consequence = "while nobody is at them, nobody would be told".to_owned();
            warn(ladder.line, what, consequence, "add a person who is told then, or give the centre a webhook");
        }
        alone.push(Medium::Desk);
        // Where a channel stands alone that is said already; where other channels are on paper and have no account, it is not.
        for without in cover.without.iter().filter(|without| !alone.contains(&without.medium)) {
            if let Some(when) = said(&without.silent) {
                let what = format!("ladder \"{}\" tells everybody by \"{}\" alone {when}", ladder.named, without.carrier);
                let consequence = "with that account down nobody would be told, because the other channels have none".to_owned();
                warn(ladder.line, what, consequence, "add an account for another channel, or a second one for this");
            }
        }
    }

    /// `ladder "counters", rung 2`, for every rung that names a roster.
    fn rungs_of_rosters(&self) -> BTreeMap<&RosterId, Vec<String>> {
        let mut named: BTreeMap<&RosterId, Vec<String>> = BTreeMap::new();
        for ladder in &self.ladders {
            for rung in &ladder.rungs {
                for roster in rung.targets.iter().filter_map(DraftTarget::roster).collect::<BTreeSet<_>>() {
                    named.entry(roster).or_default().push(format!("ladder \"{}\", rung {}", ladder.id, rung.number));
                }
            }
        }
        named
    }

    /// The clocks of the places at which a ladder is climbed; where nobody knows the site there is none.
    fn clocks_of(&self, ladder: &DraftLadder, climbing: Option<&Vec<&DraftSite>>) -> Vec<Option<WallClock>> {
        let nowhere = self.fallback.as_ref().filter(|fallback| fallback.ladder.value == ladder.id).map(|_| None);
        climbing.into_iter().flatten().map(|site| site.clock()).chain(nowhere).collect()
    }

    /// The clock by which a ladder's gaps are said: that by which its hours are read, else that of the first site that climbs it.
    fn zone_of(&self, cover: &Cover, climbing: Option<&Vec<&DraftSite>>) -> Zone {
        if let Some(clock) = &cover.case.clock {
            return clock.zone.clone();
        }
        let site = climbing.and_then(|sites| sites.first().copied()).or(self.sites.first());
        site.and_then(|site| Zone::named(&site.card.timezone).ok()).unwrap_or_default()
    }
}

/// `; it is so at "a", "b" and 3 more`, of a ladder that sites fill.
fn filled_at(ladders: &[&DraftLadder]) -> String {
    let sites: BTreeSet<&str> = ladders.iter().filter_map(|ladder| Some(ladder.id.as_str().split_once('@')?.1)).collect();
    let sites: Vec<&str> = sites.into_iter().collect();
    some_of(&sites, SITES_SHOWN).map(|sites| format!("; it is so at {sites}")).unwrap_or_default()
}

/// `for assist `, where not every kind of help is meant.
fn kinds_of(case: &Case) -> String {
    if case.is_of_every_kind() {
        return String::new();
    }
    let kinds: Vec<&str> = case.kinds.iter().map(|kind| kind.as_str()).collect();
    format!("for {} ", kinds.join(", "))
}

/// The first three of a list, and how many more there are.
fn few(names: &[String]) -> String {
    let first: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    match names.len().saturating_sub(3) {
        0 => first.join("; "),
        more => format!("{}; and {more} more", first.join("; ")),
    }
}

/// When a roster has nobody on duty.
fn gaps(rosters: &Rosters, roster: &DraftRoster, from: Timestamp, until: Timestamp) -> Vec<Span> {
    let mut gaps: Vec<Span> = Vec::new();
    let mut at = from;
    while at < until
        && let Some(duty) = rosters.on_duty(&roster.id, at)
    {
        let end = duty.until.map_or(until, |edge| edge.min(until));
        if duty.people.is_empty() {
            join(&mut gaps, (at, end));
        }
        at = end;
    }
    gaps
}

fn join(spans: &mut Vec<Span>, (from, until): Span) {
    match spans.last_mut() {
        Some(last) if last.1 == from => last.1 = until,
        Some(_) | None => spans.push((from, until)),
    }
}

fn all_by(interval: &Interval, medium: Medium) -> bool {
    let mut parties = interval.walk.entered.iter().flat_map(|entered| &entered.parties).peekable();
    parties.peek().is_some() && parties.flat_map(|party| &party.steps).flatten().all(|channel| channel.medium == medium)
}

/// `from Sat 5 Dec 18:00 to Mon 7 Dec 08:00 (Australia/Perth), and 3 times more`; `None` where there is none.
fn shown(spans: &[Span], whole: Span, zone: &Zone) -> Option<String> {
    let (from, until) = spans.first().copied()?;
    if (from, until) == whole {
        return Some("at any time".to_owned());
    }
    let wall = |at: Timestamp| said(zone.wall(at));
    let more = match spans.len() - 1 {
        0 => String::new(),
        1 => ", and once more".to_owned(),
        times => format!(", and {times} times more"),
    };
    Some(format!("from {} to {} ({}){more}", wall(from), wall(until), zone.name()))
}

fn said(wall: DateTime) -> String {
    wall.strftime("%a %-d %b %H:%M").to_string()
}
