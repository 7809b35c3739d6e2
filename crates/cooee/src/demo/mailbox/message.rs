//! What a reader sees of a mail: its subject and its plain text. Reads what our own mails contain, and shows the rest raw.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Subject and plain text of a raw mail.
pub(super) fn read(raw: &str) -> (String, String) {
    let raw = raw.replace("\r\n", "\n");
    let (head, body) = raw.split_once("\n\n").unwrap_or((raw.as_str(), ""));
    let subject = header(head, "Subject").unwrap_or_default();
    (subject, plain_text(head, body))
}

fn plain_text(head: &str, body: &str) -> String {
    let kind = header(head, "Content-Type").unwrap_or_default();
    let Some(boundary) = kind.split_once("boundary=").map(|(_, b)| b.trim_matches(['"', ';', ' '])) else {
        return decoded(head, body);
    };
    let mark = format!("--{boundary}");
    let parts = body.split(mark.as_str()).skip(1).filter(|part| !part.starts_with("--"));
    let parts = parts.filter_map(|part| part.trim_start_matches('\n').split_once("\n\n"));
    let mut parts = parts.map(|(head, body)| (header(head, "Content-Type").unwrap_or_default(), head, body));
    match parts.find(|(kind, _, _)| kind.starts_with("text/plain") || kind.starts_with("multipart/")) {
        Some((kind, head, body)) if kind.starts_with("text/plain") => decoded(head, body),
        Some((_, head, body)) => plain_text(head, body),
        None => body.to_owned(),
    }
}

/// A header's value with its folded lines joined.
fn header(head: &str, name: &str) -> Option<String> {
    let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
    unfolded.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

fn decoded(head: &str, body: &str) -> String {
    let encoding = header(head, "Content-Transfer-Encoding").unwrap_or_default();
    let text = match encoding.to_ascii_lowercase().as_str() {
        "quoted-printable" => quoted_printable(body),
        "base64" => {
            let compact: String = body.split_whitespace().collect();
            STANDARD.decode(compact).unwrap_or_else(|_| body.as_bytes().to_vec())
        }
        _ => body.as_bytes().to_vec(),
    };
    String::from_utf8_lossy(&text).trim_end().to_owned()
}

/// RFC 2045, 6.7. What is not an escape is taken as it is.
fn quoted_printable(body: &str) -> Vec<u8> {
    let joined = body.replace("=\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_str();
    while let Some((before, after)) = rest.split_once('=') {
        bytes.extend_from_slice(before.as_bytes());
        let escape = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let (Some(byte), Some(left)) = (escape, after.get(2..)) {
            bytes.push(byte);
            rest = left;
        } else {
            bytes.push(b'=');
            rest = after;
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_read() {
        let raw = "Subject: A\r\n folded one\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=C3=A9 =3D=\r\n ok =zz\r\n";
        assert_eq!(read(raw), ("A folded one".to_owned(), "café = ok =zz".to_owned()));
    }

    #[test]
    fn the_plain_part_of_many_is_shown() {
        let raw = "Subject: x\nContent-Type: multipart/alternative;\n boundary=\"b\"\n\n--b\nContent-Type: text/html\n\n<p>\n--b\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\naGVs\nbG8=\n--b--\n";
        assert_eq!(read(raw).1, "hello");
    }
}
