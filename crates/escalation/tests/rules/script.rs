//! Stories as scripts: one act a line, and the whole timeline as what is expected.

use escalation::acknowledgement::{Commitment, Disposition, Gesture, Reply};
use escalation::dispatch::{Failure, Report};
use escalation::event::Successor;
use escalation::id::CentreId;
use escalation::input::{Act, Attribution, DeskUnarmed, EscalateTo, Input, Rung};
use escalation::ladder::{Medium, RungIndex};
use escalation::plan::StepId;
use escalation::police::Threshold;
use escalation::rejection::Rejection;
use escalation::signal::{Kind, Unreadable, Verb};
use escalation::time::Seconds;
use escalation::word::{Entered, Word};
use expect_test::Expect;

use crate::floor::{Floor, key_of, operator, press, signal};

/// Plays `script` on the floor of `directory` and compares its timeline.
pub(crate) fn check(directory: &str, script: &str, expect: Expect) {
    let mut floor = Floor::new(directory);
    play(&mut floor, script);
    compare(&floor, expect);
}

/// Compares a floor's timeline.
pub(crate) fn compare(floor: &Floor, expect: Expect) {
    expect.assert_eq(&format!("{}\n", floor.timeline.join("\n")));
}

/// Plays a script: one act a line.
pub(crate) fn play(floor: &mut Floor, script: &str) {
    for line in script.lines().map(str::trim).filter(|l| !l.is_empty()) {
        floor.timeline.push(format!("> {line}"));
        let words: Vec<&str> = line.split_whitespace().collect();
        act(floor, &words).unwrap_or_else(|| panic!("the script does not know: {line}"));
    }
    for activation in floor.engine.activations().filter(|a| a.is_open()) {
        assert!(activation.next_due().is_some(), "i3: {} is open and waits for nothing", activation.id);
    }
}

fn act(floor: &mut Floor, words: &[&str]) -> Option<()> {
    match words {
        ["press", device] => drop(floor.press(device)),
        ["press", device, "id", id] => {
            let mut signal = press(device);
            signal.id = Some((*id).to_owned());
            floor.hear(signal);
        }
        ["press", device, "through", client] => {
            let mut signal = press(device);
            signal.origin.client = Some((*client).to_owned());
            floor.hear(signal);
        }
        ["press", device, kind] => {
            floor.hear(signal(device, Verb::Press { kind: Some(kind_of(kind)?), style: None }));
        }
        ["drill", place, minutes] => drop(floor.drill(place, minutes.parse().ok()?).unwrap()),
        ["cancel", device] => drop(floor.hear(signal(device, Verb::Cancel(None)))),
        ["cancel", device, "with", word] => drop(floor.hear(signal(device, Verb::Cancel(Some(word_of(word)?))))),
        ["unreadable", device] => drop(floor.hear(signal(device, Verb::Unreadable { why: Unreadable::NotJson }))),
        ["forward", span] => floor.forward(span),
        ["away", span] => floor.away(span),
        ["reply", who, text @ ..] => drop(floor.reply(who, &text.join(" "))),
        ["tap", who, "step", number] => {
            floor.tap(who, Reply::StepDone { number: number.parse().ok()? }, Gesture::Shown);
        }
        ["tap", who, what] => {
            let reply = match *what {
                "going" => Reply::Going { code: None },
                "helping" => Reply::Helping { code: None },
                "cannot" => Reply::Cannot { code: None },
                "arrived" => Reply::Arrived,
                "in-need" => Reply::InNeed,
                "police" => Reply::PoliceNeeded,
                "rung" => Reply::PoliceRung,
                _other => return None,
            };
            floor.tap(who, reply, Gesture::Shown);
        }
        ["dial", who, digit] => {
            let reply = match *digit {
                "1" => Reply::Going { code: None },
                "2" => Reply::Helping { code: None },
                "3" => Reply::Cannot { code: None },
                _other => return None,
            };
            floor.dial(who, reply);
        }
        ["busy", who] => report(floor, who, "busy"),
        ["unanswered", who] => report(floor, who, "noanswer"),
        ["voicemail", who] => report(floor, who, "voicemail"),
        [what, medium, "to", who] => {
            let id = floor.latest(who, medium_of(medium)?);
            let report = match *what {
                "accepted" => Report::Accepted,
                "promised" => Report::AcceptedReceiptDue,
                "delivered" => Report::Delivered,
                "undelivered" => Report::Undelivered { code: "30003".to_owned() },
                "failed" => Report::Failed(Failure::Unavailable),
                "refused" => Report::Failed(Failure::Refused),
                _other => return None,
            };
            floor.report_on(&id, report);
        }
        ["arm", centre] => drop(floor.arm(centre).unwrap()),
        ["lapse", centre] => drop(floor.lapse(centre)),
        ["leave", centre] => {
            let by = Some(operator("desk"));
            drop(floor.take(Input::DeskUnarmed(DeskUnarmed { centre: CentreId::parse(centre).ok()?, by })).unwrap());
        }
        ["record", "lost"] => drop(floor.take(Input::RecordLost { spooled: true }).ok()?),
        ["record", "found"] => drop(floor.take(Input::RecordFound).ok()?),
        _other => return at_the_desk(floor, words),
    }
    Some(())
}

