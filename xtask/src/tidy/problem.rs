//! What tidy has to say about a line.

// Layer 1: Standard library imports
use std::fmt;

/// A broken rule: where it is broken, what was seen there and the way out.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    path: String,
    line: usize,
    rule: &'static str,
    what: String,
    way_out: String,
}

impl Problem {
    pub(crate) fn new(
        path: &str,
        line: usize,
        rule: &'static str,
        what: impl Into<String>,
        way_out: &str,
    ) -> Self {
        Self {
            path: path.to_owned(),
            line,
            rule,
            what: what.into(),
            way_out: way_out.to_owned(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            rule,
            what,
            way_out,
        } = self;
        write!(f, "{path}:{line}: {rule}: {what}\n    {way_out}")
    }
}
