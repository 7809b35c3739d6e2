//! What stands for the outside world in `cooee demo`: buttons, an SMS provider with its phones, a mailbox, and a page to
//! play with them.
//!
//! Each is real on the wire (MQTT, HTTP, SMTP on loopback), so that Cooee itself cannot tell the demo from the world. The
//! fakes know nothing of alarms, and nothing leaves this machine.

pub(crate) mod buttons;
mod keep;
pub(crate) mod mailbox;
pub(crate) mod page;
pub(crate) mod phones;

use std::sync::Arc;

use escalation::time::Timestamp;

/// What time it is: the station's clock, handed in.
pub(crate) type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;
