//! The one way JSON is written in the record: a fix-point of JCS (RFC 8785), which anybody can also just hash.
//!
//! Narrower than JCS on purpose: ASCII keys, so that every sort order agrees, and integers below 2^53, so that every
//! reader agrees on the numbers. Does not know what the fields mean; that is `entry`.

use serde_json::{Map, Number, Value};

/// Integers must lie strictly between -2^53 and 2^53 (RFC 7493 section 2.2).
const INTEGER_BOUND: u64 = 1 << 53;

/// How deep a value may nest: one less than the limit of `serde_json`, so that all that is written can be read.
const DEPTH_LIMIT: usize = 127;

/// Why JSON cannot be written canonically.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    /// A key with a character outside ASCII.
    #[error("a key has a character outside ASCII")]
    Key,
    /// A fraction, an exponent, or an integer of 2^53 or more.
    #[error("a number is not an integer below 2^53")]
    Number,
    /// Nested more than 127 deep.
    #[error("it nests more than {DEPTH_LIMIT} deep")]
    Depth,
}

/// The canonical bytes of an object.
pub(crate) fn object(map: &Map<String, Value>) -> Result<Vec<u8>, NotCanonical> {
    let mut out = Vec::with_capacity(1_024);
    write_object(&mut out, map, DEPTH_LIMIT)?;
    Ok(out)
}

/// The canonical bytes of one object that `serde_json` wrote compactly, without a tree of it in between: a press writes
/// several entries, and the tree was half of what each of them cost. `None` where anything is out of the ordinary (a field
/// twice, an escape in a key, a number out of bounds, another spelling): [`object`] then says what.
pub(crate) fn arranged(json: &[u8]) -> Option<Vec<u8>> {
    let mut arranger = Arranger { rest: json, out: Vec::with_capacity(json.len()), fields: Vec::new(), sorted: Vec::new() };
    arranger.object(DEPTH_LIMIT)?;
    arranger.rest.is_empty().then_some(arranger.out)
}

/// Whether these bytes are one object in the canonical way, seen at a glance: without a tree of it, and without a copy. `false` where they
/// are not, and where a key has an escape in it: what [`object`] writes of the tree then decides.
pub(crate) fn is_object(json: &[u8]) -> bool {
    std::str::from_utf8(json).is_ok() && {
        let mut glance = Glance { rest: json };
        glance.object(DEPTH_LIMIT).is_some() && glance.rest.is_empty()
    }
}

/// Goes through JSON that is canonical, and ends where it is not.
struct Glance<'a> {
    rest: &'a [u8],
}

impl<'a> Glance<'a> {
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.rest.first()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(drop),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.take(b'{')?;
        let mut before: Option<&[u8]> = None;
        while self.rest.first()? != &b'}' {
            if before.is_some() {
                self.take(b',')?;
            }
            let key = self.string()?;
            if !key.is_ascii() || key.contains(&b'\\') || before.is_some_and(|before| before >= key) {
                return None;
            }
            before = Some(key);
            self.take(b':')?;
            self.value(depth)?;
        }
        self.take(b'}')
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.take(b'[')?;
        let mut is_first = true;
        while self.rest.first()? != &b']' {
            if !std::mem::take(&mut is_first) {
                self.take(b',')?;
            }
            self.value(depth)?;
        }
        self.take(b']')
    }

    /// What is between the quotes, where every escape in it is the one that [`write_string`] uses.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.take(b'"')?;
        let mut len = 0;
        loop {
            match self.rest.get(len)? {
                b'"' => break,
                b'\\' => len += escape_at(self.rest.get(len + 1..)?)?,
                0..=0x1f => return None,
                _ => len += 1,
            }
        }
        let (text, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        self.take(b'"')?;
        Some(text)
    }

    /// Goes past `null`, `true`, `false` or an integer within bounds.
    fn word(&mut self) -> Option<()> {
        let len = self.rest.iter().position(|byte| matches!(byte, b',' | b']' | b'}'))?;
        let (word, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        is_word(word).then_some(())
    }

    fn take(&mut self, what: u8) -> Option<()> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        (*first == what).then_some(())
    }
}

