//! What databases keep of a value: the one place where less than the value itself counts as the same.
//!
//! Nothing is compared more loosely than its store is: what PostgreSQL gives back must be exact to the last bit, and
//! MongoDB's dates to the millisecond. Each rule that touches a table is said in its notes.

use rowstorm_gen::schema::{Column, DataType, Generator};
use rowstorm_gen::{ColumnPlan, TablePlan};

use super::compare::Compare;

/// What a database keeps of the values that it takes.
///
/// ```
/// use rowstorm_run::verify::Keeps;
/// assert_eq!(Keeps::of("MongoDB", "8.0").instant_us(), 1_000);
/// assert_eq!(Keeps::of("PostgreSQL", "17.2").instant_us(), 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeps {
    /// The database's name in a schema's `ddl`.
    pub(super) name: &'static str,
    /// Instants are cut to multiples of this.
    pub(super) instant_us: i64,
    /// The same inside of objects and arrays.
    pub(super) nested_instant_us: i64,
    /// Whether -0 stays apart from 0.
    pub(super) signed_zero: bool,
    /// Whether a document `null` stays apart from no document.
    pub(super) null_document: bool,
    /// What becomes of an instant's digits that a declared precision leaves out.
    pub(super) rest: Rest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    CutOff,
    Rounded,
}

/// Everything is kept.
const EXACT: Keeps = Keeps {
    name: "",
    instant_us: 1,
    nested_instant_us: 1,
    signed_zero: true,
    null_document: true,
    rest: Rest::Rounded,
};

impl Keeps {
    /// A database that keeps every bit.
    pub fn exact() -> Keeps {
        EXACT
    }

    /// What a database keeps, by its name ("PostgreSQL", "MariaDB") and what its server says of its version.
    pub fn of(database: &str, version: &str) -> Keeps {
        let maria = version.to_lowercase().contains("mariadb");
        match database {
            "PostgreSQL" => Keeps { name: "postgres", ..EXACT },
            "MySQL" | "MariaDB" if maria || database == "MariaDB" => {
                Keeps { name: "mysql", signed_zero: false, rest: Rest::CutOff, ..EXACT }
            }
            "MySQL" => Keeps { name: "mysql", ..EXACT },
            "MongoDB" => Keeps {
                name: "mongodb",
                instant_us: 1_000,
                nested_instant_us: 1_000,
                null_document: false,
                rest: Rest::CutOff,
                ..EXACT
            },
            "CrateDB" => Keeps { name: "cratedb", instant_us: 1_000, rest: Rest::CutOff, ..EXACT },
            "SQLite" => Keeps { name: "sqlite", signed_zero: false, ..EXACT },
            _ => EXACT,
        }
    }

    /// The step of instants, in microseconds.
    pub fn instant_us(&self) -> i64 {
        self.instant_us
    }

    /// How a column's values are compared.
    pub(super) fn column(&self, column: &ColumnPlan, spec: Option<&Column>) -> Compare {
        let own = column.ddl.iter().find(|(database, _)| database == self.name);
        let own = own.map(|(_, words)| Own::read(words)).unwrap_or_default();
        let instant_us = match (column.data_type, own.instant_digits) {
            (DataType::Timestamp, Some(digits)) => 10_i64.pow(6 - digits.min(6)),
            (DataType::Timestamp, None) if own.whole_number => 1,
            (_, _) => self.instant_us,
        };
        Compare {
            data_type: column.data_type,
            ignored: false,
            real: own.real
                || column.data_type == (DataType::Float { double: false })
                || spec.is_some_and(|spec| holds_reals(&spec.generator)),
            keeps: Keeps { instant_us, ..*self },
            padded: own.padded,
        }
    }

    /// What is compared more loosely than bit by bit, in words.
    pub(super) fn notes(table: &TablePlan, compares: &[Compare]) -> Vec<String> {
        let mut notes: Vec<(String, Vec<&str>)> = Vec::new();
        for (column, compare) in table.columns.iter().zip(compares) {
            for said in compare.said() {
                match notes.iter_mut().find(|(note, _)| *note == said) {
                    Some((_, columns)) => columns.push(&column.name),
                    None => notes.push((said, vec![&column.name])),
                }
            }
        }
        notes.into_iter().map(|(note, columns)| format!("{}: {note}", columns.join(", "))).collect()
    }
}

/// What a column's type in the database's own words means for its values.
#[derive(Debug, Default, PartialEq, Eq)]
struct Own {
    instant_digits: Option<u32>,
    whole_number: bool,
    real: bool,
    padded: bool,
}

impl Own {
    fn read(words: &str) -> Own {
        let words = words.trim().to_lowercase();
        let name: String = words.chars().take_while(|c| c.is_alphabetic()).collect();
        let number = words.split(['(', ')', ',']).nth(1).and_then(|text| text.trim().parse().ok());
        let mut own = Own::default();
        match name.as_str() {
            "timestamp" | "timestamptz" => own.instant_digits = number,
            // MySQL's own default; with PostgreSQL the word is none of its types.
            "datetime" => own.instant_digits = Some(number.unwrap_or(0)),
            "long" | "bigint" => own.whole_number = true,
            "real" | "float4" => own.real = true,
            "float" => own.real = number.is_none_or(|bits| bits <= 24),
            "char" | "character" | "bpchar" => own.padded = !words.contains("varying"),
            _ => {}
        }
        own
    }
}

/// Whether there is a number of four bytes anywhere in a nested value.
fn holds_reals(generator: &Generator) -> bool {
    let is_real = |data_type| data_type == DataType::Float { double: false };
    match generator {
        Generator::Object(fields) => {
            fields.values().any(|field| is_real(field.data_type) || holds_reals(&field.generator))
        }
        Generator::Array(items) => is_real(items.data_type) || holds_reals(&items.generator),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_in_the_databases_own_words_says_what_it_keeps() {
        for (words, own) in [
            ("TIMESTAMP(3)", Own { instant_digits: Some(3), ..Own::default() }),
            ("datetime", Own { instant_digits: Some(0), ..Own::default() }),
            ("char(10)", Own { padded: true, ..Own::default() }),
            ("character varying(10)", Own::default()),
            ("float(53)", Own::default()),
            ("float", Own { real: true, ..Own::default() }),
            ("binary(16)", Own::default()),
            ("long", Own { whole_number: true, ..Own::default() }),
        ] {
            assert_eq!(Own::read(words), own, "{words}");
        }
    }

    #[test]
    fn mariadb_is_known_by_its_version_whatever_the_url_says() {
        assert_eq!(Keeps::of("MySQL", "10.11.6-MariaDB"), Keeps::of("MariaDB", ""));
        assert_ne!(Keeps::of("MySQL", "9.7.0"), Keeps::of("MariaDB", ""));
        assert_eq!(Keeps::of("memory", ""), Keeps::exact());
    }
}
