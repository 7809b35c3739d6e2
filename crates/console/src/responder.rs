//! The page behind a link: one person, one activation, one question. Works on old phones and without scripts.
//!
//! GET and HEAD change nothing: scanners and previews open links. A POST stops the ladder only with evidence of a hand (I4).
//! Before an answer the page shows only what the text message showed; the link may have been forwarded.

pub(crate) mod proof;

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use escalation::acknowledgement::{Commitment, Gesture, Reply};
use escalation::signal::Kind;
use escalation::verdict::Verdict;
use station::view::{ResponderAnswer, ResponderView, State as Stands};

use crate::assets::{ICON, RESPONDER_JS, RESPONDER_STYLE};
use crate::caller::{Peer, network};
use crate::problem::Problem;
use crate::room::Room;
use crate::{moment, security};
use proof::{Freshness, Question, Stage};

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
    let said = (query.as_deref() == Some("again")).then_some(NOT_YET);
    page(&room, &token, &view, said)
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
    if gesture == Gesture::Missing {
        room.counters.unproven_answers.inc();
        // Recorded so often as it says something new; more would only fill the record.
        if room.unproven.strike(token.clone()) {
            return page(&room, &token, &view, Some(NOT_YET));
        }
    }
    match room.desk.answer_link(&token, form.reply(), gesture).await {
        Ok(Some(Verdict::Durable(outcome))) => match evidence {
            Evidence::Hand if outcome.counted => done(&token),
            Evidence::Hand => page(&room, &token, &view, Some(NOT_COUNTED)),
            Evidence::None(choice) => ask(&room, &token, &view, choice),
            Evidence::TooFast | Evidence::Stale | Evidence::WrongWord => page(&room, &token, &view, Some(NOT_YET)),
        },
        Ok(Some(Verdict::Refused(_))) => page(&room, &token, &view, Some(NOT_COUNTED)),
        Ok(Some(Verdict::NotTaken(_))) | Err(_) => not_sent(),
        Ok(None) => unknown(),
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

/// What the buttons say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Going,
    Helping,
    Cannot,
}

impl Choice {
    fn as_str(self) -> &'static str {
        match self {
            Self::Going => "going",
            Self::Helping => "helping",
            Self::Cannot => "cannot",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Going => "I am going",
            Self::Helping => "Helping remotely",
            Self::Cannot => "I can't",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::Going, Self::Helping, Self::Cannot].into_iter().find(|choice| choice.as_str() == text)
    }
}

/// A form as it came: what is unknown in it is passed over, what is missing is no evidence.
#[derive(Default)]
struct Form {
    choice: Option<Choice>,
    nonce: String,
    hand: bool,
    word: Option<String>,
}

impl Form {
    fn read(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "choice" => form.choice = Choice::read(&value),
                "nonce" => form.nonce = value,
                "hand" => form.hand = value == "pointer" || value == "key",
                "word" => form.word = Some(value),
                _unknown => {}
            }
        }
        form
    }

    fn reply(&self) -> Reply {
        match self.choice {
            Some(Choice::Going) => Reply::Going { code: None },
            Some(Choice::Helping) => Reply::Helping { code: None },
            Some(Choice::Cannot) => Reply::Cannot { code: None },
            None => Reply::NotAnAnswer,
        }
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
            Err(_) => return Err(not_sent()),
        }
    }
    room.counters.wrong_links.inc();
    let ip = match peer {
        Some(Extension(ConnectInfo(Peer::Net(ip)))) => Some(ip),
        Some(Extension(ConnectInfo(Peer::Os(_)))) | None => None,
    };
    if room.failures.strike(network(ip)) {
        return Err(plain(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many wrong links came from this address",
            "Wait a minute and open the link again, all of it. Nothing has been acknowledged. To answer now, reply by text.",
        ));
    }
    Err(unknown())
}

const NOT_YET: &str = "Nothing has been acknowledged yet. Press the button again.";
const NOT_COUNTED: &str = "Your answer is recorded, but it did not change anything. What holds now is below.";

fn unknown() -> Response {
    plain(
        StatusCode::NOT_FOUND,
        "This link does not lead anywhere",
        "It is incomplete, or the call it was for is over. Nothing has been acknowledged. If you have just been alarmed, reply by text.",
    )
}

fn not_sent() -> Response {
    let mut response = plain(
        StatusCode::SERVICE_UNAVAILABLE,
        "NOT SENT - reply by text",
        "The station could not take your answer. Nothing has been acknowledged. Reply by text with the code in the message, or try again.",
    );
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// To the page itself, so that loading it again sends nothing again.
fn done(token: &str) -> Response {
    let mut response = Redirect::to(&format!("/a/{token}")).into_response();
    private(&mut response);
    response
}

fn private(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, security::RESPONDER);
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow, noarchive"));
}

