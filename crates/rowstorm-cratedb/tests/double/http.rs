//! As much of HTTP/1.1 as the endpoint needs: a thread for each connection, bodies by their length, gzip.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{Answer, Fault, State};

/// Listens, with TLS if it is told how; the port.
pub(super) fn listen(state: Arc<Mutex<State>>, tls: Option<Arc<ServerConfig>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let (state, tls) = (Arc::clone(&state), tls.clone());
            thread::spawn(move || {
                connection.set_nodelay(true).ok()?;
                match tls {
                    Some(tls) => {
                        let session = ServerConnection::new(tls).ok()?;
                        serve(StreamOwned::new(session, connection), &state)
                    }
                    None => serve(connection, &state),
                }
            });
        }
    });
    port
}

/// A request as far as it matters.
struct Request {
    path: String,
    token: Option<String>,
    length: usize,
    is_gzip: bool,
    is_last: bool,
}

fn serve(connection: impl Read + Write, state: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(connection);
    loop {
        let request = head(&mut reader)?;
        let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = lock().body_bytes_max;
        if request.length > limit {
            // The real one answers at once and reads the rest.
            std::io::copy(&mut (&mut reader).take(request.length as u64), &mut std::io::sink())
                .ok()?;
            send(reader.get_mut(), &Answer { status: 413, header: "", body: String::new() })
                .ok()?;
            continue;
        }
        let mut body = vec![0; request.length];
        reader.read_exact(&mut body).ok()?;
        if request.is_gzip {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&*body).read_to_end(&mut plain).ok()?;
            body = plain;
        }
        let answer = {
            let mut state = lock();
            state.requests += 1;
            let fault = if is_write(&body) { state.faults.pop_front() } else { None };
            if state.token.is_some() && state.token != request.token {
                let body = "Password authentication failed for user \"me\"\n".to_owned();
                let header = "www-authenticate: Basic realm=\"CrateDB Authenticator\"\r\n";
                Answer { status: 401, header, body }
            } else if request.path.split('?').next() != Some("/_sql") {
                Answer { status: 403, header: "", body: "POST method is not allowed".to_owned() }
            } else {
                match fault {
                    Some(Fault::CloseBefore) => return None,
                    Some(Fault::Answer(status, header, body)) => Answer { status, header, body },
                    Some(
                        fault @ (Fault::CloseAfter | Fault::Shard { .. } | Fault::Denied { .. }),
                    ) => {
                        let answer = state.carry_out(&body, Some(&fault));
                        if matches!(fault, Fault::CloseAfter) {
                            return None;
                        }
                        answer
                    }
                    None => state.carry_out(&body, None),
                }
            }
        };
        send(reader.get_mut(), &answer).ok()?;
        if request.is_last {
            return Some(());
        }
    }
}

/// Faults befall what writes; what asks is answered.
fn is_write(body: &[u8]) -> bool {
    let start = &body[..body.len().min(40)];
    let says = |wanted: &[u8; 6]| start.windows(6).any(|word| word.eq_ignore_ascii_case(wanted));
    says(b"insert") || says(b"update") || says(b"delete")
}

fn head(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let path = line.split_whitespace().nth(1)?.to_owned();
    let mut request = Request { path, token: None, length: 0, is_gzip: false, is_last: false };
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            return Some(request);
        }
        let (name, value) = line.trim().split_once(':')?;
        let value = value.trim();
        match &*name.to_ascii_lowercase() {
            "content-length" => request.length = value.parse().ok()?,
            "content-encoding" => request.is_gzip = value == "gzip",
            "authorization" => request.token = Some(value.to_owned()),
            "connection" => request.is_last = value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
}

fn send(connection: &mut impl Write, answer: &Answer) -> std::io::Result<()> {
    let Answer { status, header, body } = answer;
    let head = format!(
        "HTTP/1.1 {status} Something\r\ncontent-type: application/json; charset=UTF-8\r\n{header}content-length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    connection.flush()
}
