//! What a message about a trouble says: what is wrong and what to do about it at 3 am, in a line.
//!
//! A customer's own people read of sites of that customer alone, the operator's of those of customers that the operator looks after.

use escalation::activation::AttemptState;
use escalation::directory::place::SiteCard;
use escalation::dispatch::{Dispatch, Order, Purpose, Recipient, Words};
use escalation::id::{CarrierName, SiteId};
use escalation::matter::Matter;
use escalation::notice::{Notice, NoticeStage, Word};
use escalation::time::Timestamp;
use escalation::trouble::{Cause, Scope};

use crate::floor::Floor;
use crate::order;
use crate::view::{TellingView, ToldView};

/// What is said of calls alone: every word is always there, and empty where it says nothing.
const OF_CALLS: [&str; 24] = [
    "drill",
    "kind",
    "kind_id",
    "place",
    "place_sms",
    "link",
    "url",
    "presses",
    "age",
    "late",
    "unregistered",
    "responder",
    "wanted",
    "about",
    "brief",
    "address",
    "mounting",
    "entry",
    "hazards",
    "rendezvous",
    "disposition",
    "phone",
    "site_id",
    "device_id",
];
/// So many of the latest messages about a matter are shown.
const SHOWN_MAX: usize = 12;

/// Fills in what a carrier needs. Whatever calls for help goes first: nothing is less recent than this.
///
/// The word that it is over may have waited until it no longer is: then it says that it lasts.
pub(crate) fn write(
    floor: &Floor,
    notice: &Notice,
    dispatch: &Dispatch,
    now: Timestamp,
    possible_duplicate: bool,
    recorded: bool,
) -> Order {
    let came_back = dispatch.purpose == Purpose::TroubleOver && floor.engine.lasts(&notice.matter);
    Order {
        id: dispatch.id.clone(),
        purpose: if came_back { Purpose::TroubleAgain } else { dispatch.purpose },
        address: order::address(floor, dispatch),
        words: words(floor, notice, dispatch, now, recorded),
        queued_at: dispatch.queued_at,
        recency: 0,
        possible_duplicate,
    }
}

/// What people were told of a matter that is open.
pub(crate) fn telling(floor: &Floor, matter: &Matter) -> TellingView {
    let notice = floor.engine.notice(matter).filter(|notice| notice.is_open());
    let taken_by = notice.and_then(|notice| match &notice.stage {
        NoticeStage::Taken { by, .. } => Some(by.person.map_or_else(|| "somebody".to_owned(), |by| floor.vault.name_of(by.person))),
        NoticeStage::Asking { .. } | NoticeStage::Over => None,
    });
    let words: Vec<&Word> = notice.into_iter().flat_map(Notice::words).collect();
    let messages = words.get(words.len().saturating_sub(SHOWN_MAX)..).unwrap_or_default().iter().copied();
    TellingView {
        reference: notice.map(|notice| notice.id.to_string()),
        next_at: floor.engine.told_next(matter),
        taken_by,
        unheard: notice.is_some_and(|notice| notice.told().is_empty()),
        messages: messages.into_iter().map(|word| told(floor, word)).collect(),
    }
}

fn told(floor: &Floor, word: &Word) -> ToldView {
    let to = match &word.to {
        Recipient::Person { person, .. } => floor.vault.name_of(person.person),
        Recipient::Centre { centre, .. } => centre.to_string(),
        Recipient::Stranger { .. } => "somebody".to_owned(),
    };
    let outcome = match word.state {
        AttemptState::Owed => "queued",
        AttemptState::Accepted(_) | AttemptState::Overdue => "accepted",
        AttemptState::Delivered => "delivered",
        AttemptState::Lost => "failed",
    };
    ToldView { to, medium: word.medium, purpose: word.purpose, queued_at: word.at, outcome }
}

