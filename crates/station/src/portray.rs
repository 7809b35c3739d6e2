//! Views: state and history with names filled in, for readers.
//!
//! Decides nothing. What was erased is shown by its id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use escalation::acknowledgement::Commitment;
use escalation::activation::{Activation, Arrival, Check, Companion, Progress, Stage};
use escalation::directory::{Directory, Mounting};
use escalation::dispatch::{Recipient, Report};
use escalation::event::{About, AnsweredVia, CoResponder, Doer, Event, Party, Raised};
use escalation::id::{ActivationId, ContactKey, DeviceId, DeviceName, DispatchId, PersonId, PlanId, SiteId};
use escalation::ladder::{Ladder, Need, RungIndex, Who};
use escalation::matter::Matter;
use escalation::plan::{Part, Plan, StepId};
use escalation::police::Threshold;
use escalation::private::Private;
use escalation::time::Timestamp;
use escalation::word::Word;
use ledger::{Entry, Ledger, ReadError};

use crate::floor::{Floor, Link};
use crate::journal;
use crate::links;
use crate::look::History;
use crate::people;
use crate::replay;
use crate::sheet;
use crate::vault::Vault;
use crate::view::{
    AboutView, Attempt, Audience, Beside, Card, CoverageView, Detail, DeviceView, Going, Line, Needed, PlanView, PoliceView,
    ResponderAnswer, ResponderStep, ResponderView, RungView, Scope, State, StepView, Taken, TargetView, TellingView, TestView, TroubleView,
    WithdrawalView,
};

/// An activation in memory.
pub(crate) fn card(floor: &Floor, act: &Activation) -> Card {
    let mounting = floor.engine.directory().devices.get(&act.device).map(|device| device.mounting);
    let police = police(&floor.vault, act, mounting);
    // What is raised after a call is over is no concern of those who read of it.
    let concerns = |other: &&Activation| act.closing.as_ref().is_none_or(|closing| other.raised_at <= closing.at);
    let beside = floor.engine.calls_beside(act).filter(concerns).map(|other| beside(&floor.vault, other)).collect();
    Card { mounting, police, beside, seq: floor.last_seq(&act.id), ..sketch(&floor.vault, act) }
}

fn beside(vault: &Vault, other: &Activation) -> Beside {
    let place = vault.place(other.directory, &other.device);
    Beside {
        id: other.id.clone(),
        place: place.map_or_else(|| other.device.name.to_string(), |card| card.name.clone()),
        raised_at: other.raised_at,
        is_answered: other.committed().next().is_some(),
    }
}

/// An activation that has left memory, from its own history.
pub(crate) fn archived(vault: &Vault, entries: &[Entry]) -> Option<Card> {
    let history = read(entries);
    let act = Activation::replay(history.iter().map(|(_, at, event)| (*at, event)))?;
    let seq = history.last().map_or(0, |(seq, _, _)| *seq);
    Some(Card { seq, ..sketch(vault, &act) })
}

/// One activation in full: its card is known, everything else is in its history.
pub(crate) async fn detail<L: Ledger>(ledger: &L, vault: &Vault, card: Card, read_as: &History) -> Result<Detail, ReadError> {
    let history = read(&read_as.entries);
    let ladder = history
        .iter()
        .find_map(|(_, _, event)| if let Event::Raised(raised) = event { Some((raised.ladder.clone(), raised.directory)) } else { None });
    let (rungs, directory) = match ladder {
        Some((ladder, directory)) => {
            (rungs(vault, directory, &ladder, &history, card.state == State::Climbing || card.held_until.is_some()), directory)
        }
        None => (Vec::new(), 0),
    };
    let plan = plan(ledger, vault, &history).await?;
    let mut lines = Vec::with_capacity(history.len());
    // What is left out begins after this entry.
    let gap = read_as.gap_after.checked_sub(1).and_then(|index| read_as.entries.get(index)).filter(|_| read_as.left_out > 0);
    let gap = gap.map(|entry| entry.seq.index());
    let mut gap_due = gap.is_some();
    for (seq, at, event) in &history {
        if gap_due && gap.is_some_and(|gap| *seq > gap) {
            gap_due = false;
            lines.push(Line {
                seq: *seq,
                at: *at,
                kind: "entries.left_out".to_owned(),
                text: format!("{} entries not shown", read_as.left_out),
            });
        }
        lines.push(Line { seq: *seq, at: *at, kind: kind_of(event), text: sentence(ledger, vault, directory, event).await? });
    }
    let attempts = attempts(vault, directory, &history);
    let sheet = card.drill.map(|_| sheet::of(vault, directory, &history, &attempts));
    Ok(Detail { card, ladder: rungs, plan, sheet, attempts, history: lines })
}

/// Registered devices.
pub(crate) fn devices(floor: &Floor, scope: &Scope, now: Timestamp) -> Vec<DeviceView> {
    let directory = floor.engine.directory();
    let version = floor.engine.directory_version();
    let open: BTreeMap<&DeviceId, &ActivationId> =
        floor.engine.activations().filter(|act| act.is_open() && !act.is_drill()).map(|act| (&act.device, &act.id)).collect();
    let out: BTreeMap<&DeviceId, Timestamp> =
        floor.engine.out_of_service().filter(|(_, out)| out.is_on(now)).map(|(id, out)| (id, out.until)).collect();
    let in_scope = directory.devices.iter().filter_map(|(id, device)| {
        let customer = &directory.sites.get(&id.site)?.customer;
        scope.permits(customer, &id.site).then(|| DeviceView {
            id: id.clone(),
            customer: customer.clone(),
            place: floor.vault.place(version, id).map_or_else(|| id.name.to_string(), |card| card.name.clone()),
            mounting: device.mounting,
            last_press: floor.engine.last_press(id),
            last_proven: floor.engine.last_proven(id),
            out_of_service_until: out.get(id).copied(),
            open: open.get(id).map(|id| (*id).clone()),
        })
    });
    in_scope.collect()
}

