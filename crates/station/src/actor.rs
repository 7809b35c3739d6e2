//! Who acts, as a person of the directory: a name that the record knows as nobody's could never be erased with them.

use escalation::id::{CustomerId, PersonId, SiteId};
use escalation::input::{
    Command, DrillWanted, Erasure, Export, InServiceWanted, Input, LegalHold, OutOfServiceWanted, RegisterExport, StandInOver,
    StandInWanted, TestOver, TestWanted,
};
use escalation::private::Private;
use escalation::signal::Signal;

use crate::duty;
use crate::floor::Floor;

/// The person whom the name of an actor means: one of those whom the act concerns, as far as it is not for everybody.
pub(crate) fn person(floor: &Floor, input: &mut Input) -> Option<PersonId> {
    let actor = input.by_mut().filter(|by| by.person.is_none())?.actor.as_ref().and_then(Private::open)?.to_owned();
    let input = &*input;
    floor.vault.find(&actor, &|person| is_concerned(floor, input, person))
}

fn is_concerned(floor: &Floor, input: &Input, person: PersonId) -> bool {
    let of_customer = |customer: &CustomerId| floor.is_of(person, customer, None);
    let of_site = |site: &SiteId| floor.engine.directory().sites.get(site).is_some_and(|site| of_customer(&site.customer));
    match input {
        Input::Command(Command { activation, .. }) => floor.may_answer(person, activation),
        Input::Raised { signal: Signal { device, .. }, .. } => of_site(&device.site),
        Input::TestWanted(TestWanted { devices, .. })
        | Input::TestOver(TestOver { devices, .. })
        | Input::OutOfServiceWanted(OutOfServiceWanted { devices, .. })
        | Input::InServiceWanted(InServiceWanted { devices, .. }) => devices.first().is_some_and(|device| of_site(&device.site)),
        Input::StandInWanted(StandInWanted { roster, .. }) | Input::StandInOver(StandInOver { roster, .. }) => {
            duty::is_of_those(floor, roster, person)
        }
        Input::DrillWanted(DrillWanted { site, .. }) => of_site(site),
        Input::BundleExported(Export { customer, .. }) | Input::LegalHoldAsked(LegalHold { customer, .. }) => of_customer(customer),
        Input::RegisterExported(RegisterExport { customer, .. }) | Input::ErasureAsked(Erasure { customer, .. }) => {
            customer.as_ref().is_none_or(of_customer)
        }
        Input::Signal(_)
        | Input::Answer(_)
        | Input::DeskArmed(_)
        | Input::DeskUnarmed(_)
        | Input::DeliveryReported(_)
        | Input::Tick
        | Input::DrillsDue { .. }
        | Input::DirectoryOffered(_)
        | Input::TroubleNoticed(_)
        | Input::TroubleCleared(_)
        | Input::Started(_)
        | Input::ClockStepped { .. }
        | Input::RecordLost { .. }
        | Input::RecordFound
        | Input::TickOwed { .. }
        | Input::SignedBy(_)
        | Input::CheckpointAnchored(_)
        | Input::CoverageForeseen(_)
        | Input::ErasureRepeated(_)
        | Input::Viewed(_) => false,
    }
}
