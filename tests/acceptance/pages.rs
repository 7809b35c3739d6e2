//! The pages in a real browser: live, clickable, honest when they are not live, and silent in the console.
//!
//! `COOEE_SCREENSHOTS=DIR` keeps a picture of each step.

use std::time::Duration;

use harness::{Browser, Smtp, wait};

use crate::evidence::Evidence;
use crate::seats::DESK_FIRST;
use crate::town::{SMITH_FIRST, SMITH_MAIL, Town};

/// What the page calls too fast to have been read.
const READING: Duration = Duration::from_millis(2_100);
const BY_BOTH: &str = "\n[[ladder.rung]]\nnotify = [{ person = \"j-smith\", by = [[\"sms\", \"email\"]] }]\nwait = \"50m\"\n";

async fn picture(browser: &Browser, name: &str) {
    let path = browser.screenshot(name).await;
    if let Some(folder) = std::env::var_os("COOEE_SCREENSHOTS") {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(path, std::path::Path::new(&folder).join(format!("{name}.png"))).unwrap();
    }
}

/// No error, no warning and no report of a broken content policy; a browser's own advice is none of these.
async fn must_be_silent(browser: &Browser) {
    let lines: Vec<String> = browser.console().await.into_iter().filter(|line| !line.starts_with("DEBUG")).collect();
    assert!(lines.is_empty(), "the console says:\n{}", lines.join("\n"));
}

async fn logged_in(town: &Town) -> Browser {
    let browser = Browser::open().await;
    browser.goto(&town.daemon.url()).await;
    browser.expect_text("h1", "Log in").await;
    picture(&browser, "login").await;
    browser.type_into("input[name=key]", town.daemon.secret()).await;
    browser.click("form.login button").await;
    browser.expect_text("#live", "LIVE").await;
    browser
}

#[tokio::test]
async fn the_queue_is_live_and_an_operator_works_it_by_clicking() {
    let town = Town::open(SMITH_FIRST).await;
    let browser = logged_in(&town).await;
    browser.expect_text("#region", "Nothing is open").await;
    let act = town.press().await;
    browser.expect_text("#region", "1 UNOWNED").await;
    browser.expect_text("article.card", "Front counter 1").await;
    picture(&browser, "queue-unowned").await;
    let pressed = harness::Button::connect(&town.broker, "kalamunda-library", "back-office").await;
    pressed.press().await;
    browser.expect_text("#region", "2 UNOWNED").await;

    browser.click(&format!("form[action=\"/activations/{act}/claim\"] button")).await;
    browser.expect_text("#region", "1 UNOWNED").await;
    browser.click(&format!("#accept-{act} summary")).await;
    browser.type_into(&format!("#accept-form-{act} input[name=by]"), "J. Smith").await;
    browser.click(&format!("#accept-form-{act} button")).await;
    browser.expect_text("article.card", "J. Smith").await;
    town.expect_activation(&act, "accepted").await;
    picture(&browser, "queue-accepted").await;
    browser.click(&format!("#close-{act} summary")).await;
    browser.click(&format!("#close-form-{act} option[value=attended]")).await;
    browser.click(&format!("#close-form-{act} button")).await;
    town.expect_activation(&act, "closed").await;
    browser.expect_text("ul.closed", &act).await;
    browser.click(&format!("ul.closed a[href=\"/activations/{act}\"]")).await;
    browser.expect_text("section[aria-label=History]", "closed").await;
    picture(&browser, "activation").await;
    must_be_silent(&browser).await;
    let by = Evidence::of(&town.daemon).about(&act, "activation.closed")[0]["by"]["principal"].clone();
    assert!(by.as_str().is_some_and(|principal| !principal.is_empty()), "{by}");
}

#[tokio::test]
async fn a_queue_whose_station_died_says_so_and_recovers() {
    let mut town = Town::open(SMITH_FIRST).await;
    let browser = logged_in(&town).await;
    town.press().await;
    browser.expect_text("#region", "1 UNOWNED").await;
    must_be_silent(&browser).await;
    town.daemon.kill();
    browser.expect_text("#stale", "NOT LIVE").await;
    browser.expect_text("#stale", "cannot tell whether it does").await;
    assert!(!browser.text("#stale").await.contains("still run"), "no false comfort: nobody runs any ladder now");
    wait::until("the title to say so", async || browser.title().await.starts_with("NOT LIVE").then_some(())).await;
    browser.expect_text("article.card", "Front counter 1").await;
    picture(&browser, "queue-stale").await;
    town.daemon.start_again().await;
    // Sessions live in memory: the page leads to the log-in rather than to an old picture.
    browser.expect_text("h1", "Log in").await;
}

