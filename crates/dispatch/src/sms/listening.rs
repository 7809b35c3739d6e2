//! Listening to an account by listing its messages: replies and receipts that no callback brought, and a warm connection.
//!
//! The only periodic work in this room; nothing that sends an alarm waits for it.

use std::sync::Arc;
use std::time::Duration;

use escalation::dispatch::Report;
use escalation::id::DispatchId;
use escalation::time::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::carrier::Fault;
use crate::health::{Gauge, Now};
use crate::inbound::Inbox;
use crate::settings::Inbound;
use crate::sms::account::Account;
use crate::sms::answer::{Page, Resource, final_report};
use crate::sms::ears::{Ears, Heard, Missed};
use crate::sms::http::polling;
use crate::sms::twilio::Twilio;

/// How often to list while something is open, by how replies reach us, and while nothing is (interfaces, "Messages to people").
const POLL_BUSY: Duration = Duration::from_secs(2);
const POLL_IDLE: Duration = Duration::from_mins(1);
const WEBHOOK_BUSY: Duration = Duration::from_secs(30);
/// A connection is used at least this often: load balancers close idle ones after 60 s or more.
const WARM: Duration = Duration::from_secs(25);
/// How far back a reply may lie to be read: a code is not used again for as long.
pub(crate) const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24);
/// Messages in a page, and pages read in one turn.
const PAGE_SIZE: &str = "100";
const PAGES_MAX: usize = 10;

/// One account's listening.
pub(crate) struct Listening {
    pub(crate) account: Account,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) gauge: Arc<Gauge>,
    pub(crate) ears: Ears,
    pub(crate) now: Now,
    pub(crate) busy: watch::Receiver<bool>,
    pub(crate) stopping: watch::Receiver<bool>,
    /// Nobody says any more whether something is open: the last word holds.
    pub(crate) deaf: bool,
    /// How long the provider asked us to leave it alone.
    pub(crate) patience: Duration,
}

impl Listening {
    /// Greets, lists once, then listens until the station stops.
    pub(crate) async fn run(mut self) {
        if self.account.keep_warm() {
            self.greet().await;
        }
        loop {
            self.patience = Duration::ZERO;
            let heard = self.turn().await;
            self.ears.listed(&heard.replies);
            for (what, missed) in [("replies", heard.replies), ("receipts", heard.receipts)] {
                if let Err(missed) = missed {
                    tracing::info!(carrier = %self.account.name(), what, error = missed.class(), "listing failed");
                    if let Missed::Fault(Fault::Busy(Some(wait))) = missed {
                        self.patience = self.patience.max(wait);
                    }
                }
            }
            if !self.rest().await {
                return;
            }
        }
    }

    /// Waits for the next turn, keeping the connection warm; false where the station stops.
    async fn rest(&mut self) -> bool {
        let mut since = Duration::ZERO;
        loop {
            let busy = *self.busy.borrow_and_update();
            let period = period(self.account.inbound(), busy, self.patience);
            let left = period.map(|period| period.saturating_sub(since));
            if left.is_some_and(|left| left.is_zero()) {
                return true;
            }
            let nap = left.unwrap_or(WARM).min(WARM);
            tokio::select! {
                () = tokio::time::sleep(nap) => since += nap,
                changed = self.busy.changed(), if !self.deaf => self.deaf = changed.is_err(),
                _ = self.stopping.wait_for(|stop| *stop) => return false,
            }
            if nap == WARM && self.account.keep_warm() {
                self.greet().await;
            }
        }
    }

    async fn greet(&self) {
        match self.account.greet().await {
            Ok(()) => self.gauge.greeted(),
            Err(fault) => self.gauge.not_greeted(&fault),
        }
    }

    /// Lists once: replies since a day ago, and what became of our own messages.
    async fn turn(&self) -> Heard {
        let earliest = (self.now)().saturating_sub(LOOK_BACK).unwrap_or(Timestamp::MIN);
        match &self.account {
            Account::Twilio(account) => Lister { account, inbox: &self.inbox }.turn(earliest).await,
            Account::Http(gateway) => polling::turn(gateway, &self.inbox, earliest).await,
        }
    }
}

/// How long to wait between two listings, `None` for none. `patience` is what the provider asked for.
fn period(inbound: Inbound, busy: bool, patience: Duration) -> Option<Duration> {
    let usual = match (inbound, busy) {
        (Inbound::Poll, true) => Some(POLL_BUSY),
        (Inbound::Poll, false) => Some(POLL_IDLE),
        (Inbound::Webhook, true) => Some(WEBHOOK_BUSY),
        (Inbound::Webhook, false) => None,
    };
    // Listing must not cost us the provider's patience with alarms; but replies are worth asking for.
    usual.map(|usual| usual.max(patience.min(POLL_IDLE)))
}

