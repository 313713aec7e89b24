//! Commands for one table: every document that is sent, but for the rows, is made here. Pure.

use mongodb::bson::{Bson, Document, doc, serialize_to_vec};
use rowstorm_gen::schema::DataType;
use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_sink::sql::own_type;
use rowstorm_sink::{IndexTime, Prepare, PrepareMode, Scope, SinkError};

use crate::error::class;
use crate::identity::ID;
use crate::wire::{DDL, Wire};

/// The longest name of a database and a collection, with the point between them, in bytes.
const NAMESPACE_BYTES_MAX: usize = 255;

/// The collection's name.
pub(crate) fn collection(table: &TablePlan) -> String {
    table.name.to_string()
}

/// Whether the table becomes a time-series collection, which keeps no key.
pub(crate) fn is_timeseries(table: &TablePlan) -> bool {
    table.spec.mongodb.as_ref().is_some_and(|options| options.timeseries.is_some())
}

/// Whether a name cannot be a path: a point would lead into a document, a `$` in front means something else.
pub(crate) fn is_no_path(name: &str) -> bool {
    name.contains('.') || name.starts_with('$')
}

/// Refuses what MongoDB cannot keep, with what would be right.
pub(crate) fn check(table: &TablePlan, database: &str) -> Result<(), SinkError> {
    let name = collection(table);
    let refuse = |text: String| Err(SinkError::fatal("usage", text));
    if name.is_empty() || name.starts_with("system.") || name.contains(['\0', '$']) {
        let class = class(73, "InvalidNamespace");
        return Err(SinkError::fatal(
            class,
            format!(
                "{name} cannot be a collection's name: no `$`, no zero byte, no `system.` in front"
            ),
        ));
    }
    if database.len() + 1 + name.len() > NAMESPACE_BYTES_MAX {
        return refuse(format!(
            "{database}.{name} is longer than {NAMESPACE_BYTES_MAX} bytes; shorten the table's name"
        ));
    }
    for column in &table.columns {
        let place = format!("column {:?} of table {:?}", column.name, table.name);
        if column.name.contains('\0') {
            return refuse(format!("{place} has a zero byte in its name"));
        }
        if *column.name == *ID && table.key.iter().ne([&position(table, ID)]) {
            return refuse(format!(
                "{place}: `_id` is the key in MongoDB; make it the table's `key`, alone"
            ));
        }
        let word = own_type(column, DDL);
        if word.is_some_and(|word| !knows(&Wire::of(table, column), word)) {
            return refuse(format!(
                "{place}: `ddl: {{mongodb: …}}` knows `long` for a timestamp (microseconds) and `string` for a decimal"
            ));
        }
    }
    check_constraints(table)
}

fn check_constraints(table: &TablePlan) -> Result<(), SinkError> {
    let refuse = |text: String| Err(SinkError::fatal("usage", text));
    for key in uniques(table) {
        if is_timeseries(table) {
            return refuse(format!(
                "table {:?}: a time-series collection has no unique indexes, and ({}) is to be unique",
                table.name,
                key.join(", ")
            ));
        }
        if let Some(name) = key.iter().find(|name| is_no_path(name)) {
            return refuse(format!(
                "table {:?}: MongoDB cannot index the field {name:?}, which is to be unique: rename it without `.` \
                 and without `$` in front",
                table.name
            ));
        }
    }
    for &place in table.key.iter().filter(|_| table.key.len() > 1) {
        let name = &table.columns[place].name;
        if name.starts_with('$') {
            return refuse(format!(
                "table {:?}: a key's field cannot be called {name:?}",
                table.name
            ));
        }
    }
    if let Some(series) = table.spec.mongodb.as_ref().and_then(|it| it.timeseries.as_ref()) {
        let time = &table.columns[position(table, &series.time)];
        if Wire::of(table, time) != Wire::Date || time.nullable() {
            return refuse(format!(
                "table {:?}: {:?} is the time of a time-series collection, and must be a date that is never null",
                table.name, time.name
            ));
        }
    }
    Ok(())
}

fn position(table: &TablePlan, name: &str) -> usize {
    let found = table.columns.iter().position(|column| *column.name == *name);
    found.expect("the schema was validated: its options name columns that are there")
}

fn knows(wire: &Wire, word: &str) -> bool {
    matches!(
        (wire, word),
        (Wire::Micros, "long")
            | (Wire::DecimalText, "string")
            | (Wire::Date, "date")
            | (Wire::Decimal, "decimal")
    )
}

