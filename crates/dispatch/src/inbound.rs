//! What providers tell us: receipts and replies, by callback or by listing, each handed to the watch once.
//!
//! A callback gets its 2xx only after the watch's verdict (I1). What is wrong with a caller it learns from the status
//! alone; what it sent is never logged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use escalation::acknowledgement::{Answer, Reply, Sender};
use escalation::dispatch::{DeliveryReport, Report};
use escalation::id::{CarrierName, DispatchId};
use escalation::input::Input;
use escalation::private::Private;
use escalation::time::Timestamp;
use escalation::verdict::Verdict;
use tokio::time::Instant;

use crate::call::Caller;
use crate::recent::Recent;
use crate::report::Reporter;
use crate::settings::Secret;
use crate::sms::account::Account;
use crate::sms::answer::final_report;
use crate::sms::awaited::Awaited;
use crate::sms::signature::{Pairs, body_is_signed, form_is_signed, pairs_of, value};
use crate::sms::twilio::Twilio;

/// Provider messages remembered against replay, over all accounts; beyond it the rules still know each by its id.
const SEEN_MAX: usize = 100_000;
/// Largest callback read, bytes; a provider's are some hundreds.
const BODY_MAX: usize = 64 * 1024;
/// Longest reply kept, characters: ten segments.
const REPLY_KEPT: usize = 1_600;
/// What a provider expects for "thank you, nothing to do".
pub(crate) const NOTHING_TO_DO: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";

/// A provider's request, as it came in.
pub struct HookRequest {
    /// The `{provider}` of the path: an account's name in the settings.
    pub provider: String,
    /// What it is about.
    pub kind: HookKind,
    /// `POST`, or something refused.
    pub method: String,
    /// Raw path and query, exactly as received: they are signed.
    pub path_and_query: String,
    /// Name and value of each header, any case.
    pub headers: Vec<(String, String)>,
    /// The body, exactly as received.
    pub body: Vec<u8>,
}

/// What a callback is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookKind {
    /// `/hooks/{provider}/status`: a receipt.
    Status,
    /// `/hooks/{provider}/inbound`: a reply.
    Inbound,
    /// `/hooks/{provider}/voice`: a call asks what to say, and brings digits.
    Voice,
}

/// What the provider is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookReply {
    /// HTTP status: 200 only once what it confirms is durable, 503 asks for a retry, 403 was not signed.
    pub status: u16,
    /// Of the body.
    pub content_type: &'static str,
    /// For the provider.
    pub body: String,
}

impl HookRequest {
    /// The fields of its address, which are ours: we said where to call.
    pub(crate) fn query(&self) -> Pairs {
        pairs_of(self.path_and_query.split_once('?').map_or("", |(_, query)| query))
    }
}

impl HookReply {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, content_type: "text/plain", body: String::new() }
    }

    /// 200 with this document.
    pub(crate) fn xml(document: String) -> Self {
        Self { status: 200, content_type: "text/xml", body: document }
    }

    /// In the form that the account's provider expects.
    fn of(status: u16, account: &Account) -> Self {
        match (status, account) {
            (200, Account::Twilio(_)) => Self::xml(NOTHING_TO_DO.to_owned()),
            (200, Account::Http(_)) => Self { body: "OK".to_owned(), ..Self::new(200) },
            (refused, Account::Twilio(_) | Account::Http(_)) => Self::new(refused),
        }
    }
}

/// Takes providers' callbacks. Cheap to clone.
#[derive(Clone)]
pub struct Callbacks {
    parties: Arc<BTreeMap<CarrierName, Party>>,
    inbox: Arc<Inbox>,
}

/// Who calls back.
enum Party {
    Texts(Account),
    Calls(Caller),
}

impl Callbacks {
    pub(crate) fn new(accounts: impl IntoIterator<Item = Account>, callers: impl IntoIterator<Item = Caller>, inbox: Arc<Inbox>) -> Self {
        let texts = accounts.into_iter().map(|account| (account.name().clone(), Party::Texts(account)));
        let calls = callers.into_iter().map(|caller| (caller.name().clone(), Party::Calls(caller)));
        Self { parties: Arc::new(texts.chain(calls).collect()), inbox }
    }

