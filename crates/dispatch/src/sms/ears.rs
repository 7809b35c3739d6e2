//! Whether the replies that a provider keeps for us can be read, and the trouble where they cannot: people may have answered.

use escalation::id::CarrierName;
use escalation::trouble::Cause;
use tokio::sync::watch;

use crate::carrier::Fault;
use crate::report::Reporter;

/// Listings in a row that failed after which replies count as unread. A list of a strange form counts at once: it is the
/// settings that are wrong, and they do not mend themselves.
const UNREAD_AFTER: u32 = 3;

/// Why a listing was not read, or not in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    /// The provider did not answer, or refused us.
    Fault(Fault),
    /// It answered, and what it said is not what the settings say of it.
    Strange(&'static str),
}

impl Missed {
    /// A word for the log.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Fault(fault) => fault.class(),
            Self::Strange(what) => what,
        }
    }
}

impl From<Fault> for Missed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What one turn of listening came to.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) replies: Result<(), Missed>,
    pub(crate) receipts: Result<(), Missed>,
}

/// How one account's listings have gone.
pub(crate) struct Ears {
    failures: u32,
    /// `None` before the first listing: a trouble may be open from before this start.
    unread: watch::Sender<Option<bool>>,
}

impl Ears {
    /// Starts with nothing known; the trouble follows in a task of its own until `reporter` stops.
    pub(crate) fn new(carrier: CarrierName, reporter: &Reporter) -> Self {
        let (unread, watched) = watch::channel(None);
        tokio::spawn(reporter.clone().follow(format!("{carrier} replies"), Cause::RepliesUnread { carrier }, watched));
        Self { failures: 0, unread }
    }

    /// Takes note of how a listing of replies went.
    pub(crate) fn listed(&mut self, replies: &Result<(), Missed>) {
        let at_once = match replies {
            Ok(()) => {
                self.failures = 0;
                return self.tell(false);
            }
            Err(Missed::Strange(_) | Missed::Fault(Fault::Credentials)) => true,
            Err(Missed::Fault(Fault::NotSent(_) | Fault::Busy(_) | Fault::Unknown { .. } | Fault::Refused(_))) => false,
        };
        self.failures = self.failures.saturating_add(1);
        if at_once || self.failures >= UNREAD_AFTER {
            self.tell(true);
        }
    }

    fn tell(&self, is_unread: bool) {
        self.unread.send_if_modified(|told| told.replace(is_unread) != Some(is_unread));
    }
}
