//! The first of many names, as a finding says them.

/// `"a", "b" and 3 more`, of which at most so many are named; `None` where there is nobody.
pub(super) fn some_of<N: AsRef<str>>(names: &[N], most: usize) -> Option<String> {
    let shown: Vec<String> = names.iter().take(most).map(|name| format!("\"{}\"", name.as_ref())).collect();
    match names.len().saturating_sub(most) {
        _none if names.is_empty() => None,
        0 => Some(shown.join(", ")),
        more => Some(format!("{} and {more} more", shown.join(", "))),
    }
}
