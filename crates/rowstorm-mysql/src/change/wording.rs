//! Changes as statements of literals. Pure.
//!
//! Several rows are updated by `CASE key WHEN … THEN … END` and found by `key IN (…)`. A join with `VALUES` is what the manuals
//! recommend; measured on both servers, with 1 to 256 rows of a table with a bigint key, it never cost the server less, and cost
//! MariaDB, which needs a common table expression for it, 3 to 7 times as much. Nor has a derived table's text the collation of the
//! key that it is compared with, so that no index would be used.

use std::ops::Range;

use mysql_async::Value;
use rowstorm_gen::changes::OpKind;
use rowstorm_sink::Statement;
use rowstorm_sink::sql::{QueryPart, worded};

use crate::dialect::{NAMES, quote, table_name};
use crate::literals::Cells;

/// A row's `CASE` is looked for among those of its statement one by one.
const CASES_MAX: usize = 128;
/// Rows of any other statement: more gain nothing.
const ROWS_MAX: usize = 1024;

/// How the statements of one entry of the mix are worded.
#[derive(Debug)]
pub(crate) struct Wording {
    kind: OpKind,
    table: String,
    /// The names of the columns that travel, quoted.
    names: Vec<String>,
    /// All columns, for an insert.
    all: String,
    /// How many of the first columns find a row.
    keys: usize,
    cells: Cells,
}

/// Encoded lines, cut into cells.
#[derive(Debug)]
pub(super) struct Grid<'a> {
    cells: Vec<&'a [u8]>,
    columns: usize,
}

impl<'a> Grid<'a> {
    /// Cuts lines of so many cells.
    pub(super) fn new(lines: &'a [u8], columns: usize) -> Grid<'a> {
        let lines = lines.split_inclusive(|&byte| byte == b'\n');
        let cells =
            lines.flat_map(|line| line[..line.len() - 1].split(|&byte| byte == b'\t')).collect();
        Grid { cells, columns }
    }

    pub(super) fn rows(&self) -> usize {
        self.cells.len() / self.columns
    }

    /// The cells of some columns of a row, told apart by their bytes.
    pub(super) fn key(&self, row: usize, columns: &[usize]) -> Vec<u8> {
        let cells = self.row(row);
        columns.iter().map(|&column| cells[column]).collect::<Vec<_>>().join(&b'\t')
    }

    fn row(&self, row: usize) -> &[&'a [u8]] {
        &self.cells[row * self.columns..(row + 1) * self.columns]
    }
}

impl Wording {
    pub(super) fn new(statement: &Statement) -> Wording {
        let name = |place: usize| quote(&statement.table.columns[place].name);
        Wording {
            kind: statement.kind,
            table: table_name(&statement.table),
            names: statement.places().into_iter().map(name).collect(),
            all: NAMES.columns(&statement.table),
            keys: statement.keys(),
            cells: Cells::of(&statement.columns),
        }
    }

    /// The same for another table of the same columns.
    pub(super) fn into_table(self, name: String) -> Wording {
        Wording { table: name, ..self }
    }

    /// The statement for two rows, with placeholders.
    pub(crate) fn explain(statement: &Statement) -> String {
        if statement.query.is_some() {
            let parts = super::query::parts(statement);
            return parts
                .map_or_else(|error| error.message, |parts| worded(&parts, |_| "?".into()));
        }
        let rows = Wording::new(statement).rows_max().min(2);
        Wording::placeholders(statement, rows)
    }

    /// The statement for so many rows, with placeholders.
    pub(super) fn placeholders(statement: &Statement, rows: usize) -> String {
        let columns = statement.columns.columns.len();
        let wording = Wording { cells: Cells::plain(columns), ..Wording::new(statement) };
        let grid = Grid { cells: vec![b"?"; rows * columns], columns };
        let mut text = Vec::new();
        wording.write(&grid, 0..rows, &mut text);
        String::from_utf8_lossy(&text).trim_end_matches(';').to_owned()
    }

    /// The values of one row for the placeholders of an update: those that are set, then those that find it. `None` if one is null.
    pub(super) fn parameters(&self, grid: &Grid<'_>) -> Option<Vec<Value>> {
        let cells = grid.row(0);
        let places = (self.keys..self.columns()).chain(0..self.keys);
        places.map(|place| self.cells.value(place, cells[place], place < self.keys)).collect()
    }

    /// What is done.
    pub(super) fn kind(&self) -> OpKind {
        self.kind
    }

    /// How many columns travel.
    pub(super) fn columns(&self) -> usize {
        self.names.len()
    }

