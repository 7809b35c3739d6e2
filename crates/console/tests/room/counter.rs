//! A scripted watch behind the desk: it answers looks from a small world and writes down what it was asked to do.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use escalation::acknowledgement::{Commitment, Disposition, Gesture, Reply};
use escalation::directory::draft::{AtHand, Draft};
use escalation::directory::{Mounting, Standing};
use escalation::dispatch::Purpose;
use escalation::event::{Age, ViewOf};
use escalation::id::{CustomerId, DeviceId, DispatchId, PersonId, PlanId, RosterId, ScheduleId, SiteId};
use escalation::ladder::Medium;
use escalation::out_of_service::Defect;
use escalation::plan::{Part, StepId};
use escalation::rejection::Rejection;
use escalation::roster::How;
use escalation::schedule::{Held, Missed, Outcome as Became};
use escalation::signal::Kind;
use escalation::time::{SignedDuration, Timestamp, Why};
use escalation::trouble::Cause;
use escalation::verdict::{NotTaken, Outcome, Verdict};
use jiff::civil::Date;
use station::consoles::{DeskView, SeatRequest};
use station::desk::{Counter, Desk, DeskError, Health, Look, RaiseRequest, Request, ServiceRequest};
use station::duty::{RosterView, StandInRequest, StandInView};
use station::onlookers::Onlooker;
use station::schedules::{FormerView, Reason, ScheduleView, SiteView, Timetable};
use station::view::{
    Attempt, Audience, Card, CoverageView, Detail, DeviceView, Going, Line, Needed, Page, PersonView, PlanView, Query, ResponderAnswer,
    ResponderStep, ResponderView, RungView, Scope, State, StepView, StreamEntry, Taken, TargetView, TroubleView, ViewsAsked, ViewsPage,
    WithdrawalView,
};

/// Everything there is, and everything that was asked for.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) details: Vec<Detail>,
    /// Closed so long ago that only the record has them.
    pub(crate) departed: Vec<Card>,
    pub(crate) links: BTreeMap<String, ResponderView>,
    pub(crate) devices: Vec<DeviceView>,
    pub(crate) people: Vec<PersonView>,
    pub(crate) troubles: Vec<TroubleView>,
    /// Buttons out of service.
    pub(crate) out: Vec<WithdrawalView>,
    pub(crate) entries: Vec<StreamEntry>,
    /// The record cannot be read: lists of closed activations and details cannot be had.
    pub(crate) unread: bool,
    /// What the next changing requests are answered with; a durable one where empty.
    pub(crate) verdicts: VecDeque<Verdict>,
    pub(crate) acts: Vec<Request>,
    pub(crate) raises: Vec<RaiseRequest>,
    pub(crate) services: Vec<ServiceRequest>,
    pub(crate) desks: Vec<DeskView>,
    /// What was said of desks.
    pub(crate) seats: Vec<SeatRequest>,
    pub(crate) rosters: Vec<RosterView>,
    pub(crate) stand_ins: Vec<StandInRequest>,
    pub(crate) answers: Vec<(String, Reply, Gesture)>,
    /// Who was shown what.
    pub(crate) onlookers: Vec<(ViewOf, Onlooker)>,
    /// What the record says of its readers, and who asked.
    pub(crate) readers: ViewsPage,
    pub(crate) asked: Vec<ViewsAsked>,
    /// How often it was asked to turn.
    pub(crate) turns: u32,
}

/// The watch's side of the desk.
#[derive(Clone)]
pub(crate) struct Watch {
    world: Arc<Mutex<World>>,
    pub(crate) stream: tokio::sync::broadcast::Sender<Arc<StreamEntry>>,
    pub(crate) health: Arc<tokio::sync::watch::Sender<Health>>,
}

