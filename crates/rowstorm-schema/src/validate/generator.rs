//! The settings of each generator: ranges the right way round, within their type's bounds.

use std::cmp::Ordering;

use super::column::{Scope, ratio};
use super::{Check, literal, reference, states, template};
use crate::document::Place;
use crate::limits::{CHOICES_MAX, TEXT_BYTES_MAX};
use crate::{
    Choices, DataType, Generator, Literal, SequenceSpec, TextSpec, WalkSpec, parse_instant,
};

/// Checks the settings at `place` of a generator that fits its type.
pub(super) fn check(
    check: &mut Check<'_>,
    scope: Scope<'_>,
    data_type: DataType,
    rule: &Generator,
    place: &Place,
) {
    match rule {
        Generator::Sequence(spec) => sequence(check, scope, data_type, spec, place),
        Generator::Uniform(bounds) => uniform(check, scope, data_type, bounds, place),
        Generator::Normal(spec) => {
            not_negative(check, spec.stdev, &place.key("stdev"));
            bounds(check, data_type, (spec.min, spec.max), place);
        }
        Generator::LogNormal(spec) => {
            positive(check, spec.median, &place.key("median"));
            not_negative(check, spec.sigma, &place.key("sigma"));
            bounds(check, data_type, (spec.min, spec.max), place);
        }
        Generator::Exponential { mean } => positive(check, *mean, &place.key("mean")),
        Generator::Zipf(spec) => {
            positive(check, spec.exponent, &place.key("exponent"));
            match i64::try_from(spec.n) {
                Ok(1..) => number(check, data_type, &Literal::Int(spec.n as i64), &place.key("n")),
                Ok(_) | Err(_) => check.value(&place.key("n"), "ranks are 1 to 2^63", None),
            }
        }
        Generator::OneOf(choices) => one_of(check, data_type, choices, place),
        Generator::States(spec) => states::check(check, data_type, spec, place),
        Generator::Constant(value) => number(check, data_type, value, place),
        Generator::Template(text) => template::check(check, scope, text, place),
        Generator::Text(spec) => text(check, data_type, spec, place),
        Generator::Clock(spec) => {
            instant(check, spec.start.as_deref(), &place.key("start"));
            if spec.step.0.is_zero() {
                check.value(&place.key("step"), "the clock does not move; a step is above 0", None);
            }
        }
        Generator::UuidV7(spec) => instant(check, spec.start.as_deref(), &place.key("start")),
        Generator::Ref(spec) => reference::check(check, data_type, spec, place),
        Generator::Walk(spec) => walk(check, data_type, spec, place),
        // The last two are checked with their fields and items, by the column.
        Generator::Fake(_)
        | Generator::Now
        | Generator::UuidV4
        | Generator::Object(_)
        | Generator::Array(_) => {}
    }
}

fn number(check: &mut Check<'_>, data_type: DataType, value: &Literal, place: &Place) {
    if let Some(message) = literal::misfit(value, data_type) {
        check.value(place, message, None);
    }
}

pub(super) fn positive(check: &mut Check<'_>, number: f64, place: &Place) {
    if !(number.is_finite() && number > 0.0) {
        check.value(place, format!("expected a number above 0, found {number}"), None);
    }
}

fn not_negative(check: &mut Check<'_>, number: f64, place: &Place) {
    if !(number.is_finite() && number >= 0.0) {
        check.value(place, format!("expected a number from 0, found {number}"), None);
    }
}

pub(super) fn instant(check: &mut Check<'_>, text: Option<&str>, place: &Place) {
    if let Some(Err(error)) = text.map(parse_instant) {
        check.value(place, error.to_string(), None);
    }
}

/// `min` and `max` of a distribution: in order, and within the type. `real` and `float` hold any.
fn bounds(
    check: &mut Check<'_>,
    data_type: DataType,
    (min, max): (Option<f64>, Option<f64>),
    place: &Place,
) {
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        let help = Some("put the smaller one first".to_owned());
        check.value(&place.key("min"), format!("min {min} is above max {max}"), help);
    }
    let DataType::Int(width) = data_type else { return };
    let (low, high) = width.bounds();
    for (name, bound) in [("min", min), ("max", max)] {
        let Some(bound) = bound else { continue };
        if !(low as f64..=high as f64).contains(&bound) {
            let message = format!("{bound} does not fit `{data_type}`: {low} to {high}");
            check.value(&place.key(name), message, None);
        }
    }
}

fn sequence(
    check: &mut Check<'_>,
    scope: Scope<'_>,
    data_type: DataType,
    spec: &SequenceSpec,
    place: &Place,
) {
    if spec.step == 0 {
        check.value(&place.key("step"), "a step of 0 repeats the first value", None);
    }
    number(check, data_type, &Literal::Int(spec.start), &place.key("start"));
    let Some(rows @ 1..) = scope.table.preload else { return };
    let last = i128::from(spec.start) + i128::from(spec.step) * i128::from(rows - 1);
    let fits = i64::try_from(last)
        .is_ok_and(|last| literal::misfit(&Literal::Int(last), data_type).is_none());
    if !fits {
        let message = format!("row {rows} would be {last}, which does not fit `{data_type}`");
        let help = matches!(data_type, DataType::Int(_)).then(|| "make it a `bigint`".to_owned());
        check.value(place, message, help);
    }
}

