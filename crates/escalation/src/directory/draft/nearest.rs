//! The known word that someone probably meant.

/// The nearest of `known` to `word`, where it is near enough for a slip of the hand.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A longer text is not a slip of the hand, and the distance costs its square.
    if word.len() > 64 {
        return None;
    }
    let slips_max = (word.chars().count() / 3).max(1);
    known
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(slips, _)| *slips <= slips_max)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}
