//! The directory as the rules see it: who, where and how, without a single name, number or address.
//!
//! The file that people edit is read by [`draft`], which keeps lines for every finding. What is adopted is this form;
//! names and numbers go to disclosures beside it.

pub mod adapter;
pub mod draft;
pub mod finding;
mod guard;
pub mod place;
pub mod reach;
mod serving;
mod technical;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::guard::CloseGuard;
pub use self::technical::Technical;
use crate::id::{
    CarrierName, CentreId, ContactKey, CustomerId, DeviceId, Digest, LadderId, PersonId, PlanId, Prefix, ScheduleId, SiteId, SupervisionId,
};
use crate::ladder::{Ladder, Medium, Who};
use crate::plan::Plan;
use crate::private::Private;
use crate::roster::{Rosters, WallClock};
use crate::schedule::Schedule;
use crate::signal::Kind;
use crate::supervision::Supervision;
use crate::time::Seconds;
use crate::trouble::Cause;

/// One adopted version of the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// Customers by id; there is at least one.
    pub customers: BTreeMap<CustomerId, Customer>,
    /// Sites by id.
    pub sites: BTreeMap<SiteId, Site>,
    /// Registered devices by id.
    pub devices: BTreeMap<DeviceId, Device>,
    /// Ladders by id.
    pub ladders: BTreeMap<LadderId, Arc<Ladder>>,
    /// Classes of supervision by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub supervisions: BTreeMap<SupervisionId, Supervision>,
    /// Action plans by id; shared with the activations that were raised under them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub plans: BTreeMap<PlanId, Arc<Plan>>,
    /// Centres by id.
    pub centres: BTreeMap<CentreId, Centre>,
    /// Who is on duty when; shared with the activations that were raised under it.
    #[serde(default, skip_serializing_if = "has_no_rosters")]
    pub rosters: Arc<Rosters>,
    /// When drills begin by themselves, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub drills: BTreeMap<ScheduleId, Schedule>,
    /// Whose activation it is when nobody knows the site.
    pub fallback: Option<Fallback>,
    /// Who is told of troubles, and when.
    #[serde(default, skip_serializing_if = "Technical::is_default")]
    pub technical: Technical,
    /// How other ecosystems' messages become signals.
    pub adapters: Vec<adapter::Rule>,
}

/// A customer of the centre.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// What its references begin with.
    pub prefix: Prefix,
    /// The ladder of its sites where they name none.
    pub ladder: Option<LadderId>,
    /// The centre that is asked first about old, recovered and unreadable signals.
    pub centre: Option<CentreId>,
    /// Who is told of its own troubles; the operator where it names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub technical: Option<LadderId>,
}

/// A site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Whose.
    pub customer: CustomerId,
    /// Its ladder.
    pub ladder: LadderId,
    /// Above this ETA the climb goes on beside an accept (lifecycle: 15 min).
    pub eta_limit_s: Seconds,
    /// Whether devices there are told `received`, `responding`, `closed`; off where an aggressor can see.
    pub feedback: bool,
    /// When more than one person's word is needed to close a call there.
    #[serde(default, skip_serializing_if = "CloseGuard::is_off")]
    pub close_guard: CloseGuard,
    /// What is done about a call there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanId>,
    /// By what the hours of a rung are read there; `None` in versions from before rungs had any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Arc<WallClock>>,
}

/// A registered device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its own ladder, where it differs from its site's.
    pub ladder: Option<LadderId>,
    /// Whether it stays where it is.
    pub mounting: Mounting,
    /// What a press means when it does not say.
    pub kind: Kind,
    /// How it is watched; `None`: its silence says nothing to anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervision: Option<SupervisionId>,
}

/// Whether a device stays where it is. Police response depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mounting {
    /// Screwed to a counter.
    Fixed,
    /// Worn or carried.
    Portable,
}

/// A monitoring centre.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Centre {
    /// The webhook that reaches it; `None` means its operators watch the desk.
    pub webhook: Option<CarrierName>,
}

/// Where a press goes that names a site nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fallback {
    /// Whose activation it becomes.
    pub customer: CustomerId,
    /// Which ladder it climbs.
    pub ladder: LadderId,
}

/// A person, as the rules see one: addresses by key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Which details; the first is 1.
    pub version: u32,
    /// Address keys by channel.
    pub contacts: BTreeMap<Medium, ContactKey>,
    /// Where this person's phones ring; nothing audible goes there while an activation is covert.
    pub based_at: Option<SiteId>,
    /// Whose alone this person is: told of nobody else's calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
}

/// A directory on its way in, resolved by the watch: numbers already keyed, names still open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// SHA-256 of the file.
    pub digest: Digest,
    /// The form the rules use.
    pub directory: Directory,
    /// Persons that are new or changed, with ids minted by the watch from its own list.
    pub people: Vec<PersonChange>,
    /// Ids no longer in the file.
    pub gone: Vec<PersonId>,
    /// Names and addresses of sites and places, as JSON: one disclosure.
    pub places: Private,
    /// The time-zone database's version that resolved the zones.
    pub zones: String,
}

