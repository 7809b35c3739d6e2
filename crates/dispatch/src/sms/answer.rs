//! What the Messages resource answers, and what each answer means for us. Sends nothing.

use escalation::dispatch::Report;
use escalation::time::Timestamp;
use reqwest::Response;
use serde::Deserialize;

use crate::carrier::Fault;
use crate::client;

/// Provider codes that say something about our account rather than the number (Twilio's error dictionary): credentials or
/// account not valid (20003, 20005, 20008, 30002), the sending number not ours or not fit (21212, 21603, 21606, 21659,
/// 21660), the messaging service missing or empty (21701, 21703).
const OUR_ACCOUNT: [i64; 11] = [20003, 20005, 20008, 21212, 21603, 21606, 21659, 21660, 21701, 21703, 30002];
/// The queue of our sending number is full.
const QUEUE_FULL: i64 = 21611;

/// A message as the API shows it. Only what we read.
#[derive(Deserialize)]
pub(crate) struct Resource {
    pub(crate) sid: String,
    #[serde(default)]
    pub(crate) from: Option<String>,
    #[serde(default)]
    pub(crate) body: Option<String>,
    #[serde(default)]
    pub(crate) direction: Option<String>,
    #[serde(default)]
    pub(crate) status: Option<String>,
    #[serde(default)]
    pub(crate) error_code: Option<i64>,
    #[serde(default)]
    pub(crate) date_created: Option<String>,
    #[serde(default)]
    pub(crate) date_sent: Option<String>,
}

/// One page of a listing.
#[derive(Deserialize)]
pub(crate) struct Page {
    #[serde(default)]
    pub(crate) messages: Vec<Resource>,
    #[serde(default)]
    pub(crate) next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct Complaint {
    #[serde(default)]
    code: Option<i64>,
}

impl Resource {
    pub(crate) fn is_inbound(&self) -> bool {
        self.direction.as_deref() == Some("inbound")
    }

    /// When it was sent, by the provider's clock.
    pub(crate) fn sent_at(&self) -> Option<Timestamp> {
        let date = self.date_sent.as_deref().or(self.date_created.as_deref());
        date.and_then(read_date)
    }

    pub(crate) fn gave_up(&self) -> bool {
        matches!(self.status.as_deref(), Some("failed" | "undelivered" | "canceled"))
    }
}

/// What a provider's status says, where it is final.
pub(crate) fn final_report(status: &str, code: Option<&str>) -> Option<Report> {
    match status {
        "delivered" | "read" => Some(Report::Delivered),
        "undelivered" | "failed" | "canceled" => {
            let code = code.filter(|code| !code.is_empty()).unwrap_or(status);
            let code = code.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
            Some(Report::Undelivered { code })
        }
        // queued, accepted, scheduled, sending, sent: on the way; anything else: not a word we know.
        _on_the_way => None,
    }
}

/// Reads what the provider answered to a send: its id of the message, or why not.
pub(crate) async fn judge(response: Response, now: Timestamp) -> Result<Option<String>, Fault> {
    #[derive(Deserialize)]
    struct Created {
        sid: String,
    }
    if response.status().is_success() {
        // Taken, whatever becomes of the rest of the answer.
        return Ok(response.json::<Created>().await.ok().map(|created| created.sid));
    }
    Err(refusal(response, now).await)
}

pub(crate) async fn refusal(response: Response, now: Timestamp) -> Fault {
    let status = response.status();
    let wait = client::retry_after(response.headers(), now);
    match status.as_u16() {
        401 | 403 | 404 => Fault::Credentials,
        429 | 503 => Fault::Busy(wait),
        408 | 502 | 504 => Fault::Unknown { why: "gateway timeout", absent: false },
        500..=599 => Fault::NotSent("server error"),
        _refused => {
            // What is left concerns the number: not one (21211, 21614), out of reach (21612, 21408), opted out (21610).
            match response.json::<Complaint>().await.ok().and_then(|complaint| complaint.code) {
                Some(code) if OUR_ACCOUNT.contains(&code) => Fault::Credentials,
                Some(QUEUE_FULL) => Fault::Busy(wait),
                Some(code) => Fault::Refused(code.to_string()),
                None => Fault::Refused(status.as_u16().to_string()),
            }
        }
    }
}

/// Reads the API's dates, `Thu, 24 Aug 2023 05:01:45 +0000`.
pub(crate) fn read_date(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%a, %d %b %Y %H:%M:%S %z", text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_final_statuses_are_receipts() {
        assert_eq!(final_report("delivered", None), Some(Report::Delivered));
        assert_eq!(final_report("undelivered", Some("30003")), Some(Report::Undelivered { code: "30003".to_owned() }));
        assert_eq!(final_report("failed", Some("")), Some(Report::Undelivered { code: "failed".to_owned() }));
        for status in ["queued", "sending", "sent", "accepted", "scheduled", "", "whatever"] {
            assert_eq!(final_report(status, None), None, "{status}");
        }
    }

    #[test]
    fn dates_are_read_as_the_api_writes_them() {
        let at = read_date("Thu, 24 Aug 2023 05:01:45 +0000").unwrap();
        assert_eq!(at.to_string(), "2023-08-24T05:01:45Z");
        assert_eq!(read_date("yesterday"), None);
    }
}
