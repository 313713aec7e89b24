//! One connection of the PostgreSQL wire.
//!
//! CrateDB keeps what is executed until the Sync, and then runs all executions of one statement as one bulk, as it runs
//! `bulk_args`. A Parse goes before the rows of each bulk, so a connection remembers nothing between two.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::{ErrorResponseBody, Message};
use postgres_protocol::message::frontend;
use rowstorm_sink::{CONNECT_MAX, Delivery, SinkError, SinkErrorKind, cut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::connect::{Login, Server};

/// A connection that waits for a bulk.
#[derive(Debug)]
pub(crate) struct Session {
    stream: TcpStream,
    unread: BytesMut,
    limit: Option<Duration>,
}

/// What a bulk was answered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// How many rows have a count.
    pub(crate) rows: usize,
    /// Those whose count is not 1, in order.
    pub(crate) missing: Vec<usize>,
    /// An error for the whole; each row can have the same one.
    pub(crate) error: Option<String>,
}

impl Session {
    /// Connects to the next host; to another, if nothing listens there.
    pub(crate) async fn open(server: &Server) -> Result<Session, SinkError> {
        let mut unreachable = None;
        for host in server.wire_in_turn() {
            let failed = |error: &dyn std::fmt::Display| {
                let message =
                    format!("cannot connect to CrateDB's PostgreSQL wire at {host}: {error}");
                SinkError::new(SinkErrorKind::Lost(Delivery::None), "connection", message)
            };
            match tokio::time::timeout(CONNECT_MAX, start(&host, &server.login)).await {
                Ok(Ok(Ok(session))) => return Ok(session),
                Ok(Ok(Err(refused))) => {
                    let message = format!(
                        "CrateDB at {host} refuses the connection: {refused}; set ROWSTORM_USERNAME and ROWSTORM_PASSWORD, \
                         or name both in the URL"
                    );
                    return Err(SinkError::fatal("28000", message));
                }
                Ok(Err(error)) => unreachable = Some(failed(&error)),
                Err(late) => unreachable = Some(failed(&late)),
            }
        }
        Err(unreachable.expect("a URL names at least one host"))
    }

    /// Whether the server has not closed it meanwhile.
    pub(crate) fn is_open(&self) -> bool {
        let told = self.stream.try_read(&mut [0]);
        told.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Writes rows, messages of a statement, as one bulk.
    pub(crate) async fn bulk(&mut self, statement: &str, rows: &[u8]) -> io::Result<Told> {
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        match self.limit {
            Some(limit) => {
                tokio::time::timeout(limit, self.ask(statement, rows)).await.map_err(late)?
            }
            None => self.ask(statement, rows).await,
        }
    }

    async fn ask(&mut self, statement: &str, rows: &[u8]) -> io::Result<Told> {
        let (mut head, mut tail) = (BytesMut::new(), BytesMut::new());
        frontend::parse("", statement, [], &mut head)?;
        frontend::sync(&mut tail);
        let Session { stream, unread, .. } = self;
        let (mut from, mut to) = stream.split();
        let send = async {
            for part in [&head[..], rows, &tail[..]] {
                to.write_all(part).await?;
            }
            io::Result::Ok(())
        };
        let receive = async {
            let mut told = Told::default();
            loop {
                match next(&mut from, unread).await? {
                    Message::CommandComplete(body) => {
                        if body.tag()?.strip_prefix("INSERT 0 ") != Some("1") {
                            told.missing.push(told.rows);
                        }
                        told.rows += 1;
                    }
                    Message::ErrorResponse(body) => {
                        told.error.get_or_insert(words(&body)?);
                    }
                    Message::ReadyForQuery(_) => return Ok(told),
                    // A statement was parsed, a row bound.
                    _ => {}
                }
            }
        };
        // Side by side: a server that answers early is not kept waiting until it reads no more.
        let ((), told) = tokio::try_join!(send, receive)?;
        Ok(told)
    }
}

/// Opens a connection and says who it is; the inner error is the server's refusal.
async fn start(host: &str, login: &Login) -> io::Result<Result<Session, String>> {
    let mut stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    let (mut out, mut unread) = (BytesMut::new(), BytesMut::new());
    let who = [("user", &*login.user), ("application_name", &*login.application)];
    frontend::startup_message(who, &mut out)?;
    loop {
        stream.write_all_buf(&mut out).await?;
        match next(&mut stream, &mut unread).await? {
            Message::AuthenticationCleartextPassword => {
                let password = login.password.as_deref().unwrap_or_default();
                frontend::password_message(password.as_bytes(), &mut out)?;
            }
            Message::ReadyForQuery(_) => break,
            Message::ErrorResponse(body) => return Ok(Err(words(&body)?)),
            Message::AuthenticationOk
            | Message::BackendKeyData(_)
            | Message::NoticeResponse(_)
            | Message::ParameterStatus(_) => {}
            _ => {
                return Ok(Err(
                    "it asks for a password in another way than CrateDB does".to_owned()
                ));
            }
        }
    }
    Ok(Ok(Session { stream, unread, limit: login.limit }))
}

/// The next message.
async fn next(
    from: &mut (impl AsyncReadExt + Unpin),
    unread: &mut BytesMut,
) -> io::Result<Message> {
    loop {
        if let Some(message) = Message::parse(unread)? {
            return Ok(message);
        }
        if from.read_buf(unread).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// What an error says.
fn words(body: &ErrorResponseBody) -> io::Result<String> {
    let said = body.fields().find(|field| Ok(field.type_() == b'M'))?;
    let said = said.map(|field| String::from_utf8_lossy(field.value_bytes()).into_owned());
    Ok(cut(said.unwrap_or_default()))
}
