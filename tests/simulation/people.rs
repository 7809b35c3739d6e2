//! Humans: who is told answers, or not, or wrongly, or late; an operator acts; devices press until they are heard.

use std::sync::Arc;

use escalation::acknowledgement::{Answer, Commitment, Disposition, Gesture, Reply, Sender};
use escalation::dispatch::{Address, Order};
use escalation::event::Successor;
use escalation::id::Digest;
use escalation::input::{Act, EscalateTo, Input};
use escalation::ladder::RungIndex;
use escalation::out_of_service::Defect;
use escalation::private::Private;
use escalation::rejection::Rejection;
use escalation::signal::{DeviceClock, Evidence, Origin, Signal, Verb, Via};
use escalation::time::Seconds;
use escalation::verdict::Verdict;
use escalation::word::{Entered, Word};
use station::desk::{Desk, Request, ServiceRequest, Withdrawal};
use station::view::{Card, Query, Scope};

use crate::carriers::pause;
use crate::dice::Dice;
use crate::duty;
use crate::scenario::Lie;
use crate::world::World;

/// What somebody says in a note, which no log and no entry may show.
pub(crate) const NOTE: &str = "man with a knife";

/// A phone rings or a mail arrives.
pub(crate) fn ring(world: &Arc<World>, order: &Order, mut dice: Dice) {
    match &order.address {
        Address::Sms(number) if !order.words["code"].is_empty() => {
            tokio::spawn(text_back(Arc::clone(world), number.clone(), order.words["code"].clone(), dice));
        }
        Address::Email(_) => {
            if let Some((_, token)) = order.words["url"].rsplit_once("/a/") {
                let token = token.to_owned();
                let scanned = dice.chance(30);
                tokio::spawn(open_page(Arc::clone(world), token, scanned, dice));
            }
        }
        Address::Sms(_) | Address::Voice(_) | Address::Webhook(_) | Address::Missing => {}
    }
}

async fn text_back(world: Arc<World>, number: String, code: String, mut dice: Dice) {
    let willing = world.state().human.willing;
    if !dice.chance(willing) {
        return;
    }
    pause(dice.between(2_000, 90_000)).await;
    let texts: Vec<String> = match dice.between(0, 100) {
        0..45 => vec![format!("Y{code}")],
        45..55 => vec![format!("h {code}")],
        55..67 => vec![format!("N{code}")],
        67..73 => vec!["yes".into(), format!("Y{code}")],
        73..79 => vec![format!("Liked \u{201c}DURESS Front counter 1. Reply Y{code}=going\u{201d}")],
        79..85 => vec![format!("Y{code}"), format!("Y{code}")],
        85..89 => vec!["Y9999".into()],
        89..93 => {
            pause(dice.between(300_000, 900_000)).await;
            vec![format!("Y{code}")]
        }
        93..98 => vec!["what is this".into()],
        _rest => vec!["STOP".into()],
    };
    for text in texts {
        let provider_ref = format!("IN-{}", dice.between(0, 1 << 50));
        if Reply::parse(&text).code().is_some() {
            world.state().human.texts.insert(provider_ref.clone());
        }
        let answer = Answer {
            from: Sender::Number(Private::Open(number.clone())),
            reply: Reply::parse(&text),
            text: Some(Private::Open(text)),
            provider_ref: Some(provider_ref),
            sent_at: dice.chance(50).then(|| world.true_time()),
        };
        let twice = dice.chance(15);
        say(&world, answer.clone()).await;
        if twice {
            // The provider's callback comes a second time.
            pause(dice.between(0, 5_000)).await;
            say(&world, answer).await;
        }
        pause(dice.between(500, 20_000)).await;
    }
}

async fn say(world: &Arc<World>, answer: Answer) {
    for _try in 0..5 {
        if let Some(desk) = world.desk() {
            match desk.submit(Input::Answer(answer.clone())).await {
                Verdict::Durable(outcome) => {
                    world.log(format!("answered {:?} {outcome:?}", answer.reply));
                    return world.confirm("answer", &outcome, None);
                }
                Verdict::Refused(why) => return world.wrong("R an answer by text was refused", why),
                Verdict::NotTaken(_) => {}
            }
        }
        pause(3_000).await;
    }
}

