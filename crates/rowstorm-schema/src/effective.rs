//! The columns that a table really has: a series' levels, then the declared ones.

use crate::{Column, DataType, IntWidth, Level, Series, Table};

/// One column of a table as databases see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EffectiveColumn<'a> {
    /// The column's name.
    pub name: &'a str,
    /// Where its values come from.
    pub origin: Origin<'a>,
}

/// Where the values of an [`EffectiveColumn`] come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Origin<'a> {
    /// A level of the table's series: an `int` column, made from the entity's number, never null.
    Level(LevelRule),
    /// The document's own column.
    Declared(&'a Column),
}

/// How a level's value follows from an entity's own number (`series.start` + entity).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelRule {
    /// The number itself.
    Id,
    /// `(id - 1) / divisor % size`: counts from 0, after every inner level has run through.
    Digit {
        /// The product of all inner levels' sizes.
        divisor: u64,
        /// How many values the level has.
        size: u64,
    },
}

impl LevelRule {
    /// The level's value for the entity with this number.
    ///
    /// ```
    /// use rowstorm_schema::LevelRule;
    ///
    /// let plant = LevelRule::Digit { divisor: 5, size: 100 };
    /// assert_eq!((plant.value(1), plant.value(6), plant.value(501)), (0, 1, 0));
    /// assert_eq!(LevelRule::Id.value(7), 7);
    /// ```
    pub fn value(self, id: u64) -> u64 {
        match self {
            LevelRule::Id => id,
            // An entity numbered 0 stands before the first: it counts like the last of a full round.
            LevelRule::Digit { divisor, size } => match id.checked_sub(1) {
                Some(before) => before / divisor % size,
                None => size - 1,
            },
        }
    }
}

impl EffectiveColumn<'_> {
    /// The logical type; a level is an `int`.
    pub fn data_type(&self) -> DataType {
        match self.origin {
            Origin::Level(_) => DataType::Int(IntWidth::Int),
            Origin::Declared(column) => column.data_type,
        }
    }
}

impl Series {
    /// The levels with their rules, outermost first.
    pub fn level_rules(&self) -> Vec<(&str, LevelRule)> {
        let mut divisor = 1_u64;
        let mut rules: Vec<_> = self
            .levels
            .iter()
            .rev()
            .map(|(name, level)| {
                let rule = match level {
                    Level::Id => LevelRule::Id,
                    Level::Size(size) => {
                        let rule = LevelRule::Digit { divisor, size: *size };
                        divisor = divisor.saturating_mul(*size);
                        rule
                    }
                };
                (name.as_str(), rule)
            })
            .collect();
        rules.reverse();
        rules
    }
}

impl Table {
    /// All columns in the table's order: a series' levels first, then `columns`.
    ///
    /// ```
    /// use rowstorm_schema::{Level, Series, Table};
    ///
    /// let levels = [("plant", Level::Size(100)), ("line", Level::Size(5)), ("sensor_id", Level::Id)];
    /// let series = Series {
    ///     count: 500,
    ///     start: 1,
    ///     levels: levels.map(|(name, level)| (name.to_owned(), level)).into(),
    /// };
    /// let table = Table { series: Some(series), ..Table::default() };
    /// let names: Vec<_> = table.all_columns().iter().map(|column| column.name).collect();
    /// assert_eq!(names, ["plant", "line", "sensor_id"]);
    /// ```
    pub fn all_columns(&self) -> Vec<EffectiveColumn<'_>> {
        let levels = self.series.iter().flat_map(Series::level_rules);
        levels
            .map(|(name, rule)| EffectiveColumn { name, origin: Origin::Level(rule) })
            .chain(
                self.columns.iter().map(|(name, column)| EffectiveColumn {
                    name,
                    origin: Origin::Declared(column),
                }),
            )
            .collect()
    }
}
