//! Erasures outlive the restore of an older copy of the record, and nothing is erased that this station did not list.

use super::*;
use crate::erasing::{self, Asker, NotErased, Whose};
use crate::erasures::FILE;
use escalation::input::{Attribution, LegalHold};

/// What there is of J. Smith beside the record's entries.
const SMITH: &str = "P-1";
const BASIS: &str = "GDA 27.2.1";

fn without_smith() -> String {
    let person = "[[person]]\nid = \"j-smith\"\nname = \"J. Smith\"\nmobile = \"0400 000 001\"\n";
    assert!(DIRECTORY.contains(person));
    DIRECTORY.replace(person, "").replace("j-smith", "p-nair")
}

/// The record as it is now, in another place.
async fn copy_of(ledger: &MemoryLedger) -> MemoryLedger {
    let copy = MemoryLedger::new();
    for entry in ledger.entries(Seq::FIRST, 9_999).await.unwrap() {
        let mut batch = Batch::new(entry.seq);
        let disclosures = ledger.disclosures(entry.seq, entry.seq.next()).await.unwrap();
        batch.push(entry.body.unwrap(), disclosures.into_iter().map(|(_, disclosure)| disclosure).collect());
        copy.append(&batch).await.unwrap();
    }
    copy
}

async fn erase(house: &House) -> Result<erasing::Erased, NotErased> {
    let asker = Asker { principal: "app".into(), actor: Some("R. Jones".into()), scope: Scope::everything() };
    erasing::erase(&house.desk, asker, Whose::Person(SMITH.into()), BASIS.into()).await
}

async fn hold(house: &House, on: bool) {
    let by = Attribution { principal: "app".into(), actor: None, actor_key: None, person: None, idempotency: None };
    let (customer, of) = (CustomerId::parse("kalamunda").unwrap(), "KAL-1".parse().unwrap());
    let reason = Private::Open("Coroner".into());
    let verdict = house.desk.submit(Input::LegalHoldAsked(LegalHold { customer, of, on, by, reason })).await;
    assert!(matches!(verdict, Verdict::Durable(_)), "{verdict:?}");
}

/// A station that has erased J. Smith, and a copy of its record from before.
async fn erased(before_the_copy: impl AsyncFnOnce(&House), after_it: impl AsyncFnOnce(&House)) -> (MemoryLedger, tempfile::TempDir) {
    let house = House::open().await;
    before_the_copy(&house).await;
    let older = copy_of(&house.ledger).await;
    assert!(!older.about(SMITH).await.unwrap().is_empty(), "there is something to be erased");
    after_it(&house).await;
    let draft = Draft::parse("directory.toml", &without_smith()).draft.unwrap();
    assert!(matches!(house.desk.adopt(draft, Digest::new([2; 32])).await.unwrap(), Verdict::Durable(_)));
    erase(&house).await.unwrap();
    assert_eq!(house.ledger.about(SMITH).await.unwrap(), []);
    (older, house.crash().await)
}

async fn open(ledger: MemoryLedger, folder: tempfile::TempDir) -> House {
    House::open_on(ledger, folder, &without_smith(), LinkBase::default()).await
}

async fn is_failing(house: &House) -> bool {
    house.desk.turn().await.unwrap();
    house.desk.troubles(Scope::everything()).await.unwrap().iter().any(|trouble| trouble.cause == Cause::ErasureFailing)
}

#[tokio::test(start_paused = true)]
async fn an_older_copy_of_the_record_does_not_undo_an_erasure() {
    let (older, folder) = erased(async |_| {}, async |_| {}).await;
    let list = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
    assert!(list.contains(BASIS) && !list.contains("Smith") && !list.contains("0000001") && !list.contains("Jones"), "{list}");
    let house = open(older, folder).await;
    assert_eq!(house.ledger.about(SMITH).await.unwrap(), []);
    let said = house.entries_of("pii.erased").await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!((&said[0]["basis"], &said[0]["from"]["person"], &said[0]["by"]["principal"]), (&BASIS.into(), &SMITH.into(), &"app".into()));
    assert_eq!(said[0]["again"]["found"], said[0]["values"].as_array().unwrap().len());
    assert!(!is_failing(&house).await);
    let (ledger, folder) = (house.ledger.clone(), house.crash().await);
    ledger.set_faults(|_| Fault::None);
    let house = open(ledger, folder).await;
    assert_eq!(house.entries_of("pii.erased").await.len(), 1, "once");
    assert!(!is_failing(&house).await);
}