async fn open_page(world: Arc<World>, token: String, scanned: bool, mut dice: Dice) {
    if scanned {
        pause(dice.between(200, 3_000)).await;
        press_on_page(&world, &token, Reply::Going { code: None }, Gesture::Missing).await;
    }
    if !dice.chance(world.state().human.willing) {
        return;
    }
    pause(dice.between(5_000, 120_000)).await;
    if let Some(desk) = world.desk() {
        drop(desk.responder(&token).await);
    }
    let reply = match dice.between(0, 10) {
        0..6 => Reply::Going { code: None },
        6..8 => Reply::Helping { code: None },
        _rest => Reply::Cannot { code: None },
    };
    press_on_page(&world, &token, reply, Gesture::Shown).await;
}

async fn press_on_page(world: &Arc<World>, token: &str, reply: Reply, gesture: Gesture) {
    let Some(desk) = world.desk() else { return };
    if let Ok(Some(view)) = desk.responder(token).await
        && gesture == Gesture::Shown
    {
        world.state().human.links.insert(view.card.id.to_string());
    }
    match desk.answer_link(token, reply.clone(), gesture).await {
        Ok(Some(Verdict::Durable(outcome))) => {
            world.log(format!("page {reply:?} {gesture:?} {outcome:?}"));
            world.confirm("page", &outcome, None);
        }
        Ok(Some(Verdict::Refused(why))) => world.wrong("R an answer by link was refused", why),
        Ok(Some(Verdict::NotTaken(_)) | None) | Err(_) => {}
    }
}

/// An operator who looks now and then, and acts on what was seen.
pub(crate) async fn operate(world: Arc<World>, mut dice: Dice, every_ms: u64) {
    loop {
        pause(dice.between(every_ms / 2, every_ms * 2)).await;
        let Some(desk) = world.desk() else { continue };
        let query = Query { scope: Scope::everything(), open: Some(true), site: None, from: None, to: None, cursor: None, limit: 5 };
        let Ok(page) = desk.list(query).await else { continue };
        if page.cards.is_empty() {
            continue;
        }
        let card = dice.pick(&page.cards).clone();
        if dice.chance(8) {
            serve(&world, &desk, &card, &mut dice).await;
            continue;
        }
        if dice.chance(10) {
            duty::change(&world, &desk, &mut dice).await;
            continue;
        }
        let act = match dice.between(0, 100) {
            0..19 => Act::Claim,
            19..23 => Act::Hold { span: Seconds(60), reason: Private::Open(NOTE.into()) },
            23..25 => {
                let name = Private::Open((*dice.pick(&["j-smith", "Alex Guest"])).to_owned());
                Act::HandOver { to: Successor { name, key: None, person: None } }
            }
            25..40 => Act::Accept { commitment: Commitment::Going, eta_s: dice.chance(50).then_some(Seconds(60)) },
            40..48 => Act::Accept { commitment: Commitment::Verifying, eta_s: None },
            48..54 => Act::Decline,
            54..62 => Act::Escalate { to: EscalateTo::Next },
            62..66 => Act::Escalate { to: EscalateTo::All },
            66..70 => Act::Escalate { to: EscalateTo::Rung(RungIndex(7)) },
            70..80 => Act::Note { text: Private::Open(NOTE.into()) },
            _rest => Act::Close { disposition: Disposition::Attended, note: Some(Private::Open(NOTE.into())) },
        };
        let key = format!("key-{}", dice.between(0, 1 << 50));
        let digest = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
        world.state().human.keys.insert(Digest::new(digest.as_ref().try_into().unwrap()));
        let stale = dice.chance(10) && card.seq > 0;
        let seen = if stale { Some(card.seq - 1) } else { dice.chance(60).then_some(card.seq) };
        let seen = seen.filter(|_| world.state().lie != Lie::DeskIsNotToldWhatWasSeen);
        let request = Request {
            activation: card.id.clone(),
            principal: (*dice.pick(&["ops-1", "ops-2"])).to_owned(),
            actor: Some((*dice.pick(&["j-smith", "Alex Guest"])).to_owned()),
            idempotency_key: Some(key),
            seen,
            scope: Scope::everything(),
            act,
        };
        let mut done = false;
        for _time in 0..if dice.chance(20) { 2 } else { 1 } {
            let verdict = desk.act(request.clone()).await;
            world.log(format!("act {} {:?} {verdict:?}", request.activation, request.act));
            match verdict {
                Ok(Verdict::Durable(outcome)) => {
                    world.confirm("act", &outcome, None);
                    if stale {
                        world.wrong("S acted on stale knowledge", &request.activation);
                    }
                    done = true;
                }
                Ok(Verdict::Refused(Rejection::Stale { .. })) if done => {
                    world.wrong("S a repeat of what was done was refused as stale", &request.activation);
                }
                Ok(Verdict::Refused(_) | Verdict::NotTaken(_)) | Err(_) => {}
            }
        }
    }
}

