//! `[technical]`: who is told of troubles, and what a ladder that is climbed for them can ask for.

use super::reader::{At, Reader, Section};
use super::{Draft, DraftLadder, DraftWho, wait};
use crate::directory::Technical;
use crate::id::LadderId;
use crate::ladder::{Medium, Need};
use crate::time::Seconds;
use crate::zone::Zone;

/// The longest wait before anybody is told: what lasts for longer is no blip.
const WAIT_MAX: Seconds = Seconds(3_600);
/// The longest time between two messages about one trouble that nobody looks after.
const AGAIN_MAX: Seconds = Seconds(86_400);
/// The shortest: whoever mends it must not be kept from it by their phone.
const AGAIN_MIN: Seconds = Seconds(60);

/// `[technical]` as the file has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftTechnical {
    /// The operator's ladder.
    pub ladder: Option<At<LadderId>>,
    /// How long a trouble lasts before anybody is told.
    pub wait: Option<Seconds>,
    /// How often they are told again.
    pub again: Option<At<Seconds>>,
}

impl DraftTechnical {
    pub(super) fn read(mut section: Section<'_, '_, '_>) -> Self {
        let ladder = section.id("ladder");
        section.missing("ladder", "the station's troubles would be told to nobody", "name the ladder of whoever looks after the station");
        let wait = section.read("wait", |text| wait::parse(text, WAIT_MAX)).map(|wait| wait.value);
        let again = section.read("again", |text| wait::parse(text, AGAIN_MAX));
        section.close();
        Self { ladder, wait, again }
    }
}

impl Draft {
    pub(super) fn technical(&self) -> Technical {
        let usual = Technical::default();
        Technical {
            ladder: self.technical.ladder.as_ref().map(|ladder| ladder.value.clone()),
            wait_s: self.technical.wait.unwrap_or(usual.wait_s),
            again_s: self.technical.again.as_ref().map_or(usual.again_s, |again| again.value),
            // Without a ladder there is nothing to wait for, and older versions of the directory stay as they were.
            zone: self.first_technical().and(self.defaults.timezone.as_ref()).and_then(|zone| Zone::named(&zone.value).ok()),
        }
    }

    /// Where a ladder is named for troubles, the operator's first.
    fn named_technical(&self) -> impl Iterator<Item = &At<LadderId>> {
        self.technical.ladder.iter().chain(self.customers.iter().filter_map(|customer| customer.technical.as_ref()))
    }

    fn first_technical(&self) -> Option<&At<LadderId>> {
        self.named_technical().next()
    }

    /// Every ladder that is climbed for troubles.
    fn technical_ladders(&self) -> impl Iterator<Item = &DraftLadder> {
        self.ladders.iter().filter(|ladder| self.named_technical().any(|named| named.value == ladder.id))
    }
}

/// A key that nobody would honour is refused.
pub(super) fn review(reader: &mut Reader<'_>, draft: &Draft) {
    if let Some(named) = draft.first_technical()
        && draft.defaults.timezone.is_none()
    {
        reader.warn(
            named.line,
            "troubles are told to people, and [defaults] has no timezone".to_owned(),
            "nobody knows when it is night: what can wait is told at any hour",
            "name the timezone of whoever looks after the station in [defaults]",
        );
    }
    if let Some(again) = draft.technical.again.as_ref().filter(|again| again.value < AGAIN_MIN) {
        reader.error(
            again.line,
            "technical: again is shorter than 1 min".to_owned(),
            "everybody of the ladder would be told without a pause",
            "choose 1 min at least; 30m is usual",
        );
    }
    for ladder in draft.technical_ladders() {
        for rung in &ladder.rungs {
            let owner = format!("ladder \"{}\", rung {}", ladder.named, rung.number);
            let by_call =
                rung.targets.iter().flat_map(|target| target.by.iter().flatten().flatten()).any(|medium| *medium == Medium::Voice);
            let centre = rung.targets.iter().any(|target| matches!(target.who, DraftWho::Centre(_)));
            let wrong = [
                (centre, "names a centre, and a centre takes what it is sent for a call for help", "name people"),
                (by_call, "is told by a call, and nobody is rung for a trouble in this version", "leave voice out of by"),
                (
                    !rung.when.is_always(),
                    "has hours or kinds, and a trouble has neither a site's clock nor a kind",
                    "name a roster with shifts",
                ),
                (rung.need != Need::One, "needs several people, and one who looks after a trouble is enough", "leave need out"),
            ];
            for (_, what, remedy) in wrong.into_iter().filter(|(is, _, _)| *is) {
                let remedy = format!("{remedy}; for calls keep another ladder");
                reader.error(rung.line, format!("{owner} {what}"), "it is climbed for troubles", &remedy);
            }
        }
    }
}
