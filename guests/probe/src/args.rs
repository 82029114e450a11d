//! The arguments of a host function, as JSON.

use std::fmt::{self, Formatter};

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The arguments of all host functions together; each takes what it knows.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Args {
    pub(crate) target: Text,
    pub(crate) targets: Vec<Text>,
    pub(crate) kind: Text,
    pub(crate) payload: Text,
    pub(crate) delay_ms: u64,
    pub(crate) timeout_ms: u64,
    pub(crate) timer: u64,
    pub(crate) correlation: u64,
    pub(crate) topic: Text,
    pub(crate) pattern: Text,
    pub(crate) key: Text,
    pub(crate) keys: Vec<Text>,
    pub(crate) value: Text,
    pub(crate) prefix: Text,
    pub(crate) cursor: Option<Text>,
    pub(crate) limit: u32,
    pub(crate) level: Text,
    pub(crate) text: Text,
    pub(crate) count: u32,
    pub(crate) actor: Text,
    pub(crate) name: Text,
}

/// A text, which may be stated by how often it repeats another.
#[derive(Default)]
pub(crate) struct Text(pub(crate) String);

impl<'de> Deserialize<'de> for Text {
    // A derived implementation would first read either form into a tree, and whoever
    // sends a deep one would overflow the stack.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Spelling)
    }
}

struct Spelling;

impl<'de> Visitor<'de> for Spelling {
    type Value = Text;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or an object with `repeat` and `times`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Text, M::Error> {
        let repeated = Repeated::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Text(repeated.repeat.repeat(repeated.times)))
    }
}

#[derive(Deserialize)]
struct Repeated {
    repeat: String,
    times: usize,
}
