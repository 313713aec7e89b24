//! The copy is what must be there, and damage to it is named.

#![allow(clippy::unwrap_used, reason = "a case that cannot go on fails")]

mod follow;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use follow::Begin;
use libtest_mimic::{Arguments, Trial};
use mongodb::bson::{Document, doc};
use rowstorm::generate::changes::ChangePlan;
use rowstorm::report::Verification;
use rowstorm::runner::verify::{Claim, Keeps, Verify, VerifyOptions};
use rowstorm::runner::{ChangeOptions, Progress, Resume, Stage};
use rowstorm::schema::FieldMap;
use rowstorm::{Credentials, Ending, Finished, Format, PrepareMode, Run, Schema, Target};
use tokio::sync::Mutex;

const COPY: (&str, &str) = ("mongodb", "ROWSTORM_TEST_MONGODB");
const SOURCES: [(&str, &str); 2] =
    [("mariadb", "ROWSTORM_TEST_MARIADB"), ("mysql", "ROWSTORM_TEST_MYSQL")];
/// Without it, the second run's `now` would count from another start than the first one's.
const EPOCH_US: i64 = 1_700_000_000_000_000;

fn main() -> ExitCode {
    let trials = SOURCES.map(trial).into();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Without its two servers the case shows as ignored; where `ROWSTORM_REQUIRE` names both, it fails.
fn trial((server, variable): (&'static str, &'static str)) -> Trial {
    let required = std::env::var("ROWSTORM_REQUIRE").unwrap_or_default();
    let requires = |name| required.split(',').any(|listed| listed.trim() == name);
    let missing = [variable, COPY.1].iter().any(|name| std::env::var(name).is_err());
    let ignored = missing && !(requires(server) && requires(COPY.0));
    let case = move || {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build()?;
        runtime.block_on(a_followed_copy_is_as_it_must_be_and_damage_is_named(
            &std::env::var(variable)?,
            &std::env::var(COPY.1)?,
        ));
        Ok(())
    };
    let name = "a_followed_copy_is_as_it_must_be_and_damage_is_named";
    Trial::test(name, case).with_kind(server).with_ignored_flag(ignored)
}

async fn a_followed_copy_is_as_it_must_be_and_damage_is_named(source: &str, copy: &str) {
    // Both servers' copies have the same names.
    static ALONE: Mutex<()> = Mutex::const_new(());
    let _alone = ALONE.lock().await;
    let schema = Schema::parse(include_str!("schema.yaml"), Format::Yaml, "schema.yaml").unwrap();
    let run = Run::new(schema).epoch_us(EPOCH_US).to(source).unwrap();
    let plan = run.plan().unwrap();
    let changes = ChangePlan::new(&plan).unwrap();
    let client = mongodb::Client::with_uri_str(copy).await.unwrap();
    let database = client.default_database().unwrap();
    for table in plan.tables() {
        database.collection::<Document>(&table.name).drop().await.unwrap();
    }

    let load = ChangeOptions { amount: Some(0), ..ChangeOptions::default() };
    go(run.clone().table_mode(PrepareMode::Recreate), load).await;
    let stage = Stage { rate: Some(500.0), length: Some(Duration::from_secs(3)) };
    let nothing = Progress::new(vec![0; changes.streams() as usize]);
    let resume = Resume::Changes(nothing);
    let options = ChangeOptions { stages: vec![stage], resume, ..ChangeOptions::default() };
    let changing = go(run.table_mode(PrepareMode::Append), options);
    // One follows for a moment while rows are changed; another goes on where it has ended.
    let following = async {
        let first =
            follow::follow(&plan, source, copy, &Begin::Copy, Duration::ZERO).await.unwrap();
        let (file, offset) = first.position.clone();
        let at = Begin::At(file, offset);
        let mut all =
            follow::follow(&plan, source, copy, &at, Duration::from_secs(5)).await.unwrap();
        assert_eq!(all.copied, 0);
        all.copied += first.copied;
        all.changes += first.changes;
        // On a busy machine the first may come to all of them.
        all.transactions += first.transactions;
        all
    };
    let (done, followed) = tokio::join!(changing, following);
    let done = done.record.changes.unwrap().ranges_done;
    assert!(
        followed.copied > 0 && followed.changes > 1_000 && followed.transactions > 0,
        "{followed:?}"
    );

    let found = verified(copy, Claim::changed(&changes, &done)).await;
    assert!(found.verified, "{followed:?}: {}", found.to_json());
    assert_eq!(kinds(&found), [0, 0]);

    let orders = database.collection::<Document>("cdc_orders");
    let mut ids: Vec<i64> = Vec::new();
    let mut cursor = orders.find(doc! {}).sort(doc! { "_id": 1 }).limit(5).await.unwrap();
    while cursor.advance().await.unwrap() {
        ids.push(cursor.current().get_i64("_id").unwrap());
    }
    orders.delete_many(doc! { "_id": { "$in": &ids[..3] } }).await.unwrap();
    let other = doc! { "$set": { "after.customer": "nobody's" } };
    orders.update_many(doc! { "_id": { "$in": &ids[3..] } }, other).await.unwrap();
    let found = verified(copy, Claim::changed(&changes, &done)).await;
    assert_eq!((found.verified, kinds(&found)), (false, [3, 2]), "{}", found.to_json());
    let named: BTreeSet<String> =
        found.findings.iter().map(|finding| finding.key[0].value.clone().unwrap()).collect();
    let planted: BTreeSet<String> = ids.iter().map(ToString::to_string).collect();
    assert_eq!(named, planted);
}

async fn go(run: Run, changes: ChangeOptions) -> Finished {
    let done = run.options(|options| options.changes = Some(changes)).go().await.unwrap();
    assert!(matches!(done.ending, Ending::Done), "{:?}", done.record.failure);
    done
}

async fn verified(copy: &str, claim: Claim) -> Verification {
    let map = FieldMap::parse(include_str!("map.yaml"), Format::Yaml, "map.yaml").unwrap();
    assert_eq!(map.problem(claim.plan().schema()), None);
    let sink = Target::parse(copy).unwrap().open(&Credentials::default()).unwrap();
    let keeps = Keeps::of("MongoDB", "");
    Verify::new(claim, sink, VerifyOptions { map, keeps, ..VerifyOptions::default() })
        .go()
        .await
        .unwrap()
}

/// Missing and wrong rows of all tables.
fn kinds(found: &Verification) -> [u64; 2] {
    let sum = |of: fn(&rowstorm::report::VerifiedTable) -> u64| found.tables.iter().map(of).sum();
    [sum(|table| table.rows.missing), sum(|table| table.rows.wrong)]
}
