//! Counting in the database: the statements, and what their answers mean.

use rowstorm_gen::schema::DataType;
use rowstorm_gen::{ColumnPlan, TablePlan};

use super::Names;
use crate::{Audit, ColumnAudit, Scope, SinkError};

/// How a database counts and sums.
#[derive(Debug, Clone, Copy)]
pub struct Counting {
    /// How it writes names.
    pub names: Names,
    /// An exact sum of 64-bit integers.
    pub sum: Sum,
    /// An expression's value as text, so that all cells of an answer are read alike.
    pub text: fn(&str) -> String,
    /// An integer as a literal that is compared as a 64-bit integer, the smallest included.
    pub literal: fn(i64) -> String,
    /// The most expressions of one SELECT.
    pub cells_max: usize,
}

/// A sum of 64-bit integers that does not overflow, of a column's quoted name.
#[derive(Debug, Clone, Copy)]
pub enum Sum {
    /// One expression is exact.
    Exact(fn(&str) -> String),
    /// The sum itself would overflow; sums of upper and lower halves do not: the first times 2³², and the second.
    Halves(fn(&str) -> [String; 2]),
}

/// The statements of an audit, each of which answers one row.
///
/// ```
/// use rowstorm_sink::sql::{AuditSql, Case, Counting, NameLimit, Names, Sum};
/// use rowstorm_sink::Scope;
/// # use rowstorm_gen::{Plan, PlanOptions, schema};
///
/// const COUNTING: Counting = Counting {
///     names: Names {
///         database: "PostgreSQL",
///         quote: |name| format!("\"{}\"", name.replace('"', "\"\"")),
///         limit: NameLimit::Bytes(63),
///         case: Case::Told,
///     },
///     sum: Sum::Exact(|column| format!("sum({column})")),
///     text: |expression| format!("({expression})::text"),
///     literal: |value| format!("({value})"),
///     cells_max: 1600,
/// };
/// # let text = r#"{"version":1,"tables":{"t":{"key":["id"],"columns":{"id":{"type":"bigint","gen":"sequence"}}}}}"#;
/// # let schema = schema::Schema::parse(text, schema::Format::Json, "t.json").unwrap();
/// # let plan = Plan::new(&schema, PlanOptions::default()).unwrap();
/// # let table = plan.table("t").unwrap();
/// let audit = AuditSql::new(&COUNTING, "\"t\"", table, &Scope::Table);
/// assert_eq!(audit.statements()[0], r#"SELECT (count(*))::text, (sum("id"))::text, (min("id"))::text, (max("id"))::text FROM "t""#);
/// let answers = [["3", "6", "1", "3"].map(|cell| Some(cell.to_owned())).to_vec(), vec![Some("3".to_owned())]];
/// assert_eq!(audit.read(&answers)?.columns[0].sum, Some(6));
/// # Ok::<(), rowstorm_sink::SinkError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSql {
    statements: Vec<String>,
    by_distinct: String,
    has_keys: bool,
    integers: Vec<String>,
    /// Cells of one column's sum.
    sums: usize,
}