/// Buttons that are on test now.
pub(crate) fn tests(floor: &Floor, scope: &Scope, now: Timestamp) -> Vec<TestView> {
    let version = floor.engine.directory_version();
    let sites = &floor.engine.directory().sites;
    let on = floor.engine.tests().filter(|(_, test)| test.is_on(now));
    let in_scope = on.filter_map(|(id, test)| {
        let customer = &sites.get(&id.site)?.customer;
        scope.permits(customer, &id.site).then(|| TestView {
            device: id.clone(),
            customer: customer.clone(),
            site_name: floor.vault.site(version, &id.site).map_or_else(|| id.site.to_string(), |card| card.name.clone()),
            place: floor.vault.place(version, id).map_or_else(|| id.name.to_string(), |card| card.name.clone()),
            timezone: floor.vault.site(version, &id.site).map_or("UTC", |card| card.timezone.as_str()).to_owned(),
            tester: floor.vault.name_of(test.tester.person),
            by: doer(&floor.vault, &test.by),
            since: test.since,
            until: test.until,
            ends_soon: test.warn_at <= now,
        })
    });
    in_scope.collect()
}

/// Buttons that are out of service now.
pub(crate) fn out_of_service(floor: &Floor, scope: &Scope, now: Timestamp) -> Vec<WithdrawalView> {
    let version = floor.engine.directory_version();
    let sites = &floor.engine.directory().sites;
    let place = |id: &DeviceId| floor.vault.place(version, id).map_or_else(|| id.name.to_string(), |card| card.name.clone());
    let has = |id: &DeviceId| floor.engine.directory().devices.contains_key(id);
    let out: Vec<_> = floor.engine.out_of_service().filter(|(id, out)| out.is_on(now) && has(id)).collect();
    if out.is_empty() {
        return Vec::new();
    }
    let withdrawn: BTreeSet<&DeviceId> = out.iter().map(|(id, _)| *id).collect();
    let in_service = floor.engine.directory().devices.keys().filter(|id| !withdrawn.contains(id));
    let served: BTreeSet<&SiteId> = in_service.map(|id| &id.site).collect();
    let in_scope = out.into_iter().filter_map(|(id, out)| {
        let customer = &sites.get(&id.site)?.customer;
        let card = floor.vault.site(version, &id.site);
        scope.permits(customer, &id.site).then(|| WithdrawalView {
            device: id.clone(),
            customer: customer.clone(),
            site_name: card.map_or_else(|| id.site.to_string(), |card| card.name.clone()),
            place: place(id),
            timezone: card.map_or("UTC", |card| card.timezone.as_str()).to_owned(),
            keeper: floor.vault.name_of(out.keeper.person),
            instead: out.instead.as_ref().filter(|instead| has(instead)).map(|instead| (instead.clone(), place(instead))),
            why: out.why,
            by: doer(&floor.vault, &out.by),
            since: out.since,
            until: out.until,
            ends_soon: out.warn_at <= now,
            none_left: !served.contains(&id.site),
        })
    });
    in_scope.collect()
}

/// What a press at the places within a scope depends on. The proof itself is not worked out here: it takes its time, and the next
/// press must not wait for it.
pub(crate) fn coverage(floor: &Floor, scope: &Scope, at: Timestamp) -> CoverageView {
    let all = floor.engine.directory();
    let sites: BTreeMap<_, _> = all.sites.iter().filter(|(id, site)| scope.permits(&site.customer, id)).collect();
    let own = all.devices.iter().filter(|(id, device)| device.ladder.is_some() && sites.contains_key(&id.site));
    let devices: BTreeMap<_, _> = own.map(|(id, device)| (id.clone(), device.clone())).collect();
    let named = sites.values().map(|site| &site.ladder).chain(devices.values().filter_map(|device| device.ladder.as_ref()));
    let ladders: BTreeMap<_, _> = named.filter_map(|id| Some((id.clone(), Arc::clone(all.ladders.get(id)?)))).collect();
    let people = people::told_by(all, ladders.values()).into_iter().filter_map(|id| Some((id, floor.engine.person(id)?.clone()))).collect();
    let directory = Directory {
        sites: sites.into_iter().map(|(id, site)| (id.clone(), site.clone())).collect(),
        devices,
        ladders,
        centres: all.centres.clone(),
        rosters: Arc::clone(&all.rosters),
        ..Directory::default()
    };
    CoverageView { directory, people, version: floor.engine.directory_version(), duty: floor.engine.duty_changes(), at }
}

