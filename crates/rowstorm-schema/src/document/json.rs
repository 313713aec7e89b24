//! JSON into a tree. serde_json checks the text first and names what is wrong; the walk below only finds positions.

use super::{Entry, Lines, Mark, Node, Place, Problems, Value, push_entry};

/// The document, unless it cannot be read at all.
pub(crate) fn parse(text: &str, problems: &mut Problems) -> Option<Node> {
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        let at = Mark { line: error.line(), column: error.column().max(1) };
        problems.add(at, &Place::root(), format!("not JSON: {error}"), None);
        return None;
    }
    let mut walk = Walk { text, at: 0, lines: Lines::new(text), problems };
    Some(walk.node(&Place::root()))
}

struct Walk<'a, 'p> {
    text: &'a str,
    at: usize,
    lines: Lines<'a>,
    problems: &'p mut Problems,
}

impl<'a> Walk<'a, '_> {
    fn node(&mut self, place: &Place) -> Node {
        let first = self.peek();
        let at = self.lines.mark(self.at);
        let value = match first {
            b'{' => self.map(place),
            b'[' => self.list(place),
            b'"' => Value::Text(self.text()),
            _ => scalar(self.token(|byte| !matches!(byte, b',' | b']' | b'}') && byte > b' ')),
        };
        Node { at, value }
    }

    fn map(&mut self, place: &Place) -> Value {
        let mut entries = Vec::new();
        self.at += 1;
        while self.peek() != b'}' {
            let key_at = self.lines.mark(self.at);
            let key = self.text();
            self.skip(b':');
            let node = self.node(&place.key(&key));
            push_entry(&mut entries, Entry { key, key_at, node }, place, self.problems);
            self.skip(b',');
        }
        self.at += 1;
        Value::Map(entries)
    }

    fn list(&mut self, place: &Place) -> Value {
        let mut items = Vec::new();
        self.at += 1;
        while self.peek() != b']' {
            items.push(self.node(&place.index(items.len())));
            self.skip(b',');
        }
        self.at += 1;
        Value::List(items)
    }

    /// A string with its quotes and escapes, read by serde_json.
    fn text(&mut self) -> String {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        while bytes[self.at] != b'"' {
            self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        serde_json::from_str(&self.text[start..self.at]).expect("the text was checked")
    }

    fn token(&mut self, is_part: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest.bytes().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn peek(&mut self) -> u8 {
        self.token(|byte| byte <= b' ');
        self.text.as_bytes().get(self.at).copied().unwrap_or_default()
    }

    fn skip(&mut self, byte: u8) {
        if self.peek() == byte {
            self.at += 1;
        }
    }
}

fn scalar(token: &str) -> Value {
    match token {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        number => {
            let as_integer = number.parse::<i64>().map(i128::from);
            let as_integer = as_integer.or_else(|_| number.parse::<u64>().map(i128::from));
            match (as_integer, number.parse::<f64>()) {
                (Ok(integer), _) => Value::Int(integer),
                (Err(_), Ok(float)) if number.contains(['.', 'e', 'E']) => Value::Float(float),
                (Err(_), _) => Value::Text(number.to_owned()),
            }
        }
    }
}
