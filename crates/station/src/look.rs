//! Looks: what the desk is told between two turns.
//!
//! What memory knows is answered at once. What needs the record is read by a task of its own, so that a slow disk or a
//! long history never delays an alarm.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use escalation::acknowledgement::{Answer, Sender};
use escalation::activation::Activation;
use escalation::directory::draft::{Draft, zones_version};
use escalation::event::{Successor, ViewOf};
use escalation::id::{ActivationId, DeviceId, DeviceName, Digest, Slug};
use escalation::input::{Attribution, Command, DrillWanted, InServiceWanted, Input, OutOfServiceWanted, TestOver, TestWanted};
use escalation::private::Private;
use escalation::rejection::Rejection;
use escalation::signal::{Evidence, Origin, Signal, Verb, Via};
use escalation::time::Timestamp;
use escalation::verdict::Verdict;
use escalation::vigil::Watchlist;
use ledger::{Entry, Ledger, ListingQuery, Seq};
use tokio::sync::oneshot;

use crate::adopt;
use crate::desk::{About, DeskError, DrillRequest, Look, RaiseRequest, Request, ServiceRequest, TestRequest, Withdrawal};
use crate::duty;
use crate::erasing;
use crate::evidence::{Dossier, Purpose};
use crate::floor::Floor;
use crate::onlookers::{Onlooker, Onlookers};
use crate::people;
use crate::portray;
use crate::schedules;
use crate::view::{Card, Page, Query, ResponderView, Scope, State, StreamEntry};
use crate::viewed;

/// The most entries one activation's history is shown with.
const HISTORY_MAX: usize = 200_000;
/// How many of them are read at once.
const HISTORY_PAGE: u32 = 10_000;

/// Answers a look. Where it is an act, gives back the input and who waits for its verdict.
pub(crate) fn answer<L: Ledger>(
    floor: &Floor,
    ledger: &Arc<L>,
    onlookers: &Arc<Onlookers>,
    now: Timestamp,
    look: Look,
) -> Option<(Input, oneshot::Sender<Verdict>)> {
    match look {
        Look::List(query, done) => list(floor, ledger, query, done),
        Look::Activation(id, scope, onlooker, done) => activation(floor, ledger, (id, &scope), by(onlookers, now, onlooker), done),
        Look::Devices(scope, done) => drop(done.send(portray::devices(floor, &scope, now))),
        Look::People(scope, onlooker, done) => {
            onlookers.note(now, onlooker, viewed::list(floor, ViewOf::People, &scope));
            drop(done.send(people::view(floor, &scope)));
        }
        Look::Seen(of, scope, onlooker, done) => {
            onlookers.note(now, onlooker, viewed::list(floor, of, &scope));
            if done.send(()).is_err() {
                tracing::debug!("what somebody was to be shown is noted, and they have gone");
            }
        }
        Look::Views(asked, done) => viewed::answer(floor, ledger, onlookers, now, asked, done),
        Look::Coverage(scope, done) => drop(done.send(portray::coverage(floor, &scope, now))),
        Look::Watchlist(known, done) => drop(done.send(watchlist(floor, known))),
        Look::Tests(scope, done) => drop(done.send(portray::tests(floor, &scope, now))),
        Look::Test(request, done) => return test(floor, request, done),
        Look::OutOfService(scope, done) => drop(done.send(portray::out_of_service(floor, &scope, now))),
        Look::Service(request, done) => return service(floor, request, done),
        Look::Duty(scope, done) => drop(done.send(duty::view(floor, &scope, now))),
        Look::StandIn(request, done) => match duty::wanted(floor, request) {
            Ok(input) => return Some((input, done)),
            Err(why) => drop(done.send(Verdict::Refused(why))),
        },
        Look::Schedules(scope, done) => drop(done.send(schedules::view(floor, &scope, now))),
        Look::Drill(request, done) => return drill(floor, request, done),
        Look::Troubles(scope, done) => drop(done.send(portray::troubles(floor, &scope))),
        Look::Responder(token, done) => drop(done.send(responder(floor, onlookers, now, &token))),
        Look::Card(id, scope, done) => card(floor, ledger, id, scope, done),
        Look::Evidence(id, scope, purpose, done) => dossier(floor, ledger, id, scope, purpose, done),
        Look::Handed(card, onlooker, done) => {
            onlookers.note(now, onlooker, viewed::sight(&card));
            if done.send(()).is_err() {
                tracing::debug!("what somebody is handed is noted, and they have gone");
            }
        }
        Look::About(text, done) => about(floor, ledger, &text, done),
        Look::Count(scope, done) => drop(done.send(count(floor, &scope))),
        Look::Since(seq, limit, done) => since(ledger, seq, limit, done),
        Look::Place(entries, done) => drop(done.send(place(floor, entries))),
        Look::Act(request, done) => return act(floor, request, done),
        Look::Raise(request, done) => return raise(floor, request, done),
        Look::AnswerLink { token, reply, gesture, done } => {
            let Some(link) = floor.link(&token) else {
                drop(done.send(None));
                return None;
            };
            let from = Sender::Link { activation: link.activation.clone(), contact: link.contact, person: link.person, gesture };
            let (reply_to, verdict) = oneshot::channel();
            tokio::spawn(async move {
                // No verdict means that the watch has stopped; that is not the same as a link nobody knows.
                if let Ok(verdict) = verdict.await {
                    drop(done.send(Some(verdict)));
                }
            });
            return Some((Input::Answer(Answer { from, reply, text: None, provider_ref: None, sent_at: None }), reply_to));
        }
        Look::Adopt(read, done) => return adopt(floor, &read.0, read.1, done),
        // The watch has taken these before it asks here.
        Look::Words(..) | Look::Delete(..) | Look::Desks(..) | Look::Seat(..) => {}
        Look::Turn(done) => drop(done.send(now)),
    }
    None
}

