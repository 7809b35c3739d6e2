//! What the page's buttons say and what comes back from them.

use escalation::acknowledgement::Reply;
use escalation::plan::STEPS_MAX;

/// What the buttons say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Going,
    Helping,
    Arrived,
    Cannot,
    /// The responder needs help themselves.
    InNeed,
    PoliceNeeded,
    PoliceRung,
    /// A step of the plan is done; which is its place in [`STEPS`].
    Step(u16),
}

/// What the buttons of steps say: as many as a plan has at most.
const STEPS: [&str; STEPS_MAX] = [
    "step 1", "step 2", "step 3", "step 4", "step 5", "step 6", "step 7", "step 8", "step 9", "step 10", "step 11", "step 12", "step 13",
    "step 14", "step 15", "step 16", "step 17", "step 18", "step 19", "step 20",
];

impl Choice {
    const ALL: [Self; 7] = [Self::Going, Self::Helping, Self::Arrived, Self::Cannot, Self::InNeed, Self::PoliceNeeded, Self::PoliceRung];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Going => "going",
            Self::Helping => "helping",
            Self::Arrived => "arrived",
            Self::Cannot => "cannot",
            Self::InNeed => "need",
            Self::PoliceNeeded => "police",
            Self::PoliceRung => "rung",
            Self::Step(number) => STEPS.get(usize::from(number.saturating_sub(1))).copied().unwrap_or("step"),
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Going => "I am going",
            Self::Helping => "Helping remotely",
            Self::Arrived => "I am there and safe",
            Self::Cannot => "I can't",
            Self::InNeed => "I need help myself",
            Self::PoliceNeeded => "Police are needed",
            Self::PoliceRung => "000 has been rung",
            Self::Step(_) => self.as_str(),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let step = || (1u16..).zip(STEPS).find(|(_, name)| *name == text).map(|(number, _)| Self::Step(number));
        Self::ALL.into_iter().find(|choice| choice.as_str() == text).or_else(step)
    }
}

/// A form as it came: what is unknown in it is passed over, what is missing is no evidence.
#[derive(Default)]
pub(super) struct Form {
    pub(super) choice: Option<Choice>,
    pub(super) nonce: String,
    pub(super) hand: bool,
    pub(super) word: Option<String>,
}

impl Form {
    pub(super) fn read(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "choice" => form.choice = Choice::read(&value),
                "nonce" => form.nonce = value,
                "hand" => form.hand = value == "pointer" || value == "key",
                "word" => form.word = Some(value),
                _unknown => {}
            }
        }
        form
    }

    pub(super) fn reply(&self) -> Reply {
        match self.choice {
            Some(Choice::Going) => Reply::Going { code: None },
            Some(Choice::Helping) => Reply::Helping { code: None },
            Some(Choice::Arrived) => Reply::Arrived,
            Some(Choice::Cannot) => Reply::Cannot { code: None },
            Some(Choice::InNeed) => Reply::InNeed,
            Some(Choice::PoliceNeeded) => Reply::PoliceNeeded,
            Some(Choice::PoliceRung) => Reply::PoliceRung,
            Some(Choice::Step(number)) => Reply::StepDone { number },
            None => Reply::NotAnAnswer,
        }
    }
}
