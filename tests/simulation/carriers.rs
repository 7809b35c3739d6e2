//! The voice, its providers and the phones behind them, all of them lossy.
//!
//! What the voice does dies with the process; what a provider has taken goes on without it.

use std::sync::Arc;
use std::time::Duration;

use escalation::dispatch::{Address, DeliveryReport, Failure, Order, Report};
use escalation::id::{CarrierName, DispatchId, Slug};
use escalation::input::Input;
use escalation::private::Private;
use escalation::verdict::Verdict;
use tokio::time::sleep;

use crate::dice::Dice;
use crate::people;
use crate::scenario::Lie;
use crate::world::World;

/// What becomes of one message.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// Taken, the phone rings, a receipt comes or not.
    Taken { receipt: Receipt },
    /// Taken without the promise of a receipt.
    TakenQuietly,
    /// Nobody takes it, after so long.
    Refused(Failure),
}

#[derive(Clone, Copy, Debug)]
enum Receipt {
    Comes,
    ComesTwice,
    ComesLate,
    ComesBeforeTheResponse,
    Never,
    Undelivered,
    UndeliveredAfterDelivered,
}

/// The queue in front of the voice: a message is taken, or given back where it is full.
pub(crate) fn take(world: &Arc<World>, life: u32, mut order: Order) -> Result<(), Box<Order>> {
    let age = world.age();
    let (full, dies) = {
        let mut state = world.state();
        let full = !state.alive || state.life != life || age < state.full_until;
        let deadly = state.weather.deadly;
        (full, !full && state.dice.rarely(deadly))
    };
    if full {
        return Err(Box::new(order));
    }
    let bent = world.state().lie;
    if bent == Lie::VoiceForgets && world.state().dice.chance(10) {
        return Ok(());
    }
    if bent == Lie::VoiceHidesDoubt {
        order.possible_duplicate = false;
    }
    world.sends(&order, life);
    if bent == Lie::VoiceStutters {
        world.sends(&order, life);
    }
    let dice = world.state().dice.fork();
    let carried = tokio::spawn(carry(Arc::clone(world), order, dice));
    world.state().tasks.push(carried.abort_handle());
    if dies {
        world.die(life);
    }
    Ok(())
}

/// One message through the voice: this part ends with the process.
async fn carry(world: Arc<World>, order: Order, mut dice: Dice) {
    let fate = throw_fate(&order.address, &mut dice);
    pause(dice.between(5, 400)).await;
    if dice.chance(3) {
        // A provider that hangs, and takes it in the end.
        pause(dice.between(5_000, 25_000)).await;
    }
    let provider_ref = format!("SM-{}-{}", order.id, dice.between(0, 1 << 40));
    let text = Some(Private::Open(format!("{} {} Reply Y{}=going", order.words["kind"], order.words["place"], order.words["code"])));
    let report = |report: Report, text: Option<Private>| DeliveryReport {
        dispatch: order.id.clone(),
        report,
        provider: Slug::parse("one").ok().map(CarrierName::from),
        provider_ref: Some(provider_ref.clone()),
        text,
        template: Some("alarm.sms@3f2a91c0".into()),
        possible_duplicate: order.possible_duplicate,
        tries: 1,
    };
    match fate {
        Fate::Taken { receipt } => {
            tokio::spawn(deliver(Arc::clone(&world), order.clone(), receipt, report(Report::Delivered, None), dice.fork()));
            pause(dice.between(5, 300)).await;
            hand_in(&world, report(Report::AcceptedReceiptDue, text)).await;
        }
        Fate::TakenQuietly => {
            tokio::spawn(deliver(Arc::clone(&world), order.clone(), Receipt::Never, report(Report::Delivered, None), dice.fork()));
            hand_in(&world, report(Report::Accepted, text)).await;
        }
        Fate::Refused(why) => {
            pause(dice.between(0, 12_000)).await;
            hand_in(&world, report(Report::Failed(why), None)).await;
        }
    }
}

fn throw_fate(address: &Address, dice: &mut Dice) -> Fate {
    match address {
        Address::Missing => return Fate::Refused(Failure::NoAddress),
        Address::Email(_) | Address::Webhook(_) if dice.chance(85) => return Fate::TakenQuietly,
        Address::Sms(_) | Address::Email(_) | Address::Voice(_) | Address::Webhook(_) => {}
    }
    match dice.between(0, 100) {
        0..45 => Fate::Taken { receipt: Receipt::Comes },
        45..52 => Fate::Taken { receipt: Receipt::ComesTwice },
        52..58 => Fate::Taken { receipt: Receipt::ComesLate },
        58..64 => Fate::Taken { receipt: Receipt::ComesBeforeTheResponse },
        64..74 => Fate::Taken { receipt: Receipt::Never },
        74..82 => Fate::Taken { receipt: Receipt::Undelivered },
        82..85 => Fate::Taken { receipt: Receipt::UndeliveredAfterDelivered },
        85..89 => Fate::TakenQuietly,
        89..95 => Fate::Refused(Failure::Unavailable),
        95..98 => Fate::Refused(Failure::Refused),
        _rest => Fate::Refused(Failure::Credentials),
    }
}

/// The provider's side of it, which no kill of ours stops.
async fn deliver(world: Arc<World>, order: Order, receipt: Receipt, delivered: DeliveryReport, mut dice: Dice) {
    let undelivered = DeliveryReport { report: Report::Undelivered { code: "30003".into() }, ..delivered.clone() };
    if !matches!(receipt, Receipt::ComesBeforeTheResponse) {
        pause(dice.between(300, 6_000)).await;
    }
    if matches!(receipt, Receipt::Undelivered) {
        return call_back(&world, undelivered).await;
    }
    people::ring(&world, &order, dice.fork());
    match receipt {
        Receipt::Comes | Receipt::ComesBeforeTheResponse => call_back(&world, delivered).await,
        Receipt::ComesTwice => {
            call_back(&world, delivered.clone()).await;
            pause(dice.between(0, 40_000)).await;
            call_back(&world, delivered).await;
        }
        Receipt::ComesLate => {
            pause(dice.between(31_000, 200_000)).await;
            call_back(&world, delivered).await;
        }
        Receipt::UndeliveredAfterDelivered => {
            call_back(&world, delivered).await;
            pause(dice.between(0, 9_000)).await;
            call_back(&world, undelivered).await;
        }
        Receipt::Never | Receipt::Undelivered => {}
    }
}

/// A provider's callback: tried a few times, like theirs.
async fn call_back(world: &Arc<World>, report: DeliveryReport) {
    for _try in 0..4 {
        if hand_in(world, report.clone()).await {
            return;
        }
        pause(4_000).await;
    }
}

async fn hand_in(world: &Arc<World>, report: DeliveryReport) -> bool {
    let Some(desk) = world.desk() else { return false };
    let (id, what): (DispatchId, _) = (report.dispatch.clone(), format!("{:?}", report.report));
    let verdict = desk.submit(Input::DeliveryReported(report)).await;
    match verdict {
        Verdict::Durable(outcome) => {
            world.log(format!("reported {id} {what} seq={}", outcome.seq));
            world.confirm("report", &outcome, None);
            // A message that record and spool both missed is forgotten by a kill; its receipt says nothing of the next of its number.
            if world.knows_dispatch(&id) {
                world.state().reported.insert(id);
            }
            true
        }
        Verdict::Refused(why) => {
            world.wrong("R a report was refused", why);
            false
        }
        Verdict::NotTaken(_) => false,
    }
}

pub(crate) async fn pause(ms: u64) {
    sleep(Duration::from_millis(ms)).await;
}
