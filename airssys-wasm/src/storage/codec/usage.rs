//! How much a component keeps, on disk.

// Layer 3: Internal module imports
use crate::core::storage::commit::Growth;
use crate::storage::codec::error::CodecError;
use crate::storage::codec::packed;
use crate::storage::tables::table::Table;

/// The key of a component, `namespace/name`, in table `usage`.
pub(crate) fn encode_component(component: &str) -> Vec<u8> {
    component.as_bytes().to_vec()
}

/// The component that a key of table `usage` names.
///
/// # Errors
///
/// When it is no text.
pub(crate) fn decode_component(key: &[u8]) -> Result<&str, CodecError> {
    str::from_utf8(key).map_err(|e| CodecError::key(Table::Usage, key, e))
}

/// Writes the sum of all growth of a component: a row of `usage`, [packed](super::packed).
/// Bytes come first, then keys. This is format version 1.
///
/// # Errors
///
/// None that these figures can cause.
pub(crate) fn encode_usage(usage: Growth) -> Result<Vec<u8>, CodecError> {
    packed::encode(&(usage.bytes, usage.keys))
}

/// Reads the sum of all growth of a component.
///
/// # Errors
///
/// When the bytes are no such sum.
pub(crate) fn decode_usage(value: &[u8]) -> Result<Growth, CodecError> {
    let (bytes, keys) = packed::decode(Table::Usage, value)?;
    Ok(Growth { bytes, keys })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn figures_come_back(bytes in any::<i64>(), keys in any::<i64>()) {
            let usage = Growth { bytes, keys };
            prop_assert_eq!(decode_usage(&encode_usage(usage).unwrap()), Ok(usage));
        }
    }

    #[test]
    fn it_looks_like_this_on_disk() {
        let usage = Growth {
            bytes: 200,
            keys: 3,
        };
        assert_eq!(encode_usage(usage).unwrap(), [1, 0x90, 0x03, 6]);
        assert!(decode_usage(&[1, 0x90]).is_err());
        assert_eq!(
            decode_component(&encode_component("shop/cart")),
            Ok("shop/cart")
        );
        assert!(decode_component(b"\xff").is_err());
    }
}
