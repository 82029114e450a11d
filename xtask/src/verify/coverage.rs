//! How much of `airssys-wasm` its tests reach.

// Layer 1: Standard library imports
use std::cmp::Reverse;
use std::fmt::Display;
use std::fs;
use std::path::Path;

// Layer 2: Third-party crate imports
use serde_json::Value;

// Layer 3: Internal module imports
use super::expect::{Expect, Seen};

/// Runs the tests with counters compiled in; the total must be above [`MIN_PERCENT`].
pub(super) const COMMAND: &str = "cargo llvm-cov --package airssys-wasm --fail-under-lines 90 \
     --json --summary-only --output-path ../target/coverage.json";

/// Where [`COMMAND`] leaves its figures, from the repository's root.
const SUMMARY: &str = "target/coverage.json";

/// The share of lines that must be exceeded, of the crate and of the engine.
const MIN_PERCENT: f64 = 90.0;

const SOURCES: &str = "airssys-wasm/src/";
const ENGINE: &str = "airssys-wasm/src/runtime/engine.rs";

/// Judges the run by its exit and by the figures that it left behind.
pub(super) fn judge(root: &Path, seen: &Seen) -> Result<String, String> {
    Expect::Success.judge(seen)?;
    let unreadable = |error: &dyn Display| format!("{SUMMARY}: {error}");
    let text = fs::read_to_string(root.join(SUMMARY)).map_err(|error| unreadable(&error))?;
    let summary = serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
    judge_files(&files_of(&summary))
}

/// The lines of one file.
struct Covered<'a> {
    path: &'a str,
    lines: u64,
    covered: u64,
}

impl Covered<'_> {
    fn percent(&self) -> f64 {
        percent(self.covered, self.lines)
    }
}

fn judge_files(files: &[Covered<'_>]) -> Result<String, String> {
    let lines = files.iter().map(|file| file.lines).sum();
    let covered = files.iter().map(|file| file.covered).sum();
    let total = percent(covered, lines);
    let engine = files
        .iter()
        .find(|file| file.path.ends_with(ENGINE))
        .map_or(0.0, Covered::percent);
    let figures = format!("{total:.1} % of airssys-wasm, {engine:.1} % of runtime/engine.rs");
    if total > MIN_PERCENT && engine > MIN_PERCENT {
        return Ok(format!(", {figures}"));
    }
    Err(format!(
        "expected more than {MIN_PERCENT} %, saw {figures}; least of all\n{}",
        least(files)
    ))
}

/// The files with the most lines that no test reaches.
fn least(files: &[Covered<'_>]) -> String {
    let mut worst: Vec<&Covered<'_>> = files.iter().collect();
    worst.sort_by_key(|file| Reverse(file.lines - file.covered));
    let lines = worst.iter().take(5).map(|file| {
        let missed = file.lines - file.covered;
        format!(
            "{}: {:.1} %, {missed} lines not reached",
            file.path,
            file.percent()
        )
    });
    lines.collect::<Vec<String>>().join("\n")
}

#[expect(clippy::cast_precision_loss, reason = "line counts are far below 2^52")]
fn percent(covered: u64, lines: u64) -> f64 {
    if lines == 0 {
        0.0
    } else {
        covered as f64 * 100.0 / lines as f64
    }
}

/// The files of the crate in what llvm-cov exports.
fn files_of(summary: &Value) -> Vec<Covered<'_>> {
    let files = summary["data"][0]["files"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let files = files.iter().filter_map(|file| {
        let lines = &file["summary"]["lines"];
        Some(Covered {
            path: file["filename"]
                .as_str()
                .filter(|path| path.contains(SOURCES))?,
            lines: lines["count"].as_u64()?,
            covered: lines["covered"].as_u64()?,
        })
    });
    files.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn file(path: &str, lines: u64, covered: u64) -> Value {
        json!({ "filename": path, "summary": { "lines": { "count": lines, "covered": covered } } })
    }

    fn judged(files: &[Value]) -> Result<String, String> {
        judge_files(&files_of(&json!({ "data": [{ "files": files }] })))
    }

    #[test]
    fn only_the_crates_own_files_count() {
        let engine = file("/repo/airssys-wasm/src/runtime/engine.rs", 100, 95);
        let other = file("/repo/airssys-cli/src/main.rs", 1000, 0);
        let expected = ", 95.0 % of airssys-wasm, 95.0 % of runtime/engine.rs";
        assert_eq!(judged(&[engine, other]), Ok(expected.to_owned()));
    }

    #[test]
    fn exactly_the_bound_is_too_little() {
        let complaint =
            judged(&[file("/repo/airssys-wasm/src/runtime/engine.rs", 10, 9)]).unwrap_err();
        assert!(
            complaint.starts_with("expected more than 90 %, saw 90.0 %"),
            "{complaint}"
        );
    }

    #[test]
    fn the_engine_counts_for_itself_and_the_worst_is_named() {
        let engine = file("/repo/airssys-wasm/src/runtime/engine.rs", 10, 5);
        let core = file("/repo/airssys-wasm/src/core/id.rs", 1000, 999);
        let complaint = judged(&[core, engine]).unwrap_err();
        assert!(
            complaint.contains("50.0 % of runtime/engine.rs"),
            "{complaint}"
        );
        assert!(
            complaint
                .lines()
                .nth(1)
                .unwrap()
                .contains("engine.rs: 50.0 %, 5 lines"),
            "{complaint}"
        );
    }

    #[test]
    fn an_empty_summary_is_no_coverage() {
        assert!(judge_files(&files_of(&json!({}))).is_err());
    }

    #[test]
    fn a_run_that_failed_is_judged_by_its_output() {
        let failed = Seen {
            success: false,
            stdout: String::new(),
            stderr: "a test failed".to_owned(),
        };
        let complaint = judge(Path::new("/nowhere"), &failed).unwrap_err();
        assert!(complaint.contains("a test failed"), "{complaint}");
    }
}