fn words(floor: &Floor, notice: &Notice, dispatch: &Dispatch, now: Timestamp, recorded: bool) -> Words {
    let site = site_of(floor, notice);
    let zone = zone(floor, site);
    let (raised, customer) = (notice.opened.to_zoned(order::zone(&zone)), notice.matter.customer.as_ref());
    let directory = floor.engine.directory_version();
    let (said_at, name) = site.map(|(id, card)| (short(id, card), named(&card.name, id.as_str()))).unwrap_or_default();
    // Nothing was looked at yet since the start: what it says is from before.
    let (ended, ending) = if dispatch.queued_at < floor.engine.up_since() { BEFORE_A_START } else { ending(&notice.cause) };
    let of_calls = OF_CALLS.map(|name| (name, String::new()));
    let of_troubles = [
        ("trouble", short_name(&notice.cause).to_owned()),
        ("trouble_id", identifier(&notice.cause).to_owned()),
        ("wrong", wrong(&notice.cause, notice.more, &said_at, &zone)),
        ("remedy", remedy(&notice.cause).to_owned()),
        ("ended", ended.to_owned()),
        ("ending", ending.to_owned()),
        ("site", name),
        ("site_sms", said_at),
        ("time", raised.strftime("%H:%M %Z").to_string()),
        ("date", raised.strftime("%a %-d %b %Y").to_string()),
        ("code", dispatch.code.filter(|_| recorded).map(|code| code.to_string()).unwrap_or_default()),
        ("ref", notice.id.to_string()),
        ("unrecorded", if recorded { String::new() } else { "yes".to_owned() }),
        ("customer", customer.and_then(|customer| floor.vault.customer(directory, customer)).unwrap_or_default().to_owned()),
        ("customer_id", customer.map(ToString::to_string).unwrap_or_default()),
        ("recipient", recipient(floor, dispatch)),
        ("opened_at", format!("{:.0}", notice.opened)),
        ("now", format!("{now:.0}")),
    ];
    of_calls.into_iter().chain(of_troubles).collect()
}

fn recipient(floor: &Floor, dispatch: &Dispatch) -> String {
    match &dispatch.to {
        Recipient::Person { person, .. } => order::first_name(floor, *person),
        Recipient::Centre { .. } | Recipient::Stranger { .. } => String::new(),
    }
}

/// The site of a trouble, where whoever hears of it looks after that site's customer.
fn site_of<'f>(floor: &'f Floor, notice: &'f Notice) -> Option<(&'f SiteId, &'f SiteCard)> {
    let Scope::Site(site) = notice.cause.concerns() else { return None };
    let directory = floor.engine.directory();
    let owner = &directory.sites.get(site)?.customer;
    let is_theirs = match &notice.matter.customer {
        Some(customer) => customer == owner,
        None => !directory.has_technical_ladder(owner),
    };
    if !is_theirs {
        return None;
    }
    Some((site, floor.vault.site(floor.engine.directory_version(), site)?))
}

/// By whose clock its times are said: the site's, else the operator's, else UTC.
fn zone(floor: &Floor, site: Option<(&SiteId, &SiteCard)>) -> String {
    let operator = || floor.engine.directory().technical.zone.as_ref().map_or("UTC", |zone| zone.name()).to_owned();
    site.map_or_else(operator, |(_, card)| card.timezone.clone())
}

fn named(name: &str, otherwise: &str) -> String {
    if name.is_empty() { otherwise.to_owned() } else { name.to_owned() }
}

fn short(id: &SiteId, card: &SiteCard) -> String {
    named(&card.sms_name, &named(&card.name, id.as_str()))
}

