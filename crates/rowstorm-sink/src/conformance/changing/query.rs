//! Queries: every row of an answer counted, parameters as values, nothing changed.

use std::sync::Arc;

use rowstorm_gen::changes::{ChangeBatch, ChangePlan, Fate};
use rowstorm_gen::schema::Schema;
use rowstorm_gen::{Batch, Plan, PlanOptions, TablePlan, Value};

use super::super::values::fill;
use super::super::{Bed, Case, Need, Subject};
use super::event;
use super::mix::ChangerOf;
use crate::{Change, Changed, Changer, Queried, Sink, Statement};

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    let needs = &[Need::Rows, Need::Keys, Need::Changes];
    let words = &[Need::Rows, Need::Keys, Need::Changes, Need::Statements];
    vec![
        Case::new("a query counts the rows of a range of time", needs, range::<S>),
        Case::new("a query sees what was committed before", needs, committed::<S>),
        Case::new("a query takes its parameters as values", words, values::<S>),
        Case::new("a query may have no parameters", words, no_parameters::<S>),
        Case::new("a query that is refused is refused in words", words, refused::<S>),
        Case::new("a query changes nothing", words, read_only::<S>),
        Case::new("a query of all columns goes on when one was added", words, altered::<S>),
    ]
}

const ROWS: u64 = 200;
/// Queries of one stream: some hundred draws of rows.
const OPS: u64 = 120;
/// Texts that are dangerous where parameters become text.
const LABELS: &str = r#"["plain","it's","a\"b","x'; DROP TABLE y; --","back\\slash","{label}","$1 ?1 ?","ünï","%_","line\nbreak"]"#;

/// A table that is loaded, and its reads.
struct Read {
    plan: Plan,
    changes: ChangePlan,
    mix: Arc<[Statement]>,
}

impl Read {
    fn of(name: &str, mix: &str) -> Read {
        let document = format!(
            r#"{{"version":1,"tables":{{"{name}":{{"key":["id"],"preload":{ROWS},"columns":{{
                "id":{{"type":"bigint","gen":"sequence"}},
                "at":{{"type":"timestamp","gen":{{"clock":{{"start":"2026-01-01T00:00:00Z","step":"1s"}}}}}},
                "label":{{"type":"text","gen":{{"one_of":{LABELS}}}}},
                "note":{{"type":"text","nulls":0.2,"gen":{{"text":{{"bytes":9}}}}}}}}}}}},
              "changes":{{"streams":2,"mix":[{mix}]}}}}"#
        );
        let schema: Schema =
            serde_json::from_str(&document).expect("the suite's documents are valid");
        let plan = Plan::new(&schema, PlanOptions::default()).expect("the document compiles");
        let changes = ChangePlan::new(&plan).expect("the changes compile");
        let mix = Statement::all(&changes);
        Read { plan, changes, mix }
    }

    fn table(&self) -> &Arc<TablePlan> {
        &self.plan.tables()[0]
    }

    async fn load<S: Subject>(&self, bed: &Bed<S>) -> ChangerOf<S> {
        bed.recreate(self.table()).await;
        for batch in fill(self.table(), ROWS) {
            assert_eq!(bed.write(self.table(), &batch).await.accepted, batch.len() as u64);
        }
        bed.audit(self.table()).await;
        bed.changer(&self.mix).await
    }

    /// The queries of a stream: statement, row, and parameters.
    fn queries(&self) -> Vec<(usize, u64, Batch)> {
        let mut batch = ChangeBatch::default();
        self.changes.stream(1).fill(0..OPS, Fate::Commit, &mut batch);
        let groups = batch.groups().iter();
        groups
            .filter(|group| self.mix[group.entry].query.is_some())
            .map(|group| {
                assert_eq!(group.rows.len(), 1, "a query is a group of its own");
                (group.entry, group.rows[0], group.batch.clone())
            })
            .collect()
    }

    /// Every row as the generator makes it.
    fn rows(&self) -> Vec<Vec<Value>> {
        self.table().rows(0..ROWS).iter().map(|row| row.values().to_vec()).collect()
    }
}