impl AuditSql {
    /// The statements for a table of this quoted name.
    pub fn new(counting: &Counting, name: &str, table: &TablePlan, scope: &Scope) -> AuditSql {
        let Names { quote, .. } = counting.names;
        let from = match scope {
            Scope::Table => name.to_owned(),
            Scope::Between { column, low, high } => {
                let column = quote(&table.columns[*column].name);
                let (low, high) = ((counting.literal)(*low), (counting.literal)(*high));
                format!("{name} WHERE {column} BETWEEN {low} AND {high}")
            }
        };
        let integer = |column: &&ColumnPlan| matches!(column.data_type, DataType::Int(_));
        let integers: Vec<String> =
            table.columns.iter().filter(integer).map(|column| column.name.to_string()).collect();
        let sums = match counting.sum {
            Sum::Exact(_) => 1,
            Sum::Halves(_) => 2,
        };
        let at_once = (counting.cells_max.saturating_sub(1) / (sums + 2)).max(1);
        let mut chunks = integers.chunks(at_once);
        let select = |cells: Vec<String>| {
            let cells: Vec<String> = cells.iter().map(|cell| (counting.text)(cell)).collect();
            format!("SELECT {} FROM {from}", cells.join(", "))
        };
        let each = |names: &[String]| -> Vec<String> {
            names.iter().flat_map(|name| counting.cells(&quote(name))).collect()
        };
        let first = each(chunks.next().unwrap_or_default());
        let mut statements =
            vec![select(std::iter::once("count(*)".to_owned()).chain(first).collect())];
        statements.extend(chunks.map(|names| select(each(names))));
        let has_keys = !table.key.is_empty();
        let key = counting.names.places(table, &table.key);
        let count = (counting.text)("count(*)");
        let keys = |select: &str| format!("SELECT {count} FROM ({select}) AS different_keys");
        if has_keys {
            // Grouping, unlike count(DISTINCT …), can read the key's index or hash, on several cores.
            statements.push(keys(&format!("SELECT {key} FROM {from} GROUP BY {key}")));
        }
        let by_distinct = keys(&format!("SELECT DISTINCT {key} FROM {from}"));
        AuditSql { statements, by_distinct, has_keys, integers, sums }
    }

    /// Different keys by `SELECT DISTINCT` and not by grouping: SQLite takes a sixth of the time to read them off an index.
    #[must_use]
    pub fn with_distinct(mut self) -> AuditSql {
        if self.has_keys {
            self.statements.pop();
            self.statements.push(self.by_distinct.clone());
        }
        self
    }

    /// The statements, in order. Rows that come between two of them are counted by one and not by the other: where
    /// somebody else may write, run them in one snapshot.
    pub fn statements(&self) -> &[String] {
        &self.statements
    }

    /// What the statements' answers mean: one row each, in their order, all cells as text.
    ///
    /// # Errors
    /// Fatal, if the answers are not those of the statements.
    pub fn read(&self, answers: &[Vec<Option<String>>]) -> Result<Audit, SinkError> {
        let mut cells = answers.iter().flatten();
        let mut next = || -> Result<Option<i128>, SinkError> {
            let cell = cells.next().ok_or_else(|| unexpected("an answer is too short"))?;
            let number = |text: &String| {
                text.parse().map_err(|_| unexpected(&format!("`{text}` is no whole number")))
            };
            cell.as_ref().map(number).transpose()
        };
        let rows = count(next()?)?;
        let mut columns = Vec::with_capacity(self.integers.len());
        for name in &self.integers {
            let mut sum = next()?;
            if self.sums == 2 {
                sum = sum.zip(next()?).map(|(high, low)| (high << 32) + low);
            }
            let (min, max) = (bound(next()?)?, bound(next()?)?);
            columns.push(ColumnAudit { name: name.clone(), sum, min, max });
        }
        let distinct_keys = if self.has_keys { Some(count(next()?)?) } else { None };
        Ok(Audit { rows, distinct_keys, columns })
    }
}

impl Counting {
    /// Sum, smallest and largest of a column's quoted name.
    fn cells(&self, name: &str) -> Vec<String> {
        let mut cells = match self.sum {
            Sum::Exact(sum) => vec![sum(name)],
            Sum::Halves(sums) => sums(name).to_vec(),
        };
        cells.extend([format!("min({name})"), format!("max({name})")]);
        cells
    }
}

fn count(cell: Option<i128>) -> Result<u64, SinkError> {
    let count = cell.and_then(|count| u64::try_from(count).ok());
    count.ok_or_else(|| unexpected("a count is missing, or out of range"))
}

fn bound(cell: Option<i128>) -> Result<Option<i64>, SinkError> {
    let narrow = |value| i64::try_from(value).map_err(|_| unexpected("an integer is out of range"));
    cell.map(narrow).transpose()
}

fn unexpected(what: &str) -> SinkError {
    SinkError::fatal("answer", format!("the audit's answer cannot be read: {what}"))
}

