//! What comes back from a call: the provider asking what to say, the digits, and how it ended.
//!
//! Only a digit is an answer. That somebody took the call, and whether the provider believes it a human or a machine, is
//! recorded and stops nothing.

use escalation::acknowledgement::{Answer, Sender};
use escalation::dispatch::Report;
use escalation::id::DispatchId;
use escalation::private::Private;
use escalation::verdict::Verdict;

use crate::call::Caller;
use crate::call::script::{Digit, Said, interrupted, parting};
use crate::inbound::{HookKind, HookReply, HookRequest, Inbox, signed_fields};
use crate::sms::signature::{Pairs, pairs_of, value};

/// The document that says nothing and ends nothing.
const NOTHING_TO_DO: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";

/// What somebody did with the keys, taken from the request.
enum Step {
    /// The call was taken, by whatever took it.
    Opened,
    /// A digit after the first words.
    Asked,
    /// A digit after the words of the alarm.
    Answered,
}

impl Caller {
    /// Takes a callback that is a POST of an acceptable size.
    pub(crate) async fn receive(&self, inbox: &Inbox, request: &HookRequest) -> HookReply {
        let Some(fields) = signed_fields(Some(&self.0.public_url), &self.0.secret, request) else {
            tracing::warn!(carrier = %self.name(), "a callback that does not prove itself was refused");
            return reply(403, "");
        };
        let query = pairs_of(request.path_and_query.split_once('?').map_or("", |(_, query)| query));
        let dispatch = value(&query, "d").and_then(|id| id.parse::<DispatchId>().ok());
        let (Some(sid), Some(dispatch)) = (value(&fields, "CallSid"), dispatch) else {
            return reply(400, "");
        };
        match request.kind {
            HookKind::Status => self.status(inbox, sid, dispatch, &fields).await,
            HookKind::Voice => {
                let step = match value(&query, "s") {
                    Some("asked") => Step::Asked,
                    Some("answered") => Step::Answered,
                    Some(_) | None => Step::Opened,
                };
                let digits = value(&fields, "Digits").unwrap_or_default();
                reply(200, &self.converse(inbox, sid, dispatch, &step, digits).await)
            }
            HookKind::Inbound => reply(400, ""), // Nobody rings us.
        }
    }

    async fn status(&self, inbox: &Inbox, sid: &str, dispatch: DispatchId, fields: &Pairs) -> HookReply {
        let heard = self.scripts().get(&dispatch.to_string()).is_some_and(|script| script.heard);
        let ended = value(fields, "CallStatus").unwrap_or_default();
        let taken_by = value(fields, "AnsweredBy").unwrap_or_default();
        let Some(code) = outcome(ended, taken_by).filter(|_| !heard) else {
            return reply(200, NOTHING_TO_DO);
        };
        let durable = inbox.receipt(&self.0.awaited, sid, dispatch, Report::Undelivered { code: code.to_owned() }).await;
        if durable { reply(200, NOTHING_TO_DO) } else { reply(503, "") }
    }

    /// What to say next.
    async fn converse(&self, inbox: &Inbox, sid: &str, dispatch: DispatchId, step: &Step, digits: &str) -> String {
        let name = dispatch.to_string();
        let (asked, answered) = (self.hook(&dispatch, "voice", "asked"), self.hook(&dispatch, "voice", "answered"));
        let known = self.scripts().get(&name).map(|script| (script.to.clone(), script.answered));
        let Some((to, before)) = known else {
            // From before a restart. Whoever is still to be told is told by the climb.
            let report = Report::Undelivered { code: "interrupted".to_owned() };
            inbox.receipt(&self.0.awaited, sid, dispatch, report).await;
            return interrupted();
        };
        let heard = match step {
            Step::Opened => false,
            Step::Asked => digits == "1",
            Step::Answered => true,
        };
        if !heard {
            return self.say(&name, |script| script.opening(&asked));
        }
        // The human who pressed a digit has it from here on, whatever becomes of the call.
        let first = self.scripts().get_mut(&name).is_some_and(|script| !std::mem::replace(&mut script.heard, true));
        if first {
            // Not waited for longer than it takes: where it is not durable, the answer or the missing receipt says the same.
            inbox.receipt(&self.0.awaited, sid, dispatch.clone(), Report::Delivered).await;
        }
        let digit = match step {
            Step::Opened | Step::Asked => None,
            Step::Answered => Digit::read(digits),
        };
        let Some(digit) = digit else {
            return self.say(&name, |script| script.alarm(&answered, ""));
        };
        if let Some((pressed, said)) = before
            && pressed == digit
        {
            return parting(said); // The provider asks once more for what it did not hear.
        }
        let answer = Answer {
            from: Sender::Callee { activation: dispatch.activation.clone(), number: Private::Open(to) },
            reply: digit.reply(),
            text: None,
            provider_ref: Some(format!("{sid}/{digits}")),
            sent_at: None,
        };
        match inbox.pressed(answer).await {
            Verdict::Durable(outcome) => {
                let became = if outcome.counted { Said::Counted(digit) } else { Said::SetAside };
                if let Some(script) = self.scripts().get_mut(&name) {
                    script.answered = Some((digit, became));
                }
                parting(became)
            }
            Verdict::Refused(_) => parting(Said::SetAside),
            Verdict::NotTaken(_) => self.say(&name, |script| script.alarm(&answered, "That was not recorded. Please press it again. ")),
        }
    }

    fn say(&self, name: &str, words: impl Fn(&crate::call::script::Script) -> String) -> String {
        self.scripts().get(name).map_or_else(interrupted, words)
    }
}

/// Why a call reached nobody, in letters only; `None` where it goes on, or where somebody is there.
fn outcome(ended: &str, taken_by: &str) -> Option<&'static str> {
    let by_machine = taken_by.starts_with("machine") || taken_by == "fax";
    match ended {
        "busy" => Some("busy"),
        "no-answer" => Some("noanswer"),
        "canceled" => Some("canceled"),
        "failed" => Some("failed"),
        _any if by_machine => Some("voicemail"),
        // Somebody, or something, took it and pressed nothing.
        "completed" => Some("nodigit"),
        _under_way => None,
    }
}

fn reply(status: u16, body: &str) -> HookReply {
    HookReply { status, content_type: if status == 200 { "text/xml" } else { "text/plain" }, body: body.to_owned() }
}
