//! The write-ahead log tells what was acknowledged, and nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use rowstorm_gen::changes::{ChangeBatch, ChangePlan, Fate, OpKind};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Plan, PlanOptions};
use rowstorm_postgres::cdc::{Decoding, Events};
use rowstorm_sink::{
    Attempt, Change, ChangeLog as _, Changer as _, End, Sink as _, Statement, Transaction,
};

use crate::bed::{APPEND, RECREATE, options, sink, sql, table};

/// Two tables with everything that a mix can do; customers by two columns.
const MIX: &str = "
version: 1
tables:
  rs_log_people:
    key: [land, id]
    preload: 40
    columns:
      id:   { type: bigint, gen: sequence }
      land: { type: text, gen: { template: 'L{id}' } }
      name: { type: text, gen: { fake: first_name } }
  rs_log_tokens:
    key: [token]
    preload: 40
    columns:
      token: { type: uuid, gen: uuid_v4 }
      uses:  { type: int, gen: { uniform: [0, 100] } }
changes:
  streams: 2
  mix:
    - { insert: rs_log_people, weight: 5 }
    - { update: rs_log_people, set: [name], weight: 7 }
    - { delete: rs_log_people, weight: 2 }
    - { insert: rs_log_tokens, weight: 3 }
    - { update: rs_log_tokens, set: [uses], weight: 2 }
    - { rekey: rs_log_tokens, weight: 2 }
";

pub(crate) async fn the_log_tells_what_was_acknowledged() {
    let sink = sink().await;
    let schema = Schema::parse(MIX, Format::Yaml, "case.yaml").unwrap();
    let plan = Plan::new(&schema, PlanOptions::default()).unwrap();
    let changes = ChangePlan::new(&plan).unwrap();
    let tables = [0, 1].map(|table| Arc::clone(changes.table(table)));
    for table in &tables {
        sink.prepare(table, &RECREATE).await.unwrap();
    }
    let mut decoding = Decoding::begin(options(), &tables).await.unwrap();
    let mix = Statement::all(&changes);
    let mut changer = sink.changer(&mix).await.unwrap();
    // The rows of the beginning, as inserts like any other.
    let (mut batch, mut counted) = (rowstorm_gen::Batch::default(), HashMap::new());
    for (statement, table) in [(0, &tables[0]), (3, &tables[1])] {
        plan.tables()[statement / 3].fill(0..40, &mut batch);
        let groups = [Change { statement, batch: &batch }];
        let (end, attempt) = (End::Commit, Attempt::First);
        let loading = Transaction { groups: &groups, end, attempt, hold: None };
        let matched = changer.change(loading).await.unwrap()[0].matched;
        *counted.entry((Arc::clone(&table.name), OpKind::Insert)).or_insert(0) += matched;
    }
    let (mut batch, mut done) = (ChangeBatch::default(), 2);
    for first in (0..600).step_by(60) {
        let stream = changes.stream(first as u32 / 60 % 2);
        for (fate, end) in [(Fate::RollBack, End::RollBack), (Fate::Commit, End::Commit)] {
            let from = first / 120 * 60;
            stream.fill(from..from + 60, fate, &mut batch);
            let groups = batch.groups().iter();
            let groups = groups.map(|it| Change { statement: it.entry, batch: &it.batch });
            let groups: Vec<Change<'_>> = groups.collect();
            let attempt = Attempt::First;
            let answers = changer.change(Transaction { groups: &groups, end, attempt, hold: None });
            let answers = answers.await.unwrap();
            for (group, answer) in groups.iter().zip(answers) {
                assert_eq!(answer.matched, group.batch.len() as u64, "{answer:?}");
                if end == End::Commit {
                    let statement = &mix[group.statement];
                    let key = (Arc::clone(&statement.table.name), statement.kind);
                    *counted.entry(key).or_insert(0) += answer.matched;
                }
            }
        }
        done += 1;
        if first == 240 {
            assert_eq!(decoding.read().await.unwrap(), done, "what was done up to here");
        }
    }
    decoding.read().await.unwrap();
    assert_eq!(decoding.transactions(), done);
    for table in &tables {
        let of = |kind| counted.get(&(Arc::clone(&table.name), kind)).copied().unwrap_or(0);
        let acknowledged = Events {
            inserted: of(OpKind::Insert),
            updated: of(OpKind::Update),
            rekeyed: of(OpKind::Rekey),
            deleted: of(OpKind::Delete),
            truncated: 0,
        };
        assert_eq!(decoding.events(&table.name), acknowledged);
        assert!(acknowledged.inserted > 40 && acknowledged.updated > 20);
    }
    assert_eq!(decoding.events("rs_log_tokens").deleted, 0, "a new key is no delete in the log");
    sql("TRUNCATE rs_log_people, rs_log_tokens").await;
    assert_eq!(decoding.read().await.unwrap(), 1);
    assert_eq!(decoding.events("rs_log_tokens").truncated, 1);
    Box::new(decoding).end().await.unwrap();
}

pub(crate) async fn a_table_that_cannot_be_decoded_is_named() {
    let label = "      label: { type: text, gen: { text: { bytes: 4 } } }\n";
    let absent = table("rs_log_absent", label);
    let error = Decoding::begin(options(), &[absent]).await.unwrap_err();
    assert!(error.message.contains("rs_log_absent"), "{error}");
    let text = format!("version: 1\ntables:\n  rs_log_keyless:\n    columns:\n{label}");
    let keyless = crate::bed::document(&text);
    sink().await.prepare(&keyless, &APPEND).await.unwrap();
    let error = Decoding::begin(options(), &[keyless]).await.unwrap_err();
    assert!(error.message.contains("no key"), "{error}");
}