/// Its list was lost as well: it is written again from the record, also what was erased before there were lists.
#[tokio::test(start_paused = true)]
async fn a_list_that_was_lost_is_written_again_from_the_record() {
    let (older, folder) = erased(async |_| {}, async |_| {}).await;
    let house = open(older, folder).await;
    let older = copy_of(&House::open().await.ledger).await;
    let (ledger, folder) = (house.ledger.clone(), house.crash().await);
    ledger.set_faults(|_| Fault::None);
    std::fs::remove_file(folder.path().join(FILE)).unwrap();
    let house = open(ledger, folder).await;
    assert!(!is_failing(&house).await);
    let folder = house.crash().await;
    // The same house as it was at its beginning: entropy comes from a seed, so that it says the same under the same digests.
    let house = open(older, folder).await;
    assert_eq!((house.ledger.about(SMITH).await.unwrap(), house.entries_of("pii.erased").await.len()), (vec![], 1));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_erased_by_a_line_that_this_station_did_not_write() {
    let (older, folder) = erased(async |_| {}, async |_| {}).await;
    let path = folder.path().join(FILE);
    let list = std::fs::read_to_string(&path).unwrap();
    let (_, rest) = list.split_once(' ').unwrap();
    std::fs::write(&path, format!("{} {rest}", "0".repeat(64))).unwrap();
    let house = open(older, folder).await;
    assert!(!house.ledger.about(SMITH).await.unwrap().is_empty());
    assert_eq!(house.entries_of("pii.erased").await.len(), 0);
    assert!(is_failing(&house).await, "and somebody has to look");
    // Once the list is as it was, the next start makes good.
    let (ledger, folder) = (house.ledger.clone(), house.crash().await);
    ledger.set_faults(|_| Fault::None);
    std::fs::write(&path, list).unwrap();
    let house = open(ledger, folder).await;
    assert_eq!(house.ledger.about(SMITH).await.unwrap(), []);
    assert!(!is_failing(&house).await);
}

#[tokio::test(start_paused = true)]
async fn what_an_older_copy_holds_for_a_court_stays_until_the_hold_is_lifted() {
    let (older, folder) = erased(async |house| hold(house, true).await, async |house| hold(house, false).await).await;
    let house = open(older, folder).await;
    assert!(!house.ledger.about(SMITH).await.unwrap().is_empty());
    assert!(is_failing(&house).await);
    hold(&house, false).await;
    let (ledger, folder) = (house.ledger.clone(), house.crash().await);
    ledger.set_faults(|_| Fault::None);
    let house = open(ledger, folder).await;
    assert_eq!(house.ledger.about(SMITH).await.unwrap(), []);
    assert!(!is_failing(&house).await);
}

/// What is not on the list would come back: it is not deleted before it is.
#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_before_it_is_on_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    std::fs::create_dir(&path).unwrap();
    let mut house = House::open_in(folder, DIRECTORY).await;
    assert!(is_failing(&house).await, "the list does not read");
    let draft = Draft::parse("directory.toml", &without_smith()).draft.unwrap();
    assert!(matches!(house.desk.adopt(draft, Digest::new([2; 32])).await.unwrap(), Verdict::Durable(_)));
    let refused = erase(&house).await;
    assert!(matches!(refused, Err(NotErased::StillThere { .. })), "{refused:?}");
    // Nor by a start, as long as it cannot be.
    for cannot in [true, false] {
        assert!(!house.ledger.about(SMITH).await.unwrap().is_empty());
        let (ledger, folder) = (house.ledger.clone(), house.crash().await);
        ledger.set_faults(|_| Fault::None);
        if !cannot {
            std::fs::remove_dir(&path).unwrap();
        }
        house = open(ledger, folder).await;
        assert_eq!(is_failing(&house).await, cannot);
    }
    assert_eq!(house.ledger.about(SMITH).await.unwrap(), []);
    assert!(std::fs::read_to_string(&path).unwrap().contains(BASIS));
}

/// The older copy went by the very file that is there today: whoever it names is reached, however their details were erased there.
#[tokio::test(start_paused = true)]
async fn whoever_todays_directory_names_is_told_although_an_older_copy_had_them_erased() {
    let (older, folder) = erased(async |_| {}, async |_| {}).await;
    let house = House::open_on(older, folder, DIRECTORY, LinkBase::default()).await;
    assert_eq!(house.entries_of("pii.erased").await.len(), 1);
    house.desk.submit(press("1")).await;
    let told = house.sent();
    assert_eq!((told[0].purpose, &told[0].address), (Purpose::Alarm, &Address::Sms("+61400000001".into())));
}

/// A restore is tried more than once: the list does not grow by it, and says when it was first.
#[tokio::test(start_paused = true)]
async fn every_restore_erases_once_and_the_list_stays_as_it_is() {
    let (older, mut folder) = erased(async |_| {}, async |_| {}).await;
    let list = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
    let mut first = None;
    for _restore in 0..3 {
        let house = open(copy_of(&older).await, folder).await;
        let said = house.entries_of("pii.erased").await;
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(said[0]["again"], *first.get_or_insert_with(|| said[0]["again"].clone()));
        let ledger = house.ledger.clone();
        folder = house.crash().await;
        ledger.set_faults(|_| Fault::None);
        folder = open(ledger, folder).await.crash().await;
        assert_eq!(std::fs::read_to_string(folder.path().join(FILE)).unwrap(), list);
    }
}