fn watchlist(floor: &Floor, known: u32) -> Option<Watchlist> {
    let version = floor.engine.directory_version();
    (version != known).then(|| Watchlist::of(floor.engine.directory(), version))
}

fn act(floor: &Floor, request: Request, done: oneshot::Sender<Verdict>) -> Option<(Input, oneshot::Sender<Verdict>)> {
    // Outside its scope an activation does not exist: the answer is the same as for one that never was.
    let permitted = floor.engine.activation(&request.activation).is_some_and(|act| request.scope.permits(&act.customer, &act.device.site));
    if !permitted {
        drop(done.send(Verdict::Refused(Rejection::UnknownActivation(request.activation))));
        return None;
    }
    let by = attribution(request.principal, request.actor, request.idempotency_key.as_deref());
    let at_the_place = request.scope.at_the_place;
    Some((Input::Command(Command { activation: request.activation, by, seen: request.seen, at_the_place, act: request.act }), done))
}

fn adopt(floor: &Floor, draft: &Draft, digest: Digest, done: oneshot::Sender<Verdict>) -> Option<(Input, oneshot::Sender<Verdict>)> {
    match adopt::offer(draft, digest, zones_version(), &floor.vault, floor.secret()) {
        Ok(adoption) => Some((Input::DirectoryOffered(Box::new(adoption)), done)),
        Err(error) => {
            drop(done.send(Verdict::Refused(Rejection::Directory(error.to_string()))));
            None
        }
    }
}

fn raise(floor: &Floor, request: RaiseRequest, done: oneshot::Sender<Verdict>) -> Option<(Input, oneshot::Sender<Verdict>)> {
    let customer = floor.engine.directory().sites.get(&request.site).map(|site| &site.customer);
    if !customer.is_some_and(|customer| request.scope.permits(customer, &request.site)) {
        drop(done.send(Verdict::Refused(Rejection::UnknownPlace)));
        return None;
    }
    let device = portray::device_at(floor, &request.site, &request.device).unwrap_or_else(|| DeviceId {
        site: request.site.clone(),
        name: DeviceName::parse(&request.device).unwrap_or_else(|_| hashed(&request.device)),
    });
    let digest = ring::digest::digest(&ring::digest::SHA256, &request.body);
    let origin = Origin { via: Via::Api, client: Some(request.principal.clone()), qos: 0, retained: false, dup: false, waited_since: None };
    let evidence = Evidence {
        raw: Private::Open(format!("{} {}", encode(b"POST /api/v1/activations"), encode(&request.body))),
        payload_sha256: digest.as_ref().try_into().ok().map(Digest::new),
        payload_bytes: u64::try_from(request.body.len()).unwrap_or(u64::MAX),
    };
    let mut signal = Signal::bare(device, Verb::Press { kind: request.kind, style: None }, origin, evidence);
    signal.id = request.id;
    signal.note = request.note.map(Private::Open);
    Some((Input::Raised { signal, by: attribution(request.principal, request.actor, None) }, done))
}

