//! The queries of a job: behind its transaction, each by itself and timed by itself. A query leaves nothing, so one that fails is
//! asked again without the transaction, and one that is given up is a row that was refused.

use rowstorm_gen::Batch;
use rowstorm_sink::{Change, Changed, Changer as _, Queried, SinkError, SinkErrorKind};
use tokio::time::{Instant, sleep, timeout};

use super::super::filled::Answered;
use super::{Attempt, Delivery, Duration, Filled, Job, Lane};
use crate::backoff;

/// No answer came in time: the same would take as long again.
const TIMEOUT: &str = "timeout";

impl Lane {
    /// Whether a transaction has anything but queries.
    pub(super) fn has_changes(&self, filled: &Filled) -> bool {
        let statements = &self.shop.work.statements;
        filled.groups().any(|group| statements[group.entry].query.is_none())
    }

    /// Puts the answers of a transaction in the order of its groups, and asks the queries among them.
    pub(super) async fn ask_all(
        &mut self,
        job: &Job,
        filled: &Filled,
        changed: Vec<Changed>,
        service: Duration,
    ) -> Vec<Answered> {
        let at = self.shop.desk.lock().clock.elapsed();
        let mut changed = changed.into_iter();
        let mut answers = Vec::new();
        for group in filled.groups() {
            answers.push(if self.shop.work.statements[group.entry].query.is_some() {
                self.ask(job, group.entry, &group.batch).await
            } else {
                let changed = changed.next().unwrap_or_default();
                Answered { changed, at, service, returned: 0 }
            });
        }
        // An answer too many is no better than one that is missing.
        answers.extend(changed.map(|changed| Answered { changed, at, service, returned: 0 }));
        answers
    }

    /// Asks a query until it is answered, refused, or given up.
    async fn ask(&mut self, job: &Job, entry: usize, batch: &Batch) -> Answered {
        let mut attempts = 0;
        loop {
            let start = Instant::now();
            let asked = self.ask_once(job, entry, batch.clone()).await;
            let service = start.elapsed();
            let answered = |changed, returned| {
                let at = self.shop.desk.lock().clock.elapsed();
                Answered { changed, at, service, returned }
            };
            let error = match asked {
                Ok(Queried::Rows(rows)) => return answered(Changed::matched(1), rows),
                Ok(Queried::Refused { class, sample }) => {
                    return answered(Changed::refused(1, &class, &sample), 0);
                }
                Err(error) => error,
            };
            let may_again = match error.kind {
                SinkErrorKind::Busy { .. } | SinkErrorKind::Lost(_) => error.class != TIMEOUT,
                SinkErrorKind::TooLarge | SinkErrorKind::Fatal => false,
            };
            if !may_again || attempts >= self.shop.options.retry {
                return answered(Changed::refused(1, &error.class, &error.message), 0);
            }
            self.shop.desk.trouble(&error);
            sleep(backoff::pause(job.number, attempts)).await;
            attempts += 1;
        }
    }

    async fn ask_once(
        &mut self,
        job: &Job,
        entry: usize,
        batch: Batch,
    ) -> Result<Queried, SinkError> {
        if self.changer.is_none() {
            self.reconnect(job.number, Attempt::Replay).await?;
        }
        let mut changer = self.changer.take().expect("it is connected");
        let mut asking = Box::pin(async move {
            let asked = changer.query(Change { statement: entry, batch: &batch }).await;
            (changer, asked)
        });
        let patience = self.patience();
        let Ok((changer, asked)) = timeout(patience, asking.as_mut()).await else {
            // Never cancelled: its connection goes with it.
            tokio::spawn(asking);
            let text = format!("no answer within {patience:?}; the connection is given up");
            return Err(SinkError::new(SinkErrorKind::Lost(Delivery::None), TIMEOUT, text));
        };
        if !matches!(&asked, Err(SinkError { kind: SinkErrorKind::Lost(_), .. })) {
            self.changer = Some(changer);
        }
        asked
    }
}