async fn ask<S: Subject>(changer: &mut ChangerOf<S>, statement: usize, batch: &Batch) -> Queried {
    changer.query(Change { statement, batch }).await.expect("the query is answered")
}

async fn range<S: Subject>(bed: Bed<S>) {
    let name = "rowstorm_query_range";
    let read = Read::of(
        name,
        &format!(r#"{{"read":"{name}","range":{{"column":"at","last":"10s"}},"weight":1}}"#),
    );
    let mut changer = read.load(&bed).await;
    let queries = read.queries();
    assert_eq!(queries.len() as u64, OPS);
    for (statement, row, batch) in &queries {
        // A row a second: the picked one, and as many as ten before it.
        let wanted = Queried::Rows(row.min(&10) + 1);
        assert_eq!(ask::<S>(&mut changer, *statement, batch).await, wanted, "row {row}");
    }
    assert!(queries.iter().any(|(_, row, _)| *row < 10), "a range reaches beyond the first row");
}

async fn committed<S: Subject>(bed: Bed<S>) {
    let name = "rowstorm_query_committed";
    let read = Read::of(
        name,
        &format!(
            r#"{{"delete":"{name}","weight":1}},{{"read":"{name}","range":{{"column":"at","last":"1d"}},"weight":1}}"#
        ),
    );
    let mut changer = read.load(&bed).await;
    let (statement, row, batch) = read.queries().pop().expect("there are queries");
    assert_eq!(ask::<S>(&mut changer, statement, &batch).await, Queried::Rows(row + 1));
    let first = super::keys([1, 2, 3]);
    assert_eq!(bed.commit(&mut changer, &[(0, &first)]).await, [Changed::matched(3)]);
    bed.audit(read.table()).await;
    assert_eq!(ask::<S>(&mut changer, statement, &batch).await, Queried::Rows(row + 1 - 3));
}

async fn values<S: Subject>(bed: Bed<S>) {
    let name = "rowstorm_query_values";
    let sql = format!("SELECT id, label FROM {name} WHERE label = {{label}} AND id > {{id}}");
    let read = Read::of(
        name,
        &format!(
            r#"{{"read":"{name}","weight":1,"statement":{{"postgres":"{sql}","mysql":"{sql}","sqlite":"{sql}","cratedb":"{sql}",
                "mongodb":{{"find":"{name}","filter":{{"label":"{{label}}","id":{{"$gt":"{{id}}"}}}}}}}}}}"#
        ),
    );
    let mut changer = read.load(&bed).await;
    let rows = read.rows();
    let mut seen = std::collections::HashSet::new();
    for (statement, _, batch) in read.queries() {
        let asked = &read.changes.statement(statement).read(&batch)[0];
        let (id, label) = (&asked["id"], &asked["label"]);
        let (Value::Int(from), Value::Text(text)) = (id, label) else { panic!("{asked:?}") };
        let fits =
            |row: &&Vec<Value>| row[2] == *label && matches!(row[0], Value::Int(id) if id > *from);
        let wanted = rows.iter().filter(fits).count() as u64;
        seen.insert(text.clone());
        let answer = ask::<S>(&mut changer, statement, &batch).await;
        assert_eq!(answer, Queried::Rows(wanted), "{asked:?}");
    }
    assert_eq!(seen.len(), 10, "every text was asked for");
    assert_eq!(bed.audit(read.table()).await.rows, ROWS, "and none of them did anything");
}

async fn no_parameters<S: Subject>(bed: Bed<S>) {
    let name = "rowstorm_query_plain";
    let sql = format!("SELECT id FROM {name}");
    let read = Read::of(
        name,
        &format!(
            r#"{{"read":"{name}","weight":1,"statement":{{"postgres":"{sql}","mysql":"{sql}","sqlite":"{sql}","cratedb":"{sql}",
                "mongodb":{{"aggregate":"{name}","pipeline":[],"cursor":{{}}}}}}}}"#
        ),
    );
    let mut changer = read.load(&bed).await;
    for (statement, _, batch) in read.queries().into_iter().take(3) {
        assert_eq!(ask::<S>(&mut changer, statement, &batch).await, Queried::Rows(ROWS));
    }
}

