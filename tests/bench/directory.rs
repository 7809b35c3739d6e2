//! The directory that Cooee is measured with: many buttons, one ladder, one person who gets a text message.

use std::fmt::Write as _;

/// The site of all buttons.
pub(crate) const SITE: &str = "bench";

const HEAD: &str = r#"
[defaults]
timezone = "Australia/Perth"

[[customer]]
id = "bench"
name = "Bench"
prefix = "BEN"
ladder = "one"

[[person]]
id = "kim"
name = "Kim"
mobile = "+61491570006"

[[site]]
id = "bench"
customer = "bench"
name = "Bench"
address = "7 Example Road"
suburb = "Kalamunda"
state = "WA"

[[ladder]]
id = "one"

[[ladder.rung]]
notify = [{ person = "kim", by = ["sms"] }]
wait = "1h"

[fallback]
customer = "bench"
ladder = "one"
"#;

/// A directory with this many buttons.
pub(crate) fn of(buttons: u32) -> String {
    let mut text = HEAD.to_owned();
    for key in 0..buttons {
        let name = button(key);
        write!(text, "\n[[device]]\nid = \"{name}\"\nsite = \"{SITE}\"\nplace = \"{name}\"\nmounting = \"fixed\"\n")
            .expect("write to a string");
    }
    text
}

/// A button's name and place, which its text message shows.
pub(crate) fn button(key: u32) -> String {
    format!("q-{key:05}")
}

/// The button that a message speaks of.
pub(crate) fn button_in(message: &[u8]) -> Option<u32> {
    let at = message.windows(2).position(|two| two == b"q-")?;
    let digits = message.get(at + 2..at + 7)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
