//! One key per customer: every route that the served document lists, the pages and the stream show it nothing of the other.
//!
//! The requests are made from the `OpenAPI` document, so that a route that is added is walked without a line here; a
//! parameter that this test has no value for ends it. Everything that the directory says of a customer carries the
//! customer's own word, and a single occurrence of the other's word in a header or a body is a leak.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use harness::daemon::{self, Answer, Api, Key, Stream};
use harness::{Broker, Button, Daemon, Gateway, Smtp, wait};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::evidence::Evidence;
use crate::standing_in::in_hours;
use crate::town::expect_activation;

/// Two customers: a word that is in every name of theirs, the prefix of their references, and a phone.
const CUSTOMERS: [Customer; 2] =
    [Customer { word: "aardvark", prefix: "ARD", phone: "491570006" }, Customer { word: "bandicoot", prefix: "BDC", phone: "491570156" }];

/// The roles that a key of one customer can have.
const ROLES: [&str; 5] = ["centre", "site", "device", "auditor", "admin"];

#[derive(Clone, Copy, Debug)]
struct Customer {
    word: &'static str,
    prefix: &'static str,
    phone: &'static str,
}

impl Customer {
    fn site(self) -> String {
        format!("{}-hall", self.word)
    }

    fn device(self) -> String {
        format!("{}-bell", self.word)
    }

    /// What only this customer's answers may hold, in lower case.
    fn marks(self) -> [String; 3] {
        [self.word.to_owned(), format!("{}-", self.prefix.to_lowercase()), self.phone.to_owned()]
    }

    fn stanzas(self) -> String {
        let Self { word, prefix, phone } = self;
        format!(
            r#"
[[customer]]
id = "{word}"
name = "Town of {word}"
prefix = "{prefix}"
ladder = "{word}-ladder"
technical = "{word}-technical"

[[person]]
id = "{word}-person"
name = "Pat {word}"
mobile = "+61{phone}"
email = "pat@{word}.example"

[[site]]
id = "{word}-hall"
customer = "{word}"
name = "The {word} hall"
address = "1 {word} Road"
suburb = "{word} Hills"
state = "WA"
cross_street = "{word} Lane"
rendezvous = "Behind the {word} oval"

[[drill]]
id = "{word}-drills"
sites = ["{word}-hall"]
device = "{word}-bell"
on = "last sun"
at = "10:00"

[[device]]
id = "{word}-bell"
site = "{word}-hall"
place = "The {word} bell"
mounting = "fixed"

[[device]]
id = "{word}-lamp"
site = "{word}-hall"
place = "The {word} lamp"
mounting = "fixed"

[[device]]
id = "{word}-chime"
site = "{word}-hall"
place = "The {word} chime"
mounting = "fixed"
ladder = "{word}-nobody"

[[ladder]]
id = "{word}-nobody"

[[ladder.rung]]
notify = [{{ roster = "{word}-roster" }}]

[[roster]]
id = "{word}-roster"

[[roster.shift]]
people = ["{word}-person"]
until = "2020-01-01 00:00"

[[centre]]
id = "{word}-desk"
name = "The {word} desk"

[[person]]
id = "{word}-spare"
name = "Sam {word}"
email = "sam@{word}.example"

[[roster]]
id = "{word}-watch"

[[roster.shift]]
people = ["{word}-spare"]

[[ladder]]
id = "{word}-technical"
customer = "{word}"

[[ladder.rung]]
notify = [{{ person = "{word}-person" }}]

[[ladder]]
id = "{word}-ladder"

[[ladder.rung]]
notify = [{{ person = "{word}-person", by = ["sms", "email"] }}]
wait = "50m"

[[ladder.rung]]
notify = [{{ roster = "{word}-watch", by = ["email"] }}, {{ centre = "{word}-desk" }}]
"#
        )
    }
}

/// Whoever looks after the station, and how soon people are told of troubles: each customer has one that is told at once.
const OPERATOR: &str = r#"
[[person]]
id = "operator"
mobile = "+61491570157"

[technical]
ladder = "station"
wait = "1s"

[[ladder]]
id = "station"

[[ladder.rung]]
notify = [{ person = "operator" }]
"#;

fn directory() -> String {
    let stanzas = CUSTOMERS.map(Customer::stanzas).concat();
    format!(
        "[defaults]\ntimezone = \"Australia/Perth\"\n{stanzas}\n{OPERATOR}\n[fallback]\ncustomer = \"aardvark\"\nladder = \"aardvark-ladder\"\n"
    )
}

