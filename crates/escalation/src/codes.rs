//! Reply codes: which digits mean which activation on which phone.
//!
//! A code is unique per phone among open activations and is not used again within 24 h of closing (sooner
//! where the activation left memory for want of room). Two digits while
//! at least 20 of them are free, then three, then four; stepping by 37 keeps neighbours far apart (mechanisms, "Codes").
//! Notices of troubles have the last hundred codes of four digits to themselves.

use std::collections::BTreeMap;

use crate::acknowledgement::Code;
use crate::id::{ActivationId, ContactKey};

/// Below this many free codes of one width, the next width is used.
const CROWDED: usize = 20;
/// The step through the free set; coprime to 90, 900, 8900 and 100.
const STEP: u32 = 37;
/// Widths: first code and how many there are.
const WIDTHS: [(u16, u16); 3] = [(10, 90), (100, 900), (1_000, 8_900)];
/// The codes of notices, which no activation is given: the answer to a trouble never stops a call, and takes no code from one.
const OF_NOTICES: (u16, u16) = (9_900, 100);

/// All codes in use, by phone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Codes {
    held: BTreeMap<ContactKey, Phone>,
    /// The code of a notice that each phone was given last.
    of_notices: BTreeMap<ContactKey, Code>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Phone {
    last: u16,
    codes: BTreeMap<Code, ActivationId>,
    /// How many codes of each width are in use.
    used: [u16; WIDTHS.len()],
}

impl Codes {
    /// The next free code of this phone that is not `taken`. `None` only when all 9,890 are in use.
    pub(crate) fn choose(&self, contact: ContactKey, taken: impl Fn(Code) -> bool) -> Option<Code> {
        let fresh = Phone::default();
        let phone = self.held.get(&contact).unwrap_or(&fresh);
        let widths = WIDTHS.iter().zip(phone.used);
        widths.enumerate().find_map(|(index, ((first, count), used))| {
            let free = usize::from(count.saturating_sub(used));
            let last_width = index + 1 == WIDTHS.len();
            if free == 0 || (free < CROWDED && !last_width) {
                return None;
            }
            (1..=u32::from(*count)).find_map(|turn| {
                let offset = (u32::from(phone.last.saturating_sub(*first)) + turn * STEP) % u32::from(*count);
                let code = u16::try_from(offset).ok().and_then(|offset| Code::new(first.saturating_add(offset)))?;
                (!phone.codes.contains_key(&code) && !taken(code) && !begins_like_a_notices(code)).then_some(code)
            })
        })
    }

    /// A code for a notice, of those that are not `taken` on this phone: the one that was given the longest time ago.
    pub(crate) fn choose_for_notice(&self, contact: ContactKey, taken: impl Fn(Code) -> bool) -> Option<Code> {
        let (first, count) = OF_NOTICES;
        let (last, from) = match self.of_notices.get(&contact) {
            Some(last) => (u32::from(last.number().saturating_sub(first)), 1_u32),
            None => (0, 0),
        };
        // Older records may have given one of them to an activation.
        let free = |code: &Code| !taken(*code) && self.meaning(contact, *code).is_none();
        (from..from.saturating_add(u32::from(count))).find_map(|turn| {
            let offset = u16::try_from((last + turn * STEP) % u32::from(count)).ok()?;
            Code::new(first.saturating_add(offset)).filter(&free)
        })
    }

    /// The next one that this phone is given is another.
    pub(crate) fn give_to_notice(&mut self, contact: ContactKey, code: Code) {
        self.of_notices.insert(contact, code);
    }

    /// Whether it is one that notices are given.
    pub(crate) fn is_of_notices(code: Code) -> bool {
        let (first, count) = OF_NOTICES;
        (first..first.saturating_add(count)).contains(&code.number())
    }

    /// Which activation a code means on this phone.
    pub(crate) fn meaning(&self, contact: ContactKey, code: Code) -> Option<&ActivationId> {
        self.held.get(&contact)?.codes.get(&code)
    }

    /// Every activation that this phone holds a code for, newest last.
    pub(crate) fn of(&self, contact: ContactKey) -> impl Iterator<Item = &ActivationId> {
        self.held.get(&contact).into_iter().flat_map(|phone| phone.codes.values())
    }

    pub(crate) fn hold(&mut self, contact: ContactKey, code: Code, activation: &ActivationId) {
        let phone = self.held.entry(contact).or_default();
        phone.last = code.number();
        if phone.codes.insert(code, activation.clone()).is_none()
            && let Some(used) = phone.used.get_mut(width(code))
        {
            *used = used.saturating_add(1);
        }
    }

    /// Frees the codes of an activation that has left memory. The phone's place in the sequence is kept.
    pub(crate) fn free<'c>(&mut self, codes: impl Iterator<Item = (&'c ContactKey, &'c Code)>) {
        for (contact, code) in codes {
            if let Some(phone) = self.held.get_mut(contact)
                && phone.codes.remove(code).is_some()
                && let Some(used) = phone.used.get_mut(width(*code))
            {
                *used = used.saturating_sub(1);
            }
        }
    }
}

/// Whether somebody who answers a trouble, and leaves out the last digits, would have written it.
fn begins_like_a_notices(code: Code) -> bool {
    matches!(code.number(), 99 | 990..=999)
}

/// Which of the widths a code has.
fn width(code: Code) -> usize {
    WIDTHS.iter().take_while(|(first, _)| *first <= code.number()).count().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activation(number: u32) -> ActivationId {
        ActivationId { prefix: "KAL".parse().unwrap(), series: 0, number }
    }

    #[test]
    fn one_phone_never_has_one_code_twice_and_grows_when_crowded() {
        let phone = ContactKey::new([7; 16]);
        let mut codes = Codes::default();
        let mut seen = std::collections::BTreeSet::new();
        for n in 1..=1_200 {
            let code = codes.choose(phone, |_| false).unwrap();
            assert!(seen.insert(code), "code {code} was given twice");
            codes.hold(phone, code, &activation(n));
        }
        assert_eq!(seen.iter().filter(|c| c.number() < 100).count(), 71, "two digits until fewer than 20 are free");
        assert_eq!(seen.iter().filter(|c| (100..1_000).contains(&c.number())).count(), 881);
    }

    #[test]
    fn a_freed_code_is_not_the_next_one_given() {
        let phone = ContactKey::new([7; 16]);
        let mut codes = Codes::default();
        let first = codes.choose(phone, |_| false).unwrap();
        codes.hold(phone, first, &activation(1));
        codes.free(std::iter::once((&phone, &first)));
        assert_ne!(codes.choose(phone, |_| false), Some(first));
    }

    /// A late answer to an earlier trouble must not meet a new one, for as long as there are others.
    #[test]
    fn a_notice_is_given_the_code_that_was_given_the_longest_time_ago() {
        let (mut codes, phone) = (Codes::default(), ContactKey::new([7; 16]));
        let mut given = Vec::new();
        for _ in 0..100 {
            let code = codes.choose_for_notice(phone, |_| false).unwrap();
            assert!(Codes::is_of_notices(code) && !given.contains(&code), "{code} again");
            codes.give_to_notice(phone, code);
            given.push(code);
        }
        assert_eq!(codes.choose_for_notice(phone, |_| false), given.first().copied());
        assert_eq!(codes.choose_for_notice(phone, |code| Some(&code) == given.first()), given.get(1).copied());
        assert_eq!(codes.choose_for_notice(phone, |_| true), None);
    }
}
