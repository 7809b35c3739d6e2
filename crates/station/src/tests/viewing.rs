//! Stories of readers: each is in the record by the hour, nobody waits for it, and nothing of it is an answer.

use escalation::event::{ViewOf, Viewed, Viewer};
use escalation::id::{ActivationId, PersonId};
use ledger::ViewsQuery;

use super::*;
use crate::onlookers::WINDOWS_MAX;
use crate::view::{ViewsAsked, ViewsPage};
use crate::viewed;

impl House {
    async fn read(&self, principal: &str) {
        let shown = self.desk.activation(id("KAL-1"), Scope::everything(), onlooker(principal)).await.unwrap();
        assert!(shown.is_some());
    }

    /// Who read, as the record has it.
    async fn readers(&self) -> Vec<Viewed> {
        self.of_kind("record.viewed").await.iter().filter_map(viewed::said).map(|(_, said)| said).collect()
    }

    async fn told(&self, of: Option<&str>, scope: Scope) -> Option<ViewsPage> {
        let asked = ViewsAsked { of: of.map(id), scope, onlooker: onlooker("auditor"), before: None, limit: 200 };
        self.desk.views(asked).await.unwrap()
    }
}

fn id(text: &str) -> ActivationId {
    text.parse().unwrap()
}

fn who(viewed: &Viewed) -> (&str, u32) {
    let by = match &viewed.by {
        Some(Viewer::Principal(principal)) => principal,
        Some(Viewer::Link(_)) => "link",
        None => "others",
    };
    (by, viewed.count)
}

#[tokio::test(start_paused = true)]
async fn a_reader_is_in_the_record_after_a_second_and_then_once_an_hour() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    let before = house.of_kind("activation.raised").await.len();
    for _ in 0..3 {
        house.read("centre").await;
    }
    house.until_recorded("record.viewed", 1).await;
    assert_eq!(house.readers().await.iter().map(who).collect::<Vec<_>>(), [("centre", 3)]);
    for _ in 0..100 {
        house.read("centre").await;
        tokio::time::sleep(Duration::from_secs(70)).await;
    }
    let readers = house.readers().await;
    assert!((2..=3).contains(&readers.len()), "{} entries in two hours", readers.len());
    for (one, next) in readers.iter().zip(readers.iter().skip(1)) {
        assert!(one.last <= next.first && one.first <= one.last, "{one:?} {next:?}");
    }
    assert_eq!(readers[0].of, ViewOf::Activation(id("KAL-1")));
    assert_eq!((readers[0].cust.as_ref().unwrap().as_str(), readers[0].site.as_ref().unwrap().as_str()), ("kalamunda", "library"));
    assert_eq!(house.of_kind("activation.raised").await.len(), before);
    // Its own history is as it was: readers are beside it.
    let own = house.ledger.by_stream("KAL-1", Seq::FIRST, 9_999).await.unwrap();
    assert!(own.iter().all(|entry| entry.columns.kind != "record.viewed"));
    let beside = house.ledger.views(&ViewsQuery { stream: Some("views:KAL-1".into()), limit: 99, ..ViewsQuery::default() }).await.unwrap();
    assert_eq!(beside.len(), readers.len());
}

/// An alarm that everybody looks at is answered by nobody yet.
#[tokio::test(start_paused = true)]
async fn a_look_is_nobodys_answer() {
    let (seen, unseen) = (House::open().await, House::open().await);
    for house in [&seen, &unseen] {
        house.desk.submit(press("1")).await;
    }
    for n in 0..200 {
        seen.read(&format!("key {n}")).await;
    }
    for house in [&seen, &unseen] {
        tokio::time::sleep(Duration::from_mins(5)).await;
        house.desk.turn().await.unwrap();
    }
    let sent = |house: &House| house.sent().iter().map(|order| (order.id.clone(), order.purpose)).collect::<Vec<_>>();
    assert!(sent(&seen).len() > 2);
    assert_eq!(sent(&seen), sent(&unseen));
    assert_eq!(seen.readers().await.len(), 200);
}

