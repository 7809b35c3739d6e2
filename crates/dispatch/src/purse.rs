//! What credit an account has, asked once an hour: without any it refuses the first alarm, and nobody knew before.
//!
//! A trouble each for an account that has less than the settings want, and for one that does not say. An account that does not
//! say is not known to have credit, and not known to have none: what was known of it before stays.

use std::time::Duration;

use escalation::id::CarrierName;
use escalation::trouble::Cause;
use serde_json::Value;
use tokio::sync::watch;

use crate::call::Caller;
use crate::carrier::Fault;
use crate::report::Reporter;
use crate::sms::account::Account;
use crate::sms::ears::Missed;

/// How often an account is asked (issue 3: "balance and login probed hourly").
const ASK_EVERY: Duration = Duration::from_hours(1);
/// How soon one is asked again that did not say.
const ASK_AGAIN: Duration = Duration::from_mins(10);
/// Askings in a row that came to nothing after which that is a trouble. A strange answer or a refused login is one at once.
const UNREAD_AFTER: u32 = 3;

/// One account's credit.
pub(crate) struct Purse {
    owner: Owner,
    low: f64,
    failures: u32,
    is_low: watch::Sender<Option<bool>>,
    is_gone: watch::Sender<Option<bool>>,
    is_unread: watch::Sender<Option<bool>>,
    stopping: watch::Receiver<bool>,
}

/// Whose it is.
pub(crate) enum Owner {
    /// An account that sends texts.
    Sms(Account),
    /// One that makes calls.
    Calls(Caller),
}

impl Owner {
    pub(crate) fn name(&self) -> &CarrierName {
        match self {
            Self::Sms(account) => account.name(),
            Self::Calls(caller) => caller.name(),
        }
    }

    /// With less than this there is a trouble; `None` where it is not asked.
    pub(crate) fn low(&self) -> Option<f64> {
        match self {
            Self::Sms(account) => account.credit_low(),
            Self::Calls(caller) => caller.credit_low(),
        }
    }

    /// What it has.
    pub(crate) async fn credit(&self) -> Result<f64, Missed> {
        match self {
            Self::Sms(account) => account.credit().await,
            Self::Calls(caller) => caller.credit().await,
        }
    }
}

impl Purse {
    /// Asks at once and then every hour until the station stops. Where the settings ask for nothing, both troubles are over: they
    /// may be open from before this start.
    pub(crate) fn open(owner: Owner, reporter: &Reporter) {
        let carrier = owner.name().clone();
        let (is_low, low) = watch::channel(None);
        let (is_gone, gone) = watch::channel(None);
        let (is_unread, unread) = watch::channel(None);
        let cause = |gone| Cause::CreditLow { carrier: carrier.clone(), gone };
        tokio::spawn(reporter.clone().follow(format!("{carrier} credit"), cause(false), low));
        tokio::spawn(reporter.clone().follow(format!("{carrier} credit gone"), cause(true), gone));
        tokio::spawn(reporter.clone().follow(format!("{carrier} credit unread"), Cause::CreditUnread { carrier }, unread));
        if let Some(low) = owner.low() {
            let purse = Self { owner, low, failures: 0, is_low, is_gone, is_unread, stopping: reporter.stopping.clone() };
            tokio::spawn(purse.run());
        } else {
            tell(&is_low, false);
            tell(&is_gone, false);
            tell(&is_unread, false);
        }
    }

