//! One generator of the document made a fill.

use std::sync::Arc;

use indexmap::IndexMap;
use rowstorm_schema::{
    ArraySpec, Choices, ClockSpec, Column, DataType, Fake, Generator, Literal, RefSpec, Skew,
    StatesSpec, Template, TemplatePart, TextSpec, Uuid7Spec, WalkSpec, parse_instant,
};

use super::column::{Scope, dictionary};
use super::{Compiler, invalid, literal, numbers};
use crate::fill::{
    Array, Clock, Draw, Machine, Object, Part, Pick, Pieces, Reference, Shape, Skewed, Spread,
    TemplateText, TextPool, UuidForm, UuidV4, UuidV7, Walk, Zipf, ZipfRanks, fake_entries,
};
use crate::rule::{Nulls, Rule};
use crate::{ColumnData, Fill, Permutation, PlanError, Storage, Stream, Values};

/// Where clocks and time-ordered UUIDs start unless said: 2026-01-01T00:00:00Z.
const START_US: i64 = 1_767_225_600_000_000;

/// A fill, and the entries that its codes name, if it makes codes.
pub(super) struct Made {
    pub(super) fill: Arc<dyn Fill>,
    pub(super) entries: Option<Arc<ColumnData>>,
}

impl Made {
    pub(super) fn plain(fill: Arc<dyn Fill>) -> Made {
        Made { fill, entries: None }
    }
}

impl<'a> Compiler<'a> {
    /// The fill of a generator.
    pub(super) fn generator(
        &mut self,
        scope: &Scope<'a>,
        data_type: DataType,
        generator: &'a Generator,
        stream: Stream,
    ) -> Result<Made, PlanError> {
        if !generator.fits(data_type) {
            return Err(numbers::misfit(scope, generator.name(), data_type));
        }
        let number = |min, max| numbers::number(scope, data_type, min, max);
        let spread = |shape, min, max| -> Result<Made, PlanError> {
            Ok(Made::plain(Arc::new(Spread { shape, number: number(min, max)? })))
        };
        match generator {
            Generator::Sequence(spec) => numbers::sequence(scope, data_type, spec),
            Generator::Uniform(range) => numbers::uniform(scope, data_type, range),
            Generator::Normal(spec) => {
                let shape = Shape::Normal { mean: spec.mean, stdev: spec.stdev };
                spread(shape, spec.min, spec.max)
            }
            Generator::LogNormal(spec) => {
                let shape = Shape::LogNormal { median: spec.median, sigma: spec.sigma };
                spread(shape, spec.min, spec.max)
            }
            Generator::Exponential { mean } => {
                spread(Shape::Exponential { mean: *mean }, None, None)
            }
            Generator::Zipf(spec) => {
                check_zipf(scope, spec.n, spec.exponent)?;
                let law = Zipf::new(spec.n, spec.exponent);
                Ok(Made::plain(Arc::new(ZipfRanks { law, number: number(None, None)? })))
            }
            Generator::OneOf(choices) => one_of(scope, data_type, choices),
            Generator::Template(text) => self.template(scope, text),
            Generator::States(spec) => {
                let machine = machine(&scope.place, data_type, spec)?;
                let entries = Some(Arc::clone(&machine.entries));
                Ok(Made { fill: Arc::new(machine), entries })
            }
            Generator::Text(spec) => text(scope, data_type, spec, stream),
            Generator::Fake(kind) => fake(scope, data_type, *kind, stream),
            Generator::Clock(spec) => clock(scope, spec),
            Generator::Now => {
                Ok(dictionary(Values::Timestamp(vec![self.options.epoch_us]), Pick::Only))
            }
            Generator::Constant(value) => {
                let value = literal::values(std::slice::from_ref(value), data_type);
                Ok(dictionary(value.map_err(|wrong| scope.invalid(wrong))?, Pick::Only))
            }
            Generator::UuidV4 => Ok(Made::plain(Arc::new(UuidV4(form(data_type))))),
            Generator::UuidV7(spec) => uuid_v7(scope, data_type, spec),
            Generator::Ref(spec) => self.reference(scope, data_type, spec, stream),
            Generator::Object(fields) => self.object(scope, fields, stream),
            Generator::Array(spec) => self.array(scope, spec, stream),
            Generator::Walk(spec) => walk(scope, data_type, spec),
        }
    }

