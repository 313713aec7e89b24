//! Sending a transaction's groups: as few statements as can be, and BEGIN only where there are several.

use rowstorm_gen::Batch;
use rowstorm_gen::changes::OpKind;
use rowstorm_sink::{Attempt, Change, Changed, Delivery, End, Hold, Outcome, SinkError};
use sqlx::postgres::PgArguments;

use super::course::{CALL_BYTES_MAX, Call, Course, Failure, answer};
use super::{Ask, Lane, PostgresChanger, Words, array, statement};
use crate::connect::run;

impl PostgresChanger {
    /// Does a transaction; with a failure comes whether it has to be rolled back.
    pub(super) async fn send(
        &mut self,
        lane: &mut Lane,
        ask: Ask<'_>,
        hold: Option<Hold<'_>>,
    ) -> Result<Vec<Changed>, (Failure, bool)> {
        let mut course = Course {
            connection: &mut lane.connection,
            words: &lane.words,
            begun: false,
            found: Vec::new(),
            call: Call::default(),
        };
        let changed = self.course(&mut course, ask, hold).await;
        let begun = course.begun;
        changed.map_err(|failure| (failure, begun))
    }

    async fn course(
        &mut self,
        course: &mut Course<'_>,
        ask: Ask<'_>,
        hold: Option<Hold<'_>>,
    ) -> Result<Vec<Changed>, Failure> {
        let by_itself = hold.is_none() && ask.end == End::Commit && ask.attempt == Attempt::First;
        if !by_itself {
            course.begin().await?;
        }
        let changed = match ask.attempt {
            Attempt::First => self.first(course, ask.groups, by_itself).await?,
            Attempt::Replay => self.replay(course, ask).await?,
        };
        if course.begun {
            if let Some(hold) = hold {
                hold.await;
            }
            let (end, delivery) = match ask.end {
                End::Commit => ("COMMIT", Delivery::InDoubt),
                End::RollBack => ("ROLLBACK", Delivery::None),
            };
            run(course.connection, end).await.map_err(answer(delivery))?;
        }
        Ok(changed)
    }

    async fn first(
        &mut self,
        course: &mut Course<'_>,
        groups: &[Change<'_>],
        by_itself: bool,
    ) -> Result<Vec<Changed>, Failure> {
        for group in groups {
            let (at, rows) = (group.statement, group.batch.len());
            let bytes = self.encode(at, group.batch);
            if !course.takes(at, rows, bytes) {
                course.begin().await?;
                course.flush(Delivery::None).await?;
            }
            if bytes > CALL_BYTES_MAX && rows > 1 {
                course.begin().await?;
                self.in_pieces(course, at, rows, bytes).await?;
            } else {
                course.call.is_alone = course.is_alone(at, rows);
                course.call.groups.push(at);
                course.call.bytes += bytes;
                self.bind(at, course.words, rows, &mut course.call.arguments)?;
            }
        }
        let delivery = if by_itself && !course.begun { Delivery::InDoubt } else { Delivery::None };
        course.flush(delivery).await?;
        let changed = groups.iter().zip(&course.found).map(|(group, found)| {
            let rows = group.batch.len() as u64;
            match self.statements[group.statement].kind {
                OpKind::Insert => Outcome::counted(*found, rows).map(|outcome| Changed {
                    matched: outcome.accepted,
                    rejected: outcome.rejected,
                    ..Changed::default()
                }),
                OpKind::Update | OpKind::Rekey | OpKind::Delete | OpKind::Read => {
                    Changed::found(*found, rows, 0)
                }
            }
        });
        changed.collect::<Result<_, _>>().map_err(Failure::Own)
    }

    /// A group that is too large for one message, a few rows after others.
    async fn in_pieces(
        &mut self,
        course: &mut Course<'_>,
        at: usize,
        rows: usize,
        bytes: usize,
    ) -> Result<(), Failure> {
        let step = (rows * CALL_BYTES_MAX / bytes).max(1);
        let columns: Vec<&[u8]> = self.encoders[at].columns().collect();
        let (mut starts, mut found) = (vec![0; columns.len()], 0);
        for first in (0..rows).step_by(step) {
            let piece = step.min(rows - first);
            let mut arguments = PgArguments::default();
            for ((cells, start), array) in
                columns.iter().zip(&mut starts).zip(&course.words[at].arrays)
            {
                let end = *start + array::length(&cells[*start..], piece);
                array::bind(&mut arguments, *array, piece, &cells[*start..end])?;
                *start = end;
            }
            found += course.execute(at, arguments, Delivery::None).await?;
        }
        course.found.push(found);
        Ok(())
    }

    /// Everything may have been committed before. Group by group, since inserts have a question of their own.
    async fn replay(
        &mut self,
        course: &mut Course<'_>,
        ask: Ask<'_>,
    ) -> Result<Vec<Changed>, Failure> {
        let mut changed = Vec::new();
        for (group, gone) in ask.groups.iter().zip(ask.gone) {
            let (at, rows) = (group.statement, group.batch.len());
            self.encode(at, group.batch);
            let mut arguments = PgArguments::default();
            self.bind(at, course.words, rows, &mut arguments)?;
            let types = super::names(&course.words[at].types);
            changed.push(if let Some(sql) = statement::replay(&self.statements, at, &types) {
                course.insert_again(&sql, arguments, rows as u64).await?
            } else {
                let found = course.execute(at, arguments, Delivery::None).await?;
                Changed::found(found, rows as u64, *gone)?
            });
        }
        Ok(changed)
    }

    /// Encodes a group's columns; how many bytes they are.
    fn encode(&mut self, at: usize, batch: &Batch) -> usize {
        let encoder = &mut self.encoders[at];
        encoder.clear();
        encoder.encode(batch);
        encoder.columns().map(<[u8]>::len).sum()
    }

    fn bind(
        &self,
        at: usize,
        words: &[Words],
        rows: usize,
        arguments: &mut PgArguments,
    ) -> Result<(), SinkError> {
        let mut columns = self.encoders[at].columns().zip(&words[at].arrays);
        columns.try_for_each(|(cells, array)| array::bind(arguments, *array, rows, cells))
    }
}
