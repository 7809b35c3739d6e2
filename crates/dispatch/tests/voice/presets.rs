//! Services whose API we know, against what their documentation shows: `tests/fixtures/*.toml`. Nothing here has met the
//! services themselves.

use dispatch::{HookKind, HookRequest};
use escalation::acknowledgement::Sender;
use escalation::dispatch::{Failure, Report};
use escalation::input::Input;
use serde::Deserialize;
use serde_json::Value;

use crate::gateway::{Act, Gateway};
use crate::watch::{Desk, TEXT, Watch, clock, text};

const FIXTURES: [&str; 4] = [
    include_str!("../fixtures/messagemedia.toml"),
    include_str!("../fixtures/clicksend.toml"),
    include_str!("../fixtures/smsglobal.toml"),
    include_str!("../fixtures/telstra.toml"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    kind: String,
    path: String,
    login: String,
    request: String,
    status: u16,
    response: String,
    id: String,
    receipt_due: bool,
    #[serde(default)]
    token_path: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    replies: Replies,
    asked: Option<Asked>,
    #[serde(default)]
    called: Vec<Called>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replies {
    path: String,
    body: String,
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    confirm_path: String,
    #[serde(default)]
    confirm: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    path: String,
    body: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Called {
    hook: String,
    r#type: String,
    body: String,
    says: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    status: u16,
    body: String,
    report: String,
}

fn fixtures() -> impl Iterator<Item = Fixture> {
    FIXTURES.into_iter().map(|fixture| toml::from_str(&fixture.replace("TEXT", TEXT)).unwrap())
}

/// A service of its kind on loopback, and settings for it.
async fn service(fixture: &Fixture) -> (Gateway, Desk) {
    let gateway = Gateway::start().await;
    if !fixture.token_path.is_empty() {
        gateway.shows(&fixture.token_path, 200, &fixture.token);
    }
    let desk = Desk::new();
    let (token, secret) = (desk.secret("token-preset", "s3cret\n"), desk.secret("callback", "callbacks-secret-of-24-bytes"));
    let account = format!(
        "[[sms]]\nname = \"second\"\nkind = \"{}\"\nuser = \"user\"\ntoken_file = {token:?}\nfrom = \"+61400000009\"\nbase_url = \"{}\"\n\
         callback_secret_file = {secret:?}\nkeep_warm = false\nattempt_s = 1\n",
        fixture.kind, gateway.url
    );
    (gateway, desk.add(&account))
}

#[tokio::test]
async fn each_service_is_sent_what_its_documentation_shows() {
    for fixture in fixtures() {
        let kind = &fixture.kind;
        let ((gateway, desk), watch) = (service(&fixture).await, Watch::new());
        gateway.always(Act::Say(fixture.status, None, Box::leak(fixture.response.clone().into_boxed_str())));
        let voice = desk.open(&watch);
        voice.send(text("KAL-42.7")).unwrap();
        let report = watch.reported(1).await.remove(0);
        let due = if fixture.receipt_due { Report::AcceptedReceiptDue } else { Report::Accepted };
        assert_eq!((report.report, report.provider_ref.as_deref(), report.tries), (due, Some(fixture.id.as_str()), 1), "{kind}");
        let sent = gateway.posts().into_iter().find(|seen| seen.path == fixture.path).unwrap_or_else(|| panic!("{kind}"));
        let [said, shown]: [Value; 2] = [&sent.body, &fixture.request].map(|body| serde_json::from_str(body).unwrap());
        assert_eq!(said, shown, "{kind}");
        assert!(sent.header("authorization").starts_with(&fixture.login), "{kind}: {}", sent.header("authorization"));
        for (name, value) in &fixture.headers {
            assert_eq!((sent.header(name), sent.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).count()), (value.clone(), 1));
        }
    }
}

#[tokio::test]
async fn each_services_refusals_are_understood() {
    for fixture in fixtures() {
        for refused in &fixture.refused {
            let ((gateway, desk), watch) = (service(&fixture).await, Watch::new());
            gateway.always(Act::Say(refused.status, None, Box::leak(refused.body.clone().into_boxed_str())));
            let voice = desk.open(&watch);
            voice.send(text("KAL-42.7")).unwrap();
            let report = watch.reported(1).await.remove(0);
            let wanted = match refused.report.as_str() {
                "credentials" => Failure::Credentials,
                "refused" => Failure::Refused,
                other => panic!("{other}"),
            };
            assert_eq!((report.report, report.possible_duplicate), (Report::Failed(wanted), false), "{}: {}", fixture.kind, refused.body);
        }
    }
}

/// What was handed in, in a line each.
fn said(watch: &Watch) -> Vec<String> {
    let line = |input| {
        if let Input::Answer(answer) = &input {
            let Sender::Number(number) = &answer.from else { return None };
            return Some(format!("reply {} {}", number.open()?, answer.text.as_ref()?.open()?));
        }
        let Input::DeliveryReported(report) = input else { return None };
        match report.report {
            Report::Delivered => Some("delivered".to_owned()),
            Report::Undelivered { code } => Some(format!("undelivered {code}")),
            Report::Accepted | Report::AcceptedReceiptDue | Report::Failed(_) => None,
        }
    };
    watch.inputs().into_iter().filter_map(line).collect()
}

#[tokio::test]
async fn each_services_replies_are_polled_with_a_number_in_e164() {
    for fixture in fixtures() {
        let (kind, replies) = (&fixture.kind, &fixture.replies);
        let ((gateway, desk), watch) = (service(&fixture).await, Watch::new());
        gateway.shows(&replies.path, 200, &replies.body);
        if let Some(asked) = &fixture.asked {
            gateway.shows(&asked.path, 200, &asked.body);
        }
        if !replies.confirm_path.is_empty() {
            gateway.shows(&replies.confirm_path, 202, "{}");
        }
        let voice = desk.open_while(&watch, true, None);
        watch.until("the reply", |watch| !said(watch).is_empty()).await;
        assert_eq!(said(&watch), ["reply +61400000001 Y47"], "{kind}");
        let inputs = watch.inputs();
        let reference = inputs.iter().find_map(|input| if let Input::Answer(answer) = input { answer.provider_ref.clone() } else { None });
        assert_eq!(reference.as_deref(), Some(replies.reference.as_str()), "{kind}");
        if !replies.confirm_path.is_empty() {
            gateway.until("the confirmation", |gateway| !gateway.at(&replies.confirm_path).is_empty()).await;
            let [told, shown]: [Value; 2] =
                [&gateway.at(&replies.confirm_path)[0].body, &replies.confirm].map(|body| serde_json::from_str(body).unwrap());
            assert_eq!(told, shown, "{kind}");
        }
        if fixture.asked.is_some() {
            voice.expect_receipt(&"KAL-42.7".parse().unwrap(), &crate::watch::name("second"), &fixture.id);
            watch.until("the receipt", |watch| said(watch).contains(&"delivered".to_owned())).await;
        }
        voice.shutdown().await;
    }
}

#[tokio::test]
async fn each_services_callbacks_are_understood_and_only_with_our_secret() {
    for fixture in fixtures() {
        let ((_gateway, desk), watch) = (service(&fixture).await, Watch::new());
        let callbacks = desk.open(&watch).callbacks();
        let mut wanted = Vec::new();
        for called in &fixture.called {
            let request = |query: &str| HookRequest {
                provider: "second".to_owned(),
                kind: if called.hook == "status" { HookKind::Status } else { HookKind::Inbound },
                method: "POST".to_owned(),
                path_and_query: format!("/hooks/second/{}{query}", called.hook),
                headers: vec![("Content-Type".to_owned(), called.r#type.clone())],
                body: called.body.as_bytes().to_vec(),
            };
            assert_eq!(callbacks.receive(request("?d=KAL-42.7")).await.status, 403, "{}: {}", fixture.kind, called.body);
            let answer = callbacks.receive(request("?d=KAL-42.7&key=callbacks-secret-of-24-bytes")).await;
            assert_eq!(answer.status, 200, "{}: {}", fixture.kind, called.body);
            wanted.push(called.says.clone());
        }
        assert_eq!(said(&watch), wanted, "{}", fixture.kind);
        assert!(watch.reports().iter().all(|report| report.dispatch.to_string() == "KAL-42.7"));
    }
}

#[tokio::test]
async fn each_service_is_found_well_or_refusing_by_doctor() {
    for (fixture, path) in fixtures().zip(["/v1/messaging/credits", "/v3/account", "/v2/user/credit-balance", "/v2/oauth/token"]) {
        let (gateway, desk) = service(&fixture).await;
        let body = if fixture.token.is_empty() { "{}" } else { &fixture.token };
        gateway.shows(path, 200, body);
        let probe = async || dispatch::probe(&desk.settings(), None, &clock()).await.unwrap().remove(0).1;
        assert!(probe().await.unwrap().contains("takes our login"), "{}", fixture.kind);
        gateway.shows(path, 401, "{}");
        assert!(probe().await.unwrap_err().contains("refuses our login"), "{}", fixture.kind);
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_account_is_said_under_its_own_keys() {
    for fixture in fixtures() {
        for (from, to, wanted) in [
            ("from = \"+61400000009\"", "from = \"COUNCIL\"", "from: is not a number"),
            ("http://127.0.0.1", "http://sms.example.org", "base_url: plain http"),
            ("callback_secret_file", "inbound = \"webhook\" #", "inbound: webhook needs callback_secret_file"),
        ] {
            let (_gateway, desk) = service(&fixture).await;
            let error = dispatch::check(&desk.but(from, to).settings(), None).unwrap_err().to_string();
            assert!(error.starts_with("[[sms]] second ") && error.contains(wanted), "{}: {error}", fixture.kind);
        }
    }
}