impl Watch {
    /// Starts answering.
    pub(crate) fn start(world: World) -> (Desk, Self) {
        let (desk, counter) = station::desk::desk();
        let Counter { inputs, looks, stream, health } = counter;
        health.send_replace(Health { started: true, record_reachable: true, directory: true, size: 100, ..Health::default() });
        let watch = Self { world: Arc::new(Mutex::new(world)), stream, health: Arc::new(health) };
        let answering = watch.clone();
        tokio::spawn(async move {
            let (_inputs, mut looks) = (inputs, looks);
            while let Some(look) = looks.recv().await {
                answering.world().answer(look);
            }
        });
        (desk, watch)
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

impl World {
    fn answer(&mut self, look: Look) {
        match look {
            Look::List(query, done) => {
                let answer = if self.unread && query.open != Some(true) { Err(gone()) } else { Ok(self.list(&query)) };
                drop(done.send(answer));
            }
            Look::Activation(_, _, _, done) if self.unread => drop(done.send(Err(gone()))),
            Look::Activation(id, scope, onlooker, done) => {
                let found = self.details.iter().find(|d| d.card.id == id && sees(&scope, &d.card));
                if found.is_some() {
                    self.onlookers.push((ViewOf::Activation(id), onlooker));
                }
                drop(done.send(Ok(found.cloned())));
            }
            Look::Devices(scope, done) => {
                let seen = |d: &&DeviceView| scope.permits(&d.customer, &d.id.site);
                drop(done.send(self.devices.iter().filter(seen).cloned().collect()));
            }
            Look::People(scope, onlooker, done) => {
                self.onlookers.push((ViewOf::People, onlooker));
                // Of the two customers here one has everybody.
                let seen = scope.permits(&CustomerId::parse("kalamunda").unwrap(), &SiteId::parse("kalamunda-library").unwrap());
                drop(done.send(if seen { self.people.clone() } else { Vec::new() }));
            }
            Look::Seen(of, _scope, onlooker, done) => {
                self.onlookers.push((of, onlooker));
                assert!(done.send(()).is_ok(), "whoever is noted waits for it");
            }
            Look::Views(asked, done) => {
                let seen = |id| self.details.iter().any(|d| d.card.id == id && sees(&asked.scope, &d.card));
                let exists = asked.of.clone().is_none_or(seen);
                drop(done.send(Ok(exists.then(|| self.readers.clone()))));
                self.asked.push(asked);
            }
            Look::Coverage(scope, done) => {
                if let Some(view) = covered(&scope) {
                    drop(done.send(view));
                }
            }
            Look::Watchlist(_, done) => drop(done.send(None)),
            Look::Tests(_, done) => drop(done.send(Vec::new())),
            Look::OutOfService(scope, done) => {
                let seen = |out: &&WithdrawalView| scope.permits(&out.customer, &out.device.site);
                drop(done.send(self.out.iter().filter(seen).cloned().collect()));
            }
            Look::Service(request, done) => {
                self.services.push(request);
                drop(done.send(self.verdict()));
            }
            Look::Desks(_scope, done) => drop(done.send(self.desks.clone())),
            Look::Seat(request, done) => {
                self.seats.push(request);
                drop(done.send(self.verdict()));
            }
            Look::Duty(_scope, done) => drop(done.send(self.rosters.clone())),
            Look::StandIn(request, done) => {
                self.stand_ins.push(request);
                drop(done.send(self.verdict()));
            }
            Look::Schedules(scope, done) => drop(done.send(schedules(&scope))),
            Look::Test(_, done) | Look::Drill(_, done) => drop(done.send(Verdict::NotTaken(NotTaken::Stopping))),
            Look::Troubles(scope, done) => {
                let told = |cause: &Cause| scope.is_everything() || matches!(Audience::of(cause), Audience::Everyone);
                drop(done.send(self.troubles.iter().filter(|trouble| told(&trouble.cause)).cloned().collect()));
            }
            Look::Responder(token, done) => drop(done.send(self.links.get(&token).cloned())),
            Look::Card(id, scope, done) => {
                let found = self.details.iter().map(|d| &d.card).chain(&self.departed).find(|card| card.id == id && sees(&scope, card));
                drop(done.send(Ok(found.cloned())));
            }
            // This house has no record to be handed anything from.
            Look::Handed(_, _, done) => drop(done.send(())),
            Look::Evidence(_, _, _, done) => drop(done.send(Ok(None))),
            Look::About(_, done) => drop(done.send(Ok(None))),
            Look::Delete(_, done) => drop(done.send(Ok(()))),
            Look::Count(scope, done) => drop(done.send(self.count(&scope))),
            Look::Since(seq, limit, done) => {
                let after = self.entries.iter().filter(|entry| entry.seq > seq).take(limit);
                drop(done.send(Ok(after.cloned().collect())));
            }
            Look::Place(entries, done) => drop(done.send(entries)),
            Look::Act(request, done) => drop(done.send(self.act(request))),
            Look::Raise(request, done) => {
                let permitted = request.scope.sites.as_ref().is_none_or(|s| s.contains(&request.site));
                let verdict = if permitted {
                    self.raises.push(request);
                    self.verdict()
                } else {
                    Verdict::Refused(Rejection::UnknownPlace)
                };
                drop(done.send(verdict));
            }
            Look::AnswerLink { token, reply, gesture, done } => {
                let verdict = self.links.contains_key(&token).then(|| {
                    self.answers.push((token.clone(), reply, gesture));
                    self.answered(&token, gesture)
                });
                drop(done.send(verdict));
            }
            Look::Adopt(_, done) => drop(done.send(self.verdict())),
            Look::Turn(done) => drop(done.send(self.turn())),
            Look::Words(..) => {}
        }
    }

    fn count(&self, scope: &Scope) -> u64 {
        let open = self.details.iter().filter(|d| d.card.state != State::Closed && sees(scope, &d.card));
        open.count().try_into().unwrap()
    }

    fn turn(&mut self) -> Timestamp {
        self.turns += 1;
        self.now
    }

    fn list(&self, query: &Query) -> Page {
        let fits = |card: &Card| {
            sees(&query.scope, card)
                && query.open.is_none_or(|open| open == (card.state != State::Closed))
                && query.site.as_ref().is_none_or(|site| *site == card.site)
        };
        let cards = self.details.iter().map(|d| &d.card).filter(|c| fits(c));
        Page { cards: cards.take(query.limit.into()).cloned().collect(), next_cursor: None }
    }

    fn act(&mut self, request: Request) -> Verdict {
        let known = self.details.iter().find(|d| d.card.id == request.activation);
        let Some(detail) = known.filter(|d| sees(&request.scope, &d.card)) else {
            return Verdict::Refused(Rejection::UnknownActivation(request.activation));
        };
        let seq = detail.card.seq;
        match (detail.card.closed_at, request.seen) {
            (Some(at), _) => Verdict::Refused(Rejection::AlreadyClosed { activation: request.activation, at }),
            (None, Some(seen)) if seen != seq => Verdict::Refused(Rejection::Stale { activation: request.activation, seen }),
            (None, _) => {
                self.acts.push(request);
                self.verdict()
            }
        }
    }

    fn answered(&mut self, token: &str, gesture: Gesture) -> Verdict {
        if gesture == Gesture::Shown
            && let Some(view) = self.links.get_mut(token)
        {
            view.answer = ResponderAnswer::Going;
        }
        match self.verdict() {
            Verdict::Durable(mut outcome) => {
                outcome.counted = gesture == Gesture::Shown;
                Verdict::Durable(outcome)
            }
            Verdict::Refused(why) => Verdict::Refused(why),
            Verdict::NotTaken(why) => Verdict::NotTaken(why),
        }
    }

    fn verdict(&mut self) -> Verdict {
        let plain = Outcome { activation: "KAL-42".parse().ok(), seq: 7, counted: true, co_responder: false };
        self.verdicts.pop_front().unwrap_or(Verdict::Durable(plain))
    }
}

fn gone() -> DeskError {
    DeskError::Record("away".to_owned())
}

fn sees(scope: &Scope, card: &Card) -> bool {
    scope.permits(&card.customer, &card.site)
}

/// Two customers, five open activations in every state, one closed, and a link `TOKEN0000ab`.
/// The directory of the town as far as somebody may see it. Nobody is on duty in Swan on Sundays.
fn covered(scope: &Scope) -> Option<CoverageView> {
    let AtHand { mut directory, people, .. } = Draft::parse("directory.toml", DIRECTORY).draft?.at_hand();
    directory.sites.retain(|id, site| scope.permits(&site.customer, id));
    Some(CoverageView { directory, people, version: 1, duty: 0, at: "2026-04-13T06:03:00Z".parse().ok()? })
}

const DIRECTORY: &str = r#"
[defaults]
timezone = "Australia/Perth"
[[customer]]
id = "kalamunda"
prefix = "KAL"
[[customer]]
id = "swan"
prefix = "SWN"
[[person]]
id = "jane"
mobile = "0491 570 006"
email = "jane@example.org"
[[person]]
id = "kim"
mobile = "0491 570 156"
[[site]]
id = "kalamunda-library"
customer = "kalamunda"
name = "Library"
ladder = "both"
[[site]]
id = "swan-hub"
customer = "swan"
name = "Hub"
ladder = "duty"
[[roster]]
id = "week"
[[roster.shift]]
people = ["kim"]
hours = ["mon-sat 00:00-24:00"]
[[ladder]]
id = "both"
[[ladder.rung]]
notify = [{ person = "jane", by = ["sms", "email"] }]
wait = "30s"
[[ladder.rung]]
notify = [{ person = "kim" }]
wait = "60s"
[[ladder]]
id = "duty"
[[ladder.rung]]
notify = [{ roster = "week" }]
wait = "45s"
"#;

pub(crate) fn town() -> World {
    let now: Timestamp = "2026-04-13T06:04:15Z".parse().unwrap();
    let mut climbing = card(now, "KAL-42", "kalamunda", "kalamunda-library", State::Climbing);
    climbing.presses = 3;
    let mut exhausted = card(now, "KAL-41", "kalamunda", "kalamunda-depot", State::Exhausted);
    exhausted.kind = Kind::Panic;
    exhausted.standing = Standing::UnknownDevice;
    exhausted.next_why = Some(Why::Round);
    let mut held = card(now, "SWN-7", "swan", "swan-hub", State::Held);
    held.claimed_by = Some("Westside MC".to_owned());
    held.cancel_asked = true;
    let mut accepted = card(now, "KAL-40", "kalamunda", "kalamunda-library", State::Accepted);
    accepted.next_why = Some(Why::Arrival);
    accepted.going = vec![Going {
        name: "P. Nair".to_owned(),
        commitment: Commitment::Going,
        arrive_by: Some(later(now, 200)),
        arrived_at: None,
        silent: false,
    }];
    let mut closed = card(now, "KAL-39", "kalamunda", "kalamunda-library", State::Closed);
    closed.closed_at = Some(later(now, -60));
    closed.closed_by = Some("Westside MC".to_owned());
    closed.disposition = Some(Disposition::PressedInGoodFaith);
    closed.next_at = None;
    closed.next_why = None;
    let view = ResponderView {
        card: climbing.clone(),
        name: "J. Smith".to_owned(),
        answer: ResponderAnswer::None,
        address: "5 Barber St, Kalamunda".to_owned(),
        approach: vec![("Way in", "rear door B".to_owned()), ("Wait at", "car park, north side".to_owned())],
        phone: "08 9555 0100".to_owned(),
        plan: [(1, "Wait for a second person", true), (2, "Look whether anybody is hurt", false)]
            .map(|(number, says, done)| ResponderStep { number, says: says.to_owned(), required: true, done, skipped: false })
            .to_vec(),
    };
    World {
        now,
        links: BTreeMap::from([("TOKEN0000ab".to_owned(), view)]),
        devices: vec![device("kalamunda", "kalamunda-library/front-counter-1"), device("swan", "swan-hub/desk")],
        people: vec![
            person(1, "P. <b>Nair</b>", &[]),
            person(3, "S. Lee", &[(Medium::Sms, None), (Medium::Email, Some(later(now, -60)))]),
            person(2, "J. Smith", &[(Medium::Sms, Some(later(now, -90_000))), (Medium::Email, None)]),
        ],
        out: vec![withdrawal(now)],
        rosters: vec![roster(now)],
        troubles: vec![TroubleView {
            cause: Cause::ProviderDown { carrier: escalation::id::CarrierName::parse("first").unwrap() },
            since: later(now, -400),
            timezone: "UTC".to_owned(),
            telling: None,
        }],
        details: [climbing, exhausted, held, accepted, closed].into_iter().map(|card| detail(now, card)).collect(),
        ..World::default()
    }
}

/// This many seconds later, or earlier.
pub(crate) fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_secs(seconds)).unwrap()
}

