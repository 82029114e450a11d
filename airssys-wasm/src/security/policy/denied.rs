//! A refusal by a policy.

// Layer 1: Standard library imports
use std::error::Error;
use std::fmt;

// Layer 3: Internal module imports
use crate::security::policy::verdict::{Rule, RuleEffect, Verdict};

/// The policy does not allow something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedByRule {
    /// The rules that forbid it, in the order of the file; none if nothing permits it.
    pub rules: Vec<Rule>,
    /// What went wrong when it was decided, which denies it by itself.
    pub errors: Vec<String>,
}

impl DeniedByRule {
    /// What a verdict denies, if it denies.
    pub(crate) fn from_verdict(verdict: Verdict) -> Result<(), Self> {
        if verdict.allowed {
            return Ok(());
        }
        let mut rules = verdict.rules;
        rules.retain(|rule| rule.effect == RuleEffect::Forbid);
        Err(Self {
            rules,
            errors: verdict.errors,
        })
    }
}

impl fmt::Display for DeniedByRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = self.errors.first() {
            return write!(
                f,
                "the policy could not be decided, which denies it: {error}"
            );
        }
        match self.rules.as_slice() {
            [] => f.write_str("no rule of the policy permits it"),
            [rule] => write!(f, "the policy's rule {rule} forbids it"),
            [rule, others @ ..] => {
                write!(f, "the policy's rules {rule}")?;
                for other in others {
                    write!(f, ", {other}")?;
                }
                f.write_str(" forbid it")
            }
        }
    }
}

impl Error for DeniedByRule {}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbid(line: usize, name: &str) -> Rule {
        Rule {
            line,
            name: name.into(),
            effect: RuleEffect::Forbid,
        }
    }

    #[test]
    fn it_names_what_denies() {
        let mut denied = DeniedByRule {
            rules: Vec::new(),
            errors: Vec::new(),
        };
        assert_eq!(denied.to_string(), "no rule of the policy permits it");
        denied.rules.push(forbid(3, "nights"));
        let one = "the policy's rule `nights` (line 3) forbids it";
        assert_eq!(denied.to_string(), one);
        denied.rules.push(forbid(9, "rule 2"));
        let two = "the policy's rules `nights` (line 3), `rule 2` (line 9) forbid it";
        assert_eq!(denied.to_string(), two);
        denied.errors.push("too deep".into());
        assert!(denied.to_string().ends_with("which denies it: too deep"));
    }
}
