//! The name of a component.

// Layer 1: Standard library imports
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

// Layer 2: Third-party crate imports
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::component::id::{ComponentId, InvalidId};

/// The namespace that only the host itself uses.
pub const RESERVED_NAMESPACE: &str = "airssys";

/// The name of a component: `namespace/name`, the first two parts of its actors'
/// addresses.
///
/// Both parts follow the rules of [`ComponentId`], and the namespace is not
/// [`RESERVED_NAMESPACE`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentName {
    text: String,
    name_start: usize,
}

impl ComponentName {
    /// The first part: who the component belongs to.
    pub fn namespace(&self) -> &str {
        &self.text[..self.name_start - 1]
    }

    /// The second part: which component it is.
    pub fn name(&self) -> &str {
        &self.text[self.name_start..]
    }

    /// The whole name, `namespace/name`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address of one of the component's actors. The instance is not checked.
    pub fn instance(&self, instance: &str) -> ComponentId {
        ComponentId::new(self.namespace(), self.name(), instance)
    }
}

impl FromStr for ComponentName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let mut parts = text.split('/');
        let (Some(namespace), Some(_), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidName::Parts(text.split('/').count()));
        };
        if namespace == RESERVED_NAMESPACE {
            return Err(InvalidName::Reserved);
        }
        // The rules stand with the address; any good instance completes one.
        format!("{text}/a").parse::<ComponentId>()?;
        Ok(Self {
            text: text.to_owned(),
            name_start: namespace.len() + 1,
        })
    }
}

impl fmt::Display for ComponentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for ComponentName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ComponentName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for ComponentName {
    fn schema_name() -> Cow<'static, str> {
        "ComponentName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "namespace/name, each of a-z A-Z 0-9 - _ . ~ and at most 128 \
                            characters. The namespace `airssys` is reserved.",
            "pattern": "^[A-Za-z0-9_.~-]{1,128}/[A-Za-z0-9_.~-]{1,128}$"
        })
    }
}

/// Why a text is no name of a component.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// There are not two parts.
    #[error("the name of a component has two parts, namespace/name; this one has {0}")]
    Parts(usize),
    /// The namespace belongs to the host.
    #[error("the namespace `{RESERVED_NAMESPACE}` is reserved for the host; choose another one")]
    Reserved,
    /// A part breaks the rules of an address.
    #[error(transparent)]
    Part(#[from] InvalidId),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_text_and_addresses_agree() {
        let name: ComponentName = "shop/cart".parse().unwrap();
        assert_eq!((name.namespace(), name.name()), ("shop", "cart"));
        assert_eq!(name.to_string(), "shop/cart");
        assert_eq!(name.instance("alice").as_str(), "shop/cart/alice");
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"shop/cart\"");
        assert_eq!(
            serde_json::from_str::<ComponentName>("\"shop/cart\"").unwrap(),
            name
        );
    }

    #[test]
    fn bad_names_are_refused_with_their_reason() {
        for (text, expected) in [
            ("", InvalidName::Parts(1)),
            ("shop", InvalidName::Parts(1)),
            ("shop/cart/alice", InvalidName::Parts(3)),
            ("airssys/cart", InvalidName::Reserved),
            ("/cart", InvalidName::Part(InvalidId::Empty)),
            ("shop/", InvalidName::Part(InvalidId::Empty)),
            ("shop/..", InvalidName::Part(InvalidId::Dots)),
            ("shop/a b", InvalidName::Part(InvalidId::Character(' '))),
        ] {
            assert_eq!(text.parse::<ComponentName>(), Err(expected), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_good_exactly_if_its_actors_are(text in "[a-z./~ ]{0,8}/[a-z./]{0,4}|\\PC{0,12}") {
            let actor = format!("{text}/x").parse::<ComponentId>();
            prop_assert_eq!(text.parse::<ComponentName>().is_ok(), actor.is_ok());
            if let (Ok(name), Ok(actor)) = (text.parse::<ComponentName>(), actor) {
                prop_assert_eq!(name.as_str(), actor.component());
                prop_assert_eq!(name.instance("x"), actor);
            }
        }
    }
}
