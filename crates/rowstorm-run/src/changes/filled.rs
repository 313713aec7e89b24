//! The columns of a transaction, and the memory that they take.

use std::mem::size_of_val;
use std::ops::Range;
use std::time::Duration;

use rowstorm_gen::changes::{ChangeBatch, ChangeStream, Fate, Group};
use rowstorm_gen::{Batch, Codes, ColumnData, Values};
use rowstorm_sink::Changed;

/// What became of a group, and when.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) changed: Changed,
    /// Since the first op of all.
    pub(crate) at: Duration,
    /// From sending its transaction, or itself if it is a query, to the answer.
    pub(crate) service: Duration,
    /// Rows that a query returned.
    pub(crate) returned: u64,
}

impl Answered {
    /// How long a transaction and its queries took together.
    pub(crate) fn service(answers: &[Answered]) -> Duration {
        let mut total = Duration::ZERO;
        let mut last = None;
        for answer in answers {
            // What was answered together took its time once.
            if last != Some((answer.at, answer.service)) {
                total += answer.service;
            }
            last = Some((answer.at, answer.service));
        }
        total
    }
}

/// A transaction's groups, in pieces of at most so many ops as a stream fills at once.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    pieces: Vec<ChangeBatch>,
    used: usize,
}

impl Filled {
    /// Fills it with ops of a stream, `piece` at once.
    pub(crate) fn fill(&mut self, stream: &ChangeStream, ops: Range<u64>, fate: Fate, piece: u32) {
        self.used = 0;
        let mut from = ops.start;
        while from < ops.end {
            let to = ops.end.min(from + u64::from(piece));
            if self.pieces.len() == self.used {
                self.pieces.push(ChangeBatch::default());
            }
            stream.fill(from..to, fate, &mut self.pieces[self.used]);
            self.used += 1;
            from = to;
        }
    }

    /// In the order in which they are to be done.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.pieces[..self.used].iter().flat_map(ChangeBatch::groups)
    }

    /// Whether an answer accounts for every row of every group.
    pub(crate) fn is_answered(&self, answers: &[Answered]) -> bool {
        self.groups().count() == answers.len()
            && self
                .groups()
                .zip(answers)
                .all(|(group, answer)| group.ops.len() as u64 == answer.changed.rows())
    }

    /// The bytes of all values.
    pub(crate) fn bytes(&self) -> u64 {
        self.groups().map(|group| bytes(&group.batch)).sum()
    }
}

fn bytes(batch: &Batch) -> u64 {
    batch.columns.iter().map(of_column).sum::<usize>() as u64
}

fn of_column(column: &ColumnData) -> usize {
    match &column.values {
        Values::Bool(values) => values.len(),
        Values::Int(values) | Values::Timestamp(values) => size_of_val(values.as_slice()),
        Values::Float(values) => size_of_val(values.as_slice()),
        Values::Decimal { unscaled, .. } => size_of_val(unscaled.as_slice()),
        Values::Text(strings) | Values::Bytes(strings) | Values::Json(strings) => {
            let (offsets, bytes) = strings.parts();
            size_of_val(offsets) + bytes.len()
        }
        Values::Uuid(values) => size_of_val(values.as_slice()),
        // The entries are shared by all batches.
        Values::Dictionary { codes: Codes::Own(codes), .. } => size_of_val(codes.as_slice()),
        Values::Dictionary { codes: Codes::Series, .. } => 0,
        Values::Object(fields) => fields.iter().map(|(_, field)| of_column(field)).sum(),
        Values::Array { offsets, items } => size_of_val(offsets.as_slice()) + of_column(items),
    }
}
