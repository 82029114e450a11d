//! What went wrong, why, and what to do next.

// Layer 1: Standard library imports
use std::fmt::Display;
use std::io::Write;

// Layer 2: Third-party crate imports
use airssys_wasm::core::limits::LimitExceeded;
use serde::{Serialize, Serializer};

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::output::{ERROR, LABEL, WARNING};
use crate::text::visible;

/// Functions of a trap's stack that are shown; a deep recursion has thousands.
const MAX_STACK_SHOWN: usize = 16;

/// Why a command did not do what it was asked for.
///
/// As JSON it is an object with `kind`, `exit_code`, `message`, `cause`, `next`, where
/// a limit was met `limit`, `allowed` and `observed`, and after a trap `backtrace`.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    /// A word for programs, finer than the exit code.
    pub(crate) kind: Box<str>,
    #[serde(rename = "exit_code", serialize_with = "as_code")]
    pub(crate) exit: Exit,
    /// What went wrong, in a sentence.
    pub(crate) message: String,
    /// Why, in the words of whoever refused.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) cause: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) next: String,
    #[serde(flatten)]
    pub(crate) limit: Option<Box<LimitExceeded>>,
    /// The guest's functions, innermost first.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(crate) backtrace: Box<[String]>,
}

impl Failure {
    /// A failure of which only the headline is known yet.
    pub(crate) fn new(exit: Exit, kind: impl Into<Box<str>>, message: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            exit,
            message: message.into(),
            cause: String::new(),
            next: String::new(),
            limit: None,
            backtrace: Box::default(),
        }
    }

    /// Adds why.
    pub(crate) fn because(mut self, cause: impl Display) -> Self {
        self.cause = cause.to_string();
        self
    }

    /// Adds what to do about it.
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    /// Prints it as an error, for people.
    pub(crate) fn print(&self) {
        self.write(
            &mut anstream::stderr(),
            format_args!("{ERROR}error:{ERROR:#}"),
        );
    }

    /// Prints it as a warning, for people.
    pub(crate) fn print_warning(&self) {
        let label = format_args!("{WARNING}warning:{WARNING:#}");
        self.write(&mut anstream::stderr(), label);
    }

    /// Where standard error is closed, there is nobody to tell.
    fn write(&self, out: &mut impl Write, label: impl Display) {
        let _ = writeln!(out, "{label} {}", visible(&self.message));
        write_field(out, "cause:", &self.cause);
        write_field(out, "stack:", &self.stack());
        write_field(out, "next: ", &self.next);
    }

    fn stack(&self) -> String {
        let shown = self.backtrace.iter().take(MAX_STACK_SHOWN);
        let mut lines: Vec<String> = shown.cloned().collect();
        if self.backtrace.len() > MAX_STACK_SHOWN {
            lines.push(format!(
                "… and {} more",
                self.backtrace.len() - MAX_STACK_SHOWN
            ));
        }
        lines.join("\n")
    }
}

/// Writes a field, its further lines below its first. An empty one is left out.
fn write_field(out: &mut impl Write, label: &str, text: &str) {
    let mut label = format!("{LABEL}{label}{LABEL:#}");
    for line in text.lines() {
        let _ = writeln!(out, "  {label} {}", visible(line));
        label = "      ".to_owned();
    }
}

fn as_code<S: Serializer>(exit: &Exit, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(exit.code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use airssys_wasm::core::limits::Limit;

    fn written(failure: &Failure) -> String {
        let mut out = Vec::new();
        failure.write(&mut out, "error:");
        anstream::adapter::strip_bytes(&out)
            .map(String::from_utf8_lossy)
            .collect()
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let failure = Failure::new(Exit::Io, "io", "cannot read x");
        assert_eq!(written(&failure), "error: cannot read x\n");
        assert_eq!(
            serde_json::to_string(&failure).unwrap(),
            r#"{"kind":"io","exit_code":3,"message":"cannot read x"}"#
        );
    }

    #[test]
    fn a_guest_cannot_steer_the_terminal_or_forge_fields() {
        let failure = Failure::new(Exit::Rejected, "rejected", "no")
            .because("first\nnext: forged\x1b[2J")
            .next("try again");
        assert_eq!(
            written(&failure),
            "error: no\n  cause: first\n         next: forged\\u{1b}[2J\n  next:  try again\n"
        );
    }

    #[test]
    fn a_limit_stands_beside_the_other_fields() {
        let mut failure = Failure::new(Exit::Timeout, "timeout", "too long");
        failure.limit = Some(Box::new(LimitExceeded::beyond(Limit::TurnWallMs, 50)));
        let json = serde_json::to_value(&failure).unwrap();
        assert_eq!(json["limit"], "turn_wall_ms");
        assert_eq!(
            (&json["allowed"], &json["observed"]),
            (&50.into(), &51.into())
        );
    }

    #[test]
    fn a_deep_stack_is_cut() {
        let mut failure = Failure::new(Exit::Failed, "unreachable", "trap");
        failure.backtrace = vec!["deeper".to_owned(); MAX_STACK_SHOWN + 3].into();
        let text = written(&failure);
        assert_eq!(text.lines().count(), 1 + MAX_STACK_SHOWN + 1);
        assert!(text.ends_with("… and 3 more\n"), "{text}");
    }
}
