//! What credit an account has: asked before an alarm needs it, and never believed where it is not said.

use escalation::id::CarrierName;
use escalation::input::Input;
use escalation::trouble::Cause;

use crate::gateway::Gateway;
use crate::templated::{gateway, shop};
use crate::watch::{Desk, TOKEN, Watch, clock, name};

const BALANCE: &str = "/2010-04-01/Accounts/ACfirst/Balance.json";

/// What was said of an account's credit, in order.
fn said(watch: &Watch) -> Vec<&'static str> {
    let words = |input: &Input| {
        let noticed = matches!(input, Input::TroubleNoticed(_));
        let (Input::TroubleNoticed(cause) | Input::TroubleCleared(cause)) = input else { return None };
        let low = |gone: bool| *cause == Cause::CreditLow { carrier: name_in(cause), gone };
        let words = [(low(false), "low", "not low"), (low(true), "gone", "not gone"), (is_unread(cause), "unread", "read")];
        let (_, there, over) = words.into_iter().find(|(is, _, _)| *is)?;
        Some(if noticed { there } else { over })
    };
    let mut said: Vec<_> = watch.inputs().iter().filter_map(words).collect();
    said.sort_unstable();
    said
}

/// Whose credit a trouble is about; anybody's where it is about none.
fn name_in(cause: &Cause) -> CarrierName {
    if let Cause::CreditLow { carrier, .. } = cause { carrier.clone() } else { name("none") }
}

fn is_unread(cause: &Cause) -> bool {
    matches!(cause, Cause::CreditUnread { .. })
}

async fn learned(desk: &Desk, expected: &[&str]) {
    let watch = Watch::new();
    let voice = desk.open(&watch);
    watch.until("a word about its credit", |watch| said(watch).len() >= expected.len()).await;
    assert_eq!(said(&watch), expected);
    voice.shutdown().await;
}

