//! A limit on everything that a document holds.

/// The most tables.
pub const TABLES_MAX: usize = 1_000;

/// The most columns of one table: PostgreSQL has 1,600.
pub const COLUMNS_MAX: usize = 1_600;

/// The deepest nesting of objects and arrays.
pub const NESTING_MAX: usize = 8;

/// The most values of one `one_of`, or words: a dictionary's codes have 16 bits.
pub const CHOICES_MAX: usize = 65_536;

/// The most items of one array.
pub const ARRAY_ITEMS_MAX: u32 = 10_000;

/// The longest generated text, in bytes.
pub const TEXT_BYTES_MAX: u32 = 16 * 1024 * 1024;

/// The longest name of a table or a column, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// The most entries of a mix of changes.
pub const MIX_MAX: usize = 64;

/// The most events of changes.
pub const EVENTS_MAX: usize = 64;

/// The most streams of changes.
pub const STREAMS_MAX: u32 = 1_024;
