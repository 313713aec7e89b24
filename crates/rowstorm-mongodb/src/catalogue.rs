//! What the server says of a collection and of itself.

use mongodb::Database;
use mongodb::bson::{Bson, Document, doc};
use rowstorm_gen::schema::DataType;
use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_sink::{Audit, ColumnAudit, Scope, ServerFact, SinkError, cut};

use crate::answer::number;
use crate::connect::{Server, failed};
use crate::error::{class, hint, name};
use crate::{NAMESPACE_NOT_FOUND, dialect};

/// What a collection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Collection,
    Timeseries,
    View,
}

/// A collection that is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) kind: Kind,
    /// Whether the server checks its documents.
    pub(crate) is_checked: bool,
}

/// Looks for a collection.
pub(crate) async fn find(server: &Server, name: &str) -> Result<Option<Found>, SinkError> {
    let command = doc! { "listCollections": 1, "filter": { "name": name } };
    let answer = server.ask(|db| async move { db.run_command(command).await }).await?;
    let batch = answer.get_document("cursor").and_then(|cursor| cursor.get_array("firstBatch"));
    let found = batch.ok().and_then(|batch| batch.first()).and_then(Bson::as_document);
    Ok(found.map(|found| {
        let has = |option| found.get_document("options").is_ok_and(|it| it.contains_key(option));
        let kind = match found.get_str("type") {
            Ok("view") => Kind::View,
            Ok("timeseries") => Kind::Timeseries,
            _ if has("timeseries") => Kind::Timeseries,
            _ => Kind::Collection,
        };
        Found { kind, is_checked: has("validator") }
    }))
}

/// Refuses a table whose collection is not there.
pub(crate) async fn must_be(server: &Server, table: &TablePlan) -> Result<(), SinkError> {
    let collection = dialect::collection(table);
    if find(server, &collection).await?.is_some() {
        return Ok(());
    }
    let class = class(NAMESPACE_NOT_FOUND, name(NAMESPACE_NOT_FOUND));
    Err(SinkError::fatal(class, format!("there is no collection {collection}")))
}

/// Refuses a server alone, which has no transactions.
pub(crate) async fn must_have_transactions(server: &Server) -> Result<(), SinkError> {
    let ask = |db: Database| async move {
        db.client().database("admin").run_command(doc! { "hello": 1 }).await
    };
    let hello = server.ask(ask).await?;
    if topology(&hello).is_some() {
        return Ok(());
    }
    let message = "this server stands alone, and has no transactions: leave `transactions=true` and `replicaSet=` out of the URL";
    Err(SinkError::fatal("no transactions", message))
}

/// What a server that does not stand alone is a part of, by its own word.
fn topology(hello: &Document) -> Option<String> {
    let is_router = hello.get_str("msg").is_ok_and(|word| word == "isdbgrid");
    let set = hello.get_str("setName").ok().map(|name| format!("replica set {name}"));
    set.or_else(|| is_router.then(|| "sharded".to_owned()))
}

/// Whether a collection holds a document.
pub(crate) async fn has_rows(server: &Server, name: String) -> Result<bool, SinkError> {
    let one =
        |db: Database| async move { db.collection::<Document>(&name).find_one(doc! {}).await };
    Ok(server.ask(one).await?.is_some())
}

/// Runs a command that makes or drops something; `but` is the code of an error that is none: it was done already.
pub(crate) async fn make(
    server: &Server,
    mut command: Document,
    but: Option<i32>,
) -> Result<(), SinkError> {
    if let Some(concern) = server.write_concern() {
        command.insert("writeConcern", concern);
    }
    let done = server.run(|db| async move { db.run_command(command).await }).await?;
    let answer = match done {
        Ok(answer) => answer,
        Err(error) => match &*error.kind {
            mongodb::error::ErrorKind::Command(command) if Some(command.code) == but => {
                return Ok(());
            }
            _ => return Err(failed(error)),
        },
    };
    let Ok(concern) = answer.get_document("writeConcernError") else { return Ok(()) };
    let code = number(concern.get("code")).unwrap_or_default() as i32;
    let message = cut(concern.get_str("errmsg").unwrap_or_default().to_owned());
    let message = format!("MongoDB: the write concern was not met: {message}{}", hint(code));
    Err(SinkError::fatal(class(code, name(code)), message))
}

