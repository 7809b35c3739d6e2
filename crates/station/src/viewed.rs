//! Who read: whose it is that somebody is shown, and what the record says of its readers.

use std::collections::BTreeSet;
use std::sync::Arc;

use escalation::event::{Event, ViewOf, Viewed};
use escalation::id::CustomerId;
use escalation::time::Timestamp;
use ledger::{Entry, Ledger, ReadError, Seq, ViewsQuery};
use tokio::sync::oneshot;

use crate::desk::DeskError;
use crate::floor::Floor;
use crate::journal;
use crate::look::card_of;
use crate::onlookers::{Onlookers, Sight};
use crate::view::{Card, Scope, ViewLine, ViewsAsked, ViewsPage};

/// The most lines of one page.
const PAGE_MAX: u16 = 200;
/// How many entries are looked through for one page, where most are of sites that whoever asks may not see.
const LOOKED_THROUGH_MAX: usize = 1_000;

/// What somebody is shown who is shown an activation.
pub(crate) fn sight(card: &Card) -> Sight {
    Sight { of: ViewOf::Activation(card.id.clone()), customer: Some(card.customer.clone()), site: Some(card.site.clone()) }
}

/// What somebody is shown who is shown a list. It is of the one customer whose things they may see, or of several and so of nobody's.
pub(crate) fn list(floor: &Floor, of: ViewOf, scope: &Scope) -> Sight {
    Sight { of, customer: only_customer(floor, scope), site: None }
}

fn only_customer(floor: &Floor, scope: &Scope) -> Option<CustomerId> {
    if let Some(customers) = &scope.customers {
        let mut customers = customers.iter();
        return customers.next().filter(|_| customers.next().is_none()).cloned();
    }
    let sites = floor.engine.directory().sites.iter();
    let mut own = sites.filter(|(id, site)| scope.permits(&site.customer, id)).map(|(_, site)| &site.customer);
    // Whoever may see everything is nobody's, also where there is one customer alone.
    let first = own.next().filter(|_| !scope.is_everything())?;
    own.all(|customer| customer == first).then(|| first.clone())
}

/// Answers who read. That it was answered is noted as well.
pub(crate) fn answer<L: Ledger>(
    floor: &Floor,
    ledger: &Arc<L>,
    onlookers: &Arc<Onlookers>,
    now: Timestamp,
    asked: ViewsAsked,
    done: oneshot::Sender<Result<Option<ViewsPage>, DeskError>>,
) {
    let ViewsAsked { of, scope, onlooker, before, limit } = asked;
    let ledger = Arc::clone(ledger);
    let onlookers = Arc::clone(onlookers);
    let limit = u32::from(limit.clamp(1, PAGE_MAX));
    let before = before.map(Seq::new);
    let Some(id) = of else {
        let sight = list(floor, ViewOf::Readers, &scope);
        let query = ViewsQuery { stream: None, custs: owners(floor, &scope), before, limit };
        tokio::spawn(async move {
            let page = page(&*ledger, query, &scope).await;
            if page.is_ok() {
                onlookers.note(now, onlooker, sight);
            }
            drop(done.send(page.map(Some)));
        });
        return;
    };
    let card = card_of(floor, &ledger, id.clone(), scope.clone());
    tokio::spawn(async move {
        let card = match card.await {
            Ok(Some(card)) => card,
            Ok(None) => return drop(done.send(Ok(None))),
            Err(error) => return drop(done.send(Err(error))),
        };
        let query = ViewsQuery { stream: Some(ViewOf::Activation(id).to_string()), custs: None, before, limit };
        let page = page(&*ledger, query, &scope).await;
        if page.is_ok() {
            onlookers.note(now, onlooker, sight(&card));
        }
        drop(done.send(page.map(Some)));
    });
}

/// Whose entries to look through: those of the customers of a scope, or of its sites. `None` for everybody's.
fn owners(floor: &Floor, scope: &Scope) -> Option<Vec<String>> {
    if let Some(customers) = &scope.customers {
        return Some(customers.iter().map(ToString::to_string).collect());
    }
    let own = scope.sites.as_ref()?;
    let sites = floor.engine.directory().sites.iter().filter(|(id, _)| own.contains(*id));
    let owners: BTreeSet<String> = sites.map(|(_, site)| site.customer.to_string()).collect();
    Some(owners.into_iter().collect())
}

/// A page of them, of at most `query.limit` lines. One more than it holds is looked for, within the scope alone: whether there is a next
/// page tells of nobody else's customer. A page for which too many entries were looked through ends where that did, however short it is.
async fn page<L: Ledger>(ledger: &L, mut query: ViewsQuery, scope: &Scope) -> Result<ViewsPage, DeskError> {
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    query.limit = query.limit.saturating_add(1);
    let (mut views, mut looked_through): (Vec<ViewLine>, usize) = (Vec::new(), 0);
    loop {
        let entries = ledger.views(&query).await.map_err(unreadable)?;
        let Some(last) = entries.last() else { return Ok(ViewsPage { views, next: None }) };
        query.before = Some(last.seq);
        looked_through = looked_through.saturating_add(entries.len());
        for entry in &entries {
            let Some((at, said)) = said(entry).filter(|(_, said)| permits(scope, said)) else { continue };
            if views.len() >= limit {
                let next = views.last().map(|view| view.seq);
                return Ok(ViewsPage { views, next });
            }
            views.push(ViewLine { seq: entry.seq.index(), at, said });
        }
        if looked_through >= LOOKED_THROUGH_MAX {
            return Ok(ViewsPage { views, next: Some(last.seq.index()) });
        }
    }
}

/// What an entry says of a reader; `None` where its bytes are gone.
pub(crate) fn said(entry: &Entry) -> Option<(Timestamp, Viewed)> {
    let (at, event) = journal::read(entry.body.as_ref()?.bytes()).ok()?;
    if let Event::Viewed(viewed) = event { Some((at, *viewed)) } else { None }
}

/// Whose reading may be seen: that of one's own customers and sites. What concerns several customers is the station's own.
fn permits(scope: &Scope, said: &Viewed) -> bool {
    match (&said.cust, &said.site) {
        (Some(customer), Some(site)) => scope.permits(customer, site),
        (Some(customer), None) => scope.sites.is_none() && scope.customers.as_ref().is_none_or(|own| own.contains(customer)),
        (None, _) => scope.is_everything(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what map_err hands over")]
fn unreadable(error: ReadError) -> DeskError {
    DeskError::Record(error.to_string())
}