/// A new or changed person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonChange {
    /// Who.
    pub id: PersonId,
    /// Their details, as the rules see them.
    pub person: Person,
    /// The directory's own id, which is a name.
    pub reference: Private,
    /// The name.
    pub name: Private,
    /// The mobile number, E.164.
    pub mobile: Option<Private>,
    /// The mailbox.
    pub email: Option<Private>,
}

fn has_no_rosters(rosters: &Rosters) -> bool {
    rosters.is_empty()
}

impl Directory {
    /// By what the hours of a rung are read for a press there; `None` where nobody knows the site.
    pub fn clock_at(&self, site: &SiteId) -> Option<&WallClock> {
        self.sites.get(site)?.clock.as_deref()
    }

    /// How a device is watched; `None` where its silence says nothing.
    pub fn supervision_of(&self, device: &DeviceId) -> Option<&Supervision> {
        self.devices.get(device).and_then(|device| self.supervisions.get(device.supervision.as_ref()?))
    }

    /// Whether what a trouble says can still come to be known: one about a button that is watched no more would stay for ever.
    pub(crate) fn still_looks_at(&self, cause: &Cause) -> bool {
        self.no_longer_looked_at(std::iter::once(cause)).next().is_none()
    }

    /// Those of these troubles that nobody can come to know more of.
    pub(crate) fn no_longer_looked_at<'c>(&self, causes: impl Iterator<Item = &'c Cause>) -> impl Iterator<Item = &'c Cause> {
        let (mut watched_sites, mut desks) = (None, None);
        causes.filter(move |cause| {
            if let Cause::DeviceSilent { device } = cause {
                return self.supervision_of(device).is_none();
            }
            if let Cause::SiteBlind { site } = cause {
                return !watched_sites.get_or_insert_with(|| self.watched_sites()).contains(site);
            }
            if let Cause::DeskUnarmed { centre } = cause {
                return !desks.get_or_insert_with(|| self.desks_on_ladders()).contains(centre);
            }
            if let Cause::BatteryLow { device } = cause {
                return !self.devices.contains_key(device);
            }
            false
        })
    }

    fn watched_sites(&self) -> BTreeSet<&SiteId> {
        self.devices.keys().filter(|device| self.supervision_of(device).is_some()).map(|device| &device.site).collect()
    }

    /// Who is told of the troubles of a customer, or of the station: the customer's own technical ladder, else the operator's.
    pub fn technical_ladder(&self, customer: Option<&CustomerId>) -> Option<&Arc<Ladder>> {
        let own = customer.and_then(|customer| self.customers.get(customer)?.technical.as_ref());
        own.or(self.technical.ladder.as_ref()).and_then(|id| self.ladders.get(id))
    }

    /// Whether a customer names who is told of its own troubles.
    pub fn has_technical_ladder(&self, customer: &CustomerId) -> bool {
        self.customers.get(customer).is_some_and(|customer| customer.technical.is_some())
    }

    /// Whether a ladder may ever tell a person: named on a rung, or on a roster that is.
    pub fn may_tell(&self, ladder: &Ladder, person: PersonId) -> bool {
        ladder.rungs.iter().flat_map(|rung| &rung.targets).any(|target| match &target.who {
            Who::Person(named) => *named == person,
            Who::Centre(_) => false,
            Who::Roster(roster) => self.rosters.rosters.get(roster).is_some_and(|roster| roster.people().any(|p| p == person)),
        })
    }

    /// Whose site it is, and by which ladder a press at `device` climbs: the device's own, else its site's, else its customer's
    /// default. At a site that nobody knows: the fallback's, else the first customer's that has a default at all.
    pub fn route(&self, device: &DeviceId) -> Option<Route<'_>> {
        let ladder_of = |id: &LadderId| self.ladders.get(id);
        let default_of = |customer: &Customer| customer.ladder.as_ref().and_then(ladder_of);
        let Some(site) = self.sites.get(&device.site) else {
            let named = self.fallback.as_ref().and_then(|f| Some((&f.customer, ladder_of(&f.ladder)?)));
            let (customer, ladder) = named.or_else(|| self.customers.iter().find_map(|(id, c)| Some((id, default_of(c)?))))?;
            return Some(Route { customer, ladder, standing: Standing::UnknownSite });
        };
        let registered = self.devices.get(device);
        let own = registered.and_then(|d| d.ladder.as_ref()).and_then(ladder_of);
        let ladder = own.or_else(|| ladder_of(&site.ladder)).or_else(|| self.customers.get(&site.customer).and_then(default_of))?;
        let standing = if registered.is_some() { Standing::Registered } else { Standing::UnknownDevice };
        Some(Route { customer: &site.customer, ladder, standing })
    }
}

/// Where a press goes.
#[derive(Clone, Copy, Debug)]
pub struct Route<'a> {
    /// Whose activation it becomes.
    pub customer: &'a CustomerId,
    /// Which ladder it climbs.
    pub ladder: &'a Arc<Ladder>,
    /// How well we know the sender.
    pub standing: Standing,
}

/// How well a sender is known. Not knowing it never silences it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// In the directory.
    Registered,
    /// An unregistered device at a known site.
    UnknownDevice,
    /// A site that nobody registered.
    UnknownSite,
}
