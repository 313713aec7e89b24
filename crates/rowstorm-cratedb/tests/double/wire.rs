//! As much of the PostgreSQL wire as the adapter uses: executions of one INSERT, kept until the Sync and run as one bulk.

use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::Value;

use super::parse::{self, Insert, Statement};
use super::table::{Store, Type};
use super::{Done, Fault, Refused, State, insert};

/// Listens; the port.
pub(super) fn listen(state: Arc<Mutex<State>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let state = Arc::clone(&state);
            thread::spawn(move || serve(&connection, &state));
        }
    });
    port
}

/// What a client has said since its last Sync.
#[derive(Default)]
struct Said {
    statement: Option<Insert>,
    bound: Option<Vec<Value>>,
    executed: Vec<Value>,
    /// An error: what follows is not read until the Sync.
    is_refused: bool,
    /// What is answered then.
    answer: Vec<u8>,
}

fn serve(connection: &TcpStream, state: &Mutex<State>) -> Option<()> {
    connection.set_nodelay(true).ok()?;
    let mut reader = BufReader::with_capacity(1 << 16, connection);
    let mut out = connection;
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    let start = body(&mut reader)?;
    let told = String::from_utf8_lossy(&start[4..]).into_owned();
    let user = told.split('\0').skip_while(|word| *word != "user").nth(1)?.to_owned();
    let login = lock().login.clone();
    if let Some(login) = login {
        out.write_all(&message(b'R', &3_i32.to_be_bytes())).ok()?;
        let (kind, password) = next(&mut reader)?;
        let password = String::from_utf8_lossy(&password).trim_end_matches('\0').to_owned();
        if kind != b'p' || login != (user.clone(), password) {
            let words = format!("password authentication failed for user \"{user}\"");
            return out.write_all(&error("FATAL", "28000", &words)).ok();
        }
    }
    let mut hello = message(b'R', &0_i32.to_be_bytes());
    hello.extend(message(b'S', b"crate_version\x006.4.3\0"));
    hello.extend(message(b'K', &[0; 8]));
    hello.extend(message(b'Z', b"I"));
    out.write_all(&hello).ok()?;
    let mut said = Said::default();
    loop {
        let (kind, body) = next(&mut reader)?;
        if kind == b'X' {
            return Some(());
        }
        if kind == b'S' {
            let Said { statement, executed, is_refused, answer, .. } = std::mem::take(&mut said);
            out.write_all(&answer).ok()?;
            let (answer, stays) = match statement {
                Some(statement) if !is_refused && !executed.is_empty() => {
                    bulk(&mut lock(), &statement, &executed)
                }
                _ => (Vec::new(), true),
            };
            if !stays {
                return None;
            }
            out.write_all(&answer).ok()?;
            out.write_all(&message(b'Z', if is_refused { b"E" } else { b"I" })).ok()?;
        } else if !said.is_refused
            && let Err(refused) = said.hear(&lock().store, kind, &body)
        {
            said.is_refused = true;
            said.answer.extend(error("ERROR", "XX000", words(&refused)));
        }
    }
}

impl Said {
    fn hear(&mut self, store: &Store, kind: u8, body: &[u8]) -> Done<()> {
        match kind {
            b'P' => {
                let text = String::from_utf8_lossy(body);
                let Statement::Insert(insert) =
                    parse::statement(text.split('\0').nth(1).unwrap_or_default())?
                else {
                    return Err(Refused::parse("x[this double takes INSERT over this wire]"));
                };
                store.table(&insert.name)?;
                self.statement = Some(insert);
                self.answer.extend(message(b'1', b""));
            }
            b'B' => self.bound = Some(self.parameters(store, body)?),
            b'E' => self.executed.push(self.bound.clone().unwrap_or_default().into()),
            _ => return Err(Refused::parse("x[this double does not know this message]")),
        }
        Ok(())
    }

