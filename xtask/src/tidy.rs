//! `cargo xtask tidy`: the rules of this repository that no compiler checks.
//!
//! Each rule is a file of `tidy/` and reports a [`Problem`] with its place and the way out. The
//! same rules run as a test, so that `cargo test` refuses a tree that breaks them.

// Layer 1: Standard library imports
use std::fs;
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use anyhow::Context as _;

// Layer 3: Internal module imports
use problem::Problem;
use source::SourceFile;

mod copies;
mod imports;
mod layers;
mod modules;
mod names;
mod problem;
mod source;
mod wording;

/// The folders whose Rust files are read.
const SOURCES: &[&str] = &[
    "airssys-wasm",
    "airssys-cli",
    "airssys-guest",
    "fuzz",
    "guests",
    "xtask",
];

/// The folder with the layers.
const LAYERED: &str = "airssys-wasm/src/";

/// Prints every problem of the tree at `root`, and fails if there is one.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let problems = check(root)?;
    for problem in &problems {
        println!("{problem}");
    }
    anyhow::ensure!(problems.is_empty(), "{} problems", problems.len());
    println!("tidy");
    Ok(())
}

fn check(root: &Path) -> anyhow::Result<Vec<Problem>> {
    let mut problems = copies::check(root)?;
    for path in rust_files(root)? {
        let file = SourceFile::read(root, &path)?;
        problems.extend(wording::check(&file));
        problems.extend(modules::check(&file));
        if path.starts_with(LAYERED) {
            problems.extend(imports::check(&file));
            problems.extend(layers::check(&file));
            problems.extend(names::check(&file));
        }
    }
    problems.sort();
    Ok(problems)
}

/// The Rust files below [`SOURCES`], relative to `root`, build results and hidden folders apart.
fn rust_files(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    let mut pending: Vec<PathBuf> = SOURCES.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = pending.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                pending.push(path);
            } else if name.ends_with(".rs") {
                files.push(
                    path.strip_prefix(root)?
                        .to_string_lossy()
                        .replace('\\', "/"),
                );
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository;

    #[test]
    fn the_tree_is_tidy() {
        let problems = check(&repository()).unwrap();
        let report: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(report.is_empty(), "\n{}\n", report.join("\n"));
    }

    #[test]
    fn every_layer_is_read() {
        let files = rust_files(&repository()).unwrap();
        for file in [
            "airssys-wasm/src/runtime/engine.rs",
            "airssys-wasm/src/lib.rs",
            "xtask/src/tidy.rs",
        ] {
            assert!(
                files.iter().any(|path| path == file),
                "{file} is not in {files:#?}"
            );
        }
    }
}