fn card(now: Timestamp, id: &str, customer: &str, site: &str, state: State) -> Card {
    Card {
        id: id.parse().unwrap(),
        state,
        kind: Kind::Duress,
        customer: CustomerId::parse(customer).unwrap(),
        customer_name: format!("City of {}", if customer == "swan" { "Swan" } else { "Kalamunda" }),
        site: SiteId::parse(site).unwrap(),
        site_name: match site {
            "kalamunda-library" => "Kalamunda Library".to_owned(),
            "swan-hub" => "Swan Hub".to_owned(),
            other => other.to_owned(),
        },
        device: format!("{site}/front-counter-1").parse::<DeviceId>().unwrap(),
        place: "Front counter 1".to_owned(),
        timezone: "Australia/Perth".to_owned(),
        standing: Standing::Registered,
        mounting: Some(Mounting::Fixed),
        raised_at: later(now, -72),
        age: Age::Live { up_to_s: None },
        presses: 1,
        cancel_asked: false,
        police: None,
        about: None,
        drill: None,
        incident: None,
        beside: Vec::new(),
        rung: 2,
        rungs: 3,
        next_at: Some(later(now, 17)),
        next_why: Some(Why::RungWait),
        claimed_by: None,
        held_until: None,
        offered_to: None,
        said_safe: Vec::new(),
        word: None,
        asks_tester: None,
        asks_keeper: None,
        going: Vec::new(),
        needed: Needed { people: 1, going: 0 },
        closed_at: None,
        closed_by: None,
        disposition: None,
        seq: 31,
    }
}

