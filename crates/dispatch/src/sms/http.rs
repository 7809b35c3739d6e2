//! A gateway of any maker, spoken to by the templates and read by the mappings of its settings.
//!
//! One request a try; nothing here retries, queues or decides which account is next. Nobody's callback is believed that
//! does not prove itself.

mod answer;
mod fields;
mod flaws;
mod guard;
mod login;
pub(crate) mod polling;
mod sheet;

use std::collections::HashSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use escalation::dispatch::{Address, Order};
use escalation::time::{SignedDuration, Timestamp};
use minijinja::Value;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use reqwest::{Client, Url};
use serde_json::Value as Json;
use tokio::time::{Instant, timeout};

use crate::carrier::{Fault, Letter, Taken};
use crate::client::{self, Wanted};
use crate::health::Now;
use crate::inbound::{HookKind, HookRequest, Inbox, header};
use crate::purse::amount;
use crate::settings::{BodyAs, Http, Inbound, Method, Secret, SettingsError};
use crate::sms::awaited::Awaited;
use crate::sms::ears::Missed;
use crate::sms::http::answer::Answer;
use crate::sms::http::fields::{Fields, Receipt, Reply};
use crate::sms::http::guard::Guard;
use crate::sms::http::login::Login;
use crate::sms::http::sheet::{Sheet, Words};
use crate::sms::number::{e164, national, plain};
use crate::sms::signature::{pairs_of, value};

pub(crate) use flaws::flaws;

/// An account with a gateway.
pub(crate) struct Gateway {
    settings: Http,
    client: Client,
    sheet: Sheet,
    login: Login,
    token: Option<Secret>,
    guard: Option<Guard>,
    /// `https://alerts.example.org`, where callbacks can reach us.
    public_url: Option<String>,
    now: Now,
    awaited: Awaited,
    /// Replies without a time that were there at the first look; `None` before it.
    undated: Mutex<Option<HashSet<String>>>,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gateway({})", self.awaited.carrier())
    }
}

/// One request, ready to send.
struct Request {
    method: reqwest::Method,
    url: Url,
    body: Option<(&'static str, String)>,
    headers: Vec<(String, String)>,
}

impl Gateway {
    /// Reads the secrets and builds the client; connects to nothing.
    pub(crate) fn open(settings: &Http, public_url: Option<&str>, now: Now) -> Result<Self, SettingsError> {
        let what = format!("[[sms]] {}", settings.name);
        if let Some(flaw) = flaws(settings).into_iter().next() {
            return Err(SettingsError::new(format!("{what} {}", flaw.key.join(".")), flaw.wrong, flaw.remedy));
        }
        let polled = settings.reply.as_ref().is_some_and(|map| map.poll_url.is_some());
        if !polled && public_url.is_none() {
            return Err(SettingsError::new(
                what,
                "replies come by callback only, and there is no public_url for them to come to",
                "set [http] public_url, or poll_url in [sms.reply]",
            ));
        }
        let secret = |key: &str, file| Secret::read(&format!("{what} {key}"), file);
        let token = settings.token_file.as_deref().map(|file| secret("token_file", file)).transpose()?;
        let (sheet, _none) = Sheet::of(settings);
        let url = sheet.render("url", &flaws::sample(true)).unwrap_or_default();
        let (client, _) = client::build(&Wanted {
            what: &what,
            url: &url,
            connect_ms: settings.connect_ms,
            request_ms: settings.request_ms,
            slots: settings.slots,
            proxy: settings.proxy.as_deref(),
            ca_file: settings.ca_file.as_deref(),
            identity: settings.client_cert_file.as_deref().zip(settings.client_key_file.as_deref()),
        })?;
        Ok(Self {
            login: Login::open(&what, settings, token.as_ref())?,
            guard: settings.callback.as_ref().map(|callback| Guard::open(&what, callback)).transpose()?,
            settings: settings.clone(),
            client,
            sheet,
            token,
            public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
            now,
            awaited: Awaited::new(settings.name.clone()),
            undated: Mutex::new(None),
        })
    }

