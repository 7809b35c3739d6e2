//! Who is on duty: the rosters as readers see them, and somebody who is to stand in.

use escalation::directory::reach::Reach;
use escalation::event::Successor;
use escalation::id::{PersonId, RosterId};
use escalation::input::{Input, Moment, StandInOver, StandInWanted};
use escalation::private::Private;
use escalation::rejection::Rejection;
use escalation::roster::How;
use escalation::standing_in::SaidStandIn;
use escalation::time::Timestamp;

use crate::floor::Floor;
use crate::look::attribution;
use crate::portray;
use crate::view::Scope;

/// A roster, and who of it is on duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterView {
    /// Which.
    pub id: RosterId,
    /// IANA zone of its clock.
    pub timezone: String,
    /// Whoever is on duty, by name; nobody is an answer too.
    pub on_duty: Vec<String>,
    /// Until when at least; `None` is for good.
    pub until: Option<Timestamp>,
    /// Everybody who may ever be on duty: the directory's id and the name.
    pub people: Vec<(String, String)>,
    /// Who stands in, now or later.
    pub stand_ins: Vec<StandInView>,
    /// Whether this reader's key reaches everything that the roster is for, so that it may change who is on duty.
    pub may_change: bool,
}

/// Somebody stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandInView {
    /// Who would be on duty, by name.
    pub off: String,
    /// The same by the directory's id.
    pub off_id: String,
    /// Who is instead.
    pub on: String,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Who said so.
    pub by: String,
    /// How that counts; `None` where whoever stands in has left the directory, can be told by no rung any more, or belongs to
    /// somebody else by now, or the roster is for others as well.
    pub counts: Option<How>,
}

/// Somebody to stand in, or to be back on duty, with names still unresolved.
#[derive(Clone, Debug)]
pub struct StandInRequest {
    /// The key or session.
    pub principal: String,
    /// The person's id or name that the caller says acts.
    pub actor: Option<String>,
    /// Whose things the key may touch.
    pub scope: Scope,
    /// On which roster.
    pub roster: RosterId,
    /// Who would be on duty.
    pub off: String,
    /// What is to be.
    pub change: Change,
}

/// What is to be of somebody's duty.
#[derive(Clone, Debug)]
pub enum Change {
    /// Somebody stands in.
    StandIn {
        /// Who.
        on: String,
        /// From when; `None` is at once.
        from: Option<Moment>,
        /// Until when.
        until: Moment,
    },
    /// They are on duty again.
    Back {
        /// From when they were stood in for.
        from: Timestamp,
    },
}

/// The rosters within a scope.
pub(crate) fn view(floor: &Floor, scope: &Scope, now: Timestamp) -> Vec<RosterView> {
    let rosters = &floor.engine.directory().rosters;
    let mut reaches = floor.engine.directory().reaches();
    let seen = rosters.rosters.iter().filter_map(|(id, roster)| {
        let reach = reaches.remove(id).unwrap_or_default();
        if !is_seen(scope, &reach) {
            return None;
        }
        // What was said while the roster was for others is theirs.
        let is_shown = |said: &&SaidStandIn| scope.is_everything() || said.is_for(&reach);
        let duty = rosters.on_duty(id, now)?;
        let mut people: Vec<PersonId> = Vec::new();
        roster.people().for_each(|person| {
            if !people.contains(&person) {
                people.push(person);
            }
        });
        Some(RosterView {
            id: id.clone(),
            timezone: roster.zone.name().to_owned(),
            on_duty: duty.people.iter().map(|person| floor.vault.name_of(*person)).collect(),
            until: duty.until,
            people: people.iter().map(|person| (reference(floor, *person), floor.vault.name_of(*person))).collect(),
            stand_ins: floor.engine.stand_ins_on(id, now).filter(is_shown).map(|said| stand_in(floor, said)).collect(),
            may_change: may_change(scope, &reach),
        })
    });
    seen.collect()
}

/// What a request asks of the rules; a roster that the key may not change is as good as none.
pub(crate) fn wanted(floor: &Floor, request: StandInRequest) -> Result<Input, Rejection> {
    let StandInRequest { principal, actor, scope, roster, off, change } = request;
    let directory = floor.engine.directory();
    // What was said of a roster that is gone by now can still be ended, by whoever may end everything.
    let is_ended = matches!(change, Change::Back { .. }) && scope.is_everything();
    if !is_ended || directory.rosters.rosters.contains_key(&roster) {
        let is_known = directory.rosters.rosters.contains_key(&roster);
        let reach = is_known.then(|| directory.reach(&roster)).filter(|reach| is_seen(&scope, reach)).ok_or(Rejection::UnknownRoster)?;
        if !may_change(&scope, &reach) {
            return Err(Rejection::NotAllOfTheRoster);
        }
    }
    let called = |name: String| Successor { name: Private::Open(name), key: None, person: None };
    let (off, by) = (called(off), attribution(principal, actor, None));
    Ok(match change {
        Change::StandIn { on, from, until } => Input::StandInWanted(StandInWanted { roster, off, on: called(on), from, until, by }),
        Change::Back { from } => Input::StandInOver(StandInOver { roster, off, from, of_others: scope.is_everything(), by }),
    })
}