/// Open troubles: what stops everybody's presses for everyone, the rest for whom it concerns.
pub(crate) fn troubles(floor: &Floor, scope: &Scope) -> Vec<TroubleView> {
    let directory = floor.engine.directory();
    let visible = |cause: &escalation::trouble::Cause| match Audience::of(cause) {
        Audience::Everyone => true,
        Audience::Site(site) => scope.is_everything() || directory.sites.get(site).is_some_and(|s| scope.permits(&s.customer, site)),
        Audience::Activation(id) => {
            scope.is_everything() || floor.engine.activation(id).is_some_and(|act| scope.permits(&act.customer, &act.device.site))
        }
        Audience::Unscoped => scope.is_everything(),
    };
    let timezone = |cause: &escalation::trouble::Cause| {
        let site = match cause.concerns() {
            escalation::trouble::Scope::Site(site) => floor.vault.site(floor.engine.directory_version(), site),
            escalation::trouble::Scope::Station => None,
        };
        site.map_or("UTC", |card| card.timezone.as_str()).to_owned()
    };
    // A thousand gaps are one matter: what people were told of it is looked up once.
    let mut tellings: BTreeMap<Matter, TellingView> = BTreeMap::new();
    let mut telling_of = |matter: &Matter| tellings.entry(matter.clone()).or_insert_with(|| crate::notice::telling(floor, matter)).clone();
    floor
        .engine
        .troubles()
        .filter(|(cause, _)| visible(cause))
        .map(|(cause, trouble)| TroubleView {
            cause: cause.clone(),
            since: trouble.since,
            timezone: timezone(cause),
            telling: Some(trouble.matter(cause))
                .filter(|matter| scope.permits_telling(matter, directory))
                .map(|matter| telling_of(&matter)),
        })
        .collect()
}

/// What a link shows. Before an answer it shows only what the message showed.
pub(crate) fn responder(floor: &Floor, link: &Link) -> Option<ResponderView> {
    let act = floor.engine.activation(&link.activation)?;
    // Two people may share a phone: the address speaks only for who answered without being known as a person.
    let is = |companion: &Companion| {
        companion.person.map_or_else(|| companion.contact == Some(link.contact), |answered| answered.person == link.person)
    };
    let there = |arrival: &Arrival| arrival.check != Check::Over && is(&arrival.by);
    let answer = match &act.promise {
        Some(_) | None if act.arrivals.iter().any(there) => ResponderAnswer::Arrived,
        Some(promise) if is(&promise.by) => match promise.commitment {
            Commitment::Going => ResponderAnswer::Going,
            Commitment::Verifying => ResponderAnswer::Helping,
        },
        Some(_) | None if act.joined.iter().any(|joined| is(&joined.by)) => ResponderAnswer::Joined,
        Some(_) | None if act.resting.contains_key(&link.person) => ResponderAnswer::Declined,
        Some(_) | None => ResponderAnswer::None,
    };
    let committed =
        matches!(answer, ResponderAnswer::Going | ResponderAnswer::Helping | ResponderAnswer::Joined | ResponderAnswer::Arrived);
    let site = floor.vault.site(act.directory, &act.device.site).cloned().unwrap_or_default();
    let address = [&site.address, &site.suburb, &site.state]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    let approach = [("Cross street", site.cross_street), ("Way in", site.entry), ("Meet at", site.rendezvous), ("Beware of", site.hazards)];
    let mut card = card(floor, act);
    let is_kept = |other: &Activation| floor.engine.is_kept_from(other, Some(link.person), link.contact);
    card.beside.retain(|beside| !floor.engine.activation(&beside.id).is_some_and(is_kept));
    Some(ResponderView {
        card,
        name: floor.vault.name_of(link.person),
        answer,
        address: if committed { address } else { String::new() },
        approach: approach.into_iter().filter(|(_, text)| committed && !text.is_empty()).collect(),
        phone: site.phone,
        plan: if committed { responder_steps(floor, act) } else { Vec::new() },
    })
}

/// What whoever goes is to do, and what of it is done.
fn responder_steps(floor: &Floor, act: &Activation) -> Vec<ResponderStep> {
    let Some(followed) = act.followed.as_deref() else { return Vec::new() };
    let card = floor.vault.plan(act.directory, &followed.plan.id);
    let steps = (1u16..).zip(followed.plan.steps(Part::Responder)).map(|(number, step)| {
        let id = StepId { part: Part::Responder, number };
        let says = card.and_then(|card| card.says(id)).unwrap_or_default().to_owned();
        ResponderStep { number, says, required: step.required, done: followed.is_done(id), skipped: followed.is_skipped(id) }
    });
    steps.collect()
}

/// The registered device that a caller means by id or by the name of its place.
pub(crate) fn device_at(floor: &Floor, site: &SiteId, said: &str) -> Option<DeviceId> {
    let version = floor.engine.directory_version();
    let at_site = || floor.engine.directory().devices.keys().filter(|id| id.site == *site);
    let by_id = DeviceName::parse(said).ok().and_then(|name| at_site().find(|id| id.name == name));
    let by_place = || at_site().find(|id| floor.vault.place(version, id).is_some_and(|card| card.name.eq_ignore_ascii_case(said)));
    by_id.or_else(by_place).cloned()
}

