//! Which release it is, where releases answer differently.

use crate::error::Wrote;

/// What an error for a whole bulk leaves of its rows.
///
/// 5.10.0 to 6.4.2 report what befell one shard (unavailable, overloaded) as the error of the whole bulk, while other
/// shards may have written their rows. Before and after, such an error stands at each row, and one for the whole comes
/// before the first write.
pub(crate) fn wrote(version: &str) -> Wrote {
    match numbers(version) {
        Some(release) if !([5, 10, 0]..=[6, 4, 2]).contains(&release) => Wrote::Nothing,
        Some(_) | None => Wrote::Perhaps,
    }
}

/// `CrateDB 6.4.3 (built …)` as numbers.
fn numbers(version: &str) -> Option<[u32; 3]> {
    let word =
        version.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let digits = |part: &str| {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse().ok()
    };
    let mut parts = word.split('.').map(digits);
    Some([parts.next()??, parts.next()??, parts.next().flatten().unwrap_or_default()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_that_answer_for_the_whole_are_known() {
        for (version, expected) in [
            ("CrateDB 6.4.3 (built d3b3213/NA, Linux)", Wrote::Nothing),
            ("CrateDB 6.4.2 (built d3b3213/NA, Linux)", Wrote::Perhaps),
            ("CrateDB 6.5.0-SNAPSHOT (built)", Wrote::Nothing),
            ("CrateDB 5.10.1", Wrote::Perhaps),
            ("CrateDB 5.9.12", Wrote::Nothing),
            ("something else", Wrote::Perhaps),
        ] {
            assert_eq!(wrote(version), expected, "{version}");
        }
    }
}
