//! The schema document of Rowstorm: tables, columns, generators and the settings of a run.
//!
//! A document is plain data. This crate reads it (YAML, TOML, JSON), says everything that is wrong with it at
//! once and where, and prints the JSON Schema that editors read. It draws no values (`rowstorm-gen`) and opens no
//! database.

mod changes;
mod column;
mod data_type;
mod document;
mod effective;
mod event;
mod field_map;
mod fit;
mod fixed;
mod generator;
mod generator_serde;
mod instant;
mod json_schema;
pub mod limits;
mod literal;
mod notes;
mod options;
mod parse;
mod problem;
mod query;
mod settings;
mod states;
mod suggest;
mod table;
mod template;
mod units;
mod validate;

pub use changes::{Arrivals, Change, ChangeKind, Changes, HoldSpec, Pick, Transaction};
pub use column::{Column, Per};
pub use data_type::{DataType, IntWidth, ParseDataTypeError};
pub use effective::{EffectiveColumn, LevelRule, Origin};
pub use event::{ChangeEvent, OpCount};
pub use field_map::{ColumnMap, DeletedMap, Encoding, FieldMap, TableMap};
pub use fixed::Fixed;
pub use generator::{
    ArraySpec, ClockSpec, Fake, FaultsSpec, Generator, LogNormalSpec, NormalSpec, RefSpec,
    SequenceSpec, Skew, TextSpec, Uuid7Spec, WalkSpec, ZipfSpec,
};
pub use instant::{ParseInstantError, parse_instant};
pub use json_schema::json_schema;
pub use literal::{Choices, Literal};
pub use notes::Note;
pub use options::{
    CratedbOptions, HypertableOptions, MongodbOptions, MysqlMethod, MysqlOptions, PostgresOptions,
    SqliteOptions, TimeseriesOptions,
};
pub use parse::{Format, LoadError};
pub use problem::{Invalid, PROBLEMS_MAX, Problem};
pub use query::{Command, TimeRange, Words, WordsOfEach};
pub use settings::{IndexTime, Late, RunSettings, TableMode};
pub use states::StatesSpec;
pub use table::{Index, Level, Schema, Series, Table};
pub use template::{Template, TemplateError, TemplatePart};
pub use units::{
    AutoOr, ByteSize, Objective, ParseUnitError, Progress, Rate, Shard, Span, Stages, Tolerance,
};
