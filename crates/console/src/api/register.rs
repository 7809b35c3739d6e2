//! The register of alarm attendance, as a table for other programs.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use escalation::time::Timestamp;
use serde::Deserialize;
use station::evidence::register::{Attendance, RegisterWish, Span, hand_out};

use super::strict::Asked;
use crate::caller::Caller;
use crate::problem::{Document, Problem};
use crate::roles::Action;
use crate::room::Room;

/// The columns. What stands under those in [`UNKNOWN`] is in no record of ours.
const COLUMNS: [&str; 17] = [
    "reference",
    "customer",
    "premises",
    "address",
    "place",
    "kind",
    "activated",
    "first_told",
    "officer",
    "officer_licence",
    "attended",
    "police_rung",
    "police_arrived",
    "owner_notified",
    "cause",
    "action",
    "closed",
];
/// Columns that the register has and the record does not.
const UNKNOWN: [&str; 3] = ["officer_licence", "police_arrived", "owner_notified"];
/// Columns that may be empty because a history is too long to be read whole.
const IN_PART: [&str; 5] = ["first_told", "officer", "attended", "police_rung", "action"];

/// Which activations.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RegisterQuery {
    /// Raised at or after, RFC 3339.
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Raised before, RFC 3339.
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
}

/// Who attended which activation, the newest first. Columns that the record knows nothing of are empty, and the last one names them.
/// That it was handed out is recorded first.
#[utoipa::path(
    get, path = "/api/v1/register", params(RegisterQuery),
    responses(
        (status = 200, description = "A table (RFC 4180), at most 5,000 activations", body = String, content_type = "text/csv"),
        (status = "4XX", description = "Refused, or too many", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Not handed out; ask again", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn table(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Asked(RegisterQuery { from, to }): Asked<RegisterQuery>,
) -> Result<Response, Problem> {
    caller.must(Action::See)?;
    let wish = RegisterWish { span: Span { from, to }, principal: caller.principal, scope: caller.scope };
    // One at a time, and beside the bundles: nobody waits for evidence because somebody else prints a year.
    let turn = room.registers.acquire().await;
    let table = hand_out(&room.desk, wish, written).await;
    drop(turn);
    let kind = "text/csv; charset=utf-8; header=present";
    Ok(([(header::CONTENT_TYPE, kind)], table?).into_response())
}

fn written(lines: &[Attendance]) -> String {
    let head = line(COLUMNS.iter().map(|name| (*name).to_owned()).chain(["not_recorded".to_owned()]));
    let rows: Vec<String> = lines.iter().map(row).collect();
    format!("{head}{}", rows.concat())
}

fn row(attendance: &Attendance) -> String {
    let Attendance { card, address, told_at, officer, attended_at, police_rung_at, action, in_part } = attendance;
    let time = |at: &Option<Timestamp>| at.map(|at| format!("{at:.0}")).unwrap_or_default();
    let nothing = String::new;
    let cells: [String; COLUMNS.len()] = [
        card.id.to_string(),
        card.customer_name.clone(),
        card.site_name.clone(),
        address.clone(),
        card.place.clone(),
        // A drill has a line, so that no reference is missing; it is counted among no kind of call.
        if card.drill.is_some() { "drill" } else { card.kind.as_str() }.to_owned(),
        format!("{:.0}", card.raised_at),
        time(told_at),
        officer.clone().unwrap_or_default(),
        nothing(),
        time(attended_at),
        time(police_rung_at),
        nothing(),
        nothing(),
        card.disposition.map(super::shape::disposition).map(str::to_owned).unwrap_or_default(),
        action.clone().unwrap_or_default(),
        time(&card.closed_at),
    ];
    let unread = COLUMNS.iter().zip(&cells).filter(|(name, cell)| *in_part && cell.is_empty() && IN_PART.contains(*name));
    let not_recorded: Vec<&str> = UNKNOWN.into_iter().chain(unread.map(|(name, _)| *name)).collect();
    let not_recorded = not_recorded.join(" ");
    line(cells.into_iter().chain([not_recorded]))
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| quoted(&cell)).collect();
    format!("{}\r\n", cells.join(","))
}

/// A cell. What people typed must not be a formula where a spreadsheet opens it.
fn quoted(cell: &str) -> String {
    let tamed = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() };
    format!("\"{}\"", tamed.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_typed_is_neither_a_formula_nor_another_cell() {
        assert_eq!(
            line(["a".to_owned(), "=1+1".to_owned(), "say \"no\", twice\r\n".to_owned()].into_iter()),
            "\"a\",\"'=1+1\",\"say \"\"no\"\", twice\r\n\"\r\n"
        );
    }

    #[test]
    fn what_is_not_known_is_a_column() {
        assert!(UNKNOWN.iter().chain(&IN_PART).all(|unknown| COLUMNS.contains(unknown)));
    }
}
