//! Names as a dialect writes them.

use rowstorm_gen::TablePlan;
use rowstorm_gen::schema::Index;

use crate::SinkError;

/// A name as an identifier, whatever it holds.
pub type Quote = fn(&str) -> String;

/// How a database writes names.
///
/// ```
/// use rowstorm_sink::sql::{Case, NameLimit, Names};
///
/// fn quote(name: &str) -> String {
///     format!("`{}`", name.replace('`', "``"))
/// }
/// const NAMES: Names =
///     Names { database: "MySQL", quote, limit: NameLimit::Characters(64), case: Case::Ignored };
/// assert_eq!(NAMES.list(["id", "a`b"]), "`id`, `a``b`");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// The database's name for people.
    pub database: &'static str,
    /// A name as an identifier.
    pub quote: Quote,
    /// How long a name may be.
    pub limit: NameLimit,
    /// Whether two columns' names that differ in case are the same.
    pub case: Case,
}

/// How long a name may be: longer ones are cut off or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameLimit {
    /// So many bytes.
    Bytes(usize),
    /// So many characters.
    Characters(usize),
}

/// Whether names of columns that differ in case are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// They are not.
    Told,
    /// They are.
    Ignored,
}

impl Names {
    /// Names with commas between.
    pub fn list<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> String {
        names.into_iter().map(self.quote).collect::<Vec<_>>().join(", ")
    }

    /// All columns of a table, with commas between.
    pub fn columns(&self, table: &TablePlan) -> String {
        self.list(table.columns.iter().map(|column| &*column.name))
    }

    /// Some columns of a table, by their places, with commas between.
    pub fn places(&self, table: &TablePlan, places: &[usize]) -> String {
        self.list(places.iter().map(|&place| &*table.columns[place].name))
    }

    /// Refuses names that the database would cut off (two of them could become the same) or that would end a statement.
    ///
    /// # Errors
    /// Fatal, for the first such name of the table or of a column.
    pub fn check(&self, table: &TablePlan) -> Result<(), SinkError> {
        let columns = table.columns.iter().map(|column| &*column.name);
        for name in columns.chain([&*table.name]) {
            if !self.limit.holds(name) || name.contains('\0') {
                let message = format!(
                    "the name {} does not fit {}: at most {}, none of them zero",
                    (self.quote)(name),
                    self.database,
                    self.limit.words(),
                );
                return Err(SinkError::fatal("name", message));
            }
        }
        Ok(())
    }

    /// A secondary index's own name, not quoted: `table_columns_hash`.
    ///
    /// Readable, within the limit, and never the same for two different indexes (`a_b` on `c`, `a` on `b_c`).
    pub fn index(&self, table: &str, index: &Index) -> String {
        let whole = format!("{table}\0{}\0{}", index.on.join("\0"), index.unique);
        // FNV-1a: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv
        let hash = whole.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let tail = format!("_{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff));
        let mut name = format!("{table}_{}", index.on.join("_"));
        while !self.limit.holds_with(&name, tail.len()) {
            name.pop();
        }
        name + &tail
    }

    pub(crate) fn is_same(&self, one: &str, other: &str) -> bool {
        match self.case {
            Case::Told => one == other,
            Case::Ignored => one == other || one.to_lowercase() == other.to_lowercase(),
        }
    }
}

impl NameLimit {
    fn holds(self, name: &str) -> bool {
        self.holds_with(name, 0)
    }

    /// With so many ASCII characters behind it.
    fn holds_with(self, name: &str, more: usize) -> bool {
        match self {
            NameLimit::Bytes(max) => name.len() + more <= max,
            NameLimit::Characters(max) => name.chars().count() + more <= max,
        }
    }

    fn words(self) -> String {
        match self {
            NameLimit::Bytes(max) => format!("{max} bytes"),
            NameLimit::Characters(max) => format!("{max} characters"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: Names = Names {
        database: "a test",
        quote: |name| format!("<{name}>"),
        limit: NameLimit::Bytes(63),
        case: Case::Ignored,
    };

    fn index(on: &[&str], unique: bool) -> Index {
        Index { on: on.iter().map(|name| (*name).to_owned()).collect(), unique }
    }

    proptest! {
        #[test]
        fn index_names_fit_and_tell_indexes_apart(
            table in "\\PC{1,70}",
            on in prop::collection::vec("\\PC{1,40}", 1..4),
        ) {
            let (plain, unique) =
                (Index { on: on.clone(), unique: false }, Index { on, unique: true });
            for limit in [NameLimit::Bytes(63), NameLimit::Characters(64)] {
                let names = Names { limit, ..NAMES };
                let name = names.index(&table, &plain);
                prop_assert!(limit.holds(&name));
                prop_assert_ne!(&name, &names.index(&table, &unique));
                prop_assert_eq!(&name, &names.index(&table, &plain));
            }
        }
    }

    #[test]
    fn names_that_join_alike_are_told_apart() {
        let (one, other) = (index(&["c"], false), index(&["b_c"], false));
        assert_ne!(NAMES.index("a_b", &one), NAMES.index("a", &other));
    }

    #[test]
    fn bytes_and_characters_are_counted_apart() {
        let name = "ö".repeat(64);
        assert!(NameLimit::Characters(64).holds(&name) && !NameLimit::Characters(63).holds(&name));
        assert!(NameLimit::Bytes(128).holds(&name) && !NameLimit::Bytes(127).holds(&name));
    }

    #[test]
    fn case_tells_names_apart_only_where_the_database_does() {
        assert!(NAMES.is_same("Größe", "GRÖSSE".replace("SS", "ß").as_str()));
        assert!(!Names { case: Case::Told, ..NAMES }.is_same("id", "ID"));
    }
}
