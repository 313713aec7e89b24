//! Rules for adapters: the same file names in each, and a length that docs/decisions/0007 argues for.

use super::SourceFile;

/// The files that every adapter has, so that who knows one knows all.
const FILES: [&str; 5] = ["lib", "dialect", "encode", "write", "error"];

/// The crates that are adapters to a database or to files.
pub(super) const ADAPTERS: [&str; 6] = [
    "rowstorm-cratedb",
    "rowstorm-files",
    "rowstorm-mongodb",
    "rowstorm-mysql",
    "rowstorm-postgres",
    "rowstorm-sqlite",
];

/// Why an adapter is as long as it is, and what each file besides the five is there for.
const PAGE: &str = "docs/decisions/0007-how-long-an-adapter-is.md";

/// Lines of code of the five files together.
const FIVE_LINES_MAX: usize = 1_000;
/// Lines of code of one file besides.
const BESIDE_LINES_MAX: usize = 250;
/// Lines of code of all files besides.
const ALL_BESIDE_LINES_MAX: usize = 2_450;

/// Checks every adapter that is there.
pub(super) fn check(files: &[SourceFile], breaches: &mut Vec<String>) {
    let page = files.iter().find(|file| file.path == PAGE).map_or("", |page| &page.text);
    for adapter in ADAPTERS {
        if files.iter().any(|file| file.path == format!("crates/{adapter}/Cargo.toml")) {
            one(adapter, files, page, breaches);
        }
    }
}

fn one(adapter: &str, files: &[SourceFile], page: &str, breaches: &mut Vec<String>) {
    let folder = format!("crates/{adapter}/src/");
    for name in FILES {
        let path = format!("{folder}{name}.rs");
        if !files.iter().any(|file| file.path == path) {
            breaches.push(format!("{path}: missing; every adapter has {FILES:?}"));
        }
    }
    let (mut five, mut besides) = (0, 0);
    for file in files.iter().filter(|file| file.is_a("rs") && !file.path.ends_with("/tests.rs")) {
        let Some(place) = file.path.strip_prefix(&folder) else { continue };
        // `write/lines.rs` is a part of `write.rs`.
        let name = place.split(['/', '.']).next().unwrap_or_default();
        let lines = code_lines(&file.text);
        if FILES.contains(&name) {
            five += lines;
            continue;
        }
        besides += lines;
        if lines > BESIDE_LINES_MAX {
            let path = &file.path;
            breaches.push(format!("{path}: {lines} lines of code, more than {BESIDE_LINES_MAX}"));
        }
        if !page.contains(&format!("| `{name}` |")) {
            breaches.push(format!("{}: {PAGE} does not say what it is there for", file.path));
        }
    }
    if five > FIVE_LINES_MAX {
        breaches.push(format!(
            "crates/{adapter}: {five} lines of code in {FILES:?}, more than {FIVE_LINES_MAX}"
        ));
    }
    if besides > ALL_BESIDE_LINES_MAX {
        breaches.push(format!(
            "crates/{adapter}: {besides} lines of code besides {FILES:?}, more than {ALL_BESIDE_LINES_MAX}"
        ));
    }
}

/// Lines without blank ones, comments, and the unit tests, which stand at a file's end.
fn code_lines(text: &str) -> usize {
    let end = text.find("\n#[cfg(test)]\nmod ").unwrap_or(text.len());
    let lines = text[..end].lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned() }
    }

    /// A SQLite adapter of five one-line files, and these.
    fn breaches(more: &[(&str, String)]) -> Vec<String> {
        let folder = "crates/rowstorm-sqlite";
        let mut files =
            vec![file(&format!("{folder}/Cargo.toml"), ""), file(PAGE, "| `sift` | x |")];
        files.extend(FILES.map(|name| file(&format!("{folder}/src/{name}.rs"), "fn a() {}\n")));
        let more = more.iter().map(|(name, text)| file(&format!("{folder}/src/{name}"), text));
        files.extend(more);
        let mut breaches = Vec::new();
        check(&files, &mut breaches);
        breaches
    }

    #[test]
    fn a_missing_file_and_one_that_nobody_argued_for_are_found() {
        let mut found = Vec::new();
        check(&[file("crates/rowstorm-sqlite/Cargo.toml", "")], &mut found);
        assert_eq!(found.len(), 5);
        assert_eq!(breaches(&[("sift.rs", String::new())]), Vec::<String>::new());
        assert_eq!(breaches(&[("pool.rs", String::new())]).len(), 1);
    }

    #[test]
    fn lines_of_code_have_a_bound_and_comments_and_tests_do_not_count() {
        let text = |lines: usize| "//! Why.\n\n    call();\n".repeat(lines);
        assert_eq!(code_lines(&text(3)), 3);
        assert_eq!(code_lines(&format!("{}\n#[cfg(test)]\nmod tests {{\n{}", text(3), text(9))), 3);
        assert!(breaches(&[("sift.rs", text(250)), ("write/lines.rs", text(995))]).is_empty());
        assert_eq!(breaches(&[("sift.rs", text(251))]).len(), 1);
        assert_eq!(breaches(&[("write/lines.rs", text(996))]).len(), 1);
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let ten = |lines| names.map(|name| (name, text(lines)));
        let named = |(name, text): (&str, String)| (format!("sift/{name}.rs"), text);
        let many: Vec<_> = ten(246).into_iter().map(named).collect();
        let many: Vec<_> = many.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
        assert_eq!(breaches(&many).len(), 1);
    }
}