/// An operator takes the button of a call out of service, or puts it back.
async fn serve(world: &Arc<World>, desk: &Desk, card: &Card, dice: &mut Dice) {
    let out = dice.chance(75).then(|| Withdrawal {
        keeper: (*dice.pick(&["j-smith", "k-lee", "nobody"])).to_owned(),
        instead: None,
        why: Defect::Sticks,
        span: Seconds(*dice.pick(&[60, 600, 3_600])),
    });
    let request = ServiceRequest {
        principal: "ops-1".to_owned(),
        actor: None,
        scope: Scope::everything(),
        site: card.site.clone(),
        devices: vec![card.device.name.to_string()],
        out,
    };
    let verdict = desk.service(request).await;
    world.log(format!("service {} {verdict:?}", card.device));
    if let Ok(Verdict::Durable(outcome)) = verdict {
        world.confirm("service", &outcome, None);
    }
}

/// A button: pressed once, or again and again, each press published until the broker has its acknowledgement.
pub(crate) async fn press(world: Arc<World>, device: &'static str, mut dice: Dice) {
    let id = format!("press-{}", dice.between(0, 1 << 50));
    let with_id = dice.chance(70);
    let times = *dice.pick(&[1, 1, 1, 2, 3, 6]);
    let mut publishing = Vec::new();
    for time in 0..times {
        let payload = format!("{id} {time}");
        let digest = ring::digest::digest(&ring::digest::SHA256, payload.as_bytes());
        let verb = match dice.between(0, 100) {
            0..5 if time > 0 => {
                Verb::Cancel(dice.pick(&[None, Some(Word::Safe), Some(Word::Duress), Some(Word::Wrong)]).map(Entered::Judged))
            }
            5..8 => Verb::Unreadable { why: escalation::signal::Unreadable::NotJson },
            _rest => Verb::Press { kind: None, style: None },
        };
        let signal = Signal {
            device: device.parse().unwrap(),
            verb,
            origin: Origin {
                via: Via::Session,
                client: dice.chance(30).then(|| "gateway-1".to_owned()),
                qos: 1,
                retained: dice.chance(4),
                dup: false,
                waited_since: None,
            },
            evidence: Evidence {
                raw: Private::Open("Y29vZWU= ZHVyZXNz".into()),
                payload_sha256: Some(Digest::new(digest.as_ref().try_into().unwrap())),
                payload_bytes: u64::try_from(payload.len()).unwrap(),
            },
            id: with_id.then(|| if dice.chance(50) { id.clone() } else { payload.clone() }),
            sequence: dice.chance(20).then(|| dice.between(0, u64::MAX)),
            pressed_at: dice.chance(20).then(|| world.true_time()),
            clock: if dice.chance(10) { DeviceClock::Proven } else { DeviceClock::Unproven },
            note: dice.chance(10).then(|| Private::Open(NOTE.into())),
            location: None,
            battery: Some(80),
        };
        publishing.push(tokio::spawn(publish(Arc::clone(&world), signal, dice.fork())));
        let gap = *dice.pick(&[300, 2_000, 20_000, 70_000, 200_000]);
        pause(dice.between(gap / 2, gap)).await;
    }
    for published in publishing {
        published.await.unwrap();
    }
}

/// The broker holds a message until it is acknowledged, and hands it in again after every loss.
async fn publish(world: Arc<World>, mut signal: Signal, mut dice: Dice) {
    let payload = signal.evidence.payload_sha256.unwrap();
    let mut lost_acks = if dice.chance(20) { dice.between(1, 3) } else { 0 };
    loop {
        if let Some(desk) = world.desk() {
            match desk.submit(Input::Signal(signal.clone())).await {
                Verdict::Durable(outcome) => {
                    world.log(format!("puback {} {outcome:?}", signal.device));
                    world.confirm("press", &outcome, Some(payload));
                    world.state().received.insert(payload);
                    if lost_acks == 0 {
                        return;
                    }
                    lost_acks -= 1;
                }
                Verdict::Refused(why) => return world.wrong("I7 a press was refused", why),
                Verdict::NotTaken(why) => world.log(format!("press of {} not taken: {why}", signal.device)),
            }
        }
        signal.origin.dup = true;
        pause(dice.between(200, 2_000)).await;
    }
}
