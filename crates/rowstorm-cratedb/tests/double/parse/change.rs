//! UPDATE and DELETE of rows that are found by equal columns.

use super::super::Done;
use super::{Expr, Name, Reader};

#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) name: Name,
    /// Columns and the parameters that they become, counted from 0; `None` is a DELETE.
    pub(crate) set: Option<Vec<(String, usize)>>,
    /// Columns and the parameters that they equal.
    pub(crate) found: Vec<(String, usize)>,
}

impl Reader {
    pub(super) fn update(&mut self) -> Done<Change> {
        let name = self.relation()?;
        self.expect("set")?;
        let set = self.commas(Reader::assigned)?;
        Ok(Change { name, set: Some(set), found: self.found()? })
    }

    pub(super) fn delete(&mut self) -> Done<Change> {
        self.expect("from")?;
        Ok(Change { name: self.relation()?, set: None, found: self.found()? })
    }

    fn found(&mut self) -> Done<Vec<(String, usize)>> {
        if !self.takes("where") {
            return Ok(Vec::new());
        }
        let mut found = vec![self.assigned()?];
        while self.takes("and") {
            found.push(self.assigned()?);
        }
        Ok(found)
    }

    fn assigned(&mut self) -> Done<(String, usize)> {
        let column = self.name()?;
        self.expect_mark("=")?;
        match self.primary()? {
            Expr::Parameter(number) => Ok((column, number)),
            _ => Err(self.unexpected("a parameter")),
        }
    }
}