    /// Checks one callback and hands what it says to the watch.
    ///
    /// 404 unknown provider, 405 not a POST, 413 too large, 403 not signed by it (nothing is submitted), 400 signed but
    /// senseless, 503 not durable (the provider tries again), 200 durable or nothing to record.
    pub async fn receive(&self, request: HookRequest) -> HookReply {
        let name = CarrierName::parse(&request.provider).ok();
        let Some(party) = name.and_then(|name| self.parties.get(&name)) else {
            return HookReply::new(404);
        };
        if request.method != "POST" {
            return HookReply::new(405);
        }
        if request.body.len() > BODY_MAX {
            return HookReply::new(413);
        }
        let account = match party {
            Party::Texts(account) => account,
            Party::Calls(caller) => return caller.receive(&self.inbox, &request).await,
        };
        let taken = match account {
            Account::Twilio(account) => self.twilio(account, &request).await,
            Account::Http(gateway) => gateway.receive(&self.inbox, &request).await,
        };
        let status = match taken {
            Some(Some(true)) => 200,
            Some(Some(false)) => 503,
            Some(None) => 400,
            None => {
                tracing::warn!(carrier = %account.name(), "a callback that does not prove itself was refused");
                403
            }
        };
        HookReply::of(status, account)
    }

    /// `None` where it was not signed, `Some(None)` where it makes no sense, else whether it is durable.
    async fn twilio(&self, account: &Twilio, request: &HookRequest) -> Option<Option<bool>> {
        let fields = signed_fields(account.public_url(), account.secret(), request)?;
        Some(match request.kind {
            HookKind::Status => self.status(account, request, &fields).await,
            HookKind::Inbound => self.inbound(account, &fields).await,
            HookKind::Voice => None, // It sends texts.
        })
    }

    async fn status(&self, account: &Twilio, request: &HookRequest, fields: &Pairs) -> Option<bool> {
        let sid = value(fields, "MessageSid").or_else(|| value(fields, "SmsSid"))?;
        let status = value(fields, "MessageStatus").or_else(|| value(fields, "SmsStatus"))?;
        let Some(report) = final_report(status, value(fields, "ErrorCode")) else {
            return Some(true); // On the way: nothing that anybody waits for.
        };
        let named = value(&request.query(), "d").and_then(|id| id.parse().ok());
        let dispatch = named.or_else(|| account.awaited().due(sid));
        match dispatch {
            Some(dispatch) => Some(self.inbox.receipt(account.awaited(), sid, dispatch, report).await),
            None => Some(true), // Of a message that is not ours.
        }
    }

    async fn inbound(&self, account: &Twilio, fields: &Pairs) -> Option<bool> {
        let sid = value(fields, "MessageSid").or_else(|| value(fields, "SmsSid"))?;
        let from = value(fields, "From")?;
        let text = value(fields, "Body").unwrap_or_default();
        Some(self.inbox.reply(account.awaited(), sid, from, text, None).await)
    }
}

/// The callback's fields, where one of the account's tokens signed it.
pub(crate) fn signed_fields(public_url: Option<&str>, secret: &Secret, request: &HookRequest) -> Option<Pairs> {
    // Without a public address nobody can say what was signed.
    let url = format!("{}{}", public_url?, request.path_and_query);
    let signature = header(request, "x-twilio-signature")?;
    let is_form =
        header(request, "content-type").is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
    if is_form {
        let form = pairs_of(std::str::from_utf8(&request.body).ok()?);
        let signed = |token: &str| form_is_signed(token, &url, &form, signature);
        return secret.each().any(signed).then_some(form);
    }
    let signed = |token: &str| body_is_signed(token, &url, &request.body, signature);
    secret.each().any(signed).then(|| json_fields(&request.body))
}

pub(crate) fn header<'a>(request: &'a HookRequest, name: &str) -> Option<&'a str> {
    let found = request.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// The top level of a JSON object as pairs; what is neither text nor number is left out.
