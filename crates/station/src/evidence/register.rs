//! The register of alarm attendance: one line for each activation, with what the record knows and nothing that it does not.

use std::collections::BTreeSet;

use escalation::event::Event;
use escalation::id::{CustomerId, Digest};
use escalation::input::{Input, RegisterExport};
use escalation::time::Timestamp;

use super::{Dossier, NotHanded, Purpose, recorded};
use crate::desk::Desk;
use crate::links;
use crate::look::attribution;
use crate::portray;
use crate::view::{Card, Query, Scope};

/// The most activations that one register holds.
pub const LINES_MAX: usize = 5_000;
/// How many of them are listed at once.
const PAGE: u16 = 200;

/// Which activations a register is of.
#[derive(Clone, Debug, Default)]
pub struct Span {
    /// Raised at or after.
    pub from: Option<Timestamp>,
    /// Raised before.
    pub to: Option<Timestamp>,
}

/// What somebody wants to be handed.
#[derive(Clone, Debug)]
pub struct RegisterWish {
    /// Which activations.
    pub span: Span,
    /// The key or session that asks.
    pub principal: String,
    /// Whose things the key may touch.
    pub scope: Scope,
}

/// What the record knows of who attended one activation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendance {
    /// Where and when it was raised, and how it ended.
    pub card: Card,
    /// Street, suburb and state of the site, as far as the directory says.
    pub address: String,
    /// When the first message was owed to anybody.
    pub told_at: Option<Timestamp>,
    /// Who arrived first; else who was the first to say that they go.
    pub officer: Option<String>,
    /// When somebody first said that they are at the place.
    pub attended_at: Option<Timestamp>,
    /// When somebody first said that the police were rung.
    pub police_rung_at: Option<Timestamp>,
    /// The words with which it was closed last, while they are kept.
    pub action: Option<String>,
    /// Its history is too long to be read whole: what is not said here may stand in the part that was left out.
    pub in_part: bool,
}

/// Makes the register, has the record say who is handed it, and only then gives it away, as `write` writes it down.
///
/// # Errors
/// [`NotHanded`]. Then nothing was handed out; where recording it failed, the record may say so all the same.
pub async fn hand_out(desk: &Desk, wish: RegisterWish, write: impl FnOnce(&[Attendance]) -> String) -> Result<String, NotHanded> {
    let RegisterWish { span, principal, scope } = wish;
    let lines = register(desk, &scope, &span).await?;
    let table = write(&lines);
    let digest = Digest::new(*ledger::Digest::of(&[table.as_bytes()]).as_bytes());
    let customer = customer(&lines, &scope);
    let lines = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    let export = RegisterExport { customer, by: attribution(principal, None, None), from: span.from, until: span.to, lines, digest };
    recorded(desk, Input::RegisterExported(export)).await?;
    Ok(table)
}

/// Whose a register is, where it is one customer's: who asked for it without bounds, or got lines of several, is the station's affair.
fn customer(lines: &[Attendance], scope: &Scope) -> Option<CustomerId> {
    let named: BTreeSet<&CustomerId> = lines.iter().map(|line| &line.card.customer).chain(scope.customers.iter().flatten()).collect();
    let mut named = named.into_iter();
    named.next().filter(|_| named.next().is_none() && scope.customers.is_some()).cloned()
}

/// Every activation of a span within a scope, the newest first.
///
/// # Errors
/// More than [`LINES_MAX`] of them, or the record cannot be read.
async fn register(desk: &Desk, scope: &Scope, span: &Span) -> Result<Vec<Attendance>, NotHanded> {
    let mut lines = Vec::new();
    let mut cursor = None;
    loop {
        let query = Query { scope: scope.clone(), from: span.from, to: span.to, cursor, limit: PAGE, ..Query::default() };
        let page = desk.list(query).await?;
        if lines.len() + page.cards.len() > LINES_MAX {
            return Err(NotHanded::TooMany);
        }
        for card in page.cards {
            // What left the scope between the list and the look is not shown.
            if let Some(dossier) = desk.dossier(card.id.clone(), scope.clone(), Purpose::OwnUse).await? {
                lines.push(dossier.attendance());
            }
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(lines);
        }
    }
}

impl Dossier {
    fn attendance(&self) -> Attendance {
        let mut told_at = None;
        let mut going = None;
        let mut arrived = None;
        let mut attended_at = None;
        let mut police_rung_at = None;
        let mut action = None;
        let mut directory = 0;
        for kept in &self.own {
            let Some((at, event)) = &kept.said else { continue };
            if let Event::Raised(raised) = event {
                directory = raised.directory;
            }
            if let Event::DispatchQueued { .. } = event {
                told_at = told_at.or(Some(*at));
            }
            if let Event::Accepted { by, .. } = event {
                going = going.or_else(|| Some(portray::answerer(&self.vault, by)));
            }
            if let Event::Arrived { by, .. } = event {
                arrived = arrived.or_else(|| Some(portray::answerer(&self.vault, by)));
                attended_at = attended_at.or(Some(*at));
            }
            if let Event::PoliceRung { .. } = event {
                police_rung_at = police_rung_at.or(Some(*at));
            }
            if let Event::Closed { .. } = event {
                let note = kept.values.iter().find(|held| held.label == "note").and_then(|held| held.disclosure.as_ref());
                action = note.map(|note| links::hidden(note.value()));
            }
        }
        let in_part = self.left_out > 0;
        // Who went may have arrived in what was left out: then another was the first.
        let officer = arrived.or(going.filter(|_| !in_part));
        // Nobody attends a drill: who answered is on its result sheet.
        let is_real = self.card.drill.is_none();
        let (officer, attended_at) = (officer.filter(|_| is_real), attended_at.filter(|_| is_real));
        let site = self.vault.site(directory, &self.card.site);
        let parts = site.map(|site| [site.address.as_str(), &site.suburb, &site.state]).unwrap_or_default();
        let address = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        Attendance { card: self.card.clone(), address, told_at, officer, attended_at, police_rung_at, action, in_part }
    }
}