/// A town with a responder who has a link.
async fn with_link() -> (Town, Smtp, String, String) {
    let smtp = Smtp::start().await;
    let town = Town::with(BY_BOTH, |plan, gateway| plan.gateway("first", gateway).mail(&smtp.plain_url())).await;
    let act = town.press().await;
    let mail = smtp.expect_mail(SMITH_MAIL, "Front counter 1").await;
    let link = mail.text.split_whitespace().find(|word| word.contains("/a/")).unwrap().to_owned();
    (town, smtp, act, link)
}

#[tokio::test]
async fn a_responder_answers_with_one_press() {
    let (town, _smtp, act, link) = with_link().await;
    let browser = Browser::open().await;
    browser.resize(360, 740).await;
    browser.goto(&link).await;
    browser.expect_text("main", "Nobody has your answer yet").await;
    assert!(!browser.text("main").await.contains("Car park"), "no more than the text said, before an answer");
    picture(&browser, "responder").await;
    tokio::time::sleep(READING).await;
    browser.click("button[value=going]").await;
    browser.expect_text(".done", "you are going").await;
    browser.expect_text("dl", "Car park, under the lights").await;
    picture(&browser, "responder-going").await;
    must_be_silent(&browser).await;
    town.expect_activation(&act, "accepted").await;
    let evidence = Evidence::of(&town.daemon);
    assert_eq!(evidence.about(&act, "answer.accepted")[0]["by"]["via"], serde_json::json!({"link": "shown"}));
}

#[tokio::test]
async fn a_responder_whose_browser_runs_no_scripts_answers_with_two() {
    let (town, _smtp, act, link) = with_link().await;
    let browser = Browser::open().await;
    browser.scripts(false).await;
    browser.goto(&link).await;
    tokio::time::sleep(READING).await;
    browser.click("button[value=going]").await;
    browser.expect_text("h1", "One more press").await;
    picture(&browser, "responder-question").await;
    assert_eq!(town.activation(&act).await["state"], "climbing", "nothing has counted yet (I4)");
    let word = browser.text("b.word").await;
    tokio::time::sleep(READING).await;
    browser.click(&format!("button[value={word}]")).await;
    browser.expect_text(".done", "you are going").await;
    must_be_silent(&browser).await;
    town.expect_activation(&act, "accepted").await;
}

/// The page says ARMED by what it knows and by nothing else: not before a click, and not once nobody can be asked.
#[tokio::test]
async fn a_desk_is_armed_by_a_click_and_never_shown_so_without_a_station() {
    let mut town = Town::open(DESK_FIRST).await;
    let browser = logged_in(&town).await;
    browser.expect_text(".seat:not(.armed)", "NOT ARMED").await;
    browser.expect_text(".desks", "Night desk: NOT ARMED").await;
    picture(&browser, "desk-not-armed").await;
    browser.click("button.sit").await;
    browser.expect_text(".seat.armed", "ARMED").await;
    browser.expect_text(".desks", "1 console").await;
    picture(&browser, "desk-armed").await;
    // Whoever opens a call is still there.
    let act = town.press().await;
    browser.expect_text("#region", "1 UNOWNED").await;
    browser.click(&format!("article.card a[href=\"/activations/{act}\"]")).await;
    browser.expect_text("section[aria-label=History]", "raised").await;
    browser.expect_text(".seat.armed", "ARMED").await;
    assert_eq!(town.activation(&act).await["state"], "climbing");
    assert_eq!(Evidence::of(&town.daemon).kind("desk.armed").count(), 1, "a page after another is no entry");
    must_be_silent(&browser).await;
    town.daemon.kill();
    browser.expect_text(".seat:not(.armed)", "NOT ARMED").await;
    picture(&browser, "desk-lost").await;
    // Whoever sat here is not led away to a page that makes no sound: it says that they are logged out, and that nobody is there.
    town.daemon.start_again().await;
    browser.expect_text("#stale", "you are logged out").await;
    browser.expect_text(".seats", "NOT ARMED").await;
    browser.expect_text(".seats .why", "start the shift again").await;
    picture(&browser, "desk-logged-out").await;
    assert!(browser.text(".seats").await.contains("Start the shift"), "by a click, and by nothing else");
}

