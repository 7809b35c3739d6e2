//! The mail that carries a checkpoint: words for whoever keeps it, and the note itself as a file, so that no mail program re-wraps it.

use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Attachment, Body, MessageBuilder, MultiPart, SinglePart};

use super::Keepsake;

/// What the file is called.
const FILE: &str = "checkpoint.txt";

/// Writes the mail; `None` where the library cannot.
pub(super) fn write(begun: MessageBuilder, id: &str, keepsake: &Keepsake) -> Option<Message> {
    let file = Body::new_with_encoding(keepsake.note.clone().into_bytes(), ContentTransferEncoding::Base64).ok()?;
    // Not a text to mail programs: those change line ends and character sets on their way.
    let kind = ContentType::parse("application/octet-stream").ok()?;
    begun
        .subject(subject(keepsake))
        .date(keepsake.at.into())
        .message_id(Some(id.to_owned()))
        .multipart(
            MultiPart::mixed().singlepart(SinglePart::plain(words(keepsake))).singlepart(Attachment::new(FILE.to_owned()).body(file, kind)),
        )
        .ok()
}

fn subject(keepsake: &Keepsake) -> String {
    format!("Please keep: checkpoint {} of {}", keepsake.size, keepsake.origin)
}

fn words(keepsake: &Keepsake) -> String {
    let Keepsake { station, origin, size, root, keys, at: _, note: _ } = keepsake;
    let keys = keys.iter().map(|key| format!("    {key}")).collect::<Vec<_>>().join("\n");
    format!(
        "This is no alarm. Nothing has to be done but to keep this mail.\n\
         \n\
         {station} records every duress alarm, and what was done about it.\n\
         The file {FILE} is a seal on that record: whoever has it can show\n\
         later if anything that was recorded before it was made has been changed,\n\
         removed or inserted since. It cannot be made to fit a changed record, not\n\
         even by the people who run the system. That is why you get it, and it\n\
         helps only if you keep it where they cannot delete it. It holds no name\n\
         and no word; from how the number of entries grows one can tell how much\n\
         happens, so show it to nobody who must not know that.\n\
         \n\
         Record:   {origin}\n\
         Entries:  {size}\n\
         Root:     {root}\n\
         \n\
         To check a record against it, save {FILE}, get a copy of the\n\
         record's database, and run with the program cooee:\n\
         \n\
         \x20   cooee verify --database COPY.db --checkpoint {FILE} --key KEY\n\
         \n\
         KEY is the record's public key. Use the one that you were given on paper\n\
         when this was set up. It should be one of these:\n\
         \n\
         {keys}\n\
         \n\
         A machine wrote this mail, and nobody reads answers to it.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_it_is_why_to_keep_it_and_how_to_check_it() {
        let keepsake = Keepsake {
            station: "Kalamunda".to_owned(),
            origin: "alerts.example.org/kalamunda/1".to_owned(),
            size: 1_042,
            root: "u6AXCOeqZcos9Ddq6mFRme+NDhWznONgT6yPFuP3MZ8=".to_owned(),
            note: "alerts.example.org/kalamunda/1\n1042\nu6AX\n\n\u{2014} sig\n".to_owned(),
            keys: vec!["alerts.example.org/kalamunda/1+00000001+AQ==".to_owned()],
            at: "2026-11-28T10:00:00Z".parse().unwrap(),
        };
        expect_test::expect_file!["../../tests/voice/anchor_mail.txt"].assert_eq(&words(&keepsake));
        let begun = Message::builder().from("a@example.org".parse().unwrap()).to("b@example.org".parse().unwrap());
        let mail = String::from_utf8(write(begun, "<checkpoint.1042.1@example.org>", &keepsake).unwrap().formatted()).unwrap();
        let file = mail.split("filename=\"checkpoint.txt\"").nth(1).unwrap();
        assert!(file.contains("Content-Type: application/octet-stream") && file.contains("Content-Transfer-Encoding: base64"), "{mail}");
    }
}
