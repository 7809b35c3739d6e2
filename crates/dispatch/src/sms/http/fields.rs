//! What a gateway says, found by the names and pointers of the settings: receipts and replies. Pure.

use escalation::dispatch::Report;
use escalation::id::DispatchId;
use escalation::time::Timestamp;
use serde_json::Value;

use crate::settings::{ReceiptMap, ReplyMap};
use crate::sms::number::e164;
use crate::sms::signature::{Pairs, value};

/// One receipt or reply as it came.
#[derive(Clone, Debug)]
pub(super) enum Fields {
    /// An object of JSON.
    Json(Value),
    /// A form.
    Form(Pairs),
}

/// A receipt that is final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) id: Option<String>,
    pub(super) dispatch: Option<DispatchId>,
    pub(super) report: Report,
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) id: String,
    pub(super) from: String,
    pub(super) text: String,
    pub(super) sent_at: Option<Timestamp>,
}

impl Fields {
    /// Every item of a JSON body: each of a list, or the one object.
    pub(super) fn items(body: Value) -> Vec<Self> {
        match body {
            Value::Array(items) => items.into_iter().map(Self::Json).collect(),
            object @ Value::Object(_) => vec![Self::Json(object)],
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        }
    }

    /// What stands under a name, or at a pointer.
    pub(super) fn text(&self, field: &str) -> Option<String> {
        match self {
            Self::Json(object) => {
                let found = if field.starts_with('/') { object.pointer(field) } else { object.get(field) };
                found.and_then(plain)
            }
            Self::Form(pairs) => value(pairs, field.trim_start_matches('/')).map(str::to_owned),
        }
    }

    /// Whether there is a status at all.
    pub(super) fn is_receipt(&self, map: &ReceiptMap) -> bool {
        self.text(&map.status).is_some()
    }

    /// The receipt, where it is final; `None` for a message that is on its way.
    pub(super) fn receipt(&self, map: &ReceiptMap) -> Option<Receipt> {
        let status = self.text(&map.status)?;
        let is = |list: &[String]| list.iter().any(|word| word.eq_ignore_ascii_case(&status));
        let report = if is(&map.delivered) {
            Report::Delivered
        } else if is(&map.failed) {
            let code = map.code.as_ref().and_then(|field| self.text(field)).filter(|code| !code.is_empty()).unwrap_or(status);
            Report::Undelivered { code: code.chars().filter(char::is_ascii_alphanumeric).take(32).collect() }
        } else {
            return None;
        };
        let dispatch = map.dispatch.as_ref().and_then(|field| self.text(field)).and_then(|name| name.parse().ok());
        Some(Receipt { id: map.id.as_ref().and_then(|field| self.text(field)), dispatch, report })
    }

    /// What has an id and does not read as a reply: a person may have said something all the same. Its words are the item as
    /// it came, which no grammar takes for an answer.
    pub(super) fn unread(&self, map: &ReplyMap, country_code: &str) -> Option<Reply> {
        let id = self.text(&map.id).filter(|id| !id.is_empty())?;
        let from = self.text(&map.from).map(|from| e164(&from, country_code)).unwrap_or_default();
        Some(Reply { id, from, text: self.raw(), sent_at: self.sent_at(map) })
    }

    /// The item as it came.
    fn raw(&self) -> String {
        match self {
            Self::Json(item) => item.to_string(),
            Self::Form(pairs) => pairs.iter().map(|(name, value)| [name.as_str(), value].join("=")).collect::<Vec<_>>().join("\n"),
        }
    }

    fn sent_at(&self, map: &ReplyMap) -> Option<Timestamp> {
        map.sent_at.iter().find_map(|field| read_time(&self.text(field)?))
    }

    /// The reply, where id, sender and words are all there.
    pub(super) fn reply(&self, map: &ReplyMap, country_code: &str) -> Option<Reply> {
        let id = self.text(&map.id).filter(|id| !id.is_empty())?;
        let from = e164(&self.text(&map.from)?, country_code);
        let text = self.text(&map.text)?;
        Some(Reply { id, from, text, sent_at: self.sent_at(map) })
    }
}

/// A text or a number as text.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// RFC 3339, Unix seconds, or a date and time with a blank between and an offset.
fn read_time(text: &str) -> Option<Timestamp> {
    let seconds = text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    seconds.or_else(|| text.parse().ok()).or_else(|| Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_however_a_provider_writes_them() {
        for text in ["2020-08-04T01:24:27Z", "2020-08-04T11:24:27+10:00", "1596504267", "2020-08-04 11:24:27 +1000"] {
            assert_eq!(read_time(text).map(Timestamp::as_second), Some(1_596_504_267), "{text}");
        }
        assert_eq!(read_time("yesterday"), None);
    }
}
