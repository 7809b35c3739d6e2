//! Selection: what of a dossier is in the bundle, what is not, and why.

use escalation::event::Reader;
use escalation::time::Timestamp;
use ledger::memory::MemoryLedger;
use ledger::{Batch, Bundle, Disclosure, EntryBody, IDENTIFIER, Ledger as _, Seq, TlogProof, Withheld};

use super::guard::Guard;
use super::letters::plain;
use super::report::Paper;
use super::{Dossier, Held, Kept, NotHanded, Wish, anchors, readers, report};
use crate::desk::DeskError;
use crate::links;
use crate::look::History;
use crate::notary::{Attested, Proofs};
use crate::portray;
use crate::view::Detail;

const GONE: &str = "its bytes are not kept any more";
const ERASED: &str = "erased: the value is not kept any more";
const NAMES: &str = "it names somebody whose name is withheld";
const LINK: &str = "it holds a link by which somebody can still answer; ask again once the activation has left memory";
const SENT: &str = "what a device sent: the entry holds its plain hash and a guess at a short message could be confirmed";
const WORD: &str = "what a word was that somebody gave";
const PERSON: &str = "the details of a person";
const DIRECTORY: &str = "the directory: it holds the places of every customer";
const UNTYPESET: &str = "\nreport.pdf could not be made this time. report.html says the same.\n";
const README: &str = include_str!("readme.txt");

/// What is in a bundle.
#[derive(Default)]
struct Selection {
    /// Whether a link that was sent still answers.
    links_answer: bool,
    proven: Vec<(EntryBody, TlogProof)>,
    disclosures: Vec<Disclosure>,
    withheld: Vec<Withheld>,
}

/// Makes the bundle that this reader may have.
pub(super) async fn bundle(
    dossier: &Dossier,
    notary: &dyn Proofs,
    attested: Attested,
    wish: &Wish,
    now: Timestamp,
) -> Result<Bundle, NotHanded> {
    let guard = Guard::of(dossier, wish.reader);
    let anchors_told = anchors::are_told(wish);
    let mut taken = dossier.taken(&guard, anchors_told);
    let given = anchors::given(notary, &mut taken, &attested.checkpoint).await;
    taken.retain(|taken| given.iter().any(|given| given.entry == taken.entry));
    let mut proofs = attested.proofs.into_iter();
    let mut selection = Selection { links_answer: dossier.links_answer(), ..Selection::default() };
    for (kept, aseq) in dossier.own.iter().zip(0..) {
        let Some(proof) = proofs.next() else { break };
        match entry_withheld_from(wish.reader, kept) {
            None => selection.take(kept, Some(aseq), proof, &guard, wish.reader),
            Some(why) => selection.withhold(kept, Some(aseq), why),
        }
    }
    for (kept, proof) in dossier.people.iter().zip(proofs.by_ref()) {
        match wish.reader {
            Reader::Police => selection.take(kept, None, proof, &guard, wish.reader),
            Reader::Regulator | Reader::Foi => selection.withhold(kept, None, PERSON),
        }
    }
    for (kept, proof) in dossier.anchors.iter().zip(proofs.by_ref()) {
        if anchors_told {
            selection.take(kept, None, proof, &guard, wish.reader);
        } else {
            selection.withhold(kept, None, anchors::SOMEBODYS);
        }
    }
    for (kept, proof) in dossier.readers.kept.iter().zip(proofs) {
        match wish.reader {
            Reader::Police | Reader::Regulator => selection.take(kept, None, proof, &guard, wish.reader),
            Reader::Foi => selection.withhold(kept, None, readers::SOMEBODYS),
        }
    }
    let read = dossier.readers.in_words(wish.reader, &selection.proven);
    let directories = dossier.directories.iter();
    selection.withheld.extend(directories.map(|entry| Withheld {
        index: entry.seq.index(),
        leaf: entry.leaf,
        aseq: None,
        value: None,
        reason: DIRECTORY,
    }));
    // What people read is made of the bundle alone, so that it can say nothing that is not in it; but for what places are called,
    // and to the police what the steps of a plan say: that is the station's word.
    let detail = shown(&selection, dossier, wish.reader).await?;
    let paper = report::write(&report::Report {
        detail: &detail,
        own: &dossier.own,
        withheld: &selection.withheld,
        taken: &taken,
        checkpoint: &attested.checkpoint,
        keys: &attested.keys,
        guard: &guard,
        reader: wish.reader,
        principal: &wish.principal,
        actor: wish.actor.as_deref().filter(|_| wish.reader == Reader::Police),
        made_at: now,
    });
    let Selection { proven, disclosures, withheld, .. } = selection;
    let principal = if guard.hears(&wish.principal) { "withheld" } else { &wish.principal };
    Ok(Bundle {
        name: wish.of.to_string(),
        info: vec![
            (IDENTIFIER, wish.of.to_string()),
            ("External-Description", format!("Evidence of activation {}, for: {}", wish.of, wish.reader.as_str())),
            ("Bagging-Date", now.to_string().chars().take(10).collect()),
            ("Bag-Software-Agent", format!("cooee {}", env!("CARGO_PKG_VERSION"))),
            ("Cooee-For", wish.reader.as_str().to_owned()),
            ("Cooee-Handed-To", plain(principal)),
            ("Cooee-Made-At", format!("{now:.6}")),
        ],
        keys: attested.keys,
        checkpoint: attested.checkpoint,
        proven,
        disclosures,
        withheld,
        anchors: given,
        papers: papers(paper, report::anchors_in_words(&taken, dossier.own.len()) + &read).await,
    })
}

