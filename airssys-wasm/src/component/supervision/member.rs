//! What a supervision group has in its charge.

// Layer 1: Standard library imports
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::component::id::{ComponentId, InvalidId, MAX_PART_LENGTH};

/// A member of a group, written as one text: `shop/cart` is a component,
/// `shop/cart/alice` an actor, and `checkout`, without a slash, a group.
///
/// A value made by hand is not checked; parse what comes from outside.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Member {
    /// All actors of a component, `namespace/name`, but for those that a group lists
    /// themselves.
    Component(Arc<str>),
    /// One actor.
    Actor(ComponentId),
    /// Another group, by its name.
    Group(Arc<str>),
}

/// Why a text is no member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidMember {
    /// It has no slash and is no group's name.
    #[error(transparent)]
    Group(#[from] InvalidGroupName),
    /// It has a slash and is no component and no actor.
    #[error(transparent)]
    Address(InvalidId),
}

/// Why a text is no name of a group.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidGroupName {
    /// It is empty.
    #[error("the name of a group is empty")]
    Empty,
    /// It has more than [`MAX_PART_LENGTH`] bytes.
    #[error("the name of a group has at most {MAX_PART_LENGTH} characters; this one has {0}")]
    TooLong(usize),
    /// It has a character outside the allowed set.
    #[error("the name of a group is made of a-z 0-9 - _ and not of {0:?}")]
    Character(char),
}

/// Checks the name of a group.
pub(super) fn check_group_name(name: &str) -> Result<(), InvalidGroupName> {
    let is_allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_');
    if name.is_empty() {
        return Err(InvalidGroupName::Empty);
    }
    if let Some(wrong) = name.chars().find(|c| !is_allowed(*c)) {
        return Err(InvalidGroupName::Character(wrong));
    }
    if name.len() > MAX_PART_LENGTH {
        return Err(InvalidGroupName::TooLong(name.len()));
    }
    Ok(())
}

impl FromStr for Member {
    type Err = InvalidMember;

    fn from_str(text: &str) -> Result<Self, InvalidMember> {
        match text.split('/').count() {
            1 => {
                check_group_name(text)?;
                Ok(Self::Group(text.into()))
            }
            2 => {
                // A component's two parts follow the rules of an address, and those
                // are checked by making one.
                let any_actor: Result<ComponentId, _> = format!("{text}/any").parse();
                any_actor.map_err(InvalidMember::Address)?;
                Ok(Self::Component(text.into()))
            }
            _ => text
                .parse()
                .map(Self::Actor)
                .map_err(InvalidMember::Address),
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component(text) | Self::Group(text) => f.write_str(text),
            Self::Actor(actor) => f.write_str(actor.as_str()),
        }
    }
}

impl TryFrom<String> for Member {
    type Error = InvalidMember;

    fn try_from(text: String) -> Result<Self, InvalidMember> {
        text.parse()
    }
}

impl From<Member> for String {
    fn from(member: Member) -> Self {
        member.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_number_of_slashes_says_what_it_is() {
        assert_eq!("checkout".parse(), Ok(Member::Group("checkout".into())));
        assert_eq!("a/b".parse(), Ok(Member::Component("a/b".into())));
        assert_eq!(
            "a/b/c".parse(),
            Ok(Member::Actor(ComponentId::new("a", "b", "c")))
        );
    }

    #[test]
    fn what_is_neither_is_refused() {
        let long = "x".repeat(MAX_PART_LENGTH + 1);
        for (text, expected) in [
            ("", InvalidMember::Group(InvalidGroupName::Empty)),
            ("A", InvalidMember::Group(InvalidGroupName::Character('A'))),
            (
                long.as_str(),
                InvalidMember::Group(InvalidGroupName::TooLong(MAX_PART_LENGTH + 1)),
            ),
            ("a/", InvalidMember::Address(InvalidId::Empty)),
            ("../b", InvalidMember::Address(InvalidId::Dots)),
            ("a/b/", InvalidMember::Address(InvalidId::Empty)),
            ("a/b/c/d", InvalidMember::Address(InvalidId::Parts(4))),
        ] {
            assert_eq!(text.parse::<Member>(), Err(expected), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_prints_as_it_was(text in "\\PC{0,20}|[a-z0-9._/-]{1,12}") {
            if let Ok(member) = text.parse::<Member>() {
                prop_assert_eq!(member.to_string(), text);
                let json = serde_json::to_string(&member).unwrap();
                prop_assert_eq!(serde_json::from_str::<Member>(&json).unwrap(), member);
            }
        }
    }
}