/// Buttons that nobody registered cannot be put on test: any of them unknown, and none is.
fn test(floor: &Floor, request: TestRequest, done: oneshot::Sender<Verdict>) -> Option<(Input, oneshot::Sender<Verdict>)> {
    let customer = floor.engine.directory().sites.get(&request.site).map(|site| &site.customer);
    let is_in_scope = customer.is_some_and(|customer| request.scope.permits(customer, &request.site));
    let devices: Option<Vec<DeviceId>> = request.devices.iter().map(|said| portray::device_at(floor, &request.site, said)).collect();
    let Some(devices) = devices.filter(|_| is_in_scope) else {
        drop(done.send(Verdict::Refused(Rejection::UnknownPlace)));
        return None;
    };
    let by = attribution(request.principal, request.actor, None);
    let input = match request.on {
        Some((tester, span)) => {
            let tester = Successor { name: Private::Open(tester), key: None, person: None };
            Input::TestWanted(TestWanted { devices, tester, span, by })
        }
        None => Input::TestOver(TestOver { devices, by }),
    };
    Some((input, done))
}

/// Buttons that nobody registered are in nobody's service: any of them unknown, and nothing is changed.
fn service(floor: &Floor, request: ServiceRequest, done: oneshot::Sender<Verdict>) -> Option<(Input, oneshot::Sender<Verdict>)> {
    let customer = floor.engine.directory().sites.get(&request.site).map(|site| &site.customer);
    let is_in_scope = customer.is_some_and(|customer| request.scope.permits(customer, &request.site));
    let at = |said: &String| portray::device_at(floor, &request.site, said);
    let devices: Option<Vec<DeviceId>> = request.devices.iter().map(at).collect();
    let instead = request.out.as_ref().and_then(|out| out.instead.as_ref()).map(at);
    let (Some(devices), None | Some(Some(_)), true) = (devices, &instead, is_in_scope) else {
        drop(done.send(Verdict::Refused(Rejection::UnknownPlace)));
        return None;
    };
    let by = attribution(request.principal, request.actor, None);
    let input = match request.out {
        Some(Withdrawal { keeper, why, span, .. }) => {
            let keeper = Successor { name: Private::Open(keeper), key: None, person: None };
            Input::OutOfServiceWanted(OutOfServiceWanted { devices, keeper, instead: instead.flatten(), why, span, by })
        }
        None => Input::InServiceWanted(InServiceWanted { devices, by }),
    };
    Some((input, done))
}

/// A button that nobody registered has no ladder of its own to be drilled.
fn drill(floor: &Floor, request: DrillRequest, done: oneshot::Sender<Verdict>) -> Option<(Input, oneshot::Sender<Verdict>)> {
    let customer = floor.engine.directory().sites.get(&request.site).map(|site| &site.customer);
    let is_in_scope = customer.is_some_and(|customer| request.scope.permits(customer, &request.site));
    let device = request.device.as_ref().map(|said| portray::device_at(floor, &request.site, said));
    let (true, None | Some(Some(_))) = (is_in_scope, &device) else {
        drop(done.send(Verdict::Refused(Rejection::UnknownPlace)));
        return None;
    };
    let by = attribution(request.principal, request.actor, None);
    let note = request.note.map(Private::Open);
    Some((Input::DrillWanted(DrillWanted { site: request.site, device: device.flatten(), span: request.span, note, by }), done))
}

pub(crate) fn attribution(principal: String, actor: Option<String>, key: Option<&str>) -> Attribution {
    let idempotency = key.and_then(|key| ring::digest::digest(&ring::digest::SHA256, key.as_bytes()).as_ref().try_into().ok());
    Attribution { principal, actor: actor.map(Private::Open), actor_key: None, person: None, idempotency: idempotency.map(Digest::new) }
}

/// A name that is no slug becomes `x-` and 16 hex digits of its hash, as the ears do it.
fn hashed(name: &str) -> DeviceName {
    let digest = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
    let short: String = crate::journal::hex(digest.as_ref()).chars().take(16).collect();
    DeviceName::parse(&format!("x-{short}")).unwrap_or_else(|_| DeviceName::from(Slug::unnamed()))
}

