//! Anchors between rooms: the watch says when a checkpoint is due, the voice or the ears carry it, and neither knows the other.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dispatch::anchor::{Authority, Keepsake, Way};
use dispatch::settings::Anchor as Wanted;
use dispatch::{Seal, SettingsError, Voice};
use escalation::anchor::Receipt;
use escalation::id::AnchorName;
use escalation::input::Input;
use escalation::trouble::Cause;
use escalation::verdict::Submit;
use intake::Retained;
use ledger::{Checkpoint, Stamp, StampQuery};
use ring::rand::{SecureRandom as _, SystemRandom};
use station::anchoring::{self, Anchor, Carry, Parcel, Parts, Past, Refusal};
use station::floor::Floor;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::config::Settings;

/// Anchors that can be given something, and what the record says of them.
pub(crate) struct Anchors {
    all: Vec<(Anchor, Past)>,
    /// What must be said of the others: the watch knows it better than a start that fails.
    news: Vec<Input>,
}

impl Anchors {
    /// Reads their secrets; connects to nothing. One that cannot be used is a trouble, and keeps no alarm from being heard. The floor
    /// is as it was when the record ended.
    pub(crate) fn open(settings: &Settings, now: &dispatch::Now, floor: &Floor, broker: &mpsc::Sender<Retained>) -> Self {
        let troubled: BTreeSet<_> = floor.engine.troubles().filter_map(|(cause, _)| failing(cause)).collect();
        let (mut all, mut news) = (Vec::new(), Vec::new());
        for wanted in &settings.dispatch.anchor {
            let name = wanted.name().clone();
            match carry(wanted, settings, now, broker) {
                Ok(carry) => {
                    let in_trouble = troubled.contains(&name);
                    let past = Past { last: floor.engine.anchored().get(&name).cloned(), ended: floor.last_entry_at(), in_trouble };
                    let [apart, again] = [wanted.every_s(), wanted.again_s()].map(Duration::from_secs);
                    all.push((Anchor { name, when: wanted.when().clone(), apart, again, carry }, past));
                }
                Err(why) => {
                    tracing::error!(anchor = %name, %why, "an anchor cannot be used; alarms are not affected");
                    news.push(Input::TroubleNoticed(Cause::AnchorFailing { anchor: name }));
                }
            }
        }
        let known: BTreeSet<_> = settings.dispatch.anchor.iter().map(Wanted::name).collect();
        let gone = troubled.into_iter().filter(|name| !known.contains(name));
        news.extend(gone.map(|anchor| Input::TroubleCleared(Cause::AnchorFailing { anchor })));
        Self { all, news }
    }

    /// Gives them checkpoints from here on; without a signer says that there are none to give. Waits for nobody.
    pub(crate) fn start(self, parts: &Parts, signed: bool) -> Vec<JoinHandle<()>> {
        let Self { all, mut news } = self;
        let mut posts = Vec::new();
        for (anchor, past) in all {
            if signed {
                posts.push(anchoring::start(anchor, parts.clone(), past));
            } else {
                tracing::error!(anchor = %anchor.name, "the record is not signed, so that an anchor gets nothing; make a key with  cooee record new");
                news.push(Input::TroubleNoticed(Cause::AnchorFailing { anchor: anchor.name }));
            }
        }
        posts.push(tokio::spawn(tell(news, Arc::clone(&parts.submit))));
        posts
    }
}

/// Tells the watch what it cannot know, one after another.
pub(crate) async fn tell(news: Vec<Input>, submit: Submit) {
    for input in news {
        drop(submit(input).await);
    }
}

fn carry(wanted: &Wanted, settings: &Settings, now: &dispatch::Now, broker: &mpsc::Sender<Retained>) -> Result<Carry, SettingsError> {
    let way = Way::open(wanted, &settings.dispatch, now)?;
    Ok(match way {
        Way::Post(anchor) => by_voice(anchor, &settings.station.name),
        Way::Authority(authority) => by_authority(authority),
        Way::Broker => by_broker(broker.clone()),
    })
}

fn by_voice(anchor: dispatch::anchor::Anchor, station: &str) -> Carry {
    let (anchor, station) = (Arc::new(anchor), station.to_owned());
    Box::new(move |parcel| {
        let (anchor, keepsake) = (Arc::clone(&anchor), keepsake(&station, &parcel));
        Box::pin(async move { anchor.give(&keepsake).await.map_err(passed_on) })
    })
}

fn by_authority(authority: Authority) -> Carry {
    let authority = Arc::new(authority);
    Box::new(move |parcel| {
        let authority = Arc::clone(&authority);
        Box::pin(async move { stamped(&authority, &parcel.checkpoint.to_string()).await })
    })
}

/// Has an authority put its time to a note. Its reply is kept whole, for whoever verifies it.
async fn stamped(authority: &Authority, note: &str) -> Result<Receipt, Refusal> {
    let mut nonce = [0; 8];
    SystemRandom::new().fill(&mut nonce).map_err(|_| Refusal::unasked("no randomness"))?;
    let question = StampQuery::of(note.as_bytes(), nonce);
    let reply = authority.ask(question.to_der(), ledger::REPLY_MAX).await.map_err(passed_on)?;
    let answer = question.answered_by(&reply);
    let Stamp { at, serial, .. } = answer.map_err(|why| Refusal::asked(why.to_string()))?;
    Ok(Receipt::Rfc3161 { at, serial, token: STANDARD.encode(reply) })
}

fn by_broker(broker: mpsc::Sender<Retained>) -> Carry {
    Box::new(move |parcel| {
        let broker = broker.clone();
        Box::pin(async move {
            let (taken, was_taken) = oneshot::channel();
            let given = broker.send(Retained { note: parcel.checkpoint.to_string(), taken }).await;
            given.map_err(|_closed| Refusal::unasked("closing"))?;
            was_taken.await.map(|()| Receipt::Puback).map_err(|_dropped| Refusal::asked("cut off"))
        })
    })
}

/// What the voice says of a refusal, as the watch takes it.
fn passed_on(refusal: dispatch::anchor::Refusal) -> Refusal {
    let dispatch::anchor::Refusal { why, wait, was_asked } = refusal;
    Refusal { why, wait, was_asked }
}

/// Puts what is signed below the mails of alarms, until the notary has ended.
pub(crate) async fn seal_mails(voice: Arc<Voice>, mut signed: watch::Receiver<Option<Arc<Checkpoint>>>) {
    loop {
        let seal = signed.borrow_and_update().as_ref().map(|checkpoint| Seal { size: checkpoint.size(), root: checkpoint.root_text() });
        voice.seal_with(seal);
        if signed.changed().await.is_err() {
            return;
        }
    }
}

/// Which anchor this trouble is about, if it is about one.
fn failing(cause: &Cause) -> Option<AnchorName> {
    if let Cause::AnchorFailing { anchor } = cause { Some(anchor.clone()) } else { None }
}

fn keepsake(station: &str, parcel: &Parcel) -> Keepsake {
    let Parcel { checkpoint, keys, at } = parcel;
    Keepsake {
        station: station.to_owned(),
        origin: checkpoint.origin().to_string(),
        size: checkpoint.size(),
        root: checkpoint.root_text(),
        note: checkpoint.to_string(),
        keys: keys.iter().map(ToString::to_string).collect(),
        at: *at,
    }
}
