//! What a responder reads. Before an answer it is no more than the text message said.

use askama::Template;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use escalation::acknowledgement::Commitment;
use escalation::signal::Kind;
use station::view::{Beside, Card, ResponderAnswer, ResponderView, State as Stands};

use super::form::Choice;
use super::proof::{Question, Stage};
use crate::assets::{ICON, RESPONDER_JS, RESPONDER_STYLE};
use crate::problem::Problem;
use crate::room::Room;
use crate::{moment, security};

pub(super) const NOT_YET: &str = "Nothing has been acknowledged yet. Press the button again.";
/// After a call for help. Whoever else may read the phone learns nothing from it.
pub(super) const NOTED: &str = "Recorded.";
pub(super) const NOT_COUNTED: &str = "Your answer is recorded, but it did not change anything. What holds now is below.";

pub(super) fn unknown() -> Response {
    plain(
        StatusCode::NOT_FOUND,
        "This link does not lead anywhere",
        "It is incomplete, or the call it was for is over. Nothing has been acknowledged. If you have just been alarmed, reply by text.",
    )
}

pub(super) fn not_sent() -> Response {
    let mut response = plain(
        StatusCode::SERVICE_UNAVAILABLE,
        "NOT SENT - reply by text",
        "The station could not take your answer. Nothing has been acknowledged. Reply by text with the code in the message, or try again.",
    );
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// To the page itself, so that loading it again sends nothing again.
pub(super) fn done(token: &str) -> Response {
    let mut response = Redirect::to(&format!("/a/{token}")).into_response();
    private(&mut response);
    response
}

/// To the page, which then says no more than that something was recorded.
pub(super) fn noted(token: &str) -> Response {
    let mut response = Redirect::to(&format!("/a/{token}?noted")).into_response();
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
#[expect(clippy::struct_excessive_bools, reason = "each is read on its own by the template")]
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
    drill: bool,
    reference: String,
    closed: bool,
    answer: &'static str,
    accepted: bool,
    there: bool,
    rendezvous: &'a str,
    view: &'a ResponderView,
    others: Vec<String>,
    nearby: Vec<String>,
    nonce: String,
    choices: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "responder_question.html")]
struct Asked<'a> {
    style: &'a str,
    icon: &'a str,
    choice: Choice,
    is_step: bool,
    drill: bool,
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

pub(super) fn page(room: &Room, token: &str, view: &ResponderView, said: Option<&str>) -> Response {
    let Ok(nonce) = room.proof.nonce(token, Stage::Page) else {
        return not_sent();
    };
    let card = &view.card;
    let closed = card.state == Stands::Closed;
    let accepted = match view.answer {
        ResponderAnswer::None | ResponderAnswer::Declined => false,
        ResponderAnswer::Going | ResponderAnswer::Helping | ResponderAnswer::Joined | ResponderAnswer::Arrived => true,
    };
    let drill = card.drill.is_some();
    let (what, covert) = if drill { ("DRILL", false) } else { heading(card.kind) };
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
        drill,
        reference: card.id.to_string(),
        closed,
        answer: if drill { drill_words(view.answer) } else { answer_words(view.answer) },
        accepted,
        there: view.answer == ResponderAnswer::Arrived,
        rendezvous: view.approach.iter().find(|(name, _)| *name == "Meet at").map_or("", |(_, words)| words),
        view,
        others: if accepted { others(view) } else { Vec::new() },
        nearby: nearby(card, accepted),
        nonce,
        choices: match (closed, drill) {
            // Whoever is in danger may say so after a drill as well: it ended when nobody foresaw it.
            (true, true) => vec![Choice::InNeed],
            (true, false) => Vec::new(),
            (false, true) => choices_in_drill(view.answer),
            (false, false) => choices(view),
        },
    };
    html(StatusCode::OK, &shown)
}

/// What else is open at the site, where whoever comes there comes to both. Before an answer that is what the text says of it.
fn nearby(card: &Card, accepted: bool) -> Vec<String> {
    let line = |beside: &Beside| {
        if !accepted {
            return beside.id.to_string();
        }
        let going = if beside.is_answered { "somebody is going" } else { "nobody is going yet" };
        format!("{}, {}, {going} ({})", beside.place, moment::clock(beside.raised_at, &card.timezone), beside.id)
    };
    card.beside.iter().map(line).collect()
}