/// The daemon, and what each customer has to hide: an open activation, a closed one, a trouble, a button on test.
struct Twins {
    daemon: Daemon,
    _gateway: Gateway,
    _smtp: Smtp,
    broker: Broker,
    /// A key for each customer and role.
    keys: BTreeMap<(&'static str, &'static str), Key>,
    /// Each customer's open activation.
    open: BTreeMap<&'static str, String>,
    /// Each customer's drill, which is over.
    drills: BTreeMap<&'static str, String>,
    /// From when somebody stands in on each customer's roster, tomorrow.
    stand_ins: BTreeMap<&'static str, String>,
}

impl Twins {
    async fn open() -> Self {
        let (broker, gateway, smtp) = (Broker::start().await, Gateway::start(), Smtp::start().await);
        let mut keys = BTreeMap::new();
        let mut plan = Daemon::plan(&directory()).gateway("first", &gateway).mail(&smtp.plain_url()).broker(&broker);
        for customer in CUSTOMERS {
            for role in ROLES {
                let site = customer.site();
                let mut arguments = vec!["--role", role, "--customer", customer.word];
                if role == "device" {
                    arguments.extend(["--site", &site]);
                }
                let key = daemon::new_key_with(&arguments);
                plan = plan.key(&key);
                keys.insert((customer.word, role), key);
            }
        }
        let daemon = plan.start().await;
        let (mut open, mut drills, mut stand_ins) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for customer in CUSTOMERS {
            let drill = daemon.api().must_post("/api/v1/drills", &json!({"site": customer.site()})).await;
            let drill = drill["drill"].as_str().unwrap().to_owned();
            daemon.api().must_post(&format!("/api/v1/activations/{drill}/close"), &json!({"disposition": "test"})).await;
            drills.insert(customer.word, drill);
            let button = Button::connect(&broker, &customer.site(), &customer.device()).await;
            let closed = pressed(&button).await;
            daemon.api().must_post(&format!("/api/v1/activations/{closed}/close"), &json!({"disposition": "test", "by": "R. Jones"})).await;
            expect_activation(&daemon, &closed, "closed").await;
            button.publish("tamper", json!({"state": "on"}).to_string()).await;
            open.insert(customer.word, pressed(&button).await);
            let Customer { word, .. } = customer;
            let test =
                json!({"site": customer.site(), "devices": [format!("{word}-lamp")], "tester": format!("{word}-person"), "minutes": 60});
            daemon.api().must_post("/api/v1/tests", &test).await;
            let out = json!({"site": customer.site(), "devices": [format!("{word}-lamp")], "keeper": format!("{word}-person"), "instead": customer.device(), "why": "sticks", "minutes": 60});
            daemon.api().must_post("/api/v1/out-of-service", &out).await;
            let from = in_hours(24);
            let tomorrow = json!({"roster": format!("{word}-watch"), "off": format!("{word}-spare"), "on": format!("{word}-person"), "from": from, "until": in_hours(30)});
            daemon.api().must_post("/api/v1/duty/stand-ins", &tomorrow).await;
            stand_ins.insert(word, from);
        }
        wait::until("a trouble that each customer's people were told of", async || {
            let troubles = daemon.api().get("/api/v1/troubles").await?.text;
            let told = |customer: &Customer| troubles.contains("tampered") && troubles.contains(&format!("\"Pat {}\"", customer.word));
            CUSTOMERS.iter().all(told).then_some(())
        })
        .await;
        let twins = Self { daemon, _gateway: gateway, _smtp: smtp, broker, keys, open, drills, stand_ins };
        twins.are_read().await;
        twins
    }

    /// Somebody has read each customer's open activation, and the record says so.
    async fn are_read(&self) {
        for customer in CUSTOMERS {
            self.api(customer, "auditor").must_get(&format!("/api/v1/activations/{}", self.open[customer.word])).await;
        }
        wait::until("the readers to be in the record", async || {
            let evidence = Evidence::of(&self.daemon);
            let read = |act: &String| evidence.kind("record.viewed").any(|entry| entry["in"] == format!("views:{act}"));
            self.open.values().all(read).then_some(())
        })
        .await;
    }

    /// What somebody did to a customer's open activation. What carriers report of it meanwhile is nobody's act.
    fn acts_on(&self, customer: Customer) -> Vec<Value> {
        let act = &self.open[customer.word];
        let entries = Evidence::of(&self.daemon).entries().to_vec();
        entries.into_iter().filter(|entry| entry["act"] == **act && !entry["by"].is_null()).collect()
    }

    fn api(&self, customer: Customer, role: &'static str) -> Api {
        self.daemon.api_with_key(Some(&self.keys[&(customer.word, role)].secret))
    }
}

