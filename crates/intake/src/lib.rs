//! THE EARS: from MQTT to inputs, and nothing lost on the way.
//!
//! A message becomes a signal by an adapter ([`adapter`], pure and total) and is handed to the watch; only when the watch says
//! that it is durable is it acknowledged. There are two ways in: a session with an outside broker, and a broker inside this
//! process. Nothing behind them can tell which one a press came by. This room must not decide what a signal means for anybody,
//! and never sees the station: it gets a `Submit` and gives feedback to devices.

pub mod adapter;
mod listener;
mod once_only;
mod outward;
pub mod selftest;
mod session;
pub mod settings;
pub mod supervision;
mod troubles;

use std::net::SocketAddr;
use std::sync::Arc;

use escalation::directory::adapter::Rule;
use escalation::id::{ActivationId, DeviceId};
use escalation::time::Timestamp;
use escalation::verdict::Submit;
use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use crate::listener::Listener;
use crate::outward::Outward;
pub use crate::outward::Retained;
use crate::selftest::Lack;
use crate::session::Session;
use crate::settings::{Access, BadSettings, Settings};
use crate::supervision::Supervision;
use crate::troubles::Troubles;

/// Our clock, as the watch tells it.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a device is told about its press, on `cooee/v1/{site}/{device}/state`. The caller leaves out what an aggressor could see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// Whom to tell.
    pub device: DeviceId,
    /// The press's own id, if it had one.
    pub id: Option<String>,
    /// The activation that it raised or joined.
    pub activation: ActivationId,
    /// How that stands.
    pub state: State,
}

/// How a call for help stands, as its device is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is durable.
    Received,
    /// A person has committed to act.
    Responding,
    /// It was closed.
    Closed,
}

/// Whether presses reach us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// They do.
    Ready,
    /// They do not, or not all.
    NotYet {
        /// Why, for a person.
        why: String,
    },
}

/// Why the ears cannot open.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] BadSettings),
    /// A client certificate needs to know whom it is shown to.
    #[error("mqtt.client_cert_file is set but mqtt.ca_file is not: name the CA that signed the broker's certificate")]
    IdentityWithoutCa,
    /// The system's certificates cannot be read.
    #[error("the system's CA certificates cannot be read ({why}): install ca-certificates, or set mqtt.ca_file")]
    NoTrust {
        /// What the library said.
        why: String,
    },
    /// The socket cannot be had.
    #[error("listener.listen {listen}: {why}; is another broker running there?")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the library said.
        why: String,
    },
}

/// What the house has to say by the same way.
pub struct Outgoing {
    /// What devices are told.
    pub feedback: mpsc::Receiver<Feedback>,
    /// Checkpoints for an outside broker to keep. A listener keeps none: it is no place outside.
    pub checkpoints: mpsc::Receiver<Retained>,
}

/// The open ears.
pub struct Ears {
    way: Way,
    helpers: Vec<AbortHandle>,
    supervision: Supervision,
    readiness: watch::Receiver<Readiness>,
}

enum Way {
    Session(Session, Outward),
    Listener(Listener),
}

impl Ears {
    /// Opens the way in that the settings name, and goes on opening it: a broker that is away is a trouble, not an error.
    ///
    /// `last_here` is the time of the record's last entry before this start, if there is one: what the broker kept for us may
    /// have waited since.
    ///
    /// # Errors
    /// Settings that cannot work, each with its remedy; for the listener also a socket that cannot be had.
    pub async fn open(
        settings: &Settings,
        node: &str,
        submit: Submit,
        now: Now,
        rules: watch::Receiver<Arc<Vec<Rule>>>,
        outgoing: Outgoing,
        last_here: Option<Timestamp>,
    ) -> Result<Self, NotOpened> {
        let (readiness_in, readiness) = watch::channel(Readiness::NotYet { why: "not connected yet".to_owned() });
        let supervision = Supervision::default();
        let (troubles, telling) = Troubles::start(submit.clone());
        let mut helpers = vec![telling];
        let way = match settings {
            Settings::Session(mqtt) => {
                let access = mqtt.access()?;
                let outward = Outward::start(&access, node, outgoing)?;
                if mqtt.self_test {
                    let testing = test_broker(access.clone(), node.to_owned(), troubles.clone(), readiness.clone());
                    helpers.push(tokio::spawn(testing).abort_handle());
                }
                let needs =
                    session::Needs { submit, now, rules, supervision: supervision.clone(), troubles, readiness: readiness_in, last_here };
                Way::Session(Session::start(&access, needs)?, outward)
            }
            Settings::Listener(listener) => {
                let needs = listener::Needs {
                    node: node.to_owned(),
                    submit,
                    now,
                    rules,
                    feedback: outgoing.feedback,
                    supervision: supervision.clone(),
                    troubles,
                    readiness: readiness_in,
                };
                Way::Listener(Listener::start(listener, needs).await?)
            }
        };
        Ok(Self { way, helpers, supervision, readiness })
    }

    /// Whether presses reach us, now and at every change.
    pub fn ready(&self) -> watch::Receiver<Readiness> {
        self.readiness.clone()
    }

    /// Who was heard from since the start.
    pub fn supervision(&self) -> Supervision {
        self.supervision.clone()
    }

    /// Where the listener listens, with the port that it was given where the settings said 0; `None` for a session.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.way {
            Way::Session(..) => None,
            Way::Listener(listener) => listener.address(),
        }
    }

    /// Takes nothing new, acknowledges what becomes durable within a moment, and leaves in an orderly way.
    pub async fn shutdown(self) {
        match self.way {
            Way::Session(session, outward) => {
                session.shutdown().await;
                outward.shutdown().await;
            }
            Way::Listener(listener) => listener.shutdown().await,
        }
        for helper in self.helpers {
            helper.abort();
        }
    }
}

/// Tests the broker once it is there; each thing that it lacks is a trouble.
async fn test_broker(access: Access, node: String, troubles: Troubles, mut readiness: watch::Receiver<Readiness>) {
    if readiness.wait_for(|said| *said == Readiness::Ready).await.is_err() {
        return;
    }
    let lacks = match selftest::run(&access, &node).await {
        Ok(lacks) => lacks,
        Err(why) => return tracing::warn!(%why, "the broker could not be tested; nothing is known about what it keeps"),
    };
    for lack in Lack::ALL {
        if lacks.contains(&lack) {
            tracing::warn!("{lack}");
            troubles.raise(lack.cause());
        } else {
            troubles.clear(lack.cause());
        }
    }
}
