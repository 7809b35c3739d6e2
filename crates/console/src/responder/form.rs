//! What the page's buttons say and what comes back from them.

use escalation::acknowledgement::Reply;

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
}

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
        }
    }

    fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.as_str() == text)
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
            None => Reply::NotAnAnswer,
        }
    }
}
