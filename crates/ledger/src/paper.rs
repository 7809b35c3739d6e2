//! What stands on paper of a checkpoint: its three lines, without a signature.
//!
//! It proves nothing to anybody but whoever kept it. To them it proves as much as a signed one: an operator can make a record
//! anew and sign that too, and cannot change what lies in somebody else's drawer.

use std::str::FromStr;

use crate::checkpoint;
use crate::key::Origin;
use crate::proof::TreeHead;
use crate::tree::Root;

/// A record's name, a number of entries, and the root over them, as the report of a bundle and its QR code have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    origin: Origin,
    head: TreeHead,
}

/// A text that is not what stands on paper of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these are not the three lines of a checkpoint: a record's name, a number of entries, and a root in base64")]
pub struct NotAPaper;

impl FromStr for Paper {
    type Err = NotAPaper;

    /// Reads the three lines, however they end: what scanned them, or who typed them, may have put blanks around them.
    fn from_str(text: &str) -> Result<Self, NotAPaper> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let text = lines.fold(String::new(), |text, line| text + line + "\n");
        let (origin, head) = checkpoint::parse(&text).ok_or(NotAPaper)?;
        Ok(Self { origin, head })
    }
}

impl Paper {
    /// Which record.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Entries it covers.
    pub const fn size(&self) -> u64 {
        self.head.size
    }

    /// The root over them.
    pub const fn root(&self) -> Root {
        self.head.root
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_scanned_or_typed_is_read_and_nothing_else() {
        let lines = ["alerts.example.org/kalamunda/1", "42", "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="];
        let paper: Paper = lines.join("\n").parse().expect("a paper");
        assert_eq!((paper.origin().to_string().as_str(), paper.size()), (lines[0], 42));
        for same in [lines.join("\r\n"), format!("\n  {}  \n", lines.join(" \n\n")), lines.join("\n") + "\n"] {
            assert_eq!(same.parse(), Ok(paper.clone()), "{same:?}");
        }
        let [name, size, root] = lines;
        for other in [
            String::new(),
            format!("{name}\n{size}"),
            format!("{name}\n042\n{root}"),
            format!("{name}\n+42\n{root}"),
            format!("{name}\n{size}\n{}", &root[..40]),
            format!("{name}\n{size}\n{root}\n\u{2014} {name} AAAA"),
        ] {
            assert_eq!(other.parse::<Paper>(), Err(NotAPaper), "{other:?}");
        }
    }
}