fn detail(now: Timestamp, card: Card) -> Detail {
    let target = |name: &str, passed_over: Option<&str>| TargetView {
        name: name.to_owned(),
        by: vec![vec![Medium::Sms, Medium::Email]],
        passed_over: passed_over.map(str::to_owned),
    };
    let step = |part, number, required, taken| StepView {
        id: StepId { part, number },
        says: "Look whether anybody is hurt".to_owned(),
        required,
        taken,
    };
    let taken = Taken { by: "P. Nair".to_owned(), at: later(now, -5), skipped: None };
    let rung = |number, entered: Option<i64>, until: Option<i64>, targets| RungView {
        number,
        wait_s: 45,
        entered_at: entered.map(|s| later(now, s)),
        until: until.map(|s| later(now, s)),
        passed_over: None,
        need: None,
        targets,
    };
    Detail {
        ladder: vec![
            rung(1, Some(-72), None, vec![target("J. Smith", Some("undelivered"))]),
            rung(2, Some(-30), Some(17), vec![target("P. Nair", None)]),
            rung(3, None, None, vec![target("Westside Centre", None)]),
        ],
        plan: Some(PlanView {
            id: PlanId::parse("council-duress").unwrap(),
            version: 3,
            approved_by: "Director".to_owned(),
            steps: vec![step(Part::Responder, 1, false, Some(taken)), step(Part::Centre, 1, true, None)],
        }),
        sheet: None,
        attempts: vec![Attempt {
            dispatch: DispatchId { activation: card.id.clone(), number: 1 },
            to: "J. Smith".to_owned(),
            medium: Medium::Sms,
            purpose: Purpose::Alarm,
            queued_at: later(now, -72),
            outcome: "undelivered",
            outcome_at: Some(later(now, -35)),
            taken_at: Some(later(now, -71)),
            delivered_at: None,
            receipt_due: true,
            detail: Some("30003".to_owned()),
            provider: Some("first".to_owned()),
            possible_duplicate: true,
            late_ms: 2_400,
        }],
        history: vec![Line {
            seq: 30,
            at: later(now, -72),
            kind: "activation.raised".to_owned(),
            text: "Raised by front-counter-1 <b>not markup</b>".to_owned(),
        }],
        card,
    }
}

