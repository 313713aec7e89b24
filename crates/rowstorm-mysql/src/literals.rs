//! Lines as the literals of `INSERT`: a cell's escapes mean the same in both, so that text only needs its quotes.

use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_schema::DataType;

use crate::dialect;
use crate::types::Cell;

/// Larger statements gain nothing: the server is as fast from 1,000 rows on, and slower from 50,000.
const STATEMENT_BYTES_MAX: usize = 1 << 20;
/// What a packet holds beside the statement.
const PACKET_REST_BYTES: usize = 1 << 10;

/// Makes statements of lines, one after another in the same memory.
#[derive(Debug)]
pub(crate) struct Literals {
    opening: String,
    quotes: Vec<Quotes>,
    statement: Vec<u8>,
    bytes_max: usize,
}

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
        let quotes = |column: &ColumnPlan| match (Cell::of(column), column.data_type) {
            (Cell::Hex, _) => Quotes::Hex,
            (Cell::Plain, DataType::Bool | DataType::Int(_) | DataType::Decimal { .. }) => {
                Quotes::None
            }
            // A float may be NaN, which is no literal: as text it is refused like any other value that is none.
            (Cell::Plain, _) => Quotes::Text,
        };
        Literals {
            opening: dialect::insert(table, name),
            quotes: table.columns.iter().map(quotes).collect(),
            statement: Vec::new(),
            bytes_max: packet_bytes.saturating_sub(PACKET_REST_BYTES).min(STATEMENT_BYTES_MAX),
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
        for (place, (cell, quotes)) in
            line.split(|&byte| byte == b'\t').zip(&self.quotes).enumerate()
        {
            if place > 0 {
                self.statement.push(b',');
            }
            match quotes {
                _ if cell == b"\\N" => self.statement.extend_from_slice(b"NULL"),
                Quotes::None => self.statement.extend_from_slice(cell),
                Quotes::Hex => {
                    self.statement.extend_from_slice(b"x'");
                    self.statement.extend_from_slice(cell);
                    self.statement.push(b'\'');
                }
                Quotes::Text => {
                    self.statement.push(b'\'');
                    for (place, part) in cell.split(|&byte| byte == b'\'').enumerate() {
                        if place > 0 {
                            self.statement.extend_from_slice(b"''");
                        }
                        self.statement.extend_from_slice(part);
                    }
                    self.statement.push(b'\'');
                }
            }
        }
        self.statement.push(b')');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(bytes_max: usize) -> Literals {
        let quotes = vec![Quotes::None, Quotes::Text, Quotes::Hex];
        Literals { opening: "INSERT ".into(), quotes, statement: Vec::new(), bytes_max }
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
