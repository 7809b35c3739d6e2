//! From the file's form to the one that the rules use: ids minted, addresses keyed, names set aside.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::index::Index;
use super::{Draft, DraftPerson, DraftRung, DraftTarget, DraftWho};
use crate::directory::place::Places;
use crate::directory::{Centre, Customer, Device, Directory, Fallback, Site};
use crate::id::{ContactKey, CustomerId, DeviceId, PersonId, SiteId, Slug};
use crate::ladder::{Ladder, Medium, Rung, Target, Who};

/// A draft as the watch adopts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The form the rules use.
    pub directory: Directory,
    /// What may be said of customers, sites and places.
    pub places: Places,
    /// Everybody in the file, in its order.
    pub people: Vec<ResolvedPerson>,
}

/// A person with a minted id and keyed addresses, and the open details beside them.
#[derive(Clone, PartialEq, Eq)]
pub struct ResolvedPerson {
    /// Who.
    pub id: PersonId,
    /// Address keys by channel.
    pub contacts: BTreeMap<Medium, ContactKey>,
    /// Where this person's phones ring.
    pub based_at: Option<SiteId>,
    /// Whose alone this person is.
    pub customer: Option<CustomerId>,
    /// The directory's own id, which is often a name.
    pub reference: Slug,
    /// The name.
    pub name: String,
    /// The mobile number, E.164.
    pub mobile: Option<String>,
    /// The mailbox.
    pub email: Option<String>,
}

impl Draft {
    /// Mints and keys. `ids` gives a person's id, the same for the same [`DraftPerson::id`]; `key` digests an address
    /// under the shell's own key.
    pub fn resolve(&self, ids: &mut dyn FnMut(&DraftPerson) -> PersonId, key: &dyn Fn(Medium, &str) -> ContactKey) -> Resolved {
        let people: Vec<_> = self.people.iter().map(|p| person(p, ids(p), key)).collect();
        let known: BTreeMap<&Slug, PersonId> = people.iter().map(|p| (&p.reference, p.id)).collect();
        Resolved { directory: self.directory(&known), places: self.places(), people }
    }

    fn directory(&self, known: &BTreeMap<&Slug, PersonId>) -> Directory {
        let index = Index::of(self);
        Directory {
            customers: self.customers.iter().map(|c| (c.id.clone(), self.customer(c, &index))).collect(),
            sites: self.sites.iter().filter_map(|s| Some((s.id.clone(), site(s, &index)?))).collect(),
            devices: self.devices.iter().map(|d| device(d, &index)).collect(),
            ladders: self.ladders.iter().map(|l| (l.id.clone(), Arc::new(ladder(l, known, &index)))).collect(),
            centres: self
                .centres
                .iter()
                .map(|c| {
                    let webhook = c.webhook.as_ref().map(|w| w.value.clone());
                    (c.id.clone(), Centre { webhook })
                })
                .collect(),
            rosters: Arc::new(self.rosters(known)),
            supervisions: self.supervisions.iter().map(|class| (class.id.clone(), class.class.clone())).collect(),
            plans: self.plans.iter().map(|plan| (plan.id.clone(), Arc::new(plan.rules()))).collect(),
            drills: self.drills.iter().filter_map(|drill| Some((drill.id.clone(), drill.rules(self, &index)?))).collect(),
            fallback: self.fallback.as_ref().and_then(|f| {
                Some(Fallback { customer: index.customer_named(f.customer.as_ref())?.id.clone(), ladder: f.ladder.value.clone() })
            }),
            technical: self.technical(),
            adapters: self.adapters.iter().map(|a| a.rule.clone()).collect(),
        }
    }

    fn customer(&self, customer: &super::DraftCustomer, index: &Index<'_>) -> Customer {
        // Where no site is known nobody has a role; the fallback's ladder is climbed there.
        let ladder = customer.ladder.as_ref().or(self.defaults.ladder.as_ref()).filter(|ladder| !index.asks_for_roles(&ladder.value));
        let centre = customer.centre.as_ref().or(self.defaults.centre.as_ref());
        Customer {
            prefix: customer.prefix.value.clone(),
            ladder: ladder.map(|l| l.value.clone()),
            centre: centre.map(|c| c.value.clone()),
            technical: customer.technical.as_ref().map(|l| l.value.clone()),
        }
    }

