//! What a policy says about one question, and why.

// Layer 1: Standard library imports
use std::fmt;

// Layer 2: Third-party crate imports
use serde::Serialize;

/// What a policy says about one question, and which rules made it say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether it is allowed.
    pub allowed: bool,
    /// The rules that decided, in the order of the file: those that permit if it is allowed,
    /// those that forbid if it is forbidden, and none if nothing permits it.
    pub rules: Vec<Rule>,
    /// What went wrong, if something did. Then it is denied, whatever the rules say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

/// One rule of a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Rule {
    /// The line at which it begins, from 1.
    pub line: usize,
    /// What its `@id("…")` says, or else `rule` and its number in the file, from 1.
    pub name: String,
    /// What it does where it applies.
    pub effect: RuleEffect,
}

/// What a rule does where it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleEffect {
    /// It permits, unless another forbids.
    Permit,
    /// It forbids, whatever others permit.
    Forbid,
}

impl Verdict {
    /// A denial because the question could not be put, or not be decided.
    pub(crate) fn failed(error: String) -> Self {
        Self {
            allowed: false,
            rules: Vec::new(),
            errors: vec![error],
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` (line {})", self.name, self.line)
    }
}

impl fmt::Display for RuleEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Permit => "permit",
            Self::Forbid => "forbid",
        })
    }
}
