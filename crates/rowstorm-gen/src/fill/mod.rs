//! The rule of a column: one dynamic call per column and batch. One file per family of generators.

mod alias;
mod array;
mod below;
mod checked;
mod choice;
mod clock;
mod fake;
mod level;
mod normal;
mod number;
mod object;
mod reference;
mod sequence;
mod series;
mod spread;
mod states;
mod template;
mod text;
mod uniform;
mod uuid;
mod walk;
mod zipf;

use std::fmt::Debug;

pub(crate) use array::Array;
pub(crate) use checked::{Checked, is_of};
pub(crate) use choice::{Choice, Pick};
pub(crate) use clock::Clock;
pub(crate) use fake::entries as fake_entries;
pub(crate) use level::LevelNumber;
pub(crate) use number::Number;
pub(crate) use object::Object;
pub(crate) use reference::{Reference, Skewed};
pub(crate) use sequence::Sequence;
pub(crate) use series::{SeriesComputed, SeriesEntries};
pub(crate) use spread::{Shape, Spread};
pub(crate) use states::{Draw, Machine};
pub(crate) use template::{Part, Pieces, TemplateText};
pub(crate) use text::TextPool;
pub(crate) use uniform::{Uniform, UniformRange};
pub(crate) use uuid::{UuidForm, UuidV4, UuidV7};
pub(crate) use walk::Walk;
pub(crate) use zipf::{Zipf, ZipfRanks};

use crate::{Rows, Stream, Values};

/// A rule that makes a column's values: each a pure function of the stream and the row.
///
/// A fill clears `out`, keeps its memory, and leaves exactly `rows.len()` values of one kind in it. It may be called
/// for any rows, in any order, from any thread, and always gives the same value for the same row.
///
/// ```
/// use rowstorm_gen::{Fill, Rows, Stream, Values};
///
/// /// Checksums as some old system wrote them.
/// #[derive(Debug)]
/// struct Mod97;
///
/// impl Fill for Mod97 {
///     fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
///         rows.map_into(out.ints(), |row| (stream.at(row).below(1_000) * 97) as i64);
///     }
/// }
///
/// let (stream, mut all, mut one) = (Stream::new(7), Values::default(), Values::default());
/// Mod97.fill(stream, Rows::Run(0..10), &mut all);
/// Mod97.fill(stream, Rows::Picked(&[4]), &mut one);
/// let (Values::Int(all), Values::Int(one)) = (all, one) else { unreachable!() };
/// assert_eq!(all[4], one[0]);
/// ```
pub trait Fill: Debug + Send + Sync {
    /// Fills `out` with the values of `rows`.
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values);
}