    fn places(&self) -> Places {
        Places {
            customers: self.customers.iter().map(|c| (c.id.clone(), c.name.clone())).collect(),
            centres: self.centres.iter().map(|c| (c.id.clone(), c.name.clone())).collect(),
            sites: self.sites.iter().map(|s| (s.id.clone(), s.card.clone())).collect(),
            devices: self.devices.iter().map(|d| (device_id(d), d.card.clone())).collect(),
            plans: self.plans.iter().map(|plan| (plan.id.clone(), plan.card())).collect(),
        }
    }
}

/// `None` never happens in a draft without errors: every site there has a customer and a ladder.
fn site(site: &super::DraftSite, index: &Index<'_>) -> Option<Site> {
    Some(Site {
        customer: index.customer_of(site)?.id.clone(),
        ladder: index.climbed(&index.ladder_of(site)?.value, &site.id),
        eta_limit_s: site.eta_limit_s(),
        feedback: site.arrangement.feedback.as_ref().is_none_or(|feedback| feedback.value),
        close_guard: site.arrangement.close_guard.as_ref().map(|guard| guard.value).unwrap_or_default(),
        plan: site.arrangement.plan.as_ref().map(|plan| plan.value.clone()),
        clock: site.clock().map(Arc::new),
    })
}

fn ladder(ladder: &super::DraftLadder, known: &BTreeMap<&Slug, PersonId>, index: &Index<'_>) -> Ladder {
    let rung = |rung: &DraftRung| Rung {
        targets: rung.targets.iter().filter_map(|t| target(t, known, index)).collect(),
        wait_s: rung.wait_s,
        when: rung.when.clone(),
        need: rung.need,
    };
    Ladder { id: ladder.id.clone(), rungs: ladder.rungs.iter().map(rung).collect() }
}

/// `None` never happens in a draft without errors: every person named there exists.
fn target(target: &DraftTarget, known: &BTreeMap<&Slug, PersonId>, index: &Index<'_>) -> Option<Target> {
    let who = match &target.who {
        DraftWho::Person(id) => Who::Person(*known.get(id)?),
        DraftWho::Centre(id) => Who::Centre(id.clone()),
        DraftWho::Roster(id) => Who::Roster(id.clone()),
    };
    Some(Target { who, by: index.channels_of(target) })
}

fn person(draft: &DraftPerson, id: PersonId, key: &dyn Fn(Medium, &str) -> ContactKey) -> ResolvedPerson {
    let mobile = draft.mobile.as_ref().map(|m| m.value.clone());
    let email = draft.email.as_ref().map(|e| e.value.clone());
    let addresses = [(Medium::Sms, &mobile), (Medium::Email, &email)];
    let contacts = addresses.into_iter().filter_map(|(medium, address)| Some((medium, key(medium, address.as_deref()?)))).collect();
    ResolvedPerson {
        id,
        contacts,
        based_at: draft.based_at.as_ref().map(|s| s.value.clone()),
        customer: draft.customer.as_ref().map(|customer| customer.value.clone()),
        reference: draft.id.clone(),
        name: draft.name.clone(),
        mobile,
        email,
    }
}

fn device(draft: &super::DraftDevice, index: &Index<'_>) -> (DeviceId, Device) {
    let supervision = draft.supervision.as_ref().map(|supervision| supervision.value.clone());
    let device = Device {
        ladder: draft.ladder.as_ref().map(|l| index.climbed(&l.value, &draft.site.value)),
        mounting: draft.mounting,
        kind: draft.kind,
        supervision,
    };
    (device_id(draft), device)
}

fn device_id(draft: &super::DraftDevice) -> DeviceId {
    DeviceId { site: draft.site.value.clone(), name: draft.id.clone() }
}

impl fmt::Debug for ResolvedPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResolvedPerson({}, redacted)", self.id)
    }
}
