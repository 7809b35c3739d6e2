//! Orders: a dispatch with its address and its words filled in, made at send time and kept by nobody.

use escalation::activation::{Activation, Stage};
use escalation::directory::{Mounting, Standing};
use escalation::dispatch::{Address, Dispatch, Order, Purpose, Recipient, Words};
use escalation::event::Age;
use escalation::id::PersonVersion;
use escalation::incident::BESIDE_MAX;
use escalation::ladder::Medium;
use escalation::signal::Kind;
use escalation::time::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::floor::{Floor, LinkBase, LinksInTexts};
use crate::portray;

/// Fills in what a carrier needs.
pub(crate) fn write(
    floor: &Floor,
    links: &LinkBase,
    act: &Activation,
    dispatch: &Dispatch,
    now: Timestamp,
    possible_duplicate: bool,
    recorded: bool,
) -> Order {
    Order {
        id: dispatch.id.clone(),
        purpose: dispatch.purpose,
        address: address(floor, dispatch),
        words: words(floor, links, act, dispatch, now, recorded),
        queued_at: dispatch.queued_at,
        // A drill goes after every call and before the message about a trouble, which is the least recent.
        recency: u64::try_from(act.recency().as_microsecond()).unwrap_or_default().max(1),
        possible_duplicate,
    }
}

pub(crate) fn address(floor: &Floor, dispatch: &Dispatch) -> Address {
    let (person, contact) = match &dispatch.to {
        Recipient::Person { person, contact } => (Some(*person), *contact),
        Recipient::Stranger { contact } => (None, *contact),
        Recipient::Centre { webhook, .. } => return webhook.clone().map_or(Address::Missing, Address::Webhook),
    };
    let Some(text) = floor.address_of(person, contact).map(ToOwned::to_owned) else { return Address::Missing };
    match dispatch.medium {
        Medium::Sms => Address::Sms(text),
        Medium::Email => Address::Email(text),
        Medium::Voice => Address::Voice(text),
        Medium::Webhook | Medium::Desk => Address::Missing,
    }
}

fn words(floor: &Floor, links: &LinkBase, act: &Activation, dispatch: &Dispatch, now: Timestamp, recorded: bool) -> Words {
    let site = floor.vault.site(act.directory, &act.device.site).cloned().unwrap_or_default();
    let place = floor.vault.place(act.directory, &act.device).cloned().unwrap_or_default();
    let site_name = named(&site.name, act.device.site.as_str());
    let place_name = named(&place.name, act.device.name.as_str());
    let zone = zone(&site.timezone);
    let raised = act.raised_at.to_zoned(zone);
    let (link, url) = if recorded { link(floor, links, act, dispatch) } else { (String::new(), String::new()) };
    let beside = Beside::of(floor, act, dispatch);
    let mounting = floor.engine.directory().devices.get(&act.device).map(|device| device.mounting);
    Words::from([
        // Whatever a template makes of it: a drill is never called by the name of a call.
        ("kind", if act.is_drill() { "DRILL" } else { shouted(act.kind) }.to_owned()),
        ("kind_id", act.kind.as_str().to_owned()),
        ("site_sms", named(&site.sms_name, &site_name)),
        ("site", site_name),
        ("place_sms", named(&place.sms_name, &place_name)),
        ("place", place_name),
        ("time", raised.strftime("%H:%M %Z").to_string()),
        ("date", raised.strftime("%a %-d %b %Y").to_string()),
        ("code", dispatch.code.filter(|_| recorded).map(|code| code.to_string()).unwrap_or_default()),
        ("ref", act.id.to_string()),
        ("link", link),
        ("url", url),
        ("presses", act.presses.to_string()),
        ("age", age(act.age)),
        ("late", if dispatch.late_ms > 0 { spoken(dispatch.late_ms / 1_000) } else { String::new() }),
        ("unregistered", if act.standing == Standing::Registered { String::new() } else { "yes".to_owned() }),
        ("drill", if act.is_drill() { "yes".to_owned() } else { String::new() }),
        ("unrecorded", if recorded { String::new() } else { "yes".to_owned() }),
        ("responder", responder(floor, act)),
        ("wanted", if act.is_wanting() { act.need.to_string() } else { String::new() }),
        ("brief", portray::brief(&floor.vault, act, mounting)),
        ("about", act.about.as_ref().map(|about| portray::whom(&floor.vault, about)).unwrap_or_default()),
        (
            "address",
            [&site.address, &site.suburb, &site.state]
                .into_iter()
                .filter(|part| !part.is_empty())
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", "),
        ),
        (
            "mounting",
            mounting
                .map(|mounting| match mounting {
                    Mounting::Fixed => "fixed",
                    Mounting::Portable => "portable",
                })
                .unwrap_or_default()
                .to_owned(),
        ),
        ("customer", floor.vault.customer(act.directory, &act.customer).unwrap_or_default().to_owned()),
        ("entry", site.entry),
        ("hazards", site.hazards),
        ("rendezvous", site.rendezvous),
        ("recipient", recipient(floor, act, dispatch)),
        ("disposition", act.closing.as_ref().map(|closing| disposition(closing.disposition).to_owned()).unwrap_or_default()),
        ("opened_at", format!("{:.0}", act.raised_at)),
        ("now", format!("{now:.0}")),
        ("phone", site.phone),
        ("site_id", act.device.site.to_string()),
        ("device_id", act.device.name.to_string()),
        ("customer_id", act.customer.to_string()),
        ("trouble", String::new()),
        ("trouble_id", String::new()),
        ("wrong", String::new()),
        ("remedy", String::new()),
        ("ended", String::new()),
        ("ending", String::new()),
        ("still_open", beside.named.clone()),
        ("beside", beside.named),
        ("unclear", if beside.kept { "yes".to_owned() } else { String::new() }),
    ])
}

