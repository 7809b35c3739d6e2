//! Stories of desks: a word holds for seconds, the record has the two moments, and who cannot be heard is nobody there.

use escalation::id::CentreId;

use super::*;
use crate::consoles::{DeskView, SeatRequest, WORD_HOLDS, Word};

/// The desk first, then a person; the clinic of another customer has a desk of its own, and the third is on no ladder.
fn with_desks() -> String {
    DIRECTORY
        .replace("customer = \"perth\"\n[[device]]", "customer = \"perth\"\nladder = \"clinics\"\n[[device]]")
        .replace("[[site]]\nid = \"library\"", "[[centre]]\nid = \"westside\"\nname = \"Westside Centre\"\n[[centre]]\nid = \"clinics\"\n[[centre]]\nid = \"spare\"\n[[site]]\nid = \"library\"")
        .replace(
            "id = \"counters\"\n[[ladder.rung]]",
            "id = \"counters\"\n[[ladder.rung]]\nnotify = [{ centre = \"westside\" }]\nwait = \"300s\"\n[[ladder.rung]]",
        )
        .replace("[fallback]", "[[ladder]]\nid = \"clinics\"\n[[ladder.rung]]\nnotify = [{ centre = \"clinics\" }]\nwait = \"60s\"\n[fallback]")
}

async fn house() -> House {
    House::open_in(tempfile::tempdir().unwrap(), &with_desks()).await
}

fn centre(id: &str) -> CentreId {
    CentreId::parse(id).unwrap()
}

impl House {
    async fn seat(&self, principal: &str, scope: Scope, id: &str, word: Word) -> Verdict {
        self.desk.seat(SeatRequest { principal: principal.to_owned(), scope, centre: centre(id), word }).await.unwrap()
    }

    async fn here(&self, principal: &str, console: &str) -> Verdict {
        self.seat(principal, Scope::everything(), "westside", Word::Here(console.to_owned())).await
    }

    async fn desk_of(&self, id: &str) -> DeskView {
        let desks = self.desk.desks(Scope::everything()).await.unwrap();
        desks.into_iter().find(|desk| desk.centre == centre(id)).unwrap()
    }

    async fn count(&self, kind: &str) -> usize {
        self.of_kind(kind).await.len()
    }