async fn pressed(button: &Button) -> String {
    let id = button.press().await;
    button.expect_state(&id, "received").await["activation"].as_str().unwrap().to_owned()
}

/// Whose values a request names.
#[derive(Clone, Copy, Debug)]
struct Named<'a> {
    customer: Customer,
    activation: &'a str,
    drill: &'a str,
    stand_in: &'a str,
}

/// One operation of the document.
#[derive(Debug)]
struct Operation {
    method: Method,
    path: String,
    /// Names of the query's parameters.
    queries: Vec<String>,
    /// The body's schema.
    body: Option<Value>,
}

impl Operation {
    fn all(document: &Value) -> Vec<Self> {
        let mut all = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, said) in item.as_object().unwrap() {
                let parameters = said["parameters"].as_array().cloned().unwrap_or_default();
                let queries = parameters.iter().filter(|p| p["in"] == "query").map(|p| p["name"].as_str().unwrap().to_owned());
                let schema = &said["requestBody"]["content"]["application/json"]["schema"];
                all.push(Self {
                    method: method.to_uppercase().parse().unwrap(),
                    path: path.clone(),
                    queries: queries.collect(),
                    body: (!schema.is_null()).then(|| resolved(document, schema).clone()),
                });
            }
        }
        all
    }

    /// Its path with these values.
    fn path_for(&self, named: Named<'_>) -> String {
        let parts = self.path.split('/').map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some("id") => named.activation.to_owned(),
            Some("drill") => named.drill.to_owned(),
            Some("centre") => format!("{}-desk", named.customer.word),
            Some("site") => named.customer.site(),
            Some("device") => named.customer.device(),
            Some(unknown) => panic!("{}: give this test a value for {{{unknown}}}", self.path),
            None => part.to_owned(),
        });
        parts.collect::<Vec<_>>().join("/")
    }

    /// A query for each of its parameters alone, as far as one can name another customer's.
    fn queries_for(&self, named: Named<'_>, cursor: &str) -> Vec<String> {
        let value = |name: &str| match name {
            "site" => named.customer.site(),
            "cursor" => cursor.to_owned(),
            "state" => "open".to_owned(),
            "console" => "left".to_owned(),
            "from" => "2020-01-01T00:00:00Z".to_owned(),
            "to" => "2100-01-01T00:00:00Z".to_owned(),
            "limit" => "200".to_owned(),
            // Behind every entry there is: the whole list.
            "page" => "9000000000".to_owned(),
            unknown => panic!("{}: give this test a value for ?{unknown}=", self.path),
        };
        self.queries.iter().map(|name| format!("?{name}={}", value(name))).collect()
    }

    /// A body that the route would take from somebody who may, made of the schema.
    fn body_for(&self, named: Named<'_>) -> Option<Value> {
        let schema = self.body.as_ref()?;
        let required: BTreeSet<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut body = Map::new();
        for (name, _shape) in schema["properties"].as_object().unwrap() {
            let value = match name.as_str() {
                "site" => json!(named.customer.site()),
                "device" => json!(named.customer.device()),
                "roster" => json!(format!("{}-watch", named.customer.word)),
                "until" => json!(in_hours(12)),
                "from" if self.path.ends_with("/stand-ins/end") => json!(named.stand_in),
                "from" => continue,
                "off" => json!(format!("{}-spare", named.customer.word)),
                "on" if self.path.contains("/duty/") => json!(format!("{}-person", named.customer.word)),
                "by" | "tester" | "keeper" | "person" => json!(format!("{}-person", named.customer.word)),
                "commitment" => json!("going"),
                "to" if self.path.ends_with("/hand-over") => json!(format!("{}-person", named.customer.word)),
                "to" => json!("next"),
                "for_s" => json!(60),
                "reason" => json!("looking"),
                "note" => json!("walked"),
                "disposition" => json!("test"),
                "devices" => json!([named.customer.device()]),
                "instead" => json!("none"),
                "why" => json!("sticks"),
                "minutes" => json!(1),
                "for" => json!("police"),
                "step" => json!("responder 1"),
                "basis" => json!("a disposal authority"),
                "on" => json!(true),
                // What is not required changes nothing of what is seen.
                optional if !required.contains(optional) => continue,
                unknown => panic!("{}: give this test a value for \"{unknown}\"", self.path),
            };
            body.insert(name.clone(), value);
        }
        Some(Value::Object(body))
    }
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// What came back, whole: headers and body in lower case.
async fn ask(request: reqwest::RequestBuilder) -> (Answer, String) {
    let response = request.send().await.unwrap();
    let headers = format!("{:?}", response.headers());
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let all = format!("{headers}\n{text}").to_lowercase();
    (Answer { status, body: serde_json::from_str(&text).unwrap_or_default(), text }, all)
}