fn encode(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn list<L: Ledger>(floor: &Floor, ledger: &Arc<L>, query: Query, done: oneshot::Sender<Result<Page, DeskError>>) {
    let limit = usize::from(query.limit.clamp(1, 200));
    let before = match query.cursor.as_deref().map(read_cursor) {
        Some(None) => return drop(done.send(Err(DeskError::Cursor))),
        Some(Some(before)) => Some(before),
        None => None,
    };
    let wanted = |act: &&Activation| {
        query.scope.permits(&act.customer, &act.device.site)
            && query.open.is_none_or(|open| act.is_open() == open)
            && query.site.as_ref().is_none_or(|site| act.device.site == *site)
            && query.from.is_none_or(|from| act.raised_at >= from)
            && query.to.is_none_or(|to| act.raised_at < to)
            && before.as_ref().is_none_or(|(us, key)| match act.raised_at.as_microsecond().cmp(us) {
                Ordering::Less => true,
                Ordering::Equal => act.id.to_string() < *key,
                Ordering::Greater => false,
            })
    };
    // Only a page of cards is made, however many there are: the watch stands still meanwhile.
    let mut newest: Vec<&Activation> = floor.engine.activations().filter(wanted).collect();
    if newest.len() > limit {
        newest.select_nth_unstable_by(limit, |one, two| newest_first(one.raised_at, &one.id, two.raised_at, &two.id));
        newest.truncate(limit.saturating_add(1));
    }
    let in_memory: Vec<Card> = newest.into_iter().map(|act| query.scope.veil(portray::card(floor, act))).collect();
    if query.open == Some(true) {
        return drop(done.send(Ok(page(in_memory, limit))));
    }
    let names = |set: &std::collections::BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
    let custs = query.scope.customers.as_ref().map(|set| names(&set.iter().map(ToString::to_string).collect()));
    let sites = match (&query.scope.sites, &query.site) {
        (_, Some(site)) => Some(vec![site.to_string()]),
        (Some(sites), None) => Some(names(&sites.iter().map(ToString::to_string).collect())),
        (None, None) => None,
    };
    let asked = ListingQuery {
        custs,
        sites,
        states: None,
        from_us: query.from.map(Timestamp::as_microsecond),
        to_us: query.to.map(Timestamp::as_microsecond),
        before,
        limit: u32::from(query.limit.clamp(1, 200)).saturating_add(1),
    };
    let (ledger, vault, scope, wants_open) = (Arc::clone(ledger), Arc::clone(&floor.vault), query.scope, query.open);
    tokio::spawn(async move {
        let mut cards = in_memory;
        let listed = match ledger.listings(&asked).await {
            Ok(listed) => listed,
            Err(error) => return drop(done.send(Err(DeskError::Record(error.to_string())))),
        };
        for listing in listed {
            let Ok(id) = listing.key.parse::<ActivationId>() else { continue };
            if cards.iter().any(|card| card.id == id) {
                continue;
            }
            match history(&*ledger, &id, HISTORY_MAX, HISTORY_PAGE).await {
                Ok(history) => {
                    let card = portray::archived(&vault, &history.entries).filter(|card| scope.permits(&card.customer, &card.site));
                    // What was opened again was listed when it was closed.
                    let card = card.filter(|card| wants_open.is_none_or(|open| open == (card.state != State::Closed)));
                    cards.extend(card.map(|card| scope.veil(card)));
                }
                Err(error) => return drop(done.send(Err(error))),
            }
        }
        drop(done.send(Ok(page(cards, limit))));
    });
}

fn page(mut cards: Vec<Card>, limit: usize) -> Page {
    cards.sort_by(|one, two| newest_first(one.raised_at, &one.id, two.raised_at, &two.id));
    let more = cards.len() > limit;
    cards.truncate(limit);
    let next_cursor = cards.last().filter(|_| more).map(|card| format!("{}~{}", card.raised_at.as_microsecond(), card.id));
    Page { cards, next_cursor }
}

/// The order of lists, the same as the record's: the newest first, then by reference downwards.
fn newest_first(at: Timestamp, id: &ActivationId, other_at: Timestamp, other: &ActivationId) -> Ordering {
    other_at.cmp(&at).then_with(|| other.to_string().cmp(&id.to_string()))
}

fn read_cursor(text: &str) -> Option<(i64, String)> {
    let (us, key) = text.split_once('~')?;
    let id: ActivationId = key.parse().ok()?;
    Some((us.parse().ok()?, id.to_string()))
}

/// Notes that somebody is shown the activation of a card.
fn by(onlookers: &Arc<Onlookers>, now: Timestamp, onlooker: Onlooker) -> impl FnOnce(&Card) + Send + 'static {
    let onlookers = Arc::clone(onlookers);
    move |card| onlookers.note(now, onlooker, viewed::sight(card))
}