#[tokio::test]
async fn an_account_with_less_than_it_should_have_is_a_trouble() {
    let gateway = Gateway::start().await;
    let desk = Desk::new().sms("first", &gateway.url, "credit_low = 20");
    let shows = |body: &str| gateway.shows(BALANCE, 200, body);
    for (balance, expected) in [
        (r#"{"balance":"19.99","currency":"AUD"}"#, ["low", "not gone", "read"]),
        (r#"{"balance":"20.0","currency":"AUD"}"#, ["not gone", "not low", "read"]),
        (r#"{"balance":-3,"currency":"AUD"}"#, ["gone", "not low", "read"]),
        (r#"{"balance":1000,"currency":"AUD"}"#, ["not gone", "not low", "read"]),
    ] {
        shows(balance);
        learned(&desk, &expected).await;
    }
}

#[tokio::test]
async fn an_account_that_does_not_say_is_not_taken_for_one_with_credit() {
    let gateway = Gateway::start().await;
    let desk = Desk::new().sms("first", &gateway.url, "credit_low = 20.5");
    for body in [r#"{"balance":null}"#, r#"{"balance":"much"}"#, r#"{"balance":"NaN"}"#, "{}", "no json"] {
        gateway.shows(BALANCE, 200, body);
        learned(&desk, &["unread"]).await;
    }
    gateway.shows(BALANCE, 401, "{}");
    learned(&desk, &["unread"]).await;
}

#[tokio::test]
async fn an_account_that_is_not_to_be_asked_is_not_and_has_no_trouble_from_before() {
    let gateway = Gateway::start().await;
    learned(&Desk::new().sms("first", &gateway.url, ""), &["not gone", "not low", "read"]).await;
    assert!(gateway.at(BALANCE).is_empty());
}

#[tokio::test]
async fn accounts_of_every_kind_that_can_be_asked_are() {
    let (gateway_, _, desk) = shop().await;
    let toml = gateway(&desk, &gateway_.url, "") + &format!("[sms.credit]\nurl = \"{}/purse\"\nat = \"/left/0\"\nlow = 5\n", gateway_.url);
    gateway_.shows("/purse", 200, r#"{"left":["4.5"]}"#);
    learned(&desk.add(&toml), &["low", "not gone", "read"]).await;
    let asked = gateway_.at("/purse").remove(0);
    assert_eq!((asked.header("authorization").as_str(), asked.header("x-api-version").as_str()), ("Bearer s3cret", "3"));

    let hosted = |kind: &str, url: &str| {
        let desk = Desk::new();
        let token = desk.secret("token-preset", "s3cret\n");
        let account = format!(
            "[[sms]]\nname = \"second\"\nkind = \"{kind}\"\nuser = \"user\"\ntoken_file = {token:?}\nfrom = \"+61400000009\"\nbase_url = \"{url}\"\n\
             keep_warm = false\ncredit_low = 3\n"
        );
        desk.add(&account)
    };
    for (kind, path, body) in [
        ("clicksend", "/v3/account", r#"{"http_code":200,"response_code":"SUCCESS","data":{"user_id":1,"balance":"2.005718"}}"#),
        ("smsglobal", "/v2/user/credit-balance", r#"{"balance":2.5,"currency":"AUD"}"#),
    ] {
        gateway_.shows(path, 200, body);
        learned(&hosted(kind, &gateway_.url), &["low", "not gone", "read"]).await;
    }
    for kind in ["messagemedia", "telstra"] {
        let flaws: Vec<String> = hosted(kind, &gateway_.url).settings().sms[0].flaws().iter().map(|flaw| flaw.key.join(".")).collect();
        assert_eq!(flaws, ["credit_low"], "{kind} cannot be asked, and nobody may believe that it is");
    }

    let desk = Desk::new();
    let token = desk.secret("token", TOKEN);
    let calls = format!(
        "[[voice]]\nname = \"rings\"\nbase_url = \"{}\"\naccount_sid = \"ACfirst\"\nauth_token_file = {token:?}\nfrom = \"+61400000009\"\ncredit_low = 20\n",
        gateway_.url
    );
    gateway_.shows(BALANCE, 200, r#"{"balance":"3.10"}"#);
    learned(&desk.add(&calls), &["low", "not gone", "read"]).await;
}

#[tokio::test]
async fn what_is_no_amount_is_refused_before_anything_starts() {
    for low in ["0", "-5", "nan", "inf"] {
        let twilio = Desk::new().sms("first", "http://127.0.0.1:9", &format!("credit_low = {low}"));
        let error = dispatch::check(&twilio.settings(), None).unwrap_err().to_string();
        assert!(error.starts_with("[[sms]] first credit_low: is not an amount above 0\n"), "{error}");
    }
    let desk = Desk::new();
    let toml = gateway(&desk, "http://127.0.0.1:9", "") + "[sms.credit]\nurl = \"http://127.0.0.1:9/\"\nat = \"left\"\nlow = 0\n";
    let flaws = desk.add(&toml).settings().sms[0].flaws();
    let keys: Vec<String> = flaws.iter().map(|flaw| flaw.key.join(".")).collect();
    assert_eq!(keys, ["credit.low", "credit.at"]);
}

#[tokio::test]
async fn the_doctor_says_what_credit_there_is() {
    let gateway = Gateway::start().await;
    let settings = Desk::new().sms("first", &gateway.url, "credit_low = 20");
    gateway.shows("/2010-04-01/Accounts/ACfirst.json", 200, "{}");
    let asked = async |body: &str| {
        gateway.shows(BALANCE, 200, body);
        let (account, said) = dispatch::probe(&settings.settings(), None, &clock()).await.unwrap().remove(0);
        assert_eq!(account, name("first"));
        said
    };
    let good = "the account can be reached and takes our credentials";
    assert_eq!(asked(r#"{"balance":"31.5"}"#).await, Ok(format!("{good}, and has 31.5 of credit")));
    let short = asked(r#"{"balance":"3.5"}"#).await.unwrap_err();
    assert_eq!(short, format!("{good}, and has 3.5 of credit, less than 20\n  top it up: without any it sends nothing"));
    let silent = asked("{}").await.unwrap_err();
    assert!(silent.starts_with(&format!("{good}, and does not say what credit it has (no amount)\n")), "{silent}");
}
