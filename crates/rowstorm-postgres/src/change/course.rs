//! A transaction under way on its connection: what waits, what was sent, and whether it was begun.

use rowstorm_gen::changes::OpKind;
use rowstorm_sink::{Changed, Delivery, Reaction, SinkError, Trouble};
use sqlx::postgres::{PgArguments, PgConnection};

use super::Words;
use crate::connect::run;
use crate::error::{class, trouble};

/// Groups of one call: calls of other groups are other statements, each of which the server must plan once.
const CALL_GROUPS_MAX: usize = 16;
/// Rows that one group of a call may read: the server holds them all in memory before it answers.
const CALL_READS_MAX: usize = 128;
/// Bytes of one call, or of one piece of a group: the server holds them in memory.
pub(super) const CALL_BYTES_MAX: usize = 8 << 20;

/// Why a transaction is not done.
pub(super) enum Failure {
    /// The server said so.
    Answer(Trouble),
    /// We say so.
    Own(SinkError),
}

impl From<SinkError> for Failure {
    fn from(error: SinkError) -> Failure {
        Failure::Own(error)
    }
}

/// Groups that wait to be one call.
#[derive(Default)]
pub(super) struct Call {
    /// The statement of each.
    pub(super) groups: Vec<usize>,
    pub(super) arguments: PgArguments,
    pub(super) bytes: usize,
    /// Whether it is one group that no other can be joined to.
    pub(super) is_alone: bool,
}

/// Where a transaction stands.
pub(super) struct Course<'a> {
    pub(super) connection: &'a mut PgConnection,
    pub(super) words: &'a [Words],
    pub(super) begun: bool,
    /// Rows that each group touched, so far.
    pub(super) found: Vec<u64>,
    pub(super) call: Call,
}

impl Course<'_> {
    pub(super) async fn begin(&mut self) -> Result<(), Failure> {
        if !self.begun {
            run(self.connection, "BEGIN").await.map_err(answer(Delivery::None))?;
            self.begun = true;
        }
        Ok(())
    }

    /// Whether a group can wait together with those that wait already.
    pub(super) fn takes(&self, at: usize, rows: usize, bytes: usize) -> bool {
        let Call { groups, bytes: waiting, is_alone, .. } = &self.call;
        let fits = groups.len() < CALL_GROUPS_MAX && waiting + bytes <= CALL_BYTES_MAX;
        groups.is_empty() || fits && !is_alone && !self.is_alone(at, rows)
    }

    /// Whether a group is no part of a call.
    pub(super) fn is_alone(&self, at: usize, rows: usize) -> bool {
        let Words { kind, function, .. } = &self.words[at];
        function.is_none() || *kind == OpKind::Read && rows > CALL_READS_MAX
    }

    /// Sends what waits.
    pub(super) async fn flush(&mut self, delivery: Delivery) -> Result<(), Failure> {
        let call = std::mem::take(&mut self.call);
        match &call.groups[..] {
            [] => {}
            [at] => {
                let found = self.execute(*at, call.arguments, delivery).await?;
                self.found.push(found);
            }
            groups => {
                let sql = self.nested(groups);
                let query = sqlx::query_scalar_with(&sql, call.arguments);
                let answers: Vec<String> =
                    query.fetch_one(&mut *self.connection).await.map_err(answer(delivery))?;
                self.count(groups, &answers)?;
            }
        }
        Ok(())
    }

    /// Each group's number, and behind those of reads as many rows.
    fn count(&mut self, groups: &[usize], answers: &[String]) -> Result<(), SinkError> {
        let mut answers = answers.iter();
        for at in groups {
            let number = answers.next().and_then(|number| number.parse().ok());
            let number: u64 = number.ok_or_else(|| {
                SinkError::fatal("count", "the server's answer lacks the number of rows")
            })?;
            if self.words[*at].kind == OpKind::Read {
                answers.by_ref().take(number as usize).for_each(drop);
            }
            self.found.push(number);
        }
        Ok(())
    }

    /// `SELECT second(first('{}', $1), $2)`: a function's arguments are there before it runs.
    fn nested(&self, groups: &[usize]) -> String {
        let mut sql = "'{}'::text[]".to_owned();
        let mut next = 1;
        for at in groups {
            let words = &self.words[*at];
            let function = words.function.as_deref().expect("only such groups are joined");
            let behind = next + words.arrays.len();
            let arrays = (next..behind).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ");
            sql = format!("{function}({sql}, {arrays})");
            next = behind;
        }
        format!("SELECT {sql}")
    }

    /// Does one statement; how many rows its command tag names.
    pub(super) async fn execute(
        &mut self,
        at: usize,
        arguments: PgArguments,
        delivery: Delivery,
    ) -> Result<u64, Failure> {
        let query = sqlx::query_with(&self.words[at].text, arguments);
        let done = query.execute(&mut *self.connection).await.map_err(answer(delivery))?;
        Ok(done.rows_affected())
    }

    pub(super) async fn insert_again(
        &mut self,
        sql: &str,
        arguments: PgArguments,
        rows: u64,
    ) -> Result<Changed, Failure> {
        let query = sqlx::query_as_with(sql, arguments);
        let (added, standing): (i64, i64) =
            query.fetch_one(&mut *self.connection).await.map_err(answer(Delivery::None))?;
        let (matched, confirmed) = (added.unsigned_abs(), standing.unsigned_abs());
        if matched + confirmed == rows {
            return Ok(Changed { matched, confirmed, ..Changed::default() });
        }
        let others = rows.saturating_sub(matched + confirmed);
        Err(Failure::Answer(Trouble {
            reaction: Reaction::Sift,
            class: class("23505"),
            message: format!("{others} rows stand there with the same key and another content"),
        }))
    }
}

pub(super) fn answer(delivery: Delivery) -> impl Fn(sqlx::Error) -> Failure {
    move |error| Failure::Answer(trouble(&error, delivery))
}
