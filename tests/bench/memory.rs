//! Memory of Cooee's own, idle and after many activations that are all still open.

use crate::Plan;
use crate::pace;
use crate::session::Session;
use crate::table::{Table, Target};
use crate::usage;

/// Presses in one burst: no more than the queues in front of the watch hold.
const PORTION: u32 = 1_000;

/// Reads it and writes the lines.
pub(crate) async fn measure(plan: &Plan, table: &mut Table) {
    let session = Session::cooee(0).await;
    table.alone("RssAnon idle, a small directory", "MiB", &[rss_mib(&session)], Target::AtMost(20.0));
    drop(session);

    let mut session = Session::cooee(plan.memory).await;
    table.alone(&format!("RssAnon idle, {} devices", plan.memory), "MiB", &[rss_mib(&session)], Target::None);
    for _portion in 0..plan.memory / PORTION {
        pace::burst(&mut session, PORTION).await;
    }
    let after = rss_mib(&session);
    table.alone(&format!("RssAnon after {} open activations", plan.memory), "MiB", &[after], Target::AtMost(40.0));
    table.loss("memory", session.lost(), usize::try_from(plan.memory).expect("fits memory"));
}

fn rss_mib(session: &Session) -> f64 {
    f64::from(usage::rss_anon_kib(session.pid())) / 1024.0
}
