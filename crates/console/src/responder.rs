//! The page behind a link: one person, one activation, one question. Works on old phones and without scripts.
//!
//! GET and HEAD change nothing: scanners and previews open links. A POST stops the ladder only with evidence of a hand (I4).
//! Before an answer the page shows only what the text message showed; the link may have been forwarded.

mod form;
mod paper;
pub(crate) mod proof;

use std::sync::Arc;

use axum::Extension;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use escalation::acknowledgement::Gesture;
use escalation::verdict::Verdict;
use station::view::ResponderView;

use crate::caller::{Peer, network};
use crate::room::Room;
use form::{Choice, Form};
use proof::{Freshness, Stage};

/// The page's routes.
pub(crate) fn routes() -> Router<Arc<Room>> {
    Router::new().route("/a/{token}", get(show).post(answer))
}

/// Shortest and longest token that is looked up at all (mechanisms: 11 characters of base64url).
const TOKEN_LENGTHS: std::ops::RangeInclusive<usize> = 11..=43;

type PeerSeen = Option<Extension<ConnectInfo<Peer>>>;

async fn show(State(room): State<Arc<Room>>, Path(token): Path<String>, RawQuery(query): RawQuery, peer: PeerSeen) -> Response {
    let view = match find(&room, &token, peer).await {
        Ok(view) => view,
        Err(response) => return response,
    };
    let said = match query.as_deref() {
        Some("again") => Some(paper::NOT_YET),
        Some("noted") => Some(paper::NOTED),
        Some(_) | None => None,
    };
    paper::page(&room, &token, &view, said)
}

async fn answer(
    State(room): State<Arc<Room>>,
    Path(token): Path<String>,
    peer: PeerSeen,
    body: Result<axum::Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let view = match find(&room, &token, peer).await {
        Ok(view) => view,
        Err(response) => return response,
    };
    let form = match body {
        Ok(axum::Form(pairs)) => Form::read(pairs),
        Err(_) => Form::default(),
    };
    let evidence = weigh(&room, &token, &form);
    let gesture = evidence.gesture();
    // A call for help is taken from whatever sends it, however often.
    if gesture == Gesture::Missing && form.choice != Some(Choice::InNeed) {
        room.counters.unproven_answers.inc();
        // Recorded so often as it says something new; more would only fill the record.
        // Steps ticked in haste must not use up what is left for answers.
        let lane = if matches!(form.choice, Some(Choice::Step(_))) { format!("{token} step") } else { token.clone() };
        if room.unproven.strike(lane) {
            return paper::page(&room, &token, &view, Some(paper::NOT_YET));
        }
    }
    match room.desk.answer_link(&token, form.reply(), gesture).await {
        Ok(Some(Verdict::Durable(_))) if form.choice == Some(Choice::InNeed) => paper::noted(&token),
        Ok(Some(Verdict::Durable(outcome))) => match evidence {
            Evidence::Hand if outcome.counted => paper::done(&token),
            Evidence::Hand => paper::page(&room, &token, &view, Some(paper::NOT_COUNTED)),
            Evidence::None(choice) => paper::ask(&room, &token, &view, choice),
            Evidence::TooFast | Evidence::Stale | Evidence::WrongWord => paper::page(&room, &token, &view, Some(paper::NOT_YET)),
        },
        Ok(Some(Verdict::Refused(_))) => paper::page(&room, &token, &view, Some(paper::NOT_COUNTED)),
        Ok(Some(Verdict::NotTaken(_))) | Err(_) => paper::not_sent(),
        Ok(None) => paper::unknown(),
    }
}

/// What came with a POST as evidence of a hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// A pointer or key event on the page, or the right button of the question.
    Hand,
    /// A choice and nothing else: ask.
    None(Choice),
    TooFast,
    Stale,
    WrongWord,
}

impl Evidence {
    fn gesture(self) -> Gesture {
        match self {
            Self::Hand => Gesture::Shown,
            Self::None(_) | Self::TooFast | Self::Stale | Self::WrongWord => Gesture::Missing,
        }
    }
}

fn weigh(room: &Room, token: &str, form: &Form) -> Evidence {
    let Some(choice) = form.choice else {
        return Evidence::Stale;
    };
    let asked = form.word.as_deref();
    let stage = match asked {
        Some(_) => Stage::Question(choice.as_str()),
        None => Stage::Page,
    };
    match room.proof.judge(token, stage, &form.nonce) {
        Freshness::Stale => Evidence::Stale,
        Freshness::TooFast => Evidence::TooFast,
        Freshness::Good => match asked {
            Some(word) => {
                // Spent either way: one wrong press spoils the question, a right one needs no second.
                room.proof.spend(&form.nonce);
                if word == room.proof.question(token, &form.nonce).word { Evidence::Hand } else { Evidence::WrongWord }
            }
            None if form.hand => {
                room.proof.spend(&form.nonce);
                Evidence::Hand
            }
            None => Evidence::None(choice),
        },
    }
}

/// Finds what a link shows. A right link is never refused for what others did; wrong ones are counted, and
/// never more than a few of all these questions stand before the watch at once.
async fn find(room: &Room, token: &str, peer: PeerSeen) -> Result<ResponderView, Response> {
    let plausible = TOKEN_LENGTHS.contains(&token.len()) && token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if plausible {
        let turn = room.guesses.acquire().await;
        let found = room.desk.responder(token).await;
        drop(turn);
        match found {
            Ok(Some(view)) => return Ok(view),
            Ok(None) => {}
            Err(_) => return Err(paper::not_sent()),
        }
    }
    room.counters.wrong_links.inc();
    let ip = match peer {
        Some(Extension(ConnectInfo(Peer::Net(ip)))) => Some(ip),
        Some(Extension(ConnectInfo(Peer::Os(_)))) | None => None,
    };
    if room.failures.strike(network(ip)) {
        return Err(paper::plain(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many wrong links came from this address",
            "Wait a minute and open the link again, all of it. Nothing has been acknowledged. To answer now, reply by text.",
        ));
    }
    Err(paper::unknown())
}
