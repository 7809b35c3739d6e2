//! The desks as the pages show them: what the station knows of each, and which of them whoever reads this may sit down at.

use escalation::time::Timestamp;
use station::consoles::DeskView;

use crate::caller::Caller;
use crate::moment;
use crate::problem::Problem;
use crate::roles::Action;
use crate::room::Room;

/// A desk that this reader may arm. Whether it is armed by this page only the page knows.
pub(super) struct Seat {
    pub(super) centre: String,
    pub(super) name: String,
}

/// A desk as the station knows it.
pub(super) struct Line {
    pub(super) armed: bool,
    pub(super) words: String,
}

/// The desks within a reader's scope.
pub(super) async fn desks(room: &Room, caller: &Caller) -> Result<Vec<DeskView>, Problem> {
    Ok(room.desk.desks(caller.scope.clone()).await?)
}

/// Those that this reader may sit down at.
pub(super) async fn seats(room: &Room, caller: &Caller) -> Result<Vec<Seat>, Problem> {
    let own = desks(room, caller).await?.into_iter().filter(|desk| desk.may_arm && caller.role.may(Action::Arm));
    Ok(own.map(|desk| Seat { centre: desk.centre.to_string(), name: desk.name }).collect())
}

impl Line {
    pub(super) fn new(desk: &DeskView, now: Timestamp) -> Self {
        let words = match (desk.armed_since, desk.consoles) {
            (None, _) => format!("{}: NOT ARMED. Nobody is at this desk, and ladders pass it over", desk.name),
            (Some(since), 0) => {
                format!("{}: armed for {}, by the record's word: no console has said so yet", desk.name, moment::span(since, now))
            }
            (Some(since), 1) => format!("{}: armed for {}, 1 console", desk.name, moment::span(since, now)),
            (Some(since), consoles) => format!("{}: armed for {}, {consoles} consoles", desk.name, moment::span(since, now)),
        };
        Self { armed: desk.armed_since.is_some(), words }
    }
}
