//! The state of one actor, as lines of JSON.
//!
//! The first line says what follows, and each line after it is a key with its value: `value`
//! if that is text, and `base64` if not. Keys are in order.
//!
//! ```text
//! {"format":1,"actor":"shop/cart/alice","ran_by":{"digest":"sha256:…","label":"1.2.0"},"keys":2,"bytes":17}
//! {"key":"items","value":"[1,2]"}
//! {"key":"seal","base64":"AP8="}
//! ```

// Layer 1: Standard library imports
use std::ops::Bound;
use std::sync::Arc;
use std::{iter, mem};

// Layer 2: Third-party crate imports
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::keyspace::Keyspace;
use crate::core::storage::store::VersionId;

/// The format that is written, and the only one that is read.
pub(crate) const FORMAT: u64 = 1;

/// Lines are handed out in pieces of about so many bytes.
const CHUNK_BYTES: usize = 64 << 10;

/// What an actor keeps: its keys, and which version wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActorState {
    /// Whose it is.
    pub actor: ComponentId,
    /// What ran the actor last. Another version migrates it when it is activated.
    pub ran_by: Option<Arc<VersionId>>,
    /// Its keys and values.
    pub keys: Keyspace,
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) format: u64,
    pub(crate) actor: ComponentId,
    pub(crate) ran_by: Option<Arc<VersionId>>,
    pub(crate) keys: u64,
    pub(crate) bytes: u64,
}

/// Every other line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) base64: Option<String>,
}

impl ActorState {
    /// The state as lines of JSON, in pieces of about 64 KiB.
    pub fn into_lines(self) -> impl Iterator<Item = Vec<u8>> + Send + 'static {
        let mut chunk = Vec::new();
        push(
            &mut chunk,
            &Header {
                format: FORMAT,
                actor: self.actor,
                ran_by: self.ran_by,
                keys: self.keys.len() as u64,
                bytes: self.keys.bytes(),
            },
        );
        let (keys, mut last) = (self.keys, None::<String>);
        iter::from_fn(move || {
            let start = last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            for (key, value) in keys.range(start) {
                push(&mut chunk, &Entry::of(key, value));
                if chunk.len() >= CHUNK_BYTES {
                    last = Some(key.clone());
                    return Some(mem::take(&mut chunk));
                }
            }
            last = keys
                .range(Bound::Unbounded)
                .next_back()
                .map(|(key, _)| key.clone());
            Some(mem::take(&mut chunk)).filter(|chunk| !chunk.is_empty())
        })
    }
}

impl Entry {
    fn of(key: &str, value: &[u8]) -> Self {
        let text = str::from_utf8(value).ok();
        Self {
            key: key.to_owned(),
            value: text.map(str::to_owned),
            base64: text.is_none().then(|| STANDARD.encode(value)),
        }
    }
}

fn push(chunk: &mut Vec<u8>, line: &impl Serialize) {
    // Writing what is made of texts and numbers to memory cannot fail.
    drop(serde_json::to_writer(&mut *chunk, line));
    chunk.push(b'\n');
}