/// Counts what is there.
pub(crate) async fn audit(
    server: &Server,
    table: &TablePlan,
    scope: &Scope,
) -> Result<Audit, SinkError> {
    let integers: Vec<&ColumnPlan> =
        table.columns.iter().filter(|it| matches!(it.data_type, DataType::Int(_))).collect();
    let collection = dialect::collection(table);
    let counted = one(server, &collection, dialect::counting(table, scope, &integers)).await?;
    let counted = counted.unwrap_or_default();
    let mut audit = Audit { rows: count(&counted, "rows"), ..Audit::default() };
    if !table.key.is_empty() {
        let keys = one(server, &collection, dialect::distinct(table, scope)).await?;
        audit.distinct_keys = Some(count(&keys.unwrap_or_default(), "keys"));
    }
    for (place, column) in integers.iter().enumerate() {
        let min = number(counted.get(format!("min{place}")));
        let max = number(counted.get(format!("max{place}")));
        // A sum of nothing is 0 there.
        let sum = match min {
            Some(_) => Some(whole(counted.get(format!("sum{place}")))?),
            None => None,
        };
        audit.columns.push(ColumnAudit { name: column.name.to_string(), sum, min, max });
    }
    Ok(audit)
}

/// The one document that stages come to, if there are any rows.
async fn one(
    server: &Server,
    collection: &str,
    stages: Vec<Document>,
) -> Result<Option<Document>, SinkError> {
    let collection = collection.to_owned();
    let ask = |db: Database| async move {
        // Millions of keys outgrow the server's 100 MB for one stage.
        let collection = db.collection::<Document>(&collection);
        let mut found = collection.aggregate(stages).allow_disk_use(true).await?;
        if found.advance().await? { found.deserialize_current().map(Some) } else { Ok(None) }
    };
    server.ask(ask).await
}

fn count(document: &Document, name: &str) -> u64 {
    number(document.get(name)).unwrap_or_default().unsigned_abs()
}

/// A sum, with every digit.
fn whole(value: Option<&Bson>) -> Result<i128, SinkError> {
    let printed = match value {
        Some(Bson::Decimal128(sum)) => sum.to_string(),
        other => number(other).map(|sum| sum.to_string()).unwrap_or_default(),
    };
    printed.parse().map_err(|_| {
        SinkError::fatal("answer", format!("MongoDB: the sum of integers came as {value:?}"))
    })
}

/// Version, storage and what an answer stands for.
pub(crate) async fn facts(server: &Server) -> Result<Vec<ServerFact>, SinkError> {
    let ask = async |database: &'static str, command: Document| {
        let done =
            |db: Database| async move { db.client().database(database).run_command(command).await };
        server.run(done).await
    };
    let mut facts = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        let value = value.filter(|value| !value.is_empty());
        facts.extend(value.map(|value| ServerFact { name: name.to_owned(), value }));
    };
    let text = |document: &Document, path: &[&str]| {
        let (last, way) = path.split_last()?;
        let end = way.iter().try_fold(document, |at, name| at.get_document(name).ok())?;
        match end.get(last)? {
            Bson::String(value) => Some(value.clone()),
            Bson::Null => None,
            other => Some(other.to_string()),
        }
    };
    let build = ask("admin", doc! { "buildInfo": 1 }).await?.map_err(failed)?;
    add("version", text(&build, &["version"]));
    let hello = ask("admin", doc! { "hello": 1 }).await?.map_err(failed)?;
    add("topology", topology(&hello).or_else(|| Some("standalone".to_owned())));
    let asked = server.write_concern().map(|concern| concern.to_string());
    add("write concern", asked.or_else(|| Some("the server's default".to_owned())));
    // What needs a privilege, or is not known to every server, is left out where it is refused.
    if let Ok(default) = ask("admin", doc! { "getDefaultRWConcern": 1 }).await? {
        add("defaultWriteConcern", text(&default, &["defaultWriteConcern"]));
    }
    if let Ok(status) = ask("admin", doc! { "serverStatus": 1, "repl": 0, "metrics": 0 }).await? {
        add("storageEngine", text(&status, &["storageEngine", "name"]));
        add("persistent", text(&status, &["storageEngine", "persistent"]));
    }
    if let Ok(options) = ask("admin", doc! { "getCmdLineOpts": 1 }).await? {
        let way = ["parsed", "storage"];
        for setting in ["journal", "syncPeriodSecs", "wiredTiger"] {
            add(&format!("storage.{setting}"), text(&options, &[&way[..], &[setting]].concat()));
        }
    }
    Ok(facts)
}