    fn template(&mut self, scope: &Scope<'a>, text: &str) -> Result<Made, PlanError> {
        let (mut sources, mut reals) = (Vec::new(), Vec::new());
        let parts = template_parts(&scope.place, text, |name| {
            if scope.per_row > 1 {
                return Err(scope.invalid("an array's item cannot read columns"));
            }
            let (rule, data_type) = self.source(scope, name)?;
            sources.push(rule);
            reals.push(data_type == DataType::Float { double: false });
            Ok(())
        })?;
        let (entities, per_row) = (scope.entities, scope.per_row);
        let pieces = Pieces { parts, reals, entities, per_row };
        Ok(Made::plain(Arc::new(TemplateText { pieces, sources })))
    }

    fn source(&mut self, scope: &Scope<'a>, name: &str) -> Result<(Rule, DataType), PlanError> {
        let column = self.column(scope.table, name)?;
        match column.data_type {
            DataType::Object | DataType::Array => {
                Err(scope
                    .invalid(format!("`{{{name}}}` of type `{}` has no text", column.data_type)))
            }
            data_type @ (DataType::Bool
            | DataType::Int(_)
            | DataType::Float { .. }
            | DataType::Decimal { .. }
            | DataType::Text { .. }
            | DataType::Bytes
            | DataType::Timestamp
            | DataType::Uuid
            | DataType::Json) => Ok((column.rule, data_type)),
        }
    }

    fn reference(
        &mut self,
        scope: &Scope<'a>,
        data_type: DataType,
        spec: &'a RefSpec,
        stream: Stream,
    ) -> Result<Made, PlanError> {
        let Some((name, table)) = self.schema.tables.get_key_value(&spec.table) else {
            return Err(scope.invalid(format!("there is no table `{}`", spec.table)));
        };
        let ((Some(column), _) | (None, [column])) = (&spec.column, table.key.as_slice()) else {
            let problem = format!("name the `column` of `{name}`: its key is not one column");
            return Err(scope.invalid(problem));
        };
        let parent = self.column(name, column)?;
        if parent.nulls > 0.0 {
            return Err(scope.invalid(format!("`{name}.{column}` has nulls; refer to a key")));
        }
        if std::mem::discriminant(&parent.data_type) != std::mem::discriminant(&data_type) {
            let problem = format!("`{name}.{column}` is `{}`, not `{data_type}`", parent.data_type);
            return Err(scope.invalid(problem));
        }
        let rows = match self.rows_of(name) {
            Some(0) if scope.rows != Some(0) => {
                return Err(
                    scope.invalid(format!("`{name}` has no rows to refer to; give it more"))
                );
            }
            // Without rows on either side nothing is ever drawn.
            Some(rows) => rows.max(1),
            None => {
                return Err(scope.invalid(format!(
                    "`{name}` is open-ended, so there is nothing to pick from; give it `preload`, or the run `rows`"
                )));
            }
        };
        let skewed = match spec.skew {
            None | Some(Skew::Uniform) => None,
            Some(Skew::Zipf(exponent)) => {
                check_zipf(scope, rows, exponent)?;
                let shuffle = Permutation::new(rows, stream.named("#shuffle").key());
                Some(Skewed { law: Zipf::new(rows, exponent), shuffle })
            }
        };
        let entries = match parent.storage {
            Storage::Plain => None,
            Storage::Dictionary(entries) | Storage::Series(entries) => Some(entries),
        };
        let fill = Arc::new(Reference { parent: parent.rule, rows, skewed });
        Ok(Made { fill, entries })
    }

    fn object(
        &mut self,
        scope: &Scope<'a>,
        fields: &'a IndexMap<String, Column>,
        stream: Stream,
    ) -> Result<Made, PlanError> {
        let fields = fields
            .iter()
            .map(|(name, field)| {
                let place = format!("{}.{name}", scope.place);
                let scope = Scope { place, unique: false, ..scope.clone() };
                let stream = stream.named(name);
                let made = self.generator(&scope, field.data_type, &field.generator, stream)?;
                let nulls = Nulls::new(stream, field.nulls);
                Ok((name.as_str().into(), Rule { stream, fill: made.fill, nulls }))
            })
            .collect::<Result<Vec<_>, PlanError>>()?;
        Ok(Made::plain(Arc::new(Object { fields })))
    }

