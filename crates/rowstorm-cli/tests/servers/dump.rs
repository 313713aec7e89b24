//! What the server holds, read by the driver alone: each row as the server prints it, or its bytes.

use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, RawDocumentBuf, doc};
use mysql_async::prelude::Queryable as _;
use sqlx::{Connection as _, Executor as _};

use crate::bed::{Bed, Kind};

impl Bed {
    /// All rows of all tables, in order of their bytes: two states are equal if their dumps are.
    pub(crate) async fn dump(&self) -> Vec<u8> {
        let mut dump = Vec::new();
        for table in &self.tables {
            let mut rows = self.rows(table).await;
            assert!(!rows.is_empty(), "{table} is empty");
            rows.sort();
            dump.extend(format!("{table}\n").into_bytes());
            for row in rows {
                dump.extend(row);
                dump.push(b'\n');
            }
        }
        dump
    }

    /// Rows of a table.
    pub(crate) async fn count(&self, table: &str) -> u64 {
        self.rows(table).await.len() as u64
    }

    async fn rows(&self, table: &str) -> Vec<Vec<u8>> {
        let select = format!("SELECT * FROM {table}");
        match self.kind {
            Kind::Sqlite => {
                let database = self.sqlite();
                let mut select = database.prepare(&select).unwrap();
                let columns = select.column_count();
                let row = |row: &rusqlite::Row<'_>| {
                    let cells = (0..columns).map(|at| row.get_ref(at));
                    Ok(format!("{:?}", cells.collect::<Result<Vec<_>, _>>()?).into_bytes())
                };
                select.query_map([], row).unwrap().map(Result::unwrap).collect()
            }
            Kind::Postgres => {
                let mut connection = self.postgres().await;
                let copy = format!("COPY {table} TO STDOUT");
                let out = connection.copy_out_raw(&copy).await.unwrap();
                let out: Vec<_> = out.try_collect().await.unwrap();
                let text = out.concat();
                text.split(|byte| *byte == b'\n')
                    .filter(|row| !row.is_empty())
                    .map(<[u8]>::to_vec)
                    .collect()
            }
            Kind::Mariadb | Kind::Mysql => {
                // The text protocol: values as the server prints them.
                let rows: Vec<mysql_async::Row> = self.mysql().await.query(select).await.unwrap();
                rows.into_iter().map(|row| format!("{:?}", row.unwrap()).into_bytes()).collect()
            }
            Kind::Mongodb => {
                let collection = self.mongodb().await.collection::<RawDocumentBuf>(table);
                let mut rows = collection.find(doc! {}).await.unwrap();
                let mut found = Vec::new();
                while rows.advance().await.unwrap() {
                    found.push(rows.current().as_bytes().to_vec());
                }
                found
            }
        }
    }

    /// Takes the tables away.
    pub(crate) async fn clear(&self) {
        for table in &self.tables {
            match self.kind {
                Kind::Mongodb => {
                    self.mongodb().await.collection::<Document>(table).drop().await.unwrap();
                }
                Kind::Sqlite | Kind::Postgres | Kind::Mariadb | Kind::Mysql => {
                    self.sql(&format!("DROP TABLE IF EXISTS {table}")).await;
                }
            }
        }
    }

    /// Gives one row a name that nobody wrote.
    pub(crate) async fn damage(&self, table: &str) {
        if self.kind == Kind::Mongodb {
            let people = self.mongodb().await.collection::<Document>(table);
            let set = doc! { "$set": { "name": "nobody" } };
            assert_eq!(people.update_one(doc! {}, set).await.unwrap().modified_count, 1);
            return;
        }
        let least = format!("(SELECT id FROM (SELECT min(id) AS id FROM {table}) AS least)");
        self.sql(&format!("UPDATE {table} SET name = 'nobody' WHERE id = {least}")).await;
    }

    /// Runs statements, over a connection of the case's own.
    pub(crate) async fn sql(&self, text: &str) {
        match self.kind {
            Kind::Sqlite => self.sqlite().execute_batch(text).unwrap(),
            Kind::Postgres => drop(self.postgres().await.execute(text).await.unwrap()),
            Kind::Mariadb | Kind::Mysql => self.mysql().await.query_drop(text).await.unwrap(),
            Kind::Mongodb => panic!("MongoDB has no SQL"),
        }
    }

    fn sqlite(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("rows.db")).unwrap()
    }

    async fn postgres(&self) -> sqlx::PgConnection {
        sqlx::PgConnection::connect(&self.url).await.unwrap()
    }

    async fn mysql(&self) -> mysql_async::Conn {
        let url = self.url.replacen("mariadb:", "mysql:", 1);
        let options = mysql_async::Opts::from_url(&url).unwrap();
        let options = mysql_async::OptsBuilder::from_opts(options).prefer_socket(false);
        mysql_async::Conn::new(options).await.unwrap()
    }

    async fn mongodb(&self) -> mongodb::Database {
        let client = mongodb::Client::with_uri_str(&self.url).await.unwrap();
        client.default_database().expect("the URL names a database")
    }
}
