//! A column: its generator, drawn per row or per entity, its nulls, and how batches store it.

use std::sync::Arc;

use rowstorm_schema::{Column, DataType, Generator, IntWidth, LevelRule, Per, TemplatePart};

use super::generator::Made;
use super::{Compiled, Compiler, invalid};
use crate::fill::{Checked, Choice, LevelNumber, SeriesComputed, SeriesEntries, is_of};
use crate::rule::{Nulls, Rule};
use crate::{ColumnData, PlanError, Rows, Storage, Stream, Values};

/// The most entities whose values are kept: codes beyond 16 bits would leave a core's cache.
const SERIES_ENTRIES_MAX: u64 = 65_536;

/// Where a value stands.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    pub(super) table: &'a str,
    /// For errors: `tables.cpu.columns.host`.
    pub(super) place: String,
    /// The entities of the table's series; 1 without.
    pub(super) entities: u64,
    /// The row numbers that the fill is called with, as far as known.
    pub(super) rows: Option<u64>,
    /// Row numbers of this fill per row of the table.
    pub(super) per_row: u64,
    pub(super) unique: bool,
}

impl Scope<'_> {
    pub(super) fn invalid(&self, problem: impl Into<String>) -> PlanError {
        invalid(&self.place, problem)
    }
}

impl<'a> Compiler<'a> {
    /// A level of the table's series.
    pub(super) fn level(
        &mut self,
        table: &'a str,
        rule: LevelRule,
        stream: Stream,
    ) -> Result<Compiled, PlanError> {
        let series = self.schema.tables[table].series.as_ref();
        let series = series.expect("a level belongs to a series");
        let place = format!("tables.{table}.series");
        let last = series.start.saturating_add(series.count);
        if rule == LevelRule::Id && last > u64::from(u32::MAX >> 1) + 1 {
            return Err(invalid(&place, format!("entity {last} does not fit a level's `int`")));
        }
        check_count(&place, series.count)?;
        let fill = Arc::new(LevelNumber { rule, start: series.start });
        let data_type = DataType::Int(IntWidth::Int);
        Ok(per_series(series.count, data_type, 0.0, Made::plain(fill), stream))
    }

    /// A column of the document.
    pub(super) fn declared(
        &mut self,
        table: &'a str,
        name: &str,
        column: &'a Column,
        stream: Stream,
    ) -> Result<Compiled, PlanError> {
        let series = self.schema.tables[table].series.as_ref();
        let count = series.map_or(0, |series| series.count);
        let place = format!("tables.{table}.columns.{name}");
        if series.is_some() {
            check_count(&place, count)?;
        }
        let rows = match column.per {
            Per::Row => self.rows_of(table),
            Per::Series if series.is_none() => {
                return Err(invalid(&place, "`per: series` in a table without `series`"));
            }
            Per::Series => Some(count),
        };
        let scope =
            Scope { table, place, entities: count.max(1), rows, per_row: 1, unique: column.unique };
        let custom =
            self.customs.iter().find(|custom| custom.table == table && custom.column == name);
        let made = match custom {
            Some(custom) => checked(&scope, column.data_type, Arc::clone(&custom.fill), stream)?,
            None => self.generator(&scope, column.data_type, &column.generator, stream)?,
        };
        let each_entity = column.per == Per::Series || hangs_on_series(column);
        if series.is_some() && each_entity && custom.is_none_or(|_| column.per == Per::Series) {
            return Ok(per_series(count, column.data_type, column.nulls, made, stream));
        }
        let storage = made.entries.map_or(Storage::Plain, Storage::Dictionary);
        let rule = Rule { stream, fill: made.fill, nulls: Nulls::new(stream, column.nulls) };
        Ok(Compiled { data_type: column.data_type, nulls: column.nulls, rule, storage })
    }
}

/// Whether a column that draws for every row still says the same for all rows of an entity: `host_{series}`.
fn hangs_on_series(column: &Column) -> bool {
    let Generator::Template(text) = &column.generator else { return false };
    let Ok(template) = text.parse::<rowstorm_schema::Template>() else { return false };
    column.nulls == 0.0
        && template.parts.iter().all(|part| match part {
            TemplatePart::Text(_) | TemplatePart::Series => true,
            TemplatePart::Column(_) | TemplatePart::Range { .. } | TemplatePart::Row => false,
        })
}

fn check_count(place: &str, count: u64) -> Result<(), PlanError> {
    if count == 0 || count > u64::from(u32::MAX) {
        return Err(invalid(
            place,
            format!("a series has 1 to {} entities, not {count}", u32::MAX),
        ));
    }
    Ok(())
}

/// A rule whose rows are entities, made a rule of the table's rows.
fn per_series(count: u64, data_type: DataType, nulls: f64, made: Made, stream: Stream) -> Compiled {
    let drawn = Nulls::new(stream, nulls);
    let entity = Rule { stream, fill: Arc::clone(&made.fill), nulls: drawn };
    let kept = if count <= SERIES_ENTRIES_MAX { SeriesEntries::new(count, &entity) } else { None };
    if let Some(fill) = kept {
        let storage = Storage::Series(Arc::clone(&fill.entries));
        let rule = Rule { stream, fill: Arc::new(fill), nulls: None };
        return Compiled { data_type, nulls, rule, storage };
    }
    let storage = made.entries.map_or(Storage::Plain, Storage::Dictionary);
    let fill = Arc::new(SeriesComputed { count, entity: made.fill });
    let nulls_of_rows = drawn.map(|nulls| nulls.per_entity(count));
    Compiled { data_type, nulls, rule: Rule { stream, fill, nulls: nulls_of_rows }, storage }
}

/// Another's fill, tried on one row before it is trusted.
fn checked(
    scope: &Scope<'_>,
    data_type: DataType,
    fill: Arc<dyn crate::Fill>,
    stream: Stream,
) -> Result<Made, PlanError> {
    let mut one = Values::default();
    fill.fill(stream, Rows::Run(0..1), &mut one);
    if one.len() != 1 || !is_of(&one, data_type) {
        return Err(scope.invalid(format!(
            "the fill does not make plain values of the type `{data_type}`, one for each row"
        )));
    }
    Ok(Made::plain(Arc::new(Checked { place: scope.place.clone(), data_type, fill })))
}

/// A dictionary of values.
pub(super) fn dictionary(values: Values, pick: crate::fill::Pick) -> Made {
    let entries = Arc::new(ColumnData { values, valid: None });
    Made { fill: Arc::new(Choice { entries: Arc::clone(&entries), pick }), entries: Some(entries) }
}