#[tokio::test(start_paused = true)]
async fn readers_wait_in_memory_for_a_record_that_is_away_and_are_never_spooled() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    house.ledger.set_faults(|_| Fault::UnknownAbsent);
    // That it is away is found out by a press.
    house.desk.submit(note_of("rang back")).await;
    assert!(!house.desk.health().borrow().record_reachable);
    for _ in 0..5 {
        house.desk.people(Scope::everything(), onlooker("centre")).await.unwrap();
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    let spooled = std::fs::read(house.folder.path().join("spool")).unwrap();
    assert!(!String::from_utf8_lossy(&spooled).contains("record.viewed"));
    house.ledger.set_faults(|_| Fault::None);
    house.until_recorded("record.viewed", 1).await;
    let readers = house.readers().await;
    assert_eq!((who(&readers[0]), &readers[0].of), (("centre", 5), &ViewOf::People));
}

/// The write of a look may be what finds that the record is away: then a press goes by the spool at once, and each look counts once.
#[tokio::test(start_paused = true)]
async fn a_look_that_finds_the_record_away_holds_up_no_press_and_counts_once() {
    let house = House::open().await;
    house.ledger.set_faults(|batch| {
        let is_of_readers = batch.entries().iter().any(|sealed| sealed.body.columns().kind == "record.viewed");
        if is_of_readers { Fault::UnknownAbsent } else { Fault::None }
    });
    house.desk.people(Scope::everything(), onlooker("centre")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!house.desk.health().borrow().record_reachable, "found out by the look");
    let desk = house.desk.clone();
    let verdict = tokio::spawn(async move { desk.submit(press("1")).await });
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(house.sent().iter().filter(|order| order.purpose == Purpose::Alarm).count(), 1, "acted on, though nothing is confirmed");
    house.desk.people(Scope::everything(), onlooker("centre")).await.unwrap();
    house.ledger.set_faults(|_| Fault::None);
    assert!(matches!(verdict.await.unwrap(), Verdict::Durable(_)));
    house.until_recorded("activation.raised", 1).await;
    tokio::time::sleep(Duration::from_hours(1)).await;
    house.until_recorded("record.viewed", 2).await;
    assert_eq!(house.readers().await.iter().map(who).collect::<Vec<_>>(), [("centre", 1), ("centre", 1)]);
}

/// A site's auditor is looked no further for than so many entries of the other sites at once, and goes on from there.
#[tokio::test(start_paused = true)]
async fn a_page_ends_where_enough_was_looked_through() {
    let house = House::open().await;
    house.desk.submit(Input::Signal(press_of("clinic/desk-1", "2"))).await;
    house.desk.activation(id("PER-1"), of("perth"), onlooker("first")).await.unwrap();
    house.until_recorded("record.viewed", 1).await;
    for n in 0..1_200 {
        house.desk.people(of("perth"), onlooker(&format!("key {n}"))).await.unwrap();
    }
    house.until_recorded("record.viewed", 1_201).await;
    let at_a_site = Scope { sites: Some([SiteId::parse("clinic").unwrap()].into()), ..of("perth") };
    let (mut pages, mut found, mut before) = (0, Vec::new(), None);
    loop {
        let asked = ViewsAsked { of: None, scope: at_a_site.clone(), onlooker: onlooker("auditor"), before, limit: 100 };
        let page = house.desk.views(asked).await.unwrap().unwrap();
        found.extend(page.views.iter().map(|view| who(&view.said).0.to_owned()));
        (pages, before) = (pages + 1, page.next);
        if before.is_none() {
            break;
        }
    }
    assert_eq!((pages, found), (2, vec!["first".to_owned()]));
}

fn note_of(text: &str) -> Input {
    let by = crate::look::attribution("ops".into(), None, None);
    let act = Act::Note { text: Private::Open(text.into()) };
    Input::Command(escalation::input::Command { activation: id("KAL-1"), by, seen: None, at_the_place: false, act })
}