/// What it is called.
fn short_name(cause: &Cause) -> &'static str {
    match cause {
        Cause::BrokerAway => "broker away",
        Cause::SubscriptionRefused { .. } => "topic refused",
        Cause::SessionLost => "session lost",
        Cause::BrokerSetting { .. } => "broker setting",
        Cause::RecordUnreachable => "record away",
        Cause::RecordUnsigned => "record unsigned",
        Cause::AnchorFailing { .. } => "anchor failing",
        Cause::SpoolPutAside => "spool put aside",
        Cause::ErasureFailing => "erasure failing",
        Cause::KeyReplaced => "key replaced",
        Cause::DirectoryBroken => "directory broken",
        Cause::ProviderDown { .. } => "account down",
        Cause::RepliesUnread { .. } => "replies unread",
        Cause::CreditLow { .. } => "credit low",
        Cause::CreditUnread { .. } => "credit not known",
        Cause::Coverage { .. } => "nobody to tell",
        Cause::CoverageGap { .. } => "coverage gap",
        Cause::StandInUndone { .. } => "stand-in undone",
        Cause::DeskUnarmed { .. } => "desk empty",
        Cause::OptedOut { .. } => "phone blocks us",
        Cause::Tampered { .. } => "button opened",
        Cause::Chatter { .. } => "button chatters",
        Cause::DeviceSilent { .. } => "button silent",
        Cause::SiteBlind { .. } => "site blind",
        Cause::BatteryLow { .. } => "battery low",
        Cause::Overflow { .. } => "queue full",
        Cause::Fault { .. } => "program fault",
    }
}

/// What the manual calls it, and the record.
fn identifier(cause: &Cause) -> &'static str {
    match cause {
        Cause::BrokerAway => "broker_away",
        Cause::SubscriptionRefused { .. } => "subscription_refused",
        Cause::SessionLost => "session_lost",
        Cause::BrokerSetting { .. } => "broker_setting",
        Cause::RecordUnreachable => "record_unreachable",
        Cause::RecordUnsigned => "record_unsigned",
        Cause::AnchorFailing { .. } => "anchor_failing",
        Cause::SpoolPutAside => "spool_put_aside",
        Cause::ErasureFailing => "erasure_failing",
        Cause::KeyReplaced => "key_replaced",
        Cause::DirectoryBroken => "directory_broken",
        Cause::ProviderDown { .. } => "provider_down",
        Cause::RepliesUnread { .. } => "replies_unread",
        Cause::CreditLow { .. } => "credit_low",
        Cause::CreditUnread { .. } => "credit_unread",
        Cause::Coverage { .. } => "coverage",
        Cause::CoverageGap { .. } => "coverage_gap",
        Cause::StandInUndone { .. } => "stand_in_undone",
        Cause::DeskUnarmed { .. } => "desk_unarmed",
        Cause::OptedOut { .. } => "opted_out",
        Cause::Tampered { .. } => "tampered",
        Cause::Chatter { .. } => "chatter",
        Cause::DeviceSilent { .. } => "device_silent",
        Cause::SiteBlind { .. } => "site_blind",
        Cause::BatteryLow { .. } => "battery_low",
        Cause::Overflow { .. } => "overflow",
        Cause::Fault { .. } => "fault",
    }
}