#[cfg(test)]
mod tests {
    use super::super::{Case, NameLimit};
    use super::*;
    use crate::testing::document as plan;

    const COUNTING: Counting = Counting {
        names: Names {
            database: "a test",
            quote: |name| format!("<{name}>"),
            limit: NameLimit::Bytes(9),
            case: Case::Told,
        },
        sum: Sum::Halves(|name| [format!("high({name})"), format!("low({name})")]),
        text: |cell| format!("text({cell})"),
        literal: |value| format!("'{value}'"),
        cells_max: 9,
    };

    fn cells<const N: usize>(cells: [&str; N]) -> Vec<Option<String>> {
        cells.map(|cell| (cell != "null").then(|| cell.to_owned())).to_vec()
    }

    fn table(key: &str) -> std::sync::Arc<TablePlan> {
        plan(&format!(
            r#"{{"version":1,"tables":{{"t":{{{key}"columns":{{
                "a":{{"type":"bigint","gen":"sequence"}},
                "t":{{"type":"text","gen":{{"constant":"x"}}}},
                "b":{{"type":"smallint","gen":{{"uniform":[0,9]}}}},
                "c":{{"type":"int","gen":{{"uniform":[0,9]}}}}}}}}}}}}"#
        ))
    }

    #[test]
    fn columns_that_do_not_fit_one_statement_go_into_the_next() {
        let scope = Scope::Between { column: 0, low: i64::MIN, high: 7 };
        let audit = AuditSql::new(&COUNTING, "<s>.<t>", &table(r#""key":["a","c"],"#), &scope);
        let within = "FROM <s>.<t> WHERE <a> BETWEEN '-9223372036854775808' AND '7'";
        let each = |name: &str| {
            format!(
                "text(high(<{name}>)), text(low(<{name}>)), text(min(<{name}>)), text(max(<{name}>))"
            )
        };
        assert_eq!(
            audit.statements(),
            [
                format!("SELECT text(count(*)), {}, {} {within}", each("a"), each("b")),
                format!("SELECT {} {within}", each("c")),
                format!(
                    "SELECT text(count(*)) FROM (SELECT <a>, <c> {within} GROUP BY <a>, <c>) AS different_keys"
                ),
            ]
        );
        let distinct = audit.clone().with_distinct();
        assert_eq!(
            distinct.statements()[2],
            format!(
                "SELECT text(count(*)) FROM (SELECT DISTINCT <a>, <c> {within}) AS different_keys"
            )
        );
        let (max, min) = (i64::MAX.to_string(), i64::MIN.to_string());
        let answers = [
            // Twice the largest: halves of 2³¹ - 1 and 2³² - 1, twice each.
            cells(["2", "4294967294", "8589934590", &max, &max, "null", "null", "null", "null"]),
            cells(["-2147483648", "0", &min, &min]),
            cells(["1"]),
        ];
        let read = audit.read(&answers).unwrap();
        assert_eq!((read.rows, read.distinct_keys), (2, Some(1)));
        let sums: Vec<_> = read.columns.iter().map(|column| (column.sum, column.min)).collect();
        assert_eq!(
            sums,
            [
                (Some(2 * i128::from(i64::MAX)), Some(i64::MAX)),
                (None, None),
                (Some(i128::from(i64::MIN)), Some(i64::MIN)),
            ]
        );
    }

    #[test]
    fn an_answer_that_is_not_one_is_an_error() {
        let audit = AuditSql::new(&COUNTING, "<t>", &table(""), &Scope::Table);
        assert_eq!(audit.statements().len(), 2, "no key, no count of keys");
        for answers in [
            vec![],
            vec![cells(["null"])],
            vec![cells(["-1"])],
            vec![
                cells(["1", "1.5", "0", "1", "1", "1", "1", "1", "1"]),
                cells(["0", "0", "0", "0"]),
            ],
        ] {
            let error = audit.read(&answers).unwrap_err();
            assert_eq!(error.class, "answer", "{error}");
        }
    }
}
