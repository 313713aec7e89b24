//! Changes as commands, in BSON: `insert` with `documents`, `update` with `updates`, `delete` with `deletes`.

use std::collections::HashSet;

use mongodb::bson::{Document, RawArrayBuf, RawDocument, RawDocumentBuf, cstr, serialize_to_vec};
use rowstorm_gen::changes::OpKind;
use rowstorm_gen::{Batch, Values};
use rowstorm_sink::rows::{Item, code};
use rowstorm_sink::{Buffer, SinkError, SinkErrorKind, Statement};

use crate::identity::{Identity, Ids};
use crate::value::{close, element, open};
use crate::wire::{Wire, c_string, tag};
use crate::{BYTES_MAX, dialect};

/// A piece is sent when it has so many bytes: a row more, and it still fits.
const PIECE_BYTES: usize = 8 << 20;

/// How the rows of one entry of the mix become a command.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) kind: OpKind,
    pub(super) collection: String,
    /// The fields by which an insert is compared that stands already.
    pub(super) steady: Vec<String>,
    identity: Identity,
    /// The fields that are written.
    fields: Vec<Field>,
    /// The command up to its array.
    head: Vec<u8>,
}

#[derive(Debug)]
struct Field {
    place: usize,
    /// Ends in a zero byte.
    name: Vec<u8>,
    wire: Wire,
    /// Whether `$set` would take the name for a path or an operator.
    is_no_path: bool,
}

/// Some rows of a group, as one command.
pub(super) struct Piece {
    pub(super) rows: u64,
    pub(super) bytes: Vec<u8>,
}

impl Command {
    pub(super) fn new(
        statement: &Statement,
        mix: &[Statement],
        concern: Option<&Document>,
    ) -> Command {
        let (table, columns) = (&statement.table, &statement.columns);
        let mut head = serialize_to_vec(&dialect::write(word(statement.kind), table, concern))
            .expect("names have no zero bytes");
        // Its closing byte gives way to the array.
        head.pop();
        head.push(tag::ARRAY);
        head.extend(c_string(array(statement.kind)));
        let identity = match statement.kind {
            // The server names a document that has no key to be named by.
            OpKind::Insert if table.key.is_empty() => Identity::Own,
            OpKind::Insert => Identity::of(columns),
            OpKind::Update | OpKind::Delete | OpKind::Rekey | OpKind::Read => {
                Identity::of_key(columns)
            }
        };
        let field = |place: usize| {
            let column = &columns.columns[place];
            Field {
                place,
                name: c_string(&column.name),
                wire: Wire::of(columns, column),
                is_no_path: dialect::is_no_path(&column.name),
            }
        };
        let steady = statement.steady(mix);
        Command {
            kind: statement.kind,
            collection: dialect::collection(table),
            steady: steady.iter().map(|place| table.columns[*place].name.to_string()).collect(),
            identity,
            fields: (statement.keys()..columns.columns.len()).map(field).collect(),
            head,
        }
    }

    /// The rows of a group as commands, as few as their bytes allow.
    pub(super) fn pieces(&self, batch: &Batch) -> Result<Vec<Piece>, SinkError> {
        let mut ids = Ids::default();
        self.identity.write(batch, &mut ids);
        let mut pieces = Vec::new();
        let mut out = Buffer::default();
        let mut first = 0;
        for row in 0..batch.len() {
            if out.is_empty() {
                out.put(&self.head);
                open(&mut out);
                first = row;
            }
            let mut digits = itoa::Buffer::new();
            out.put_array([tag::DOCUMENT]);
            out.put(digits.format(row - first).as_bytes());
            out.put_array([0]);
            let start = open(&mut out);
            self.row(batch, row, ids.get(row), &mut out);
            close(start, &mut out);
            if out.len() > PIECE_BYTES || row + 1 == batch.len() {
                close(self.head.len(), &mut out);
                close(0, &mut out);
                if out.len() as u64 > BYTES_MAX {
                    let message = format!("a command of {} bytes", out.len());
                    return Err(SinkError::new(SinkErrorKind::TooLarge, "payload", message));
                }
                let rows = (row + 1 - first) as u64;
                pieces.push(Piece { rows, bytes: out.as_slice().to_vec() });
                out.clear();
            }
        }
        Ok(pieces)
    }

    /// What one row is in its array.
    fn row(&self, batch: &Batch, row: usize, id: &[u8], out: &mut Buffer) {
        match self.kind {
            OpKind::Insert => {
                out.put(id);
                self.values(batch, row, |field| !is_null(item(batch, field, row)), out);
            }
            OpKind::Read => out.put(id),
            OpKind::Delete => {
                query(id, out);
                out.put_array([tag::INT32]);
                out.put(b"limit\0");
                out.put_array(1_i32.to_le_bytes());
            }
            OpKind::Update | OpKind::Rekey => {
                query(id, out);
                if self.fields.iter().any(|field| field.is_no_path) {
                    self.pipeline(batch, row, out);
                } else {
                    self.operators(batch, row, out);
                }
            }
        }
    }

