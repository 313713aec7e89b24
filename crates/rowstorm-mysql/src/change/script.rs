//! The statements of transactions, many to a packet, and the server's answer to each.
//!
//! A server stops at the first statement of a packet that fails: neither a COMMIT behind it nor another transaction is done.

use std::ops::Range;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error};
use rowstorm_gen::changes::OpKind;
use rowstorm_sink::{End, SinkError};

use super::wording::{Grid, Wording};

/// Opens a transaction.
pub(super) const BEGIN: &str = "BEGIN;";

/// Ends one.
pub(super) fn words(end: End) -> &'static str {
    match end {
        End::Commit => "COMMIT;",
        End::RollBack => "ROLLBACK;",
    }
}

/// Statements, one after another.
#[derive(Debug, Default)]
pub(super) struct Script {
    text: Vec<u8>,
    steps: Vec<Step>,
}

/// One statement.
#[derive(Debug)]
struct Step {
    /// Where its text ends.
    end: usize,
    /// The group whose rows it finds.
    group: Option<usize>,
    has_rows: bool,
    /// Whether a transaction ends with it, where there are several.
    is_last: bool,
}

/// What the server said of one statement.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said {
    /// Rows that were found, or inserted.
    pub(super) found: u64,
    /// Warnings that wait to be read.
    pub(super) warnings: u16,
}

impl Script {
    /// Forgets all statements, keeps the memory.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.steps.clear();
    }

    /// Forgets all, and opens a transaction.
    pub(super) fn begin(&mut self) {
        self.clear();
        self.push(BEGIN);
    }

    /// Ends the transaction that `begin` opened; the step to send first. What is to be committed and is one statement needs
    /// no words around it.
    pub(super) fn end(&mut self, end: End) -> usize {
        if end == End::Commit && self.len() == 2 {
            return 1;
        }
        self.push(words(end));
        0
    }

    /// How far it goes, to come back to.
    pub(super) fn mark(&self) -> (usize, usize) {
        (self.steps.len(), self.text.len())
    }

    /// Takes back what was added since.
    pub(super) fn back_to(&mut self, (steps, text): (usize, usize)) {
        self.steps.truncate(steps);
        self.text.truncate(text);
    }

    /// What was added last ends a transaction.
    pub(super) fn close(&mut self) {
        if let Some(step) = self.steps.last_mut() {
            step.is_last = true;
        }
    }

    /// Whether a statement is a transaction's last.
    pub(super) fn is_last(&self, step: usize) -> bool {
        self.steps[step].is_last
    }

    /// The bytes of all statements.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    /// The group that a statement's rows are counted for.
    pub(super) fn group(&self, step: usize) -> Option<usize> {
        self.steps[step].group
    }

    /// Adds a group's rows, in as few statements of at most so many bytes as there can be.
    pub(super) fn add(
        &mut self,
        group: usize,
        wording: &Wording,
        grid: &Grid<'_>,
        bytes_max: usize,
    ) {
        let mut row = 0;
        while row < grid.rows() {
            let mut end = (row + wording.rows_max()).min(grid.rows());
            let start = self.text.len();
            loop {
                wording.write(grid, row..end, &mut self.text);
                if self.text.len() - start <= bytes_max || end == row + 1 {
                    break;
                }
                self.text.truncate(start);
                end = row + (end - row) / 2;
            }
            let has_rows = wording.kind() == OpKind::Read;
            self.steps.push(Step {
                end: self.text.len(),
                group: Some(group),
                has_rows,
                is_last: false,
            });
            row = end;
        }
    }

    /// Adds a statement that counts for no group, with its semicolon.
    pub(super) fn push(&mut self, statement: &str) {
        self.text.extend_from_slice(statement.as_bytes());
        self.steps.push(Step {
            end: self.text.len(),
            group: None,
            has_rows: false,
            is_last: false,
        });
    }

    /// The statements from one on that go in one packet of so many bytes: one at least.
    pub(super) fn packet(&self, first: usize, bytes_max: usize) -> Range<usize> {
        let start = self.start(first);
        let fit = self.steps[first..].iter().take_while(|step| step.end - start <= bytes_max);
        first..first + fit.count().max(1)
    }

    /// Sends statements in one packet, and tells what the server says of each as it comes.
    pub(super) async fn send(
        &self,
        steps: Range<usize>,
        connection: &mut Conn,
        mut heard: impl FnMut(usize, Said),
    ) -> Result<(), Error> {
        let text = &self.text[self.start(steps.start)..self.steps[steps.end - 1].end];
        let mut result = connection.query_iter(text).await?;
        for step in steps {
            let mut answer = if self.steps[step].has_rows {
                Said::default()
            } else {
                Said { found: result.affected_rows(), warnings: result.warnings() }
            };
            // Past the last row stands the next statement's answer, or its error.
            while result.next().await?.is_some() {
                answer.found += 1;
            }
            heard(step, answer);
        }
        Ok(())
    }

    fn start(&self, step: usize) -> usize {
        step.checked_sub(1).map_or(0, |before| self.steps[before].end)
    }
}

/// A warning that nothing foretold.
pub(super) fn surprised(is_committed: bool) -> SinkError {
    let until = if is_committed { ", and has committed it" } else { "" };
    let message = format!(
        "MySQL: the server warned of a transaction that it took without a word before{until}: a value may have been \
         changed to fit. Is there a trigger that warns of some rows?"
    );
    SinkError::fatal("warning", message)
}
