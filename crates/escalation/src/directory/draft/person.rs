//! `[[person]]`: who can be asked, and how they are reached.

use std::fmt;

use super::reader::{At, Section};
use super::{mailbox, mobile};
use crate::id::{CustomerId, SiteId, Slug};
use crate::ladder::Medium;

/// A person as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftPerson {
    /// The directory's own id, which is often a name.
    pub id: Slug,
    /// Whose person; anybody's where none is named.
    pub customer: Option<At<CustomerId>>,
    /// The name; the id where none is given.
    pub name: String,
    /// The mobile number, E.164.
    pub mobile: Option<At<String>>,
    /// The mailbox.
    pub email: Option<At<String>>,
    /// Where this person's phones ring.
    pub based_at: Option<At<SiteId>>,
    /// Where it begins.
    pub line: usize,
}

impl DraftPerson {
    pub(super) fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let id = section.id::<Slug>("id");
        section.missing("id", "", "give the person a short name for the ladders");
        let customer = section.id("customer");
        let name = section.text("name");
        let mobile = mobile::read(&mut section, "mobile");
        let email = mailbox::read(&mut section, "email");
        let based_at = section.id("based_at");
        section.later(
            "screen",
            "rules for a phone that others can see are",
            "leave the key out: every message is worded as if others could see it",
        );
        let line = section.line;
        if section.absent("mobile") && section.absent("email") {
            let what = section.titled("there is no way to reach this person");
            section.reader.warn(
                line,
                what,
                "a rung that names only this person takes 0 s",
                "add  mobile = \"+614...\"  or  email = \"...\"",
            );
        }
        section.close();
        let id = id?.value;
        Some(Self { name: name.map_or_else(|| id.to_string(), |n| n.value), id, customer, mobile, email, based_at, line })
    }

    /// Whether a message by `medium` could be addressed to this person.
    pub fn reachable_by(&self, medium: Medium) -> bool {
        match medium {
            Medium::Sms | Medium::Voice => self.mobile.is_some(),
            Medium::Email => self.email.is_some(),
            Medium::Webhook | Medium::Desk => false,
        }
    }
}

impl fmt::Debug for DraftPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DraftPerson(line {}, redacted)", self.line)
    }
}