    /// `u: {$set: {…}, $unset: {…}}`: a field that is null is not there.
    fn operators(&self, batch: &Batch, row: usize, out: &mut Buffer) {
        let update = begin(tag::DOCUMENT, b"u\0", out);
        let null = |field: &Field| is_null(item(batch, field, row));
        if !self.fields.iter().all(null) {
            let set = begin(tag::DOCUMENT, b"$set\0", out);
            self.values(batch, row, |field| !null(field), out);
            close(set, out);
        }
        if self.fields.iter().any(null) {
            let unset = begin(tag::DOCUMENT, b"$unset\0", out);
            for field in self.fields.iter().filter(|field| null(field)) {
                out.put_array([tag::BOOL]);
                out.put(&field.name);
                out.put_array([1]);
            }
            close(unset, out);
        }
        close(update, out);
    }

    /// `u: [{$replaceWith: {$setField: {field: {$literal: NAME}, input: "$$ROOT", value: {$literal: VALUE}}}}, …]`, for names
    /// that `$set` would take for paths.
    fn pipeline(&self, batch: &Batch, row: usize, out: &mut Buffer) {
        let stages = begin(tag::ARRAY, b"u\0", out);
        let mut digits = itoa::Buffer::new();
        for (at, field) in self.fields.iter().enumerate() {
            let number = format!("{}\0", digits.format(at));
            let stage = begin(tag::DOCUMENT, number.as_bytes(), out);
            let replace = begin(tag::DOCUMENT, b"$replaceWith\0", out);
            let set = begin(tag::DOCUMENT, b"$setField\0", out);
            let named = begin(tag::DOCUMENT, b"field\0", out);
            let name = std::str::from_utf8(&field.name[..field.name.len() - 1]);
            string(b"$literal\0", name.expect("a name is UTF-8"), out);
            close(named, out);
            string(b"input\0", "$$ROOT", out);
            let item = item(batch, field, row);
            if is_null(item) {
                string(b"value\0", "$$REMOVE", out);
            } else {
                let value = begin(tag::DOCUMENT, b"value\0", out);
                element(b"$literal\0", item, &field.wire, out);
                close(value, out);
            }
            close(set, out);
            close(replace, out);
            close(stage, out);
        }
        close(stages, out);
    }

    fn values(&self, batch: &Batch, row: usize, wanted: impl Fn(&Field) -> bool, out: &mut Buffer) {
        for field in self.fields.iter().filter(|field| wanted(field)) {
            element(&field.name, item(batch, field, row), &field.wire, out);
        }
    }
}

impl Piece {
    /// An insert without the rows at some places.
    pub(super) fn without(&self, places: &HashSet<usize>) -> Result<Piece, SinkError> {
        let broken = |_| SinkError::fatal("command", "the command is no BSON");
        let (mut command, mut left) = (RawDocumentBuf::new(), RawArrayBuf::new());
        for field in RawDocument::from_bytes(&self.bytes).map_err(broken)? {
            let (name, value) = field.map_err(broken)?;
            if name != "documents" {
                command.append(name, value);
            }
        }
        let documents = self.documents("documents")?.into_iter().enumerate();
        for (_, row) in documents.filter(|(place, _)| !places.contains(place)) {
            left.push(row.to_owned());
        }
        command.append(cstr!("documents"), left);
        let rows = self.rows - places.len() as u64;
        Ok(Piece { rows, bytes: command.into_bytes() })
    }

    /// The documents of its array.
    pub(super) fn documents(&self, array: &str) -> Result<Vec<&RawDocument>, SinkError> {
        let broken = || SinkError::fatal("command", format!("the command has no {array}"));
        let command = RawDocument::from_bytes(&self.bytes).map_err(|_| broken())?;
        let rows = command.get_array(array).map_err(|_| broken())?;
        rows.into_iter()
            .map(|row| row.ok()?.as_document())
            .collect::<Option<_>>()
            .ok_or_else(broken)
    }
}

/// The command's own name.
pub(super) fn word(kind: OpKind) -> &'static str {
    match kind {
        OpKind::Insert => "insert",
        OpKind::Update | OpKind::Rekey => "update",
        OpKind::Delete => "delete",
        OpKind::Read => "find",
    }
}

/// What a command calls its rows; those of a read are never sent as they are.
pub(super) fn array(kind: OpKind) -> &'static str {
    match kind {
        OpKind::Insert => "documents",
        OpKind::Update | OpKind::Rekey => "updates",
        OpKind::Delete => "deletes",
        OpKind::Read => "reads",
    }
}

/// `q: {_id: …}`
fn query(id: &[u8], out: &mut Buffer) {
    let start = begin(tag::DOCUMENT, b"q\0", out);
    out.put(id);
    close(start, out);
}

/// Opens a document or an array under a name.
fn begin(tag: u8, name: &[u8], out: &mut Buffer) -> usize {
    out.put_array([tag]);
    out.put(name);
    open(out)
}

fn string(name: &[u8], value: &str, out: &mut Buffer) {
    out.put_array([tag::STRING]);
    out.put(name);
    crate::value::string(value, out);
}

fn item<'a>(batch: &'a Batch, field: &Field, index: usize) -> Item<'a> {
    Item { data: &batch.columns[field.place], index, series: &batch.series }
}

/// Whether a value is none, in the column or in its dictionary.
fn is_null(item: Item<'_>) -> bool {
    let Item { data, index, series } = item;
    data.is_null(index)
        || match &data.values {
            Values::Dictionary { codes, entries } => {
                let index = code(codes, index, series) as usize;
                is_null(Item { data: entries, index, series })
            }
            _ => false,
        }
}
