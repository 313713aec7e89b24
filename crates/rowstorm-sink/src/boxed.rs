//! Any sink behind one type: what the runner holds. One allocation for each batch, nothing for each row.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use rowstorm_gen::{Batch, TablePlan};

use crate::{
    Answers, Audit, BoxChangeLog, BoxScan, Change, ChangeLimits, Changed, Changer, Encoder, Event,
    Explanation, Guess, Limits, Outcome, Payload, Prepare, Queried, Scope, ServerCounters,
    ServerFact, Sink, SinkError, Statement, Transaction, Writer,
};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, SinkError>> + Send + 'a>>;

/// Any [`Sink`].
#[derive(Debug, Clone)]
pub struct BoxSink(Arc<dyn DynSink>);

/// Any [`Encoder`].
pub struct BoxEncoder(Box<dyn Encoder>);

/// Any [`Writer`].
pub struct BoxWriter(Box<dyn DynWriter>);

/// Any [`Changer`].
pub struct BoxChanger(Box<dyn DynChanger>);

impl BoxSink {
    /// Puts a sink behind the one type.
    pub fn new(sink: impl Sink) -> BoxSink {
        BoxSink(Arc::new(sink))
    }
}

trait DynSink: Debug + Send + Sync {
    fn limits(&self, table: &TablePlan) -> Limits;
    fn guess(&self, table: &TablePlan) -> Option<Guess>;
    fn encoder(&self, table: &TablePlan) -> BoxEncoder;
    fn explain(&self, table: &TablePlan, prepare: &Prepare) -> Explanation;
    fn prepare<'a>(&'a self, table: &'a TablePlan, prepare: &'a Prepare) -> BoxFuture<'a, ()>;
    fn writer<'a>(&'a self, table: &'a Arc<TablePlan>) -> BoxFuture<'a, BoxWriter>;
    fn finish<'a>(&'a self, table: &'a TablePlan, prepare: &'a Prepare) -> BoxFuture<'a, ()>;
    fn keeps_rows(&self) -> bool;
    fn audit<'a>(&'a self, table: &'a TablePlan, scope: &'a Scope) -> BoxFuture<'a, Audit>;
    fn server(&self) -> BoxFuture<'_, Vec<ServerFact>>;
    fn counters(&self) -> BoxFuture<'_, Option<ServerCounters>>;
    fn change_limits(&self, statements: &[Statement]) -> Result<ChangeLimits, SinkError>;
    fn explain_change(&self, statement: &Statement) -> Option<String>;
    fn changer<'a>(&'a self, statements: &'a Arc<[Statement]>) -> BoxFuture<'a, BoxChanger>;
    fn change_log<'a>(&'a self, tables: &'a [Arc<TablePlan>]) -> BoxFuture<'a, BoxChangeLog>;
    fn explain_event(&self, event: &Event) -> Result<String, SinkError>;
    fn event<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Option<u64>>;
    fn scan<'a>(&'a self, table: &'a Arc<TablePlan>) -> BoxFuture<'a, BoxScan>;
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

trait DynWriter: Send {
    fn write<'a>(&'a mut self, payload: &'a Payload) -> BoxFuture<'a, Outcome>;
}

trait DynChanger: Send {
    fn change<'a>(&'a mut self, transaction: Transaction<'a>) -> BoxFuture<'a, Vec<Changed>>;
    fn change_each<'a>(
        &'a mut self,
        transactions: &'a [&'a [Change<'a>]],
        answered: Answers<'a>,
    ) -> BoxFuture<'a, ()>;
    fn query<'a>(&'a mut self, query: Change<'a>) -> BoxFuture<'a, Queried>;
}

impl<S: Sink> DynSink for S {
    fn limits(&self, table: &TablePlan) -> Limits {
        Sink::limits(self, table)
    }

    fn guess(&self, table: &TablePlan) -> Option<Guess> {
        Sink::guess(self, table)
    }

    fn encoder(&self, table: &TablePlan) -> BoxEncoder {
        BoxEncoder(Box::new(Sink::encoder(self, table)))
    }

    fn explain(&self, table: &TablePlan, prepare: &Prepare) -> Explanation {
        Sink::explain(self, table, prepare)
    }

    fn prepare<'a>(&'a self, table: &'a TablePlan, prepare: &'a Prepare) -> BoxFuture<'a, ()> {
        Box::pin(Sink::prepare(self, table, prepare))
    }

    fn writer<'a>(&'a self, table: &'a Arc<TablePlan>) -> BoxFuture<'a, BoxWriter> {
        Box::pin(async move { Ok(BoxWriter(Box::new(Sink::writer(self, table).await?))) })
    }

    fn finish<'a>(&'a self, table: &'a TablePlan, prepare: &'a Prepare) -> BoxFuture<'a, ()> {
        Box::pin(Sink::finish(self, table, prepare))
    }

    fn keeps_rows(&self) -> bool {
        Sink::keeps_rows(self)
    }

    fn audit<'a>(&'a self, table: &'a TablePlan, scope: &'a Scope) -> BoxFuture<'a, Audit> {
        Box::pin(Sink::audit(self, table, scope))
    }

    fn server(&self) -> BoxFuture<'_, Vec<ServerFact>> {
        Box::pin(Sink::server(self))
    }

    fn counters(&self) -> BoxFuture<'_, Option<ServerCounters>> {
        Box::pin(Sink::counters(self))
    }

    fn change_limits(&self, statements: &[Statement]) -> Result<ChangeLimits, SinkError> {
        Sink::change_limits(self, statements)
    }

    fn explain_change(&self, statement: &Statement) -> Option<String> {
        Sink::explain_change(self, statement)
    }

    fn changer<'a>(&'a self, statements: &'a Arc<[Statement]>) -> BoxFuture<'a, BoxChanger> {
        Box::pin(async move { Ok(BoxChanger(Box::new(Sink::changer(self, statements).await?))) })
    }

    fn change_log<'a>(&'a self, tables: &'a [Arc<TablePlan>]) -> BoxFuture<'a, BoxChangeLog> {
        Box::pin(Sink::change_log(self, tables))
    }

    fn explain_event(&self, event: &Event) -> Result<String, SinkError> {
        Sink::explain_event(self, event)
    }

    fn event<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Option<u64>> {
        Box::pin(Sink::event(self, event))
    }

    fn scan<'a>(&'a self, table: &'a Arc<TablePlan>) -> BoxFuture<'a, BoxScan> {
        Box::pin(Sink::scan(self, table))
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(Sink::close(self))
    }
}

