//! An outage that somebody imagines: a way out of the house by which nothing leaves, and how long it takes until that is known.

use std::collections::BTreeSet;

use crate::directory::Directory;
use crate::dispatch::Recipient;
use crate::id::CarrierName;
use crate::ladder::Medium;
use crate::time::Seconds;

/// Something that takes no message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// What.
    pub of: Path,
    /// After how many seconds a message by it is given up, at the latest: for as long the next channel waits.
    pub known_after_s: Seconds,
}

/// A way out of the house. It is out where the last of its carriers is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// All accounts of a channel; each of them can carry for every other.
    Medium(Medium),
    /// One centre's webhook.
    Webhook(CarrierName),
}

/// An account or endpoint by which messages leave, as far as it can fail by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Its name in the settings; `email` for the mail relay, which has none of its own.
    pub name: String,
    /// Which way it is part of.
    pub of: Path,
    /// For how many seconds a message is tried, retries and other accounts included.
    pub attempt_s: Seconds,
}

impl Path {
    /// By what it carries.
    pub fn medium(&self) -> Medium {
        match self {
            Self::Medium(medium) => *medium,
            Self::Webhook(_) => Medium::Webhook,
        }
    }

    /// Whether a message goes this way. To a desk none does: it is told by its own stream, and is out where nobody is at it.
    pub(crate) fn leads_to(&self, medium: Medium, to: &Recipient) -> bool {
        match (self, to) {
            (Self::Medium(down), _) => *down == medium,
            (Self::Webhook(down), Recipient::Centre { webhook: Some(webhook), .. }) => medium == Medium::Webhook && down == webhook,
            (Self::Webhook(_), Recipient::Centre { webhook: None, .. } | Recipient::Person { .. } | Recipient::Stranger { .. }) => false,
        }
    }
}

/// What stands for everybody who is at a desk: no account of the settings, and yet something that can be missing.
pub fn desks() -> Carrier {
    let medium = Medium::Desk;
    Carrier { name: medium.as_str().to_owned(), of: Path::Medium(medium), attempt_s: Seconds(0) }
}

/// What takes no message where only those carriers do that are up: every way whose last carrier is not, or that never had one. A
/// message that nobody can take is given up after the longest attempt; where there is no carrier, at once.
pub fn outages(carriers: &[Carrier], directory: &Directory, is_up: impl Fn(&Carrier) -> bool) -> Vec<Outage> {
    // Somebody is at every desk, unless that is imagined otherwise.
    let desks = Path::Medium(Medium::Desk);
    let empty = carriers.iter().any(|carrier| carrier.of == desks).then_some(desks);
    let out = ways(directory).chain(empty).filter_map(|of| {
        let own = || carriers.iter().filter(|carrier| carrier.of == of);
        if own().any(&is_up) {
            return None;
        }
        let known_after_s = own().map(|carrier| carrier.attempt_s).max().unwrap_or(Seconds(0));
        Some(Outage { of, known_after_s })
    });
    out.collect()
}

/// One carrier for each way that a directory could use, for whoever does not know the settings.
pub fn one_for_each_way(directory: &Directory) -> Vec<Carrier> {
    ways(directory)
        .map(|of| {
            let name = match &of {
                Path::Medium(medium) => medium.as_str().to_owned(),
                Path::Webhook(name) => name.to_string(),
            };
            Carrier { name, of, attempt_s: Seconds(0) }
        })
        .collect()
}

fn ways(directory: &Directory) -> impl Iterator<Item = Path> {
    let hooks: BTreeSet<&CarrierName> = directory.centres.values().filter_map(|centre| centre.webhook.as_ref()).collect();
    let media = [Medium::Sms, Medium::Email, Medium::Voice].map(Path::Medium);
    media.into_iter().chain(hooks.into_iter().cloned().map(Path::Webhook))
}

/// After how many seconds a message is given up; `None` where it leaves. Of several outages the one that takes longest decides.
pub(crate) fn known_after(outages: &[Outage], medium: Medium, to: &Recipient) -> Option<Seconds> {
    outages.iter().filter(|outage| outage.of.leads_to(medium, to)).map(|outage| outage.known_after_s).max()
}
