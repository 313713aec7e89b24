//! Reads rows over a socket of its own: nothing of the adapter, not even its HTTP client.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use rowstorm_gen::TablePlan;
use rowstorm_gen::schema::DataType;
use rowstorm_sink::conformance::{NamePlace, Need, Row};
use serde_json::{Value, json};

/// What CrateDB does not have: indexes to make, connections to kill, transactions, keys that change.
pub(crate) const LACKS: &[Need] =
    &[Need::Indexes, Need::Connections, Need::Transactions, Need::Undo, Need::Rekey];

/// Whether a primary key can have a column of this type.
pub(crate) fn can_key(data_type: &str) -> bool {
    !data_type.starts_with("decimal")
}

/// The outermost two stand for nulls inside the server, which refuses them.
pub(crate) const BIGINT: (i64, i64) = (i64::MIN + 1, i64::MAX - 1);

/// As the server says when it is asked to: relations hold none of these letters, columns no dot and no bracket.
pub(crate) fn can_name(place: NamePlace, name: &str) -> bool {
    match place {
        NamePlace::Table => {
            !name.contains([' ', '"', '\\', '<', '>', '*', '?', '|', ',', '/', '.'])
        }
        NamePlace::Column => !name.contains(['.', '[']),
    }
}

/// All rows, ordered by the first column.
pub(crate) fn read(url: &str, table: &TablePlan) -> Vec<Row> {
    let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let name = format!("doc.{}", quote(&table.name));
    ask(url, &format!("REFRESH TABLE {name}"));
    let columns = table.columns.iter().map(|column| {
        let name = quote(&column.name);
        // As a number of JSON, a long one would lose digits on the way here.
        if matches!(column.data_type, DataType::Decimal { .. }) {
            format!("{name}::text")
        } else {
            name
        }
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    let first = quote(&table.columns[0].name);
    let answer = ask(url, &format!("SELECT {columns} FROM {name} ORDER BY {first} LIMIT 1000000"));
    let rows = answer["rows"].as_array().unwrap_or_else(|| panic!("rows, not {answer}"));
    rows.iter()
        .map(|row| {
            let cells = row.as_array().expect("a row is a list").iter().zip(&table.columns);
            cells.map(|(cell, column)| text(cell, column.data_type)).collect()
        })
        .collect()
}

fn text(cell: &Value, data_type: DataType) -> Option<String> {
    match (cell, data_type) {
        (Value::Null, _) => None,
        (Value::Number(millis), DataType::Timestamp) => {
            Some(instant(millis.as_i64().expect("milliseconds")))
        }
        (Value::String(text), DataType::Decimal { .. }) => Some(plain(text)),
        (Value::String(text), _) => Some(text.clone()),
        (other, _) => Some(other.to_string()),
    }
}

/// `1E-10` as `0.0000000001`.
fn plain(text: &str) -> String {
    let Some((mantissa, exponent)) = text.split_once('E') else { return text.to_owned() };
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i32 = exponent.parse().expect("an exponent");
    let digits = format!("{whole}{fraction}");
    let point = whole.len() as i32 + exponent;
    if point <= 0 {
        format!("{sign}0.{}{digits}", "0".repeat(point.unsigned_abs() as usize))
    } else {
        format!("{sign}{digits:0<width$}", width = point as usize)
    }
}

/// Milliseconds as ISO 8601, year by year and month by month.
fn instant(millis: i64) -> String {
    let (mut days, of_day) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while days < 0 {
        year -= 1;
        days += 365 + i64::from(leap(year));
    }
    while days >= 365 + i64::from(leap(year)) {
        days -= 365 + i64::from(leap(year));
        year += 1;
    }
    let mut month = 0;
    for length in [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (seconds, fraction) = (of_day / 1000, of_day % 1000);
    format!(
        "{year:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{fraction:03}Z",
        month + 1,
        days + 1,
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// One statement, over a connection of its own.
fn ask(url: &str, statement: &str) -> Value {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?']).next().unwrap_or_default();
    let (user, host) =
        host.rsplit_once('@').map_or((None, host), |(user, host)| (Some(user), host));
    assert!(user.is_none(), "the suite's server lets everybody in");
    let mut socket = TcpStream::connect(host).expect("the server takes a connection");
    let body = json!({ "stmt": statement }).to_string();
    let head = format!(
        "POST /_sql HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all((head + &body).as_bytes()).expect("the request is sent");
    let mut reader = BufReader::new(socket);
    let mut length = None;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse::<usize>().ok();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length.expect("the answer says how long it is")];
    reader.read_exact(&mut body).expect("the answer is read");
    let answer: Value = serde_json::from_slice(&body).expect("the answer is JSON");
    assert!(answer.get("error").is_none(), "{statement}: {answer}");
    answer
}