/// Reads the lists of one Twilio account.
struct Lister<'a> {
    account: &'a Twilio,
    inbox: &'a Inbox,
}

impl Lister<'_> {
    async fn turn(&self, earliest: Timestamp) -> Heard {
        Heard {
            replies: self.list_replies(earliest).await.map_err(Missed::from),
            receipts: self.list_receipts().await.map_err(Missed::from),
        }
    }

    async fn list_replies(&self, earliest: Timestamp) -> Result<(), Fault> {
        let account = self.account;
        let day = earliest.strftime("%Y-%m-%d").to_string();
        let mut query = vec![("PageSize", PAGE_SIZE.to_owned()), ("DateSent>", day)];
        if let Some(number) = account.number() {
            query.push(("To", number.to_owned()));
        }
        self.pages(&query, |page| self.replies(page, earliest)).await
    }

    async fn list_receipts(&self) -> Result<(), Fault> {
        let account = self.account;
        if !account.awaited().any_due() {
            return Ok(());
        }
        // Not by date: what failed before it was sent has none.
        let mut query = vec![("PageSize", PAGE_SIZE.to_owned())];
        if let Some(number) = account.number() {
            query.push(("From", number.to_owned()));
        }
        self.pages(&query, |page| self.receipts(page)).await
    }

    /// Reads pages, newest first, until one brings nothing new.
    async fn pages<F: Future<Output = bool>>(&self, query: &[(&str, String)], read: impl Fn(Page) -> F) -> Result<(), Fault> {
        let mut page = self.account.list(query).await?;
        for _ in 1..PAGES_MAX {
            let next = page.next_page_uri.take();
            let more = read(page).await;
            let (Some(next), true) = (next, more) else {
                return Ok(());
            };
            page = self.account.list_more(&next).await?;
        }
        read(page).await;
        Ok(())
    }

    /// Hands on the replies of one page, oldest first; true where the page before it may hold new ones.
    async fn replies(&self, page: Page, earliest: Timestamp) -> bool {
        let mut all_new = true;
        for message in page.messages.iter().rev() {
            let too_old = message.sent_at().is_some_and(|at| at < earliest);
            if !message.is_inbound() || too_old || self.inbox.knows(self.account.awaited(), &message.sid) {
                all_new = all_new && !message.is_inbound();
                continue;
            }
            let from = message.from.as_deref().unwrap_or_default();
            let text = message.body.as_deref().unwrap_or_default();
            let sent_at = message.sent_at();
            // What is not taken now is listed again next time.
            self.inbox.reply(self.account.awaited(), &message.sid, from, text, sent_at).await;
        }
        all_new
    }

    /// Hands on the final receipts of one page; true where it had any message we wait for, so that older ones may follow.
    async fn receipts(&self, page: Page) -> bool {
        let mut any_due = false;
        for message in &page.messages {
            any_due |= self.account.awaited().due(&message.sid).is_some();
            if let Some((dispatch, report)) = due(self.account, message) {
                self.inbox.receipt(self.account.awaited(), &message.sid, dispatch, report).await;
            }
        }
        any_due
    }
}

fn due(account: &Twilio, message: &Resource) -> Option<(DispatchId, Report)> {
    let dispatch = account.awaited().due(&message.sid)?;
    let code = message.error_code.map(|code| code.to_string());
    let report = final_report(message.status.as_deref()?, code.as_deref())?;
    Some((dispatch, report))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_asked_for_often_while_something_is_open_and_less_often_where_a_provider_wants_patience() {
        let long = Duration::from_hours(1);
        assert_eq!(period(Inbound::Poll, true, Duration::ZERO), Some(POLL_BUSY));
        assert_eq!(period(Inbound::Poll, true, Duration::from_secs(7)), Some(Duration::from_secs(7)));
        assert_eq!(period(Inbound::Poll, true, long), Some(POLL_IDLE), "never longer than a minute");
        assert_eq!(period(Inbound::Poll, false, Duration::from_secs(7)), Some(POLL_IDLE));
        assert_eq!(period(Inbound::Webhook, true, Duration::ZERO), Some(WEBHOOK_BUSY));
        assert_eq!(period(Inbound::Webhook, false, long), None);
    }
}