/// What else is open at the site, as a message says it.
struct Beside {
    /// `KAL-41`, `KAL-41 +2`, or `KAL-41 +9+` where there may be more; empty where nothing is.
    named: String,
    /// Something is, and this reader is not told of it.
    kept: bool,
}

impl Beside {
    fn of(floor: &Floor, act: &Activation, dispatch: &Dispatch) -> Self {
        let engine = &floor.engine;
        let is_kept = |other: &Activation| match &dispatch.to {
            Recipient::Person { person, contact } => engine.is_kept_from(other, Some(person.person), *contact),
            Recipient::Stranger { contact } => engine.is_kept_from(other, None, *contact),
            Recipient::Centre { .. } => false,
        };
        // What was raised after this one was over is not still open; that nobody is needed is not said beside it either.
        let concerns = |other: &Activation| act.closing.as_ref().is_none_or(|closing| other.raised_at <= closing.at);
        let others: Vec<&Activation> = engine.calls_beside(act).collect();
        let told: Vec<&Activation> = others.iter().copied().filter(|other| concerns(other) && !is_kept(other)).collect();
        // No more of them were looked at, and there may be more.
        let or_more = if others.len() == BESIDE_MAX { "+" } else { "" };
        let named = match told.as_slice() {
            [] => String::new(),
            [one] => one.id.to_string(),
            [first, more @ ..] => format!("{} +{}{or_more}", first.id, more.len()),
        };
        Self { kept: told.is_empty() && !others.is_empty(), named }
    }
}

/// Zones come from the bundled database alone; an unknown one would have been refused at adoption.
pub(crate) fn zone(name: &str) -> TimeZone {
    use std::sync::LazyLock;
    static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
    BUNDLED.get(name).unwrap_or(TimeZone::UTC)
}

fn named(name: &str, otherwise: &str) -> String {
    if name.is_empty() { otherwise.to_owned() } else { name.to_owned() }
}

fn shouted(kind: Kind) -> &'static str {
    match kind {
        Kind::Duress => "DURESS",
        Kind::Panic => "PANIC",
        Kind::Medical => "MEDICAL",
        Kind::Welfare => "WELFARE",
        Kind::Assist => "SUPPORT",
    }
}