fn sketch(vault: &Vault, act: &Activation) -> Card {
    let site = vault.site(act.directory, &act.device.site);
    let place = vault.place(act.directory, &act.device);
    let next = act.next_due().filter(|_| act.is_open());
    let promised = act.promise.iter().map(|promise| going(vault, act, &promise.by, promise.commitment, Some(promise.arrive_by)));
    // Nobody is asked whether they still go where they are not needed: their time says nothing then.
    let joined = act.joined.iter().map(|by| going(vault, act, &by.by, by.commitment, (act.need > 1).then_some(by.arrive_by)));
    // Whose commitment lapsed because they fell silent is still there, and not to be forgotten.
    let committed = |by: &Companion| act.committed().any(|promise| promise.by.is_same(by));
    let lost = act.arrivals.iter().filter(|a| a.check == Check::Silent && !committed(&a.by));
    let lost = lost.map(|arrival| going(vault, act, &arrival.by, arrival.by.commitment, None));
    Card {
        id: act.id.clone(),
        state: state(act),
        kind: act.kind,
        customer: act.customer.clone(),
        customer_name: vault.customer(act.directory, &act.customer).unwrap_or(act.customer.as_str()).to_owned(),
        site: act.device.site.clone(),
        site_name: site.map_or_else(|| act.device.site.to_string(), |card| card.name.clone()),
        device: act.device.clone(),
        place: place.map_or_else(|| act.device.name.to_string(), |card| card.name.clone()),
        timezone: site.map_or("UTC", |card| card.timezone.as_str()).to_owned(),
        standing: act.standing,
        mounting: None,
        raised_at: act.raised_at,
        age: act.age,
        presses: act.presses,
        cancel_asked: act.cancel_asked,
        police: police(vault, act, None),
        drill: act.drill.as_deref().copied(),
        about: act.about.as_ref().map(|about| AboutView { name: whom(vault, about), of: about.of.clone() }),
        incident: act.incident.as_deref().cloned(),
        beside: Vec::new(),
        rung: match act.progress {
            Progress::Climb { rung, .. } => rung.map_or(0, |rung| rung.0.saturating_add(1)),
            Progress::Rounds { .. } => u16::try_from(act.ladder.rungs.len()).unwrap_or(u16::MAX),
        },
        rungs: u16::try_from(act.ladder.rungs.len()).unwrap_or(u16::MAX),
        next_at: next.map(|(at, _)| at),
        next_why: next.map(|(_, why)| why),
        claimed_by: act.claim.as_ref().map(|claim| doer(vault, &claim.by)),
        held_until: act.hold.as_deref().map(|hold| hold.until),
        offered_to: act.offer.as_ref().map(|offer| successor(vault, offer.person, offer.to)),
        said_safe: act.said_safe.iter().map(|said| (companion(vault, &said.by), said.eyes_on)).collect(),
        word: act.word.as_ref().map(|given| given.word),
        asks_tester: act.asks_tester().map(|tester| vault.name_of(tester)),
        asks_keeper: act.asks_keeper().map(|keeper| vault.name_of(keeper)),
        going: promised.chain(joined).chain(lost).collect(),
        needed: Needed { people: act.need, going: u16::try_from(act.going()).unwrap_or(u16::MAX) },
        closed_at: act.closing.as_ref().map(|closing| closing.at),
        closed_by: act.closing.as_ref().map(|closing| doer(vault, &closing.by)),
        disposition: act.closing.as_ref().map(|closing| closing.disposition),
        seq: 0,
    }
}

fn successor(vault: &Vault, person: Option<PersonId>, key: Option<ContactKey>) -> String {
    let name = person.map(|person| vault.name_of(person)).or_else(|| vault.actor(key?).map(ToOwned::to_owned));
    name.unwrap_or_else(|| "somebody else".to_owned())
}

fn going(vault: &Vault, act: &Activation, by: &Companion, commitment: Commitment, arrive_by: Option<Timestamp>) -> Going {
    let arrival = act.arrivals.iter().find(|arrival| arrival.check != Check::Over && arrival.by.is_same(by));
    Going {
        name: companion(vault, by),
        commitment,
        arrive_by,
        arrived_at: arrival.map(|arrival| arrival.since),
        silent: arrival.is_some_and(|arrival| arrival.check == Check::Silent),
    }
}

fn police(vault: &Vault, act: &Activation, mounting: Option<Mounting>) -> Option<PoliceView> {
    let police = act.police.as_ref()?;
    // Without an operator nobody but the reader will ring.
    let state = match (police.rung_at, police.told || act.claim.is_none()) {
        (Some(_), _) => "rung",
        (None, true) => "ring_now",
        (None, false) => "needed",
    };
    Some(PoliceView { state, threshold: police.threshold, brief: brief(vault, act, mounting) })
}

