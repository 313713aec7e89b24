//! Before the first row: tables are made ready, and what stands in them is counted.

use rowstorm_sink::{BoxSink, Prepare, PrepareMode, Scope, Sink, SinkError};

use crate::desk::Desk;
use crate::work::Work;
use crate::{RunError, RunOptions};

/// What a sink is told of every table.
pub(crate) fn orders(options: &RunOptions) -> Prepare {
    // Another shard's rows may stand there: whether our own do is counted instead.
    let part_creates = options.is_part() && options.mode == PrepareMode::Create;
    let mode = if part_creates { PrepareMode::Append } else { options.mode };
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
        if orders.mode != PrepareMode::Append {
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
