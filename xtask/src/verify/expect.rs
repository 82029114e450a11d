//! What a command must show, and the comparison with what it did show.

/// The result that a command must have.
#[derive(Clone, Copy)]
pub(super) enum Expect {
    /// It succeeds.
    Success,
    /// It succeeds and the compiler warns of nothing.
    NoWarnings,
    /// It succeeds and at least so many tests ran, all of which passed.
    Tests { at_least: usize },
    /// It prints nothing, neither findings nor an error.
    Nothing,
    /// It succeeds and prints each of these.
    Prints(&'static [&'static str]),
    /// It succeeds and the coverage that it measured suffices.
    Covered,
}

/// What a command did show.
pub(super) struct Seen {
    pub(super) success: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Expect {
    /// Says what was seen beyond success, or what was expected and what was seen instead.
    pub(super) fn judge(self, seen: &Seen) -> Result<String, String> {
        match self {
            // A search that finds nothing ends with a failure, as it should here; one that could
            // not look also says so on stderr.
            Self::Nothing if seen.stdout.is_empty() && seen.stderr.is_empty() => Ok(String::new()),
            Self::Nothing => Err(seen.instead_of("no output")),
            _ if !seen.success => Err(seen.instead_of("success")),
            Self::Success | Self::Covered => Ok(String::new()),
            Self::NoWarnings if seen.stderr.lines().any(|line| line.starts_with("warning")) => {
                Err(seen.instead_of("no warning"))
            }
            Self::NoWarnings => Ok(String::new()),
            Self::Tests { at_least } => match tests_passed(&seen.stdout) {
                passed if passed >= at_least => Ok(format!(", {passed} tests")),
                passed => Err(format!("expected at least {at_least} tests, saw {passed}")),
            },
            Self::Prints(texts) => match texts.iter().find(|text| !seen.stdout.contains(**text)) {
                Some(missing) => Err(seen.instead_of(&format!("`{missing}` in the output"))),
                None => Ok(String::new()),
            },
        }
    }
}

/// The most of a command's output that a complaint repeats.
const MAX_LINES: usize = 40;

impl Seen {
    pub(super) fn instead_of(&self, expected: &str) -> String {
        let lines: Vec<&str> = self.stdout.lines().chain(self.stderr.lines()).collect();
        let outcome = if self.success { "success" } else { "failure" };
        if lines.is_empty() {
            return format!("expected {expected}, saw {outcome} and no output");
        }
        let tail = &lines[lines.len().saturating_sub(MAX_LINES)..];
        format!(
            "expected {expected}, saw {outcome} and\n{}",
            tail.join("\n")
        )
    }
}

/// Adds up the lines `test result: ok. 7 passed; 0 failed; …` of a test run.
fn tests_passed(output: &str) -> usize {
    let results = output
        .lines()
        .filter_map(|line| line.strip_prefix("test result: ok. "));
    results
        .filter_map(|result| result.split(' ').next()?.parse::<usize>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(success: bool, stdout: &str, stderr: &str) -> Seen {
        Seen {
            success,
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        }
    }

    #[test]
    fn success_is_the_exit_status() {
        assert!(Expect::Success.judge(&seen(true, "x", "y")).is_ok());
        let complaint = Expect::Success.judge(&seen(false, "x", "y")).unwrap_err();
        assert_eq!(complaint, "expected success, saw failure and\nx\ny");
    }

    #[test]
    fn nothing_means_that_the_search_ran_and_found_nothing() {
        assert!(Expect::Nothing.judge(&seen(false, "", "")).is_ok());
        assert!(
            Expect::Nothing
                .judge(&seen(true, "engine.rs:1: RuntimeError", ""))
                .is_err()
        );
        let absent = seen(
            false,
            "",
            "grep: src/runtime/engine.rs: No such file or directory",
        );
        assert!(
            Expect::Nothing
                .judge(&absent)
                .unwrap_err()
                .contains("No such file")
        );
    }

    #[test]
    fn a_warning_is_no_success() {
        assert!(
            Expect::NoWarnings
                .judge(&seen(true, "", "   Compiling a\n    Finished"))
                .is_ok()
        );
        let warned = seen(true, "", "warning: unused variable\n    Finished");
        assert!(
            Expect::NoWarnings
                .judge(&warned)
                .unwrap_err()
                .starts_with("expected no warning")
        );
    }

    #[test]
    fn tests_are_counted_over_all_binaries() {
        let output = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 0 ignored\n\
                      test result: ok. 4 passed; 0 failed; 0 ignored\n";
        let judged = Expect::Tests { at_least: 7 }.judge(&seen(true, output, ""));
        assert_eq!(judged, Ok(", 7 tests".to_owned()));
        let judged = Expect::Tests { at_least: 8 }.judge(&seen(true, output, ""));
        assert_eq!(judged, Err("expected at least 8 tests, saw 7".to_owned()));
        assert!(
            Expect::Tests { at_least: 1 }
                .judge(&seen(false, output, ""))
                .is_err()
        );
    }

    #[test]
    fn each_text_must_be_printed() {
        let expect = Expect::Prints(&["// Layer 1", "use "]);
        assert!(
            expect
                .judge(&seen(true, "// Layer 1: x\nuse a;", ""))
                .is_ok()
        );
        let complaint = expect.judge(&seen(true, "// Layer 1: x", "")).unwrap_err();
        assert_eq!(
            complaint,
            "expected `use ` in the output, saw success and\n// Layer 1: x"
        );
        assert_eq!(
            expect.judge(&seen(false, "", "")).unwrap_err(),
            "expected success, saw failure and no output"
        );
    }

    #[test]
    fn a_complaint_repeats_the_end_of_a_long_output() {
        let long: String = (0..100).map(|line| format!("line {line}\n")).collect();
        let complaint = Expect::Success.judge(&seen(false, &long, "")).unwrap_err();
        assert_eq!(complaint.lines().count(), MAX_LINES + 1);
        assert!(complaint.ends_with("line 99"));
    }
}