/// What is called for, and whether nobody at the place may notice.
fn heading(kind: Kind) -> (&'static str, bool) {
    match kind {
        Kind::Duress => ("DURESS", true),
        Kind::Panic => ("PANIC ALARM", false),
        Kind::Medical => ("MEDICAL", false),
        Kind::Welfare => ("WELFARE CHECK", true),
        Kind::Assist => ("SUPPORT asked for (not duress)", false),
    }
}

pub(super) fn ask(room: &Room, token: &str, view: &ResponderView, choice: Choice) -> Response {
    let Ok(nonce) = room.proof.nonce(token, Stage::Question(choice.as_str())) else {
        return not_sent();
    };
    let asked = Asked {
        style: RESPONDER_STYLE.path(),
        icon: ICON.path(),
        choice,
        is_step: matches!(choice, Choice::Step(_)),
        drill: view.card.drill.is_some(),
        site: &view.card.site_name,
        place: &view.card.place,
        question: room.proof.question(token, &nonce),
        nonce,
    };
    html(StatusCode::OK, &asked)
}

pub(super) fn plain(status: StatusCode, title: &str, detail: &str) -> Response {
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

fn choices(view: &ResponderView) -> Vec<Choice> {
    let police = match view.card.police.as_ref().map(|police| police.state) {
        None => (view.answer != ResponderAnswer::None).then_some(Choice::PoliceNeeded),
        Some("rung") => None,
        Some(_to_ring) => Some(Choice::PoliceRung),
    };
    answers(view.answer).into_iter().chain(police).collect()
}

fn answers(answer: ResponderAnswer) -> Vec<Choice> {
    match answer {
        ResponderAnswer::None => vec![Choice::Going, Choice::Helping, Choice::Cannot],
        ResponderAnswer::Going | ResponderAnswer::Joined | ResponderAnswer::Arrived => {
            vec![Choice::Arrived, Choice::Cannot, Choice::InNeed]
        }
        ResponderAnswer::Helping => vec![Choice::Going, Choice::Arrived, Choice::Cannot],
        ResponderAnswer::Declined => vec![Choice::Going, Choice::Helping],
    }
}

/// Whoever reads the page of a drill can say at any time that there is danger after all. Nobody arrives, and no police are rung.
fn choices_in_drill(answer: ResponderAnswer) -> Vec<Choice> {
    let answers = match answer {
        ResponderAnswer::None => vec![Choice::Going, Choice::Helping, Choice::Cannot],
        ResponderAnswer::Going | ResponderAnswer::Joined | ResponderAnswer::Arrived => vec![Choice::Cannot],
        ResponderAnswer::Helping => vec![Choice::Going, Choice::Cannot],
        ResponderAnswer::Declined => vec![Choice::Going, Choice::Helping],
    };
    answers.into_iter().chain([Choice::InNeed]).collect()
}

fn drill_words(answer: ResponderAnswer) -> &'static str {
    match answer {
        ResponderAnswer::None => "",
        ResponderAnswer::Going | ResponderAnswer::Helping | ResponderAnswer::Joined | ResponderAnswer::Arrived => {
            "Recorded for the drill. Do not go."
        }
        ResponderAnswer::Declined => "Recorded for the drill: you can't.",
    }
}

fn answer_words(answer: ResponderAnswer) -> &'static str {
    match answer {
        ResponderAnswer::None => "",
        ResponderAnswer::Going => "Recorded: you are going.",
        ResponderAnswer::Helping => "Recorded: you are helping remotely.",
        ResponderAnswer::Joined => "Recorded: you have joined. Somebody else answered first.",
        ResponderAnswer::Arrived => {
            "Recorded: you have arrived. Every few minutes we ask whether you are safe; without an answer help is sent to you."
        }
        ResponderAnswer::Declined => "Recorded: you can't. The next person is asked.",
    }
}

fn others(view: &ResponderView) -> Vec<String> {
    view.card
        .going
        .iter()
        .filter(|going| going.name != view.name)
        .map(|going| match going.commitment {
            Commitment::Going | Commitment::Verifying if going.arrived_at.is_some() => format!("{} is there", going.name),
            Commitment::Going => format!("{} is going", going.name),
            Commitment::Verifying => format!("{} is helping remotely", going.name),
        })
        .collect()
}