/// A person's link, for messages that ask for an answer: without scheme for a text, with it for a mail.
fn link(floor: &Floor, links: &LinkBase, act: &Activation, dispatch: &Dispatch) -> (String, String) {
    let asks = match dispatch.purpose {
        Purpose::Alarm
        | Purpose::AlarmAgain
        | Purpose::AskFirst
        | Purpose::AskKeeper
        | Purpose::PressedAgain
        | Purpose::Confirmed
        | Purpose::SomeoneGoing
        | Purpose::StillGoing
        | Purpose::AreYouSafe
        | Purpose::ColleagueSilent
        | Purpose::RingPolice
        | Purpose::HasAnyoneRung => true,
        // Whether it was a test is said by text alone: a page that asks who is going must not be taken for it.
        Purpose::AskTester
        | Purpose::NotATest
        | Purpose::Declined
        | Purpose::StandDown
        | Purpose::NothingAcknowledged
        | Purpose::WhichAlarm
        | Purpose::AlreadyClosed
        | Purpose::Trouble
        | Purpose::TroubleAgain
        | Purpose::TroubleTaken
        | Purpose::TroubleOver => false,
    };
    let (Some(public), Recipient::Person { person, contact }) = (&links.public_url, &dispatch.to) else { return Default::default() };
    if !asks {
        return Default::default();
    }
    let token = floor.secret().link(&act.id, *contact, person.person);
    let answered = matches!(dispatch.purpose, Purpose::Confirmed | Purpose::StillGoing | Purpose::AreYouSafe | Purpose::ColleagueSilent);
    // Nobody can say by text that they have rung.
    let answered = answered || matches!(dispatch.purpose, Purpose::RingPolice | Purpose::HasAnyoneRung);
    let in_text = match links.in_texts {
        LinksInTexts::Always => true,
        LinksInTexts::AfterAnswer => answered,
        LinksInTexts::Never => false,
    };
    if dispatch.medium == Medium::Sms && !in_text {
        return Default::default();
    }
    let host = links.link_host.clone().unwrap_or_else(|| public.split_once("://").map_or(public.as_str(), |(_, rest)| rest).to_owned());
    (format!("{host}/a/{token}"), format!("{public}/a/{token}"))
}

pub(crate) fn age(age: Age) -> String {
    match age {
        Age::Live { up_to_s: None } | Age::Recovered { s: None } => String::new(),
        Age::Live { up_to_s: Some(s) } => format!("up to {} ago", spoken(s)),
        Age::Delayed { s } | Age::Recovered { s: Some(s) } => format!("{} ago", spoken(s)),
    }
}

/// Seconds as a person says them.
fn spoken(s: u64) -> String {
    match s {
        0..=119 => format!("{s} s"),
        120..=7_199 => format!("{} min", s / 60),
        _hours => format!("{} h", s / 3_600),
    }
}

/// Who is going: the first name, for a text message.
fn responder(floor: &Floor, act: &Activation) -> String {
    match (act.stage(), &act.promise) {
        (Stage::Committed(_), Some(promise)) => promise.by.person.map_or_else(|| "somebody".to_owned(), |p| floor.vault.name_of(p.person)),
        (Stage::Committed(_) | Stage::Climbing | Stage::Held | Stage::Exhausted | Stage::Closed, _) => String::new(),
    }
}

fn recipient(floor: &Floor, act: &Activation, dispatch: &Dispatch) -> String {
    match &dispatch.to {
        Recipient::Person { person, .. } => first_name(floor, *person),
        Recipient::Centre { centre, .. } => {
            let name = |directory| floor.vault.centre(directory, centre);
            name(floor.engine.directory_version()).or_else(|| name(act.directory)).unwrap_or(centre.as_str()).to_owned()
        }
        Recipient::Stranger { .. } => String::new(),
    }
}

/// What a text calls somebody: their first name, or its letter without the stop that would end the sentence.
pub(crate) fn first_name(floor: &Floor, person: PersonVersion) -> String {
    let name = floor.vault.person(person).map(|card| card.name.as_str()).unwrap_or_default();
    name.split_whitespace().next().unwrap_or_default().trim_end_matches('.').to_owned()
}

pub(crate) fn disposition(disposition: escalation::acknowledgement::Disposition) -> &'static str {
    use escalation::acknowledgement::Disposition;
    match disposition {
        Disposition::Attended => "attended",
        Disposition::PoliceAttended => "police attended",
        Disposition::ResolvedByStaff => "resolved by staff",
        Disposition::PressedInGoodFaith => "pressed in good faith",
        Disposition::Unintended => "unintended",
        Disposition::Test => "test",
        Disposition::Fault => "fault",
        Disposition::Medical => "medical",
        Disposition::CouldNotVerify => "could not verify",
    }
}
