//! Does the broker keep what it accepts while we are away?
//!
//! By clients and on a topic of its own, so that the session is not disturbed: subscribes, leaves, publishes what a busy hour
//! would, comes back, counts. It cannot prove that the broker's disk holds what its memory does: for mosquitto that is
//! `autosave_on_changes`, see `deploy/mosquitto.conf`.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use escalation::trouble::Cause;
use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, Packet, PublishOptions, QoS, SubscribeReasonCode};

use crate::NotOpened;
use crate::session::{connect, options};
use crate::settings::Access;

/// How many messages the broker must keep. More than mosquitto's defaults, 1,000 queued and 20 in flight, which drop the rest in silence.
const MESSAGES: u16 = 1_200;
/// A message as large as any that is kept in full may be, with room for its topic, in bytes.
const LARGE: usize = 60_000;
/// Largest packet that a test client takes, in bytes.
const PACKET_MAX: usize = 1_048_576;
/// How long one step may take, and how long a silence shows that nothing more comes.
const STEP: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(3);

/// Something that a broker lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// It does not let us read what we subscribed to, though it granted it.
    Acl,
    /// It forgot our session as soon as we left.
    Persistence,
    /// It dropped messages that waited for us.
    Queue,
    /// It does not carry a message of 60,000 bytes.
    PacketSize,
}

impl Lack {
    /// Everything that is tested.
    pub const ALL: [Self; 4] = [Self::Acl, Self::Persistence, Self::Queue, Self::PacketSize];

    /// As a trouble.
    pub fn cause(self) -> Cause {
        let lacks = match self {
            Self::Acl => "acl",
            Self::Persistence => "persistence",
            Self::Queue => "queue",
            Self::PacketSize => "packet_size",
        };
        Cause::BrokerSetting { lacks: lacks.to_owned() }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Acl => "the broker grants a subscription but does not deliver on it: presses may be withheld in the same way; allow our user to read and write cooee/v1/#",
            Self::Persistence => "the broker forgets our session when we leave: a press while Cooee restarts would be lost; in mosquitto.conf set  persistence true",
            Self::Queue => "the broker drops messages that wait for us, after telling the button that it has them; in mosquitto.conf set  max_queued_messages 1000000",
            Self::PacketSize => "the broker does not carry 60,000 bytes: a long note would be lost; in mosquitto.conf set  max_packet_size 65536  and no message_size_limit",
        })
    }
}