    /// How many rows one statement has.
    pub(super) fn rows_max(&self) -> usize {
        match self.kind {
            // A column that is set is read as set by what is right of it: of a key of several columns only literals can be set.
            OpKind::Rekey if self.keys > 1 => 1,
            OpKind::Insert | OpKind::Delete | OpKind::Read if self.keys <= 1 => ROWS_MAX,
            OpKind::Insert | OpKind::Delete | OpKind::Read | OpKind::Update | OpKind::Rekey => {
                CASES_MAX
            }
        }
    }

    /// Whether the server might leave the end of a text out with no more than a note.
    pub(super) fn may_be_cut(&self, grid: &Grid<'_>) -> bool {
        (self.keys..self.columns()).any(|column| {
            (0..grid.rows()).any(|row| self.cells.ends_in_space(column, grid.row(row)[column]))
        })
    }

    /// Appends the statement for some rows, with a semicolon.
    pub(super) fn write(&self, grid: &Grid<'_>, rows: Range<usize>, out: &mut Vec<u8>) {
        match self.kind {
            OpKind::Insert => {
                put(&["INSERT INTO ", &self.table, " (", &self.all, ") VALUES "], out);
                for row in rows {
                    self.tuple(grid.row(row), out);
                    out.push(b',');
                }
                out.pop();
                return out.push(b';');
            }
            OpKind::Update | OpKind::Rekey => {
                put(&["UPDATE ", &self.table, " SET "], out);
                for column in self.keys..self.names.len() {
                    put(&[&self.names[column], "="], out);
                    self.choice(grid, &rows, column, out);
                    out.push(b',');
                }
                out.pop();
            }
            OpKind::Delete => put(&["DELETE FROM ", &self.table], out),
            OpKind::Read => put(&["SELECT * FROM ", &self.table], out),
        }
        out.extend_from_slice(b" WHERE ");
        self.find(grid, rows, out);
        out.push(b';');
    }

    /// Appends a statement that takes a row of a rekey away if there is one under its new key, too: a replay's own insert
    /// has made it once more.
    pub(super) fn unmake(&self, grid: &Grid<'_>, row: usize, out: &mut Vec<u8>) {
        let cells = grid.row(row);
        put(&["DELETE a FROM ", &self.table, " a JOIN ", &self.table, " b ON "], out);
        for (column, cell) in cells.iter().enumerate() {
            let side = if column < self.keys { "a." } else { " AND b." };
            if (1..self.keys).contains(&column) {
                out.extend_from_slice(b" AND ");
            }
            put(&[side, &self.names[column], "="], out);
            self.cells.write(column, cell, out);
        }
        out.push(b';');
    }

    /// Appends a query's words, with the cells of the one row as literals.
    pub(super) fn ask(row: Option<(&Wording, &Grid<'_>)>, parts: &[QueryPart], out: &mut Vec<u8>) {
        for part in parts {
            match (part, row) {
                (QueryPart::Text(text), _) => out.extend_from_slice(text.as_bytes()),
                (QueryPart::Parameter(at), Some((wording, grid))) => {
                    wording.cells.write(*at, grid.row(0)[*at], out);
                }
                (QueryPart::Parameter(_), None) => unreachable!("a parameter is a column"),
            }
        }
    }

    /// A column's value for each of some rows.
    fn choice(&self, grid: &Grid<'_>, rows: &Range<usize>, column: usize, out: &mut Vec<u8>) {
        if rows.len() == 1 {
            return self.cells.write(column, grid.row(rows.start)[column], out);
        }
        out.extend_from_slice(b"CASE");
        if self.keys == 1 {
            put(&[" ", &self.names[0]], out);
        }
        for row in rows.clone() {
            let cells = grid.row(row);
            out.extend_from_slice(b" WHEN ");
            if self.keys == 1 {
                self.cells.write(0, cells[0], out);
            } else {
                self.equal(cells, out);
            }
            out.extend_from_slice(b" THEN ");
            self.cells.write(column, cells[column], out);
        }
        out.extend_from_slice(b" END");
    }

    /// What holds for some rows alone.
    fn find(&self, grid: &Grid<'_>, rows: Range<usize>, out: &mut Vec<u8>) {
        if rows.len() == 1 {
            return self.equal(grid.row(rows.start), out);
        }
        if self.keys == 1 {
            put(&[&self.names[0], " IN ("], out);
            for row in rows {
                self.cells.write(0, grid.row(row)[0], out);
                out.push(b',');
            }
            out.pop();
            return out.push(b')');
        }
        for row in rows.clone() {
            if row > rows.start {
                out.extend_from_slice(b" OR ");
            }
            out.push(b'(');
            self.equal(grid.row(row), out);
            out.push(b')');
        }
    }

    /// What holds for one row alone.
    fn equal(&self, cells: &[&[u8]], out: &mut Vec<u8>) {
        for (column, cell) in cells[..self.keys].iter().enumerate() {
            put(&[if column > 0 { " AND " } else { "" }, &self.names[column], "="], out);
            self.cells.write(column, cell, out);
        }
    }

    fn tuple(&self, cells: &[&[u8]], out: &mut Vec<u8>) {
        out.push(b'(');
        for (column, cell) in cells.iter().enumerate() {
            if column > 0 {
                out.push(b',');
            }
            self.cells.write(column, cell, out);
        }
        out.push(b')');
    }
}

fn put(parts: &[&str], out: &mut Vec<u8>) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use rowstorm_gen::changes::ChangePlan;
    use rowstorm_gen::schema::{Format, Schema};
    use rowstorm_gen::{Plan, PlanOptions};