fn json_fields(body: &[u8]) -> Pairs {
    let Ok(serde_json::Value::Object(fields)) = serde_json::from_slice(body) else {
        return Pairs::new();
    };
    let plain = |(name, value): (String, serde_json::Value)| match value {
        serde_json::Value::String(text) => Some((name, text)),
        serde_json::Value::Number(number) => Some((name, number.to_string())),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
    };
    fields.into_iter().filter_map(plain).collect()
}

/// Hands receipts and replies to the watch, each once.
pub(crate) struct Inbox {
    reporter: Reporter,
    /// What was recorded of a provider's message, by account and id: a status only moves up.
    seen: Mutex<Recent<u8>>,
}

impl Inbox {
    pub(crate) fn new(reporter: Reporter) -> Arc<Self> {
        Arc::new(Self { reporter, seen: Mutex::new(Recent::new(SEEN_MAX)) })
    }

    /// Hands on a final receipt that was waited for; true once it is durable or was before.
    pub(crate) async fn receipt(&self, awaited: &Awaited, sid: &str, dispatch: DispatchId, report: Report) -> bool {
        let durable = self.reported(awaited.carrier(), sid, dispatch, report).await;
        if durable {
            awaited.came(sid);
        }
        durable
    }

    /// Hands on what became of a message; true once it is durable, or that or something later was before.
    pub(crate) async fn reported(&self, carrier: &CarrierName, sid: &str, dispatch: DispatchId, report: Report) -> bool {
        let rank = rank(&report);
        let key = format!("{carrier}/{sid}");
        if self.rank_of(&key) >= rank {
            return true;
        }
        let durable = self
            .reporter
            .once(Input::DeliveryReported(DeliveryReport {
                dispatch,
                report,
                provider: Some(carrier.clone()),
                provider_ref: Some(sid.to_owned()),
                text: None,
                template: None,
                possible_duplicate: false,
                tries: 0,
            }))
            .await;
        if durable {
            self.remember(key, rank);
        }
        durable
    }

    /// Whether it was handed on in this run that somebody has the message, or what came after that.
    pub(crate) fn has_arrived(&self, carrier: &CarrierName, sid: &str) -> bool {
        self.rank_of(&format!("{carrier}/{sid}")) >= rank(&Report::Delivered)
    }

    /// Hands on a reply; true once it is durable or was before.
    pub(crate) async fn reply(&self, awaited: &Awaited, sid: &str, from: &str, text: &str, sent_at: Option<Timestamp>) -> bool {
        let key = format!("{}/{sid}", awaited.carrier());
        if self.rank_of(&key) > 0 {
            return true;
        }
        let answer = Answer {
            from: Sender::Number(Private::Open(from.to_owned())),
            reply: Reply::parse(text),
            text: Some(Private::Open(text.chars().take(REPLY_KEPT).collect())),
            provider_ref: Some(sid.to_owned()),
            sent_at,
        };
        let durable = self.reporter.once(Input::Answer(answer)).await;
        if durable {
            self.remember(key, 1);
        }
        durable
    }

    /// Hands on a digit that somebody pressed; the verdict is said back to them.
    pub(crate) async fn pressed(&self, answer: Answer) -> Verdict {
        self.reporter.ask(Input::Answer(answer)).await
    }

    /// Whether a reply was recorded in this run.
    pub(crate) fn knows(&self, awaited: &Awaited, sid: &str) -> bool {
        self.rank_of(&format!("{}/{sid}", awaited.carrier())) > 0
    }

    fn rank_of(&self, key: &str) -> u8 {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(key).copied().unwrap_or(0)
    }

    fn remember(&self, key: String, rank: u8) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(Instant::now(), key, rank);
    }
}

/// The order of [`Report`]: a status only moves up.
fn rank(report: &Report) -> u8 {
    match report {
        Report::AcceptedReceiptDue => 1,
        Report::Accepted => 2,
        Report::Delivered => 3,
        Report::Undelivered { .. } => 4,
        Report::Failed(_) => 5,
    }
}
