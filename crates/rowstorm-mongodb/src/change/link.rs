//! Commands of a changer, one after another: each for itself, or within a transaction of the server's.

use std::future::Future;

use mongodb::bson::{Bson, Document, RawDocumentBuf, doc};
use mongodb::error::{
    Error, ErrorKind, Result, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT,
};
use mongodb::{ClientSession, Database};
use rowstorm_sink::{Delivery, SinkError, SinkErrorKind};

use crate::connect::{Server, to_the_end};
use crate::error::{self, BUSY};
use crate::identity::ID;

/// What commands go through.
#[derive(Debug)]
pub(super) struct Link {
    server: Server,
    /// Kept for the next transaction. While a command runs, its future has it.
    session: Option<ClientSession>,
    /// Whether a transaction is open.
    is_open: bool,
}

impl Link {
    pub(super) fn new(server: Server) -> Link {
        Link { server, session: None, is_open: false }
    }

    /// For what stands in no transaction.
    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    pub(super) fn has_transactions(&self) -> bool {
        self.server.has_transactions()
    }

    /// Whether what is done now can be undone.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Opens a transaction; the server hears of it with its first command.
    pub(super) async fn begin(&mut self) -> std::result::Result<(), SinkError> {
        let db = self.server.open().await?;
        let session = self.session.take();
        let begin = async move {
            let mut session = match session {
                Some(session) => session,
                None => db.client().start_session().await?,
            };
            session.start_transaction().await?;
            Ok(session)
        };
        let begun: Result<ClientSession> = to_the_end(begin).await;
        self.session = Some(begun.map_err(|error| undone(&error, Delivery::None))?);
        self.is_open = true;
        Ok(())
    }

    /// Commits: the answer says that all is there, nothing is, or nobody knows.
    pub(super) async fn commit(&mut self) -> std::result::Result<(), SinkError> {
        let commit = |_, mut session: ClientSession| async move {
            let done = session.commit_transaction().await;
            (session, done)
        };
        let done = self.with_session(commit).await?;
        self.is_open = false;
        done.map_err(|error| {
            if error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) {
                let mut error = error::into_error(error::read(&error, Delivery::InDoubt));
                error.kind = SinkErrorKind::Lost(Delivery::InDoubt);
                return error;
            }
            undone(&error, Delivery::InDoubt)
        })
    }

    /// Undoes what the open transaction did. Where that fails the server does it, when the transaction has been idle for a minute.
    pub(super) async fn abort(&mut self) -> std::result::Result<(), SinkError> {
        if std::mem::take(&mut self.is_open) {
            let abort = |_, mut session: ClientSession| async move {
                let done = session.abort_transaction().await;
                (session, done)
            };
            let _ = self.with_session(abort).await?;
        }
        Ok(())
    }

    /// Runs a command.
    pub(super) async fn command(
        &mut self,
        text: RawDocumentBuf,
    ) -> std::result::Result<Result<Document>, SinkError> {
        if !self.is_open {
            return self.server.run(|db| async move { db.run_raw_command(text).await }).await;
        }
        let run = |db: Database, mut session: ClientSession| async move {
            let answer = db.run_raw_command(text).session(&mut session).await;
            (session, answer)
        };
        self.with_session(run).await
    }

    /// Documents by their `_id`.
    pub(super) async fn find(
        &mut self,
        collection: &str,
        ids: Vec<Bson>,
    ) -> std::result::Result<Vec<RawDocumentBuf>, SinkError> {
        let (name, filter) = (collection.to_owned(), doc! { ID: { "$in": ids } });
        let found = if self.is_open {
            let find = |db: Database, mut session: ClientSession| async move {
                let there = within(&db, &name, filter, &mut session).await;
                (session, there)
            };
            self.with_session(find).await?
        } else {
            let find = |db: Database| async move {
                let mut found = db.collection::<RawDocumentBuf>(&name).find(filter).await?;
                let mut there = Vec::new();
                while found.advance().await? {
                    there.push(found.current().to_owned());
                }
                Ok(there)
            };
            self.server.run(find).await?
        };
        found.map_err(|error| undone(&error, Delivery::None))
    }

    /// Lends the session to a future that hands it back. Dropped with what it was lent to, it undoes what it did.
    async fn with_session<T, F>(
        &mut self,
        job: impl FnOnce(Database, ClientSession) -> F,
    ) -> std::result::Result<Result<T>, SinkError>
    where
        T: Send + 'static,
        F: Future<Output = (ClientSession, Result<T>)> + Send + 'static,
    {
        let db = self.server.open().await?;
        let Some(session) = self.session.take() else {
            let message = "an earlier command of this transaction was given up";
            return Err(SinkError::new(SinkErrorKind::Lost(Delivery::None), "connection", message));
        };
        let (session, done) = to_the_end(job(db, session)).await;
        self.session = Some(session);
        Ok(done)
    }
}

/// What an error means. Of a transaction that failed nothing is left: what the server calls transient may be done again from its
/// beginning.
pub(super) fn undone(error: &Error, delivery: Delivery) -> SinkError {
    let is_command = matches!(*error.kind, ErrorKind::Command(_));
    let is_transient = is_command && error.contains_label(TRANSIENT_TRANSACTION_ERROR);
    let delivery = if is_transient { Delivery::None } else { delivery };
    let mut read = error::into_error(error::read(error, delivery));
    if is_transient && !matches!(read.kind, SinkErrorKind::Lost(_)) {
        read.kind = BUSY;
    }
    read
}

async fn within(
    db: &Database,
    name: &str,
    filter: Document,
    session: &mut ClientSession,
) -> Result<Vec<RawDocumentBuf>> {
    let collection = db.collection::<RawDocumentBuf>(name);
    let mut found = collection.find(filter).session(&mut *session).await?;
    let mut there = Vec::new();
    while found.advance(session).await? {
        there.push(found.current().to_owned());
    }
    Ok(there)
}
