//! Listening to a gateway by asking it: replies since a day ago, and what became of our own messages.

use escalation::id::DispatchId;
use escalation::time::Timestamp;
use futures_util::future::join_all;
use minijinja::Value;

use crate::carrier::Fault;
use crate::inbound::Inbox;
use crate::settings::{ReceiptMap, ReplyMap};
use crate::sms::ears::{Heard, Missed};
use crate::sms::http::Gateway;
use crate::sms::http::fields::{Fields, Receipt, Reply};

/// Messages asked after one by one in one turn, and at once; the others have theirs in the next. With a turn each 2 s that is
/// some hundreds within the 30 s after which a receipt counts as missing.
const ASKED_MAX: usize = 64;
const AT_ONCE_MAX: usize = 8;

/// Lists once.
pub(crate) async fn turn(gateway: &Gateway, inbox: &Inbox, earliest: Timestamp) -> Heard {
    let settings = gateway.settings();
    let mut heard = Heard { replies: Ok(()), receipts: Ok(()) };
    if let Some(map) = settings.reply.as_ref().filter(|map| map.poll_url.is_some()) {
        heard.replies = replies(gateway, inbox, map, earliest).await;
    }
    if let Some(map) = settings.receipt.as_ref().filter(|map| map.poll_url.is_some())
        && gateway.awaited().any_due()
    {
        heard.receipts = receipts(gateway, inbox, map, earliest).await;
    }
    heard
}

/// Hands on replies, oldest first, and tells the provider which ones we have. One that does not read is handed on as it came.
async fn replies(gateway: &Gateway, inbox: &Inbox, map: &ReplyMap, earliest: Timestamp) -> Result<(), Missed> {
    let words = [("since", Value::from(format!("{earliest:.0}")))];
    let listed = gateway.list("reply.poll_url", &map.poll_items, words).await?;
    let country = gateway.settings().country_code.as_str();
    let mut found: Vec<Reply> = listed.iter().filter_map(|item| item.reply(map, country).or_else(|| item.unread(map, country))).collect();
    let nameless = found.len() < listed.len();
    found.sort_by_key(|reply| reply.sent_at);
    let mut ours = Vec::new();
    let first = gateway.looks_first();
    for mut reply in found {
        // Without a time nobody knows how old it is: what is there at the first look may be of another alarm. The rules set it
        // aside as older than any, and whoever is being asked is told that nothing was acknowledged.
        if reply.sent_at.is_none() && gateway.is_from_before(first, &reply.id) {
            reply.sent_at = Some(Timestamp::UNIX_EPOCH);
        } else if reply.sent_at.is_some_and(|at| at < earliest) {
            ours.push(reply.id);
            continue;
        }
        // What is not taken now is listed again next time.
        if gateway.hand_in(inbox, &reply).await {
            ours.push(reply.id);
        }
    }
    if !ours.is_empty() && map.confirm_url.is_some() {
        gateway.confirm(ours).await?;
    }
    // Without an id it can be neither confirmed nor told from the next: somebody must look.
    if nameless { Err(Missed::Strange("reply without id")) } else { Ok(()) }
}

/// Hands on final receipts: of each message that is due, or of the list of them.
async fn receipts(gateway: &Gateway, inbox: &Inbox, map: &ReceiptMap, earliest: Timestamp) -> Result<(), Missed> {
    let since = Value::from(format!("{earliest:.0}"));
    if !gateway.sheet.says("receipt.poll_url", "id") {
        let listed = gateway.list("receipt.poll_url", &map.poll_items, [("since", since)]).await?;
        for item in &listed {
            if let Some(receipt) = item.receipt(map) {
                take(gateway, inbox, None, &receipt).await;
            }
        }
        return Ok(());
    }
    let mut missed = Ok(());
    for some in gateway.awaited().next_due(ASKED_MAX).chunks(AT_ONCE_MAX) {
        let said = join_all(some.iter().map(|(id, dispatch)| ask_after(gateway, inbox, map, &since, (id, dispatch)))).await;
        for ((id, _), said) in some.iter().zip(said) {
            gateway.awaited().asked(id);
            // What is wrong with one message is no reason to leave the others unasked; what is wrong with the provider is.
            match said {
                Ok(()) => {}
                Err(Missed::Strange(_) | Missed::Fault(Fault::Refused(_))) => missed = said,
                Err(Missed::Fault(Fault::NotSent(_) | Fault::Busy(_) | Fault::Unknown { .. } | Fault::Credentials)) => return said,
            }
        }
    }
    missed
}

/// Asks what became of one message.
async fn ask_after(
    gateway: &Gateway,
    inbox: &Inbox,
    map: &ReceiptMap,
    since: &Value,
    (id, dispatch): (&str, &DispatchId),
) -> Result<(), Missed> {
    let words = [("since", since.clone()), ("id", Value::from(id))];
    // A provider may know nothing of a message until there is something to tell.
    let listed = gateway.list("receipt.poll_url", &map.poll_items, words).await?;
    if let Some(receipt) = listed.first().and_then(|item| Fields::receipt(item, map)) {
        take(gateway, inbox, Some((id, dispatch)), &receipt).await;
    }
    Ok(())
}

/// Hands one receipt on, where it is of a message of ours.
async fn take(gateway: &Gateway, inbox: &Inbox, asked: Option<(&str, &DispatchId)>, receipt: &Receipt) -> bool {
    let awaited = gateway.awaited();
    let (id, dispatch) = match (asked, &receipt.id) {
        (Some((id, dispatch)), _) => (id.to_owned(), Some(dispatch.clone())),
        (None, Some(id)) => (id.clone(), awaited.due(id)),
        (None, None) => return false,
    };
    match dispatch {
        Some(dispatch) => inbox.receipt(awaited, &id, dispatch, receipt.report.clone()).await,
        None => false,
    }
}