/// What is wrong, at most 56 characters where a site's short name has 20: the site comes last, so that it is cut before anything else.
fn wrong(cause: &Cause, more: u32, site: &str, zone: &str) -> String {
    let at = |what: &str| if site.is_empty() { what.to_owned() } else { format!("{what} at {site}") };
    let what = match cause {
        Cause::BrokerAway => "broker away, NO button reaches us".to_owned(),
        Cause::SubscriptionRefused { .. } => "broker refuses a topic, its presses are lost".to_owned(),
        Cause::SessionLost => "broker lost our session, presses may be gone".to_owned(),
        Cause::BrokerSetting { lacks } => format!("broker lacks a safe setting: {lacks}"),
        Cause::RecordUnreachable => "record away, alarms go on from the spool".to_owned(),
        Cause::RecordUnsigned => "record is not signed, alarms go on".to_owned(),
        Cause::AnchorFailing { .. } => "an anchor takes no checkpoint, alarms go on".to_owned(),
        Cause::SpoolPutAside => "a spool was put aside, answers in it are lost".to_owned(),
        Cause::ErasureFailing => "what was erased may be there, alarms go on".to_owned(),
        Cause::KeyReplaced => "station key replaced, codes and links are dead".to_owned(),
        Cause::DirectoryBroken => "directory broken, the last good one is used".to_owned(),
        Cause::ProviderDown { carrier } => format!("account {} sends nothing", account(carrier)),
        Cause::CreditLow { carrier, gone: true } => format!("account {} has NO credit", account(carrier)),
        Cause::CreditLow { carrier, gone: false } => format!("account {} runs out of credit", account(carrier)),
        Cause::CreditUnread { carrier } => format!("account {}: credit not known", account(carrier)),
        Cause::RepliesUnread { .. } => "replies by text may go unheard".to_owned(),
        Cause::Coverage { .. } => at("a call met nobody to tell"),
        Cause::CoverageGap { from, .. } => {
            let from = from.to_zoned(order::zone(zone)).strftime("%-d %b %H:%M").to_string();
            at(&format!("from {from} nobody is told"))
        }
        Cause::StandInUndone { .. } => "whoever was to stand in is not on duty".to_owned(),
        Cause::DeskUnarmed { .. } => "NOBODY is at the desk that ladders count on".to_owned(),
        Cause::OptedOut { .. } => "a phone on a ladder blocks our texts".to_owned(),
        Cause::Tampered { .. } => at("a button was opened"),
        Cause::Chatter { .. } => at("a button sticks or chatters"),
        Cause::DeviceSilent { .. } => at("a button is not heard"),
        Cause::SiteBlind { .. } => at("NO watched button is heard"),
        Cause::BatteryLow { .. } => at("a button's battery runs out"),
        Cause::Overflow { .. } => "a queue was full, a signal may be lost".to_owned(),
        Cause::Fault { .. } => "a fault of the program was recorded".to_owned(),
    };
    if more == 0 { what } else { format!("{}x {what}", more.saturating_add(1)) }
}

/// So much of an account's name as a text has room for.
fn account(carrier: &CarrierName) -> String {
    carrier.as_str().chars().take(26).collect()
}

/// What to do about it, at most 34 characters.
fn remedy(cause: &Cause) -> &'static str {
    match cause {
        Cause::BrokerAway => "Sites use phones. Mend the broker.",
        Cause::SubscriptionRefused { .. } => "Mend the broker's access list.",
        Cause::SessionLost => "Ask the sites if they pressed.",
        Cause::BrokerSetting { .. } => "Run cooee doctor.",
        Cause::RecordUnreachable => "Mend database, keep the spool.",
        Cause::RecordUnsigned | Cause::AnchorFailing { .. } => "See the log.",
        Cause::SpoolPutAside => "Look through the open calls.",
        Cause::ErasureFailing => "See the log, and the manual.",
        Cause::KeyReplaced => "Ring the people of open calls.",
        Cause::DirectoryBroken => "Run cooee check, mend, reload.",
        Cause::ProviderDown { .. } => "Run cooee doctor. Watch the desk.",
        Cause::RepliesUnread { .. } => "Ring whoever was told.",
        Cause::CreditLow { .. } => "Top it up.",
        Cause::CreditUnread { .. } => "Look at its console.",
        Cause::Coverage { .. } => "Name somebody, reload.",
        Cause::CoverageGap { .. } => "Put somebody on duty.",
        Cause::StandInUndone { .. } => "Look who is on duty. Name another.",
        Cause::DeskUnarmed { .. } => "Start the shift at that desk.",
        Cause::OptedOut { .. } => "They text START to our number.",
        Cause::Tampered { .. } => "Ask the site.",
        Cause::Chatter { .. } => "Mend it. Each press is a call.",
        Cause::DeviceSilent { .. } => "See that it works. Press to test.",
        Cause::SiteBlind { .. } => "The site uses phones. See why.",
        Cause::BatteryLow { .. } => "Change it. Press to test.",
        Cause::Overflow { .. } => "Ask the sites. See the log.",
        Cause::Fault { .. } => "Report it with the version.",
    }
}

