//! The time of day.

// Layer 1: Standard library imports
use std::time::SystemTime;

// Layer 2: Third-party crate imports
use airssys_wasm::core::time::unix_ms;

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    unix_ms(SystemTime::now())
}