/// The command that makes the collection.
pub(crate) fn create(table: &TablePlan) -> Document {
    let mut command = doc! { "create": collection(table) };
    let options = table.spec.mongodb.as_ref();
    if let Some(series) = options.and_then(|options| options.timeseries.as_ref()) {
        let mut fields = doc! { "timeField": &series.time };
        if let Some(meta) = &series.meta {
            fields.insert("metaField", meta);
        }
        command.insert("timeseries", fields);
        // The server allows no validator there.
        return command;
    }
    if !options.is_some_and(|options| options.unchecked)
        && let Some(validator) = validator(table)
    {
        command.insert("validator", validator);
    }
    command
}

/// What holds for every document: columns that are never null, and lengths, in characters as SQL counts them.
fn validator(table: &TablePlan) -> Option<Document> {
    let columns = || table.columns.iter().filter(|column| !is_no_path(&column.name));
    let required: Vec<&str> =
        columns().filter(|column| !column.nullable()).map(|column| &*column.name).collect();
    let mut properties = doc! {};
    for column in columns() {
        if let DataType::Text { max: Some(max) } = column.data_type {
            let rule = doc! { "bsonType": "string", "maxLength": i64::from(max) };
            properties.insert(column.name.to_string(), rule);
        }
    }
    let mut schema = doc! {};
    if !required.is_empty() {
        schema.insert("required", required);
    }
    if !properties.is_empty() {
        schema.insert("properties", properties);
    }
    (!schema.is_empty()).then(|| doc! { "$jsonSchema": schema })
}

/// The command that drops the collection.
pub(crate) fn drop(table: &TablePlan) -> Document {
    doc! { "drop": collection(table) }
}

/// The lists of columns that no two rows may share, but for the key.
fn uniques(table: &TablePlan) -> Vec<Vec<&str>> {
    let is_key = |column: &ColumnPlan| matches!(table.key[..], [place] if table.columns[place].name == column.name);
    let columns = table.columns.iter().filter(|column| column.unique && !is_key(column));
    let mut keys: Vec<Vec<&str>> = columns.map(|column| vec![&*column.name]).collect();
    for index in table.spec.indexes.iter().filter(|index| index.unique) {
        keys.push(index.on.iter().map(String::as_str).collect());
    }
    keys
}

/// The command that makes the indexes which refuse rows, made with the collection; `None` without any.
pub(crate) fn constraints(table: &TablePlan) -> Option<Document> {
    let unique_columns =
        uniques(table).len() - table.spec.indexes.iter().filter(|i| i.unique).count();
    let keys = uniques(table).into_iter().take(unique_columns);
    create_indexes(table, keys.map(|on| index(table, &on, true)).collect())
}

/// The command that makes the secondary indexes; `None` without any.
pub(crate) fn indexes(table: &TablePlan) -> Option<Document> {
    let there: Vec<Vec<&str>> = uniques(table);
    let on = |index: &rowstorm_gen::schema::Index| index.on.clone();
    let made = table.spec.indexes.iter().filter(|index| {
        let names: Vec<&str> = index.on.iter().map(String::as_str).collect();
        // An index over the same fields is there already, and the server makes no second one.
        let doubled = !index.unique && there.contains(&names);
        !doubled && !names.iter().any(|name| is_no_path(name))
    });
    let specs = made.map(|made| {
        let on = on(made);
        let on: Vec<&str> = on.iter().map(String::as_str).collect();
        index(table, &on, made.unique)
    });
    create_indexes(table, specs.collect())
}

fn create_indexes(table: &TablePlan, indexes: Vec<Document>) -> Option<Document> {
    (!indexes.is_empty()).then(|| doc! { "createIndexes": collection(table), "indexes": indexes })
}

/// One index, with the name that the server's own tools would give it.
fn index(table: &TablePlan, on: &[&str], unique: bool) -> Document {
    let mut key = doc! {};
    for name in on {
        key.insert(*name, 1);
    }
    let name = on.iter().map(|name| format!("{name}_1")).collect::<Vec<_>>().join("_");
    let mut index = doc! { "key": key, "name": name };
    if unique {
        index.insert("unique", true);
        // A null is a field that is not there, and many rows may have it.
        let nullable = on.iter().filter(|name| table.columns[position(table, name)].nullable());
        let there: Document = nullable
            .map(|name| ((*name).to_owned(), Bson::from(doc! { "$exists": true })))
            .collect();
        if !there.is_empty() {
            index.insert("partialFilterExpression", there);
        }
    }
    index
}

/// The insert command without its documents.
pub(crate) fn insert(table: &TablePlan, write_concern: Option<&Document>) -> Document {
    write("insert", table, write_concern)
}

