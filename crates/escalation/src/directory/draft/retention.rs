//! `[[retention]]`: for how long what a class of calls holds of people is kept, and by which right it is erased then.

use std::collections::BTreeSet;

use super::Draft;
use super::reader::{At, Reader, Section, Wrong};
use crate::id::CustomerId;
use crate::retention::{BASIS_MAX, Class, Keep, Term, Terms};

/// A term as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftRetention {
    /// Whose calls; `None` is those of every customer that says nothing of the class.
    pub customer: Option<At<CustomerId>>,
    /// Which of them.
    pub class: Class,
    /// For how long, and by which right.
    pub term: Term,
    /// Where it begins.
    pub line: usize,
}

impl DraftRetention {
    pub(super) fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let customer = section.id("customer");
        let class = section.read("class", |text| {
            Class::ALL.into_iter().find(|class| class.as_str() == text).ok_or_else(|| {
                let known = Class::ALL.map(Class::as_str).join(", ");
                Wrong::new("is no class of calls", format!("write one of {known}"))
            })
        });
        section.missing("class", "nobody knows what is kept so long", "add  class = \"genuine\", \"unfounded\", \"test\" or \"drill\"");
        let keep = section.read("keep", |text| {
            Keep::parse(text).map_err(|why| Wrong::new(why.to_string(), "write how long after its closing a call is kept: \"7y\", \"90d\""))
        });
        section.missing("keep", "nothing would ever be due", "add  keep = \"7y\"");
        let basis = section.read("basis", basis);
        section.missing(
            "basis",
            "nothing may be erased without a right to",
            "name the disposal authority or law:  basis = \"General Disposal Authority for Local Government, 27.2.1\"",
        );
        let line = section.line;
        section.close();
        Some(Self { customer, class: class?.value, term: Term { keep: keep?.value, basis: basis?.value }, line })
    }
}

/// What the record will hold for ever beside what was erased: a line that reads as it is written.
fn basis(text: &str) -> Result<String, Wrong> {
    let unseen = |c: char| {
        c.is_control() || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let text = text.trim();
    if text.is_empty() || text.len() > BASIS_MAX || text.chars().any(unseen) {
        let what = format!("is no line of 1 to {BASIS_MAX} bytes that can be read");
        return Err(Wrong::new(what, "name the disposal authority or law in plain letters"));
    }
    Ok(text.to_owned())
}

impl Draft {
    /// How long what is kept.
    pub fn terms(&self) -> Terms {
        let term = |retention: &DraftRetention| {
            let customer = retention.customer.as_ref().map(|customer| customer.value.clone());
            (retention.class, customer, retention.term.clone())
        };
        Terms::new(self.retention.iter().map(term), self.customers.iter().map(|customer| customer.id.clone()).collect())
    }
}

/// Whether every customer that is named is there, and each class has one term.
pub(super) fn review(reader: &mut Reader<'_>, draft: &Draft) {
    let mut said = BTreeSet::new();
    for retention in &draft.retention {
        let class = retention.class.as_str();
        if let Some(At { value, line }) = &retention.customer
            && !draft.customers.iter().any(|customer| customer.id == *value)
        {
            let what = format!("retention of {class}: there is no customer \"{value}\" in this file");
            let consequence = "it holds for the calls of a customer who has left, and for nobody where the name is wrong";
            reader.warn(*line, what, consequence, "leave it for as long as the record has calls of theirs");
        }
        if !said.insert((retention.class, retention.customer.as_ref().map(|customer| &customer.value))) {
            let whose = retention.customer.as_ref().map_or_else(|| "everybody".to_owned(), |customer| format!("\"{}\"", customer.value));
            let what = format!("retention of {class} at {whose} is written twice");
            reader.error(retention.line, what, "nobody could say which of them holds", "keep one of them");
        }
    }
}
