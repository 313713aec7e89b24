//! Changes as one would type them.

use mongodb::bson::Document;
use rowstorm_gen::changes::OpKind;
use rowstorm_sink::Statement;

use super::command::{array, word};
use crate::dialect;
use crate::wire::Wire;

/// A statement of a mix, with types for values.
pub(crate) fn explain(statement: &Statement, concern: Option<&Document>) -> String {
    let (table, columns) = (&statement.table, &statement.columns);
    if statement.kind == OpKind::Insert {
        return dialect::statement(table, concern);
    }
    if statement.query.is_some() {
        return super::query::explain(statement);
    }
    let of = |place: usize| {
        let column = &columns.columns[place];
        let wire = Wire::of(columns, column);
        (format!("{:?}", column.name), format!("<{}>", wire.alias()))
    };
    let keys = statement.keys();
    let id = if keys == 1 {
        of(0).1
    } else {
        let parts = (0..keys).map(of).map(|(name, value)| format!("{name}: {value}"));
        format!("{{ {} }}", parts.collect::<Vec<_>>().join(", "))
    };
    if statement.kind == OpKind::Read {
        let name = dialect::collection(table);
        return format!(
            "db.runCommand({{ \"find\": {name:?}, \"filter\": {{ \"_id\": {{ \"$in\": [{id}, …] }} }} }})"
        );
    }
    let head = dialect::write(word(statement.kind), table, concern).to_string();
    let head = head.strip_suffix(" }").unwrap_or(&head);
    let query = format!("\"q\": {{ \"_id\": {id} }}");
    let array = array(statement.kind);
    let one = if statement.kind == OpKind::Delete {
        format!("{query}, \"limit\": 1")
    } else {
        let set = (keys..columns.columns.len()).map(of);
        let set = set.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>();
        format!("{query}, \"u\": {{ \"$set\": {{ {} }} }}", set.join(", "))
    };
    format!("db.runCommand({head}, {array:?}: [{{ {one} }}, …] }})")
}
