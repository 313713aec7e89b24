//! "Did you mean …?"

/// The most words that a help text lists.
const LISTED_MAX: usize = 24;

/// What would be right in place of `word`: the nearest of `words`, else all of them.
pub(crate) fn help<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let words: Vec<&str> = words.into_iter().collect();
    if let Some(near) = nearest(word, &words) {
        return Some(format!("did you mean `{near}`?"));
    }
    match words.len() {
        0 => None,
        1 => Some(format!("expected `{}`", words[0])),
        2..=LISTED_MAX => Some(format!("expected one of `{}`", words.join("`, `"))),
        more => Some(format!(
            "expected one of `{}` and {} more",
            words[..LISTED_MAX].join("`, `"),
            more - LISTED_MAX
        )),
    }
}

/// The nearest word, if it is near: one edit away, or about one for every three letters.
pub(crate) fn nearest<'a>(word: &str, words: &[&'a str]) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let near = (word.chars().count() / 3).clamp(1, 3);
    words
        .iter()
        .map(|candidate| (distance(&lower, &candidate.to_lowercase()), *candidate))
        .filter(|(distance, _)| *distance <= near)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits between two words; a word cut short (`std` of `stdev`) is one edit away.
fn distance(word: &str, candidate: &str) -> usize {
    if word.len() >= 3 && candidate.starts_with(word) && word != candidate {
        return 1;
    }
    strsim::damerau_levenshtein(word, candidate)
}
