//! Events: a table is emptied, a column is added, and open changers go on.

use std::sync::Arc;

use rowstorm_gen::schema::{Command, Words, WordsOfEach};

use super::mix::{DELETE, INSERT, READ, UPDATE, found, keys, mix, rows};
use super::{Bed, Case, Need, Subject, assert_labels, ids_and_texts, ints, loaded, texts_of};
use crate::{Changed, Event, Sink, SinkErrorKind};

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    let needs = &[Need::Rows, Need::Keys, Need::Changes];
    let words = &[Need::Rows, Need::Keys, Need::Changes, Need::Statements];
    vec![
        Case::new("a table that is emptied has no rows and takes new ones", needs, emptied::<S>),
        Case::new("changers go on when a column was added", words, column_added::<S>),
        Case::new("an event that is refused is refused in words", words, refused::<S>),
        Case::new(
            "an event without words for the database is refused before",
            words,
            no_words::<S>,
        ),
    ]
}

async fn emptied<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_emptied", 300).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let insert = rows(vec![ints([900]), texts_of(["before"])]);
    assert_eq!(bed.commit(&mut changer, &[(INSERT, &insert)]).await, [Changed::matched(1)]);
    let event = Event::Truncate(Arc::clone(&table));
    let told = bed.sink.explain_event(&event).expect("it is explained");
    assert!(told.contains("rowstorm_emptied"), "{told}");
    let gone = bed.sink.event(&event).await.expect("it is done");
    assert!(matches!(gone, None | Some(301)), "{gone:?}");
    assert_eq!(bed.audit(&table).await.rows, 0);
    assert_eq!(bed.commit(&mut changer, &[(READ, &keys([0, 900]))]).await, [found(0, 2)]);
    // Keys of rows that are gone are free again.
    let insert = ids_and_texts(0, 0..3);
    assert_eq!(bed.commit(&mut changer, &[(INSERT, &insert)]).await, [Changed::matched(3)]);
    assert_labels(&bed, &table, &[(0, "value 0"), (1, "value 1"), (2, "value 2")]).await;
    for _ in 0..2 {
        bed.sink.event(&event).await.expect("once more is harmless");
    }
    assert_eq!(bed.audit(&table).await.rows, 0);
}

/// A statement for all databases.
pub(super) fn words(sql: String, command: &str) -> Event {
    Event::Statement(Words::Each(WordsOfEach {
        postgres: Some(sql.clone()),
        mysql: Some(sql.clone()),
        sqlite: Some(sql.clone()),
        cratedb: Some(sql),
        mongodb: Some(Command(command.to_owned())),
    }))
}

async fn column_added<S: Subject>(bed: Bed<S>) {
    let name = "rowstorm_column_added";
    let table = loaded(&bed, name, 5).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let update = rows(vec![ints([1, 2]), texts_of(["one", "two"])]);
    let groups = [(UPDATE, &update), (READ, &keys([0])), (DELETE, &keys([4]))];
    assert_eq!(bed.commit(&mut changer, &groups).await, [2, 1, 1].map(Changed::matched));
    let command = format!(
        r#"{{"update":"{name}","updates":[{{"q":{{}},"u":{{"$set":{{"added_later":"x"}}}},"multi":true}}]}}"#
    );
    let event = words(format!("ALTER TABLE {name} ADD COLUMN added_later varchar(20)"), &command);
    bed.sink.event(&event).await.expect("it is done");
    // The changer that was open, with all that it had prepared.
    let insert = rows(vec![ints([7]), texts_of(["seven"])]);
    let update = rows(vec![ints([2, 0]), texts_of(["2", "0"])]);
    let groups =
        [(INSERT, &insert), (UPDATE, &update), (READ, &keys([1, 7])), (DELETE, &keys([3]))];
    assert_eq!(bed.commit(&mut changer, &groups).await, [1, 2, 2, 1].map(Changed::matched));
    let again = bed.replay(&mut changer, &[(INSERT, &insert)]).await;
    assert_eq!(again, [Changed { confirmed: 1, ..Changed::default() }]);
    // And one that is opened now.
    let mut other = bed.changer(&mix(&table, &["label"])).await;
    let insert = rows(vec![ints([8]), texts_of(["eight"])]);
    assert_eq!(bed.commit(&mut other, &[(INSERT, &insert)]).await, [Changed::matched(1)]);
    let wanted = [(0, "0"), (1, "one"), (2, "2"), (7, "seven"), (8, "eight")];
    assert_labels(&bed, &table, &wanted).await;
}

async fn refused<S: Subject>(bed: Bed<S>) {
    let table = loaded(&bed, "rowstorm_event_refused", 2).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let wrong = words(
        "ALTER TABLE rowstorm_that_is_not_there ADD COLUMN x int".to_owned(),
        r#"{"rowstormKnowsNoSuch":1}"#,
    );
    let error = bed.sink.event(&wrong).await.expect_err("it is refused");
    assert_eq!(error.kind, SinkErrorKind::Fatal, "{error:?}");
    assert!(!error.class.is_empty() && !error.message.is_empty(), "{error:?}");
    assert_eq!(bed.commit(&mut changer, &[(DELETE, &keys([0]))]).await, [Changed::matched(1)]);
    assert_labels(&bed, &table, &[(1, "value 1")]).await;
}

async fn no_words<S: Subject>(bed: Bed<S>) {
    let none = Event::Statement(Words::Each(WordsOfEach::default()));
    let error = bed.sink.explain_event(&none).expect_err("there are no words");
    assert_eq!(error.kind, SinkErrorKind::Fatal, "{error:?}");
    assert!(error.message.contains("changes.events"), "{error}");
}