/// What arms is a click in this session. A page that is loaded again by itself arms while its last word holds, and somebody else's session not.
#[tokio::test]
async fn who_logs_in_on_a_page_that_somebody_left_arms_nothing() {
    let town = Town::open(DESK_FIRST).await;
    let browser = logged_in(&town).await;
    browser.click("button.sit").await;
    browser.expect_text(".seat.armed", "ARMED").await;
    browser.goto(&town.daemon.url()).await;
    browser.expect_text(".seat.armed", "ARMED").await;
    browser.click("form[action=\"/logout\"] button").await;
    browser.expect_text("h1", "Log in").await;
    browser.type_into("input[name=key]", town.daemon.secret()).await;
    browser.click("form.login button").await;
    browser.expect_text("#live", "LIVE").await;
    browser.expect_text(".seats", "Start the shift").await;
    browser.expect_text(".desks", "Night desk").await;
    assert!(browser.text(".seat").await.contains("NOT ARMED"));
}

/// Some seconds after the list was last brought, as in a quiet hour, a new call is heard in the moment in which it comes.
#[tokio::test]
async fn a_call_is_heard_at_once_at_an_armed_desk() {
    let town = Town::open(DESK_FIRST).await;
    let browser = logged_in(&town).await;
    browser.click("button.sit").await;
    browser.expect_text(".seat.armed", "ARMED").await;
    // When tones were made and when the list was asked for: six at once are a new call, four an old one.
    let listen = "window.tones = []; window.listed = Date.now(); const asked = window.fetch; const made = AudioContext.prototype.createOscillator; \
                  AudioContext.prototype.createOscillator = function () { window.tones.push(performance.now()); return made.call(this); }; \
                  window.fetch = (to, how) => { if (String(to).includes('/regions/')) window.listed = Date.now(); return asked(to, how); };";
    browser.execute(listen, &[]).await;
    wait::until("a list that was brought a while ago", async || {
        let quiet = browser.execute("return Date.now() - window.listed > 6500;", &[]).await;
        (quiet == true).then_some(())
    })
    .await;
    let _act = town.press().await;
    browser.expect_text("#region", "1 UNOWNED").await;
    let most = "return Math.max(0, ...window.tones.map((at) => window.tones.filter((tone) => tone >= at && tone < at + 100).length));";
    assert_eq!(browser.execute(most, &[]).await, 6, "a new call rings at once, and not with the next old one");
}

/// Whose list hangs sees no call, and a machine that could say nothing for two minutes has nobody at it until somebody clicks.
#[tokio::test]
async fn a_page_whose_list_hangs_is_not_armed_and_one_that_was_away_is_left() {
    let town = Town::open(DESK_FIRST).await;
    let browser = logged_in(&town).await;
    browser.click("button.sit").await;
    browser.expect_text(".seat.armed", "ARMED").await;
    browser.execute("const was = Date.now; Date.now = () => was() + 180000;", &[]).await;
    browser.expect_text(".seats .why", "Start the shift again").await;
    browser.expect_text(".seat:not(.armed)", "NOT ARMED").await;
    browser.click("button.sit").await;
    browser.expect_text(".seat.armed", "ARMED").await;
    let hang = "const asked = window.fetch; window.fetch = (to, how) => String(to).includes('/regions/') ? new Promise(() => {}) : asked(to, how);";
    browser.execute(hang, &[]).await;
    let _act = town.press().await;
    browser.expect_text(".seat:not(.armed)", "NOT ARMED").await;
    browser.expect_text("#live", "NOT LIVE").await;
    wait::until("the station to know", async || {
        let desks = town.daemon.api().must_get("/api/v1/desks").await;
        (desks["desks"][0]["armed"] == false).then_some(())
    })
    .await;
}