    pub(crate) fn settings(&self) -> &Http {
        &self.settings
    }
    pub(crate) fn awaited(&self) -> &Awaited {
        &self.awaited
    }
    pub(crate) fn slots(&self) -> usize {
        self.settings.slots
    }
    pub(crate) fn inbound(&self) -> Inbound {
        self.settings.inbound
    }
    pub(crate) fn keep_warm(&self) -> bool {
        self.settings.keep_warm
    }

    /// Sends a text.
    pub(crate) async fn send(&self, order: &Order, letter: &Letter, budget: Duration) -> Result<Taken, Fault> {
        let Address::Sms(to) = &order.address else {
            return Err(Fault::Refused("not_a_number".to_owned()));
        };
        let words = self.words(Some((to, letter.words(), order)));
        let request = self.message(&words).ok_or_else(|| Fault::Refused("template".to_owned()))?;
        let request_time = Duration::from_millis(self.settings.request_ms);
        let answer = self.call(&request, budget.min(request_time)).await?;
        let id = answer.judge(&self.settings.taken)?;
        if let Some(id) = &id {
            self.awaited.expect(id.clone(), order.id.clone());
        }
        let polled = id.is_some() && self.settings.receipt.as_ref().is_some_and(|map| map.poll_url.is_some());
        let called = self.settings.receipt.is_some() && self.guard.is_some() && self.public_url.is_some();
        Ok(Taken { receipt_due: polled || called, provider_ref: id })
    }

    /// A light request that keeps a connection and a token good.
    pub(crate) async fn greet(&self) -> Result<(), Fault> {
        let words = self.words(None);
        let Some(url) = self.sheet.render("probe_url", &words) else {
            return self.knock().await;
        };
        let request = self.get(&url, &words).ok_or(Fault::NotSent("request"))?;
        let answer = self.call(&request, Duration::from_millis(self.settings.request_ms)).await?;
        answer.judge(&self.settings.taken.codes_only()).map(drop)
    }

    /// Without a request for it: a token where there is one to fetch, and any answer at all from the gateway's host.
    async fn knock(&self) -> Result<(), Fault> {
        let url = self.sheet.render("url", &self.words(None)).and_then(|url| Url::parse(&url).ok());
        let url = url.and_then(|url| url.join("/").ok()).ok_or(Fault::NotSent("request"))?;
        let request = self.client.head(url.clone());
        let request = self.login.sign(&self.client, "HEAD", &url, request, (self.now)()).await?;
        let response = request.send().await.map_err(|error| client::fault_of(&error))?;
        // The body must be read, or the connection is closed instead of kept.
        response.bytes().await.map(drop).map_err(|error| client::fault_of(&error))
    }

    /// What credit the account has; asked only where the settings say how.
    pub(crate) async fn credit(&self) -> Result<f64, Missed> {
        let map = self.settings.credit.as_ref().ok_or(Fault::NotSent("request"))?;
        let words = self.words(None);
        let url = self.sheet.render("credit.url", &words).ok_or(Fault::NotSent("request"))?;
        let request = self.get(&url, &words).ok_or(Fault::NotSent("request"))?;
        let answer = self.call(&request, Duration::from_millis(self.settings.request_ms)).await?;
        let body = answer.listing(&self.settings.taken.codes_only())?;
        body.pointer(&map.at).and_then(amount).ok_or(Missed::Strange("no amount"))
    }

    /// With less than this there is a trouble; `None` where the account is not asked.
    pub(crate) fn credit_low(&self) -> Option<f64> {
        self.settings.credit.as_ref().map(|map| map.low)
    }

    /// For `cooee doctor`.
    pub(crate) async fn probe(&self) -> Result<String, String> {
        let proves = self.settings.probe_url.is_some() || matches!(self.login, Login::Oauth(_));
        match self.greet().await {
            Ok(()) if proves => Ok("the gateway can be reached and takes our login".to_owned()),
            Ok(()) => Ok("the gateway can be reached; without probe_url nobody knows whether it takes our login".to_owned()),
            Err(Fault::Credentials) => {
                Err("the gateway refuses our login\n  compare user and the token's file with the provider's console".to_owned())
            }
            Err(fault) => Err(format!(
                "the gateway cannot be reached ({})\n  check url, probe_url, the firewall and the provider's status page",
                fault.class()
            )),
        }
    }

