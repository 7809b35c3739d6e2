//! Anchors between rooms: the watch says when a checkpoint is due, the voice carries it, and neither knows the other.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use dispatch::anchor::Keepsake;
use dispatch::{Seal, Voice};
use escalation::anchor::{LastAnchored, Receipt};
use escalation::engine::Engine;
use escalation::id::AnchorName;
use escalation::trouble::Cause;
use intake::Retained;
use ledger::Checkpoint;
use station::anchoring::{self, Anchor, Carry, Parcel, Parts};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::config::Settings;

/// Anchors that can be given something, and what the record says of them.
pub(crate) struct Anchors {
    all: Vec<(Anchor, Option<LastAnchored>)>,
    /// In trouble, and not in the settings any more.
    gone: Vec<AnchorName>,
}

impl Anchors {
    /// Reads their secrets; connects to nothing. The engine is as it was when the record ended.
    pub(crate) fn open(settings: &Settings, now: &dispatch::Now, engine: &Engine, broker: &mpsc::Sender<Retained>) -> anyhow::Result<Self> {
        let mut all = Vec::new();
        for wanted in &settings.dispatch.anchor {
            let carry = match dispatch::anchor::Anchor::open(wanted, &settings.dispatch, now)? {
                Some(way) => by_voice(way, &settings.station.name),
                None => by_broker(broker.clone()),
            };
            let (name, apart) = (wanted.name().clone(), Duration::from_secs(wanted.every_s()));
            let last = engine.anchored().get(&name).copied();
            all.push((Anchor { name, when: wanted.when().clone(), apart, carry }, last));
        }
        let known: BTreeSet<_> = all.iter().map(|(anchor, _)| anchor.name.clone()).collect();
        let failing = engine.troubles().filter_map(|(cause, _)| failing(cause));
        let gone = failing.filter(|name| !known.contains(name)).collect();
        Ok(Self { all, gone })
    }

    /// Gives them checkpoints from here on; without a signer says that there are none to give.
    pub(crate) async fn start(self, parts: Parts, signed: bool) -> Vec<JoinHandle<()>> {
        anchoring::forget(self.gone, &parts.submit).await;
        if !signed {
            anchoring::nothing_to_give(self.all.into_iter().map(|(anchor, _)| anchor.name), &parts.submit).await;
            return Vec::new();
        }
        self.all.into_iter().map(|(anchor, last)| anchoring::start(anchor, parts.clone(), last)).collect()
    }
}

fn by_voice(way: dispatch::anchor::Anchor, station: &str) -> Carry {
    let (way, station) = (Arc::new(way), station.to_owned());
    Box::new(move |parcel| {
        let (way, keepsake) = (Arc::clone(&way), keepsake(&station, &parcel));
        Box::pin(async move { way.give(&keepsake).await })
    })
}

fn by_broker(broker: mpsc::Sender<Retained>) -> Carry {
    Box::new(move |parcel| {
        let broker = broker.clone();
        Box::pin(async move {
            let (taken, was_taken) = oneshot::channel();
            let given = broker.send(Retained { note: parcel.checkpoint.to_string(), taken }).await;
            given.map_err(|_closed| "closing".to_owned())?;
            was_taken.await.map(|()| Receipt::Puback).map_err(|_dropped| "cut off".to_owned())
        })
    })
}

/// Puts what is signed below the mails of alarms, until the notary has ended.
pub(crate) async fn seal_mails(voice: Arc<Voice>, mut latest: watch::Receiver<Option<Arc<Checkpoint>>>) {
    loop {
        if let Some(checkpoint) = &*latest.borrow_and_update() {
            voice.seal_with(Seal { size: checkpoint.size(), root: root_of(checkpoint) });
        }
        if latest.changed().await.is_err() {
            return;
        }
    }
}

/// Which anchor this trouble is about, if it is about one.
fn failing(cause: &Cause) -> Option<AnchorName> {
    if let Cause::AnchorFailing { anchor } = cause { Some(anchor.clone()) } else { None }
}

fn keepsake(station: &str, parcel: &Parcel) -> Keepsake {
    let Parcel { checkpoint, keys, occasion, at } = parcel;
    let note = checkpoint.to_string();
    Keepsake {
        station: station.to_owned(),
        origin: checkpoint.origin().to_string(),
        size: checkpoint.size(),
        root: root_of(checkpoint),
        note,
        keys: keys.iter().map(ToString::to_string).collect(),
        occasion: *occasion,
        at: *at,
    }
}

/// The third line of every checkpoint, as people compare it.
fn root_of(checkpoint: &Checkpoint) -> String {
    checkpoint.note().text().lines().nth(2).unwrap_or_default().to_owned()
}