fn must_hide(other: Customer, all: &str, asked: &str) {
    for mark in other.marks() {
        assert!(!all.contains(&mark), "{asked}: {mark:?} of the other customer is in\n{all}");
    }
}

/// The two sides of each pair: who asks, and whom they must learn nothing of.
fn pairs() -> [(Customer, Customer); 2] {
    let [first, second] = CUSTOMERS;
    [(first, second), (second, first)]
}

/// What is of no one customer: refused to a key with bounds, or hashes alone, which this record does not even have unsigned.
const WHOLE_RECORD: [&str; 4] = [
    "/api/v1/record/checkpoint",
    "/api/v1/record/entries?from=0&to=1000",
    "/api/v1/record/entries/0/proof",
    "/api/v1/record/consistency?from=0&to=1",
];

/// Routes that are asked in another way than the rest: the stream, and the record as a whole.
fn is_apart(path: &str) -> bool {
    path == "/api/v1/stream" || path.starts_with("/api/v1/record/")
}

#[tokio::test]
async fn no_route_shows_a_key_one_byte_of_the_other_customer() {
    let twins = Twins::open().await;
    let document = twins.daemon.api().must_get("/api/v1/openapi.json").await;
    let operations = Operation::all(&document);
    assert!(operations.len() >= 10, "the document lists {} operations", operations.len());
    let mut seen = BTreeSet::new();
    for (own, other) in pairs() {
        let before = twins.acts_on(other);
        let ours = Named {
            customer: own,
            activation: &twins.open[own.word],
            drill: &twins.drills[own.word],
            stand_in: &twins.stand_ins[own.word],
        };
        let theirs = Named {
            customer: other,
            activation: &twins.open[other.word],
            drill: &twins.drills[other.word],
            stand_in: &twins.stand_ins[other.word],
        };
        let duty = twins.daemon.api().must_get("/api/v1/duty").await;
        // A page break of the whole list, as a key of both would be handed it.
        let cursor = twins.daemon.api().must_get("/api/v1/activations?limit=1").await["next_cursor"].as_str().unwrap().to_owned();
        for role in ROLES {
            let api = twins.api(own, role);
            for operation in operations.iter().filter(|operation| !is_apart(&operation.path)) {
                let Operation { method, path, .. } = operation;
                let route = operation.path_for(theirs);
                let mut requests = vec![api.request(method.clone(), &route)];
                requests.extend(
                    operation.queries_for(theirs, &cursor).iter().map(|query| api.request(method.clone(), &format!("{route}{query}"))),
                );
                for request in requests {
                    let request = match operation.body_for(theirs) {
                        Some(body) => request.json(&body),
                        None => request,
                    };
                    let (answer, all) = ask(request).await;
                    let asked = format!("{role} of {}, {method} {route}", own.word);
                    must_hide(other, &all, &asked);
                    if route != *path {
                        assert!(matches!(answer.status, 403 | 404), "{asked}: {} {}", answer.status, answer.text);
                    }
                    if path.starts_with("/api/v1/duty/") {
                        let may = matches!(role, "centre" | "site" | "admin");
                        assert_eq!(answer.status, if may { 404 } else { 403 }, "{asked}: {}", answer.text);
                    }
                }
                if *method == Method::GET {
                    let (answer, all) = ask(api.request(Method::GET, &operation.path_for(ours))).await;
                    must_hide(other, &all, &format!("{role} of {}, GET {path} of their own", own.word));
                    if answer.status == 200 && all.contains(own.word) {
                        seen.insert((role, path.clone()));
                    }
                }
            }
            for path in WHOLE_RECORD {
                let (answer, all) = ask(api.request(Method::GET, path)).await;
                let asked = format!("{role} of {}, GET {path}", own.word);
                must_hide(other, &all, &asked);
                assert!(matches!(answer.status, 403 | 404), "{asked}: {} {}", answer.status, answer.text);
            }
            for path in ["/healthz", "/healthz/dispatch", "/readyz", "/readyz?verbose", "/metrics"] {
                let (_answer, all) = ask(api.request(Method::GET, path)).await;
                must_hide(other, &all, &format!("{role} of {}, GET {path}", own.word));
            }
        }
        assert_eq!(twins.acts_on(other), before, "somebody acted with another customer's key");
        assert_eq!(twins.daemon.api().must_get("/api/v1/duty").await, duty, "somebody changed who is on duty with another customer's key");
        // What was refused is what their own key says, word for word.
        for operation in operations.iter().filter(|operation| operation.path.starts_with("/api/v1/duty/")) {
            twins.api(other, "centre").must_post(&operation.path, &operation.body_for(theirs).unwrap()).await;
        }
    }
    // Silence alone would prove nothing: what a key may see, it saw.
    for role in ROLES.into_iter().filter(|role| *role != "device") {
        let told = |o: &&Operation| !o.path.ends_with("/views") || matches!(role, "auditor" | "admin");
        for operation in operations.iter().filter(|o| o.method == Method::GET && !is_apart(&o.path)).filter(told) {
            assert!(seen.contains(&(role, operation.path.clone())), "{role} saw nothing of their own at {}", operation.path);
        }
    }
    // Nor would the marks, were they not in the answers of a key without bounds.
    for operation in operations.iter().filter(|o| o.method == Method::GET && !o.path.contains('{') && !is_apart(&o.path)) {
        let (_answer, all) = ask(twins.daemon.api().request(Method::GET, &operation.path)).await;
        for customer in CUSTOMERS {
            assert!(all.contains(customer.word), "{} has no word of {}", operation.path, customer.word);
        }
    }
}