fn withdrawal(now: Timestamp) -> WithdrawalView {
    WithdrawalView {
        device: "kalamunda-library/desk-3".parse().unwrap(),
        customer: CustomerId::parse("kalamunda").unwrap(),
        site_name: "Kalamunda Library".to_owned(),
        place: "Desk <b>3</b>".to_owned(),
        timezone: "Australia/Perth".to_owned(),
        keeper: "P. Nair".to_owned(),
        instead: Some(("kalamunda-library/front-counter-1".parse().unwrap(), "Front counter 1".to_owned())),
        why: Defect::Sticks,
        by: "Jane".to_owned(),
        since: later(now, -60),
        until: later(now, 600),
        ends_soon: true,
        none_left: false,
    }
}

fn roster(now: Timestamp) -> RosterView {
    let stand_in = |counts| StandInView {
        off: "J. <b>Smith</b>".to_owned(),
        off_id: "j-smith".to_owned(),
        on: "P. Nair".to_owned(),
        from: "2026-11-30T10:00:00Z".parse().unwrap(),
        until: "2026-11-30T22:00:00Z".parse().unwrap(),
        by: "Jane (centre)".to_owned(),
        counts,
    };
    RosterView {
        id: RosterId::parse("duty").unwrap(),
        timezone: "Australia/Perth".to_owned(),
        on_duty: vec!["P. Nair".to_owned()],
        until: Some(later(now, 3_600)),
        people: vec![("j-smith".to_owned(), "J. <b>Smith</b>".to_owned()), ("p-nair".to_owned(), "P. Nair".to_owned())],
        stand_ins: vec![stand_in(Some(How::Instead)), stand_in(Some(How::Beside)), stand_in(None)],
        may_change: true,
    }
}

