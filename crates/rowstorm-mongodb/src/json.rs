//! JSON text as BSON, without a tree in between.

use std::fmt;

use rowstorm_sink::Buffer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::value::{close, open, string};
use crate::wire::tag;

/// Appends a JSON document as the value that it is; its type's byte.
///
/// Whole numbers become `int` where they fit and `long` beyond, as the server's own tools read them; other numbers
/// `double`. A text that is no JSON, or has a name with a zero byte, which BSON cannot hold, is kept as a string.
pub(crate) fn write(text: &str, out: &mut Buffer) -> u8 {
    let start = out.len();
    let mut reader = serde_json::Deserializer::from_str(text);
    let written = Value(&mut *out).deserialize(&mut reader);
    if let Ok(tag) = written
        && reader.end().is_ok()
    {
        return tag;
    }
    out.truncate(start);
    string(text, out)
}

/// Writes one value, answers its type's byte.
struct Value<'a>(&'a mut Buffer);

/// Writes room for a type's byte, and a name.
struct Name<'a>(&'a mut Buffer);

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = u8;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<u8, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = u8;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<u8, E> {
        Ok(tag::NULL)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<u8, E> {
        self.0.put_array([u8::from(value)]);
        Ok(tag::BOOL)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<u8, E> {
        if let Ok(small) = i32::try_from(value) {
            self.0.put_array(small.to_le_bytes());
            return Ok(tag::INT32);
        }
        self.0.put_array(value.to_le_bytes());
        Ok(tag::INT64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<u8, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<u8, E> {
        self.0.put_array(value.to_le_bytes());
        Ok(tag::DOUBLE)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<u8, E> {
        Ok(string(value, self.0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<u8, A::Error> {
        let out = self.0;
        let start = open(out);
        let mut digits = itoa::Buffer::new();
        for place in 0_u32.. {
            let at = out.len();
            out.put_array([0]);
            out.put(digits.format(place).as_bytes());
            out.put_array([0]);
            let Some(tag) = items.next_element_seed(Value(out))? else {
                out.truncate(at);
                break;
            };
            out.as_mut_slice()[at] = tag;
        }
        close(start, out);
        Ok(tag::ARRAY)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<u8, A::Error> {
        let out = self.0;
        let start = open(out);
        loop {
            let at = out.len();
            if fields.next_key_seed(Name(out))?.is_none() {
                break;
            }
            let tag = fields.next_value_seed(Value(out))?;
            out.as_mut_slice()[at] = tag;
        }
        close(start, out);
        Ok(tag::DOCUMENT)
    }
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name without a zero byte")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<(), E> {
        if name.contains('\0') {
            return Err(E::custom("a name with a zero byte"));
        }
        self.0.put_array([0]);
        self.0.put(name.as_bytes());
        self.0.put_array([0]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{Bson, Document, RawDocumentBuf, bson};

    use super::*;

    /// The one value of a document, as the driver reads it.
    fn read(text: &str) -> Bson {
        let mut out = Buffer::default();
        let start = open(&mut out);
        out.put(b"\0value\0");
        let tag = write(text, &mut out);
        out.as_mut_slice()[4] = tag;
        close(start, &mut out);
        let document = RawDocumentBuf::from_bytes(out.as_slice().to_vec()).unwrap();
        let mut document = Document::try_from(&*document).unwrap();
        document.remove("value").unwrap()
    }

    #[test]
    fn documents_are_read_by_the_driver_as_they_were_written() {
        for (text, value) in [
            ("null", Bson::Null),
            ("true", Bson::Boolean(true)),
            ("7", Bson::Int32(7)),
            ("-2147483649", Bson::Int64(-2_147_483_649)),
            ("9223372036854775807", Bson::Int64(i64::MAX)),
            ("18446744073709551615", Bson::Double(18_446_744_073_709_551_615.0)),
            ("0.1", Bson::Double(0.1)),
            (r#""a\u0000\"é""#, Bson::String("a\0\"é".into())),
            ("[]", bson!([])),
            ("{}", bson!({})),
            (
                r#"{"a":[1,{"b":null},[]],"c d":{"$e.f":"g"}}"#,
                bson!({
                    "a": [1, { "b": null }, []],
                    "c d": { "$e.f": "g" },
                }),
            ),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
    }

    #[test]
    fn what_bson_cannot_hold_is_kept_as_text() {
        for text in ["{", "1 2", "", r#"{"a":{"\u0000":1}}"#, "nul"] {
            assert_eq!(read(text), Bson::String(text.to_owned()));
        }
    }
}
