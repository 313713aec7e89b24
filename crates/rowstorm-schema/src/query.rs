//! Reads that are not by a key: a range of time, or a statement of the user's own.

use std::fmt;
use std::fmt::Write as _;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::Span;

/// A read of all rows whose instant lies in a span of time that ends at a row's own: the row is picked, both ends are included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeRange {
    /// A column of instants.
    pub column: String,
    /// How long the span is.
    pub last: Span,
}

/// The words of a statement: one text for every database that speaks SQL, or each database's own. In a statement that reads,
/// `{column}` is a parameter, with the value that the table's generators give the column; `{{` and `}}` are braces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Words {
    /// SQL for all.
    Sql(String),
    /// Each its own.
    Each(WordsOfEach),
}

/// The words of a statement for each database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WordsOfEach {
    /// For PostgreSQL and TimescaleDB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgres: Option<String>,
    /// For MySQL and MariaDB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mysql: Option<String>,
    /// For SQLite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqlite: Option<String>,
    /// For CrateDB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cratedb: Option<String>,
    /// For MongoDB: a command. One that reads is `find`, `aggregate`, `count` or `distinct`, which comes first, and a text in it that is
    /// `{column}` and nothing else is a parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mongodb: Option<Command>,
}

impl Words {
    /// A database's SQL, by its name in the document.
    ///
    /// ```
    /// use rowstorm_schema::Words;
    ///
    /// let all = Words::Sql("SELECT 1".to_owned());
    /// assert_eq!((all.sql("mysql"), all.command()), (Some("SELECT 1"), None));
    /// ```
    pub fn sql(&self, database: &str) -> Option<&str> {
        match self {
            Words::Sql(text) => Some(text),
            Words::Each(each) => {
                each.all_sql().find(|(name, _)| *name == database).map(|(_, text)| text)
            }
        }
    }

    /// MongoDB's command.
    pub fn command(&self) -> Option<&Command> {
        match self {
            Words::Sql(_) => None,
            Words::Each(each) => each.mongodb.as_ref(),
        }
    }
}

impl WordsOfEach {
    /// The databases that have SQL here, by their names in the document.
    pub fn all_sql(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let WordsOfEach { postgres, mysql, sqlite, cratedb, mongodb: _ } = self;
        [("postgres", postgres), ("mysql", mysql), ("sqlite", sqlite), ("cratedb", cratedb)]
            .into_iter()
            .filter_map(|(name, text)| Some((name, text.as_deref()?)))
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct WordsVisitor;

        impl<'de> de::Visitor<'de> for WordsVisitor {
            type Value = Words;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a statement, or one for each database like `{ postgres: SELECT …, mysql: SELECT … }`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Words, E> {
                Ok(Words::Sql(text.to_owned()))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, entries: A) -> Result<Words, A::Error> {
                let each = de::value::MapAccessDeserializer::new(entries);
                WordsOfEach::deserialize(each).map(Words::Each)
            }
        }

        source.deserialize_any(WordsVisitor)
    }
}

impl JsonSchema for Words {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Words".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let each = generator.subschema_for::<WordsOfEach>();
        json_schema!({
            "description": "A statement: one text for every database that speaks SQL, or each database's own. In a read, `{column}` is a parameter.",
            "oneOf": [{ "type": "string" }, each],
            "examples": ["SELECT count(*) FROM orders WHERE customer_id = {customer_id}"],
        })
    }
}

/// A command as JSON, with its keys in the order of the document: MongoDB takes the first for the command's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Command(pub String);

/// A value of a command. The words of JSON, maps in order.
enum Node {
    Text(String),
    /// Anything else that is no list or map, as JSON has it.
    Plain(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Command {
    /// The columns that are its parameters.
    ///
    /// ```
    /// let command = rowstorm_schema::Command(r#"{"find":"t","filter":{"a":"{b}","c":"{{d}}"}}"#.to_owned());
    /// assert_eq!(command.parameters(), ["b"]);
    /// ```
    pub fn parameters(&self) -> Vec<String> {
        let mut parameters = Vec::new();
        if let Ok(node) = serde_json::from_str::<Node>(&self.0) {
            node.parameters(&mut parameters);
        }
        parameters
    }

    /// The first key: the command's name.
    pub fn name(&self) -> Option<String> {
        match serde_json::from_str(&self.0) {
            Ok(Node::Map(entries)) => entries.into_iter().next().map(|(name, _)| name),
            Ok(Node::Text(_) | Node::Plain(_) | Node::List(_)) | Err(_) => None,
        }
    }

    /// The column that a text of the command stands for, if it is a parameter.
    pub fn parameter(text: &str) -> Option<&str> {
        let name = text.strip_prefix('{')?.strip_suffix('}')?;
        (!name.is_empty() && !name.contains(['{', '}'])).then_some(name)
    }
}

impl Node {
    fn parameters(&self, out: &mut Vec<String>) {
        match self {
            Node::Text(text) => out.extend(Command::parameter(text).map(str::to_owned)),
            Node::Plain(_) => {}
            Node::List(items) => items.iter().for_each(|item| item.parameters(out)),
            Node::Map(entries) => entries.iter().for_each(|(_, value)| value.parameters(out)),
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Node::Text(text) => {
                let _ = write!(out, "{}", serde_json::Value::from(text.as_str()));
            }
            Node::Plain(text) => out.push_str(text),
            Node::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Node::Map(entries) => {
                out.push('{');
                for (at, (name, value)) in entries.iter().enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    let _ = write!(out, "{comma}{}:", serde_json::Value::from(name.as_str()));
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let node = match Node::deserialize(source)? {
            Node::Text(text) => serde_json::from_str(&text).map_err(de::Error::custom)?,
            node @ (Node::Plain(_) | Node::List(_) | Node::Map(_)) => node,
        };
        match node {
            Node::Map(_) => {
                let mut text = String::new();
                node.write(&mut text);
                Ok(Command(text))
            }
            Node::Text(_) | Node::Plain(_) | Node::List(_) => {
                Err(de::Error::custom("a command is a map like `{ find: orders, filter: { … } }`"))
            }
        }
    }
}

impl JsonSchema for Command {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Command".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A command of MongoDB, as a map or as JSON; in a read, a text that is `{column}` and nothing else is a parameter.",
            "type": ["object", "string"],
            "examples": [{ "find": "orders", "filter": { "customer_id": "{customer_id}" } }],
        })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> de::Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a command like `{ find: orders, filter: { … } }`")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Plain("null".to_owned()))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Plain("null".to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Plain(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Plain(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Plain(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        let number = serde_json::Number::from_f64(value);
        number
            .map(|number| Node::Plain(number.to_string()))
            .ok_or_else(|| E::custom("no number of JSON"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Node::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_keeps_the_order_of_its_keys() {
        let text = r#"{"find":"t","sort":{"b":1,"a":-1.5},"filter":{"x":["{id}",null,true]}}"#;
        let command: Command = serde_json::from_str(text).unwrap();
        assert_eq!((command.0.as_str(), command.name().as_deref()), (text, Some("find")));
        let quoted: Command =
            serde_json::from_str(&serde_json::Value::from(text).to_string()).unwrap();
        assert_eq!((quoted.0.as_str(), quoted.parameters()), (text, vec!["id".to_owned()]));
        assert!(serde_json::from_str::<Command>("[1]").is_err());
        assert!(serde_json::from_str::<Command>("\"SELECT 1\"").is_err());
    }
}
