//! What a gateway answered to a message, and what that means for us. Sends nothing.

use std::time::Duration;

use escalation::time::Timestamp;
use reqwest::Response;
use serde_json::Value;

use crate::carrier::Fault;
use crate::client;
use crate::settings::TakenMap;
use crate::sms::ears::Missed;
use crate::sms::http::fields::plain;

/// An answer, read.
pub(super) struct Answer {
    status: u16,
    /// For how long it asks us to stay away.
    wait: Option<Duration>,
    /// `None` where it is no JSON, or was cut off.
    body: Option<Value>,
}

impl Answer {
    pub(super) async fn read(response: Response, now: Timestamp) -> Self {
        let status = response.status().as_u16();
        let wait = client::retry_after(response.headers(), now);
        Self { status, wait, body: response.json().await.ok() }
    }

    pub(super) fn is_unauthorised(&self) -> bool {
        self.status == 401
    }

    pub(super) fn is_missing(&self) -> bool {
        self.status == 404
    }

    fn at(&self, pointer: Option<&String>) -> Option<String> {
        self.body.as_ref()?.pointer(pointer?).and_then(plain)
    }

    /// The body of a listing, or why there is none.
    pub(super) fn listing(self, map: &TakenMap) -> Result<Value, Missed> {
        match self.status {
            200..=299 => self.body.ok_or(Missed::Strange("no JSON")),
            _other => Err(self.fault(map).into()),
        }
    }

    /// The provider's id of the message it took, or why it did not.
    pub(super) fn judge(&self, map: &TakenMap) -> Result<Option<String>, Fault> {
        if !(200..=299).contains(&self.status) {
            return Err(self.fault(map));
        }
        // Some say what went wrong with a 200.
        if let Some(fault) = self.known(map) {
            return Err(fault);
        }
        let said = self.at(map.status.as_ref());
        let is_ok = map.ok.is_empty() || said.as_ref().is_some_and(|said| contains(&map.ok, said));
        let id = self.at(map.id.as_ref()).filter(|id| !id.is_empty());
        if is_ok && (id.is_some() || map.id.is_none()) {
            return Ok(id);
        }
        // A word that nobody told us, or no id where there should be one: it may well have been taken, so what follows is marked.
        Err(Fault::Unknown { why: "strange answer", absent: false })
    }

    /// The fault that the settings name for a code of this answer.
    fn known(&self, map: &TakenMap) -> Option<Fault> {
        let codes = [self.at(map.code.as_ref()), self.at(map.status.as_ref()), Some(self.status.to_string())];
        codes.into_iter().flatten().find_map(|code| {
            if contains(&map.credentials, &code) {
                Some(Fault::Credentials)
            } else if contains(&map.transient, &code) {
                Some(self.wait.map_or(Fault::NotSent("transient"), |wait| Fault::Busy(Some(wait))))
            } else if contains(&map.refused, &code) {
                Some(Fault::Refused(code.chars().filter(char::is_ascii_alphanumeric).take(32).collect()))
            } else {
                None
            }
        })
    }

    /// What an answer that is no success means, where the settings say nothing else.
    fn fault(&self, map: &TakenMap) -> Fault {
        if let Some(fault) = self.known(map) {
            return fault;
        }
        match self.status {
            // No money, and an address that is elsewhere or not there, are ours to mend too.
            300..=399 | 401..=404 => Fault::Credentials,
            429 | 503 => Fault::Busy(self.wait),
            408 | 502 | 504 => Fault::Unknown { why: "gateway timeout", absent: false },
            // Of a gateway of any make nobody knows whether it had taken the message before it failed.
            500..=599 => Fault::Unknown { why: "server error", absent: false },
            refused => {
                let code = self.at(map.code.as_ref()).unwrap_or_else(|| refused.to_string());
                Fault::Refused(code.chars().filter(char::is_ascii_alphanumeric).take(32).collect())
            }
        }
    }
}

fn contains(list: &[String], code: &str) -> bool {
    list.iter().any(|listed| listed.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: Value) -> Answer {
        Answer { status, wait: None, body: Some(body) }
    }

    fn map() -> TakenMap {
        let text = |text: &str| Some(text.to_owned());
        TakenMap {
            id: text("/m/0/id"),
            status: text("/m/0/status"),
            ok: vec!["SUCCESS".to_owned()],
            code: text("/error"),
            transient: vec!["THROTTLED".to_owned()],
            credentials: vec!["NO_CREDIT".to_owned(), "418".to_owned()],
            refused: vec!["BAD_NUMBER".to_owned()],
        }
    }

    #[test]
    fn a_success_is_what_the_settings_say_and_nothing_else() {
        let said = |status: &str| answer(200, json!({"m": [{"id": "7", "status": status}]})).judge(&map());
        assert_eq!(said("success"), Ok(Some("7".to_owned())));
        assert_eq!(said("NO_CREDIT"), Err(Fault::Credentials), "a 200 that took nothing");
        assert_eq!(said("THROTTLED"), Err(Fault::NotSent("transient")));
        assert_eq!(said("BAD_NUMBER"), Err(Fault::Refused("BADNUMBER".to_owned())));
        assert_eq!(said("WHATEVER"), Err(Fault::Unknown { why: "strange answer", absent: false }), "it may have been taken");
        let cut = Answer { status: 200, wait: None, body: None };
        assert_eq!(cut.judge(&map()), Err(Fault::Unknown { why: "strange answer", absent: false }));
        assert_eq!(cut.judge(&TakenMap::default()), Ok(None), "where a 2xx is enough");
        let lenient = TakenMap { status: None, ok: Vec::new(), ..map() };
        let no_credit = answer(200, json!({"error": "NO_CREDIT", "m": [{"id": "7"}]}));
        assert_eq!(no_credit.judge(&lenient), Err(Fault::Credentials), "a 200 that names an error took nothing");
        let empty = answer(200, json!({"m": []})).judge(&lenient);
        assert_eq!(empty, Err(Fault::Unknown { why: "strange answer", absent: false }), "an id was promised");
    }

    #[test]
    fn other_statuses_have_their_usual_meaning_unless_the_settings_say_otherwise() {
        let plain = |status: u16| answer(status, json!({})).judge(&TakenMap::default()).unwrap_err();
        for status in [302, 401, 402, 403, 404] {
            assert_eq!(plain(status), Fault::Credentials, "{status}");
        }
        assert_eq!((plain(429), plain(500)), (Fault::Busy(None), Fault::Unknown { why: "server error", absent: false }));
        assert_eq!(plain(504), Fault::Unknown { why: "gateway timeout", absent: false });
        assert_eq!(plain(400), Fault::Refused("400".to_owned()));
        assert_eq!(answer(418, json!({})).judge(&map()), Err(Fault::Credentials));
        assert_eq!(answer(400, json!({"error": "NO_CREDIT"})).judge(&map()), Err(Fault::Credentials));
    }
}
