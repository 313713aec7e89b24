//! The `changes:` block: what is there to change, and what can be told afterwards.

mod common;

use common::{check, table};
use rowstorm_schema::{Format, OpCount, Schema};

/// A table with a key, and one change.
fn changing(change: &str) -> String {
    format!(
        "{}changes:\n  mix:\n    - {change}\n",
        table(&["id: { type: int, gen: sequence }"]).replace("  t:\n", "  t:\n    key: [id]\n")
    )
}

#[test]
fn changes_are_checked_against_the_tables() {
    let with = changing;
    check(
        &with("{ insert: tt, weight: 1 }"),
        "changes.mix[0].insert",
        (9, 17),
        "no table `tt`",
        "mean `t`?",
    );
    check(
        &with("{ update: t, set: [id], weight: 1 }"),
        "changes.mix[0].set[0]",
        (9, 26),
        "`id` is in the key",
        "",
    );
    check(&with("{ update: t, weight: 1 }"), "changes.mix[0]", (9, 7), "which columns it sets", "");
    check(
        &with("{ weight: 1 }"),
        "changes.mix[0]",
        (9, 7),
        "one of `insert`, `update`, `delete`, `rekey` and `read`",
        "",
    );
    check(
        &with("{ delete: t, pick: oldst, weight: 1 }"),
        "changes.mix[0].pick",
        (9, 26),
        "unknown word `oldst`",
        "mean `oldest`?",
    );
    check(&with("{ insert: t, weight: 0 }"), "changes.mix[0].weight", (9, 28), "above 0", "");
}

#[test]
fn changes_stay_provable() {
    let with = changing;
    check(
        &with("{ delete: t, pick: latest, weight: 1 }"),
        "changes.mix[0].pick",
        (9, 26),
        "picks `oldest` or `uniform`",
        "replaying every op",
    );
    check(
        &with("{ delete: t, weight: 1 }\n    - { delete: t, pick: uniform, weight: 1 }"),
        "changes.mix[1]",
        (10, 7),
        "with another `pick`",
        "the same",
    );
    check(
        &with("{ rekey: t, pick: { zipf: 1 }, weight: 1 }"),
        "changes.mix[0].pick",
        (9, 25),
        "picks `oldest` or `uniform`",
        "replaying every op",
    );
    let counted = with("{ rekey: t, weight: 1 }")
        .replace("    columns:\n", "    columns:\n      no: { type: int, gen: sequence }\n");
    check(
        &counted,
        "changes.mix[0].rekey",
        (10, 16),
        "`no` counts rows",
        "keeps its other columns",
    );
    check(&with("{ read: t, set: [id], weight: 1 }"), "changes.mix[0].set", (9, 18), "a read", "");
    let streams = with("{ read: t, weight: 1 }").replace("  mix:", "  streams: 1025\n  mix:");
    check(&streams, "changes.streams", (8, 12), "1 to 1024", "");
    let rollback = with("{ read: t, weight: 1 }").replace("  mix:", "  rollback: 1\n  mix:");
    check(&rollback, "changes.rollback", (8, 13), "from 0 to below 1", "");
}

/// What an update cannot draw anew, each with its reason.
#[test]
fn columns_that_never_change_are_not_set() {
    let text = |set: &str| {
        format!(
            "version: 1
tables:
  p:
    key: [id]
    columns:
      id: {{ type: int, gen: sequence }}
      code: {{ type: text, gen: {{ fake: word }} }}
      name: {{ type: text, gen: {{ fake: name }} }}
      size: {{ type: int, unique: true, gen: {{ uniform: [1, 9000] }} }}
      seen: {{ type: timestamp, gen: {{ clock: {{ step: 1s }} }} }}
      link: {{ type: text, gen: {{ template: 'x/{{id}}' }} }}
      mail: {{ type: text, gen: {{ template: '{{name}}.{{id}}@x' }} }}
      tags: {{ type: object, gen: {{ object: {{ t: {{ type: text, gen: {{ template: '{{inner}}' }} }} }} }} }}
      inner: {{ type: text, gen: {{ fake: word }} }}
  c:
    series: {{ count: 3, levels: {{ line: id }} }}
    key: [line, n]
    columns:
      n: {{ type: int, gen: sequence }}
      host: {{ type: text, per: series, gen: {{ fake: word }} }}
      to: {{ type: text, gen: {{ ref: {{ table: p, column: code }} }} }}
changes: {{ mix: [ {{ update: p, set: {set}, weight: 1 }} ] }}
"
        )
    };
    for (column, why) in [
        ("id", "in the key"),
        ("code", "what `c.to` refers to"),
        ("size", "dealt out among the rows"),
        ("seen", "counts rows (`clock`)"),
        ("link", "would be the same again"),
        ("tags", "counts rows (`template`)"),
        ("inner", "read by `tags`"),
    ] {
        let found = common::problems(&text(&format!("[{column}]")), Format::Yaml);
        assert_eq!(found.len(), 1, "{column}: {found:#?}");
        assert!(found[0].message.contains(why), "{column}: {}", found[0].message);
    }
    for column in ["name", "mail"] {
        Schema::parse(&text(&format!("[{column}]")), Format::Yaml, "test").unwrap();
    }
    let series = text("[host]").replace("update: p", "update: c");
    assert!(common::problems(&series, Format::Yaml)[0].message.contains("belongs to its series"));
    let parents = text("[name]").replace("update: p, set: [name]", "delete: p");
    let found = common::problems(&parents, Format::Yaml);
    assert_eq!(found[0].message, "`c.to` refers to `p`");
}

