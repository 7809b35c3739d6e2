//! `GET /`: what is open, worst first; what was closed in the last day below; troubles on top.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use escalation::dispatch::Purpose;
use escalation::out_of_service::Defect;
use escalation::time::{SignedDuration, Timestamp};
use escalation::trouble::Cause;
use station::desk::DeskError;
use station::view::{Card, Query, TellingView, ToldView, TroubleView};

use super::row::{self, Row};
use super::seat::{self, Seat};
use super::service::{self, Withdrawal};
use super::testing::Line;
use super::{Frame, html, trouble};
use crate::caller::{Caller, Visitor};
use crate::moment;
use crate::problem::Problem;
use crate::roles::Action;
use crate::room::Room;

/// How many of the messages about a trouble are shown.
const TOLD_MAX: usize = 6;
/// How many open activations are shown; the list says so where there are more.
const OPEN_MAX: usize = 1_000;
/// How many closed ones are.
const CLOSED_MAX: u16 = 50;

#[derive(Template)]
#[template(path = "queue.html")]
struct Page {
    frame: Frame,
    seats: Vec<Seat>,
    region: Region,
}

#[derive(Template)]
#[template(path = "queue_region.html")]
#[expect(clippy::struct_excessive_bools, reason = "each is read on its own by the template")]
struct Region {
    csrf: String,
    back: &'static str,
    now: String,
    now_ms: i64,
    unowned: usize,
    more: bool,
    open: Vec<Row>,
    drills: Vec<Row>,
    closed: Vec<Row>,
    unread: bool,
    troubles: Vec<String>,
    desks: Vec<seat::Line>,
    tests: Vec<Line>,
    may_test: bool,
    out: Vec<Withdrawal>,
    may_serve: bool,
    defects: Vec<(&'static str, &'static str)>,
    may_drill: bool,
    endings: Vec<(&'static str, &'static str)>,
    thresholds: Vec<(usize, &'static str)>,
}

pub(super) async fn page(State(room): State<Arc<Room>>, Visitor(caller): Visitor) -> Response {
    let shown = async { Ok::<_, Problem>((look(&room, &caller).await?, seat::seats(&room, &caller).await?)) };
    match shown.await {
        Ok((region, seats)) => html(StatusCode::OK, &Page { frame: Frame::new(&room, Some(&caller)), seats, region }),
        Err(problem) => trouble(&room, Some(&caller), problem, "/"),
    }
}

pub(super) async fn region(State(room): State<Arc<Room>>, caller: Caller) -> Result<Response, Problem> {
    Ok(html(StatusCode::OK, &look(&room, &caller).await?))
}

/// How many open calls within a reader's scope nobody has taken up. Drills count for nobody.
pub(super) async fn unowned(room: &Room, caller: &Caller) -> Result<usize, Problem> {
    let (open, _more) = open(room, caller).await?;
    Ok(open.iter().filter(|card| card.drill.is_none() && row::is_unowned(card)).count())
}

async fn look(room: &Room, caller: &Caller) -> Result<Region, Problem> {
    caller.must(Action::See)?;
    let now = room.desk.turn().await?;
    let (mut open, more) = open(room, caller).await?;
    open.sort_by_key(row::urgency);
    let day_ago = now.saturating_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
    let closed = Query { scope: caller.scope.clone(), open: Some(false), from: Some(day_ago), limit: CLOSED_MAX, ..Query::default() };
    // What is open comes from memory and is shown even while the record cannot be read.
    let (closed, unread) = match room.desk.list(closed).await {
        Ok(page) => (page.cards, false),
        Err(DeskError::Record(_)) => (Vec::new(), true),
        Err(why @ (DeskError::Stopping | DeskError::Cursor)) => return Err(why.into()),
    };
    let troubles = room.desk.troubles(caller.scope.clone()).await?;
    let desks = seat::desks(room, caller).await?;
    let tests = room.desk.tests(caller.scope.clone()).await?;
    let out = room.desk.out_of_service(caller.scope.clone()).await?;
    let rows = |cards: &[Card]| cards.iter().map(|card| Row::new(card, now, caller)).collect();
    let (drills, open): (Vec<Card>, Vec<Card>) = open.into_iter().partition(|card| card.drill.is_some());
    Ok(Region {
        csrf: caller.csrf.clone(),
        back: "queue",
        now: moment::clock(now, "UTC"),
        now_ms: now.as_millisecond(),
        unowned: open.iter().filter(|card| row::is_unowned(card)).count(),
        more,
        open: rows(&open),
        drills: rows(&drills),
        closed: rows(&closed),
        unread,
        troubles: troubles.iter().map(|t| trouble_words(t, now)).collect(),
        desks: desks.iter().map(|desk| seat::Line::new(desk, now)).collect(),
        tests: tests.iter().map(|test| Line::new(test, now)).collect(),
        may_test: caller.role.may(Action::Test),
        out: out.iter().map(|out| Withdrawal::new(out, now)).collect(),
        may_serve: caller.role.may(Action::Serve),
        defects: Defect::ALL.map(|defect| (defect.as_str(), service::words(defect))).to_vec(),
        may_drill: caller.role.may(Action::Drill),
        endings: row::endings(),
        thresholds: row::thresholds(),
    })
}

async fn open(room: &Room, caller: &Caller) -> Result<(Vec<Card>, bool), Problem> {
    let mut query = Query { scope: caller.scope.clone(), open: Some(true), limit: 200, ..Query::default() };
    let mut cards = Vec::new();
    loop {
        let page = room.desk.list(query.clone()).await?;
        cards.extend(page.cards);
        match page.next_cursor {
            Some(_) if cards.len() >= OPEN_MAX => return Ok((cards, true)),
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok((cards, false)),
        }
    }
}

/// What is wrong, and what to do about it.
fn trouble_words(trouble: &TroubleView, now: Timestamp) -> String {
    let what = match &trouble.cause {
        Cause::BrokerAway => "The broker is away: buttons cannot reach us. Tell the sites to use phones.".to_owned(),
        Cause::SubscriptionRefused { filter } => {
            format!("The broker refused the topic {filter}: presses on it do not reach us. Mend its access list.")
        }
        Cause::SessionLost => "The broker lost our session: presses it held meanwhile are gone. Ask the sites.".to_owned(),
        Cause::BrokerSetting { lacks } => {
            format!("The broker lacks a setting that keeps presses safe ({lacks}). Run `cooee doctor`.")
        }
        Cause::RecordUnsigned => {
            "The record is not signed: what happens now is kept, but cannot be proven to others. Alarms go on. See the log, and the page on troubles."
                .to_owned()
        }
        Cause::SpoolPutAside => {
            "A spool was put aside: it holds what was done while the record was away and is not in it. Keep the file, ask for help."
                .to_owned()
        }
        Cause::ErasureFailing => {
            "What was erased may be there: the list of erasures does not read, or a value could not be deleted. Alarms go on. See the log, and the page on troubles."
                .to_owned()
        }
        Cause::KeyReplaced => {
            "The station's key was replaced: codes and links sent before are dead, so nobody can answer by them. Ring those people; put station.key back."
                .to_owned()
        }
        Cause::RecordUnreachable => "The record is unreachable: ladders run, entries are in the spool. Mend the database.".to_owned(),
        Cause::DirectoryBroken => "The directory file is missing or broken: the last good one is in force. Run `cooee check`.".to_owned(),
        Cause::ProviderDown { carrier } => format!("The provider {carrier} takes no messages. Run `cooee doctor`."),
        Cause::RepliesUnread { carrier } => {
            format!("Replies kept by {carrier} cannot be read: answers by text may be unheard. Ring whoever was told; run `cooee doctor`.")
        }
        Cause::CreditLow { carrier, gone: true } => {
            format!("The account {carrier} has no credit: its next message will most likely be refused. Top it up now.")
        }
        Cause::CreditLow { carrier, gone: false } => {
            format!("The account {carrier} has less credit than it should have: without any it sends nothing. Top it up.")
        }
        Cause::CreditUnread { carrier } => {
            format!("The account {carrier} does not say what credit it has: it may have none. Look at its console; run `cooee doctor`.")
        }
        Cause::AnchorFailing { anchor } => format!(
            "The anchor {anchor} does not take checkpoints of the record: it cannot vouch later for what is recorded now. Alarms go on. Run `cooee doctor`."
        ),
        Cause::Coverage { ladder, site } => {
            format!("The ladder {ladder} at {site} had a step with nobody to tell. Mend the directory.")
        }
        Cause::CoverageGap { ladder, site, from } => format!(
            "From {} a press at {site} would be told to nobody (ladder {ladder}). Put somebody on duty; run `cooee check`.",
            moment::day(*from, &trouble.timezone)
        ),
        Cause::StandInUndone { roster } => format!(
            "Somebody was to stand in on the roster {roster} and is not on duty by the directory in force: whoever they were to stand in for is so alone. See who is on duty, and name somebody else."
        ),
        Cause::DeskUnarmed { centre } => format!(
            "Nobody is at the desk of {centre}, which ladders count on: it is passed over. Sit down there and start the shift."
        ),
        Cause::OptedOut { person } => {
            format!("The phone of {person} blocks our messages. Ask them to text START to our number.")
        }
        Cause::Tampered { site } => format!("A button at {site} was opened. Ask the site."),
        Cause::Chatter { device } => {
            format!("The button {device} is pressed as no hand presses. Look after it; until then every press of it is still a call.")
        }
        Cause::DeviceSilent { device } => {
            format!("The button {device} has not been heard for longer than it may be silent: a press of it may not reach us. See that it works, and press it to test.")
        }
        Cause::SiteBlind { site } => {
            format!("No watched button at {site} is heard: a press there may reach nobody. Ring the site and tell them to use phones; find out why.")
        }
        Cause::BatteryLow { device } => format!("The battery of {device} runs out. Change it, and press it to test."),
        Cause::Overflow { queue } => format!("The queue {queue} was full: a signal is not recorded in full."),
        Cause::Fault { activation: Some(id) } => {
            format!("A fault of the program concerns {id}: watch it by hand and report it.")
        }
        Cause::Fault { activation: None } => "A fault of the program was recorded: report it.".to_owned(),
    };
    let told = trouble.telling.as_ref().map(|telling| told_words(telling, &trouble.timezone)).unwrap_or_default();
    format!("{what} For {}.{told}", moment::span(trouble.since, now))
}

/// Who knows of it, and who looks after it: what is not known to have been told is shown as not told.
fn told_words(telling: &TellingView, timezone: &str) -> String {
    let Some(next) = telling.next_at else {
        return " Nobody is told of it: there is no technical ladder.".to_owned();
    };
    let Some(reference) = &telling.reference else {
        return format!(" People are told at {} if it lasts.", moment::clock(next, timezone));
    };
    let told = telling.messages.iter().filter(|told| matches!(told.purpose, Purpose::Trouble | Purpose::TroubleAgain));
    let line = |told: &ToldView| {
        let (done, outcome) = match told.outcome {
            "failed" => ("tried", "NOT sent"),
            "queued" => ("trying", "not sent yet"),
            outcome => ("told", outcome),
        };
        format!("{done} {} by {} at {} ({outcome})", told.to, told.medium.as_str(), moment::clock(told.queued_at, timezone))
    };
    let lines: Vec<String> = told.map(line).collect();
    let earlier = lines.len().saturating_sub(TOLD_MAX);
    let told = match (lines.get(earlier..).unwrap_or_default(), earlier) {
        ([], _) => "nobody could be told".to_owned(),
        (latest, 0) => latest.join(", "),
        (latest, earlier) => format!("{earlier} messages before, then {}", latest.join(", ")),
    };
    let unheard = if telling.unheard { "; NOBODY was told" } else { "" };
    let taken = match &telling.taken_by {
        Some(name) => format!("; {name} looks after it"),
        None => "; nobody has said to look after it".to_owned(),
    };
    format!(" {reference}: {told}{unheard}{taken}; next at {}.", moment::clock(next, timezone))
}