    fn array(
        &mut self,
        scope: &Scope<'a>,
        spec: &'a ArraySpec,
        stream: Stream,
    ) -> Result<Made, PlanError> {
        if spec.min > spec.max {
            return Err(scope.invalid(format!("min {} is above max {}", spec.min, spec.max)));
        }
        let scope = Scope {
            place: format!("{}[]", scope.place),
            rows: None,
            per_row: scope.per_row.saturating_mul(u64::from(spec.max.max(1))),
            unique: false,
            ..scope.clone()
        };
        let stream = stream.named("#items");
        let made = self.generator(&scope, spec.data_type, &spec.generator, stream)?;
        let items = Rule { stream, fill: made.fill, nulls: Nulls::new(stream, spec.nulls) };
        Ok(Made::plain(Arc::new(Array { items, min: spec.min, max: spec.max })))
    }
}

/// A template's parts; calls `source` with every column that it reads, once and in order: the columns of
/// [`Part::Source`].
pub(crate) fn template_parts(
    place: &str,
    text: &str,
    mut source: impl FnMut(&str) -> Result<(), PlanError>,
) -> Result<Vec<Part>, PlanError> {
    let template: Template =
        text.parse().map_err(|error| invalid(place, format!("{text}: {error}")))?;
    let mut names: Vec<String> = Vec::new();
    let mut draw = 0;
    let mut parts = Vec::with_capacity(template.parts.len());
    for part in template.parts {
        parts.push(match part {
            TemplatePart::Text(text) => Part::Text(text.into_bytes().into()),
            TemplatePart::Column(name) => {
                let known = names.iter().position(|known| *known == name);
                if known.is_none() {
                    source(&name)?;
                    names.push(name);
                }
                Part::Source(known.unwrap_or(names.len() - 1))
            }
            TemplatePart::Range { low, high } => {
                draw += 1;
                Part::Range { low, most: high.wrapping_sub(low) as u64, draw: draw - 1 }
            }
            TemplatePart::Row => Part::Row,
            TemplatePart::Series => Part::Series,
        });
    }
    Ok(parts)
}

fn check_zipf(scope: &Scope<'_>, n: u64, exponent: f64) -> Result<(), PlanError> {
    if n == 0 || n > i64::MAX as u64 || !exponent.is_finite() || exponent <= 0.0 {
        let problem = format!("ranks are 1 to 2^63 and exponents above 0, not {n} and {exponent}");
        return Err(scope.invalid(problem));
    }
    Ok(())
}

fn one_of(scope: &Scope<'_>, data_type: DataType, choices: &Choices) -> Result<Made, PlanError> {
    let (literals, pick) = match choices {
        Choices::Alike(values) => (values.clone(), Pick::Alike),
        Choices::Weighted(weights) => {
            let shares: Vec<f64> = weights.values().copied().collect();
            if !shares.iter().all(|weight| weight.is_finite() && *weight > 0.0) {
                return Err(scope.invalid("a weight is a number above 0"));
            }
            let values = weights.keys().map(|key| Literal::Text(key.clone())).collect();
            (values, Pick::weighted(&shares))
        }
    };
    if literals.is_empty() {
        return Err(scope.invalid("there is nothing to choose from"));
    }
    let entries = literal::values(&literals, data_type).map_err(|wrong| scope.invalid(wrong))?;
    Ok(dictionary(entries, pick))
}

/// The machine of a column's states.
pub(crate) fn machine(
    place: &str,
    data_type: DataType,
    spec: &StatesSpec,
) -> Result<Machine, PlanError> {
    let names = spec.names();
    let literals: Vec<Literal> = names.iter().map(|name| Literal::Text(name.clone())).collect();
    let values = literal::values(&literals, data_type).map_err(|wrong| invalid(place, wrong))?;
    let draw = |states: Vec<(String, f64)>| -> Result<Option<Draw>, PlanError> {
        let (states, weights): (Vec<String>, Vec<f64>) = states.into_iter().unzip();
        if !weights.iter().all(|weight| weight.is_finite() && *weight > 0.0) {
            return Err(invalid(place, "a weight is a number above 0"));
        }
        let places = states.iter().filter_map(|state| names.iter().position(|name| name == state));
        let places: Vec<u32> = places.map(|place| place as u32).collect();
        Ok((!places.is_empty()).then(|| Draw::new(places, &weights)))
    };
    let Some(starts) = draw(spec.starts())? else {
        return Err(invalid(place, "there is no state to start with"));
    };
    if let Some(state) = spec.choice_in_circle() {
        let problem = format!("rows come back to `{state}`, where they have a choice");
        return Err(invalid(place, problem));
    }
    let next = names.iter().map(|name| draw(spec.after(name))).collect::<Result<Vec<_>, _>>()?;
    Ok(Machine::new(Arc::new(ColumnData { values, valid: None }), starts, next))
}

