//! Rules for Rust files: a header that says why, a length that can be read, nothing left over.

use super::SourceFile;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// Macros and attributes that have no place in what is committed. Spelled in halves, so that this file has none.
const LEFTOVERS: [&str; 4] =
    [concat!("todo", "!"), concat!("unimplemented", "!"), concat!("dbg", "!"), "#[ignore"];

/// Checks one file.
pub(super) fn check(file: &SourceFile, breaches: &mut Vec<String>) {
    if !file.is_a("rs") {
        return;
    }
    if !file.text.starts_with("//!") {
        breaches.push(format!("{}: does not begin with `//!` and why it exists", file.path));
    }
    let lines = file.text.lines().count();
    if lines > FILE_LINES_MAX {
        breaches.push(format!("{}: {lines} lines, more than {FILE_LINES_MAX}", file.path));
    }
    let code = blank_out(&file.text);
    for word in LEFTOVERS {
        for (at, _) in code.match_indices(word) {
            breaches.push(format!("{}:{}: {word}", file.path, line_of(&code, at)));
        }
    }
    if !is_test_file(&file.path) {
        long_functions(file, &without_tests(&code), breaches);
    }
}

fn is_test_file(path: &str) -> bool {
    path.contains("/tests/") || path.contains("/benches/") || path.ends_with("/tests.rs")
}

fn long_functions(file: &SourceFile, code: &str, breaches: &mut Vec<String>) {
    for (at, _) in code.match_indices("fn ") {
        if code[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        let Some(end) = end_of_item(code, at) else { continue };
        let lines = line_of(code, end) - line_of(code, at) + 1;
        if lines > FUNCTION_LINES_MAX {
            let name: String =
                code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            breaches.push(format!(
                "{}:{}: `{name}` has {lines} lines, more than {FUNCTION_LINES_MAX}",
                file.path,
                line_of(code, at)
            ));
        }
    }
}

/// Where the item that starts at `at` closes its braces; `None` if it has none.
fn end_of_item(code: &str, at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, c) in code[at..].char_indices() {
        match c {
            ';' if depth == 0 => return None,
            '{' => depth += 1,
            '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + offset);
                }
            }
            _ => {}
        }
    }
    None
}

/// The code before the first test module: ours stand at the end of a file.
fn without_tests(code: &str) -> String {
    let end = code.find("#[cfg(test)]\nmod ").unwrap_or(code.len());
    code[..end].to_owned()
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// The code with comments and the insides of literals turned to blanks; lines stay where they are.
fn blank_out(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (length, kept) = token(rest, c, code.chars().next_back());
        let (part, after) = rest.split_at(length);
        if kept {
            code.push_str(part);
        } else {
            code.extend(part.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        rest = after;
    }
    code
}

/// The length of the next token, and whether it is code.
fn token(rest: &str, first: char, before: Option<char>) -> (usize, bool) {
    let starts_word = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let until = |end: &str, from: usize| {
        rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len())
    };
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), false);
    }
    if rest.starts_with("/*") {
        return (until("*/", 2), false);
    }
    if first == 'r' && starts_word || first == 'b' && starts_word && rest[1..].starts_with('r') {
        let hashes = rest.trim_start_matches(['b', 'r']);
        let count = hashes.len() - hashes.trim_start_matches('#').len();
        if hashes[count..].starts_with('"') {
            let from = rest.len() - hashes.len() + count + 1;
            return (until(&format!("\"{}", "#".repeat(count)), from), false);
        }
    }
    match first {
        '"' => (quoted(rest, '"'), false),
        // A character, and not a lifetime: it closes after one character or begins with a backslash.
        '\'' if rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'') => {
            (quoted(rest, '\''), false)
        }
        _ => (first.len_utf8(), true),
    }
}

/// The length of a literal in quotes, with escapes.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_code(body: &str) -> Vec<String> {
        let file = SourceFile { path: "crates/x/src/a.rs".to_owned(), text: body.to_owned() };
        let mut breaches = Vec::new();
        check(&file, &mut breaches);
        breaches
    }

    #[test]
    fn a_long_function_is_found_and_a_long_test_is_not() {
        let long = format!("fn long() {{\n{}}}\n", "    work();\n".repeat(70));
        assert_eq!(check_code(&format!("//! Why.\n{long}")).len(), 1);
        assert!(
            check_code(&format!("//! Why.\n#[cfg(test)]\nmod tests {{\n{long}}}\n")).is_empty()
        );
    }

    #[test]
    fn braces_in_literals_and_comments_do_not_count() {
        let tricky = r##"//! Why.
fn a<'x>(s: &'x str) -> char { let _ = ("}", '{', '\'', r#"}"}"#, b"{"); /* } */ '}' } // }
"##;
        let code = blank_out(tricky);
        assert_eq!(code.matches('{').count(), 1);
        assert_eq!(code.matches('}').count(), 1);
        assert_eq!(code.lines().count(), tricky.lines().count());
    }

    #[test]
    fn a_file_without_a_reason_and_a_leftover_are_found() {
        let left = concat!("fn a() { to", "do!() }\n");
        assert_eq!(check_code(left).len(), 2);
        assert_eq!(check_code("//! Why.\nfn a() { say(\"to-do\") }\n"), Vec::<String>::new());
    }

    #[test]
    fn a_file_may_have_500_lines() {
        assert!(check_code(&"//! Why.\n".repeat(500)).is_empty());
        assert_eq!(check_code(&"//! Why.\n".repeat(501)).len(), 1);
    }
}
