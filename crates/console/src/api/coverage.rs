//! What a press would do at the sites in scope, foretold for the days to come.
//!
//! The watch hands over what it knows of them and goes on; the proof is worked out on a thread of its own, one at a time.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use escalation::coverage::{Cover, HORIZON_DAYS, Level, Only, Outlook};
use escalation::ladder::Who;
use escalation::outage::Carrier;
use escalation::time::{SignedDuration, Timestamp};
use serde::Serialize;
use station::view::CoverageView;
use utoipa::ToSchema;

use super::shape::time;
use crate::caller::Caller;
use crate::problem::{Document, Problem};
use crate::roles::Action;
use crate::room::Room;

/// The most gaps of one ladder that are listed.
const GAPS_MAX: usize = 200;

/// What a press would do at the places in scope.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Coverage {
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    from: Timestamp,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    until: Timestamp,
    /// Each site, and each of its devices that has a ladder of its own.
    places: Vec<Place>,
}

/// One site, or a device with a ladder of its own.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Place {
    customer: String,
    site: String,
    /// Absent for the site's own ladder.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    ladder: String,
    /// For which kinds of help, where a rung tells them apart: then there is one such place for each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kinds: Vec<&'static str>,
    worst: Worst,
    /// The same with each carrier down that the ladder uses.
    without: Vec<Without>,
    rungs: Vec<Rung>,
    /// What stands alone at some time.
    only: Vec<Alone>,
    /// When not all is well, the earliest first, at most 200.
    gaps: Vec<Gap>,
}

/// The worst at any moment.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Worst {
    /// The longest until somebody is told; null where at times nobody is.
    first_told_after_s: Option<u64>,
    exhausted_after_s: u64,
    /// The fewest people and centres that are told and share no address.
    independent: usize,
}

/// The worst with one carrier down.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Without {
    carrier: String,
    worst: Worst,
}

/// What a rung has at the least.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Rung {
    /// Counts from 1.
    #[serde(rename = "rung")]
    number: u16,
    parties: usize,
    addresses: usize,
    carriers: usize,
    transports: usize,
}

/// Something that stands alone: a party of a rung, or a carrier.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Alone {
    #[serde(skip_serializing_if = "Option::is_none")]
    rung: Option<u16>,
    /// The centre, where the party is one; nobody is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    centre: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<String>,
}

/// A time at which not all is well.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Gap {
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    from: Timestamp,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    until: Timestamp,
    /// nobody, `one_party` or `one_carrier`.
    level: &'static str,
}

/// What a press would do, at every moment of the next 14 days.
#[utoipa::path(
    get, path = "/api/v1/coverage",
    responses(
        (status = 200, description = "Each place and how well it is covered", body = Coverage),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn look(State(room): State<Arc<Room>>, caller: Caller) -> Result<Json<Coverage>, Problem> {
    caller.must(Action::See)?;
    // Each takes a processor for a while; whoever asks often waits for themselves and for nobody's alarm.
    let _turn = room.proofs_at_work.acquire().await.map_err(|_closed| unproved())?;
    let view = room.desk.coverage(caller.scope).await?;
    let carriers = room.settings.carriers.clone();
    let proved = tokio::task::spawn_blocking(move || prove(&view, &carriers)).await;
    proved.map(Json).map_err(|_died| unproved())
}

fn unproved() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "coverage-unproved",
        "The coverage could not be worked out",
        "Alarms are not affected. Run  cooee check  on the station, and report it with the version.",
    )
}

fn prove(view: &CoverageView, carriers: &[Carrier]) -> Coverage {
    let from = view.at;
    let until = from.saturating_add(SignedDuration::from_hours(24 * HORIZON_DAYS)).unwrap_or(Timestamp::MAX);
    let outlook = Outlook { directory: &view.directory, people: &view.people, outages: &[] };
    let places = outlook.places((from, until), carriers);
    let each = places.iter().flat_map(|place| place.covers.iter().map(move |cover| Place::new(place, cover)));
    Coverage { from, until, places: each.collect() }
}

impl Place {
    fn new(place: &escalation::coverage::Place<'_>, cover: &Cover) -> Self {
        let rungs = cover.rungs.iter().map(|rung| Rung {
            number: rung.rung.0.saturating_add(1),
            parties: rung.parties,
            addresses: rung.addresses,
            carriers: rung.carriers,
            transports: rung.transports,
        });
        let without = cover.without.iter().map(|w| Without { carrier: w.carrier.clone(), worst: Worst::from(w.worst) });
        let gaps = cover.levels().into_iter().filter_map(|((from, until), level)| Some(Gap { from, until, level: gap(level)? }));
        Self {
            customer: place.customer.to_string(),
            site: place.site.to_string(),
            device: place.device.map(|device| device.name.to_string()),
            ladder: cover.ladder.to_string(),
            kinds: if cover.case.is_of_every_kind() { Vec::new() } else { cover.case.kinds.iter().map(|kind| kind.as_str()).collect() },
            worst: Worst::from(cover.worst),
            without: without.collect(),
            rungs: rungs.collect(),
            only: cover.only.iter().map(Alone::from).collect(),
            gaps: gaps.take(GAPS_MAX).collect(),
        }
    }
}

impl From<escalation::coverage::Worst> for Worst {
    fn from(worst: escalation::coverage::Worst) -> Self {
        Self { first_told_after_s: worst.first_told_after_s, exhausted_after_s: worst.exhausted_after_s, independent: worst.independent }
    }
}

impl From<&Only> for Alone {
    fn from(only: &Only) -> Self {
        let rung = |rung: escalation::ladder::RungIndex| Some(rung.0.saturating_add(1));
        match only {
            Only::Party(index, Who::Centre(centre)) => Self { rung: rung(*index), centre: Some(centre.to_string()), carrier: None },
            Only::Party(index, Who::Person(_) | Who::Roster(_)) => Self { rung: rung(*index), centre: None, carrier: None },
            Only::Carrier(carrier) => Self { rung: None, centre: None, carrier: Some(carrier.clone()) },
        }
    }
}

/// The word of a level that is a gap.
fn gap(level: Level) -> Option<&'static str> {
    match level {
        Level::Nobody => Some("nobody"),
        Level::OneParty => Some("one_party"),
        Level::OneCarrier => Some("one_carrier"),
        Level::Sound => None,
    }
}
