//! A document as a tree that knows where each of its values stands.
//!
//! serde stops at the first error and forgets positions. So each format is read once into this tree; the tree is
//! deserialised ([`de`]) as often as there are errors, each time without the part that was wrong, and every
//! problem, of structure or of sense, finds its line and column here.

pub(crate) mod de;
pub(crate) mod json;
mod place;
mod read_error;
pub(crate) mod toml;
pub(crate) mod yaml;

use crate::problem::{PROBLEMS_MAX, Problem};

pub(crate) use place::{Place, Step};

/// The deepest nesting of a document.
const DEPTH_MAX: usize = 64;

/// A position: line and column from 1; 0 where there is no text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: Mark,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// Between `i64::MIN` and `u64::MAX`; larger integers are text.
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// Was wrong, has been reported, and is left out from here on.
    Pruned,
}

/// A key, where it stands, and its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_at: Mark,
    pub(crate) node: Node,
}

impl Node {
    /// The children that are left.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        let entries = match &self.value {
            Value::Map(entries) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().filter(|entry| entry.node.value != Value::Pruned)
    }

    /// Whether something in this very map or list has been pruned.
    pub(crate) fn is_maimed(&self) -> bool {
        match &self.value {
            Value::Map(entries) => entries.iter().any(|entry| entry.node.value == Value::Pruned),
            Value::List(items) => items.iter().any(|item| item.value == Value::Pruned),
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Pruned => false,
        }
    }

    /// The child at this step, and where its key (or the item itself) stands.
    fn child(&self, step: &Step) -> Option<(Mark, &Node)> {
        match (&self.value, step) {
            (Value::Map(entries), Step::Key(key)) => entries
                .iter()
                .find(|entry| entry.key == *key)
                .map(|entry| (entry.key_at, &entry.node)),
            (Value::List(items), Step::Index(index)) => {
                items.get(*index).map(|item| (item.at, item))
            }
            (_, Step::Key(_) | Step::Index(_)) => None,
        }
    }

    /// The node at `place`.
    pub(crate) fn find(&self, place: &Place) -> Option<&Node> {
        place.steps().iter().try_fold(self, |node, step| node.child(step).map(|(_, node)| node))
    }

    /// Where the key and the value at `place` stand, or those of the nearest place around it.
    pub(crate) fn marks(&self, place: &Place) -> (Mark, Mark) {
        let mut node = self;
        let mut marks = (self.at, self.at);
        for step in place.steps() {
            let Some((key_at, child)) = node.child(step) else { break };
            node = child;
            marks = (key_at, child.at);
        }
        marks
    }

    /// Takes the value at `place` out.
    pub(crate) fn prune(&mut self, place: &Place) {
        let mut node = self;
        for step in place.steps() {
            let child = match (&mut node.value, step) {
                (Value::Map(entries), Step::Key(key)) => {
                    entries.iter_mut().find(|entry| entry.key == *key).map(|entry| &mut entry.node)
                }
                (Value::List(items), Step::Index(index)) => items.get_mut(*index),
                (_, Step::Key(_) | Step::Index(_)) => None,
            };
            let Some(child) = child else { return };
            node = child;
        }
        node.value = Value::Pruned;
    }
}

/// The problems found so far in one document.
#[derive(Debug)]
pub(crate) struct Problems {
    file: String,
    found: Vec<Problem>,
}

impl Problems {
    pub(crate) fn new(file: &str) -> Self {
        Problems { file: file.to_owned(), found: Vec::new() }
    }

    /// Adds a problem, unless it is known or the list is full.
    pub(crate) fn add(
        &mut self,
        at: Mark,
        place: &Place,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let problem = Problem {
            file: self.file.clone(),
            line: at.line,
            column: at.column,
            place: place.to_string(),
            message: message.into(),
            help,
        };
        let known = self.found.iter().any(|known| {
            (known.line, known.column) == (problem.line, problem.column)
                && (&known.place, &known.message) == (&problem.place, &problem.message)
        });
        if self.found.len() < PROBLEMS_MAX && !known {
            self.found.push(problem);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All problems, in the order of the lines.
    pub(crate) fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|problem| (problem.line, problem.column));
        self.found
    }
}

/// Line and column of byte offsets in a text.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Lines { text, starts }
    }

    fn mark(&self, offset: usize) -> Mark {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let before = self.text.get(start..offset).unwrap_or_default();
        Mark { line, column: before.chars().count() + 1 }
    }
}

/// Adds an entry to a map; a key that is there already is a problem.
fn push_entry(entries: &mut Vec<Entry>, entry: Entry, place: &Place, problems: &mut Problems) {
    match entries.iter().find(|known| known.key == entry.key) {
        None => entries.push(entry),
        Some(first) => problems.add(
            entry.key_at,
            &place.key(&entry.key),
            format!("`{}` is here twice", entry.key),
            Some(format!("the first is on line {}; give one another name", first.key_at.line)),
        ),
    }
}
