//! Why a component may not do something.

// Layer 1: Standard library imports
use std::fmt::{self, Write};
use std::sync::Arc;

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::security::capability::Capability;
use crate::security::policy::denied::DeniedByRule;

/// The most bytes of a resource that a denial repeats, as they are told: what would end a line
/// or cannot be seen is escaped, which makes it up to six times as long. A guest may ask for
/// megabytes.
const MAX_TOLD_BYTES: usize = 1_024;

/// A use of a capability that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{capability}` for {}: {why}", Told(.resource))]
pub struct Denial {
    /// The capability.
    pub capability: Capability,
    /// For what. One that is too long to be told is cut, and ends with `…`.
    pub resource: String,
    /// What stands in the way.
    pub why: Refused,
}

impl Denial {
    /// A refusal of a capability for a resource, of which it repeats the beginning.
    pub(crate) fn new(capability: Capability, resource: &str, why: Refused) -> Self {
        Self {
            capability,
            resource: cut(resource),
            why,
        }
    }

    /// The same in words for the guest, whom the operator's rules are no business of.
    pub fn for_guest(&self) -> String {
        match self.why {
            Refused::Policy(_) => format!(
                "`{}` for {}: not allowed by the policy",
                self.capability,
                Told(&self.resource)
            ),
            _ => self.to_string(),
        }
    }
}

/// What stands in the way of a use of a capability.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// No grant has it.
    #[error("not granted")]
    NotGranted,
    /// It was granted, but the component has not said that it needs it.
    #[error("granted, but the component declares its needs and this is none of them")]
    NotNeeded,
    /// The policy does not allow it.
    #[error("{0}")]
    Policy(Arc<DeniedByRule>),
}

/// As much of a resource as is told in [`MAX_TOLD_BYTES`].
fn cut(resource: &str) -> String {
    let mut told = 0;
    for (at, char) in resource.char_indices() {
        told += char.escape_debug().map(char::len_utf8).sum::<usize>();
        if told > MAX_TOLD_BYTES {
            return format!("{}…", &resource[..at]);
        }
    }
    resource.to_owned()
}

/// A resource in quotes, escaped.
struct Told<'a>(&'a str);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for char in self.0.chars() {
            // As `Debug` has it, which leaves the quote that needs none.
            match char {
                '\'' => f.write_char(char)?,
                _ => fmt::Display::fmt(&char.escape_debug(), f)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn denial(resource: &str, why: Refused) -> Denial {
        Denial::new(Capability::Send, resource, why)
    }

    #[test]
    fn a_resource_is_told_to_some_length_however_it_is_escaped() {
        let policy = Refused::Policy(Arc::new(DeniedByRule {
            rules: Vec::new(),
            errors: Vec::new(),
        }));
        for part in ["x", "\u{1}", "\u{7f}", "\"", "\n", "ü", "\u{10ffff}"] {
            for why in [Refused::NotGranted, Refused::NotNeeded, policy.clone()] {
                let denial = denial(&part.repeat(MAX_TOLD_BYTES), why);
                assert!(denial.to_string().len() <= MAX_TOLD_BYTES + 128, "{denial}");
                assert!(denial.for_guest().len() <= MAX_TOLD_BYTES + 128, "{denial}");
                assert!(denial.resource.len() <= MAX_TOLD_BYTES + '…'.len_utf8());
            }
        }
        let cut = denial(&"\u{1}".repeat(1_024), Refused::NotGranted).to_string();
        assert!(cut.ends_with("\\u{1}…\": not granted"), "{cut}");
    }

    proptest! {
        #[test]
        fn what_is_short_is_told_as_it_is_written_in_code(resource in any::<String>()) {
            prop_assume!(format!("{resource:?}").len() <= MAX_TOLD_BYTES);
            let told = format!("`send` for {resource:?}: not granted");
            prop_assert_eq!(denial(&resource, Refused::NotGranted).to_string(), told);
        }
    }
}
