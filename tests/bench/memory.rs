//! Memory of Cooee's own: idle, after many activations that came and went, and with many open at once.

use harness::wait;
use serde_json::{Value, json};

use crate::Plan;
use crate::pace;
use crate::session::Session;
use crate::table::{Table, Target};
use crate::usage;

/// Buttons, and presses in one burst: no more than the queues in front of the watch hold.
const PORTION: u32 = 1_000;
/// Activations closed at once, as one page of the list gives them.
const PAGE: usize = 100;

/// Reads it and writes the lines.
pub(crate) async fn measure(plan: &Plan, table: &mut Table) {
    let session = Session::cooee(0).await;
    table.alone("RssAnon idle, a small directory", "MiB", &[rss_mib(&session)], Target::AtMost(20.0));
    drop(session);

    let mut session = Session::cooee(PORTION).await;
    let mut lost = 0;
    for _portion in 0..plan.memory / PORTION {
        close_all(&mut session).await;
        session.begin_again();
        pace::burst(&mut session, PORTION).await;
        lost += session.lost();
    }
    let after = rss_mib(&session);
    table.alone(&format!("RssAnon after {} activations, {PORTION} open", plan.memory), "MiB", &[after], Target::AtMost(40.0));
    table.loss("memory", lost, usize::try_from(plan.memory).expect("fits memory"));
    drop(session);

    let mut session = Session::cooee(plan.open).await;
    table.alone(&format!("RssAnon idle, {} devices", plan.open), "MiB", &[rss_mib(&session)], Target::None);
    for _portion in 0..plan.open / PORTION {
        pace::burst(&mut session, PORTION).await;
    }
    table.alone("... all of them open at once", "MiB", &[rss_mib(&session)], Target::None);
    table.loss("open at once", session.lost(), usize::try_from(plan.open).expect("fits memory"));
}

/// Closes what is open, and waits until everybody was told so.
async fn close_all(session: &mut Session) {
    let api = session.daemon().expect("it is Cooee that is measured").api();
    let before = session.gateway.count();
    let mut closed = 0;
    loop {
        let page = api.must_get(&format!("/api/v1/activations?state=open&limit={PAGE}")).await;
        let open = page.get("activations").and_then(Value::as_array).expect("a list");
        if open.is_empty() {
            break;
        }
        for activation in open {
            let id = activation.get("id").and_then(Value::as_str).expect("an id");
            api.must_post(&format!("/api/v1/activations/{id}/close"), &json!({"disposition": "test"})).await;
            closed += 1;
        }
    }
    let gateway = &session.gateway;
    wait::until("everybody to be told that it is over", async || (gateway.count() >= before + closed).then_some(())).await;
}

fn rss_mib(session: &Session) -> f64 {
    f64::from(usage::rss_anon_kib(session.pid())) / 1024.0
}
