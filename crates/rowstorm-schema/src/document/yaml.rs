//! YAML 1.2 into a tree, from the parser under serde-saphyr, whose events carry their positions.
//!
//! Plain scalars are read by the core schema, strictly: `true` and `false` alone are booleans, and only what prints
//! back as the same number is one (`007`, `1_000` and `NO` are text).

use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::{DEPTH_MAX, Entry, Mark, Node, Place, Problems, Value, push_entry};

/// The most values of a document, aliases included.
const NODES_MAX: usize = 1_000_000;

/// The first document of the text, unless it cannot be read at all.
pub(crate) fn parse(text: &str, problems: &mut Problems) -> Option<Node> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder { parser, anchors: HashMap::new(), nodes: 0, problems };
    match builder.document() {
        Ok(node) => node,
        Err(Stop { at, message }) => {
            problems.add(at, &Place::root(), message, None);
            None
        }
    }
}

/// Why the text cannot be read on.
struct Stop {
    at: Mark,
    message: String,
}

impl From<ScanError> for Stop {
    fn from(error: ScanError) -> Self {
        let marker = error.marker();
        let at = Mark { line: marker.line(), column: marker.col() + 1 };
        Stop { at, message: format!("not YAML: {}", error.info()) }
    }
}

struct Builder<'a, 'p> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    problems: &'p mut Problems,
}

impl<'a> Builder<'a, '_> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Mark)>, Stop> {
        let next = self.parser.next_event().transpose()?;
        Ok(next.map(|(event, span)| (event, start(&span))))
    }

    fn document(&mut self) -> Result<Option<Node>, Stop> {
        let mut root = None;
        while let Some((event, at)) = self.next()? {
            match event {
                Event::DocumentStart(..) if root.is_some() => {
                    let message = "a second document; a file holds one".to_owned();
                    return Err(Stop { at, message });
                }
                Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentEnd
                | Event::DocumentStart(..) => {}
                node => root = Some(self.node(node, at, &Place::root())?),
            }
        }
        Ok(root)
    }

    fn node(&mut self, event: Event<'a>, at: Mark, place: &Place) -> Result<Node, Stop> {
        self.nodes += 1;
        if self.nodes > NODES_MAX || place.steps().len() > DEPTH_MAX {
            let message = format!("more than {NODES_MAX} values, or {DEPTH_MAX} levels");
            return Err(Stop { at, message });
        }
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let as_text = tag.as_ref().and_then(|tag| tag.core_suffix()) == Some("str");
                let value = if style == ScalarStyle::Plain && !as_text {
                    plain(&text)
                } else {
                    Value::Text(text.into_owned())
                };
                (value, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.list(place)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map(place)?, anchor),
            Event::Alias(id) => return self.alias(id, at),
            other => {
                let message = format!("not YAML: unexpected {other:?}");
                return Err(Stop { at, message });
            }
        };
        let node = Node { at, value };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, at: Mark) -> Result<Node, Stop> {
        let Some(node) = self.anchors.get(&id) else {
            return Err(Stop { at, message: "an alias of itself".to_owned() });
        };
        self.nodes += count(node);
        Ok(node.clone())
    }

    fn list(&mut self, place: &Place) -> Result<Value, Stop> {
        let mut items = Vec::new();
        while let Some((event, at)) = self.next()? {
            if event == Event::SequenceEnd {
                break;
            }
            items.push(self.node(event, at, &place.index(items.len()))?);
        }
        Ok(Value::List(items))
    }

    fn map(&mut self, place: &Place) -> Result<Value, Stop> {
        let mut entries = Vec::new();
        while let Some((event, key_at)) = self.next()? {
            let key = match event {
                Event::MappingEnd => break,
                Event::Scalar(text, ..) => text.into_owned(),
                _ => {
                    let message = "a key must be a word, not a list or a map".to_owned();
                    return Err(Stop { at: key_at, message });
                }
            };
            let Some((event, at)) = self.next()? else { break };
            let node = self.node(event, at, &place.key(&key))?;
            push_entry(&mut entries, Entry { key, key_at, node }, place, self.problems);
        }
        Ok(Value::Map(entries))
    }
}

fn start(span: &Span) -> Mark {
    Mark { line: span.start.line(), column: span.start.col() + 1 }
}

fn count(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|entry| count(&entry.node)).sum::<usize>(),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Pruned => 1,
    }
}

/// A plain scalar by the core schema (YAML 1.2.2, 10.3.2).
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_integer {
        let number = text.parse::<i128>().ok().filter(|_| !leading_zero);
        return match number {
            Some(number @ INT_MIN..=INT_MAX) => Value::Int(number),
            Some(_) | None => Value::Text(text.to_owned()),
        };
    }
    // `inf` and `nan` parse as floats in Rust, and are words here.
    let starts = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    match text.parse::<f64>() {
        Ok(number) if starts && number.is_finite() => Value::Float(number),
        Ok(_) | Err(_) => Value::Text(text.to_owned()),
    }
}

const INT_MIN: i128 = i64::MIN as i128;
const INT_MAX: i128 = u64::MAX as i128;