/// How long an escape is, the backslash before `rest` with it; `None` where [`write_string`] would write it in another way.
fn escape_at(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r', ..] => Some(2),
        [b'u', b'0', b'0', high @ (b'0' | b'1'), low @ (b'0'..=b'9' | b'a'..=b'f'), ..] => {
            let has_a_letter = *high == b'0' && matches!(low, b'8' | b'9' | b'a' | b'c' | b'd');
            (!has_a_letter).then_some(6)
        }
        _ => None,
    }
}

/// Whether it is `null`, `true`, `false` or an integer within bounds.
fn is_word(word: &[u8]) -> bool {
    matches!(word, b"null" | b"true" | b"false") || is_integer(word)
}

/// Whether it is an integer within bounds, without a sign or noughts that it needs not.
fn is_integer(word: &[u8]) -> bool {
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    let is_plain = match digits {
        [b'0'] => digits.len() == word.len(),
        [b'1'..=b'9', rest @ ..] => rest.len() < 16 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_plain && digits.iter().fold(0, |value: u64, digit| value * 10 + u64::from(digit - b'0')) < INTEGER_BOUND
}

/// Copies JSON and puts the fields of each object in order as the object ends.
struct Arranger<'a> {
    rest: &'a [u8],
    out: Vec<u8>,
    /// The fields of the objects that have begun, outermost first: where key and value lie in `out`.
    fields: Vec<Place>,
    sorted: Vec<u8>,
}

/// Where a field lies, without a comma, and where its key ends, without its closing quote.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: usize,
    key_end: usize,
    end: usize,
}

impl Arranger<'_> {
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.rest.first()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(drop),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.take(b"{")?;
        let (start, first) = (self.out.len(), self.fields.len());
        while self.rest.first()? != &b'}' {
            if self.fields.len() > first {
                self.rest = self.rest.strip_prefix(b",")?;
            }
            let start = self.out.len();
            if self.string()? {
                return None;
            }
            let key_end = self.out.len().saturating_sub(1);
            self.take(b":")?;
            self.value(depth)?;
            self.fields.push(Place { start, key_end, end: self.out.len() });
        }
        self.sort(start, first)?;
        self.take(b"}")
    }

    /// Puts the fields from `first` on, which are all of `out` from `start` on, in order and commas between them.
    fn sort(&mut self, start: usize, first: usize) -> Option<()> {
        let Self { out, fields, sorted, .. } = self;
        let (own, text) = (fields.get_mut(first..)?, out.as_slice());
        let key = |place: &Place| text.get(place.start..place.key_end).unwrap_or_default();
        own.sort_unstable_by(|one, other| key(one).cmp(key(other)));
        if own.iter().zip(own.iter().skip(1)).any(|(one, next)| key(one) == key(next)) {
            return None;
        }
        sorted.clear();
        for (i, place) in own.iter().enumerate() {
            if i > 0 {
                sorted.push(b',');
            }
            sorted.extend_from_slice(text.get(place.start..place.end)?);
        }
        out.truncate(start);
        out.extend_from_slice(sorted);
        fields.truncate(first);
        Some(())
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.take(b"[")?;
        let mut is_first = true;
        while self.rest.first()? != &b']' {
            if !std::mem::take(&mut is_first) {
                self.take(b",")?;
            }
            self.value(depth)?;
        }
        self.take(b"]")
    }

    /// Copies a string, and says whether it needs another look as a key: it has an escape or is not ASCII.
    fn string(&mut self) -> Option<bool> {
        let (mut len, mut is_special) = (1, false);
        loop {
            match self.rest.get(len)? {
                b'"' => break,
                b'\\' => (len, is_special) = (len + 2, true),
                byte => (len, is_special) = (len + 1, is_special || !byte.is_ascii()),
            }
        }
        let (string, rest) = self.rest.split_at_checked(len + 1)?;
        self.rest = rest;
        self.out.extend_from_slice(string);
        string.starts_with(b"\"").then_some(is_special)
    }

    /// Copies `null`, `true`, `false` or an integer within bounds.
    fn word(&mut self) -> Option<()> {
        let len = self.rest.iter().position(|byte| matches!(byte, b',' | b']' | b'}'))?;
        let (word, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        self.out.extend_from_slice(word);
        is_word(word).then_some(())
    }

    fn take(&mut self, what: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(what)?;
        self.out.extend_from_slice(what);
        Some(())
    }
}