async fn altered<S: Subject>(bed: Bed<S>) {
    let name = "rowstorm_query_altered";
    let sql = format!("SELECT * FROM {name}");
    let read = Read::of(
        name,
        &format!(
            r#"{{"read":"{name}","weight":1,"statement":{{"postgres":"{sql}","mysql":"{sql}","sqlite":"{sql}","cratedb":"SELECT id FROM {name}",
                "mongodb":{{"find":"{name}"}}}}}}"#
        ),
    );
    let mut changer = read.load(&bed).await;
    let queries = read.queries();
    let mut all = queries.iter().take(4);
    for (statement, _, batch) in all.by_ref().take(2) {
        assert_eq!(ask::<S>(&mut changer, *statement, batch).await, Queried::Rows(ROWS));
    }
    let alter = format!("ALTER TABLE {name} ADD COLUMN added_later varchar(20)");
    let command = format!(
        r#"{{"update":"{name}","updates":[{{"q":{{}},"u":{{"$set":{{"added_later":"x"}}}},"multi":true}}]}}"#
    );
    bed.sink.event(&event::words(alter, &command)).await.expect("it is done");
    bed.audit(read.table()).await;
    for (statement, _, batch) in all {
        assert_eq!(ask::<S>(&mut changer, *statement, batch).await, Queried::Rows(ROWS));
    }
}

async fn refused<S: Subject>(bed: Bed<S>) {
    let name = "rowstorm_query_refused";
    let sql = "SELECT id FROM rowstorm_that_is_not_there";
    let read = Read::of(
        name,
        &format!(
            r#"{{"read":"{name}","range":{{"column":"at","last":"1d"}},"weight":1}},
               {{"read":"{name}","weight":1,"statement":{{"postgres":"{sql}","mysql":"{sql}","sqlite":"{sql}","cratedb":"{sql}",
                "mongodb":{{"aggregate":"{name}","pipeline":[{{"$nonsense":{{}}}}],"cursor":{{}}}}}}}}"#
        ),
    );
    let mut changer = read.load(&bed).await;
    let queries = read.queries();
    let (wrong, _, batch) =
        queries.iter().find(|(statement, ..)| *statement == 1).expect("both come");
    for _ in 0..2 {
        match ask::<S>(&mut changer, *wrong, batch).await {
            Queried::Refused { class, sample } => assert!(!class.is_empty() && !sample.is_empty()),
            Queried::Rows(rows) => panic!("{rows} rows of what is not there"),
        }
    }
    let (right, row, batch) =
        queries.iter().find(|(statement, ..)| *statement == 0).expect("both come");
    assert_eq!(ask::<S>(&mut changer, *right, batch).await, Queried::Rows(row + 1), "it goes on");
}

async fn read_only<S: Subject>(bed: Bed<S>) {
    let name = "rowstorm_query_only";
    let read = Read::of(
        name,
        &format!(
            r#"{{"read":"{name}","weight":1,"statement":"DELETE FROM {name} WHERE id > {{id}}"}}"#
        ),
    );
    bed.recreate(read.table()).await;
    for batch in fill(read.table(), ROWS) {
        bed.write(read.table(), &batch).await;
    }
    if let Err(error) = bed.sink.change_limits(&read.mix) {
        assert!(!error.message.is_empty());
        return;
    }
    let mut changer = bed.changer(&read.mix).await;
    for (statement, _, batch) in read.queries().into_iter().take(3) {
        let answer = ask::<S>(&mut changer, statement, &batch).await;
        assert!(matches!(answer, Queried::Refused { .. }), "{answer:?}");
    }
    assert_eq!(bed.audit(read.table()).await.rows, ROWS);
}
