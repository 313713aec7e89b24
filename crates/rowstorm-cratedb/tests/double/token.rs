//! SQL as words and marks.

use super::{Done, Refused};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A bare word, in lower case, or a number.
    Word(String),
    /// A quoted identifier, as it is.
    Name(String),
    /// A quoted text.
    Text(String),
    /// One mark, `::` being one.
    Mark(&'static str),
}

const MARKS: [&str; 16] =
    ["::", "(", ")", "[", "]", ",", ".", "?", "=", "*", "-", "+", ";", "<", ">", "$"];

/// Cuts a statement.
pub(super) fn tokens(sql: &str) -> Done<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            let (text, after) = quoted(rest, first)?;
            tokens.push(if first == '"' { Token::Name(text) } else { Token::Text(text) });
            rest = after;
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_lowercase()));
            rest = &rest[end..];
        } else if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            tokens.push(Token::Mark(mark));
            rest = &rest[mark.len()..];
        } else {
            return Err(Refused::parse(format!("ParsingException[unexpected `{first}`]")));
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

/// Takes what stands between two marks, where a doubled one is one.
fn quoted(text: &str, mark: char) -> Done<(String, &str)> {
    let mut value = String::new();
    let mut rest = &text[1..];
    loop {
        let end = rest
            .find(mark)
            .ok_or_else(|| Refused::parse("ParsingException[a quote has no end]"))?;
        value.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix(mark) {
            Some(after) => {
                value.push(mark);
                rest = after;
            }
            None => return Ok((value, rest)),
        }
    }
}