/// Both customers' drills, as far as somebody may see them: one was answered, and one missed.
fn schedules(scope: &Scope) -> Timetable {
    let of = |customer: &str, site: &str, held: Option<Held>, missed: Option<(Date, Missed)>| ScheduleView {
        id: ScheduleId::parse(&format!("{customer}-drills")).unwrap(),
        customer: CustomerId::parse(customer).unwrap(),
        on: "first tue".to_owned(),
        at: "10:00".to_owned(),
        minutes: 15,
        device: None,
        sites: vec![SiteView {
            id: SiteId::parse(site).unwrap(),
            name: format!("<i>{site}</i>"),
            timezone: "Australia/Perth".to_owned(),
            next: Some("2026-12-01T02:00:00Z".parse().unwrap()),
            waits_for: missed.map(|_| Reason::Known(Missed::OnTest)),
            held: u32::from(held.is_some()),
            answered: u32::from(held.is_some()),
            unanswered: 0,
            missed: u32::from(missed.is_some()),
            last_held: held,
            last_missed: missed.map(|(day, why)| (day, Reason::Known(why))),
        }],
    };
    let day = Date::constant(2026, 11, 3);
    let held = Held { drill: "KAL-44".parse().unwrap(), day, outcome: Became::Answered };
    let both = [of("kalamunda", "kalamunda-library", Some(held), None), of("swan", "swan-hub", None, Some((day, Missed::CallOpen)))];
    let former = FormerView {
        schedule: ScheduleId::parse("swan-weekly").unwrap(),
        site: SiteId::parse("swan-depot").unwrap(),
        name: "<i>swan-depot</i>".to_owned(),
        customer: CustomerId::parse("swan").unwrap(),
        day,
        why: Reason::Known(Missed::Changed),
    };
    Timetable {
        schedules: both.into_iter().filter(|view| view.sites.iter().all(|site| scope.permits(&view.customer, &site.id))).collect(),
        former: Some(former).into_iter().filter(|former| scope.permits(&former.customer, &former.site)).collect(),
    }
}

fn person(id: u32, name: &str, channels: &[(Medium, Option<Timestamp>)]) -> PersonView {
    PersonView { id: PersonId::new(id), name: name.to_owned(), channels: channels.to_vec() }
}

fn device(customer: &str, id: &str) -> DeviceView {
    DeviceView {
        id: id.parse().unwrap(),
        customer: CustomerId::parse(customer).unwrap(),
        place: "Front counter 1".to_owned(),
        mounting: Mounting::Fixed,
        last_press: None,
        last_proven: None,
        out_of_service_until: None,
        open: None,
    }
}
