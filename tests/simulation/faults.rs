//! The record as one process reaches it: slow, silent, away, or the moment the process dies.
//!
//! What is committed stays; what a dead process began never lands.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use ledger::{AppendError, Batch, Digest, Disclosure, Entry, Head, Ledger, Listing, ListingQuery, ReadError, Seq, ViewsQuery};
use tokio::time::sleep;

use crate::scenario::Lie;
use crate::world::World;

/// How much goes wrong with the record in one seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// Appends of 10,000 that take longer than the watch waits.
    pub(crate) slow: u64,
    /// Appends of 10,000 whose answer is lost, half of them committed.
    pub(crate) unknown: u64,
    /// Appends of 10,000 in which the process dies, half of them committed.
    pub(crate) deadly: u64,
}

/// What will become of one append.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plan {
    /// Committed after so long, answered after so much more.
    Commit { before: Duration, after: Duration },
    /// The answer is lost after so long.
    Lost { committed: bool, after: Duration },
    /// The process dies in it.
    Die { committed: bool },
}

/// One process's way to the record.
pub(crate) struct Handle {
    pub(crate) world: Arc<World>,
    pub(crate) life: u32,
}

impl Handle {
    async fn commit(&self, batch: &Batch) -> Result<(), AppendError> {
        if !self.world.lives(self.life) {
            // Nothing of a dead process reaches the record any more, and nobody waits for this.
            return pending().await;
        }
        if self.world.state().lie == Lie::CommitsNothingNow {
            // It says so at once, and writes a second later.
            let (memory, batch, world) = (self.world.memory.clone(), batch.clone(), Arc::clone(&self.world));
            tokio::spawn(async move {
                sleep(Duration::from_secs(1)).await;
                if memory.append(&batch).await.is_ok() {
                    world.committed(&batch);
                }
            });
            return Ok(());
        }
        if self.world.state().lie == Lie::Rival {
            // Once is enough to be noticed.
            self.world.state().lie = Lie::Nothing;
            return Err(AppendError::Fenced { first: batch.first() });
        }
        self.world.memory.append(batch).await?;
        self.world.committed(batch);
        Ok(())
    }
}

impl Ledger for Handle {
    async fn head(&self) -> Result<Head, ReadError> {
        self.world.memory.head().await
    }

    async fn append(&self, batch: &Batch) -> Result<(), AppendError> {
        let unknown = || AppendError::Unknown { first: batch.first(), source: "the answer was lost, as the dice have it".into() };
        match self.world.plan_append() {
            Plan::Commit { before, after } => {
                wait(before).await;
                self.commit(batch).await?;
                wait(after).await;
                Ok(())
            }
            Plan::Lost { committed, after } => {
                if committed {
                    self.commit(batch).await?;
                }
                wait(after).await;
                Err(unknown())
            }
            Plan::Die { committed } => {
                if committed {
                    self.commit(batch).await?;
                }
                self.world.die(self.life);
                pending().await
            }
        }
    }

    async fn entries(&self, from: Seq, limit: u32) -> Result<Vec<Entry>, ReadError> {
        self.world.memory.entries(from, limit).await
    }

    async fn by_stream(&self, stream: &str, from: Seq, limit: u32) -> Result<Vec<Entry>, ReadError> {
        self.world.memory.by_stream(stream, from, limit).await
    }

    async fn disclosures(&self, from: Seq, to: Seq) -> Result<Vec<(Seq, Disclosure)>, ReadError> {
        self.world.memory.disclosures(from, to).await
    }

    async fn disclosure(&self, digest: &Digest) -> Result<Option<Disclosure>, ReadError> {
        self.world.memory.disclosure(digest).await
    }

    async fn listings(&self, query: &ListingQuery) -> Result<Vec<Listing>, ReadError> {
        self.world.memory.listings(query).await
    }

    async fn views(&self, query: &ViewsQuery) -> Result<Vec<Entry>, ReadError> {
        self.world.memory.views(query).await
    }

    async fn about(&self, subject: &str) -> Result<Vec<Digest>, ReadError> {
        self.world.memory.about(subject).await
    }

    async fn erase(&self, digests: &[Digest]) -> Result<u64, ReadError> {
        self.world.memory.erase(digests).await
    }

    async fn clear_listings(&self) -> Result<(), ReadError> {
        self.world.memory.clear_listings().await
    }
}

async fn wait(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}
