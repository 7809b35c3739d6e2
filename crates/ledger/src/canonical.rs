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
