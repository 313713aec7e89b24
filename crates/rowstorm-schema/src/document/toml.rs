//! TOML into a tree. The parser sorts tables by key; their positions bring the file's order back.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Entry, Lines, Node, Place, Problems, Value};

/// The document, unless it cannot be read at all. All errors of syntax are reported.
pub(crate) fn parse(text: &str, problems: &mut Problems) -> Option<Node> {
    let lines = Lines::new(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = lines.mark(error.span().map_or(0, |span| span.start));
        problems.add(at, &Place::root(), format!("not TOML: {}", error.message()), None);
    }
    errors.is_empty().then(|| Node { at: lines.mark(0), value: table(root.get_ref(), &lines) })
}

fn table(table: &DeTable<'_>, lines: &Lines<'_>) -> Value {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| Entry {
        key: std::borrow::Cow::<str>::clone(key.get_ref()).into_owned(),
        key_at: lines.mark(key.span().start),
        node: node(value, lines),
    };
    Value::Map(entries.into_iter().map(entry).collect())
}

fn node(source: &Spanned<DeValue<'_>>, lines: &Lines<'_>) -> Node {
    let value = match source.get_ref() {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::Text(number.to_string()), Value::Int),
        DeValue::Float(number) => match number.as_str().parse::<f64>() {
            Ok(value) if value.is_finite() => Value::Float(value),
            Ok(_) | Err(_) => Value::Text(number.to_string()),
        },
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(instant) => Value::Text(instant.to_string()),
        DeValue::Array(items) => Value::List(items.iter().map(|item| node(item, lines)).collect()),
        DeValue::Table(entries) => table(entries, lines),
    };
    Node { at: lines.mark(source.span().start), value }
}