    fn parameters(&self, store: &Store, body: &[u8]) -> Done<Vec<Value>> {
        let insert = self
            .statement
            .as_ref()
            .ok_or_else(|| Refused::parse("x[No statement found with name: ]"))?;
        let table = store.table(&insert.name)?;
        // No names, no formats.
        let mut rest = &body[6..];
        let mut cells = Vec::new();
        for name in &insert.columns {
            let (length, more) = rest.split_at(4);
            let length = i32::from_be_bytes(length.try_into().expect("four bytes"));
            let (cell, more) = more.split_at(usize::try_from(length).unwrap_or_default());
            rest = more;
            let column = table.columns.iter().find(|column| column.name == *name);
            let column =
                column.ok_or_else(|| Refused::parse(format!("x[Column {name} unknown]")))?;
            let text = String::from_utf8_lossy(cell);
            cells.push(if length < 0 { Value::Null } else { value(&column.data_type, &text)? });
        }
        Ok(cells)
    }
}

/// A parameter of no declared type, as its column's own.
fn value(data_type: &Type, text: &str) -> Done<Value> {
    let wrong = || Refused::parse(format!("x[Value out of range. Value:\"{text}\" Radix:10]"));
    Ok(match data_type {
        Type::Bool => (text == "true").into(),
        Type::Small => text.parse::<i16>().map_err(|_| wrong())?.into(),
        Type::Int => text.parse::<i32>().map_err(|_| wrong())?.into(),
        Type::Big | Type::Timestamp => text.parse::<i64>().map_err(|_| wrong())?.into(),
        Type::Real | Type::Double if matches!(text, "NaN" | "Infinity" | "-Infinity") => {
            text.into()
        }
        Type::Real => f64::from(text.parse::<f32>().map_err(|_| wrong())?).into(),
        Type::Double => text.parse::<f64>().map_err(|_| wrong())?.into(),
        Type::Numeric(..) | Type::Text(_) => text.into(),
        Type::Object(..) => serde_json::from_str(text).map_err(|_| wrong())?,
        Type::Array(_) => {
            let message = format!("x[line 1:0: mismatched input '{text}' expecting '{{']");
            return Err(Refused::parse(message));
        }
    })
}

/// Runs what was executed; the answer, and whether the connection stays.
fn bulk(state: &mut State, insert: &Insert, rows: &[Value]) -> (Vec<u8>, bool) {
    let fault = state.faults.pop_front();
    state.bulks += 1;
    let release = state.release;
    let done = match &fault {
        Some(Fault::CloseBefore) => return (Vec::new(), false),
        Some(Fault::Answer(_, _, words)) => Err(Refused::parse(format!("x[{words}]"))),
        _ => insert::bulk(&mut state.store, release, insert, rows, fault.as_ref()),
    };
    let mut answer = Vec::new();
    let results: Value = done
        .as_ref()
        .map(|body| serde_json::from_str(body).expect("an answer of the double is JSON"))
        .unwrap_or_default();
    for row in 0..rows.len() {
        answer.extend(message(b'2', b""));
        match &done {
            // Where HTTP says -2, this wire says -3, and never why.
            Ok(_) if results["results"][row]["rowcount"] == 1 => {
                answer.extend(message(b'C', b"INSERT 0 1\0"));
            }
            Ok(_) => answer.extend(message(b'C', b"INSERT 0 -3\0")),
            Err(refused) => answer.extend(error("ERROR", "XX000", words(refused))),
        }
    }
    (answer, !matches!(fault, Some(Fault::CloseAfter)))
}

/// What stands in the brackets.
fn words(refused: &Refused) -> &str {
    let message = refused.message.split_once('[').map_or(&*refused.message, |(_, rest)| rest);
    message.strip_suffix(']').unwrap_or(message)
}

fn error(severity: &str, code: &str, words: &str) -> Vec<u8> {
    message(b'E', format!("S{severity}\0M{words}\0C{code}\0\0").as_bytes())
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32 + 4;
    [&[kind], &length.to_be_bytes()[..], body].concat()
}

fn next(reader: &mut impl Read) -> Option<(u8, Vec<u8>)> {
    let mut kind = [0];
    reader.read_exact(&mut kind).ok()?;
    Some((kind[0], body(reader)?))
}

fn body(reader: &mut impl Read) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    reader.read_exact(&mut length).ok()?;
    let mut body = vec![0; (u32::from_be_bytes(length) as usize).checked_sub(4)?];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}