fn uniform(
    check: &mut Check<'_>,
    scope: Scope<'_>,
    data_type: DataType,
    [low, high]: &[Literal; 2],
    place: &Place,
) {
    number(check, data_type, low, &place.index(0));
    number(check, data_type, high, &place.index(1));
    match literal::order(low, high, data_type) {
        Some(Ordering::Greater) => {
            let help = Some(format!("write [{high}, {low}]"));
            check.value(
                place,
                format!("the range is the wrong way round: {low} is above {high}"),
                help,
            );
        }
        Some(Ordering::Equal)
            if !matches!(data_type, DataType::Int(_) | DataType::Decimal { .. }) =>
        {
            let help = Some("the upper end is not part of the range; use `constant`".to_owned());
            check.value(place, "the range is empty", help);
        }
        Some(Ordering::Equal | Ordering::Less) | None => {}
    }
    let values = literal::integers_between(low, high);
    if let (true, Some(rows), Some(values)) = (scope.unique, scope.table.preload, values)
        && values < rows
    {
        let message = format!("{rows} rows, but only {values} different values");
        check.value(place, message, Some("widen the range".to_owned()));
    }
}

pub(super) fn one_of(check: &mut Check<'_>, data_type: DataType, choices: &Choices, place: &Place) {
    match choices.len() {
        0 if check.is_whole(place) => check.value(place, "there is nothing to choose from", None),
        count if count > CHOICES_MAX => {
            check.value(place, format!("{count} values; at most {CHOICES_MAX}"), None);
        }
        _ => {}
    }
    match choices {
        Choices::Alike(values) => {
            for (at, value) in values.iter().enumerate() {
                number(check, data_type, value, &place.index(at));
            }
        }
        Choices::Weighted(weights) => {
            for (value, weight) in weights {
                let here = place.key(value);
                if let Some(message) = literal::misfit(&Literal::Text(value.clone()), data_type) {
                    check.key(&here, message, None);
                }
                if !(weight.is_finite() && *weight > 0.0) {
                    check.value(&here, format!("a weight is above 0, not {weight}"), None);
                }
            }
        }
    }
}

fn text(check: &mut Check<'_>, data_type: DataType, spec: &TextSpec, place: &Place) {
    let (length, at) = match (spec.bytes, spec.min, spec.max) {
        (Some(bytes), None, None) => (bytes, "bytes"),
        (None, Some(min), Some(max)) => {
            if min > max {
                let help = Some("put the smaller one first".to_owned());
                check.value(&place.key("min"), format!("min {min} is above max {max}"), help);
            }
            (max, "max")
        }
        (_, _, _) => {
            let help = Some("`{ bytes: 100 }` or `{ min: 10, max: 100 }`".to_owned());
            if check.is_whole(place) {
                check.value(place, "give the length as `bytes`, or as `min` and `max`", help);
            }
            return;
        }
    };
    if length > TEXT_BYTES_MAX {
        check.value(&place.key(at), format!("{length} bytes; at most {TEXT_BYTES_MAX}"), None);
    }
    if let DataType::Text { max: Some(max) } = data_type
        && length > max
    {
        check.value(&place.key(at), format!("{length} bytes do not fit `{data_type}`"), None);
    }
    ratio(check, spec.entropy.unwrap_or(1.0), &place.key("entropy"));
    if spec.alphabet.as_ref().is_some_and(|alphabet| !is_alphabet(alphabet)) {
        let message =
            "an alphabet is ASCII characters without NUL, at least one: lengths are bytes";
        check.value(&place.key("alphabet"), message, None);
    }
}

fn is_alphabet(alphabet: &str) -> bool {
    !alphabet.is_empty() && alphabet.is_ascii() && !alphabet.contains('\0')
}

fn walk(check: &mut Check<'_>, data_type: DataType, spec: &WalkSpec, place: &Place) {
    not_negative(check, spec.stdev, &place.key("stdev"));
    if let Some(step) = spec.step {
        positive(check, step, &place.key("step"));
    }
    bounds(check, data_type, (spec.min, spec.max), place);
    let below = spec.min.is_some_and(|min| spec.mean < min);
    let above = spec.max.is_some_and(|max| spec.mean > max);
    if below || above {
        let message = format!("the mean {} is outside min and max", spec.mean);
        check.value(&place.key("mean"), message, None);
    }
    if let Some(faults) = &spec.faults {
        let here = place.key("faults");
        ratio(check, faults.rate, &here.key("rate"));
        if !(faults.length.is_finite() && faults.length >= 1.0) {
            let message = format!("expected a number from 1, found {}", faults.length);
            check.value(&here.key("length"), message, None);
        }
    }
}
