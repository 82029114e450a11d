//! The content of a message.

// Layer 2: Third-party crate imports
use bytes::Bytes;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// The bytes that a message carries. Cloning shares them.
///
/// ```
/// use airssys_wasm::core::component::MessagePayload;
///
/// let payload = MessagePayload::from_json(r#"{"sku": "tea", "count": 2}"#)?;
/// assert_eq!(payload.as_bytes(), br#"{"sku": "tea", "count": 2}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessagePayload(Bytes);

impl MessagePayload {
    /// A payload of these bytes.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// A payload without bytes.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A payload of JSON text, kept as it is written.
    ///
    /// # Errors
    ///
    /// When `text` is not one JSON value, with the line and column.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<IgnoredAny>(text)?;
        Ok(Self(Bytes::copy_from_slice(text.as_bytes())))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, without copying them.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for MessagePayload {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for MessagePayload {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Bytes> for MessagePayload {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl From<Vec<u8>> for MessagePayload {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_json_is_refused_with_its_place() {
        let error = MessagePayload::from_json("{\"a\":\n oops}").unwrap_err();
        assert_eq!((error.line(), error.column()), (2, 2));
        assert!(MessagePayload::from_json("{} {}").is_err());
        assert!(MessagePayload::from_json("").is_err());
    }

    #[test]
    fn empty_has_no_bytes() {
        assert!(MessagePayload::empty().is_empty());
        assert_eq!(MessagePayload::from(vec![1, 2]).len(), 2);
        assert_eq!(MessagePayload::new(vec![7]).into_bytes().as_ref(), [7]);
    }
}