/// What a person says to the police: suburb and state first, then the street, where exactly, why, and who has seen it.
pub(crate) fn brief(vault: &Vault, act: &Activation, mounting: Option<Mounting>) -> String {
    let site = vault.site(act.directory, &act.device.site).cloned().unwrap_or_default();
    let place = vault.place(act.directory, &act.device).map_or_else(|| act.device.name.to_string(), |card| card.name.clone());
    let cross = if site.cross_street.is_empty() { String::new() } else { format!("near {}", site.cross_street) };
    let fixed = match mounting {
        Some(Mounting::Fixed) => "fixed button",
        Some(Mounting::Portable) => "portable, may have moved",
        None => "",
    };
    let why = act.police.as_ref().and_then(|police| police.threshold).map_or("", Threshold::words);
    let there = act.arrivals.iter().find(|arrival| arrival.check != Check::Over).map(|arrival| companion(vault, &arrival.by));
    let seen = there.map_or_else(|| "not confirmed on the spot".to_owned(), |name| format!("confirmed: {name} is there"));
    let town = [site.suburb, site.state].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let name = if site.name.is_empty() { act.device.site.to_string() } else { site.name };
    let parts = [town, site.address, cross, name, place, fixed.to_owned(), why.to_owned(), seen];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Whom a call is for that was raised for a responder to another one.
pub(crate) fn whom(vault: &Vault, about: &About) -> String {
    let person = about.person.map(|person| vault.name_of(person.person));
    person.or_else(|| vault.actor(about.mark?).map(ToOwned::to_owned)).unwrap_or_else(|| "a responder".to_owned())
}

fn state(act: &Activation) -> State {
    match act.stage() {
        Stage::Climbing => State::Climbing,
        Stage::Committed(Commitment::Verifying) | Stage::Held => State::Held,
        Stage::Committed(Commitment::Going) => State::Accepted,
        Stage::Exhausted => State::Exhausted,
        Stage::Closed => State::Closed,
    }
}

fn read(entries: &[Entry]) -> Vec<(u64, Timestamp, Event)> {
    let readable = entries.iter().filter_map(|entry| {
        let (at, event) = journal::read(entry.body.as_ref()?.bytes()).ok()?;
        Some((entry.seq.index(), at, event))
    });
    readable.collect()
}

fn rungs(vault: &Vault, directory: u32, ladder: &Ladder, history: &[(u64, Timestamp, Event)], stands_on_one: bool) -> Vec<RungView> {
    let mut views: Vec<RungView> = (1u16..)
        .zip(&ladder.rungs)
        .map(|(number, rung)| RungView {
            number,
            wait_s: rung.wait_s.0,
            entered_at: None,
            until: None,
            passed_over: None,
            need: match rung.need {
                Need::One => None,
                Need::AtLeast(people) => Some(people.to_string()),
                Need::Each => Some("each".to_owned()),
            },
            targets: rung
                .targets
                .iter()
                .map(|target| TargetView { name: who(vault, directory, &target.who), by: target.by.clone(), passed_over: None })
                .collect(),
        })
        .collect();
    for (_, at, event) in history {
        if let Event::RungEntered { rung, until, also, .. } = event {
            for view in &mut views {
                let here = view.number == rung.0.saturating_add(1);
                view.until = here.then_some(*until);
                if here || also.contains(&RungIndex(view.number.saturating_sub(1))) {
                    view.entered_at = Some(*at);
                    view.passed_over = None;
                }
            }
        }
        if let Event::RungPassedOver { rung, why, .. } = event
            && let Some(view) = views.get_mut(usize::from(rung.0))
        {
            view.passed_over = Some(plain(why));
        }
        if let Event::ContactPassedOver { rung, who: passed, why, .. } = event {
            let name = who(vault, directory, passed);
            let target = views.get_mut(usize::from(rung.0)).and_then(|view| view.targets.iter_mut().find(|target| target.name == name));
            if let Some(target) = target {
                target.passed_over = Some(plain(why));
            }
        }
        if matches!(event, Event::Exhausted { .. } | Event::Closed { .. }) {
            for view in &mut views {
                view.until = None;
            }
        }
    }
    // Somebody who has committed is waited for, and not a rung.
    for view in views.iter_mut().filter(|_| !stands_on_one) {
        view.until = None;
    }
    views
}

/// The plan that an activation was raised under, with who took which step.
async fn plan<L: Ledger>(ledger: &L, vault: &Vault, history: &[(u64, Timestamp, Event)]) -> Result<Option<PlanView>, ReadError> {
    let frozen = history
        .iter()
        .find_map(|(_, _, event)| if let Event::Raised(raised) = event { Some((raised.directory, raised.plan.as_ref()?)) } else { None });
    let Some((directory, plan)) = frozen else { return Ok(None) };
    let card = vault.plan(directory, &plan.id);
    let mut steps = steps(plan, |id| card.and_then(|card| card.says(id)).unwrap_or_default().to_owned());
    for (_, at, event) in history {
        if let Event::Reopened { .. } = event {
            for view in &mut steps {
                view.taken = None;
            }
        }
        if let Event::StepTaken { by, step, skipped, .. } = event
            && let Some(view) = steps.iter_mut().find(|view| view.id == *step && view.taken.as_ref().is_none_or(|t| t.skipped.is_some()))
        {
            let skipped = match skipped {
                Some(why) => Some(replay::open(ledger, Some(why)).await?.unwrap_or_default()),
                None => None,
            };
            // Who is named, and by which key: a name alone is whatever a caller says.
            let by = by.by.as_ref().map_or_else(|| answerer(vault, by), |by| doer(vault, by));
            view.taken = Some(Taken { by, at: *at, skipped });
        }
    }
    let approved_by = card.map(|card| card.approved_by.clone()).unwrap_or_default();
    Ok(Some(PlanView { id: plan.id.clone(), version: plan.version, approved_by, steps }))
}

fn steps(plan: &Plan, says: impl Fn(StepId) -> String) -> Vec<StepView> {
    let numbered =
        Part::ALL.into_iter().flat_map(|part| (1u16..).zip(plan.steps(part)).map(move |(number, step)| (StepId { part, number }, step)));
    numbered.map(|(id, step)| StepView { id, says: says(id), required: step.required, taken: None }).collect()
}

fn attempts(vault: &Vault, directory: u32, history: &[(u64, Timestamp, Event)]) -> Vec<Attempt> {
    let mut attempts: Vec<Attempt> = Vec::new();
    for (_, at, event) in history {
        if let Event::DispatchQueued { act, dispatch, to, medium, purpose, late_ms, .. } = event {
            attempts.push(Attempt {
                dispatch: DispatchId { activation: act.clone(), number: *dispatch },
                to: recipient(vault, directory, to),
                medium: *medium,
                purpose: *purpose,
                queued_at: *at,
                outcome: "queued",
                outcome_at: None,
                taken_at: None,
                delivered_at: None,
                receipt_due: false,
                detail: None,
                provider: None,
                possible_duplicate: false,
                late_ms: *late_ms,
            });
        }
        if let Event::DispatchReported { dispatch, report, provider, possible_duplicate, .. } = event
            && let Some(attempt) = attempts.iter_mut().find(|attempt| attempt.dispatch.number == *dispatch)
        {
            // A receipt may precede the provider's own answer: what became of a message only moves up.
            if !matches!(report, Report::AcceptedReceiptDue | Report::Accepted) || attempt.outcome_at.is_none() {
                (attempt.outcome, attempt.detail) = outcome(report);
                attempt.outcome_at = Some(*at);
            }
            attempt.receipt_due |= *report == Report::AcceptedReceiptDue;
            match report {
                Report::AcceptedReceiptDue | Report::Accepted | Report::Undelivered { .. } => {
                    attempt.taken_at.get_or_insert(*at);
                }
                Report::Delivered => {
                    attempt.taken_at.get_or_insert(*at);
                    attempt.delivered_at.get_or_insert(*at);
                }
                Report::Failed(_) => {}
            }
            attempt.provider = provider.as_ref().map(ToString::to_string).or(attempt.provider.take());
            attempt.possible_duplicate |= possible_duplicate;
        }
        if let Event::ReceiptOverdue { dispatch, .. } = event
            && let Some(attempt) = attempts.iter_mut().find(|attempt| attempt.dispatch.number == *dispatch)
        {
            attempt.outcome = "no receipt";
            attempt.outcome_at = Some(*at);
        }
    }
    attempts
}

fn outcome(report: &Report) -> (&'static str, Option<String>) {
    match report {
        Report::AcceptedReceiptDue | Report::Accepted => ("accepted", None),
        Report::Delivered => ("delivered", None),
        Report::Undelivered { code } => ("undelivered", Some(code.clone())),
        Report::Failed(why) => ("failed", Some(plain(why))),
    }
}

/// One sentence for an event, with names and the words that were written or sent. Whoever reads it may be somebody who must not
/// answer: links that were sent are left out.
async fn sentence<L: Ledger>(ledger: &L, vault: &Vault, directory: u32, event: &Event) -> Result<String, ReadError> {
    worded(ledger, vault, directory, event).await.map(links::hidden)
}

async fn worded<L: Ledger>(ledger: &L, vault: &Vault, directory: u32, event: &Event) -> Result<String, ReadError> {
    Ok(match event {
        Event::Raised(raised) => raised_words(vault, raised, replay::open(ledger, raised.signal.note.as_ref()).await?),
        Event::PressedAgain { presses, how, .. } => format!("pressed again, {presses} in all ({})", plain(how)),
        Event::CancelAsked { .. } => "cancel was asked for at the device: verify; nothing was stopped".to_owned(),
        Event::TestAnswered { by, theirs, .. } => tester_words(vault, by, *theirs),
        Event::AskedFirst { parties, .. } => format!("asked first: {}", party_names(vault, directory, parties)),
        Event::RungEntered { rung, parties, late_ms, .. } => {
            let names = party_names(vault, directory, parties);
            format!("rung {} entered: {names}{}", rung.0.saturating_add(1), late(*late_ms))
        }
        Event::RungPassedOver { rung, why, .. } => format!("rung {} passed over: {}", rung.0.saturating_add(1), plain(why)),
        Event::ContactPassedOver { who: passed, why, .. } => format!("{} passed over: {}", who(vault, directory, passed), plain(why)),
        Event::DispatchQueued { to, medium, purpose, late_ms, .. } => {
            format!("{} by {} to {}{}", plain(purpose), medium.as_str(), recipient(vault, directory, to), late(*late_ms))
        }
        Event::DispatchReported { dispatch, report, text, possible_duplicate, .. } => {
            let (outcome, detail) = outcome(report);
            let text = replay::open(ledger, text.as_ref()).await?;
            let twice = if *possible_duplicate { ", possibly sent twice" } else { "" };
            format!("message {dispatch} {outcome}{}{twice}{}", detail.map(|d| format!(" ({d})")).unwrap_or_default(), quoted(text))
        }
        Event::ReceiptOverdue { dispatch, .. } => format!("message {dispatch}: no receipt in time"),
        Event::Accepted { by, commitment, .. } => format!("{} accepted: {}", responder_name(vault, by), plain(commitment)),
        Event::Joined { by, commitment, .. } => format!("{} joined: {}", responder_name(vault, by), plain(commitment)),
        Event::Arrived { by, renewal, .. } => arrived_words(&responder_name(vault, by), *renewal),
        Event::SafetyAsked { .. } => "a responder who has arrived was asked whether they are safe".to_owned(),
        Event::FellSilent { raised, .. } => format!("a responder who has arrived fell silent: {raised} was raised for them"),
        Event::PoliceNeeded { by, threshold, .. } => needed_words(&responder_name(vault, by), *threshold),
        Event::PoliceUnrung { told, .. } => unrung_words(*told),
        Event::PoliceRung { by, called_by, reference, .. } => {
            let who = replay::open(ledger, called_by.as_ref()).await?.map(|who| format!(" by {who}")).unwrap_or_default();
            let reference = replay::open(ledger, reference.as_ref()).await?.map(|text| format!(", reference {text}")).unwrap_or_default();
            format!("{} says that the police were rung{who}{reference}", responder_name(vault, by))
        }
        Event::Declined { by, .. } => format!("{} cannot", responder_name(vault, by)),
        Event::AnswerSetAside { why, pauses_until, text, .. } => {
            let pause = if pauses_until.is_some() { ", the climb waits for the code" } else { "" };
            format!("an answer was set aside: {}{pause}{}", plain(why), quoted(replay::open(ledger, text.as_ref()).await?))
        }
        Event::CommitmentQuestioned { whose, .. } => format!("{}asked whether still going", co_responder(vault, *whose)),
        Event::CommitmentLapsed { why, whose, .. } => format!("{}the commitment ended: {}", co_responder(vault, *whose), plain(why)),
        Event::Claimed { by, .. } => format!("claimed by {}", doer(vault, by)),
        Event::ClaimLapsed { .. } => "the claim lapsed".to_owned(),
        Event::Held { by, reason, .. } => format!("held by {}{}", doer(vault, by), quoted(replay::open(ledger, Some(reason)).await?)),
        Event::HoldEnded { why, .. } => format!("the hold ended: {}", plain(why)),
        Event::HandOverOffered { by, to, .. } => {
            format!("{} asked {} to take over", doer(vault, by), successor(vault, to.person, to.key))
        }
        Event::HandOverEnded { why, .. } => format!("nobody took over: {}", plain(why)),
        Event::Escalated { by, to, .. } => format!("escalated by {} to {}", doer(vault, by), rung_or_everyone(*to)),
        Event::Exhausted { .. } => "every rung was tried; everyone is told again until a human answers".to_owned(),
        Event::RoundStarted { round, everyone, late_ms, .. } => {
            format!("round {round}: {} told again{}", if *everyone { "everyone" } else { "the centre and the last rung" }, late(*late_ms))
        }
        Event::NoteAdded { by, text, .. } => format!("note by {}{}", doer(vault, by), quoted(replay::open(ledger, Some(text)).await?)),
        Event::StepTaken { by, plan, step, skipped, .. } => stepped(ledger, vault, directory, by, (plan, *step, skipped.as_ref())).await?,
        Event::SaidSafe { by, eyes_on, with_word, .. } => said_safe_words(&responder_name(vault, by), *eyes_on, *with_word),
        Event::WordJudged { word, .. } => word_words(*word).to_owned(),
        Event::WordHeeded { .. } => "the word was acted on: a duress word sends more people, any other changes nothing".to_owned(),
        Event::Closed { drill: Some(why), .. } => format!("the drill ended by itself: {}", plain(why)),
        Event::Closed { by, disposition, note, drill: None, .. } => {
            let note = replay::open(ledger, note.as_ref()).await?;
            format!("closed by {}: {}{}", doer(vault, by), crate::order::disposition(*disposition), quoted(note))
        }
        Event::Reopened { by, reason, .. } => {
            format!("opened again by {}{}", doer(vault, by), quoted(replay::open(ledger, Some(reason)).await?))
        }
        Event::Archived { .. } => "left memory".to_owned(),
        Event::StationStarted { .. }
        | Event::ClockStepped { .. }
        | Event::RecordLost { .. }
        | Event::RecordFound {}
        | Event::Ticked { .. }
        | Event::SignedBy { .. }
        | Event::CheckpointAnchored { .. }
        | Event::DirectoryAdopted { .. }
        | Event::PersonVersioned { .. }
        | Event::TroubleRaised { .. }
        | Event::TroubleCleared { .. }
        | Event::TroubleTold { .. }
        | Event::TroubleAnswered { .. }
        | Event::TroubleOver { .. }
        | Event::TestStarted { .. }
        | Event::TestEnded { .. }
        | Event::OutOfService { .. }
        | Event::InService { .. }
        | Event::StandInSaid { .. }
        | Event::StandInOver { .. }
        | Event::DeskArmed { .. }
        | Event::DeskUnarmed { .. }
        | Event::DrillMissed { .. }
        | Event::DeviceReported { .. }
        | Event::BundleExported { .. }
        | Event::RegisterExported { .. }
        | Event::Erased { .. }
        | Event::LegalHoldSet { .. }
        | Event::Viewed(_) => kind_of(event),
    })
}

fn needed_words(who: &str, threshold: Option<Threshold>) -> String {
    let why = threshold.map(|why| format!(": {}", why.words())).unwrap_or_default();
    format!("{who} says that the police are needed{why}")
}

fn arrived_words(who: &str, renewal: bool) -> String {
    format!("{who} {}", if renewal { "is safe there" } else { "has arrived" })
}

fn rung_or_everyone(to: Option<RungIndex>) -> String {
    to.map_or_else(|| "everyone".to_owned(), |rung| format!("rung {}", rung.0.saturating_add(1)))
}

fn party_names(vault: &Vault, directory: u32, parties: &[Party]) -> String {
    parties.iter().map(|party| who(vault, directory, &party.who)).collect::<Vec<_>>().join(", ")
}

/// A step of a plan, as it was taken or passed over.
async fn stepped<L: Ledger>(
    ledger: &L,
    vault: &Vault,
    directory: u32,
    by: &escalation::event::Responder,
    (plan, step, skipped): (&PlanId, StepId, Option<&Private>),
) -> Result<String, ReadError> {
    let name = responder_name(vault, by);
    let says = quoted(vault.plan(directory, plan).and_then(|card| card.says(step)).map(ToOwned::to_owned));
    Ok(match skipped {
        Some(why) => {
            let why = replay::open(ledger, Some(why)).await?.map(|why| format!("; why{}", quoted(Some(why)))).unwrap_or_default();
            format!("{name} passed over step \u{201c}{step}\u{201d} of the plan{says}{why}")
        }
        None => format!("{name} took step \u{201c}{step}\u{201d} of the plan{says}"),
    })
}

fn unrung_words(told: bool) -> String {
    let next = if told { "people are told to ring 000" } else { "the centre has claimed and has a minute more" };
    format!("nobody has said that the police were rung: {next}")
}

fn said_safe_words(name: &str, eyes_on: bool, with_word: bool) -> String {
    let there = if eyes_on { ", and is there" } else { "" };
    let word = if with_word { ", with a word" } else { "" };
    format!("{name} says that it is over{there}{word}")
}

fn word_words(word: Word) -> &'static str {
    match word {
        Word::Safe => "the safe word was given",
        Word::Duress => "the DURESS WORD was given: whoever gave it is not safe",
        Word::Wrong => "a word was given that is not the safe one: verify",
        Word::Unknown => "a word was given, but none is known for this site: verify",
    }
}

