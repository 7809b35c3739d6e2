//! For whom an evidence bundle is made.

use serde::{Deserialize, Serialize};

/// For whom an evidence bundle is made: what may be told to them decides what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reader {
    /// The police, or a court: everything.
    Police,
    /// A regulator: what the station sent, and nobody's name, number or words.
    Regulator,
    /// An applicant under freedom of information: no private value at all.
    Foi,
}

impl Reader {
    /// Everybody a bundle can be made for.
    pub const ALL: [Self; 3] = [Self::Police, Self::Regulator, Self::Foi];

    /// As the record and the API write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Police => "police",
            Self::Regulator => "regulator",
            Self::Foi => "foi",
        }
    }
}
