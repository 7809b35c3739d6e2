//! The stories, by what they are about, and the floors they play on.

mod answered;
mod answering;
mod arriving;
mod calling;
mod chattering;
mod climbing;
mod closing;
mod desks;
mod drilling;
mod erasing;
mod guarding;
mod hours;
mod incidents;
mod invariants;
mod merging;
mod needing;
mod out_of_service;
mod owning;
mod planning;
mod policing;
mod raising;
mod record;
mod reopening;
mod retention;
mod rosters;
mod scheduling;
mod standing_in;
mod testing;
mod troubling;
mod watching;
mod words;

use escalation::acknowledgement::Disposition;
use escalation::input::Act;

/// Closes a call that was the button's own.
pub(crate) fn closing_as_fault() -> Act {
    Act::Close { disposition: Disposition::Fault, note: None }
}

/// Two customers of one centre. Kalamunda's library climbs three rungs; Mundaring's depot has one person and the desk.
pub(crate) const COUNTERS: &str = r#"
[defaults]
timezone = "Australia/Perth"

[[customer]]
id = "kalamunda"
name = "City of Kalamunda"
prefix = "KAL"
ladder = "counters"
centre = "westside"

[[customer]]
id = "mundaring"
name = "Shire of Mundaring"
prefix = "MUN"
ladder = "depot"

[[centre]]
id = "westside"
name = "Westside Centre"
webhook = "westside"

[[centre]]
id = "night-desk"
name = "Night desk"

[[person]]
id = "j-smith"
name = "J. Smith"
mobile = "+61 491 570 006"
email = "j.smith@example.org"

[[person]]
id = "p-nair"
name = "P. Nair"
mobile = "+61 491 570 156"
email = "p.nair@example.org"

[[person]]
id = "duty"
name = "Duty manager"
mobile = "+61 491 570 157"

[[person]]
id = "depot-lead"
name = "Depot lead"
mobile = "+61 491 570 158"

[[site]]
id = "library"
customer = "kalamunda"
name = "Kalamunda Library"

[[site]]
id = "depot"
customer = "mundaring"
name = "Mundaring Depot"

[[device]]
id = "counter-1"
site = "library"
place = "Front counter 1"
mounting = "fixed"

[[device]]
id = "counter-2"
site = "library"
place = "Front counter 2"
mounting = "fixed"

[[device]]
id = "pendant"
site = "library"
place = "Pendant"
mounting = "portable"

[[device]]
id = "gate"
site = "depot"
place = "Gate"
mounting = "fixed"

[[ladder]]
id = "counters"

[[ladder.rung]]
notify = [{ person = "j-smith", by = ["sms", "email"] }]
wait = "30s"

[[ladder.rung]]
notify = [{ person = "p-nair", by = [["sms", "email"]] }, { person = "duty", by = ["sms"] }]
wait = "45s"

[[ladder.rung]]
notify = [{ centre = "westside" }]
wait = "60s"

[[ladder]]
id = "depot"

[[ladder.rung]]
notify = [{ person = "depot-lead", by = ["sms"] }]
wait = "60s"

[[ladder.rung]]
notify = [{ centre = "night-desk" }]
wait = "60s"

[fallback]
customer = "mundaring"
ladder = "depot"
"#;

/// Only people: J. Smith first, then P. Nair.
pub(crate) const PEOPLE: &str = r#"
[defaults]
timezone = "Australia/Perth"
prefix = "LIB"
ladder = "people"

[[person]]
id = "j-smith"
name = "J. Smith"
mobile = "+61 491 570 006"

[[person]]
id = "p-nair"
name = "P. Nair"
mobile = "+61 491 570 156"

[[site]]
id = "library"
name = "Kalamunda Library"

[[device]]
id = "counter-1"
site = "library"
place = "Front counter 1"
mounting = "fixed"

[[ladder]]
id = "people"

[[ladder.rung]]
notify = [{ person = "j-smith", by = ["sms"] }]
wait = "30s"

[[ladder.rung]]
notify = [{ person = "p-nair", by = ["sms"] }]
wait = "30s"
"#;
