//! What was said of who stands in: every line of it, also where it counts for nothing by the directory in force.

use super::MOST;
use crate::directory::reach::{Reach, Whose};
use crate::event::Doer;
use crate::id::{CustomerId, PersonId, RosterId};
use crate::roster::StandIn;
use crate::time::Timestamp;

/// Somebody stands in, and who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidStandIn {
    /// On which roster.
    pub roster: RosterId,
    /// Who, for whom and when.
    pub stand_in: StandIn,
    /// Whose the roster was then, where it was for one customer alone.
    pub customer: Option<CustomerId>,
    /// Whose all of it was; whoever it is for later knows nothing of it. `None`: the record is from before that was kept.
    pub whose: Option<Whose>,
    /// Who said so.
    pub by: Doer,
    /// Whether somebody has ended it. It is kept for a while, so that whoever says that once more is told that it is done.
    pub is_ended: bool,
}

impl SaidStandIn {
    /// Whether it is neither over nor ended.
    pub(super) fn lasts(&self, at: Timestamp) -> bool {
        self.stand_in.until > at && !self.is_ended
    }

    /// Whether a roster is for nobody else by now than it was then.
    pub fn is_for(&self, reach: &Reach<'_>) -> bool {
        self.whose.as_ref().map_or_else(|| reach.customer().is_none(), |whose| whose.covers(reach))
    }

    /// Whether it is for any of those still; where nobody climbs the roster it is for nobody.
    pub(super) fn is_for_any(&self, reach: &Reach<'_>) -> bool {
        let was_for_nobody = |whose: &Whose| whose.customers.is_empty() && !whose.station;
        let is_shared = |whose: &Whose| {
            (whose.station && reach.is_stations) || reach.whose().into_iter().any(|customer| whose.customers.contains(customer))
        };
        let is_climbed = reach.is_stations || !reach.whose().is_empty();
        is_climbed && self.whose.as_ref().is_none_or(|whose| was_for_nobody(whose) || is_shared(whose))
    }

    /// Whether another says somebody else for the same person at the same time, of a roster that is for nobody else.
    fn is_replaced_by(&self, other: &Self) -> bool {
        let is_for_them = self.whose.as_ref().zip(other.whose.as_ref()).is_some_and(|(own, whose)| own.includes(whose));
        self.roster == other.roster && self.stand_in.off == other.stand_in.off && is_for_them && self.stand_in.overlaps(&other.stand_in)
    }
}

impl SaidStandIn {
    /// What is left of it outside of another's time, and is not over. Of what was ended nothing is.
    fn without(self, other: &StandIn, at: Timestamp) -> Vec<Self> {
        let StandIn { from, until, .. } = self.stand_in;
        let parts = [(from, until.min(other.from)), (from.max(other.until), until)];
        let parts = parts.into_iter().filter(|(from, until)| from < until && *until > at && !self.is_ended);
        parts.map(|(from, until)| Self { stand_in: StandIn { from, until, ..self.stand_in.clone() }, ..self.clone() }).collect()
    }
}

/// All of it, in the order in which it was said; what is over leaves with the next that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StandIns(Vec<SaidStandIn>);

impl StandIns {
    /// Every line.
    pub(crate) fn all(&self) -> &[SaidStandIn] {
        &self.0
    }

    /// One more. Where one for the same person at that time counts for nothing, this is in its place, so that the two never
    /// disagree under a later directory; before and after that time what was said still holds.
    pub(crate) fn say(&mut self, at: Timestamp, said: SaidStandIn) {
        let known = std::mem::take(&mut self.0).into_iter().filter(|known| known.stand_in.until > at);
        self.0 =
            known.flat_map(|known| if known.is_replaced_by(&said) { known.without(&said.stand_in, at) } else { vec![known] }).collect();
        self.0.push(said);
    }

    /// Somebody is back on duty who was stood in for from then on.
    pub(crate) fn end(&mut self, roster: &RosterId, off: PersonId, from: Timestamp, whose: Option<&Whose>) {
        let is_it =
            |said: &SaidStandIn| (&said.roster, said.stand_in.off, said.stand_in.from, said.whose.as_ref()) == (roster, off, from, whose);
        self.0.iter_mut().filter(|said| is_it(said)).for_each(|said| said.is_ended = true);
        let ended = self.0.iter().filter(|said| said.is_ended).count();
        let mut surplus = ended.saturating_sub(MOST);
        self.0.retain(|said| {
            let leaves = said.is_ended && surplus > 0;
            surplus = surplus.saturating_sub(usize::from(leaves));
            !leaves
        });
    }
}