fn tester_words(vault: &Vault, by: &escalation::event::Responder, theirs: bool) -> String {
    let what = if theirs { "it was their test press" } else { "it was NOT their test press" };
    format!("{} says that {what}", responder_name(vault, by))
}

fn raised_words(vault: &Vault, raised: &Raised, note: Option<String>) -> String {
    let by = raised.by.as_ref().map(|by| format!(" by {}", doer(vault, by))).unwrap_or_default();
    let about = raised.about.as_ref().map(|about| format!(" for {}, who went to {}", whom(vault, about), about.of)).unwrap_or_default();
    let incident = raised.incident.as_ref().map(|first| format!(", in one incident with {first}")).unwrap_or_default();
    if raised.drill_until.is_some() {
        return format!("DRILL started{by}, as if {} were raised{}", raised.kind.as_str(), quoted(note));
    }
    format!("{} raised{by}{about}, {} known{incident}{}", raised.kind.as_str(), plain(&raised.standing), quoted(note))
}

fn late(late_ms: u64) -> String {
    if late_ms == 0 { String::new() } else { format!(", late by {} s", late_ms / 1_000) }
}

fn quoted(text: Option<String>) -> String {
    text.map(|text| format!(": \u{201c}{text}\u{201d}")).unwrap_or_default()
}

