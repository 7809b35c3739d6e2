//! What a field of an entry holds, whatever that is: a value of the kind that is looked for, or something else.
//!
//! Written by hand, because what `serde` derives for "this or anything" keeps a copy of the field first, and a whole record is
//! read through here.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A value of this kind, or `None` for anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found<T>(pub(crate) Option<T>);

impl<T> Default for Found<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// What can be looked for.
pub(crate) trait Wanted<'de>: Sized {
    /// What a text is to it.
    fn of_text(_text: Cow<'de, str>) -> Option<Self> {
        None
    }

    /// What a number from 0 on is to it.
    fn of_number(_number: u64) -> Option<Self> {
        None
    }
}

impl<'de: 'a, 'a> Wanted<'de> for Cow<'a, str> {
    fn of_text(text: Cow<'de, str>) -> Option<Self> {
        Some(text)
    }
}

impl Wanted<'_> for u64 {
    fn of_number(number: u64) -> Option<Self> {
        Some(number)
    }
}

impl<'de, T: Wanted<'de>> Deserialize<'de> for Found<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Anything(PhantomData))
    }
}

struct Anything<T>(PhantomData<T>);

impl<'de, T: Wanted<'de>> Visitor<'de> for Anything<T> {
    type Value = Found<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Found<T>, E> {
        Ok(Found(T::of_text(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Found<T>, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Found<T>, E> {
        Ok(Found(T::of_text(Cow::Owned(text))))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Found<T>, E> {
        Ok(Found(T::of_number(number)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Found<T>, E> {
        Ok(Found(u64::try_from(number).ok().and_then(T::of_number)))
    }

    fn visit_f64<E: Error>(self, _number: f64) -> Result<Found<T>, E> {
        Ok(Found(None))
    }

    fn visit_bool<E: Error>(self, _is: bool) -> Result<Found<T>, E> {
        Ok(Found(None))
    }

    fn visit_unit<E: Error>(self) -> Result<Found<T>, E> {
        Ok(Found(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Found<T>, A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Found(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Found<T>, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Found(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_field_holds_it_is_read_and_only_the_right_kind_counts() {
        #[derive(Deserialize)]
        struct Two<'a> {
            #[serde(borrow, default)]
            text: Found<Cow<'a, str>>,
            #[serde(default)]
            number: Found<u64>,
        }
        let read = |json: &str| {
            let two: Two<'_> = serde_json::from_str(json).expect("JSON");
            (two.text.0.map(Cow::into_owned), two.number.0)
        };
        assert_eq!(read(r#"{"text":"a","number":7}"#), (Some("a".to_owned()), Some(7)));
        assert_eq!(read(r#"{"text":"a\u0041","number":0}"#), (Some("aA".to_owned()), Some(0)));
        assert_eq!(read(r#"{"text":7,"number":"a"}"#), (None, None));
        for other in ["null", "true", "-1", "1.5", "1e400", "[1,[2]]", r#"{"a":{"b":[]}}"#, "18446744073709551616"] {
            let json = format!(r#"{{"text":{other},"number":{other}}}"#);
            // A number that no `f64` is near is no JSON to serde_json.
            if let Ok(two) = serde_json::from_str::<Two<'_>>(&json) {
                assert_eq!((two.text.0, two.number.0), (None, None), "{other}");
            }
        }
        assert_eq!(read("{}"), (None, None));
    }
}