/// By order: no batch that has a press has a reader, and what is pressed while thousands wait to be written is the next to be written.
#[tokio::test(start_paused = true)]
async fn a_flood_of_readers_stands_behind_every_press() {
    let house = House::open().await;
    let batches = Arc::<Mutex<Vec<Vec<String>>>>::default();
    let seen = Arc::clone(&batches);
    house.ledger.set_faults(move |batch| {
        let kinds = batch.entries().iter().map(|sealed| sealed.body.columns().kind.clone()).collect();
        seen.lock().unwrap().push(kinds);
        Fault::None
    });
    house.desk.submit(press("1")).await;
    for n in 0..1_000 {
        house.desk.people(Scope::everything(), onlooker(&format!("key {n}"))).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    for round in 0..5 {
        for n in 0..200 {
            house.desk.people(Scope::everything(), onlooker(&format!("another {round} {n}"))).await.unwrap();
        }
        let written = batches.lock().unwrap().len();
        let size = house.ledger.head().await.unwrap().size();
        // In one moment these readers are due and somebody presses.
        let again = press(&format!("again {round}"));
        let ((), verdict) = tokio::join!(tokio::time::advance(Duration::from_secs(2)), house.desk.submit(again));
        assert!(matches!(&verdict, Verdict::Durable(outcome) if outcome.seq == size), "the next entry is the press: {verdict:?}");
        let next = batches.lock().unwrap().get(written).cloned().unwrap();
        assert!(next.iter().all(|kind| kind != "record.viewed"), "{next:?}");
    }
    house.until_recorded("record.viewed", 2_000).await;
    let batches = batches.lock().unwrap().clone();
    for batch in batches.iter().filter(|batch| batch.iter().any(|kind| kind == "record.viewed")) {
        assert!(batch.len() <= 16 && batch.iter().all(|kind| kind == "record.viewed"), "{batch:?}");
    }
    assert_eq!(house.readers().await.iter().map(|viewed| viewed.count).sum::<u32>(), 2_000);
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_order_loses_no_reader() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    house.read("centre").await;
    let ledger = house.ledger.clone();
    house.stop.send_replace(true);
    while house.desk.turn().await.is_ok() {}
    let again = House::open_on(ledger, house.folder, DIRECTORY, LinkBase::default()).await;
    let readers = again.readers().await;
    assert_eq!(readers.len(), 1);
    let page = again.told(Some("KAL-1"), Scope::everything()).await.unwrap();
    assert_eq!(page.views.iter().map(|line| who(&line.said)).collect::<Vec<_>>(), [("centre", 1)]);
}

#[tokio::test(start_paused = true)]
async fn readers_are_told_of_within_a_scope_and_no_further() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    house.desk.submit(Input::Signal(press_of("clinic/desk-1", "2"))).await;
    house.read("centre").await;
    house.desk.activation(id("PER-1"), of("perth"), onlooker("perth key")).await.unwrap();
    // Refused: nothing of it is noted, for either customer.
    assert!(house.desk.activation(id("PER-1"), of("kalamunda"), onlooker("kalamunda key")).await.unwrap().is_none());
    house.desk.people(of("perth"), onlooker("perth key")).await.unwrap();
    house.desk.people(Scope::everything(), onlooker("centre")).await.unwrap();
    house.until_recorded("record.viewed", 4).await;
    let names = |page: Option<ViewsPage>| {
        let mut names: Vec<_> = page.unwrap().views.iter().map(|view| format!("{} {}", view.said.of.name(), who(&view.said).0)).collect();
        names.sort();
        names
    };
    assert_eq!(names(house.told(None, of("kalamunda")).await), ["KAL-1 centre"]);
    assert_eq!(names(house.told(None, of("perth")).await), ["PER-1 perth key", "people perth key"]);
    assert_eq!(names(house.told(None, Scope::everything()).await).len(), 4);
    let at_a_site = Scope { sites: Some([SiteId::parse("clinic").unwrap()].into()), ..of("perth") };
    assert_eq!(names(house.told(None, at_a_site).await), ["PER-1 perth key"]);
    assert_eq!(house.told(Some("KAL-1"), of("perth")).await, None);
    assert_eq!(names(house.told(Some("PER-1"), of("perth")).await), ["PER-1 perth key"]);
    // That somebody asked is noted as well: of the activation, and of each list of readers within its own scope.
    house.until_recorded("record.viewed", 8).await;
    assert_eq!(names(house.told(None, of("kalamunda")).await), ["KAL-1 centre", "readers auditor"]);
    let of_perth = names(house.told(None, of("perth")).await);
    assert_eq!(of_perth, ["PER-1 auditor", "PER-1 perth key", "people perth key", "readers auditor"]);
    let clinic = Scope { customers: None, sites: Some([SiteId::parse("clinic").unwrap()].into()), at_the_place: false };
    assert_eq!(names(house.told(None, clinic).await), ["PER-1 auditor", "PER-1 perth key"]);
}