/// Fills in who is meant. Nobody of another customer is, however they are named: whether there is such a person is nobody's business.
pub(crate) fn resolve(floor: &Floor, input: &mut Input) {
    if let Input::StandInWanted(StandInWanted { roster, off, on, .. }) = input {
        off.person = find(floor, off, &|person| is_on(floor, roster, person));
        on.person = find(floor, on, &|person| may_stand_in(floor, roster, person));
    }
    if let Input::StandInOver(StandInOver { roster, off, from, of_others, .. }) = input {
        let reach = floor.engine.directory().reach(roster);
        let stood_in_for = |person: PersonId| {
            let said = floor.engine.said_of(roster).filter(|said| *of_others || said.is_for(&reach));
            said.map(|said| (said.stand_in.off, said.stand_in.from)).any(|said| said == (person, *from))
        };
        off.person = find(floor, off, &stood_in_for);
    }
}

fn find(floor: &Floor, named: &Successor, eligible: &dyn Fn(PersonId) -> bool) -> Option<PersonId> {
    named.name.open().and_then(|name| floor.vault.find(name, eligible))
}

fn is_on(floor: &Floor, roster: &RosterId, person: PersonId) -> bool {
    floor.engine.directory().rosters.rosters.get(roster).is_some_and(|roster| roster.people().any(|known| known == person))
}

/// Whether a person is of those whom a roster is for; everybody is, where that is the station or nobody.
pub(crate) fn is_of_those(floor: &Floor, roster: &RosterId, person: PersonId) -> bool {
    let reach = floor.engine.directory().reach(roster);
    let whose = reach.whose();
    reach.is_stations || whose.is_empty() || whose.into_iter().any(|customer| floor.is_of(person, customer, None))
}

/// Whoever belongs to the customer, is told by a ladder of the roster anyway, or is on nobody else's ladder.
fn may_stand_in(floor: &Floor, roster: &RosterId, person: PersonId) -> bool {
    let directory = floor.engine.directory();
    let is_named = || floor.engine.person(person).is_some_and(|known| known.customer.is_some());
    let is_beside = || directory.ladders_of(roster).any(|ladder| directory.may_tell(ladder, person));
    let is_of_all = || directory.reach(roster).whose().into_iter().all(|customer| floor.is_of(person, customer, None));
    floor.engine.may_stand_in(roster, person) && (is_named() || is_beside() || is_of_all())
}

fn stand_in(floor: &Floor, said: &SaidStandIn) -> StandInView {
    StandInView {
        off: floor.vault.name_of(said.stand_in.off),
        off_id: reference(floor, said.stand_in.off),
        on: floor.vault.name_of(said.stand_in.on),
        from: said.stand_in.from,
        until: said.stand_in.until,
        by: portray::doer(&floor.vault, &said.by),
        counts: floor.engine.how_counts(said),
    }
}

fn reference(floor: &Floor, person: PersonId) -> String {
    floor.vault.latest(person).map_or_else(|| person.to_string(), |(_, card)| card.reference.clone())
}

/// Whoever sees a site sees who is on duty for it; the operator's own people are the operator's affair.
pub(crate) fn is_seen(scope: &Scope, reach: &Reach<'_>) -> bool {
    let sees_customer = || !reach.is_stations && scope.sites.is_none() && reach.customers.iter().any(|customer| has(scope, customer));
    scope.is_everything() || reach.sites.iter().any(|(site, customer)| scope.permits(customer, site)) || sees_customer()
}

/// Whoever changes a roster changes it for everybody who has it.
pub(crate) fn may_change(scope: &Scope, reach: &Reach<'_>) -> bool {
    let has_sites = reach.sites.iter().all(|(site, customer)| scope.permits(customer, site));
    let has_customers =
        reach.customers.is_empty() || (scope.sites.is_none() && reach.customers.iter().all(|customer| has(scope, customer)));
    scope.is_everything() || (has_sites && has_customers && !reach.is_stations)
}

fn has(scope: &Scope, customer: &escalation::id::CustomerId) -> bool {
    scope.customers.as_ref().is_none_or(|customers| customers.contains(customer))
}
