//! Troubles of accounts that the settings no longer have: whoever would say that they are over is gone with the account.

use std::collections::BTreeSet;

use dispatch::Voice;
use escalation::id::CarrierName;
use escalation::input::Input;
use escalation::trouble::Cause;
use station::floor::Floor;

/// What ends with accounts that are no longer there. The floor is as it was when the record ended.
pub(crate) fn over(voice: &Voice, floor: &Floor) -> Vec<Input> {
    let there: BTreeSet<CarrierName> = voice.health().into_iter().map(|health| health.carrier).collect();
    let departed = |cause: &Cause| account_of(cause).is_some_and(|carrier| !there.contains(carrier));
    let causes = floor.engine.troubles().map(|(cause, _)| cause).filter(|cause| departed(cause));
    causes.cloned().map(Input::TroubleCleared).collect()
}

/// The account that a trouble is about.
fn account_of(cause: &Cause) -> Option<&CarrierName> {
    let (Cause::ProviderDown { carrier }
    | Cause::RepliesUnread { carrier }
    | Cause::CreditLow { carrier, .. }
    | Cause::CreditUnread { carrier }) = cause
    else {
        return None;
    };
    Some(carrier)
}