/// Whether there is a page after this one says nothing of anybody else's.
#[tokio::test(start_paused = true)]
async fn pages_hold_what_is_in_scope_and_turn_by_that_alone() {
    let house = House::open().await;
    for n in 0..7 {
        house.desk.people(of("perth"), onlooker(&format!("perth {n}"))).await.unwrap();
        house.desk.people(of("kalamunda"), onlooker(&format!("kalamunda {n}"))).await.unwrap();
    }
    house.until_recorded("record.viewed", 14).await;
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let asked = ViewsAsked { of: None, scope: of("perth"), onlooker: onlooker("auditor"), before, limit: 3 };
        let page = house.desk.views(asked).await.unwrap().unwrap();
        let lines = page.views.iter().map(|view| who(&view.said).0.to_owned());
        found.extend(lines);
        before = page.next;
        if before.is_none() {
            break;
        }
        assert_eq!(before, page.views.last().map(|view| view.seq));
    }
    found.sort();
    assert_eq!(found, (0..7).map(|n| format!("perth {n}")).collect::<Vec<_>>());
}

/// A link that somebody opened is noted by whose it is; the page is as it was, and nobody has answered.
#[tokio::test(start_paused = true)]
async fn an_opened_link_is_noted_by_whose_it_is() {
    let links = LinkBase { public_url: Some("https://alerts.example.org".into()), link_host: None, in_texts: LinksInTexts::Always };
    let house = House::open_on(MemoryLedger::new(), tempfile::tempdir().unwrap(), DIRECTORY, links).await;
    house.desk.submit(press("1")).await;
    let sent = house.sent();
    let token = sent[0].words["link"].rsplit('/').next().unwrap().to_owned();
    for _ in 0..2 {
        let view = house.desk.responder(&token).await.unwrap().unwrap();
        assert_eq!(view.answer, ResponderAnswer::None);
    }
    assert!(house.desk.responder("AAAAAAAAAAA").await.unwrap().is_none());
    house.until_recorded("record.viewed", 1).await;
    let readers = house.readers().await;
    let [opened] = readers.as_slice() else { panic!("{readers:?}") };
    assert_eq!((who(opened), opened.how.as_slice()), (("link", 2), [Way::Link].as_slice()));
    assert_eq!(opened.by, Some(Viewer::Link(PersonId::new(1))));
}

/// While somebody may be in danger and the watch writes all the time readers wait for a calm moment, and for no more than a minute.
#[tokio::test(start_paused = true)]
async fn readers_wait_for_a_calm_moment_of_a_call_and_no_longer_than_a_minute() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    house.read("centre").await;
    for half_seconds in 0..200 {
        house.desk.submit(note_of(&format!("note {half_seconds}"))).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let written = house.readers().await.len();
        assert!(half_seconds > 110 || written == 0, "after {half_seconds} half seconds");
        assert!(half_seconds < 140 || written == 1, "after {half_seconds} half seconds");
    }
    // A second without anything to write is calm enough.
    house.read("ops").await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(house.readers().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn more_readers_than_can_be_kept_apart_are_counted_together() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    house.ledger.set_faults(|_| Fault::UnknownAbsent);
    house.desk.submit(note_of("x")).await;
    for n in 0..WINDOWS_MAX + 10 {
        house.desk.people(of("perth"), onlooker(&format!("key {n}"))).await.unwrap();
    }
    house.ledger.set_faults(|_| Fault::None);
    house.until_recorded("record.viewed", WINDOWS_MAX + 1).await;
    let readers = house.readers().await;
    let others: Vec<_> = readers.iter().filter(|viewed| viewed.of == ViewOf::Others).collect();
    let [others] = others.as_slice() else { panic!("{}", others.len()) };
    assert_eq!((who(others), others.cust.as_ref().unwrap().as_str()), (("others", 10), "perth"));
    assert_eq!(readers.iter().map(|viewed| u64::from(viewed.count)).sum::<u64>(), u64::try_from(WINDOWS_MAX + 10).unwrap());
}
