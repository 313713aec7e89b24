//! A database in memory that takes its time for transactions, and stands still when it is told to.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rowstorm_gen::TablePlan;
use rowstorm_sink::{
    Answers, Audit, Change, ChangeLimits, Changed, Changer, Explanation, Limits, Memory, Prepare,
    Queried, Scope, Sink, SinkError, Statement, Transaction,
};
use tokio::time::{Instant, sleep, sleep_until};

#[derive(Debug, Clone)]
pub(crate) struct Changing {
    pub(crate) memory: Memory,
    latency: Duration,
    /// Counted from the first transaction: what comes in it is answered after it.
    stall: Range<Duration>,
    first: Arc<OnceLock<Instant>>,
    together: Arc<AtomicUsize>,
}

impl Changing {
    pub(crate) fn new(memory: Memory, latency: Duration) -> Changing {
        Changing {
            memory,
            latency,
            stall: Duration::ZERO..Duration::ZERO,
            first: Arc::default(),
            together: Arc::default(),
        }
    }

    /// The most transactions that came together; 0 where each came alone.
    pub(crate) fn together(&self) -> usize {
        self.together.load(Ordering::Relaxed)
    }

    pub(crate) fn stalling(self, stall: Range<Duration>) -> Changing {
        Changing { stall, ..self }
    }
}

pub(crate) struct SlowChanger {
    slow: Changing,
    inner: <Memory as Sink>::Changer,
}

impl Changer for SlowChanger {
    async fn change(&mut self, transaction: Transaction<'_>) -> Result<Vec<Changed>, SinkError> {
        let first = *self.slow.first.get_or_init(Instant::now);
        if self.slow.stall.contains(&first.elapsed()) {
            sleep_until(first + self.slow.stall.end).await;
        }
        sleep(self.slow.latency).await;
        self.inner.change(transaction).await
    }

    async fn change_each(
        &mut self,
        transactions: &[&[Change<'_>]],
        answered: Answers<'_>,
    ) -> Result<(), SinkError> {
        self.slow.together.fetch_max(transactions.len(), Ordering::Relaxed);
        for groups in transactions {
            answered(self.change(Transaction::once(groups)).await?);
        }
        Ok(())
    }

    async fn query(&mut self, query: Change<'_>) -> Result<Queried, SinkError> {
        sleep(self.slow.latency).await;
        self.inner.query(query).await
    }
}

impl Sink for Changing {
    type Writer = <Memory as Sink>::Writer;
    type Encoder = <Memory as Sink>::Encoder;
    type Changer = SlowChanger;

    fn limits(&self, table: &TablePlan) -> Limits {
        self.memory.limits(table)
    }

    fn encoder(&self, table: &TablePlan) -> Self::Encoder {
        self.memory.encoder(table)
    }

    fn explain(&self, table: &TablePlan, prepare: &Prepare) -> Explanation {
        self.memory.explain(table, prepare)
    }

    async fn prepare(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        self.memory.prepare(table, prepare).await
    }

    async fn writer(&self, table: &Arc<TablePlan>) -> Result<Self::Writer, SinkError> {
        self.memory.writer(table).await
    }

    async fn finish(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        self.memory.finish(table, prepare).await
    }

    async fn audit(&self, table: &TablePlan, scope: &Scope) -> Result<Audit, SinkError> {
        self.memory.audit(table, scope).await
    }

    fn change_limits(&self, statements: &[Statement]) -> Result<ChangeLimits, SinkError> {
        self.memory.change_limits(statements)
    }

    async fn changer(&self, statements: &Arc<[Statement]>) -> Result<SlowChanger, SinkError> {
        Ok(SlowChanger { slow: self.clone(), inner: self.memory.changer(statements).await? })
    }
}
