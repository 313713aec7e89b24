//! Rules for the tree as a whole: sample schemas named, every invariant with its test.

use super::SourceFile;

/// Where the invariants are written down, each with the name of its test.
const ARCHITECTURE: &str = "docs/architecture.md";

/// Checks the tree.
pub(super) fn check(files: &[SourceFile], breaches: &mut Vec<String>) {
    sample_schemas_are_named(files, breaches);
    invariants_have_tests(files, breaches);
}

fn sample_schemas_are_named(files: &[SourceFile], breaches: &mut Vec<String>) {
    let is_prose = |file: &&SourceFile| file.path == "README.md" || file.path.starts_with("docs/");
    for file in files {
        let Some(name) = file.path.strip_prefix("schemas/") else { continue };
        if !file.is_a("yaml") || name.contains('/') {
            continue;
        }
        if !files.iter().filter(is_prose).any(|prose| prose.text.contains(name)) {
            breaches.push(format!("{}: neither README.md nor docs/ names it", file.path));
        }
    }
}

/// Each invariant names tests behind `Test: `, and there is a function or a case of the conformance suite of each name.
fn invariants_have_tests(files: &[SourceFile], breaches: &mut Vec<String>) {
    let Some(page) = files.iter().find(|file| file.path == ARCHITECTURE) else {
        breaches.push(format!("{ARCHITECTURE}: missing"));
        return;
    };
    for name in named_tests(&page.text) {
        let (function, case) = (format!("fn {name}("), format!("\"{name}\""));
        let is_there = |file: &SourceFile| {
            let is_case = || file.path.starts_with("crates/") && file.text.contains(&case);
            file.is_a("rs") && (file.text.contains(&function) || is_case())
        };
        if !files.iter().any(is_there) {
            breaches.push(format!("{ARCHITECTURE}: no test is called `{name}`"));
        }
    }
}

fn named_tests(page: &str) -> Vec<&str> {
    let lists = page.lines().filter_map(|line| line.trim().strip_prefix("Test: "));
    lists.flat_map(|list| list.split('`').skip(1).step_by(2)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn an_invariant_without_its_test_is_found() {
        let page = file(ARCHITECTURE, "1. A law.\n   Test: `a_law`, `b_law`, `a case`\n");
        let code = file("crates/x/tests/laws.rs", "fn a_law() {}\nCase::new(\n\"a case\", 1)");
        let mut breaches = Vec::new();
        invariants_have_tests(&[page, code], &mut breaches);
        assert_eq!(breaches.len(), 1);
        assert!(breaches[0].contains("b_law"));
    }

    #[test]
    fn a_schema_that_nothing_names_is_found() {
        let files =
            [file("schemas/a.yaml", ""), file("schemas/b.yaml", ""), file("README.md", "a.yaml")];
        let mut breaches = Vec::new();
        sample_schemas_are_named(&files, &mut breaches);
        assert_eq!(breaches.len(), 1);
        assert!(breaches[0].contains("b.yaml"));
    }
}
