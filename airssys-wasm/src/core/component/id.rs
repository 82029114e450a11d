//! The address of an actor.

// Layer 1: Standard library imports
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// The most characters that one part of an address may have.
pub const MAX_PART_LENGTH: usize = 128;

/// The address of one actor: `namespace/name/instance`.
///
/// The three parts are kept as one shared text, so that cloning an address costs a
/// reference count and handing it to a guest costs nothing.
///
/// Addresses that come from outside — a guest's argument, a command line, a file —
/// are parsed, which checks every part:
///
/// ```
/// use airssys_wasm::core::component::id::ComponentId;
///
/// let id: ComponentId = "shop/cart/alice".parse()?;
/// assert_eq!((id.namespace(), id.name(), id.instance()), ("shop", "cart", "alice"));
///
/// assert!("shop/../alice".parse::<ComponentId>().is_err());
/// # Ok::<(), airssys_wasm::core::component::id::InvalidId>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ComponentId {
    text: Arc<str>,
    name_start: u32,
    instance_start: u32,
}

/// By the text alone, which nearly always tells addresses apart.
impl Hash for ComponentId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl ComponentId {
    /// Makes an address out of parts that the program itself chose. They are not
    /// checked; parse what comes from outside.
    pub fn new(
        namespace: impl AsRef<str>,
        name: impl AsRef<str>,
        instance: impl AsRef<str>,
    ) -> Self {
        let (namespace, name, instance) = (namespace.as_ref(), name.as_ref(), instance.as_ref());
        let name_start = namespace.len() + 1;
        let instance_start = name_start + name.len() + 1;
        Self {
            text: format!("{namespace}/{name}/{instance}").into(),
            name_start: name_start as u32,
            instance_start: instance_start as u32,
        }
    }

    /// The first part: who the component belongs to.
    pub fn namespace(&self) -> &str {
        &self.text[..self.name_start as usize - 1]
    }

    /// The second part: which component it is.
    pub fn name(&self) -> &str {
        &self.text[self.name_start as usize..self.instance_start as usize - 1]
    }

    /// The third part: which of the component's actors it is.
    pub fn instance(&self) -> &str {
        &self.text[self.instance_start as usize..]
    }

    /// The component that this actor is an instance of: `namespace/name`.
    pub fn component(&self) -> &str {
        &self.text[..self.instance_start as usize - 1]
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for ComponentId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut parts = text.split('/');
        let (Some(namespace), Some(name), Some(instance), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidId::Parts(text.split('/').count()));
        };
        for part in [namespace, name, instance] {
            check_part(part)?;
        }
        Ok(Self::new(namespace, name, instance))
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ComponentId({})", self.text)
    }
}

impl Serialize for ComponentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Parses it, which checks every part.
impl<'de> Deserialize<'de> for ComponentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidId {
    /// There are not three parts.
    #[error("an address has three parts, namespace/name/instance; this one has {0}")]
    Parts(usize),
    /// A part is empty.
    #[error("a part of an address is empty")]
    Empty,
    /// A part has more than [`MAX_PART_LENGTH`] characters.
    #[error("a part of an address has at most {MAX_PART_LENGTH} characters; this one has {0}")]
    TooLong(usize),
    /// A part has a character outside the allowed set.
    #[error("an address is made of a-z A-Z 0-9 - _ . ~ and not of {0:?}")]
    Character(char),
    /// A part is `.` or `..`, which file systems read as folders.
    #[error("a part of an address is neither `.` nor `..`")]
    Dots,
}

fn check_part(part: &str) -> Result<(), InvalidId> {
    if part.is_empty() {
        return Err(InvalidId::Empty);
    }
    if part == "." || part == ".." {
        return Err(InvalidId::Dots);
    }
    if let Some(wrong) = part.chars().find(|c| !is_allowed(*c)) {
        return Err(InvalidId::Character(wrong));
    }
    if part.len() > MAX_PART_LENGTH {
        return Err(InvalidId::TooLong(part.len()));
    }
    Ok(())
}

/// The unreserved characters of a URL (RFC 3986, section 2.3): an address needs no
/// escaping in a URL, a path or a key.
fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_and_text_agree() {
        let id = ComponentId::new("shop", "cart", "alice");
        assert_eq!(id.namespace(), "shop");
        assert_eq!(id.name(), "cart");
        assert_eq!(id.instance(), "alice");
        assert_eq!(id.component(), "shop/cart");
        assert_eq!(id.to_string(), "shop/cart/alice");
        assert_eq!(format!("{id:?}"), "ComponentId(shop/cart/alice)");
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"shop/cart/alice\"");
    }

    #[test]
    fn forged_addresses_are_refused() {
        let long = format!("a/b/{}", "x".repeat(MAX_PART_LENGTH + 1));
        for (text, expected) in [
            ("", InvalidId::Parts(1)),
            ("a/b", InvalidId::Parts(2)),
            ("a/b/c/d", InvalidId::Parts(4)),
            ("a//c", InvalidId::Empty),
            ("a/../c", InvalidId::Dots),
            ("./b/c", InvalidId::Dots),
            ("a/b/c d", InvalidId::Character(' ')),
            ("a/b/c\0", InvalidId::Character('\0')),
            ("a/b/аlice", InvalidId::Character('а')),
            (long.as_str(), InvalidId::TooLong(MAX_PART_LENGTH + 1)),
        ] {
            assert_eq!(text.parse::<ComponentId>(), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn same_text_from_other_parts_is_another_address() {
        assert_ne!(
            ComponentId::new("a/b", "c", "d"),
            ComponentId::new("a", "b/c", "d")
        );
    }

    proptest! {
        #[test]
        fn what_parses_prints_as_it_was(text in "\\PC{0,40}|[a-z./~]{1,12}/[a-z.]{1,4}/[a-z.]{1,4}") {
            if let Ok(id) = text.parse::<ComponentId>() {
                prop_assert_eq!(id.as_str(), &text);
                let rebuilt = ComponentId::new(id.namespace(), id.name(), id.instance());
                prop_assert_eq!(rebuilt, id);
            }
        }
    }
}
