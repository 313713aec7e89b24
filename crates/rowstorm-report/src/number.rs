//! Numbers for people: one way to write each kind of quantity, so that every report says it alike.

/// A whole number with thousands separators.
///
/// ```
/// assert_eq!(rowstorm_report::number::grouped(1_234_567), "1,234,567");
/// ```
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate: whole from 10 up, with one digit behind the point below.
pub fn rate(value: f64) -> String {
    if !value.is_finite() {
        return "?".to_owned();
    }
    if value.abs() < 10.0 && value.fract() != 0.0 {
        return format!("{value:.1}");
    }
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", grouped(value.abs().round() as u64))
}

/// Seconds, as coarse as is useful: `4.6s`, `2m 05s`, `1h 03m`.
///
/// ```
/// assert_eq!(rowstorm_report::number::seconds(125.2), "2m 05s");
/// ```
pub fn seconds(value: f64) -> String {
    if !value.is_finite() {
        return "?".to_owned();
    }
    if value < 10.0 {
        return format!("{value:.2}s");
    }
    // 59.96 is a minute, not 60.0 seconds.
    if value < 59.95 {
        return format!("{value:.1}s");
    }
    let whole = value.round() as u64;
    if whole < 3600 {
        return format!("{}m {:02}s", whole / 60, whole % 60);
    }
    format!("{}h {:02}m", whole / 3600, whole % 3600 / 60)
}

/// Milliseconds with about three digits: `0.34ms`, `8.9ms`, `214ms`, `1.20s`.
///
/// ```
/// assert_eq!(rowstorm_report::number::milliseconds(21.34), "21.3ms");
/// ```
pub fn milliseconds(value: f64) -> String {
    if !value.is_finite() {
        return "?".to_owned();
    }
    match value {
        v if v < 1.0 => format!("{v:.2}ms"),
        v if v < 100.0 => format!("{v:.1}ms"),
        v if v < 1000.0 => format!("{v:.0}ms"),
        v if v < 10_000.0 => format!("{:.2}s", v / 1000.0),
        v => seconds(v / 1000.0),
    }
}

/// Bytes in decimal units: `148 KB`, `62.4 MB`.
///
/// ```
/// assert_eq!(rowstorm_report::number::bytes(62_400_000.0), "62.4 MB");
/// ```
pub fn bytes(value: f64) -> String {
    let (scaled, unit) = scale(value, &[" B", " KB", " MB", " GB", " TB"]);
    format!("{scaled}{unit}")
}

/// A count in a few characters, for axes: `218k`, `2.6M`.
///
/// ```
/// assert_eq!(rowstorm_report::number::compact(2_610_000.0), "2.6M");
/// ```
pub fn compact(value: f64) -> String {
    let (scaled, unit) = scale(value, &["", "k", "M", "G", "T"]);
    format!("{scaled}{unit}")
}

/// A share of one as percent: `38%`, `0.4%`.
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "?".to_owned();
    }
    let value = share * 100.0;
    if value.abs() < 10.0 && value != 0.0 { format!("{value:.1}%") } else { format!("{value:.0}%") }
}

/// A change as percent with its sign: `+3.1%`, `-12.0%`.
pub fn change(share: f64) -> String {
    if share.is_finite() { format!("{:+.1}%", share * 100.0) } else { "?".to_owned() }
}

fn scale<'a>(value: f64, units: &[&'a str]) -> (String, &'a str) {
    if !value.is_finite() {
        return ("?".to_owned(), units[0]);
    }
    let mut scaled = value;
    let mut unit = 0;
    // 999.5 is written as 1.0 of the next unit, not as 1000 of this one.
    while scaled.abs() >= 999.5 && unit + 1 < units.len() {
        scaled /= 1000.0;
        unit += 1;
    }
    let text = if (scaled.abs() >= 99.95) || scaled.fract() == 0.0 {
        format!("{scaled:.0}")
    } else {
        format!("{scaled:.1}")
    };
    (text, units[unit])
}
