//! What a document must make sense of.
use crate::Schema;
use crate::document::{Node, Problems};

pub(crate) fn schema(_schema: &Schema, _root: &Node, _problems: &mut Problems) {}
