//! Deserialising a tree: each error carries its place, and unknown and missing keys of a map are reported together.

use std::cell::RefCell;

use serde::de::value::StrDeserializer;
use serde::de::{self, IntoDeserializer, Visitor};

use super::read_error::ReadError;
use super::{Entry, Mark, Node, Place, Problems, Value};
use crate::json_schema::required;
use crate::suggest;

/// Reads a `T` out of the tree. On an error, the part that is wrong is reported and pruned, and the rest is read
/// again; so one pass names every problem. `None` if nothing is left.
pub(crate) fn read<T: de::DeserializeOwned>(root: &mut Node, problems: &mut Problems) -> Option<T> {
    let problems = RefCell::new(problems);
    loop {
        let node =
            Reader { node: root, key_at: root.at, place: Place::root(), problems: &problems };
        let error = match T::deserialize(node) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let (place, at) = error.stands.unwrap_or_default();
        // A map or list that has lost a part may well be wrong now; its part has been reported.
        let follows = root.find(&place).is_some_and(Node::is_maimed);
        if !follows {
            problems.borrow_mut().add(at, &place, error.message, error.help);
        }
        root.prune(&place);
        if root.value == Value::Pruned {
            return None;
        }
    }
}

struct Reader<'a, 'p> {
    node: &'a Node,
    /// Where the node's key stands: what is missing in a map is shown there.
    key_at: Mark,
    place: Place,
    problems: &'a RefCell<&'p mut Problems>,
}

impl<'a> Reader<'a, '_> {
    fn map<'de, V: Visitor<'de>>(
        &self,
        entries: Vec<(&'a str, &'a Entry)>,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_map(Entries { parent: self, left: entries.into_iter(), current: None })
    }

    fn list<'de, V: Visitor<'de>>(
        &self,
        items: &'a [Node],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let mut left = Items { parent: self, nodes: items, next: 0 };
        let value = visitor.visit_seq(&mut left)?;
        match left.next {
            taken if taken < items.len() => {
                let message = format!("expected a list of {taken}, found {}", items.len());
                Err(ReadError::new(message, None))
            }
            _ => Ok(value),
        }
    }

    fn kind(&self) -> de::Unexpected<'a> {
        match &self.node.value {
            Value::Null | Value::Pruned => de::Unexpected::Unit,
            Value::Bool(value) => de::Unexpected::Bool(*value),
            Value::Int(number) => match u64::try_from(*number) {
                Ok(number) => de::Unexpected::Unsigned(number),
                Err(_) => de::Unexpected::Signed(*number as i64),
            },
            Value::Float(number) => de::Unexpected::Float(*number),
            Value::Text(text) => de::Unexpected::Str(text),
            Value::List(_) => de::Unexpected::Seq,
            Value::Map(_) => de::Unexpected::Map,
        }
    }

    fn visit<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Null | Value::Pruned => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(number) => match u64::try_from(*number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_i64(*number as i64),
            },
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(items) => self.list(items, visitor),
            Value::Map(_) => self.map(self.entries(), visitor),
        }
    }

    fn entries(&self) -> Vec<(&'a str, &'a Entry)> {
        self.node.entries().map(|entry| (entry.key.as_str(), entry)).collect()
    }

    /// Reports the keys that the map should not have, and those that it lacks; returns the others, each with the
    /// field that it is for. A misspelt key is read on as what it was meant to be, so that its value is checked, too.
    fn fields(
        &self,
        name: &str,
        fields: &'static [&'static str],
    ) -> Vec<(&'static str, &'a Entry)> {
        let Value::Map(all) = &self.node.value else { return Vec::new() };
        let mut read: Vec<(&'static str, &Entry)> = Vec::new();
        let mut unknown = Vec::new();
        for entry in all {
            match fields.iter().find(|field| **field == entry.key) {
                Some(field) => read.push((field, entry)),
                None => unknown.push(entry),
            }
        }
        let mut problems = self.problems.borrow_mut();
        for entry in unknown {
            let free: Vec<&'static str> = fields
                .iter()
                .copied()
                .filter(|field| read.iter().all(|(key, _)| key != field))
                .collect();
            let help = suggest::help(&entry.key, free.iter().copied());
            let message = format!("unknown key `{}`", entry.key);
            problems.add(entry.key_at, &self.place.key(&entry.key), message, help);
            read.extend(suggest::nearest(&entry.key, &free).map(|field| (field, entry)));
        }
        for (key, meaning) in required(name) {
            if read.iter().all(|(field, _)| field != key) {
                let help = (!meaning.is_empty()).then(|| format!("`{key}`: {meaning}"));
                problems.add(self.key_at, &self.place, format!("`{key}` is missing"), help);
            }
        }
        read.retain(|(_, entry)| entry.node.value != Value::Pruned);
        read
    }
}

