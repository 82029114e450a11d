//! Detached signatures of components, and whom to trust.

pub mod error;
pub mod expiry;
pub mod key_error;
pub mod public_key;
pub mod signature;
pub mod signing_key;
mod small_file;
pub mod trust;