/// What a link shows, to whoever has it.
fn responder(floor: &Floor, onlookers: &Onlookers, now: Timestamp, token: &str) -> Option<ResponderView> {
    let link = floor.link(token)?;
    let view = portray::responder(floor, link)?;
    onlookers.note_holder(now, link.person, viewed::sight(&view.card));
    Some(view)
}

fn activation<L: Ledger>(
    floor: &Floor,
    ledger: &Arc<L>,
    (id, scope): (ActivationId, &Scope),
    note: impl FnOnce(&Card) + Send + 'static,
    done: oneshot::Sender<Result<Option<crate::view::Detail>, DeskError>>,
) {
    let card = match floor.engine.activation(&id) {
        Some(act) if scope.permits(&act.customer, &act.device.site) => Some(portray::card(floor, act)),
        Some(_) => return drop(done.send(Ok(None))),
        None => None,
    };
    let (ledger, vault, scope) = (Arc::clone(ledger), Arc::clone(&floor.vault), scope.clone());
    tokio::spawn(async move {
        let history = match history(&*ledger, &id, HISTORY_MAX, HISTORY_PAGE).await {
            Ok(history) => history,
            Err(error) => return drop(done.send(Err(error))),
        };
        let card = card.or_else(|| portray::archived(&vault, &history.entries)).filter(|card| scope.permits(&card.customer, &card.site));
        let Some(card) = card else { return drop(done.send(Ok(None))) };
        let detail = portray::detail(&*ledger, &vault, scope.veil(card), &history).await.map(|mut detail| {
            detail.history.retain(|line| scope.permits_line(line));
            detail.plan = detail.plan.map(|plan| scope.veil_plan(plan));
            note(&detail.card);
            Some(detail)
        });
        drop(done.send(detail.map_err(|error| DeskError::Record(error.to_string()))));
    });
}

fn dossier<L: Ledger>(
    floor: &Floor,
    ledger: &Arc<L>,
    id: ActivationId,
    scope: Scope,
    purpose: Purpose,
    done: oneshot::Sender<Result<Option<Dossier>, DeskError>>,
) {
    let (ledger, vault, anchored) = (Arc::clone(ledger), Arc::clone(&floor.vault), floor.engine.anchored().clone());
    tokio::spawn(async move {
        drop(done.send(Dossier::read(&*ledger, vault, &id, &scope, &anchored, purpose).await));
    });
}

fn about<L: Ledger>(floor: &Floor, ledger: &Arc<L>, text: &str, done: oneshot::Sender<Result<Option<About>, DeskError>>) {
    let Some(person) = erasing::meant(&floor.vault, text) else { return drop(done.send(Ok(None))) };
    let (ledger, vault) = (Arc::clone(ledger), Arc::clone(&floor.vault));
    tokio::spawn(async move {
        let found = ledger.about(&person.to_string()).await;
        let found = found.map(|values| {
            let values = values.iter().map(|digest| Digest::new(*digest.as_bytes())).collect();
            Some(About { person, values, vault })
        });
        drop(done.send(found.map_err(|error| DeskError::Record(error.to_string()))));
    });
}

fn card<L: Ledger>(floor: &Floor, ledger: &Arc<L>, id: ActivationId, scope: Scope, done: oneshot::Sender<Result<Option<Card>, DeskError>>) {
    let card = card_of(floor, ledger, id, scope);
    tokio::spawn(async move { drop(done.send(card.await)) });
}

/// One activation's card, at once where it is in memory; from the record where it has left.
pub(crate) fn card_of<L: Ledger>(
    floor: &Floor,
    ledger: &Arc<L>,
    id: ActivationId,
    scope: Scope,
) -> impl Future<Output = Result<Option<Card>, DeskError>> + Send + 'static {
    let permitted = |act: &Activation| scope.permits(&act.customer, &act.device.site).then(|| scope.veil(portray::card(floor, act)));
    let known = floor.engine.activation(&id).map(permitted);
    let (ledger, vault) = (Arc::clone(ledger), Arc::clone(&floor.vault));
    async move {
        if let Some(card) = known {
            return Ok(card);
        }
        let history = history(&*ledger, &id, HISTORY_MAX, HISTORY_PAGE).await?;
        let card = portray::archived(&vault, &history.entries).filter(|card| scope.permits(&card.customer, &card.site));
        Ok(card.map(|card| scope.veil(card)))
    }
}

fn count(floor: &Floor, scope: &Scope) -> u64 {
    let open = floor.engine.activations().filter(|act| act.is_open() && !act.is_drill() && scope.permits(&act.customer, &act.device.site));
    u64::try_from(open.count()).unwrap_or(u64::MAX)
}

