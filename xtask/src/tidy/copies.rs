//! The guest contract has one source, `wit/`; a crate that must carry its own copy carries the
//! same bytes.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

// Layer 2: Third-party crate imports
use anyhow::Context as _;

// Layer 3: Internal module imports
use super::problem::Problem;

const SOURCE: &str = "wit";

/// The folders that hold a copy of `wit/`.
const COPIES: &[&str] = &["airssys-guest/wit"];

/// Reports every file of a copy that differs from its source, is missing or has none.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<Problem>> {
    let source = files_of(root, SOURCE)?;
    let mut problems = Vec::new();
    for copy in COPIES {
        problems.extend(differences(&source, copy, &files_of(root, copy)?));
    }
    Ok(problems)
}

/// The files below a folder, by their path inside it.
type Files = BTreeMap<String, Vec<u8>>;

fn differences(source: &Files, copy: &str, copied: &Files) -> Vec<Problem> {
    let report = |name: &str, line: usize, what: String| {
        let path = format!("{copy}/{name}");
        let way_out = format!("copy the folder anew: rm -r {copy} && cp -r {SOURCE} {copy}");
        Problem::new(&path, line, "copies", what, &way_out)
    };
    let stale = source
        .iter()
        .filter_map(|(name, bytes)| match copied.get(name) {
            None => Some(report(name, 1, format!("{SOURCE}/{name} has no copy here"))),
            Some(copy) if copy == bytes => None,
            Some(copy) => {
                let line = first_different_line(bytes, copy);
                Some(report(name, line, format!("differs from {SOURCE}/{name}")))
            }
        });
    let stray = copied
        .keys()
        .filter(|name| !source.contains_key(*name))
        .map(|name| report(name, 1, format!("{SOURCE}/{name} does not exist")));
    stale.chain(stray).collect()
}

fn first_different_line(a: &[u8], b: &[u8]) -> usize {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    1 + a[..same].iter().filter(|byte| **byte == b'\n').count()
}

/// Reads a folder with its subfolders; one that does not exist holds nothing.
fn files_of(root: &Path, folder: &str) -> anyhow::Result<Files> {
    let mut files = Files::new();
    let mut pending = vec![root.join(folder)];
    while let Some(next) = pending.pop().filter(|next| next.is_dir()) {
        for entry in fs::read_dir(&next).with_context(|| format!("reading {}", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
                continue;
            }
            let name = path
                .strip_prefix(root.join(folder))?
                .to_string_lossy()
                .replace('\\', "/");
            files.insert(name, fs::read(&path)?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(entries: &[(&str, &str)]) -> Files {
        entries
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    fn problems(source: &[(&str, &str)], copied: &[(&str, &str)]) -> Vec<String> {
        let problems = differences(&files(source), "sdk/wit", &files(copied));
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn equal_folders_are_fine() {
        let both = [("actor.wit", "package a;"), ("deps/b.wit", "package b;")];
        assert!(problems(&both, &both).is_empty());
    }

    #[test]
    fn a_changed_a_missing_and_a_stray_file_are_reported() {
        let changed = problems(&[("a.wit", "one\ntwo\n")], &[("a.wit", "one\n2\n")]);
        assert_eq!(changed.len(), 1);
        assert!(
            changed[0].starts_with("sdk/wit/a.wit:2: copies: differs from wit/a.wit"),
            "{changed:?}"
        );
        assert!(
            changed[0].contains("rm -r sdk/wit && cp -r wit sdk/wit"),
            "{changed:?}"
        );

        let missing = problems(&[("a.wit", "")], &[]);
        assert!(
            missing[0].contains("wit/a.wit has no copy here"),
            "{missing:?}"
        );
        let stray = problems(&[], &[("a.wit", "")]);
        assert!(stray[0].contains("wit/a.wit does not exist"), "{stray:?}");
    }

    #[test]
    fn a_copy_cut_short_differs_where_it_ends() {
        assert_eq!(first_different_line(b"a\nb\nc\n", b"a\nb\n"), 3);
        assert_eq!(first_different_line(b"a\nb\n", b"x\nb\n"), 1);
    }
}
