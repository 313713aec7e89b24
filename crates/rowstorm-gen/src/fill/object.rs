//! Named fields, each with a rule of its own.

use std::sync::Arc;

use crate::rule::Rule;
use crate::{ColumnData, Fill, Rows, Stream, Values};

/// Fields side by side.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) fields: Vec<(Arc<str>, Rule)>,
}

impl Fill for Object {
    fn fill(&self, _stream: Stream, rows: Rows<'_>, out: &mut Values) {
        let fits = matches!(&*out, Values::Object(fields)
            if fields.len() == self.fields.len()
                && fields.iter().zip(&self.fields).all(|((name, _), (own, _))| name == own));
        if !fits {
            let empty = |(name, _): &(Arc<str>, Rule)| (Arc::clone(name), ColumnData::default());
            *out = Values::Object(self.fields.iter().map(empty).collect());
        }
        let Values::Object(fields) = out else { unreachable!("it was just set") };
        for ((_, rule), (_, column)) in self.fields.iter().zip(fields) {
            rule.fill(&rows, column);
        }
    }
}