/// Why the test says nothing.
#[derive(Debug, thiserror::Error)]
pub enum Unproven {
    /// A connection could not be had.
    #[error(transparent)]
    Settings(#[from] NotOpened),
    /// The broker cut a test client off.
    #[error("the broker ended a test connection: {0}")]
    Cut(#[from] ConnectionError),
    /// The client refused what we asked.
    #[error("a test request could not be sent: {0}")]
    Asked(#[from] rumqttc::ClientError),
    /// The broker did not answer.
    #[error("the broker did not answer within {} s while we {doing}", STEP.as_secs())]
    Slow {
        /// What we were doing.
        doing: &'static str,
    },
    /// The test's own topic was refused.
    #[error("the broker refused our subscription to {topic}; allow our user to read and write cooee/v1/#")]
    Refused {
        /// The topic.
        topic: String,
    },
}

/// Tests the broker; what it lacks, or nothing.
///
/// # Errors
/// Why nothing can be said.
pub async fn run(access: &Access, node: &str) -> Result<BTreeSet<Lack>, Unproven> {
    let test = Test { access, session: format!("{}-selftest", access.client_id), topic: format!("cooee/v1/$station/{node}/selftest") };
    test.forget().await?;
    let tested = test.all().await;
    let forgotten = test.forget().await;
    let lacks = tested?;
    forgotten.map(|()| lacks)
}

struct Test<'a> {
    access: &'a Access,
    session: String,
    topic: String,
}

impl Test<'_> {
    async fn all(&self) -> Result<BTreeSet<Lack>, Unproven> {
        let mut lacks = BTreeSet::new();
        if !self.subscribe_and_leave().await? {
            lacks.insert(Lack::Acl);
            return Ok(lacks);
        }
        let large = self.publish_large().await?;
        self.publish_many().await?;
        let (mut line, session_present) = self.connect(&self.session, false).await?;
        if !session_present {
            lacks.insert(Lack::Persistence);
            return Ok(lacks);
        }
        let (many, large) = (line.count().await, large);
        if many.numbered.len() < usize::from(MESSAGES) {
            lacks.insert(Lack::Queue);
        }
        if !large || !many.large {
            lacks.insert(Lack::PacketSize);
        }
        line.leave().await?;
        Ok(lacks)
    }

    /// Subscribes, sees one message come, leaves. Says whether it came.
    async fn subscribe_and_leave(&self) -> Result<bool, Unproven> {
        let (mut line, _) = self.connect(&self.session, false).await?;
        line.client.try_subscribe(self.topic.as_str(), QoS::AtLeastOnce)?;
        let granted = line.until("subscribed", |packet| {
            let Packet::SubAck(ack) = packet else { return None };
            Some(ack.return_codes.first() == Some(&SubscribeReasonCode::Success(QoS::AtLeastOnce)))
        });
        if !granted.await? {
            return Err(Unproven::Refused { topic: self.topic.clone() });
        }
        line.client.try_publish(self.topic.as_str(), "live", PublishOptions::at_least_once())?;
        let came = line.until("waited for our own message", |packet| matches!(packet, Packet::Publish(_)).then_some(()));
        let came = match tokio::time::timeout(SILENCE, came).await {
            Ok(came) => came.map(|()| true)?,
            Err(_) => false,
        };
        line.leave().await?;
        Ok(came)
    }

    /// Says whether the broker took it.
    async fn publish_large(&self) -> Result<bool, Unproven> {
        let (mut line, _) = self.connect(&format!("{}-pub", self.session), true).await?;
        line.client.try_publish(self.topic.as_str(), vec![b'x'; LARGE], PublishOptions::at_least_once())?;
        match line.until("published a large message", |packet| matches!(packet, Packet::PubAck(_)).then_some(())).await {
            Ok(()) => line.leave().await.map(|()| true),
            Err(Unproven::Cut(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    async fn publish_many(&self) -> Result<(), Unproven> {
        let (mut line, _) = self.connect(&format!("{}-pub", self.session), true).await?;
        for number in 0..MESSAGES {
            line.client.try_publish(self.topic.as_str(), number.to_string(), PublishOptions::at_least_once())?;
        }
        let mut taken = 0;
        line.until("published many messages", |packet| {
            taken += u16::from(matches!(packet, Packet::PubAck(_)));
            (taken == MESSAGES).then_some(())
        })
        .await?;
        line.leave().await
    }

    /// Leaves nothing behind at the broker.
    async fn forget(&self) -> Result<(), Unproven> {
        let (mut line, _) = self.connect(&self.session, true).await?;
        line.leave().await
    }

    async fn connect(&self, client_id: &str, clean: bool) -> Result<(Line, bool), Unproven> {
        let mut options = options(self.access, client_id)?;
        options.set_clean_session(clean);
        options.set_max_packet_size(PACKET_MAX, PACKET_MAX);
        let (client, line) = connect(options, usize::from(MESSAGES) * 2);
        let mut line = Line { client, line };
        let session_present = line.until("connected", |packet| {
            let Packet::ConnAck(ack) = packet else { return None };
            Some(ack.session_present)
        });
        let session_present = session_present.await?;
        Ok((line, session_present))
    }
}

/// One connection of the test.
struct Line {
    client: AsyncClient,
    line: EventLoop,
}

/// What had waited for us.
#[derive(Default)]
struct Kept {
    numbered: BTreeSet<u16>,
    large: bool,
}

impl Line {
    async fn until<T>(&mut self, doing: &'static str, mut wanted: impl FnMut(&Packet) -> Option<T>) -> Result<T, Unproven> {
        let found = async {
            loop {
                if let Event::Incoming(packet) = self.line.poll().await?
                    && let Some(found) = wanted(&packet)
                {
                    return Ok(found);
                }
            }
        };
        tokio::time::timeout(STEP, found).await.unwrap_or(Err(Unproven::Slow { doing }))
    }

    /// Takes in what comes until all is there or nothing comes any more.
    async fn count(&mut self) -> Kept {
        let mut kept = Kept::default();
        while kept.numbered.len() < usize::from(MESSAGES) || !kept.large {
            match tokio::time::timeout(SILENCE, self.line.poll()).await {
                Ok(Ok(Event::Incoming(Packet::Publish(message)))) => {
                    kept.large |= message.payload.len() == LARGE;
                    let number: Option<u16> = std::str::from_utf8(&message.payload).ok().and_then(|text| text.parse().ok());
                    kept.numbered.extend(number);
                }
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => break,
            }
        }
        kept
    }

    async fn leave(&mut self) -> Result<(), Unproven> {
        self.client.try_disconnect_with_timeout(SILENCE)?;
        let gone = async {
            loop {
                match self.line.poll().await {
                    Ok(_) => {}
                    Err(ConnectionError::RequestsDone) => return Ok(()),
                    Err(error) => return Err(error.into()),
                }
            }
        };
        tokio::time::timeout(STEP, gone).await.unwrap_or(Err(Unproven::Slow { doing: "disconnected" }))
    }
}
