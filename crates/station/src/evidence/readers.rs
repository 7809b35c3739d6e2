//! Readers: who read of an activation, as far as whoever is handed the bundle may know.

use std::collections::BTreeSet;

use escalation::event::{Reader, ViewOf, Viewed, Viewer};
use escalation::id::ActivationId;
use ledger::{EntryBody, Ledger, ReadError, TlogProof, ViewsQuery};

use super::letters::plain;
use super::{Kept, PAGE};
use crate::viewed;

/// The most entries about readers that a bundle holds, the latest: each makes two files, and a zip holds 65,535.
const READERS_MAX: usize = 2_000;
/// Why an applicant is not told who read.
pub(super) const SOMEBODYS: &str = "who read of the activation";
/// What no list of readers holds, and must not be taken for a list of everybody.
const NOT_HERE: &str =
    "  Not in this list: who followed the live stream or read the entries of the record themselves, who was shown a list of calls,
  who had read more than 500 things within that hour, and who read the database or a copy of it. Looks are recorded only since the station runs a version that does so.
";

/// The entries that say who read of an activation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readers {
    /// The latest of them, in order.
    pub(super) kept: Vec<Kept>,
    /// How many there are before those.
    earlier: usize,
    /// How many came too late to be signed.
    unsigned: usize,
}

impl Readers {
    /// Reads the latest, and counts all.
    pub(super) async fn of<L: Ledger>(ledger: &L, id: &ActivationId) -> Result<Self, ReadError> {
        let stream = Some(ViewOf::Activation(id.clone()).to_string());
        let mut query = ViewsQuery { stream, custs: None, before: None, limit: PAGE };
        let mut readers = Self::default();
        loop {
            let entries = ledger.views(&query).await?;
            let Some(last) = entries.last() else { break };
            query.before = Some(last.seq);
            for entry in entries {
                if readers.kept.len() < READERS_MAX {
                    readers.kept.push(Kept::read(ledger, entry).await?);
                } else {
                    readers.earlier += 1;
                }
            }
        }
        readers.kept.reverse();
        Ok(readers)
    }

    /// Leaves out what is not among so many entries that are signed.
    pub(super) fn keep_signed(&mut self, size: u64) {
        let all = self.kept.len();
        self.kept.retain(|kept| kept.entry.seq.index() < size);
        self.unsigned = all.saturating_sub(self.kept.len());
    }

    /// Who read, in words: as far as it is in the bundle, and no further; and what of it is not.
    pub(super) fn in_words(&self, reader: Reader, proven: &[(EntryBody, TlogProof)]) -> String {
        let given: BTreeSet<&[u8]> = proven.iter().map(|(body, _)| body.bytes()).collect();
        let is_given = |kept: &&Kept| kept.entry.body.as_ref().is_some_and(|body| given.contains(body.bytes()));
        let said = self.kept.iter().filter(is_given).filter_map(|kept| viewed::said(&kept.entry));
        let lines: Vec<String> = said.map(|(_, said)| line(&said)).collect();
        let heading = match reader {
            Reader::Police | Reader::Regulator => "Who read of it before this was made, counted by the hour:",
            Reader::Foi => "Who read of it is withheld.",
        };
        let (kept, earlier, unsigned) = (self.kept.len(), self.earlier, self.unsigned);
        let withheld = kept.saturating_sub(lines.len());
        let all = kept.saturating_add(earlier).saturating_add(unsigned);
        let mut words = format!("\n{heading}\n{}", lines.concat());
        let mut say = |what: String, is_so: bool| words.push_str(if is_so { &what } else { "" });
        say("  The record names nobody yet.\n".to_owned(), all == 0);
        say(format!("  Withheld: {withheld} entries about readers; see withheld.csv.\n"), withheld > 0);
        say(
            format!("  This is of the latest {} of {all} such entries; those before are not in this folder.\n", all - earlier),
            earlier > 0,
        );
        say(format!("  {unsigned} of them were not signed yet and are not in this folder; ask again for those.\n"), unsigned > 0);
        words + NOT_HERE
    }
}

fn line(said: &Viewed) -> String {
    let who = match &said.by {
        Some(Viewer::Principal(principal)) => plain(principal),
        Some(Viewer::Link(person)) => format!("whoever has the link of {person}"),
        None => "readers who could not be kept apart".to_owned(),
    };
    let how: Vec<&str> = said.how.iter().map(|way| way.as_str()).collect();
    let Viewed { count, first, last, .. } = said;
    format!("  {who}: {count} times by {}, from {first:.0} to {last:.0}\n", how.join(" and "))
}

#[cfg(test)]
mod tests {
    use ledger::memory::MemoryLedger;
    use ledger::{Batch, Seq};
    use serde_json::{Map, Value, json};

    use super::*;

    fn entry(number: usize) -> EntryBody {
        let by = if number == 0 { json!({"principal": "desk\n  the mayor\u{202e}"}) } else { json!({"link": "P-3"}) };
        let fields = json!({
            "v": 1, "t": "2026-04-13T07:40:00.000000Z", "boot": "b-00000000", "mono_us": number, "nonce": format!("{number:032x}"),
            "type": "record.viewed", "in": "views:KAL-1", "cust": "kalamunda", "site": "library", "by": by, "how": ["link"], "count": 2,
            "first": "2026-04-13T06:40:00Z", "last": "2026-04-13T07:39:59Z",
        });
        let fields: Map<String, Value> = fields.as_object().unwrap().clone();
        EntryBody::write(&fields).unwrap()
    }

    async fn read(count: usize) -> Readers {
        let ledger = MemoryLedger::new();
        let mut batch = Batch::new(Seq::FIRST);
        for number in 0..count {
            batch.push(entry(number), Vec::new());
        }
        if count > 0 {
            ledger.append(&batch).await.unwrap();
        }
        Readers::of(&ledger, &"KAL-1".parse().unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn it_says_of_how_many_these_are_the_latest_and_which_are_not_signed() {
        let mut readers = read(READERS_MAX + 5).await;
        assert_eq!((readers.kept.len(), readers.earlier, readers.kept[0].entry.seq.index()), (READERS_MAX, 5, 5));
        readers.keep_signed(2_002);
        let words = readers.in_words(Reader::Police, &[]);
        assert!(words.contains("Withheld: 1997 entries") && words.contains("the latest 2000 of 2005 such entries"), "{words}");
        assert!(words.contains("3 of them were not signed yet") && words.contains("live stream"), "{words}");
        let none = read(0).await.in_words(Reader::Police, &[]);
        assert!(none.contains("names nobody yet") && !none.contains("Withheld") && !none.contains("signed"), "{none}");
    }

    #[test]
    fn no_name_of_a_key_poses_as_a_line() {
        let by = |by| {
            line(&Viewed {
                of: ViewOf::People,
                cust: None,
                site: None,
                by,
                how: Vec::new(),
                count: 1,
                first: "2026-04-13T06:40:00Z".parse().unwrap(),
                last: "2026-04-13T06:40:00Z".parse().unwrap(),
            })
        };
        let said = by(Some(Viewer::Principal("desk\n  the mayor\u{202e}\u{2028}".to_owned())));
        assert!(said.starts_with("  desk?  the mayor??: 1 times") && said.lines().count() == 1, "{said}");
        assert!(by(Some(Viewer::Link(escalation::id::PersonId::new(3)))).contains("the link of P-3"));
    }
}