/// Appends a string, quoted and escaped.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    // Whole stretches at a time: hardly any character needs an escape. None that does is part of a longer one in UTF-8.
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((special, after)) = special.split_first() else { break };
        write_escape(out, *special);
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        0x08 => out.extend_from_slice(b"\\b"),
        b'\t' => out.extend_from_slice(b"\\t"),
        b'\n' => out.extend_from_slice(b"\\n"),
        0x0c => out.extend_from_slice(b"\\f"),
        b'\r' => out.extend_from_slice(b"\\r"),
        control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
    }
}

fn write(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), NotCanonical> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_integer(out, number)?,
        Value::String(text) => write_string(out, text),
        Value::Array(values) => write_array(out, values, depth)?,
        Value::Object(map) => write_object(out, map, depth)?,
    }
    Ok(())
}

fn write_integer(out: &mut Vec<u8>, number: &Number) -> Result<(), NotCanonical> {
    let integer = number.as_i64().filter(|n| n.unsigned_abs() < INTEGER_BOUND).ok_or(NotCanonical::Number)?;
    out.extend_from_slice(integer.to_string().as_bytes());
    Ok(())
}

fn write_array(out: &mut Vec<u8>, values: &[Value], depth: usize) -> Result<(), NotCanonical> {
    let depth = depth.checked_sub(1).ok_or(NotCanonical::Depth)?;
    out.push(b'[');
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(out, value, depth)?;
    }
    out.push(b']');
    Ok(())
}