    async fn has_trouble(&self, id: &str) -> bool {
        let troubles = self.desk.troubles(Scope::everything()).await.unwrap();
        troubles.iter().any(|trouble| trouble.cause == Cause::DeskUnarmed { centre: centre(id) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_word_that_is_said_again_is_written_once_and_lapses_by_itself() {
    let house = house().await;
    assert_eq!(house.desk_of("westside").await.armed_since, None);
    for _ in 0..20 {
        assert!(matches!(house.here("centre", "left").await, Verdict::Durable(_)));
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let desk = house.desk_of("westside").await;
    assert!(desk.armed_since.is_some() && desk.consoles == 1 && desk.name == "Westside Centre", "{desk:?}");
    assert_eq!((house.count("desk.armed").await, house.count("desk.unarmed").await), (1, 0));
    assert_eq!(house.entries_of("desk.armed").await[0]["by"]["principal"], "centre");
    // A page that is away for as long as a word holds, and no longer, makes no entry.
    tokio::time::sleep(WORD_HOLDS.saturating_sub(Duration::from_secs(6))).await;
    house.here("centre", "left").await;
    house.until_recorded("desk.unarmed", 1).await;
    assert_eq!(house.count("desk.armed").await, 1);
    let end = &house.entries_of("desk.unarmed").await[0];
    assert_eq!((&end["centre"], &end["why"], end.get("by")), (&"westside".into(), &"lapsed".into(), None));
    assert_eq!(house.desk_of("westside").await.armed_since, None);
}

#[tokio::test(start_paused = true)]
async fn the_last_who_leaves_leaves_the_desk() {
    let house = house().await;
    house.here("centre", "left").await;
    house.here("centre", "right").await;
    house.here("night", "left").await;
    assert_eq!(house.desk_of("westside").await.consoles, 3);
    let gone = |console: Option<&str>| Word::Gone(console.map(str::to_owned));
    house.seat("centre", Scope::everything(), "westside", gone(Some("left"))).await;
    assert_eq!(house.desk_of("westside").await.consoles, 2, "another key's console of the same name is its own");
    house.seat("centre", Scope::everything(), "westside", gone(None)).await;
    assert_eq!((house.desk_of("westside").await.consoles, house.count("desk.unarmed").await), (1, 0));
    house.seat("night", Scope::everything(), "westside", gone(Some("left"))).await;
    let end = &house.entries_of("desk.unarmed").await[0];
    assert_eq!((&end["why"], &end["by"]["principal"]), (&"said".into(), &"night".into()));
    // Whoever leaves once more says nothing new.
    house.seat("night", Scope::everything(), "westside", gone(None)).await;
    assert_eq!(house.count("desk.unarmed").await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_an_armed_desk_and_goes_on_when_it_lapses() {
    let house = house().await;
    house.desk.submit(press("1")).await;
    assert_eq!(house.sent().len(), 1, "nobody is there: the first person is told at once");
    house.here("centre", "left").await;
    let waiting = Input::Signal(press_of("library/other", "2"));
    house.desk.submit(waiting).await;
    assert_eq!(house.sent().len(), 1, "somebody is there");
    let order = tokio::time::timeout(PATIENCE, house.next_sent()).await.expect("a lapse is told, long before the rung's 300 s");
    assert_eq!(order.id.activation.to_string(), "KAL-2");
    assert_eq!(house.count("desk.unarmed").await, 1);
}

/// What the record says is believed for one word's time after a start, and then only what somebody says.
#[tokio::test(start_paused = true)]
async fn after_a_start_the_record_is_believed_for_as_long_as_a_word_holds() {
    for says_so_again in [true, false] {
        let first = house().await;
        first.here("centre", "left").await;
        let ledger = first.ledger.clone();
        let folder = first.crash().await;
        ledger.set_faults(|_| Fault::None);
        tokio::time::sleep(Duration::from_mins(10)).await;
        let again = House::open_on(ledger, folder, &with_desks(), LinkBase::default()).await;
        let desk = again.desk_of("westside").await;
        assert!(desk.armed_since.is_some() && desk.consoles == 0, "{desk:?}");
        again.desk.submit(press("1")).await;
        assert!(again.sent().is_empty(), "it is waited for");
        if says_so_again {
            for _ in 0..5 {
                again.here("centre", "left").await;
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            assert_eq!((again.count("desk.armed").await, again.count("desk.unarmed").await, again.sent().len()), (1, 0, 0));
        } else {
            tokio::time::timeout(PATIENCE, again.next_sent()).await.expect("nobody said so again");
            assert_eq!(again.count("desk.unarmed").await, 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_ladders_count_on_is_a_trouble_after_a_minute() {
    let house = house().await;
    tokio::time::sleep(Duration::from_secs(55)).await;
    assert!(!house.has_trouble("westside").await, "whoever hands over has that minute");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(house.has_trouble("westside").await && house.has_trouble("clinics").await);
    assert!(!house.has_trouble("spare").await, "no ladder names it");
    house.here("centre", "left").await;
    assert!(!house.has_trouble("westside").await && house.has_trouble("clinics").await);
    house.until_recorded("desk.unarmed", 1).await;
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert!(!house.has_trouble("westside").await);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(house.has_trouble("westside").await, "and again, a minute after it was left");
    let raised = house.entries_of("trouble.raised").await;
    assert_eq!(raised.iter().filter(|raised| raised["cause"]["desk_unarmed"]["centre"] == "westside").count(), 2);
}

/// Whoever arms a desk arms it for everybody whose calls come to it.
#[tokio::test(start_paused = true)]
async fn a_desk_is_armed_by_whoever_sees_all_that_comes_to_it() {
    let house = house().await;
    let here = || Word::Here("left".to_owned());
    // The library of Kalamunda climbs it, and so does a press from nowhere, which is Kalamunda's too.
    assert!(matches!(house.seat("kal", of("kalamunda"), "westside", here()).await, Verdict::Durable(_)));
    assert!(matches!(house.seat("perth", of("perth"), "clinics", here()).await, Verdict::Durable(_)));
    for (key, id) in [("kalamunda", "clinics"), ("perth", "westside"), ("perth", "spare"), ("perth", "nowhere")] {
        let verdict = house.seat(key, of(key), id, here()).await;
        assert!(matches!(verdict, Verdict::Refused(Rejection::UnknownDesk)), "{key} {id}: {verdict:?}");
        let seen = house.desk.desks(of(key)).await.unwrap();
        assert!(seen.iter().all(|desk| desk.centre != centre(id)), "{key} sees {id}");
    }
    let one_site = Scope { sites: Some([SiteId::parse("library").unwrap()].into()), ..of("kalamunda") };
    let verdict = house.seat("library", one_site.clone(), "westside", here()).await;
    assert!(matches!(verdict, Verdict::Refused(Rejection::NotAllOfTheDesk)), "it does not see presses from nowhere: {verdict:?}");
    let seen = house.desk.desks(one_site).await.unwrap();
    assert_eq!(seen.iter().map(|desk| (desk.centre.as_str(), desk.may_arm)).collect::<Vec<_>>(), [("westside", false)]);
}

/// While nothing can be written no claim can be either: a desk that nobody could act from counts as empty.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_arms_no_desk() {
    let house = house().await;
    house.here("centre", "left").await;
    house.ledger.set_faults(|_| Fault::UnknownAbsent);
    // The spool's place is taken by something that is no file.
    std::fs::create_dir_all(house.folder.path().join("spool")).unwrap();
    let desk = house.desk.clone();
    tokio::spawn(async move { desk.submit(press("1")).await });
    tokio::time::sleep(Duration::from_secs(2)).await;
    let verdict = house.here("centre", "left").await;
    assert!(matches!(verdict, Verdict::NotTaken(NotTaken::Unrecorded)), "{verdict:?}");
    tokio::time::timeout(PATIENCE, house.next_sent()).await.expect("the words lapse, and the ladder goes on");
    assert_eq!(house.desk_of("westside").await.armed_since, None);
}

/// However often a desk changes hands within seconds, a press is answered as it comes.
#[tokio::test(start_paused = true)]
async fn a_press_in_the_same_turn_meets_the_desk_as_it_is() {
    let house = house().await;
    for n in 0..20 {
        house.here("centre", "left").await;
        let (press, gone) = tokio::join!(
            house.desk.submit(Input::Signal(press_of(&format!("library/n-{n}"), &n.to_string()))),
            house.seat("centre", Scope::everything(), "westside", Word::Gone(None)),
        );
        assert!(matches!((&press, &gone), (Verdict::Durable(_), Verdict::Durable(_))), "{press:?} {gone:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(house.sent().len(), n + 1, "nobody is there, and the next one is told");
    }
}

/// Words that come within one turn are each judged by what stood before all of them: the last one counts.
#[tokio::test(start_paused = true)]
async fn of_words_within_one_turn_the_last_one_counts() {
    let gone = || Word::Gone(None);
    let here = || Word::Here("left".to_owned());
    for (first, second, stays) in [(here(), gone(), false), (gone(), here(), true)] {
        for armed_before in [false, true] {
            let house = house().await;
            if armed_before {
                house.here("centre", "left").await;
            }
            let says = async |word: &Word| house.seat("centre", Scope::everything(), "westside", word.clone()).await;
            // Both are at the door before the watch turns.
            let (one, other) = tokio::join!(says(&first), says(&second));
            assert!(matches!((&one, &other), (Verdict::Durable(_), Verdict::Durable(_))), "{one:?} {other:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
            let desk = house.desk_of("westside").await;
            assert_eq!((desk.armed_since.is_some(), desk.consoles), (stays, usize::from(stays)), "{first:?} {second:?} {armed_before}");
            house.desk.submit(press("1")).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(house.sent().len(), usize::from(!stays), "whoever is not there is waited for by nobody");
        }
    }
}

/// Whoever comes and leaves in one moment has cleared the trouble, and a minute later it is one again.
#[tokio::test(start_paused = true)]
async fn a_desk_that_was_armed_for_a_moment_is_missed_again() {
    let house = house().await;
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert!(house.has_trouble("westside").await);
    let says = async |word: Word| house.seat("centre", Scope::everything(), "westside", word).await;
    let (one, other) = tokio::join!(says(Word::Here("left".to_owned())), says(Word::Gone(None)));
    assert!(matches!((&one, &other), (Verdict::Durable(_), Verdict::Durable(_))), "{one:?} {other:?}");
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(!house.has_trouble("westside").await, "somebody was there just now");
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(house.has_trouble("westside").await);
}

/// Somebody who leaves after a start, and was never there before it, leaves for themselves.
#[tokio::test(start_paused = true)]
async fn who_leaves_after_a_start_leaves_for_nobody_else() {
    for (who, is_left) in [("night", false), ("centre", true)] {
        let first = house().await;
        first.here("centre", "left").await;
        let ledger = first.ledger.clone();
        let folder = first.crash().await;
        ledger.set_faults(|_| Fault::None);
        let again = House::open_on(ledger, folder, &with_desks(), LinkBase::default()).await;
        again.seat(who, Scope::everything(), "westside", Word::Gone(None)).await;
        assert_eq!(again.desk_of("westside").await.armed_since.is_none(), is_left, "{who}");
    }
}

/// It is 19:06 in Perth. A desk that a ladder asks until 19:10 is missed until then, and by nobody at night.
#[tokio::test(start_paused = true)]
async fn a_desk_is_missed_at_the_hours_at_which_it_is_asked() {
    let by_day = with_desks().replace(
        "notify = [{ centre = \"clinics\" }]\nwait = \"60s\"",
        "notify = [{ centre = \"clinics\" }]\nwait = \"60s\"\nhours = [\"08:00-19:10\"]",
    );
    let house = House::open_in(tempfile::tempdir().unwrap(), &by_day).await;
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert!(house.has_trouble("clinics").await);
    tokio::time::sleep(Duration::from_secs(210)).await;
    assert!(!house.has_trouble("clinics").await, "nobody is asked there at night");
    tokio::time::sleep(Duration::from_hours(12)).await;
    assert!(!house.has_trouble("clinics").await);
    tokio::time::sleep(Duration::from_hours(2)).await;
    assert!(house.has_trouble("clinics").await, "it is past eight");
}
