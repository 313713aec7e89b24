//! Who counts: the database's own client, or Python's driver for MongoDB.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::bench::{Stock, stock_client};
use crate::command::{find, output};
use crate::servers::{Native, Server};

/// A client of one database.
pub(super) enum Client {
    Stock(Box<dyn Stock>),
    Sqlite { program: PathBuf, file: PathBuf },
    Mongodb { python: PathBuf, url: String },
}

/// What it counts: of each table rows, the least and the greatest key; of no key twice, which is checked by itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) customers: [u64; 3],
    pub(super) orders: [u64; 3],
    pub(super) visits: [u64; 3],
    /// Orders whose customer is not there.
    pub(super) orphans: u64,
    /// Values in the column that an event has added, which no change writes. Where there is none: indexes that events were to make, and that are
    /// not there.
    pub(super) noted: u64,
}

/// Fourteen numbers: rows, different keys, least, greatest of each table; orders without a customer; notes.
const COUNT: &str = "
SELECT c.n, c.d, c.low, c.high, o.n, o.d, o.low, o.high,
  v.n, v.d, v.low, v.high, (SELECT count(*) FROM orders LEFT JOIN customers ON customers.id = orders.customer_id WHERE customers.id IS NULL),
  (SELECT count(note) FROM orders)
FROM (SELECT count(*) AS n, count(DISTINCT id) AS d, min(id) AS low, max(id) AS high FROM customers) AS c,
  (SELECT count(*) AS n, count(DISTINCT id) AS d, min(id) AS low, max(id) AS high FROM orders) AS o,
  (SELECT count(*) AS n, count(DISTINCT id) AS d, min(id) AS low, max(id) AS high FROM visits) AS v";

/// The same of documents. Arguments: the URL, and what is to be done.
const MONGODB: &str = r#"
import sys, pymongo
database = pymongo.MongoClient(sys.argv[1]).get_default_database()
tables = [database["customers"], database["orders"], database["visits"]]
if sys.argv[2] == "clear":
    for table in tables:
        table.drop()
else:
    numbers = []
    for table in tables:
        ids = [document["_id"] for document in table.find({}, {"_id": 1})]
        numbers += [len(ids), len(set(ids)), min(ids), max(ids)]
    customers = {document["_id"] for document in tables[0].find({}, {"_id": 1})}
    orders = tables[1].find({}, {"customer_id": 1})
    numbers.append(sum(order["customer_id"] not in customers for order in orders))
    made = database["orders"].index_information()
    numbers.append(sum(name not in made for name in ("note", "by_amount")))
    print(*numbers)
"#;

impl Client {
    pub(super) fn sqlite(file: &Path) -> anyhow::Result<Client> {
        let program = find("sqlite3").context("sqlite3, the client, is not installed")?;
        Ok(Client::Sqlite { program, file: file.to_owned() })
    }

    pub(super) fn of(server: &dyn Server, url: &str) -> anyhow::Result<Client> {
        if server.variable() != "ROWSTORM_TEST_MONGODB" {
            return Ok(Client::Stock(stock_client(server, url.to_owned())?));
        }
        // The server that is written in Python brings the driver.
        let programs = crate::servers::named("mongodb")?.native().and_then(Native::programs);
        let python = programs.map(|programs| programs.join("python"));
        let python = python.filter(|python| python.is_file()).or_else(|| find("python3"));
        let python = python.context("python3 with pymongo is not installed")?;
        Ok(Client::Mongodb { python, url: url.to_owned() })
    }

    /// Where Rowstorm writes: without TLS, as the client.
    pub(super) fn url(&self, url: &str) -> String {
        match self {
            Client::Stock(stock) => stock.url().to_owned(),
            Client::Sqlite { .. } | Client::Mongodb { .. } => url.to_owned(),
        }
    }

    /// Takes the tables away.
    pub(super) fn clear(&self) -> anyhow::Result<()> {
        match self {
            Client::Stock(stock) => {
                stock.ask("DROP TABLE IF EXISTS visits, orders, customers").map(|_| ())
            }
            Client::Sqlite { file, .. } => {
                for ending in ["", "-wal", "-shm", "-journal"] {
                    let mut path = file.clone().into_os_string();
                    path.push(ending);
                    // It is there or it is not.
                    let _ = std::fs::remove_file(path);
                }
                Ok(())
            }
            Client::Mongodb { python, url } => mongodb(python, url, "clear").map(|_| ()),
        }
    }

    /// Counts.
    pub(super) fn count(&self) -> anyhow::Result<Counted> {
        let told = match self {
            Client::Stock(stock) => stock.ask(COUNT)?,
            Client::Sqlite { program, file } => {
                output(Command::new(program).args(["-batch", "-bail"]).arg(file).arg(COUNT))?
            }
            Client::Mongodb { python, url } => mongodb(python, url, "count")?,
        };
        let numbers = told.trim().split(['|', '\t', ' ']).map(str::parse);
        let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().context("no numbers")?;
        let [tables @ .., orphans, noted] = &numbers[..] else {
            anyhow::bail!("the client answered {told}");
        };
        let of = |table: &[u64]| {
            let [rows, keys, low, high] = table.try_into().context("four numbers a table")?;
            ensure!(rows == keys, "keys stand twice: {rows} rows with {keys} keys, in {told}");
            anyhow::Ok([rows, low, high])
        };
        let tables = tables.chunks(4).map(of).collect::<anyhow::Result<Vec<_>>>()?;
        let [customers, orders, visits] =
            tables.try_into().map_err(|_| anyhow::anyhow!("the client answered {told}"))?;
        Ok(Counted { customers, orders, visits, orphans: *orphans, noted: *noted })
    }
}

fn mongodb(python: &Path, url: &str, what: &str) -> anyhow::Result<String> {
    output(Command::new(python).args(["-c", MONGODB, url, what]))
}