impl<'de> de::Deserializer<'de> for Reader<'_, '_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.visit(visitor).map_err(|error| error.at(&self.place, self.node.at))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        if !matches!(self.node.value, Value::Map(_)) {
            return self.deserialize_any(visitor);
        }
        let fields = self.fields(name, fields);
        self.map(fields, visitor).map_err(|error| error.at(&self.place, self.key_at))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let entries = self.entries();
        let result = match (&self.node.value, entries.as_slice()) {
            (Value::Text(word), _) => {
                visitor.visit_enum(IntoDeserializer::<ReadError>::into_deserializer(word.as_str()))
            }
            (Value::Map(_), [(_, entry)]) => visitor.visit_enum(Variant { parent: &self, entry }),
            (Value::Map(_), entries) => Err(ReadError::new(
                format!("expected exactly one key, found {}", entries.len()),
                None,
            )),
            _ => Err(de::Error::invalid_type(self.kind(), &"a word or a map with one key")),
        };
        result.map_err(|error| error.at(&self.place, self.node.at))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'r, 'a, 'p> {
    parent: &'r Reader<'a, 'p>,
    nodes: &'a [Node],
    next: usize,
}

impl<'de> de::SeqAccess<'de> for &mut Items<'_, '_, '_> {
    type Error = ReadError;

    fn next_element_seed<T: de::DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ReadError> {
        while let Some(node) = self.nodes.get(self.next) {
            let place = self.parent.place.index(self.next);
            self.next += 1;
            if node.value != Value::Pruned {
                let problems = self.parent.problems;
                let reader = Reader { node, key_at: node.at, place: place.clone(), problems };
                let value = seed.deserialize(reader).map(Some);
                return value.map_err(|error| error.at(&place, node.at));
            }
        }
        Ok(None)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.nodes.len() - self.next)
    }
}

struct Entries<'r, 'a, 'p> {
    parent: &'r Reader<'a, 'p>,
    left: std::vec::IntoIter<(&'a str, &'a Entry)>,
    current: Option<&'a Entry>,
}

impl<'de> de::MapAccess<'de> for Entries<'_, '_, '_> {
    type Error = ReadError;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ReadError> {
        let Some((field, entry)) = self.left.next() else { return Ok(None) };
        self.current = Some(entry);
        let key = seed.deserialize(StrDeserializer::new(field));
        key.map(Some)
            .map_err(|error: ReadError| error.at(&self.parent.place.key(&entry.key), entry.key_at))
    }

    fn next_value_seed<T: de::DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<T::Value, ReadError> {
        let entry = self.current.take().expect("serde asks for a key before its value");
        let place = self.parent.place.key(&entry.key);
        let value = seed.deserialize(self.parent.value_of(entry));
        value.map_err(|error| error.at(&place, entry.node.at))
    }
}

impl<'a, 'p> Reader<'a, 'p> {
    fn value_of(&self, entry: &'a Entry) -> Reader<'a, 'p> {
        Reader {
            node: &entry.node,
            key_at: entry.key_at,
            place: self.place.key(&entry.key),
            problems: self.problems,
        }
    }
}

/// An enum's variant with a value: a map with one key.
struct Variant<'r, 'a, 'p> {
    parent: &'r Reader<'a, 'p>,
    entry: &'a Entry,
}

impl<'de> de::EnumAccess<'de> for Variant<'_, '_, '_> {
    type Error = ReadError;
    type Variant = Self;

    fn variant_seed<T: de::DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self), ReadError> {
        let word = seed.deserialize(StrDeserializer::new(&self.entry.key)).map_err(
            |error: ReadError| error.at(&self.parent.place.key(&self.entry.key), self.entry.key_at),
        )?;
        Ok((word, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, '_, '_> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        let word = &self.entry.key;
        let help = Some(format!("write `{word}` alone"));
        Err(ReadError::new(format!("`{word}` has no settings"), help))
    }

    fn newtype_variant_seed<T: de::DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, ReadError> {
        seed.deserialize(self.parent.value_of(self.entry))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        de::Deserializer::deserialize_any(self.parent.value_of(self.entry), visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        de::Deserializer::deserialize_any(self.parent.value_of(self.entry), visitor)
    }
}