pub(crate) fn who(vault: &Vault, directory: u32, who: &Who) -> String {
    match who {
        Who::Person(person) => vault.name_of(*person),
        Who::Centre(centre) => vault.centre(directory, centre).unwrap_or(centre.as_str()).to_owned(),
        Who::Roster(roster) => format!("roster {roster}"),
    }
}

fn recipient(vault: &Vault, directory: u32, to: &Recipient) -> String {
    match to {
        Recipient::Person { person, .. } => vault.person(*person).map_or_else(|| person.to_string(), |card| card.name.clone()),
        Recipient::Centre { centre, .. } => vault.centre(directory, centre).unwrap_or(centre.as_str()).to_owned(),
        Recipient::Stranger { .. } => "an unknown number".to_owned(),
    }
}

fn companion(vault: &Vault, by: &Companion) -> String {
    match (by.person, &by.doer) {
        (Some(person), _) => vault.name_of(person.person),
        (None, Some(by)) => doer(vault, by),
        (None, None) => "an unknown number".to_owned(),
    }
}

/// Who answered.
pub(crate) fn answerer(vault: &Vault, by: &escalation::event::Responder) -> String {
    companion(
        vault,
        &Companion {
            person: by.person,
            contact: by.contact,
            via: by.via,
            doer: by.by.clone().map(Box::new),
            commitment: Commitment::Going,
            far: false,
        },
    )
}

