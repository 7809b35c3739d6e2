//! The topic filters that must be subscribed, and what the broker said to each.
//!
//! A filter that is refused, or not answered, is a trouble of its own and keeps the station from being ready. Must not send
//! anything but SUBSCRIBE and UNSUBSCRIBE.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use escalation::trouble::Cause;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use rumqttc::{QoS, SubscribeFilterInput, SubscribeReasonCode};
use tokio::time::Instant;

use crate::session::wire::Fence;
use crate::troubles::Troubles;

/// Filters in one SUBSCRIBE; some brokers take no more.
const AT_ONCE: usize = 8;
/// How long the broker has for its answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// When a refused filter is asked for again.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// How a filter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Asked,
    Granted,
    /// Granted without a guarantee (QoS 0): what is sent while the link is away is gone.
    Weak,
    Refused,
}

/// What the broker answered to one SUBSCRIBE.
struct Answer {
    round: u64,
    filters: Vec<String>,
    /// One code for each filter; `None` for no answer.
    codes: Option<Vec<SubscribeReasonCode>>,
}

pub(super) struct Subscriptions {
    fence: Arc<Fence>,
    troubles: Troubles,
    wanted: BTreeMap<String, Standing>,
    left: BTreeSet<String>,
    answers: FuturesUnordered<BoxFuture<'static, Answer>>,
    /// Counts connections: answers to an earlier one mean nothing.
    round: u64,
    connected: bool,
    retry_at: Option<Instant>,
}

impl Subscriptions {
    pub(super) fn new(fence: Arc<Fence>, troubles: Troubles, filters: Vec<String>) -> Self {
        let wanted = filters.into_iter().map(|filter| (filter, Standing::Asked)).collect();
        Self {
            fence,
            troubles,
            wanted,
            left: BTreeSet::new(),
            answers: FuturesUnordered::new(),
            round: 0,
            connected: false,
            retry_at: None,
        }
    }

    /// A connection stands: everything is subscribed anew, and what left the set is unsubscribed.
    pub(super) fn connected(&mut self) {
        self.connected = true;
        self.round += 1;
        let all: Vec<String> = self.wanted.keys().cloned().collect();
        self.ask(&all);
        self.take_back();
    }

    /// There is no connection.
    pub(super) fn lost(&mut self) {
        self.connected = false;
        self.round += 1;
        self.retry_at = None;
    }

    /// From now on these are wanted.
    pub(super) fn want(&mut self, filters: Vec<String>) {
        let new: Vec<String> = filters.iter().filter(|filter| !self.wanted.contains_key(*filter)).cloned().collect();
        let kept: BTreeSet<String> = filters.into_iter().collect();
        let gone: Vec<String> = self.wanted.keys().filter(|filter| !kept.contains(*filter)).cloned().collect();
        for filter in gone {
            self.wanted.remove(&filter);
            self.troubles.clear(Cause::SubscriptionRefused { filter: filter.clone() });
            self.left.insert(filter);
        }
        for filter in &new {
            self.left.remove(filter);
            self.wanted.insert(filter.clone(), Standing::Asked);
        }
        if self.connected {
            self.ask(&new);
            self.take_back();
        }
    }

    /// Waits for the next answer; says whether it was of this connection. Pends where none is awaited.
    pub(super) async fn answered(&mut self) -> bool {
        match self.answers.next().await {
            Some(answer) => self.on_answer(answer),
            None => std::future::pending().await,
        }
    }

    /// Whether every wanted filter is granted.
    pub(super) fn complete(&self) -> bool {
        self.gap().is_none()
    }

    /// The first filter that is not granted.
    pub(super) fn gap(&self) -> Option<&str> {
        self.wanted.iter().find(|(_, standing)| matches!(standing, Standing::Asked | Standing::Refused)).map(|(filter, _)| filter.as_str())
    }

    /// When refused filters are asked for again.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    pub(super) fn on_alarm(&mut self, now: Instant) {
        if self.retry_at.is_some_and(|at| now >= at) {
            self.retry_at = None;
            let refused = self.wanted.iter().filter(|(_, standing)| **standing == Standing::Refused);
            let refused: Vec<String> = refused.map(|(filter, _)| filter.clone()).collect();
            self.ask(&refused);
        }
    }

    fn ask(&mut self, filters: &[String]) {
        for some in filters.chunks(AT_ONCE) {
            for filter in some {
                self.wanted.insert(filter.clone(), Standing::Asked);
            }
            let (round, filters) = (self.round, some.to_vec());
            let inputs: Vec<SubscribeFilterInput> =
                some.iter().map(|filter| SubscribeFilterInput::new(filter.as_str(), QoS::AtLeastOnce)).collect();
            let asked = self.fence.client().try_subscribe_many_tracked(inputs);
            let answer = async move {
                let codes = match asked {
                    Ok(notice) => {
                        tokio::time::timeout(ANSWER_MAX, notice.wait_async()).await.ok().and_then(Result::ok).map(|ack| ack.return_codes)
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a subscription could not be sent");
                        None
                    }
                };
                Answer { round, filters, codes }
            };
            self.answers.push(answer.boxed());
        }
    }

    fn take_back(&self) {
        if self.left.is_empty() {
            return;
        }
        if let Err(error) = self.fence.client().try_unsubscribe_many(self.left.iter().cloned()) {
            tracing::warn!(%error, "topics that are no longer wanted stay subscribed; their messages are ignored");
        }
    }

    fn on_answer(&mut self, answer: Answer) -> bool {
        if answer.round != self.round {
            return false;
        }
        let codes = answer.codes.unwrap_or_default();
        for (index, filter) in answer.filters.into_iter().enumerate() {
            let Some(standing) = self.wanted.get_mut(&filter) else {
                continue;
            };
            let cause = Cause::SubscriptionRefused { filter };
            match codes.get(index) {
                Some(SubscribeReasonCode::Success(qos)) => {
                    *standing = if *qos == QoS::AtMostOnce { Standing::Weak } else { Standing::Granted };
                    self.troubles.clear(cause);
                }
                Some(SubscribeReasonCode::Failure) | None => {
                    *standing = Standing::Refused;
                    self.troubles.raise(cause);
                    self.retry_at = Some(Instant::now() + AGAIN_AFTER);
                }
            }
        }
        let weak = Cause::BrokerSetting { lacks: "qos1".to_owned() };
        if self.wanted.values().any(|standing| *standing == Standing::Weak) {
            self.troubles.raise(weak);
        } else {
            self.troubles.clear(weak);
        }
        true
    }
}