/// A command that writes, without its documents.
pub(crate) fn write(word: &str, table: &TablePlan, write_concern: Option<&Document>) -> Document {
    let mut command = doc! { word: collection(table), "ordered": false };
    if let Some(concern) = write_concern {
        command.insert("writeConcern", concern.clone());
    }
    command
}

/// The same as bytes.
pub(crate) fn insert_bytes(table: &TablePlan, write_concern: Option<&Document>) -> Vec<u8> {
    serialize_to_vec(&insert(table, write_concern)).expect("names have no zero bytes")
}

/// The stages that count rows, and sums and extremes of the integer columns.
pub(crate) fn counting(
    table: &TablePlan,
    scope: &Scope,
    integers: &[&ColumnPlan],
) -> Vec<Document> {
    let mut group = doc! { "_id": Bson::Null, "rows": { "$sum": 1_i64 } };
    for (place, column) in integers.iter().enumerate() {
        let value = field(&column.name);
        // A sum of longs becomes a double when it overflows; as decimals it keeps 34 digits, more than any table fills.
        let term = match Wire::of(table, column) {
            Wire::Int64 => Bson::from(doc! { "$toDecimal": value.clone() }),
            _ => value.clone(),
        };
        group.insert(format!("sum{place}"), doc! { "$sum": term });
        group.insert(format!("min{place}"), doc! { "$min": value.clone() });
        group.insert(format!("max{place}"), doc! { "$max": value });
    }
    within(table, scope).into_iter().chain([doc! { "$group": group }]).collect()
}

/// The stages that count different keys.
pub(crate) fn distinct(table: &TablePlan, scope: &Scope) -> Vec<Document> {
    let part = |(number, &place): (usize, &usize)| {
        (format!("key{number}"), field(&table.columns[place].name))
    };
    let key: Document = table.key.iter().enumerate().map(part).collect();
    let stages = [doc! { "$group": { "_id": key } }, doc! { "$count": "keys" }];
    within(table, scope).into_iter().chain(stages).collect()
}

fn within(table: &TablePlan, scope: &Scope) -> Option<Document> {
    let Scope::Between { column, low, high } = scope else { return None };
    let name = &table.columns[*column].name;
    let filter = if is_no_path(name) {
        let value = field(name);
        let low = doc! { "$gte": [value.clone(), *low] };
        doc! { "$expr": { "$and": [low, { "$lte": [value, *high] }] } }
    } else {
        doc! { &**name: { "$gte": *low, "$lte": *high } }
    };
    Some(doc! { "$match": filter })
}

/// A field's value in an expression.
fn field(name: &str) -> Bson {
    if is_no_path(name) {
        doc! { "$getField": { "$literal": name } }.into()
    } else {
        format!("${name}").into()
    }
}

/// All commands of a preparation and its finish, in order, as one would type them.
pub(crate) fn statements(table: &TablePlan, prepare: &Prepare) -> Vec<String> {
    let mut commands = Vec::new();
    if prepare.mode == PrepareMode::Recreate {
        commands.push(drop(table));
    }
    commands.push(create(table));
    commands.extend(constraints(table));
    if prepare.indexes != IndexTime::None {
        commands.extend(indexes(table));
    }
    commands.iter().map(|command| format!("db.runCommand({command})")).collect()
}

/// The command of one payload, with types for values.
pub(crate) fn statement(table: &TablePlan, write_concern: Option<&Document>) -> String {
    let head = insert(table, write_concern).to_string();
    let head = head.strip_suffix(" }").unwrap_or(&head);
    let of = |column: &ColumnPlan| format!("<{}>", Wire::of(table, column).alias());
    let id = match table.key[..] {
        [] => Some("<objectId: fingerprint and row>".to_owned()),
        [place] if *table.columns[place].name == *ID => None,
        [place] => Some(of(&table.columns[place])),
        _ => {
            let parts = table.key.iter().map(|&place| &table.columns[place]);
            let parts = parts.map(|column| format!("{:?}: {}", column.name, of(column)));
            Some(format!("{{ {} }}", parts.collect::<Vec<_>>().join(", ")))
        }
    };
    let id = id.map(|id| format!("\"_id\": {id}"));
    let columns = table.columns.iter().map(|column| format!("{:?}: {}", column.name, of(column)));
    let fields = id.into_iter().chain(columns).collect::<Vec<_>>().join(", ");
    format!("db.runCommand({head}, \"documents\": [{{ {fields} }}, …] }})")
}
