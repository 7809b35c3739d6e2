//! From the start of the program to the first request of a message that was pending at a crash.
//!
//! The record holds one activation. Its message was on its way when the process was killed: the gateway had it and never
//! answered. The clock starts just before the program is started again, and stops when the gateway has read the last
//! byte of the request that sends the message again; asking the gateway first whether it has the message lies in between.

use std::time::Duration;

use tokio::time::Instant;

use crate::Plan;
use crate::buttons::Buttons;
use crate::directory;
use crate::figures::ms;
use crate::gateway::{Gateway, Manner};
use crate::session;
use crate::table::{Table, Target};

/// Time in which the message gets under way for good.
const UNDER_WAY: Duration = Duration::from_millis(200);

/// Restarts it several times and writes the lines.
pub(crate) async fn measure(plan: &Plan, table: &mut Table) {
    let mut took = Vec::new();
    let mut lost = 0;
    for _run in 0..plan.runs {
        match once().await {
            Some(duration) => took.push(ms(duration)),
            None => lost += 1,
        }
    }
    table.alone("restart to the first pending request", "ms", &took, Target::AtMost(200.0));
    table.loss("restart", lost, plan.runs);
}

async fn once() -> Option<Duration> {
    let (broker, gateway) = (session::broker().await, Gateway::start(1));
    let mut daemon = session::daemon(&directory::of(1), &broker, &gateway).start().await;
    gateway.answers(Manner::Never);
    Buttons::connect(broker.port()).press(0);
    gateway.until(1).await;
    tokio::time::sleep(UNDER_WAY).await;
    daemon.kill();
    gateway.forget();
    gateway.answers(Manner::AtOnce);
    let start = Instant::now();
    daemon.launch();
    gateway.until(1).await;
    gateway.arrival(0).map(|arrival| arrival - start)
}
