//! Tables as the schema wants them: objects, partitions, what stands there already, and what the cluster says of itself.

use rowstorm_sink::{IndexTime, Prepare, PrepareMode, Sink, SinkErrorKind};

use crate::bed::{Bed, RECREATE, pairs, plan, sink, sums};
use crate::double::Double;
use crate::servers;

fn objects(policy: &str, extra: &str) -> String {
    format!(
        "version: 1
tables:
  rowstorm_objects_{policy}:
    key: [id]
    columns:
      id:   {{ type: bigint, gen: sequence }}
      ts:   {{ type: timestamp, gen: {{ clock: {{ start: 2026-01-01T00:00:00Z, step: 1d }} }} }}
      tags:
        type: object
        gen:
          object:
            region: {{ type: text, gen: {{ one_of: [north, south] }} }}
            load:   {{ type: float, gen: {{ uniform: [0.0, 1.0] }} }}
            host:   {{ type: object, gen: {{ object: {{ rack: {{ type: int, gen: {{ uniform: [0, 9] }} }} }} }} }}
      list: {{ type: array, gen: {{ array: {{ type: \"decimal(10,2)\", max: 3, gen: {{ uniform: [0, 9] }} }} }} }}
    cratedb: {{ shards: 3, replicas: \"0-1\", object_policy: {policy}{extra} }}
"
    )
}

#[tokio::test]
async fn objects_of_every_policy_arrive_and_fields_appear_where_they_may() {
    let double = Double::start();
    for policy in ["dynamic", "strict", "ignored"] {
        for url in servers(&double) {
            let bed = Bed::new(&url, plan(&objects(policy, ""))).await;
            let mut payload = bed.drawn(50);
            assert_eq!(sums(&bed.write(&payload).await.unwrap()), (50, 0, 0), "{policy} {url}");
            assert_eq!(sums(&bed.again(&mut payload).await), (0, 50, 0), "{policy} {url}");
        }
        let columns = double.columns(&format!("rowstorm_objects_{policy}"));
        assert_eq!(
            columns.contains(&"tags['region']".to_owned()),
            policy != "ignored",
            "{columns:?}"
        );
    }
}

#[tokio::test]
async fn rows_go_into_a_partition_for_each_week_of_the_clock() {
    let double = Double::start();
    let document =
        objects("strict", ", partition_by: week").replace("rowstorm_objects", "rowstorm_weeks");
    for url in servers(&double) {
        let bed = Bed::new(&url, plan(&document)).await;
        let mut payload = bed.drawn(30);
        assert_eq!(sums(&bed.write(&payload).await.unwrap()), (30, 0, 0), "{url}");
        assert_eq!(sums(&bed.again(&mut payload).await), (0, 30, 0), "{url}");
        let append = Prepare { mode: PrepareMode::Append, indexes: IndexTime::None };
        bed.sink.prepare(&bed.table, &append).await.unwrap();
        assert_eq!(bed.count().await, 30);
    }
}

#[tokio::test]
async fn columns_and_gzip_bring_the_same_rows() {
    let double = Double::start();
    let table = plan(
        "version: 1
tables:
  rowstorm_ways:
    key: [id]
    columns:
      id:    { type: bigint, gen: sequence }
      host:  { type: text, nulls: 0.2, gen: { one_of: [a, b, 'c \"d\"'] } }
      ts:    { type: timestamp, nulls: 0.2, gen: { clock: { step: 1s } } }
      price: { type: \"decimal(20,4)\", nulls: 0.2, gen: { uniform: [-500.0000, 99999999.9999] } }
      load:  { type: float, nulls: 0.2, gen: { normal: { mean: 0, stdev: 1 } } }
      real:  { type: real, gen: { normal: { mean: 0, stdev: 1 } } }
      flag:  { type: bool, nulls: 0.5, gen: { one_of: [true, false] } }
      none:  { type: text, nulls: 1.0, gen: { constant: x } }
",
    );
    for url in servers(&double) {
        for options in ["?method=unnest", "?gzip=true", "?method=unnest&gzip=true"] {
            let bed = Bed::new(&format!("{url}/doc{options}"), table.clone()).await;
            let payload = bed.drawn(2000);
            assert_eq!(sums(&bed.write(&payload).await.unwrap()), (2000, 0, 0), "{options} {url}");
            // Row by row, the same rows are found to stand there.
            let plain = Bed { sink: sink(&url), table: table.clone() };
            let mut rows = plain.drawn(2000);
            assert_eq!(sums(&plain.again(&mut rows).await), (0, 2000, 0), "{options} {url}");
        }
    }
}

#[tokio::test]
async fn a_table_that_would_not_keep_what_is_sent_is_refused() {
    let double = Double::start();
    let append = Prepare { mode: PrepareMode::Append, indexes: IndexTime::None };
    let table =
        |columns: &str| plan(&format!("version: 1\ntables: {{ rowstorm_other: {{ {columns} }} }}"));
    let keyless = table("columns: { id: { type: bigint, gen: sequence } }");
    let keyed = table("key: [id], columns: { id: { type: bigint, gen: sequence } }");
    let more = table(
        "columns: { id: { type: bigint, gen: sequence }, more: { type: int, gen: sequence } }",
    );
    let text = table("columns: { id: { type: text, gen: { template: \"{row}\" } } }");
    for url in servers(&double) {
        let sink = sink(&url);
        sink.prepare(&keyless, &RECREATE).await.unwrap();
        for (wanted, class) in [(&keyed, "key"), (&more, "missing column"), (&text, "column type")]
        {
            let error = sink.prepare(wanted, &append).await.unwrap_err();
            assert_eq!(
                (error.kind, &*error.class),
                (SinkErrorKind::Fatal, class),
                "{url}: {error}"
            );
        }
        sink.prepare(&keyless, &append).await.unwrap();
    }
}

#[tokio::test]
async fn the_record_has_the_writes_that_were_rejected_inside_since_the_run_began() {
    let double = Double::start();
    double.reject_writes(1000);
    let bed = Bed::new(double.url(), pairs("rowstorm_facts")).await;
    let fact = async |name: &str| {
        let facts = bed.sink.server().await.unwrap();
        facts.into_iter().find(|fact| fact.name == name).map(|fact| fact.value)
    };
    assert_eq!(fact("thread_pools.write.rejected").await.as_deref(), Some("0"));
    double.reject_writes(25);
    assert_eq!(fact("thread_pools.write.rejected").await.as_deref(), Some("25"));
    let counted = bed.sink.counters().await.unwrap().unwrap();
    assert_eq!((counted.rejected, counted.requests), (1025, 1065));
    assert_eq!(fact("\"rowstorm_facts\".translog.durability").await.as_deref(), Some("REQUEST"));
    assert!(fact("indices.breaker.total.limit").await.is_some());
}