#[test]
fn states_lead_somewhere_and_back_only_in_rings() {
    let with =
        |states: &str| table(&[&format!("s: {{ type: text, gen: {{ states: {states} }} }}")]);
    Schema::parse(&with("{ next: { on: [off], off: [on] } }"), Format::Yaml, "test").unwrap();
    check(
        &with("{ next: { on: [off, broken], off: [on] } }"),
        "tables.t.columns.s.gen.states.next.on",
        (5, 53),
        "come back to `on`",
        "in a ring",
    );
    check(
        &with("{ next: {} }"),
        "tables.t.columns.s.gen.states.next",
        (5, 47),
        "nowhere to go",
        "open",
    );
    let mix = |mix: &str| {
        format!(
            "{}changes:\n  mix:\n{}",
            table(&[
                "id: { type: int, gen: sequence }",
                "s: { type: text, gen: { states: { next: { a: [b] } } } }",
            ])
            .replace("  t:\n", "  t:\n    key: [id]\n"),
            mix.split(';').map(|change| "    - ".to_owned() + change + "\n").collect::<String>(),
        )
    };
    let update = "{ update: t, set: [s], weight: 1 }";
    for (changes, problem) in [
        ("{ update: t, set: [s], pick: oldest, weight: 1 }".to_owned(), "take turns"),
        (format!("{update};{update}"), "another entry moves rows"),
        (format!("{update};{{ delete: t, weight: 1 }}"), "outnumber its inserts"),
        (
            format!(
                "{update};{{ insert: t, weight: 1 }};{{ delete: t, pick: uniform, weight: 1 }}"
            ),
            "deletes from `t` pick `uniform`",
        ),
    ] {
        let found = common::problems(&mix(&changes), Format::Yaml);
        assert!(found[0].message.contains(problem), "{found:?}");
    }
}

