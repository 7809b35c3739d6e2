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
use crate::call::script::{Digit, Said, Script, interrupted, parting};
use crate::inbound::{HookKind, HookReply, HookRequest, Inbox, NOTHING_TO_DO, signed_fields};
use crate::sms::signature::{Pairs, value};

/// A callback of a call: what the provider signed.
struct Call<'a> {
    inbox: &'a Inbox,
    sid: &'a str,
    dispatch: DispatchId,
}

impl Caller {
    /// Takes a callback that is a POST of an acceptable size.
    pub(crate) async fn receive(&self, inbox: &Inbox, request: &HookRequest) -> HookReply {
        let Some(fields) = signed_fields(Some(&self.0.public_url), self.0.api.secret(), request) else {
            tracing::warn!(carrier = %self.name(), "a callback that does not prove itself was refused");
            return HookReply::new(403);
        };
        let query = request.query();
        let dispatch = value(&query, "d").and_then(|id| id.parse().ok());
        let (Some(sid), Some(dispatch)) = (value(&fields, "CallSid"), dispatch) else {
            return HookReply::new(400);
        };
        let call = Call { inbox, sid, dispatch };
        match request.kind {
            HookKind::Status => self.status(&call, &fields).await,
            HookKind::Voice => {
                let digits = value(&fields, "Digits").unwrap_or_default();
                let Some(to) = value(&fields, "To") else { return HookReply::new(400) };
                HookReply::xml(match value(&query, "s") {
                    Some("answered") => self.answered(&call, to, digits).await,
                    Some("asked") if digits == "1" => self.asked(&call).await,
                    Some(_) | None => self.say(&call, |script| script.opening(&self.hook(&call.dispatch, "voice", "asked"))).await,
                })
            }
            HookKind::Inbound => HookReply::new(400), // Nobody rings us.
        }
    }

    async fn status(&self, call: &Call<'_>, fields: &Pairs) -> HookReply {
        let ended = value(fields, "CallStatus").unwrap_or_default();
        let taken_by = value(fields, "AnsweredBy").unwrap_or_default();
        let durable = match outcome(ended, taken_by) {
            Some(code) if !call.inbox.has_arrived(self.name(), call.sid) => {
                self.report(call, Report::Undelivered { code: code.to_owned() }).await
            }
            Some(_) | None => true,
        };
        if durable { HookReply::xml(NOTHING_TO_DO.to_owned()) } else { HookReply::new(503) }
    }

    /// Somebody wants to hear it. They have it from here on, whatever becomes of the call.
    async fn asked(&self, call: &Call<'_>) -> String {
        if self.scripts().get(&call.dispatch.to_string()).is_some() {
            // Where it is not durable, the next digit or the missing receipt says the same.
            self.report(call, Report::Delivered).await;
        }
        self.alarm(call, "").await
    }

    /// A digit after the words of the alarm. Those of a call from before a restart count as well: what is needed is in what
    /// the provider signed.
    async fn answered(&self, call: &Call<'_>, to: &str, digits: &str) -> String {
        let Some(digit) = Digit::read(digits) else {
            return self.alarm(call, "").await;
        };
        let name = call.dispatch.to_string();
        if let Some((pressed, said)) = self.scripts().get(&name).and_then(|script| script.answered)
            && pressed == digit
        {
            return parting(said); // The provider asks once more for what it did not hear.
        }
        self.report(call, Report::Delivered).await;
        let answer = Answer {
            from: Sender::Callee { activation: call.dispatch.activation.clone(), number: Private::Open(to.to_owned()) },
            reply: digit.reply(),
            text: None,
            provider_ref: Some(format!("{}/{digits}", call.sid)),
            sent_at: None,
        };
        match call.inbox.pressed(answer).await {
            Verdict::Durable(outcome) => {
                let became = if outcome.counted { Said::Counted(digit) } else { Said::SetAside };
                if let Some(script) = self.scripts().get_mut(&name) {
                    script.answered = Some((digit, became));
                }
                parting(became)
            }
            Verdict::Refused(_) => parting(Said::SetAside),
            Verdict::NotTaken(_) => self.alarm(call, "That was not recorded. Please press it again. ").await,
        }
    }

    async fn report(&self, call: &Call<'_>, report: Report) -> bool {
        call.inbox.reported(self.name(), call.sid, call.dispatch.clone(), report).await
    }

    async fn alarm(&self, call: &Call<'_>, before: &str) -> String {
        self.say(call, |script| script.alarm(&self.hook(&call.dispatch, "voice", "answered"), before)).await
    }

    /// What the call's words say next. Nobody knows the words of a call from before a restart: whoever is still to be told is
    /// told by the climb.
    async fn say(&self, call: &Call<'_>, words: impl Fn(&Script) -> String) -> String {
        let said = self.scripts().get(&call.dispatch.to_string()).map(words);
        if let Some(said) = said {
            return said;
        }
        if !call.inbox.has_arrived(self.name(), call.sid) {
            self.report(call, Report::Undelivered { code: "interrupted".to_owned() }).await;
        }
        interrupted()
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