/// What people read: the same on a page and on paper. What cannot be typeset keeps nobody waiting for evidence, and is said.
async fn papers(paper: Paper, more: String) -> Vec<(&'static str, Vec<u8>)> {
    let page = report::html::page(&paper);
    let mut readme = format!("{README}{more}");
    // Of a long activation it takes seconds: beside those who answer the desk.
    let made = tokio::task::spawn_blocking(move || report::pdf::typeset(&paper)).await;
    // What a panic says may hold words of the report, which no log may have.
    let made = made.map_err(|_died| "the typesetter died".to_owned()).and_then(|made| made.map_err(|why| why.to_string()));
    let mut papers = vec![("report.html", page.into_bytes())];
    match made {
        Ok(pdf) => papers.push(("report.pdf", pdf)),
        Err(why) => {
            tracing::error!(%why, "a report could not be typeset; the bundle goes out without report.pdf and says so");
            readme.push_str(UNTYPESET);
        }
    }
    papers.push(("README.txt", readme.into_bytes()));
    papers
}

impl Selection {
    fn take(&mut self, kept: &Kept, aseq: Option<u64>, proof: TlogProof, guard: &Guard, reader: Reader) {
        let Some(body) = &kept.entry.body else { return self.withhold(kept, aseq, GONE) };
        if guard.hears(&String::from_utf8_lossy(body.bytes())) {
            return self.withhold(kept, aseq, NAMES);
        }
        for held in &kept.values {
            match (&held.disclosure, withheld_from(reader, &kept.entry.columns.kind, held)) {
                (Some(value), None) if guard.hears(&value.value()) => self.withhold_value(kept, held, NAMES),
                (Some(value), None) if self.links_answer && links::held(&value.value()) => self.withhold_value(kept, held, LINK),
                (Some(value), None) => self.disclosures.push(value.clone()),
                (Some(_), Some(why)) => self.withhold_value(kept, held, why),
                (None, _) => self.withhold_value(kept, held, ERASED),
            }
        }
        self.proven.push((body.clone(), proof));
    }

    fn withhold(&mut self, kept: &Kept, aseq: Option<u64>, reason: &'static str) {
        self.withheld.push(Withheld { index: kept.entry.seq.index(), leaf: kept.entry.leaf, aseq, value: None, reason });
    }

    fn withhold_value(&mut self, kept: &Kept, held: &Held, reason: &'static str) {
        let value = Some((held.digest, held.label.to_owned()));
        self.withheld.push(Withheld { index: kept.entry.seq.index(), leaf: kept.entry.leaf, aseq: None, value, reason });
    }
}

/// Why a whole entry is withheld: what stands in its bytes cannot be taken out of them. `None` where it may be told.
fn entry_withheld_from(reader: Reader, kept: &Kept) -> Option<&'static str> {
    match reader {
        Reader::Police | Reader::Regulator => return None,
        Reader::Foi => {}
    }
    match kept.entry.columns.kind.as_str() {
        // Also which of them follow each other: a word is acted on after it was judged.
        "word.judged" | "word.heeded" => Some(WORD),
        // Also one without that hash: it would say that what was sent was a word.
        _ => kept.fields().get("signal").map(|_| SENT),
    }
}

/// Why a value is withheld; `None` where it may be told.
fn withheld_from(reader: Reader, kind: &str, held: &Held) -> Option<&'static str> {
    match reader {
        Reader::Police => None,
        Reader::Foi => Some("private: no private value is released"),
        Reader::Regulator => match (kind, held.label) {
            ("police.rung", "reference") => None,
            // Our own texts say who is going and whom they are for, in first names and cut to fit: no search finds those again.
            _ => Some("it names or reaches a person or is in a person's own words"),
        },
    }
}

/// What the report can say: the history, with the names and values that this reader may have.
async fn shown(selection: &Selection, dossier: &Dossier, reader: Reader) -> Result<Detail, DeskError> {
    let unreadable = |why: &dyn std::fmt::Display| DeskError::Record(why.to_string());
    let disclosed = MemoryLedger::new();
    let mut batch = Batch::new(Seq::FIRST);
    if let Some((body, _)) = selection.proven.first() {
        batch.push(body.clone(), selection.disclosures.clone());
    }
    disclosed.append(&batch).await.map_err(|why| unreadable(&why))?;
    let vault = match reader {
        Reader::Police => dossier.vault.as_ref().clone(),
        Reader::Regulator | Reader::Foi => dossier.vault.without_people(),
    };
    let entries: Vec<_> = dossier.own.iter().map(|kept| kept.entry.clone()).collect();
    let card = portray::archived(&vault, &entries).ok_or_else(|| unreadable(&"its first entry does not read"))?;
    let history = History { gap_after: entries.len(), entries, left_out: 0 };
    portray::detail(&disclosed, &vault, card, &history).await.map_err(|why| unreadable(&why))
}