#[test]
fn queries_name_columns_that_are_there_and_only_read() {
    let with = |change: &str| {
        changing(change).replace(
            "    columns:\n",
            "    columns:\n      ts: { type: timestamp, gen: { clock: { start: 2026-01-01T00:00:00Z, step: 1s } } }\n",
        )
    };
    for (change, place, problem) in [
        (
            "{ read: t, range: { column: tz, last: 5s }, weight: 1 }",
            "range.column",
            "no column `tz`",
        ),
        (
            "{ read: t, range: { column: id, last: 5s }, weight: 1 }",
            "range.column",
            "holds no instants",
        ),
        ("{ read: t, range: { column: ts, last: 0s }, weight: 1 }", "range.last", "an empty range"),
        ("{ read: t, statement: 'SELECT {no}', weight: 1 }", "statement", "no column `no`"),
        ("{ read: t, statement: 'SELECT {id', weight: 1 }", "statement", "without its `}`"),
        (
            "{ read: t, statement: 'SELECT {0..9}', weight: 1 }",
            "statement",
            "is a column of its table",
        ),
        ("{ read: t, statement: {}, weight: 1 }", "statement", "without words"),
        ("{ read: t, statement: { mysql: 'SELECT {no}' }, weight: 1 }", "statement.mysql", "`no`"),
        (
            "{ read: t, statement: { mongodb: { drop: t } }, weight: 1 }",
            "statement.mongodb",
            "no command that reads",
        ),
        (
            "{ read: t, statement: { mongodb: { find: t, filter: { id: '{no}' } } }, weight: 1 }",
            "statement.mongodb",
            "`no`",
        ),
        (
            "{ read: t, statement: { mongodb: { aggregate: t, pipeline: [ { $out: x } ] } }, weight: 1 }",
            "statement.mongodb",
            "writes",
        ),
        (
            "{ read: t, statement: SELECT 1, range: { column: ts, last: 5s }, weight: 1 }",
            "statement",
            "not both",
        ),
        ("{ insert: t, statement: SELECT 1, weight: 1 }", "statement", "only a read"),
        ("{ delete: t, range: { column: ts, last: 5s }, weight: 1 }", "range", "only a read"),
        ("{ read: t, statement: { mysqll: SELECT 1 }, weight: 1 }", "statement.mysqll", "unknown"),
    ] {
        let found = common::problems(&with(change), Format::Yaml);
        assert!(found[0].message.contains(problem), "{change}: {found:?}");
        assert_eq!(found[0].place, format!("changes.mix[0].{place}"), "{change}");
    }
    let fine = "{ read: t, statement: { postgres: \"SELECT '{{}}', {id}\", mongodb: { find: t, sort: { b: 1, a: 1 } } }, weight: 1 }";
    let schema = Schema::parse(&with(fine), Format::Yaml, "t.yaml").unwrap();
    let words = schema.changes.as_ref().unwrap().mix[0].statement.as_ref().unwrap();
    assert_eq!(words.command().unwrap().0, r#"{"find":"t","sort":{"b":1,"a":1}}"#);
    assert_eq!((words.sql("postgres"), words.sql("mysql")), (Some("SELECT '{{}}', {id}"), None));
}

#[test]
fn a_query_needs_no_key() {
    let keyless =
        changing("{ read: t, statement: SELECT 1, weight: 1 }").replace("    key: [id]\n", "");
    assert!(Schema::parse(&keyless, Format::Yaml, "t.yaml").is_ok());
}

#[test]
fn events_come_in_order_and_empty_only_what_nobody_needs() {
    let with = |events: &str| {
        format!(
            "version: 1
tables:
  parents:
    key: [id]
    preload: 9
    columns: {{ id: {{ type: bigint, gen: sequence }} }}
  visits:
    key: [id]
    columns:
      id: {{ type: bigint, gen: sequence }}
      parent: {{ type: bigint, gen: {{ ref: {{ table: parents }} }} }}
  other:
    key: [id]
    preload: 9
    columns: {{ id: {{ type: bigint, gen: sequence }} }}
changes:
  mix:
    - {{ insert: visits, weight: 1 }}
    - {{ insert: parents, weight: 1 }}
    - {{ read: other, weight: 1 }}
  events:
    {events}
"
        )
    };
    for (events, place, problem) in [
        ("- { after: 5, truncate: nobody }", "[0].truncate", "no table `nobody`"),
        ("- { after: 5, truncate: parents }", "[0].truncate", "`visits.parent` refers to"),
        ("- { after: 5, truncate: other }", "[0].truncate", "`changes.mix[2]` reads `other`"),
        ("- { after: 0, truncate: visits }", "[0].after", "after one change at least"),
        ("- { after: 5 changes }", "[0]", "a `truncate` or a `statement`"),
        ("- { after: 5, truncate: visits, statement: VACUUM }", "[0]", "not both"),
        ("- { after: 5, statement: '' }", "[0].statement", "without words"),
        ("- { after: 5, statement: {} }", "[0].statement", "without words"),
        ("- { after: 5, statement: { mysql: ' ' } }", "[0].statement.mysql", "without words"),
        ("- { after: soon, truncate: visits }", "[0].after", "like `100000 changes`"),
        ("- { truncate: visits }", "[0]", "after"),
        (
            "- { after: 9, truncate: visits }\n    - { after: 8 changes, truncate: visits }",
            "[1].after",
            "the event before it after 9",
        ),
    ] {
        let found = common::problems(&with(events), Format::Yaml);
        assert!(found[0].message.contains(problem), "{events}: {found:?}");
        assert_eq!(found[0].place, format!("changes.events{place}"), "{events}");
    }
    let fine = "- { after: 1000 changes, statement: { postgres: \"SELECT '{}'\", mongodb: { create: t } } }\n    \
                - { after: 1000, truncate: visits }";
    let schema = Schema::parse(&with(fine), Format::Yaml, "t.yaml").unwrap();
    let events = &schema.changes.as_ref().unwrap().events;
    assert_eq!((events[0].after, events[1].after), (OpCount(1000), OpCount(1000)));
    let words = events[0].statement.as_ref().unwrap();
    assert_eq!(words.sql("postgres"), Some("SELECT '{}'"), "braces are braces");
    assert_eq!(words.command().unwrap().0, r#"{"create":"t"}"#);
}