/// What somebody does at a desk.
fn at_the_desk(floor: &mut Floor, words: &[&str]) -> Option<()> {
    match words {
        [who, "claims"] => command(floor, operator(who), Act::Claim),
        [who, "claims", "as", name] => {
            let by = acting(floor, who, name);
            command(floor, by, Act::Claim);
        }
        [who, "holds", span] => {
            let span = Seconds(u32::try_from(crate::floor::duration(span).as_secs()).ok()?);
            command(floor, operator(who), Act::Hold { span, reason: "words".to_owned().into() });
        }
        [who, "hands", "over", "to", name] => {
            let by = acting(floor, who, name);
            let to = Successor { name: (*name).to_owned().into(), key: by.actor_key, person: by.person };
            command(floor, operator(who), Act::HandOver { to });
        }
        [who, "notes"] => command(floor, operator(who), Act::Note { text: "words".to_owned().into() }),
        [who, "declines"] => {
            let by = known(floor, who);
            command(floor, by, Act::Decline);
        }
        [who, "needs", "police"] => {
            let by = known(floor, who);
            command(floor, by, Act::Police { threshold: Some(Threshold::Weapon), rung: None });
        }
        [who, "rang", "police"] => {
            let by = known(floor, who);
            let rung = Rung { called_by: "words".to_owned().into(), reference: Some("words".to_owned().into()), at: Some(floor.now) };
            command(floor, by, Act::Police { threshold: None, rung: Some(rung) });
        }
        [who, "arrives"] => {
            let by = known(floor, who);
            command(floor, by, Act::Arrived);
        }
        [who, "accepts", eta] => {
            let by = known(floor, who);
            let seconds = crate::floor::duration(eta).as_secs();
            command(floor, by, Act::Accept { commitment: Commitment::Going, eta_s: Some(Seconds(u32::try_from(seconds).ok()?)) });
        }
        [who, "verifies"] => {
            let by = known(floor, who);
            command(floor, by, Act::Accept { commitment: Commitment::Verifying, eta_s: None });
        }
        [who, what @ ("takes" | "skips"), part, number] => {
            let by = known(floor, who);
            let step = StepId::parse(&format!("{part} {number}"))?;
            let skipped = (*what == "skips").then(|| "words".to_owned().into());
            command(floor, by, Act::TakeStep { step, skipped });
        }
        [who, "escalates", to] => {
            let to = match *to {
                "next" => EscalateTo::Next,
                "all" => EscalateTo::All,
                rung => EscalateTo::Rung(RungIndex(rung.parse::<u16>().ok()? - 1)),
            };
            command(floor, operator(who), Act::Escalate { to });
        }
        [who, "reopens"] => command(floor, operator(who), Act::Reopen { reason: "words".to_owned().into() }),
        [who, "says", "safe", "as", name] => {
            let by = acting(floor, who, name);
            command(floor, by, Act::Safe { word: None });
        }
        [who, "says", "safe", "as", name, "with", word] => {
            let (by, word) = (acting(floor, who, name), Some(word_of(word)?));
            command(floor, by, Act::Safe { word });
        }
        [who, "closes", "at", "the", "place"] => {
            let act = Act::Close { disposition: Disposition::Attended, note: None };
            let done = floor.command_at_the_place(operator(who), act);
            refused(floor, done.err());
        }
        [who, "closes", "as", name] => {
            let by = acting(floor, who, name);
            command(floor, by, Act::Close { disposition: Disposition::Attended, note: None });
        }
        [who, "closes"] => command(floor, operator(who), Act::Close { disposition: Disposition::Attended, note: None }),
        _other => return None,
    }
    Some(())
}

/// What became of the latest call to somebody.
fn report(floor: &mut Floor, who: &str, code: &str) {
    let id = floor.latest(who, Medium::Voice);
    floor.report_on(&id, Report::Undelivered { code: code.to_owned() });
}

/// A command that may be refused: the refusal is part of the story.
fn command(floor: &mut Floor, by: Attribution, act: Act) {
    let done = floor.command(by, act);
    refused(floor, done.err());
}

fn refused(floor: &mut Floor, why: Option<Rejection>) {
    if let Some(why) = why {
        let stamp = floor.stamp(floor.now);
        floor.timeline.push(format!("{stamp:<9} refused: {why}"));
    }
}

/// A word as the watch has judged it.
fn word_of(name: &str) -> Option<Entered> {
    let word = [("safe", Word::Safe), ("duress", Word::Duress), ("wrong", Word::Wrong), ("unknown", Word::Unknown)];
    word.into_iter().find(|(known, _)| *known == name).map(|(_, word)| Entered::Judged(word))
}

/// A person of the directory acting through the desk.
fn known(floor: &Floor, who: &str) -> Attribution {
    Attribution { person: Some(floor.person(who)), ..operator("desk") }
}

/// Somebody acting through a key in a name, as the watch makes it out.
fn acting(floor: &Floor, key: &str, name: &str) -> Attribution {
    let person = floor.person_called(name);
    Attribution { actor: Some(name.to_owned().into()), actor_key: Some(key_of(&format!("actor {name}"))), person, ..operator(key) }
}

fn medium_of(name: &str) -> Option<Medium> {
    [Medium::Sms, Medium::Email, Medium::Voice, Medium::Webhook, Medium::Desk].into_iter().find(|m| m.as_str() == name)
}

fn kind_of(name: &str) -> Option<Kind> {
    [Kind::Duress, Kind::Panic, Kind::Medical, Kind::Assist].into_iter().find(|k| k.as_str() == name)
}