/// Of a word that it is over which was owed before the last start.
const BEFORE_A_START: (&str, &str) = (UNPROVEN, "Over before a restart. See the desk.");
/// Known to be over.
const OVER: &str = "OVER";
/// No longer shown, and not known to be mended.
const UNPROVEN: &str = "UNPROVEN";

/// Whether it is known to be over, and what that means, at most 48 characters: what was lost meanwhile does not come back by itself.
fn ending(cause: &Cause) -> (&'static str, &'static str) {
    match cause {
        Cause::BrokerAway => (OVER, "It is back. Ask the sites if they pressed."),
        Cause::SubscriptionRefused { .. } => (OVER, "It is granted. Ask the sites if they pressed."),
        Cause::SessionLost => (OVER, "What was lost stays lost: ask the sites."),
        Cause::Overflow { .. } => (UNPROVEN, "What was lost stays lost: ask the sites."),
        Cause::BrokerSetting { .. } => (OVER, "It has that setting now."),
        Cause::RecordUnreachable => (OVER, "The record is back."),
        Cause::RecordUnsigned => (OVER, "It is signed again."),
        Cause::AnchorFailing { .. } => (UNPROVEN, "It takes them again, or is named no more."),
        Cause::SpoolPutAside => (OVER, "The file was moved. Its answers stay lost."),
        Cause::ErasureFailing => (UNPROVEN, "The list reads now. See the manual."),
        Cause::KeyReplaced => (OVER, "Those calls are closed, or the key is back."),
        Cause::DirectoryBroken => (OVER, "A good directory is in force."),
        Cause::ProviderDown { .. } => (OVER, "It answers again."),
        Cause::RepliesUnread { .. } => (OVER, "They are read again."),
        Cause::CreditLow { .. } => (UNPROVEN, "It has credit, or is asked for it no more."),
        Cause::CreditUnread { .. } => (UNPROVEN, "It says so again, or is asked no more."),
        Cause::Coverage { .. } => (UNPROVEN, "The directory changed. Press a button to see."),
        Cause::CoverageGap { .. } => (OVER, "Somebody is on duty, or the time has passed."),
        Cause::StandInUndone { .. } => (UNPROVEN, "It counts, was ended or is over. See who is on."),
        Cause::DeskUnarmed { .. } => (UNPROVEN, "Somebody is there, or no ladder asks it now."),
        Cause::OptedOut { .. } => (OVER, "They sent START."),
        Cause::Tampered { .. } => (OVER, "What was opened is closed."),
        Cause::Chatter { .. } => (UNPROVEN, "Its call is closed, or it has slowed down."),
        Cause::DeviceSilent { .. } => (UNPROVEN, "It is heard again, or is watched no more."),
        Cause::SiteBlind { .. } => (UNPROVEN, "One is heard again, or none is watched any more."),
        Cause::BatteryLow { .. } => (UNPROVEN, "It says so no longer, or is registered no more."),
        Cause::Fault { .. } => (UNPROVEN, "Nothing is known of it."),
    }
}

#[cfg(test)]
mod tests {
    use escalation::id::{AnchorName, CentreId, LadderId, PersonId, RosterId};

    use super::*;

