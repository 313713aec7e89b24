//! Rules for every text file: no trailing blanks, no leftovers, nothing of the machine it was written on.

use super::SourceFile;
use crate::command::root;

/// Words that mark what is not done. Spelled in halves, so that this file does not name them.
const LEFTOVERS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// First labels of registries' hosts. Registries are named by their tools' own defaults.
const REGISTRY_LABELS: [&str; 8] =
    ["deb", "index", "static", "registry", "files", "repo", "repo1", "proxy"];

/// Folders that every system has, so that naming one says nothing of this machine.
const COMMON_FOLDERS: [&str; 6] = ["tmp", "usr", "var", "opt", "etc", "build"];

/// Checks one file.
pub(super) fn check(file: &SourceFile, breaches: &mut Vec<String>) {
    if file.path == "Cargo.lock" {
        return;
    }
    let machine = machine_folders();
    // What a test compares with is as it is printed.
    let written_by_us = !file.path.contains("/golden/") && !file.is_a("txt");
    for (i, line) in file.text.lines().enumerate() {
        let mut breach = |what: &str| breaches.push(format!("{}:{}: {what}", file.path, i + 1));
        if written_by_us && line.ends_with([' ', '\t']) {
            breach("trailing blank");
        }
        if LEFTOVERS.iter().any(|word| has_word(line, word)) {
            breach("a leftover mark: do it, or open an issue");
        }
        if machine.iter().any(|folder| has_folder(line, folder)) {
            breach("names a path of one machine");
        }
        if names_registry(line) {
            breach("names a registry's host");
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') && written_by_us {
        breaches.push(format!("{}: no line end at the end", file.path));
    }
}

/// Homes, and the folder that this checkout stands in.
fn machine_folders() -> Vec<String> {
    let mut folders = vec!["/home/".to_owned(), "/root/".to_owned(), "/Users/".to_owned()];
    let first = root().components().nth(1).map(|part| part.as_os_str().to_string_lossy());
    match first {
        Some(first) if !COMMON_FOLDERS.contains(&&*first) => folders.push(format!("/{first}/")),
        Some(_) | None => folders.push(format!("{}/", root().display())),
    }
    folders
}

/// Whether a line names a file below an absolute folder. `a/home/b` is another folder, and `/home/` alone is none.
fn has_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + folder.len()..].chars().next();
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || "_.-}".contains(c))
            && after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '.')
    })
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part)
    })
}

fn names_registry(line: &str) -> bool {
    let is_host = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    line.split(|c| !is_host(c)).any(|host| {
        let labels: Vec<&str> = host.split('.').collect();
        matches!(labels[..], [first, _, last]
            if REGISTRY_LABELS.contains(&first) && ["org", "io", "com"].contains(&last))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Vec<String> {
        let file = SourceFile { path: "x.md".to_owned(), text: text.to_owned() };
        let mut breaches = Vec::new();
        check(&file, &mut breaches);
        breaches
    }

    #[test]
    fn what_belongs_to_one_machine_is_found() {
        for line in [
            concat!("see /ho", "me/anna/x\n"),
            concat!("https://ind", "ex.example.io/a\n"),
            concat!("a ", "TO", "DO: later\n"),
            "blank \n",
            "no end",
        ] {
            assert_eq!(check_text(line).len(), 1, "{line}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_left_alone() {
        for line in ["docs/home/page\n", "index.html of example.org\n", "TODOS and MASTODON\n", ""]
        {
            assert_eq!(check_text(line), Vec::<String>::new());
        }
    }
}