fn responder_name(vault: &Vault, by: &escalation::event::Responder) -> String {
    let name = answerer(vault, by);
    let via = match by.via {
        AnsweredVia::Sms => "by text",
        AnsweredVia::Link(_) => "on the page",
        AnsweredVia::Api => "through the API",
        AnsweredVia::Voice => "in a call",
    };
    format!("{name} ({via})")
}

/// `P. Nair: `, where a line is about a co-responder.
fn co_responder(vault: &Vault, whose: Option<CoResponder>) -> String {
    let name = |whose: CoResponder| {
        whose.person.map_or_else(|| "somebody who is not in the directory".to_owned(), |person| vault.name_of(person.person))
    };
    whose.map_or_else(String::new, |whose| format!("{}: ", name(whose)))
}

pub(crate) fn doer(vault: &Vault, by: &Doer) -> String {
    let name = by.person.map(|person| vault.name_of(person)).or_else(|| vault.actor(by.actor_key?).map(ToOwned::to_owned));
    name.map_or_else(|| by.principal.clone(), |name| format!("{name} ({})", by.principal))
}

/// A variant's name as plain words: `no_address` says "no address".
pub(crate) fn plain<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text.replace('_', " "),
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

fn kind_of(event: &Event) -> String {
    let value = serde_json::to_value(event).ok();
    value.as_ref().and_then(|value| value.get("type")).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}