    /// Reads one list, or one object, from where a template points.
    async fn list<const N: usize>(&self, key: &str, items: &str, more: [(&'static str, Value); N]) -> Result<Vec<Fields>, Missed> {
        let more_is_one = more.iter().any(|(word, _)| *word == "id");
        let mut words = self.words(None);
        words.extend(more);
        let url = self.sheet.render(key, &words).ok_or(Fault::NotSent("request"))?;
        let request = self.get(&url, &words).ok_or(Fault::NotSent("request"))?;
        let answer = self.call(&request, Duration::from_millis(self.settings.request_ms)).await?;
        if answer.is_missing() && more_is_one {
            return Ok(Vec::new());
        }
        let body = answer.listing(&self.settings.taken.codes_only())?;
        match body.pointer(items) {
            // An empty list may be said as nothing at all; a list that is not there may be anywhere, with people's words in it.
            Some(list @ (Json::Array(_) | Json::Object(_) | Json::Null)) => Ok(Fields::items(list.clone())),
            Some(Json::Bool(_) | Json::Number(_) | Json::String(_)) | None => Err(Missed::Strange("no list")),
        }
    }

    /// True at the first look at the list of replies.
    fn looks_first(&self) -> bool {
        let mut undated = self.undated.lock().unwrap_or_else(PoisonError::into_inner);
        let first = undated.is_none();
        undated.get_or_insert_default();
        first
    }

    /// Whether a reply without a time was there at the first look.
    fn is_from_before(&self, first: bool, id: &str) -> bool {
        let mut undated = self.undated.lock().unwrap_or_else(PoisonError::into_inner);
        let undated = undated.get_or_insert_default();
        if first && undated.insert(id.to_owned()) {
            tracing::warn!(carrier = %self.awaited.carrier(), "a reply without a time was there before we looked first; it counts for no alarm, and whoever sent it is told so");
        }
        undated.contains(id)
    }

    /// Tells the provider which replies we have.
    async fn confirm(&self, ids: Vec<String>) -> Result<(), Fault> {
        let mut words = self.words(None);
        words.insert("ids", Value::from(ids));
        let made = self.sheet.render("reply.confirm_url", &words).zip(self.sheet.render("reply.confirm_body", &words));
        let (url, body) = made.ok_or(Fault::NotSent("request"))?;
        let url = Url::parse(&url).map_err(|_strange| Fault::NotSent("request"))?;
        let headers = self.headers(&words).ok_or(Fault::NotSent("request"))?;
        let request = Request { method: reqwest::Method::POST, url, body: Some(("application/json", body)), headers };
        let answer = self.call(&request, Duration::from_millis(self.settings.request_ms)).await?;
        answer.judge(&self.settings.taken.codes_only()).map(drop)
    }

    /// Hands one reply to the watch; true once it is durable or was before.
    async fn hand_in(&self, inbox: &Inbox, reply: &Reply) -> bool {
        // Under our own name for the account: two gateways may both count from one.
        let id = format!("{}:{}", self.awaited.carrier(), reply.id);
        inbox.reply(&self.awaited, &id, &reply.from, &reply.text, reply.sent_at).await
    }

    /// Takes a callback: `None` where it does not prove itself, `Some(None)` where it makes no sense, else whether
    /// everything in it is durable.
    pub(crate) async fn receive(&self, inbox: &Inbox, request: &HookRequest) -> Option<Option<bool>> {
        let guard = self.guard.as_ref().filter(|guard| guard.believes(request, (self.now)()))?;
        let items = read_body(request);
        if items.is_empty() {
            return Some(None);
        }
        let (mut durable, mut senseless) = (true, 0_u32);
        for item in &items {
            match self.said(request.kind, item) {
                Some(Said::Reply(reply)) => durable &= self.hand_in(inbox, &reply).await,
                Some(Said::Receipt(receipt)) => durable &= self.take_receipt(inbox, guard, request, receipt).await,
                Some(Said::OnTheWay) => {}
                None => senseless += 1,
            }
        }
        if senseless > 0 {
            tracing::warn!(carrier = %self.awaited.carrier(), senseless, items = items.len(), "a callback has items that the settings do not read");
        }
        // What is not durable is asked for again first; what nobody can read is not confirmed with the rest.
        Some((!durable || senseless == 0).then_some(durable))
    }

    /// What one item of a callback is. Some providers post both kinds to one address, and some give a reply a status: what
    /// reads as a person's words is one, unless it says itself that it is a message of ours.
    fn said(&self, kind: HookKind, item: &Fields) -> Option<Said> {
        let country = self.settings.country_code.as_str();
        let receipt = || {
            let map = self.settings.receipt.as_ref().filter(|map| item.is_receipt(map))?;
            Some(item.receipt(map).map_or(Said::OnTheWay, Said::Receipt))
        };
        let map = self.settings.reply.as_ref();
        match (kind, map.and_then(|map| item.reply(map, country))) {
            (HookKind::Voice, _) => None, // It sends texts.
            (HookKind::Status | HookKind::Inbound, Some(reply)) if self.is_of_ours(item, &reply) => receipt().or(Some(Said::Reply(reply))),
            (HookKind::Status | HookKind::Inbound, Some(reply)) => Some(Said::Reply(reply)),
            (HookKind::Status, None) => receipt(),
            (HookKind::Inbound, None) => receipt().or_else(|| item.unread(map?, country).map(Said::Reply)),
        }
    }

    /// Whether what reads as a reply comes from our own number, or bears the id of a message that we sent.
    fn is_of_ours(&self, item: &Fields, reply: &Reply) -> bool {
        let named = self.settings.receipt.as_ref().and_then(|map| map.id.as_ref()).and_then(|field| item.text(field));
        let by_id = named.is_some_and(|id| id == reply.id && self.awaited.knows(&id));
        by_id || reply.from == e164(&self.settings.from, &self.settings.country_code)
    }

    async fn take_receipt(&self, inbox: &Inbox, guard: &Guard, request: &HookRequest, receipt: Receipt) -> bool {
        let named = || guard.covers_address().then(|| value(&request.query(), "d").and_then(|id| id.parse().ok())).flatten();
        let known = receipt.id.as_deref().and_then(|id| self.awaited.due(id));
        let Some(dispatch) = receipt.dispatch.or(known).or_else(named) else {
            return true; // Of a message that is not ours.
        };
        let id = receipt.id.unwrap_or_else(|| dispatch.to_string());
        inbox.receipt(&self.awaited, &id, dispatch, receipt.report).await
    }

    /// The request for a message.
    fn message(&self, words: &Words) -> Option<Request> {
        let url = Url::parse(&self.sheet.render("url", words)?).ok()?;
        let method = match self.settings.method {
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Get => reqwest::Method::GET,
        };
        let kind = match self.settings.body_as {
            BodyAs::Json => "application/json",
            BodyAs::Form => "application/x-www-form-urlencoded",
        };
        let body = match &self.settings.body {
            Some(_) => Some((kind, self.sheet.render("body", words)?)),
            None => None,
        };
        Some(Request { method, url, body, headers: self.headers(words)? })
    }

    fn get(&self, url: &str, words: &Words) -> Option<Request> {
        Some(Request { method: reqwest::Method::GET, url: Url::parse(url).ok()?, body: None, headers: self.headers(words)? })
    }

    /// The settings' own headers; one that says nothing this time is left out.
    fn headers(&self, words: &Words) -> Option<Vec<(String, String)>> {
        let names = self.settings.headers.keys();
        let made: Option<Vec<_>> = names.map(|name| Some((name.clone(), self.sheet.render(&format!("headers.{name}"), words)?))).collect();
        Some(made?.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }

    /// Makes a request; once more where the token had ended early, since nothing was taken by that one.
    async fn call(&self, request: &Request, limit: Duration) -> Result<Answer, Fault> {
        let answer = self.once(request, limit).await?;
        if answer.is_unauthorised() && self.login.forget() { self.once(request, limit).await } else { Ok(answer) }
    }

    /// One request with our login and headers, no longer than `limit`.
    async fn once(&self, request: &Request, limit: Duration) -> Result<Answer, Fault> {
        let mut made = self.client.request(request.method.clone(), request.url.clone());
        let own = |name: &HeaderName| request.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name.as_str()));
        if !own(&ACCEPT) {
            made = made.header(ACCEPT, "application/json");
        }
        if let Some((kind, body)) = &request.body {
            made = made.body(body.clone());
            if !own(&CONTENT_TYPE) {
                made = made.header(CONTENT_TYPE, *kind);
            }
        }
        for (name, value) in &request.headers {
            made = made.header(name, value);
        }
        let now = (self.now)();
        let began = Instant::now();
        let signing = self.login.sign(&self.client, request.method.as_str(), &request.url, made, now);
        // Logging in is part of the request: a provider whose tokens hang has no more time than one whose messages do.
        let signed = timeout(limit, signing).await.map_err(|_late| Fault::NotSent("login timeout"))??;
        let left = limit.saturating_sub(began.elapsed());
        let response = signed.timeout(left).send().await.map_err(|error| client::fault_of(&error))?;
        Ok(Answer::read(response, now).await)
    }

    /// The words of a request; those about a message are empty without one.
    fn words(&self, message: Option<(&str, &str, &Order)>) -> Words {
        let settings = &self.settings;
        let (to, text) = message.map_or(("", ""), |(to, text, _)| (to, text));
        let (dispatch, key) = message.map(|(_, _, order)| (order.id.to_string(), order.key())).unwrap_or_default();
        let country = settings.country_code.as_str();
        let expires = (self.now)().saturating_add(SignedDuration::from_secs(i64::from(settings.validity_s)));
        let expires = expires.unwrap_or(Timestamp::MAX);
        let words = [
            ("to", to.to_owned()),
            ("to_plain", plain(to)),
            ("to_national", national(to, country)),
            ("from", settings.from.clone()),
            ("from_plain", plain(&settings.from)),
            ("from_national", national(&settings.from, country)),
            ("text", text.to_owned()),
            ("validity_s", settings.validity_s.to_string()),
            ("validity_min", settings.validity_s.div_ceil(60).max(1).to_string()),
            ("expires_at", format!("{expires:.0}")),
            ("user", settings.user.clone().unwrap_or_default()),
            ("token", self.token.as_ref().map(|token| token.current.clone()).unwrap_or_default()),
            ("status_url", self.our_address("status", &dispatch)),
            ("inbound_url", self.our_address("inbound", "")),
            ("dispatch", dispatch),
            ("dispatch_key", key),
        ];
        words.into_iter().map(|(name, word)| (name, Value::from(word))).collect()
    }

    /// Where a callback reaches us, empty where it cannot or would not be believed.
    fn our_address(&self, kind: &str, dispatch: &str) -> String {
        let Some((base, guard)) = self.public_url.as_deref().zip(self.guard.as_ref()) else {
            return String::new();
        };
        let named = (!dispatch.is_empty()).then(|| format!("d={dispatch}"));
        let query: Vec<_> = named.into_iter().chain(guard.in_address()).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{base}/hooks/{}/{kind}{mark}{}", self.awaited.carrier(), query.join("&"))
    }
}

/// What one item of a callback is.
enum Said {
    Receipt(Receipt),
    Reply(Reply),
    OnTheWay,
}

fn read_body(request: &HookRequest) -> Vec<Fields> {
    let kind = header(request, "content-type").unwrap_or_default().to_ascii_lowercase();
    if kind.starts_with("application/x-www-form-urlencoded") {
        return std::str::from_utf8(&request.body).map(|body| vec![Fields::Form(pairs_of(body))]).unwrap_or_default();
    }
    serde_json::from_slice(&request.body).map(Fields::items).unwrap_or_default()
}
