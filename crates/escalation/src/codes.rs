//! Reply codes: which digits mean which activation on which phone.
//!
//! A code is unique per phone among open activations and is not used again within 24 h of closing (sooner
//! where the activation left memory for want of room). Two digits while
//! at least 20 of them are free, then three, then four; stepping by 37 keeps neighbours far apart (mechanisms, "Codes").

use std::collections::BTreeMap;

use crate::acknowledgement::Code;
use crate::id::{ActivationId, ContactKey};

/// Below this many free codes of one width, the next width is used.
const CROWDED: usize = 20;
/// The step through the free set; coprime to 90, 900 and 9000.
const STEP: u32 = 37;
/// Widths: first code and how many there are.
const WIDTHS: [(u16, u16); 3] = [(10, 90), (100, 900), (1_000, 9_000)];

/// All codes in use, by phone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Codes {
    held: BTreeMap<ContactKey, Phone>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Phone {
    last: u16,
    codes: BTreeMap<Code, ActivationId>,
    /// How many codes of each width are in use.
    used: [u16; WIDTHS.len()],
}

impl Codes {
    /// The next free code of this phone. `None` only when all 9,990 are in use.
    pub(crate) fn choose(&self, contact: ContactKey) -> Option<Code> {
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
                (!phone.codes.contains_key(&code)).then_some(code)
            })
        })
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
            let code = codes.choose(phone).unwrap();
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
        let first = codes.choose(phone).unwrap();
        codes.hold(phone, first, &activation(1));
        codes.free(std::iter::once((&phone, &first)));
        assert_ne!(codes.choose(phone), Some(first));
    }
}
