//! Floor and Cooee in turn: how long a press takes, what it costs, and how many get through at once.

use std::time::Duration;

use crate::Plan;
use crate::calibration::Calibration;
use crate::figures::{ms, percentile};
use crate::pace;
use crate::session::Session;
use crate::table::{Table, Target, say};

/// How long the slow gateway takes.
const SLOW: Duration = Duration::from_millis(150);
/// Requests that Cooee has under way at one provider (its default).
const SLOTS: u32 = 128;

/// What one session measured.
#[derive(Clone, Copy, Debug)]
struct Figures {
    single_p50_ms: f64,
    single_p99_ms: f64,
    steady_p50_ms: f64,
    steady_p99_ms: f64,
    processor_s_per_1000: f64,
    burst_per_s: f64,
    burst_processor_s_per_1000: f64,
}

/// Runs the pairs and writes the lines.
pub(crate) async fn compare(plan: &Plan, table: &mut Table) {
    let like = Calibration::measure().await;
    table.note(format!(
        "A press writes {} bytes in {} entries before it is acknowledged, its message has a body of {} bytes; so has the floor's.",
        like.entry_bytes, like.entries, like.body_bytes
    ));
    let keys = plan.single + plan.steady + plan.burst;
    let (mut pairs, mut slow, mut repeats, mut lost) = (Vec::new(), Vec::new(), 0, 0);
    let mut spooled = 0;
    for run in 1..=plan.runs {
        let mut session = Session::floor(keys, like).await;
        let floor = measure(plan, &mut session).await;
        assert_eq!(session.lost(), 0, "the floor lost a press: nothing is proved by comparing with it");
        drop(session);
        let mut session = Session::cooee(keys + plan.slow).await;
        let cooee = measure(plan, &mut session).await;
        slow.push(ms(pace::slow(&mut session, plan.slow, SLOW).await));
        lost += session.lost();
        repeats += session.gateway.repeats();
        spooled += session.times_spooled();
        say(&format!("run {run}: floor {floor:.2?}\n       cooee {cooee:.2?}"));
        pairs.push((floor, cooee));
    }
    let mut ratio = |what: &str, unit: &str, figure: fn(&Figures) -> f64, target: Target| {
        let pairs: Vec<(f64, f64)> = pairs.iter().map(|(floor, cooee)| (figure(floor), figure(cooee))).collect();
        table.ratio(what, unit, &pairs, target);
    };
    ratio("one at a time p50", "ms", |f| f.single_p50_ms, Target::AtMost(1.5));
    ratio("one at a time p99", "ms", |f| f.single_p99_ms, Target::AtMost(2.5));
    ratio("200/s p50", "ms", |f| f.steady_p50_ms, Target::AtMost(2.0));
    ratio("200/s p99", "ms", |f| f.steady_p99_ms, Target::None);
    ratio("200/s processor", "s/1000", |f| f.processor_s_per_1000, Target::AtMost(2.5));
    ratio(&format!("burst of {}", plan.burst), "1/s", |f| f.burst_per_s, Target::AtLeast(0.3));
    ratio("... processor", "s/1000", |f| f.burst_processor_s_per_1000, Target::None);
    let ideal_ms = ms(SLOW * plan.slow.div_ceil(SLOTS));
    let over: Vec<f64> = slow.iter().map(|took| took / ideal_ms).collect();
    table.alone(&format!("{} at once, gateway 150 ms", plan.slow), "ms", &slow, Target::None);
    table.alone(&format!("... over the {ideal_ms} ms of {SLOTS} slots"), "x", &over, Target::AtMost(1.4));
    let pressed = usize::try_from(keys + plan.slow).expect("fits memory") * plan.runs;
    table.loss("all of these", lost, pressed);
    table.note(format!("Messages sent twice: {repeats}. Times the record was too slow and entries went to the spool: {spooled}."));
}

async fn measure(plan: &Plan, session: &mut Session) -> Figures {
    let single = pace::single(session, plan.single).await;
    let (steady, used) = pace::steady(session, plan.steady).await;
    let (burst, burst_used) = pace::burst(session, plan.burst).await;
    Figures {
        single_p50_ms: ms(percentile(&single, 50)),
        single_p99_ms: ms(percentile(&single, 99)),
        steady_p50_ms: ms(percentile(&steady, 50)),
        steady_p99_ms: ms(percentile(&steady, 99)),
        processor_s_per_1000: used.as_secs_f64() * 1e3 / f64::from(plan.steady),
        burst_per_s: f64::from(plan.burst) / burst.as_secs_f64(),
        burst_processor_s_per_1000: burst_used.as_secs_f64() * 1e3 / f64::from(plan.burst),
    }
}