impl<W: Writer> DynWriter for W {
    fn write<'a>(&'a mut self, payload: &'a Payload) -> BoxFuture<'a, Outcome> {
        Box::pin(Writer::write(self, payload))
    }
}

impl<C: Changer> DynChanger for C {
    fn change<'a>(&'a mut self, transaction: Transaction<'a>) -> BoxFuture<'a, Vec<Changed>> {
        Box::pin(Changer::change(self, transaction))
    }

    fn change_each<'a>(
        &'a mut self,
        transactions: &'a [&'a [Change<'a>]],
        answered: Answers<'a>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(Changer::change_each(self, transactions, answered))
    }

    fn query<'a>(&'a mut self, query: Change<'a>) -> BoxFuture<'a, Queried> {
        Box::pin(Changer::query(self, query))
    }
}

impl Sink for BoxSink {
    type Writer = BoxWriter;
    type Encoder = BoxEncoder;
    type Changer = BoxChanger;

    fn limits(&self, table: &TablePlan) -> Limits {
        self.0.limits(table)
    }

    fn guess(&self, table: &TablePlan) -> Option<Guess> {
        self.0.guess(table)
    }

    fn encoder(&self, table: &TablePlan) -> BoxEncoder {
        self.0.encoder(table)
    }

    fn explain(&self, table: &TablePlan, prepare: &Prepare) -> Explanation {
        self.0.explain(table, prepare)
    }

    async fn prepare(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        self.0.prepare(table, prepare).await
    }

    async fn writer(&self, table: &Arc<TablePlan>) -> Result<BoxWriter, SinkError> {
        self.0.writer(table).await
    }

    async fn finish(&self, table: &TablePlan, prepare: &Prepare) -> Result<(), SinkError> {
        self.0.finish(table, prepare).await
    }

    fn keeps_rows(&self) -> bool {
        self.0.keeps_rows()
    }

    async fn audit(&self, table: &TablePlan, scope: &Scope) -> Result<Audit, SinkError> {
        self.0.audit(table, scope).await
    }

    async fn server(&self) -> Result<Vec<ServerFact>, SinkError> {
        self.0.server().await
    }

    async fn counters(&self) -> Result<Option<ServerCounters>, SinkError> {
        self.0.counters().await
    }

    fn change_limits(&self, statements: &[Statement]) -> Result<ChangeLimits, SinkError> {
        self.0.change_limits(statements)
    }

    fn explain_change(&self, statement: &Statement) -> Option<String> {
        self.0.explain_change(statement)
    }

    async fn changer(&self, statements: &Arc<[Statement]>) -> Result<BoxChanger, SinkError> {
        self.0.changer(statements).await
    }

    async fn change_log(&self, tables: &[Arc<TablePlan>]) -> Result<BoxChangeLog, SinkError> {
        self.0.change_log(tables).await
    }

    fn explain_event(&self, event: &Event) -> Result<String, SinkError> {
        self.0.explain_event(event)
    }

    async fn event(&self, event: &Event) -> Result<Option<u64>, SinkError> {
        self.0.event(event).await
    }

    async fn scan(&self, table: &Arc<TablePlan>) -> Result<BoxScan, SinkError> {
        self.0.scan(table).await
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

impl Encoder for BoxEncoder {
    fn begin(&mut self, payload: &mut Payload) {
        self.0.begin(payload);
    }

    fn encode(&mut self, batch: &Batch, payload: &mut Payload) {
        self.0.encode(batch, payload);
    }

    fn end(&mut self, payload: &mut Payload) {
        self.0.end(payload);
    }
}

impl Writer for BoxWriter {
    async fn write(&mut self, payload: &Payload) -> Result<Outcome, SinkError> {
        self.0.write(payload).await
    }
}

impl Changer for BoxChanger {
    async fn change(&mut self, transaction: Transaction<'_>) -> Result<Vec<Changed>, SinkError> {
        self.0.change(transaction).await
    }

    async fn change_each(
        &mut self,
        transactions: &[&[Change<'_>]],
        answered: Answers<'_>,
    ) -> Result<(), SinkError> {
        self.0.change_each(transactions, answered).await
    }

    async fn query(&mut self, query: Change<'_>) -> Result<Queried, SinkError> {
        self.0.query(query).await
    }
}
