//! Buffers inside [`Values`]: a fill asks for the kind it makes and gets last time's memory back.

use std::sync::Arc;

use crate::{Codes, ColumnData, Strings, Values};

/// One method per kind of plain values: the buffer, emptied, of that kind whatever it held before.
macro_rules! buffers {
    ($($(#[$doc:meta])* $name:ident: $variant:ident($kind:ty);)*) => {
        impl Values {
            $(
                $(#[$doc])*
                #[inline]
                pub fn $name(&mut self) -> &mut $kind {
                    if !matches!(self, Values::$variant(_)) {
                        *self = Values::$variant(<$kind>::default());
                    }
                    let Values::$variant(buffer) = self else { unreachable!("it was just set") };
                    buffer.clear();
                    buffer
                }
            )*
        }
    };
}

buffers! {
    /// Makes this an empty column of booleans and keeps the memory.
    bools: Bool(Vec<bool>);
    /// Makes this an empty column of integers and keeps the memory.
    ///
    /// ```
    /// use rowstorm_gen::{Rows, Values};
    ///
    /// let mut values = Values::default();
    /// Rows::Run(3..6).map_into(values.ints(), |row| row as i64 * 10);
    /// assert!(matches!(values, Values::Int(ints) if ints == [30, 40, 50]));
    /// ```
    ints: Int(Vec<i64>);
    /// Makes this an empty column of floats and keeps the memory.
    floats: Float(Vec<f64>);
    /// Makes this an empty column of texts and keeps the memory.
    texts: Text(Strings);
    /// Makes this an empty column of byte strings and keeps the memory.
    byte_strings: Bytes(Strings);
    /// Makes this an empty column of instants and keeps the memory.
    timestamps: Timestamp(Vec<i64>);
    /// Makes this an empty column of UUIDs and keeps the memory.
    uuids: Uuid(Vec<[u8; 16]>);
    /// Makes this an empty column of JSON documents and keeps the memory.
    documents: Json(Strings);
}

impl Values {
    /// Makes this an empty column of decimals with this scale and keeps the memory.
    pub fn decimals(&mut self, scale: u8) -> &mut Vec<i128> {
        if let Values::Decimal { scale: old, .. } = self {
            *old = scale;
        } else {
            *self = Values::Decimal { unscaled: Vec::new(), scale };
        }
        let Values::Decimal { unscaled, .. } = self else { unreachable!("it was just set") };
        unscaled.clear();
        unscaled
    }

    /// Makes this a column of integers that holds what it held: for fills that overwrite every place.
    #[inline]
    pub(crate) fn ints_as_left(&mut self) -> &mut Vec<i64> {
        if !matches!(self, Values::Int(_)) {
            *self = Values::Int(Vec::new());
        }
        let Values::Int(buffer) = self else { unreachable!("it was just set") };
        buffer
    }

    /// Makes this an empty column of codes into these entries and keeps the memory.
    pub(crate) fn codes(&mut self, entries: &Arc<ColumnData>) -> &mut Vec<u32> {
        let fits = matches!(self, Values::Dictionary { codes: Codes::Own(_), entries: old }
            if Arc::ptr_eq(old, entries));
        if !fits {
            let codes = Codes::Own(Vec::new());
            *self = Values::Dictionary { codes, entries: Arc::clone(entries) };
        }
        let Values::Dictionary { codes: Codes::Own(codes), .. } = self else {
            unreachable!("it was just set")
        };
        codes.clear();
        codes
    }

    /// How many values there are; of a column that reads the batch's series codes, how many entries.
    pub fn len(&self) -> usize {
        match self {
            Values::Bool(values) => values.len(),
            Values::Int(values) | Values::Timestamp(values) => values.len(),
            Values::Float(values) => values.len(),
            Values::Decimal { unscaled, .. } => unscaled.len(),
            Values::Text(values) | Values::Bytes(values) | Values::Json(values) => values.len(),
            Values::Uuid(values) => values.len(),
            Values::Dictionary { codes: Codes::Own(codes), .. } => codes.len(),
            Values::Dictionary { codes: Codes::Series, entries } => entries.values.len(),
            Values::Object(fields) => fields.first().map_or(0, |(_, field)| field.values.len()),
            Values::Array { offsets, .. } => offsets.len().saturating_sub(1),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same values without a dictionary: entry `codes[i]` at `i`. Nested values stay as they are.
    pub(crate) fn gather(&self, codes: &[u32]) -> Values {
        fn pick<T: Copy>(values: &[T], codes: &[u32]) -> Vec<T> {
            codes.iter().map(|code| values[*code as usize]).collect()
        }
        let strings = |values: &Strings| {
            let mut picked = Strings::default();
            for code in codes {
                picked.push(values.get(*code as usize));
            }
            picked
        };
        match self {
            Values::Bool(values) => Values::Bool(pick(values, codes)),
            Values::Int(values) => Values::Int(pick(values, codes)),
            Values::Float(values) => Values::Float(pick(values, codes)),
            Values::Decimal { unscaled, scale } => {
                Values::Decimal { unscaled: pick(unscaled, codes), scale: *scale }
            }
            Values::Text(values) => Values::Text(strings(values)),
            Values::Bytes(values) => Values::Bytes(strings(values)),
            Values::Timestamp(values) => Values::Timestamp(pick(values, codes)),
            Values::Uuid(values) => Values::Uuid(pick(values, codes)),
            Values::Json(values) => Values::Json(strings(values)),
            Values::Dictionary { .. } | Values::Object(_) | Values::Array { .. } => {
                unreachable!("the entries of a dictionary are scalars")
            }
        }
    }
}
