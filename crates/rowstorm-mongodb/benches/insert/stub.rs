//! A protocol stub, not a database: it reads messages, counts the documents of inserts, and keeps nothing.
//!
//! It runs in a process of its own, so that the client's CPU time holds nothing of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use mongodb::bson::{RawDocument, RawDocumentBuf, rawdoc};

/// Length, request, response to, opcode.
const HEADER_BYTES: usize = 16;
/// <https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/#op_msg>
const OP_MSG: i32 = 2013;

/// The stub's process.
pub(crate) struct Stub {
    child: Child,
    port: u16,
}

impl Stub {
    pub(crate) fn start() -> Stub {
        let own = std::env::current_exe().expect("this program has a path");
        let child = Command::new(own).arg("--stub").stdout(Stdio::piped()).spawn();
        let mut child = child.expect("the stub starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output is piped");
        BufReader::new(output).read_line(&mut line).expect("it says its port");
        let port = line.trim().parse().expect("a port");
        Stub { child, port }
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn url(&self) -> String {
        format!("mongodb://127.0.0.1:{}/bench?directConnection=true", self.port)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until it is killed.
pub(crate) fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    println!("{}", listener.local_addr().expect("it is bound").port());
    for client in listener.incoming() {
        let client = client.expect("a client");
        std::thread::spawn(move || converse(client));
    }
}

fn converse(mut client: TcpStream) {
    client.set_nodelay(true).expect("a socket");
    let mut message = Vec::new();
    let mut header = [0_u8; HEADER_BYTES];
    while client.read_exact(&mut header).is_ok() {
        let length = int(&header, 0) as usize;
        message.resize(length - HEADER_BYTES, 0);
        client.read_exact(&mut message).expect("the rest of the message");
        assert_eq!(int(&header, 12), OP_MSG, "a driver of today sends OP_MSG");
        // Flags first.
        let reply = answer(&message[4..]);
        let mut out = Vec::new();
        out.extend((HEADER_BYTES as i32 + 5 + reply.as_bytes().len() as i32).to_le_bytes());
        out.extend(0_i32.to_le_bytes());
        out.extend(&header[4..8]);
        out.extend(OP_MSG.to_le_bytes());
        out.extend([0; 5]);
        out.extend(reply.as_bytes());
        client.write_all(&out).expect("the answer goes out");
    }
}

fn answer(sections: &[u8]) -> RawDocumentBuf {
    let body_bytes = int(sections, 1) as usize;
    let body = RawDocument::from_bytes(&sections[1..=body_bytes]).expect("a body");
    let first = body.into_iter().next().expect("a command has a name").expect("a field");
    match first.0.as_str() {
        "insert" => {
            let inside = body.get_array("documents").map(|array| array.into_iter().count());
            let count = inside.unwrap_or_default() + sequence(&sections[1 + body_bytes..]);
            rawdoc! { "n": count as i32, "ok": 1.0 }
        }
        "listCollections" => {
            let found = rawdoc! { "name": "cpu", "type": "collection", "options": {} };
            rawdoc! { "cursor": { "id": 0_i64, "ns": "bench", "firstBatch": [found] }, "ok": 1.0 }
        }
        _ => rawdoc! {
            "ismaster": true, "isWritablePrimary": true, "helloOk": true, "maxBsonObjectSize": 16_777_216,
            "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000, "minWireVersion": 0,
            "maxWireVersion": 25, "ok": 1.0,
        },
    }
}

/// How many documents a section of kind 1 holds.
fn sequence(section: &[u8]) -> usize {
    if section.first() != Some(&1) {
        return 0;
    }
    let end = 1 + int(section, 1) as usize;
    let name = section[5..].iter().position(|byte| *byte == 0).expect("a name has an end");
    let (mut at, mut count) = (5 + name + 1, 0);
    while at < end {
        at += int(section, at) as usize;
        count += 1;
    }
    count
}

fn int(bytes: &[u8], at: usize) -> i32 {
    i32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}