    async fn run(mut self) {
        loop {
            let said = self.owner.credit().await;
            self.learned(&said);
            let rest = if said.is_ok() { ASK_EVERY } else { ASK_AGAIN };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                _ = self.stopping.wait_for(|stop| *stop) => return,
            }
        }
    }

    fn learned(&mut self, said: &Result<f64, Missed>) {
        let at_once = match said {
            Ok(credit) => {
                self.failures = 0;
                tell(&self.is_unread, false);
                tell(&self.is_gone, *credit <= 0.0);
                return tell(&self.is_low, *credit > 0.0 && *credit < self.low);
            }
            Err(Missed::Strange(_) | Missed::Fault(Fault::Credentials)) => true,
            Err(Missed::Fault(Fault::NotSent(_) | Fault::Busy(_) | Fault::Unknown { .. } | Fault::Refused(_))) => false,
        };
        if let Err(missed) = said {
            tracing::info!(carrier = %self.owner.name(), error = missed.class(), "an account did not say what credit it has");
        }
        self.failures = self.failures.saturating_add(1);
        if at_once || self.failures >= UNREAD_AFTER {
            tell(&self.is_unread, true);
        }
    }
}

fn tell(trouble: &watch::Sender<Option<bool>>, is_there: bool) {
    trouble.send_if_modified(|told| told.replace(is_there) != Some(is_there));
}

/// An amount as services write them: a number, or a text that is one.
pub(crate) fn amount(value: &Value) -> Option<f64> {
    let amount = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    amount.filter(|amount| amount.is_finite())
}

/// What is wrong with an amount below which there is a trouble, and what to do about it.
pub(crate) fn unusable(low: f64) -> Option<(&'static str, &'static str)> {
    let remedy = "write what a day of alarms costs, in the account's own currency, like 20.0";
    (!low.is_finite() || low <= 0.0).then_some(("is not an amount above 0", remedy))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::settings::Sms;

    fn purse() -> Purse {
        let dir = tempfile::tempdir().unwrap();
        let token = dir.path().join("token");
        std::fs::write(&token, "0123456789abcdef\n").unwrap();
        let account = serde_json::json!({
            "name": "first", "kind": "twilio", "base_url": "http://127.0.0.1:9", "account_sid": "AC1", "auth_token_file": token,
            "from": "+61400000000", "credit_low": 20,
        });
        let settings: Sms = serde_json::from_value(account).unwrap();
        std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let now: crate::health::Now = Arc::new(|| escalation::time::Timestamp::UNIX_EPOCH);
        let owner = Owner::Sms(Account::open(&settings, None, &now).unwrap());
        let (_stop, stopping) = watch::channel(false);
        let channel = || watch::channel(None).0;
        Purse { owner, low: 20.0, failures: 0, is_low: channel(), is_gone: channel(), is_unread: channel(), stopping }
    }

    /// What is known of (low, gone, unread).
    fn known(purse: &Purse) -> [Option<bool>; 3] {
        [*purse.is_low.borrow(), *purse.is_gone.borrow(), *purse.is_unread.borrow()]
    }

    #[test]
    fn what_was_known_stays_until_it_is_known_otherwise() {
        let (yes, no) = (Some(true), Some(false));
        let mut purse = purse();
        let away = || Err(Missed::Fault(Fault::NotSent("connect")));
        let mut learn = |said: Result<f64, Missed>| {
            purse.learned(&said);
            known(&purse)
        };
        assert_eq!([learn(away()), learn(away())], [[None; 3]; 2], "two hiccups say nothing");
        assert_eq!(learn(away()), [None, None, yes], "three in a row do");
        assert_eq!(learn(Ok(19.99)), [yes, no, no]);
        assert_eq!([learn(away()), learn(away()), learn(away())].last(), Some(&[yes, no, yes]), "it had little when it last said");
        assert_eq!(learn(Ok(0.0)), [no, yes, no], "none at all is another trouble");
        assert_eq!(learn(Ok(-1.0)), [no, yes, no]);
        assert_eq!(learn(Ok(20.0)), [no, no, no], "topped up");
        assert_eq!([learn(away()), learn(away()), learn(Ok(50.0)), learn(away()), learn(away())].last(), Some(&[no, no, no]));
        assert_eq!(learn(Err(Missed::Strange("no amount"))), [no, no, yes], "that mends itself by no waiting");
        assert_eq!(learn(Err(Missed::Fault(Fault::Credentials))), [no, no, yes]);
    }
}
