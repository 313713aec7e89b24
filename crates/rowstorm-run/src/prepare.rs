//! Before the first row: tables are made ready, and what stands in them is counted.

use rowstorm_sink::{BoxSink, Prepare, PrepareMode, Scope, Sink, SinkError};

use crate::desk::Desk;
use crate::work::Work;
use crate::{Resume, RunError, RunOptions};

/// What a sink is told of every table.
pub(crate) fn orders(options: &RunOptions) -> Prepare {
    // Another shard's rows may stand there: whether our own do is counted instead.
    let part_creates = options.is_part() && options.mode == PrepareMode::Create;
    let resumes = match options.resume() {
        Resume::Anew => false,
        Resume::Load | Resume::Changes(_) => true,
    };
    let mode = if part_creates || resumes { PrepareMode::Append } else { options.mode };
    Prepare { mode, indexes: options.indexes }
}

/// Makes all tables ready, parents first.
pub(crate) async fn prepare(
    sink: &BoxSink,
    works: &[Work],
    desk: &Desk,
    options: &RunOptions,
) -> Result<(), RunError> {
    let orders = orders(options);
    for work in works {
        sink.prepare(&work.table, &orders).await?;
        if orders.mode != PrepareMode::Append || matches!(options.resume(), Resume::Load) {
            continue;
        }
        let Some(scope) = work.scope else { continue };
        let before = sink.audit(&work.table, &scope).await?.rows;
        if before > 0 && options.mode == PrepareMode::Create {
            return Err(already_there(work, scope, before).into());
        }
        desk.lock().books.set_before(work.index, before);
    }
    Ok(())
}

/// Looks whether the rows that changes begin with are there. Other shards may have begun: then nothing can be said.
pub(crate) async fn check_loaded(
    sink: &BoxSink,
    works: &[Work],
    options: &RunOptions,
) -> Result<(), RunError> {
    let anew = matches!(options.resume(), Resume::Anew);
    if !options.is_loaded() || options.is_part() || !anew || !sink.keeps_rows() {
        return Ok(());
    }
    for Work { table, .. } in works {
        let (found, wanted) =
            (sink.audit(table, &Scope::Table).await?.rows, table.rows.unwrap_or(0));
        if found != wanted {
            let text = format!(
                "table `{}` has {found} rows, and its changes begin with {wanted}: say \
                 `--table-mode recreate` to load it first",
                table.name
            );
            return Err(SinkError::fatal("not as loaded", text).into());
        }
    }
    Ok(())
}

fn already_there(work: &Work, scope: Scope, rows: u64) -> SinkError {
    let place = match scope {
        Scope::Table => String::new(),
        Scope::Between { column, low, high } => {
            format!(" with `{}` from {low} to {high}", work.table.columns[column].name)
        }
    };
    let text = format!(
        "table `{}` has {rows} rows of this shard already{place}; append to it, or start with \
         an empty table",
        work.table.name
    );
    SinkError::fatal("table not empty", text)
}