    use super::*;

    fn wordings() -> Vec<(Wording, String)> {
        let text = "
version: 1
tables:
  o`ne:
    key: [id]
    preload: 10
    columns:
      id:   { type: uuid, gen: uuid_v4 }
      n:    { type: int, gen: { uniform: [0, 9] } }
      text: { type: text, gen: { one_of: [a, b] } }
  two:
    key: [a, b]
    preload: 10
    columns:
      a: { type: uuid, gen: uuid_v4 }
      b: { type: uuid, gen: uuid_v4 }
      n: { type: int, gen: { uniform: [0, 9] } }
changes:
  streams: 1
  mix:
    - { insert: o`ne, weight: 1 }
    - { update: o`ne, set: [n, text], weight: 1 }
    - { rekey: o`ne, weight: 1 }
    - { read: o`ne, weight: 1 }
    - { insert: two, weight: 1 }
    - { update: two, set: [n], weight: 1 }
    - { rekey: two, weight: 1 }
";
        let schema = Schema::parse(text, Format::Yaml, "t.yaml").expect("a schema");
        let plan = Plan::new(&schema, PlanOptions::default()).expect("a plan");
        let statements = Statement::all(&ChangePlan::new(&plan).expect("changes"));
        statements.iter().map(|one| (Wording::new(one), Wording::explain(one))).collect()
    }

    #[test]
    fn statements_of_several_rows_name_each_row_once_in_every_part() {
        let explained: Vec<String> = wordings().into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            explained,
            [
                "INSERT INTO `o``ne` (`id`, `n`, `text`) VALUES (?,?,?),(?,?,?)",
                "UPDATE `o``ne` SET `n`=CASE `id` WHEN ? THEN ? WHEN ? THEN ? END,\
                 `text`=CASE `id` WHEN ? THEN ? WHEN ? THEN ? END WHERE `id` IN (?,?)",
                "UPDATE `o``ne` SET `id`=CASE `id` WHEN ? THEN ? WHEN ? THEN ? END WHERE `id` IN (?,?)",
                "SELECT * FROM `o``ne` WHERE `id` IN (?,?)",
                "INSERT INTO `two` (`a`, `b`, `n`) VALUES (?,?,?),(?,?,?)",
                "UPDATE `two` SET `n`=CASE WHEN `a`=? AND `b`=? THEN ? WHEN `a`=? AND `b`=? THEN ? END \
                 WHERE (`a`=? AND `b`=?) OR (`a`=? AND `b`=?)",
                "UPDATE `two` SET `a`=?,`b`=? WHERE `a`=? AND `b`=?",
            ]
        );
    }

    #[test]
    fn a_row_alone_is_set_to_its_values_and_hostile_ones_stay_inside_their_quotes() {
        let lines = b"k\t7\t'; DROP TABLE x; -- \\\\ \n";
        let (update, _) = &wordings()[1];
        let (grid, mut text) = (Grid::new(lines, 3), Vec::new());
        update.write(&grid, 0..1, &mut text);
        assert_eq!(
            std::str::from_utf8(&text).unwrap(),
            "UPDATE `o``ne` SET `n`=7,`text`='''; DROP TABLE x; -- \\\\ ' WHERE `id`='k';"
        );
        assert!(update.may_be_cut(&grid), "its text ends in a space");
        let (rekey, _) = &wordings()[6];
        text.clear();
        rekey.unmake(&Grid::new(b"1\t2\t3\t4\n", 4), 0, &mut text);
        assert_eq!(
            std::str::from_utf8(&text).unwrap(),
            "DELETE a FROM `two` a JOIN `two` b ON a.`a`='1' AND a.`b`='2' AND b.`a`='3' AND b.`b`='4';"
        );
    }
}
