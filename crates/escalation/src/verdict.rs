//! What became of an input: the answer that a shell room waits for before it lets anything out.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::id::ActivationId;
use crate::input::Input;
use crate::rejection::Rejection;

/// What became of one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is durable: only now may a PUBACK or a 2xx be sent (I1).
    Durable(Outcome),
    /// The rules said no, and why; nothing was recorded beyond what the reason says.
    Refused(Rejection),
    /// It was not taken and is not recorded: send no PUBACK, answer 503, let the sender try again.
    NotTaken(NotTaken),
}

/// What a durable input did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The activation it raised, joined or changed.
    pub activation: Option<ActivationId>,
    /// The sequence number of the last entry it caused, or of the last one before it where it caused none.
    pub seq: u64,
    /// For an answer: it was counted.
    pub counted: bool,
    /// For an accept: who was first, where this one came second.
    pub co_responder: bool,
}

/// Why an input was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The queue in front of the watch is full.
    #[error("the queue in front of the watch is full; try again in a second")]
    Overloaded,
    /// The process is going down.
    #[error("the station is stopping")]
    Stopping,
    /// Neither record nor spool could be written.
    #[error("neither the record nor its spool can be written")]
    Unrecorded,
}

/// The future of one verdict.
pub type Pending = Pin<Box<dyn Future<Output = Verdict> + Send>>;

/// How a shell room hands an input to the watch. Cheap to clone; never blocks.
pub type Submit = Arc<dyn Fn(Input) -> Pending + Send + Sync>;
