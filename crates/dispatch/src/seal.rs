//! The seal below a mail about an alarm: how far the record was signed when the mail was worded. Two plain lines, because gateways
//! hold back an alarm that brings a file.

use crate::message::Mail;

/// A size and a root of the record that are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// How many entries.
    pub size: u64,
    /// The root over them, in base64 as a checkpoint has it.
    pub root: String,
}

impl Seal {
    /// Puts its two lines below a mail.
    pub(crate) fn stamp(&self, mail: Mail) -> Mail {
        let (entries, root) = (format!("Record: {} entries", self.size), format!("Root: {}", self.root));
        let text = format!("{}\n\n{entries}\n{root}\n", mail.text.trim_end());
        let mut html = mail.html;
        // A page of the operator's own may end otherwise, and then only the plain words have it.
        if let Some(end) = html.rfind("</body>") {
            html.insert_str(end, &format!("<p>{entries}<br>{root}</p>\n"));
        }
        Mail { text, html, ..mail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lines_stand_below_and_nothing_else_changes() {
        let seal = Seal { size: 1_042, root: "u6AX+8=".to_owned() };
        let page = |html: &str| Mail {
            subject: "s".to_owned(),
            text: "words\n".to_owned(),
            html: html.to_owned(),
            template: "alarm.email@1".to_owned(),
        };
        let mail = seal.stamp(page("<body><p>words</p></body></html>"));
        assert_eq!(mail.text, "words\n\nRecord: 1042 entries\nRoot: u6AX+8=\n");
        assert_eq!(mail.html, "<body><p>words</p><p>Record: 1042 entries<br>Root: u6AX+8=</p>\n</body></html>");
        assert_eq!(seal.stamp(page("words")).html, "words");
    }
}