    /// Every word of it reaches a phone: within its bound, in plain letters, and without a person, a number or a secret.
    #[test]
    fn what_is_wrong_and_what_to_do_fit_a_text() {
        let site = SiteId::parse("library").unwrap();
        let carrier = CarrierName::parse("a-name-of-thirty-four-characters-1").unwrap();
        let (ladder, from) = (LadderId::parse("counters").unwrap(), Timestamp::UNIX_EPOCH);
        let causes = [
            Cause::BrokerAway,
            Cause::SubscriptionRefused { filter: "cooee/v1/+/+/press".to_owned() },
            Cause::SessionLost,
            Cause::BrokerSetting { lacks: "persistence".to_owned() },
            Cause::RecordUnreachable,
            Cause::RecordUnsigned,
            Cause::AnchorFailing { anchor: AnchorName::parse("notary").unwrap() },
            Cause::SpoolPutAside,
            Cause::ErasureFailing,
            Cause::KeyReplaced,
            Cause::DirectoryBroken,
            Cause::ProviderDown { carrier: carrier.clone() },
            Cause::RepliesUnread { carrier: carrier.clone() },
            Cause::CreditLow { carrier: carrier.clone(), gone: false },
            Cause::CreditLow { carrier: carrier.clone(), gone: true },
            Cause::CreditUnread { carrier },
            Cause::Coverage { ladder: ladder.clone(), site: site.clone() },
            Cause::CoverageGap { ladder, site: site.clone(), from },
            Cause::StandInUndone { roster: RosterId::parse("duty").unwrap() },
            Cause::DeskUnarmed { centre: CentreId::parse("westside").unwrap() },
            Cause::OptedOut { person: PersonId::new(7) },
            Cause::Tampered { site: site.clone() },
            Cause::Chatter { device: "library/counter-1".parse().unwrap() },
            Cause::DeviceSilent { device: "library/counter-1".parse().unwrap() },
            Cause::SiteBlind { site: site.clone() },
            Cause::BatteryLow { device: "library/counter-1".parse().unwrap() },
            Cause::Overflow { queue: "intake".to_owned() },
            Cause::Fault { activation: Some("KAL-42".parse().unwrap()) },
        ];
        for cause in &causes {
            let (what, todo) = (wrong(cause, 0, "Twenty Letters Place", "Australia/Perth"), remedy(cause));
            assert!(what.len() <= 56 && what.is_ascii(), "{what} has {}", what.len());
            let (ended, end) = ending(cause);
            assert!(ended.len() <= 8 && end.len() <= 48 && end.is_ascii(), "{ended} {end}");
            assert!(todo.len() <= 34 && todo.is_ascii(), "{todo} has {}", todo.len());
            assert!(short_name(cause).len() <= 16 && !what.contains("P-7") && !what.contains("KAL-42"), "{what}");
            let json = serde_json::to_value(cause).unwrap();
            assert_eq!(json.as_str().or_else(|| json.as_object()?.keys().next().map(String::as_str)), Some(identifier(cause)));
            assert_eq!(serde_json::to_value(cause.topic()).unwrap(), identifier(cause));
        }
        assert!(wrong(&Cause::Tampered { site }, 2, "Library", "UTC").starts_with("3x a button was opened at Library"));
        assert!(BEFORE_A_START.1.len() <= 48);
    }

    /// However many there are and whatever they are called, what is cut is the end of a name.
    #[test]
    fn the_words_that_matter_are_never_cut() {
        let site = SiteId::parse("library").unwrap();
        let carrier = CarrierName::parse(&"long".repeat(16)).unwrap();
        let (ladder, from) = (LadderId::parse("counters").unwrap(), Timestamp::UNIX_EPOCH);
        for (cause, matters) in [
            (Cause::ProviderDown { carrier }, "sends nothing"),
            (Cause::AnchorFailing { anchor: AnchorName::parse("notary").unwrap() }, "alarms go on"),
            (Cause::SubscriptionRefused { filter: "cooee/v1/+/+/press".to_owned() }, "its presses are lost"),
            (Cause::BrokerSetting { lacks: "packet_size".to_owned() }, "packet_size"),
            (Cause::Coverage { ladder: ladder.clone(), site: site.clone() }, "nobody to tell"),
            (Cause::CoverageGap { ladder, site: site.clone(), from }, "nobody is told"),
            (Cause::Overflow { queue: "intake".to_owned() }, "a signal may be lost"),
            (Cause::SiteBlind { site: site.clone() }, "NO watched button is heard"),
            (Cause::Tampered { site }, "was opened"),
        ] {
            let said: String = wrong(&cause, 98_765, "Twenty Letters Place", "Australia/Perth").chars().take(56).collect();
            assert!(said.starts_with("98766x ") && said.contains(matters), "{said}");
        }
    }
}
