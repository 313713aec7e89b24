//! The boundary to fills that others wrote: as many values as rows, of the column's kind.

use std::sync::Arc;

use rowstorm_schema::DataType;

use crate::{Fill, Rows, Stream, Values};

/// Another's fill, held to its promises.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) place: String,
    pub(crate) data_type: DataType,
    pub(crate) fill: Arc<dyn Fill>,
}

impl Fill for Checked {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        let len = rows.len();
        self.fill.fill(stream, rows, out);
        assert_eq!(out.len(), len, "{}: the fill's values, and the rows it was given", self.place);
        assert!(
            is_of(out, self.data_type),
            "{}: the fill made another kind than `{}`",
            self.place,
            self.data_type
        );
    }
}

/// Whether plain values are of a type's kind.
pub(crate) fn is_of(values: &Values, data_type: DataType) -> bool {
    match (values, data_type) {
        (Values::Decimal { scale, .. }, DataType::Decimal { scale: wanted, .. }) => {
            *scale == wanted
        }
        (Values::Bool(_), DataType::Bool)
        | (Values::Int(_), DataType::Int(_))
        | (Values::Float(_), DataType::Float { .. })
        | (Values::Text(_), DataType::Text { .. })
        | (Values::Bytes(_), DataType::Bytes)
        | (Values::Timestamp(_), DataType::Timestamp)
        | (Values::Uuid(_), DataType::Uuid)
        | (Values::Json(_), DataType::Json)
        | (Values::Object(_), DataType::Object)
        | (Values::Array { .. }, DataType::Array) => true,
        (_, _) => false,
    }
}