#[tokio::test]
async fn no_page_shows_a_session_one_byte_of_the_other_customer() {
    let twins = Twins::open().await;
    for (own, other) in pairs() {
        let cookie = log_in(&twins, own).await;
        let anonymous = twins.daemon.api_with_key(None);
        let get = |path: String| anonymous.request(Method::GET, &path).header("cookie", &cookie);
        let (ours, theirs) = (&twins.open[own.word], &twins.open[other.word]);
        for path in ["/".to_owned(), "/regions/queue".to_owned(), format!("/activations/{ours}"), format!("/regions/activations/{ours}")] {
            let (answer, all) = ask(get(path.clone())).await;
            assert_eq!(answer.status, 200, "{path}");
            assert!(all.contains(own.word), "{path} shows nothing of {}", own.word);
            must_hide(other, &all, &path);
        }
        for path in [format!("/activations/{theirs}"), format!("/regions/activations/{theirs}")] {
            let (answer, all) = ask(get(path.clone())).await;
            assert_eq!(answer.status, 404, "{path}");
            must_hide(other, &all, &path);
        }
    }
}

/// A session of an operator with a key of this customer.
async fn log_in(twins: &Twins, customer: Customer) -> String {
    let key = &twins.keys[&(customer.word, "centre")].secret;
    let request = twins.daemon.api_with_key(None).request(Method::POST, "/login").form(&[("key", key)]);
    let response = request.header("origin", twins.daemon.url()).send().await.unwrap();
    let cookie = response.headers().get("set-cookie").unwrap_or_else(|| panic!("no session: {}", response.status()));
    cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_stream_brings_a_key_nothing_of_the_other_customer() {
    let twins = Twins::open().await;
    for (own, other) in pairs() {
        for role in ROLES.into_iter().filter(|role| *role != "device") {
            let api = twins.api(own, role);
            let mut stream = api.stream(Some(0)).await;
            // Theirs first and ours after it: once ours has come, theirs would have come before.
            let theirs = format!("/api/v1/activations/{}/note", twins.open[other.word]);
            twins.daemon.api().must_post(&theirs, &json!({"note": format!("of the {}", other.word)})).await;
            let last = format!("/api/v1/activations/{}/note", twins.open[own.word]);
            let last = twins.daemon.api().must_post(&last, &json!({"note": format!("of the {}", own.word)})).await["seq"].as_u64().unwrap();
            let read = read_to(&mut stream, last).await;
            assert!(read.contains(own.word), "{role} of {} saw nothing of their own", own.word);
            must_hide(other, &read, &format!("the stream of {role} of {}", own.word));
        }
    }
    // The record itself holds all of it: what was hidden was there to be seen.
    let all: String = Evidence::of(&twins.daemon).entries().iter().map(Value::to_string).collect();
    assert!(CUSTOMERS.iter().all(|customer| all.contains(customer.word)));
    let _alive_until_here = &twins.broker;
}

/// All that the stream brings up to the entry with this number, in lower case.
async fn read_to(stream: &mut Stream, last: u64) -> String {
    let reading = async {
        let mut read = String::new();
        loop {
            let event = stream.next().await.expect("the stream ended");
            writeln!(read, "{} {}", event.kind, event.data).expect("write to a string");
            if event.id == Some(last) && event.kind != "beat" {
                return read.to_lowercase();
            }
        }
    };
    tokio::time::timeout(wait::PATIENCE, reading).await.unwrap_or_else(|_late| panic!("entry {last} never came"))
}
