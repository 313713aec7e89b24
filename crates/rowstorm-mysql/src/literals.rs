//! Lines as the literals of `INSERT`: a cell's escapes mean the same in both, so that text only needs its quotes.

use mysql_async::Value;
use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_schema::DataType;

use crate::dialect;
use crate::encode::unescape;
use crate::types::Cell;

/// Larger statements gain nothing: the server is as fast from 1,000 rows on, and slower from 50,000.
const STATEMENT_BYTES_MAX: usize = 1 << 20;
/// What a packet holds beside the statement.
const PACKET_REST_BYTES: usize = 1 << 10;

/// Makes statements of lines, one after another in the same memory.
#[derive(Debug)]
pub(crate) struct Literals {
    opening: String,
    cells: Cells,
    statement: Vec<u8>,
    bytes_max: usize,
}

/// How the cells of a table's columns stand in a statement.
#[derive(Debug)]
pub(crate) struct Cells(Vec<Quotes>);

/// What stands around a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// Nothing: whole numbers and decimals.
    None,
    Text,
    Hex,
}

impl Literals {
    /// Statements for a table of this quoted name, within a packet of so many bytes.
    pub(crate) fn new(table: &TablePlan, name: &str, packet_bytes: usize) -> Literals {
        Literals {
            opening: dialect::insert(table, name),
            cells: Cells::of(table),
            statement: Vec::new(),
            bytes_max: statement_bytes(packet_bytes),
        }
    }

    /// The statement that was made last.
    pub(crate) fn statement(&self) -> &[u8] {
        &self.statement
    }

    /// Makes the statement of the first lines: as many as fit, but one at least. The bytes and lines that are in it.
    pub(crate) fn fill(&mut self, lines: &[u8]) -> (usize, usize) {
        self.statement.clear();
        self.statement.extend_from_slice(self.opening.as_bytes());
        let (mut taken, mut count) = (0, 0);
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            let start = self.statement.len();
            if count > 0 {
                self.statement.push(b',');
            }
            self.row(line.strip_suffix(b"\n").unwrap_or(line));
            if self.statement.len() > self.bytes_max && count > 0 {
                self.statement.truncate(start);
                break;
            }
            taken += line.len();
            count += 1;
        }
        (taken, count)
    }

    fn row(&mut self, line: &[u8]) {
        self.statement.push(b'(');
        for (place, cell) in line.split(|&byte| byte == b'\t').enumerate() {
            if place > 0 {
                self.statement.push(b',');
            }
            self.cells.write(place, cell, &mut self.statement);
        }
        self.statement.push(b')');
    }
}

/// The bytes of statements for a server that takes packets of so many.
pub(crate) fn statement_bytes(packet_bytes: usize) -> usize {
    packet_bytes.saturating_sub(PACKET_REST_BYTES).min(STATEMENT_BYTES_MAX)
}

impl Cells {
    /// Of all columns.
    pub(crate) fn of(table: &TablePlan) -> Cells {
        let quotes = |column: &ColumnPlan| match (Cell::of(column), column.data_type) {
            (Cell::Hex, _) => Quotes::Hex,
            (Cell::Plain, DataType::Bool | DataType::Int(_) | DataType::Decimal { .. }) => {
                Quotes::None
            }
            // A float may be NaN, which is no literal: as text it is refused like any other value that is none.
            (Cell::Plain, _) => Quotes::Text,
        };
        Cells(table.columns.iter().map(quotes).collect())
    }

    /// So many columns, as they are.
    pub(crate) fn plain(columns: usize) -> Cells {
        Cells(vec![Quotes::None; columns])
    }

    /// Writes the cell of one column, as a line has it, as a literal.
    #[inline]
    pub(crate) fn write(&self, place: usize, cell: &[u8], out: &mut Vec<u8>) {
        match self.0[place] {
            _ if cell == b"\\N" => out.extend_from_slice(b"NULL"),
            Quotes::None => out.extend_from_slice(cell),
            Quotes::Hex => {
                out.extend_from_slice(b"x'");
                out.extend_from_slice(cell);
                out.push(b'\'');
            }
            Quotes::Text => {
                out.push(b'\'');
                for (place, part) in cell.split(|&byte| byte == b'\'').enumerate() {
                    if place > 0 {
                        out.extend_from_slice(b"''");
                    }
                    out.extend_from_slice(part);
                }
                out.push(b'\'');
            }
        }
    }

    /// The cell of one column as a parameter: a whole number if it has to be, or else its text. `None` for a null, and for what is none.
    pub(crate) fn value(&self, place: usize, cell: &[u8], is_number: bool) -> Option<Value> {
        match self.0[place] {
            _ if cell == b"\\N" => None,
            Quotes::None if is_number => {
                std::str::from_utf8(cell).ok().and_then(|cell| cell.parse().ok()).map(Value::Int)
            }
            Quotes::None => Some(Value::Bytes(cell.to_vec())),
            Quotes::Text => Some(Value::Bytes(unescape(cell))),
            Quotes::Hex => None,
        }
    }

    /// Whether a cell is a text that ends in a space: where a column is too narrow for it alone, the server leaves it
    /// out with a note, though it is strict.
    #[inline]
    pub(crate) fn ends_in_space(&self, place: usize, cell: &[u8]) -> bool {
        self.0[place] == Quotes::Text && cell.last() == Some(&b' ')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(bytes_max: usize) -> Literals {
        let cells = Cells(vec![Quotes::None, Quotes::Text, Quotes::Hex]);
        Literals { opening: "INSERT ".into(), cells, statement: Vec::new(), bytes_max }
    }

    #[test]
    fn cells_get_their_quotes_and_nulls_none() {
        let mut literals = literals(1000);
        let lines = b"-1\tit's \\t\t00ff\n\\N\t\\\\N\t\n7\t\\N\t\\N\n";
        assert_eq!(literals.fill(lines), (lines.len(), 3));
        assert_eq!(
            std::str::from_utf8(literals.statement()).unwrap(),
            "INSERT (-1,'it''s \\t',x'00ff'),(NULL,'\\\\N',x''),(7,NULL,NULL)"
        );
    }

    #[test]
    fn parameters_are_what_the_literals_say_but_for_nulls_and_bytes() {
        let cells = literals(0).cells;
        let text = |text: &str| Some(Value::Bytes(text.into()));
        assert_eq!(cells.value(0, b"-12", true), Some(Value::Int(-12)));
        assert_eq!(cells.value(0, b"-12.50", true), None);
        assert_eq!(cells.value(0, b"-12.50", false), text("-12.50"));
        assert_eq!(cells.value(1, b"it's \\t\\\\N", true), text("it's \t\\N"));
        assert_eq!(cells.value(1, b"\\N", false), None);
        assert_eq!(cells.value(2, b"00ff", false), None);
    }

    #[test]
    fn statements_keep_within_their_bytes_and_lose_no_line() {
        let lines: Vec<String> = (0..50).map(|row| format!("{row}\tabc\t00\n")).collect();
        let lines = lines.concat();
        for bytes_max in [1, 30, 100, 10_000] {
            let mut literals = literals(bytes_max);
            let (mut rest, mut rows) = (lines.as_bytes(), 0);
            while !rest.is_empty() {
                let (taken, count) = literals.fill(rest);
                assert!(count == 1 || literals.statement().len() <= bytes_max);
                assert_eq!(literals.statement().split(|&byte| byte == b'(').count() - 1, count);
                rest = &rest[taken..];
                rows += count;
            }
            assert_eq!(rows, 50);
        }
    }
}