fn text(
    scope: &Scope<'_>,
    data_type: DataType,
    spec: &TextSpec,
    stream: Stream,
) -> Result<Made, PlanError> {
    let lengths = match (spec.bytes, spec.min, spec.max) {
        (Some(bytes), None, None) => (bytes, bytes),
        (None, Some(min), Some(max)) if min <= max => (min, max),
        (_, _, _) => {
            return Err(scope.invalid("give the length as `bytes`, or as `min` and `max`"));
        }
    };
    let alphabet = spec.alphabet.as_deref();
    if alphabet.is_some_and(|alphabet| alphabet.is_empty() || !alphabet.is_ascii()) {
        return Err(scope.invalid("an alphabet is ASCII characters, at least one"));
    }
    let entropy = spec.entropy.unwrap_or(1.0);
    Ok(Made::plain(Arc::new(TextPool::new(stream, data_type, lengths, entropy, alphabet))))
}

fn fake(
    scope: &Scope<'_>,
    data_type: DataType,
    kind: Fake,
    stream: Stream,
) -> Result<Made, PlanError> {
    let DataType::Text { max } = data_type else {
        return Err(numbers::misfit(scope, "fake", data_type));
    };
    let entries = fake_entries(stream, kind, max);
    if entries.is_empty() {
        return Err(scope.invalid(format!("no word of this list fits `{data_type}`")));
    }
    Ok(dictionary(Values::Text(entries), Pick::Alike))
}

fn clock(scope: &Scope<'_>, spec: &ClockSpec) -> Result<Made, PlanError> {
    let start_us = start(scope, spec.start.as_deref())?;
    let micros = |span: std::time::Duration| {
        i64::try_from(span.as_micros()).map_err(|_| scope.invalid("a span beyond 292,000 years"))
    };
    let step_us = micros(spec.step.0)?;
    let jitter_us = spec.jitter.map_or(Ok(0), |jitter| micros(jitter.0))? as u64;
    if let Some(rows) = scope.rows {
        let last = i128::from(start_us)
            + i128::from(step_us) * i128::from(rows / scope.entities)
            + i128::from(jitter_us);
        if last > i128::from(i64::MAX) {
            return Err(scope.invalid("the last row's instant is beyond the year 294,000"));
        }
    }
    Ok(Made::plain(Arc::new(Clock { start_us, step_us, jitter_us, entities: scope.entities })))
}

fn start(scope: &Scope<'_>, text: Option<&str>) -> Result<i64, PlanError> {
    text.map_or(Ok(START_US), |text| {
        parse_instant(text).map_err(|error| scope.invalid(error.to_string()))
    })
}

fn form(data_type: DataType) -> UuidForm {
    if data_type == DataType::Uuid { UuidForm::Binary } else { UuidForm::Text }
}

fn uuid_v7(scope: &Scope<'_>, data_type: DataType, spec: &Uuid7Spec) -> Result<Made, PlanError> {
    let start_ms = u64::try_from(start(scope, spec.start.as_deref())?.div_euclid(1000))
        .map_err(|_| scope.invalid("a version 7 UUID starts in 1970 or later"))?;
    if scope.rows.is_some_and(|rows| start_ms.saturating_add(rows) >= 1 << 48) {
        return Err(scope.invalid("a version 7 UUID counts to 2^48 milliseconds"));
    }
    Ok(Made::plain(Arc::new(UuidV7 { start_ms, form: form(data_type) })))
}

fn walk(scope: &Scope<'_>, data_type: DataType, spec: &WalkSpec) -> Result<Made, PlanError> {
    let number = |min, max| crate::fill::Number::new(data_type, min, max);
    let walk = Walk::new(spec, scope.entities, number).ok_or_else(|| {
        scope.invalid(format!("`{data_type}` has no number between the walk's min and max"))
    })?;
    Ok(Made::plain(Arc::new(walk)))
}