/// A history as far as it is shown: all of it, or its beginning and its end.
#[derive(Debug)]
pub(crate) struct History {
    /// The entries, in order.
    pub(crate) entries: Vec<Entry>,
    /// How many between its beginning and its end are left out.
    pub(crate) left_out: usize,
    /// After how many of the entries they are left out.
    pub(crate) gap_after: usize,
}

/// Reads a history page by page. Of one that is longer than `most` the first and the last half are kept: how it began and how it stands.
pub(crate) async fn history<L: Ledger>(ledger: &L, id: &ActivationId, most: usize, page: u32) -> Result<History, DeskError> {
    let stream = id.to_string();
    let half = most / 2;
    let mut first: Vec<Entry> = Vec::new();
    let mut last: VecDeque<Entry> = VecDeque::new();
    let mut left_out = 0_usize;
    let mut from = Seq::FIRST;
    loop {
        let read = ledger.by_stream(&stream, from, page).await.map_err(|error| DeskError::Record(error.to_string()))?;
        let Some(end) = read.last() else { break };
        from = end.seq.next();
        let complete = read.len() < usize::try_from(page).unwrap_or(usize::MAX);
        for entry in read {
            if first.len() < half {
                first.push(entry);
                continue;
            }
            last.push_back(entry);
            if last.len() > most - half {
                last.pop_front();
                left_out += 1;
            }
        }
        if complete {
            break;
        }
    }
    let gap_after = first.len();
    first.extend(last);
    Ok(History { entries: first, left_out, gap_after })
}

fn since<L: Ledger>(ledger: &Arc<L>, seq: u64, limit: usize, done: oneshot::Sender<Result<Vec<StreamEntry>, DeskError>>) {
    let ledger = Arc::clone(ledger);
    tokio::spawn(async move {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let read = ledger.entries(Seq::new(seq).next(), limit).await;
        let entries = read.map_err(|error| DeskError::Record(error.to_string())).map(|entries| {
            let streamed = entries.into_iter().filter_map(|entry| {
                let body = entry.body?;
                let columns = entry.columns;
                let device: Option<DeviceId> = columns.stream.parse().ok();
                Some(StreamEntry {
                    seq: entry.seq.index(),
                    kind: columns.kind,
                    customer: columns.cust,
                    site: device.map(|device| device.site.to_string()).unwrap_or_default(),
                    stream: columns.stream,
                    body: body.bytes().into(),
                })
            });
            streamed.collect()
        });
        drop(done.send(entries));
    });
}

/// Where an activation is, for scopes of sites; one that has left memory is shown to whole customers only.
fn place(floor: &Floor, mut entries: Vec<StreamEntry>) -> Vec<StreamEntry> {
    for entry in &mut entries {
        let act = entry.stream.parse().ok().and_then(|id: ActivationId| floor.engine.activation(&id));
        if let Some(act) = act {
            entry.site = act.device.site.to_string();
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use ledger::memory::MemoryLedger;
    use ledger::{Batch, EntryBody};

    use super::*;

    #[tokio::test]
    async fn a_history_is_read_to_its_end_and_says_what_it_leaves_out() {
        let ledger = MemoryLedger::new();
        let mut batch = Batch::new(Seq::FIRST);
        for n in 0..11 {
            let entry = serde_json::json!({
                "v": 1, "type": "claim.lapsed", "act": "KAL-1", "aseq": n, "cust": "kalamunda", "t": format!("2026-04-13T06:04:{n:02}.000000Z"),
                "boot": "b-00000000", "mono_us": n, "nonce": format!("{n:032x}"),
            });
            batch.push(EntryBody::write(&entry).unwrap(), Vec::new());
        }
        ledger.append(&batch).await.unwrap();
        let id: ActivationId = "KAL-1".parse().unwrap();
        let first = Seq::FIRST.index();
        for (most, page, shown, left_out, gap_after) in
            [(20, 3, (0..11).collect::<Vec<_>>(), 0, 10), (4, 3, vec![0, 1, 9, 10], 7, 2), (4, 100, vec![0, 1, 9, 10], 7, 2)]
        {
            let history = history(&ledger, &id, most, page).await.unwrap();
            assert_eq!(history.entries.iter().map(|entry| entry.seq.index() - first).collect::<Vec<_>>(), shown);
            assert_eq!((history.left_out, history.gap_after), (left_out, gap_after));
        }
    }
}