fn write_object(out: &mut Vec<u8>, map: &Map<String, Value>, depth: usize) -> Result<(), NotCanonical> {
    let depth = depth.checked_sub(1).ok_or(NotCanonical::Depth)?;
    // Sorted here, because a feature any crate may switch on makes `Map` keep the order of insertion.
    let mut fields: Vec<_> = map.iter().collect();
    fields.sort_unstable_by_key(|(key, _)| *key);
    out.push(b'{');
    for (i, (key, value)) in fields.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        if !key.is_ascii() {
            return Err(NotCanonical::Key);
        }
        write_string(out, key);
        out.push(b':');
        write(out, value, depth)?;
    }
    out.push(b'}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[ -~]{0,6}", inner, 0..6).prop_map(|m| m.into_iter().collect()),
            ]
        })
    }

    proptest! {
        /// With sorted keys and no floats the compact form of `serde_json` is the same text, by an independent hand.
        #[test]
        fn it_is_what_serde_json_writes(fields in prop::collection::btree_map("[ -~]{0,6}", value(), 0..6)) {
            let map: Map<String, Value> = fields.into_iter().collect();
            let bytes = object(&map).expect("nothing in it is refused");
            prop_assert_eq!(String::from_utf8(bytes).expect("UTF-8"), Value::from(map).to_string());
        }

        /// However the fields lie, and wherever there is an object in an object.
        #[test]
        fn what_is_arranged_is_what_is_written_of_the_tree(fields in prop::collection::vec(("[a-z_]{0,4}", value()), 0..6)) {
            let mut map = Map::new();
            let mut text = Vec::new();
            for (name, value) in fields {
                if !map.contains_key(&name) {
                    text.push(format!("\"{name}\":{}", reversed(&value)));
                    map.insert(name, value);
                }
            }
            let text = format!("{{{}}}", text.join(","));
            match arranged(text.as_bytes()) {
                Some(bytes) => prop_assert_eq!(bytes, object(&map).expect("nothing in it is refused")),
                None => prop_assert!(text.contains('\\'), "only an escaped key is out of the ordinary: {}", text),
            }
        }
    }

    proptest! {
        /// What is seen at a glance is what is found by writing it anew, at and around canonical bytes.
        #[test]
        fn what_is_canonical_at_a_glance_is_what_is_written(
            fields in prop::collection::btree_map("[ -~]{0,6}", value(), 0..6),
            at in any::<prop::sample::Index>(),
            cut in 0..3_usize,
            put in prop_oneof![Just(String::new()), "[0-9a-f\"\\\\{}:,u /-]{0,3}", "\\PC{0,2}"],
        ) {
            let map: Map<String, Value> = fields.into_iter().collect();
            let bytes = object(&map).expect("nothing in it is refused");
            let start = at.index(bytes.len());
            let mut changed = bytes.clone();
            changed.splice(start..(start + cut).min(bytes.len()), put.bytes());
            for bytes in [bytes, changed] {
                let anew = serde_json::from_slice::<Map<String, Value>>(&bytes).ok().and_then(|map| object(&map).ok());
                let is_canonical = anew.as_deref() == Some(bytes.as_slice());
                // An escape within a key is left to the tree.
                prop_assert!(is_object(&bytes) == is_canonical || (is_canonical && bytes.contains(&b'\\')), "{}", String::from_utf8_lossy(&bytes));
            }
        }
    }

    #[test]
    fn every_escape_and_every_number_is_judged_as_it_would_be_written() {
        for byte in 0..=0x7f_u8 {
            for escape in
                [format!("\\u{byte:04x}"), format!("\\u{byte:04X}"), format!("\\{}", char::from(byte)), char::from(byte).to_string()]
            {
                let text = format!("{{\"a\":\"{escape}\"}}");
                let anew = serde_json::from_str::<Map<String, Value>>(&text).ok().and_then(|map| object(&map).ok());
                assert_eq!(is_object(text.as_bytes()), anew.as_deref() == Some(text.as_bytes()), "{text}");
            }
        }
        let numbers = [
            "0",
            "-0",
            "7",
            "-7",
            "07",
            "1.0",
            "1e3",
            "-",
            "9007199254740991",
            "-9007199254740991",
            "9007199254740992",
            "10000000000000000",
            "99999999999999999999999",
        ];
        for number in numbers {
            let text = format!("{{\"n\":{number}}}");
            let anew = serde_json::from_str::<Map<String, Value>>(&text).ok().and_then(|map| object(&map).ok());
            assert_eq!(is_object(text.as_bytes()), anew.as_deref() == Some(text.as_bytes()), "{text}");
        }
        let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_object(deep(DEPTH_LIMIT - 1).as_bytes()));
        assert!(!is_object(deep(DEPTH_LIMIT).as_bytes()));
    }

    /// As `serde_json` would write it, were its fields declared the other way round.
    fn reversed(value: &Value) -> String {
        match value {
            Value::Object(map) => {
                let fields = map.iter().rev().map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), reversed(value)));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
            }
            Value::Array(values) => format!("[{}]", values.iter().map(reversed).collect::<Vec<_>>().join(",")),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
        }
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_not_arranged() {
        assert_eq!(arranged(br#"{"b":[],"a":{"d":null,"c":-7}}"#).expect("arranged"), br#"{"a":{"c":-7,"d":null},"b":[]}"#);
        let others = [
            "",
            "{",
            "7",
            "[]",
            "{}{}",
            "{} ",
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,}"#,
            r#"{"a" :1}"#,
            r#"{"a":-0}"#,
            r#"{"a":1.0}"#,
            r#"{"a":01}"#,
            r#"{"a":9007199254740992}"#,
            r#"{"\u0061":1}"#,
            r#"{"a":"b}"#,
            r#"{"a":tru}"#,
            r#"{"a":}"#,
            r#"{"é":1}"#,
            r#"{"a":[1 ]}"#,
            r#"{"a":[,1]}"#,
        ];
        for other in others {
            assert_eq!(arranged(other.as_bytes()), None, "{other}");
        }
        let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(arranged(deep(DEPTH_LIMIT - 1).as_bytes()).is_some());
        assert_eq!(arranged(deep(DEPTH_LIMIT).as_bytes()), None);
    }

    #[test]
    fn what_has_two_spellings_is_refused() {
        let refusal = |text: &str| object(&serde_json::from_str(text).expect("JSON")).expect_err("refused");
        assert_eq!(refusal(r#"{"é":1}"#), NotCanonical::Key);
        for number in ["1.0", "-0", "1e3", "9007199254740992", "-9007199254740992", "18446744073709551615"] {
            assert_eq!(refusal(&format!(r#"{{"n":{number}}}"#)), NotCanonical::Number, "{number}");
        }
        let deep = (0..DEPTH_LIMIT).fold(Value::Null, |inner, _| Value::from(vec![inner]));
        assert_eq!(object(&Map::from_iter([("deep".to_owned(), deep)])), Err(NotCanonical::Depth));
    }
}