#[derive(Template)]
#[template(path = "responder.html")]
struct Shown<'a> {
    style: &'a str,
    script: &'a str,
    icon: &'a str,
    said: &'a str,
    what: &'static str,
    site: &'a str,
    place: &'a str,
    at: String,
    covert: bool,
    reference: String,
    closed: bool,
    answer: &'static str,
    answered: bool,
    view: &'a ResponderView,
    others: Vec<String>,
    nonce: String,
    choices: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "responder_question.html")]
struct Asked<'a> {
    style: &'a str,
    icon: &'a str,
    choice: Choice,
    site: &'a str,
    place: &'a str,
    nonce: String,
    question: Question,
}

#[derive(Template)]
#[template(path = "responder_plain.html")]
struct Plain<'a> {
    style: &'a str,
    icon: &'a str,
    title: &'a str,
    detail: &'a str,
}

fn page(room: &Room, token: &str, view: &ResponderView, said: Option<&str>) -> Response {
    let Ok(nonce) = room.proof.nonce(token, Stage::Page) else {
        return not_sent();
    };
    let card = &view.card;
    let closed = card.state == Stands::Closed;
    let answered = view.answer != ResponderAnswer::None;
    let (what, covert) = match card.kind {
        Kind::Duress => ("DURESS", true),
        Kind::Panic => ("PANIC ALARM", false),
        Kind::Medical => ("MEDICAL", false),
        Kind::Assist => ("SUPPORT asked for (not duress)", false),
    };
    let shown = Shown {
        style: RESPONDER_STYLE.path(),
        script: RESPONDER_JS.path(),
        icon: ICON.path(),
        said: said.unwrap_or_default(),
        what,
        site: &card.site_name,
        place: &card.place,
        at: moment::minute(card.raised_at, &card.timezone),
        covert,
        reference: card.id.to_string(),
        closed,
        answer: answer_words(view.answer),
        answered,
        view,
        others: if answered { others(view) } else { Vec::new() },
        nonce,
        choices: if closed { Vec::new() } else { choices(view.answer) },
    };
    html(StatusCode::OK, &shown)
}

fn ask(room: &Room, token: &str, view: &ResponderView, choice: Choice) -> Response {
    let Ok(nonce) = room.proof.nonce(token, Stage::Question(choice.as_str())) else {
        return not_sent();
    };
    let asked = Asked {
        style: RESPONDER_STYLE.path(),
        icon: ICON.path(),
        choice,
        site: &view.card.site_name,
        place: &view.card.place,
        question: room.proof.question(token, &nonce),
        nonce,
    };
    html(StatusCode::OK, &asked)
}

fn plain(status: StatusCode, title: &str, detail: &str) -> Response {
    let page = Plain { style: RESPONDER_STYLE.path(), icon: ICON.path(), title, detail };
    html(status, &page)
}

fn html(status: StatusCode, page: &impl Template) -> Response {
    let mut response = match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "page",
            "NOT SENT - reply by text",
            format!("The page could not be made: {error}. Nothing has been acknowledged."),
        )
        .into_response(),
    };
    private(&mut response);
    response
}

fn choices(answer: ResponderAnswer) -> Vec<Choice> {
    match answer {
        ResponderAnswer::None => vec![Choice::Going, Choice::Helping, Choice::Cannot],
        ResponderAnswer::Going | ResponderAnswer::Joined => vec![Choice::Cannot],
        ResponderAnswer::Helping => vec![Choice::Going, Choice::Cannot],
        ResponderAnswer::Declined => vec![Choice::Going, Choice::Helping],
    }
}

fn answer_words(answer: ResponderAnswer) -> &'static str {
    match answer {
        ResponderAnswer::None => "",
        ResponderAnswer::Going => "Recorded: you are going.",
        ResponderAnswer::Helping => "Recorded: you are helping remotely.",
        ResponderAnswer::Joined => "Recorded: you have joined. Somebody else answered first.",
        ResponderAnswer::Declined => "Recorded: you can't. The next person is asked.",
    }
}

fn others(view: &ResponderView) -> Vec<String> {
    view.card
        .going
        .iter()
        .filter(|going| going.name != view.name)
        .map(|going| match going.commitment {
            Commitment::Going => format!("{} is going", going.name),
            Commitment::Verifying => format!("{} is helping remotely", going.name),
        })
        .collect()
}
